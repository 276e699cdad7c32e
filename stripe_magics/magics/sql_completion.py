"""Completion in `%%stripe sql`: the tables of the mirror that is meant, and their columns. Read from the
mirror's files, never a request."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from stripe_magics.errors import StripeMagicsError

Suggestion = tuple[str, str, str]
"""Text, badge, a few words."""

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


def _tables(words: list[str]) -> Mapping[str, Path]:
    """A Parquet file of each list of the mirror: of the one that the line names, else of the one that the
    connection named last."""
    named = [after for word, after in pairwise(words) if word == "--target"]
    named += [word.partition("=")[2] for word in words if word.startswith("--target=")]
    if not named and "stripe_magics.bulk.mirror_storage" not in sys.modules:
        return {}  # this kernel has named no mirror yet
    from stripe_magics.bulk.mirror_storage import last_mirror, mirrored_lists
    from stripe_magics.client.shared_connection import shared

    mirror = Path(named[0]) if named else last_mirror(shared())
    if mirror is None:
        return {}
    try:
        lists = mirrored_lists(mirror)
    except (StripeMagicsError, OSError):  # the query itself will say what is wrong with the mirror
        return {}
    return {
        name: each.folder / each.manifest.files[0].name
        for name, each in lists.items()
        if each.manifest is not None and each.manifest.files
    }


def _columns(tables: Mapping[str, Path]) -> Iterator[Suggestion]:
    shown: set[str] = set()
    for name, file in tables.items():
        for column in _columns_of(file):
            if column not in shown:
                shown.add(column)
                yield column, "column", name


def _columns_of(file: Path) -> tuple[str, ...]:
    import pyarrow as pa

    try:
        return _schema(file, file.stat().st_mtime_ns)
    except (OSError, pa.ArrowInvalid):  # the query itself will say that it is damaged
        return ()


@lru_cache(maxsize=200)
def _schema(file: Path, changed: int) -> tuple[str, ...]:  # noqa: ARG001 - part of what is remembered
    import pyarrow.parquet as pq

    return tuple(pq.read_schema(file).names)
