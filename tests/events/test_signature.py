"""The signature of an event: what is accepted, what is refused, and in which words."""

from __future__ import annotations

import hmac
import json
import time

import pytest
from each_row import each_row
from events.doubles import event
from hypothesis import given
from hypothesis import strategies as st

from stripe_magics.client.secret import Secret
from stripe_magics.errors import BadEvent, BadSignature, KeyRefused, UnsupportedEvent
from stripe_magics.events import signature
from stripe_magics.events.signature import construct, sign, verify

SECRET = Secret("whsec_" + "a" * 32)
OTHER = Secret("whsec_" + "b" * 32)
NOW = 1_700_000_000
BODY = json.dumps(event("evt_1")).encode()


def header(body: bytes = BODY, secret: Secret = SECRET, stamp: int = NOW) -> str:
    return f"t={stamp},v1={sign(body, secret, stamp)}"


@each_row("kind", [bytes, bytearray, bytes.decode], ids=["T55-bytes", "T55-bytearray", "T55-str"])
def test_good(kind: object) -> None:
    assert construct(kind(BODY), header(), SECRET, now=NOW)["id"] == "evt_1"  # type: ignore[operator]


@each_row(
    "text, expected",
    [
        pytest.param("", "f7f9bd47fb987337b5796fdc1fdb9ba221d0d5396814bfcaf9521f43fd8927fd", id="T56-empty"),
        pytest.param(
            '{"obj1":"hello","obj2":"world"}',
            "bebb1a643997f419b315ddba19e6f5411e1ce7f810ba6d3617ce72823092f363",
            id="T56-json",
        ),
        pytest.param(
            "\U0001f600", "837da296d05c4fe31f61d5d7ead035099d9585a5bcde87de952012a78f0b0c43", id="T56-emoji"
        ),
    ],
)
def test_hmac_vectors(text: str, expected: str) -> None:
    assert hmac.new(b"test_secret", text.encode(), "sha256").hexdigest() == expected
    signed = hmac.new(b"test_secret", b"5." + text.encode(), "sha256").hexdigest()
    assert sign(text.encode(), Secret("test_secret"), 5) == signed


@each_row("body", [pytest.param(b'{"id":"evt_vec","object":"event"}', id="T57")])
def test_own_vector(body: bytes) -> None:
    expected = "3a01004bfa828cb2c0cb283bb500b56eb2952b5c0b3f3757feaf6ff43cbfe6e5"
    assert sign(body, Secret("whsec_test_vector_1"), 1_700_000_000) == expected
    verify(body, f"t=1700000000,v1={expected}", Secret("whsec_test_vector_1"), now=1_700_000_000)


@each_row(
    "sent, words",
    [
        pytest.param(None, "isn't signed", id="T58-none"),
        pytest.param("", "isn't signed", id="T58-empty"),
        pytest.param("  ", "isn't signed", id="T58-blank"),
        pytest.param("v1,t=1", "no signature of the scheme v1", id="T58-v1-without-value"),
        pytest.param("t=", "malformed", id="T58-t-without-value"),
        pytest.param("anything at all", "malformed", id="T58-random"),
        pytest.param("t=1,t=2,v1=a", "malformed", id="T58-two-times"),
        pytest.param("t=-5,v1=a", "malformed", id="T58-negative"),
        pytest.param("t=١٢,v1=a", "malformed", id="T58-digits-of-another-script"),
        pytest.param("t=" + "9" * 5000 + ",v1=a", "malformed", id="T58-long"),
        pytest.param(f"t={NOW},v0={sign(BODY, SECRET, NOW)}", "scheme v1", id="T58-v0-only"),
    ],
)
def test_header_that_signs_nothing(sent: str | None, words: str) -> None:
    with pytest.raises(BadSignature, match=words):
        construct(BODY, sent, SECRET, now=NOW)


@each_row("bad", ["0" * 64, "not hex", "ü" * 10])
def test_wrong_signature(bad: str) -> None:
    """T60"""
    with pytest.raises(BadSignature, match="doesn't agree"):
        construct(BODY, f"t={NOW},v1={bad}", SECRET, now=NOW)
    good = sign(BODY, SECRET, NOW)
    for order in ((good, bad), (bad, good)):
        assert construct(BODY, f"t={NOW}," + ",".join(f"v1={each}" for each in order), SECRET, now=NOW)


def test_rolled_secrets() -> None:
    """T61"""
    both = f"t={NOW},v1={sign(BODY, SECRET, NOW)},v1={sign(BODY, OTHER, NOW)}"
    for accepted in (SECRET, OTHER, [OTHER, SECRET]):
        assert construct(BODY, both, accepted, now=NOW)
    assert construct(BODY, header(), [OTHER, SECRET], now=NOW)
    with pytest.raises(BadSignature):
        construct(BODY, header(), [OTHER], now=NOW)


