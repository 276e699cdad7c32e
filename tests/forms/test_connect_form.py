"""The connection widget: sources, profiles, and a key that is nowhere."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

import httpx
import pytest
from forms.conftest import models

from stripe_magics.client.shared_connection import shared
from stripe_magics.errors import KeyRefused, PermissionDenied
from stripe_magics.forms import connect_form, key_field, saved_connections
from stripe_magics.forms.connect_widget import NEW, ConnectForm
from stripe_magics.forms.connection_card import missing_permissions
from stripe_magics.forms.key_sources import SOURCES
from stripe_magics.forms.widget_registry import WidgetRegistry

ACCOUNT = "acct_1q2D7OpiUPOgsz4S"  # the sandbox's
CANARY = "sk_test_51CanaryCanaryCanary0123456789abcdefXYZ"


@pytest.fixture
def form() -> Any:
    from stripe_magics.sandbox import SandboxTransport

    made = ConnectForm(transport=SandboxTransport())
    yield made
    made.close()


def type_key(field: Any, key: str) -> list[Any]:
    """As the browser does: ask for a pad, send the key mixed with it. Gives the messages that went to the
    kernel."""
    sent: list[Any] = []
    send = field.send
    field.send = sent.append
    try:
        field._handle_custom_msg({"want": "view"}, [])
    finally:
        field.send = send
    pad = base64.b64decode(sent[0]["pad"])
    mixed = bytes(one ^ other for one, other in zip(key.encode().ljust(len(pad), b"\0"), pad, strict=True))
    message = {"number": sent[0]["number"], "mixed": base64.b64encode(mixed).decode()}
    field._handle_custom_msg(dict(message), [])
    return [message]


def press(form: ConnectForm, words: str) -> None:
    form._buttons[words].click()


def nowhere(form: Any) -> None:
    """The canary is in no widget's state, no repr, no attribute that can be read."""
    seen = (
        str([each.get_state() for each in models().values()])
        + repr(form)
        + str([repr(each) for each in models().values()])
    )
    assert "Canary" not in seen
    assert "Canary" not in str(
        {key: value for key, value in vars(form).items() if isinstance(value, str | dict | list)}
    )


def test_the_sandbox() -> None:
    form = connect_form()
    assert form.source.value == "sandbox"
    press(form, "Connect")
    assert shared() is not None
    assert "Connected." in form.status.value
    assert "SANDBOX" in form._top.value
    press(form, "Test")
    assert "Stripe answered." in form.status.value
    press(form, "Disconnect")
    assert shared() is None
    assert "NOT CONNECTED" in form._top.value


def test_a_pasted_key(form: ConnectForm) -> None:
    form.source.value = "paste"
    assert form._buttons["Connect"] not in form._bar.children, "the key field has its own"
    type_key(form._key, CANARY)
    assert shared() is not None
    assert shared().mode == "test"
    assert "sk_test_...fXYZ" in form._top.value
    nowhere(form)


def test_a_wrong_key_is_named_not_shown(form: ConnectForm) -> None:
    form.source.value = "paste"
    type_key(form._key, CANARY.replace("sk_", "pk_"))
    assert "publishable key" in form.status.value
    assert shared() is None
    nowhere(form)


def test_without_anywidget_nothing_can_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    key_field._sending_field.cache_clear()
    tree = WidgetRegistry()
    # any other field would send the key readable, and a log at DEBUG has it then
    field = key_field.key_field(tree, lambda _: None)
    assert type(field).__name__ == "HTML"
    assert "needs anywidget" in field.value
    tree.close()


