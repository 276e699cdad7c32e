"""What a call says of itself, in a form's words: its fields by their labels, not by the flags of a line."""

from __future__ import annotations

import re

from stripe_magics.catalogue.module import Module

_HELP_LISTS = re.compile(r" \.\.\. \(--help lists all (\d+)\)")
_MORE_ROWS = re.compile(r"(?:--limit N or )?--limit all")


def in_labels(note: str, module: Module) -> str:
    """A note with the form's labels in place of flags."""
    limit = module.get("limit")
    note = _MORE_ROWS.sub(
        f"raise {limit.label}, or write all there"
        if limit is not None
        else "give a higher limit with the URL",
        note,
    )
    note = _HELP_LISTS.sub(r" ... (\1 in all: the list has them)", note)
    labels = {each.flag: each.label for each in module.fields}
    note = re.sub(r" \((--[a-z][a-z0-9-]+)\)", lambda found: "" if found[1] in labels else found[0], note)
    return re.sub(r"--[a-z][a-z0-9-]+", lambda found: labels.get(found[0], found[0]), note)
