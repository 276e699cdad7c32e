"""The loopback server: protocol, limits, safety against browser pages, webhooks, state, the pytest
fixture."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from each_row import each_row
from waiting import PATIENCE, line, running

from stripe_magics.sandbox import SandboxTransport, socket_stream, webhook_sender
from stripe_magics.sandbox import server as server_module
from stripe_magics.sandbox.http_message import MAX_BODY
from stripe_magics.sandbox.server import serving

KEY = {"Authorization": "Bearer sk_test_a"}
FORM = {**KEY, "Content-Type": "application/x-www-form-urlencoded"}


def call(
    host: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **options: Any
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.request(method, path, body, FORM if headers is None else headers, **options)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def sent(host: str, text: bytes) -> bytes:
    """What comes back for bytes as they are, until the server closes."""
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=60) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while piece := connection.recv(65536):
            found += piece
        return found


def test_a_kept_connection_carries_many_calls_without_waiting(host, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a connection that gathers small segments (Nagle), each call would wait 40 ms for the other side's
    word."""
    gathers: list[int] = []
    answer = server_module._Connection._answer

    def noted(self, message):
        gathers.append(self.request.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return answer(self, message)

    monkeypatch.setattr(server_module._Connection, "_answer", noted)
    connection = http.client.HTTPConnection(host, timeout=60)
    for _ in range(50):
        connection.request("POST", "/v1/customers", "name=Jenny", FORM)
        assert connection.getresponse().read().startswith(b'{"id":"cus_')
    assert len(gathers) == 50
    assert all(gathers)
    connection.close()


def test_an_answer_leaves_in_one_piece(host) -> None:
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=60) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
        assert body.startswith(b'{"status":"ok"') and b"content-length: %d" % len(body) in head


def test_chunked_bodies_are_read(host) -> None:
    status, body = call(host, "POST", "/v1/customers", iter([b"name=Jen", b"ny+Ro", b"sen"]),
                        encode_chunked=True,
                        headers={**FORM, "Transfer-Encoding": "chunked"})  # fmt: skip
    assert (status, json.loads(body)["name"]) == (200, "Jenny Rosen")


def test_head_has_the_length_and_no_body(host) -> None:
    made = json.loads(call(host, "POST", "/v1/customers", "name=J")[1])
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.request("HEAD", f"/v1/customers/{made['id']}", headers=KEY)
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    assert int(answer.getheader("content-length")) > 100
    connection.close()


def test_curl_gets_readable_json(host) -> None:
    _, body = call(host, "GET", "/v1/balance", headers={**KEY, "User-Agent": "curl/8.0"})
    assert body.startswith(b'{\n  "object": "balance",\n')
    assert json.loads(body)["object"] == "balance"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "sandbox.example.com"},
        {"Host": "127.0.0.1.example.com:80"},
        {"Host": ""},
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8888"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/balance", "/health", "/_sandbox/reset"])
def test_a_page_in_a_browser_is_refused(host, transport, headers, path) -> None:
    before = transport.account
    status, body = call(host, "POST" if "reset" in path else "GET", path, headers={**KEY, **headers})
    assert (status, b"sandbox" in body) == (403, True)
    assert transport.account is before


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "LOCALHOST:12111", "[::1]:80"])
def test_this_machine_by_name_is_served(host, name) -> None:
    assert call(host, "GET", "/v1/balance", headers={**KEY, "Host": name})[0] == 200


HEAD = b"POST /v1/customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk_test_a\r\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (MAX_BODY + 1), 413),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400),
        (HEAD + b"Content-Length: -3\r\n\r\nabc", 400),
        (HEAD + b"Content-Length: 30\r\n\r\nabc", 400),
        (HEAD + b"Broken\r\n\r\n", 400),
        (HEAD + b"Content-Length : 3\r\n\r\nabc", 400),
        (HEAD + b"X-Long: " + b"x" * 20000 + b"\r\n\r\n", 431),
        (HEAD + b"".join(b"X-%d: %s\r\n" % (each, b"y" * 1000) for each in range(80)) + b"\r\n", 431),
        (b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"hello\r\n\r\n", 400),
        (b"GET / SPDY/3\r\n\r\n", 400),
    ],
)
def test_what_is_doubtful_or_too_large_is_refused_and_the_connection_ends(
    host, transport, text, status
) -> None:
    answer = sent(host, text)
    assert answer.startswith(b"HTTP/1.1 %d " % status) and answer.count(b"HTTP/1.1 4") == 1
    assert transport.account.table("customer").rows == []


