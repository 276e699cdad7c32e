"""Tax transactions: the tax of a calculation is recorded as due, and reversed in full or in part.

A reversal has negative amounts. All reversals of a transaction never come to more than its own amounts, line
by line; a full one takes what the partial ones left. A reversal that was a mistake is itself reversed in
full.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import ApiError, invalid, missing, missing_param
from stripe_magics.sandbox.api.pagination import Page, inline, of_objects
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import tax_calculations

KIND = "tax.transaction"
_COPIED = ("currency", "customer", "customer_details", "ship_from_details", "tax_date")
_LINE = ("product", "quantity", "reference", "tax_behavior", "tax_code")
_PARTS = ("line_items", "shipping_cost", "flat_amount")
Amounts = tuple[int, int]
"""An amount, and the tax on it."""


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/tax/transactions/create_from_calculation."""
    named = params["calculation"]
    if account.peek("tax.calculation", named) is None:
        raise missing("tax calculation", named, "calculation", status=400)
    calculation = tax_calculations.retrieve(account, {}, named)
    made = _new(account, params, calculation, kind="transaction")
    made["shipping_cost"] = _without_breakdown(calculation["shipping_cost"])
    lines = [
        {
            **_line(account, each, (each["amount"], each["amount_tax"])),
            "metadata": dict(each.get("metadata") or {}),
            "reversal": None,
            "type": "transaction",
        }
        for each in account.link_lines[calculation["id"]]
    ]
    return _added(account, made, lines)


def _without_breakdown(cost: Object | None) -> Object | None:
    return cost and {name: value for name, value in cost.items() if name != "tax_breakdown"}


def _new(account: Account, params: dict[str, Any], like: Object, *, kind: str) -> Object:
    reference = params["reference"]
    if any(each["reference"] == reference for each in account.each(KIND)):
        raise invalid(
            f"A tax transaction with the reference '{reference}' already exists: references must be unique.",
            param="reference",
        )
    return {
        "id": account.new_id("tax"),
        "object": KIND,
        "created": account.now,
        **{name: like[name] for name in _COPIED},
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "posted_at": params.get("posted_at", account.now),
        "reference": reference,
        "reversal": None,
        "shipping_cost": None,
        "type": kind,
    }


def _line(account: Account, like: Object, amounts: Amounts) -> Object:
    return {
        "id": account.new_id("tax_li"),
        "object": "tax.transaction_line_item",
        "amount": amounts[0],
        "amount_tax": amounts[1],
        "livemode": False,
        **{name: like[name] for name in _LINE},
    }


def _added(account: Account, made: Object, lines: list[Object]) -> Object:
    account.link_lines[made["id"]] = lines
    return account.add(KIND, made)


# reversals


