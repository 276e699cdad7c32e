"""What payments were made of before payment methods, and what a browser makes for a server: tokens, sources,
confirmation tokens, customer sessions."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import DAY, Talk

CARD = {
    "card[number]": "4000056655665556",
    "card[exp_month]": 7,
    "card[exp_year]": 2031,
    "card[cvc]": "123",
    "card[name]": "Jenny",
}
BANK = {
    "bank_account[country]": "US", "bank_account[currency]": "usd",
    "bank_account[account_number]": "000123456789",
    "bank_account[routing_number]": "110000000",
}  # fmt: skip


def test_a_token_is_used_once(call: Talk) -> None:
    token = call("POST /v1/tokens", CARD)
    assert (token["type"], token["used"], token["card"]["last4"], token["card"]["name"]) == (
        "card",
        False,
        "5556",
        "Jenny",
    )
    assert "4000056655665556" not in str(token)
    customer = call("POST /v1/customers", source=token["id"])
    card = call(f"GET /v1/customers/{customer['id']}/sources/{customer['default_source']}")
    assert (card["exp_month"], card["exp_year"], card["name"]) == (7, 2031, "Jenny")
    assert call(f"GET /v1/tokens/{token['id']}")["used"] is True
    again = call.refused("POST /v1/charges", amount=500, currency="usd", source=token["id"])
    assert again["code"] == "token_already_used"
    other = call("POST /v1/tokens", CARD)["id"]
    method = call("POST /v1/payment_methods", type="card", **{"card[token]": other})
    assert (method["card"]["last4"], method["card"]["exp_year"]) == ("5556", 2031)
    declining = call("POST /v1/tokens", {**CARD, "card[number]": "4000000000000002"})["id"]
    assert (
        call.refused("POST /v1/charges", amount=500, currency="usd", source=declining)["code"]
        == "card_declined"
    )
    assert (
        call.refused("POST /v1/tokens", {**CARD, "card[number]": "4111111111111112"})["code"]
        == "incorrect_number"
    )
    assert call.refused("POST /v1/tokens")["status"] == 400
    assert (
        call.refused("POST /v1/charges", amount=500, currency="usd", source="tok_none")["code"]
        == "resource_missing"
    )
    assert call("POST /v1/tokens", {"pii[id_number]": "000000000"})["type"] == "pii"


def test_a_refused_call_leaves_its_token_unused(call: Talk) -> None:
    token = call("POST /v1/tokens", CARD)["id"]
    call.refused("POST /v1/charges", amount=500, currency="usd", source=token, statement_descriptor="<>")
    assert call(f"GET /v1/tokens/{token}")["used"] is False


def test_a_bank_account_is_verified_by_two_amounts(call: Talk) -> None:
    token = call("POST /v1/tokens", BANK)
    assert token["id"].startswith("btok_")
    customer = call("POST /v1/customers")["id"]
    path = f"/v1/customers/{customer}/sources"
    bank = call(f"POST {path}", source=token["id"])
    assert (bank["object"], bank["status"], bank["customer"]) == ("bank_account", "new", customer)
    assert (
        call.refused(f"POST {path}/{bank['id']}/verify", **{"amounts[]": [1, 2]})["code"]
        == "incorrect_amounts"
    )
    assert call(f"GET {path}/{bank['id']}")["status"] == "verification_failed"
    assert call(f"POST {path}/{bank['id']}/verify", **{"amounts[]": [32, 45]})["status"] == "verified"
    assert call(f"POST {path}/{bank['id']}", account_holder_name="J")["account_holder_name"] == "J"
    assert bank["id"] not in [each["id"] for each in call("GET /v1/account")["external_accounts"]["data"]]
    assert call(f"DELETE {path}/{bank['id']}")["deleted"] is True
    account = call("GET /v1/account")["id"]
    mine = call(
        f"POST /v1/accounts/{account}/external_accounts", external_account=call("POST /v1/tokens", BANK)["id"]
    )
    assert (mine["object"], mine["account"]) == ("bank_account", account)


def test_cards_of_a_customer_change(call: Talk) -> None:
    customer = call("POST /v1/customers", source="tok_visa")
    path = f"/v1/customers/{customer['id']}/sources/{customer['default_source']}"
    changed = call(
        f"POST {path}", exp_month="3", exp_year="2040", address_city="Bonn", **{"metadata[a]": "b"}
    )
    assert (changed["exp_month"], changed["address_city"], changed["metadata"]) == (3, "Bonn", {"a": "b"})
    assert call.refused(f"POST {path}", account_holder_name="J")["param"] == "account_holder_name"
    assert "customer.source.updated" in call.types()


def test_a_source_is_charged(call: Talk) -> None:
    source = call(
        "POST /v1/sources", type="card", token="tok_mastercard", **{"owner[email]": "j@example.com"}
    )
    assert (source["status"], source["card"]["brand"], source["owner"]["email"]) == (
        "chargeable",
        "mastercard",
        "j@example.com",
    )
    charge = call("POST /v1/charges", amount=700, currency="usd", source=source["id"])
    assert charge["payment_method_details"]["card"]["last4"] == "4444"
    assert call(f"GET /v1/sources/{source['id']}")["status"] == "consumed"
    assert (
        call.refused("POST /v1/charges", amount=700, currency="usd", source=source["id"])["code"]
        == "source_not_chargeable"
    )
    customer = call("POST /v1/customers")["id"]
    kept = call("POST /v1/sources", type="card", token="tok_visa")["id"]
    call(f"POST /v1/customers/{customer}/sources", source=kept)
    for _ in range(2):
        assert call("POST /v1/charges", amount=700, currency="usd", customer=customer)["paid"]
    call(f"DELETE /v1/customers/{customer}/sources/{kept}")
    assert call(f"GET /v1/sources/{kept}")["status"] == "consumed"


def test_a_source_that_sends_the_payer_away(call: Talk) -> None:
    given = {
        "type": "ideal",
        "amount": 900,
        "currency": "eur",
        "redirect[return_url]": "https://example.com/b",
    }
    source = call("POST /v1/sources", given)
    assert (source["status"], source["flow"], source["redirect"]["status"]) == (
        "pending",
        "redirect",
        "pending",
    )
    assert (
        call.refused("POST /v1/charges", amount=900, currency="eur", source=source["id"])["code"]
        == "source_not_chargeable"
    )
    assert call(f"POST /v1/test_helpers/sources/{source['id']}/authorize")["status"] == "chargeable"
    assert call("POST /v1/charges", amount=900, currency="eur", source=source["id"])["paid"]
    failed = call("POST /v1/sources", given)["id"]
    assert call(f"POST /v1/test_helpers/sources/{failed}/authorize", outcome="fail")["status"] == "failed"
    assert call.refused("POST /v1/sources", {**given, "currency": "usd"})["param"] == "currency"


def test_a_confirmation_token_confirms_one_intent(call: Talk) -> None:
    token = call(
        "POST /v1/test_helpers/confirmation_tokens", payment_method="pm_card_visa",
        return_url="https://example.com/b",
        setup_future_usage="off_session", **{"shipping[name]": "J", "shipping[address][line1]": "x"},
    )  # fmt: skip
    assert token["payment_method_preview"]["card"]["last4"] == "4242"
    assert call(f"GET /v1/confirmation_tokens/{token['id']}") == token
    customer = call("POST /v1/customers")["id"]
    intent = call("POST /v1/payment_intents", amount=900, currency="usd", customer=customer)["id"]
    paid = call(f"POST /v1/payment_intents/{intent}/confirm", confirmation_token=token["id"])
    assert (paid["status"], paid["setup_future_usage"], paid["shipping"]["name"]) == (
        "succeeded",
        "off_session",
        "J",
    )
    assert call(f"GET /v1/confirmation_tokens/{token['id']}")["payment_intent"] == intent
    error = call.refused(
        "POST /v1/payment_intents", amount=900, currency="usd", confirm=True, confirmation_token=token["id"]
    )
    assert error["param"] == "confirmation_token"
    assert (
        call.refused("POST /v1/payment_intents", amount=900, currency="usd", confirmation_token=token["id"])[
            "param"
        ]
        == "confirmation_token"
    )


def test_a_customer_session_is_for_a_customer(call: Talk) -> None:
    customer = call("POST /v1/customers")["id"]
    made = call(
        "POST /v1/customer_sessions", customer=customer, **{"components[pricing_table][enabled]": True}
    )
    assert made["components"]["pricing_table"]["enabled"] is True
    assert made["components"]["buy_button"]["enabled"] is False
    assert made["client_secret"].startswith("cuss_secret_")
    assert made["expires_at"] - made["created"] == 1800
    error = call.refused(
        "POST /v1/customer_sessions", customer="cus_none", **{"components[pricing_table][enabled]": True}
    )
    assert error["code"] == "resource_missing"


def test_a_payment_at_risk_is_reviewed(call: Talk) -> None:
    intent = call.intent(5_000, "pm_card_riskLevelElevated")
    charge = call.charge_of(intent)
    (review,) = call("GET /v1/reviews")["data"]
    assert (review["charge"], charge["review"], review["open"], review["reason"]) == (
        charge["id"],
        review["id"],
        True,
        "rule",
    )
    assert (
        call(f"GET /v1/payment_intents/{intent['id']}", **{"expand[]": "review"})["review"]["id"]
        == review["id"]
    )
    done = call(f"POST /v1/reviews/{review['id']}/approve")
    assert (done["open"], done["closed_reason"], call("GET /v1/reviews")["data"]) == (False, "approved", [])
    assert call.refused(f"POST /v1/reviews/{review['id']}/approve")["status"] == 400
    other = call.charge_of(call.intent(5_000, "pm_card_riskLevelElevated"))
    call("POST /v1/refunds", charge=other["id"], reason="fraudulent")
    assert call(f"GET /v1/reviews/{other['review']}")["closed_reason"] == "refunded_as_fraud"
    assert call.types(type="review.*") == ["review.opened", "review.closed"] * 2


def test_the_bank_warns_early(call: Talk) -> None:
    charge = call.charge_of(call.intent(5_000, "pm_card_createIssuerFraudRecord"))
    (warning,) = call("GET /v1/radar/early_fraud_warnings", charge=charge["id"])["data"]
    assert (warning["actionable"], warning["payment_intent"]) == (True, charge["payment_intent"])
    call("POST /v1/refunds", charge=charge["id"])
    assert call(f"GET /v1/radar/early_fraud_warnings/{warning['id']}")["actionable"] is False


def test_a_file_is_linked_until_the_link_expires(call: Talk) -> None:
    file = call(
        "POST /v1/files",
        {
            "purpose": "dispute_evidence",
            "file[filename]": "a.txt",
            "file[type]": "text/plain",
            "file[data]": "eA==",
        },
    )
    link = call("POST /v1/file_links", file=file["id"], expires_at=call.transport.now + DAY)
    assert call(f"GET /v1/files/{file['id']}")["links"]["data"][0]["id"] == link["id"]
    assert call("GET /v1/file_links", file=file["id"], expired="false")["data"][0]["id"] == link["id"]
    call.transport.advance(DAY)
    assert call(f"GET /v1/file_links/{link['id']}")["expired"] is True
    assert call.refused("POST /v1/file_links", file="file_none")["code"] == "resource_missing"


@pytest.mark.parametrize("version", ["2025-02-24.acacia", "2026-10-28.endive"])
def test_both_versions_answer(call: Talk, version: str) -> None:
    headers = {"Stripe-Version": version}

    def ask(what: str, **params: Any) -> dict[str, Any]:
        answer = call.raw(what, params, headers=headers)
        assert answer.status_code == 200, answer.text
        assert "sandbox-fidelity" not in answer.headers
        found: dict[str, Any] = answer.json()
        return found

    assert ask("POST /v1/tokens", **CARD)["object"] == "token"
    assert (
        ask("POST /v1/test_helpers/confirmation_tokens", payment_method="pm_card_visa")["object"]
        == "confirmation_token"
    )
    assert ask("GET /v1/reviews")["data"] == []


def test_a_configuration_says_what_may_pay(call: Talk) -> None:
    (own,) = call("GET /v1/payment_method_configurations")["data"]
    assert (own["is_default"], own["card"]["available"], own["klarna"]["available"]) == (True, True, False)
    euros = {"amount": 900, "currency": "eur"}
    assert call("POST /v1/payment_intents", euros)["payment_method_types"] == ["card", "sepa_debit"]
    other = call(
        "POST /v1/payment_method_configurations", name="Cards only", parent=own["id"],
        **{"sepa_debit[display_preference][preference]": "off"},
    )  # fmt: skip
    assert (other["is_default"], other["parent"], other["sepa_debit"]["display_preference"]["value"]) == (
        False,
        own["id"],
        "off",
    )
    intent = call("POST /v1/payment_intents", euros, payment_method_configuration=other["id"])
    assert intent["payment_method_types"] == ["card"]
    assert intent["payment_method_configuration_details"] == {"id": other["id"], "parent": own["id"]}
    call(
        f"POST /v1/payment_method_configurations/{own['id']}",
        **{"card[display_preference][preference]": "off"},
    )
    assert call("POST /v1/payment_intents", euros)["payment_method_types"] == ["sepa_debit"]
    error = call.refused("POST /v1/payment_intents", amount=900, currency="jpy")
    assert error["param"] == "payment_method_configuration"
    call(f"POST /v1/payment_method_configurations/{other['id']}", active="false")
    assert (
        call.refused("POST /v1/payment_intents", euros, payment_method_configuration=other["id"])["status"]
        == 400
    )
    assert (
        call.refused("POST /v1/payment_intents", euros, payment_method_configuration="pmc_none")["code"]
        == "resource_missing"
    )
