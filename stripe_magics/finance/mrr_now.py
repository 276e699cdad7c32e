"""Monthly recurring revenue as it is now, from subscriptions.

active and past_due count (docs.stripe.com/billing/subscriptions/analytics); trials, paused collection and
metered prices don't. Prices are taken at the quantity: tiers, packages and all. Which coupons lower MRR has a
name: `forever` (as Stripe), `all` (as ProfitWell), `none`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.errors import MissingData, UsageFault
from stripe_magics.finance.aggregation import list_of, lists, require_columns, result, totals
from stripe_magics.finance.columns import CURRENCY, declare, money, text
from stripe_magics.finance.invoice_line_items import coupon_in
from stripe_magics.finance.report_options import DISCOUNTS

PER_MONTH = {"day": Decimal(365) / 12, "week": Decimal(52) / 12, "month": Decimal(1), "year": Decimal(1) / 12}
COUNTED = ("active", "past_due")


def check_discounts(discounts: str) -> str:
    """The policy, if it is one."""
    if discounts not in DISCOUNTS:
        raise UsageFault(f"--discounts {discounts} isn't possible: {', '.join(DISCOUNTS)}.")
    return discounts


def monthly(amount: Decimal | int, interval: str, count: int = 1) -> Decimal:
    """A price per month: 1,200 a year is 100, 100 a week is 433.33, 10 a day is 304.17."""
    return Decimal(amount) * PER_MONTH[interval] / count


def price_amount(price: Mapping[str, Any], quantity: int | Decimal) -> Decimal:
    """What a price costs a billing cycle at a quantity, in minor units: by unit, by package, by graduated or
    volume tiers."""
    count = Decimal(quantity)
    package = price.get("transform_quantity") or {}
    if package.get("divide_by"):
        way = ROUND_CEILING if package.get("round") == "up" else ROUND_FLOOR
        count = (count / Decimal(package["divide_by"])).to_integral_value(rounding=way)
    tiers = price.get("tiers") or []
    if price.get("billing_scheme") != "tiered" or not tiers:
        return _number(price, "unit_amount", "amount") * count
    if price.get("tiers_mode") == "volume":
        tier = next(
            (each for each in tiers if each.get("up_to") is None or count <= each["up_to"]), tiers[-1]
        )
        return _number(tier, "unit_amount") * count + (_number(tier, "flat_amount") if count else 0)
    total, below = Decimal(0), Decimal(0)
    for tier in tiers:
        upper = count if tier.get("up_to") is None else min(count, Decimal(tier["up_to"]))
        if upper > below:
            total += _number(tier, "unit_amount") * (upper - below) + _number(tier, "flat_amount")
        below = max(below, upper)
    return total


def _number(price: Mapping[str, Any], *names: str) -> Decimal:
    for name in names:
        for spelling in (f"{name}_decimal", name):
            if price.get(spelling) is not None:
                return Decimal(str(price[spelling]))
    return Decimal(0)


def counts(coupon: Mapping[str, Any], discounts: str) -> bool:
    """Whether a coupon lowers MRR under a policy."""
    return bool(coupon) and (
        discounts == "all" or (discounts == "forever" and coupon.get("duration") == "forever")
    )


def discounted(
    amount: Decimal, discount: Mapping[str, Any] | None, discounts: str, *, cycle: Decimal = Decimal(1)
) -> Decimal:
    """A monthly amount after its coupon, if such coupons count. `cycle` is the months of a billing cycle, for
    amounts off."""
    coupon = coupon_in(discount or {})
    if not counts(coupon, discounts):
        return amount
    if coupon.get("percent_off"):
        return amount * (100 - Decimal(str(coupon["percent_off"]))) / 100
    return max(Decimal(0), amount - Decimal(coupon.get("amount_off") or 0) / cycle)


@declare(
    CURRENCY,
    text("customer", "The customer."),
    text("subscription", "The subscription."),
    money("contract", "Prices at their quantities, a month."),
    money("discount", "What coupons that count take off (positive)."),
    money("mrr", "contract - discount."),
)
def subscription_mrr(
    subscriptions: pd.DataFrame,
    *,
    discounts: str = "forever",
    coupons: Mapping[str, Mapping[str, Any]] | None = None,
    prices: Mapping[str, Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """MRR as it is now, one row a subscription; int64 minor units.

    `coupons` are those of discounts by id, where the subscriptions only name them; `prices` those of tiered
    prices by id, with their tiers. Raises `MissingData` for subscriptions without their items.
    """
    check_discounts(discounts)
    require_columns(
        subscriptions, ("id", "customer", "currency", "status"), report="mrr_now", object_type="subscription"
    )
    source = next((name for name in ("items_data", "items") if name in subscriptions.columns), None)
    if source is None:
        raise MissingData(
            "The report mrr_now needs the items of subscriptions.",
            advice="Fetch them with %stripe subscriptions list --status all --limit all.",
        )
    living = subscriptions[subscriptions["status"].isin(COUNTED).to_numpy()]
    rows: list[tuple[Any, ...]] = []
    uncounted: dict[str, list[str]] = {}
    for record, items in zip(living.to_dict("records"), lists(living[source], column="items"), strict=True):
        if _paused(record):
            continue
        priced = [(item, _price_of(item, prices or {})) for item in items]
        for reason in sorted({_unknown(price) for _, price in priced} - {""}):
            uncounted.setdefault(reason, []).append(str(record["id"]))
        contract, net = _of_subscription(record, priced, discounts, coupons or {})
        rows.append(
            (str(record["currency"]), record["customer"], record["id"], contract, contract - net, net)
        )
    columns = ["currency", "customer", "subscription", "contract", "discount", "mrr"]
    out = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[3:], np.int64))
    notes = totals(out, "mrr", "MRR in all")
    for reason, ids in uncounted.items():
        notes.append(f"Not counted, because {reason}: {', '.join(ids[:5])}{' ...' if len(ids) > 5 else ''}.")
    return result(out, "mrr_now", [subscriptions], discounts=discounts, method="subscriptions", notes=notes)


def _price_of(item: Mapping[str, Any], prices: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """The price of an item, with its tiers if `prices` has them; empty where only its id is known."""
    price = item.get("price") or item.get("plan") or {}
    if isinstance(price, str):
        return prices.get(price, {})
    if price.get("billing_scheme") == "tiered" and not price.get("tiers"):
        return prices.get(str(price.get("id")), price)
    found: Mapping[str, Any] = price
    return found


def _unknown(price: Mapping[str, Any]) -> str:
    """Why a recurring price can't be counted; empty if it can."""
    if not (interval := _interval(price)):
        return "" if price else "the price isn't known"
    if interval not in PER_MONTH:
        return f"a price by {interval} can't be brought to a month"
    lacking = price.get("billing_scheme") == "tiered" and not price.get("tiers")
    return f"the tiers of {price.get('id')} aren't known" if lacking else ""


