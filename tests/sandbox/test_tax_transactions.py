"""Tax transactions: equal to their calculation, reversed in full, by line, by a flat amount, never beyond."""

from __future__ import annotations

import random
from typing import Any

import pytest

from stripe_magics.sandbox.api.versions import NEWER

from .conftest import DAY, Talk

CREATE, REVERSE = (f"POST /v1/tax/transactions/create_{of}" for of in ("from_calculation", "reversal"))
WITH_LINES = {"expand[]": "line_items"}


def calculation(call: Talk, *amounts: int, behavior: str = "exclusive", shipping: int = 0) -> dict[str, Any]:
    lines = {
        f"line_items[{place}][{name}]": value
        for place, amount in enumerate(amounts)
        for name, value in (("amount", amount), ("tax_behavior", behavior))
    }
    where = {"customer_details[address][country]": "DE", "customer_details[address_source]": "billing"}
    more = {"shipping_cost[amount]": shipping} if shipping else {}
    return call("POST /v1/tax/calculations", {"currency": "eur", **where, **lines, **more})


def transaction(call: Talk, made: dict[str, Any], reference: str = "order 1", **more: Any) -> dict[str, Any]:
    return call(CREATE, {"calculation": made["id"], "reference": reference, **WITH_LINES, **more})


def sums(of: dict[str, Any]) -> tuple[int, int]:
    parts = [*of["line_items"]["data"], *([of["shipping_cost"]] if of["shipping_cost"] else [])]
    return sum(each["amount"] for each in parts), sum(each["amount_tax"] for each in parts)


def test_transaction_says_what_its_calculation_said(call: Talk) -> None:
    made = calculation(call, 1000, 2599, shipping=500)
    booked = transaction(call, made, posted_at=1793000000, **{"metadata[a]": "b"})
    amount, tax = sums(booked)
    assert (amount + tax, tax) == (made["amount_total"], made["tax_amount_exclusive"])
    assert (booked["type"], booked["reversal"], booked["reference"]) == ("transaction", None, "order 1")
    assert (booked["posted_at"], booked["metadata"]) == (1793000000, {"a": "b"})
    assert booked["customer_details"] == made["customer_details"]
    one = booked["line_items"]["data"][1]
    assert (one["type"], one["reference"], one["metadata"]) == ("transaction", "L2", {})
    read = call(f"GET /v1/tax/transactions/{booked['id']}")
    assert "line_items" not in read
    listed = call(f"GET /v1/tax/transactions/{booked['id']}/line_items", limit=1)
    assert (listed["has_more"], listed["data"]) == (True, booked["line_items"]["data"][:1])
    newer = call.raw(f"GET /v1/tax/transactions/{booked['id']}", headers={"Stripe-Version": NEWER}).json()
    assert newer == read


def test_what_is_refused(call: Talk) -> None:
    made = calculation(call, 1000)
    transaction(call, made)
    error = call.refused(CREATE, calculation=made["id"], reference="order 1")
    assert (error["status"], error["param"]) == (400, "reference")
    error = call.refused(CREATE, calculation="taxcalc_x", reference="order 2")
    assert (error["status"], error["code"], error["param"]) == (400, "resource_missing", "calculation")
    call.transport.advance(91 * DAY)
    error = call.refused(CREATE, calculation=made["id"], reference="order 2")
    assert (error["param"], "expired" in error["message"]) == ("calculation", True)


def test_full_reversal(call: Talk) -> None:
    booked = transaction(call, calculation(call, 1000, 300, shipping=200))
    params = {"mode": "full", "original_transaction": booked["id"], "reference": "refund 1", **WITH_LINES}
    back = call(REVERSE, params)
    assert sums(back) == tuple(-each for each in sums(booked))
    assert (back["type"], back["reversal"]) == ("reversal", {"original_transaction": booked["id"]})
    assert back["shipping_cost"]["amount"] == -200
    line = back["line_items"]["data"][0]
    assert line["reversal"] == {"original_line_item": booked["line_items"]["data"][0]["id"]}
    error = call.refused(REVERSE, {**params, "reference": "refund 2"})
    assert error["param"] == "original_transaction"
    error = call.refused(REVERSE, {**params, "reference": "refund 2", "flat_amount": -5})
    assert error["param"] == "flat_amount"


