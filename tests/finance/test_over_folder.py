"""Reports over the project's own mirrors and pulls: the same figures as over the account, without any
conversion."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import stripe_magics as sm
from stripe_magics.bulk import mirror_storage
from stripe_magics.errors import UsageFault
from stripe_magics.finance import MissingData
from stripe_magics.finance.nested_lists import nested_lists

SEPTEMBER = {"month": "2026-09"}
LISTS = [
    "balance_transactions",
    "charges",
    "refunds",
    "disputes",
    "invoices",
    "subscriptions",
    "payouts",
    "customers",
]
NAMES = ["balance_activity", "fees", "volume", "daily_balance", "mrr", "mrr_customers", "revenue_schedule",
         "deferred_revenue", "tax_collected",
         "ar_ageing", "dso", "collections", "refund_rate", "dispute_rate", "customer_value", "cohorts",
         "failed_payments", "payout_status"]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    sm.connect(sandbox=True)
    place = tmp_path_factory.mktemp("mirror") / "m"
    sm.sync(place, *LISTS)
    yield place
    sm.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_mirror_gives_what_the_account_gives(folder: Path, name: str) -> None:
    mirrored, own = sm.report(name, **SEPTEMBER, over=folder), sm.report(name, **SEPTEMBER)
    assert len(own)
    assert mirrored.attrs["stripe"]["complete"]
    pd.testing.assert_frame_equal(mirrored, own, check_dtype=False)


def test_a_pull_folder_is_read_as_it_is(tmp_path: Path) -> None:
    sm.call("balance.list_history", limit="all", to=str(tmp_path / "ledger"))
    pulled = sm.report("fees", **SEPTEMBER, over=tmp_path / "ledger")
    pd.testing.assert_frame_equal(pulled, sm.report("fees", **SEPTEMBER), check_dtype=False)


def test_changed_rows_count_once_and_an_unfinished_pull_is_partial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # changes stand beside the rows that they replace
    monkeypatch.setattr(mirror_storage, "MAX_REWRITE_ROWS", 0)
    sm.connect(sandbox=True)
    place = tmp_path / "m"
    sm.sync(place, "invoices")
    still_open = sm.call("invoices.search", query="status:'open'", limit=2)["id"]
    for each in still_open:
        sm.call("invoices.void", invoice=each)
    sm.sync(place, "invoices")
    assert list(place.glob("invoices/_changes/*.changes"))
    mirrored, own = sm.report("ar_ageing", over=place), sm.report("ar_ageing")
    assert mirrored.attrs["stripe"]["rows_read"] == own.attrs["stripe"]["rows_read"]
    pd.testing.assert_frame_equal(mirrored, own, check_dtype=False)
    manifest = place / "invoices" / "_manifest.json"
    manifest.write_text(manifest.read_text().replace('"complete": true', '"complete": false'))
    assert sm.report("ar_ageing", over=place).attrs["stripe"]["complete"] is False


def test_rows_of_a_query_are_opened_too(folder: Path) -> None:
    rows = sm.sql("select * from invoices", target=folder)
    assert rows["lines"].map(type).eq(str).all(), "a query gives lists as JSON text"
    made = sm.report("mrr", **SEPTEMBER, data={"invoices": rows})
    assert made["end"].tolist() == sm.report("mrr", **SEPTEMBER)["end"].tolist()


def test_facts_that_only_later_rows_have_are_read_from_text() -> None:
    """One API version has some objects in its lines, another one others; a list may hold both."""
    early = '[{"id": "il_%d", "amount": 1, "period": {"start": 1, "end": 2}, "plan": null}]'
    late = (
        '[{"id": "il_late", "amount": 7, "taxes": [{"amount": 3, "tax_behavior": "inclusive"}],\n'
        ' "parent": {"subscription_item_details": {"subscription": "sub_1"}},'
        ' "plan": {"id": "plan_1", "interval": "month"}}]'
    )
    texts = pd.Series([early % each for each in range(3000)] + [late, "[]", "null"], dtype="str")
    read = nested_lists(texts, "lines")
    assert len(read) == 3001
    assert read.row[-1] == 3000
    assert read.get("plan", "interval").to_pylist()[-2:] == [None, "month"]
    assert read.get("parent", "subscription_item_details", "subscription").to_pylist()[-1] == "sub_1"
    assert read.inner("taxes").ints("amount").tolist() == [3]
    assert read.ints("amount").sum() == 3007


def test_what_a_folder_lacks_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="doesn't say which payout"):
        sm.report("payout_items", **SEPTEMBER, over=folder)
    with pytest.raises(UsageFault, match="no list"):
        sm.report("fees", **SEPTEMBER, over=tmp_path)
    sm.call("payouts.list", limit="all", to=str(tmp_path / "payouts"))
    with pytest.raises(MissingData, match="has no transactions"):
        sm.report("fees", **SEPTEMBER, over=tmp_path / "payouts")


def test_a_month_is_closed_over_a_mirror_and_what_needs_the_account_is_said(folder: Path) -> None:
    with pytest.raises(UsageFault, match="a folder or data without a balance"):
        sm.report("balance_summary", **SEPTEMBER, over=folder, prove=True)
    closed = sm.close_month("2026-09", over=folder)
    assert not closed["result"].eq("failed").any()
    left = closed[closed["result"] == "unchecked"]
    assert set(left["check"]) == {
        "Report payout_reconciliation",
        "activity by category = what the balance says moved it",
        "closing of the last day = balance at the end",
        "start + activity + payouts = end",
    }
    assert "give data={'items': ...}" in left["action"].iloc[0]


def test_tiers_that_a_mirror_lacks_are_said(folder: Path) -> None:
    made = sm.report("mrr_now", over=folder)
    assert "Not counted, because the tiers of price_" in " ".join(made.attrs["stripe"]["notes"])


def test_text_where_lists_are_needed_is_refused() -> None:
    rows = sm.call("invoices.list", limit=20).assign(lines="twelve lines")
    with pytest.raises(MissingData, match="text where lists are needed"):
        sm.report("revenue_schedule", data={"invoices": rows})
    with pytest.raises(UsageFault, match="no list 'invoice'"):
        sm.report("mrr", data={"invoice": rows})
