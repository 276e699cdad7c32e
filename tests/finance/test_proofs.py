"""Proofs that can fail: a row that is removed, doubled or changed is caught; and the rows behind a cell add
up to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest

import stripe_magics as sm
from stripe_magics.errors import UsageFault
from stripe_magics.finance import REPORTS
from stripe_magics.finance.cell_sources import SOURCES, UNTIL
from stripe_magics.finance.mrr_history import MOVES

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


OPTIONS: dict[str, list[dict[str, Any]]] = {
    "balance_summary": [{"prove": True}, {"by": "arrival"}],
    "daily_balance": [{}, {"by": "arrival"}],
    "ar_ageing": [{}, {"by": "invoice"}],
    "deferred_revenue": [{"tz": "Pacific/Auckland"}],
    "mrr": [{"start": "2026-08-01", "end": "2026-09-30"}],
    "payout_reconciliation": [{}, {"by": "created"}],
}
CELLS = [(name, options) for name in SOURCES for options in OPTIONS.get(name, [{}])]


@pytest.mark.parametrize(("name", "options"), CELLS)
def test_the_rows_behind_every_cell_add_up_to_it(name: str, options: dict[str, Any]) -> None:
    """Of every amount and count, the first and the last row that has one; the others say that they have
    no rows of their own."""
    table = sm.report(name, **({} if "start" in options else SEPTEMBER), **options)
    about = table.attrs["stripe"]["kinds"]
    amounts = [each for each, kind in about.items() if kind in {"money", "count"} and each != "residual"]
    assert set(SOURCES[name]) <= {*amounts, *(MOVES if name == "mrr_rates" else ())}
    for column in amounts:
        places = [int(each) for each in table[column].fillna(0).to_numpy(dtype=float).nonzero()[0]]
        if column not in SOURCES[name]:
            with pytest.raises(UsageFault, match="has no rows of its own"):
                table.stripe.rows(column, row=0)
            continue
        for place in dict.fromkeys([*places[:1], *places[-1:]]):
            found = table.stripe.rows(column, row=place)
            assert len(found), (column, place)
            assert int(found["counted"].sum()) == int(table[column].iloc[place]), (column, place)
        if (name, column) not in UNTIL and places:
            mine = table.stripe.rows(column)["counted"].sum()
            repeated = name in {"refund_rate", "dispute_rate"} and column.startswith("payments")
            assert repeated or int(mine) == int(table[column].fillna(0).sum()), column


def test_the_rows_of_a_cell_are_those_that_stripe_has() -> None:
    """From a cell to its entries, to each entry as the API sends it."""
    table = sm.report("daily_balance", **SEPTEMBER)
    place = int(table["refunds"].to_numpy().nonzero()[0][0])
    found = table.stripe.rows("refunds", row=place)
    sent = [
        sm.call("balance.retrieve_transaction", balance_transaction=each, raw=True) for each in found["id"]
    ]
    assert sum(each["amount"] for each in sent) == table["refunds"].iloc[place]
    assert {each["currency"] for each in sent} == {table["currency"].iloc[place]}
    assert {each["source"] for each in sent} <= set(sm.call("refunds.list", limit="all")["id"])


def test_every_table_of_rows_is_of_a_report() -> None:
    assert set(SOURCES) <= set(REPORTS)


def test_what_has_no_rows_says_so() -> None:
    with pytest.raises(UsageFault, match="doesn't open to rows"):
        sm.report("mrr_now").stripe.rows()
    table = sm.report("fees", **SEPTEMBER)
    with pytest.raises(UsageFault, match="no column 'colour'"):
        table.stripe.rows("colour")
    with pytest.raises(UsageFault, match="no row 99"):
        table.stripe.rows("amount", row=99)
