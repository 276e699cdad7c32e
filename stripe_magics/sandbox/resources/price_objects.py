"""Price objects: checked, built, shown as a plan; what one comes to for a quantity with its tiers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from stripe_magics.sandbox.api.errors import (
    invalid,
    invalid_before_execution,
    missing,
    missing_param,
    too_low,
)
from stripe_magics.sandbox.api.parameters import in_order, value_of
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import pricing

LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}


def decimal_amount(given: dict[str, Any], name: str = "unit_amount") -> tuple[int | None, str | None]:
    """(unit_amount, unit_amount_decimal) from whichever was given; the integer is None for a fraction."""
    if given.get(name) is not None and given.get(f"{name}_decimal") is not None:
        raise invalid_before_execution(
            f"You may only specify one of these parameters: {name}, {name}_decimal.", param=name
        )
    if given.get(name) is not None:
        return given[name], str(given[name])
    text = given.get(f"{name}_decimal")
    if text is None:
        return None, None
    try:
        number = Decimal(text)
    except ArithmeticError as error:
        raise invalid_before_execution(f"Invalid decimal: {text}", param=f"{name}_decimal") from error
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > 12:
        raise invalid_before_execution(
            f"{name}_decimal takes at most 12 decimal places.", param=f"{name}_decimal"
        )
    return (int(number), text) if number == number.to_integral_value() else (None, text)


def not_below(least: int, param: str) -> Exception:
    """The refusal of an integer below what it may be."""
    return too_low(least, param)


def check_price(account: Account, params: dict[str, Any]) -> None:
    """What can be wrong with a new price, before anything is made."""
    scheme = params.get("billing_scheme") or "per_unit"
    priced = [
        name
        for name in ("unit_amount", "unit_amount_decimal", "custom_unit_amount")
        if params.get(name) is not None
    ]
    if scheme == "per_unit":
        if not priced:
            raise missing_param("unit_amount")
        for name in ("tiers", "tiers_mode"):
            if params.get(name):
                raise invalid(f"{name} goes with billing_scheme=tiered.", param=name)
    else:
        if priced:
            raise invalid(f"{priced[0]} can't be given with billing_scheme=tiered.", param=priced[0])
        for name in ("tiers_mode", "tiers"):
            if not params.get(name):
                raise missing_param(name)
        if params.get("transform_quantity"):
            raise invalid("transform_quantity can't be combined with tiers.", param="transform_quantity")
        _check_tiers(params["tiers"])
    if Decimal(decimal_amount(params)[1] or "0") < 0:
        raise not_below(0, priced[0])
    transform = params.get("transform_quantity")
    if transform and transform["divide_by"] < 1:
        raise not_below(1, "transform_quantity[divide_by]")
    if params.get("recurring"):
        _check_recurring(account, params["recurring"], params)
    key = params.get("lookup_key")
    if key and not params.get("transfer_lookup_key"):
        check_lookup_key(account, key)


def _check_recurring(account: Account, recurring: dict[str, Any], params: dict[str, Any]) -> None:
    count = recurring.get("interval_count")
    if count is not None and not 1 <= count <= LONGEST[recurring["interval"]]:
        raise invalid(
            f"interval_count lies between 1 and {LONGEST[recurring['interval']]}: a period takes at most"
            " three years.",
            param="recurring[interval_count]",
        )
    metered = recurring.get("usage_type") == "metered"
    if recurring.get("aggregate_usage") and not metered:
        raise invalid("aggregate_usage goes with usage_type=metered.", param="recurring[aggregate_usage]")
    if recurring.get("meter"):
        if not metered:
            raise invalid("A meter goes with usage_type=metered.", param="recurring[meter]")
        meter = account.find("billing.meter", recurring["meter"], "recurring[meter]", what="meter")
        if meter["status"] != "active":
            raise invalid("The meter is inactive.", param="recurring[meter]")
    days = recurring.get("trial_period_days")
    if days is not None and not 1 <= days <= 730:
        raise invalid("trial_period_days lies between 1 and 730.", param="recurring[trial_period_days]")
    if params.get("custom_unit_amount"):
        raise invalid("custom_unit_amount is for one-time prices.", param="custom_unit_amount")


def _check_tiers(tiers: list[dict[str, Any]]) -> None:
    last = 0
    for place, each in enumerate(tiers):
        where = f"tiers[{place}]"
        end = each["up_to"]
        if (end == "inf") != (place == len(tiers) - 1):
            raise invalid("The last tier, and only the last, has up_to=inf.", param=f"{where}[up_to]")
        if end != "inf" and int(end) <= last:
            raise invalid("Each tier must end above the one before it.", param=f"{where}[up_to]")
        last = last if end == "inf" else int(end)
        if all(
            each.get(name) is None
            for name in ("unit_amount", "unit_amount_decimal", "flat_amount", "flat_amount_decimal")
        ):
            raise missing_param(f"{where}[unit_amount]")
        for name in ("unit_amount", "flat_amount"):
            if Decimal(decimal_amount(each, name)[1] or "0") < 0:
                raise not_below(0, f"{where}[{name}]")


def check_lookup_key(account: Account, key: str, own: str = "") -> None:
    """Only one active price has a lookup key."""
    other = active_with_key(account, key, own)
    if other:
        raise invalid(
            f"A price (`{other}`) already uses that lookup key. Give transfer_lookup_key=true to move it.",
            param="lookup_key",
        )


def active_with_key(account: Account, key: str, own: str = "") -> str:
    """The id of the other active price with a lookup key; "" if there is none."""
    found = [each for each in account.where("price", lookup_key=key, active=True) if each != own]
    return found[0] if found else ""


def take_lookup_key(account: Account, key: str, own: str = "") -> None:
    """The price that has a lookup key loses it."""
    other = active_with_key(account, key, own)
    if other:
        price = account.find("price", other, "lookup_key")
        before = events.snapshot(price)
        price["lookup_key"] = None
        account.save("price", price)
        events.emit(account, "price.updated", price, before)


def shown_tiers(tiers: list[dict[str, Any]]) -> list[Object]:
    """Tiers with every key; the last has no end."""
    found = []
    for each in tiers:
        unit, unit_text = decimal_amount(each)
        flat, flat_text = decimal_amount(each, "flat_amount")
        found.append(
            {
                "flat_amount": flat,
                "flat_amount_decimal": flat_text,
                "unit_amount": unit,
                "unit_amount_decimal": unit_text,
                "up_to": None if each["up_to"] == "inf" else int(each["up_to"]),
            }
        )
    return found


def _typed_option(given: dict[str, Any], where: str) -> dict[str, Any]:
    """Amounts that arrive as text."""
    each = dict(given)
    for name in ("unit_amount", "flat_amount"):
        value = each.get(name)
        if isinstance(value, str):
            each[name] = value_of(value, "i", f"{where}[{name}]")
    tiers = each.get("tiers")
    if isinstance(tiers, dict):
        tiers = in_order(tiers)
    if tiers:
        each["tiers"] = [_typed_option(tier, where) for tier in tiers if isinstance(tier, dict)]
    return each


def _shown_options(options: dict[str, Any]) -> Object:
    """Amounts in other currencies, with every key."""
    found = {}
    for currency, given in options.items():
        if not isinstance(given, dict):
            raise invalid_before_execution(
                f"Invalid object: currency_options[{currency}]", param=f"currency_options[{currency}]"
            )
        checked_currency(currency)
        each = _typed_option(given, f"currency_options[{currency}]")
        unit, text = decimal_amount(each)
        found[currency.lower()] = {
            "custom_unit_amount": each.get("custom_unit_amount"),
            "tax_behavior": each.get("tax_behavior") or "unspecified",
            "unit_amount": unit, "unit_amount_decimal": text,
        }  # fmt: skip
        if each.get("tiers"):
            found[currency.lower()]["tiers"] = shown_tiers(each["tiers"])
    return found


def add_price(account: Account, params: dict[str, Any], product: str, *, identifier: str = "") -> Object:
    """A checked price, stored and announced."""
    price = build_price(account, {**params, "currency": checked_currency(params["currency"])}, product)
    price["id"] = identifier or price["id"]
    if params.get("lookup_key") and params.get("transfer_lookup_key"):
        take_lookup_key(account, params["lookup_key"])
    account.add("price", price)
    if params.get("tiers"):
        account.private_state.setdefault(price["id"], {})["tiers"] = shown_tiers(params["tiers"])
    if params.get("currency_options"):
        set_options(account, price, params["currency_options"])
    events.emit(account, "price.created", price)
    return price


def add_made_price(account: Account, given: dict[str, Any], product: str) -> Object:
    """A price that is made for one line (`price_data`): stored and announced, and for nothing else."""
    price = build_price(
        account, {**given, "currency": checked_currency(given["currency"])}, product, active=False
    )
    account.add("price", price)
    events.emit(account, "price.created", price)
    return price


def set_options(account: Account, price: Object, options: dict[str, Any]) -> None:
    """Amounts in other currencies."""
    notes = account.private_state.setdefault(price["id"], {})
    notes["currency_options"] = {**notes.get("currency_options", {}), **_shown_options(options)}


def build_price(account: Account, given: dict[str, Any], product: str, *, active: bool = True) -> Object:
    """A price object; not stored."""
    unit, text = decimal_amount(given)
    recurring = given.get("recurring")
    custom = given.get("custom_unit_amount")
    return {
        "id": account.new_id("price"),
        "object": "price",
        "active": given.get("active", active),
        "billing_scheme": given.get("billing_scheme") or "per_unit",
        "created": account.now,
        "currency": given["currency"],
        "custom_unit_amount": (
            {
                "maximum": custom.get("maximum"),
                "minimum": custom.get("minimum"),
                "preset": custom.get("preset"),
            }
            if custom and custom.get("enabled", True)
            else None
        ),
        "livemode": False,
        "lookup_key": given.get("lookup_key"),
        "metadata": merged_metadata({}, given.get("metadata")),
        "nickname": given.get("nickname"),
        "product": product,
        "recurring": (
            None
            if recurring is None
            else {
                "aggregate_usage": (
                    recurring.get("aggregate_usage")
                    or (
                        "sum"
                        if recurring.get("usage_type") == "metered" and not recurring.get("meter")
                        else None
                    )
                ),
                "interval": recurring["interval"],
                "interval_count": recurring.get("interval_count") or 1,
                "meter": recurring.get("meter"),
                "trial_period_days": recurring.get("trial_period_days"),
                "usage_type": recurring.get("usage_type") or "licensed",
            }
        ),
        "tax_behavior": given.get("tax_behavior") or "unspecified",
        "tiers_mode": given.get("tiers_mode"),
        "transform_quantity": given.get("transform_quantity"),
        "type": "one_time" if recurring is None else "recurring",
        "unit_amount": unit,
        "unit_amount_decimal": text,
    }


def plan_of(price: Object) -> Object | None:
    """A recurring price as the older API shows it; None for a one-time price."""
    recurring = price["recurring"]
    if recurring is None:
        return None
    transform = price["transform_quantity"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "aggregate_usage": recurring["aggregate_usage"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": recurring["meter"],
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": price["tiers_mode"],
        "transform_usage": transform,
        "trial_period_days": recurring["trial_period_days"],
        "usage_type": recurring["usage_type"],
    }


def tiers_of(account: Account, price: Object) -> list[Object] | None:
    """The tiers of a price."""
    found: list[Object] | None = account.private_state.get(price["id"], {}).get("tiers")
    return found


def amount_of(account: Account, price: Object, quantity: int) -> int:
    """What a quantity of a price comes to."""
    return pricing.total(price, tiers_of(account, price), quantity)


def in_currency(account: Account, price: Object, currency: str, param: str) -> Object:
    """The price as it is in a currency: its own, or one of its currency_options."""
    if price["currency"] == currency:
        return price
    option = account.private_state.get(price["id"], {}).get("currency_options", {}).get(currency)
    if option is None:
        raise invalid(
            f"The price specified only supports `{price['currency']}`. This doesn't match the expected"
            f" currency: `{currency}`.",
            param=param,
        )
    return {
        **price,
        "currency": currency,
        "unit_amount": option["unit_amount"],
        "unit_amount_decimal": option["unit_amount_decimal"],
    }


def named_price(account: Account, identifier: str, param: str, *, what: str = "price") -> Object:
    """An active price that a parameter names."""
    price = account.get("price", identifier)
    if price is None:
        raise missing(what, identifier, param, status=400)
    if not price["active"]:
        raise invalid(
            f"The {what} specified is inactive. This field only accepts active {what}s.", param=param
        )
    return price
