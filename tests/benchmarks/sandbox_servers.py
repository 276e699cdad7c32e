"""The sandbox's server beside localstripe and stripe-stateful-mock: calls a second over one kept-alive
connection, in one run, repeated.

    python -m venv /tmp/others && /tmp/others/bin/pip install localstripe
    npm install --prefix /tmp/others stripe-stateful-mock
    python tests/benchmarks/sandbox_servers.py --localstripe /tmp/others/bin/localstripe --mock
    /tmp/others/node_modules/.bin/stripe-stateful-mock

Each server is a process of its own; the client is the same for all: one connection of http.client, forms as
Stripe's packages send them. In each round every server is asked in turn, so that a machine that is busy for a
while is busy for all of them. Customers are made first (--customers).
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psutil

HEADERS = {"Authorization": "Bearer sk_test_12345", "Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Server:
    """A server that listens, and what it was seen to do."""

    name: str
    port: int
    process: psutil.Process
    connection: http.client.HTTPConnection | None = None
    customer: str = ""
    rates: dict[str, list[float]] = field(default_factory=dict)  # calls a second by the wall
    # microseconds of the server's processor time a call
    costs: dict[str, list[float]] = field(default_factory=dict)

    def processor_time(self) -> float:
        """Seconds that the server has used so far, its children with it."""
        times = [each.cpu_times() for each in (self.process, *self.process.children(recursive=True))]
        return sum(each.user + each.system for each in times)

    def ask(self, method: str, path: str, body: str | None = None) -> bytes:
        """One call; raises if it fails. A connection that the server closed while others were asked is opened
        anew."""
        try:
            status, content = self._send(method, path, body)
        except (http.client.RemoteDisconnected, ConnectionError):
            self.close()
            status, content = self._send(method, path, body)
        if status != 200:
            raise RuntimeError(f"{self.name} answers {method} {path} with {status}: {content[:200]!r}")
        return content

    def _send(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            self.connection.connect()
            self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.request(method, path, body, HEADERS)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(name: str, command: list[str], port: int, **more: str) -> Iterator[Server]:
    """The server as a process, once it answers."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **more}
    )
    try:
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"{name} does not start: {' '.join(command)}") from None
                time.sleep(0.1)
        server = Server(name, port, psutil.Process(process.pid))
        yield server
        server.close()
    finally:
        process.terminate()
        process.wait(timeout=20)


def measure(server: Server, seconds: float) -> None:
    """One round: each kind of call for a while."""
    calls = {
        "retrieve": lambda: server.ask("GET", f"/v1/customers/{server.customer}"),
        "list of 100": lambda: server.ask("GET", "/v1/customers?limit=100"),
        "create": lambda: server.ask(
            "POST", "/v1/customers", "email=jenny%40example.com&name=Jenny&metadata[plan]=pro"
        ),
    }
    for name, call in calls.items():
        count, used, begin = 0, server.processor_time(), time.perf_counter()
        while time.perf_counter() - begin < seconds:
            call()
            count += 1
        server.rates.setdefault(name, []).append(count / (time.perf_counter() - begin))
        server.costs.setdefault(name, []).append((server.processor_time() - used) / count * 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--localstripe", default="", help="its command")
    parser.add_argument("--mock", default="", help="the command of stripe-stateful-mock")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each kind of call in each round")
    parser.add_argument("--customers", type=int, default=300, help="made beforehand")
    given = parser.parse_args()
    with ExitStack() as stack:
        port = free_port()
        ours = [sys.executable, "-m", "stripe_magics.sandbox", "--empty", "--quiet", "--port", str(port)]
        servers = [stack.enter_context(running("the sandbox", ours, port))]
        if given.localstripe:
            port = free_port()
            servers.append(
                stack.enter_context(
                    running("localstripe", [given.localstripe, "--port", str(port), "--from-scratch"], port)
                )
            )
        if given.mock:
            port = free_port()
            servers.append(
                stack.enter_context(running("stripe-stateful-mock", [given.mock], port, PORT=str(port)))
            )
        for each in servers:
            for number in range(given.customers):
                made = each.ask("POST", "/v1/customers", f"email=c{number}%40example.com&name=C{number}")
            each.customer = made.decode().partition('"id":')[2].partition('"')[2].partition('"')[0]
        for _ in range(given.rounds):
            for each in servers:
                measure(each, given.seconds)
        report(servers)


def report(servers: list[Server]) -> None:
    for title, table, best in (
        ("calls a second, median (lowest - highest)", "rates", max),
        ("server's processor time, us a call", "costs", min),
    ):
        print(f"{title:45}" + "".join(f"{each.name:>28}" for each in servers) + f"{'to the better':>15}")
        for name in servers[0].rates:
            seen = [getattr(each, table)[name] for each in servers]
            medians = [statistics.median(each) for each in seen]
            cells = [
                f"{median:,.0f} ({min(each):,.0f} - {max(each):,.0f})"
                for median, each in zip(medians, seen, strict=True)
            ]
            other = best(medians[1:]) if len(medians) > 1 else 0.0
            ratio = medians[0] / other if best is max and other else other / medians[0]
            print(
                f"{name:45}"
                + "".join(f"{cell:>28}" for cell in cells)
                + (f"{ratio:.1f} x" if other else "").rjust(15)
            )


if __name__ == "__main__":
    main()
