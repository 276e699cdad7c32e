"""Values that completion knows: choices, ids and addresses that were seen, columns, names of frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from stripe_magics.catalogue.field import Field, Role
from stripe_magics.catalogue.kinds import kind_facts, kind_name
from stripe_magics.catalogue.module import Module
from stripe_magics.catalogue.stripe_objects import OBJECTS
from stripe_magics.magics.object_names import NAME_COLUMNS
from stripe_magics.magics.suggestion import CompletionContext, Suggestion
from stripe_magics.money import CURRENCIES

COMMON_CURRENCIES = ("usd", "eur", "gbp", "chf", "jpy", "cad", "aud")
LOCALES = ("auto", "de", "en", "en-GB", "es", "fr", "it", "ja", "nl", "pl", "pt", "sv", "zh")


def values_of(module: Module, name: str, context: CompletionContext) -> Iterator[Suggestion]:
    """Values of a field or an option."""
    own = module.get(name)
    if own is not None:
        yield from field_values(own, context)
    if name == "expand":
        yield from (Suggestion(each, "object") for each in expandable(module, context))
    elif own is not None:
        return
    elif name == "from":
        yield from (
            Suggestion(hit.text[1:], hit.kind, hit.about) for hit in names(context) if hit.kind == "DataFrame"
        )
    elif name == "data":
        params = (each for each in module.fields if each.role is Role.PARAM)
        yield from (Suggestion(f"{each.param}=", kind_name(each.kind), each.title) for each in params)
    elif name == "limit":
        yield from (Suggestion(each, "number") for each in ("all", "10", "100"))
    elif name == "columns":
        yield from (Suggestion(each, "column") for each in known_columns(object_of(module), context))
    elif name == "stripe_account":
        yield from (Suggestion(each, "account", about) for each, about in context.seen.of("account"))


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


def known_columns(kind: str, context: CompletionContext) -> Iterable[str]:
    """The columns that an answer of that type has: by Stripe's description of it, and those of frames in the
    notebook."""
    seen: dict[str, None] = {}
    for value in list(context.namespace.values()):
        about = (
            getattr(value, "attrs", None) if hasattr(value, "iloc") and hasattr(value, "columns") else None
        )
        if about and about.get("stripe", {}).get("object") == kind:
            seen.update(dict.fromkeys(map(str, value.columns)))
    return dict.fromkeys([*seen, *_schema_columns(kind)])


def expandable(module: Module, context: CompletionContext) -> Iterator[str]:
    """Paths of linked objects: `customer`, in a list `data.customer`."""
    prefix = "data." if module.returns.startswith("list[") else ""
    for column in known_columns(object_of(module), context):
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


def _currencies(_place: CompletionContext) -> Iterator[Suggestion]:

    rest = sorted(CURRENCIES.difference(COMMON_CURRENCIES))
    yield from (Suggestion(each, "currency") for each in (*COMMON_CURRENCIES, *rest))


def _countries(_place: CompletionContext) -> Iterator[Suggestion]:
    from stripe_magics.validation.countries import COUNTRIES

    yield from (Suggestion(code, "country", name) for code, name in COUNTRIES.items())


VALUES: dict[str, Callable[[CompletionContext], Iterable[Suggestion]]] = {
    "booleans": lambda _: [Suggestion(each, "boolean") for each in ("true", "false")],
    "currencies": _currencies,
    "countries": _countries,
    "locales": lambda _: [Suggestion(each, "locale") for each in LOCALES],
    "emails": lambda context: [Suggestion(each, "e-mail") for each in reversed(context.seen.emails)],
}
"""By the name that a kind's entry in `catalogue/kinds.py` gives."""


def field_values(own: Field, context: CompletionContext) -> Iterator[Suggestion]:
    """Values that a field takes: its choices, what its kind allows, ids and addresses that were seen."""
    yield from (Suggestion(each, "choice") for each in (*own.choices, *own.local_choices))
    values = kind_facts(own.kind).values
    if not values and own.name.endswith("email"):
        values = "emails"
    if values:
        yield from VALUES[values](context)
    if own.object:
        yield from (
            Suggestion(each, own.object.replace("_", " "), about)
            for each, about in context.seen.of(own.object)
        )
    if own.role is Role.URL:
        yield from (Suggestion(path, "path") for path in _paths())
    if own.role is Role.LIMIT:
        yield from (Suggestion(each, "number") for each in ("all", "10", "100"))


@cache
def _paths() -> tuple[str, ...]:
    """Every path without ids in it."""
    from stripe_magics.catalogue.generated import operations

    return tuple(sorted({path for _, path in operations.endpoints().values() if "{" not in path}))


def names(context: CompletionContext) -> Iterator[Suggestion]:
    """`$name` of the notebook's frames, their columns, and of plain values."""
    for name, value in list(context.namespace.items()):
        if name.startswith("_") or callable(value) or type(value).__name__ == "module":
            continue
        kind = type(value).__name__
        if hasattr(value, "columns") and hasattr(value, "iloc"):
            yield Suggestion(f"${name}", "DataFrame", f"{len(value)} rows")
            yield from (
                Suggestion(f"${name}.{column}", "column")
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
            yield Suggestion(f"${name}", kind)
