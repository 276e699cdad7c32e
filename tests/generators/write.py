"""Write the data files that ship, from the released `stripe` packages: `python tests/generators/write.py`."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from generators import object_columns, operations_file
from generators.package import Package
from generators.releases import RELEASES

PACKAGE = Path(__file__).parents[2] / "stripe_magics"
OPERATIONS = PACKAGE / "catalogue" / "generated" / "operations.json.gz"
COLUMNS = PACKAGE / "catalogue" / "generated" / "objects.json.gz"
EXPANDABLE = PACKAGE / "sandbox" / "api" / "expandable.json"


def generate() -> dict[Path, Any]:
    """What each data file has to hold."""
    packages = {release: Package(release) for release in RELEASES}
    return {
        OPERATIONS: operations_file.facts(packages),
        COLUMNS: object_columns.facts(packages),
        EXPANDABLE: object_columns.expandable(packages),
    }


def packed(path: Path, data: Any) -> bytes:
    """The bytes of a data file."""
    text = json.dumps(data, separators=(",", ":")).encode() + b"\n"
    return gzip.compress(text, 9, mtime=0) if path.suffix == ".gz" else text


def main() -> None:
    """Write them all."""
    for path, data in generate().items():
        path.write_bytes(packed(path, data))
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
