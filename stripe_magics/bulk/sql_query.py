"""SQL over a mirror, by DuckDB: its tables are the lists' names; what comes back has the dtypes that frames
have."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics import _files
from stripe_magics._install import pip_install
from stripe_magics.bulk.list_requests import describe
from stripe_magics.bulk.mirror_location import mirror_folder, remember_mirror
from stripe_magics.bulk.mirror_storage import ListFolder, mirrored_lists
from stripe_magics.bulk.sql_statement import check_reads, needs_extension, restrict
from stripe_magics.errors import FileError, UsageFault
from stripe_magics.frames.manifest import MAX_REPLACED
from stripe_magics.frames.pandas_columns import finish

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.connection import Connection

_KINDS = {"large_string": "text", "bool": "bool", "double": "number", "timestamp[us, tz=UTC]": "time"}
_REPAIR = "%stripe sync FOLDER --repair reads again what is missing."


def sql(
    query: str, *, values: Sequence[Any] = (), target: str | Path = "", connection: Connection | None = None
) -> pd.DataFrame:
    """A query over a mirror: `target`, else the one that the connection (the shared one unless given) named
    last, by `sync` or by `target`. Its tables are the lists' names; Parquet, CSV and JSON files on this
    machine can be read beside them. One query that reads: what writes, attaches or loads something is
    refused. Nothing is sent, and with a `target` no connection is needed. `values` are those of its
    parameters, `$1` or `?`, in order. Of result columns of one name (a join has each list's `id`) the second
    is `id_1`.

    Raises `FileError` if a file of the mirror is missing, damaged or unreadable, and `UsageFault` for a query
    that can't be run.
    """
    from stripe_magics.client.shared_connection import shared

    duckdb = duckdb_module()
    connection = connection or shared()
    mirror = mirror_folder(target, connection)
    lists = mirrored_lists(mirror)
    remember_mirror(mirror, connection)
    for _ in range(MAX_REPLACED):
        try:
            frame = _queried(duckdb, query, values, mirror, lists)
            break
        except FileError:  # another process may have replaced the files meanwhile
            before, lists = lists, mirrored_lists(mirror)
            if _sequences(lists) == _sequences(before):
                raise
    else:
        frame = _queried(duckdb, query, values, mirror, lists)
    complete = all(each.manifest is not None and each.manifest.complete for each in lists.values())
    return describe(frame, "sql", complete=complete, target=str(mirror))


def _sequences(lists: Mapping[str, ListFolder]) -> dict[str, int]:
    return {name: each.manifest.sequence for name, each in lists.items() if each.manifest is not None}


def _queried(
    duckdb: Any, query: str, values: Sequence[Any], mirror: Path, lists: Mapping[str, ListFolder]
) -> pd.DataFrame:
    db = duckdb.connect()
    try:
        check_reads(duckdb, db, query)
        for name, each in lists.items():
            db.execute(f'create view "{name}" as {list_query(each)}')
        restrict(db)
        rows = db.sql(query, params=list(values)) if values else db.sql(query)
        return _frame(rows.to_arrow_table())
    except duckdb.CatalogException as fault:
        words = str(fault).splitlines()[0].removeprefix("Catalog Error: ")
        raise needs_extension(fault) or UsageFault(
            f"The query can't be run: {words}", advice=f"{mirror} has: {', '.join(lists) or 'nothing yet'}."
        ) from None
    except (duckdb.IOException, duckdb.InvalidInputException) as fault:
        if not any(str(each.folder) in str(fault) for each in lists.values()):
            # the query's own: its parameters, a file beside the mirror
            raise UsageFault(f"The query can't be run: {fault}") from None
        raise FileError(f"{mirror} can't be read: {str(fault).splitlines()[0]}", advice=_REPAIR) from None
    except duckdb.Error as fault:
        raise needs_extension(fault) or UsageFault(f"The query can't be run: {fault}") from None
    finally:
        db.close()


def list_query(folder: ListFolder) -> str:
    """The rows of a list that count, as a query. Raises `FileError` if a file is missing or has another size
    than it should."""
    manifest = folder.manifest
    assert manifest is not None
    holes = [f"{each.name} ({each.problem})" for each in folder.problems() if each.is_hole]
    if holes:
        raise FileError(f"{folder.folder} isn't whole: {', '.join(holes)}.", advice=_REPAIR)

    def rows(*names: str) -> str:
        files = ", ".join("'" + str(folder.folder / name).replace("'", "''") + "'" for name in names)
        return f"read_parquet([{files}], union_by_name=true)"

    kinds: dict[tuple[str, ...], list[str]] = {}  # after an end in the midst, parts are of two
    for each in manifest.files:
        kinds.setdefault(_nested_columns(folder.folder / each.name), []).append(each.name)
    query = " union all by name ".join(
        f"select {_as_text(typed)} from {rows(*names)}" for typed, names in (kinds or {(): []}).items()
    )
    if manifest.hidden:
        query = (
            f"select * from ({query}) as stored anti join {rows(manifest.hidden.name)} as hidden using (id)"
        )
    if manifest.changes:
        query += f" union all by name select * from {rows(manifest.changes.name)}"
    return query


def _nested_columns(path: Path) -> tuple[str, ...]:
    """The columns of a file that have types of Parquet's own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return tuple(each.name for each in pq.read_schema(path) if pa.types.is_nested(each.type))
    except (OSError, pa.ArrowException):
        return ()  # the query says what is wrong with it


def _as_text(typed: Sequence[str]) -> str:
    """All columns; maps and lists that have types of Parquet's own (a pull's) as JSON text, as a mirror has
    them."""
    names = ['"' + each.replace('"', '""') + '"' for each in typed]
    texts = ", ".join(f"to_json({each})::varchar as {each}" for each in names)
    return f"* replace ({texts})" if texts else "*"


def export_duckdb(mirror: Path, path: Path) -> None:
    """Write a mirror as one DuckDB file, a table a list. Raises `FileError`."""
    duckdb = duckdb_module()
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{_files.TEMPORARY}")
    try:
        db = duckdb.connect(str(temporary))
        try:
            for name, each in mirrored_lists(mirror).items():
                db.execute(f'create table "{name}" as {list_query(each)}')
        finally:
            db.close()
        temporary.replace(path)
    except (duckdb.Error, OSError) as problem:
        raise FileError(
            f"{path} can't be written: {str(problem).splitlines()[0]}",
            advice="The mirror itself is up to date. Give another file, or free some space.",
        ) from problem
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def duckdb_module() -> Any:
    """DuckDB, or `UsageFault` that says how to get it."""
    try:
        import duckdb
    except ImportError:
        raise UsageFault("This needs DuckDB, which isn't installed.", advice=pip_install("duckdb")) from None
    return duckdb


def _frame(table: Any) -> pd.DataFrame:
    """The dtypes that frames have: whole sums stay whole numbers, times are in UTC, text is text. Columns
    of one name are numbered as in DuckDB's own frames. Raises `UsageFault` for values that pandas has no
    place for."""
    import pandas as pd
    import pyarrow as pa

    columns = {}
    for name, array in zip(_names(table.column_names), table.columns, strict=True):
        try:
            columns[name] = _column(array)
        except (pa.ArrowException, ValueError, OverflowError) as fault:
            raise UsageFault(
                f"The column {name} can't be shown in a frame: {str(fault).splitlines()[0]}",
                advice=f'Make it text: "{name}"::varchar',
            ) from None
    return pd.DataFrame(columns)


def _names(names: Sequence[str]) -> list[str]:
    """The names, each once."""
    made: list[str] = []
    for name in names:
        own, count = name, 0
        while own in made or (count and own in names):
            count += 1
            own = f"{name}_{count}"
        made.append(own)
    return made


def _column(array: Any) -> Any:
    """A column of a result as pandas has it."""
    import pandas as pd
    import pyarrow as pa

    kind = array.type
    if pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0):
        try:
            array = array.cast(pa.int64())
        except pa.ArrowInvalid:  # Python's, which have no bounds
            whole = [None if each is None else int(each) for each in array.to_pylist()]
            return pd.Series(whole, dtype=object).array
    elif pa.types.is_timestamp(kind) and kind.tz:
        array = array.cast(pa.timestamp("us", tz="UTC"))
    elif pa.types.is_string(kind) or pa.types.is_dictionary(kind):
        array = array.cast(pa.large_string())
    own = "int" if array.type == pa.int64() else _KINDS.get(str(array.type))
    chunk = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    return finish(own, chunk) if own else array.to_pandas().array
