"""Alerts without code: the page and the bell, e-mail through a server of the user's, a webhook of the
user's."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import stripe_magics as sm
from stripe_magics import events
from stripe_magics.client.shared_connection import Connection
from stripe_magics.errors import UnknownName, UsageFault
from stripe_magics.events import alerts as alerting
from stripe_magics.events.live_view import LiveViewModel


@pytest.fixture
def sandbox() -> Iterator[Connection]:
    connection = sm.connect(sandbox=True, demo=False)
    yield connection
    sm.close()


class Hook(HTTPServer):
    """A webhook of the user's; `status` is what it answers."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), _HookHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/services/SECRET"


class _HookHandler(BaseHTTPRequestHandler):
    server: Hook
    timeout = 60

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            self.server.bodies.append(body)
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", self.server.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def test_a_webhook_gets_each_event_once_by_batch(sandbox: Connection, hook: Hook) -> None:
    watch = sm.watch("customer", alert=hook.url, where="name != 'Bob'")
    for name in ("Ada", "Bob", "Cleo"):
        sm.call("customers.create", name=name)
    watch.poll()
    watch.poll()
    (body,) = hook.bodies
    assert [each["customer"].split(" ")[0] for each in body["events"]] == ["Ada", "Cleo"]
    assert "SANDBOX" in body["text"]
    assert "customer.created (2)" in body["text"]
    again = sm.watch("customer", alert=hook.url, where="name != 'Bob'")  # its cell runs again
    sm.call("customers.create", name="Dora")
    again.poll()
    assert [len(each["events"]) for each in hook.bodies] == [2, 1]
    assert "SECRET" not in repr(events.history().to_dict()) + str(again.status())


@pytest.mark.parametrize("status", [500, 302, 404])
def test_what_a_webhook_didnt_take_is_sent_with_the_next_pass(
    sandbox: Connection, hook: Hook, status: int
) -> None:
    watch = sm.watch("customer", alert=[hook.url])
    hook.status = status
    sm.call("customers.create", name="Ada")
    watch.poll()
    assert f"127.0.0.1 answered {status}" in watch.status()["problems"]
    assert "SECRET" not in str(watch.status())
    hook.status = 200
    sm.call("customers.create", name="Bob")
    watch.poll()
    assert [each["count"] for each in hook.bodies] == [2], "what failed and what is new, in one message"


