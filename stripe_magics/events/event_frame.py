"""Events as rows: for the live table, for text, and as a DataFrame.

Columns of the frame: `id`, `created` (datetime64[us, UTC]), `type`, `object`, `object_id`, `amount` (Int64, minor units), `currency`,
`customer`, `status`, `request_id`, `idempotency_key`, `account`, `api_version`, `livemode`, `probable_duplicate` (most likely the same news as another
event), `source` (poll or listen), `received` (datetime64[us, UTC]), `payload` (Stripe's event as a dict, secrets masked).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from stripe_magics import money
from stripe_magics.catalogue.stripe_objects import object_path
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection
    from stripe_magics.events.event_store import Stored
    from stripe_magics.events.event_watch import Watch

_AMOUNTS = ("amount", "amount_due", "total", "amount_total", "net")
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
    "api_version": "str",
    "livemode": "boolean",
    "twin": "boolean",
    "source": "category",
    "received": _TIME,
    "payload": "object",
}
_ID = re.compile(r"[A-Za-z0-9][\w.\-]*", re.ASCII)


def row(event: Mapping[str, Any]) -> dict[str, str]:
    """What the live table shows of an event: plain text, nothing of the person but the customer's id."""
    subject = event["data"]["object"]
    request = event.get("request")
    amount, currency = _amount(subject)
    return {
        "id": str(event["id"]),
        "time": f"{datetime.fromtimestamp(event['created'], UTC):%Y-%m-%d %H:%M:%S}",
        "type": str(event["type"]),
        "object": str(subject.get("id") or subject.get("object") or ""),
        "amount": ""
        if amount is None
        else money.format_amount(amount, currency)
        if currency in money.CURRENCIES
        else f"{amount} {currency}",
        "customer": _customer(subject),
        "request": str((request.get("id") if isinstance(request, Mapping) else request) or ""),
    }


def _amount(subject: Mapping[str, Any]) -> tuple[int | None, str]:
    for name in _AMOUNTS:
        value = subject.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and subject.get("currency"):
            return value, str(subject["currency"]).lower()
    return None, ""


def _customer(subject: Mapping[str, Any]) -> str:
    customer = subject.get("id") if subject.get("object") == "customer" else subject.get("customer")
    return str((customer.get("id") if isinstance(customer, Mapping) else customer) or "")


def frame(stored: Iterable[Stored], connection: Connection | None = None) -> pd.DataFrame:
    """Events as a DataFrame; see the module's docstring. Without events it keeps its columns and their types."""
    import pandas as pd

    records = [_record(each) for each in stored]
    columns = {}
    for name, dtype in _DTYPES.items():
        column: Any = pd.Series([record[name] for record in records], dtype="object")
        columns[name] = (pd.to_datetime(column, unit="s", utc=True) if dtype == _TIME else column).astype(
            dtype
        )
    made = pd.DataFrame(columns)
    from stripe_magics.frames.frame_info import CallInfo, FrameInfo

    info = FrameInfo(
        object="event",
        mode=connection.mode if connection else "",
        livemode=bool(connection and connection.live),
        units="minor",
        complete=True,
        amounts=["amount"],
    )
    return info.put(made, CallInfo(module="events.watch"))


def _record(each: Stored) -> dict[str, Any]:
    event, subject, shown = each.event, each.object, row(each.event)
    request = event.get("request")
    request = request if isinstance(request, dict) else {}
    amount, currency = _amount(subject)
    return {
        "id": each.id,
        "created": each.created,
        "type": each.type,
        "object": str(subject.get("object") or ""),
        "object_id": str(subject.get("id") or ""),
        "amount": amount,
        "currency": currency,
        "customer": shown["customer"],
        "status": str(subject.get("status") or ""),
        "request_id": shown["request"],
        "idempotency_key": str(request.get("idempotency_key") or ""),
        "account": str(event.get("account") or ""),
        "api_version": str(event.get("api_version") or ""),
        "livemode": bool(event.get("livemode")),
        "twin": each.probable_duplicate,
        "source": each.source,
        "received": round(each.received),
        "payload": event,
    }


_SHOWN = ("time", "type", "object", "amount", "customer")


def text(watch: Watch, most: int = 15) -> str:
    """The watch as text, for terminals and for pages without widgets."""
    shown = [row(each.event) for each in watch.stored(most)]
    widths = {name: max([len(name), *(len(each[name]) for each in shown)]) for name in _SHOWN}
    lines = [
        "  ".join(each.get(name, name).ljust(widths[name]) for name in _SHOWN).rstrip()
        for each in [{}, *shown]
    ]
    return "\n".join([_head(watch), *(lines if shown else []), *watch.notes[-3:]])


def html(watch: Watch, most: int = 15) -> str:
    """The same as a table that stays as it is, everything escaped: where a live view can't be."""
    heads = "".join(f"<th>{name}</th>" for name in _SHOWN)
    lines = [
        "".join(f"<td>{escape(row(each.event)[name])}</td>" for name in _SHOWN) for each in watch.stored(most)
    ]
    said = "".join(f"<div>{escape(each)}</div>" for each in (_head(watch), *watch.notes[-3:]))
    return f"{said}<table><thead><tr>{heads}</tr></thead><tbody>{''.join(f'<tr>{each}</tr>' for each in lines)}</tbody></table>"


def _head(watch: Watch) -> str:
    status = watch.status()
    return f"Events ({status['events']}): {status['state']}; {status['seen']} seen, {status['reads']} reads."


def request_for(subject: Mapping[str, Any]) -> Request:
    """The request for an event's object as it is today. Only its kind and its id are used, never a URL out of the event."""
    kind, id = str(subject.get("object") or ""), str(subject.get("id") or "")
    path = object_path(kind, id) if _ID.fullmatch(id) else ""
    if not path:
        raise ValueError(f"Stripe has no path of its own for this object ({kind or 'unknown'}).")
    return Request(module="events.watch", method="GET", path=path, returns=kind)
