"""What belongs to which connection: handlers, events, secrets, calls. Over fake transports, as two accounts
in one kernel."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from each_row import each_row
from events.doubles import event

import stripe_magics as sm
from stripe_magics import events
from stripe_magics.client import one_time_secrets
from stripe_magics.client.connection import Connection
from stripe_magics.client.secret import Secret
from stripe_magics.client.shared_connection import share
from stripe_magics.errors import KeyRefused, NotConnected, UsageFault
from stripe_magics.events import signing_secrets, webhook_delivery


class Account(httpx.BaseTransport):
    """An account at Stripe that lists events, takes refunds, and writes down with which key and headers each
    request came."""

    def __init__(self, name: str, *, live: bool = False) -> None:
        self.name, self.live = name, live
        self.events: list[dict[str, Any]] = []
        self.requests: list[httpx.Request] = []
        self.refunds: dict[str, dict[str, Any]] = {}
        self.failing: Callable[[httpx.Request], httpx.Response | None] = lambda request: None

    def add(
        self, id: str, type: str = "charge.dispute.created", /, *, ago: int = 0, **subject: Any
    ) -> dict[str, Any]:
        made = event(id, type, int(time.time()) - ago, **subject)
        made["livemode"] = self.live
        self.events.append(made)
        return made

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        broken = self.failing(request)
        if broken is not None:
            return broken
        path, params = request.url.path, request.url.params
        if path == "/v1/account":
            return self._answer(
                {"id": f"acct_{self.name}", "object": "account", "business_profile": {"name": self.name}}
            )
        if path == "/v1/events":
            since = int(params.get("created[gte]", 0))
            rows = [each for each in self.events if each["created"] >= since][::-1]
            return self._answer({"object": "list", "data": rows, "has_more": False, "url": path})
        if request.method == "POST" and path == "/v1/refunds":
            key = request.headers["idempotency-key"]
            body = {"id": f"re_{len(self.refunds)}", "object": "refund", "livemode": self.live}
            return self._answer(self.refunds.setdefault(key, body))
        if request.method == "POST" and path == "/v1/webhook_endpoints":
            body = {
                "id": f"we_{self.name}",
                "object": "webhook_endpoint",
                "url": "https://example.com/x",
                "metadata": {},
            }
            return self._answer({**body, "livemode": self.live, "secret": f"whsec_{self.name * 8}"})
        if path == "/v1/webhook_endpoints":
            return self._answer({"object": "list", "data": [], "has_more": False, "url": path})
        return self._answer({"id": path.rpartition("/")[2], "object": "dispute", "livemode": self.live})

    @staticmethod
    def _answer(data: dict[str, Any]) -> httpx.Response:
        headers = {"Request-Id": "req_1", "Date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())}
        return httpx.Response(200, content=json.dumps(data).encode(), headers=headers)

    def keys(self, path: str) -> set[str]:
        """The API keys with which that path was asked for."""
        return {each.headers["authorization"] for each in self.requests if each.url.path == path}


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[None]:
    monkeypatch.setenv("STRIPE_MAGICS_STATE_DIR", str(tmp_path))
    monkeypatch.delenv(signing_secrets.VARIABLE, raising=False)
    monkeypatch.setattr(signing_secrets.credentials, "from_keyring", lambda name: None)

    def no_keyring(name: str, secret: Secret) -> None:
        raise NotConnected("There is no keyring.")

    monkeypatch.setattr(signing_secrets.credentials, "store_in_keyring", no_keyring)
    yield
    sm.close()


def open_connection(account: Account) -> Connection:
    mode = "live" if account.live else "test"
    key = Secret(f"sk_{mode}_51{account.name * 14}{'x' * 40}")
    return Connection(
        secret=key, mode=mode, base="https://api.stripe.com", transport=account, sleep=lambda seconds: None
    )


def refund(each: dict[str, Any]) -> None:
    sm.call("refunds.create", charge="ch_1", amount=100, yes=True)


@pytest.fixture
def a() -> Account:
    return Account("a")


@pytest.fixture
def b() -> Account:
    return Account("b")


@each_row("live", [False, True])
def test_a_handler_acts_on_its_own_connection(live: bool) -> None:
    """B86, B87: handlers of B's events act on B, although A is the shared connection, and no byte goes out
    with A's key."""
    first, second = Account("a", live=live), Account("b", live=live)
    share(open_connection(first))
    other = open_connection(second)
    second.add("evt_before", ago=60)
    sm.on("charge.dispute.created", refund, connection=other)
    watch = sm.watch("charge", connection=other)
    second.add("evt_1")
    watch.poll()
    assert watch.problems == []
    assert len(second.refunds) == 1
    assert not first.refunds
    assert second.keys("/v1/refunds") == second.keys("/v1/events")
    other.close()


