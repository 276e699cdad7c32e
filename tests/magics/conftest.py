"""A shell of one's own for each test, with the magics loaded and an empty sandbox behind them."""

from __future__ import annotations

import atexit
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config
from waiting import joined


@pytest.fixture(scope="module")
def bare_shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InteractiveShell]:
    """One shell for a file: making one takes longer than any test here. Other files have a shell of their
    own, and what `get_ipython` finds must be this one."""
    InteractiveShell.clear_instance()
    program = sys.modules["__main__"]  # the shell puts its own in place of it, and empties that at its end
    folder = tmp_path_factory.mktemp("ipython")
    config = Config()
    config.InteractiveShell.ipython_dir = str(folder)
    config.InteractiveShell.colors = "nocolor"
    config.HistoryManager.hist_file = str(folder / "history.sqlite")
    shell = InteractiveShell.instance(config=config)
    yield shell
    atexit.unregister(shell.atexit_operations)  # its folder is gone by then
    end(shell)
    InteractiveShell.clear_instance()
    sys.modules["__main__"] = program


def end(shell: InteractiveShell) -> None:
    """End a shell. IPython's own end can wait for ever for the thread that writes its history: told to stop
    between its look whether it is to and its clearing of the flag that wakes it, it waits for the next flag.
    So it is woken until it has ended."""
    ended, flag = threading.Event(), shell.history_manager.save_flag

    def wake() -> None:
        while not ended.wait(0.05):
            flag.set()

    waker = threading.Thread(target=wake, daemon=True)
    waker.start()
    shell.atexit_operations()
    ended.set()
    joined(waker)


@pytest.fixture
def shell(
    bare_shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[InteractiveShell]:
    """The shell with the magics loaded; unloaded, and emptied, afterwards."""
    from stripe_magics import magics

    monkeypatch.setenv("STRIPE_MAGICS_STATE_DIR", str(tmp_path / "state"))
    before = dict(bare_shell.user_ns)
    magics.load(bare_shell)
    yield bare_shell
    magics.unload(bare_shell)
    bare_shell.config.pop("StripeMagics", None)
    for name in set(bare_shell.user_ns) - set(before):
        del bare_shell.user_ns[name]


class Cells:
    """Runs cells and keeps what came of them."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.stdout = self.stderr = ""
        self.outputs: list[Any] = []

    def __call__(self, text: str, cell_id: str | None = None, **options: Any) -> Any:
        """The value of a cell; an error of the cell is raised here."""
        result = self.run(text, cell_id, **options)
        if result.error_before_exec or result.error_in_exec:
            raise result.error_before_exec or result.error_in_exec
        return result.result

    def run(self, text: str, cell_id: str | None = None, **options: Any) -> Any:
        with capture_output() as captured:
            result = self.shell.run_cell(text, store_history=True, cell_id=cell_id, **options)
        self.stdout, self.stderr, self.outputs = captured.stdout, captured.stderr, captured.outputs
        return result


@pytest.fixture
def cells(shell: InteractiveShell) -> Cells:
    return Cells(shell)


@pytest.fixture
def sandbox(cells: Cells) -> Cells:
    """Cells with an empty sandbox open."""
    cells("%stripe connect --sandbox --empty --quiet")
    return cells
