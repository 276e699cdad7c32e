"""What may stand in a path, a URL or a header: checked before anything is built from it.

An HTTP library cleans paths up (`/v1/customers/..` is another endpoint) and may take line breaks in headers
until it sends them. So what comes from people, files and events is held against narrow patterns here, and
quoted whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from stripe_magics.catalogue.field import Role
from stripe_magics.validation.object_ids import can_be_in_path

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_PATH = re.compile(r"/v[12](?:/[A-Za-z0-9_.\-~:@+ %]+)+", re.ASCII)
_OURS = {
    "authorization",
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "cookie",
    "user-agent",
}


def path_part(text: str) -> str:
    """An id as it stands in a path, quoted. Raises ValueError for what could lead elsewhere."""
    if not can_be_in_path(text):
        raise ValueError(f"{text!r} can't be part of a path")
    return quote(text, safe="")


def url(text: str) -> str:
    """A path below Stripe's address (with a query, if there is one). Raises ValueError."""
    text = text.strip()
    path, _, _ = text.partition("?")
    if re.match(r"[a-z]+://", text):
        _, _, rest = text.partition("://")
        raise ValueError(f"{text!r} names a host; write the path only: /{rest.partition('/')[2]}")
    if not path.startswith(("/v1/", "/v2/")):
        raise ValueError(f"{text!r} doesn't begin with /v1/ or /v2/; write e.g. /v1/events")
    decoded = re.sub(r"%2e", ".", path, flags=re.IGNORECASE)
    if (
        not _PATH.fullmatch(path)
        or any(part in {"", ".", ".."} for part in decoded.split("/")[1:])
        or re.search(r"%(2f|5c|0)", path, re.IGNORECASE)
    ):
        raise ValueError(f"{text!r} is not a plain path (example: /v1/events)")
    if "#" in text:
        raise ValueError(f"{text!r} holds a #; write it as %23")
    return text


def header_value(text: str) -> str:
    """A header's value: printable ASCII, 255 characters at most. Raises ValueError."""
    if not text or text != text.strip() or len(text) > 255 or not all(" " <= each <= "~" for each in text):
        raise ValueError(
            f"{text[:40]!r} can't be sent as a header; 1 to 255 plain characters without line breaks are"
        )
    return text


def version(text: str) -> str:
    """A Stripe-Version. Raises ValueError."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?(;[ \w=.;-]+)?", header_value(text), re.ASCII):
        raise ValueError(f"{text!r} is not an API version (example: 2025-02-24.acacia)")
    return text


def context(text: str) -> str:
    """A Stripe-Context: ids with slashes between them. Raises ValueError."""
    if not re.fullmatch(r"\w+(/\w+)*", header_value(text), re.ASCII):
        raise ValueError(f"{text!r} is not a Stripe context (example: org_123/acct_123)")
    return text


def header_rows(rows: Any) -> Any:
    """Rows of key and value. Raises ValueError for names that are the client's own, the authorisation first
    of all."""
    for row in rows:
        name = str(row.get("key", ""))
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:40]!r} is not a header name")
        if name.lower() in _OURS:
            raise ValueError(f"the header {name} is the connection's own and can't be given here")
        header_value(str(row.get("value", "")))
    return rows


CHECKS: dict[Role, Callable[[Any], Any]] = {
    Role.URL: url,
    Role.HEADERS: header_rows,
    Role.IDEMPOTENCY_KEY: header_value,
    Role.ACCOUNT: header_value,
    Role.VERSION: version,
}
