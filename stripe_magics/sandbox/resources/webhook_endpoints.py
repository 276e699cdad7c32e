"""Events to read, and webhook endpoints: they are kept; only the loopback server delivers to them
(`webhook_sender`)."""

from __future__ import annotations

import re
from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, missing_param
from stripe_magics.sandbox.api.pagination import Page, Test, page
from stripe_magics.sandbox.api.versions import SERVED
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object

MOST_TYPES = 20
MOST_ENDPOINTS = 16


def list_events(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/events: of the last 30 days; `type` may end in `*`."""
    events.forget(account)
    tests: list[Test] = []
    if params.get("type") and params.get("types"):
        raise invalid_before_execution("You may only specify one of type and types.", param="types")
    requested = params.get("types") or ([params["type"]] if params.get("type") else [])
    if len(requested) > MOST_TYPES:
        raise invalid_before_execution(
            f"types takes at most {MOST_TYPES} values; {len(requested)} were given.", param="types"
        )
    if requested:
        pattern = re.compile("|".join(re.escape(each).replace(r"\*", ".*") for each in requested))
        tests.append(lambda row: pattern.fullmatch(row.keys[0]) is not None)
    if params.get("delivery_success") is False:  # nothing is delivered, so nothing failed to be
        tests.append(lambda row: False)
    return page(account, "event", params, "/v1/events", tests=tests)


def retrieve_event(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/events/{id}."""
    return account.find("event", identifier, "id", status=404)


def _checked_events(given: list[str]) -> None:
    from stripe_magics.catalogue.event_types import event_types

    known = {kind for version in SERVED for kind in event_types(version)}
    for place, kind in enumerate(given):
        if kind != "*" and kind not in known:
            raise invalid_before_execution(
                f"Invalid enabled_events[{place}]: '{kind}' is not an event type.",
                param=f"enabled_events[{place}]",
            )


def create_endpoint(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/webhook_endpoints: the answer alone has the secret."""
    if not params["enabled_events"]:
        raise missing_param("enabled_events")
    _checked_events(params["enabled_events"])
    _checked_url(params["url"])
    _checked_version(params.get("api_version"))
    if len(account.table("webhook_endpoint").ordered()) >= MOST_ENDPOINTS:
        raise invalid(f"You have reached the maximum of {MOST_ENDPOINTS} test webhook endpoints.")
    endpoint = {
        "id": account.new_id("we"),
        "object": "webhook_endpoint",
        "api_version": params.get("api_version"),
        "application": None,
        "created": account.now,
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "status": "enabled",
        "url": params["url"],
    }
    account.add("webhook_endpoint", endpoint)
    if params.get("connect"):
        account.private_state[endpoint["id"]] = {"connect": True}
    return {**endpoint, "secret": endpoint_secret(account, endpoint["id"])}


def endpoint_secret(account: Account, identifier: str) -> str:
    """What deliveries to an endpoint are signed with."""
    return f"whsec_{account.letters(identifier, 32)}"


def _checked_url(url: str) -> None:
    if re.fullmatch(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/\S*)?", url):
        return  # Stripe can't reach this machine; the loopback server delivers here
    if not re.fullmatch(r"https?://[^\s/]+\.[^\s/]+(/\S*)?", url):
        raise invalid(
            f"Invalid URL: {url}. It takes an explicit scheme such as https.", param="url", code="url_invalid"
        )
    if not url.startswith("https:"):
        raise invalid("Invalid URL: URL must be an HTTPS URL.", param="url", code="url_invalid")


def _checked_version(text: str | None) -> None:
    if text and not re.fullmatch(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?", text):
        raise invalid_before_execution(f"Invalid Stripe API version: {text}", param="api_version")


def retrieve_endpoint(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/webhook_endpoints/{webhook_endpoint}."""
    return account.find(
        "webhook_endpoint", identifier, "webhook_endpoint", what="webhook endpoint", status=404
    )


def update_endpoint(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/webhook_endpoints/{webhook_endpoint}."""
    endpoint = retrieve_endpoint(account, {}, identifier)
    if params.get("enabled_events"):
        _checked_events(params["enabled_events"])
    if params.get("url"):
        _checked_url(params["url"])
    take(endpoint, params, ("description", "enabled_events", "metadata", "url"))
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    return account.save("webhook_endpoint", endpoint)


def delete_endpoint(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/webhook_endpoints/{webhook_endpoint}."""
    retrieve_endpoint(account, {}, identifier)
    return account.remove("webhook_endpoint", identifier)


def list_endpoints(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/webhook_endpoints."""
    return page(account, "webhook_endpoint", params, "/v1/webhook_endpoints")


ROUTES: dict[str, Handler] = {
    "GET /v1/events": list_events,
    "GET /v1/events/{id}": retrieve_event,
    "GET /v1/webhook_endpoints": list_endpoints,
    "POST /v1/webhook_endpoints": create_endpoint,
    "GET /v1/webhook_endpoints/{webhook_endpoint}": retrieve_endpoint,
    "POST /v1/webhook_endpoints/{webhook_endpoint}": update_endpoint,
    "DELETE /v1/webhook_endpoints/{webhook_endpoint}": delete_endpoint,
}
