"""A watch loses no event and gives none twice; what happens on the way is said."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from each_row import each_row
from events.doubles import Stripe, event

from stripe_magics.errors import AuthenticationFailed, StripeUnavailable, UnknownName, UsageFault
from stripe_magics.events import poller
from stripe_magics.events.account_events import AccountEvents
from stripe_magics.events.event_store import Store
from stripe_magics.events.event_watch import Watch
from stripe_magics.events.filters import EventFilter, event_filter
from stripe_magics.events.handlers import Handlers

T = int(time.time()) - 1000


@pytest.fixture
def stripe() -> Stripe:
    made = Stripe(event("evt_0", "invoice.created", T))
    made.clock = T + 1
    return made


@pytest.fixture
def made() -> Iterator[list[Watch]]:
    watches: list[Watch] = []
    yield watches
    for each in watches:
        each.stop()


def watching(
    stripe: Stripe,
    made: list[Watch],
    *,
    choice: EventFilter | None = None,
    store: Store | None = None,
    **options: Any,
) -> Watch:
    account = AccountEvents(stripe, "", store or Store(None, stripe.scope(""), now=stripe.now))  # type: ignore[arg-type]
    made.append(Watch(account, choice or EventFilter(), **options))
    return made[-1]


def test_what_was_before_is_shown_but_is_no_news(stripe: Stripe, made: list[Watch]) -> None:
    watch = watching(stripe, made)
    heard: list[str] = []
    watch.on("*", lambda each: heard.append(each["id"]))
    watch.poll()
    assert [each.id for each in watch.stored()] == ["evt_0"]
    assert heard == []
    stripe.events.append(event("evt_1", "invoice.paid", T))  # in the very second of the newest one
    stripe.events.append(event("evt_2", "invoice.paid", T + 5))
    assert watch.poll() == 2
    assert heard == ["evt_1", "evt_2"]
    assert watch.poll() == 0
    assert heard == ["evt_1", "evt_2"]


def test_101_events_of_one_second_over_pages_lose_none(stripe: Stripe, made: list[Watch]) -> None:
    watch = watching(stripe, made)
    watch.poll()
    heard: list[str] = []
    watch.on("*", lambda each: heard.append(each["id"]))
    stripe.events += [event(f"evt_{n:04}", "invoice.paid", T + 1) for n in range(1, 102)]
    assert watch.poll() == 101
    # the same second goes on
    stripe.events += [event(f"evt_{n:04}", "invoice.paid", T + 1) for n in range(102, 353)]
    assert watch.poll() == 251
    assert heard == [f"evt_{n:04}" for n in range(1, 353)]
    assert [each.id for each in watch.stored()] == ["evt_0", *heard]


def test_an_event_that_becomes_visible_late_is_found(stripe: Stripe, made: list[Watch]) -> None:
    watch = watching(stripe, made)
    heard: list[str] = []
    watch.on("*", lambda each: heard.append(each["id"]))
    watch.poll()
    stripe.events.append(event("evt_9", "invoice.paid", T + 100))
    watch.poll()
    # older than one that is known, within the overlap
    stripe.events.append(event("evt_8", "invoice.paid", T + 20))
    watch.poll()
    assert heard == ["evt_9", "evt_8"]
    assert [each.id for each in watch.stored()] == ["evt_0", "evt_8", "evt_9"]


def test_news_comes_in_the_order_in_which_it_happened(stripe: Stripe, made: list[Watch]) -> None:
    """B54"""
    watch = watching(stripe, made)
    watch.poll()
    heard: list[str] = []
    watch.on("*", lambda each: heard.append(each["id"]))
    stripe.events += [
        event("evt_3", "invoice.paid", T + 3),
        event("evt_1", "invoice.paid", T + 1),
        event("evt_2", "invoice.paid", T + 1),
    ]
    watch.poll()
    assert heard == ["evt_1", "evt_2", "evt_3"]


def test_a_gap_after_a_restart_is_filled(stripe: Stripe, made: list[Watch], tmp_path: Path) -> None:
    first = watching(stripe, made, store=Store(tmp_path / "events.sqlite", "scope "))
    first.poll()
    stripe.events += [event(f"evt_{n}", "invoice.paid", T + n) for n in range(1, 8)]
    second = watching(stripe, made, store=Store(tmp_path / "events.sqlite", "scope "))
    heard: list[str] = []
    second.on("*", lambda each: heard.append(each["id"]))
    second.poll()
    assert heard == [f"evt_{n}" for n in range(1, 8)]
    assert not second.notes


def test_a_gap_of_more_than_30_days_is_said(stripe: Stripe, made: list[Watch]) -> None:
    store = Store(None, "scope ")
    watching(stripe, made, store=store).poll()
    later = watching(stripe, made, store=store)
    stripe.clock += 31 * 86400
    later.poll()
    assert "30 days only" in later.notes[-1]
    assert poller.gap_notice(T, T + 30 * 86400) == ""


def test_no_events_for_31_days_is_no_gap_if_the_watch_went_on(stripe: Stripe, made: list[Watch]) -> None:
    store = Store(None, "scope ")
    store.cover("*", T - 70 * 86400, T - 40 * 86400, stripe.now() - 60)
    watch = watching(stripe, made, store=store)
    watch.poll()
    assert not watch.notes


def test_since(stripe: Stripe, made: list[Watch]) -> None:
    stripe.events += [event(f"evt_{n}", "invoice.paid", T + n) for n in range(1, 8)]
    stripe.clock = T + 100
    watch = watching(stripe, made, since=T + 5)
    heard: list[str] = []
    watch.on("*", lambda each: heard.append(each["id"]))
    watch.poll()
    watch.poll()
    assert heard == ["evt_5", "evt_6", "evt_7"]


def test_only_what_was_chosen(stripe: Stripe, made: list[Watch]) -> None:
    watch = watching(stripe, made, choice=event_filter(["customer"], ["invoice.paid"]))
    watch.poll()
    stripe.events += [
        event("evt_1", "invoice.voided", T + 1),
        event("evt_2", "invoice.paid", T + 1),
        event("evt_3", "customer.created", T + 1),
        event("evt_4", "customer.something_new", T + 1),
    ]
    watch.poll()
    assert [each.id for each in watch.stored()] == ["evt_2", "evt_3", "evt_4"]


def test_a_failure_on_the_second_page_loses_nothing(
    stripe: Stripe, made: list[Watch], monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = watching(stripe, made)
    heard: list[str] = []
    watch.on("*", lambda each: heard.append(each["id"]))
    watch.poll()
    stripe.events += [event(f"evt_{n:03}", "invoice.paid", T + 1 + n) for n in range(150)]
    real = stripe.send

    def failing(request: Any, **options: Any) -> Any:
        if "starting_after" in dict(request.params):
            raise StripeUnavailable("gone")
        return real(request, **options)

    monkeypatch.setattr(stripe, "send", failing)
    with pytest.raises(StripeUnavailable):
        watch.poll()
    assert heard == [], "in order or not at all: the older ones are still to come"
    monkeypatch.setattr(stripe, "send", real)
    watch.poll()
    assert heard == [f"evt_{n:03}" for n in range(150)]


def test_a_list_that_makes_no_progress_is_an_error(made: list[Watch]) -> None:
    stripe = Stripe(*(event(f"evt_{n}", "invoice.paid", T) for n in range(5)))
    stripe.most = 0
    with pytest.raises(StripeUnavailable, match="nothing new"):
        watching(stripe, made).poll()


def test_a_handler_that_fails_is_shown_and_the_others_go_on(stripe: Stripe, made: list[Watch]) -> None:
    watch = watching(stripe, made)
    watch.poll()
    heard: list[str] = []

    def broken(each: dict[str, Any]) -> None:
        raise ValueError("with sk_test_51abcdefghijklmnop in it")

    watch.on("invoice.paid", broken)
    watch.on("invoice.*", lambda each: heard.append(each["id"]))
    stripe.events += [event("evt_1", "invoice.paid", T + 1), event("evt_2", "invoice.paid", T + 2)]
    watch.poll()
    assert heard == ["evt_1", "evt_2"]
    assert [each.event for each in watch.problems] == ["evt_1", "evt_2"]
    assert "broken" in str(watch.problems[0])
    assert "abcdef" not in f"{watch.problems[0]} {watch.problems[0].trace} {watch!r} {watch.status()}"
    watch.poll()
    assert len(watch.problems) == 2


def test_stop_in_a_handler_leaves_the_event_to_the_next_pass(stripe: Stripe, made: list[Watch]) -> None:
    watch = watching(stripe, made)
    watch.poll()
    heard: list[str] = []

    def stopped_once(each: dict[str, Any]) -> None:
        heard.append(each["id"])
        if len(heard) == 1:
            raise KeyboardInterrupt

    watch.on("*", stopped_once)
    stripe.events += [event("evt_1", "invoice.paid", T + 1), event("evt_2", "invoice.paid", T + 2)]
    with pytest.raises(KeyboardInterrupt):
        watch.poll()
    watch.poll()
    assert heard == ["evt_1", "evt_1", "evt_2"]


def test_what_comes_by_both_ways_is_handled_once(stripe: Stripe, made: list[Watch]) -> None:
    """B53"""
    watch = watching(stripe, made)
    watch.poll()
    heard: list[str] = []
    watch.on("*", lambda each: heard.append(each["id"]))
    pushed = event("evt_1", "invoice.paid", T + 1)
    assert watch.accept(pushed)
    watch.handle(pushed)
    assert not watch.accept(pushed)
    watch.handle(pushed)
    stripe.events.append(pushed)
    watch.poll()
    assert heard == ["evt_1"]
    assert [each.source for each in watch.stored()] == ["poll", "listen"]


def test_a_common_handler_runs_once_for_two_watches(stripe: Stripe, made: list[Watch]) -> None:
    """B89: it has what happened since its registration, whichever watch reads it first."""
    account = AccountEvents(stripe, "", Store(None, "scope ", now=stripe.now))  # type: ignore[arg-type]
    heard: list[str] = []
    watches = [Watch(account, EventFilter(), name=name) for name in ("watch", "listen")]
    account.register("*", lambda each: heard.append(each["id"]), since=None, name="", condition=None)
    watches[0].poll()
    assert heard == [], "what was before is no news"
    stripe.events.append(event("evt_1", "invoice.paid", T + 1))
    watches[1].poll()
    assert heard == ["evt_1"]
    watches[0].poll()
    assert heard == ["evt_1"]
    stripe.events.append(event("evt_2", "invoice.paid", T + 2))
    for each in watches:
        each.poll()
    assert heard == ["evt_1", "evt_2"]


def test_handlers_get_no_secrets(stripe: Stripe, made: list[Watch]) -> None:
    watch = watching(stripe, made)
    watch.poll()
    heard: list[dict[str, Any]] = []
    watch.on("*", heard.append)
    stripe.events.append(event("evt_1", "payment_intent.created", T + 1, client_secret="pi_1_secret_abcdef"))
    watch.poll()
    assert heard[0]["data"]["object"]["client_secret"] == "(hidden)"


def test_the_thread_polls_pauses_and_stops(stripe: Stripe, made: list[Watch]) -> None:
    watch = watching(stripe, made)
    watch.interval = 0.05
    heard: list[str] = []
    watch.on("*", lambda each: heard.append(each["id"]))
    watch.start()
    assert watch.running
    stripe.events.append(event("evt_1", "invoice.paid", T + 1))
    wait_for(lambda: heard == ["evt_1"])
    watch.pause()
    time.sleep(0.15)
    stripe.events.append(event("evt_2", "invoice.paid", T + 2))
    reads = watch.reads
    time.sleep(0.2)
    assert heard == ["evt_1"]
    assert watch.reads <= reads + 1
    watch.resume()
    wait_for(lambda: heard == ["evt_1", "evt_2"])
    watch.stop()
    assert not watch.running
    assert watch.state == "stopped"


def test_a_watch_ends_by_itself(stripe: Stripe, made: list[Watch]) -> None:
    watch = watching(stripe, made, minutes=0.003)
    watch.interval = 0.05
    watch.start()
    wait_for(lambda: watch.state.startswith("ended after"))
    reads = watch.reads
    time.sleep(0.2)
    assert watch.reads == reads


def test_it_goes_on_after_a_failure_and_says_so(stripe: Stripe, made: list[Watch]) -> None:
    watch = watching(stripe, made)
    watch.interval = 0.02
    watch.start()
    stripe.failing = StripeUnavailable("Stripe answered 503.")
    wait_for(lambda: "couldn't be reached" in watch.state)
    assert "503" in watch.notes[-1]
    stripe.failing = None
    stripe.events.append(event("evt_1", "invoice.paid", T + 1))
    wait_for(lambda: watch.store.has("evt_1"))
    wait_for(lambda: watch.state == "watching")


def test_a_refused_key_ends_it(stripe: Stripe, made: list[Watch]) -> None:
    watch = watching(stripe, made)
    watch.interval = 0.02
    watch.start()
    stripe.failing = AuthenticationFailed("The key has expired.")
    wait_for(lambda: watch.state.startswith("ended"))
    wait_for(lambda: "stripe events watch" not in {each.name for each in threading.enumerate()})


def test_a_closed_connection_ends_it(stripe: Stripe, made: list[Watch]) -> None:
    watch = watching(stripe, made)
    watch.interval = 0.02
    watch.start()
    stripe.secret = None
    wait_for(lambda: watch.state == "ended: the connection was closed")


def test_bounds_of_a_watch(stripe: Stripe, made: list[Watch]) -> None:
    with pytest.raises(UsageFault, match="5 seconds"):
        watching(stripe, made, interval=1)
    for no_pause in ("nan", "inf", "1e9"):
        with pytest.raises(UsageFault, match="seconds"):
            watching(stripe, made, interval=float(no_pause))
    with pytest.raises(UsageFault, match="minutes"):
        watching(stripe, made, minutes=10_000)


def test_nobody_looks(stripe: Stripe, made: list[Watch]) -> None:
    watch = watching(stripe, made)
    assert not watch._unseen(), "no view was ever opened"
    watch.pages_open = 0
    assert watch._unseen()
    watch.on("*", print)
    assert not watch._unseen()


@each_row(
    "names, params",
    [
        ([], ()),
        (["*"], ()),
        (["invoice"], (("type", "invoice.*"),)),
        (["invoice.*"], (("type", "invoice.*"),)),
        (["invoice.paid"], (("type", "invoice.paid"),)),
        (["invoice.paid", "charge.failed"], (("types[]", "invoice.paid"), ("types[]", "charge.failed"))),
        (["invoice", "charge.failed"], ()),
        (["invoice", "charge"], ()),
    ],
)
def test_how_the_list_is_narrowed(names: list[str], params: tuple[tuple[str, str], ...]) -> None:
    assert event_filter(names).params == params


def test_more_than_20_types_are_picked_here() -> None:
    from stripe_magics.catalogue.event_types import EVENT_TYPES

    assert event_filter(types=EVENT_TYPES[:21]).params == ()
    assert len(event_filter(types=EVENT_TYPES[:20]).params) == 20


def test_all_types_for_an_endpoint() -> None:
    assert event_filter().all_types == ("*",)
    assert event_filter(["invoice"], ["invoice.paid", "charge.failed"]).all_types[-1] == "charge.failed"
    assert len(event_filter(["invoice"]).all_types) == len(set(event_filter(["invoice"]).all_types)) > 10


@each_row(
    "name, near",
    [
        ("invoices", "invoice"),
        ("invioce.paid", "invoice.paid"),
        ("nothing", "Unknown event or group of events 'nothing'"),
    ],
)
def test_an_unknown_event(name: str, near: str) -> None:
    with pytest.raises(UnknownName, match=near):
        event_filter([name])


def test_handlers_replace_themselves_when_a_cell_runs_again() -> None:
    handlers = Handlers()

    def define() -> Any:
        def react(each: dict[str, Any]) -> None:
            return None

        handlers.add("invoice.paid", react)
        return react

    define()
    latest = define()
    assert [each.function for each in handlers.of("invoice.paid")] == [latest]
    assert handlers.of("charge.failed") == []
    handlers.add("invoice.paid", lambda each: None)
    handlers.add("invoice.paid", lambda each: None)
    assert len(handlers) == 3
    for _ in range(2):  # a lambda of one place is one, however often its cell runs
        handlers.add("invoice.paid", lambda each: None)
    assert len(handlers) == 4
    assert handlers.remove("invoice.paid", latest) == 1
    assert handlers.remove("invoice.paid") == 3
    with pytest.raises(TypeError, match="can't be called"):
        handlers.add("invoice.paid", "print")  # type: ignore[arg-type]
    with pytest.raises(UnknownName):
        handlers.add("invoices.paid", print)


def wait_for(true: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it didn't happen"
        time.sleep(0.01)
