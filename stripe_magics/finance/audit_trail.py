"""What a closing was made of, so that it can be read again: who, when, of which account and API version, rows
and hashes of what was read.

Rows count if they were created before the period ended: what comes later is not part of the month. A row's
hash leaves out addresses of pages and files, which Stripe signs anew, and of ledger entries what moves by
itself (their status once the funds are available).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics._files import read_json
from stripe_magics.errors import FileError
from stripe_magics.finance.aggregation import to_str
from stripe_magics.finance.reporting_period import Ints
from stripe_magics.frames.assemble import release_memory
from stripe_magics.frames.cells import as_json

AGAIN = "Close the month again to get a new one."
SLICE = 500
MOST_ROWS = 50_000
"""Lists up to this size keep a hash a row, so that a later reading can name the rows that changed; longer
ones have one hash."""
LEDGER = ("id", "created", "currency", "amount", "fee", "net", "type", "reporting_category", "source")
_VOLATILE = ("url", "_url", "_pdf", "client_secret")


def _texts(column: pd.Series) -> tuple[list[int], list[str]]:
    """The places of a column's values, and each as text."""
    places = np.flatnonzero(column.notna().to_numpy())
    if not len(places):
        return [], []
    values = column.array.take(places).astype(object)
    return places.tolist(), [
        as_json(each) if isinstance(each, (dict, list)) else str(each) for each in values
    ]


def row_hashes(frame: pd.DataFrame, columns: list[str], places: Ints | None = None) -> list[str]:
    """A hash for each row (or those at some places), over the named columns that have a value; a column
    without one counts as absent."""
    hashes = []
    count = len(frame) if places is None else len(places)
    for start in range(0, count, SLICE):  # cells as text are larger than the frame, and so is a copy of it
        part = slice(start, start + SLICE)
        rows = frame.iloc[part if places is None else places[part]]
        said: list[list[str]] = [[] for _ in range(len(rows))]
        for name in columns:
            for at, text in zip(*_texts(rows[name]), strict=True):
                if text:
                    said[at].append(f"{name}\x1e{text}")
        hashes += [hashlib.blake2b("\x1f".join(row).encode(), digest_size=8).hexdigest() for row in said]
    return hashes


def list_trail(frame: pd.DataFrame, before: pd.Timestamp) -> dict[str, Any]:
    """Rows, newest row and hashes of a list as it was read."""
    places = np.arange(len(frame))
    if "created" in frame.columns and len(frame):
        places = np.flatnonzero((frame["created"] < before).fillna(value=False).to_numpy())
    kind = str(frame["object"].iloc[places[0]]) if "object" in frame.columns and len(places) else ""
    own = LEDGER if kind == "balance_transaction" else sorted(map(str, frame.columns))
    columns = [name for name in own if name in frame.columns and not name.endswith(_VOLATILE)]
    hashes = row_hashes(frame, columns, places)
    ids = (
        to_str(frame["id"].iloc[places]).tolist()
        if "id" in frame.columns
        else list(map(str, range(len(places))))
    )
    pairs = sorted(zip(ids, hashes, strict=True))
    whole = hashlib.sha256("\n".join(f"{name} {own}" for name, own in pairs).encode()).hexdigest()
    newest = frame["created"].iloc[places].max() if "created" in frame.columns and len(places) else None
    release_memory()
    return {
        "rows": len(places),
        "newest": newest.isoformat() if newest is not None else None,
        "sha256": whole,
        "row_hashes": dict(pairs) if len(pairs) <= MOST_ROWS else None,
    }


def frame_hash(frame: pd.DataFrame) -> str:
    """The SHA-256 of a report's figures."""
    columns = list(map(str, frame.columns))
    said = json.dumps([columns, row_hashes(frame, columns)])
    return hashlib.sha256(said.encode()).hexdigest()


_SHAPE: Mapping[str, Mapping[str, type]] = {
    "account": {"id": str, "mode": str},
    "period": {"start": str, "end": str, "zone": str},
    "workbook": {"file": str, "sha256": str},
}


def read_trail(path: Path) -> Mapping[str, Any]:
    """The audit trail of a month end. Raises `FileError` if it isn't there, or isn't whole."""
    try:
        trail = read_json(path, advice=AGAIN)
    except FileNotFoundError:
        raise FileError(
            f"There is no audit trail {path}.",
            advice="It is written beside the workbook; keep both together.",
        ) from None
    wrong = _damage(trail)
    if wrong:
        raise FileError(f"{path} is not an audit trail of a month end: {wrong}.", advice=AGAIN)
    made: Mapping[str, Any] = trail
    return made


def _damage(trail: object) -> str:
    """What a trail lacks; empty if it is whole."""
    if not isinstance(trail, Mapping):
        return "it is not a map"
    for part, fields in _SHAPE.items():
        held = trail.get(part)
        if not isinstance(held, Mapping) or not all(isinstance(held.get(k), t) for k, t in fields.items()):
            return f"its {part} is missing or damaged"
    for part in ("lists", "reports"):
        held = trail.get(part)
        if not isinstance(held, Mapping) or not all(_hashed(each) for each in held.values()):
            return f"its {part} are missing or damaged"
    if not all(isinstance(trail.get(part), str) for part in ("read_at", "accounts")):
        return "it doesn't say when it was read, or by which accounts"
    if Path(trail["workbook"]["file"]).name != trail["workbook"]["file"]:
        return "its workbook is in another folder"
    try:
        first, last = (pd.Timestamp(trail["period"][name]) for name in ("start", "end"))
    except ValueError:
        return "its period is damaged"
    return "" if first.tzinfo and last.tzinfo and first < last else "its period is damaged"


def _hashed(held: object) -> bool:
    return (
        isinstance(held, Mapping)
        and isinstance(held.get("rows"), int)
        and isinstance(held.get("sha256"), str)
    )


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str, int, str]]:
    """What changed between two trails: of (list or report), what, how many, examples."""
    found: list[tuple[str, str, int, str]] = []
    for name in sorted({*old["lists"], *new["lists"]}):
        was, now = old["lists"].get(name), new["lists"].get(name)
        if was is None or now is None:
            found.append((name, "not read now" if now is None else "not read then", 0, ""))
        elif was["sha256"] != now["sha256"]:
            found += _rows(name, was, now)
    for name in sorted({*old["reports"], *new["reports"]}):
        was, now = old["reports"].get(name), new["reports"].get(name)
        if was is None or now is None or was["sha256"] != now["sha256"]:
            found.append((name, "report differs", 1, ""))
    return found


def _rows(name: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, str, int, str]]:
    before, after = was.get("row_hashes"), now.get("row_hashes")
    if before is None or after is None:
        return [
            (
                name,
                "changed",
                abs(now["rows"] - was["rows"]),
                f"{was['rows']:,} rows then, {now['rows']:,} now",
            )
        ]
    sets = {
        "rows added": sorted(set(after) - set(before)),
        "rows gone": sorted(set(before) - set(after)),
        "rows changed": sorted(each for each in set(before) & set(after) if before[each] != after[each]),
    }
    return [
        (name, what, len(ids), ", ".join(ids[:5]) + (" ..." if len(ids) > 5 else ""))
        for what, ids in sets.items()
        if ids
    ]
