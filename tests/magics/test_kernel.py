"""The magics in a real kernel, as a front end sees them: completion, errors, display, a key that was
typed."""

from __future__ import annotations

import os
import queue
import re
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import IPython
import ipywidgets
import pytest
from jupyter_client import KernelManager
from waiting import PATIENCE

CANARY = "sk_test_" + "51Kernel" + "y" * 24
ROOT = Path(__file__).parents[2]
SEES_CELLS = IPython.version_info >= (8, 6)
pytestmark = pytest.mark.usefixtures("event_loop_of_file")


class Kernel:
    """One kernel and what it answered."""

    def __init__(self, client: Any, folder: Path) -> None:
        self.client, self.folder = client, folder

    def run(self, code: str, cell_id: str = "", *, stdin: str | None = None) -> dict[str, Any]:
        """Run a cell: the reply's content, with `outputs` and `text`."""
        message = self.client.session.msg(
            "execute_request",
            {
                "code": code,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": stdin is not None,
                "stop_on_error": True,
            },
            metadata={"cellId": cell_id} if cell_id else {},
        )
        self.client.shell_channel.send(message)
        expected = message["header"]["msg_id"]
        outputs, until = [], time.monotonic() + PATIENCE
        while True:
            assert time.monotonic() < until, f"the cell has not ended: {code}"
            if stdin is not None:
                with suppress(queue.Empty):  # it hasn't asked yet
                    self.client.get_stdin_msg(timeout=0.05)
                    self.client.input(stdin)
            try:
                answer = self.client.get_iopub_msg(timeout=0.2)
            except queue.Empty:
                continue
            if answer["parent_header"].get("msg_id") != expected:
                continue
            if answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
                break
            outputs.append(answer)
        reply = self.reply(expected)
        content = dict(reply["content"])
        content["outputs"] = outputs
        content["text"] = "".join(
            each["content"].get("text", "") or str(each["content"].get("data", "")) for each in outputs
        )
        return content

    def complete(self, code: str) -> dict[str, Any]:
        """The reply to complete_request at the end of the code."""
        expected = self.client.complete(code, len(code))
        return dict(self.reply(expected)["content"])

    def reply(self, expected: str) -> dict[str, Any]:
        """The answer to a request."""
        until = time.monotonic() + PATIENCE
        while True:
            assert time.monotonic() < until, "the kernel has not answered"
            reply = self.client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == expected:
                return dict(reply)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("kernel")
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("STRIPE", "IPYTHON", "JUPYTER"))
    }
    env |= {
        "IPYTHONDIR": str(folder / "ipython"),
        "HOME": str(folder),
        "STRIPE_MAGICS_STATE_DIR": str(folder / "state"),
        "PYTHONPATH": str(ROOT),
    }
    manager = KernelManager(kernel_name="python3")
    manager.kernel_spec.argv[0] = sys.executable
    manager.start_kernel(env=env, cwd=str(folder))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    made = Kernel(client, folder)
    assert made.run("%load_ext stripe_magics")["text"] == ""
    assert made.run("%stripe connect --sandbox --empty;")["status"] == "ok"
    yield made
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_an_answer_is_a_table_with_both_forms(kernel: Kernel) -> None:
    reply = kernel.run("%stripe customers create --name 'Jenny <b>' --email jenny@example.com", "cell-a")
    bundle = next(
        each["content"]["data"] for each in reply["outputs"] if each["msg_type"] == "execute_result"
    )
    assert "Jenny &lt;b&gt;" in bundle["text/html"]
    assert "[SANDBOX]" in bundle["text/plain"]


def test_a_cell_that_runs_again_says_what_it_made(kernel: Kernel) -> None:
    first = kernel.run("%stripe customers create --name Once --out once", "cell-b")
    again = kernel.run("%stripe customers create --name Once --out once", "cell-b")
    ids = [re.search(r"cus_\w+", each["text"])[0] for each in (first, again)]  # type: ignore[index]
    assert ids[0] == ids[1]


