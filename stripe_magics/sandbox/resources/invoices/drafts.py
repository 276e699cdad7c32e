"""A draft and what it adds up to: its parts, what may be set on it, its lines and sums anew after every
change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stripe_magics import money
from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, too_low
from stripe_magics.sandbox.api.pagination import inline
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_descriptor
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.metadata import take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import automatic_tax, discounts, tax_settings
from stripe_magics.sandbox.resources.cash_balances import intent_funding
from stripe_magics.sandbox.resources.connect import connected_billing, parties
from stripe_magics.sandbox.resources.invoices.line_taxes import given_taxes
from stripe_magics.sandbox.resources.invoices.lines import line_of, put_lines
from stripe_magics.sandbox.resources.invoices.totals import compute_totals, tax_entries
from stripe_magics.sandbox.resources.payment_methods.method_creation import address
from stripe_magics.sandbox.resources.tax_and_shipping_rates import build_shipping_rate

_PLAIN = ("account_tax_ids", "auto_advance", "custom_fields", "default_payment_method", "default_source",
    "description", "effective_at", "footer", "metadata", "number", "statement_descriptor")  # fmt: skip

MAX_CUSTOM_FIELDS = 4
_RENDERING = {"amount_tax_display": None, "template": None, "template_version": None}


def new_invoice(
    account: Account, customer: Object, currency: str, collection: str, *, reason: str = "manual"
) -> Object:
    """An empty draft; not stored yet."""
    identifier = account.new_id("in")
    nothing = dict.fromkeys(
        ("account_tax_ids", "application", "application_fee_amount", "charge", "custom_fields",
            "default_payment_method", "default_source",
         "description", "discount", "due_date", "effective_at", "ending_balance", "footer", "from_invoice",
         "hosted_invoice_url", "invoice_pdf", "last_finalization_error", "latest_revision",
         "next_payment_attempt", "number", "on_behalf_of", "payment_intent", "quote", "receipt_number",
         "shipping_cost", "shipping_details", "statement_descriptor", "subscription", "tax", "test_clock",
         "transfer_data")
    )  # fmt: skip
    return {
        "id": identifier,
        "object": "invoice",
        **nothing,
        "account_country": account.profile["country"],
        "account_name": account.profile["settings"]["dashboard"]["display_name"],
        "amount_due": 0,
        "amount_paid": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None, "status": None},
        "billing_reason": reason,
        "collection_method": collection,
        "created": account.now,
        "currency": currency,
        "customer": customer["id"],
        **_of_customer(account, customer),
        "default_tax_rates": [],
        "discounts": [],
        "issuer": {"type": "self"},
        "lines": inline([], f"/v1/invoices/{identifier}/lines"),
        "livemode": False,
        "metadata": {},
        "paid": False,
        "paid_out_of_band": False,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": account.now,
        "period_start": account.now,
        "post_payment_credit_notes_amount": 0,
        "rendering": {**_RENDERING, "pdf": {"page_size": "auto"}} if reason == "manual" else None,
        "webhooks_delivered_at": None if any(account.each("webhook_endpoint")) else account.now,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subscription_details": {"metadata": None},
        "subtotal": 0,
        "subtotal_excluding_tax": 0,
        "total": 0,
        "total_discount_amounts": [],
        "total_excluding_tax": 0,
        "total_pretax_credit_amounts": [],
        "total_tax_amounts": [],
    }


def _of_customer(account: Account, customer: Object) -> Object:
    """What an invoice copies from its customer until it is final."""
    numbers = [account.peek("tax_id", each) for each in account.where("tax_id", customer=customer["id"])]
    return {
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [{"type": each["type"], "value": each["value"]} for each in numbers if each],
    }


def check(
    account: Account, params: dict[str, Any], collection: str, customer: str, *, required: bool = False,
    invoice: Object | None = None,
) -> None:  # fmt: skip
    """What can be wrong with values of a create or an update (of that invoice); changes nothing."""
    connected_billing.check(account, params, invoice)
    parties.check(account, params.get("issuer"), "issuer")
    parties.check_all(account, params)
    checked_descriptor(params, "statement_descriptor")
    days, due = params.get("days_until_due"), params.get("due_date")
    if collection == "charge_automatically" and (days is not None or due is not None):
        raise invalid_before_execution(
            "days_until_due and due_date go with collection_method=send_invoice only.",
            param="days_until_due" if days is not None else "due_date",
        )
    if collection == "send_invoice":
        if days is not None and due is not None:
            raise invalid_before_execution(
                "You may only specify one of days_until_due and due_date.", param="due_date"
            )
        if required and days is None and due is None:
            raise invalid_before_execution(
                "collection_method=send_invoice needs days_until_due or due_date.",
                param="days_until_due",
                code="parameter_missing",
            )
    if days is not None and days < 0:
        raise too_low(0, "days_until_due")
    if due is not None and due < account.now:
        raise invalid_before_execution("due_date lies in the past.", param="due_date")
    if len(params.get("custom_fields") or ()) > MAX_CUSTOM_FIELDS:
        raise invalid_before_execution(f"At most {MAX_CUSTOM_FIELDS} custom fields.", param="custom_fields")
    for place, each in enumerate(params.get("default_tax_rates") or ()):
        account.find("tax_rate", each, f"default_tax_rates[{place}]", what="tax rate")
    if params.get("default_payment_method"):
        method = account.find(
            "payment_method", params["default_payment_method"], "default_payment_method", what="PaymentMethod"
        )
        if method["customer"] != customer:
            raise invalid(
                "The payment method must be attached to the customer of the invoice.",
                param="default_payment_method",
            )
    if params.get("default_source"):
        account.find("card", params["default_source"], "default_source", what="source")
    for place, each in enumerate(params.get("account_tax_ids") or ()):
        account.find("tax_id", each, f"account_tax_ids[{place}]", what="tax ID")
    rate = (params.get("shipping_cost") or {}).get("shipping_rate")
    if rate:
        account.find("shipping_rate", rate, "shipping_cost[shipping_rate]", what="shipping rate")
    discounts.check(account, params.get("discounts"), "discounts", customer)


def apply(account: Account, invoice: Object, params: dict[str, Any]) -> None:
    """Set what was given on a draft (or the few things on a final one). The caller refreshes or saves."""
    take(invoice, params, _PLAIN)
    connected_billing.describe(account, invoice, params)
    if params.get("issuer"):
        invoice["issuer"] = parties.party(params["issuer"])
    if "issuer" in params or "on_behalf_of" in params:
        parties.present(account, invoice)
    invoice["custom_fields"] = invoice["custom_fields"] or None
    if params.get("collection_method"):
        invoice["collection_method"] = params["collection_method"]
        if params["collection_method"] == "charge_automatically":
            invoice["due_date"] = None
            account.private_state.pop(invoice["id"], None)
    if params.get("days_until_due") is not None:
        account.private_state.setdefault(invoice["id"], {})["days"] = params["days_until_due"]
        invoice["due_date"] = account.now + params["days_until_due"] * DAY
    elif params.get("due_date") is not None:
        account.private_state.get(invoice["id"], {}).pop("days", None)
        invoice["due_date"] = params["due_date"]
    if "automatic_tax" in params:
        set_automatic_tax(invoice, parties.liability(params["automatic_tax"]))
    if "payment_settings" in params:
        settings = params["payment_settings"] or {}
        transfer = (settings.get("payment_method_options") or {}).get(intent_funding.TYPE)
        if transfer:
            where = f"payment_settings[payment_method_options][{intent_funding.TYPE}]"
            intent_funding.checked_options(transfer, {}, invoice["currency"], where)
        invoice["payment_settings"] = {**invoice["payment_settings"], **settings}
    if "default_tax_rates" in params:
        given = params["default_tax_rates"] or ()
        invoice["default_tax_rates"] = [
            events.snapshot(account.find("tax_rate", each, "default_tax_rates")) for each in given
        ]
    for name in ("rendering", "rendering_options"):
        if name in params:
            shown = params[name]
            invoice["rendering"] = (
                None if shown is None else {**_RENDERING, "pdf": {"page_size": "auto"}, **shown}
            )
    if "shipping_details" in params:
        given = params["shipping_details"]
        invoice["shipping_details"] = (
            None
            if given is None
            else {"address": address(given["address"]), "name": given["name"], "phone": given.get("phone")}
        )
    if "shipping_cost" in params:
        invoice["shipping_cost"] = _shipping_cost(account, params["shipping_cost"])
    if "discounts" in params:
        made = [
            discounts.new(
                account,
                each,
                param=f"discounts[{place}]",
                customer=invoice["customer"],
                invoice=invoice["id"],
                currency=invoice["currency"],
            )
            for place, each in enumerate(params["discounts"] or ())
        ]
        invoice["discounts"] = [each["id"] for each in made]
        invoice["discount"] = made[0] if len(made) == 1 else None


def _shipping_cost(account: Account, given: dict[str, Any] | None) -> Object | None:
    if not given:
        return None
    if given.get("shipping_rate"):
        rate = account.find("shipping_rate", given["shipping_rate"], "shipping_cost[shipping_rate]")
    else:
        rate = build_shipping_rate(account, given["shipping_rate_data"])
        account.add("shipping_rate", rate)
    amount = (rate["fixed_amount"] or {}).get("amount", 0)
    return {"amount_subtotal": amount, "amount_tax": 0, "amount_total": amount, "shipping_rate": rate["id"]}


def set_automatic_tax(invoice: Object, liability: Object | None) -> None:
    """Have the tax found by where the customer is; not where nobody is liable."""
    enabled = liability is not None
    invoice["automatic_tax"] = {
        "disabled_reason": None,
        "enabled": enabled,
        "liability": liability,
        "status": None,
    }
    if enabled:
        _automatic_status(invoice)


def _automatic_status(invoice: Object) -> None:
    known = automatic_tax.located(invoice["customer_address"])
    invoice["automatic_tax"]["status"] = "complete" if known else "requires_location_inputs"


def _rates_of(account: Account, invoice: Object) -> Callable[[Object], list[Object]]:
    """The tax rates of a line: its own, those of the invoice, or the one of where the customer is."""
    general = invoice["default_tax_rates"]
    automatic = invoice["automatic_tax"]["status"] == "complete" and not general

    def rates(line: Object) -> list[Object]:
        if line["tax_rates"] or not automatic:
            return list(line["tax_rates"] or general)
        behavior = (line["price"] or {}).get("tax_behavior")
        inside = tax_settings.inclusive(account, behavior, invoice["currency"])
        rate = automatic_tax.rate_for(account, invoice["customer_address"], inclusive=inside)
        return [rate] if rate else []

    return rates


def _taxes_of(
    account: Account, invoice: Object, lines: list[Object], exempt: str
) -> Callable[[Object, int], list[Object]]:
    """The taxes of a line: those that were given for it, or what its rates come to."""
    given, rates = given_taxes(account, invoice, lines), _rates_of(account, invoice)
    return lambda line, rest: given.get(line["id"]) or tax_entries(rest, rates(line), exempt)


def refresh(account: Account, invoice: Object) -> None:
    """A draft follows its items: lines and sums anew. Saves."""
    attached = [
        account.find("invoiceitem", each, "id")
        for each in account.where("invoiceitem", invoice=invoice["id"])
    ]
    lines = [
        *account.private_state.get(invoice["id"], {}).get("lines", ()),
        *(line_of(account, item, invoice["id"]) for item in attached),
    ]
    own = {line["id"]: discounts.standing(account, line["discounts"]) for line in lines}
    general = discounts.standing(account, invoice["discounts"])
    customer = account.peek("customer", invoice["customer"])
    if customer is not None:
        invoice.update(_of_customer(account, customer))
    shipping = (invoice["shipping_cost"] or {}).get("amount_total", 0)
    exempt = invoice["customer_tax_exempt"] or "none"
    if invoice["automatic_tax"]["enabled"]:
        _automatic_status(invoice)
        liable = parties.liable(account, invoice["automatic_tax"])
        if automatic_tax.reverse_charged(liable, invoice["customer_address"], invoice["customer_tax_ids"]):
            exempt = "reverse" if exempt == "none" else exempt
    invoice.update(
        compute_totals(
            lines, own, general, _taxes_of(account, invoice, lines, exempt),
            eligible=discounts.Eligibility(account),
            currency=invoice["currency"], shipping=shipping,
            credits=account.private_state.get(invoice["id"], {}).get("credits"),
        ),
        amount_shipping=shipping,
    )  # fmt: skip
    put_lines(account, invoice, lines)
    balance = customer["balance"] if customer is not None else 0
    invoice["starting_balance"] = balance
    due = max(0, invoice["total"] + used_balance(invoice["total"], balance))
    invoice["amount_due"] = 0 if too_small(due, invoice["currency"]) else due
    invoice["amount_remaining"] = invoice["amount_due"]
    connected_billing.follow_amount(account, invoice)
    account.save("invoice", invoice)


def too_small(amount: int, currency: str) -> bool:
    """Whether an amount is below what can be charged: it goes to the customer's balance instead."""
    return 0 < amount < (money.minimum(currency) or 0)


def used_balance(total: int, balance: int) -> int:
    """What of the customer's balance goes into an invoice: credit up to the total, debt in full."""
    if balance < 0:
        return max(balance, -total) if total > 0 else 0
    return balance if total > 0 else 0
