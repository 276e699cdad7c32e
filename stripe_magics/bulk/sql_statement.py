"""What `sql` runs: one query that reads. Statements that write, load or set something are refused before
anything is run.

- Words are looked at, as DuckDB's own tokenizer gives them: `with x as (copy ... to ...)` is a select to
  DuckDB, and it writes a file; `explain analyze` runs what it explains.
- It keeps from accidents. Who writes a query can run any Python beside it.
- Nothing is fetched from a network: extensions are neither installed nor loaded. Files on this machine can be
  read beside the mirror.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from stripe_magics.errors import UsageFault

READS = frozenset(
    "select from with values table pivot unpivot describe desc show summarize explain".split()  # noqa: SIM905
)
# of DuckDB's pragmas, those that tell of tables; others set something
_READING_PRAGMAS = frozenset({"table_info", "show_tables", "show_tables_expanded", "storage_info"})
_WRITES = frozenset({"copy", "insert", "update", "delete", "merge"})
# functions that run statements or write files
_RUNS = frozenset(
    "json_execute_serialized_sql copy_database import_database enable_logging enable_profile"  # noqa: SIM905
    " enable_profiling".split()
)
_STRING = "''"  # what stands for a text among the words
_SETTINGS = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",  # names of ours are not tables
    "TimeZone": "'UTC'",
    "lock_configuration": "true",  # the last one
}
_ELSEWHERE = (
    "Keep the result with --out NAME and write that (df.to_csv ...). %stripe sync FOLDER --export FILE.duckdb"
    " writes the whole mirror as a file for DuckDB itself."
)


def restrict(db: Any) -> None:
    """Let a DuckDB read, and nothing else. What an older one doesn't know, it can't do either."""
    known = {name for (name,) in db.execute("select name from duckdb_settings()").fetchall()}
    for name, value in _SETTINGS.items():
        if name in known:
            db.execute(f"set {name}={value}")


def check_reads(duckdb: Any, db: Any, query: str) -> None:
    """Raises `UsageFault` for anything but one query, and DuckDB's own `ParserException`."""
    statements = db.extract_statements(query)
    if not statements:
        raise UsageFault('The query is empty. Nothing was run. Example: "select count(*) from customers"')
    words = list(_words(duckdb, query))
    if len(statements) > 1:
        raise UsageFault(
            f"sql takes one query, and these are {len(statements)}. Nothing was run.",
            advice="Give each its own cell; `with name as (select ...) select ...` puts them into one.",
        )
    while words and words[0] in {"explain", "analyze", "("}:
        words = words[words.index(")") + 1 :] if _are_options(words) else words[1:]
    verb = words[0] if words else ""
    reads = verb in READS or (verb == "pragma" and not _READING_PRAGMAS.isdisjoint(words[1:2]))
    writes = verb if not reads else _called(words, query) or _written_within(words)
    if writes:
        raise UsageFault(
            f"sql only reads, and `{writes}` doesn't. Nothing was run.",
            advice=f"It takes select, from, with, describe, show tables, summarize. {_ELSEWHERE}",
        )


def needs_extension(fault: Exception) -> UsageFault | None:
    """What a query is told that reads what isn't on this machine, or by a program of DuckDB's that isn't
    there."""
    text = str(fault)
    if "INSTALL" not in text or "extension" not in text:
        return None
    return UsageFault(
        f"The query can't be run: {text.splitlines()[0]}",
        advice=(
            f"sql reads Parquet, CSV and JSON files on this machine, and loads no extensions. {_ELSEWHERE}"
        ),
    )


def _words(duckdb: Any, query: str) -> Iterator[str]:
    """The words and signs of a query in small letters, without comments, and without what its texts say."""
    content = query.encode()  # places are in bytes
    found = duckdb.tokenize(query)
    ends = [place for place, _ in found[1:]] + [len(content)]
    for (place, kind), end in zip(found, ends, strict=True):
        if kind == duckdb.token_type.string_const:
            yield _STRING
        elif kind != duckdb.token_type.comment:
            text = content[place:end].decode(errors="replace").strip()
            yield (text.split() or [""])[0].lower()


def _are_options(words: list[str]) -> bool:
    """Whether what is in brackets are options of `explain`, not a query."""
    return words[0] == "(" and len(words) > 1 and words[1] not in READS | {"("} and ")" in words


def _called(words: list[str], query: str) -> str:
    """A function that the query calls and that runs or writes something, or nothing. Columns may be named
    so, and texts may say it, but for those that `query` runs."""
    called = {word.strip('"') for word, sign in pairwise(words) if sign.startswith("(")}
    if "query" in called:
        called |= {name for name in _RUNS if name in query.lower()}
    return min(called & _RUNS, default="")


def _written_within(words: list[str]) -> str:
    """A `with` part that writes: what it does, or nothing."""
    for before, bracket, word in zip(words, words[1:], words[2:], strict=False):
        if before in {"as", "materialized"} and bracket == "(" and word in _WRITES:
            return word
    return ""
