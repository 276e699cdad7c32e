"""Numbers and dates as a language writes them, in tables, reports, plots and workbooks; values stay as they
are."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from each_row import each_row
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import stripe_magics as sm
from stripe_magics import _locale
from stripe_magics.errors import UsageFault
from stripe_magics.events import event_rows
from stripe_magics.forms import object_search
from stripe_magics.magics.interactive_table import table_content


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
        ("de_CH", "-1,234,567.50", "-1\u2019234\u2019567.50"),
        ("eu", "-12.5%", "-%\xa012,5"),
        ("ar", "-1,234.567", "-1,234.567"),
        ("en_IN", "99,999", "99,999"),
    ],
)  # fmt: skip
def test_numbers(locale: str, text: str, written: str) -> None:
    _locale.set_locale(locale)
    # the apostrophe of Switzerland is either one, by the age of Babel's tables
    assert _locale.number(text).replace("'", "\u2019") == written


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
    assert _locale.moment(when, "%d %b %Y, %H:%M") == "Sep 30, 2026, 14:05"
    assert _locale.moment(when, "%A, %d %B %Y, %H:%M") == "Wednesday, September 30, 2026, 14:05"
    assert _locale.moment(when, "%d %b") == "Sep 30"
    assert _locale.moment(when, "%b %Y", in_numbers=True) == "9/2026"
    assert _locale.moment(when, "%H:%M") == "14:05"
    for locale, pattern in (
        ("bg", 'dd.mm.yyyy\u202f"\u0433".'),
        ("ar", r"dd\/mm\/yyyy"),
        ("hr", "dd. mm. yyyy."),
    ):
        _locale.set_locale(locale)
        assert _locale.date_pattern() == pattern, locale


@pytest.mark.parametrize(
    ("locale", "day"), [("ar", "03/09/2026"), ("he", "03.09.2026"), ("fa", "2026/09/03")]
)
def test_dates_of_languages_from_right_to_left_are_in_numbers(locale: str, day: str) -> None:
    """Their words, and the marks between their digits, would turn the order in a table from left to right."""
    _locale.set_locale(locale)
    when = datetime(2026, 9, 3, 14, 5)  # noqa: DTZ001 - a date as it is shown
    for form in ("%Y-%m-%d", "%d %b %Y", "%A, %d %B %Y"):
        assert _locale.moment(when, form) == day
    for form in ("%Y-%m-%d %H:%M", "%d %b", "%b %Y"):
        written = _locale.moment(when, form)
        assert written.isascii(), written


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


def shown(shell: InteractiveShell, line: str) -> str:
    """The HTML and the text that a line's answer shows."""
    answer = shell.run_line_magic("stripe", line)
    data = shell.display_formatter.format(answer)[0] if answer is not None else {}
    return html.unescape(data.get("text/html", "")) + data.get("text/plain", repr(answer))


@each_row(
    "locale, line, has",
    [
        ("de", "cus_demoJennyRosen", ["Since: 12.11.2024", "02.11.2026, 01:55", "315,00 USD paid"]),
        ("en_US", "cus_demoJennyRosen", ["Since: Nov 12, 2024"]),
        ("de", "today", ["Montag, 2. November 2026", "3.391,89 EUR", "due 25.05.2026"]),
        ("ar", "today", ["02/11/2026, 09:00 (UTC)", "3,391.89 EUR", "due 25/05/2026"]),
        ("en_US", "disputes list --limit 3", ["needs_response by Nov 6, 2026"]),
        ("fr", "invoices list --status open --limit 3", ["open by 1 déc. 2026", "13\u202f299,00 USD"]),
        ("en_IN", "charges list --limit 1100 --columns id", ["1,100 rows", "1,080 rows more"]),
        ("de", "charges list --limit 1100 --columns id", ["1.100 rows", "1.080 rows more"]),
        ("de", "prices list --limit 5 --columns id,unit_amount,currency", [",00 "]),
        ("de", "balance retrieve", ["3.391,89 EUR"]),
        ("de", "report ending_balance --month 2026-09", [",1"]),
    ],
)
def test_whatever_is_shown_follows(shell: InteractiveShell, locale: str, line: str, has: list[str]) -> None:
    shell.run_line_magic("stripe", f"config --locale {locale}")
    text = shown(shell, line)
    for each in has:
        assert each in text, text[:3000]


