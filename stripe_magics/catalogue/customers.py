"""Customers: search, list, create, retrieve, update, delete."""

from __future__ import annotations

from stripe_magics.catalogue import declare as f
from stripe_magics.catalogue import groups as g
from stripe_magics.catalogue.fields import Field, Role, more
from stripe_magics.catalogue.module import Effect, FollowUp, Module, Search, Variant

TAX_ID_TYPES = f.words(
    """ad_nrt ae_trn ar_cuit au_abn au_arn bg_uic bo_tin br_cnpj br_cpf ca_bn ca_gst_hst ca_pst_bc ca_pst_mb ca_pst_sk ca_qst ch_vat
    cl_tin cn_tin co_nit cr_tin do_rcn ec_ruc eg_tin es_cif eu_oss_vat eu_vat gb_vat ge_vat hk_br hu_tin id_npwp il_vat in_gst is_vat
    jp_cn jp_rn jp_trn ke_pin kr_brn li_uid mx_rfc my_frp my_itn my_sst no_vat nz_gst pe_ruc ph_tin ro_tin rs_pib ru_inn ru_kpp sa_vat
    sg_gst sg_uen si_tin sv_nit th_vat tr_tin tw_vat ua_vat us_ein uy_ruc ve_rif vn_tin za_vat"""
)

DISCOUNTS_SINCE = "on the invoice (invoices.create, invoices.update) or on the subscription"

EXPAND_ROWS = g.expand("data.default_source")
EXPAND = g.expand("tax_ids")

_OPERATORS_OF = (
    ("created", ("before", "after", "on", "between")),
    ("email", ("is", "is_not", "contains")),
    ("name", ("is", "is_not", "contains")),
    ("phone", ("is", "is_not", "contains")),
    ("metadata", ("is", "is_not")),
)

_CONDITION = (
    f.choice(
        "field", "Field", "Property to test.", param="client", choices=tuple(name for name, _ in _OPERATORS_OF), required=True
    ),
    f.text("key", "Metadata Key", "Key to test; needed when Field is metadata.", param="client", when={"field": "metadata"}),
    f.choice(
        "operator",
        "Operator",
        "created takes before, after, on, between; email, name and phone take is, is_not, contains; metadata takes is, is_not.",
        param="client",
        choices=("is", "is_not", "contains", "before", "after", "on", "between"),
        required=True,
    ),
    f.text(
        "value",
        "Value",
        "What to compare with: ISO date, date-time or Unix seconds for created (between: two, parted by ..), else text; "
        "contains wants 3 characters.",
        param="client",
        required=True,
    ),
)

SEARCH = Module(
    name="customers.search",
    title="Search Customers",
    method="GET",
    path="/v1/customers/search",
    returns="list[customer]",
    effect=Effect.READ,
    help="Finds customers by e-mail, name, phone, metadata or date; with no condition at all it lists every customer. A new customer can be "
    "found after about a minute, and accounts in India have no search: there use customers list.",
    search=Search(expression="query", equals=(("email", "email"),), rows="filter", match="match", operators=_OPERATORS_OF),
    variants=(Variant(path="/v1/customers", absent=("email", "filter", "query"), excludes=("page",)),),
    fields=(
        f.email(
            "email",
            "Email",
            'Address to look for: becomes the clause email:"…" of the search (case does not matter).',
            param="client",
            role=Role.SEARCH,
            restored=True,
        ),
        f.rows(
            "filter",
            "Filter",
            "Further conditions, one per row, joined as Match says; at most 10 clauses with the e-mail.",
            param="client",
            role=Role.SEARCH,
            columns=_CONDITION,
        ),
        g.limit("customers"),
        *more(
            f.switch(
                "search_by",
                "Search By",
                "form: build the search from Email and Filter; query: type it in Stripe search language.",
                "form",
                "query",
                default="form",
            ),
            f.long_text(
                "query",
                "Query",
                'Search expression, e.g. name~"smith" AND created>1672531200; filled in for you when Search By is form.',
                role=Role.SEARCH,
                required=True,
                when={"search_by": "query"},
            ),
            f.choice(
                "match",
                "Match",
                "all: every condition has to hold (AND); any: one is enough (OR).",
                param="client",
                role=Role.SEARCH,
                choices=("all", "any"),
                default="all",
                when={"search_by": "form"},
            ),
            f.text("page", "Page", "Cursor: next_page of an earlier answer, to go on from there."),
            EXPAND_ROWS,
        ),
    ),
)

