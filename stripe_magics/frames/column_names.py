"""The names under which a column is found: its own, Stripe's path (`payment_method_details.card.brand`), and
short names for the fifty that everybody uses. A short name stands beside the long one: `--columns card_brand`
gives a column of that name, `df.stripe["card_brand"]` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from stripe_magics.catalogue.versions import PINNED_VERSION
from stripe_magics.frames.schema import Column, known, release, schema

_CARD = {
    "card_brand": "payment_method_details_card_brand",
    "card_last4": "payment_method_details_card_last4",
    "card_country": "payment_method_details_card_country",
    "card_funding": "payment_method_details_card_funding",
    "card_network": "payment_method_details_card_network",
    "card_fingerprint": "payment_method_details_card_fingerprint",
    "card_exp_month": "payment_method_details_card_exp_month",
    "card_exp_year": "payment_method_details_card_exp_year",
    "wallet": "payment_method_details_card_wallet_type",
    "payment_type": "payment_method_details_type",
}
_BILLING = {
    "customer_email": "billing_details_email",
    "customer_name": "billing_details_name",
    "customer_phone": "billing_details_phone",
    "billing_country": "billing_details_address_country",
    "billing_city": "billing_details_address_city",
    "postal_code": "billing_details_address_postal_code",
}
_SHIPPING = {
    "ship_to": "shipping_name",
    "ship_country": "shipping_address_country",
    "ship_city": "shipping_address_city",
}
_DECLINE = {
    "decline_code": "last_payment_error_decline_code",
    "error_code": "last_payment_error_code",
    "error_message": "last_payment_error_message",
}
_PLAN = {
    "plan_name": "price_nickname",
    "plan_amount": "price_unit_amount",
    "plan_interval": "price_recurring_interval",
    "plan_product": "price_product",
}

SHORT: Mapping[str, Mapping[str, str]] = {
    "charge": {
        **_CARD,
        **_BILLING,
        **_SHIPPING,
        "decline_code": "outcome_reason",
        "decline_message": "outcome_seller_message",
        "error_code": "failure_code",
        "error_message": "failure_message",
        "risk_level": "outcome_risk_level",
        "risk_score": "outcome_risk_score",
        "fee": "balance_transaction_fee",
        "net": "balance_transaction_net",
    },
    "payment_intent": {**_SHIPPING, **_DECLINE, "charge": "latest_charge", "customer_email": "receipt_email",
        "next_step": "next_action_type"},
    "setup_intent": {"decline_code": "last_setup_error_decline_code",
        "error_message": "last_setup_error_message"},
    "payment_method": {
        "customer_email": "billing_details_email",
        "customer_name": "billing_details_name",
        **{f"card_{key}": f"card_{key}" for key in ("brand", "last4", "country", "funding")},
    },
    "customer": {"customer_email": "email", "customer_name": "name", "country": "address_country",
        "city": "address_city", "postal_code": "address_postal_code"},
    "invoice": {"paid_at": "status_transitions_paid_at", "finalized_at": "status_transitions_finalized_at",
        "voided_at": "status_transitions_voided_at", "invoice_number": "number"},
    "subscription": {"cancel_reason": "cancellation_details_reason",
        "cancel_feedback": "cancellation_details_feedback"},
    "subscription_item": dict(_PLAN),
    "line_item": dict(_PLAN),
    "invoiceitem": dict(_PLAN),
    "price": {"interval": "recurring_interval", "interval_count": "recurring_interval_count"},
    "checkout.session": {"customer_email": "customer_details_email", "customer_name": "customer_details_name",
        "customer_country": "customer_details_address_country"},
    "dispute": {"due_by": "evidence_details_due_by", "has_evidence": "evidence_details_has_evidence"},
    "payout": {"bank": "destination", "arrives": "arrival_date"},
    "balance_transaction": {"available": "available_on"},
    "event": {"object_id": "data_object_id", "changed": "data_previous_attributes"},
}  # fmt: skip
"""By object type: short name -> column. One that is a column of the object itself is that column, whatever
stands here."""


@cache
def short_names(object_type: str) -> Mapping[str, str]:
    """The short names of an object type, without those that are its own columns."""
    own = {each.name for each in schema(object_type).columns}
    return {short: name for short, name in SHORT.get(object_type, {}).items() if short not in own}


def resolve(object_type: str, name: str, expand: Sequence[str] | None = None) -> str:
    """The column that a person means: a short name and Stripe's path become the column's own name; anything
    else stays.

    `customer_email` is the e-mail of the customer where that is expanded; where `expand` says that it isn't,
    it is the short name.
    """
    own = {each.name: each for each in schema(object_type).columns}
    if name in own or "[" in name:
        return name
    path = name.replace(".", "_") if "." in name and " " not in name else name
    if path in own:
        return path
    long = short_names(object_type).get(path)
    if long is None:
        return path
    holder = next((each for each in own if own[each].kind == "ref" and path.startswith(f"{each}_")), "")
    if holder and (expand is None or any(holder in each.split(".") for each in expand)):
        return path
    return long


def expansions(
    object_type: str, names: Sequence[str], expand: Sequence[str] = (), version: str = PINNED_VERSION
) -> dict[str, str]:
    """The columns among `names` that are another object's, and the reference that must be expanded for them:
    `customer_name` -> `customer`.

    A reference counts if its name is a type of object that has such a column. Own columns and short names are
    the object's own.
    """
    own = {each.name: each for each in schema(object_type, release(version)).columns}
    references = [name for name, each in own.items() if each.kind == "ref" and known(name)]
    found: dict[str, str] = {}
    for name in names:
        column = resolve(object_type, name, expand)
        holder = next((each for each in references if column.startswith(f"{each}_")), "")
        if column not in own and holder and column.removeprefix(f"{holder}_") in schema(holder).names:
            found[name] = holder
    return found


def expanded_columns(object_type: str, names: Sequence[str], expand: Sequence[str]) -> tuple[Column, ...]:
    """The columns among `names` that come with what is expanded; they are there, and missing, where no row
    has that object."""
    paths = {each.removeprefix("data.") for each in expand}
    found = expansions(object_type, names, expand)
    columns = {
        (holder, f"{holder}_{each.name}"): each
        for holder in paths.intersection(found.values())
        for each in schema(holder).columns
    }
    pairs = [(holder, resolve(object_type, name, expand)) for name, holder in found.items()]
    return tuple(
        replace(columns[pair], name=pair[1], path=()) for pair in dict.fromkeys(pairs) if pair in columns
    )


def given_names(object_type: str, names: Sequence[str], expand: Sequence[str]) -> dict[str, str]:
    """The columns that were asked for by a short name: column -> that name."""
    pairs = {resolve(object_type, each, expand): each for each in names if each in short_names(object_type)}
    return {name: short for name, short in pairs.items() if name != short}
