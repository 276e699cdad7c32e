"""The customer portal: its configurations, and the sessions that lead a customer to it.

The account's own configuration always is there; others are made beside it. A session says which one it shows
and where it leads back to; with `flow_data` it goes straight to one task, which its configuration has to
allow. The portal's pages aren't simulated: what a customer does there is done through the API.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import inside, invalid, missing, missing_param
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import discounts
from stripe_magics.sandbox.resources.subscriptions.lifecycle import ENDED

KIND = "billing_portal.configuration"
MAX_PRODUCTS = 10
REASONS = ("too_expensive", "missing_features", "switched_service", "unused", "other")
_DEFAULTS: dict[str, Object] = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "options": list(REASONS)},
        "enabled": False, "mode": "at_period_end", "proration_behavior": "none",
    },
    "subscription_update": {
        "default_allowed_updates": [], "enabled": False, "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
    },
}  # fmt: skip
"""Features as they are where nothing is said of them."""
_OWN = {
    "customer_update": {"allowed_updates": ["email", "address", "phone", "tax_id"], "enabled": True},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True},
}
"""What the account's own configuration allows."""
_PROFILE = ("headline", "privacy_policy_url", "terms_of_service_url")
_NEEDED = {
    "customer_update": ("allowed_updates",),
    "subscription_update": ("default_allowed_updates", "products"),
}
"""Feature -> what has to be said where it is enabled."""


# configurations


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/billing_portal/configurations."""
    _check_profile(params)
    made = _new(account, account.new_id("bpc"), params["features"])
    _apply(made, params)
    account.add(KIND, made)
    events.emit(account, f"{KIND}.created", made)
    return made


def _new(account: Account, identifier: str, given: dict[str, Any]) -> Object:
    return {
        "id": identifier, "object": KIND, "active": True, "application": None,
        "business_profile": dict.fromkeys(_PROFILE), "created": account.now, "default_return_url": None,
        "features": _features(account, _DEFAULTS, given), "is_default": False, "livemode": False,
        "login_page": {"enabled": False, "url": None}, "metadata": {}, "updated": account.now,
    }  # fmt: skip


def default(account: Account) -> Object:
    """The account's own configuration, kept when it is first needed."""
    identifier = f"bpc_1{account.letters(KIND, 23)}"
    found = account.get(KIND, identifier)
    if found is None:
        found = account.add(KIND, {**_new(account, identifier, _OWN), "is_default": True})
    return found


def _features(account: Account, present: dict[str, Object], given: dict[str, Any]) -> dict[str, Object]:
    """All features after a change: what was given of each stands in for what it was."""
    features = {name: {**of, **(given.get(name) or {})} for name, of in present.items()}
    for name, of in features.items():
        param = f"features[{name}]"
        for part in _NEEDED.get(name, ()) if of["enabled"] else ():
            if not of.get(part):
                raise missing_param(f"{param}[{part}]")
    reason = features["subscription_cancel"]["cancellation_reason"]
    features["subscription_cancel"]["cancellation_reason"] = {
        **present["subscription_cancel"]["cancellation_reason"], **reason
    }  # fmt: skip
    cancel = features["subscription_cancel"]
    if cancel["proration_behavior"] == "always_invoice":
        raise invalid(
            "The portal cancels with proration_behavior none or create_prorations.",
            param="features[subscription_cancel][proration_behavior]",
        )
    if cancel["mode"] == "at_period_end" and cancel["proration_behavior"] != "none":
        raise invalid(
            "A subscription that is canceled at the end of its period isn't prorated: proration_behavior has"
            " to be none, or mode immediately.",
            param="features[subscription_cancel][proration_behavior]",
        )
    update = features["subscription_update"]
    ends = update["schedule_at_period_end"]
    update["schedule_at_period_end"] = {"conditions": ends.get("conditions") or []}
    update["default_allowed_updates"] = update["default_allowed_updates"] or []
    features["customer_update"]["allowed_updates"] = features["customer_update"]["allowed_updates"] or []
    with inside("features"), inside("subscription_update"):
        _check_products(account, update.get("products") or [])
    return features


