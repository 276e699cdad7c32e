"""The receiver takes what Stripe signed and nothing else, quickly, whatever the kernel is doing."""

from __future__ import annotations

import http.client
import io
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest
from events.doubles import event
from waiting import joined

from stripe_magics.client.secret import Secret
from stripe_magics.errors import KeyRefused
from stripe_magics.events import receiver as module
from stripe_magics.events.receiver import Receiver
from stripe_magics.events.signature import sign
from stripe_magics.events.webhook_delivery import post

SECRET = Secret("whsec_" + "a" * 32)
OTHER = Secret("whsec_" + "b" * 32)


class Kept:
    """What a receiver handed on."""

    def __init__(self) -> None:
        self.accepted: list[str] = []
        self.handled: list[str] = []
        self.failing: Exception | None = None

    def accept(self, event: dict[str, Any]) -> bool:
        if self.failing is not None:
            raise self.failing
        fresh = event["id"] not in self.accepted
        self.accepted.append(event["id"])
        return fresh

    def handle(self, event: dict[str, Any]) -> None:
        self.handled.append(event["id"])


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def receiver(kept: Kept) -> Iterator[Receiver]:
    made = Receiver(kept.accept, kept.handle, secrets_=[SECRET], hosts=["shop.example.net"]).start()
    yield made
    made.stop()


def ask(
    receiver: Receiver, method: str = "POST", path: str | None = None, body: bytes = b"{}", **headers: str
) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=60)
    try:
        connection.request(
            method,
            receiver.path if path is None else path,
            body,
            {k.replace("_", "-"): v for k, v in headers.items()},
        )
        return connection.getresponse().status
    finally:
        connection.close()


def signed(body: bytes, secret: Secret = SECRET) -> dict[str, str]:
    now = int(time.time())
    return {"Stripe_Signature": f"t={now},v1={sign(body, secret, now)}"}


