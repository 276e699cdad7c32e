"""Ids: what they may look like, and what their prefixes say of the object that they name.

A prefix that belongs to another type of object is a slip worth naming (`cus_...` for a payment intent). A
prefix that isn't known passes, and so do ids that people choose themselves (coupons, products).
"""

from __future__ import annotations

import re
from typing import Any

from stripe_magics._characters import fault_of_chosen, first_fault, name_of
from stripe_magics.catalogue.stripe_objects import id_prefix, object_type, owner, prefix_owner
from stripe_magics.errors import UsageFault

__all__ = ["account_ids", "can_be_in_path", "check_id", "owner"]

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_FREE_IDS = {"price", "product", "coupon", "plan", "sku"}  # people (and imports) may choose these ids
_PLAIN_ID = re.compile(r"[A-Za-z0-9][\w.\-~@:+ ]*", re.ASCII)  # of objects whose ids Stripe makes


def can_be_in_path(text: str) -> bool:
    """Whether an id can name one thing in a path, once it is percent-encoded: people choose ids such as
    `SUMMER 20%`."""
    return text not in {"", ".", ".."} and not _CONTROL.search(text)


def account_ids(accounts: Any) -> list[str]:
    """The ids in a frame (its column `account` or `id`), a column, a list, or a text with commas."""
    if hasattr(accounts, "columns"):
        column = next((name for name in ("account", "id") if name in accounts.columns), None)
        if column is None:
            raise UsageFault("--accounts: the frame has neither a column account nor id.")
        accounts = accounts[column]
    texts = accounts.split(",") if isinstance(accounts, str) else accounts if accounts is not None else ()
    ids = [text for each in texts if (text := str(each).strip())]
    odd = [each for each in ids if not each.startswith("acct_")]
    if odd:
        raise UsageFault(f"--accounts: {odd[0]!r} is not an account; ids begin with acct_.")
    if not ids:
        raise UsageFault("--accounts: there is no account.")
    return list(dict.fromkeys(ids))


def check_id(text: str, kind: str) -> str:
    """An id, if it can name an object of that type. Raises ValueError."""
    of = object_type(kind)
    if "://" in text or text.startswith("/") or (kind not in _FREE_IDS and ("/" in text or "?" in text)):
        last = text.rstrip("/").split("?")[0].rpartition("/")[2]
        hint = f"; did you mean {last}?" if _PLAIN_ID.fullmatch(last) and "_" in last else ""
        raise ValueError(f"{text[:60]!r} is an address, not an ID{hint}")
    stripes = of.checked
    odd = first_fault(text) if stripes else fault_of_chosen(text)
    if odd:
        raise ValueError(f"{text[:60]!r} {odd}")
    if not can_be_in_path(text) or (stripes and text.isascii() and not _PLAIN_ID.fullmatch(text)):
        raise ValueError(f"{text[:60]!r} is not an ID{_such_as(kind)}")
    if stripes and not text.isascii():
        odd = next(char for char in text if not char.isascii())
        raise ValueError(f"{text[:60]!r} has a character that no ID has ({name_of(odd)}); retype it")
    named = prefix_owner(text)
    if of.checked and named and named != kind and text.partition("_")[0] not in (*of.prefixes, *of.also):
        requested = " or ".join(f"{each}_..." for each in of.prefixes[:2])
        raise ValueError(f"{text!r} is {_words(named)} ID; expected {_words(kind)} ID ({requested})")
    return text


def _words(kind: str) -> str:
    """`an invoice`, `a payment intent`."""
    words = kind.rpartition(".")[2].replace("_", " ")
    return f"{'an' if words[0] in 'aeio' else 'a'} {words}"


def _such_as(kind: str) -> str:
    prefix = id_prefix(kind)
    return f" (example: {prefix}_...)" if prefix else ""
