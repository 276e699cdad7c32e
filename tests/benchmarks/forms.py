"""What opening a form costs: comm messages, bytes, models and kernel time, for the largest forms; `python
tests/benchmarks/forms.py`.

The limits (60 messages, 150 ms) hold for each of the 41 modules; the message count is also a test.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

import comm
from comm.base_comm import BaseComm

SENT: list[int] = []


class Counted(BaseComm):
    """Counts what a front end would get."""

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        SENT.append(len(json.dumps(data or {}, default=str)))


def measure(name: str, rounds: int = 7) -> tuple[str, int, float, float]:
    """Name, messages, kilobytes, and the median milliseconds of opening a form; each one is closed again."""
    from stripe_magics.forms import module_form

    times = []
    for _ in range(rounds):
        SENT.clear()
        started = time.perf_counter()
        form = module_form(name)
        times.append((time.perf_counter() - started) * 1000)
        messages, size = len(SENT), sum(SENT) / 1024
        form.close()
    return name, messages, size, statistics.median(times)


def main() -> None:
    comm.create_comm = Counted
    started = time.perf_counter()
    from stripe_magics import catalogue
    from stripe_magics.forms import module_form

    module_form("balance.retrieve").close()
    print(f"first form, imports included: {(time.perf_counter() - started) * 1000:.0f} ms")
    rows = sorted((measure(each.name) for each in catalogue.documented()), key=lambda row: -row[1])
    print(f"{'form':34}{'messages':>9}{'kB':>8}{'ms':>8}")
    for name, messages, size, spent in rows[:8]:
        print(f"{name:34}{messages:>9}{size:>8.1f}{spent:>8.1f}")
    assert max(row[1] for row in rows) < 60
    assert max(row[3] for row in rows) < 150


if __name__ == "__main__":
    main()
