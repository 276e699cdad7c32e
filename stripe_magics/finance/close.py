"""The month end: every proof over a period as a checklist, and what is handed over (workbook, tax table,
audit trail).

    sm.close_month(month="2026-09", to="close.xlsx")

The lists are read once, and every report, the journal and the audit trail are made of that one reading. A
check passes if its residual is 0.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics._files import checksum, write_atomically
from stripe_magics._version import __version__
from stripe_magics.accessor.spreadsheets import load_writer
from stripe_magics.errors import CloseFailed, FileError, StripeMagicsError, UsageFault
from stripe_magics.finance import (
    audit_trail,
    balance,
    journal_entries,
    journal_formats,
    tax_handover,
    workbook,
)
from stripe_magics.finance.account_map import AccountMap, read_map
from stripe_magics.finance.aggregation import result
from stripe_magics.finance.columns import columns_of, declare, money, text
from stripe_magics.finance.inputs import AT_HAND, LISTS, ReportInputs
from stripe_magics.finance.proofs import EXPLAINED, PROOFS
from stripe_magics.finance.report_table import REPORTS
from stripe_magics.finance.reporting_period import Period
from stripe_magics.finance.runner import read_flag, report, run_of
from stripe_magics.frames.frame_info import add_note, set_facts

PASSED, FAILED, DIFFERS, UNCHECKED = "passed", "failed", "differs", "unchecked"
_PROVED = {"prove": True}


@dataclass(frozen=True, slots=True)
class Part:
    """A report of the month end: its sheet, its options, the columns with totals, and a column that is a
    difference of two others."""

    sheet: str
    totals: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


PARTS: dict[str, Part] = {
    "balance_summary": Part("Balance", options=_PROVED),
    "balance_activity": Part("Activity", ("gross", "fee", "net")),
    "daily_balance": Part(
        "Daily balance", ("sales", "refunds", "disputes", "fees", "other", "net", "payouts")
    ),
    "payout_reconciliation": Part("Payouts", ("amount", "gross", "fee", "net")),
    "fees": Part("Fees", ("amount",)),
    "volume": Part("Volume"),
    "ar_ageing": Part(
        "Receivables", ("not_due", "1_30", "31_60", "61_90", "91_120", "over_120", "total", "uncollectible")
    ),
    "tax_collected": Part("Tax by document", ("taxable", "tax")),
    "deferred_revenue": Part("Deferred revenue"),
    "mrr": Part("MRR"),
    "mrr_movements": Part("MRR changes", ("change",)),
    "refund_rate": Part("Refunds"),
    "dispute_rate": Part("Disputes"),
    "failed_payments": Part("Failed payments", ("amount", "recovered_amount")),
}
"""The reports in the workbook, in its order."""

RESIDUALS = {
    "balance_summary": ("start + activity + payouts = end", "end"),
    "payout_reconciliation": ("each payout = the transactions it settled", "net"),
    "deferred_revenue": ("deferred revenue rolls forward", "closing"),
    "mrr": ("MRR rolls forward", "end"),
}
"""Reports whose own residual is a check: what it says, and the column that it is about."""

ACTIONS = {
    "activity by category": (
        "%stripe report balance_activity --month {month} --fresh; then compare it with the Dashboard's"
        " balance report."
    ),
    "closing of the last day": (
        "%stripe report daily_balance --month {month} --fresh shows the day on which it parts from the"
        " balance."
    ),
    "fees": "%stripe report fee_items --month {month} lists every fee.",
    "ledger entries of charges": (
        "A charge lacks its ledger entry, or the other way round: compare %stripe charges list with balance"
        " list_history."
    ),
    "ageing": "%stripe report ar_ageing --month {month} --by invoice names each invoice.",
    "lines of invoices": (
        "An invoice's lines don't add up to its total: %stripe report revenue_schedule --month {month}."
    ),
    "tax by rate": "%stripe report tax_collected --month {month} names each document.",
    "MRR": "%stripe report mrr_bridge names each subscription and why.",
    "start + activity": (
        "%stripe report balance_summary --month {month} --prove true --fresh reads the whole ledger again."
    ),
    "each payout": (
        "%stripe report payout_reconciliation --month {month}: look at the rows that don't add up."
    ),
    "deferred revenue": (
        "%stripe report deferred_revenue --month {month} --fresh; credit notes and voided invoices are the"
        " usual cause."
    ),
    "The period is over": "Close it again when it is over.",
    "Lists are complete": "Run it again with --fresh; a list was cut short by a limit or a fault.",
    "Every category has an account": "Add a line for each category to the map of accounts.",
    "Journal": "%stripe journal --month {month} shows the postings.",
}
"""By the first words of a check: what to do where it fails."""


@dataclass(slots=True)
class Closing:
    """A closed period: the reading that everything is made of, the reports, the journal and the checks."""

    inputs: ReportInputs
    span: Period
    accounts: AccountMap
    account: Mapping[str, Any]
    reports: dict[str, pd.DataFrame] = field(default_factory=dict)
    checks: list[tuple[Any, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lines: pd.DataFrame | None = None

    def check(
        self, name: str, result: str, currency: str = "", left: Any = None, right: Any = None, said: str = ""
    ) -> None:
        """Add a line to the checklist."""
        action = ""
        if result in {FAILED, DIFFERS, UNCHECKED}:
            known = next((text for start, text in ACTIONS.items() if name.startswith(start)), "")
            action = said or known.format(month=f"{self.span.local_start:%Y-%m}")
        residual = None if left is None or right is None else int(left) - int(right)
        self.checks.append((name, result, currency, left, right, residual, action))


@declare(
    text("check", "What must hold."),
    text("result", "passed, failed, differs (with known reasons) or unchecked."),
    text("currency", "The currency of the amounts; empty where the check has none."),
    money("left", "The first side."),
    money("right", "The other side, found another way."),
    money("residual", "left - right; 0 passes."),
    text("action", "What to do where it didn't pass."),
)
def checklist(closing: Closing) -> pd.DataFrame:
    """The checks of a closing as a frame."""
    names = ["check", "result", "currency", "left", "right", "residual", "action"]
    out = pd.DataFrame(closing.checks, columns=names)
    for name in ("left", "right", "residual"):
        out[name] = out[name].astype("Int64")
    return result(out, "close", list(closing.inputs.data.values()), period=closing.span)


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
    it are written NAME.tax.csv and NAME.audit.json, which `verify_close` reads again. `who` is the name in
    the audit trail (`"me"`: this machine's user). `over` and `data` are as in `report`.
    With `strict` a failed check raises `CloseFailed` once everything is written.

    Returns the columns check, result (passed, failed, differs, unchecked), currency, left, right, residual
    (int64 minor units), action.
    Raises `UsageFault` for a period or a map that isn't possible, `FileError` if a file can't be written.
    Nothing in the account changes.

        >>> sm.close_month("2026-09", to="close.xlsx")  # doctest: +SKIP
    """
    target, fresh, strict = workbook_path(to), read_flag("fresh", fresh), read_flag("strict", strict)
    closing = _close(_period(month, quarter, year), tz, over, data, map, fresh=fresh)
    made = checklist(closing)
    _headline(made, closing)
    if target is not None:
        for path in _hand_over(closing, made, target, who):
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


