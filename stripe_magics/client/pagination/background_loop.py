"""An event loop in a thread of its own, with the network connections for its reads: a notebook's kernel
already runs a loop, and Stop must be heard at once.

The lists that one connection reads side by side share a loop; the last of them ends it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stripe_magics.client.pagination.read_connection import ReadConnection


class BackgroundLoop:
    """The loop, its thread and the pool of its network connections."""

    def __init__(self, connection: ReadConnection) -> None:
        self.users = 0
        self.loop = asyncio.new_event_loop()
        self.pool = connection.async_pool()
        self.thread = threading.Thread(target=self.loop.run_forever, name="stripe-pull", daemon=True)
        self.thread.start()

    def start(self, work: Coroutine[Any, Any, None]) -> Any:
        """Run something on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def end(self, task: Any) -> None:
        """Stop it, and wait until it has ended."""
        task.cancel()
        if threading.current_thread() is self.thread:  # the garbage collector ran here
            return
        finished = threading.Event()

        async def wait_for_cancelled() -> None:
            others = [each for each in asyncio.all_tasks() if each.cancelling()]
            await asyncio.wait(others, timeout=5) if others else None
            finished.set()

        asyncio.run_coroutine_threadsafe(wait_for_cancelled(), self.loop)
        finished.wait(6)

    def close(self) -> None:
        """Close the pool and end the thread."""
        if threading.current_thread() is self.thread:  # as above: this thread can't wait for itself
            threading.Thread(target=self.close, name="stripe-pull end", daemon=True).start()
            return
        asyncio.run_coroutine_threadsafe(self.pool.close(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


_LOOP = "background_loop"  # in Connection.extensions
# The garbage collector ends a reading that was left off in the middle, and takes this lock for that: in any
# thread and line, those that hold it included.
_lock = threading.RLock()


@contextmanager
def background_loop_for(connection: ReadConnection) -> Iterator[BackgroundLoop]:
    """The connection's loop, shared by the lists that are read side by side, closed by the last of them."""
    with _lock:
        background: BackgroundLoop | None = connection.extensions.get(_LOOP)
        if background is None:
            background = connection.extensions[_LOOP] = BackgroundLoop(connection)
        background.users += 1  # nothing is made, so nothing collected, since it was looked up
    try:
        yield background
    finally:
        with _lock:
            background.users -= 1
            last = background.users == 0
            if last:
                del connection.extensions[_LOOP]
        if last:
            background.close()
