"""Subscriptions: what is asked of them. Made in creation.py, changed in updates.py; lifecycle.py and
dunning.py are what time does to them."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing
from stripe_magics.sandbox.api.pagination import Page, Test, page
from stripe_magics.sandbox.api.search import search
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.subscriptions import lifecycle
from stripe_magics.sandbox.resources.subscriptions.billing_periods import next_boundary, previous_boundary
from stripe_magics.sandbox.resources.subscriptions.creation import create
from stripe_magics.sandbox.resources.subscriptions.items import interval
from stripe_magics.sandbox.resources.subscriptions.updates import update


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/subscriptions/{subscription}."""
    return account.find("subscription", identifier, "id", status=404)


def cancel(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/subscriptions/{subscription}."""
    subscription = retrieve(account, {}, identifier)
    if subscription["status"] in lifecycle.ENDED:
        raise missing("subscription", identifier, "id")
    if params.get("cancellation_details"):
        subscription["cancellation_details"] = {
            **subscription["cancellation_details"],
            **params["cancellation_details"],
        }
    lifecycle.end(
        account,
        subscription,
        invoice_now=bool(params.get("invoice_now")),
        prorate=bool(params.get("prorate")),
    )
    return subscription


def resume(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/subscriptions/{subscription}/resume: of one that is paused since its trial ended without a
    payment method."""
    subscription = retrieve(account, {}, identifier)
    if subscription["status"] != "paused":
        raise invalid(
            f"Only a paused subscription can be resumed; the status of this one is {subscription['status']}."
        )
    if (
        not lifecycle.has_method(account, subscription)
        and subscription["collection_method"] != "send_invoice"
    ):
        raise invalid(
            "This customer has no attached payment source or default payment method. Please consider adding a"
            " default payment method.",
            code="resource_missing",
        )
    if params.get("proration_date") is not None:
        raise invalid("The sandbox doesn't simulate proration_date of a resumption.", param="proration_date")
    before = events.snapshot(subscription)
    now, every = account.now, interval(subscription)
    if params.get("billing_cycle_anchor") != "unchanged":
        subscription["billing_cycle_anchor"] = now
    end = next_boundary(subscription["billing_cycle_anchor"], now, *every)
    subscription.update(status="active", current_period_start=now, current_period_end=end)
    account.save("subscription", subscription)
    if params.get("billing_cycle_anchor") == "unchanged":
        whole = end - previous_boundary(subscription["billing_cycle_anchor"], now, *every)
        lifecycle.shorten_first_period(
            account, subscription, whole, free=params.get("proration_behavior") == "none"
        )
    lifecycle.bill_now(account, subscription, "subscription_update")
    lifecycle.schedule_jobs(account, subscription)
    events.emit(account, "customer.subscription.resumed", subscription)
    events.emit(account, "customer.subscription.updated", subscription, before)
    return subscription


def delete_discount(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/subscriptions/{subscription}/discount."""
    subscription = retrieve(account, {}, identifier)
    if not subscription["discounts"]:
        raise invalid(
            f"No active discount for subscription: {identifier}", status=404, code="resource_missing"
        )
    found = account.find("discount", subscription["discounts"][0], "discount")
    subscription.update(discount=None, discounts=[])
    account.save("subscription", subscription)
    events.emit(account, "customer.discount.deleted", found)
    return {**found, "deleted": True}


def _has_price(price: str) -> Test:
    return lambda row: any(item["price"]["id"] == price for item in row.value["items"]["data"])


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/subscriptions: canceled ones only when asked for."""
    status = params.get("status")
    tests: list[Test] = []
    if status is None:
        tests.append(lambda row: row.keys[1] not in lifecycle.ENDED)
    elif status == "ended":
        tests.append(lambda row: row.keys[1] in lifecycle.ENDED)
    elif status != "all":
        tests.append(lambda row: row.keys[1] == status)
    tests += [_has_price(params[name]) for name in ("price", "plan") if params.get(name)]
    if (params.get("automatic_tax") or {}).get("enabled") is not None:
        enabled = params["automatic_tax"]["enabled"]
        tests.append(lambda row: row.value["automatic_tax"]["enabled"] is enabled)
    return page(
        account,
        "subscription",
        params,
        "/v1/subscriptions",
        filters=("customer", "collection_method"),
        ranges=("current_period_end", "current_period_start"),
        tests=tests,
    )


def of_customer(account: Account, params: dict[str, Any], customer: str) -> Page:
    """GET /v1/customers/{customer}/subscriptions."""
    account.find("customer", customer, "customer", status=404)
    found = listing(account, {**params, "customer": customer})
    found.url = f"/v1/customers/{customer}/subscriptions"
    return found


def searching(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/subscriptions/search."""
    return search(account, "subscription", params, "/v1/subscriptions/search")


ROUTES: dict[str, Handler] = {
    "GET /v1/subscriptions": listing,
    "POST /v1/subscriptions": create,
    "GET /v1/subscriptions/search": searching,
    "GET /v1/subscriptions/{subscription_exposed_id}": retrieve,
    "POST /v1/subscriptions/{subscription_exposed_id}": update,
    "DELETE /v1/subscriptions/{subscription_exposed_id}": cancel,
    "DELETE /v1/subscriptions/{subscription_exposed_id}/discount": delete_discount,
    "POST /v1/subscriptions/{subscription}/resume": resume,
    "GET /v1/customers/{customer}/subscriptions": of_customer,
}

REACTIONS = {"customer.deleted": lifecycle.customer_deleted}