class Mail(socketserver.ThreadingTCPServer):
    """A mail server on this machine that takes what comes."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.mails: list[str] = []
        super().__init__(("127.0.0.1", 0), _MailHandler)


class _MailHandler(socketserver.StreamRequestHandler):
    server: Mail
    timeout = 60

    def handle(self) -> None:
        self.wfile.write(b"220 mail\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines: list[bytes] = []
                while (text := self.rfile.readline()) not in {b".\r\n", b""}:
                    lines.append(text)
                self.server.mails.append(b"".join(lines).decode())
            if word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mail]:
    made = Mail()
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("SMTP_PORT", str(made.server_address[1]))
    monkeypatch.setenv("SMTP_FROM", "stripe@example.com")
    yield made
    made.shutdown()
    made.server_close()


def test_an_email_through_the_users_server(sandbox: Connection, mail: Mail) -> None:
    watch = sm.watch("customer", alert="mailto:ops@example.com")
    sm.call("customers.create", name="Ada\r\nBcc: someone@example.com")
    watch.poll()
    (text,) = mail.mails
    head, _, body = text.partition("\r\n\r\n")
    assert "To: ops@example.com" in head
    assert "customer.created" in head
    assert "Bcc" not in head, "a name can't write a line of the head"
    assert "customer.created" in body


def test_a_login_is_never_sent_without_tls(
    sandbox: Connection, mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_USER", "stripe@example.com")
    monkeypatch.setenv("SMTP_PASSWORD", "correct-horse")
    watch = sm.watch("customer", alert="mailto:ops@example.com")
    sm.call("customers.create", name="Ada")
    watch.poll()
    assert mail.mails == []
    assert "offers no TLS" in watch.status()["problems"]
    assert "correct-horse" not in str(watch.status())


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        ("email", "SMTP_HOST, SMTP_TO, SMTP_FROM isn't set"),
        ("http://example.com/hook", "must begin with https"),
        ("mailto:nobody", "SMTP_HOST"),
    ],
)
def test_what_cant_be_sent_is_said_at_once(
    sandbox: Connection, alert: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SMTP_HOST", "SMTP_TO", "SMTP_FROM", "SMTP_USER"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageFault, match=said):
        sm.watch("customer", alert=alert)
    assert len(events.status()) == 0


def test_a_misspelt_alert_is_refused(sandbox: Connection) -> None:
    with pytest.raises(UnknownName, match="Did you mean sound"):
        sm.watch("customer", alert="soudn")


def test_sound_and_notification_come_from_the_page_once_for_news(sandbox: Connection) -> None:
    sm.call("customers.create", name="before")
    watch = sm.watch("customer", alert=["sound", "desktop"])
    sent: list[dict[str, Any]] = []
    view = LiveViewModel(watch)
    view.attach(sent.append)
    view.on_message({"ready": True})
    sm.call("customers.create", name="Ada")
    sm.call("customers.create", name="Bob")
    watch.poll()
    said = [each["alert"] for each in sent if "alert" in each]
    assert [each["how"] for each in said] == [["desktop", "sound"]]
    assert "2 events: customer.created (2)" in said[0]["title"]


def test_a_line_takes_alerts(sandbox: Connection, hook: Hook) -> None:
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.run_line_magic("load_ext", "stripe_magics")
    try:
        shell.user_ns["my_hook"] = hook.url
        watch = shell.run_line_magic("stripe", "events watch --group customer --alert sound --alert $my_hook")
    finally:
        shell.run_line_magic("unload_ext", "stripe_magics")
    assert watch.page_alerts == {"sound"}
    assert [each.name.partition(" 127")[0] for each in watch.handlers] == ["alert webhook"]


def test_an_alert_on_an_endpoint_has_no_effect_and_is_refused(sandbox: Connection) -> None:
    with pytest.raises(UsageFault, match="--alert has no effect"):
        sm.watch("customer", url="https://example.com/x", alert="sound")


def test_a_message_of_many_events_names_the_first_and_counts_the_rest() -> None:
    batch = [
        {
            "id": f"evt_{n}",
            "type": "charge.failed",
            "created": 1_700_000_000,
            "data": {"object": {"id": f"ch_{n}"}},
        }
        for n in range(250)
    ]
    said = alerting.message(batch, account="Rosen Books (acct_1)", mode="live")
    assert said.subject == "Stripe LIVE Rosen Books (acct_1): 250 events: charge.failed (250)"
    assert said.text.endswith("and 150 more")


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.example.com/services/SECRET 1",
        "https://hooks.example.com:SECRET/x",
        "https://user:SECRET@hooks.example.com/x",
        "https://[::1/SECRET",
        "https://hooks.example.com/SECRET\u00e9",
        "hooks.example.com/services/SECRET",
        "hooks.example.com?token=SECRET",
        "https:SECRET",
    ],
)
def test_a_faulty_address_is_refused_and_not_shown(sandbox: Connection, address: str) -> None:
    with pytest.raises((UsageFault, UnknownName)) as caught:
        sm.watch("customer", alert=[address])
    assert "SECRET" not in str(caught.value)
    assert len(events.status()) == 0


def test_an_answer_that_is_no_http_is_an_alert_that_failed(sandbox: Connection, mail: Mail) -> None:
    url = f"http://127.0.0.1:{mail.server_address[1]}/SECRET"
    watch = sm.watch("customer", alert=[url])
    sm.call("customers.create", name="Ada")
    watch.poll()
    assert "AlertError: 127.0.0.1 couldn't be reached (BadStatusLine)" in watch.status()["problems"]


def test_an_accounts_name_writes_no_line_of_a_message() -> None:
    one = {"id": "evt_1", "type": "charge.failed", "created": 1_700_000_000, "data": {"object": {}}}
    said = alerting.message([one], account="Rosen\r\nBcc: x@example.com", mode="live")
    assert said.subject.startswith("Stripe LIVE Rosen\\r\\nBcc")


def test_a_server_that_never_ends_its_answer_holds_up_no_watch(
    sandbox: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sends a byte now and then: no single wait is long."""
    monkeypatch.setattr(alerting, "_MAX_SECONDS", 0.2)
    released = threading.Event()
    connections: list[int] = []

    class Drip(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            connections.append(1)
            for _ in range(1200):  # a minute
                if released.wait(0.05):
                    return
                self.wfile.write(b"H")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Drip) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        watch = sm.watch("customer", alert=[f"http://127.0.0.1:{server.server_address[1]}/SECRET"])
        sm.call("customers.create", name="Ada")
        watch.poll()
        first = watch.status()["problems"]
        watch.poll()
        second = watch.status()["problems"]
        begun = len(connections)
        released.set()
        server.shutdown()
    assert "no answer within 0.2 seconds" in first
    assert "the message before this one is still being sent" in second
    assert begun <= 1, "no second thread waits for the same server"


