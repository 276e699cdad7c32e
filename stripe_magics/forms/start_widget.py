"""What a bare `%stripe` opens: the connection, a search over what people want to do, and the things that they
do most.

Words go to the search that `%stripe find` has, which the caller passes in: "give money back", "who owes us",
"chargeback".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from stripe_magics.errors import StripeMagicsError
from stripe_magics.forms import html
from stripe_magics.forms.field_marks import FieldMarks
from stripe_magics.forms.widget_registry import CSS, ROOT_CLASSES, Closable, WidgetRegistry, set_children

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

TILES = (
    ("Today", "today"),
    ("Find a customer", "customers search"),
    ("Give money back", "refunds create"),
    ("New invoice", "invoices create"),
    ("Payments", "payment_intents list"),
    ("Payouts", "payouts list"),
    ("Reports", "report"),
    ("Connect", "connect"),
)
"""What people do most, and the line that does it."""

SHOWN = 8  # search results


class StartCard(w.VBox):
    """The widget. `search(words)` and `show_line(line)` are what its field and its buttons do."""

    def __init__(
        self,
        *,
        connection: Connection | None,
        search: Callable[[str], list[tuple[str, str]]],
        open_line: Callable[[str], Any],
    ) -> None:
        self._search, self._open_line = search, open_line
        self.tree = WidgetRegistry()
        self.opened: Closable | None = None
        make = self.tree.make
        words = html.title(
            "Stripe", "Say what you want to do, or choose below. %stripe help shows everything else."
        )
        top = make(w.HTML, "full", value=CSS + html.mode_banner(connection) + words)
        self.words = make(
            w.Text,
            "field",
            description="I want to",
            placeholder="give money back, who owes us, chargeback ...",
            continuous_update=False,
        )
        self.words.observe(lambda change: self.search(str(change["new"])), "value")
        self.results = make(w.VBox, "full", children=(), _dom_classes=("sm-results",))
        tiles = make(
            w.HBox,
            "row",
            children=tuple(self._button(label, line) for label, line in TILES),
            _dom_classes=("sm-bar",),
        )
        self.status = make(w.HTML, "full", value="")
        self.slot = make(w.VBox, "full", children=())
        super().__init__(
            children=(top, self.words, self.results, tiles, self.status, self.slot, make(FieldMarks, "note")),
            layout=self.tree.layout("root"),
            _dom_classes=ROOT_CLASSES,
        )
        self.tree.adopt(self)

    def search(self, words: str) -> list[str]:
        """Show what the words may mean; gives the lines."""
        for each in self.results.children:
            self.tree.drop(each)
        found = self._search(words)[:SHOWN] if words.strip() else []
        set_children(self.results, tuple(self._button(f"{title}  ({line})", line) for line, title in found))
        if words.strip() and not found:
            self.status.value = html.card(
                "plain", f"Nothing found for {words!r}. Try other words, or %stripe help."
            )
        else:
            self.status.value = ""
        return [line for line, _ in found]

    def show_line(self, line: str) -> Any:
        """Open what a line stands for: a form below, or a page of text."""
        self._drop()
        shown = self._open_line(line)
        if isinstance(shown, w.Widget):
            self.opened = shown
            set_children(self.slot, (shown,))
            self.status.value = ""
        elif shown is not None:
            page = getattr(shown, "_repr_html_", None)
            self.status.value = page() if page is not None else html.card("plain", str(shown))
        return shown

    def close(self) -> None:
        """Close the card and what it opened."""
        self._drop()
        if self.tree.closed:
            super().close()
        else:
            self.tree.close()

    def _drop(self) -> None:
        if self.opened is not None:
            set_children(self.slot, ())
            self.opened.close()
            self.opened = None

    def _button(self, label: str, line: str) -> Any:
        button = self.tree.make(w.Button, "button", description=label)

        def pressed(_: object) -> None:
            try:
                self.show_line(line)
            except StripeMagicsError as fault:
                self.status.value = html.error(fault)
            except Exception as fault:  # our own mistake: an exception in a callback would be seen by nobody
                self.status.value = html.card(
                    "wrong", "It could not be opened.", [html.own_mistake(fault)], role="alert"
                )

        button.on_click(pressed)
        return button

    def __repr__(self) -> str:
        lines = [f"  %stripe {line:<24} {label}" for label, line in TILES]
        return "\n".join(
            ["%stripe", *lines, "  %stripe find WORDS            search; %stripe help: everything else"]
        )

    def _ipython_display_(self, **kwargs: Any) -> None:
        from IPython.display import display

        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        display({"text/plain": repr(self), "application/vnd.jupyter.widget-view+json": view}, raw=True)
        if hasattr(self, "_handle_displayed"):  # ipywidgets 7
            self._handle_displayed(**kwargs)
