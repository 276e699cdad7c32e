"""What happens as time passes: each job of the clock by its name."""

from __future__ import annotations

from collections.abc import Callable

from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import DAY, Clock, is_business_day, job_scope, midnight
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import account_objects as business
from stripe_magics.sandbox.resources import (
    charges,
    checkout_sessions,
    customer_subresources,
    disputes,
    payouts,
    quotes,
    refunds,
    test_clock_deletion,
)
from stripe_magics.sandbox.resources.billing_credits import credit_grants
from stripe_magics.sandbox.resources.connect import topups
from stripe_magics.sandbox.resources.invoices import collection
from stripe_magics.sandbox.resources.payment_intents import payment_attempts
from stripe_magics.sandbox.resources.subscriptions import (
    lifecycle,
    pending_updates,
    schedule_course,
    thresholds,
    upcoming_notice,
)

FARTHEST = 3653 * DAY
Action = Callable[[Account, str], object]


def advance(account: Account, seconds: int) -> int:
    """Let that much time pass, doing in order what is due on the way. Answers the new moment."""
    until = account.now + seconds
    account.family.begin_request(None, None)
    run(account, account.clock, until)
    account.family.flush()
    for each in account.family.accounts():
        events.forget(each)
    return until


def check_length(seconds: int) -> int:
    """How much time may pass at once. Raises ValueError for what is less than nothing or more than ten
    years."""
    if not 0 <= seconds <= FARTHEST:
        raise ValueError(
            "Time only goes forward: give a number of seconds that is not negative."
            if seconds < 0
            else f"At most ten years ({FARTHEST} seconds) can pass at once."
        )
    return seconds


def run(account: Account, clock: Clock, until: int) -> None:
    """Do in order what is due on a clock until then; it stands there afterwards."""
    clock.calendar.until = until
    while (job := clock.due(until)) is not None:
        owner = account.family.of_scope(job_scope(job))
        if owner is not None:
            with owner.on_clock(clock.name):
                JOBS[job[3]](owner, job[4].rpartition("/")[2])
    clock.now = until


def _on(kind: str, action: Callable[[Account, Object], object]) -> Action:
    """A job on one object, if that still exists."""

    def run(account: Account, identifier: str) -> None:
        found = account.get(kind, identifier)
        if found is not None:
            action(account, found)

    return run


def _funds(account: Account, identifier: str) -> None:
    """Pending money becomes available; those of one moment make one event."""
    currencies = {account.ledger.release(identifier)}
    clock = account.clock
    while clock.jobs and clock.jobs[0][0] <= account.now and clock.jobs[0][3] == "funds":
        if job_scope(clock.jobs[0]) != clock.scope:
            break
        job = clock.due(account.now)
        if job is not None:
            currencies.add(account.ledger.release(job[4].rpartition("/")[2]))
    if currencies - {""}:
        events.emit(account, "balance.available", account.ledger.balance())


def _payouts(account: Account, _: str) -> None:
    if is_business_day(account.now):
        payouts.automatic(account)
    account.clock.at(midnight(account.now) + DAY + business.RUN, "payouts")


def _hold_expires(account: Account, intent: Object) -> None:
    if intent["status"] == "requires_capture":
        payment_attempts.cancel_intent(account, intent, "automatic", expired=True)


def _charge_expires(account: Account, charge: Object) -> None:
    if not charge["captured"] and not charge["refunded"]:
        charges.release_authorization(account, charge, expired=True)


JOBS: dict[str, Action] = {
    "funds": _funds,
    "payouts": _payouts,
    "payout_transit": _on("payout", payouts.transit),
    "payout_arrives": _on("payout", payouts.arrive),
    "hold_expires": _on("payment_intent", _hold_expires),
    "charge_expires": _on("charge", _charge_expires),
    "debit_settles": _on("payment_intent", payment_attempts.debit_settled),
    "refund_settles": _on("refund", refunds.arrive),
    "refund_fails": _on("refund", refunds.failed),
    "credit_grant_expires": _on("billing.credit_grant", credit_grants.expire_when_due),
    "refund_expires": _on("refund", refunds.expired),
    "dispute_due": _on("dispute", disputes.deadline),
    "dispute_decided": _on("dispute", lambda account, dispute: disputes.close_as(account, dispute, won=True)),
    "invoice_finalizes": _on("invoice", collection.finalize_by_itself),
    "invoice_collects": _on("invoice", collection.collect),
    "invoice_overdue": _on("invoice", collection.overdue),
    "subscription_renews": _on("subscription", lifecycle.renew),
    "subscription_upcoming": _on("subscription", upcoming_notice.announce),
    "subscription_trial_will_end": _on("subscription", lifecycle.trial_will_end),
    "subscription_expires": _on("subscription", lifecycle.expire),
    "subscription_cancels": _on("subscription", lifecycle.cancel_when_due),
    "subscription_collects_again": _on("subscription", lifecycle.collect_again),
    "subscription_bills_items": _on("subscription", lifecycle.bill_items),
    "subscription_threshold": _on("subscription", thresholds.bill_when_reached),
    "subscription_update_expires": _on("subscription", pending_updates.expire_pending),
    "schedule_phase": schedule_course.phase_due,
    "schedule_expires_soon": _on(schedule_course.KIND, schedule_course.expires_soon),
    "checkout_expires": _on("checkout.session", checkout_sessions.expire_when_due),
    "topup_arrives": _on("topup", topups.arrive),
    "test_clock_expires": _on(test_clock_deletion.KIND, test_clock_deletion.delete_clock),
    "tax_id_verified": _on("tax_id", customer_subresources.tax_id_verified),
    "quote_expires": _on("quote", quotes.expire),
}
"""Name -> what is done, given the account and an object's id."""
