"""Characters that copying brings along: invisible ones, typographic quotes and dashes, letters of another
script that look like Latin ones.

Ids, e-mail addresses, web addresses and the words of a line have none of them: they are refused by name
there. Free text keeps them.
`visible` shows what would steer a terminal or turn the order of letters as an escape, `in_order` the latter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

QUOTES = frozenset("“”„‟‘’‚‛«»‹›")
DASHES = frozenset("‐‑‒–—―−﹘﹣－")
LOOKALIKES = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")  # scripts with letters that look like Latin ones
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\u2066-\u2069]")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_WRAPPED = {"<": ">", "(": ")", "[": "]", "`": "`", '"': '"', "'": "'", **dict.fromkeys(QUOTES, "")}


def visible(text: str) -> str:
    """The text with each character that steers a terminal, or turns the direction of writing, as an escape:
    `\\x1b`."""
    if text.isascii() and text.isprintable():
        return text
    return _STEERING.sub(_escaped, text)


def in_order(text: str) -> str:
    """The text with each character that turns the direction of writing as an escape: behind one that a
    payer's name ends in, an amount would be read backwards. Right-to-left scripts need none of them."""
    return text if text.isascii() else _TURNING.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def name_of(char: str) -> str:
    """`U+200B ZERO WIDTH SPACE`."""
    return f"U+{ord(char):04X} {unicodedata.name(char, 'unnamed')}"


def is_invisible(char: str) -> bool:
    """Whether nothing is seen of it, or only a gap that is no plain space."""
    return not char.isascii() and unicodedata.category(char) in {"Cf", "Zs", "Zl", "Zp", "Cc", "Cs"}


def faults(text: str, *, dashes: bool = True) -> Iterator[str]:
    """What a word that is to be taken letter by letter can't have, in words that go on after the word
    itself."""
    for char in text:
        if is_invisible(char):
            yield f"has a character that can't be seen ({name_of(char)}); retype it"
        elif char in QUOTES:
            yield f"has a typographic quote ({name_of(char)}); leave it out"
        elif dashes and char in DASHES:
            yield f"has a dash that is not a hyphen ({name_of(char)}); write -"


def fault_of_wrapping(text: str) -> str:
    """What stands round a word that doesn't belong to it (`<jenny@example.com>`), in words; "" if nothing
    does."""
    first, last = text[:1], text[-1:]
    if len(text) > 2 and first in _WRAPPED and (not _WRAPPED[first] or last == _WRAPPED[first]):
        return f"has {first} and {last} round it; leave them out"
    return ""


def fault_of_scripts(text: str) -> str:
    """A letter of another script among Latin ones, in words; "" if there is none. A word of one script alone
    is somebody's name."""
    for word in re.findall(r"\w+", text):
        if re.search("[A-Za-z]", word) is None:
            continue
        odd = next((char for char in word if unicodedata.name(char, "").startswith(LOOKALIKES)), "")
        if odd:
            return f"has a letter that looks like a Latin one ({name_of(odd)}); retype it"
    return ""


def fault_of_chosen(text: str) -> str:
    """What is wrong with an id that a person chose, such as a coupon's: any character that can be seen is
    allowed in it; "" if nothing is."""
    if len(text) > 2 and text[0] in QUOTES and text[-1] in QUOTES:
        return fault_of_wrapping(text)
    return next((each for each in faults(text) if "can't be seen" in each), "")


def first_fault(text: str) -> str:
    """What is wrong with a word that is to be taken letter by letter: an id, an address; "" if nothing is."""
    return fault_of_wrapping(text) or next(faults(text, dashes=False), "") or fault_of_scripts(text)
