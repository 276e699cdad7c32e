"""Live mode asks first.

- A write in live mode needs live writing to be unlocked: the account's name or id, typed, for 15 minutes or
  until the kernel restarts.
- A call that moves money, or destroys, then asks each time, with its amount, currency and mode in words.
- `--yes` answers both. With neither a person nor `--yes`, nothing is sent.
- More than 25 irreversible calls in one run of a cell (or, without a cell, in 15 minutes) ask again, `--yes`
  or not; `raise_limit` allows more.

An unknown mode (an organisation's key, before an answer has told) is treated as live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from stripe_magics import catalogue
from stripe_magics.catalogue.module import Effect
from stripe_magics.client.call_context import account_of
from stripe_magics.client.journal.journal import Origin
from stripe_magics.errors import ConfirmationNeeded, StripeError, UnknownName
from stripe_magics.request import Request

EXPIRES = 15 * 60.0
DEFAULT_WRITE_LIMIT = 25

Prompt = Callable[[str], str]


@dataclass(slots=True)
class LiveGuard:
    """What live mode has been allowed so far in this session."""

    now: Callable[[], float]
    until: float = 0.0
    write_limit: int = DEFAULT_WRITE_LIMIT
    _counts: dict[str, int] = field(default_factory=dict)
    _since: float = 0.0
    _last: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether live writing is unlocked at this moment."""
        return self.now() < self.until

    def unlock(self) -> None:
        """Allow live writes for 15 minutes."""
        self.until = self.now() + EXPIRES

    def lock(self) -> None:
        """Take it back."""
        self.until = 0.0

    def raise_limit(self, count: int) -> None:
        """Allow that many irreversible calls in one run instead of 25."""
        self.write_limit = count

    def count(self, origin: Origin | None) -> int:
        """How many irreversible calls this one makes in its run."""
        name = f"{origin.cell}:{origin.digest}" if origin else ""
        if origin is not None:
            run, ordinal = self._last.get(name, (origin.run, -1))
            if run != origin.run or origin.ordinal <= ordinal:
                self._counts[name] = 0
            self._last[name] = (origin.run, origin.ordinal)
        elif self.now() - self._since > EXPIRES:
            self._since = self.now()
            self._counts[name] = 0
        self._counts[name] = self._counts.get(name, 0) + 1
        return self._counts[name]


class GuardedConnection(Protocol):
    """What the guard must know of a connection: its mode, and which account a person has to name."""

    account: str
    guard: LiveGuard

    @property
    def mode(self) -> str: ...

    @property
    def live(self) -> bool: ...

    @property
    def key_hint(self) -> str: ...

    def account_object(self) -> Mapping[str, Any]: ...

    def account_name(self, account: Mapping[str, Any], /) -> str: ...


def needs_confirmation(request: Request) -> bool:
    """Whether a call moves money or destroys."""
    return request.method == "DELETE" or request.effect is Effect.IRREVERSIBLE or _amount(request) != ""


def _amount(request: Request) -> str:
    values = dict(request.params)
    amount, currency = values.get("amount", ""), values.get("currency", "")
    if not amount.isdigit():
        return ""
    if not currency:
        return f"{amount} (minor units)"
    from stripe_magics import money

    return money.format_amount(int(amount), currency)


def check(
    connection: GuardedConnection, request: Request, *, origin: Origin | None, yes: bool, ask: Prompt | None
) -> None:
    """Nothing if the call may go out. Raises `ConfirmationNeeded`; nothing was sent then."""
    if not connection.live or request.method == "GET" or request.effect is Effect.READ:
        return
    guard = connection.guard
    what = describe(connection, request)
    if not yes and ask is None:
        raise ConfirmationNeeded(
            f"{what} needs confirmation, but no one is here to confirm. Nothing was sent.",
            advice="Where no person can answer, add --yes (in Python: yes=True) to allow it.",
        )
    if ask is not None and not yes:
        if not guard.open:
            _unlock(connection, ask)
        if needs_confirmation(request):
            _expect(ask(f"{what}. Type yes to send it: "), {"yes"}, what)
    if needs_confirmation(request):
        number = guard.count(origin)
        if number > guard.write_limit:
            _wide(connection, number, what, ask)


def _unlock(connection: GuardedConnection, ask: Prompt) -> None:
    names: set[str] = set()
    problem = ""
    try:
        account = connection.account_object()
        names = {str(account.get("id") or ""), connection.account_name(account)} - {""}
    except StripeError as error:  # a restricted key that may not read the account
        problem = error.message
    shown = " / ".join(sorted(names)) if names else f"the key's last characters, {connection.key_hint[-4:]}"
    expected = names or {connection.key_hint[-4:]}
    prompt = (
        f"LIVE mode: real money. {f'({problem}) ' if problem else ''}To allow writes for 15 minutes, type"
        f" {shown}: "
    )
    _expect(ask(prompt), expected, "Writing in live mode")
    connection.guard.unlock()


def switch(
    connection: GuardedConnection, requested: str, *, ask: Prompt | None, count: int | None = None
) -> str:
    """`on` unlocks live writing (the account's name or id is asked for), `off` locks it, `allow` widens the
    limit of a run to `count`."""
    guard = connection.guard
    if requested == "off":
        guard.lock()
        return "Live writes are locked."
    if not connection.live:
        return f"This connection is in {connection.mode} mode: no money moves, and nothing asks."
    if ask is None:
        raise ConfirmationNeeded(
            "Live writes are unlocked by a person, but no one is here to confirm.",
            advice="Single calls go with --yes.",
        )
    _unlock(connection, ask)
    if requested == "allow":
        guard.raise_limit(count if count is not None else DEFAULT_WRITE_LIMIT)
        return (
            f"Live writes are allowed for 15 minutes, up to {guard.write_limit} irreversible ones in a run."
        )
    return "LIVE: writes are allowed for 15 minutes."


def _expect(answer: object, expected: set[str], what: str) -> None:
    if str(answer).strip().lower() not in {each.strip().lower() for each in expected}:
        raise ConfirmationNeeded(f"{what} was not confirmed. Nothing was sent.")


def _wide(connection: GuardedConnection, number: int, what: str, ask: Prompt | None) -> None:
    if ask is None:
        raise ConfirmationNeeded(
            f"{what} would be call {number} of its kind in this run;"
            f" {connection.guard.write_limit} are allowed in live mode. Nothing was sent.",
            advice=(
                "Allow more with `%stripe live allow 100` (in Python:"
                " stripe_magics.current().guard.raise_limit(100)), or split the work."
            ),
        )
    _expect(
        ask(
            f"LIVE: {number - 1} calls of this kind were made in this run. Type yes to double what is"
            " allowed: "
        ),
        {"yes"},
        what,
    )
    connection.guard.raise_limit(connection.guard.write_limit * 2)


def describe(connection: GuardedConnection, request: Request) -> str:
    """The call in words: mode, what it does, amount, account."""
    try:
        title = catalogue.find(request.module).title
    except UnknownName:
        title = f"{request.method} {request.path}"
    mode = "LIVE" if connection.mode == "live" else connection.mode.upper()
    amount = _amount(request)
    where = account_of(connection, request.headers)
    return f"{mode}: {title}{f' for {amount}' if amount else ''}{f' on account {where}' if where else ''}"
