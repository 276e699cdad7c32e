"""`sm.model(name)`: tables that analysts build again and again, one row a thing, as Sigma's examples and
dbt_stripe's models have them.

- payments, one row a charge: id, created, amount, currency, status, customer and its name and e-mail,
  payment_intent, card, fee, net, settlement currency, refunds, disputes, invoice, plan, description
- subscriptions, one row a subscription item: subscription, customer, status, product and price, unit amount,
  interval, quantity, monthly amount, started, ended
- revenue, one row a day, currency and category of the balance: gross, fee, net

Amounts are int64 minor units. `fee` and `net` are in `settlement_currency`, refunds and disputes in
`currency`.
Sources: github.com/fivetran/dbt_stripe (stripe__balance_transactions, stripe__subscription_details),
docs.stripe.com/stripe-data/schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

import pandas as pd

from stripe_magics import dates
from stripe_magics._form_encoding import describe_missing, plain
from stripe_magics._text import closest_matches
from stripe_magics.accessor.list_columns import explode
from stripe_magics.accessor.object_joins import join
from stripe_magics.accessor.time_columns import local_day
from stripe_magics.errors import InvalidValue, UnknownName, UsageFault
from stripe_magics.frames import build
from stripe_magics.frames.frame_info import CallInfo, FrameInfo
from stripe_magics.frames.pandas_columns import text_dtype
from stripe_magics.request import Request
from stripe_magics.request.list_plan import row_count

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection


def model(
    name: str,
    *,
    start: object = None,
    end: object = None,
    limit: int | str | None = None,
    connection: Connection | None = None,
) -> pd.DataFrame:
    """A table of the account, by `name`: "payments", "subscriptions" or "revenue". See the module for the
    columns.

    `start` and `end` bound `created`: a date, a month, a time, `yesterday`; a day or a month given as an end
    is part of it. `limit` bounds the rows that are read (None or "all": all).
    Raises `UnknownName` for another table, `UsageFault` for a time that can't be read or an end before the
    start, `InvalidValue` for the limit, the `StripeError` of a list that can't be read.

        >>> sm.model("payments", start="2026-09-01").groupby("currency")["net"].sum()  # doctest: +SKIP
    """
    from stripe_magics.client.shared_connection import current

    if name not in MODELS:
        raise UnknownName(
            "model", name, closest_matches(name, list(MODELS)), advice=f"There are: {', '.join(MODELS)}."
        )
    connection = connection or current()
    try:
        rows = None if limit is None else row_count(limit)
    except InvalidValue as fault:
        raise fault.in_keywords() from None
    bounds = _bounds(connection, start, end)
    return MODELS[name](connection, bounds, rows)


def _bounds(connection: Connection, start: object, end: object) -> tuple[tuple[str, str], ...]:
    first = None if start is None else _seconds(connection, start)[0]
    after = None if end is None else _seconds(connection, end)[1]
    if first is not None and after is not None and after <= first:
        raise UsageFault(f"The period ends ({end}) before it starts ({start}).")
    bounds = {"created[gte]": first, "created[lt]": after}
    return tuple((key, str(value)) for key, value in bounds.items() if value is not None)


def _seconds(connection: Connection, value: object) -> tuple[int, int]:
    """When a day or a month begins and ends; an instant twice. One without a zone is the connection's."""
    if isinstance(value, pd.Period):
        value = str(value)
    if plain(value) is None:
        raise UsageFault(f"A date is missing ({describe_missing(value)}); leave it out for all.")
    value = plain(value)
    if isinstance(value, datetime) and value.tzinfo is None:  # at midnight it is pandas' way to write a day
        value = value.date() if value.time() == time() else value.replace(tzinfo=connection.zone)
    try:
        return dates.span(value, connection.zone, datetime.fromtimestamp(connection.stripe_time(), UTC))
    except ValueError as fault:
        raise UsageFault(f"A bound of the table: {fault}.") from None


def read_list(
    connection: Connection,
    path: str,
    kind: str,
    params: tuple[tuple[str, str], ...],
    limit: int | None = None,
) -> pd.DataFrame:
    """A list as a frame, read to its end (or to `limit` rows)."""
    from stripe_magics.client.pagination.paginator import pages

    request = Request(module="get", method="GET", path=path, params=params, lists=True, limit=limit)
    more = False

    def bodies() -> Any:
        nonlocal more
        for answer in pages(connection, request, ordered=True):
            yield answer.body
            more = answer.has_more

    frame = build(bodies(), kind, limit=limit)
    info = FrameInfo.of(frame).replace(
        account=connection.account, mode=connection.mode, livemode=connection.live,
        api_version=connection.api_version,
        zone=str(connection.zone), units="minor", complete=not more,
    )  # fmt: skip
    notes = [f"Only {len(frame):,} rows were read; there are more."] if more else []
    return info.put(frame, CallInfo(rows=len(frame), notes=notes))


