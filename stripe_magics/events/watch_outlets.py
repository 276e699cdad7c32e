"""Where the new events of a watch go beside its handlers: the view, sound and notification, the sink.

Each has a mark of its own, the row of the store up to which it has everything."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from stripe_magics._json import JsonObject
from stripe_magics.errors import StripeMagicsError
from stripe_magics.events import event_frame
from stripe_magics.events.alerts import Alert, AlertMessage, alerts, message
from stripe_magics.events.event_store import Stored
from stripe_magics.events.filters import EventFilter

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.events.account_events import AccountEvents

MAX_SHOWN = 500  # new events that the view gets at once


class WatchOutlets:
    """What is shown, alerted and written of the events of one choice."""

    def __init__(
        self,
        account: AccountEvents,
        choice: EventFilter,
        *,
        where: Callable[[JsonObject], bool] | None,
        sink: Callable[[pd.DataFrame], object] | None,
        alert: Iterable[str],
        notify: Callable[[str, Any], None],
        note: Callable[[str], None],
        has_view: Callable[[], bool],
    ) -> None:
        """`notify` tells the views ("events", "alert"), `note` the person; `has_view` says whether a page
        shows the watch."""
        self.account, self.store, self.choice = account, account.store, choice
        self.where, self.sink = where, sink
        self.notify, self.note, self.has_view = notify, note, has_view
        self.page_alerts: frozenset[str]
        self.senders: list[Alert]
        self.page_alerts, self.senders = alerts(alert, self.describe)
        self.shown_row = self.store.last_row()
        self.exported_row = 0
        self.alerted_row: int | None = None
        self.news: tuple[int, int] = (self.shown_row, 0)  # row and moment after which an event is news here
        self.began = False
        self.pages_shown = 0  # of this reading

    def news_after(self, row: int | None, choice: EventFilter | None = None) -> list[Stored]:
        """What is news to this watch and was kept after that row; None: all that is news."""
        first, since = self.news
        return self.store.events(
            since=since,
            after_row=first if row is None else row,
            matches=choice or self.choice,
            keep=self.where,
        )

    def note_first_read(self, first: int, since: int) -> None:
        """After the first reading: what is kept up to that row, or happened before that moment, is no
        news."""
        if not self.began:
            self.began, self.news = True, (first, since)

    def show_new(self) -> None:
        """The view gets what it hasn't had, the newest of it if that is very much."""
        last = self.store.last_row()
        if last == self.shown_row:
            return
        after, self.shown_row = min(self.shown_row, last), last
        fresh = self.store.events(after_row=after, matches=self.choice, keep=self.where, most=MAX_SHOWN)
        if fresh:
            self.notify("events", [each.event for each in fresh])

    def show_page(self) -> None:
        """A page of a long reading is shown at once; later ones of it are older than what a view keeps."""
        if self.began and self.pages_shown < MAX_SHOWN / 100:
            self.pages_shown += 1
            self.show_new()

    def alert_page(self) -> None:
        """Sound and notification, once for all that is news and wasn't alerted yet."""
        if not self.page_alerts:
            return
        found = self.news_after(self.alerted_row)
        if not found:
            return
        self.alerted_row = max(each.row for each in found)
        said = self.describe([each.event for each in found])
        self.notify("alert", {"title": said.subject, "how": sorted(self.page_alerts)})
        if not self.has_view() and sys.stderr.isatty():
            print("\a", end="", file=sys.stderr, flush=True)

    def describe(self, events: list[JsonObject]) -> AlertMessage:
        return message(events, account=self.account.label(), mode=self.account.connection.mode)

    def export(self) -> None:
        """The sink gets what it hasn't had; where it stands moves on once that is safe."""
        last = self.store.last_row()
        if self.sink is None or last == self.exported_row:
            return
        after = min(self.exported_row, last)
        fresh = self.store.events(after_row=after, matches=self.choice, keep=self.where)
        try:
            if fresh:
                self.sink(event_frame.frame(fresh, self.account))
        except StripeMagicsError as error:
            self.note(f"Not written yet: {error.message}")
        else:
            self.exported_row = last
