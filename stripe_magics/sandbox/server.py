"""The same account over loopback HTTP, so that any Stripe client can talk to it.

    python -m stripe_magics.sandbox --port 12111 [--empty] [--file sandbox.json]

    stripe.api_base = "http://127.0.0.1:12111"; stripe.api_key = "sk_test_anything"

It listens on this machine only.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from stripe_magics.sandbox.core.store import encode
from stripe_magics.sandbox.transport import SandboxTransport

HOST = "127.0.0.1"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, transport: SandboxTransport) -> None:
        super().__init__((HOST, port), _Handler)
        self.transport = transport


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            answer = self.server.transport.answer(self.command, parts.path, parts.query, headers, body)
            status, given, content = answer.status, answer.headers, answer.body
        except (
            Exception
        ):  # a defect of the sandbox: the client must not hang, and whoever runs the server must see it
            traceback.print_exc(file=sys.stderr)
            status, given = 500, {"content-type": "application/json"}
            content = encode(
                {
                    "error": {
                        "message": "The sandbox has a defect; its own output says where.",
                        "type": "api_error",
                    }
                }
            )
        self.send_response(status)
        for name, value in given.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: a notebook or a test reads the answers, not a log."""


@contextmanager
def serving(transport: SandboxTransport, port: int = 0) -> Iterator[str]:
    """Serve in the background; gives the base address. Port 0 takes any that is free. Raises OSError if the port is taken."""
    with _Server(port, transport) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
