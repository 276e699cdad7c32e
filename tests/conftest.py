"""What all tests share: nothing of the person's own account, keys or state is touched, and no test is
timed."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

for name in [each for each in os.environ if each.startswith("STRIPE")]:
    del os.environ[name]
os.environ["STRIPE_MAGICS_STATE_DIR"] = tempfile.mkdtemp(prefix="stripe_magics-tests-")


@pytest.fixture(autouse=True, scope="module")
def _close_connection_after_file() -> Iterator[None]:
    """No file of tests meets the connection of another, whichever ran before it."""
    yield
    loaded = sys.modules.get("stripe_magics.client.shared_connection")
    if loaded is not None:
        loaded.close()


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
    "tests/test_locale.py::test_the_workbook",  # the demo firm's books
    "tests/test_locale.py::test_plots",
    "tests/test_locale.py::test_tables",
    "tests/frames/test_analyses",  # the demo firm's whole year
)
"""What stands among them and takes its time."""


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.nodeid.startswith(FAST) and not item.nodeid.startswith(SLOW):
        item.add_marker("fast")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop running in this thread, under which nothing
    else could start its own."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
