"""Watching events on the sandbox, through the interfaces that people use: functions, commands, the panel."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from each_row import each_row

import stripe_magics as sm
from stripe_magics.client import one_time_secrets
from stripe_magics.client.secret import Secret
from stripe_magics.client.shared_connection import Connection
from stripe_magics.errors import InvalidValue, KeyRefused, StripeMagicsError, UnknownName, UsageFault
from stripe_magics.events import (
    api,
    live_view,
    live_widget,
    poller,
    receiver_commands,
    signing_secrets,
    webhook_endpoints,
)
from stripe_magics.events.event_watch import Watch
from stripe_magics.events.filters import event_filter
from stripe_magics.events.moments import moment
from stripe_magics.parsing import parse
from stripe_magics.request import Request

SCRIPT = "<img src=x onerror=alert(1)>"


@pytest.fixture
def sandbox() -> Iterator[Connection]:
    connection = sm.connect(sandbox=True, demo=False)
    yield connection
    api.stop()
    sm.close()


def customer(name: str = "Jenny") -> str:
    return str(sm.call("customers.create", name=name)["id"].iloc[0])


def ids(watch: Watch) -> list[str]:
    return [each.object["id"] for each in watch.stored() if each.type == "customer.created"]


def test_events_of_calls_arrive(sandbox: Connection) -> None:
    heard: list[str] = []
    sm.on("customer.created", lambda each: heard.append(each["data"]["object"]["id"]))
    watch = sm.watch("customer", "payment_intent.succeeded")
    made = customer()
    sm.call(
        "payment_intents.create",
        amount=2000,
        currency="usd",
        confirm=True,
        payment_method="pm_card_visa",
        payment_method_types=["card"],
    )
    watch.poll()
    assert heard == [made]
    frame = watch.frame
    assert sorted(frame["type"]) == ["customer.created", "payment_intent.succeeded"]
    paid = frame[frame["type"] == "payment_intent.succeeded"].iloc[0]
    assert (paid["amount"], paid["currency"], paid["status"]) == (2000, "usd", "succeeded")
    assert paid["idempotency_key"]
    assert frame.attrs["stripe"]["object"] == "event"
    json.dumps(frame.attrs["stripe"])


def test_the_function_stays_where_people_look_for_it(sandbox: Connection) -> None:
    """Importing the package of events doesn't put a module in the place of `sm.watch`."""
    import stripe_magics.events  # noqa: F401

    assert isinstance(sm.watch("customer"), Watch)


def test_an_empty_frame_keeps_its_columns(sandbox: Connection) -> None:
    frame = sm.watch("payout").frame
    assert len(frame) == 0
    assert str(frame["created"].dtype) == "datetime64[us, UTC]"
    assert str(frame["amount"].dtype) == "Int64"
    assert str(frame["type"].dtype) == "category"


def test_a_second_watch_of_the_name_replaces_the_first(sandbox: Connection) -> None:
    first = sm.watch("customer")
    second = sm.watch("invoice")
    third = sm.watch("charge", webhook_name="charges")
    assert (first.running, second.running, third.running) == (False, True, True)
    assert list(api.status()["watch"]) == ["watch", "charges"]
    assert api.stop("charges") == ["charges"]
    assert api.stop() == ["watch"]
    assert not second.running
    assert len(api.status()) == 0


def test_closing_the_connection_ends_the_watch(sandbox: Connection) -> None:
    watch = sm.watch("customer")
    sm.close()
    assert not watch.running


def test_what_happened_between_two_watches_is_delivered(sandbox: Connection) -> None:
    sm.watch("customer").stop()
    made = customer()
    heard: list[str] = []
    sm.on("customer.created", lambda each: heard.append(each["data"]["object"]["id"]))
    sm.watch("customer")
    assert heard == [made]


@pytest.mark.parametrize(
    "line, expected",
    [
        ("events watch --group invoice --group charge", "invoice.*, charge.*"),
        ("events watch --group invoice,charge", "invoice.*, charge.*"),
        ("events watch --events invoice.paid", "invoice.paid"),
        ("events watch", "all events"),
        ("webhook_endpoints create --enabled-events invoice.paid", "invoice.paid"),
    ],
)
def test_lines(sandbox: Connection, line: str, expected: str) -> None:
    watch = api.run(parse(line))
    assert isinstance(watch, Watch)
    assert str(watch.choice) == expected


