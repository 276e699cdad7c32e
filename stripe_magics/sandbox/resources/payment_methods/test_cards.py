"""Test cards and test bank accounts: which number brings which outcome. Tables only."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class CardBehaviour:
    """What happens when a method is charged. Without anything said: it succeeds and settles in two business
    days."""

    code: str = ""  # declined with this error code
    decline_code: str = ""
    message: str = ""
    param: str = ""
    authenticate: bool = False  # asks for 3D Secure; what else is said here happens once that succeeded
    unless_set_up: bool = False  # ... but not off session once it is attached to a customer
    attaches: bool = True  # whether it can be attached to a customer
    at_once: bool = False  # funds are available at once
    dispute: str = ""  # disputed after it succeeded, for this reason
    warning: bool = False  # an early fraud warning comes after it succeeded
    inquiry: bool = False  # the dispute is an inquiry: no money moves
    refund: str = ""  # "pending": its refund takes time; "fails": its refund fails later
    blocked: bool = False  # never sent to the bank
    risk: str = "normal"


@dataclass(frozen=True, slots=True)
class Card:
    """A test card. `outcome` is a key of OUTCOMES."""

    number: str
    brand: str = "visa"
    outcome: str = "succeeds"
    funding: str = "credit"
    country: str = "US"


def _declined(
    decline_code: str,
    *,
    code: str = "card_declined",
    message: str = "Your card was declined.",
    param: str = "",
) -> CardBehaviour:
    return CardBehaviour(code=code, decline_code=decline_code, message=message, param=param, attaches=False)


_GENERIC = _declined("generic_decline")
OUTCOMES: dict[str, CardBehaviour] = {
    "succeeds": CardBehaviour(),
    "bypass_pending": CardBehaviour(at_once=True),
    "generic_decline": _GENERIC,
    "insufficient_funds": _declined("insufficient_funds", message="Your card has insufficient funds."),
    "lost_card": _declined("lost_card"),
    "stolen_card": _declined("stolen_card"),
    "card_velocity_exceeded": _declined(
        "card_velocity_exceeded",
        message=(
            "Your card was declined for making repeated attempts too frequently or exceeding its amount"
            " limit."
        ),
    ),
    "expired_card": _declined("", code="expired_card", message="Your card has expired.", param="exp_month"),
    "incorrect_cvc": _declined(
        "", code="incorrect_cvc", message="Your card's security code is incorrect.", param="cvc"
    ),
    "processing_error": _declined(
        "",
        code="processing_error",
        message="An error occurred while processing your card. Try again in a little bit.",
    ),
    "charge_fails": replace(_GENERIC, attaches=True),
    "authentication": CardBehaviour(authenticate=True),
    "authentication_on_setup": CardBehaviour(authenticate=True, unless_set_up=True),
    "authentication_then_decline": replace(_GENERIC, authenticate=True, attaches=True),
    "dispute": CardBehaviour(dispute="fraudulent"),
    "dispute_not_received": CardBehaviour(dispute="product_not_received"),
    "inquiry": CardBehaviour(dispute="general", inquiry=True),
    "refund_pending": CardBehaviour(refund="pending"),
    "refund_fails": CardBehaviour(refund="fails"),
    "blocked": replace(_declined("fraudulent"), blocked=True, risk="highest"),
    "elevated_risk": CardBehaviour(risk="elevated"),
    "fraud_warning": CardBehaviour(warning=True),
    "debit": CardBehaviour(),
    "debit_fails": CardBehaviour(
        code="payment_method_customer_decline", message="The customer's bank refused the debit."
    ),
    "debit_insufficient": CardBehaviour(
        code="insufficient_funds",
        message="The customer's account has insufficient funds to cover this debit.",
    ),
    "debit_disputed": CardBehaviour(dispute="debit_not_authorized"),
}

CARDS: dict[str, Card] = {
    "visa": Card("4242424242424242"),
    "mastercard": Card("5555555555554444", "mastercard"),
    "amex": Card("371449635398431", "amex"),
    "discover": Card("6011000990139424", "discover"),
    "diners": Card("3056930009020004", "diners"),
    "jcb": Card("3566002020360505", "jcb", country="JP"),
    "unionpay": Card("6200000000000005", "unionpay", country="CN"),
    "visa_debit": Card("4000056655665556", funding="debit"),
    "mastercard_debit": Card("5200828282828210", "mastercard", funding="debit"),
    "mastercard_prepaid": Card("5105105105105100", "mastercard", funding="prepaid"),
    "gb": Card("4000008260000000", country="GB"),
    "de": Card("4000002760000016", country="DE"),
    "fr": Card("4000002500000003", country="FR"),
    "bypassPending": Card("4000000000000077", outcome="bypass_pending"),
    "visa_chargeDeclined": Card("4000000000000002", outcome="generic_decline"),
    "visa_chargeDeclinedInsufficientFunds": Card("4000000000009995", outcome="insufficient_funds"),
    "visa_chargeDeclinedLostCard": Card("4000000000009987", outcome="lost_card"),
    "visa_chargeDeclinedStolenCard": Card("4000000000009979", outcome="stolen_card"),
    "visa_chargeDeclinedVelocityLimitExceeded": Card("4000000000006975", outcome="card_velocity_exceeded"),
    "chargeDeclinedExpiredCard": Card("4000000000000069", outcome="expired_card"),
    "chargeDeclinedIncorrectCvc": Card("4000000000000127", outcome="incorrect_cvc"),
    "chargeDeclinedProcessingError": Card("4000000000000119", outcome="processing_error"),
    "chargeCustomerFail": Card("4000000000000341", outcome="charge_fails"),
    "authenticationRequired": Card("4000002760003184", outcome="authentication", country="DE"),
    "threeDSecure2Required": Card("4000000000003220", outcome="authentication"),
    "threeDSecureRequired": Card("4000000000003063", outcome="authentication"),
    "authenticationRequiredOnSetup": Card(
        "4000002500003155", outcome="authentication_on_setup", country="FR"
    ),
    "threeDSecureRequiredChargeDeclined": Card("4000008400001629", outcome="authentication_then_decline"),
    "createDispute": Card("4000000000000259", outcome="dispute"),
    "createDisputeProductNotReceived": Card("4000000000002685", outcome="dispute_not_received"),
    "createDisputeInquiry": Card("4000000000001976", outcome="inquiry"),
    "pendingRefund": Card("4000000000007726", outcome="refund_pending"),
    "refundFail": Card("4000000000005126", outcome="refund_fails"),
    "radarBlock": Card("4100000000000019", outcome="blocked"),
    "riskLevelHighest": Card("4000000000004954", outcome="blocked"),
    "createIssuerFraudRecord": Card("4000000000005423", outcome="fraud_warning"),
    "riskLevelElevated": Card("4000000000009235", outcome="elevated_risk"),
}
_ALSO = {
    "visa_chargeDeclined": ("chargeDeclined",),
    "visa_chargeDeclinedInsufficientFunds": ("chargeDeclinedInsufficientFunds",),
    "visa_chargeDeclinedLostCard": ("chargeDeclinedLostCard",),
    "visa_chargeDeclinedStolenCard": ("chargeDeclinedStolenCard",),
    "visa_chargeDeclinedVelocityLimitExceeded": ("chargeDeclinedVelocityLimitExceeded",),
    "chargeDeclinedExpiredCard": ("visa_chargeDeclinedExpiredCard",),
    "chargeDeclinedIncorrectCvc": ("visa_chargeDeclinedIncorrectCvc",),
    "chargeDeclinedProcessingError": ("visa_chargeDeclinedProcessingError",),
    "createDisputeProductNotReceived": ("createDispute_productNotReceived", "productNotReceived"),
    "createDisputeInquiry": ("createDispute_inquiry", "createInquiry", "inquiry"),
    "authenticationRequiredOnSetup": ("authenticationRequiredSetupForOffSession",),
}
for _name, _others in _ALSO.items():
    for _other in _others:
        CARDS[_other] = CARDS[_name]

_NUMBERS_ALONE = (Card("378282246310005", "amex"), Card("6011111111111117", "discover"))
"""Documented numbers that no token stands for."""

BY_NUMBER: dict[str, Card] = {card.number: card for card in (*CARDS.values(), *_NUMBERS_ALONE)}

IBANS: dict[str, str] = {
    "AT321904300235473204": "debit", "AT611904300234573201": "debit", "DE89370400440532013000": "debit",
    "FR1420041010050500013M02606": "debit", "NL39RABO0300065264": "debit",
    "AT861904300235473202": "debit_fails", "DE62370400440532013001": "debit_fails",
    "AT591904300235473203": "debit_disputed", "DE35370400440532013002": "debit_disputed",
    "AT981904300000343434": "debit_insufficient",
}  # fmt: skip
"""IBAN -> outcome of a debit."""

US_ACCOUNTS: dict[str, str] = {
    "000123456789": "debit", "000111111116": "debit_fails", "000111111113": "debit_fails",
    "000222222227": "debit_insufficient",
    "000333333335": "debit_fails", "000444444440": "debit_fails",
}  # fmt: skip
"""US account number -> outcome of a debit."""

PAYOUT_ACCOUNTS: dict[str, tuple[str, str]] = {
    "000111111116": (
        "no_account",
        (
            "The bank account details on file are probably incorrect. No bank account could be located with"
            " those details."
        ),
    ),
    "000111111113": ("account_closed", "The bank account has been closed."),
    "000222222227": (
        "insufficient_funds",
        "There were not enough funds in your balance to cover this payout.",
    ),
    "000333333335": ("debit_not_authorized", "Debit transactions are not approved on your bank account."),
    "000444444440": (
        "invalid_currency",
        "The bank was unable to process this payout because of its currency.",
    ),
}
"""Account number of a payout's destination -> failure code and message; any other one is paid."""

DEBITS = {
    "sepa_debit": "eur",
    "us_bank_account": "usd",
    "bacs_debit": "gbp",
    "au_becs_debit": "aud",
    "acss_debit": "cad",
}
"""Bank debits (they take days) and the currency that each takes."""

ONLY_IN = {
    **{kind: currency for kind, currency in DEBITS.items() if kind != "acss_debit"}, "bancontact": "eur",
    "ideal": "eur", "sofort": "eur", "giropay": "eur", "eps": "eur", "multibanco": "eur", "boleto": "brl",
    "pix": "brl", "oxxo": "mxn", "konbini": "jpy", "fpx": "myr", "grabpay": "sgd", "paynow": "sgd",
    "promptpay": "thb", "cashapp": "usd", "blik": "pln", "swish": "sek", "twint": "chf",
}  # fmt: skip
"""Payment method types that take one currency."""
