"""MRR of the last 30 days by events: what has no invoice line yet counts from its day on, and the history
ends where the subscriptions are now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from each_row import each_row
from finance.fake_account import FakeAccount, connect, discount, invoice, price, recurring, subscription, unix

import stripe_magics as sm
from stripe_magics.errors import StripeMagicsError

NOW = "2026-05-10"
TEAM, SMALL = price("price_1", 10000), price("price_2", 4000)
WAS, IS = [("si_1", TEAM, 1)], [("si_1", SMALL, 1)]


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    sm.close()


def event(day: str, of: dict[str, Any], kind: str = "updated", **more: Any) -> dict[str, Any]:
    made = dict(of)
    if isinstance(made.get("items"), list):
        made["items"] = {"object": "list", "data": made["items"], "has_more": False}
    return {
        "id": f"evt_{day}_{kind}", "object": "event", "type": f"customer.subscription.{kind}",
        "created": unix(day), "api_version": "2025-02-24.acacia", "livemode": False,
        "data": {"object": made, "previous_attributes": {}}, **more,
    }  # fmt: skip


def account(now: dict[str, Any], *events: dict[str, Any], **more: Any) -> FakeAccount:
    """A subscription that was billed 100.00 a month from 1 March to 1 May, and what happened to it since."""
    bills = [
        invoice(
            f"in_{n}", 10000, f"2026-0{n}-01",
            [recurring(f"il_{n}", 10000, f"2026-0{n}-01", f"2026-0{n + 1}-01", of=TEAM)],
        )
        for n in (3, 4, 5)
    ]  # fmt: skip
    made = FakeAccount(now=NOW, invoice=bills, subscription=[now], event=events, **more)
    connect(made)
    return made


def ends(**more: Any) -> list[int]:
    table = sm.report("mrr", start="2026-03-01", end="2026-04-30", **more)
    assert not table["residual"].any()
    return list(table["end"])


@each_row(
    ("now", "events", "april"),
    [
        # a plan change in April that the invoice of May didn't bill yet
        (subscription("sub_1", IS), [event("2026-04-20", subscription("sub_1", IS))], 4000),
        # and one of May: the snapshot of April is as it was
        (subscription("sub_1", IS), [event("2026-05-03", subscription("sub_1", IS))], 10000),
        # changed and changed back: only the end of April counts
        (
            subscription("sub_1", WAS),
            [event("2026-04-20", subscription("sub_1", IS)), event("2026-05-03", subscription("sub_1", WAS))],
            4000,
        ),
        # two in one second: the order of the list decides
        (
            subscription("sub_1", IS, status="active"),
            [
                event("2026-04-20", subscription("sub_1", IS), id="evt_late"),
                event("2026-04-20", subscription("sub_1", IS, status="incomplete"), "created"),
            ],
            4000,
        ),
        (
            subscription("sub_1", WAS, status="unpaid"),
            [event("2026-04-20", subscription("sub_1", WAS, status="unpaid"))],
            0,
        ),
        (
            subscription("sub_1", WAS, status="canceled", ended_at=unix("2026-04-20")),
            [event("2026-04-20", subscription("sub_1", WAS, status="canceled"), "deleted")],
            0,
        ),
        (
            subscription("sub_1", WAS, pause_collection={"behavior": "void", "resumes_at": None}),
            [event("2026-04-20", subscription("sub_1", WAS, pause_collection={"behavior": "void"}))],
            0,
        ),
        # a coupon for ever, spelt out in the event as in the subscription
        (
            subscription("sub_1", WAS, discounts=[discount("di_1", percent_off=20)]),
            [event("2026-04-20", subscription("sub_1", WAS, discounts=[discount("di_1", percent_off=20)]))],
            8000,
        ),
    ],
)
def test_what_has_no_line_counts_from_its_day(
    now: dict[str, Any], events: list[dict[str, Any]], april: int
) -> None:
    fake = account(now, *events)
    assert ends() == [10000, april]
    asked = [params for path, params in fake.asked if path == "/v1/events"]
    assert [each["type"] for each in asked] == ["customer.subscription.*"]
    assert asked[0]["created[gte]"] == str(unix(NOW) - 30 * 86_400)
    assert ends(history="lines") == [10000, 0 if now["ended_at"] else 10000]
    assert sm.report("mrr_bridge").empty
    proofs = sm.report("proofs", month="2026-04")
    assert not proofs.loc[proofs["proof"] == "MRR by history = MRR now", "residual"].any()


def test_the_movements_and_rates_follow() -> None:
    account(subscription("sub_1", IS), event("2026-04-20", subscription("sub_1", IS)))
    moves = sm.report("mrr_movements", month="2026-04")
    assert moves[["label", "change", "mrr"]].to_numpy().tolist() == [["contraction", -6000, 4000]]
    assert sm.report("mrr_rates", month="2026-04")["grr"].tolist() == [0.4]
    assert "events" in str(sm.report("mrr", month="2026-04").attrs["stripe"]["method"])
    assert "events" not in str(sm.report("mrr", month="2026-04", history="lines").attrs["stripe"]["method"])


def test_a_tiered_price_of_before_counts_by_its_tiers() -> None:
    """The event doesn't hold the tiers, and no subscription has that price any more."""
    tiers = [
        {"up_to": 5, "unit_amount": 1000, "flat_amount": None},
        {"up_to": None, "unit_amount": 500, "flat_amount": None},
    ]
    named = price("price_9", 0, billing_scheme="tiered", tiers_mode="graduated")
    named = {**named, "unit_amount": None, "unit_amount_decimal": None}
    account(
        subscription("sub_1", IS),
        event("2026-05-03", subscription("sub_1", IS)),
        event("2026-04-20", subscription("sub_1", [("si_1", named, 7)])),
        price=[{**named, "tiers": tiers}],
    )
    assert ends() == [10000, 6000]


