"""What an intent is made of: its parts, the payment method types that may pay it, their options, and the
method that a call names."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import ApiError, invalid, invalid_before_execution
from stripe_magics.sandbox.core.checks import checked_descriptor, checked_email
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import payment_method_configurations as configurations
from stripe_magics.sandbox.resources.cash_balances import intent_funding
from stripe_magics.sandbox.resources.connect import connected_payments
from stripe_magics.sandbox.resources.connect.application_fees import application
from stripe_magics.sandbox.resources.payment_intents.payment_attempts import redirects
from stripe_magics.sandbox.resources.payment_methods.method_creation import from_data, full_shipping
from stripe_magics.sandbox.resources.payment_methods.payment_methods import use
from stripe_magics.sandbox.resources.payment_methods.test_cards import DEBITS, ONLY_IN

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
_PLAIN = (
    "description",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


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
        "application": application(account) if account.platform is not None else None,
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


def check(account: Account, params: dict[str, Any], intent: Object | None = None) -> None:
    """What can be wrong with values whichever call they come by."""
    checked_descriptor(params, "statement_descriptor", "statement_descriptor_suffix")
    checked_email(params.get("receipt_email"), "receipt_email")
    connected_payments.check(account, params, intent)
    if params.get("payment_method") and params.get("payment_method_data"):
        raise invalid_before_execution(
            "You can only pass one of payment_method and payment_method_data.", param="payment_method_data"
        )
    if params.get("mandate") and params.get("mandate_data"):
        raise invalid_before_execution(
            "You can only pass one of mandate and mandate_data.", param="mandate_data"
        )
    if params.get("mandate"):
        account.find("mandate", params["mandate"], "mandate")
    if params.get("customer"):
        account.find("customer", params["customer"], "customer")


def set_types(intent: Object, params: dict[str, Any]) -> None:
    """Which payment method types may pay: those named, or whatever is switched on."""
    given = params.get("payment_method_types")
    automatic = params.get("automatic_payment_methods")
    if given and automatic and automatic.get("enabled"):
        raise invalid_before_execution(
            "You may only specify one of payment_method_types and automatic_payment_methods.",
            param="automatic_payment_methods",
        )
    if given:
        for kind in given:
            if kind not in TYPES:
                raise invalid_before_execution(
                    f"The payment method type '{kind}' is invalid.", param="payment_method_types"
                )
            if ONLY_IN.get(kind, intent["currency"]) != intent["currency"]:
                raise invalid(
                    f"The currency {intent['currency']} is not supported by the payment method type {kind},"
                    f" which takes {ONLY_IN[kind]}.",
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
        intent["payment_method_types"] = [
            "card",
            *(kind for kind, currency in DEBITS.items() if currency == intent["currency"]),
        ]
    set_options(intent, params)


def configure(account: Account, intent: Object, params: dict[str, Any]) -> None:
    """Which of the automatic payment methods a configuration leaves: the one that is named, or the account's
    own once it was changed."""
    named = params.get("payment_method_configuration")
    if intent["automatic_payment_methods"] is None:
        if named:
            raise invalid(
                "payment_method_configuration goes with automatic payment methods: leave out"
                " payment_method_types.",
                param="payment_method_configuration",
            )
        return
    if not named and not account.table(configurations.KIND).rows:
        return
    configuration, on = configurations.allowed(account, named)
    types = [each for each in intent["payment_method_types"] if each in on]
    if not types:
        raise invalid(
            "No valid payment method types for this Payment Intent: its configuration has none on.",
            param="payment_method_configuration",
        )
    for gone in set(intent["payment_method_types"]).difference(types):
        intent["payment_method_options"].pop(gone, None)
    intent["payment_method_types"] = types
    if configuration is not None:
        intent["payment_method_configuration_details"] = {
            "id": configuration["id"],
            "parent": configuration["parent"],
        }


def set_options(intent: Object, params: dict[str, Any]) -> None:
    """Options by type, over what Stripe shows without any."""
    options = {
        kind: dict(intent["payment_method_options"].get(kind, {})) for kind in intent["payment_method_types"]
    }
    if "card" in options and not options["card"]:
        options["card"] = {
            "installments": None,
            "mandate_options": None,
            "network": None,
            "request_three_d_secure": "automatic",
        }
    funded = intent_funding.options(intent, params)
    if intent_funding.TYPE in options:
        options[intent_funding.TYPE] = funded
    for kind, given in (params.get("payment_method_options") or {}).items():
        if kind not in options:
            if intent["automatic_payment_methods"] is None:
                raise invalid(
                    f"payment_method_options[{kind}] needs {kind} among payment_method_types.",
                    param=f"payment_method_options[{kind}]",
                )
            options[kind] = {}
        if kind == intent_funding.TYPE:
            options[kind] = funded
            continue
        for name, value in (given or {}).items():
            shown = (
                {"available_plans": [], "enabled": value.get("enabled", False), "plan": value.get("plan")}
                if name == "installments" and value
                else value
            )
            options[kind][name] = shown
    intent["payment_method_options"] = options


def describe(account: Account, intent: Object, params: dict[str, Any]) -> None:
    """Set what was given and is simply kept."""
    take(intent, params, _PLAIN)
    for name in ("customer", "capture_method", "confirmation_method"):
        if params.get(name):
            intent[name] = params[name]
    connected_payments.describe(intent, params)
    if "metadata" in params:
        intent["metadata"] = merged_metadata(intent["metadata"], params["metadata"])
    if "shipping" in params:
        intent["shipping"] = full_shipping(params["shipping"])


def method_given(account: Account, intent: Object, params: dict[str, Any]) -> Object | None:
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
            f"The PaymentMethod {method['id']} belongs to a customer. Include that customer in the `customer`"
            " parameter of the intent to use it.",
            param="payment_method",
        )
    allowed = intent["payment_method_types"]
    if method["type"] not in allowed and intent["automatic_payment_methods"] is None:
        raise invalid(
            f"The PaymentMethod is of type {method['type']}, but the intent takes only:"
            f" {', '.join(allowed)}.",
            param="payment_method",
        )
    if ONLY_IN.get(method["type"], intent["currency"]) != intent["currency"]:
        raise invalid(
            f"A payment method of type {method['type']} pays in {ONLY_IN[method['type']]} only.",
            param="payment_method",
        )
    if method["type"] not in allowed:
        intent["payment_method_types"] = [*allowed, method["type"]]
    return method


def no_method() -> ApiError:
    return invalid(
        "You cannot confirm this PaymentIntent because it's missing a payment method. Give payment_method or"
        " payment_method_data.",
        code="payment_intent_unexpected_state",
    )


def check_method(intent: Object, method: Object, params: dict[str, Any]) -> None:
    """Where the payer may be sent away there must be an address to come back to."""
    automatic = intent["automatic_payment_methods"]
    redirecting = automatic and automatic["allow_redirects"] == "always" and not intent["invoice"]
    away = params.get("off_session") not in {None, False}
    if redirecting and not away and not params.get("return_url") and not params.get("use_stripe_sdk"):
        raise invalid(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because"
            " some of these payment methods might redirect your customer off of your page, you must provide a"
            " `return_url`. If you don't want to accept redirect-based payment methods, set"
            " `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]`"
            " to `never` when creating Setup Intents and Payment Intents.",
            param="return_url",
        )
    if redirects(method) and automatic and automatic["allow_redirects"] == "never":
        raise invalid(
            f"The intent allows no redirects, which {method['type']} needs.", param="payment_method"
        )
    if redirects(method) and not params.get("return_url"):
        raise invalid(
            f"A return_url must be given to confirm with {method['type']}, which sends the payer to another"
            " page.",
            param="return_url",
        )
