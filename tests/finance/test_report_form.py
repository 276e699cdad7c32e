"""`%stripe report --form` and `%stripe close --form`: choices, the line that they stand for, what is shown and saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

import stripe_magics as sm
from stripe_magics.errors import UsageFault
from stripe_magics.finance import runner
from stripe_magics.finance.comparison import period_before
from stripe_magics.finance.reporting_period import Period, calendar_period
from stripe_magics.forms.report_widget import CUSTOM

pytest.importorskip("ipywidgets")


@pytest.fixture(scope="module", autouse=True)
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()  # another module's may know the extension as loaded
    ip = InteractiveShell.instance()
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
    assert set(form.options) == {"method", "discounts"} & set(form.options) | {"method"}
    form.options["method"].value = next(value for _, value in form.options["method"].options if value)
    assert "--method" in form.line()
    form.name.value = "mrr_now"
    assert [value for _, value in form.period.options] == [""]
    assert form.line() == "%stripe report mrr_now"
    form.name.value = "volume"
    form.period.value = CUSTOM
    form.start.value, form.end.value = "2026-09-30", "2026-09-01"
    assert form.line() == "%stripe report volume --start 2026-09-30 --end 2026-09-01"
    press(form, "Show")
    assert "before it starts" in form.status.value
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
