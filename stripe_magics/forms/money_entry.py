"""Money as a person or a spreadsheet writes it -> money as a line of ours writes it. Pure.

`25.00` beside EUR is `25.00eur`; `€1.234,50`, `1,234.50`, `1'234.50` and `EUR 25` are read where they can
mean one thing only. A plain whole number stays what it is everywhere else: minor units. What can mean two
things is left to the person, with both readings.
"""

from __future__ import annotations

import re

SIGNS = {"€": ("eur",), "£": ("gbp",), "₹": ("inr",), "₩": ("krw",), "₪": ("ils",), "₫": ("vnd",),
         "₱": ("php",),
         "zł": ("pln",), "Kč": ("czk",), "₺": ("try",), "฿": ("thb",), "₦": ("ngn",),
         "¥": ("jpy", "cny"), "$": ("usd", "aud", "cad", "nzd", "sgd", "hkd", "mxn", "brl",
             "twd")}  # fmt: skip
"""A sign and the currencies that write it; one that several write counts only beside the currency."""

_NUMBER = re.compile(r"[+-]?[\d.,'’\u00a0\u202f ]*\d")
_CODE = re.compile(r"[A-Za-z]{3}")
_SPACES = re.compile(r"[\s\u00a0\u202f'’]")


def as_line_value(text: str, currency: str = "") -> str:
    """The amount as a line writes it: `25.00` with `eur` -> `25.00eur`; `2500` stays `2500`.

    `currency` is what the form says beside it, or what the named object has. Raises ValueError, in words, for
    what can't be one amount only. A text that is no number at all is given back: the check has its own words
    for it.
    """
    entered = text.strip()
    rest, named, marked = _currency(entered, currency.lower())
    if not rest or _NUMBER.fullmatch(rest) is None:
        return text
    number = _plain_number(rest, entered, named or currency.lower())
    if "." not in number and not marked:
        return number
    code = named or currency.lower()
    return f"{number}{code}"


def _currency(text: str, beside: str) -> tuple[str, str, bool]:
    """(the text without sign and code, the currency that these name, whether there was one)."""
    for sign, codes in SIGNS.items():
        if text.startswith(sign) or text.endswith(sign):
            rest = text.removeprefix(sign).removesuffix(sign).strip()
            if beside and beside not in codes:
                raise ValueError(
                    f"{text!r} is written with {sign}, but the currency here is {beside.upper()}"
                )
            if not beside and len(codes) > 1:
                raise ValueError(f"{sign} is the sign of several currencies; name one: {rest}{codes[0]}")
            return rest, beside or codes[0], True
    for match in (_CODE.match(text), re.search(r"[A-Za-z]{3}\Z", text)):
        if match is not None:
            rest = (text[: match.start()] + text[match.end() :]).strip()
            return rest, match[0].lower(), True
    return text, "", False


def _plain_number(rest: str, entered: str, currency: str) -> str:
    """Digits with at most one point: thousands separators gone."""
    compact = _SPACES.sub("", rest)
    points, commas = compact.count("."), compact.count(",")
    if points and commas:
        decimal = max(".,", key=compact.rfind)
        thousands = "," if decimal == "." else "."
        if compact.count(decimal) > 1 or not _grouped(compact.partition(decimal)[0], thousands):
            raise ValueError(f"{entered!r} can't be read as an amount. Write it without thousands separators")
        return compact.replace(thousands, "").replace(decimal, ".")
    if points > 1 or commas > 1:
        separator = "." if points else ","
        if not _grouped(compact, separator):
            raise ValueError(f"{entered!r} can't be read as an amount. Write it without thousands separators")
        return compact.replace(separator, "") + ".00"
    if commas:
        whole, _, fraction = compact.partition(",")
        if len(fraction) == 3:
            digits = f"{whole}{fraction}"
            raise ValueError(
                f"{entered!r} could be whole {currency.upper() or 'units'} or minor units. Write {digits}.00"
                f" or {digits}"
            )
        return f"{whole}.{fraction}"
    return compact


def _grouped(text: str, separator: str) -> bool:
    """Whether the separators stand before groups of three digits."""
    first, *groups = text.lstrip("+-").split(separator)
    return 1 <= len(first) <= 3 and all(len(each) == 3 for each in groups)
