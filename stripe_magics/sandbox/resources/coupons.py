"""Coupons: so much off, once, for some months or for ever."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, missing_param, too_low
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object


def create_coupon(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/coupons."""
    given = [name for name in ("percent_off", "amount_off") if params.get(name) is not None]
    if len(given) != 1:
        raise invalid_before_execution(
            "A coupon takes one of percent_off and amount_off.",
            param="percent_off" if not given else "amount_off",
            code="" if given else "parameter_missing",
        )
    if params.get("percent_off") is not None and not 0 < params["percent_off"] <= 100:
        raise invalid_before_execution("percent_off lies above 0 and at most at 100.", param="percent_off")
    if params.get("amount_off") is not None and not params.get("currency"):
        raise missing_param("currency")
    if params.get("amount_off") is not None and params["amount_off"] < 1:
        raise too_low(1, "amount_off")
    if params.get("redeem_by") is not None and params["redeem_by"] <= account.now:
        raise invalid_before_execution("redeem_by lies in the past.", param="redeem_by")
    if params.get("max_redemptions") is not None and params["max_redemptions"] < 1:
        raise too_low(1, "max_redemptions")
    duration = params.get("duration") or "once"
    if (duration == "repeating") != bool(params.get("duration_in_months")):
        raise invalid_before_execution(
            "duration_in_months goes with duration=repeating, and only with it.", param="duration_in_months"
        )
    identifier = params.get("id") or account.letters(f"coupon{account.count}", 8)
    if account.peek("coupon", identifier):
        raise invalid(f"Coupon already exists: {identifier}", param="id", code="resource_already_exists")
    coupon = {
        "id": identifier,
        "object": "coupon",
        "amount_off": params.get("amount_off"),
        "created": account.now,
        "currency": params["currency"].lower() if params.get("currency") else None,
        "duration": duration,
        "duration_in_months": params.get("duration_in_months"),
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": merged_metadata({}, params.get("metadata")),
        "name": params.get("name"),
        "percent_off": params.get("percent_off"),
        "redeem_by": params.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }
    _keep_aside(account, identifier, params)
    account.add("coupon", coupon)
    events.emit(account, "coupon.created", coupon)
    return coupon


def _keep_aside(account: Account, identifier: str, params: dict[str, Any]) -> None:
    """What a coupon shows only when it is expanded."""
    if params.get("applies_to"):
        for place, each in enumerate(params["applies_to"].get("products") or ()):
            account.find("product", each, f"applies_to[products][{place}]")
        account.private_state.setdefault(identifier, {})["applies_to"] = {
            "products": params["applies_to"].get("products") or []
        }
    if params.get("currency_options"):
        notes = account.private_state.setdefault(identifier, {})
        given = {name.lower(): each for name, each in params["currency_options"].items()}
        notes["currency_options"] = {**notes.get("currency_options", {}), **given}


def update_coupon(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/coupons/{coupon}: name and metadata."""
    coupon = retrieve_coupon(account, {}, identifier)
    before = events.snapshot(coupon)
    take(coupon, params, ("name", "metadata"))
    _keep_aside(account, identifier, params)
    account.save("coupon", coupon)
    events.emit(account, "coupon.updated", coupon, before)
    return coupon


def retrieve_coupon(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/coupons/{coupon}."""
    return account.find("coupon", identifier, "coupon", status=404)


def delete_coupon(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/coupons/{coupon}."""
    coupon = retrieve_coupon(account, {}, identifier)
    gone = account.remove("coupon", identifier)
    events.emit(account, "coupon.deleted", coupon)
    return gone


def list_coupons(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/coupons."""
    return page(account, "coupon", params, "/v1/coupons")


ROUTES: dict[str, Handler] = {
    "GET /v1/coupons": list_coupons,
    "POST /v1/coupons": create_coupon,
    "GET /v1/coupons/{coupon}": retrieve_coupon,
    "POST /v1/coupons/{coupon}": update_coupon,
    "DELETE /v1/coupons/{coupon}": delete_coupon,
}
