"""Ids: what they may look like, and what their prefixes say of the object that they name.

A prefix that belongs to another type of object is a slip worth naming (`cus_...` for a payment intent). A prefix that isn't known passes,
and so do ids that people choose themselves (coupons, products).
"""

from __future__ import annotations

import re
import unicodedata

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PLAIN_ID = re.compile(r"[A-Za-z0-9][\w.\-~@:+ ]*", re.ASCII)  # of objects whose ids Stripe makes


def can_be_in_path(text: str) -> bool:
    """Whether an id can name one thing in a path, once it is percent-encoded: people choose ids such as `SUMMER 20%`."""
    return text not in {"", ".", ".."} and not _CONTROL.search(text)


_IDS: dict[str, tuple[str, ...]] = {  # types of object with the prefixes of their ids
    "customer": ("cus", "gcus"),
    "payment_intent": ("pi",),
    "payment_method": ("pm", "card", "src", "ba"),
    "charge": ("ch", "py"),
    "refund": ("re", "pyr"),
    "payout": ("po",),
    "invoice": ("in",),
    "invoiceitem": ("ii",),
    "balance_transaction": ("txn",),
    "subscription": ("sub",),
    "promotion_code": ("promo",),
    "account": ("acct",),
    "tax_rate": ("txr",),
    "mandate": ("mandate",),
    "discount": ("di",),
    "payment_link": ("plink",),
    "bank_account": ("ba", "card"),
    "source": ("src", "tok", "card", "ba"),
    "test_helpers.test_clock": ("clock",),
    "event": ("evt",),
    "setup_intent": ("seti",),
    "dispute": ("dp", "du"),
    "transfer": ("tr",),
    "price": ("price",),
    "product": ("prod",),
    "webhook_endpoint": ("we",),
}
_FREE_IDS = {
    "price",
    "product",
    "coupon",
    "plan",
    "sku",
}  # people (and imports) may choose these ids, so nothing is told from their prefix
_OWNERS: dict[str, str] = {prefix: kind for kind, prefixes in reversed(_IDS.items()) for prefix in prefixes}
_OWNERS |= {"card": "card", "tok": "token"}


def check_id(text: str, kind: str) -> str:
    """An id, if it can name an object of that type. Raises ValueError."""
    if "://" in text or text.startswith("/") or (kind not in _FREE_IDS and ("/" in text or "?" in text)):
        last = text.rstrip("/").split("?")[0].rpartition("/")[2]
        hint = f"; did you mean {last}?" if _PLAIN_ID.fullmatch(last) and "_" in last else ""
        raise ValueError(f"{text[:60]!r} is an address, not an ID{hint}")
    stripes = kind in _IDS and kind not in _FREE_IDS
    if not can_be_in_path(text) or (stripes and text.isascii() and not _PLAIN_ID.fullmatch(text)):
        raise ValueError(f"{text[:60]!r} is not an ID{_such_as(kind)}")
    if stripes and not text.isascii():
        odd = next(char for char in text if not char.isascii())
        raise ValueError(
            f"{text[:60]!r} has a character that no ID has (U+{ord(odd):04X} {_named(odd)}); retype it"
        )
    prefix, underscore, _ = text.partition("_")
    owner = _OWNERS.get(prefix)
    if underscore and owner and kind in _IDS and kind not in _FREE_IDS and prefix not in _IDS[kind]:
        requested = " or ".join(f"{each}_..." for each in _IDS[kind][:2])
        raise ValueError(f"{text!r} is {_words(owner)} ID; expected {_words(kind)} ID ({requested})")
    return text


def owner(text: str) -> str:
    """The type of object that an id names, by its prefix: "charge" for ch_123. "" for what is no id, or one of an unknown type."""
    found = re.fullmatch(r"([a-z]+)_\w+", text, re.ASCII)
    return _OWNERS.get(found[1], "") if found else ""


def _named(char: str) -> str:
    """`ZERO WIDTH SPACE`."""
    return unicodedata.name(char, "unnamed")


def _words(kind: str) -> str:
    """`an invoice`, `a payment intent`."""
    words = kind.rpartition(".")[2].replace("_", " ")
    return f"{'an' if words[0] in 'aeio' else 'a'} {words}"


def _such_as(kind: str) -> str:
    return f" (example: {_IDS[kind][0]}_...)" if kind in _IDS else ""
