"""Python's keywords -> Command: the same names as on a line.

A keyword is a field of the module; where the module has none of that name, an option common to all
(`dry_run`, `expand` ...), one of Stripe's own parameters (`starting_after`), or unknown: validation then
names it with everything else that is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stripe_magics import catalogue
from stripe_magics._command import Command
from stripe_magics._options import find_option, read_options
from stripe_magics.catalogue.module import Module
from stripe_magics.parsing import cli_names, command_names
from stripe_magics.parsing.flag_tables import CURSORS


def command_of(name: str, values: Mapping[str, Any]) -> Command:
    """The command that a module's name and Python values stand for. Raises `InvalidValue` for options,
    `UnknownName` for the module."""
    module = catalogue.find(_meant(name, values))
    options: dict[str, Any] = {}
    own: dict[str, Any] = {}
    params: list[tuple[str, Any]] = []
    for key, value in values.items():
        if module.get(key) is not None:
            own[key] = value
        elif find_option(key) is not None and module.by_param(key) is None:
            options[key] = value
        elif key in CURSORS or (
            module.documented and module.by_param(key) is None and _only_stripes(module, key)
        ):
            params.append((key, value))
        else:
            own[key] = value
    return Command(module=module.name, values=own, params=params, options=read_options(options))


def _meant(name: str, values: Mapping[str, Any]) -> str:
    """The operation that is meant: `accounts.retrieve` without an account is the connection's own."""
    found = command_names.canonical(name)
    path_values = [
        value if isinstance(value, str) else ""
        for key, value in values.items()
        if key in {"account", "customer", "id"}
    ]
    return cli_names.meant(found, path_values)


def _only_stripes(module: Module, key: str) -> bool:
    """Whether a name is a parameter that the facts know and the declaration doesn't."""
    return "[" not in key and key in command_names.known_params(module.name)
