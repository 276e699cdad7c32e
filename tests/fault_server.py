"""A server on real sockets that behaves as Stripe's API is documented to, and fails as it is configured to.

- `script` holds one `Fault` a request, taken in order; after the last one everything goes well.
- A fault strikes before or after the request was executed: `Fault("after", "reset")` executes, saves and then
  resets the connection.
- The idempotency layer: the first request's status and body are saved once its execution has begun, 500s too,
  and replayed with `Idempotent-Replayed: true`; another body under the same key is a 400; the same key while
  the first one runs is a 409; 401 and 429 come before the layer; refused parameters aren't saved; keys are
  forgotten after 24 hours of `clock`.
- `executions` counts how often each logical call (its idempotency key, or method and path) was executed:
  never more than once.

Nothing of Stripe's code, nothing but the standard library.
"""

from __future__ import annotations

import gzip
import json
import operator
import re
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

HTML = (
    "<html><head><title>Sign"
    " in</title><script>alert('sk_live_0123456789abcdef')</script></head><body><h1>Blocked by policy</h1>"
    + "x"
    * 2000
)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request. `when`: before or after it was executed. `how`: see `_act`; "answer"
    gives status, headers, body."""

    when: str = "before"
    how: str = "answer"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | dict[str, Any] | str | None = None
    seconds: float = 0.3

    def __repr__(self) -> str:
        return f"{self.when}-{self.how}" + (f"-{self.status}" if self.how == "answer" else "")


OK = Fault("never", "none")


def error(
    status: int,
    type: str,
    code: str | None = None,
    message: str | None = "a message",
    headers: tuple[tuple[str, str], ...] = (),
    **more: Any,
) -> Fault:
    """A fault that is one of Stripe's own errors, before anything is executed."""
    body = {"error": {"type": type, "code": code, "message": message, **more}}
    return Fault("before", "answer", status, headers, body)


RATE = error(
    429, "invalid_request_error", "rate_limit", headers=(("Stripe-Rate-Limited-Reason", "endpoint-rate"),)
)
LOCK = error(429, "invalid_request_error", "lock_timeout")
EXPIRED = error(401, "invalid_request_error", "api_key_expired")


@dataclass
class Seen:
    """A request as it came in."""

    method: str
    target: str
    headers: dict[str, str]
    raw_headers: list[tuple[str, str]]
    body: bytes
    at: float

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def key(self) -> str:
        return self.headers.get("idempotency-key", "")


@dataclass
class Saved:
    """What the idempotency layer keeps."""

    target: str
    body: bytes
    at: float
    status: int = 0
    answer: bytes = b""
    running: bool = True


@dataclass
class Reply:
    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)


