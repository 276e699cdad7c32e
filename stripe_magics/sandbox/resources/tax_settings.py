"""What automatic tax goes by: the account's settings, and where it is registered to collect.

An account without registrations collects wherever the sandbox knows a rate, so that tax can be tried out at
once. With the first registration it collects only where one is active: in its country (its state, in the US),
or, by a one-stop shop, everywhere in the European Union.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing_param
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.payment_methods.method_creation import address
from stripe_magics.sandbox.resources.tax_codes import ELECTRONIC

SETTINGS, KIND = "tax.settings", "tax.registration"
UNION = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
ONE_STOP_SHOPS = frozenset({"oss_union", "oss_non_union", "ioss"})
ADDED_TAX = frozenset({"usd", "cad"})  # currencies whose prices are shown without tax


# settings


def settings(account: Account) -> Object:
    """As they are kept, or as they are from the start: of the account's own country."""
    kept: Object | None = account.private_state.get(SETTINGS)
    return kept or {
        "defaults": {"tax_behavior": None, "tax_code": ELECTRONIC},
        "head_office": {"address": address({"country": account.profile["country"]})},
    }


def retrieve_settings(account: Account, params: dict[str, Any]) -> Object:
    """GET /v1/tax/settings."""
    return {
        "object": SETTINGS, **settings(account), "livemode": False, "status": "active",
        "status_details": {"active": {}},
    }  # fmt: skip


def update_settings(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/tax/settings."""
    now, before = settings(account), retrieve_settings(account, {})
    office = (params.get("head_office") or {}).get("address")
    if office is not None and not office.get("country"):
        raise missing_param("head_office[address][country]")
    if office is not None and office["country"] == "US" and not office.get("state"):
        raise missing_param("head_office[address][state]")
    account.private_state[SETTINGS] = {
        "defaults": {**now["defaults"], **(params.get("defaults") or {})},
        "head_office": {"address": address(office)} if office else now["head_office"],
    }
    changed = retrieve_settings(account, {})
    if changed != before:
        events.emit(account, f"{SETTINGS}.updated", changed, before)
    return changed


def inclusive(account: Account, behavior: str | None, currency: str) -> bool:
    """Whether a price has its tax inside: as it says itself, else by the settings."""
    if behavior not in {"exclusive", "inclusive"}:
        behavior = settings(account)["defaults"]["tax_behavior"]
    if behavior == "inferred_by_currency":
        return currency not in ADDED_TAX
    return behavior == "inclusive"


# registrations


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/tax/registrations."""
    country = params["country"].upper()
    options = params["country_options"]
    if set(options) != {country.lower()}:
        raise invalid(
            f"country_options has to say how the account is registered in {country}:"
            f" country_options[{country.lower()}][type].",
            param="country_options",
        )
    given = options[country.lower()]
    if given["type"] == "standard" and country in UNION:
        given = {"standard": {"place_of_supply_scheme": "standard"}, **given}
    begins = _moment(account, params["active_from"])
    made: Object = {
        "id": account.new_id("taxreg"), "object": KIND, "active_from": begins, "country": country,
        "country_options": {country.lower(): given}, "created": account.now,
        "expires_at": params.get("expires_at"), "livemode": False, "status": "active",
    }  # fmt: skip
    if made["active_from"] < account.now:
        raise invalid("active_from is now, or lies ahead.", param="active_from")
    _check_end(account, made)
    made["status"] = _status(account, made)
    return account.add(KIND, made)


def _moment(account: Account, given: Any) -> int:
    return account.now if given == "now" else int(given)


def _check_end(account: Account, made: Object) -> None:
    end = made["expires_at"]
    if end is not None and (end <= made["active_from"] or end < account.now):
        raise invalid("expires_at has to be later than active_from, and not past.", param="expires_at")


def _status(account: Account, of: Object) -> str:
    if of["expires_at"] is not None and of["expires_at"] <= account.now:
        return "expired"
    return "active" if of["active_from"] <= account.now else "scheduled"


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/tax/registrations/{id}: when it begins and ends."""
    made = retrieve(account, {}, identifier)
    if made["status"] == "expired":
        raise invalid("The registration has expired; make another.", param="id")
    if "active_from" in params:
        if made["status"] == "active":
            raise invalid("The registration is active already.", param="active_from")
        made["active_from"] = _moment(account, params["active_from"])
    if "expires_at" in params:
        end = params["expires_at"]
        made["expires_at"] = None if end is None else _moment(account, end)
        if end != "now":
            _check_end(account, made)
    made["status"] = _status(account, made)
    return account.save(KIND, made)


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/tax/registrations/{id}."""
    made = account.find(KIND, identifier, "id", what="tax registration", status=404)
    if made["status"] != _status(account, made):
        made["status"] = _status(account, made)
        account.save(KIND, made)
    return made


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/tax/registrations: those of a status, or all."""
    for row in list(account.table(KIND).ordered()):
        retrieve(account, {}, row.id)
    status = params.get("status")
    tests = [lambda row: row.value["status"] == status] if status not in {None, "all"} else []
    return page(account, KIND, params, "/v1/tax/registrations", tests=tests)


def collects(account: Account, where: Object) -> bool:
    """Whether the account collects tax at an address."""
    found = [each for each in account.each(KIND) if _status(account, each) == "active"]
    if not account.table(KIND).rows:
        return True
    return any(_covers(each, where) for each in found)


def _covers(registration: Object, where: Object) -> bool:
    country, there = registration["country"], where["country"].upper()
    options = registration["country_options"][country.lower()]
    if options["type"] in ONE_STOP_SHOPS and there in UNION:
        return True
    if country == "US" == there:
        return bool(options.get("state") == where.get("state"))
    return bool(country == there)


ROUTES: dict[str, Handler] = {
    "GET /v1/tax/settings": retrieve_settings,
    "POST /v1/tax/settings": update_settings,
    "GET /v1/tax/registrations": listing,
    "POST /v1/tax/registrations": create,
    "GET /v1/tax/registrations/{id}": retrieve,
    "POST /v1/tax/registrations/{id}": update,
}
