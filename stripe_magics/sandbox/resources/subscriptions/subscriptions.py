"""Subscriptions, as far as invoices refer to them: made of recurring prices, billed each period, ended.

The first invoice is final at once and collected at once; at the end of each period another draft appears, is finalized an hour later and
collected. No prorations: a change of items counts from the next period on.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, missing_param
from stripe_magics.sandbox.api.pagination import Page, inline, page
from stripe_magics.sandbox.api.search import search
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import discounts
from stripe_magics.sandbox.resources.products import build_price
from stripe_magics.sandbox.resources.subscriptions.billing_periods import ENDED, after, end, first_invoice


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/subscriptions."""
    customer = account.find("customer", params["customer"], "customer")
    given = params.get("items") or []
    if not given:
        raise missing_param("items")
    collection = params.get("collection_method") or "charge_automatically"
    if collection == "send_invoice" and params.get("days_until_due") is None:
        raise invalid_before_execution(
            "collection_method=send_invoice needs days_until_due.",
            param="days_until_due",
            code="parameter_missing",
        )
    prices = [_price(account, each, place) for place, each in enumerate(given)]
    if (
        len(
            {
                (price["currency"], str(price["recurring"]["interval"]), price["recurring"]["interval_count"])
                for price in prices
            }
        )
        > 1
    ):
        raise invalid("All prices of a subscription must have one currency and one interval.", param="items")
    method = (
        params.get("default_payment_method")
        or customer["invoice_settings"]["default_payment_method"]
        or customer["default_source"]
    )
    trial = params.get("trial_end") if isinstance(params.get("trial_end"), int) else None
    if params.get("trial_period_days"):
        trial = account.now + params["trial_period_days"] * DAY
    free = all(not price["unit_amount"] for price in prices)
    waits = params.get("payment_behavior") == "default_incomplete"
    if collection == "charge_automatically" and not method and not trial and not free and not waits:
        raise invalid(
            "This customer has no attached payment source or default payment method.", code="resource_missing"
        )
    discounts.check(account, params.get("discounts"), "discounts", customer["id"])
    for name in ("coupon", "promotion_code"):
        if params.get(name):
            discounts.redeemable(account, {name: params[name]}, param=name, customer=customer["id"])
    identifier = account.new_id("sub")
    made = [_item(account, identifier, price, each) for price, each in zip(prices, given, strict=True)]
    first = prices[0]["recurring"]
    end_at = trial or after(account.now, first["interval"], first["interval_count"])
    subscription = _new(account, identifier, customer["id"], prices[0]["currency"], made, params)
    subscription.update(
        collection_method=collection,
        current_period_end=end_at,
        status="trialing" if trial else "active",
        trial_end=trial,
        trial_start=account.now if trial else None,
    )
    account.add("subscription", subscription)
    for name in ("coupon", "promotion_code"):
        if params.get(name):
            subscription["discount"] = discounts.new(
                account, {name: params[name]}, param=name, customer=customer["id"], subscription=identifier
            )
    for place, each in enumerate(params.get("discounts") or ()):
        subscription["discount"] = discounts.new(
            account, each, param=f"discounts[{place}]", customer=customer["id"], subscription=identifier
        )
    if subscription["discount"]:
        subscription["discounts"] = [subscription["discount"]["id"]]
    customer["currency"] = customer["currency"] or subscription["currency"]
    account.save("customer", customer)
    events.emit(account, "customer.subscription.created", subscription)
    if not trial:
        first_invoice(account, subscription, pay=not waits)
    account.clock.at(end_at, "subscription_renews", identifier)
    return account.save("subscription", subscription)


def _price(account: Account, given: dict[str, Any], place: int) -> Object:
    if given.get("price"):
        price = account.find("price", given["price"], f"items[{place}][price]")
    elif given.get("price_data"):
        data = given["price_data"]
        product = account.find("product", data["product"], f"items[{place}][price_data][product]")
        price = account.add(
            "price",
            build_price(account, {**data, "currency": data["currency"].lower()}, product["id"], active=False),
        )
    else:
        raise missing_param(f"items[{place}][price]")
    if price["type"] != "recurring":
        raise invalid(
            "The price is one-time; subscriptions take recurring prices.", param=f"items[{place}][price]"
        )
    return price


