"""Payment intents: the road of one payment, from a wish to money.

    requires_payment_method -> requires_confirmation -> (requires_action) -> processing | requires_capture | succeeded
    canceled from every state before money moved; a decline leads back to requires_payment_method, with last_payment_error

Each state has the next steps that are allowed; everything else is refused with `payment_intent_unexpected_state`. Every try to take the money is
a charge (charges.py).
"""

from __future__ import annotations

import re
from typing import Any

from stripe_magics import money
from stripe_magics.sandbox import charges, events
from stripe_magics.sandbox.account import Account, Object
from stripe_magics.sandbox.changes import merged_metadata, take
from stripe_magics.sandbox.clock import MINUTE
from stripe_magics.sandbox.lists import Page, page
from stripe_magics.sandbox.methods import address, attach_to, from_data, outcome_of, use
from stripe_magics.sandbox.problems import Refusal, declined, invalid, missing, unchecked
from stripe_magics.sandbox.protocol import Handler
from stripe_magics.sandbox.search import search
from stripe_magics.sandbox.testcards import DEBITS, ONLY_IN, Outcome

LARGEST = 99_999_999
DEBIT_TAKES = 3 * MINUTE
CANCELABLE = {"requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing"}
CONFIRMABLE = {"requires_payment_method", "requires_confirmation", "requires_action"}
TYPES = frozenset(
    [
        "acss_debit",
        "affirm",
        "afterpay_clearpay",
        "alipay",
        "alma",
        "amazon_pay",
        "au_becs_debit",
        "bacs_debit",
        "bancontact",
        "blik",
        "boleto",
        "card",
        "card_present",
        "cashapp",
        "customer_balance",
        "eps",
        "fpx",
        "giropay",
        "grabpay",
        "ideal",
        "interac_present",
        "kakao_pay",
        "klarna",
        "konbini",
        "kr_card",
        "link",
        "mobilepay",
        "multibanco",
        "naver_pay",
        "oxxo",
        "p24",
        "pay_by_bank",
        "payco",
        "paynow",
        "paypal",
        "pix",
        "promptpay",
        "revolut_pay",
        "samsung_pay",
        "sepa_debit",
        "sofort",
        "swish",
        "twint",
        "us_bank_account",
        "wechat_pay",
        "zip",
    ]
)
_LETTER = re.compile(r"[A-Za-z]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def checked_currency(text: str) -> str:
    """A currency in lower case; refuses one that Stripe doesn't have."""
    currency = text.lower()
    if currency not in {each.lower() for each in money.CURRENCIES}:
        raise unchecked(f"Invalid currency: {currency}. It takes a three-letter ISO code, such as usd or eur.", param="currency")
    return currency


def checked_amount(amount: int, currency: str, param: str = "amount") -> int:
    """An amount that can be charged."""
    if amount < 1:
        raise unchecked("This value must be greater than or equal to 1.", param=param, code="parameter_invalid_integer")
    if amount > LARGEST:
        raise unchecked(
            f"Amount must be no more than {money.format_amount(LARGEST, currency)}", param=param, code="amount_too_large"
        )
    smallest = money.minimum(currency)
    if smallest is not None and amount < smallest:
        raise unchecked(
            f"Amount must be at least {money.format_amount(smallest, currency)}", param=param, code="amount_too_small"
        )
    return amount


def checked_descriptor(params: dict[str, Any], *names: str) -> None:
    """Statement descriptors need a letter and take none of < > \\ ' " *."""
    for name in names:
        text = params.get(name)
        if text and not _LETTER.search(text):
            raise unchecked("The statement descriptor must contain at least one letter.", param=name)
        if text and re.search(r"[<>\\'\"*]", text):
            raise unchecked("The statement descriptor takes none of the characters < > \\ ' \" *.", param=name)


def checked_email(text: str | None, param: str) -> None:
    """An address that looks like one."""
    if text and not _EMAIL.fullmatch(text):
        raise unchecked(f"Invalid email address: {text}", param=param, code="email_invalid")


def refuse_connect(account: Account, params: dict[str, Any]) -> None:
    """There are no connected accounts here: their ids are unknown, and a fee needs one."""
    if params.get("on_behalf_of"):
        raise missing("account", params["on_behalf_of"], "on_behalf_of", status=400)
    destination = (params.get("transfer_data") or {}).get("destination")
    if destination:
        raise missing("destination", destination, "transfer_data[destination]", status=400)
    if params.get("transfer_data"):
        raise invalid("transfer_data needs a payment that was made for a connected account.", param="transfer_data")
    if params.get("application_fee_amount"):
        raise invalid(
            "An application fee needs a connected account: transfer_data[destination] or on_behalf_of.",
            param="application_fee_amount",
        )


def full_shipping(given: dict[str, Any] | None) -> Object | None:
    """Shipping with every part."""
    if given is None:
        return None
    return {
        "address": address(given.get("address")),
        "carrier": given.get("carrier"),
        "name": given.get("name"),
        "phone": given.get("phone"),
        "tracking_number": given.get("tracking_number"),
    }


# create


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/payment_intents."""
    currency = checked_currency(params["currency"])
    checked_amount(params["amount"], currency)
    confirming = bool(params.get("confirm"))
    for name in ("off_session", "error_on_requires_action", "return_url", "mandate", "mandate_data", "use_stripe_sdk"):
        if params.get(name) and not confirming and name != "use_stripe_sdk":
            raise unchecked(f"You can only pass {name} when confirm=true.", param=name)
    _check(account, params)
    intent = new_intent(account, amount=params["amount"], currency=currency)
    _types(intent, params)
    _describe(account, intent, params)
    method = _method_given(account, intent, params)
    if confirming:
        if method is None:
            raise _no_method()
        _check_method(intent, method, params)
    account.add("payment_intent", intent)
    if method is not None:
        intent["payment_method"] = method["id"]
        intent["status"] = "requires_confirmation"
    events.emit(account, "payment_intent.created", intent)
    if confirming and method is not None:
        proceed(account, intent, method, params)
    return intent


def new_intent(account: Account, *, amount: int, currency: str) -> Object:
    """An intent with nothing but an amount; not stored yet."""
    identifier = account.new_id("pi")
    return {
        "id": identifier,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{identifier}_secret_{account.letters(identifier, 25)}",
        "confirmation_method": "automatic",
        "created": account.now,
        "currency": currency,
        "customer": None,
        "description": None,
        "invoice": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": [],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def _check(account: Account, params: dict[str, Any]) -> None:
    """What can be wrong with values whichever call they come by."""
    checked_descriptor(params, "statement_descriptor", "statement_descriptor_suffix")
    checked_email(params.get("receipt_email"), "receipt_email")
    refuse_connect(account, params)
    if params.get("payment_method") and params.get("payment_method_data"):
        raise unchecked("You can only pass one of payment_method and payment_method_data.", param="payment_method_data")
    if params.get("mandate") and params.get("mandate_data"):
        raise unchecked("You can only pass one of mandate and mandate_data.", param="mandate_data")
    if params.get("mandate"):
        account.find("mandate", params["mandate"], "mandate")
    if params.get("customer"):
        account.find("customer", params["customer"], "customer")
    if params.get("confirmation_token"):
        raise missing("confirmation_token", params["confirmation_token"], "confirmation_token", status=400)
    if params.get("payment_method_configuration"):
        raise missing(
            "payment_method_configuration", params["payment_method_configuration"], "payment_method_configuration", status=400
        )


def _types(intent: Object, params: dict[str, Any]) -> None:
    """Which payment method types may pay: those named, or whatever is switched on."""
    given = params.get("payment_method_types")
    automatic = params.get("automatic_payment_methods")
    if given and automatic and automatic.get("enabled"):
        raise unchecked(
            "You may only specify one of payment_method_types and automatic_payment_methods.", param="automatic_payment_methods"
        )
    if given:
        for kind in given:
            if kind not in TYPES:
                raise unchecked(f"The payment method type '{kind}' is invalid.", param="payment_method_types")
            if ONLY_IN.get(kind, intent["currency"]) != intent["currency"]:
                raise invalid(
                    f"The currency {intent['currency']} is not supported by the payment method type {kind}, which takes {ONLY_IN[kind]}.",
                    param="payment_method_types",
                )
        intent["payment_method_types"] = list(given)
        intent["automatic_payment_methods"] = None
    else:
        if automatic is not None and not automatic["enabled"]:
            intent["automatic_payment_methods"] = None
            intent["payment_method_types"] = ["card"]
            return
        if automatic:
            intent["automatic_payment_methods"] = {
                "allow_redirects": automatic.get("allow_redirects") or "always",
                "enabled": True,
            }
        intent["payment_method_types"] = ["card", *(kind for kind, currency in DEBITS.items() if currency == intent["currency"])]
    _options(intent, params)


def _options(intent: Object, params: dict[str, Any]) -> None:
    """Options by type, over what Stripe shows without any."""
    options = {kind: dict(intent["payment_method_options"].get(kind, {})) for kind in intent["payment_method_types"]}
    if "card" in options and not options["card"]:
        options["card"] = {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
    for kind, given in (params.get("payment_method_options") or {}).items():
        if kind not in options:
            if intent["automatic_payment_methods"] is None:
                raise invalid(
                    f"payment_method_options[{kind}] needs {kind} among payment_method_types.",
                    param=f"payment_method_options[{kind}]",
                )
            options[kind] = {}
        for name, value in (given or {}).items():
            shown = (
                {"available_plans": [], "enabled": value.get("enabled", False), "plan": value.get("plan")}
                if name == "installments" and value
                else value
            )
            options[kind][name] = shown
    intent["payment_method_options"] = options


_PLAIN = (
    "description",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def _describe(account: Account, intent: Object, params: dict[str, Any]) -> None:
    """Set what was given and is simply kept."""
    take(intent, params, _PLAIN)
    for name in ("customer", "capture_method", "confirmation_method"):
        if params.get(name):
            intent[name] = params[name]
    if "metadata" in params:
        intent["metadata"] = merged_metadata(intent["metadata"], params["metadata"])
    if "shipping" in params:
        intent["shipping"] = full_shipping(params["shipping"])


def _method_given(account: Account, intent: Object, params: dict[str, Any]) -> Object | None:
    """The payment method that a call names or describes."""
    if params.get("payment_method"):
        method = use(account, params["payment_method"])
    elif params.get("payment_method_data"):
        method = from_data(account, params["payment_method_data"], "payment_method_data")
    else:
        return None
    owner = method["customer"]
    if owner is not None and owner != intent["customer"]:
        raise invalid(
            f"The PaymentMethod {method['id']} belongs to a customer. Include that customer in the `customer` parameter of the intent to use it.",
            param="payment_method",
        )
    allowed = intent["payment_method_types"]
    if method["type"] not in allowed and intent["automatic_payment_methods"] is None:
        raise invalid(
            f"The PaymentMethod is of type {method['type']}, but the intent takes only: {', '.join(allowed)}.",
            param="payment_method",
        )
    if ONLY_IN.get(method["type"], intent["currency"]) != intent["currency"]:
        raise invalid(
            f"A payment method of type {method['type']} pays in {ONLY_IN[method['type']]} only.", param="payment_method"
        )
    if method["type"] not in allowed:
        intent["payment_method_types"] = [*allowed, method["type"]]
    return method


def _no_method() -> Refusal:
    return invalid(
        "You cannot confirm this PaymentIntent because it's missing a payment method. Give payment_method or payment_method_data.",
        code="payment_intent_unexpected_state",
    )


def _redirects(method: Object) -> bool:
    return method["type"] != "card" and method["type"] not in DEBITS


def _check_method(intent: Object, method: Object, params: dict[str, Any]) -> None:
    """A method that sends the payer away needs an address to come back to."""
    automatic = intent["automatic_payment_methods"]
    if _redirects(method) and automatic and automatic["allow_redirects"] == "never":
        raise invalid(f"The intent allows no redirects, which {method['type']} needs.", param="payment_method")
    if _redirects(method) and not params.get("return_url"):
        raise invalid(
            f"A return_url must be given to confirm with {method['type']}, which sends the payer to another page.",
            param="return_url",
        )


# confirm


def confirm(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_intents/{intent}/confirm."""
    intent = retrieve(account, {}, identifier)
    if params.get("client_secret") and params["client_secret"] != intent["client_secret"]:
        raise invalid(
            "The client_secret does not match the one of this intent.",
            param="client_secret",
            code="payment_intent_invalid_parameter",
        )
    if intent["status"] not in CONFIRMABLE:
        raise unexpected(intent, "confirm", CONFIRMABLE)
    _check(account, params)
    draft = events.snapshot(intent)
    if params.get("payment_method_types"):
        _types(draft, params)
    elif params.get("payment_method_options"):
        _options(draft, params)
    _describe(account, draft, params)
    method = _method_given(account, draft, params)
    if method is None and draft["payment_method"]:
        method = account.get("payment_method", draft["payment_method"])
    if method is None:
        refusal = _no_method()
        refusal.more["payment_intent"] = intent
        raise refusal
    _check_method(draft, method, params)
    intent.update(draft)
    intent["payment_method"] = method["id"]
    proceed(account, intent, method, params)
    return intent


def unexpected(intent: Object, verb: str, allowed: set[str]) -> Refusal:
    """Not in this state."""
    return invalid(
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}. "
        f"Only a PaymentIntent with one of these statuses may be treated so: {', '.join(sorted(allowed))}.",
        code="payment_intent_unexpected_state",
        payment_intent=intent,
    )


