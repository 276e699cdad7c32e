"""Meters and meter events: what customers use, for prices that are billed by usage."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing
from stripe_magics.sandbox.api.pagination import Page, of_objects, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import DAY, HOUR, MINUTE
from stripe_magics.sandbox.core.metadata import take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.billing_alerts import usage_reported
from stripe_magics.sandbox.resources.subscriptions.usage import note_used, of_meter

KIND = "billing.meter"
BACK, AHEAD = 35 * DAY, 5 * MINUTE


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/billing/meters."""
    if _named(account, params["event_name"]):
        raise invalid(
            f"An active meter with the event name {params['event_name']} already exists.", param="event_name"
        )
    mapping = params.get("customer_mapping") or {}
    meter: Object = {
        "id": account.new_id("mtr_test", 20),
        "object": KIND,
        "created": account.now,
        "customer_mapping": {
            "event_payload_key": mapping.get("event_payload_key") or "stripe_customer_id",
            "type": mapping.get("type") or "by_id",
        },
        "default_aggregation": params["default_aggregation"],
        "display_name": params["display_name"],
        "event_name": params["event_name"],
        "event_time_window": params.get("event_time_window"),
        "livemode": False,
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": account.now,
        "value_settings": {
            "event_payload_key": (params.get("value_settings") or {}).get("event_payload_key") or "value"
        },
    }
    account.add(KIND, meter)
    events.emit(account, "billing.meter.created", meter)
    return meter


def _named(account: Account, event_name: str) -> Object | None:
    return next(
        (
            each
            for each in account.each(KIND)
            if each["event_name"] == event_name and each["status"] == "active"
        ),
        None,
    )


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/billing/meters/{id}."""
    return account.find(KIND, identifier, "id", what="meter", status=404)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/billing/meters/{id}."""
    meter = retrieve(account, {}, identifier)
    before = events.snapshot(meter)
    take(meter, params, ("display_name",))
    return _stored(account, meter, before, "billing.meter.updated")


def _stored(account: Account, meter: Object, before: Object, kind: str) -> Object:
    meter["updated"] = account.now
    account.save(KIND, meter)
    events.emit(account, kind, meter, before)
    return meter


