"""`--over FOLDER`: the lists of a mirror (`%stripe sync`) or of a pull (`%stripe pull --to`), read from its
Parquet files as they are.

- Every file names the type of its objects, so a folder says by itself which lists it has. Which rows count,
  and whether all are there, says its manifest: rows that were changed since stand beside those that they
  replace.
- Rows come with the columns and types of a fetch. Of invoices, which are many and long, only the columns that
  reports use are read; their lines are read when a report needs them. Lines and taxes become typed columns
  file by file, so that the JSON text of a whole list is never in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stripe_magics import _files
from stripe_magics.errors import UsageFault
from stripe_magics.finance.nested_lists import SHAPES, NestedLists, flat, typed_column
from stripe_magics.finance.reporting_period import Ints, nanoseconds
from stripe_magics.frames import manifest as manifests
from stripe_magics.frames.assemble import assemble
from stripe_magics.frames.frame_info import FrameInfo, set_facts
from stripe_magics.frames.manifest import DataFile, Manifest

if TYPE_CHECKING:
    import pyarrow as pa

_OF_INVOICES = (
    "id", "created", "amount_due", "amount_paid", "amount_remaining", "total", "subtotal",
    "total_excluding_tax", "tax", "currency", "status", "number", "customer", "customer_name",
    "customer_email", "customer_address_country", "customer_tax_exempt", "customer_tax_ids",
    "collection_method", "due_date", "starting_balance", "shipping_cost_amount_subtotal", "subscription",
    "parent_subscription_details_subscription", "charge", "payment_intent", "payments", "default_tax_rates",
    "discount", "discount_coupon", "discounts", "lines_has_more", "total_taxes", "total_tax_amounts",
    "livemode", "test_clock", "status_transitions_finalized_at", "status_transitions_marked_uncollectible_at",
    "status_transitions_paid_at", "status_transitions_voided_at",
)  # fmt: skip
COLUMNS = {"invoice": _OF_INVOICES}
"""The columns that reports use, of types whose rows are long; all of any other type."""
TYPED = frozenset({"total_taxes", "total_tax_amounts"})


@dataclass(frozen=True, slots=True)
class _Source:
    """A folder of files of one object type, with the manifest that says which rows count."""

    folder: Path
    manifest: Manifest


class ReportFolder:
    """The Parquet lists in a folder, by object type; each is read when it is first asked for."""

    def __init__(self, place: str | Path) -> None:
        try:
            self.place = Path(place)
        except TypeError:
            raise UsageFault(f"{place!r} is not a folder.", advice="Give its path as text.") from None
        if not self.place.is_dir():
            raise UsageFault(
                f"{place} is not a folder.",
                advice="%stripe sync FOLDER invoices ... makes a mirror to report over.",
            )
        self.sources: dict[str, list[_Source]] = {}
        self._order: dict[str, Ints | None] = {}
        folders = [self.place, *(each for each in self.place.rglob("*") if each.is_dir())]
        for folder in sorted(folders):
            inside = folder.relative_to(self.place).parts
            if manifests.CHANGES in inside or any(part.startswith(".") for part in inside):
                continue  # changes belong to the folder above; what begins with a dot a pull has not finished
            for source in _sources(folder):
                self.sources.setdefault(source.manifest.object_type, []).append(source)
        if not self.sources:
            raise UsageFault(
                f"{place} has no list that was written here.",
                advice="%stripe sync FOLDER invoices ..., or %stripe pull invoices --to FOLDER, writes one.",
            )

    def read(self, object_type: str) -> pd.DataFrame | None:
        """The frame of a list, or None if the folder has none of that type. Raises `FileError` for a file
        that can't be read."""
        sources = self.sources.get(object_type)
        if sources is None:
            return None
        frame, order = _newest_first(_frame(object_type, _tables(object_type, sources)))
        self._order[object_type] = order
        set_facts(frame, complete=all(each.manifest.complete for each in sources))
        accounts = {each.manifest.details.get("account") for each in sources} - {None}
        if len(accounts) == 1:
            set_facts(frame, account=str(accounts.pop()))
        return frame

    def lines(self, shape: str = "lines") -> NestedLists | None:
        """The lines of the invoices; their rows are those of `read("invoice")`. None if a file has none."""
        import pyarrow as pa

        parts: list[pa.Array] = []
        expanded: dict[str, dict[str, Any]] = {}
        for source in self.sources.get("invoice", ()):
            for table in manifests.tables(source.folder, source.manifest, ("id", "lines")):
                if "lines" not in table.column_names:
                    return None
                for chunk in table.column("lines").chunks:
                    part, found = typed_column(chunk, shape)
                    parts.append(part)
                    expanded |= found
        nested = flat(pa.chunked_array(parts, SHAPES[shape]).combine_chunks(), expanded)
        order = self._order.get("invoice")
        if order is None:
            return nested
        row_of = np.empty(len(order), dtype=np.int64)
        row_of[order] = np.arange(len(order))
        return NestedLists(row_of[nested.row], nested.values, nested.expanded)

    def read_at(self) -> pd.Timestamp | None:
        """When the oldest of its lists was read, as far as the folder says."""
        every = (each.manifest.details for sources in self.sources.values() for each in sources)
        known = [details["synced"] for details in every if details.get("synced")]
        return pd.Timestamp(min(known), unit="s", tz="UTC") if known else None


