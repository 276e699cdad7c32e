"""Invoices: search, lines, create, retrieve, update, finalize, void, delete."""

from __future__ import annotations

from stripe_magics.catalogue import declare as f
from stripe_magics.catalogue import field_groups as g
from stripe_magics.catalogue.field import Field, Role, conditions, in_more_section
from stripe_magics.catalogue.module import Effect, Module, SearchExpression, Split, Variant

METHOD_TYPES = f.words(
    """ach_credit_transfer ach_debit acss_debit au_becs_debit bacs_debit bancontact boleto card cashapp
    customer_balance fpx giropay grabpay ideal konbini link paynow paypal promptpay sepa_debit sofort
    us_bank_account wechat_pay"""
)
COLLECTION_METHODS = ("charge_automatically", "send_invoice")

INVOICE = f.path_id("invoice", "Invoice ID", "Invoice ID (in_…), not the printed invoice number.")
EXPAND = g.expand("customer, default_payment_method")

_FILTERS = ("pending", "created", "subscription", "status", "collection_method", "due_date")

SEARCH = Module(
    name="invoices.search",
    title="Search Invoices",
    method="GET",
    path="/v1/invoices",
    returns="list[invoice]",
    effect=Effect.READ,
    aliases=("invoices.list",),
    help=(
        "Invoices, newest first: all of them, those of a customer, or a single one by its ID. Query searches"
        " in Stripe's search language instead; it finds new invoices after about a minute."
    ),
    search=SearchExpression(expression="query"),
    variants=(
        Variant(
            path="/v1/invoices/search",
            given=("query",),
            excludes=("list_by", "customer", "invoice", *_FILTERS),
        ),
        Variant(
            path="/v1/invoices/{invoice}",
            when=conditions({"list_by": "invoice"}),
            list_of_one=True,
            local=_FILTERS,
        ),
    ),
    splits=(
        Split(
            field="pending",
            param="status",
            values=(("true", ("draft", "open")), ("false", ("paid", "uncollectible", "void"))),
        ),
    ),
    one_of=(("pending", "status"),),
    fields=(
        g.list_by("invoices"),
        f.object_id(
            "customer",
            "Customer ID",
            "Customer (cus_…) who was billed.",
            object="customer",
            required=True,
            when={"list_by": "customer"},
        ),
        f.object_id(
            "invoice",
            "Invoice ID",
            "The one invoice (in_…) to fetch; read from its own endpoint.",
            param="client",
            role=Role.PATH,
            object="invoice",
            required=True,
            when={"list_by": "invoice"},
        ),
        f.boolean(
            "pending",
            "Pending",
            "Yes: unsettled ones (draft or open). No: settled ones (paid, uncollectible, void). Blank: both.",
            param="client",
            role=Role.SPLIT,
            row_key="status",
        ),
        g.window("created", "Filter", "Creation date"),
        g.limit("invoices"),
        *in_more_section(
            f.object_id(
                "subscription",
                "Subscription ID",
                "Keep invoices of one subscription (sub_…).",
                object="subscription",
                row_key="subscription",
            ),
            f.choice(
                "status",
                "Status",
                "Keep invoices in one state; leave Pending blank with it.",
                choices=("draft", "open", "paid", "uncollectible", "void"),
                row_key="status",
            ),
            f.choice(
                "collection_method",
                "Collection Method",
                "Keep card-charged or mailed invoices only.",
                choices=COLLECTION_METHODS,
                row_key="collection_method",
            ),
            g.window("due_date", "Due Date", "Due date"),
            f.long_text(
                "query",
                "Query",
                "Stripe search expression, such as total>10000 AND currency:'eur'; goes to the search"
                " endpoint instead of the list.",
                param="client",
                role=Role.SEARCH,
            ),
            g.expand("data.customer, data.default_payment_method"),
        ),
    ),
)

LIST_LINES = Module(
    name="invoices.list_lines",
    title="List All Invoice Line Items",
    method="GET",
    path="/v1/invoices/{invoice}/lines",
    returns="list[line_item]",
    effect=Effect.READ,
    aliases=("invoice_line_items.list",),
    help="The lines of one invoice.",
    fields=(
        INVOICE.replace(help="Invoice (in_…) whose lines are wanted."),
        g.limit("lines"),
        *in_more_section(g.expand("data.discounts")),
    ),
)


