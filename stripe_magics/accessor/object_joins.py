"""Other objects beside a frame's rows: one row stays one row, so that sums don't double.

A field that holds an id (`customer`, `balance_transaction`, `invoice` ...) brings the columns of that object,
named as if it had been expanded:
`customer_email`, or `customer__email` where the frame has another column of that name. Objects that point at
the row (`refunds`, `disputes`) are counted and added up: `refunds_count`, `refunds_amount`. Each type is read
in the fewest requests: a page of 100 at a time from its list as long as that finds what is looked for, else
one by one; or no request is needed, where a mirror has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from stripe_magics.accessor.account_facts import same_connection
from stripe_magics.accessor.mirror_objects import MirrorObjects
from stripe_magics.accessor.object_reader import AccountObjects
from stripe_magics.accessor.object_source import ObjectSource, Reverse
from stripe_magics.accessor.units import convert
from stripe_magics.errors import ColumnNotFoundError, FrameError
from stripe_magics.frames.column_facts import money_columns
from stripe_magics.frames.frame_info import FrameInfo, add_note

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

JOINED = (
    "customer", "balance_transaction", "invoice", "charge", "payment_intent", "subscription", "price",
    "product", "payout", "refund", "dispute", "transfer", "coupon", "setup_intent", "payment_link",
)  # fmt: skip
"""Object types that can be joined."""
FIELDS = {"latest_charge": "charge", "default_price": "price", "latest_invoice": "invoice", "plan": "price"}
"""Fields that hold an id of another type than their name says."""
THROUGH = {
    ("payment_intent", "balance_transaction"): "latest_charge",
    ("refund", "customer"): "charge",
    ("dispute", "customer"): "charge",
    ("invoice", "balance_transaction"): "charge",
}
"""Objects that are one step further: a payment intent's balance transaction is that of its latest charge."""


_REFUND = frozenset({"succeeded", "pending", "requires_action"})
REVERSE = {
    ("charge", "refunds"): Reverse("refund", "charge", "charge", _REFUND),
    ("payment_intent", "refunds"): Reverse("refund", "payment_intent", "payment_intent", _REFUND),
    ("charge", "disputes"): Reverse("dispute", "charge", "charge"),
    ("payment_intent", "disputes"): Reverse("dispute", "payment_intent", "payment_intent"),
    ("customer", "charges"): Reverse("charge", "customer", "customer", frozenset({"succeeded"})),
    ("customer", "invoices"): Reverse(
        "invoice", "customer", "customer", frozenset({"paid", "open", "uncollectible"})
    ),
    ("customer", "subscriptions"): Reverse("subscription", "customer", "customer"),
    ("payout", "balance_transactions"): Reverse("balance_transaction", "payout", "payout"),
}


def join(
    frame: pd.DataFrame,
    names: Sequence[str],
    connection: Connection | None = None,
    *,
    mirror: str | Path | None = None,
) -> pd.DataFrame:
    """See `df.stripe.join`."""
    info = FrameInfo.of(frame)
    source: ObjectSource
    if mirror is not None:
        source = MirrorObjects(mirror, info)
    else:
        connection = connection or same_connection(frame, info)
        if connection is None:
            raise FrameError(
                "The frame's account isn't open, so nothing can be fetched for it.",
                advice="%stripe connect to it, then join again; or join from a mirror: mirror=FOLDER.",
            )
        source = AccountObjects(connection)
    out = frame.copy(deep=False)
    for name in names:
        out = _joined(out, name, info.object, source)
    out = _in_the_frames_units(out, frame)
    if source.notes:
        add_note(out, *source.notes)
    return out


