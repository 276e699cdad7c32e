"""One exchange over HTTP: the bytes of a request, made once, and an attempt to send them that ends in a plain `Outcome`.

- `encode` makes URL, headers and body of a request; every attempt sends these same bytes.
- `attempt` never raises: whatever httpx or the network does becomes an `Outcome` without any object of httpx's in it, since those hold the
  key and would show it in a traceback.
- The deadline holds for the whole attempt, not for each read: our network streams shorten the timeout of every read to what is left.
"""

from __future__ import annotations

import json
import mimetypes
import ssl
import time
import uuid
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpcore
import httpx

from stripe_magics.client import guards
from stripe_magics.client.answer import parse_object
from stripe_magics.client.errors import stripe_spoke
from stripe_magics.client.log import private
from stripe_magics.client.retry import Outcome, Policy, Reach
from stripe_magics.errors import Details, InvalidRequest, redact
from stripe_magics.request import Request

USER_AGENT = "stripe_magics/0.1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """The bytes of a request; no authorisation among them."""

    method: str
    url: str
    target: str  # path and query, as sent
    headers: tuple[tuple[str, str], ...]
    body: bytes
    names: tuple[str, ...] = ()  # of the parameters
    version: str = ""
    account: str = ""

    def __repr__(self) -> str:
        """Without query and body."""
        return f"<Encoded {self.method} {self.target.partition('?')[0]}>"


def encode(request: Request, *, base: str, version: str, account: str) -> Encoded:
    """Check and encode a request. Raises `InvalidRequest` for a path, header or file that can't be sent."""
    method = guards.check_method(request.method)
    path = guards.check_path(request.path)
    if method == "POST" and path == "/v1/files" and base == guards.API:
        base = "https://files.stripe.com"
    in_url = tuple(request.query) + (request.params if method in {"GET", "DELETE"} else ())
    target = f"{path}?{_form(in_url)}" if in_url else path
    given: dict[str, str] = {}
    for name, value in request.headers:
        given[name.lower()] = guards.check_header(name, value)
    headers = {
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "user-agent": USER_AGENT,
        "stripe-version": guards.check_header("Stripe-Version", version),
        **({"stripe-account": guards.check_header("Stripe-Account", account)} if account else {}),
    }
    body = b""
    if request.files:
        body, headers["content-type"] = _multipart(request)
    elif request.json is not None and method not in {"GET", "DELETE"}:
        body = json.dumps(request.json, ensure_ascii=False, separators=(",", ":")).encode()
        headers["content-type"] = "application/json"
    elif method not in {"GET", "DELETE"}:
        body = _form(request.params).encode()
        headers["content-type"] = "application/x-www-form-urlencoded"
    headers.update(given)
    url = base + target
    if httpx.URL(url).raw_path.decode("ascii") != target:
        raise InvalidRequest("The path would reach another endpoint than it names. Nothing was sent.", details=Details())
    return Encoded(
        method=method,
        url=url,
        target=target,
        headers=tuple(headers.items()),
        body=body,
        names=tuple(name for name, _ in (*in_url, *request.params)) + _names(request.json),
        version=headers["stripe-version"],
        account=headers.get("stripe-account", "") + headers.get("stripe-context", ""),
    )


def _form(pairs: Iterable[tuple[str, str]]) -> str:
    try:
        return urlencode(list(pairs))
    except UnicodeEncodeError:
        raise InvalidRequest(
            "A value has half of a character (a lone surrogate) and can't be sent. Nothing was sent.", details=Details()
        ) from None


def _names(data: Any) -> tuple[str, ...]:
    if isinstance(data, dict):
        return tuple(str(name) for name in data) + tuple(name for value in data.values() for name in _names(value))
    return tuple(name for value in data for name in _names(value)) if isinstance(data, list) else ()