def raw(receiver: Receiver, data: bytes, *, seconds: float = 10) -> bytes:
    """Send bytes as they are; what comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=seconds) as connection:
        connection.sendall(data)
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
        return answer


def test_a_signed_event_is_kept_and_handled(receiver: Receiver, kept: Kept) -> None:
    assert post(receiver, event("evt_1"), SECRET) == 200
    assert kept.accepted == ["evt_1"], "kept before the answer"
    wait_for(lambda: kept.handled == ["evt_1"])
    assert post(receiver, event("evt_1"), SECRET) == 200, "delivered again: fine, it is the same event"
    assert receiver.counts == {"accepted": 1, "again": 1}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"], ids="T119-{}".format)
def test_only_post(receiver: Receiver, kept: Kept, method: str) -> None:
    assert ask(receiver, method) == 405


@pytest.mark.parametrize(
    "path", ["/", "/stripe", "/stripe/" + "0" * 32, "/stripe/ü"], ids=lambda path: f"T119-{len(path)}"
)
def test_only_its_own_path(receiver: Receiver, path: str) -> None:
    assert (
        raw(
            receiver, f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n".encode()
        ).split()[1]
        == b"404"
    )


def test_no_signature_is_refused_without_a_word(receiver: Receiver, kept: Kept) -> None:
    """T119"""
    body = json.dumps(event("evt_1")).encode()
    head = f"POST {receiver.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    answers = {
        raw(receiver, head.encode() + extra + b"\r\n" + body)
        for extra in (
            b"",
            b"Stripe-Signature: t=1,v1=00\r\n",
            f"Stripe-Signature: {signed(body, OTHER)['Stripe_Signature']}\r\n".encode(),
        )
    }
    stripped = {answer.split(b"Date:")[0] + answer.split(b"GMT")[1] for answer in answers}
    assert len(stripped) == 1, "the answer doesn't tell what was wrong"
    assert b" 400 " in stripped.pop()
    assert kept.accepted == []


@pytest.mark.parametrize(
    "host, status",
    [
        ("127.0.0.1", 200),
        ("localhost:1234", 200),
        ("[::1]:80", 200),
        ("shop.example.net", 200),
        ("SHOP.example.net:443", 200),
        ("evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("localhost.evil.example:80", 400),
        ("", 400),
    ],
    ids="T119-{}".format,
)
def test_host(receiver: Receiver, host: str, status: int) -> None:
    body = json.dumps(event("evt_1")).encode()
    assert ask(receiver, body=body, Host=host, **signed(body)) == status


def test_too_large(receiver: Receiver, kept: Kept) -> None:
    """T119"""
    head = f"POST {receiver.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    assert b" 413 " in raw(receiver, f"{head}Content-Length: {2 * 1024 * 1024}\r\n\r\n".encode())
    assert b" 413 " in raw(receiver, f"{head}Content-Length: {'9' * 400}\r\n\r\n".encode())
    assert b" 413 " in raw(receiver, f"{head}Transfer-Encoding: chunked\r\n\r\n200000\r\n".encode())
    assert b" 411 " in raw(receiver, f"{head}\r\n".encode())
    assert b" 411 " in raw(receiver, f"{head}Content-Length: -5\r\n\r\n".encode())
    assert kept.accepted == []


def test_just_small_enough(receiver: Receiver) -> None:
    filled = json.dumps(event("evt_1", "invoice.paid", 1, note=""))
    body = filled.replace('"note": ""', f'"note": "{"x" * (module.MAX_BODY - len(filled))}"').encode()
    assert len(body) == module.MAX_BODY
    assert ask(receiver, body=body, **signed(body)) == 200
    larger = body[:-1] + b" }"
    assert ask(receiver, body=larger, **signed(larger)) == 413


def test_chunked(receiver: Receiver, kept: Kept) -> None:
    """T119"""
    body = json.dumps(event("evt_1")).encode()
    pieces = [body[:10], body[10:200], body[200:]]
    chunks = b"".join(f"{len(each):x}; ext=1\r\n".encode() + each + b"\r\n" for each in pieces) + b"0\r\n\r\n"
    head = (
        f"POST {receiver.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nStripe-Signature:"
        f" {signed(body)['Stripe_Signature']}\r\n\r\n"
    )
    assert b" 200 " in raw(receiver, head.encode() + chunks)
    assert kept.accepted == ["evt_1"]


@pytest.mark.parametrize("chunks", [b"zz\r\n", b"-1\r\n", b"\r\n", b"5\r\nabcdefghij\r\n0\r\n\r\n"])
def test_broken_chunks(receiver: Receiver, chunks: bytes) -> None:
    head = f"POST {receiver.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b" 400 " in raw(receiver, head.encode() + chunks)


def test_two_lengths_are_one_too_many(receiver: Receiver) -> None:
    head = (
        f"POST {receiver.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding:"
        " chunked\r\n\r\n"
    )
    assert b" 400 " in raw(receiver, head.encode() + b"0\r\n\r\n")


def test_slow_senders_are_cut_off(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """T119"""
    monkeypatch.setattr(module, "MAX_SECONDS", 0.6)
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=60) as connection:
        until = time.monotonic() + 60
        connection.sendall(
            f"POST {receiver.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n".encode()
        )
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while time.monotonic() < until:  # a byte now and then: 1,000 of them are 100 seconds
                connection.sendall(b"x")
                time.sleep(0.1)
    assert post(receiver, event("evt_1"), SECRET) == 200


def test_not_too_many_at_once(receiver: Receiver) -> None:
    held = [
        socket.create_connection(("127.0.0.1", receiver.port), timeout=60)
        for _ in range(module.MAX_AT_ONCE + 20)
    ]
    try:
        wait_for(lambda: receiver.counts["too many at once"] > 0)
        assert threading.active_count() < module.MAX_AT_ONCE + 20
    finally:
        for each in held:
            each.close()
    wait_for(lambda: post_or_not(receiver) == 200)


def post_or_not(receiver: Receiver) -> int:
    try:
        return post(receiver, event("evt_1"), SECRET)
    except (ConnectionError, http.client.HTTPException):
        return 0


def test_what_is_signed_but_no_event(receiver: Receiver, kept: Kept) -> None:
    """B55"""
    for body, status in ((b"{", 400), (b"[]", 400), (b'{"object":"v2.core.event","id":"evt_1"}', 200)):
        assert ask(receiver, body=body, **signed(body)) == status
    assert kept.accepted == []
    assert receiver.counts["of the v2 API: signed, not supported"] == 1


def test_stale_future_and_played_again(receiver: Receiver, kept: Kept) -> None:
    now = int(time.time())
    assert post(receiver, event("evt_1"), SECRET, stamp=now - 400) == 400
    assert post(receiver, event("evt_1"), SECRET, stamp=now + 400) == 400
    assert kept.accepted == []


def test_live_events_only_if_asked_for(receiver: Receiver, kept: Kept) -> None:
    live = {**event("evt_live"), "livemode": True}
    assert post(receiver, live, SECRET) == 403
    assert kept.accepted == []
    receiver.live = True
    assert post(receiver, live, SECRET) == 200


def test_a_full_disk_makes_the_sender_try_again(receiver: Receiver, kept: Kept) -> None:
    kept.failing = OSError("no space left")
    assert post(receiver, event("evt_1"), SECRET) == 500
    kept.failing = None
    assert post(receiver, event("evt_1"), SECRET) == 200


def test_several_secrets(kept: Kept) -> None:
    made = Receiver(kept.accept, kept.handle, secrets_=[OTHER, SECRET]).start()
    try:
        assert post(made, event("evt_1"), SECRET) == 200
        assert post(made, event("evt_2"), OTHER) == 200
    finally:
        made.stop()


def test_a_receiver_wants_a_signing_secret(kept: Kept) -> None:
    with pytest.raises(KeyRefused, match="wrong kind"):
        Receiver(kept.accept, kept.handle, secrets_=[Secret("sk_test_51abcdefghij")])


def test_two_receivers_have_two_ports(receiver: Receiver, kept: Kept) -> None:
    other = Receiver(kept.accept, kept.handle, secrets_=[SECRET]).start()
    try:
        assert other.port != receiver.port
        assert other.path != receiver.path
        assert len(other.path.rpartition("/")[2]) == 32
    finally:
        other.stop()
    assert not other.running


def test_it_listens_on_this_machine_only_and_says_so_literally(receiver: Receiver) -> None:
    assert receiver._server is not None
    assert receiver._server.server_address[0] == "127.0.0.1"
    assert receiver.url.startswith("http://127.0.0.1:")
    assert receiver.command == f"stripe listen --forward-to {receiver.url}"


def test_nothing_is_printed_or_logged(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    out = io.StringIO()
    with caplog.at_level(logging.DEBUG), redirect_stdout(out), redirect_stderr(out):
        post(receiver, event("evt_1"), SECRET)
        ask(receiver, "GET")
        with socket.create_connection(("127.0.0.1", receiver.port), timeout=60) as connection:
            connection.sendall(b"\x16\x03\x01 not HTTP\r\n\r\n")
        time.sleep(0.1)
    assert out.getvalue() == ""
    assert not caplog.records
    assert "aaaa" not in repr(receiver)


def test_it_answers_while_the_kernel_is_busy(receiver: Receiver, kept: Kept) -> None:
    """T119: in the middle of a calculation."""
    ended = threading.Event()

    def send() -> None:
        try:
            for number in range(12):
                assert post(receiver, event(f"evt_{number}"), SECRET) == 200
        finally:
            ended.set()

    thread = threading.Thread(target=send)
    thread.start()
    total = 0
    while not ended.is_set():  # the kernel's main thread, in pure Python
        total += sum(range(1000))
    joined(thread)
    assert len(kept.accepted) == 12


def wait_for(true: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it didn't happen"
        time.sleep(0.02)


def test_one_whose_thread_never_began_ends_at_once(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Stop came between the port and the thread."""
    made = Receiver(kept.accept, kept.handle, secrets_=[SECRET])

    def stopped(_: threading.Thread) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", stopped)
    with pytest.raises(KeyboardInterrupt):
        made.start()
    monkeypatch.undo()
    ending = threading.Thread(target=made.stop, name="the end", daemon=True)
    ending.start()
    joined(ending)
    assert not made.running
