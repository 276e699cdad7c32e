"""The forms of reports and of the month end: what finance says of its reports, in the words that forms ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stripe_magics import forms
from stripe_magics.errors import UsageFault
from stripe_magics.forms.report_widget import Choice, ReportFacts

_PERIOD = {"needed": "needed", "all": "optional", "months": "optional", "at": "optional", "none": "none"}


class FinanceReporter:
    """Reports by name, the month end, and Excel files, for the forms."""

    def reports(self) -> Sequence[ReportFacts]:
        """The reports there are."""
        from stripe_magics.finance.reports import REPORTS

        return [
            ReportFacts(
                name,
                each.title,
                _PERIOD[each.period],
                tuple(
                    Choice(
                        flag,
                        str(option.default).lower()
                        if isinstance(option.default, bool)
                        else str(option.default),
                        option.choices,
                        option.help,
                    )
                    for flag, option in each.options.items()
                ),
            )
            for name, each in REPORTS.items()
        ]

    def run(self, words: Sequence[str], values: Mapping[str, Any]) -> Any:
        """What the line gives."""
        from stripe_magics import finance

        if words[0] == "close":
            return finance.close_month(**values)
        return finance.report(words[1], **values)

    def save(self, frame: Any, path: str) -> str:
        """Write the frame as an Excel file."""
        if not path.endswith(".xlsx"):
            raise UsageFault(f"{path} is not the name of an Excel file. Example: report.xlsx.")
        frame.stripe.to_excel(path)
        return path


def report_form(name: str, values: Mapping[str, Any]) -> Any:
    """`%stripe report [NAME] --form`."""
    from stripe_magics.client.shared_connection import shared
    from stripe_magics.finance.runner import find_report

    known = find_report(name)[0] if name else ""
    return forms.report_form(FinanceReporter(), values, name=known, connection=shared())


def close_form(values: Mapping[str, Any]) -> Any:
    """`%stripe close --form`."""
    from stripe_magics.client.shared_connection import shared

    return forms.close_form(FinanceReporter(), values, connection=shared())
