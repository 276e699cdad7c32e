"""A list endpoint as Stripe has it, over HTTP: latency, rate limit, cursors, `created`, connected accounts,
faults, objects of a real size.

As a process of its own for the benchmark (`python listserver.py PORT ...`), or in a thread for tests (`with
serving(...)`).
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import fnmatch
import json
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

TWO_YEARS = 2 * 365 * 86400
START = 1_600_000_000


def times(count: int, shape: str, seed: int = 1) -> list[int]:
    """Newest first. "uneven": growth, and a sale week; "wild": a dead gap of months, a spike of 48 hours,
    billing runs of 250 in one second."""
    chance = random.Random(seed)
    runs = [chance.randrange(TWO_YEARS // 3) * 3 for _ in range(max(1, count * 3 // 10 // 250))]

    def wild(number: int) -> int:
        if number % 10 < 3:
            return runs[number // 833 % len(runs)]
        if number % 10 < 5:
            return int(TWO_YEARS * 0.8) + chance.randrange(48 * 3600)
        share = chance.random()
        return int(TWO_YEARS * (share * 0.35 if chance.random() < 0.4 else 0.6 + share * 0.4))

    if shape == "wild":
        return sorted((START + wild(number) for number in range(count)), reverse=True)

    def one() -> int:
        if shape == "uniform":
            return chance.randrange(TWO_YEARS)
        if shape == "burst":
            return (
                int(TWO_YEARS * 0.7) + chance.randrange(7 * 86400)
                if chance.random() < 0.5
                else chance.randrange(TWO_YEARS)
            )
        if shape == "steep":
            return TWO_YEARS - 1 - int(min(TWO_YEARS - 1, chance.expovariate(5) * TWO_YEARS))
        if chance.random() < 0.1:
            return int(TWO_YEARS * 0.55) + chance.randrange(7 * 86400)
        return int(TWO_YEARS * chance.random() ** 0.6)

    return sorted((START + one() for _ in range(count)), reverse=True)


def intent(number: int, created: int) -> dict[str, object]:
    """A payment intent of about 2.4 kB."""
    return {
        "id": f"pi_{number:024}", "object": "payment_intent", "amount": 1000 + number % 977,
        "amount_capturable": 0, "amount_details": {"tip": {}}, "amount_received": 1000 + number % 977,
        "application": None, "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True}, "canceled_at": None,
        "cancellation_reason": None, "capture_method": "automatic",
        "client_secret": f"pi_{number:024}_secret_abcdefghijklmnopqrstuvwx",
        "confirmation_method": "automatic", "created": created, "currency": ("usd", "eur", "gbp")[number % 3],
        "customer": f"cus_{number % 5000:014}", "description": f"Order {number} of the web shop",
        "invoice": None, "last_payment_error": None, "latest_charge": f"ch_{number:024}", "livemode": False,
        "metadata": {"order_id": str(number), "shop": "berlin", "placed_at": "2024-01-01T00:00:00Z"},
        "next_action": None, "on_behalf_of": None, "payment_method": f"pm_{number:024}",
        "payment_method_configuration_details": {"id": "pmc_1Abcdefghijklmnopqrstuvw", "parent": None},
        "payment_method_options": {
            "card": {"installments": None, "mandate_options": None, "network": None,
                "request_three_d_secure": "automatic"},
            "link": {"persistent_token": None}, "us_bank_account": {"verification_method": "automatic"},
        },
        "payment_method_types": ["card", "link"], "processing": None,
        "receipt_email": f"person{number % 5000}@example.com", "review": None,
        "setup_future_usage": None,
        "shipping": {
            "address": {"city": "Berlin", "country": "DE", "line1": f"Long Street {number % 300}",
                "line2": None, "postal_code": "10115", "state": None},
            "carrier": None, "name": f"Person {number % 5000}", "phone": None, "tracking_number": None,
        },
        "source": None, "statement_descriptor": None, "statement_descriptor_suffix": None,
        "status": ("succeeded", "canceled", "succeeded")[number % 3],
        "transfer_data": None, "transfer_group": None,
        "padding": "x" * 60,
    }  # fmt: skip


def unknown_fields(number: int) -> dict[str, object]:
    """What no schema has yet: nested objects, fields that are null at first, a list."""
    return {
        "risk_review": {"score": number % 100, "level": ("normal", "elevated")[number % 2],
            "checks": {"cvc": "pass", "zip": None if number % 3 else "fail"}},
        "new_flag": bool(number % 2), "settled_at": None if number % 5 else START + number,
        "network_ref": f"nr_{number}" if number > 1000 else None,
        "options_v2": {"installments": {"count": number % 12, "plan": None}, "label": f"L{number % 7}",
            "routes": ["a", "b"][: number % 3]},
    }  # fmt: skip


@dataclass
class ListServer:
    """One or more accounts' payment intents (and charges ...: every list path gives the same objects)."""

    count: int = 1000
    shape: str = "uneven"
    latency: float = 0.15
    rate: float = 100.0
    burst: float = 20.0
    errors: float = 0.0  # share of 500s
    drops: float = 0.0  # share of dropped connections
    accounts: int = 0
    per_endpoint: bool = False
    unknown: bool = False  # objects have fields that no schema has
    reason: str = "endpoint-rate"
    requests: int = 0
    refused: int = 0
    open: int = 0  # requests that wait for their answer
    most_open: int = 0
    paths: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.created = times(self.count, self.shape)
        self.ids = [f"pi_{number:024}" for number in range(self.count)]
        self.place = {key: number for number, key in enumerate(self.ids)}
        self.bodies = [
            json.dumps(
                {**intent(number, each), **(unknown_fields(number) if self.unknown else {})},
                separators=(", ", ": "),
            ).encode()
            for number, each in enumerate(self.created)
        ]
        self.down = [-each for each in self.created]
        self.gone: set[str] = set()
        self.chance = random.Random(7)
        self.tokens: dict[str, tuple[float, float]] = {}
        self.events: list[tuple[int, str, str, bytes]] = []  # created, type, id, body; oldest first

    def change(
        self, number: int, at: int, *, kind: str = "payment_intent", version: str = "", **fields: object
    ) -> None:
        """Change an object, and tell it as an event in some API version."""
        body = {**json.loads(self.bodies[number]), **fields}
        self.bodies[number] = json.dumps(body).encode()
        self.tell(at, f"{kind}.updated", {**body, "object": kind}, version=version)

    def delete(self, number: int, at: int, *, kind: str = "payment_intent") -> None:
        """Delete an object, and tell it."""
        self.gone.add(self.ids[number])
        self.tell(at, f"{kind}.deleted", {**json.loads(self.bodies[number]), "object": kind})

    def create(self, at: int) -> str:
        """A new object at the top of the list. No event: the list itself tells it."""
        number = len(self.ids)
        body = intent(number, at)
        self.ids.insert(0, str(body["id"]))
        self.created.insert(0, at)
        self.down.insert(0, -at)
        self.bodies.insert(0, json.dumps(body).encode())
        self.place = {key: place for place, key in enumerate(self.ids)}
        self.count += 1
        return self.ids[0]

    def tell(self, at: int, kind: str, thing: dict[str, object], *, version: str = "") -> None:
        """An event. Events come in the order of their times."""
        key = f"evt_{len(self.events):08}"
        event = {
            "id": key,
            "object": "event",
            "api_version": version,
            "created": at,
            "type": kind,
            "livemode": False,
            "data": {"object": thing},
        }
        self.events.append((at, kind, key, json.dumps(event).encode()))

    def events_since(self, query: dict[str, str]) -> tuple[int, bytes]:
        """A page of the list of events."""
        low, high = int(query.get("created[gte]", 0)), int(query.get("created[lte]", 1 << 60))
        types = [value for name, value in query.items() if name.startswith("type")]
        there = [
            each for each in reversed(self.events)
            if low <= each[0] <= high and (not types or any(fnmatch.fnmatchcase(each[1],
                kind) for kind in types))
        ]  # fmt: skip
        if "starting_after" in query:
            there = there[
                next(place for place, each in enumerate(there) if each[2] == query["starting_after"]) + 1 :
            ]
        size = int(query.get("limit", "10"))
        more = b"true" if len(there) > size else b"false"
        return (
            200,
            b'{"object": "list", "data": ['
            + b", ".join(each[3] for each in there[:size])
            + b'], "has_more": '
            + more
            + b"}",
        )

    def allowed(self, bucket: str, now: float) -> bool:
        level, at = self.tokens.get(bucket, (self.burst, now))
        level = min(self.burst, level + (now - at) * self.rate)
        self.tokens[bucket] = (level - 1 if level >= 1 else level, now)
        return level >= 1

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, bytes]:
        if path == "/v1/account":
            return (
                200,
                json.dumps(
                    {"id": "acct_1", "object": "account", "created": START - 5000, "livemode": False}
                ).encode(),
            )
        if path == "/v1/events" and self.events:
            return self.events_since(query)
        tail = path.rpartition("/")[2]
        if tail in self.place:  # asked for by its id, it is what the path says
            named = json.dumps(path.split("/")[2].removesuffix("s")).encode()
            return (
                (404, b'{"error":{"type":"invalid_request_error","code":"resource_missing"}}')
                if tail in self.gone
                else (200, self.bodies[self.place[tail]].replace(b'"payment_intent"', named, 1))
            )
        low, high = 0, self.count
        if "created[lte]" in query:
            low = bisect.bisect_left(self.down, -int(query["created[lte]"]))
        if "created[gte]" in query:
            high = bisect.bisect_right(self.down, -int(query["created[gte]"]))
        cursor, before = query.get("starting_after"), query.get("ending_before")
        if cursor or before:
            if (cursor or before) in self.gone or (cursor or before) not in self.place:
                return (
                    400,
                    json.dumps(
                        {
                            "error": {
                                "type": "invalid_request_error",
                                "code": "resource_missing",
                                "param": "starting_after" if cursor else "ending_before",
                                "message": "No such object",
                            }
                        }
                    ).encode(),
                )
        if cursor:
            low = max(low, self.place[cursor] + 1)
        if before:
            high = min(high, self.place[before])
        size = int(query.get("limit", "10"))
        rows: list[bytes] = []
        for at in range(high - 1, low - 1, -1) if before else range(low, high):
            if len(rows) > size:
                break
            if self.ids[at] not in self.gone:
                rows.append(self.bodies[at])
        rows_given = rows[:size][:: -1 if before else 1]
        more = b"true" if len(rows) > size else b"false"
        return (
            200,
            b'{"object": "list", "data": ['
            + b", ".join(rows_given)
            + b'], "has_more": '
            + more
            + b', "url": "'
            + path.encode()
            + b'"}',
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                line, *lines = head.decode("latin-1").split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (each.partition(":") for each in lines if each)
                }
                target = urlsplit(line.split(" ")[1])
                query = dict(parse_qsl(target.query))
                if target.path == "/count":
                    status, body = (
                        200,
                        json.dumps({"requests": self.requests, "refused": self.refused}).encode(),
                    )
                    writer.write(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:"
                        f" {len(body)}\r\n\r\n".encode()
                        + body
                    )
                    await writer.drain()
                    continue
                self.requests += 1
                self.paths.append(f"{target.path}?{target.query}")
                now = asyncio.get_running_loop().time()
                bucket = headers.get("stripe-account", "") + (target.path if self.per_endpoint else "")
                if not self.allowed(bucket, now):
                    self.refused += 1
                    status, body = (
                        429,
                        (
                            b'{"error":{"type":"invalid_request_error","code":"rate_limit","message":"Too'
                            b' many requests"}}'
                        ),
                    )
                elif self.chance.random() < self.drops:
                    writer.close()
                    return
                elif self.chance.random() < self.errors:
                    await asyncio.sleep(self.latency)
                    status, body = (
                        500,
                        b'{"error":{"type":"api_error","message":"An unknown error occurred"}}',
                    )
                else:
                    self.open += 1
                    self.most_open = max(self.most_open, self.open)
                    await asyncio.sleep(self.latency)
                    self.open -= 1
                    status, body = self.answer(target.path, query)
                extra = f"Stripe-Rate-Limited-Reason: {self.reason}\r\n" if status == 429 else ""
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nRequest-Id:"
                    f" req_{self.requests}\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()