LIST = Module(
    name="customers.list",
    title="List All Customers",
    method="GET",
    path="/v1/customers",
    returns="list[customer]",
    effect=Effect.READ,
    help="Customers, newest first.",
    fields=(
        f.email("email", "Email", "Only customers with exactly this address; upper and lower case count.", restored=True),
        *g.compared("created", "Timestamp", operator="created_operator", operator_label="Created At", what="creation time"),
        g.limit("customers"),
        *more(*g.cursors("customer", "customer"), EXPAND_ROWS),
    ),
)


def _person() -> tuple[Field, ...]:
    return (
        f.long_text("description", "Description", "Free note on the customer, seen in the Dashboard only.", max_length=5000),
        f.email("email", "Email", "Address for invoices and receipts; up to 512 characters.", max_length=512, restored=True),
        f.text("name", "Name", "Person or business name; up to 256 characters.", max_length=256),
        f.phone("phone", "Phone", "Phone number; up to 20 characters.", max_length=20),
        *g.address("address", "address", "the customer", "Address", restored=True),
        *g.shipping(parcel=False),
    )


def _money() -> tuple[Field, ...]:
    return (
        f.minor_amount(
            "balance",
            "Balance",
            "Credit or debt carried to the next invoices, in minor units: negative lowers what is due, positive raises it.",
        ),
        f.object_id(
            "coupon",
            "Coupon ID",
            "Coupon for all later subscription charges; single payments made through the API are not discounted.",
            object="coupon",
            since_removed="2025-03-31.basil",
            replaced_by=f"discounts[][coupon] {DISCOUNTS_SINCE}",
        ),
        f.text(
            "invoice_prefix",
            "Invoice Prefix",
            "Start of this customer’s invoice numbers: 3 to 12 capital letters or digits, unique in the account.",
            max_length=12,
            pattern="^[A-Z0-9]{3,12}$",
        ),
    )


def _invoice_settings() -> tuple[Field, ...]:
    of = {"group": "Invoice settings"}
    custom_fields = g.custom_fields(
        "invoice_custom_fields",
        "invoice_settings[custom_fields]",
        "Up to 4 name-value pairs printed on every invoice of the customer.",
        **of,
    )
    return (
        custom_fields.but(columns=tuple(column.but(restored=True) for column in custom_fields.columns)),
        f.object_id(
            "default_payment_method",
            "Default Payment Method ID",
            "Payment method (pm_…), already attached, that pays invoices and subscriptions.",
            param="invoice_settings[default_payment_method]",
            object="payment_method",
            **of,
        ),
        f.long_text(
            "invoice_footer",
            "Footer",
            "Text at the foot of every invoice of the customer.",
            param="invoice_settings[footer]",
            max_length=5000,
            **of,
        ),
        f.integer("next_invoice_sequence", "Next Invoice Sequence", "Running number of the next invoice.", minimum=1, default=1),
        f.text_list(
            "preferred_locales",
            "Preferred Locales",
            "Languages for mails and invoices, best first, as locale codes: de, en-GB, fr-CA.",
        ),
        f.object_id(
            "promotion_code",
            "Promotion Code ID",
            "Promotion code by its API ID (promo_…), not the text that customers type; discounts recurring charges only.",
            object="promotion_code",
            since_removed="2025-03-31.basil",
            replaced_by=f"discounts[][promotion_code] {DISCOUNTS_SINCE}",
        ),
        f.object_id(
            "source",
            "Source ID",
            "Token (tok_…) or source (src_…) to store as the default payment source; replaces the present default. "
            "Older than payment methods.",
            object="source",
        ),
        f.choice(
            "tax_exempt",
            "Tax Exempt",
            "none: taxed; exempt: no tax; reverse: reverse charge, with that note on the invoice.",
            choices=("none", "exempt", "reverse"),
        ),
    )


