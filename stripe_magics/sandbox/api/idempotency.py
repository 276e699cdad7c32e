"""One key, one effect: the first answer to a POST with an Idempotency-Key is kept for a day and given again,
declines included.

The same key with other parameters or another endpoint is refused. A request that never passed validation is
not kept.
"""

from __future__ import annotations

from hashlib import blake2b

from stripe_magics.sandbox.api.errors import ApiError
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.store import Account

LONGEST = 255


def fingerprint(method: str, path: str, given: list[tuple[str, str]]) -> str:
    """What the same request looks like, whatever the order of its parameters."""
    text = "\0".join([method, path, *(f"{name}\1{value}" for name, value in sorted(given))])
    return blake2b(text.encode(), digest_size=16).hexdigest()


def replay(account: Account, key: str, print_: str) -> tuple[int, bytes] | None:
    """The kept answer for a key, None for a new key; refuses a key that was used for something else."""
    if len(key) > LONGEST:
        raise ApiError(
            f"Idempotency-Key is limited to {LONGEST} characters; yours has {len(key)}.",
            kind="invalid_request_error",
            checked=False,
        )
    kept = account.replays.get(key)
    if kept is None:
        return None
    if account.now - kept[3] > DAY:
        del account.replays[key]
        return None
    if kept[0] != print_:
        raise ApiError(
            "Keys for idempotent requests can only be used with the same endpoint and the same parameters"
            f" they were first used with. Use another key than '{key}' for a different request.",
            kind="idempotency_error",
            checked=False,
        )
    return kept[1], kept[2]


def save_response(account: Account, key: str, print_: str, status: int, body: bytes) -> None:
    """Keep an answer for its key."""
    account.replays[key] = (print_, status, body, account.now)
