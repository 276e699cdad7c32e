"""Disputes over HTTP for kernels of their own, and the script that such a kernel runs: a handler that refunds
each dispute."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

from .doubles import event

KERNEL = """
import os, sys, time
import stripe_magics as sm
os.environ["STRIPE_API_KEY"] = "sk_test_51" + "k" * 60
sm.connect(env="STRIPE_API_KEY", api_base=sys.argv[1], rate=100000)

@sm.on("charge.dispute.created", since="1h")
def refund(event):
    sm.call("refunds.create", charge=event["data"]["object"]["charge"], amount=100)
    if sys.argv[2] == "die":
        os.kill(os.getpid(), 9)
    if sys.argv[2] == "slow":
        time.sleep(0.05)

watch = sm.watch("charge", since="1h")
for _ in range(3):
    watch.poll()
"""
_SERVED = {"pending_webhooks": 0, "livemode": False, "api_version": "2025-02-24.acacia"}


class DisputesServer(ThreadingHTTPServer):
    """`count` disputes, newest first and by page, and refunds, each once for a key.

    `refunds` has the body by key, `attempts` the key of each POST, `changed` counts keys that came again with
    another body.
    """

    daemon_threads = True

    def __init__(self, count: int) -> None:
        now = int(time.time())
        made = [
            {
                **event(f"evt_{n:06}", "charge.dispute.created", now - 600 + n % 500, charge=f"ch_{n}"),
                **_SERVED,
            }
            for n in range(count)
        ]
        self.events = sorted(made, key=lambda each: (each["created"], each["id"]), reverse=True)
        self.index = {each["id"]: place for place, each in enumerate(self.events)}
        self.refunds: dict[str, str] = {}
        self.attempts: list[str] = []
        self.changed = 0
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed."""


class _Handler(BaseHTTPRequestHandler):
    server: DisputesServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server, query = self.server, parse_qs(urlparse(self.path).query)
        if not self.path.startswith("/v1/events"):
            self._answer({"id": "acct_1", "object": "account"})
            return
        begin = server.index[query["starting_after"][0]] + 1 if "starting_after" in query else 0
        since = int(query.get("created[gte]", ["0"])[0])
        page = server.events[begin : begin + 100]
        self._answer(
            {
                "object": "list",
                "data": [each for each in page if each["created"] >= since],
                "has_more": begin + 100 < len(server.events) and page[-1]["created"] >= since,
                "url": "/v1/events",
            }
        )

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length).decode()
        if len(body) < length:
            self.close_connection = True  # its sender was killed in the middle of it
            return
        key = self.headers["Idempotency-Key"]
        self.server.attempts.append(key)
        self.server.changed += self.server.refunds.setdefault(key, body) != body
        self._answer({"id": f"re_{key[:12]}", "object": "refund", "livemode": False})

    def _answer(self, data: dict[str, Any]) -> None:
        body = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Request-Id", "req_1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""
