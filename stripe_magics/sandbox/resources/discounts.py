"""Coupons, promotion codes and the discounts that they become on a customer, an invoice or a line."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, missing, missing_param
from stripe_magics.sandbox.api.pagination import Page, equal, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object


def new(
    account: Account, given: dict[str, Any], *, param: str, customer: str | None = None, invoice: str | None = None, invoice_item: str | None = None,
    subscription: str | None = None,
) -> Object:  # fmt: skip
    """A discount from {"coupon": id}, {"promotion_code": id} or {"discount": id}; stored."""
    coupon, promotion = redeemable(account, given, param=param, customer=customer)
    coupon["times_redeemed"] += 1
    coupon["valid"] = valid(account, coupon)
    account.save("coupon", coupon)
    if promotion is not None:
        promotion["times_redeemed"] += 1
        promotion["coupon"] = events.snapshot(coupon)
        used_up = (
            promotion["max_redemptions"] is not None
            and promotion["times_redeemed"] >= promotion["max_redemptions"]
        )
        promotion["active"] = promotion["active"] and not used_up
        account.save("promotion_code", promotion)
    months = coupon["duration_in_months"]
    discount = {
        "id": account.new_id("di"),
        "object": "discount",
        "checkout_session": None,
        "coupon": events.snapshot(coupon),
        "customer": customer,
        "end": account.now + months * 2_629_800 if months and coupon["duration"] == "repeating" else None,
        "invoice": invoice,
        "invoice_item": invoice_item,
        "promotion_code": promotion["id"] if promotion else None,
        "start": account.now,
        "subscription": subscription,
        "subscription_item": None,
    }
    account.add("discount", discount)
    if customer and not invoice and not invoice_item:
        events.emit(account, "customer.discount.created", discount)
    return discount


def redeemable(
    account: Account, given: dict[str, Any], *, param: str, customer: str | None
) -> tuple[Object, Object | None]:
    """The coupon (and the promotion code) that is meant; refuses what can't be redeemed. Changes nothing."""
    promotion = None
    if given.get("discount"):
        known = account.find("discount", given["discount"], param)
        coupon = account.find("coupon", known["coupon"]["id"], param)
    elif given.get("promotion_code"):
        promotion = account.find("promotion_code", given["promotion_code"], param, what="promotion code")
        if not promotion["active"] or promotion["customer"] not in {None, customer}:
            raise invalid(
                "This promotion code cannot be redeemed.", param=param, code="promotion_code_invalid"
            )
        coupon = account.find("coupon", promotion["coupon"]["id"], param)
    elif given.get("coupon"):
        coupon = account.find("coupon", given["coupon"], param)
    else:
        raise missing_param(f"{param}[coupon]")
    if not valid(account, coupon):
        raise invalid(
            f"Coupon {coupon['id']} is expired or used up and cannot be applied.",
            param=param,
            code="coupon_expired",
        )
    return coupon, promotion


def check(account: Account, given: list[dict[str, Any]] | None, param: str, customer: str | None) -> None:
    """Refuse a list of discounts of which one can't be redeemed, before anything is changed."""
    for place, each in enumerate(given or ()):
        redeemable(account, each, param=f"{param}[{place}]", customer=customer)


def valid(account: Account, coupon: Object) -> bool:
    """Whether a coupon can still be redeemed."""
    if coupon["redeem_by"] is not None and coupon["redeem_by"] < account.now:
        return False
    return coupon["max_redemptions"] is None or coupon["times_redeemed"] < coupon["max_redemptions"]


def share(coupon: Object, amount: int, currency: str) -> int:
    """What a coupon takes off an amount, minor units."""
    if amount <= 0:
        return 0
    if coupon["percent_off"] is not None:
        off = (Decimal(amount) * Decimal(str(coupon["percent_off"])) / 100).quantize(
            Decimal(1), ROUND_HALF_UP
        )
        return min(amount, int(off))
    if coupon["currency"] == currency:
        return min(amount, int(coupon["amount_off"]))
    return 0


