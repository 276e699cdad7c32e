"""What the forms of reports and of the month end share: a period, a zone, the line that they stand for, and
what came of it.

A form knows nothing of finance: a `Reporter`, which the caller passes in, says which reports there are, what
is wrong with a value, and runs a line. Each field has a note under it, which says what is wrong as soon as
the field is left; nothing is read while one of them does.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import ipywidgets as w

from stripe_magics._html import Markup, join, scrolling, tag
from stripe_magics.errors import StripeMagicsError
from stripe_magics.forms import html, result_area
from stripe_magics.forms.connection_guard import check_open, present
from stripe_magics.forms.field_marks import FieldMarks
from stripe_magics.forms.widget_registry import CSS, ROOT_CLASSES, WidgetRegistry, set_children, set_trait

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

BETWEEN, NAMED, NO_PERIOD = "between", "named", ""
PERIODS = (
    ("Last month", "last month"),
    ("This month", "this month"),
    ("Last quarter", "last quarter"),
    ("This quarter", "this quarter"),
    ("This year", "this year"),
    ("Another month, quarter or year", NAMED),
    ("From ... to ...", BETWEEN),
)
PERIOD_FLAGS = ("month", "quarter", "year", "period")
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a report: its flag, what it is unless chosen, what it may be (none: any text), and what it
    means."""

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

    def problem(self, words: Sequence[str], flag: str, value: str, values: Values) -> str:
        """What is wrong with the value of a flag, "" if nothing is. Reads nothing from Stripe."""

    def unit(self, period: str) -> str:
        """Whether a period is a "month", "quarter" or "year"; "" if it is none of them."""

    def run(self, words: Sequence[str], values: Values) -> Any:
        """What `%stripe WORDS --flags` gives: a DataFrame."""

    def save(self, frame: object, path: str) -> str:
        """Write a frame as an Excel file; where it is."""


