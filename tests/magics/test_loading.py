"""Loading is quiet and quick; unloading leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.history import HistoryManager
from waiting import joined

from stripe_magics import magics
from stripe_magics.frames import manifest

from .conftest import end


def state(ip: Any) -> dict[str, Any]:
    """All of a shell that an extension may touch."""
    formatters = ip.display_formatter
    manager = ip.magics_manager
    return {
        "line": sorted(manager.magics["line"]),
        "cell": sorted(manager.magics["cell"]),
        "registry": sorted(manager.registry),
        "configurables": [type(each).__name__ for each in ip.configurables],
        "matchers": list(ip.Completer.custom_matchers),
        "cleanup": list(ip.input_transformer_manager.cleanup_transforms),
        "line transforms": list(ip.input_transformer_manager.line_transforms),
        "events": {name: list(callbacks) for name, callbacks in ip.events.callbacks.items()},
        "types": {name: dict(each.type_printers) for name, each in formatters.formatters.items()},
        "deferred": {name: dict(each.deferred_printers) for name, each in formatters.formatters.items()},
        "bundle": (
            dict(formatters.mimebundle_formatter.type_printers),
            dict(formatters.mimebundle_formatter.deferred_printers),
        ),
        "hooks": {name: str(each) for name, each in vars(ip.hooks).items()},
        "names": sorted(name for name in ip.user_ns if not name.startswith("_")),
        "custom exceptions": ip.custom_exceptions,
    }


def test_unload_leaves_no_trace(bare_shell: Any) -> None:
    ip = bare_shell
    # IPython 9 registers its own magics for extensions when they are first used
    ip.run_line_magic("unload_ext", "stripe_magics")
    before = state(ip)
    for _ in range(2):
        ip.run_line_magic("load_ext", "stripe_magics")
        assert "stripe" in ip.magics_manager.magics["line"]
        ip.run_cell("%stripe connect --sandbox --empty --quiet\nr = %stripe customers list")
        ip.run_cell("r")  # the display was used: printers move from deferred to types
        ip.display_formatter.format(ip.user_ns["r"])
        with provisionalcompleter():
            assert list(ip.Completer.completions("%stripe cust", 12))
        ip.run_line_magic("unload_ext", "stripe_magics")
        del ip.user_ns["r"]
        assert state(ip) == before
    from stripe_magics.client.shared_connection import shared

    assert shared() is None


def test_unload_closes_forms(bare_shell: Any) -> None:
    ip = bare_shell
    ip.run_line_magic("load_ext", "stripe_magics")
    ip.run_cell("%stripe connect --sandbox --empty --quiet\nform = %stripe customers create --form")
    form = ip.user_ns.pop("form")
    closed = []
    form.close = lambda: closed.append(True)
    ip.run_line_magic("unload_ext", "stripe_magics")
    assert closed


def test_reload_works_and_registers_once(bare_shell: Any) -> None:
    ip = bare_shell
    ip.run_line_magic("load_ext", "stripe_magics")
    ip.run_line_magic("reload_ext", "stripe_magics")
    names = [type(each).__name__ for each in ip.configurables]
    assert names.count("StripeMagics") == 1
    ip.run_line_magic("load_ext", "stripe_magics")
    assert (
        len(
            [
                each
                for each in ip.Completer.custom_matchers
                if "stripe" in repr(each).lower() or "hooks" in each.__module__
            ]
        )
        == 1
    )
    assert ip.run_cell("%stripe help").success
    ip.run_line_magic("unload_ext", "stripe_magics")
    assert "stripe" not in ip.magics_manager.magics["line"]
    assert magics.loaded(ip) is None


QUICK = """
import sys, time, json, io, contextlib
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
ip = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
out = io.StringIO()
with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
    before = len(sys.modules)
    ip.run_line_magic("load_ext", "stripe_magics")
    more = len(sys.modules) - before
late = "pandas numpy httpx ipywidgets anywidget pyarrow yaml msgspec tqdm sqlite_utils"
heavy = [name for name in late.split() if name in sys.modules]
print(json.dumps({"more": more, "heavy": heavy, "said": out.getvalue()}))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    env = {
        "IPYTHONDIR": str(tmp_path_factory.mktemp("ipython")),
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path_factory.mktemp("home")),
    }
    runs = [
        json.loads(
            subprocess.check_output(
                [sys.executable, "-c", QUICK], env=env, text=True, timeout=60
            ).splitlines()[-1]
        )
        for _ in range(2)
    ]
    return min(runs, key=lambda run: run["more"])


def test_loading_is_light_and_silent(loaded: dict[str, Any]) -> None:
    assert loaded["more"] < 100
    assert loaded["said"] == ""


