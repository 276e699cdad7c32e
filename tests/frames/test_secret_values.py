"""What is secret is hidden by one table, in every frame as everywhere else, and shown when it is asked for by
name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import stripe_magics as sm
from stripe_magics import frames
from stripe_magics._redaction import HIDDEN, SECRET_FIELDS, hide
from stripe_magics.client import shared_connection
from stripe_magics.errors import ColumnNotFoundError, FrameError
from stripe_magics.frames.schema import facts, schema

TEXT = "plainwordsthatlooklikenothing"


@pytest.fixture
def sandbox() -> Iterator[Any]:
    yield sm.connect(sandbox=True, demo=False)
    shared_connection.close()


def test_a_field_of_the_table_is_hidden_in_frames_as_everywhere_else() -> None:
    seen = 0
    for kind, fields in SECRET_FIELDS.items():
        for field in fields:
            made = {"id": "x_1", "object": kind or "customer", field: TEXT}
            assert hide(made)[field] == HIDDEN
            frame = frames.build([json.dumps(made).encode()], made["object"])
            assert TEXT not in str(frame.to_dict()), f"{kind or 'any'}.{field}"
            seen += field in frame
    assert seen > 20


def test_the_facts_know_no_secret_as_plain_text() -> None:
    for version in ("2025-02-24.acacia", "2026-10-28.endive"):
        for kind in facts(version):
            for column in schema(kind, version).columns:
                secret = column.path[-1] in SECRET_FIELDS[""] or (
                    len(column.path) == 1 and column.path[-1] in SECRET_FIELDS.get(kind, ())
                )
                assert not secret or column.kind != "text", f"{kind}.{'.'.join(column.path)}"


def session() -> Any:
    item = {
        "price_data": {"currency": "usd", "unit_amount": "20.00usd", "product_data": {"name": "x"}},
        "quantity": 1,
    }
    return sm.call("checkout.sessions.create", mode="payment", success_url="https://e.com", line_items=[item])


def test_a_link_is_hidden_said_and_revealed(sandbox: Any) -> None:
    made = session()
    assert made["url"].tolist() == [HIDDEN]
    assert any('df.stripe.reveal("url")' in note for note in made.attrs["stripe"]["notes"])
    shown = made.stripe.reveal("url")
    assert shown.iloc[0].startswith("https://checkout.stripe.com/c/pay/cs_test_")
    assert made["url"].tolist() == [HIDDEN], "the frame itself stays as it is"
    assert shown.index.equals(made.index)
    listed = sm.call("checkout.sessions.list")
    assert listed.stripe.reveal("url").tolist() == shown.tolist()


def test_client_secrets_of_several(sandbox: Any) -> None:
    for _ in range(3):
        sm.call("payment_intents.create", amount=2000, currency="usd", again=True)
    shown = sm.call("payment_intents.list").stripe.reveal("client_secret")
    assert all(
        f"{id}_secret_" in text for id, text in zip(sm.call("payment_intents.list")["id"], shown, strict=True)
    )


def test_what_cannot_be_revealed_is_said(sandbox: Any) -> None:
    made = session()
    with pytest.raises(ColumnNotFoundError, match="Hidden here: client_secret, url"):
        made.stripe.reveal("success_url")
    endpoint = sm.call(
        "webhook_endpoints.create", url="https://example.com/hook", enabled_events=["charge.failed"]
    )
    with pytest.raises(FrameError, match="--raw"):
        endpoint.stripe.reveal("secret")
    many = frames.build(
        [json.dumps([{"id": f"cs_{n}", "object": "checkout.session"} for n in range(21)]).encode()],
        "checkout.session",
    )
    with pytest.raises(FrameError, match="21 rows"):
        many.stripe.reveal("url")
    shared_connection.close()
    with pytest.raises(FrameError, match="isn't open"):
        made.stripe.reveal("url")
