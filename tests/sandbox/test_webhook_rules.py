"""What the sandbox's webhook endpoints take: addresses, types of every version that it serves, and how many
there may be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import stripe_magics as sm
from stripe_magics.client.shared_connection import Connection
from stripe_magics.errors import InvalidRequest, UnknownName


@pytest.fixture
def sandbox() -> Iterator[Connection]:
    connection = sm.connect(sandbox=True, demo=False)
    yield connection
    sm.close()


def test_addresses_outside_of_this_machine_are_https(sandbox: Connection) -> None:
    with pytest.raises(InvalidRequest, match="HTTPS"):
        sm.watch("invoice", url="http://example.com/hook")
    for url in (
        "https://example.com/hook",
        "http://127.0.0.1:8000/x",
        "http://localhost:5000",
        "http://[::1]:5000/x",
    ):
        sm.watch("invoice", url=url)
    assert len(sm.call("webhook_endpoints.list")) == 4


def test_at_most_16_endpoints(sandbox: Connection) -> None:
    made = [sm.watch("invoice", url=f"https://example.com/{number}")["id"].iloc[0] for number in range(16)]
    with pytest.raises(InvalidRequest, match="maximum of 16"):
        sm.watch("invoice", url="https://example.com/one-more")
    sm.call("webhook_endpoints.delete", webhook_endpoint=made[0])
    assert len(sm.watch("invoice", url="https://example.com/one-more")) == 1


@pytest.mark.parametrize(
    "type", ["invoice_payment.paid", "billing.meter.created", "terminal.reader.action_updated"]
)
def test_types_that_only_the_newest_version_has(sandbox: Connection, type: str) -> None:
    """The endpoint is made with the version that knows the type, and that is said."""
    made = sm.watch(type, url="https://example.com/hook")
    assert list(made["enabled_events"].iloc[0]) == [type]
    assert any("2026-10-28.endive" in note for note in made.attrs["stripe"]["notes"])
    request = sm.call(
        "events.watch", events=f"invoice.paid,{type}", url="https://example.com/hook", dry_run=True
    )
    assert dict(request.headers)["Stripe-Version"] == "2026-10-28.endive"
    updated = sm.call(
        "webhook_endpoints.update", webhook_endpoint=made["id"].iloc[0], enabled_events=[type, "invoice.paid"]
    )
    assert list(updated["enabled_events"].iloc[0]) == [type, "invoice.paid"]


def test_types_that_no_version_has_are_refused(sandbox: Connection) -> None:
    with pytest.raises(UnknownName, match=r"Did you mean invoice\.paid"):
        sm.call("events.watch", events="invoice.payd", url="https://example.com/hook", dry_run=True)
