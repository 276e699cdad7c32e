"""`%stripe report --form` and `%stripe close --form`: choices, the line that they stand for, what is shown
and saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import stripe_magics as sm
from stripe_magics.errors import UsageFault
from stripe_magics.finance import runner
from stripe_magics.finance.comparison import period_before
from stripe_magics.finance.reporting_period import Period, calendar_period
from stripe_magics.forms.period_form import BETWEEN, NAMED

pytest.importorskip("ipywidgets")


@pytest.fixture(scope="module", autouse=True)
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()  # another module's may know the extension as loaded
    ip = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    ip.run_line_magic("load_ext", "stripe_magics")
    ip.run_line_magic("stripe", "connect --sandbox --quiet")
    yield ip
    ip.run_line_magic("unload_ext", "stripe_magics")
    sm.close()
    InteractiveShell.clear_instance()


@pytest.fixture
def line(shell: InteractiveShell) -> Any:
    return lambda words: shell.run_line_magic("stripe", words)


def press(form: Any, label: str) -> None:
    button = next(each for each in form.tree.widgets if getattr(each, "description", "") == label)
    button.click()


def test_the_form_shows_what_its_line_gives(line: Any, tmp_path: Path) -> None:
    form = line("report fees --form --month 2026-09 --tz UTC")
    assert form.line() == "%stripe report fees --period 2026-09 --tz UTC"
    assert form.line() in form.line_shown.value
    press(form, "Show")
    again = line(form.line().removeprefix("%stripe "))
    pd.testing.assert_frame_equal(form.frame, again)
    assert form.frame.attrs["stripe"]["period"] == "1-30 Sep 2026, 30 days"
    assert "<table" in form.result.value
    form.currency.value, form.compare.value = "eur", "before"
    press(form, "Show")
    assert set(form.frame["currency"]) == {"eur"}
    august = sm.report("fees", month="2026-08", tz="UTC", currency="eur")
    assert form.frame["amount_before"].sum() == august["amount"].sum()
    assert (form.frame["amount_change"] == form.frame["amount"] - form.frame["amount_before"]).all()
    target = tmp_path / "fees.xlsx"
    form.file.value = str(target)
    press(form, "Save as Excel")
    assert str(target) in form.status.value
    assert len(pd.read_excel(target)) >= len(form.frame)
    form.close()
    assert not [each for each in form.tree.widgets if each.comm is not None]


def test_choosing_another_report_shows_its_options_and_periods(line: Any) -> None:
    form = line("report --form")
    form.name.value = "mrr_rates"
    assert set(form.options) == {"method", "discounts", "history"}
    form.options["method"].value = next(value for _, value in form.options["method"].options if value)
    assert "--method" in form.line()
    form.name.value = "mrr_now"
    assert [value for _, value in form.period.options] == [""]
    assert form.line() == "%stripe report mrr_now"
    form.name.value = "volume"
    form.period.value = BETWEEN
    form.start.value, form.end.value = "2026-09-30", "2026-09-01"
    assert form.line() == "%stripe report volume --start 2026-09-30 --end 2026-09-01"
    press(form, "Show")
    assert "before it starts" in form.notes["end"].value
    assert "before it starts" in form.problems.children[0].description
    assert form.frame is None
    form.close()


def test_the_month_end_as_a_form(line: Any, tmp_path: Path) -> None:
    form = line(f"close --form --month 2026-09 --to {tmp_path / 'close.xlsx'}")
    assert form.line() == f"%stripe close --month 2026-09 --to {tmp_path / 'close.xlsx'}"
    press(form, "Close the books")
    assert not form.frame["result"].eq("failed").any()
    assert (tmp_path / "close.xlsx").exists()
    form.period.value = "last month"
    assert "--month 'last month'" in form.line()
    form.close()


def test_each_faulty_field_says_so_before_anything_is_read(line: Any) -> None:
    form = line("report fees --form")
    form.period.value = BETWEEN
    for control, typed in ((form.start, "30.2.2026"), (form.zone, "Europe/Berln"), (form.currency, "shells")):
        control.value = typed
    for flag, words in (
        ("start", "&#x27;30.2.2026&#x27; is not a date or time"),
        ("tz", "&#x27;Europe/Berln&#x27; is not a time zone. Example: Europe/Berlin."),
        ("currency", "shells is not a currency. Example: usd."),
    ):
        assert words in form.notes[flag].value, "said as soon as the field is left"
    press(form, "Show")
    assert "3 values need correcting. Nothing was read." in form.status.value
    assert [each.description.split(":")[0] for each in form.problems.children] == [
        "From",
        "Time zone",
        "Currency",
    ]
    assert form.frame is None
    form.start.value, form.zone.value, form.currency.value = "2026-09-01", "", "usd"
    assert (form.problems.children, form.status.value) == ((), ""), "errors go when they are mended"
    form.start.value = ""
    press(form, "Show")
    assert [each.description for each in form.problems.children] == ["From: Give a day."]
    form.period.value = NAMED
    press(form, "Show")
    assert [each.description for each in form.problems.children] == [
        "Which: Give a month, a quarter or a year."
    ]
    form.named.value = "2026-Q9"
    assert "2026-Q9" in form.notes[NAMED].value
    form.named.value = "2026-Q3"
    press(form, "Show")
    assert form.frame.attrs["stripe"]["period"] == "1 Jul - 30 Sep 2026, 92 days"
    form.name.value = "ltv"
    form.options["months"].value = "many"
    assert "many isn&#x27;t possible: a whole number" in form.notes["months"].value
    form.close()


def test_what_stands_below_says_when_it_is_of_other_choices(line: Any) -> None:
    form = line("report fees --form --month 2026-09")
    press(form, "Show")
    assert form.stale.value == ""
    form.named.value = "2026-08"
    assert "not of these choices" in form.stale.value
    assert "It is of %stripe report fees --period 2026-09" in form.stale.value
    form.named.value = "2026-09"
    assert form.stale.value == ""
    form.name.value = "volume"
    assert "not of these choices" in form.stale.value
    press(form, "Show")
    assert form.stale.value == ""
    form.period.value = NAMED
    form.named.value = "2030-01"
    press(form, "Show")
    assert "lies in the future" in form.status.value
    assert "--month" not in form.status.value, "a form has no flags"
    assert "not of these choices" in form.stale.value
    form.close()


def test_the_answer_is_kept_under_a_name(line: Any, shell: InteractiveShell) -> None:
    form = line("report fees --form --month 2026-09")
    press(form, "Show")
    assert shell.user_ns["stripe_report_fees"] is form.frame
    assert "Saved as the DataFrame stripe_report_fees." in form.result.value
    form.close()


def test_a_file_that_cannot_be_written_is_said_in_words(line: Any, tmp_path: Path) -> None:
    form = line("report fees --form --month 2026-09")
    for path, words in (
        (tmp_path / "nowhere" / "x.xlsx", "can&#x27;t be written"),
        (tmp_path / "x.csv", "is not the name of an Excel file"),
    ):
        form.file.value = str(path)
        press(form, "Save as Excel")
        assert words in form.status.value
        assert "Error" not in form.status.value
    form.close()


def test_what_a_line_gives_is_in_the_form_or_refused(line: Any, tmp_path: Path) -> None:
    for given, shown in (
        ("report fees 2026-09-01 2026-09-30 --form", "report fees --start 2026-09-01 --end 2026-09-30"),
        ("report fees --form --end 2026-09-30", "report fees --end 2026-09-30"),
        (
            "report fees --form --fresh --check stripe --month 2026-09",
            "report fees --period 2026-09 --fresh --check stripe",
        ),
        ("report daily_balance --form --by created", "report daily_balance --period 'last month'"),
        (
            "report daily_balance --form --by arrival",
            "report daily_balance --period 'last month' --by arrival",
        ),
        (
            "report balance_summary --form --prove true",
            "report balance_summary --period 'last month' --prove true",
        ),
        ("report ltv --form --months 12", "report ltv --months 12"),
        ("report mrr_now --form", "report mrr_now"),
        ("close --form --who me --strict --quarter 2026-Q3", "close --quarter 2026-Q3 --who me --strict"),
        (f"close --form --over {tmp_path} --year 2025", f"close --year 2025 --over {tmp_path}"),
    ):
        form = line(given)
        assert form.line() == f"%stripe {shown}", given
        form.close()
    for given, words in (
        ("report fees --form --limit 3", "fees does not take --limit"),
        ("report --form --by month", "balance_activity does not take --by"),
        ("report daily_balance --form --by month", "--by month isn't possible"),
        ("report fees 2026-09-01 --start 2026-09-02 --form", "--start is given twice"),
        (
            "report fees --form --month 2026-09 --year 2026",
            "More than one period is given: --month 2026-09, --year 2026",
        ),
        ("report mrr_now --form --month 2026-09", "it takes no period"),
        ("close --form --month 2026-09 --year 2026", "More than one period"),
        ("close --form --verify close.xlsx", "has no form"),
    ):
        with pytest.raises(UsageFault, match=words):
            line(given)


def test_the_month_end_checks_its_fields(line: Any, tmp_path: Path) -> None:
    form = line("close --form")
    form.period.value = NAMED
    for control, typed in (
        (form.named, "last 10 days"),
        (form.to, str(tmp_path / "close.csv")),
        (form.map, "nosuch"),
    ):
        control.value = typed
    press(form, "Close the books")
    assert [each.description for each in form.problems.children] == [
        "Which: last 10 days is not a month, a quarter or a year.",
        (
            f"Workbook: {tmp_path / 'close.csv'} isn't possible: the workbook's name ends in .xlsx. Nothing"
            " was read."
        ),
        "Accounts: There is no file nosuch, nor a map of that name.",
    ]
    form.named.value, form.to.value, form.map.value = "2026-Q3", "", "skr03"
    assert form.line() == "%stripe close --quarter 2026-Q3 --map skr03"
    form.close()


def test_the_period_before() -> None:
    for given, unit, words in (
        ("2026-09", "month", "1-31 Aug 2026, 31 days"),
        ("2026-Q1", "quarter", "1 Oct - 31 Dec 2025, 92 days"),
        ("2026", "year", "1 Jan - 31 Dec 2025, 365 days"),
    ):
        assert period_before(calendar_period(given, unit, "Europe/Berlin")).words() == words
    ten = Period(pd.Timestamp("2026-03-10", tz="UTC"), pd.Timestamp("2026-03-20", tz="UTC"))
    assert period_before(ten).words() == "28 Feb - 9 Mar 2026, 10 days"


def test_what_can_t_be_compared_or_narrowed() -> None:
    for name, options, message in (
        ("mrr", {"month": "2026-09", "compare": True}, "a row a month"),
        ("fees", {"compare": True}, "--compare needs a period"),
        ("fees", {"month": "2026-09", "currency": "shells"}, "is not a currency"),
        ("fees", {"month": "2026-09", "currency": "jpy"}, "nothing in JPY; it has EUR, GBP, USD"),
    ):
        with pytest.raises(UsageFault, match=message):
            runner.report(name, **options)  # type: ignore[arg-type]


def test_a_mistake_of_ours_is_shown_without_a_key(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk_test_51CanaryCanaryCanaryCanary0001"

    def fails(*_: Any) -> None:
        raise ValueError(f"the header was {key}")

    form = line("report fees --form --month 2026-09")
    monkeypatch.setattr(form.reporter, "run", fails)
    press(form, "Show")
    assert "ValueError: the header was" in form.status.value
    assert key not in form.status.value
    form.close()
