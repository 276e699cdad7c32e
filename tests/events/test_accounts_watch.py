"""A watch over several connected accounts: each read from where it was read to, each row with its account,
one thing to show and to stop."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pandas as pd
import pytest

import stripe_magics as sm
from stripe_magics import events
from stripe_magics.client.connection import Connection
from stripe_magics.client.secret import Secret
from stripe_magics.client.shared_connection import share
from stripe_magics.errors import PermissionDenied, UsageFault
from stripe_magics.events.live_view import LiveViewModel
from tests.events.doubles import event


class Platform(httpx.BaseTransport):
    """A platform with connected accounts: each lists its own events, and takes refunds by its own name."""

    def __init__(self, *accounts: str) -> None:
        self.names = {each: f"{each.removeprefix('acct_').title()} Ltd" for each in accounts}
        self.events: dict[str, list[dict[str, Any]]] = {each: [] for each in ("", *accounts)}
        self.requests: list[httpx.Request] = []
        self.refunds: list[tuple[str, str]] = []
        self.gone: set[str] = set()
        self.down: set[str] = set()

    def add(
        self, account: str, id: str, type: str = "charge.failed", /, *, ago: int = 0, **subject: Any
    ) -> None:
        self.events[account].append(event(id, type, int(time.time()) - ago, **subject))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        account, path = request.headers.get("stripe-account", ""), request.url.path
        if account in self.gone or (path == "/v1/events" and account in self.down):
            if account in self.down:
                raise httpx.ConnectError("no route", request=request)
            error = {
                "error": {
                    "type": "invalid_request_error",
                    "code": "account_invalid",
                    "message": "no access to that account",
                }
            }
            return self._answer(error, 403)
        if path == "/v1/account":
            return self._answer({"id": "acct_platform", "object": "account"})
        if path == "/v1/accounts":
            rows = [self._account(each) for each in self.names]
            return self._answer({"object": "list", "data": rows, "has_more": False, "url": path})
        if path.startswith("/v1/accounts/"):
            return self._answer(self._account(path.rpartition("/")[2]))
        if path == "/v1/events":
            since = int(request.url.params.get("created[gte]", 0))
            rows = [each for each in self.events[account] if each["created"] >= since]
            rows.sort(key=lambda each: (each["created"], each["id"]), reverse=True)
            return self._answer({"object": "list", "data": rows, "has_more": False, "url": path})
        if path == "/v1/refunds":
            self.refunds.append((account, request.content.decode()))
            return self._answer({"id": f"re_{len(self.refunds)}", "object": "refund", "livemode": False})
        return self._answer(
            {
                "id": path.rpartition("/")[2],
                "object": "charge",
                "livemode": False,
                "description": f"of {account}",
            }
        )

    def _account(self, id: str) -> dict[str, Any]:
        return {"id": id, "object": "account", "business_profile": {"name": self.names[id]}}

    @staticmethod
    def _answer(data: dict[str, Any], status: int = 200) -> httpx.Response:
        headers = {"Request-Id": "req_1", "Date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())}
        return httpx.Response(status, content=json.dumps(data).encode(), headers=headers)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Platform]:
    monkeypatch.setenv("STRIPE_MAGICS_STATE_DIR", str(tmp_path))
    made = Platform("acct_rosen", "acct_tulip", "acct_mint")
    key = Secret(f"sk_test_51{'p' * 60}")
    connection = Connection(
        secret=key, mode="test", base="https://api.stripe.com", transport=made, sleep=lambda seconds: None
    )
    share(connection)
    yield made
    sm.close()


ACCOUNTS = ["acct_rosen", "acct_tulip"]


def test_every_row_names_its_account(platform: Platform) -> None:
    platform.add("acct_rosen", "evt_r", id="ch_r", amount=500, currency="eur")
    platform.add("acct_tulip", "evt_t", id="ch_t")
    platform.add("acct_mint", "evt_m")
    watch = sm.watch("charge", accounts=pd.DataFrame({"account": ACCOUNTS}), since="1h")
    frame = watch.frame
    assert dict(zip(frame["account"], frame["account_name"], strict=True)) == {
        "acct_rosen": "Rosen Ltd",
        "acct_tulip": "Tulip Ltd",
    }
    assert [each["account"] for each in frame["payload"]] == list(frame["account"]), "handlers see it too"
    assert "Rosen Ltd (acct_rosen)" in repr(watch)
    sent: list[dict[str, Any]] = []
    view = LiveViewModel(watch)
    view.attach(sent.append)
    view.on_message({"ready": True})
    assert "account" in sent[0]["columns"]
    assert {each["account"] for each in sent[0]["rows"]} == {
        "Rosen Ltd (acct_rosen)",
        "Tulip Ltd (acct_tulip)",
    }
    assert watch.fetch("evt_t")["description"] == "of acct_tulip"
    status = events.status()
    assert list(status["account"]) == ["Rosen Ltd (acct_rosen)", "Tulip Ltd (acct_tulip)"]
    asked = [
        each.headers.get("stripe-account") for each in platform.requests if each.url.path == "/v1/events"
    ]
    assert set(asked) == set(ACCOUNTS), "the platform's own list and the others' are not read"


def test_each_account_is_read_from_where_it_was_read_to(platform: Platform) -> None:
    handled: list[tuple[str, str]] = []

    def note(each: dict[str, Any]) -> None:
        handled.append((each["account"], each["id"]))

    first = sm.watch("charge", accounts=ACCOUNTS)
    first.on("charge.failed", note)
    first.poll()
    first.stop()
    platform.add("acct_rosen", "evt_gap1")
    platform.add("acct_tulip", "evt_gap2")
    second = sm.watch("charge", accounts=[*ACCOUNTS, "acct_mint"])
    second.on("charge.failed", note)
    second.poll()
    assert sorted(handled) == [("acct_rosen", "evt_gap1"), ("acct_tulip", "evt_gap2")]
    third = sm.watch("charge", accounts=ACCOUNTS, since={"acct_tulip": "1h"})
    third.on("charge.failed", note)
    third.poll()
    assert len(handled) == 2, "each once"


def test_backfill_by_account(platform: Platform) -> None:
    platform.add("acct_rosen", "evt_old_r", ago=7200)
    platform.add("acct_tulip", "evt_old_t", ago=7200)
    watch = sm.watch("charge", accounts=ACCOUNTS, since={"acct_tulip": "3h"})
    given = [
        each["id"] for watch_ in watch.watches for each in (one.event for one in watch_.news_after(None))
    ]
    assert given == ["evt_old_t"]
    with pytest.raises(UsageFault, match="acct_other, which isn't watched"):
        sm.watch("charge", accounts=ACCOUNTS, since={"acct_other": "3h"})


def test_what_a_handler_does_goes_to_the_events_account(platform: Platform) -> None:
    watch = sm.watch("charge", accounts=ACCOUNTS)

    @watch.on("charge.dispute.created")
    def refund(each: dict[str, Any]) -> None:
        sm.call("refunds.create", charge=each["data"]["object"]["charge"])

    platform.add("acct_tulip", "evt_d1", "charge.dispute.created", charge="ch_tulip")
    platform.add("acct_rosen", "evt_d2", "charge.dispute.created", charge="ch_rosen")
    watch.poll()
    watch.poll()
    assert sorted(platform.refunds) == [("acct_rosen", "charge=ch_rosen"), ("acct_tulip", "charge=ch_tulip")]


def test_connect_watches_all_that_are_connected(platform: Platform) -> None:
    watch = sm.watch("charge", connect=True)
    assert [each.account.account for each in watch.watches] == ["acct_rosen", "acct_tulip", "acct_mint"]
    assert not [each for each in platform.requests if each.url.path.startswith("/v1/accounts/")], (
        "names come with the list"
    )


def test_an_account_that_goes_away_ends_alone_with_a_word(platform: Platform) -> None:
    platform.gone = {"acct_tulip"}
    watch = sm.watch("charge", accounts=ACCOUNTS)
    assert watch.running
    assert any(note.startswith("Tulip Ltd (acct_tulip): ") for note in watch.notes), watch.notes
    assert "1 account watching" in watch.state
    platform.add("acct_rosen", "evt_1")
    watch.poll()
    assert list(watch.frame["id"]) == ["evt_1"]


def test_an_account_that_cant_be_reached_at_first_is_tried_again(platform: Platform) -> None:
    platform.down = {"acct_tulip"}
    watch = sm.watch("charge", accounts=ACCOUNTS)
    assert [each.running for each in watch.watches] == [True, True]
    platform.down = set()
    platform.add("acct_tulip", "evt_1")
    watch.poll()
    assert list(watch.frame["id"]) == ["evt_1"]
    platform.gone = set(ACCOUNTS)
    with pytest.raises(sm.StripeError):
        sm.watch("charge", accounts=ACCOUNTS)
    assert not events.stop(), "what was watched before was replaced, and what can't be read isn't watched"


def test_running_the_cell_again_replaces_and_stop_ends_all(platform: Platform) -> None:
    first = sm.watch("charge", accounts=[*ACCOUNTS, "acct_mint"])
    second = sm.watch("charge", accounts=ACCOUNTS)
    assert not first.running
    assert len(events.status()) == 2
    assert events.stop() == ["watch", "watch"]
    assert not second.running
    assert list(second) == [], "a loop over it ends"


def test_stop_waits_once_for_all_handlers_that_hang(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many accounts, whatever their handlers do: the threads are waited for together."""
    waited: list[float] = []
    watch = sm.watch("charge", accounts=[*ACCOUNTS, "acct_mint"])
    for each in watch.watches:
        join = each.join
        monkeypatch.setattr(
            each, "join", lambda seconds, join=join: (waited.append(seconds), time.sleep(0.2), join(seconds))
        )
    watch.stop()
    assert waited[0] > waited[1] > waited[2], "each has what the others left"
    assert sum(waited) < 3 * 0.8


