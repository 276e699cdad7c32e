"""`--check stripe`: a report beside Stripe's own for the same period and zone, cell by cell.

Stripe's figures come from a report run (`stripe_reports`), not from the lists that ours are made of. Both are
brought to one shape: a row key (category, payout or what a balance row is), and amounts in minor units; each
amount is a row of the comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stripe_magics.errors import UsageFault
from stripe_magics.finance.aggregation import result, to_int64
from stripe_magics.finance.columns import CURRENCY, column, declare, money, text
from stripe_magics.finance.reporting_period import Period
from stripe_magics.finance.stripe_reports import covered, minor, run_report, whole_number
from stripe_magics.frames.frame_info import facts_of, set_facts

EQUAL, DIFFERS = "equal", "differs"
_SUMS = ("gross", "fee", "net")
Cells = dict[tuple[str, str, str], int]  # currency, row, column -> amount (of "count" a number)


@dataclass(frozen=True, slots=True)
class Check:
    """A report of ours and the one of Stripe's that says the same."""

    report_type: str
    columns: tuple[str, ...]  # of the CSV, without which nothing can be said
    ours: Callable[[pd.DataFrame], Cells]
    theirs: Callable[[list[dict[str, str]]], Cells]
    options: Mapping[str, object]  # what ours must be asked with to be comparable
    # "UTC": both agree only there; "days": Stripe's is asked for the same calendar days in UTC
    zone: str = "any"


def _table(frame: pd.DataFrame, row: str, columns: tuple[str, ...]) -> Cells:
    return {
        (str(code), str(key), name): int(amount)
        for name in columns
        for code, key, amount in zip(frame["currency"], frame[row], to_int64(frame[name]), strict=True)
    }


def _by_category(frame: pd.DataFrame) -> Cells:
    return _table(frame, "reporting_category", (*_SUMS, "count"))


def _balance_rows(frame: pd.DataFrame) -> Cells:
    names = ("start", "activity", "payouts", "end")
    return {
        (str(code), name, "net"): int(amount)
        for name in names
        for code, amount in zip(frame["currency"], to_int64(frame[name]), strict=True)
    }


def _of_payouts(frame: pd.DataFrame) -> Cells:
    kept = frame[frame["category"].ne("")]
    return _table(kept.assign(row=kept["payout_id"] + " " + kept["category"]), "row", (*_SUMS, "count"))


def _added(rows: Iterable[tuple[str, str, dict[str, int]]]) -> Cells:
    out: Cells = {}
    for code, row, amounts in rows:
        for name, amount in amounts.items():
            out[code, row, name] = out.get((code, row, name), 0) + amount
    return out


def _sums_of(rows: list[dict[str, str]], key: Callable[[dict[str, str]], str]) -> Cells:
    return _added(
        (
            each["currency"],
            key(each),
            {
                **{name: minor(each[name], each["currency"]) for name in _SUMS},
                "count": whole_number(each["count"]) if "count" in each else 1,  # itemised: a row an entry
            },
        )
        for each in rows
    )


def _stripe_balance(rows: list[dict[str, str]]) -> Cells:
    names = {
        "starting_balance": "start",
        "activity": "activity",
        "payouts": "payouts",
        "ending_balance": "end",
    }
    return _added(
        (each["currency"], names[each["category"]], {"net": minor(each["net_amount"], each["currency"])})
        for each in rows
        if each["category"] in names
    )


CHECKS: Mapping[str, Check] = {
    "balance_activity": Check(
        "balance_change_from_activity.summary.1", ("currency", "reporting_category", "count", *_SUMS),
        _by_category, lambda rows: _sums_of(rows, lambda each: each["reporting_category"]), {},
    ),
    "balance_summary": Check(
        "balance.summary.1", ("currency", "category", "net_amount"), _balance_rows, _stripe_balance,
        {"by": "arrival"}, "UTC",
    ),
    "payout_reconciliation": Check(
        "payout_reconciliation.itemized.5", ("automatic_payout_id", "currency", "reporting_category", *_SUMS),
        _of_payouts,
        lambda rows: _sums_of(
            rows, lambda each: f"{each['automatic_payout_id']} {each['reporting_category']}"
        ), {"by": "arrival"}, "days",
    ),
}  # fmt: skip
"""The reports that Stripe has, too."""


