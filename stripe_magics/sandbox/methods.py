"""Payment methods: made of test cards, tokens and bank numbers, attached to customers, detached.

`pm_card_visa` and its like are templates: each use makes a new payment method. What a method's charges will bring is noted beside it, since the
object itself does not tell.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox import events
from stripe_magics.sandbox.account import Account, Object
from stripe_magics.sandbox.changes import merged_metadata
from stripe_magics.sandbox.lists import Page, page
from stripe_magics.sandbox.problems import absent, declined, invalid, missing
from stripe_magics.sandbox.protocol import Handler
from stripe_magics.sandbox.testcards import BY_NUMBER, CARDS, DEBITS, IBANS, OUTCOMES, US_ACCOUNTS, Card, Outcome

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def address(given: dict[str, Any] | None) -> Object:
    """An address with all six parts."""
    return {part: (given or {}).get(part) for part in ADDRESS}


def billing(given: dict[str, Any] | None) -> Object:
    """Billing details with every part."""
    given = given or {}
    return {
        "address": address(given.get("address")),
        "email": given.get("email"),
        "name": given.get("name"),
        "phone": given.get("phone"),
    }


def outcome_of(account: Account, identifier: str) -> Outcome:
    """What charging a method will bring."""
    return OUTCOMES[account.notes.get(identifier, {}).get("outcome", "succeeds")]


def card_of(account: Account, card: Card, *, exp_month: int = 12, exp_year: int = 2034, cvc: bool = True) -> Object:
    """The `card` part of a payment method."""
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "unchecked" if cvc else None},
        "country": card.country,
        "display_brand": {"amex": "american_express"}.get(card.brand, card.brand),
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": account.letters(f"fingerprint{card.number}", 16),
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def new_method(
    account: Account,
    kind: str,
    details: Object,
    *,
    outcome: str = "succeeds",
    billing_details: Any = None,
    metadata: Any = None,
    redisplay: str = "unspecified",
) -> Object:
    """Take in a new payment method."""
    method: Object = {
        "id": account.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": redisplay,
        "billing_details": billing(billing_details),
        kind: details,
        "created": account.now,
        "customer": None,
        "livemode": False,
        "metadata": {name: value for name, value in (metadata or {}).items() if value},
        "type": kind,
    }
    if outcome not in {"succeeds", "debit"}:
        account.notes[method["id"]] = {"outcome": outcome}
    return account.add("payment_method", method)


def use(account: Account, identifier: str, param: str = "payment_method") -> Object:
    """The method that an id names; a template (`pm_card_visa`) makes a new one."""
    template = _template(identifier)
    if template is not None:
        return new_method(account, "card", card_of(account, template), outcome=template.outcome)
    if identifier == "pm_usBankAccount_success":
        return new_method(account, "us_bank_account", _us_bank_account(account, {}), outcome="debit")
    found = account.get("payment_method", identifier)
    if found is not None:
        return found
    card = account.peek("card", identifier)
    if card is None:
        raise missing("PaymentMethod", identifier, param, status=400)
    return _of_card(account, card)


def _template(identifier: str) -> Card | None:
    return CARDS.get(identifier.removeprefix("pm_card_")) if identifier.startswith("pm_card_") else None


def _of_card(account: Account, card: Object) -> Object:
    """An older card object used as a payment method: a method with the same card stands in for it."""
    details = card_of(
        account, BY_NUMBER[account.notes[card["id"]]["number"]], exp_month=card["exp_month"], exp_year=card["exp_year"]
    )
    method = new_method(account, "card", details, outcome=account.notes[card["id"]].get("outcome", "succeeds"))
    method["customer"] = card["customer"]
    return account.save("payment_method", method)


def from_data(account: Account, data: dict[str, Any], prefix: str) -> Object:
    """A new method from `payment_method_data` or the parameters of its own endpoint."""
    kind = data.get("type")
    if kind is None:
        raise absent(f"{prefix}[type]" if prefix else "type")
    where = f"{prefix}[{kind}]" if prefix else kind
    details = data.get(kind)
    common: dict[str, Any] = {
        "billing_details": data.get("billing_details"),
        "metadata": data.get("metadata"),
        "redisplay": data.get("allow_redisplay") or "unspecified",
    }
    if kind == "card":
        if not details:
            raise absent(where)
        card, outcome = _card(details, where)
        made = card_of(
            account,
            card,
            exp_month=details.get("exp_month") or 12,
            exp_year=details.get("exp_year") or 2034,
            cvc="cvc" in details,
        )
        return new_method(account, "card", made, outcome=outcome, **common)
    if kind == "sepa_debit":
        if not details or not details.get("iban"):
            raise absent(f"{where}[iban]")
        return new_method(
            account,
            kind,
            _sepa_debit(account, details["iban"], where),
            outcome=IBANS.get(_iban(details["iban"]), "debit"),
            **common,
        )
    if kind == "us_bank_account":
        number = (details or {}).get("account_number")
        if not number:
            raise absent(f"{where}[account_number]")
        return new_method(
            account, kind, _us_bank_account(account, details or {}), outcome=US_ACCOUNTS.get(number, "debit"), **common
        )
    return new_method(
        account, kind, _other(account, kind, details or {}), outcome="debit" if kind in DEBITS else "succeeds", **common
    )


def _card(details: dict[str, Any], where: str) -> tuple[Card, str]:
    token = details.get("token")
    if token:
        card = CARDS.get(token.removeprefix("tok_"))
        if card is None:
            raise missing("token", token, f"{where}[token]", status=400)
        return card, card.outcome
    number = details.get("number", "").replace(" ", "")
    card = BY_NUMBER.get(number)
    if card is None:
        raise declined(
            "Your card number is not one of Stripe's test cards, the only ones that the sandbox knows.",
            code="incorrect_number",
            param="number",
        )
    return card, card.outcome


def _iban(text: str) -> str:
    return text.replace(" ", "").upper()


def _sepa_debit(account: Account, iban: str, where: str) -> Object:
    iban = _iban(iban)
    if len(iban) < 15 or not iban[:2].isalpha() or not iban[2:4].isdigit() or not iban.isalnum():
        raise invalid("The IBAN you provided is invalid.", param=f"{where}[iban]", code="invalid_iban")
    return {
        "bank_code": iban[4:9],
        "branch_code": None,
        "country": iban[:2],
        "fingerprint": account.letters(f"iban{iban}", 16),
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": iban[-4:],
    }


def _us_bank_account(account: Account, given: dict[str, Any]) -> Object:
    number = given.get("account_number") or "000123456789"
    return {
        "account_holder_type": given.get("account_holder_type") or "individual",
        "account_type": given.get("account_type") or "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": account.letters(f"us{number}", 16),
        "last4": number[-4:],
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": given.get("routing_number") or "110000000",
        "status_details": {},
    }


def _other(account: Account, kind: str, given: dict[str, Any]) -> Object:
    """Other types: what was given, without whole account numbers."""
    shown = {name: value for name, value in given.items() if name != "account_number"}
    if "account_number" in given:
        shown["last4"] = given["account_number"][-4:]
        shown["fingerprint"] = account.letters(f"{kind}{given['account_number']}", 16)
    return shown


def shown_on_charge(method: Object, *, secured: bool = False, installments: Any = None, amount: int = 0) -> Object:
    """`payment_method_details` of a charge."""
    kind = method["type"]
    details = dict(method[kind])
    if kind == "card":
        for name in ("display_brand", "generated_from", "networks", "three_d_secure_usage"):
            details.pop(name, None)
        details.update(
            amount_authorized=amount,
            authorization_code=None,
            checks={**details["checks"], "cvc_check": "pass" if details["checks"]["cvc_check"] else None},
            extended_authorization={"status": "disabled"},
            incremental_authorization={"status": "unavailable"},
            installments=installments,
            mandate=None,
            multicapture={"status": "unavailable"},
            network=details["brand"],
            network_token={"used": False},
            overcapture={"maximum_amount_capturable": amount, "status": "unavailable"},
            three_d_secure={"authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0"}
            if secured
            else None,
        )
    if kind == "sepa_debit":
        details.pop("generated_from", None)
        details["mandate"] = None
    return {kind: details, "type": kind}


def attach_to(account: Account, method: Object, customer: Object) -> Object:
    """Attach a method to a customer; refuses a card that fails the check, and one that belongs to somebody else."""
    if method["customer"] == customer["id"]:
        return method
    if method["customer"] is not None:
        raise invalid("The payment method you provided has already been attached to a customer.", param="payment_method")
    outcome = outcome_of(account, method["id"])
    if not outcome.attaches:
        raise declined(outcome.message, code=outcome.code, decline_code=outcome.decline_code, param=outcome.param)
    method["customer"] = customer["id"]
    account.save("payment_method", method)
    events.emit(account, "payment_method.attached", method)
    return method


# endpoints


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/payment_methods."""
    if params.get("customer") or params.get("payment_method"):
        raise invalid(
            "Cloning payment methods between accounts is a matter of Connect, which the sandbox does not have.",
            param="payment_method",
        )
    return from_data(account, params, "")


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/payment_methods/{payment_method}."""
    return account.find("payment_method", identifier, "payment_method", what="PaymentMethod", status=404)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_methods/{payment_method}: billing details, metadata, a card's expiry."""
    method = retrieve(account, params, identifier)
    if method["customer"] is None:
        raise invalid("You must save this PaymentMethod to a customer before you can update it.")
    before = events.snapshot(method)
    if "billing_details" in params:
        given = params["billing_details"] or {}
        merged = {**method["billing_details"], **{name: value for name, value in given.items() if name != "address"}}
        if "address" in given:
            merged["address"] = (
                address({**method["billing_details"]["address"], **(given["address"] or {})})
                if given["address"]
                else address(None)
            )
        method["billing_details"] = merged
    if "metadata" in params:
        method["metadata"] = merged_metadata(method["metadata"], params["metadata"])
    if params.get("card") and method["type"] == "card":
        method["card"] = {
            **method["card"],
            **{name: value for name, value in params["card"].items() if name in {"exp_month", "exp_year"}},
        }
    account.save("payment_method", method)
    events.emit(account, "payment_method.updated", method, before)
    return method


