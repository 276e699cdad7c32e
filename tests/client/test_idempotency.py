"""One logical write is executed at most once, whatever happens between its first byte and its answer."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sqlite3
import stat
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from fault_server import EXPIRED, OK, RATE, Fault, FaultServer, error
from waiting import PATIENCE, joined

from client.conftest import KEY, Time, create, delete, get, open_connection, pay, policy
from stripe_magics.catalogue.module import Effect
from stripe_magics.client.http import exchange
from stripe_magics.client.journal import body_encryption, recovery
from stripe_magics.client.journal.journal import Journal, Origin
from stripe_magics.client.secret import Secret
from stripe_magics.client.shared_connection import Connection
from stripe_magics.errors import (
    CardDeclined,
    IdempotencyConflict,
    Interrupted,
    InvalidRequest,
    KeyRefused,
    NotSent,
    OutcomeUnknown,
    RepeatRefused,
    UsageFault,
)
from stripe_magics.request import Request

CELL = Origin(cell="c1", digest="d1", ordinal=1)


def once(server: FaultServer) -> bool:
    return all(count == 1 for count in server.executions.values())


# --- keys ---------------------------------------------------------------------------------------------------
def test_T29_a_post_gets_a_uuid4_and_reads_and_deletions_get_none(
    server: FaultServer, connection: Connection
) -> None:
    connection.send(create())
    connection.send(get())
    connection.send(delete("/v1/customers/cus_1"))
    key, *others = (each.key for each in server.seen)
    assert uuid.UUID(key).version == 4
    assert others == ["", ""]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_T29_in_v2_both_get_one(server: FaultServer, connection: Connection, method: str) -> None:
    server.always = Fault("before", "answer", 200, (), {"id": "x", "object": "y"})
    connection.send(
        Request(
            module="x", method=method, path="/v2/core/things/thing_1", json={"a": 1}, effect=Effect.CREATE
        )
    )
    assert uuid.UUID(server.seen[0].key).version == 4


def test_T30_a_given_key_is_used_as_it_is_in_every_attempt(
    server: FaultServer, connection: Connection
) -> None:
    server.script = [Fault("after", "reset"), Fault("after", "close")]
    connection.send(replace(pay(), idempotency_key="order 4711/a"))
    assert [each.key for each in server.seen] == ["order 4711/a"] * 3
    connection.send(pay(description="b"), idempotency_key="from-a-form")
    assert server.seen[-1].key == "from-a-form"


def test_T31_each_call_has_a_key_of_its_own(server: FaultServer, connection: Connection) -> None:
    for _ in range(3):
        connection.send(create())
    assert len({each.key for each in server.seen}) == 3
    assert len(server.executions) == 3


def test_T32_there_is_a_key_without_retries(server: FaultServer, tmp_path: Path) -> None:
    opened = open_connection(server.url, tmp_path, policy=policy(retries=0))
    opened.send(create())
    assert server.seen[0].key
    opened.close()


@pytest.mark.parametrize("key", ["x" * 256, "a\r\nb", "schlüssel", "\n", "a\tb"])
def test_T33_keys_that_cannot_be_sent(server: FaultServer, connection: Connection, key: str) -> None:
    with pytest.raises(InvalidRequest, match="Nothing was sent"):
        connection.send(replace(pay(), idempotency_key=key))
    assert server.seen == []


def test_T33_the_longest_key_and_spaces_around_one(server: FaultServer, connection: Connection) -> None:
    connection.send(replace(pay(), idempotency_key=" " + "x" * 255 + " "))
    assert server.seen[0].key == "x" * 255
    with pytest.raises(KeyRefused):
        connection.send(replace(pay(), idempotency_key=KEY))
    with pytest.raises(InvalidRequest, match="empty"):
        connection.send(replace(pay(), idempotency_key="   "))


def test_T34_a_key_of_another_request(server: FaultServer, connection: Connection) -> None:
    connection.send(replace(pay(), idempotency_key="k"))
    with pytest.raises(IdempotencyConflict, match="different request") as caught:
        connection.send(replace(pay(amount="1"), idempotency_key="k"))
    assert caught.value.type == "idempotency_error"
    assert [each.key for each in server.seen] == ["k", "k"]
    assert once(server)


# --- lost answers -------------------------------------------------------------------------------------------
def test_T36_executed_and_lost_then_replayed(server: FaultServer, connection: Connection) -> None:
    server.script = [Fault("after", "reset")]
    answer = connection.send(pay())
    assert answer.replayed
    assert "Nothing was made twice" in answer.notices[0]
    assert list(server.executions.values()) == [1]
    assert connection.pending() == []


def test_T37_a_decline_that_was_lost_is_the_saved_decline(
    server: FaultServer, connection: Connection
) -> None:
    server.script = [Fault("after", "reset")]
    with pytest.raises(CardDeclined, match="confirms"):
        connection.send(pay(decline="lost_card"))
    assert list(server.executions.values()) == [1]
    assert connection.pending() == []


def test_T38_the_first_one_still_runs(server: FaultServer, connection: Connection) -> None:
    in_use = error(409, "idempotency_error", "idempotency_key_in_use")
    server.script = [in_use, in_use]
    assert connection.send(pay()).attempts == 3
    server.script = [Fault("after", "slow", seconds=0.2)]
    connection.sleep = lambda _: time.sleep(0.08)
    answer = connection.send(pay(description="slow"))
    assert answer.replayed
    assert once(server)


def test_T38_it_runs_too_long(server: FaultServer, connection: Connection) -> None:
    server.always = error(409, "idempotency_error", "idempotency_key_in_use")
    with pytest.raises(OutcomeUnknown):
        connection.send(pay())
    assert len(server.seen) == 6


def test_T39_stop_while_sending_keeps_the_key(
    server: FaultServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = exchange._exchange

    def stop(*given: object, **more: object) -> object:
        real(*given, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(exchange, "_exchange", stop)
    with pytest.raises(Interrupted) as caught:
        connection.send(pay(), origin=CELL)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert f"%stripe resume {caught.value.operation}" in str(caught.value)
    monkeypatch.setattr(exchange, "_exchange", real)
    connection.send(get())  # the client is as good as before
    row = connection.pending()[0]
    assert row.key == server.seen[0].key
    writes = connection.writes
    answer = connection.resume(row.number)
    assert connection.writes == writes + 1  # lists that were read before may be out of date
    assert (answer.replayed, answer.idempotency_key) == (True, row.key)
    assert list(server.executions.values()) == [1]


def test_B35_stop_with_a_real_signal(server: FaultServer, connection: Connection) -> None:
    main = threading.get_ident()
    # started in the background, it would be ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press() -> None:
        until = time.monotonic() + PATIENCE
        while not server.executions and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.05)
        signal.pthread_kill(main, signal.SIGINT)

    server.script = [Fault("after", "stall", seconds=60)]
    connection.policy = policy(deadline=100.0)
    presser = threading.Thread(target=press)
    presser.start()
    try:
        with pytest.raises(Interrupted):
            connection.send(pay(), origin=CELL)
        joined(presser)
    finally:
        signal.signal(signal.SIGINT, before)
    assert server.stalled == 1  # it still doesn't answer: the Stop didn't wait for it
    again = connection.send(pay(), origin=CELL)  # the cell run again goes out under the same key
    assert again.replayed
    assert list(server.executions.values()) == [1]


# --- the same call again ------------------------------------------------------------------------------------
def test_T41_two_clicks_with_one_key_are_one_call(server: FaultServer, connection: Connection) -> None:
    server.slow = 0.2
    found: list[object] = []

    def click() -> None:
        try:
            found.append(connection.send(pay(), idempotency_key="form-1").replayed)
        except RepeatRefused as refused:
            found.append(refused)

    threads = [threading.Thread(target=click) for _ in range(2)]
    for each in threads:
        each.start()
    joined(*threads)
    assert len(server.seen) == 1
    assert sorted(type(each).__name__ for each in found) == ["RepeatRefused", "bool"]
    assert "on its way" in str(next(each for each in found if isinstance(each, RepeatRefused)))


def test_T41_click_timeout_click(server: FaultServer, connection: Connection) -> None:
    server.script = [Fault("after", "stall", seconds=60)] * 3
    patient, connection.policy = connection.policy, policy(deadline=0.3)
    with pytest.raises(OutcomeUnknown):
        connection.send(pay(), idempotency_key="form-1")
    connection.policy = patient
    assert connection.send(pay(), idempotency_key="form-1").replayed
    assert {each.key for each in server.seen} == {"form-1"}
    assert list(server.executions.values()) == [1]


def test_T41_an_edit_after_an_unknown_outcome_is_blocked(server: FaultServer, connection: Connection) -> None:
    server.script = [Fault("after", "reset")] * 3
    with pytest.raises(OutcomeUnknown):
        connection.send(pay(), idempotency_key="form-1")
    count = len(server.seen)
    with pytest.raises(IdempotencyConflict, match="isn't known"):
        connection.send(pay(amount="3000"), idempotency_key="form-1")
    with pytest.raises(OutcomeUnknown, match="Nothing was sent now"):
        connection.send(pay(), idempotency_key="form-2")  # nor the same content under another key
    assert len(server.seen) == count
    connection.resume(connection.pending()[0].number)
    connection.send(pay(amount="3000"), idempotency_key="form-3")
    assert once(server)


def test_T42_too_late_to_resume(server: FaultServer, tmp_path: Path) -> None:
    clock = Time()
    opened = open_connection(server.url, tmp_path, clock=clock)
    server.script = [Fault("after", "reset")] * 3
    with pytest.raises(OutcomeUnknown) as caught:
        opened.send(pay(), origin=CELL)
    clock.ahead = 23.5 * 3600
    count = len(server.seen)
    with pytest.raises(OutcomeUnknown, match="reconcile"):
        opened.resume(caught.value.operation)
    with pytest.raises(OutcomeUnknown, match="too late"):
        opened.send(pay(), origin=CELL)
    with pytest.raises(OutcomeUnknown):
        opened.send(pay(), origin=CELL, again=True)
    assert len(server.seen) == count
    opened.close()


def test_T43_an_identical_create_from_another_cell_asks_for_again(
    server: FaultServer, connection: Connection
) -> None:
    connection.send(create(name="Jenny"), origin=CELL)
    other = Origin(cell="c2", digest="d2", ordinal=1)
    with pytest.raises(RepeatRefused, match=r"(?s)cus_1.*--again") as caught:
        connection.send(create(name="Jenny"), origin=other)
    assert caught.value.result == "cus_1"
    assert len(server.seen) == 1
    connection.send(create(name="Jenny"), origin=other, again=True)
    connection.send(create(name="Jenny"))  # Python without a cell isn't held up
    connection.send(create(name="Jim"), origin=other)
    assert len(server.executions) == 4


def test_B39_a_cell_run_again_gives_the_saved_result_and_says_so(server: FaultServer, tmp_path: Path) -> None:
    clock = Time()
    opened = open_connection(server.url, tmp_path, clock=clock)
    first = opened.send(create(name="Jenny"), origin=CELL)
    clock.ahead = 3600
    again = opened.send(create(name="Jenny"), origin=CELL)
    assert again.data == first.data
    assert again.replayed
    assert re.search(r"this cell created cus_1 at (\d{4}-\d\d-\d\d )?\d\d:\d\d", again.notices[0])
    assert list(server.executions.values()) == [1]
    opened.send(create(name="Jenny"), origin=CELL, again=True)
    assert len(server.executions) == 2
    clock.ahead = 3600 + 23.5 * 3600
    with pytest.raises(RepeatRefused, match="--again"):
        opened.send(create(name="Jenny"), origin=CELL)
    opened.close()


def test_B39_a_loop_in_a_cell_makes_as_many_as_it_says_and_no_more_when_run_again(
    server: FaultServer, connection: Connection
) -> None:
    for _ in range(2):
        for ordinal in (1, 2, 3):
            connection.send(create(name="same"), origin=Origin("c1", "d1", ordinal))
    assert len(server.executions) == 3
    assert once(server)


def test_B39_a_loop_whose_rows_moved_repeats_none(server: FaultServer, connection: Connection) -> None:
    for ordinal, name in enumerate("abc", 1):
        connection.send(create(name=name), origin=Origin("c1", "d1", ordinal))
    for ordinal, name in enumerate("cbda", 1):
        connection.send(create(name=name), origin=Origin("c1", "d1", ordinal))
    assert len(server.executions) == 4
    assert once(server)


def test_B39_an_update_run_again_is_made_again(server: FaultServer, connection: Connection) -> None:
    """Replaying its saved answer would say that a value is there which another cell has changed since."""
    update = create("/v1/customers/cus_1", effect=Effect.UPDATE, name="X")
    assert not connection.send(update, origin=CELL).replayed
    assert not connection.send(update, origin=CELL).replayed
    assert len(server.executions) == 2


def test_B39_a_refused_call_run_again_has_a_new_key(server: FaultServer, connection: Connection) -> None:
    for _ in range(2):
        with pytest.raises(InvalidRequest):
            connection.send(create(invalid="name"), origin=CELL)
    assert server.seen[0].key != server.seen[1].key


def test_B37_an_unresolved_call_blocks_an_identical_one(server: FaultServer, connection: Connection) -> None:
    server.script = [Fault("after", "close")] * 3
    with pytest.raises(OutcomeUnknown):
        connection.send(pay())
    count = len(server.seen)
    with pytest.raises(OutcomeUnknown, match="Nothing was sent now"):
        connection.send(pay())
    with pytest.raises(OutcomeUnknown):
        connection.send(pay(), origin=CELL)
    assert len(server.seen) == count
    connection.send(pay(amount="1"))
    number = connection.pending()[0].number
    assert list(recovery.frame(connection)["operation"]) == [number]
    assert connection.resume(number).replayed
    assert recovery.frame(connection).empty
    connection.send(pay())
    assert once(server)


def _dies(url: str, folder: str) -> None:
    opened = open_connection(url, Path(folder), policy=policy(deadline=30.0))
    opened.send(pay(), origin=CELL)


@pytest.mark.parametrize("how", ["resume", "cell"])
def test_B37_a_process_that_was_killed(server: FaultServer, tmp_path: Path, how: str) -> None:
    server.script = [Fault("after", "stall", seconds=20)]
    process = multiprocessing.get_context("spawn").Process(target=_dies, args=(server.url, str(tmp_path)))
    process.start()
    deadline = time.monotonic() + 60
    while not server.executions and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    joined(process)
    opened = open_connection(server.url, tmp_path)
    rows = opened.pending()
    assert [each.key for each in rows] == [server.seen[0].key]
    with pytest.raises(OutcomeUnknown):
        opened.send(pay(), origin=Origin("other", "other", 1))
    answer = opened.resume(rows[0].number) if how == "resume" else opened.send(pay(), origin=CELL)
    assert answer.replayed
    assert answer.data["object"] == "payment_intent"
    assert list(server.executions.values()) == [1]
    assert opened.pending() == []
    opened.close()


def test_B37_another_connection_of_the_same_account_knows(server: FaultServer, tmp_path: Path) -> None:
    """A rolled key of the same account is the same account; another account isn't."""
    first = open_connection(server.url, tmp_path, key="sk_test_51AccountAccount" + "a" * 30)
    rolled = open_connection(server.url, tmp_path, key="sk_test_51AccountAccount" + "b" * 30)
    other = open_connection(server.url, tmp_path, key="sk_test_51OtherOtherOtherx" + "b" * 30)
    first.send(pay(), origin=CELL)
    with pytest.raises(RepeatRefused):
        rolled.send(pay(), origin=Origin("c2", "d2", 1))
    other.send(pay(), origin=Origin("c2", "d2", 1))
    assert len(server.executions) == 2
    for each in (first, rolled, other):
        each.close()


