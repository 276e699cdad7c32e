"""One event for each change: a snapshot of the object at that moment and, on updates, what the changed values
were before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.sandbox.core.clock import DAY

if TYPE_CHECKING:
    from stripe_magics.sandbox.core.store import Account

KEPT = 30 * DAY
"""How long events are listed."""

Reaction = Callable[["Account", dict[str, Any]], None]
_REACTIONS: dict[str, list[Reaction]] = {}


def react(kind: str, reaction: Reaction) -> None:
    """Have something done after each event of a type, with the account and the object that changed."""
    if reaction not in _REACTIONS.setdefault(kind, []):
        _REACTIONS[kind].append(reaction)


def emit(account: Account, kind: str, subject: dict[str, Any], before: dict[str, Any] | None = None) -> None:
    """Note a change. `before` is the object as it was: events of updates keep what differs from it,
    and an update that changed nothing is none."""
    identifier, key = account.family.request
    data: dict[str, Any] = {"object": subject}
    if before is not None and kind.endswith(".updated"):
        former = changed(before, subject)
        if not former:
            return
        data["previous_attributes"] = former
    of = {} if account.platform is None else {"account": account.profile["id"]}
    account.insert_later(
        "event",
        "evt",
        {
            "id": "",
            "object": "event",
            **of,
            "api_version": PINNED_VERSION,
            "created": account.own_clock.now,
            "data": msgspec.Raw(msgspec.json.encode(data)),
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": identifier, "idempotency_key": key},
            "type": kind,
        },
    )
    for reaction in _REACTIONS.get(kind, ()):
        reaction(account, subject)


def snapshot(subject: dict[str, Any]) -> dict[str, Any]:
    """The object as it is now, to compare with later."""
    copied: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(subject))
    return copied


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Former values of what differs; inside an object only the parts that do. What is new stands as None."""
    found: dict[str, Any] = {}
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and old.get("object") != "list":
            found[name] = changed(old, new)
        else:
            found[name] = old
    return found


def forget(account: Account) -> None:
    """Drop what is too old to be listed."""
    table = account.table("event")
    oldest = account.own_clock.now - KEPT
    rows = table.ordered()
    gone = 0
    while gone < len(rows) and rows[gone].created < oldest:
        del table.by_id[rows[gone].id]
        gone += 1
    del rows[:gone]
