"""HTML as values: every text is escaped, attributes too, and nothing is rendered as mathematics.

`tag("td", "a < b", style="...")` gives `Markup`, a str that is safe to put into another tag; any other text
is escaped on the way in.
`output(...)` wraps what a notebook shows: JupyterLab, Notebook and Voila read `$...$` as TeX unless the
classes here say no.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from stripe_magics._characters import in_order

NO_MATHEMATICS = "tex2jax_ignore mathjax_ignore"
"""The classes by which MathJax 2 and 3 leave an element alone."""
_CODE = re.compile(r"`([^`\n]+)`")
_EMPTY = frozenset({"br", "hr", "img", "input"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: object) -> Markup:
    """The value as HTML: markup stays, everything else is escaped, and reads in its own order."""
    return value if isinstance(value, Markup) else Markup(escape(in_order(str(value))))


def join(parts: Iterable[object]) -> Markup:
    """Several values, one after the other."""
    return Markup("".join(text(each) for each in parts))


def with_code(words: object) -> Markup:
    """Our own words as HTML: what stands in `backticks` as code."""
    if isinstance(words, Markup):
        return words
    parts = _CODE.split(str(words))  # plain, code, plain ...
    return join(tag("code", each) if place % 2 else each for place, each in enumerate(parts))


def tag(name: str, *inside: object, **attributes: str | bool | None) -> Markup:
    """An element. `class_`, `for_` are `class`, `for`; `data_x` is `data-x`; None and False leave an
    attribute out, "" and True give its name."""
    given = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        given.append(f" {attribute}" if value is True else f' {attribute}="{escape(str(value))}"')
    opening = f"<{name}{''.join(given)}>"
    return Markup(opening if name in _EMPTY else f"{opening}{join(inside)}</{name}>")


def table(
    head: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    sides: Mapping[int, str] | None = None,
    by_sheet: bool = False,
    **attributes: str | None,
) -> Markup:
    """A table; `sides` are columns (by place) that aren't at the left, `by_sheet` leaves that to a style
    sheet.

    A cell that is a `td` or `th` already is taken as it is.
    """
    aligned = sides or {}

    def cells(kind: str, row: Sequence[object]) -> Markup:
        return join(
            (
                each
                if isinstance(each, Markup) and each.startswith(("<td", "<th"))
                else tag(kind, each, style=None if by_sheet else f"text-align:{aligned.get(place, 'left')}")
            )
            for place, each in enumerate(row)
        )

    top = tag("thead", tag("tr", cells("th", head))) if head else Markup("")
    return tag("table", top, tag("tbody", join(tag("tr", cells("td", row)) for row in rows)), **attributes)


def scrolling(inside: object, label: str) -> Markup:
    """What may be wider than the page, in a box of its own that the keyboard can reach and scroll."""
    return tag("div", inside, role="group", aria_label=label, tabindex="0", style="overflow-x:auto")


def output(*parts: object, **attributes: str | None) -> Markup:
    """What a notebook shows as one output, with mathematics switched off."""
    own = attributes.pop("class_", "") or ""
    return tag("div", *parts, class_=f"{NO_MATHEMATICS} {own}".strip(), **attributes)
