"""The settings of the magics: `%stripe config --max-rows 100`, `%config StripeMagics.max_rows = 100`, or
`c.StripeMagics.max_rows` in IPython's configuration.

Declared once, as traits: the magics have them, `config`, its help and completion read them here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from IPython.core.magic import Magics
from traitlets import Bool, Int, Unicode, observe

from stripe_magics import _locale
from stripe_magics._text import read_boolean
from stripe_magics.errors import UsageFault


class Settings(Magics):
    """The magics' settings, each with what it does."""

    full_traceback = Bool(False, help="Show the whole traceback of our own errors, for reports.").tag(
        config=True
    )
    max_rows = Int(60, help="Rows of a frame that are shown; the frame itself always has all.").tag(
        config=True
    )
    max_columns = Int(
        12, help="Columns of a frame that are shown; `df.stripe.wide` and the frame itself have all."
    ).tag(config=True)
    all_columns = Bool(False, help="Show every column of every frame.").tag(config=True)
    table = Bool(False, help="Show every frame as an interactive table, as --table does.").tag(config=True)
    locale = Unicode(
        "",
        help=(
            "How tables, cards, reports, plots and workbooks write amounts, numbers and dates: de, fr, en_GB"
            " ...; none: 1,234.50 and 2026-09-30."
        ),
    ).tag(config=True)
    names_beside_ids = Bool(
        True, help="Show names beside the ids of customers, products, prices and invoices."
    ).tag(config=True)

    @observe("locale")
    def _locale_changed(self, change: Any) -> None:
        _locale.set_locale(change["new"])


TRAITS: Mapping[str, Any] = dict(sorted(Settings.class_own_traits(config=True).items()))
BOOLEANS = ("true", "false")
LANGUAGES = ("none", "de", "de_CH", "en_GB", "en_IN", "es", "fr", "it", "ja", "nl", "pt_BR")


def meaning(name: str) -> tuple[str, str]:
    """What a setting takes, and what it does."""
    trait = TRAITS[name]
    if isinstance(trait, Bool):
        return "|".join(BOOLEANS), str(trait.help)
    return "N" if isinstance(trait, Int) else "LANGUAGE", str(trait.help)


def choices(name: str) -> tuple[str, ...]:
    """Values to suggest."""
    trait = TRAITS[name]
    return BOOLEANS if isinstance(trait, Bool) else () if isinstance(trait, Int) else LANGUAGES


def written(settings: object) -> dict[str, str]:
    """What each setting is now, as it is written on a line."""
    return {name: _line_value(getattr(settings, name)) for name in TRAITS}


def _line_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or "none"


def read(name: str, value: object) -> Any:
    """A setting's value as it was written. Raises `UsageFault`."""
    trait, flag = TRAITS[name], f"--{name.replace('_', '-')}"
    text = str(value).strip()
    if isinstance(trait, Bool):
        found = read_boolean(text)
        if found is None:
            raise UsageFault(f"{flag}: {value!r} is neither true nor false.")
        return found
    if isinstance(trait, Int):
        if not text.isdecimal():
            raise UsageFault(f"{flag}: {value!r} is not a whole number.")
        return int(text)
    return "" if text.lower() in {"none", "off"} else text
