"""WHAT Stripe offers: modules and their fields. Pure data; imports nothing else of the package but the
errors.

The documented modules are declared by hand, one file a resource; every other operation of Stripe's v1 API
comes from generated facts (operations.py). A file is read when one of its names is first asked for.

    find("customers.create")      the Module: by name, alias, or title
    documented(), everything()    the hand-made ones in order; those and all others
    names(), actions_by_resource()          for completion
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module

from stripe_magics._interrupts import held_back
from stripe_magics._text import closest_matches
from stripe_magics.catalogue.module import Module
from stripe_magics.catalogue.versions import NEWEST_VERSION, PINNED_VERSION, VERSIONS
from stripe_magics.errors import UnknownName

__all__ = [
    "NEWEST_VERSION",
    "PINNED_VERSION",
    "VERSIONS",
    "actions_by_resource",
    "aliases",
    "at_version",
    "documented",
    "everything",
    "find",
    "names",
    "nearest",
]


_FILES = {
    "customers": "customers",
    "payment_intents": "payment_intents",
    "payment_links": "payment_links",
    "invoices": "invoices",
    "invoice_items": "invoice_items",
    "refunds": "refunds",
    "payouts": "payouts",
    "balance": "balance",
    "events": "watch_events",
    "api": "api_call",
}
"""Resource -> file, in the order of the documentation."""

_OTHER_NAMES = {
    "invoiceitems": "invoice_items",
    "invoice_line_items": "invoices",
    "balance_transactions": "balance",
    "webhook_endpoints": "watch_events",
}
"""Resources that only aliases speak of -> the file that declares them."""


def find(name: str) -> Module:
    """The module of that name: `customers.create`, `customers create`, an alias (`invoiceitems.create`) or a
    title.

    Hyphens and capitals don't matter. Raises UnknownName with the nearest names.
    """
    requested = _normal(name)
    resource = requested.partition(".")[0]
    file = _FILES.get(resource) or _OTHER_NAMES.get(resource)
    if file:
        for module in _declared(file):
            if requested == module.name or requested in module.aliases:
                return module
    found = _operation(requested) or _titles().get(" ".join(name.lower().split()))
    if found:
        return found
    raise UnknownName(
        "command",
        " ".join(name.replace(".", " ").split()),
        [f"`{each.replace('.', ' ')}`" for each in nearest(requested)],
        advice="%stripe modules lists them all.",
    )


def at_version(module: Module, version: str) -> Module:
    """The module as an API version has it: choices; of a generated one also types and what is required."""
    if module.documented:
        return module if version == PINNED_VERSION else _with_choices(module.name, version)
    return _operation(module.name, version) or module


def nearest(name: str, most: int = 3) -> list[str]:
    """The names that look most like this one, best first."""
    known, requested = [*names(), *aliases()], _normal(name)
    actions = (each for each in known if each.rpartition(".")[2] == requested)
    return closest_matches(requested, known, most) or list(actions)[:most]


def documented() -> tuple[Module, ...]:
    """The 41 modules that are declared by hand, in order."""
    return tuple(module for file in _FILES.values() for module in _declared(file))


def everything() -> Iterator[Module]:
    """All modules: the documented ones first, then one for each other operation, built as the iteration gets
    there."""
    for name in names():
        yield find(name)


def names() -> list[str]:
    """The names of all modules, documented ones first. An operation that an alias stands for is not listed
    again."""
    return list(_names())


def aliases() -> dict[str, str]:
    """Other names of documented modules -> their names."""
    return {alias: module.name for module in documented() for alias in module.aliases}


def actions_by_resource() -> dict[str, list[str]]:
    """Resource -> actions, for completion, aliases included; a nested resource is dotted:
    `checkout.sessions`."""
    found: dict[str, list[str]] = {}
    for name in (*_names(), *aliases()):
        resource, _, action = name.rpartition(".")
        actions = found.setdefault(resource, [])
        if action not in actions:
            actions.append(action)
    return found


@cache
def _names() -> tuple[str, ...]:
    from stripe_magics.catalogue.generated.operations import operation_names

    ours = tuple(module.name for module in documented())
    known = {*ours, *aliases()}
    return (*ours, *(name for name in operation_names() if name not in known))


@cache
def _titles() -> dict[str, Module]:
    return {module.title.lower(): module for module in documented()}


@cache
def _declared(file: str) -> tuple[Module, ...]:
    """The modules of one file, with the choices of the pinned version."""
    with held_back():
        from stripe_magics.catalogue.generated.choices import with_choices

        modules: tuple[Module, ...] = import_module(f"stripe_magics.catalogue.resources.{file}").MODULES
    return tuple(with_choices(each, PINNED_VERSION) for each in modules)


@cache
def _with_choices(name: str, version: str) -> Module:
    from stripe_magics.catalogue.generated.choices import with_choices

    return with_choices(find(name), version)


def _operation(name: str, version: str = "") -> Module | None:
    from stripe_magics.catalogue.generated.operations import operation

    return operation(name, version)


def _normal(name: str) -> str:
    """`Payment-Intents  Create` -> `payment_intents.create`."""
    return ".".join(name.replace(".", " ").replace("-", "_").lower().split())
