"""What a closed month is handed over as: the workbook, the tax table and the audit trail."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from stripe_magics._files import checksum, write_atomically
from stripe_magics._version import __version__
from stripe_magics.accessor.spreadsheets import load_writer
from stripe_magics.errors import FileError, UsageFault
from stripe_magics.finance import audit_trail, close_sequence, tax_handover, workbook
from stripe_magics.finance.close_checks import DIFFERS, FAILED, PASSED, UNCHECKED, Closing
from stripe_magics.finance.columns import columns_of
from stripe_magics.finance.inputs import ReportInputs
from stripe_magics.finance.list_inputs import LISTS
from stripe_magics.finance.report_table import REPORTS
from stripe_magics.frames.frame_info import set_facts

_PROVED = {"prove": True}


@dataclass(frozen=True, slots=True)
class HandoverPart:
    """A report of the month end: its sheet, the columns with totals, its options."""

    sheet: str
    totals: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


PARTS: dict[str, HandoverPart] = {
    "balance_summary": HandoverPart("Balance", options=_PROVED),
    "balance_activity": HandoverPart("Activity", ("gross", "fee", "net")),
    "daily_balance": HandoverPart(
        "Daily balance", ("sales", "refunds", "disputes", "fees", "other", "net", "payouts")
    ),
    "payout_reconciliation": HandoverPart("Payouts", ("amount", "gross", "fee", "net")),
    "fees": HandoverPart("Fees", ("amount",)),
    "volume": HandoverPart("Volume"),
    "ar_ageing": HandoverPart(
        "Receivables", ("not_due", "1_30", "31_60", "61_90", "91_120", "over_120", "total", "uncollectible")
    ),
    "tax_collected": HandoverPart("Tax by document", ("taxable", "tax")),
    "deferred_revenue": HandoverPart("Deferred revenue"),
    "mrr": HandoverPart("MRR"),
    "mrr_movements": HandoverPart("MRR changes", ("change",)),
    "refund_rate": HandoverPart("Refunds"),
    "dispute_rate": HandoverPart("Disputes"),
    "failed_payments": HandoverPart("Failed payments", ("amount", "recovered_amount")),
}
"""The reports in the workbook, in its order."""


def workbook_path(to: str | Path | None) -> Path | None:
    """The file that the workbook will be. Raises `UsageFault` or `FileError` where it couldn't be written."""
    if to is None:
        return None
    path = Path(str(to))
    if path.suffix.lower() != ".xlsx":
        raise UsageFault(f"--to {to} isn't possible: the workbook's name ends in .xlsx. Nothing was read.")
    if not path.absolute().parent.is_dir():
        raise FileError(f"There is no folder {path.absolute().parent}. Nothing was read.")
    load_writer()
    return path


def beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.stem}.{ending}")


def trail_of(closing: Closing, who: str) -> dict[str, Any]:
    lists = {name: frame for name, frame in closing.inputs.data.items() if name in LISTS}
    span = closing.span
    return {
        "account": {key: closing.account[key] for key in ("id", "name", "mode")},
        "who": getpass.getuser() if who == "me" else who,
        "read_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "account_clock": closing.inputs.clock.isoformat(),
        "api_version": closing.account["api_version"],
        "stripe_magics": __version__,
        "period": {
            "start": span.start.isoformat(),
            "end": span.end.isoformat(),
            "zone": span.zone,
            "words": span.words(),
        },
        "accounts": closing.accounts.source,
        "balance": close_sequence.balances(closing),
        "lists": {name: audit_trail.list_trail(frame, span.end) for name, frame in sorted(lists.items())},
        "reports": {
            name: {"rows": len(frame), "sha256": audit_trail.frame_hash(frame)}
            for name, frame in closing.reports.items()
        },
    }


