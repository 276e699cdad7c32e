"""A call while it is read: what was found so far, and the rules that flags and bodies share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stripe_magics._command import Command
from stripe_magics._form_encoding import plain
from stripe_magics._options import read_options
from stripe_magics.catalogue.field import Field
from stripe_magics.catalogue.kinds import REPEATED, shape_of
from stripe_magics.catalogue.module import Module
from stripe_magics.errors import UsageFault
from stripe_magics.parsing import command_names
from stripe_magics.parsing.lexer import Word
from stripe_magics.parsing.table_files import refuse_guessed
from stripe_magics.parsing.variables import refuse_keys, resolve


@dataclass(slots=True)
class CallBuilder:
    """What was read so far of one call."""

    module: Module
    namespace: Mapping[str, Any]
    values: dict[str, Any] = field(default_factory=dict)
    params: list[tuple[str, Any]] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    by_row: bool = False  # `--from`: a column gives each row its value

    def give(self, name: str, value: object) -> None:
        """Set a field's value; lists grow, anything else may be given once."""
        own = self.module.get(name)
        if hasattr(value, "iloc") and not hasattr(value, "columns") and not self.by_row:
            value = _of_column(own, value)
        old = self.values.get(name)
        if name in self.values and own is not None and shape_of(own.kind) in REPEATED:
            if isinstance(old, list) and isinstance(value, list):
                self.values[name] = old + value
                return
            if isinstance(old, dict) and isinstance(value, dict) and not old.keys() & value.keys():
                self.values[name] = old | value
                return
        if name in self.values:
            raise UsageFault(f"{own.flag if own else name} is given twice.")
        self.values[name] = value

    def param(self, name: str, value: object) -> None:
        """One of Stripe's parameters. Limit and expansion are ours: they are followed over all pages."""
        if name == "limit" and self.module.name != "api.call":
            self.give("limit", value) if self.module.get("limit") else self._limit(value)
        elif re.fullmatch(r"expand(\[\d*\])?", name):
            own = self.module.get("expand")
            self.give("expand", [value]) if own else self.options.setdefault("expand", []).append(value)
        else:
            self.add(name, value)

    def _limit(self, value: object) -> None:
        if "limit" in self.options:
            raise UsageFault("--limit is given twice.")
        self.options["limit"] = value

    def add(self, name: str, value: object) -> None:
        """One of Stripe's parameters as it is; a column stands with the fields, which know rows."""
        if hasattr(value, "iloc") and self.by_row:
            self.values[name] = value
        else:
            self.params.append((name, value if not hasattr(value, "iloc") else _of_column(None, value)))

    def header_word(self, word: Word) -> None:
        """`-H "Name: value"`."""
        name, colon, rest = word.text.partition(":")
        if not colon:
            raise UsageFault(f"-H needs 'Name: value', {word.text!r} was given.")
        start = len(name) + 1 + (len(rest) - len(rest.lstrip()))
        if name.strip().lower() == "authorization":
            self.notes.append("The Authorization header was left out: the connection adds its own.")
            return
        self.header(name.strip(), resolve(word.cut(start), self.namespace))

    def header(self, name: str, value: object) -> None:
        """A header: those that are options become them."""
        if plain(value) is None or value == "":
            raise UsageFault(f"The header {name}: the value is missing. Nothing was sent.")
        option = {
            "stripe-account": "stripe_account",
            "stripe-context": "stripe_context",
            "stripe-version": "stripe_version",
            "idempotency-key": "idempotency",
        }.get(name.lower())
        if option and self.module.get(option):
            self.give(option, value)
        elif option:
            self.options[option] = value
        elif self.module.get("headers"):
            self.values.setdefault("headers", []).append({"key": name, "value": value})
        elif name.lower() not in {"content-type", "accept", "user-agent"}:
            raise UsageFault(
                f"{command_names.shown(self.module)} takes no header {name}.",
                advice="`%stripe get|post ...` takes any.",
            )

    def command(self) -> Command:
        """What was read."""
        self._clean_url()
        refuse_keys(
            *_leaves(list(self.values.values())),
            *_leaves([value for _, value in self.params]),
            *_leaves(list(self.options.values())),
        )
        made = Command(self.module.name, self.values, self.params, read_options(self.options))
        made.notes, made.sources = self.notes, self.sources
        if made.options.from_ is not None and not made.options.form:
            refuse_guessed(made.options.from_)
            made.notes += getattr(made.options.from_, "attrs", {}).get("source_notes", [])
        return made

    def _clean_url(self) -> None:
        """Make an API Call takes a path; its query becomes parameters, Stripe's own host is dropped."""
        if self.module.name != "api.call" or not isinstance(self.values.get("url"), str):
            return
        path, query = command_names.path_and_query(self.values["url"])
        self.values["url"] = path
        for name, value in query:
            self.params.append((name, value))


def _of_column(own: Field | None, column: Any) -> Any:
    """A column as a value: all of it for a list, its one item for anything else."""
    if own is not None and shape_of(own.kind) in REPEATED:
        return list(column)
    if len(column) != 1:
        raise UsageFault(
            f"{own.flag if own else 'The value'} takes one value; a column of {len(column):,} was given.",
            advice="--from FRAME makes one call a row.",
        )
    value = column.iloc[0]
    return value.item() if hasattr(value, "item") else value


def _leaves(node: object) -> list[Any]:
    if isinstance(node, dict):
        return [leaf for each in node.values() for leaf in _leaves(each)]
    if isinstance(node, (list, tuple)):
        return [leaf for each in node for leaf in _leaves(each)]
    return [node] if isinstance(node, str) else []
