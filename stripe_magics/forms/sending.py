"""From the button to the result: check, preview, second step, send, receipt.

One `Sender` a form. `press` is the button, `confirm` and `cancel` the second step, `again` asks Stripe once more about an unknown outcome
under the same idempotency key, `afresh` begins another sending. Which of them may act is the `Submission`'s decision alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from stripe_magics.catalogue.fields import Kind, Role
from stripe_magics.catalogue.module import Effect
from stripe_magics.command import Command
from stripe_magics.errors import (
    ConfirmationNeeded,
    Fault,
    InvalidValue,
    NotSent,
    OutcomeUnknown,
    RepeatRefused,
    StripeError,
    StripeMagicsError,
)
from stripe_magics.forms import cards, result
from stripe_magics.forms.reading import in_words
from stripe_magics.forms.submission import Stage

if TYPE_CHECKING:
    from stripe_magics.forms.form import ModuleForm

LONG = 300  # rows from which a list is fetched beside the notebook's own work, with progress and Stop


class Sender:
    """The lower end of a form: its buttons, and what they do."""

    def __init__(self, form: ModuleForm, run: Callable[..., Any] | None = None) -> None:
        self.form = form
        self.run = run
        self.frame: Any = None
        self.told: BaseException | None = None  # the error that the form already shows
        self.repeat = False  # the second step is about making the same call once more
        self._stop = threading.Event()
        self._worker: threading.Thread | None = None
        self._spare: dict[str, Any] = {}
        make = form.tree.make
        self.go = make(
            w.Button, "button", description=cards.verb(form.state.module), button_style="primary", _dom_classes=("sm-go",)
        )
        self.look = make(w.Button, "button", description="Preview request")
        self.bar = make(w.HBox, "row", children=(self.go, self.look), _dom_classes=("sm-bar",))
        self.go.on_click(form.guarded(self._go_clicked))
        self.look.on_click(form.guarded(self.preview))

    # -- state ----------------------------------------------------------------------------------------------------------------------

    @property
    def _submission(self) -> Any:
        return self.form.state.submission

    @property
    def _reads(self) -> bool:
        return self.form.state.effect() is Effect.READ

    @property
    def _elsewhere(self) -> bool:
        """Whether another room serves the call: a watch without an address of one's own to be told at."""
        module = self.form.state.module
        return bool(module.door) and not any(
            self.form.state.touched(each.name) for each in module.fields if each.kind is Kind.URL
        )

    @property
    def live(self) -> bool:
        connection = self.form.connection
        return connection is not None and bool(connection.live)

    @property
    def asks(self) -> bool:
        """Whether there is a second step: what cannot be undone, and every write in live mode."""
        effect = self.form.state.effect()
        return effect is Effect.IRREVERSIBLE or (self.live and effect is not Effect.READ)

    @property
    def password(self) -> str:
        """What has to be typed in live mode: the account, until live writing is allowed; then, before what cannot be undone, the
        object's id or the amount. "" if nothing."""
        state, connection = self.form.state, self.form.connection
        if connection is None or not self.live or self._reads:
            return ""
        if not connection.guard.open:
            return self._account(connection)
        if state.effect() is not Effect.IRREVERSIBLE:
            return ""
        values = state.values()
        ids = [str(values[each.name]) for each in state.module.path_fields if each.name in values]
        return (ids[-1] if ids else "") or str(values.get("amount") or "") or "live"

    def _account(self, connection: Any) -> str:
        try:
            account = connection.account_object()
        except StripeError:  # a restricted key that may not read the account
            return str(connection.key_hint[-4:])
        return str(connection.account_name(account) or account.get("id") or connection.key_hint[-4:])

    # -- the steps --------------------------------------------------------------------------------------------------------------------

    def submit(self, confirm: bool | str = False) -> Any:
        """All steps in one, for code; raises what went wrong."""
        frame = self.press()
        if self._submission.stage is Stage.ARMED:
            if not confirm:
                self.cancel()
                raise ConfirmationNeeded(
                    f"{self.form.state.module.title} asks first. Nothing was sent.", advice="submit(confirm=True) answers yes."
                )
            frame = self.confirm(confirm if isinstance(confirm, str) else "")
            if self._submission.stage is Stage.ARMED:
                words = self.password
                self.cancel()
                raise ConfirmationNeeded("This is live. Nothing was sent.", advice=f"submit(confirm={words!r}) answers yes.")
        return frame

    def press(self) -> Any:
        """The button. Sends, or asks for the second step, or says why it does neither."""
        state, submission = self.form.state, self._submission
        if self._worker is not None and self._worker.is_alive():
            self.form.tell(cards.card("plain", "It is still running."))
            return None
        if self._elsewhere:
            return (
                self._read()
                if self.run is not None
                else self.form.tell(cards.card("plain", "Run the line above in a cell: it goes on until it is stopped."))
            )
        if self._reads:
            self._checked()
            return self._read()
        if submission.stage is not Stage.IDLE:
            self.form.tell(cards.card("plain", submission.why_not))
            return None
        shown = self.form.comparison.fetched
        if state.updates and not shown and self.form.connection is not None:
            self.form.comparison.fetch()
        self._checked()
        own = state.options.idempotency or str(state.values().get(self._own_key_field(), ""))
        if not submission.arm(own):
            return None
        self.repeat = False
        if self.asks or (state.updates and not shown):
            self._ask(self._question())
            return None
        return self._write()

    def confirm(self, typed: str = "") -> Any:
        """The second step's yes."""
        if self._submission.stage is not Stage.ARMED:
            return None
        wanted = self.password
        if wanted and (typed or self._typed().value).strip().lower() != wanted.lower():
            self.form.tell(cards.card("ask", f"This is live. Type {wanted} to go on.", role="alert"))
            return None
        if wanted and self.form.connection is not None:
            self._typed().value = ""
            self.form.connection.guard.unlock()
        return self._write()

    def cancel(self) -> None:
        """The second step's no: nothing was sent."""
        self._submission.disarm()
        self.form.tell(cards.card("plain", "Not sent."))
        self.refresh()

    def again(self) -> Any:
        """Ask Stripe again about an unknown outcome: the same call under the same key, which cannot happen twice."""
        command = self._submission.resume()
        return None if command is None else self._run_write(command)

    def afresh(self) -> None:
        """Begin another sending under a new key."""
        self._submission.renew()
        self.form.tell("")
        self.refresh()

    def preview(self) -> Any:
        """Show the exact request."""
        request = self._checked()
        self.form.tell(
            cards.preview(request, key=self._submission.key or ("made when you press the button" if not self._reads else ""))
        )
        return request

    # -- checking ---------------------------------------------------------------------------------------------------------------------

    def _checked(self) -> Any:
        """The request, or `InvalidValue` with every fault marked in the form."""
        from stripe_magics.calls import prepare

        self.told = None
        self.form.refresh_strip()
        self.form.show_faults(())
        try:
            return prepare(self.form.state.command(), connection=self.form.connection)
        except InvalidValue as invalid:
            count = "One value needs" if len(invalid.faults) == 1 else f"{len(invalid.faults)} values need"
            self.form.show_faults(invalid.faults)
            self.form.tell(cards.card("wrong", f"{count} correcting. Nothing was sent.", role="alert"))
            self.told = invalid
            raise

    def _own_key_field(self) -> str:
        found = self.form.state.module.by_role(Role.IDEMPOTENCY_KEY)
        return found.name if found is not None else ""

    def _question(self) -> str:
        """The second step in words: what, on which account, in which mode, with which values."""
        state, connection = self.form.state, self.form.connection
        mode = cards.MODES.get(connection.mode if connection is not None else "", cards.MODES["unknown"])[0]
        values = state.values()
        rows = [
            f"{found.title}: {in_words(found, raw, state)}"
            for found, raw in ((state.field(name), raw) for name, raw in values.items())
        ]
        if self.form.comparison.fetched:
            rows = self.form.comparison.about()
        rows += self._objects(values)
        undone = "This cannot be undone." if state.effect() is Effect.IRREVERSIBLE else ""
        account = connection.name or connection.account or connection.key_hint if connection is not None else ""
        words = f"{state.module.title} [{mode}]"
        typed = f"Type {self.password} to go on." if self.password else ""
        return cards.card(
            "ask",
            f"{words}: shall it be sent?",
            [*rows, f"Account: {account}" if account else "", undone, typed],
            role="alertdialog",
        )

    def _objects(self, values: dict[str, Any]) -> list[str]:
        """What the named objects amount to: a refund's charge, the payment that is captured. Nothing of whom they belong to."""
        from stripe_magics.calls import call
        from stripe_magics.forms import finding

        words = []
        for name, raw in values.items():
            field = self.form.state.field(name)
            lister = finding.lister_of(field.object) if field.kind is Kind.OBJECT_ID and field.object else None
            if lister is None or self.form.connection is None:
                continue
            try:
                found: Any = call("api.call", url=f"{lister.path}/{raw}", method="GET", raw=True, connection=self.form.connection)
            except StripeMagicsError:  # Stripe will say so itself when the call is made; here it is only asked for company
                continue
            about = ", ".join(part for part in (finding.amount(found), str(found.get("status") or "")) if part)
            words += [f"{raw}: {about}"] if about else []
        return words

    def _ask(self, html: str) -> None:
        self.form.tell(html)
        self.refresh()

    # -- sending ----------------------------------------------------------------------------------------------------------------------

    def _write(self) -> Any:
        command = self.form.state.command()
        options = replace(
            command.options, idempotency=self._submission.key, yes=True, again=command.options.again or self.repeat, dry_run=False
        )
        command = replace(command, options=options)
        return self._run_write(command) if self._submission.begin(command) else None

    def _run_write(self, command: Command) -> Any:
        submission = self._submission
        self.form.tell(cards.card("plain", "Sending ..."))
        self.refresh()
        try:
            frame = self._call(command)
        except RepeatRefused as refused:
            submission.settle(Stage.IDLE)
            submission.arm()
            self.repeat = True
            self._fail(refused, "Made before. Send it once more?")
            raise
        except OutcomeUnknown as fault:
            submission.settle(Stage.UNKNOWN)
            submission.adopt(str(fault.idempotency_key or ""))
            self._fail(fault)
            raise
        except BaseException as fault:  # whatever it is, the submission must know how it ended; it is raised again
            submission.settle(_stage(fault))
            self._fail(fault)
            raise
        submission.settle(Stage.DONE)
        self._done(frame)
        self.form.comparison.after(frame)
        return frame

    def _read(self) -> Any:
        frame = self._call(self.form.state.command())
        self._done(frame)
        return frame

    def _call(self, command: Command, **more: Any) -> Any:
        if self.run is not None:
            return self.run(command, **more)
        from stripe_magics.calls import call

        return call(command, connection=self.form.connection, **more)

    def _done(self, frame: Any) -> None:
        module = self.form.state.module
        name = result.variable(module, self.form.state.options.out)
        self.frame = frame
        bound = result.bind(name, frame)
        key = "" if self._reads else self._submission.key
        facts = result.receipt(module, frame, self.form.connection, saved_as=name if bound else "", key=key)
        notes = list(getattr(frame, "attrs", {}).get("stripe", {}).get("notes") or [])
        first = _headline(module.title, frame)
        self.form.area.show(frame, facts)
        words = [] if self.form.area.handle else [" · ".join(f"{name} {value}".strip() for name, value in facts[1:] if value)]
        self.form.tell(cards.card("good", first, [*words, *notes]) + (result.as_html(frame, facts) if result.in_voila() else ""))
        self.refresh()

    def _fail(self, fault: BaseException, question: str = "") -> None:
        """Show an error, and mark the field that Stripe names."""
        self.told = fault
        name = getattr(fault, "field", "") if isinstance(fault, StripeError) else ""
        field = self.form.state.module.get(str(name)) if name else None
        if field is not None:
            words = str(getattr(fault, "stripe_message", "") or str(fault).splitlines()[0])
            self.form.show_faults((Fault(field=field.name, title=field.title, problem=words),))
        self.form.tell(cards.error(fault) + (cards.card("ask", question) if question else ""))
        self.refresh()

    # -- long lists -------------------------------------------------------------------------------------------------------------------

    def _go_clicked(self) -> None:
        if not self._reads:
            self.press()
            return
        request = self._checked()
        if not (request.lists and (request.limit is None or request.limit > LONG)):
            self.press()
            return
        if self._worker is None or not self._worker.is_alive():
            self._stop.clear()
            self._worker = threading.Thread(target=self._fetch_long, name="stripe_magics form", daemon=True)
            self._worker.start()
            self.refresh()

    def _fetch_long(self) -> None:
        """In a thread of its own, so that Stop is heard while rows arrive."""
        said = time.monotonic()

        def progress(done: int, total: int) -> None:
            nonlocal said
            if self._stop.is_set():
                raise KeyboardInterrupt
            if time.monotonic() - said > 0.3:
                said = time.monotonic()
                self.form.tell(cards.card("plain", f"{done:,} rows so far ..."))

        def work() -> None:
            try:
                frame = self._call(self.form.state.command(), progress=progress)
            except KeyboardInterrupt:  # Stop was heard where there are no rows to keep
                self.form.tell(cards.card("plain", "Stopped."))
            else:
                self._done(frame)

        self.form.guarded(work)(None)
        self._worker = None
        self.refresh()

    def stop(self) -> None:
        """End a long list after the page under way; the rows so far are kept."""
        self._stop.set()

    # -- buttons ----------------------------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the buttons that can act now."""
        from stripe_magics.forms.form import set_children

        stage = self._submission.stage
        buttons: list[Any] = [self.go, self.look]
        if self._worker is not None:
            buttons = [self._button("Stop", self.stop), self.look]
        elif stage is Stage.ARMED:
            title = self.form.state.module.title
            words = "Send once more" if self.repeat else f"Yes, {title[0].lower()}{title[1:]}"
            typed = [self._typed()] if self.password else []
            buttons = [*typed, self._button(words, self.confirm, style="danger"), self._button("Cancel", self.cancel), self.look]
        elif stage is Stage.UNKNOWN:
            buttons = [self._button("Ask Stripe again", self.again, style="warning"), self.look]
        elif stage in {Stage.DONE, Stage.REFUSED} and not self._reads:
            words = "Start another" if stage is Stage.DONE else "Try again"
            buttons = [self.go, self.look, self._button(words, self.afresh)]
        set_children(self.bar, tuple(buttons))

    def _button(self, words: str, action: Callable[[], Any], style: str = "") -> Any:
        if words not in self._spare:
            self._spare[words] = self.form.tree.make(w.Button, "button", description=words, button_style=style)
            self._spare[words].on_click(self.form.guarded(action))
        return self._spare[words]

    def _typed(self) -> Any:
        if "typed" not in self._spare:
            self._spare["typed"] = self.form.tree.make(
                w.Text, "beside", description="To confirm, type", placeholder=self.password
            )
        return self._spare["typed"]


def _stage(fault: BaseException) -> Stage:
    """How a sending ended that raised: provably not sent, refused by Stripe, or (an error of our own, a Stop) unknown."""
    if isinstance(fault, NotSent) or (isinstance(fault, StripeMagicsError) and not isinstance(fault, StripeError)):
        return Stage.IDLE
    return Stage.REFUSED if isinstance(fault, StripeError) else Stage.UNKNOWN


def _headline(title: str, frame: Any) -> str:
    rows = len(frame) if hasattr(frame, "__len__") else 0
    ids = list(frame["id"]) if rows == 1 and "id" in getattr(frame, "columns", ()) else []
    return f"{title}: done. {ids[0] if ids else f'{rows:,} rows'}"