@contextmanager
def serving(server: ListServer) -> Iterator[str]:
    """The server in a thread; gives its URL."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    where: list[int] = []
    open_: list[asyncio.Server] = []

    async def begin() -> asyncio.Server:
        made = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        where.append(made.sockets[0].getsockname()[1])
        open_.append(made)
        ready.set()
        return made

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(begin())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(60)
    try:
        yield f"http://127.0.0.1:{where[0]}"
    finally:

        async def settle() -> None:
            open_[0].close()
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()
            await asyncio.sleep(0.05)

        asyncio.run_coroutine_threadsafe(settle(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    for name, kind in (
        ("count", int),
        ("shape", str),
        ("latency", float),
        ("rate", float),
        ("burst", float),
        ("errors", float),
        ("drops", float),
    ):
        parser.add_argument(f"--{name}", type=kind)
    parser.add_argument("--per-endpoint", action="store_true", default=None)
    parser.add_argument("--unknown", action="store_true", default=None)
    parser.add_argument("--changes", type=int, default=0, help="so many objects change when SIGUSR1 comes")
    parser.add_argument("--version", default="", help="of the events that tell it")
    options = {name: value for name, value in vars(parser.parse_args()).items() if value is not None}
    port, changes, version = (options.pop(name) for name in ("port", "changes", "version"))
    server = ListServer(**options)

    def change() -> None:
        for place in range(changes):
            server.change(
                place * server.count // changes, int(time.time()), version=version, description="changed"
            )

    async def run() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, change)
        made = await asyncio.start_server(server.serve, "127.0.0.1", port)
        print("ready", flush=True)
        async with made:
            await made.serve_forever()

    asyncio.run(run())


if __name__ == "__main__":
    main()
