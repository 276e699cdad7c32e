"""Creates under faults and under Stop, by every interface: how many are made twice, and how many endings are
reported wrongly (both must be 0).

python tests/benchmarks/faults.py faults [COUNT] [SEED]
    COUNT creates by each of line, call, form and rows (10,000)
python tests/benchmarks/faults.py signals [COUNT] [SEED]
    COUNT real SIGINTs at random moments of single creates and of rows (500)
python tests/benchmarks/faults.py kills [COUNT] [SEED]
    COUNT processes are killed while they create (50)

The server counts what was carried out, by the description that each create has for itself. A create that
didn't end well is made again by the same cell (a form: asked about again), as a person would, until it is
done.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])

from fault_server import EXPIRED, LOCK, RATE, Fault, FaultServer, error  # noqa: E402
from IPython.core.interactiveshell import InteractiveShell  # noqa: E402
from IPython.utils.capture import capture_output  # noqa: E402
from traitlets.config import Config  # noqa: E402

from stripe_magics import errors, magics  # noqa: E402
from stripe_magics.client import shared_connection  # noqa: E402
from stripe_magics.client.http.retry import Policy  # noqa: E402
from stripe_magics.client.secret import Secret  # noqa: E402

KEY = "sk_test_51CanaryCanaryCanaryCanaryCanaryCanaryCanary0001"
QUICK = Policy(
    base_delay=0.001, max_delay=0.002, deadline=0.4, connect=0.4, operation=20.0, in_use_seconds=2.0
)
BATCH = 20  # rows of one frame
_LOST = ("reset", "close", "truncate-length", "truncate-chunk", "bad-gzip", "garbage", "html")
_DECLINE = error(402, "card_error", "card_declined", "Your card was declined.")
FAULTS = (
    *(Fault(when, how) for when in ("before", "after") for how in _LOST),
    Fault("after", "slow", seconds=0.05),
    *(Fault(when, "html", status) for when in ("before", "after") for status in (200, 403, 502)),
    *(
        Fault(when, "answer", 200, (), body)
        for when in ("before", "after")
        for body in (b"", b"{}", b"[]", b'{"id"')
    ),
    Fault("after", "answer", 200, (), {"id": "cus_x", "object": "customer"}),
    *(error(status, "api_error") for status in (500, 502, 503)),
    Fault("after", "answer", 500, (), {"error": {"type": "api_error", "message": "late"}}),
    RATE,
    LOCK,
    EXPIRED,
    error(403, "invalid_request_error"),
    error(409, "invalid_request_error"),
)
LINE = "made = %stripe payment_intents create --amount 2000 --currency usd --description {name} --quiet"
CALL = (
    "import stripe_magics as sm\nmade = sm.call('payment_intents.create', amount=2000, currency='usd',"
    " description='{name}')"
)
FORM = (
    "import stripe_magics as sm\nform = sm.form('payment_intents.create', amount=2000, currency='usd',"
    " description='{name}')\nmade = form.submit(confirm=True)"
)
ROWS = (
    "import pandas as pd\nrows = pd.DataFrame(dict(amount=2000, currency='usd', description=[{name}]))\n"
    "made = %stripe payment_intents create --from $rows --quiet"
)


def shell() -> Any:
    config = Config()
    config.HistoryManager.enabled = False
    made = InteractiveShell.instance(config=config)
    magics.load(made)
    return made


class Run:
    """One interface against the server."""

    def __init__(self, server: FaultServer, seed: int) -> None:
        self.server, self.random = server, random.Random(seed)
        self.shell = shell()
        self.endings: Counter[str] = Counter()
        self.wrong: list[str] = []
        shared_connection.connect(secret=Secret(KEY), api_base=server.url, rate=1e6, policy=QUICK)

    def made(self, name: str) -> int:
        with self.server._lock:
            return sum(each.get("description") == name for each in self.server.objects.values())

    def cell(self, text: str, name: str) -> BaseException | None:
        self.shell.user_ns.pop("made", None)
        with capture_output():
            result = self.shell.run_cell(text, cell_id=name)
        found: BaseException | None = result.error_before_exec or result.error_in_exec
        return found

    def script(self, faults: int, *, fresh: bool = False) -> None:
        """What the next requests meet. Only a fresh call can be declined: of one that was carried out, Stripe
        gives the saved answer."""
        self.server.script = [self.random.choice(FAULTS) for _ in range(faults)]
        if fresh and self.random.random() < 0.1:
            self.server.script.insert(0, _DECLINE)

    def judge(self, name: str, ending: str, said: str = "") -> None:
        """Compare what is said with what the server did. A slow execution may still be under way."""
        self.endings[ending] += 1
        self.server.script = []
        if any(saved.running for saved in list(self.server.saved.values())[-40:]):
            time.sleep(0.1)
        count = self.made(name)
        if count > 1 or (ending == "done" and count != 1) or (ending in {"failed", "not sent"} and count):
            self.wrong.append(f"{name}: {ending}, made {count} times: {said[:200]}")

    def single(self, text: str, name: str) -> None:
        for attempt in range(6):
            self.script(self.random.choice((0, 1, 2, 3, 4, 8)) if attempt < 3 else 0, fresh=attempt == 0)
            problem = self.cell(text, name)
            self.judge(name, _ending(problem), str(problem))
            if problem is None:
                return
        self.wrong.append(f"{name}: never done: {problem}")

    def form(self, name: str) -> None:
        self.script(self.random.choice((0, 1, 2, 3, 4, 8)), fresh=True)
        problem = self.cell(FORM.format(name=name), name)
        self.judge(name, _ending(problem), str(problem))
        form = self.shell.user_ns["form"]
        for attempt in range(6):
            stage = form.state.submission.stage.value
            if stage == "done":
                return
            self.script(self.random.choice((0, 1, 3)) if attempt < 3 else 0)
            problem = None
            try:
                if stage == "unknown":
                    form.sender.retry_unknown()
                else:
                    form.sender.start_over()
                    form.submit(confirm=True)
            except errors.StripeMagicsError as fault:
                problem = fault
            self.judge(name, _ending(problem), str(problem))
        if form.state.submission.stage.value != "done":
            self.wrong.append(f"{name}: the form never ended: {problem}")

    def rows(self, names: list[str]) -> None:
        text = ROWS.format(name=", ".join(map(repr, names)))
        for attempt in range(6):
            self.script(self.random.randint(0, 3 * len(names)) if attempt < 3 else 0)
            problem = self.cell(text, names[0])
            if problem is not None:
                self.wrong.append(f"{names[0]}: {problem}")
                return
            made = self.shell.user_ns["made"]
            self.server.script = []
            for name, result, fault in zip(names, made["result"], made["error"], strict=True):
                self.judge(name, "done" if result == "replayed" else str(result), str(fault))
            if made["result"].isin(["done", "replayed"]).all():
                return
        self.wrong.append(f"{names[0]}: never all done: {list(made['error'])}")


def _ending(problem: BaseException | None) -> str:
    if problem is None:
        return "done"
    if isinstance(problem, errors.OutcomeUnknown):
        return "unknown"
    return "failed"  # it says that nothing was done


def faults(count: int, seed: int) -> bool:
    good = True
    for interface in ("line", "call", "form", "rows"):
        with FaultServer() as server:
            run, began = Run(server, seed), time.perf_counter()
            names = [f"{interface}-{number}" for number in range(count)]
            if interface == "rows":
                for first in range(0, count, BATCH):
                    run.rows(names[first : first + BATCH])
            else:
                for name in names:
                    if interface == "form":
                        run.form(name)
                    else:
                        run.single({"line": LINE, "call": CALL}[interface].format(name=name), name)
            good = report(interface, run, names, began) and good
    return good


def report(what: str, run: Run, names: list[str], began: float) -> bool:
    counts = Counter(each.get("description") for each in run.server.objects.values())
    double = sum(counts[name] > 1 for name in names)
    never = sum(counts[name] == 0 for name in names)
    requests = sum(each.method == "POST" for each in run.server.seen)
    print(
        f"{what:8} {len(names):,} creates, {requests:,} requests, {double} double, {never} never,"
        f" {len(run.wrong)} misreported, {time.perf_counter() - began:.0f} s; {dict(run.endings)}",
        flush=True,
    )
    for each in run.wrong[:10]:
        print("   ", each)
    return not double and not run.wrong


class Stopper:
    """Sends this process a SIGINT after a random time."""

    def __init__(self, source: random.Random, longest: float) -> None:
        self.random, self.longest, self.sent = source, longest, 0

    def __enter__(self) -> None:
        self._over = threading.Event()
        self._timer = threading.Thread(target=self._wait, args=(self.random.uniform(0, self.longest),))
        self._timer.start()

    def _wait(self, seconds: float) -> None:
        if not self._over.wait(seconds):
            self.sent += 1
            os.kill(os.getpid(), signal.SIGINT)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._timer.join()


def signals(count: int, seed: int) -> bool:
    with FaultServer() as server:
        server.slow = 0.004
        run, began = Run(server, seed), time.perf_counter()
        run.cell(LINE.format(name="warm"), "warm")
        stopper, number, names = Stopper(run.random, 0.03), 0, []
        while stopper.sent < count:
            number += 1
            kind = ("line", "call", "rows")[number % 3]
            own = [f"{kind}-{number}-{each}" for each in range(6 if kind == "rows" else 1)]
            names += own
            text = {"line": LINE, "call": CALL, "rows": ROWS}[kind]
            text = text.format(name=", ".join(map(repr, own)) if kind == "rows" else own[0])
            for attempt in range(5):
                problem: BaseException | None
                try:
                    if attempt < 2:
                        with stopper:
                            problem = run.cell(text, own[0])
                    else:
                        problem = run.cell(text, own[0])
                except KeyboardInterrupt as stop:  # between two lines of this benchmark or of IPython
                    problem, said = stop, ""
                else:
                    said = str(problem or "")
                frame = run.shell.user_ns.get("made") if problem is None else None
                if kind == "rows" and frame is not None:
                    for name, result in zip(own, frame["result"], strict=True):
                        run.judge(name, {"replayed": "done"}.get(str(result), str(result)))
                    if frame["result"].isin(["done", "replayed"]).all():
                        break
                elif kind != "rows":
                    ending = _stop_ending(problem, said)
                    run.judge(own[0], ending, said)
                    if ending == "done":
                        break
            else:
                run.wrong.append(f"{own[0]}: never done: {said}")
        print(f"{stopper.sent} signals")
        return report("signals", run, names, began)


def _stop_ending(problem: BaseException | None, said: str) -> str:
    """What was said; a Stop outside of the call says nothing of it."""
    if problem is None:
        return "done"
    if isinstance(problem, KeyboardInterrupt) and not isinstance(problem, errors.OutcomeUnknown):
        return "failed" if "Nothing was" in said else "stopped"
    return _ending(problem)


_CHILD = """
import sys, time
sys.path[0] = {folder!r}
from benchmarks import faults
shell = faults.shell()
secret = faults.Secret(faults.KEY)
faults.shared_connection.connect(secret=secret, api_base={url!r}, rate=1e6, policy=faults.QUICK)
shell.run_cell(faults.CALL.format(name=f"warm-{first}-{{time.time()}}"))
print("ready", flush=True)
for number in range({first}, {last}):
    result = shell.run_cell(faults.CALL.format(name=f"kill-{{number}}"), cell_id=f"kill-{{number}}")
    if result.error_in_exec is None:
        print("made", number, flush=True)
