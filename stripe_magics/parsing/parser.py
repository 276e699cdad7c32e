"""Text -> Command: the words of a line and the body of a cell, read by the catalogue.

The module's name comes first; it decides what every following word means (flags.py) and where a body's keys belong (nesting.py). What a
value may be is not judged here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stripe_magics import catalogue
from stripe_magics._command import Command
from stripe_magics.catalogue.module import Module
from stripe_magics.parsing import command_names, curl_and_cli
from stripe_magics.parsing.body_fields import read_body
from stripe_magics.parsing.call_builder import CallBuilder
from stripe_magics.parsing.flags import read_words
from stripe_magics.parsing.lexer import Word, split
from stripe_magics.parsing.options import VERBS
from stripe_magics.parsing.variables import refuse_keys


def read(line: str, cell: str | None, namespace: Mapping[str, Any]) -> Command:
    """The command of a line and a cell; see `command.parse`."""
    found = curl_and_cli.look(line, cell)
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
    if module.name == "api.call" and words and words[0].text in VERBS:
        call.give("method", VERBS[words[0].text])
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
    for header in found.headers:
        call.header(header)
    if found.json:
        call.give("body", found.json)


def ended(words: list[Word]) -> tuple[list[Word], bool]:
    """The words without the semicolon that ends a quiet line."""
    if not words or words[-1].text[-1:] != ";" or words[-1].mask[-1] != ".":
        return words, False
    last = words[-1].cut(0, -1)
    return ([*words[:-1], last] if last.text else words[:-1]), True


def named(words: list[Word]) -> tuple[Module, list[Word], bool]:
    """The module that the first words name, the words after them, and whether a question mark asks for its help."""
    asks = False
    if (
        words
        and words[-1].text.endswith("?")
        and words[-1].mask[-1] == "."
        and not any(word.flag for word in words)
    ):
        words, asks = [*words[:-1], words[-1].cut(0, -1)], True
        words = words if words[-1].text else words[:-1]
    if (
        words
        and words[0].text in VERBS
        and (len(words) == 1 or command_names.is_path(words[1].text, words[0].text))
    ):
        return catalogue.find("api.call"), words[1:], asks
    names = []
    for word in words[:5]:
        if word.flag or not re.fullmatch(r"[A-Za-z][\w.-]*", word.text):
            break
        names.append(word.text)
    name, taken = command_names.longest(names)
    return catalogue.find(name), words[taken:], asks
