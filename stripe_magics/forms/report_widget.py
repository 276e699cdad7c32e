"""`%stripe report --form` and `%stripe close --form`: choose a report and a period, see it, save it, and take the line along.

The form knows nothing of finance: a `Reporter`, which the caller passes in, says which reports there are and runs a line. What is shown is
what the line gives; the line stands under the choices and can be copied into a cell or a script.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import ipywidgets as w

from stripe_magics._html import join, tag
from stripe_magics.errors import StripeMagicsError
from stripe_magics.forms import html
from stripe_magics.forms.connection_guard import check_open, present
from stripe_magics.forms.result_area import rendered
from stripe_magics.forms.widget_registry import CSS, ROOT_CLASSES, WidgetRegistry

CUSTOM, NO_PERIOD = "custom", ""
PERIODS = (
    ("Last month", "last month"),
    ("This month", "this month"),
    ("Last quarter", "last quarter"),
    ("This quarter", "this quarter"),
    ("This year", "this year"),
    ("From ... to ...", CUSTOM),
)
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a report: its flag, what it is unless chosen, what it may be (none: any text), and what it means."""

    flag: str
    default: str
    choices: tuple[str, ...]
    help: str


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """A report as the form shows it. `period` is "needed", "optional" or "none"."""

    name: str
    title: str
    period: str
    choices: tuple[Choice, ...] = ()


class Reporter(Protocol):
    """What the form asks of its caller."""

    def reports(self) -> Sequence[ReportFacts]:
        """The reports there are."""

    def run(self, words: Sequence[str], values: Values) -> Any:
        """What `%stripe WORDS --flags` gives: a DataFrame."""

    def save(self, frame: Any, path: str) -> str:
        """Write a frame as an Excel file; where it is."""


