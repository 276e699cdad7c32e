"""Text -> Command: the words of a line and the body of a cell, read by the catalogue.

The module's name comes first; it decides what every following word means (flags.py) and where a body's keys
belong (body_fields.py). What a value may be is not judged here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stripe_magics._command import Command
from stripe_magics.parsing import curl_and_cli
from stripe_magics.parsing.body_fields import read_body
from stripe_magics.parsing.call_builder import CallBuilder
from stripe_magics.parsing.command_words import ended, named
from stripe_magics.parsing.flag_tables import HTTP_VERBS
from stripe_magics.parsing.flags import read_words
from stripe_magics.parsing.lexer import split
from stripe_magics.parsing.variables import refuse_keys


def read(line: str, cell: str | None, namespace: Mapping[str, Any]) -> Command:
    """The command of a line and a cell; see `parsing.parse`."""
    found = curl_and_cli.look(line, cell, namespace)
    if found is not None:
        call = CallBuilder(found.module, namespace, notes=list(found.notes))
        read_words(call, found.words)
        _pasted_parts(call, found)
        return call.command()
    refuse_keys(line, cell)
    words, quiet = ended(split(line))
    module, rest, asks = named(words)
    call = CallBuilder(module, namespace)
    call.options |= {"quiet": True} if quiet else {}
    call.options |= {"help": True} if asks else {}
    if module.name == "api.call" and words and words[0].text in HTTP_VERBS:
        call.give("method", HTTP_VERBS[words[0].text])
    flags_below = cell is not None and re.match(r"\s*--?[A-Za-z]", cell)
    read_words(call, [*rest, *split(cell or "")] if flags_below else rest)
    if cell is not None and cell.strip() and not flags_below:
        read_body(call, cell)
    return call.command()


def _pasted_parts(call: CallBuilder, found: curl_and_cli.Pasted) -> None:
    """What a pasted request says beside its words."""
    for name, value in found.path_values:
        call.give(name, value)
    for name, value in found.params:
        call.param(name, value)
    for name, value in found.headers:
        call.header(name, value)
    if found.quiet:
        call.options["quiet"] = True
    if found.json:
        call.give("body", found.json)