@pytest.mark.parametrize("jedi", [True, False])
@pytest.mark.parametrize(
    ("code", "expected", "kind"),
    [
        ("%stripe custo", "customers", "resource"),
        ("r = %stripe customers cr", "create", "action"),
        ("x = 1\n%stripe payment_intents create --curr", "--currency", "currency"),
        ("%stripe payment_intents create --currency=us", "usd", "currency"),
        ("%stripe payment_intents create --currency ch", "chf", "currency"),
        ("%stripe customers list --email jen", "jenny@example.com", "e-mail"),
        ("%%stripe payment_intents create\namount: 5\ncurr", "currency: ", "currency"),
        ("%%stripe payment_intents create\nshipping:\n  address:\n    cou", "country: ", "country"),
        ("%stripe checkout sessions create --mo", "--mode", "choice"),
        ("    %stripe sandbox adv", "advance", "command"),
    ],
)
def test_completion_through_the_kernel(
    kernel: Kernel, jedi: bool, code: str, expected: str, kind: str
) -> None:
    if not SEES_CELLS and code.startswith("%%"):
        pytest.skip("a matcher sees the current line only, before IPython 8.6")
    kernel.run(f"%config IPCompleter.use_jedi = {jedi}")
    reply = kernel.complete(code)
    assert reply["status"] == "ok"
    badges = {each["text"]: each["type"] for each in reply["metadata"].get("_jupyter_types_experimental", [])}
    piece = code[reply["cursor_start"] :]
    assert expected in [
        each.removeprefix(piece[: len(piece) - len(piece.lstrip())]) for each in reply["matches"]
    ], reply["matches"][:10]
    assert not SEES_CELLS or kind in badges.values()
    done = code[: reply["cursor_start"]] + next(each for each in reply["matches"] if expected in each)
    assert done.endswith(expected)


def test_completion_elsewhere_is_untouched(kernel: Kernel) -> None:
    kernel.run("customers_of_mine = 1")
    assert "customers_of_mine" in kernel.complete("customers_of")["matches"]
    assert kernel.complete("%tim")["matches"][:1] in (["%time"], ["%timeit"], ["%%time"])


def test_an_error_fails_the_cell_in_a_few_lines(kernel: Kernel) -> None:
    reply = kernel.run("%stripe customers create --nmae x")
    assert reply["status"] == "error"
    assert reply["ename"] == "UnknownName"
    assert "Did you mean --name" in reply["evalue"]
    assert "Did you mean --name" in "".join(reply["traceback"])
    assert "site-packages" not in "".join(reply["traceback"])
    assert len("\n".join(reply["traceback"]).splitlines()) < 6
    later = kernel.run("%tb")
    assert "Did you mean --name" in later["text"] + str([each["content"] for each in later["outputs"]])


def test_question_marks_and_help(kernel: Kernel) -> None:
    assert "--shipping-line1" in kernel.run("%stripe customers create?")["text"]
    reply = kernel.run("%stripe?")
    assert "%stripe connect" in str(reply["payload"]) + reply["text"]


def test_a_typed_key_is_forgotten_and_the_cell_blanked(kernel: Kernel) -> None:
    reply = kernel.run(f"%stripe customers create --name {CANARY}", "cell-k")
    assert (reply["status"], reply["ename"]) == ("error", "KeyRefused")
    payload = [each for each in reply["payload"] if each["source"] == "set_next_input"]
    assert payload
    assert payload[0]["replace"] is True
    assert CANARY not in str(
        reply["outputs"]
        and [each["content"] for each in reply["outputs"] if each["msg_type"] != "execute_input"]
    )
    assert CANARY not in str(payload)
    half = CANARY[:16]
    reply = kernel.run(f"[n for n, v in list(globals().items()) if '{half}' + 'yyyy' in repr(v)]")
    assert reply["text"] == "{'text/plain': '[]'}", reply
    kernel.run("get_ipython().history_manager.writeout_cache()")
    for file in kernel.folder.rglob("*"):
        if file.is_file():
            assert CANARY.encode() not in file.read_bytes(), file
    for verbose in ("%xmode Verbose", "%xmode Context"):
        kernel.run(verbose)
        assert CANARY not in str([each["content"] for each in kernel.run("%tb")["outputs"]])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%stripe connect", "%stripe connect"),
        ("%stripe customers create --name Jenny --form", "%stripe customers create --form"),
    ],
)
def test_forms_are_widgets(kernel: Kernel, line: str, says: str) -> None:
    reply = kernel.run(line)
    assert reply["status"] == "ok", reply
    bundles = [each["content"]["data"] for each in reply["outputs"] if "data" in each["content"]]
    views = [each for each in bundles if "application/vnd.jupyter.widget-view+json" in each]
    assert views
    assert says in views[0]["text/plain"]