def _seldom() -> tuple[Field, ...]:
    return (
        f.text(
            "tax_ip_address",
            "Tax IP Address",
            "Recent IPv4 or IPv6 address of the customer, from which Stripe Tax infers where they are.",
            param="tax[ip_address]",
        ),
        f.choice(
            "invoice_tax_display",
            "Invoice Tax Display",
            "Prices on invoice PDFs without tax (exclude_tax) or with the inclusive tax in them.",
            param="invoice_settings[rendering_options][amount_tax_display]",
            group="Invoice settings",
            choices=("exclude_tax", "include_inclusive_tax"),
        ),
        f.choice(
            "cash_balance_reconciliation",
            "Cash Balance Reconciliation",
            "Bank transfers: automatic matches incoming money to open payments, manual leaves that to you.",
            param="cash_balance[settings][reconciliation_mode]",
            choices=("automatic", "manual", "merchant_default"),
        ),
    )


PAYMENT_METHOD = f.object_id(
    "payment_method", "Payment Method ID", "Payment method (pm_…) to attach to the customer.", object="payment_method"
)
TAX_ID_DATA = f.rows(
    "tax_id_data",
    "TAX ID Data",
    "Tax numbers to store with the customer, one per row.",
    columns=(
        f.choice("type", "Type", "Kind of number, e.g. eu_vat, gb_vat, us_ein.", choices=TAX_ID_TYPES, required=True),
        f.text("value", "Tax ID", "The number itself, e.g. DE123456789.", required=True),
    ),
)

CREATE = Module(
    name="customers.create",
    title="Create a Customer",
    method="POST",
    path="/v1/customers",
    returns="customer",
    effect=Effect.CREATE,
    help="Stores a person or a business to bill. No field is required.",
    fields=(
        *_person(),
        PAYMENT_METHOD,
        g.metadata(),
        *_money(),
        *_invoice_settings(),
        TAX_ID_DATA,
        *more(
            *_seldom(),
            f.object_id(
                "test_clock",
                "Test Clock",
                "Test mode: clock (clock_…) that simulates time for this customer.",
                object="test_helpers.test_clock",
            ),
            EXPAND,
        ),
    ),
)

RETRIEVE = Module(
    name="customers.retrieve",
    title="Retrieve a Customer",
    method="GET",
    path="/v1/customers/{customer}",
    returns="customer",
    effect=Effect.READ,
    help="One customer by its ID. Of a deleted customer only the ID and deleted: true come back.",
    fields=(f.path_id("customer", "Customer ID", "Customer (cus_…) to read; can be looked up by e-mail."), *more(EXPAND)),
)

UPDATE = Module(
    name="customers.update",
    title="Update a Customer",
    method="POST",
    path="/v1/customers/{customer}",
    returns="customer",
    effect=Effect.UPDATE,
    help="Changes what is given and nothing else; an empty value clears. A payment method is attached first and tax IDs are added after, each "
    "by a call of its own.",
    follow_ups=(
        FollowUp(
            path="/v1/payment_methods/{payment_method}/attach",
            fields=("payment_method",),
            send=(("customer", "{customer}"),),
            first=True,
        ),
        FollowUp(path="/v1/customers/{customer}/tax_ids", fields=("tax_id_data",), each=True, effect=Effect.CREATE),
    ),
    fields=(
        f.path_id("customer", "Customer ID", "Customer (cus_…) to change; can be looked up by e-mail."),
        *_person(),
        PAYMENT_METHOD.but(
            help="Payment method (pm_…) to attach to the customer, by a call of its own before this one.",
            since_removed="never",
            replaced_by="POST /v1/payment_methods/{payment_method}/attach with customer, then Default Payment Method ID",
        ),
        g.metadata(),
        *_money(),
        *(field.but(default=None) for field in _invoice_settings()),
        TAX_ID_DATA.but(
            help="Tax numbers to add to the customer, one per row and each by a call of its own after this one.",
            since_removed="never",
            replaced_by="POST /v1/customers/{customer}/tax_ids with type and value, one call per row",
        ),
        *more(
            f.object_id(
                "default_source",
                "Default Source",
                "Stored source or card (src_…, card_…) to make the default; for payment methods use Default Payment Method ID.",
                object="source",
            ),
            *_seldom(),
            EXPAND,
        ),
    ),
)

DELETE = Module(
    name="customers.delete",
    title="Delete a Customer",
    method="DELETE",
    path="/v1/customers/{customer}",
    returns="customer",
    effect=Effect.IRREVERSIBLE,
    help="Deletes for good, and ends the customer's active subscriptions at once.",
    fields=(f.path_id("customer", "Customer ID", "Customer (cus_…) to delete for good; can be looked up by e-mail."),),
)

MODULES = (SEARCH, LIST, CREATE, RETRIEVE, UPDATE, DELETE)
