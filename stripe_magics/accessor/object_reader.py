"""Objects that `df.stripe.join` brings from the account, in the fewest requests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stripe_magics.catalogue.stripe_objects import list_path, object_path
from stripe_magics.errors import NotFound
from stripe_magics.frames import build, empty

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.accessor.object_source import Reverse
    from stripe_magics.client.shared_connection import Connection


class AccountObjects:
    """The lists of the open account."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.notes: list[str] = []

    def by_id(self, kind: str, ids: Sequence[str]) -> pd.DataFrame:
        """The objects of these ids that there are (those that were deleted for good have no columns)."""
        rows = list(fetch(self.connection, kind, ids))
        return build([json.dumps(rows).encode()], kind) if rows else empty(kind)

    def pointing(self, rule: Reverse, ids: Sequence[str], since: int | None) -> Iterable[Mapping[str, Any]]:
        """The objects that point at one of these ids."""
        return _pointing(self.connection, rule, ids, since)


def fetch(connection: Connection, kind: str, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The objects of these ids: from the newest pages of their list as long as that needs fewer requests,
    then one by one."""
    from stripe_magics.client.pagination.sequential_paginator import paginator_for
    from stripe_magics.request import Request

    missing = dict.fromkeys(ids)
    if len(missing) > 2:
        params = (("status", "all"),) if kind == "subscription" else ()
        newest = Request(
            module="get", method="GET", path=list_path(kind), params=params, lists=True, limit=None
        )
        for answer in paginator_for(connection, newest):
            hits = [each for each in answer.rows if each.get("id") in missing]
            for each in hits:
                missing.pop(each["id"])
            yield from hits
            if len(hits) < 2 or len(missing) <= 2:
                break
    for each in missing:
        try:
            yield connection.send(Request(module="get", method="GET", path=object_path(kind, str(each)))).data
        except NotFound:
            continue


def _pointing(
    connection: Connection, rule: Reverse, ids: Sequence[str], since: int | None
) -> Iterator[dict[str, Any]]:
    """Objects that point at the ids: of few ids by the list's own filter, of many the whole list since the
    oldest row."""
    from stripe_magics.client.pagination.paginator import pages
    from stripe_magics.request import Request

    extra = (("status", "all"),) if rule.kind == "subscription" else ()
    if len(ids) <= 3 or rule.filter == "payout":
        requests = [(*extra, (rule.filter, str(each))) for each in ids]
    else:
        requests = [(*extra, *((("created[gte]", str(since)),) if since is not None else ()))]
    for params in requests:
        request = Request(
            module="get", method="GET", path=list_path(rule.kind), params=params, lists=True, limit=None
        )
        for answer in pages(connection, request, ordered=True):
            for each in answer.data.get("data", []):
                yield {rule.field: params[-1][1], **each} if rule.filter == "payout" else each