def _in_the_frames_units(out: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Amounts come in minor units; beside amounts in major units they are converted, too. One whose currency
    isn't there stays as it is, and is known to."""
    info, own = FrameInfo.of(out), FrameInfo.of(frame).units
    if own != "major":
        return out
    added = {name: source for name, source in money_columns(out).items() if name not in frame.columns}
    info.replace(other_units=[*info.other_units, *added]).put(out)
    known = [name for name, source in added.items() if source is not None]
    return convert(out, known, own) if known else out


def _joined(frame: pd.DataFrame, name: str, kind: str, source: ObjectSource) -> pd.DataFrame:
    if (kind, name) in REVERSE:
        return _with_sums(frame, name, REVERSE[kind, name], source)
    if name not in frame.columns and (kind, name) in THROUGH:
        step = THROUGH[kind, name]
        frame = frame if f"{step}_{name}" in frame.columns else _joined(frame, step, kind, source)
        return _with_object(frame, f"{step}_{name}", name, source)
    if name not in frame.columns:
        choices = sorted(
            {
                *(key for owner, key in (*REVERSE, *THROUGH) if owner == kind),
                *(each for each in frame.columns if FIELDS.get(str(each), each) in JOINED),
            }
        )
        raise ColumnNotFoundError(
            name, choices, advice=f"Here can be joined: {', '.join(map(str, choices))}."
        )
    return _with_object(frame, name, FIELDS.get(name, name), source)


def _with_object(frame: pd.DataFrame, field: str, kind: str, source: ObjectSource) -> pd.DataFrame:
    if kind not in JOINED:
        raise FrameError(f"{field!r} can't be joined.", advice=f"Types that can be: {', '.join(JOINED)}.")
    ids = [each for each in frame[field].dropna().unique() if isinstance(each, str)]
    other = source.by_id(kind, ids)
    expanded = {
        field: kind,
        **{f"{field}_{name}": inner for name, inner in FrameInfo.of(other).expanded.items()},
    }
    other = other.drop(columns=["object"]).drop_duplicates("id").set_index("id")
    keys = frame[field]
    taken = set(frame.columns)
    names = {
        name: f"{field}_{name}" if f"{field}_{name}" not in taken else f"{field}__{name}"
        for name in other.columns
    }
    places = other.index.get_indexer(pd.Index(keys.astype(object)))
    right = other.rename(columns=names)
    found = places >= 0
    if found.all():
        right = right.take(places)
    else:
        right = right.reindex(keys.astype(object).where(keys.notna(), "")) if other.index.is_unique else right
        right = _typed(right, other.rename(columns=names))
    right.index = frame.index
    info = FrameInfo.of(frame)
    out = pd.concat([frame, right], axis=1)
    return info.replace(expanded={**info.expanded, **expanded}).put(out)


def _typed(right: pd.DataFrame, model: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers stay whole numbers where a row has none."""
    changes = {
        name: "Int64"
        for name in right.columns
        if str(model[name].dtype) == "int64" and str(right[name].dtype) != "int64"
    }
    return right.astype(changes) if changes else right


def _with_sums(frame: pd.DataFrame, name: str, rule: Reverse, source: ObjectSource) -> pd.DataFrame:
    if "id" not in frame.columns:
        raise ColumnNotFoundError("id", frame.columns)
    rows = [
        each
        for each in source.pointing(rule, list(dict.fromkeys(frame["id"].dropna())), _earliest(frame))
        if not rule.statuses or each.get("status") in rule.statuses
    ]
    by: dict[str, list[Mapping[str, Any]]] = {}
    for each in rows:
        by.setdefault(str(_id(each.get(rule.field))), []).append(each)
    own = [by.get(each, []) for each in frame["id"].astype(object)]
    out = frame.copy(deep=False)
    out[f"{name}_count"] = pd.Series([len(each) for each in own], index=frame.index, dtype="int64")
    key = rule.amount
    info = FrameInfo.of(frame)
    if key:
        amounts, currencies = [], []
        for pointing in own:
            kinds = {row.get("currency") for row in pointing}
            if len(kinds) > 1:
                raise FrameError(f"{name} of one row are in several currencies; they can't be added up.")
            amounts.append(sum(int(row.get(key) or 0) for row in pointing))
            currencies.append(next(iter(kinds), None))
        out[f"{name}_amount"] = pd.Series(amounts, index=frame.index, dtype="int64")
        currency = "currency"
        if "currency" not in frame.columns or any(
            a and c != b for a, c, b in zip(amounts, currencies, frame["currency"], strict=True)
        ):
            currency = f"{name}_currency"
            out[currency] = pd.Series(
                currencies, index=frame.index, dtype="str" if int(pd.__version__[0]) >= 3 else object
            )
        info = info.replace(money={**info.money, f"{name}_amount": currency})
    if rule.kind == "dispute":
        out[f"{name}_status"] = pd.Series(
            [each[0].get("status") if each else None for each in own],
            index=frame.index,
            dtype="str" if int(pd.__version__[0]) >= 3 else object,
        )
    return info.put(out)


def _id(value: object) -> Any:
    return value.get("id") if isinstance(value, dict) else value


def _earliest(frame: pd.DataFrame) -> int | None:
    if "created" not in frame.columns or not frame["created"].notna().any():
        return None
    return int(frame["created"].min().timestamp())
