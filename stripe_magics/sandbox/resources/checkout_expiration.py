"""What a checkout session leaves behind when it expires: a link by which it can be recovered for 30 days
(`checkout_recovery` follows it)."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.store import Account, Object

VALID_FOR = 30 * DAY


def check(params: dict[str, Any]) -> None:
    """What can be recovered is a payment or a subscription on Stripe's own page."""
    if not ((params.get("after_expiration") or {}).get("recovery") or {}).get("enabled"):
        return
    if (params.get("mode") or "payment") == "setup" or (params.get("ui_mode") or "hosted") != "hosted":
        raise invalid(
            "Only hosted pages in `payment` or `subscription` mode can be recovered.",
            param="after_expiration[recovery]",
        )


def shown(given: dict[str, Any] | None) -> Object | None:
    """What a session says of it before it expires."""
    recovery = (given or {}).get("recovery")
    if not recovery:
        return None
    return {
        "recovery": {
            "allow_promotion_codes": recovery.get("allow_promotion_codes", False),
            "enabled": recovery["enabled"],
            "expires_at": None,
            "url": None,
        }
    }


def remember(account: Account, session: Object, params: dict[str, Any]) -> None:
    """What another session like it needs."""
    if session["after_expiration"] and session["after_expiration"]["recovery"]["enabled"]:
        kept = {name: value for name, value in params.items() if name not in {"expires_at", "expand"}}
        account.private_state[session["id"]]["recovery"] = kept


def open_for_recovery(account: Account, session: Object) -> None:
    """It expires: from now on there is a link."""
    recovery = (session["after_expiration"] or {}).get("recovery")
    if recovery and recovery["enabled"]:
        token = account.letters(f"recovery{session['id']}", 40)
        recovery.update(url=f"https://buy.stripe.com/r/test_{token}", expires_at=account.now + VALID_FOR)
