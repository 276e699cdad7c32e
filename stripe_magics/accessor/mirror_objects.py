"""Objects that `df.stripe.join` brings from a mirror (`%stripe sync FOLDER ...`) in place of the account: no
request, and no connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics.errors import FrameError
from stripe_magics.frames import manifest as manifests
from stripe_magics.frames.assemble import assemble
from stripe_magics.frames.frame_info import FrameInfo
from stripe_magics.frames.manifest import Manifest

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from stripe_magics.accessor.object_source import Reverse


class MirrorObjects:
    """The lists of a mirror, by object type. Raises `FrameError` if the folder has none, or is another
    account's."""

    def __init__(self, place: str | Path, info: FrameInfo) -> None:
        self.place = Path(place)
        self.lists: dict[str, tuple[Path, Manifest]] = {}
        self.notes: list[str] = []
        folders = [each for each in self.place.glob("*") if each.is_dir() and each.name[:1] not in "._"]
        for folder in sorted(folders):
            manifest = manifests.load(folder)
            if manifest is not None:
                self.lists[manifest.object_type] = folder, manifest
        if not self.lists:
            raise FrameError(
                f"{place} is not a mirror: it has no list.",
                advice="%stripe sync FOLDER customers ... makes one.",
            )
        others = {str(manifest.details.get("account") or "") for _, manifest in self.lists.values()} - {""}
        if info.account and others and others != {info.account}:
            raise FrameError(
                f"{place} mirrors another account ({', '.join(sorted(others))}) than the frame's"
                f" ({info.account})."
            )

    def by_id(self, kind: str, ids: Sequence[str]) -> pd.DataFrame:
        """The objects of these ids that the mirror has; `notes` say how many it hasn't."""
        found = assemble(list(self._rows(kind, "id", ids, None)), kind)
        missing = len(set(ids)) - len(found)
        if missing:
            self.notes.append(f"{missing:,} of {len(set(ids)):,} {kind} objects aren't in the mirror.")
        return found

    def pointing(
        self,
        rule: Reverse,
        ids: Sequence[str],
        since: int | None,  # noqa: ARG002 - a hint for who reads by time
    ) -> Iterator[dict[str, Any]]:
        """What must be known of the objects that point at one of these ids."""
        for table in self._rows(rule.kind, rule.field, ids, rule.fields):
            yield from table.to_pylist()

    def _rows(
        self, kind: str, field: str, ids: Sequence[str], columns: Sequence[str] | None
    ) -> Iterator[pa.Table]:
        import pyarrow as pa
        import pyarrow.compute as pc

        if kind not in self.lists:
            raise FrameError(
                f"The mirror {self.place} has no list of {kind} objects.",
                advice=f"It has: {', '.join(sorted(self.lists))}. %stripe sync adds a list.",
            )
        folder, manifest = self.lists[kind]
        if not manifest.complete:
            self.notes.append(f"The mirror's list of {kind} objects isn't complete.")
        looked_for = pa.array(list(ids), pa.string())
        for table in manifests.tables(folder, manifest, columns):
            if field not in table.column_names:
                raise FrameError(
                    f"The mirror's {kind} objects have no {field}, so nothing can be joined by it."
                )
            rows = table.filter(pc.is_in(table.column(field).cast(pa.string()), value_set=looked_for))
            if rows.num_rows:
                yield rows