def test_B58_the_connected_account_is_part_of_the_call(server: FaultServer, connection: Connection) -> None:
    connection.send(pay(), origin=CELL)
    connection.send(replace(pay(), headers=(("Stripe-Account", "acct_9"),)), origin=Origin("c2", "d2", 1))
    assert len(server.executions) == 2
    assert server.seen[-1].headers["stripe-account"] == "acct_9"


# --- the journal --------------------------------------------------------------------------------------------
def test_T45_the_journal_can_be_read_by_its_owner_only_and_holds_no_secret(
    server: FaultServer, tmp_path: Path
) -> None:
    opened = open_connection(server.url, tmp_path)
    body = {
        "card[number]": "4242424242424242",
        "card[cvc]": "98765432",
        "return_url": "https://shop.example/private-path",
        "name": "Jenny Rosen",
    }
    server.script = [Fault("after", "reset")] * 3
    with pytest.raises(OutcomeUnknown):
        opened.send(pay(**body), origin=CELL)
    server.script = [Fault("after", "reset")] * 3
    with pytest.raises(OutcomeUnknown):
        opened.send(pay(client_secret="pi_1_secret_abcdef123456"))
    server.script = [Fault("after", "reset")] * 3
    with pytest.raises(OutcomeUnknown):
        opened.send(pay(description="the plain name of Jenny Rosen"))
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
        data = file.read_bytes()
        for secret in (KEY, KEY[-12:], "4242424242", "98765432", "secret_abc", "Jenny Rosen", "private-path"):
            assert secret.encode() not in data, (file, secret)
    rows = opened.pending()
    assert [each.sealed is None for each in rows] == [True, True, False]  # card data isn't even kept sealed
    opened.resume(rows[2].number)
    assert opened.journal.get(rows[2].number).sealed is None
    with pytest.raises(OutcomeUnknown, match="same cell"):
        opened.resume(rows[0].number)
    assert opened.send(pay(**body), origin=CELL).replayed
    opened.close()
    assert once(server)