def reverse(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/tax/transactions/create_reversal."""
    original = account.find(
        KIND, params["original_transaction"], "original_transaction", what="tax transaction"
    )
    made = _new(account, params, original, kind="reversal")
    made["reversal"] = {"original_transaction": original["id"]}
    left = _Left(account, original)
    above = (original["reversal"] or {}).get("original_transaction")
    if above and (account.peek(KIND, above) or {}).get("type") == "reversal":
        raise invalid("What reversed a reversal can't be reversed.", param="original_transaction")
    full = params["mode"] == "full"
    if full:
        for name in _PARTS:
            if params.get(name) is not None:
                raise invalid(f"A full reversal takes no {name}.", param=name)
    elif original["type"] == "reversal":
        raise invalid("A reversal can only be reversed in full.", param="mode")
    if not any(map(any, [*left.lines.values(), left.shipping])):
        raise invalid(
            f"The tax transaction {original['id']} is fully reversed.", param="original_transaction"
        )
    take = _all if full else _of_flat if params.get("flat_amount") is not None else _of_parts
    amounts, shipping, given = take(params, left)
    lines = [
        _reversed(account, line, amounts.get(line["id"], (0, 0)), given.get(line["id"], {}))
        for line in account.link_lines[original["id"]]
        if line["id"] in given or any(amounts.get(line["id"], (0, 0)))
    ]
    if any(shipping):
        made["shipping_cost"] = {
            **original["shipping_cost"],
            "amount": -shipping[0],
            "amount_tax": -shipping[1],
        }
    return _added(account, made, lines)


def _reversed(account: Account, line: Object, part: Amounts, given: dict[str, Any]) -> Object:
    return {
        **_line(account, line, (-part[0], -part[1])),
        "metadata": merged_metadata({}, given.get("metadata")),
        "quantity": given.get("quantity", line["quantity"]),
        "reference": given.get("reference", line["reference"]),
        "reversal": {"original_line_item": line["id"]},
        "type": "reversal",
    }


class _Left:
    """What of a transaction isn't reversed yet; of a reversal that was not reversed, all of it."""

    def __init__(self, account: Account, original: Object) -> None:
        lines = account.link_lines[original["id"]]
        self.behaviors = {line["id"]: line["tax_behavior"] for line in lines}
        self.lines: dict[str, Amounts] = {line["id"]: (line["amount"], line["amount_tax"]) for line in lines}
        cost = original["shipping_cost"] or {}
        self.shipping: Amounts = (cost.get("amount", 0), cost.get("amount_tax", 0))
        self.shipping_behavior = cost.get("tax_behavior", "exclusive")
        for each in account.each(KIND):
            if (each["reversal"] or {}).get("original_transaction") == original["id"]:
                self._take(account, each)
                for undone in account.each(KIND):
                    if (undone["reversal"] or {}).get("original_transaction") == each["id"]:
                        self._take(account, undone, by=account.link_lines[each["id"]])

    def _take(self, account: Account, reversal: Object, by: Sequence[Object] = ()) -> None:
        through = {line["id"]: line["reversal"]["original_line_item"] for line in by}
        for line in account.link_lines[reversal["id"]]:
            of = line["reversal"]["original_line_item"]
            name = through.get(of, of)
            self.lines[name] = _plus(self.lines[name], (line["amount"], line["amount_tax"]))
        cost = reversal["shipping_cost"]
        if cost:
            self.shipping = _plus(self.shipping, (cost["amount"], cost["amount_tax"]))


def _plus(one: Amounts, other: Amounts) -> Amounts:
    return one[0] + other[0], one[1] + other[1]


_Parts = tuple[dict[str, Amounts], Amounts, dict[str, dict[str, Any]]]


def _all(_: dict[str, Any], left: _Left) -> _Parts:
    return left.lines, left.shipping, {}


def _of_parts(params: dict[str, Any], left: _Left) -> _Parts:
    if not params.get("line_items") and not params.get("shipping_cost"):
        raise missing_param("line_items")
    amounts: dict[str, Amounts] = {}
    given: dict[str, dict[str, Any]] = {}
    for place, each in enumerate(params.get("line_items") or ()):
        where, line = f"line_items[{place}]", each["original_line_item"]
        if line not in left.lines:
            raise missing("tax transaction line item", line, f"{where}[original_line_item]", status=400)
        if line in given:
            raise invalid(
                "Each line item can be reversed once in a call.", param=f"{where}[original_line_item]"
            )
        if any(other["reference"] == each["reference"] for other in given.values()):
            raise invalid("reference must be unique among the line items.", param=f"{where}[reference]")
        amounts[line] = _checked(each, left.lines[line], where)
        given[line] = each
    cost = params.get("shipping_cost")
    shipping = _checked(cost, left.shipping, "shipping_cost") if cost else (0, 0)
    return amounts, shipping, given


def _checked(given: dict[str, Any], left: Amounts, where: str) -> Amounts:
    for place, name in enumerate(("amount", "amount_tax")):
        part, most = -given[name], left[place]
        if min(0, most) <= part <= max(0, most):
            continue
        if part < 0 <= most:
            raise _not_negative(f"{where}[{name}]")
        raise _beyond(most, f"{where}[{name}]")
    return -given["amount"], -given["amount_tax"]


def _not_negative(param: str) -> ApiError:
    return invalid("The amount to reverse must be negative.", param=param)


def _beyond(left: int, param: str) -> ApiError:
    return invalid(f"The amount to reverse is greater than what is not reversed yet: {left}.", param=param)


def _of_flat(params: dict[str, Any], left: _Left) -> _Parts:
    """An amount with its tax, spread over what is left of each line and of the shipping."""
    for name in ("line_items", "shipping_cost"):
        if params.get(name) is not None:
            raise invalid(f"flat_amount stands alone: leave out {name}.", param=name)
    if params["flat_amount"] >= 0:
        raise _not_negative("flat_amount")
    amount = -params["flat_amount"]
    parts = [
        *((name, amounts, left.behaviors[name]) for name, amounts in left.lines.items()),
        ("", left.shipping, left.shipping_behavior),
    ]
    totals = [amounts[0] + (amounts[1] if how == "exclusive" else 0) for _, amounts, how in parts]
    if amount > sum(totals):
        raise _beyond(sum(totals), "flat_amount")
    found: dict[str, Amounts] = {}
    for (name, amounts, how), total, share in zip(parts, totals, _allocate(amount, totals), strict=True):
        tax = round(amounts[1] * share / total) if total else 0
        found[name] = (share - tax if how == "exclusive" else share, tax)
    shipping = found.pop("")
    return found, shipping, {}


def _allocate(amount: int, over: list[int]) -> list[int]:
    """Shares in proportion that add up to the amount, none above its part."""
    whole = sum(over)
    before, shares = 0, []
    reached = 0
    for each in over:
        reached += each
        until = amount * reached // whole
        shares.append(until - before)
        before = until
    return shares


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/tax/transactions/{transaction}."""
    return account.find(KIND, identifier, "transaction", what="tax transaction", status=404)


def list_lines(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/tax/transactions/{transaction}/line_items."""
    retrieve(account, {}, identifier)
    return of_objects(account.link_lines[identifier], params, f"/v1/tax/transactions/{identifier}/line_items")


def _lines(account: Account, of: Object) -> Object:
    return inline(account.link_lines[of["id"]], f"/v1/tax/transactions/{of['id']}/line_items", most=10)


ROUTES: dict[str, Handler] = {
    "POST /v1/tax/transactions/create_from_calculation": create,
    "POST /v1/tax/transactions/create_reversal": reverse,
    "GET /v1/tax/transactions/{transaction}": retrieve,
    "GET /v1/tax/transactions/{transaction}/line_items": list_lines,
}
INCLUDED = {(KIND, "line_items"): _lines}
