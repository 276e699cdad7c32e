"""`--check stripe`: reports beside Stripe's own, from a report run's CSV (the sandbox makes it by another path)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

import stripe_magics as sm
from stripe_magics.errors import UsageFault
from stripe_magics.finance import stripe_check, stripe_reports

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


def test_the_line_and_what_can_t_be_checked(tmp_path: Any) -> None:
    for name, options, message in (
        ("balance_activity", {**SEPTEMBER, "check": "bank"}, "--check bank isn't possible: stripe"),
        ("mrr", {**SEPTEMBER, "check": "stripe"}, "no report of its own that says what mrr says"),
        ("balance_summary", {**SEPTEMBER, "check": "stripe", "by": "created", "tz": "UTC"}, "counts payouts by arrival"),
        ("balance_summary", {**SEPTEMBER, "check": "stripe", "tz": "Asia/Tokyo"}, "a day of UTC"),
        ("balance_activity", {**SEPTEMBER, "check": "stripe", "data": {"transactions": pd.DataFrame()}}, "can't be with --over or data"),
        ("payout_reconciliation", {"check": "stripe"}, "needs a period"),
    ):  # fmt: skip
        with pytest.raises(UsageFault, match=message):
            sm.report(name, **options)


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


def test_by_arrival_the_payouts_made_before_the_period_count_too() -> None:
    quick = sm.report("balance_summary", **SEPTEMBER, tz="UTC", by="arrival")
    proved = sm.report("balance_summary", **SEPTEMBER, tz="UTC", by="arrival", prove=True)
    columns = ["currency", "start", "activity", "payouts", "end"]
    pd.testing.assert_frame_equal(quick[columns], proved[columns])
    assert (proved["residual"] == 0).all()
