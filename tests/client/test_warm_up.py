"""What the first table needs is made ready on a thread, before a kernel only; what fails there is met where
it is needed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from types import SimpleNamespace
from typing import Any

import pytest
from each_row import each_row
from waiting import PATIENCE, joined

import stripe_magics as sm
from stripe_magics.client import warm_up
from stripe_magics.sandbox import SandboxTransport, demo_data
from stripe_magics.sandbox.core.store import Account

KERNEL = SimpleNamespace(kernel=object())


def test_before_a_kernel_the_firm_is_there_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Account] = []
    real = demo_data.demo_account

    def demo_account(seed: str, now: int) -> Account:
        made.append(real(seed, now))
        return made[-1]

    monkeypatch.setattr(demo_data, "demo_account", demo_account)
    thread = warm_up.begin(sm.connect(sandbox=True), KERNEL)
    assert thread is not None
    assert not thread.daemon
    joined(thread)
    assert len(made) == 1
    assert len(sm.call("customers list", limit=3)) == 3
    assert len(made) == 1


@each_row("shell", [None, SimpleNamespace(), SimpleNamespace(kernel=None)])
def test_a_script_starts_no_thread(shell: Any) -> None:
    assert warm_up.begin(sm.connect(sandbox=True), shell) is None


def test_what_fails_is_shown_where_it_is_needed(monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    def broken(seed: str, now: int) -> Account:
        raise MemoryError("none left")

    monkeypatch.setattr(demo_data, "demo_account", broken)
    connection = sm.connect(sandbox=True)
    thread = warm_up.begin(connection, KERNEL)
    assert thread is not None
    joined(thread)
    assert capfd.readouterr() == ("", "")
    assert isinstance(connection.sandbox, SandboxTransport)
    with pytest.raises(MemoryError):
        connection.sandbox.prepare()


def test_connect_in_a_kernel_loads_pandas_and_prints_nothing_of_it() -> None:
    code = textwrap.dedent("""
        import sys, threading
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config
        shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
        shell.kernel = object()
        shell.run_line_magic("load_ext", "stripe_magics")
        shell.run_line_magic("stripe", "connect --sandbox")
        names = [each for each in threading.enumerate() if each.name == "stripe_magics warm-up"]
        [each.join() for each in names]
        print(len(names), "pandas" in sys.modules, "pyarrow" in sys.modules)
        """)
    assert (
        subprocess.check_output([sys.executable, "-c", code], text=True, timeout=PATIENCE).strip()
        == "1 True True"
    )
