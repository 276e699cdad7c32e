"""Completion in `%%stripe sql`: the tables of the mirror that is meant, and their columns. Read from the
mirror's files, never a request."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from stripe_magics.errors import StripeMagicsError

Suggestion = tuple[str, str, str]
"""Text, badge, a few words."""


class _Table(NamedTuple):
    """A list of a mirror: the type of its objects, and a Parquet file with its columns."""

    object_type: str
    file: Path


_PIECE = re.compile(r"(?:(?P<of>\w+)\.)?(?P<piece>\w*)\Z", re.ASCII)
_TABLE_NEXT = re.compile(r"\b(?:from|join)\s+(?:\w+(?:\s+\w+)?\s*,\s*)*\Z", re.ASCII | re.IGNORECASE)
_NAMED = re.compile(r"\b(?:from|join)\s+(\w+)(?:\s+(?:as\s+)?(\w+))?", re.ASCII | re.IGNORECASE)


def suggest(words: list[str], query: str) -> tuple[str, list[Suggestion]]:
    """The piece before the cursor and what it may become: a table after from and join, else columns of the
    tables that the query names."""
    found = _PIECE.search(query)
    assert found is not None  # it matches the empty text, too
    piece, before = found["piece"], query[: found.start()]
    tables = _tables(words)
    if not tables or before.count("'") % 2:
        return piece, []
    if found["of"]:
        named = {alias or name: name for name, alias in _NAMED.findall(query)}
        name = str(named.get(found["of"], found["of"]))
        return piece, list(_columns({name: tables[name]})) if name in tables else []
    if _TABLE_NEXT.search(before):
        return piece, [(name, "table", "") for name in tables]
    read = {name: tables[name] for name, _ in _NAMED.findall(query) if name in tables}
    return piece, [*_columns(read or tables), *((name, "table", "") for name in tables)]


def _tables(words: list[str]) -> Mapping[str, _Table]:
    """Each list of the mirror: of the one that the line names, else of the one that the connection named
    last."""
    named = [after for word, after in pairwise(words) if word == "--target"]
    named += [word.partition("=")[2] for word in words if word.startswith("--target=")]
    mirror = Path(named[0]) if named else _last_mirror()
    if mirror is None:
        return {}
    from stripe_magics.frames import manifest

    try:
        lists = {each.name: (each, manifest.load(each)) for each in manifest.list_folders(mirror)}
    except (StripeMagicsError, OSError):  # the query itself will say what is wrong with the mirror
        return {}
    return {
        name: _Table(found.object_type, folder / found.files[0].name)
        for name, (folder, found) in lists.items()
        if found is not None and found.files
    }


def _last_mirror() -> Path | None:
    """The mirror that was named last. Who has named none yet has no need of the packages that know it, which
    take longer to import than a keystroke may."""
    location = sys.modules.get("stripe_magics.bulk.mirror_location")
    connections = sys.modules.get("stripe_magics.client.shared_connection")
    if location is None or connections is None:
        return None
    mirror: Path | None = location.last_mirror(connections.shared())
    return mirror


def _columns(tables: Mapping[str, _Table]) -> Iterator[Suggestion]:
    shown: set[str] = set()
    for name, table in tables.items():
        for column in _columns_of(table):
            if column not in shown:
                shown.add(column)
                yield column, "column", name


def _columns_of(table: _Table) -> tuple[str, ...]:
    """A table's columns: as Stripe describes the object, until pyarrow is there, which reads those of the
    file."""
    if "pyarrow.parquet" not in sys.modules:
        from stripe_magics.frames.schema import known, schema

        return tuple(schema(table.object_type).names) if known(table.object_type) else ()
    import pyarrow as pa

    try:
        return _schema(table.file, table.file.stat().st_mtime_ns)
    except (OSError, pa.ArrowInvalid):  # the query itself will say that it is damaged
        return ()


@lru_cache(maxsize=200)
def _schema(file: Path, changed: int) -> tuple[str, ...]:  # noqa: ARG001 - part of what is remembered
    import pyarrow.parquet as pq

    return tuple(pq.read_schema(file).names)
