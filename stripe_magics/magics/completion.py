"""Completion in lines and in bodies: resources, actions, flags, values, nested body keys, ids that results
showed, names of frames.

All of it from the catalogue and from what this kernel has seen; never a request. `suggest` is a plain
function of the text before the cursor; ipython_hooks.py registers it with IPython.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import Any

from stripe_magics import catalogue
from stripe_magics._options import OPTIONS, find_option
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.kinds import REPEATED, Shape, kind_facts, kind_name, shape_of
from stripe_magics.catalogue.module import Module
from stripe_magics.catalogue.stripe_objects import OBJECTS
from stripe_magics.errors import StripeMagicsError
from stripe_magics.finance.report_table import REPORTS
from stripe_magics.magics import sql_completion
from stripe_magics.magics.object_names import NAME_COLUMNS
from stripe_magics.money import CURRENCIES
from stripe_magics.parsing.command_names import bracketed, is_path, longest
from stripe_magics.parsing.flag_tables import HTTP_VERBS, SHORT
from stripe_magics.parsing.lexer import split

MAX_MATCHES = 300
MAX_LINE = 2_000  # characters; nobody completes a longer one
MAX_BODY = 50_000
_LINE = re.compile(r"(?:^|\n|=)[ \t]*%stripe[ \t]+(?P<rest>[^\n]*)\Z")
_CELL = re.compile(r"\A(?:[ \t]*(?:#[^\n]*)?\n)*%%stripe(?P<head>[^\n]*)(?P<body>\n.*)?\Z", re.DOTALL)
_KEY = re.compile(r"^(?P<indent>\s*)(?P<item>- )?[\"']?(?P<key>[\w.-]*)\Z")
_VALUE = re.compile(r"^(?P<indent>\s*)(?P<item>- )?[\"']?(?P<key>[\w.-]+)[\"']?:\s+(?P<value>.*)\Z")
_ITEM = re.compile(r"^(?P<indent>\s*)- (?P<value>[^:]*)\Z")
COMMON_CURRENCIES = ("usd", "eur", "gbp", "chf", "jpy", "cad", "aud")
LOCALES = ("auto", "de", "en", "en-GB", "es", "fr", "it", "ja", "nl", "pl", "pt", "sv", "zh")


@dataclass(frozen=True, slots=True)
class Hit:
    """One suggestion: its text, the badge that the front end shows, and a few words."""

    text: str
    kind: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What completion may look at beside the text: what was seen, and the notebook's names."""

    seen: Any
    namespace: dict[str, Any]


Found = tuple[str, list[Hit]]
"""The piece of text before the cursor that a suggestion replaces, and the suggestions."""


NOTHING: Found = ("", [])
"""A place of ours in which nothing is suggested; Python's own names neither."""


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


def last_piece(line: str) -> str:
    """The word that is being typed, in its quotes."""
    last = re.search(r"(?:[^\s\"']|\"[^\"]*\"|'[^']*')*\Z", line)
    return last[0] if last else ""


def suggest(text: str, place: Place) -> Found | None:
    """Suggestions at the end of a cell's text (all of it up to the cursor); None where it isn't ours."""
    cell = _CELL.match(text)
    if cell is None:
        line = _LINE.search(re.sub(r"\\\n", " ", text))
        if line is None:
            return None
        return NOTHING if len(line["rest"]) > MAX_LINE else in_line(line["rest"], place)
    if len(cell["head"]) > MAX_LINE or len(cell["body"] or "") > MAX_BODY:
        return NOTHING
    if cell["body"] is None:
        return in_line(cell["head"].lstrip(), place)
    return in_body(cell["head"], cell["body"][1:], place) or NOTHING


# --- Python


_CALLED = re.compile(r"\b(?:sm|stripe_magics)\.(?P<function>call|form|report)\(\s*[\"'](?P<name>[\w.]*)\Z")


def in_python(text: str) -> Found | None:
    """Names of modules inside `sm.call("...` and `sm.form("...`, of reports inside `sm.report("...`; None
    anywhere else."""
    found = _CALLED.search(text[-200:])
    if found is None:
        return None
    if found["function"] == "report":
        reports = (Hit(name, "report", each.title) for name, each in REPORTS.items())
        return found["name"], matching(found["name"], reports)
    ranked = sorted(catalogue.names(), key=lambda name: _rank("", name))
    return found["name"], matching(found["name"], (Hit(each, "module") for each in ranked))


