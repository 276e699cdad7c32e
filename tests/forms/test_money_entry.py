"""Money as people and spreadsheets write it: one meaning or none."""

from __future__ import annotations

import pytest
from each_row import each_row
from hypothesis import given
from hypothesis import strategies as st

from stripe_magics.errors import InvalidValue
from stripe_magics.forms import module_form
from stripe_magics.forms.money_entry import SIGNS, as_line_value
from stripe_magics.money import CURRENCIES, exponent, parse, step, to_major

READ = [
    ("25.00", "eur", "25.00eur"),
    ("2500", "eur", "2500"),
    ("1,234.50", "usd", "1234.50usd"),
    ("1.234,50", "eur", "1234.50eur"),
    ("1,234,567.89", "usd", "1234567.89usd"),
    ("12,34,567.89", "inr", "1234567.89inr"),
    ("1'234.50", "chf", "1234.50chf"),
    ("1’234.50", "chf", "1234.50chf"),
    ("1 234,50", "eur", "1234.50eur"),
    ("1\u202f234,50", "eur", "1234.50eur"),
    ("1\u00a0234,50\u00a0€", "eur", "1234.50eur"),
    ("1\u2009234,50", "eur", "1234.50eur"),
    ("25,5", "eur", "25.5eur"),
    ("0,500", "eur", "0.500eur"),
    ("1234,500", "eur", "1234.500eur"),
    ("€1.234,50", "", "1234.50eur"),
    ("1.234,50 €", "eur", "1234.50eur"),
    ("\u200e1.234,50 €\u200f", "eur", "1234.50eur"),
    ("  25.00\t", "eur", "25.00eur"),
    ("$25", "cad", "25cad"),
    ("US$25.00", "", "25.00usd"),
    ("R$ 1.234,50", "", "1234.50brl"),
    ("￥1,234", "jpy", "1234jpy"),
    ("１２．５０", "eur", "12.50eur"),
    ("EUR 25", "", "25eur"),
    ("25 usd", "usd", "25usd"),
    ("25 euros", "", "25eur"),
    ("25.50 US dollars", "usd", "25.50usd"),
    ("Swiss franc 1'000", "", "1000chf"),
    ("1 000 €", "", "1000eur"),
    ("EUR 1'000'000", "eur", "1000000eur"),
    ("1,234", "jpy", "1234jpy"),
    ("1,234,567", "krw", "1234567krw"),
    ("1.234.567", "vnd", "1234567vnd"),
    ("12.500", "kwd", "12.500kwd"),
    ("25,-", "eur", "25.00eur"),
    ("1.250,-- €", "eur", "1250.00eur"),
    ("-5.00", "usd", "-5.00usd"),
    ("+5.00", "usd", "5.00usd"),
    ("−5,00", "eur", "-5.00eur"),
    ("(1,234.50)", "usd", "-1234.50usd"),
    ("($5.00)", "usd", "-5.00usd"),
    ("$(5.00)", "usd", "-5.00usd"),
    ("-$5.00", "usd", "-5.00usd"),
    ("$-5.00", "usd", "-5.00usd"),
    ("5,00- €", "eur", "-5.00eur"),
    ("5,00 €-", "eur", "-5.00eur"),
    ("25.00", "", "25.00"),
    ("25.00usdc", "usdc", "25.00usdc"),
    ("some", "eur", "some"),
    ("--5", "eur", "--5"),
    ("12%", "eur", "12%"),
    ("1E+05", "eur", "1E+05"),
    ("25\t30", "eur", "25\t30"),
    ("25\n30", "eur", "25\n30"),
    ("½", "eur", "½"),
    ("25²", "eur", "25²"),
    ("12⁹⁹", "eur", "12⁹⁹"),
    ("25.0₀", "kwd", "25.0₀"),
    ("①5", "jpy", "①5"),
    ("⒈5", "eur", "⒈5"),
    ("\u202e52", "eur", "\u202e52"),
    ("\u200f25.00", "eur", "25.00eur"),
    ("", "eur", ""),
]
REFUSED = [
    ("9" * 5000, "eur", "'99999999999999999999...' is too long"),
    ("1,234", "usd", "write 1234.00 for 1,234.00 USD, or 1234 for 12.34 USD"),
    ("1 000", "eur", "write 1000.00 for 1,000.00 EUR, or 1000 for 10.00 EUR"),
    ("1\u00a0000", "eur", "more than one amount"),
    ("1'000", "chf", "more than one amount"),
    ("1.000", "eur", "more than one amount"),
    ("1,234,567", "usd", "more than one amount"),
    ("1,00,000", "inr", "more than one amount"),
    ("€1.234", "", "write 1234.00 for 1,234.00 EUR$"),
    ("€1,234", "eur", "more than one amount"),
    ("1.234", "jpy", "write 1234 for 1,234 JPY$"),
    ("1,234", "kwd", "more than one amount"),
    ("1,200", "isk", "more than one amount"),
    ("1,234", "", "write 1234.00, or 1234 for minor units"),
    ("25 30", "eur", "one amount"),
    ("25.00 30.00", "eur", "one amount"),
    ("1 234.567,89", "eur", "thousands"),
    ("0,123,456", "usd", "thousands"),
    ("$25", "", "several currencies"),
    ("€25.00", "usd", "is written with €"),
    ("US$25.00", "eur", "is written with US"),
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


def test_every_sign_is_read_whole() -> None:
    """`CA$` is not `A$` behind a C, nor `kr.` a `kr` behind which a point is left."""
    for sign, codes in SIGNS.items():
        for text in (f"{sign}25.00", f"25.00 {sign}", f"{sign} 1,234.50", f"-{sign}25.00"):
            assert as_line_value(text, codes[-1]).endswith(codes[-1]), text


SEPARATORS = [",.", ".,", "'.", " ,", "\u00a0,", "\u202f,", "’.", " ."]


@given(
    st.integers(0, 10**11),
    st.sampled_from(sorted(CURRENCIES)),
    st.sampled_from(SEPARATORS),
    st.sampled_from(["{}", "{} {code}", "{code} {}", "-{}", "({})", "{}-", "  {}  "]),
)
def test_what_a_spreadsheet_shows_is_what_is_meant_or_is_refused(
    minor: int, currency: str, separators: str, frame: str
) -> None:
    """Every way in which a spreadsheet shows an amount is read as that amount, or refused: never as
    another one."""
    places = exponent(currency)
    minor -= minor % step(currency)
    shown = f"{to_major(minor, currency):,.{places}f}"
    thousands, point = separators
    shown = shown.replace(",", "\0").replace(".", point).replace("\0", thousands)
    text = frame.format(shown, code=currency.upper())
    sign = -1 if set(frame) & set("-(") else 1
    try:
        line = as_line_value(text, currency)
    except ValueError as problem:
        # the one reading that is left to the person: whole units in groups, or groups that may be decimals
        assert "more than one amount" in str(problem)
        assert places != 2
        return
    assert parse(line, currency).minor == minor * sign


@given(
    st.integers(1, 10**7), st.sampled_from(["usd", "eur", "jpy", "kwd", "isk"]), st.sampled_from(SEPARATORS)
)
def test_whole_amounts_in_groups_are_never_read_as_less(units: int, currency: str, separators: str) -> None:
    """A whole number with thousands separators is that many units, or refused: never minor units, never a
    decimal. (A currency of three decimals is written with them: there a point stays a point.)"""
    text = f"{units:,}".replace(",", separators[0])
    if text.isdigit() or (exponent(currency) == 3 and separators[0] == "."):
        return
    try:
        line = as_line_value(text, currency)
    except ValueError:
        return
    assert parse(line, currency).minor == units * 10 ** exponent(currency)


def test_an_amount_with_decimals_asks_for_the_currency_where_the_form_has_room_for_it() -> None:
    with pytest.raises(ValueError, match=r"'12,50' needs its currency: fill in Currency, or write it here"):
        as_line_value("12,50", beside_in="Currency")
    assert as_line_value("12,50", "eur", beside_in="Currency") == "12.50eur"
    assert as_line_value("€12.50", beside_in="Currency") == "12.50eur"
    assert as_line_value("1250", beside_in="Currency") == "1250"
    form = module_form("payouts.create", {"amount": "12,50"})
    assert "fill in Currency" in form.state.errors["amount"]
    with pytest.raises(InvalidValue):
        form.submit()
    assert any("fill in Currency" in each.description for each in form.problems.children)
    form.fill(currency="usd")
    assert "amount" not in form.state.errors
    form.close()