def _interval(price: Mapping[str, Any]) -> str:
    """By what a price is billed; empty for metered and one-time prices, which aren't MRR."""
    recurring = price.get("recurring") or price
    metered = recurring.get("usage_type") == "metered" or recurring.get("meter")
    return "" if metered else str(recurring.get("interval") or "")


def _of_subscription(
    record: Mapping[Any, Any],
    priced: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    discounts: str,
    coupons: Mapping[str, Mapping[str, Any]],
) -> tuple[int, int]:
    """Contract and net MRR of items with their prices; every item is rounded, so that items, subscriptions
    and history add up."""
    parts: list[Decimal] = []
    nets: list[Decimal] = []
    cycle = Decimal(1)
    for item, price in priced:
        interval = _interval(price)
        if interval not in PER_MONTH:
            continue
        every = int((price.get("recurring") or price).get("interval_count") or 1)
        quantity = item.get("quantity")
        amount = monthly(price_amount(price, 1 if quantity is None else quantity), interval, every)
        cycle = Decimal(every) / PER_MONTH[interval]
        parts.append(amount)
        for discount in _resolved(item.get("discounts"), coupons):
            amount = discounted(amount, discount, discounts, cycle=cycle)
        nets.append(amount)
    for discount in _discounts(record, coupons):
        coupon = coupon_in(discount)
        whole = sum(nets, Decimal(0))
        after = discounted(whole, discount, discounts, cycle=cycle)
        if counts(coupon, discounts) and whole:
            nets = [each * after / whole for each in nets]
    return sum(int(each.to_integral_value()) for each in parts), sum(
        int(each.to_integral_value()) for each in nets
    )


def _paused(record: Mapping[Any, Any]) -> bool:
    return isinstance(record.get("pause_collection_behavior"), str) or isinstance(
        record.get("pause_collection"), dict
    )


def _resolved(cell: object, coupons: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Discounts with their coupons, wherever those are known from."""
    found: list[Mapping[str, Any]] = []
    for each in cell if isinstance(cell, list) else ():
        name = each if isinstance(each, str) else str(each.get("id") or "")
        if isinstance(each, Mapping) and coupon_in(each):
            found.append(each)
        elif name in coupons:
            found.append({"coupon": coupons[name]})
    return found


def _discounts(
    record: Mapping[Any, Any], coupons: Mapping[str, Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The discounts of a subscription record: the list, the object, or the flattened columns."""
    many = _resolved(list_of(record.get("discounts"), column="discounts"), coupons)
    if many:
        return many
    single = record.get("discount")
    if isinstance(single, Mapping):
        return [single]
    coupon = record.get("discount_coupon")
    if isinstance(coupon, Mapping):
        return [{"coupon": coupon}]
    if isinstance(single, str) and single in coupons:
        return [{"coupon": coupons[single]}]
    flat = {
        name: record[f"discount_coupon_{name}"]
        for name in ("percent_off", "amount_off", "duration")
        if f"discount_coupon_{name}" in record and pd.notna(record[f"discount_coupon_{name}"])
    }
    return [{"coupon": flat}] if flat else []
