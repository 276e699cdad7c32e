"""A customer follows a payment link (a helper's path): a checkout session with the link's lines and settings,
which the session's own helper completes.

    POST /v1/test_helpers/payment_links/{payment_link}/open

An inactive link, or one that was completed as often as it may be, opens nothing.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import checkout_sessions, payment_links
from stripe_magics.sandbox.resources.connect.connected_billing import given_again

_SAME = ("billing_address_collection", "consent_collection", "custom_fields", "custom_text", "metadata",
    "payment_method_types", "phone_number_collection", "shipping_address_collection", "submit_type",
    "tax_id_collection")  # fmt: skip
_BY_MODE = {
    "payment": ("customer_creation", "invoice_creation", "payment_intent_data"),
    "subscription": ("payment_method_collection", "subscription_data"),
}
_CONNECTED = {
    "payment": ("payment_intent_data", ("application_fee_amount", "on_behalf_of")),
    "subscription": ("subscription_data", ("application_fee_percent", "on_behalf_of")),
}
"""Mode -> the part of a session that says what of the payment is passed on, and the link's fields for it."""


def open_link(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """The session that the link leads to, still open."""
    link = payment_links.retrieve_link(account, {}, identifier)
    _check(link)
    lines = account.link_lines[identifier]
    adjustable = account.private_state.get(identifier, {}).get("adjustable") or [None] * len(lines)
    mode = "subscription" if any(line["price"]["recurring"] for line in lines) else "payment"
    given = {name: link[name] for name in (*_SAME, *_BY_MODE[mode]) if link[name] is not None}
    part, names = _CONNECTED[mode]
    passed_on = {name: link[name] for name in names if link[name] is not None}
    if link["transfer_data"]:
        passed_on["transfer_data"] = given_again(link["transfer_data"])
    if passed_on:
        given[part] = {**(given.get(part) or {}), **passed_on}
    if link["automatic_tax"]["enabled"]:
        given["automatic_tax"] = link["automatic_tax"]
    if link["shipping_options"]:
        given["shipping_options"] = [{"shipping_rate": e["shipping_rate"]} for e in link["shipping_options"]]
    if link["allow_promotion_codes"]:
        given["allow_promotion_codes"] = True
    after = link["after_completion"]
    session = checkout_sessions.create(account, {
        **given, "mode": mode,
        "success_url": (after.get("redirect") or {}).get("url") or "https://stripe.com",
        "line_items": [
            {"price": line["price"]["id"],
                **({} if line["quantity"] is None else {"quantity": line["quantity"]}),
                **({"adjustable_quantity": {"enabled": True, **chosen}} if chosen else {})}
            for line, chosen in zip(lines, adjustable, strict=True)
        ],
    })  # fmt: skip
    session["payment_link"] = identifier
    return account.save(session["object"], session)


def _check(link: Object) -> None:
    limits = (link["restrictions"] or {}).get("completed_sessions")
    if not link["active"] or (limits and limits["count"] >= limits["limit"]):
        raise invalid(
            link["inactive_message"] or "This payment link is no longer active.", param="payment_link"
        )


def completed(account: Account, session: Object) -> None:
    """A session is complete: its link counts it."""
    link = account.get("payment_link", session["payment_link"] or "")
    limits = link and (link["restrictions"] or {}).get("completed_sessions")
    if link and limits:
        link["restrictions"] = {"completed_sessions": {**limits, "count": limits["count"] + 1}}
        account.save("payment_link", link)


_OPEN = "POST /v1/test_helpers/payment_links/{payment_link}/open"
SHAPES: dict[str, dict[str, Any]] = {_OPEN: {"expand": {"a": "s"}}}
ROUTES: dict[str, Handler] = {_OPEN: open_link}
REACTIONS = {"checkout.session.completed": completed}
