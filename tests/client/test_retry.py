"""When a call is sent again, and after how long: the tables alone, then on real sockets."""

from __future__ import annotations

import ssl
import time
import tracemalloc
import zlib
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import trustme
from each_row import each_row
from fault_server import EXPIRED, HTML, LOCK, OK, RATE, Fault, FaultProxy, FaultServer, error

from client.conftest import KEY, QUICK, create, delete, get, open_connection, pay, policy
from stripe_magics.client.http import exchange
from stripe_magics.client.http.retry import (
    AttemptResult,
    DeliveryStatus,
    Policy,
    RetryReason,
    delay,
    retry_after,
    retry_reason,
)
from stripe_magics.client.sending import request_checks
from stripe_magics.client.shared_connection import Connection
from stripe_magics.errors import (
    AuthenticationFailed,
    CardDeclined,
    InvalidRequest,
    NotConnected,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    StripeError,
    StripeUnavailable,
)

PLAIN = Policy()


def answered(status: int, should: str | None = None, code: str = "") -> AttemptResult:
    headers = {"stripe-should-retry": should} if should is not None else {}
    return AttemptResult(
        reach=DeliveryStatus.ANSWERED, status=status, headers=headers, code=code, from_stripe=True
    )


def test_T01_delays_double_up_to_the_cap() -> None:
    assert [delay(number, PLAIN, jitter=1.0) for number in range(1, 8)] == [0.5, 1, 2, 4, 5, 5, 5]


def test_T02_no_delay_is_under_the_base() -> None:
    assert min(delay(number, PLAIN, jitter=0.0001) for number in range(1, 8)) == 0.5


def test_T03_jitter_spreads_delays_between_half_and_whole() -> None:
    found = {delay(2, PLAIN) for _ in range(100)}
    assert len(found) > 1
    assert all(0.5 <= each <= 1 for each in found)


@each_row("status", [*range(300, 308), *(each for each in range(400, 431) if each not in {409, 429})])
def test_T04_these_statuses_are_not_sent_again(status: int) -> None:
    assert retry_reason(answered(status)) is RetryReason.NEVER


@each_row("status", range(200, 209))
def test_T04_a_good_answer_is_not_sent_again(status: int) -> None:
    assert retry_reason(answered(status)) is RetryReason.NEVER


@each_row("status", [409, 500, 503])
def test_T05_these_are(status: int) -> None:
    assert retry_reason(answered(status)) is RetryReason.GENERAL


@each_row("status", [502, 504, 599])
def test_T06_other_failures_of_servers_too(status: int) -> None:
    assert retry_reason(answered(status)) is RetryReason.GENERAL


@each_row(
    ("status", "should", "again"),
    [
        (400, "true", True),
        (400, "TRUE", True),
        (500, "false", False),
        (409, "False", False),
        (409, "maybe", True),
        (400, "", False),
    ],
)
def test_T07_should_retry_decides_in_any_case_of_letters(status: int, should: str, again: bool) -> None:
    assert (retry_reason(answered(status, should)) is not RetryReason.NEVER) is again


def test_T09_should_retry_never_goes_over_the_limit(server: FaultServer, connection: Connection) -> None:
    server.always = error(400, "invalid_request_error", headers=(("Stripe-Should-Retry", "true"),))
    with pytest.raises(InvalidRequest):
        connection.send(create())
    assert len(server.seen) == 3


def test_T10_no_retries_is_one_attempt(server: FaultServer, tmp_path: Path) -> None:
    server.always = Fault("before", "close")
    opened = open_connection(server.url, tmp_path, policy=policy(retries=0))
    with pytest.raises(OutcomeUnknown):
        opened.send(create())
    assert len(server.seen) == 1
    assert server.seen[0].key  # T32: a key all the same
    opened.close()


@pytest.mark.parametrize("failures", [1, 2])
def test_T11_failures_then_success(server: FaultServer, connection: Connection, failures: int) -> None:
    server.script = [error(500, "api_error")] * failures
    assert connection.send(create(name="a")).data["id"] == "cus_1"
    assert len(server.seen) == failures + 1


def test_T12_always_failing_is_sent_once_and_the_retries(server: FaultServer, connection: Connection) -> None:
    server.always = error(503, "api_error")
    with pytest.raises(OutcomeUnknown):
        connection.send(create())
    with pytest.raises(StripeUnavailable):
        connection.send(get())
    assert len(server.seen) == 6


