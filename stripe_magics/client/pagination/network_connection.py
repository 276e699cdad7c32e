"""One network connection for reads, one after another: opened when it is needed, and anew once the server has
closed it.

httpcore carries the requests, without httpx around it: a long list has thousands of them, and httpx's own
request, answer and pool are a third of what each costs. What goes wrong raises httpx's exceptions, as in any
transport; no request of httpcore's, which has the key in it, is in them.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence

import httpcore
import httpx

from stripe_magics.client.http.body_reader import BodyReader
from stripe_magics.client.pagination.network_stream import AsyncioBackend

_NETWORK = AsyncioBackend()
KEPT_OPEN = 5.0  # seconds without a request, after which a connection isn't used again

Header = tuple[bytes, bytes]


class NetworkConnection:
    """A connection to one origin. Not for two requests at a time."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._open: httpcore.AsyncHTTPConnection | None = None

    async def get(
        self, url: str, headers: Sequence[Header], timeouts: Mapping[str, float | None], max_bytes: int
    ) -> tuple[int, dict[str, str], bytes]:
        """Read an address: status, headers (lower-case names) and body. Raises `httpx.TransportError`,
        `httpx.DecodingError` and `TooLongError`."""
        address = httpcore.URL(url)
        netloc = url.partition("://")[2].partition("/")[0].partition("?")[0].encode("ascii")
        request = httpcore.Request(
            b"GET", address, headers=[(b"Host", netloc), *headers], extensions={"timeout": timeouts}
        )
        try:
            return await self._read(request, max_bytes)
        except _PROBLEMS as problem:
            # not `from problem`: its traceback leads to objects that hold the key
            raise _as_httpx(problem) from None

    async def _read(self, request: httpcore.Request, max_bytes: int) -> tuple[int, dict[str, str], bytes]:
        connection = await self._connection(request.url.origin)
        answer = await connection.handle_async_request(request)
        try:
            headers = {
                name.decode("ascii").lower(): value.decode("latin-1") for name, value in answer.headers
            }
            reader = BodyReader(headers, max_bytes)
            async for chunk in answer.aiter_stream():
                reader.feed(chunk)
            return answer.status, headers, reader.body()
        finally:
            await answer.aclose()

    async def _connection(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        """The open connection, or a new one where the server, or an error, has closed it."""
        if self._open is not None and (self._open.is_closed() or self._open.has_expired()):
            await self.aclose()
        if self._open is None:
            self._open = httpcore.AsyncHTTPConnection(
                origin, self._context, KEPT_OPEN, network_backend=_NETWORK
            )
        return self._open

    async def aclose(self) -> None:
        """Close it; the next request opens another one."""
        connection, self._open = self._open, None
        if connection is not None:
            await connection.aclose()


_PROBLEMS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)


def _as_httpx(problem: Exception) -> httpx.TransportError:
    """The same problem as httpx tells it: its exceptions have the names of httpcore's."""
    kind: type[httpx.TransportError] = getattr(httpx, type(problem).__name__, httpx.TransportError)
    return kind(str(problem))
