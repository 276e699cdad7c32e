"""How answers look. A frame stays a plain DataFrame; what is registered here is its display, for frames with `attrs["stripe"]` only.

Amounts are shown with their currency (the values stay whole minor units), times in the account's zone, ids linked to the Dashboard, states
as badges; a wide frame shows the columns that matter and says how to see all; a list that was cut says so below it. Every text is escaped:
what a customer typed into a name field must never run in a notebook. Without styles (on GitHub) it is still a readable table.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

LONGEST, WRAPS = (
    60,
    30,
)  # characters of a cell: where it is cut, and from where on it may be broken into lines
_ID = re.compile(r"[a-z]{2,12}(?:_[A-Za-z0-9]+)+\Z")
_LINK = re.compile(r"https://dashboard\.stripe\.com/[A-Za-z0-9_./?=-]+\Z")
_GREEN, _RED, _YELLOW, _GREY, _BLUE = ("#d7f7c2", "#05690d"), ("#ffe7f2", "#b3063d"), ("#fcedb9", "#a82c00"), ("#ebeef1", "#414552"), ("#cff5f6", "#0055bc")  # fmt: skip
STATES = {
    **dict.fromkeys(
        ["succeeded", "paid", "active", "available", "complete", "enabled", "won", "attached", "verified"],
        _GREEN,
    ),
    **dict.fromkeys(
        [
            "failed",
            "canceled",
            "uncollectible",
            "void",
            "lost",
            "past_due",
            "unpaid",
            "expired",
            "requires_payment_method",
            "incomplete_expired",
        ],
        _RED,
    ),
    **dict.fromkeys(
        [
            "pending",
            "processing",
            "in_transit",
            "requires_action",
            "requires_confirmation",
            "requires_capture",
            "incomplete",
            "open",
        ],
        _YELLOW,
    ),
    **dict.fromkeys(
        ["needs_response", "under_review", "warning_needs_response", "warning_under_review", "trialing"],
        _BLUE,
    ),
    **dict.fromkeys(["draft", "disabled", "inactive", "paused"], _GREY),
}
STATE_COLUMNS = {"status", "payment_status", "refund_status", "type_status"}
BADGES = {
    "live": ("LIVE", "#c0123c"),
    "unknown": ("LIVE?", "#c0123c"),
    "test": ("TEST", "#a85b00"),
    "sandbox": ("SANDBOX", "#5433c9"),
}
FIRST = ("result", "error")  # of calls made for the rows of a table
LAST = (
    "client_secret",
    "metadata",
    "livemode",
    "object",
    "lines",
    "items",
    "data",
)  # columns that are left out first


def badge(mode: str) -> str:
    """The mode as a badge: red for live, so that nobody takes one for the other."""
    word, colour = BADGES.get(mode, BADGES["unknown"])
    return f'<b style="background:{colour};color:#fff;border-radius:4px;padding:1px 6px">{word}</b>'


class View:
    """How one frame is shown: which rows and columns, and each cell's text."""

    def __init__(
        self, frame: pd.DataFrame, *, max_rows: int = 60, max_columns: int = 12, all_columns: bool = False
    ) -> None:
        from stripe_magics.frames.frame_info import iter_facts

        self.frame = frame
        self.about: dict[str, Any] = dict(iter_facts(frame))
        said = (
            {True: "live", False: "test"}.get(self.about["livemode"], "") if "livemode" in self.about else ""
        )
        self.mode = str(self.about.get("mode") or said)  # "" where nothing says it: then there is no badge
        bare = frame.copy(deep=False)  # pandas copies attrs, deeply, with every column that is taken out
        bare.attrs = {}
        self.columns = list(frame.columns) if all_columns else chosen(bare, max_columns)
        self.cut = len(frame) > max_rows
        half = max_rows // 2
        self.places = (
            [*range(half), *range(len(frame) - half, len(frame))] if self.cut else list(range(len(frame)))
        )
        self.gap = half if self.cut else -1
        self.bare = bare.iloc[self.places] if self.cut else bare
        self.part = self.bare[self.columns]
        self.indexed = not (
            frame.index.name is None
            and type(frame.index).__name__ == "RangeIndex"
            and list(frame.index[:1]) in ([], [0])
        )
        self.right = {
            name
            for name in self.columns
            if str(bare[name].dtype).lower().startswith(("int", "float", "uint"))
        }
        self.amounts = self._amounts()
        self.cells = {name: self._texts(name) for name in self.columns}

    def _texts(self, name: Any) -> list[str]:
        """One column's cells as text."""
        values = self.part[name]
        kind = str(values.dtype)
        if kind.startswith("datetime64"):
            return _times(values, str(self.about.get("zone") or "UTC"))
        if name in self.amounts:
            found = self._money(name, values)
            if found is not None:
                return found
        if kind.lower().startswith("float"):
            return self._numbers(name, values)
        return [text(each) for each in values.astype("object")]

    def _numbers(self, name: Any, values: Any) -> list[str]:
        """Floats as people read them: a fraction in percent, an amount in major units with its decimals, anything else to six figures."""
        form = "{:,.6g}"
        if name in self.about.get("fractions", ()):
            form = "{:.2%}"
        elif self.about.get("units") == "major" and name in self.about.get("amounts", ()):
            form = "{:,.2f}"
        return ["" if _missing(each) else form.format(each) for each in values.astype("object")]

    def _amounts(self) -> list[str]:
        if self.about.get("units", "minor") != "minor":
            return []
        import stripe_magics.accessor

        assert stripe_magics.frames
        return list(self.frame.stripe.amounts())

    def _money(self, name: str, values: Any) -> list[str] | None:
        from stripe_magics.money import format_amount

        try:
            place = self.frame.stripe.currency_of(name)
        except KeyError:
            return None  # an amount without a currency beside it stays the whole number that it is
        currencies = self.bare[place].astype("object")
        out = []
        for minor, currency in zip(values.astype("object"), currencies, strict=True):
            if not _missing(minor) and isinstance(currency, str):
                out.append(format_amount(int(minor), currency))
            else:
                out.append(text(minor))
        return out

    def title(self) -> str:
        """What is shown, in a line: `customers list - 100 rows`."""
        what = (
            str(self.about.get("module") or self.about.get("object") or "")
            .replace(".", " ")
            .replace("_", " ")
        )
        account = str(self.about.get("account") or "")
        rows = f"{len(self.frame):,} row{'' if len(self.frame) == 1 else 's'}"
        return " · ".join(part for part in (what, rows, account) if part)

    def notes(self, shown: int | None = None) -> list[str]:
        """What stands below the table: rows and columns that are not shown, and what the call had to say."""
        shown = len(self.columns) if shown is None else shown
        said = [str(each) for each in self.about.get("notes") or []]
        if not said and self.about.get("complete") is False:
            said.append("This list is not complete; there are more rows: --limit all.")
        if len(self.frame) and shown < len(self.frame.columns):
            said.append(
                f"{shown} of {len(self.frame.columns)} columns are shown; the DataFrame has all (%stripe config --all-columns true)."
            )
        return said

    def html(self) -> str:
        """The table, escaped."""
        head = "".join(
            f'<th style="text-align:{self._side(name)}">{escape(str(name))}</th>' for name in self.columns
        )
        lines = [
            f"<div>{badge(self.mode) + ' ' if self.mode else ''}{escape(self.title())}</div>",
            '<table class="dataframe"><thead><tr>',
            "<th></th>" if self.indexed else "",
            head,
            "</tr></thead><tbody>",
        ]
        links = self._links()
        index = [escape(str(each)) for each in self.part.index] if self.indexed else []
        for row in range(len(self.places)):
            if row == self.gap:
                lines.append(
                    f'<tr><td colspan="{len(self.columns) + self.indexed}">... {len(self.frame) - len(self.places):,} rows more ...</td></tr>'
                )
            cells = [f"<th>{index[row]}</th>"] if self.indexed else []
            cells += [self._cell(name, row, links) for name in self.columns]
            lines.append("<tr>" + "".join(cells) + "</tr>")
        if not self.places:
            lines.append(f'<tr><td colspan="{max(1, len(self.columns))}">nothing found</td></tr>')
        lines.append("</tbody></table>")
        lines += [f"<div><small>{escape(note)}</small></div>" for note in self.notes()]
        return "".join(lines)

    def _cell(self, name: Any, row: int, links: Mapping[Any, list[str]]) -> str:
        shown = escape(self.cells[name][row])
        link = links.get(name, [])
        if link and link[row] and _LINK.match(link[row]):
            return f'<td style="text-align:left;white-space:nowrap"><a href="{escape(link[row])}" target="_blank" rel="noopener">{shown}</a></td>'
        if name in STATE_COLUMNS and self.cells[name][row] in STATES:
            back, front = STATES[self.cells[name][row]]
            return f'<td style="text-align:left;white-space:nowrap"><span style="background:{back};color:{front};border-radius:4px;padding:0 5px">{shown}</span></td>'
        return f'<td style="text-align:{self._side(name)}{"" if len(shown) > WRAPS else ";white-space:nowrap"}">{shown}</td>'

    def _side(self, name: Any) -> str:
        return "right" if name in self.right else "left"

    def _links(self) -> dict[Any, list[str]]:
        """Dashboard pages of the objects that ids name; a sandbox has no Dashboard."""
        if self.mode == "sandbox" or "id" not in self.frame.columns:
            return {}
        from stripe_magics.accessor.dashboard_links import PAGES

        account = str(self.about.get("account") or "")
        base = "https://dashboard.stripe.com/" + (
            f"{account}/" if re.fullmatch(r"acct_[A-Za-z0-9]+", account) else ""
        )
        base += "" if self.mode == "live" else "test/"
        kind = str(self.about.get("object") or "").removeprefix("list[").removesuffix("]")
        links = {}
        for name in self.columns:
            path = PAGES.get(kind if name == "id" else name)
            if path:
                links[name] = [f"{base}{path}/{each}" if _ID.match(each) else "" for each in self.cells[name]]
        return links

    def plain(self) -> str:
        """The same as text, for terminals: as many of the columns as the screen is wide."""
        import pandas as pd

        word = f"[{BADGES.get(self.mode, BADGES['unknown'])[0]}] " if self.mode else ""
        lines = [f"{word}{self.title()}"]
        fitting = self._fitting()
        if self.places and fitting:
            table = pd.DataFrame({str(name): self.cells[name] for name in fitting}, index=self.part.index)
            lines.append(table.to_string(index=self.indexed))
            if self.cut:
                lines.append(
                    f"... {len(self.frame) - len(self.places):,} rows more (the first and the last are shown)"
                )
        else:
            lines.append("nothing found")
        return "\n".join([*lines, *self.notes(len(fitting))])

    def _fitting(self) -> list[Any]:
        left = _width()
        fitting: list[Any] = []
        for name in self.columns:
            left -= 2 + max([len(str(name)), *(len(each) for each in self.cells[name])])
            if left < 0 and len(fitting) >= 3:
                break
            fitting.append(name)
        return fitting


