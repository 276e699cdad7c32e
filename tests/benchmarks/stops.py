"""Real Stops at random moments of every kind of work, in a real kernel and in a script: nothing lost, nothing
double, nothing said wrongly.

python tests/benchmarks/stops.py [COUNT] [SEED]     COUNT signals (500), half of them in each

Work: a pull to a folder, a sync, a long list, one create, many creates (--from). What was stopped is run
again, as a person would, until it says that it is done; then, and whenever it says so, the server's objects
decide.
"""

from __future__ import annotations

import ast
import json
import os
import queue
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Protocol

from stripe_magics.sandbox import SandboxTransport
from stripe_magics.sandbox.server import serving

KEY = "sk_test_51CanaryCanaryCanaryCanaryCanaryCanaryCanary0001"
LISTS = ("payouts", "refunds")
CONNECT = f"""
import json, traceback
import stripe_magics as sm
from stripe_magics import bulk, errors
from stripe_magics.client import shared_connection
from stripe_magics.client.http.retry import Policy
from stripe_magics.client.secret import Secret
policy = Policy(base_delay=0.001, max_delay=0.002)
shared_connection.connect(secret=Secret({KEY!r}), api_base={{url!r}}, rate=1e6, policy=policy)
"""
WORK = {
    "to": "result = sm.call('payouts.list', to={folder!r}, quiet=True)",
    "sync": "result = bulk.sync({folder!r}, *{lists!r}, quiet=True)",
    "list": "result = sm.call('payouts.list', limit='all', quiet=True)",
    "create": "result = sm.call('customers.create', description={name!r})",
    "rows": (
        "import pandas as pd\nrows = pd.DataFrame({{'description': [f'{name}-{{n}}' for n in range(12)]}})\n"
        "result = sm.call('customers.create', from_=rows, quiet=True)"
    ),
}
RESUME = """    import pandas as pd
    sm.current().resume({number})
    result = pd.DataFrame({{"result": ["done"]}})
    result.attrs["stripe"] = {{"complete": True}}"""
LONGEST = {"to": 0.5, "sync": 0.9, "list": 0.4, "create": 0.03, "rows": 0.15}
"""Seconds until a signal at most: about what the work takes."""
JOB = """
said = {{"ending": "stopped", "text": "", "job": {job!r}}}
try:
{body}
    about = result.attrs["stripe"]
    said = {{"ending": "done", "text": "", "job": {job!r}, "complete": bool(about["complete"])}}
    if "result" in result: said["results"] = list(map(str, result["result"]))
    elif "id" in result: said["ids"] = list(map(str, result["id"]))
except errors.OutcomeUnknown as fault: said.update(ending="unknown", text=str(fault))
except errors.RepeatRefused as fault: said.update(ending="repeat", text=str(fault))
except errors.StripeMagicsError as fault: said.update(ending="failed", text=str(fault))
except KeyboardInterrupt as fault:
    inside = any("/stripe_magics/" in each.filename for each in traceback.extract_tb(fault.__traceback__))
    said.update(ending="stopped", text=str(fault), inside=inside)
"""


class Host(Protocol):
    """Where the work runs."""

    def start(self, code: str, cell: str) -> None: ...

    def stop(self) -> None: ...

    def end(self) -> dict[str, Any]: ...

    def close(self) -> None: ...


class Kernel:
    """A real kernel, asked over its own messages; Stop is its manager's interrupt."""

    def __init__(self, url: str) -> None:
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel(kernel_name="python3")
        self.dropped, self.patient = 0, True
        self.start(CONNECT.format(url=url) + "said = {}", "connect")
        self.end()

    def start(self, code: str, cell: str) -> None:
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "allow_stdin": False,
            "stop_on_error": False,
            "user_expressions": {"said": "json.dumps(said)"},
        }
        self.patient = True
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell})
        self.client.shell_channel.send(message)
        self.id = message["header"]["msg_id"]

    def stop(self) -> None:
        self.patient = False
        self.manager.interrupt_kernel()

    def end(self) -> dict[str, Any]:
        try:
            reply = self._reply(60 if self.patient else 10)
        except queue.Empty:
            # the interrupt came between two cells: the kernel drops the request, or its answer
            self.dropped += 1
            self.start("", "probe")
            reply = self._reply(60)
        found = reply["content"].get("user_expressions", {}).get("said", {})
        if found.get("status") != "ok":  # the Stop came outside of the work's own lines
            return {"ending": "stopped", "text": ""}
        answer: dict[str, Any] = json.loads(ast.literal_eval(found["data"]["text/plain"]))
        return answer

    def _reply(self, seconds: float) -> dict[str, Any]:
        while True:
            reply: dict[str, Any] = self.client.get_shell_msg(timeout=seconds)
            if reply["parent_header"].get("msg_id") == self.id:
                return reply

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


