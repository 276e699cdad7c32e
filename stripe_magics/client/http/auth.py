"""The only place where a key becomes a header."""

from __future__ import annotations

from collections.abc import Generator

import httpx

from stripe_magics.client.secret import Secret


class _Hidden(bytes):
    """A header's value that doesn't show itself: httpx and httpcore keep it as it is in their lists, which
    tracebacks print."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'(hidden)'"

    def __str__(self) -> str:
        return "(hidden)"

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("a key can't be pickled or copied")


class KeyAuth(httpx.Auth):
    """Adds the bearer header as the request leaves, so that no request of ours holds a key before."""

    __slots__ = ("_secret",)

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers.update([self.header()])
        yield request

    def header(self) -> tuple[bytes, bytes]:
        """The bearer header; its value doesn't show itself."""
        return b"Authorization", _Hidden(b"Bearer " + self._secret.reveal().encode())

    def __repr__(self) -> str:
        return f"<KeyAuth {self._secret.hint}>"

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("a key can't be pickled or copied")