def journal(  # noqa: PLR0913 - public: each is a keyword of its own
    month: str | None = None,
    *,
    quarter: str | None = None,
    year: int | str | None = None,
    tz: str | None = None,
    over: str | Path | None = None,
    data: Mapping[str, pd.DataFrame] | None = None,
    map: str | Path | Mapping[str, Any] | None = None,
    format: str = "",
    to: str | Path | None = None,
    detail: bool = False,
) -> pd.DataFrame:
    """The double-entry journal of a period: one row a line, balanced for each day and currency.

    `map` as in `close_month`. `format` (csv, datev, xero, quickbooks) writes files for that program, to `to`
    or into the current folder; datev takes the chart skr03 unless a map is given. `detail` books each balance
    transaction by itself. Columns: entry, date, account, account_name, debit, credit (int64 minor units),
    currency, document, memo, category. `attrs["stripe"]["stripe_account"]` holds, by currency, what it does
    to the Stripe account and what the balance did; they must be equal, and a note says so if they aren't.

        >>> sm.journal("2026-09", map="accounts.yaml", format="datev", to="books.csv")  # doctest: +SKIP
    """
    if format and format not in journal_formats.FORMATS:
        raise UsageFault(f"--for {format} isn't possible: {', '.join(journal_formats.FORMATS)}.")
    if to is not None and not format:
        format = "csv"
    detail = read_flag("detail", detail)
    accounts = read_map(map, "skr03" if format == "datev" else "saas")
    made = report("balance_summary", **_period(month, quarter, year), tz=tz, over=over, data=data)
    inputs = run_of(made)
    assert inputs is not None
    assert inputs.period is not None
    span = inputs.period
    ledger, _ = inputs.reading(whole=False)
    posted = journal_entries.postings(ledger, span, accounts, detail=detail)
    lines = journal_entries.journal_lines(posted, accounts, span, [ledger])
    change, moved = journal_entries.stripe_change(lines, accounts), _moved(made)
    both = {code: [change.get(code, 0), moved.get(code, 0)] for code in sorted({*change, *moved})}
    set_facts(lines, title="Journal of Stripe's balance", stripe_account=both)
    apart = [code for code, (booked, real) in both.items() if booked != real]
    if apart:
        add_note(
            lines,
            f"The journal's Stripe account doesn't move as the balance did ({', '.join(apart)}). Read it"
            " again.",
        )
    else:
        add_note(
            lines,
            f"{span.words()}: debits equal credits each day; the Stripe account moves as Stripe's balance"
            " did.",
        )
    add_note(
        lines, f"Accounts: {accounts.source}. Check them with your accountant before you import anything."
    )
    if format in {"xero", "datev"} and len(both) > 1:
        add_note(
            lines,
            "One file a currency: import those in the books' own currency, and book others with your rate.",
        )
    if format == "quickbooks":
        customer = accounts.settings.get("customer") or journal_formats.CUSTOMER
        add_note(
            lines,
            f"QuickBooks needs a customer on receivables: {customer!r} must be in the books (another one:"
            " `settings: {customer: NAME}` in the map).",
        )
    if format:
        for path in journal_formats.write(lines, accounts, span, format, to):
            add_note(lines, f"Written: {path}")
    return lines


