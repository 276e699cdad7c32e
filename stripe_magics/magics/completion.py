"""Completion in lines and in bodies: resources, actions, flags, values, nested body keys, ids that results
showed, names of frames.

All of it from the catalogue and from what this kernel has seen; never a request. `suggest` is a plain
function of the text before the cursor; ipython_hooks.py registers it with IPython.
"""

from __future__ import annotations

import re

from stripe_magics import catalogue
from stripe_magics.finance.report_table import REPORTS
from stripe_magics.magics.body_completion import in_body
from stripe_magics.magics.command_completion import in_line, rank
from stripe_magics.magics.suggestion import NO_MATCHES, CompletionContext, Matches, Suggestion, matching

MAX_LINE = 2_000  # characters; nobody completes a longer one
MAX_BODY = 50_000
_LINE = re.compile(r"(?:^|\n|=)[ \t]*%stripe[ \t]+(?P<rest>[^\n]*)\Z")
_CELL = re.compile(r"\A(?:[ \t]*(?:#[^\n]*)?\n)*%%stripe(?P<head>[^\n]*)(?P<body>\n.*)?\Z", re.DOTALL)


def line_of(text: str) -> str | None:
    """The line of ours at the end of a cell's text, without `%stripe`; None where there is none, or a body
    has begun."""
    if len(text) > MAX_BODY:
        return None
    cell = _CELL.match(text)
    if cell is not None:
        rest = cell["head"].lstrip() if cell["body"] is None else None
    else:
        line = _LINE.search(re.sub(r"\\\n", " ", text))
        rest = line["rest"] if line is not None else None
    return rest if rest is not None and len(rest) <= MAX_LINE else None


def suggest(text: str, context: CompletionContext) -> Matches | None:
    """Suggestions at the end of a cell's text (all of it up to the cursor); None where it isn't ours."""
    cell = _CELL.match(text)
    if cell is None:
        line = _LINE.search(re.sub(r"\\\n", " ", text))
        if line is None:
            return None
        return NO_MATCHES if len(line["rest"]) > MAX_LINE else in_line(line["rest"], context)
    if len(cell["head"]) > MAX_LINE or len(cell["body"] or "") > MAX_BODY:
        return NO_MATCHES
    if cell["body"] is None:
        return in_line(cell["head"].lstrip(), context)
    return in_body(cell["head"], cell["body"][1:], context) or NO_MATCHES


_CALLED = re.compile(r"\b(?:sm|stripe_magics)\.(?P<function>call|form|report)\(\s*[\"'](?P<name>[\w.]*)\Z")


def in_python(text: str) -> Matches | None:
    """Names of modules inside `sm.call("...` and `sm.form("...`, of reports inside `sm.report("...`; None
    anywhere else."""
    found = _CALLED.search(text[-200:])
    if found is None:
        return None
    if found["function"] == "report":
        reports = (Suggestion(name, "report", each.title) for name, each in REPORTS.items())
        return found["name"], matching(found["name"], reports)
    ranked = sorted(catalogue.names(), key=lambda name: rank("", name))
    return found["name"], matching(found["name"], (Suggestion(each, "module") for each in ranked))
