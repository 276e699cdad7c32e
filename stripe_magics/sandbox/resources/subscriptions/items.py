"""The items of a subscription: which price each stands for, what may stand beside what."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid, missing_param
from stripe_magics.sandbox.api.pagination import inline
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import discounts
from stripe_magics.sandbox.resources.price_objects import (
    add_made_price,
    check_price,
    in_currency,
    named_price,
    not_below,
    plan_of,
)

MAX_SUBSCRIPTION_ITEMS = 20


def metered(price: Object) -> bool:
    """Whether a price is billed by usage."""
    return bool(price["recurring"] and price["recurring"]["usage_type"] == "metered")


def price_of(account: Account, given: dict[str, Any], where: str, currency: str | None = None) -> Object:
    """The recurring price that an item names or describes, in the currency of the subscription."""
    named = [name for name in ("price", "plan", "price_data") if given.get(name)]
    if len(named) > 1:
        raise invalid(
            f"You may only specify one of these parameters: {', '.join(named)}.", param=f"{where}[{named[1]}]"
        )
    if given.get("price"):
        price = named_price(account, given["price"], f"{where}[price]")
    elif given.get("made_price"):  # one that was made for this: nothing else can use it
        price = account.find("price", given["made_price"], f"{where}[price]")
    elif given.get("plan"):
        price = named_price(account, given["plan"], "plan", what="plan")
    elif given.get("price_data"):
        data = given["price_data"]
        if not data.get("product"):
            raise missing_param(f"{where}[price_data][product]")
        product = account.find("product", data["product"], f"{where}[price_data][product]")
        check_price(account, data)
        price = add_made_price(account, data, product["id"])
    else:
        raise missing_param(f"{where}[price]")
    if price["type"] != "recurring":
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices with"
            " `type=recurring`.",
            param=f"{where}[price]",
        )
    return in_currency(account, price, currency, f"{where}[price]") if currency else price


def check_quantity(price: Object, quantity: int | None, where: str) -> None:
    """A quantity that the price can be sold in."""
    if quantity is None:
        return
    if quantity < 0:
        raise not_below(0, f"{where}[quantity]" if where else "quantity")
    if metered(price):
        raise invalid(
            "You cannot set the quantity of an item with a metered price: usage is reported instead.",
            param=f"{where}[quantity]" if where else "quantity",
        )


def check_together(prices: list[Object], param: str) -> None:
    """One currency, one interval, no price twice."""
    if not prices:
        raise invalid("A subscription must have at least one item.", param=param)
    if len(prices) > MAX_SUBSCRIPTION_ITEMS:
        raise invalid(f"A subscription takes at most {MAX_SUBSCRIPTION_ITEMS} items.", param=param)
    if len({price["currency"] for price in prices}) > 1:
        raise invalid("All prices on a subscription must use the same currency.", param=param)
    if len({(price["recurring"]["interval"], price["recurring"]["interval_count"]) for price in prices}) > 1:
        raise invalid(
            "Currently, all prices on a subscription must have the same `recurring.interval` and"
            " `recurring.interval_count`.",
            param=param,
        )
    seen: set[str] = set()
    for price in prices:
        if price["id"] in seen:
            raise invalid(
                f"Cannot add multiple subscription items with the same plan: {price['id']}", param=param
            )
        seen.add(price["id"])


def rates(account: Account, given: list[str] | None, param: str) -> list[Object]:
    """Tax rates by their ids, as they stand on an item."""
    return [
        events.snapshot(account.find("tax_rate", each, f"{param}[{place}]", what="tax rate"))
        for place, each in enumerate(given or ())
    ]


def threshold(price: Object, given: dict[str, Any] | None, where: str) -> Object | None:
    """The usage at which an item is billed."""
    if not given:
        return None
    if given["usage_gte"] < 1:
        raise not_below(1, f"{where}[billing_thresholds][usage_gte]")
    if not metered(price):
        raise invalid(
            "Only items with a metered price take a usage threshold.", param=f"{where}[billing_thresholds]"
        )
    return {"usage_gte": given["usage_gte"]}


def make(
    account: Account, subscription: str, customer: str, price: Object, given: dict[str, Any], where: str
) -> Object:
    """An item, stored."""
    check_quantity(price, given.get("quantity"), where)
    identifier = account.new_id("si", 14)
    item: Object = {
        "id": identifier,
        "object": "subscription_item",
        "billing_thresholds": threshold(price, given.get("billing_thresholds"), where),
        "created": account.now,
        "discounts": [],
        "metadata": merged_metadata({}, given.get("metadata")),
        "plan": plan_of(price),
        "price": events.snapshot(price),
        "quantity": given.get("quantity", 1),
        "subscription": subscription,
        "tax_rates": rates(account, given.get("tax_rates"), f"{where}[tax_rates]"),
    }
    if metered(price):
        del item["quantity"]
    item["discounts"] = _discounts(account, item, given, customer, where)
    return account.add("subscription_item", item)


def _discounts(account: Account, item: Object, given: dict[str, Any], customer: str, where: str) -> list[str]:
    return [
        discounts.new(
            account, each, param=f"{where}[discounts][{place}]", customer=customer,
            subscription=item["subscription"], subscription_item=item["id"],
            currency=item["price"]["currency"],
        )["id"]
        for place, each in enumerate(given.get("discounts") or ())
    ]  # fmt: skip


def change(
    account: Account, item: Object, price: Object, given: dict[str, Any], customer: str, where: str
) -> Object:
    """The item as it will be; a copy, which the caller stores."""
    changed = events.snapshot(item)
    if price["id"] != item["price"]["id"]:
        changed.update(price=events.snapshot(price), plan=plan_of(price))
        if metered(price):
            changed.pop("quantity", None)
        else:
            changed["quantity"] = given.get("quantity", item.get("quantity", 1))
    if given.get("quantity") is not None:
        check_quantity(price, given["quantity"], where)
        changed["quantity"] = given["quantity"]
    if "billing_thresholds" in given:
        changed["billing_thresholds"] = threshold(price, given["billing_thresholds"], where)
    elif item["billing_thresholds"] and not metered(price):
        changed["billing_thresholds"] = None
    if "metadata" in given:
        changed["metadata"] = merged_metadata(item["metadata"], given["metadata"])
    if "tax_rates" in given:
        changed["tax_rates"] = rates(account, given["tax_rates"], f"{where}[tax_rates]")
    if "discounts" in given:
        changed["discounts"] = _discounts(account, changed, given, customer, where)
    return changed


def put(subscription: Object, made: list[Object]) -> None:
    """Set the items; a subscription of one shows its plan and quantity itself."""
    subscription["items"] = inline(made, f"/v1/subscription_items?subscription={subscription['id']}")
    single = made[0] if len(made) == 1 else None
    subscription["plan"] = single["plan"] if single else None
    subscription["quantity"] = single.get("quantity") if single else None


def interval(subscription: Object) -> tuple[str, int]:
    """Interval and count of the subscription's prices."""
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]