def test_a_line_with_a_name(sandbox: Connection) -> None:
    watch = api.run(
        parse('events watch --group invoice --webhook-name "Late payers" --api-version 2025-02-24.acacia')
    )
    assert watch.name == "Late payers"
    assert "webhook endpoints" in watch.notes[0]


def test_flags_of_a_line_that_are_no_fields(sandbox: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    watch = api.run(parse("events watch --group invoice --minutes 5 --interval 20 --since 2h"))
    assert (watch.minutes, watch.interval) == (5.0, 20.0)
    assert list(api.run(parse("events watch --status"))["events"]) == ["invoice.*"]
    assert api.run(parse("events watch --stop")) is None
    assert "Stopped: watch" in capsys.readouterr().out
    made = api.run(parse("events watch --group payout --url https://example.com/hook --ephemeral"))
    assert made["metadata"].iloc[0] == {webhook_endpoints.MARK: "ephemeral"}


@pytest.mark.parametrize(
    "flag",
    [
        "--minutes 30",
        "--interval 15",
        "--since 2h",
        "--where 'amount > 5'",
        "--alert sound",
        "--notify",
        "--accounts acct_rosen",
    ],
)
def test_what_only_a_watch_that_polls_does_is_refused_for_an_endpoint(sandbox: Connection, flag: str) -> None:
    line = f"events watch --group payout --url https://example.com/hook --ephemeral {flag}"
    name, _, value = flag.partition(" ")
    with pytest.raises(UsageFault, match=f"{name} has no effect on a webhook endpoint"):
        api.run(parse(line))
    with pytest.raises(UsageFault, match=f"{name} has no effect on a webhook endpoint"):
        sm.watch(
            "payout", url="https://example.com/hook", **{name.removeprefix("--"): value.strip("'") or True}
        )
    assert len(sm.call("webhook_endpoints.list")) == 0


def test_an_endpoint_is_made_in_the_account_that_was_named(sandbox: Connection) -> None:
    account = str(sm.call("accounts.create", type="custom", country="US")["id"].iloc[0])
    made = sm.watch("payout", url="https://example.com/hook", stripe_account=account)
    listed = sm.call("webhook_endpoints.list", stripe_account=account)
    assert listed["id"].tolist() == made["id"].tolist()
    assert len(sm.call("webhook_endpoints.list")) == 0, "none in the platform's own account"


def test_the_whole_pipeline_by_its_magic(sandbox: Connection) -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    # its own: other tests have the one of the process
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.run_line_magic("load_ext", "stripe_magics")
    try:
        watch = shell.run_line_magic("stripe", "events watch --group customer")
        assert isinstance(watch, Watch)
        customer()
        assert watch.poll() == 1
        assert shell.run_line_magic("stripe", "events endpoints").empty
        assert list(shell.run_line_magic("stripe", "events status")["watch"]) == ["watch"]
        assert shell.run_line_magic("stripe", "listen --group customer").receiver.running
        shell.run_line_magic("stripe", "listen --stop")
    finally:
        shell.run_line_magic("unload_ext", "stripe_magics")


def test_a_dry_run_sends_nothing(sandbox: Connection) -> None:
    request = api.run(parse("events watch --group payout --url https://example.com/hook --dry-run"))
    assert isinstance(request, Request)
    assert ("url", "https://example.com/hook") in request.params
    assert sum(name.startswith("enabled_events") for name, _ in request.params) == 6


@pytest.mark.parametrize(
    "options, words",
    [
        ({"group": ["invoices"]}, "invoice"),
        ({"colour": "red"}, "colour"),
        ({"interval": "often"}, "interval"),
        ({"since": "long ago"}, "3d"),
    ],
)
def test_wrong_options(sandbox: Connection, options: dict[str, Any], words: str) -> None:
    with pytest.raises((UnknownName, UsageFault), match=words):
        sm.watch(**options)


def test_moments(sandbox: Connection) -> None:
    now = sandbox.sandbox.now
    assert moment("2h", sandbox) == now - 7200
    assert moment("3d", sandbox) == now - 3 * 86400
    assert moment("1700000000", sandbox) == 1_700_000_000
    assert moment("2023-11-14T22:13:20", sandbox) == 1_700_000_000
    assert moment(datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), sandbox) == 1_700_000_000
    assert moment(None, sandbox) is None


def test_purge_forgets_events_but_not_that_they_were_handled(sandbox: Connection) -> None:
    heard: list[str] = []
    sm.on("customer.created", lambda each: heard.append(each["id"]))
    watch = sm.watch("customer")
    customer()
    watch.poll()
    assert api.purge() == 1
    assert len(watch.frame) == 0
    watch.poll()
    assert len(heard) == 1


