"""The loopback server where something runs out, hangs or ends: connections, receivers, the server itself."""

from __future__ import annotations

import errno
import json
import socket
import threading
import time

import pytest

from stripe_magics.sandbox import server as server_module
from stripe_magics.sandbox import webhook_sender
from stripe_magics.sandbox.server import serving

from .test_server import FORM, HEAD, KEY, Receiver, call, sent


def test_where_no_more_can_be_opened_it_waits_and_goes_on(
    host, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """Not as fast as it can: each look is followed by a pause; and it is said once."""
    accept, looks = socket.socket.accept, []

    def full(self: socket.socket) -> tuple[socket.socket, object]:
        if len(looks) < 5:
            looks.append(time.monotonic())
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(self)

    monkeypatch.setattr(server_module, "FULL_PAUSE", 0.05)
    monkeypatch.setattr(socket.socket, "accept", full)
    assert call(host, "GET", "/health", headers=KEY)[0] == 200
    assert len(looks) == 5
    assert looks[-1] - looks[0] >= 4 * 0.05
    assert capsys.readouterr().err == "New connections wait: Too many open files.\n"


def test_what_was_answered_leaves_whole_before_the_server_ends(transport) -> None:
    with serving(transport) as address:
        host = address.removeprefix("http://")
        for _ in range(100):
            call(host, "POST", "/v1/customers", "description=" + "x" * 5000)
        name, _, port = host.partition(":")
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect((name, int(port)))
        ask = HEAD.replace(b"POST /v1/customers", b"GET /v1/customers?limit=100") + b"\r\n"
        connection.sendall(ask * 10)  # about 5 MB, more than the kernel keeps
        found = [connection.recv(4096)]

        def rest() -> None:
            while piece := connection.recv(1 << 20):
                found.append(piece)

        reader = threading.Timer(0.2, rest)
        reader.start()
    reader.join(60)
    connection.close()
    answers = b"".join(found).split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert answers
    for each in answers:
        assert len(json.loads(each.partition(b"\r\n\r\n")[2])["data"]) == 100


class Hanging:
    """Takes connections, and never says a word."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/hook"


def test_a_receiver_that_hangs_keeps_nobody_else_waiting(transport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_sender, "ANSWER_TIMEOUT", 2.0)
    hanging, receiver, lines = Hanging(), Receiver(), []
    with serving(transport, log=lines.append) as address:
        host = address.removeprefix("http://")
        for url in (hanging.url, receiver.url):
            call(host, "POST", "/v1/webhook_endpoints", f"url={url}&enabled_events[]=*")
        for name in "ABC":
            call(host, "POST", "/v1/customers", f"name={name}")
        receiver.wait(3)
        assert [event["data"]["object"]["name"] for event, _, _ in receiver.got] == ["A", "B", "C"]
        assert not any(hanging.url in line for line in lines)  # it still has its time
    receiver.close()
    hanging.socket.close()


def test_a_redirect_is_a_failure_and_is_not_followed(transport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_sender, "FIRST_WAIT", 0.02)
    receiver, lines = Receiver(302), []
    with serving(transport, log=lines.append) as address:
        host = address.removeprefix("http://")
        call(host, "POST", "/v1/webhook_endpoints", f"url={receiver.url}&enabled_events[]=*")
        call(host, "POST", "/v1/customers", "name=A")
        receiver.wait(2)
    receiver.close()
    assert any(line.endswith("302, again in 0.02 s") for line in lines)


@pytest.mark.parametrize("body", [b"name=%FF", b"name=A&email=%C3%28", b"metadata[%FF]=1", b"a%26b=%FF"])
def test_what_is_not_utf_8_is_refused_not_altered(host, body: bytes) -> None:
    status, answer = call(host, "POST", "/v1/customers", body)
    assert (status, "UTF-8" in json.loads(answer)["error"]["message"]) == (400, True)
    assert call(host, "POST", "/_sandbox/advance", b"seconds=%FF")[0] == 400
    assert json.loads(call(host, "GET", "/v1/customers", headers=FORM)[1])["data"] == []


def test_continue_is_not_said_to_a_body_that_is_refused(host) -> None:
    ask = HEAD + b"Expect: 100-continue\r\nContent-Length: 600000000\r\n\r\n"
    assert sent(host, ask).startswith(b"HTTP/1.1 413 ")
