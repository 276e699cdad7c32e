"""Amounts: text to minor units and back, by Stripe's own table."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from each_row import each_row
from hypothesis import given
from hypothesis import strategies as st

from stripe_magics import money
from stripe_magics.money import Amount, exponent, format_amount, minimum, parse, to_major

CODES = st.sampled_from(sorted(money.CURRENCIES))


@each_row(
    ("text", "minor", "currency"),
    [
        pytest.param("19.99 usd", 1999, "usd", id="T93-usd"),
        pytest.param("10 jpy", 10, "jpy", id="T93-jpy"),
        pytest.param("5.12 kwd", 5120, "kwd", id="T93-kwd"),
        pytest.param("5 isk", 500, "isk", id="T93-isk"),
        pytest.param("5 ugx", 500, "ugx", id="T93-ugx"),
        ("20.00usd", 2000, "usd"),
        ("20 USD", 2000, "usd"),
        ("usd 20", 2000, "usd"),
        ("20usd", 2000, "usd"),
        ("2000", 2000, None),
        ("-5.50eur", -550, "eur"),
        ("+3", 3, None),
        ("0.3gbp", 30, "gbp"),
        ("1234.990usd", 123499, "usd"),
        ("0.990usd", 99, "usd"),
        ("19.9900usd", 1999, "usd"),
        ("1.000kwd", 1000, "kwd"),
        ("10.00jpy", 10, "jpy"),
        ("1.00 eur ", 100, "eur"),
        ("9999999999.99usd", 999999999999, "usd"),
    ],
)
def test_parse(text: str, minor: int, currency: str | None) -> None:
    assert parse(text) == Amount(minor, currency)


@each_row(
    ("text", "currency", "operation", "message"),
    [
        ("19.990usd", None, "charge", "can be two amounts: write 19.99usd, or 19990usd"),
        ("1.000 eur", None, "charge", "can be two amounts: write 1.00eur, or 1000eur"),
        ("1.000 eur", "eur", "charge", "can be two amounts"),
        ("1.000", "eur", "charge", "can be two amounts: write 1.00eur, or 1000eur"),
        ("-1.500", None, "charge", "can be two amounts: write -1.50usd, or -1500usd"),
        ("1.000", "kwd", "charge", "has no currency; write 1.000kwd"),
        ("EUR -25.000", None, "charge", "write -25.00eur, or -25000eur"),
        ("1.000 jpy", None, "charge", "write 1jpy, or 1000jpy"),
        pytest.param("10.5 jpy", None, "charge", "write 10jpy or 11jpy", id="T93-jpy-refused"),
        pytest.param("5.124 kwd", None, "charge", "write 5.12kwd or 5.13kwd", id="T93-kwd-refused"),
        pytest.param("5.5 ugx", None, "charge", "write 5ugx or 6ugx", id="T93-ugx-refused"),
        pytest.param("10.45 huf", None, "payout", "write 10huf or 11huf", id="T94-huf"),
        pytest.param("10.45 twd", None, "payout", "write 10twd or 11twd", id="T94-twd"),
        pytest.param("1045", "huf", "payout", "write 10huf or 11huf", id="T94-minor"),
        pytest.param("10000000000.00usd", None, "charge", "more than 12 digits", id="T97-most"),
        ("5124", "kwd", "charge", "write 5.12kwd or 5.13kwd"),
        ("20.00", None, "charge", "write 20.00usd, or whole minor units (2000)"),
        ("20.00", "eur", "charge", "write 20.00eur, or whole minor units (2000)"),
        ("20.00usd", "eur", "charge", "the currency of this call is eur"),
        ("1,000.00usd", None, "charge", "write 1000.00usd"),
        ("1,000", "eur", "charge", "write 1000eur"),
        ("1'000 chf", None, "charge", "write 1000chf"),
        ("20,00eur", None, "charge", "write 20.00eur"),
        ("$20", None, "charge", "write 20usd"),
        ("20€", None, "charge", "write 20eur"),
        ("1e2", None, "charge", "is not an amount"),
        ("1e2usd", None, "charge", "is not an amount"),
        ("NaN", None, "charge", "is not an amount"),
        ("inf", None, "charge", "is not an amount"),
        ("２０usd", None, "charge", "is not an amount"),
        ("٢٠usd", None, "charge", "is not an amount"),
        ("", None, "charge", "no amount is given"),
        ("20usx", None, "charge", "is not a currency code"),
        ("usd20eur", None, "charge", "two currencies"),
        ("1_000", None, "charge", "thousands separators"),
        ("--5usd", None, "charge", "is not an amount"),
        ("9" * 5000, None, "charge", "is not an amount"),
        ("-5.5jpy", None, "charge", "write -5jpy or -6jpy"),
    ],
)
def test_refused(text: str, currency: str | None, operation: money.Operation, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse(text, currency, operation)


@each_row(
    ("text", "minor"),
    [("10huf", 1000), ("10twd", 1000), ("10.50usd", 1050), ("5kwd", 5000)],
    ids=["T94", "T94-twd", "usd", "kwd"],
)
def test_payouts(text: str, minor: int) -> None:
    assert parse(text, None, "payout").minor == minor


def test_charges_of_forints_have_decimals() -> None:
    assert parse("10.45huf").minor == 1045


@each_row(
    ("minor", "currency", "shown"),
    [
        (123450, "usd", "1,234.50 USD"),
        (1234, "jpy", "1,234 JPY"),
        (500, "isk", "5 ISK"),
        (550, "isk", "5.50 ISK"),
        (5120, "kwd", "5.120 KWD"),
        (-5, "eur", "-0.05 EUR"),
        (0, "usd", "0.00 USD"),
        pytest.param(2**53 + 1, "usd", "90,071,992,547,409.93 USD", id="T96"),
    ],
)
def test_format(minor: int, currency: str, shown: str) -> None:
    assert format_amount(minor, currency) == shown


@each_row(
    ("currency", "digits"),
    [("usd", 2), ("JPY", 0), ("kwd", 3), ("isk", 2), ("ugx", 2), ("huf", 2), ("vnd", 0)],
)
def test_exponent(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


def test_minimum_is_known_not_enforced() -> None:  # T97
    assert (minimum("usd"), minimum("GBP"), minimum("huf"), minimum("xof")) == (50, 30, 17500, None)
    assert parse("0.01usd").minor == 1


@each_row(
    ("text", "hint"), [("$", "usd"), ("dollar", "three letters"), ("usx", "usd"), ("", "three letters")]
)
def test_currency_hints(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        money.read_currency(text)


@given(CODES, st.integers(-(10**9), 10**9), st.sampled_from(["charge", "payout"]))
def test_what_is_said_is_what_is_meant(currency: str, units: int, operation: money.Operation) -> None:
    """The text of an amount reads back as that amount, exactly, in every currency."""
    minor = units * money.step(currency, operation)
    assert parse(f"{to_major(minor, currency)}{currency}", None, operation) == Amount(minor, currency)
    assert parse(str(minor), currency, operation) == Amount(minor, None)
    assert parse(format_amount(minor, currency).replace(",", ""), None, operation).minor == minor


@given(CODES, st.decimals(min_value=0, max_value=10**6, places=5))
def test_nothing_is_rounded(currency: str, value: Decimal) -> None:
    """Either the minor units are exactly the value, or it is refused with two amounts that are legal and lie
    around it."""
    text = format(value, "f")
    try:
        assert to_major(parse(text + currency).minor, currency) == value
    except ValueError as refused:
        low, high = re.findall(rf"([0-9.]+){currency}", str(refused).rpartition("write")[2])
        assert Decimal(low) < value < Decimal(high)
        assert parse(low + currency).minor + money.step(currency) == parse(high + currency).minor


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        amount = parse(text)
    except ValueError as refused:
        assert str(refused)
        assert "Traceback" not in str(refused)
    else:
        assert text.strip().isascii()
        assert isinstance(amount.minor, int)
