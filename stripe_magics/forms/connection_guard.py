"""A form belongs to the connection on which it was opened: what was begun on one account is never sent with
another's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stripe_magics.errors import ConfirmationNeeded
from stripe_magics.forms.form_protocol import FormView
from stripe_magics.forms.submission_state import Stage

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection


class ConnectionGuard:
    """Notices that the shared connection is another one than the form was opened or armed on."""

    def __init__(self, form: FormView) -> None:
        self.form = form
        self.connection = form.connection
        self.moved = False  # to another account, and nobody has said yes to that one yet

    def check(self) -> None:
        """Raise `ConfirmationNeeded` if the connection changed, after disarming the form and forgetting what
        it had read.

        The next press then belongs to the connection that is open now. A write whose outcome is unknown stays
        with its own connection.
        """
        now = self.form.connection
        submission = self.form.state.submission
        closed = self.connection is not None and self.connection.closed
        if submission.stage is Stage.UNKNOWN and (closed or now is not self.connection):
            raise ConfirmationNeeded(
                f"The last write belongs to {describe(self.connection)}, and"
                f" {now_open(self.connection)}. Nothing was sent.",
                advice="`%stripe pending` lists it. Connect to that account again to find out how it ended.",
            )
        if now is self.connection:
            if closed:
                submission.disarm()
                self.form.refresh()
            check_open(now)
            return
        if now is None and self.connection is not None:  # it stays that one's until another is open
            submission.disarm()
            self.form.refresh_banner()
            self.form.refresh()
            raise ConfirmationNeeded(
                f"The connection to {describe(self.connection)} was closed, and"
                f" {now_open(self.connection)}. Nothing was sent.",
                advice="`%stripe connect` opens one. Then press again.",
            )
        before, self.connection = self.connection, now
        self.moved = before is not None
        if before is None:  # opened before there was any connection: nothing of another account is in it
            self.form.refresh_banner()
            return
        submission.disarm()
        self.form.comparison.forget()
        self.form.amount.update()
        self.form.refresh_banner()
        self.form.refresh()
        old, new = describe(before), describe(now)
        raise ConfirmationNeeded(
            f"The connection changed {f'from {old} to {new}' if new != old else f'(both are {new})'}."
            " Nothing was sent.",
            advice="Check the values and press again: you are asked once more, then they are sent there.",
        )


def check_open(connection: Connection | None) -> None:
    """Raise `ConfirmationNeeded` if a connection that a widget belongs to was closed: another one is open
    now, or none."""
    if connection is None or not connection.closed:
        return
    raise ConfirmationNeeded(
        f"This belongs to {describe(connection)}, which was closed; {now_open(connection)}."
        " Nothing was sent.",
        advice=(
            "Run its cell again to open it on the connection that is open."
            if present() is not None
            else "`%stripe connect` opens one. Then run this cell again."
        ),
    )


def now_open(old: Connection | None) -> str:
    """What is connected now, where `old` was, as the end of a sentence."""
    if present() is None:
        return "no connection is open now"
    name = describe(present())
    if name == describe(old):
        return f"another connection to {name} is open now"
    return f"the connection is {name} now"


def present() -> Connection | None:
    """The connection that is open now, or None."""
    from stripe_magics.client.shared_connection import shared

    return shared()


def describe(connection: Connection | None) -> str:
    """A connection as people know it: `Acme (live)`, never its key."""
    if connection is None:
        return "none"
    name = (
        connection.name
        or connection.account
        or ("the sandbox" if connection.mode == "sandbox" else connection.key_hint)
    )
    return f"{name} ({connection.mode})" if name and connection.mode != "sandbox" else name or connection.mode
