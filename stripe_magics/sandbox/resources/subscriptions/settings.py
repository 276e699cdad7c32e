"""What create and update of a subscription set alike: how it is collected, paused, taxed, ended, and what is
simply kept."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, missing, too_low
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.metadata import take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.automatic_tax import located
from stripe_magics.sandbox.resources.connect import connected_billing, parties
from stripe_magics.sandbox.resources.subscriptions import threshold_rules
from stripe_magics.sandbox.resources.subscriptions.billing_periods import after

FARTHEST = 5 * 366 * DAY
LONGEST_TRIAL = 730 * DAY
_PLAIN = ("description", "metadata", "default_payment_method", "default_source")


def new_subscription(account: Account, customer: str, currency: str) -> Object:
    """A subscription with nothing but a customer; not stored yet."""
    nothing = dict.fromkeys(
        ("application", "application_fee_percent", "billing_cycle_anchor_config", "billing_thresholds",
            "cancel_at", "canceled_at",
         "days_until_due", "default_payment_method", "default_source", "description", "discount",
         "ended_at", "latest_invoice", "next_pending_invoice_item_invoice", "on_behalf_of",
         "pause_collection", "pending_invoice_item_interval",
         "pending_setup_intent", "pending_update", "plan", "quantity", "schedule", "test_clock",
         "transfer_data", "trial_end", "trial_start")
    )  # fmt: skip
    return {
        "id": account.new_id("sub"),
        "object": "subscription",
        **nothing,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": account.now,
        "cancel_at_period_end": False,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": account.now,
        "currency": currency,
        "current_period_end": account.now,
        "current_period_start": account.now,
        "customer": customer,
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": None,
        "livemode": False,
        "metadata": {},
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "start_date": account.now,
        "status": "active",
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
    }


def check_settings(
    account: Account, params: dict[str, Any], customer: str, collection: str, days: int | None,
    subscription: Object | None = None,
) -> None:  # fmt: skip
    """What can be wrong with them; changes nothing."""
    connected_billing.check(account, params, subscription)
    if collection == "send_invoice" and days is None:
        raise invalid_before_execution(
            "collection_method=send_invoice needs days_until_due.",
            param="days_until_due",
            code="parameter_missing",
        )
    if collection == "charge_automatically" and params.get("days_until_due") is not None:
        raise invalid(
            "`days_until_due` can only be set when `collection_method` is `send_invoice`.",
            param="days_until_due",
        )
    if days is not None and days < 0:
        raise too_low(0, "days_until_due")
    _check_method(account, params, customer)
    _check_dates(account, params)
    for place, each in enumerate(params.get("default_tax_rates") or ()):
        account.find("tax_rate", each, f"default_tax_rates[{place}]", what="tax rate")
    if (params.get("automatic_tax") or {}).get("enabled"):
        if params.get("default_tax_rates"):
            raise invalid(
                "You cannot use `automatic_tax` with `default_tax_rates`.", param="default_tax_rates"
            )
        owner = account.peek("customer", customer) or {}
        places = (owner.get("address"), (owner.get("shipping") or {}).get("address"))
        if not any(located(each) for each in places):
            raise invalid(
                "The customer's location isn't recognized. Set a valid customer address in order to"
                " automatically calculate tax.",
                param="automatic_tax[enabled]",
                code="customer_tax_location_invalid",
            )
    parties.check_all(account, params)
    for place, each in enumerate((params.get("invoice_settings") or {}).get("account_tax_ids") or ()):
        account.find("tax_id", each, f"invoice_settings[account_tax_ids][{place}]", what="tax ID")


def _check_method(account: Account, params: dict[str, Any], customer: str) -> None:
    method = params.get("default_payment_method")
    if method:
        found = account.find("payment_method", method, "default_payment_method", what="PaymentMethod")
        if found["customer"] != customer:
            raise invalid(
                f"The customer does not have a payment method with the ID {method}. The payment method must"
                " be attached to the customer.",
                param="default_payment_method",
                code="resource_missing",
            )
    source = params.get("default_source")
    if source and (account.peek("card", source) or {}).get("customer") != customer:
        raise missing("source", source, "default_source", status=400)


def _check_dates(account: Account, params: dict[str, Any]) -> None:
    trial = params.get("trial_end")
    if isinstance(trial, int):
        if trial <= account.now:
            raise invalid(
                "Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end"
            )
        if trial > account.now + LONGEST_TRIAL:
            raise invalid("The maximum number of trial period days is 730 (2 years).", param="trial_end")
        if params.get("trial_period_days") is not None:
            raise invalid(
                "You may only specify one of these parameters: trial_end, trial_period_days.",
                param="trial_period_days",
            )
    days = params.get("trial_period_days")
    if days is not None and not 0 <= days <= 730:
        raise invalid("trial_period_days lies between 0 and 730.", param="trial_period_days")
    ends = params.get("cancel_at")
    if isinstance(ends, int):
        if ends <= account.now:
            raise invalid("cancel_at must lie in the future.", param="cancel_at")
        if ends > account.now + FARTHEST:
            raise invalid("cancel_at can lie at most five years ahead.", param="cancel_at")
        if params.get("cancel_at_period_end"):
            raise invalid(
                "You may only specify one of these parameters: cancel_at, cancel_at_period_end.",
                param="cancel_at_period_end",
            )
    paused = params.get("pause_collection")
    if paused and paused.get("resumes_at") is not None and paused["resumes_at"] <= account.now:
        raise invalid("resumes_at must lie in the future.", param="pause_collection[resumes_at]")


def apply_settings(account: Account, subscription: Object, params: dict[str, Any]) -> None:
    """Set what was given."""
    take(subscription, params, _PLAIN)
    connected_billing.describe(account, subscription, params)
    if params.get("collection_method"):
        subscription["collection_method"] = params["collection_method"]
        if params["collection_method"] == "charge_automatically":
            subscription["days_until_due"] = None
    if params.get("days_until_due") is not None:
        subscription["days_until_due"] = params["days_until_due"]
    if "default_tax_rates" in params:
        subscription["default_tax_rates"] = [
            events.snapshot(account.find("tax_rate", each, "default_tax_rates"))
            for each in params["default_tax_rates"] or ()
        ]
    if "automatic_tax" in params:
        subscription["automatic_tax"] = {
            "disabled_reason": None,
            "enabled": params["automatic_tax"]["enabled"],
            "liability": parties.liability(params["automatic_tax"]),
        }
    if "invoice_settings" in params:
        given = dict(params["invoice_settings"] or {})
        if given.get("issuer"):
            given["issuer"] = parties.party(given["issuer"])
        merged = {**subscription["invoice_settings"], **given}
        subscription["invoice_settings"] = {**merged, "account_tax_ids": merged["account_tax_ids"] or None}
    if "payment_settings" in params:
        given = {name: value or None for name, value in (params["payment_settings"] or {}).items()}
        subscription["payment_settings"] = {**subscription["payment_settings"], **given}
    if "trial_settings" in params:
        subscription["trial_settings"] = params["trial_settings"]
    if "pause_collection" in params:
        paused = params["pause_collection"]
        subscription["pause_collection"] = paused and {
            "behavior": paused["behavior"],
            "resumes_at": paused.get("resumes_at"),
        }
    if "pending_invoice_item_interval" in params:
        often = params["pending_invoice_item_interval"]
        subscription["pending_invoice_item_interval"] = often and {
            "interval": often["interval"],
            "interval_count": often.get("interval_count") or 1,
        }
        subscription["next_pending_invoice_item_invoice"] = often and after(
            account.now, often["interval"], often.get("interval_count") or 1
        )
    if "billing_thresholds" in params:
        subscription["billing_thresholds"] = threshold_rules.of_subscription(params["billing_thresholds"])
    threshold_rules.check(account, subscription["billing_thresholds"], subscription["items"]["data"])
    _apply_end(account, subscription, params)


def _apply_end(account: Account, subscription: Object, params: dict[str, Any]) -> None:
    details = params.get("cancellation_details")
    if details:
        subscription["cancellation_details"] = {**subscription["cancellation_details"], **details}
    at_end = params.get("cancel_at_period_end")
    if at_end:
        subscription.update(
            cancel_at_period_end=True, canceled_at=account.now, cancel_at=subscription["current_period_end"]
        )
        _reason(subscription, "cancellation_requested")
    elif params.get("cancel_at"):
        subscription.update(
            cancel_at=params["cancel_at"], canceled_at=account.now, cancel_at_period_end=False
        )
        _reason(subscription, "cancellation_requested")
    elif at_end is False or ("cancel_at" in params and not params["cancel_at"]):
        subscription.update(cancel_at_period_end=False, cancel_at=None, canceled_at=None)
        _reason(subscription, None)


def _reason(subscription: Object, reason: str | None) -> None:
    subscription["cancellation_details"] = {**subscription["cancellation_details"], "reason": reason}
