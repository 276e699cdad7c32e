"""A mirror of lists in a folder of Parquet files or one DuckDB file, brought up to date by what changed.

- The first time a list is pulled whole (resumable). Afterwards: what was created since, by `created`, and what `/v1/events` says was
  changed or deleted, read again by its id. Lists without events that never change (balance transactions, events) need only the first.
- Older than events reach (30 days), or without events and changeable: pulled whole again.
- Each list is replaced at once: a reader sees the old one or the new one. `_state.json` says how far each one is.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from stripe_magics.errors import NotFound, UsageFault
from stripe_magics.pulls.asking import list_request, progress_bar, resource, words
from stripe_magics.pulls.saving import STATE, save
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.connection import Connection

OVERLAP = 600  # seconds before the last time that are read again: objects show some seconds after their `created`
EVENTS_REACH = 29 * 86400  # seconds; Stripe keeps events for 30 days
FIXED = frozenset(
    {"balance_transaction", "event", "review", "setup_attempt", "file"}
)  # never changed after their creation, or hardly
WATCHED: dict[str, str] = {
    "account": "account.*", "application_fee": "application_fee.*", "charge": "charge.*", "checkout.session": "checkout.session.*",
    "coupon": "coupon.*", "credit_note": "credit_note.*", "customer": "customer.*", "dispute": "charge.dispute.*",
    "invoice": "invoice.*", "invoiceitem": "invoiceitem.*", "payment_intent": "payment_intent.*", "payout": "payout.*", "plan": "plan.*",
    "price": "price.*", "product": "product.*", "promotion_code": "promotion_code.*", "quote": "quote.*", "setup_intent": "setup_intent.*",
    "subscription": "customer.subscription.*", "subscription_schedule": "subscription_schedule.*", "tax_rate": "tax_rate.*",
    "topup": "topup.*", "transfer": "transfer.*", "payment_link": "payment_link.*",
}  # fmt: skip
"""Objects whose changes and deletions all come as events, and the events' types."""

_last: list[str] = []  # the mirror that was named last


def sync(
    target: str | Path = "", *names: str, status: bool = False, connection: Connection | None = None, quiet: bool = False
) -> pd.DataFrame:
    """Bring a mirror up to date: `sync("folder", "customers", "payment_intents")`, or a file `stripe.duckdb`.

    Without names, all lists that the mirror has. A frame says for each list how it was brought up to date and how many rows it has now.
    `status` only looks. Raises `UsageFault`, or a `StripeError`; what was done by then stays, and the next run goes on from there.
    """
    import pandas as pd

    from stripe_magics.client.connection import current

    place = _place(target)
    state = _state(place)
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
            told.append({"list": name, **_bring(place, name, request, connection, before, who, bar)})
    frame = pd.DataFrame(told)
    frame.attrs["stripe"] = {"object": "sync", "complete": bool(frame["complete"].all()), "target": str(place)}
    return frame


def sql(query: str, *, target: str | Path = "") -> pd.DataFrame:
    """A query over the mirror (the one named last, unless `target` names one): its tables are the lists' names. Read only."""
    duckdb = _duckdb()
    place = _place(target)
    if _is_file(place):
        db = duckdb.connect(str(place), read_only=True)
    else:
        db = duckdb.connect()
        for name in _state(place):
            pattern = str(place / name / "*.parquet").replace("'", "''")
            db.execute(f"create view \"{name}\" as select * from read_parquet('{pattern}', union_by_name=true)")  # noqa: S608 - our own folder
    try:
        db.execute("set timezone='UTC'")
        rows = db.sql(query)
        if rows is None:
            raise UsageFault("That gives no rows; sql is for queries: select ...")
        frame = _frame(rows.to_arrow_table())
    except duckdb.CatalogException as fault:
        words = str(fault).splitlines()[0].removeprefix("Catalog Error: ")
        raise UsageFault(
            f"The query can't be run: {words}", advice=f"{place} has: {', '.join(_state(place)) or 'nothing yet'}."
        ) from None
    except duckdb.Error as fault:
        raise UsageFault(f"The query can't be run: {fault}") from None
    finally:
        db.close()
    frame.attrs["stripe"] = {"object": "sql", "target": str(place)}
    return frame


