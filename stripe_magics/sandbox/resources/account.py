"""Accounts as they are read and changed: the sandbox's own, and those that are connected to it."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.api.pagination import inline
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.account_objects import member, own_banks
from stripe_magics.sandbox.resources.connect import onboarding
from stripe_magics.sandbox.resources.external_accounts import add_bank


def retrieve(account: Account, params: dict[str, Any], identifier: str = "") -> Object:
    """GET /v1/account, GET /v1/accounts/{account}."""
    account = member(account, identifier)
    banks = own_banks(account)
    return {
        **account.profile,
        "external_accounts": inline(banks, f"/v1/accounts/{account.profile['id']}/external_accounts"),
    }


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/accounts/{account}: its settings and metadata and, of a connected account, what it gives to be
    switched on."""
    account = member(account, identifier)
    if account.platform is None:
        for name in ("capabilities", "company", "external_account", "individual", "tos_acceptance"):
            if params.get(name) is not None:
                raise invalid(
                    f"This is the account of the sandbox itself: its {name} can't be changed here.",
                    param=name,
                )
    me = account.profile
    before = events.snapshot(me)
    take(me, params, ("email", "metadata", "business_type", "default_currency"))
    change_settings(me, params)
    if params.get("business_profile"):
        me["business_profile"] = {**me["business_profile"], **params["business_profile"]}
    account.save_profile()
    if account.platform is not None:
        onboarding.give(account, params)
        if params.get("external_account"):
            add_bank(
                account, {"external_account": params["external_account"], "default_for_currency": True}, ""
            )
        onboarding.refresh(account)
    events.emit(account, "account.updated", account.profile, before)
    return retrieve(account, {})


def change_settings(me: Object, params: dict[str, Any]) -> None:
    """Settings part by part."""
    for part, given in (params.get("settings") or {}).items():
        present = me["settings"].setdefault(part, {})
        for name, value in (given or {}).items():
            present[name] = (
                {**present[name], **value}
                if isinstance(value, dict) and isinstance(present.get(name), dict)
                else value
            )


ROUTES: dict[str, Handler] = {
    "GET /v1/account": retrieve,
    "GET /v1/accounts/{account}": retrieve,
    "POST /v1/accounts/{account}": update,
}
