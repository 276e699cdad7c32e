"""A picture of a report: labelled, in major units, one panel a currency, in colours that colour-blind people
can tell apart.

Drawn with matplotlib (the extra `plot`): PNGs in the notebook, which stay visible wherever it is shown. A
plain list is drawn by day: payments by their status, refunds by their reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.accessor import accessor_extensions
from stripe_magics.errors import StripeMagicsError
from stripe_magics.finance.aggregation import text_column, to_int64, to_str
from stripe_magics.finance.plot_parts import (
    COLOURS,
    dates,
    finish,
    grid,
    legend,
    major,
    moment,
    number,
    panels,
    percent,
    stacked,
    waterfall,
    whole_numbers,
    words,
)
from stripe_magics.finance.receivables import BUCKETS
from stripe_magics.frames.frame_info import facts_of

LONGEST = 92  # days that are drawn one by one; more are drawn by month
SHOWN = 7  # kinds that have a colour of their own; the rest is one


def plot(report: pd.DataFrame) -> Any:
    """The picture of a report frame, or of a list (by day and status): a matplotlib figure.

    Raises `StripeMagicsError` for a report that has none, and for a frame without rows.
    """
    name = facts_of(report).get("report", "")
    plain = not name and {"created", "amount", "currency"} <= set(report.columns)
    draw = _over_time if plain else PLOTS.get(name)
    if draw is None:
        raise StripeMagicsError(
            f"There is no picture for {name or 'this frame'}.",
            advice=f"Reports with one: {', '.join(sorted(PLOTS))}.",
        )
    if report.empty:
        raise StripeMagicsError(f"{name or 'The frame'} has no rows to draw.", advice="Widen the period.")
    return draw(report)


# Lists ------------------------------------------------------------------------------------------------------
def _over_time(frame: pd.DataFrame) -> Any:
    """A list of objects: its amounts by day, and by what became of them."""
    about = facts_of(frame)
    kind, zone = str(about.get("object") or ""), str(about.get("zone", "UTC"))
    column = "reason" if kind == "refund" else "status"
    table = pd.DataFrame(
        {
            "currency": to_str(frame["currency"]),
            "date": frame["created"].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize(),
            "what": text_column(frame, column).replace("", f"no {column}"),
            "amount": to_int64(frame["amount"]),
        }
    )
    several = column in frame.columns
    table.attrs = frame.attrs
    monthly = table["date"].max() - table["date"].min() > pd.Timedelta(days=LONGEST)
    if monthly:
        table["date"] = table["date"].dt.to_period("M").dt.to_timestamp()
    by = ("month" if monthly else "day") + (f" and {column}" if several else "")
    title = f"{words(kind or 'amount').capitalize()}s by {by}"
    kinds = table["what"].value_counts().index  # the same colours in every panel
    figure, rows = panels(table, title)
    for currency, mine, axis in rows:
        daily = mine.pivot_table(index="date", columns="what", values="amount", aggfunc="sum", fill_value=0)
        order = [each for each in kinds if each in daily.columns]
        shown = daily[order[:SHOWN]]
        if len(order) > SHOWN:
            shown = shown.assign(others=daily[order[SHOWN:]].sum(axis=1))
        amounts = major(shown, currency)
        if several:
            series = {str(name): amounts[name] for name in amounts.columns}
            stacked(axis, amounts.index, series, width=25 if monthly else 0.85)
            legend(axis)
        else:
            stacked(axis, amounts.index, {"": amounts.sum(axis=1)}, width=25 if monthly else 0.85)
        dates(axis)
        finish(axis, currency)
    return figure


# The ledger -------------------------------------------------------------------------------------------------
def _bridge(report: pd.DataFrame) -> Any:
    figure, rows = panels(report, "Balance: start, activity, payouts, end")
    for currency, mine, axis in rows:
        row = mine.iloc[0]
        waterfall(
            axis, {name: float(row[name]) for name in ("start", "activity", "payouts")}, currency, last="end"
        )
        finish(axis, currency)
    return figure


def _daily(report: pd.DataFrame) -> Any:
    figure, rows = panels(report, "Balance and what moved it, by day")
    for currency, mine, axis in rows:
        table = major(mine.set_index("date")[["net", "payouts", "closing"]], currency)
        axis.bar(table.index, table["net"], color=COLOURS[0], label="net activity", width=0.9)
        axis.bar(table.index, table["payouts"], color=COLOURS[1], label="payouts", width=0.9)
        axis.plot(table.index, table["closing"], color=COLOURS[3], label="closing balance")
        legend(axis)
        dates(axis)
        finish(axis, currency)
    return figure


def _volume(report: pd.DataFrame) -> Any:
    figure, rows = panels(report, "From gross to net volume")
    for currency, mine, axis in rows:
        row = mine.iloc[0]
        steps = {
            name: float(row[name])
            for name in ("gross", "refunds", "disputes", "fees", "transfers", "other")
            if row[name]
        }
        waterfall(axis, steps, currency, last="net")
        finish(axis, currency)
    return figure


def _activity(report: pd.DataFrame) -> Any:
    figure, rows = panels(report, "What moved the balance, by category")
    for currency, mine, axis in rows:
        named = mine.set_index(mine["reporting_category"].map(words))[["gross", "net"]]
        major(named, currency).plot.bar(ax=axis, color=list(COLOURS), rot=20)
        legend(axis)
        finish(axis, currency)
    return figure


def _cash(report: pd.DataFrame) -> Any:
    figure, rows = panels(report, "Cash expected")
    for currency, mine, axis in rows:
        amounts = major(mine[["pending", "expected_invoices", "cumulative"]], currency)
        places = range(len(mine))
        stacked(axis, places, {name: amounts[name] for name in ("pending", "expected_invoices")})
        axis.plot(places, amounts["cumulative"].to_numpy(), color=COLOURS[3], marker=".", label="cumulative")
        days = [moment(each, "%d %b") for each in mine["date"]]
        axis.set_xticks(places, days, rotation=45)
        legend(axis)
        finish(axis, currency)
    return figure


# Customers and payments -------------------------------------------------------------------------------------
def _ageing(report: pd.DataFrame) -> Any:
    figure, rows = panels(report, "Open invoices by age (largest customers)")
    for currency, mine, axis in rows:
        named = "customer_name" in mine.columns and mine["customer_name"].ne("").all()
        who = "invoice" if "invoice" in mine.columns else "customer_name" if named else "customer"
        largest = mine.sort_values("total", ascending=False, kind="stable").head(15)
        largest = largest[largest["total"] > 0] if (largest["total"] > 0).any() else largest.head(1)
        amounts = major(largest[list(BUCKETS)], currency)
        stacked(axis, range(len(largest)), {name: amounts[name] for name in BUCKETS})
        axis.set_xticks(range(len(largest)), list(map(str, largest[who])), rotation=40, ha="right")
        legend(axis)
        finish(axis, currency)
    return figure


def _declines(report: pd.DataFrame) -> Any:
    figure, rows = panels(report, "Payments whose first attempt failed, by reason")
    for currency, mine, axis in rows:
        counts = {"recovered": mine["recovered"], "not recovered": mine["failures"] - mine["recovered"]}
        stacked(axis, range(len(mine)), counts, (COLOURS[2], COLOURS[3]))
        axis.set_xticks(range(len(mine)), [words(each) for each in mine["reason"]], rotation=25, ha="right")
        legend(axis)
        finish(axis, currency, unit=f"payments ({currency.upper()})")
        whole_numbers(axis)
    return figure


def _disputes(report: pd.DataFrame) -> Any:
    """How they ended, by when they came (activity) and by when their payments were made (cohort)."""
    figure, rows = panels(report, "Disputes over payments: won, lost, open")
    for currency, mine, axis in rows:
        ends = {name: mine[name] for name in ("won", "lost", "open", "closed")}
        stacked(axis, range(len(mine)), ends, (COLOURS[2], COLOURS[3], COLOURS[1], COLOURS[7]))
        labels = {"activity": "disputes of the period", "cohort": "of payments of the period"}
        axis.set_xticks(range(len(mine)), [labels.get(each, each) for each in mine["basis"]])
        for place, (count, rate) in enumerate(zip(mine["disputes"], mine["rate_count"], strict=True)):
            said = "no payments" if pd.isna(rate) else number(f"{rate:.2%}")
            axis.annotate(said, (place, count), ha="center", va="bottom", fontsize="small")
        legend(axis)
        finish(axis, currency, unit=f"disputes ({currency.upper()})")
        whole_numbers(axis)
    return figure


# Subscriptions and revenue ----------------------------------------------------------------------------------
def _mrr(report: pd.DataFrame) -> Any:
    """MRR month by month, if it is more than one, and beside it what moved it."""
    several = len(report["month"].unique()) > 1
    title = "MRR by month, and what moved it" if several else "MRR: start, movements, end"
    figure, rows = grid(report, title, 1 + several)
    for currency, mine, axes in rows:
        ordered = mine.sort_values("month")
        if several:
            places = range(len(ordered))
            axes[0].bar(places, major(ordered[["end"]], currency)["end"], color=COLOURS[0], width=0.85)
            _months(axes[0], ordered["month"])
            finish(axes[0], currency)
        moved = {
            name: float(ordered[name].sum())
            for name in ("new", "reactivation", "expansion", "contraction", "churn")
        }
        steps = {f"start {ordered['month'].iloc[0]}": float(ordered["start"].iloc[0]), **moved}
        steps = {name: value for name, value in steps.items() if value}
        waterfall(axes[-1], steps, currency, last=f"end {ordered['month'].iloc[-1]}")
        finish(axes[-1], currency)
    return figure


def _months(axis: Any, months: Any) -> None:
    names = [moment(each.to_timestamp(), "%b %Y") for each in months]
    every = max(1, len(names) // 12)
    axis.set_xticks(range(0, len(names), every), names[::every], rotation=40, ha="right")


def _retention(report: pd.DataFrame) -> Any:
    """Net and gross revenue retention and customers kept, of each month and of twelve months."""
    from matplotlib.ticker import FuncFormatter

    lines = {
        "nrr": ("net revenue retention", COLOURS[0], "-"),
        "grr": ("gross revenue retention", COLOURS[2], "-"),
        "ttm_nrr": ("net, 12 months", COLOURS[0], "--"),
        "ttm_grr": ("gross, 12 months", COLOURS[2], "--"),
        "ttm_logo_churn": ("customers kept, 12 months", COLOURS[1], ":"),
    }
    figure, rows = panels(report, "Revenue kept, and customers kept")
    for currency, mine, axis in rows:
        ordered = mine.sort_values("month")
        for name, (label, colour, style) in lines.items():
            values = ordered[name].astype(float).to_numpy()
            kept = 1 - values if name.endswith("churn") else values
            if not np.isnan(kept).all():
                axis.plot(range(len(kept)), kept, color=colour, linestyle=style, marker=".", label=label)
        _months(axis, ordered["month"])
        axis.axhline(1, color=axis.xaxis.label.get_color(), linewidth=0.8)
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
        axis.set_ylabel(currency.upper())
        axis.grid(axis="y", alpha=0.3)
        legend(axis)
    return figure


def _cohorts(report: pd.DataFrame) -> Any:
    """The share of customers that is still there; beside it that of their revenue, where it is known."""
    shares = {"retention": "customers kept"}
    if "revenue_retention" in report.columns:
        shares["revenue_retention"] = "revenue kept"
    title = str(facts_of(report).get("title") or "Customers still there, by month")
    figure, rows = grid(report, title, len(shares))
    for currency, mine, axes in rows:
        for axis, (column, label) in zip(axes, shares.items(), strict=True):
            table = mine.pivot_table(index="cohort", columns="age", values=column, observed=True).sort_index()
            _heat_map(figure, axis, table, f"{label} ({currency.upper()})")
    height = max(4.0, 0.22 * len(report["cohort"].unique()) + 1.5)
    figure.set_size_inches(10 * len(shares), height * len(rows))
    return figure


def _heat_map(figure: Any, axis: Any, table: pd.DataFrame, label: str) -> None:
    values = table.to_numpy(dtype=float)
    most = float(np.clip(np.nanmax(values), 1, 2)) if values.size else 1.0
    image = axis.imshow(values, aspect="auto", cmap="cividis", vmin=0, vmax=most)
    axis.set_yticks(range(len(table)), [str(each) for each in table.index], fontsize="x-small")
    axis.set_xticks(range(len(table.columns)), [str(each) for each in table.columns], fontsize="x-small")
    axis.set_xlabel("months since the first")
    for y, x in zip(*np.nonzero(~np.isnan(values)), strict=True):
        colour = "white" if values[y, x] < 0.6 * most else "black"
        axis.text(x, y, percent(values[y, x]), ha="center", va="center", fontsize=5, color=colour)
    figure.colorbar(image, ax=axis, label=label).ax.yaxis.set_major_formatter(lambda each, _: percent(each))


def _deferred(report: pd.DataFrame) -> Any:
    figure, rows = panels(report, "Deferred revenue: billed, earned, taken back, left")
    for currency, mine, axis in rows:
        ordered = mine.sort_values("month")
        amounts = major(ordered[["billed", "recognised", "credited", "written_off", "closing"]], currency)
        places = range(len(ordered))
        signed = {"billed": amounts["billed"]}
        signed |= {name: -amounts[name] for name in ("recognised", "credited", "written_off")}
        stacked(axis, places, signed)
        axis.plot(places, amounts["closing"].to_numpy(), color=COLOURS[4], marker=".", label="closing")
        _months(axis, ordered["month"])
        legend(axis)
        finish(axis, currency)
    return figure


PLOTS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "balance_activity": _activity,
    "balance_summary": _bridge,
    "daily_balance": _daily,
    "volume": _volume,
    "mrr": _mrr,
    "mrr_rates": _retention,
    "cohorts": _cohorts,
    "ar_ageing": _ageing,
    "failed_payments": _declines,
    "dispute_rate": _disputes,
    "deferred_revenue": _deferred,
    "cash_forecast": _cash,
}

accessor_extensions["plot"] = plot
