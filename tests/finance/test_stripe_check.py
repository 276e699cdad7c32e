"""`--check stripe`: reports beside Stripe's own, from a report run's CSV (the sandbox makes it by another
path)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
from each_row import each_row

import stripe_magics as sm
from stripe_magics.errors import UsageFault
from stripe_magics.finance import inputs, stripe_check, stripe_reports
from stripe_magics.finance.inputs import ReportInputs
from stripe_magics.sandbox.resources import report_runs

SEPTEMBER = {"month": "2026-09"}


@pytest.fixture(scope="module", autouse=True)
def sandbox() -> Iterator[None]:
    sm.connect(sandbox=True)
    yield
    sm.close()


def test_three_reports_agree_with_stripe_s_own_to_the_cent() -> None:
    for name, zone in (
        ("balance_activity", "UTC"),
        ("balance_activity", "America/Los_Angeles"),
        ("balance_summary", "UTC"),
        ("payout_reconciliation", "Europe/Berlin"),
    ):
        made = sm.report(name, **SEPTEMBER, tz=zone, check="stripe")
        assert len(made)
        assert set(made["status"]) == {"equal"}, name
        assert not made["difference"].any()
        assert "cells are equal" in " ".join(made.attrs["stripe"]["notes"])
    major = made.stripe.to_major()
    assert major["ours"].dtype == float


def test_what_differs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    own = stripe_check.run_report

    def less(*args: Any, **more: Any) -> list[dict[str, str]]:
        return [each for each in own(*args, **more) if each["reporting_category"] != "refund"]

    monkeypatch.setattr(stripe_check, "run_report", less)
    made = sm.report("balance_activity", **SEPTEMBER, check="stripe")
    differs = made[made["status"] == "differs"]
    assert set(differs["row"]) == {"refund"}
    assert (differs["stripe"] == 0).all()
    assert (differs["difference"] == differs["ours"]).all()
    assert "cells differ" in " ".join(made.attrs["stripe"]["notes"])


def one_more(column: str) -> Callable[[list[dict[str, str]]], list[dict[str, str]]]:
    def change(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        return [
            {
                **each,
                column: str(float(each[column]) + 1) if column != "count" else str(int(each["count"]) + 1),
            }
            if each["reporting_category"] == "refund"
            else each
            for each in rows
        ]

    return change


def a_row_more(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [*rows, {**rows[0], "reporting_category": "topup"}]


@each_row(
    ("change", "row", "columns"),
    [
        (one_more("gross"), "refund", {"gross"}),
        (one_more("count"), "refund", {"gross", "fee", "net"}),
        (a_row_more, "topup", {"gross", "fee", "net"}),
    ],
)
def test_each_kind_of_difference_is_named(
    change: Callable[[list[dict[str, str]]], list[dict[str, str]]], row: str, columns: set[str]
) -> None:
    own = stripe_check.run_report
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe_check, "run_report", lambda *args, **more: change(own(*args, **more)))
        made = sm.report("balance_activity", **SEPTEMBER, check="stripe")
    differs = made[made["status"] == "differs"]
    assert set(differs["row"]) == {row}
    assert set(differs["column"]) == columns


def test_the_line_and_what_can_t_be_checked(tmp_path: Any) -> None:
    for name, options, message in (
        ("balance_activity", {**SEPTEMBER, "check": "bank"}, "--check bank isn't possible: stripe"),
        ("mrr", {**SEPTEMBER, "check": "stripe"}, "no report of its own that says what mrr says"),
        ("balance_summary", {**SEPTEMBER, "check": "stripe", "by": "created", "tz": "UTC"},
            "counts payouts by arrival"),
        ("balance_summary", {**SEPTEMBER, "check": "stripe", "tz": "Asia/Tokyo"}, "a day of UTC"),
        ("balance_activity", {**SEPTEMBER, "check": "stripe", "data": {"transactions": pd.DataFrame()}},
            "can't be with --over or data"),
        ("payout_reconciliation", {"check": "stripe"}, "needs a period"),
    ):  # fmt: skip
        with pytest.raises(UsageFault, match=message):
            sm.report(name, **options)


def sent(monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str]) -> None:
    """The sandbox's report files, changed on their way out."""
    own = report_runs._csv
    monkeypatch.setattr(report_runs, "_csv", lambda *args: change(own(*args).decode()).encode())


@each_row(
    "name, change, message",
    [
        ("balance_activity", lambda text: text.replace('"fee"', '"fees"', 1),
            "has no column fee, so nothing can be said"),
        ("balance_activity", lambda text: text.replace('"count"', '"n"', 1), "has no column count"),
        ("balance_summary", lambda text: text.replace('"net_amount"', '"net"', 1),
            "has no column net_amount"),
        ("payout_reconciliation", lambda text: text.replace('"automatic_payout_id"', '"payout"', 1),
            "has no column automatic_payout_id"),
        ("balance_activity", lambda text: "\n", "has no column"),
        ("balance_activity", lambda text: text.rstrip().rpartition(",")[0], "a row that breaks off"),
        ("balance_activity", lambda text: text.rstrip() + ",1\n", "breaks off or is too long"),
        ("balance_activity", lambda text: text.rstrip().rpartition(",")[0] + ',""\n',
            "'' where an amount should be"),
        ("balance_activity", lambda text: text.rstrip().rpartition(",")[0] + ',"NaN"\n',
            "'NaN' where an amount should be"),
        ("balance_activity", lambda text: text.rstrip().rpartition(",")[0] + ',"0.001"\n',
            "isn't a whole number of minor units"),
        ("balance_activity", lambda text: re.sub(r'","(\d+)","', '","\\1.5","', text),
            "5' where a count should be"),
        ("balance_activity", lambda text: text + '"' + "x" * 200_000 + '"\n', "can't be read: field larger"),
    ],
)  # fmt: skip
def test_what_stripe_s_file_lacks_is_never_equal(
    name: str, change: Callable[[str], str], message: str
) -> None:
    zone = {"tz": "UTC"} if name == "balance_summary" else {}
    with pytest.MonkeyPatch.context() as patch:
        sent(patch, change)
        with pytest.raises(stripe_reports.ReportUnavailable, match=message):
            sm.report(name, **SEPTEMBER, **zone, check="stripe")