def _frame(table: Any) -> pd.DataFrame:
    """The dtypes that frames have: whole sums stay whole numbers, times are in UTC, text is text."""
    import pandas as pd
    import pyarrow as pa

    from stripe_magics.frames.columns import finish

    def column(array: Any) -> Any:
        kind = array.type
        if pa.types.is_decimal(kind) and kind.scale == 0:
            array = array.cast(pa.int64())
        elif pa.types.is_timestamp(kind) and kind.tz:
            array = array.cast(pa.timestamp("us", tz="UTC"))
        elif pa.types.is_string(kind) or pa.types.is_dictionary(kind):
            array = array.cast(pa.large_string())
        kinds = {"large_string": "text", "bool": "bool", "double": "number", "timestamp[us, tz=UTC]": "time"}
        own = "int" if pa.types.is_integer(array.type) else kinds.get(str(array.type))
        if own == "int":
            array = array.cast(pa.int64())
        chunk = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
        return finish(own, chunk) if own else array.to_pandas().array

    return pd.DataFrame({name: column(table.column(name)) for name in table.column_names})


# Bringing one list up to date ----------------------------------------------------------------------------------------------------


def _bring(
    place: Path, name: str, request: Request, connection: Connection, before: dict[str, Any] | None, who: str, bar: Any
) -> dict[str, Any]:
    began = _now(connection)
    fresh = before is not None and before.get("synced") and (began - before["synced"] < EVENTS_REACH or request.returns in FIXED)
    if before is None or not fresh or not (request.returns in WATCHED or request.returns in FIXED):
        return _whole(place, name, request, connection, who, began, bar)
    return _changes(place, name, request, connection, before, who, began, bar)


def _now(connection: Connection) -> int:
    """The time at Stripe: ours without what our clock is off; the sandbox has its own."""
    if connection.sandbox is not None:
        return int(connection.sandbox.now)
    return int(connection.now() - (connection.notices.skew or 0))


def _whole(place: Path, name: str, request: Request, connection: Connection, who: str, began: int, bar: Any) -> dict[str, Any]:
    """Pull it whole into a folder beside, then put that in its place. A pull that was stopped is gone on with."""
    staging = _home(place) / f".{name}.pull"
    since = staging / "began"
    staging.mkdir(parents=True, exist_ok=True)
    if since.exists():
        began = min(began, int(since.read_text()))
    saved_in = staging / "parts"
    since.write_text(str(began))
    saved = save(connection, request, saved_in, progress=bar)
    if not saved["complete"]:
        return {"how": "whole", "rows": saved["rows"], "changed": saved["rows"], "deleted": 0, "complete": False}
    _put(
        place,
        name,
        sorted(saved_in.glob("*.parquet")),
        {"synced": began, "account": who, "rows": saved["rows"], "object": saved["object"]},
    )
    shutil.rmtree(staging)
    return {"how": "whole", "rows": saved["rows"], "changed": saved["rows"], "deleted": 0, "complete": True}


def _changes(
    place: Path, name: str, request: Request, connection: Connection, before: dict[str, Any], who: str, began: int, bar: Any
) -> dict[str, Any]:
    """What was created since, and what events say was changed or deleted."""
    from stripe_magics.frames import Builder

    low = before["synced"] - OVERLAP
    kind = request.returns
    builder = Builder(kind)
    new: set[str] = set()
    for body, ids in _rows(connection, replace(request, params=(*request.params, ("created[gte]", str(low))))):
        builder.add(body)
        new.update(ids)
        bar(builder.rows)
    changed, deleted = _events(connection, kind, low) if kind in WATCHED else (set(), set())
    bodies, gone = _again(connection, request, sorted(changed - new - deleted))
    for body in bodies:
        builder.add(body)
        bar(builder.rows)
    deleted |= gone
    rows = _merge(place, name, builder, (new | changed) - deleted, deleted, {"synced": began, "account": who, "object": kind})
    return {"how": "changes", "rows": rows, "changed": len((new | changed) - deleted), "deleted": len(deleted), "complete": True}


