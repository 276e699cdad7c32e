"""What pictures of reports share: a panel a currency, titles, axes in major units, waterfalls, legends beside
the drawing.

Colours are those that colour-blind people can tell apart; lines and texts take the style's own, so that they
are seen on light and on dark.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from stripe_magics import _locale
from stripe_magics._install import pip_install
from stripe_magics.errors import StripeMagicsError
from stripe_magics.frames.frame_info import facts_of
from stripe_magics.money import exponent

COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#F0E442",
    "#999999",
)  # Okabe and Ito's


def matplotlib() -> Any:
    """matplotlib.pyplot, or the error that says how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise StripeMagicsError("Plots need matplotlib.", advice=pip_install("matplotlib")) from error
    return plt


def panels(report: pd.DataFrame, title: str) -> tuple[Any, list[tuple[str, pd.DataFrame, Any]]]:
    """A figure with one panel below the other for each currency."""
    figure, rows = grid(report, title, 1)
    return figure, [(currency, mine, axes[0]) for currency, mine, axes in rows]


def grid(
    report: pd.DataFrame, title: str, columns: int
) -> tuple[Any, list[tuple[str, pd.DataFrame, Sequence[Any]]]]:
    """A figure with a row of panels for each currency."""
    plt = matplotlib()
    currencies = [str(each) for each in dict.fromkeys(report["currency"])]
    size = (9 if columns == 1 else 6.5 * columns, 3.2 * len(currencies))
    from stripe_magics.finance.plot_theme import ThemedFigure

    figure, axes = plt.subplots(
        len(currencies), columns, figsize=size, squeeze=False, layout="constrained", FigureClass=ThemedFigure
    )
    figure.suptitle(titled(title, report))
    return figure, [
        (currency, report[report["currency"] == currency], list(row))
        for currency, row in zip(currencies, axes, strict=True)
    ]


def legend(axis: Any) -> None:
    """The legend above its panel, where it covers nothing."""
    handles, labels = axis.get_legend_handles_labels()
    if labels:
        axis.legend(
            handles, labels, loc="lower left", bbox_to_anchor=(0, 1.0),
            ncols=max(1, min(len(labels), 110 // (max(map(len, labels)) + 5))),
            frameon=False, fontsize="small", borderaxespad=0.1,
        )  # fmt: skip


def stacked(
    axis: Any,
    places: Any,
    series: Mapping[str, Any],
    colours: Sequence[str] = COLOURS,
    *,
    width: float = 0.85,
) -> None:
    """Bars on each other: what is above 0 upwards, what is below downwards."""
    above, below = [0.0] * len(places), [0.0] * len(places)
    for number, (name, values) in enumerate(series.items()):
        amounts = [float(each) for each in values]
        if not any(amounts) and len(series) > 1:
            continue  # nothing to see, and no legend for it
        bottoms = [up if each >= 0 else down for each, up, down in zip(amounts, above, below, strict=True)]
        axis.bar(
            places, amounts, bottom=bottoms, width=width, label=words(name),
            color=colours[number % len(colours)],
        )  # fmt: skip
        above = [up + max(each, 0) for each, up in zip(amounts, above, strict=True)]
        below = [down + min(each, 0) for each, down in zip(amounts, below, strict=True)]


def whole_numbers(axis: Any) -> None:
    """Marks of counts: whole numbers from 0 on."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(f"{value:,.0f}")))
    axis.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axis.set_ylim(0, max(1.0, axis.get_ylim()[1]) * 1.1)


def titled(title: str, report: pd.DataFrame) -> str:
    """The title, and below it the period, the zone and the account that the picture is of."""
    about = facts_of(report)
    where = " ".join(str(each) for each in (about.get("account"), about.get("mode")) if each)
    facts = " · ".join(str(each) for each in (about.get("period"), about.get("zone"), where) if each)
    partial = " (partial data)" if about.get("complete", True) is False else ""
    return f"{title}{partial}" + (f"\n{facts}" if facts else "")


def words(name: object) -> str:
    """A column's name as people write it."""
    text = str(name)
    return (text.replace("_", "-") + " days" if text[:1].isdigit() else text.replace("_", " ")).replace(
        "over 120", "over 120 days"
    )


def major(frame: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Amounts in major units, to draw."""
    scaled: pd.DataFrame = frame.astype(float) / 10 ** exponent(currency)
    return scaled


def moment(value: date, form: str) -> str:
    """A date on an axis in the locale; in numbers where no font of the plot has its words."""
    text = _locale.moment(value, form)
    return text if _drawable(text) else _locale.moment(value, form, in_numbers=True)


def number(text: str) -> str:
    """A number in the locale; with a plain space between its groups where no font has the narrow one."""
    text = _locale.number(text)
    return text if _drawable(text) else text.replace("\u202f", "\xa0")


def percent(value: float) -> str:
    """`12%` in the locale."""
    return number(f"{value:,.0%}")


def _drawable(text: str) -> bool:
    """Whether the plot's fonts have every character: a missing one is drawn as a box."""
    if text.isascii():
        return True
    return all(any(font.get_char_index(ord(each)) for font in _fonts()) for each in text)


def _fonts() -> list[Any]:
    """The fonts that matplotlib looks in, as the style has them."""
    from matplotlib import font_manager, rcParams

    found = []
    for family in rcParams["font.family"]:
        with contextlib.suppress(ValueError):  # one that isn't installed
            path = font_manager.findfont(
                font_manager.FontProperties(family=family), fallback_to_default=False
            )
            found.append(font_manager.get_font(path))
    return found


def _tick(value: float, digits: int) -> str:
    """An amount on an axis, with the decimals that it needs and no more than its currency has."""
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text


def _on_bar(value: float, currency: str, *, sign: bool = False) -> str:
    """An amount at a bar: with the decimals of its currency while it is short, whole from 10,000 on."""
    digits = exponent(currency) if abs(value) < 10_000 else 0
    return (
        number(f"{value:,.{digits}f}")
        if not sign
        else f"{'+' if value >= 0 else ''}{number(f'{value:,.{digits}f}')}"
    )


def finish(axis: Any, currency: str, *, unit: str = "") -> None:
    """An axis of amounts (or of a unit), a line at 0, a faint grid."""
    from matplotlib.ticker import FuncFormatter

    axis.set_ylabel(unit or currency.upper())
    axis.set_xlabel("")
    if not unit:
        digits = exponent(currency)
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(_tick(value, digits))))
    axis.axhline(0, color=axis.xaxis.label.get_color(), linewidth=0.8)
    axis.grid(axis="y", alpha=0.3)
    low, high = axis.get_ylim()
    margin = 0.05 * (high - low)
    axis.set_ylim(low - margin if low < 0 else low, high + margin)


def dates(axis: Any) -> None:
    """An axis of days, as many marks as fit; never the hours between them."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, DayLocator, num2date
    from matplotlib.ticker import FuncFormatter

    first, last = axis.get_xlim()
    each_day = last - first <= 9
    locator = DayLocator() if each_day else AutoDateLocator(maxticks=9)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: moment(num2date(value), "%Y-%m-%d"))
        if each_day or _locale.locale_name()
        else ConciseDateFormatter(locator)
    )


def waterfall(axis: Any, steps: dict[str, float], currency: str, *, last: str) -> None:
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
    axis.set_xticks(range(len(steps) + 1), [words(name) for name in (*steps, last)], rotation=20)
    axis.margins(y=0.15)
