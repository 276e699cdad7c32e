"""A checkout session that expired can be taken up again for 30 days, where its shop asked for that
(`after_expiration[recovery][enabled]`). A helper does what the customer would, who follows the link:

    POST /v1/test_helpers/checkout/sessions/{session}/recover

The answer is another session of the same kind, which names the one that it was recovered from.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import checkout_sessions

_RECOVER = "POST /v1/test_helpers/checkout/sessions/{session}/recover"


def recover(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """The customer follows the link of a session that expired."""
    former = checkout_sessions.retrieve(account, {}, identifier)
    recovery = (former["after_expiration"] or {}).get("recovery")
    if not recovery or not recovery["url"]:
        raise invalid("The Checkout Session has no recovery URL: it didn't expire, or none was asked for.")
    if recovery["expires_at"] <= account.now:
        raise invalid("The recovery URL of the Checkout Session has expired.")
    given = dict(account.private_state[identifier]["recovery"])
    if recovery["allow_promotion_codes"] and not given.get("discounts"):
        given["allow_promotion_codes"] = True
    session = checkout_sessions.create(account, given)
    session["recovered_from"] = identifier
    return account.save(checkout_sessions.KIND, session)


SHAPES: dict[str, dict[str, Any]] = {_RECOVER: {"expand": {"a": "s"}}}
ROUTES: dict[str, Handler] = {_RECOVER: recover}
