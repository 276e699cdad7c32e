"""How an answer reaches the notebook: the name that it is bound to, and what it has to say of itself where it
isn't displayed."""

from __future__ import annotations

import keyword
from typing import Any

from stripe_magics.errors import UsageFault


def notes_of(answer: object) -> list[str]:
    """What an answer has to say of itself: that it was cut, that nothing new was made."""
    about = getattr(answer, "attrs", {}).get("stripe") or {}
    said = [str(each) for each in about.get("notes") or []]
    return said or (
        []
        if about.get("complete", True)
        else ["This list is not complete; there are more rows: --limit all."]
    )


def check_name(name: str) -> None:
    """Refuse what can't be a variable's name."""
    if not name.isidentifier() or keyword.iskeyword(name):
        why = "is a keyword of Python" if keyword.iskeyword(name) else "is not a variable name"
        raise UsageFault(
            f"--out {name}: {name!r} {why}.",
            advice="Letters, digits and underscores, not beginning with a digit: --out customers",
        )


def bound_line(name: str, answer: Any, more: str = "") -> str:
    """What a name now stands for, in one line; below it what the answer has to say of itself, since it isn't
    displayed."""
    shape = getattr(answer, "shape", None)
    if shape is None or len(shape) != 2:
        return f"{name}: {type(answer).__name__}{more}"
    ids = [str(each) for each in answer["id"].head(1)] if shape[0] == 1 and "id" in answer.columns else []
    first = (
        f"{name}: DataFrame, {shape[0]:,}"
        f" row{'' if shape[0] == 1 else 's'}{' ' + ids[0] if ids else ''}{more}"
    )
    return "\n".join([first, *notes_of(answer)])
