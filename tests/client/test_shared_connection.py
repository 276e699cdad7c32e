"""Connecting tries the key: what Stripe refuses, and a Stripe that isn't there, fail at once and leave the
earlier connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fault_server import EXPIRED, Fault, FaultServer, error

from client.conftest import KEY, QUICK
from stripe_magics.client import shared_connection
from stripe_magics.client.secret import Secret
from stripe_magics.client.shared_connection import Connection, connect
from stripe_magics.errors import (
    AuthenticationFailed,
    NotSent,
    PermissionDenied,
    StripeMagicsError,
    StripeUnavailable,
    UnknownName,
    UsageFault,
)
from stripe_magics.forms.connection_card import connected_card


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    shared_connection.close()


def open_to(server: FaultServer, **more: str) -> Connection:
    return connect(secret=Secret(KEY), api_base=server.url, policy=QUICK, **more)


REFUSED = error(401, "invalid_request_error", None, "Invalid API Key provided: sk_test_****0001")
FOREIGN = error(
    403,
    "invalid_request_error",
    "account_invalid",
    "The provided key does not have access to account 'acct_9'",
)
PORTAL = Fault("before", "html", 200)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (REFUSED, AuthenticationFailed),
        (EXPIRED, AuthenticationFailed),
        (FOREIGN, PermissionDenied),
        (PORTAL, StripeUnavailable),
        (Fault("before", "reset"), StripeUnavailable),
        (Fault("before", "html", 403), PermissionDenied),
    ],
)
def test_B76_what_is_refused_is_an_error_and_the_earlier_connection_stays(
    server: FaultServer, fault: Fault, kind: type[StripeMagicsError]
) -> None:
    earlier = connect(sandbox=True, demo=False)
    server.always = fault
    with pytest.raises(kind) as caught:
        open_to(server, account="acct_9")
    assert KEY not in str(caught.value)
    assert "The earlier connection stays" in str(caught.value)
    assert shared_connection.shared() is earlier
    assert not earlier.closed


def test_B76_without_a_network(server: FaultServer) -> None:
    with pytest.raises(NotSent, match="Nothing was sent"):
        connect(secret=Secret(KEY), api_base="http://127.0.0.1:9", policy=QUICK)
    assert shared_connection.shared() is None


@pytest.mark.parametrize(
    "fault",
    [
        error(403, "invalid_request_error", None, "The provided key does not have the required permissions"),
        error(500, "api_error"),
        error(429, "invalid_request_error", "rate_limit"),
    ],
)
def test_B76_what_stripe_cannot_say_is_not_checked(server: FaultServer, fault: Fault) -> None:
    server.always = fault
    connection = open_to(server)
    assert connection.unchecked
    assert "not checked" in connection.status()["check"]
    # later Stripe can say; the card is amber all the same, until somebody connects again
    server.always = None
    card = connected_card(connection)
    assert "Connected, but not checked." in card
    assert "check: not checked" in card


def test_B76_a_good_key_costs_one_request(server: FaultServer) -> None:
    connection = open_to(server)
    assert [each.path for each in server.seen] == ["/v1/account"]
    assert connection.status()["account"] == "acct_1"
    assert "check" not in connection.status()
    assert len(server.seen) == 1


def test_what_connect_has_no_argument_for_is_refused_by_name() -> None:
    with pytest.raises(UnknownName, match="Did you mean sandbox"):
        connect(sandbx=True)  # type: ignore[call-arg]
    with pytest.raises(UsageFault, match="'sandbox' has no name"):
        connect("sandbox")  # type: ignore[misc]
