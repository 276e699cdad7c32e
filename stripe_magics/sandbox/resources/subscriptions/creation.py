"""A new subscription: its items, its first period (a trial, a part of a period, time before today), its first
invoice and how that is paid."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import ApiError, declined, inside, invalid, missing_param
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import discounts
from stripe_magics.sandbox.resources.customer_changes import changing
from stripe_magics.sandbox.resources.invoices import invoice_items
from stripe_magics.sandbox.resources.price_objects import amount_of
from stripe_magics.sandbox.resources.subscriptions import items, lifecycle
from stripe_magics.sandbox.resources.subscriptions import period_invoices as billing
from stripe_magics.sandbox.resources.subscriptions.billing_periods import (
    after,
    configured_anchor,
    next_boundary,
)
from stripe_magics.sandbox.resources.subscriptions.settings import (
    LONGEST_TRIAL,
    apply_settings,
    check_settings,
    new_subscription,
)
from stripe_magics.sandbox.resources.subscriptions.usage import watch_thresholds


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/subscriptions."""
    if params.get("payment_behavior") == "error_if_incomplete":
        with account.trial(keep=True):
            subscription = _create(account, params)
            if subscription["status"] == "incomplete":
                raise refused_payment(account, subscription)
            return subscription
    return _create(account, params)


def refused_payment(account: Account, subscription: Object) -> ApiError:
    """What to answer when a payment failed and nothing is to be made then."""
    invoice = account.peek("invoice", subscription["latest_invoice"] or "") or {}
    intent = account.peek("payment_intent", invoice.get("payment_intent") or "") or {}
    error = intent.get("last_payment_error")
    if error is None:
        refusal = declined(
            "This payment requires additional user action before it can be completed.",
            code="subscription_payment_intent_requires_action",
        )
    else:
        refusal = declined(
            error["message"],
            code=error["code"],
            decline_code=error.get("decline_code", ""),
            param=error.get("param", ""),
        )
    refusal.stands = False
    return refusal


def given_items(params: dict[str, Any]) -> list[dict[str, Any]]:
    """The items asked for; `plan` and `quantity` of the older API stand for one."""
    given = list(params.get("items") or ())
    if params.get("plan"):
        if given:
            raise invalid("You may only specify one of these parameters: items, plan.", param="plan")
        return [
            {
                "plan": params["plan"],
                **({"quantity": params["quantity"]} if params.get("quantity") is not None else {}),
            }
        ]
    return given


def _create(account: Account, params: dict[str, Any]) -> Object:
    customer = account.find("customer", params["customer"], "customer")
    given = given_items(params)
    if not given:
        raise missing_param("items")
    if params.get("quantity") is not None and not params.get("plan"):
        raise invalid("quantity goes with plan: items have quantities of their own.", param="quantity")
    collection = params.get("collection_method") or "charge_automatically"
    check_settings(account, params, customer["id"], collection, params.get("days_until_due"))
    currency = params["currency"].lower() if params.get("currency") else None
    prices = [items.price_of(account, each, f"items[{place}]", currency) for place, each in enumerate(given)]
    items.check_together(prices, "items")
    for place, (price, each) in enumerate(zip(prices, given, strict=True)):
        items.check_quantity(price, each.get("quantity"), f"items[{place}]")
        items.rates(account, each.get("tax_rates"), f"items[{place}][tax_rates]")
        discounts.check(account, each.get("discounts"), f"items[{place}][discounts]", customer["id"])
    _check_currency(account, customer, prices[0]["currency"])
    full = [
        0 if items.metered(price) else amount_of(account, price, each.get("quantity", 1))
        for price, each in zip(prices, given, strict=True)
    ]
    redeemed = _named_discounts(account, params, customer["id"], sum(full), prices[0]["currency"])
    interval, count = prices[0]["recurring"]["interval"], prices[0]["recurring"]["interval_count"]
    anchor, start, trial = _dates(account, params, prices, interval, count)
    free = not any(full) and not params.get("add_invoice_items")
    _check_payable(account, params, customer, collection, free=free, trial=trial)

    subscription = new_subscription(account, customer["id"], prices[0]["currency"])
    identifier = subscription["id"]
    made = [
        items.make(account, identifier, customer["id"], price, each, f"items[{place}]")
        for place, (price, each) in enumerate(zip(prices, given, strict=True))
    ]
    items.put(subscription, made)
    _set_period(account, subscription, params, anchor, start, trial, (interval, count))
    apply_settings(account, subscription, params)
    account.add("subscription", subscription)
    _redeem(account, subscription, redeemed)
    with changing(account, customer):
        customer["currency"] = customer["currency"] or subscription["currency"]
    extra = _time_before(account, subscription, made) if start < account.now else []
    _add_items(account, subscription, params)
    account.save("subscription", subscription)
    waits = params.get("payment_behavior") == "default_incomplete"
    lifecycle.first_invoice(account, subscription, pay=not waits, extra=extra)
    lifecycle.schedule_jobs(account, subscription)
    watch_thresholds(account, subscription)
    if trial and trial - lifecycle.WARNED_BEFORE <= account.now:
        lifecycle.trial_will_end(account, subscription)
    return account.save("subscription", subscription)


