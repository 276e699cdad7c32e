"""The lowest versions that pyproject.toml declares, as a constraints file:
`python .ci/lowest.py > lowest.txt`.

ipywidgets 7 goes with the kernel of its time: of those, the versions that Colab has (colab.txt).
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

COMPANIONS = ("pyparsing<3.3",)  # a newer one warns of the names that matplotlib 3.8 uses
EXTRAS = ("plot", "duckdb", "excel", "keyring", "locale")


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
    declared = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(declared)["project"]
    extras = [each for name in EXTRAS for each in project["optional-dependencies"][name]]
    found = lowest([*project["dependencies"], *extras])
    own = {each.partition("==")[0] for each in found}
    colab = (Path(__file__).parent / "colab.txt").read_text(encoding="utf-8").split()
    companions = [each for each in colab if re.split("[=<>]", each)[0] not in own]
    print("\n".join([*found, *companions, *COMPANIONS]))


if __name__ == "__main__":
    main()
