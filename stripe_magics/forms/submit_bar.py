"""From the button to the result: check, preview, second step, send, receipt.

One `Sender` a form. `press` is the button, `confirm` and `cancel` the second step, `again` asks Stripe once
more about an unknown outcome under the same idempotency key, `start_over` begins another sending. Which of
them may act is the `Submission`'s decision alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ipywidgets as w

from stripe_magics._command import Command
from stripe_magics.catalogue.field import Kind, Role
from stripe_magics.catalogue.module import Effect
from stripe_magics.client.journal.journal_entry import Origin, form_digest
from stripe_magics.errors import (
    ConfirmationNeeded,
    Fault,
    InvalidValue,
    OutcomeUnknown,
    RepeatRefused,
    StripeError,
    StripeMagicsError,
)
from stripe_magics.forms import confirmation, result_area
from stripe_magics.forms import html as cards
from stripe_magics.forms.background_read import ROWS, LongRead
from stripe_magics.forms.connection_guard import ConnectionGuard
from stripe_magics.forms.form_protocol import FormView
from stripe_magics.forms.form_words import in_labels
from stripe_magics.forms.run_protocols import RunCommand
from stripe_magics.forms.submission_state import Stage, stage_after
from stripe_magics.forms.widget_registry import set_children


class Sender:
    """The lower end of a form: its buttons, and what they do."""

    def __init__(self, form: FormView, run: RunCommand | None = None) -> None:
        self.form = form
        self.run = run
        self.frame: Any = None
        self.shown_error: BaseException | None = None  # the error that the form already shows
        self.repeat = False  # the second step is about making the same call once more
        self.long = LongRead(self)
        self._spare: dict[str, Any] = {}
        self._last_card = ""  # what was done last: it stays readable after a second click
        self._table = ""  # the last result, where the form itself has to show it
        self.connection_guard = ConnectionGuard(form)
        self.question: Any = None  # the panel of the second step, once it was needed
        make = form.tree.make
        self.go = make(
            w.Button,
            "button",
            description=cards.button_label(form.state.module),
            button_style="danger" if cards.destroys(form.state.module) else "primary",
            _dom_classes=("sm-go",),
        )
        self.look = make(w.Button, "button", description="Preview request")
        self.bar = make(w.HBox, "row", children=(self.go, self.look), _dom_classes=("sm-bar",))
        self.go.on_click(form.guarded(self._go_clicked))
        self.look.on_click(form.guarded(self.preview))

    # -- state -----------------------------------------------------------------------------------------------
    @property
    def _submission(self) -> Any:
        return self.form.state.submission

    @property
    def _reads(self) -> bool:
        return self.form.state.effect() is Effect.READ

    @property
    def _elsewhere(self) -> bool:
        """Whether a handler serves the call in place of a request: a watch without a webhook address of its
        own."""
        module = self.form.state.module
        return bool(module.handler) and not any(
            self.form.state.touched(each.name) for each in module.fields if each.kind is Kind.URL
        )

    # -- the steps -------------------------------------------------------------------------------------------
    def submit(self, confirm: bool | str = False) -> Any:  # noqa: FBT001, FBT002 - public as it is
        """All steps in one, for code; raises what went wrong."""
        frame = self.press()
        if self._submission.stage is Stage.ARMED:
            if not confirm:
                self.cancel()
                raise ConfirmationNeeded(
                    f"{self.form.state.module.title} asks first. Nothing was sent.",
                    advice="submit(confirm=True) answers yes.",
                )
            frame = self.confirm(confirm if isinstance(confirm, str) else "")
            if self._submission.stage is Stage.ARMED:
                words = confirmation.confirmation_phrase(self.form)
                self.cancel()
                raise ConfirmationNeeded(
                    "This is live. Nothing was sent.", advice=f"submit(confirm={words!r}) answers yes."
                )
        return frame

    def press(self, *, by_hand: bool = False) -> Any:
        """The button. Sends, or asks for the second step, or says why it does neither.

        `by_hand`: after the connection changed, a person is asked: the second click of a double click comes
        before anybody has read that.
        """
        state, submission = self.form.state, self._submission
        if not self._reads:
            self.connection_guard.check()
        if self.long.running:
            self.form.show_message(cards.card("plain", "It is still running."))
            return None
        if self._elsewhere:
            return (
                self._read()
                if self.run is not None
                else self.form.show_message(
                    cards.card("plain", "Run the line above in a cell: it goes on until it is stopped.")
                )
            )
        if self._reads:
            self._checked()
            return self._read()
        if submission.stage is not Stage.IDLE:
            self.form.show_message(self._last_card + cards.card("plain", submission.why_not))
            return None
        self._checked()
        shown = self.form.comparison.fetched
        if state.updates and not shown and self.form.connection is not None:
            self.form.comparison.fetch()
            self._checked()
        ask = by_hand and self.connection_guard.moved
        own = state.options.idempotency or str(state.values().get(self._own_key_field(), ""))
        if not submission.arm(own):
            return None
        self.repeat = False
        if ask or confirmation.needs_confirmation(self.form) or (state.updates and not shown):
            self._ask(confirmation.confirmation_html(self.form))
            return None
        return self._write()

    def confirm(self, typed: str = "") -> Any:
        """The second step's yes."""
        if self._submission.stage is not Stage.ARMED:
            return None
        self.connection_guard.check()
        requested = confirmation.confirmation_phrase(self.form)
        if requested and (typed or self._typed().value).strip().lower() != requested.lower():
            self.form.show_message(
                cards.card("ask", f"This is live. Type {requested} to go on.", role="alert")
            )
            return None
        if requested and self.form.connection is not None:
            self._typed().value = ""
            self.form.connection.guard.unlock()
        return self._write()

    def cancel(self) -> None:
        """The second step's no: nothing was sent."""
        self._submission.disarm()
        self.form.show_message(cards.card("plain", "Not sent."))
        self.refresh()

    def retry_unknown(self) -> Any:
        """Ask Stripe again about an unknown outcome: the same call under the same key, which cannot happen
        twice."""
        self.connection_guard.check()
        command = self._submission.resume()
        return None if command is None else self._run_write(command)

    def start_over(self) -> None:
        """Begin another sending under a new key."""
        self._submission.renew()
        self.form.show_message("")
        self.refresh()

    def preview(self) -> Any:
        """Show the exact request."""
        request = self._checked()
        self.form.show_message(
            cards.preview(
                request,
                key=self._submission.key or ("made when you press the button" if not self._reads else ""),
            )
        )
        return request

    # -- checking --------------------------------------------------------------------------------------------
    def _checked(self) -> Any:
        """The request, or `InvalidValue` with every fault marked in the form."""
        from stripe_magics.pipeline import prepare

        self.shown_error = None
        self.form.refresh_banner()
        self.form.show_faults(())
        unclear = self.form.state.unclear_amounts()
        try:
            request = prepare(self.form.state.command(), connection=self.form.connection)
            if unclear:
                raise InvalidValue(unclear, module=self.form.state.module.name)  # noqa: TRY301 - with the rest
            self.form.amount.check_left(self.form.state.module.name)
        except InvalidValue as invalid:
            own = {each.field: each for each in unclear}
            faults = tuple(own.pop(each.field, each) for each in invalid.faults) + tuple(own.values())
            count = "One value needs" if len(faults) == 1 else f"{len(faults)} values need"
            self.form.show_faults(faults)
            self.form.show_message(
                cards.card("wrong", f"{count} correcting. Nothing was sent.", role="alert")
            )
            self.shown_error = invalid
            raise
        return request

    def _own_key_field(self) -> str:
        found = self.form.state.module.by_role(Role.IDEMPOTENCY_KEY)
        return found.name if found is not None else ""

    def _ask(self, html: str) -> None:
        self.form.show_message(html)
        if moved := self.form.amount.confirmation_text():
            self._question().show("say", text=f"{self.form.state.module.title}: {moved}")
        self.form.refresh()

    def _question(self) -> Any:
        """Where the second step names the payer: a panel that keeps nothing."""
        if self.question is None:
            from stripe_magics.forms.ephemeral_panel import EphemeralPanel

            self.question = self.form.tree.make(EphemeralPanel, "wide", on_message=lambda _: None)
        return self.question

    # -- sending ---------------------------------------------------------------------------------------------
    def _write(self) -> Any:
        command = self.form.state.command()
        options = replace(
            command.options,
            idempotency=self._submission.key,
            yes=True,
            again=command.options.again or self.repeat,
            dry_run=False,
        )
        command = replace(command, options=options)
        self.connection_guard.moved = False
        return self._run_write(command) if self._submission.begin(command) else None

    def _run_write(self, command: Command) -> Any:
        submission = self._submission
        self.form.show_message(cards.card("plain", "Sending ..."))
        self.refresh()
        try:
            frame = self.call(command, origin=self._origin())
        except RepeatRefused as refused:
            submission.finish(Stage.IDLE)
            if refused.__dict__.get("under_way"):  # how that one ends comes first: no second one is offered
                self._fail(refused)
                raise
            submission.arm()
            self.repeat = True
            self._fail(refused, "Send it once more?")
            raise
        except OutcomeUnknown as fault:
            submission.finish(Stage.UNKNOWN)
            submission.adopt(str(fault.idempotency_key or ""))
            self._fail(fault)
            raise
        except BaseException as fault:
            # whatever it is, the submission must know how it ended; it is raised again
            submission.finish(stage_after(fault))
            self._fail(fault)
            raise
        submission.finish(Stage.DONE)
        self.done(frame)
        if unread := self.form.comparison.after():
            self._last_card += cards.card("plain", unread)
            self.form.show_message(self._last_card + self._table)
        return frame

    def _origin(self) -> Origin | None:
        """Where the submission stands in the journal: under its own key, as one call of the cell that made
        the form."""
        submission = self._submission
        if submission.key_given:
            return None
        return Origin(
            cell=self.form.cell_name, digest=form_digest(submission.key), ordinal=1, nth=1, key=submission.key
        )

    def _read(self) -> Any:
        frame = self.call(self.form.state.command())
        self.done(frame)
        return frame

    def call(self, command: Command, **more: Any) -> Any:
        """Make a call, on the connection that was checked: another thread may connect elsewhere at this
        moment."""
        from stripe_magics.pipeline import call

        connection = self.form.connection if self._reads else self.connection_guard.connection
        return (self.run or call)(command, connection=connection, **more)

    def done(self, frame: object) -> None:
        module = self.form.state.module
        name = result_area.variable(module, self.form.state.options.out)
        self.frame = frame
        bound = result_area.bind(name, frame)
        key = "" if self._reads else self._submission.key
        facts = result_area.receipt(
            module, frame, self.form.connection, saved_as=name if bound else "", key=key
        )
        notes = [
            in_labels(each, module)
            for each in getattr(frame, "attrs", {}).get("stripe", {}).get("notes") or []
        ]
        first = result_area.headline(module.title, frame)
        self.form.area.show(frame, facts)
        words = (
            []
            if self.form.area.handle
            else [" · ".join(f"{name} {value}".strip() for name, value in facts[1:] if value)]
        )
        self._last_card = cards.card("good", first, [*words, *notes])
        self._table = result_area.as_html(frame, facts) if result_area.in_voila() else ""
        self.form.show_message(self._last_card + self._table)
        self.refresh()

    def _fail(self, fault: BaseException, confirmation_html: str = "") -> None:
        """Show an error, and mark the field that Stripe names."""
        self.shown_error = fault
        name = getattr(fault, "field", "") if isinstance(fault, StripeError) else ""
        field = self.form.state.module.get(str(name)) if name else None
        if field is not None:
            words = str(getattr(fault, "stripe_message", "") or str(fault).splitlines()[0])
            self.form.show_faults((Fault(field=field.name, title=field.title, problem=words),))
        self._last_card = cards.error(fault, lambda words: in_labels(words, self.form.state.module))
        if confirmation_html and isinstance(fault, StripeMagicsError):  # the button says it, not a flag
            self._last_card = cards.card("wrong", fault.brief, role="alert")
        self.form.show_message(
            self._last_card + (cards.card("ask", confirmation_html) if confirmation_html else "")
        )
        self.refresh()

    def _go_clicked(self) -> None:
        if not self._reads:
            self.press(by_hand=True)
            return
        request = self._checked()
        if not (request.lists and (request.limit is None or request.limit > ROWS)):
            self.press()
            return
        if not self.long.running:
            self.long.start()
            self.refresh()

    # -- buttons ---------------------------------------------------------------------------------------------
    def refresh(self) -> None:
        """Show the buttons that can act now."""
        stage = self._submission.stage
        buttons: list[Any] = [self.go, self.look]
        if self.long.running:
            buttons = [self._button("Stop", self.long.stop), self.look]
        elif stage is Stage.ARMED:
            title = self.form.state.module.title
            words = "Send once more" if self.repeat else f"Yes, {title[0].lower()}{title[1:]}"
            typed = [self._typed()] if confirmation.confirmation_phrase(self.form) else []
            buttons = [
                *typed,
                self._button(words, self.confirm, style="danger"),
                self._button("Cancel", self.cancel),
                self.look,
            ]
        elif stage is Stage.UNKNOWN:
            buttons = [self._button("Ask Stripe again", self.retry_unknown, style="warning"), self.look]
        elif stage in {Stage.DONE, Stage.REFUSED} and not self._reads:
            words = "Start another" if stage is Stage.DONE else "Try again"
            buttons = [self.go, self.look, self._button(words, self.start_over)]
        if self.question is not None and stage is not Stage.ARMED:
            self.question.empty()
        set_children(self.bar, tuple(buttons))

    def _button(self, words: str, action: Callable[[], Any], style: str = "") -> Any:
        if words not in self._spare:
            self._spare[words] = self.form.tree.make(
                w.Button, "button", description=words, button_style=style
            )
            self._spare[words].on_click(self.form.guarded(action))
        return self._spare[words]

    def _typed(self) -> Any:
        if "typed" not in self._spare:
            self._spare["typed"] = self.form.tree.make(w.Text, "beside", description="To confirm, type")
        self._spare["typed"].placeholder = confirmation.confirmation_phrase(self.form)
        return self._spare["typed"]
