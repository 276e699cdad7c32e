"""The same account over loopback HTTP, so that any Stripe client can talk to it.

    python -m stripe_magics.sandbox --port 12111

    stripe.api_base = "http://127.0.0.1:12111"; stripe.api_key = "sk_test_anything"

It listens on this machine only. A page in a browser can't reach it: the Host has to be this machine by name,
and a request with an Origin is refused. Besides Stripe's API there are

    GET  /health                    {"status": "ok", "now": ...}; needs no key
    POST /_sandbox/advance          seconds=86400: let time pass
    POST /_sandbox/reset            back to how it started
"""

from __future__ import annotations

import errno
import socket
import socketserver
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import msgspec

from stripe_magics.sandbox.api.dispatcher import Response
from stripe_magics.sandbox.api.errors import ApiError
from stripe_magics.sandbox.api.form_decoding import pairs
from stripe_magics.sandbox.core.store import encode
from stripe_magics.sandbox.http_message import BadMessage, Known, Message, read, written
from stripe_magics.sandbox.socket_stream import SocketStream, limit_waits
from stripe_magics.sandbox.transport import SandboxTransport
from stripe_magics.sandbox.webhook_sender import WebhookSender

HOST, HOST_6 = "127.0.0.1", "::1"
OWN_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
LINGER, MOST_LINGERING = 2.0, 512
"""Seconds of silence, and pieces of 64 kB, until a connection that was refused is closed."""
FULL_PAUSE = 0.1
"""Seconds until it is looked again whether another connection can be taken, where none could."""
LAST_ANSWERS = 5.0
"""Seconds that answers may take to leave once the server stops."""
_FULL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

Log = Callable[[str], None]
Reply = tuple[int, dict[str, str], bytes]


class _Server(socketserver.ThreadingTCPServer):
    host = HOST
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self, port: int, transport: SandboxTransport, sender: WebhookSender, log: Log | None,
        on_write: Callable[[], None],
    ) -> None:  # fmt: skip
        super().__init__((self.host, port), _Connection)
        self.transport, self.sender, self.log, self.on_write = transport, sender, log, on_write
        self.stopped = False  # changed with the account locked
        self.leaving: set[SocketStream] = set()  # answers that wait for their other side
        self.left = threading.Condition()
        self._full = False

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection; where this process can open no more, it waits with the kernel."""
        try:
            found = super().get_request()
        except OSError as fault:
            if fault.errno in _FULL:
                if not self._full:
                    print(f"New connections wait: {fault.strerror}.", file=sys.stderr, flush=True)
                self._full = True
                time.sleep(FULL_PAUSE)
            raise
        self._full = False
        return found

    def let_answers_leave(self) -> None:
        """Wait for what was answered and isn't sent yet, within limits."""
        with self.left:
            self.left.wait_for(lambda: not self.leaving, LAST_ANSWERS)

    def handle_error(self, _request: object, _client_address: object) -> None:
        """A client that went away is nobody's defect; everything else must be seen."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            traceback.print_exc(file=sys.stderr)


class _Server6(_Server):
    """The same by this machine's other address: where `localhost` means that one first, too."""

    host = HOST_6
    address_family = socket.AF_INET6


class _Connection(socketserver.BaseRequestHandler):
    """One connection: requests one after another until either side has enough."""

    server: _Server
    request: socket.socket

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # an answer doesn't wait for more
        self._stream = SocketStream(self.request)
        self._known: Known = {}
        self._sent: Reply | None = None  # the answer to the request at hand
        self._gone = False

    def handle(self) -> None:
        while True:
            self._stream.begin()
            try:
                message = read(self._stream, self._known)
            except BadMessage as fault:
                self._refuse(fault)
                return
            except (TimeoutError, ConnectionError):
                return
            if message is None:
                return
            started = time.perf_counter()
            self._sent = None
            self._answer(message)
            if self._stream.unsent:
                self._finish()
            if self.server.log is not None and self._sent is not None:
                status, headers, _ = self._sent
                took = (time.perf_counter() - started) * 1000
                path = message.target.partition("?")[0]
                self.server.log(
                    f"{message.method} {path} {status} {took:.1f} ms {headers.get('request-id', '')}".rstrip()
                )
            if self._gone or not message.keep_alive:
                return

    def _finish(self) -> None:
        try:
            self._stream.finish()
        finally:
            with self.server.left:
                self.server.leaving.discard(self._stream)
                self.server.left.notify_all()

    def _refuse(self, fault: BadMessage) -> None:
        status, headers, body = _error(fault.status, fault.message)
        self._stream.write(written(status, headers, body, head=False, keep_alive=False))
        self._linger()

    def _linger(self) -> None:
        """Read on for a little, and throw it away: a connection that is closed over unread bytes is reset,
        and its last answer lost."""
        with suppress(OSError):
            self.request.shutdown(socket.SHUT_WR)
            limit_waits(self.request, LINGER)
            for _ in range(MOST_LINGERING):
                if not self.request.recv(65536):
                    return

    def _answer(self, message: Message) -> None:
        refused = _refusal(message)
        if refused is not None:
            self._send(message, refused)
            return
        path, query = _path_and_query(message.target)
        own = OWN_PATHS.get((message.method, path))
        try:
            # nothing else happens before the receivers of what happened are known
            with self.server.transport.lock:
                if self.server.stopped:  # who saves the account now has seen all that was answered
                    self._gone = True
                    return
                if own is None:
                    self._carry_out(message, path, query)
                else:
                    reply = own(self.server, message)
                    self._send_written(message, reply)
                self.server.sender.look()
        except Exception:
            # a defect of the sandbox: the client must not hang, and whoever runs the server must see it
            traceback.print_exc(file=sys.stderr)
            if self._sent is None:
                fault = _error(500, "The sandbox has a defect; its own output says where.", kind="api_error")
                self._send(message, fault)

    def _carry_out(self, message: Message, path: str, query: str) -> None:
        def send(answer: Response) -> None:
            self._send_written(message, (answer.status, answer.headers, answer.body))

        method = "GET" if message.method == "HEAD" else message.method
        answer = self.server.transport.answer(method, path, query, message.headers, message.body, send)
        if self._sent is None:
            send(answer)

    def _send_written(self, message: Message, reply: Reply) -> None:
        """What was changed is marked to be kept before its caller knows of it."""
        if message.method not in {"GET", "HEAD"}:
            self.server.on_write()
        if message.headers.get("user-agent", "").startswith("curl/"):  # a person reads it
            reply = reply[0], reply[1], _pretty(reply[1], reply[2])
        self._send(message, reply)

    def _send(self, message: Message, reply: Reply) -> None:
        """Without waiting: the account is locked meanwhile."""
        status, headers, body = self._sent = reply
        content = written(status, headers, body, head=message.method == "HEAD", keep_alive=message.keep_alive)
        try:
            self._stream.begin_to_write(content)
            if self._stream.unsent:
                with self.server.left:
                    self.server.leaving.add(self._stream)
        except ConnectionError:
            self._gone = True