def test_T13_every_attempt_has_the_same_bytes(server: FaultServer, connection: Connection) -> None:
    server.script = [
        Fault("after", "answer", 500, (("Set-Cookie", "a=b"),), {"error": {"type": "api_error"}}),
        Fault("after", "reset"),
    ]
    connection.send(create(name="é b", **{"metadata[a]": "1"}))
    first, *rest = server.seen
    assert len(rest) == 2
    for each in rest:
        assert (each.body, each.target, each.raw_headers) == (first.body, first.target, first.raw_headers)


def test_T14_an_object_lock_is_waited_for_and_the_rate_limit_is_bounded(
    server: FaultServer, connection: Connection
) -> None:
    server.script = [LOCK, LOCK]
    connection.send(create(name="lock"))
    assert len({each.key for each in server.seen}) == 1
    server.seen.clear()
    server.always = RATE
    with pytest.raises(RateLimited, match=r"3 attempts\). Nothing was changed"):
        connection.send(create(name="rate"))
    assert len(server.seen) == 3
    assert len({each.key for each in server.seen}) == 1
    server.seen.clear()
    with pytest.raises(RateLimited):
        connection.send(get())
    assert len(server.seen) == 4


def test_T16_a_scheme_that_is_no_http_is_not_tried(tmp_path: Path) -> None:
    opened = open_connection("ftp://127.0.0.1", tmp_path)
    slept: list[float] = []
    opened.sleep = slept.append
    with pytest.raises(NotSent, match="Nothing was sent"):
        opened.send(create())
    assert slept == []
    opened.close()


def test_T17_refused_connections_are_tried_again_and_nothing_was_sent(tmp_path: Path) -> None:
    with FaultServer() as gone:
        url = gone.url
    opened = open_connection(url, tmp_path)
    with pytest.raises(NotSent, match="tried 3 times") as caught:
        opened.send(pay())
    assert caught.value.attempts == 3
    assert not caught.value.maybe_executed
    assert opened.pending() == []
    opened.close()


def test_T17_a_name_that_does_not_resolve(tmp_path: Path) -> None:
    opened = open_connection(
        "http://no-such-host.invalid", tmp_path, policy=policy(deadline=5.0, connect=5.0)
    )
    with pytest.raises(NotSent):
        opened.send(pay())
    opened.close()


@pytest.mark.parametrize("how", ["reset", "close", "stall"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_T17_lost_answers_are_asked_for_again(
    server: FaultServer, connection: Connection, when: str, how: str
) -> None:
    server.script = [Fault(when, how, seconds=60)]
    if how == "stall":
        connection.policy = policy(deadline=0.5)
    answer = connection.send(pay())
    assert answer.replayed is (when == "after")
    assert max(server.executions.values()) == 1


def test_T18_a_kept_connection_that_was_closed(server: FaultServer, connection: Connection) -> None:
    connection.send(create(name="one"))
    for each in list(server._sockets):
        each.shutdown(2)
    time.sleep(0.05)
    connection.send(create(name="two"))
    assert sorted(server.executions.values()) == [1, 1]


def test_T20_a_page_with_502_is_tried_again_and_not_repeated_to_the_user(
    server: FaultServer, connection: Connection
) -> None:
    server.always = Fault("before", "html", 502)
    with pytest.raises(StripeUnavailable) as caught:
        connection.send(get())
    assert len(server.seen) == 3
    assert "<" not in str(caught.value)
    assert "sk_live" not in str(caught.value)


@each_row(
    ("value", "seconds"),
    [
        ("1", 1),
        ("0.25", 0.25),
        ("120", 60),
        ("garbage", 0),
        ("-5", 0),
        ("", 0),
        (formatdate(1_000_010, usegmt=True), 10),
        (formatdate(1, usegmt=True), 0),
    ],
)
def test_T21_retry_after(value: str, seconds: float) -> None:
    assert retry_after(value, 1_000_000, PLAIN) == seconds


def test_T21_retry_after_is_waited_for(server: FaultServer, connection: Connection) -> None:
    slept: list[float] = []
    connection.sleep = slept.append
    server.script = [
        Fault("before", "answer", 503, (("Retry-After", "7"),), {"error": {"type": "api_error"}})
    ]
    connection.send(get())
    assert slept == [7]


@pytest.mark.parametrize(
    "how", ["truncate-length", "truncate-chunk", "truncate-close", "bad-gzip", "garbage"]
)
def test_T22_a_cut_answer_is_replayed(server: FaultServer, connection: Connection, how: str) -> None:
    server.script = [Fault("after", how)]
    answer = connection.send(pay())
    assert answer.replayed
    assert answer.data["object"] == "payment_intent"
    assert list(server.executions.values()) == [1]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"5", b"null", b"<html>login</html>", b'{"error": null}', b'"text"', b'{"id": "x"']
)
def test_B11_a_success_without_an_object_is_none(
    server: FaultServer, connection: Connection, body: bytes
) -> None:
    server.script = [Fault("after", "answer", 200, (), body)]
    assert connection.send(pay()).replayed
    assert list(server.executions.values()) == [1]
    server.always = Fault("after", "answer", 200, (), body)
    with pytest.raises(OutcomeUnknown):
        connection.send(pay(description="second"))
    with pytest.raises(StripeUnavailable):
        connection.send(replace(get(), returns="balance"))


