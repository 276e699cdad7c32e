"""Stripe's form encoding: nested Python values -> an ordered list of (name, text).

- `{"a": {"b": [1, 2]}}` is `a[b][0]=1`, `a[b][1]=2`; the order is the order of the values, so the same values
  give the same bytes.
- None says nothing (it is left out); UNSET and an empty list clear what Stripe has (`name=`); an empty
  mapping is left out.
  What a person named with a missing value never gets here: `validation` refuses it.
- What would silently become something else is refused: NaN, naive times, bare dates, sets, brackets in a
  nested key.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from urllib.parse import urlencode

Pairs = tuple[tuple[str, str], ...]
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Unset(Enum):
    """A type of one value, so that it stays itself through copies and pickles."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = _Unset.UNSET
"""Clear this value at Stripe: sent as empty text. (None leaves the value out.)"""


class Missing:
    """A value that is missing, with the words for how it was given: `$email is empty text`."""

    def __init__(self, how: str) -> None:
        self.how = how

    def __repr__(self) -> str:
        return self.how


def describe_missing(value: object) -> str:
    """What a missing value looked like: None, NaN, NA, NaT."""
    if isinstance(value, Missing):
        return value.how
    return {
        "NAType": "NA",
        "NaTType": "NaT",
        "NoneType": "None",
        "datetime64": "NaT",
        "timedelta64": "NaT",
    }.get(type(value).__name__, "NaN")


def encode(params: Mapping[str, Any]) -> Pairs:
    """Stripe's form encoding of nested values, as ordered pairs. Raises ValueError, naming the parameter, for
    what can't be sent.

    The names of the outermost level may be bracket parameters already (`shipping[address][line1]`).
    """
    return tuple(pair for name, value in params.items() for pair in pairs(str(name), value))


def form(params: Iterable[tuple[str, str]]) -> str:
    """The pairs as they stand in a body or behind a question mark: percent-encoded UTF-8, a space as `+`."""
    return urlencode(list(params))


def pairs(name: str, value: object) -> Iterator[tuple[str, str]]:
    """The pairs of one parameter."""
    value = plain(value)
    if value is None:
        return
    if isinstance(value, str):
        yield name, _clean(name, value)
    elif value is UNSET:
        yield name, ""
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if "[" in str(key) or "]" in str(key):
                raise ValueError(
                    f"{name}: the key {str(key)!r} has a square bracket, which Stripe would read as nesting"
                )
            place = f"{name}[{_clean(name, str(key))}]"
            if plain(inner) is None:
                raise ValueError(
                    f"{place} is missing ({describe_missing(inner)}); give a value, or leave it out"
                )
            yield from pairs(place, inner)
    elif isinstance(value, list):
        if not value:
            yield name, ""
        for index, inner in enumerate(value):
            place = f"{name}[{index}]"
            if plain(inner) is None:
                raise ValueError(f"{place} is empty; a list can't hold missing values")
            yield from pairs(place, inner)
    else:
        yield name, text(value, name)


_AMOUNT = re.compile(r"(?:^|[_\[])amount(?:_[a-z_]+)?\]?$")


def refuse_blank_amounts(params: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The same pairs. Raises ValueError for an amount without a number: Stripe would take the whole one."""
    for name, value in params:
        if not value.strip() and _AMOUNT.search(name):
            raise ValueError(f"{name} is empty; give a value, or leave it out")
        yield name, value


def text(value: object, name: str = "value") -> str:
    """One plain value as Stripe reads it: true, 1356994800, 10.50."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, str):
        return _clean(name, value)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{name}: {value} is not a number that can be sent")
        return format(value, "f")
    if isinstance(value, datetime):
        return str(seconds(value, name))
    if isinstance(value, date):
        raise ValueError(f"{name}: {value} is a whole day; give the moment, a datetime with its time zone")
    raise ValueError(f"{name}: a {type(value).__name__} can't be sent; give text, a number, a list or a dict")


def seconds(moment: datetime, name: str = "value") -> int:
    """Unix seconds of an aware datetime, rounded down."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError(
            f"{name}: {moment} has no time zone; give one, e.g. datetime(..., tzinfo=UTC), or write the time"
            " as text"
        )
    return (moment - EPOCH) // timedelta(seconds=1)


def plain(value: Any) -> Any:
    """A value without its wrapper: numpy and pandas scalars, missing values (None), arrays, Series and tuples
    (list)."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or kind is dict or kind is list or value is None:
        return value
    if kind is float:
        return None if value != value else value  # noqa: PLR0124 - NaN, pandas' mark for a missing value
    if kind is tuple:
        return list(value)
    if kind is Missing:
        return None
    home = kind.__module__.partition(".")[0]
    if home not in {"numpy", "pandas"}:
        return value
    if kind.__name__ in {"NAType", "NaTType", "MaskedConstant"}:
        return None
    if hasattr(value, "columns") and hasattr(value, "to_dict"):
        return value.to_dict("records")
    if hasattr(value, "tolist") and getattr(value, "ndim", 0) > 0:
        return value.tolist()
    if kind.__name__ == "datetime64":
        moment = sys.modules["pandas"].Timestamp(value) if "pandas" in sys.modules else value.item()
        return plain(moment) if type(moment).__name__ == "NaTType" else moment
    if hasattr(value, "dtype") and hasattr(value, "item"):
        return plain(value.item())
    return value


MAX_DEPTH = 40


def is_too_deep(value: object) -> bool:
    """Whether a value is nested more than 40 levels deep, as one that contains itself is."""
    level = [value]
    for _ in range(MAX_DEPTH):
        containers = [each for each in level if isinstance(each, (dict, list, tuple))]
        if not containers:
            return False
        inner = [item for each in containers for item in (each.values() if isinstance(each, dict) else each)]
        level = list({id(each): each for each in inner}.values())
    return True


def _clean(name: str, value: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name}: the text contains an invalid Unicode character; retype it") from None
    return value
