"""What a connected account still has to give, and what is switched on once it has: capabilities, charges,
payouts.

An account is given its facts by parameters, one by one, or by the person behind it on Stripe's pages: `POST
/v1/test_helpers/accounts/{account}/onboard` does that person's part. Which facts were given is remembered,
not what they were.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import missing
from stripe_magics.sandbox.api.pagination import Page, of_objects
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.generic import object_shapes as shapes
from stripe_magics.sandbox.resources.account_objects import (
    connected_member,
    member,
    new_bank,
    own_banks,
    requirements,
)

_PERSON = ("first_name", "last_name", "dob.day", "dob.month", "dob.year")
_ADDRESS = ("address.line1", "address.city", "address.postal_code")
_EVERYBODY = (
    "business_profile.mcc",
    "business_profile.url",
    "business_type",
    "external_account",
    "tos_acceptance.date",
    "tos_acceptance.ip",
)
REQUIRED = {
    "individual": (*_EVERYBODY, *(f"individual.{each}" for each in (*_PERSON, *_ADDRESS, "email", "phone"))),
    "": (
        *_EVERYBODY,
        *(f"company.{each}" for each in ("name", "tax_id", *_ADDRESS)),
        *(f"representative.{each}" for each in _PERSON),
    ),
}
"""Business type ("" is any other) -> the facts that are required."""
_INSTEAD = {"business_profile.url": "business_profile.product_description"}
BANKS = {
    "usd": ("110000000", "000123456789"),
    "gbp": ("108800", "00012345"),
    "eur": (None, "DE89370400440532013000"),
}


def _state(account: Account) -> dict[str, Any]:
    """What is known of a connected account beside its object."""
    kept: dict[str, Any] = account.family.platform.private_state.setdefault(account.profile["id"], {})
    return kept


def _leaves(given: object, name: str) -> list[str]:
    if isinstance(given, dict):
        return [leaf for part, value in given.items() for leaf in _leaves(value, f"{name}.{part}")]
    return [] if given is None or given in ("", []) else [name]


def give(account: Account, params: Object) -> None:
    """Remember which facts were given, and which capabilities are asked for."""
    state = _state(account)
    facts: set[str] = set(state.get("facts", ()))
    for name in ("business_profile", "business_type", "company", "individual", "tos_acceptance"):
        facts |= set(_leaves(params.get(name), name))
    state["facts"] = sorted(facts)
    for name, wish in (params.get("capabilities") or {}).items():
        request(account, name, asked=bool((wish or {}).get("requested")))
    me = account.profile
    for name in ("company", "individual"):
        if params.get(name):
            _describe(account, me, name, params[name])
    if params.get("tos_acceptance"):
        me["tos_acceptance"] = {**me["tos_acceptance"], **params["tos_acceptance"]}
    account.save_profile()


_HIDDEN = ("id_number", "id_number_secondary", "ssn_last_4", "tax_id", "vat_id")


def _describe(account: Account, me: Object, name: str, given: Object) -> None:
    """What Stripe shows of a person or a company: of numbers only that they were given."""
    if name == "individual" and not me.get(name):
        person = shapes.shown("person", shapes.new("person"), PINNED_VERSION)
        me[name] = {**person, "id": account.new_id("person"), "account": me["id"], "created": account.now}
    shapes.give(me, {name: given}, shapes.tree("account"))
    me[name].update({f"{each}_provided": True for each in _HIDDEN if given.get(each)})


def request(account: Account, capability: str, *, asked: bool) -> None:
    """Ask for a capability, or give it up."""
    wishes = _state(account).setdefault("requested", {})
    if asked:
        wishes.setdefault(capability, account.now)
    else:
        wishes.pop(capability, None)


def due(account: Account) -> list[str]:
    """The facts that are required and were not given."""
    state, me = _state(account), account.profile
    if state.get("onboarded"):
        return []
    facts: set[str] = set(state.get("facts", ()))
    if me["business_type"]:
        facts.add("business_type")
    if own_banks(account):
        facts.add("external_account")
    for person in account.family.platform.each("person"):
        if person["account"] == me["id"] and person["relationship"].get("representative"):
            facts |= set(_leaves(person, "representative"))
    required = REQUIRED.get(me["business_type"] or "individual", REQUIRED[""])
    return [each for each in required if each not in facts and _INSTEAD.get(each) not in facts]


def refresh(account: Account) -> None:
    """After facts were given, or a capability was asked for: what is switched on now."""
    state, me = _state(account), account.profile
    missing = due(account)
    rejected = state.get("rejected", "")
    former = dict(me["capabilities"])
    on = not missing and not rejected
    me["capabilities"] = dict.fromkeys(sorted(state.get("requested", {})), "active" if on else "inactive")
    reason = f"rejected.{rejected}" if rejected else "requirements.past_due" if missing else None
    me["requirements"] = requirements(missing, reason)
    me["details_submitted"] = not missing
    active = {name for name, status in me["capabilities"].items() if status == "active"}
    me["charges_enabled"] = bool(active - {"transfers"})
    me["payouts_enabled"] = bool(active)
    account.save_profile()
    for name, status in me["capabilities"].items():
        if former.get(name) != status:
            events.emit(
                account,
                "capability.updated",
                capability(account, name),
                {"status": former.get(name, "unrequested")},
            )


def capability(account: Account, name: str) -> Object:
    """One capability as an object."""
    asked = _state(account).get("requested", {}).get(name)
    missing = due(account) if asked is not None else []
    return {
        "id": name,
        "object": "capability",
        "account": account.profile["id"],
        "future_requirements": requirements(),
        "requested": asked is not None,
        "requested_at": asked,
        "requirements": requirements(missing, "requirements.fields_needed" if missing else None),
        "status": account.profile["capabilities"].get(name, "unrequested"),
    }


# the API


def _connected(account: Account, identifier: str) -> Account:
    return connected_member(account, identifier, "all that it needs is switched on")


def list_capabilities(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/accounts/{account}/capabilities: those that were asked for."""
    found = member(account, identifier)
    names = (
        sorted(found.profile["capabilities"])
        if found.platform is None
        else sorted(_state(found).get("requested", {}))
    )
    listed = [capability(found, each) for each in names]
    return of_objects(listed, {"limit": 100}, f"/v1/accounts/{identifier}/capabilities")


