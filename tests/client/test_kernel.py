"""A real kernel: killed in mid-create and started again; and searched for the key from end to end."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from fault_server import EXPIRED, RATE, Fault, FaultServer, error
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from client.conftest import KEY

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("event_loop_of_file")


def environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "STRIPE_MAGICS_STATE_DIR": str(home / "state"),
        "PYTHONPATH": str(ROOT),
        "STRIPE_API_KEY": KEY,
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


class Kernel:
    """An ordinary kernel, with its history in a file, and all that it says."""

    def __init__(self, home: Path) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.kernel_spec.argv[0] = sys.executable  # type: ignore[union-attr]
        self.manager.start_kernel(env=environment(home))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.said: list[str] = []

    def send(self, code: str, cell: str = "") -> str:
        """Ask for a run and don't wait."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        message = self.client.session.msg(
            "execute_request", content, metadata={"cellId": cell} if cell else {}
        )
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def run(self, code: str, cell: str = "", timeout: float = 60) -> str:
        """Run a cell to its end and give all that it said."""
        number = self.send(code, cell)
        said: list[str] = []
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            message = self.client.get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") != number:
                continue
            content = message["content"]
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                break
            said.append(
                str(content.get("text") or content.get("data") or content.get("traceback") or "")
                + str(content.get("evalue", ""))
            )
        self.said.append("\n".join(said))
        return self.said[-1]

    def kill(self) -> None:
        """As a crash does it: no goodbye."""
        os.kill(self.manager.provisioner.pid, signal.SIGKILL)  # type: ignore[union-attr]
        self.close(now=True)

    def close(self, *, now: bool = False) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=now)
        self.manager.cleanup_resources()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def kernels(home: Path) -> Iterator[Any]:
    opened: list[Kernel] = []

    def start() -> Kernel:
        opened.append(Kernel(home))
        return opened[-1]

    yield start
    for each in opened:
        if each.manager.has_kernel:
            each.close(now=True)


CONNECT = "%load_ext stripe_magics\n%stripe connect --env STRIPE_API_KEY --api-base {url}"
PAY = "%stripe payment_intents create --amount 2000 --currency usd"


def test_B37_killed_in_mid_create_then_started_again(server: FaultServer, kernels: Any) -> None:
    first = kernels()
    assert "acct_1" in first.run(CONNECT.format(url=server.url))
    server.script = [Fault("after", "stall", seconds=60)]
    first.send(PAY, cell="cell-1")
    end = time.monotonic() + 60
    while not server.executions and time.monotonic() < end:
        time.sleep(0.02)
    assert sum(server.executions.values()) == 1
    first.kill()

    second = kernels()
    assert "unresolved" in second.run(CONNECT.format(url=server.url))
    assert server.seen[-1].method == "GET"
    pending = second.run("%stripe pending")
    assert "payment_intents" in pending
    refused = second.run(PAY, cell="cell-2")  # the same call from elsewhere
    assert "outcome isn't known" in refused
    resumed = second.run("%stripe resume 1")
    assert "pi_1" in resumed
    assert "payment_intents" not in second.run("%stripe pending")
    again = second.run(PAY, cell="cell-1")  # and the cell itself, run again, makes nothing new
    assert "pi_1" in again
    assert list(server.executions.values()) == [1]
    assert len({each.key for each in server.seen if each.method == "POST"}) == 1
    second.close()


def test_B35_a_kernel_that_is_interrupted(server: FaultServer, kernels: Any) -> None:
    kernel = kernels()
    assert "acct_1" in kernel.run(CONNECT.format(url=server.url))
    server.script = [Fault("after", "stall", seconds=30)]
    number = kernel.send(PAY, cell="cell-1")
    end = time.monotonic() + 60
    while not server.executions and time.monotonic() < end:
        time.sleep(0.02)
    kernel.manager.interrupt_kernel()
    said = ""
    while time.monotonic() < end:
        message = kernel.client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") != number:
            continue
        said += str(message["content"])
        if message["content"].get("execution_state") == "idle":
            break
    assert "It is unknown whether the payment was made" in said
    assert "pi_1" in kernel.run(PAY, cell="cell-1")
    assert list(server.executions.values()) == [1]
    kernel.close()


# --- leaks --------------------------------------------------------------------------------------------------
FAULTS = {
    "InvalidRequest": error(
        400, "invalid_request_error", "parameter_invalid_integer", f"Bad {KEY}", param="amount"
    ),
    "AuthenticationFailed": EXPIRED,
    "CardDeclined": error(
        402,
        "card_error",
        "card_declined",
        payment_intent={"id": "pi_9", "client_secret": "pi_9_secret_CanaryCanary"},
    ),
    "PermissionDenied": error(403, "invalid_request_error", message=f"The key '{KEY}' may not"),
    "NotFound": error(404, "invalid_request_error", "resource_missing"),
    "IdempotencyConflict": error(400, "idempotency_error"),
    "RateLimited": RATE,
    "StripeUnavailable": error(500, "api_error"),
    "Page": Fault("before", "html", 403),
    "Lost": Fault("before", "reset"),
    "Cut": Fault("before", "truncate-length"),
}

