"""Customers' details, the account, the clock, faults, saving and loading."""

from __future__ import annotations

import asyncio
import os
import stat

import httpx
import pytest
from each_row import each_row

from stripe_magics.sandbox import Fault, SandboxTransport

from .conftest import DAY, Talk, conserved


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"email": "nobody"}, "email_invalid", "email"),
        ({"invoice_prefix": "ab"}, None, "invoice_prefix"),
        ({"invoice_prefix": "TOOLONGPREFIX"}, None, "invoice_prefix"),
        ({"next_invoice_sequence": 0}, "parameter_invalid_integer", "next_invoice_sequence"),
        (
            {"invoice_settings[default_payment_method]": "pm_x"},
            "resource_missing",
            "invoice_settings[default_payment_method]",
        ),
        ({"payment_method": "pm_x"}, "resource_missing", "payment_method"),
        ({"source": "tok_x"}, "resource_missing", "source"),
        ({"coupon": "nope"}, "resource_missing", "coupon"),
        ({"promotion_code": "promo_x"}, "resource_missing", "promotion_code"),
        ({"tax_id_data[0][type]": "eu_vat", "tax_id_data[0][value]": "1"}, "tax_id_invalid", "tax_id_data"),
        ({"tax_id_data[0][type]": "no_such", "tax_id_data[0][value]": "1"}, None, "tax_id_data[0][type]"),
        ({"preferred_locales[]": "German!"}, None, "preferred_locales"),
        ({"address[country]": "Germany"}, "country_code_invalid", "address[country]"),
    ],
)
def test_55_customers_that_are_refused(call, params, code, param) -> None:
    error = call.refused("POST /v1/customers", params)
    assert (error["status"], error.get("code"), error["param"]) == (400, code, param)
    assert call("GET /v1/customers")["data"] == []


def test_55_details(call) -> None:
    one = call("POST /v1/customers", invoice_prefix="ABC")
    assert call.refused("POST /v1/customers", invoice_prefix="ABC")["param"] == "invoice_prefix"
    other = call("POST /v1/customers", payment_method="pm_card_visa")["id"]
    method = call.every(f"/v1/customers/{other}/payment_methods")[0]["id"]
    stolen = call.refused(
        f"POST /v1/customers/{one['id']}", {"invoice_settings[default_payment_method]": method}
    )
    assert stolen["param"] == "invoice_settings[default_payment_method]"
    tax = call(f"POST /v1/customers/{one['id']}/tax_ids", type="gb_vat", value="GB123456789")
    assert call.every(f"/v1/customers/{one['id']}/tax_ids") == [tax]
    assert call(f"DELETE /v1/customers/{one['id']}/tax_ids/{tax['id']}")["deleted"] is True
    credit = call(f"POST /v1/customers/{one['id']}/balance_transactions", amount=-200, currency="eur")
    assert credit["ending_balance"] == call(f"GET /v1/customers/{one['id']}")["balance"] == -200


def test_the_account(call) -> None:
    me = call("GET /v1/account")
    assert (me["object"], me["settings"]["dashboard"]["timezone"], me["default_currency"]) == (
        "account",
        "Etc/UTC",
        "usd",
    )
    assert {each["currency"] for each in me["external_accounts"]["data"]} == {"usd", "eur", "gbp"}
    assert call(f"GET /v1/accounts/{me['id']}")["id"] == me["id"]
    assert call.refused("GET /v1/accounts/acct_other")["status"] == 403
    assert me["settings"]["payouts"]["schedule"]["interval"] == "daily"
    assert call(f"POST /v1/accounts/{me['id']}", {"metadata[a]": "b"})["metadata"] == {"a": "b"}


def test_products_and_prices(call) -> None:
    product = call(
        "POST /v1/products",
        {
            "name": "Seat",
            "default_price_data[currency]": "usd",
            "default_price_data[unit_amount]": 900,
            "metadata[a]": "b",
        },
    )
    price = call(f"GET /v1/products/{product['id']}", {"expand[]": "default_price"})["default_price"]
    assert (price["unit_amount"], price["type"]) == (900, "one_time")
    assert call(f"POST /v1/prices/{price['id']}", active=False)["active"] is False
    assert call("GET /v1/prices", active=True)["data"] == []
    assert call("GET /v1/products/search", query="name:'seat'")["data"][0]["id"] == product["id"]
    assert call.refused(f"DELETE /v1/products/{product['id']}")["status"] == 400
    other = call("POST /v1/products", name="Gone", id="prod_own")
    assert other["id"] == "prod_own"
    assert call("DELETE /v1/products/prod_own")["deleted"] is True
    rate = call("POST /v1/tax_rates", display_name="VAT", percentage=7.7, inclusive=True, country="CH")
    assert (rate["percentage"], call(f"POST /v1/tax_rates/{rate['id']}", active=False)["active"]) == (
        7.7,
        False,
    )