@pytest.mark.parametrize("interface", ["call", "form"])
def test_python_and_the_form_watch_too(sandbox: Connection, interface: str) -> None:
    if interface == "call":
        watch = sm.call("events.watch", group=["customer"])
    else:
        form = sm.form("events.watch", group=["customer"])
        watch = form.submit()
        form.close()
    assert isinstance(watch, Watch)
    assert str(watch.choice) == "customer.*"
    customer(SCRIPT)
    watch.poll()
    assert "customer.created" in watch._repr_html_()
    assert SCRIPT not in watch._repr_html_()


# Endpoints


def test_an_endpoint_is_made_listed_and_deleted(sandbox: Connection) -> None:
    made = sm.watch("payout", url="https://example.com/hook", metadata={"team": "finance"})
    id = made["id"].iloc[0]
    notes = " ".join(made.attrs["stripe"]["notes"])
    secret = one_time_secrets.known(sandbox, one_time_secrets.endpoint_entry(id))
    assert secret is not None
    assert secret.hint in notes
    everything = f"{made.to_csv()} {made.to_html()} {notes} {api.endpoints().to_csv()}"
    assert secret.reveal() not in everything
    assert made["metadata"].iloc[0] == {"team": "finance", webhook_endpoints.MARK: "watch"}
    assert set(made["enabled_events"].iloc[0]) == set(event_filter(["payout"]).all_types)
    again = sm.watch("payout", url="https://example.com/other")
    assert id in " ".join(again.attrs["stripe"]["notes"]), "says which others were made here"
    left = api.endpoints(delete=id)
    assert list(left["id"]) == [again["id"].iloc[0]]
    assert one_time_secrets.known(sandbox, one_time_secrets.endpoint_entry(id)) is None


def test_an_endpoint_needs_a_real_url(sandbox: Connection) -> None:
    with pytest.raises(InvalidValue, match="--url"):
        sm.watch("payout", url="not a url")


def test_an_ephemeral_endpoint_goes_with_the_connection(sandbox: Connection) -> None:
    made = sm.watch("payout", url="https://example.com/hook", ephemeral=True)
    assert "deleted when this kernel" in " ".join(made.attrs["stripe"]["notes"])
    transport = sandbox.sandbox
    assert len(api.endpoints()) == 1
    sm.close()
    sm.connect(sandbox=True, transport=transport)
    assert len(api.endpoints()) == 0


def test_an_ephemeral_endpoint_goes_with_the_kernel() -> None:
    script = """
import atexit, stripe_magics as sm
transport = sm.connect(sandbox=True, demo=False).sandbox
count = lambda: len(transport.account.table("webhook_endpoint").by_id)
atexit.register(lambda: print("left", count()))
sm.watch("invoice", url="https://example.com/hook", ephemeral=True)
print("there", count())
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["there", "1", "left", "0"]
    assert done.stderr == ""


# Listening


def test_listening_in_the_sandbox(sandbox: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[str] = []
    sm.on("customer.created", lambda each: heard.append(each["data"]["object"]["id"]))
    watch = sm.listen("customer")
    assert watch is not None
    assert watch.receiver is not None
    out = capsys.readouterr().out
    assert watch.receiver.url in out
    assert watch.receiver.secrets[0].reveal() not in f"{out}{watch!r}{watch.status()}{watch.receiver!r}"
    made = customer()
    assert receiver_commands.rehearse() == [200]
    wait_for(lambda: heard == [made])
    watch.poll()
    assert heard == [made]
    assert [each.source for each in watch.stored() if each.object["id"] == made] == ["listen"]
    assert sm.listen(stop=True) is None
    assert not watch.receiver.running
    with pytest.raises(UsageFault, match="Nothing listens"):
        receiver_commands.rehearse()


def test_the_command_against_stripe_is_printed_whole(
    sandbox: Connection, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "sandbox", None)
    monkeypatch.setattr(sandbox, "mode", "live")
    monkeypatch.setattr(sandbox, "secret", Secret("sk_live_" + "x" * 24))
    monkeypatch.setenv(signing_secrets.VARIABLE, "whsec_" + "c" * 32)
    watch = sm.listen(live=True)
    assert watch is not None
    assert watch.receiver is not None
    assert f"stripe listen --forward-to {watch.receiver.url} --live" in capsys.readouterr().out
    with pytest.raises(UsageFault, match="stripe trigger"):
        receiver_commands.rehearse()


def test_behind_a_tunnel(
    sandbox: Connection, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver starts without a secret and takes nothing; the endpoint that is then made brings its
    own."""
    from stripe_magics.events import webhook_delivery

    watch = sm.listen("customer", host="shop.example.net", ask=lambda: pytest.fail("nobody is to be asked"))
    assert watch is not None
    receiver = watch.receiver
    assert receiver is not None
    url = f"https://shop.example.net{receiver.path}"
    assert url in capsys.readouterr().out
    customer()
    news = sandbox.send(poller.request((("limit", "1"),))).rows[0]
    assert webhook_delivery.post(receiver, news, Secret("whsec_" + "d" * 32)) == 400
    made = sm.watch("customer", url=url, ephemeral=True)
    secret = one_time_secrets.known(sandbox, one_time_secrets.endpoint_entry(made["id"].iloc[0]))
    assert secret is not None
    assert webhook_delivery.post(receiver, news, secret) == 200


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(signing_secrets.credentials, "from_keyring", lambda name: None)
    monkeypatch.delenv(signing_secrets.VARIABLE, raising=False)
    monkeypatch.setenv("STRIPE_MAGICS_STATE_DIR", str(tmp_path))


