"""The network connection that a list's pages come through, against a real server on a socket, plain and
encrypted."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import trustme
from each_row import each_row
from waiting import PATIENCE

from stripe_magics.client.http.auth import KeyAuth
from stripe_magics.client.http.retry import Policy
from stripe_magics.client.pagination import network_stream
from stripe_magics.client.pagination.connection_pool import AsyncConnectionPool, network_connection
from stripe_magics.client.pagination.network_stream import MAX_WAITING_BYTES
from stripe_magics.client.secret import Secret

KEY = "sk_test_51NetworkNetworkNetworkNetworkNetwork0001"
BODY = json.dumps({"object": "list", "data": [], "has_more": False}).encode()

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def whole(body: bytes = BODY, *headers: str) -> Answer:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = [f"Content-Length: {len(body)}", "Request-Id: req_1", *headers]
        writer.write(("HTTP/1.1 200 OK\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode() + body)

    return answer


def raw(data: bytes, *, close: bool = False) -> Answer:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        if close:
            writer.close()

    return answer


@dataclass
class Server:
    """Answers one request after another with what stands in `script`, the last for ever; counts
    connections."""

    script: list[Answer]
    connections: int = 0
    requests: list[str] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
                await self.script[min(len(self.requests), len(self.script)) - 1](reader, writer)
                await writer.drain()
        writer.close()


def talk(
    server: Server,
    work: Callable[[Callable[..., Coroutine[Any, Any, Any]]], Coroutine[Any, Any, None]],
    *,
    certificates: tuple[ssl.SSLContext, ssl.SSLContext] | None = None,
    policy: Policy | None = None,
) -> None:
    """Run `work(get)` against the server; `certificates` are the server's and those that are trusted."""

    async def main() -> None:
        own, trusted = certificates or (None, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=own)
        port = listening.sockets[0].getsockname()[1]
        scheme, host = ("https", "localhost") if own else ("http", "127.0.0.1")
        pool = AsyncConnectionPool(
            lambda: network_connection(trusted, ""), KeyAuth(Secret(KEY)), policy or Policy()
        )

        async def get(target: str = "/v1/customers?limit=100") -> Any:
            return await pool.get(f"{scheme}://{host}:{port}{target}", {"stripe-version": "v"})

        async def noticed() -> None:
            """Until the free connection has heard from the server."""
            [free] = pool._free
            while not free._open.has_expired():  # type: ignore[attr-defined]  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        get.noticed = noticed  # type: ignore[attr-defined]
        try:
            await work(get)
        finally:
            await pool.close()
            listening.close()
            for writer in server.writers:
                writer.close()
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(main(), PATIENCE))


def encrypted(*, trusted: bool = True) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = trustme.CA()
    own, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(own)
    if trusted:
        authority.configure_trust(client)
    return own, client


@each_row("encrypt", [False, True])
def test_requests_go_one_after_another_over_one_connection(encrypt: bool) -> None:
    packed = gzip.compress(BODY)
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(
        b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:7], BODY[7:], b"")
    )
    server = Server([whole(), whole(packed, "Content-Encoding: gzip"), raw(chunked), whole()])

    async def work(get: Any) -> None:
        for _ in range(4):
            status, headers, body = await get()
            assert (status, body) == (200, BODY)
        assert headers["request-id"] == "req_1"

    talk(server, work, certificates=encrypted() if encrypt else None)
    assert server.connections == 1
    assert len(server.requests) == 4
    lines = server.requests[0].lower().split("\r\n")
    assert lines[0] == "get /v1/customers?limit=100 http/1.1"
    assert f"authorization: bearer {KEY}".lower() in lines
    assert sum(line.startswith("host:") for line in lines) == 1
    assert "stripe-version: v" in lines