WRONG = [
    {"object": "customer", "id": "cus_1"},
    {"object": "payment_intent"},
    {"object": "payment_intent", "id": None},
    {"object": "payment_intent", "id": {"id": "pi_1"}},
    {"id": "pi_1"},
    {"object": "list", "data": []},
    {"error": "some text"},
    {"error": {"message": "no"}, "id": "pi_1"},
]


@pytest.mark.parametrize("body", WRONG, ids=str)
def test_B69_a_success_of_something_else_leaves_a_write_unknown(
    server: FaultServer, connection: Connection, body: dict[str, Any]
) -> None:
    server.script = [Fault("after", "answer", 200, (), body)]
    assert connection.send(pay()).replayed, "asked again under the same key, Stripe gives the right one"
    server.always = Fault("after", "answer", 200, (), body)
    with pytest.raises(OutcomeUnknown):
        connection.send(pay(description="second"))
    assert len(connection.pending()) == 1
    assert set(server.executions.values()) == {1}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "`data` is null"),
        ({}, "`data` is dict"),
        ([1], "rows that aren't objects"),
        (["x"], "rows that"),
    ],
)
def test_B69_a_list_without_rows_is_an_error_that_names_it(
    server: FaultServer, connection: Connection, data: Any, words: str
) -> None:
    listing = replace(get("/v1/customers"), returns="customer", lists=True)
    server.script = [Fault("before", "answer", 200, (), {"object": "list", "data": data, "has_more": False})]
    assert connection.send(listing).rows == []
    server.always = Fault("before", "answer", 200, (), {"object": "list", "data": data, "has_more": False})
    with pytest.raises(StripeUnavailable, match="/v1/customers") as caught:
        connection.send(listing)
    assert words in str(caught.value)


@pytest.mark.parametrize("error", [None, "the report failed", {"code": "x"}])
def test_B71_an_object_may_have_an_error_of_its_own(
    server: FaultServer, connection: Connection, error: Any
) -> None:
    body = {"object": "reporting.report_run", "id": "frr_1", "error": error}
    server.script = [Fault("after", "answer", 200, (), body)]
    request = create("/v1/reporting/report_runs", module="reporting.report_runs.create")
    assert connection.send(request).data["error"] == error
    assert connection.pending() == []


