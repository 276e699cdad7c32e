"""Money as Stripe counts it: whole minor units, by Stripe's own currency table.

- A number without a currency is minor units, as in Stripe's API: `2000` is 20 dollars, and 2,000 yen.
- A number with its currency is what people say: `20.00usd`, `20 USD`, `usd 20`. It becomes minor units here,
  digit by digit; no float is ever made, and nothing is rounded.
- How many digits there are is a matter of (currency, operation), not of ISO 4217: ISK and UGX are sent with
  two decimals that are always 00, three-decimal currencies end in 0, and payouts of HUF and TWD are whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal, NamedTuple

from stripe_magics._text import closest_matches

Operation = Literal["charge", "payout"]


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


CURRENCIES = _codes("""
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd btn bwp byn byr bzd
    cad cdf chf clp cny cop crc cup cve czk djf dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gnf
    gtq gyd hkd hnl hrk htg huf idr ils inr iqd irr isk jmd jod jpy kes kgs khr kmf kpw krw kwd kyd kzt lak
    lbp lkr lrd lsl lyd mad mdl mga mkd mmk mnt mop mro mru mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd
    omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sdg sek sgd shp sle sll sos srd ssp std
    stn svc syp szl thb tjs tmt tnd top try ttd twd tzs uah ugx usd uyu uzs vef ves vnd vuv wst xaf xcd xcg
    xof xpf yer zar zmw zwl usdc eurc usdb usdg usdp
    """)
"""The codes known here, in lower case as Stripe has them."""

_ZERO = _codes("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
_THREE = _codes("bhd jod kwd omr tnd")
_WHOLE = frozenset({"isk", "ugx"})  # two decimals that are always 00
_WHOLE_PAYOUTS = frozenset({"huf", "twd"})
_MINIMUM = {  # of a charge, in minor units; judged in the settlement currency, so only worth a warning
    **dict.fromkeys(_codes("usd ars aud brl cad chf cop eur idr ils inr nzd php rub sgd zar"), 50),
    **dict.fromkeys(_codes("aed myr pln ron"), 200),
    **dict.fromkeys(_codes("nok sek"), 300),
    **dict.fromkeys(_codes("mxn thb"), 1000),
    **dict.fromkeys(_codes("jpy krw"), 50),
    "gbp": 30,
    "dkk": 250,
    "hkd": 400,
    "czk": 1500,
    "huf": 17500,
}
_DIGITS = {"idr": 12, "lbp": 11, "cop": 10, "huf": 10, "jpy": 10, "inr": 9}  # of an amount; others have 8
_SIGNS = {"$": "usd", "€": "eur", "£": "gbp", "¥": "jpy", "₹": "inr", "₩": "krw", "zł": "pln"}
LARGEST = 999_999_999_999
"""Stripe takes at most twelve digits."""

_AMOUNT = re.compile(r"([A-Za-z]{3,4})?\s*([+-]?)([0-9]+)(?:\.([0-9]+))?\s*([A-Za-z]{3,4})?", re.ASCII)
_GROUPED = re.compile(r"([+-]?)([0-9]{1,3}(?:[,' _\u00a0\u202f][0-9]{3})+)(\.[0-9]+)?\s*([A-Za-z]{3,4})?")
_COMMA = re.compile(r"([+-]?[0-9]+),([0-9]{1,2})\s*([A-Za-z]{3,4})?")


class Amount(NamedTuple):
    """Whole minor units, and the currency if the text named one (lower case)."""

    minor: int
    currency: str | None = None


def exponent(currency: str) -> int:
    """How many digits of a minor amount stand behind the point: 2 for usd, 0 for jpy, 3 for kwd, 2 for isk
    and ugx."""
    code = currency.lower()
    return 0 if code in _ZERO else 3 if code in _THREE else 2


def step(currency: str, operation: Operation = "charge") -> int:
    """What a minor amount must be a multiple of: 10 for three-decimal currencies, 100 where decimals are
    always 00."""
    code = currency.lower()
    if code in _WHOLE or (operation == "payout" and code in _WHOLE_PAYOUTS):
        return 100
    return 10 if code in _THREE else 1


def maximum(currency: str) -> int:
    """The largest amount of a currency, in minor units: eight digits, and more where a unit is worth
    little."""
    return int("9" * _DIGITS.get(currency.lower(), 8))


def minimum(currency: str) -> int | None:
    """The least that Stripe charges, in minor units, or None where it names none. Worth a warning, never a
    refusal."""
    return _MINIMUM.get(currency.lower())


def read_currency(text: str) -> str:
    """The code in lower case. Raises ValueError with the nearest code for one that isn't known."""
    code = text.strip().lower()
    if code in CURRENCIES:
        return code
    if text.strip() in _SIGNS:
        raise ValueError(
            f"{text.strip()!r} is a sign; write the three-letter code, e.g. {_SIGNS[text.strip()]}"
        )
    near = closest_matches(code, sorted(CURRENCIES), 2)
    hint = (
        f"; did you mean {' or '.join(near)}?"
        if near and len(code) <= 4
        else "; three letters, e.g. usd, eur"
    )
    raise ValueError(f"{text!r} is not a currency code{hint}")


