"""The invoice of a subscription: lines for its periods, what was pending, its discounts; final and collected
as asked for.

Licensed items are billed for the period ahead, metered ones for what was used in the period that is over.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import DAY, HOUR
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import discounts, pricing
from stripe_magics.sandbox.resources.connect import connected_billing
from stripe_magics.sandbox.resources.customer_changes import changing
from stripe_magics.sandbox.resources.invoices import drafts
from stripe_magics.sandbox.resources.invoices.lines import new_line
from stripe_magics.sandbox.resources.price_objects import plan_of, tiers_of
from stripe_magics.sandbox.resources.subscriptions.items import metered
from stripe_magics.sandbox.resources.subscriptions.usage import billed, note_billed, used

SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}
MOST_PENDING = 250


def product_name(account: Account, price: Object) -> str:
    """How lines call what is sold."""
    return str((account.peek("product", price["product"]) or {}).get("name") or "Subscription")


def rate_text(price: Object, unit: str) -> str:
    """How lines say what one costs: "at $20.00 / month"."""
    places = 0 if price["currency"] in {"jpy", "krw"} else 2
    value = Decimal(unit).scaleb(-places)
    recurring = price["recurring"]
    count = recurring["interval_count"]
    every = recurring["interval"] if count == 1 else f"every {count} {recurring['interval']}s"
    symbol = SYMBOLS.get(price["currency"], "")
    shown = f"{value:.{max(places, -int(value.as_tuple().exponent))}f}"
    amount = f"{symbol}{shown}" if symbol else f"{shown} {price['currency'].upper()}"
    return f"at {amount} / {every}"


def item_lines(
    account: Account,
    subscription: Object,
    invoice: str,
    item: Object,
    quantity: int,
    start: int,
    end: int,
    *,
    billed_before: int | None = None,
) -> list[Object]:
    """The lines of an item for a period: one for each part of its price. What was billed of it before is left
    out."""
    price = item["price"]
    name = product_name(account, price)
    found = []
    for part in pricing.beyond(price, tiers_of(account, price), quantity, billed_before):
        rate = rate_text(price, part.unit)
        text = f"{part.quantity} × {name} ({part.label + ' ' if part.label else ''}{rate})"
        found.append(
            new_line(
                account,
                invoice,
                price,
                part.amount,
                description=text,
                discounts=list(item["discounts"]),
                metadata=subscription["metadata"],
                period={"end": end, "start": start},
                plan=plan_of(price),
                quantity=part.quantity,
                subscription=subscription["id"],
                subscription_item=item["id"],
                tax_rates=item["tax_rates"],
                type="subscription",
                unit_amount_excluding_tax=part.unit,
            )
        )
    return found


def licensed_lines(
    account: Account, subscription: Object, invoice: str, start: int, end: int
) -> list[Object]:
    """What is paid ahead for a period."""
    return [
        line
        for item in subscription["items"]["data"]
        if not metered(item["price"])
        for line in item_lines(account, subscription, invoice, item, item.get("quantity", 1), start, end)
    ]


def metered_lines(account: Account, subscription: Object, invoice: str, start: int, end: int) -> list[Object]:
    """What was used in a period that is over, or so far, and stands on no invoice."""
    found = []
    for item in subscription["items"]["data"]:
        if metered(item["price"]):
            known = billed(account, item, start)
            quantity = used(account, subscription, item, known.since, end)
            found += item_lines(
                account, subscription, invoice, item, quantity, known.until, end, billed_before=known.quantity
            )
    return found


def unused_lines(account: Account, subscription: Object, invoice: str, start: int) -> list[Object]:
    """Metered items on the first invoice: nothing was used yet, so that nothing is billed."""
    found = []
    for item in subscription["items"]["data"]:
        if metered(item["price"]):
            found += item_lines(account, subscription, invoice, item, 0, start, start, billed_before=0)
    return found


def note_usage_billed(account: Account, subscription: Object, start: int, until: int) -> None:
    """Usage up to then, in the period that began at `start`, stands on an invoice."""
    for item in subscription["items"]["data"]:
        if metered(item["price"]):
            note_billed(account, subscription, item, start, until)


def trial_lines(account: Account, subscription: Object, invoice: str, start: int, end: int) -> list[Object]:
    """A trial costs nothing, and its invoice says so."""
    return [
        new_line(
            account,
            invoice,
            item["price"],
            0,
            description=f"Trial period for {product_name(account, item['price'])}",
            metadata=subscription["metadata"],
            period={"end": end, "start": start},
            plan=plan_of(item["price"]),
            quantity=item.get("quantity", 0),
            subscription=subscription["id"],
            subscription_item=item["id"],
            tax_rates=item["tax_rates"],
            type="subscription",
            unit_amount_excluding_tax="0",
        )
        for item in subscription["items"]["data"]
    ]


def draft(account: Account, subscription: Object, reason: str, period: tuple[int, int]) -> Object:
    """A draft of a subscription without lines yet, stored."""
    customer = account.find("customer", subscription["customer"], "customer")
    invoice = drafts.new_invoice(
        account, customer, subscription["currency"], subscription["collection_method"], reason=reason
    )
    invoice.update(
        auto_advance=(subscription["pause_collection"] or {}).get("behavior") != "keep_as_draft",
        default_payment_method=subscription["default_payment_method"],
        default_source=subscription["default_source"],
        default_tax_rates=subscription["default_tax_rates"],
        description=subscription["description"],
        period_end=period[1],
        period_start=period[0],
        subscription=subscription["id"],
        subscription_details={"metadata": subscription["metadata"]},
    )
    settings = subscription["payment_settings"]
    invoice["payment_settings"] = {
        **invoice["payment_settings"],
        "payment_method_options": settings["payment_method_options"],
        "payment_method_types": settings["payment_method_types"],
    }
    own = subscription["invoice_settings"]
    invoice.update(account_tax_ids=own["account_tax_ids"], issuer=own["issuer"])
    general = customer["invoice_settings"]
    invoice.update(custom_fields=general["custom_fields"], footer=general["footer"])
    connected_billing.of_subscription(account, invoice, subscription)
    if subscription["automatic_tax"]["enabled"]:
        drafts.set_automatic_tax(invoice, subscription["automatic_tax"]["liability"])
    account.add("invoice", invoice)
    if subscription["collection_method"] == "send_invoice":
        account.private_state.setdefault(invoice["id"], {})["days"] = subscription["days_until_due"]
        invoice["due_date"] = account.now + subscription["days_until_due"] * DAY
    return invoice


def complete(account: Account, subscription: Object, invoice: Object, lines: list[Object]) -> Object:
    """Give a draft its lines, what was pending and its discounts; it is the subscription's latest invoice."""
    account.private_state.setdefault(invoice["id"], {})["lines"] = lines
    pending = pending_of(account, subscription)
    lowered = any(each["discountable"] and each["amount"] > 0 for each in (*lines, *pending))
    _discount(account, subscription, invoice, lowered=lowered)
    take_pending(account, subscription, invoice)
    drafts.refresh(account, invoice)
    subscription["latest_invoice"] = invoice["id"]
    account.save("subscription", subscription)
    events.emit(account, "invoice.created", invoice)
    return invoice