def test_continue_is_said_before_the_body(host) -> None:
    answer = sent(host, HEAD + b"Expect: 100-continue\r\nContent-Length: 6\r\n\r\nname=J")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_time_passes_and_the_account_starts_again_by_request(host, transport) -> None:
    before = transport.now
    call(host, "POST", "/v1/customers", "name=J")
    assert json.loads(call(host, "POST", "/_sandbox/advance", "seconds=86400")[1]) == {"now": before + 86400}
    assert call(host, "POST", "/_sandbox/advance", "seconds=-1")[0] == 400
    assert json.loads(call(host, "POST", "/_sandbox/reset")[1]) == {"now": before}
    assert json.loads(call(host, "GET", "/v1/customers")[1])["data"] == []


# Webhooks


class Receiver:
    """Keeps what is delivered; answers with the given statuses first, then 200."""

    def __init__(self, *statuses: int) -> None:
        self.got: list[tuple[dict[str, Any], str, bytes]] = []
        outer, left = self, list(statuses)

        class Handler(BaseHTTPRequestHandler):
            timeout = PATIENCE

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((json.loads(body), self.headers["Stripe-Signature"], body))
                self.send_response(left.pop(0) if left else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def wait(self, count: int) -> list[str]:
        until = time.monotonic() + 60
        while len(self.got) < count and time.monotonic() < until:
            time.sleep(0.01)
        return [event["type"] for event, _, _ in self.got]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def test_events_are_delivered_and_signed_as_stripe_signs(host, transport, receiver) -> None:
    stripe = pytest.importorskip("stripe")
    call(host, "POST", "/v1/customers", "name=Before")
    endpoint = json.loads(
        call(
            host,
            "POST",
            "/v1/webhook_endpoints",
            f"url={receiver.url}&enabled_events[]=customer.created&enabled_events[]=charge.refunded",
        )[1]
    )
    made = json.loads(call(host, "POST", "/v1/customers", "name=After")[1])
    call(host, "POST", f"/v1/customers/{made['id']}", "name=Changed")  # customer.updated wasn't asked for
    assert receiver.wait(1) == ["customer.created"]
    event, header, body = receiver.got[0]
    assert event["data"]["object"]["id"] == made["id"]
    checked = stripe.Webhook.construct_event(body.decode(), header, endpoint["secret"])
    assert checked["id"] == event["id"]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body.decode(), header, "whsec_other")
    time.sleep(0.1)
    assert len(receiver.got) == 1


def test_what_fails_is_delivered_again_and_a_stranger_is_never_called(transport, monkeypatch) -> None:
    monkeypatch.setattr(webhook_sender, "FIRST_WAIT", 0.02)
    receiver, lines = Receiver(500, 404), []
    with serving(transport, log=lines.append) as address:
        host = address.removeprefix("http://")
        call(host, "POST", "/v1/webhook_endpoints", f"url={receiver.url}&enabled_events[]=*")
        call(host, "POST", "/v1/webhook_endpoints", "url=https://example.com/hook&enabled_events[]=*")
        call(host, "POST", "/v1/customers", "name=A")
        assert receiver.wait(3) == ["customer.created"] * 3
        assert len({event["id"] for event, _, _ in receiver.got}) == 1
    receiver.close()
    hooks = [line for line in lines if line.startswith("webhook")]
    assert len(hooks) == 3 and hooks[0].endswith("500, again in 0.02 s") and hooks[2].endswith(" 200")
    assert not any("example.com" in line for line in lines)


