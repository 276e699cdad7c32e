"""What is given to a read has an effect or is refused, as for writes: each filter of each list and preview
that is served, against the same call without it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from stripe_magics.sandbox.api import routes
from stripe_magics.sandbox.api.dispatcher import _find
from stripe_magics.sandbox.api.versions import OLDER, SERVED

from .conftest import Talk
from .silent_parameters import PLACES, World
from .test_silent_parameters import candidates, leaves, required

PAGING = {"expand", "limit", "starting_after", "ending_before", "page"}
NO_EFFECT = {
    "GET /v1/billing/alerts alert_type": "there is one type",
    "GET /v1/credit_notes/preview email_type": "no letter is sent for a preview",
    **{
        f"GET /v1/credit_notes/preview/lines {each}": "the lines don't show it; the preview itself does"
        for each in ("credit_amount", "email_type", "memo", "out_of_band_amount", "reason", "refund",
            "refund_amount")
    },
    **{
        f"GET /v1/invoices/upcoming{lines} {each}": "nothing to prorate, no trial to end"
        for lines in ("", "/lines")
        for each in ("subscription_details[proration_behavior]", "subscription_details[trial_end]",
            "subscription_proration_behavior", "subscription_trial_end", "subscription_trial_from_plan")
    },
    **{
        f"GET /v1/invoices/upcoming/lines {each}": "the lines don't show it; the invoice itself does"
        for each in ("issuer[account]", "issuer[type]", "on_behalf_of", "automatic_tax[liability][account]")
    },
    "GET /v1/invoices/upcoming issuer[type]": "the default itself; the other type is tried with an account",
    "GET /v1/promotion_codes coupon": "there is one",
    "GET /v1/transfers destination": "there is one",
}  # fmt: skip
BASE: dict[str, dict[str, str]] = {
    "GET /v1/invoices/upcoming": {"subscription": "subscription"},
    "GET /v1/invoices/upcoming/lines": {"subscription": "subscription"},
    "GET /v1/payment_methods": {"customer": "customer"},
    "GET /v1/credit_notes/preview": {"invoice": "open", "amount": "100"},
    "GET /v1/credit_notes/preview/lines": {"invoice": "open", "amount": "100"},
}


@pytest.fixture(scope="module")
def world() -> World:
    return World.prepared()


def tries(leaf: str, kind: Any) -> list[Any]:
    """Values of which one at least changes what is found."""
    if isinstance(kind, tuple) and kind[0] == "choice":
        return list(kind[1])
    return ["1"] if kind == "r" else [*candidates(leaf, kind), "2000000000"]


@pytest.mark.parametrize("version", SERVED)
def test_no_filter_is_taken_and_dropped(world: World, version: str) -> None:
    call, ids, silent, tried = Talk(world.opened()), world.ids, [], 0
    for name in sorted({each for of in routes.SUBJECTS for each in of.ROUTES if each.startswith("GET")}):
        node, _ = _find(name.removeprefix("GET "))
        names = node.routes["GET"].shape(version) or {}
        path = re.sub(r"\{(\w+)\}", lambda part: ids.get(PLACES.get(part[1], part[1]), "none_1"), name)
        base = {each: ids.get(of, of) for each, of in BASE.get(name, {}).items()}
        if name.endswith("/search"):
            base = {"query": "created>0"}
        without = call.raw(path, base, headers={"Stripe-Version": version})
        if without.status_code != 200 or without.headers["content-type"] != "application/json":
            continue  # not there, or a file
        if not without.json().get("data", [1]):
            continue  # nothing to filter
        for leaf, kind in (each for top, (of, _, _) in names.items() for each in leaves(of, top)):
            if leaf.partition("[")[0] in PAGING | base.keys() or f"{name} {leaf}" in NO_EFFECT:
                continue
            tried += 1
            answers = (
                call.raw(
                    path, {**base, **required(names, leaf), leaf: value}, headers={"Stripe-Version": version}
                )
                for value in tries(leaf, kind)
            )
            if all(each.content == without.content for each in answers):
                silent.append(f"{name} {leaf}")
    assert silent == []
    assert tried > (140 if version == OLDER else 100)
