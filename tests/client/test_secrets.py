"""A key is never seen: however it is looked at, logged, saved or steered; and live mode asks first."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import re
import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from each_row import each_row
from fault_server import Fault, FaultServer, error

import stripe_magics
from client.conftest import KEY, Time, create, delete, get, open_connection, pay, policy
from stripe_magics import _redaction
from stripe_magics.catalogue.module import Effect
from stripe_magics.client import credentials, live_mode
from stripe_magics.client.http import logging_filter
from stripe_magics.client.http.auth import KeyAuth
from stripe_magics.client.journal.journal import Origin
from stripe_magics.client.secret import Secret, classify, mask
from stripe_magics.client.sending import request_checks
from stripe_magics.client.shared_connection import Connection, close, connect, current, shared
from stripe_magics.errors import ConfirmationNeeded, InvalidRequest, KeyRefused, NotConnected, StripeError
from stripe_magics.request import Request

LIVE = "sk_live_51CanaryCanaryCanaryCanaryCanaryCanaryCanary0002"


# --- keys ---------------------------------------------------------------------------------------------------
@each_row(
    ("key", "mode"),
    [
        ("sk_test_4eC39HqLyjWDarjtT1zdp7dc", "test"),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "live"),
        ("rk_test_4eC39HqLyjWDarjtT1zdp7dc", "test"),
        ("rk_live_4eC39HqLyjWDarjtT1zdp7dc", "live"),
        ("sk_org_live_4eC39HqLyjWDarjtT1zdp7dc", "unknown"),
        ("rkcs_test_4eC39HqLyjWDarjtT1zdp7dc", "test"),
    ],
)
def test_T108_keys_that_can_be_used(key: str, mode: str) -> None:
    assert classify(key).mode == mode


@each_row(
    ("key", "reason"),
    [
        ("pk_test_4eC39HqLyjWDarjtT1zdp7dc", "publishable"),
        ("whsec_4eC39HqLyjWDarjtT1zdp7dc", "webhook"),
        ("ek_test_4eC39HqLyjWDarjtT1zdp7dc", "ephemeral"),
        ("oak_4eC39HqLyjWDarjtT1zdp7dc", "CLI"),
        ("sk_test_", "too short"),
        ("sk_test", "not a Stripe key"),
        ("sk_4eC39HqLyjWDarjtT1zdp7dc", "not a Stripe key"),
        ("4eC39HqLyjWDarjtT1zdp7dc", "not a Stripe key"),
        (" sk_test_4eC39HqLyjWDarjtT1zdp7dc", "around"),
        ("sk_test_4eC39HqLyjWDarjtT1zdp7dc\n", "around"),
        ("sk_test_4eC39 HqLyjWDarjtT1zdp7dc", "inside"),
        ("sk_test_*************p7dc", "masked"),
        ("sk_test_4eC39HqLyjWDärjtT1zdp7dc", "characters"),
        ("", "empty"),
    ],
)
def test_T108_keys_that_cannot_say_why(key: str, reason: str) -> None:
    with pytest.raises(KeyRefused, match=reason) as caught:
        classify(key)
    assert "4eC39" not in str(caught.value)


def _looks(thing: Any) -> list[str]:
    """Every way to look at an object that gives text."""
    found = [repr(thing), str(thing), f"{thing}", f"{thing!r:>80}"]
    found += [
        repr(getattr(thing, "__dict__", "")),
        repr([getattr(thing, name, None) for name in getattr(type(thing), "__slots__", ())]),
    ]
    found += [
        repr(
            {
                name: getattr(thing, name)
                for name in dir(thing)
                if not name.startswith("_") and not callable(getattr(thing, name))
            }
        )
    ]
    for way in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, lambda it: json.dumps(it, default=vars)):
        try:
            found.append(repr(way(thing)))
        except (TypeError, AttributeError, pickle.PicklingError) as refused:
            found.append(str(refused))
    return found


def test_T109_nothing_that_holds_the_key_shows_it(server: FaultServer, connection: Connection) -> None:
    secret = connection.secret
    assert secret is not None
    server.script = [Fault("after", "reset")] * 3
    with pytest.raises(StripeError) as caught:
        connection.send(pay())
    things = [
        secret,
        connection.auth,
        connection,
        connection.http(),
        caught.value,
        connection.pending()[0],
        connection.notices,
        connection.guard,
    ]
    for thing in things:
        for text in _looks(thing):
            assert KEY not in text, thing
            assert KEY[12:40] not in text, thing
    for thing in (secret, connection.auth, connection, connection.journal):
        for way in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError):
                way(thing)


def test_T109_a_secret_in_text_is_its_hint() -> None:
    secret = Secret(KEY)
    assert f"{secret}" == f"{secret:s}" == str(secret) == "sk_test_...0001"
    assert repr(secret) == "<Secret sk_test_...0001>"
    assert mask("short") == "..."
    assert mask("whsec_abcdefghijklmnop") == "whsec_...mnop"
    assert secret == Secret(KEY)
    assert secret != Secret(KEY + "x")
    with pytest.raises(TypeError):
        len(secret)


def test_T110_no_frame_of_an_error_holds_a_request_of_httpx(
    server: FaultServer, connection: Connection
) -> None:
    for fault in (
        Fault("after", "reset"),
        error(401, "x"),
        Fault("before", "html", 403),
        Fault("before", "stall", seconds=60),
    ):
        server.script = [fault] * 4
        connection.policy = policy(deadline=0.3 if fault.how == "stall" else 20.0)
        with pytest.raises(StripeError) as caught:
            connection.send(get())
        trace = caught.value.__traceback__
        while trace is not None:
            for value in trace.tb_frame.f_locals.values():
                assert not isinstance(value, httpx.Request | httpx.Response | httpx.Headers)
            trace = trace.tb_next
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None


def test_T112_logs_say_nothing_of_keys_values_and_bodies(server: FaultServer, connection: Connection) -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    server.script = [Fault("before", "answer", 200, (), {"object": "search_result", "data": []})]
    try:
        connection.send(get("/v1/customers/search", query="email:'jenny@example.com'"))
        made = connection.send(create(name="Jenny Rosen", email="jenny@example.com")).data["id"]
        connection.send(get(f"/v1/customers/{made}"))
        server.script = [
            error(402, "card_error", "card_declined", message="Your card was declined for Jenny")
        ]
        with pytest.raises(StripeError):
            connection.send(pay())
        with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as others:
            others.get("https://example.org/not-ours")
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    text = out.getvalue()
    assert "POST /v1/customers -> 200 req_" in text
    assert "GET /v1/customers/{id} -> 200" in text
    for secret in (KEY, KEY[-12:], "jenny", "Jenny", "Bearer", "declined"):
        assert secret not in text
    assert "example.org/not-ours" in text  # others' logs stay as they are


@pytest.mark.parametrize(
    "secret",
    [
        "sk_live_0123456789abcdefABCDEF",
        "sk_test_****************4f2a",
        "rk_live_51abcdefghijkl",
        "pk_test_abcdefghijkl",
        "whsec_abcdefghijkl",
        "ek_test_abcdefghijkl",
        "pi_123_secret_abcdefghijkl",
        "seti_1Abc_secret_abcdefghijkl",
    ],
)
def test_T113_messages_are_redacted(server: FaultServer, connection: Connection, secret: str) -> None:
    answers = [
        error(
            400,
            "invalid_request_error",
            message=f"Bad key {secret}.",
            param=secret,
            doc_url=f"https://x/{secret}",
        ),
        Fault("before", "answer", 403, (("Content-Type", "text/html"),), f"<html>{secret}</html>"),
        error(
            402,
            "card_error",
            "card_declined",
            message=secret,
            charge=secret,
            payment_intent={"id": "pi_1", "client_secret": secret},
        ),
        error(401, "invalid_request_error", message=secret),
        Fault(
            "before", "answer", 400, (("Stripe-Notice", secret),), {"error": {"type": "x", "message": secret}}
        ),
    ]
    for answer in answers:
        server.always = answer  # to a second attempt, too: a busy machine may take longer than an attempt may
        with pytest.raises(StripeError) as caught:
            connection.send(get())
        tail = secret.rpartition("_")[2]
        for text in (
            str(caught.value),
            repr(caught.value),
            caught.value._repr_html_(),
            repr(caught.value.details),
            repr(pickle.dumps(caught.value)),
        ):
            assert tail not in text


def test_secrets_in_objects_are_hidden() -> None:
    data = {
        "object": "payment_intent",
        "client_secret": "pi_1_secret_abc",
        "latest_charge": {"object": "charge", "payment_method_details": {"card": {"last4": "4242"}}},
        "list": [
            {"object": "webhook_endpoint", "secret": "whsec_abcdefghijkl"},
            {"object": "account_link", "url": "https://connect/x"},
        ],
        "note": "use sk_live_0123456789abcdef",
        "invoice": {"object": "invoice", "number": "A-1"},
        "card": {"object": "issuing.card", "number": "4242", "cvc": "123"},
    }
    shown = json.dumps(_redaction.hide(data))
    for secret in ("_secret_abc", "whsec", "connect/x", "sk_live", '"123"'):
        assert secret not in shown
    assert '"A-1"' in shown
    assert "4242" in shown  # the last four


# --- hosts, paths, headers ----------------------------------------------------------------------------------
@each_row(
    "base",
    [
        "https://api.stripe.com@evil.example",
        "https://api.stripe.com.evil.example",
        "https://evil.example",
        "http://api.stripe.com",
        "http://127.0.0.1.evil.example",
        "https://api.stripe.com/v1/..",
        "https://api.stripe.com?x=1",
        "https://api.stripe.com#x",
        "https://user:pw@api.stripe.com",
        "https://api.stripe.com:8443",
        "ftp://127.0.0.1",
        "https://",
        "api.stripe.com",
        "https://api.stripe.com\\@evil.example",
        "https://[::1",
    ],
)
def test_T114_a_key_goes_to_stripe_only(base: str) -> None:
    with pytest.raises(NotConnected):
        request_checks.check_base(base, "test")


@each_row(
    "base",
    [
        "",
        "https://api.stripe.com/",
        "https://API.stripe.com",
        "http://127.0.0.1:12111",
        "http://[::1]:1",
        "http://localhost:1",
        "https://localhost:1",
    ],
)
def test_T114_or_to_this_machine(base: str) -> None:
    assert request_checks.check_base(base, "test").startswith("http")


def test_T114_but_a_live_key_never_to_this_machine() -> None:
    for mode in ("live", "unknown"):
        with pytest.raises(NotConnected, match="Only a test key"):
            request_checks.check_base("http://127.0.0.1:1", mode)
        assert request_checks.check_base("", mode) == request_checks.API


@pytest.mark.parametrize(
    "path",
    [
        "/v1/customers/",
        "/v1/customers/.",
        "/v1/customers/..",
        "/v1/customers/%2e%2e/x",
        "/v1/customers/a%2Fb",
        "/v1//customers",
        "/v1/customers?x=1",
        "/v1/customers#x",
        "/v1/customers/a\\b",
        "/v1/customers/a b",
        "/v1/customers/é",
        "/v1/customers/\r\nHost: x",
        "@evil.example/v1/x",
        ".evil.example/v1",
        "//evil.example/v1/x",
        "https://evil.example/v1/x",
        "/v3/customers",
        "/v1",
        "",
        "/v1/customers/%00",
        "/v1/customers/%",
    ],
)
def test_T92_a_path_reaches_what_it_names_or_nothing(
    server: FaultServer, connection: Connection, path: str
) -> None:
    with pytest.raises(InvalidRequest, match="Nothing was sent"):
        connection.send(get(path))
    assert server.seen == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/customers/cus_1",
        "/v1/coupons/25%25OFF",
        "/v1/coupons/a%20b",
        "/v1/plans/gold-plan.v1~2",
        "/v1/x/a@b.c",
        "/v1/x/a+b:c",
    ],
)
def test_T92_ids_of_the_users_own(server: FaultServer, connection: Connection, path: str) -> None:
    server.always = Fault("before", "answer", 200, (), {"id": "x", "object": "y"})
    if "%25" in path:
        with pytest.raises(InvalidRequest):
            connection.send(get(path))
        return
    connection.send(get(path))
    assert server.seen[0].target == path


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Stripe-Account", "acct_1\r\nX: 1"),
        ("Stripe-Account", "acct_é"),
        ("Stripe-Account", ""),
        ("Stripe-Version", "x" * 256),
        ("X-Bad Name", "x"),
        ("Host", "evil.example"),
        ("Content-Length", "0"),
    ],
)
def test_B45_headers_that_cannot_be_sent(
    server: FaultServer, connection: Connection, name: str, value: str
) -> None:
    with pytest.raises(InvalidRequest, match="header"):
        connection.send(replace(get(), headers=((name, value),)))
    assert server.seen == []


@pytest.mark.parametrize(
    "name", ["Authorization", "authorization", "Cookie", "X-Api-Key", "Proxy-Authorization"]
)
def test_B45_no_second_key_in_a_header(connection: Connection, name: str) -> None:
    with pytest.raises(KeyRefused):
        connection.send(replace(get(), headers=((name, "x"),)))


def test_T117_nothing_but_what_is_needed_is_said(server: FaultServer, connection: Connection) -> None:
    connection.send(pay())
    connection.send(get())
    assert len(server.seen) == 2
    for each in server.seen:
        assert {name for name in each.headers if name.startswith("x-")} == set()
        assert each.headers["user-agent"] == f"stripe_magics/{stripe_magics.__version__}"
        allowed = {
            "host",
            "accept",
            "accept-encoding",
            "user-agent",
            "stripe-version",
            "authorization",
            "content-type",
            "content-length",
            "idempotency-key",
        }
        assert set(each.headers) <= allowed
        assert each.headers["authorization"] == f"Bearer {KEY}"
        assert KEY not in each.target


# --- where keys come from -----------------------------------------------------------------------------------
def test_keys_come_from_the_environment_the_cli_and_the_keyring(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(credentials, "from_keyring", lambda name: None)
    with pytest.raises(NotConnected, match="No key was found"):
        credentials.find()
    (tmp_path / "stripe").mkdir()
    (tmp_path / "stripe" / "config.toml").write_text(
        f'color = "auto"\n[default]\ntest_mode_api_key = "{KEY}"\nlive_mode_api_key ='
        ' "sk_live_*****1234"\n[other]\ntest_mode_api_key = "rk_test_otherotherother"\n'
    )
    found = credentials.find()
    assert (found.secret.reveal(), found.source) == (KEY, "Stripe CLI profile default")
    assert credentials.find(profile="other").secret.reveal() == "rk_test_otherotherother"
    with pytest.raises(NotConnected, match="only it can read"):
        credentials.find(profile="default:live")
    with pytest.raises(NotConnected, match="profile 'none'"):
        credentials.find(profile="none")
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_fromtheenvironment")
    assert credentials.find().source == "environment variable STRIPE_API_KEY"
    monkeypatch.setenv("OTHER", "sk_test_fromother")
    assert credentials.find(env="OTHER").secret.reveal() == "sk_test_fromother"
    with pytest.raises(KeyRefused, match="not used"):
        credentials.find(env=KEY)


def test_keys_come_from_colabs_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What Colab's `userdata` does: it gives the secret, has none, refuses this notebook, or isn't asked by
    anybody."""

    class SecretNotFoundError(Exception): ...

    class NotebookAccessError(Exception): ...

    class TimeoutException(Exception): ...  # noqa: N818 - Colab's own name

    userdata = types.ModuleType("google.colab.userdata")
    secrets: dict[str, str | Exception] = {"STRIPE_API_KEY": f" {KEY}\n", "EMPTY": ""}
    secrets |= {"HIDDEN": NotebookAccessError(), "SLOW": TimeoutException()}

    def get(name: str) -> str:
        found = secrets.get(name, SecretNotFoundError())
        if isinstance(found, Exception):
            raise found
        return found

    vars(userdata).update(
        get=get, SecretNotFoundError=SecretNotFoundError, NotebookAccessError=NotebookAccessError
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)
    monkeypatch.setattr(credentials, "from_keyring", lambda name: None)
    for name, module in (("google", None), ("google.colab", None), ("google.colab.userdata", userdata)):
        monkeypatch.setitem(sys.modules, name, module or types.ModuleType(name))
    found = credentials.find()
    assert (found.secret.reveal(), found.source) == (KEY, "Colab secret STRIPE_API_KEY")
    assert credentials.find(env="STRIPE_API_KEY").secret.reveal() == KEY
    for name, said in {
        "NONE": "There is no environment variable NONE",
        "EMPTY": "There is no environment variable EMPTY",
        "HIDDEN": 'no access to the Colab secret HIDDEN.\\nOpen "Secrets"',
        "SLOW": r"Colab did not give the secret SLOW \(TimeoutException\)",
    }.items():
        with pytest.raises(NotConnected, match=said):
            credentials.find(env=name)


