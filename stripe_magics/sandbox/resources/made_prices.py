"""Prices that were made for one offer (`price_data` of a session's or a quote's line): they aren't active,
and serve for what comes of that offer alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stripe_magics.sandbox.core.store import Account, Object


def named_by(line: Object) -> str:
    """How an item of a subscription names a line's price."""
    return "made_price" if line["price"]["recurring"] and not line["price"]["active"] else "price"


@contextmanager
def usable(account: Account, lines: list[Object]) -> Iterator[None]:
    """Meanwhile, the lines' own one-time prices can be used. A refusal undoes the whole call."""
    own = [
        line["price"]["id"]
        for line in lines
        if not line["price"]["active"] and not line["price"]["recurring"]
    ]
    _activate(account, own, active=True)
    yield
    _activate(account, own, active=False)


def _activate(account: Account, prices: list[str], *, active: bool) -> None:
    for each in prices:
        price = account.find("price", each, "line_items")
        price["active"] = active
        account.save("price", price)
