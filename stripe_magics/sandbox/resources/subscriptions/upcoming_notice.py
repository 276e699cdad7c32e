"""`invoice.upcoming`: a week before a subscription renews, the invoice that is to come, as a preview has
it: without an id."""

from __future__ import annotations

from stripe_magics.sandbox.api.errors import ApiError
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.invoices import previews
from stripe_magics.sandbox.resources.subscriptions.lifecycle import UPCOMING_BEFORE

RENEWS = frozenset({"active", "trialing", "past_due"})


def announce(account: Account, subscription: Object) -> None:
    """The renewal is near. What has ended, ends then, or was announced already isn't announced."""
    end, identifier = subscription["current_period_end"], subscription["id"]
    if subscription["status"] not in RENEWS or not end - UPCOMING_BEFORE <= account.now < end:
        return
    if subscription["cancel_at_period_end"] or (subscription["cancel_at"] or end + 1) <= end:
        return
    if account.private_state.get(identifier, {}).get("announced") == end or _forgotten(account):
        return
    try:
        invoice = previews.upcoming(account, {"subscription": identifier})
    except ApiError:
        return  # a preview is refused where no invoice will come
    account.private_state.setdefault(identifier, {})["announced"] = end
    shown = {name: value for name, value in invoice.items() if name != "id"}
    events.emit(account, "invoice.upcoming", shown)


def _forgotten(account: Account) -> bool:
    """Whether the time that passes now goes on until nobody can list the event any more: the preview would be
    for nothing. Events of a test clock have the account's own time."""
    own = account.clock is account.own_clock
    return own and account.clock.calendar.until - account.now > events.KEPT
