"""The journal of a period by name: read, booked, held against the balance, and written for an accounting
program."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from stripe_magics.errors import UsageFault
from stripe_magics.finance import journal_entries, journal_formats
from stripe_magics.finance.account_map import read_map
from stripe_magics.finance.report_arguments import month_end, read_flag
from stripe_magics.finance.runner import report, run_of
from stripe_magics.frames.frame_info import add_note, set_facts


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
    The period (`month`, `quarter`, `year`), `tz`, `over` and `data` are as in `close_month`.

    Raises `UsageFault` for a period, format or map that isn't possible, `FileError` if a file can't be
    written. Nothing in the account changes.

        >>> sm.journal("2026-09", map="accounts.yaml", format="datev", to="books.csv")  # doctest: +SKIP
    """
    if format and format not in journal_formats.FORMATS:
        raise UsageFault(f"--for {format} isn't possible: {', '.join(journal_formats.FORMATS)}.")
    if to is not None and not format:
        format = "csv"
    detail = read_flag("detail", detail)
    accounts = read_map(map, "skr03" if format == "datev" else "saas")
    made = report("balance_summary", **month_end(month, quarter, year), tz=tz, over=over, data=data)
    inputs = run_of(made)
    assert inputs is not None
    assert inputs.period is not None
    span = inputs.period
    ledger, _ = inputs.reading(whole=False)
    posted = journal_entries.postings(ledger, span, accounts, detail=detail)
    lines = journal_entries.journal_lines(posted, accounts, span, [ledger])
    change, moved = journal_entries.stripe_change(lines, accounts), journal_entries.balance_change(made)
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
