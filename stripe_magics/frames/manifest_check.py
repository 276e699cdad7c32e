"""Whether a folder's files are as its manifest says, and what to do with those that it doesn't name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from stripe_magics import _files
from stripe_magics.frames.manifest import CHANGE_SUFFIX, CHANGES, DataFile, Manifest

_OUR_NAMES = re.compile(
    r"part-\d{5}\.parquet|(?:\d{4}-\d{2}|part|rows|hidden)-[0-9a-f]{12}\.(?:parquet|changes)"
    r"|\..*\.[0-9a-f]{32}\.tmp|part-\d{5}\.parquet\.tmp"
)


class FileProblem(NamedTuple):
    """A file that isn't as the manifest says: missing, truncated, damaged, left over, or foreign."""

    name: str
    problem: str
    file: DataFile | None = None

    @property
    def is_hole(self) -> bool:
        """Whether rows are missing by it."""
        return self.file is not None


def check(folder: Path, manifest: Manifest, *, content: bool = False) -> list[FileProblem]:
    """What in a folder isn't as its manifest says; with `content` every byte is read."""
    problems = []
    for file in manifest.every_file:
        path = folder / file.name
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            problems.append(FileProblem(file.name, "missing", file))
            continue
        if size != file.size:
            problems.append(FileProblem(file.name, f"{size:,} bytes in place of {file.size:,}", file))
        elif content and file.sha256 and _files.checksum(path) != file.sha256:
            problems.append(FileProblem(file.name, "damaged: its checksum differs", file))
    named = {each.name for each in manifest.every_file}
    for path in _data_files(folder):
        name = path.relative_to(folder).as_posix()
        if name not in named and not path.name.endswith(_files.TEMPORARY):
            left_over = _OUR_NAMES.fullmatch(path.name) is not None
            problems.append(FileProblem(name, "left over" if left_over else "not of this mirror"))
    return problems


def remove_unnamed(folder: Path, manifest: Manifest) -> None:
    """Remove what bears a name of ours and isn't in the manifest. Only for who holds the folder's lock."""
    named = {each.name for each in manifest.every_file}
    for path in _data_files(folder):
        if path.relative_to(folder).as_posix() not in named and _OUR_NAMES.fullmatch(path.name):
            path.unlink(missing_ok=True)
    changes = folder / CHANGES
    if changes.is_dir() and not any(changes.iterdir()):
        changes.rmdir()


def _data_files(folder: Path) -> Iterable[Path]:
    for each in (folder, folder / CHANGES):
        if each.is_dir():
            yield from sorted(
                path
                for path in each.iterdir()
                if path.is_file()
                and (path.suffix in {".parquet", CHANGE_SUFFIX} or path.name.endswith(_files.TEMPORARY))
            )
