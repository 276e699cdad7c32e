"""Random calls, lines, bodies and pasted text: whatever is given, it is taken or refused with an error of
ours."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics import catalogue
from stripe_magics._form_encoding import UNSET
from stripe_magics.errors import StripeMagicsError
from stripe_magics.magics.completion import suggest
from stripe_magics.magics.seen_ids import Seen
from stripe_magics.magics.suggestion import CompletionContext
from stripe_magics.parsing import parse
from stripe_magics.pipeline import command, prepare

SEED, CALLS = 20261126, 6000


class Unshowable:
    """An object whose repr raises."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def endless() -> list[Any]:
    """A list that contains itself."""
    items: list[Any] = []
    items.append(items)
    return items


VALUES: list[Any] = [
    None, "", " ", "x", "cus_1", "20.00usd", "20.00", "-1", "1e400", "é", "\ud83d", "\x00", "a" * 5000,
    "null", "NaN", "{", "[", '{"a": 1}', '["a"]', "[1,", "2026-01-31", "yesterday", "last 5 days",
    "0001-01-01", "9999-12-31", "1" * 40, "yes", "true", 0, 1, -1, 2**70, 1.5, float("nan"), float("inf"),
    1e18, True, False, Decimal("20.00"), Decimal("NaN"), Decimal("Infinity"), datetime(2026, 1, 1),
    datetime(2026, 1, 1, tzinfo=UTC), pd.NA, pd.NaT, np.int64(3), np.float32(1.5), np.array([1, 2]),
    np.array([]), pd.Timestamp("2026-01-01"), pd.Series(["a", None]), pd.DataFrame({"a": [1]}), [], {}, (),
    set(), b"x", [None], [[]], [{}], [[["a"]]], {"a": None}, {"a": {"b": [1, {"c": float("nan")}]}}, {1: 2},
    {"a[b]": 1},
    {"": ""}, UNSET, object(), Unshowable(), endless(), lambda: 1, int,
]  # fmt: skip
PIECES = [
    "customers", "create", "payment_intents", "list", "--name", "--amount", "=", " ", "  ", "\t", "\n", "'",
    '"', "\\", "$", "${", "{{", "}}", "$x", "{{x}}", "-d", "-d a=b",
    "a[b]=c", "metadata[", "]", "#", ";", "?", "|", ">", "<<", "EOF", "`", "^", "@-", "@x", "curl", "stripe",
    "https://api.stripe.com/v1/customers", "-X", "-H", "POST", "--from", "df",
    "--limit", "all", "$(", ")", "é", "\ud83d", "\x00", "name: x", "- a", ": ", "{", "}", "[", ",", "&", "*",
    "!", "%", "---", "|-", "null", "~", "--form", "--out", "get", "/v1/events", "a" * 300,
]  # fmt: skip


def text(rng: random.Random) -> str:
    return "".join(rng.choice(PIECES) + rng.choice(["", " ", " "]) for _ in range(rng.randint(0, 9)))


def one(rng: random.Random, modules: list[Any]) -> None:
    """One random thing given to one interface."""
    what = rng.randrange(4)
    if what == 0:
        module = rng.choice(modules)
        names = [each.name for each in module.fields] + [
            each.param for each in module.fields if each.param != "path"
        ]
        chosen = rng.sample(names, min(len(names), rng.randint(0, 5))) + rng.choice(
            [[], ["limit"], ["made_up"], ["expand", "out"]]
        )
        prepare(command(module.name, **{name: rng.choice(VALUES) for name in chosen}))
    elif what == 1:
        names_known = {"x": rng.choice(VALUES), "df": pd.DataFrame({"name": ["a", None]})}
        line = rng.choice(["", "customers create ", "curl ", "stripe customers create "]) + text(rng)
        prepare(parse(line, None, names_known))
    elif what == 2:
        head = rng.choice(["customers create", "checkout sessions create", "post /v1/customers", "--out y"])
        prepare(parse(head, text(rng), {"x": rng.choice(VALUES)}))
    else:
        suggest("%stripe " + text(rng), CompletionContext(Seen(), {"x": 1}))


def test_only_errors_of_ours() -> None:
    rng = random.Random(SEED)  # noqa: S311 - the same every time
    modules = [catalogue.find(name) for name in rng.sample(catalogue.names(), 80)] + list(
        catalogue.documented()
    )
    suggest("%stripe customers create ", CompletionContext(Seen(), {}))
    problems: dict[str, str] = {}
    for number in range(CALLS):
        state = rng.getstate()
        try:
            one(rng, modules)
        except StripeMagicsError:
            pass
        except Exception as fault:  # noqa: BLE001 - what the test is looking for
            where = fault.__traceback__
            while where is not None and where.tb_next is not None:
                where = where.tb_next
            place = (
                f"{where.tb_frame.f_code.co_filename.rpartition('/')[2]}:{where.tb_lineno}" if where else ""
            )
            problems.setdefault(
                f"{type(fault).__name__} {place}", f"call {number}: {str(fault)[:150]} {hash(state) % 997}"
            )
    assert not problems, "\n".join(f"{kind}: {what}" for kind, what in problems.items())
