"""A month end with one fault planted at a time: each is told by name. Minor units."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from each_row import each_row
from finance.fake_account import FakeAccount, charge, connect, payout, transaction, unix

import stripe_magics as sm

MONTH = "2026-03"


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    sm.close()


def firm(**more: Any) -> FakeAccount:
    """A firm with charges in two currencies, one of them of a foreign card, and a payout."""
    entries = [
        transaction("txn_1", "charge", 10000, 320, "2026-03-01T10:00", source="ch_1", payout="po_1"),
        transaction("txn_2", "charge", 5500, 175, "2026-03-02T10:00", source="ch_2", exchange_rate=1.1,
            payout="po_1"),
        transaction("txn_3", "payout", -15005, 0, "2026-03-05T10:00", source="po_1", payout="po_1"),
        transaction("txn_4", "charge", 3000, 100, "2026-03-31T23:30", source="ch_4"),
        transaction("txn_5", "charge", 2000, 0, "2026-03-10T10:00", source="ch_5", currency="jpy"),
    ]  # fmt: skip
    return FakeAccount(
        balance_transaction=entries,
        charge=[
            charge("ch_1", 10000, "2026-03-01T10:00"),
            charge("ch_2", 5000, "2026-03-02T10:00", currency="eur"),
            charge("ch_4", 3000, "2026-03-31T23:30"),
            charge("ch_5", 2000, "2026-03-10T10:00", currency="jpy"),
        ],
        payout=[payout("po_1", 15005, "2026-03-05T10:00", "2026-03-07")],
        **more,
    )


def failed(made: pd.DataFrame) -> dict[str, str]:
    rows = made[made["result"] == "failed"]
    return dict(zip(rows["check"], rows["action"], strict=True))


def entry(account: FakeAccount, name: str) -> dict[str, Any]:
    return next(each for each in account.objects["balance_transaction"] if each["id"] == name)


def without_a_payout(account: FakeAccount) -> None:
    account.objects["payout"] = []


def without_a_payouts_entry(account: FakeAccount) -> None:
    entry(account, "txn_3")["source"] = "po_other"


def with_a_wrong_rate(account: FakeAccount) -> None:
    entry(account, "txn_2")["exchange_rate"] = 1.2


def without_a_rate(account: FakeAccount) -> None:
    entry(account, "txn_2")["exchange_rate"] = None


def with_an_unknown_category(account: FakeAccount) -> None:
    entry(account, "txn_5")["reporting_category"] = "moon_dust"


def that_is_not_over(account: FakeAccount) -> None:
    account.now = unix("2026-03-20")


def test_the_month_without_a_fault() -> None:
    connect(firm())
    made = sm.close_month(MONTH)
    assert failed(made) == {}
    assert set(made["currency"]) == {"", "jpy", "usd"}
    assert {"Every object stands once", "Foreign charges = their amount at their rate"} <= set(made["check"])


@each_row(("fault", "check", "names"), [
    (without_a_payout, "ledger entries of payouts = the payouts", "payouts list"),
    (without_a_payouts_entry, "ledger entries of payouts = the payouts", "payouts list"),
    (with_a_wrong_rate, "Foreign charges = their amount at their rate", "txn_2"),
    (without_a_rate, "Foreign charges = their amount at their rate", "txn_2"),
    (with_an_unknown_category, "Every category has an account", "moon_dust"),
    (that_is_not_over, "The period is over", "when it is over"),
])  # fmt: skip
def test_a_planted_fault_is_told(fault: Callable[[FakeAccount], None], check: str, names: str) -> None:
    account = firm()
    fault(account)
    connect(account)
    found = failed(sm.close_month(MONTH))
    assert check in found, found
    assert names in found[check]


def test_an_entry_that_stands_twice_is_told_in_reports_and_at_the_month_end() -> None:
    connect(firm())
    ledger = sm.call("balance.list_history", limit="all")
    doubled = {"transactions": pd.concat([ledger, ledger.iloc[[0, 2]]], ignore_index=True)}
    found = failed(sm.close_month(MONTH, data=doubled))["Every object stands once"]
    ids = f"{ledger['id'].iloc[0]}, {ledger['id'].iloc[2]}"
    assert (
        f"2 rows of the transactions repeat an object that stands in another row, and count again: {ids}"
        in found
    )
    assert 'drop_duplicates("id")' in found
    notes = sm.report("balance_activity", month=MONTH, data=doubled).attrs["stripe"]["notes"]
    assert any(ids in note for note in notes)
    once = {"transactions": doubled["transactions"].drop_duplicates("id")}
    notes = sm.report("balance_activity", month=MONTH, data=once).attrs["stripe"]["notes"]
    assert not any("repeat" in note for note in notes)


def test_a_zone_that_changed_since_the_month_before_is_told(tmp_path: Path) -> None:
    connect(firm(now="2026-05-02"))
    sm.close_month("2026-03", to=tmp_path / "march.xlsx")
    good = sm.close_month("2026-04", to=tmp_path / "april.xlsx")
    assert failed(good) == {}
    assert "The period begins where the one closed before ended" in set(good["check"])
    opens = good[good["check"] == "Balance at the start = the end of the month closed before"]
    assert opens[["currency", "left", "right"]].to_numpy().tolist() == [
        ["jpy", 2000, 2000],
        ["usd", 2900, 2900],
    ]
    moved = sm.close_month("2026-04", to=tmp_path / "april.xlsx", tz="America/New_York")
    found = failed(moved)["The period begins where the one closed before ended"]
    assert "march.xlsx" not in found
    assert "march.audit.json was closed in UTC until 2026-04-01 00:00 UTC" in found
    assert "4 hours are in neither" in found
    assert "Close both in one zone: --tz UTC." in found


def test_a_month_before_that_changed_after_it_was_closed_is_told(tmp_path: Path) -> None:
    account = connect(firm(now="2026-05-02"))
    sm.close_month("2026-03", to=tmp_path / "march.xlsx")
    late = transaction("txn_9", "charge", 700, 0, "2026-03-30", source="ch_9")
    account.objects["balance_transaction"].append(late)
    account.objects["charge"].append(charge("ch_9", 700, "2026-03-30"))
    made = sm.close_month("2026-04", to=tmp_path / "april.xlsx", fresh=True)
    found = made[made["result"] == "failed"]
    assert found[["check", "currency", "left", "right"]].to_numpy().tolist() == [
        ["Balance at the start = the end of the month closed before", "usd", 3600, 2900]
    ]
    assert f"%stripe close --verify {tmp_path / 'march.audit.json'}" in found["action"].iloc[0]
    assert "txn_9" in sm.verify_close(tmp_path / "march.xlsx")["examples"].str.cat()


def test_other_files_beside_the_workbook_are_no_month_before(tmp_path: Path) -> None:
    connect(firm(now="2026-05-02"))
    sm.close_month(quarter="2026-Q1", to=tmp_path / "quarter.xlsx")
    (tmp_path / "broken.audit.json").write_text("{}")
    trail = json.loads((tmp_path / "quarter.audit.json").read_text())
    trail["account"]["id"] = "acct_other"
    (tmp_path / "other.audit.json").write_text(json.dumps(trail))
    march = sm.close_month("2026-03", to=tmp_path / "march.xlsx")  # the quarter ends with it, not before it
    assert failed(march) == {}
    assert "The period begins where the one closed before ended" not in set(march["check"])
    unread = march[march["result"] == "unchecked"]
    assert unread["check"].tolist() == ["The audit trail broken.audit.json"]
