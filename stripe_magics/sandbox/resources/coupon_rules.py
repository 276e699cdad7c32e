"""Whether a coupon can be redeemed, and what it takes off."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from stripe_magics.sandbox.core.store import Account, Object


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