def _check_products(account: Account, products: list[Object]) -> None:
    if len(products) > MAX_PRODUCTS:
        raise invalid(f"At most {MAX_PRODUCTS} products can be given.", param="products")
    for place, each in enumerate(products):
        product = account.find("product", each["product"], f"products[{place}][product]")
        for at, identifier in enumerate(each["prices"]):
            param = f"products[{place}][prices][{at}]"
            price = account.find("price", identifier, param)
            if price["product"] != product["id"]:
                raise invalid(f"The price {identifier} belongs to another product.", param=param)
            if not price["recurring"] or not price["active"]:
                raise invalid("Prices in the portal must be active and recurring.", param=param)


def _check_profile(params: dict[str, Any]) -> None:
    profile = params.get("business_profile") or {}
    urls = [(f"business_profile[{name}]", profile.get(name)) for name in _PROFILE[1:]]
    for param, url in (*urls, ("default_return_url", params.get("default_return_url"))):
        _check_url(url, param)


def _check_url(url: str | None, param: str) -> None:
    if url and not url.startswith(("https://", "http://")):
        raise invalid("Not a valid URL", param=param, code="url_invalid")


def _apply(made: Object, params: dict[str, Any]) -> None:
    if "business_profile" in params:
        made["business_profile"] = {**made["business_profile"], **(params["business_profile"] or {})}
    if "default_return_url" in params:
        made["default_return_url"] = params["default_return_url"]
    if "login_page" in params:
        on = params["login_page"]["enabled"]
        url = f"https://billing.stripe.com/p/login/test_{made['id'][4:18]}" if on else None
        made["login_page"] = {"enabled": on, "url": url}
    if "metadata" in params:
        made["metadata"] = merged_metadata(made["metadata"], params["metadata"])


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/billing_portal/configurations/{configuration}."""
    made = retrieve(account, {}, identifier)
    _check_profile(params)
    if made["is_default"] and params.get("active") is False:
        raise invalid("You cannot set the default configuration to inactive.", param="active")
    before = events.snapshot(made)
    if params.get("features"):
        made["features"] = _features(account, made["features"], params["features"])
    if "active" in params:
        made["active"] = params["active"]
    _apply(made, params)
    made["updated"] = account.now
    account.save(KIND, made)
    events.emit(account, f"{KIND}.updated", made, before)
    return made


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/billing_portal/configurations/{configuration}."""
    default(account)
    return account.find(KIND, identifier, "configuration", what="portal configuration", status=404)


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/billing_portal/configurations."""
    default(account)
    return page(account, KIND, params, "/v1/billing_portal/configurations", filters=("active", "is_default"))


# sessions


def create_session(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/billing_portal/sessions: where to send the customer; it can't be read again."""
    customer = account.find("customer", params["customer"], "customer")
    own = default(account)
    configuration = (
        account.find(KIND, params["configuration"], "configuration", what="portal configuration")
        if params.get("configuration")
        else own
    )
    if not configuration["active"]:
        raise invalid("The portal configuration is not active.", param="configuration")
    if params.get("on_behalf_of") and account.family.member(params["on_behalf_of"]) is None:
        raise missing("account", params["on_behalf_of"], "on_behalf_of", status=400)
    _check_url(params.get("return_url"), "return_url")
    flow = params.get("flow_data")
    if flow:
        with inside("flow_data"):
            _check_flow(account, flow, customer["id"], configuration["features"])
    identifier = account.new_id("bps")
    made: Object = {
        "id": identifier, "object": "billing_portal.session", "configuration": configuration["id"],
        "created": account.now, "customer": customer["id"], "flow": _flow(flow) if flow else None,
        "livemode": False, "locale": params.get("locale"), "on_behalf_of": params.get("on_behalf_of"),
        "return_url": params.get("return_url") or configuration["default_return_url"],
        "url": f"https://billing.stripe.com/p/session/test_{account.letters(identifier, 44)}",
    }  # fmt: skip
    events.emit(account, "billing_portal.session.created", made)
    return made


_ALLOWED_BY = {
    "payment_method_update": ("payment_method_update", "Payment methods cannot be updated"),
    "subscription_cancel": ("subscription_cancel", "This subscription cannot be canceled"),
    "subscription_update": ("subscription_update", "This subscription cannot be updated"),
    "subscription_update_confirm": ("subscription_update", "This subscription cannot be updated"),
}
"""Flow -> the feature that allows it, and what can't be without it."""


