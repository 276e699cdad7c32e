"""Fields that recur from module to module, declared once. Each function gives the fields with the few words
that differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stripe_magics.catalogue import declare as f
from stripe_magics.catalogue.field import Field, Role

OPERATORS = ("before", "after", "on", "between")
_DATES = "ISO date or date-time, or Unix seconds; two of them for between"


# Lists


def limit(what: str, **changes: Any) -> Field:
    """The cap over all pages."""
    help = f"Most {what} to bring back in all; pages of up to 100 are followed until there are that many."
    return f.integer("limit", "Limit", help, param="client", role=Role.LIMIT, minimum=1).replace(**changes)


def expand(examples: str) -> Field:
    """Linked objects to be sent in full."""
    help = f"Linked objects to return in full instead of as IDs, e.g. {examples}; at most four levels deep."
    return f.text_list("expand", "Expand", help)


BOTH_CURSORS = ("starting_after", "ending_before")
"""Of these at most one is given."""


def cursors(object: str, what: str) -> tuple[Field, Field]:
    """Both cursors of a list."""
    after = f"Resume the list after this {what} (cursor): the last ID of an earlier page."
    before = f"Read the page that ends just ahead of this {what} (cursor), for stepping back."
    return (
        f.object_id("starting_after", "Starting After", after, object=object),
        f.object_id("ending_before", "Ending Before", before, object=object),
    )


def window(name: str, label: str, what: str, **changes: Any) -> Field:
    """A range of time in one field: `before 2024-01-01`, `between A..B`."""
    help = f"{what} window: before, after, on or between, followed by one timestamp or two ({_DATES})."
    return f.timestamp_filter(name, label, help, row_key=name).replace(**changes)


def compared(
    name: str, label: str, *, operator: str, operator_label: str, what: str, **changes: Any
) -> tuple[Field, Field]:
    """A range of time in two fields: the comparison, and the moment that is compared with. Without a
    comparison it is `on`."""
    where = f"Where the {what} lies: before or after {label}, on that day, or between two moments."
    moment = f"Moment to compare the {what} with: {_DATES}."
    return (
        f.choice(operator, operator_label, where, param="client", role=Role.OPERATOR, choices=OPERATORS),
        f.timestamp_filter(name, label, moment, operator=operator, row_key=name).replace(**changes),
    )


def list_by(what: str) -> Field:
    """Which of customer and invoice narrows a list; without it, the id that is given decides."""
    return f.switch(
        "list_by",
        "List By",
        f"Look {what} up by customer, or by invoice; left out, the ID given decides.",
        "customer",
        "invoice",
    )


# People and places


def address(
    prefix: str, param: str, of: str, group: str, *, country: str = "Country", **parts: Any
) -> tuple[Field, ...]:
    """The six lines of an address. `parts` (condition, restored) hold for each of them."""

    def line(make: Any, name: str, label: str, help: str) -> Field:
        made: Field = make(f"{prefix}_{name}", label, help, param=f"{param}[{name}]", group=group, **parts)
        return made

    return (
        line(f.text, "line1", "Line 1", f"First line: street and number, P.O. box or company, for {of}."),
        line(f.text, "line2", "Line 2", f"Second line: flat, suite, floor or building, for {of}."),
        line(f.text, "postal_code", "Postal Code", f"Postcode or ZIP of {of}."),
        line(f.text, "city", "City", f"Town, city or suburb of {of}."),
        line(f.text, "state", "State", f"State, county, province or region of {of}."),
        line(f.country, "country", country, f"Two-letter ISO 3166-1 country code of {of}, e.g. DE."),
    )


def shipping(*, parcel: bool) -> tuple[Field, ...]:
    """Where deliveries go; of one `parcel` also who carries it. Name and address go together."""
    of = {"group": "Shipping"}
    where = address(
        "shipping",
        "shipping[address]",
        "the delivery address",
        "Shipping",
        country="Country Code" if parcel else "Country",
    )
    phone = f.phone(
        "shipping_phone",
        "Phone",
        "Phone number of the recipient, with extension if any.",
        param="shipping[phone]",
        **of,
    )
    carrier = f.text(
        "shipping_carrier",
        "Carrier",
        "Delivery company, e.g. FedEx, UPS or USPS.",
        param="shipping[carrier]",
        **of,
    )
    tracking = f.text(
        "shipping_tracking_number",
        "Tracking Number",
        "Tracking number(s) from the carrier; separate several with commas.",
        param="shipping[tracking_number]",
        **of,
    )
    rest = (carrier, phone, tracking) if parcel else (phone,)
    name = f.text(
        "shipping_name",
        "Recipient Name" if parcel else "Name",
        f"Who receives {'the parcel' if parcel else 'deliveries'}; goes with an address, and no other"
        " shipping value goes without it.",
        param="shipping[name]",
        required_with=tuple(each.name for each in (*where, *rest)),
        needs_one_of=tuple(each.name for each in where),
        **of,
    )
    return (*where, name, *rest)


def billing_details(*, when: Mapping[str, Any], restored: bool = False) -> tuple[Field, ...]:
    """Whom a new payment method belongs to. Of the source document only some modules lost all of it, but each
    the e-mail."""
    data = "payment_method_data[billing_details]"
    of: dict[str, Any] = {"group": "Billing details", "when": when}
    return (
        *address(
            "billing",
            f"{data}[address]",
            "the billing address",
            country="Country Code",
            restored=restored,
            **of,
        ),
        f.email(
            "billing_email",
            "Email",
            "E-mail of the account holder; some types (e.g. SEPA debit, Przelewy24) insist on it.",
            param=f"{data}[email]",
            restored=True,
            **of,
        ),
        f.text(
            "billing_name",
            "Name",
            "Full name of the account holder; needed by most bank debits and redirects.",
            param=f"{data}[name]",
            restored=restored,
            **of,
        ),
        f.phone(
            "billing_phone",
            "Phone",
            "Phone number of the account holder, with extension if any.",
            param=f"{data}[phone]",
            restored=restored,
            **of,
        ),
    )


# What hangs on any object


def metadata(what: str = "") -> Field:
    """The user's own pairs."""
    on = f" on the {what}" if what else ""
    help = (
        f"Your own key-value pairs{on}: up to 50, keys to 40 and values to 500 characters; an empty value"
        " deletes its key, an empty text for the whole field all of them."
    )
    return f.pairs("metadata", "Metadata", help)