def hand_over(closing: Closing, made: pd.DataFrame, target: Path, who: str) -> list[Path]:
    """Write the workbook, the tax table and the audit trail; say which files."""
    trail = trail_of(closing, who)
    counts = made["result"].value_counts()
    cover = {
        "Title": "Month end",
        "Account": (
            " ".join(part for part in (closing.account["name"], closing.account["id"]) if part) or "not known"
        ),
        "Mode": closing.account["mode"] or "not known",
        "Period": closing.span.words(),
        "Time zone": closing.span.zone,
        "Read": f"{trail['read_at'][:19].replace('T', ' ')} UTC",
        "Account's clock": f"{closing.inputs.clock:%Y-%m-%d %H:%M} UTC",
        "API version": closing.account["api_version"] or "not known",
        "Made with": f"stripe_magics {__version__}",
        **({"By": trail["who"]} if trail["who"] else {}),
        "Accounts of the journal": closing.accounts.source,
        **{f"Checks {word}": int(counts.get(word, 0)) for word in (PASSED, FAILED, DIFFERS, UNCHECKED)},
        **{
            f"{name.replace('_', ' ').capitalize()} until then": each["rows"]
            for name, each in trail["lists"].items()
        },
    }
    sheets, balances = _sheets(closing, made, trail), closing.reports.get("balance_summary")
    paths = [target]
    write_atomically(target, lambda file: workbook.build(file, cover, sheets, balances))
    if "tax_handover" in closing.reports:
        paths.append(beside(target, "tax.csv"))
        write_atomically(paths[-1], tax_handover.as_csv(closing.reports["tax_handover"]))
    trail["workbook"] = {"file": target.name, "sha256": checksum(target)}
    paths.append(beside(target, close_sequence.ENDING))
    write_atomically(paths[-1], json.dumps(trail, indent=1, sort_keys=True))
    return paths


def _sheets(closing: Closing, made: pd.DataFrame, trail: Mapping[str, Any]) -> list[workbook.Sheet]:
    sheets = [workbook.Sheet("Checklist", made, difference=("residual", "left", "right"))]
    named = _customer_names(closing.inputs)
    for name, part in PARTS.items():
        if name in closing.reports:
            sheets.append(workbook.Sheet(part.sheet, _with_names(closing.reports[name], named), part.totals))
    if "tax_handover" in closing.reports:
        sheets.append(workbook.Sheet("Tax by return", closing.reports["tax_handover"], ("taxable", "tax")))
    if closing.lines is not None:
        sheets.append(workbook.Sheet("Journal", closing.lines, ("debit", "credit")))
    sheets.append(workbook.Sheet("Columns", _dictionary(closing.reports)))
    sheets.append(workbook.Sheet("Audit trail", _trail_frame(trail)))
    return sheets


def _customer_names(inputs: ReportInputs) -> dict[str, str]:
    names: dict[str, str] = {}
    for frame, key, name in (
        (inputs.data.get("invoices"), "customer", "customer_name"),
        (inputs.data.get("customers"), "id", "name"),
    ):
        if frame is not None and {key, name} <= set(frame.columns):
            known = frame[[key, name]].dropna()
            names.update(dict(zip(known[key].astype(str), known[name].astype(str), strict=True)))
    return names


def _with_names(frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The frame with the customers' names beside their ids."""
    if "customer" not in frame.columns or "customer_name" in frame.columns:
        return frame
    out = frame.copy()
    out.insert(
        list(out.columns).index("customer") + 1, "customer_name", out["customer"].astype(str).map(names)
    )
    out.attrs = frame.attrs
    return out


def _plain(rows: Iterable[tuple[Any, ...]], columns: list[str], title: str) -> pd.DataFrame:
    made = pd.DataFrame(list(rows), columns=columns)
    return set_facts(made, title=title, kinds={"rows": "count"})


def _dictionary(reports: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What the columns of the sheets mean."""
    rows = []
    for name in reports:
        sheet = PARTS[name].sheet if name in PARTS else "Tax by return"
        function = REPORTS[name].function if name in REPORTS else tax_handover.tax_handover
        rows += [(sheet, workbook.words(each.name), each.kind, each.meaning) for each in columns_of(function)]
    return _plain(rows, ["sheet", "column", "kind", "meaning"], "What the columns mean")


def _trail_frame(trail: Mapping[str, Any]) -> pd.DataFrame:
    rows = [
        ("list", name, each["rows"], each["newest"] or "", each["sha256"])
        for name, each in trail["lists"].items()
    ]
    rows += [("report", name, each["rows"], "", each["sha256"]) for name, each in trail["reports"].items()]
    return _plain(rows, ["kind", "name", "rows", "newest", "sha256"], "What was read, with hashes")