def test_the_key_is_on_disk_before_the_first_byte(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_connection(server.url, tmp_path)
    seen: list[str] = []
    real = exchange._exchange

    def look(*given: object, **more: object) -> object:
        other = Journal(tmp_path)
        seen.extend(each.key for each in other.by_key(str(given[2])))
        other.close()
        return real(*given, **more)

    monkeypatch.setattr(exchange, "_exchange", look)
    opened.send(pay())
    assert seen == [server.seen[0].key]
    opened.close()


def test_B56_threads_and_processes_share_one_journal(server: FaultServer, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_many, args=(server.url, str(tmp_path), index)) for index in range(2)]
    for each in processes:
        each.start()
    opened = open_connection(server.url, tmp_path, policy=policy(deadline=5.0, connect=5.0))
    threads = [
        threading.Thread(
            target=lambda index=index: [opened.send(create(name=f"t{index}-{n}")) for n in range(10)]
        )
        for index in range(6)
    ]
    for each in threads:
        each.start()
    joined(*threads)
    joined(*processes)
    for each in processes:
        assert each.exitcode == 0
    assert len(server.executions) == 60 + 2 * 10
    assert once(server)
    assert opened.pending() == []
    opened.close()


def _many(url: str, folder: str, index: int) -> None:
    opened = open_connection(url, Path(folder), policy=policy(deadline=5.0, connect=5.0))
    for number in range(10):
        opened.send(create(name=f"p{index}-{number}"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # forking with threads is what is tried here
def test_B56_after_a_fork_the_child_has_a_client_of_its_own(
    server: FaultServer, connection: Connection
) -> None:
    connection.send(create(name="parent"))
    before = connection.http()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            connection.send(create(name="child"))
            code = 0 if connection.http() is not before else 2
        finally:
            os._exit(code)
    status, until = (0, 0), time.monotonic() + PATIENCE
    while status[0] == 0 and time.monotonic() < until:
        time.sleep(0.01)
        status = os.waitpid(child, os.WNOHANG)
    if status[0] == 0:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)  # it was killed
    assert status == (child, 0)
    connection.send(create(name="parent again"))
    assert connection.http() is before
    assert once(server)


def test_seals_open_only_with_the_same_key() -> None:
    sealed = body_encryption.seal(b"name=Jenny", Secret(KEY), b"salt")
    assert b"Jenny" not in sealed
    assert body_encryption.unseal(sealed, Secret(KEY), b"salt") == b"name=Jenny"
    assert body_encryption.unseal(sealed, Secret(KEY + "x"), b"salt") is None
    assert body_encryption.unseal(sealed, Secret(KEY), b"other") is None
    assert body_encryption.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), Secret(KEY), b"salt") is None
    assert body_encryption.seal(b"name=Jenny", Secret(KEY), b"salt") != sealed


