"""Stripe's financial reports: a run ends at once, and its file is a CSV with Stripe's column names.

    POST /v1/reporting/report_runs       report_type, parameters[interval_start], ...: gives result.id
    GET  /v1/files/{result.id}/contents  the CSV

They are made from the account's objects, by another path than any report of this package, so that the two can
be compared.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, missing, missing_param
from stripe_magics.sandbox.api.pagination import Page, of_objects, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import report_columns as columns
from stripe_magics.sandbox.resources import report_rows as rows
from stripe_magics.sandbox.resources.files import store_file
from stripe_magics.sandbox.resources.report_rows import Cells, ReportEntry, ReportInterval

YEAR = 365 * 86400
_PERIOD = ("interval_start", "interval_end")
_SUMS = ("reporting_category", "currency", "count", "gross", "fee", "net")
Take = Callable[[Account, ReportInterval], list[ReportEntry]]


@dataclass(frozen=True, slots=True)
class ReportType:
    """A type of report: what it needs, what its columns are, how its rows come about."""

    name: str
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    default: tuple[str, ...]
    make: Callable[[Account, ReportInterval, tuple[str, ...]], list[Cells]]
    known: Mapping[str, Any] = field(default_factory=dict)


def _itemized(
    name: str,
    take: Take,
    default: tuple[str, ...],
    needs: tuple[str, ...] = _PERIOD,
    known: Mapping[str, Any] = columns.COLUMNS,
) -> ReportType:
    def make(account: Account, span: ReportInterval, shown: tuple[str, ...]) -> list[Cells]:
        return [
            {each: columns.read(known, each, entry, span) for each in shown} for entry in take(account, span)
        ]

    return ReportType(
        name, needs, ("currency", "reporting_category", "timezone", "columns"), default, make, known
    )


def _summary(name: str, take: Take, needs: tuple[str, ...] = _PERIOD) -> ReportType:
    def make(account: Account, span: ReportInterval, shown: tuple[str, ...]) -> list[Cells]:
        return rows.by_category(take(account, span))

    return ReportType(name, needs, ("currency", "timezone", "columns"), _SUMS, make, dict.fromkeys(_SUMS))


_BALANCE = ("category", "description", "net_amount", "currency")
REPORTS: dict[str, ReportType] = {
    "balance.summary.1": ReportType(
        "Balance summary", _PERIOD, ("currency", "timezone", "columns"), _BALANCE,
        lambda account, span, _: rows.balances(account, span), dict.fromkeys(_BALANCE),
    ),
    "balance_change_from_activity.summary.1": _summary("Balance change from activity summary", rows.activity),
    "balance_change_from_activity.itemized.3": _itemized("Itemized balance change from activity",
        rows.activity, columns.DEFAULT),
    "payouts.summary.1": _summary("Payouts summary", rows.payouts),
    "payouts.itemized.3": _itemized("Itemized payouts", rows.payouts, tuple(columns.PAYOUT_COLUMNS),
        known=columns.PAYOUT_COLUMNS),
    "payout_reconciliation.summary.1": _summary("Payout reconciliation summary", rows.reconciled),
    "payout_reconciliation.itemized.5": _itemized("Itemized payout reconciliation", rows.reconciled,
        columns.RECONCILED),
    "payout_reconciliation.by_id.summary.1": _summary("Payout reconciliation summary of one payout",
        rows.reconciled, ("payout",)),
    "payout_reconciliation.by_id.itemized.4": _itemized(
        "Itemized payout reconciliation of one payout", rows.reconciled, columns.RECONCILED, ("payout",)
    ),
    "ending_balance_reconciliation.summary.1": _summary("Ending balance reconciliation summary", rows.unpaid,
        ("interval_end",)),
    "ending_balance_reconciliation.itemized.4": _itemized(
        "Itemized ending balance reconciliation", rows.unpaid, columns.DEFAULT, ("interval_end",)
    ),
}  # fmt: skip
"""Report type -> what it is."""


def _type(account: Account, identifier: str) -> Object:
    report = REPORTS[identifier]
    return {
        "id": identifier,
        "object": "reporting.report_type",
        "data_available_end": account.now,
        "data_available_start": _opened(account),
        "default_columns": list(report.default),
        "livemode": False,
        "name": report.name,
        "updated": account.now,
        "version": int(identifier.rpartition(".")[2]),
    }


def _opened(account: Account) -> int:
    return min(int(account.profile["created"]), account.now - YEAR)


def types(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/reporting/report_types: all of them (Stripe doesn't page them)."""
    return of_objects(
        [_type(account, each) for each in REPORTS], {"limit": 100}, "/v1/reporting/report_types"
    )


