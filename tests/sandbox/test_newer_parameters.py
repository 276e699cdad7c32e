"""Parameters that only the newer version has: each is refused by name, or counts where `version_changes` says
so. None is taken and dropped."""

from __future__ import annotations

import re
from typing import Any

import pytest

from stripe_magics.sandbox.api import routes, version_changes
from stripe_magics.sandbox.api.dispatcher import _find
from stripe_magics.sandbox.api.versions import NEWER, OLDER

from .conftest import Talk
from .silent_parameters import World, base
from .test_connect import connected
from .test_connected_billing import monthly, payer
from .test_connected_offers import link, once
from .test_silent_parameters import OWN, candidates, general, leaves, path_of, required

AT_NEWER = {"Stripe-Version": NEWER}
RENAMED = re.compile(r"pricing\[price\]$|promotion\[\w+\]|refunds\[\]|^allowed_payment_method_types")
"""What had another name before: it counts, or is refused for what it says."""


@pytest.fixture(scope="module")
def world() -> World:
    return World.prepared()


def test_nothing_of_the_newer_version_is_taken_and_dropped(world: World) -> None:
    transport = world.opened()
    call, refused, other = Talk(transport), 0, []
    for name in sorted({each for subject in routes.SUBJECTS for each in subject.ROUTES} - OWN):
        method, path = name.split(" ")
        node, _ = _find(path)
        older, newer = (node.routes[method].shape_at(version) for version in (OLDER, NEWER))
        if older is None or newer is None:
            continue
        known = {general(leaf) for top, (of, _, _) in older.items() for leaf, _ in leaves(of, top)}
        served = version_changes.added(name)
        given = base(name, world.ids) if method == "POST" else {}
        for leaf, kind in (each for top, (of, _, _) in newer.items() for each in leaves(of, top)):
            plain = general(leaf).replace("[]", "")
            if general(leaf) in known or RENAMED.search(general(leaf)) or plain.startswith(served or ("-",)):
                continue
            key = f"{leaf}[k]" if kind in {"m", "*"} else leaf
            params = {**given, **required(newer, leaf), key: candidates(leaf, kind)[0]}
            params = {each: value for each, value in params.items() if "[iterations]" not in each}
            if name == "POST /v1/promotion_codes":
                params = {key: params[key], "promotion[type]": "coupon", "promotion[coupon]": "C10"}
            answer = call.raw(path_at(name, world.ids), params, headers=AT_NEWER)
            if answer.status_code == 200:
                other.append(f"{name} {general(leaf)}")
            refused += answer.status_code == 400
    assert other == []
    assert refused > 1_000


def path_at(name: str, ids: dict[str, str]) -> str:
    """The operation's path with ids; those of the reads that the other tests don't know stand for nothing."""
    try:
        return path_of(name, ids)
    except AssertionError:
        return re.sub(r"\{\w+\}", "none_1", name)


def at_newer(call: Talk, what: str, params: dict[str, Any]) -> Any:
    return call.raw(what, params, headers=AT_NEWER)


def test_a_links_share_is_changed_by_the_newer_version(call: Talk) -> None:
    shop = connected(call)
    made = link(call, once(call, 4_000))
    path = f"POST /v1/payment_links/{made['id']}"
    given = {"transfer_data[destination]": shop.account, "application_fee_amount": 400}
    changed = at_newer(call, path, {**given, "on_behalf_of": shop.account}).json()
    assert (changed["application_fee_amount"], changed["on_behalf_of"]) == (400, shop.account)
    assert changed["transfer_data"] == {"amount": None, "destination": shop.account}
    dear = at_newer(call, path, {"application_fee_amount": 4_001}).json()["error"]
    assert dear["param"] == "application_fee_amount"
    kept = call(f"GET /v1/payment_links/{made['id']}")
    assert kept["application_fee_amount"] == 400
    assert call.refused(path, {"application_fee_amount": 1})["code"] == "parameter_unknown"  # the older one
    off = at_newer(call, path, {"transfer_data": "", "application_fee_amount": "", "on_behalf_of": ""}).json()
    assert (off["transfer_data"], off["application_fee_amount"], off["on_behalf_of"]) == (None, None, None)


def test_a_phase_lasts_as_long_as_the_newer_version_says(call: Talk) -> None:
    given = {
        "customer": payer(call), "phases[0][items][0][price]": monthly(call, 1_000),
        "phases[0][duration][interval]": "month", "phases[0][duration][interval_count]": 3,
    }  # fmt: skip
    made = at_newer(call, "POST /v1/subscription_schedules", given).json()
    [phase] = made["phases"]
    assert 89 <= (phase["end_date"] - phase["start_date"]) / 86400 <= 92
    none = at_newer(
        call, "POST /v1/subscription_schedules", {**given, "phases[0][duration][interval_count]": 0}
    )
    assert none.json()["error"]["param"] == "phases[0][duration][interval_count]"
    assert call.refused("POST /v1/subscription_schedules", given)["code"] == "parameter_unknown"