class _PeriodForm(w.VBox):
    """What both forms share: period, zone, the line, Show, and what came of it."""

    def __init__(self, reporter: Reporter, connection: Any, title: str, lead: str) -> None:
        self.reporter, self.connection = reporter, connection
        self.frame: Any = None
        self.tree = WidgetRegistry()
        self._title = html.title(title, lead)
        self.head = self.tree.make(w.HTML, "full", value=self._head())
        self.period = self._dropdown("Period", PERIODS, "last month")
        self.start = self._text("From", "2026-09-01")
        self.end = self._text("To", "2026-09-30 (that day is part of it)")
        self.zone = self._text("Time zone", "the account's; or Europe/Berlin ...")
        self.line_shown = self.tree.make(w.HTML, "full", value="")
        self.status = self.tree.make(w.HTML, "full", value="")
        self.result = self.tree.make(w.HTML, "full", value="")
        super().__init__(children=(), layout=self.tree.layout("root"), _dom_classes=ROOT_CLASSES)
        self.tree.adopt(self)

    def _head(self) -> str:
        return CSS + html.mode_banner(self.connection) + self._title

    def _text(self, label: str, placeholder: str = "", value: str = "") -> Any:
        made = self.tree.make(
            w.Text, "field", description=label, placeholder=placeholder, value=value, continuous_update=False
        )
        made.observe(lambda _: self.changed(), "value")
        return made

    def _dropdown(self, label: str, options: Sequence[tuple[str, str]], value: str) -> Any:
        made = self.tree.make(w.Dropdown, "field", description=label, options=tuple(options), value=value)
        made.observe(lambda _: self.changed(), "value")
        return made

    def _button(self, label: str, action: Callable[[], object], *, primary: bool = False) -> Any:
        made = self.tree.make(
            w.Button, "button", description=label, button_style="primary" if primary else ""
        )
        made.on_click(lambda _: self._guarded(action))
        return made

    def _guarded(self, action: Callable[[], object]) -> None:
        self.status.value = html.card("plain", "Working ...")
        try:
            said = action()
        except StripeMagicsError as fault:
            self.status.value = html.error(fault)
        except Exception as fault:  # our own mistake: an exception in a callback would be seen by nobody
            self.status.value = html.card(
                "wrong", "That failed.", [f"{type(fault).__name__}: {fault}"], role="alert"
            )
        else:
            self.status.value = html.card("plain", said) if isinstance(said, str) else ""

    def words(self) -> list[str]:
        """The words of the line, before its flags."""
        raise NotImplementedError

    def values(self) -> dict[str, Any]:
        """The flags of the line, by name."""
        raise NotImplementedError

    def period_values(self) -> dict[str, str]:
        """The flags that say the period and the zone."""
        if self.period.value == CUSTOM:
            bounds = {"start": self.start.value.strip(), "end": self.end.value.strip()}
        else:
            bounds = {"period": str(self.period.value)}
        return {name: value for name, value in {**bounds, "tz": self.zone.value.strip()}.items() if value}

    def line(self) -> str:
        """The line that stands for what is chosen."""
        flags = [
            f"--{name.replace('_', '-')}"
            if value is True
            else f"--{name.replace('_', '-')} {shlex.quote(str(value))}"
            for name, value in self.values().items()
        ]
        return " ".join(["%stripe", *self.words(), *flags])

    def changed(self) -> None:
        """Show the line anew, and the fields that the choice needs."""
        custom = "" if self.period.value == CUSTOM else "none"
        for each in (self.start, self.end):
            each.layout = self.tree.layout("field" if not custom else "hidden")
        shown = tag("pre", self.line(), class_="sm-line")
        self.line_shown.value = join([html.explanation("The same as a line:"), shown])

    def show(self) -> Any:
        """Run the line and show what it gives. Raises `ConfirmationNeeded` if the account that the form shows isn't connected any more."""
        if (
            self.connection is None
        ):  # opened before there was a connection: it belongs to the first that it reads
            self.connection = present()
            self.head.value = self._head()
        check_open(self.connection)
        self.frame = self.reporter.run(self.words(), self.values())
        shown = rendered(self.frame)
        table = shown.get("text/html") or tag("pre", shown.get("text/plain", ""))
        self.result.value = html.remarks(self._notes()) + table
        return self.frame

    def _notes(self) -> list[Any]:
        about = getattr(self.frame, "attrs", {}).get("stripe", {})
        return list(about.get("notes") or [])

    def close(self) -> None:
        """Close the form; no model of it stays."""
        if self.tree.closed:
            super().close()
        else:
            self.tree.close()

    def __repr__(self) -> str:
        return self.line()

    def _ipython_display_(self, **kwargs: Any) -> None:
        from IPython.display import display

        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        display({"text/plain": repr(self), "application/vnd.jupyter.widget-view+json": view}, raw=True)
        if hasattr(self, "_handle_displayed"):  # ipywidgets 7
            self._handle_displayed(**kwargs)


