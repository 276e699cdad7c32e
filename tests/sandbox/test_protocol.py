"""The protocol: keys, form decoding, validation, error bodies, headers. The numbers are those of the
sandbox's specification."""

from __future__ import annotations

import asyncio
import base64
import threading

import httpx
import pytest
from each_row import each_row
from waiting import PATIENCE, joined

from stripe_magics.sandbox import SandboxTransport
from stripe_magics.sandbox.api.errors import ApiError
from stripe_magics.sandbox.api.form_decoding import nest, pairs


def test_01_one_account_serves_sync_and_async(call, sandbox) -> None:
    made = call("POST /v1/customers", name="Jenny")

    async def read() -> httpx.Response:
        async with httpx.AsyncClient(transport=sandbox, base_url="https://api.stripe.com") as client:
            return await client.get(
                f"/v1/customers/{made['id']}", headers={"Authorization": "Bearer sk_test_b"}
            )

    assert asyncio.run(asyncio.wait_for(read(), PATIENCE)).json() == made


def test_01_threads_share_it(sandbox) -> None:
    def create() -> None:
        with httpx.Client(
            transport=sandbox, base_url="https://x", headers={"Authorization": "Bearer sk_test_b"}
        ) as client:
            for _ in range(20):
                assert client.post("/v1/customers").status_code == 200

    threads = [threading.Thread(target=create) for _ in range(5)]
    for each in threads:
        each.start()
    joined(*threads)
    assert len(sandbox.account.table("customer").rows) == 100


@each_row(
    ("text", "expected"),
    [
        ("a[b][0][c]=v", {"a": {"b": {"0": {"c": "v"}}}}),
        ("a[]=x&a[]=y", {"a": ["x", "y"]}),
        ("a[][n]=1&a[][v]=2&a[][n]=3&a[][v]=4", {"a": [{"n": "1", "v": "2"}, {"n": "3", "v": "4"}]}),
        ("m[a.b]=1&m[c d]=2", {"m": {"a.b": "1", "c d": "2"}}),
        ("a=&b=1", {"a": "", "b": "1"}),
        ("a%5Bb%5D=%C3%A9+x", {"a": {"b": "é x"}}),
    ],
)
def test_02_forms_are_decoded(text, expected) -> None:
    assert nest(pairs(text)) == expected


@each_row("text", ["a[b=1", "a[b]c=1", "a]b=1", "a=1&a[b]=2&a=3"])
def test_02_malformed_names_are_refused_or_kept_whole(text) -> None:
    try:
        nest(pairs(text))
    except ApiError as refusal:
        assert refusal.status == 400


def test_02_types_leave_as_json(call) -> None:
    intent = call("POST /v1/payment_intents", amount="2000", currency="USD", confirm="false")
    assert intent["amount"] == 2000
    assert intent["currency"] == "usd"
    assert intent["automatic_payment_methods"]["enabled"] is True


def test_02_empty_text_unsets(call) -> None:
    customer = call(
        "POST /v1/customers",
        {"metadata[a]": "1", "metadata[b]": "2", "description": "x", "address[city]": "Rome"},
    )
    path = f"POST /v1/customers/{customer['id']}"
    assert call(path, {"metadata[a]": ""})["metadata"] == {"b": "2"}
    changed = call(path, {"metadata": "", "description": "", "address": ""})
    assert (changed["metadata"], changed["description"], changed["address"]) == ({}, None, None)


