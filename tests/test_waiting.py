"""No test waits without an end: a wait that takes no limit is written as `waiting` has it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from each_row import each_row
from waiting import joined, line, running

TESTS = Path(__file__).parent
NOT_IN_THE_SUITE = {"benchmarks", "generators", "official_clients"}
RUNS = {"run", "call", "check_call", "check_output"}
WAITS = {
    "join",
    "wait",
    "acquire",
    "communicate",
    "result",
    "get",
    "get_msg",
    "get_shell_msg",
    "get_iopub_msg",
}
NETWORK = {"urlopen": 2, "create_connection": 1, "HTTPConnection": 2}
"""By how many arguments the limit is given without its name."""
ASYNCHRONOUS = re.compile(r"async|await|Promise|\.then\(|evaluate\((OPEN|CLOSE|RUN|RUN_ALL|THEME|_MODEL)\b")
"""What a page is asked that it answers in its own time."""
OWN_CLOCK = {"shop.wait"}
"""The account's time passes at once."""


def unlimited(tree: ast.AST) -> list[str]:
    """The calls that may wait for ever."""
    return [ast.unparse(each) for each in ast.walk(tree) if isinstance(each, ast.Call) and _waits(each)]


def _waits(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    owner, _, last = name.rpartition(".")
    if name in OWN_CLOCK or any(each.arg == "timeout" for each in call.keywords):
        return False
    if owner == "subprocess":
        return last in {*RUNS, "Popen"}
    if owner == "asyncio" and last == "run":
        return not ast.unparse(call.args[0]).startswith("asyncio.wait_for(")
    if last == "evaluate":
        return bool(ASYNCHRONOUS.search(ast.unparse(call)))
    if last in NETWORK:
        return len(call.args) <= NETWORK[last]
    if owner.endswith((".stdout", ".stderr")) and owner.split(".")[0] != "sys":
        return last in {"read", "readline", "readlines"}
    return bool(owner) and last in WAITS and not call.args


@each_row(
    "code",
    [
        "thread.join()",
        "self.thread.join()",
        "subprocess.run(command, check=True)",
        "subprocess.Popen(command)",
        "urllib.request.urlopen(url)",
        "job.stdout.readline()",
        "asyncio.run(main())",
        "form.wait()",
        "client.get_iopub_msg()",
        "page.evaluate('() => window.app.restored.then(() => true)')",
        "page.evaluate(OPEN, name)",
    ],
)
def test_a_wait_without_end_is_found(code: str) -> None:
    assert unlimited(ast.parse(code)) == [code]


@each_row(
    "code", ["'-'.join(names)", "thread.join(60)", "done.wait(timeout=1)", "subprocess.run(x, timeout=9)"]
)
def test_others_are_left_alone(code: str) -> None:
    assert unlimited(ast.parse(code)) == []


def test_no_test_waits_without_an_end() -> None:
    found = {
        str(path.relative_to(TESTS)): calls
        for path in TESTS.rglob("*.py")
        if not NOT_IN_THE_SUITE & set(path.parts) and path.name not in {"waiting.py", "list_server.py"}
        if (calls := unlimited(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


def test_a_process_that_says_nothing_is_ended() -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with running(command, seconds=0.2, stdout=subprocess.PIPE) as process:
        with pytest.raises(AssertionError, match="without a further line"):
            line(process.stdout)
        assert process.wait(60) < 0


def test_a_thread_that_goes_on_is_named() -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait, args=(60,), name="one that goes on")
    thread.start()
    with pytest.raises(AssertionError, match="one that goes on has not ended"):
        joined(thread, seconds=0.05)
    end.set()
    joined(thread)
