"""The phases of a subscription schedule: what is given of them, and what each says of its subscription."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import inside, invalid, missing_param, too_low
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.connect import connected_billing, parties
from stripe_magics.sandbox.resources.subscriptions import threshold_rules
from stripe_magics.sandbox.resources.subscriptions.billing_periods import after
from stripe_magics.sandbox.resources.subscriptions.items import price_of, threshold

_TO_SUBSCRIPTION = (
    "collection_method",
    "default_payment_method",
    "description",
    "default_tax_rates",
    "automatic_tax",
    "metadata",
    "discounts",
    "coupon",
)


def default_settings(account: Account, present: Object, given: dict[str, Any]) -> Object:
    """The settings of all phases that don't say otherwise, after a call."""
    with inside("default_settings"):
        _check_settings(account, given, present)
    plain = {name: of for name, of in given.items() if name not in connected_billing.SETTINGS}
    settings = {**present, **plain}
    if given.get("automatic_tax"):
        settings["automatic_tax"] = _automatic_tax(given["automatic_tax"])
    if "billing_thresholds" in given:
        settings["billing_thresholds"] = threshold_rules.of_subscription(given["billing_thresholds"])
    if given.get("invoice_settings"):
        settings["invoice_settings"] = _invoice_settings(
            present["invoice_settings"], given["invoice_settings"]
        )
    connected_billing.describe(account, settings, given, "default_settings")
    return settings


def _check_thresholds(account: Account, phase: Object, defaults: Object, prices: list[Object]) -> None:
    """Those of a phase, or of all phases, beside the prices of the phase."""
    parts = [{**item, "price": price} for item, price in zip(phase["items"], prices, strict=True)]
    threshold_rules.check(account, phase["billing_thresholds"] or defaults["billing_thresholds"], parts)


def _check_settings(account: Account, given: dict[str, Any], so_far: Object) -> None:
    connected_billing.check(account, given, so_far)
    parties.check_all(account, given)
    for place, each in enumerate((given.get("invoice_settings") or {}).get("account_tax_ids") or ()):
        account.find("tax_id", each, f"invoice_settings[account_tax_ids][{place}]", what="tax ID")


def _automatic_tax(given: dict[str, Any]) -> Object:
    return {"disabled_reason": None, "enabled": given["enabled"], "liability": parties.liability(given)}


def _invoice_settings(present: Object, given: dict[str, Any]) -> Object:
    merged = {**present, **given}
    return {**merged, "issuer": merged["issuer"] and parties.party(merged["issuer"])}


_NO_INVOICE_SETTINGS = {"account_tax_ids": None, "days_until_due": None, "issuer": None}


def phases_given(
    account: Account, given: list[dict[str, Any]], begins: int, defaults: Object
) -> list[Object]:
    found: list[Object] = []
    start = begins
    for place, each in enumerate(given):
        where = f"phases[{place}]"
        if not each.get("items"):
            raise missing_param(f"{where}[items]")
        with inside(where):
            _check_settings(account, each, defaults)
        prices = [price_of(account, item, f"{where}[items][{at}]") for at, item in enumerate(each["items"])]
        if each.get("currency") and each["currency"].lower() != prices[0]["currency"]:
            raise invalid(f"The prices are in {prices[0]['currency']}.", param=f"{where}[currency]")
        recurring = prices[0]["recurring"]
        last = place == len(given) - 1
        if isinstance(each.get("start_date"), int) and each["start_date"] != start:
            raise invalid("The phases must follow one another without a gap.", param=f"{where}[start_date]")
        if isinstance(each.get("end_date"), int):
            end = each["end_date"]
        elif each.get("iterations") is not None:
            if each["iterations"] < 1:
                raise invalid("iterations is at least 1.", param=f"{where}[iterations]")
            count = recurring["interval_count"] * each["iterations"]
            end = _after(start, recurring["interval"], count, f"{where}[iterations]")
        elif each.get("duration"):
            count = each["duration"].get("interval_count", 1)
            if count < 1:
                raise too_low(1, f"{where}[duration][interval_count]")
            end = _after(start, each["duration"]["interval"], count, f"{where}[duration][interval_count]")
        elif last:
            end = after(start, recurring["interval"], recurring["interval_count"])
        else:
            raise missing_param(f"{where}[iterations]")
        if end <= start:
            raise invalid("A phase must end after it starts.", param=f"{where}[end_date]")
        trial = each.get("trial_end")
        if each.get("trial"):
            trial = end
        if trial is not None and not start < trial <= end:
            raise invalid("The trial of a phase must end within it.", param=f"{where}[trial_end]")
        found.append(
            {
                "add_invoice_items": each.get("add_invoice_items") or [], "application_fee_percent": None,
                "automatic_tax": each.get("automatic_tax") and _automatic_tax(each["automatic_tax"]),
                "billing_cycle_anchor": each.get("billing_cycle_anchor"),
                "billing_thresholds": threshold_rules.of_subscription(each.get("billing_thresholds")),
                "collection_method": each.get("collection_method"), "coupon": each.get("coupon"),
                "currency": prices[0]["currency"],
                "default_payment_method": each.get("default_payment_method"),
                "default_tax_rates": [
                    events.snapshot(account.find("tax_rate", rate,
                        f"{where}[default_tax_rates]")) for rate in each.get("default_tax_rates") or ()
                ],
                "description": each.get("description"),
                "discounts": [
                    {name: discount.get(name) for name in ("coupon", "discount",
                        "promotion_code")} for discount in each.get("discounts") or ()
                ],
                "end_date": end,
                "invoice_settings": each.get("invoice_settings")
                and _invoice_settings(_NO_INVOICE_SETTINGS, each["invoice_settings"]),
                "items": [
                    {
                        "billing_thresholds": threshold(price, item.get("billing_thresholds"),
                            f"{where}[items][{at}]"),
                        "discounts": item.get("discounts") or [],
                        "metadata": merged_metadata({}, item.get("metadata")),
                        "plan": price["id"], "price": price["id"],
                        **({} if price["recurring"]["usage_type"] == "metered"
                           else {"quantity": item.get("quantity", 1)}),
                        "tax_rates": [account.find("tax_rate", rate,
                            f"{where}[items][tax_rates]") for rate in item.get("tax_rates") or ()],
                    }
                    for at, (item, price) in enumerate(zip(each["items"], prices, strict=True))
                ],
                "metadata": merged_metadata({}, each.get("metadata")), "on_behalf_of": None,
                "proration_behavior": each.get("proration_behavior") or "create_prorations",
                "start_date": start, "transfer_data": None, "trial_end": trial,
            }
        )  # fmt: skip
        with inside(where):
            _check_thresholds(account, found[-1], defaults, prices)
        connected_billing.describe(account, found[-1], each, "phase")
        start = end
    return found


