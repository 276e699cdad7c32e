"""Functions that are called with events: `on("invoice.paid", handler)`, or `@on("invoice.*")`.

A handler gets Stripe's event as a dict, its secrets masked. It is called in the watch's own thread, one event at a time, in the order in
which they happened; for each event once, and a second time only if the kernel died while it ran: `event["id"]` tells. What it raises is
kept and shown; the watch goes on.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, overload

from stripe_magics.errors import redact
from stripe_magics.events.filters import requested

Handler = Callable[[dict[str, Any]], object]


@dataclass(frozen=True, slots=True)
class Problem:
    """A handler that failed. `trace` is its traceback without anything that looks like a key."""

    event: str
    handler: str
    message: str
    trace: str

    def __str__(self) -> str:
        return f"{self.handler} failed on {self.event}: {self.message}"


class Handlers:
    """Handlers by type. Registering a function of the same name for the same type again replaces it, as re-running a cell does."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[str, str], Handler] = {}

    @overload
    def on(self, type: str, handler: Handler) -> Handler: ...
    @overload
    def on(self, type: str, handler: None = None) -> Callable[[Handler], Handler]: ...
    def on(self, type: str, handler: Handler | None = None) -> Handler | Callable[[Handler], Handler]:
        """Call `handler(event)` for events of that type, pattern (`invoice.*`) or group, `*` for all. Without one: a decorator.

        Raises `UnknownName` for a type whose group doesn't exist.
        """
        requested([type])
        if handler is None:
            return lambda function: self.on(type, function)
        if not callable(handler):
            raise TypeError(
                f"The handler must be a function of one argument, the event; {handler!r} can't be called."
            )
        name = _name(handler)
        # lambdas have one name in common: each is kept
        self._by_key[type, name if "<lambda>" not in name else f"{name} {id(handler)}"] = handler
        return handler

    def off(self, type: str, handler: Handler | None = None) -> int:
        """Forget a handler, or all of a type. Returns how many there were."""
        gone = [
            key
            for key, each in self._by_key.items()
            if key[0] == type and (handler is None or each is handler)
        ]
        for key in gone:
            del self._by_key[key]
        return len(gone)

    def of(self, type: str) -> list[Handler]:
        """The handlers that want events of that type."""
        return [each for (pattern, _), each in list(self._by_key.items()) if requested([pattern])(type)]

    def __len__(self) -> int:
        return len(self._by_key)


def run(handlers: list[Handler], event: dict[str, Any]) -> list[Problem]:
    """Call each with the event; what they raise comes back as problems."""
    problems = []
    for each in handlers:
        try:
            each(event)
        except (
            Exception
        ) as error:  # a user's function may raise anything, and one event must not stop the others
            trace = "".join(traceback.format_exception(error)[-8:])
            problems.append(
                Problem(event["id"], _name(each), redact(f"{type(error).__name__}: {error}"), redact(trace))
            )
    return problems


def _name(handler: Handler) -> str:
    return str(getattr(handler, "__qualname__", None) or type(handler).__qualname__)
