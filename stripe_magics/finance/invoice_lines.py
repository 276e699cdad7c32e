"""The lines of invoices as a table, both shapes (before and since 2025-03-31) in the same columns.

A line is one fact: what it costs without tax, what was taken off, the period that it is for, the subscription item and price that it is of.
Lines that an answer doesn't hold (`lines_has_more`) have to be fetched before; `uncut` names the invoices where they were not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import MissingData, flags, lists, text_column, to_str
from stripe_magics.finance.receivables import transitions

_COLUMNS = (
    "position", "line", "amount", "tax", "discount", "discount_forever", "start", "end", "recurring", "proration", "subscription", "item",
    "price", "interval", "interval_count", "metered", "unit_amount", "quantity",
)  # fmt: skip
_PERIODS = ("start", "end")
LIVING = frozenset({"open", "paid", "uncollectible"})


def lines_column(invoices: pd.DataFrame) -> pd.Series:
    """The cells that hold the lines."""
    source = next((name for name in ("lines_data", "lines") if name in invoices.columns), None)
    if source is None:
        raise MissingData(
            "This report needs the line items of invoices.",
            advice="Fetch them with %stripe invoices list --limit all.",
        )
    values: pd.Series = invoices[source]
    return values


def cut_off(invoices: pd.DataFrame) -> pd.Series:
    """Which invoices have more lines than the frame holds."""
    return flags(invoices, "lines_has_more", default=False)


def coupons_of(*frames: pd.DataFrame | None) -> dict[str, dict[str, Any]]:
    """The coupon of every discount that some frames spell out, by the discount's id."""
    found: dict[str, dict[str, Any]] = {}
    for frame in frames:
        if frame is None:
            continue
        if {"discount", "discount_coupon"} <= set(frame.columns):
            known = frame[frame["discount_coupon"].notna()]
            for name, coupon in zip(to_str(known["discount"]), known["discount_coupon"], strict=True):
                if isinstance(coupon, Mapping):
                    found[name] = dict(coupon)
        for cell in frame["discounts"] if "discounts" in frame.columns else ():
            _add_discounts(found, cell)
        for items in frame["items"] if "items" in frame.columns else ():
            for item in items if isinstance(items, list) else ():
                _add_discounts(found, item.get("discounts"))
    return found


def _add_discounts(found: dict[str, dict[str, Any]], cell: Any) -> None:
    for each in cell if isinstance(cell, list) else ():
        if isinstance(each, Mapping) and (coupon := coupon_in(each)):
            found[str(each.get("id") or "")] = coupon


def coupon_in(discount: Mapping[str, Any]) -> dict[str, Any]:
    """The coupon of a discount, wherever its version has it; empty if only its id is known."""
    source = discount.get("source") or {}
    coupon = discount.get("coupon") or (source.get("coupon") if isinstance(source, Mapping) else None)
    return dict(coupon) if isinstance(coupon, Mapping) else {}


def invoice_lines(
    invoices: pd.DataFrame,
    *,
    coupons: Mapping[str, Mapping[str, Any]] | None = None,
    prices: Mapping[str, Mapping[str, Any]] | None = None,
    void: bool = False,
) -> pd.DataFrame:
    """The lines of finalised invoices, one a row; void ones only if asked.

    customer, currency, invoice, finalized (int64 nanoseconds), line, amount (without tax, before discounts), tax, discount (all),
    discount_forever (by coupons that never end), start, end (datetime64[us, UTC]), recurring, proration, subscription, item, price,
    interval, interval_count, metered, unit_amount (minor units, float), quantity. `coupons` are those of discounts by id, `prices` those
    of prices by id, for versions whose lines only name them.
    """
    status = to_str(invoices["status"])
    kept = status.isin([*LIVING, *(["void"] if void else [])])
    mine = invoices[kept]
    cells = lists(lines_column(mine), column="lines")
    table = pd.DataFrame(_rows(cells, coupons or coupons_of(invoices), prices or {}), columns=list(_COLUMNS))
    whole = {
        "amount": np.int64,
        "tax": np.int64,
        "discount": np.int64,
        "discount_forever": np.int64,
        "position": np.int64,
    }
    table = table.astype(whole)
    for name in _PERIODS:
        seconds = pd.to_numeric(table[name], errors="coerce")
        table[name] = pd.to_datetime(seconds, unit="s", utc=True).astype("datetime64[us, UTC]")
    for name in ("recurring", "proration", "metered"):
        table[name] = table[name].astype(bool)
    place = table.pop("position").to_numpy()
    heads = {
        "customer": text_column(mine, "customer"),
        "currency": to_str(mine["currency"]),
        "invoice": to_str(mine["id"]),
        "status": to_str(mine["status"]),
    }
    for at, (name, values) in enumerate(heads.items()):
        table.insert(at, name, values.to_numpy()[place] if len(place) else np.array([], dtype=object))
    table.insert(3, "finalized", transitions(mine, "finalized_at")[place])
    return table


