"""A watch over several connected accounts: `%stripe events watch --accounts $df`, `--connect` for all that a
platform has.

Each account is a watch of its own (event_watch.py): with its own store, marks and handlers, read from where
it was read to. So a gap is filled for each account by itself, and an account that goes away (deauthorised,
closed) ends its part alone, with a word. Here they are one thing to show, to loop over and to stop; every row
names its account.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from stripe_magics._json import JsonObject
from stripe_magics.errors import AuthenticationFailed, PermissionDenied, StripeError, StripeMagicsError
from stripe_magics.events import event_frame
from stripe_magics.events.account_events import end_all
from stripe_magics.events.account_names import labelled
from stripe_magics.events.event_watch import Watch
from stripe_magics.events.next_events import each_new, next_of
from stripe_magics.events.watch_status import WatchStatus

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.events.account_events import AccountEvents
    from stripe_magics.events.event_store import Stored
    from stripe_magics.events.filters import EventFilter


class AccountsWatch:
    """Watches of connected accounts, as one. `watches` are those of the accounts, in the order in which they
    were named."""

    shows_accounts = True

    def __init__(
        self, platform: AccountEvents, choice: EventFilter, watches: Sequence[Watch], *, name: str
    ) -> None:
        self.account, self.connection, self.choice, self.name = platform, platform.connection, choice, name
        self.watches = list(watches)
        self._status = WatchStatus()
        self._ended = threading.Event()
        for each in self.watches:
            each.shows_accounts = True
            each.listeners.append(self._forward(each))

    # What a person does

    def start(self) -> AccountsWatch:
        """Begin with each account. One that refuses is named in the notes, one that can't be reached now is
        tried again; raises if none can be read."""
        faults: list[StripeError] = []
        for each in self.watches:
            try:
                each.start()
            except StripeError as error:
                faults.append(error)
                self._status.notes.append(f"{each.account.label()}: {error.brief}")
                if not isinstance(error, (AuthenticationFailed, PermissionDenied)):
                    each.begin(first_read=False)
        if faults and len(faults) == len(self.watches):
            self.stop()
            raise faults[0]
        return self

    def stop(self) -> None:
        """End it for every account, within a second."""
        end_all(self.watches)
        self._ended.set()

    def pause(self) -> None:
        """Don't poll until `resume`."""
        for each in self.watches:
            each.pause()

    def resume(self) -> None:
        """Go on."""
        for each in self.watches:
            each.resume()

    def poll(self) -> int:
        """Read every account now. How many events are new. An account that can't be read keeps none of the
        others from it; then it raises."""
        count = 0
        faults: list[Exception] = []
        for each in self.watches:
            if each.running:
                try:
                    count += each.poll()
                except (StripeMagicsError, sqlite3.Error, OSError) as error:
                    faults.append(error)
        if faults:
            raise faults[0]
        return count

    def on(self, type: str, handler: object = None, *, since: int | None = None, name: str = "") -> Any:
        """Call `handler(event)` for events of that type in every account of this watch; its calls go to the
        event's account."""
        if handler is None:
            return lambda function: self.on(type, function, since=since, name=name)
        for each in self.watches:
            each.on(type, handler, since=since, name=name)
        return handler

    @property
    def running(self) -> bool:
        """Whether any account is watched."""
        return any(each.running for each in self.watches)

    @property
    def state(self) -> str:
        """How it stands, in words: the same for all, or how many of which."""
        states = [each.state for each in self.watches]
        if len(set(states)) == 1:
            return states[0]
        counts = {state: states.count(state) for state in dict.fromkeys(states)}
        return "; ".join(
            f"{count} accounts {state}" if count != 1 else f"1 account {state}"
            for state, count in counts.items()
        )

    @property
    def notes(self) -> list[str]:
        """What was said of the accounts, each by its name, oldest first."""
        return self._status.notes

    @property
    def listeners(self) -> list[Callable[[str, Any], None]]:
        """Who hears of what happens in any account; see `Watch.listeners`."""
        return self._status.listeners

    @property
    def when_ended(self) -> dict[object, Callable[[], object]]:
        """By whom: what is called when the watch has ended, with its first account's."""
        return self.watches[0].when_ended

    @property
    def pages_open(self) -> int | None:
        """Views on screen."""
        return self.watches[0].pages_open

    @pages_open.setter
    def pages_open(self, count: int | None) -> None:
        for each in self.watches:
            each.pages_open = count

    # What came

    def stored(self, most: int | None = None) -> list[Stored]:
        """The chosen events of all accounts, oldest first; with `most`, the newest so many."""
        found = [stored for each in self.watches for stored in each.stored(most)]
        ordered = sorted(found, key=lambda one: (one.created, one.received))
        return ordered if most is None else ordered[-most:] if most else []

    @property
    def frame(self) -> pd.DataFrame:
        """The same as a DataFrame; `account` and `account_name` say where each is from."""
        return event_frame.frame(self.stored(), self.account)

    def event(self, id: str) -> JsonObject:
        """One event. Raises KeyError."""
        return self._watch_of(id).event(id)

    def fetch(self, id: str) -> JsonObject:
        """The object of an event as it is today, from its account. Raises KeyError, ValueError, a
        `StripeError`."""
        return self._watch_of(id).fetch(id)

    def __iter__(self) -> Iterator[JsonObject]:
        """Each new event of any account, until the watch ends."""
        return each_new(self.watches, self._ended.wait)

    async def next(self, type: str = "*", *, timeout: float = 60.0) -> JsonObject:  # noqa: ASYNC109 - public
        """Wait for the next event of a type in any account."""
        return await next_of(self.watches, type, timeout)

    def account_label(self, id: str) -> str:
        """An account in words."""
        return labelled(id, self.account.name_of(id))

    def status(self) -> dict[str, str]:
        """How it stands, in words; `%stripe events status` has a row for each account."""
        lines = [each.status() for each in self.watches]
        count = sum(each.store.count(self.choice) for each in self.watches)
        return {
            **lines[0],
            "account": f"{len(self.watches)} accounts" if len(self.watches) > 1 else lines[0]["account"],
            "state": (
                self.state
                if len({line["state"].partition(",")[0] for line in lines}) > 1
                else lines[0]["state"]
            ),
            "seen": f"{count:,}",
            "reads": f"{sum(each.reads for each in self.watches):,}",
        }

    def _watch_of(self, id: str) -> Watch:
        for each in self.watches:
            if each.store.has(id):
                return each
        raise KeyError(id)

    def _forward(self, watch: Watch) -> Callable[[str, Any], None]:
        def on_update(what: str, data: object) -> None:
            if what == "note":
                self._status.keep_note(f"{watch.account.label()}: {data}")
            else:
                self._status.notify(what, data)

        return on_update

    # On screen

    def __repr__(self) -> str:
        return event_frame.text(self)

    def _repr_html_(self) -> str:
        return event_frame.html(self)

    def _ipython_display_(self) -> None:
        from stripe_magics.events.live_view import show

        show(self)
