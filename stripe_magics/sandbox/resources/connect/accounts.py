"""Connected accounts: made, listed, refused, deleted; the links by which their people come in; the persons
behind them."""

from __future__ import annotations

from typing import Any

from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing
from stripe_magics.sandbox.api.pagination import Page, of_objects, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency, checked_email
from stripe_magics.sandbox.core.clock import DAY, MINUTE, midnight
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.generic import object_shapes as shapes
from stripe_magics.sandbox.resources.account import change_settings, retrieve
from stripe_magics.sandbox.resources.account_objects import (
    RUN,
    account_object,
    connected_member,
    member,
    requirements,
)
from stripe_magics.sandbox.resources.connect import onboarding
from stripe_magics.sandbox.resources.external_accounts import add_bank

CURRENCIES = {
    "AT": "eur", "AU": "aud", "BE": "eur", "BG": "eur", "BR": "brl", "CA": "cad", "CH": "chf", "CY": "eur",
    "CZ": "czk", "DE": "eur", "DK": "dkk", "EE": "eur", "ES": "eur", "FI": "eur", "FR": "eur", "GB": "gbp",
    "GI": "gbp", "GR": "eur", "HK": "hkd", "HR": "eur", "HU": "huf", "IE": "eur", "IN": "inr", "IT": "eur",
    "JP": "jpy", "LI": "chf", "LT": "eur", "LU": "eur", "LV": "eur", "MT": "eur", "MX": "mxn", "MY": "myr",
    "NL": "eur", "NO": "nok", "NZ": "nzd", "PL": "pln", "PT": "eur", "RO": "ron", "SE": "sek", "SG": "sgd",
    "SI": "eur", "SK": "eur", "TH": "thb", "US": "usd",
}  # fmt: skip
"""Countries of connected accounts and their usual currency."""
_CONTROLLERS = {
    "standard": ("account", "stripe", "stripe", "full"),
    "express": ("application_express", "stripe", "application", "express"),
    "custom": ("application_custom", "application", "application", "none"),
}  # fmt: skip
"""Type -> who pays Stripe's fees, collects requirements, bears losses, and which dashboard there is."""
LINK_LASTS = 5 * MINUTE


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/accounts."""
    if account.platform is not None:
        raise invalid("Only a platform can create accounts: leave out Stripe-Account.")
    given = params.get("controller") or {}
    if given and params.get("type"):
        raise invalid("You may only specify one of these parameters: type, controller.", param="type")
    country = (params.get("country") or account.profile["country"]).upper()
    if country not in CURRENCIES:
        raise invalid(f"Country '{country}' is unknown, or has no connected accounts.", param="country")
    checked_email(params.get("email"), "email")
    currency = checked_currency(params.get("default_currency") or CURRENCIES[country])
    identifier = account.new_id("acct_1", 15).replace("acct_1_", "acct_1")
    made = account_object(identifier, account.now)
    made.update(
        business_profile=dict.fromkeys(made["business_profile"]), business_type=params.get("business_type"),
        capabilities={}, charges_enabled=False, country=country, default_currency=currency,
        details_submitted=False, email=params.get("email"), payouts_enabled=False,
        controller=_controller(params.get("type") or "standard", given),
        type="none" if given else params.get("type") or "standard",
        metadata=merged_metadata({}, params.get("metadata")), requirements=requirements(),
    )  # fmt: skip
    made["settings"]["dashboard"]["display_name"] = (params.get("business_profile") or {}).get("name")
    made["settings"]["card_payments"]["statement_descriptor_prefix"] = None
    made["settings"]["payments"]["statement_descriptor"] = None
    change_settings(made, params)
    made["business_profile"].update(params.get("business_profile") or {})
    account.add("account", made)
    new = Account(seed=f"{account.seed}/{identifier}", platform=account, me=identifier)
    new.clock.at(midnight(account.now) + DAY + RUN, "payouts")
    if made["type"] == "standard":
        params = {
            **params,
            "capabilities": {
                **{key: {"requested": True} for key in ("card_payments", "transfers")},
                **(params.get("capabilities") or {}),
            },
        }
    onboarding.give(new, params)
    if params.get("external_account"):
        add_bank(new, {"external_account": params["external_account"]}, "")
    onboarding.refresh(new)
    return retrieve(new, {})


def _controller(kind: str, given: Object) -> Object:
    fees, collects, losses, dashboard = _CONTROLLERS[kind]
    controller: Object = {
        "fees": {"payer": fees}, "is_controller": True, "losses": {"payments": losses},
        "requirement_collection": collects,
        "stripe_dashboard": {"type": dashboard}, "type": "application",
    }  # fmt: skip
    for name, value in given.items():
        controller[name] = {**controller[name], **value} if isinstance(value, dict) else value
    return controller


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/accounts: those that are connected."""
    found = page(account, "account", params, "/v1/accounts")
    found.rows = [retrieve(account, {}, row.id) for row in found.rows if not isinstance(row, dict)]
    return found


def _connected(account: Account, identifier: str) -> Account:
    return connected_member(account, identifier, "it can't be deleted or refused")


