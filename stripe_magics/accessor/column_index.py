"""`df.stripe.columns("card")`: which columns there are, what they hold, and under which names they are found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from stripe_magics.frames.arrow_columns import text_dtype
from stripe_magics.frames.column_facts import Meaning, meanings, money_columns
from stripe_magics.frames.column_names import short_names
from stripe_magics.frames.frame_errors import ColumnNotFoundError
from stripe_magics.frames.frame_info import CallInfo, FrameInfo

COLUMNS = ("name", "short", "path", "type", "filled", "example", "what")
_WHAT = {
    "time": "a time, in UTC", "bool": "true or false", "map": "an object", "list": "a list", "sublist": "a list: df.stripe.explode opens it",
    "currency": "a currency code", "secret": "hidden", "interval": "day, week, month or year",
}  # fmt: skip
_SYNONYMS = {
    "brand": "card",
    "bank": "destination",
    "tax": "vat",
    "decline": "failure outcome error",
    "plan": "price",
    "email": "mail",
}


def columns(frame: pd.DataFrame, words: str) -> pd.DataFrame:
    """See `df.stripe.columns`."""
    info = FrameInfo.of(frame)
    known, money = meanings(frame, info), money_columns(frame, info)
    short = {name: alias for alias, name in short_names(info.object).items()}
    wanted = words.strip().lower()
    rows = []
    for name in frame.columns:
        meaning = known.get(name)
        path = ".".join(meaning.path) if meaning else str(name)
        what = _what(meaning, name in money)
        alias = short.get(name, "")
        if wanted and not _matches(wanted, f"{name} {alias} {path} {what}".lower()):
            continue
        rows.append((str(name), alias, path, str(frame[name].dtype), *_content(frame[name]), what))
    if wanted and not rows:
        names = [*map(str, frame.columns), *short.values()]
        raise ColumnNotFoundError(words, names)
    texts = {
        name: pd.Series([row[at] for row in rows], dtype=text_dtype())
        for at, name in enumerate(COLUMNS)
        if name not in {"filled", "example"}
    }
    out = pd.DataFrame(
        {
            **texts,
            "filled": pd.Series([row[4] for row in rows], dtype="float64"),
            "example": pd.Series([row[5] for row in rows], dtype=object),
        }
    )[list(COLUMNS)]
    return FrameInfo(object="columns", amounts=(), more={"fractions": ["filled"]}).put(
        out, CallInfo(rows=len(out))
    )


def _matches(words: str, about: str) -> bool:
    return all(
        any(
            each in about
            for each in (word, word.replace(".", "_"), *(_SYNONYMS.get(word, "").split()))
            if each
        )
        for word in re.split(r"\s+", words)
    )


def _content(values: pd.Series[Any]) -> tuple[float, Any]:
    filled = values.dropna()
    example = filled.iloc[0] if len(filled) else None
    return (round(len(filled) / len(values), 4) if len(values) else 0.0), example


def _what(meaning: Meaning | None, money: bool) -> str:
    if meaning is None:
        return "money" if money else ""
    kind = meaning.column.kind
    if money:
        return f"money, in minor units of {meaning.currency or 'its currency'}"
    if meaning.day:
        return "a day"
    if kind == "ref":
        return f"the id of {_article(meaning.path[-2] if meaning.path[-1] == 'id' and len(meaning.path) > 1 else meaning.path[-1])}"
    if meaning.column.choices:
        shown = ", ".join(meaning.column.choices[:6])
        return f"one of {shown}{' ...' if len(meaning.column.choices) > 6 else ''}"
    return _WHAT.get(kind, "")


def _article(name: str) -> str:
    words = name.replace("_", " ")
    return f"{'an' if words[:1] in 'aeio' else 'a'} {words}"


def find(frame: pd.DataFrame, name: str) -> str:
    """The column of a name, a short name or Stripe's path. Raises ColumnNotFoundError."""
    from stripe_magics.frames.column_names import resolve

    if name in frame.columns:
        return name
    column = resolve(FrameInfo.of(frame).object, name)
    for each in (column, name.replace(".", "_")):
        if each in frame.columns:
            return each
    for alias, long in _SHARED.items():
        if alias == name and long in frame.columns:
            return long
    raise ColumnNotFoundError(name, [*map(str, frame.columns), *short_names(FrameInfo.of(frame).object)])


_SHARED: Mapping[str, str] = {
    "current_period_start": "items_current_period_start",
    "current_period_end": "items_current_period_end",
    "subscription": "parent_subscription_details_subscription",
}
"""Fields that a newer version has elsewhere: the old name -> the column."""
