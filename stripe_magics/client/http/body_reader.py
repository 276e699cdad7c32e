"""Reading an answer's body within a size, whatever it is packed in.

A few kilobytes can unpack to gigabytes, and httpx unpacks each chunk whole, as often as the header says. Here
one layer of gzip or deflate is unpacked, in pieces, and never past the limit.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Protocol

import httpx

_GZIP = {"gzip", "x-gzip"}
_PLAIN = {"", "identity"}


class TooLongError(Exception):
    """The answer is longer than any of Stripe's."""


class _Decompressor(Protocol):
    @property
    def unconsumed_tail(self) -> bytes: ...

    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class BodyReader:
    """Takes the raw chunks of a body; `body()` is what they hold. Raises `TooLongError` and
    `httpx.DecodingError`."""

    def __init__(self, headers: Mapping[str, str], limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._chunks: list[bytes] = []
        encoding = headers.get("content-encoding", "").strip().lower()
        self._deflate = encoding == "deflate"
        self._decompressor: _Decompressor | None = None
        if encoding in _GZIP:
            self._decompressor = zlib.decompressobj(16 + zlib.MAX_WBITS)
        elif self._deflate:
            self._decompressor = zlib.decompressobj()
        elif encoding not in _PLAIN:
            raise httpx.DecodingError(f"the answer is packed as {encoding[:40]!r}")

    def feed(self, chunk: bytes) -> None:
        """Take a chunk as it came in."""
        if self._decompressor is None:
            self._add(chunk)
            return
        while chunk and not self._decompressor.eof:
            self._add(self._unpack(chunk))
            chunk = self._decompressor.unconsumed_tail

    def body(self) -> bytes:
        """The whole body."""
        if self._decompressor is not None and self._size and not self._decompressor.eof:
            raise httpx.DecodingError("the compressed answer was cut off")
        return b"".join(self._chunks)

    def _unpack(self, chunk: bytes) -> bytes:
        assert self._decompressor is not None
        left = self._limit - self._size + 1
        try:
            return self._decompressor.decompress(chunk, left)
        except zlib.error:
            if not self._deflate or self._size:
                raise httpx.DecodingError("the answer can't be decompressed") from None
        self._deflate = False  # some servers leave out the wrapper
        self._decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
        return self._unpack(chunk)

    def _add(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._limit:
            raise TooLongError
        if data:
            self._chunks.append(data)