def proceed(account: Account, intent: Object, method: Object, params: dict[str, Any]) -> None:
    """Try to take the money. Raises a refusal after a decline, with everything that happened kept."""
    outcome = outcome_of(account, method["id"])
    intent["last_payment_error"] = None
    intent["next_action"] = None
    _mandate(account, method, params)
    off_session = params.get("off_session") not in {None, False}
    asks = outcome.authenticate and not (
        outcome.unless_set_up and method["customer"] and (off_session or _set_up(account, method))
    )
    if _redirects(method) or asks:
        if off_session or params.get("error_on_requires_action"):
            raise decline(account, intent, method, _AUTHENTICATE)
        _ask(account, intent, method, params)
        return
    settle(account, intent, method, outcome)


_AUTHENTICATE = Outcome(
    code="authentication_required",
    decline_code="authentication_required",
    message="Your card was declined. This transaction requires authentication.",
)
_NOT_AUTHENTICATED = Outcome(
    code="payment_intent_authentication_failure",
    message="We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)


def _set_up(account: Account, method: Object) -> bool:
    return bool(account.notes.get(method["id"], {}).get("authenticated"))


def _mandate(account: Account, method: Object, params: dict[str, Any]) -> None:
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
                **({"online": acceptance.get("online")} if acceptance["type"] == "online" else {"offline": {}}),
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
    account.notes.setdefault(method["id"], {})["mandate"] = identifier


def _ask(account: Account, intent: Object, method: Object, params: dict[str, Any]) -> None:
    """The payer has to do something first."""
    intent["status"] = "requires_action"
    back = params.get("return_url")
    if back and not params.get("use_stripe_sdk"):
        address_ = f"https://hooks.stripe.com/sandbox/authenticate/{intent['id']}"
        intent["next_action"] = {"redirect_to_url": {"return_url": back, "url": address_}, "type": "redirect_to_url"}
    else:
        intent["next_action"] = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"source": intent["id"], "type": "three_d_secure_redirect"},
        }
    store(account, intent)
    events.emit(account, "payment_intent.requires_action", intent)


