"""Pulls of lists under faults, a random seed each (every other one of a server with habits of its own), for
some minutes: how they ended; fails at the first row that is lost or doubled.

    python tests/benchmarks/bulk_faults.py MINUTES [FIRST_SEED]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

sys.path[0] = str(Path(__file__).parents[1])  # in place of this folder, whose `bulk` is another one

from bulk.faulty_list import attack  # noqa: E402


def main() -> None:
    minutes, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    first, until = seed, time.monotonic() + 60 * minutes
    ended: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        while time.monotonic() < until:
            ended[attack(seed, Path(folder), patch, odd=bool(seed % 2))] += 1
            seed += 1
    print(f"Seeds {first}-{seed - 1}: none lost, none doubled. {dict(ended)}")


if __name__ == "__main__":
    main()
