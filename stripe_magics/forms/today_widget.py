"""Today's page as it is shown: the page itself as a plain output, and under it what opens each line and reads
the page again."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from stripe_magics.forms.card_widget import object_card
from stripe_magics.forms.connection_guard import check_open
from stripe_magics.forms.opened_below import OpenedBelow
from stripe_magics.forms.part_list import Part, PartList
from stripe_magics.forms.run_protocols import RunCommand
from stripe_magics.forms.today_card import Today, TodaySection, today
from stripe_magics.forms.widget_registry import WidgetRegistry, set_children

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection


class TodayPage:
    """The page. `refresh` reads it again; `parts` are its lines that name an object."""

    def __init__(self, connection: Connection, *, run: RunCommand | None = None) -> None:
        self.connection, self.run = connection, run
        self.today: Today = today(connection)
        self.tree = WidgetRegistry()
        self.below = OpenedBelow(self.tree)
        self.parts = self._parts()
        self._rows = self.tree.make(w.VBox, "full", children=self.parts.widgets)
        self._bar = self.tree.make(
            w.HBox, "row", children=(self.below.button("Refresh", self.refresh),), _dom_classes=("sm-bar",)
        )
        self._handle: Any = None

    @property
    def sections(self) -> list[TodaySection]:
        """The lists of the page, in order."""
        return self.today.sections

    @property
    def day(self) -> str:
        """Which day it is, in the account's zone."""
        return self.today.day

    def refresh(self) -> TodayPage:
        """Read the page again and show it in the same place."""
        check_open(self.connection)
        self.today = today(self.connection)
        self.below.drop()
        old, self.parts = self.parts, self._parts()
        set_children(self._rows, self.parts.widgets)
        self.tree.drop(old.list, old.bar)
        if self._handle is not None:
            self._handle.update(self._texts(), raw=True)
        return self

    def show_part(self, identity: str) -> Any:
        """The card of a line's object, below the page."""
        check_open(self.connection)
        card = object_card(identity, connection=self.connection, run=self.run)
        return self.below.show(card, card.widget())

    def as_record(self) -> dict[str, Any]:
        """The page as it goes into JSON."""
        return asdict(self.today)

    def close(self) -> None:
        """Close the buttons and what they opened."""
        self.below.drop()
        self.tree.close()

    def _parts(self) -> PartList:
        return PartList(
            self.tree,
            (Part(line.id, line.text, line.status) for each in self.sections for line in each.lines),
            label="What to do about",
            below=self.below,
            show_card=self.show_part,
            connection=self.connection,
            run=self.run,
        )

    # -- what is shown ---------------------------------------------------------------------------------------
    def __repr__(self) -> str:
        return repr(self.today)

    def _repr_html_(self) -> str:
        return self.today._repr_html_()

    def _texts(self) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _ipython_display_(self) -> None:
        from IPython.display import display

        self._handle = display(self._texts(), raw=True, display_id=True)
        under = self.tree.make(w.VBox, "root", children=(self._bar, self._rows, *self.below.parts))
        view = {"version_major": 2, "version_minor": 0, "model_id": under.model_id}
        words = "%stripe ID opens what a line names."
        display({"text/plain": words, "application/vnd.jupyter.widget-view+json": view}, raw=True)
