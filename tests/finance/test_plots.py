"""Every report with a picture draws one, in major units, labelled; others say so."""

from __future__ import annotations

import io
import json
import os
import re
from base64 import b64decode
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.style
import pandas as pd
import pytest
from finance.fake_account import FakeAccount, connect, dispute, price, recurring, transaction
from finance.fake_account import charge as charge_of
from finance.fake_account import invoice as invoice_of
from finance.rows import LEDGER, charge, frame, invoice
from PIL import Image

import stripe_magics as sm
from stripe_magics import finance
from stripe_magics.errors import StripeMagicsError
from stripe_magics.finance.plots import PLOTS

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
                "lines": [
                    [None if pd.isna(y) else round(float(y), 3) for y in each.get_ydata()]
                    for each in axis.lines
                ],
                "images": [list(each.get_array().shape) for each in axis.images],
            }
        )
    return {
        "title": figure.get_suptitle(),
        "size": [float(each) for each in figure.get_size_inches()],
        "panels": panels,
    }


@cache
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
    ledger = frame(money)
    made = {
        "balance_summary": finance.balance_summary(ledger, "2026-03-01", "2026-03-31"),
        "balance_activity": finance.balance_activity(ledger, "2026-03-01", "2026-03-31"),
        "daily_balance": finance.daily_balance(ledger, "2026-03-01", "2026-03-31"),
        "volume": finance.volume(ledger),
        "cohorts": finance.cohorts(frame(charges)),
        "failed_payments": finance.failed_payments(frame(charges)),
        "ar_ageing": finance.ar_ageing(frame(owed), "2026-02-28"),
        "charges": frame(charges),
        "refunds": refunds(),
    }
    return made | {name: reported(name) for name in REPORTED}


def refunds() -> pd.DataFrame:
    """A list over nine months, by reason."""
    reasons = {1: "duplicate", 2: "requested_by_customer", 9: None}
    rows = [
        {"id": f"re_{n}", "amount": 100 * n, "currency": "usd", "created": f"2026-0{n}-03", "reason": why}
        for n, why in reasons.items()
    ]
    made = frame(rows)
    made.attrs["stripe"]["object"] = "refund"
    return made


REPORTED = {"mrr": 3, "mrr of a month": 1, "mrr_rates": 3, "cohorts by MRR": 3, "deferred_revenue": 3,
    "dispute_rate": 1, "cash_forecast": 1}  # fmt: skip
"""Pictures of reports by name over a small account, and over how many months."""


def reported(name: str) -> pd.DataFrame:
    """A report over three customers of a yen, a dollar and a dinar subscription, with a dispute."""
    plan = {code: price(f"price_{code}", 10_000, currency=code) for code in ("usd", "jpy", "kwd")}
    bills = [
        invoice_of(
            f"in_{code}_{month}", 10_000 * month, f"2026-0{month}-01",
            [recurring(f"il_{code}_{month}", 10_000 * month, f"2026-0{month}-01", f"2026-0{month + 1}-01",
                item=f"si_{code}", of=plan[code], currency=code)],
            currency=code, customer=f"cus_{code}", paid=f"2026-0{month}-02",
        )
        for code in plan for month in (2, 3, 4)
    ]  # fmt: skip
    account = FakeAccount(
        now="2026-05-10", invoice=bills,
        charge=[charge_of("ch_1", 5000, "2026-04-05"), charge_of("ch_2", 5000, "2026-04-06")],
        dispute=[dispute("du_1", "ch_1", 5000, "2026-04-20", status="won")],
        balance_transaction=[transaction("txn_1", "charge", 5000, 175, "2026-05-09T10:00",
            available_on="2026-05-12", status="pending", source="ch_1")],
    )  # fmt: skip
    connect(account)
    months = {3: {"start": "2026-02-01", "end": "2026-04-30"}, 1: {"month": "2026-04"}}[REPORTED[name]]
    known = name.split(maxsplit=1)[0]
    try:
        return sm.report(known, **({} if known in {"cohorts", "cash_forecast"} else months))
    finally:
        sm.close()


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_pictures_say_what_the_kept_ones_say(style: str, tmp_path: Path) -> None:
    """The pictures themselves are in the folder PICTURES names (an artefact of CI), to be looked at; else in
    the test's own."""
    folder = Path(os.environ.get("PICTURES") or tmp_path) / style
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.style.context(style):
        made = {}
        for name, table in pictures().items():
            figure = finance.plot(table)
            made[name] = described(figure)
            figure.savefig(folder / f"{name}.png", dpi=60)
            assert not legend_over_bars(figure), f"{name}: the legend covers bars"
            assert not beyond_the_edge(figure), f"{name}: a text is cut off"
    if os.environ.get("KEEP_PICTURES"):
        KEPT.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    kept = json.loads(KEPT.read_text())
    assert set(made) == set(kept)
    for name, picture in made.items():
        assert picture == kept[name], name
        words = json.dumps(picture)
        for code in ("card_declined", "failed_payments", "daily_balance", "not_due", "over_120", "_by_"):
            assert code not in words, f"{name} shows the column or code {code} in place of words"
    assert set(PLOTS) <= {name.split()[0] for name in made}, "every report with a picture has a kept one"


