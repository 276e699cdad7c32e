"""The forms of reports and of the month end: what finance says of its reports, in the words that forms ask
for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stripe_magics import finance, forms
from stripe_magics.errors import StripeMagicsError, UsageFault
from stripe_magics.finance.report_table import REPORTS
from stripe_magics.forms.period_form import Choice, ReportFacts

_PERIOD = {"needed": "needed", "all": "optional", "months": "optional", "at": "optional", "none": "none"}


class FinanceReporter:
    """Reports by name, the month end, and Excel files, for the forms."""

    def reports(self) -> Sequence[ReportFacts]:
        """The reports there are."""
        return [
            ReportFacts(
                name,
                each.title,
                _PERIOD[each.period],
                tuple(
                    Choice(
                        flag,
                        (
                            str(option.default).lower()
                            if isinstance(option.default, bool)
                            else str(option.default)
                        ),
                        option.choices,
                        option.help,
                    )
                    for flag, option in each.options.items()
                ),
            )
            for name, each in REPORTS.items()
        ]

    def problem(self, words: Sequence[str], flag: str, value: str, values: Mapping[str, Any]) -> str:
        """What is wrong with the value of a flag: its error's first line."""
        try:
            self._check(words, flag, value, values)
        except StripeMagicsError as fault:
            return str(fault).splitlines()[0]
        return ""

    def _check(self, words: Sequence[str], flag: str, value: str, values: Mapping[str, Any]) -> None:
        from stripe_magics.finance import close_handover, comparison, list_fetch, reporting_period, runner
        from stripe_magics.finance.account_map import read_map

        zone = str(values.get("tz") or "UTC")
        if flag != "tz" and self.problem(words, "tz", zone, values):
            zone = "UTC"  # that one is said under its own field
        clock = list_fetch.stripe_clock()
        if flag == "period" and words[0] == "close" and not self.unit(value):
            reporting_period.calendar_period(value, flag, zone, clock)
            raise UsageFault(f"{value} is not a month, a quarter or a year.")
        if (
            flag == "end"
            and values.get("start")
            and not self.problem(words, "start", values["start"], values)
        ):
            reporting_period.period(values["start"], value, zone, now=clock)
        checks: dict[str, Callable[[], object]] = {
            "tz": lambda: reporting_period.check_zone(value),
            "start": lambda: reporting_period.moment(value, zone, clock),
            "end": lambda: reporting_period.end_of(value, zone, clock),
            "period": lambda: reporting_period.calendar_period(value, flag, zone, clock),
            "currency": lambda: comparison.check_currency(value),
            "to": lambda: close_handover.workbook_path(value),
            "map": lambda: read_map(value),
        }
        checks.get(flag, lambda: runner.check_given(words[1], {flag: value}))()

    def unit(self, period: str) -> str:
        """Whether a period is a month, a quarter or a year; "" if it is none of them."""
        from stripe_magics.finance.list_fetch import stripe_clock
        from stripe_magics.finance.reporting_period import calendar_period

        for unit in ("month", "quarter", "year"):
            try:
                calendar_period(period, unit, "UTC", stripe_clock())
            except UsageFault:
                continue
            return unit
        return ""

    def run(self, words: Sequence[str], values: Mapping[str, Any]) -> Any:
        """What the line gives."""
        if words[0] == "close":
            return finance.close_month(**values)
        return finance.report(words[1], **values)

    def save(self, frame: Any, path: str) -> str:
        """Write the frame as an Excel file."""
        if not path.endswith(".xlsx"):
            raise UsageFault(f"{path} is not the name of an Excel file. Example: report.xlsx.")
        frame.stripe.to_excel(path)
        return path


def report_form(positional: Sequence[Any], given: Mapping[str, Any]) -> Any:
    """`%stripe report [NAME [START END]] --form`: what is given is in the form, or refused as the line would
    refuse it."""
    from stripe_magics.client.shared_connection import shared
    from stripe_magics.finance import runner

    known = runner.find_report(str(positional[0]))[0] if positional else next(iter(REPORTS))
    values = dict(given)
    for flag, value in zip(("start", "end"), positional[1:], strict=False):
        if flag in values:
            raise UsageFault(f"--{flag} is given twice: {values[flag]} and {value}.")
        values[flag] = value
    runner.check_given(known, values)
    return forms.report_form(FinanceReporter(), values, name=known, connection=shared())


def close_form(values: Mapping[str, Any]) -> Any:
    """`%stripe close --form`."""
    from stripe_magics.client.shared_connection import shared
    from stripe_magics.finance.report_arguments import check_one_period

    check_one_period("close", "needed", values)

    return forms.close_form(FinanceReporter(), values, connection=shared())