class ReportForm(_PeriodForm):
    """The form of the reports."""

    def __init__(self, reporter: Reporter, connection: Any, values: Values, name: str = "") -> None:
        super().__init__(reporter, connection, "Report", "Choose what to look at, and over which time.")
        self.known = {each.name: each for each in reporter.reports()}
        first = name or next(iter(self.known))
        self.name = self._dropdown(
            "Report", [(f"{each.title} ({each.name})", each.name) for each in self.known.values()], first
        )
        self.currency = self._text("Currency", "all; or usd, eur ...")
        self.compare = self._dropdown("Compare with", (("nothing", ""), ("the period before", "before")), "")
        self.options_box = self.tree.make(w.VBox, "full", children=())
        self.options: dict[str, Any] = {}
        self.file = self._text("Excel file", "report.xlsx", "report.xlsx")
        bar = self.tree.make(
            w.HBox, "row", _dom_classes=("sm-bar",),
            children=(self._button("Show", self.show, primary=True), self._button("Save as Excel", self.save)),
        )  # fmt: skip
        self.name.observe(lambda _: self._choose(), "value")
        self.children = (
            self.head, self.name, self.period, self.start, self.end, self.zone, self.currency, self.compare, self.options_box, self.file,
            self.line_shown, bar, self.status, self.result,
        )  # fmt: skip
        self._choose()
        self._fill(values)

    def _choose(self) -> None:
        """The options and periods of the chosen report."""
        facts = self.known[self.name.value]
        for each in self.options_box.children:
            self.tree.drop(each)
        self.options = {}
        for each in facts.choices:
            shown = [
                (f"{one} (usual)" if one == each.default else one, "" if one == each.default else one)
                for one in each.choices
            ]
            label = each.flag.replace("_", " ").capitalize()
            self.options[each.flag] = (
                self._dropdown(label, shown, "") if shown else self._text(label, each.help)
            )
        self.options_box.children = tuple(self.options.values())
        every = {
            "needed": PERIODS,
            "optional": (("As the report has it", NO_PERIOD), *PERIODS),
            "none": (("Now", NO_PERIOD),),
        }[facts.period]
        kept = self.period.value
        self.period.options = every
        self.period.value = kept if kept in dict(every).values() else every[0][1]
        self.changed()

    def _fill(self, values: Values) -> None:
        """What the line said already."""
        for name, value in values.items():
            if name in {"start", "end"}:
                self.period.value = CUSTOM
                getattr(self, name).value = str(value)
            elif name in {"month", "quarter", "year", "period"}:
                words = str(value)
                if words not in dict(self.period.options).values():
                    self.period.options = (*self.period.options, (words, words))
                self.period.value = words
            elif name == "tz":
                self.zone.value = str(value)
            elif name in self.options:
                self.options[name].value = str(value)
            elif name == "currency":
                self.currency.value = str(value)
            elif name == "compare":
                self.compare.value = "before"
        self.changed()

    def words(self) -> list[str]:
        """report NAME."""
        return ["report", str(self.name.value)]

    def values(self) -> dict[str, Any]:
        """The flags."""
        made: dict[str, Any] = {**self.period_values(), "currency": self.currency.value.strip()}
        if self.period.value == NO_PERIOD:
            made.pop("period", None)
        if self.compare.value:
            made["compare"] = True
        made |= {flag: each.value for flag, each in self.options.items()}
        return {name: value for name, value in made.items() if value}

    def save(self) -> str:
        """Write what the line gives as an Excel file."""
        frame = self.show()
        return f"Saved as {self.reporter.save(frame, self.file.value.strip() or 'report.xlsx')}."


class CloseForm(_PeriodForm):
    """The form of the month end: period, zone, the workbook's name."""

    def __init__(self, reporter: Reporter, connection: Any, values: Values) -> None:
        super().__init__(
            reporter,
            connection,
            "Month end",
            "Every proof over the period as a checklist, and a workbook to hand over. Nothing in Stripe changes.",
        )
        self.unit = next((name for name in ("month", "quarter", "year") if values.get(name)), "month")
        self.to = self._text("Workbook", "close.xlsx; blank: the checklist only")
        self.map = self._text("Accounts", "saas, skr03, skr04 or a file of yours")
        bar = self.tree.make(
            w.HBox,
            "row",
            _dom_classes=("sm-bar",),
            children=(self._button("Close the books", self.show, primary=True),),
        )
        self.children = (
            self.head, self.period, self.start, self.end, self.zone, self.to, self.map, self.line_shown, bar, self.status, self.result,
        )  # fmt: skip
        self.period.options = tuple(each for each in PERIODS if each[1] != CUSTOM)
        for name, control in (("tz", self.zone), ("to", self.to), ("map", self.map)):
            control.value = str(values.get(name) or "")
        named = next((str(values[name]) for name in ("month", "quarter", "year") if values.get(name)), "")
        if named:
            self.period.options = ((named, named), *self.period.options)
            self.period.value = named
        self.changed()

    def words(self) -> list[str]:
        """close."""
        return ["close"]

    def values(self) -> dict[str, Any]:
        """The flags."""
        chosen = str(self.period.value)
        unit = next((each for each in ("month", "quarter", "year") if chosen.endswith(each)), self.unit)
        made = {
            unit: chosen,
            "tz": self.zone.value.strip(),
            "to": self.to.value.strip(),
            "map": self.map.value.strip(),
        }
        return {name: value for name, value in made.items() if value}
