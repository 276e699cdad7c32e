"""The same scripts through Stripe's own Python package: where we agree with it, and where we differ on
purpose.

where                             theirs                              ours, and why
404                               InvalidRequestError                 NotFound, a kind of InvalidRequest
409, 424                          APIError                            InvalidRequest; 424 on a write: unknown
5xx, lost answers on a write      APIError, APIConnectionError        OutcomeUnknown: it may be executed
a lost answer, then 401 or 429    AuthenticationError, RateLimitError OutcomeUnknown: the later answer says
                                                                      nothing of the lost one
code of 401, 403, 429             dropped                             kept
200 with [], 5 or an `error`      given back as a result              an error
{"error": null}                   AttributeError                      an error with status and request id
a cut or empty 200                an error, not sent again            the saved result is asked for
Retry-After                       not looked at                       waited for
one header with several secrets   one secret                          any of several
events up to a year ahead         accepted                            refused beyond the tolerance
tolerance 0 or below              switches the check off              ValueError
True, None, NaN in a list         "True", "None", "nan"               true, refused, refused
Decimal 1E+3                      1E+3                                1000
an empty list                     nothing is sent                     name=, which clears it
brackets in a metadata key        nested silently                     refused
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import stripe
from each_row import each_row
from fault_server import EXPIRED, LOCK, RATE, Fault, FaultServer, error
from stripe._encode import _api_encode

from client.conftest import KEY, create, get
from stripe_magics.client.secret import Secret
from stripe_magics.client.shared_connection import Connection
from stripe_magics.errors import (
    AuthenticationFailed,
    CardDeclined,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    StripeError,
    StripeUnavailable,
)
from stripe_magics.request import encode

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # their use of httpx


@pytest.fixture
def theirs(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[stripe.StripeClient]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))  # where it keeps its telemetry id
    client = stripe.HTTPXClient(timeout=1, allow_sync_methods=True)
    yield stripe.StripeClient(
        KEY, base_addresses={"api": server.url}, max_network_retries=0, http_client=client
    )
    client._client.close()


def raised(action: Any) -> BaseException | None:
    try:
        action()
    except Exception as problem:
        return problem
    return None


SAME = [
    (
        error(400, "invalid_request_error", "parameter_missing", param="amount"),
        stripe.InvalidRequestError,
        InvalidRequest,
    ),
    (error(401, "invalid_request_error"), stripe.AuthenticationError, AuthenticationFailed),
    (error(402, "card_error", "card_declined", decline_code="lost_card"), stripe.CardError, CardDeclined),
    (error(403, "invalid_request_error"), stripe.PermissionError, PermissionDenied),
    (error(404, "invalid_request_error", "resource_missing"), stripe.InvalidRequestError, NotFound),
    (RATE, stripe.RateLimitError, RateLimited),
    (LOCK, stripe.RateLimitError, RateLimited),
    (error(400, "invalid_request_error", "rate_limit"), stripe.RateLimitError, RateLimited),
    (error(400, "idempotency_error"), stripe.IdempotencyError, IdempotencyConflict),
    (error(500, "api_error"), stripe.APIError, StripeUnavailable),
    (error(503, "api_error"), stripe.APIError, StripeUnavailable),
    (error(418, "api_error"), stripe.APIError, StripeError),
]


@pytest.mark.parametrize(("answer", "their_class", "our_class"), SAME)
def test_status_to_class(
    server: FaultServer,
    connection: Connection,
    theirs: stripe.StripeClient,
    answer: Fault,
    their_class: type,
    our_class: type,
) -> None:
    server.always = answer
    assert type(raised(theirs.v1.balance.retrieve)) is their_class
    assert type(raised(lambda: connection.send(get()))) is our_class


def test_differs_a_write_that_failed_is_unknown(
    server: FaultServer, connection: Connection, theirs: stripe.StripeClient
) -> None:
    for answer, name in (
        (error(500, "api_error"), "APIError"),
        (Fault("after", "reset"), "APIConnectionError"),
        (Fault("after", "truncate-close"), "APIError"),
    ):
        server.always = answer
        assert type(raised(lambda: theirs.v1.customers.create({"name": "a"}))).__name__ == name
        assert isinstance(
            raised(lambda name=name: connection.send(create(name=name + str(len(server.seen))))),
            OutcomeUnknown,
        )


def test_differs_a_later_answer_never_hides_a_lost_one(
    server: FaultServer, connection: Connection, theirs: stripe.StripeClient
) -> None:
    for later, name in ((EXPIRED, "AuthenticationError"), (RATE, "RateLimitError")):
        server.script = [Fault("after", "reset"), *[later] * 3]
        problem = raised(
            lambda: theirs.v1.customers.create({"name": "a"}, options={"max_network_retries": 2})
        )
        assert type(problem).__name__ == name
        server.script = [Fault("after", "reset"), *[later] * 3]
        assert isinstance(raised(lambda name=name: connection.send(create(name=name))), OutcomeUnknown)


def test_differs_the_code_is_kept(
    server: FaultServer, connection: Connection, theirs: stripe.StripeClient
) -> None:
    server.always = EXPIRED
    assert getattr(raised(theirs.v1.balance.retrieve), "code", "-") is None
    assert getattr(raised(lambda: connection.send(get())), "code", "-") == "api_key_expired"


@pytest.mark.parametrize("body", [b"[]", b"5", b'{"error": {"type": "x"}}', b""])
def test_differs_a_success_that_is_none(
    server: FaultServer, connection: Connection, theirs: stripe.StripeClient, body: bytes
) -> None:
    server.always = Fault("before", "answer", 200, (), body)
    problem = raised(theirs.v1.balance.retrieve)
    assert problem is None or isinstance(problem, stripe.APIError | AttributeError)
    assert isinstance(raised(lambda: connection.send(get())), StripeUnavailable)


@pytest.mark.parametrize("body", [b'{"error": null}', b'{"error": []}'])
def test_differs_an_error_that_is_none(
    server: FaultServer, connection: Connection, theirs: stripe.StripeClient, body: bytes
) -> None:
    server.always = Fault("before", "answer", 400, (), body)
    assert not isinstance(raised(theirs.v1.balance.retrieve), stripe.StripeError)
    assert isinstance(raised(lambda: connection.send(get())), InvalidRequest)


def test_differs_no_telemetry(
    server: FaultServer, connection: Connection, theirs: stripe.StripeClient
) -> None:
    theirs.v1.customers.create({"name": "a"})
    theirs.v1.customers.create({"name": "b"})
    assert "x-stripe-client-telemetry" in server.seen[-1].headers
    connection.send(create(name="c"))
    connection.send(create(name="d"))
    assert not [name for name in server.seen[-1].headers if name.startswith("x-stripe")]


# --- encoding -----------------------------------------------------------------------------------------------
AGREE: list[dict[str, Any]] = [
    {"a": 1, "b": "foo"},
    {"a": {"b": {"c": "d"}}},
    {"items": [{"price": "p", "quantity": 2}, {"price": "q"}]},
    {"a": [[1, 2], [3]]},
    {"a": {"0": {"b": 1}}},
    {"a": True, "b": False},
    {"a": None, "b": 1},
    {"a": "é 😀 & = + %"},
    {"created": {"gte": 1, "lt": 2}},
    {"expand": ["customer", "invoice.subscription"]},
    {"a": Decimal("10.50")},
    {"a": ""},
]


@each_row("params", AGREE, ids=str)
def test_encoding_agrees(params: dict[str, Any]) -> None:
    def as_sent(value: object) -> str:
        return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)

    assert list(encode(params)) == [(name, as_sent(value)) for name, value in _api_encode(params)]


def test_encoding_differs_on_purpose() -> None:
    theirs = {name: str(value) for name, value in _api_encode({"a": [True], "b": Decimal("1E+3"), "c": []})}
    assert theirs == {"a[0]": "True", "b": "1E+3"}
    assert dict(encode({"a": [True], "b": Decimal("1E+3"), "c": []})) == {
        "a[0]": "true",
        "b": "1000",
        "c": "",
    }
    assert list(_api_encode({"metadata": {"a[b]": "c"}}))[0][0] == "metadata[a[b]]"
    for refused in ({"a": [None]}, {"a": [math.nan]}, {"metadata": {"a[b]": "c"}}):
        with pytest.raises(ValueError):
            encode(refused)


# --- signatures ---------------------------------------------------------------------------------------------
SECRET = "whsec_test_secret_for_comparison"
BODY = (
    b'{"id":"evt_1","object":"event","type":"customer.created","created":1,"data":{"object":{"id":"cus_1"}}}'
)


def signature(stamp: int, body: bytes = BODY, secret: str = SECRET) -> str:
    return f"t={stamp},v1={stripe.WebhookSignature._compute_signature(f'{stamp}.{body.decode()}', secret)}"


NOW = int(time.time())


@each_row(
    "header",
    [
        signature(NOW),
        signature(NOW - 299),
        signature(NOW - 400),
        signature(NOW, secret="whsec_other"),
        signature(NOW) + ",v1=abc",
        f"v0=1,{signature(NOW)}",
        "",
        "t=,v1=",
        "v1=abc",
        "text",
    ],
    ids=[
        "good",
        "five-minutes-old",
        "too-old",
        "other-secret",
        "one-of-two",
        "with-v0",
        "empty",
        "no-values",
        "no-time",
        "text",
    ],
)
def test_signatures_agree(header: str) -> None:
    from stripe_magics.events import signature as ours

    def we() -> None:
        ours.construct(BODY, header, Secret(SECRET))

    def they() -> None:
        stripe.WebhookSignature.verify_header(BODY.decode(), header, SECRET, 300)

    assert (raised(we) is None) is (raised(they) is None)


def test_signatures_differ_on_purpose() -> None:
    from stripe_magics.events import signature as ours

    ahead = signature(NOW + 4000)
    assert stripe.WebhookSignature.verify_header(BODY.decode(), ahead, SECRET, 300)
    assert isinstance(raised(lambda: ours.construct(BODY, ahead, Secret(SECRET), now=NOW)), ours.BadSignature)
    old = signature(1)
    assert stripe.WebhookSignature.verify_header(BODY.decode(), old, SECRET, 0)
    with pytest.raises(ValueError):
        ours.construct(BODY, old, Secret(SECRET), tolerance=0)
    assert (
        ours.construct(
            BODY, signature(NOW, secret="whsec_new_one"), [Secret(SECRET), Secret("whsec_new_one")], now=NOW
        )["id"]
        == "evt_1"
    )
