"""The network below httpcore, on asyncio's own transports.

httpcore goes through anyio, which stops and starts reading around each piece of an answer and sets a timer
for it: a quarter of what a page costs. Here bytes are taken as they come, up to a bound. Who reads through
these streams limits the whole exchange in time, so that single reads and writes have no timers of their own.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

ONE_ADDRESS = 2.0  # seconds that an address has to answer where the host has a further one
MAX_WAITING_BYTES = 1_000_000  # received and not read yet; the server must wait beyond


class AsyncioBackend(httpcore.AsyncNetworkBackend):
    """Opens streams."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A stream to a host. Raises `httpcore.ConnectError` and `ConnectTimeout`."""
        try:
            async with asyncio.timeout(timeout):
                return await _connected(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout("no connection in time") from None
        except OSError as problem:
            raise httpcore.ConnectError(str(problem)) from None

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


async def _connected(host: str, port: int) -> _Stream:
    """A stream to the first of the host's addresses that answers."""
    loop = asyncio.get_running_loop()
    addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for left, (*_, address) in zip(reversed(range(len(addresses))), addresses, strict=True):
        try:
            async with asyncio.timeout(ONE_ADDRESS if left else None):
                return _Stream(*await loop.create_connection(_Received, *address[:2]))
        except OSError:
            if not left:
                raise
    raise OSError(f"{host} has no address")


class _Received(asyncio.Protocol):
    """What came in and wasn't read yet."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None  # the one to stop when too much waits
        self.bytes = bytearray()
        self.ended = False
        self.problem: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._stopped = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of the TCP connection."""
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Keep it for the reader."""
        self.bytes += data
        if len(self.bytes) > MAX_WAITING_BYTES and self.transport is not None and not self._stopped:
            self._stopped = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """The server has closed its side: so is the connection."""
        self.ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed, or broken."""
        self.ended, self.problem = True, exc
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def some(self, most: int) -> bytes:
        """The next bytes, when there are any; none at the end. Raises `httpcore.ReadError` if the connection
        broke."""
        if not self.bytes and not self.ended:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if not self.bytes and self.problem is not None:
            raise httpcore.ReadError(str(self.problem))
        data = bytes(memoryview(self.bytes)[:most])
        del self.bytes[:most]
        if self._stopped and self.transport is not None and len(self.bytes) <= MAX_WAITING_BYTES:
            self._stopped = False
            self.transport.resume_reading()
        return data


class _Stream(httpcore.AsyncNetworkStream):
    """A stream to one host."""

    def __init__(self, transport: asyncio.Transport, received: _Received) -> None:
        self._transport, self._received = transport, received

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next bytes."""
        return await self._received.some(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send a request, which has no body: it never fills what the transport may hold back."""
        if self._received.ended or self._transport.is_closing():
            raise httpcore.WriteError("the server has closed the connection")
        self._transport.write(buffer)

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """The same connection, encrypted. Raises `httpcore.ConnectError` and `ConnectTimeout`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                encrypted = await loop.start_tls(
                    self._transport, self._received, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError:
            await self.aclose()
            raise httpcore.ConnectTimeout("no encrypted connection in time") from None
        except OSError as problem:  # certificates that don't fit are one
            await self.aclose()
            raise httpcore.ConnectError(str(problem)) from None
        except BaseException:
            await self.aclose()
            raise
        if encrypted is None:
            raise httpcore.ConnectError("the connection was closed while it was being encrypted")
        self._received.transport = encrypted
        return _Stream(encrypted, self._received)

    async def aclose(self) -> None:
        """Close it, at once."""
        self._transport.close()
        await asyncio.sleep(0)
        self._transport.abort()

    def get_extra_info(self, info: str) -> Any:
        """`is_readable`: of an idle connection, whether it has ended or holds what nobody asked for; it isn't
        used again then."""
        if info == "is_readable":
            return self._received.ended or bool(self._received.bytes)
        return self._transport.get_extra_info("ssl_object") if info == "ssl_object" else None
