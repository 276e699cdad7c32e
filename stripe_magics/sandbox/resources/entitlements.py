"""Entitlements: features hang on products, and customers have those of the products that they subscribe to.

What a customer has isn't stored: it follows from their subscriptions each time it is asked for. What the
last event said is noted, so that a change is an event.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing
from stripe_magics.sandbox.api.pagination import Page, inline, of_objects, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object

FEATURE, ON_PRODUCT, HAS = "entitlements.feature", "product_feature", "entitlements.active_entitlement"
ENTITLED = frozenset({"active", "trialing", "past_due"})


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/entitlements/features."""
    if any(each["lookup_key"] == params["lookup_key"] for each in account.each(FEATURE)):
        raise invalid(
            f"A feature with the lookup key {params['lookup_key']} already exists.", param="lookup_key"
        )
    feature = {
        "id": account.new_id("feat_test"),
        "object": FEATURE,
        "active": True,
        "livemode": False,
        "lookup_key": params["lookup_key"],
        "metadata": merged_metadata({}, params.get("metadata")),
        "name": params["name"],
    }
    return account.add(FEATURE, feature)


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/entitlements/features/{id}."""
    return account.find(FEATURE, identifier, "id", what="feature", status=404)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/entitlements/features/{id}."""
    feature = retrieve(account, {}, identifier)
    take(feature, params, ("active", "metadata", "name"))
    return account.save(FEATURE, feature)


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/entitlements/features: those in use, unless archived ones are asked for."""
    archived, key = bool(params.get("archived")), params.get("lookup_key")
    return page(
        account, FEATURE, params, "/v1/entitlements/features",
        tests=[lambda row: row.value["active"] is not archived and key in {None, row.value["lookup_key"]}],
    )  # fmt: skip


# features of products


def _links(account: Account, product: str) -> dict[str, str]:
    """The links of a product: id -> feature, oldest first."""
    return dict(account.private_state.get(product, {}).get("features", {}))


def _shown(account: Account, identifier: str, feature: str) -> Object:
    shown = events.snapshot(account.peek(FEATURE, feature) or {})
    return {"id": identifier, "object": ON_PRODUCT, "entitlement_feature": shown, "livemode": False}


def attach(account: Account, params: dict[str, Any], product: str) -> Object:
    """POST /v1/products/{product}/features."""
    account.find("product", product, "product", status=404)
    feature = account.find(FEATURE, params["entitlement_feature"], "entitlement_feature", what="feature")
    if not feature["active"]:
        raise invalid("An archived feature can't be attached to a product.", param="entitlement_feature")
    if feature["id"] in _links(account, product).values():
        raise invalid("This product already has the feature.", param="entitlement_feature")
    identifier = account.new_id("prodft")
    account.private_state.setdefault(product, {}).setdefault("features", {})[identifier] = feature["id"]
    _product_changed(account, product)
    return _shown(account, identifier, feature["id"])


def _link(account: Account, product: str, identifier: str) -> str:
    account.find("product", product, "product", status=404)
    links = _links(account, product)
    if identifier not in links:
        raise missing("product feature", identifier, "id")
    return links[identifier]


def retrieve_link(account: Account, params: dict[str, Any], product: str, identifier: str) -> Object:
    """GET /v1/products/{product}/features/{id}."""
    return _shown(account, identifier, _link(account, product, identifier))


def detach(account: Account, params: dict[str, Any], product: str, identifier: str) -> Object:
    """DELETE /v1/products/{product}/features/{id}."""
    _link(account, product, identifier)
    del account.private_state[product]["features"][identifier]
    _product_changed(account, product)
    return {"id": identifier, "object": ON_PRODUCT, "deleted": True}


def list_links(account: Account, params: dict[str, Any], product: str) -> Page:
    """GET /v1/products/{product}/features."""
    account.find("product", product, "product", status=404)
    found = [_shown(account, *each) for each in _links(account, product).items()]
    return of_objects(found[::-1], params, f"/v1/products/{product}/features")


# what customers have


def _entitled(account: Account, customer: str) -> list[Object]:
    """What a customer may use now."""
    features: dict[str, None] = {}
    for each in account.where("subscription", customer=customer):
        subscription = account.peek("subscription", each) or {}
        if subscription["status"] in ENTITLED:
            for item in subscription["items"]["data"]:
                features |= dict.fromkeys(_links(account, item["price"]["product"]).values())
    return [
        {
            "id": f"ent_test_{account.letters(f'entitlement{customer}{name}', 24)}",
            "object": HAS,
            "feature": name,
            "livemode": False,
            "lookup_key": (account.peek(FEATURE, name) or {})["lookup_key"],
        }
        for name in features
    ]


def list_active(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/entitlements/active_entitlements: what a customer has."""
    customer = account.find("customer", params["customer"], "customer")["id"]
    return of_objects(_entitled(account, customer), params, "/v1/entitlements/active_entitlements")


def retrieve_active(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/entitlements/active_entitlements/{id}."""
    for customer in {each["customer"] for each in account.each("subscription")}:
        for each in _entitled(account, customer):
            if each["id"] == identifier:
                return each
    raise missing("active entitlement", identifier, "id")


def _announce(account: Account, customer: str) -> None:
    """An event, if what a customer has is no longer what the last one said."""
    state = account.private_state.get(customer, {})
    now = _entitled(account, customer)
    keys = sorted(each["feature"] for each in now)
    if keys == state.get("entitled", []):
        return
    account.private_state.setdefault(customer, {})["entitled"] = keys
    summary = {
        "object": "entitlements.active_entitlement_summary",
        "customer": customer,
        "entitlements": inline(
            now, f"/v1/entitlements/active_entitlements?customer={customer}", most=10
        ),
        "livemode": False,
    }  # fmt: skip
    events.emit(account, "entitlements.active_entitlement_summary.updated", summary)


def subscription_changed(account: Account, subscription: Object) -> None:
    """A subscription began, changed or ended."""
    if account.table(FEATURE).rows and subscription["customer"] not in account.deleted:
        _announce(account, subscription["customer"])


def _product_changed(account: Account, product: str) -> None:
    who = {
        each["customer"]
        for each in account.each("subscription")
        if any(item["price"]["product"] == product for item in each["items"]["data"])
    }
    for customer in sorted(who):
        _announce(account, customer)


REACTIONS = {
    f"customer.subscription.{what}": subscription_changed
    for what in ("created", "updated", "deleted", "paused", "resumed")
}
ROUTES: dict[str, Handler] = {
    "GET /v1/entitlements/features": listing,
    "POST /v1/entitlements/features": create,
    "GET /v1/entitlements/features/{id}": retrieve,
    "POST /v1/entitlements/features/{id}": update,
    "GET /v1/products/{product}/features": list_links,
    "POST /v1/products/{product}/features": attach,
    "GET /v1/products/{product}/features/{id}": retrieve_link,
    "DELETE /v1/products/{product}/features/{id}": detach,
    "GET /v1/entitlements/active_entitlements": list_active,
    "GET /v1/entitlements/active_entitlements/{id}": retrieve_active,
}
