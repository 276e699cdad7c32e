"""A Stop in the first moments: it waits for the imports, which it would leave broken, and is heard then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from waiting import joined

from stripe_magics._interrupts import held_back


@contextmanager
def handled_by(handler: signal.Handlers | signal._HANDLER) -> Iterator[None]:
    own = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, own)


def stop() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.001)  # Python handles a signal between two of its own instructions


def test_a_stop_is_heard_at_the_end_of_the_block() -> None:
    done = []
    with handled_by(signal.default_int_handler):
        with pytest.raises(KeyboardInterrupt), held_back():
            stop()
            done.append("the rest of the block")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert done


def test_an_error_of_the_block_comes_first_and_the_handler_is_the_old_one() -> None:
    with handled_by(signal.default_int_handler):
        with pytest.raises(ImportError), held_back():
            stop()
            raise ImportError
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_ones_own_gets_it_and_an_ignored_stop_stays_ignored() -> None:
    heard: list[int] = []
    with handled_by(lambda number, _: heard.append(number)):
        with held_back():
            stop()
            assert not heard
        assert heard == [signal.SIGINT]
    with handled_by(signal.SIG_IGN):
        with held_back():
            stop()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_other_threads_go_on_as_they_are() -> None:
    seen: list[object] = []

    def run() -> None:
        with held_back():
            seen.append(signal.getsignal(signal.SIGINT))

    with handled_by(signal.default_int_handler):
        worker = threading.Thread(target=run)
        worker.start()
        joined(worker)
    assert seen == [signal.default_int_handler]


CALLS = """
import builtins, signal, sys, tempfile, threading
from importlib.machinery import ExtensionFileLoader
import stripe_magics as sm

late = set()

def noticing(name, globals=None, locals=None, fromlist=(), level=0, real=builtins.__import__):
    before = set(sys.modules)
    found = real(name, globals, locals, fromlist, level)
    new = set(sys.modules) - before
    stoppable = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if stoppable and threading.current_thread() is threading.main_thread():
        loaders = {each: getattr(sys.modules[each].__spec__, "loader", None) for each in new}
        late.update(each for each, loader in loaders.items() if isinstance(loader, ExtensionFileLoader))
    return found

builtins.__import__ = noticing
folder = tempfile.mkdtemp()
sm.connect(sandbox=True, demo=False)
sm.call("payouts.list", limit="all", quiet=True)
sm.call("customers.create", name="Jenny")
sm.call("refunds.list", to=f"{folder}/refunds", quiet=True)
sm.sync(f"{folder}/mirror", "refunds", quiet=True)
sm.form("customers.create")
builtins.__import__ = noticing.__defaults__[-1]
print(sorted(each for each in late if not each.startswith("_")))
"""


def test_no_compiled_package_is_first_imported_where_a_stop_could_break_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CALLS], capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stdout


def test_a_stop_after_the_answer_says_what_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two lines of ours, with no words of its own."""
    import stripe_magics as sm
    from stripe_magics._call_run import CallRun

    sm.connect(sandbox=True, demo=False)
    real = CallRun._send

    def late(self: CallRun, *given: object, **more: int) -> object:
        real(self, *given, **more)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(CallRun, "_send", late)
    with pytest.raises(KeyboardInterrupt, match=r"Stopped, but it was carried out: cus_"):
        sm.call("customers.create", name="Jenny")
    sm.close()
