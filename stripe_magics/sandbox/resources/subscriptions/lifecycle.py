"""What becomes of a subscription as time passes.

    incomplete -> active | incomplete_expired (after 23 hours)
    trialing -> active | paused | canceled
    active -> past_due -> canceled | unpaid | past_due (dunning.py)
    canceled and incomplete_expired are the end

At the end of each period the next one begins, with a draft that is finalized an hour later.
"""

from __future__ import annotations

from stripe_magics.sandbox.api.errors import ApiError
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import DAY, HOUR
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.invoices import collection, invoices
from stripe_magics.sandbox.resources.subscriptions import period_invoices as billing
from stripe_magics.sandbox.resources.subscriptions.billing_periods import after, next_boundary
from stripe_magics.sandbox.resources.subscriptions.items import interval, metered
from stripe_magics.sandbox.resources.subscriptions.prorations import credit_unused, undo_end_credits

ENDED = frozenset({"canceled", "incomplete_expired"})
INCOMPLETE_FOR = 23 * HOUR
WARNED_BEFORE = 3 * DAY
UPCOMING_BEFORE = 7 * DAY
"""How long before a renewal its invoice is announced."""


def set_status(account: Account, subscription: Object, status: str) -> None:
    """Move to a status, and say so."""
    if subscription["status"] == status:
        return
    before = events.snapshot(subscription)
    subscription["status"] = status
    account.save("subscription", subscription)
    events.emit(account, "customer.subscription.updated", subscription, before)


def schedule_jobs(account: Account, subscription: Object) -> None:
    """Put on the calendar what the subscription's dates ask for. Jobs check for themselves whether they still
    apply."""
    at, identifier = account.clock.at, subscription["id"]
    if subscription["status"] == "incomplete":
        at(subscription["created"] + INCOMPLETE_FOR, "subscription_expires", identifier)
    schedule_period_end(account, identifier, subscription["current_period_end"])
    if subscription["trial_end"] and subscription["trial_end"] > account.now:
        at(
            max(account.now, subscription["trial_end"] - WARNED_BEFORE),
            "subscription_trial_will_end",
            identifier,
        )
    if subscription["cancel_at"]:
        at(subscription["cancel_at"], "subscription_cancels", identifier)
    paused = subscription["pause_collection"]
    if paused and paused["resumes_at"]:
        at(paused["resumes_at"], "subscription_collects_again", identifier)
    if subscription["next_pending_invoice_item_invoice"]:
        at(subscription["next_pending_invoice_item_invoice"], "subscription_bills_items", identifier)


def schedule_period_end(account: Account, subscription: str, end: int) -> None:
    """At the end of a period the next one begins; some days before that its invoice is announced."""
    account.clock.at(end, "subscription_renews", subscription)
    if end - UPCOMING_BEFORE > account.now:
        account.clock.at(end - UPCOMING_BEFORE, "subscription_upcoming", subscription)


# the first invoice


def first_invoice(account: Account, subscription: Object, *, pay: bool, extra: list[Object]) -> None:
    """The invoice with which it begins; `extra` are lines for time before it (backdated). That it was created
    is said once it has that invoice, before anything is paid."""
    start, end = subscription["current_period_start"], subscription["current_period_end"]
    invoice = billing.draft(account, subscription, "subscription_create", (start, start))
    if subscription["status"] == "trialing":
        lines = billing.trial_lines(account, subscription, invoice["id"], start, end)
    else:
        lines = [
            *extra,
            *billing.licensed_lines(account, subscription, invoice["id"], start, end),
            *billing.unused_lines(account, subscription, invoice["id"], start),
        ]
        _prorate_first(account, subscription, lines)
    for line in lines:
        line["invoice"] = invoice["id"]
    account.private_state.setdefault(subscription["id"], {})["period_invoice"] = invoice["id"]
    billing.complete(account, subscription, invoice, lines)
    stays_draft = billing.pause_effect(account, subscription, invoice) == "keep_as_draft"
    if not stays_draft:
        collection.finish(account, invoice)
    waits = (
        not stays_draft
        and subscription["status"] != "trialing"
        and not needs_no_payment(account, subscription, invoice)
    )
    if waits:
        subscription["status"] = "incomplete"
        account.save("subscription", subscription)
    events.emit(account, "customer.subscription.created", subscription)
    if waits and pay:
        try_to_pay(account, invoice)
        if account.find("invoice", invoice["id"], "invoice")["status"] == "open" and _on_its_way(
            account, invoice
        ):
            set_status(account, subscription, "active")


def _prorate_first(account: Account, subscription: Object, lines: list[Object]) -> None:
    """A first period that is shorter than usual, up to an anchor in the future, costs its share."""
    note = account.private_state.get(subscription["id"], {})
    whole = note.pop("first_period_of", None)
    if whole is None:
        return
    free = note.pop("first_period_free", False)
    from_, until = subscription["current_period_start"], subscription["current_period_end"]
    for line in lines:
        full = line["amount"]
        line["amount"] = 0 if free else round(full * (until - from_) / whole)
        line["amount_excluding_tax"] = line["amount"]
        line["proration"] = True