def delete(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/accounts/{account}: once nothing is left in its balance."""
    found = _connected(account, identifier)
    if any(amount for total in found.ledger.totals.values() for amount in total):
        raise invalid(
            f"The account {identifier} still has a balance that isn't zero: it can't be deleted.",
            param="account",
        )
    platform = found.family.platform
    gone = platform.remove("account", identifier)
    del found.family.connected[identifier]
    return gone


def reject(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/accounts/{account}/reject: it can't be used any more."""
    return _judge(
        account,
        identifier,
        {"fraud": "fraud", "terms_of_service": "terms_of_service"}.get(params["reason"], "other"),
    )


def unreject(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/accounts/{account}/unreject."""
    return _judge(account, identifier, "")


def _judge(account: Account, identifier: str, reason: str) -> Object:
    found = _connected(account, identifier)
    before = events.snapshot(found.profile)
    found.family.platform.private_state.setdefault(identifier, {})["rejected"] = reason
    onboarding.refresh(found)
    events.emit(found, "account.updated", found.profile, before)
    return retrieve(found, {})


# links


def account_link(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/account_links: where the person behind an account gives what is required."""
    found = _connected(account, params["account"])
    for name in ("refresh_url", "return_url"):
        if not params.get(name):
            raise invalid(f"You must provide a {name}.", param=name, code="parameter_missing")
    if (
        params["type"] == "account_update"
        and found.profile["controller"]["requirement_collection"] == "stripe"
    ):
        raise invalid("You cannot create account_update links for this account.", param="type")
    asked = "-".join(
        sorted(
            {
                str(part)
                for part in (params.get("collect"), *(params.get("collection_options") or {}).values())
                if part
            }
        )
    )
    token = account.letters(
        f"link{account.count}{params['type']}{asked}{params['return_url']}{params['refresh_url']}", 16
    )
    return {
        "object": "account_link", "created": account.now, "expires_at": account.now + LINK_LASTS,
        "url": f"https://connect.stripe.com/setup/sandbox/{found.profile['id']}/{token}",
    }  # fmt: skip


def login_link(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/accounts/{account}/login_links: to the Express dashboard."""
    found = _connected(account, identifier)
    if found.profile["controller"]["stripe_dashboard"]["type"] != "express":
        raise invalid("Cannot create a login link for an account without access to the Express Dashboard.")
    if not found.profile["details_submitted"]:
        raise invalid("Cannot create a login link for an account that has not completed onboarding.")
    token = account.letters(f"login{identifier}{account.now}", 12)
    return {
        "object": "login_link",
        "created": account.now,
        "url": f"https://connect.stripe.com/express/sandbox/{identifier}/{token}",
    }


# persons


def _person(account: Account, owner: str, identifier: str) -> Object:
    found = member(account, owner).family.platform.get("person", identifier)
    if found is None or found["account"] != owner:
        raise missing("person", identifier, "person")
    return found


def create_person(account: Account, params: dict[str, Any], owner: str) -> Object:
    """POST /v1/accounts/{account}/persons."""
    found = _connected(account, owner)
    checked_email(params.get("email"), "email")
    made = shapes.shown("person", shapes.new("person"), PINNED_VERSION)
    made.update(
        id=account.new_id("person"),
        account=owner,
        created=account.now,
        metadata={},
        relationship=made.get("relationship") or {},
    )
    _describe(made, params)
    found.family.platform.add("person", made)
    events.emit(found, "person.created", made)
    onboarding.refresh(found)
    return made


def _describe(person: Object, params: dict[str, Any]) -> None:
    fields = shapes.tree("person")
    shapes.give(person, params, fields)
    if "metadata" in params:
        person["metadata"] = merged_metadata(person["metadata"], params["metadata"])
    for name in ("id_number", "id_number_secondary", "ssn_last_4"):
        if params.get(name):
            person[f"{name}_provided"] = True


def retrieve_person(account: Account, params: dict[str, Any], owner: str, identifier: str) -> Object:
    """GET /v1/accounts/{account}/persons/{person}."""
    return _person(account, owner, identifier)


def update_person(account: Account, params: dict[str, Any], owner: str, identifier: str) -> Object:
    """POST /v1/accounts/{account}/persons/{person}."""
    found, person = _connected(account, owner), _person(account, owner, identifier)
    before = events.snapshot(person)
    _describe(person, params)
    found.family.platform.save("person", person)
    events.emit(found, "person.updated", person, before)
    onboarding.refresh(found)
    return person


def delete_person(account: Account, params: dict[str, Any], owner: str, identifier: str) -> Object:
    """DELETE /v1/accounts/{account}/persons/{person}."""
    found, person = _connected(account, owner), _person(account, owner, identifier)
    gone = found.family.platform.remove("person", identifier)
    events.emit(found, "person.deleted", person)
    onboarding.refresh(found)
    return gone


def list_persons(account: Account, params: dict[str, Any], owner: str) -> Page:
    """GET /v1/accounts/{account}/persons; `relationship` keeps those in that role."""
    platform = member(account, owner).family.platform
    roles = [name for name, asked in (params.get("relationship") or {}).items() if asked]
    found = [
        each
        for each in platform.each("person")
        if each["account"] == owner and all(each["relationship"].get(role) for role in roles)
    ]
    return of_objects(found[::-1], params, f"/v1/accounts/{owner}/persons")


ROUTES: dict[str, Handler] = {
    "POST /v1/accounts": create,
    "GET /v1/accounts": listing,
    "DELETE /v1/accounts/{account}": delete,
    "POST /v1/accounts/{account}/reject": reject,
    "POST /v1/accounts/{account}/unreject": unreject,
    "POST /v1/account_links": account_link,
    "POST /v1/accounts/{account}/login_links": login_link,
    "POST /v1/accounts/{account}/persons": create_person,
    "GET /v1/accounts/{account}/persons": list_persons,
    "GET /v1/accounts/{account}/persons/{person}": retrieve_person,
    "POST /v1/accounts/{account}/persons/{person}": update_person,
    "DELETE /v1/accounts/{account}/persons/{person}": delete_person,
}