def deactivate(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/billing/meters/{id}/deactivate."""
    meter = retrieve(account, {}, identifier)
    if meter["status"] == "inactive":
        raise invalid("The meter is inactive already.")
    before = events.snapshot(meter)
    meter.update(status="inactive", status_transitions={"deactivated_at": account.now})
    return _stored(account, meter, before, "billing.meter.deactivated")


def reactivate(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/billing/meters/{id}/reactivate."""
    meter = retrieve(account, {}, identifier)
    if meter["status"] == "active":
        raise invalid("The meter is active already.")
    before = events.snapshot(meter)
    meter.update(status="active", status_transitions={"deactivated_at": None})
    return _stored(account, meter, before, "billing.meter.reactivated")


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/billing/meters."""
    status = params.get("status")
    tests = [lambda row: row.value["status"] == status] if status else []
    return page(account, KIND, params, "/v1/billing/meters", tests=tests)


def report(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/billing/meter_events."""
    meter = _named(account, params["event_name"])
    if meter is None:
        raise invalid(
            f"No active meter found for event name {params['event_name']}.",
            param="event_name",
            code="no_meter",
        )
    payload = params["payload"]
    customer = payload.get(meter["customer_mapping"]["event_payload_key"])
    if not customer:
        raise invalid(
            f"The payload needs {meter['customer_mapping']['event_payload_key']}.",
            param="payload",
            code="missing_dimension_payload_keys",
        )
    account.find("customer", customer, "payload")
    value = payload.get(meter["value_settings"]["event_payload_key"])
    if meter["default_aggregation"]["formula"] != "count":
        _check_value(value)
    moment = params.get("timestamp") or account.now
    if not account.now - BACK <= moment <= account.now + AHEAD:
        raise invalid(
            "The timestamp must be within the past 35 days, or up to 5 minutes in the future.",
            param="timestamp",
            code="timestamp_too_far_in_past" if moment < account.now else "timestamp_in_future",
        )
    known = account.private_state.setdefault(meter["id"], {}).setdefault("events", [])
    identifier = params.get("identifier") or account.letters(f"meter_event{account.count}", 24)
    if any(each["identifier"] == identifier and each["timestamp"] > account.now - DAY for each in known):
        raise invalid(
            f"An event already exists with identifier {identifier}.",
            param="identifier",
            code="duplicate_meter_event",
        )
    account.count += 1
    known.append(
        {
            "identifier": identifier,
            "customer": customer,
            "timestamp": moment,
            "value": str(value if value is not None else "0"),
            "created": account.now,
        }
    )
    known.sort(key=lambda each: each["timestamp"])
    note_used(account, customer)
    usage_reported(account, meter, customer)
    return {
        "object": "billing.meter_event", "created": account.now, "event_name": params["event_name"],
        "identifier": identifier, "livemode": False, "payload": payload, "timestamp": moment,
    }  # fmt: skip


def _check_value(value: Any) -> None:
    try:
        number = Decimal(value or "")
    except InvalidOperation as error:
        raise invalid(
            "The value of a meter event must be a number.", param="payload", code="meter_event_invalid_value"
        ) from error
    if not number.is_finite():
        raise invalid(
            "The value of a meter event must be a number.", param="payload", code="meter_event_invalid_value"
        )


def adjust(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/billing/meter_event_adjustments: an event of the last 24 hours is taken back."""
    meter = _named(account, params["event_name"])
    identifier = (params.get("cancel") or {}).get("identifier")
    if meter is None:
        raise invalid(
            f"No active meter found for event name {params['event_name']}.",
            param="event_name",
            code="no_meter",
        )
    known = account.private_state.get(meter["id"], {}).get("events", ())
    event = next((each for each in known if each["identifier"] == identifier), None)
    if event is None:
        raise missing("meter event", str(identifier), "cancel[identifier]", status=400)
    if event["created"] < account.now - DAY:
        raise invalid("Only events of the last 24 hours can be canceled.", param="cancel[identifier]")
    event["canceled"] = True
    return {
        "object": "billing.meter_event_adjustment", "cancel": {"identifier": identifier},
        "event_name": params["event_name"],
        "livemode": False, "status": "complete", "type": "cancel",
    }  # fmt: skip


def summaries(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/billing/meters/{id}/event_summaries: what a customer used between two moments."""
    meter = retrieve(account, {}, identifier)
    account.find("customer", params["customer"], "customer")
    start, end = params["start_time"], params["end_time"]
    for name, moment in (("start_time", start), ("end_time", end)):
        if moment % MINUTE:
            raise invalid(f"{name} must lie on a whole minute.", param=name)
    step = {"hour": HOUR, "day": DAY}.get(params.get("value_grouping_window") or "", end - start)
    rows = []
    while step > 0 and start < end:
        value = of_meter(account, meter, params["customer"], start, min(start + step, end))
        rows.append(
            {
                "id": f"mtrusg_test_{account.letters(f'{identifier}{start}{step}', 20)}",
                "object": "billing.meter_event_summary",
                "aggregated_value": value, "end_time": min(start + step, end), "livemode": False,
                "meter": identifier, "start_time": start,
            }
        )  # fmt: skip
        start += step
    return of_objects(rows, params, f"/v1/billing/meters/{identifier}/event_summaries")


ROUTES: dict[str, Handler] = {
    "GET /v1/billing/meters": listing,
    "POST /v1/billing/meters": create,
    "GET /v1/billing/meters/{id}": retrieve,
    "POST /v1/billing/meters/{id}": update,
    "POST /v1/billing/meters/{id}/deactivate": deactivate,
    "POST /v1/billing/meters/{id}/reactivate": reactivate,
    "GET /v1/billing/meters/{id}/event_summaries": summaries,
    "POST /v1/billing/meter_events": report,
    "POST /v1/billing/meter_event_adjustments": adjust,
}