def one_type(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/reporting/report_types/{report_type}."""
    if identifier not in REPORTS:
        raise missing("report type", identifier, "report_type")
    return _type(account, identifier)


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/reporting/report_runs."""
    kind, given = params["report_type"], params.get("parameters") or {}
    report = REPORTS.get(kind)
    if report is None:
        raise invalid(
            f"The sandbox doesn't simulate report type '{kind}'. It has: {', '.join(REPORTS)}.",
            param="report_type",
        )
    given = {name: value for name, value in given.items() if value is not None}
    for name in report.needs:
        if name not in given:
            raise missing_param(f"parameters[{name}]")
    for name in given:
        if name not in {*report.needs, *report.takes, "connected_account"}:
            raise invalid_before_execution(
                f"Report type {kind} takes no {name}.", param=f"parameters[{name}]", code="parameter_unknown"
            )
    if given.get("connected_account") not in {None, account.profile["id"]}:
        raise missing("account", given["connected_account"], "parameters[connected_account]", status=400)
    span = _span(account, given)
    shown = tuple(given.get("columns") or report.default)
    for name in shown:
        if name not in report.known and not (columns.METADATA.fullmatch(name) and ".itemized." in kind):
            raise invalid_before_execution(
                f"Report type {kind} has no column '{name}'.", param="parameters[columns]"
            )
    content = _csv(report.make(account, span, shown), shown)
    identifier = account.new_id("frr")
    file = store_file(account, f"{identifier}.csv", "text/csv", content, "finance_report_run")
    file["title"] = f"FinanceReportRun {identifier}"
    run: Object = {
        "id": identifier,
        "object": "reporting.report_run",
        "created": account.now,
        "error": None,
        "livemode": False,
        "parameters": {**given, "timezone": str(span.zone)} if "timezone" in report.takes else dict(given),
        "report_type": kind,
        "result": account.save("file", file),
        "status": "succeeded",
        "succeeded_at": account.now,
    }
    account.add("reporting.report_run", run)
    events.emit(account, "reporting.report_run.succeeded", run)
    return run


def _span(account: Account, given: dict[str, Any]) -> ReportInterval:
    try:
        zone = ZoneInfo(given.get("timezone") or "Etc/UTC")
    except (ZoneInfoNotFoundError, ValueError):
        raise invalid_before_execution(
            f"This machine knows no time zone '{given['timezone']}'.", param="parameters[timezone]"
        ) from None
    start, end = given.get("interval_start", 0), given.get("interval_end", account.now)
    if end > account.now:
        raise invalid(
            f"interval_end ({end}) is later than the data that is available ({account.now}).",
            param="parameters[interval_end]",
        )
    if start >= end:
        raise invalid("interval_start must be before interval_end.", param="parameters[interval_start]")
    payout = given.get("payout", "")
    if payout:
        found = account.find("payout", payout, "parameters[payout]")
        if not found["automatic"]:
            raise invalid("Only automatic payouts can be reconciled.", param="parameters[payout]")
    currency = checked_currency(given["currency"]) if given.get("currency") else ""
    return ReportInterval(start, end, zone, currency, given.get("reporting_category", ""), payout)


def _csv(found: list[Cells], shown: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, shown, extrasaction="ignore", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue().encode()


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/reporting/report_runs/{report_run}."""
    return account.find(
        "reporting.report_run", identifier, "report_run", what="reporting report_run", status=404
    )


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/reporting/report_runs."""
    return page(account, "reporting.report_run", params, "/v1/reporting/report_runs")


ROUTES: dict[str, Handler] = {
    "POST /v1/reporting/report_runs": create,
    "GET /v1/reporting/report_runs": listing,
    "GET /v1/reporting/report_runs/{report_run}": retrieve,
    "GET /v1/reporting/report_types": types,
    "GET /v1/reporting/report_types/{report_type}": one_type,
}