def answered(account: Account, intent: Object, *, passed: bool) -> None:
    """The payer has done it, or failed to (see helpers.py). Raises no decline: the answer is in the intent."""
    method = account.get("payment_method", intent["payment_method"])
    if method is None:
        raise invalid("This intent has lost its payment method.")
    intent["next_action"] = None
    if not passed:
        decline(account, intent, method, _NOT_AUTHENTICATED, charged=False)
        return
    account.notes.setdefault(method["id"], {})["authenticated"] = True
    try:
        settle(account, intent, method, outcome_of(account, method["id"]), secured=method["type"] == "card")
    except Refusal:
        return  # declined after authentication: recorded in the intent, as the payer's page would show it


def settle(account: Account, intent: Object, method: Object, outcome: Outcome, *, secured: bool = False) -> None:
    """Charge the method: success, a hold, on its way, or a decline (raised)."""
    if method["type"] in DEBITS:
        _send_debit(account, intent, method)
        return
    if outcome.code:
        raise decline(account, intent, method, outcome, secured=secured)
    charge = charges.new_charge(account, intent, method, secured=secured)
    charges.authorise(account, charge, outcome)
    intent["latest_charge"] = charge["id"]
    intent["next_action"] = None
    _remember(account, intent, method)
    if intent["capture_method"] == "manual":
        charges.hold(account, charge)
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        store(account, intent)
        account.clock.at(account.now + charges.HOLD, "hold_expires", intent["id"])
        events.emit(account, "payment_intent.amount_capturable_updated", intent)
        return
    intent.update(status="succeeded", amount_received=intent["amount"])
    store(account, intent)
    charges.succeed(account, charge, outcome)
    events.emit(account, "payment_intent.succeeded", intent)
    _tell_invoice(account, intent, charge)


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
    charge = charges.new_charge(account, intent, method)
    charges.authorise(account, charge, Outcome())
    account.save("charge", charge)
    intent.update(status="processing", latest_charge=charge["id"], next_action=None)
    store(account, intent)
    events.emit(account, "charge.pending", charge)
    events.emit(account, "payment_intent.processing", intent)
    account.clock.at(account.now + DEBIT_TAKES, "debit_settles", intent["id"])