def _check_currency(account: Account, customer: Object, currency: str) -> None:
    """One customer, one currency, as long as something of theirs is billed in another."""
    for each in account.where("subscription", customer=customer["id"]):
        other = account.peek("subscription", each)
        if other and other["status"] not in lifecycle.ENDED and other["currency"] != currency:
            raise invalid(
                "You cannot combine currencies on a single customer. This customer has an active"
                " subscription, subscription schedule, discount, quote, or invoice item with currency"
                f" {other['currency']}.",
                param="items[0][price]",
            )


def _named_discounts(
    account: Account, params: dict[str, Any], customer: str, amount: int, currency: str
) -> list[tuple[dict[str, Any], str]]:
    """The discounts asked for and their parameters; refuses what can't be redeemed, before anything is
    made."""
    named = [({name: params[name]}, name) for name in ("coupon", "promotion_code") if params.get(name)]
    named += [(each, f"discounts[{place}]") for place, each in enumerate(params.get("discounts") or ())]
    if len(named) > 1 and (params.get("coupon") or params.get("promotion_code")):
        raise invalid(
            "You may only specify one of these parameters: coupon, discounts, promotion_code.",
            param=named[1][1],
        )
    for given, param in named:
        _, promotion = discounts.redeemable(account, given, param=param, customer=customer)
        if promotion is not None:
            discounts.check_minimum(account, {"promotion_code": promotion["id"]}, amount, currency, param)
    return named


def _redeem(account: Account, subscription: Object, named: list[tuple[dict[str, Any], str]]) -> None:
    made = [
        discounts.new(
            account,
            given,
            param=param,
            customer=subscription["customer"],
            subscription=subscription["id"],
            currency=subscription["currency"],
        )
        for given, param in named
    ]
    if made:
        billing.set_discounts(subscription, made)
        account.save("subscription", subscription)


def _dates(
    account: Account, params: dict[str, Any], prices: list[Object], interval: str, count: int
) -> tuple[int | None, int, int | None]:
    """(anchor asked for, start, end of the trial)."""
    now = account.now
    trial = params["trial_end"] if isinstance(params.get("trial_end"), int) else None
    days = params.get("trial_period_days")
    if params.get("trial_from_plan") and trial is None and days is None and params.get("trial_end") != "now":
        days = max((price["recurring"]["trial_period_days"] or 0 for price in prices), default=0)
    if days:
        trial = now + days * DAY
    start = params.get("backdate_start_date") or now
    if start > now:
        raise invalid("backdate_start_date must lie in the past.", param="backdate_start_date")
    if start < now - LONGEST_TRIAL:
        raise invalid("backdate_start_date can lie at most two years back.", param="backdate_start_date")
    anchor = params.get("billing_cycle_anchor")
    if params.get("billing_cycle_anchor_config"):
        if anchor:
            raise invalid(
                "You may only specify one of these parameters: billing_cycle_anchor,"
                " billing_cycle_anchor_config.",
                param="billing_cycle_anchor_config",
            )
        with inside("billing_cycle_anchor_config"):
            anchor = configured_anchor(trial or now, params["billing_cycle_anchor_config"])
    elif isinstance(anchor, int):
        if anchor < now:
            raise invalid("billing_cycle_anchor cannot be earlier than now.", param="billing_cycle_anchor")
        latest = after(trial or now, interval, count)
        if anchor > latest:
            raise invalid(
                f"billing_cycle_anchor cannot be later than next natural billing date ({latest}) for plan.",
                param="billing_cycle_anchor",
            )
    return anchor, start, trial


