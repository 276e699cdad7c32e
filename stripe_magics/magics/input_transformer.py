"""What is done to a cell's text before IPython reads it, on lines with our magic only:

- `%stripe customers create?` is help on that module (IPython would look up a variable `create`); a value may
  end in a question mark;
- a tab after `%stripe` becomes a space (IPython would take it for a part of the magic's name);
- comments and empty lines above `%%stripe` are dropped (IPython takes a cell magic in the first line only).
"""

from __future__ import annotations

import re

_LINE = re.compile(
    r"^(?P<before>\s*(?:[^\W\d][\w.,\[\]'\" ]*=\s*)?%stripe)(?P<gap>[ \t]+)(?P<rest>.*?)(?P<end>\r?\n?)\Z",
    re.DOTALL,
)
_CELL = re.compile(r"^\s*%%stripe(?=\s|\Z)")
_HELP = re.compile(r"^(?P<words>[A-Za-z][\w.-]*(?:\s+[A-Za-z][\w.-]*)*)\s*\?{1,2}\s*\Z")


def transform(lines: list[str]) -> list[str]:
    """The cell's lines, changed where one of ours is concerned."""
    if not any("%stripe" in line for line in lines):
        return lines
    lines = _lead(lines)
    if lines and _CELL.match(lines[0]):
        return [_cell_head(lines[0]), *lines[1:]]
    quoted = False  # inside a text of several lines nothing is touched
    out = []
    for line in lines:
        out.append(line if quoted else _line(line))
        if line.count('"""') % 2 or line.count("'''") % 2:
            quoted = not quoted
    return out


def _lead(lines: list[str]) -> list[str]:
    """Without comments and empty lines above a `%%stripe`."""
    for at, line in enumerate(lines):
        if _CELL.match(line):
            return [line.lstrip(), *lines[at + 1 :]]
        if line.strip() and not line.lstrip().startswith("#"):
            return lines
    return lines


def _cell_head(line: str) -> str:
    """`%%stripe<tab>...` with a space; a cell that has nothing below its first line is run as a line by
    IPython's own rules."""
    return re.sub(r"^%%stripe\t", "%%stripe ", line)


def _line(line: str) -> str:
    found = _LINE.match(line)
    if found is None:
        return line
    gap = " " if "\t" in found["gap"] else found["gap"]
    asked = _HELP.match(found["rest"])
    rest = f"{asked['words']} --help" if asked else found["rest"]
    if rest.rstrip().endswith("?"):  # the end of a value: IPython would take it for a question
        rest += "  # the question mark belongs to the text"
    return f"{found['before']}{gap}{rest}{found['end']}"
