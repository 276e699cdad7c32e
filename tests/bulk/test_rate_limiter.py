"""The limiter: spacing, bursts, which bucket a refusal slows, and how the pace comes back."""

from __future__ import annotations

import math
from contextlib import ExitStack

import pytest
from each_row import each_row

from stripe_magics.client import rate_limiter
from stripe_magics.client.rate_limiter import Bucket, Limiter, endpoint


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def limiter(total: float = 100.0, each: float = 25.0) -> tuple[Limiter, Clock]:
    clock = Clock()
    return Limiter(total=total, endpoint=each, clock=clock), clock


def sent_in(
    limits: Limiter, clock: Clock, seconds: float, path: str = "/v1/charges", account: str = ""
) -> int:
    """How many requests a caller that waits as long as it must sends."""
    end, count = clock.now + seconds, 0
    while True:
        wait = limits.take(path, account)
        if clock.now + wait >= end:
            return count
        clock.now += wait
        count += wait == 0


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = Bucket(rate=10.0, burst=3.0)
    sent = []
    now = 0.0
    while len(sent) < 5:
        wait = bucket.wait(now)
        if wait == 0.0:
            bucket.use(now)
            sent.append(now)
        now += wait
    assert sent == pytest.approx([0, 0, 0, 0.1, 0.2])
    assert bucket.wait(10.0) == 0


def test_who_was_held_up_does_not_go_in_a_crowd() -> None:
    """However late the callers ask, no second and its burst see more than the rate and the burst."""
    bucket = Bucket(rate=100.0, burst=10.0)
    sent: list[float] = []
    for late in (0.0, 0.5, 1.0):  # half a second without a breath in between
        now = late
        while bucket.wait(now) == 0.0:
            bucket.use(now)
            sent.append(now)
    assert len(sent) <= 30
    assert all(8 <= sent.count(at) <= 10 for at in (0.0, 0.5, 1.0))


def test_a_known_rate_is_kept_where_a_busy_machine_holds_requests_up() -> None:
    """Those of a tenth of a second arrive together with a burst: a server that lets a fifth of a second's
    pass at once refuses none."""
    limits, clock = limiter(total=100.0, each=100.0)
    arrived: list[float] = []
    for second in range(3):
        clock.now = second + 0.3  # nothing was asked for: a burst may go
        held_until = clock.now + 0.1
        while clock.now < second + 1:
            if (wait := limits.take("/v1/charges")) == 0.0:
                arrived.append(max(clock.now, held_until))
            clock.now += wait
    left, at = 20.0, 0.0
    for now in arrived:
        left, at = min(20.0, left + (now - at) * 100.0) - 1.0, now
        assert left >= 0.0, now
    assert len(arrived) >= 200


def test_an_endpoint_and_the_total() -> None:
    limits, clock = limiter()
    assert 245 <= sent_in(limits, clock, 10.0) <= 255
    limits, clock = limiter(total=30.0)
    end = dict.fromkeys(("/v1/charges", "/v1/refunds", "/v1/customers"), 0)
    while clock.now < 10:
        for path in end:
            while (wait := limits.take(path)) > 0:
                clock.now += wait
            end[path] += 1
    assert sum(end.values()) <= 310


def test_ids_are_one_endpoint() -> None:
    assert (
        endpoint("/v1/customers/cus_123/sources")
        == endpoint("/v1/customers/cus_9A/sources")
        == "/v1/customers/*/sources"
    )
    assert endpoint("/v1/payment_intents") == "/v1/payment_intents"
    assert endpoint("/v1/checkout/sessions/cs_test_a1B2") == "/v1/checkout/sessions/*"


@each_row(
    ("reason", "slowed"),
    [
        ("endpoint-rate", "endpoint"),
        ("", "endpoint"),
        ("global-rate", "total"),
        ("global-concurrency", "slots"),
        ("resource-specific", ""),
    ],
)
def test_a_refusal_slows_what_its_reason_names(reason: str, slowed: str) -> None:
    limits, clock = limiter()
    limits.refused("/v1/charges", "", reason)
    clock.now += rate_limiter.SLOWDOWN_INTERVAL  # for so long it lets little pass
    limits.take("/v1/charges")
    other = limits.pace("/v1/refunds")
    assert (limits.pace("/v1/charges") < 24) == (slowed == "endpoint")
    assert (limits._bucket(("",), 0).factor < 1) == (slowed == "total")
    assert (limits.slots < 1) == (slowed == "slots")
    assert other >= 24