class GroupedNumber(str):
    """A number that a spreadsheet shows as `1,234`, by a format without decimals and without a currency:
    whole units to whoever looks at it, minor units to Stripe. Plain digits, unless it is an amount."""

    __slots__ = ()

    def strip(self, chars: str | None = None, /) -> str:
        """Itself: there are no blanks in it."""
        return self if chars is None else super().strip(chars)

    def refuse(self, currency: str | None) -> None:
        """Raises ValueError, with both amounts, where a currency has decimals or isn't known."""
        number = int(self)
        code = (currency or "").lower()
        known = code in CURRENCIES
        if not number or (known and not exponent(code)):
            return
        places = exponent(code) if known else 2
        whole, minor = f"{number}.{'0' * places}", f"{number} for minor units"
        if known:
            whole += f"{code} for {format_amount(number * 10**places, code)}"
            minor = f"{number} for {format_amount(number, code)}"
        raise ValueError(
            f"'{number:,}' can mean more than one amount: write {whole}, or {minor} (for the whole column:"
            " the format General for minor units, or texts with a currency)"
        )


def parse(text: str, currency: str | None = None, operation: Operation = "charge") -> Amount:
    """Read `2000` (minor units), `20.00usd`, `20 USD` or `usd 20`.

    `currency` is what the call says elsewhere: another one in the text is refused, and whole numbers are
    tested by its rules. `1.000 eur` is refused: it can be a thousand.
    Raises ValueError with a message that says what to write.
    """
    if isinstance(text, GroupedNumber):
        text.refuse(currency)
    found = _AMOUNT.fullmatch(text.strip())
    if not found or len(text) > 40:
        raise ValueError(_why_not(text.strip(), currency))
    before, sign, whole, fraction, after = found.groups()
    if before and after:
        raise ValueError(
            f"{text!r} names two currencies; write {whole}{'.' + fraction if fraction else ''}{after.lower()}"
        )
    named = read_currency(before or after) if before or after else None
    if named and currency and named != currency.lower():
        raise ValueError(
            f"{text.strip()!r} is in {named}, but the currency of this call is {currency.lower()}"
        )
    if not named:
        if fraction is not None:
            code = (currency or "usd").lower()
            if _may_be_thousands(whole, fraction, code):
                raise ValueError(_two_amounts(text.strip(), sign, whole, fraction, code))
            raise ValueError(
                f"{text.strip()!r} has no currency; write {text.strip()}{code}, or whole minor"
                f" units{_in_minor(text.strip(), code)}"
            )
        return Amount(check(int(sign + whole), currency, operation), None)
    minor = check(_scale(sign, whole, fraction or "", named, operation), named, operation)
    if _may_be_thousands(whole, fraction or "", named):
        raise ValueError(_two_amounts(text.strip(), sign, whole, fraction or "", named))
    return Amount(minor, named)


def check(minor: int, currency: str | None = None, operation: Operation = "charge") -> int:
    """The same whole number, if Stripe can take it in this currency. Raises ValueError otherwise."""
    if abs(minor) > LARGEST:
        raise ValueError(f"{minor} has more than 12 digits, the most that Stripe takes")
    if currency and minor % step(currency, operation):
        raise ValueError(_between(minor, currency, operation))
    return minor


def to_major(minor: int, currency: str) -> Decimal:
    """The amount as people say it, exactly: `to_major(1050, "usd") == Decimal("10.50")`."""
    return Decimal(f"{int(minor)}E-{exponent(currency)}")


def format_amount(minor: int, currency: str) -> str:
    """`1,234.50 USD`; `1,234 JPY`; without the decimals that are always 00."""
    return f"{_text(minor, currency, grouped=True)} {currency.upper()}"