def _multipart(request: Request) -> tuple[bytes, str]:
    """A multipart body, read once, with a boundary that stays the same for every attempt."""
    boundary = uuid.uuid4().hex
    parts: list[bytes] = []
    for name, value in request.params:
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'.encode())
    for name, place in (request.files or {}).items():
        path = Path(place)
        try:
            data = path.read_bytes()
        except OSError as problem:
            raise InvalidRequest(
                f"The file {place!r} can't be read: {problem.strerror}. Nothing was sent.", details=Details(param=name)
            ) from None
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"; filename="{_quoted(path.name)}"\r\nContent-Type: {kind}\r\n\r\n'
        parts.append(head.encode() + data + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


# --- the deadline of a whole attempt -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Flight:
    """An attempt under way: when it has to be over, and whether a byte of it has left (None: the transport doesn't tell)."""

    until: float
    wrote: bool | None = None

    def left(self, timeout: float | None) -> float:
        """What a read or write may still take."""
        rest = max(0.001, self.until - time.monotonic())
        return rest if timeout is None else min(timeout, rest)


_FLIGHT: ContextVar[Flight | None] = ContextVar("stripe_magics_flight", default=None)


def _left(timeout: float | None) -> float | None:
    flight = _FLIGHT.get()
    return flight.left(timeout) if flight else timeout


class _Stream(httpcore.NetworkStream):
    """A network stream whose reads and writes end with the attempt."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        flight = _FLIGHT.get()
        if flight is not None and time.monotonic() >= flight.until:
            raise httpcore.ReadTimeout("deadline")
        return self._inner.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        flight = _FLIGHT.get()
        if flight is not None:
            flight.wrote = True
        self._inner.write(buffer, _left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """The real network, with our streams."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        flight = _FLIGHT.get()
        if flight is not None and flight.wrote is None:
            flight.wrote = False
        return _Stream(self._inner.connect_tcp(host, port, _left(timeout), local_address, socket_options))

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Any = None) -> httpcore.NetworkStream:
        return _Stream(self._inner.connect_unix_socket(path, _left(timeout), socket_options))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


def transport(context: ssl.SSLContext, proxy: str) -> httpx.HTTPTransport:
    """The transport to the real network: no redirects, no environment, our streams."""
    made = httpx.HTTPTransport(
        verify=context,
        trust_env=False,
        proxy=proxy or None,
        retries=0,
        limits=httpx.Limits(max_connections=40, max_keepalive_connections=20),
    )
    pool = made._pool
    # httpx has no setting for the network below it; httpcore's pool has, under this name, in every version that is supported
    pool._network_backend = _Backend(pool._network_backend)
    return made


# --- one attempt ---------------------------------------------------------------------------------------------------------------------

_NOT_SENT: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ConnectTimeout, "no connection in time"),
    (httpx.PoolTimeout, "no free connection in time"),
    (httpx.ConnectError, "no connection"),
)
_NEVER_SENT: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ProxyError, "the proxy refused"),
    (httpx.UnsupportedProtocol, "the address can't be used"),
    (httpx.LocalProtocolError, "the request can't be sent"),
    (httpx.InvalidURL, "the address can't be used"),
)
_UNKNOWN: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ReadTimeout, "no answer in time"),
    (httpx.WriteTimeout, "the request could not be sent to its end in time"),
    (httpx.WriteError, "the connection broke while sending"),
    (httpx.ReadError, "the connection broke before the answer"),
    (httpx.RemoteProtocolError, "the answer was cut off or senseless"),
    (httpx.DecodingError, "the answer can't be decompressed"),
)


class _TooLate(Exception):
    """The deadline passed while the answer was coming in."""


class _TooLong(Exception):
    """The answer is longer than any of Stripe's."""


def attempt(
    client: httpx.Client,
    encoded: Encoded,
    key: str,
    auth: httpx.Auth | None,
    policy: Policy,
    *,
    wait: Callable[[], object] | None = None,
) -> Outcome:
    """Send a request once. Never raises: Stop (KeyboardInterrupt) comes back as an outcome too."""
    flight = Flight(until=time.monotonic() + policy.deadline)
    token = _FLIGHT.set(flight)
    try:
        with private():
            return _exchange(client, encoded, key, auth, policy, flight)
    except KeyboardInterrupt:
        return _failed(flight, "stopped", interrupted=True)
    except Exception as problem:  # whatever a transport raises must not escape: its objects hold the key
        return _explain(problem, flight)
    finally:
        _FLIGHT.reset(token)


