"""A key that can't be seen: `Secret` shows its first letters and last four, whatever way it is looked at.

- `repr`, `str` and `format` give the hint; pickling, copying and JSON are refused; there is no `__dict__` and
  no public text attribute.
- `KINDS` says what a text that looks like one of Stripe's secrets is, and whether it can be used as an API
  key.
- Where keys come from is in sources.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from stripe_magics.errors import KeyRefused


class Secret:
    """A secret text. `reveal()` is for the one place that needs it."""

    __slots__ = ("__text", "hint")

    def __init__(self, text: str) -> None:
        self.__text = text
        self.hint = mask(text)

    def reveal(self) -> str:
        """The text itself: for the header that carries it, never for a variable."""
        return self.__text

    def __repr__(self) -> str:
        return f"<Secret {self.hint}>"

    def __str__(self) -> str:
        return self.hint

    def __format__(self, spec: str) -> str:
        return format(self.hint, spec)

    def __eq__(self, other: object) -> bool:
        from hmac import compare_digest

        return isinstance(other, Secret) and compare_digest(self.__text.encode(), other.__text.encode())

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __len__(self) -> NoReturn:
        raise TypeError("a secret doesn't tell its length")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret can't be pickled or copied")

    def __copy__(self) -> NoReturn:
        raise TypeError("a secret can't be copied")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError("a secret can't be copied")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret has no state to give")


def mask(text: str) -> str:
    """`sk_test_...4f2a`: the kind and the last four characters; nothing of a short text."""
    kind = re.match(r"(?:sk|rk|rkcs|pk)_(?:test|live)_|sk_org_|[a-z]{2,5}_", text)
    head = kind.group() if kind else ""
    return f"{head}...{text[-4:]}" if len(text) - len(head) >= 12 else f"{head}..."


@dataclass(frozen=True, slots=True)
class KeyShape:
    """What a text that starts like this is. `mode`: test, live or unknown; `refusal`: why it can't be an API
    key."""

    pattern: str
    what: str
    mode: str = "unknown"
    refusal: str = ""


KINDS: tuple[KeyShape, ...] = (
    KeyShape(r"sk_test_", "secret key", "test"),
    KeyShape(r"sk_live_", "secret key", "live"),
    KeyShape(r"rk_test_", "restricted key", "test"),
    KeyShape(r"rk_live_", "restricted key", "live"),
    KeyShape(r"rkcs_test_", "claimable sandbox key", "test"),
    KeyShape(r"sk_org", "organisation key"),
    KeyShape(
        r"pk_",
        "publishable key",
        refusal="It can only be used in a browser; a secret or restricted key (sk_..., rk_...) is needed.",
    ),
    KeyShape(
        r"whsec_", "webhook signing secret", refusal="It signs events. An API key starts with sk_ or rk_."
    ),
    KeyShape(
        r"ek_",
        "ephemeral key",
        refusal="It belongs to one customer's device. An API key starts with sk_ or rk_.",
    ),
    KeyShape(r"oak_", "token of the Stripe CLI", refusal="Use a secret or restricted key (sk_..., rk_...)."),
)


def classify(text: str) -> KeyShape:
    """The shape of a key that can be used. Raises `KeyRefused` with the reason for anything else; the text is
    never in the message."""
    if not text.strip():
        raise KeyRefused("The key is empty.")
    if text != text.strip():
        raise KeyRefused("The key has a space or a line break around it. Copy it again without them.")
    if re.search(r"\s", text):
        raise KeyRefused("The key has a space or a line break inside. Copy it again in one piece.")
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise KeyRefused("The key contains invalid characters. Copy it again.")
    if "*" in text or "..." in text:
        raise KeyRefused("That is a masked key, as shown on screen. The whole key is needed.")
    shape = next((each for each in KINDS if text.startswith(each.pattern)), None)
    if shape is None:
        raise KeyRefused(
            "That is not a Stripe key: one starts with sk_test_, rk_test_, sk_live_ or rk_live_."
        )
    if shape.refusal:
        raise KeyRefused(f"That is a {shape.what}, not an API key. {shape.refusal}")
    if len(text) < 12 or text.count("_") < 2:
        raise KeyRefused(f"That {shape.what} is too short to be whole. Copy it again.")
    if not re.fullmatch(r"[A-Za-z0-9_.\-]+", text) or not text.rpartition("_")[2]:
        raise KeyRefused("The key contains invalid characters. Copy it again.")
    return shape
