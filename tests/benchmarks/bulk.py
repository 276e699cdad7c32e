"""Long lists into DataFrames: this package beside the official one and plain httpx, against a list server on
this machine.

    python tests/benchmarks/bulk.py [--set
    base|limits|shapes|parquet|faults|lists|accounts|refresh|flatten|all] [--only ours,official] [--repeat 3]
        [--rows 50000] [--latency 0.15] [--rate 100] [--server-rate 0] [--burst 20] [--shape uneven]

Each client runs in a process of its own (`bulk_clients.py`, `bulk_process.py`). Requests and refusals are as
the server counted them. The floor is (pages - burst) / rate + one latency. Below the measurements stand the
goals, which are meant for 50,000 rows and the rest as it is; with
--repeat, of medians.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ACCOUNTS = [f"acct_1Benchmark{number:07}" for number in range(50)]
CHANGES = 1000
VERSION = "2025-02-24.acacia"  # of the events: the connection's own
SLOW = 25  # requests per second that Stripe allows an endpoint, unless it says otherwise


@dataclass(frozen=True)
class Run:
    """One client in one situation: `rows` in parts of --rows, and what differs from the usual at the server
    and in the job."""

    client: str
    rows: float = 1.0
    exactly: int = 0
    server: Mapping[str, Any] = field(default_factory=dict)
    job: Mapping[str, Any] = field(default_factory=dict)
    lists: int = 1


Found = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Goal:
    """`value` of what was found must not be above (with `least`: below) `limit`."""

    what: str
    value: Callable[[Found], float]
    limit: float
    least: bool = False

    def said(self, found: Found) -> str:
        value = self.value(found)
        met = value >= self.limit if self.least else value <= self.limit
        return (
            f"{'met   ' if met else 'MISSED'} {self.what:62} {value:8.2f}   goal"
            f" {'>=' if self.least else '<='} {self.limit:g}"
        )


def ratio(what: str, other: str, own: str = "ours") -> Callable[[Found], float]:
    return lambda found: found[other][what] / found[own][what]


def of(name: str, what: str, per: str = "") -> Callable[[Found], float]:
    return lambda found: found[name][what] / (found[name][per] if per else 1)


WILD = {"shape": "wild", "unknown": True}
"""Data as accounts have it: a dead gap, a spike, billing runs of one second, and fields that no schema
has."""

RUNS: dict[str, Run] = {
    "ours": Run("ours"),
    "ours x 4": Run("ours", rows=4),
    "ours 8 columns": Run("columns"),
    "ours one page": Run("ours", exactly=100),
    "sequential": Run("sequential"),
    "official": Run("official"),
    "official-lean": Run("official-lean"),
    "official-10-threads": Run("official-10-threads"),
    "orjson": Run("orjson"),
    "wild": Run("ours", server=WILD),
    "wild hand-written": Run("hand-written", server=WILD),
    "wild official": Run("official-dicts", server=WILD),
    "known limit": Run("ours", server={"rate": SLOW}, job={"rate": SLOW}),
    "unknown limit": Run("ours", server={"rate": SLOW}),
    "uniform": Run("ours", server={"shape": "uniform"}),
    "burst": Run("ours", server={"shape": "burst"}),
    "steep": Run("ours", server={"shape": "steep"}),
    "parquet": Run("parquet"),
    "parquet x 4": Run("parquet", rows=4),
    "faults": Run("ours", server={"errors": 0.02, "drops": 0.01}),
    "lists at once": Run("lists-at-once", rows=0.25, server={"rate": SLOW, "per-endpoint": True},
        job={"endpoint": SLOW}, lists=4),
    "lists one by one": Run("lists-one-by-one", rows=0.25, server={"rate": SLOW, "per-endpoint": True},
        job={"endpoint": SLOW}, lists=4),
    "accounts": Run("accounts", rows=0.04, job={"accounts": ACCOUNTS}, lists=len(ACCOUNTS)),
    "accounts loop": Run("accounts-loop", rows=0.04, job={"accounts": ACCOUNTS}, lists=len(ACCOUNTS)),
    "mirror whole": Run("mirror"),
    "mirror refreshed": Run("refresh", server={"changes": CHANGES, "version": VERSION},
        job={"changes": CHANGES}),
    "flatten": Run("flatten"),
    "flatten 8 columns": Run("flatten-columns"),
    "flatten json": Run("flatten-json"),
}  # fmt: skip

SETS: dict[str, tuple[list[str], list[Goal]]] = {
    "base": (
        ["ours", "ours 8 columns", "ours one page", "ours x 4", "orjson", "official-10-threads",
            "official-lean", "official"],
        [
            Goal("wall: official / ours", ratio("wall", "official"), 20, least=True),
            Goal("wall: official in 10 threads / ours", ratio("wall", "official-10-threads"), 9, least=True),
            Goal("wall: httpx + orjson / ours", ratio("wall", "orjson"), 10, least=True),
            Goal("CPU: official / ours", ratio("cpu", "official"), 25, least=True),
            Goal("CPU: microseconds a row", lambda found: found["ours"]["cpu"] / found["ours"]["rows"] * 1e6,
                60),
            Goal("memory: official / ours", ratio("memory", "official"), 20, least=True),
            Goal("wall / floor", of("ours", "wall", "floor"), 1.20),
            Goal("wall / floor, four times the rows", of("ours x 4", "wall", "floor"), 1.08),
            Goal("requests / pages", of("ours", "requests", "pages"), 1.10),
            Goal("requests / pages, four times the rows", of("ours x 4", "requests", "pages"), 1.03),
            Goal("requests for 100 rows", of("ours one page", "requests"), 1),
            Goal("refused, limit known", of("ours", "refused"), 0),
        ],
    ),
    "wild": (
        ["wild", "wild hand-written", "wild official"],
        [
            Goal("wall: official, dicts only / ours", ratio("wall", "wild official", "wild"), 20, least=True),
            Goal("wall: hand-written / ours", ratio("wall", "wild hand-written", "wild"), 2.4, least=True),
            Goal("CPU: official, dicts only / ours", ratio("cpu", "wild official", "wild"), 22, least=True),
            Goal("wall / floor", of("wild", "wall", "floor"), 1.20),
            Goal("requests / pages", of("wild", "requests", "pages"), 1.10),
            Goal("peak over start / the finished frame", of("wild", "memory", "frame"), 1.5),
            Goal("refused, limit known", of("wild", "refused"), 0),
        ],
    ),
    "limits": (
        ["known limit", "unknown limit"],
        [
            Goal(f"wall / floor, known {SLOW}/s", of("known limit", "wall", "floor"), 1.15),
            Goal("refused, limit known", of("known limit", "refused"), 0),
            Goal("wall: unknown / known", ratio("wall", "unknown limit", "known limit"), 1.10),
            Goal("refused / requests, limit unknown", of("unknown limit", "refused", "requests"), 0.10),
        ],
    ),
    "shapes": (
        ["uniform", "burst", "steep"],
        [
            Goal("wall: half of all in one week / uniform", ratio("wall", "burst", "uniform"), 1.15),
            Goal("wall: exponential growth / uniform", ratio("wall", "steep", "uniform"), 1.15),
        ],
    ),
    "parquet": (
        ["parquet", "parquet x 4"],
        [
            Goal("memory: four times the rows / once", ratio("memory", "parquet x 4", "parquet"), 1.0),
            Goal("memory, four times the rows (MB)", of("parquet x 4", "memory"), 150),
            Goal("wall / floor, four times the rows", of("parquet x 4", "wall", "floor"), 1.08),
        ],
    ),
    "faults": (["faults"],
        [Goal("rows lost or double", lambda found: abs(found["faults"]["rows"] - found["faults"]["expected"]),
            0)]),
    "lists": (
        ["lists at once", "lists one by one"],
        [Goal("wall: 4 lists one by one / at once", ratio("wall", "lists one by one", "lists at once"), 3.5,
            least=True)],
    ),
    "accounts": (
        ["accounts", "accounts loop"],
        [Goal("wall: 50 accounts in a loop / at once", ratio("wall", "accounts loop", "accounts"), 12,
            least=True)],
    ),
    "refresh": (
        ["mirror whole", "mirror refreshed"],
        [Goal("requests: 1,000 changes / whole", ratio("requests", "mirror refreshed", "mirror whole"),
            0.10)],
    ),
    "flatten": (
        ["flatten", "flatten 8 columns", "flatten json"],
        [
            Goal("wall: json + json_normalize / ours", ratio("wall", "flatten json", "flatten"), 5,
                least=True),
            Goal("memory: json + json_normalize / ours", ratio("memory", "flatten json", "flatten"), 5,
                least=True),
            Goal("wall: json + json_normalize / 8 columns",
                ratio("wall", "flatten json", "flatten 8 columns"), 30, least=True),
        ],
    ),
}  # fmt: skip


@contextmanager
def serving(**options: Any) -> Iterator[tuple[str, int]]:
    """A list server in a process of its own; gives its URL and the process' id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = [
        word
        for name, value in options.items()
        for word in ((f"--{name}",) if value is True else (f"--{name}", str(value)))
    ]
    script = str(ROOT / "tests/bulk/list_server.py")
    server = subprocess.Popen([sys.executable, script, str(port), *flags], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        assert server.stdout.readline().strip() == b"ready"
        yield f"http://127.0.0.1:{port}", server.pid
    finally:
        server.kill()
        server.wait()


def measure(run: Run, options: argparse.Namespace) -> dict[str, float]:
    """One run, and what it is held against: rows, pages, floor."""
    rows = run.exactly or int(options.rows * run.rows)
    server = {
        "rate": options.server_rate or options.rate,
        "latency": options.latency,
        "burst": options.burst,
        "shape": options.shape,
    }
    server |= {"count": rows, **run.server}
    with tempfile.TemporaryDirectory() as folder, serving(**server) as (url, process):
        job = {
            "client": run.client,
            "url": url,
            "server": process,
            "rate": options.rate,
            "rows": rows,
            "folder": f"{folder}/out",
        }
        job |= run.job
        child = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("bulk_process.py")), json.dumps(job)],
            env={**os.environ, "STRIPE_MAGICS_STATE_DIR": folder}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if child.returncode:
            raise SystemExit(child.stderr)
    pages = math.ceil(rows / 100) * run.lists
    floor = max(0.0, (pages - server["burst"]) / server["rate"]) + server["latency"]
    return {
        **json.loads(child.stdout.splitlines()[-1]),
        "expected": rows * run.lists,
        "pages": pages,
        "floor": floor,
        "lists": run.lists,
    }