_MOST = {"day": 36_500, "week": 5_200, "month": 1_200, "year": 100}


def _after(start: int, interval: str, count: int, param: str) -> int:
    if count > _MOST[interval]:
        raise invalid("A phase lasts a hundred years at most.", param=param)
    return after(start, interval, count)


def subscription_settings(phase: Object, defaults: Object) -> dict[str, Any]:
    """What a phase says of its subscription, the schedule's defaults beneath it."""
    found: dict[str, Any] = {}
    for name in _TO_SUBSCRIPTION:
        value = phase.get(name) or defaults.get(name)
        if name == "default_tax_rates":
            value = [rate["id"] for rate in value or ()]
        if name == "discounts":
            value = [{key: given for key, given in each.items() if given} for each in value or ()]
        if name == "automatic_tax" and value:
            value = {"enabled": value["enabled"], "liability": value.get("liability")}
        if value:
            found[name] = value
    said = {name: of for name, of in (phase["invoice_settings"] or {}).items() if of is not None}
    billed = {**_NO_INVOICE_SETTINGS, **(defaults["invoice_settings"] or {}), **said}
    if billed["days_until_due"] is not None and found.get("collection_method") == "send_invoice":
        found["days_until_due"] = billed["days_until_due"]
    found["invoice_settings"] = {name: billed[name] for name in ("account_tax_ids", "issuer")}
    found["billing_thresholds"] = phase["billing_thresholds"] or defaults["billing_thresholds"]
    return {**found, **connected_billing.settings_of(phase, defaults)}


def subscription_items(phase: Object) -> list[dict[str, Any]]:
    return [
        {
            "price": each["price"], "metadata": each["metadata"],
            "tax_rates": [rate["id"] for rate in each["tax_rates"]],
            "billing_thresholds": each["billing_thresholds"],
            **({"discounts": each["discounts"]} if each["discounts"] else {}),
            **({"quantity": each["quantity"]} if "quantity" in each else {}),
        }
        for each in phase["items"]
    ]  # fmt: skip


def keep_items(subscription: Object, given: dict[str, Any]) -> None:
    """Items whose price stays are changed, not replaced."""
    by_price = {item["price"]["id"]: item["id"] for item in subscription["items"]["data"]}
    kept = []
    for each in [item for item in given["items"] if not item.get("deleted")]:
        if each["price"] in by_price:
            identifier = by_price.pop(each["price"])
            kept.append(
                {"id": identifier, **{name: value for name, value in each.items() if name != "price"}}
            )
        else:
            kept.append(each)
    gone = [{"id": identifier, "deleted": True, "clear_usage": True} for identifier in by_price.values()]
    given["items"] = kept + gone