def test_connecting_and_the_shared_connection(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    close()
    with pytest.raises(NotConnected, match="no connection yet"):
        current()
    monkeypatch.setenv("MY_KEY", KEY)
    first = connect(env="MY_KEY", api_base=server.url, zone="Europe/Zurich", name="acme")
    try:
        assert current() is shared() is first
        status = first.status()
        assert status["account"] == "acct_1"
        assert (status["name"], status["mode"], status["key"]) == ("Acme", "test", "sk_test_...0001")
        assert KEY not in repr(status)
        assert (str(first.zone), first.live, first.version_forced) == ("Europe/Zurich", False, False)
        monkeypatch.setenv("BAD", "pk_test_4eC39HqLyjWDarjtT1zdp7dc")
        with pytest.raises(KeyRefused):
            connect(env="BAD")
        for bad in ({"zone": "Mars/Phobos"}, {"rate": 0}, {"api_base": "https://evil.example"}):
            with pytest.raises(NotConnected):
                connect(env="MY_KEY", **bad)
        assert current() is first
        second = connect(env="MY_KEY", api_base=server.url, api_version="2024-06-20", account="acct_7")
        assert first.secret is None
        second.send(get())
        assert (server.seen[-1].headers["stripe-version"], server.seen[-1].headers["stripe-account"]) == (
            "2024-06-20",
            "acct_7",
        )
        assert second.version_forced
    finally:
        close()
    assert shared() is None


def test_a_connection_that_was_closed_says_so(server: FaultServer, tmp_path: Path) -> None:
    opened = open_connection(server.url, tmp_path)
    opened.close()
    with pytest.raises(NotConnected, match="closed"):
        opened.send(get())
    assert server.seen == []


# --- live mode ----------------------------------------------------------------------------------------------
@pytest.fixture
def living(tmp_path: Path) -> Any:
    with FaultServer(livemode=True) as server:
        opened = open_connection(server.url, tmp_path, key=LIVE, mode="live", clock=Time())
        opened.server = server  # type: ignore[attr-defined]
        yield opened
        opened.close()


def posts(connection: Any) -> int:
    return sum(1 for each in connection.server.seen if each.method != "GET")


def test_T115_without_a_person_nothing_goes_out(living: Any) -> None:
    for request in (
        pay(),
        create(),
        delete("/v1/customers/cus_1"),
        create("/v1/customers/cus_1", effect=Effect.UPDATE),
    ):
        with pytest.raises(ConfirmationNeeded, match="no one is here to confirm"):
            living.send(request)
    assert living.server.seen == []
    living.send(get())
    assert living.send(pay(), yes=True).data["livemode"] is True


@pytest.mark.parametrize("typed", ["", "no", "acct_2", "y"])
def test_T115_the_wrong_word(living: Any, typed: str) -> None:
    with pytest.raises(ConfirmationNeeded, match="not confirmed"):
        living.send(pay(), ask=lambda _: typed)
    answers = iter(["acct_1", typed])
    with pytest.raises(ConfirmationNeeded):
        living.send(pay(), ask=lambda _: next(answers))
    assert posts(living) == 0
    assert living.pending() == []


def test_T115_the_right_words(living: Any) -> None:
    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return "Acme" if "type" in prompt and "15 minutes" in prompt else "yes"

    living.send(pay(), ask=ask)
    assert posts(living) == 1
    assert "LIVE" in asked[0]
    assert "20.00 USD" in asked[1]
    living.send(create(), ask=ask)  # no money moves: the unlocked quarter of an hour is enough
    assert len(asked) == 2
    living.guard.now.__self__.ahead += 901
    living.send(create(name="later"), ask=ask)
    assert len(asked) == 3


def test_B42_an_unknown_mode_is_treated_as_live_until_an_answer_tells(tmp_path: Path) -> None:
    with FaultServer() as server:
        opened = open_connection(server.url, tmp_path, key="sk_org_4eC39HqLyjWDarjtT1zdp7dc", mode="unknown")
        assert opened.live
        with pytest.raises(ConfirmationNeeded, match="UNKNOWN"):
            opened.send(pay())
        server.objects["cus_1"] = {"id": "cus_1", "object": "customer", "livemode": False}
        opened.send(get("/v1/customers/cus_1"))
        assert (opened.mode, opened.live) == ("test", False)
        opened.send(pay())
        opened.close()


def test_B40_nobody_is_waited_for(living: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked"))
    with pytest.raises(ConfirmationNeeded):
        living.send(pay())


def test_wide_destructive_loops_are_stopped(living: Any) -> None:
    for number in range(60):
        living.server.objects[f"cus_{number}"] = {"id": f"cus_{number}", "object": "customer"}
    sent = 0
    with pytest.raises(ConfirmationNeeded, match="25 are allowed") as stopped:
        for number in range(60):
            living.send(delete(f"/v1/customers/cus_{number}"), yes=True, origin=Origin("c", "d", number + 1))
            sent += 1
    assert sent == 25
    (advised,) = re.findall(r"guard\.(\w+)\(100\)", str(stopped.value))  # what the message says works
    getattr(living.guard, advised)(60)
    for number in range(25, 50):
        living.send(delete(f"/v1/customers/cus_{number}"), yes=True, origin=Origin("c", "d", number + 1))
    living.guard.raise_limit(25)
    living.send(delete("/v1/customers/cus_55"), yes=True, origin=Origin("c", "d", 1))  # a new run of the cell


def test_live_can_be_switched(living: Any) -> None:
    with pytest.raises(ConfirmationNeeded):
        live_mode.switch(living, "on", ask=None)
    assert "15 minutes" in live_mode.switch(living, "on", ask=lambda _: "acct_1")
    assert living.guard.open
    assert "100" in live_mode.switch(living, "allow", ask=lambda _: "acct_1", count=100)
    live_mode.switch(living, "off", ask=None)
    assert not living.guard.open


def test_T116_an_answer_of_the_other_mode(server: FaultServer, connection: Connection) -> None:
    server.livemode = True
    with pytest.raises(StripeError, match="live mode, but this connection is in test mode") as caught:
        connection.send(pay())
    assert "carried out" in str(caught.value)
    assert connection.pending() == []
    with pytest.raises(StripeError):
        connection.send(get("/v1/payment_intents"))


def test_T116_text_that_only_looks_like_it(server: FaultServer, connection: Connection) -> None:
    server.always = Fault(
        "after",
        "answer",
        200,
        (),
        {"id": "x", "object": "y", "livemode": False, "description": '"livemode": true'},
    )
    assert connection.send(get()).data["id"] == "x"


def test_T118_a_dry_run_shows_the_body_and_no_key() -> None:
    request = pay(description="a & b")
    assert "amount = 2000" in repr(request)
    assert KEY not in repr(request)
    assert "STRIPE_API_KEY" in request.curl()


def test_the_auth_shows_a_hint_only() -> None:
    assert repr(KeyAuth(Secret(KEY))) == "<KeyAuth sk_test_...0001>"
    with pytest.raises(TypeError):
        pickle.dumps(KeyAuth(Secret(KEY)))


def test_log_templates() -> None:
    assert logging_filter.template("/v1/customers/cus_123/sources?x=1") == "/v1/customers/{id}/sources"
    assert logging_filter.template("/v1/payment_intents/pi_abc/capture") == "/v1/payment_intents/{id}/capture"
    assert logging_filter.template("/v1/coupons/jenny@example.com") == "/v1/coupons/{id}"


async def _read(connection: Connection) -> int:
    pool = connection.async_pool()
    try:
        return (await pool.get(f"{connection.base}/v1/customers?email=jenny@example.com", {}))[0]
    finally:
        await pool.close()


def test_many_reads_at_once_are_as_quiet(
    server: FaultServer, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    import asyncio

    with caplog.at_level(logging.DEBUG):
        with asyncio.Runner() as runner:  # closes its loop, where an older ipykernel has replaced `run`
            assert runner.run(asyncio.wait_for(_read(connection), 60)) == 200
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert "jenny" not in caplog.text
    assert KEY not in caplog.text


def test_T91_B57_a_file_is_read_once_and_every_attempt_has_the_same_bytes(
    server: FaultServer, connection: Connection, tmp_path: Path
) -> None:
    place = tmp_path / "évidence.txt"
    place.write_bytes(b"\x00binary\r\n")
    server.script = [Fault("before", "reset")]
    request = Request(
        module="files.create",
        method="POST",
        path="/v1/files",
        params=(("purpose", "x"),),
        files={"file": str(place)},
        effect=Effect.CREATE,
    )
    connection.send(request)
    first, second = server.seen
    assert first.body == second.body
    assert b"\x00binary\r\n" in first.body
    assert "évidence.txt".encode() in first.body
    with pytest.raises(InvalidRequest, match="can't be read"):
        connection.send(replace(request, files={"file": str(tmp_path / "none")}))


def test_S06_a_request_of_httpx_does_not_show_its_key() -> None:
    request = httpx.Request("GET", "https://api.stripe.com/v1/x", headers={"authorization": "Basic old"})
    next(KeyAuth(Secret(KEY)).auth_flow(request))
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert len(request.headers.get_list("authorization")) == 1
    for shown in (
        repr(request.headers),
        repr(request.headers.raw),
        str(request.headers.raw),
        repr(vars(request)),
    ):
        assert KEY not in shown
    with pytest.raises(TypeError):
        pickle.dumps(request)
    with pytest.raises(TypeError):
        copy.deepcopy(request.headers)


def test_T116_long_lists_are_looked_at_too(server: FaultServer, connection: Connection) -> None:
    from stripe_magics.client.pagination.paginator import pages

    for number in range(900):
        server.objects[f"cus_{number}"] = {
            "id": f"cus_{number}",
            "object": "customer",
            "created": 1_600_000_000 + number,
            "livemode": number < 300,
        }
    everything = Request(
        module="customers.list",
        method="GET",
        path="/v1/customers",
        returns="list[customer]",
        lists=True,
        limit=None,
    )
    with pytest.raises(StripeError, match="live mode"):
        list(pages(connection, everything))


def test_T89_parameters_stand_in_the_url_or_in_the_body(server: FaultServer, connection: Connection) -> None:
    pairs = {"a": "x y&z=é", "expand[0]": "customer"}
    connection.send(get(**pairs))
    connection.send(replace(create(**pairs), query=(("expand[1]", "invoice"),)))
    with pytest.raises(InvalidRequest):
        connection.send(replace(delete("/v1/customers/cus_9"), params=tuple(pairs.items())))
    read, write, gone = server.seen
    assert (dict(read.query), read.body) == (pairs, b"")
    assert (write.form, dict(write.query)) == (pairs, {"expand[1]": "invoice"})
    assert (dict(gone.query), gone.body) == (pairs, b"")
    assert "+" in read.target  # a space is + everywhere
    assert b"x+y%26z%3D%C3%A9" in write.body


def test_the_journal_cannot_be_copied_and_shows_no_key(connection: Connection) -> None:
    connection.send(pay())
    row = connection.journal.get(1)
    assert repr(row) == "<Operation 1 POST /v1/payment_intents done>"
    with pytest.raises(TypeError):
        pickle.dumps(connection.journal)
