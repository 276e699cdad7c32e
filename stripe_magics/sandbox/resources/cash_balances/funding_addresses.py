"""Where customers send bank transfers: the kinds of transfer, the account that a customer is given, and the
instructions that show it."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing_param
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.payment_methods.method_creation import address

BANK_TRANSFERS = {
    "eur": "eu_bank_transfer", "gbp": "gb_bank_transfer", "jpy": "jp_bank_transfer",
    "mxn": "mx_bank_transfer", "usd": "us_bank_transfer",
}  # fmt: skip
"""Currency -> the one kind of transfer that brings it."""
EU_COUNTRIES = frozenset({"BE", "DE", "ES", "FR", "IE", "NL"})
_KINDS = {
    "eu_bank_transfer": ("iban",), "gb_bank_transfer": ("sort_code",), "jp_bank_transfer": ("zengin",),
    "mx_bank_transfer": ("spei",), "us_bank_transfer": ("aba", "swift"),
}  # fmt: skip
_NETWORKS = {
    "aba": ["ach", "domestic_wire_us"], "iban": ["sepa"], "sort_code": ["bacs", "fps"], "spei": ["spei"],
    "swift": ["swift"], "zengin": ["zengin"],
}  # fmt: skip
_COUNTRIES = {
    "gb_bank_transfer": "GB",
    "jp_bank_transfer": "JP",
    "mx_bank_transfer": "MX",
    "us_bank_transfer": "US",
}


def transfer_kind(currency: str, param: str = "currency") -> str:
    """The kind of transfer that brings a currency. Raises a refusal where there is none."""
    if currency not in BANK_TRANSFERS:
        raise invalid(
            f"Bank transfers aren't available in {currency}: they are in {', '.join(BANK_TRANSFERS)}.",
            param=param,
        )
    return BANK_TRANSFERS[currency]


def check_bank_transfer(given: dict[str, Any] | None, currency: str, where: str) -> Object:
    """How the payer is to send money; of the currency's kind, in Europe with a country."""
    kind = transfer_kind(currency)
    if not given:
        raise missing_param(where)
    if not given.get("type"):
        raise missing_param(f"{where}[type]")
    if given["type"] != kind:
        raise invalid(
            f"The bank transfer type {given['type']} doesn't bring {currency}: {kind} does.",
            param=f"{where}[type]",
        )
    country = (given.get("eu_bank_transfer") or {}).get("country")
    if kind == "eu_bank_transfer" and not country:
        raise missing_param(f"{where}[eu_bank_transfer][country]")
    if country and country not in EU_COUNTRIES:
        raise invalid(
            f"Invalid country: {country}. It is one of {', '.join(sorted(EU_COUNTRIES))}.",
            param=f"{where}[eu_bank_transfer][country]",
        )
    asked = given.get("requested_address_types")
    for each in asked or ():
        if each not in _KINDS[kind]:
            raise invalid(
                f"A {kind} has no address of type {each}: {', '.join(_KINDS[kind])}.",
                param=f"{where}[requested_address_types]",
            )
    return {
        **({"eu_bank_transfer": {"country": country}} if kind == "eu_bank_transfer" else {}),
        "requested_address_types": list(asked) if asked else list(_KINDS[kind]),
        "type": kind,
    }


def financial_addresses(account: Account, customer: str, transfer: Object) -> list[Object]:
    """The bank accounts that are a customer's own to pay into: always the same ones."""
    return [_address(account, customer, each, transfer) for each in transfer["requested_address_types"]]


def _digits(account: Account, of: str, length: int) -> str:
    return "".join(str(ord(each) % 10) for each in account.letters(of, length))


def _address(account: Account, customer: str, kind: str, transfer: Object) -> Object:
    country = (transfer.get("eu_bank_transfer") or {}).get("country") or _COUNTRIES[transfer["type"]]
    holder = account.profile["business_profile"]["name"] or "Stripe"
    number = _digits(account, f"funding{customer}{kind}", 11)
    bank = "STRIPE TEST BANK"
    own: Object = {
        "aba": {"account_number": number, "account_type": "checking", "bank_name": bank,
            "routing_number": "110000000"},
        "swift": {"account_number": number, "account_type": "checking", "bank_name": bank,
            "swift_code": "TSTEZ122XXX"},
        "iban": {"bic": "TSTEZ122XXX", "country": country, "iban": f"{country}11000000{number}"},
        "sort_code": {"account_number": number[:8], "sort_code": "000000"},
        "spei": {"bank_code": "002", "bank_name": bank, "clabe": f"0021234{number}"},
        "zengin": {"account_number": number[:7], "account_type": "futsu", "bank_code": "0001",
            "bank_name": bank, "branch_code": "001", "branch_name": "MAIN"},
    }[kind]  # fmt: skip
    place = {**address(None), "country": country}
    named = {"account_holder_address": place, "account_holder_name": holder, "bank_address": place}
    return {kind: {**own, **named}, "supported_networks": _NETWORKS[kind], "type": kind}


def create_instructions(account: Account, params: dict[str, Any], customer: str) -> Object:
    """POST /v1/customers/{customer}/funding_instructions."""
    account.find("customer", customer, "customer", status=404)
    currency = params["currency"].lower()
    transfer = check_bank_transfer(params["bank_transfer"], currency, "bank_transfer")
    country = (transfer.get("eu_bank_transfer") or {}).get("country") or _COUNTRIES[transfer["type"]]
    return {
        "object": "funding_instructions",
        "bank_transfer": {
            "country": country,
            "financial_addresses": financial_addresses(account, customer, transfer),
            "type": transfer["type"],
        },
        "currency": currency,
        "funding_type": "bank_transfer",
        "livemode": False,
    }


def next_action(account: Account, intent: Object, remaining: int) -> Object:
    """What the payer of an intent is shown."""
    options = intent["payment_method_options"].get("customer_balance") or {}
    transfer = options.get("bank_transfer") or {
        "requested_address_types": _KINDS[transfer_kind(intent["currency"])],
        "type": transfer_kind(intent["currency"]),
        **({"eu_bank_transfer": {"country": "IE"}} if intent["currency"] == "eur" else {}),
    }
    token = account.letters(f"instructions{intent['id']}", 40)
    return {
        "display_bank_transfer_instructions": {
            "amount_remaining": remaining,
            "currency": intent["currency"],
            "financial_addresses": financial_addresses(account, intent["customer"], transfer),
            "hosted_instructions_url": f"https://payments.stripe.com/bank_transfers/instructions/test_{token}",
            "reference": reference(account, intent),
            "type": transfer["type"],
        },
        "type": "display_bank_transfer_instructions",
    }


def reference(account: Account, intent: Object) -> str:
    """What the payer is asked to write on the transfer, so that it finds this intent."""
    return account.letters(f"reference{intent['id']}", 8).upper()


ROUTES: dict[str, Handler] = {"POST /v1/customers/{customer}/funding_instructions": create_instructions}
