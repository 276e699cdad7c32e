"""Monthly recurring revenue: now from subscriptions, through time from invoice lines, and what moved it.

Vendors disagree on the same rows, so every choice has a name: which discounts lower MRR (`discounts`), which churn rate (`method`). One
customer's MRR is one number per currency and month, in whole minor units; movements label its change, so that they always add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.errors import UsageFault
from stripe_magics.finance.aggregation import MissingData, ratio, require_columns, result, to_str
from stripe_magics.finance.reporting_period import Period, nanoseconds

MONTH_DAYS = 365.25 / 12
_PER_MONTH = {
    "day": Decimal(365) / 12,
    "week": Decimal(52) / 12,
    "month": Decimal(1),
    "year": Decimal(1) / 12,
}
COUNTED = ("active", "past_due")
DISCOUNTS = ("forever", "all", "none")
MOVES = ("new", "reactivation", "expansion", "contraction", "churn")
_DAY = 86_400_000_000_000


def monthly(amount: Decimal | int, interval: str, count: int = 1) -> Decimal:
    """A price per month: 1,200 a year is 100, 100 a week is 433.33, 10 a day is 304.17."""
    return Decimal(amount) * _PER_MONTH[interval] / count


def discounted(
    amount: Decimal, discount: Mapping[str, Any] | None, discounts: str, *, cycle: Decimal = Decimal(1)
) -> Decimal:
    """A monthly amount after its coupon, if such coupons count. `cycle` is the months of a billing cycle, for amounts off."""
    coupon = (discount or {}).get("coupon") or {}
    if not coupon or discounts == "none" or (discounts == "forever" and coupon.get("duration") != "forever"):
        return amount
    if coupon.get("percent_off"):
        return amount * (100 - Decimal(str(coupon["percent_off"]))) / 100
    return max(Decimal(0), amount - Decimal(coupon.get("amount_off") or 0) / cycle)


def subscription_mrr(subscriptions: pd.DataFrame, *, discounts: str = "forever") -> pd.DataFrame:
    """MRR as it is now: currency, customer, subscription, contract, discount, mrr; int64 minor units, one row a subscription.

    active and past_due count; trials, paused and metered prices don't. `discounts` that lower MRR: "forever" coupons (as Stripe), "all"
    (as ProfitWell), "none" (contract).
    """
    if discounts not in DISCOUNTS:
        raise UsageFault(f"discounts is one of {', '.join(DISCOUNTS)}, not {discounts!r}.")
    require_columns(
        subscriptions,
        ("id", "customer", "currency", "status"),
        report="subscription_mrr",
        object_type="subscription",
    )
    source = next((name for name in ("items_data", "items") if name in subscriptions.columns), None)
    if source is None:
        raise MissingData(
            "subscription_mrr needs the items of subscriptions.",
            advice="Fetch them with %stripe subscriptions list --limit all.",
        )
    rows = []
    for position, record in enumerate(subscriptions.to_dict("records")):
        if record["status"] not in COUNTED or _paused(record):
            continue
        contract, cycle = Decimal(0), Decimal(1)
        items = record[source]
        for item in (
            (items.get("data", []) if isinstance(items, dict) else items)
            if isinstance(items, list | dict)
            else []
        ):
            price = item.get("price") or item.get("plan") or {}
            recurring = price.get("recurring") or {
                "interval": price.get("interval"),
                "interval_count": price.get("interval_count", 1),
            }
            if recurring.get("usage_type") == "metered" or not recurring.get("interval"):
                continue
            unit = price.get("unit_amount_decimal") or price.get("unit_amount") or price.get("amount") or 0
            count = int(recurring.get("interval_count") or 1)
            contract += monthly(
                Decimal(str(unit)) * int(item.get("quantity") or 1), recurring["interval"], count
            )
            cycle = Decimal(count) / _PER_MONTH[recurring["interval"]]
        net = contract
        for discount in _discounts(record):
            net = discounted(net, discount, discounts, cycle=cycle)
        whole, after = int(contract.to_integral_value()), int(net.to_integral_value())
        rows.append(
            (record["currency"], record["customer"], record["id"], whole, whole - after, after, position)
        )
    columns = ["currency", "customer", "subscription", "contract", "discount", "mrr"]
    out = pd.DataFrame([row[:6] for row in rows], columns=columns).astype(
        {"contract": np.int64, "discount": np.int64, "mrr": np.int64}
    )
    return result(out, "subscription_mrr", [subscriptions], discounts=discounts)


def _paused(record: Mapping[Any, Any]) -> bool:
    return isinstance(record.get("pause_collection_behavior"), str) or isinstance(
        record.get("pause_collection"), dict
    )


def _discounts(record: Mapping[Any, Any]) -> list[Mapping[str, Any]]:
    """The discounts of a subscription record: the object, the flattened columns, or the list."""
    if isinstance(record.get("discount"), dict):
        return [record["discount"]]
    coupon = {
        name: record[f"discount_coupon_{name}"]
        for name in ("percent_off", "amount_off", "duration")
        if f"discount_coupon_{name}" in record and pd.notna(record[f"discount_coupon_{name}"])
    }
    if coupon:
        return [{"coupon": coupon}]
    many = record.get("discounts")
    return [each for each in many if isinstance(each, dict)] if isinstance(many, list) else []


def invoice_lines(invoices: pd.DataFrame) -> pd.DataFrame:
    """The lines of finalised, living invoices, both shapes (before and since 2025-03-31) in the same columns.

    customer, currency, invoice, line, amount (without tax), discount, start, end (datetime64[us, UTC]), recurring, proration.
    """
    source = next((name for name in ("lines_data", "lines") if name in invoices.columns), None)
    if source is None:
        raise MissingData(
            "The MRR report needs invoice line items.",
            advice="Fetch them with %stripe invoices search --limit all.",
        )
    rows = []
    for customer, currency, invoice, status, lines in zip(
        invoices["customer"],
        invoices["currency"],
        invoices["id"],
        to_str(invoices["status"]),
        invoices[source],
        strict=True,
    ):
        if status not in {"open", "paid"}:
            continue
        for line in (
            (lines.get("data", []) if isinstance(lines, dict) else lines)
            if isinstance(lines, list | dict)
            else []
        ):
            parent = line.get("parent") or {}
            details = parent.get("subscription_item_details") or {}
            off = sum(int(each["amount"]) for each in line.get("discount_amounts") or [])
            recurring = bool(line.get("subscription") or line.get("subscription_item") or details)
            span = line.get("period") or {}
            taxes = [*(line.get("tax_amounts") or []), *(line.get("taxes") or [])]
            inside = sum(
                int(each["amount"])
                for each in taxes
                if each.get("inclusive") or each.get("tax_behavior") == "inclusive"
            )
            proration = bool(line.get("proration") or details.get("proration"))
            amount = int(line["amount"]) - inside
            rows.append(
                (
                    customer,
                    str(currency),
                    invoice,
                    line["id"],
                    amount,
                    off,
                    span.get("start"),
                    span.get("end"),
                    recurring,
                    proration,
                )
            )
    columns = [
        "customer",
        "currency",
        "invoice",
        "line",
        "amount",
        "discount",
        "start",
        "end",
        "recurring",
        "proration",
    ]
    out = pd.DataFrame(rows, columns=columns).astype({"amount": np.int64, "discount": np.int64})
    for name in ("start", "end"):
        out[name] = pd.to_datetime(out[name], unit="s", utc=True).astype("datetime64[us, UTC]")
    return out


def monthly_revenue(lines: pd.DataFrame, span: Period, *, discounts: str = "all") -> pd.DataFrame:
    """Each customer's MRR at the end of each month: index (currency, customer), one column a month (PeriodIndex), int64 minor units.

    A line counts in a month if its period holds the month's last instant. Its amount is spread over its length in months; periods shorter
    than a month are scaled up to one.
    """
    months = span.cut("MS")
    kept = lines[
        lines["recurring"] & ~lines["proration"] & lines["start"].notna() & (lines["end"] > lines["start"])
    ]
    start, end = nanoseconds(kept["start"]), nanoseconds(kept["end"])
    days = (end - start) / _DAY
    length = np.where(days >= 27, np.maximum(1, np.round(days / 30.4375)), days / 30.4375)
    amount = kept["amount"].to_numpy() - (kept["discount"].to_numpy() if discounts == "all" else 0)
    value = amount / length
    ends = [
        (month + pd.DateOffset(months=1)).tz_localize(span.zone).tz_convert("UTC").value - 1000
        for month in months
    ]
    keys = [to_str(kept["currency"]), to_str(kept["customer"])]
    table = {}
    for month, instant in zip(months.to_period("M"), ends, strict=True):
        live = (start <= instant) & (instant < end)
        table[month] = pd.Series(np.where(live, value, 0.0), index=kept.index).groupby(keys).sum()
    out = pd.DataFrame(table).round().fillna(0).astype(np.int64)
    out.index = (
        out.index.set_names(["currency", "customer"])
        if len(out)
        else pd.MultiIndex.from_arrays([[], []], names=["currency", "customer"])
    )
    out.columns = pd.PeriodIndex(out.columns, freq="M")
    return out


def movements(revenue: pd.DataFrame) -> pd.DataFrame:
    """What changed, customer by customer: currency, customer, month, label, change, mrr. One row a change.

    new: first MRR ever; reactivation: back from 0; expansion, contraction: up, down; churn: gone to 0. `revenue` is monthly_revenue's
    shape; its first month counts as new for everyone in it.
    """
    values = revenue.to_numpy()
    before = (
        np.hstack([np.zeros((len(values), 1), dtype=np.int64), values[:, :-1]]) if values.size else values
    )
    change = values - before
    had = np.cumsum(before > 0, axis=1) > 0
    up, down = change > 0, change < 0
    label = np.select(
        [up & ~had, up & (before <= 0), up, down & (values <= 0), down],
        ["new", "reactivation", "expansion", "churn", "contraction"],
        default="",
    )
    row, column = np.nonzero(change)
    out = pd.DataFrame(
        {
            "currency": revenue.index.get_level_values("currency")[row],
            "customer": revenue.index.get_level_values("customer")[row],
            "month": revenue.columns[column],
            "label": label[row, column],
            "change": change[row, column],
            "mrr": values[row, column],
        }
    )
    return out.sort_values(["currency", "month", "customer"], kind="stable").reset_index(drop=True)


def roll_forward(revenue: pd.DataFrame) -> pd.DataFrame:
    """Start + movements = end, by currency and month: currency, month, start, new, reactivation, expansion, contraction, churn, end, residual."""
    moves = movements(revenue)
    totals = (
        revenue.groupby(level="currency").sum().T if len(revenue) else pd.DataFrame(index=revenue.columns)
    )
    rows = []
    for currency in totals.columns:
        mine = moves[moves["currency"] == currency]
        wide = (
            mine.pivot_table(index="month", columns="label", values="change", aggfunc="sum", fill_value=0)
            if len(mine)
            else pd.DataFrame()
        )
        wide = wide.reindex(index=totals.index, columns=list(MOVES), fill_value=0).fillna(0).astype(np.int64)
        end = totals[currency].astype(np.int64)
        start = end.shift(1, fill_value=0)
        table = pd.concat([start.rename("start"), wide, end.rename("end")], axis=1)
        table["residual"] = table["end"] - table["start"] - wide.sum(axis=1)
        rows.append(table.rename_axis("month").reset_index().assign(currency=currency))
    columns = ["currency", "month", "start", *MOVES, "end", "residual"]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)


def _whole_history(invoices: pd.DataFrame, span: Period, discounts: str) -> pd.DataFrame:
    """Revenue by month from the first line on: who is new, and who came back, is seen from the beginning only."""
    lines = invoice_lines(invoices)
    first = lines["start"].min() if len(lines) else span.start
    return monthly_revenue(lines, Period(min(first, span.start), span.end, span.zone), discounts=discounts)


def _inside(table: pd.DataFrame, span: Period) -> pd.DataFrame:
    """The rows of the period's own months."""
    return table[table["month"].isin(span.cut("MS").to_period("M"))] if len(table) else table


