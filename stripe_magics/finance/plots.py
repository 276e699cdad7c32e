"""A picture of a report: labelled, in major units, one panel a currency, in colours that colour-blind people
can tell apart.

Bars and lines go through pandas' plotting, so that the user's `pandas.options.plotting.backend` counts; heat
maps need matplotlib itself (the extra `plot`). Pictures are PNGs in the notebook and stay visible wherever
the notebook is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from stripe_magics import _locale
from stripe_magics.accessor import accessor_extensions
from stripe_magics.errors import StripeMagicsError
from stripe_magics.finance.aggregation import to_int64, to_str
from stripe_magics.finance.receivables import BUCKETS
from stripe_magics.money import exponent

COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#F0E442",
    "#555555",
)  # Okabe and Ito's


def plot(report: pd.DataFrame) -> Any:
    """The picture of a report frame: a matplotlib figure (or what the chosen pandas backend gives)."""
    name = report.attrs.get("stripe", {}).get("report", "")
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


def _over_time(frame: pd.DataFrame) -> Any:
    """A list of objects: its amounts by day."""
    about = frame.attrs.get("stripe", {})
    zone = str(about.get("zone", "UTC"))
    days = frame["created"].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    table = (
        to_int64(frame["amount"])
        .groupby([to_str(frame["currency"]).rename("currency"), days.rename("date")])
        .sum()
        .reset_index()
    )
    table.attrs = frame.attrs
    figure, panels = _panels(table, f"{about.get('object') or 'Amounts'} by day".replace("_", " "))
    for currency, rows, axis in panels:
        axis.bar(rows["date"], _major(rows[["amount"]], currency)["amount"], color=COLOURS[0], width=0.9)
        _dates(axis)
        _finish(axis, currency)
    return figure


def _matplotlib() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise StripeMagicsError(
            "Plots need matplotlib.", advice="Install it with: pip install 'stripe_magics[plot]'"
        ) from error
    return plt


def _panels(report: pd.DataFrame, title: str) -> tuple[Any, list[tuple[str, pd.DataFrame, Any]]]:
    """A figure with one panel below the other for each currency."""
    plt = _matplotlib()
    currencies = [str(each) for each in dict.fromkeys(report["currency"])]
    figure, axes = plt.subplots(
        len(currencies), 1, figsize=(9, 3.2 * len(currencies)), squeeze=False, layout="constrained"
    )
    figure.suptitle(_titled(title, report))
    return figure, [
        (currency, report[report["currency"] == currency], axis)
        for currency, axis in zip(currencies, axes[:, 0], strict=True)
    ]


def _titled(title: str, report: pd.DataFrame) -> str:
    """The title, and below it the period, the zone and the account that the picture is of."""
    about = report.attrs.get("stripe", {})
    where = " ".join(str(each) for each in (about.get("account"), about.get("mode")) if each)
    facts = " · ".join(str(each) for each in (about.get("period"), about.get("zone"), where) if each)
    partial = " (partial data)" if about.get("complete", True) is False else ""
    return f"{title}{partial}" + (f"\n{facts}" if facts else "")


def _words(name: object) -> str:
    """A column's name as people write it."""
    text = str(name)
    return (text.replace("_", "-") + " days" if text[:1].isdigit() else text.replace("_", " ")).replace(
        "over 120", "over 120 days"
    )


def _major(frame: pd.DataFrame, currency: str) -> pd.DataFrame:
    scaled: pd.DataFrame = frame.astype(float) / 10 ** exponent(currency)
    return scaled


def _tick(value: float, digits: int) -> str:
    """An amount on an axis, with the decimals that it needs and no more than its currency has."""
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text


def _on_bar(value: float, currency: str, *, sign: bool = False) -> str:
    """An amount at a bar: with the decimals of its currency while it is short, whole from 10,000 on."""
    digits = exponent(currency) if abs(value) < 10_000 else 0
    return (
        _locale.number(f"{value:,.{digits}f}")
        if not sign
        else f"{'+' if value >= 0 else ''}{_locale.number(f'{value:,.{digits}f}')}"
    )