class FaultServer:
    """`with FaultServer(...) as server:` listens on 127.0.0.1; `server.url` is the base."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, livemode: bool = False) -> None:
        self.tls = tls
        self.livemode = livemode
        self.script: list[Fault] = []
        self.always: Fault | None = None
        self.seen: list[Seen] = []
        self.stalled = 0  # answers that wait now
        self.written_out = 0  # slow answers that were sent to their end
        self.executions: Counter[str] = Counter()
        self.saved: dict[str, Saved] = {}
        self.objects: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.clock = time.time
        self.slow = 0.0  # seconds that an execution takes
        self.connections = 0
        self._count = 0
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{'localhost' if self.tls else '127.0.0.1'}:{self.port}"

    def __enter__(self) -> Self:
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        _shut(self._listener)  # wakes the thread that accepts
        with self._lock:
            for each in self._sockets:
                _shut(each)
        for thread in self._threads:
            thread.join(60)

    # --- sockets

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._sockets.add(client)
        try:
            if self.tls is not None:
                client.settimeout(5)
                client = self.tls.wrap_socket(client, server_side=True)
            client.settimeout(30)
            reader = client.makefile("rb")
            while not self._stopped.is_set():
                seen = _read(reader)
                if seen is None or not self._answer(client, seen):
                    break
        except OSError:
            pass  # the client went away, as many of these tests want it to
        finally:
            _shut(client)
            with self._lock:
                self._sockets.discard(client)

    def _answer(self, client: socket.socket, seen: Seen) -> bool:
        """Answer one request; False to close the connection."""
        with self._lock:
            self.seen.append(seen)
            fault = self.script.pop(0) if self.script else self.always or OK
        if fault.when == "before":
            return self._act(client, fault, Reply(fault.status, b""))
        if fault.how == "slow":  # the answer is lost while the execution goes on
            worker = threading.Thread(target=self._execute, args=(seen, fault.seconds), daemon=True)
            worker.start()
            self._threads.append(worker)
            time.sleep(0.05)
            _reset(client)
            return False
        reply = self._execute(seen, self.slow)
        if fault.when == "after":
            return self._act(client, fault, reply)
        self._send(client, reply)
        return True

    # --- Stripe

    def _execute(self, seen: Seen, seconds: float) -> Reply:
        key = seen.key if seen.method == "POST" or seen.target.startswith("/v2/") else ""
        if not key:
            return (
                self._perform(seen, seen.method + " " + seen.path)
                if seen.method != "GET"
                else self._get(seen)
            )
        now = self.clock()
        with self._lock:
            saved = self.saved.get(key)
            if saved is not None and not saved.running and now - saved.at > 24 * 3600:
                saved = None
            if saved is not None:
                if (saved.target, saved.body) != (seen.target, seen.body):
                    return _error(
                        400,
                        "idempotency_error",
                        None,
                        f"Keys for idempotent requests can only be used with the same parameters ({key})",
                    )
                if saved.running:
                    return _error(
                        409,
                        "idempotency_error",
                        "idempotency_key_in_use",
                        "There is currently another in-progress request using this key",
                    )
                return Reply(saved.status, saved.answer, [("Idempotent-Replayed", "true")])
            if seen.form.get("invalid"):
                return _error(
                    400,
                    "invalid_request_error",
                    "parameter_invalid_integer",
                    "Invalid integer",
                    param=seen.form["invalid"],
                )
            self.saved[key] = saved = Saved(seen.target, seen.body, now)
        if seconds:
            time.sleep(seconds)
        reply = self._perform(seen, key)
        with self._lock:
            saved.status, saved.answer, saved.running = reply.status, reply.body, False
        return reply

    def _perform(self, seen: Seen, name: str) -> Reply:
        """The execution itself: counted."""
        with self._lock:
            if seen.method == "DELETE":
                object_id = unquote(seen.path.rpartition("/")[2])
                if self.objects.pop(object_id, None) is None:
                    return _error(
                        404,
                        "invalid_request_error",
                        "resource_missing",
                        f"No such object: '{object_id}'",
                        param="id",
                    )
                self.executions[name] += 1
                return _json({"id": object_id, "object": "customer", "deleted": True})
            self.executions[name] += 1
            form = seen.form
            if form.get("fail"):
                return _error(int(form["fail"]), "api_error", None, "Something went wrong on our end")
            if form.get("decline"):
                intent = {
                    "id": "pi_1",
                    "object": "payment_intent",
                    "status": "requires_payment_method",
                    "client_secret": "pi_1_secret_abc123",
                }
                return _error(
                    402,
                    "card_error",
                    "card_declined",
                    "Your card was declined.",
                    decline_code=form["decline"],
                    payment_intent=intent,
                )
            self._count += 1
            kind = {"customers": "cus", "payment_intents": "pi", "refunds": "re"}.get(
                seen.path.split("/")[2], "obj"
            )
            made: dict[str, Any] = {
                "id": f"{kind}_{self._count}",
                "object": seen.path.split("/")[2].rstrip("s"),
                "livemode": self.livemode,
            }
            made |= {
                "created": int(self.clock()),
                **{name: value for name, value in form.items() if "[" not in name},
            }
            if form.get("amount", "").isdigit():
                made["amount"] = int(form["amount"])
            self.objects[made["id"]] = made
            event = {
                "id": f"evt_{self._count}",
                "object": "event",
                "type": f"{made['object']}.created",
                "created": made["created"],
                "livemode": self.livemode,
            }
            self.events.insert(
                0,
                {
                    **event,
                    "data": {"object": made},
                    "request": {"id": f"req_{self._count}", "idempotency_key": seen.key or None},
                },
            )
            return _json(made)

    def _get(self, seen: Seen) -> Reply:
        parts = seen.path.strip("/").split("/")
        if seen.path == "/v1/account":
            return _json(
                {"id": "acct_1", "object": "account", "settings": {"dashboard": {"display_name": "Acme"}}}
            )
        with self._lock:
            if len(parts) == 3:
                found = self.objects.get(unquote(parts[2]))
                return (
                    _json(found)
                    if found
                    else _error(
                        404,
                        "invalid_request_error",
                        "resource_missing",
                        f"No such {parts[1][:-1]}: '{parts[2]}'",
                        param="id",
                    )
                )
            rows = (
                self.events
                if parts[1] == "events"
                else [
                    each for each in reversed(self.objects.values()) if each["object"] == parts[1].rstrip("s")
                ]
            )
        return _json(_page(rows, dict(seen.query), seen.path))

    # --- faults

    def _act(self, client: socket.socket, fault: Fault, reply: Reply) -> bool:
        head = (
            f"HTTP/1.1 {reply.status or 200} X\r\nContent-Type: application/json\r\nRequest-Id:"
            f" req_{len(self.seen)}\r\n"
        )
        body = reply.body or b'{"id": "cus_x", "object": "customer"}'
        match fault.how:
            case "reset":
                _reset(client)
            case "close":
                pass
            case "stall":
                self.stalled += 1
                self._stopped.wait(fault.seconds)
                self.stalled -= 1
            case "stall-body":
                client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
                self._stopped.wait(fault.seconds)
            case "truncate-length":
                client.sendall(f"{head}Content-Length: {len(body) + 10}\r\n\r\n".encode() + body[:-5])
            case "truncate-chunk":
                client.sendall(
                    f"{head}Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode()
                    + body[: len(body) // 2]
                )
            case "truncate-close":
                client.sendall(f"{head}Connection: close\r\n\r\n".encode() + body[:-5])
            case "drip":
                data = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
                for index in range(len(data)):
                    if self._stopped.wait(0.05):
                        break
                    client.sendall(data[index : index + 1])
                else:
                    self.written_out += 1
            case "drip-head":
                for byte in head.encode():
                    if self._stopped.wait(0.05):
                        break
                    client.sendall(bytes([byte]))
                else:
                    self.written_out += 1
            case "bad-gzip":
                junk = gzip.compress(body)[:-8] + b"junkjunk"
                client.sendall(
                    f"{head}Content-Encoding: gzip\r\nContent-Length: {len(junk) + 0}\r\n\r\n".encode()
                    + b"\x00"
                    + junk[1:]
                )
            case "garbage":
                client.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
            case "huge":
                client.sendall(
                    f"{head}Content-Length: 4000000\r\n\r\n".encode() + b'{"a": "' + b"x" * 3_999_991 + b'"}'
                )
            case "html":
                page = HTML.encode()
                status = fault.status if fault.status != 200 else 200
                client.sendall(
                    f"HTTP/1.1 {status} X\r\nContent-Type: text/html\r\n"
                    f"Content-Length: {len(page)}\r\n\r\n".encode()
                    + page
                )
                return True
            case "none":
                self._send(client, reply)
                return True
            case "answer":
                answer = fault.body if fault.body is not None else reply.body
                sent = (
                    answer
                    if isinstance(answer, bytes)
                    else answer.encode()
                    if isinstance(answer, str)
                    else json.dumps(answer).encode()
                )
                self._send(client, Reply(fault.status, sent, list(fault.headers)))
                return True
            case other:
                raise AssertionError(other)
        return False

    def _send(self, client: socket.socket, reply: Reply) -> None:
        given = {name.lower() for name, _ in reply.headers}
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in reply.headers)]
        if "content-type" not in given:
            lines.append("Content-Type: application/json")
        if "request-id" not in given:
            lines.append(f"Request-Id: req_{len(self.seen)}")
        if "date" not in given:
            lines.append(f"Date: {formatdate(self.clock(), usegmt=True)}")
        if not 100 <= reply.status < 200 and reply.status != 204:
            lines.append(f"Content-Length: {len(reply.body)}")
        client.sendall(
            "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if reply.status == 204 else reply.body)
        )


def _page(rows: list[dict[str, Any]], query: dict[str, str], url: str) -> dict[str, Any]:
    bounds: dict[str, Callable[[int, int], bool]] = {"gte": operator.ge, "lte": operator.le}
    for name, keep in bounds.items():
        if f"created[{name}]" in query:
            rows = [each for each in rows if keep(each.get("created", 0), int(query[f"created[{name}]"]))]
    size = int(query.get("limit", 10))
    ids = [each["id"] for each in rows]
    if "ending_before" in query:
        stop = ids.index(query["ending_before"])
        start = max(0, stop - size)
        return {"object": "list", "url": url, "has_more": start > 0, "data": rows[start:stop]}
    start = ids.index(query["starting_after"]) + 1 if "starting_after" in query else 0
    return {
        "object": "list",
        "url": url,
        "has_more": start + size < len(rows),
        "data": rows[start : start + size],
    }


def _json(data: dict[str, Any], status: int = 200) -> Reply:
    return Reply(status, json.dumps(data).encode())


def _error(status: int, type: str, code: str | None, message: str, **more: Any) -> Reply:
    return _json({"error": {"type": type, "code": code, "message": message, **more}}, status)


def _read(reader: Any) -> Seen | None:
    """One request from a connection, or None at its end."""
    line = reader.readline(65536)
    if not line.strip():
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers: list[tuple[str, str]] = []
    while (line := reader.readline(65536)).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name.strip(), value.strip()))
    low = {name.lower(): value for name, value in headers}
    length = int(low.get("content-length", 0))
    body = reader.read(length) if length else b""
    if len(body) < length:
        return None
    return Seen(method, target, low, headers, body, time.time())


def _shut(client: socket.socket) -> None:
    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is closed already
    client.close()


def _reset(client: socket.socket) -> None:
    """Close with a reset instead of an orderly end."""
    inner = client
    inner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    inner.close()


class FaultProxy:
    """A proxy that tunnels CONNECT (`refuse=None`), or refuses with a status and a page."""

    def __init__(self, *, refuse: int | None = None) -> None:
        self.refuse = refuse
        self.heads: list[str] = []
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        _shut(self._listener)  # wakes the thread that accepts
        for each in self._sockets:
            _shut(each)
        for thread in self._threads:
            thread.join(60)

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _serve(self, client: socket.socket) -> None:
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                part = client.recv(4096)
                if not part:
                    return
                head += part
            self.heads.append(head.decode("latin-1"))
            if self.refuse is not None:
                page = HTML.encode()
                client.sendall(
                    f"HTTP/1.1 {self.refuse} No\r\nContent-Type: text/html\r\nContent-Length:"
                    f" {len(page)}\r\n\r\n".encode()
                    + page
                )
                return
            found = re.match(rb"CONNECT ([^ :]+):(\d+)", head)
            if found is None:
                return
            upstream = socket.create_connection((found.group(1).decode(), int(found.group(2))), timeout=60)
            self._sockets.append(upstream)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pipe, args=(upstream, client), daemon=True)
            back.start()
            self._threads.append(back)
            _pipe(client, upstream)
        except OSError:
            pass  # one of the two ends went away
        finally:
            _shut(client)


def _pipe(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass  # one of the two ends went away
    _shut(target)
