"""Money as people and spreadsheets write it: one meaning or none."""

from __future__ import annotations

import pytest
from each_row import each_row
from hypothesis import given
from hypothesis import strategies as st

from stripe_magics.forms.money_entry import as_line_value
from stripe_magics.money import exponent, parse, to_major

READ = [
    ("25.00", "eur", "25.00eur"),
    ("2500", "eur", "2500"),
    ("1,234.50", "usd", "1234.50usd"),
    ("1.234,50", "eur", "1234.50eur"),
    ("1,234,567.89", "usd", "1234567.89usd"),
    ("1'234.50", "chf", "1234.50chf"),
    ("1 234,50", "eur", "1234.50eur"),
    ("1\u202f234,50", "eur", "1234.50eur"),
    ("25,5", "eur", "25.5eur"),
    ("€1.234,50", "", "1234.50eur"),
    ("1.234,50 €", "eur", "1234.50eur"),
    ("$25", "cad", "25cad"),
    ("EUR 25", "", "25eur"),
    ("25 usd", "usd", "25usd"),
    ("-5.00", "usd", "-5.00usd"),
    ("25.00", "", "25.00"),
    ("some", "eur", "some"),
    ("", "eur", ""),
]
REFUSED = [
    ("1,234", "usd", "could be"),
    ("$25", "", "several currencies"),
    ("€25.00", "usd", "is written with €"),
    ("1,23,4.50", "usd", "thousands"),
    ("12,34.56,78", "usd", "thousands"),
    ("1.23.456", "eur", "thousands"),
]


@each_row(("text", "currency", "line"), READ)
def test_read(text: str, currency: str, line: str) -> None:
    assert as_line_value(text, currency) == line


@each_row(("text", "currency", "why"), REFUSED)
def test_refused(text: str, currency: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        as_line_value(text, currency)


@given(
    st.integers(0, 10**11),
    st.sampled_from(["usd", "eur", "kwd", "gbp"]),
    st.sampled_from([",.", ".,", "'.", " ,"]),
)
def test_what_a_spreadsheet_shows_is_what_is_meant(minor: int, currency: str, separators: str) -> None:
    minor -= minor % 10 if exponent(currency) == 3 else 0
    shown = f"{to_major(minor, currency):,.{exponent(currency)}f}"
    thousands, point = separators
    shown = shown.replace(",", "\0").replace(".", point).replace("\0", thousands)
    if exponent(currency) == 3 and shown.count(",") == 1 and "." not in shown:
        return  # 1,234 in a currency of three decimals: refused, since it could be either
    assert parse(as_line_value(shown, currency), currency).minor == minor
