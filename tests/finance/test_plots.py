"""Every report with a picture draws one, in major units, labelled; others say so."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.style
import pandas as pd
import pytest
from finance.rows import LEDGER, charge, frame, invoice

from stripe_magics import finance
from stripe_magics.errors import StripeMagicsError

mpl.use("Agg")


@pytest.fixture(autouse=True)
def close_figures() -> object:
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


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


def test_amounts_have_the_decimals_of_their_currency() -> None:
    rows = [
        {**row, "id": f"{row['id']}_{code}", "currency": code}
        for code in ("usd", "jpy", "kwd")
        for row in LEDGER
    ]
    panels = {axis.get_ylabel(): axis for axis in finance.plot(finance.volume(frame(rows))).axes}
    said = {code: [each.get_text() for each in axis.texts] for code, axis in panels.items()}
    assert said["KWD"] == ["+18.000", "-2.000", "-0.812", "15.188"]
    assert said["USD"] == ["+180.00", "-20.00", "-8.12", "151.88"]
    assert said["JPY"] == ["+18,000", "-2,000", "-812", "15,188"]
    panels["KWD"].figure.canvas.draw()
    for axis in panels.values():
        ticks = [each.get_text() for each in axis.get_yticklabels()]
        assert len(ticks) == len(set(ticks)), "two marks of an axis say the same"


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


KEPT = Path(__file__).parent.parent / "specs" / "pictures.json"


def described(figure: Any) -> dict[str, Any]:
    """What a picture says, whatever fonts this machine has: its title, and of each panel the texts, bars,
    lines and cells."""
    figure.canvas.draw()
    panels = []
    for axis in figure.axes:
        legend = axis.get_legend()
        panels.append(
            {
                "labels": [axis.get_title(), axis.get_xlabel(), axis.get_ylabel()],
                "legend": [each.get_text() for each in legend.get_texts()] if legend else [],
                "ticks": [each.get_text() for each in axis.get_xticklabels() if each.get_text()],
                "texts": [each.get_text() for each in axis.texts],
                "bars": [round(float(each.get_height() * each.get_width()), 3) for each in axis.patches],
                "lines": [[round(float(y), 3) for y in each.get_ydata()] for each in axis.lines],
                "images": [list(each.get_array().shape) for each in axis.images],
            }
        )
    return {
        "title": figure.get_suptitle(),
        "size": [float(each) for each in figure.get_size_inches()],
        "panels": panels,
    }


def pictures() -> dict[str, pd.DataFrame]:
    """Reports over a few known rows, in currencies of two, no and three decimals."""
    money = [
        {**row, "id": f"{row['id']}_{code}", "currency": code}
        for code in ("usd", "jpy", "kwd")
        for row in LEDGER
    ]
    charges = [
        *(charge(f"c{month}{n}", 5000 + n, f"2026-0{month}-05", customer=f"cus_{n}") for month in (1, 2,
            3) for n in range(month)),
        charge("x", 5000, "2026-02-07", status="failed", failure_code="card_declined"),
    ]  # fmt: skip
    owed = [invoice(f"in_{n}", 1000 * n, f"2026-01-{10 + n}") for n in (1, 2, 3)]
    return {
        "daily_balance": finance.daily_balance(frame(money), "2026-03-01", "2026-03-31"),
        "volume": finance.volume(frame(money)),
        "cohorts": finance.cohorts(frame(charges)),
        "failed_payments": finance.failed_payments(frame(charges)),
        "ar_ageing": finance.ar_ageing(frame(owed), "2026-02-28"),
        "charges": frame(charges),
    }


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_pictures_say_what_the_kept_ones_say(style: str) -> None:
    with mpl.style.context(style):
        made = {name: described(finance.plot(table)) for name, table in pictures().items()}
    if os.environ.get("KEEP_PICTURES"):
        KEPT.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    kept = json.loads(KEPT.read_text())
    assert set(made) == set(kept)
    for name, picture in made.items():
        assert picture == kept[name], name
        words = json.dumps(picture)
        for code in ("card_declined", "failed_payments", "daily_balance", "not_due", "over_120"):
            assert code not in words, f"{name} shows the column or code {code} in place of words"


@pytest.mark.parametrize("name", ["daily_balance", "volume", "ar_ageing", "failed_payments"])
def test_legends_cover_no_bar(name: str) -> None:
    figure = finance.plot(pictures()[name])
    figure.canvas.draw()
    for axis in figure.axes:
        legend = axis.get_legend()
        if legend is None:
            continue
        box = legend.get_window_extent()
        covered = [
            bar
            for bar in axis.patches
            if bar.get_height() * bar.get_width() and box.overlaps(bar.get_window_extent())
        ]
        assert not covered, f"{name}: the legend covers {len(covered)} bars"
