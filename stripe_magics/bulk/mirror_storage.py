"""Where a mirror is kept: a folder of Parquet files a list, or one DuckDB file with a table a list.

Each list is replaced at once: a reader sees the old one or the new one. What is known of it (when it was synced, of which account, how many
rows) is replaced with it: `_state.json` in its folder, a row of `_stripe_sync` in a file.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics.bulk.parquet_export import STATE
from stripe_magics.errors import UsageFault

if TYPE_CHECKING:
    import pyarrow as pa

SMALL, MANY = 5_000, 12  # rows of a file that is joined with others like it, and from how many such files on
last: list[str] = []  # the mirror that was named last


def place_of(target: str | Path) -> Path:
    """The mirror that is meant: the target, or the one that was named last. Raises `UsageFault` if there is none."""
    if str(target):
        last[:] = [str(target)]
    if not last:
        raise UsageFault(
            "Which mirror? `%stripe sync FOLDER customers ...` makes one; --target names one (a folder or .duckdb file)."
        )
    return Path(last[0])


def is_file(place: Path) -> bool:
    """Whether a mirror is one DuckDB file; a folder otherwise."""
    return place.suffix == ".duckdb"


def work_dir(place: Path) -> Path:
    """Where files are kept while they are made: beside a DuckDB file, inside a folder."""
    return place.with_name(f".{place.name}.sync") if is_file(place) else place


def duckdb_module() -> Any:
    """DuckDB, or `UsageFault` that says how to get it."""
    try:
        import duckdb
    except ImportError:
        raise UsageFault("This needs DuckDB.", advice="pip install 'stripe_magics[duckdb]'") from None
    return duckdb


# What it has ---------------------------------------------------------------------------------------------------------------------


def state_of(place: Path) -> dict[str, dict[str, Any]]:
    """What the mirror has, by list."""
    if is_file(place):
        if not place.exists():
            return {}
        db = duckdb_module().connect(str(place), read_only=True)
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


def parts_of(place: Path, name: str, home: Path) -> list[Path]:
    """The files that the list has now; out of a DuckDB file they are written first."""
    if not is_file(place):
        return sorted((place / name).glob("*.parquet"))
    import pyarrow.parquet as pq

    db = duckdb_module().connect(str(place), read_only=True)
    try:
        db.execute("set timezone='UTC'")
        path = home / "table.parquet"
        pq.write_table(db.sql(f'select * from "{name}"').to_arrow_table(), path)
        return [path]
    finally:
        db.close()


def columns(place: Path, name: str, requested: Sequence[str]) -> Iterator[pa.Table]:
    """Some columns of a list, file by file."""
    import pyarrow.parquet as pq

    if not is_file(place):
        for path in sorted((place / name).glob("*.parquet")):
            yield pq.read_table(path, columns=list(requested), partitioning=None)
        return
    db = duckdb_module().connect(str(place), read_only=True)
    try:
        db.execute("set timezone='UTC'")
        names = ", ".join(f'"{each}"' for each in requested)
        yield db.sql(f'select {names} from "{name}"').to_arrow_table()
    finally:
        db.close()


# Changing it ---------------------------------------------------------------------------------------------------------------------


def put(place: Path, name: str, files: Sequence[Path], facts: dict[str, Any]) -> None:
    """Put these files in the place of the list, at once."""
    if is_file(place):
        db = duckdb_module().connect(str(place))
        try:
            db.execute("begin")
            names = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
            if files:
                db.execute(
                    f'create or replace table "{name}" as select * from read_parquet([{names}], union_by_name=true)'
                )
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


def nothing(folder: Path, kind: str) -> Path:
    """A file of no rows: an empty list is a table all the same."""
    import pyarrow as pa

    from stripe_magics.frames.parquet import plain_table, write

    path = folder / "part-00000.parquet"
    write(path, plain_table([pa.table({"id": pa.array([], pa.string())})], kind))
    return path


def merge(
    place: Path, name: str, builder: Any, fresh: set[str], deleted: set[str], facts: dict[str, Any]
) -> int:
    """The list without what changed or went, and with what is new: files that hold none of it stay as they are. How many rows it has now."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from stripe_magics.frames.parquet import plain_table, write

    out = pa.array(sorted(fresh | deleted), pa.string())
    home = work_dir(place) / f".{name}.merge"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    files: list[Path] = []
    rows = 0
    for path in parts_of(place, name, home):
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
        places = sorted(
            {key: place for place, key in enumerate(ids)}.values()
        )  # the last reading of an object counts
        table = table.take(places) if len(places) < len(ids) else table
        write(path, table)
        rows += table.num_rows
        files.append(path)
    put(place, name, _joined(files, home), {**facts, "rows": rows})
    shutil.rmtree(home)
    return rows


def _joined(files: Sequence[Path], home: Path) -> list[Path]:
    """The files, small ones joined when there are many: a mirror that is synced every day doesn't grow by a file a day."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from stripe_magics.frames.parquet import write

    alike: dict[Any, list[Path]] = {}
    for path in files:
        about = pq.read_metadata(path)
        if about.num_rows < SMALL:
            alike.setdefault(about.schema.to_arrow_schema().serialize().to_pybytes(), []).append(path)
    gone: set[Path] = set()
    out: list[Path] = []
    for some in (each for each in alike.values() if len(each) >= MANY):
        out.append(home / f"joined-{len(out):05}.parquet")
        write(out[-1], pa.concat_tables(pq.read_table(path, partitioning=None) for path in some))
        gone.update(some)
    return [*(path for path in files if path not in gone), *out]
