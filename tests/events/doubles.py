"""A Stripe that has events and nothing else, behind the interface of a connection."""

from __future__ import annotations

import json
import time
from datetime import UTC
from types import SimpleNamespace
from typing import Any

from stripe_magics.client.http.response import ApiResponse
from stripe_magics.client.journal.journal import Journal, Operation
from stripe_magics.client.secret import Secret
from stripe_magics.request import Request


def event(
    id: str,
    type: str = "invoice.paid",
    created: int = 1_700_000_000,
    /,
    *,
    key: str | None = None,
    **subject: Any,
) -> dict[str, Any]:
    """An event of Stripe's shape."""
    named = {"object": type.partition(".")[0], "id": f"obj_{id}", **subject}
    return {
        "id": id,
        "object": "event",
        "type": type,
        "created": created,
        "livemode": False,
        "api_version": "2025-02-24.acacia",
        "pending_webhooks": 0,
        "request": {"id": f"req_{id}", "idempotency_key": key},
        "data": {"object": named},
    }


class Stripe:
    """The connection: it lists `events`, newest first, by cursor, type and time, as Stripe does."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self.events = list(events)
        self.requests: list[Request] = []
        self.failing: Exception | None = None
        self.objects: dict[str, dict[str, Any]] = {}
        self.mode, self.live, self.account, self.api_version, self.sandbox = (
            "test",
            False,
            "",
            "2025-02-24.acacia",
            None,
        )
        self.secret: Secret | None = Secret("sk_test_" + "x" * 24)
        self.journal = Journal(None)
        self.before_close: list[Any] = []
        self.extensions: dict[str, Any] = {}
        self.stripe_clock = SimpleNamespace(time=lambda: None)
        self.clock = 0.0  # 0: the real time
        self.name, self.key_hint, self.zone = "", "sk_test_...xxxx", UTC
        self.account_seen: dict[str, Any] | None = None
        self.most = 100

    def scope(self, account: str) -> str:
        return f"scope {account}"

    def now(self) -> float:
        return self.clock or time.time()

    @property
    def closed(self) -> bool:
        return self.secret is None

    def account_object(self) -> dict[str, Any]:
        self.account_seen = {"id": "acct_double", "object": "account"}
        return self.account_seen

    @staticmethod
    def account_name(account: dict[str, Any]) -> str:
        return "Double"

    def send(self, request: Request, **_: Any) -> ApiResponse:
        self.requests.append(request)
        if self.failing is not None:
            raise self.failing
        if request.path != "/v1/events":
            return self._answer(self.objects[request.path])
        params = list(request.params)
        said = dict(params)
        assert sum(name in {"type", "types[]"} for name, _ in params) <= 20
        rows = sorted(self.events, key=lambda each: (each["created"], each["id"]), reverse=True)
        types = [value for name, value in params if name == "types[]"]
        if types:
            rows = [each for each in rows if each["type"] in types]
        if "type" in said:
            expected = said["type"]
            rows = [
                each
                for each in rows
                if each["type"] == expected
                or (expected.endswith(".*") and each["type"].startswith(expected[:-1]))
            ]
        rows = [each for each in rows if each["created"] >= int(said.get("created[gte]", 0))]
        if "starting_after" in said:
            at = [each["id"] for each in rows].index(said["starting_after"])
            rows = rows[at + 1 :]
        size = min(int(said.get("limit", 10)), self.most)
        return self._answer(
            {"object": "list", "data": rows[:size], "has_more": len(rows) > size, "url": "/v1/events"}
        )

    def _answer(self, data: dict[str, Any]) -> ApiResponse:
        return ApiResponse(status=200, body=json.dumps(data).encode(), request_id="req_list")

    def open_operation(
        self, key: str, path: str, *, effect: str = "create", method: str = "POST"
    ) -> Operation:
        """A write of this account whose answer was lost."""
        expected = Operation(
            key=key,
            scope=self.scope(""),
            mode="test",
            module="",
            effect=effect,
            method=method,
            path=path,
            body=key,
            first=time.time(),
        )
        made = self.journal.claim(expected, lambda earlier: None)
        self.journal.record_result(made.number, "unknown", reason="no answer")
        self.journal.release(made.number)
        return self.journal.get(made.number)
