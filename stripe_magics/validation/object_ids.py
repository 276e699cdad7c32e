"""Ids: what they may look like, and what their prefixes say of the object that they name.

A prefix that belongs to another type of object is a slip worth naming (`cus_...` for a payment intent). A prefix that isn't known passes,
and so do ids that people choose themselves (coupons, products).
"""

from __future__ import annotations

import re

PATH_ID = re.compile(r"[A-Za-z0-9][\w.\-~@:+ ]*", re.ASCII)
"""What an id in a path may look like: nothing that could lead to another path."""

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
    if "/" in text or "?" in text:
        last = text.rstrip("/").split("?")[0].rpartition("/")[2]
        hint = f"; did you mean {last}?" if PATH_ID.fullmatch(last) and "_" in last else ""
        raise ValueError(f"{text[:60]!r} is an address, not an id{hint}")
    if text in {".", ".."} or not PATH_ID.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no id{_such_as(kind)}")
    prefix, underscore, _ = text.partition("_")
    owner = _OWNERS.get(prefix)
    if underscore and owner and kind in _IDS and kind not in _FREE_IDS and prefix not in _IDS[kind]:
        requested = " or ".join(f"{each}_..." for each in _IDS[kind][:2])
        raise ValueError(
            f"{text!r} is the id of {_words(owner)}; the id of {_words(kind)} ({requested}) is wanted"
        )
    return text


def owner(text: str) -> str:
    """The type of object that an id names, by its prefix: "charge" for ch_123. "" for what is no id, or one of an unknown type."""
    found = re.fullmatch(r"([a-z]+)_\w+", text, re.ASCII)
    return _OWNERS.get(found[1], "") if found else ""


def _words(kind: str) -> str:
    """`an invoice`, `a payment intent`."""
    words = kind.rpartition(".")[2].replace("_", " ")
    return f"{'an' if words[0] in 'aeio' else 'a'} {words}"


def _such_as(kind: str) -> str:
    return f", such as {_IDS[kind][0]}_..." if kind in _IDS else ""