def test_a_loop_gets_the_news_of_all(platform: Platform) -> None:
    watch = sm.watch("charge", accounts=ACCOUNTS)
    platform.add("acct_rosen", "evt_1")
    platform.add("acct_tulip", "evt_2")
    watch.poll()
    watch.stop()
    assert sorted((each["account"], each["id"]) for each in watch) == [
        ("acct_rosen", "evt_1"),
        ("acct_tulip", "evt_2"),
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"accounts": "cus_1"}, "not an account"),
        ({"accounts": []}, "there is no account"),
        ({"accounts": [f"acct_{number}" for number in range(101)]}, "up to 100"),
        ({"accounts": ["acct_rosen"], "stripe_account": "acct_rosen"}, "one account"),
    ],
)
def test_what_cant_be_watched_is_refused(platform: Platform, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageFault, match=said):
        sm.watch("charge", **options)
    assert len(events.status()) == 0


def test_the_printed_command_forwards_connect_events(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_" + "a" * 32)
    watch = sm.listen("charge.failed", connect=True)
    said = capsys.readouterr().out
    assert f"stripe listen --forward-connect-to {watch.receiver.url} --events charge.failed" in said
    assert watch.shows_accounts


def test_an_account_that_loses_access_keeps_none_of_the_others_from_a_read(platform: Platform) -> None:
    watch = sm.watch("charge", accounts=ACCOUNTS, since="1h")
    platform.gone.add("acct_rosen")
    platform.add("acct_tulip", "evt_t")
    with pytest.raises(PermissionDenied):
        watch.poll()
    assert [each.event["id"] for each in watch.stored()] == ["evt_t"]


def test_a_store_that_is_locked_keeps_no_other_account_from_a_read(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = sm.watch("charge", accounts=ACCOUNTS, since="1h")
    platform.add("acct_tulip", "evt_t")
    (rosen,) = [each for each in watch.watches if each.account.account == "acct_rosen"]

    def locked(**_: Any) -> Any:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(rosen._poller, "read", locked)
    with pytest.raises(sqlite3.OperationalError):
        watch.poll()
    assert [each.event["id"] for each in watch.stored()] == ["evt_t"]


def test_a_view_that_fails_keeps_no_other_from_the_news(platform: Platform) -> None:
    watch = sm.watch("charge", accounts=ACCOUNTS)

    def closed(what: str, data: object) -> None:
        raise RuntimeError("the page is gone")

    heard: list[tuple[str, object]] = []
    watch.listeners.extend([closed, lambda what, data: heard.append((what, data))])
    for number in range(2):
        platform.add("acct_rosen", f"evt_{number}", id=f"ch_{number}")
        watch.poll()
    assert [what for what, _ in heard].count("events") == 2
    assert closed not in watch.listeners
    assert any("A view was dropped" in note for note in watch.notes)