"""


def kills(count: int, seed: int) -> bool:
    with FaultServer() as server:
        server.slow = 0.003
        run, began, first = Run(server, seed), time.perf_counter(), 0
        folder = str(Path(__file__).parents[1])
        for _ in range(count):
            code = _CHILD.format(folder=folder, url=server.url, first=first, last=first + 10_000)
            child = subprocess.Popen(
                [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(run.random.uniform(0.05, 0.4))
            child.kill()
            numbers = [
                int(line.split()[1]) for line in child.stdout.read().splitlines() if line.startswith("made ")
            ]
            child.wait()
            first = max([first, *(number + 1 for number in numbers)])
            for number in numbers:
                run.judge(f"kill-{number}", "done")
        problem = run.cell(CALL.format(name=f"kill-{first}"), f"kill-{first}")
        run.judge(f"kill-{first}", _ending(problem), str(problem))
        return report("kills", run, [f"kill-{number}" for number in range(first + 1)], began)


def main(arguments: Iterator[str]) -> None:
    what = next(arguments, "faults")
    default = {"faults": 10_000, "signals": 500, "kills": 50}[what]
    count, seed = int(next(arguments, default)), int(next(arguments, 1))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STRIPE_MAGICS_STATE_DIR"] = folder
        good = {"faults": faults, "signals": signals, "kills": kills}[what](count, seed)
        shared_connection.close()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main(iter(sys.argv[1:]))
