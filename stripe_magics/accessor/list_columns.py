"""Lists and objects inside cells as frames of their own: one row an item, with the id of the object that
holds it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.api.types import is_object_dtype

from stripe_magics.accessor.account_facts import same_connection
from stripe_magics.accessor.amounts import codes
from stripe_magics.accessor.units import convert
from stripe_magics.errors import ColumnNotFoundError, FrameError
from stripe_magics.frames import build, empty
from stripe_magics.frames.column_facts import money_columns
from stripe_magics.frames.frame_info import FrameInfo
from stripe_magics.frames.pandas_columns import from_values, text_dtype
from stripe_magics.frames.schema import Column, facts, known, schema

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

ITEMS = {
    ("charge", "refunds"): ("refund", "/v1/refunds?charge={}"),
    ("invoice", "lines"): ("line_item", "/v1/invoices/{}/lines"),
    ("credit_note", "lines"): ("credit_note_line_item", "/v1/credit_notes/{}/lines"),
    ("subscription", "items"): ("subscription_item", "/v1/subscription_items?subscription={}"),
    ("checkout.session", "line_items"): ("item", "/v1/checkout/sessions/{}/line_items"),
    ("payment_link", "line_items"): ("item", "/v1/payment_links/{}/line_items"),
    ("quote", "line_items"): ("item", "/v1/quotes/{}/line_items"),
    ("customer", "sources"): ("source", "/v1/customers/{}/sources"),
    ("customer", "subscriptions"): ("subscription", "/v1/subscriptions?status=all&customer={}"),
    ("customer", "tax_ids"): ("tax_id", "/v1/customers/{}/tax_ids"),
    ("transfer", "reversals"): ("transfer_reversal", "/v1/transfers/{}/reversals"),
    ("application_fee", "refunds"): ("fee_refund", "/v1/application_fees/{}/refunds"),
    ("account", "external_accounts"): ("bank_account", "/v1/accounts/{}/external_accounts"),
    ("file", "links"): ("file_link", "/v1/file_links?file={}"),
    ("dispute", "balance_transactions"): ("balance_transaction", ""),
}
"""List columns: the type of their items, and where Stripe lists the rest of a list that was cut."""
PARTS = {
    ("balance_transaction", "fee_details"): {"amount": "int", "application": "text", "currency": "currency",
        "description": "text", "type": "text"},
    **{("balance", name): {"amount": "int", "currency": "currency"} for name in ("available", "pending",
        "connect_reserved", "instant_available")},
}  # fmt: skip
"""Lists of items that have no type: what they hold."""


def explode(frame: pd.DataFrame, column: str, keep: Sequence[str]) -> pd.DataFrame:
    """See `df.stripe.explode`."""
    if column not in frame.columns:
        raise ColumnNotFoundError(column, frame.columns)
    info = FrameInfo.of(frame)
    lists = [_as_list(each) for each in frame[column].astype(object)]
    if not _is_list_column(info.object, column) and not any(each is not None for each in lists):
        raise FrameError(
            f"{column!r} has no lists; there is nothing to explode.", advice=_list_columns(frame)
        )
    whole = [each or [] for each in _completed(frame, column, lists, info)]
    items = [item for each in whole for item in each]
    item_type = ITEMS.get((info.object, column), ("", ""))[0]
    out = _items_frame(items, item_type, info.object, column)
    repeats = [len(each) for each in whole]
    frame = _in_minor_units(frame, keep)
    kept = [*_id_of(frame), *_kept(frame, keep)]
    return _with_owner(out, frame, repeats, kept, column, info)


def _as_list(value: Any) -> list[Any] | None:
    if isinstance(value, str) and value[:1] == "[":
        try:
            value = json.loads(value)  # a list that a file holds as text
        except ValueError:
            return None
    return list(value) if isinstance(value, (list, tuple)) or type(value).__name__ == "ndarray" else None


def _is_list_column(object_type: str, column: str) -> bool:
    return any(each.name == column and each.kind in {"list", "sublist"} for each in _columns_of(object_type))


def _columns_of(object_type: str) -> tuple[Column, ...]:
    return schema(object_type).columns if known(object_type) else ()


def _list_columns(frame: pd.DataFrame) -> str:
    names = [
        str(name)
        for name in frame.columns
        if is_object_dtype(frame[name].dtype) and any(_as_list(each) for each in frame[name].head(100))
    ]
    return f"Columns with lists: {', '.join(names)}." if names else ""


def _completed(frame: pd.DataFrame, column: str, lists: list[Any], info: FrameInfo) -> list[Any]:
    """The lists with what Stripe cut from them (`has_more`). Raises FrameError where the rest can't be
    fetched."""
    more = f"{column}_has_more"
    if more not in frame.columns:
        return lists
    cut = [row for row, each in enumerate(frame[more].fillna(value=False)) if each and lists[row] is not None]
    if not cut:
        return lists
    place = ITEMS.get((info.object, column), ("", ""))[1]
    connection = same_connection(frame, info)
    if connection is None or not place or "id" not in frame.columns:
        raise FrameError(
            f"{len(cut)} of the lists in {column!r} are cut: Stripe sends the first ten items, and the rest"
            " can't be fetched here.",
            advice="Open the connection to the account that the frame is from, and call this again.",
        )
    out = list(lists)
    ids = frame["id"].tolist()
    for row in cut:
        out[row] = [*lists[row], *_rest(connection, place.format(ids[row]), lists[row])]
    return out


def _rest(connection: Connection, address: str, first: Sequence[Any]) -> Iterator[Any]:
    from stripe_magics.client.pagination.paginator import pages
    from stripe_magics.request import Request

    path, _, query = address.partition("?")
    pairs = [tuple(each.split("=", 1)) for each in query.split("&") if each]
    last = first[-1] if first else None
    cursor = last.get("id") if isinstance(last, dict) else last
    if cursor:
        pairs.append(("starting_after", str(cursor)))
    request = Request(module="get", method="GET", path=path, params=tuple(pairs), lists=True, limit=None)  # type: ignore[arg-type]
    for answer in pages(connection, request, ordered=True):
        yield from answer.data.get("data", [])


def _items_frame(items: Sequence[Any], item_type: str, holder: str, column: str) -> pd.DataFrame:
    if not items:
        return empty(item_type) if item_type else _parts(holder, column, [])
    if not any(isinstance(each, dict) for each in items):
        return (
            build([json.dumps([{"id": each} for each in items]).encode()], item_type)
            if item_type
            else pd.DataFrame(
                {column: from_values(Column(column, (column,), "any"), list(items), learned=True)}
            )
        )
    rows = [each if isinstance(each, dict) else {"id": each} for each in items]
    if (holder, column) in PARTS:
        return _parts(holder, column, rows)
    met = {str(each["object"]) for each in rows if each.get("object")}
    kind = next(iter(met)) if len(met) == 1 else item_type if item_type in met else ""
    return build([json.dumps(rows).encode()], kind or ("any" if len(met) == 1 else ""))


def _parts(holder: str, column: str, rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Items without a type, in the columns that are known of them, then what else they hold."""
    fixed = PARTS.get((holder, column), {})
    data = {
        name: from_values(Column(name, (name,), kind), [each.get(name) for each in rows], learned=False)
        for name, kind in fixed.items()
    }
    for name in dict.fromkeys(key for each in rows for key in each if key not in fixed):
        data[name] = from_values(
            Column(name, (name,), "any"), [each.get(name) for each in rows], learned=True
        )
    made = pd.DataFrame(data)
    FrameInfo(amounts=["amount"] if "amount" in data else []).put(made)
    return made


