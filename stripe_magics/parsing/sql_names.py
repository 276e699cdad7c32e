"""`{{name}}` in a query: the value goes beside the query, never into its text.

Outside of quotes it becomes a parameter (`$1`), a list as many as it has. Inside quotes it is a part of that
text, whose quotes are doubled. Comments stay as they are. So a customer's name with a quote in it is a name,
not the end of one. Where a text ends must be certain: names beside `E'...'`, `$$...$$` and comments inside
comments are read only outside of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from stripe_magics._form_encoding import describe_missing, plain
from stripe_magics.errors import UsageFault
from stripe_magics.parsing.variables import EVALUATED, INSIDE, look_up, plain_text, refuse_expression

_PARTS = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))|(?P<other>(?<!\w)[eE]'(?:[^'\\]|''|\\.)*'?"""
    r"""|\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z))|(?P<quoted>'(?:[^']|'')*'?|"(?:[^"]|"")*"?)"""
    r"""|(?P<name>\{\{.*?\}\})|(?P<own>\$\d+|\?)""",
    re.DOTALL,
)
_SIMPLE = (str, int, Decimal, datetime, date, time, timedelta)


def with_values(query: str, namespace: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The query with parameters in place of its names, and their values in order.

    Raises `UnknownName` for a name that isn't there, `UsageFault` for one that is missing or can't stand in a
    query.
    """
    values: list[Any] = []
    if not INSIDE.search(query) and not EVALUATED.search(query):
        return query, values

    def read(found: re.Match[str]) -> str:
        if found["comment"]:
            if "/*" in found[0][2:] and found[0].startswith("/*"):
                raise UsageFault(
                    "A comment inside a comment: where it ends isn't certain.",
                    advice="Take the inner /* out of a query with names in braces.",
                )
            return found[0]
        if found["other"]:
            if INSIDE.search(found[0]) or EVALUATED.search(found[0]):
                raise UsageFault(
                    f"{found[0][:40]}: names in braces aren't read inside E'...' and $$...$$.",
                    advice="Write the name outside of quotes.",
                )
            return found[0]
        if found["own"]:
            raise UsageFault(
                f"{found[0]} has no value beside names in braces, which become parameters themselves.",
                advice="Write the name there: {{name}}.",
            )
        if found["quoted"]:
            return _quoted(found[0], namespace)
        name = INSIDE.fullmatch(found[0])
        if name is None:
            refuse_expression(found[0])
            return ""
        inside_list = re.search(r"\(\s*\Z", query[: found.start()]) and re.match(
            r"\s*\)", query[found.end() :]
        )
        return _parameters(found[0], look_up(name[1], namespace), values, bare=bool(inside_list))

    return _PARTS.sub(read, query), values


def _quoted(text: str, namespace: Mapping[str, Any]) -> str:
    for found in EVALUATED.finditer(text):
        refuse_expression(found[0])
    quote = text[0]
    return INSIDE.sub(lambda found: plain_text(found[1], found[0], namespace).replace(quote, quote * 2), text)


def _parameters(source: str, value: object, values: list[Any], *, bare: bool) -> str:
    """`$1` for a value, `($1, $2)` for several; `bare` where the parentheses stand there already."""
    listed = value.tolist() if hasattr(value, "tolist") and hasattr(value, "__len__") else value
    if isinstance(listed, (list, tuple, set, frozenset)):
        if not listed:
            raise UsageFault(f"{source} is empty: there is nothing to compare with.")
        marks = ", ".join(_parameter(source, each, values) for each in listed)
        return marks if bare else f"({marks})"
    return _parameter(source, value, values)


def _parameter(source: str, value: object, values: list[Any]) -> str:
    simple = plain(value)
    simple = simple.to_pydatetime() if hasattr(simple, "to_pydatetime") else simple
    if simple is None:
        raise UsageFault(f"{source}: the value is missing ({describe_missing(value)}).")
    if isinstance(simple, int) and not -(2**127) < simple < 2**127:
        raise UsageFault(f"{source} is larger than any number of a database.")
    if not isinstance(simple, (*_SIMPLE, float)):
        raise UsageFault(
            f"{source} is a {type(value).__name__}; a query takes text, numbers, dates and lists of them."
        )
    values.append(simple)
    return f"${len(values)}"
