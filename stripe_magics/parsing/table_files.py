"""`--from customers.csv`: a file as the DataFrame of a line, every cell as it is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stripe_magics.errors import UsageFault

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".csv", ".xlsx", ".parquet")


def is_table_file(text: str) -> bool:
    """Whether a word names a file with a table, not a variable."""
    return text.lower().endswith(ENDINGS)


def read_table(name: str) -> pd.DataFrame:
    """The table of a file, which knows the file (`attrs["source_file"]`)."""
    frame = _read(name)
    frame.attrs["source_file"] = str(Path(name).expanduser().absolute())
    return frame


def _read(name: str) -> pd.DataFrame:
    """CSV and Excel are read as text, so that ids and amounts stay as they are written."""
    import pandas as pd

    path = Path(name).expanduser()
    try:
        if path.suffix.lower() == ".csv":
            return pd.read_csv(path, dtype=str, keep_default_na=False)
        if path.suffix.lower() == ".xlsx":
            return pd.read_excel(path, dtype=str, keep_default_na=False)
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise UsageFault(f"--from: there is no file {name!r}. Nothing was sent.") from None
    except ImportError as fault:
        raise UsageFault(
            f"--from: {path.suffix} files need a package that isn't installed ({fault.name}). Nothing was"
            " sent.",
            advice=f"pip install {fault.name}",
        ) from None
    except (OSError, ValueError, KeyError) as fault:
        raise UsageFault(f"--from: {name!r} can't be read as a table ({fault}). Nothing was sent.") from None
    except Exception as fault:
        if type(fault).__module__.partition(".")[0] not in {"pandas", "openpyxl", "pyarrow", "zipfile"}:
            raise
        raise UsageFault(f"--from: {name!r} can't be read as a table ({fault}). Nothing was sent.") from None
