"""What the columns of a report are, declared beside the function that makes them: money, counts, ratios,
days, what they mean.

The kinds decide how a value is shown, converted and summed; `%stripe report NAME --help` prints the meanings.
A report whose frame has other columns than it declares fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, ParamSpec, cast

import pandas as pd

from stripe_magics.frames.frame_info import set_facts

Kind = Literal[
    "money", "count", "ratio", "percent", "days", "number", "text", "date", "month", "time", "flag"
]
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class ReportColumn:
    """One column of a report: its name, its kind, and what it means in a sentence."""

    name: str
    kind: Kind
    meaning: str


def money(name: str, meaning: str) -> ReportColumn:
    """An amount in minor units of the row's currency."""
    return ReportColumn(name, "money", meaning)


def count(name: str, meaning: str) -> ReportColumn:
    """A number of things."""
    return ReportColumn(name, "count", meaning)


def ratio_of(name: str, meaning: str) -> ReportColumn:
    """A share as a fraction: 0.25 is 25 %."""
    return ReportColumn(name, "ratio", meaning)


def text(name: str, meaning: str) -> ReportColumn:
    """Words, ids, codes."""
    return ReportColumn(name, "text", meaning)


def column(name: str, kind: Kind, meaning: str) -> ReportColumn:
    """Any other kind."""
    return ReportColumn(name, kind, meaning)


CURRENCY = text("currency", "The currency of the row's amounts (three letters, lower case).")
RESIDUAL = money("residual", "What is left unexplained; 0 proves the row.")
STATUS = text("status", "What the residual says: adds up, does not add up, or why it can't be known.")


def declare(
    *columns: ReportColumn, more: bool = False
) -> Callable[[Callable[P, pd.DataFrame]], Callable[P, pd.DataFrame]]:
    """Declare the columns of a report function. With `more` its frame may have others besides (those of the
    objects it lists)."""

    def around(function: Callable[P, pd.DataFrame]) -> Callable[P, pd.DataFrame]:
        @wraps(function)
        def declared(*args: P.args, **kwargs: P.kwargs) -> pd.DataFrame:
            return describe(function(*args, **kwargs), columns, more=more)

        cast("Any", declared).columns, cast("Any", declared).more = columns, more
        return declared

    return around


def columns_of(function: Callable[..., Any]) -> tuple[ReportColumn, ...]:
    """The columns that a report function declares."""
    made: tuple[ReportColumn, ...] = getattr(function, "columns", ())
    return made


def describe(frame: pd.DataFrame, columns: tuple[ReportColumn, ...], *, more: bool = False) -> pd.DataFrame:
    """Write into the frame's facts which columns are money, counts, ratios and days; the columns must be
    those declared."""
    names = [each.name for each in columns]
    found = list(frame.columns)
    if not more and found != names:
        raise AssertionError(f"the report has the columns {found}, but declares {names}")
    here = [each for each in columns if each.name in found]
    return set_facts(
        frame,
        amounts=[each.name for each in here if each.kind == "money"],
        fractions=[each.name for each in here if each.kind == "ratio"],
        kinds={each.name: each.kind for each in here},
    )