def packed(*layers: str, size: int = 200_000_000) -> bytes:
    data = b""
    for number, layer in enumerate(reversed(layers)):
        pack = zlib.compressobj(9, zlib.DEFLATED, 31 if layer == "gzip" else 15)
        if not number:
            block = b" " * 1_000_000
            data = b"".join(pack.compress(block) for _ in range(size // len(block))) + pack.flush()
        else:
            data = pack.compress(data) + pack.flush()
    return data


@pytest.mark.parametrize("layers", [("gzip",), ("deflate",), ("gzip", "gzip"), ("deflate", "gzip")])
def test_B79_a_bomb_is_never_unpacked(
    server: FaultServer, connection: Connection, layers: tuple[str, ...]
) -> None:
    headers = (("Content-Encoding", ", ".join(layers)), ("Content-Type", "application/json"))
    server.always = Fault("before", "answer", 200, headers, packed(*layers))
    tracemalloc.start()
    with pytest.raises(StripeUnavailable):
        connection.send(get())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"object":"x","d":' + b"[" * 50_000])
def test_B79_depth_is_no_crash(server: FaultServer, connection: Connection, body: bytes) -> None:
    server.always = Fault("before", "answer", 200, (), body)
    with pytest.raises(StripeUnavailable):
        connection.send(get())


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("socks5://proxy.example:1080", "SOCKS proxy"),
        ("http://", "can't be read"),
        ("http://[::1", "can't be read"),
        ("http://proxy.example:99999", "can't be read"),
        ("ftp://proxy.example", "can't be read"),
        ("http://me:s3cret@proxy.example:port", "can't be read"),
    ],
)
def test_B78_a_proxy_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, proxy: str, words: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    opened = open_connection("https://api.stripe.com", tmp_path)
    with pytest.raises(NotConnected, match=words) as caught:
        opened.send(get())
    assert "s3cret" not in str(caught.value)
    opened.close()


def test_B60_a_login_page_with_status_200(server: FaultServer, connection: Connection) -> None:
    server.always = Fault("after", "html", 200)
    with pytest.raises(OutcomeUnknown) as caught:
        connection.send(pay())
    assert "declined" not in str(caught.value).lower()


@pytest.mark.parametrize("how", ["drip", "drip-head"])
def test_B09_the_deadline_is_that_of_the_whole_attempt(
    server: FaultServer, connection: Connection, how: str
) -> None:
    server.always = Fault("after", how)
    connection.policy = policy(deadline=0.3)
    with pytest.raises(OutcomeUnknown):
        connection.send(pay())
    assert server.written_out == 0  # some seconds of bytes, each of them well within the time between two
    assert max(server.executions.values()) == 1


def test_B09_an_answer_that_is_too_long(server: FaultServer, connection: Connection) -> None:
    server.always = Fault("after", "huge")
    with pytest.raises(OutcomeUnknown, match="longer"):
        connection.send(pay())
    assert len(server.seen) == 1


def test_T25_a_stalled_body_is_a_timeout(server: FaultServer, connection: Connection) -> None:
    server.always = Fault("before", "stall-body", seconds=60)
    connection.policy = policy(deadline=0.3)
    with pytest.raises(StripeUnavailable, match="in time"):
        connection.send(get())


