"""What `sm.call` makes of its keywords: fields, options, cursors, Stripe's own parameters."""

from __future__ import annotations

from typing import Any

import pytest
from each_row import each_row

import stripe_magics as sm


@each_row(
    "name, values, own, params",
    [
        ("payment_intents.create", {"amount": 5, "currency": "usd"}, {"amount": 5, "currency": "usd"}, []),
        # Stripe's, which the declared module doesn't know
        ("payment_intents.create", {"mandate": "mandate_1"}, {}, [("mandate", "mandate_1")]),
        # nobody's: left to the check of the fields, which refuses it by name
        ("payment_intents.create", {"manndate": "mandate_1"}, {"manndate": "mandate_1"}, []),
        ("refunds.list", {"starting_after": "re_1"}, {}, [("starting_after", "re_1")]),
    ],
)
def test_where_a_keyword_goes(
    name: str, values: dict[str, Any], own: dict[str, Any], params: list[tuple[str, Any]]
) -> None:
    made = sm.command(name, **values)
    assert (made.values, made.params) == (own, params)


def test_an_option_is_no_field() -> None:
    made = sm.command("customers.list", limit=5, dry_run=True)
    assert made.options.dry_run is True
    assert "dry_run" not in made.values


def test_a_keyword_of_nobody_s_is_refused_by_name() -> None:
    with pytest.raises(sm.InvalidValue, match="manndate"):
        sm.call("payment_intents.create", amount=5, currency="usd", manndate="mandate_1", dry_run=True)