def test_the_journal_refuses_another_accounts_operation(server: FaultServer, tmp_path: Path) -> None:
    opened = open_connection(server.url, tmp_path)
    server.script = [Fault("after", "reset")] * 3
    with pytest.raises(OutcomeUnknown) as caught:
        opened.send(pay())
    other = open_connection(server.url, tmp_path, key="sk_test_51OtherOtherOtherx" + "b" * 30)
    with pytest.raises(UsageFault, match="another account"):
        other.resume(caught.value.operation)
    with pytest.raises(UsageFault, match="no operation"):
        other.resume(999)
    opened.close()
    other.close()


# --- finding out --------------------------------------------------------------------------------------------
def _lose(server: FaultServer, connection: Connection, request: Request, when: str = "after") -> int:
    server.script = [Fault(when, "reset")] * 3
    with pytest.raises(OutcomeUnknown) as caught:
        connection.send(request)
    return int(caught.value.operation)


def test_reconcile_by_the_event_that_names_the_key(server: FaultServer, connection: Connection) -> None:
    number = _lose(server, connection, pay())
    posts = len([each for each in server.seen if each.method == "POST"])
    found = connection.reconcile(number)
    assert found.proven
    assert "pi_1" in str(found)
    assert connection.journal.get(number).result == "pi_1"
    assert connection.pending() == []
    assert len([each for each in server.seen if each.method == "POST"]) == posts