def shorten_first_period(account: Account, subscription: Object, whole: int, *, free: bool) -> None:
    """The period at hand is shorter than the `whole`: its next invoice bills its share, or nothing."""
    account.private_state.setdefault(subscription["id"], {}).update(
        first_period_of=whole, first_period_free=free
    )


def bill_now(account: Account, subscription: Object, reason: str) -> Object:
    """Bill the period that begins now, final and collected at once."""
    start, finish = subscription["current_period_start"], subscription["current_period_end"]
    invoice = billing.draft(account, subscription, reason, (start, start))
    lines = billing.licensed_lines(account, subscription, invoice["id"], start, finish)
    _prorate_first(account, subscription, lines)
    account.private_state.setdefault(subscription["id"], {})["period_invoice"] = invoice["id"]
    billing.complete(account, subscription, invoice, lines)
    collection.finish(account, invoice)
    if not needs_no_payment(account, subscription, invoice):
        try_to_pay(account, invoice)
    return invoice


def needs_no_payment(account: Account, subscription: Object, invoice: Object) -> bool:
    """Whether nothing has to be collected for the subscription to be active."""
    return subscription["collection_method"] == "send_invoice" or invoice["status"] in {"paid", "void"}


def _on_its_way(account: Account, invoice: Object) -> bool:
    intent = account.peek("payment_intent", invoice["payment_intent"] or "")
    return bool(intent and intent["status"] == "processing")


def try_to_pay(account: Account, invoice: Object) -> ApiError | None:
    """Try to collect an invoice now; answers the refusal, if there is one."""
    try:
        invoices.pay(account, {}, invoice["id"])
    except ApiError as refusal:
        return refusal
    return None


# as time passes


def renew(account: Account, subscription: Object) -> None:
    """A period is over: the next one, with its invoice; or the end."""
    if subscription["status"] in ENDED | {"incomplete", "paused"}:
        return
    if subscription["current_period_end"] > account.now:
        return
    if subscription["cancel_at_period_end"] or (subscription["cancel_at"] or account.now + 1) <= account.now:
        end(account, subscription, reason="cancellation_requested")
        return
    if subscription["status"] == "trialing":
        trial_ends(account, subscription)
        return
    _next_period(account, subscription)


def trial_ends(account: Account, subscription: Object) -> None:
    """The trial is over: what happens without a payment method is set beforehand."""
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if (
        subscription["collection_method"] == "charge_automatically"
        and behavior != "create_invoice"
        and not has_method(account, subscription)
    ):
        if behavior == "cancel":
            end(account, subscription, reason=None)
        else:
            set_status(account, subscription, "paused")
            events.emit(account, "customer.subscription.paused", subscription)
        return
    _next_period(account, subscription)


def has_method(account: Account, subscription: Object) -> bool:
    """Whether there is something to charge."""
    customer = account.peek("customer", subscription["customer"]) or {}
    return bool(
        subscription["default_payment_method"]
        or subscription["default_source"]
        or customer.get("default_source")
        or (customer.get("invoice_settings") or {}).get("default_payment_method")
    )


def _next_period(account: Account, subscription: Object) -> None:
    before = events.snapshot(subscription)
    former = subscription["current_period_start"]
    start = subscription["current_period_end"]
    subscription.update(
        current_period_start=start,
        current_period_end=next_boundary(
            subscription["billing_cycle_anchor"], start, *interval(subscription)
        ),
    )
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    _drop_ended_discounts(account, subscription)
    account.save("subscription", subscription)
    schedule_period_end(account, subscription["id"], subscription["current_period_end"])
    bill_period(account, subscription, "subscription_cycle", (former, start))
    events.emit(account, "customer.subscription.updated", subscription, before)


def _drop_ended_discounts(account: Account, subscription: Object) -> None:
    from_now = [
        each
        for each in (account.peek("discount", name) for name in subscription["discounts"])
        if each and (each["end"] is None or each["end"] > account.now)
    ]
    if len(from_now) != len(subscription["discounts"]):
        billing.set_discounts(subscription, from_now)


def bill_period(account: Account, subscription: Object, reason: str, used_in: tuple[int, int]) -> Object:
    """The draft for the period that begins, with what was used in the one that is over."""
    start, finish = subscription["current_period_start"], subscription["current_period_end"]
    invoice = billing.draft(account, subscription, reason, used_in)
    if subscription["status"] == "unpaid":
        invoice["auto_advance"] = False
    lines = [
        *billing.licensed_lines(account, subscription, invoice["id"], start, finish),
        *billing.metered_lines(account, subscription, invoice["id"], *used_in),
        *account.private_state.get(subscription["id"], {}).pop("used_lines", ()),
    ]
    for line in lines:
        line["invoice"] = invoice["id"]
    billing.note_usage_billed(account, subscription, *used_in)
    account.private_state.setdefault(subscription["id"], {})["period_invoice"] = invoice["id"]
    billing.complete(account, subscription, invoice, lines)
    billing.pause_effect(account, subscription, invoice)
    billing.finalize_later(account, invoice)
    return invoice


