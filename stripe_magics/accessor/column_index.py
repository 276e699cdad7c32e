"""`df.stripe.columns("card")`: which columns there are, what they hold, and under which names they are
found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from stripe_magics.errors import ColumnNotFoundError
from stripe_magics.frames.column_facts import Meaning, meanings, money_columns
from stripe_magics.frames.column_names import resolve, short_names
from stripe_magics.frames.frame_info import CallInfo, FrameInfo
from stripe_magics.frames.pandas_columns import text_dtype

COLUMNS = ("name", "short", "path", "type", "filled", "example", "what")
_WHAT = {
    "time": "a time, in UTC", "bool": "true or false", "map": "an object", "list": "a list",
    "sublist": "a list: df.stripe.explode opens it",
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
    query = words.strip().lower()
    rows = []
    for name in frame.columns:
        meaning = known.get(name)
        path = ".".join(meaning.path) if meaning else str(name)
        what = _what(meaning, money=name in money)
        alias = short.get(name, "")
        if query and not _matches(query, f"{name} {alias} {path} {what}".lower()):
            continue
        rows.append((str(name), alias, path, str(frame[name].dtype), *_content(frame[name]), what))
    if query and not rows:
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


def _what(meaning: Meaning | None, *, money: bool) -> str:
    if meaning is None:
        return "money" if money else ""
    kind = meaning.column.kind
    if money:
        return f"money, in minor units of {meaning.currency or 'its currency'}"
    if meaning.day:
        return "a day"
    if kind == "ref":
        named = -2 if meaning.path[-1] == "id" and len(meaning.path) > 1 else -1
        return f"the id of {_article(meaning.path[named])}"
    if meaning.column.choices:
        shown = ", ".join(meaning.column.choices[:6])
        return f"one of {shown}{' ...' if len(meaning.column.choices) > 6 else ''}"
    return _WHAT.get(kind, "")


def _article(name: str) -> str:
    words = name.replace("_", " ")
    return f"{'an' if words[:1] in 'aeio' else 'a'} {words}"


def find(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    """The column of a name, a short name, Stripe's path, or a field that a newer version has elsewhere.
    Raises ColumnNotFoundError."""
    kind = FrameInfo.of(frame).object
    for each in (name, resolve(kind, name, ()), name.replace(".", "_"), _MOVED.get((kind, name), "")):
        if each in frame.columns:
            return frame[each]
    if (kind, name) in _IN_ITEMS and "items" in frame.columns:
        return _of_all_items(frame, name)
    raise ColumnNotFoundError(name, [*map(str, frame.columns), *short_names(kind)])


_MOVED: Mapping[tuple[str, str], str] = {
    ("invoice", "subscription"): "parent_subscription_details_subscription",
    ("invoice", "quote"): "parent_quote_details_quote",
    ("invoice", "subscription_details_metadata"): "parent_subscription_details_metadata",
    ("invoiceitem", "subscription"): "parent_subscription_details_subscription",
    ("line_item", "subscription_item"): "parent_subscription_item_details_subscription_item",
}
"""Fields that a newer version has under another path, with the same value."""
_IN_ITEMS = frozenset({("subscription", "current_period_start"), ("subscription", "current_period_end")})
"""Fields that a newer version has in each item: exact where all items of a subscription agree."""


def _of_all_items(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    met = [{each.get(name) for each in cell} if isinstance(cell, list) else set() for cell in frame["items"]]
    seconds = pd.Series(
        [next(iter(each)) if len(each) == 1 else None for each in met], index=frame.index, dtype="Int64"
    )
    found: pd.Series[Any] = pd.to_datetime(seconds, unit="s", utc=True).astype("datetime64[us, UTC]")
    return found.rename(name)