def test_many_refusals_at_once_are_one_step_and_the_pace_comes_back() -> None:
    limits, clock = limiter()
    for _ in range(20):
        limits.refused("/v1/charges", "", "endpoint-rate")
    slow = limits.pace("/v1/charges")
    assert slow == pytest.approx(25 * rate_limiter.SAFETY_FACTOR * rate_limiter.FIRST_PAUSE)
    for _ in range(30):
        clock.now += 0.6
        limits.take("/v1/charges")
    assert limits.pace("/v1/charges") == pytest.approx(25 * rate_limiter.SAFETY_FACTOR)


@each_row(
    ("served", "refused", "left"),
    [
        (10, 30, 0.25),
        (30, 10, 0.75),
        (1, 1, rate_limiter.SLOWDOWN_FACTOR),
        (0, 40, 0.15 / rate_limiter.UNDER_SERVED),
    ],
)
def test_after_a_refusal_it_goes_on_just_under_what_was_served(
    served: int, refused: int, left: float
) -> None:
    limits, clock = limiter(total=1000.0, each=100.0)
    limits.refused("/v1/charges", "", "endpoint-rate")
    for _ in range(served):
        limits.served("/v1/charges", "")
    for _ in range(refused - 1):
        limits.refused("/v1/charges", "", "endpoint-rate")
    clock.now += rate_limiter.SLOWDOWN_INTERVAL + 0.01
    limits.take("/v1/charges")
    usual = 100 * rate_limiter.SAFETY_FACTOR
    assert limits.pace("/v1/charges") == pytest.approx(usual * left * rate_limiter.UNDER_SERVED)


def test_what_is_refused_on_the_way_back_leads_to_the_pace_that_held() -> None:
    limits, clock = limiter(total=1000.0, each=100.0)

    def refused(times: int) -> float:
        """The pace after so many refusals and the pause."""
        for _ in range(times):
            limits.refused("/v1/charges", "", "endpoint-rate")
        clock.now += rate_limiter.SLOWDOWN_INTERVAL + 0.01
        limits.take("/v1/charges")
        return limits.pace("/v1/charges")

    held = refused(15)
    while limits.pace("/v1/charges") < 1.3 * held:
        clock.now += 0.1
        limits.take("/v1/charges")
    limits.refused("/v1/charges", "", "endpoint-rate")  # one, just after a step
    assert limits.pace("/v1/charges") < held
    assert refused(5) == pytest.approx(held)
    clock.now += rate_limiter.SLOWDOWN_INTERVAL + 0.01
    assert refused(5) < 0.9 * held  # it doesn't hold any more


def test_the_pause_after_a_refusal_is_short_however_low_the_rate() -> None:
    limits, clock = limiter(total=1.0, each=1.0)
    assert limits.take("/v1/charges") == 0
    clock.now += 1.1
    limits.refused("/v1/charges", "", "endpoint-rate")
    assert limits.take("/v1/charges") == 0
    assert limits.take("/v1/charges") <= 1.1


def test_accounts_have_their_own_endpoint_rates() -> None:
    limits, clock = limiter(total=1000.0)
    assert sum(sent_in(limits, Clock(), 0.0001, account=f"acct_{n}") for n in range(10)) >= 10
    limits.refused("/v1/charges", "acct_1", "endpoint-rate")
    assert limits.pace("/v1/charges", "acct_2") > limits.pace("/v1/charges", "acct_1")


def test_without_a_rate_nothing_waits() -> None:
    limits, _ = limiter(math.inf, math.inf)
    assert all(limits.take("/v1/charges") == 0 for _ in range(1000))


def test_lists_that_are_read_side_by_side_share_the_pace() -> None:
    limits = Limiter(total=100, endpoint=25)
    with limits.reading("/v1/charges"), limits.reading("/v1/refunds"):
        assert limits.pace("/v1/charges") == pytest.approx(25 * rate_limiter.SAFETY_FACTOR)
        with limits.reading("/v1/charges"):
            assert limits.pace("/v1/charges") == pytest.approx(12.5 * rate_limiter.SAFETY_FACTOR)
    with ExitStack() as stack:
        for number in range(16):
            stack.enter_context(limits.reading("/v1/charges", f"acct_{number}"))
        assert limits.pace("/v1/charges", "acct_1") == pytest.approx(100 / 16 * rate_limiter.SAFETY_FACTOR)
    assert limits.pace("/v1/charges", "acct_1") == pytest.approx(25 * rate_limiter.SAFETY_FACTOR)