def trial_will_end(account: Account, subscription: Object) -> None:
    """Three days before the end of a trial."""
    ends = subscription["trial_end"]
    if subscription["status"] == "trialing" and ends and ends - WARNED_BEFORE <= account.now < ends:
        events.emit(account, "customer.subscription.trial_will_end", subscription)


def expire(account: Account, subscription: Object) -> None:
    """The first invoice was not paid within 23 hours."""
    if subscription["status"] != "incomplete" or account.now < subscription["created"] + INCOMPLETE_FOR:
        return
    before = events.snapshot(subscription)
    subscription.update(status="incomplete_expired", ended_at=account.now)
    account.save("subscription", subscription)
    invoice = account.get("invoice", subscription["latest_invoice"] or "")
    if invoice is not None and invoice["status"] == "open":
        invoices.void(account, {}, invoice["id"])
    events.emit(account, "customer.subscription.updated", subscription, before)


def cancel_when_due(account: Account, subscription: Object) -> None:
    """`cancel_at` has come."""
    due = subscription["cancel_at"]
    if subscription["status"] not in ENDED and due and due <= account.now:
        end(account, subscription, reason="cancellation_requested")


def collect_again(account: Account, subscription: Object) -> None:
    """A pause of the collection ends by itself."""
    paused = subscription["pause_collection"]
    if paused and paused["resumes_at"] and paused["resumes_at"] <= account.now:
        before = events.snapshot(subscription)
        subscription["pause_collection"] = None
        account.save("subscription", subscription)
        events.emit(account, "customer.subscription.updated", subscription, before)


def bill_items(account: Account, subscription: Object) -> None:
    """Pending items are billed at an interval of their own."""
    due = subscription["next_pending_invoice_item_invoice"]
    often = subscription["pending_invoice_item_interval"]
    if subscription["status"] in ENDED or not due or not often or due > account.now:
        return
    subscription["next_pending_invoice_item_invoice"] = after(due, often["interval"], often["interval_count"])
    account.save("subscription", subscription)
    account.clock.at(
        subscription["next_pending_invoice_item_invoice"], "subscription_bills_items", subscription["id"]
    )
    if billing.pending_of(account, subscription):
        invoice = billing.draft(account, subscription, "subscription_cycle", (account.now, account.now))
        billing.complete(account, subscription, invoice, [])
        billing.finalize_later(account, invoice)


# the end


def end(
    account: Account,
    subscription: Object,
    *,
    reason: str | None = "cancellation_requested",
    invoice_now: bool = False,
    prorate: bool = False,
) -> None:
    """Cancel now. An incomplete one expires, and its invoice is void."""
    if subscription["status"] in ENDED:
        return
    incomplete = subscription["status"] == "incomplete"
    trial = subscription["status"] == "trialing"
    start = subscription["current_period_start"]
    if prorate and not trial and not incomplete:
        undo_end_credits(account, subscription)
        for item in subscription["items"]["data"]:
            credit_unused(account, subscription, item, account.now)
    subscription.update(
        status="incomplete_expired" if incomplete else "canceled",
        canceled_at=subscription["canceled_at"] or account.now,
        ended_at=account.now,
        cancellation_details={
            **subscription["cancellation_details"],
            "reason": subscription["cancellation_details"]["reason"] or reason,
        },
        pending_update=None,
    )
    account.save("subscription", subscription)
    stop_collecting(account, subscription, void=incomplete)
    at_end = subscription["current_period_end"] <= account.now
    used = any(metered(item["price"]) for item in subscription["items"]["data"])
    pending = bool(billing.pending_of(account, subscription))
    if (
        not trial
        and not incomplete
        and ((at_end and (used or pending)) or (invoice_now and (used or pending)))
    ):
        invoice = billing.draft(
            account,
            subscription,
            "subscription_cycle" if at_end else "subscription_update",
            (start, account.now),
        )
        lines = billing.metered_lines(account, subscription, invoice["id"], start, account.now)
        billing.note_usage_billed(account, subscription, start, account.now)
        billing.complete(account, subscription, invoice, lines)
        if invoice_now:
            collection.finish(account, invoice)
            if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
                try_to_pay(account, invoice)
        else:
            billing.finalize_later(account, invoice)
    events.emit(account, "customer.subscription.deleted", subscription)


def stop_collecting(account: Account, subscription: Object, *, void: bool) -> None:
    """No further attempts for what is open; the invoice of an incomplete one is void."""
    for identifier in account.where("invoice", subscription=subscription["id"], status="open"):
        if void:
            invoices.void(account, {}, identifier)
            continue
        invoice = account.find("invoice", identifier, "invoice")
        before = events.snapshot(invoice)
        invoice.update(auto_advance=False, next_payment_attempt=None)
        account.save("invoice", invoice)
        events.emit(account, "invoice.updated", invoice, before)


def customer_deleted(account: Account, customer: Object) -> None:
    """A customer's subscriptions end with them."""
    for each in account.where("subscription", customer=customer["id"]):
        end(account, account.find("subscription", each, "subscription"), reason=None)
