"""Previews: the invoice that would come. It is made as it will be, looked at, and all of it is undone: so it
is what then comes.

of a subscription as it is      its next renewal, with what is pending and what was used so far
with `subscription_details`     what a change would bill: at once, or with the renewal
of a customer alone             what is pending, or what a new subscription would cost
                                (`subscription_details[items]`)
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.api.pagination import Page, of_objects
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import MINUTE
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import customers, discounts
from stripe_magics.sandbox.resources.billing_credits import credit_application
from stripe_magics.sandbox.resources.customer_subresources import add_tax_id
from stripe_magics.sandbox.resources.invoices import drafts, invoice_items, invoices
from stripe_magics.sandbox.resources.invoices.lines import lines_of
from stripe_magics.sandbox.resources.subscriptions import (
    creation,
    lifecycle,
    subscriptions,
    thresholds,
    updates,
    usage,
)

_CHANGES = {
    "billing_cycle_anchor": "billing_cycle_anchor", "cancel_at": "cancel_at",
    "cancel_at_period_end": "cancel_at_period_end", "default_tax_rates": "default_tax_rates",
    "items": "items", "proration_behavior": "proration_behavior", "proration_date": "proration_date",
    "trial_end": "trial_end", "trial_from_plan": "trial_from_plan",
}  # fmt: skip


def upcoming(account: Account, params: dict[str, Any]) -> Object:
    """GET /v1/invoices/upcoming."""
    return _upcoming(account, params)[0]


def create_preview(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/invoices/create_preview."""
    if not any(params.get(name) for name in ("customer", "subscription", "schedule", "customer_details")):
        raise invalid(
            "You must provide one of customer, customer_details, schedule and subscription.", param="customer"
        )
    invoice, _ = _preview(account, params, params.get("subscription_details") or {})
    return {
        "id": f"upcoming_{invoice['id']}",
        **{name: value for name, value in invoice.items() if name != "id"},
    }


