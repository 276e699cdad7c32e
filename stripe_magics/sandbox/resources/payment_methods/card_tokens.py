"""What a token stands for: `tok_visa` and its like are templates, others were made by a call and can be used
once."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid, missing
from stripe_magics.sandbox.core.store import Account
from stripe_magics.sandbox.resources.payment_methods.test_cards import BY_NUMBER, CARDS, Card

_KEPT = (
    "address_city", "address_country", "address_line1", "address_line2", "address_state", "address_zip",
    "exp_month", "exp_year", "name",
)  # fmt: skip


def spend_card(account: Account, token: str, param: str) -> tuple[Card, dict[str, Any]]:
    """The test card of a token, and what else was said of it; a token that was made by a call is used up."""
    known = CARDS.get(token.removeprefix("tok_")) if token.startswith("tok_") else None
    if known is not None:
        return known, {}
    made = spend(account, token, "card", param)
    return BY_NUMBER[account.private_state[token]["number"]], {
        name: made["card"][name] for name in _KEPT if made["card"].get(name) is not None
    }


def spend(account: Account, token: str, kind: str, param: str) -> dict[str, Any]:
    """Use a token up."""
    made = account.get("token", token)
    if made is None:
        raise missing("token" if token.startswith(("tok_", "btok_")) else "source", token, param, status=400)
    if made["type"] != kind:
        raise invalid(f"The token {token} is one of type {made['type']}, not {kind}.", param=param)
    if made["used"]:
        raise invalid(
            f"You cannot use a Stripe token more than once: {token}.", param=param, code="token_already_used"
        )
    made["used"] = True
    return account.save("token", made)