def test_where_signing_secrets_come_from(sandbox: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    typed, named, usual = (Secret("whsec_" + letter * 32) for letter in "abc")
    assert signing_secrets.for_listening(sandbox, ask=lambda: typed) == [typed]
    assert signing_secrets.for_listening(sandbox, ask=lambda: pytest.fail("asked twice")) == [typed]
    monkeypatch.setenv(signing_secrets.VARIABLE, usual.reveal())
    monkeypatch.setenv("HOOK", named.reveal())
    assert signing_secrets.for_listening(sandbox, "HOOK") == [named, usual, typed]
    with pytest.raises(KeyRefused, match="no environment variable MISSING"):
        signing_secrets.for_listening(sandbox, "MISSING")


def test_a_wrong_secret_is_refused_before_it_is_kept(sandbox: Connection) -> None:
    with pytest.raises(KeyRefused, match="wrong kind"):
        signing_secrets.for_listening(sandbox, ask=lambda: Secret("sk_test_51abcdefghij"))
    assert one_time_secrets.held(sandbox) == {}


def test_nobody_to_ask(sandbox: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(prompt: str) -> Any:
        raise EOFError

    monkeypatch.setattr(signing_secrets.credentials, "ask_for_key", closed)
    with pytest.raises(KeyRefused, match="nobody to ask") as caught:
        signing_secrets.for_listening(sandbox)
    assert "stripe listen --print-secret" in caught.value.advice


# On screen


def shown(watch: Watch) -> tuple[live_view.LiveViewModel, list[dict[str, Any]]]:
    made = live_view.LiveViewModel(watch)
    sent: list[dict[str, Any]] = []
    made.attach(sent.append)
    return made, sent


def test_the_view_gets_rows_as_they_come(sandbox: Connection) -> None:
    customer()
    watch = sm.watch("customer")
    panel, sent = shown(watch)
    panel.on_message({"ready": True})
    assert [len(message.get("rows", [])) for message in sent] == [1]
    assert sent[0]["status"]["mode"] == "SANDBOX"
    made = customer()
    watch.poll()
    assert [row["object"] for row in sent[-1]["rows"]] == [made]
    assert set(sent[-1]["rows"][0]) == {
        *("id", "created", "time", "type", "object", "amount", "customer", "details", "account", "request")
    }
    panel.on_message({"pause": True})
    assert watch.state == "paused"
    assert sent[-1]["status"]["paused"]
    panel.on_message({"pause": True})
    assert watch.state == "watching"
    panel.on_message({"gone": True})
    assert watch.pages_open == 0
    assert watch.listeners == [], "a page that is gone leaves no listener behind"
    panel.on_message({"ready": True})
    panel.on_message({"stop": True})
    assert sent[-1]["status"]["ended"]
    panel.detach()
    assert watch.listeners == []


def test_the_view_opens_the_object_of_today(sandbox: Connection) -> None:
    watch = sm.watch("customer")
    made = customer(SCRIPT)
    watch.poll()
    panel, sent = shown(watch)
    sm.call("customers.update", customer=made, name="Renamed")
    panel.on_message({"open": watch.stored()[0].id})
    assert ["name", "Renamed"] in sent[-1]["object"]["values"]
    panel.on_message({"open": "evt_unknown"})
    assert "evt_unknown" in sent[-1]["note"]


def test_no_key_gets_to_the_page_whoever_typed_it(
    sandbox: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk_live_" + "51Canary" * 6
    watch = sm.watch("customer")
    elsewhere = httpx.Client(
        transport=sandbox.sandbox, base_url="https://api.stripe.com", auth=("sk_test_somebody", "")
    )  # ours takes no key in a field
    elsewhere.post("/v1/customers", data={"name": f"Rosen {key}"})
    watch.poll()
    panel, sent = shown(watch)
    panel.on_message({"ready": True})
    panel.on_message({"open": watch.stored()[0].id})
    panel.on_message({"blocked": f"blocked {key}"})

    def broken() -> int:
        raise RuntimeError(f"own mistake with {key}")

    monkeypatch.setattr(watch, "poll", broken)
    panel.on_message({"poll": True})
    assert sent[-1]["note"] == "RuntimeError: own mistake with (key hidden)"
    assert "51Canary" not in repr(sent)
    assert "Rosen (key hidden)" in repr(sent)


def test_nothing_of_stripes_users_becomes_html() -> None:
    assert "innerHTML" not in live_widget.ESM
    assert "insertAdjacentHTML" not in live_widget.ESM


def test_a_terminal_gets_text(sandbox: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    watch = sm.watch("customer")
    made = customer("Rosen\x1b[31m Books")
    watch.poll()
    watch._ipython_display_()
    out = capsys.readouterr().out
    assert f"Books ({made})" in out, "the name beside the id"
    assert "customer.created" in out
    assert "\x1b" not in out
    assert "\\x1b[31m" in out


def test_the_widget_has_no_state_of_its_own(sandbox: Connection) -> None:
    watch = sm.watch("customer")
    panel = live_view.panel(watch)
    made = customer(SCRIPT)
    watch.poll()
    state = json.dumps(
        {name: repr(value) for name, value in panel.get_state().items() if name not in {"_esm", "_css"}}
    )
    assert made not in state
    assert SCRIPT not in state
    panel.close()
    assert watch.listeners == []


@each_row(
    "subject, path",
    [
        ({"object": "invoice", "id": "in_1"}, "/v1/invoices/in_1"),
        ({"object": "invoiceitem", "id": "ii_1"}, "/v1/invoiceitems/ii_1"),
        ({"object": "checkout.session", "id": "cs_test_1"}, "/v1/checkout/sessions/cs_test_1"),
        ({"object": "customer", "id": "../account"}, None),
        ({"object": "../x", "id": "in_1"}, None),
        ({"object": "balance", "id": ""}, None),
        ({}, None),
    ],
)
def test_paths_of_objects(subject: dict[str, str], path: str | None) -> None:
    from stripe_magics.events.event_rows import request_for

    if path is None:
        with pytest.raises(ValueError, match="no path"):
            request_for(subject)
    else:
        assert request_for(subject).path == path


def test_a_lost_answer_is_settled_by_its_event(sandbox: Connection) -> None:
    from stripe_magics.sandbox.fault_injection import Fault

    watch = sm.watch("customer")
    sandbox.sleep = lambda seconds: None
    sandbox.sandbox.faults.append(Fault("drop_after", match="POST /v1/customers", times=None))
    with pytest.raises(StripeMagicsError):
        customer()
    sandbox.sandbox.faults.clear()
    open_before = sandbox.pending()
    assert len(open_before) == 1
    watch.poll()
    assert sandbox.pending() == []
    ended = sandbox.journal.get(open_before[0].number)
    assert ended.state == "done"
    assert ended.result == ids(watch)[-1]
    assert f"Operation {ended.number}" in watch.notes[-1]


def wait_for(true: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it didn't happen"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "flag", ["--limit 5", "--columns id", "--again", "--idempotency abc", "--expand customer"]
)
def test_an_option_without_effect_on_a_watch_is_refused(sandbox: Connection, flag: str) -> None:
    with pytest.raises((UsageFault, UnknownName, InvalidValue), match=flag.split(maxsplit=1)[0]):
        api.run(parse(f"events watch --group invoice {flag}"))


def test_a_connected_account_by_its_line(sandbox: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    real = sandbox.send

    def send(request: Any, **options: Any) -> Any:
        seen.append(dict(request.headers).get("Stripe-Account"))
        import dataclasses

        return real(dataclasses.replace(request, headers=()), **options)

    monkeypatch.setattr(sandbox, "send", send)
    watch = api.run(parse("events watch --group invoice --stripe-account acct_sub"))
    assert "acct_sub" in seen
    assert watch.status()["account"] == "acct_sub"