def _rows(connection: Connection, request: Request) -> Iterable[tuple[bytes, list[str]]]:
    from stripe_magics.client.listing import pages
    from stripe_magics.client.rawpages import ids

    for answer in pages(connection, request):
        found = ids(answer.body)
        if found:
            yield answer.body, found


def _events(connection: Connection, kind: str, since: int) -> tuple[set[str], set[str]]:
    """The ids of objects that changed, and of those that were deleted, by the newest event of each."""
    import msgspec

    from stripe_magics.client.listing import pages

    wanted = list_request(connection, "events")
    wanted = replace(wanted, params=(("type", WATCHED[kind]), ("created[gte]", str(since))))
    newest: dict[str, tuple[int, bool]] = {}
    for answer in pages(connection, wanted):
        for event in msgspec.json.decode(answer.body)["data"]:
            thing = (event.get("data") or {}).get("object") or {}
            if thing.get("object") != kind or not thing.get("id"):
                continue
            at = int(event.get("created") or 0)
            removed = (
                str(event.get("type", "")).endswith(".deleted") and kind != "subscription"
            )  # a deleted subscription is a canceled one
            if thing["id"] not in newest or at > newest[thing["id"]][0] or (at == newest[thing["id"]][0] and removed):
                newest[thing["id"]] = (at, removed)
    return {key for key, (_, gone) in newest.items() if not gone}, {key for key, (_, gone) in newest.items() if gone}


def _again(connection: Connection, request: Request, ids: Sequence[str]) -> tuple[list[bytes], set[str]]:
    """The objects as they are now, read one by one in the connection's own version (an event's copy may be of another); those that are gone."""
    from concurrent.futures import ThreadPoolExecutor

    from stripe_magics.client.rates import limiter_for

    limiter_for(connection)

    def read(key: str) -> bytes | None:
        path = f"{request.path}/{quote(key, safe='')}"
        single = Request(module=request.module, method="GET", path=path, headers=request.headers, returns=request.returns)
        try:
            body = connection.send(single).body
        except NotFound:
            return None
        return None if b'"deleted"' in body and json.loads(body).get("deleted") is True else body

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(read, ids))
    return [body for body in answers if body is not None], {key for key, body in zip(ids, answers, strict=True) if body is None}


# Keeping it ----------------------------------------------------------------------------------------------------------------------


