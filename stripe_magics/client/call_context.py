"""On whose behalf code runs: the connection, account and key of the calls that are made while an event's
handler is at work.

A handler belongs to the connection on which it was registered. While it runs, a context variable carries that
connection, so that a call inside it goes there and nowhere else, whatever `connect` has put in its place
meanwhile; a connection that was closed refuses it. The context also numbers the handler's writes: event,
handler and number make the idempotency key, so that a handler that runs a second time for the same event (the
kernel was killed, the event was delivered twice, another kernel took over) repeats its writes under the keys
that they had.

Tasks and `asyncio.to_thread` inherit the context; a thread that a handler starts by hand doesn't (`carried`
passes it on, as `contextvars.copy_context().run` does).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_FREE_AGAIN = frozenset({"refused", "not_sent"})  # states of writes that surely changed nothing


class CalledConnection(Protocol):
    """What a context must know of the connection that calls are made on: its own account."""

    @property
    def account(self) -> str: ...


class CallContext:
    """One run of a handler for one event, or, without `event`, code that merely belongs to a connection."""

    def __init__(
        self,
        connection: CalledConnection,
        *,
        event: str = "",
        handler: str = "",
        account: str = "",
        label: str = "",
    ) -> None:
        """`account`: the connected account that the event is from; calls go to it unless they name
        another."""
        self.connection, self.event, self.handler, self.account = connection, event, handler, account
        self.label = label or (f"handler {handler} on {event}" if event else "")
        self._count = 0
        self._lock = threading.Lock()

    @property
    def handler_digest(self) -> str:
        """What stands for the handler in the keys of its writes."""
        return hashlib.sha256(self.handler.encode()).hexdigest()[:16]

    def next_key(self, rows_of: Callable[[str], list[Any]]) -> str:
        """The idempotency key of the handler's next write; `rows_of` gives the journal's operations with a
        key.

        Attempts that Stripe refused, or that never left, changed nothing: when the event is handled again,
        the write gets a new key.
        """
        with self._lock:
            self._count += 1
            number = self._count
        base = key = f"{self.event[:120]}-{self.handler_digest}-{number}"
        attempt = 1
        while (rows := rows_of(key)) and all(row.state in _FREE_AGAIN for row in rows):
            attempt += 1
            key = f"{base}-{attempt}"
        return key


_CURRENT: ContextVar[CallContext | None] = ContextVar("stripe_magics_call_context", default=None)


def current_context() -> CallContext | None:
    """The context of the code that runs, or None outside of handlers."""
    return _CURRENT.get()


@contextmanager
def calling_for(context: CallContext) -> Iterator[CallContext]:
    """Run code with that context."""
    token = _CURRENT.set(context)
    try:
        yield context
    finally:
        _CURRENT.reset(token)


def handler_context(connection: object) -> CallContext | None:
    """The context of the handler that runs, if it numbers the writes on this connection."""
    found = _CURRENT.get()
    return found if found is not None and found.event and found.connection is connection else None


def account_for(connection: object) -> str:
    """The connected account that calls on this connection go to by the context, or ""."""
    found = _CURRENT.get()
    return found.account if found is not None and found.connection is connection else ""


def account_of(connection: CalledConnection, headers: Iterable[tuple[str, str]] = ()) -> str:
    """The account that a call goes to: its own header's, else that of the handler's event, else the
    connection's; "" is the key's own."""
    named = next((value for name, value in headers if name.lower() == "stripe-account"), "")
    return str(named or account_for(connection) or connection.account)


def carried(work: Callable[P, R]) -> Callable[P, R]:
    """`work` for threads of a pool: each run has the context of the code that calls this now, a handler's
    connection and account with it."""
    context = copy_context()

    def run(*positional: P.args, **named: P.kwargs) -> R:
        return context.copy().run(work, *positional, **named)  # a context is entered once at a time

    return run