# --- a line


def in_line(rest: str, place: Place) -> Found:
    """Suggestions for the last word of a line."""
    piece = last_piece(rest)
    try:
        words = [word.text for word in split(rest[: len(rest) - len(piece)])]
    except StripeMagicsError:
        return piece, []  # inside a quote
    if piece.startswith("$"):
        return piece, matching(piece, names(place))
    module, taken = known(words)
    if module is None:
        return piece, matching(piece, _first_words(words))
    previous = words[-1] if len(words) > taken else ""
    flag, equals, value = piece.partition("=")
    if piece.startswith("--") and equals:
        return _valued(module, flag, value, place)
    if piece.startswith("-"):
        return piece, matching(piece, flags(module, words[taken:]))
    wants = _waiting(module, previous)
    if wants is not None:
        return _last_of_list(module.get(wants), piece, values_of(module, wants, place), wants)
    used = sum(1 for _ in positional(module, words[taken:]))
    hits: list[Hit] = list(VALUES["booleans"](place)) if _switch(module, previous) else []
    if used < len(module.path_fields):
        hits += list(field_values(module.path_fields[used], place))
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


def _first_words(words: list[str]) -> Iterator[Hit]:
    """The next word of a name: a resource, an action, or a word of ours."""
    from stripe_magics.magics import settings
    from stripe_magics.magics.subcommands import SUBCOMMANDS
    from stripe_magics.magics.subcommands.flag_help import about

    path = ".".join(words).replace("-", "_").lower()
    for subcommand in SUBCOMMANDS.values():
        if list(subcommand.words[: len(words)]) == words and len(subcommand.words) > len(words):
            yield Hit(subcommand.words[len(words)], "command", subcommand.help)
    if not words:
        yield from (Hit(method, "request") for method in HTTP_VERBS)
    own = SUBCOMMANDS.get(tuple(words[:2])) or SUBCOMMANDS.get(tuple(words[:1]))
    last = words[-1].removeprefix("--").replace("-", "_") if words and words[-1].startswith("--") else ""
    if own is not None and last in OWN_VALUES and last in own.flags:
        yield from (Hit(each, last) for each in OWN_VALUES[last]())
        return
    if own is not None and own.name == "config" and last in own.flags:
        yield from (Hit(each, "setting") for each in settings.choices(last))
        return
    if own is not None and own.flags.get(last) in {"text", "list"}:
        return  # its value is next, which nobody but the person knows
    if own is not None and own.name == "report" and last and (choices := _report_choices(words, last)):
        yield from (Hit(each, last) for each in choices)
        return
    if own is not None and path not in catalogue_tree():
        yield from _after(own.name, words)
        flags_ = (name for name in own.flags if name != "**")
        yield from (Hit(f"--{name.replace('_', '-')}", "option", about(own.name, name)[1]) for name in flags_)
    for name, kind in sorted(catalogue_tree().get(path, {}).items(), key=lambda each: _rank(path, each[0])):
        yield Hit(name, kind)