class Script:
    """A plain Python program that works through what it is given; SIGINT is a person's Ctrl-C."""

    CODE = """
import json, signal, sys
scope = {}
signal.signal(signal.SIGINT, signal.SIG_IGN)
for line in sys.stdin:
    scope["said"] = {"ending": "stopped", "text": ""}
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        exec(json.loads(line), scope)
    except KeyboardInterrupt: pass
    try: signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt: signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("\\n" + json.dumps(scope["said"]), flush=True)
"""

    def __init__(self, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.start(CONNECT.format(url=url) + "said = {'ending': 'connected'}", "")
        self.end()

    def start(self, code: str, cell: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(code) + "\n")
        self.process.stdin.flush()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith('{"ending"'):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise RuntimeError("the script ended")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Trial:
    """One piece of work, stopped and run again until it is done; `wrong` is what was lost, double, or said
    wrongly."""

    def __init__(self, host: Host, transport: SandboxTransport, chance: random.Random, work: Path) -> None:
        self.host, self.transport, self.random, self.work = host, transport, chance, work
        self.sent = 0
        self.wrong: list[str] = []
        self.endings: Counter[str] = Counter()

    def run(self, kind: str, number: int, name: str) -> None:
        folder = str(self.work / name)
        body = WORK[kind].format(folder=folder, lists=LISTS, name=name)
        body = "\n".join(f"    {line}" for line in body.splitlines())
        for attempt in range(8):
            code = JOB.format(body=body, job=f"{name} {attempt}")
            self.host.start(code, name)
            if attempt < 3:
                time.sleep(self.random.uniform(0.0, LONGEST[kind]))
                self.host.stop()
                self.sent += 1
            said = self.host.end()
            if said.get("job") != f"{name} {attempt}":
                said = {"ending": "stopped", "text": ""}  # it came before the work's first line
            self.endings[f"{kind} {said['ending']}"] += 1
            if self.judge(kind, name, said, folder):
                return
            if found := re.search(r"%stripe resume (\d+)", said["text"]):
                # the same again is refused in a script
                body = RESUME.format(number=found[1])
        self.wrong.append(f"{name}: never done: {said}")

    def judge(self, kind: str, name: str, said: dict[str, Any], folder: str) -> bool:
        """Compare what is said with the server; True if the work is done."""
        if kind in {"create", "rows"}:
            return self.made(kind, name, said)
        if said["ending"] in {"unknown", "failed", "repeat"}:
            self.wrong.append(f"{name}: a read ended in {said}")
        if said["ending"] != "done":
            return False
        if kind == "list":
            ids = said["ids"]
            good = set(ids) <= self.ids("payouts") and len(set(ids)) == len(ids)
            if not good or (said["complete"] and set(ids) != self.ids("payouts")):
                self.wrong.append(f"{name}: {len(ids)} rows, complete {said['complete']}")
        elif said["complete"]:
            for resource in LISTS if kind == "sync" else ("payouts",):
                held = ids_in(Path(folder) / resource if kind == "sync" else Path(folder))
                if sorted(held) != sorted(self.ids(resource)):
                    self.wrong.append(f"{name}: {resource} has {len(held)} rows, said to be complete")
        return bool(said["complete"])

    def made(self, kind: str, name: str, said: dict[str, Any]) -> bool:
        script = isinstance(self.host, Script)
        if script and kind == "create" and said["ending"] == "stopped" and self.count(name):
            # made, but no answer was given: inside the call, it has to say so; after its end, a script would
            # make another one
            if said.get("inside") and "carried out" not in said["text"]:
                self.wrong.append(f"{name}: {said}")
            return True
        names = [f"{name}-{n}" for n in range(12)] if kind == "rows" else [name]
        results = said.get("results") or [said["ending"]] * len(names)
        for each, result in zip(names, results, strict=True):
            count = self.count(each)
            none = result in {"failed", "not sent"} or (
                result == "stopped" and kind == "create" and "Nothing was" in said["text"]
            )
            sure = result in {"done", "replayed", "repeat"}
            if count > 1 or (sure and count != 1) or (none and count):
                self.wrong.append(f"{each}: {result}, made {count} times: {said['text'][:200]}")
        return all(each in {"done", "replayed", "repeat"} for each in results)

    def ids(self, resource: str) -> set[str]:
        with self.transport.lock:
            return {each.id for each in self.transport.account.table(resource.rstrip("s")).rows}

    def count(self, description: str) -> int:
        with self.transport.lock:
            rows = self.transport.account.table("customer").rows
            return sum(each.value.get("description") == description for each in rows)


def ids_in(folder: Path) -> list[str]:
    """The ids of all rows that the folder's manifest names."""
    import pyarrow.parquet as pq

    from stripe_magics.frames import manifest

    found = manifest.load(folder)
    files = found.files if found is not None else ()
    return [str(key) for each in files for key in pq.read_table(folder / each.name)["id"].to_pylist()]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    transport = SandboxTransport(demo=True)
    transport.prepare()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, serving(transport) as url:
        os.environ["STRIPE_MAGICS_STATE_DIR"] = f"{folder}/state"
        for kind_of_host, make in (("kernel", Kernel), ("script", Script)):
            host: Host = make(url)
            trial = Trial(host, transport, random.Random(seed), Path(folder))
            began, number = time.perf_counter(), 0
            while trial.sent < count / 2:
                kind = list(WORK)[number % len(WORK)]
                trial.run(kind, number, f"{kind_of_host}-{kind}-{number}")
                number += 1
            host.close()
            wrong += len(trial.wrong)
            seconds = time.perf_counter() - began
            print(
                f"{kind_of_host}: {trial.sent} signals over {number} pieces of work, {len(trial.wrong)}"
                f" wrong, {seconds:.0f} s; {dict(sorted(trial.endings.items()))}",
                flush=True,
            )
            for each in trial.wrong[:20]:
                print("   ", each)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
