"""Of which account and of which time a report's lists are: two accounts in one report, ends that are still to
come, money that came back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from finance.fake_account import FakeAccount, charge, connect, invoice, payout, transaction

import stripe_magics as sm
from stripe_magics.client.shared_connection import connect as connect_to
from stripe_magics.errors import UsageFault
from stripe_magics.frames.frame_info import FrameInfo


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    sm.close()


def of_key(patch: pytest.MonkeyPatch, letter: str) -> None:
    """Connect with a key of an account of its own."""
    patch.setenv("A_KEY", "sk_test_51" + letter * 40)
    rows = [transaction("t1", "charge", 1000, 30, "2026-03-10", source="ch_1")]
    connect_to(env="A_KEY", transport=FakeAccount(charge=[charge("ch_1", 1000)], balance_transaction=rows))


def test_lists_of_two_accounts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    of_key(monkeypatch, "A")
    own = {"transactions": sm.call("balance.list_history"), "charges": sm.call("charges.list")}
    named, live = own["charges"].copy(), own["charges"].copy()
    FrameInfo.of(named).replace(account="acct_2").put(named)
    FrameInfo.of(live).replace(mode="live").put(live)
    of_key(monkeypatch, "B")
    others = [named, live, sm.call("charges.list")]
    of_key(monkeypatch, "A")
    assert not sm.report("failed_payments", month="2026-03", data=own).attrs["stripe"]["notes"][1:]
    for other in others:
        with pytest.raises(UsageFault, match="of two accounts: transactions and charges"):
            sm.report("proofs", month="2026-03", data=own | {"charges": other})


def test_what_data_lacks_is_not_read_from_another_account(monkeypatch: pytest.MonkeyPatch) -> None:
    of_key(monkeypatch, "A")
    given = {"transactions": sm.call("balance.list_history")}
    assert len(sm.report("customer_value", month="2026-03", data=given)) == 1
    of_key(monkeypatch, "B")
    with pytest.raises(UsageFault, match="of two accounts: transactions and charges"):
        sm.report("customer_value", month="2026-03", data=given)


def test_an_end_to_come_is_said_and_a_month_to_come_refused() -> None:
    account = FakeAccount(invoice=[invoice("in_1", 1000, "2026-03-01")], now="2026-04-10 09:00")
    connect(account)
    for given in ({"month": "2026-04"}, {"end": "2026-06-30"}):
        made = sm.report("ar_ageing", **given)
        assert any(
            each.startswith("The end is still to come: this is what was known at 2026-04-10 09:00")
            for each in made.attrs["stripe"]["notes"]
        )
    assert not any("to come" in each for each in sm.report("ar_ageing").attrs["stripe"]["notes"])
    for name in ("ar_ageing", "cash_forecast", "dso"):
        with pytest.raises(UsageFault, match="lies in the future"):
            sm.report(name, month="2026-05")


def test_a_forecast_from_an_earlier_day_says_what_is_of_now() -> None:
    connect(FakeAccount(balance_transaction=[transaction("t1", "charge", 1000)], now="2026-04-10"))
    said = "Pending funds and the balance are those of now"
    for given, expected in (({}, False), ({"month": "2026-02"}, True)):
        notes = sm.report("cash_forecast", **given).attrs["stripe"]["notes"]
        assert any(said in each for each in notes) is expected


def test_payouts_that_came_back_are_named_where_they_are_counted() -> None:
    paid = [payout("po_1", 970, "2026-03-10"), payout("po_2", 500, "2026-03-12", status="failed")]
    rows = [transaction("t1", "charge", 1000, 30), transaction("t2", "payout_failure", 500, source="po_2")]
    connect(FakeAccount(payout=paid, balance_transaction=rows))
    notes = sm.report("payout_reconciliation", month="2026-03").attrs["stripe"]["notes"]
    said = next(each for each in notes if "failed" in each)
    assert "their money is back in the balance: po_2." in said
    assert sm.report("payout_status", month="2026-03")["net"].sum() == 970
