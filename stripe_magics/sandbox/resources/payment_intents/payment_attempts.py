"""One attempt to take the money of an intent, and what becomes of it: success, a hold, a debit on its way, a
question to the payer, a decline.

Every attempt with a card or a bank is a charge (charges.py). A decline is recorded first and raised then.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import ApiError, declined, invalid
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import MINUTE
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import charges
from stripe_magics.sandbox.resources.cash_balances import intent_funding
from stripe_magics.sandbox.resources.charge_objects import new_charge
from stripe_magics.sandbox.resources.payment_methods.payment_methods import attach_to, outcome_of, spend
from stripe_magics.sandbox.resources.payment_methods.test_cards import DEBITS, CardBehaviour

DEBIT_TAKES = 3 * MINUTE
CANCELABLE = {
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
}
_AUTHENTICATE = CardBehaviour(
    code="authentication_required",
    decline_code="authentication_required",
    message="Your card was declined. This transaction requires authentication.",
)
_NOT_AUTHENTICATED = CardBehaviour(
    code="payment_intent_authentication_failure",
    message=(
        "We are unable to authenticate your payment method. Please choose a different payment method and try"
        " again."
    ),
)

_NOT_COVERED = CardBehaviour(
    code="insufficient_funds",
    message=(
        "The customer's cash balance does not cover this payment. Give"
        " `payment_method_options[customer_balance][funding_type]` to have the rest sent by bank transfer."
    ),
)


def redirects(method: Object) -> bool:
    return method["type"] not in {"card", intent_funding.TYPE, *DEBITS}


def proceed(
    account: Account, intent: Object, method: Object, params: dict[str, Any], *, recurring: bool = False
) -> None:
    """Try to take the money. Raises a refusal after a decline, with everything that happened kept."""
    outcome = outcome_of(account, method["id"])
    intent["last_payment_error"] = None
    intent["next_action"] = None
    if method["type"] == intent_funding.TYPE:
        _confirm_funded(account, intent, method)
        return
    mandate_for(account, method, params)
    off_session = params.get("off_session") not in {None, False}
    asks = outcome.authenticate and not (
        outcome.unless_set_up
        and method["customer"]
        and (recurring or off_session or _set_up(account, method))
    )
    if redirects(method) or asks:
        if off_session or params.get("error_on_requires_action"):
            raise decline(account, intent, method, _AUTHENTICATE)
        _ask(account, intent, method, params)
        return
    charge_method(account, intent, method, outcome)


def _confirm_funded(account: Account, intent: Object, method: Object) -> None:
    intent_funding.check_confirmed(intent)
    amount = intent_funding.can_take(account, intent)
    if amount is None:
        raise decline(account, intent, method, _NOT_COVERED, charged=False)
    fund(account, intent, method, amount)


def fund(account: Account, intent: Object, method: Object, amount: int) -> None:
    """Pay an amount from the customer's cash balance; the rest, if any, is to come by bank transfer."""
    intent_funding.take(account, intent, amount)
    if not intent_funding.remaining(account, intent):
        charge_method(account, intent, method, CardBehaviour())
        return
    known = intent_funding.waits(intent)
    intent_funding.ask(account, intent)
    store(account, intent)
    if not known:
        events.emit(account, "payment_intent.requires_action", intent)
    if amount:
        events.emit(account, "payment_intent.partially_funded", intent)


def fit_funding(account: Account, intent: Object) -> None:
    """The amount of an intent fell: what was taken beyond it goes back, and it may be paid by now."""
    held = intent_funding.taken(account, intent)
    intent_funding.unapply_funds(account, intent, max(0, held - intent["amount"]))
    method = account.get("payment_method", intent["payment_method"] or "")
    if held and method is not None and intent_funding.waits(intent):
        fund(account, intent, method, 0)


def _set_up(account: Account, method: Object) -> bool:
    return bool(account.private_state.get(method["id"], {}).get("authenticated"))


def mandate_for(account: Account, method: Object, params: dict[str, Any]) -> None:
    """A new mandate from mandate_data; a debit gets one anyway."""
    given = params.get("mandate_data")
    if given is None and (method["type"] not in DEBITS or params.get("mandate")):
        return
    acceptance = (given or {}).get("customer_acceptance") or {"type": "offline"}
    identifier = account.new_id("mandate")
    account.add(
        "mandate",
        {
            "id": identifier,
            "object": "mandate",
            "customer_acceptance": {
                "accepted_at": acceptance.get("accepted_at") or account.now,
                **(
                    {"online": acceptance.get("online")}
                    if acceptance["type"] == "online"
                    else {"offline": {}}
                ),
                "type": acceptance["type"],
            },
            "livemode": False,
            "multi_use": {},
            "payment_method": method["id"],
            "payment_method_details": {method["type"]: {}, "type": method["type"]},
            "status": "active",
            "type": "multi_use",
        },
    )
    account.private_state.setdefault(method["id"], {})["mandate"] = identifier


def _ask(account: Account, intent: Object, method: Object, params: dict[str, Any]) -> None:
    """The payer has to do something first."""
    intent["status"] = "requires_action"
    back = params.get("return_url")
    if back and not params.get("use_stripe_sdk"):
        address_ = f"https://hooks.stripe.com/sandbox/authenticate/{intent['id']}"
        intent["next_action"] = {
            "redirect_to_url": {"return_url": back, "url": address_},
            "type": "redirect_to_url",
        }
    else:
        intent["next_action"] = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"source": intent["id"], "type": "three_d_secure_redirect"},
        }
    store(account, intent)
    events.emit(account, "payment_intent.requires_action", intent)


