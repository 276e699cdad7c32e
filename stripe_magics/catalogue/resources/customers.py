"""Customers: search, list, create, retrieve, update, delete."""

from __future__ import annotations

from stripe_magics.catalogue import declare as f
from stripe_magics.catalogue import field_groups as g
from stripe_magics.catalogue.field import Role, in_more_section
from stripe_magics.catalogue.module import Effect, FollowUp, Module, SearchExpression, Variant
from stripe_magics.catalogue.resources import customer_fields as c

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
        "field",
        "Field",
        "Property to test.",
        param="client",
        choices=tuple(name for name, _ in _OPERATORS_OF),
        required=True,
    ),
    f.text(
        "key",
        "Metadata Key",
        "Key to test; needed when Field is metadata.",
        param="client",
        when={"field": "metadata"},
    ),
    f.choice(
        "operator",
        "Operator",
        "created takes before, after, on, between; email, name and phone take is, is_not, contains; metadata"
        " takes is, is_not.",
        param="client",
        choices=("is", "is_not", "contains", "before", "after", "on", "between"),
        required=True,
    ),
    f.text(
        "value",
        "Value",
        "What to compare with: ISO date, date-time or Unix seconds for created (between: two, parted by ..),"
        " else text; contains wants 3 characters.",
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
    help=(
        "Finds customers by e-mail, name, phone, metadata or date; with no condition at all it lists every"
        " customer. A new customer can be found after about a minute, and accounts in India have no search:"
        " there use customers list."
    ),
    search=SearchExpression(
        expression="query",
        equals=(("email", "email"),),
        rows="filter",
        match="match",
        operators=_OPERATORS_OF,
    ),
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
        *in_more_section(
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
                'Search expression, e.g. name~"smith" AND created>1672531200; filled in for you when Search'
                " By is form.",
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
    one_of=(g.BOTH_CURSORS,),
    fields=(
        f.email(
            "email",
            "Email",
            "Only customers with exactly this address; upper and lower case count.",
            restored=True,
        ),
        *g.compared(
            "created",
            "Timestamp",
            operator="created_operator",
            operator_label="Created At",
            what="creation time",
        ),
        g.limit("customers"),
        *in_more_section(*g.cursors("customer", "customer"), EXPAND_ROWS),
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
        *c.identity_fields(),
        c.PAYMENT_METHOD,
        g.metadata(),
        *c.money(),
        *c.invoice_settings(),
        c.TAX_ID_DATA,
        *in_more_section(
            *c.rare_fields(),
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
    fields=(
        f.path_id("customer", "Customer ID", "Customer (cus_…) to read; can be looked up by e-mail."),
        *in_more_section(EXPAND),
    ),
)

UPDATE = Module(
    name="customers.update",
    title="Update a Customer",
    method="POST",
    path="/v1/customers/{customer}",
    returns="customer",
    effect=Effect.UPDATE,
    help=(
        "Changes what is given and nothing else; an empty value clears. A payment method is attached first"
        " and tax IDs are added after, each by a call of its own."
    ),
    follow_ups=(
        FollowUp(
            path="/v1/payment_methods/{payment_method}/attach",
            fields=("payment_method",),
            send=(("customer", "{customer}"),),
            first=True,
        ),
        FollowUp(
            path="/v1/customers/{customer}/tax_ids", fields=("tax_id_data",), each=True, effect=Effect.CREATE
        ),
    ),
    fields=(
        f.path_id("customer", "Customer ID", "Customer (cus_…) to change; can be looked up by e-mail."),
        *c.identity_fields(),
        c.PAYMENT_METHOD.replace(
            help="Payment method (pm_…) to attach to the customer, by a call of its own before this one.",
            since_removed="never",
            replaced_by=(
                "POST /v1/payment_methods/{payment_method}/attach with customer, then Default Payment"
                " Method ID"
            ),
        ),
        g.metadata(),
        *c.money(),
        *(field.replace(default=None) for field in c.invoice_settings()),
        c.TAX_ID_DATA.replace(
            help=(
                "Tax numbers to add to the customer, one per row and each by a call of its own after this"
                " one."
            ),
            since_removed="never",
            replaced_by="POST /v1/customers/{customer}/tax_ids with type and value, one call per row",
        ),
        *in_more_section(
            f.object_id(
                "default_source",
                "Default Source",
                "Stored source or card (src_…, card_…) to make the default; for payment methods use Default"
                " Payment Method ID.",
                object="source",
            ),
            *c.rare_fields(),
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
    fields=(
        f.path_id(
            "customer", "Customer ID", "Customer (cus_…) to delete for good; can be looked up by e-mail."
        ),
    ),
)

MODULES = (SEARCH, LIST, CREATE, RETRIEVE, UPDATE, DELETE)
