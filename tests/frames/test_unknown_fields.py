"""Fields that the facts don't have: hidden by what they look like, and bounded where they are a map."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from each_row import each_row

from stripe_magics import frames
from stripe_magics._redaction import redact
from stripe_magics.frames import decoder, parquet
from stripe_magics.frames.assemble import assemble

SECRETS = [
    "whsec_abcdefghijklmnop0123456789",
    "pi_3abc_secret_abcdefghijklmnop",
    "sk_test_51CanaryCanaryCanaryCanary0001",
    "sk_org_live_51CanaryCanaryCanaryCanary0001",
    "rkcs_live_51CanaryCanaryCanaryCanary0001",
    "ek_live_51CanaryCanaryCanaryCanary0001",
    "sk_4eC39HqLyjWDarjtT1zdp7dc",
    "set%20sk_4eC39HqLyjWDarjtT1zdp7dc there",
    "absec_abcdefghijklmnop0123456789",
    "https://billing.stripe.com/p/session/canary0123456789",
]


def frame_of(rows: list[dict[str, Any]], *, pages: int = 1) -> Any:
    size = -(-len(rows) // pages)
    bodies = [
        json.dumps({"object": "list", "data": rows[at : at + size], "has_more": False}).encode()
        for at in range(0, len(rows), size)
    ]
    return frames.build(bodies, "customer")


@each_row("secret", SECRETS)
@each_row("where", ["top", "nested", "deep", "list", "late"])
def test_secrets_in_unknown_fields_are_hidden_by_what_they_look_like(secret: str, where: str) -> None:
    value: dict[str, Any] = {
        "top": {"new_thing": secret},
        "nested": {"new_object": {"value": secret}},
        "deep": {"new_object": {"inner": {"value": [{"x": secret}]}}},
        "list": {"new_list": [secret]},
        "late": {"new_thing": secret},
    }[where]
    rows: list[dict[str, Any]] = [{"id": f"cus_{n}", "object": "customer"} for n in range(250)]
    if where == "late":
        rows[0]["new_thing"] = "harmless"
    rows[249] |= value
    frame = frame_of(rows, pages=3)
    text = frame.to_csv() + str(frame.to_dict())
    assert secret not in text
    assert "(hidden)" in text
    assert "harmless" in text or where != "late"


def test_a_type_s_own_secret_fields_are_hidden_in_objects_that_do_not_say_their_type() -> None:
    for value in ([{"secret": "canary"}], {"old": [{"secret": "canary"}]}):
        row = {"id": "we_1", "object": "webhook_endpoint", "rotations": value}
        frame = frames.build([json.dumps({"object": "list", "data": [row]}).encode()], "webhook_endpoint")
        assert "canary" not in frame.to_csv() + str(frame.to_dict()), value
        assert "(hidden)" in str(frame.to_dict())


def test_what_makes_a_text_suspect_is_in_whatever_redaction_hides() -> None:
    """The words are looked for before redaction is: one that lacks there would let its keys through."""
    tail, links = "51CanaryCanaryCanaryCanary0001", []
    keys = [
        f"{kind}_{mode}_{tail}"
        for kind in ("sk", "rk", "pk", "ek", "oak", "rkcs")
        for mode in ("live", "test", "org_live")
    ]
    keys += [f"{kind}_{tail}" for kind in ("sk", "rk", "pk", "ek", "oak", "whsec", "absec")] + [
        f"seti_1_secret_{tail}"
    ]
    for place in (
        "files.stripe.com/links", "verify.stripe.com/start", "checkout.stripe.com/pay",
        "checkout.stripe.com/c/pay",
        "billing.stripe.com/p/session", "connect.stripe.com/setup", "connect.stripe.com/express",
    ):  # fmt: skip
        links.append(f"https://{place}/{tail}")
    for secret in [*keys, *links]:
        assert redact(secret) != secret, secret
        frame = frame_of(
            [{"id": "cus_1", "object": "customer", "text": f"see {secret}", "list": [f"see {secret}"]}]
        )
        assert tail not in str(frame.to_dict()), secret


def test_ordinary_words_stay() -> None:
    rows = [{"id": "cus_1", "object": "customer", "new_thing": "the whsec_ prefix", "other": "secret_santa"}]
    frame = frame_of(rows)
    assert frame["new_thing"].tolist() == ["the whsec_ prefix"]
    assert frame["other"].tolist() == ["secret_santa"]


def calls_of(work: Callable[[], object]) -> int:
    """How many functions it calls: what it costs, whatever else the machine does."""
    count = 0

    def note(frame: FrameType, event: str, what: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def test_a_map_with_ever_new_keys_is_one_column_and_costs_no_more() -> None:
    def rows(count: int) -> list[dict[str, Any]]:
        return [
            {"id": f"cus_{n}", "object": "customer", "tags_by_id": {f"key_{n}_{k}": n for k in range(3)}}
            for n in range(count)
        ]

    frame = frame_of(rows(3_000), pages=30)
    assert "tags_by_id" in frame
    assert not [name for name in frame if str(name).startswith("tags_by_id_")]
    assert dict(frame["tags_by_id"][7]) == {f"key_7_{k}": 7 for k in range(3)}
    calls = [
        calls_of(lambda made=rows(count): frame_of(made, pages=count // 100)) for count in (2_000, 8_000)
    ]
    assert calls[1] < 5 * calls[0]  # four times the rows; quadratic would be sixteen times


def test_an_unknown_object_is_columns() -> None:
    rows = [
        {"id": f"cus_{n}", "object": "customer", "risk": {"score": n, "level": "low"}} for n in range(300)
    ]
    frame = frame_of(rows, pages=3)
    assert frame["risk_score"].tolist() == list(range(300))
    assert set(frame["risk_level"]) == {"low"}


def _chance_rows(chance: random.Random) -> list[dict[str, Any]]:
    """Customers with unknown fields of every shape, that change their shape on the way."""
    shapes: dict[str, Callable[[int], Any]] = {
        "risk": lambda n: {"score": n, "checks": {"zip": chance.choice([None, "fail"]),
            "at": 1_700_000_000 + n}},
        "late": lambda n: None if n < 150 else {"x": n, "deep": {"y": [n]}},
        "empty": lambda n: {},
        "sometimes": lambda n: chance.choice([{}, None, {"a": n}, {"b": {"c": str(n)}}]),
        "mixed": lambda n: chance.choice([n, {"a": n}, "text", None, {"id": f"x_{n}", "a": n}]),
        "number": lambda n: chance.choice([n, n + 0.5, None]),
        "tags": lambda n: {f"key_{n}_{k}": n for k in range(chance.randrange(3))},
        "typed": lambda n: chance.choice([{"object": "product", "id": f"prod_{n}", "name": "x"}, {"a": 1},
            f"prod_{n}"]),
        "grown": lambda n: {f"key_{n // 3}": n},
        "big": lambda n: 2**70 + n if n == 200 else n,
        "a_b": lambda n: {"c": n},
        "a": lambda n: {"b_c": None, "d": n},
        "shipping": lambda n: {"name": "x", "new": {"k": n}} if n % 2 else None,
    }  # fmt: skip
    chosen = chance.sample(sorted(shapes), 6)
    return [
        {"id": f"cus_{n}", "object": "customer", "created": 1_700_000_000 - n}
        | {name: shapes[name](n) for name in chosen if chance.random() < 0.8}
        for n in range(250)
    ]


def test_the_same_rows_give_the_same_frame_however_they_are_spread_over_pages() -> None:
    from pandas.testing import assert_frame_equal

    for seed in range(12):
        chance = random.Random(seed)
        rows = _chance_rows(chance)
        decoder._plans.clear()
        whole = frame_of(rows)
        decoder._plans.clear()
        builder = frames.Builder("customer", chunk=chance.choice([20, 100, 1000]))
        places = list(range(0, len(rows), 10))
        chance.shuffle(places)
        for at in places:
            builder.add(json.dumps({"object": "list", "data": rows[at : at + 10]}).encode())
        assert_frame_equal(builder.frame(newest_first=True), whole, obj=f"the frame of seed {seed}")
        read_back = [parquet.plain_table([table], "customer") for table in _tables(rows, places)]
        assert_frame_equal(
            assemble(read_back, "customer", newest_first=True), whole, obj=f"files of seed {seed}"
        )


def _tables(rows: list[dict[str, Any]], places: list[int]) -> list[Any]:
    builder = frames.Builder("customer")
    out = []
    for number, at in enumerate(places):
        builder.add(json.dumps({"object": "list", "data": rows[at : at + 10]}).encode())
        if number % 5 == 4 or number == len(places) - 1:
            out += builder.tables()
    return out


def test_an_unknown_object_that_was_null_first_is_read_as_columns_from_then_on() -> None:
    learned: list[int] = []
    rows: list[dict[str, Any]] = [
        {"id": f"cus_{n}", "object": "customer", "review": None} for n in range(3000)
    ]
    for n in range(120, 3000):
        rows[n]["review"] = {"score": n, "level": {"name": "low"}}
    decoder._plans.clear()
    with pytest.MonkeyPatch.context() as patch:
        learn = decoder.Plan.learn

        def counted(plan: decoder.Plan, raws: Any) -> decoder.Plan:
            learned.append(1)
            return learn(plan, raws)

        patch.setattr(decoder.Plan, "learn", counted)
        builder = frames.Builder("customer")
        for at in range(0, 3000, 100):
            builder.add(json.dumps({"object": "list", "data": rows[at : at + 100]}).encode())
        tables = builder.tables()
    assert len(learned) <= 2
    assert {str(tables[-1].schema.field(name).type) for name in ("review_score", "review_level_name")} == {
        "int64",
        "large_string",
    }
