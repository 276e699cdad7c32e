"""The names of customers, products, prices and invoices, to stand beside their ids in a shown table.

- The list that a frame came from is asked for once more with these objects expanded (one request for each
  page that is on screen), or, where only one name is missing, that one object. What Stripe answers is matched
  by id, so that a name can't land beside another's id.
- Names are kept on the connection (`Connection.extensions`) until something is written or ten minutes have
  passed. The frame keeps its ids.
- Only what is shown is looked up: nothing here runs for `--quiet`, or for data that is assigned and not
  shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stripe_magics import _locale, catalogue
from stripe_magics.catalogue.stripe_objects import object_path, owner
from stripe_magics.errors import StripeError, StripeMagicsError
from stripe_magics.money import CURRENCIES, format_amount

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.connection import Connection
    from stripe_magics.frames.frame_info import FrameInfo
    from stripe_magics.request import Request

KEPT = 600  # seconds
PAGE = 100
_EXTENSION = "object_names"


def _price(found: Mapping[str, Any]) -> str:
    amount, currency = found.get("unit_amount"), str(found.get("currency") or "").lower()
    if found.get("nickname") or not isinstance(amount, int) or currency not in CURRENCIES:
        return str(found.get("nickname") or "")
    every = found.get("recurring") or {}
    count = int(every.get("interval_count") or 1)
    times = f"{count} {every.get('interval')}s" if count > 1 else str(every.get("interval"))
    return _locale.amount(format_amount(amount, currency)) + (f" / {times}" if every else "")


NAMES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "customer": lambda found: str(found.get("name") or found.get("email") or ""),
    "product": lambda found: str(found.get("name") or ""),
    "price": _price,
    "invoice": lambda found: str(found.get("number") or ""),
}
"""By type of object: how people call it."""
NAME_COLUMNS = {
    "customer": ("name", "email"),
    "product": ("name",),
    "price": ("nickname",),
    "invoice": ("number",),
}
"""By type of object: which columns of its own frame have that name, the best first."""


@dataclass(slots=True)
class KnownNames:
    """What was read for one connection: id -> name ("" where the object has none; prices in the locale that
    was set), and why reading failed."""

    writes: int
    since: float
    locale: str
    names: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)  # path -> Stripe's words


def known(connection: Connection) -> KnownNames:
    """The names that are kept for a connection; none once something was written, after ten minutes, or in
    another locale."""
    kept = connection.extensions.get(_EXTENSION)
    now, state = connection.monotonic(), (connection.writes, _locale.locale_name())
    if kept is None or (kept.writes, kept.locale) != state or now - kept.since > KEPT:
        kept = connection.extensions[_EXTENSION] = KnownNames(state[0], now, state[1])
    return kept


def matching_connection(frame: pd.DataFrame) -> Connection | None:
    """The open connection, if the frame can be its own."""
    from stripe_magics.client.shared_connection import shared
    from stripe_magics.frames.frame_info import FrameInfo, may_be_of

    connection = shared()
    if connection is None or connection.closed or connection.mode != FrameInfo.of(frame).mode:
        return None
    if not may_be_of(frame, connection):
        return None
    return connection


def look_up(
    frame: pd.DataFrame,
    info: FrameInfo,
    connection: Connection,
    columns: Mapping[Any, Sequence[str]],
    places: Sequence[int],
) -> tuple[dict[str, str], str]:
    """Id -> name for the ids that are shown (`columns`: by column, in the order of `places`), and a sentence
    where they could not be read."""
    kept = known(connection)
    _learn(frame, info, kept.names, places)
    requested = {
        name: {each for each in ids if owner(each) in NAMES and each not in kept.names}
        for name, ids in columns.items()
        if name != "id"
    }
    missing = sorted(set().union(*requested.values())) if requested else []
    if missing:
        problem = _read(frame, info, connection, kept, requested, missing, places)
        if problem:
            return kept.names, problem
    return kept.names, ""


def _learn(frame: pd.DataFrame, info: FrameInfo, names: dict[str, str], places: Sequence[int]) -> None:
    """What the frame itself says: its own objects' names, and names that stand in a column beside the ids."""
    pairs = [("id", each) for each in reversed(NAME_COLUMNS.get(info.object, ()))]
    pairs += [(name, f"{name}_name") for name in NAMES]
    for ids, words in pairs:
        if ids not in frame.columns or words not in frame.columns:
            continue
        rows = zip(frame[ids].iloc[list(places)], frame[words].iloc[list(places)], strict=True)
        names.update(
            (str(id), str(word))
            for id, word in rows
            if isinstance(id, str) and isinstance(word, str) and word
        )


