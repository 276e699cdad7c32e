"""What the form shows of the object that its amount belongs to, and what it refuses before anything is
sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stripe_magics.errors import Fault, InvalidValue
from stripe_magics.forms import amount_source
from stripe_magics.forms.form_protocol import FormView
from stripe_magics.money import format_amount, parse

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection


class AmountPanel:
    """Follows the ids of a form; forms without an amount of another object's never have anything to show."""

    def __init__(self, form: FormView) -> None:
        self.form = form
        self.path = ""
        self.connection: Connection | None = None  # on which the object was asked for
        self.source: amount_source.AmountSource | None = None
        self.panel: Any = None

    @property
    def parts(self) -> tuple[Any, ...]:
        """What stands in the form under the amount: the panel, once there is one."""
        return (self.panel,) if self.panel is not None else ()

    def update(self) -> None:
        """Bring it to the ids that the form holds now: another id means another object."""
        amount = amount_source.amount_field(self.form.state)
        if amount is None or self.form.connection is None:
            return
        path = amount_source.source_path(self.form.state)
        if path == self.path and self.form.connection is self.connection:
            return
        self.path, self.connection = path, self.form.connection
        self.source = amount_source.fetch(path, self.form.connection) if path else None
        self.form.state.source_currency = self.source.currency if self.source is not None else ""
        self._show()
        self.form.check(amount.name)

    def check_left(self, module: str) -> None:
        """Raises `InvalidValue` where the amount is more than is left."""
        if faults := self._faults():
            raise InvalidValue(faults, module=module)

    def _faults(self) -> tuple[Fault, ...]:
        """More than is left is refused here, in the person's words, before it is sent."""
        amount = amount_source.amount_field(self.form.state)
        if amount is None or self.source is None or self.source.left is None:
            return ()
        sent = self.minor()
        if sent is None or sent <= self.source.left:
            return ()
        asked, left = (
            format_amount(sent, self.source.currency),
            format_amount(self.source.left, self.source.currency),
        )
        return (
            Fault(amount.name, amount.title, f"{asked} is more than is left of {self.source.id}: {left}"),
        )

    def minor(self) -> int | None:
        """The amount entered, in minor units; None if there is none, or none that can be read."""
        state = self.form.state
        amount = amount_source.amount_field(state)
        raw = state.values().get(amount.name) if amount is not None else None
        if not isinstance(raw, str) or not raw.strip():
            return None
        try:
            return parse(raw, state.source_currency or None).minor
        except ValueError:  # the check of the field has its words for that
            return None

    def confirmation_text(self) -> str:
        """What would move, for the second step: `9.99 USD of 169.00 USD to Jenny Rosen, Visa 4242`; "" if it
        isn't known."""
        return self.source.words(self.minor()) if self.source is not None else ""

    def _show(self) -> None:
        if self.panel is None:
            if self.source is None:
                return
            from stripe_magics.forms.ephemeral_panel import EphemeralPanel

            self.panel = self.form.tree.make(EphemeralPanel, "wide", on_message=lambda _: None, aside=True)
        if self.source is None:
            self.panel.empty()
            return
        left = (
            f"{format_amount(self.source.left, self.source.currency)} left"
            if self.source.left is not None
            else ""
        )
        words = ", ".join(each for each in (self.source.words(self.source.amount), left) if each)
        self.panel.show("say", text=words)
