"""Tax codes: what kind of thing is sold. Stripe has several hundred; the sandbox lists the general ones. Any
other may be given where a code is, and is taxed like the usual one."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import missing
from stripe_magics.sandbox.api.pagination import Page, of_objects
from stripe_magics.sandbox.core.store import Account, Object

ELECTRONIC, NONTAXABLE, SHIPPING = "txcd_10000000", "txcd_00000000", "txcd_92010001"
CODES: dict[str, tuple[str, str]] = {
    NONTAXABLE: ("Nontaxable", "Nothing is due on it anywhere."),
    ELECTRONIC: ("General - Electronically Supplied Services", "Digital services that run by themselves."),
    "txcd_20030000": ("General - Services", "Services that no other code describes."),
    "txcd_99999999": ("General - Tangible Goods", "Things that can be touched and moved."),
    SHIPPING: ("Shipping", "The delivery of goods."),
}
"""Code -> name and description, in the order of a list."""


def _shown(code: str) -> Object:
    name, description = CODES[code]
    return {"id": code, "object": "tax_code", "description": description, "name": name}


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/tax_codes."""
    return of_objects([_shown(code) for code in CODES], params, "/v1/tax_codes")


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/tax_codes/{id}."""
    if identifier not in CODES:
        raise missing("tax code", identifier, "id", status=404)
    return _shown(identifier)


ROUTES: dict[str, Handler] = {"GET /v1/tax_codes": listing, "GET /v1/tax_codes/{id}": retrieve}
