"""The month end: every proof over a period as a checklist, and what is handed over (workbook, tax table,
audit trail).

    sm.close_month(month="2026-09", to="close.xlsx")

The lists are read once, and every report, the journal and the audit trail are made of that one reading. A
check passes if its residual is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics._files import checksum
from stripe_magics.errors import CloseFailed, StripeMagicsError, UsageFault
from stripe_magics.finance import audit_trail, tax_handover
from stripe_magics.finance.account_map import read_map
from stripe_magics.finance.aggregation import result
from stripe_magics.finance.close_checks import (
    DIFFERS,
    FAILED,
    PASSED,
    UNCHECKED,
    Closing,
    check_exchange,
    check_journal,
    check_period,
    check_proofs,
    check_residuals,
    checklist,
)
from stripe_magics.finance.close_handover import PARTS, beside, hand_over, trail_of, workbook_path
from stripe_magics.finance.close_sequence import ENDING, check_before
from stripe_magics.finance.inputs import ReportInputs
from stripe_magics.finance.list_inputs import AT_HAND, LISTS
from stripe_magics.finance.report_arguments import month_end, read_flag
from stripe_magics.finance.runner import report, run_of
from stripe_magics.frames.assemble import system_memory
from stripe_magics.frames.frame_info import add_note, facts_of, set_facts


@system_memory()
def close_month(  # noqa: PLR0913 - public: each is a keyword of its own
    month: str | None = None,
    *,
    quarter: str | None = None,
    year: int | str | None = None,
    tz: str | None = None,
    over: str | Path | None = None,
    data: Mapping[str, pd.DataFrame] | None = None,
    map: str | Path | Mapping[str, Any] | None = None,
    to: str | Path | None = None,
    who: str = "",
    strict: bool = False,
    fresh: bool = False,
) -> pd.DataFrame:
    """Close a month: a checklist with one row a check and currency, and with `to` a workbook.

    `month` is `"2026-09"` (the last month unless given); `quarter` and `year` close those. `map` are the
    accounts of the journal: a YAML file, a dict, or one of saas, skr03, skr04. `to` is an .xlsx file; beside
    it are written NAME.tax.csv and NAME.audit.json, which `verify_close` reads again; where that of the month
    before lies there, this month has to begin when and with what that one ended. `who` is the name in the
    audit trail (`"me"`: this machine's user). `over`, `data`, `tz` and `fresh` are as in `report`.
    With `strict` a failed check raises `CloseFailed` once everything is written.

    Returns the columns check, result (passed, failed, differs, unchecked), currency, left, right, residual
    (int64 minor units), action.
    Raises `UsageFault` for a period or a map that isn't possible, `FileError` if a file can't be written.
    Nothing in the account changes.

        >>> sm.close_month("2026-09", to="close.xlsx")  # doctest: +SKIP
    """
    target, fresh, strict = workbook_path(to), read_flag("fresh", fresh), read_flag("strict", strict)
    closing = _close(month_end(month, quarter, year), tz, over, data, map, fresh=fresh)
    if target is not None:
        check_before(closing, target.absolute().parent)
    made = checklist(closing)
    _headline(made, closing)
    if target is not None:
        for path in hand_over(closing, made, target, who):
            add_note(made, f"Written: {path}")
    failed = made[made["result"] == FAILED]
    if strict and len(failed):
        first = failed.iloc[0]
        raise CloseFailed(
            f"The month end has failed checks ({len(failed)} of {closing.span.words()}), the first:"
            f" {first['check']}.",
            advice=str(first["action"]),
        )
    return made


@system_memory()
def verify_close(
    file: str | Path, *, over: str | Path | None = None, data: Mapping[str, pd.DataFrame] | None = None
) -> pd.DataFrame:
    """Read a closed period again and say what changed since: one row a difference, none if all is as it was.

    `file` is the workbook or its .audit.json. Columns: of (a list, a report or the workbook), change, count,
    examples. `over` and `data` are as in `close_month`. Raises `FileError` if the audit trail isn't there or
    is damaged, `UsageFault` on another account.
    """
    path = Path(file)
    trail_file = path if path.suffix == ".json" else beside(path, ENDING)
    trail = audit_trail.read_trail(trail_file)
    about = trail["period"]
    closing = _close(
        {"start": pd.Timestamp(about["start"]), "end": pd.Timestamp(about["end"])},
        about["zone"],
        over,
        data,
        trail["accounts"] or None,
        fresh=True,
    )
    now = trail_of(closing, "")
    if now["account"]["id"] != trail["account"]["id"] or now["account"]["mode"] != trail["account"]["mode"]:
        raise UsageFault(
            f"The month was closed on {trail['account']['id']} ({trail['account']['mode']}), but this"
            f" connection is on {now['account']['id']} ({now['account']['mode']}).",
            advice="Connect to that account first.",
        )
    found = audit_trail.differences(trail, now)
    book = trail_file.with_name(trail["workbook"]["file"])
    if not book.exists():
        found.insert(0, ("workbook", "file is gone", 1, str(book)))
    elif checksum(book) != trail["workbook"]["sha256"]:
        found.insert(0, ("workbook", "file was changed after it was written", 1, str(book)))
    out = pd.DataFrame(found, columns=["of", "change", "count", "examples"]).astype({"count": np.int64})
    made = result(out, "close_verify", list(closing.inputs.data.values()), period=closing.span)
    set_facts(made, amounts=[], title="What changed since the month was closed")
    add_note(
        made,
        f"Closed {trail['read_at']}: "
        + ("nothing changed since." if made.empty else f"{len(made)} differences."),
    )
    return made


# How it is made ---------------------------------------------------------------------------------------------
def _close(
    period: Mapping[str, Any],
    tz: str | None,
    over: str | Path | None,
    data: Mapping[str, pd.DataFrame] | None,
    accounts: Any,
    *,
    fresh: bool,
) -> Closing:
    mapped = read_map(accounts)
    proofs = report("proofs", **period, tz=tz, over=over, data=data, fresh=fresh)
    inputs = run_of(proofs)
    assert inputs is not None
    assert inputs.period is not None
    closing = Closing(inputs, inputs.period, mapped, _account_facts(proofs), notes=list(inputs.notes))
    shared = _shared(inputs, over)
    inputs.forget()
    again: dict[str, Any] = {"start": inputs.period.start, "end": inputs.period.end}
    for name, part in PARTS.items():
        options = {
            each: value for each, value in part.options.items() if each != "prove" or "balance" in shared
        }
        try:
            made = report(name, **again, tz=inputs.zone, over=over, data=shared, **options)
        except StripeMagicsError as fault:
            closing.check(f"Report {name}", UNCHECKED, said=f"{fault.brief} {fault.advice}".strip())
            continue
        closing.reports[name] = made
        run = run_of(made)
        if run is not None:
            shared = {**shared, **_shared(run, over)}
            run.forget()
    inputs.data.update({name: frame for name, frame in shared.items() if name in LISTS})
    check_period(closing)
    check_proofs(closing, proofs)
    check_residuals(closing)
    check_exchange(closing)
    check_journal(closing)
    _tax(closing)
    return closing


def _shared(inputs: ReportInputs, over: str | Path | None) -> dict[str, pd.DataFrame]:
    """The lists that were read whole, and the balance of the same reading."""
    found = {name: frame for name, frame in inputs.data.items() if name in {*LISTS, *AT_HAND}}
    reading = inputs.memo.get("reading_whole") or inputs.memo.get("reading")
    if reading is not None and reading[1] is not None:
        found["balance"] = reading[1]
    return found if over is None else {name: frame for name, frame in found.items() if name in AT_HAND}


def _account_facts(made: pd.DataFrame) -> dict[str, Any]:
    from stripe_magics.client.shared_connection import shared

    about = facts_of(made)
    facts = {
        "id": str(about.get("account") or ""),
        "name": "",
        "mode": str(about.get("mode") or ""),
        "api_version": "",
    }
    connection = shared()
    if connection is not None:
        account = connection.account_seen or {}
        facts["id"] = facts["id"] or str(account.get("id") or "")
        facts["name"] = connection.account_name(account)
        facts["mode"] = facts["mode"] or connection.mode
        facts["api_version"] = connection.api_version
    return facts


def _tax(closing: Closing) -> None:
    rows = closing.reports.get("tax_collected")
    if rows is None:
        return
    made = tax_handover.tax_handover(rows, closing.span, home=closing.inputs.home.upper())
    closing.reports["tax_handover"] = set_facts(made, title="Tax by return, country and rate")


def _headline(made: pd.DataFrame, closing: Closing) -> None:
    counts = made["result"].value_counts()
    said = ", ".join(
        f"{counts[word]} {word}" for word in (PASSED, FAILED, DIFFERS, UNCHECKED) if word in counts
    )
    account = " ".join(
        part for part in (closing.account["name"], closing.account["id"], closing.account["mode"]) if part
    )
    headline = " · ".join(part for part in (closing.span.zone, account, said) if part)
    set_facts(made, title="Month end", notes=[headline])
    add_note(made, *closing.notes)
