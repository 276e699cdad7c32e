"""The one progress of all long calls: nothing for a second, then rows, pages, rate and time left, and nothing
at the end."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import tqdm.auto
from tqdm.std import tqdm as text_bar

from stripe_magics import progress as progress_module
from stripe_magics.progress import Progress, ProgressGroup, progress_bar


class Clock:
    """A clock that goes on by hand; it is `time.monotonic` and tqdm's clock."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("stripe_magics.progress.time.monotonic", made)
    return made


@pytest.fixture
def screen(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal would get."""
    out = io.StringIO()

    class Bar(text_bar):  # type: ignore[type-arg]
        def __init__(self, **options: Any) -> None:
            super().__init__(file=out, ncols=120, **options)
            self._time = clock

    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    return out


def test_nothing_for_a_second(clock: Clock, screen: io.StringIO) -> None:
    with progress_bar("customers.list") as bar:
        for page in range(1, 10):
            bar(page * 100, page)
            clock.now += 0.1
    assert screen.getvalue() == ""


def test_rows_pages_rate_and_time_left(clock: Clock, screen: io.StringIO) -> None:
    with progress_bar("customers.list") as bar:
        for page in range(1, 22):
            bar.expect(10_000)
            bar(page * 100, page)
            clock.now += 0.1
        shown = screen.getvalue().rpartition("\r")[2]
    assert shown.startswith("customers.list:  20%")
    # the time before it appeared counts: 8 s are left at this pace
    assert "2000/10000 [00:01<00:08, " in shown
    assert " rows/s, 20 pages]" in shown
    assert 990 <= float(shown.split(", ")[1].split(" rows")[0]) <= 1010
    assert screen.getvalue().endswith("\r" + " " * len(shown) + "\r")


def test_without_a_total_there_is_no_time_left(clock: Clock, screen: io.StringIO) -> None:
    with progress_bar("quotes.list", unit=" quotes") as bar:
        bar(100, 1)
        clock.now += 2
        bar(200, 2)
        assert "quotes.list: 200 quotes [00:02, 50.00 quotes/s, 2 pages]" in screen.getvalue()


def test_what_an_earlier_pull_left_is_not_this_ones_speed(clock: Clock, screen: io.StringIO) -> None:
    with progress_bar("customers") as bar:
        bar(50_000, 1)
        clock.now += 2
        bar(50_200, 3)
        assert "100.00 rows/s" in screen.getvalue()


def test_it_is_redrawn_a_few_times_a_second(clock: Clock, screen: io.StringIO) -> None:
    with progress_bar("customers.list") as bar:
        for page in range(1, 2001):
            bar(page * 100, page)
            clock.now += 0.001
        assert screen.getvalue().count("\r") <= 6


def test_an_exception_takes_it_away(clock: Clock, screen: io.StringIO) -> None:
    def fail() -> None:
        with progress_bar("customers.list") as bar:
            bar.expect(1000)
            bar(100, 1)
            clock.now += 2
            bar(200, 2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert screen.getvalue().endswith(" \r")
    assert not text_bar._instances  # type: ignore[attr-defined]


def test_quiet(clock: Clock, screen: io.StringIO) -> None:
    with progress_bar("customers.list", quiet=True) as bar:
        bar(100, 1)
        clock.now += 2
        bar(200, 2)
    assert screen.getvalue() == ""


def test_a_bar_that_cannot_be_drawn_ends_nothing(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        raise OSError("no screen")

    monkeypatch.setattr(tqdm.auto, "tqdm", broken)
    done = 0
    with (
        pytest.warns(RuntimeWarning, match="can't be shown: OSError: no screen"),
        progress_bar("payment_intents.create") as bar,
    ):
        for row in range(5):
            bar(row)
            clock.now += 1
            done += 1
    assert done == 5


def test_threads_share_a_bar(clock: Clock, screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "DELAY", 0.0)
    monkeypatch.setattr(progress_module, "INTERVAL", 0.0)
    updates: list[tuple[int, int]] = []

    class RecordingProgress(Progress):
        def __call__(self, rows: int, pages: int = 0) -> None:
            updates.append((rows, pages))
            super().__call__(rows, pages)

    bar = RecordingProgress("four lists")
    together = ProgressGroup(bar, 8)
    begin = threading.Barrier(8)

    def read(number: int) -> None:
        begin.wait(60)
        with together.part() as share:
            for page in range(1, 51):
                share.expect(5000)
                clock.now += 0.01
                share(page * 100, page)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, range(8)))
    assert updates == sorted(updates)
    assert updates[-1] == (40_000, 400)
    assert "40000/40000" in screen.getvalue()
    bar.end()


def test_the_total_of_several_lists(clock: Clock) -> None:
    bar = Progress("three lists")
    together = ProgressGroup(bar, 3)

    def total() -> int | None:
        return bar._total

    with together.part() as first, together.part() as second:
        first.expect(900)
        first(100, 1)
        assert total() == 2700  # the second hasn't answered, the third hasn't begun
        second(100, 1)
        assert total() == 2700
        second(200, 2)
        assert total() is None  # nobody knows how long the second is
        second.expect(300)
        second(300, 3)
        assert total() == 1800
    with together.part(most=500) as third:
        third.expect(700)
        third(100, 1)
    assert total() == 100 + 300 + 500


def test_a_quick_call_does_not_import_tqdm(tmp_path: Any) -> None:
    code = textwrap.dedent("""
        import sys
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config
        ip = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
        ip.run_cell("%load_ext stripe_magics\\n%stripe connect --sandbox --quiet\\n"
                    "df = %stripe customers list --limit all")
        ip.run_cell("import stripe_magics.bulk, stripe_magics.finance\\n"
                    "few = df.head(2)[['id']].assign(name='x')\\n"
                    "%stripe pull customers;\\n%stripe customers update --from few;")
        assert len(ip.user_ns["df"]) and "few" in ip.user_ns
        print("tqdm" in sys.modules)
        """)
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "IPYTHONDIR": str(tmp_path),
        "STRIPE_MAGICS_STATE_DIR": str(tmp_path),
    }
    said = subprocess.check_output([sys.executable, "-c", code], env=env, text=True, timeout=120)
    assert said.splitlines()[-1] == "False", said
