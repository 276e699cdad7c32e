"""What a bank's decline code means for whoever asked for the payment: one line each, and whether trying again
can help.

`AGAIN` the same card may work later; `OTHER` ask for another card or way to pay; `FIX` correct what was
entered; `NEVER` don't try this card again. The codes of `SILENT` must not be told to the customer: say that
the card was declined.
"""

from __future__ import annotations

AGAIN, OTHER, FIX, NEVER = "again", "other", "fix", "never"

DECLINES: dict[str, tuple[str, str]] = {
    "approve_with_id": ("The bank could not authorise the payment.", AGAIN),
    "authentication_required": ("The bank wants the customer to authenticate (3D Secure).", FIX),
    "authentication_not_handled": ("The customer's authentication was not completed.", FIX),
    "call_issuer": ("The bank gives no reason; the customer can ask it.", OTHER),
    "card_not_supported": ("The card can't be used for this kind of purchase.", OTHER),
    "card_velocity_exceeded": ("The card's balance or limit is used up.", OTHER),
    "currency_not_supported": ("The card can't be used in this currency.", OTHER),
    "do_not_honor": ("The bank gives no reason; the customer can ask it.", OTHER),
    "do_not_try_again": ("The bank doesn't want this card to be tried again.", NEVER),
    "duplicate_transaction": (
        "The same amount was charged to this card moments ago. Look whether that payment went through.",
        OTHER,
    ),
    "expired_card": ("The card has expired.", OTHER),
    "fraudulent": ("Stripe takes the payment for fraud.", NEVER),
    "generic_decline": ("The bank gives no reason; the customer can ask it.", OTHER),
    "highest_risk_level": ("Stripe Radar blocked the payment.", NEVER),
    "incorrect_address": ("The address is wrong.", FIX),
    "incorrect_cvc": ("The security code is wrong.", FIX),
    "incorrect_number": ("The card number is wrong.", FIX),
    "incorrect_pin": ("The PIN is wrong.", FIX),
    "incorrect_zip": ("The postal code is wrong.", FIX),
    "insufficient_funds": ("There is not enough money on the account.", OTHER),
    "invalid_account": ("The card or its account is not valid.", OTHER),
    "invalid_amount": ("The amount is not valid or over what the bank allows.", OTHER),
    "invalid_cvc": ("The security code is wrong.", FIX),
    "invalid_expiry_month": ("The expiry month is wrong.", FIX),
    "invalid_expiry_year": ("The expiry year is wrong.", FIX),
    "invalid_number": ("The card number is wrong.", FIX),
    "invalid_pin": ("The PIN is wrong.", FIX),
    "issuer_not_available": ("The bank can't be reached.", AGAIN),
    "lost_card": ("The card was reported lost.", NEVER),
    "merchant_blacklist": ("The card is on this account's block list.", NEVER),
    "mobile_device_authentication_required": ("The customer has to authenticate on the phone.", FIX),
    "new_account_information_available": ("The card or its account has changed.", OTHER),
    "no_action_taken": ("The bank gives no reason; the customer can ask it.", OTHER),
    "not_permitted": ("The payment is not permitted.", OTHER),
    "offline_pin_required": ("The card needs its PIN.", FIX),
    "online_or_offline_pin_required": ("The card needs its PIN.", FIX),
    "pickup_card": ("The card can't be used; it may have been reported lost or stolen.", NEVER),
    "pin_try_exceeded": ("The PIN was tried too often.", OTHER),
    "previously_declined_do_not_retry": ("This card was declined before and must not be tried again.", NEVER),
    "processing_error": ("Something failed while the card was processed.", AGAIN),
    "reenter_transaction": ("The bank could not process the payment.", AGAIN),
    "restricted_card": ("The card can't be used; it may have been reported lost or stolen.", NEVER),
    "revocation_of_all_authorizations": ("The customer stopped all payments with this card.", NEVER),
    "revocation_of_authorization": ("The customer stopped this payment.", NEVER),
    "security_violation": ("The bank gives no reason; the customer can ask it.", OTHER),
    "service_not_allowed": ("The bank gives no reason; the customer can ask it.", OTHER),
    "stolen_card": ("The card was reported stolen.", NEVER),
    "stop_payment_order": ("The customer stopped this payment.", NEVER),
    "testmode_decline": ("A test card was used in live mode or a real card in test mode.", FIX),
    "transaction_not_allowed": ("The bank doesn't allow this payment.", OTHER),
    "try_again_later": ("The bank gives no reason; it may work later.", AGAIN),
    "withdrawal_count_limit_exceeded": ("The card's balance or limit is used up.", OTHER),
}

SILENT = frozenset(
    {
        "fraudulent",
        "lost_card",
        "stolen_card",
        "pickup_card",
        "merchant_blacklist",
        "highest_risk_level",
        "restricted_card",
    }
)

ADVICE = {
    AGAIN: "It can be tried once more later; otherwise ask for another card.",
    OTHER: "Ask for another card; do not submit this one again today.",
    FIX: "Correct it and continue.",
    NEVER: "Do not try this card again. Ask for another way to pay.",
}


def explain(code: str, advice_code: str = "") -> tuple[str, str]:
    """The reason and what to do, for a decline code. Stripe's own advice code wins where it is stricter."""
    reason, kind = DECLINES.get(code, ("The bank gives no reason.", OTHER))
    if advice_code == "do_not_try_again":
        kind = NEVER
    advice = ADVICE[kind]
    if code in SILENT:
        advice += " Tell the customer only that the card was declined."
    return reason, advice
