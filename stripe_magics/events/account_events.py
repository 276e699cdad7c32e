"""What the events of one account need, kept with its connection: the store, the handlers, the watches, the
signing secrets.

`events_of(connection)` gives it, made when first needed. Nothing is shared between two connections, and
closing one ends its watches, within a second, whatever a handler is doing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from stripe_magics.client.journal.event_evidence import causing_key, resolve_by_events
from stripe_magics.client.journal.journal import state_dir
from stripe_magics.errors import StripeError
from stripe_magics.events.account_names import labelled, names_of
from stripe_magics.events.event_store import Store
from stripe_magics.events.handler_runner import HandlerRunner
from stripe_magics.events.handlers import Condition, Handler, Handlers, Registered
from stripe_magics.events.run_log import RunLog

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

_NAME = "events"
_PATIENCE = 0.8  # seconds for all watches of a connection to end


class RunningWatch(Protocol):
    """What an account knows of its watches."""

    @property
    def handlers(self) -> Handlers: ...
    def signal_end(self, state: str) -> None: ...
    def join(self, seconds: float) -> None: ...
    def stop(self) -> None: ...


@dataclass(slots=True)
class AccountEvents:
    """The events of one account on one connection. `account` is a connected account, "" the connection's
    own."""

    connection: Connection
    account: str
    store: Store
    handlers: Handlers = field(default_factory=Handlers)
    watches: dict[str, Any] = field(default_factory=dict)
    sandbox_account: Any = None  # the sandbox's state that the store is about: after a reset it is another

    @property
    def runs(self) -> RunLog:
        """What handlers have done."""
        return RunLog(self.store)

    def register(
        self, type: str, handler: Handler, *, since: int | None, name: str, condition: Condition | None
    ) -> Registered:
        """Register a handler; see `Handlers.add`. From now on, or since a moment, events are its business."""
        made = self.handlers.add(type, handler, name=name, condition=condition)
        self.note_registration(made, since=since)
        return made

    def note_registration(self, made: Registered, *, since: int | None = None) -> None:
        """Write down that a handler is there. What is known already is no news for a new one."""
        runs = self.runs
        if runs.register(made.key, self.now) and since is None:
            runs.skip_known(made.key, runs.begins(made.key, self.skew), float("inf"), matches=made.events)
        if since is not None:
            runs.reach_back(made.key, since)

    def deliver(self) -> None:
        """Give handlers at once, in this thread, what was reopened for them. How each run ended stands in
        `runs`."""
        runner = HandlerRunner(
            self.connection,
            self.store,
            account=self.account,
            stopped=lambda: False,
            on_problem=lambda _problem: None,
            on_note=lambda _note: None,
        )
        watches: list[RunningWatch] = list(self.watches.values())
        runner.deliver([*self.handlers, *(handler for watch in watches for handler in watch.handlers)])

    def resolve_pending(self, ids: Iterable[str]) -> list[str]:
        """Writes with an unknown outcome, of which these events show how they ended: a sentence for each."""
        journal = self.connection.journal
        scope = self.connection.scope(self.account or self.connection.account)
        open_keys = {operation.key for operation in journal.pending(scope)}
        if not open_keys:
            return []
        kept = (self.store.get(id).event for id in ids if self.store.has(id))
        return resolve_by_events(journal, scope, [event for event in kept if causing_key(event) in open_keys])

    @property
    def skew(self) -> float:
        """Seconds that this machine's clock is ahead of Stripe's, as far as an answer has shown."""
        if self.connection.sandbox is not None:
            return 0.0
        theirs = self.connection.stripe_clock.time()
        return float(self.connection.now()) - theirs if theirs is not None else 0.0

    @property
    def now(self) -> float:
        """The account's present moment: the sandbox has a clock of its own."""
        sandbox = self.connection.sandbox
        return float(sandbox.now) if sandbox is not None else float(self.connection.now())

    def label(self) -> str:
        """The account in words, as far as it is known without asking."""
        return account_label(self.connection, self.account)

    def name_of(self, id: str) -> str:
        """What an account is called, as far as it is known without asking: the connection's own, or a
        connected one."""
        seen = self.connection.account_seen
        if seen is not None and seen.get("id") == id:
            return self.connection.account_name(seen)
        return names_of(self.connection).get(id, "")

    def end(self, name: str) -> None:
        """End a watch and forget it."""
        former = self.watches.pop(name, None)
        if former is not None:
            former.stop()

    def close(self) -> None:
        """End all watches and close the store."""
        end_all(list(self.watches.values()), "ended: the connection was closed")
        self.store.close()


def end_all(watches: Iterable[RunningWatch], state: str = "stopped") -> None:
    """End watches, however many, within a second."""
    ending = list(watches)
    for each in ending:
        each.signal_end(state)
    until = time.monotonic() + _PATIENCE
    for each in ending:
        each.join(max(0.0, until - time.monotonic()))


def events_of(connection: Connection, account: str = "") -> AccountEvents:
    """The events of the connection's account, or of one that is connected to it."""
    account = "" if account == connection.account else account
    kept: dict[str, AccountEvents] = connection.extensions.setdefault(_NAME, {})
    found = kept.get(account)
    sandbox = connection.sandbox
    present = sandbox.account if sandbox is not None else None
    if found is not None and found.sandbox_account is present:
        return found
    made = AccountEvents(connection, account, _store(connection, account), sandbox_account=present)
    if found is None:
        connection.before_close.append(lambda: kept[account].close())  # noqa: PLW0108 - the one of then
    else:  # the sandbox was reset: its ids start from the beginning; the handlers stay
        for each in found.watches.values():
            each.signal_end("ended: the sandbox was reset")
        made.handlers, made.watches = found.handlers, found.watches
        for handler in made.handlers:
            made.note_registration(handler)
    kept[account] = made
    return made


def _store(connection: Connection, account: str) -> Store:
    """Where events are kept: in a file for an account, in memory for a sandbox, as long as that lives."""
    sandbox = connection.sandbox
    if sandbox is not None:
        return Store(None, f"sandbox {account}", now=lambda: float(sandbox.now))
    scope = connection.scope(account or connection.account)
    return Store(state_dir() / "events.sqlite", scope, now=connection.now)


def account_label(connection: Connection, account: str = "") -> str:
    """`Rosen Books (acct_1...)` as far as it is known."""
    if id := account or connection.account:
        return labelled(id, names_of(connection).get(id, ""))
    seen = connection.account_seen
    if seen is None:
        return connection.name or connection.key_hint
    return labelled(str(seen.get("id") or ""), connection.account_name(seen))


def look_up_account(connection: Connection) -> None:
    """Ask once which account the connection is of, so that it can be named. A key that may not read it is no
    fault."""
    if connection.account_seen is None and not connection.account:
        try:
            connection.account_object()
        except StripeError:
            return
