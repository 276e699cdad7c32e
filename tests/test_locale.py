"""Numbers and dates as a language writes them, in tables, reports, plots and workbooks; values stay as they
are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import stripe_magics as sm
from stripe_magics import _locale
from stripe_magics.errors import UsageFault


@pytest.fixture(autouse=True)
def no_locale() -> Iterator[None]:
    yield
    _locale.set_locale("")


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    made = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    made.run_line_magic("load_ext", "stripe_magics")
    sm.connect(sandbox=True)
    yield made
    made.run_line_magic("unload_ext", "stripe_magics")
    sm.close()


@pytest.mark.parametrize(
    ("locale", "text", "written"),
    [
        ("", "1,234.50", "1,234.50"),
        ("de", "1,234.50", "1.234,50"),
        ("fr", "1,234,567", "1\u202f234\u202f567"),
        ("en_IN", "12,345,678.9", "1,23,45,678.9"),
        ("de", "12.34%", "12,34\xa0%"),
        ("tr", "12.5%", "%12,5"),
        ("de", "1e+06", "1e+06"),
        ("de", "cus_1", "cus_1"),
        ("de", "0", "0"),
    ],
)  # fmt: skip
def test_numbers(locale: str, text: str, written: str) -> None:
    _locale.set_locale(locale)
    assert _locale.number(text) == written


def test_dates_and_amounts() -> None:
    _locale.set_locale("de")
    when = datetime(2026, 9, 30, 14, 5)  # noqa: DTZ001 - a date as it is shown
    assert _locale.amount("1,234.50 EUR") == "1.234,50 EUR"
    assert _locale.moment(when, "%Y-%m-%d") == "30.09.2026"
    assert _locale.moment(when, "%Y-%m-%d %H:%M") == "30.09.2026 14:05"
    assert _locale.date_pattern() == "dd.mm.yyyy"
    _locale.set_locale("en-US")
    assert _locale.moment(when, "%Y-%m-%d") == "Sep 30, 2026"
    assert _locale.date_pattern() == r"mm\/dd\/yyyy"
    for locale, pattern in (
        ("bg", 'dd.mm.yyyy\u202f"\u0433".'),
        ("ar", r"dd\/mm\/yyyy"),
        ("la", "dd mm yyyy"),
    ):
        _locale.set_locale(locale)
        assert _locale.date_pattern() == pattern, locale


def test_a_language_that_there_isnt_is_refused() -> None:
    with pytest.raises(UsageFault, match="not a language"):
        _locale.set_locale("klingon")


def test_tables_and_reports_follow_and_values_stay(shell: InteractiveShell) -> None:
    report = shell.run_line_magic("stripe", "report balance_summary --month 2026-09")
    charges = shell.run_line_magic("stripe", "charges list --limit 3")
    before = charges.copy()
    shell.run_line_magic("stripe", "config --locale de")
    formatter = shell.display_formatter.format
    for frame in (report, charges):
        html = formatter(frame)[0]["text/html"]
        assert ",00 USD" in html or ",00 EUR" in html or ",00 GBP" in html, html[:2000]
    assert ".2026" in formatter(charges)[0]["text/html"]
    assert charges.equals(before)
    shell.run_line_magic("stripe", "config --locale none")
    assert ".00 " in formatter(report)[0]["text/html"]


def test_plots_follow(shell: InteractiveShell) -> None:
    pytest.importorskip("matplotlib").use("agg")
    shell.run_line_magic("stripe", "config --locale de")
    report = sm.report("daily_balance", start="2026-09-01", end="2026-09-30")
    figure = report.stripe.plot()
    figure.canvas.draw()
    axis = figure.axes[0]
    texts = [each.get_text() for each in axis.get_yticklabels()]
    assert any("." in each and "," not in each for each in texts), texts
    assert any(each.get_text().endswith("2026") for each in axis.get_xticklabels())


def test_the_workbook_follows(shell: InteractiveShell, tmp_path: Path) -> None:
    shell.run_line_magic("stripe", "config --locale de")
    file = tmp_path / "close.xlsx"
    shell.run_line_magic("stripe", f"close --month 2026-09 --to {file}")
    book = openpyxl.load_workbook(file)
    formats = {
        cell.number_format
        for page in book
        for row in page.iter_rows(max_row=40)
        for cell in row
        if cell.is_date
    }
    assert formats, "there are dates in it"
    assert all(each.startswith("dd.mm.yyyy") or each == "yyyy-mm" for each in formats), formats