def test_reconcile_by_what_is_known_of_it(server: FaultServer, connection: Connection) -> None:
    number = _lose(server, connection, pay())
    server.events.clear()
    found = connection.reconcile(number)
    assert not found.proven
    assert [each["id"] for each in found.objects] == ["pi_1"]
    assert len(connection.pending()) == 1


def test_reconcile_of_what_never_arrived(server: FaultServer, tmp_path: Path) -> None:
    clock = Time()
    server.clock = clock.now
    opened = open_connection(server.url, tmp_path, clock=clock)
    opened.send(get())  # from here on Stripe's time is known
    number = _lose(server, opened, pay(), when="before")
    early = opened.reconcile(number)
    assert early.outcome == "unknown"
    assert "too early" in str(early)
    clock.ahead = 600
    found = opened.reconcile(number)
    assert found.outcome == "not made"
    assert "--again" in str(found)
    assert "0 events and 0 objects" in str(found)
    assert opened.pending() == []
    with pytest.raises(RepeatRefused, match="made nothing"):
        opened.send(pay(), origin=CELL)
    opened.send(pay(), origin=CELL, again=True)
    assert list(server.executions.values()) == [1]
    opened.close()


def _others(server: FaultServer, count: int, at: float) -> None:
    """Events and objects of other people, newest first."""
    for number in range(count):
        made = {"id": f"pi_other{number}", "object": "payment_intent", "created": int(at), "amount": 2000}
        server.objects[made["id"]] = made
        server.events.insert(
            0,
            {
                "id": f"evt_other{number}",
                "object": "event",
                "type": "payment_intent.created",
                "created": int(at),
                "livemode": False,
                "data": {"object": made},
                "request": {"id": f"req_other{number}", "idempotency_key": f"other-{number}"},
            },
        )


