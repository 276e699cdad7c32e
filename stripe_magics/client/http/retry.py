"""What happens after an attempt, as tables and pure functions: try again or not, after how long, and what may
be said at the end.

An attempt ends in one of three ways (`DeliveryStatus`):

- NOT_SENT: provably no byte of the request was processed (no connection, no TLS, a proxy that refused);
- UNKNOWN: it may have been executed (a lost, cut or senseless answer);
- ANSWERED: Stripe itself answered, with a status.

`decide` reads `RULES` from the top; the first row that fits says how often the same request, with the same
key and the same bytes, is sent again. Stripe-Should-Retry overrides the table, never the limits.
`settles_earlier_attempts` says whether an answer settles the operation even though an earlier attempt was
lost: rate limits and authentication are judged before the idempotency layer and say nothing about it.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum

from stripe_magics._json import JsonObject


class DeliveryStatus(StrEnum):
    """How far an attempt got."""

    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Limits and delays; seconds. Tests make them short."""

    retries: int = 2
    rate_retries_read: int = 3
    rate_retries_write: int = 2
    # of a page of a list that is read in parallel: giving up loses more than one answer
    page_retries: int = 5
    page_rate_retries: int = 23
    in_use_retries: int = 5
    in_use_seconds: float = 30.0
    base_delay: float = 0.5
    max_delay: float = 5.0
    deadline: float = 80.0  # of one attempt, from the first byte out to the last byte in
    connect: float = 15.0
    operation: float = 360.0  # of all attempts and delays together
    max_retry_after: float = 60.0
    max_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """How one attempt ended: plain data, nothing of httpx (whose objects hold the key)."""

    reach: DeliveryStatus
    reason: str = ""  # in words: "read timeout"
    status: int = 0
    headers: Mapping[str, str] | None = None  # lower-case names
    body: bytes = b""
    data: JsonObject | None = None  # the body of a success, parsed
    code: str = ""  # of Stripe's error object
    # the body is an object of Stripe's: an error on a failure, anything else on a success
    from_stripe: bool = False
    final: bool = False  # trying again can't help: an untrusted certificate, an illegal header
    interrupted: bool = False

    def header(self, name: str) -> str:
        """A header's value, or ""."""
        return (self.headers or {}).get(name.lower(), "")

    @property
    def is_success(self) -> bool:
        """A success that can be trusted."""
        return self.reach is DeliveryStatus.ANSWERED and 200 <= self.status < 300 and self.from_stripe


class RetryReason(StrEnum):
    """The reasons to try again; each has its own limit."""

    GENERAL = "general"
    RATE = "rate"
    IN_USE = "in_use"
    NEVER = "never"


def retry_reason(outcome: AttemptResult) -> RetryReason:
    """Which limit applies to another attempt after this outcome."""
    if outcome.final or outcome.interrupted:
        return RetryReason.NEVER
    if outcome.reach is DeliveryStatus.ANSWERED and outcome.code == "idempotency_key_in_use":
        return RetryReason.IN_USE
    wish = outcome.header("stripe-should-retry").strip().lower()
    if outcome.reach is DeliveryStatus.ANSWERED and wish in {"true", "false"} and not outcome.is_success:
        return (
            (RetryReason.RATE if outcome.status == 429 else RetryReason.GENERAL)
            if wish == "true"
            else RetryReason.NEVER
        )
    if outcome.reach is not DeliveryStatus.ANSWERED:
        return RetryReason.GENERAL
    if 200 <= outcome.status < 300:
        return RetryReason.NEVER if outcome.is_success else RetryReason.GENERAL
    if outcome.status == 429 or (outcome.status == 400 and outcome.code == "rate_limit"):
        return RetryReason.RATE
    if outcome.status == 409 or outcome.status >= 500:
        return RetryReason.GENERAL
    return RetryReason.NEVER


