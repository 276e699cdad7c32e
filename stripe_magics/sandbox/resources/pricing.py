"""What a price comes to for a quantity: per unit, in packages, in tiers. Pure arithmetic on minor units.

    per_unit              quantity x unit amount
    transform_quantity    the quantity in packages of `divide_by`, rounded up or down, first
    graduated tiers       each unit at the rate of the tier that it falls into, with the flat amount of each
                          tier that is reached
    volume tiers          all units at the rate of the tier that the whole quantity falls into, and that
                          tier's flat amount

Each part is rounded to the minor unit once, as each becomes a line of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PricePart:
    """A part of a price: one line of an invoice."""

    amount: int
    quantity: int
    unit: str  # unit amount, as decimal text
    label: str = ""  # "Tier 1", "Tier 1 flat fee"


def round_half_up(number: Decimal) -> int:
    """To the minor unit."""
    return int(number.quantize(Decimal(1), ROUND_HALF_UP))


def times(decimal_text: str, quantity: int) -> int:
    """Unit amount x quantity, rounded to the minor unit."""
    return round_half_up(Decimal(decimal_text) * quantity)


def packages(transform: Object | None, quantity: int) -> int:
    """How many packages a quantity makes; without packages the quantity itself."""
    if not transform:
        return quantity
    size = int(transform["divide_by"])
    return -(-quantity // size) if transform["round"] == "up" else quantity // size


def parts(price: Object, tiers: list[Object] | None, quantity: int) -> list[PricePart]:
    """What a quantity of a price comes to."""
    if price["billing_scheme"] == "tiered" and tiers:
        return (_graduated if price["tiers_mode"] == "graduated" else _volume)(tiers, quantity)
    count = packages(price["transform_quantity"], quantity)
    unit = price["unit_amount_decimal"] or "0"
    return [PricePart(times(unit, count), count, unit)]


def beyond(price: Object, tiers: list[Object] | None, quantity: int, billed: int | None) -> list[PricePart]:
    """The parts that a quantity adds to one that was billed before: tiers and packages go on where that left
    off.

    All bills of a period come to what its whole quantity costs. Where that fell (a tier for all units, the
    last value instead of the sum), a part with a negative amount takes back what was billed too much.
    """
    now = parts(price, tiers, quantity)
    if billed is None:
        return now
    former = {part.label: part for part in parts(price, tiers, billed)}
    found = []
    for part in now:
        old = former.get(part.label)
        if old is None or old.unit != part.unit or old.quantity > part.quantity:
            found.append(part)
            continue
        del former[part.label]
        if part.quantity > old.quantity:
            rest = part.quantity - old.quantity
            found.append(PricePart(part.amount - old.amount, rest, part.unit, part.label))
    found += [PricePart(-old.amount, old.quantity, old.unit, f"billed before: {name}".rstrip(": "))
        for name, old in former.items() if old.amount]  # fmt: skip
    return found or [PricePart(0, 0, now[0].unit, now[0].label)]


def total(price: Object, tiers: list[Object] | None, quantity: int) -> int:
    """The sum of the parts."""
    return sum(part.amount for part in parts(price, tiers, quantity))


def _of_tier(tier: Object, name: str) -> str:
    value = tier.get(f"{name}_decimal")
    if value is None:
        value = tier.get(name)
    return "0" if value is None else str(value)


def _tier(place: int, tier: Object, count: int) -> list[PricePart]:
    unit, flat = _of_tier(tier, "unit_amount"), _of_tier(tier, "flat_amount")
    found = [PricePart(times(unit, count), count, unit, f"Tier {place + 1}")]
    if Decimal(flat):
        found.append(PricePart(times(flat, 1), 1, flat, f"Tier {place + 1} flat fee"))
    return found


def _graduated(tiers: list[Object], quantity: int) -> list[PricePart]:
    found: list[PricePart] = []
    start = 0
    for place, tier in enumerate(tiers):
        end = quantity if tier["up_to"] is None else min(quantity, tier["up_to"])
        if place and quantity <= start:
            break
        found += _tier(place, tier, max(0, end - start))
        start = end
    return found


def _volume(tiers: list[Object], quantity: int) -> list[PricePart]:
    place = next(
        (at for at, tier in enumerate(tiers) if tier["up_to"] is None or quantity <= tier["up_to"]),
        len(tiers) - 1,
    )
    return _tier(place, tiers[place], quantity)