def test_an_environment_variable(form: ConnectForm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_STRIPE", CANARY)
    form.source.value, form.detail.value = "env", "MY_STRIPE"
    form.account.value = ACCOUNT
    form.api_version.value = "2024-04-10"
    press(form, "Connect")
    connection = shared()
    assert connection is not None
    assert (connection.account, connection.api_version, connection.key_hint) == (
        ACCOUNT,
        "2024-04-10",
        "sk_test_...fXYZ",
    )
    nowhere(form)


def test_a_missing_variable_is_said(form: ConnectForm) -> None:
    form.source.value, form.detail.value = "env", "NO_SUCH_VARIABLE"
    press(form, "Connect")
    assert "There is no environment variable NO_SUCH_VARIABLE." in form.status.value


def test_a_key_in_place_of_a_name_is_refused(form: ConnectForm) -> None:
    form.source.value, form.detail.value, form.name.value = "env", CANARY, "x"
    press(form, "Connect")
    assert "Canary" not in form.status.value
    press(form, "Save")
    assert not saved_connections.load()
    with pytest.raises(KeyRefused):
        saved_connections.save(saved_connections.Profile("x", "env", CANARY))


def test_profiles_hold_names_and_sources_only() -> None:
    form = connect_form()
    form.name.value, form.source.value, form.detail.value = "Acme test", "env", "ACME_KEY"
    press(form, "Save")
    text = saved_connections.path().read_text()
    assert json.loads(text) == {"Acme test": {"source": "env", "detail": "ACME_KEY"}}
    assert saved_connections.path().stat().st_mode & 0o077 == 0
    again = connect_form()
    again.saved.value = "Acme test"
    assert (again.name.value, again.source.value, again.detail.value) == ("Acme test", "env", "ACME_KEY")
    press(again, "Remove")
    assert not saved_connections.load()
    assert again.saved.value == NEW


def test_a_pasted_key_is_not_saved(form: ConnectForm) -> None:
    form.source.value, form.name.value = "paste", "Acme"
    press(form, "Save")
    assert "A pasted key is not saved." in form.status.value
    assert not saved_connections.load()


def test_a_broken_file_counts_as_none() -> None:
    saved_connections.path().write_text("{broken")
    assert saved_connections.load() == {}
    saved_connections.path().write_text('{"a": 1, "b": {"source": "env", "strange": "x"}}')
    assert saved_connections.load() == {"b": saved_connections.Profile("b", "env")}


def test_every_source_is_offered(form: ConnectForm) -> None:
    assert [value for _, value in form.source.options] == list(SOURCES)


def test_what_a_restricted_key_may_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from stripe_magics import pipeline

    asked: list[str] = []

    def call(name: str, **_: Any) -> None:
        asked.append(name)
        if name == "payouts.list":
            raise PermissionDenied("no")

    class Restricted:
        key_hint = "rk_test_...4f2a"

    class Full:
        key_hint = "sk_test_...4f2a"

    monkeypatch.setattr(pipeline, "call", call)
    assert missing_permissions(Restricted()) == ["List All Payouts"]
    assert "customers.list" in asked
    asked.clear()
    assert missing_permissions(Full()) == []
    assert not asked


def test_closing_leaves_nothing() -> None:
    before = set(models())
    form = connect_form()
    form.source.value = "paste"
    form.close()
    assert set(models()) == before


def test_the_text_is_the_line() -> None:
    assert repr(connect_form()) == "%stripe connect"


def test_a_live_key_asks_once_more(form: ConnectForm, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = httpx.Response(200, json={"id": "acct_1", "object": "account"})
    form._transport = httpx.MockTransport(lambda request: answer)  # the sandbox refuses live keys
    monkeypatch.setenv("MY_STRIPE", CANARY.replace("sk_test_", "sk_live_"))
    form.source.value, form.detail.value = "env", "MY_STRIPE"
    press(form, "Connect")
    assert shared() is None
    assert "is a live key" in form.status.value
    assert form._buttons["Connect"] not in form._bar.children
    press(form, "Yes, connect to live")
    assert shared() is not None
    assert shared().mode == "live"
    nowhere(form)


def test_another_source_takes_the_question_back(form: ConnectForm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_STRIPE", CANARY.replace("sk_test_", "sk_live_"))
    form.source.value, form.detail.value = "env", "MY_STRIPE"
    press(form, "Connect")
    form.source.value = "sandbox"
    assert form._buttons["Yes, connect to live"] not in form._bar.children
    form.confirm()
    assert shared() is None


def test_rate_zone_and_base_stand_under_more(form: ConnectForm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_STRIPE", CANARY)
    assert form.zone not in form._fields.children
    form._more.click()
    form.source.value, form.detail.value = "env", "MY_STRIPE"
    form.zone.value, form.rate.value = "Europe/Berlin", "12"
    press(form, "Connect")
    connection = shared()
    assert connection is not None
    assert (str(connection.zone), connection.rate) == ("Europe/Berlin", 12.0)
    assert "zone: Europe/Berlin" in form.status.value
    assert "<details>" in form.status.value
    form.rate.value = "fast"
    press(form, "Connect")
    assert "is not a number of requests a second" in form.status.value


def test_saved_connections_are_renamed_and_the_last_used_comes_first(
    form: ConnectForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_STRIPE", CANARY)
    for name in ("Acme", "Zenith"):
        saved_connections.save(saved_connections.Profile(name, "env", "MY_STRIPE", zone="Europe/Berlin"))
    form._list(NEW)
    form.saved.value = "Zenith"
    press(form, "Connect")
    assert list(saved_connections.load()) == ["Zenith", "Acme"]
    assert str(shared().zone) == "Europe/Berlin"  # type: ignore[union-attr]
    form.name.value = "Zenith AG"
    press(form, "Rename")
    assert list(saved_connections.load()) == ["Zenith AG", "Acme"]
    assert form.saved.value == "Zenith AG"


def test_B72_the_message_with_the_key_can_be_read_by_nobody_else(form: ConnectForm) -> None:
    form.source.value = "paste"
    (message,) = type_key(form._key, CANARY)
    assert shared() is not None
    assert "Canary" not in str(message)
    assert b"Canary" not in base64.b64decode(message["mixed"])
    before = shared()
    form._key._handle_custom_msg(dict(message), [])  # a pad is used once
    form._key._handle_custom_msg({"key": CANARY}, [])  # and nothing is taken without one
    form._key._handle_custom_msg({"number": 1, "mixed": "?"}, [])
    assert shared() is before


def test_a_rename_that_is_refused_loses_nothing() -> None:
    for name in ("Acme", "Other"):
        saved_connections.save(saved_connections.Profile(name, "env", f"{name.upper()}_KEY"))
    form = connect_form()
    form.saved.value = "Acme"
    for name, why in (
        (CANARY, "looks like a key"),
        ("Other", "There is a saved connection Other already."),
        (NEW, "Choose another name"),
    ):
        form.name.value = name
        press(form, "Rename")
        assert why in form.status.value
        assert "Canary" not in form.status.value
    details = {each.name: each.detail for each in saved_connections.load().values()}
    assert details == {"Acme": "ACME_KEY", "Other": "OTHER_KEY"}
    for odd in ("  Ünï <b>x</b> \N{ZERO WIDTH SPACE}", "$x$ `y`", "a" * 300):
        form.name.value = odd
        press(form, "Rename")
        assert "<b>x" not in form.status.value
