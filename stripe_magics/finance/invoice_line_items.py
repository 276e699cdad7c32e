"""The lines of invoices as a table, both shapes (before and since 2025-03-31) in the same columns.

A line is one fact: what it costs without tax, what was taken off, the period that it is for, the subscription
item and price that it is of.
Lines that an answer doesn't hold (`lines_has_more`) have to be fetched before; `uncut` names the invoices
where they were not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stripe_magics.errors import MissingData
from stripe_magics.finance.aggregation import flags, lists, text_column, to_str
from stripe_magics.finance.nested_lists import NestedLists, as_text, nested_lists
from stripe_magics.finance.receivables import transitions
from stripe_magics.finance.reporting_period import Ints

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


def without_lines(invoices: pd.DataFrame) -> pd.DataFrame:
    """The invoices themselves: their lines are long, and are not copied where rows are chosen."""
    return invoices.drop(columns=[name for name in ("lines", "lines_data") if name in invoices.columns])


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
            known = frame.loc[frame["discount_coupon"].notna(), ["discount", "discount_coupon"]]
            for name, coupon in zip(to_str(known["discount"]), known["discount_coupon"], strict=True):
                if isinstance(coupon, Mapping):
                    found[name] = dict(coupon)
        for cell in filled_lists(frame, "discounts"):
            _add_discounts(found, cell)
        for items in filled_lists(frame, "items"):
            for item in items:
                _add_discounts(found, item.get("discounts"))
    return found


def filled_lists(frame: pd.DataFrame, column: str) -> list[list[Any]]:
    """The cells of a column that hold a list with something in it; JSON text is opened."""
    if column not in frame.columns:
        return []
    cells = frame[column]
    if pd.api.types.is_string_dtype(cells.dtype) and not pd.api.types.is_object_dtype(cells.dtype):
        return [cell for cell in lists(cells[cells.notna() & cells.ne("[]")], column=column) if cell]
    return (
        [cell for cell in cells.to_numpy() if isinstance(cell, list) and cell]
        if pd.api.types.is_object_dtype(cells.dtype)
        else []
    )


def _add_discounts(found: dict[str, dict[str, Any]], cell: object) -> None:
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
    nested: NestedLists | None = None,
) -> pd.DataFrame:
    """The lines of finalised invoices, one a row; void ones only if asked.

    customer, currency, invoice, status, position (the invoice's row), finalized (int64 nanoseconds), line,
    amount (without tax, before discounts), tax, discount (all), discount_forever (by coupons that never end),
    start, end (datetime64[us, UTC]), recurring, proration, subscription, item, price, interval,
    interval_count, metered, unit_amount (minor units, float), quantity. `coupons` are those of discounts by
    id, `prices` those of prices by id, for versions whose lines only name them. `nested` are the lines if
    they are read already; the columns from `recurring` on are left out if they hold amounts only.
    """
    lines = nested_lines(invoices) if nested is None else nested
    kept = to_str(invoices["status"]).isin([*LIVING, *(["void"] if void else [])]).to_numpy()
    if not kept.all():
        lines = lines.where(kept[lines.row])
    row = lines.row
    off, forever = _discounts(
        lines, {**(coupons_of(invoices) if coupons is None else coupons), **lines.expanded}
    )
    tax, inside = _taxes(lines)
    heads = {
        "customer": text_column(invoices, "customer"),
        "currency": to_str(invoices["currency"]),
        "invoice": to_str(invoices["id"]),
        "status": to_str(invoices["status"]),
    }
    return pd.DataFrame(
        {
            **{name: values.take(row).array for name, values in heads.items()},
            "position": row,
            "finalized": transitions(invoices, "finalized_at")[row],
            "line": as_text(lines.text("id")),
            "amount": lines.ints("amount") - inside,
            "tax": tax,
            "discount": off,
            "discount_forever": forever,
            **{name: _instants(lines.get("period", name)) for name in _PERIODS},
            **(
                _subscription_facts(lines, {**(prices or {}), **lines.expanded}) if lines.has("price") else {}
            ),
        }
    )


def nested_lines(invoices: pd.DataFrame, shape: str = "lines") -> NestedLists:
    """The lines of all invoices, typed, one after another; of `shape` "line_amounts" without what they say of
    subscriptions and prices."""
    return nested_lists(lines_column(invoices), shape)


def _instants(seconds: pa.Array) -> pd.arrays.DatetimeArray:
    made = seconds.cast(pa.timestamp("s", "UTC")).cast(pa.timestamp("us", "UTC"))
    return pd.Series(made.to_pandas()).astype("datetime64[us, UTC]").array


def _discounts(lines: NestedLists, coupons: Mapping[str, Mapping[str, Any]]) -> tuple[Ints, Ints]:
    """What was taken off each line, in all and by coupons that never end."""
    off, forever = np.zeros(len(lines), dtype=np.int64), np.zeros(len(lines), dtype=np.int64)
    each = lines.inner("discount_amounts")
    if len(each):
        amount = each.ints("amount")
        np.add.at(off, each.row, amount)
        endless = [name for name, of in coupons.items() if (coupon_in(of) or of).get("duration") == "forever"]
        never_ends = pc.is_in(each.text("discount"), value_set=pa.array(endless, pa.string()))
        np.add.at(forever, each.row, np.where(never_ends.to_numpy(zero_copy_only=False), amount, 0))
    return off, forever


def _taxes(lines: NestedLists) -> tuple[Ints, Ints]:
    """The tax of each line, and the part of it that its amount includes."""
    tax, inside = np.zeros(len(lines), dtype=np.int64), np.zeros(len(lines), dtype=np.int64)
    for name in ("tax_amounts", "taxes"):
        each = lines.inner(name)
        if len(each):
            amount = each.ints("amount")
            np.add.at(tax, each.row, amount)
            np.add.at(inside, each.row, np.where(is_inclusive(each), amount, 0))
    return tax, inside


def is_inclusive(taxes: NestedLists) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether each tax is part of the price, in both shapes."""
    behaviour = pc.equal(taxes.text("tax_behavior"), "inclusive").to_numpy(zero_copy_only=False)
    made: np.ndarray[tuple[int], np.dtype[np.bool_]] = taxes.flags("inclusive") | behaviour
    return made


def _subscription_facts(lines: NestedLists, prices: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What each line says of its subscription, item and price, wherever its version has it."""
    details, other = ("parent", "subscription_item_details"), ("parent", "invoice_item_details")
    item = _first(
        lines.get(*details, "subscription_item"),
        lines.get("subscription_item"),
        lines.get(*other, "subscription_item"),
    )
    subscription = _first(
        lines.get(*details, "subscription"), lines.get("subscription"), lines.get(*other, "subscription")
    )
    proration = (
        lines.flags("proration") | lines.flags(*details, "proration") | lines.flags(*other, "proration")
    )
    kind = lines.text("type")
    price = _first(
        lines.get("price", "id"), lines.get("plan", "id"), lines.get("pricing", "price_details", "price")
    )
    facts = _price_facts(lines, price, prices)
    of_item = (
        _true(lines.get(*details).is_valid())
        | _true(pc.not_equal(item, ""))
        | _true(pc.equal(kind, "subscription"))
    )
    of_item |= _true(pc.not_equal(subscription, "")) & (_true(pc.equal(kind, "")) | proration)
    return {
        "recurring": of_item & _true(pc.not_equal(facts.pop("type"), "one_time")),
        "proration": proration,
        "subscription": as_text(subscription),
        "item": as_text(item),
        "price": as_text(price),
        **facts,
        "quantity": lines.get("quantity").fill_null(1.0).to_numpy(zero_copy_only=False),
    }


def _price_facts(
    lines: NestedLists, price: pa.Array, prices: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Type, interval, count, metered and unit amount: of the price in the line, of its plan, or of the price
    that it names."""
    named = _named_prices(price, prices)

    def fact(name: str, *, recurring: bool = True) -> list[pa.Array]:
        inner = [lines.get("price", "recurring", name)] if recurring else []
        return [*inner, lines.get("price", name), lines.get("plan", name), named[name]]

    unit = pc.coalesce(
        _decimal(lines.get("price", "unit_amount_decimal")), lines.get("price", "unit_amount"),
        _decimal(lines.get("plan", "unit_amount_decimal")), lines.get("plan", "unit_amount"),
        named["unit_amount"], _decimal(lines.get("pricing", "unit_amount_decimal")),
    )  # fmt: skip
    usage = pc.equal(_first(*fact("usage_type")), "metered")
    return {
        "type": _first(*fact("type", recurring=False)),
        "interval": as_text(_first(*fact("interval"))),
        "interval_count": pc.coalesce(*fact("interval_count")).fill_null(1).to_numpy(zero_copy_only=False),
        "metered": _true(usage) | _true(pc.not_equal(_first(*fact("meter")), "")),
        "unit_amount": unit.fill_null(float("nan")).to_numpy(zero_copy_only=False),
    }


_NAMED: Mapping[str, pa.DataType] = {
    "type": pa.string(), "interval": pa.string(), "interval_count": pa.int64(), "usage_type": pa.string(),
    "meter": pa.string(),
    "unit_amount": pa.float64(),
}  # fmt: skip


def _named_prices(price: pa.Array, prices: Mapping[str, Mapping[str, Any]]) -> dict[str, pa.Array]:
    """The facts of the prices that lines name, a value a line; missing where a price isn't known."""
    if not prices:
        return {name: pa.nulls(len(price), kind) for name, kind in _NAMED.items()}
    coded = price.dictionary_encode()
    known = [prices.get(name, {}) for name in coded.dictionary.to_pylist()]
    rows = [
        {**(each.get("recurring") or each), "type": each.get("type"), "unit_amount": _unit_of(each)}
        for each in known
    ]
    return {
        name: pa.array([each.get(name) for each in rows], kind).take(coded.indices)
        for name, kind in _NAMED.items()
    }


def _unit_of(price: Mapping[str, Any]) -> float | None:
    unit = price.get("unit_amount_decimal") or price.get("unit_amount")
    return None if unit is None else float(unit)


def _decimal(text: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(text, ""), None, text).cast(pa.float64())


def _first(*texts: pa.Array) -> pa.Array:
    """The first text that there is, else an empty one."""
    return pc.coalesce(*texts, pa.scalar("", pa.string()))


def _true(flags_: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    made: np.ndarray[tuple[int], np.dtype[np.bool_]] = flags_.to_numpy(zero_copy_only=False)
    return made


def unknown_prices(lines: NestedLists) -> bool:
    """Whether some lines only name their price."""
    named = _first(
        lines.get("price", "id"), lines.get("plan", "id"), lines.get("pricing", "price_details", "price")
    )
    spelt = _first(
        lines.get("price", "type"), lines.get("price", "recurring", "interval"), lines.get("plan", "interval")
    )
    lacking = pc.and_(pc.not_equal(named, ""), pc.equal(spelt, ""))
    names = set(pc.unique(named.filter(lacking)).to_pylist())
    return bool(names - set(lines.expanded))


def named_discounts(lines: NestedLists) -> set[str]:
    """The discounts that took something off some line."""
    return set(pc.unique(lines.inner("discount_amounts").text("discount")).to_pylist()) - {
        "",
        *lines.expanded,
    }