def _sources(folder: Path) -> Iterator[_Source]:
    """The lists whose files stand in a folder itself; one that has no manifest has a list for each type of
    its files."""
    manifest = manifests.load(folder)
    if manifest is not None:
        yield _Source(folder, manifest)
        return
    state = _old_state(folder)
    files: dict[str, list[DataFile]] = {}
    for path in sorted(folder.glob("*.parquet")):
        kind = _object_of(path)
        if kind:
            files.setdefault(kind, []).append(DataFile(path.name, 0, path.stat().st_size))
    complete = bool(state.get("done", True)) and state.get("complete", True) is not False
    for kind, mine in files.items():
        yield _Source(folder, Manifest(kind, tuple(mine), complete=complete, details=state))


def _old_state(folder: Path) -> dict[str, Any]:
    """What version 0.2 said of a folder."""
    try:
        said = _files.read_json(folder / manifests.OLD_STATE)
    except FileNotFoundError:
        return {}
    return said if isinstance(said, dict) else {}


def _object_of(path: Path) -> str:
    import pyarrow.parquet as pq

    metadata = pq.read_schema(path).metadata or {}
    return str(metadata.get(b"stripe_object", b"").decode())


def _tables(object_type: str, sources: list[_Source]) -> Iterator[pa.Table]:
    columns = COLUMNS.get(object_type)
    for source in sources:
        yield from manifests.tables(source.folder, source.manifest, columns)


def _frame(object_type: str, tables: Iterator[pa.Table]) -> pd.DataFrame:
    """The rows of some files, newest first, with typed columns of the lists that have a shape."""
    import pyarrow as pa

    typed: dict[str, list[pa.Array]] = {}
    plain: list[pa.Table] = []
    for table in tables:
        names = [name for name in table.column_names if name in TYPED and object_type in COLUMNS]
        for name in names:
            parts = [typed_column(chunk, name)[0] for chunk in table.column(name).chunks]
            typed.setdefault(name, []).extend(parts)
        plain.append(table.drop_columns(names))
    frame = assemble(plain, object_type)
    if object_type in COLUMNS:
        frame = frame[[name for name in frame.columns if name in COLUMNS[object_type] and name not in TYPED]]
    attrs = frame.attrs
    for name, parts in typed.items():
        frame = frame.assign(
            **{
                name: pd.Series(
                    pd.array(pa.chunked_array(parts, SHAPES[name]), dtype=pd.ArrowDtype(SHAPES[name]))
                )
            }
        )
    frame.attrs = attrs
    return FrameInfo.of(frame).replace(object=object_type, units="minor").put(frame)


def _newest_first(frame: pd.DataFrame) -> tuple[pd.DataFrame, Ints | None]:
    """The rows by `created`, and the order in which they stood (None if they stand so already)."""
    if "created" not in frame.columns:
        return frame, None
    ticks = nanoseconds(frame["created"])
    if not (np.diff(ticks) > 0).any():
        return frame, None
    order = np.argsort(-ticks, kind="stable")
    out = frame.take(order).reset_index(drop=True)
    out.attrs = frame.attrs
    return out, order
