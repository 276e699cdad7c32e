"""From a cold kernel to the first sandbox table: `python tests/benchmarks/start_up.py [runs]`.

A real kernel, as a notebook starts one, is given three cells: `%load_ext`, `%stripe connect --sandbox`, and a
list of ten customers with its table; the list at once, or two seconds later, as when a person reads the
connect card meanwhile. All modules are compiled beforehand, as pip leaves them.

Wall is what the client waits, from a cell's sending until the kernel is idle again; CPU is the processor time
of the kernel's process meanwhile, its warm-up thread's too. Goals: connect under 200 ms, connect and a table
at once under 500 ms.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from statistics import median

import psutil
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

CELLS = (
    ("load_ext", "%load_ext stripe_magics"),
    ("connect", "%stripe connect --sandbox"),
    ("table", "%stripe customers list --limit 10"),
)
GOALS = {"connect": 200, "connect and table": 500}


def run_cell(client: BlockingKernelClient, process: psutil.Process, code: str) -> tuple[float, float]:
    """Milliseconds that a cell takes: wall, processor."""
    shown: list[str] = []

    def note(message: dict[str, dict[str, str]]) -> None:
        shown.append(message["header"]["msg_type"])

    spent, begin = sum(process.cpu_times()[:2]), time.perf_counter()
    reply = client.execute_interactive(code, output_hook=note, timeout=60)
    took = time.perf_counter() - begin
    assert reply["content"]["status"] == "ok", reply["content"]
    assert "error" not in shown
    return took * 1000, (sum(process.cpu_times()[:2]) - spent) * 1000


def measure(pause: float, compiled: str) -> dict[str, tuple[float, float]]:
    """One kernel's life; the list `pause` seconds after connecting. `compiled` is where bytecode is kept."""
    with tempfile.TemporaryDirectory() as home:
        own = {"HOME": home, "XDG_STATE_HOME": home, "XDG_DATA_HOME": home, "PYTHONPYCACHEPREFIX": compiled}
        environment = {**os.environ, **own, "PYTHONDONTWRITEBYTECODE": ""}
        manager, client = start_new_kernel(env=environment, cwd=home)
        try:
            process = psutil.Process(manager.provisioner.pid)
            run_cell(client, process, "1 + 1")
            found = {}
            for name, code in CELLS:
                if name == "table":
                    time.sleep(pause)
                found[name] = run_cell(client, process, code)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    both = zip(found["connect"], found["table"], strict=True)
    wall, processor = (one + other for one, other in both)
    return found | {"connect and table": (wall, processor)}


def report(title: str, pause: float, found: list[dict[str, tuple[float, float]]]) -> None:
    """The figures of some kernels."""
    print(title)
    for name in (*(name for name, _ in CELLS), "connect and table"):
        if pause and name == "connect and table":
            continue
        columns = []
        for place, word in enumerate(("wall", "CPU")):
            values = [each[name][place] for each in found]
            columns.append(f"{word} {median(values):5.0f} ({min(values):.0f}-{max(values):.0f})")
        goal = f"   goal {GOALS[name]}" if name in GOALS and not pause else ""
        print(f"  {name:20} {'   '.join(columns)}{goal}")


def main() -> None:
    """Some runs of each, and what they took."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{runs} kernels each; milliseconds: median (lowest-highest); load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as compiled:
        measure(0, compiled)  # compiles
        for title, pause in (("a table at once", 0.0), ("a table after two seconds", 2.0)):
            report(title, pause, [measure(pause, compiled) for _ in range(runs)])


if __name__ == "__main__":
    main()
