"""What the first table needs is made ready while a person reads that the connection is open.

pandas takes a quarter of a second to import, the sandbox's demo firm longer to make. Both are begun on a
thread once `connect` has answered;
whoever asks in the meantime waits for the rest only (for pandas by Python's own import lock, for the demo
firm by the transport's).
"""

from __future__ import annotations

import threading

from stripe_magics.client.connection import Connection
from stripe_magics.client.http.logging_filter import LOGGER


def begin(connection: Connection, shell: object) -> threading.Thread | None:
    """Start it, if a person sits before a kernel; None where a script or a test runs, which would only wait
    for it."""
    if getattr(shell, "kernel", None) is None:
        return None
    # Not a daemon: a process that ended in the middle of an import of pandas' compiled parts could crash. It
    # takes less than a second.
    thread = threading.Thread(target=_prepare, args=(connection,), name="stripe_magics warm-up", daemon=False)
    thread.start()
    return thread


def _prepare(connection: Connection) -> None:
    """What fails here (pandas missing, memory short) fails again, and is shown, where it is needed."""
    for step in (_import_pandas, lambda: _make_demo(connection)):
        try:
            step()
        except Exception as problem:  # a thread's traceback in the notebook would only alarm
            LOGGER.debug("Not made ready beforehand: %s", type(problem).__name__)


def _import_pandas() -> None:
    import pandas as pd
    import pyarrow.compute

    del pd, pyarrow


def _make_demo(connection: Connection) -> None:
    from stripe_magics.sandbox import SandboxTransport

    if isinstance(connection.sandbox, SandboxTransport):
        connection.sandbox.prepare()
