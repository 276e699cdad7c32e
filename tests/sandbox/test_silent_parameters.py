"""What is given has an effect or is refused: each parameter of each served operation, alone and nested,
against the same call without it.

Two accounts that were treated the same way get the same call, one of them with one more parameter. If all
that the two then hold is the same, the parameter was taken and dropped.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from each_row import each_row

from stripe_magics.sandbox.api import routes
from stripe_magics.sandbox.api.dispatcher import _find
from stripe_magics.sandbox.api.versions import OLDER

from .conftest import DAY, Talk
from .silent_parameters import (
    ALWAYS_REFUSED,
    AT,
    COMPANIONS,
    NO_VISIBLE_EFFECT,
    NOW,
    PLACES,
    World,
    base,
    state,
)

routes.install()
OWN = {name for subject in routes.SUBJECTS for name in getattr(subject, "SHAPES", {})}
WRITES = sorted(
    name
    for subject in routes.SUBJECTS
    for name in subject.ROUTES
    if not name.startswith("GET") and name not in OWN
)


@cache
def world() -> World:
    return World.prepared()


def leaves(kind: Any, name: str, depth: int = 0) -> list[tuple[str, Any]]:
    """The parameters below one: (bracket name, kind of the leaf)."""
    if isinstance(kind, tuple) and kind[0] == "object":
        if depth > 3:
            return []
        return [
            leaf for each, (of, _, _) in kind[1].items() for leaf in leaves(of, f"{name}[{each}]", depth + 1)
        ]
    if isinstance(kind, tuple) and kind[0] in {"array", "named"}:
        return leaves(kind[1], f"{name}[{0 if kind[0] == 'array' else 'eur'}]", depth)
    if isinstance(kind, tuple) and kind[0] == "one of":
        return [leaf for each in kind[1] for leaf in leaves(each, name, depth)]
    return [(name, kind)]


def shape(name: str) -> dict[str, Any]:
    method, path = name.split(" ")
    node, _ = _find(path)
    return node.routes[method].shape(OLDER) or {}


def general(name: str) -> str:
    return re.sub(r"\[\d+\]", "[]", name)


def path_of(name: str, ids: dict[str, str]) -> str:
    """The operation's path with objects in its places."""
    own = AT.get(name, {})

    def id_of(part: re.Match[str]) -> str:
        place = own.get(part[1], PLACES.get(part[1], part[1]))
        assert place in ids, (
            f"{name}: silent_parameters.py needs an object for {part[0]} in World and PLACES, a good call in"
            " base"
        )
        return ids[place]

    return re.sub(r"\{(\w+)\}", id_of, name)


def outcome(name: str, params: dict[str, Any], *, days: int = 0) -> tuple[int, str, bytes]:
    """(status, message, what the account then holds)."""
    return _outcome(name, tuple(sorted((each, str(of)) for each, of in params.items())), days)


@lru_cache(maxsize=64)
def _outcome(name: str, params: tuple[tuple[str, str], ...], days: int) -> tuple[int, str, bytes]:
    transport = world().opened()
    call = Talk(transport)
    answer = call.raw(path_of(name, world().ids), dict(params))
    call.client.close()
    if days:
        transport.advance(days * DAY)
    message = "" if answer.status_code == 200 else answer.json()["error"]["message"]
    return answer.status_code, message, state(transport) + (b"" if days else answer.content)


def required(names: dict[str, Any], target: str, prefix: str = "") -> dict[str, Any]:
    """What must stand beside a nested parameter: the required parts of each object around it."""
    found: dict[str, Any] = {}
    for name, (of, needed, _) in names.items():
        where = f"{prefix}[{name}]" if prefix else name
        inner = of
        if isinstance(inner, tuple) and inner[0] == "array":
            inner, where_in = inner[1], f"{where}[0]"
        else:
            where_in = where
        on_the_way = target == where_in or target.startswith(where_in + "[")
        if isinstance(inner, tuple) and inner[0] == "object":
            if on_the_way or (needed and prefix):
                found.update(required(inner[1], target, where_in))
        elif needed and prefix and where_in != target:
            found[where_in] = default(where_in, inner)
    return found


def default(name: str, kind: Any) -> Any:
    return candidates(name, kind)[0]


def candidates(name: str, kind: Any) -> list[Any]:
    """Values to try for a parameter."""
    ids, last = world().ids, re.findall(r"[a-z_]\w*", name)[-1]
    if last in BY_NAME:
        return [ids.get(each, each) if isinstance(each, str) else each for each in BY_NAME[last]]
    if isinstance(kind, tuple) and kind[0] == "choice":
        return list(kind[1][:8])
    if kind == "b":
        return ["true", "false"]
    if kind == "i":
        return [3, 1, 40, 250, NOW + 9 * DAY, NOW - 3 * DAY]
    if kind == "n":
        return [7.5, 12]
    return ["text", "12", "usd", "https://example.com/z", "DE", "b@example.com", "now", "en"]