def _finish(axis: Any, currency: str, *, unit: str = "") -> None:
    from matplotlib.ticker import FuncFormatter

    axis.set_ylabel(unit or currency.upper())
    axis.set_xlabel("")
    if not unit:
        digits = exponent(currency)
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _locale.number(_tick(value, digits))))
    axis.axhline(0, color="#555555", linewidth=0.8)
    axis.grid(axis="y", alpha=0.3)


def _daily(report: pd.DataFrame) -> Any:
    figure, panels = _panels(report, "Balance and what moved it, by day")
    for currency, rows, axis in panels:
        table = _major(rows.set_index("date")[["net", "payouts", "closing"]], currency)
        axis.bar(table.index, table["net"], color=COLOURS[0], label="net activity", width=0.9)
        axis.bar(table.index, table["payouts"], color=COLOURS[1], label="payouts", width=0.9)
        axis.plot(table.index, table["closing"], color=COLOURS[3], label="closing balance")
        axis.legend(fontsize="small", ncols=3)
        _dates(axis)
        _finish(axis, currency)
    return figure


def _dates(axis: Any) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, num2date
    from matplotlib.ticker import FuncFormatter

    locator = AutoDateLocator(maxticks=9)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: _locale.moment(num2date(value), "%Y-%m-%d"))
        if _locale.locale_name()
        else ConciseDateFormatter(locator)
    )


def _stacked(index: str, columns: list[str], title: str, *, line: str = "") -> Callable[[pd.DataFrame], Any]:
    def draw(report: pd.DataFrame) -> Any:
        figure, panels = _panels(report, title)
        for currency, rows, axis in panels:
            table = _major(rows.set_index(index)[columns], currency)
            if isinstance(table.index, pd.DatetimeIndex):
                table.index = [_locale.moment(each, "%d %b") for each in table.index]
            table.columns = [_words(name) for name in table.columns]
            table.plot.bar(stacked=True, ax=axis, color=list(COLOURS), width=0.85, rot=45)
            if line:
                axis.plot(
                    range(len(rows)),
                    _major(rows[[line]], currency)[line].to_numpy(),
                    color=COLOURS[3],
                    marker=".",
                    label=line,
                )
                axis.legend(fontsize="small")
            _finish(axis, currency)
        return figure

    return draw


def _volume(report: pd.DataFrame) -> Any:
    figure, panels = _panels(report, "From gross to net volume")
    for currency, rows, axis in panels:
        row = rows.iloc[0]
        steps = {
            "gross": row["gross"],
            **{name: row[name] for name in ("refunds", "disputes", "fees", "transfers")},
            "other": row["other"],
        }
        _waterfall(axis, {name: float(value) for name, value in steps.items() if value}, currency, last="net")
        _finish(axis, currency)
    return figure


def _waterfall(axis: Any, steps: dict[str, float], currency: str, *, last: str) -> None:
    """Floating bars: each step starts where the one before ended; the last bar is the sum."""
    scale, level = 10 ** exponent(currency), 0.0
    for place, value in enumerate(steps.values()):
        bottom = level if value >= 0 else level + value
        axis.bar(
            place,
            abs(value) / scale,
            bottom=bottom / scale,
            color=COLOURS[0] if value >= 0 else COLOURS[3],
            width=0.7,
        )
        axis.annotate(
            _on_bar(value / scale, currency, sign=True),
            (place, (bottom + abs(value)) / scale),
            ha="center",
            va="bottom",
            fontsize="small",
        )
        level += value
    axis.bar(len(steps), level / scale, color=COLOURS[2], width=0.7)
    axis.annotate(
        _on_bar(level / scale, currency),
        (len(steps), max(level, 0) / scale),
        ha="center",
        va="bottom",
        fontsize="small",
    )
    axis.set_xticks(range(len(steps) + 1), [_words(name) for name in (*steps, last)], rotation=20)
    axis.margins(y=0.15)