def _after(subcommand: str, words: list[str]) -> Iterator[Hit]:
    """What may follow a word of ours: names of reports, lists, modules."""
    if subcommand == "help":
        yield from _first_words(words[1:])
    elif subcommand == "report":
        known_report = REPORTS.get(words[1].replace("-", "_")) if len(words) > 1 else None
        if known_report is not None:
            yield from (Hit(f"--{flag}", "option", each.help) for flag, each in known_report.options.items())
        elif len(words) == 1:
            yield from (Hit(name, "report", each.title) for name, each in REPORTS.items())
    elif subcommand in {"pull", "sync"}:
        lists = {
            name
            for name, actions in catalogue.actions_by_resource().items()
            if "list" in actions and "." not in name
        }
        yield from (
            Hit(name, "list") for name in sorted(lists.difference(words), key=lambda each: _rank("", each))
        )
    elif subcommand == "modules":
        yield from (
            Hit(name, "resource")
            for name in sorted(catalogue.actions_by_resource(), key=lambda each: _rank("", each))
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


def _rank(path: str, name: str) -> tuple[int, str]:
    """Documented names first, in their order; then the alphabet."""
    return _documented_words().get(f"{path}.{name}".lstrip("."), 10_000), name


def flags(module: Module, words: list[str]) -> Iterator[Hit]:
    """The flags that are still to be had: fields first, those of the form's last group after them, then the
    options."""
    used = {word.partition("=")[0] for word in words if word.startswith("-")}
    for own in sorted(module.fields, key=lambda each: (not each.required, each.in_more_section)):
        repeated = shape_of(own.kind) in REPEATED
        if own.role not in {Role.PATH, Role.URL, Role.METHOD} and (repeated or own.flag not in used):
            yield Hit(own.flag, kind_name(own.kind), own.title)
    for option in OPTIONS.values():
        if module.get(option.key) is None and (option.flag not in used or option.takes == "list"):
            yield Hit(option.flag, "option", option.help)


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


def _valued(module: Module, flag: str, value: str, place: Place) -> Found:
    """After `--flag=`."""
    name = flag[2:].replace("-", "_")
    own = module.get(name) or module.by_param(bracketed(flag[2:]))
    return _last_of_list(own, value, values_of(module, own.name if own else name, place), name)


def _last_of_list(own: Field | None, piece: str, hits: Iterable[Hit], option: str = "") -> Found:
    """In `card,li` only what stands after the comma is completed: of a field's list, or of an option's."""
    common = find_option(option) if own is None and option else None
    if (own is not None and shape_of(own.kind) is Shape.LIST) or (common and common.takes == "list"):
        piece = piece.rpartition(",")[2].lstrip()
    return piece, matching(piece, hits)


def values_of(module: Module, name: str, place: Place) -> Iterator[Hit]:
    """Values of a field or an option."""
    own = module.get(name)
    if own is not None:
        yield from field_values(own, place)
    if name == "expand":
        yield from (Hit(each, "object") for each in expandable(module, place))
    elif own is not None:
        return
    elif name == "from":
        yield from (Hit(hit.text[1:], hit.kind, hit.about) for hit in names(place) if hit.kind == "DataFrame")
    elif name == "data":
        params = (each for each in module.fields if each.role is Role.PARAM)
        yield from (Hit(f"{each.param}=", kind_name(each.kind), each.title) for each in params)
    elif name == "limit":
        yield from (Hit(each, "number") for each in ("all", "10", "100"))
    elif name == "columns":
        yield from (Hit(each, "column") for each in known_columns(object_of(module), place))
    elif name == "stripe_account":
        yield from (Hit(each, "account", about) for each, about in place.seen.of("account"))


def object_of(module: Module) -> str:
    """The type of object that comes back: "customer" of list[customer]."""
    return module.returns.removeprefix("list[").rstrip("]")


@cache
def _schema_columns(kind: str) -> tuple[str, ...]:
    from stripe_magics.frames.column_names import expansions
    from stripe_magics.frames.schema import known, schema

    if not kind or not known(kind):
        return ()
    names = [f"{each}_{name}" for each, columns in NAME_COLUMNS.items() for name in columns]
    return (*schema(kind).names, *expansions(kind, names))


def known_columns(kind: str, place: Place) -> Iterable[str]:
    """The columns that an answer of that type has: by Stripe's description of it, and those of frames in the
    notebook."""
    seen: dict[str, None] = {}
    for value in list(place.namespace.values()):
        about = (
            getattr(value, "attrs", None) if hasattr(value, "iloc") and hasattr(value, "columns") else None
        )
        if about and about.get("stripe", {}).get("object") == kind:
            seen.update(dict.fromkeys(map(str, value.columns)))
    return dict.fromkeys([*seen, *_schema_columns(kind)])


def expandable(module: Module, place: Place) -> Iterator[str]:
    """Paths of linked objects: `customer`, in a list `data.customer`."""
    prefix = "data." if module.returns.startswith("list[") else ""
    for column in known_columns(object_of(module), place):
        if _linked(column):
            yield prefix + column


@cache
def _linked(column: str) -> bool:
    """Whether a column's name says which object it names: customer, latest_charge, default_payment_method."""
    return any(column == kind or column.endswith(f"_{kind}") for kind in OBJECTS if "." not in kind)


@cache
def zones() -> tuple[str, ...]:
    """The names of time zones, without opening each of their files."""
    import zoneinfo
    from pathlib import Path

    for folder in zoneinfo.TZPATH:
        table = Path(folder) / "zone.tab"
        if table.is_file():
            lines = table.read_text(encoding="utf-8").splitlines()
            return (
                "UTC",
                *sorted(each.split("\t")[2] for each in lines if each and not each.startswith("#")),
            )
    return tuple(sorted(zoneinfo.available_timezones()))


def _environment() -> list[str]:
    """The names of environment variables (never a value), those that sound like a key's first."""
    import os

    likely = ("STRIPE", "KEY", "TOKEN", "SECRET")
    return sorted(os.environ, key=lambda name: (not any(each in name.upper() for each in likely), name))


OWN_VALUES: dict[str, Callable[[], Iterable[str]]] = {"env": _environment, "tz": zones, "zone": zones}
"""What may follow a flag of a word of ours (`connect --env`, `report --tz`)."""


def _currencies(_place: Place) -> Iterator[Hit]:

    rest = sorted(CURRENCIES.difference(COMMON_CURRENCIES))
    yield from (Hit(each, "currency") for each in (*COMMON_CURRENCIES, *rest))


def _countries(_place: Place) -> Iterator[Hit]:
    from stripe_magics.validation.countries import COUNTRIES

    yield from (Hit(code, "country", name) for code, name in COUNTRIES.items())


VALUES: dict[str, Callable[[Place], Iterable[Hit]]] = {
    "booleans": lambda _: [Hit(each, "boolean") for each in ("true", "false")],
    "currencies": _currencies,
    "countries": _countries,
    "locales": lambda _: [Hit(each, "locale") for each in LOCALES],
    "emails": lambda place: [Hit(each, "e-mail") for each in reversed(place.seen.emails)],
}
"""By the name that a kind's entry in `catalogue/kinds.py` gives."""


def field_values(own: Field, place: Place) -> Iterator[Hit]:
    """Values that a field takes: its choices, what its kind allows, ids and addresses that were seen."""
    yield from (Hit(each, "choice") for each in (*own.choices, *own.local_choices))
    values = kind_facts(own.kind).values
    if not values and own.name.endswith("email"):
        values = "emails"
    if values:
        yield from VALUES[values](place)
    if own.object:
        yield from (
            Hit(each, own.object.replace("_", " "), about) for each, about in place.seen.of(own.object)
        )
    if own.role is Role.URL:
        yield from (Hit(path, "path") for path in _paths())
    if own.role is Role.LIMIT:
        yield from (Hit(each, "number") for each in ("all", "10", "100"))


@cache
def _paths() -> tuple[str, ...]:
    """Every path without ids in it."""
    from stripe_magics.catalogue.generated import operations

    return tuple(sorted({path for _, path in operations.endpoints().values() if "{" not in path}))


def names(place: Place) -> Iterator[Hit]:
    """`$name` of the notebook's frames, their columns, and of plain values."""
    for name, value in list(place.namespace.items()):
        if name.startswith("_") or callable(value) or type(value).__name__ == "module":
            continue
        kind = type(value).__name__
        if hasattr(value, "columns") and hasattr(value, "iloc"):
            yield Hit(f"${name}", "DataFrame", f"{len(value)} rows")
            yield from (
                Hit(f"${name}.{column}", "column")
                for column in list(value.columns)[:80]
                if str(column).isidentifier()
            )
        elif isinstance(value, (str, int, list, tuple, dict)) or kind in {
            "Series",
            "Decimal",
            "date",
            "datetime",
            "Timestamp",
        }:
            yield Hit(f"${name}", kind)


# --- a body


def in_body(head: str, body: str, place: Place) -> Found | None:
    """Suggestions in a cell's YAML (or JSON) body: keys by where they stand, values by their key."""
    try:
        words = [word.text for word in split(head)]
    except StripeMagicsError:
        return None
    if words[:1] == ["sql"]:
        piece, found = sql_completion.suggest(words, body)
        return piece, matching(piece, (Hit(*each) for each in found))
    module, _ = known(words)
    if module is None:
        return None
    above, _, line = body.rpartition("\n")
    valued = _VALUE.match(line)
    if valued:
        piece = valued["value"].lstrip("\"'[")
        if piece.startswith("$"):
            return piece, matching(piece, names(place))
        own = _field_at(module, [*parents(above, _depth(valued)), valued["key"]])
        return _last_of_list(own, piece, field_values(own, place) if own else ())
    item = _ITEM.match(line)
    if item:
        own = _field_at(module, parents(above, len(item["indent"])))
        if own is not None and not own.columns:
            piece = item["value"].lstrip("\"'")
            return piece, matching(piece, field_values(own, place))
    keyed = _KEY.match(line)
    if keyed is None:
        return None
    outer = parents(above, _depth(keyed))
    own = _field_at(module, outer)
    used = set() if outer else set(re.findall(r"^([\w.-]+):", body, re.MULTILINE))
    hits = [hit for hit in keys(module, outer, own) if hit.text.rstrip(": ") not in used]
    return keyed["key"], matching(keyed["key"], hits)


def _depth(found: re.Match[str]) -> int:
    return len(found["indent"]) + len(found["item"] or "")


def parents(above: str, depth: int) -> list[str]:
    """The keys under which a line of that indentation stands, outermost first."""
    path: list[str] = []
    for line in reversed(above.split("\n")):
        found = re.match(r"^(?P<indent>\s*)(?P<item>(?:- )*)[\"']?(?P<key>[\w.-]+)[\"']?:(?P<value>.*)", line)
        if found is None:
            continue
        here = len(found["indent"]) + len(found["item"])
        opens = not found["value"].strip() or found["value"].strip() in {"{", "["}
        if here < depth and opens:
            path.insert(0, found["key"])
            depth = here
        elif here < depth and found["item"]:
            # the first key of a row: its list stands at or left of the hyphen
            depth = len(found["indent"]) + 1
    return path


def _field_at(module: Module, path: list[str]) -> Field | None:
    """The field at a path of a body: `["shipping", "address", "line1"]`, or a column of rows."""
    if not path:
        return None
    own = module.get(path[0]) or module.by_param(path[0])
    if own is not None and len(path) == 1:
        return own
    if own is not None and own.columns:
        return next((each for each in own.columns if each.name == path[-1]), None)
    return module.by_param(bracketed(".".join(path)))


def keys(module: Module, outer: list[str], own: Field | None) -> Iterator[Hit]:
    """The keys that may stand there: fields and Stripe's own nesting at the top, its next level below,
    columns in rows."""
    if own is not None and own.columns:
        yield from (Hit(f"{each.name}: ", kind_name(each.kind), each.label) for each in own.columns)
        return
    if own is not None and shape_of(own.kind) is Shape.PAIRS:
        return
    prefix = bracketed(".".join(outer)) if outer else ""
    done: set[str] = set()
    if not outer:
        for each in sorted(module.fields, key=lambda each: (not each.required, each.in_more_section)):
            if each.role not in {Role.PATH, Role.URL, Role.METHOD}:
                opens = shape_of(each.kind) in {Shape.ROWS, Shape.PAIRS}
                done.add(each.name)
                yield Hit(f"{each.name}:{'' if opens else ' '}", kind_name(each.kind), each.title)
    for each in module.fields:
        if (
            each.role is not Role.PARAM
            or not each.param.startswith(prefix)
            or (prefix and not each.param.startswith(prefix + "["))
        ):
            continue
        inner = re.findall(r"[^\[\]]+", each.param[len(prefix) :])
        if inner and inner[0] not in done:
            done.add(inner[0])
            yield Hit(
                f"{inner[0]}:{'' if len(inner) > 1 else ' '}",
                "object" if len(inner) > 1 else kind_name(each.kind),
                each.title,
            )


def matching(piece: str, hits: Iterable[Hit]) -> list[Hit]:
    """Those that begin with what was typed (hyphens and underscores alike), or else that contain it; each
    once."""
    requested = piece.lower().replace("-", "_")
    unique = list({hit.text: hit for hit in hits if hit.text != piece}.values())
    begun = [hit for hit in unique if hit.text.lower().replace("-", "_").startswith(requested)]
    if not begun and len(requested.strip("_")) >= 3:
        begun = [hit for hit in unique if requested.strip("_") in hit.text.lower().replace("-", "_")]
    return begun[:MAX_MATCHES]