def test_the_panel_of_a_watch_and_the_choices_of_a_form_follow(shell: InteractiveShell) -> None:
    event = {
        "id": "evt_1", "type": "charge.succeeded", "created": 1790776800,
        "data": {"object": {"id": "ch_1", "object": "charge", "amount": 1234567, "currency": "eur"}},
    }  # fmt: skip
    for locale, day, amount in (
        ("", "2026-09-30 14:00:00", "12,345.67 EUR"),
        ("de", "30.09.2026 14:00:00", "12.345,67 EUR"),
        ("fr", "30 sept. 2026 14:00:00", "12\u202f345,67 EUR"),
    ):
        _locale.set_locale(locale)
        row = event_rows.row(event)
        assert (row["time"], row["amount"]) == (day, amount)
        charge = {**event["data"]["object"], "created": event["created"]}  # type: ignore[dict-item]
        assert amount in object_search.describe(charge)
        for typed in ("12,345.67", amount):
            assert object_search.matches(charge, typed), "as a line takes it, and as it is shown"


def test_an_interactive_table_sorts_days_as_days(shell: InteractiveShell) -> None:
    charges = shell.run_line_magic("stripe", "charges list --limit 50 --columns id,created,amount")
    shell.run_line_magic("stripe", "config --locale de")
    created = table_content(charges).columns[1]
    assert created.texts[0] == "02.11.2026 01:55"
    assert list(created.numbers or []) == sorted(created.numbers or [], reverse=True)


def test_what_is_typed_and_what_machines_read_stay(shell: InteractiveShell, tmp_path: Path) -> None:
    charges = sm.call("charges.list", limit=5)
    report = sm.report("daily_balance", start="2026-09-01", end="2026-09-30")

    def files() -> dict[str, object]:
        shell.run_line_magic("stripe", f"journal --month 2026-09 --to {tmp_path}")
        written = {each.name: each.read_bytes() for each in tmp_path.iterdir() if each.suffix == ".csv"}
        assert written
        return {
            "csv": charges.stripe.to_csv(), "json": charges.stripe.to_json(),
            "report": report.stripe.to_csv(), "attrs": repr(report.attrs), **written,
        }  # fmt: skip

    before = files()
    shell.run_line_magic("stripe", "config --locale de")
    assert files() == before
    request = sm.call("payment_intents.create", amount="1234.50eur", dry_run=True)
    assert ("amount", "123450") in request.params
    with pytest.raises(sm.InvalidValue, match=r"20\.00usd"):
        sm.call("payment_intents.create", amount=20.0, currency="usd")


def test_a_plot_writes_dates_that_its_fonts_have(shell: InteractiveShell) -> None:
    """A character that no font has is drawn as a box, with a warning: an error here."""
    pytest.importorskip("matplotlib").use("agg")
    rates = sm.report("mrr_rates", start="2026-08-01", end="2026-09-30")
    rates = rates[rates["currency"] == "eur"]
    for locale, label in (("ja", "2026/9"), ("hi", "9/2026"), ("ar", "9/2026"), ("de", "Sept. 2026")):
        _locale.set_locale(locale)
        figure = rates.stripe.plot()
        figure.canvas.draw()
        assert figure.axes[0].get_xticklabels()[-1].get_text() == label
    assert all(each.get_text().endswith("\xa0%") for each in figure.axes[0].get_yticklabels())


@pytest.mark.parametrize("locale", ["none", "de"])
def test_a_plot_of_one_day_names_it_once(shell: InteractiveShell, locale: str) -> None:
    pytest.importorskip("matplotlib").use("agg")
    shell.run_line_magic("stripe", f"config --locale {locale}")
    charges = shell.run_line_magic("stripe", "charges list --created 2026-11-01 --limit all")
    figure = charges[charges["currency"] == "eur"].stripe.plot()
    figure.canvas.draw()
    days = [each.get_text() for each in figure.axes[0].get_xticklabels()]
    assert days == ["01.11.2026" if locale == "de" else "2026-11-01"]


def test_the_names_of_prices_follow(shell: InteractiveShell) -> None:
    made = sm.call("prices.create", product="prod_demoTeam", unit_amount=1234567, currency="eur")
    sm.call("products.update", id="prod_demoTeam", default_price=made["id"][0])
    line = "products list --columns id,default_price"
    assert "12,345.67 EUR" in shown(shell, line)
    shell.run_line_magic("stripe", "config --locale de")
    assert "12.345,67 EUR" in shown(shell, line)


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
