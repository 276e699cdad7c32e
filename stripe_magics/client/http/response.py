"""What came back: one answer of Stripe, already known to be a JSON object that is no error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stripe_magics._json import JsonObject


@dataclass(slots=True, kw_only=True)
class ApiResponse:
    """A successful answer. `body` is the raw JSON, `data` the same as a dict (parsed when first asked
    for)."""

    status: int
    body: bytes
    request_id: str = ""
    # Stripe gave the saved result of an earlier request with this key: no second object was made
    replayed: bool = False
    idempotency_key: str = ""
    operation: int | None = None  # number in the journal
    # what a person should be told: replays, Stripe's notices, a clock that is off
    notices: tuple[str, ...] = ()
    attempts: int = 1
    api_version: str = ""
    _data: JsonObject | None = field(default=None, repr=False)

    @property
    def data(self) -> JsonObject:
        """The answer as a dict."""
        if self._data is None:
            self._data = parse_object(self.body) or {}
        return self._data

    @property
    def rows(self) -> list[Any]:
        """The objects of a list or a search; empty for anything else."""
        rows = self.data.get("data")
        return rows if isinstance(rows, list) else []

    @property
    def has_more(self) -> bool:
        """Whether Stripe has further pages."""
        return bool(self.data.get("has_more") or self.data.get("next_page_url"))  # the second is v2's

    @property
    def next_page(self) -> str:
        """The cursor of a search's next page, or ""."""
        if self.data.get("next_page_url"):
            return dict(parse_qsl(urlsplit(str(self.data["next_page_url"])).query)).get("page", "")
        return str(self.data.get("next_page") or "")

    def __repr__(self) -> str:
        """Short, and nothing of the body: bodies hold secrets (client_secret)."""
        return (
            f"<Answer {self.status} {len(self.body)} bytes{' replayed' if self.replayed else ''}"
            f" {self.request_id}>"
        )


def parse_object(body: bytes) -> JsonObject | None:
    """The JSON object in a body, or None if it holds anything else."""
    import msgspec

    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