def _refusal(message: Message) -> Reply | None:
    """Who may not ask at all, and what can't be read."""
    host = message.headers.get("host", "")
    if _name(host) not in OWN_NAMES:
        return _error(403, f"The sandbox serves this machine only, by its own name; Host is '{host}'.")
    if "origin" in message.headers:
        return _error(
            403, "The sandbox answers programs, not pages in a browser (the request has an Origin)."
        )
    try:
        _path_and_query(message.target)
    except ValueError:
        return _error(400, "The address can't be read.")
    return None


def _path_and_query(target: str) -> tuple[str, str]:
    """Raises ValueError where there is no making sense of it."""
    if target.startswith("/") and not target.startswith("//") and "#" not in target:
        path, _, query = target.partition("?")
        return path, query
    parts = urlsplit(target)
    return parts.path, parts.query


def _name(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def _pretty(headers: dict[str, str], body: bytes) -> bytes:
    return (
        msgspec.json.format(body, indent=2) + b"\n"
        if headers.get("content-type") == "application/json"
        else body
    )


def _error(status: int, message: str, *, kind: str = "invalid_request_error") -> Reply:
    return status, {"content-type": "application/json"}, encode({"error": {"message": message, "type": kind}})


def _reply(content: dict[str, Any]) -> Reply:
    return 200, {"content-type": "application/json"}, encode(content)


# What there is beside the API


def _health(server: _Server, _message: Message) -> Reply:
    return _reply({"status": "ok", "now": server.transport.now})


def _advance(server: _Server, message: Message) -> Reply:
    try:
        seconds = dict(pairs(message.body.decode("utf-8", "replace"))).get("seconds", "")
    except ApiError as fault:
        return _error(400, str(fault))
    if not seconds.isdecimal() or len(seconds) > 10:
        return _error(400, "Give a number of seconds: seconds=86400.")
    try:
        return _reply({"now": server.transport.advance(int(seconds))})
    except ValueError as fault:
        return _error(400, str(fault))


def _reset(server: _Server, _message: Message) -> Reply:
    server.transport.reset()
    return _reply({"now": server.transport.now})


OWN_PATHS: dict[tuple[str, str], Callable[[_Server, Message], Reply]] = {
    ("GET", "/health"): _health,
    ("HEAD", "/health"): _health,
    ("POST", "/_sandbox/advance"): _advance,
    ("POST", "/_sandbox/reset"): _reset,
}


@contextmanager
def serving(
    transport: SandboxTransport, port: int = 0, log: Log | None = None,
    on_write: Callable[[], None] = lambda: None,
) -> Iterator[str]:  # fmt: skip
    """Serve in the background; gives the base address. Port 0 takes any that is free. Raises OSError if the
    port is taken. `on_write` is called after each request that may have changed the account. At the end
    nothing is carried out any more, on connections that are still open neither."""
    sender = WebhookSender(transport, log)
    with ExitStack() as stack:
        stack.callback(sender.close)
        server = stack.enter_context(_Server(port, transport, sender, log, on_write))
        stack.enter_context(_running(server))
        with suppress(OSError):
            # no such address here, or taken by another: the first is the one that is said
            six = stack.enter_context(_Server6(server.server_address[1], transport, sender, log, on_write))
            stack.enter_context(_running(six))
        yield f"http://{HOST}:{server.server_address[1]}"


@contextmanager
def _running(server: _Server) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        with server.transport.lock:
            server.stopped = True
        server.shutdown()
        thread.join()
        server.let_answers_leave()
