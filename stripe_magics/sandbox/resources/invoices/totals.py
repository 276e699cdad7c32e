"""What an invoice adds up to. Pure arithmetic on minor units; every share is rounded once, and shares of one
sum add up to it.

    subtotal = lines - discounts of lines
    total = subtotal - discounts of the invoice + exclusive tax + shipping
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol

from stripe_magics.sandbox.resources.coupon_rules import share

Object = dict[str, Any]


class Eligible(Protocol):
    """What a discount doesn't say itself: which lines it counts for, and its amount in another currency."""

    def applies(self, discount: Object, line: Object) -> bool: ...
    def coupon(self, discount: Object, currency: str) -> Object: ...


def allocate(total: int, weights: list[int]) -> list[int]:
    """Cut a sum in proportion to weights; the parts add up to it (largest remainders first)."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    rests = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in rests[: total - sum(parts)]:
        parts[place] += 1
    return parts


def tax_on(base: int, rates: list[Object]) -> list[tuple[Object, int]]:
    """The tax of each rate on an amount: on top of it, or inside it for inclusive rates."""
    inside = sum((Decimal(str(rate["percentage"])) for rate in rates if rate["inclusive"]), Decimal(0))
    net = Decimal(base) / (1 + inside / 100)
    found = []
    for rate in rates:
        percent = Decimal(str(rate["percentage"])) / 100
        exact = net * percent if rate["inclusive"] else net * percent if inside else Decimal(base) * percent
        found.append((rate, int(exact.quantize(Decimal(1), ROUND_HALF_UP))))
    return found


def tax_entries(base: int, rates: list[Object], exempt: str) -> list[Object]:
    """The tax of each rate as it stands on a line; `exempt` is the customer's tax_exempt."""
    return [
        {
            "amount": 0 if exempt in {"exempt", "reverse"} else exact,
            "inclusive": rate["inclusive"],
            "tax_rate": rate["id"],
            "taxability_reason": {"exempt": "customer_exempt", "reverse": "reverse_charge"}.get(exempt),
            "taxable_amount": base,
        }
        for rate, exact in tax_on(base, rates)
    ]


def pretax_discount(part: Object) -> Object:
    """A discount among what lowers an amount before taxes."""
    return {
        "amount": part["amount"], "credit_balance_transaction": None, "discount": part["discount"],
        "type": "discount",
    }  # fmt: skip


def summed_credits(lines: list[Object]) -> list[Object]:
    """What lowers the lines before taxes, by discount and by credit."""
    sums: dict[str, Object] = {}
    for line in lines:
        for each in line["pretax_credit_amounts"]:
            name = each["discount"] or each["credit_balance_transaction"]
            total = sums.setdefault(name, {**each, "amount": 0})
            total["amount"] += each["amount"]
    return list(sums.values())


def compute_totals(
    lines: list[Object],
    own: dict[str, list[Object]],
    discounts: list[Object],
    taxes_of: Callable[[Object, int], list[Object]],
    *,
    eligible: Eligible,
    currency: str,
    shipping: int = 0,
    credits: Mapping[str, list[tuple[str, int]]] | None = None,
) -> Object:
    """Fill in each line's discount_amounts, pretax_credit_amounts and tax_amounts; answers the invoice's
    sums.

    `own` has the discounts of each line by its id, `discounts` those of the invoice, `credits` the billing
    credits of each line (transaction, amount), `taxes_of` the taxes of a line on what is left of it
    (`tax_entries`).
    """
    left = []
    for line in lines:
        rest = line["amount"]
        line["discount_amounts"] = []
        for discount in own.get(line["id"], ()) if line["discountable"] else ():
            if not eligible.applies(discount, line):
                continue
            off = share(eligible.coupon(discount, currency), rest, currency)
            rest -= off
            line["discount_amounts"].append({"amount": off, "discount": discount["id"]})
        left.append(rest)
    subtotal = sum(left)
    for discount in discounts:
        weights = [
            max(0, rest) if line["discountable"] and eligible.applies(discount, line) else 0
            for line, rest in zip(lines, left, strict=True)
        ]
        off = share(eligible.coupon(discount, currency), sum(weights), currency)
        for place, part in enumerate(allocate(off, weights)):
            left[place] -= part
            if weights[place]:
                lines[place]["discount_amounts"].append({"amount": part, "discount": discount["id"]})
    for place, line in enumerate(lines):
        used: list[Object] = [
            {"amount": amount, "credit_balance_transaction": name, "discount": None,
                "type": "credit_balance_transaction"}
            for name, amount in (credits or {}).get(line["id"], ())
        ]  # fmt: skip
        left[place] -= sum(each["amount"] for each in used)
        line["pretax_credit_amounts"] = [
            *(pretax_discount(each) for each in line["discount_amounts"] if each["amount"]), *used
        ]  # fmt: skip
    taxes: dict[tuple[str, bool], Object] = {}
    on_top = inside = 0
    for line, rest in zip(lines, left, strict=True):
        line["tax_amounts"] = []
        within = 0
        for entry in taxes_of(line, rest):
            amount = entry["amount"]
            line["tax_amounts"].append(entry)
            sums = taxes.setdefault(
                (entry["tax_rate"], entry["inclusive"]), {**entry, "amount": 0, "taxable_amount": 0}
            )
            sums["amount"] += amount
            sums["taxable_amount"] += entry["taxable_amount"]
            if entry["inclusive"]:
                within += amount
            else:
                on_top += amount
        inside += within
        line["amount_excluding_tax"] = line["amount"] - within
        unit = Decimal(line["amount_excluding_tax"]) / (line["quantity"] or 1)
        line["unit_amount_excluding_tax"] = format(unit.normalize(), "f")
    discounted: dict[str, int] = {}
    for line in lines:
        for each in line["discount_amounts"]:
            discounted[each["discount"]] = discounted.get(each["discount"], 0) + each["amount"]
    total = sum(left) + on_top + shipping
    any_tax = bool(taxes)
    return {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - inside,
        "tax": on_top + inside if any_tax else None,
        "total": total,
        "total_discount_amounts": [
            {"amount": amount, "discount": name} for name, amount in discounted.items()
        ],
        "total_excluding_tax": total - on_top - inside,
        "total_pretax_credit_amounts": summed_credits(lines),
        "total_tax_amounts": list(taxes.values()),
    }
