"""Tax settings and registrations, and what they do to automatic tax."""

from __future__ import annotations

from typing import Any

import pytest

from stripe_magics.sandbox import SandboxTransport

from .conftest import DAY, Talk

PATH = "/v1/tax/registrations"
OSS = {"active_from": "now", "country": "DE", "country_options[de][type]": "oss_union"}
CALIFORNIA = {"active_from": "now", "country": "US", "country_options[us][type]": "state_sales_tax",
              "country_options[us][state]": "CA"}  # fmt: skip


def tax(call: Talk, country: str = "DE", currency: str = "eur", **params: Any) -> tuple[int, str]:
    """(tax on 100.00, why) for a customer there."""
    made = call(
        "POST /v1/tax/calculations", currency=currency,
        **{"line_items[0][amount]": 10000, "customer_details[address][country]": country,
            "customer_details[address_source]": "billing", **params},
    )  # fmt: skip
    [part] = made["tax_breakdown"]
    return part["amount"], part["taxability_reason"]


def invoiced(call: Talk, country: str = "DE", currency: str = "eur") -> tuple[int, int]:
    """(total, tax) of 100.00 on an invoice with automatic tax."""
    who = call("POST /v1/customers", **{"address[country]": country})["id"]
    invoice = call("POST /v1/invoices", customer=who, currency=currency, **{"automatic_tax[enabled]": "true"})
    call("POST /v1/invoiceitems", customer=who, amount=10000, currency=currency, invoice=invoice["id"])
    shown = call(f"GET /v1/invoices/{invoice['id']}")
    return shown["total"], shown["tax"] or 0


def test_tax_is_collected_where_the_account_is_registered(call: Talk, sandbox: SandboxTransport) -> None:
    assert tax(call) == (1900, "standard_rated") and invoiced(call) == (11900, 1900)
    made = call(f"POST {PATH}", **CALIFORNIA)
    assert made["status"] == "active" and made["country_options"]["us"]["state"] == "CA"
    assert tax(call) == (0, "not_collecting") and invoiced(call) == (10000, 0)
    state = {"customer_details[address][state]": "CA"}
    assert tax(call, "US", "usd", **state) == (725, "standard_rated")
    assert tax(call, "US", "usd", **{"customer_details[address][state]": "NY"})[0] == 0
    shop = call(f"POST {PATH}", **OSS)
    assert tax(call)[0] == 1900 and tax(call, "FR")[0] == 2000 and tax(call, "GB", "gbp")[0] == 0
    call(f"POST {PATH}/{shop['id']}", expires_at="now")
    assert tax(call)[0] == 0
    assert [each["id"] for each in call(f"GET {PATH}", status="expired")["data"]] == [shop["id"]]
    later = call(f"POST {PATH}", active_from=sandbox.now + DAY, country="GB",
                 **{"country_options[gb][type]": "standard"})  # fmt: skip
    assert (later["status"], tax(call, "GB", "gbp")[0]) == ("scheduled", 0)
    sandbox.advance(DAY)
    assert call(f"GET {PATH}/{later['id']}")["status"] == "active"
    assert tax(call, "GB", "gbp")[0] == 2000
    assert len(call(f"GET {PATH}", status="all")["data"]) == 3


def test_the_settings_say_whether_tax_stands_within_the_price(call: Talk) -> None:
    assert call("GET /v1/tax/settings")["head_office"]["address"]["country"] == "US"
    changed = call("POST /v1/tax/settings", **{"defaults[tax_behavior]": "inferred_by_currency",
                   "head_office[address][country]": "DE", "defaults[tax_code]": "txcd_00000000"})  # fmt: skip
    assert changed["defaults"] == {"tax_behavior": "inferred_by_currency", "tax_code": "txcd_00000000"}
    assert (changed["status"], changed["head_office"]["address"]["country"]) == ("active", "DE")
    assert tax(call) == (0, "product_exempt")
    call("POST /v1/tax/settings", **{"defaults[tax_code]": "txcd_10000000"})
    assert tax(call)[0] == 1597 and invoiced(call) == (10000, 1597)
    assert tax(call, currency="usd")[0] == 1900 and invoiced(call, currency="usd") == (11900, 1900)
    assert tax(call, **{"line_items[0][tax_behavior]": "exclusive"})[0] == 1900
    assert call.types(type="tax.settings.updated") == ["tax.settings.updated"] * 2


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({**OSS, "country_options[de][type]": "everywhere"}, "country_options[de][type]"),
        ({**OSS, "country": "FR"}, "country_options"),
        ({**OSS, "active_from": 1}, "active_from"),
        ({**OSS, "expires_at": 1}, "expires_at"),
        ({"active_from": "now", "country": "DE"}, "country_options"),
        ({**CALIFORNIA, "country_options[us][state]": ""}, "country_options[us][state]"),
    ],
)
def test_what_is_wrong_is_refused(call: Talk, params: dict[str, Any], param: str) -> None:
    error = call.refused(f"POST {PATH}", **params)
    assert (error["status"], error["param"]) == (400, param)
    assert call.refused(f"GET {PATH}/taxreg_none")["status"] == 404
    assert call.refused("POST /v1/tax/settings", **{"head_office[address][city]": "x"})["status"] == 400


def test_tax_codes_are_listed_and_found(call: Talk) -> None:
    codes = call("GET /v1/tax_codes")["data"]
    assert {each["object"] for each in codes} == {"tax_code"}
    default = call("GET /v1/tax/settings")["defaults"]["tax_code"]
    assert call(f"GET /v1/tax_codes/{default}") in codes
    after = call("GET /v1/tax_codes", limit=2, starting_after=codes[0]["id"])
    assert [each["id"] for each in after["data"]] == [each["id"] for each in codes[1:3]]
    assert call.refused("GET /v1/tax_codes/txcd_12345678")["status"] == 404