def _check_capability(name: str) -> None:
    if name not in shapes.tree("account")["capabilities"]:
        raise missing("capability", name, "capability")


def retrieve_capability(account: Account, params: dict[str, Any], identifier: str, name: str) -> Object:
    """GET /v1/accounts/{account}/capabilities/{capability}."""
    _check_capability(name)
    return capability(member(account, identifier), name)


def update_capability(account: Account, params: dict[str, Any], identifier: str, name: str) -> Object:
    """POST /v1/accounts/{account}/capabilities/{capability}: ask for it, or give it up."""
    _check_capability(name)
    found = _connected(account, identifier)
    if "requested" in params:
        request(found, name, asked=bool(params["requested"]))
        refresh(found)
    return capability(found, name)


def onboard(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/test_helpers/accounts/{account}/onboard: the person behind the account gives all that is
    required, a bank account included."""
    found = _connected(account, identifier)
    before, me = events.snapshot(found.profile), found.profile
    _state(found)["onboarded"] = True
    me["business_type"] = me["business_type"] or "individual"
    for name in ("card_payments", "transfers"):
        request(found, name, asked=True)
    if not own_banks(found):
        currency = me["default_currency"]
        routing, number = BANKS.get(currency, BANKS["usd"])
        bank = new_bank(
            found, currency=currency, country=me["country"], number=number, routing=routing, default=True
        )
        found.add("bank_account", bank)
        events.emit(found, "account.external_account.created", bank)
    refresh(found)
    events.emit(found, "account.updated", found.profile, before)
    return found.profile


SHAPES: dict[str, dict[str, Any]] = {"POST /v1/test_helpers/accounts/{account}/onboard": {}}
ROUTES: dict[str, Handler] = {
    "GET /v1/accounts/{account}/capabilities": list_capabilities,
    "GET /v1/accounts/{account}/capabilities/{capability}": retrieve_capability,
    "POST /v1/accounts/{account}/capabilities/{capability}": update_capability,
    "POST /v1/test_helpers/accounts/{account}/onboard": onboard,
}
