"""Lists inside of objects (an invoice's lines, a charge's refunds): Stripe cuts them at ten or so. What is
cut is fetched, or counted.

A page says of each list in it whether there is more. Most pages have no such list, which is seen without
decoding them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from stripe_magics.client.pagination.sequential_paginator import paginator_for
from stripe_magics.errors import IncompleteList, StripeError
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

_MORE = re.compile(rb'"has_more"\s*:\s*true')
_PATH = re.compile(r"/v1/[A-Za-z0-9_./-]+")


class InnerLists:
    """Completes the lists inside of a list's rows. `cut` counts those of which the rest could not be read."""

    def __init__(self, connection: Connection, request: Request) -> None:
        self._connection, self._request = connection, request
        self.cut = self.fetched = 0

    def complete(self, body: bytes) -> bytes:
        """The page with its inner lists whole; the same bytes if none is cut. Raises `StripeError` if Stripe
        refuses the key or is down."""
        if _MORE.search(body) is None:
            return body
        page = msgspec.json.decode(body)
        rows = page.get("data") if isinstance(page, dict) else None
        found = [each for row in rows for each in cut_lists(row)] if isinstance(rows, list) else []
        if not found:
            return body
        for each in found:
            self._fetch(each)
        return msgspec.json.encode(page)

    def _fetch(self, inner: dict[str, Any]) -> None:
        """Read the rest of a list, in place."""
        url, rows = str(inner.get("url") or ""), inner["data"]
        last = rows[-1].get("id") if rows and isinstance(rows[-1], dict) else None
        if not _PATH.fullmatch(url) or (rows and not isinstance(last, str)):
            self.cut += 1
            return
        rest = Request(
            module=self._request.module, method="GET", path=url, lists=True, limit=None,
            params=(("starting_after", str(last)),) if last else (), headers=self._request.headers,
        )  # fmt: skip
        known = {row["id"] for row in rows if isinstance(row, dict) and "id" in row}
        try:
            for answer in paginator_for(self._connection, rest):
                new = [row for row in answer.rows if row.get("id") not in known]
                if answer.has_more and not new:
                    break
                rows += new
                known.update(row["id"] for row in new if "id" in row)
                inner["has_more"] = answer.has_more
        except IncompleteList:
            pass  # it says that there is more, but not where: `has_more` stands
        except StripeError as problem:
            if problem.details.status not in {400, 404}:
                raise
            # the object was deleted meanwhile, or its list can't be read on its own
        if inner["has_more"]:
            self.cut += 1
        else:
            self.fetched += 1


def cut_lists(value: object) -> Iterator[dict[str, Any]]:
    """The lists in a value that say that there is more of them."""
    if isinstance(value, dict):
        if (
            value.get("object") == "list"
            and value.get("has_more") is True
            and isinstance(value.get("data"), list)
        ):
            yield value
        for inner in value.values():
            yield from cut_lists(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from cut_lists(inner)
