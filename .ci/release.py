"""Make a release: `python .ci/release.py 0.4.0 [--dry-run|--notes] [--root FOLDER] [--unchecked]`.

    clean main, newer version, CHANGELOG entry -> version -> .ci/check
    -> build, twine, contents -> SHA256SUMS -> commit -> tag

Nothing is pushed: the last line says how. Every step that fails leaves the repository as it was. `--notes`
prints what the CHANGELOG says of the version that the tree has: the workflow's text of the release.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = Path("stripe_magics/_version.py")
_ASSIGNED = re.compile(r'__version__ = "([^"]+)"')
_NUMBER = re.compile(r"\d+\.\d+\.\d+")


def main() -> int:
    """Check, then do it."""
    given = _arguments()
    root = Path(given.root).resolve()
    if given.notes:
        return _notes(root, given.version)
    faults = problems(root, given.version)
    if faults:
        print("No release:", *faults, sep="\n  ")
        return 1
    print(f"{given.version}: the tree is clean, the CHANGELOG has its entry.")
    if given.dry_run:
        return 0
    before = (root / VERSION).read_text(encoding="utf-8")
    (root / VERSION).write_text(_ASSIGNED.sub(f'__version__ = "{given.version}"', before), encoding="utf-8")
    try:
        if not given.unchecked:
            _run(root, str(root / ".ci/check"))
        _build(root)
        _run(root, "git", "commit", "-q", "-m", f"Release {given.version}", str(VERSION))
        _run(root, "git", "tag", "-a", f"v{given.version}", "-m", entry(root, given.version))
    except (subprocess.CalledProcessError, OSError) as error:
        (root / VERSION).write_text(before, encoding="utf-8")
        print(f"No release: {error}")
        return 1
    print(f"Built and tagged. Publish it with: git push origin main v{given.version}")
    return 0


def _notes(root: Path, version: str) -> int:
    now = _ASSIGNED.search((root / VERSION).read_text(encoding="utf-8"))
    text = entry(root, version)
    if now is None or now[1] != version or not text:
        print(
            f"No release: the tree is {now[1] if now else 'without a version'}, asked for was {version},"
            f" and CHANGELOG.md has {'its' if text else 'no'} entry.",
            file=sys.stderr,
        )
        return 1
    print(text.partition("\n")[2].strip())
    return 0


def problems(root: Path, version: str) -> list[str]:
    """Why that release can't be made, all at once."""
    found = []
    now = _ASSIGNED.search((root / VERSION).read_text(encoding="utf-8"))
    if not _NUMBER.fullmatch(version):
        found.append(f"{version} is not a version such as 0.4.0.")
    elif now is None or _parts(version) <= _parts(now[1]):
        found.append(f"{version} is not newer than {now[1] if now else 'the present one'}.")
    if _said(root, "git", "branch", "--show-current") != "main":
        found.append("Releases are made from main.")
    if _said(root, "git", "status", "--porcelain"):
        found.append("There are changes that aren't committed.")
    if f"v{version}" in _said(root, "git", "tag").split():
        found.append(f"The tag v{version} exists.")
    text = entry(root, version)
    if len(text.split()) < 5:
        found.append(f"CHANGELOG.md has no entry '## {version}' that says what changes for a person.")
    return found


def entry(root: Path, version: str) -> str:
    """What the CHANGELOG says of a version."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(version)}\s*$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return f"{version}\n{found[1].rstrip()}" if found else ""


def _build(root: Path) -> None:
    dist = root / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    _run(root, sys.executable, "-m", "build", "-q", "--outdir", str(dist), ".")
    files = sorted(dist.iterdir())
    _run(root, sys.executable, "-m", "twine", "check", "--strict", *map(str, files))
    _run(root, sys.executable, str(Path(__file__).with_name("wheel_contents.py")), *map(str, files))
    sums = "".join(f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in files)
    (dist / "SHA256SUMS").write_text(sums, encoding="utf-8")


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version))


def _run(root: Path, *command: str) -> None:
    subprocess.run(command, cwd=root, check=True)


def _said(root: Path, *command: str) -> str:
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make a release.")
    parser.add_argument("version")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--notes", action="store_true", help="print this version's entry of the CHANGELOG")
    parser.add_argument("--root", default=str(Path(__file__).parents[1]))
    parser.add_argument("--unchecked", action="store_true", help="without .ci/check: it ran just before")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
