"""Proofs that can fail: a row that is removed, doubled or changed is caught; and the rows behind a cell add
up to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
from each_row import each_row

import stripe_magics as sm
from stripe_magics.errors import UsageFault
from stripe_magics.finance import REPORTS
from stripe_magics.finance.cell_rows import KEYS, ROWS

SEPTEMBER = {"month": "2026-09"}
START, END = pd.Timestamp("2026-09-01", tz="UTC"), pd.Timestamp("2026-10-01", tz="UTC")


@pytest.fixture(scope="module", autouse=True)
def demo() -> Iterator[None]:
    sm.connect(sandbox=True)
    yield
    sm.close()


@pytest.fixture(scope="module")
def account() -> dict[str, pd.DataFrame]:
    lists = {
        "transactions": "balance.list_history",
        "charges": "charges.list",
        "invoices": "invoices.list",
        "subscriptions": "subscriptions.list",
    }
    more: dict[str, dict[str, Any]] = {"subscriptions": {"status": "all"}}
    frames = {name: sm.call(module, limit="all", **more.get(name, {})) for name, module in lists.items()}
    return {**frames, "balance": sm.call("balance.retrieve")}


def removed(frame: pd.DataFrame, at: int) -> pd.DataFrame:
    return frame.drop(index=at)


def doubled(frame: pd.DataFrame, at: int) -> pd.DataFrame:
    return pd.concat([frame, frame.loc[[at]]], ignore_index=True)


def changed(column: str) -> Callable[[pd.DataFrame, int], pd.DataFrame]:
    def change(frame: pd.DataFrame, at: int) -> pd.DataFrame:
        out = frame.copy()
        out.loc[at, column] = out.loc[at, column] + 1
        return out

    return change


def inside(frame: pd.DataFrame, column: str = "created", **which: Any) -> int:
    rows = frame[(frame[column] >= START) & (frame[column] < END)]
    for name, value in which.items():
        rows = rows[rows[name].astype(str) == value]
    return int(rows.index[3])


CASES: list[tuple[str, str, Callable[[pd.DataFrame], int], Callable[[pd.DataFrame, int], pd.DataFrame]]] = [
    ("activity by category", "transactions", lambda f: inside(f, reporting_category="charge"), removed),
    ("activity by category", "transactions", lambda f: inside(f, reporting_category="charge"), doubled),
    ("activity by category", "transactions", lambda f: inside(f, reporting_category="charge"),
        changed("net")),
    ("closing of the last day", "transactions", lambda f: inside(f, reporting_category="payout"), removed),
    ("closing of the last day", "transactions", lambda f: inside(f, reporting_category="payout"), doubled),
    ("fees = fees of the ledger", "transactions", lambda f: inside(f, reporting_category="charge"),
        changed("fee")),
    ("ledger entries of charges", "charges", lambda f: inside(f, status="succeeded"), removed),
    ("ledger entries of charges", "charges", lambda f: inside(f, status="succeeded"), changed("amount")),
    ("ageing now", "invoices", lambda f: int(f[f["status"] == "open"].index[2]), changed("amount_remaining")),
    ("lines of invoices", "invoices", lambda f: inside(f, "status_transitions_finalized_at", status="paid"),
        changed("total_excluding_tax")),
    ("tax by rate", "invoices", lambda f: inside(f, "status_transitions_finalized_at", currency="eur"),
        changed("total")),
    ("MRR by history", "subscriptions", lambda f: int(f[f["status"] == "active"].index[5]), removed),
]  # fmt: skip


def residual(table: pd.DataFrame, proof: str) -> list[int]:
    mine = table[table["proof"].str.startswith(proof)].sort_values("currency")
    return mine["residual"].tolist()


@pytest.fixture(scope="module")
def untouched(account: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return sm.report("proofs", **SEPTEMBER, data=account)


def test_untouched_everything_adds_up(untouched: pd.DataFrame) -> None:
    table = untouched
    assert (table.loc[~table["proof"].str.startswith("MRR"), "residual"] == 0).all()


@pytest.mark.parametrize(("proof", "name", "where", "how"), CASES)
def test_a_touched_row_is_caught(
    account: dict[str, pd.DataFrame],
    untouched: pd.DataFrame,
    proof: str,
    name: str,
    where: Callable[[pd.DataFrame], int],
    how: Callable[[pd.DataFrame, int], pd.DataFrame],
) -> None:
    frame = account[name]
    touched = how(frame, where(frame))
    if name == "invoices" and proof == "ageing now":
        # an amount that the ageing no longer has: the invoice is not owed any more
        at = where(frame)
        touched = frame.copy()
        touched.loc[at, "status_transitions_paid_at"] = touched.loc[at, "status_transitions_finalized_at"]
    touched.attrs = frame.attrs
    before = residual(untouched, proof)
    after = residual(sm.report("proofs", **SEPTEMBER, data={**account, name: touched}), proof)
    assert before != after, f"{proof} doesn't see it"


SUMS = [
    ("balance_activity", "net", "net", {}),
    ("balance_activity", "gross", "amount", {}),
    ("balance_summary", "activity", "net", {}),
    ("balance_summary", "payouts", "net", {}),
    ("daily_balance", "sales", "amount", {}),
    ("daily_balance", "payouts", "net", {}),
    ("volume", "gross", "amount", {}),
    ("volume", "refunds", "amount", {}),
    ("fees", "amount", "amount", {}),
    ("ar_ageing", "total", "amount", {}),
    ("ar_ageing", "31_60", "amount", {}),
    ("dso", "receivables", "amount", {}),
    ("dso", "sales", "amount", {}),
    ("mrr", "new", "change", {}),
    ("mrr", "churn", "change", {}),
    ("tax_summary", "tax", "tax", {}),
    ("deferred_revenue", "recognised", "recognised", {}),
    ("customer_value", "net", "net", {}),
    ("refund_rate", "amount", "amount", {}),
    ("payout_reconciliation", "net", "net", {}),
]


@each_row(("name", "column", "of", "options"), SUMS)
def test_the_rows_behind_a_cell_add_up_to_it(
    name: str, column: str, of: str, options: dict[str, Any]
) -> None:
    table = sm.report(name, **SEPTEMBER, **options)
    for place in [int(each) for each in table[column].to_numpy(dtype=float).nonzero()[0][:3]]:
        found = table.stripe.rows(column, row=place)
        assert len(found)
        assert int(found[of].sum()) == int(table[column].iloc[place])
    whole = table.stripe.rows(column)
    assert int(whole[of].sum()) == int(table[column].sum())


def test_every_table_of_rows_is_of_a_report() -> None:
    assert set(ROWS) <= set(REPORTS)
    columns = {each for name in ROWS for each in sm.report(name, **SEPTEMBER).columns}
    assert {"currency", "customer", "month"} <= columns & set(KEYS)


def test_what_has_no_rows_says_so() -> None:
    with pytest.raises(UsageFault, match="doesn't open to rows"):
        sm.report("mrr_now").stripe.rows()
    table = sm.report("fees", **SEPTEMBER)
    with pytest.raises(UsageFault, match="no column 'colour'"):
        table.stripe.rows("colour")
    with pytest.raises(UsageFault, match="no row 99"):
        table.stripe.rows("amount", row=99)