def test_a_name_mentions_nobody_and_hides_no_link(sandbox: Connection, hook: Hook) -> None:
    watch = sm.watch("customer", alert=hook.url)
    sm.call("customers.create", name="<!channel> <https://example.com|Stripe> & Co")
    watch.poll()
    (body,) = hook.bodies
    assert "&lt;!channel&gt; &lt;https://example.com|Stripe&gt; &amp; Co" in body["text"]
    assert "<" not in body["text"]
    assert body["events"][0]["customer"].startswith("<!channel> <https://example.com|Stripe> & Co")


@pytest.mark.parametrize("port", ["0", "65536", "smtp", "-1"])
def test_a_mail_port_that_cant_be_one_is_refused(
    sandbox: Connection, mail: Mail, monkeypatch: pytest.MonkeyPatch, port: str
) -> None:
    monkeypatch.setenv("SMTP_PORT", port)
    with pytest.raises(UsageFault, match="SMTP_PORT is not a port"):
        sm.watch("customer", alert="mailto:ops@example.com")


def test_a_mail_host_that_cant_be_one_is_an_alert_that_failed(
    sandbox: Connection, mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_HOST", f"{'x' * 64}.example.com")
    watch = sm.watch("customer", alert="mailto:ops@example.com")
    sm.call("customers.create", name="Ada")
    watch.poll()
    assert "didn't take the e-mail (Unicode" in watch.status()["problems"]


def test_a_comma_separates_alerts_but_no_address_into_parts(sandbox: Connection, hook: Hook) -> None:
    watch = sm.watch("customer", alert=f"sound, {hook.url}?teams=a,b,desktop")
    assert watch.page_alerts == {"sound", "desktop"}
    assert len(list(watch.handlers)) == 1
    sm.call("customers.create", name="Ada")
    watch.poll()
    assert len(hook.bodies) == 1


def test_a_variables_address_may_have_commas_in_a_line(sandbox: Connection, hook: Hook) -> None:
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.run_line_magic("load_ext", "stripe_magics")
    try:
        shell.user_ns["my_hook"] = f"{hook.url}?teams=a,b"
        line = "events watch --group customer --alert sound,desktop --alert $my_hook"
        watch = shell.run_line_magic("stripe", line)
    finally:
        shell.run_line_magic("unload_ext", "stripe_magics")
    assert watch.page_alerts == {"sound", "desktop"}
    assert len(list(watch.handlers)) == 1


@pytest.mark.parametrize("line", ["events watch --alert $number", "listen --alert $number"])
def test_an_alert_that_is_not_text_is_refused(line: str) -> None:
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.run_line_magic("load_ext", "stripe_magics")
    try:
        shell.user_ns["number"] = 5
        shell.run_line_magic("stripe", "connect --sandbox --empty")
        with pytest.raises(UsageFault, match="--alert takes a text or a list of texts, not a int"):
            shell.run_line_magic("stripe", line)
    finally:
        shell.run_line_magic("unload_ext", "stripe_magics")


def test_notify_is_sound_and_desktop(sandbox: Connection) -> None:
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.run_line_magic("load_ext", "stripe_magics")
    sent: list[dict[str, Any]] = []
    try:
        watch = shell.run_line_magic("stripe", "events watch --group customer --notify")
        quiet = shell.run_line_magic("stripe", "events watch --group customer --webhook-name quiet")
        assert quiet.page_alerts == frozenset()
        view = LiveViewModel(watch)
        view.attach(sent.append)
        view.on_message({"ready": True})
        sm.call("customers.create", name="Ada")
        watch.poll()
        assert sm.watch("customer", notify=True).page_alerts == {"sound", "desktop"}
        heard = shell.run_line_magic("stripe", "listen customer --notify")
        assert heard.page_alerts == {"sound", "desktop"}
        sm.listen(stop=True)
    finally:
        shell.run_line_magic("unload_ext", "stripe_magics")
    assert [each["alert"]["how"] for each in sent if "alert" in each] == [["desktop", "sound"]]