def verify_close(
    file: str | Path, *, over: str | Path | None = None, data: Mapping[str, pd.DataFrame] | None = None
) -> pd.DataFrame:
    """Read a closed period again and say what changed since: one row a difference, none if all is as it was.

    `file` is the workbook or its .audit.json. Columns: of (a list, a report or the workbook), change, count,
    examples. `over` and `data` are as in `close_month`. Raises `FileError` if the audit trail isn't there or
    is damaged, `UsageFault` on another account.
    """
    path = Path(file)
    trail_file = path if path.suffix == ".json" else _beside(path, "audit.json")
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
    now = _trail(closing, "")
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
def _period(month: Any, quarter: Any, year: Any) -> dict[str, Any]:
    given = {"month": month, "quarter": quarter, "year": year}
    said = {name: value for name, value in given.items() if value is not None}
    return said or {"period": "last month"}


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


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.stem}.{ending}")


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
    _check_period(closing)
    _check_proofs(closing, proofs)
    _check_residuals(closing)
    _check_journal(closing)
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

    about = made.attrs["stripe"]
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


def _check_period(closing: Closing) -> None:
    over = closing.span.end <= closing.inputs.clock
    closing.check("The period is over", PASSED if over else FAILED)
    partial = [
        name for name, made in closing.reports.items() if not made.attrs["stripe"].get("complete", True)
    ]
    closing.check("Lists are complete", FAILED if partial else PASSED)


def _check_proofs(closing: Closing, proofs: pd.DataFrame) -> None:
    for each in proofs.to_dict("records"):
        name = str(each["proof"])
        fails = DIFFERS if name in EXPLAINED else FAILED
        outcome = PASSED if each["residual"] == 0 else fails
        closing.check(name, outcome, str(each["currency"]), int(each["left"]), int(each["right"]))
    done = set(proofs["proof"])
    for name in [each for each in PROOFS if each not in done]:
        missing = [note for note in closing.notes if note.endswith(f": {name}.")]
        if missing:
            closing.check(
                name, UNCHECKED, said="The data for it isn't at hand: run it over the account itself."
            )


