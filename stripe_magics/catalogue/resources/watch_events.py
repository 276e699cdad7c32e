"""Watch Events: by a webhook endpoint where there is a public URL, by polling where there is none."""

from __future__ import annotations

from stripe_magics.catalogue import declare as f
from stripe_magics.catalogue import field_groups as g
from stripe_magics.catalogue.event_types import DEAD_EVENT_GROUPS, DEAD_EVENT_TYPES, EVENT_GROUPS, EVENT_TYPES
from stripe_magics.catalogue.field import Role, in_more_section
from stripe_magics.catalogue.module import Effect, Module

WATCH = Module(
    name="events.watch",
    title="Watch Events",
    method="POST",
    path="/v1/webhook_endpoints",
    returns="webhook_endpoint",
    effect=Effect.CREATE,
    aliases=("webhook_endpoints.create",),
    handler="events",
    help=(
        "Shows events as they happen. With a URL a webhook endpoint is created there; without one Stripe's"
        " list of events is polled, and Force different API Version has no effect. A line also takes"
        " --minutes, --interval (seconds), --since 2h, --where CONDITION, --alert"
        " sound|desktop|email|https://... (--notify: sound and desktop), --accounts $FRAME (connected"
        " accounts; --connect: all of them), --ephemeral, --status and --stop."
    ),
    fields=(
        f.text(
            "webhook_name",
            "Webhook Name",
            "Name for this watch; Stripe keeps it as the description of the webhook endpoint.",
            param="description",
            max_length=5000,
        ),
        f.multi_choice(
            "group",
            "Group",
            "Families of events to watch; each stands for all of its types.",
            param="client",
            role=Role.EXPANDS,
            expands_into="events",
            expansion=EVENT_GROUPS,
            choices=tuple(EVENT_GROUPS),
            dead_choices=DEAD_EVENT_GROUPS,
        ),
        f.multi_choice(
            "events",
            "Events",
            "Event types to deliver; choosing a group adds all of its types, * stands for every type.",
            param="enabled_events",
            choices=("*", *EVENT_TYPES),
            dead_choices=DEAD_EVENT_TYPES,
            required_with=("url",),
            restored=True,
        ),
        f.boolean(
            "connect",
            "Connect",
            "True: events of accounts connected to your platform; false: events of your own account.",
            default=False,
            connect_only=True,
        ),
        f.text(
            "api_version",
            "Force different API Version",
            "API version in which events are rendered, e.g. 2025-02-24.acacia; empty: the default of your"
            " account.",
            pattern=r"^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$",
        ),
        *in_more_section(
            f.url(
                "url",
                "URL",
                "Public https address that Stripe posts the events to; without one the events are polled.",
            ),
            g.metadata(),
        ),
    ),
)

MODULES = (WATCH,)
