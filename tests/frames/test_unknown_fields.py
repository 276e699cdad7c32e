"""Fields that the facts don't have: hidden by what they look like, and bounded where they are a map."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from each_row import each_row

from stripe_magics import frames

SECRETS = [
    "whsec_abcdefghijklmnop0123456789",
    "pi_3abc_secret_abcdefghijklmnop",
    "sk_test_51CanaryCanaryCanaryCanary0001",
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
