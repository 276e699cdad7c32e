"""Names of the notebook inside a call: `$name` alone is the object, `{{name}}` in a text is its text; and
keys, which are refused.

Nothing else is looked up and nothing is evaluated: a name is an identifier with attributes, a frame's columns
included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from stripe_magics._form_encoding import Missing, describe_missing, plain
from stripe_magics._redaction import KEY
from stripe_magics._text import closest_matches
from stripe_magics.errors import KeyRefused, UnknownName, UsageFault
from stripe_magics.parsing.lexer import Word

WHOLE = re.compile(r"\$([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\Z")
INSIDE = re.compile(r"\{\{\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*\}\}")
EVALUATED = re.compile(r"\{\{(?!\s*[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\s*\}\})[^{}]*\}\}")


def refuse_keys(*texts: Any) -> None:
    """Raise `KeyRefused` if one of the texts has something in it that looks like a secret key."""
    for text in texts:
        if isinstance(text, str) and KEY.search(text):
            kind = (
                "webhook secret"
                if "whsec_" in text and not KEY.search(text.replace("whsec_", ""))
                else "secret key"
            )
            raise KeyRefused(
                f"There is a {kind} in this cell. It was not used, and nothing was sent.",
                advice=(
                    "Roll that key at Stripe (Developers > API keys), then `%stripe connect`, or `%stripe"
                    " connect --env STRIPE_API_KEY`."
                ),
            )


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Stands for a variable of a function that has no value here: the function has returned, or it isn't
    assigned at this point."""

    function: str
    returned: bool = True
    # False: that function can't be looked at any more, so the name may be one of its variables or a global
    certain: bool = True


def look_up(path: str, namespace: Mapping[str, Any]) -> Any:
    """The object that a dotted name stands for. Raises `UnknownName` with the nearest names."""
    first, *rest = path.split(".")
    if first not in namespace:
        known = [name for name, value in namespace.items() if not (name.startswith("_") or callable(value))]
        raise UnknownName(
            "variable", f"${first}", [f"${name}" for name in closest_matches(first, known)], advice=_LITERAL
        )
    value, so_far = namespace[first], first
    if isinstance(value, Unreachable) and not value.returned:
        raise UsageFault(
            f"${first} is a variable of {value.function}() that has no value at this point.",
            advice="Assign it before this line, or use another name.",
        )
    if isinstance(value, Unreachable) and not value.certain:
        raise UsageFault(
            f"${first} may be a variable of {value.function}(), which has returned and is gone: a global of"
            " that name isn't taken for it.",
            advice=f"Pass it on: def inner(..., {first}={first}), or name it in the inner function's code.",
        )
    if isinstance(value, Unreachable):
        raise UsageFault(
            f"${first} is a variable of {value.function}(), which has returned; its value is gone.",
            advice=f"Pass it on: def inner(..., {first}={first}), or name it in the inner function's code.",
        )
    for part in rest:
        value, so_far = _part(value, part, so_far), f"{so_far}.{part}"
    refuse_keys(value)
    return value


_LITERAL = "Text that starts with a dollar sign or has braces in it goes into single quotes."


def _part(value: Any, part: str, so_far: str) -> Any:
    if isinstance(value, Mapping) and part in value:
        return value[part]
    columns = getattr(value, "columns", None)
    names = [str(name) for name in columns] if columns is not None else []
    if part in names:
        return value[part]
    if not part.startswith("_") and hasattr(value, part):
        return getattr(value, part)
    known = names or [name for name in dir(value) if not name.startswith("_")]
    raise UnknownName("attribute or column", f"${so_far}.{part}", closest_matches(part, known))


def resolve(word: Word, namespace: Mapping[str, Any]) -> Any:
    """What a word stands for: an object for `$name`, otherwise text with each `{{name}}` replaced."""
    if word.name:
        return named_value(word.name, namespace)
    if "{{" not in word.text:
        return word.text
    for found in EVALUATED.finditer(word.text):
        if word.mask[found.start()] != "x":
            refuse_expression(found[0])
    return with_names(
        word.text, lambda found: as_text(found, namespace) if word.mask[found.start()] != "x" else found[0]
    )


def named_value(path: str, namespace: Mapping[str, Any]) -> Any:
    """The object of `$name`. One that is missing or blank stays refusable: whoever knows the field's name
    names it."""
    value = look_up(path, namespace)
    if isinstance(value, str) and not value.strip():
        return Missing(f"${path} is empty text")
    return Missing(f"${path} is {describe_missing(value)}") if plain(value) is None else value


def with_names(text: str, read: Callable[[re.Match[str]], str]) -> Any:
    """A text with each `{{name}}` replaced. Where nothing but blanks is left of it, it is missing."""
    found = INSIDE.sub(read, text)
    return found if found.strip() or not text.strip() else Missing(f"{text.strip()} is empty text")


def refuse_expression(text: str) -> None:
    """`{{pi.id[0]}}` would go out as it stands: a person meant its value."""
    raise UsageFault(
        f"{text}: only variable names are allowed in braces.",
        advice=f"Assign it first: y = {text[2:-2].strip()}, then {{{{y}}}}. {_LITERAL}",
    )


def as_text(found: re.Match[str], namespace: Mapping[str, Any]) -> str:
    """The text of one `{{name}}`."""
    return plain_text(found[1], f"{{{{{found[1]}}}}}", namespace)


def plain_text(path: str, source: str, namespace: Mapping[str, Any]) -> str:
    """The text of a name, written as `source`. A frame, a list or None has no text that a person could have
    meant."""
    value = look_up(path, namespace)
    if plain(value) is None:
        raise UsageFault(f"{source}: the value is missing ({describe_missing(value)}). Nothing was sent.")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        raise UsageFault(f"{source} is a float ({value!r}); use a whole number, a Decimal or text.")
    if isinstance(value, (str, int, Decimal, date, PurePath)):
        return str(value)
    simple = plain(value)  # numpy's numbers
    if type(simple) is not type(value) and isinstance(simple, (str, int)):
        return str(simple)
    raise UsageFault(f"{source} is a {type(value).__name__}; only text or a number can be part of a text.")
