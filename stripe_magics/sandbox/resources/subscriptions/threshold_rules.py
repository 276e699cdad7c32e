"""Which billing thresholds may stand beside which prices, on subscriptions and in phases of schedules."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid, too_low
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.price_objects import amount_of
from stripe_magics.sandbox.resources.subscriptions.items import metered

WHERE = "billing_thresholds"


def of_subscription(given: dict[str, Any] | None) -> Object | None:
    """The thresholds of a subscription, as they are shown."""
    return given and {
        "amount_gte": given.get("amount_gte"),
        "reset_billing_cycle_anchor": given.get("reset_billing_cycle_anchor", False),
    }


def check(account: Account, limits: Object | None, items: list[Object]) -> None:
    """Refuse what can't be: `items` have `price`, `quantity` and `billing_thresholds`."""
    if not limits:
        return
    limit = limits["amount_gte"]
    if limit is not None and limit < 1:
        raise too_low(1, f"{WHERE}[amount_gte]")
    ahead = sum(
        amount_of(account, each["price"], each.get("quantity", 1))
        for each in items
        if not metered(each["price"])
    )
    if limit is not None and limit <= ahead:
        raise invalid(
            f"The monetary threshold must be greater than the sum of all licensed prices, which is {ahead}.",
            param=f"{WHERE}[amount_gte]",
        )
    if limits["reset_billing_cycle_anchor"] and any(
        each["price"]["recurring"]["aggregate_usage"] == "last_ever" for each in items
    ):
        raise invalid(
            "reset_billing_cycle_anchor can't be combined with a price that has aggregate_usage=last_ever.",
            param=f"{WHERE}[reset_billing_cycle_anchor]",
        )
