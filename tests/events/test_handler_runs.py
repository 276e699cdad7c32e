"""Handlers get each event once, whatever the order of cells, restarts and kernels; what fails is kept,
retried, replayed; writes happen once."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from events.disputes_server import KERNEL, DisputesServer
from events.doubles import Stripe, event
from waiting import running

import stripe_magics as sm
from stripe_magics import events
from stripe_magics.client.connection import Connection
from stripe_magics.errors import StripeUnavailable, UnknownName, UsageFault
from stripe_magics.events.account_events import AccountEvents
from stripe_magics.events.event_store import Store
from stripe_magics.events.event_watch import Watch
from stripe_magics.events.filters import event_filter
from stripe_magics.events.handlers import handler_name

T = int(time.time()) - 1000


@pytest.fixture
def stripe() -> Stripe:
    made = Stripe(event("evt_0", "invoice.created", T))
    made.clock = T + 1
    return made


def account_of(stripe: Stripe, path: Path | None = None) -> AccountEvents:
    return AccountEvents(stripe, "", Store(path, "scope ", now=stripe.now))  # type: ignore[arg-type]


def on(account: AccountEvents, type: str, heard: list[str], name: str = "heard", **options: Any) -> None:
    def handler(each: dict[str, Any]) -> None:
        heard.append(each["id"])

    account.register(type, handler, **{"since": None, "condition": None, "name": name, **options})


@pytest.mark.parametrize("watch_first", [True, False])
@pytest.mark.parametrize(
    "names",
    [
        ["invoice"],
        ["charge", "invoice"],
        ["invoice", "charge"],
        ["*"],
        ["invoice.paid", "customer"],
        ["invoice.paid"],
    ],
    ids=",".join,
)
def test_the_gap_is_delivered_whatever_the_order_of_cells_and_groups(
    stripe: Stripe, tmp_path: Path, watch_first: bool, names: list[str]
) -> None:
    """B89"""
    path = tmp_path / "events.sqlite"
    before = account_of(stripe, path)
    heard: list[str] = []
    on(before, "invoice.paid", heard)
    Watch(before, event_filter(["invoice"])).poll()
    before.store.close()
    stripe.events += [event("evt_1", "invoice.paid", T + 10), event("evt_2", "invoice.paid", T + 20)]
    stripe.clock = T + 100
    after = account_of(stripe, path)
    if not watch_first:
        on(after, "invoice.paid", heard)
    watch = Watch(after, event_filter(names))
    watch.poll()
    if watch_first:
        assert heard == []
        on(after, "invoice.paid", heard)
    watch.poll()
    watch.poll()
    assert heard == ["evt_1", "evt_2"]


def test_a_handler_has_a_mark_before_any_watch_ran(stripe: Stripe, tmp_path: Path) -> None:
    """B89: registered yesterday, the kernel died before a watch began: what happened since is its business
    today."""
    path = tmp_path / "events.sqlite"
    heard: list[str] = []
    on(account_of(stripe, path), "invoice", heard)
    stripe.events.append(event("evt_1", "invoice.paid", T + 50))
    stripe.clock = T + 100
    after = account_of(stripe, path)
    on(after, "invoice", heard)
    Watch(after, event_filter(["invoice"])).poll()
    assert heard == ["evt_1"], "and not what was before"


def test_a_new_handler_gets_what_happens_from_now_on_or_since(stripe: Stripe) -> None:
    """B89"""
    account = account_of(stripe)
    watch = Watch(account, event_filter())
    watch.poll()
    stripe.events.append(event("evt_1", "invoice.paid", T + 5))
    stripe.clock = T + 10
    watch.poll()
    new: list[str] = []
    back: list[str] = []
    on(account, "invoice", new, name="new")
    on(account, "invoice", back, name="back", since=T + 2)
    stripe.events.append(event("evt_2", "invoice.paid", T + 12))
    watch.poll()
    assert new == ["evt_2"]
    assert back == ["evt_1", "evt_2"]


def test_a_handler_that_reaches_back_makes_the_list_be_read_again(stripe: Stripe) -> None:
    """B89"""
    account = account_of(stripe)
    watch = Watch(account, event_filter())
    stripe.events += [event("evt_old", "invoice.paid", T - 5000)]
    watch.poll()
    account.store.purge(before=float("inf"))
    heard: list[str] = []
    on(account, "invoice", heard, since=T - 6000)
    watch.poll()
    assert heard == ["evt_old", "evt_0"]


def test_a_failed_event_is_kept_listed_and_retried(sandbox: Connection) -> None:
    """B89"""
    broken = [True]

    @sm.on("customer.created")
    def careless(each: dict[str, Any]) -> None:
        if broken[0]:
            raise ValueError("with sk_test_51abcdefghijklmnop in it")

    watch = sm.watch("customer")
    sm.call("customers.create", name="Jenny")
    watch.poll()
    watch.poll()
    failed = events.failed()
    assert list(failed["state"]) == ["failed"]
    assert "ValueError" in failed["error"].iloc[0]
    assert "abcdef" not in failed.to_csv()
    assert list(failed["attempts"]) == [1]
    again = events.retry()
    assert list(again["state"]) == ["failed"]
    broken[0] = False
    assert list(events.retry(failed["event"].iloc[0])["state"]) == ["done"]
    assert events.failed().empty
    assert list(events.handlers()["done"]) == [1]
    with pytest.raises(UsageFault, match="No handler failed"):
        events.retry(failed["event"].iloc[0])


def test_events_are_replayed_by_id_and_since(sandbox: Connection) -> None:
    """B89"""
    heard: list[str] = []

    @sm.on("customer.created")
    def note(each: dict[str, Any]) -> None:
        heard.append(each["id"])

    watch = sm.watch("customer")
    for name in ("Ada", "Grace"):
        sm.call("customers.create", name=name)
    watch.poll()
    first, second = heard
    assert list(events.replay(first)["state"]) == ["done"]
    assert heard == [first, second, first]
    assert len(events.replay(since="1h")) == 2
    assert heard == [first, second, first, first, second]
    with pytest.raises(UsageFault, match="not both"):
        events.replay()
    with pytest.raises(UsageFault, match="isn't kept"):
        events.replay("evt_nothing")


def test_a_replay_makes_no_write_twice(sandbox: Connection) -> None:
    """B88"""

    @sm.on("customer.created")
    def welcome(each: dict[str, Any]) -> None:
        if each["data"]["object"]["name"] == "Ada":
            sm.call("customers.create", name="made by the handler")
            sm.call("customers.create", name="made by the handler")

    watch = sm.watch("customer")
    sm.call("customers.create", name="Ada")
    watch.poll()
    count = len(sm.call("customers.list", limit="all"))
    assert count == 3, "two calls of one event are two writes, though they say the same"
    ada = next(each.id for each in watch.stored() if each.object["name"] == "Ada")
    events.replay(ada)
    assert len(sm.call("customers.list", limit="all")) == count


def test_a_replay_days_later_gives_the_handler_what_it_made_then(sandbox: Connection) -> None:
    """B88: Stripe has forgotten the key by then; the object is read, and the event doesn't stay failed."""
    given: list[Any] = []

    @sm.on("customer.created")
    def welcome(each: dict[str, Any]) -> None:
        if each["data"]["object"]["name"] == "Ada":
            given.append(sm.call("products.create", name="Book"))
            given.append(
                sm.call("customers.update", customer=each["data"]["object"]["id"], description="seen")
            )
            if len(given) < 3:
                raise RuntimeError("after its writes")

    watch = sm.watch("customer")
    sm.call("customers.create", name="Ada")
    watch.poll()
    assert len(events.failed()) == 1
    sandbox.journal.now = lambda: time.time() + 3 * 86400
    assert list(events.retry()["state"]) == ["done"]
    first, _, second, updated = given
    assert first["id"].iloc[0] == second["id"].iloc[0]
    assert len(sm.call("products.list", limit="all")) == 1
    assert updated["description"].iloc[0] == "seen"
    assert any("Nothing new was made" in note for note in second.attrs["stripe"]["notes"])