def upcoming_lines(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/invoices/upcoming/lines."""
    return of_objects(_upcoming(account, params)[1], params, "/v1/invoices/upcoming/lines")


def _upcoming(account: Account, params: dict[str, Any]) -> tuple[Object, list[Object]]:
    """The preview by the parameters of the older version, which name a subscription's one by one."""
    if not params.get("customer") and not params.get("subscription") and not params.get("schedule"):
        raise invalid(
            "You must either provide a `customer` or a `subscription` to the upcoming invoice endpoint."
        )
    details = {
        name.removeprefix("subscription_"): value
        for name, value in params.items()
        if name.startswith("subscription_") and name != "subscription_details"
    }
    return _preview(account, params, {**details, **(params.get("subscription_details") or {})})


def _preview(
    account: Account, params: dict[str, Any], details: dict[str, Any]
) -> tuple[Object, list[Object]]:
    if params.get("schedule"):
        schedule = account.find("subscription_schedule", params["schedule"], "schedule")
        params = {**params, "subscription": params.get("subscription") or schedule["subscription"]}
    with account.trial():
        invoice = _made(account, params, details)
        if params.get("currency") and params["currency"].lower() != invoice["currency"]:
            raise invalid(f"This invoice is in {invoice['currency']}.", param="currency")
        if invoice["status"] == "draft":
            credit_application.apply(account, invoice)
        lines = [events.snapshot(line) for line in lines_of(account, invoice)]
        shown = events.snapshot(invoice)
    shown.update(
        billing_reason="upcoming",
        status="draft", number=None, hosted_invoice_url=None, invoice_pdf=None, payment_intent=None,
        charge=None, paid=False, attempted=False, attempt_count=0, amount_paid=0,
        amount_remaining=shown["amount_due"], ending_balance=None, effective_at=None,
        status_transitions=dict.fromkeys(shown["status_transitions"]),
    )  # fmt: skip
    return shown, lines


def _made(account: Account, params: dict[str, Any], details: dict[str, Any]) -> Object:
    drafts.check(
        account,
        {name: params[name] for name in ("issuer", "automatic_tax", "on_behalf_of") if params.get(name)},
        "",
        "",
    )
    customer = _customer(account, params)
    for each in params.get("invoice_items") or ():
        _item(account, customer, params, each)
    if params.get("subscription"):
        return _of_subscription(account, params, details)
    if details.get("items"):
        return _of_new(account, customer, params, details)
    return _of_customer(account, customer, params)


def _customer(account: Account, params: dict[str, Any]) -> str:
    """Whom the invoice is for: made up from `customer_details` where nobody is named."""
    given = params.get("customer_details") or {}
    if params.get("subscription"):
        subscription = account.find("subscription", params["subscription"], "subscription")
        if params.get("customer") not in {None, subscription["customer"]}:
            raise invalid("The subscription belongs to another customer.", param="subscription")
        identifier = str(subscription["customer"])
    elif params.get("customer"):
        identifier = str(account.find("customer", params["customer"], "customer")["id"])
    else:
        identifier = str(customers.create(account, {})["id"])
    changes = {name: given[name] for name in ("address", "shipping", "tax_exempt") if name in given}
    if changes:
        customers.update(account, changes, identifier)
    for each in given.get("tax_ids") or ():
        add_tax_id(account, identifier, each)
    return identifier


def _item(account: Account, customer: str, params: dict[str, Any], given: dict[str, Any]) -> None:
    if given.get("invoiceitem"):
        data = {name: value for name, value in given.items() if name != "invoiceitem"}
        invoice_items.update(account, data, given["invoiceitem"])
        return
    data = {"currency": params.get("currency"), **given, "customer": customer}
    if params.get("subscription"):
        data["subscription"] = params["subscription"]
    if data.get("price"):
        data.pop("currency", None)
    invoice_items.create(account, {name: value for name, value in data.items() if value is not None})


def _finished(account: Account, invoice: Object, params: dict[str, Any]) -> Object:
    """What may be said about the invoice itself, and what is due after the customer's balance."""
    given = {
        name: params[name]
        for name in ("discounts", "automatic_tax", "issuer", "on_behalf_of")
        if params.get(name) is not None
    }
    if "discounts" in given:
        discounts.check(account, given["discounts"], "discounts", invoice["customer"])
    named = {name: params[name] for name in ("coupon",) if params.get(name)}
    if named:
        given["discounts"] = [{"coupon": named["coupon"]}]
    if given and invoice["status"] == "draft":
        drafts.apply(account, invoice, given)
        drafts.refresh(account, invoice)
    return invoice


def _of_subscription(account: Account, params: dict[str, Any], details: dict[str, Any]) -> Object:
    identifier = params["subscription"]
    subscription = account.find("subscription", identifier, "subscription")
    if subscription["status"] in lifecycle.ENDED:
        raise invalid(
            "You cannot preview the upcoming invoice for a canceled subscription.",
            param="subscription",
            code="invoice_upcoming_none",
        )
    if details.get("start_date"):
        raise invalid(
            "start_date is for a subscription that doesn't exist yet.",
            param="subscription_details[start_date]",
        )
    known = set(account.table("invoice").by_id)
    if details.get("cancel_now"):
        lifecycle.end(
            account, subscription, invoice_now=True, prorate=details.get("proration_behavior") != "none"
        )
        return _finished(account, _new_or_pending(account, subscription, known), params)
    if details.get("resume_at"):
        subscriptions.resume(account, {}, identifier)
        return _finished(account, _new_or_pending(account, subscription, known), params)
    changes = {name: details[name] for name in _CHANGES if details.get(name) is not None}
    if changes:
        updates.update(account, {**changes, "payment_behavior": "default_incomplete"}, identifier)
        made = [each for each in account.table("invoice").by_id if each not in known]
        if made:
            return _finished(account, account.find("invoice", made[0], "invoice"), params)
    reached = _threshold(account, identifier, known)
    if reached is not None:
        return _finished(account, reached, params)
    return _finished(account, _renewal(account, subscription, known), params)


def _threshold(account: Account, subscription: str, known: set[str]) -> Object | None:
    """The invoice of a threshold that is reached: it comes before the next period does."""
    found = account.find("subscription", subscription, "subscription")
    if not usage.has_thresholds(found):
        return None
    account.clock.now += MINUTE
    thresholds.bill_when_reached(account, found)
    made = [each for each in account.table("invoice").by_id if each not in known]
    return account.find("invoice", made[0], "invoice") if made else None


def _new_or_pending(account: Account, subscription: Object, known: set[str]) -> Object:
    made = [each for each in account.table("invoice").by_id if each not in known]
    if made:
        return account.find("invoice", made[0], "invoice")
    return invoices.create(
        account,
        {
            "customer": subscription["customer"],
            "subscription": subscription["id"],
            "pending_invoice_items_behavior": "include",
        },
    )


def _renewal(account: Account, subscription: Object, known: set[str]) -> Object:
    """The invoice with which the next period will begin."""
    if subscription["cancel_at_period_end"] or (
        subscription["cancel_at"] and subscription["cancel_at"] <= subscription["current_period_end"]
    ):
        raise invalid(
            f"No upcoming invoices for customer: {subscription['customer']}",
            code="invoice_upcoming_none",
            status=404,
        )
    subscription["pause_collection"] = None
    account.clock.now = max(account.clock.now, subscription["current_period_end"])
    lifecycle.renew(account, subscription)
    made = [each for each in account.table("invoice").by_id if each not in known]
    if not made:
        raise invalid(
            f"No upcoming invoices for customer: {subscription['customer']}",
            code="invoice_upcoming_none",
            status=404,
        )
    return account.find("invoice", made[0], "invoice")


def _of_new(account: Account, customer: str, params: dict[str, Any], details: dict[str, Any]) -> Object:
    """What a subscription with these items would begin with."""
    names = (
        "billing_cycle_anchor",
        "cancel_at",
        "cancel_at_period_end",
        "default_tax_rates",
        "items",
        "proration_behavior",
        "trial_end",
        "trial_from_plan",
    )
    given = {name: details[name] for name in names if details.get(name) is not None}
    if details.get("start_date"):
        given["backdate_start_date"] = details["start_date"]
    if params.get("currency"):
        given["currency"] = params["currency"]
    if params.get("automatic_tax"):
        given["automatic_tax"] = params["automatic_tax"]
    for name in ("coupon", "discounts"):
        if params.get(name):
            given[name] = params[name]
    subscription = creation.create(
        account, {**given, "customer": customer, "payment_behavior": "default_incomplete"}
    )
    return account.find("invoice", subscription["latest_invoice"], "invoice")


def _of_customer(account: Account, customer: str, params: dict[str, Any]) -> Object:
    """The next renewal of one of their subscriptions, or what is pending."""
    running = [
        found
        for found in (
            account.get("subscription", each) for each in account.where("subscription", customer=customer)
        )
        if found
        and found["status"] not in lifecycle.ENDED | {"incomplete", "paused"}
        and not found["cancel_at_period_end"]
    ]
    if running:
        soonest = min(running, key=lambda each: each["current_period_end"])
        return _finished(account, _renewal(account, soonest, set(account.table("invoice").by_id)), params)
    if not account.where("invoiceitem", customer=customer, invoice=None):
        raise invalid(
            f"No upcoming invoices for customer: {customer}", code="invoice_upcoming_none", status=404
        )
    invoice = invoices.create(account, {"customer": customer, "pending_invoice_items_behavior": "include"})
    return _finished(account, invoice, params)


ROUTES: dict[str, Handler] = {
    "GET /v1/invoices/upcoming": upcoming,
    "GET /v1/invoices/upcoming/lines": upcoming_lines,
    "POST /v1/invoices/create_preview": create_preview,
}
