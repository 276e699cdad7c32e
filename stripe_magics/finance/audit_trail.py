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

import pandas as pd

from stripe_magics._files import read_json
from stripe_magics.errors import FileError
from stripe_magics.frames.cells import as_json

AGAIN = "Close the month again to get a new one."
SLICE = 1_000
MOST_ROWS = 50_000
"""Lists up to this size keep a hash a row, so that a later reading can name the rows that changed; longer
ones have one hash."""
LEDGER = ("id", "created", "currency", "amount", "fee", "net", "type", "reporting_category", "source")
_VOLATILE = ("url", "_url", "_pdf", "client_secret")


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        return as_json(value)
    missing = pd.isna(value)
    return "" if missing is True or (not isinstance(missing, bool) and bool(missing)) else str(value)


def row_hashes(frame: pd.DataFrame, columns: list[str]) -> list[str]:
    """A hash for each row, over the named columns that have a value; a column without one counts as
    absent."""
    hashes = []
    for start in range(0, len(frame), SLICE):  # cells as text are larger than the frame
        rows = frame.iloc[start : start + SLICE]
        cells = {name: [_text(value) for value in rows[name].astype(object)] for name in columns}
        for at in range(len(rows)):
            said = "\x1f".join(f"{name}\x1e{cells[name][at]}" for name in columns if cells[name][at])
            hashes.append(hashlib.blake2b(said.encode(), digest_size=8).hexdigest())
    return hashes


def list_trail(frame: pd.DataFrame, before: pd.Timestamp) -> dict[str, Any]:
    """Rows, newest row and hashes of a list as it was read."""
    rows = frame
    if "created" in frame.columns and len(frame):
        rows = frame[(frame["created"] < before).fillna(value=False).to_numpy()]
    kind = str(rows["object"].iloc[0]) if "object" in rows.columns and len(rows) else ""
    own = LEDGER if kind == "balance_transaction" else sorted(map(str, rows.columns))
    columns = [name for name in own if name in rows.columns and not name.endswith(_VOLATILE)]
    hashes = row_hashes(rows, columns)
    ids = rows["id"].astype(str).tolist() if "id" in rows.columns else [str(at) for at in range(len(rows))]
    pairs = sorted(zip(ids, hashes, strict=True))
    whole = hashlib.sha256("\n".join(f"{name} {own}" for name, own in pairs).encode()).hexdigest()
    newest = rows["created"].max() if "created" in rows.columns and len(rows) else None
    return {
        "rows": len(rows),
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


def _damage(trail: Any) -> str:
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


def _hashed(held: Any) -> bool:
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
