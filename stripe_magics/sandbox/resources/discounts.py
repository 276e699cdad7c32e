"""Discounts: what coupons and promotion codes become on a customer, a subscription, an invoice or a line, and
what they take off."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid, missing_param
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.coupon_rules import valid
from stripe_magics.sandbox.resources.subscriptions.billing_periods import after


def new(
    account: Account,
    given: dict[str, Any],
    *,
    param: str,
    customer: str | None = None,
    currency: str | None = None,
    **stands_on: str,
) -> Object:
    """A discount from {"coupon": id}, {"promotion_code": id} or {"discount": id}; stored. `currency` is that
    of what it is to lower.

    `stands_on` is what it belongs to: invoice, invoice_item, subscription, subscription_item,
    checkout_session.
    """
    coupon, promotion = redeemable(account, given, param=param, customer=customer)
    check_currency(account, coupon, currency, param)
    if given.get("discount"):
        return account.find("discount", given["discount"], param)
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
    months = coupon["duration_in_months"] if coupon["duration"] == "repeating" else None
    discount = {
        "id": account.new_id("di"),
        "object": "discount",
        "checkout_session": stands_on.get("checkout_session"),
        "coupon": events.snapshot(coupon),
        "customer": customer,
        "end": after(account.now, "month", months) if months else None,
        "invoice": stands_on.get("invoice"),
        "invoice_item": stands_on.get("invoice_item"),
        "promotion_code": promotion["id"] if promotion else None,
        "start": account.now,
        "subscription": stands_on.get("subscription"),
        "subscription_item": stands_on.get("subscription_item"),
    }
    account.add("discount", discount)
    if customer and not stands_on.keys() & {"invoice", "invoice_item", "checkout_session"}:
        events.emit(account, "customer.discount.created", discount)
    return discount


def redeemable(
    account: Account, given: dict[str, Any], *, param: str, customer: str | None
) -> tuple[Object, Object | None]:
    """The coupon (and the promotion code) that is meant; refuses what can't be redeemed. Changes nothing."""
    several = [name for name in ("coupon", "discount", "promotion_code") if given.get(name)]
    if len(several) > 1:
        raise invalid(f"You may only specify one of these parameters: {', '.join(several)}.", param=param)
    promotion = None
    if given.get("discount"):
        known = account.find("discount", given["discount"], param)
        return known["coupon"], None
    if given.get("promotion_code"):
        promotion = account.find("promotion_code", given["promotion_code"], param, what="promotion code")
        _check_promotion(account, promotion, param, customer)
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


def _check_promotion(account: Account, promotion: Object, param: str, customer: str | None) -> None:
    expired = promotion["expires_at"] is not None and promotion["expires_at"] <= account.now
    if not promotion["active"] or expired or promotion["customer"] not in {None, customer}:
        raise invalid("This promotion code cannot be redeemed.", param=param, code="promotion_code_invalid")
    if promotion["restrictions"]["first_time_transaction"] and customer and _has_paid(account, customer):
        raise invalid(
            "This promotion code cannot be redeemed because the associated customer has prior transactions.",
            param=param,
            code="promotion_code_invalid",
        )


def _has_paid(account: Account, customer: str) -> bool:
    return any(
        (account.peek(kind, each) or {}).get("status") in {"succeeded", "paid"}
        for kind in ("charge", "invoice")
        for each in account.where(kind, customer=customer)
    )


def check_currency(account: Account, coupon: Object, currency: str | None, param: str) -> None:
    """An amount comes off what is billed in its own currency, or in one that the coupon has an option for."""
    options = account.private_state.get(coupon["id"], {}).get("currency_options") or {}
    if coupon["amount_off"] is None or currency is None or currency in {coupon["currency"], *options}:
        return
    raise invalid(
        f"The coupon {coupon['id']} takes off an amount in {coupon['currency']}; it can't be applied to what"
        f" is billed in {currency}.",
        param=param,
    )


def check_minimum(account: Account, discount: Object, amount: int, currency: str, param: str) -> None:
    """A promotion code may ask for a minimum amount."""
    promotion = account.peek("promotion_code", discount["promotion_code"] or "")
    limits = promotion["restrictions"] if promotion else {}
    least = limits.get("minimum_amount")
    if least is None:
        return
    if limits["minimum_amount_currency"] != currency:
        option = (
            (account.private_state.get(promotion["id"], {}).get("currency_options") or {}).get(currency)
            if promotion
            else None
        )
        least = (option or {}).get("minimum_amount")
    if least is None or amount < least:
        raise invalid(
            "This promotion code cannot be redeemed because the amount is below its minimum.",
            param=param,
            code="promotion_code_invalid",
        )


def check(account: Account, given: list[dict[str, Any]] | None, param: str, customer: str | None) -> None:
    """Refuse a list of discounts of which one can't be redeemed, before anything is changed."""
    for place, each in enumerate(given or ()):
        redeemable(account, each, param=f"{param}[{place}]", customer=customer)


def standing(account: Account, identifiers: list[str]) -> list[Object]:
    """The discounts of these ids that still count."""
    found = [account.peek("discount", each) for each in identifiers]
    return [each for each in found if each is not None and (each["end"] is None or each["end"] > account.now)]


def waits(discount: Object) -> bool:
    """Whether it takes an amount off once: that is of a whole invoice, prorations have no part in it."""
    return bool(discount["coupon"]["duration"] == "once" and discount["coupon"]["amount_off"] is not None)


class Eligibility:
    """Which lines a coupon counts for (`applies_to`), and its amount in another currency: what a discount's
    snapshot doesn't say."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def applies(self, discount: Object, line: Object) -> bool:
        """Whether the discount counts for a line."""
        applies_to = self.account.private_state.get(discount["coupon"]["id"], {}).get("applies_to")
        if not applies_to or not applies_to.get("products"):
            return True
        return bool(line["price"]) and line["price"]["product"] in applies_to["products"]

    def coupon(self, discount: Object, currency: str) -> Object:
        """The coupon, with its amount in that currency where it has one."""
        coupon: Object = discount["coupon"]
        if coupon["amount_off"] is None or coupon["currency"] == currency:
            return coupon
        options = self.account.private_state.get(coupon["id"], {}).get("currency_options") or {}
        if currency not in options:
            return coupon
        return {**coupon, "amount_off": options[currency]["amount_off"], "currency": currency}
