"""Events as a DataFrame, as text and as a table that stays as it is.

Columns of the frame: `id`, `created` (datetime64[us, UTC]), `type`, `object`, `object_id`, `amount` (Int64,
minor units), `currency`, `customer`, `status`, `request_id`, `idempotency_key`, `account` (the connected
account of the event; else the connection's own, as far as it is known), `account_name` (as far as it is
known), `mode` (live, test, sandbox), `api_version`, `livemode`, `twin` (most likely the same news as another
event), `source` (poll or listen), `received` (datetime64[us, UTC]), `payload` (Stripe's event as a dict,
secrets masked).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from stripe_magics._html import output, table, tag
from stripe_magics._json import JsonObject
from stripe_magics.client.journal.event_evidence import causing_request
from stripe_magics.events.event_rows import COLUMNS, amount_of, customer_of, row

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.events.event_store import Stored

_TIME = "datetime64[us, UTC]"
_DTYPES = {
    "id": "str",
    "created": _TIME,
    "type": "category",
    "object": "category",
    "object_id": "str",
    "amount": "Int64",
    "currency": "str",
    "customer": "str",
    "status": "str",
    "request_id": "str",
    "idempotency_key": "str",
    "account": "str",
    "account_name": "str",
    "mode": "category",
    "api_version": "str",
    "livemode": "boolean",
    "twin": "boolean",
    "source": "category",
    "received": _TIME,
    "payload": "object",
}


class _Connection(Protocol):
    @property
    def mode(self) -> str: ...
    @property
    def live(self) -> bool: ...
    @property
    def account(self) -> str: ...
    @property
    def api_version(self) -> str: ...
    @property
    def account_seen(self) -> JsonObject | None: ...


class _Account(Protocol):
    @property
    def account(self) -> str: ...
    @property
    def connection(self) -> _Connection: ...
    def name_of(self, id: str) -> str: ...


class ShownWatch(Protocol):
    """What is asked of a watch to show it as a table."""

    shows_accounts: bool

    @property
    def notes(self) -> list[str]: ...
    def account_label(self, id: str) -> str: ...
    def stored(self, most: int | None = None) -> list[Stored]: ...
    def status(self) -> dict[str, str]: ...


def frame(stored: Iterable[Stored], account: _Account) -> pd.DataFrame:
    """Events as a DataFrame; see the module's docstring. Without events it keeps its columns and their
    types."""
    import pandas as pd

    from stripe_magics.frames.frame_info import CallInfo, FrameInfo

    connection = account.connection
    own = account.account or connection.account or str((connection.account_seen or {}).get("id") or "")
    records = [_record(each, own, connection.mode, account.name_of) for each in stored]
    columns = {}
    for name, dtype in _DTYPES.items():
        column: Any = pd.Series([record[name] for record in records], dtype="object")
        columns[name] = (pd.to_datetime(column, unit="s", utc=True) if dtype == _TIME else column).astype(
            dtype
        )
    made = pd.DataFrame(columns)
    info = FrameInfo(
        object="event",
        account=own,
        mode=connection.mode,
        livemode=connection.live,
        api_version=connection.api_version,
        units="minor",
        complete=True,
        amounts=["amount"],
    )
    return info.put(made, CallInfo(module="events.watch"))


def _record(each: Stored, account: str, mode: str, name_of: Callable[[str], str]) -> dict[str, Any]:
    event, subject = each.event, each.object
    request = causing_request(event)
    amount, currency = amount_of(subject)
    return {
        "id": each.id,
        "created": each.created,
        "type": each.type,
        "object": str(subject.get("object") or ""),
        "object_id": str(subject.get("id") or ""),
        "amount": amount,
        "currency": currency,
        "customer": customer_of(subject),
        "status": str(subject.get("status") or ""),
        "request_id": str(request.get("id") or ""),
        "idempotency_key": str(request.get("idempotency_key") or ""),
        "account": (from_ := str(event.get("account") or account)),
        "account_name": name_of(from_),
        "mode": mode,
        "api_version": str(event.get("api_version") or ""),
        "livemode": bool(event.get("livemode")),
        "twin": each.probable_duplicate,
        "source": each.source,
        "received": round(each.received),
        "payload": event,
    }


def text(watch: ShownWatch, most: int = 15) -> str:
    """The watch as text, for terminals and for pages without widgets."""
    shown, names = _shown(watch, most)
    widths = {name: max([len(name), *(len(each[name]) for each in shown)]) for name in names}
    lines = [
        "  ".join(each.get(name, name).ljust(widths[name]) for name in names).rstrip()
        for each in [{}, *shown]
    ]
    return "\n".join([_head(watch), *(lines if shown else []), *watch.notes[-3:]])


def html(watch: ShownWatch, most: int = 15) -> str:
    """The same as a table that stays as it is, everything escaped: where a live view can't be."""
    shown, names = _shown(watch, most)
    rows = [[each[name] for name in names] for each in shown]
    above = [tag("div", each) for each in (_head(watch), *watch.notes[-3:])]
    return output(*above, table(names, rows))


def _shown(watch: ShownWatch, most: int) -> tuple[list[dict[str, str]], list[str]]:
    """Rows and the columns that they have: the account where there may be several."""
    label = watch.account_label if watch.shows_accounts else None
    names = [name for name in COLUMNS if name != "account" or label is not None]
    return [row(each.event, label) for each in watch.stored(most)], names


def _head(watch: ShownWatch) -> str:
    status = watch.status()
    where = " ".join(each for each in (status["mode"], status["account"]) if each)
    return (
        f"Events ({status['events']}), {where}: {status['state']}; last read {status['last_read']}, "
        f"{status['seen']} seen, {status['reads']} reads."
    )