def _check_payable(
    account: Account,
    params: dict[str, Any],
    customer: Object,
    collection: str,
    *,
    free: bool,
    trial: int | None,
) -> None:
    """Without something to charge, only what costs nothing now, or waits for its payment, can begin."""
    if params.get("payment_behavior") == "pending_if_incomplete":
        raise invalid(
            "`payment_behavior=pending_if_incomplete` is for updates: a subscription that is made has nothing"
            " to wait with.",
            param="payment_behavior",
        )
    method = (
        params.get("default_payment_method")
        or params.get("default_source")
        or customer["invoice_settings"]["default_payment_method"]
        or customer["default_source"]
    )
    waits = params.get("payment_behavior") == "default_incomplete"
    if collection == "charge_automatically" and not method and not trial and not free and not waits:
        raise invalid(
            "This customer has no attached payment source or default payment method. Please consider adding a"
            " default payment method.",
            code="resource_missing",
        )


def _set_period(
    account: Account,
    subscription: Object,
    params: dict[str, Any],
    anchor: int | None,
    start: int,
    trial: int | None,
    every: tuple[str, int],
) -> None:
    """The first period, and the anchor from which all are counted."""
    now = account.now
    subscription["start_date"] = start
    subscription["billing_cycle_anchor_config"] = params.get("billing_cycle_anchor_config")
    if subscription["billing_cycle_anchor_config"]:
        subscription["billing_cycle_anchor_config"] = {
            name: params["billing_cycle_anchor_config"].get(name)
            for name in ("day_of_month", "hour", "minute", "month", "second")
        }
    if trial:
        subscription.update(
            status="trialing", trial_start=now, trial_end=trial, billing_cycle_anchor=anchor or trial,
            current_period_start=now, current_period_end=trial,
        )  # fmt: skip
        return
    begins = anchor or start
    period_end = next_boundary(begins, now, *every)
    subscription.update(billing_cycle_anchor=begins, current_period_start=now, current_period_end=period_end)
    if anchor and anchor > now:
        notes = account.private_state.setdefault(subscription["id"], {})
        notes["first_period_of"] = period_end - after(period_end, every[0], -every[1])
        notes["first_period_free"] = params.get("proration_behavior") == "none"
    elif start < now:
        subscription["current_period_start"] = after(period_end, every[0], -every[1])


def _time_before(account: Account, subscription: Object, made: list[Object]) -> list[Object]:
    """Lines for the whole periods between a start in the past and the present one."""
    every = items.interval(subscription)
    found = []
    start = subscription["start_date"]
    until = subscription["current_period_start"]
    while start < until:
        end = min(next_boundary(subscription["billing_cycle_anchor"], start, *every), until)
        for item in made:
            if not items.metered(item["price"]):
                found += billing.item_lines(account, subscription, "", item, item["quantity"], start, end)
        start = end
    return found


def _add_items(account: Account, subscription: Object, params: dict[str, Any]) -> None:
    for place, each in enumerate(params.get("add_invoice_items") or ()):
        add_item(account, subscription, each, f"add_invoice_items[{place}]")


def add_item(account: Account, subscription: Object, given: dict[str, Any], where: str) -> None:
    """A one-time item that the next invoice takes."""
    data = {
        name: given[name]
        for name in ("price", "price_data", "quantity", "tax_rates", "discounts")
        if given.get(name) is not None
    }
    if not data.get("price") and not data.get("price_data"):
        raise missing_param(f"{where}[price]")
    with inside(where):
        invoice_items.create(
            account, {**data, "customer": subscription["customer"], "subscription": subscription["id"]}
        )
