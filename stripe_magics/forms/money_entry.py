"""Money as a person or a spreadsheet writes it -> money as a line of ours writes it. Pure.

`25.00` beside EUR is `25.00eur`; `€1.234,50`, `1 234,50 EUR`, `($5.00)` and `12,34,567.00` are read where
they can mean one thing only. Plain digits stay what they are everywhere else: minor units.

What can mean two amounts is refused, with what to write instead: `1,000` and `1 000` beside EUR (a thousand,
or minor units as a spreadsheet shows them), `1.000` (a thousand in half of Europe), `25 30` (two cells). A
currency of three decimals is written with three: there `1.250` is a decimal.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from stripe_magics._characters import in_order
from stripe_magics.money import CURRENCIES, GroupedNumber, exponent, format_amount
from stripe_magics.validation.currency_names import currency_code

SIGNS = {"US$": ("usd",), "A$": ("aud",), "AU$": ("aud",), "C$": ("cad",), "CA$": ("cad",), "NZ$": ("nzd",),
         "S$": ("sgd",), "HK$": ("hkd",), "NT$": ("twd",), "R$": ("brl",), "MX$": ("mxn",),
         "€": ("eur",), "£": ("gbp",), "₹": ("inr",), "₩": ("krw",), "₪": ("ils",), "₫": ("vnd",),
         "₱": ("php",), "₴": ("uah",), "₽": ("rub",), "元": ("cny",), "円": ("jpy",), "Fr.": ("chf",),
         "zł": ("pln",), "Kč": ("czk",), "₺": ("try",), "฿": ("thb",), "₦": ("ngn",), "Ft": ("huf",),
         "RM": ("myr",), "Rp": ("idr",), "Rs": ("inr", "pkr", "lkr", "npr"),
         "kr.": ("dkk", "isk"), "kr": ("sek", "nok", "dkk", "isk"),
         "¥": ("jpy", "cny"), "$": ("usd", "aud", "cad", "nzd", "sgd", "hkd", "mxn", "brl",
             "twd")}  # fmt: skip
"""A sign and the currencies that write it; one that several write counts only beside the currency."""

LONGEST = 100
"""Characters of an amount with its blanks."""
_LONGEST_FIRST = sorted(SIGNS, key=len, reverse=True)  # `CA$` is not `A$`
_MINUS = str.maketrans({"\u2212": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "’": "'", "‘": "'"})
_NUMBER = re.compile(r"[0-9][0-9.,' ]*")
_NO_CENTS = re.compile(r"([0-9])([.,])-{1,2}")  # 25,- and 25.--
_ONE_POINT = re.compile(r"([0-9]+)([.,])([0-9]+)")
_GROUPS = (
    re.compile(r"([0-9]{1,3}(?:([ '])[0-9]{3})(?:\2[0-9]{3})*)(?:[.,]([0-9]+))?"),
    re.compile(r"([0-9]{1,3}(,)[0-9]{3}(?:,[0-9]{3})*)(?:\.([0-9]+))?"),
    re.compile(r"([0-9]{1,3}(\.)[0-9]{3}(?:\.[0-9]{3})*)(?:,([0-9]+))?"),
    re.compile(r"([0-9]{1,2}(,)(?:[0-9]{2},)+[0-9]{3})(?:\.([0-9]+))?"),  # 12,34,567.00
)
"""Digits in groups, one separator throughout, and decimals behind another one."""


class _Digits(NamedTuple):
    """A number without its separators."""

    whole: str
    fraction: str | None  # None: it had none
    grouped: bool = False
    unsure: str = ""  # the only separator of `1,234` and `1.234`: of thousands, or of decimals


def as_line_value(text: str, currency: str = "", *, beside_in: str = "") -> str:
    """The amount as a line writes it: `25.00` with `eur` -> `25.00eur`; `2500` stays `2500`.

    `currency` is what the form says beside it, or what the named object has; `beside_in` the label of the
    form's field for it, if there is one. Raises ValueError, in words, for what can't be one amount only. A
    text that is no number at all is given back: the check has its own words for it.
    """
    if len(text) > LONGEST:
        raise ValueError(f"'{text[:20]}...' is too long for an amount")
    if in_order(text) != text or any(unicodedata.category(each) == "No" for each in text):
        return text  # its digits are seen in another order, or `25²`, which isn't 252
    beside = currency.lower()
    if isinstance(text, GroupedNumber):
        text.refuse(beside)
    sign, rest, named = _pieces(_plain(text), text.strip(), beside)
    rest = _NO_CENTS.sub(r"\1\g<2>00", rest)
    if _NUMBER.fullmatch(rest) is None:
        return text
    code = named or beside
    digits = _digits(rest)
    if digits is None:
        raise ValueError(
            f"{text.strip()!r} can't be read as one amount. Write it without thousands separators"
        )
    if digits.unsure:
        digits = _decided(digits, code)
    if digits is None or (digits.grouped and digits.fraction is None and not named and _places(code) != 0):
        raise ValueError(_two_meanings(text.strip(), rest, code, named=bool(named)))
    if digits.fraction is not None and not code and beside_in:
        raise ValueError(
            f"{text.strip()!r} needs its currency: fill in {beside_in}, or write it here, such as"
            f" {sign}{digits.whole}.{digits.fraction} EUR"
        )
    if digits.fraction is None and not named and not digits.grouped:
        return f"{sign}{digits.whole}"
    return f"{sign}{digits.whole}{'' if digits.fraction is None else '.' + digits.fraction}{code}"


def _plain(text: str) -> str:
    """Blanks, signs and digits of all kinds as the usual ones; what can't be seen is gone."""
    usual = unicodedata.normalize("NFKC", text).translate(_MINUS)
    seen = "".join(each for each in usual if unicodedata.category(each) != "Cf")
    return "".join(" " if unicodedata.category(each) == "Zs" else each for each in seen).strip()