def test_loading_imports_nothing_heavy(loaded: dict[str, Any]) -> None:
    assert loaded["heavy"] == []


def test_a_parsed_line_imports_nothing_heavy(tmp_path: Any) -> None:
    code = (
        "import sys\nfrom stripe_magics.parsing import parse\nparse('customers list --email"
        " a@b.com')\nprint([name for name in ('pandas', 'httpx', 'ipywidgets', 'pyarrow', 'yaml') if name in"
        " sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True, timeout=120).strip() == "[]"


COMPLETED = """
from stripe_magics.magics.completion import in_python, suggest
from stripe_magics.magics.suggestion import CompletionContext
from stripe_magics.magics.seen_ids import Seen
place = CompletionContext(Seen(), {})
before = set(sys.modules)
for text in %r:
    suggest(text, place)
in_python('sm.report("bal')
"""
HEAVY = """
print([name for name in ("pandas", "numpy", "httpx", "ipywidgets", "pyarrow") if name in sys.modules])
"""
NEW = """
print(sorted(set(sys.modules) - before))
"""
LOADED_IN_A_KERNEL = """
import threading
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
ip = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
ip.kernel = object()
import asyncio
async def first_cell():  # as a kernel runs it, on its event loop; then nobody does anything for a second
    ip.run_line_magic("load_ext", "stripe_magics")
    ip.events.trigger("post_run_cell", None)
    await asyncio.sleep(1)
asyncio.run(first_cell())
[each.join(60) for each in threading.enumerate() if each.name == "stripe_magics completion"]
"""
POSITIONS = [
    "%stripe ", "%stripe customers create --", "%stripe customers list --columns ",
    "%stripe checkout sessions create --expand ", "%stripe report ", "%stripe report mrr_rates --method ",
    "%stripe report mrr --tz ", "%stripe connect --env ", "%stripe close --",
    "%stripe refunds create --charge ",
    "%stripe customers create --address-country ", "%stripe events watch --events ", "%stripe get /v1/",
    "%stripe pull ", "%stripe listen --alert ", "%%stripe sql\nselect * from ",
    "%%stripe checkout sessions create\nline_items:\n  - pr", "%stripe subscriptions update ",
    "%%stripe sql --target {mirror}\nselect * from ", "%%stripe sql --target {mirror}\nselect ",
    "%stripe modules ", "%stripe find ", "%stripe events watch --group ", "%stripe config ",
]  # fmt: skip


@pytest.fixture
def positions(tmp_path: Path) -> list[str]:
    """The positions; the mirror is one of a list without rows."""
    mirror = tmp_path / "mirror"
    (mirror / "customers").mkdir(parents=True)
    manifest.store(
        mirror / "customers", manifest.Manifest("customer", (manifest.DataFile("a.parquet", 0, 0),))
    )
    return [each.format(mirror=mirror) for each in POSITIONS]


def in_a_process(code: str) -> str:
    """What a fresh Python prints last."""
    return (
        subprocess.check_output([sys.executable, "-c", code], text=True, timeout=60).strip().split("\n")[-1]
    )


def test_completing_imports_nothing_heavy(positions: list[str]) -> None:
    """The first keystroke of a session costs no half second of imports, wherever it falls."""
    assert in_a_process("import sys\n" + COMPLETED % positions + HEAVY) == "[]"


def test_a_kernel_imports_what_completion_needs_before_the_first_keystroke(positions: list[str]) -> None:
    loaded = "import sys\n" + LOADED_IN_A_KERNEL + COMPLETED % positions
    assert in_a_process(loaded + NEW) == "[]"
    assert in_a_process(loaded + HEAVY) == "[]"


def test_a_shell_ends_though_its_history_is_being_written(bare_shell: Any, tmp_path: Path) -> None:
    """IPython's thread for it is stopped just before it clears the flag that wakes it."""
    history = HistoryManager(shell=bare_shell, hist_file=str(tmp_path / "history.sqlite"))
    thread, flag = history.save_thread, history.save_flag
    clear, awake, stopped = flag.clear, threading.Event(), threading.Event()

    def late() -> None:
        awake.set()
        stopped.wait(60)
        clear()

    flag.clear = late
    flag.set()
    assert awake.wait(60)
    wake = flag.set
    flag.set = lambda: (wake(), stopped.set())
    shell: Any = SimpleNamespace(history_manager=history, atexit_operations=thread.stop)
    ending = threading.Thread(target=end, args=(shell,), name="the end of the shell", daemon=True)
    ending.start()
    joined(ending)
    assert not thread.is_alive()
    history.db.close()
