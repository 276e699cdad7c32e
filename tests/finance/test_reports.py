"""Reports by name, on the sandbox's demo firm."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from each_row import each_row

import stripe_magics as sm
from stripe_magics.errors import StripeMagicsError, UnknownName, UsageFault
from stripe_magics.finance import REPORTS, describe_report
from stripe_magics.finance.columns import columns_of

SEPTEMBER = {"start": "2026-09-01", "end": "2026-09-30"}  # a date given as an end is part of the period


@pytest.fixture(scope="module", autouse=True)
def demo() -> Iterator[None]:
    sm.connect(sandbox=True)
    yield
    sm.close()


@each_row("name", REPORTS)
def test_every_report_is_made(name: str) -> None:
    table = sm.report(name, **(SEPTEMBER if REPORTS[name].period != "none" else {}))
    about = table.attrs["stripe"]
    assert about["used"], "a report says what went into it"
    assert about["complete"], "the demo firm's lists are whole"
    # in the demo firm nothing is to be explained between its history and what it bills now
    assert len(table) or name in {"fx_effect", "tax_collected", "mrr_bridge"}, f"{name} is empty"
    if "residual" in table.columns:
        assert (table["residual"].dropna() == 0).all()


def test_a_report_may_be_an_interactive_table() -> None:
    asked = sm.report("balance_summary", currency="usd", table=True, **SEPTEMBER)
    assert asked.attrs["stripe"]["table"] is True
    assert not sm.report("balance_summary", table=False, **SEPTEMBER).attrs["stripe"]["table"]
    with pytest.raises(UsageFault, match="true or false"):
        sm.report("balance_summary", table="perhaps", **SEPTEMBER)


def test_the_table_is_read_without_what_makes_reports() -> None:
    """Completion, help and forms ask it at the first keystroke."""
    code = (
        "import sys, stripe_magics.finance\n"
        "from stripe_magics.finance.report_table import REPORTS\n"
        "assert len(REPORTS) > 30\n"
        "print([each for each in ('pandas', 'numpy', 'httpx') if each in sys.modules])\n"
        "from stripe_magics.finance import mrr\n"
        "assert REPORTS['mrr'].function is mrr\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_each_entry_names_a_function_that_declares_its_columns() -> None:
    missing = [name for name, each in REPORTS.items() if not columns_of(each.function)]
    assert not missing


def test_each_module_of_the_package_can_be_the_first_that_is_imported() -> None:
    """The package's functions are loaded later: no module of it may meet one that is half imported."""
    from stripe_magics import finance

    names = sorted(path.stem for path in Path(finance.__file__).parent.glob("*.py"))
    assert len(names) > 40
    assert not set(names) & set(finance._exports.__all__), "a name is a module or a function"
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    for each in [each for each in sys.modules if each.startswith('stripe_magics.finance')]:\n"
        "        del sys.modules[each]\n"
        "    importlib.import_module(f'stripe_magics.finance.{name}')\n"
    )
    run = [sys.executable, "-c", code, *names]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_package_gives_its_functions_and_no_more() -> None:
    from stripe_magics import finance

    assert set(finance._exports.__all__) <= set(dir(finance))
    assert finance.REPORTS is REPORTS
    assert not hasattr(finance, "no_report")
    assert not hasattr(finance, "_no_report")


def test_the_balance_at_a_date_knows_payouts_of_every_day() -> None:
    by_end = sm.report("ending_balance", end=SEPTEMBER["end"])
    assert by_end.attrs["stripe"]["complete"]
    assert by_end["id"].tolist() == sm.report("ending_balance", **SEPTEMBER)["id"].tolist()
    assert len(by_end) < 100
    sums = sm.report("balance_summary", **SEPTEMBER).set_index("currency")["end"]
    assert by_end.groupby("currency", observed=True)["net"].sum().to_dict() == sums.to_dict()


def test_a_list_of_payouts_is_not_cut() -> None:
    whole = sm.call("payouts.list", limit="all")
    assert len(whole) > 1000
    assert len(sm.report("payout_status")) == len(whole)


def test_a_report_in_another_zone_has_other_days() -> None:
    berlin = sm.report("balance_summary", **SEPTEMBER, tz="Europe/Berlin")
    assert (berlin["residual"] == 0).all()
    assert berlin.attrs["stripe"]["zone"] == "Europe/Berlin"
    assert not berlin["activity"].equals(sm.report("balance_summary", **SEPTEMBER)["activity"])


