"""The double-entry journal of Stripe's balance: what happened each day, booked between the Stripe account and
its counterpart.

Each posting takes an amount from one account to another, so that every day balances in every currency.
Nothing is netted: gross amounts and the fees taken from them are postings of their own, and so are amounts in
and out of one category. What the postings do to the Stripe account over a period is what Stripe's balance
did: `close` and `journal` hold it against the balance itself.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stripe_magics.errors import UsageFault
from stripe_magics.finance.account_map import FEES, STRIPE, AccountMap
from stripe_magics.finance.aggregation import group_sums, result, sums_by_currency, text_column, to_int64
from stripe_magics.finance.balance import PAYOUTS, ledger
from stripe_magics.finance.columns import CURRENCY, column, declare, money, text
from stripe_magics.finance.reporting_period import Period, bucket_index

_KEYS = ("day", "currency", "category", "sign", "document")


def categories(transactions: pd.DataFrame, span: Period) -> list[str]:
    """The kinds of entries that the ledger has in the period."""
    rows = ledger(transactions, "journal")
    inside = rows[span.contains(rows["created"])]
    fees = [FEES] if to_int64(inside["fee"]).ne(0).any() else []
    return sorted(set(inside["reporting_category"].astype(str))) + fees


def postings(
    transactions: pd.DataFrame, span: Period, accounts: AccountMap, *, detail: bool = False
) -> pd.DataFrame:
    """Postings of a period: date, currency, debit, credit (accounts), amount (above 0), document, memo,
    category.

    One a day, currency, category and direction, each payout on its own; with `detail` one a balance
    transaction.
    Raises `UsageFault` that names the categories without an account.
    """
    missing = accounts.unmapped(categories(transactions, span))
    if missing:
        raise UsageFault(
            f"{accounts.source} has no account for: {', '.join(missing)}.",
            advice=(
                f'Add a line for each, such as {missing[0]}: "1100", or begin the file with extends: saas.'
            ),
        )
    frame = ledger(transactions, "journal")
    rows = frame[span.contains(frame["created"])]
    days = span.boundaries("D")
    category = rows["reporting_category"].astype(str)
    document = text_column(rows, "source").where(category.isin(PAYOUTS), "")
    document = document.where(document.ne("") | ~category.isin(PAYOUTS), rows["id"].astype(str))
    document = rows["id"].astype(str) if detail else document
    parts = []
    for kind, amount in ((category, to_int64(rows["amount"])), (None, -to_int64(rows["fee"]))):
        own = category if kind is not None else pd.Series(FEES, index=rows.index)
        part = pd.DataFrame(
            {
                "day": bucket_index(rows["created"], days, span.zone),
                "currency": rows["currency"].astype(str).to_numpy(),
                "category": own.to_numpy(),
                "sign": np.sign(amount.to_numpy()),
                "document": document.to_numpy() if kind is not None or detail else "",
                "amount": amount.to_numpy(),
            }
        )
        parts.append(part[part["amount"] != 0])
    every = pd.concat(parts, ignore_index=True)
    table = group_sums({name: every[name] for name in _KEYS}, {"amount": every["amount"]})
    table["day"] = table["day"].astype(np.int64)
    table = table.sort_values(["day", "currency", "category", "sign", "document"], kind="stable")
    pairs = table[["category", "currency"]].drop_duplicates()
    number = {
        (kind, code): accounts.accounts[STRIPE].of(code) if kind == STRIPE else _number(accounts, kind, code)
        for kind, code in [*pairs.itertuples(index=False), *((STRIPE, code) for code in pairs["currency"])]
    }
    other = [number[pair] for pair in zip(table["category"], table["currency"], strict=True)]
    own_side = [number[(STRIPE, code)] for code in table["currency"]]
    comes_in = (table["amount"] > 0).to_numpy()
    counts = table["count"].astype(str)
    words = table["category"].str.replace("_", " ").str.capitalize()
    words = words.where(table["category"] != FEES, "Fees taken from payments")
    plain = days[table["day"].to_numpy()].strftime("%Y-%m-%d") if len(table) else pd.Index([], dtype=object)
    made = pd.DataFrame(
        {
            "date": pd.DatetimeIndex(days[table["day"].to_numpy()]).astype("datetime64[us]"),
            "currency": table["currency"].to_numpy(),
            "debit": np.where(comes_in, own_side, other),
            "credit": np.where(comes_in, other, own_side),
            "amount": table["amount"].abs().to_numpy(dtype=np.int64),
            "document": table["document"].to_numpy(),
            "memo": (words + " (" + counts + ")").to_numpy(),
            "category": table["category"].to_numpy(),
        }
    )
    named = [f"stripe-{day}" for day in plain]
    made["document"] = made["document"].where(made["document"] != "", pd.Series(named, dtype=object))
    return made


def _number(accounts: AccountMap, kind: str, currency: str) -> str:
    found = accounts.find(kind)
    assert found is not None  # checked above
    return found.of(currency)


@declare(
    text("entry", "The journal entry: one a day and currency; its debits equal its credits."),
    column("date", "date", "The day in the report's zone."),
    text("account", "The account."),
    text("account_name", "Its name, as far as the map says it."),
    money("debit", "What is debited."),
    money("credit", "What is credited."),
    CURRENCY,
    text("document", "The payout, the balance transaction, or the day's summary."),
    text("memo", "What it is, and how many transactions are in it."),
    text("category", "Stripe's reporting category, or fees."),
)
def journal_lines(
    posted: pd.DataFrame, accounts: AccountMap, span: Period, sources: list[pd.DataFrame | None]
) -> pd.DataFrame:
    """The postings as the lines of a journal, two each."""
    names = {
        accounts.accounts[STRIPE].of(code): accounts.accounts[STRIPE].name for code in set(posted["currency"])
    }
    for kind, code in set(zip(posted["category"], posted["currency"], strict=True)):
        found = accounts.find(kind)
        if found is not None:
            names.setdefault(found.of(code), found.name)
    both = posted.loc[posted.index.repeat(2)].reset_index(drop=True)
    first = np.arange(len(both)) % 2 == 0
    stamp = pd.DatetimeIndex(both["date"]).strftime("%Y%m%d") if len(both) else pd.Index([], dtype=object)
    out = pd.DataFrame(
        {
            "entry": [f"ST-{day}-{code.upper()}" for day, code in zip(stamp, both["currency"], strict=True)],
            "date": both["date"],
            "account": both["debit"].where(first, both["credit"]),
            "debit": both["amount"].where(first, 0),
            "credit": both["amount"].where(~first, 0),
            "currency": both["currency"],
            "document": both["document"],
            "memo": both["memo"],
            "category": both["category"],
        }
    )
    out.insert(3, "account_name", out["account"].map(names))
    return result(out, "journal", sources, period=span, accounts=accounts.source)


def stripe_change(lines: pd.DataFrame, accounts: AccountMap) -> dict[str, int]:
    """What the journal does to the Stripe account, by currency: debits less credits."""
    own = [accounts.accounts[STRIPE].of(str(code)) for code in lines["currency"]]
    mine = lines[lines["account"].to_numpy() == np.array(own, dtype=object)]
    return sums_by_currency(mine["currency"], mine["debit"] - mine["credit"])


def unbalanced(lines: pd.DataFrame) -> pd.DataFrame:
    """The entries (one a day and currency) whose debits aren't their credits."""
    sums = lines.groupby(["entry", "currency"], sort=False)[["debit", "credit"]].sum()
    return sums[sums["debit"] != sums["credit"]].reset_index()


def balance_change(made: pd.DataFrame) -> dict[str, int]:
    """What the balance did over the period, by currency: its end less its start."""
    return {str(each["currency"]): int(each["end"]) - int(each["start"]) for each in made.to_dict("records")}