def mrr(invoices: pd.DataFrame, span: Period, *, discounts: str = "all") -> pd.DataFrame:
    """MRR month by month out of invoice lines: currency, month, start, new, reactivation, expansion, contraction, churn, end, residual.

    Only months that are closed in `span` are shown. Recurring lines without prorations and usage, after discounts unless
    `discounts="none"`.
    """
    moved = _inside(roll_forward(_whole_history(invoices, span, discounts)), span)
    return result(
        moved, "mrr", [invoices], period=span, discounts=discounts, method="invoice lines, month-end snapshot"
    )


def mrr_customers(invoices: pd.DataFrame, span: Period, *, discounts: str = "all") -> pd.DataFrame:
    """Customer counts month by month: currency, month, start, joined, returned, churned, end."""
    revenue = _whole_history(invoices, span, discounts)
    moves = movements(revenue)
    rows = []
    for currency, table in revenue.groupby(level="currency"):
        end = (table > 0).sum()
        counts = moves[moves["currency"] == currency].pivot_table(
            index="month", columns="label", values="change", aggfunc="size", fill_value=0
        )
        counts = (
            counts.reindex(index=revenue.columns, columns=["new", "reactivation", "churn"], fill_value=0)
            .fillna(0)
            .astype(np.int64)
        )
        rows.append(
            pd.DataFrame(
                {
                    "currency": currency,
                    "month": revenue.columns,
                    "start": end.shift(1, fill_value=0).to_numpy(),
                    "joined": counts["new"].to_numpy(),
                    "returned": counts["reactivation"].to_numpy(),
                    "churned": counts["churn"].to_numpy(),
                    "end": end.to_numpy(),
                }
            )
        )
    columns = ["currency", "month", "start", "joined", "returned", "churned", "end"]
    out = _inside(pd.concat(rows) if rows else pd.DataFrame(columns=columns), span)
    return result(out, "mrr_customers", [invoices], period=span, counts=["start", "returned", "end"])


