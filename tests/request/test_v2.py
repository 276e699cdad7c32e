"""Operations of the v2 API: by name, with JSON bodies whose values keep their types, walked by their own
pages."""

from __future__ import annotations

import json

import stripe_magics as sm
from stripe_magics import catalogue, pipeline
from stripe_magics.catalogue.generated import facts
from stripe_magics.catalogue.module import Effect
from stripe_magics.catalogue.versions import NEWEST_VERSION, PINNED_VERSION
from stripe_magics.client.http.response import ApiResponse
from stripe_magics.client.pagination.sequential_paginator import paginator_for
from stripe_magics.request import Request


def test_names_are_those_of_the_command_line_tool() -> None:
    for name in (
        "v2 core accounts create",
        "v2.core.event_destinations.list",
        "v2 money_management outbound_payments create",
    ):
        assert catalogue.find(name).path.startswith("/v2/")
    assert sum(name.startswith("v2.") for name in facts.data().operations) > 80


def test_the_body_is_json_with_types() -> None:
    request = sm.call(
        "v2.core.accounts.create",
        contact_email="jenny@example.com",
        display_name="Jenny",
        identity={"country": "de", "entity_type": "company"},
        metadata={"order_id": "6735"},
        dry_run=True,
    )
    assert request.params == ()
    assert request.json["contact_email"] == "jenny@example.com"
    assert request.json["identity"]["entity_type"] == "company"
    assert request.json["metadata"] == {"order_id": "6735"}
    assert dict(request.headers)["Stripe-Version"] == NEWEST_VERSION
    assert any(NEWEST_VERSION in each for each in request.warnings)


def test_an_operation_of_both_versions_stays_at_the_pinned_one() -> None:
    command = pipeline.command("v2.core.event_destinations.list")
    assert dict(pipeline.prepare(command).headers)["Stripe-Version"] == PINNED_VERSION


def test_what_moves_money_is_judged() -> None:
    assert catalogue.find("v2.money_management.outbound_payments.create").effect is Effect.IRREVERSIBLE
    assert catalogue.find("v2.core.accounts.create").effect is Effect.CREATE


def test_pages_go_by_the_address_of_the_next() -> None:
    body = {
        "data": [{"id": "ed_1"}],
        "next_page_url": "/v2/core/event_destinations?limit=1&page=abc",
        "previous_page_url": None,
    }
    answer = ApiResponse(status=200, body=json.dumps(body).encode())
    assert answer.has_more
    request = Request(module="get", method="GET", path="/v2/core/event_destinations", lists=True)
    paginator = paginator_for(None, request)  # nothing is sent
    assert (paginator.parameter, paginator.following(answer)) == ("page", "abc")
    last = ApiResponse(status=200, body=json.dumps({**body, "next_page_url": None}).encode())
    assert not last.has_more