def test_a_backlog_stops_when_the_connection_changes(a: Account, b: Account) -> None:
    """B86: of 30 disputes none is refunded with B's key, and those that weren't handled are left to the next
    watch on A."""
    share(open_connection(a))
    a.add("evt_before", "charge.captured")
    at_work = threading.Event()
    go_on = threading.Event()

    def slow(each: dict[str, Any]) -> None:
        at_work.set()
        go_on.wait(60)
        refund(each)

    sm.on("charge.dispute.created", slow)
    watch = sm.watch("charge")
    for number in range(30):
        a.add(f"evt_{number}")
    worker = threading.Thread(target=watch.poll, daemon=True)
    worker.start()
    assert at_work.wait(60)
    share(open_connection(b))
    assert worker.is_alive(), "connect doesn't wait for a handler"
    go_on.set()
    worker.join(60)
    assert not b.refunds
    assert not a.refunds, "a closed connection sends nothing"
    assert b.keys("/v1/refunds") == set()
    assert watch.state == "ended: the connection was closed"
    again = share(open_connection(a))
    sm.on("charge.dispute.created", slow)
    sm.watch("charge")
    assert len(a.refunds) == 30
    assert len(again.pending()) == 0


def test_stop_ends_a_batch_within_a_second(a: Account) -> None:
    """B86, B90"""
    share(open_connection(a))
    started: list[str] = []
    ended: list[str] = []
    release = threading.Event()

    def hanging(each: dict[str, Any]) -> None:
        started.append(each["id"])
        release.wait(60)
        ended.append(each["id"])

    watch = sm.watch("charge")
    watch.on("charge.dispute.created", hanging)
    for number in range(30):
        a.add(f"evt_{number}")
    watch.interval = 0.01
    watch.resume()
    wait_for(lambda: bool(started))
    assert events.stop() == ["watch"]
    assert not ended, "stop doesn't wait for a handler"
    release.set()
    wait_for(lambda: bool(ended))
    time.sleep(0.1)
    assert started == ["evt_0"], "nothing is begun after the one that is at work"


def test_every_event_row_frame_and_status_names_account_and_mode(a: Account, b: Account) -> None:
    """B87"""
    first, second = share(open_connection(a)), open_connection(b)
    watches = [sm.watch("charge", connection=each) for each in (first, second)]
    for account, watch in zip((a, b), watches, strict=True):
        account.add(f"evt_{account.name}")
        watch.poll()
    for account, watch in zip((a, b), watches, strict=True):
        frame = watch.frame
        assert list(frame["id"]) == [f"evt_{account.name}"], "the other account's events are not among them"
        assert set(frame["account"]) == {f"acct_{account.name}"}
        assert set(frame["mode"]) == {"test"}
        assert frame.attrs["stripe"]["account"] == f"acct_{account.name}"
        assert frame.attrs["stripe"]["mode"] == "test"
        assert f"acct_{account.name}" in watch.status()["account"]
        assert f"acct_{account.name}" in repr(watch)
        from stripe_magics.events.live_view import LiveViewModel

        status = LiveViewModel(watch).status()
        assert (status["mode"], f"acct_{account.name}" in status["account"]) == ("TEST", True)
    assert list(events.status(connection=second)["account"]) == ["b (acct_b)"]
    assert list(events.status()["account"]) == ["a (acct_a)"]
    second.close()


def test_a_watch_of_a_closed_connection_shows_what_it_has(a: Account, b: Account) -> None:
    """B90"""
    share(open_connection(a))
    watch = sm.watch("charge")
    a.add("evt_1")
    watch.poll()
    share(open_connection(b))
    assert list(watch.frame["id"]) == ["evt_1"]
    assert "the connection was closed" in repr(watch)
    with pytest.raises(NotConnected):
        watch.poll()
    assert events.status().empty


def test_handlers_stores_and_secrets_hang_on_their_connection(a: Account, b: Account) -> None:
    """B87: a receiver under B takes no secret that was kept for A, and A's handlers aren't B's."""
    first, second = share(open_connection(a)), open_connection(b)
    sm.on("*", print)
    assert len(events.handlers()) == 1
    assert len(events.handlers(connection=second)) == 0
    typed = Secret("whsec_" + "t" * 32)
    assert signing_secrets.for_listening(first, ask=lambda: typed) == [typed]
    sm.watch("charge", url="https://example.com/x")
    assert len(signing_secrets.for_listening(first)) == 2
    with pytest.raises(KeyRefused):
        signing_secrets.for_listening(second, ask=lambda: Secret(""))
    second.close()