def test_B65_thousands_of_newer_events(server: FaultServer, tmp_path: Path) -> None:
    clock = Time()
    server.clock = clock.now
    opened = open_connection(server.url, tmp_path, clock=clock)
    opened.send(get())
    number = _lose(server, opened, pay())
    made = list(server.objects)[-1]
    clock.ahead = 900
    _others(server, 1100, clock.now())
    found = opened.reconcile(number)
    assert (found.outcome, opened.journal.get(number).result) == ("made", made)
    opened.close()


@pytest.mark.parametrize("off", [125.0, -125.0, 7200.0])
@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("when", ["before", "after"])
def test_B65_a_clock_that_is_off(
    server: FaultServer, tmp_path: Path, off: float, corrected: bool, when: str
) -> None:
    here, passed = Time(), [0.0]
    here.ahead = off
    server.clock = lambda: time.time() + passed[0]
    opened = open_connection(server.url, tmp_path, clock=here)
    opened.send(get())
    number = _lose(server, opened, pay(), when=when)
    passed[0] = 1000.0
    here.ahead = 1000.0 + (0.0 if corrected else off)
    found = opened.reconcile(number)
    if when == "after":
        assert found.outcome == "made"
    else:  # a local clock that went back says itself that it is too early
        assert found.outcome == ("unknown" if corrected and off > 1000 else "not made")
    opened.close()