def debit_settled(account: Account, intent: Object, *, outcome: Outcome | None = None) -> None:
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
    _tell_invoice(account, intent, charge)


def decline(
    account: Account, intent: Object, method: Object, outcome: Outcome, *, charged: bool = True, secured: bool = False
) -> Refusal:
    """Record a decline; answers the refusal to raise."""
    charge = None
    if charged:
        charge = charges.new_charge(account, intent, method, secured=secured)
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


def _back(account: Account, intent: Object, method: Object, outcome: Outcome, charge: Object | None) -> None:
    error: Object = {"code": outcome.code, "doc_url": f"https://stripe.com/docs/error-codes/{outcome.code.replace('_', '-')}"}
    if charge is not None:
        error["charge"] = charge["id"]
    if outcome.decline_code:
        error["decline_code"] = outcome.decline_code
    if outcome.param:
        error["param"] = outcome.param
    kind = "invalid_request_error" if outcome is _NOT_AUTHENTICATED else "card_error"
    error.update(message=outcome.message, payment_method=events.snapshot(method), type=kind)
    intent.update(
        status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=error, amount_capturable=0
    )
    store(account, intent)
    events.emit(account, "payment_intent.payment_failed", intent)


def _tell_invoice(account: Account, intent: Object, charge: Object) -> None:
    if intent["invoice"]:
        from stripe_magics.sandbox import invoices

        invoices.paid_by(account, intent["invoice"], intent, charge)