@each_row("encrypt", [False, True])
def test_an_answer_that_is_larger_than_what_may_wait_comes_whole(encrypt: bool) -> None:
    large = bytes(range(256)) * (5 * MAX_WAITING_BYTES // 256)
    server = Server([whole(large)])

    async def work(get: Any) -> None:
        answers = await asyncio.gather(*(get() for _ in range(3)))
        assert all(body == large for _, _, body in answers)

    talk(server, work, certificates=encrypted() if encrypt else None)


def test_a_certificate_that_is_not_trusted_is_no_connection() -> None:
    server = Server([whole()])

    async def work(get: Any) -> None:
        with pytest.raises(httpx.ConnectError, match="(?i)certificate"):
            await get()
        assert not server.requests

    talk(server, work, certificates=encrypted(trusted=False))


def test_no_server_is_no_connection() -> None:
    async def work(_get: Any) -> None:
        pool = AsyncConnectionPool(
            lambda: network_connection(ssl.create_default_context(), ""), None, Policy()
        )
        with pytest.raises(httpx.ConnectError):
            await pool.get("http://127.0.0.1:1/v1/customers", {})
        await pool.close()

    talk(Server([whole()]), work)


def test_the_next_address_is_tried_where_one_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server([whole()])
    monkeypatch.setattr(network_stream, "ONE_ADDRESS", 0.2)

    async def work(get: Any) -> None:
        loop = asyncio.get_running_loop()
        known = loop.getaddrinfo

        async def addresses(host: str, port: int, **options: Any) -> Any:
            [own] = await known("127.0.0.1", port, **options)
            refused = (*own[:4], ("127.0.0.1", 1))
            silent = (*own[:4], ("192.0.2.1", port))  # of no network
            return [refused, silent, own]

        loop.getaddrinfo = addresses  # type: ignore[method-assign]
        assert (await get())[2] == BODY

    talk(server, work)


def test_a_connection_that_the_server_has_closed_is_opened_anew() -> None:
    server = Server([whole()])

    async def work(get: Any) -> None:
        await get()
        server.writers[0].close()
        await get.noticed()
        assert (await get())[2] == BODY

    talk(server, work)
    assert server.connections == 2


def test_an_answer_that_nobody_asked_for_is_nobodys_answer() -> None:
    """What comes in while nothing is asked must not be taken for the answer to the next request."""
    server = Server([whole()])

    async def work(get: Any) -> None:
        await get()
        await whole(b'{"data":[{"id":"of another"}]}')(asyncio.StreamReader(), server.writers[0])
        await get.noticed()
        assert (await get())[2] == BODY

    talk(server, work)
    assert server.connections == 2


@each_row(
    "answer, expected",
    [
        (raw(b"", close=True), httpx.RemoteProtocolError),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", close=True), httpx.RemoteProtocolError),
        (raw(b"HTTP/9.9 what\r\n\r\n", close=True), httpx.RemoteProtocolError),
        (whole(b"not gzip", "Content-Encoding: gzip"), httpx.DecodingError),
    ],
)
def test_an_answer_that_is_none_is_an_error_of_httpx_without_the_key(answer: Answer, expected: Any) -> None:
    server = Server([answer, whole()])

    async def work(get: Any) -> None:
        with pytest.raises(expected) as caught:
            await get()
        problem: BaseException | None = caught.value
        while problem is not None:
            assert KEY not in repr(problem)
            assert problem.__cause__ is None
            problem = problem.__context__ if not problem.__suppress_context__ else None
        assert (await get())[2] == BODY  # and the next one goes well

    talk(server, work)


def test_an_answer_that_drips_ends_with_the_deadline() -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(600):
            writer.write(b"x")
            await asyncio.sleep(0.05)

    async def work(get: Any) -> None:
        with pytest.raises(httpx.ReadTimeout):
            await get()

    talk(Server([drip]), work, policy=Policy(deadline=0.3))


def test_a_body_past_the_size_of_any_answer_is_refused() -> None:
    async def work(get: Any) -> None:
        with pytest.raises(httpx.ReadError, match="longer"):
            await get()

    talk(Server([whole(b"x" * 2_000_000)]), work, policy=Policy(max_bytes=1_000_000))
