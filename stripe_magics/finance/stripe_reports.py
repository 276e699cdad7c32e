"""Stripe's own financial reports: a run is asked for, waited for, and its CSV read.

They are Stripe's own way to the same figures: for `--check stripe`, and for the members of many payouts in
one file. Amounts are major units in the CSV and minor units here; a run says until when it has data
(`data_available_end`), and is never asked for more.
Source: docs.stripe.com/reports/report-types.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import pandas as pd

from stripe_magics.errors import ReportUnavailable
from stripe_magics.finance.reporting_period import Period
from stripe_magics.money import exponent
from stripe_magics.progress import progress_bar

MAX_WAIT = 900.0  # seconds: Stripe needs seconds to minutes
FIRST_WAIT, LONGEST_WAIT = 1.0, 10.0


def available_until(report_type: str) -> pd.Timestamp:
    """Until when Stripe's reports of a type have data. Raises `ReportUnavailable` if it doesn't say."""
    from stripe_magics.pipeline import call

    said: Mapping[str, Any] = call("reporting.report_types.retrieve", report_type=report_type, raw=True)  # type: ignore[assignment]
    end = said.get("data_available_end")
    if not isinstance(end, int):
        raise ReportUnavailable(
            f"Stripe doesn't say until when its report {report_type} has data, so nothing can be said."
            " Nothing was changed.",
            advice="Run the same again later.",
        )
    return pd.Timestamp(end, unit="s", tz="UTC")


def run_report(report_type: str, needed: Sequence[str], **parameters: Any) -> list[dict[str, str]]:
    """The rows of a report of Stripe's, as its CSV has them, with the columns that are needed. Raises
    `ReportUnavailable`, or a `StripeError`.

    A run is a new object of the account, which moves nothing: it is asked for anew each time.
    """
    from stripe_magics.pipeline import call

    made: Mapping[str, Any] = call(  # type: ignore[assignment]  # raw: Stripe's JSON
        "reporting.report_runs.create",
        report_type=report_type,
        parameters=parameters,
        raw=True,
        again=True,
        yes=True,
    )
    file = _finished(made).get("result") or {}
    if not file.get("id"):
        raise ReportUnavailable(f"Stripe's report run {made['id']} has no file. Nothing was changed.")
    return rows_of(_content(str(file["id"])), needed, f"Stripe's report run {made['id']}")


def rows_of(text: str, needed: Sequence[str], what: str) -> list[dict[str, str]]:
    """The rows of a CSV. Raises `ReportUnavailable` where it lacks a column or a row breaks off: what isn't
    there is never counted as 0."""
    table = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), restkey="", restval=None)
    try:
        names, rows = table.fieldnames or (), list(table)
    except csv.Error as fault:
        raise ReportUnavailable(f"{what} can't be read: {fault}. Nothing was changed.") from None
    if lacking := [name for name in needed if name not in names]:
        raise ReportUnavailable(
            f"{what} has no column {', '.join(lacking)}, so nothing can be said. Nothing was changed."
        )
    for row in rows:
        if "" in row or any(row[name] is None for name in needed):
            raise ReportUnavailable(f"{what} has a row that breaks off or is too long. Nothing was changed.")
    return rows


def _finished(run: Mapping[str, Any]) -> Mapping[str, Any]:
    from stripe_magics.pipeline import call

    wait, until = FIRST_WAIT, time.monotonic() + MAX_WAIT
    with progress_bar("Stripe's report", unit=" looks") as progress:
        looks = 0
        while run["status"] == "pending":
            if time.monotonic() > until:
                raise ReportUnavailable(
                    f"Stripe's report run {run['id']} isn't ready after {MAX_WAIT / 60:.0f} minutes. Nothing"
                    " was changed.",
                    advice="Run the same again later.",
                )
            time.sleep(wait)
            wait, looks = min(wait * 1.5, LONGEST_WAIT), looks + 1
            progress(looks)
            run = call("reporting.report_runs.retrieve", report_run=run["id"], raw=True)  # type: ignore[assignment]
    if run["status"] != "succeeded":
        raise ReportUnavailable(
            f"Stripe's report run {run['id']} failed: {run.get('error') or run['status']}. Nothing was"
            " changed."
        )
    return run


def _content(file: str) -> str:
    from stripe_magics.client.shared_connection import current
    from stripe_magics.request import Request

    request = Request(
        module="files.contents", method="GET", path=f"/v1/files/{file}/contents", returns="document"
    )
    return str(current().send(request).data.get("text") or "")


def covered(report_type: str, span: Period) -> dict[str, Any]:
    """The parameters of a run over a period. Raises `ReportUnavailable` where Stripe's data don't reach to
    its end."""
    end = available_until(report_type)
    if span.end > end:
        raise ReportUnavailable(
            f"Stripe's own report reaches until {end.tz_convert(span.zone):%Y-%m-%d %H:%M} only; the period"
            " ends later. Nothing was changed.",
            advice="Its data come up to a day later; give a period that is over.",
        )
    return {
        "interval_start": int(span.start.timestamp()),
        "interval_end": int(span.end.timestamp()),
        "timezone": "Etc/UTC" if span.zone == "UTC" else span.zone,
    }


def minor(text: str, currency: str) -> int:
    """An amount of the CSV in minor units. Raises `ReportUnavailable` for one that has another number of
    decimals."""
    try:
        amount = Decimal(text).scaleb(exponent(currency))
        whole = int(amount)
    except (InvalidOperation, ValueError, OverflowError):
        raise ReportUnavailable(f"Stripe's report has {text!r} where an amount should be.") from None
    if amount != whole:
        raise ReportUnavailable(
            f"Stripe's report has {text} {currency.upper()}: that isn't a whole number of minor units."
        )
    return whole


def whole_number(text: str) -> int:
    """A count of the CSV. Raises `ReportUnavailable` for anything else."""
    if not text.strip().isdecimal():
        raise ReportUnavailable(f"Stripe's report has {text!r} where a count should be.")
    return int(text)


MEMBERS = "payout_reconciliation.itemized.5"


def payout_members(payouts: pd.DataFrame) -> dict[str, tuple[str, int]]:
    """The payout of each entry, and when the entry was made (Unix seconds), by one report over all arrival
    days that Stripe has data for."""
    arrival = payouts["arrival_date"].dropna()
    if arrival.empty:
        return {}
    start, end = arrival.min().normalize(), arrival.max().normalize() + pd.Timedelta(days=1)
    end = min(end, available_until(MEMBERS))
    if end <= start:
        return {}
    names = ["balance_transaction_id", "automatic_payout_id", "created_utc"]
    rows = run_report(
        MEMBERS,
        names,
        interval_start=int(start.timestamp()),
        interval_end=int(end.timestamp()),
        timezone="Etc/UTC",
        columns=names,
    )
    return {
        each["balance_transaction_id"]: (each["automatic_payout_id"], _seconds(each["created_utc"]))
        for each in rows
    }


def _seconds(text: str) -> int:
    try:
        return int(pd.Timestamp(text, tz="UTC").timestamp())
    except ValueError:  # of an empty one, too
        raise ReportUnavailable(f"Stripe's report has {text!r} where a time should be.") from None
