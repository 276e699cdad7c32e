"""Whole columns become texts as their cells do, one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stripe_magics import _locale
from stripe_magics.magics import cell_texts
from stripe_magics.money import CURRENCIES, format_amount, format_amounts

WORDS = st.text(st.sampled_from("ab  \t\n\0\u00a0\u3000é=<&"), max_size=70)


@given(st.lists(st.one_of(WORDS, st.none(), st.just(float("nan")), st.booleans()), max_size=6))
def test_texts(cells: list[Any]) -> None:
    column = pd.Series(cells, dtype=object)
    assert cell_texts.texts(column) == [cell_texts.text(each) for each in column]


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_texts_of_strings(cells: list[str]) -> None:
    assert cell_texts.texts(pd.Series(cells, dtype="string")) == [cell_texts.text(each) for each in cells]


@given(st.lists(st.integers(-(10**14), 10**14), max_size=4), st.sampled_from(sorted(CURRENCIES)))
def test_amounts_of_one_currency(amounts: list[int], currency: str) -> None:
    assert format_amounts(amounts, currency) == [format_amount(each, currency) for each in amounts]


@pytest.mark.parametrize("dtype", ["int64", "Int64", "object"])
def test_amounts_of_several_currencies(dtype: str) -> None:
    codes = ["usd", "jpy", "kwd", "isk", "usd", "eur"]
    column = pd.Series([-5, 500, 1234567, 100, 0, 123456789], dtype=dtype)
    assert cell_texts.money(column, codes, "minor") == [
        "-0.05 USD", "500 JPY", "1,234.567 KWD", "1 ISK", "0.00 USD", "1,234,567.89 EUR",
    ]  # fmt: skip


def test_what_is_missing_is_blank() -> None:
    column = pd.Series([100, None, 300], dtype="Int64")
    assert cell_texts.money(column, ["usd", "usd", None], "minor") == ["1.00 USD", "", "300"]
    assert cell_texts.money(column, ["usd", "usd", "jpy"], "major") == ["100.00 USD", "", "300 JPY"]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
@pytest.mark.parametrize("days", [False, True])
def test_times_are_what_strftime_says(zone: str, days: bool) -> None:
    moments = ["2026-03-08T06:59:59", "2026-11-01T05:30", None, "1999-12-31T23:59:59.999", "2300-01-01"]
    for unit in ("s", "us"):
        precise = np.array([each or "NaT" for each in moments], dtype="datetime64[us]")
        column = pd.Series(precise.astype(f"datetime64[{unit}]")).dt.tz_localize("UTC")
        local = column if days else column.dt.tz_convert(zone)
        form = "%Y-%m-%d" if days else "%Y-%m-%d %H:%M"
        assert cell_texts.times(column, zone, days=days) == [
            "" if cell_texts.is_missing(each) else each.strftime(form) for each in local
        ]
    midnights = pd.Series(pd.to_datetime(["2026-09-30", None]))
    assert cell_texts.times(midnights, "UTC") == ["2026-09-30", ""]


def test_a_locale_still_holds() -> None:
    pytest.importorskip("babel", reason="the extra locale")
    _locale.set_locale("de")
    try:
        assert cell_texts.money(pd.Series([123456, 7]), ["eur", "usd"], "minor") == [
            "1.234,56 EUR",
            "0,07 USD",
        ]
        assert cell_texts.times(pd.Series(pd.to_datetime(["2026-09-30 14:05"])), "UTC") == [
            "30.09.2026 14:05"
        ]
    finally:
        _locale.set_locale("")
