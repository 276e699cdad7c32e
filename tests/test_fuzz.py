"""Hostile and odd inputs through everything that reads text: only errors of ours, and none over a second.

The seed is fixed. `FUZZ_INPUTS=200000 pytest tests/test_fuzz.py` takes more, `FUZZ_SEED=7` others.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

from stripe_magics import catalogue, pipeline
from stripe_magics.client.connection import Connection
from stripe_magics.client.http.retry import Policy
from stripe_magics.client.secret import Secret
from stripe_magics.errors import StripeMagicsError
from stripe_magics.events import signature
from stripe_magics.magics import catalogue_search, completion
from stripe_magics.magics.seen_ids import Seen
from stripe_magics.magics.suggestion import CompletionContext
from stripe_magics.parsing import parse

SEED = int(os.environ.get("FUZZ_SEED", "20261"))
INPUTS = int(os.environ.get("FUZZ_INPUTS", "20000"))
LONGEST = 1.0  # seconds
MODULES = (
    "customers create", "customers update", "customers list", "payment_intents create", "invoices create",
    "invoice_items create", "refunds create", "payouts create", "customers search", "subscriptions create",
    "prices create", "checkout sessions create", "post /v1/customers", "get /v1/x",
)  # fmt: skip
PIECES = (
    "--email", "--name", "--amount", "--metadata", "--limit", "--expand", "-d", "-e", "-i", "--from", "--out",
    "--dry-run", "=", "$x", "$x.y.z", "{{x}}", "{{x+1}}", "20.00usd", "1e309", "-0", "٣", "9" * 5000,
    "a" * 20_000, "'", '"', "\\", "\n", "\t", "\0", "\x1b[31m", "\u200b", "\ud800", "\u202e",
    "metadata[a][b]", "metadata[", "]", "[]", "{}", "{", "[" * 3000, "a: " * 500, "&a *a", "<<: *a",
    "- " * 500, "!!python/object:os.system", "%", "%00", "%%stripe", "curl",
    "https://api.stripe.com/v1/customers", "-u", "cus_1", "..", ".", "/", "?", "#", ";", "|", "$(rm)", "`x`",
    "null", "~", "yes", "2026-13-45", "last month", "0001-01-01", "9999-12-31T23:59:60Z",
    "<img src=x onerror=alert(1)>", "\u2014name", "|\n  x", "key: value", "a:\n  b:\n    - c",
)  # fmt: skip


class Hostile:
    """An object that refuses everything."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise RuntimeError("no truth")


def containing_itself() -> Any:
    ring: list[Any] = []
    ring.append(ring)
    return ring


def mapping_in_itself() -> Any:
    ring: dict[str, Any] = {}
    ring["a"] = ring
    return ring


def deep(levels: int = 3000) -> Any:
    inner: Any = []
    for _ in range(levels):
        inner = [inner]
    return inner


VALUES: tuple[Callable[[], Any], ...] = (
    lambda: None, lambda: float("nan"), lambda: float("inf"), lambda: -float("inf"), lambda: 10**400,
    lambda: -1, lambda: True, lambda: 1.5,
    lambda: Decimal("NaN"), lambda: Decimal("1E+400"), lambda: Decimal("sNaN"), lambda: b"bytes", lambda: "",
    lambda: "\ud800", lambda: "x" * 100_000, lambda: "\0",
    lambda: pd.NA, lambda: pd.NaT, lambda: pd.Timestamp("2026-01-01"), lambda: np.bool_(True),
    lambda: np.float64("nan"), lambda: np.int64(5),
    lambda: datetime(1, 1, 1), lambda: date(9999, 12, 31), lambda: timedelta(days=10**6), object, Hostile,
    containing_itself, mapping_in_itself,
    deep, lambda: [Hostile()], lambda: {"a": Hostile()}, lambda: {1: 2}, lambda: {None: 1},
    lambda: {"a": {"b": {"c": float("nan")}}}, set,
    lambda: pd.Series([1, 2]), lambda: pd.DataFrame({"a": [1]}), lambda: np.array([1, 2]),
    lambda: (x for x in "ab"), lambda: range(10), lambda: print,
    lambda: type, lambda: "2026-02-30", lambda: "20.00usd", lambda: ["a"] * 1_000,
    lambda: {f"k{n}": n for n in range(200)}, lambda: complex(1, 2),
)  # fmt: skip