def _days_in_utc(span: Period) -> Period:
    """The same calendar days, in UTC."""
    first, end = span.local_start.normalize(), span.local_end.normalize()
    return Period(first.tz_localize("UTC"), end.tz_localize("UTC"), "UTC")


def check_of(name: str, check: str, options: Mapping[str, object], zone: str) -> Check:
    """The comparison of a report, if it has one and its options allow it. Raises `UsageFault`."""
    if check != "stripe":
        raise UsageFault(f"--check {check} isn't possible: stripe.")
    found = CHECKS.get(name)
    if found is None:
        raise UsageFault(
            f"Stripe has no report of its own that says what {name} says.",
            advice=f"--check stripe takes: {', '.join(CHECKS)}.",
        )
    if found.zone == "UTC" and zone != "UTC":
        raise UsageFault(
            f"Payouts arrive on a day of UTC in Stripe's own report; in {zone} some would count on the day"
            " before or after.",
            advice="Add --tz UTC.",
        )
    for option, needed in found.options.items():
        if options.get(option, needed) != needed:
            raise UsageFault(
                f"Stripe's own report counts payouts by {needed}; --check stripe can't be with --{option}"
                f" {options[option]}.",
                advice=f"Leave out --{option}.",
            )
    return found


@declare(
    CURRENCY,
    text("row", "The row of both reports: a category, a payout with a category, or what a balance row is."),
    column("column", "text", "Which of its amounts."),
    money("ours", "What this report says."),
    money("stripe", "What Stripe's own report says."),
    money("difference", "ours - stripe: 0 where both agree."),
    column("count", "count", "How many entries ours counts; missing where the report doesn't count."),
    column("stripe_count", "count", "How many Stripe's counts."),
    text("status", f"{EQUAL} or {DIFFERS}."),
)
def compare(made: pd.DataFrame, name: str, span: Period) -> pd.DataFrame:
    """A report of ours beside Stripe's own, cell by cell. Raises `ReportUnavailable` where Stripe's can't be
    had."""
    check = CHECKS[name]
    ours = check.ours(made)
    asked = span if check.zone != "days" else _days_in_utc(span)
    parameters = covered(check.report_type, asked)
    if ".itemized." in check.report_type:
        parameters["columns"] = list(check.columns)
    theirs = check.theirs(run_report(check.report_type, check.columns, **parameters))
    rows = []
    for code, row, column_ in sorted({*ours, *theirs}):
        if column_ == "count":
            continue
        mine, other = (cells.get((code, row, column_), 0) for cells in (ours, theirs))
        counts = [cells.get((code, row, "count")) for cells in (ours, theirs)]
        same = mine == other and counts[0] == counts[1]
        rows.append((code, row, column_, mine, other, mine - other, *counts, EQUAL if same else DIFFERS))
    names = ["currency", "row", "column", "ours", "stripe", "difference", "count", "stripe_count", "status"]
    out = pd.DataFrame(rows, columns=names).astype(dict.fromkeys(("ours", "stripe", "difference"), np.int64))
    out = out.astype(dict.fromkeys(("count", "stripe_count"), "Int64"))
    apart = int(out["status"].eq(DIFFERS).sum())
    if out.empty:
        said = "Neither has a row for this period: there is nothing to compare."
    else:
        said = f"{apart} of {len(out)} cells differ." if apart else f"All {len(out)} cells are equal."
    about = facts_of(made)
    found = result(
        out,
        name,
        [made],
        period=span,
        zone=span.zone,
        checked_against=check.report_type,
        notes=[f"{check.report_type}: {said}"],
    )
    return set_facts(found, title=f"{about.get('title', name)}, beside Stripe's own report")