def test_a_mark_at_the_begin_of_the_file_and_several_rows_of_a_category_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def split(text: str) -> str:
        head, *rows = text.splitlines()
        return "\ufeff" + "\n".join([head, *rows, *(re.sub(r'"-?[\d.]+"', '"0"', row) for row in rows)])

    sent(monkeypatch, split)
    made = sm.report("balance_summary", **SEPTEMBER, tz="UTC", check="stripe")
    assert set(made["status"]) == {"equal"}


def test_without_a_row_on_either_side_nothing_is_called_equal() -> None:
    made = sm.report("balance_activity", start="2024-08-24", end="2024-08-25", check="stripe")
    assert made.empty
    assert "nothing to compare" in " ".join(made.attrs["stripe"]["notes"])


def test_stripe_may_not_say_how_far_its_data_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    singly = sm.report("payout_reconciliation", **SEPTEMBER, members="requests")
    own = report_runs._type
    monkeypatch.setattr(report_runs, "_type", lambda *args: {**own(*args), "data_available_end": None})
    with pytest.raises(stripe_reports.ReportUnavailable, match="doesn't say until when"):
        sm.report("balance_activity", **SEPTEMBER, check="stripe")
    made = sm.report("payout_reconciliation", **SEPTEMBER, members="report")
    pd.testing.assert_frame_equal(made, singly)
    assert "asked for by itself: Stripe doesn't say" in " ".join(made.attrs["stripe"]["notes"])


def test_stripe_s_data_may_not_reach_that_far() -> None:
    with pytest.raises(stripe_reports.ReportUnavailable, match="reaches until"):
        sm.report("balance_activity", start="2026-10-01", end="2026-12-31", check="stripe")


def test_a_run_is_waited_for_and_a_failed_one_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(stripe_reports.time, "sleep", waits.append)
    answers = [{"id": "frr_1", "status": "pending"}, {"id": "frr_1", "status": "succeeded", "result": {}}]
    monkeypatch.setattr("stripe_magics.pipeline.call", lambda *args, **more: answers.pop(0))
    assert stripe_reports._finished({"id": "frr_1", "status": "pending"})["status"] == "succeeded"
    assert waits == [1.0, 1.5]
    with pytest.raises(stripe_reports.ReportUnavailable, match="failed: no data"):
        stripe_reports._finished({"id": "frr_1", "status": "failed", "error": "no data"})


def test_members_of_payouts_by_one_report_are_those_of_a_request_a_payout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = {"payout_reconciliation": ["payout_id", "category"], "payout_items": ["payout_id", "id"]}
    singly = {name: sm.report(name, **SEPTEMBER, members="requests") for name in keys}

    def refuse(self: Any, payout: str) -> pd.DataFrame:
        raise AssertionError(f"{payout} was asked for by itself")

    with monkeypatch.context() as patch:
        patch.setattr(ReportInputs, "members", refuse)
        for name, by in keys.items():
            at_once = sm.report(name, **SEPTEMBER, members="report", fresh=True)
            pd.testing.assert_frame_equal(
                at_once.sort_values(by, ignore_index=True), singly[name].sort_values(by, ignore_index=True),
                check_dtype=False,
            )  # fmt: skip
        # 1,279 payouts: by one report unless asked otherwise
        owed = sm.report("ending_balance", end="2026-09-30")
    whole = sm.report("balance_summary", **SEPTEMBER)
    assert owed.groupby("currency")["net"].sum().tolist() == whole["end"].tolist()


def test_what_the_report_lacks_is_asked_for_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    singly = sm.report("payout_reconciliation", **SEPTEMBER, members="requests")
    own = inputs.payout_members

    def less(payouts: pd.DataFrame) -> dict[str, tuple[str, int]]:
        return dict(list(own(payouts).items())[5:])

    monkeypatch.setattr(inputs, "payout_members", less)
    pd.testing.assert_frame_equal(sm.report("payout_reconciliation", **SEPTEMBER, members="report"), singly)

    def unavailable(payouts: pd.DataFrame) -> dict[str, tuple[str, int]]:
        raise stripe_reports.ReportUnavailable("Not yet.")

    monkeypatch.setattr(inputs, "payout_members", unavailable)
    made = sm.report("payout_reconciliation", **SEPTEMBER, members="report")
    pd.testing.assert_frame_equal(made, singly)
    assert "asked for by itself: Not yet." in " ".join(made.attrs["stripe"]["notes"])


def test_by_arrival_the_payouts_made_before_the_period_count_too() -> None:
    quick = sm.report("balance_summary", **SEPTEMBER, tz="UTC", by="arrival")
    proved = sm.report("balance_summary", **SEPTEMBER, tz="UTC", by="arrival", prove=True)
    columns = ["currency", "start", "activity", "payouts", "end"]
    pd.testing.assert_frame_equal(quick[columns], proved[columns])
    assert (proved["residual"] == 0).all()
