"""What a page sends to a form is handled in the order in which it was sent: a press never overtakes what was
typed before it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipykernel
import pytest
from jupyter_client import KernelManager
from waiting import PATIENCE

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("event_loop_of_file")
FORM = """
import json, threading
import stripe_magics as sm
from stripe_magics.forms.form_widget import ModuleForm
from stripe_magics.forms.submit_bar import Sender

sm.connect(sandbox=True, demo=False)
handled, pressed, slow = [], threading.Event(), threading.Event()
before = ModuleForm._changed

def changed(self, name):
    handled.append((name, threading.get_ident()))
    before(self, name)
    if name == "email" and slow.is_set():
        pressed.wait(2)  # as long as reading an object from Stripe may take

def go(self):
    handled.append((self.form.line, threading.get_ident()))
    pressed.set()

ModuleForm._changed, Sender._go_clicked = changed, go
form = sm.form("customers.create")
ids = [form.controls["email"].widget.model_id, form.controls["name"].widget.model_id, form.sender.go.model_id]
print(*ids)
"""


class Page:
    """A front end that sends to widgets over a subshell, as JupyterLab does."""

    def __init__(self, client: Any) -> None:
        self.client = client
        request = client.session.msg("create_subshell_request")
        client.control_channel.send(request)
        self.subshell = client.get_control_msg(timeout=60)["content"]["subshell_id"]

    def send(self, comm_id: str, data: dict[str, Any]) -> None:
        message = self.client.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)

    def enter(self, comm_id: str, value: str) -> None:
        self.send(comm_id, {"method": "update", "state": {"value": value}, "buffer_paths": []})

    def press(self, comm_id: str) -> None:
        self.send(comm_id, {"method": "custom", "content": {"event": "click"}})

    def run(self, code: str) -> str:
        """Run a cell; what it printed."""
        expected, text = self.client.execute(code), ""
        until = time.monotonic() + PATIENCE
        while True:
            assert time.monotonic() < until, f"the cell has not ended: {code}"
            answer = self.client.get_iopub_msg(timeout=PATIENCE)
            if answer["parent_header"].get("msg_id") != expected:
                continue
            if answer["msg_type"] == "error":
                raise AssertionError("\n".join(answer["content"]["traceback"]))
            text += answer["content"].get("text", "")
            if answer["content"].get("execution_state") == "idle":
                return text


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("STRIPE", "JUPYTER"))}
    env |= {"IPYTHONDIR": str(tmp_path), "STRIPE_MAGICS_STATE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    manager = KernelManager(kernel_name="python3")
    manager.kernel_spec.argv[0] = sys.executable
    manager.start_kernel(env=env, cwd=str(tmp_path))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield Page(client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.skipif(ipykernel.version_info < (7,), reason="older kernels have one thread for all messages")
def test_a_press_comes_after_what_was_typed_before_it(page: Page) -> None:
    email, name, go = page.run(FORM).split()
    page.enter(email, "old@example.com")
    page.enter(name, "Old")
    page.run("slow.set()")
    page.enter(email, "new@example.com")
    page.enter(name, "New")
    page.press(go)
    for _ in range(120):
        handled = json.loads(page.run("pressed.wait(0.5); print(json.dumps(handled))"))
        if len(handled) == 5:
            break
    assert [each for each, _ in handled] == [
        "email",
        "name",
        "email",
        "name",
        "%stripe customers create --email new@example.com --name New",
    ]
    threads = {thread for _, thread in handled[2:]}
    assert len(threads) == 1, "none of them meets another half done"
