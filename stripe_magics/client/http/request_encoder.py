"""The bytes of a request, made once: every attempt to send it sends these same bytes."""

from __future__ import annotations

import json
import mimetypes
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx

from stripe_magics._version import __version__
from stripe_magics.client.sending import request_checks
from stripe_magics.errors import Details, InvalidRequest
from stripe_magics.request import HttpRequest

_CONTENTS = re.compile(r"/v1/(files/[\w-]+/contents|quotes/[\w-]+/pdf)")
USER_AGENT = f"stripe_magics/{__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedRequest:
    """The bytes of a request; no authorisation among them."""

    method: str
    url: str
    target: str  # path and query, as sent
    headers: tuple[tuple[str, str], ...]
    body: bytes
    names: tuple[str, ...] = ()  # of the parameters
    version: str = ""
    account: str = ""
    document: bool = False  # a file's content is asked for, and no JSON

    def __repr__(self) -> str:
        """Without query and body."""
        return f"<Encoded {self.method} {self.target.partition('?')[0]}>"


def encode(
    request: HttpRequest, *, base: str, version: str, account: str, account_header: str = "Stripe-Account"
) -> EncodedRequest:
    """Check and encode a request. Raises `InvalidRequest` for a path, header or file that can't be sent."""
    method = request_checks.check_method(request.method)
    path = request_checks.check_path(request.path)
    of_file = (method == "POST" and path == "/v1/files") or is_document(method, path)
    if of_file and base == request_checks.API:
        base = "https://files.stripe.com"
    in_url = tuple(request.query) + (request.params if method in {"GET", "DELETE"} else ())
    target = f"{path}?{_form(in_url)}" if in_url else path
    given: dict[str, str] = {}
    for name, value in request.headers:
        given[name.lower()] = request_checks.check_header(name, value)
    headers = {
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "user-agent": USER_AGENT,
        "stripe-version": request_checks.check_header("Stripe-Version", version),
        **({account_header.lower(): request_checks.check_header(account_header, account)} if account else {}),
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
    if account_header != "Stripe-Account" and "stripe-account" in given:
        given[account_header.lower()] = given.pop("stripe-account")
    headers.update(given)
    url = base + target
    if httpx.URL(url).raw_path.decode("ascii") != target:
        raise InvalidRequest(
            "The path would reach another endpoint than it names. Nothing was sent.", details=Details()
        )
    return EncodedRequest(
        method=method,
        url=url,
        target=target,
        headers=tuple(headers.items()),
        body=body,
        names=tuple(name for name, _ in (*in_url, *request.params)) + _names(request.json),
        version=headers["stripe-version"],
        account=headers.get("stripe-account", "") + headers.get("stripe-context", ""),
        document=is_document(method, path),
    )


def is_document(method: str, target: str) -> bool:
    """Whether a call asks for a file's content, which is no JSON."""
    return method == "GET" and _CONTENTS.fullmatch(target) is not None


def _form(pairs: Iterable[tuple[str, str]]) -> str:
    try:
        return urlencode(list(pairs))
    except UnicodeEncodeError:
        raise InvalidRequest(
            "A value has invalid Unicode character (a lone surrogate) and can't be sent. Nothing was sent.",
            details=Details(),
        ) from None


def _names(data: object) -> tuple[str, ...]:
    if isinstance(data, dict):
        return tuple(str(name) for name in data) + tuple(
            name for value in data.values() for name in _names(value)
        )
    return tuple(name for value in data for name in _names(value)) if isinstance(data, list) else ()


def _multipart(request: HttpRequest) -> tuple[bytes, str]:
    """A multipart body, read once, with a boundary that stays the same for every attempt."""
    boundary = uuid.uuid4().hex
    parts: list[bytes] = []
    for name, value in request.params:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n'
        parts.append(f"{head}{value}\r\n".encode())
    for name, place in (request.files or {}).items():
        path = Path(place)
        try:
            data = path.read_bytes()
        except OSError as problem:
            raise InvalidRequest(
                f"The file {place!r} can't be read: {problem.strerror}. Nothing was sent.",
                details=Details(param=name),
            ) from None
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}";'
            f' filename="{_quoted(path.name)}"\r\nContent-Type: {kind}\r\n\r\n'
        )
        parts.append(head.encode() + data + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