def _id_of(frame: pd.DataFrame) -> list[tuple[str, Any]]:
    return [("id", frame["id"] if "id" in frame.columns else frame.index.to_series())]


def _kept(frame: pd.DataFrame, keep: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for name in [keep] if isinstance(keep, str) else keep:
        if name not in frame.columns:
            raise ColumnNotFoundError(name, frame.columns)
        yield name, frame[name]


def _in_minor_units(frame: pd.DataFrame, keep: Sequence[str]) -> pd.DataFrame:
    """What is kept stands beside items, whose amounts are in minor units."""
    named = [keep] if isinstance(keep, str) else keep
    own = [name for name, source in money_columns(frame).items() if name in named and source is not None]
    return convert(frame, own, "minor") if own else frame


def _money_kept(
    out: pd.DataFrame, frame: pd.DataFrame, kept: Sequence[tuple[str, str]], repeats: list[int]
) -> dict[str, str]:
    """Of what is kept (its name in the frame, and among the items), the money, each with the column of its
    currency."""
    holders = money_columns(frame)
    made: dict[str, str] = {}
    for name, label in kept:
        source = holders.get(name)
        if source is None:
            continue
        own = pd.Series(codes(frame, source)).repeat(repeats).reset_index(drop=True)
        currency = "currency"
        if currency not in out.columns or not own.equals(out[currency].astype(object)):
            currency = f"{label}_currency"
            out.insert(list(out.columns).index(label) + 1, currency, own.astype(text_dtype()))
        made[label] = currency
    return made


def _with_owner(
    out: pd.DataFrame,
    frame: pd.DataFrame,
    repeats: list[int],
    kept: list[tuple[str, Any]],
    column: str,
    info: FrameInfo,
) -> pd.DataFrame:
    """The items with what is kept of the object that holds them: `invoice_id`, `invoice_number` ..., and the
    currency that they lack."""
    holder = (info.object or "object").rpartition(".")[2]
    inner = FrameInfo.of(out)
    names = [f"{holder}_{name}" for name, _ in kept]
    out = out.drop(columns=[name for name in names if name in out.columns])
    for place, (name, (_, values)) in enumerate(zip(names, kept, strict=True)):
        out.insert(place, name, values.repeat(repeats).reset_index(drop=True))
    if "currency" in frame.columns and "currency" not in out.columns:
        out.insert(len(names), "currency", frame["currency"].repeat(repeats).reset_index(drop=True))
    own = [(name, label) for label, (name, _) in zip(names, kept, strict=True)]
    money = _money_kept(out, frame, own, repeats)
    amounts = inner.amounts
    if not inner.object and amounts is None:
        amounts = (
            [name for name in out.columns if name in {"amount", "taxable_amount", "discount_amount"}]
            if info.object in facts()
            else []
        )
    return info.replace(
        object=inner.object or f"{holder}.{column}", units="minor", other_units=(), money=money,
        expanded=inner.expanded, amounts=amounts
    ).put(out)  # fmt: skip


def payload(frame: pd.DataFrame, column: str, kind: str, keep: Sequence[str]) -> pd.DataFrame:
    """See `df.stripe.objects`."""
    if column not in frame.columns:
        raise ColumnNotFoundError(column, frame.columns)
    cells = [
        json.loads(each) if isinstance(each, str) and each[:1] == "{" else each
        for each in frame[column].astype(object)
    ]
    met = sorted({str(each.get("object") or "") for each in cells if isinstance(each, dict)})
    if not met:
        raise FrameError(f"{column!r} has no objects.")
    if not kind and len(met) > 1:
        raise FrameError(
            f"{column!r} has objects of {len(met)} types: {', '.join(met)}.",
            advice=f'Name one: df.stripe.objects("{column}", "{met[0]}").',
        )
    chosen = kind or met[0]
    rows = [isinstance(each, dict) and each.get("object") == chosen for each in cells]
    picked = [each for each, take in zip(cells, rows, strict=True) if take]
    out = build([json.dumps(picked).encode()], chosen) if picked else empty(chosen)
    frame = _in_minor_units(frame, keep)
    return _with_owner(
        out,
        frame,
        [int(each) for each in rows],
        [*_id_of(frame), *_kept(frame, keep)],
        column,
        FrameInfo.of(frame),
    )


def metadata(frame: pd.DataFrame, keys: Sequence[str], column: str) -> pd.DataFrame:
    """See `df.stripe.metadata`."""
    if column not in frame.columns:
        raise ColumnNotFoundError(column, frame.columns)
    maps = [value if isinstance(value, dict) else {} for value in frame[column]]
    out = frame.copy(deep=False)
    for key in keys or sorted({key for each in maps for key in each}):
        out[f"{column}[{key}]"] = from_values(
            Column(key, (key,), "text"), [each.get(key) for each in maps], learned=False
        )
    return out


def compact(frame: pd.DataFrame) -> pd.DataFrame:
    """See `df.stripe.compact`."""
    return frame[[name for name in frame.columns if has_values(frame[name])]]


def has_values(values: pd.Series[Any]) -> bool:
    """Whether a column says anything: a value in some row, not only empty lists, objects and texts."""
    filled = values.dropna()
    if not len(filled):
        return False
    if is_object_dtype(filled.dtype) or isinstance(filled.dtype, pd.StringDtype):
        return any(len(each) if isinstance(each, (str, list, dict)) else True for each in filled)
    return True
