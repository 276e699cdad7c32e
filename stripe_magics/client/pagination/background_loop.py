"""An event loop in a thread of its own, with the lanes for its reads: a notebook's kernel already runs a loop, and Stop must be heard at once.

The lists that one connection reads side by side share an engine; the last of them ends it.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection


class BackgroundLoop:
    """The loop, its thread and the lanes."""

    def __init__(self, connection: Connection) -> None:
        self.users = 0
        self.loop = asyncio.new_event_loop()
        self.lanes = connection.lanes()
        self.thread = threading.Thread(target=self.loop.run_forever, name="stripe-pull", daemon=True)
        self.thread.start()

    def start(self, work: Coroutine[Any, Any, None]) -> Any:
        """Run something on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def end(self, task: Any) -> None:
        """Stop it, and wait until it has ended."""
        task.cancel()
        finished = threading.Event()

        async def settle() -> None:
            others = [each for each in asyncio.all_tasks() if each.cancelling()]
            await asyncio.wait(others, timeout=5) if others else None
            finished.set()

        asyncio.run_coroutine_threadsafe(settle(), self.loop)
        finished.wait(6)

    def close(self) -> None:
        """Close the lanes and end the thread."""
        asyncio.run_coroutine_threadsafe(self.lanes.close(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


_engines: weakref.WeakKeyDictionary[Connection, BackgroundLoop] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


@contextmanager
def background_loop_for(connection: Connection) -> Iterator[BackgroundLoop]:
    """The connection's engine, shared by the lists that are read side by side, closed by the last of them."""
    with _lock:
        engine = _engines.get(connection) or BackgroundLoop(connection)
        _engines[connection] = engine
        engine.users += 1
    try:
        yield engine
    finally:
        with _lock:
            engine.users -= 1
            last = engine.users == 0
            if last:
                del _engines[connection]
        if last:
            engine.close()
