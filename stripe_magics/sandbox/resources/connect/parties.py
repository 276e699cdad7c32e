"""Who issues an invoice (`issuer`) and who is liable for its tax (`automatic_tax[liability]`): the account
itself, or one that is connected to it.

An invoice shows the name and the country of who issues it, else of the account that it is made on behalf of.
Between businesses of two countries tax is reversed: it counts where the liable account is.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid, missing, missing_param
from stripe_magics.sandbox.core.store import Account, Object


def check(account: Account, given: dict[str, Any] | None, param: str) -> None:
    """Refuse an account that isn't connected, or one that is named where the type says `self`."""
    if not given:
        return
    identifier = given.get("account")
    if given["type"] == "self":
        if identifier:
            raise invalid(f"{param}[account] goes with {param}[type]=account.", param=f"{param}[account]")
        return
    if not identifier:
        raise missing_param(f"{param}[account]")
    if account.platform is not None or account.family.member(identifier) is None:
        raise missing("account", identifier, f"{param}[account]", status=400)


def check_all(account: Account, params: dict[str, Any], *, invoices: str = "invoice_settings") -> None:
    """Refuse what a call can't say of them; `invoices` is where it has the issuer."""
    check(account, (params.get(invoices) or {}).get("issuer"), f"{invoices}[issuer]")
    check(account, (params.get("automatic_tax") or {}).get("liability"), "automatic_tax[liability]")


def party(given: dict[str, Any] | None) -> Object:
    """As an object shows it; the account itself where nothing is given."""
    if given and given["type"] == "account":
        return {"account": given["account"], "type": "account"}
    return {"type": "self"}


def liability(given: dict[str, Any] | None) -> Object | None:
    """Who is liable, of an `automatic_tax` that was given: nobody where it is off."""
    return party(given.get("liability")) if given and given.get("enabled") else None


def present(account: Account, invoice: Object) -> None:
    """Put the name and the country of who issues it on an invoice."""
    named = invoice["issuer"].get("account") or invoice["on_behalf_of"]
    shown = (account.family.member(named) if named else None) or account
    invoice.update(
        account_country=shown.profile["country"],
        account_name=shown.profile["settings"]["dashboard"]["display_name"],
    )


def liable(account: Account, automatic_tax: Object) -> Account:
    """The account whose country counts for tax."""
    named = (automatic_tax["liability"] or {}).get("account")
    return (account.family.member(named) if named else None) or account
