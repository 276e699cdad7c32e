"""One client of `bulk.py` at its work: python bulk_process.py '{"client": "ours", "url": ...}'

Measured from the first request to the finished frame: wall and CPU seconds, peak memory above what the
process had before, and what the server counted.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
from typing import Any

from bulk_clients import BEFORE, CLIENTS, Job


def warm() -> None:
    """What is imported and built once is nobody's time."""
    import anyio._backends._asyncio
    import httpx
    import orjson
    import pandas as pd
    import pyarrow.parquet
    import stripe

    from stripe_magics import accessor, bulk, catalogue, frames, pipeline
    from stripe_magics.client import shared_connection
    from stripe_magics.client.pagination import paginator, parallel_paginator
    from stripe_magics.request import builder

    assert all((anyio, httpx, orjson, stripe, pyarrow.parquet, accessor, pipeline, bulk, builder))
    assert all((shared_connection, paginator, parallel_paginator, catalogue.find("payment_intents.list")))
    pd.json_normalize([{"a": {"b": 1}}])
    frames.build([b'{"id":"pi_1","object":"payment_intent"}'], "payment_intent")


def counted(job: Job) -> dict[str, float]:
    import httpx

    return dict(httpx.get(f"{job['url']}/count").json())


def size_of(frame: Any, *, read: bool) -> int:
    """The bytes of a frame: those of its columns, and once those of each object that its cells hold, keys and
    values with it. Maps and lists that nobody has looked at are texts, unless all is to be `read`."""
    from stripe_magics.frames.json_cells import JsonCellArray

    objects = [frame[name] for name in frame if frame[name].dtype == object]
    if not read:
        objects = [each for each in objects if not isinstance(each.array, JsonCellArray)]
    waiting = [value for each in objects for value in each]
    total, seen = int(frame.memory_usage(index=True).sum()), set[int]()
    while waiting:
        value = waiting.pop()
        if value is None or id(value) in seen:
            continue
        seen.add(id(value))
        total += sys.getsizeof(value)
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
    return total


def main() -> None:
    import psutil

    job: Job = json.loads(sys.argv[1])
    warm()
    BEFORE.get(job["client"], lambda job: None)(job)
    earlier = counted(job)
    gc.collect()
    me = psutil.Process()
    before = peak = me.memory_info().rss
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, me.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    wall, cpu = time.perf_counter(), time.process_time()
    rows = CLIENTS[job["client"]](job)
    ended = time.perf_counter()
    wall, cpu = ended - wall, time.process_time() - cpu
    done.set()
    watcher.join()
    asked = {what: number - earlier[what] for what, number in counted(job).items()}
    if "check" in job:
        job["check"]()
    if "frame" in job:
        asked["frame"] = size_of(job["frame"], read=False) / 1e6
        asked["frame read"] = size_of(job["frame"], read=True) / 1e6
    if "last page" in job:
        asked["after last page"] = ended - job["last page"]
    print(json.dumps({"rows": rows, "wall": wall, "cpu": cpu, "memory": (peak - before) / 1e6, **asked}))


if __name__ == "__main__":
    main()
