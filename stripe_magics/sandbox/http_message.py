"""HTTP/1.1 as the loopback server reads it: one request at a time, within limits; what is doubtful is
refused.

An answer leaves in one piece: a header that leaves by itself waits for the other side's acknowledgement (40
ms a call).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Protocol

MAX_HEAD = 64 * 1024
MAX_BODY = 16 * 1024 * 1024
LINE = 16 * 1024
LONGEST_LENGTH = 12
"""Digits of a body's length that are looked at: with so many it is too large, whatever follows."""
_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,12}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ONCE = frozenset({"host", "content-length", "transfer-encoding"})
_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})


class BadMessage(Exception):
    """A request that is not read any further; the connection ends with it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(slots=True)
class Message:
    """A request: `headers` has lower-case names."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool


class Stream(Protocol):
    """A connection, both ways (`SocketStream`)."""

    def readline(self, limit: int, /) -> bytes: ...
    def read(self, length: int, /) -> bytes: ...
    def write(self, content: bytes, /) -> None: ...


Known = dict[bytes, tuple[str, str]]
"""Lines of headers that a connection has sent before -> name in lower case, value: most come each time."""
MOST_KNOWN, LONGEST_KNOWN = 64, 256


def read(stream: Stream, known: Known) -> Message | None:
    """The next request of a connection; None at its end."""
    line = stream.readline(LINE + 1)
    if line in {b"\r\n", b"\n"}:
        line = stream.readline(LINE + 1)
    if not line:
        return None
    if len(line) > LINE:
        raise BadMessage(414, "The address is too long.")
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadMessage(400, "This is not an HTTP/1.1 request.")
    method, target, version = parts
    headers = _headers(stream, known)
    if headers.get("expect", "").lower() == "100-continue":
        _length(headers)  # not for a body that is refused anyway
        stream.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    connection = headers.get("connection", "").lower()
    keep_alive = "close" not in connection and (version != "HTTP/1.0" or "keep-alive" in connection)
    return Message(method, target, headers, _body(stream, method, headers), keep_alive)


def _headers(stream: Stream, known: Known) -> dict[str, str]:
    headers: dict[str, str] = {}
    size = 0
    while True:
        line = stream.readline(LINE + 1)
        if line in {b"\r\n", b"\n"}:
            return headers
        size += len(line)
        if len(line) > LINE or size > MAX_HEAD:
            raise BadMessage(431, "The headers are too long.")
        key, value = known.get(line) or _header(line, known)
        if key in headers and key in _ONCE:
            raise BadMessage(400, f"The header {key} is there twice.")
        headers[key] = value


def _header(line: bytes, known: Known) -> tuple[str, str]:
    name, colon, value = line.decode("latin-1").partition(":")
    value = value.strip()
    if not colon or not name or name != name.strip() or _CONTROL.search(value):
        raise BadMessage(400, "A header is malformed.")
    found = name.lower(), value
    if len(known) < MOST_KNOWN and len(line) <= LONGEST_KNOWN:
        known[line] = found
    return found


def _body(stream: Stream, method: str, headers: Mapping[str, str]) -> bytes:
    coding = headers.get("transfer-encoding", "").lower()
    given = headers.get("content-length")
    if coding:
        if coding != "chunked" or given is not None:
            raise BadMessage(400, "The length of the body is ambiguous.")
        return _chunked(stream)
    if given is None:
        if method not in _BODILESS and method != "POST":
            raise BadMessage(411, "The length of the body is missing.")
        return b""
    return _exactly(stream, _length(headers))


def _length(headers: Mapping[str, str]) -> int:
    """What is said of the body's length; one that can't be is refused."""
    given = headers.get("content-length", "0")
    if not (given.isascii() and given.isdigit()):
        raise BadMessage(400, "Content-Length is not a number.")
    length = int(given.lstrip("0")[:LONGEST_LENGTH] or "0")
    if length > MAX_BODY:
        raise BadMessage(413, f"The body is larger than {MAX_BODY // 1024 // 1024} MB.")
    return length


def _exactly(stream: Stream, length: int) -> bytes:
    body = stream.read(length)
    if len(body) < length:
        raise BadMessage(400, "The body ended too early.")
    return body


def _chunked(stream: Stream) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        text = stream.readline(LINE).partition(b";")[0].strip()
        if not _CHUNK.fullmatch(text):
            raise BadMessage(400, "A chunk's length is malformed.")
        length = int(text, 16)
        size += length
        if size > MAX_BODY:
            raise BadMessage(413, f"The body is larger than {MAX_BODY // 1024 // 1024} MB.")
        if length == 0:
            break
        pieces.append(_exactly(stream, length))
        if stream.readline(3).strip():
            raise BadMessage(400, "A chunk doesn't end where it should.")
    _headers(stream, {})  # trailers
    return b"".join(pieces)


def written(status: int, headers: Mapping[str, str], body: bytes, *, head: bool, keep_alive: bool) -> bytes:
    """An answer as it goes out, in one piece. `head`: without its body."""
    lines = [f"HTTP/1.1 {status} {_phrase(status)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [
        f"content-length: {len(body)}",
        f"connection: {'keep-alive' if keep_alive else 'close'}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1", "replace") + (b"" if head else body)


@cache
def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