def custom_fields(name: str, param: str, help: str, *, label: str = "Name", **parts: Any) -> Field:
    """Lines of the user's own on an invoice."""
    columns = (
        f.text(
            "name",
            label,
            "Title of the line, 30 characters (Stripe allows 40 since April 2024).",
            required=True,
            max_length=30,
        ),
        f.text(
            "value",
            "Value",
            "Content of the line, 30 characters (Stripe allows 140 since April 2024).",
            required=True,
            max_length=30,
        ),
    )
    return f.rows(name, "Custom Fields", help, param=param, columns=columns, maximum=4, **parts)


def discounts(of: str, help: str) -> Field:
    """Coupons, or discounts that are already held."""
    again = (
        f"Discount (di_…) to use again; Stripe cannot list discounts, so copy it from this {of}, its customer"
        " or subscription."
    )
    columns = (
        f.object_id(
            "coupon",
            "Coupon ID",
            f"Coupon to redeem on the {of}. Recent versions also take promotion_code in a row.",
            object="coupon",
        ),
        f.object_id("discount", "Discount ID", again, object="discount"),
        f.object_id(
            "promotion_code",
            "Promotion Code ID",
            "Promotion code (promo_…) to redeem.",
            object="promotion_code",
        ),
    )
    return f.rows(
        "discounts", "Discounts", help, columns=columns, either=("coupon", "discount", "promotion_code")
    )


def statement_descriptor(help: str) -> Field:
    """What stands on the bank statement."""
    return f.text("statement_descriptor", "Statement Descriptor", help, max_length=22)


# Stripe Connect


def application_fee_amount(help: str, *, currency: str = "") -> Field:
    """The platform's share."""
    return f.minor_amount(
        "application_fee_amount",
        "Application Fee Amount",
        help,
        group="Stripe Connect",
        minimum=0,
        connect_only=True,
        currency=currency,
    )


def transfer_amount(help: str, *, currency: str = "") -> Field:
    """The connected account's share."""
    return f.minor_amount(
        "transfer_amount",
        "Amount",
        help,
        param="transfer_data[amount]",
        group="Transfer data",
        minimum=0,
        connect_only=True,
        currency=currency,
    )


def transfer_destination(help: str) -> Field:
    """The connected account that gets the money."""
    return f.object_id(
        "transfer_destination",
        "Destination",
        help,
        param="transfer_data[destination]",
        group="Transfer data",
        object="account",
        connect_only=True,
        required_with=("transfer_amount",),
    )