def _exchange(
    client: httpx.Client, encoded: Encoded, key: str, auth: httpx.Auth | None, policy: Policy, flight: Flight
) -> Outcome:
    headers = [*encoded.headers, *((("idempotency-key", key),) if key else ())]
    timeout = httpx.Timeout(
        policy.deadline, connect=min(policy.connect, policy.deadline), pool=min(policy.connect, policy.deadline)
    )
    request = httpx.Request(
        encoded.method, encoded.url, headers=headers, content=encoded.body or None, extensions={"timeout": timeout.as_dict()}
    )
    response = client.send(request, auth=auth, stream=True, follow_redirects=False)
    try:
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > policy.max_bytes:
                raise _TooLong
            if time.monotonic() > flight.until:
                raise _TooLate
            chunks.append(chunk)
        body = b"".join(chunks)
        status, headers_in = response.status_code, {name.lower(): value for name, value in response.headers.items()}
    finally:
        response.close()
    return judge(status, headers_in, body)


def judge(status: int, headers: dict[str, str], body: bytes) -> Outcome:
    """An answer that came in whole: whether it is Stripe's, and the code of its error."""
    data = parse_object(body)
    error = data.get("error") if data is not None else None
    if 200 <= status < 300:
        if data is None or "error" in data:
            what = "the answer was empty" if not body else "the answer was no JSON object of Stripe's"
            return Outcome(reach=Reach.UNKNOWN, reason=what, status=status, headers=headers, body=body)
        return Outcome(reach=Reach.ANSWERED, status=status, headers=headers, body=body, from_stripe=True)
    code = str(error.get("code") or "") if isinstance(error, dict) else ""
    ours = stripe_spoke(status, headers, body)
    return Outcome(
        reach=Reach.ANSWERED, reason=f"status {status}", status=status, headers=headers, body=body, code=code, from_stripe=ours
    )


def _explain(problem: Exception, flight: Flight) -> Outcome:
    untrusted = _certificate_problem(problem)
    if untrusted:
        return Outcome(reach=Reach.NOT_SENT, reason=untrusted, final=True, code="certificate")
    for kind, words in _NEVER_SENT:
        if isinstance(problem, kind):
            return Outcome(reach=Reach.NOT_SENT, reason=f"{words} ({_short(problem)})", final=True, code=kind.__name__)
    for kind, words in _NOT_SENT:
        if isinstance(problem, kind):
            return Outcome(reach=Reach.NOT_SENT, reason=f"{words} ({_short(problem)})" if str(problem) else words)
    if isinstance(problem, _TooLong):
        return Outcome(reach=Reach.UNKNOWN, reason="the answer was longer than any of Stripe's", final=True)
    if isinstance(problem, _TooLate):
        return _failed(flight, "no whole answer in time")
    words = next((words for kind, words in _UNKNOWN if isinstance(problem, kind)), f"{type(problem).__name__}: {_short(problem)}")
    return _failed(flight, words)


def _failed(flight: Flight, reason: str, *, interrupted: bool = False) -> Outcome:
    """NOT_SENT if our own streams saw that no byte left, UNKNOWN otherwise."""
    reach = Reach.NOT_SENT if flight.wrote is False else Reach.UNKNOWN
    return Outcome(reach=reach, reason=reason, interrupted=interrupted)


def _short(problem: Exception) -> str:
    return redact(" ".join(str(problem).split())[:160])


def _certificate_problem(problem: BaseException) -> str:
    """What is wrong with the certificate, if that is what went wrong: it stands two causes deep."""
    seen: BaseException | None = problem
    for _ in range(8):
        if seen is None:
            return ""
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"the server's certificate isn't trusted: {seen.verify_message or 'unknown issuer'}"
        seen = seen.__cause__ or seen.__context__
    return ""