def test_T26_stop_during_an_attempt_is_the_end(
    server: FaultServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(exchange, "_exchange", stop)
    with pytest.raises(KeyboardInterrupt):
        connection.send(get())
    assert server.seen == []


def test_T27_stop_during_a_delay(server: FaultServer, connection: Connection) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    connection.sleep = stop
    server.always = RATE
    with pytest.raises(KeyboardInterrupt, match="Nothing was done") as caught:
        connection.send(pay())
    assert not isinstance(caught.value, OutcomeUnknown)
    assert len(server.seen) == 1
    assert connection.pending() == []
    server.always = Fault("after", "reset")
    with pytest.raises(OutcomeUnknown) as unknown:
        connection.send(pay(description="lost"))
    assert isinstance(unknown.value, KeyboardInterrupt)
    assert len(connection.pending()) == 1


@pytest.mark.parametrize("status", [302, 307, 308])
def test_T28_redirects_are_not_followed(server: FaultServer, connection: Connection, status: int) -> None:
    with FaultServer() as other:
        server.always = Fault(
            "before",
            "answer",
            status,
            (("Location", f"{other.url}/v1/customers"), ("Content-Type", "text/html")),
            b"",
        )
        with pytest.raises(StripeError, match=r"redirect .* to 127\.0\.0\.1"):
            connection.send(get())
        with pytest.raises(OutcomeUnknown):
            connection.send(pay())
        assert other.seen == []
        assert len(server.seen) == 2


def test_B02_an_untrusted_certificate_is_not_tried_again(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    slept: list[float] = []
    with FaultServer(tls=context) as secure:
        opened = open_connection(
            secure.url, tmp_path, sleep=slept.append, policy=policy(deadline=3.0, connect=3.0)
        )
        with pytest.raises(NotSent, match="certificate") as caught:
            opened.send(pay())
        assert "certificates certifi" in str(caught.value)
        assert "proxy none" in str(caught.value)
        opened.close()
        assert secure.seen == []
        assert slept == []


def test_B34_an_own_authority_is_trusted_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    bundle = tmp_path / "own.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with FaultServer(tls=context) as secure:
        opened = open_connection(secure.url, tmp_path, policy=policy(deadline=3.0, connect=3.0))
        assert opened.send(create(name="a")).data["id"] == "cus_1"
        assert opened.status()["certificates"] == str(bundle)
        opened.close()


def test_B34_the_key_log_is_not_written_in_live_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    context, _, warning = request_checks.ssl_context("live")
    assert context.keylog_filename is None
    assert "not used" in warning
    context, _, warning = request_checks.ssl_context("test")
    assert context.keylog_filename == str(tmp_path / "keys")
    assert "can read" in warning


def _through(proxy: FaultProxy, base: str, folder: Path, bundle: Path | None = None) -> Connection:
    context = ssl.create_default_context(cafile=str(bundle) if bundle else None)
    made = exchange.transport(context, f"http://user:pass-word@127.0.0.1:{proxy.port}")
    return open_connection(base, folder, transport=made, policy=policy(deadline=3.0, connect=3.0))


@pytest.mark.parametrize("status", [407, 403])
def test_B33_a_proxy_that_refuses(tmp_path: Path, status: int) -> None:
    with FaultProxy(refuse=status) as proxy:
        opened = _through(proxy, "https://localhost:1", tmp_path)
        with pytest.raises(NotSent, match="proxy refused") as caught:
            opened.send(pay())
        assert len(proxy.heads) == 1
        assert KEY not in proxy.heads[0]
        assert "pass-word" not in str(caught.value)
        opened.close()


def test_B33_a_proxy_that_tunnels_sees_no_key(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    bundle = tmp_path / "own.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with FaultServer(tls=context) as secure, FaultProxy() as proxy:
        opened = _through(proxy, secure.url, tmp_path, bundle)
        assert opened.send(create(name="a")).data["id"] == "cus_1"
        assert len(proxy.heads) == 1
        assert KEY not in "".join(proxy.heads)
        opened.close()


def test_B33_proxies_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:s3cret@proxy.example:3128")
    assert request_checks.proxy_for("https://api.stripe.com") == (
        "http://me:s3cret@proxy.example:3128",
        "proxy.example:3128",
    )
    monkeypatch.setenv("NO_PROXY", "api.stripe.com")
    assert request_checks.proxy_for("https://api.stripe.com") == ("", "")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example")
    # a key never goes to an http base through a proxy
    assert request_checks.proxy_for("http://127.0.0.1:8000") == ("", "")


def test_B05_a_body_that_could_not_be_sent_whole(
    server: FaultServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx

    real, tries = exchange._exchange, []

    def breaks(*given: object, **more: object) -> object:
        tries.append(1)
        if len(tries) == 1:
            raise httpx.WriteError("broken pipe")
        return real(*given, **more)

    monkeypatch.setattr(exchange, "_exchange", breaks)
    answer = connection.send(pay())
    assert (answer.attempts, len(server.seen)) == (2, 1)
    monkeypatch.setattr(
        exchange, "_exchange", lambda *_, **__: (_ for _ in ()).throw(httpx.WriteTimeout("slow"))
    )
    with pytest.raises(OutcomeUnknown):
        connection.send(pay(description="b"))


@pytest.mark.parametrize("problem", ["PoolTimeout", "ConnectTimeout"])
def test_B04_no_free_connection_means_nothing_was_sent(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, problem: str
) -> None:
    import httpx

    tries: list[int] = []

    def full(*_: object, **__: object) -> object:
        tries.append(1)
        raise getattr(httpx, problem)("full")

    monkeypatch.setattr(exchange, "_exchange", full)
    with pytest.raises(NotSent):
        connection.send(pay())
    assert len(tries) == 3


def test_B21_a_deletion_that_went_through_although_its_answer_was_lost(
    server: FaultServer, connection: Connection
) -> None:
    with pytest.raises(InvalidRequest):  # without a lost answer, a missing object is an error
        connection.send(delete("/v1/customers/cus_none"))
    made = connection.send(create(name="a")).data["id"]
    server.script = [Fault("after", "reset")]
    answer = connection.send(delete(f"/v1/customers/{made}"))
    assert answer.data["deleted"] is True
    assert "already gone" in answer.notices[0]
    assert not server.seen[-1].key  # a deletion needs none


def test_B24_a_failure_outside_of_stripe_is_not_tried_again(
    server: FaultServer, connection: Connection
) -> None:
    server.always = error(424, "api_error")
    with pytest.raises(OutcomeUnknown):
        connection.send(pay())
    assert len(server.seen) == 1
    server.always = None
    server.script = [error(424, "api_error", headers=(("Stripe-Should-Retry", "true"),))]
    connection.send(pay(description="b"))


@pytest.mark.parametrize(
    "later",
    [
        RATE,
        EXPIRED,
        error(403, "invalid_request_error"),
        error(409, "invalid_request_error"),
        LOCK,
        Fault("before", "html", 403),
    ],
)
def test_H1_a_later_answer_never_hides_a_lost_one(
    server: FaultServer, connection: Connection, later: Fault
) -> None:
    server.script = [Fault("after", "reset"), *[later] * 6]
    with pytest.raises(OutcomeUnknown) as caught:
        connection.send(pay())
    assert caught.value.maybe_executed
    assert "Nothing was" not in str(caught.value)
    assert connection.pending()[0].key == server.seen[0].key
    server.script = []
    assert connection.resume(caught.value.operation).replayed
    assert list(server.executions.values()) == [1]


def test_B14_a_refusal_after_a_lost_answer_settles_it(server: FaultServer, connection: Connection) -> None:
    server.script = [Fault("before", "reset")]
    with pytest.raises(InvalidRequest, match="confirms"):
        connection.send(create(invalid="name"))
    assert connection.pending() == []


def test_B16_the_old_rate_limit(server: FaultServer, connection: Connection) -> None:
    server.always = error(400, "invalid_request_error", "rate_limit")
    with pytest.raises(RateLimited):
        connection.send(get())
    assert len(server.seen) == 4


def test_B17_an_expired_key_is_tried_once(server: FaultServer, connection: Connection) -> None:
    server.always = EXPIRED
    with pytest.raises(AuthenticationFailed, match="expired or was rolled") as caught:
        connection.send(pay())
    assert caught.value.code == "api_key_expired"
    assert len(server.seen) == 1


def test_B18_a_decline_is_tried_once_and_the_next_try_has_a_new_key(
    server: FaultServer, connection: Connection
) -> None:
    for _ in range(2):
        with pytest.raises(CardDeclined):
            connection.send(pay(decline="insufficient_funds"))
    assert len(server.seen) == 2
    assert server.seen[0].key != server.seen[1].key


@pytest.mark.parametrize("status", [400, 403, 404, 418, 451])
def test_B32_a_page_of_a_proxy_is_no_answer_of_stripes(
    server: FaultServer, connection: Connection, status: int
) -> None:
    server.always = Fault("before", "html", status)
    with pytest.raises(StripeError, match="proxy or firewall") as caught:
        connection.send(get())
    assert len(str(caught.value)) < 500
    with pytest.raises(OutcomeUnknown):  # whether it let the write through can't be known
        connection.send(pay())
    assert len(server.seen) == 2
    assert HTML not in str(caught.value)


def test_B03_what_cannot_be_sent_is_an_error_before(connection: Connection, server: FaultServer) -> None:
    from dataclasses import replace

    with pytest.raises(InvalidRequest, match="line break"):
        connection.send(replace(create(), headers=(("Stripe-Account", "acct_1\r\nX-Evil: 1"),)))
    assert server.seen == []
    assert OK not in server.script
    assert QUICK.retries == 2


def test_B26_a_rate_limit_slows_what_follows(server: FaultServer, tmp_path: Path) -> None:
    from stripe_magics.client.rate_limiter import limiter_for

    opened = open_connection(server.url, tmp_path, rate=None)
    before = limiter_for(opened).pace("/v1/balance")
    assert 20 < before <= 25
    server.script = [
        error(429, "x", "rate_limit", headers=(("Stripe-Rate-Limited-Reason", "endpoint-rate"),))
    ]
    opened.send(get())
    assert limiter_for(opened).pace("/v1/balance") < before
    assert limiter_for(opened).pace("/v1/customers") == before
    opened.close()
