"""Every report with a picture draws one, in major units, labelled; others say so."""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd
import pytest
from finance.rows import LEDGER, charge, frame, invoice

from stripe_magics import finance
from stripe_magics.errors import StripeMagicsError

mpl.use("Agg")


@pytest.fixture(autouse=True)
def close_figures() -> object:
    yield
    mpl.pyplot.close("all")


def test_daily_balance_in_major_units() -> None:
    table = finance.daily_balance(frame(LEDGER), "2026-03-01", "2026-03-31")
    axis = finance.plot(table).axes[0]
    assert axis.get_ylabel() == "USD"
    assert axis.lines[0].get_ydata()[-1] == pytest.approx(28.83)


def test_one_panel_a_currency() -> None:
    rows = frame([*LEDGER, {**LEDGER[0], "id": "t9", "currency": "jpy"}])
    figure = finance.plot(finance.volume(rows))
    assert [axis.get_ylabel() for axis in figure.axes] == ["JPY", "USD"]


def test_waterfall_ends_at_the_net() -> None:
    figure = finance.plot(finance.volume(frame(LEDGER)))
    bars = figure.axes[0].patches
    assert bars[-1].get_height() == pytest.approx(151.88)


def test_heat_map_and_ageing_and_declines() -> None:
    charges = [
        charge("a", 100, "2026-01-05"),
        charge("b", 100, "2026-02-05"),
        charge("x", 50, status="failed", failure_code="card_declined"),
    ]
    assert finance.plot(finance.cohorts(frame(charges))).axes
    assert finance.plot(finance.failed_payments(frame(charges))).axes
    assert finance.plot(finance.ar_ageing(frame([invoice("in_1", 100, "2026-01-01")]), "2026-02-28")).axes


def test_a_plain_list_is_drawn_by_day() -> None:
    axis = finance.plot(frame([charge("a", 1234, "2026-01-05"), charge("b", 100, "2026-01-05")])).axes[0]
    assert axis.patches[0].get_height() == pytest.approx(13.34)


def test_what_has_no_picture_says_so() -> None:
    with pytest.raises(StripeMagicsError, match="no picture"):
        finance.plot(finance.fee_items(frame(LEDGER)))
    with pytest.raises(StripeMagicsError, match="no rows"):
        finance.plot(finance.volume(frame(LEDGER), "2020-01-01", "2020-01-31"))


def test_partial_data_is_said_in_the_title() -> None:
    figure = finance.plot(finance.daily_balance(frame(LEDGER, complete=False), "2026-03-01", "2026-03-31"))
    assert "partial" in figure.get_suptitle()


def test_amounts_are_named_for_the_accessor() -> None:
    table = finance.daily_balance(frame(LEDGER), "2026-03-01", "2026-03-31")
    assert table.attrs["stripe"]["amounts"] == [
        "sales",
        "refunds",
        "disputes",
        "fees",
        "other",
        "net",
        "payouts",
        "closing",
    ]
    assert isinstance(table.stripe.to_major(), pd.DataFrame)
    assert table.stripe.to_major()["closing"].iloc[-1] == pytest.approx(28.83)