def attach(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_methods/{payment_method}/attach."""
    customer = account.find("customer", params["customer"], "customer")
    if _template(identifier) is None:
        retrieve(account, params, identifier)
    return attach_to(account, use(account, identifier), customer)


def detach(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_methods/{payment_method}/detach."""
    method = retrieve(account, params, identifier)
    if method["customer"] is None:
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.")
    before = events.snapshot(method)
    customer = account.get("customer", method["customer"])
    if customer is not None and customer["invoice_settings"]["default_payment_method"] == identifier:
        customer["invoice_settings"] = {**customer["invoice_settings"], "default_payment_method": None}
        account.save("customer", customer)
    method["customer"] = None
    account.save("payment_method", method)
    events.emit(account, "payment_method.detached", method, before)
    return method


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/payment_methods: those of a customer."""
    if not params.get("customer"):
        return Page([], "/v1/payment_methods", has_more=False)
    if account.peek("customer", params["customer"]) is None:
        raise missing("customer", params["customer"], "customer", status=400)
    return page(account, "payment_method", params, "/v1/payment_methods", filters=("customer", "type"))


def of_customer(account: Account, params: dict[str, Any], customer: str) -> Page:
    """GET /v1/customers/{customer}/payment_methods."""
    account.find("customer", customer, "customer", status=404)
    return page(
        account,
        "payment_method",
        {**params, "customer": customer},
        f"/v1/customers/{customer}/payment_methods",
        filters=("customer", "type"),
    )


def one_of_customer(account: Account, params: dict[str, Any], customer: str, identifier: str) -> Object:
    """GET /v1/customers/{customer}/payment_methods/{payment_method}."""
    method = account.get("payment_method", identifier)
    if method is None or method["customer"] != customer:
        raise missing("PaymentMethod", identifier, "payment_method")
    return method


def mandate(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/mandates/{mandate}."""
    return account.find("mandate", identifier, "mandate", status=404)


ROUTES: dict[str, Handler] = {
    "POST /v1/payment_methods": create,
    "GET /v1/payment_methods": listing,
    "GET /v1/payment_methods/{payment_method}": retrieve,
    "POST /v1/payment_methods/{payment_method}": update,
    "POST /v1/payment_methods/{payment_method}/attach": attach,
    "POST /v1/payment_methods/{payment_method}/detach": detach,
    "GET /v1/customers/{customer}/payment_methods": of_customer,
    "GET /v1/customers/{customer}/payment_methods/{payment_method}": one_of_customer,
    "GET /v1/mandates/{mandate}": mandate,
}
