"""The lines of an invoice: those of its items, those of its subscription's periods, and their list."""

from __future__ import annotations

from stripe_magics.sandbox.api.pagination import inline
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.price_objects import plan_of

SHOWN = 10


def new_line(account: Account, invoice: str, price: Object | None, amount: int, **given: object) -> Object:
    """A line with every key; `given` says what differs from a plain line of one unit."""
    return {
        "id": account.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "amount_excluding_tax": amount,
        "currency": price["currency"] if price else "usd",
        "description": None,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": {},
        "period": {"end": account.now, "start": account.now},
        "plan": plan_of(price) if price and price["recurring"] else None,
        "pretax_credit_amounts": [],
        "price": price,
        "proration": False,
        "proration_details": {"credited_items": None},
        "quantity": 1,
        "subscription": None,
        "tax_amounts": [],
        "tax_rates": [],
        "type": "invoiceitem",
        "unit_amount_excluding_tax": price["unit_amount_decimal"] if price else str(amount),
        **given,
    }


def line_of(account: Account, item: Object, invoice: str) -> Object:
    """The line that an item becomes on an invoice; it keeps its id while the draft changes."""
    notes = account.private_state.setdefault(item["id"], {})
    if "line" not in notes:
        notes["line"] = account.new_id("il")
    line = {
        "id": notes["line"],
        "object": "line_item",
        "amount": item["amount"],
        "amount_excluding_tax": item["amount"],
        "currency": item["currency"],
        "description": item["description"],
        "discount_amounts": [],
        "discountable": item["discountable"],
        "discounts": item["discounts"],
        "invoice": invoice,
        "invoice_item": item["id"],
        "livemode": False,
        "metadata": item["metadata"],
        "period": item["period"],
        "plan": item["plan"],
        "pretax_credit_amounts": [],
        "price": item["price"],
        "proration": item["proration"],
        "proration_details": {"credited_items": notes.get("credited")},
        "quantity": item["quantity"],
        "subscription": item["subscription"],
        "tax_amounts": [],
        "tax_rates": item["tax_rates"],
        "type": "invoiceitem",
        "unit_amount_excluding_tax": item["unit_amount_decimal"],
    }
    if item.get("subscription_item"):
        line["subscription_item"] = item["subscription_item"]
    return line


def lines_of(account: Account, invoice: Object) -> list[Object]:
    """All lines of an invoice."""
    found: list[Object] = account.long_lines.get(invoice["id"]) or invoice["lines"]["data"]
    return found


def put_lines(account: Account, invoice: Object, lines: list[Object]) -> None:
    """Set the lines: the first ten stand in the invoice, all of them in the list of its lines."""
    invoice["lines"] = inline(lines, f"/v1/invoices/{invoice['id']}/lines", most=SHOWN)
    if len(lines) > SHOWN:
        account.long_lines[invoice["id"]] = lines
    else:
        account.long_lines.pop(invoice["id"], None)