def text(rng: random.Random, most: int = 8) -> str:
    parts = []
    for _ in range(rng.randint(0, most)):
        if rng.random() < 0.7:
            parts.append(rng.choice(PIECES))
        else:
            parts.append(
                "".join(
                    chr(rng.choice((rng.randint(32, 126), rng.randint(0, 0x2FFF))))
                    for _ in range(rng.randint(1, 12))
                )
            )
    return rng.choice((" ", " ", " ", "", "\n")).join(parts)


class Runs:
    """Runs each input, and keeps what went wrong: a raw error, or more than a second."""

    def __init__(self) -> None:
        self.wrong: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.slowest = 0.0

    def __call__(self, what: str, function: Callable[[], Any], shown: str) -> None:
        seconds = self.measured(what, function, shown)
        for _ in range(2):  # what seems slow is tried again: a busy machine is no fault of an input
            if seconds <= LONGEST:
                break
            seconds = min(seconds, self.measured(what, function, shown))
        self.slowest = max(self.slowest, seconds)
        if seconds > LONGEST:
            self.note(f"{what}: slow", f"{seconds:.1f} s {shown}")

    def measured(self, what: str, function: Callable[[], Any], shown: str) -> float:
        """Run it once; the seconds of the processor that it took."""
        began = time.thread_time()
        try:
            function()
        except StripeMagicsError as error:
            str(error)
        except Exception as error:
            self.note(f"{what}: {type(error).__name__}: {_safe(error)[:80]}", shown)
        return time.thread_time() - began

    def note(self, name: str, shown: str) -> None:
        self.wrong[name] += 1
        self.examples.setdefault(name, shown[:300])

    def check(self) -> None:
        report = "\n".join(
            f"{count} x {name}   e.g. {self.examples[name]!r}" for name, count in self.wrong.most_common(30)
        )
        assert not self.wrong, report


