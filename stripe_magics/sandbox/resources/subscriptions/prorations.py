"""Prorations: what a change in the middle of a period gives back and costs, to the second.

The unused time of what was paid comes back (negative), the rest of the period of what is new is added:
pending invoice items, `proration: true`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import discounts
from stripe_magics.sandbox.resources.invoices.lines import lines_of
from stripe_magics.sandbox.resources.invoices.totals import compute_totals
from stripe_magics.sandbox.resources.price_objects import amount_of, plan_of
from stripe_magics.sandbox.resources.pricing import round_half_up
from stripe_magics.sandbox.resources.subscriptions.items import metered
from stripe_magics.sandbox.resources.subscriptions.period_invoices import product_name, standing_discounts


def credit_unused(account: Account, subscription: Object, item: Object, at: int) -> Object | None:
    """The unused time of an item, given back; None where there is nothing to give back."""
    if metered(item["price"]):
        return None
    start, end = subscription["current_period_start"], subscription["current_period_end"]
    full, lines = _paid(account, subscription, item)
    amount = -_part(full, end - at, end - start)
    if not amount:
        return None
    made = _item(account, subscription, item, amount, "Unused time on", at, end)
    if lines:
        invoice, identifiers = lines
        account.private_state.setdefault(made["id"], {})["credited"] = {
            "invoice": invoice,
            "invoice_line_items": identifiers,
        }
    return made


def charge_remaining(
    account: Account, subscription: Object, item: Object, at: int, *, start: int, end: int
) -> Object | None:
    """The rest of the period [start, end) for an item, from `at` on."""
    if metered(item["price"]):
        return None
    full = _net(account, subscription, amount_of(account, item["price"], item.get("quantity", 1)), item)
    account.private_state.setdefault(item["id"], {})["charged"] = {"for": _billed_as(item, end), "full": full}
    amount = _part(full, end - at, end - start)
    return _item(account, subscription, item, amount, "Remaining time on", at, end) if amount else None


def credit_after_end(account: Account, subscription: Object) -> list[Object]:
    """Where `cancel_at` lies in the period, what is after it comes back; what an earlier end gave back is
    undone first."""
    undo_end_credits(account, subscription)
    ends, period_end = subscription["cancel_at"], subscription["current_period_end"]
    if not ends or not subscription["current_period_start"] <= ends < period_end:
        return []
    made = [credit_unused(account, subscription, item, ends) for item in subscription["items"]["data"]]
    found = [each for each in made if each is not None]
    account.private_state.setdefault(subscription["id"], {})["end_credits"] = [each["id"] for each in found]
    return found


def undo_end_credits(account: Account, subscription: Object) -> None:
    """The subscription ends at another time, or not: pending credits go, those that an invoice took are
    charged again."""
    for identifier in account.private_state.get(subscription["id"], {}).pop("end_credits", ()):
        credited = account.get("invoiceitem", identifier)
        if credited is None:
            continue
        if credited["invoice"] is None:
            account.remove("invoiceitem", identifier)
            events.emit(account, "invoiceitem.deleted", credited)
            continue
        item = account.get("subscription_item", credited["subscription_item"])
        if item is not None:
            start, end = credited["period"]["start"], credited["period"]["end"]
            _item(account, subscription, item, -credited["amount"], "Remaining time on", start, end)


def _part(full: int, rest: int, whole: int) -> int:
    return round_half_up(Decimal(full) * max(0, rest) / max(1, whole))


def _billed_as(item: Object, end: int) -> list[Any]:
    return [item["price"]["id"], item.get("quantity", 1), end]


def _paid(account: Account, subscription: Object, item: Object) -> tuple[int, tuple[str, list[str]] | None]:
    """What an item's present price and quantity cost for the whole period, as they were billed, by the
    period's invoice or by a change since;
    with the lines that billed it."""
    full = amount_of(account, item["price"], item.get("quantity", 1))
    invoice = account.peek(
        "invoice", account.private_state.get(subscription["id"], {}).get("period_invoice", "")
    )
    lines = [
        line
        for line in (lines_of(account, invoice) if invoice else ())
        if line["type"] == "subscription"
        and line.get("subscription_item") == item["id"]
        and line["price"]["id"] == item["price"]["id"]
        and line["amount"] > 0
    ]
    gross = sum(line["amount"] for line in lines)
    credited = (invoice["id"], [line["id"] for line in lines]) if invoice is not None and gross else None
    charged = account.private_state.get(item["id"], {}).get("charged")
    if charged and charged["for"] == _billed_as(item, subscription["current_period_end"]):
        return charged["full"], credited
    if credited is None:
        return _net(account, subscription, full, item), None
    off = sum(each["amount"] for line in lines for each in line["discount_amounts"])
    return _part(full, gross - off, gross), credited


def _net(account: Account, subscription: Object, full: int, item: Object) -> int:
    """What an item costs for a whole period after the discounts that stand now, as an invoice of all items
    would spread them."""
    lines = [
        {
            "id": each["id"],
            "amount": (
                full
                if each["id"] == item["id"]
                else amount_of(account, each["price"], each.get("quantity", 1))
            ),
            "discountable": True,
            "price": each["price"],
            "quantity": 1,
        }
        for each in subscription["items"]["data"]
        if not metered(each["price"])
    ]
    own = {
        each["id"]: discounts.standing(account, each["discounts"]) for each in subscription["items"]["data"]
    }
    standing, _ = standing_discounts(account, subscription)
    compute_totals(
        lines, own, [each for each in standing if not discounts.waits(each)], lambda line, rest: [],
        eligible=discounts.Eligibility(account), currency=subscription["currency"],
    )  # fmt: skip
    found = next(line for line in lines if line["id"] == item["id"])
    off: int = sum(each["amount"] for each in found["discount_amounts"])
    return full - off


def _item(
    account: Account, subscription: Object, item: Object, amount: int, words: str, at: int, end: int
) -> Object:
    price, quantity = item["price"], item.get("quantity", 1)
    day = datetime.fromtimestamp(at, UTC)
    count = f"{quantity} × " if quantity != 1 else ""
    unit = Decimal(amount) / (quantity or 1)
    whole = unit == unit.to_integral_value()
    made: Object = {
        "id": account.new_id("ii"),
        "object": "invoiceitem",
        "amount": amount,
        "currency": subscription["currency"],
        "customer": subscription["customer"],
        "date": account.now,
        "description": f"{words} {count}{product_name(account, price)} after {day.day} {day:%b %Y}",
        "discountable": False,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": subscription["metadata"],
        "period": {"end": end, "start": at},
        "plan": plan_of(price),
        "price": price,
        "proration": True,
        "quantity": quantity,
        "subscription": subscription["id"],
        "subscription_item": item["id"],
        "tax_rates": item["tax_rates"],
        "test_clock": None,
        "unit_amount": int(unit) if whole else None,
        "unit_amount_decimal": format(unit.quantize(Decimal("1e-12")).normalize(), "f"),
    }
    account.add("invoiceitem", made)
    events.emit(account, "invoiceitem.created", made)
    return made
