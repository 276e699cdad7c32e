"""How the answer of a line leaves a process: as text, CSV, JSON or a workbook, to standard output or into a
file."""

from __future__ import annotations

import importlib.util
import io
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stripe_magics import standard_streams
from stripe_magics._files import reason, write_atomically
from stripe_magics.errors import UsageFault

STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Format:
    """A way of writing."""

    help: str
    needs_file: bool = False


FORMATS = {
    "csv": Format("as CSV, amounts in the smallest unit, times in UTC; to standard output without FILE"),
    "json": Format("as JSON, one record a row; to standard output without FILE"),
    "xlsx": Format("as a workbook, amounts in dollars (or their currency's unit)", needs_file=True),
}


@dataclass(frozen=True, slots=True)
class Output:
    """Where the answer goes, and how."""

    format: str = ""
    file: str = STDOUT

    @classmethod
    def of(cls, given: Mapping[str, str | None]) -> Output:
        """From the flags; without any, the text that a terminal shows."""
        for name, file in given.items():
            if file is not None:
                return cls(name, file)
        return cls()

    def check(self) -> None:
        """Refuse what can't be written before anything is sent."""
        if self.format == "xlsx" and importlib.util.find_spec("xlsxwriter") is None:
            raise UsageFault("--xlsx needs xlsxwriter: pip install 'stripe_magics[excel]'. Nothing was sent.")
        if self.file == STDOUT:
            if self.format == "xlsx":
                raise UsageFault("--xlsx needs a file. Nothing was sent.")
            standard_streams.check_output()
            return
        if fault := self._unusable():
            raise UsageFault(f"--{self.format} {self.file}: {fault}. Nothing was sent.")

    def _unusable(self) -> str:
        """Why that file can't be written, or wouldn't be what its name says; "" if it can."""
        path = Path(self.file)
        if not self.file or path.is_dir():
            return "this is a folder" if self.file else "this is no name of a file"
        folder, ending = path.resolve().parent, path.suffix.lower().removeprefix(".")
        if path.exists() and not path.is_file():
            return ""  # a device or a pipe: written into
        if not folder.is_dir():
            return f"there is no folder {path.parent}"
        if self.format == "xlsx" and ending != "xlsx":
            return "the name of a workbook ends in .xlsx"
        if ending != self.format and ending in {*FORMATS, "xls"}:
            return f"the name says {ending.upper()}, and {self.format.upper()} would be written"
        try:
            with tempfile.TemporaryFile(dir=folder):
                return ""
        except OSError as problem:
            return f"nothing can be written into the folder {path.parent} ({reason(problem)})"

    def write(self, answer: object) -> list[str]:
        """Write it; what there is to say beside it."""
        content = self._content(answer)
        if self.file != STDOUT:
            write_atomically(self.file, content)
        elif content:
            standard_streams.write(content, plain=not self.format)
        if not self.format:
            return []  # the text says it
        from stripe_magics.magics.delivery import notes_of

        return [note for _, frame in _tables(answer) for note in notes_of(frame)]

    def _content(self, answer: object) -> str | bytes:
        if not self.format:
            return _text(answer)
        tables = list(_tables(answer))
        if self.format == "json":
            return _json(answer, tables)
        if not tables:
            raise UsageFault(
                f"This line gives no table, so --{self.format} can't write it: it gave {_text(answer)[:200]}"
            )
        if self.format == "csv":
            if len(tables) > 1:
                raise UsageFault(
                    f"This line gives {len(tables)} tables ({', '.join(name for name, _ in tables)}); CSV"
                    " holds one.",
                    advice="Use --json, --xlsx, or --to FOLDER in the line.",
                )
            return str(tables[0][1].stripe.to_csv())
        return _workbook(tables)


def _tables(answer: object) -> Iterator[tuple[str, Any]]:
    """The frames of an answer, by name."""
    import stripe_magics.accessor  # noqa: F401 - registers df.stripe
    from stripe_magics.frames.frame_info import facts_of

    if hasattr(answer, "attrs") and hasattr(answer, "columns"):
        yield str(facts_of(answer).get("object") or "Stripe"), answer
    elif isinstance(answer, Mapping):
        for name, each in answer.items():
            if hasattr(each, "attrs") and hasattr(each, "columns"):
                yield str(name), each


def _text(answer: Any) -> str:
    if isinstance(answer, str):
        return str(answer)
    if hasattr(answer, "columns") and hasattr(answer, "attrs"):
        from stripe_magics.magics.dataframe_display import bundle

        shown = bundle(answer, all_columns_by="--json, --csv, --xlsx or --columns A,B in the line")
        text = shown["text/plain"] if shown else str(answer.to_string())
        return text if len(answer) or not text.startswith("Empty DataFrame") else "No rows."
    if isinstance(answer, Mapping) and (tables := list(_tables(answer))):
        return "\n\n".join(f"{name}\n{_text(frame)}" for name, frame in tables)
    if isinstance(answer, (dict, list)):
        return json.dumps(answer, indent=2, ensure_ascii=False, default=str)
    return repr(answer)


def _json(answer: object, tables: list[tuple[str, Any]]) -> str:
    if tables:
        records = {name: json.loads(frame.stripe.to_json()) for name, frame in tables}
        plain: Any = next(iter(records.values())) if hasattr(answer, "columns") else records
    elif isinstance(answer, (dict, list)):
        plain = answer
    elif hasattr(answer, "as_record"):  # a card, today's page, the status
        plain = answer.as_record()
    else:
        raise UsageFault(f"This line gives no table, so --json can't write it: it gave {_text(answer)[:200]}")
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def _workbook(tables: list[tuple[str, Any]]) -> bytes:
    from stripe_magics.accessor.spreadsheets import write_book

    buffer = io.BytesIO()
    write_book(buffer, [(name[:31], frame) for name, frame in tables])
    return buffer.getvalue()


def is_complete(answer: Any, limit: int | None) -> bool:
    """Whether nothing is missing of what was asked for. Rows beyond a limit that was given weren't asked
    for."""
    if isinstance(answer, Mapping) and not hasattr(answer, "columns"):
        return all(is_complete(each, limit) for each in answer.values() if hasattr(each, "columns"))
    if not hasattr(answer, "columns"):
        return True
    if "complete" in answer.columns and not answer["complete"].astype(bool).all():
        return False  # lists that were written into a folder, a row each
    from stripe_magics.frames.column_facts import cut_lists
    from stripe_magics.frames.frame_info import facts_of

    if facts_of(answer).get("complete", True):
        return True

    return limit is not None and len(answer) >= limit and not cut_lists(answer)


def row_results(answer: Any, *, failed: int, unknown: int) -> int:
    """The exit code of calls that were made row by row: the worst of them."""
    columns = getattr(answer, "columns", ())
    if not {"result", "result_id", "idempotency_key"} <= set(columns):
        return 0
    results = set(answer["result"].astype(str))
    if "unknown" in results:
        return unknown
    return failed if results & {"failed", "not sent"} else 0