def create_coupon(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/coupons."""
    if (params.get("percent_off") is None) == (params.get("amount_off") is None):
        raise invalid_before_execution(
            "A coupon takes one of percent_off and amount_off.", param="percent_off", code="parameter_missing"
        )
    if params.get("percent_off") is not None and not 0 < params["percent_off"] <= 100:
        raise invalid_before_execution("percent_off lies above 0 and at most at 100.", param="percent_off")
    if params.get("amount_off") is not None and not params.get("currency"):
        raise missing_param("currency")
    if params.get("amount_off") is not None and params["amount_off"] < 1:
        raise invalid_before_execution(
            "This value must be greater than or equal to 1.",
            param="amount_off",
            code="parameter_invalid_integer",
        )
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
    for name in ("applies_to", "currency_options"):
        if params.get(name):
            account.notes.setdefault(identifier, {})[name] = params[name]
    account.add("coupon", coupon)
    events.emit(account, "coupon.created", coupon)
    return coupon


def update_coupon(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/coupons/{coupon}: name and metadata."""
    coupon = retrieve_coupon(account, {}, identifier)
    before = events.snapshot(coupon)
    take(coupon, params, ("name", "metadata"))
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


def create_promotion(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/promotion_codes."""
    coupon = account.find("coupon", params["coupon"], "coupon")
    if params.get("customer"):
        account.find("customer", params["customer"], "customer")
    code = params.get("code") or account.letters(f"promotion{account.count}", 8).upper()
    if any(
        each["code"].lower() == code.lower() and each["active"] for each in account.each("promotion_code")
    ):
        raise invalid(f"An active promotion code with `code: {code}` already exists.", param="code")
    restrictions = params.get("restrictions") or {}
    promotion = {
        "id": account.new_id("promo"),
        "object": "promotion_code",
        "active": params.get("active", True),
        "code": code,
        "coupon": events.snapshot(coupon),
        "created": account.now,
        "customer": params.get("customer"),
        "expires_at": params.get("expires_at"),
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": merged_metadata({}, params.get("metadata")),
        "restrictions": {
            "first_time_transaction": restrictions.get("first_time_transaction", False),
            "minimum_amount": restrictions.get("minimum_amount"),
            "minimum_amount_currency": restrictions.get("minimum_amount_currency"),
        },
        "times_redeemed": 0,
    }
    account.add("promotion_code", promotion)
    events.emit(account, "promotion_code.created", promotion)
    return promotion


def retrieve_promotion(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/promotion_codes/{promotion_code}."""
    return account.find("promotion_code", identifier, "promotion_code", what="promotion code", status=404)


def update_promotion(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/promotion_codes/{promotion_code}."""
    promotion = retrieve_promotion(account, {}, identifier)
    before = events.snapshot(promotion)
    take(promotion, params, ("active", "metadata"))
    account.save("promotion_code", promotion)
    events.emit(account, "promotion_code.updated", promotion, before)
    return promotion


def list_promotions(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/promotion_codes."""
    tests = []
    if params.get("coupon"):
        if account.peek("coupon", params["coupon"]) is None:
            raise missing("coupon", params["coupon"], "coupon", status=400)
        coupon = params["coupon"]
        tests.append(lambda row: row.value["coupon"]["id"] == coupon)
    if params.get("active") is not None:
        tests.append(equal(1, params["active"]))
    return page(
        account, "promotion_code", params, "/v1/promotion_codes", filters=("code", "customer"), tests=tests
    )


ROUTES: dict[str, Handler] = {
    "GET /v1/coupons": list_coupons,
    "POST /v1/coupons": create_coupon,
    "GET /v1/coupons/{coupon}": retrieve_coupon,
    "POST /v1/coupons/{coupon}": update_coupon,
    "DELETE /v1/coupons/{coupon}": delete_coupon,
    "GET /v1/promotion_codes": list_promotions,
    "POST /v1/promotion_codes": create_promotion,
    "GET /v1/promotion_codes/{promotion_code}": retrieve_promotion,
    "POST /v1/promotion_codes/{promotion_code}": update_promotion,
}
