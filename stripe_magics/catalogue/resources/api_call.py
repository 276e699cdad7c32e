"""Make an API Call: any path of Stripe's API, by hand."""

from __future__ import annotations

from stripe_magics.catalogue import declare as f
from stripe_magics.catalogue.field import Field, Role, in_more_section
from stripe_magics.catalogue.module import Effect, Module


def _pairs(name: str, label: str, help: str, key: str, value: str, role: Role) -> Field:
    columns = (
        f.text("key", "Key", key, param="client", required=True, restored=True),
        f.text("value", "Value", value, param="client", restored=True),
    )
    return f.rows(name, label, help, param="client", role=role, columns=columns)


CALL = Module(
    name="api.call",
    title="Make an API Call",
    method="ANY",
    path="{url}",
    returns="any",
    effect=Effect.IRREVERSIBLE,
    effects=(("method", "GET", Effect.READ),),
    help=(
        "Any call that Stripe knows, with your own parameters. GET reads; everything else may move money."
        " Stripe itself answers GET, POST and DELETE: updates are POST."
    ),
    fields=(
        f.text(
            "url",
            "URL",
            "Path below https://api.stripe.com with its version, e.g. /v1/events.",
            param="path",
            role=Role.URL,
            required=True,
            pattern=r"^/v[12]/\S+$",
        ),
        f.choice(
            "method",
            "Method",
            "HTTP method: GET reads, POST creates or changes, DELETE removes.",
            param="client",
            role=Role.METHOD,
            choices=("GET", "POST", "PUT", "PATCH", "DELETE"),
            default="GET",
        ),
        _pairs(
            "headers",
            "Headers",
            "Extra request headers; the key and the authorisation are added for you.",
            "Header name, e.g. Stripe-Account.",
            "Header value.",
            Role.HEADERS,
        ),
        _pairs(
            "query_string",
            "Query String",
            "Parameters after the question mark, one per row; a key may occur again.",
            "Parameter, e.g. created[gte] or expand[].",
            "Its value.",
            Role.QUERY,
        ),
        f.json(
            "body",
            "Body",
            "Request parameters as a (nested) JSON object; sent form-encoded to /v1, as JSON to /v2.",
            param="client",
            role=Role.BODY,
        ),
        *in_more_section(
            f.text(
                "idempotency_key",
                "Idempotency Key",
                "Idempotency-Key header of a POST: a repeat with the same key within 24 hours does nothing"
                " twice.",
                param="client",
                role=Role.IDEMPOTENCY_KEY,
                max_length=255,
            ),
            f.object_id(
                "stripe_account",
                "Stripe Account",
                "Stripe-Account header: connected account (acct_…) to act for.",
                param="client",
                role=Role.ACCOUNT,
                object="account",
                connect_only=True,
            ),
            f.text(
                "stripe_version",
                "Stripe Version",
                "Stripe-Version header for this call only.",
                param="client",
                role=Role.VERSION,
                pattern=r"^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$",
            ),
        ),
    ),
)

MODULES = (CALL,)
