"""Play the story with the official packages, of the releases that speak the two versions: `python
tests/official_clients/run.py [FOLDER]`.

Python (stripe 11.6.0 and 16.1.0, by pip) and Node (stripe 17.7.0 and 23.1.0, by npm), each in an environment
of its own below FOLDER (a temporary one unless it is named; what is installed there already is used again).
Each plays over HTTP in both API versions. Ends with 1 if any sees anything else than `answers.py` says. It
needs node, npm and the two registries, so it is no part of the suite: that plays the Python story only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from official_clients.answers import VERSIONS, differences, sandbox

HERE = Path(__file__).resolve().parent
PYTHON, NODE = ("11.6.0", "16.1.0"), ("17.7.0", "23.1.0")


def python(folder: Path, release: str) -> list[str]:
    """How the story begins with a release of the Python package, installed if it isn't there."""
    own = folder / f"python-{release}"
    program = own / "bin" / "python"
    if not program.exists():
        venv.create(own, with_pip=True)
        subprocess.run([program, "-m", "pip", "install", "-q", f"stripe=={release}"], check=True)
    return [str(program), str(HERE / "story.py")]


def node(folder: Path, release: str) -> list[str]:
    """How it begins with a release of the Node package."""
    own = folder / f"node-{release}"
    if not (own / "node_modules" / "stripe").exists():
        own.mkdir(parents=True, exist_ok=True)
        (own / "package.json").write_text('{"private": true}')
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", f"stripe@{release}"],
            cwd=own,
            check=True,
        )
    return ["node", str(HERE / "story.mjs"), str(own)]


def main(folder: Path) -> int:
    """Play all of them; how many saw something else."""
    wrong = 0
    clients = {f"Python {each}": python(folder, each) for each in PYTHON} | {
        f"Node {each}": node(folder, each) for each in NODE
    }
    for name, command in clients.items():
        for version in VERSIONS:
            with sandbox() as address:
                ran = subprocess.run(
                    [*command, address, version], capture_output=True, text=True, check=False
                )
            found = differences(json.loads(ran.stdout)) if ran.returncode == 0 else [ran.stderr]
            wrong += bool(found)
            print(f"{name}, {version}: {'as it must be' if not found else chr(10).join(found)}", flush=True)
    return wrong


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(bool(main(Path(sys.argv[1]))))
    with tempfile.TemporaryDirectory() as own:
        sys.exit(bool(main(Path(own))))
