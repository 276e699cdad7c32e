"""Giving events to handlers: each once, in order, on the connection that the handler belongs to.

    due events of every handler -> in the order in which they happened -> claim -> call -> done, or failed
    with its error

A handler runs inside a call context (client/call_context.py): its calls go to its own connection, and its
writes have keys made of the event, the handler and their number, so that a second run repeats none. A handler
that is called for what it caused itself, and that again and again, is stopped there.
"""

from __future__ import annotations

import contextlib
import re
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from stripe_magics._json import JsonObject
from stripe_magics._redaction import redact
from stripe_magics.client.call_context import CallContext, CalledConnection, calling_for
from stripe_magics.client.journal.event_evidence import causing_key
from stripe_magics.events.event_store import Store
from stripe_magics.events.handlers import Registered
from stripe_magics.events.run_log import RunLog

MAX_CHAIN = 5  # times that a handler may be called for what its own call for an event caused
_CAUSED = re.compile(r"(evt_\w+)-([0-9a-f]{16})-\d+(?:-\d+)?")


@dataclass(frozen=True, slots=True)
class Problem:
    """A handler that failed. `trace` is its traceback without anything that looks like a key."""

    event: str
    handler: str
    message: str
    trace: str

    def __str__(self) -> str:
        return f"{self.handler} failed on {self.event}: {self.message}"


class _Connection(CalledConnection, Protocol):
    @property
    def closed(self) -> bool: ...

    @property
    def live(self) -> bool: ...


