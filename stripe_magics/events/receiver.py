"""A receiver for signed events on this machine: 127.0.0.1 only, a port of its own, a path that can't be
guessed.

Behind it stands `stripe listen --forward-to URL`, or any tunnel. It works in threads, so that it answers
while the kernel is busy.

- Only POST to its own path, with a Host that is this machine (or a tunnel's name that was allowed): nothing
  else gets further.
- The body, with a length or in chunks, has at most 1 MiB; a whole request at most 5 s; at most 64 are served
  at once.
- The signature is checked before the body is read as anything. The answer never says what was wrong with it.
- A good event is on disk before it is answered with 200; handlers run afterwards, in another thread.
- Nothing is logged, nothing in an event is executed or requested.
"""

from __future__ import annotations

import os
import queue
import re
import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from stripe_magics._json import JsonObject
from stripe_magics.client.secret import Secret
from stripe_magics.errors import BadEvent, BadSignature, StripeMagicsError, UnsupportedEvent, UsageFault
from stripe_magics.events.signature import check_secret, construct

MAX_BODY = 1024 * 1024  # bytes
MAX_SECONDS = 5.0  # seconds for a request to arrive
MAX_AT_ONCE = 64
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class _Refused(Exception):
    """A request that isn't taken, with the HTTP status that says so."""

    def __init__(self, status: int, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(reason)


class Receiver:
    """Receives events and hands each to `accept` (which keeps it, before the answer), then, in another
    thread, to `handle`."""

    def __init__(
        self,
        accept: Callable[[JsonObject], bool],
        handle: Callable[[JsonObject], None],
        *,
        secrets_: Iterable[Secret],
        hosts: Iterable[str] = (),
        live: bool = False,
        port: int = 0,
        path: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        """`secrets_`: signing secrets, any of which may have signed. `hosts`: names of tunnels that are
        allowed as Host.

        `live`: take live events, and only those; else only events of test mode. `port` and `path`: fixed
        ones, for a tunnel that is set up once.
        """
        self._accept, self._handle = accept, handle
        self.secrets = [check_secret(each) for each in secrets_]
        self.hosts = frozenset(host.lower() for host in hosts)
        self.live, self.now = live, now
        self.events: tuple[str, ...] = ()  # types that the printed command asks for
        self.connect = False  # whether it asks for the events of connected accounts
        self.counts: Counter[str] = Counter()  # what came: "accepted", "again", and why others were refused
        self.path = path or f"/stripe/{secrets.token_hex(16)}"
        self._port = port
        self._queue: queue.SimpleQueue[JsonObject | None] = queue.SimpleQueue()
        self._server: _Server | None = None
        self._serving: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"<Receiver {self.url if self.running else 'stopped'}: {dict(self.counts)}>"

    @property
    def fixed_port(self) -> int:
        """The port that was asked for; 0 for any."""
        return self._port

    @property
    def running(self) -> bool:
        """Whether it can be reached."""
        return self._server is not None

    @property
    def port(self) -> int:
        """The port, chosen by the system."""
        return int(self._server.server_address[1]) if self._server is not None else 0

    @property
    def url(self) -> str:
        """Where events are to be sent. The literal address: `localhost` may mean ::1, where nobody
        listens."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    @property
    def command(self) -> str:
        """What to run in a terminal on this machine."""
        events = f" --events {','.join(self.events)}" if self.events and self.events != ("*",) else ""
        forward = "--forward-connect-to" if self.connect else "--forward-to"
        return f"stripe listen {forward} {self.url}{events}" + (" --live" if self.live else "")

    def tally(self) -> str:
        """What came, in words: `(12 accepted, 1 not signed as it has to be)`; "" for nothing yet."""
        return (
            f"({', '.join(f'{count:,} {what}' for what, count in self.counts.items())})"
            if self.counts
            else ""
        )

    def start(self) -> Receiver:
        """Open the port."""
        if self._server is None:
            try:
                self._server = _Server(self)
            except (OSError, OverflowError) as problem:
                raise UsageFault(
                    f"Port {self._port} can't be opened ({problem}). Nothing listens.",
                    advice="Give another --port, or none.",
                ) from None
            self._serving = threading.Thread(
                target=self._server.serve_forever,
                kwargs={"poll_interval": 0.2},
                name="stripe receiver",
                daemon=True,
            )
            self._serving.start()
            threading.Thread(target=self._work, name="stripe receiver handlers", daemon=True).start()
        return self

    def stop(self) -> None:
        """Close the port."""
        server, self._server = self._server, None
        if server is not None:
            if self._serving is not None and self._serving.is_alive():
                # one that never began, since a Stop came before it, would be waited for without an end
                server.shutdown()
            server.server_close()
            self._queue.put(None)

    def take(self, body: bytes, header: str | None) -> None:
        """One signed body: kept, then queued. Raises _Refused."""
        try:
            event = construct(body, header, self.secrets, now=self.now())
        except UnsupportedEvent:
            self.counts["of the v2 API: signed, not supported"] += 1
            return
        except BadSignature:
            raise _Refused(400, "not signed as it has to be") from None
        except BadEvent:
            raise _Refused(400, "signed, but no event") from None
        except StripeMagicsError:  # no usable secret
            raise _Refused(400, "no signing secret to check it with") from None
        if bool(event.get("livemode")) != self.live:
            mode = "live" if event.get("livemode") else "test"
            raise _Refused(403, f"of {mode} mode, which this receiver is not for")
        self.counts["accepted" if self._accept(event) else "again"] += 1
        self._queue.put(event)

    def _work(self) -> None:
        while (event := self._queue.get()) is not None:
            try:
                self._handle(event)
            except BaseException as error:
                # whatever it is, the events after this one are still to be handled
                self.counts[f"failed to handle: {type(error).__name__}"] += 1

    def host_allowed(self, host: str | None) -> bool:
        """Whether a request that names this host may be for us; a web page in a browser can reach the port
        under a name of its own."""
        name = re.sub(r":\d{1,5}$", "", (host or "").strip().lower())
        return name in _LOOPBACK or name in self.hosts


class _Server(ThreadingHTTPServer):
    """Threads, but not more than a number, and none that outlives the time of a request."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = MAX_AT_ONCE

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self._free = threading.BoundedSemaphore(MAX_AT_ONCE)
        self._open: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        # a fixed port can be opened again at once when its cell runs again; on Windows this would let others
        # in
        self.allow_reuse_address = bool(receiver.fixed_port) and os.name != "nt"
        super().__init__(("127.0.0.1", receiver.fixed_port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.receiver.counts["too many at once"] += 1
            self.shutdown_request(request)
            return
        with self._lock:
            self._open[request] = time.monotonic() + MAX_SECONDS
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.pop(request, None)
            self._free.release()

    def service_actions(self) -> None:
        """Cut off who takes too long: a byte now and then keeps a socket's own timeout from ever coming."""
        now = time.monotonic()
        with self._lock:
            late = [each for each, deadline in self._open.items() if deadline < now]
        for each in late:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has just closed itself
                continue

    def handle_error(self, _request: object, _client_address: object) -> None:
        """A connection that broke: counted, not printed."""
        self.receiver.counts["broken off"] += 1


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "stripe_magics"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = MAX_SECONDS

    def do_POST(self) -> None:
        receiver = self.server.receiver
        try:
            self._check_address()
            receiver.take(self._body(), self.headers.get("Stripe-Signature"))
        except _Refused as refused:
            receiver.counts[refused.reason] += 1
            self._answer(refused.status)
            self._drain()
        except TimeoutError:
            receiver.counts["too slow"] += 1
            self.close_connection = True
        except Exception as error:
            # the disk is full, say: the sender is to try again, and sees nothing of why
            receiver.counts[f"failed: {type(error).__name__}"] += 1
            self._answer(500)
        else:
            self._answer(200)

    def _check_address(self) -> None:
        receiver = self.server.receiver
        if not receiver.host_allowed(self.headers.get("Host")):
            raise _Refused(400, "for another host")
        if not secrets.compare_digest(self.path.encode("utf-8", "replace"), receiver.path.encode()):
            raise _Refused(404, "to another path")

    def _other(self) -> None:
        self.server.receiver.counts["not a POST"] += 1
        self._answer(405)
        self._drain()

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _other  # noqa: N815 - http.server calls them so

    def _body(self) -> bytes:
        coding = (self.headers.get("Transfer-Encoding") or "").strip().lower()
        if coding:
            if coding != "chunked" or self.headers.get("Content-Length") is not None:
                raise _Refused(400, "with a body that can't be read")
            return self._chunks()
        length = self.headers.get("Content-Length") or ""
        if not length.isascii() or not length.isdigit():
            raise _Refused(411, "without a length")
        if int(length[:12]) > MAX_BODY or len(length) > 12:
            raise _Refused(413, "too large")
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            raise _Refused(400, "broken off")
        return body

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            head = self.rfile.readline(64).split(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", head):
                raise _Refused(400, "with a body that can't be read")
            size = int(head, 16)
            if len(body) + size > MAX_BODY:
                raise _Refused(413, "too large")
            if size == 0:
                self.rfile.readline(64)
                return bytes(body)
            body += self.rfile.read(size)
            if self.rfile.readline(8).strip():
                raise _Refused(400, "with a body that can't be read")

    def _answer(self, status: int) -> None:
        """A status and nothing else; the connection is closed, since what was not read may still lie in
        it."""
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def _drain(self) -> None:
        """Let a sender finish what it is sending, so that it gets to read the answer instead of a broken
        connection."""
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        left = 4 * MAX_BODY
        while left > 0 and (piece := self.connection.recv(65536)):
            left -= len(piece)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: the path is a secret of its own."""
