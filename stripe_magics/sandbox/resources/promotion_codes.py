"""Promotion codes: what a payer types to get a coupon. They are found whatever their case."""

from __future__ import annotations

import re
from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import (
    invalid,
    invalid_before_execution,
    missing,
    missing_param,
    too_low,
)
from stripe_magics.sandbox.api.pagination import Page, equal, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object

_CODE = re.compile(r"[A-Za-z0-9-]{1,500}")


def _check_minimum(restrictions: dict[str, Any]) -> None:
    """An amount means nothing without its currency, nor the other way round."""
    names = ("minimum_amount", "minimum_amount_currency")
    given = [restrictions.get(name) is not None for name in names]
    if any(given) and not all(given):
        raise missing_param(f"restrictions[{names[given.index(False)]}]")
    if given[0] and restrictions["minimum_amount"] < 1:
        raise too_low(1, "restrictions[minimum_amount]")
    if given[1]:
        checked_currency(restrictions["minimum_amount_currency"])


def create_promotion(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/promotion_codes."""
    # the newer version's spelling
    named = params.get("coupon") or (params.get("promotion") or {}).get("coupon")
    if not named:
        raise missing_param("promotion[coupon]")
    coupon = account.find("coupon", named, "coupon")
    if params.get("customer"):
        account.find("customer", params["customer"], "customer")
    code = params.get("code") or account.letters(f"promotion{account.count}", 8).upper()
    if params.get("expires_at") is not None and params["expires_at"] <= account.now:
        raise invalid_before_execution("expires_at lies in the past.", param="expires_at")
    if params.get("max_redemptions") is not None and params["max_redemptions"] < 1:
        raise too_low(1, "max_redemptions")
    if not _CODE.fullmatch(code):
        raise invalid_before_execution(
            "A promotion code takes letters (a-z, A-Z), digits and dashes only.", param="code"
        )
    if any(
        each["code"].lower() == code.lower() and each["active"] for each in account.each("promotion_code")
    ):
        raise invalid(f"An active promotion code with `code: {code}` already exists.", param="code")
    restrictions = params.get("restrictions") or {}
    _check_minimum(restrictions)
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
            "minimum_amount_currency": (restrictions.get("minimum_amount_currency") or "").lower() or None,
        },
        "times_redeemed": 0,
    }
    if restrictions.get("currency_options"):
        account.private_state.setdefault(promotion["id"], {})["currency_options"] = {
            name.lower(): each for name, each in restrictions["currency_options"].items()
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
    options = (params.get("restrictions") or {}).get("currency_options")
    if options:
        notes = account.private_state.setdefault(identifier, {})
        given = {name.lower(): each for name, each in options.items()}
        notes["currency_options"] = {**notes.get("currency_options", {}), **given}
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
    if params.get("code"):
        code = params["code"].lower()
        tests.append(lambda row: row.keys[0].lower() == code)
    return page(account, "promotion_code", params, "/v1/promotion_codes", filters=("customer",), tests=tests)


ROUTES: dict[str, Handler] = {
    "GET /v1/promotion_codes": list_promotions,
    "POST /v1/promotion_codes": create_promotion,
    "GET /v1/promotion_codes/{promotion_code}": retrieve_promotion,
    "POST /v1/promotion_codes/{promotion_code}": update_promotion,
}
