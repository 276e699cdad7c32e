"""What a mirror has, how old it is, and whether its files are as they were written. Nothing is changed by
looking."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stripe_magics.bulk.list_requests import describe
from stripe_magics.bulk.mirror_storage import ListFolder, mirrored_lists
from stripe_magics.errors import UsageFault

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.connection import Connection


COLUMNS = (
    "list", "rows", "synced", "age_hours", "account", "files", "changes", "unfinished", "complete",
    "problems",
)  # fmt: skip


def status(
    mirror: Path, connection: Connection | None, only: Sequence[str] = (), *, content: bool = False
) -> pd.DataFrame:
    """A row for each list (`only` these, if there are any); `problems` names the files that are missing,
    damaged, left over or foreign, `changes` is how many changed rows lie beside the files. How old they are
    is by the connection's clock. `content` reads every byte. Raises `UsageFault` for a list that isn't
    there."""
    import pandas as pd

    now = int(connection.stripe_time()) if connection is not None else time.time()
    lists = mirrored_lists(mirror)
    begun = (
        {path.name[1:].removesuffix(".pull") for path in mirror.glob(".*.pull")} if mirror.exists() else set()
    )
    there = sorted({*lists, *begun})
    if absent := [name for name in only if name not in there]:
        raise UsageFault(
            f"{mirror} doesn't have {', '.join(absent)}.",
            advice=f"It has: {', '.join(there) or 'nothing yet'}.",
        )
    rows = [
        _row(name, lists.get(name), now, unfinished=name in begun, content=content)
        for name in there
        if name in only or not only
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["synced"] = pd.to_datetime(frame["synced"], unit="s", utc=True)
    notes = [f"{row['list']}: {row['problems']}" for row in rows if row["problems"]]
    if any(row["problems"] and not row["complete"] for row in rows):
        notes.append("%stripe sync FOLDER --repair reads again what is missing.")
    complete = not begun and all(bool(row["complete"]) for row in rows)
    return describe(frame, "sync", complete=complete, notes=notes, target=str(mirror))


def _row(
    name: str, found: ListFolder | None, now: float, *, unfinished: bool, content: bool
) -> dict[str, object]:
    manifest = found.manifest if found is not None else None
    problems = found.problems(content=content) if found is not None else []
    named = [f"{each.name}: {each.problem}" for each in problems]
    if manifest is not None and manifest.details.get("hole"):
        named.append(str(manifest.details["hole"]))
    synced = manifest.details.get("synced") if manifest is not None else None
    return {
        "list": name,
        "rows": manifest.rows if manifest is not None else 0,
        "synced": synced,
        "age_hours": round((now - synced) / 3600, 1) if synced is not None else float("nan"),
        "account": manifest.details.get("account", "") if manifest is not None else "",
        "files": len(manifest.every_file) if manifest is not None else 0,
        "changes": found.changes_beside if found is not None else 0,
        "unfinished": unfinished,
        "complete": manifest is not None and manifest.complete and not any(each.is_hole for each in problems),
        "problems": "; ".join(named),
    }