def test_an_endpoint_that_is_gone_is_given_up(transport, monkeypatch) -> None:
    monkeypatch.setattr(webhook_sender, "FIRST_WAIT", 0.001)
    lines: list[str] = []
    receiver = Receiver()
    receiver.close()
    with serving(transport, log=lines.append) as address:
        host = address.removeprefix("http://")
        call(host, "POST", "/v1/webhook_endpoints", f"url={receiver.url}&enabled_events[]=*")
        call(host, "POST", "/v1/customers", "name=A")
        until = time.monotonic() + 60
        while not any("given up" in line for line in lines) and time.monotonic() < until:
            time.sleep(0.01)
    assert sum("ConnectError" in line for line in lines) == webhook_sender.TRIES


def test_a_reset_forgets_what_waits_to_be_delivered_again(transport, monkeypatch) -> None:
    monkeypatch.setattr(webhook_sender, "FIRST_WAIT", 0.05)
    receiver = Receiver(500)
    with serving(transport) as address:
        host = address.removeprefix("http://")
        call(host, "POST", "/v1/webhook_endpoints", f"url={receiver.url}&enabled_events[]=*")
        call(host, "POST", "/v1/customers", "name=Former")
        receiver.wait(1)
        call(host, "POST", "/_sandbox/reset")
        call(host, "POST", "/v1/webhook_endpoints", f"url={receiver.url}&enabled_events[]=coupon.created")
        call(host, "POST", "/v1/coupons", "percent_off=5")
        assert receiver.wait(2) == ["customer.created", "coupon.created"]
    receiver.close()


def test_events_of_connected_accounts_go_to_endpoints_that_asked_for_them(transport, receiver) -> None:
    with serving(transport) as address:
        host = address.removeprefix("http://")
        call(
            host,
            "POST",
            "/v1/webhook_endpoints",
            f"url={receiver.url}&enabled_events[]=customer.created&connect=true",
        )
        made = json.loads(call(host, "POST", "/v1/accounts", "type=express")[1])["id"]
        call(host, "POST", "/v1/customers", "name=Mine")
        call(host, "POST", "/v1/customers", "name=Theirs", {**FORM, "Stripe-Account": made})
        assert receiver.wait(1) == ["customer.created"]
        assert receiver.got[0][0]["account"] == made


def test_time_that_passes_makes_webhooks(host, transport, receiver) -> None:
    call(host, "POST", "/v1/webhook_endpoints", f"url={receiver.url}&enabled_events[]=balance.available")
    call(
        host,
        "POST",
        "/v1/payment_intents",
        "amount=2000&currency=usd&confirm=true&payment_method=pm_card_visa&off_session=true",
    )
    call(host, "POST", "/_sandbox/advance", f"seconds={5 * 86400}")
    assert receiver.wait(1) == ["balance.available"]


# The clock and the command line


def test_with_today_the_clock_starts_now_and_runs() -> None:
    before = time.time()
    transport = SandboxTransport(demo=False, today=True)
    assert int(before) <= transport.now <= time.time() + 1
    transport.advance(86400)
    assert int(before) <= transport.now - 86400 <= time.time() + 1
    transport._started -= 5  # five seconds pass
    assert int(before) <= transport.now - 86405 <= time.time() + 1


def test_the_demo_ends_today() -> None:
    transport = SandboxTransport(today=True)
    newest = transport.account.table("charge").ordered()[-1].created
    assert 0 <= time.time() - newest < 7 * 86400


