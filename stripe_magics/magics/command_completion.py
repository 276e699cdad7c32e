"""Completion in a line: resources, actions, flags, and the value that a flag waits for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import takewhile

from stripe_magics import catalogue
from stripe_magics._options import OPTIONS, find_option
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.kinds import REPEATED, Shape, kind_name, shape_of
from stripe_magics.catalogue.module import Module
from stripe_magics.errors import StripeMagicsError
from stripe_magics.finance.report_table import REPORTS
from stripe_magics.magics.completion_values import OWN_VALUES, VALUES, field_values, names, values_of
from stripe_magics.magics.suggestion import CompletionContext, Matches, Suggestion, matching
from stripe_magics.parsing.command_names import bracketed, is_path, longest
from stripe_magics.parsing.flag_tables import HTTP_VERBS, SHORT
from stripe_magics.parsing.lexer import split


def in_line(rest: str, context: CompletionContext) -> Matches:
    """Suggestions for the last word of a line."""
    piece = last_piece(rest)
    try:
        words = [word.text for word in split(rest[: len(rest) - len(piece)])]
    except StripeMagicsError:
        return piece, []  # inside a quote
    if piece.startswith("$"):
        return piece, matching(piece, names(context))
    module, taken = known(words)
    if module is None:
        return piece, matching(piece, _first_words(words))
    previous = words[-1] if len(words) > taken else ""
    flag, equals, value = piece.partition("=")
    if piece.startswith("--") and equals:
        return _valued(module, flag, value, context)
    if piece.startswith("-"):
        return piece, matching(piece, flags(module, words[taken:]))
    wants = _waiting(module, previous)
    if wants is not None:
        return matching_last_item(module.get(wants), piece, values_of(module, wants, context), wants)
    used = sum(1 for _ in positional(module, words[taken:]))
    hits: list[Suggestion] = list(VALUES["booleans"](context)) if _switch(module, previous) else []
    if used < len(module.path_fields):
        hits += list(field_values(module.path_fields[used], context))
    if not piece:
        hits += list(flags(module, words[taken:]))
    return piece, matching(piece, hits)


def known(words: list[str]) -> tuple[Module | None, int]:
    """The module that the words name, and how many of them."""
    if words and words[0] in HTTP_VERBS and (len(words) == 1 or is_path(words[1], words[0])):
        return catalogue.find("api.call"), 1
    names_ = list(takewhile(lambda word: re.fullmatch(r"[A-Za-z][\w.-]*", word), words[:5]))
    if not names_ or ".".join(names_).replace("-", "_").lower() in catalogue_tree():
        return None, 0
    try:
        name, taken = longest(names_)
    except StripeMagicsError:
        return None, 0
    return catalogue.find(name), taken


@cache
def catalogue_tree() -> dict[str, dict[str, str]]:
    """What may follow the first words of a name: "checkout" -> {"sessions": "resource"}, "customers" ->
    {"create": "create"}."""
    tree: dict[str, dict[str, str]] = {"": {}}
    for resource, actions in catalogue.actions_by_resource().items():
        parts = resource.split(".")
        for at, part in enumerate(parts):
            tree.setdefault(".".join(parts[:at]), {}).setdefault(part, "resource")
        tree.setdefault(resource, {}).update(dict.fromkeys(actions, "action"))
    return tree


def _first_words(words: list[str]) -> Iterator[Suggestion]:
    """The next word of a name: a resource, an action, or a word of ours."""
    from stripe_magics.magics import settings
    from stripe_magics.magics.subcommands import SUBCOMMANDS
    from stripe_magics.magics.subcommands.flag_help import about

    path = ".".join(words).replace("-", "_").lower()
    for subcommand in SUBCOMMANDS.values():
        if list(subcommand.words[: len(words)]) == words and len(subcommand.words) > len(words):
            yield Suggestion(subcommand.words[len(words)], "command", subcommand.help)
    if not words:
        yield from (Suggestion(method, "request") for method in HTTP_VERBS)
    own = SUBCOMMANDS.get(tuple(words[:2])) or SUBCOMMANDS.get(tuple(words[:1]))
    last = words[-1].removeprefix("--").replace("-", "_") if words and words[-1].startswith("--") else ""
    if own is not None and last in OWN_VALUES and last in own.flags:
        yield from (Suggestion(each, last) for each in OWN_VALUES[last]())
        return
    if own is not None and own.name == "config" and last in own.flags:
        yield from (Suggestion(each, "setting") for each in settings.choices(last))
        return
    if own is not None and own.flags.get(last) in {"text", "list"}:
        return  # its value is next, which nobody but the person knows
    if own is not None and own.name == "report" and last and (choices := _report_choices(words, last)):
        yield from (Suggestion(each, last) for each in choices)
        return
    if own is not None and path not in catalogue_tree():
        yield from _after(own.name, words)
        flags_ = (name for name in own.flags if name != "**")
        yield from (
            Suggestion(f"--{name.replace('_', '-')}", "option", about(own.name, name)[1]) for name in flags_
        )
    for name, kind in sorted(catalogue_tree().get(path, {}).items(), key=lambda each: rank(path, each[0])):
        yield Suggestion(name, kind)


def _after(subcommand: str, words: list[str]) -> Iterator[Suggestion]:
    """What may follow a word of ours: names of reports, lists, modules."""
    if subcommand == "help":
        yield from _first_words(words[1:])
    elif subcommand == "report":
        known_report = REPORTS.get(words[1].replace("-", "_")) if len(words) > 1 else None
        if known_report is not None:
            yield from (
                Suggestion(f"--{flag}", "option", each.help) for flag, each in known_report.options.items()
            )
        elif len(words) == 1:
            yield from (Suggestion(name, "report", each.title) for name, each in REPORTS.items())
    elif subcommand in {"pull", "sync"}:
        lists = {
            name
            for name, actions in catalogue.actions_by_resource().items()
            if "list" in actions and "." not in name
        }
        yield from (
            Suggestion(name, "list")
            for name in sorted(lists.difference(words), key=lambda each: rank("", each))
        )
    elif subcommand == "modules":
        yield from (
            Suggestion(name, "resource")
            for name in sorted(catalogue.actions_by_resource(), key=lambda each: rank("", each))
        )


def _report_choices(words: list[str], flag: str) -> tuple[str, ...]:
    """What may follow an option of the report that is named."""
    named = REPORTS.get(words[1].replace("-", "_")) if len(words) > 2 else None
    return named.options[flag].choices if named is not None and flag in named.options else ()


@cache
def _documented_words() -> dict[str, int]:
    return {
        name: at
        for at, module in enumerate(catalogue.documented())
        for name in (module.name, module.resource)
    }


def rank(path: str, name: str) -> tuple[int, str]:
    """Documented names first, in their order; then the alphabet."""
    return _documented_words().get(f"{path}.{name}".lstrip("."), 10_000), name


def flags(module: Module, words: list[str]) -> Iterator[Suggestion]:
    """The flags that are still to be had: fields first, those of the form's last group after them, then the
    options."""
    used = {word.partition("=")[0] for word in words if word.startswith("-")}
    for own in sorted(module.fields, key=lambda each: (not each.required, each.in_more_section)):
        repeated = shape_of(own.kind) in REPEATED
        if own.role not in {Role.PATH, Role.URL, Role.METHOD} and (repeated or own.flag not in used):
            yield Suggestion(own.flag, kind_name(own.kind), own.title)
    for option in OPTIONS.values():
        if module.get(option.key) is None and (option.flag not in used or option.takes == "list"):
            yield Suggestion(option.flag, "option", option.help)


def positional(module: Module, words: list[str]) -> Iterator[str]:
    """The words that are values without a flag."""
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = "=" not in word and _waiting(module, word) is not None
        else:
            yield word


def _waiting(module: Module, previous: str) -> str | None:
    """The field or option that waits for its value after this word; None if none does."""
    if not previous.startswith("-") or "=" in previous:
        return None
    name = previous.lstrip("-").replace("-", "_")
    name = SHORT.get(name, name) if not previous.startswith("--") else name
    own = module.get(name) or module.by_param(bracketed(name))
    if own is not None:
        return None if own.kind is Kind.BOOLEAN else own.name
    option = find_option(name)
    if option is not None:
        return None if option.takes == "flag" else option.key
    return name if name == "data" else None


def _switch(module: Module, previous: str) -> bool:
    """Whether the word before is a flag that may stand alone, and that true or false may follow."""
    if not previous.startswith("--") or "=" in previous:
        return False
    own = module.get(previous[2:].replace("-", "_"))
    return own is not None and own.kind is Kind.BOOLEAN


def _valued(module: Module, flag: str, value: str, context: CompletionContext) -> Matches:
    """After `--flag=`."""
    name = flag[2:].replace("-", "_")
    own = module.get(name) or module.by_param(bracketed(flag[2:]))
    return matching_last_item(own, value, values_of(module, own.name if own else name, context), name)


def matching_last_item(
    own: Field | None, piece: str, hits: Iterable[Suggestion], option: str = ""
) -> Matches:
    """In `card,li` only what stands after the comma is completed: of a field's list, or of an option's."""
    common = find_option(option) if own is None and option else None
    if (own is not None and shape_of(own.kind) is Shape.LIST) or (common and common.takes == "list"):
        piece = piece.rpartition(",")[2].lstrip()
    return piece, matching(piece, hits)


def last_piece(line: str) -> str:
    """The word that is being typed, in its quotes."""
    last = re.search(r"(?:[^\s\"']|\"[^\"]*\"|'[^']*')*\Z", line)
    return last[0] if last else ""