@each_row(
    "age, tolerance, good",
    [
        pytest.param(15, 10, False, id="T62-15-of-10"),
        pytest.param(15, 20, True, id="T62-15-of-20"),
        pytest.param(299, 300, True, id="T62-299"),
        pytest.param(301, 300, False, id="T62-301"),
        pytest.param(-299, 300, True, id="T63-ahead-299"),
        pytest.param(-600, 300, False, id="T63-ahead-600"),
        pytest.param(-366 * 86400, 300, False, id="T63-ahead-a-year"),
    ],
)
def test_age(age: int, tolerance: int, good: bool) -> None:
    if good:
        assert construct(BODY, header(), SECRET, now=NOW + age, tolerance=tolerance)
    else:
        with pytest.raises(BadSignature, match="old" if age > 0 else "future"):
            construct(BODY, header(), SECRET, now=NOW + age, tolerance=tolerance)


def test_age_by_the_clock_of_this_machine() -> None:
    now = int(time.time())
    assert construct(BODY, header(stamp=now), SECRET)
    with pytest.raises(BadSignature):
        construct(BODY, header(stamp=now - 400), SECRET)


@each_row("tolerance", [pytest.param(0, id="T64-zero"), pytest.param(-1, id="T64-negative")])
def test_tolerance_cannot_be_switched_off(tolerance: int) -> None:
    with pytest.raises(ValueError, match="above 0"):
        construct(BODY, header(), SECRET, now=NOW, tolerance=tolerance)


@each_row(
    "secret, words",
    [
        pytest.param(None, "no signing secret", id="T67-none"),
        pytest.param("", "no signing secret", id="T67-empty"),
        pytest.param("  ", "no signing secret", id="T67-blank"),
        pytest.param([], "no signing secret", id="T67-empty-list"),
        pytest.param("whsec_abc\n", "line break", id="T67-newline"),
        pytest.param("sk_test_51abcdefghij", "wrong kind", id="T67-sk"),
        pytest.param("rk_live_51abcdefghij", "wrong kind", id="T67-rk"),
        pytest.param("pk_test_51abcdefghij", "wrong kind", id="T67-pk"),
        pytest.param("we_1abcdefghij", "endpoint's ID", id="T67-we"),
    ],
)
def test_what_is_no_signing_secret(secret: object, words: str) -> None:
    with pytest.raises(KeyRefused, match=words) as caught:
        construct(BODY, header(), secret, now=NOW)  # type: ignore[arg-type]
    assert "abcdefghij" not in str(caught.value)


def test_a_body_written_again() -> None:
    """T68"""
    again = json.dumps(json.loads(BODY), indent=2).encode()
    with pytest.raises(BadSignature, match="exactly as received"):
        construct(again, header(), SECRET, now=NOW)
    with pytest.raises(TypeError, match="raw bytes"):
        construct(json.loads(BODY), header(), SECRET, now=NOW)


@each_row(
    "body",
    [
        pytest.param(b"{", id="T70-cut"),
        pytest.param(b"", id="T70-empty"),
        pytest.param(b"[]", id="T70-list"),
        pytest.param(b"\xff\xfe", id="T70-no-text"),
        pytest.param(b"[" * 100_000, id="T70-deep"),
        pytest.param(
            b'{"object":"event","id":"evt_1","type":"a.b","created":true,"data":{"object":{}}}',
            id="T70-created-true",
        ),
        pytest.param(b'{"object":"charge","id":"ch_1"}', id="T70-other-object"),
    ],
)
def test_signed_but_no_event(body: bytes) -> None:
    with pytest.raises(BadEvent, match="signed, but"):
        construct(body, header(body), SECRET, now=NOW)
    with pytest.raises(BadSignature):  # unsigned, it is not even parsed
        construct(body, header(body, OTHER), SECRET, now=NOW)


@each_row(
    "body",
    [
        pytest.param(
            b'{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter.error","created":"2024-01-01T00:00:00Z"}',
            id="T71-v2",
        ),
        pytest.param(
            b'{"id":"evt_1","object":"event","type":"v1.a.b","related_object":{"url":"/v1/x"}}', id="T71-thin"
        ),
    ],
)
def test_thin_events(body: bytes) -> None:
    with pytest.raises(UnsupportedEvent, match="thin event") as caught:
        construct(body, header(body), SECRET, now=NOW)
    assert caught.value.data["id"] == "evt_1"


def test_comparison_takes_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """T74"""
    seen: list[tuple[bytes, bytes]] = []

    def compare(left: bytes, right: bytes) -> bool:
        seen.append((left, right))
        return left == right

    monkeypatch.setattr(signature.hmac, "compare_digest", compare)
    construct(BODY, f"{header()},v1={'0' * 64}", [OTHER, SECRET], now=NOW)
    assert len(seen) == 4, "every secret is compared with every signature"
    assert all(isinstance(each, bytes) for pair in seen for each in pair)


@given(st.text(max_size=200), st.binary(max_size=200))
def test_nothing_else_is_ever_raised(sent: str, body: bytes) -> None:
    with pytest.raises(BadSignature):
        construct(body, sent, SECRET, now=NOW)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=6), inner),
        max_leaves=8,
    )
)
def test_any_signed_json(data: object) -> None:
    body = json.dumps(data).encode()
    with pytest.raises(BadEvent):
        construct(body, header(body), SECRET, now=NOW)


def test_no_message_has_the_secret() -> None:
    with pytest.raises(BadSignature) as caught:
        construct(BODY, header(secret=OTHER), SECRET, now=NOW)
    assert "aaaa" not in f"{caught.value} {caught.value!r} {caught.value.__dict__}"