def _payments(connection: Connection, bounds: Any, limit: int | None) -> pd.DataFrame:
    params = (
        ("expand[]", "data.balance_transaction"),
        ("expand[]", "data.customer"),
        ("expand[]", "data.invoice"),
        *bounds,
    )
    charges = read_list(connection, "/v1/charges", "charge", params, limit)
    if len(charges):
        charges = join(charges, ["refunds", "disputes"], connection)
    charges = charges.assign(plan=_plans(charges))
    names = {
        "id": "id", "created": "created", "amount": "amount", "currency": "currency", "status": "status",
        "customer": "customer", "customer_name": "customer_name", "customer_email": "customer_email",
        "payment_intent": "payment_intent", "payment_type": "payment_method_details_type",
        "card_brand": "payment_method_details_card_brand", "card_last4": "payment_method_details_card_last4",
        "card_country": "payment_method_details_card_country", "fee": "balance_transaction_fee",
        "net": "balance_transaction_net", "settlement_currency": "balance_transaction_currency",
        "available_on": "balance_transaction_available_on", "refunds_count": "refunds_count",
        "refunds_amount": "refunds_amount", "disputes_count": "disputes_count",
        "disputes_amount": "disputes_amount", "disputes_status": "disputes_status", "invoice": "invoice",
        "invoice_number": "invoice_number", "plan": "plan", "failure_code": "failure_code",
        "description": "description",
    }  # fmt: skip
    model_columns = {"fee": "Int64", "net": "Int64", "available_on": "datetime64[us, UTC]",
                     "refunds_count": "int64",
                     "refunds_amount": "int64", "disputes_count": "int64",
                     "disputes_amount": "int64"}  # fmt: skip
    out = pd.DataFrame(
        {
            name: (
                charges[column]
                if column in charges.columns
                else pd.Series(index=charges.index, dtype=_dtype(model_columns.get(name, "str")))
            )
            for name, column in names.items()
        }
    )
    for name in ("fee", "net"):
        out[name] = out[name].astype("Int64")
    info = FrameInfo.of(charges).replace(
        object="model.payments", expanded={},
        amounts=["amount", "fee", "net", "refunds_amount", "disputes_amount"],
        money={"fee": "settlement_currency", "net": "settlement_currency"},
    )  # fmt: skip
    return info.put(out, CallInfo(module="model payments", rows=len(out)))


def _plans(charges: pd.DataFrame) -> pd.Series[Any]:
    """What each payment is for: the names of the prices (their ids, where they have none) on the subscription
    lines of its invoice, "; " between them."""
    lists = charges.get("invoice_lines", pd.Series(index=charges.index, dtype=object))
    names = [
        "; ".join(dict.fromkeys(filter(None, map(_plan_of, lines)))) if isinstance(lines, list) else ""
        for lines in lists
    ]
    return pd.Series([name or None for name in names], index=charges.index, dtype=_dtype("str"))


def _plan_of(line: Mapping[str, Any]) -> str:
    """The name of the price of an invoice's line, in the shape of any version; "" for a line that is no
    subscription's."""
    parent = line.get("parent") or {}
    if "subscription" not in {line.get("type"), str(parent.get("type", "")).removesuffix("_item_details")}:
        return ""
    price = line.get("price") or line.get("plan") or {}
    details = (line.get("pricing") or {}).get("price_details") or {}
    return str(price.get("nickname") or price.get("id") or details.get("price") or "")


def _dtype(name: str) -> Any:
    return text_dtype() if name == "str" else name


_A_MONTH = {"day": 365 / 12, "week": 52 / 12, "month": 1.0, "year": 1 / 12}


def _subscriptions(connection: Connection, bounds: Any, limit: int | None) -> pd.DataFrame:
    subscriptions = read_list(
        connection, "/v1/subscriptions", "subscription", (("status", "all"), *bounds), limit
    )
    keep = [
        name
        for name in ("status", "customer", "created", "canceled_at", "ended_at", "cancel_at_period_end")
        if name in subscriptions
    ]
    items = explode(subscriptions, "items", keep)
    price = {
        name: (
            items[f"price_{name}"]
            if f"price_{name}" in items.columns
            else pd.Series(index=items.index, dtype=_dtype("str"))
        )
        for name in ("product", "nickname", "unit_amount", "recurring_interval", "recurring_interval_count")
    }
    interval = price["recurring_interval"].astype(object).map(_A_MONTH).astype(float)
    count = pd.to_numeric(price["recurring_interval_count"]).astype(float)
    monthly = (
        pd.to_numeric(price["unit_amount"]).astype(float)
        * pd.to_numeric(items["quantity"]).fillna(1).astype(float)
        * interval
        / count
    )
    out = pd.DataFrame(
        {
            "subscription": items["subscription_id"],
            **{name: items[f"subscription_{name}"] for name in keep}, "item": items["id"],
            "product": price["product"], "plan_name": price["nickname"], "unit_amount": price["unit_amount"],
            "currency": items["price_currency"] if "price_currency" in items else items.get("currency"),
            "interval": price["recurring_interval"], "interval_count": price["recurring_interval_count"],
            "quantity": items["quantity"], "monthly_amount": monthly.round().astype("Int64"),
        }
    )  # fmt: skip
    info = FrameInfo.of(subscriptions).replace(
        object="model.subscriptions", expanded={}, amounts=["unit_amount", "monthly_amount"]
    )
    return info.put(out, CallInfo(module="model subscriptions", rows=len(out)))


def _revenue(connection: Connection, bounds: Any, limit: int | None) -> pd.DataFrame:
    entries = read_list(connection, "/v1/balance_transactions", "balance_transaction", bounds, limit)
    days = local_day(entries, "created", None).rename("day")
    keys = [days, entries["currency"], entries["reporting_category"].rename("category")]
    sums = (
        entries[["amount", "fee", "net"]]
        .groupby(keys)
        .sum()
        .reset_index()
        .rename(columns={"amount": "gross"})
    )
    info = FrameInfo.of(entries).replace(object="model.revenue", amounts=["gross", "fee", "net"])
    return info.put(sums, CallInfo(module="model revenue", rows=len(sums)))


MODELS: Mapping[str, Callable[[Any, Any, int | None], pd.DataFrame]] = {
    "payments": _payments,
    "subscriptions": _subscriptions,
    "revenue": _revenue,
}
