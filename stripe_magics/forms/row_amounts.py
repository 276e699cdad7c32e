"""Amounts in the rows of a file: read with the currency that stands in the row, as a form reads an amount
beside its currency. Pure.

A column speaks one language: where some cells have decimals or a currency, a cell of plain digits is whole
units to whoever wrote it and minor units to Stripe. It is refused, with both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stripe_magics.catalogue.field import Field, Kind
from stripe_magics.errors import Fault
from stripe_magics.forms.money_entry import as_line_value
from stripe_magics.money import CURRENCIES, exponent, format_amount, parse
from stripe_magics.validation.currency_names import currency_code

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.catalogue.module import Module


def read_amounts(rows: pd.DataFrame, module: Module) -> tuple[pd.DataFrame, tuple[Fault, ...]]:
    """The rows with their amounts as a line writes them, and what is wrong with those that can't be read.

    Only text is read so: a number of a frame knows its unit.
    """
    faults: list[Fault] = []
    read: dict[str, list[Any]] = {}
    for field in _amount_fields(rows, module):
        cells, currencies = list(rows[field.name]), _currencies(rows, field)
        for at, (cell, currency) in enumerate(zip(cells, currencies, strict=True)):
            if isinstance(cell, str) and cell.strip():
                try:
                    cells[at] = as_line_value(cell, currency)
                except ValueError as problem:
                    faults.append(_fault(field, at, str(problem)))
        read[field.name] = cells
        faults += _mixed(field, cells, currencies)
    rows = rows.assign(**read) if read else rows
    return rows, tuple(faults)


def total_words(rows: pd.DataFrame, module: Module) -> list[str]:
    """What the rows come to, by field and currency: `Amount: 1,234.50 EUR in all`. `rows` as `read_amounts`
    gives them; fields with an amount whose currency isn't known are left out."""
    words = []
    for field in _amount_fields(rows, module):
        totals: dict[str, int] = {}
        for cell, currency in zip(rows[field.name], _currencies(rows, field), strict=True):
            try:
                amount = parse(str(cell), currency or None)
            except ValueError:  # a number of a frame in another unit, or a blank cell: no total is claimed
                totals = {}
                break
            code = amount.currency or currency
            totals[code] = totals.get(code, 0) + amount.minor
        if totals and all(code in CURRENCIES for code in totals):
            sums = ", ".join(format_amount(minor, code) for code, minor in sorted(totals.items()))
            words.append(f"{field.title}: {sums} in all")
    return words


def _amount_fields(rows: pd.DataFrame, module: Module) -> list[Field]:
    known = [module.get(str(column)) for column in rows.columns]
    return [each for each in known if each is not None and each.kind is Kind.MINOR_AMOUNT]


def _currencies(rows: pd.DataFrame, field: Field) -> list[str]:
    """The currency of each row, "" where it isn't said."""
    if not field.currency or field.currency not in rows.columns:
        return [""] * len(rows)
    return [
        currency_code(cell).strip().lower() if isinstance(cell, str) else "" for cell in rows[field.currency]
    ]


def _mixed(field: Field, cells: list[Any], currencies: list[str]) -> list[Fault]:
    texts = [cell if isinstance(cell, str) else "" for cell in cells]
    plain = [text.lstrip("-").isdigit() for text in texts]
    if not any(text.strip() and not digits for text, digits in zip(texts, plain, strict=True)):
        return []
    faults = []
    for at, (text, digits, currency) in enumerate(zip(texts, plain, currencies, strict=True)):
        places = exponent(currency) if currency in CURRENCIES else 2
        if digits and text.strip("-0") and places:
            faults.append(
                _fault(
                    field,
                    at,
                    f"{text!r} can mean more than one amount, since other cells of this column have decimals:"
                    f" write {text}.{'0' * places}, or {_in_units(text, places)} for {text} minor units",
                )
            )
    return faults


def _in_units(minor: str, places: int) -> str:
    sign, digits = ("-" if minor.startswith("-") else ""), minor.lstrip("-").rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def _fault(field: Field, at: int, problem: str) -> Fault:
    return Fault(field.name, field.title, f"row {at + 1}: {problem}")