def format_amounts(minor: Iterable[int], currency: str) -> list[str]:
    """`format_amount` of each, in a fifth of the time."""
    places, code = exponent(currency), currency.upper()
    if places != 2 or currency.lower() in _WHOLE:
        return [format_amount(each, currency) for each in minor]
    return [
        f"{each // 100:,}.{each % 100:02d} {code}"
        if each >= 0
        else f"-{-each // 100:,}.{-each % 100:02d} {code}"
        for each in minor
    ]


def _text(minor: int, currency: str, *, grouped: bool = False) -> str:
    places = exponent(currency)
    whole, fraction = divmod(abs(int(minor)), 10**places)
    if currency.lower() in _WHOLE and not fraction:
        places = 0
    number = f"{whole:,}" if grouped else str(whole)
    return ("-" if minor < 0 else "") + number + (f".{fraction:0{places}d}" if places else "")


def _may_be_thousands(whole: str, fraction: str, currency: str) -> bool:
    """Whether an amount that has no more decimals than it may, `1.000` of euros, is a thousand in half of
    Europe."""
    places = exponent(currency)
    return (
        len(fraction) == 3
        and len(fraction.rstrip("0")) <= places < 3
        and len(whole) <= 3
        and not whole.startswith("0")
    )


def _two_amounts(text: str, sign: str, whole: str, fraction: str, currency: str) -> str:
    places = exponent(currency)
    decimals = f".{fraction[:places]}" if places else ""
    return (
        f"{text!r} can be two amounts: write {sign}{whole}{decimals}{currency}, or"
        f" {sign}{whole}{fraction}{currency}"
    )


def _scale(sign: str, whole: str, fraction: str, currency: str, operation: Operation) -> int:
    """Digits shifted, never computed: 19.99 -> 1999."""
    places = exponent(currency)
    digits = fraction.rstrip("0") if len(fraction) > places else fraction
    if len(digits) > places:
        low = int(whole + digits[:places]) // step(currency, operation) * step(currency, operation)
        raise ValueError(
            _offer(
                f"{sign}{whole}.{fraction}", low if not sign.startswith("-") else -low, currency, operation
            )
        )
    return int(sign + whole + digits.ljust(places, "0"))


def _between(minor: int, currency: str, operation: Operation) -> str:
    unit = step(currency, operation)
    low = abs(minor) // unit * unit
    return _offer(f"{minor} ({_text(minor, currency)})", low if minor >= 0 else -low, currency, operation)


def _offer(given: str, low: int, currency: str, operation: Operation) -> str:
    unit, code = step(currency, operation), currency.lower()
    high = low + unit if low >= 0 and not given.startswith("-") else low - unit
    show = [_text(each, currency) for each in (low, high)]
    if unit == 100 and exponent(currency) == 2:
        show = [each.removesuffix(".00") for each in show]
    elif unit == 10:
        show = [each[:-1] for each in show]
    why = {100: "whole amounts only", 10: "two decimals at most"}.get(
        unit
    ) or f"{exponent(currency) or 'no'} decimals"
    where = f"a {operation} in {code}" if operation == "payout" else code
    return f"{given} can't be sent: {where} has {why}; write {show[0]}{code} or {show[1]}{code}"


def _in_minor(text: str, code: str) -> str:
    try:
        return f" ({parse(text + code).minor})"
    except ValueError:
        return ""


def _why_not(text: str, currency: str | None) -> str:
    code = (currency or "usd").lower()
    if not text:
        return (
            f"no amount is given; write whole minor units (2000), or a number with its currency (20.00{code})"
        )
    if grouped := _GROUPED.fullmatch(text):
        plain = grouped[1] + re.sub(r"[^0-9]", "", grouped[2]) + (grouped[3] or "")
        return f"{text!r} has thousands separators; write {plain}{(grouped[4] or code).lower()}"
    if comma := _COMMA.fullmatch(text):
        return f"{text!r} has a decimal comma; write {comma[1]}.{comma[2]}{(comma[3] or code).lower()}"
    for sign, meant in _SIGNS.items():
        if sign in text:
            return f"{text!r} has a currency sign; write {text.replace(sign, '').strip() or '20.00'}{meant}"
    return (
        f"{text!r} is not an amount; write whole minor units (2000), or a number with its currency"
        f" (20.00{code})"
    )
