"""A mirror of lists in a folder of Parquet files, brought up to date by what changed.

- The first time a list is pulled whole (resumable). Afterwards: what was created since, by `created`, and
  what events say was changed or deleted (`incremental_refresh`). Lists that never change (balance
  transactions, but for those that become available; events) need only the first.
- Older than events reach (30 days), or without events and changeable: pulled whole again; a list that doesn't
  take `created` in many parts at once, between ids that are kept from the last time. Where so much changed
  that reading it again would cost more than a pull: whole, too.
- Files are compared with the manifest every time; what is missing or damaged is read again before anything is
  called complete.
- One process changes a mirror at a time.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics import _files
from stripe_magics.bulk import incremental_refresh, mirror_status
from stripe_magics.bulk.inner_lists import InnerLists
from stripe_magics.bulk.list_requests import describe, flat_names, list_request, resource, version_of
from stripe_magics.bulk.mirror_location import mirror_folder, mirror_lock, remember_mirror
from stripe_magics.bulk.mirror_storage import ListFolder, mend_old_renames, mirrored_lists
from stripe_magics.bulk.parquet_export import save
from stripe_magics.bulk.saved_cursor import request_digest
from stripe_magics.bulk.sql_query import export_duckdb
from stripe_magics.client.pagination.parallel_paginator import takes_created
from stripe_magics.client.pagination.raw_pages import PAGE, ids
from stripe_magics.errors import UsageFault
from stripe_magics.frames import Builder
from stripe_magics.frames import manifest as manifests
from stripe_magics.frames.manifest_check import FileProblem
from stripe_magics.progress import Progress, progress_bar
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from stripe_magics.client.shared_connection import Connection

# seconds before the last time that are read again: objects and events show some seconds after their `created`
OVERLAP = 600
# events of so long before are looked at again if the last time is long ago, an eighth of that at most: some
# show up much later than they happened
LATE_EVENTS = 3 * 3600
EVENTS_REACH = 29 * 86400  # seconds; Stripe keeps events for 30 days
MAX_REPAIRED_SHARE = 0.3  # of the rows: where more are missing, the list is pulled whole
# not changed after their creation, or hardly
UNCHANGING = frozenset({"balance_transaction", "event", "setup_attempt", "file"})


def sync(  # noqa: PLR0913 - options by keyword
    target: str | Path = "",
    *names: str,
    status: bool = False,
    whole: bool = False,
    verify: bool = False,
    repair: bool = False,
    compact: bool = False,
    export: str | Path = "",
    connection: Connection | None = None,
    quiet: bool = False,
) -> pd.DataFrame:
    """Bring a mirror up to date: `sync("folder", "customers", "payment_intents")`.

    Without a target, the mirror that this connection named last; without names, all lists that it has. A
    frame says for each list how it was brought up to date and
    how many rows it has now.
    `status` only looks; `verify` reads every byte of every file and names what isn't as it was written;
    `repair` does that and reads again what is missing; `whole` pulls everything again, which also shows the
    few changes that Stripe tells no one (a payment intent's new description). `compact` works changes that
    lie beside a large list's files into these, and writes all with the same columns: for pandas, Spark and
    others, which read the files alone. `export` writes the mirror as a DuckDB file afterwards.
    Raises `FileError` (another process has the mirror, a full disk ...), `UsageFault`, or a `StripeError`;
    what was done by then stays, and the next run goes on from there.
    """
    import pandas as pd

    from stripe_magics.client.shared_connection import current, shared

    connection = connection or shared()
    mirror = mirror_folder(target, connection)
    if status or (verify and not repair):
        if whole or compact or repair or str(export):
            raise UsageFault(
                "--status and --verify only look, and --whole, --repair, --compact and --export change"
                " something. Nothing was read."
            )
        remember_mirror(mirror, connection)
        only = [resource(each) for each in flat_names(names)]
        return mirror_status.status(mirror, connection, only, content=verify)
    with mirror_lock(mirror):
        mend_old_renames(mirror)
        lists = mirrored_lists(mirror)
        mirrored = [name for name, each in lists.items() if each.details.get("account")]
        chosen = [resource(each) for each in flat_names(names)] or mirrored
        if not chosen:
            raise UsageFault("Which lists? sync FOLDER customers payment_intents ...")
        connection = connection or current()
        requests = {name: list_request(connection, name) for name in chosen}
        account = (
            f"{connection.mode} {connection.account_object().get('id', '')} {connection.account}".strip()
        )
        _check_account(mirror, lists, set(requests), account)  # before anything is changed
        remember_mirror(mirror, connection)
        rows = []
        for name, request in requests.items():
            with progress_bar(f"sync {name}", quiet=quiet) as bar:
                one = _ListSync(ListFolder(mirror / name), request, connection, account, bar)
                rows.append({"list": name, **one.run(whole=whole, content=repair, compact=compact)})
        notes = [f"{each['list']}: {note}" for each in rows for note in each.pop("notes", ())]
        if export:
            export_duckdb(mirror, Path(export))
            notes.append(f"The mirror was written to {export}.")
    frame = pd.DataFrame(rows)
    return describe(frame, "sync", complete=bool(frame["complete"].all()), notes=notes, target=str(mirror))


def _check_account(
    mirror: Path, lists: Mapping[str, ListFolder], requested: Container[str], account: str
) -> None:
    """Raises `UsageFault` if a folder of the mirror is another account's, also one that isn't asked for: a
    query would join its rows. A pull's folder may lie there, too, but not in a list's place."""
    for name, each in lists.items():
        owner = each.details.get("account")
        if owner is None and name in requested:
            raise UsageFault(
                f"{mirror / name} was written by a pull, not by sync. Nothing was changed.",
                advice="Give another folder for the mirror.",
            )
        if owner is not None and owner != account:
            raise UsageFault(
                f"{mirror} mirrors another account or mode ({owner}, {name}); this connection is {account}."
                " Nothing was changed.",
                advice="Give each account a folder of its own.",
            )


class _ListSync:
    """One list that is brought up to date. Each step gives its row of the frame: how, rows, changed, deleted,
    complete, notes."""

    def __init__(
        self, folder: ListFolder, request: Request, connection: Connection, account: str, progress: Progress
    ) -> None:
        self.list, self.request, self.connection = folder, request, connection
        self.account, self.progress = account, progress
        self.began = int(connection.stripe_time())
        self.inner = InnerLists(connection, request)
        self.version = version_of(request) or connection.api_version

    def run(self, *, whole: bool, content: bool, compact: bool) -> dict[str, Any]:
        """Mend what is missing, then read what changed; or read all."""
        problems = self.list.problems(content=content)
        holes = [each for each in problems if each.is_hole]
        notes = [
            f"{each.name}: {each.problem}"
            for each in problems
            if not each.is_hole and each.problem != "left over"
        ]
        if hole := self.list.details.get("hole"):
            notes.append(f"{hole}: the list was read again.")
        if holes:
            named = ", ".join(f"{each.name} ({each.problem})" for each in holes)
            notes.append(f"{named}: the rows were read again.")
        if self._is_ahead():
            notes.append(
                "The last sync is dated in the future (this machine's clock was wrong, then or now): the"
                " list was read again."
            )
        if (before := self.list.details.get("version") or self.version) != self.version:
            notes.append(
                f"Its rows were in API version {before}, and this connection reads {self.version}: the list"
                " was read again."
            )
        if whole or not self._is_recent() or not (not holes or self._repair(holes)):
            row = self._pull_whole()
        else:
            row = self._read_changes()
        if self.list.manifest is not None and not row["complete"] and row["how"] == "changes":
            row["notes"].append(
                f"{self.inner.cut:,} lists inside of objects are cut: their rest could not be read."
            )
        if compact:
            self.list.compact()
            self.list.write_alike()
        if self.list.changes_beside:
            row["notes"].append(
                f"{self.list.changes_beside:,} changed rows lie beside its files. sql and reports read them;"
                " for pandas, Spark and others, --compact works them in."
            )
        row["notes"] = [*notes, *row["notes"]]
        return row

    def _is_recent(self) -> bool:
        """Whether the mirror is so new, and the list such, that its changes are enough."""
        object_type, synced = self.request.returns, self.list.details.get("synced")
        return (
            synced is not None
            and not self._is_ahead()
            and self.list.details.get("version", self.version) == self.version  # or fields would be mixed
            and (self.list.details.get("params") or []) == self._filters()
            and (
                object_type in UNCHANGING
                or (object_type in incremental_refresh.WATCHED and self.began - synced < EVENTS_REACH)
            )
        )

    def _is_ahead(self) -> bool:
        """Whether the last time lies in the future: a clock was wrong, and nobody knows what has changed
        since."""
        return (self.list.details.get("synced") or 0) - self.began > OVERLAP

    def _filters(self) -> list[list[str]]:
        """What the list is asked for; rows that were read with other filters aren't all of it."""
        return [list(pair) for pair in self.request.params if pair[0] != "limit"]

    def _pull_whole(self) -> dict[str, Any]:
        """Pull it whole into a folder beside, then let that replace it. A pull that was stopped is
        continued."""
        staging = self.list.folder.with_name(f".{self.list.folder.name}.pull")
        since, parts = staging / "began", staging / "parts"
        whose_now = f"{self.account} {request_digest(self.request)}"
        if staging.exists() and (not since.exists() or (parts.exists() and manifests.load(parts) is None)):
            # its removal was stopped half way: what is left says nothing of when it was read
            shutil.rmtree(staging)
        began, _, whose = (
            since.read_text().partition(" ") if since.exists() else (str(self.began), "", whose_now)
        )
        if whose != whose_now or not began.isdigit():
            # begun with another connection, filter or version: not a row of it may come in
            shutil.rmtree(staging)
            began = str(self.began)
        staging.mkdir(parents=True, exist_ok=True)
        _files.write_atomically(since, f"{began} {whose_now}")
        cuts = self.list.details.get("cuts") or ()
        saved = save(self.connection, self.request, parts, progress=self.progress, cuts=cuts, typed=False)
        if saved["read_whole"]:
            details = {
                "account": self.account,
                "synced": int(began),
                "pulled": int(began),
                "version": self.version,
                "cuts": saved["cuts"],
                "params": self._filters(),
            }
            self.list.adopt(parts, saved["object"] or self.request.returns, details)
            shutil.rmtree(staging)
        return {
            "how": "whole", "rows": saved["rows"], "changed": saved["rows"], "deleted": 0,
            "complete": saved["complete"] and self._is_sound(), "notes": saved["notes"],
        }  # fmt: skip

    def _read_changes(self) -> dict[str, Any]:
        """What was created since, and what events say was changed or deleted.

        Events are read first. What is read afterwards, of the list and by id, is as new as they are or newer,
        so it always counts more than an event's copy; and what changes while this goes on has an event after
        `began`, where the next time begins (less an overlap).
        """
        object_type, low = self.request.returns, self.list.details["synced"] - OVERLAP
        changes = (
            incremental_refresh.changes_since(self.connection, self.request, self._oldest_event())
            if object_type in incremental_refresh.WATCHED
            else {}
        )
        rows = _ChangedRows(self.request, self.inner, self.progress)
        if takes_created(self.request):  # otherwise their creation is an event, too
            for body in incremental_refresh.recent(self.connection, self.request, low):
                rows.add(body, ids(body))
        there = {key: each for key, each in changes.items() if not each.gone and key not in rows.ids}
        again = [key for key, each in there.items() if each.copy is None]
        again += [key for key in self._due() if key not in rows.ids]
        plan = incremental_refresh.plan_reads(self.list, self.request, again)
        if plan.requests > self.list.rows / PAGE + 1:
            return self._pull_whole()
        changed = {*rows.ids, *there, *again}
        copies = [(key, each.copy) for key, each in there.items() if each.copy is not None]
        for some in (copies[at : at + PAGE] for at in range(0, len(copies), PAGE)):
            rows.add(incremental_refresh.page_of([copy for _, copy in some]), [key for key, _ in some])
        deleted = {key for key, each in changes.items() if each.gone}
        deleted |= incremental_refresh.read_again(self.connection, self.request, plan, rows.add)
        deleted -= rows.ids
        times = {"synced": self.began, "version": self.version}
        details = {**self.list.details, "account": self.account, **times}
        count = self.list.merge(rows.table(), deleted, details)
        return {
            "how": "changes", "rows": count, "changed": len(changed - deleted), "deleted": len(deleted),
            "complete": self._is_sound() and not self.inner.cut, "notes": [],
        }  # fmt: skip

    def _oldest_event(self) -> int:
        """From when on events count. Those from before a whole pull don't: what it read is newer."""
        details = self.list.details
        late = max(OVERLAP, min(LATE_EVENTS, (self.began - details["synced"]) // 8))
        return int(max(details["synced"] - late, (details.get("pulled") or 0) - OVERLAP))

    def _is_sound(self) -> bool:
        """Whether the files are as the manifest says."""
        manifest = self.list.manifest
        return (
            manifest is not None
            and manifest.complete
            and not any(each.is_hole for each in self.list.problems())
        )

    def _repair(self, holes: Sequence[FileProblem]) -> bool:
        """Read again the rows of files that are missing or damaged, by their times. False if only a whole
        pull can do it."""
        manifest = self.list.manifest
        assert manifest is not None
        names = {each.name for each in holes}
        holes = [each for each in holes if each.file is None or each.file.rows]
        files = [each.file for each in holes if each.file in manifest.files]
        spans = [(each.low, each.high) for each in files if each is not None and each.low is not None]
        rows = sum(each.rows for each in files if each is not None)
        if (
            len(spans) < len(holes)
            or rows > MAX_REPAIRED_SHARE * manifest.rows
            or not takes_created(self.request)
        ):
            return False
        from stripe_magics.client.pagination.paginator import pages

        again = _ChangedRows(self.request, self.inner, self.progress)
        for low, high in _united(spans):
            bounds = (("created[gte]", str(low)), ("created[lte]", str(high)))
            for answer in pages(
                self.connection, replace(self.request, params=(*self.request.params, *bounds))
            ):
                again.add(answer.body, ids(answer.body))
        self.list.drop_files(names)
        self.list.merge(again.table(), (), dict(self.list.details))
        return True

    def _due(self) -> list[str]:
        """Objects that were pending and whose time has come by now."""
        import pyarrow as pa
        import pyarrow.compute as pc

        by = incremental_refresh.SETTLED.get(self.request.returns)
        if by is None:
            return []
        due: list[str] = []
        now = pa.scalar(self.began * 1_000_000, pa.timestamp("us", "UTC"))
        for table in self.list.tables(("id", "status", by)):
            pending = pc.equal(table.column("status").cast(pa.string()), "pending")
            passed = pc.less_equal(table.column(by).cast(pa.timestamp("us", "UTC")), now)
            due += table.column("id").filter(pc.and_(pending, passed)).to_pylist()
        return due


class _ChangedRows:
    """Rows that are to be put into a list: the last reading of an object counts."""

    def __init__(self, request: Request, inner: InnerLists, progress: Callable[[int], object]) -> None:
        import stripe_magics.accessor  # noqa: F401 - registers df.stripe

        self._builder = Builder(request.returns, version=version_of(request))
        self._inner, self._progress = inner, progress
        self.ids: set[str] = set()

    def add(self, body: bytes, keys: list[str]) -> None:
        """A page of rows with these ids."""
        self._builder.add(self._inner.complete(body))
        self.ids.update(keys)
        self._progress(self._builder.rows)

    def table(self) -> pa.Table | None:
        """All of them, each once; None if there is none."""
        from stripe_magics.frames.parquet import plain_table

        tables = self._builder.tables()
        if not tables:
            return None
        table = plain_table(tables, self._builder.object_type)
        keys = table.column("id").to_pylist()
        last = sorted({key: index for index, key in enumerate(keys)}.values())
        return table.take(last) if len(last) < len(keys) else table


def _united(spans: Sequence[tuple[Any, Any]]) -> list[tuple[int, int]]:
    """Spans of time, those that overlap as one."""
    united: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if united and low <= united[-1][1] + 1:
            united[-1] = (united[-1][0], max(united[-1][1], high))
        else:
            united.append((low, high))
    return united