def test_lists_are_fetched_once_until_something_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    from stripe_magics import pipeline

    asked: list[str] = []
    real = pipeline.call

    def counting(name: str, **values: object) -> object:
        asked.append(name)
        return real(name, **values)

    monkeypatch.setattr(pipeline, "call", counting)
    sm.report("dso", **SEPTEMBER, fresh=True)
    sm.report("collections", **SEPTEMBER)
    once = ["invoices.search", "credit_notes.list"]  # the demo firm has invoices that these reduced
    assert asked == once
    real("customers.create", name="Somebody new")
    sm.report("dso", **SEPTEMBER)
    assert asked == [*once, *once]


def test_frames_at_hand_are_used() -> None:
    transactions = sm.call("balance.list_history", created={"gte": 1788220800, "lt": 1790812800}, limit="all")

    def fetch(module: str, values: object) -> pd.DataFrame:
        raise AssertionError(f"{module} was fetched")

    table = sm.report("fees", data={"transactions": transactions}, fetch=fetch)
    assert table["amount"].sum() < 0  # costs are negative, as in the ledger


def test_faults_are_reported() -> None:
    with pytest.raises(UnknownName, match="balance_summary"):
        sm.report("balance_sumary", **SEPTEMBER)
    with pytest.raises(UsageFault, match="--start and --end"):
        sm.report("balance_activity")
    with pytest.raises(UsageFault, match="ends"):
        sm.report("balance_activity", start="2026-10-01", end="2026-09-30T00:00")
    with pytest.raises(UsageFault, match="does not take --colour"):
        sm.report("dso", **SEPTEMBER, colour="red")
    with pytest.raises(UsageFault, match="time zone"):
        sm.report("dso", **SEPTEMBER, tz="Mars/Base")


def test_odd_values_get_an_error_of_ours_that_says_what_is_possible() -> None:
    one = {"id": ["a"], "status": ["paid"], "currency": ["usd"], "customer": ["c"], "total": [1]}
    entry = {
        "id": ["x"], "created": ["2026-09-01"], "currency": ["usd"], "amount": ["a"], "fee": [1], "net": [1],
        "type": ["charge"],
    }  # fmt: skip
    for name, options, message in (
        ("fees", {"month": "2026-13"}, "Give --month"),
        ("fees", {"month": ["2026-09"]}, "Give --month"),
        ("fees", {"start": float("nan")}, "A date is missing"),
        ("fees", {"start": "2026-09-30", "end": "2026-09-01"}, "before it starts"),
        ("fees", {"month": "2030-01"}, "in the future"),
        ("fees", {"month": "1999-01"}, "before the account was opened"),
        ("fees", {"year": 99999}, "Give --month"),
        ("fees", {"tz": 5}, "not a time zone"),
        ("fees", {"over": 5}, "not a folder"),
        ("fees", {"data": [1]}, "a dict of frames"),
        ("fees", {**SEPTEMBER, "currency": 5}, "not a currency"),
        ("fees", {**SEPTEMBER, "currency": ""}, "not a currency"),
        ("fees", {**SEPTEMBER, "compare": "maybe"}, "true or false"),
        ("fees", {**SEPTEMBER, "fresh": "x"}, "true or false"),
        ("fees", {**SEPTEMBER, "limit": 5}, "does not take --limit"),
        ("tax_summary", {**SEPTEMBER, "home": 5}, "not a country"),
        ("cash_forecast", {"days": -1}, "a whole number"),
        ("mrr", {"data": {"invoices": pd.DataFrame({**one, "lines": [5]})}}, "int where lists are needed"),
        ("deferred_revenue", {"data": {"invoices": pd.DataFrame({**one, "lines": [[{"amount": "ten"}]]})}},
            "something else than Stripe's"),
        ("balance_activity", {**SEPTEMBER, "data": {"transactions": pd.DataFrame(entry)}},
            "whole minor units"),
    ):  # fmt: skip
        with pytest.raises(StripeMagicsError, match=message):
            sm.report(name, **options)
    for options, message in (
        ({"month": "2026-13"}, "month"),
        ({"to": 5}, "ends in .xlsx"),
        ({"tz": "Mars"}, "not a time zone"),
        ({"month": "2031-01"}, "future"),
    ):
        with pytest.raises(StripeMagicsError, match=message):
            sm.close_month(**options)  # type: ignore[arg-type]


def test_what_explains_a_report_says_its_formula_and_its_source() -> None:
    for name, each in REPORTS.items():
        said = describe_report(name).groupby("what")["meaning"].agg(list)
        assert said.get("formula", [""]) == [each.formula], name
        assert said.get("source", [""]) == [each.source], name