def mrr_rates(moves: pd.DataFrame, *, method: str = "chartmogul") -> pd.DataFrame:
    """Rates of each month, as fractions: currency, month, gross_churn, net_churn, grr, nrr, quick_ratio, method.

    gross = (churn + contraction) / start; net takes expansion and (chartmogul) reactivation off. The quick ratio counts reactivation as
    gained in `method="tidemill"`, not in "chartmogul" and "baremetrics".
    """
    methods = ("chartmogul", "baremetrics", "tidemill")
    if method not in methods:
        raise UsageFault(f"mrr_rates has the methods {', '.join(methods)}, not {method!r}.")
    frame = require_columns(
        moves, ("currency", "month", "start", *MOVES), report="mrr_rates", object_type="mrr"
    )
    lost = -(frame["churn"] + frame["contraction"])
    back = frame["reactivation"] if method == "chartmogul" else 0
    gained = frame["new"] + frame["expansion"] + (frame["reactivation"] if method == "tidemill" else 0)
    out = frame[["currency", "month"]].copy()
    out["gross_churn"] = ratio(lost, frame["start"])
    out["net_churn"] = ratio(lost - frame["expansion"] - back, frame["start"])
    out["grr"] = 1 - out["gross_churn"]
    out["nrr"] = 1 - ratio(lost - frame["expansion"], frame["start"])
    out["quick_ratio"] = ratio(gained, lost)
    out["method"] = method
    return result(out, "mrr_rates", [moves], method=method)


def churn_rate_of(
    start: int, new: int, churned: int, *, method: str = "baremetrics", living: int | None = None
) -> float:
    """Customer churn as vendors define it: over the start (baremetrics, chartmogul), start + new (stripe), churned + living (dlt)."""
    below = {
        "baremetrics": start,
        "chartmogul": start,
        "stripe": start + new,
        "dlt": churned + (start + new - churned if living is None else living),
    }
    if method not in below:
        raise UsageFault(f"Customer churn has the methods {', '.join(below)}, not {method!r}.")
    return churned / below[method] if below[method] else float("nan")
