"""What all tests share: nothing of the person's own account, keys or state is touched, and no test is
timed."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

for name in [each for each in os.environ if each.startswith("STRIPE")]:
    del os.environ[name]
os.environ["STRIPE_MAGICS_STATE_DIR"] = tempfile.mkdtemp(prefix="stripe_magics-tests-")
atexit.register(shutil.rmtree, os.environ["STRIPE_MAGICS_STATE_DIR"], ignore_errors=True)


@pytest.fixture(autouse=True, scope="module")
def _close_connection_after_file() -> Iterator[None]:
    """No file of tests meets the connection of another, or what its frames said, whichever ran before it."""
    yield
    loaded = sys.modules.get("stripe_magics.client.shared_connection")
    if loaded is not None:
        loaded.close()
    frames = sys.modules.get("stripe_magics.frames.frame_info")
    if frames is not None:
        vars(frames.SEEN).update(vars(type(frames.SEEN)()))


@pytest.fixture(scope="module")
def event_loop_of_file() -> Iterator[None]:
    """For files whose kernels are clients of this process: an older jupyter_client takes this thread's event
    loop, a newer jupyter_core makes one, and both leave it open, for whichever test collects it."""
    make, made = asyncio.new_event_loop, []

    def note() -> asyncio.AbstractEventLoop:
        loop = make()
        if threading.current_thread() is threading.main_thread():
            made.append(loop)
        return loop

    asyncio.new_event_loop = note
    asyncio.set_event_loop(note())
    yield
    asyncio.new_event_loop = make
    asyncio.set_event_loop(None)
    for loop in made:
        loop.close()


FAST = (
    "tests/catalogue",
    "tests/parsing",
    "tests/validation",
    "tests/request",
    "tests/frames",
    "tests/test_",
)
"""The pure parts: what `.ci/check` runs before a commit."""

SLOW = (
    "tests/test_notebooks",
    "tests/test_command_line",  # processes of its own
    "tests/test_fuzz",
    "tests/parsing/test_fuzz",
    "tests/test_interrupts",
    "tests/test_where",  # a kernel's home, whole lines
    "tests/test_site",  # the site's pages, all of them
    "tests/test_examples",  # a month is closed
    "tests/test_locale.py::test_the_workbook",  # the demo firm's books
    "tests/test_locale.py::test_a_plot",
    "tests/test_locale.py::test_whatever_is_shown",
    "tests/test_locale.py::test_plots",
    "tests/test_locale.py::test_tables",
    "tests/frames/test_analyses",  # the demo firm's whole year
)
"""What stands among them and takes its time."""


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.nodeid.startswith(FAST) and not item.nodeid.startswith(SLOW):
        item.add_marker("fast")


SHORT = ("tests/parsing", "tests/request", "tests/sandbox", "tests/specs", "tests/test_", "tests/validation")
"""Where files are short."""

LONG = (
    "tests/sandbox/test_silent_parameters.py",
    "tests/finance/test_differential.py",
    "tests/frames/test_analyses.py",
    "tests/test_notebooks.py",
    "tests/finance/test_close_line.py",
    "tests/finance/test_proofs.py",
    "tests/finance/test_over_folder.py",
    "tests/finance/test_close.py",
    "tests/magics/test_command_leaks.py",
    "tests/client/test_warm_up.py",
    "tests/magics/test_options.py",
    "tests/client/test_journal_stops.py",
    "tests/test_command_line.py",
    "tests/bulk/test_mirror.py",
    "tests/test_locale.py",
    "tests/test_examples.py",
    "tests/sandbox/test_demo_data.py",
)
"""The files that take longest, the longest first: workers that share files out should not end with them."""


def pytest_configure(config: pytest.Config) -> None:
    """Workers take the files in the order below, not by how many tests each holds: the longest holds one. A
    worker that was ended, since a test of its waited for ever, isn't replaced: the next would wait, too."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False
        config.option.maxworkerrestart = "0"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop running in this thread, under which nothing
    else could start its own. Workers close it after each file, and have short files left for the end."""
    shared_out = "PYTEST_XDIST_WORKER" in os.environ

    def place(item: pytest.Item) -> tuple[int, int]:
        file = item.nodeid.partition("::")[0]
        browser = item.get_closest_marker("browser") is not None
        if not shared_out:
            return (int(browser), 0)
        if file in LONG:
            return (0, LONG.index(file))
        return (2 if browser else 3 if file.startswith(SHORT) else 1, 0)

    items.sort(key=place)
