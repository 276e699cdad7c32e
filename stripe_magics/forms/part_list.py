"""The parts of a card (its payments, invoices, disputes ...) as a list to choose from: the chosen one opens
its own card, or the form of what can be done with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from stripe_magics.catalogue import stripe_objects
from stripe_magics.forms.connection_guard import check_open
from stripe_magics.forms.opened_below import OpenedBelow
from stripe_magics.forms.row_actions import RowAction, actions_for
from stripe_magics.forms.run_protocols import RunCommand
from stripe_magics.forms.widget_registry import WidgetRegistry, set_children

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

NONE = "choose ..."


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a card that names an object."""

    id: str
    text: str
    status: str = ""

    @property
    def words(self) -> str:
        """As the list shows it."""
        state = f" ({self.status.replace('_', ' ')})" if self.status else ""
        return f"{self.text}{state}, {self.id}"


class PartList:
    """The list and its buttons. `choose(id)` offers what can be done; `press(label)` does it."""

    def __init__(
        self,
        tree: WidgetRegistry,
        parts: Iterable[Part],
        *,
        label: str,
        below: OpenedBelow,
        show_card: Callable[[str], Any],
        connection: Connection,
        run: RunCommand | None,
    ) -> None:
        self.tree, self.below, self.show_card, self.connection, self.run = (
            tree,
            below,
            show_card,
            connection,
            run,
        )
        known = {each.id: each for each in parts if each.id and stripe_objects.owner(each.id)}
        self.parts = list(known.values())
        options = [(NONE, ""), *((each.words, each.id) for each in self.parts)]
        self.list = tree.make(w.Dropdown, "wide", description=label, options=options, value="")
        self.list.observe(lambda change: self._offer(str(change["new"])), "value")
        self.bar = tree.make(w.HBox, "row", children=(), _dom_classes=("sm-bar",))

    @property
    def widgets(self) -> tuple[Any, ...]:
        """What stands in the card; nothing where the card has no parts."""
        return (self.list, self.bar) if self.parts else ()

    def choose(self, identity: str) -> list[str]:
        """Offer what can be done with a part; gives the labels."""
        self.list.value = identity
        return [each.description for each in self.bar.children]

    def press(self, label: str) -> Any:
        """Do it; gives what it opened."""
        next(each for each in self.bar.children if each.description == label).click()
        return self.below.opened

    def _offer(self, identity: str) -> None:
        self.below.drop()
        for each in self.bar.children:
            self.tree.drop(each)
        buttons = []
        if identity:
            part = next(each for each in self.parts if each.id == identity)
            row = {"id": part.id, "status": part.status}
            buttons.append(self.below.button("Show card", partial(self.show_card, identity)))
            buttons += [
                self.below.button(each.label, partial(self._open, each, identity), each.style)
                for each in actions_for(stripe_objects.owner(identity), [row])
            ]
        set_children(self.bar, tuple(buttons))

    def _open(self, action: RowAction, identity: str) -> Any:
        from stripe_magics.forms import module_form

        check_open(self.connection)
        form = module_form(action.module, {action.field: identity}, run=self.run, connection=self.connection)
        if action.group in form.groups:
            form.open_group(action.group)
        return self.below.show(form)
