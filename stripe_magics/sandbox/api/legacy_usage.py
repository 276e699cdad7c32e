"""Usage records went with 2025-03-31.basil: from then on a metered price needs a meter, to be made and to be
sold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.core.store import Account

_RECURRING = {"POST /v1/prices": "recurring", "POST /v1/plans": ""}
"""What makes a price -> where its recurring part stands."""
_SOLD_AT: dict[str, tuple[str, ...]] = {
    "POST /v1/subscriptions": ("items",),
    "POST /v1/subscriptions/{subscription_exposed_id}": ("items",),
    "POST /v1/subscription_items": ("",),
    "POST /v1/subscription_items/{item}": ("",),
    "POST /v1/quotes": ("line_items",),
    "POST /v1/quotes/{quote}": ("line_items",),
    "POST /v1/subscription_schedules": ("phases", "items"),
    "POST /v1/subscription_schedules/{schedule}": ("phases", "items"),
    "POST /v1/checkout/sessions": ("line_items",),
    "POST /v1/invoices/create_preview": ("subscription_details", "items"),
}
"""What sells prices -> the way to the objects that name them."""


def check(account: Account, name: str, params: dict[str, Any]) -> None:
    """Refuse a call of the newer version that makes or sells a metered price without a meter."""
    if name in _RECURRING:
        where = _RECURRING[name]
        part = (params.get(where) or {}) if where else params
        if part.get("usage_type") == "metered" and not part.get("meter"):
            raise invalid(
                "A price with usage_type=metered needs a meter: give `meter`.",
                param=f"{where}[meter]" if where else "meter",
                code="parameter_missing",
            )
    for param, sold in _sold(params, _SOLD_AT.get(name, ()), ""):
        recurring = (account.peek("price", sold) or {}).get("recurring") or {}
        if recurring.get("usage_type") == "metered" and not recurring.get("meter"):
            raise invalid(
                f"The price {sold} is metered without a meter, which this version doesn't sell any more: make"
                " one with a meter.",
                param=param,
            )


def _sold(value: object, way: tuple[str, ...], where: str) -> Iterator[tuple[str, str]]:
    if not way or not isinstance(value, dict):
        return
    below = value if way[0] == "" else value.get(way[0])
    inside = where if way[0] == "" else f"{where}[{way[0]}]" if where else way[0]
    parts = enumerate(below) if isinstance(below, list) else [(-1, below)]
    for place, each in parts:
        if not isinstance(each, dict):
            continue
        here = f"{inside}[{place}]" if place >= 0 else inside
        yield from _sold(each, way[1:], here)
        for name in ("price", "plan") if len(way) == 1 else ():
            if isinstance(each.get(name), str):
                yield (f"{here}[{name}]" if here else name), each[name]
