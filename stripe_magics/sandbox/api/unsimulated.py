"""Parameters that the sandbox takes for what they are and refuses, since it doesn't simulate what they do:
"The sandbox doesn't simulate X."

Names stand with [] for places in lists. A name covers all that is nested in it. `EVERYWHERE` counts for every
operation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from stripe_magics.sandbox.api.errors import ApiError, invalid_before_execution

EVERYWHERE = frozenset({"radar_options", "payment_method_data[radar_options]", "validate"})
_ITEM = ("trial",)
_SUBSCRIPTION = (
    "items[][price_data][tax_behavior]", "add_invoice_items[][price_data][tax_behavior]",
    "payment_settings[payment_method_options]",
    "payment_settings[payment_method_types]", "trial_settings[end_behavior][invoice]",
)  # fmt: skip
_SCHEDULE = (
    "billing_mode", "phases[][items][][trial]",
)  # fmt: skip
_SETUP = (
    "confirmation_token",
    "payment_method_configuration",
    "single_use",
    "use_stripe_sdk",
    "excluded_payment_method_types",
)
_CHECKOUT = (
    "payment_method_configuration", "payment_method_data", "optional_items", "permissions",
    "shipping_options[][shipping_rate_data][fixed_amount][currency_options]", "wallet_options",
)  # fmt: skip
TABLE: dict[str, tuple[str, ...]] = {
    "POST /v1/accounts/{account}": (
        "account_token", "documents", "groups", "external_account[metadata]", "external_account[token]",
        "company[verification]",
        "individual[verification]",
    ),
    "POST /v1/accounts": ("account_token", "documents", "groups", "external_account[metadata]",
        "external_account[token]",
        "company[verification]", "individual[verification]"),
    "POST /v1/accounts/{account}/persons": ("documents", "person_token", "verification"),
    "POST /v1/accounts/{account}/persons/{person}": ("documents", "person_token", "verification"),
    "POST /v1/accounts/{account}/external_accounts/{id}": ("documents",),
    "POST /v1/accounts/{account}/external_accounts": (
        "external_account[address_city]", "external_account[address_country]",
        "external_account[address_line1]", "external_account[address_line2]",
        "external_account[address_state]", "external_account[address_zip]", "external_account[metadata]",
        "external_account[token]",
    ),
    "POST /v1/charges": ("application_fee", "destination"),
    "POST /v1/charges/{charge}/capture": ("application_fee",),
    "POST /v1/sources": ("flow", "mandate", "original_source", "receiver", "source_order"),
    "POST /v1/sources/{source}": ("mandate", "source_order"),
    "POST /v1/credit_notes": ("email_type",),
    "POST /v1/invoices": ("automatically_finalizes_at",
        "shipping_cost[shipping_rate_data][fixed_amount][currency_options]"),
    "POST /v1/invoices/{invoice}": ("automatically_finalizes_at",
        "shipping_cost[shipping_rate_data][fixed_amount][currency_options]"),
    "POST /v1/invoices/{invoice}/pay": ("forgive",),
    "POST /v1/payment_links/{payment_link}": ("line_items",),
    "POST /v1/payment_methods": ("card[networks]",),
    "POST /v1/payment_methods/{payment_method}": ("card[networks]", "naver_pay", "us_bank_account"),
    "POST /v1/subscription_schedules": _SCHEDULE,
    "POST /v1/subscription_schedules/{schedule}": _SCHEDULE,
    "POST /v1/shipping_rates": ("fixed_amount[currency_options]",),
    "POST /v1/shipping_rates/{shipping_rate_token}": ("fixed_amount[currency_options]",),
    "POST /v1/invoices/create_preview": (
        "schedule_details", "preview_mode", "subscription_details[billing_mode]",
        "subscription_details[items][][price_data][tax_behavior]", "customer_details[tax]",
    ),
    "GET /v1/invoices/upcoming": ("schedule_details", "preview_mode", "customer_details[tax]"),
    "GET /v1/invoices/upcoming/lines": ("schedule_details", "preview_mode", "customer_details[tax]"),
    "POST /v1/checkout/sessions": _CHECKOUT,
    "POST /v1/checkout/sessions/{session}": ("collected_information", "shipping_options"),
    "POST /v1/files": ("file_link_data",),
    "POST /v1/setup_intents": _SETUP,
    "POST /v1/setup_intents/{intent}": _SETUP,
    "POST /v1/setup_intents/{intent}/confirm": (*_SETUP, "payment_method_options"),
    "POST /v1/payment_intents/{intent}/capture": ("final_capture",),
    "POST /v1/subscription_items": _ITEM,
    "POST /v1/subscription_items/{item}": _ITEM,
    "POST /v1/subscriptions": _SUBSCRIPTION,
    "POST /v1/subscriptions/{subscription_exposed_id}": _SUBSCRIPTION,
}  # fmt: skip


@cache
def _by_head(name: str) -> dict[str, list[str]]:
    """What an operation refuses, by the name that stands before the first bracket."""
    found: dict[str, list[str]] = {}
    for known in EVERYWHERE.union(TABLE.get(name, ())):
        found.setdefault(known.partition("[")[0], []).append(known)
    return found


def check(name: str, given: Iterable[tuple[str, str]]) -> None:
    """Refuse a call that gives such a parameter."""
    by_head = _by_head(name)
    for each, value in given:
        known_names = by_head.get(each.partition("[")[0])
        if known_names is None or value == "":
            continue
        general = re.sub(r"\[\d*\]", "[]", each)
        for known in known_names:
            if general == known or general.startswith(f"{known}["):
                raise refusal(each, known)


def refusal(param: str, known: str) -> ApiError:
    """How such a parameter is refused."""
    return invalid_before_execution(f"The sandbox doesn't simulate {known.replace('[]', '')}.", param=param)
