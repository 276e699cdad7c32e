"""What can be done with a row of a list: by type of object and state, the form that does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from stripe_magics import catalogue
from stripe_magics.forms.html import destroys
from stripe_magics.forms.stories.billing_stories import INVOICE_ACTIONS


@dataclass(frozen=True, slots=True)
class RowAction:
    """A button of a selected row: the module whose form it opens, the field that takes the row's id, and the
    states in which it can be done."""

    label: str
    module: str
    field: str
    states: frozenset[str] = frozenset()  # none: in any state
    group: str = ""  # of the form's fields, the one to open

    @property
    def style(self) -> str:
        """Of its button: red where something is taken away for good."""
        return style_of(self.module)

    def fits(self, row: Mapping[str, Any]) -> bool:
        """Whether the row's state allows it."""
        return not self.states or str(row.get("status")) in self.states


def style_of(module: str) -> str:
    """The style of a button that opens that module's form."""
    return "danger" if destroys(catalogue.find(module)) else ""


def _action(label: str, module: str, field: str, *states: str) -> RowAction:
    return RowAction(label, module, field, frozenset(states))


_UNPAID = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture")

ACTIONS: dict[str, tuple[RowAction, ...]] = {
    "payment_intent": (
        _action("Refund", "refunds.create", "payment_intent", "succeeded"),
        _action("Capture", "payment_intents.capture", "payment_intent", "requires_capture"),
        _action("Cancel", "payment_intents.cancel", "payment_intent", *_UNPAID),
    ),
    "charge": (_action("Refund", "refunds.create", "charge", "succeeded"),),
    "customer": (
        _action("Edit", "customers.update", "customer"),
        _action("New invoice", "invoices.create", "customer"),
    ),
    "invoice": tuple(
        _action(label, module, "invoice", state)
        for state, pairs in INVOICE_ACTIONS.items()
        for label, module in pairs
    ),
    "subscription": (
        _action("Cancel", "subscriptions.cancel", "subscription", "active", "trialing", "past_due", "unpaid"),
    ),
    "payout": (_action("Cancel", "payouts.cancel", "payout", "pending"),),
    "dispute": (
        replace(
            _action(
                "Send evidence", "disputes.update", "dispute", "needs_response", "warning_needs_response"
            ),
            group="Evidence",
        ),
    ),
    "refund": (_action("Cancel", "refunds.cancel", "refund", "requires_action"),),
}
"""By type of object, the most usual first."""


def actions_for(kind: str, rows: list[Mapping[str, Any]]) -> list[RowAction]:
    """What can be done with all of these rows."""
    return [each for each in ACTIONS.get(kind, ()) if rows and all(each.fits(row) for row in rows)]