def _terms() -> tuple[Field, Field]:
    return (
        f.integer(
            "days_until_due",
            "Days Until Due",
            "Payment term in whole days from creation. Give this or Due Date.",
            minimum=0,
        ),
        f.timestamp(
            "due_date", "Due Date", "Last day to pay, as a date or time. Give this or Days Until Due."
        ),
    )


AUTO_ADVANCE = f.boolean(
    "auto_advance",
    "Auto Advance",
    "Let Stripe finalize, collect and chase the invoice by itself (about an hour after creation); off, it"
    " waits for you.",
)
COLLECTION_METHOD = f.choice(
    "collection_method",
    "Collection Method",
    "Charge the stored payment method, or mail the invoice for the customer to pay.",
    choices=COLLECTION_METHODS,
)
DESCRIPTION = f.long_text(
    "description", "Description", "Memo printed on the invoice, 1500 characters at most.", max_length=1500
)
SUBSCRIPTION = f.object_id(
    "subscription",
    "Subscription ID",
    "Bill one subscription (sub_…): only its own pending items are taken up, its billing cycle stays as"
    " it is.",
    object="subscription",
)


def _content(*, currency: str = "", blank: str, rows: str = "", rates: str = "") -> tuple[Field, ...]:
    """From Application Fee Amount on, Create and Update take the same."""
    return (
        g.application_fee_amount(
            "Platform's share in minor units; needs a connected account (OAuth key or Stripe-Account"
            " header).",
            currency=currency,
        ),
        g.custom_fields(
            "custom_fields",
            "custom_fields",
            f"Extra name/value lines printed on the invoice, up to 4 rows{rows}.",
            label="Field Name",
        ),
        f.object_id(
            "default_payment_method",
            "Default Payment Method ID",
            "Payment method (pm_…) of that same customer to collect with; else the subscription's, else the"
            " customer's own default.",
            object="payment_method",
        ),
        f.text_list(
            "default_tax_rates",
            "Default Tax Rates ID",
            f"Tax rate IDs (txr_…) for lines without their own{rates}.",
            object="tax_rate",
        ),
        g.discounts("invoice", f"One discount per row, either a coupon or a discount already held; {blank}."),
        f.long_text(
            "footer",
            "Footer",
            "Small print at the bottom of the invoice, 5000 characters at most.",
            max_length=5000,
        ),
        g.statement_descriptor(
            "Card statement text: 22 characters at most, a letter at least, none of < > \\ ' \" *."
        ),
        g.transfer_destination(
            "Connected account (acct_…) that gets the money once the invoice is paid; needed when a transfer"
            " amount is given."
        ),
        g.transfer_amount(
            "How much to pass on, in minor units; blank passes on the whole payment.", currency=currency
        ),
    )


AUTOMATIC_TAX = f.boolean(
    "automatic_tax",
    "Automatic Tax",
    "Let Stripe Tax work out the tax; not together with hand-set tax rates.",
    param="automatic_tax[enabled]",
)
PAYMENT_METHOD_TYPES = f.multi_choice(
    "payment_method_types",
    "Payment Method Types",
    "Ways to pay that the invoice offers; blank leaves it to your invoice template. Later versions take more"
    " values.",
    param="payment_settings[payment_method_types]",
    choices=METHOD_TYPES,
)
EFFECTIVE_AT = f.timestamp(
    "effective_at", "Effective At", "Issue date to print instead of the day of finalizing."
)

_MAILED = conditions({"collection_method": "send_invoice"})

CREATE = Module(
    name="invoices.create",
    title="Create an Invoice",
    method="POST",
    path="/v1/invoices",
    returns="invoice",
    effect=Effect.CREATE,
    one_of=(("days_until_due", "due_date"),),
    help=(
        "Makes a draft: nothing is charged until it is finalized, which Auto Advance does by itself about an"
        " hour later. The customer's waiting items come along only with Pending Invoice Items = include."
    ),
    fields=(
        f.object_id(
            "customer",
            "Customer ID",
            "Customer (cus_…) to bill; not needed with a subscription, customer_account or from_invoice.",
            object="customer",
            required=True,
            unless=("subscription", "customer_account", "from_invoice"),
        ),
        AUTO_ADVANCE.replace(default=False),
        COLLECTION_METHOD.replace(default="charge_automatically"),
        *(field.replace(when=_MAILED) for field in _terms()),
        DESCRIPTION,
        SUBSCRIPTION,
        g.metadata("invoice"),
        *_content(currency="currency", blank="blank = those of the customer, empty text = none at all"),
        *in_more_section(
            f.choice(
                "pending_invoice_items_behavior",
                "Pending Invoice Items",
                "Put the customer's waiting invoice items on this draft, or leave them for later.",
                choices=("exclude", "include"),
                default="exclude",
            ),
            f.currency("currency", "Currency", "Three-letter code; blank means the customer's currency."),
            AUTOMATIC_TAX,
            PAYMENT_METHOD_TYPES,
            EFFECTIVE_AT,
            EXPAND,
        ),
    ),
)