# capture, cancel, update


def capture(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_intents/{intent}/capture."""
    intent = retrieve(account, {}, identifier)
    if intent["status"] != "requires_capture":
        raise unexpected(intent, "capture", {"requires_capture"})
    amount: int = params["amount_to_capture"] if "amount_to_capture" in params else intent["amount_capturable"]
    if amount < 1:
        raise unchecked(
            "This value must be greater than or equal to 1.", param="amount_to_capture", code="parameter_invalid_integer"
        )
    if amount > intent["amount_capturable"]:
        raise invalid(
            f"The amount to capture is greater than what is held: {intent['amount_capturable']}.",
            param="amount_to_capture",
            code="amount_too_large",
        )
    checked_descriptor(params, "statement_descriptor", "statement_descriptor_suffix")
    refuse_connect(account, params)
    take(intent, params, ("statement_descriptor", "statement_descriptor_suffix", "metadata"))
    charge = account.find("charge", intent["latest_charge"], "intent")
    take(charge, params, ("statement_descriptor", "statement_descriptor_suffix"))
    intent.update(status="succeeded", amount_capturable=0, amount_received=amount)
    store(account, intent)
    charges.capture_hold(account, charge, amount)
    events.emit(account, "payment_intent.succeeded", intent)
    return intent


def cancel(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_intents/{intent}/cancel."""
    intent = retrieve(account, {}, identifier)
    if intent["status"] not in CANCELABLE - {"processing"}:
        raise unexpected(intent, "cancel", CANCELABLE)
    if intent["invoice"]:
        raise invalid(
            "This intent belongs to an invoice: void the invoice instead.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    called_off(account, intent, params.get("cancellation_reason"))
    return intent


def called_off(account: Account, intent: Object, reason: str | None, *, expired: bool = False) -> None:
    """Cancel, with a hold let go."""
    held = intent["status"] == "requires_capture"
    intent.update(
        status="canceled", canceled_at=account.now, cancellation_reason=reason, amount_capturable=0, next_action=None,
    )  # fmt: skip
    store(account, intent)
    if held:
        charge = account.get("charge", intent["latest_charge"])
        if charge is not None:
            charges.let_go(account, charge, expired=expired)
    events.emit(account, "payment_intent.canceled", intent)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_intents/{intent}: everything before success, afterwards description and metadata."""
    intent = retrieve(account, {}, identifier)
    early = intent["status"] in CONFIRMABLE
    if not early and set(params) - {"description", "metadata", "expand"}:
        name = min(set(params) - {"description", "metadata", "expand"})
        raise invalid(
            f"This PaymentIntent's {name} could not be updated because it has a status of {intent['status']}. Only description and metadata can "
            "change now.",
            param=name,
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    _check(account, params)
    draft = events.snapshot(intent)
    if params.get("customer") and intent["customer"] not in {None, params["customer"]}:
        raise invalid("The customer of an intent can be set once only.", param="customer")
    if params.get("currency"):
        draft["currency"] = checked_currency(params["currency"])
    if params.get("amount") is not None or params.get("currency"):
        draft["amount"] = checked_amount(params.get("amount") or draft["amount"], draft["currency"])
    if params.get("payment_method_types"):
        _types(draft, params)
    elif params.get("payment_method_options"):
        _options(draft, params)
    _describe(account, draft, params)
    method = _method_given(account, draft, params)
    draft["last_payment_error"] = None if set(params) - {"expand"} else draft["last_payment_error"]
    if method is not None:
        draft.update(payment_method=method["id"], status="requires_confirmation", next_action=None)
    intent.clear()
    intent.update(draft)
    store(account, intent)
    return intent


def increment(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_intents/{intent}/increment_authorization: cards in person only, which the sandbox has none of."""
    retrieve(account, {}, identifier)
    raise invalid(
        "The payment method of this intent does not support incremental authorization.",
        code="payment_intent_incompatible_payment_method",
    )


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/payment_intents/{intent}."""
    intent = account.find("payment_intent", identifier, "intent", what="payment_intent", status=404)
    if params.get("client_secret") and params["client_secret"] != intent["client_secret"]:
        raise invalid("The client_secret does not match the one of this intent.", param="client_secret")
    return intent


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/payment_intents."""
    return page(account, "payment_intent", params, "/v1/payment_intents", filters=("customer",))


def searching(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/payment_intents/search."""
    return search(account, "payment_intent", params, "/v1/payment_intents/search")


ROUTES: dict[str, Handler] = {
    "GET /v1/payment_intents": listing,
    "POST /v1/payment_intents": create,
    "GET /v1/payment_intents/search": searching,
    "GET /v1/payment_intents/{intent}": retrieve,
    "POST /v1/payment_intents/{intent}": update,
    "POST /v1/payment_intents/{intent}/confirm": confirm,
    "POST /v1/payment_intents/{intent}/capture": capture,
    "POST /v1/payment_intents/{intent}/cancel": cancel,
    "POST /v1/payment_intents/{intent}/increment_authorization": increment,
}
