"""Nothing is lost, whatever ends a pull: every statement of the saving path, and real signals at random
moments.

python tests/benchmarks/bulk_stops.py statements [LIST [FROM]]
    each statement that is run, at its first and its last time; of one list, from the stop of that number on
    (a run that is cut says how far it came)
python tests/benchmarks/bulk_stops.py signals [COUNT]
    COUNT processes are stopped or killed (500)
python tests/benchmarks/bulk_stops.py kills [COUNT]
    a sync that is killed before each thing that it does to its folder, up to COUNT of them (40), with changes
    beside the files, new columns, and compacted
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])  # in place of this folder, whose `bulk` is another one

from bulk import killed_writes  # noqa: E402
from bulk.list_server import ListServer, serving  # noqa: E402
from bulk.statement_stops import StatementStops  # noqa: E402
from bulk.test_stops import _PULL, SAVING, ids_in  # noqa: E402

from stripe_magics import bulk  # noqa: E402
from stripe_magics.bulk.list_requests import list_request  # noqa: E402
from stripe_magics.client import shared_connection as connections  # noqa: E402
from stripe_magics.client.secret import Secret  # noqa: E402

KEY = "sk_test_51CanaryCanaryCanaryCanaryCanaryCanaryCanary0001"


def statements(server: ListServer, url: str, work: Path, lists: Sequence[str], begin: int) -> None:
    connection = connections.connect(secret=Secret(KEY), api_base=url, rate=1000.0)
    tried = stopped = wrong = 0
    for name in lists:
        request = list_request(connection, name)
        stops = StatementStops(*SAVING)
        numbers: dict[str, list[int]] = {}
        with stops.recording(numbers):
            bulk.save(connection, request, work / f"count-{name}", part_rows=400)
        chosen = sorted({number for each in numbers.values() for number in (each[0], each[-1])})
        print(f"{name}: {len(numbers)} statements, {len(chosen)} stops", flush=True)
        for place, number in enumerate(chosen[begin:], start=begin + 1):
            if place % 25 == 0:
                print(f"{name}: {place} of {len(chosen)}, {wrong} wrong", flush=True)
            folder = work / f"{name}-{number}"
            tried += 1
            saved: Any = None
            try:
                with stops.at(number):
                    saved = bulk.save(connection, request, folder, part_rows=400)
            except KeyboardInterrupt:
                pass
            stopped += bool(stops.where)
            early = saved is not None and saved["complete"] and sorted(ids_in(folder)) != sorted(server.ids)
            again = bulk.save(connection, request, folder, part_rows=400)
            if early or not again["complete"] or sorted(ids_in(folder)) != sorted(server.ids):
                wrong += 1
                print(f"WRONG at {stops.where}")
    print(f"{tried} runs, {stopped} stopped, {wrong} wrong")


def signals(server: ListServer, url: str, work: Path, count: int) -> None:
    chance = random.Random(11)
    begun = ended = wrong = finished = 0
    sent = 0
    while sent < count:
        folder = work / f"pull-{begun}"
        begun += 1
        while True:
            process = subprocess.Popen(
                [sys.executable, "-c", _PULL, KEY, url, str(folder)], stdout=subprocess.PIPE, text=True
            )
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.6))
            kind = chance.choice([signal.SIGINT, signal.SIGINT, signal.SIGKILL])
            process.send_signal(kind)
            if kind == signal.SIGINT and chance.random() < 0.3:
                time.sleep(chance.uniform(0.0, 0.05))
                process.send_signal(kind)
            said = process.communicate(timeout=120)[0]
            sent += 1
            if said.startswith("complete"):
                finished += 1
                wrong += sorted(ids_in(folder)) != sorted(server.ids)
                break
            if sent >= count:
                break
        last = subprocess.run(
            [sys.executable, "-c", _PULL, KEY, url, str(folder)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        ended += 1
        if f"complete {len(server.ids)}" not in last.stdout or sorted(ids_in(folder)) != sorted(server.ids):
            wrong += 1
            print(f"WRONG in {folder}: {last.stdout} {last.stderr[-500:]}")
        if sent % 50 < 5:
            print(f"{sent} signals, {ended} pulls, {wrong} wrong", flush=True)
    print(f"{sent} signals over {ended} pulls ({finished} ended before their signal), {wrong} wrong")


def kills(server: ListServer, url: str, work: Path, count: int) -> None:
    chance = random.Random(2)
    target, killed, wrong = work / "m", 0, 0
    parent = subprocess.Popen(
        [sys.executable, killed_writes.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def run(number: int, what: str = "sync") -> str:
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(f"{target} {url} {number} {what}\n")
        parent.stdin.flush()
        return parent.stdout.readline()

    def rows() -> dict[str, str]:
        frame = bulk.sql("select id, description from payment_intents", target=target)
        assert frame["id"].is_unique
        return dict(zip(frame["id"], frame["description"], strict=True))

    for number in range(1, count + 1):
        for what in ("sync", "compact"):
            now = int(time.time())
            for place in chance.sample(range(250), 6):
                new = {"new_field": chance.choice([1, "x", {"a": 1}])} if number % 3 == 0 else {}
                if server.ids[place] not in server.gone:
                    server.change(place, now, version="2025-02-24.acacia", description=f"{now}", **new)
            server.create(now)
            server.delete(chance.randrange(250), now)
            server.events.sort(key=lambda each: each[0])
            killed += run(number, what).startswith("killed")
            if (target / "payment_intents").exists():
                rows()
            ended = run(0).startswith("ended")
            theirs = {
                key: json.loads(body)["description"]
                for key, body in zip(server.ids, server.bodies, strict=True)
                if key not in server.gone
            }
            seen = bulk.sync(target, verify=True)
            if not ended or rows() != theirs or seen["problems"][0] or list(target.rglob("*.tmp")):
                wrong += 1
                print(f"WRONG after a kill at {number} ({what}): {seen['problems'][0]}")
    assert parent.stdin is not None
    parent.stdin.close()
    parent.wait(60)
    print(f"{killed} kills, {wrong} wrong")


def main() -> None:
    warnings.simplefilter("ignore", ResourceWarning)
    what = sys.argv[1] if len(sys.argv) > 1 else "statements"
    count = {"statements": 1_200, "kills": 260}.get(what, 3_000)
    server = ListServer(count=count, latency=0.001, rate=9_000.0, burst=9_000.0)
    with serving(server) as url, tempfile.TemporaryDirectory() as folder:
        if what == "statements":
            lists = sys.argv[2:3] or ["payment_intents", "payment_links"]
            statements(server, url, Path(folder), lists, int(sys.argv[3]) if len(sys.argv) > 3 else 0)
        elif what == "kills":
            kills(server, url, Path(folder), int(sys.argv[2]) if len(sys.argv) > 2 else 40)
        else:
            signals(server, url, Path(folder), int(sys.argv[2]) if len(sys.argv) > 2 else 500)
    connections.close()


if __name__ == "__main__":
    main()
