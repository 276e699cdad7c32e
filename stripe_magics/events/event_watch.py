"""A watch: it reads Stripe's events again and again, keeps each once, calls the handlers, resolves what was
open.

    poll()  ->  pages of events  ->  store  ->  in order: handlers, the view
    accept(event) from the receiver --^

`start` does the polling in a thread of its own, every 15 seconds and for 30 minutes unless given otherwise,
so that a forgotten watch stays within what Stripe allows to be read. `poll` makes one pass now, in the
calling thread; passes never overlap. How the watch stands is measured: when it last read, whether its thread
lives. The thread is polling_thread.py's, what is said watch_status.py's, what is shown and written
watch_outlets.py's, the limits watch_limits.py's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from stripe_magics._json import JsonObject
from stripe_magics._redaction import hide
from stripe_magics.events import event_frame, event_rows, poller
from stripe_magics.events.account_names import labelled
from stripe_magics.events.event_store import Stored
from stripe_magics.events.filters import EventFilter
from stripe_magics.events.handler_runner import HandlerRunner, Problem
from stripe_magics.events.handlers import Handlers
from stripe_magics.events.next_events import each_new, next_of
from stripe_magics.events.polling_thread import PollingThread
from stripe_magics.events.value_filter import value_filter
from stripe_magics.events.watch_limits import FOREVER, INTERVAL, MINUTES, check_limits
from stripe_magics.events.watch_outlets import WatchOutlets
from stripe_magics.events.watch_status import WatchStatus, ago

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.http.response import ApiResponse
    from stripe_magics.events.account_events import AccountEvents
    from stripe_magics.events.receiver import Receiver
    from stripe_magics.request import Request

_WITHOUT_VIEW = 4  # times as long between passes while no page shows the view
_PATIENCE = 0.8  # seconds that stop waits for the thread


class Watch:
    """Events as they come. `frame` has them as a DataFrame, `on` adds a handler, `poll`, `pause`, `resume`,
    `stop` do what they say.

    `for event in watch` gives each new event until the watch ends; `await watch.next("charge.failed",
    timeout=60)` waits for one.
    """

    def __init__(  # noqa: PLR0913 - the keywords of `watch`
        self,
        account: AccountEvents,
        choice: EventFilter,
        *,
        name: str = "watch",
        interval: float = INTERVAL,
        minutes: float = MINUTES,
        since: int | None = None,
        where: str | Callable[[JsonObject], Any] | None = None,
        values: dict[str, Any] | None = None,
        sink: Callable[[pd.DataFrame], object] | None = None,
        alert: Iterable[str] = (),
    ) -> None:
        """`since`: Unix seconds from which on events are shown and handled; without it, from where the list
        was read to, else from now.

        `where`: a condition on values (value_filter.py) for what is shown and given; `values` are what its
        names may stand for.
        `sink`: gets the chosen events as a frame, batch by batch; what it couldn't take comes again with the
        next pass.
        `alert`: what is done about new events, without code (alerts.py).
        """
        check_limits(interval, minutes)
        self.account, self.choice, self.name, self.since = account, choice, name, since
        self.connection, self.store = account.connection, account.store
        self.interval, self.minutes = float(interval), float(minutes)
        self.where = value_filter(where, values) if where is not None else None
        self.where_text = where if isinstance(where, str) else ("a function" if where is not None else "")
        self.receiver: Receiver | None = None
        self.reads = 0
        self.last_read: float | None = None  # time.time() of the last pass that went through
        self.pages_open: int | None = None  # views on screen; None while none was ever opened
        self.shows_accounts = False  # whether what is shown names the account of each event
        self._status = WatchStatus()
        self._own = Handlers(owner=f"{name}: ")
        self.outlets = WatchOutlets(
            account,
            choice,
            where=self.where,
            sink=sink,
            alert=alert,
            notify=self._status.notify,
            note=self._status.add_note,
            has_view=lambda: bool(self.pages_open),
        )
        for each in self.outlets.senders:
            made = self._own.add_batch(choice, each, name=f"alert {each.id}", condition=self.where)
            account.note_registration(made)
        self._poller = poller.Poller(
            self.store,
            self._send,
            choice,
            now=lambda: self.account.now,
            headers=(("Stripe-Account", account.account),) if account.account else (),
            on_page=self.outlets.show_page,
        )
        self._runner = HandlerRunner(
            self.connection,
            self.store,
            account=account.account,
            stopped=self._is_ending,
            on_problem=self._status.add_problem,
            on_note=self._status.add_note,
        )
        self._turn = threading.RLock()  # one pass or delivery at a time
        self._polling = self._new_thread()
        self._given: dict[str, int] = {}  # by choice: the row of the event that `next` gave last

    # What a person does

    def start(self) -> Watch:
        """Begin, or go on after the time was over. Reads once in the calling thread, so that what is wrong is
        said at once."""
        return self if self.running else self.begin()

    def begin(self, *, first_read: bool = True) -> Watch:
        """Begin; without `first_read` the thread's own first pass comes after one interval."""
        self._polling = self._new_thread()
        self.store.purge()
        if first_read:
            self.poll()
        self._status.set_state("watching")
        self._polling.start(self.minutes)
        return self

    def stop(self) -> None:
        """End the watch, its receiver included, within a second; a handler that is at work makes no further
        one start. What was seen stays."""
        self.signal_end("stopped")
        self.join(_PATIENCE)

    def signal_end(self, state: str) -> None:
        """Let it end, without waiting."""
        self._polling.end()
        self._close(state)

    def join(self, seconds: float) -> None:
        """Wait for its thread to end, but no longer than that."""
        if not self._polling.join(seconds):
            self._status.add_note("A handler or a read is still at work; nothing is begun after it.")

    def pause(self) -> None:
        """Don't poll until `resume`. Nothing is lost: the next pass reads what came meanwhile."""
        if self.running:
            self._status.set_state("paused")

    def resume(self) -> None:
        """Go on, with a pass at once."""
        if self.running:
            self._status.set_state("watching")
            self._polling.wake()

    def on(self, type: str, handler: Any = None, *, since: int | None = None, name: str = "") -> Any:
        """Call `handler(event)` for events of that type, in this watch only; see `stripe_magics.on`."""
        if handler is None:
            return lambda function: self.on(type, function, since=since, name=name)
        self.account.note_registration(self._own.add(type, handler, name=name), since=since)
        return handler

    @property
    def handlers(self) -> Handlers:
        """The handlers of this watch only."""
        return self._own

    @property
    def page_alerts(self) -> frozenset[str]:
        """What the page that shows the watch does about new events: `sound`, `desktop`."""
        return self.outlets.page_alerts

    @property
    def running(self) -> bool:
        """Whether the watch's thread is at work, paused or not."""
        return self._polling.running

    @property
    def state(self) -> str:
        """How it stands, in words."""
        state = self._status.state
        if state.startswith(("watching", "paused")) and self._polling.started and not self.running:
            return "ended: its thread is gone; start() goes on and misses nothing"
        return state

    @property
    def notes(self) -> list[str]:
        """What was said of it, with the time, oldest first."""
        return self._status.notes

    @property
    def problems(self) -> list[Problem]:
        """What went wrong in handlers, oldest first."""
        return self._status.problems

    @property
    def listeners(self) -> list[Callable[[str, Any], None]]:
        """Who hears of what happens; what each gets is said at `WatchStatus`."""
        return self._status.listeners

    @property
    def when_ended(self) -> dict[object, Callable[[], object]]:
        """By whom: what is called, once, when it has ended."""
        return self._status.when_ended

    # What came

    def stored(self, most: int | None = None) -> list[Stored]:
        """The chosen events seen in the last 30 days, oldest first; with `most`, the newest so many."""
        return self.store.events(matches=self.choice, keep=self.where, most=most)

    @property
    def frame(self) -> pd.DataFrame:
        """The same as a DataFrame, one row an event; see event_frame.py for the columns."""
        return event_frame.frame(self.stored(), self.account)

    def event(self, id: str) -> JsonObject:
        """One event as Stripe made it, its secrets masked. Raises KeyError."""
        return self.store.get(id).event

    def fetch(self, id: str) -> JsonObject:
        """The object of an event as it is today, its secrets masked; of a connected account's event, from
        that account.

        Raises KeyError, ValueError if Stripe has no path for it, a `StripeError`.
        """
        stored = self.store.get(id)
        account = str(stored.event.get("account") or self.account.account)
        request = event_rows.request_for(stored.object, account)
        return dict(hide(self.connection.send(request).data))

    def __iter__(self) -> Iterator[JsonObject]:
        """Each new event, from the beginning of the watch on, until it ends."""
        return each_new([self], self._polling.ending.wait)

    async def next(self, type: str = "*", *, timeout: float = 60.0) -> JsonObject:  # noqa: ASYNC109 - public
        """Wait for the next event of a type, pattern or group. None is given twice, and none that came
        between two calls is missed.

        Raises TimeoutError after `timeout` seconds, `UsageFault` if the watch isn't running.
        """
        return await next_of([self], type, timeout)

    def news_after(self, row: int | None, choice: EventFilter | None = None) -> list[Stored]:
        """What is news to this watch and was kept after that row; None: all that is news."""
        return self.outlets.news_after(row, choice)

    def take_next(self, choice: EventFilter) -> JsonObject | None:
        """The first event of a choice that `next` hasn't given yet."""
        key = ",".join(choice.names)
        found = self.news_after(self._given.get(key), choice)
        if not found:
            return None
        first = min(found, key=lambda each: each.row)
        self._given[key] = first.row
        return first.event

    def account_label(self, id: str) -> str:
        """An account in words; "" is the watch's own."""
        return labelled(id, self.account.name_of(id)) if id else self.account.label()

    def status(self) -> dict[str, str]:
        """How the watch stands, in words."""
        time_left = ""
        if self.running:
            left = self._polling.minutes_left
            time_left = ", until it is stopped" if self.minutes == FOREVER else f", {left:.0f} min left"
        receiver = self.receiver
        return {
            "watch": self.name,
            "account": self.account.label(),
            "mode": self.connection.mode,
            "events": str(self.choice) + (f" where {self.where_text}" if self.where_text else ""),
            "state": self.state + time_left,
            "last_read": ago(self.last_read),
            "seen": f"{self.store.count(self.choice):,}",
            "reads": f"{self.reads:,}",
            **({"every": f"{self.interval:g} s"} if self.running else {}),
            **(
                {"receiver": f"{receiver.url} {receiver.tally()}"}
                if receiver is not None and receiver.running
                else {}
            ),
            **self._status.last_words(),
        }

    # One pass

    def poll(self) -> int:
        """Read what is new, now. Returns how many events are. Raises a `StripeError`; the next pass then goes
        on where this one was."""
        with self._turn:
            before = self.store.last_row()
            handlers = [*self._own, *self.account.handlers]
            runs, skew = self.account.runs, self.account.skew
            needed = [(each.events, runs.begins(each.key, skew)) for each in handlers]
            since = self.since
            self.outlets.pages_shown = 0
            reading = self._poller.read(since=since, needed=needed, stop=self._polling.ending.is_set)
            self.last_read = time.time()
            self._status.add_note(reading.gap)
            if since is not None:
                self.outlets.note_first_read(0, since)
            else:
                self.outlets.note_first_read(self.store.last_row() if reading.first else before, 0)
            self._resolve(reading.fresh)
            self.outlets.show_new()
            self.outlets.alert_page()
            self._runner.prepare(handlers, since=since, skew=self.account.skew)
            self._runner.deliver(handlers)
            self.outlets.export()
            self.since = None
            return len(reading.fresh)

    def accept(self, event: JsonObject) -> bool:
        """Keep an event that the receiver found to be Stripe's. Whether it is new; `handle` then passes it
        on."""
        return bool(self.store.add([event], source="listen"))

    def handle(self, event: JsonObject) -> None:
        """Pass on an event that was accepted, unless its handlers had it before."""
        with self._turn:
            self._resolve([event["id"]])
            self.outlets.show_new()
            self.outlets.alert_page()
            self.outlets.export()
            if self.choice(event["type"]):
                self._runner.deliver_event([*self._own, *self.account.handlers], event)

    def _send(self, request: Request) -> ApiResponse:
        if self._polling.ending.is_set() and self._polling.is_current:
            raise poller.Stopped
        self.reads += 1
        return self.connection.send(request)

    def _resolve(self, ids: Iterable[str]) -> None:
        for note in self.account.resolve_pending(ids):
            self._status.add_note(note)

    # The thread

    def _new_thread(self) -> PollingThread:
        return PollingThread(
            self.name,
            self._status,
            poll=self.poll,
            interval=lambda: self.interval * (_WITHOUT_VIEW if self._unseen() else 1),
            end_reason=self._end_reason,
            on_end=self._close,
        )

    def _end_reason(self) -> str:
        """Why there is nothing more to read, or ""."""
        if self.connection.closed:
            return "ended: the connection was closed"
        sandbox = self.connection.sandbox
        if sandbox is not None and sandbox.account is not self.account.sandbox_account:
            return "ended: the sandbox was reset"
        return ""

    def _close(self, state: str) -> None:
        """What is to happen when it ends, however it does."""
        if self.receiver is not None:
            self.receiver.stop()
        self._status.set_state(state)
        self._status.run_when_ended()

    def _is_ending(self) -> bool:
        return self._polling.ending.is_set()

    def _unseen(self) -> bool:
        """Whether nobody looks and no handler waits."""
        return self.pages_open == 0 and not len(self.account.handlers) and not len(self._own)

    # On screen

    def __repr__(self) -> str:
        return event_frame.text(self)

    def _repr_html_(self) -> str:
        return event_frame.html(self)

    def _ipython_display_(self) -> None:
        from stripe_magics.events.live_view import show

        show(self)
