"""What only the sandbox has: paths by which a test or a lesson plays the payer, the bank and the clock.

Below /v1/test_helpers:

    POST payment_intents/{intent}/authenticate  outcome=succeed|fail   the payer answers a requires_action
    POST payment_intents/{intent}/settle        outcome=succeed|fail   the bank answers a processing debit
    POST disputes/{dispute}/decide              outcome=won|lost       the bank decides
    POST charges/{charge}/dispute               reason=fraudulent ...  the cardholder disputes a charge
    POST payouts/{payout}/pay                                          it arrives
    POST payouts/{payout}/fail                  failure_code=...       it comes back
    POST refunds/{refund}/succeed, .../fail     failure_reason=...     it arrives, it comes back
    POST customers/{customer}/reverse_cash_funding   transaction=ccsbtxn_...   the bank calls a transfer back
    POST customers/{customer}/transfer_cash_balance  currency=usd      what nothing reconciled goes to the
                                                                       account's own balance
    POST subscription_settings                  after_last_attempt=    what follows when all attempts failed:
                                                                       cancel, unpaid or past_due
    GET  clock                                                         the sandbox's present moment
    POST clock/advance                          seconds=86400          time passes

Each answers the object that it moved.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.core import scheduler
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import disputes, payouts, refunds
from stripe_magics.sandbox.resources.cash_balances import reconciliation
from stripe_magics.sandbox.resources.payment_intents import payment_attempts, payment_intents
from stripe_magics.sandbox.resources.payment_methods.test_cards import OUTCOMES, PAYOUT_ACCOUNTS
from stripe_magics.sandbox.resources.subscriptions import dunning


def authenticate(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """The payer completes or fails the authentication (or the redirect)."""
    intent = payment_intents.retrieve(account, {}, identifier)
    if intent["status"] != "requires_action":
        raise payment_intents.unexpected(intent, "authenticate", {"requires_action"})
    payment_attempts.complete_authentication(
        account, intent, passed=(params.get("outcome") or "succeed") == "succeed"
    )
    return intent


def settle(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """The bank answers a debit now."""
    intent = payment_intents.retrieve(account, {}, identifier)
    if intent["status"] != "processing":
        raise payment_intents.unexpected(intent, "settle", {"processing"})
    outcome = {"succeed": OUTCOMES["debit"], "fail": OUTCOMES["debit_fails"]}.get(params.get("outcome") or "")
    payment_attempts.debit_settled(account, intent, outcome=outcome)
    return intent


def dispute_charge(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """The cardholder disputes a paid charge."""
    charge = account.find("charge", identifier, "charge", status=404)
    if not charge["captured"] or charge["disputed"] or charge["amount_refunded"] >= charge["amount_captured"]:
        raise invalid(
            "Only a paid charge that is not yet disputed or refunded can be disputed.", param="charge"
        )
    reason = params.get("reason") or "fraudulent"
    return disputes.open_dispute(
        account, charge, "general" if reason == "inquiry" else reason, inquiry=reason == "inquiry"
    )


def decide(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """The bank decides a dispute."""
    dispute = disputes.retrieve(account, {}, identifier)
    if dispute["status"] not in disputes.OPEN:
        raise invalid("This dispute is already closed.")
    disputes.close_as(account, dispute, won=params["outcome"] == "won")
    return dispute


def pay_payout(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """A payout arrives now."""
    payout = payouts.retrieve(account, {}, identifier)
    if payout["status"] not in {"pending", "in_transit"}:
        raise invalid(f"Only a payout on its way can arrive; the status of this one is {payout['status']}.")
    payouts.arrive(account, payout)
    return payout


def fail_payout(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """A payout comes back, even after it was paid."""
    payout = payouts.retrieve(account, {}, identifier)
    if payout["status"] not in {"pending", "in_transit", "paid"}:
        raise invalid(f"A payout with status {payout['status']} can't fail.")
    code = params.get("failure_code") or "could_not_process"
    payouts.fail(
        account,
        payout,
        code,
        dict(PAYOUT_ACCOUNTS.values()).get(code, "The bank could not process this payout."),
    )
    return payout


def succeed_refund(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """A pending refund arrives."""
    refund = refunds.retrieve(account, {}, identifier)
    if not refunds.arrives(refund):
        raise invalid("Only a refund on its way that the balance has paid for can arrive.")
    refunds.arrive(account, refund)
    return refund


def fail_refund(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """A refund comes back."""
    refund = refunds.retrieve(account, {}, identifier)
    ended = refund["status"] not in {"pending", "succeeded", "requires_action"}
    if ended or (refund["balance_transaction"] is None and refund["charge"]):
        raise invalid(f"A refund with status {refund['status']} can't come back.")
    refunds.failed(account, refund, params.get("failure_reason") or "unknown")
    return refund


def subscription_settings(account: Account, params: dict[str, Any]) -> Object:
    """What becomes of a subscription when the last attempt to collect has failed."""
    if params.get("after_last_attempt"):
        account.private_state[dunning.SETTINGS] = {"after_last_attempt": params["after_last_attempt"]}
    return {"object": "test_helpers.subscription_settings", "livemode": False, **dunning.settings(account)}


def clock(account: Account, params: dict[str, Any]) -> Object:
    """The present moment."""
    return {"object": "test_helpers.clock", "livemode": False, "now": account.now}


def advance(account: Account, params: dict[str, Any]) -> Object:
    """Time passes."""
    try:
        scheduler.advance(account, scheduler.check_length(params["seconds"]))
    except ValueError as fault:
        raise invalid(str(fault), param="seconds") from fault
    return clock(account, {})


_PASSED: dict[str, Any] = {"outcome": {"e": ["succeed", "fail"]}, "expand": {"a": "s"}}
_PLAIN: dict[str, Any] = {"expand": {"a": "s"}}
SHAPES: dict[str, dict[str, Any]] = {
    "POST /v1/test_helpers/payment_intents/{intent}/authenticate": _PASSED,
    "POST /v1/test_helpers/payment_intents/{intent}/settle": _PASSED,
    "POST /v1/test_helpers/charges/{charge}/dispute": {"reason": "s", **_PLAIN},
    "POST /v1/test_helpers/disputes/{dispute}/decide": {"outcome!": {"e": ["won", "lost"]}, **_PLAIN},
    "POST /v1/test_helpers/payouts/{payout}/pay": _PLAIN,
    "POST /v1/test_helpers/payouts/{payout}/fail": {"failure_code": "s", **_PLAIN},
    "POST /v1/test_helpers/refunds/{refund}/succeed": _PLAIN,
    "POST /v1/test_helpers/refunds/{refund}/fail": {"failure_reason": "s", **_PLAIN},
    "POST /v1/test_helpers/customers/{customer}/reverse_cash_funding": {"transaction!": "s", **_PLAIN},
    "POST /v1/test_helpers/customers/{customer}/transfer_cash_balance": {"currency!": "s", **_PLAIN},
    "POST /v1/test_helpers/subscription_settings": {
        "after_last_attempt": {"e": list(dunning.ENDS)},
        **_PLAIN,
    },
    "GET /v1/test_helpers/clock": _PLAIN,
    "POST /v1/test_helpers/clock/advance": {"seconds!": "i"},
}
"""What these paths take, in the notation of `catalogue.generated.accepted`."""

ROUTES: dict[str, Handler] = {
    "POST /v1/test_helpers/payment_intents/{intent}/authenticate": authenticate,
    "POST /v1/test_helpers/payment_intents/{intent}/settle": settle,
    "POST /v1/test_helpers/charges/{charge}/dispute": dispute_charge,
    "POST /v1/test_helpers/disputes/{dispute}/decide": decide,
    "POST /v1/test_helpers/payouts/{payout}/pay": pay_payout,
    "POST /v1/test_helpers/payouts/{payout}/fail": fail_payout,
    "POST /v1/test_helpers/refunds/{refund}/succeed": succeed_refund,
    "POST /v1/test_helpers/refunds/{refund}/fail": fail_refund,
    "POST /v1/test_helpers/customers/{customer}/reverse_cash_funding": reconciliation.reverse,
    "POST /v1/test_helpers/customers/{customer}/transfer_cash_balance": reconciliation.transfer_to_balance,
    "POST /v1/test_helpers/subscription_settings": subscription_settings,
    "GET /v1/test_helpers/clock": clock,
    "POST /v1/test_helpers/clock/advance": advance,
}