class PeriodForm(w.VBox):
    """The base of both forms."""

    def __init__(self, reporter: Reporter, connection: Connection | None, title: str, lead: str) -> None:
        self.reporter, self.connection = reporter, connection
        self.frame: Any = None
        self.shown_line = ""  # of what stands below
        self.also: dict[str, Any] = {}  # given by the line that opened the form, without a control of its own
        self.tree = WidgetRegistry()
        self.controls: dict[str, Any] = {}  # by flag
        self.notes: dict[str, Any] = {}
        make = self.tree.make
        self._title = html.title(title, lead)
        self.head = make(w.HTML, "full", value="")
        self._show_banner()
        self.period = self._dropdown("Period", PERIODS, "last month")
        self.named = self._text(NAMED, "Which", "2026-08, 2026-Q3 or 2026")
        self.start = self._text("start", "From", "2026-09-01")
        self.end = self._text("end", "To", "2026-09-30 (that day is part of it)")
        self.zone = self._text("tz", "Time zone", "the account's; or Europe/Berlin ...")
        self.line_shown = make(w.HTML, "full", value="")
        self.problems = make(w.VBox, "full", _dom_classes=("sm-problems",))
        self.status = make(w.HTML, "full", value="")
        self.stale = make(w.HTML, "full", value="")
        self.result = make(w.HTML, "full", value="")
        self.marks = make(FieldMarks, "note")
        super().__init__(children=(), layout=self.tree.layout("root"), _dom_classes=ROOT_CLASSES)
        self.tree.adopt(self)

    # -- controls --------------------------------------------------------------------------------------------
    def _text(self, flag: str, label: str, placeholder: str = "", value: str = "") -> Any:
        made = self.tree.make(
            w.Text, "field", description=label, placeholder=placeholder, value=value, continuous_update=False
        )
        made.observe(lambda _: self.changed(), "value")
        self.controls[flag] = made
        self.notes[flag] = self.tree.make(w.HTML, "hidden", value=html.problem(flag, ""))
        return made

    def _dropdown(self, label: str, options: Sequence[tuple[str, str]], value: str) -> Any:
        made = self.tree.make(w.Dropdown, "wide", description=label, options=tuple(options), value=value)
        made.observe(lambda _: self.changed(), "value")
        return made

    def _drop(self, *flags: str) -> None:
        """Take fields away that another choice doesn't have."""
        for flag in flags:
            if flag in self.notes:
                self.tree.drop(self.notes.pop(flag))
            self.tree.drop(self.controls.pop(flag))

    def _button(self, label: str, action: Callable[[], object], *, primary: bool = False) -> Any:
        made = self.tree.make(
            w.Button, "button", description=label, button_style="primary" if primary else ""
        )
        made.on_click(lambda _: self._guarded(action))
        return made

    def _noted(self, *controls: Any) -> tuple[Any, ...]:
        """Controls, each with its note after it."""
        note_of = {id(self.controls[flag]): note for flag, note in self.notes.items()}
        return tuple(part for each in controls for part in (each, note_of.get(id(each))) if part is not None)

    def _lower(self, *buttons: Any) -> tuple[Any, ...]:
        """What stands under the controls."""
        bar = self.tree.make(w.HBox, "row", children=buttons, _dom_classes=("sm-bar",))
        return (self.line_shown, bar, self.problems, self.status, self.stale, self.result, self.marks)

    # -- what is chosen --------------------------------------------------------------------------------------
    def words(self) -> list[str]:
        """The words of the line, before its flags."""
        raise NotImplementedError

    def values(self) -> dict[str, Any]:
        """The flags of the line, by name."""
        raise NotImplementedError

    def period_values(self) -> dict[str, str]:
        """The flags that say the period and the zone."""
        bounds = {
            BETWEEN: {"start": self.start.value.strip(), "end": self.end.value.strip()},
            NAMED: {"period": self.named.value.strip()},
        }.get(self.period.value, {"period": str(self.period.value)})
        return {name: value for name, value in {**bounds, "tz": self.zone.value.strip()}.items() if value}

    def take_period(self, values: Values) -> dict[str, Any]:
        """Fill in the period and the zone that a line said; the rest of its values is given back."""
        rest = dict(values)
        self.zone.value = str(rest.pop("tz", None) or "")
        for name in ("start", "end"):
            if rest.get(name) is not None:
                self.period.value = BETWEEN
                self.controls[name].value = str(rest[name])
            rest.pop(name, None)
        for name in PERIOD_FLAGS:
            said = rest.pop(name, None)
            if said is None:
                continue
            offered = str(said) in dict(self.period.options).values()
            self.period.value = str(said) if offered else NAMED
            self.named.value = "" if offered else str(said)
        return rest

    def line(self) -> str:
        """The line that stands for what is chosen."""
        flags = [
            (
                f"--{name.replace('_', '-')}"
                if value is True
                else f"--{name.replace('_', '-')} {shlex.quote(str(value))}"
            )
            for name, value in self.values().items()
        ]
        return " ".join(["%stripe", *self.words(), *flags])

    def changed(self) -> None:
        """Show the line anew, the fields that the choice needs, and whether what stands below is still of
        it."""
        for control, choice in ((self.named, NAMED), (self.start, BETWEEN), (self.end, BETWEEN)):
            control.layout = self.tree.layout("field" if self.period.value == choice else "hidden")
        line = self.line()
        set_trait(self.line_shown, "value", html.line(line))
        old = self.shown_line if self.shown_line != line else ""
        words = [f"It is of {old}"] if old else []
        set_trait(
            self.stale,
            "value",
            html.card("ask", "What stands below is not of these choices.", words) if old else "",
        )
        for flag in self.notes:
            self._note(flag, self.problem(flag) if self.controls[flag].value.strip() else "")
        if not self._faulty():
            self._list_problems({})
        set_trait(self.status, "value", "")

    # -- what is wrong ---------------------------------------------------------------------------------------
    def problem(self, flag: str) -> str:
        """What is wrong with a field, in a person's words; "" if nothing is, or if it isn't shown."""
        value, chosen = self.controls[flag].value.strip(), self.period.value
        if (flag == NAMED and chosen != NAMED) or (flag in {"start", "end"} and chosen != BETWEEN):
            return ""
        if not value:
            needed = {NAMED: "Give a month, a quarter or a year."}
            if not self.end.value.strip():
                needed["start"] = "Give a day."
            return needed.get(flag, "")
        said = "period" if flag == NAMED else flag
        text = self.reporter.problem(self.words(), said, value, self.values())
        return self.in_words(text.replace(f"--{said} ", ""))  # under the field itself its name is no news

    def in_words(self, text: str) -> str:
        """A message about flags as one about the form's fields."""
        labels = {flag: each.description for flag, each in self.controls.items()}
        known = {**labels, "month": "Period", "quarter": "Period", "year": "Period", "period": "Period"}
        return re.sub(r"--([a-z-]+)", lambda found: known.get(found[1].replace("-", "_"), found[0]), text)

    def _faulty(self) -> bool:
        return any("sm-bad" in note.value for note in self.notes.values())

    def _note(self, flag: str, problem: str) -> None:
        note = self.notes[flag]
        set_trait(note, "value", html.problem(flag, problem))
        note.layout = self.tree.layout("note" if problem else "hidden")

    def _list_problems(self, found: Mapping[str, str]) -> None:
        """Each faulty field beside the button, as a link that goes there."""
        self.tree.drop(*self.problems.children)
        buttons = []
        for flag, words in found.items():
            label = f"{self.controls[flag].description}: {words}"
            button = self.tree.make(w.Button, "button", description=label, _dom_classes=("sm-problem",))
            button.on_click(partial(self._jump, flag))
            buttons.append(button)
        set_children(self.problems, tuple(buttons))

    def _jump(self, flag: str, _: object) -> None:
        if hasattr(self.controls[flag], "focus"):  # ipywidgets 7 has no such thing
            self.controls[flag].focus()

    # -- doing -----------------------------------------------------------------------------------------------
    def _guarded(self, action: Callable[[], object]) -> None:
        found = {flag: words for flag in self.notes if (words := self.problem(flag))}
        for flag in self.notes:
            self._note(flag, found.get(flag, ""))
        self._list_problems(found)
        if found:
            count = "One value needs" if len(found) == 1 else f"{len(found)} values need"
            self.status.value = html.card("wrong", f"{count} correcting. Nothing was read.", role="alert")
            return
        self.status.value = html.card("plain", "Working ...")
        try:
            said = action()
        except StripeMagicsError as fault:
            self.status.value = html.card("wrong", *self._worded(fault), role="alert")
        except Exception as fault:  # our own mistake: an exception in a callback would be seen by nobody
            self.status.value = html.card("wrong", "That failed.", [html.own_mistake(fault)], role="alert")
        else:
            self.status.value = html.card("good", said) if isinstance(said, str) else ""

    def _worded(self, fault: StripeMagicsError) -> tuple[str, list[str]]:
        """An error's first line, and the rest, in words of the form; what it says about writing a period in a
        line is no help here."""
        first, *rest = str(fault).splitlines() or [type(fault).__name__]
        lines = ["Choose another period." if "--month" in each else self.in_words(each) for each in rest]
        return self.in_words(first), lines

    def _show_banner(self) -> None:
        set_trait(self.head, "value", CSS + html.mode_banner(self.connection) + self._title)

    def show(self) -> Any:
        """Run the line, show what it gives and keep it under a name.

        Raises `ConfirmationNeeded` if the account that the form shows isn't connected any more.
        """
        if self.connection is None:  # opened before there was one: it belongs to the first that it reads
            self.connection = present()
            self._show_banner()
        check_open(self.connection)
        line = self.line()
        self.frame = self.reporter.run(self.words(), self.values())
        name = "_".join(["stripe", *self.words()])
        kept = [f"Saved as the DataFrame {name}."] if result_area.bind(name, self.frame) else []
        shown = result_area.rendered(self.frame)
        table = Markup(shown.get("text/html") or tag("pre", shown.get("text/plain", "")))
        self.result.value = join([html.remarks([*self._notes(), *kept]), scrolling(table, "Result")])
        self.shown_line = line
        self.changed()
        return self.frame

    def _notes(self) -> Iterable[str]:
        about = getattr(self.frame, "attrs", {}).get("stripe", {})
        return [str(each) for each in about.get("notes") or []]

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
