"""Everything that can go wrong, as one tree. Pure values: no HTTP, nothing that could hold a key.

    StripeMagicsError                 str(e) is for a person: what happened, whether money moved, what to do
      +- UsageFault                   the line or cell can't be read: a quote left open, a flag twice
      |    +- UnknownName             no such module, field, choice or variable; `nearest` has the closest
      +- InvalidValue                 values that their fields refuse, all in `faults`; nothing was sent
      +- KeyRefused                   a key (or something that looks like one) where none may be
      +- NotConnected                 no connection yet
      +- FileError                    a file or folder of ours can't be used, is damaged, or is in use
      +- ConfirmationNeeded           a write that asks first, and nobody was there to say yes
      +- RepeatRefused                this very call was made before; `--again` makes it once more
      +- FrameError                   a frame can't be used in this way (also a ValueError, and a UsageFault)
      +- ColumnNotFoundError          no such column (also a KeyError, and an UnknownName)
      +- MissingData                  a report was given a frame without the columns that it needs
      +- ReportUnavailable            Stripe's own report can't be had
      +- CloseFailed                  a check of the month end failed, and `strict` was asked for
      +- BadSignature                 an event that can't be shown to be from Stripe; it was not read
      +- BadEvent                     signed by Stripe, but nothing that can be recorded as an event
      |    +- UnsupportedEvent        of the v2 API ("thin"): it carries no object; `data` is what came
      +- StripeError                  a request was made (or tried): status, code, param, request id ...
           +- NotSent                 provably nothing left this machine
           +- OutcomeUnknown          it may have been executed; `operation` tells how to find out
           |    +- Interrupted        the same, by Stop (also a KeyboardInterrupt)
           +- InvalidRequest          400, 404: Stripe refused the parameters
           |    +- NotFound           404
           |    +- IdempotencyConflict    the key was used for a different request
           +- CardDeclined            402
           +- AuthenticationFailed    401
           +- PermissionDenied        403
           +- RateLimited             429
           +- StripeUnavailable       5xx and answers that make no sense, on reads: nothing was changed
           +- IncompleteList          paging stopped early; `rows` has the pages so far
                +- StoppedList        the same, by Stop (also a KeyboardInterrupt)

The map from an HTTP answer to one of these is in client/api_errors/mapping.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from stripe_magics._characters import visible
from stripe_magics._html import output, tag
from stripe_magics._redaction import redact
from stripe_magics._text import closest_matches


class StripeMagicsError(Exception):
    """Base of all. The message is redacted when it is made, so that no way of showing it can leak a key."""

    def __init__(self, message: str, *, advice: str = "", facts: Iterable[str] = ()) -> None:
        self.message = visible(redact(message))
        self.advice = visible(redact(advice))
        self.facts = tuple(visible(redact(fact)) for fact in facts)
        super().__init__(str(self))

    def add_facts(self, *facts: str) -> None:
        """Say more: facts stand at the end of the message."""
        self.facts = (*self.facts, *(visible(redact(fact)) for fact in facts))
        self.args = (str(self),)

    def lines(self) -> list[str]:
        """What a person reads, a line each: what happened, what to do, the facts."""
        return [*self.message.splitlines(), *self.advice.splitlines(), *self.facts]

    @property
    def brief(self) -> str:
        """The problem alone, for a cell of a table or a note; where Stripe answered, with the request's
        id."""
        return self.message

    def __str__(self) -> str:
        return "\n".join(line for line in self.lines() if line)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore, (type(self), dict(self.__dict__)))

    def _render_traceback_(self, *_: object) -> list[str]:
        """IPython shows these lines in place of a traceback through library frames."""
        return [f"{type(self).__name__}: {self}"]

    def _repr_html_(self) -> str:
        head, *rest = str(self).splitlines() or [""]
        return output(tag("b", head), *(part for line in rest for part in (tag("br"), line)), role="alert")


def _restore(kind: type[StripeMagicsError], state: dict[str, Any]) -> StripeMagicsError:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    error.args = (str(error),)
    return error


class UsageFault(StripeMagicsError):
    """The text of a call can't be read."""


