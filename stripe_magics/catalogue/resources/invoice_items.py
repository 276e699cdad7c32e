"""Invoice items: search, create, retrieve, update, delete."""

from __future__ import annotations

from typing import Any

from stripe_magics.catalogue import declare as f
from stripe_magics.catalogue import field_groups as g
from stripe_magics.catalogue.field import Field, in_more_section
from stripe_magics.catalogue.module import Effect, Module

TAX_BEHAVIORS = ("exclusive", "inclusive", "unspecified")
_BASIL = {"since_removed": "2025-03-31.basil"}

ITEM = f.path_id("invoice_item", "Invoice Item ID", "Invoice item ID (ii_…).", object="invoiceitem")
EXPAND = g.expand("customer, invoice")

SEARCH = Module(
    name="invoice_items.search",
    title="Search Invoice Items",
    method="GET",
    path="/v1/invoiceitems",
    returns="list[invoiceitem]",
    effect=Effect.READ,
    aliases=("invoiceitems.list", "invoiceitems.search", "invoice_items.list"),
    help="Invoice items, newest first: all of them, or those of a customer or an invoice.",
    fields=(
        g.list_by("items"),
        f.object_id(
            "customer",
            "Customer ID",
            "Customer (cus_…) whose items are wanted.",
            object="customer",
            required=True,
            when={"list_by": "customer"},
        ),
        f.object_id(
            "invoice",
            "Invoice ID",
            "Invoice (in_…) that holds the items; no customer needed with it.",
            object="invoice",
            required=True,
            when={"list_by": "invoice"},
        ),
        f.boolean(
            "pending", "Pending", "Yes: still waiting for an invoice. No: already on one. Blank: both."
        ),
        g.window("created", "Filter", "Creation date"),
        g.limit("invoice items"),
        *in_more_section(g.expand("data.customer, data.invoice")),
    ),
)


def _unit_amount(help: str, **parts: Any) -> Field:
    decimal = "unit_amount_decimal"
    return f.minor_amount(
        "unit_amount", "Unit Amount", help, replaced_by=decimal, renamed_to=decimal, **_BASIL, **parts
    )


def _price(help: str, **parts: Any) -> Field:
    pricing = "pricing[price]"
    return f.object_id(
        "price", "Price ID", help, object="price", replaced_by=pricing, renamed_to=pricing, **_BASIL, **parts
    )


def _line() -> tuple[Field, ...]:
    """What a line says beside its amount."""
    period = {"group": "Period"}
    return (
        f.text(
            "description",
            "Description",
            "Text of the line on the invoice, 5000 characters at most.",
            max_length=5000,
        ),
        f.timestamp(
            "period_start",
            "Start",
            "First moment of the period billed; Stripe wants Start and End together.",
            param="period[start]",
            required_with=("period_end",),
            **period,
        ),
        f.timestamp(
            "period_end",
            "End",
            "Last moment of the period billed, not earlier than Start.",
            param="period[end]",
            required_with=("period_start",),
            **period,
        ),
        g.metadata("invoice item"),
        f.boolean(
            "discountable",
            "Discountable",
            "May discounts lower this item? Blank: no for prorations and credits, yes for the rest;"
            " prorations can never be switched on.",
        ),
        f.text_list(
            "tax_rates",
            "Tax Rates ID",
            "Tax rate IDs (txr_…) for this item instead of the invoice's.",
            object="tax_rate",
        ),
    )


TAX_BEHAVIOR = f.choice(
    "tax_behavior",
    "Tax Behavior",
    "Whether the amount holds the tax already (Stripe Tax).",
    choices=TAX_BEHAVIORS,
)
_A_DISCOUNT = "One discount per row, either a coupon or a discount already held"
_NEW_PRICE = {"when": {"price_object": "new"}, "restored": True, "group": "New price"}