class HandlerRunner:
    """Gives the events of one account's store to handlers."""

    def __init__(
        self,
        connection: _Connection,
        store: Store,
        *,
        account: str = "",
        stopped: Callable[[], bool],
        on_problem: Callable[[Problem], None],
        on_note: Callable[[str], None],
    ) -> None:
        self.connection, self.store, self.runs, self.account = connection, store, RunLog(store), account
        self.stopped, self.on_problem, self.on_note = stopped, on_problem, on_note
        self._looked_at: dict[str, int] = {}  # by handler: the row up to which it has had everything
        self._rows = 0

    def prepare(self, handlers: Iterable[Registered], *, since: int | None, skew: float) -> None:
        """Settle since when events are each handler's business. `skew`: seconds that this machine's clock is
        ahead of Stripe's."""
        for each in handlers:
            self.runs.record_begin(each.key, skew, matches=each.events)
            if since is not None:
                self.runs.reach_back(each.key, since)
                self._looked_at.pop(each.key, None)

    def deliver(self, handlers: Iterable[Registered]) -> None:
        """Every handler gets what it hasn't had. An event that another kernel is at is left to it."""
        last = self.store.last_row()
        if last < self._rows:  # events were purged: rows are counted from the beginning again
            self._looked_at.clear()
        self._rows = last
        due: list[tuple[int, float, int, int, str, str, Registered]] = []
        busy: set[str] = set()
        chosen = list(handlers)
        for number, each in enumerate(chosen):
            _, begins = self.runs.registered(each.key)
            if begins is None:  # it isn't decided yet from when on events are its business
                busy.add(each.key)
                continue
            found = self.runs.due(each.key, begins, after_row=self._looked_at.get(each.key, 0))
            due += [
                (one.created, one.place, one.row, number, one.id, one.type, each)
                for one in found
                if each.events(one.type)
            ]
            if self.store.select("SELECT 1 FROM walk WHERE scope = ? LIMIT 1", self.store.scope):
                busy.add(each.key)  # what it holds back has yet to come
        batches: dict[str, list[tuple[str, str, int]]] = {each.key: [] for each in chosen if each.batch}
        for created, _, _, _, id, type, handler in sorted(due, key=lambda one: one[:4]):
            if self.stopped():
                return
            if handler.key in batches:
                batches[handler.key].append((id, type, created))
            elif not self._handle(handler, id, type, created):
                busy.add(handler.key)
        for each in chosen:
            if self.stopped():
                return
            if batches.get(each.key) and not self._handle_batch(each, batches[each.key]):
                busy.add(each.key)
        for each in chosen:
            if each.key not in busy:
                self._looked_at[each.key] = last

    def deliver_event(self, handlers: Iterable[Registered], event: JsonObject) -> None:
        """The handlers for one event that was received get it, unless they had it."""
        for each in handlers:
            if self.stopped():
                return
            if each.batch is not None and each.events(event["type"]):
                self._handle_batch(each, [(event["id"], event["type"], event["created"])])
            elif each.events(event["type"]):
                self._handle(each, event["id"], event["type"], event["created"])

    def _handle(self, handler: Registered, id: str, type: str, created: int) -> bool:
        """Whether the handler has had the event now."""
        try:
            event = self.store.get(id).event
        except KeyError:
            return True  # purged meanwhile
        if bool(event.get("livemode")) != self.connection.live:
            return True  # of the other mode
        if not self.runs.claim(handler.key, id, type, created):
            return False
        finished = False
        began = time.monotonic()
        try:
            problem = self._call(handler, event)
            if problem is None or not self.connection.closed:
                finished = True
        finally:
            if not finished:
                # Stop, or the connection was closed under it: the event is left to the next pass
                self.runs.release(handler.key, id)
        if not finished:
            return False
        seconds = time.monotonic() - began
        self.runs.finish(
            handler.key,
            id,
            seconds,
            error=problem.message if problem else "",
            trace=problem.trace if problem else "",
        )
        if problem is not None:
            self.on_problem(problem)
        return True

    def _handle_batch(self, handler: Registered, due: list[tuple[str, str, int]]) -> bool:
        """Give a handler all that is due at once. Whether it has had it; what it couldn't take is due
        again."""
        assert handler.batch is not None
        claimed = [one for one in due if self.runs.claim(handler.key, *one)]
        events: list[JsonObject] = []
        problem: Problem | None = None
        finished = False
        began = time.monotonic()
        try:
            for id, _, _ in claimed:
                with contextlib.suppress(KeyError):  # purged meanwhile
                    event = self.store.get(id).event
                    if bool(event.get("livemode")) == self.connection.live and (
                        handler.condition is None or handler.condition(event)
                    ):
                        events.append(event)
            if events:
                handler.batch(events)
            finished = True
        except Exception as error:
            text = redact(f"{type(error).__name__}: {error}")
            problem = Problem(events[-1]["id"] if events else claimed[0][0], handler.name, text, "")
        finally:
            for id, _, _ in claimed:
                if finished:
                    self.runs.finish(handler.key, id, time.monotonic() - began)
                else:
                    self.runs.release(handler.key, id)
        if problem is not None:
            self.on_problem(problem)
        return finished and len(claimed) == len(due)

    def _call(self, handler: Registered, event: JsonObject) -> Problem | None:
        context = CallContext(
            self.connection,
            event=event["id"],
            handler=handler.key,
            account=str(event.get("account") or self.account),
            label=f"handler {handler.name} on {event['id']}",
        )
        chain = self._chain(context.handler_digest, event)
        if chain == 1:
            self.on_note(f"{handler.name} is called for {event['id']}, which it caused itself.")
        if chain > MAX_CHAIN:
            words = (
                f"It causes the events that it is called for, {chain} times in a row: it was not called"
                " again."
            )
            return Problem(event["id"], handler.name, words, "")
        try:
            with calling_for(context):
                handler(event)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # a user's function may raise anything, SystemExit too, and one event must not stop the others
            trace = "".join(traceback.format_exception(error)[-8:])
            message = redact(f"{type(error).__name__}: {error}")
            return Problem(event["id"], handler.name, message, redact(trace))
        return None

    def _chain(self, handler_digest: str, event: JsonObject) -> int:
        """How many times in a row this handler's own calls have led to this event."""
        length = 0
        while length <= MAX_CHAIN:
            caused = _CAUSED.fullmatch(causing_key(event))
            if caused is None or caused[2] != handler_digest:
                break
            length += 1
            try:
                event = self.store.get(caused[1]).event
            except KeyError:
                break
        return length
