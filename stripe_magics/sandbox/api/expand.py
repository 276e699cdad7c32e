"""Expansion: `expand[]=customer`, `expand[]=data.payment_intent.latest_charge`: ids become objects, at most
four levels deep.

What can be expanded comes from the generated facts (expandable.json) by object type and path. A few lists are
left out of their object unless asked for; `INCLUDED` computes these.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from stripe_magics.sandbox.api.errors import ApiError, invalid_before_execution
from stripe_magics.sandbox.api.pagination import inline
from stripe_magics.sandbox.api.version_changes import upgrade
from stripe_magics.sandbox.core.store import Account, Object, decode, kind_of

DEEPEST = 4


@cache
def _expandable() -> dict[str, list[str]]:
    """Type of object -> the paths in it that can be expanded."""
    text = Path(__file__).with_name("expandable.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _own(kind: str, path: str, field: str = "customer") -> Callable[[Account, Object], Object]:
    """The objects of a type that belong to this one, newest first."""

    def listed(account: Account, of: Object) -> Object:
        found = [account.peek(kind, each) for each in reversed(account.where(kind, **{field: of["id"]}))]
        return inline([each for each in found if each is not None], path.format(of["id"]), most=10)

    return listed


def _link_lines(account: Account, of: Object) -> Object:
    return inline(account.link_lines.get(of["id"], []), f"/v1/payment_links/{of['id']}/line_items", most=10)


def _currency_options(account: Account, of: Object) -> Any:
    return account.private_state.get(of["id"], {}).get("currency_options", {})


INCLUDED: dict[tuple[str, str], Callable[[Account, Object], Any]] = {
    ("charge", "refunds"): _own("refund", "/v1/charges/{}/refunds", "charge"),
    ("customer", "sources"): _own("card", "/v1/customers/{}/sources"),
    ("customer", "subscriptions"): _own("subscription", "/v1/customers/{}/subscriptions"),
    ("customer", "tax_ids"): _own("tax_id", "/v1/customers/{}/tax_ids"),
    ("customer", "tax"): lambda account, of: account.private_state.get(of["id"], {}).get("tax") or {
        "automatic_tax": "unrecognized_location", "ip_address": None, "location": None
    },
    ("customer", "invoice_credit_balance"): lambda account, of: (
        {of["currency"]: of["balance"]} if of.get("currency") else {}
    ),
    ("payment_link", "line_items"): _link_lines,
    ("checkout.session", "line_items"): lambda account, of: inline(
        account.link_lines.get(of["id"], []), f"/v1/checkout/sessions/{of['id']}/line_items", most=10
    ),
    ("balance", "instant_available.net_available"): lambda account, of: None,
    ("price", "tiers"): lambda account, of: account.private_state.get(of["id"], {}).get("tiers"),
    ("price", "currency_options"): _currency_options,
    ("coupon", "applies_to"): lambda account, of: account.private_state.get(of["id"], {}).get("applies_to"),
    ("coupon", "currency_options"): _currency_options,
    ("webhook_endpoint", "application"): lambda account, of: None,
}  # fmt: skip
"""(object, path) -> what is put there on demand, given the object."""


def expand(account: Account, answer: Object, paths: list[str], *, upgraded: bool = False) -> Object:
    """Replace ids in a fresh copy of an answer. Raises a refusal for what can't be expanded.

    `upgraded`: the answer has the shape of the newer version, and so have what the ids stand for.
    """
    for path in paths:
        parts = path.split(".")
        if len(parts) > DEEPEST:
            raise invalid_before_execution(
                f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}",
                param="expand",
            )
        if answer.get("object") in {"list", "search_result"}:
            if path == "total_count":
                continue  # the page has it already
            if parts[0] != "data":
                raise _refused(path, "To expand what is in a list, start with 'data.'")
            for each in answer["data"]:
                _Walk(account, path, upgraded=upgraded).into(each, parts[1:], str(each.get("object", "")), "")
        else:
            _Walk(account, path, upgraded=upgraded).into(answer, parts, str(answer.get("object", "")), "")
    return answer


def _refused(path: str, advice: str = "") -> ApiError:
    return invalid_before_execution(
        f"This property cannot be expanded ({path}). {advice}".rstrip(), param="expand"
    )


class _Walk:
    """One path through an answer."""

    def __init__(self, account: Account, path: str, *, upgraded: bool) -> None:
        self.account, self.path, self.upgraded = account, path, upgraded
        self.owner: Object = {}  # the object that is being walked through

    def fresh(self, value: object) -> Any:
        """What is put in, in the shape of the answer's version."""
        if self.upgraded:
            upgrade(self.account, value)
        return value

    def into(self, here: Object, parts: list[str], kind: str, below: str) -> None:
        """Walk one object: `kind` is the object type that `below` is a path in."""
        if not parts:
            raise _refused(self.path)
        name, rest = parts[0], parts[1:]
        where = below + name
        if not below:
            self.owner = here
        if here.get("deleted"):
            return
        if (kind, where) in INCLUDED and name not in here:
            here[name] = self.fresh(INCLUDED[kind, where](self.account, self.owner))
        allowed = _expandable().get(kind, ())
        target = where in allowed or (kind, where) in INCLUDED
        inside = any(each.startswith(where + ".") for each in allowed) or any(
            of == kind and each.startswith(where + ".") for of, each in INCLUDED
        )
        value = here.get(name)
        if isinstance(value, dict) and value.get("object") == "list":
            self.listed(here, name, rest, target=target)
        elif isinstance(value, list):
            here[name] = [self.each(each, rest, kind, where, target=target, inside=inside) for each in value]
        elif name in here or target or inside:
            here[name] = self.each(value, rest, kind, where, target=target, inside=inside)
        else:
            raise _refused(self.path)

    def listed(self, here: Object, name: str, rest: list[str], *, target: bool) -> None:
        """A list inside of an object: its elements are named by `data`."""
        if not rest:
            if not target:
                raise _refused(self.path)
            return
        if rest[0] != "data":
            raise _refused(self.path)
        for each in here[name]["data"]:
            self.into(each, rest[1:], str(each.get("object", "")), "")

    def each(
        self, value: object, rest: list[str], kind: str, where: str, *, target: bool, inside: bool
    ) -> Any:
        """One value on the way: an id becomes its object, an object is walked into, nothing stays nothing."""
        if value is None:
            if not target and not inside:
                raise _refused(self.path)
            return None
        if isinstance(value, str):
            if not target:
                raise _refused(self.path)
            found = resolve(self.account, value)
            if found is None:
                return value
            value = self.fresh(found)
        if not isinstance(value, dict):
            raise _refused(self.path)
        own = value.get("object")
        if not rest:
            if not target and not own:
                raise _refused(self.path)
            return value
        if own:
            self.into(value, rest, str(own), "")
        else:
            self.into(value, rest, kind, where + ".")
        return value


def resolve(account: Account, identifier: str) -> Object | None:
    """A fresh copy of the object that an id names; a deleted one as it is answered now; None if the sandbox
    has no such object. A platform and its connected accounts see what passed between them."""
    if identifier.startswith("ca_"):
        name = account.family.platform.profile["settings"]["dashboard"]["display_name"]
        return {"id": identifier, "object": "application", "name": name}
    kind = kind_of(identifier)
    for each in (account, *account.family.accounts()):
        if identifier in each.deleted:
            return dict(each.deleted[identifier])
        row = each.table(kind).by_id.get(identifier) if kind else None
        if row is not None:
            return decode(row.text)  # type: ignore[no-any-return]
    return None
