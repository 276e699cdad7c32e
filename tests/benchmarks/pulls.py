"""A long list into a DataFrame: this package beside the official one, against a list server on this machine.

    python tests/benchmarks/pulls.py [--rows 50000] [--only ours,official,parquet,sequential] [--shape uneven] [--latency 0.15] [--rate 100]

Each client runs in a process of its own: wall and CPU seconds from the first request to the finished frame, peak memory above what the
process had before, requests and refusals as the server counted them. The floor is (pages - burst) / rate + one latency.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
KEY = "sk_test_51BenchmarkBenchmarkBenchmarkBenchmark0001"
BURST = 20


def ours(url: str, rate: float, folder: str, *, to: bool = False, ordered: bool = False) -> int:
    from stripe_magics.client import connection, listing
    from stripe_magics.client.secret import Secret

    made = connection.connect(secret=Secret(KEY), api_base=url, rate=rate)
    if to:
        from stripe_magics import pulls

        return int(pulls.pull("payment_intents", to=folder, connection=made, quiet=True)["rows"][0])
    if ordered:
        windowed, listing.windowed = listing.windowed, lambda request: False
        assert windowed
    from stripe_magics.calls import call

    frame = call("payment_intents.list", limit="all", connection=made)
    assert frame["id"].is_unique
    assert frame["created"].is_monotonic_decreasing
    return len(frame)


def official(url: str, rate: float, folder: str) -> int:
    import pandas as pd
    import stripe

    client = stripe.StripeClient(KEY, base_addresses={"api": url})
    rows = [each.to_dict() for each in client.v1.payment_intents.list({"limit": 100}).auto_paging_iter()]
    return len(pd.json_normalize(rows))


CLIENTS: dict[str, Any] = {
    "ours": ours,
    "official": official,
    "parquet": lambda url, rate, folder: ours(url, rate, folder, to=True),
    "sequential": lambda url, rate, folder: ours(url, rate, folder, ordered=True),
}


def run_client(name: str, url: str, rate: float, folder: str) -> None:
    """In the client's own process: warm the imports, then measure."""
    import pandas as pd
    import psutil

    pd.json_normalize([{"a": {"b": 1}}])
    if name == "official":
        import stripe

        assert stripe
    else:
        import pyarrow.parquet  # noqa: F401

        from stripe_magics import frames, pulls
        from stripe_magics.calls import prepare  # noqa: F401
        from stripe_magics.client import connection, pull

        assert pulls
        assert pull
        assert connection
        frames.build([b'{"id":"pi_1","object":"payment_intent"}'], "payment_intent")
    me = psutil.Process()
    before, peak, done = me.memory_info().rss, [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], me.memory_info().rss)

    threading.Thread(target=watch, daemon=True).start()
    wall, cpu = time.perf_counter(), time.process_time()
    rows = CLIENTS[name](url, rate, folder)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    done.set()
    print(json.dumps({"client": name, "rows": rows, "wall": wall, "cpu": cpu, "memory": max(0, peak[0] - before) / 1e6}))


def measure(name: str, options: argparse.Namespace, rows: int) -> dict[str, Any]:
    import tempfile

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/pulls/listserver.py"), str(port), "--count", str(rows), "--shape", options.shape]
        + ["--latency", str(options.latency), "--rate", str(options.server_rate or options.rate), "--burst", str(options.burst)],
        stdout=subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline().strip() == b"ready"
        url = f"http://127.0.0.1:{port}"
        with tempfile.TemporaryDirectory() as folder:
            child = subprocess.run(
                [
                    sys.executable,
                    __file__,
                    "--client",
                    name,
                    "--url",
                    url,
                    "--rate",
                    str(options.rate),
                    "--folder",
                    f"{folder}/out",
                ],
                env={**os.environ, "PYTHONPATH": str(ROOT), "STRIPE_MAGICS_STATE_DIR": folder},
                capture_output=True,
                text=True,
                check=False,
            )
        if child.returncode:
            raise SystemExit(child.stderr)
        import httpx

        counted = httpx.get(f"{url}/count").json()
        result: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
        return {**result, **counted}
    finally:
        server.kill()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, kind, default in (
        ("rows", int, 50_000), ("only", str, "ours,official"), ("shape", str, "uneven"), ("latency", float, 0.15), ("rate", float, 100.0),
        ("server-rate", float, 0.0), ("burst", float, BURST), ("client", str, ""), ("url", str, ""), ("folder", str, ""),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=kind, default=default)
    options = parser.parse_args()
    if options.client:
        run_client(options.client, options.url, options.rate, options.folder)
        return
    pages = math.ceil(options.rows / 100)
    rate = options.server_rate or options.rate
    floor = max(0.0, (pages - options.burst) / rate) + options.latency
    print(
        f"{options.rows:,} rows, {options.shape}, {options.latency * 1000:.0f} ms, {rate:g}/s, burst {options.burst:g}; floor {floor:.2f} s"
    )
    found = {name: measure(name, options, options.rows) for name in options.only.split(",")}
    for name, each in found.items():
        print(
            f"{name:12} wall {each['wall']:7.2f} s ({each['wall'] / floor:5.2f} x floor)  cpu {each['cpu']:6.2f} s ({each['cpu'] / each['rows'] * 1e6:5.0f} us a row)"
            f"  memory {each['memory']:7.1f} MB  requests {each['requests']} ({each['requests'] / pages:.3f} x pages)  refused {each['refused']}"
        )
    if {"ours", "official"} <= set(found):
        mine, theirs = found["ours"], found["official"]
        print("ratios: " + ", ".join(f"{what} {theirs[what] / mine[what]:.1f}" for what in ("wall", "cpu", "memory")))


if __name__ == "__main__":
    main()
