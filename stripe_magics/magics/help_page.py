"""A page of help, as text and as HTML: what it is about, an example, what is required; then the rest by
group.

The first screen says all of that: in HTML a group is one line that unfolds, in text a line names the groups
that follow below. Nothing is left out of either.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stripe_magics._html import Markup, join, output, scrolling, table, tag, with_code

WIDTH = 100  # characters of a line of text
FIRST_COLUMN = 26  # a longer flag has a line of its own
SHORT = 18  # lines that are shown at once: what is longer is folded
MAX_LISTED = 12  # values of a choice that the text names
MAX_HINT = 300  # characters of the names in a folded group's line
_WITH_MIDDLE = {
    "takes": "{}. Takes {}.",
    "is": "{} ({}).",
    "now": "{} (now {}).",
}  # by the head of the column in between
_FOLDED = "display:inline-block;vertical-align:top;max-width:100%;margin:2px 1.4em 2px 0"
_LEFT = "text-align:left;vertical-align:top"
_WHOLE = f"{_LEFT};white-space:nowrap"
MAX_WHOLE = 34  # characters of a name that stay on one line


@dataclass(frozen=True, slots=True)
class Listing:
    """A choice: what its values are, and all of them."""

    about: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        """As text, cut where completion is the better list."""
        if len(self.values) <= MAX_LISTED:
            return f"{self.about}: {', '.join(self.values)}"
        return f"{self.about}: {', '.join(self.values[:10])} ... {len(self.values)} in all (Tab lists them)"

    def html(self) -> Markup:
        """All of them, folded where they are many."""
        every = ", ".join(self.values)
        if len(self.values) <= MAX_LISTED:
            return join([with_code(self.about), ": ", every])
        return tag("details", tag("summary", with_code(self.about), f" {len(self.values)}"), every)


Cell = str | Listing


@dataclass(frozen=True, slots=True)
class HelpSection:
    """A table of the page. Its first column names what it explains; `folded` ones are one line until they are
    opened, `names` shows in that line what is in them."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: bool = False
    names: bool = False

    @property
    def count(self) -> str:
        """`Shipping (10)`."""
        return f"{self.title} ({len(self.rows)})"

    def text(self) -> list[str]:
        """Lines: the name, and beside it all that is said of it."""
        lines = [f"{self.title}:"] if self.title else []
        width = min(FIRST_COLUMN, max((len(str(row[0])) for row in self.rows), default=0))
        for row in self.rows:
            lines += _hanging(str(row[0]), self._said(row), width)
        return lines

    def _said(self, row: tuple[Cell, ...]) -> str:
        """What a row says beside its name, as one text: the last column, then the one in between."""
        said, middle = str(row[-1]), str(row[1]) if len(row) > 2 else ""
        return _WITH_MIDDLE.get(self.head[1], "{}. {}").format(said.rstrip("."), middle) if middle else said

    def html(self) -> Markup:
        """The table, or the line that unfolds it."""
        rows = [
            [
                tag("td", tag("code", str(row[0])), style=_WHOLE if len(str(row[0])) <= MAX_WHOLE else _LEFT),
                *(
                    tag("td", each.html() if isinstance(each, Listing) else with_code(each), style=_LEFT)
                    for each in row[1:]
                ),
            ]
            for row in self.rows
        ]
        inside = scrolling(table(self.head, rows), self.title or "What it takes")
        if not self.folded:
            return join([tag("div", tag("b", self.title)) if self.title else "", inside])
        return tag("details", tag("summary", self.count, self._hint()), inside, style=_FOLDED)

    def _hint(self) -> Markup:
        if not self.names:
            return Markup("")
        listed = ", ".join(str(row[0]) for row in self.rows)
        return tag("small", ": ", listed if len(listed) <= MAX_HINT else f"{listed[:MAX_HINT]} ...")


class HelpPage:
    """A page of help. `form` is the line that its button opens, "" where there is no form; `module` is set
    where that is the form of a module."""

    def __init__(
        self,
        title: str,
        intro: Iterable[str],
        sections: Sequence[HelpSection] = (),
        example: str = "",
        *,
        module: str = "",
        form: str = "",
    ) -> None:
        self.title, self.intro, self.example = title, [line for line in intro if line], example
        self.sections = [each for each in sections if each.rows]
        self.module, self.form = module, form

    def __repr__(self) -> str:
        out = [self.title]
        for line in self.intro:
            out += textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="    ")
        out += ["", f"  {self.example}"] if self.example else []
        below = [each.count for each in self.sections if each.folded]
        for each in self.sections:
            if each.folded and below:
                listed = f"Below: {', '.join(below)}."
                out += ["", *textwrap.wrap(listed, WIDTH, initial_indent="  ", subsequent_indent="    ")]
                below = []
            out += ["", *each.text()]
        return "\n".join(out).rstrip()

    def _repr_html_(self) -> str:
        parts: list[object] = [
            tag("div", tag("b", self.title)),
            *(tag("div", with_code(line)) for line in self.intro),
        ]
        if self.example:
            parts.append(tag("pre", tag("code", self.example)))
        return output(*parts, *(each.html() for each in self.sections))


def _hanging(name: str, said: str, width: int) -> list[str]:
    """A name with its explanation beside it; below it where the name is too long."""
    indent = " " * (width + 4)
    wrapped = textwrap.wrap(said, WIDTH, initial_indent=indent, subsequent_indent=indent)
    if len(name) > width or not wrapped:
        return [f"  {name}", *wrapped]
    return [f"  {name:<{width}}  {wrapped[0].lstrip()}", *wrapped[1:]]