def _mrr(report: pd.DataFrame) -> Any:
    figure, panels = _panels(report, "MRR: start, movements, end")
    for currency, rows, axis in panels:
        ordered = rows.sort_values("month")
        moved = {
            name: float(ordered[name].sum())
            for name in ("new", "reactivation", "expansion", "contraction", "churn")
        }
        steps = {f"start {ordered['month'].iloc[0]}": float(ordered["start"].iloc[0]), **moved}
        _waterfall(
            axis,
            {name: value for name, value in steps.items() if value},
            currency,
            last=f"end {ordered['month'].iloc[-1]}",
        )
        _finish(axis, currency)
    return figure


def _cohorts(report: pd.DataFrame) -> Any:
    figure, panels = _panels(
        report, str(report.attrs.get("stripe", {}).get("title") or "Customers still there, by month")
    )
    for currency, rows, axis in panels:
        table = rows.pivot_table(
            index="cohort", columns="age", values="retention", observed=True
        ).sort_index()
        image = axis.imshow(table.to_numpy(), aspect="auto", cmap="cividis", vmin=0, vmax=1)
        axis.set_yticks(range(len(table)), [str(each) for each in table.index], fontsize="x-small")
        axis.set_xticks(range(len(table.columns)), [str(each) for each in table.columns], fontsize="x-small")
        axis.set_xlabel("months since the first")
        axis.set_ylabel(currency.upper())
        for (y, x), value in _cells(table):
            axis.text(
                x,
                y,
                f"{value:.0%}",
                ha="center",
                va="center",
                fontsize=5,
                color="white" if value < 0.6 else "black",
            )
        figure.colorbar(image, ax=axis, label="share of the cohort")
    figure.set_size_inches(10, max(4.0, 0.22 * len(report["cohort"].unique()) + 1.5) * len(panels))
    return figure


def _cells(table: pd.DataFrame) -> list[tuple[tuple[int, int], float]]:
    values = table.to_numpy(dtype=float)
    return [
        ((y, x), values[y, x])
        for y in range(values.shape[0])
        for x in range(values.shape[1])
        if values[y, x] == values[y, x]
    ]


def _ageing(report: pd.DataFrame) -> Any:
    figure, panels = _panels(report, "Open invoices by age (largest customers)")
    for currency, rows, axis in panels:
        named = "customer_name" in rows.columns and rows["customer_name"].ne("").all()
        who = "invoice" if "invoice" in rows.columns else "customer_name" if named else "customer"
        table = _major(
            rows.sort_values("total", ascending=False).head(15).set_index(who)[list(BUCKETS)], currency
        )
        table.columns = [_words(name) for name in table.columns]
        table.plot.bar(stacked=True, ax=axis, color=list(COLOURS), width=0.85, rot=60)
        axis.legend(fontsize="small")
        _finish(axis, currency)
    return figure


def _declines(report: pd.DataFrame) -> Any:
    figure, panels = _panels(report, "Payments whose first attempt failed, by reason")
    for currency, rows, axis in panels:
        table = rows.set_index(rows["reason"].map(_words))[["recovered", "failures"]].copy()
        table["not recovered"] = table.pop("failures") - table["recovered"]
        table.plot.bar(stacked=True, ax=axis, color=[COLOURS[2], COLOURS[3]], width=0.8, rot=30)
        axis.legend(fontsize="small")
        _finish(axis, currency, unit=f"payments ({currency.upper()})")
    return figure


def _activity(report: pd.DataFrame) -> Any:
    figure, panels = _panels(report, "What moved the balance, by category")
    for currency, rows, axis in panels:
        _major(rows.set_index(rows["reporting_category"].map(_words))[["gross", "net"]], currency).plot.bar(
            ax=axis, color=list(COLOURS), rot=20
        )
        _finish(axis, currency)
    return figure


PLOTS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "balance_activity": _activity,
    "daily_balance": _daily,
    "volume": _volume,
    "mrr": _mrr,
    "cohorts": _cohorts,
    "ar_ageing": _ageing,
    "failed_payments": _declines,
    "cash_forecast": _stacked("date", ["pending", "expected_invoices"], "Cash expected", line="cumulative"),
}

accessor_extensions["plot"] = plot
