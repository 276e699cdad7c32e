"""One exchange over HTTP: an attempt to send a request, which ends in a plain `AttemptResult`.

`attempt` never raises: whatever httpx or the network does becomes an `AttemptResult` without any object of
httpx's in it, since those hold the key and would show it in a traceback.
"""

from __future__ import annotations

import ssl
import time

import httpx

from stripe_magics._json import JsonObject
from stripe_magics._redaction import redact
from stripe_magics.client.api_errors.mapping import stripe_spoke
from stripe_magics.client.http.body_reader import BodyReader, TooLongError
from stripe_magics.client.http.deadline_transport import AttemptDeadline, current_deadline, transport
from stripe_magics.client.http.logging_filter import private
from stripe_magics.client.http.request_encoder import EncodedRequest, encode
from stripe_magics.client.http.response import parse_object
from stripe_magics.client.http.retry import AttemptResult, DeliveryStatus, Policy

__all__ = ["EncodedRequest", "attempt", "attempt_result", "encode", "transport"]

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


def attempt(
    client: httpx.Client, encoded: EncodedRequest, key: str, auth: httpx.Auth | None, policy: Policy
) -> AttemptResult:
    """Send a request once. Never raises: Stop (KeyboardInterrupt) comes back as an outcome too."""
    flight = AttemptDeadline(until=time.monotonic() + policy.deadline)
    token = current_deadline.set(flight)
    try:
        with private():
            return _exchange(client, encoded, key, auth, policy, flight)
    except KeyboardInterrupt:
        return _failed(flight, "stopped", interrupted=True)
    except Exception as problem:  # whatever a transport raises must not escape: its objects hold the key
        return _explain(problem, flight)
    finally:
        current_deadline.reset(token)


def _exchange(
    client: httpx.Client,
    encoded: EncodedRequest,
    key: str,
    auth: httpx.Auth | None,
    policy: Policy,
    flight: AttemptDeadline,
) -> AttemptResult:
    headers = [*encoded.headers, *((("idempotency-key", key),) if key else ())]
    timeout = httpx.Timeout(
        policy.deadline,
        connect=min(policy.connect, policy.deadline),
        pool=min(policy.connect, policy.deadline),
    )
    request = httpx.Request(
        encoded.method,
        encoded.url,
        headers=headers,
        content=encoded.body or None,
        extensions={"timeout": timeout.as_dict()},
    )
    response = client.send(request, auth=auth, stream=True, follow_redirects=False)
    try:
        if response.is_stream_consumed:  # a transport in this process
            body = response.content
        else:
            reader = BodyReader(response.headers, policy.max_bytes)
            for chunk in response.iter_raw():
                reader.feed(chunk)
                if time.monotonic() > flight.until:
                    raise _TooLate
            body = reader.body()
        status, headers_in = (
            response.status_code,
            {name.lower(): value for name, value in response.headers.items()},
        )
    finally:
        response.close()
    return attempt_result(status, headers_in, body, document=encoded.document)


def attempt_result(
    status: int, headers: dict[str, str], body: bytes, *, document: bool = False
) -> AttemptResult:
    """An answer that came in whole: whether it is Stripe's, and the code of its error.

    With `document` a file's content was asked for: an object of the type "document" stands for it, with its
    `text` if it is a table.
    A page of HTML is none of Stripe's files, but a proxy's.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if document and status == 200 and body and kind not in {"", "text/html", "application/json"}:
        text = body.decode("utf-8", "replace") if kind == "text/csv" else ""
        data: JsonObject | None = {"object": "document", "text": text}
    else:
        data = parse_object(body)
    error = data.get("error") if data is not None else None
    if 200 <= status < 300:
        if data is None or (isinstance(error, (dict, list)) and "object" not in data):
            what = "the answer was empty" if not body else "the answer was no JSON object of Stripe's"
            return AttemptResult(
                reach=DeliveryStatus.UNKNOWN, reason=what, status=status, headers=headers, body=body
            )
        return AttemptResult(
            reach=DeliveryStatus.ANSWERED,
            status=status,
            headers=headers,
            body=body,
            from_stripe=True,
            data=data,
        )
    code = str(error.get("code") or "") if isinstance(error, dict) else ""
    if not code and isinstance(error, dict) and error.get("type") == "idempotency_error":
        code = "idempotency_error"  # the key is another request's; it has no code of its own
    ours = stripe_spoke(status, headers, body)
    return AttemptResult(
        reach=DeliveryStatus.ANSWERED,
        reason=f"status {status}",
        status=status,
        headers=headers,
        body=body,
        code=code,
        from_stripe=ours,
    )


def _explain(problem: Exception, flight: AttemptDeadline) -> AttemptResult:
    untrusted = _certificate_problem(problem)
    if untrusted:
        return AttemptResult(reach=DeliveryStatus.NOT_SENT, reason=untrusted, final=True, code="certificate")
    for kind, words in _NEVER_SENT:
        if isinstance(problem, kind):
            return AttemptResult(
                reach=DeliveryStatus.NOT_SENT,
                reason=f"{words} ({_short(problem)})",
                final=True,
                code=kind.__name__,
            )
    for kind, words in _NOT_SENT:
        if isinstance(problem, kind):
            return AttemptResult(
                reach=DeliveryStatus.NOT_SENT,
                reason=f"{words} ({_short(problem)})" if str(problem) else words,
            )
    if isinstance(problem, TooLongError):
        return AttemptResult(
            reach=DeliveryStatus.UNKNOWN, reason="the answer was longer than any of Stripe's", final=True
        )
    if isinstance(problem, _TooLate):
        return _failed(flight, "no whole answer in time")
    words = next(
        (words for kind, words in _UNKNOWN if isinstance(problem, kind)),
        f"{type(problem).__name__}: {_short(problem)}",
    )
    return _failed(flight, words)


def _failed(flight: AttemptDeadline, reason: str, *, interrupted: bool = False) -> AttemptResult:
    """NOT_SENT if our own streams saw that no byte left, UNKNOWN otherwise."""
    reach = DeliveryStatus.NOT_SENT if flight.bytes_sent is False else DeliveryStatus.UNKNOWN
    return AttemptResult(reach=reach, reason=reason, interrupted=interrupted)


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
