"""Many reads side by side: each under way has a network connection to itself.

One pool with forty connections asks all forty, at every request, whether they are still open: more work than
the request itself. Here a request takes a free one (the one that was used last, so that no more are opened
than are needed) and gives it back.

The key is added as a request leaves, and nothing of it is logged; the answer is read whole, within the
deadline and the size that hold for any call.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import httpx

from stripe_magics.client.http import logging_filter
from stripe_magics.client.http.body_reader import BodyReader, TooLongError
from stripe_magics.client.http.retry import Policy
from stripe_magics.client.pagination.network_connection import Header, NetworkConnection

if TYPE_CHECKING:
    from stripe_magics.client.http.auth import KeyAuth


class ReadingConnection(Protocol):
    """What one request at a time goes through."""

    async def get(
        self, url: str, headers: Sequence[Header], timeouts: Mapping[str, float | None], max_bytes: int, /
    ) -> tuple[int, dict[str, str], bytes]: ...

    async def aclose(self) -> None: ...


class AsyncConnectionPool:
    """Reads with one key. `get` is called from one event loop; `close` when the last one has come back."""

    def __init__(self, make: Callable[[], ReadingConnection], auth: KeyAuth | None, policy: Policy) -> None:
        self._make, self._auth, self._policy = make, auth, policy
        self._timeouts = httpx.Timeout(
            policy.deadline, connect=min(policy.connect, policy.deadline)
        ).as_dict()
        self._free: list[ReadingConnection] = []
        self._turns: dict[str, asyncio.Lock] = {}

    async def get(self, url: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Read an address once: status, headers (lower-case names) and body. Raises `httpx.TransportError` or
        `httpx.DecodingError`."""
        logging_filter.keep_private()
        sent = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
        if self._auth is not None:
            sent.append(self._auth.header())
        connection = self._free.pop() if self._free else self._make()
        try:
            async with asyncio.timeout(self._policy.deadline):
                answer = await connection.get(url, sent, self._timeouts, self._policy.max_bytes)
        except TimeoutError:
            await connection.aclose()
            raise httpx.ReadTimeout("no whole answer in time") from None
        except TooLongError:
            await connection.aclose()
            raise httpx.ReadError("the answer is longer than any of Stripe's") from None
        except BaseException:  # Stop, too: what is left of the exchange is of no use to another one
            await connection.aclose()
            raise
        self._free.append(connection)
        return answer

    def turn(self, name: str) -> asyncio.Lock:
        """A lock of that name, for what several lists need and one should ask for."""
        return self._turns.setdefault(name, asyncio.Lock())

    async def close(self) -> None:
        """Close all network connections."""
        while self._free:
            await self._free.pop().aclose()


class TransportConnection:
    """The same through a transport of httpx's: one in this process, or a proxy's."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def get(
        self, url: str, headers: Sequence[Header], timeouts: Mapping[str, float | None], max_bytes: int
    ) -> tuple[int, dict[str, str], bytes]:
        """Read an address."""
        request = httpx.Request("GET", url, headers=headers, extensions={"timeout": dict(timeouts)})
        response = await self._transport.handle_async_request(request)
        try:
            body = await _whole(response, max_bytes)
        finally:
            await response.aclose()
        return response.status_code, {name.lower(): value for name, value in response.headers.items()}, body

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()


async def _whole(response: httpx.Response, max_bytes: int) -> bytes:
    if response.is_stream_consumed:  # a transport in this process
        return response.content
    reader = BodyReader(response.headers, max_bytes)
    async for chunk in response.aiter_raw():
        reader.feed(chunk)
    return reader.body()


def network_connection(context: ssl.SSLContext, proxy: str) -> ReadingConnection:
    """A connection to the real network: no redirects, no environment."""
    if not proxy:
        return NetworkConnection(context)
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
    return TransportConnection(
        httpx.AsyncHTTPTransport(verify=context, trust_env=False, proxy=proxy, limits=limits)
    )
