"""`--over FOLDER`: the lists of a mirror (`%stripe sync`) or of a pull (`%stripe pull --to`), read from its Parquet files as they are.

Every file names the type of its objects, so a folder says by itself which lists it has. Rows come with the columns and types of a fetch,
lists as lists; what a pull that is not finished lacks makes the report partial.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from stripe_magics.errors import UsageFault

STATE = "_state.json"


class ListFolder:
    """The Parquet lists in a folder, by object type; each is read when it is first asked for."""

    def __init__(self, place: str | Path) -> None:
        self.place = Path(place)
        if not self.place.is_dir():
            raise UsageFault(
                f"{place} is not a folder.",
                advice="%stripe sync FOLDER invoices ... makes a mirror to report over.",
            )
        self.files: dict[str, list[Path]] = {}
        self.states: dict[str, dict[str, Any]] = {}
        for path in sorted(self.place.rglob("*.parquet")):
            inside = path.relative_to(self.place).parts
            if any(part.startswith(".") for part in inside):
                continue  # what a pull has not finished
            kind = _object_of(path)
            if kind:
                self.files.setdefault(kind, []).append(path)
                self.states.setdefault(kind, _state(path.parent))
        if not self.files:
            raise UsageFault(
                f"{place} has no list that was written here.",
                advice="%stripe sync FOLDER invoices ..., or %stripe pull invoices --to FOLDER, writes one.",
            )

    def read(self, object_type: str) -> pd.DataFrame | None:
        """The frame of a list, or None if the folder has none of that type."""
        from stripe_magics.frames import parquet

        if object_type not in self.files:
            return None
        frame = parquet.read(self.files[object_type])
        state = self.states[object_type]
        about = frame.attrs["stripe"]
        about["complete"] = bool(state.get("done", True)) and state.get("complete", True) is not False
        if state.get("account"):
            about["account"] = state["account"]
        return frame

    def read_at(self) -> pd.Timestamp | None:
        """When the oldest of its lists was read, as far as the folder says."""
        known = [state["synced"] for state in self.states.values() if state.get("synced")]
        return pd.Timestamp(min(known), unit="s", tz="UTC") if known else None


def _object_of(path: Path) -> str:
    import pyarrow.parquet as pq

    metadata = pq.read_schema(path).metadata or {}
    return str(metadata.get(b"stripe_object", b"").decode())


def _state(folder: Path) -> dict[str, Any]:
    path = folder / STATE
    if not path.exists():
        return {}
    said = json.loads(path.read_text())
    return said if isinstance(said, dict) else {}