CREATE = Module(
    name="invoice_items.create",
    title="Create an Invoice Item",
    method="POST",
    path="/v1/invoiceitems",
    returns="invoiceitem",
    effect=Effect.CREATE,
    aliases=("invoiceitems.create",),
    help=(
        "Puts a line on a draft invoice, or lets it wait for the customer's next one. The sum is one total, a"
        " unit price times Quantity, or a price object; left out, Input an Amount follows from the fields"
        " given."
    ),
    fields=(
        f.object_id(
            "customer",
            "Customer ID",
            "Customer (cus_…) to bill for the item.",
            object="customer",
            required=True,
        ),
        f.switch(
            "input_amount",
            "Input an Amount",
            "How the sum is given: one total, unit price times quantity, or a price object.",
            "total_amount",
            "unit_amount",
            "price",
        ),
        f.minor_amount(
            "amount",
            "Amount",
            "Total of the line in minor units; below zero it is a credit.",
            required=True,
            currency="currency",
            when={"input_amount": "total_amount"},
        ),
        _unit_amount(
            "Price of one unit in minor units, times Quantity; below zero it is a credit.",
            required=True,
            unless=("unit_amount_decimal",),
            restored=True,
            currency="currency",
            when={"input_amount": "unit_amount"},
        ),
        f.switch(
            "price_object",
            "Price Object",
            "Use a price that exists, or make one on the spot for a product.",
            "existing",
            "new",
            required=True,
            when={"input_amount": "price"},
        ),
        f.object_id(
            "product",
            "Product ID",
            "Product (prod_…) that the new price is for.",
            param="price_data[product]",
            object="product",
            required=True,
            when={"price_object": "new"},
        ),
        _price("One-time price (price_…) to bill.", required=True, when={"price_object": "existing"}),
        f.minor_amount(
            "price_unit_amount",
            "Unit Amount",
            "Price of one unit for the new price, minor units, 0 or more.",
            param="price_data[unit_amount]",
            required=True,
            minimum=0,
            currency="price_currency",
            **_NEW_PRICE,
        ),
        f.currency(
            "price_currency",
            "Currency",
            "Three-letter ISO code of the new price, sent in lower case.",
            param="price_data[currency]",
            required=True,
            **_NEW_PRICE,
        ),
        f.choice(
            "price_tax_behavior",
            "Tax Behavior",
            "Whether the new price holds the tax already; fixed once set to inclusive or exclusive.",
            param="price_data[tax_behavior]",
            choices=TAX_BEHAVIORS,
            **_NEW_PRICE,
        ),
        f.integer(
            "quantity",
            "Quantity",
            "Number of units, whole, 0 or more; not used with a total.",
            minimum=0,
            when={"input_amount": ["unit_amount", "price"]},
            when_params=("unit_amount_decimal", "pricing"),
        ),
        f.currency(
            "currency",
            "Currency",
            "Three-letter ISO code, sent in lower case; an existing price brings its own.",
            required=True,
            when={"input_amount": ["total_amount", "unit_amount"]},
            when_params=("unit_amount_decimal",),
        ),
        *_line(),
        *in_more_section(
            f.object_id(
                "invoice",
                "Invoice ID",
                "Draft invoice (in_…) to put the item on straight away; at most 250 items each.",
                object="invoice",
            ),
            f.object_id(
                "subscription",
                "Subscription ID",
                "Keep the item for the next invoice of this one subscription (sub_…).",
                object="subscription",
            ),
            g.discounts("item", f"{_A_DISCOUNT}; taken off before the invoice's own discounts."),
            TAX_BEHAVIOR,
            f.text("tax_code", "Tax Code", "Stripe Tax product category (txcd_…)."),
            EXPAND,
        ),
    ),
)

RETRIEVE = Module(
    name="invoice_items.retrieve",
    title="Retrieve an Invoice Item",
    method="GET",
    path="/v1/invoiceitems/{invoice_item}",
    returns="invoiceitem",
    effect=Effect.READ,
    aliases=("invoiceitems.retrieve",),
    help="One invoice item by its ID.",
    fields=(ITEM, *in_more_section(EXPAND)),
)


def _cleared(field: Field) -> Field:
    help = f"{field.help.removesuffix('.')}; empty text removes them."
    return field.replace(help=help) if field.name == "tax_rates" else field


UPDATE = Module(
    name="invoice_items.update",
    title="Update an Invoice Item",
    method="POST",
    path="/v1/invoiceitems/{invoice_item}",
    returns="invoiceitem",
    effect=Effect.UPDATE,
    aliases=("invoiceitems.update",),
    help=(
        "Changes an item while it waits or its invoice is a draft. Empty text clears tax rates and discounts."
    ),
    fields=(
        ITEM.replace(help="Item to change (ii_…)."),
        f.minor_amount(
            "amount", "Input an Amount", "New total of the line in minor units; below zero it is a credit."
        ),
        *(_cleared(field) for field in _line()),
        *in_more_section(
            f.integer("quantity", "Quantity", "New number of units, whole, 0 or more.", minimum=0),
            _unit_amount("New price of one unit in minor units, in place of a total."),
            _price("Other price (price_…) to bill instead."),
            g.discounts("item", f"{_A_DISCOUNT}; empty text takes all of them off."),
            TAX_BEHAVIOR,
            EXPAND,
        ),
    ),
)

DELETE = Module(
    name="invoice_items.delete",
    title="Delete an Invoice Item",
    method="DELETE",
    path="/v1/invoiceitems/{invoice_item}",
    returns="invoiceitem",
    effect=Effect.IRREVERSIBLE,
    aliases=("invoiceitems.delete",),
    help="Erases an item that waits or is on a draft; refused once its invoice is final.",
    fields=(ITEM.replace(help="Item to erase (ii_…), pending or on a draft."),),
)

MODULES = (SEARCH, CREATE, RETRIEVE, UPDATE, DELETE)