BY_NAME: dict[str, list[Any]] = {
    "customer": ["other_customer", "customer"], "on_behalf_of": ["connected"], "destination": ["connected"],
    "account": ["connected"], "price": ["other_monthly", "monthly", "once", "trial_monthly", "metered"],
    "plan": ["other_monthly", "trial_monthly"], "product": ["other_product"], "coupon": ["coupon"],
    "promotion_code": ["promotion_code"], "tax_rates": ["tax_rate"], "default_tax_rates": ["tax_rate"],
    "payment_method": ["pm_card_amex", "payment_method"], "parent": ["configuration"],
    "payment_method_configuration": ["configuration"], "preference": ["on", "off"], "exp_month": ["3"],
    "exp_year": ["2041"], "test_clock": ["test_clock"], "frozen_time": [NOW + 12 * DAY],
    "default_currency": ["eur"], "default_payment_method": ["payment_method"], "default_source": ["card"],
    "source": ["tok_mastercard", "tok_visa", "card"], "invoice": ["draft", "open"],
    "subscription": ["subscription"], "charge": ["charge"], "payment_intent": ["paid_intent"],
    "shipping_rate": ["shipping_rate"], "currency": ["eur", "usd"], "country": ["FR", "US"],
    "meter": ["meter"], "email": ["b@example.com"], "receipt_email": ["b@example.com"],
    "instructions_email": ["b@example.com"], "url": ["https://example.com/q"],
    "return_url": ["https://example.com/q"], "up_to": ["inf", 5], "account_tax_ids": ["tax_id"],
    "refund": ["refund"], "default_price": ["once", "monthly"], "invoice_line_item": ["open_line"],
    "invoice_item": ["invoiceitem"], "quote": ["quote"], "from_subscription": ["subscription"],
    "trial_end": [NOW + 20 * DAY, "now"], "start_date": [NOW + 9 * DAY, "now"],
    "billing_cycle_anchor": ["now", NOW + 12 * DAY, "phase_start"], "cancel_at": [NOW + 12 * DAY],
    "redeem_by": [NOW + 30 * DAY], "expires_at": [NOW + 30 * DAY], "resumes_at": [NOW + 15 * DAY],
    "resume_at": ["now", NOW + 9 * DAY], "due_date": [NOW + 8 * DAY], "timestamp": [NOW + DAY, "now"],
    "invoice_prefix": ["ABCDEF"], "locale": ["de"], "preferred_locales": ["de"],
    "tax_code": ["txcd_99999999"], "statement_descriptor": ["SHOP ONE"],
    "statement_descriptor_suffix": ["SUFFIX"], "unit_amount_decimal": ["12.5"], "amount_decimal": ["12.5"],
    "flat_amount_decimal": ["12.5"], "percent_off": [20], "lookup_key": ["key1"], "event_name": ["m", "o"],
    "token": ["tok_mastercard"], "identifier": ["ev1", "ev2"], "backdate_start_date": [NOW - 40 * DAY],
    "proration_date": [NOW + 2 * DAY + 3600, NOW + DAY], "id": ["NEWID", "item", "line", "metered_item"],
    "effective_at": [NOW - 5 * DAY, NOW + 5 * DAY], "iban": ["AT321904300235473204"],
    "promotion_codes": ["promotion_code"], "price_data": ["x"], "day_of_month": [20], "month": [12],
    "hour": [5], "minute": [6], "second": [7],
}  # fmt: skip
"""Last name of a parameter -> what to try: names of the account's objects, or values."""


def of_type(name: str, leaf: str) -> dict[str, Any]:
    """The type of payment method that a parameter belongs to."""
    inner = re.match(r"payment_method_data\[(\w+)\]\[", leaf)
    if inner:
        more = (
            {"payment_method_data[sepa_debit][iban]": "DE89370400440532013000"}
            if inner[1] == "sepa_debit"
            else {}
        )
        return {"payment_method_data[type]": inner[1], **more}
    outer = re.match(r"(\w+)\[", leaf)
    if (
        name == "POST /v1/payment_methods"
        and outer
        and outer[1] not in {"billing_details", "metadata", "radar_options"}
    ):
        return {"type": outer[1]}
    return {}


def judge(name: str, leaf: str, kind: Any) -> tuple[str, str]:
    """("effect" | "refused" | "silent", the last message)."""
    names = shape(name)
    given = base(name, world().ids)
    message, silent = "", False
    for value in candidates(leaf, kind):
        more = COMPANIONS.get(f"{name} {general(leaf)}", {})
        beside = {**given, **{each: world().ids.get(str(of), of) for each, of in more.items()}}
        beside |= of_type(name, leaf)
        for each, of in required(names, leaf).items():
            beside.setdefault(each, of)
        key = f"{leaf}[k]" if kind in {"m", "*"} else leaf
        without = {each: of for each, of in beside.items() if each != key}
        before = outcome(name, without)
        after = outcome(name, {**without, key: value})
        if after[0] != 200:
            message = after[1]
            if kind == "b":
                return "refused", message
            continue
        if before[0] != 200 or before[2] != after[2]:
            return "effect", ""
        if outcome(name, without, days=40)[2] != outcome(name, {**without, key: value}, days=40)[2]:
            return "effect", ""
        silent = True
    return ("silent", message) if silent else ("refused", message)


@each_row("name", WRITES)
def test_nothing_is_taken_and_dropped(name) -> None:
    status, message, _ = outcome(name, base(name, world().ids))
    assert status == (400 if name in ALWAYS_REFUSED else 200), message
    silent = []
    for top, (of, _, _) in shape(name).items():
        for leaf, kind in leaves(of, top):
            if (
                general(leaf) in NO_VISIBLE_EFFECT
                or f"{name} {general(leaf)}" in NO_VISIBLE_EFFECT
                or top == "expand"
            ):
                continue
            if judge(name, leaf, kind)[0] == "silent":
                silent.append(general(leaf))
    assert silent == []
