"""Taxes of single lines that were worked out elsewhere (`tax_amounts` of a line): they stand in for tax rates
and automatic tax."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.tax_rate_objects import archived_rate, check_percentage

MAX_LINE_TAXES = 10


def give(account: Account, line_id: str, given: list[dict[str, Any]] | None, param: str) -> None:
    """Set the taxes of a line; none, or an empty text, lets rates count again."""
    notes = account.private_state.setdefault(line_id, {})
    if not given:
        notes.pop("tax_amounts", None)
        return
    if len(given) > MAX_LINE_TAXES:
        raise invalid_before_execution(f"A line takes at most {MAX_LINE_TAXES} tax amounts.", param=param)
    entries = []
    for place, each in enumerate(given):
        data = each["tax_rate_data"]
        check_percentage(data["percentage"], f"{param}[{place}][tax_rate_data][percentage]")
        rate = archived_rate(account, data)
        entries.append(
            {
                "amount": each["amount"],
                "inclusive": rate["inclusive"],
                "tax_rate": rate["id"],
                "taxability_reason": each.get("taxability_reason"),
                "taxable_amount": each["taxable_amount"],
            }
        )
    notes["tax_amounts"] = entries


def given_taxes(account: Account, invoice: Object, lines: list[Object]) -> dict[str, list[Object]]:
    """Line -> the taxes that were given for it. Refuses them beside rates of the invoice, of its lines, or
    automatic ones."""
    found = {}
    for line in lines:
        taxes = account.private_state.get(line["id"], {}).get("tax_amounts")
        if taxes:
            found[line["id"]] = [dict(each) for each in taxes]
    if not found:
        return found
    for name, there in (
        ("default_tax_rates", invoice["default_tax_rates"]),
        ("automatic_tax", invoice["automatic_tax"]["enabled"]),
        ("tax_rates", any(line["tax_rates"] for line in lines)),
    ):
        if there:
            raise invalid(
                f"tax_amounts of a line can't be combined with {name}: remove one of them first.",
                param="tax_amounts",
            )
    return found
