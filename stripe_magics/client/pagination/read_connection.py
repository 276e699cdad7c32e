"""What reading lists needs of a connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from stripe_magics.client.http.response import ApiResponse
from stripe_magics.client.http.retry import Policy
from stripe_magics.client.rate_limiter import RatedConnection
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.pagination.connection_pool import AsyncConnectionPool


class ReadConnection(RatedConnection, Protocol):
    """An account that is reached with one key: where it is, in which version, and how a call is sent."""

    base: str
    api_version: str
    account: str
    policy: Policy
    extensions: dict[str, Any]

    @property
    def account_header(self) -> str: ...

    @property
    def key_hint(self) -> str: ...

    @property
    def account_seen(self) -> Mapping[str, Any] | None: ...

    def send(self, request: Request, /) -> ApiResponse: ...

    def check_mode(self, body: bytes, request_id: str, /) -> None: ...

    def async_pool(self) -> AsyncConnectionPool: ...