LOOK = """
import sys, traceback, pickle, pathlib, json, copy
error = sys.last_value
print(repr(error), str(error), error._repr_html_())
print("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()))
pathlib.Path.home().joinpath("pickles").mkdir(exist_ok=True)
pathlib.Path.home().joinpath("pickles", type(error).__name__).write_bytes(pickle.dumps(error))
print(vars(error), error.details)
"""

SETUP = [
    "%xmode Verbose",
    "import logging, sys\nlogging.basicConfig(level=logging.DEBUG, stream=sys.stdout, force=True)",
    (
        "import stripe_magics as sm\nsm.current().policy ="
        " __import__('dataclasses').replace(sm.current().policy, base_delay=0.001, max_delay=0.001)"
    ),
    "%stripe status",
    (
        "c = sm.current()\nprint(c, repr(c), vars(c), [repr(getattr(c, n)) for n in dir(c) if n !="
        " 'account_object'])"
    ),
    "c",
    "import pickle\npickle.dumps(c)",
    "import copy\ncopy.deepcopy(c.secret)",
    "print(repr(c.http()), vars(c.http()))",
    "%stripe customers create --name Jenny",
    "%stripe customers list",
    "sm.form('customers.create', name='Jenny')",
    "%stripe pending",
    "%whos",
    "%history",
]


def cells() -> list[str]:
    found = [*SETUP]
    for name in FAULTS:
        found += [
            f"# {name}\n%stripe payment_intents create --amount 2000 --currency usd --description {name}",
            LOOK,
        ]
        found += [f"# {name}\n%stripe balance retrieve", LOOK]
    return [*found, "%tb", "import sys; sys.exc_info()", "%stripe pending"]


def find(place: Path, text: str) -> list[str]:
    return [
        str(each)
        for each in place.rglob("*")
        if each.is_file()
        and any(part in each.read_bytes() for part in (text.encode(), text.encode("utf-16-le")))
    ]


def fault_of(code: str) -> Fault | None:
    first = code.splitlines()[0].removeprefix("# ")
    return FAULTS.get(first) if code.startswith("# ") else None


def test_T111_no_key_in_anything_that_a_kernel_says_or_writes(
    server: FaultServer, kernels: Any, home: Path
) -> None:
    kernel = kernels()
    assert "acct_1" in kernel.run(CONNECT.format(url=server.url))
    classes = set()
    for code in cells():
        server.always = fault_of(code)
        said = kernel.run(code)
        server.always = None
        for name in (
            "CardDeclined",
            "RateLimited",
            "OutcomeUnknown",
            "PermissionDenied",
            "AuthenticationFailed",
            "StripeUnavailable",
            "IdempotencyConflict",
        ):
            if f"{name}: " in said:
                classes.add(name)
    assert len(classes) == 7, classes
    everything = "\n".join(kernel.said)
    assert KEY in kernel.run("import os; os.environ['STRIPE_API_KEY']")  # what is looked for would be seen
    kernel.close()
    assert "POST /v1/payment_intents ->" in everything  # logging was on
    for text in (KEY, KEY[-16:], "pi_9_secret_CanaryCanary"):
        assert text not in everything
        assert find(home, text) == []
    assert find(home, "payment_intents create")  # the search does find: the history, the journal
    assert list((home / "pickles").iterdir())


def test_T111_no_key_in_a_saved_notebook_with_its_widgets(server: FaultServer, home: Path) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(CONNECT.format(url=server.url)),
            *map(nbformat.v4.new_code_cell, cells()),
        ]
    )
    notebook.cells.append(nbformat.v4.new_code_cell("%stripe connect"))
    client = NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        allow_errors=True,
        store_widget_state=True,
        on_cell_execute=lambda cell, cell_index: setattr(server, "always", fault_of(cell.source)),
    )
    client.execute(env=environment(home), cwd=str(home))
    text = nbformat.writes(notebook)
    assert "widget-state" in text
    assert "CardDeclined" in text
    for secret in (KEY, KEY[-16:], "pi_9_secret_CanaryCanary"):
        assert secret not in text
        assert find(home, secret) == []


def test_T111_a_long_list_that_is_interrupted_under_verbose(server: FaultServer, kernels: Any) -> None:
    """Many reads at once go through an event loop: its tracebacks hold frames of httpx and httpcore."""
    for number in range(900):
        server.objects[f"cus_{number}"] = {
            "id": f"cus_{number}",
            "object": "customer",
            "created": 1_600_000_000 + number * 10_000,
            "livemode": False,
        }
    kernel = kernels()
    assert "acct_1" in kernel.run(CONNECT.format(url=server.url))
    kernel.run("%xmode Verbose")
    end = time.monotonic() + 60
    for code in (
        "%stripe customers list --limit all",
        "import stripe_magics as sm\nsm.pull('customers.list')",
    ):
        server.script = [Fault("never", "none"), Fault("never", "none")]
        server.always = Fault("before", "stall", seconds=60)
        count = len(server.seen)
        number = kernel.send(code)
        while len(server.seen) < count + 3 and time.monotonic() < end:
            time.sleep(0.05)
        assert len(server.seen) >= count + 3
        kernel.manager.interrupt_kernel()
        said = ""
        while time.monotonic() < end:
            message = kernel.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") == number:
                said += str(message["content"])
                if message["content"].get("execution_state") == "idle":
                    break
        server.always, server.script = None, []
        assert KEY not in said
        assert KEY[-16:] not in said
        assert KEY not in kernel.run("%tb")
    kernel.close()