def _check_flow(account: Account, flow: dict[str, Any], customer: str, features: Object) -> None:
    kind = flow["type"]
    feature, refusal = _ALLOWED_BY[kind]
    if not features[feature]["enabled"]:
        raise invalid(
            f"{refusal} because the {feature.replace('_', ' ')} feature in the portal configuration is"
            " disabled.",
            param="type",
        )
    _check_completion(flow.get("after_completion") or {})
    for name in _ALLOWED_BY:
        if name != kind and flow.get(name):
            raise invalid(f"{name} goes with type={name}.", param=name)
    if kind == "payment_method_update":
        return
    if not flow.get(kind):
        raise missing_param(kind)
    given = flow[kind]
    with inside(kind):
        subscription = account.find("subscription", given["subscription"], "subscription")
        if subscription["customer"] != customer:
            raise missing("subscription", given["subscription"], "subscription", status=400)
        if subscription["status"] in ENDED:
            raise invalid(f"{refusal} because it has already been canceled.", param="subscription")
        if kind == "subscription_cancel":
            _check_cancel(account, given, subscription, customer, refusal)
        elif kind == "subscription_update_confirm":
            _check_confirm(account, given, subscription, customer, features[feature])


def _check_completion(given: dict[str, Any]) -> None:
    kind = given.get("type")
    if kind == "redirect" and not given.get("redirect"):
        raise missing_param("after_completion[redirect]")
    if given.get("redirect"):
        _check_url(given["redirect"]["return_url"], "after_completion[redirect][return_url]")


def _check_cancel(
    account: Account, given: dict[str, Any], subscription: Object, customer: str, refusal: str
) -> None:
    if subscription["cancel_at_period_end"] or subscription["cancel_at"]:
        raise invalid(
            f"{refusal} because it is already set to be canceled at the period end.", param="subscription"
        )
    offer = (given.get("retention") or {}).get("coupon_offer")
    if offer:
        param = "retention[coupon_offer][coupon]"
        discounts.redeemable(account, {"coupon": offer["coupon"]}, param=param, customer=customer)


def _check_confirm(
    account: Account, given: dict[str, Any], subscription: Object, customer: str, feature: Object
) -> None:
    if len(given["items"]) != 1:
        raise invalid("Exactly one item can be updated at a time.", param="items")
    (item,) = given["items"]
    if item["id"] not in {each["id"] for each in subscription["items"]["data"]}:
        raise missing("subscription item", item["id"], "items[0][id]", status=400)
    allowed = {price for each in feature.get("products") or () for price in each["prices"]}
    if item.get("price"):
        account.find("price", item["price"], "items[0][price]")
        if item["price"] not in allowed or "price" not in feature["default_allowed_updates"]:
            raise invalid(
                "The portal configuration doesn't allow a change to this price: it has to stand in"
                " features[subscription_update][products].",
                param="items[0][price]",
            )
    if item.get("quantity") is not None and "quantity" not in feature["default_allowed_updates"]:
        raise invalid(
            "The portal configuration doesn't allow changes of the quantity.", param="items[0][quantity]"
        )
    discounts.check(account, given.get("discounts"), "discounts", customer)


def _flow(given: dict[str, Any]) -> Object:
    """As a session shows where it leads."""
    after = given.get("after_completion") or {}
    cancel, change, confirm = (
        given.get(name)
        for name in ("subscription_cancel", "subscription_update", "subscription_update_confirm")
    )
    return {
        "type": given["type"],
        "after_completion": {
            "type": after.get("type") or "portal_homepage",
            "hosted_confirmation": {"custom_message": after["hosted_confirmation"].get("custom_message")}
            if after.get("hosted_confirmation") else None,
            "redirect": after.get("redirect"),
        },
        "subscription_cancel": cancel and {
            "subscription": cancel["subscription"], "retention": cancel.get("retention"),
        },
        "subscription_update": change and {"subscription": change["subscription"]},
        "subscription_update_confirm": confirm and {
            "subscription": confirm["subscription"],
            "items": [
                {"id": each["id"], "price": each.get("price"), "quantity": each.get("quantity")}
                for each in confirm["items"]
            ],
            "discounts": [
                {"coupon": each.get("coupon"), "promotion_code": each.get("promotion_code")}
                for each in confirm["discounts"]
            ] if confirm.get("discounts") else None,
        },
    }  # fmt: skip


ROUTES: dict[str, Handler] = {
    "GET /v1/billing_portal/configurations": listing,
    "POST /v1/billing_portal/configurations": create,
    "GET /v1/billing_portal/configurations/{configuration}": retrieve,
    "POST /v1/billing_portal/configurations/{configuration}": update,
    "POST /v1/billing_portal/sessions": create_session,
}
