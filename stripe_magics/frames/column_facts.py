"""What the columns of a frame mean: which are money and in which currency, which are days, by the facts of
the object types in it.

- A column is looked up in the facts of the frame's object type, of the objects that were expanded in it, and
  of the objects that were merged into it (`id_bt` that starts with `txn_` says that a balance transaction is
  here, and that `amount_bt` goes with `currency_bt`).
- A report says itself which of its columns are money; a person says it with `df.stripe.money(...)`. Nothing
  is guessed from names or dtypes:
  a column that a person added is a plain number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from stripe_magics.catalogue.stripe_objects import owner
from stripe_magics.catalogue.versions import PINNED_VERSION
from stripe_magics.frames.frame_info import FrameInfo
from stripe_magics.frames.money_fields import DAYS, currency_column, is_money
from stripe_magics.frames.schema import Column, facts, release, schema
from stripe_magics.money import CURRENCIES

if TYPE_CHECKING:
    import pandas as pd


MAX_LOOKED_AT = 1000
"""Rows in which it is looked which objects are in a frame."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a column is: the field of an object type, and, of money, where its currency stands ("" if
    nowhere)."""

    column: Column
    object: str
    path: tuple[str, ...]  # from the row's own object on
    money: bool = False
    currency: str = ""

    @property
    def day(self) -> bool:
        """Whether the time is a day, written as its midnight in UTC."""
        return (self.object, self.column.path[-1]) in DAYS


@dataclass(frozen=True, slots=True)
class CurrencySource:
    """Where the currency of an amount is read: a column, an index level, or one code for all rows."""

    column: Any = None
    level: Any = None
    code: str = ""


@cache
def known_columns(
    object_type: str, expanded: tuple[tuple[str, str], ...] = (), version: str = PINNED_VERSION
) -> Mapping[str, Meaning]:
    """The columns that frames of an object type have at an API version, with those of expanded objects."""
    out = {each.column.name: each for each in _own(object_type, version)}
    fixed = set(out)
    for name, kind in sorted(expanded, key=lambda pair: len(pair[0])):
        path = out[name].path if name in out else tuple(name.split("_"))
        inner = [
            (
                each,
                (
                    f"{name}_{each.column.name}"
                    if f"{name}_{each.column.name}" not in fixed
                    else f"{name}__{each.column.name}"
                ),
            )
            for each in _own(kind, version)
            if each.column.name != "id"
        ]
        names = {each.column.name: label for each, label in inner}
        for each, label in inner:
            currency = names.get(each.currency, "") if each.currency else ""
            out.setdefault(label, replace(each, path=(*path, *each.path), currency=currency))
    return out


@cache
def _own(object_type: str, version: str) -> tuple[Meaning, ...]:
    columns = schema(object_type, version).columns
    names = {each.name for each in columns}
    out = []
    for each in columns:
        money = is_money(object_type, each.path, each.kind)
        currency = currency_column(each.path, names) if money else ""
        out.append(Meaning(each, object_type, each.path, money, currency or ""))
    return tuple(out)


def object_types(frame: pd.DataFrame, info: FrameInfo | None = None) -> Iterator[tuple[str, str]]:
    """The object types whose columns stand in the frame, each with the suffix that its columns have."""
    info = info or FrameInfo.of(frame)
    main = info.object if info.object in facts() else ""
    seen: set[tuple[str, str]] = set()
    if main:
        seen.add(("", main))
        yield "", main
    for label in frame.columns:
        if not isinstance(label, str) or not (label.startswith(("id", "object"))):
            continue
        stem, suffix = ("id", label[2:]) if label.startswith("id") else ("object", label[6:])
        if suffix and not suffix.startswith("_"):
            continue
        for kind in _types_in(frame[label], stem):
            if (suffix, kind) not in seen and not (
                suffix == "" and main and info.amounts is None and kind == main
            ):
                seen.add((suffix, kind))
                yield suffix, kind


def _types_in(values: Any, stem: str) -> list[str]:
    head = values.head(MAX_LOOKED_AT).dropna().head(1)
    if stem == "id":
        kinds = [owner(str(each)) for each in head]
    else:
        kinds = [str(each) for each in values.head(MAX_LOOKED_AT).dropna().unique()]
    return [kind for kind in kinds if kind in facts()]


def meanings(frame: pd.DataFrame, info: FrameInfo | None = None) -> dict[Any, Meaning]:
    """What the frame's columns mean, as far as the facts know it; currencies are named as they are in this
    frame."""
    info = info or FrameInfo.of(frame)
    labels = {label for label in frame.columns if isinstance(label, str)}
    types = list(object_types(frame, info))
    expanded = tuple(sorted(info.expanded.items()))
    version = release(info.api_version or PINNED_VERSION)
    out: dict[Any, Meaning] = {}
    for suffix, kind in types:
        known = known_columns(kind, expanded if (suffix, kind) == types[0] else (), version)
        for name, meaning in known.items():
            if name + suffix in labels and name + suffix not in out:
                out[name + suffix] = _placed(meaning, suffix, labels)
        if suffix and kind != types[0][1]:  # columns of a merged object that met no other of their name
            first = known_columns(types[0][1], expanded, version) if types[0][0] == "" else {}
            for name, meaning in known.items():
                if name in labels and name not in out and name not in first:
                    out[name] = _placed(meaning, suffix, labels, beside="currency" not in first)
    for suffix in _suffixes_with_currency(labels):
        for name, meaning in _money_everywhere().items():
            if name + suffix in labels and name + suffix not in out:
                out[name + suffix] = replace(meaning, currency=f"currency{suffix}")
    return out


def _suffixes_with_currency(labels: set[str]) -> list[str]:
    """The suffixes of a merge by which a currency stands: of an object whose id and type were left out."""
    return sorted(each.removeprefix("currency") for each in labels if each.startswith("currency_"))


@cache
def _money_everywhere() -> Mapping[str, Meaning]:
    """The columns that are money in the object's currency wherever an object has both."""
    money: dict[str, Meaning] = {}
    other: set[str] = set()
    for kind in facts():
        for each in _own(kind, release(PINNED_VERSION)):
            if each.money and each.currency == "currency":
                money.setdefault(each.column.name, each)
            elif not each.money:
                other.add(each.column.name)
    return {name: meaning for name, meaning in money.items() if name not in other}


