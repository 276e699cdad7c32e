"""What an update does to the items of a subscription, worked out before anything is changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.subscriptions import items


@dataclass(slots=True)
class ItemChanges:
    """The items as they will be, and what each was and becomes where its cost changes."""

    after: list[Object] = field(default_factory=list)
    changed: list[tuple[Object | None, Object | None]] = field(default_factory=list)
    removed: list[Object] = field(default_factory=list)
    added: list[Object] = field(default_factory=list)


def work_out(account: Account, subscription: Object, given: list[dict[str, Any]]) -> ItemChanges:
    """The changes that `items` asks for; refuses what can't be."""
    found = ItemChanges()
    present: dict[str, Object] = {item["id"]: item for item in subscription["items"]["data"]}
    after = dict(present)
    touched: set[str] = set()
    for place, each in enumerate(given):
        where = f"items[{place}]"
        identifier = each.get("id")
        if not identifier:
            if each.get("deleted"):
                raise invalid("deleted needs the id of the item.", param=f"{where}[id]")
            price = items.price_of(account, each, where, subscription["currency"])
            made = items.make(account, subscription["id"], subscription["customer"], price, each, where)
            after[made["id"]] = made
            found.added.append(made)
            continue
        if identifier not in present:
            raise invalid(
                f"No such subscription item: '{identifier}'", param=f"{where}[id]", code="resource_missing"
            )
        if identifier in touched:
            raise invalid(f"The item {identifier} is given twice.", param=f"{where}[id]")
        touched.add(identifier)
        item = present[identifier]
        if each.get("deleted"):
            if (
                items.metered(item["price"])
                and not each.get("clear_usage")
                and not item["price"]["recurring"]["meter"]
            ):
                raise invalid(
                    "Subscription item cannot be deleted because it has usage. Pass clear_usage=true to"
                    " remove it with its usage.",
                    param=f"{where}[clear_usage]",
                )
            del after[identifier]
            found.removed.append(item)
            continue
        names = {"price", "plan", "price_data"} & set(each)
        price = items.price_of(account, each, where, subscription["currency"]) if names else item["price"]
        after[identifier] = items.change(account, item, price, each, subscription["customer"], where)
    found.after = list(after.values())
    items.check_together([item["price"] for item in found.after], "items")
    _compare(present, after, found)
    return found


def _compare(present: dict[str, Object], after: dict[str, Object], found: ItemChanges) -> None:
    for identifier in {**present, **after}:
        old, new = present.get(identifier), after.get(identifier)
        if old is None or new is None or _cost(old) != _cost(new):
            found.changed.append((old, new))


def _cost(item: Object) -> tuple[str, int | None]:
    return item["price"]["id"], item.get("quantity")


def store(account: Account, subscription: Object, changes: ItemChanges) -> None:
    """Carry the changes out."""
    for item in changes.removed:
        account.remove("subscription_item", item["id"])
    for item in changes.after:
        account.save("subscription_item", item)
    items.put(subscription, changes.after)