@pytest.mark.parametrize("live", [False, True])
def test_events_of_the_other_mode_run_no_handlers(live: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """B87: test events don't run live handlers, nor the other way round; neither does the receiver take
    them."""
    account = Account("a", live=live)
    share(open_connection(account))
    heard: list[str] = []
    sm.on("*", lambda each: heard.append(each["id"]))
    monkeypatch.setenv(signing_secrets.VARIABLE, "whsec_" + "c" * 32)
    watch = sm.listen(live=live)
    assert watch is not None
    assert watch.receiver is not None
    stray = account.add("evt_stray")
    stray["livemode"] = not live
    assert webhook_delivery.post(watch.receiver, stray, watch.receiver.secrets[0]) == 403
    account.failing = lambda request: None
    account.events.clear()
    right = account.add("evt_right")
    assert webhook_delivery.post(watch.receiver, right, watch.receiver.secrets[0]) == 200
    wait_for(lambda: heard == ["evt_right"])
    watch.accept(stray)
    watch.handle(stray)
    watch.poll()
    assert heard == ["evt_right"]


def test_live_and_test_receivers_are_asked_for_by_name(a: Account) -> None:
    """B87"""
    share(open_connection(a))
    with pytest.raises(UsageFault, match="needs a live connection"):
        sm.listen(live=True)
    live = share(open_connection(Account("c", live=True)))
    with pytest.raises(UsageFault, match="--live"):
        sm.listen(connection=live)


def test_the_context_is_inherited_by_tasks_and_not_looked_up_when_bytes_leave(a: Account, b: Account) -> None:
    """B86: an async handler awaits while the shared connection changes; its call still goes to its own."""
    import asyncio

    own = open_connection(a)
    share(open_connection(b))

    async def later(each: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        share(open_connection(Account("c")))
        await asyncio.to_thread(refund, each)

    sm.on("charge.dispute.created", later, connection=own)
    watch = sm.watch("charge", connection=own)
    a.add("evt_1")
    watch.poll()
    assert watch.problems == []
    assert len(a.refunds) == 1
    own.close()


def test_a_connected_account_is_asked_and_acted_on(a: Account) -> None:
    """B86: `--stripe-account` holds for reading, for today's object and for what handlers do."""
    share(open_connection(a))
    sm.on("charge.dispute.created", refund, stripe_account="acct_sub")
    watch = sm.watch("charge", stripe_account="acct_sub")
    a.add("evt_1", id="dp_1", object="dispute")
    watch.poll()
    watch.fetch("evt_1")
    seen = {each.url.path: each.headers.get("stripe-account") for each in a.requests}
    assert seen["/v1/events"] == seen["/v1/refunds"] == seen["/v1/disputes/dp_1"] == "acct_sub"
    assert set(watch.frame["account"]) == {"acct_sub"}
    own = sm.watch("charge")
    own.poll()
    assert len(a.refunds) == 1, "the account's own events are not that handler's"


def test_rows_that_a_handler_writes_are_its_accounts_and_made_once(a: Account) -> None:
    """B86, B88: one call a row, in threads."""
    import pandas as pd

    share(open_connection(a))
    frame = pd.DataFrame({"charge": [f"ch_{n}" for n in range(5)], "amount": [100] * 5})

    def refund_all(each: dict[str, Any]) -> None:
        sm.call("refunds.create", from_=frame, yes=True)

    sm.on("charge.dispute.created", refund_all, stripe_account="acct_sub")
    watch = sm.watch("charge", stripe_account="acct_sub")
    a.add("evt_1")
    watch.poll()
    assert watch.problems == []
    writes = [each for each in a.requests if each.url.path == "/v1/refunds"]
    assert {each.headers.get("stripe-account") for each in writes} == {"acct_sub"}
    assert len(a.refunds) == 5
    assert all(key.startswith("evt_1-") for key in a.refunds)
    assert list(events.replay("evt_1", stripe_account="acct_sub")["state"]) == ["done"]
    assert len(a.refunds) == 5


def test_the_object_of_a_connect_event_is_asked_of_its_account(a: Account) -> None:
    """B86: today's object of a connected account's event."""
    share(open_connection(a))
    watch = sm.watch("charge")
    made = a.add("evt_1", id="dp_1", object="dispute")
    made["account"] = "acct_sub"
    watch.poll()
    watch.fetch("evt_1")
    assert a.requests[-1].headers["stripe-account"] == "acct_sub"
    assert list(watch.frame["account"]) == ["acct_sub"]


def test_an_organisation_key_sends_stripe_context(a: Account) -> None:
    """B86"""
    connection = Connection(
        secret=Secret("sk_org_live_" + "o" * 40),
        mode="unknown",
        base="https://api.stripe.com",
        transport=a,
        account="acct_1",
    )
    share(connection)
    sm.watch("charge")
    sm.watch("charge", webhook_name="other", stripe_account="acct_2")
    contexts = {each.headers.get("stripe-context") for each in a.requests}
    assert contexts == {"acct_1", "acct_2"}
    assert all("stripe-account" not in each.headers for each in a.requests)


# Signing secrets


def test_a_signing_secret_is_kept_before_anything_else_can_fail(
    a: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """B92"""
    from stripe_magics import frames

    connection = share(open_connection(a))

    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError("no frame can be built")

    monkeypatch.setattr(frames, "build", broken)
    with pytest.raises(ValueError, match="no frame"):
        sm.watch("charge", url="https://example.com/x")
    kept = one_time_secrets.known(connection, one_time_secrets.endpoint_entry("we_a"))
    assert kept == Secret("whsec_aaaaaaaa")
    file = tmp_path / "signing_secrets.json"
    assert file.stat().st_mode & 0o777 == 0o600
    again = open_connection(a)
    assert one_time_secrets.known(again, one_time_secrets.endpoint_entry("we_a")) == kept, (
        "another kernel finds it"
    )
    again.close()


def test_a_lost_answer_keeps_the_secret_when_it_is_resumed(a: Account) -> None:
    """B92"""
    connection = share(open_connection(a))

    def lost(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and request.url.path == "/v1/webhook_endpoints":
            raise httpx.ReadTimeout("gone")
        return None

    a.failing = lost
    with pytest.raises(sm.OutcomeUnknown) as caught:
        sm.watch("charge", url="https://example.com/x")
    assert "resume" in caught.value.advice
    assert "signing secret" in caught.value.advice
    a.failing = lambda request: None
    answer = connection.resume(connection.pending()[0].number)
    assert one_time_secrets.known(connection, one_time_secrets.endpoint_entry("we_a")) is not None
    assert "The signing secret whsec_... of we_a is kept in" in " ".join(answer.notices)
    assert "whsec_aaaaaaaa" not in " ".join(answer.notices)


def test_a_secret_is_put_where_a_server_reads_it(
    a: Account, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """B92"""
    connection = share(open_connection(a))
    sm.watch("charge", url="https://example.com/x")
    target = tmp_path / ".env"
    target.write_text("OTHER=1\nSTRIPE_WEBHOOK_SECRET=old\n")
    said = signing_secrets.write_to(connection, "we_a", target)
    assert target.read_text() == "OTHER=1\nSTRIPE_WEBHOOK_SECRET=whsec_aaaaaaaa\n"
    assert target.stat().st_mode & 0o777 == 0o600
    assert "whsec_aaaaaaaa" not in said + capsys.readouterr().out
    with pytest.raises(KeyRefused, match="isn't here") as caught:
        signing_secrets.write_to(connection, "we_other", target)
    assert "roll it in" in caught.value.advice


def wait_for(true: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it didn't happen"
        time.sleep(0.01)


def test_reads_side_by_side_go_to_the_account_of_the_handlers_event() -> None:
    """The threads of lists, of the members of payouts and of rows act for the handler as its own thread does;
    frames say so."""
    from stripe_magics.client.call_context import CallContext, calling_for

    seen: list[tuple[str, str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path, account = request.url.path, request.headers.get("stripe-account", "")
        seen.append((path, account, request.headers["authorization"]))
        if path == "/v1/account":
            return httpx.Response(200, json={"id": account or "acct_own", "object": "account"})
        if path == "/v1/payouts":
            rows = [
                {"id": f"po_{n}", "object": "payout", "automatic": True, "arrival_date": 1_790_000_000,
                 "created": 1_789_900_000, "amount": 100, "currency": "usd", "status": "paid"}
                for n in (1, 2)
            ]  # fmt: skip
            return httpx.Response(200, json={"object": "list", "data": rows, "has_more": False, "url": path})
        return httpx.Response(200, json={"object": "list", "data": [], "has_more": False, "url": path})

    def connected(letter: str) -> Connection:
        return Connection(
            secret=Secret("sk_test_51" + letter * 40), mode="test", base="https://api.stripe.com",
            transport=httpx.MockTransport(answer),
        )  # fmt: skip

    own, other = connected("a"), share(connected("b"))
    try:
        assert own.account_object()["id"] == "acct_own"
        seen.clear()
        with calling_for(CallContext(own, event="evt_1", handler="h", account="acct_event")):
            frames = sm.pull("customers", "invoices", quiet=True)
            called = sm.call("customers.list")
            sm.report("payout_items", month="2026-09", tz="UTC")
            assert own.account_object()["id"] == "acct_event"
        assert {path for path, *_ in seen} >= {
            "/v1/customers", "/v1/invoices", "/v1/payouts", "/v1/balance_transactions",
        }  # fmt: skip
        assert {account for _, account, _ in seen} == {"acct_event"}
        assert {key for *_, key in seen} == {"Bearer sk_test_51" + "a" * 40}
        for frame in (*frames.values(), called):
            assert frame.attrs["stripe"]["account"] == "acct_event"
        assert own.account_object()["id"] == "acct_own"
    finally:
        own.close()
        other.close()
        sm.close()