def _placed(meaning: Meaning, suffix: str, labels: set[str], *, beside: bool = False) -> Meaning:
    """The meaning with its currency as it is named in the frame: with the same suffix, or bare where no other
    object has it."""
    name = meaning.currency
    if not name:
        return meaning
    if name + suffix in labels:
        return replace(meaning, currency=name + suffix)
    return replace(meaning, currency=name if beside and name in labels else "")


@cache
def column_names() -> frozenset[str]:
    """The columns of all types of object."""
    return frozenset(column.name for kind in facts() for column in schema(kind).columns)


def money_columns(frame: pd.DataFrame, info: FrameInfo | None = None) -> dict[Any, CurrencySource | None]:
    """The money columns of a frame, each with where its currency is read; None if that isn't in the frame."""
    info = info or FrameInfo.of(frame)
    out: dict[Any, CurrencySource | None] = {}
    if info.amounts is not None:
        out = {name: nearest_currency(frame, str(name)) for name in info.amounts if name in frame.columns}
    else:
        for label, meaning in meanings(frame, info).items():
            if meaning.money:
                out[label] = (
                    CurrencySource(column=meaning.currency) if meaning.currency else _in_index(frame, meaning)
                )
    for name, currency in info.money.items():
        if name in frame.columns:
            own = currency == name and str(name) in CURRENCIES  # a wide frame's column `usd`
            out[name] = CurrencySource(code=str(name)) if own else named_currency(frame, currency)
    for label in frame.columns:  # wide frames: (amount, usd)
        value = _wide_value(frame, label)
        if value is not None and (value in out or _is_money_name(info, value)):
            out[label] = CurrencySource(code=_code_in(label))
    return out


def named_currency(frame: pd.DataFrame, currency: str) -> CurrencySource | None:
    """A currency as a person names it: a column, an index level or a code."""
    if currency in frame.columns:
        return CurrencySource(column=currency)
    if currency in frame.index.names:
        return CurrencySource(level=currency)
    return CurrencySource(code=currency.lower()) if currency.lower() in CURRENCIES else None


def _in_index(frame: pd.DataFrame, _meaning: Meaning) -> CurrencySource | None:
    return CurrencySource(level="currency") if "currency" in frame.index.names else None


def nearest_currency(frame: pd.DataFrame, amount: str) -> CurrencySource | None:
    """The currency of an amount that is named by rule, as reports do: `fx_amount` goes with `fx_currency`,
    everything else with `currency`."""
    parts = amount.split("_")
    for size in range(len(parts) - 1, -1, -1):
        name = "_".join([*parts[:size], "currency"])
        if name in frame.columns:
            return CurrencySource(column=name)
        if name in frame.index.names:
            return CurrencySource(level=name)
    return None


def currency_labels(frame: pd.DataFrame) -> list[Any]:
    """The columns of a wide frame that are named after a currency: `usd`, or `("amount", "usd")`."""
    levels = [number for number, name in enumerate(frame.columns.names) if str(name).endswith("currency")]
    if not levels:
        return []
    return [label for label in frame.columns if _code_in(label)]


def _code_in(label: object) -> str:
    parts = label if isinstance(label, tuple) else (label,)
    return next((str(each) for each in parts if isinstance(each, str) and each in CURRENCIES), "")


def _wide_value(frame: pd.DataFrame, label: object) -> str | None:
    if (
        not isinstance(label, tuple)
        or not _code_in(label)
        or not any(str(each).endswith("currency") for each in frame.columns.names)
    ):
        return None
    return next((each for each in label if isinstance(each, str) and each not in CURRENCIES), None)


def _is_money_name(info: FrameInfo, name: str) -> bool:
    if info.amounts is not None:
        return name in info.amounts
    known = known_columns(
        info.object, tuple(sorted(info.expanded.items())), release(info.api_version or PINNED_VERSION)
    )
    return name in known and known[name].money


def cut_lists(frame: pd.DataFrame) -> dict[str, int]:
    """The list columns of which Stripe sent only the first items, with in how many rows."""
    out = {}
    for name in frame.columns:
        if isinstance(name, str) and name.endswith("_has_more") and str(frame[name].dtype) == "boolean":
            count = int(frame[name].fillna(value=False).sum())
            if count and name.removesuffix("_has_more") in frame.columns:
                out[name.removesuffix("_has_more")] = count
    return out