def test_a_handler_that_says_something_else_the_second_time_is_refused(sandbox: Connection) -> None:
    """B88: nothing is sent under the key of a write that went through, and nothing under a new one."""
    said = ["first"]

    @sm.on("customer.created")
    def changing(each: dict[str, Any]) -> None:
        if each["data"]["object"]["name"] == "Ada":
            sm.call("customers.create", name=said[0])

    watch = sm.watch("customer")
    sm.call("customers.create", name="Ada")
    watch.poll()
    said[0] = "second"
    ada = next(each.id for each in watch.stored() if each.object["name"] == "Ada")
    assert list(events.replay(ada)["state"]) == ["failed"]
    assert "already sent another call" in events.failed()["error"].iloc[0]
    assert set(sm.call("customers.list", limit="all")["name"]) == {"Ada", "first"}


def test_a_refused_write_is_made_when_the_event_is_retried(sandbox: Connection) -> None:
    """B88: what Stripe refused changed nothing; the corrected handler's write goes out."""
    amount = ["0"]

    @sm.on("customer.created")
    def charge(each: dict[str, Any]) -> None:
        (
            sm.call("products.create", name=amount[0])
            if amount[0] != "0"
            else sm.call("products.retrieve", product="prod_no")
        )

    watch = sm.watch("customer")
    sm.call("customers.create", name="Ada")
    watch.poll()
    assert len(events.failed()) == 1
    amount[0] = "Book"
    assert list(events.retry()["state"]) == ["done"]


