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
from collections.abc import Callable, Mapping

import httpx

from stripe_magics.client.http import logging_filter
from stripe_magics.client.http.body_reader import BodyReader, TooLongError
from stripe_magics.client.http.retry import Policy


class AsyncConnectionPool:
    """Reads with one key. `get` is called from one event loop; `close` when the last one has come back."""

    def __init__(
        self, make: Callable[[], httpx.AsyncBaseTransport], auth: httpx.Auth | None, policy: Policy
    ) -> None:
        self._make, self._auth, self._policy = make, auth, policy
        self._timeout = httpx.Timeout(policy.deadline, connect=min(policy.connect, policy.deadline)).as_dict()
        self._free: list[httpx.AsyncBaseTransport] = []
        self._turns: dict[str, asyncio.Lock] = {}

    async def get(self, url: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Read an address once: status, headers (lower-case names) and body. Raises `httpx.TransportError` or
        `httpx.DecodingError`."""
        logging_filter.keep_private()
        request = httpx.Request("GET", url, headers=headers, extensions={"timeout": self._timeout})
        if self._auth is not None:
            next(self._auth.auth_flow(request))
        single_connection_transport = self._free.pop() if self._free else self._make()
        try:
            async with asyncio.timeout(self._policy.deadline):
                response = await single_connection_transport.handle_async_request(request)
                body = await self._whole(response)
        except TimeoutError:
            await single_connection_transport.aclose()
            raise httpx.ReadTimeout("no whole answer in time") from None
        except BaseException:  # Stop, too: what is left of the exchange is of no use to another one
            await single_connection_transport.aclose()
            raise
        self._free.append(single_connection_transport)
        return response.status_code, {name.lower(): value for name, value in response.headers.items()}, body

    def turn(self, name: str) -> asyncio.Lock:
        """A lock of that name, for what several lists need and one should ask for."""
        return self._turns.setdefault(name, asyncio.Lock())

    async def close(self) -> None:
        """Close all network connections."""
        while self._free:
            await self._free.pop().aclose()

    async def _whole(self, response: httpx.Response) -> bytes:
        try:
            if response.is_stream_consumed:  # a transport in this process
                return response.content
            reader = BodyReader(response.headers, self._policy.max_bytes)
            async for chunk in response.aiter_raw():
                reader.feed(chunk)
            return reader.body()
        except TooLongError:
            raise httpx.ReadError("the answer is longer than any of Stripe's") from None
        finally:
            await response.aclose()


def single_connection_transport(context: ssl.SSLContext, proxy: str) -> httpx.AsyncHTTPTransport:
    """A transport to the real network: one connection, no redirects, no environment."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
    return httpx.AsyncHTTPTransport(verify=context, trust_env=False, proxy=proxy or None, limits=limits)
