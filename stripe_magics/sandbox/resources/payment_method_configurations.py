"""Which payment methods may be offered: the account's own configuration, which always is there, and others
that were made beside it.

An intent that names no payment method types takes those that its configuration has on, as far as the sandbox
has them switched on: cards and debits.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.catalogue.generated.accepted import accepted
from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing
from stripe_magics.sandbox.api.pagination import Page, of_objects
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.generic import object_shapes as shapes
from stripe_magics.sandbox.resources.payment_methods.test_cards import DEBITS

KIND = "payment_method_configuration"
SIMULATED = frozenset({"card", *DEBITS})
MAX_CONFIGURATIONS = 100
ENDED = "apple_pay_later"  # still a parameter at Stripe, and in no answer


@cache
def _methods() -> tuple[str, ...]:
    """The payment methods that a configuration speaks of."""
    taken = accepted("POST", "/v1/payment_method_configurations", PINNED_VERSION) or {}
    return tuple(
        sorted(
            name
            for name, of in taken.items()
            if name != ENDED and isinstance(of, dict) and "display_preference" in of.get("o", {})
        )
    )


def _new(identifier: str, *, name: str, default: bool, parent: str | None) -> Object:
    made = shapes.shown(KIND, shapes.new(KIND), PINNED_VERSION)
    made.update(id=identifier, active=True, is_default=default, name=name, parent=parent, application=None)
    for each in _methods():
        made[each] = _preference(each, "none")
    return made


def _preference(method: str, wish: str) -> Object:
    """A method's entry: what was wished for, and what comes of it."""
    value = "on" if (wish == "on" or (wish == "none" and method in SIMULATED)) else "off"
    return {
        "available": value == "on" and method in SIMULATED,
        "display_preference": {"overridable": None, "preference": wish, "value": value},
    }


def default(account: Account) -> Object:
    """The account's own configuration, as it is kept or as it is from the start."""
    identifier = f"pmc_1{account.letters(KIND, 23)}"
    return account.get(KIND, identifier) or _new(identifier, name="Default", default=True, parent=None)


def find(account: Account, identifier: str, param: str, *, status: int = 400) -> Object:
    """A configuration by its id."""
    own = default(account)
    if own["id"] == identifier:
        return own
    return account.find(KIND, identifier, param, what="payment method configuration", status=status)


def allowed(account: Account, identifier: str | None) -> tuple[Object | None, frozenset[str]]:
    """The configuration that an intent names, and the types that it, or else the account's own, has on."""
    found = find(account, identifier, KIND) if identifier else default(account)
    if not found["active"]:
        raise invalid(f"The payment method configuration {found['id']} is not active.", param=KIND)
    return (found if identifier else None), frozenset(
        each for each in SIMULATED if (found.get(each) or {}).get("available")
    )


# the API


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/payment_method_configurations/{configuration}."""
    return find(account, identifier, "configuration", status=404)


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/payment_method_configurations, newest first."""
    if params.get("application"):
        raise missing("application", params["application"], "application", status=400)
    own = default(account)
    others = [each for each in account.each(KIND) if each["id"] != own["id"]]
    return of_objects([*others[::-1], own], params, "/v1/payment_method_configurations")


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/payment_method_configurations."""
    if params.get("parent"):
        find(account, params["parent"], "parent")
    if len(account.table(KIND).rows) >= MAX_CONFIGURATIONS:
        raise invalid(f"An account takes at most {MAX_CONFIGURATIONS} payment method configurations.")
    made = _new(
        account.new_id("pmc"), name=params.get("name") or "", default=False, parent=params.get("parent")
    )
    if params.get("parent"):
        parent = find(account, params["parent"], "parent")
        made.update({each: parent[each] for each in _methods()})
    _give(made, params)
    return account.add(KIND, made)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_method_configurations/{configuration}: its name, whether it is active, what it has
    on."""
    found = find(account, identifier, "configuration", status=404)
    if params.get("active") is False and found["is_default"]:
        raise invalid("The account's default configuration is always active.", param="active")
    _give(found, params)
    for name in ("active", "name"):
        if params.get(name) is not None:
            found[name] = params[name]
    if account.peek(KIND, found["id"]) is None:
        return account.add(KIND, found)
    return account.save(KIND, found)


def _give(configuration: Object, params: dict[str, Any]) -> None:
    if params.get(ENDED):
        raise invalid("Apple Pay Later has ended: the sandbox keeps no preference for it.", param=ENDED)
    for name in _methods():
        wish = ((params.get(name) or {}).get("display_preference") or {}).get("preference")
        if wish is not None:
            configuration[name] = _preference(name, wish)


ROUTES: dict[str, Handler] = {
    "POST /v1/payment_method_configurations": create,
    "GET /v1/payment_method_configurations": listing,
    "GET /v1/payment_method_configurations/{configuration}": retrieve,
    "POST /v1/payment_method_configurations/{configuration}": update,
}
