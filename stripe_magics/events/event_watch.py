"""A watch: it reads Stripe's events again and again, keeps each once, calls the handlers, settles what was open.

    poll()  ->  pages of events  ->  store  ->  in order: handlers, the view  ->  mark
    accept(event) from the receiver ------^

`start` does the polling in a thread of its own, every 15 seconds and for 30 minutes unless said otherwise, so that a forgotten watch stays
within what Stripe allows to be read. `poll` makes one pass now, in the calling thread; passes never overlap.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stripe_magics._redaction import hide
from stripe_magics.client.journal.event_evidence import resolve_by_events
from stripe_magics.errors import AuthenticationFailed, PermissionDenied, StripeMagicsError, UsageFault
from stripe_magics.events import event_frame, poller
from stripe_magics.events.event_store import Store, Stored
from stripe_magics.events.filters import EventFilter
from stripe_magics.events.handlers import Handlers, Problem, run

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection
    from stripe_magics.events.receiver import Receiver

HANDLERS = "handlers"  # the name in the store under which a kernel's common handlers take events
INTERVAL = 15.0  # seconds
LEAST_INTERVAL = 5.0
MINUTES = 30.0
MOST_MINUTES = 12 * 60.0
_LONGEST_WAIT = 300.0  # seconds between attempts while Stripe can't be reached
_WITHOUT_VIEW = 4  # times as long between passes while no page shows the view
SHOWN = 200  # events that a view begins with
_PROBLEMS = 50  # problems and notes that are kept


class Watch:
    """Events as they come. `frame` has them as a DataFrame, `on` adds a handler, `poll`, `pause`, `resume`, `stop` do what they say."""

    def __init__(
        self,
        connection: Connection,
        requested: EventFilter,
        *,
        store: Store,
        handlers: Handlers,
        name: str = "watch",
        interval: float = INTERVAL,
        minutes: float = MINUTES,
        since: int | None = None,
    ) -> None:
        """`since`: Unix seconds from which on events are wanted; without it, from where the last watch of that name ended, else from now."""
        if interval < LEAST_INTERVAL:
            raise UsageFault(
                f"The interval must be {LEAST_INTERVAL:g} seconds at least: Stripe limits how much may be read."
            )
        if not 0 < minutes <= MOST_MINUTES:
            raise UsageFault(f"A watch may last up to {MOST_MINUTES:g} minutes.")
        self.connection, self.requested, self.store, self.name = connection, requested, store, name
        self.interval, self.minutes = float(interval), float(minutes)
        self.since = since
        self.receiver: Receiver | None = None
        self.reads = 0
        self.state = "not started"
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.listeners: list[
            Callable[[str, Any], None]
        ] = []  # the view: told ("events", rows), ("state", None), ("note", text)
        self.pages_open: int | None = None  # views on screen; None while none was ever opened
        self._shared, self._own = handlers, Handlers()
        self._held, self._group = (
            name,
            HANDLERS,
        )  # the names that it and the common handlers go by in the store
        self._turn = threading.RLock()  # one pass or delivery at a time
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._deadline = 0.0

    # What a person does

    def start(self) -> Watch:
        """Begin, or go on after the time was over. Reads once in the calling thread, so that what is wrong is said at once."""
        if self.running:
            return self
        self._ending = (
            threading.Event()
        )  # a new one: a thread that is still at its last handler keeps the old
        self.store.purge()
        self.poll()
        self._deadline = time.monotonic() + self.minutes * 60
        self._set_state("watching")
        self._thread = threading.Thread(
            target=self._loop, args=(self._ending,), name=f"stripe events {self.name}", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the watch, its receiver included. The events seen so far stay."""
        self._ending.set()
        self._wake.set()
        if self.receiver is not None:
            self.receiver.stop()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=10)
        self.store.release_name(self._held)
        self._set_state("stopped")

    def pause(self) -> None:
        """Don't poll until `resume`. Nothing is lost: the next pass reads what came meanwhile."""
        if self.running:
            self._set_state("paused")

    def resume(self) -> None:
        """Go on, with a pass at once."""
        if self.running:
            self._set_state("watching")
            self._wake.set()

    def on(self, type: str, handler: Any = None) -> Any:
        """Call `handler(event)` for events of that type, in this watch only; see `stripe_magics.events.on`."""
        return self._own.on(type, handler)

    @property
    def running(self) -> bool:
        """Whether the watch's thread is at work, paused or not."""
        return self._thread is not None and self._thread.is_alive() and not self._ending.is_set()

    @property
    def now(self) -> float:
        """The account's present moment: the sandbox has a clock of its own."""
        sandbox = self.connection.sandbox
        return float(sandbox.now) if sandbox is not None else time.time()

    # What came

    def stored(self, most: int | None = None) -> list[Stored]:
        """The wanted events of the last 30 days that were seen, oldest first; with `most`, the newest so many."""
        return self.store.events(matches=self.requested, most=most)

    @property
    def frame(self) -> pd.DataFrame:
        """The same as a DataFrame, one row an event; see rows.py for the columns."""
        return event_frame.frame(self.stored(), self.connection)

    def event(self, id: str) -> dict[str, Any]:
        """One event as Stripe made it, its secrets masked. Raises KeyError."""
        return self.store.get(id).event

    def fetch(self, id: str) -> dict[str, Any]:
        """The object of an event as it is today, its secrets masked. Raises KeyError, ValueError if Stripe has no path for it, a `StripeError`."""
        subject = self.store.get(id).object
        hidden: dict[str, Any] = hide(self.connection.send(event_frame.request_for(subject)).data)
        return hidden

    def status(self) -> dict[str, str]:
        """How the watch stands, in words."""
        left = max(0.0, self._deadline - time.monotonic()) / 60 if self.running else 0.0
        return {
            "watch": self.name,
            "events": str(self.requested),
            "state": self.state + (f", {left:.0f} min left" if self.running else ""),
            "seen": f"{self.store.count(self.requested):,}",
            "reads": f"{self.reads:,}",
            **({"every": f"{self.interval:g} s"} if self.running else {}),
            **(
                {"receiver": self.receiver.url} if self.receiver is not None and self.receiver.running else {}
            ),
            **({"problems": f"{len(self.problems)}: {self.problems[-1]}"} if self.problems else {}),
            **({"note": self.notes[-1]} if self.notes else {}),
        }

    # One pass

    def poll(self) -> int:
        """Read what is new, now. Returns how many events are. Raises a `StripeError`; the next pass then begins where this one did."""
        with self._turn:
            self._held, self._group = self.store.acquire_name(self.name), self.store.acquire_name(HANDLERS)
            # a second kernel goes on from where the first one is
            mark = self.store.mark(self._held, str(self.requested)) or self.store.mark(
                self.name, str(self.requested)
            )
            since = self._newest() if mark is None and self.since is None else self.since
            begins = mark.upto if since is None and mark is not None else since or 0
            if mark is not None:
                self._note(poller.gap_notice(mark.read_at, self.now))
            started = self.now
            read = poller.pages(self._send, self.requested, since=begins, stop=self._ending.is_set)
            came = poller.in_order([event for page in read for event in page])
            fresh = self.store.add(came, source="poll")
            # what a new watch finds is shown, but is no news for its handlers: up to the newest event, or before the moment asked for
            limit = begins if self.since is not None else begins + 1
            before = [event for event in came if event["created"] < limit] if since is not None else []
            for event in before:
                if self.store.claim(self._held, event["id"], event["created"]):
                    self.store.done(self._held, event["id"])
            self._settle(before)
            self._tell("events", before)
            self._deliver(came[len(before) :])
            # the newest event's own time, not this machine's clock, says where to go on
            self.store.set_mark(
                self._held, str(self.requested), max([begins, *(event["created"] for event in came)]), started
            )
            self.since = None
            return len(fresh)

    def _newest(self) -> int:
        """When the newest event was made, in Unix seconds; 0 without any. One read; what it shows is kept."""
        answer = self._send(poller.request((("limit", "100"), *self.requested.params)))
        self.store.add(
            poller.in_order([each for each in answer.rows if self.requested(each["type"])]), source="poll"
        )
        return max((int(each["created"]) for each in answer.rows), default=0)

    def accept(self, event: dict[str, Any]) -> bool:
        """Keep an event that the receiver found to be Stripe's. Whether it is new; `handle` then passes it on."""
        return bool(self.store.add([event], source="listen"))

    def handle(self, event: dict[str, Any]) -> None:
        """Pass on an event that was accepted, unless its handlers had it before."""
        with self._turn:
            if self.requested(event["type"]):
                self._deliver([event])
            else:
                self._settle([event])

    def _send(self, request: Any) -> Any:
        self.reads += 1
        return self.connection.send(request)

    def _deliver(self, events: list[dict[str, Any]]) -> None:
        """Handlers and view get what they haven't had, in order."""
        self._settle(events)
        shown: list[dict[str, Any]] = []
        for event in events:
            if not self.store.claim(self._held, event["id"], event["created"]):
                continue
            shown.append(event)
            with self._handling(self._held, event):
                self._run(self._own, event)
                # the common handlers may have had it from another watch of this kernel
                if len(self._shared) and self.store.claim(self._group, event["id"], event["created"]):
                    with self._handling(self._group, event):
                        self._run(self._shared, event)
        if shown:
            self._tell("events", shown)

    @contextmanager
    def _handling(self, name: str, event: dict[str, Any]) -> Iterator[None]:
        """An event that was claimed is done at the end; Stop in a handler leaves it to the next pass."""
        finished = False
        try:
            yield
            finished = True
        finally:
            (self.store.done if finished else self.store.release)(name, event["id"])

    def _run(self, handlers: Handlers, event: dict[str, Any]) -> None:
        for problem in run(handlers.of(event["type"]), hide(event)):
            self.problems = [*self.problems, problem][-_PROBLEMS:]
            self._note(str(problem))

    def _settle(self, events: list[dict[str, Any]]) -> None:
        connection = self.connection
        for note in resolve_by_events(connection.journal, connection.scope(connection.account), events):
            self._note(note)

    # The thread

    def _loop(self, ending: threading.Event) -> None:
        failures = 0
        while not ending.is_set():
            wait = self.interval * (_WITHOUT_VIEW if self._unseen() else 1)
            self._wake.wait(min(_LONGEST_WAIT, wait * 2**failures) if failures else wait)
            self._wake.clear()
            if ending.is_set():
                return
            if self.connection.mode != "sandbox" and self.connection.secret is None:
                self._set_state("ended: the connection was closed")
                return
            if time.monotonic() >= self._deadline:
                self._set_state(f"ended after {self.minutes:g} minutes; start() goes on and misses nothing")
                return
            if self.state == "paused":
                continue
            try:
                self.poll()
            except poller.Stopped:
                return
            except (AuthenticationFailed, PermissionDenied) as error:  # asking again would not help
                self._note(error.message)
                self._set_state("ended: the key may not read events (Events: read)")
                return
            except StripeMagicsError as error:
                failures = min(failures + 1, 6)
                self._note(error.message)
                self._set_state("watching; Stripe couldn't be reached, trying again")
            except (
                Exception
            ) as error:  # the connection was closed, the disk is full: said, and no thread left spinning
                self._note(f"{type(error).__name__}: {error}")
                self._set_state("ended by an error")
                return
            else:
                failures = 0
                if self.state != "paused":
                    self._set_state("watching")

    def _unseen(self) -> bool:
        """Whether nobody looks and no handler waits."""
        return self.pages_open == 0 and not len(self._shared) and not len(self._own)

    def _set_state(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self._tell("state", None)

    def _note(self, text: str) -> None:
        if text and (not self.notes or self.notes[-1] != text):
            stamped = f"{datetime.now(UTC):%H:%M:%S} {text}"
            if not any(each.endswith(text) for each in self.notes[-5:]):
                self.notes = [*self.notes, stamped][-_PROBLEMS:]
                self._tell("note", stamped)

    def _tell(self, what: str, data: Any) -> None:
        for each in list(self.listeners):
            each(what, data)

    # On screen

    def __repr__(self) -> str:
        return event_frame.text(self)

    def _repr_html_(self) -> str:
        return event_frame.html(self)

    def _ipython_display_(self) -> None:
        from stripe_magics.events.live_view import show

        show(self)