def _check_residuals(closing: Closing) -> None:
    for report_name, (says, about) in RESIDUALS.items():
        made = closing.reports.get(report_name)
        if made is None:
            continue
        for code, rows in made.groupby("currency", sort=True):
            known = rows[rows["residual"].notna()]
            if known.empty:
                closing.check(says, UNCHECKED, str(code), said="There is nothing to hold it against.")
                continue
            wrong = known[known["residual"] != 0]
            amount = int(known[about].astype("Int64").fillna(0).sum())
            off = int(wrong["residual"].sum())
            closing.check(says, FAILED if len(wrong) else PASSED, str(code), amount, amount - off)


def _moved(made: pd.DataFrame) -> dict[str, int]:
    """What the balance did over the period, by currency: its end less its start."""
    return {str(each["currency"]): int(each["end"]) - int(each["start"]) for each in made.to_dict("records")}


def _check_journal(closing: Closing) -> None:
    ledger, _ = closing.inputs.reading(whole=True)
    unmapped = closing.accounts.unmapped(journal_entries.categories(ledger, closing.span))
    odd = balance.uneven(balance.ledger(ledger))
    ids = ", ".join(map(str, odd["id"].head(5)))
    said = f"Look at {ids}{' ...' if len(odd) > 5 else ''}; then read the ledger again with --fresh."
    closing.check("Each entry: amount - fee = net", FAILED if len(odd) else PASSED, said=said)
    name = "Every category has an account"
    if unmapped:
        closing.check(
            name, FAILED, said=f"{closing.accounts.source} lacks: {', '.join(unmapped)}. Add a line for each."
        )
        return
    closing.check(name, PASSED)
    posted = journal_entries.postings(ledger, closing.span, closing.accounts)
    lines = journal_entries.journal_lines(posted, closing.accounts, closing.span, [ledger])
    set_facts(lines, title="Journal of Stripe's balance")
    closing.lines = lines
    closing.check(
        "Journal: debits = credits each day", FAILED if len(journal_entries.unbalanced(lines)) else PASSED
    )
    summary = closing.reports.get("balance_summary")
    if summary is None:
        return
    change, moved = journal_entries.stripe_change(lines, closing.accounts), _moved(summary)
    for code in sorted({*change, *moved}):
        booked, real = change.get(code, 0), moved.get(code, 0)
        says = "Journal's Stripe account = the balance's change"
        closing.check(says, PASSED if booked == real else FAILED, code, booked, real)


def _tax(closing: Closing) -> None:
    rows = closing.reports.get("tax_collected")
    if rows is None:
        return
    made = tax_handover.tax_handover(rows, closing.span, home=closing.inputs.home.upper())
    closing.reports["tax_handover"] = set_facts(made, title="Tax by return, country and rate")


def _headline(made: pd.DataFrame, closing: Closing) -> None:
    about, counts = made.attrs["stripe"], made["result"].value_counts()
    about["title"] = "Month end"
    said = ", ".join(
        f"{counts[word]} {word}" for word in (PASSED, FAILED, DIFFERS, UNCHECKED) if word in counts
    )
    account = " ".join(
        part for part in (closing.account["name"], closing.account["id"], closing.account["mode"]) if part
    )
    about["notes"] = [" · ".join(part for part in (closing.span.zone, account, said) if part)]
    add_note(made, *closing.notes)


# What is handed over ----------------------------------------------------------------------------------------
def _trail(closing: Closing, who: str) -> dict[str, Any]:
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
        "lists": {name: audit_trail.list_trail(frame, span.end) for name, frame in sorted(lists.items())},
        "reports": {
            name: {"rows": len(frame), "sha256": audit_trail.frame_hash(frame)}
            for name, frame in closing.reports.items()
        },
    }


def _hand_over(closing: Closing, made: pd.DataFrame, target: Path, who: str) -> list[Path]:
    """Write the workbook, the tax table and the audit trail; say which files."""
    trail = _trail(closing, who)
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
        paths.append(_beside(target, "tax.csv"))
        write_atomically(paths[-1], tax_handover.as_csv(closing.reports["tax_handover"]))
    trail["workbook"] = {"file": target.name, "sha256": checksum(target)}
    paths.append(_beside(target, "audit.json"))
    import json

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