def _merge(place: Path, name: str, builder: Any, fresh: set[str], deleted: set[str], facts: dict[str, Any]) -> int:
    """The list without what changed or went, and with what is new: files that hold none of it stay as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from stripe_magics.frames.parquet import plain_table, write

    out = pa.array(sorted(fresh | deleted), pa.string())
    home = _home(place) / f".{name}.merge"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    files: list[Path] = []
    rows = 0
    for path in _parts(place, name, home):
        hit = pc.is_in(pq.read_table(path, columns=["id"]).column("id"), value_set=out)
        if pc.any(hit).as_py():
            table = pq.read_table(path, partitioning=None)
            kept = table.filter(pc.invert(hit))
            path = home / f"kept-{len(files):05}.parquet"  # noqa: PLW2901
            write(path, kept)
        rows += pq.read_metadata(path).num_rows
        files.append(path)
    tables = builder.tables()
    if tables:
        path = home / f"new-{uuid.uuid4().hex}.parquet"
        table = plain_table(tables, builder.object_type)
        ids = table.column("id").to_pylist()
        places = sorted({key: place for place, key in enumerate(ids)}.values())  # the last reading of an object counts
        table = table.take(places) if len(places) < len(ids) else table
        write(path, table)
        rows += table.num_rows
        files.append(path)
    _put(place, name, files, {**facts, "rows": rows})
    shutil.rmtree(home)
    return rows


def _put(place: Path, name: str, files: Sequence[Path], facts: dict[str, Any]) -> None:
    """Put these files in the place of the list, at once."""
    if _is_file(place):
        db = _duckdb().connect(str(place))
        try:
            db.execute("begin")
            names = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
            if files:
                db.execute(f'create or replace table "{name}" as select * from read_parquet([{names}], union_by_name=true)')  # noqa: S608
            db.execute("create table if not exists _stripe_sync (list varchar primary key, state varchar)")
            db.execute("insert or replace into _stripe_sync values (?, ?)", [name, json.dumps(facts)])
            db.execute("commit")
        finally:
            db.close()
        return
    ready = place / f".{name}.new-{uuid.uuid4().hex}"
    ready.mkdir(parents=True)
    for number, path in enumerate(files):
        try:
            os.link(path, ready / f"part-{number:05}.parquet")
        except OSError:  # a file system without links
            shutil.copy2(path, ready / f"part-{number:05}.parquet")
    (ready / STATE).write_text(json.dumps(facts))
    old, final = place / f".{name}.old-{uuid.uuid4().hex}", place / name
    if final.exists():
        final.rename(old)
    ready.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def _parts(place: Path, name: str, home: Path) -> list[Path]:
    """The files that the list has now; out of a DuckDB file they are written first."""
    if not _is_file(place):
        return sorted((place / name).glob("*.parquet"))
    import pyarrow.parquet as pq

    db = _duckdb().connect(str(place), read_only=True)
    try:
        db.execute("set timezone='UTC'")
        path = home / "table.parquet"
        pq.write_table(db.sql(f'select * from "{name}"').to_arrow_table(), path)  # noqa: S608 - a list's name
        return [path]
    finally:
        db.close()


def _place(target: str | Path) -> Path:
    if str(target):
        _last[:] = [str(target)]
    if not _last:
        raise UsageFault(
            "Which mirror? `%stripe sync FOLDER customers ...` makes one; --target names one (a folder or .duckdb file)."
        )
    return Path(_last[0])


def _is_file(place: Path) -> bool:
    return place.suffix == ".duckdb"


def _home(place: Path) -> Path:
    """Where files are kept while they are made: beside a DuckDB file, inside a folder."""
    return place.with_name(f".{place.name}.sync") if _is_file(place) else place


def _state(place: Path) -> dict[str, dict[str, Any]]:
    """What the mirror has, by list."""
    if _is_file(place):
        if not place.exists():
            return {}
        db = _duckdb().connect(str(place), read_only=True)
        try:
            return {
                name: json.loads(text)
                for name, text in db.execute("select list, state from _stripe_sync order by list").fetchall()
            }
        finally:
            db.close()
    _recover(place)
    return {
        path.parent.name: json.loads(path.read_text())
        for path in sorted(place.glob(f"*/{STATE}"))
        if not path.parent.name.startswith(".")
    }


def _recover(place: Path) -> None:
    """A kill between the two renames leaves the old list aside: put it back; remove what else is left over."""
    for old in place.glob(".*.old-*"):
        final = place / old.name[1:].rpartition(".old-")[0]
        if final.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(final)
    for rest in place.glob(".*.new-*"):
        shutil.rmtree(rest, ignore_errors=True)


def _status(place: Path, state: dict[str, dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    from stripe_magics.client.connection import shared

    connection = shared()
    now = _now(connection) if connection is not None else time.time()
    home = _home(place)
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


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        raise UsageFault("This needs DuckDB.", advice="pip install 'stripe_magics[duckdb]'") from None
    return duckdb


__all__ = ["sql", "sync", "words"]