@pytest.mark.parametrize(
    ("what", "params", "code", "param"),
    [
        ("POST /v1/customers", {"nickname": "x"}, "parameter_unknown", "nickname"),
        ("POST /v1/customers", {"shipping[nam]": "x"}, "parameter_unknown", "shipping[nam]"),
        ("POST /v1/customers", {"shipping[address][line1]": "x"}, "parameter_missing", "shipping[name]"),
        ("POST /v1/customers", {"balance": "ten"}, "parameter_invalid_integer", "balance"),
        ("POST /v1/customers", {"tax_exempt": "maybe"}, None, "tax_exempt"),
        ("POST /v1/customers", {"name": "x" * 257}, None, "name"),
        ("POST /v1/customers", {"name[]": "x"}, None, "name"),
        ("POST /v1/customers", {"shipping": "x"}, None, "shipping"),
        ("POST /v1/customers", {"invoice_settings[custom_fields][0][name]": "PO"}, "parameter_missing",
            "invoice_settings[custom_fields][0][value]"),
        ("POST /v1/payment_intents", {"currency": "usd"}, "parameter_missing", "amount"),
        ("POST /v1/payment_intents", {"amount": "", "currency": "usd"}, "parameter_invalid_empty", "amount"),
        ("POST /v1/payment_intents", {"amount": "20.5", "currency": "usd"}, "parameter_invalid_integer",
            "amount"),
        ("POST /v1/payment_intents", {"amount": "200", "currency": "usd", "confirm": "yes"}, None, "confirm"),
        ("POST /v1/payment_intents", {"amount": "200", "currency": "usd", "capture_method": "later"}, None,
            "capture_method"),
        ("GET /v1/customers", {"created[since]": "1"}, "parameter_unknown", "created[since]"),
        ("GET /v1/customers", {"created": "yesterday"}, "parameter_invalid_integer", "created"),
        ("GET /v1/balance_transactions", {"available_on[gt]": "1"}, "parameter_unknown", "available_on"),
    ],
)  # fmt: skip
def test_03_parameters_are_validated(call, what, params, code, param) -> None:
    error = call.refused(what, params)
    assert (error["status"], error["type"], error.get("code"), error["param"]) == (
        400,
        "invalid_request_error",
        code,
        param,
    )


def test_03_several_unknown_parameters_are_named_together(call) -> None:
    assert "foo, bar" in call.refused("POST /v1/customers", foo="1", bar="2")["message"]


def test_04_error_bodies_say_it_all(call) -> None:
    error = call.refused(
        "POST /v1/payment_intents",
        amount=2000,
        currency="usd",
        confirm=True,
        payment_method="pm_card_visa_chargeDeclined",
    )
    assert (error["status"], error["type"], error["code"], error["decline_code"]) == (
        402,
        "card_error",
        "card_declined",
        "generic_decline",
    )
    assert error["doc_url"].endswith("card-declined")
    assert "/logs/req_" in error["request_log_url"]
    assert error["charge"].startswith("ch_")
    assert error["payment_intent"]["status"] == "requires_payment_method"
    assert error["payment_method"]["card"]["last4"] == "0002"


@pytest.mark.parametrize(
    ("what", "params", "status", "param"),
    [
        ("GET /v1/customers/cus_x", {}, 404, "id"),
        ("GET /v1/payment_intents/pi_x", {}, 404, "intent"),
        ("POST /v1/payment_intents/pi_x/confirm", {}, 404, "intent"),
        ("GET /v1/invoices/in_x", {}, 404, "invoice"),
        ("GET /v1/refunds/re_x", {}, 404, "refund"),
        ("GET /v1/payouts/po_x", {}, 404, "payout"),
        ("POST /v1/payment_intents", {"amount": "200", "currency": "usd", "customer": "cus_x"}, 400,
            "customer"),
        ("POST /v1/payment_intents", {"amount": "200", "currency": "usd", "payment_method": "pm_x"}, 400,
            "payment_method"),
        ("POST /v1/refunds", {"charge": "ch_x"}, 400, "charge"),
        ("POST /v1/invoices", {"customer": "cus_x"}, 400, "customer"),
        ("GET /v1/customers", {"starting_after": "cus_x"}, 400, "starting_after"),
        ("GET /v1/invoices", {"customer": "cus_x"}, 400, "customer"),
        ("GET /v1/refunds", {"payment_intent": "pi_x"}, 400, "payment_intent"),
        ("GET /v1/invoiceitems", {"invoice": "in_x"}, 400, "invoice"),
        ("GET /v1/balance_transactions", {"payout": "po_x"}, 400, "payout"),
    ],
)  # fmt: skip
def test_06_unknown_ids(call, what, params, status, param) -> None:
    error = call.refused(what, params)
    assert (error["status"], error["code"], error["param"]) == (status, "resource_missing", param)
    assert "_x" in error["message"]


