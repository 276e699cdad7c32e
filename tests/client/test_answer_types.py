"""B69: an answer of another type than was asked for, or without the id that it must have, is no success; for
every operation there is."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from each_row import each_row

from stripe_magics import catalogue, pipeline
from stripe_magics.catalogue.generated import operations
from stripe_magics.client.connection import Connection
from stripe_magics.client.http.response_check import has_id, mismatch
from stripe_magics.client.http.retry import Policy
from stripe_magics.client.journal.journal import Journal
from stripe_magics.client.secret import Secret
from stripe_magics.errors import OutcomeUnknown, StripeUnavailable
from stripe_magics.request import Request

PUBLISHED: dict[str, list[str]] = json.loads(
    (Path(__file__).parents[1] / "specs" / "answer_types.json").read_text()
)
"""`GET /v1/customers/{}` -> the types that it answers with, and "no id" where an answer need not have one:
from Stripe's published description of the version 2023-08-16."""


def requests() -> list[Request]:
    """One of each operation that gives an object."""
    modules = [catalogue.find(name) for name in operations.operation_names()] + list(catalogue.documented())
    return [
        Request(module=each.name, method=each.method, path=each.path, returns=each.object)
        for each in modules
        if not each.lists and each.method != "ANY"
    ]


def test_no_answer_that_stripe_publishes_is_refused() -> None:
    """What is judged agrees with Stripe's own description, operation by operation; most operations are in
    it."""
    judged = 0
    for request in requests():
        published = PUBLISHED.get(f"{request.method} {re.sub(r'{[^}]*}', '{}', request.path)}")
        for kind in published or [request.returns]:
            if kind == "no id":
                continue
            with_id = published is None or "no id" not in published
            answer: dict[str, Any] = {"object": kind, **({"id": "id_1"} if with_id else {})}
            allowed = request.returns in {"any", "document"} or kind == request.returns
            assert allowed, (request.module, kind)
            assert mismatch(request, answer) == "" or (not with_id and request.returns == "invoice"), request
            judged += published is not None
    assert judged > 300


def test_every_type_but_those_of_v2_is_judged() -> None:
    unjudged = {
        each.returns
        for each in requests()
        if not mismatch(each, {"object": "something_else", "id": "x_1"}) and not each.path.startswith("/v2/")
    }
    assert unjudged == {"any"}
    without = {each.returns for each in requests() if not has_id(each) and not each.path.startswith("/v2/")}
    assert {"account_link", "login_link", "cash_balance", "tax.settings", "balance"} < without
    assert not {"dispute", "quote", "tax_id", "payout", "topup", "issuing.card"} & without


def test_a_preview_has_no_id() -> None:
    preview = Request(
        module="invoices.create_preview", method="POST", path="/v1/invoices/create_preview", returns="invoice"
    )
    assert mismatch(preview, {"object": "invoice"}) == ""
    assert "without an id" in mismatch(replace(preview, path="/v1/invoices"), {"object": "invoice"})


@each_row(
    ("call", "values", "right"),
    [
        ("disputes.close", {"dispute": "dp_1"}, {"id": "dp_1", "object": "dispute"}),
        ("quotes.accept", {"quote": "qt_1"}, {"id": "qt_1", "object": "quote"}),
        ("topups.create", {"amount": 100, "currency": "usd"}, {"id": "tu_1", "object": "topup"}),
        ("credit_notes.create", {"invoice": "in_1"}, {"id": "cn_1", "object": "credit_note"}),
        ("subscription_schedules.cancel", {"schedule": "sub_sched_1"},
            {"id": "sub_sched_1", "object": "subscription_schedule"}),
        ("transfers.create_reversal", {"id": "tr_1", "amount": 5},
            {"id": "trr_1", "object": "transfer_reversal"}),
        ("accounts.create_login_link", {"account": "acct_1"},
            {"url": "https://connect.stripe.com/x", "object": "login_link"}),
    ],
)  # fmt: skip
def test_a_write_that_is_answered_with_something_else_is_unknown(
    call: str, values: dict[str, Any], right: dict[str, Any]
) -> None:
    wrong = [{"id": "cus_1", "object": "customer"}, {"object": right["object"]}, {"id": "x"}]
    if "id" not in right:
        wrong.pop(1)
    for answer in (*wrong, right):
        connection = Connection(
            secret=Secret("sk_test_51" + "a" * 40), mode="test", base="https://api.stripe.com",
            journal=Journal(None),
            transport=httpx.MockTransport(lambda _, answer=answer: httpx.Response(200, json=answer)),
            policy=Policy(base_delay=0.001, max_delay=0.002),
        )  # fmt: skip
        if answer is right:
            assert pipeline.call(call, connection=connection, raw=True, **values) == right
        else:
            with pytest.raises(OutcomeUnknown):
                pipeline.call(call, connection=connection, raw=True, **values)
            assert len(connection.pending()) == 1
        connection.close()


def test_a_read_that_is_answered_with_something_else_fails() -> None:
    connection = Connection(
        secret=Secret("sk_test_51" + "a" * 40), mode="test", base="https://api.stripe.com",
        transport=httpx.MockTransport(lambda _: httpx.Response(200,
            json={"id": "cus_1", "object": "customer"})),
        policy=Policy(base_delay=0.001, max_delay=0.002),
    )  # fmt: skip
    with pytest.raises(StripeUnavailable, match="a customer where a dispute was asked for"):
        pipeline.call("disputes.retrieve", connection=connection, dispute="dp_1")
    connection.close()
