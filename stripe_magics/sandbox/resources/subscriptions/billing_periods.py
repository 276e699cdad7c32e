"""The periods of a subscription: an invoice at the start of each, and the end."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

from stripe_magics.sandbox.api.errors import ApiError
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import DAY, HOUR
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.invoices import collection, drafts, invoices
from stripe_magics.sandbox.resources.products import times

ENDED = {"canceled", "incomplete_expired"}


def after(moment: int, interval: str, count: int) -> int:
    """The end of a period that starts then."""
    if interval in {"day", "week"}:
        return moment + count * DAY * (7 if interval == "week" else 1)
    start = datetime.fromtimestamp(moment, UTC)
    months = start.month - 1 + count * (12 if interval == "year" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def _invoice(account: Account, subscription: Object, reason: str) -> Object:
    """A draft for the period at hand."""
    customer = account.find("customer", subscription["customer"], "customer")
    invoice = drafts.new_invoice(
        account, customer, subscription["currency"], subscription["collection_method"], reason=reason
    )
    invoice.update(
        auto_advance=True,
        default_payment_method=subscription["default_payment_method"],
        default_tax_rates=subscription["default_tax_rates"],
        period_end=subscription["current_period_end"],
        period_start=subscription["current_period_start"],
        subscription=subscription["id"],
        subscription_details={"metadata": subscription["metadata"]},
    )
    account.add("invoice", invoice)
    notes = account.notes.setdefault(invoice["id"], {})
    if subscription["collection_method"] == "send_invoice":
        notes["days"] = subscription["days_until_due"]
        invoice["due_date"] = account.now + subscription["days_until_due"] * DAY
    notes["lines"] = [
        _line(account, subscription, item, invoice["id"]) for item in subscription["items"]["data"]
    ]
    standing = subscription["discount"] or customer["discount"]
    if standing and (standing["end"] is None or standing["end"] >= account.now):
        invoice["discounts"], invoice["discount"] = [standing["id"]], standing
        if standing["coupon"]["duration"] == "once":
            subscription.update(discount=None, discounts=[])
    for each in account.where("invoiceitem", customer=customer["id"], invoice=None):
        item = account.find("invoiceitem", each, "id")
        if item["subscription"] in {None, subscription["id"]} and item["currency"] == invoice["currency"]:
            item["invoice"] = invoice["id"]
            account.save("invoiceitem", item)
    drafts.refresh(account, invoice)
    subscription["latest_invoice"] = invoice["id"]
    account.save("subscription", subscription)
    events.emit(account, "invoice.created", invoice)
    return invoice


def _line(account: Account, subscription: Object, item: Object, invoice: str) -> Object:
    price = item["price"]
    product = account.peek("product", price["product"]) or {}
    amount = times(price["unit_amount_decimal"] or "0", item["quantity"])
    return {
        "id": account.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "amount_excluding_tax": amount,
        "currency": price["currency"],
        "description": f"{item['quantity']} x {product.get('name', 'Plan')} (per {price['recurring']['interval']})",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": subscription["metadata"],
        "period": {"end": subscription["current_period_end"], "start": subscription["current_period_start"]},
        "plan": None,
        "pretax_credit_amounts": [],
        "price": price,
        "proration": False,
        "proration_details": {"credited_items": None},
        "quantity": item["quantity"],
        "subscription": subscription["id"],
        "subscription_item": item["id"],
        "tax_amounts": [],
        "tax_rates": item["tax_rates"],
        "type": "subscription",
        "unit_amount_excluding_tax": price["unit_amount_decimal"],
    }


def first_invoice(account: Account, subscription: Object, *, pay: bool) -> None:
    invoice = _invoice(account, subscription, "subscription_create")
    collection.finish(account, invoice)
    if subscription["collection_method"] == "send_invoice" or invoice["status"] == "paid":
        return
    subscription["status"] = "incomplete"
    account.save("subscription", subscription)
    if pay:
        try:
            invoices.pay(account, {}, invoice["id"])
        except ApiError:
            return  # incomplete: its invoice is open and can be paid with another method


def renew(account: Account, subscription: Object) -> None:
    """A period is over: the next one, with its invoice; or the end."""
    if subscription["status"] in ENDED or subscription["current_period_end"] > account.now:
        return
    if subscription["cancel_at_period_end"] or (subscription["cancel_at"] or account.now + 1) <= account.now:
        end(account, subscription["id"])
        return
    if subscription["status"] == "incomplete":
        subscription["status"] = "incomplete_expired"
        account.save("subscription", subscription)
        return
    before = events.snapshot(subscription)
    first = subscription["items"]["data"][0]["price"]["recurring"]
    start = subscription["current_period_end"]
    subscription.update(
        current_period_start=start,
        current_period_end=after(start, first["interval"], first["interval_count"]),
    )
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    account.save("subscription", subscription)
    events.emit(account, "customer.subscription.updated", subscription, before)
    invoice = _invoice(account, subscription, "subscription_cycle")
    account.clock.at(account.now + HOUR, "invoice_finalizes", invoice["id"])
    account.clock.at(subscription["current_period_end"], "subscription_renews", subscription["id"])


def end(account: Account, identifier: str) -> Object:
    """Cancel now."""
    subscription = account.find("subscription", identifier, "id", status=404)
    if subscription["status"] not in ENDED:
        subscription.update(
            status="canceled", canceled_at=subscription["canceled_at"] or account.now, ended_at=account.now
        )
        account.save("subscription", subscription)
        events.emit(account, "customer.subscription.deleted", subscription)
    return subscription
