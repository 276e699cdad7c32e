"""Sources, the way to pay before payment methods: a card or a bank debit is chargeable at once, what sends
the payer away is when he comes back.

`POST /v1/test_helpers/sources/{source}/authorize` (outcome succeed or fail) answers for the payer. What a
charge used is consumed, unless it is reusable and a customer's.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, missing, missing_param
from stripe_magics.sandbox.api.pagination import Page, of_objects
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency, checked_email
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.generic import object_shapes as shapes
from stripe_magics.sandbox.resources.payment_methods.card_tokens import spend_card
from stripe_magics.sandbox.resources.payment_methods.method_creation import address, card_of, from_data
from stripe_magics.sandbox.resources.payment_methods.test_cards import ONLY_IN

REDIRECTING = frozenset({"alipay", "bancontact", "eps", "giropay", "ideal", "p24", "sofort", "wechat"})


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/sources."""
    kind = params.get("type") or ("card" if params.get("token") else None)
    if kind is None:
        raise missing_param("type")
    if kind not in {"card", "sepa_debit", *REDIRECTING}:
        raise invalid_before_execution(f"The sandbox doesn't simulate sources of type {kind}.", param="type")
    if params.get("customer"):
        account.find("customer", params["customer"], "customer")
    source = shapes.new("source")
    identifier = account.new_id("src")
    source.update(
        id=identifier, amount=params.get("amount"),
        client_secret=f"src_client_secret_{account.letters(identifier, 24)}", created=account.now,
        currency=checked_currency(params["currency"]) if params.get("currency") else None, flow="none",
        metadata=merged_metadata({}, params.get("metadata")), owner=_owner(params.get("owner")),
        status="chargeable", type=kind, usage=params.get("usage") or "reusable",
        statement_descriptor=params.get("statement_descriptor"), source_order=None,
    )  # fmt: skip
    source.update(_details(account, source, kind, params))
    if params.get("customer"):
        source["customer"] = params["customer"]
    account.add("source", source)
    if source["status"] == "chargeable":
        events.emit(account, "source.chargeable", source)
    return source


def _owner(given: Object | None) -> Object:
    given = given or {}
    checked_email(given.get("email"), "owner[email]")
    named: Object = {name: given.get(name) for name in ("email", "name", "phone")}
    place = address(given["address"]) if given.get("address") else None
    verified = {f"verified_{name}": None for name in ("address", "email", "name", "phone")}
    return {"address": place, **named, **verified}


def _details(account: Account, source: Object, kind: str, params: dict[str, Any]) -> Object:
    if kind == "card" and params.get("redirect"):
        raise invalid_before_execution(
            "A card sends its payer nowhere: redirect goes with other types.", param="redirect[return_url]"
        )
    if kind == "card":
        if not params.get("token"):
            raise missing_param("token")
        card, more = spend_card(account, params["token"], "token")
        shown = card_of(
            account, card, exp_month=more.get("exp_month", 12), exp_year=more.get("exp_year", 2034)
        )
        account.private_state[source["id"]] = {
            "number": card.number,
            "exp": [shown["exp_month"], shown["exp_year"]],
        }
        names = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
        return {
            "card": {
                **{name: shown[name] for name in names},
                "cvc_check": None,
                "name": more.get("name"),
                "three_d_secure": "optional",
            }
        }
    if kind == "sepa_debit":
        raise invalid(
            "The sandbox takes IBANs by payment methods of type sepa_debit: sources of that type need"
            " Stripe.js.",
            param="type",
        )
    for name in ("amount", "currency"):
        if params.get(name) is None:
            raise missing_param(name)
    back = (params.get("redirect") or {}).get("return_url")
    if not back:
        raise missing_param("redirect[return_url]")
    if ONLY_IN.get(kind, source["currency"]) != source["currency"]:
        raise invalid(f"A source of type {kind} pays in {ONLY_IN[kind]} only.", param="currency")
    url = f"https://hooks.stripe.com/sandbox/redirect/{source['id']}"
    redirect = {"failure_reason": None, "return_url": back, "status": "pending", "url": url}
    return {"status": "pending", "flow": "redirect", "usage": "single_use", "redirect": redirect, kind: {}}


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/sources/{source}."""
    source = account.find("source", identifier, "source", status=404)
    if params.get("client_secret") and params["client_secret"] != source["client_secret"]:
        raise invalid("The client_secret does not match the one of this source.", param="client_secret")
    return source


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/sources/{source}: its owner, metadata and, before it is charged, its amount."""
    source = retrieve(account, {}, identifier)
    if params.get("amount") is not None:
        if source["status"] == "consumed":
            raise invalid("The amount of a source that was consumed can't be changed.", param="amount")
        source["amount"] = params["amount"]
    if params.get("owner"):
        source["owner"] = {
            **source["owner"],
            **{name: value for name, value in _owner(params["owner"]).items() if value is not None},
        }
    if "metadata" in params:
        source["metadata"] = merged_metadata(source["metadata"], params["metadata"])
    return account.save("source", source)


