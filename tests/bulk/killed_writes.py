"""Processes that are killed (SIGKILL) before the n-th thing that they do to a folder: a file opened for
writing, filled, renamed or removed, a folder made or removed. A file that was being filled is left half.

Run as a script it is a parent that has imported everything; each line on its input is one child:
`FOLDER URL NUMBER [sync | compact]`. It answers with what ended the child, or with how many things it did.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

KEY = "sk_test_51CanaryCanaryCanaryCanaryCanaryCanaryCanary0001"
_WRITES = os.O_WRONLY | os.O_RDWR
_EVENTS = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir"})


class Killer:
    """Counts what is done below a folder; kills its own process before the thing of that number."""

    def __init__(self, folder: str, number: int) -> None:
        self.folder, self.number, self.count = folder, number, 0

    def _next(self) -> bool:
        self.count += 1
        return self.count == self.number

    def audit(self, event: str, args: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(args[2], int) and args[2] & _WRITES
        if (writes or event in _EVENTS) and str(args[0]).startswith(self.folder) and self._next():
            os.kill(os.getpid(), signal.SIGKILL)

    def fsync(self, descriptor: int) -> None:
        if str(Path(f"/proc/self/fd/{descriptor}").readlink()).startswith(self.folder) and self._next():
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)


def child(folder: str, url: str, number: int, what: str) -> None:
    """Sync the folder in this process, which is killed on the way."""
    from stripe_magics import bulk
    from stripe_magics.client import shared_connection as connections
    from stripe_magics.client.secret import Secret

    connection = connections.connect(secret=Secret(KEY), api_base=url, rate=8_000.0)
    killer = Killer(folder, number)
    os.fsync = killer.fsync
    sys.addaudithook(killer.audit)
    bulk.sync(folder, "payment_intents", connection=connection, quiet=True, compact=what == "compact")
    print("ended", killer.count, flush=True)
    os._exit(0)


def main() -> None:
    import duckdb  # noqa: F401 - imported once, for all children
    import pandas as pd  # noqa: F401
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401

    import stripe_magics.accessor
    import stripe_magics.bulk.mirror
    import stripe_magics.client.connection  # noqa: F401
    from stripe_magics.bulk import mirror_storage

    mirror_storage.MIN_MONTH_ROWS, mirror_storage.MAX_REWRITE_ROWS = 200, 30
    mirror_storage.MAX_CHANGED_SHARE = 0.5
    for line in sys.stdin:
        folder, url, number, what = line.split()
        if pid := os.fork():
            status = os.waitpid(pid, 0)[1]
            if os.WIFSIGNALED(status):
                print("killed", os.WTERMSIG(status), flush=True)
        else:
            child(folder, url, int(number), what)


if __name__ == "__main__":
    main()
