"""A bare sandbox with a client that speaks plainly: `call("POST /v1/customers", email="x@y.z")`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from stripe_magics.sandbox import SandboxTransport
from stripe_magics.sandbox.core.store import Account, encode
from stripe_magics.sandbox.server import serving

DAY = 86400


@dataclass
class Refused(Exception):
    """An answer other than 200."""

    status: int
    error: dict[str, Any]
    headers: httpx.Headers

    def __str__(self) -> str:
        return f"{self.status} {self.error}"


def with_return_url(method: str, path: str, params: dict[str, Any] | None) -> dict[str, Any] | None:
    """Where a payer might be sent away, a page to come back to, as a careful caller names it; an empty one
    leaves it out."""
    given = params or {}
    confirms = path == "/v1/payment_intents" and str(given.get("confirm")).lower() == "true"
    confirms |= bool(re.fullmatch(r"/v1/payment_intents/\w+/confirm", path))
    named = any(
        each.startswith(("return_url", "off_session", "payment_method_types", "automatic_payment"))
        for each in given
    )
    if method == "POST" and confirms and not named:
        return {**given, "return_url": "https://example.com/back"}
    return params


class Talk:
    """A client of one sandbox."""

    def __init__(self, transport: SandboxTransport) -> None:
        self.transport = transport
        self.client = httpx.Client(
            transport=transport,
            base_url="https://api.stripe.com",
            headers={"Authorization": "Bearer sk_test_sandbox"},
        )

    def raw(self, what: str, params: dict[str, Any] | None = None, **options: Any) -> httpx.Response:
        method, path = what.split(" ")
        params = with_return_url(method, path, params)
        where: dict[str, Any] = {"data": params} if method == "POST" else {"params": params}
        return self.client.request(method, path, **where, **options)

    def __call__(self, what: str, _params: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
        """The answer's JSON; values may be None (left out), True or lists."""
        given: dict[str, Any] = {}
        for name, value in {**(_params or {}), **params}.items():
            if value is None:
                continue
            given[f"{name}[]" if isinstance(value, list) and not name.endswith("[]") else name] = (
                str(value).lower() if isinstance(value, bool) else value
            )
        answer = self.raw(what, given)
        body: dict[str, Any] = answer.json()
        if answer.status_code != 200:
            raise Refused(answer.status_code, body["error"], answer.headers)
        return body

    def refused(self, what: str, _params: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
        """The error of a call that must be refused, with its `status`."""
        with pytest.raises(Refused) as caught:
            self(what, _params, **params)
        return {**caught.value.error, "status": caught.value.status}

    # short cuts

    def intent(
        self, amount: int = 2000, method: str = "pm_card_visa", currency: str = "usd", **params: Any
    ) -> dict[str, Any]:
        return self(
            "POST /v1/payment_intents",
            amount=amount,
            currency=currency,
            payment_method=method,
            **{"confirm": True, **params},
        )

    def charge_of(self, intent: dict[str, Any]) -> dict[str, Any]:
        return self(f"GET /v1/charges/{intent['latest_charge']}")

    def every(self, path: str, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = self(f"GET {path}", limit=100, **params)
            found += page["data"]
            if not page["has_more"]:
                return found
            params["starting_after"] = found[-1]["id"]

    def types(self, **params: Any) -> list[str]:
        """Event types, oldest first."""
        return [event["type"] for event in reversed(self.every("/v1/events", **params))]

    def available(self, currency: str = "usd") -> int:
        return next(
            (each["amount"] for each in self("GET /v1/balance")["available"] if each["currency"] == currency),
            0,
        )

    def pending(self, currency: str = "usd") -> int:
        return next(
            (each["amount"] for each in self("GET /v1/balance")["pending"] if each["currency"] == currency), 0
        )


@pytest.fixture(autouse=True)
def saved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a handler changed, it saved."""
    flush = Account.flush

    def checked(self: Account) -> None:
        for row in self.dirty_rows:
            assert row.data is None or row.json is None or encode(row.data) == row.json, (
                f"{row.id} was changed and not saved"
            )
        flush(self)

    monkeypatch.setattr(Account, "flush", checked)


@pytest.fixture
def sandbox() -> SandboxTransport:
    return SandboxTransport(demo=False)


@pytest.fixture
def call(sandbox: SandboxTransport) -> Iterator[Talk]:
    talk = Talk(sandbox)
    yield talk
    talk.client.close()
    conserved(sandbox)


def conserved(sandbox: SandboxTransport) -> None:
    """Money is conserved."""
    account = sandbox.account
    sums: dict[tuple[str, str], int] = {}
    for entry in account.each("balance_transaction"):
        assert entry["net"] == entry["amount"] - entry["fee"]
        assert entry["fee"] == sum(each["amount"] for each in entry["fee_details"])
        key = (entry["currency"], entry["status"])
        sums[key] = sums.get(key, 0) + entry["net"]
        assert (entry["status"] == "pending") == (entry["available_on"] > account.now), entry
    for currency, (available, pending) in account.ledger.totals.items():
        assert available == sums.get((currency, "available"), 0)
        assert pending == sums.get((currency, "pending"), 0)
    assert {key[0] for key in sums} <= set(account.ledger.totals)
    for payout in account.each("payout"):
        if payout["automatic"]:
            members = [
                account.peek("balance_transaction", each) for each in account.ledger.members[payout["id"]]
            ]
            assert (
                sum(each["net"] for each in members if each and each["id"] != payout["balance_transaction"])
                == payout["amount"]
            )


@pytest.fixture
def transport() -> SandboxTransport:
    """An empty account."""
    return SandboxTransport(demo=False)


@pytest.fixture
def host(transport: SandboxTransport) -> Iterator[str]:
    """Where it is served on this machine: `127.0.0.1:PORT`."""
    with serving(transport) as address:
        yield address.removeprefix("http://")
