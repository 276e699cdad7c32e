"""What a call says of itself, in a form's words: its fields by their labels, not by the flags of a line."""

from __future__ import annotations

import re

from stripe_magics.catalogue.module import Module

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
    labels = {each.flag: each.label for each in module.fields}
    return re.sub(r"--[a-z][a-z-]+", lambda found: labels.get(found[0], found[0]), note)
