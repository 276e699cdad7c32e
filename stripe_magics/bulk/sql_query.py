"""SQL over a mirror, by DuckDB: its tables are the lists' names; what comes back has the dtypes that frames have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics.bulk.mirror_storage import duckdb_module, is_file, place_of, state_of
from stripe_magics.errors import UsageFault

if TYPE_CHECKING:
    import pandas as pd


def sql(query: str, *, target: str | Path = "") -> pd.DataFrame:
    """A query over the mirror (the one named last, unless `target` names one): its tables are the lists' names. Read only."""
    duckdb = duckdb_module()
    place = place_of(target)
    if is_file(place):
        db = duckdb.connect(str(place), read_only=True)
    else:
        db = duckdb.connect()
        for name in state_of(place):
            pattern = str(place / name / "*.parquet").replace("'", "''")
            db.execute(
                f"create view \"{name}\" as select * from read_parquet('{pattern}', union_by_name=true)"
            )
    try:
        db.execute("set timezone='UTC'")
        rows = db.sql(query)
        if rows is None:
            raise UsageFault("That gives no rows; sql is for queries: select ...")
        frame = _frame(rows.to_arrow_table())
    except duckdb.CatalogException as fault:
        words = str(fault).splitlines()[0].removeprefix("Catalog Error: ")
        raise UsageFault(
            f"The query can't be run: {words}",
            advice=f"{place} has: {', '.join(state_of(place)) or 'nothing yet'}.",
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

    from stripe_magics.frames.arrow_columns import finish

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