def _pieces(text: str, entered: str, beside: str) -> tuple[str, str, str]:
    """("-" or "", the digits with their separators, the currency that the text names or "")."""
    negative, named = False, ""
    for _ in range(3):  # `-$5`, `$-5`, `($5.00)`, `5,00- €`: whatever comes first
        if not negative and text[:1] == "(" and text[-1:] == ")":
            negative, text = True, text[1:-1].strip()
        elif not negative and "-" in {text[:1], text[-1:]} and not re.search(r"[.,]--?\Z", text):
            negative = True
            text = (text[1:] if text[0] == "-" else text[:-1]).strip()
        elif text[:1] == "+":
            text = text[1:].strip()
        if not named:
            text, named = _currency(text, entered, beside)
    return ("-" if negative else ""), text, named


def _currency(text: str, entered: str, beside: str) -> tuple[str, str]:
    """(the text without its currency, the currency's code or "")."""
    for sign in _LONGEST_FIRST:
        codes = SIGNS[sign]
        if text.startswith(sign) or text.endswith(sign):
            rest = (text.removeprefix(sign) if text.startswith(sign) else text.removesuffix(sign)).strip()
            if beside and beside not in codes:
                raise ValueError(
                    f"{entered!r} is written with {sign}, but the currency here is {beside.upper()}"
                )
            if not beside and len(codes) > 1:
                raise ValueError(
                    f"{sign} is the sign of several currencies; name one, for example {rest}{codes[0]}"
                )
            return rest, beside or codes[0]
    found = re.match(r"([^\d().,+'-]+)(?=[\d(+-])", text) or re.search(r"(?<=[\d)-])([^\d().,+'-]+)\Z", text)
    if found is None:
        return text, ""
    code = currency_code(found[1].strip()).lower()
    if code not in CURRENCIES and not re.fullmatch(r"[a-z]{3}", code):
        return text, ""
    return (text[: found.start()] + text[found.end() :]).strip(), code


def _digits(text: str) -> _Digits | None:
    """The number that a text with at most two kinds of separators is; None for one in disorder."""
    if text.isdigit():
        return _Digits(text, None)
    one = _ONE_POINT.fullmatch(text)
    if one is not None:
        whole, separator, fraction = one.groups()
        could_be_group = len(fraction) == 3 and len(whole) <= 3 and not whole.startswith("0")
        return _Digits(whole, fraction, unsure=separator if could_be_group else "")
    for pattern in _GROUPS:
        found = pattern.fullmatch(text)
        if found is not None and not found[1].startswith("0"):
            return _Digits(re.sub(r"\D", "", found[1]), found[3], grouped=True)
    return None


def _decided(digits: _Digits, code: str) -> _Digits | None:
    """`1,234` and `1.234` where the currency decides it; None where it doesn't."""
    places = _places(code)
    if places == 3 and digits.unsure == ".":
        return digits
    if places == 0 and digits.unsure == ",":
        return _Digits(f"{digits.whole}{digits.fraction}", None, grouped=True)
    return None


def _places(code: str) -> int | None:
    return exponent(code) if code in CURRENCIES else None


def _two_meanings(entered: str, rest: str, code: str, *, named: bool) -> str:
    """The words for what may be whole units or minor ones, a thousand or a decimal."""
    whole = re.sub(r"\D", "", rest)
    places = _places(code)
    if places is None:
        return f"{entered!r} can mean more than one amount: write {whole}.00, or {whole} for minor units"
    major = f"{whole}.00" if places else whole
    choices = [f"{major} for {format_amount(int(whole) * 10**places, code)}"]
    if places and not named:
        choices.append(f"{whole} for {format_amount(int(whole), code)}")
    return f"{entered!r} can mean more than one amount: write {', or '.join(choices)}"