class RequestKind(StrEnum):
    """What is sent, which decides how often: a write, a read, or a page among many that are read side by
    side."""

    WRITE = "write"
    READ = "read"
    PAGE = "page"


def limit(reason: RetryReason, policy: Policy, kind: RequestKind) -> int:
    """How many attempts more than the first one."""
    return {
        RetryReason.GENERAL: policy.page_retries if kind is RequestKind.PAGE else policy.retries,
        RetryReason.RATE: {
            RequestKind.WRITE: policy.rate_retries_write,
            RequestKind.READ: policy.rate_retries_read,
            RequestKind.PAGE: policy.page_rate_retries,
        }[kind],
        RetryReason.IN_USE: policy.in_use_retries,
        RetryReason.NEVER: 0,
    }[reason]


@dataclass(slots=True)
class Attempts:
    """The attempts of one call, for whichever loop makes them."""

    policy: Policy
    kind: RequestKind
    used: dict[RetryReason, int] = field(default_factory=dict)

    def pause(self, outcome: AttemptResult, *, spent: float) -> float | None:
        """Seconds until the next attempt, or None if there is none; `spent` are the seconds since the call
        began."""
        policy, reason = self.policy, retry_reason(outcome)
        used = self.used.get(reason, 0)
        if used >= limit(reason, policy, self.kind):
            return None
        self.used[reason] = used + 1
        pause = max(delay(used + 1, policy), retry_after(outcome.header("retry-after"), time.time(), policy))
        longest = policy.in_use_seconds if reason is RetryReason.IN_USE else policy.operation
        return pause if spent + pause <= longest else None


def delay(number: int, policy: Policy, *, jitter: float | None = None) -> float:
    """Seconds before retry `number` (from 1): 0.5, 1, 2, 4, 5, 5 ... times a jitter in [0.5, 1], never under
    the base."""
    full = min(policy.max_delay, policy.base_delay * 2.0 ** (number - 1))
    share = random.uniform(0.5, 1.0) if jitter is None else jitter  # noqa: S311 - spreads retries, no secret
    return max(policy.base_delay, full * share)


def retry_after(value: str, now: float, policy: Policy) -> float:
    """The wait that a Retry-After header asks for: seconds or a date; 0 for none, garbage and the past; at
    most 60 s."""
    text = value.strip()
    if not text:
        return 0.0
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,3})?", text, re.ASCII):
        seconds = float(text)
    else:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return min(policy.max_retry_after, max(0.0, seconds))


INCONCLUSIVE = frozenset({401, 403, 404, 407, 408, 409, 424, 425, 429})


def settles_earlier_attempts(outcome: AttemptResult, *, keyed: bool = True) -> bool:
    """Whether this answer settles an operation of which an earlier attempt was lost.

    Yes: the saved answer of this key (a success, a decline) or a refusal of the parameters, which are the
    same bytes. No: what is judged before the idempotency layer (401, 403, 429), what may have become true
    since (404), conflicts, failures of Stripe's, and whatever doesn't come from Stripe. Nor a refusal of what
    has no key (a deletion): it may be refused because the lost attempt did it; nor the one that says that the
    key belongs to other parameters.
    """
    if outcome.is_success:
        return True
    if not keyed or outcome.code == "idempotency_error":
        return False
    if outcome.reach is not DeliveryStatus.ANSWERED or not outcome.from_stripe:
        return False
    if outcome.code in {"rate_limit", "idempotency_key_in_use", "lock_timeout"}:
        return False
    return 400 <= outcome.status < 500 and outcome.status not in INCONCLUSIVE


def rejected_before_execution(outcome: AttemptResult) -> bool:
    """Whether this answer alone says that nothing was executed by the attempt that it answers."""
    if outcome.reach is not DeliveryStatus.ANSWERED or not outcome.from_stripe:
        return False
    if outcome.code == "idempotency_key_in_use":  # another attempt with this key is running
        return False
    return 400 <= outcome.status < 500 and outcome.status != 424