def _safe(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "an error that can't be shown"


def share(part: float) -> range:
    return range(int(INPUTS * part))


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(f"{SEED}-{request.node.name}")


@pytest.fixture
def runs() -> Iterator[Runs]:
    made = Runs()
    yield made
    made.check()


def test_lines(rng: random.Random, runs: Runs) -> None:
    parse("customers list --limit 1", None, {})  # the facts are read once, whichever line comes first
    catalogue.nearest("customers.lst")
    for _ in share(0.3):
        line = f"{rng.choice(MODULES)} {text(rng)}" if rng.random() < 0.8 else text(rng)
        runs("line", lambda line=line: parse(line, None, {"x": rng.choice(VALUES)()}), line)


def test_bodies(rng: random.Random, runs: Runs) -> None:
    for _ in share(0.15):
        body = rng.choice(
            ("{}", "name: {}", "metadata:\n  a: {}", '{{"name": "{}"}}', "- {}", "{}: x")
        ).format(text(rng))
        line = rng.choice(MODULES)
        runs("body", lambda line=line, body=body: parse(line, body, {}), f"{line}\n{body}")


def test_values(rng: random.Random, runs: Runs) -> None:
    modules = [
        catalogue.find(name)
        for name in (
            "customers.create",
            "payment_intents.create",
            "invoices.create",
            "refunds.create",
            "subscriptions.create",
        )
    ]
    options = ("limit", "expand", "columns", "idempotency", "stripe_account", "stripe_version", "out")
    for _ in share(0.25):
        module = rng.choice(modules)
        names = [each.name for each in rng.sample(module.fields, min(3, len(module.fields)))] + [
            rng.choice(options)
        ]
        chosen = {name: rng.choice(VALUES) for name in names}

        def run(module: Any = module, chosen: Any = chosen) -> None:
            pipeline.prepare(pipeline.command(module.name, **{name: make() for name, make in chosen.items()}))

        shown = f"{module.name} {[(name, VALUES.index(make)) for name, make in chosen.items()]}"
        runs("values", run, shown)


def test_completion(rng: random.Random, runs: Runs) -> None:
    for _ in share(0.08):
        line = f"%stripe {rng.choice(MODULES)} {text(rng, 4)}"
        place = CompletionContext(seen=Seen(), namespace={"x": 1})
        runs("completion", lambda line=line, place=place: completion.suggest(line, place), line)


def test_find(rng: random.Random, runs: Runs) -> None:
    catalogue_search.find("refund")  # the index is made once
    for _ in share(0.02):
        words = text(rng) or "x"
        runs("find", lambda words=words: catalogue_search.find(words), words)


def test_signed_bodies(rng: random.Random, runs: Runs) -> None:
    secret = Secret("whsec_" + "a1" * 16)
    for _ in share(0.1):
        body = answer(rng)
        stamp = int(time.time())
        good = f"t={stamp},v1={signature.sign(body, secret, stamp)}"
        header = rng.choice((good, good, text(rng, 3), f"t={text(rng, 1)},v1=x", ""))
        runs(
            "receiver",
            lambda body=body, header=header: signature.construct(body, header, secret),
            repr((header, body[:100])),
        )


def tree(rng: random.Random, depth: int = 0) -> Any:
    if depth > 4 or rng.random() < 0.4:
        return rng.choice(
            (None, True, 2**70, -1, 1.5, "x", "", "cus_1", "\ud800", 10**30, 253402300800, -(10**15), [], {})
        )
    if rng.random() < 0.5:
        return [tree(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    names = (
        "id",
        "object",
        "data",
        "created",
        "amount",
        "currency",
        "metadata",
        "has_more",
        "error",
        "livemode",
        "type",
        "\0",
        "a.b",
        "",
    )
    return {rng.choice(names): tree(rng, depth + 1) for _ in range(rng.randint(0, 5))}


def answer(rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.1:
        return rng.choice(
            (
                b"",
                b"null",
                b"[]",
                b"{",
                b"[" * 50_000,
                b'{"a":' * 20_000,
                b"\xff\xfe",
                b"<html>",
                b'{"id":"a","id":"b"}',
                b"NaN",
            )
        )
    row = {"id": "cus_1", "object": "customer", "created": 1}
    rows = [
        {**row, rng.choice(("created", "email", "metadata", "balance", "id", "object", "zz")): tree(rng)}
        for _ in range(rng.randint(0, 3))
    ]
    data: Any = {"object": "list", "data": rows, "has_more": False} if kind < 0.7 else tree(rng)
    return json.dumps(data).encode()


def test_answers(rng: random.Random, runs: Runs) -> None:
    now: list[tuple[int, bytes]] = [(200, b"")]
    transport = httpx.MockTransport(lambda request: httpx.Response(now[0][0], content=now[0][1]))
    quick = Policy(base_delay=0.0, max_delay=0.0, retries=0)
    with_key = Connection(
        secret=Secret("sk_test_51" + "a" * 40),
        mode="test",
        base="https://api.stripe.com",
        transport=transport,
        policy=quick,
        rate=float("inf"),
    )
    for _ in share(0.1):
        now[0] = (rng.choice((200, 200, 200, 400, 402, 429, 500)), answer(rng))
        name = rng.choice(("customers.list", "customers.retrieve", "balance.retrieve"))
        values = {"customer": "cus_1"} if name == "customers.retrieve" else {}
        runs(
            "answer",
            lambda name=name, values=values: repr(pipeline.call(name, connection=with_key, **values)),
            f"{name} {now[0]}",
        )
    with_key.close()
