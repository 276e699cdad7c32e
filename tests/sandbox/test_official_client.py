"""The official Python package talks to the sandbox over loopback HTTP as it would to Stripe."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from official_clients import answers, story
from waiting import line, running

from stripe_magics.sandbox import SandboxTransport
from stripe_magics.sandbox.server import serving

from .conftest import Talk

stripe = pytest.importorskip("stripe")
# the package's own way of using httpx
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture(scope="module")
def client():
    with serving(SandboxTransport(demo=False)) as address:
        http = stripe.HTTPXClient(allow_sync_methods=True)
        yield stripe.StripeClient("sk_test_round_trip", base_addresses={"api": address}, http_client=http)
        http.close()


def test_create_confirm_refund(client) -> None:
    customer = client.v1.customers.create({"email": "jenny@example.com", "metadata": {"plan": "pro"}})
    intent = client.v1.payment_intents.create({"amount": 2000, "currency": "usd", "customer": customer.id})
    assert intent.status == "requires_payment_method"
    intent = client.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_bypassPending", "return_url": "https://example.com"}
    )
    assert intent.status == "succeeded"
    client.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "confirm": True,
            "off_session": True,
            "payment_method": "pm_card_bypassPending",
        }
    )
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert (refund.status, refund.amount) == ("succeeded", 500)
    assert client.v1.balance.retrieve().available[0].amount == 2 * (2000 - 88) - 500


def test_a_decline_is_a_card_error(client) -> None:
    with pytest.raises(stripe.CardError) as caught:
        client.v1.payment_intents.create(
            {
                "amount": 2000,
                "currency": "usd",
                "confirm": True,
                "off_session": True,
                "payment_method": "pm_card_visa_chargeDeclined",
            }
        )
    assert caught.value.code == "card_declined"
    assert caught.value.error.decline_code == "generic_decline"
    assert caught.value.error.payment_intent.status == "requires_payment_method"


@pytest.mark.parametrize("version", answers.VERSIONS)
def test_the_story_of_a_firm_and_the_classes_of_errors(version) -> None:
    """As `notebooks/sandbox.ipynb` plays it. Other releases and the Node package play it by
    tests/official_clients/run.py."""
    with answers.sandbox() as address:
        http = stripe.HTTPXClient(allow_sync_methods=True)
        seen = {
            "story": story.play(stripe, address, version, http_client=http),
            "errors": story.errors(stripe, address, version, http_client=http),
        }
        http.close()
    assert not answers.differences(seen)


def test_booleans_as_older_releases_write_them() -> None:
    """Up to version 12 the package sends Python's own words."""
    call = Talk(SandboxTransport(demo=False))
    who = call("POST /v1/customers")["id"]
    call("POST /v1/invoiceitems", customer=who, amount=500, currency="usd")
    assert len(call.raw("GET /v1/invoiceitems", {"pending": "True"}).json()["data"]) == 1
    paid = {
        "amount": "900",
        "currency": "usd",
        "confirm": "True",
        "off_session": "True",
        "payment_method": "pm_card_visa",
    }
    assert call.raw("POST /v1/payment_intents", paid).json()["status"] == "succeeded"
    assert call.raw("POST /v1/payment_intents", {**paid, "confirm": "TRUE"}).status_code == 400
    call.client.close()


def test_a_list_pages_by_itself(client) -> None:
    made = [client.v1.customers.create({"name": f"Number {place}"}).id for place in range(25)]
    found = [each.id for each in client.v1.customers.list({"limit": 10}).auto_paging_iter()]
    assert found[:25] == made[::-1]


def test_an_unknown_id_is_an_invalid_request(client) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.customers.retrieve("cus_missing")
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (
        404,
        "resource_missing",
        "id",
    )


def test_the_module_serves_from_the_command_line() -> None:
    command = [sys.executable, "-m", "stripe_magics.sandbox", "--port", "0", "--empty"]
    with running(command, stdout=subprocess.PIPE, text=True) as process:
        address = line(process.stdout).split(" at ")[1].split(";")[0]
        request = urllib.request.Request(
            f"{address}/v1/balance", headers={"Authorization": "Bearer sk_test_a"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert b'"object":"balance"' in answer.read()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/v1/balance", timeout=60)
        with refused.value:
            assert refused.value.code == 401


def test_a_defect_is_an_api_error_and_is_shown(monkeypatch, capsys) -> None:
    transport = SandboxTransport(demo=False)
    monkeypatch.setattr(transport, "answer", lambda *_: 1 / 0)
    with serving(transport) as address, pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{address}/v1/balance", timeout=60)
    with caught.value:
        assert caught.value.code == 500
        assert b"api_error" in caught.value.read()
    assert "ZeroDivisionError" in capsys.readouterr().err
