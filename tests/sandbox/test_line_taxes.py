"""Taxes of lines that were worked out elsewhere: they add up in the invoice, stand alone, and find their rate
again."""

from __future__ import annotations

import random
from typing import Any

from .conftest import Talk
from .test_random_lives import adds_up


def taxes(*each: tuple[int, int, bool], prefix: str = "") -> dict[str, Any]:
    """`tax_amounts` as a form: amount, taxable amount, inclusive."""
    found: dict[str, Any] = {}
    for place, (amount, taxable, inclusive) in enumerate(each):
        name = f"{prefix}[tax_amounts][{place}]" if prefix else f"tax_amounts[{place}]"
        found |= {
            f"{name}[amount]": amount, f"{name}[taxable_amount]": taxable,
            f"{name}[tax_rate_data][display_name]": "City tax",
            f"{name}[tax_rate_data][percentage]": 7.25, f"{name}[tax_rate_data][inclusive]": inclusive,
        }  # fmt: skip
    return found


def draft(call: Talk, *amounts: int, **params: Any) -> dict[str, Any]:
    who = call("POST /v1/customers", name="T")["id"]
    for amount in amounts:
        call("POST /v1/invoiceitems", customer=who, amount=amount, currency="usd")
    return call("POST /v1/invoices", customer=who, pending_invoice_items_behavior="include", **params)


def test_81_taxes_of_a_line_are_what_was_given(call: Talk) -> None:
    made = draft(call, 1000, 5000)
    path = f"/v1/invoices/{made['id']}"
    one, two = (line["id"] for line in made["lines"]["data"])
    line = call(f"POST {path}/lines/{one}", taxes((77, 900, False), (10, 100, True)))
    assert [(each["amount"], each["taxable_amount"], each["inclusive"]) for each in line["tax_amounts"]] == [
        (77, 900, False),
        (10, 100, True),
    ]
    assert (line["tax_rates"], line["amount_excluding_tax"]) == ([], 990)
    invoice = call(
        f"POST {path}/update_lines", {"lines[0][id]": two, **taxes((362, 5000, False), prefix="lines[0]")}
    )
    assert (invoice["tax"], invoice["total"], invoice["total_excluding_tax"]) == (449, 6439, 5990)
    outside, inside = sorted(invoice["total_tax_amounts"], key=lambda each: each["inclusive"])
    assert (outside["amount"], outside["taxable_amount"], inside["amount"]) == (439, 5900, 10)
    rate = call(f"GET /v1/tax_rates/{outside['tax_rate']}")
    assert (rate["active"], rate["percentage"], rate["display_name"]) == (False, 7.25, "City tax")
    added = call(
        f"POST {path}/add_lines",
        {
            "lines[0][amount]": 200,
            "lines[0][description]": "More",
            **taxes((15, 200, False), prefix="lines[0]"),
        },
    )
    assert added["total"] == 6439 + 215
    assert call(f"POST {path}/lines/{one}", {"tax_amounts": ""})["tax_amounts"] == []
    final = call(f"POST {path}/finalize")
    assert (final["total"], final["tax"]) == (6200 + 362 + 15, 377)
    note = call("POST /v1/credit_notes", invoice=final["id"], **{
        "lines[0][type]": "invoice_line_item", "lines[0][invoice_line_item]": two, "lines[0][amount]": 2500,
    })  # fmt: skip
    assert [each["amount"] for each in note["tax_amounts"]] == [181]


def test_81_taxes_of_a_line_stand_alone(call: Talk) -> None:
    rate = call("POST /v1/tax_rates", display_name="VAT", percentage=19, inclusive=False)["id"]
    alone = taxes((77, 1000, False))
    rated = draft(call, 1000, **{"default_tax_rates[]": rate})
    path = f"POST /v1/invoices/{rated['id']}/lines/{rated['lines']['data'][0]['id']}"
    assert "default_tax_rates" in call.refused(path, alone)["message"]
    assert call(f"GET /v1/invoices/{rated['id']}")["tax"] == 190
    assert call.refused(path, taxes(*[(1, 1, False)] * 11))["param"] == "tax_amounts"
    wrong = {**alone, "tax_amounts[0][tax_rate_data][percentage]": 101}
    assert call.refused(path, wrong)["param"] == "tax_amounts[0][tax_rate_data][percentage]"
    plain = draft(call, 1000)
    call(f"POST /v1/invoices/{plain['id']}/lines/{plain['lines']['data'][0]['id']}", alone)
    assert (
        call.refused(f"POST /v1/invoices/{plain['id']}", {"default_tax_rates[]": rate})["param"]
        == "tax_amounts"
    )
    assert call(f"GET /v1/invoices/{plain['id']}")["total"] == 1077


def test_81_any_taxes_of_any_lines_add_up(call: Talk) -> None:
    chance = random.Random(4)
    for _ in range(15):
        made = draft(call, *(chance.randint(1, 9000) for _ in range(chance.randint(1, 12))))
        lines = call(f"GET /v1/invoices/{made['id']}/lines", limit=100)["data"]
        for line in chance.sample(lines, chance.randint(1, len(lines))):
            given = [
                (chance.randint(0, line["amount"]), line["amount"], chance.random() < 0.4)
                for _ in range(chance.randint(1, 3))
            ]
            call(f"POST /v1/invoices/{made['id']}/lines/{line['id']}", taxes(*given))
        final = call(f"POST /v1/invoices/{made['id']}/finalize")
        adds_up(final, call(f"GET /v1/invoices/{made['id']}/lines", limit=100)["data"])
