"""A mirror of lists in a folder of Parquet files or one DuckDB file, brought up to date by what changed.

- The first time a list is pulled whole (resumable). Afterwards: what was created since, by `created`, and what events say was changed or
  deleted (`refresh`). Lists that never change (balance transactions, but for those that become available; events) need only the first.
- Older than events reach (30 days), or without events and changeable: pulled whole again; a list that doesn't take `created` in many places
  at once, between ids that are kept from the last time. Where so much changed that reading it again would cost more than a pull: whole, too.
- Each list is replaced at once (`storage`).
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics.bulk import incremental_refresh, mirror_storage
from stripe_magics.bulk.list_requests import list_request, resource
from stripe_magics.bulk.parquet_export import save
from stripe_magics.client.pagination.parallel_paginator import takes_created
from stripe_magics.client.pagination.raw_pages import PAGE, ids
from stripe_magics.errors import UsageFault
from stripe_magics.progress import progress_bar
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection

OVERLAP = 600  # seconds before the last time that are read again: objects and events show some seconds after their `created`
EVENTS_REACH = 29 * 86400  # seconds; Stripe keeps events for 30 days
FIXED = frozenset(
    {"balance_transaction", "event", "setup_attempt", "file"}
)  # never changed after their creation, or hardly


def sync(
    target: str | Path = "",
    *names: str,
    status: bool = False,
    whole: bool = False,
    connection: Connection | None = None,
    quiet: bool = False,
) -> pd.DataFrame:
    """Bring a mirror up to date: `sync("folder", "customers", "payment_intents")`, or a file `stripe.duckdb`.

    Without names, all lists that the mirror has. A frame says for each list how it was brought up to date and how many rows it has now.
    `status` only looks; `whole` pulls everything again, which also shows the few changes that Stripe tells no one (a payment intent's new
    description). Raises `UsageFault`, or a `StripeError`; what was done by then stays, and the next run goes on from there.
    """
    import pandas as pd

    from stripe_magics.client.shared_connection import current

    place = mirror_storage.place_of(target)
    state = mirror_storage.state_of(place)
    if status:
        return _status(place, state)
    chosen = [resource(each) for each in names] or list(state)
    if not chosen:
        raise UsageFault("Which lists? sync FOLDER customers payment_intents ...")
    connection = connection or current()
    requests = {name: list_request(connection, name) for name in chosen}
    who = f"{connection.mode} {connection.account_object().get('id', '')} {connection.account}".strip()
    told = []
    for name, request in requests.items():
        before = state.get(name)
        if before is not None and before.get("account") != who:
            raise UsageFault(
                f"{place} mirrors another account or mode ({before.get('account')}); this connection is {who}. Nothing was changed."
            )
        with progress_bar(f"sync {name}", quiet=quiet) as bar:
            each = _List(place, name, request, connection, before, who, bar)
            told.append({"list": name, **(each.changes() if each.fresh() and not whole else each.whole())})
    notes = [f"{each['list']}: {note}" for each in told if (note := each.pop("note", ""))]
    frame = pd.DataFrame(told)
    frame.attrs["stripe"] = {
        "object": "sync",
        "complete": bool(frame["complete"].all()),
        "target": str(place),
    }
    if notes:
        frame.attrs["stripe"]["notes"] = notes
    return frame


class _List:
    """One list that is brought up to date."""

    def __init__(
        self,
        place: Path,
        name: str,
        request: Request,
        connection: Connection,
        before: dict[str, Any] | None,
        who: str,
        bar: Any,
    ) -> None:
        self.place, self.name, self.request, self.connection, self.bar = place, name, request, connection, bar
        self.before = before or {}
        self.began = _now(connection)
        self.facts = {"account": who, "object": request.returns, "cuts": self.before.get("cuts", [])}

    def fresh(self) -> bool:
        """Whether the mirror is so new, and the list such, that its changes are enough."""
        kind, synced = self.request.returns, self.before.get("synced")
        return synced is not None and (
            kind in FIXED or (kind in incremental_refresh.WATCHED and self.began - synced < EVENTS_REACH)
        )

    def whole(self) -> dict[str, Any]:
        """Pull it whole into a folder beside, then put that in its place. A pull that was stopped is gone on with."""
        staging = mirror_storage.work_dir(self.place) / f".{self.name}.pull"
        since, parts, who = staging / "began", staging / "parts", self.facts["account"]
        began, _, whose = since.read_text().partition(" ") if since.exists() else (str(self.began), "", who)
        if whose != who:  # begun with another connection: not a row of it may come in
            shutil.rmtree(staging)
            began = str(self.began)
        staging.mkdir(parents=True, exist_ok=True)
        since.write_text(f"{began} {who}")
        saved = save(self.connection, self.request, parts, progress=self.bar, cuts=self.facts["cuts"])
        told = {
            "how": "whole",
            "rows": saved["rows"],
            "changed": saved["rows"],
            "deleted": 0,
            "complete": saved["complete"],
            "note": saved["note"],
        }
        if saved["complete"]:
            facts = {
                **self.facts,
                "synced": int(began),
                "rows": saved["rows"],
                "object": saved["object"],
                "cuts": saved["cuts"],
            }
            mirror_storage.put(
                self.place,
                self.name,
                sorted(parts.glob("*.parquet")) or [mirror_storage.nothing(parts, self.request.returns)],
                facts,
            )
            shutil.rmtree(staging)
        return told

    def changes(self) -> dict[str, Any]:
        """What was created since, and what events say was changed or deleted.

        Events are read first. What is read afterwards, of the list and by id, is as new as they are or newer, so it always counts more than
        an event's copy; and what changes while this goes on has an event after `began`, where the next time begins (less an overlap).
        """
        import stripe_magics.accessor  # noqa: F401 - registers df.stripe
        from stripe_magics.frames import Builder

        kind, low = self.request.returns, self.before["synced"] - OVERLAP
        told = (
            incremental_refresh.told(self.connection, self.request, low)
            if kind in incremental_refresh.WATCHED
            else {}
        )
        builder, found = Builder(kind), set[str]()

        def take(body: bytes, keys: list[str]) -> None:
            builder.add(body)
            found.update(keys)
            self.bar(builder.rows)

        if takes_created(self.request.path):  # otherwise their creation is an event, too
            for body in incremental_refresh.recent(self.connection, self.request, low):
                take(body, ids(body))
        there = {key: change for key, change in told.items() if not change.gone and key not in found}
        again = [key for key, change in there.items() if change.copy is None]
        again += [key for key in self._settled() if key not in found]
        made = incremental_refresh.plan(self.place, self.name, self.request, again)
        if made.requests > self.before.get("rows", 0) / PAGE + 1:
            return self.whole()
        changed = {*found, *there, *again}
        copies = [(key, change.copy) for key, change in there.items() if change.copy is not None]
        for some in (copies[at : at + PAGE] for at in range(0, len(copies), PAGE)):
            take(incremental_refresh.page_of([copy for _, copy in some]), [key for key, _ in some])
        deleted = {key for key, change in told.items() if change.gone}
        deleted |= incremental_refresh.read_again(self.connection, self.request, made, take)
        deleted -= found
        rows = mirror_storage.merge(
            self.place, self.name, builder, found, deleted, {**self.facts, "synced": self.began}
        )
        return {
            "how": "changes",
            "rows": rows,
            "changed": len(changed - deleted),
            "deleted": len(deleted),
            "complete": True,
        }

    def _settled(self) -> list[str]:
        """Objects that were pending and must have been settled by now."""
        import pyarrow as pa
        import pyarrow.compute as pc

        by = incremental_refresh.SETTLED.get(self.request.returns)
        if by is None:
            return []
        due: list[str] = []
        now = pa.scalar(self.began * 1_000_000, pa.timestamp("us", "UTC"))
        for table in mirror_storage.columns(self.place, self.name, ("id", "status", by)):
            pending = pc.equal(table.column("status").cast(pa.string()), "pending")
            passed = pc.less_equal(table.column(by).cast(pa.timestamp("us", "UTC")), now)
            due += table.column("id").filter(pc.and_(pending, passed)).to_pylist()
        return due


def _now(connection: Connection) -> int:
    """The time at Stripe: ours without what our clock is off; the sandbox has its own."""
    if connection.sandbox is not None:
        return int(connection.sandbox.now)
    return int(connection.now() - (connection.notices.skew or 0))


def _status(place: Path, state: dict[str, dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    from stripe_magics.client.shared_connection import shared

    connection = shared()
    now = _now(connection) if connection is not None else time.time()
    home = mirror_storage.work_dir(place)
    begun = {path.name[1:].removesuffix(".pull") for path in home.glob(".*.pull")} if home.exists() else set()
    rows = [
        {
            "list": name,
            "rows": state.get(name, {}).get("rows", 0),
            "synced": pd.Timestamp(state[name]["synced"], unit="s", tz="UTC") if name in state else pd.NaT,
            "age_hours": round((now - state[name]["synced"]) / 3600, 1) if name in state else float("nan"),
            "account": state.get(name, {}).get("account", ""),
            "unfinished": name in begun,
        }
        for name in sorted({*state, *begun})
    ]
    frame = pd.DataFrame(rows, columns=["list", "rows", "synced", "age_hours", "account", "unfinished"])
    frame.attrs["stripe"] = {"object": "sync", "target": str(place), "complete": not begun}
    return frame
