"""The network below httpx, with a deadline for a whole attempt.

httpx limits each read; an answer that drips a byte at a time never ends. Our streams shorten the timeout of
every read and write to what is left of the attempt, and remember whether a byte of the request has left at
all.
"""

from __future__ import annotations

import ssl
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx


@dataclass(slots=True)
class AttemptDeadline:
    """An attempt under way: when it has to be over, and whether a byte of it has left (None: the transport
    doesn't tell)."""

    until: float
    bytes_sent: bool | None = None

    def left(self, timeout: float | None) -> float:
        """What a read or write may still take."""
        rest = max(0.001, self.until - time.monotonic())
        return rest if timeout is None else min(timeout, rest)


current_deadline: ContextVar[AttemptDeadline | None] = ContextVar("stripe_magics_flight", default=None)


def _left(timeout: float | None) -> float | None:
    flight = current_deadline.get()
    return flight.left(timeout) if flight else timeout


class _Stream(httpcore.NetworkStream):
    """A network stream whose reads and writes end with the attempt."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        flight = current_deadline.get()
        if flight is not None and time.monotonic() >= flight.until:
            raise httpcore.ReadTimeout("deadline")
        return self._inner.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        flight = current_deadline.get()
        if flight is not None:
            flight.bytes_sent = True
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
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        flight = current_deadline.get()
        if flight is not None and flight.bytes_sent is None:
            flight.bytes_sent = False
        return _Stream(self._inner.connect_tcp(host, port, _left(timeout), local_address, socket_options))

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
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
    # httpx has no setting for the network below it; httpcore's pool has, under this name, in every version
    # that is supported
    pool = made._pool  # noqa: SLF001
    pool._network_backend = _Backend(pool._network_backend)  # noqa: SLF001
    return made