def test_coupons_and_codes(call, sandbox) -> None:
    coupon = call("POST /v1/coupons", percent_off=50, max_redemptions=1, duration="once")["id"]
    call("POST /v1/customers", coupon=coupon)
    assert call(f"GET /v1/coupons/{coupon}")["valid"] is False
    assert call.refused("POST /v1/customers", coupon=coupon)["code"] == "coupon_expired"
    late = call(
        "POST /v1/coupons",
        amount_off=5,
        currency="usd",
        duration="repeating",
        duration_in_months=3,
        redeem_by=sandbox.now + 10,
    )["id"]
    code = call("POST /v1/promotion_codes", coupon=late, code="Now")
    assert call.refused("POST /v1/promotion_codes", coupon=late, code="NOW")["param"] == "code"
    assert [each["id"] for each in call.every("/v1/promotion_codes", code="Now", coupon=late)] == [code["id"]]
    sandbox.advance(11)
    assert call.refused("POST /v1/customers", promotion_code=code["id"])["code"] == "coupon_expired"
    for params in (
        {},
        {"percent_off": 101},
        {"amount_off": 5},
        {"percent_off": 5, "amount_off": 5, "currency": "usd"},
        {"percent_off": 5, "duration": "repeating"},
    ):
        assert call.refused("POST /v1/coupons", params)["status"] == 400


# the clock


def test_57_time_stands_still_until_it_is_advanced(call, sandbox) -> None:
    before = sandbox.now
    assert call("POST /v1/customers")["created"] == before
    assert sandbox.advance(DAY) == before + DAY == sandbox.now
    assert call("POST /v1/customers")["created"] == before + DAY
    assert call("POST /v1/test_helpers/clock/advance", seconds=60)["now"] == sandbox.now == before + DAY + 60
    assert call("GET /v1/test_helpers/clock")["now"] == sandbox.now
    with pytest.raises(ValueError, match="forward"):
        sandbox.advance(-1)


def test_57_pieces_or_one_stretch(call) -> None:
    def story(*steps: int) -> list[str]:
        sandbox = SandboxTransport(demo=False)
        talk = Talk(sandbox)
        talk.intent(5000)
        talk.intent(3000, capture_method="manual")
        debit = {
            "payment_method_data[type]": "sepa_debit",
            "payment_method_data[sepa_debit][iban]": "AT321904300235473204",
        }
        talk("POST /v1/payment_intents", {"amount": 900, "currency": "eur", "confirm": True, **debit})
        for step in steps:
            sandbox.advance(step)
        conserved(sandbox)
        return [(event["type"], event["created"]) for event in talk.every("/v1/events")]

    assert story(20 * DAY) == story(*[DAY] * 20) == story(5, 3 * DAY, 17 * DAY - 5)


def test_reset(call, sandbox) -> None:
    call("POST /v1/customers")
    sandbox.advance(DAY)
    sandbox.reset()
    assert call("GET /v1/customers")["data"] == []
    assert sandbox.now == SandboxTransport(demo=False).now


# keeping


def test_save_and_load(call, sandbox, tmp_path) -> None:
    customer = call(
        "POST /v1/customers",
        name="Jenny",
        coupon=call("POST /v1/coupons", percent_off=5, duration="forever")["id"],
    )["id"]
    for place in range(12):
        call("POST /v1/invoiceitems", customer=customer, amount=100 + place, currency="usd")
    call("POST /v1/invoices", customer=customer, pending_invoice_items_behavior="include", auto_advance=True)
    call.intent(method="pm_card_createDispute", customer=customer)
    call.raw("POST /v1/customers", {"name": "once"}, headers={"Idempotency-Key": "k"})
    gone = call("POST /v1/customers")["id"]
    call(f"DELETE /v1/customers/{gone}")
    sandbox.save(tmp_path / "box")
    assert [each.name for each in tmp_path.iterdir()] == ["box"]

    other = SandboxTransport(demo=False, file=tmp_path / "box")
    talk = Talk(other)
    for path in (
        "/v1/customers",
        "/v1/payment_intents",
        "/v1/charges",
        "/v1/invoices",
        "/v1/invoiceitems",
        "/v1/events",
        "/v1/balance_transactions",
        "/v1/disputes",
    ):
        assert talk.every(path) == call.every(path), path
    assert talk("GET /v1/balance") == call("GET /v1/balance")
    assert talk(f"GET /v1/customers/{gone}")["deleted"] is True
    assert (
        talk.raw("POST /v1/customers", {"name": "once"}, headers={"Idempotency-Key": "k"}).headers[
            "idempotent-replayed"
        ]
        == "true"
    )
    sandbox.advance(20 * DAY)
    other.advance(20 * DAY)
    assert talk.every("/v1/events") == call.every("/v1/events")
    assert talk("POST /v1/customers") == call("POST /v1/customers")
    conserved(other)


