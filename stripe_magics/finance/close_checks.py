"""The checks of a month end: every proof, residual and account of the journal as a line of a checklist.

A check passes if its residual is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from stripe_magics.finance import balance, journal_entries
from stripe_magics.finance.account_map import AccountMap
from stripe_magics.finance.aggregation import result
from stripe_magics.finance.columns import declare, money, text
from stripe_magics.finance.currency_exchange import wrong_rates
from stripe_magics.finance.inputs import ReportInputs
from stripe_magics.finance.list_inputs import LISTS
from stripe_magics.finance.proofs import EXPLAINED, PROOFS
from stripe_magics.finance.reporting_period import Period
from stripe_magics.finance.row_checks import repeated
from stripe_magics.frames.frame_info import facts_of, set_facts

PASSED, FAILED, DIFFERS, UNCHECKED = "passed", "failed", "differs", "unchecked"


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
    "ledger entries of payouts": (
        "A payout lacks its ledger entry, or the other way round: compare %stripe payouts list with balance"
        " list_history --type payout."
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


def check_period(closing: Closing) -> None:
    over = closing.span.end <= closing.inputs.clock
    closing.check("The period is over", PASSED if over else FAILED)
    partial = [name for name, made in closing.reports.items() if not facts_of(made).get("complete", True)]
    closing.check("Lists are complete", FAILED if partial else PASSED)
    lists = [(name, closing.inputs.data[name]) for name in LISTS if name in closing.inputs.data]
    twice = " ".join(filter(None, (repeated(name, frame) for name, frame in lists)))
    closing.check("Every object stands once", FAILED if twice else PASSED, said=twice)


def check_proofs(closing: Closing, proofs: pd.DataFrame) -> None:
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


def check_residuals(closing: Closing) -> None:
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


def check_exchange(closing: Closing) -> None:
    """Whether each foreign charge came in at the rate that its entry names."""
    charges, entries = closing.inputs.data.get("charges"), closing.inputs.data.get("transactions")
    if charges is None or entries is None or "exchange_rate" not in entries.columns:
        return
    wrong = wrong_rates(entries[closing.span.contains(entries["created"])], charges)
    if wrong is None:
        return
    ids = ", ".join(map(str, wrong[:5])) + (" ..." if len(wrong) > 5 else "")
    said = f"Not the charge's amount at the rate of the entry: {ids}. Read the ledger again with --fresh."
    closing.check("Foreign charges = their amount at their rate", FAILED if wrong else PASSED, said=said)


def check_journal(closing: Closing) -> None:
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
    change, moved = (
        journal_entries.stripe_change(lines, closing.accounts),
        journal_entries.balance_change(summary),
    )
    for code in sorted({*change, *moved}):
        booked, real = change.get(code, 0), moved.get(code, 0)
        says = "Journal's Stripe account = the balance's change"
        closing.check(says, PASSED if booked == real else FAILED, code, booked, real)