def command(*arguments: str) -> AbstractContextManager[subprocess.Popen[str]]:
    return running(
        [sys.executable, "-m", "stripe_magics.sandbox", "--port", "0", "--empty", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_state_is_kept_in_a_file(tmp_path) -> None:
    file = str(tmp_path / "state")
    for expected in (1, 2):
        with command("--state", file, "--frozen") as process:
            first = line(process.stdout)
            assert "It is 2 Nov 2026, 09:00 UTC in there, and the clock stands still" in first
            host = first.split("http://")[1].split(";")[0]
            call(host, "POST", "/v1/customers", "name=J")
            assert len(json.loads(call(host, "GET", "/v1/customers")[1])["data"]) == expected
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=60)
        assert f"Saved in {file}. Stopped." in rest
        assert "POST /v1/customers 200 " in rest and "req_" in rest and "sk_test" not in rest


def test_a_server_that_is_killed_begins_again_where_it_was(tmp_path) -> None:
    file = tmp_path / "state"
    with command("--state", str(file), "--frozen", "--quiet") as process:
        host = line(process.stdout).split("http://")[1].split(";")[0]
        call(host, "POST", "/v1/customers", "name=J")
        deadline = time.monotonic() + 60
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
    with command("--state", str(file), "--frozen", "--quiet") as process:
        host = line(process.stdout).split("http://")[1].split(";")[0]
        assert [each["name"] for each in json.loads(call(host, "GET", "/v1/customers")[1])["data"]] == ["J"]


def test_nothing_is_carried_out_on_open_connections_once_the_server_has_stopped(transport) -> None:
    """Whoever saves the account then has all that was answered."""
    with serving(transport) as address:
        kept = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
        kept.request("POST", "/v1/customers", "name=J", FORM)
        assert kept.getresponse().read()
    kept.auto_open = 0
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        kept.request("POST", "/v1/customers", "name=late", FORM)
        kept.getresponse()
    kept.close()
    assert [each["name"] for each in transport.account.each("customer")] == ["J"]


def test_localhost_is_served_by_either_address(host) -> None:
    """Where `localhost` is ::1 first, a client that tries no other finds the sandbox, too."""
    port = int(host.rpartition(":")[2])
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no ::1")
    connection = http.client.HTTPConnection("::1", port, timeout=60)
    connection.request("GET", "/health")
    assert json.loads(connection.getresponse().read())["status"] == "ok"
    connection.close()


@each_row(
    ("arguments", "message"),
    [
        (["--today", "--frozen"], "not allowed with"),
        (["--port", "70000"], "is not a port"),
        (["--port", "-1"], "is not a port"),
        (["--state", "/nowhere/at/all"], "name a file in a folder that exists"),
        (["--seed", "/nowhere/sandbox"], "can't be read"),
        (["--seed", __file__], "This is not a saved sandbox."),
    ],
)
def test_a_wrong_command_line_is_refused(arguments, message) -> None:
    with command(*arguments) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert message in said


# The fixture


def test_the_fixture_is_an_entry_point_and_serves_other_suites(tmp_path) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    plugin = project["project"]["entry-points"]["pytest11"]["stripe_sandbox"]
    (tmp_path / "test_shop.py").write_text(
        "import urllib.request\ndef test_shop(stripe_sandbox):\n    request ="
        " urllib.request.Request(stripe_sandbox.url + '/v1/customers', b'name=J', {'Authorization': 'Bearer '"
        " + stripe_sandbox.key})\n    assert b'cus_' in urllib.request.urlopen(request).read()\n    now ="
        " stripe_sandbox.transport.now\n    assert stripe_sandbox.advance(60) >= now + 60\n   "
        " stripe_sandbox.reset()\n    assert not stripe_sandbox.transport.account.table('customer').rows\n"
    )
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", plugin, "-p", "no:cacheprovider", "--rootdir",
            str(tmp_path), str(tmp_path)],
        capture_output=True, text=True, env=environment, timeout=120, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert "1 passed" in done.stdout, done.stdout + done.stderr


HEADERS = b"Host: 127.0.0.1\r\nAuthorization: Bearer sk_test_x\r\nConnection: close\r\n"
DOUBTFUL = [
    (b"GET //[ HTTP/1.1\r\n" + HEADERS + b"\r\n", b"400", b"can't be read"),
    *(
        (
            b"POST /v1/customers HTTP/1.1\r\n" + HEADERS
            + b"Transfer-Encoding: chunked\r\n\r\n" + length + b"\r\nname=a\r\n0\r\n\r\n",
            b"400", b"malformed",
        )
        for length in (b"0x6", b"+6", b"0_6", b"-6", b"", b"6 6")
    ),
    (b"GET /v1/customers HTTP/1.1\r\n" + HEADERS + b"Idempotency-Key: a\rSet-Cookie: b\r\n\r\n", b"400",
        b"malformed"),
    (b"GET /v1/customers HTTP/1.1\r\n" + HEADERS + b"Idempotency-Key: a\x00b\r\n\r\n", b"400", b"malformed"),
]  # fmt: skip


