"""JavaScript and CSS that ship: they parse, and they keep the rules that a linter would hold them to.

Node comes with Playwright, so that no other tool has to be installed.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

PACKAGE = Path(__file__).parents[1] / "stripe_magics"
SCRIPTS = sorted(PACKAGE.rglob("static/*.js"))
SHEETS = sorted(PACKAGE.rglob("static/*.css"))

FORBIDDEN = {
    r"\bvar\s": "const or let",
    r"[^=!]==[^=]|!=[^=]": "=== and !==",
    r"\bconsole\.": "nothing is logged: what is typed may be secret",
    r"\b(inner|outer)HTML\b|insertAdjacentHTML|document\.write": (
        "text is set by textContent: no HTML is made of what came"
    ),
    r"\beval\(|new Function\(": "no code is made of text",
    r"\b(local|session)Storage\b|document\.cookie": "a browser keeps nothing",
    r"https?://(?!www\.w3\.org/)": "nothing is loaded from elsewhere",
}


def test_there_are_files() -> None:
    assert len(SCRIPTS) >= 4
    assert len(SHEETS) >= 4


def test_scripts_parse_as_modules() -> None:
    node = compute_driver_executable()[0]
    problems = []
    for path in SCRIPTS:
        run = [node, "--check", "--input-type=module", "-"]
        done = subprocess.run(
            run, input=path.read_text(), capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode:
            problems.append(f"{path.name}: {done.stderr}")
    assert not problems, "\n".join(problems)


def test_a_script_that_does_not_parse_is_found() -> None:
    run = [compute_driver_executable()[0], "--check", "--input-type=module", "-"]
    assert subprocess.run(
        run, input="const a = ;", capture_output=True, text=True, timeout=120, check=False
    ).returncode


def test_lines_end_by_column_110() -> None:
    """What ruff holds Python to, for all that is no Python."""
    top = PACKAGE.parent
    others = [
        *top.glob(".ci/*"), *top.glob(".github/**/*.yml"), *top.glob("tests/**/*.js"),
        *top.glob("tests/**/*.mjs"), top / "pyproject.toml", top / "notebooks" / "mkdocs.yml",
    ]  # fmt: skip
    files = [each for each in (*SCRIPTS, *SHEETS, *others) if each.is_file()]
    assert len(files) > 25
    long = [
        f"{path.relative_to(top)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 110
    ]
    assert not long


def test_scripts_keep_the_rules() -> None:
    problems = []
    for path in SCRIPTS:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = re.sub(r"(^|\s)//.*", "", line)
            problems += [
                f"{path.name}:{number}: {rule}"
                for pattern, rule in FORBIDDEN.items()
                if re.search(pattern, code)
            ]
    assert not problems, "\n".join(problems)


def test_sheets_are_closed_and_name_our_own_classes() -> None:
    """A rule that names no class of ours would change the whole notebook's page."""
    problems = []
    for path in SHEETS:
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        if text.count("{") != text.count("}"):
            problems.append(f"{path.name}: braces")
        text = re.sub(r"@(?:container|media)[^{]*\{", "", text)  # its rules are judged like the others
        for selectors in re.findall(r"([^{}@;]+)\{", text):
            problems += [
                f"{path.name}: {each.strip()}"
                for each in re.sub(r"\([^()]*\)", "", selectors).split(",")
                if not re.search(r"\.sm-|:root|:host", each)
                and not each.strip().startswith(("--", "from", "to"))
            ]
        if "!important" in text and "sm-" not in text:
            problems.append(f"{path.name}: !important")
    assert not problems, "\n".join(problems)
