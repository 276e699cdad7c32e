"""Billing alerts: an event, once for each customer, when what they used by a meter comes to a quantity."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import inside, invalid, missing_param, too_low
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.subscriptions.usage import of_meter

KIND = "billing.alert"
_MOVES = {"activate": ("inactive", "active"), "deactivate": ("active", "inactive")}


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/billing/alerts."""
    given = params.get("usage_threshold")
    if not given:
        raise missing_param("usage_threshold")
    with inside("usage_threshold"):
        if not given.get("meter"):
            raise missing_param("meter")
        account.find("billing.meter", given["meter"], "meter", what="meter")
        if given["gte"] < 1:
            raise too_low(1, "gte")
        if len(given.get("filters") or ()) > 1:
            raise invalid("An alert takes one filter.", param="filters")
        for each in given.get("filters") or ():
            if not each.get("customer"):
                raise missing_param("filters[0][customer]")
            account.find("customer", each["customer"], "filters[0][customer]")
    filters = [{"customer": each["customer"], "type": each["type"]} for each in given.get("filters") or ()]
    alert = {
        "id": account.new_id("alrt"),
        "object": KIND,
        "alert_type": params["alert_type"],
        "livemode": False,
        "status": "active",
        "title": params["title"],
        "usage_threshold": {
            "filters": filters, "gte": given["gte"], "meter": given["meter"],
            "recurrence": given["recurrence"],
        },
    }  # fmt: skip
    account.add(KIND, alert)
    account.private_state[alert["id"]] = {"since": account.now, "sent": []}
    return alert


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/billing/alerts/{id}."""
    return account.find(KIND, identifier, "id", what="alert", status=404)


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/billing/alerts."""
    meter = params.get("meter")
    if meter:
        account.find("billing.meter", meter, "meter", what="meter")
    tests = [lambda row: meter in {None, row.value["usage_threshold"]["meter"]}]
    return page(account, KIND, params, "/v1/billing/alerts", tests=tests)


def _moved(account: Account, identifier: str, name: str) -> Object:
    alert = retrieve(account, {}, identifier)
    before, after = _MOVES[name]
    if alert["status"] != before:
        raise invalid(f"You cannot {name} this alert: its status is {alert['status']}.")
    alert["status"] = after
    return account.save(KIND, alert)


def activate(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/billing/alerts/{id}/activate."""
    return _moved(account, identifier, "activate")


def deactivate(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/billing/alerts/{id}/deactivate."""
    return _moved(account, identifier, "deactivate")


def archive(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/billing/alerts/{id}/archive: for good."""
    alert = retrieve(account, {}, identifier)
    if alert["status"] == "archived":
        raise invalid("This alert is archived already.")
    alert["status"] = "archived"
    return account.save(KIND, alert)


def usage_reported(account: Account, meter: Object, customer: str) -> None:
    """A customer used something: alerts that are reached are sent."""
    for row in list(account.table(KIND).rows):
        alert = row.value
        limit = alert["usage_threshold"]
        only = {each["customer"] for each in limit["filters"]}
        if alert["status"] != "active" or limit["meter"] != meter["id"] or (only and customer not in only):
            continue
        state = account.private_state[alert["id"]]
        value = of_meter(account, meter, customer, state["since"], account.now + 1)
        if customer in state["sent"] or value < limit["gte"]:
            continue
        state["sent"].append(customer)
        events.emit(
            account,
            "billing.alert.triggered",
            {
                "object": "billing.alert_triggered", "alert": events.snapshot(alert),
                "created": account.now, "customer": customer, "livemode": False, "value": value,
            },
        )  # fmt: skip


ROUTES: dict[str, Handler] = {
    "GET /v1/billing/alerts": listing,
    "POST /v1/billing/alerts": create,
    "GET /v1/billing/alerts/{id}": retrieve,
    "POST /v1/billing/alerts/{id}/activate": activate,
    "POST /v1/billing/alerts/{id}/deactivate": deactivate,
    "POST /v1/billing/alerts/{id}/archive": archive,
}