def test_B65_without_stripes_time_nothing_is_proven(server: FaultServer, tmp_path: Path) -> None:
    clock = Time()
    server.clock = clock.now
    opened = open_connection(server.url, tmp_path, clock=clock)
    number = _lose(server, opened, pay(), when="before")
    clock.ahead = 600
    found = opened.reconcile(number)
    assert found.outcome == "unknown"
    assert "--again" not in str(found)
    assert len(opened.pending()) == 1
    assert opened.resume(number).data["object"] == "payment_intent"
    opened.close()


@pytest.mark.parametrize(
    "fault",
    [error(403, "invalid_request_error", "permission"), error(500, "api_error"), Fault("before", "reset")],
    ids=["not allowed", "fails", "breaks off"],
)
@pytest.mark.parametrize("reads", [1, 2, 3, 4])
def test_B65_a_search_that_broke_off_proves_nothing(
    server: FaultServer, tmp_path: Path, fault: Fault, reads: int
) -> None:
    clock = Time()
    server.clock = clock.now
    opened = open_connection(server.url, tmp_path, clock=clock)
    opened.send(get())
    number = _lose(server, opened, pay(), when="before")
    clock.ahead = 600
    _others(server, 150, clock.now() - 300)  # two pages of events and two of objects
    server.script = [*[OK] * reads, *[fault] * 3]
    found = opened.reconcile(number)
    assert found.outcome == "unknown", str(found)
    assert "--again" not in str(found)
    server.script = []
    assert opened.reconcile(number).outcome == "not made"  # all others' payments were made by others
    opened.close()


def test_B65_events_of_an_old_api_version_prove_nothing(server: FaultServer, tmp_path: Path) -> None:
    clock = Time()
    server.clock = clock.now
    opened = open_connection(server.url, tmp_path, clock=clock)
    opened.send(get())
    number = _lose(server, opened, pay(), when="before")
    clock.ahead = 600
    _others(server, 1, clock.now() - 300)
    server.events[0]["request"] = "req_1"
    assert opened.reconcile(number).outcome == "unknown"
    opened.close()


def test_reconcile_of_an_action_shows_the_object(server: FaultServer, connection: Connection) -> None:
    made = connection.send(pay()).data["id"]
    number = _lose(
        server, connection, create(f"/v1/payment_intents/{made}/capture", effect=Effect.IRREVERSIBLE)
    )
    server.events.clear()
    assert made in str(connection.reconcile(number))


