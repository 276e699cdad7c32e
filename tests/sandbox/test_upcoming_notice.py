"""`invoice.upcoming`: a week before a renewal, what is to be billed."""

from __future__ import annotations

from typing import Any

import pytest

from stripe_magics.sandbox import SandboxTransport

from .conftest import DAY, Talk


def subscribe(call: Talk, interval: str = "month", **params: Any) -> dict[str, Any]:
    product = call("POST /v1/products", name="Plan")["id"]
    given = {"product": product, "currency": "usd", "unit_amount": 2500, "recurring[interval]": interval}
    price = call("POST /v1/prices", **given)["id"]
    who = call("POST /v1/customers", payment_method="pm_card_visa", test_clock=params.pop("test_clock", None),
               **{"invoice_settings[default_payment_method]": "pm_card_visa"})["id"]  # fmt: skip
    return call("POST /v1/subscriptions", customer=who, **{"items[0][price]": price}, **params)


def announced(call: Talk) -> list[dict[str, Any]]:
    return [each["data"]["object"] for each in call("GET /v1/events", type="invoice.upcoming")["data"]]


def test_an_invoice_is_announced_a_week_before_it_comes(call: Talk, sandbox: SandboxTransport) -> None:
    made = subscribe(call)
    ahead = made["current_period_end"] - sandbox.now
    sandbox.advance(ahead - 7 * DAY - 60)
    assert announced(call) == []
    sandbox.advance(120)
    [shown] = announced(call)
    assert "id" not in shown and shown["object"] == "invoice"
    assert (shown["amount_due"], shown["subscription"], shown["status"]) == (2500, made["id"], "draft")
    assert shown["lines"]["data"][0]["period"]["start"] == made["current_period_end"]
    sandbox.advance(7 * DAY + 7200)
    [invoice] = [each for each in call("GET /v1/invoices", subscription=made["id"])["data"]
                 if each["billing_reason"] == "subscription_cycle"]  # fmt: skip
    assert invoice["total"] == shown["total"]
    assert len(announced(call)) == 1
    sandbox.advance(31 * DAY)
    assert len(announced(call)) == 1  # the next one; the first is too old to be listed


@pytest.mark.parametrize(
    "how", ["cancel_at_period_end", "canceled", "collected weekly", "trial that is to be canceled"]
)
def test_what_is_not_billed_is_not_announced(call: Talk, sandbox: SandboxTransport, how: str) -> None:
    made = subscribe(call, "week" if how == "collected weekly" else "month")
    if how == "cancel_at_period_end":
        call(f"POST /v1/subscriptions/{made['id']}", cancel_at_period_end=True)
    elif how == "canceled":
        call(f"DELETE /v1/subscriptions/{made['id']}")
    elif how == "trial that is to be canceled":
        call(f"POST /v1/subscriptions/{made['id']}", cancel_at=made["current_period_end"] - DAY)
    sandbox.advance(26 * DAY)
    assert announced(call) == []


def test_a_change_shows_and_a_test_clock_announces_too(call: Talk, sandbox: SandboxTransport) -> None:
    clock = call("POST /v1/test_helpers/test_clocks", frozen_time=sandbox.now)
    made = subscribe(call, test_clock=clock["id"])
    item = made["items"]["data"][0]["id"]
    call(f"POST /v1/subscription_items/{item}", quantity=3, proration_behavior="none")
    call(f"POST /v1/test_helpers/test_clocks/{clock['id']}/advance", frozen_time=sandbox.now + 25 * DAY)
    [shown] = announced(call)
    assert shown["total"] == 7500


def test_a_year_of_the_demo_asks_for_the_last_months_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from stripe_magics.sandbox.resources.subscriptions import upcoming_notice

    seen = []
    real = upcoming_notice.previews.upcoming
    monkeypatch.setattr(upcoming_notice.previews, "upcoming", lambda *given: seen.append(1) or real(*given))
    sandbox = SandboxTransport()
    sandbox.advance(90 * DAY)
    listed = sum(1 for each in sandbox.account.each("event") if each["type"] == "invoice.upcoming")
    assert 0 < listed <= len(seen) < 700