@pytest.mark.parametrize("key", [b"\xe9", b"c2s=\xff", b"//8=", b"="])
def test_a_key_that_cant_be_decoded_is_none(host, key) -> None:
    answer = sent(host, HEAD.replace(b"Bearer sk_test_a", b"Basic " + key) + b"Content-Length: 0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 401 ") and b"did not provide an API key" in answer


def test_what_two_readers_could_read_differently_is_refused(host) -> None:
    for text, status, message in DOUBTFUL:
        answer = sent(host, text)
        assert answer.split()[1:2] == [status], text
        assert message in answer, text


def test_no_call_takes_the_server_away(host) -> None:
    """Time that passes for centuries, parameters without end: refused, and the next call is served."""
    for path, body in (
        ("/_sandbox/advance", "seconds=9999999999"),
        ("/v1/test_helpers/clock/advance", "seconds=999999999999999999"),
        ("/v1/test_helpers/clock/advance", "seconds=-5"),
        ("/v1/customers", "&".join(f"metadata[k{number}]=v" for number in range(30_000))),
    ):
        status, answer = call(host, "POST", path, body)
        assert status == 400, path
        assert b"message" in answer
    assert call(host, "GET", "/health")[0] == 200


def test_a_message_that_trickles_in_holds_its_thread_for_a_limited_time(
    host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes within the limit of a single wait, the whole never ends."""
    monkeypatch.setattr(socket_stream, "LONGEST", 0.05)
    name, _, port = host.partition(":")
    until = time.monotonic() + PATIENCE
    with socket.create_connection((name, int(port)), timeout=60) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nX: ")
        with pytest.raises(ConnectionError):  # it was closed
            while time.monotonic() < until:
                connection.sendall(b"x")
                time.sleep(0.01)


def test_a_silent_connection_is_closed_by_the_kernels_limit() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stream = socket_stream.SocketStream(ours, idle=0.05)
        with pytest.raises(TimeoutError):
            stream.readline(100)
        theirs.sendall(b"GET / HTT")
        with pytest.raises(TimeoutError):
            stream.readline(100)
        theirs.sendall(b"P/1.1\r\nrest")
        assert stream.readline(100) == b"GET / HTTP/1.1\r\n"
        assert stream.read(4) == b"rest"
        theirs.shutdown(socket.SHUT_WR)
        assert (stream.readline(100), stream.read(5)) == (b"", b"")


def test_an_answer_that_nobody_reads_is_given_up_and_locks_nobody_out(host, transport) -> None:
    """What doesn't fit into the kernel's buffers is sent after the account is free again."""
    made = json.loads(call(host, "POST", "/v1/customers", "description=" + "x" * 4000)[1])
    for _ in range(99):
        call(host, "POST", "/v1/customers", "description=" + "x" * 4000)
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=60) as connection:
        ask = HEAD.replace(b"POST /v1/customers", b"GET /v1/customers?limit=100") + b"\r\n"
        connection.sendall(ask * 40)  # the answers are about 20 MB, of which nothing is read for now
        assert call(host, "GET", f"/v1/customers/{made['id']}")[0] == 200
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while piece := connection.recv(1 << 20):
            found += piece
    assert found.count(b"HTTP/1.1 200") == 40


def test_a_listener_added_later_is_not_told_what_was_before(host, transport, receiver) -> None:
    """The receivers of an event are known before the next request begins."""
    for number in range(10):
        call(host, "POST", "/v1/customers", f"name=Before{number}")
    call(host, "POST", "/v1/webhook_endpoints", f"url={receiver.url}&enabled_events[]=customer.created")
    call(host, "POST", "/v1/customers", "name=After")
    receiver.wait(1)
    assert [event["data"]["object"]["name"] for event, _, _ in receiver.got] == ["After"]