def test_months_before_the_events_need_none() -> None:
    fake = account(subscription("sub_1", WAS))
    sm.report("mrr", month="2026-03")
    assert "/v1/events" not in {path for path, _ in fake.asked}


def test_events_that_end_elsewhere_are_not_believed() -> None:
    """The subscription is back at its old plan, and the event of that is missing."""
    account(subscription("sub_1", WAS), event("2026-04-20", subscription("sub_1", IS)))
    assert ends() == [10000, 10000]
    notes = " ".join(sm.report("mrr", month="2026-04").attrs["stripe"]["notes"])
    assert "Counted by their invoices alone (1), because events are missing: sub_1" in notes


@each_row("clock", ["clock_1", {"id": "clock_1", "object": "test_helpers.test_clock"}])
def test_what_runs_on_a_test_clock_is_left_out(clock: Any) -> None:
    """Its subscription is in no list; its events and invoices are."""
    played = subscription("sub_2", WAS, test_clock=clock)
    bill = invoice(
        "in_9", 10000, "2026-04-01", [recurring("il_9", 10000, "2026-04-01", "2026-05-01", of=TEAM)],
        test_clock="clock_1",
    )  # fmt: skip
    bill["lines"] = [{**each, "subscription": "sub_2", "subscription_item": "si_9"} for each in bill["lines"]]
    fake = account(subscription("sub_1", WAS), event("2026-04-20", played))
    fake.objects["invoice"].append(bill)
    assert ends() == [10000, 10000]
    notes = " ".join(sm.report("mrr", month="2026-04").attrs["stripe"]["notes"])
    assert "events are missing" not in notes
    assert "Left out (1), because they run on test clocks: sub_2." in notes
    assert sm.report("mrr_bridge").empty


def test_events_whose_items_were_cut_are_not_believed() -> None:
    cut = event("2026-04-20", subscription("sub_1", IS))
    cut["data"]["object"]["items"]["has_more"] = True
    account(subscription("sub_1", IS), cut)
    assert ends() == [10000, 10000]


def test_older_events_can_be_given() -> None:
    """Kept events of months ago say more than Stripe still does; JSON text of a query counts alike."""
    fake = account(subscription("sub_1", IS), event("2026-03-20", subscription("sub_1", IS)))
    assert ends() == [10000, 10000]
    fake.asked.clear()
    kept = sm.call("events.list", limit="all")
    assert ends(data={"events": kept}) == [4000, 4000]
    import json

    text = kept.assign(data_object=[json.dumps(dict(each)) for each in kept["data_object"]])
    assert ends(data={"events": text}) == [4000, 4000]


@each_row(
    ("columns", "says"),
    [
        ({"id": ["evt_1"]}, "needs the columns created, data_object of events"),
        ({"id": ["evt_1"], "created": [pd.Timestamp("2026-04-20", tz="UTC")], "data_object": ["{"]}, "evt_1"),
    ],
)
def test_events_that_are_none(columns: dict[str, Any], says: str) -> None:
    account(subscription("sub_1", IS))
    with pytest.raises(StripeMagicsError, match=says):
        sm.report("mrr", month="2026-04", data={"events": pd.DataFrame(columns)})


def test_without_the_right_to_read_events_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from finance import fake_account

    paths = {path: kind for path, kind in fake_account.PATHS.items() if path != "/v1/events"}
    monkeypatch.setattr(fake_account, "PATHS", paths)
    account(subscription("sub_1", IS), event("2026-04-20", subscription("sub_1", IS)))
    assert ends() == [10000, 10000]
    notes = " ".join(sm.report("mrr", month="2026-04").attrs["stripe"]["notes"])
    assert "Without events of subscriptions" in notes
