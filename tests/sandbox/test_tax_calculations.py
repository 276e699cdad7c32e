"""Tax calculations: what they say is what an invoice with automatic tax comes to."""

from __future__ import annotations

import random
from typing import Any

from stripe_magics.sandbox import SandboxTransport, snapshot

from .conftest import DAY, Talk

PATH = "/v1/tax/calculations"


def at(country: str, **more: str) -> dict[str, Any]:
    parts = {"country": country, **more}
    return {
        **{f"customer_details[address][{name}]": value for name, value in parts.items()},
        "customer_details[address_source]": "billing",
    }


def lines(*amounts: int, behavior: str = "exclusive") -> dict[str, Any]:
    return {
        f"line_items[{place}][{name}]": value
        for place, amount in enumerate(amounts)
        for name, value in (("amount", amount), ("tax_behavior", behavior))
    }


def test_81_a_calculation(call: Talk) -> None:
    made = call(f"POST {PATH}", currency="eur", **at("DE", city="Berlin"), **lines(1000, 2599), **{
        "line_items[0][reference]": "shoes", "line_items[0][quantity]": 2, "shipping_cost[amount]": 500,
        "expand[]": ["line_items"],
    })  # fmt: skip
    assert (made["amount_total"], made["tax_amount_exclusive"], made["tax_amount_inclusive"]) == (
        4099 + 190 + 494 + 95,
        779,
        0,
    )
    one, two = made["line_items"]["data"]
    assert (one["reference"], one["quantity"], two["reference"], two["amount_tax"]) == ("shoes", 2, "L2", 494)
    (part,) = one["tax_breakdown"]
    assert (part["taxability_reason"], part["tax_rate_details"]) == (
        "standard_rated",
        {"display_name": "VAT", "percentage_decimal": "19", "tax_type": "vat"},
    )
    assert (made["shipping_cost"]["amount_tax"], made["tax_breakdown"][0]["taxable_amount"]) == (95, 4099)
    again = call(f"GET {PATH}/{made['id']}")
    assert "line_items" not in again
    assert call(f"GET {PATH}/{made['id']}/line_items", limit=1)["data"] == [one]
    copy = SandboxTransport(demo=False)
    copy.account = snapshot.restore(snapshot.dump(call.transport.account))
    assert Talk(copy)(f"GET {PATH}/{made['id']}/line_items")["data"] == [one, two]
    call.transport.advance(91 * DAY)
    assert "expired" in call.refused(f"GET {PATH}/{made['id']}")["message"]


def test_81_where_nothing_is_due(call: Talk) -> None:
    number = {
        "customer_details[tax_ids][0][type]": "eu_vat",
        "customer_details[tax_ids][0][value]": "DE123456789",
    }
    for reason, more in [
        ("reverse_charge", {**at("DE"), **number}),
        ("customer_exempt", {**at("DE"), "customer_details[taxability_override]": "customer_exempt"}),
        ("not_collecting", at("BR")),
        ("product_exempt", {**at("DE"), "line_items[0][tax_code]": "txcd_00000000"}),
    ]:
        made = call(f"POST {PATH}", {"currency": "eur", **lines(1000), **more})
        assert (made["amount_total"], made["tax_breakdown"][0]["taxability_reason"]) == (1000, reason)


def test_81_what_is_refused(call: Talk) -> None:
    basic = {"currency": "usd", **lines(1000)}
    where = at("DE")
    for given, param in [
        (basic, "customer_details"),
        ({**basic, **at("US")}, "customer_details[address]"),
        ({**basic, "customer_details[address][country]": "DE"}, "customer_details[address_source]"),
        ({**basic, "customer": call("POST /v1/customers")["id"]}, "customer"),
        ({**basic, **where, "customer": "cus_none"}, "customer_details"),
        ({**basic, **where, "line_items[0][quantity]": 0}, "line_items[0][quantity]"),
        ({**basic, **where, "line_items[0][product]": "prod_none"}, "line_items[0][product]"),
        ({**basic, **where, **lines(1, 2), "line_items[0][reference]": "L2"}, "line_items[1][reference]"),
        ({**basic, **where, "shipping_cost[tax_behavior]": "inclusive"}, "shipping_cost[amount]"),
        ({**basic, **where, "currency": "zzz"}, "currency"),
    ]:
        assert call.refused(f"POST {PATH}", given)["param"] == param


def test_81_an_invoice_with_automatic_tax_is_the_same(call: Talk) -> None:
    chance = random.Random(3)
    for _ in range(12):
        country = chance.choice(["DE", "FI", "GB", "US", "BR", "CH"])
        amounts = [chance.randint(50, 99_999) for _ in range(chance.randint(1, 4))]
        behavior = chance.choice(["exclusive", "inclusive"])
        where = {"address[country]": country, **({"address[state]": "NJ"} if country == "US" else {})}
        who = call("POST /v1/customers", where)["id"]
        for amount in amounts:
            product = {
                "price_data[currency]": "usd",
                "price_data[product]": call("POST /v1/products", name="P")["id"],
            }
            call("POST /v1/invoiceitems", customer=who, **product,
                 **{"price_data[unit_amount]": amount, "price_data[tax_behavior]": behavior})  # fmt: skip
        invoice = call("POST /v1/invoices", customer=who, pending_invoice_items_behavior="include",
                       **{"automatic_tax[enabled]": True})  # fmt: skip
        made = call(f"POST {PATH}", currency="usd", customer=who, **lines(*amounts, behavior=behavior))
        assert made["amount_total"] == invoice["total"]
        assert made["tax_amount_exclusive"] + made["tax_amount_inclusive"] == (invoice["tax"] or 0)
        assert made["customer_details"]["address"]["country"] == country
