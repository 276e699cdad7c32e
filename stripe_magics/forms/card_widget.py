"""The card of one object: what it is, its story in order, and buttons that open the form for what can be done
next.

The card itself is a plain output: it stays readable in a saved notebook, and follows a light or a dark page.
Under it, where there are widgets, stand the buttons; a form opens below them, prefilled, with its own
questions before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import ipywidgets as w

from stripe_magics import _locale
from stripe_magics._html import Markup, output, table, tag
from stripe_magics._redaction import hide
from stripe_magics._status_colours import WAITING, colours
from stripe_magics.catalogue import stripe_objects
from stripe_magics.errors import NotFound, UnknownName
from stripe_magics.forms import html
from stripe_magics.forms.connection_guard import check_open, describe
from stripe_magics.forms.object_search import find, id_in
from stripe_magics.forms.opened_below import OpenedBelow
from stripe_magics.forms.part_list import Part, PartList
from stripe_magics.forms.row_actions import style_of
from stripe_magics.forms.run_protocols import RunCommand
from stripe_magics.forms.static_files import static_text
from stripe_magics.forms.stories import Action, Entry, Story, story_of
from stripe_magics.forms.widget_registry import WidgetRegistry

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

SHOWN = 12  # entries of a story that are seen at once
CARD_CSS = f"<style>\n{static_text('card.css')}</style>"


def caller(connection: Connection) -> Callable[[str], Any]:
    """`get(path)` -> Stripe's JSON, `has_more` included, without what no page may show: a card is saved with
    its notebook, and anybody may have typed a key into a description."""
    from stripe_magics.request import Request

    def get(path: str) -> Any:
        plain, _, query = path.partition("?")
        request = Request(module="api.call", method="GET", path=plain, params=tuple(parse_qsl(query)))
        return hide(connection.send(request).data)

    return get


def resolve(text: str, connection: Connection) -> tuple[str, str]:
    """(type of object, id) of what a person typed: an id, a Dashboard address, an e-mail, an invoice number.

    Raises `NotFound` where nothing has it, `UnknownName` for a text that is none of these or means several.
    """
    from stripe_magics.pipeline import call

    identity = id_in(text)
    if identity:
        kind = stripe_objects.owner(identity)
        if kind:
            return kind, identity
        raise UnknownName("type of object with the id", identity, [])
    kind = "customer" if "@" in text else "invoice"
    found = find(
        kind,
        text.strip(),
        lambda name, **values: call(name, raw=True, connection=connection, **values),
        limit=5,
    )
    exact = [
        each
        for each in found
        if text.strip().lower() in {str(each.get("email", "")).lower(), str(each.get("number", "")).lower()}
    ]
    if not exact:
        raise NotFound(
            f"No {kind} with {text.strip()!r} was found in this account and mode.",
            advice=(
                "Stripe's search finds an object about a minute after it was made. An id opens it at once."
            ),
        )
    if len(exact) > 1:
        raise UnknownName(f"one {kind}: {len(exact)} have", text.strip(), [str(each["id"]) for each in exact])
    return kind, str(exact[0]["id"])


class ObjectCard:
    """What a line with an id shows. `story` has what it knows; `open(label)` opens a form as its button
    does."""

    def __init__(self, story: Story, connection: Connection, *, run: RunCommand | None = None) -> None:
        self.story, self.connection, self.run = story, connection, run
        self.tree: WidgetRegistry | None = None
        self.below: OpenedBelow | None = None
        self.parts: PartList | None = None
        self._form: Any = None  # of a card that has no buttons

    @property
    def form(self) -> Any:
        """What is open under the card."""
        return self.below.opened if self.below is not None else self._form

    def open(self, label: str) -> Any:
        """The form of an action, prefilled."""
        action = next(each for each in self.story.actions if each.label == label)
        return self._open_form(action)

    def close(self) -> None:
        """Close the buttons and what is open under them."""
        if self.form is not None:
            self.form.close()
        if self.tree is not None:
            self.tree.close()

    def widget(self) -> Any:
        """The card with its buttons as one widget, for a place below another card."""
        tree = self._registry()
        shown = tree.make(w.HTML, "full", value=self._repr_html_())
        buttons = self.buttons()
        return tree.make(w.VBox, "full", children=(shown, *((buttons,) if buttons is not None else ())))

    def buttons(self) -> Any:
        """The row of buttons, the list of parts, and a place for what they open; None where nothing can be
        done."""
        tree = self._registry()
        self.below = below = OpenedBelow(tree)
        made = tuple(
            below.button(each.label, partial(self._open_form, each), style_of(each.module))
            for each in self.story.actions
        )
        self.parts = PartList(
            tree,
            (
                Part(each.id, each.text, each.status)
                for each in self.story.entries
                if each.id != self.story.id
            ),
            label="Go to",
            below=below,
            show_card=self.show_part,
            connection=self.connection,
            run=self.run,
        )
        if not made and not self.parts.widgets:
            return None
        bar = tree.make(w.HBox, "row", children=made, _dom_classes=("sm-bar",))
        return tree.make(
            w.VBox, "root", children=(bar, *self.parts.widgets, *below.parts), _dom_classes=("sm-under",)
        )

    def show_part(self, identity: str) -> ObjectCard:
        """The card of a part, below this one."""
        check_open(self.connection)
        card = object_card(identity, connection=self.connection, run=self.run)
        if self.below is not None:
            self.below.show(card, card.widget())
        return card

    def _registry(self) -> WidgetRegistry:
        if self.tree is None:
            self.tree = WidgetRegistry()
        return self.tree

    def _open_form(self, action: Action) -> Any:
        from stripe_magics.forms import module_form

        check_open(self.connection)
        form = module_form(action.module, action.values, run=self.run, connection=self.connection)
        if self.below is not None:
            return self.below.show(form)
        if self._form is not None:
            self._form.close()
        self._form = form
        return form

    # -- what is shown ---------------------------------------------------------------------------------------
    def as_record(self) -> dict[str, Any]:
        """The story as it goes into JSON: facts as pairs, entries newest first, their times in Unix
        seconds."""
        story = asdict(self.story)
        del story["actions"]  # buttons
        return story

    def __repr__(self) -> str:
        story = self.story
        lines = [
            f"{story.title} [{story.status or story.kind}] {story.id} · {describe(self.connection)}",
            *(f"  {name}: {value}" for name, value in story.facts),
        ]
        lines += [
            f"  {self._when(each.time)}  {each.text}{f' [{each.status}]' if each.status else ''}  {each.id}"
            for each in story.entries
        ]
        return "\n".join([*lines, *(f"  {each}" for each in story.notes)])

    def _repr_html_(self) -> str:
        return card_html(self.story, self.connection)

    def _when(self, seconds: int) -> str:
        return when(seconds, self.connection.zone)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display({"text/plain": repr(self), "text/html": self._repr_html_()}, raw=True)
        buttons = self.buttons()
        if buttons is not None:
            view = {"version_major": 2, "version_minor": 0, "model_id": buttons.model_id}
            # where there are no widgets nothing may look like a button
            words = ", ".join(each.label for each in self.story.actions)
            words = f"Run the cell in a notebook for: {words}." if words else ""
            display({"text/plain": words, "application/vnd.jupyter.widget-view+json": view}, raw=True)


def when(seconds: int, zone: tzinfo) -> str:
    """`02 Nov 2026, 09:00`."""
    return _locale.moment(datetime.fromtimestamp(seconds, zone or UTC), "%d %b %Y, %H:%M")


def card_html(story: Story, connection: Connection) -> str:
    """The card. Everything from Stripe is escaped, and nothing in it is read as mathematics."""
    badge = status_badge(story.status)
    link = ""
    if connection.mode != "sandbox":
        from stripe_magics.accessor.dashboard_links import base_address, page_of

        link = base_address(connection.mode, connection.account) + page_of(story.kind, story.id)
    opened = (" ", tag("a", "Open in Dashboard", href=link, target="_blank", rel="noopener")) if link else ()
    facts = ((tag("th", name, scope="row"), value) for name, value in story.facts)
    entries = story.entries
    folded = set() if len(entries) <= SHOWN + 2 else {*range(SHOWN, len(entries))}
    folded -= {place for place, each in enumerate(entries) if each.status in WAITING}
    shown = [each for place, each in enumerate(entries) if place not in folded]
    kind = story.kind.rpartition(".")[2].replace("_", " ").capitalize()
    card = output(
        tag("h3", story.title, " ", badge),
        tag("p", f"{kind} ", tag("code", story.id), f" · {describe(connection)}", *opened, class_="sm-sub"),
        table([], facts, by_sheet=True, class_="sm-facts"),
        _entries(shown, connection.zone, "What happened"),
        _folded([entries[place] for place in sorted(folded)], connection.zone),
        html.remarks(story.notes),
        class_="sm-object", role="group", aria_label=kind,
    )  # fmt: skip
    return CARD_CSS + card


def _entries(entries: Iterable[Entry], zone: tzinfo, label: str) -> Markup:
    rows = (
        (
            tag("td", when(each.time, zone), class_="sm-when"),
            each.text,
            status_badge(each.status),
            id_cell(each.id),
        )
        for each in entries
    )
    return table([], rows, by_sheet=True, class_="sm-story sm-dated", aria_label=label)


def _folded(entries: Sequence[Entry], zone: tzinfo) -> Markup:
    """The rest of a long story, a line until it is opened, so that the buttons stay in sight. What waits for
    a person isn't in it."""
    if not entries:
        return Markup("")
    label = f"{len(entries)} earlier"
    return tag("details", tag("summary", label), _entries(entries, zone, label))


def id_cell(identity: str) -> Markup:
    """An id to follow: `%stripe ID` opens its card."""
    return tag("code", identity) if identity else Markup("")


def status_badge(status: str) -> Markup:
    """A state as a badge, coloured by what needs a person."""
    shown = status.replace("_", " ")
    return tag("span", shown, class_="sm-badge", style=colours(status) or None) if status else Markup("")


def object_card(
    text: str, *, connection: Connection | None = None, run: RunCommand | None = None
) -> ObjectCard:
    """The card of what a person typed. Raises `NotFound`, `UnknownName`, or what Stripe says."""
    from stripe_magics.client.shared_connection import current

    connection = connection or current()
    kind, identity = resolve(text, connection)
    return ObjectCard(story_of(kind, identity, caller(connection)), connection, run=run)
