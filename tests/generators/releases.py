"""The released `stripe` packages that the facts are read from: fetched by pip into a temporary folder and
unpacked; never imported.

RELEASES          package -> the API version that it speaks, oldest first
unpacked("11.6.0")   the folder of that release's `stripe` package
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path

RELEASES = {"11.6.0": "2025-02-24.acacia", "16.1.0": "2026-10-28.endive"}


class NotFetchedError(Exception):
    """pip could not fetch a release: no registry is reached from here."""


@cache
def unpacked(release: str) -> Path:
    """The folder of a release's package. Raises `NotFetchedError` in pip's own words."""
    target = Path(_folder().name, release)
    line = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        f"stripe=={release}",
        "-d",
        str(target),
    ]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotFetchedError(f"pip can't fetch stripe {release}:\n{done.stderr.strip()}")
    (wheel,) = target.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(target)
    return target / "stripe"


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """One folder a process, which goes with it."""
    return tempfile.TemporaryDirectory(prefix="stripe-releases-")