@pytest.mark.parametrize(
    "what", ["GET /v1/nothing", "POST /v1/balance", "GET /v2/customers", "PUT /v1/customers", "GET /"]
)
def test_06_unknown_paths(call, what) -> None:
    error = call.refused(what)
    assert (error["status"], error["type"]) == (404, "invalid_request_error")
    assert what.split(" ")[1] in error["message"]


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("Bearer ", 401),
        ("Bearer sk_live_abcdef", 401),
        ("Bearer rk_live_abcdef", 401),
        ("Bearer pk_test_abcdef", 401),
        ("Bearer sk_test_abcdef", 200),
        ("Bearer rk_test_abcdef", 200),
        ("Basic " + base64.b64encode(b"sk_test_abc:").decode(), 200),
        ("Basic !!", 401),
    ],
)
def test_07_keys(sandbox, authorization, status) -> None:
    with httpx.Client(transport=sandbox, base_url="https://api.stripe.com") as client:
        answer = client.get(
            "/v1/balance", headers={"Authorization": authorization} if authorization is not None else {}
        )
    assert answer.status_code == status
    assert "live_abcdef" not in answer.text
    if status == 401:
        assert answer.json()["error"]["type"] == "invalid_request_error"


def test_07_nothing_is_live(call) -> None:
    intent = call.intent()
    for path in ("/v1/payment_intents", "/v1/charges", "/v1/events"):
        assert all(each["livemode"] is False for each in call.every(path))
    assert intent["livemode"] is False


def test_08_headers(call) -> None:
    answer = call.raw("POST /v1/customers", {}, headers={"Idempotency-Key": "k1"})
    assert answer.headers["request-id"].startswith("req_")
    assert answer.headers["stripe-version"] == "2025-02-24.acacia"
    assert answer.headers["idempotency-key"] == "k1"
    assert "idempotent-replayed" not in answer.headers
    again = call.raw("POST /v1/customers", {}, headers={"Idempotency-Key": "k1"})
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["request-id"] != answer.headers["request-id"]


def test_09_shapes_of_the_pinned_version(call) -> None:
    customer = call("POST /v1/customers")
    call("POST /v1/invoiceitems", customer=customer["id"], amount=100, currency="usd")
    invoice = call("POST /v1/invoices", customer=customer["id"], pending_invoice_items_behavior="include")
    assert {
        "payment_intent",
        "charge",
        "paid",
        "subscription",
        "discount",
        "tax",
        "total_tax_amounts",
    } <= set(invoice)
    assert {"price", "plan", "type", "invoice_item"} <= set(invoice["lines"]["data"][0])
    assert "parent" not in invoice


def test_json_bodies_are_refused(call) -> None:
    answer = call.client.post("/v1/customers", json={"name": "x"})
    assert answer.status_code == 400
    assert "form-urlencoded" in answer.json()["error"]["message"]


def test_an_account_that_is_not_ours_is_forbidden(call) -> None:
    answer = call.raw("GET /v1/balance", headers={"Stripe-Account": "acct_other"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "account_invalid")
    mine = call("GET /v1/account")["id"]
    assert call.raw("GET /v1/balance", headers={"Stripe-Account": mine}).status_code == 200


def test_a_fresh_sandbox_is_the_same_every_time() -> None:
    def story() -> bytes:
        with httpx.Client(
            transport=SandboxTransport(demo=False),
            base_url="https://x",
            headers={"Authorization": "Bearer sk_test_b"},
        ) as client:
            client.post(
                "/v1/payment_intents",
                data={"amount": 500, "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"},
            )
            return client.get("/v1/events").content

    assert story() == story()