def _read(
    frame: pd.DataFrame,
    info: FrameInfo,
    connection: Connection,
    kept: KnownNames,
    requested: Mapping[Any, set[str]],
    missing: Sequence[str],
    places: Sequence[int],
) -> str:
    for request in _requests(frame, info, connection, requested, missing, places):
        if request.path in kept.refused:
            return kept.refused[request.path]
        try:
            found = connection.send(request).data
        except StripeError as fault:  # a key that may not read customers still shows its payments
            kept.refused[request.path] = (
                f"Names could not be read: {fault.brief} (--names off leaves them out.)"
            )
            return kept.refused[request.path]
        rows = found.get("data", []) if request.lists else [found]
        objects = rows if not request.lists else [row.get(name) for row in rows for name in requested]
        for each in objects:
            if isinstance(each, Mapping) and owner(str(each.get("id"))) in NAMES:
                kept.names[str(each["id"])] = NAMES[owner(str(each["id"]))](each)
    return ""


def _requests(
    frame: pd.DataFrame,
    info: FrameInfo,
    connection: Connection,
    requested: Mapping[Any, set[str]],
    missing: Sequence[str],
    places: Sequence[int],
) -> Iterator[Request]:
    """One object, if only its name is missing; otherwise the pages of the frame's own list that are shown."""
    from stripe_magics.request import Request

    headers = (
        (("Stripe-Account", info.account),) if info.account and info.account != connection.account else ()
    )
    if len(missing) == 1:
        path = object_path(owner(missing[0]), missing[0])
        yield Request(module="api.call", method="GET", path=path, headers=headers)
        return
    list_of = _list_of(frame)
    if list_of is None:
        return
    path, params = list_of
    expand = [("expand[]", f"data.{name}") for name, ids in requested.items() if ids]
    for after, count in _pages(frame, places):
        cursor = (("starting_after", after),) if after else ()
        yield Request(
            module="api.call",
            method="GET",
            path=path,
            params=(*params, ("limit", str(count)), *expand, *cursor),
            headers=headers,
            returns=info.object,
            lists=True,
        )


def _list_of(frame: pd.DataFrame) -> tuple[str, list[tuple[str, str]]] | None:
    """The path and the parameters of the list that a frame came from; None where that can't be asked for
    again as it stands."""
    from stripe_magics.frames.frame_info import call_of

    call = call_of(frame)
    if call is None or not call.module:
        return None
    try:
        module = catalogue.find(call.module)
    except StripeMagicsError:  # a report, or a frame that was put together
        return None
    if not module.lists or "{" in module.path or module.method != "GET":
        return None
    own = {"limit", "starting_after", "ending_before", "page"}
    pairs = [(str(name), str(value)) for name, value in _pairs(call.params)]
    return module.path, [pair for pair in pairs if pair[0] not in own and not pair[0].startswith("expand")]


def _pairs(params: Any) -> Iterable[tuple[Any, Any]]:
    return params.items() if isinstance(params, Mapping) else params


def _pages(frame: pd.DataFrame, places: Sequence[int]) -> Iterator[tuple[str, int]]:
    """(id after which the page begins, rows) of what is shown: the first page; and the last rows, where the
    frame is the call's own."""
    from stripe_magics.frames.frame_info import call_of

    yield "", min(PAGE, max(places, default=0) + 1)
    call = call_of(frame)
    late = [place for place in places if place >= PAGE]
    if late and call is not None and call.rows == len(frame) and late[-1] - late[0] < PAGE:
        yield str(frame["id"].iloc[late[0] - 1]), late[-1] - late[0] + 1