def legend_over_bars(figure: Any) -> list[Any]:
    """The bars that a legend covers."""
    found = []
    for axis in figure.axes:
        legend = axis.get_legend()
        if legend is not None:
            box = legend.get_window_extent()
            bars = [bar for bar in axis.patches if bar.get_height() * bar.get_width()]
            found += [bar for bar in bars if box.overlaps(bar.get_window_extent())]
    return found


def beyond_the_edge(figure: Any) -> list[str]:
    """The words of legends and titles that don't fit into the picture."""
    edge = figure.bbox.padded(1)
    legends = [axis.get_legend() for axis in figure.axes if axis.get_legend()]
    boxes = [(each, each.get_window_extent()) for each in legends]
    boxes += [(text, text.get_window_extent()) for text in figure.texts]
    return [str(each) for each, box in boxes if not (edge.x0 <= box.x0 and box.x1 <= edge.x1)]


def test_a_notebook_shows_it_once_and_in_its_theme(tmp_path: Path) -> None:
    """In a kernel of its own: with the inline backend, which shows what is open after a cell, too."""
    import nbformat
    from nbclient import NotebookClient

    set_up = (
        "import stripe_magics as sm\nsm.connect(sandbox=True)\nf = sm.call('payment_intents.list', limit=9)"
    )
    cells = [set_up, "f.stripe.plot()", "f.stripe.plot();", "drawn = f.stripe.plot()", "drawn"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    folder = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(book, timeout=60, resources=folder).execute(env={**os.environ, "MPLBACKEND": ""})
    for cell in book.cells[1:]:
        (shown,) = (each.data for each in cell.outputs)
        assert {"image/png", "text/html"} <= set(shown)
        assert shown["text/html"].count("data:image/png;base64,") == 2


def test_what_is_dark_for_a_while_is_as_it_was_afterwards() -> None:
    from stripe_magics.finance.plot_theme import pictures

    figure = finance.plot(finance.daily_balance(frame(LEDGER), "2026-03-01", "2026-03-31"))
    first = pictures(figure)
    light, dark = re.findall(r"base64,([^\"]+)", first["text/html"])
    assert light == first["image/png"]
    assert pictures(figure)["text/html"] == first["text/html"]
    drawn = [Image.open(io.BytesIO(b64decode(each))).convert("RGB") for each in (light, dark)]
    background = [each.getpixel((2, 2)) for each in drawn]
    assert background == [(255, 255, 255), (17, 17, 17)]
    with mpl.style.context("dark_background"):
        chosen = finance.plot(finance.daily_balance(frame(LEDGER), "2026-03-01", "2026-03-31"))
        assert "text/html" not in pictures(chosen), "a style that a person chose is left alone"
