"""`--from customers.csv`: a file as the DataFrame of a line, every cell as it is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics._install import pip_install
from stripe_magics.errors import UsageFault
from stripe_magics.parsing.delimited_text import DelimitedTable, read_delimited, sheet_of
from stripe_magics.parsing.workbook_cells import read_first_sheet

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ENDINGS = (".csv", ".xlsx", ".parquet")


def is_table_file(text: str) -> bool:
    """Whether a word names a file with a table, not a variable."""
    return text.lower().endswith(ENDINGS)


def read_table(name: str) -> pd.DataFrame:
    """The table of a file, which knows the file (`attrs["source_file"]`)."""
    frame = _read(name)
    frame.attrs["source_file"] = str(Path(name).expanduser().absolute())
    return frame


def refuse_guessed(frame: pd.DataFrame) -> None:
    """Raises `UsageFault` for a table whose characters were guessed, where nobody sees them before they are
    sent."""
    if getattr(frame, "attrs", {}).get("source_guessed"):
        raise UsageFault(
            "--from: the file isn't UTF-8 text. Nothing was sent.",
            advice="Save it as CSV UTF-8, or add --form to look at the rows first.",
        )


def _read(name: str) -> pd.DataFrame:
    """CSV and Excel are read as text, so that ids and amounts stay as they are written and shown."""
    import pandas as pd

    path = Path(name).expanduser()
    try:
        if path.suffix.lower() == ".csv":
            return _as_frame(read_delimited(path.read_bytes()))
        if path.suffix.lower() == ".xlsx":
            return _as_frame(sheet_of(*read_first_sheet(path)))
        return _with_objects(pd.read_parquet(path), path)
    except FileNotFoundError:
        raise UsageFault(f"--from: there is no file {name!r}. Nothing was sent.") from None
    except ImportError as fault:
        raise UsageFault(
            f"--from: {path.suffix} files need a package that isn't installed ({fault.name}). Nothing was"
            " sent.",
            advice=pip_install(str(fault.name)),
        ) from None
    except (OSError, ValueError, KeyError) as fault:
        raise UsageFault(f"--from: {name!r} can't be read as a table ({fault}). Nothing was sent.") from None
    except Exception as fault:
        if type(fault).__module__.partition(".")[0] not in {"pandas", "openpyxl", "pyarrow", "zipfile"}:
            raise
        raise UsageFault(f"--from: {name!r} can't be read as a table ({fault}). Nothing was sent.") from None


def _as_frame(sheet: DelimitedTable) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(sheet.rows, columns=sheet.head, dtype=object)
    if sheet.notes:
        frame.attrs["source_notes"] = list(sheet.notes)
    if sheet.guessed:
        frame.attrs["source_guessed"] = True
    return frame


def _with_objects(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Maps and lists as Python's own: pandas makes pairs of a file's maps, arrays of its lists."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    for field in pq.read_schema(path):
        if pa.types.is_nested(field.type) and field.name in frame:
            cells = [_plain(cell, field.type) for cell in frame[field.name]]
            frame[field.name] = pd.Series(cells, index=frame.index, dtype=object)
    return frame


def _plain(value: Any, kind: pa.DataType) -> Any:
    import pyarrow as pa

    if value is None or not pa.types.is_nested(kind):
        return value
    if pa.types.is_map(kind):
        return {key: _plain(inner, kind.item_type) for key, inner in value}
    if pa.types.is_struct(kind):
        return {each.name: _plain(value[each.name], each.type) for each in kind}
    items = value.tolist() if hasattr(value, "tolist") else value
    return [_plain(inner, kind.value_type) for inner in items]
