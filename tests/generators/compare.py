"""What a new release of the `stripe` package changes against the facts that ship: `python
tests/generators/compare.py [RELEASE]`.

Prints a report in Markdown (its first line is a title), or nothing where there is no newer release.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from generators import operations_file
from generators.package import Package
from generators.parameter_types import ParameterTypes
from generators.releases import RELEASES

Found = dict[tuple[str, str], operations_file.Operation]


def newest() -> str:
    """The newest release that pip finds."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", "stripe"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"\((\d+(?:\.\d+)+)\)", done.stdout)
    return found[1] if found else ""


def report(old: str, new: str) -> str:
    """What `new` changes against `old`."""
    types = ParameterTypes()
    packages = {each: Package(each) for each in (old, new)}
    before, after = (_operations(each, types) for each in packages.values())
    versions = f"API version {packages[old].api_version} -> {packages[new].api_version}."
    return described(types, (old, before), (new, after), versions)


def described(
    types: ParameterTypes, earlier: tuple[str, Found], later: tuple[str, Found], versions: str
) -> str:
    """The report, from the operations of both."""
    (old, before), (new, after) = earlier, later
    gone = [
        f"- {method} {path} ({before[method, path].name})"
        for method, path in sorted(before.keys() - after.keys())
    ]
    added = [
        f"- {method} {path} ({after[method, path].name})"
        for method, path in sorted(after.keys() - before.keys())
    ]
    changed = [
        f"- {after[each].name}: {line}"
        for each in sorted(before.keys() & after.keys())
        for line in _changes(types, before[each].shapes[old], after[each].shapes[new])
    ]
    parts = [
        f"# stripe {new}: {len(added)} new operations, {len(gone)} gone, {len(changed)} parameters changed",
        "",
    ]
    parts += [versions, ""]
    for title, lines in (("New operations", added), ("Gone", gone), ("Parameters", changed)):
        parts += [f"## {title}", "", *(lines or ["none"]), ""]
    parts.append('To take it over: CONTRIBUTING, "A new release of the `stripe` package".')
    return "\n".join(parts)


def _operations(package: Package, types: ParameterTypes) -> Found:
    return {
        (method, re.sub(r"\{\w+\}", "{}", each.path)): each
        for method, each in operations_file.operations(package, types)
    }


def _changes(types: ParameterTypes, old: int, new: int) -> Iterator[str]:
    """The parameters that differ, at the first level."""
    if old == new:
        return
    before = {each[0]: each for each in types.shapes[old]} if old >= 0 else {}
    after = {each[0]: each for each in types.shapes[new]} if new >= 0 else {}
    yield from (f"`{name}` is new" for name in sorted(after.keys() - before.keys()))
    yield from (f"`{name}` is gone" for name in sorted(before.keys() - after.keys()))
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            choices = _choices(types, after[name][1]) - _choices(types, before[name][1])
            yield f"`{name}` changed" + (f": also {', '.join(sorted(choices))}" if choices else "")


def _choices(types: ParameterTypes, code: str) -> set[str]:
    return {value for each in re.findall(r"c(\d+)", code) for value in types.choices[int(each)]}


def main() -> None:
    """Compare the newest release, or the one that is named, with the newest known one."""
    known = list(RELEASES)[-1]
    new = sys.argv[1] if len(sys.argv) > 1 else newest()
    if new and new != known:
        print(report(known, new))


if __name__ == "__main__":
    main()
