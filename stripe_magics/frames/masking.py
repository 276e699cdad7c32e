"""What no column may show: secrets and keys inside JSON text, in objects, and in text of unknown fields."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from stripe_magics._redaction import HIDDEN, SECRET_FIELDS, SUSPECT, SUSPECT_KEY, redact
from stripe_magics.frames.schema import masked

_SECRETS = (
    *(name.encode() for name in SECRET_FIELDS[""]),
    *(f'"{kind}"'.encode() for kind in SECRET_FIELDS if kind),
)
"""Names that JSON text may hold for something in it to be masked; of a type with secret fields of its own,
theirs, too."""
_SUSPECT = tuple((common.encode(), tuple(map(str.encode, words))) for common, words in SUSPECT.items())
_KEY = re.compile(SUSPECT_KEY.encode())
SUSPECT_TEXT = "|".join([*(re.escape(word) for words in SUSPECT.values() for word in words), SUSPECT_KEY])
"""What a text of an unknown field must hold to be looked at; what is then hidden, `redact` says."""


def mask_json(texts: list[bytes | None], object_type: str) -> list[bytes | None]:
    """JSON texts with their secrets masked."""
    everything = b"\n".join({text for text in texts if text})
    names = (*_SECRETS, *(f'"{name}"'.encode() for name in SECRET_FIELDS.get(object_type, ())))
    if not _suspect(everything, names):
        return texts
    return [text and _safe(text, object_type, names) for text in texts]


def _suspect(text: bytes, names: Sequence[bytes]) -> bool:
    """Whether anything in the JSON text may have to be masked; `mask` decides."""
    return (
        any(name in text for name in names)
        or any(common in text and any(word in text for word in words) for common, words in _SUSPECT)
        or (b"k_" in text and _KEY.search(text) is not None)
    )


def _safe(text: bytes, object_type: str, names: Sequence[bytes]) -> bytes:
    if _suspect(text, names):
        return msgspec.json.encode(mask(msgspec.json.decode(text), object_type))
    return text


def mask(value: object, object_type: str = "") -> Any:
    """The value without what may never be shown, however deep it stands."""
    if isinstance(value, list):
        return [mask(each, object_type) for each in value]
    if isinstance(value, dict):
        kind = value.get("object") or object_type
        kind = kind if isinstance(kind, str) else object_type
        return {
            key: HIDDEN if isinstance(inner, str) and masked(kind, key) else mask(inner, kind)
            for key, inner in value.items()
        }
    return HIDDEN if isinstance(value, str) and redact(value) != value else value