class UnknownName(UsageFault):
    """No such module, field, option, choice or variable."""

    def __init__(self, what: str, given: str, nearest: Sequence[str] = (), *, advice: str = "") -> None:
        self.given, self.nearest = redact(given), tuple(nearest)
        hint = f" Did you mean {' or '.join(self.nearest)}?" if nearest else ""
        super().__init__(f"Unknown {what} {given!r}.{hint}", advice=advice)


@dataclass(frozen=True, slots=True)
class Fault:
    """One value that its field refuses."""

    field: str  # the field's name, as typed: "shipping_country"
    title: str  # as a form shows it: "Shipping > Country"
    # what is wrong with what was given, and what to give: "'Germany' is not a country code; write DE"
    problem: str
    row: int | None = None  # 1-based, in a field of rows
    column: str = ""

    @property
    def flag(self) -> str:
        """As a line names it: `--shipping-country`."""
        return f"--{self.field.replace('_', '-')}"

    def __str__(self) -> str:
        place = f" row {self.row}" if self.row else ""
        place += f", {self.column}" if self.column else ""
        colon = "" if self.problem.startswith(_VERBS) else ":"
        return f"{self.flag}{place}{colon} {self.problem}"


def _sentence(text: str) -> str:
    text = text.rstrip(".")
    return text if text.endswith(("?", "!")) else f"{text}."


_VERBS = ("is ", "are ", "can't ", "goes with ", "needs ")
_FLAG = re.compile(r"(?<![\w-])--([a-z][a-z0-9]*(?:-[a-z0-9]+)*)")


class InvalidValue(StripeMagicsError):
    """Values that their fields refuse. Nothing was sent. `faults` has every one of them; the message shows
    the first 20.

    The fields are named as on a line (`--amount`); `in_keywords()` names them as in Python (`amount`).
    """

    MAX_SHOWN = 20

    def __init__(self, faults: Sequence[Fault], *, module: str = "", summary: str = "") -> None:
        self.faults = tuple(faults)
        self.module = module
        shown = [_sentence(str(each)) for each in self.faults[: self.MAX_SHOWN]]
        rest = len(self.faults) - len(shown)
        if summary or len(self.faults) != 1:
            summary = summary or f"Nothing was sent: {len(self.faults)} values can't be used."
            lines = [*shown, *([f"... and {rest:,} more."] if rest else []), summary]
            super().__init__("\n".join(lines))
        else:
            super().__init__(f"{shown[0]} Nothing was sent.")

    def in_keywords(self) -> InvalidValue:
        """The same error, worded for Python: keywords in place of flags."""
        self.message = _FLAG.sub(lambda found: found[1].replace("-", "_"), self.message)
        self.args = (str(self),)
        return self


class KeyRefused(StripeMagicsError):
    """A key where none may be. It was not used."""


class NotConnected(StripeMagicsError):
    """No connection yet."""


class FileError(StripeMagicsError):
    """A file or folder that can't be read or written, is damaged, or is in use by another process. The
    message names it."""


class ConfirmationNeeded(StripeMagicsError):
    """A write that asks first, without a yes. Nothing was sent."""


class RepeatRefused(StripeMagicsError):
    """The same call was made before. Nothing was sent."""


class ColumnNotFoundError(UnknownName, KeyError):
    """There is no such column in the frame. A KeyError too, as pandas users expect."""

    def __init__(self, name: str, columns: Iterable[object], *, advice: str = "") -> None:
        own = [str(each) for each in columns]
        super().__init__("column", name, closest_matches(name, own), advice=advice)


class FrameError(UsageFault, ValueError):
    """The frame can't be used in this way: its units, zone or account aren't known, or don't agree. A
    ValueError too, as pandas users expect."""


class MissingData(StripeMagicsError):
    """A report was given a frame without the columns it needs, or text where it needs lists."""


