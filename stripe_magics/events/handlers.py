"""Functions that are called with events: `on("invoice.paid", handler)`, or `@on("invoice.*")`; `async def` as
well.

A handler gets Stripe's event as a dict, its secrets masked, one event at a time, in the order in which they
happened. It belongs to the connection on which it was registered: whatever it calls goes there. It goes by a
key (its notebook or module, its events and its name) that stays the same when a cell runs again, after a
restart and in a second kernel of that notebook, so each event reaches it once; what it raises is kept with
the event (run_log.py).
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import hashlib
import inspect
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from stripe_magics._json import JsonObject
from stripe_magics.events.filters import EventFilter, event_filter

SOURCE_END = " | "  # between a handler's source and the rest of its key

Handler = Callable[[JsonObject], object]
Condition = Callable[[JsonObject], bool]


@dataclass(frozen=True, slots=True)
class Registered:
    """A handler with the events that it is for."""

    key: str
    name: str
    pattern: str
    events: EventFilter
    function: Handler
    condition: Condition | None = None
    batch: Callable[[list[JsonObject]], object] | None = None
    """Takes all that is due at once, in place of `function`; what it couldn't take is given again with the
    next pass."""

    def __call__(self, event: JsonObject) -> None:
        """Call it; a coroutine is run to its end."""
        if self.condition is not None and not self.condition(event):
            return
        answer = self.function(event)
        if inspect.iscoroutine(answer):
            _run_coroutine(answer)


class Handlers:
    """Handlers by key. Registering one of the same name for the same events again replaces it, as running a
    cell again does."""

    def __init__(self, owner: str = "") -> None:
        self.owner = owner
        self._by_key: dict[str, Registered] = {}

    def add(
        self, type: str, handler: Handler, *, name: str = "", condition: Condition | None = None
    ) -> Registered:
        """Register a function for a type, pattern or group. Raises `UnknownName`, or TypeError for what can't
        be called."""
        events = event_filter(type.split(","))
        if not callable(handler):
            raise TypeError(
                f"The handler must be a function of one argument, the event; {handler!r} can't be called."
            )
        name = name or handler_name(handler)
        pattern = ",".join(events.names)
        key = f"{handler_source(handler)}{SOURCE_END}{self.owner}{pattern} {name}"
        made = Registered(key, name, pattern, events, handler, condition)
        self._by_key[key] = made
        return made

    def add_batch(
        self,
        events: EventFilter,
        batch: Callable[[list[JsonObject]], object],
        *,
        name: str,
        condition: Condition | None = None,
    ) -> Registered:
        """Register what takes events by batch. `name` tells it from others, in every kernel."""
        pattern = ",".join(events.names)
        key = f"{SOURCE_END}{self.owner}{pattern} {name}"
        made = Registered(key, name, pattern, events, lambda event: batch([event]), condition, batch)
        self._by_key[key] = made
        return made

    def remove(self, type: str, handler: Handler | None = None) -> int:
        """Forget a handler, or all of a type. Returns how many there were."""
        pattern = ",".join(event_filter(type.split(",")).names)
        gone = [
            key
            for key, each in self._by_key.items()
            if each.pattern == pattern and (handler is None or each.function is handler)
        ]
        for key in gone:
            del self._by_key[key]
        return len(gone)

    def of(self, type: str) -> list[Registered]:
        """The handlers for events of that type, as they were registered."""
        return [each for each in list(self._by_key.values()) if each.events(type)]

    def __iter__(self) -> Any:
        return iter(list(self._by_key.values()))

    def __len__(self) -> int:
        return len(self._by_key)


def handler_source(handler: Handler) -> str:
    """Where a function is from: its module, or the notebook or script that runs. Two notebooks may each have
    a function `note`."""
    function = handler.func if isinstance(handler, functools.partial) else handler
    module = str(getattr(function, "__module__", "") or type(function).__module__)
    if module not in {"__main__", "builtins"}:
        return module
    main = getattr(sys.modules.get("__main__"), "__file__", "") or ""
    notebook = os.environ.get("JPY_SESSION_NAME", "")  # Jupyter's own name for the notebook of this kernel
    return notebook or ("" if "ipykernel" in main else main)


def handler_name(handler: Handler) -> str:
    """The name by which a function is known again: the same when its cell runs again, in a new kernel and in
    another one.

    A lambda has none: its code and its place in the cell tell it from others. Of a partial the function and
    its plain arguments count, of a method the class.
    """
    if isinstance(handler, functools.partial):
        plain = [
            repr(each) if isinstance(each, (str, int, float, bool, type(None))) else type(each).__qualname__
            for each in (*handler.args, *(value for _, value in sorted(handler.keywords.items())))
        ]
        return f"{handler_name(handler.func)}({', '.join(plain)})"
    name = str(getattr(handler, "__qualname__", None) or type(handler).__qualname__)
    code = getattr(handler, "__code__", None)
    if "<lambda>" not in name or code is None:
        return name
    place = next(iter(code.co_positions()), (0, 0, 0, 0))
    parts = (code.co_code.hex(), repr(code.co_consts), repr(code.co_names), code.co_firstlineno, place)
    return f"{name} {hashlib.sha256(repr(parts).encode()).hexdigest()[:8]}"


def _run_coroutine(coroutine: Coroutine[Any, Any, object]) -> None:
    """Run it to its end, with the context of the caller: in a thread of its own where an event loop is
    running here, as in a notebook's cell."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(coroutine)
        return
    failed: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(coroutine)
        except BaseException as error:  # handed to the thread that waits
            failed.append(error)

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(work,), name="stripe async handler", daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