def test_resume_that_fails_again_stays_unknown(server: FaultServer, connection: Connection) -> None:
    number = _lose(server, connection, pay())
    for later in (RATE, EXPIRED):
        server.script = [later] * 3
        with pytest.raises(OutcomeUnknown):
            connection.resume(number)
    assert [each.number for each in connection.pending()] == [number]
    server.script = []
    assert connection.resume(number).replayed
    assert list(server.executions.values()) == [1]


@pytest.mark.parametrize("where", ["learn", "exchange", "on_success"])
def test_B35_stop_between_any_two_lines(
    server: FaultServer, connection: Connection, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The answer is there but not yet written down: that is unknown, not "nothing was done"."""
    from stripe_magics.client.http import logging_filter
    from stripe_magics.client.sending import outcomes

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    owner = {"learn": connection, "exchange": logging_filter, "on_success": outcomes}[where]
    with monkeypatch.context() as patch:
        patch.setattr(owner, where, stop)
        with pytest.raises(Interrupted):
            connection.send(pay(), origin=CELL)
    assert connection.send(pay(), origin=CELL).replayed
    assert list(server.executions.values()) == [1]


def test_B35_stop_before_the_first_attempt_does_not_block_the_cell(
    server: FaultServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stop right after the journal was written: the row is there, the thread that wrote it is gone from
    it."""
    from stripe_magics.client.sending import sender

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sender, "_journalled", stop)
        with pytest.raises(KeyboardInterrupt):
            connection.send(pay(), origin=CELL)
    assert len(connection.pending()) == 1
    connection.send(pay(), origin=CELL)
    assert list(server.executions.values()) == [1]
    assert connection.pending() == []


def test_B39_a_run_again_with_another_number_of_calls_before_is_still_a_run_again(
    server: FaultServer, connection: Connection
) -> None:
    connection.send(create(name="a"), origin=Origin("c1", "d1", 1, run=1))
    assert connection.send(create(name="a"), origin=Origin("c1", "d1", 2, run=2)).replayed
    assert list(server.executions.values()) == [1]


@pytest.mark.parametrize("broken", ["folder", "file"])
def test_without_a_journal_nothing_is_written_but_reading_works(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    from stripe_magics.client.shared_connection import close, connect

    place = tmp_path / "place"
    if broken == "folder":
        place.write_text("a file")
    else:
        place.mkdir()
        (place / "journal.sqlite").write_bytes(b"no database" * 1000)
    monkeypatch.setenv("STRIPE_MAGICS_STATE_DIR", str(place))
    monkeypatch.setenv("STRIPE_API_KEY", KEY)
    opened = connect(env="STRIPE_API_KEY", api_base=server.url)
    try:
        with pytest.raises(NotSent, match="STRIPE_MAGICS_STATE_DIR"):
            opened.send(pay())
        assert [each for each in server.seen if each.method == "POST"] == []
        opened.send(get())
        assert "journal" in opened.status()
    finally:
        close()


def test_a_disk_that_is_full_afterwards_does_not_hide_the_answer(
    server: FaultServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(connection.journal, "record_result", full)
        answer = connection.send(pay(), origin=CELL)
    assert answer.data["id"] == "pi_1"
    assert "disk is full" in answer.notices[-1]
    assert connection.send(pay(), origin=CELL).replayed
    assert list(server.executions.values()) == [1]
    assert connection.pending() == []


def test_a_journal_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    before = Journal(tmp_path)
    before.pending()
    before.close()
    db = sqlite3.connect(tmp_path / "journal.sqlite")
    for name in ("stripe_first", "stripe_last"):
        db.execute(f"ALTER TABLE operation DROP COLUMN {name}")
    db.execute(
        "INSERT INTO operation VALUES"
        " (7,'k','s','test','','v','customers.create','create','POST','/v1/customers','b',"
        "'','',1,1.0,1.0,0,'unknown',1,'',0,'','','{}',NULL)"
    )
    db.commit()
    db.close()
    opened = Journal(tmp_path)
    (row,) = opened.pending()
    assert (row.number, row.stripe_first, row.stripe_last) == (7, None, None)
    opened.close()