def test_files_that_are_no_sandbox(tmp_path, sandbox) -> None:
    for content in (b"", b"{}", b"stripe_magics sandbox\nrubbish"):
        (tmp_path / "box").write_bytes(content)
        with pytest.raises(ValueError, match="sandbox"):
            sandbox.load(tmp_path / "box")


def test_a_failed_save_leaves_the_old_file(tmp_path, sandbox, monkeypatch) -> None:
    sandbox.save(tmp_path / "box")
    before = (tmp_path / "box").read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        sandbox.save(tmp_path / "box")
    assert (tmp_path / "box").read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["box"]


def test_a_saved_sandbox_is_for_its_user_alone_and_flushed_before_it_is_moved(
    tmp_path, sandbox, monkeypatch
) -> None:
    steps = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *at, real=real, name=name: (steps.append(name), real(*at))[1])
    (tmp_path / "box").write_bytes(b"before")
    (tmp_path / "box").chmod(0o644)
    sandbox.save(tmp_path / "box")
    assert stat.S_IMODE((tmp_path / "box").stat().st_mode) == 0o600
    assert steps == ["fsync", "replace", "fsync"]  # the content, the name, and the folder that holds it
    assert SandboxTransport(demo=False, file=tmp_path / "box").account.seed == sandbox.account.seed


# faults


def create(transport: SandboxTransport) -> httpx.Response:
    with httpx.Client(
        transport=transport, base_url="https://x", headers={"Authorization": "Bearer sk_test_f"}
    ) as client:
        return client.post("/v1/customers", data={"name": "x"})


def count(transport: SandboxTransport) -> int:
    return len(transport.account.table("customer").rows)


@each_row(
    ("fault", "error", "made"),
    [
        (Fault("drop_before"), httpx.ConnectError, 0),
        (Fault("drop_after"), httpx.ReadTimeout, 1),
        (Fault("drop_reading"), httpx.ReadError, 1),
    ],
)
def test_dropped_requests(fault, error, made) -> None:
    transport = SandboxTransport(demo=False, faults=[fault])
    with pytest.raises(error):
        create(transport)
    assert count(transport) == made
    assert create(transport).status_code == 200


def test_statuses_on_demand() -> None:
    faults = [
        Fault("status", match="POST /v1/customers", status=500, times=2),
        Fault("status", status=429, reason="global-rate"),
        Fault("status", status=409),
        Fault("status_after", status=500),
    ]
    transport = SandboxTransport(demo=False, faults=faults)
    answers = [create(transport) for _ in range(6)]
    assert [each.status_code for each in answers] == [500, 500, 429, 409, 500, 200]
    assert answers[2].headers["stripe-rate-limited-reason"] == "global-rate"
    assert answers[2].json()["error"]["code"] == "rate_limit"
    assert answers[0].json()["error"]["type"] == "api_error"
    assert count(transport) == 2


def test_truncated_garbled_and_late_answers() -> None:
    transport = SandboxTransport(
        demo=False,
        faults=[Fault("truncate", after=1), Fault("delay", seconds=0.01), Fault("garble", after=1)],
    )
    assert create(transport).json()["object"] == "customer"
    with pytest.raises(ValueError, match="Expecting|Unterminated|delimiter"):
        create(transport).json()
    assert "html" in create(transport).headers["content-type"]


def test_faults_of_an_async_client() -> None:
    transport = SandboxTransport(demo=False, faults=[Fault("delay", seconds=0.01), Fault("drop_after")])

    async def once() -> None:
        async with httpx.AsyncClient(
            transport=transport, base_url="https://x", headers={"Authorization": "Bearer sk_test_f"}
        ) as client:
            await client.post("/v1/customers")

    with pytest.raises(httpx.ReadTimeout):
        asyncio.run(asyncio.wait_for(once(), 60))
    assert count(transport) == 1
