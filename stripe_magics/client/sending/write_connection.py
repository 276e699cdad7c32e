"""What sending a write needs of a connection: its key, its journal, its guard, Stripe's clock."""

from __future__ import annotations

from typing import Any, Protocol

import httpx

from stripe_magics.client.http.retry import AttemptResult
from stripe_magics.client.journal.journal import Journal
from stripe_magics.client.live_mode import GuardedConnection
from stripe_magics.client.pagination.read_connection import ReadConnection
from stripe_magics.client.secret import Secret
from stripe_magics.client.sending.notices import Notices, StripeClock
from stripe_magics.errors import Details
from stripe_magics.request import HttpRequest


class WriteConnection(ReadConnection, GuardedConnection, Protocol):
    """An account that is reached with one key, with all that keeps a write from happening twice."""

    secret: Secret | None
    notices: Notices
    stripe_clock: StripeClock
    extensions: dict[str, Any]

    @property
    def auth(self) -> httpx.Auth | None: ...

    @property
    def journal(self) -> Journal: ...

    def http(self) -> httpx.Client: ...

    def scope(self, account: str, /) -> str: ...

    def route(self) -> str: ...

    def throttle(self, request: HttpRequest, /) -> None: ...

    def learn(self, request: HttpRequest, outcome: AttemptResult, /) -> None: ...

    def check_mode(
        self, body: bytes, request_id: str = "", *, written: bool = False, details: Details | None = None
    ) -> None: ...
