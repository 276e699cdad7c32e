"""Alerts without code: a sound, a notification on the desktop, an e-mail, a message to a webhook of one's
own.

    %stripe events watch --group charge --where "amount > 100000" --alert sound --alert email --alert $hook

- `sound` and `desktop` come from the page that shows the watch, once for a batch of events; without a page a
  terminal rings its bell.
- `email` goes through the user's own server: SMTP_HOST (and SMTP_PORT, SMTP_USER, SMTP_PASSWORD, SMTP_FROM,
  SMTP_TO) in the environment;
  `mailto:ops@example.com` names the address. A login is only ever sent over TLS.
- An address that begins with https:// gets a POST with JSON: `text` (what Slack, Mattermost and Teams'
  workflows show) and `events`.

E-mails and webhooks are sent by batch, each event once: they are handlers with a mark of their own
(handlers.py), so what happened while nothing ran is in the next message, a second kernel sends none twice,
and what could not be sent is tried again with the next pass. What is sent is what the table shows, never an
event's whole object. An address of a webhook is a secret: only its host is ever shown. A server that takes
more than 30 seconds is left to itself, so that it holds up neither the reading nor the handlers; it may get
that message twice.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import smtplib
import ssl
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from urllib.parse import SplitResult, urlsplit

from stripe_magics._json import JsonObject
from stripe_magics._text import closest_matches
from stripe_magics.errors import UnknownName, UsageFault
from stripe_magics.events.event_rows import row, visible

ON_THE_PAGE = ("sound", "desktop")
MAX_ROWS = 100  # events that one message names
# an address may have commas itself
_BETWEEN = re.compile(r"\s*,\s*(?=sound|desktop|email|mailto:|https?:|$)")
_SECONDS = 10.0  # for one answer of a server
# for a message in all: a server that sends a byte now and then never exceeds the other limit
_MAX_SECONDS = 30.0
_MAX_PORT = 65535
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_TLS_PORT = 465
_AFTER_HOST = re.compile(r"[^\w.-]")

Event = JsonObject


class AlertError(Exception):
    """An alert that couldn't be sent; its text has no secret in it."""


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """What is said of some events: one line, and a row for each."""

    subject: str
    rows: tuple[dict[str, str], ...]
    account: str
    mode: str

    @property
    def text(self) -> str:
        """The message as plain text."""
        lines = [
            "  ".join(
                each[name]
                for name in ("time", "type", "amount", "customer", "details", "object", "id")
                if each[name]
            )
            for each in self.rows[:MAX_ROWS]
        ]
        more = len(self.rows) - MAX_ROWS
        return "\n".join([self.subject, *lines, *([f"and {more:,} more"] if more > 0 else [])])


def message(events: Iterable[Event], *, account: str, mode: str) -> AlertMessage:
    """The message for a batch of events."""
    rows = tuple(row(each) for each in events)
    counts = Counter(each["type"] for each in rows)
    kinds = ", ".join(f"{name} ({count:,})" if count > 1 else name for name, count in counts.most_common(5))
    more = f", {len(counts) - 5} more types" if len(counts) > 5 else ""
    number = f"{len(rows):,} events" if len(rows) != 1 else "1 event"
    account = visible(account)  # an account's owner chose its name
    return AlertMessage(f"Stripe {mode.upper()} {account}: {number}: {kinds}{more}", rows, account, mode)


class Alert:
    """One way of sending a message. `label` is what people see of it, `id` what it is known again by."""

    def __init__(
        self,
        label: str,
        id: str,
        send: Callable[[AlertMessage], None],
        describe: Callable[[list[Event]], AlertMessage],
    ) -> None:
        self.label, self.id, self._send, self._describe = label, id, send, describe
        self._thread: threading.Thread | None = None

    def __call__(self, events: list[Event]) -> None:
        """Send a message of these events, within `_MAX_SECONDS`. Raises `AlertError`."""
        if self._thread is not None and self._thread.is_alive():
            raise AlertError(f"{self.label}: the message before this one is still being sent")
        said = self._describe(events)
        failures: list[Exception] = []
        self._thread = threading.Thread(
            target=self._send_into, args=(said, failures), name=f"stripe {self.label}", daemon=True
        )
        self._thread.start()
        self._thread.join(_MAX_SECONDS)
        if self._thread.is_alive():
            raise AlertError(f"{self.label}: no answer within {_MAX_SECONDS:g} seconds")
        if failures:
            raise failures[0]

    def _send_into(self, said: AlertMessage, failures: list[Exception]) -> None:
        try:
            self._send(said)
        except Exception as error:  # raised where the message was sent from
            failures.append(error)


def alert_names(given: Iterable[str] | str | None) -> list[str]:
    """What `--alert` was given, one by one: `sound,email` are two, an address with a comma is one."""
    texts = [given] if isinstance(given, str) else given or ()
    return [name for text in texts for name in _BETWEEN.split(str(text).strip()) if name]


def alerts(
    names: Iterable[str], describe: Callable[[list[Event]], AlertMessage]
) -> tuple[frozenset[str], list[Alert]]:
    """What `--alert` names: what the page does, and what is sent. Raises `UsageFault` for what can't be sent
    as things are."""
    page: set[str] = set()
    sent: dict[str, Alert] = {}
    for name in names:
        if name in ON_THE_PAGE:
            page.add(name)
            continue
        made = _sender(name, describe)
        sent[made.id] = made
    return frozenset(page), list(sent.values())


