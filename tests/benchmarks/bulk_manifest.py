"""What the lock and the manifest of a folder cost a pull: their share of its processor time and of its wall
time.

    python tests/benchmarks/bulk_manifest.py [ROWS [RUNS]]        50,000 rows, 3 runs

A list server in this process answers without delay, so that the pull is as quick as it can be and the share
as large as it can be; the server's own work is on other threads and isn't counted in the processor time. The
goal is less than 2 %.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])  # in place of this folder, whose `bulk` is another one

from bulk.list_server import ListServer, serving  # noqa: E402

from stripe_magics import _files, bulk  # noqa: E402
from stripe_magics.bulk.list_requests import list_request  # noqa: E402
from stripe_magics.client import shared_connection as connections  # noqa: E402
from stripe_magics.client.secret import Secret  # noqa: E402
from stripe_magics.frames import manifest  # noqa: E402

KEY = "sk_test_51CanaryCanaryCanaryCanaryCanaryCanaryCanary0001"
GOAL = 0.02


class Spent:
    """Processor and wall time inside of some functions, those of the pull's own thread."""

    def __init__(self) -> None:
        self.processor = self.wall = 0.0
        self._depth = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what runs inside, once where counted functions call each other."""
        self._depth += 1
        began, wall = time.thread_time(), time.perf_counter()
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self.processor += time.thread_time() - began
                self.wall += time.perf_counter() - wall

    def wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, counted."""

        def run(*given: Any, **named: Any) -> Any:
            with self.counted():
                return function(*given, **named)

        return run

    def wrapped_lock(
        self, lock: Callable[..., AbstractContextManager[Any]]
    ) -> Callable[..., AbstractContextManager[Any]]:
        """The lock: taking and giving back are counted, what is done meanwhile is not."""

        @contextmanager
        def run(*given: Any, **named: Any) -> Iterator[Any]:
            with self.counted():
                held = lock(*given, **named)
                value = held.__enter__()
            try:
                yield value
            finally:
                with self.counted():
                    held.__exit__(None, None, None)

        return run


def main() -> None:
    """Print each run and the medians."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    spent = Spent()
    for name in ("load", "store", "remove_unnamed"):
        setattr(manifest, name, spent.wrapped(getattr(manifest, name)))
    _files.checksum_of = spent.wrapped(_files.checksum_of)
    _files.lock = spent.wrapped_lock(_files.lock)  # type: ignore[assignment]
    server = ListServer(count=rows, latency=0.0, rate=9_000.0, burst=9_000.0)
    processor, wall = [], []
    with serving(server) as url, tempfile.TemporaryDirectory() as folder:
        connection = connections.connect(secret=Secret(KEY), api_base=url, rate=5_000.0)
        request = list_request(connection, "payment_intents")
        for number in range(runs):
            spent.processor = spent.wall = 0.0
            began, started = time.thread_time(), time.perf_counter()
            saved = bulk.save(connection, request, Path(folder) / str(number))
            whole, whole_wall = time.thread_time() - began, time.perf_counter() - started
            assert saved["complete"]
            assert saved["rows"] == rows
            processor.append(spent.processor / whole)
            wall.append(spent.wall / whole_wall)
            print(
                f"{rows:,} rows in {saved['parts']} parts: {spent.processor * 1000:.1f} of {whole * 1000:.0f}"
                f" ms of processor time ({processor[-1]:.2%}), {spent.wall * 1000:.1f} of"
                f" {whole_wall * 1000:.0f} ms ({wall[-1]:.2%})"
            )
    connections.close()
    found = statistics.median(processor)
    print(
        f"medians: {found:.2%} of the processor time, {statistics.median(wall):.2%} of the wall time; goal"
        f" {GOAL:.0%}: {'met' if found < GOAL else 'MISSED'}"
    )


if __name__ == "__main__":
    main()