def standing_discounts(account: Account, subscription: Object) -> tuple[list[Object], Object]:
    """The discounts that its invoices get, and who has them: its own or, if it has none, its customer's."""
    standing = discounts.standing(account, subscription["discounts"])
    if standing:
        return standing, subscription
    customer = account.find("customer", subscription["customer"], "customer")
    return discounts.standing(account, [customer["discount"]["id"]] if customer["discount"] else []), customer


def _discount(account: Account, subscription: Object, invoice: Object, *, lowered: bool) -> None:
    standing, holder = standing_discounts(account, subscription)
    if not lowered:  # a trial's, say: what counts once waits for something that it can lower
        standing = [each for each in standing if each["coupon"]["duration"] != "once"]
    invoice["discounts"] = [each["id"] for each in standing]
    invoice["discount"] = standing[0] if len(standing) == 1 else None
    once = {each["id"] for each in standing if each["coupon"]["duration"] == "once"}
    if once and holder is subscription:
        kept = discounts.standing(account, subscription["discounts"])
        set_discounts(subscription, [each for each in kept if each["id"] not in once])
    elif once:
        with changing(account, holder):
            holder["discount"] = None
    for item in subscription["items"]["data"] if lowered else ():
        kept = [
            each["id"]
            for each in discounts.standing(account, item["discounts"])
            if each["coupon"]["duration"] != "once"
        ]
        if kept != item["discounts"]:
            item["discounts"] = kept
            account.save("subscription_item", item)


def set_discounts(subscription: Object, standing: list[Object]) -> None:
    """The discounts of a subscription; where there is one, the older shape shows it whole."""
    subscription["discounts"] = [each["id"] for each in standing]
    subscription["discount"] = standing[0] if len(standing) == 1 else None


def pending_of(account: Account, subscription: Object) -> list[Object]:
    """Items that its next invoice takes: its own, and the customer's that name no subscription."""
    found = []
    for each in account.where("invoiceitem", customer=subscription["customer"], invoice=None):
        item = account.find("invoiceitem", each, "id")
        if (
            item["subscription"] in {None, subscription["id"]}
            and item["currency"] == subscription["currency"]
        ):
            found.append(item)
    return found[:MOST_PENDING]


def take_pending(account: Account, subscription: Object, invoice: Object) -> None:
    """What was pending stands on the invoice."""
    for item in pending_of(account, subscription):
        item["invoice"] = invoice["id"]
        account.save("invoiceitem", item)


def pause_effect(account: Account, subscription: Object, invoice: Object) -> str:
    """What a pause of the collection does to a new invoice; "" if it isn't paused."""
    paused: dict[str, Any] | None = subscription["pause_collection"]
    if not paused:
        return ""
    account.private_state.setdefault(invoice["id"], {})["pause"] = paused["behavior"]
    return str(paused["behavior"])


def finalize_later(account: Account, invoice: Object) -> None:
    """A draft that advances by itself is finalized an hour later."""
    if invoice["auto_advance"]:
        account.clock.at(account.now + HOUR, "invoice_finalizes", invoice["id"])