def _sender(name: str, describe: Callable[[list[Event]], AlertMessage]) -> Alert:
    if name == "email" or name.startswith("mailto:"):
        to = name.removeprefix("mailto:") if name != "email" else ""
        settings = _Smtp.read(os.environ, to)
        label = f"email to {settings.to}"
        return Alert(label, label, settings.send, describe)
    parts = _address(name)
    if parts.scheme in {"https", "http"} and parts.hostname:
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise UsageFault(
                "--alert: an address outside of this machine must begin with https://. Nothing is watched."
            )
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        return Alert(
            f"webhook {parts.hostname}",
            f"webhook {parts.hostname} {digest}",
            lambda said: _post(name, said),
            describe,
        )
    known = [*ON_THE_PAGE, "email"]
    shown = _AFTER_HOST.split(name, maxsplit=1)[0]  # what follows a host is its secret, without https:// too
    advice = "It takes sound, desktop, email, mailto:ADDRESS or an https:// address."
    raise UnknownName("alert", shown, closest_matches(shown, known), advice=advice)


def _address(name: str) -> SplitResult:
    """The parts of an address. Raises `UsageFault`, without the address, for what looks like one and can't
    be."""
    try:
        parts = urlsplit(name)
        valid = name.isascii() and name.isprintable() and " " not in name and "@" not in parts.netloc
        valid = valid and parts.port != 0  # raises for what is not a port
    except ValueError:
        parts, valid = SplitResult("", "", "", "", ""), False
    if not valid and any(each in name for each in "/: "):
        raise UsageFault(
            "--alert: this is not a valid address for a message (it has a space, a login, an invalid port or"
            " characters beyond ASCII). Nothing is watched."
        )
    return parts


# --- e-mail


@dataclass(frozen=True, slots=True)
class _Smtp:
    """The user's own server for mail."""

    host: str
    port: int
    user: str
    sender: str
    to: str

    @classmethod
    def read(cls, environment: Mapping[str, str], to: str) -> _Smtp:
        """From the environment. Raises `UsageFault` for what is missing."""
        host, user = environment.get("SMTP_HOST", ""), environment.get("SMTP_USER", "")
        port = environment.get("SMTP_PORT", "587")
        to = to or environment.get("SMTP_TO", "")
        sender = environment.get("SMTP_FROM", "") or user
        values = {"SMTP_HOST": host, "SMTP_TO": to, "SMTP_FROM": sender}
        missing = [name for name, value in values.items() if not value]
        if user and not environment.get("SMTP_PASSWORD"):
            missing.append("SMTP_PASSWORD")
        if missing:
            raise UsageFault(
                f"--alert email: {', '.join(missing)} isn't set. Nothing is watched.",
                advice=(
                    "Set the mail server in the environment: SMTP_HOST, SMTP_PORT (587), SMTP_USER,"
                    " SMTP_PASSWORD, SMTP_FROM, SMTP_TO."
                ),
            )
        if not port.isdecimal() or not 0 < int(port) <= _MAX_PORT:
            raise UsageFault(f"--alert email: SMTP_PORT is not a port: {port!r}. Nothing is watched.")
        for name, value in values.items():
            if any(not each.isprintable() for each in value) or (name != "SMTP_HOST" and "@" not in value):
                raise UsageFault(
                    f"--alert email: {value!r} is not an e-mail address ({name}). Nothing is watched."
                )
        return cls(host, int(port), user, sender, to)

    def send(self, said: AlertMessage) -> None:
        """Send it. Raises `AlertError`."""
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = said.subject[:200], self.sender, self.to
        mail.set_content(said.text)
        try:
            with self._server() as server:
                if self.user:
                    server.login(self.user, os.environ.get("SMTP_PASSWORD", ""))
                server.send_message(mail)
        except smtplib.SMTPAuthenticationError as error:
            raise AlertError(f"{self.host} refused the login ({error.smtp_code})") from None
        except (smtplib.SMTPException, OSError, ValueError) as error:  # ValueError: a login beyond ASCII
            raise AlertError(f"{self.host} didn't take the e-mail ({type(error).__name__})") from None

    def _server(self) -> smtplib.SMTP:
        tls = ssl.create_default_context()
        if self.port == _TLS_PORT:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=tls)
        server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        try:
            server.ehlo()
            encrypted = server.has_extn("starttls")
            if encrypted:
                server.starttls(context=tls)
        except BaseException:
            server.close()
            raise
        if not encrypted and (self.user or self.host not in _LOOPBACK):
            server.close()
            raise AlertError(f"{self.host} offers no TLS on port {self.port}, so nothing was sent to it")
        return server


# --- a webhook of the user's


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Another address than the one that was given gets nothing."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """None: the redirect is the answer, and no success."""


# What customers chose (names, descriptions) must not mention a channel or hide a link: Slack's own rule for
# text.
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def _post(url: str, said: AlertMessage) -> None:
    host = urlsplit(url).hostname
    body = {
        "text": said.text.translate(_ESCAPED),
        "account": said.account,
        "mode": said.mode,
        "events": list(said.rows[:MAX_ROWS]),
        "count": len(said.rows),
    }
    request = urllib.request.Request(  # noqa: S310 - its scheme was looked at
        url,
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "User-Agent": "stripe_magics"},
        method="POST",
    )
    try:
        with urllib.request.build_opener(_NoRedirect()).open(request, timeout=_SECONDS) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as error:
        error.close()
        raise AlertError(f"{host} answered {error.code}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise AlertError(f"{host} couldn't be reached ({type(error).__name__})") from None