def test_pending_knows_the_writes_of_handlers(sandbox: Connection) -> None:
    """B88: the journal knows it, with the handler and the event; the event shows how it ended."""
    from stripe_magics.sandbox.fault_injection import Fault

    sandbox.sleep = lambda seconds: None

    @sm.on("customer.created")
    def make(each: dict[str, Any]) -> None:
        if each["data"]["object"]["name"] == "Ada":
            sm.call("products.create", name="Book")

    watch = sm.watch("customer")
    sm.call("customers.create", name="Ada")
    sandbox.sandbox.faults.append(Fault("drop_after", match="POST /v1/products", times=None))
    watch.poll()
    sandbox.sandbox.faults.clear()
    (operation,) = sandbox.pending()
    assert operation.key.startswith("evt_")
    assert operation.cell.startswith("handler ")
    assert list(events.failed()["state"]) == ["failed"]
    assert list(events.retry()["state"]) == ["done"], "under the same key"
    assert sandbox.pending() == []
    assert len(sm.call("products.list", limit="all")[lambda frame: frame["name"] == "Book"]) == 1


def test_async_handlers_run(sandbox: Connection) -> None:
    """B89: from a thread of its own and under an event loop that runs, as in a notebook."""
    import asyncio

    heard: list[str] = []

    @sm.on("customer.created")
    async def later(each: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        sm.call("products.create", name="from a coroutine")
        heard.append(each["id"])

    @sm.on("customer.created")
    async def failing(each: dict[str, Any]) -> None:
        raise ValueError("in a coroutine")

    watch = sm.watch("customer")
    sm.call("customers.create", name="Ada")
    watch.poll()
    assert len(heard) == 1
    assert [each.message for each in watch.problems] == ["ValueError: in a coroutine"]

    async def under_a_loop() -> None:
        sm.call("customers.create", name="Grace")
        watch.poll()

    asyncio.run(asyncio.wait_for(under_a_loop(), 60))
    assert len(heard) == 2


def test_system_exit_in_a_handler_is_its_failure_only(sandbox: Connection) -> None:
    """B90"""

    @sm.on("customer.created")
    def leaving(each: dict[str, Any]) -> None:
        sys.exit(3)

    watch = sm.watch("customer")
    watch.interval = 0.02
    sm.call("customers.create", name="Ada")
    watch.resume()
    wait_for(lambda: len(events.failed()) == 1)
    assert watch.running
    assert "SystemExit" in events.failed()["error"].iloc[0]


def test_a_handler_that_causes_its_own_events_is_noticed_and_stopped(sandbox: Connection) -> None:
    """B88: a loop of writes ends."""
    calls: list[str] = []

    @sm.on("customer.created")
    def again(each: dict[str, Any]) -> None:
        calls.append(each["id"])
        sm.call("customers.create", name="once more")

    watch = sm.watch("customer")
    sm.call("customers.create", name="Ada")
    for _ in range(12):
        watch.poll()
    assert len(calls) == 6
    assert "in a row" in events.failed()["error"].iloc[0]
    assert any("which it caused itself" in note for note in watch.notes)


def test_names_by_which_handlers_are_known_again() -> None:
    """B89: running a cell again replaces partials and methods too."""

    def cell() -> list[str]:
        class Desk:
            def take(self, each: dict[str, Any]) -> None: ...
            def __call__(self, each: dict[str, Any]) -> None: ...

        def plain(where: str, each: dict[str, Any]) -> None: ...

        return [
            handler_name(each)
            for each in (
                Desk().take,
                Desk(),
                functools.partial(plain, "a"),
                functools.partial(plain, "b"),
                lambda each: None,
            )
        ]

    assert cell() == cell()
    assert len(set(cell())) == 5


def test_functions_of_one_name_in_two_notebooks_are_two_handlers(
    stripe: Stripe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B88: a second kernel of a notebook shares its marks and claims, another notebook doesn't take its
    events."""
    heard: dict[str, list[str]] = {"one.ipynb": [], "two.ipynb": []}

    def define(notebook: str) -> AccountEvents:
        monkeypatch.setenv("JPY_SESSION_NAME", notebook)

        def note(each: dict[str, Any]) -> None:
            heard[notebook].append(each["id"])

        note.__module__ = "__main__"
        account = account_of(stripe, tmp_path / "events.sqlite")
        account.register("*", note, since=None, name="", condition=None)
        return account

    accounts = [define("one.ipynb"), define("one.ipynb"), define("two.ipynb")]
    stripe.events.append(event("evt_1", "invoice.paid", T + 2))
    for each in accounts:
        Watch(each, event_filter()).poll()
    assert heard == {"one.ipynb": ["evt_1"], "two.ipynb": ["evt_1"]}


def test_a_view_that_fails_is_dropped_and_the_watch_goes_on(stripe: Stripe) -> None:
    """B90"""
    watch = Watch(account_of(stripe), event_filter())

    def broken(what: str, data: Any) -> None:
        raise RuntimeError("the comm is closed")

    watch.listeners.append(broken)
    watch.poll()
    assert watch.listeners == []
    assert "the comm is closed" in watch.notes[-1]


def test_a_condition_on_values(sandbox: Connection) -> None:
    heard: list[str] = []
    sm.on(
        "customer.created",
        lambda each: heard.append(each["data"]["object"]["name"]),
        where="email != null and name == 'Ada'",
    )
    watch = sm.watch("customer")
    for name in ("Ada", "Grace"):
        sm.call("customers.create", name=name, email="x@example.com")
    watch.poll()
    assert heard == ["Ada"]


def test_a_typo_is_refused_everywhere(sandbox: Connection) -> None:
    with pytest.raises(UnknownName, match=r"charge\.dispute\.created"):
        sm.on("charge.dispute.creatd", print)
    with pytest.raises(UnknownName):
        sm.watch("customer.subscriptions.*")
    watch = sm.watch("customer.subscription.*", "charge.dispute.*")
    assert str(watch.choice) == "customer.subscription.*, charge.dispute.*"
    assert watch.choice("customer.subscription.trial_will_end")
    assert not watch.choice("customer.created")


# A process that is killed, and two of them


@pytest.fixture
def server() -> Iterator[DisputesServer]:
    made = DisputesServer(12)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@contextmanager
def kernel(server: DisputesServer, how: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {"PATH": "/usr/bin:/bin", "STRIPE_MAGICS_STATE_DIR": str(folder), "HOME": str(folder)}
    command = [sys.executable, "-c", KERNEL, server.base, how]
    with (folder / "stderr").open("a") as errors, running(command, env=environment, stderr=errors) as process:
        yield process


def test_a_kernel_that_is_killed_after_a_write_makes_none_twice(
    server: DisputesServer, tmp_path: Path
) -> None:
    """B88: killed after each write, restarted until all is done: 12 disputes, 12 refunds."""
    for _ in range(3):
        with kernel(server, "die", tmp_path) as dying:
            assert dying.wait(60) == -9
    with kernel(server, "go", tmp_path) as finished:
        assert finished.wait(60) == 0, (tmp_path / "stderr").read_text()
    assert len(server.refunds) == 12
    assert len(set(server.refunds.values())) == 12, "each charge once"
    assert server.changed == 0
    assert len(server.attempts) > 12, "what was killed before it was noted is asked again, under its own key"


def test_two_kernels_share_the_work(server: DisputesServer, tmp_path: Path) -> None:
    """B88: a second kernel inherits marks and claims."""
    with kernel(server, "slow", tmp_path) as one, kernel(server, "slow", tmp_path) as other:
        for each in (one, other):
            assert each.wait(60) == 0, (tmp_path / "stderr").read_text()
    assert len(server.refunds) == len(set(server.refunds.values())) == 12
    assert server.changed == 0
    assert len(server.attempts) == 12, "no event is handled by both"


# How a watch ends, and backlogs


def test_a_proxys_page_doesnt_end_the_watch_and_stripes_no_does(stripe: Stripe) -> None:
    """B90"""
    from stripe_magics.errors import Details, PermissionDenied

    watch = Watch(account_of(stripe), event_filter())
    watch.interval = 0.01
    watch.start()
    stripe.failing = PermissionDenied("A proxy or firewall refused the request.", details=Details(status=403))
    wait_for(lambda: "on the way to Stripe" in watch.state)
    assert watch.running
    stripe.failing = None
    watch.resume()
    wait_for(lambda: watch.state == "watching")
    stripe.failing = PermissionDenied("No permission.", details=Details(status=403, request_id="req_1"))
    watch.resume()
    wait_for(lambda: watch.state.startswith("ended: Stripe refused the key"))
    assert not watch.running


def test_a_locked_database_passes(stripe: Stripe, monkeypatch: pytest.MonkeyPatch) -> None:
    """B90"""
    import sqlite3

    watch = Watch(account_of(stripe), event_filter())
    watch.interval = 0.01
    watch.start()
    real = watch._poller.read
    locked = [True]

    def read(**options: Any) -> Any:
        if locked[0]:
            raise sqlite3.OperationalError("database is locked")
        return real(**options)

    monkeypatch.setattr(watch._poller, "read", read)
    wait_for(lambda: "locked" in " ".join(watch.notes))
    assert watch.running
    locked[0] = False
    watch.resume()
    wait_for(lambda: watch.state == "watching")
    watch.stop()


def test_the_state_is_measured(stripe: Stripe, monkeypatch: pytest.MonkeyPatch) -> None:
    """B90: a thread that is gone is said to be gone."""
    watch = Watch(account_of(stripe), event_filter())
    assert watch.status()["last_read"] == "never"
    watch.interval = 0.01

    def dying() -> Any:
        raise SystemExit

    watch.start()
    assert watch.status()["last_read"] == "0 s ago"
    monkeypatch.setattr(watch._polling, "_try_poll", dying)
    wait_for(lambda: watch.state.startswith("ended by an error"))
    assert not watch.running
    assert "SystemExit" in watch.notes[-1]


def test_a_backlog_goes_on_where_it_broke_off(stripe: Stripe, monkeypatch: pytest.MonkeyPatch) -> None:
    """B91: 2,000 events, a fault every few pages: no page is read twice, all arrive once and in order."""
    account = account_of(stripe)
    heard: list[str] = []
    on(account, "*", heard)
    watch = Watch(account, event_filter())
    watch.poll()
    stripe.events += [event(f"evt_a{n:05}", "invoice.paid", T + 1 + n // 40) for n in range(2000)]
    real, count = stripe.send, [0]

    def failing(request: Any, **options: Any) -> Any:
        count[0] += 1
        if count[0] % 7 == 0:
            raise StripeUnavailable("gone")
        return real(request, **options)

    monkeypatch.setattr(stripe, "send", failing)
    while not heard:
        assert count[0] < 100
        try:
            watch.poll()
        except StripeUnavailable:
            continue
    assert heard == [f"evt_a{n:05}" for n in range(2000)]
    assert count[0] <= 25, "20 pages and the faults in between"


def test_a_second_look_finds_events_that_are_late(stripe: Stripe) -> None:
    """B91: an event that becomes visible hours after it was made."""
    account = account_of(stripe)
    heard: list[str] = []
    on(account, "*", heard, since=T - 50_000)
    stripe.events.append(event("evt_9", "invoice.paid", T + 5000))
    stripe.clock = T + 5001
    watch = Watch(account, event_filter())
    watch.poll()
    heard.clear()
    stripe.events.append(event("evt_late", "invoice.paid", T + 600))
    watch.poll()
    assert heard == []
    watch._poller._looked -= 3601
    watch.poll()
    assert heard == ["evt_late"]


@pytest.mark.parametrize("ahead", [-900, 900])
def test_a_clock_that_is_off_loses_nothing(stripe: Stripe, ahead: int) -> None:
    """B91: this machine's clock against Stripe's, as its answers tell it."""
    stripe.stripe_clock.time = lambda: stripe.clock - ahead
    stripe.clock = T + 1 + ahead
    account = account_of(stripe)
    heard: list[str] = []
    on(account, "*", heard)
    watch = Watch(account, event_filter())
    watch.poll()
    assert heard == []
    stripe.events.append(event("evt_1", "invoice.paid", T + 2))
    watch.poll()
    assert heard == ["evt_1"]


def test_a_thousand_runs_of_a_watch_cell_leave_nothing_behind(sandbox: Connection) -> None:
    """B90: files, threads, hooks, listeners and widgets stay as they are. (100 here: each is the same; the
    benchmark runs 1,000.)"""

    import ipywidgets

    from stripe_magics.events.live_view import panel

    def measure() -> tuple[int, int, int, int]:
        widgets = len(getattr(ipywidgets.widget, "_instances", {}))
        return (
            len(list(Path("/proc/self/fd").iterdir())),
            threading.active_count(),
            len(sandbox.before_close),
            widgets,
        )

    def run() -> None:
        shown = panel(sm.watch("customer"))
        sm.on("customer.created", print)
        shown.shown.on_message({"ready": True})
        shown.shown.on_message({"gone": True})

    run()
    before = measure()
    for _ in range(100):
        run()
    assert measure() == before
    assert len(events.handlers()) == 1


@pytest.fixture
def sandbox() -> Iterator[Connection]:
    connection = sm.connect(sandbox=True, demo=False)
    yield connection
    sm.close()


def wait_for(true: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it didn't happen"
        time.sleep(0.01)