def complete_authentication(account: Account, intent: Object, *, passed: bool) -> None:
    """The payer has done it, or failed to (see helpers.py). Raises no decline: the answer is in the
    intent."""
    if intent_funding.waits(intent):
        raise invalid(
            "This PaymentIntent waits for a bank transfer: fund the customer's cash balance"
            " (POST /v1/test_helpers/customers/{customer}/fund_cash_balance)."
        )
    method = account.get("payment_method", intent["payment_method"])
    if method is None:
        raise invalid("This intent has lost its payment method.")
    intent["next_action"] = None
    if not passed:
        decline(account, intent, method, _NOT_AUTHENTICATED, charged=False)
        return
    account.private_state.setdefault(method["id"], {})["authenticated"] = True
    try:
        charge_method(
            account, intent, method, outcome_of(account, method["id"]), secured=method["type"] == "card"
        )
    except ApiError:
        return  # declined after authentication: recorded in the intent, as the payer's page would show it


def charge_method(
    account: Account, intent: Object, method: Object, outcome: CardBehaviour, *, secured: bool = False
) -> None:
    """Charge the method: success, a hold, on its way, or a decline (raised)."""
    if method["type"] in DEBITS:
        _send_debit(account, intent, method)
        return
    if outcome.code:
        raise decline(account, intent, method, outcome, secured=secured)
    charge = new_charge(account, intent, method, secured=secured)
    charges.authorise(account, charge, outcome)
    intent["latest_charge"] = charge["id"]
    intent["next_action"] = None
    _remember(account, intent, method)
    spend(account, method)
    if intent["capture_method"] == "manual":
        charges.authorize_only(account, charge)
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        store(account, intent)
        account.clock.at(account.now + charges.HOLD, "hold_expires", intent["id"])
        events.emit(account, "payment_intent.amount_capturable_updated", intent)
        return
    intent.update(status="succeeded", amount_received=intent["amount"])
    store(account, intent)
    charges.succeed(account, charge, outcome)
    events.emit(account, "payment_intent.succeeded", intent)


def store(account: Account, intent: Object) -> None:
    """Save an intent, which may be new."""
    if intent["id"] in account.table("payment_intent").by_id:
        account.save("payment_intent", intent)
    else:
        account.add("payment_intent", intent)


def _remember(account: Account, intent: Object, method: Object) -> None:
    """setup_future_usage attaches the method to the customer."""
    if intent["setup_future_usage"] and intent["customer"] and method["customer"] is None:
        customer = account.get("customer", intent["customer"])
        if customer is not None:
            attach_to(account, method, customer)


def _send_debit(account: Account, intent: Object, method: Object) -> None:
    charge = new_charge(account, intent, method)
    charges.authorise(account, charge, CardBehaviour())
    spend(account, method)
    account.save("charge", charge)
    intent.update(status="processing", latest_charge=charge["id"], next_action=None)
    store(account, intent)
    events.emit(account, "charge.pending", charge)
    events.emit(account, "payment_intent.processing", intent)
    account.clock.at(account.now + DEBIT_TAKES, "debit_settles", intent["id"])


def debit_settled(account: Account, intent: Object, *, outcome: CardBehaviour | None = None) -> None:
    """The bank has answered."""
    if intent["status"] != "processing":
        return
    method = account.get("payment_method", intent["payment_method"])
    charge = account.get("charge", intent["latest_charge"])
    if method is None or charge is None:
        return
    outcome = outcome_of(account, method["id"]) if outcome is None else outcome
    if outcome.code:
        charges.fail(account, charge, outcome)
        _back(account, intent, method, outcome, charge)
        return
    intent.update(status="succeeded", amount_received=intent["amount"])
    store(account, intent)
    charges.succeed(account, charge, outcome)
    events.emit(account, "payment_intent.succeeded", intent)


def decline(
    account: Account,
    intent: Object,
    method: Object,
    outcome: CardBehaviour,
    *,
    charged: bool = True,
    secured: bool = False,
) -> ApiError:
    """Record a decline; answers the refusal to raise."""
    charge = None
    if charged:
        charge = new_charge(account, intent, method, secured=secured)
        charges.fail(account, charge, outcome)
        intent["latest_charge"] = charge["id"]
    _back(account, intent, method, outcome, charge)
    more: Object = {"charge": charge["id"]} if charge else {}
    return declined(
        outcome.message,
        code=outcome.code,
        decline_code=outcome.decline_code,
        param=outcome.param,
        **more,
        payment_intent=events.snapshot(intent),
        payment_method=method,
    )


def _back(
    account: Account, intent: Object, method: Object, outcome: CardBehaviour, charge: Object | None
) -> None:
    error: Object = {
        "code": outcome.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{outcome.code.replace('_', '-')}",
    }
    if charge is not None:
        error["charge"] = charge["id"]
    if outcome.decline_code:
        error["decline_code"] = outcome.decline_code
    if outcome.param:
        error["param"] = outcome.param
    kind = "invalid_request_error" if outcome is _NOT_AUTHENTICATED else "card_error"
    error.update(message=outcome.message, payment_method=events.snapshot(method), type=kind)
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error=error,
        amount_capturable=0,
    )
    store(account, intent)
    events.emit(account, "payment_intent.payment_failed", intent)


def cancel_intent(account: Account, intent: Object, reason: str | None, *, expired: bool = False) -> None:
    """Cancel, with a hold let go."""
    held = intent["status"] == "requires_capture"
    intent.update(
        status="canceled", canceled_at=account.now, cancellation_reason=reason, amount_capturable=0,
        next_action=None,
    )  # fmt: skip
    store(account, intent)
    if held:
        charge = account.get("charge", intent["latest_charge"])
        if charge is not None:
            charges.release_authorization(account, charge, expired=expired)
    events.emit(account, "payment_intent.canceled", intent)
