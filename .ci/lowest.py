"""The lowest versions that pyproject.toml declares, as a constraints file: `python .ci/lowest.py > lowest.txt`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

EXTRAS = ("plot", "duckdb", "excel", "keyring")


def lowest(requirements: list[str]) -> list[str]:
    """`pandas>=2.2` -> `pandas==2.2`; what is pinned stays so."""
    found = []
    for each in requirements:
        parts = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(?:>=|==)\s*([0-9][\w.]*)", each)
        if parts is not None:
            found.append(f"{parts[1]}=={parts[2]}")
    return found


def main() -> None:
    """Print them."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [each for name in EXTRAS for each in project["optional-dependencies"][name]]
    print("\n".join(lowest([*project["dependencies"], *extras])))


if __name__ == "__main__":
    main()