def repeated(run: Run, options: argparse.Namespace) -> dict[str, float]:
    runs = [measure(run, options) for _ in range(options.repeat)]
    if options.repeat > 1:
        spread = {
            what: f"{min(each[what] for each in runs):.2f}-{max(each[what] for each in runs):.2f}"
            for what in ("wall", "cpu", "memory")
        }
        print(f"  of {options.repeat} runs: " + ", ".join(f"{what} {said}" for what, said in spread.items()))
    return {what: statistics.median(each[what] for each in runs) for what in runs[0]}


def show(name: str, each: dict[str, float]) -> None:
    asked = (
        f"requests {each['requests']:5.0f} = {each['requests'] / each['pages']:.3f} x pages  refused"
        f" {each['refused']:.0f}"
    )
    floor = f"{each['wall'] / each['floor']:6.2f} x floor {each['floor']:.2f} s"
    if "frame" in each:
        floor += (
            f"  memory {each['memory'] / each['frame']:.2f} x frame {each['frame']:.1f} MB"
            f" ({each['memory'] / each['frame read']:.2f} x, its cells read)"
        )
    if "after last page" in each:
        floor += f"  after the last page {each['after last page'] * 1000:.0f} ms"
    print(
        f"{name:20} {each['rows']:9,.0f} rows  wall {each['wall']:7.2f} s  cpu {each['cpu']:6.2f} s"
        f" ({each['cpu'] / each['rows'] * 1e6:4.0f} us a row)  memory {each['memory']:7.1f} MB "
        f" {asked if each['requests'] else ''}  {floor if each['lists'] == 1 and each['requests'] else ''}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, kind, default in (
        ("rows", int, 50_000), ("set", str, "base"), ("only", str, ""), ("shape", str, "uneven"),
        ("latency", float, 0.15),
        ("rate", float, 100.0), ("server-rate", float, 0.0), ("burst", float, 20.0), ("repeat", int, 1),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=kind, default=default)
    options = parser.parse_args()
    chosen = list(SETS) if options.set == "all" else options.set.split(",")
    sets = {name: SETS[name] for name in chosen}
    if options.only:
        sets = {"only": (options.only.split(","), [goal for _, goals in SETS.values() for goal in goals])}
    print(
        f"{options.rows:,} rows, {options.latency * 1000:.0f} ms, {options.rate:g}/s, burst"
        f" {options.burst:g}, {options.shape}"
    )
    found: Found = {}
    for title, (names, goals) in sets.items():
        print(f"\n{title}")
        for name in names:
            if name not in found:
                found[name] = repeated(RUNS[name], options)
            show(name, found[name])
        for goal in goals:
            with suppress(KeyError):  # a run that wasn't asked for
                print(goal.said(found))


if __name__ == "__main__":
    main()