def _item(account: Account, subscription: str, price: Object, given: dict[str, Any]) -> Object:
    item = {
        "id": account.new_id("si", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": account.now,
        "discounts": [],
        "metadata": merged_metadata({}, given.get("metadata")),
        "plan": None,
        "price": events.snapshot(price),
        "quantity": given.get("quantity", 1),
        "subscription": subscription,
        "tax_rates": [
            events.snapshot(account.find("tax_rate", each, "items[tax_rates]"))
            for each in given.get("tax_rates") or ()
        ],
    }
    return account.add("subscription_item", item)


def _new(
    account: Account,
    identifier: str,
    customer: str,
    currency: str,
    made: list[Object],
    params: dict[str, Any],
) -> Object:
    nothing = dict.fromkeys(
        ("application", "application_fee_percent", "billing_cycle_anchor_config", "billing_thresholds", "cancel_at", "canceled_at", "discount",
         "ended_at", "latest_invoice", "next_pending_invoice_item_invoice", "on_behalf_of", "pause_collection", "pending_invoice_item_interval",
         "pending_setup_intent", "pending_update", "schedule", "test_clock", "transfer_data")
    )  # fmt: skip
    rates = params.get("default_tax_rates") or ()
    return {
        "id": identifier,
        "object": "subscription",
        **nothing,
        "automatic_tax": {"disabled_reason": None, "enabled": (params.get("automatic_tax") or {}).get("enabled", False), "liability": None},
        "billing_cycle_anchor": account.now,
        "cancel_at_period_end": params.get("cancel_at_period_end", False),
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": account.now,
        "currency": currency,
        "current_period_end": account.now,
        "current_period_start": account.now,
        "customer": customer,
        "days_until_due": params.get("days_until_due"),
        "default_payment_method": params.get("default_payment_method"),
        "default_source": None,
        "default_tax_rates": [events.snapshot(account.find("tax_rate", each, "default_tax_rates")) for each in rates],
        "description": params.get("description"),
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": inline(made, f"/v1/subscription_items?subscription={identifier}"),
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "payment_settings": {
            "payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off", **(params.get("payment_settings") or {}),
        },
        "plan": None,
        "quantity": made[0]["quantity"],
        "start_date": account.now,
        "status": "active",
        "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": None,
    }  # fmt: skip


def invoice_paid(account: Account, identifier: str) -> None:
    """An invoice of a subscription was paid: it is in good standing."""
    subscription = account.get("subscription", identifier)
    if subscription is not None and subscription["status"] in {"incomplete", "past_due", "unpaid"}:
        before = events.snapshot(subscription)
        subscription["status"] = "active"
        account.save("subscription", subscription)
        events.emit(account, "customer.subscription.updated", subscription, before)


def cancel(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/subscriptions/{subscription}."""
    subscription = retrieve(account, {}, identifier)
    if subscription["status"] in ENDED:
        raise invalid(
            f"No such subscription: '{identifier}'", status=404, code="resource_missing", param="id"
        )
    if params.get("cancellation_details"):
        subscription["cancellation_details"] = {
            **subscription["cancellation_details"],
            **params["cancellation_details"],
        }
    return end(account, identifier)


_PLAIN = (
    "cancel_at",
    "cancel_at_period_end",
    "collection_method",
    "days_until_due",
    "default_payment_method",
    "description",
    "metadata",
)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/subscriptions/{subscription}: metadata, the payment method, quantities, the end."""
    subscription = retrieve(account, {}, identifier)
    if subscription["status"] in ENDED and set(params) - {"metadata", "expand"}:
        raise invalid(
            "A canceled subscription can only have its metadata updated.",
            param=min(set(params) - {"metadata", "expand"}),
        )
    if params.get("default_payment_method"):
        account.find(
            "payment_method", params["default_payment_method"], "default_payment_method", what="PaymentMethod"
        )
    before = events.snapshot(subscription)
    draft = events.snapshot(subscription)
    take(draft, params, _PLAIN)
    if draft["collection_method"] == "send_invoice" and draft["days_until_due"] is None:
        raise invalid_before_execution(
            "collection_method=send_invoice needs days_until_due.",
            param="days_until_due",
            code="parameter_missing",
        )
    if params.get("cancel_at_period_end"):
        draft.update(canceled_at=account.now, cancel_at=draft["current_period_end"])
    elif params.get("cancel_at_period_end") is False and "cancel_at" not in params:
        draft.update(canceled_at=None, cancel_at=None)
    _change_items(account, draft, params.get("items") or ())
    account.save("subscription", draft)
    events.emit(account, "customer.subscription.updated", draft, before)
    return draft


def _change_items(account: Account, subscription: Object, given: Any) -> None:
    present = list(subscription["items"]["data"])
    for place, each in enumerate(given):
        if not each.get("id"):
            present.append(_item(account, subscription["id"], _price(account, each, place), each))
            continue
        item = next((known for known in present if known["id"] == each["id"]), None)
        if item is None:
            raise invalid(
                f"The subscription has no item {each['id']}.",
                param=f"items[{place}][id]",
                code="resource_missing",
            )
        if each.get("deleted"):
            present.remove(item)
            continue
        if each.get("price") or each.get("price_data"):
            item["price"] = events.snapshot(_price(account, each, place))
        if each.get("quantity") is not None:
            item["quantity"] = each["quantity"]
        account.save("subscription_item", item)
    if not present:
        raise invalid("A subscription must have at least one item.", param="items")
    subscription["items"] = inline(present, f"/v1/subscription_items?subscription={subscription['id']}")


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/subscriptions/{subscription}."""
    return account.find("subscription", identifier, "id", status=404)


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/subscriptions: canceled ones only when asked for."""
    status = params.get("status")
    tests = []
    if status is None:
        tests.append(lambda row: row.keys[1] not in ENDED)
    elif status == "ended":
        tests.append(lambda row: row.keys[1] in ENDED)
    elif status != "all":
        tests.append(lambda row: row.keys[1] == status)
    if params.get("price"):
        price = params["price"]
        tests.append(lambda row: any(item["price"]["id"] == price for item in row.value["items"]["data"]))
    return page(
        account,
        "subscription",
        params,
        "/v1/subscriptions",
        filters=("customer", "collection_method"),
        tests=tests,
    )


def searching(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/subscriptions/search."""
    return search(account, "subscription", params, "/v1/subscriptions/search")


def list_items(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/subscription_items."""
    return page(account, "subscription_item", params, "/v1/subscription_items", filters=("subscription",))


def retrieve_item(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/subscription_items/{item}."""
    return account.find("subscription_item", identifier, "item", what="subscription_item", status=404)


ROUTES: dict[str, Handler] = {
    "GET /v1/subscriptions": listing,
    "POST /v1/subscriptions": create,
    "GET /v1/subscriptions/search": searching,
    "GET /v1/subscriptions/{subscription_exposed_id}": retrieve,
    "POST /v1/subscriptions/{subscription_exposed_id}": update,
    "DELETE /v1/subscriptions/{subscription_exposed_id}": cancel,
    "GET /v1/subscription_items": list_items,
    "GET /v1/subscription_items/{item}": retrieve_item,
}
