"""`%stripe report --form` and `%stripe close --form`: choose a report and a period, see it, save it, and take
the line along.

What is shown is what the line gives; the line stands under the choices and can be copied into a cell or a
script.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w

from stripe_magics.forms.period_form import BETWEEN, NO_PERIOD, PERIODS, PeriodForm, Reporter, Values
from stripe_magics.forms.widget_registry import set_children

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection


class ReportForm(PeriodForm):
    """The form of the reports."""

    def __init__(
        self, reporter: Reporter, connection: Connection | None, values: Values, name: str = ""
    ) -> None:
        super().__init__(reporter, connection, "Report", "Choose what to look at, and over which time.")
        self.known = {each.name: each for each in reporter.reports()}
        first = name or next(iter(self.known))
        self.name = self._dropdown(
            "Report", [(f"{each.title} ({each.name})", each.name) for each in self.known.values()], first
        )
        self.name.layout = self.tree.layout("rows")
        self.currency = self._text("currency", "Currency", "all; or usd, eur ...")
        self.compare = self._dropdown("Compare with", (("nothing", ""), ("the period before", "before")), "")
        self.options_box = self.tree.make(w.VBox, "full", children=())
        self.options: dict[str, Any] = {}
        self.file = self._text("file", "Excel file", "report.xlsx", "report.xlsx")
        lower = self._lower(
            self._button("Show", self.show, primary=True), self._button("Save as Excel", self.save)
        )
        upper = self._noted(
            self.name, self.period, self.named, self.start, self.end, self.zone, self.currency, self.compare,
            self.options_box, self.file,
        )  # fmt: skip
        self.children = (self.head, *upper, *lower)
        self.name.observe(lambda _: self._choose(), "value")
        self.period.value = None
        self._choose()
        self._fill(values)

    def _choose(self) -> None:
        """The options and periods of the chosen report."""
        facts = self.known[self.name.value]
        set_children(self.options_box, ())
        self._drop(*self.options)
        self.options = {}
        for each in facts.choices:
            label = each.flag.replace("_", " ").capitalize()
            if each.choices:
                shown = [
                    (f"{one} (usual)" if one == each.default else one, "" if one == each.default else one)
                    for one in each.choices
                ]
                self.controls[each.flag] = self._dropdown(label, shown, "")
            else:
                self._text(each.flag, label, f"{each.help} (usual: {each.default or 'none'})")
            self.options[each.flag] = self.controls[each.flag]
        set_children(self.options_box, self._noted(*self.options.values()))
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
        """What the line said already. A value without a control of its own stays in the line."""
        usual = {each.flag: each.default for each in self.known[self.name.value].choices}
        for name, value in self.take_period(values).items():
            said = str(value).lower() if isinstance(value, bool) else str(value)
            if name in self.options:
                self.options[name].value = "" if said == usual[name] else said
            elif name == "currency":
                self.currency.value = said
            elif name == "compare":
                self.compare.value = "before" if said.lower() == "true" else ""
            elif said.lower() != "false":
                self.also[name] = value
        self.changed()

    def words(self) -> list[str]:
        """report NAME."""
        return ["report", str(self.name.value)]

    def values(self) -> dict[str, Any]:
        """The flags."""
        made: dict[str, Any] = {**self.period_values(), "currency": self.currency.value.strip()}
        if self.compare.value:
            made["compare"] = True
        made |= {flag: each.value.strip() for flag, each in self.options.items()}
        return {name: value for name, value in {**made, **self.also}.items() if value}

    def problem(self, flag: str) -> str:
        """What is wrong with a field; the file's name counts when it is saved."""
        return "" if flag == "file" else super().problem(flag)

    def save(self) -> str:
        """Write what the line gives as an Excel file."""
        frame = self.show()
        return f"Saved as {self.reporter.save(frame, self.file.value.strip() or 'report.xlsx')}."


class CloseForm(PeriodForm):
    """The form of the month end: period, zone, the workbook's name."""

    def __init__(self, reporter: Reporter, connection: Connection | None, values: Values) -> None:
        super().__init__(
            reporter,
            connection,
            "Month end",
            "Every proof over the period as a checklist, and a workbook to hand over. Nothing in Stripe"
            " changes.",
        )
        self.to = self._text("to", "Workbook", "close.xlsx; blank: the checklist only")
        self.map = self._text("map", "Accounts", "saas, skr03, skr04 or a file of yours")
        upper = self._noted(self.period, self.named, self.start, self.end, self.zone, self.to, self.map)
        self.children = (
            self.head, *upper, *self._lower(self._button("Close the books", self.show, primary=True)),
        )  # fmt: skip
        self.period.options = tuple(each for each in PERIODS if each[1] != BETWEEN)
        for name, value in self.take_period(values).items():
            if name in {"to", "map"}:
                self.controls[name].value = str(value)
            elif value is not False:
                self.also[name] = value
        self.changed()

    def words(self) -> list[str]:
        """close."""
        return ["close"]

    def values(self) -> dict[str, Any]:
        """The flags."""
        said = self.period_values()
        period = said.pop("period", "")
        made = {
            self.reporter.unit(period) or "month": period,
            **said,
            "to": self.to.value.strip(),
            "map": self.map.value.strip(),
            **self.also,
        }
        return {name: value for name, value in made.items() if value}
