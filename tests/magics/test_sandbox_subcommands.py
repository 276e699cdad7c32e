"""The sandbox from a cell: what day it is in there, where its clock starts, what it simulates."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest

import stripe_magics as sm
from stripe_magics import errors

from .conftest import Cells


def test_the_connect_card_and_status_say_what_day_it_is(sandbox: Cells) -> None:
    card = sandbox("%stripe connect --sandbox --empty")
    assert "It is 2 Nov 2026, 09:00 in the sandbox" in repr(card)
    assert "It is 2 Nov 2026, 09:00 in the sandbox" in card._repr_html_()
    sandbox("%stripe sandbox advance 3d")
    assert "It is 5 Nov 2026, 09:00 in the sandbox" in repr(sandbox("%stripe status"))
    sandbox("%stripe connect --sandbox --empty --zone Europe/Zurich")
    assert "It is 2 Nov 2026, 10:00 in the sandbox" in repr(sandbox("%stripe status"))


def test_the_form_says_it_too(sandbox: Cells) -> None:
    from stripe_magics.forms.connection_card import connected_card

    assert "It is 2 Nov 2026, 09:00 in the sandbox" in connected_card(sm.current()).partition("<details")[0]


def test_with_today_the_demo_ends_today_and_relative_dates_find_it(sandbox: Cells) -> None:
    card = sandbox("%stripe connect --sandbox --today")
    today = datetime.now(UTC)
    assert re.search(rf"It is {today.day} {today:%b %Y}, \d\d:\d\d in the sandbox", repr(card))
    found = sandbox('%stripe charges list --created "last 7 days" --limit all')
    assert len(found) > 10
    assert found["created"].min().timestamp() > time.time() - 8 * 86400


def test_relative_dates_count_from_a_clock_that_stands_still(sandbox: Cells) -> None:
    sandbox("%stripe connect --sandbox")
    found = sandbox('%stripe charges list --created "last 7 days" --limit all')
    assert len(found) > 10
    assert found["created"].max().strftime("%Y-%m") in {"2026-10", "2026-11"}


def test_today_is_refused_for_a_real_account(sandbox: Cells) -> None:
    with pytest.raises(errors.UsageFault, match="--today is for the sandbox"):
        sandbox("%stripe connect --env STRIPE_API_KEY --today")
    with pytest.raises(errors.NotConnected, match="--today is for the sandbox"):
        sm.connect(env="STRIPE_API_KEY", today=True)


def test_coverage_is_a_table_of_all_operations(sandbox: Cells) -> None:
    table = sandbox("%stripe sandbox coverage")
    assert list(table.columns) == ["operation", "method", "path", "fidelity"]
    by = dict(zip(table["operation"], table["fidelity"], strict=True))
    assert len(by) == len(table) > 550
    assert (by["customers.create"], by["climate.orders.create"]) == ("simulated", "by shape")
    assert set(by.values()) == {"simulated", "by shape"}