def test_nobody_to_ask_and_somebody(kernel: Kernel) -> None:
    code = (
        "from stripe_magics.magics.prompt import make_prompt\nask = make_prompt(get_ipython())\nprint(ask and"
        " ask('who? '))"
    )
    assert kernel.run(code)["text"].strip() == "None"
    assert kernel.run(code, stdin="me")["text"].strip().endswith("me")


def test_the_cell_that_loads_us_is_known_too(kernel: Kernel) -> None:
    kernel.run("%unload_ext stripe_magics")
    code = "%load_ext stripe_magics\nprint(get_ipython().find_line_magic('stripe').__self__.cell.origin())"
    first, again = kernel.run(code, "cell-l")["text"], kernel.run(code, "cell-l")["text"]
    assert "cell='cell-l'" in first
    assert re.search(r"digest='\w+'", first)[0] == re.search(r"digest='\w+'", again)[0]  # type: ignore[index]
    assert kernel.run("%stripe connect --sandbox --empty;")["status"] == "ok"


def test_unloading_forgets_the_magic(kernel: Kernel) -> None:
    kernel.run("%unload_ext stripe_magics")
    assert "not found" in kernel.run("%stripe status")["text"]
    assert "customers" not in kernel.complete("%stripe custo")["matches"]
    kernel.run("%load_ext stripe_magics")
    assert kernel.run("%stripe connect --sandbox --empty;")["status"] == "ok"


BAR = """
import sys, threading
{before}
from stripe_magics import progress
progress.DELAY = progress.INTERVAL = 0.0
with progress.progress_bar("customers") as bar:
    def read():
        for page in range(1, 4):
            bar.expect(400)
            bar(page * 100, page)
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
{after}
"""


def test_a_progress_bar_is_a_widget_that_leaves_nothing(kernel: Kernel) -> None:
    reply = kernel.run(BAR.format(before="", after=""))
    assert reply["status"] == "ok"
    shown = next(each["content"] for each in reply["outputs"] if each["msg_type"] == "display_data")
    assert "application/vnd.jupyter.widget-view+json" in shown["data"]
    last = next(each["content"] for each in reply["outputs"] if each["msg_type"] == "update_display_data")
    assert set(last["data"].values()) == {""}
    if int(ipywidgets.__version__.partition(".")[0]) >= 8:
        assert last["transient"]["display_id"] == shown["transient"]["display_id"]
    else:  # 7 shows a widget without a name; it goes when it is closed
        assert any(each["msg_type"] == "comm_close" for each in reply["outputs"])
    states = [each["content"]["data"] for each in reply["outputs"] if each["msg_type"] == "comm_msg"]
    assert any(each.get("state", {}).get("value") == 300 for each in states)
    assert any("3\u2007pages]" in str(each.get("state", {}).get("value")) for each in states)
    assert not [each for each in reply["outputs"] if each["msg_type"] in {"stream", "error"}]


def test_without_widgets_it_is_a_line_of_text(kernel: Kernel) -> None:
    hide = (
        "hidden = {n: sys.modules.pop(n) for n in list(sys.modules) if n.startswith(('tqdm',"
        " 'ipywidgets'))}\nsys.modules['ipywidgets'] = None"
    )
    back = (
        "del sys.modules['ipywidgets']\nfor n in [n for n in sys.modules if n.startswith('tqdm')]: del"
        " sys.modules[n]\nsys.modules.update(hidden)"
    )
    reply = kernel.run(BAR.format(before=hide, after=back))
    assert reply["status"] == "ok"
    assert "300/400" in reply["text"]
    assert {each["msg_type"] for each in reply["outputs"]} <= {"stream", "execute_input", "status"}
