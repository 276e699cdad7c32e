"""The first and the last words of a line: which module they name, whether a semicolon or a question mark ends
them."""

from __future__ import annotations

import itertools
import re

from stripe_magics import catalogue
from stripe_magics._characters import faults
from stripe_magics.catalogue.module import Module
from stripe_magics.errors import UsageFault
from stripe_magics.parsing import cli_names, command_names
from stripe_magics.parsing.flag_tables import HTTP_VERBS
from stripe_magics.parsing.lexer import Word


def ended(words: list[Word]) -> tuple[list[Word], bool]:
    """The words without the semicolon that ends a quiet line."""
    if not words or words[-1].text[-1:] != ";" or words[-1].mask[-1] != ".":
        return words, False
    last = words[-1].cut(0, -1)
    return ([*words[:-1], last] if last.text else words[:-1]), True


def named(words: list[Word]) -> tuple[Module, list[Word], bool]:
    """The module that the first words name, the words after them, and whether a question mark asks for its
    help."""
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
        and words[0].text in HTTP_VERBS
        and (len(words) == 1 or command_names.is_path(words[1].text, words[0].text))
    ):
        return catalogue.find("api.call"), words[1:], asks
    names: list[str] = []
    for word in words[:5]:
        if word.flag or not re.fullmatch(r"[A-Za-z][\w.-]*", word.text):
            if not word.flag and len(names) < 2 and (odd := next(faults(word.text), "")):
                raise UsageFault(f"{word.text!r} {odd}. Nothing was sent.")
            break
        names.append(word.text)
    joined = [".".join(names[:count]).replace("-", "_").lower() for count in range(len(names) + 1)]
    for count in (3, 2):  # what the ids decide comes first
        if count < len(joined):
            found = cli_names.meant(joined[count], _ids(words[count:]))
            if found != joined[count] or found in cli_names.PATHS:
                return _of_cli(found, words[count:], asks=asks)
    name, taken = command_names.longest(names)
    return catalogue.find(name), words[taken:], asks


def _ids(words: list[Word]) -> list[str]:
    """The words without a flag that follow a name."""
    return [word.text for word in itertools.takewhile(lambda word: not word.flag, words)]


def _of_cli(name: str, words: list[Word], *, asks: bool) -> tuple[Module, list[Word], bool]:
    if name not in cli_names.PATHS:
        return catalogue.find(name), words, asks
    method, path = cli_names.PATHS[name]
    if not _ids(words):
        raise UsageFault(f"{name.replace('.', ' ')} needs an ID.")
    filled = Word.plain(path.format(words[0].text))
    return catalogue.find("api.call"), [Word.plain("--method"), Word.plain(method), filled, *words[1:]], asks