class ReportUnavailable(StripeMagicsError):
    """Stripe's own report can't be had: its data don't reach that far, or the run failed or took too long."""


class CloseFailed(StripeMagicsError):
    """A check of the month end failed, and `strict` was asked for."""


class BadSignature(StripeMagicsError):
    """The event can't be shown to be from Stripe. It was not read."""


class BadEvent(StripeMagicsError):
    """Signed by Stripe, but no event."""


class UnsupportedEvent(BadEvent):
    """A thin event, or one of the v2 API: it carries no object. `data` is what came."""

    data: dict[str, Any]


@dataclass(slots=True)
class Details:
    """What Stripe's answer said of a failure. All text is redacted by the error that carries it."""

    status: int | None = None
    type: str = ""
    code: str = ""
    decline_code: str = ""
    advice_code: str = ""
    network_advice_code: str = ""
    network_decline_code: str = ""
    param: str = ""  # Stripe's own bracket name
    field: str = ""  # ours: name of the field that sent it
    request_id: str = ""
    doc_url: str = ""
    charge: str = ""
    payment_intent: str = ""
    payment_intent_status: str = ""
    rate_limit_reason: str = ""
    stripe_message: str = ""
    operation: int | None = None  # number in the journal
    idempotency_key: str = ""
    maybe_executed: bool = False
    attempts: int = 0
    extra: dict[str, str] = dataclass_field(default_factory=dict)


_REQUEST = re.compile(r"[\w-]{4,100}", re.ASCII)


class StripeError(StripeMagicsError):
    """A request was made, or tried. `details` and the attributes below say what Stripe answered."""

    def __init__(
        self, message: str, *, details: Details | None = None, advice: str = "", facts: Iterable[str] = ()
    ) -> None:
        self.details = details or Details()
        self.details.stripe_message = redact(self.details.stripe_message)
        super().__init__(message, advice=advice, facts=facts)

    def lines(self) -> list[str]:
        """As of all errors; where Stripe answered, the request's id is among them."""
        lines = super().lines()
        request = self._request()
        return (
            [*lines, f"request {request}"]
            if request and not any(request in each for each in lines)
            else lines
        )

    @property
    def brief(self) -> str:
        """The problem and the request's id."""
        request = self._request()
        return (
            f"{self.message} (request {request})" if request and request not in self.message else self.message
        )

    def _request(self) -> str:
        """The id of the request, if it is one: what stands in a header may be anything."""
        return self.details.request_id if _REQUEST.fullmatch(self.details.request_id) else ""

    def __getattr__(self, name: str) -> Any:
        """`error.code`, `error.param`, `error.request_id` ... are those of `details`."""
        if name.startswith("_") or name == "details" or "details" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.details, name)


class NotSent(StripeError):
    """Provably nothing left this machine."""


class OutcomeUnknown(StripeError):
    """The call may have been executed. Don't make it again: resume or reconcile the operation."""


class Interrupted(OutcomeUnknown, KeyboardInterrupt):
    """Stopped while a write was on its way."""


class AnswerUnusable(StripeError):
    """The call was carried out, but its answer can't be shown or isn't what this connection expects. Don't
    make it again."""


class InvalidRequest(StripeError):
    """Stripe refused the parameters. Nothing was changed."""


class NotFound(InvalidRequest):
    """There is no such object (in this mode)."""


class IdempotencyConflict(InvalidRequest):
    """The idempotency key was already used for a different request."""


class CardDeclined(StripeError):
    """402: the payment was refused. No payment was taken."""


class AuthenticationFailed(StripeError):
    """401: Stripe doesn't accept the key."""


class PermissionDenied(StripeError):
    """403: the key may not do that."""


class RateLimited(StripeError):
    """429: too many requests."""


class StripeUnavailable(StripeError):
    """Stripe (or something in between) failed on a read."""


class IncompleteList(StripeError):
    """Paging stopped early. `frame` has the rows so far, if there are any."""

    frame: Any = None


class StoppedList(IncompleteList, KeyboardInterrupt):
    """Stop was pressed while a list was being read."""