def authorize(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """The payer comes back (a helper's path)."""
    source = retrieve(account, {}, identifier)
    if source["status"] != "pending":
        raise invalid(f"This source does not wait for its payer: its status is {source['status']}.")
    passed = (params.get("outcome") or "succeed") == "succeed"
    source["status"] = "chargeable" if passed else "failed"
    source["redirect"] = {
        **source["redirect"],
        "status": "succeeded" if passed else "failed",
        "failure_reason": None if passed else "user_abort",
    }
    account.save("source", source)
    events.emit(account, "source.chargeable" if passed else "source.failed", source)
    return source


def attach(account: Account, source: Object, customer: str) -> Object:
    """Give a source to a customer."""
    if source["status"] != "chargeable" or source["usage"] != "reusable":
        raise invalid(
            f"Only reusable sources that are chargeable can be a customer's: {source['id']} is"
            f" {source['usage']} and {source['status']}."
        )
    if source.get("customer") not in {None, customer}:
        raise invalid("This source belongs to another customer.", param="source")
    source["customer"] = customer
    return account.save("source", source)


def detach(account: Account, source: Object) -> Object:
    """Take it from its customer: it can't be charged any more."""
    source.update(status="consumed")
    source.pop("customer", None)
    account.save("source", source)
    events.emit(account, "source.canceled", source)
    return source


def method_of(account: Account, identifier: str, customer: str | None) -> Object:
    """The payment method that stands in for a source when it is charged; used up unless it is reusable and
    the customer's."""
    source = account.find("source", identifier, "source")
    if source["status"] != "chargeable":
        raise invalid(
            f"The source you provided is not in a chargeable state: its status is {source['status']}.",
            param="source",
            code="source_not_chargeable",
        )
    if source.get("customer") != customer and source.get("customer"):
        raise missing("source", identifier, "source", status=400)
    if source["usage"] == "single_use" or not source.get("customer"):
        source["status"] = "consumed"
        account.save("source", source)
    if source["type"] != "card":
        return from_data(account, {"type": source["type"]}, "")
    kept = account.private_state[identifier]
    card = {"number": kept["number"], "exp_month": kept["exp"][0], "exp_year": kept["exp"][1]}
    return from_data(account, {"type": "card", "card": card}, "")


def transactions(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/sources/{source}/source_transactions: only sources that receive transfers have any."""
    retrieve(account, {}, identifier)
    return of_objects([], params, f"/v1/sources/{identifier}/source_transactions")


SHAPES: dict[str, dict[str, Any]] = {
    "POST /v1/test_helpers/sources/{source}/authorize": {
        "outcome": {"e": ["succeed", "fail"]},
        "expand": {"a": "s"},
    }
}
ROUTES: dict[str, Handler] = {
    "POST /v1/sources": create,
    "GET /v1/sources/{source}": retrieve,
    "POST /v1/sources/{source}": update,
    "GET /v1/sources/{source}/source_transactions": transactions,
    "POST /v1/test_helpers/sources/{source}/authorize": authorize,
}
