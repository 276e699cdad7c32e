"""A form's call as the magic that makes it: what may be shown of it, and whether a line is enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from stripe_magics import catalogue
from stripe_magics._command import Command
from stripe_magics._redaction import mask_param, mask_params
from stripe_magics.parsing import write_cell, write_line


def masked(command: Command) -> Command:
    """The command as it may be shown, and saved with the notebook: card and bank numbers by their last
    digits."""
    fields = {each.name: each.param or each.name for each in catalogue.find(command.module).fields}
    values = {name: mask_param(fields.get(name, name), value) for name, value in command.values.items()}
    return replace(command, values=values, params=list(mask_params(command.params)))


def as_magic(command: Command) -> str:
    """A command as people would write it: a line, or a cell where values have several lines or parts."""
    long = any(
        isinstance(each, list) and any(isinstance(row, Mapping) for row in each)
        for each in command.values.values()
    )
    long = long or any(isinstance(each, str) and "\n" in each for each in command.values.values())
    return write_cell(command) if long else write_line(command)