def test_reversal_by_line(call: Talk) -> None:
    booked = transaction(call, calculation(call, 1000, 300, shipping=200))
    one, two = (each["id"] for each in booked["line_items"]["data"])
    params = {
        "mode": "partial", "original_transaction": booked["id"], "reference": "r1", **WITH_LINES,
        "line_items[0][original_line_item]": one, "line_items[0][reference]": "back",
        "line_items[0][amount]": -400, "line_items[0][amount_tax]": -76, "line_items[0][quantity]": 1,
        "line_items[0][metadata][why]": "broken",
    }  # fmt: skip
    for given, param in [
        ({"line_items[0][amount]": 400}, "line_items[0][amount]"),
        ({"line_items[0][amount]": -1001}, "line_items[0][amount]"),
        ({"line_items[0][amount_tax]": -191}, "line_items[0][amount_tax]"),
        ({"line_items[0][original_line_item]": "tax_li_x"}, "line_items[0][original_line_item]"),
        ({"shipping_cost[amount]": -201, "shipping_cost[amount_tax]": 0}, "shipping_cost[amount]"),
        ({"flat_amount": -5}, "line_items"),
    ]:
        assert call.refused(REVERSE, {**params, **given})["param"] == param
    made = call(REVERSE, params)
    (line,) = made["line_items"]["data"]
    assert (line["amount"], line["amount_tax"], line["reference"]) == (-400, -76, "back")
    assert (line["metadata"], line["reversal"], made["shipping_cost"]) == (
        {"why": "broken"},
        {"original_line_item": one},
        None,
    )
    error = call.refused(REVERSE, {**params, "reference": "r2", "line_items[0][amount]": -601})
    assert error["param"] == "line_items[0][amount]"
    rest = {"mode": "full", "original_transaction": booked["id"], "reference": "r3", **WITH_LINES}
    left = call(REVERSE, rest)
    amounts = [
        (each["reversal"]["original_line_item"], each["amount"]) for each in left["line_items"]["data"]
    ]
    assert amounts == [(one, -600), (two, -300)]
    bare = {"mode": "partial", "original_transaction": booked["id"], "reference": "r4"}
    assert call.refused(REVERSE, bare)["param"] == "original_transaction"


def test_reversal_that_was_a_mistake(call: Talk) -> None:
    booked = transaction(call, calculation(call, 1000))
    params = {"mode": "partial", "original_transaction": booked["id"], "flat_amount": -595, **WITH_LINES}
    part = call(REVERSE, {**params, "reference": "r1"})
    assert sums(part) == (-500, -95)
    undo = {"mode": "full", "original_transaction": part["id"], **WITH_LINES}
    assert call.refused(REVERSE, {**undo, "mode": "partial", "reference": "u"})["param"] == "mode"
    undone = call(REVERSE, {**undo, "reference": "u"})
    assert sums(undone) == (500, 95)
    assert call.refused(REVERSE, {**undo, "reference": "u2"})["param"] == "original_transaction"
    again = {**undo, "original_transaction": undone["id"], "reference": "u3"}
    assert call.refused(REVERSE, again)["param"] == "original_transaction"
    whole = {"mode": "full", "original_transaction": booked["id"], "reference": "r2", **WITH_LINES}
    assert sums(call(REVERSE, whole)) == (-1000, -190)


@pytest.mark.parametrize("behavior", ["exclusive", "inclusive"])
@pytest.mark.parametrize("seed", range(3))
def test_reversals_never_come_to_more(call: Talk, seed: int, behavior: str) -> None:
    """Flat amounts of any size: each reversal comes to its amount, each line to no more than its own."""
    draw = random.Random(seed)
    for number in range(4):
        amounts = [draw.choice([1, 7, 99, 1000, 12345]) for _ in range(draw.randint(1, 5))]
        shipping = draw.choice([0, 3, 499])
        made = calculation(call, *amounts, behavior=behavior, shipping=shipping)
        booked = transaction(call, made, f"order {number}")
        left = {each["id"]: [each["amount"], each["amount_tax"]] for each in booked["line_items"]["data"]}
        due = made["amount_total"]
        for step in range(12):
            amount = draw.choice([1, 2, 50, 333, 5000, due])
            params = {
                "mode": "partial", "original_transaction": booked["id"], "flat_amount": -amount,
                "reference": f"{number}-{step}", **WITH_LINES,
            }  # fmt: skip
            if amount > due or not due:
                assert call.refused(REVERSE, params)["status"] == 400
                continue
            back = call(REVERSE, params)
            net, tax = sums(back)
            shipped = (back["shipping_cost"] or {}).get("amount_tax", 0)
            outside = tax if behavior == "exclusive" else shipped
            assert net + outside == -amount
            due -= amount
            for line in back["line_items"]["data"]:
                own = left[line["reversal"]["original_line_item"]]
                own[0] += line["amount"]
                own[1] += line["amount_tax"]
                assert min(own) >= 0