RETRIEVE = Module(
    name="invoices.retrieve",
    title="Retrieve an Invoice",
    method="GET",
    path="/v1/invoices/{invoice}",
    returns="invoice",
    effect=Effect.READ,
    help="One invoice by its ID.",
    fields=(INVOICE, *in_more_section(g.expand("customer, default_payment_method, discounts"))),
)

UPDATE = Module(
    name="invoices.update",
    title="Update an Invoice",
    method="POST",
    path="/v1/invoices/{invoice}",
    returns="invoice",
    effect=Effect.UPDATE,
    one_of=(("days_until_due", "due_date"),),
    help=(
        "Drafts are open to change; once finalized, amounts and Collection Method are frozen, and mainly Auto"
        " Advance, metadata and payment settings remain. Empty text clears custom fields, tax rates and"
        " discounts."
    ),
    fields=(
        INVOICE.replace(
            help=(
                "Invoice to change (in_…); look it up by customer, subscription, status or collection method."
            )
        ),
        AUTO_ADVANCE,
        COLLECTION_METHOD.replace(help=f"{COLLECTION_METHOD.help} Only while the invoice is a draft."),
        *(field.replace(help=f"{field.help} Only on send_invoice drafts.") for field in _terms()),
        DESCRIPTION,
        SUBSCRIPTION.replace(
            role=Role.LOOKUP,
            help=(
                "Never sent: Stripe fixes the subscription at creation. Narrows the invoice look-up, and must"
                " match the invoice picked."
            ),
            since_removed="never",
            replaced_by="nothing on this endpoint; lookup by GET /v1/invoices?subscription=",
            row_key="subscription",
        ),
        g.metadata("invoice"),
        *_content(
            blank="empty text takes all of them off",
            rows="; the rows given replace the old ones, empty text removes them",
            rates="; empty text removes them",
        ),
        *in_more_section(AUTOMATIC_TAX, PAYMENT_METHOD_TYPES, EFFECTIVE_AT, EXPAND),
    ),
)

FINALIZE = Module(
    name="invoices.finalize",
    title="Finalize a Draft Invoice",
    method="POST",
    path="/v1/invoices/{invoice}/finalize",
    returns="invoice",
    effect=Effect.IRREVERSIBLE,
    aliases=("invoices.finalize_invoice",),
    help=(
        "Gives a draft its number and makes it open (paid, at zero). There is no way back to draft, only"
        " Void; with Auto Advance it may be charged."
    ),
    fields=(
        INVOICE.replace(help="Draft (in_…) to make final."),
        *in_more_section(
            AUTO_ADVANCE.replace(
                help="Let Stripe go on to collect the finalized invoice by itself, or hold it open."
            ),
            EXPAND,
        ),
    ),
)

VOID = Module(
    name="invoices.void",
    title="Void an Invoice",
    method="POST",
    path="/v1/invoices/{invoice}/void",
    returns="invoice",
    effect=Effect.IRREVERSIBLE,
    aliases=("invoices.void_invoice",),
    help=(
        "Cancels an open or uncollectible invoice for good. A draft is deleted instead, a paid one is put"
        " right with a credit note."
    ),
    fields=(
        INVOICE.replace(
            help="Open or uncollectible invoice (in_…) to cancel for good; it stays on file as void."
        ),
        *in_more_section(g.expand("customer")),
    ),
)

DELETE = Module(
    name="invoices.delete",
    title="Delete a Draft Invoice",
    method="DELETE",
    path="/v1/invoices/{invoice}",
    returns="invoice",
    effect=Effect.IRREVERSIBLE,
    help="Erases a one-off draft. A finalized invoice or one of a subscription is refused: use Void.",
    fields=(INVOICE.replace(help="One-off draft (in_…) to erase."),),
)

MODULES = (SEARCH, LIST_LINES, CREATE, RETRIEVE, UPDATE, FINALIZE, VOID, DELETE)
