"""The sandbox goes through the same pipeline: journal (in memory), retries, replays; and costs little."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.conftest import create, get
from stripe_magics.client.journal.journal import Origin
from stripe_magics.client.pagination.paginator import pages
from stripe_magics.client.shared_connection import Connection, close, connect
from stripe_magics.errors import CardDeclined, NotFound, RepeatRefused
from stripe_magics.request import Request


@pytest.fixture
def sandbox() -> Iterator[Connection]:
    yield connect(sandbox=True, demo=False)
    close()


def test_a_sandbox_needs_no_key_and_leaves_nothing_on_disk(sandbox: Connection) -> None:
    assert (sandbox.mode, sandbox.live, sandbox.key_hint) == ("sandbox", False, "")
    assert sandbox.sandbox is not None
    answer = sandbox.send(create(name="Jenny"), origin=Origin("c", "d", 1))
    again = sandbox.send(create(name="Jenny"), origin=Origin("c", "d", 1))
    assert answer.data["id"] == again.data["id"]
    assert again.replayed
    with pytest.raises(RepeatRefused):
        sandbox.send(create(name="Jenny"), origin=Origin("c2", "d2", 1))
    assert not Path(os.environ["STRIPE_MAGICS_STATE_DIR"]).exists()
    assert sandbox.status()["host"] == "in this process"


def test_errors_and_pages_of_the_sandbox(sandbox: Connection) -> None:
    with pytest.raises(NotFound):
        sandbox.send(get("/v1/customers/cus_none"))
    with pytest.raises(CardDeclined, match="Card declined - no payment was taken"):
        sandbox.send(
            create(
                "/v1/payment_intents",
                amount="2000",
                currency="usd",
                confirm="true",
                payment_method="pm_card_chargeDeclined",
                **{"payment_method_types[0]": "card"},
            )
        )
    for number in range(120):
        sandbox.send(create(name=f"n{number}"))
    request = Request(
        module="customers.list",
        method="GET",
        path="/v1/customers",
        returns="list[customer]",
        lists=True,
        limit=None,
    )
    assert sum(len(answer.rows) for answer in pages(sandbox, request)) == 120