def _rows(
    cells: list[list[Any]], coupons: Mapping[str, Mapping[str, Any]], prices: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[Any, ...]]:
    for position, cell in enumerate(cells):
        for line in cell:
            yield (position, *_facts(line, coupons, prices))


def _facts(
    line: Mapping[str, Any], coupons: Mapping[str, Mapping[str, Any]], prices: Mapping[str, Mapping[str, Any]]
) -> tuple[Any, ...]:
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or {}
    of_item = parent.get("invoice_item_details") or {}
    price = price_of(line, prices)
    recurring = price.get("recurring") or {}
    if not recurring and price.get("interval"):
        recurring = price  # a plan
    item = (
        details.get("subscription_item") or line.get("subscription_item") or of_item.get("subscription_item")
    )
    subscription = details.get("subscription") or line.get("subscription") or of_item.get("subscription")
    kind = line.get("type")
    proration = bool(line.get("proration") or details.get("proration") or of_item.get("proration"))
    of_subscription = bool(
        details or item or kind == "subscription" or (subscription and (kind is None or proration))
    )
    off = forever = 0
    for each in line.get("discount_amounts") or ():
        off += int(each["amount"])
        discount = each.get("discount")
        coupon = coupon_in(discount) if isinstance(discount, dict) else coupons.get(str(discount), {})
        if coupon.get("duration") == "forever":
            forever += int(each["amount"])
    taxes = [*(line.get("tax_amounts") or ()), *(line.get("taxes") or ())]
    tax = inside = 0
    for each in taxes:
        tax += int(each["amount"])
        if each.get("inclusive") or each.get("tax_behavior") == "inclusive":
            inside += int(each["amount"])
    span = line.get("period") or {}
    unit = price.get("unit_amount_decimal") or price.get("unit_amount")
    quantity = line.get("quantity")
    return (
        line["id"], int(line["amount"]) - inside, tax, off, forever, span.get("start"), span.get("end"),
        of_subscription and price.get("type") != "one_time", proration, subscription or "", item or "", price.get("id") or "",
        recurring.get("interval") or "", int(recurring.get("interval_count") or 1),
        recurring.get("usage_type") == "metered" or bool(recurring.get("meter")),
        float("nan") if unit is None else float(unit), 1.0 if quantity is None else float(quantity),
    )  # fmt: skip


def price_of(line: Mapping[str, Any], prices: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """The price of a line (or its plan): in the line, or by its id among `prices`; just its id where nothing else is known."""
    price = line.get("price") or line.get("plan")
    if isinstance(price, dict):
        return price
    pricing = (line.get("pricing") or {}).get("price_details") or {}
    name = price or pricing.get("price")
    if isinstance(name, dict):
        return name
    known = prices.get(str(name or ""))
    if known is not None:
        return known
    unit = (line.get("pricing") or {}).get("unit_amount_decimal")
    return {"id": name, "unit_amount_decimal": unit} if name else {}


def unknown_prices(invoices: pd.DataFrame) -> bool:
    """Whether some lines only name their price."""
    return any(
        not isinstance(line.get("price") or line.get("plan"), Mapping)
        and bool(line.get("price") or ((line.get("pricing") or {}).get("price_details") or {}).get("price"))
        for cell in lists(lines_column(invoices), column="lines")
        for line in cell
    )