def _width() -> int:
    import shutil

    return max(100, shutil.get_terminal_size().columns)


def chosen(frame: pd.DataFrame, most: int) -> list[Any]:
    """The columns that are shown. A frame that has few enough, a selection of a person's say, is shown as it is."""
    names = list(frame.columns)
    if len(names) <= most:
        return names
    head = frame.head(200)
    requested = [
        name for name in names if name not in LAST and head[name].notna().any() and not _empty(head[name])
    ]
    requested.sort(key=lambda name: name not in FIRST)  # what went wrong is never the column that doesn't fit
    return requested[:most] or names[:most]


def _empty(values: Any) -> bool:
    """Whether a column of lists and dicts holds only empty ones, or a column of texts only empty text."""
    if str(values.dtype) not in {"object", "str", "string"}:
        return False
    return all(_missing(each) or (isinstance(each, (str, list, dict)) and not each) for each in values)


def _missing(value: Any) -> bool:
    not_a_number = isinstance(value, float) and math.isnan(value)
    return value is None or not_a_number or type(value).__name__ in {"NAType", "NaTType"}


def text(value: Any) -> str:
    """A cell's text, on one line and short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        value = ", ".join(f"{key}={_inner(each)}" for key, each in value.items())
    elif isinstance(value, (list, tuple)):
        value = _several(value)
    elif _missing(value):
        return ""
    one = " ".join(str(value).split())
    return one if len(one) <= LONGEST else one[: LONGEST - 1] + "…"


def _several(items: Any) -> str:
    """A list in a cell: plain items as they are, funds by currency as money, anything else by its number."""
    if items and all(isinstance(each, dict) and {"amount", "currency"} <= each.keys() for each in items):
        from stripe_magics.money import format_amount

        return ", ".join(format_amount(int(each["amount"]), str(each["currency"])) for each in items)
    if not any(isinstance(each, (dict, list)) for each in items):
        return ", ".join(str(each) for each in items)
    return f"{len(items)} item{'' if len(items) == 1 else 's'}"


def _inner(value: Any) -> str:
    return (
        "{...}" if isinstance(value, dict) else f"[{len(value)}]" if isinstance(value, list) else str(value)
    )


def _times(values: Any, zone: str) -> list[str]:
    from zoneinfo import ZoneInfo

    if getattr(values.dtype, "tz", None) is not None:
        values = values.dt.tz_convert(ZoneInfo(zone))
    whole_days = bool(len(values)) and bool((values.dropna() == values.dropna().dt.normalize()).all())
    return [
        "" if _missing(each) else each.strftime("%Y-%m-%d" if whole_days else "%Y-%m-%d %H:%M")
        for each in values
    ]


class Facts:
    """A few facts, a line each: what status and settings show."""

    def __init__(self, title: str, facts: Mapping[str, str], *, mode: str = "") -> None:
        self.title, self.facts, self.mode = title, {key: str(value) for key, value in facts.items()}, mode

    def __repr__(self) -> str:
        wide = max((len(key) for key in self.facts), default=0)
        head = f"[{BADGES.get(self.mode, BADGES['unknown'])[0]}] {self.title}" if self.mode else self.title
        return "\n".join(
            [
                head,
                *(
                    f"  {key.replace('_', ' '):<{wide}}  {value}"
                    for key, value in self.facts.items()
                    if value
                ),
            ]
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th style="text-align:left">{escape(key.replace("_", " "))}</th><td style="text-align:left">{escape(value)}</td></tr>'
            for key, value in self.facts.items()
            if value
        )
        return f"<div>{badge(self.mode) + ' ' if self.mode else ''}<b>{escape(self.title)}</b></div><table>{rows}</table>"


class State(Facts):
    """The connection: which account, which mode, which version; never the key."""

    def __init__(self, status: Mapping[str, str], mode: str) -> None:
        facts = {key: str(value) for key, value in status.items()}
        super().__init__(
            facts.get("account_name") or facts.get("name") or facts.get("account") or "connected",
            facts,
            mode=mode,
        )


class Code(str):
    """Python code that shows itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<pre><code>{escape(self)}</code></pre>"
