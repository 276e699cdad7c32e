"""Invoices: a draft that takes items, then a demand for money.

    draft -> open -> paid | void | uncollectible        uncollectible -> paid | void        a draft is deleted, never voided

Finalizing gives the number, applies the customer's credit balance and makes a payment intent of what is due. Afterwards the sums stand still.
"""

from __future__ import annotations

from typing import Any

from stripe_magics import money
from stripe_magics.sandbox import discounts, events, items, payments
from stripe_magics.sandbox.account import Account, Object
from stripe_magics.sandbox.amounts import settle
from stripe_magics.sandbox.changes import take
from stripe_magics.sandbox.clock import DAY, HOUR
from stripe_magics.sandbox.customers import credit
from stripe_magics.sandbox.lists import Page, inline, of_objects, page
from stripe_magics.sandbox.methods import address, use
from stripe_magics.sandbox.payments import checked_currency, checked_descriptor, refuse_connect
from stripe_magics.sandbox.problems import Refusal, absent, declined, invalid, unchecked
from stripe_magics.sandbox.products import build_shipping_rate
from stripe_magics.sandbox.protocol import Handler
from stripe_magics.sandbox.search import search

SHOWN = 10
BY_ITSELF_AFTER = HOUR
RETRIES = (3 * DAY, 5 * DAY, 7 * DAY)
EDITABLE_WHEN_FINAL = {"auto_advance", "default_payment_method", "default_source", "metadata", "payment_settings", "expand"}


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/invoices: a draft, empty unless pending items are asked for."""
    if params.get("from_invoice"):
        raise invalid(
            "Revisions of invoices are not served by the sandbox: void the invoice and make another.", param="from_invoice"
        )
    if not params.get("customer"):
        raise absent("customer")
    customer = account.find("customer", params["customer"], "customer")
    subscription = account.find("subscription", params["subscription"], "subscription") if params.get("subscription") else None
    if subscription is not None and subscription["customer"] != customer["id"]:
        raise invalid("The subscription belongs to another customer.", param="subscription")
    _check(account, params, params.get("collection_method") or "charge_automatically", customer["id"], required=True)
    behaviour = params.get("pending_invoice_items_behavior") or "exclude"
    pending = _pending(account, customer, subscription) if behaviour != "exclude" else []
    if behaviour == "include_and_require" and not pending:
        raise invalid("Nothing to invoice for customer", code="invoice_no_customer_line_items", param="customer")
    currency = checked_currency(params["currency"]) if params.get("currency") else _currency(account, customer, pending)
    invoice = new_invoice(account, customer, currency, params.get("collection_method") or "charge_automatically")
    invoice["subscription"] = subscription["id"] if subscription else None
    account.add("invoice", invoice)
    _apply(account, invoice, params)
    if "discounts" not in params and customer["discount"]:
        _customer_discount(account, invoice, customer)
    for each in [item for item in pending if item["currency"] == currency][: items.MOST]:
        each["invoice"] = invoice["id"]
        account.save("invoiceitem", each)
    refresh(account, invoice)
    if invoice["auto_advance"]:
        account.clock.at(account.now + BY_ITSELF_AFTER, "invoice_finalizes", invoice["id"])
    events.emit(account, "invoice.created", invoice)
    return invoice


def _currency(account: Account, customer: Object, pending: list[Object]) -> str:
    if pending:
        return str(pending[0]["currency"])
    return str(customer["currency"] or account.me["default_currency"])


def _pending(account: Account, customer: Object, subscription: Object | None) -> list[Object]:
    """Items that wait for an invoice: of the subscription if one is named, else those of none."""
    wanted = subscription["id"] if subscription else None
    found = [
        account.find("invoiceitem", each, "id") for each in account.where("invoiceitem", customer=customer["id"], invoice=None)
    ]
    return [item for item in found if item["subscription"] == wanted]


def _customer_discount(account: Account, invoice: Object, customer: Object) -> None:
    standing = customer["discount"]
    if standing["end"] is not None and standing["end"] < account.now:
        return
    invoice["discounts"] = [standing["id"]]
    invoice["discount"] = standing
    if standing["coupon"]["duration"] == "once":
        customer["discount"] = None
        account.save("customer", customer)


def new_invoice(account: Account, customer: Object, currency: str, collection: str, *, reason: str = "manual") -> Object:
    """An empty draft; not stored yet."""
    identifier = account.new_id("in")
    nothing = dict.fromkeys(
        ("account_tax_ids", "application", "application_fee_amount", "charge", "custom_fields", "default_payment_method", "default_source",
         "description", "discount", "due_date", "effective_at", "ending_balance", "footer", "from_invoice", "hosted_invoice_url", "invoice_pdf",
         "last_finalization_error", "latest_revision", "next_payment_attempt", "number", "on_behalf_of", "payment_intent", "quote",
         "receipt_number", "rendering", "shipping_cost", "shipping_details", "statement_descriptor", "subscription", "tax", "test_clock",
         "transfer_data", "webhooks_delivered_at")
    )  # fmt: skip
    return {
        "id": identifier,
        "object": "invoice",
        **nothing,
        "account_country": account.me["country"],
        "account_name": account.me["settings"]["dashboard"]["display_name"],
        "amount_due": 0,
        "amount_overpaid": 0,
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
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": account.now,
        "period_start": account.now,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "draft",
        "status_transitions": {"finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None},
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


def _check(account: Account, params: dict[str, Any], collection: str, customer: str, *, required: bool = False) -> None:
    """What can be wrong with values of a create or an update; changes nothing."""
    refuse_connect(account, params)
    checked_descriptor(params, "statement_descriptor")
    days, due = params.get("days_until_due"), params.get("due_date")
    if collection == "charge_automatically" and (days is not None or due is not None):
        raise unchecked(
            "days_until_due and due_date go with collection_method=send_invoice only.",
            param="days_until_due" if days is not None else "due_date",
        )
    if collection == "send_invoice":
        if days is not None and due is not None:
            raise unchecked("You may only specify one of days_until_due and due_date.", param="due_date")
        if required and days is None and due is None:
            raise unchecked(
                "collection_method=send_invoice needs days_until_due or due_date.",
                param="days_until_due",
                code="parameter_missing",
            )
    if days is not None and days < 0:
        raise unchecked(
            "This value must be greater than or equal to 0.", param="days_until_due", code="parameter_invalid_integer"
        )
    if due is not None and due < account.now:
        raise unchecked("due_date lies in the past.", param="due_date")
    if len(params.get("custom_fields") or ()) > 4:
        raise unchecked("At most 4 custom fields.", param="custom_fields")
    for place, each in enumerate(params.get("default_tax_rates") or ()):
        account.find("tax_rate", each, f"default_tax_rates[{place}]", what="tax rate")
    if params.get("default_payment_method"):
        method = account.find("payment_method", params["default_payment_method"], "default_payment_method", what="PaymentMethod")
        if method["customer"] != customer:
            raise invalid("The payment method must be attached to the customer of the invoice.", param="default_payment_method")
    if params.get("default_source"):
        account.find("card", params["default_source"], "default_source", what="source")
    for place, each in enumerate(params.get("account_tax_ids") or ()):
        account.find("tax_id", each, f"account_tax_ids[{place}]", what="tax ID")
    rate = (params.get("shipping_cost") or {}).get("shipping_rate")
    if rate:
        account.find("shipping_rate", rate, "shipping_cost[shipping_rate]", what="shipping rate")
    discounts.check(account, params.get("discounts"), "discounts", customer)


_PLAIN = ("account_tax_ids", "auto_advance", "custom_fields", "default_payment_method", "default_source", "description", "effective_at", "footer", "metadata", "statement_descriptor")  # fmt: skip


def _apply(account: Account, invoice: Object, params: dict[str, Any]) -> None:
    """Set what was given on a draft (or the few things on a final one). The caller refreshes or saves."""
    take(invoice, params, _PLAIN)
    invoice["custom_fields"] = invoice["custom_fields"] or None
    if params.get("collection_method"):
        invoice["collection_method"] = params["collection_method"]
        if params["collection_method"] == "charge_automatically":
            invoice["due_date"] = None
            account.notes.pop(invoice["id"], None)
    if params.get("days_until_due") is not None:
        account.notes.setdefault(invoice["id"], {})["days"] = params["days_until_due"]
        invoice["due_date"] = account.now + params["days_until_due"] * DAY
    elif params.get("due_date") is not None:
        account.notes.get(invoice["id"], {}).pop("days", None)
        invoice["due_date"] = params["due_date"]
    if "automatic_tax" in params:
        enabled = params["automatic_tax"]["enabled"]
        located = bool((invoice["customer_address"] or {}).get("country"))
        liability = {"type": "self"} if enabled else None
        status = ("complete" if located else "requires_location_inputs") if enabled else None
        invoice["automatic_tax"] = {"disabled_reason": None, "enabled": enabled, "liability": liability, "status": status}
    if "payment_settings" in params:
        invoice["payment_settings"] = {**invoice["payment_settings"], **(params["payment_settings"] or {})}
    if "default_tax_rates" in params:
        given = params["default_tax_rates"] or ()
        invoice["default_tax_rates"] = [events.snapshot(account.find("tax_rate", each, "default_tax_rates")) for each in given]
    for name in ("rendering", "rendering_options"):
        if name in params:
            shown = params[name]
            invoice["rendering"] = (
                None
                if shown is None
                else {"amount_tax_display": None, "pdf": None, "template": None, "template_version": None, **shown}
            )
    if "shipping_details" in params:
        given = params["shipping_details"]
        invoice["shipping_details"] = (
            None if given is None else {"address": address(given["address"]), "name": given["name"], "phone": given.get("phone")}
        )
    if "shipping_cost" in params:
        invoice["shipping_cost"] = _shipping_cost(account, params["shipping_cost"])
    if params.get("issuer") and params["issuer"]["type"] == "account":
        raise invalid("No such account.", param="issuer[account]", code="resource_missing")
    if "discounts" in params:
        made = [
            discounts.new(account, each, param=f"discounts[{place}]", customer=invoice["customer"], invoice=invoice["id"])
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


def lines_of(account: Account, invoice: Object) -> list[Object]:
    """All lines of an invoice."""
    found: list[Object] = account.long_lines.get(invoice["id"]) or invoice["lines"]["data"]
    return found


def put_lines(account: Account, invoice: Object, lines: list[Object]) -> None:
    """Set the lines: the first ten stand in the invoice, all of them in the list of its lines."""
    invoice["lines"] = inline(lines, f"/v1/invoices/{invoice['id']}/lines", most=SHOWN)
    if len(lines) > SHOWN:
        account.long_lines[invoice["id"]] = lines
    else:
        account.long_lines.pop(invoice["id"], None)


def refresh(account: Account, invoice: Object) -> None:
    """A draft follows its items: lines and sums anew. Saves."""
    attached = [account.find("invoiceitem", each, "id") for each in account.where("invoiceitem", invoice=invoice["id"])]
    lines = [
        *account.notes.get(invoice["id"], {}).get("lines", ()),
        *(items.line_of(account, item, invoice["id"]) for item in attached),
    ]
    own = {line["id"]: [account.find("discount", each, "discounts") for each in line["discounts"]] for line in lines}
    general = [account.find("discount", each, "discounts") for each in invoice["discounts"]]
    customer = account.peek("customer", invoice["customer"])
    if customer is not None:
        invoice.update(_of_customer(account, customer))
    shipping = (invoice["shipping_cost"] or {}).get("amount_total", 0)
    invoice.update(
        settle(
            lines, own, general, invoice["default_tax_rates"], currency=invoice["currency"], exempt=invoice["customer_tax_exempt"] or "none",
            shipping=shipping,
        ),
        amount_shipping=shipping,
    )  # fmt: skip
    put_lines(account, invoice, lines)
    balance = customer["balance"] if customer is not None else 0
    invoice["starting_balance"] = balance
    invoice["amount_due"] = max(0, invoice["total"] + _used(invoice["total"], balance))
    invoice["amount_remaining"] = invoice["amount_due"]
    account.save("invoice", invoice)


def _used(total: int, balance: int) -> int:
    """What of the customer's balance goes into an invoice: credit up to the total, debt in full."""
    if balance < 0:
        return max(balance, -total) if total > 0 else 0
    return balance if total > 0 else 0


# states


def finalize(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}/finalize."""
    invoice = retrieve(account, {}, identifier)
    if invoice["status"] != "draft":
        raise invalid(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.", code="invoice_not_editable"
        )
    if "auto_advance" in params:
        invoice["auto_advance"] = params["auto_advance"]
    finish(account, invoice)
    return invoice


def finish(account: Account, invoice: Object) -> None:
    """Make a draft final."""
    refresh(account, invoice)
    before = events.snapshot(invoice)
    customer = account.find("customer", invoice["customer"], "customer")
    days = account.notes.get(invoice["id"], {}).get("days")
    if days is not None:
        invoice["due_date"] = account.now + days * DAY
    token = account.letters(f"hosted{invoice['id']}", 40)
    invoice.update(
        number=f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}",
        status="open",
        hosted_invoice_url=f"https://invoice.stripe.com/i/{account.me['id']}/test_{token}",
        invoice_pdf=f"https://pay.stripe.com/invoice/{account.me['id']}/test_{token}/pdf",
        effective_at=invoice["effective_at"] or account.now,
        status_transitions={**invoice["status_transitions"], "finalized_at": account.now},
    )
    customer["next_invoice_sequence"] += 1
    _use_balance(account, invoice, customer)
    customer["currency"] = customer["currency"] or invoice["currency"]
    account.save("customer", customer)
    if invoice["amount_due"]:
        intent = payments.new_intent(account, amount=invoice["amount_due"], currency=invoice["currency"])
        types = (invoice["payment_settings"] or {}).get("payment_method_types") or ["card"]
        intent.update(
            automatic_payment_methods=None, capture_method="automatic", customer=customer["id"], description=invoice["description"] or "Payment for Invoice",
            invoice=invoice["id"], payment_method_types=list(types), statement_descriptor=invoice["statement_descriptor"],
        )  # fmt: skip
        account.add("payment_intent", intent)
        invoice["payment_intent"] = intent["id"]
        events.emit(account, "payment_intent.created", intent)
    account.save("invoice", invoice)
    events.emit(account, "invoice.finalized", invoice)
    events.emit(account, "invoice.updated", invoice, before)
    if not invoice["amount_due"]:
        _mark_paid(account, invoice, amount=0)
    elif invoice["collection_method"] == "send_invoice":
        account.clock.at(invoice["due_date"] or account.now, "invoice_overdue", invoice["id"])
    elif invoice["auto_advance"]:
        invoice["next_payment_attempt"] = account.now + HOUR
        account.save("invoice", invoice)
        account.clock.at(account.now + HOUR, "invoice_collects", invoice["id"])


def _use_balance(account: Account, invoice: Object, customer: Object) -> None:
    """The customer's credit lowers what is due, their debt raises it; a negative total, or one too small to charge, goes to the balance."""
    total, starting = invoice["total"], customer["balance"]
    used = _used(total, starting)
    due = total + used
    moved = -used
    smallest = money.minimum(invoice["currency"]) or 0
    if total < 0:
        due, moved = 0, total
    elif 0 < due < smallest:
        moved += due
        due = 0
    invoice.update(starting_balance=starting, amount_due=due, amount_remaining=due)
    if moved:
        entry = credit(account, customer, moved, "applied_to_invoice", invoice=invoice["id"])
        account.notes.setdefault(invoice["id"], {})["balance_used"] = entry["amount"]
    invoice["ending_balance"] = customer["balance"]


def finalize_by_itself(account: Account, invoice: Object) -> None:
    """An hour after it was made, a draft that advances by itself is finalized (and sent)."""
    if invoice["status"] == "draft" and invoice["auto_advance"] and account.peek("customer", invoice["customer"]):
        finish(account, invoice)
        if invoice["collection_method"] == "send_invoice":
            events.emit(account, "invoice.sent", invoice)


def overdue(account: Account, invoice: Object) -> None:
    """The due date has passed."""
    if invoice["status"] == "open":
        events.emit(account, "invoice.overdue", invoice)


def collect(account: Account, invoice: Object) -> None:
    """Try to take the money by itself; retries some days apart."""
    if invoice["status"] != "open" or invoice["collection_method"] != "charge_automatically" or not invoice["auto_advance"]:
        return
    try:
        _attempt(account, invoice, {})
    except Refusal:
        done = invoice["attempt_count"]
        if invoice["status"] == "open" and done <= len(RETRIES):
            invoice["next_payment_attempt"] = account.now + RETRIES[done - 1]
            account.clock.at(invoice["next_payment_attempt"], "invoice_collects", invoice["id"])
        else:
            invoice["next_payment_attempt"] = None
        account.save("invoice", invoice)


def pay(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}/pay."""
    invoice = retrieve(account, {}, identifier)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid")
    if invoice["status"] not in {"open", "uncollectible"}:
        raise invalid(f"Invoices with status {invoice['status']} can't be paid: finalize a draft first, a void one stays void.")
    if params.get("paid_out_of_band"):
        _call_off(account, invoice, None)
        invoice["paid_out_of_band"] = True
        _mark_paid(account, invoice, amount=invoice["amount_due"])
        return invoice
    _attempt(account, invoice, params)
    return invoice


def _attempt(account: Account, invoice: Object, params: dict[str, Any]) -> None:
    """One try to collect. A decline is raised, after the invoice noted it."""
    customer = account.find("customer", invoice["customer"], "customer")
    given = params.get("payment_method") or params.get("source") or invoice["default_payment_method"] or invoice["default_source"]
    given = given or customer["invoice_settings"]["default_payment_method"] or customer["default_source"]
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    invoice["next_payment_attempt"] = None
    account.save("invoice", invoice)
    if not given:
        _failed(account, invoice, customer)
        raise invalid(
            "There is no `default_payment_method` set on this Customer or Invoice. Set one before taking payment for this invoice."
        )
    intent = account.find("payment_intent", invoice["payment_intent"], "invoice")
    method = use(account, given)
    if method["customer"] not in {None, customer["id"]}:
        raise invalid("The payment method belongs to another customer.", param="payment_method")
    intent["payment_method"] = method["id"]
    intent["payment_method_types"] = list(dict.fromkeys([*intent["payment_method_types"], method["type"]]))
    intent["status"] = "requires_confirmation"
    try:
        payments.proceed(account, intent, method, {"mandate": params.get("mandate")})
    except Refusal:
        _failed(account, invoice, customer)
        raise
    if intent["status"] == "requires_action":
        events.emit(account, "invoice.payment_action_required", invoice)
        raise declined(
            "This payment requires additional user action before it can be completed: have the payer authenticate its payment intent.",
            code="invoice_payment_intent_requires_action",
            payment_intent=intent,
        )


def _failed(account: Account, invoice: Object, customer: Object) -> None:
    customer["delinquent"] = True
    account.save("customer", customer)
    account.save("invoice", invoice)
    events.emit(account, "invoice.payment_failed", invoice)


def paid_by(account: Account, identifier: str, intent: Object, charge: Object) -> None:
    """The invoice's payment intent succeeded."""
    invoice = account.get("invoice", identifier)
    if invoice is None or invoice["status"] not in {"open", "uncollectible"}:
        return
    invoice["charge"] = charge["id"]
    invoice["attempted"] = True
    _mark_paid(account, invoice, amount=intent["amount_received"])


def _mark_paid(account: Account, invoice: Object, *, amount: int) -> None:
    before = events.snapshot(invoice)
    invoice.update(
        status="paid",
        paid=True,
        attempted=True,
        amount_paid=amount,
        amount_remaining=0,
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], "paid_at": account.now},
    )
    account.save("invoice", invoice)
    customer = account.get("customer", invoice["customer"])
    if customer is not None and customer["delinquent"]:
        customer["delinquent"] = False
        account.save("customer", customer)
    events.emit(account, "invoice.updated", invoice, before)
    events.emit(account, "invoice.paid", invoice)
    events.emit(account, "invoice.payment_succeeded", invoice)
    if invoice["subscription"]:
        from stripe_magics.sandbox import subscriptions

        subscriptions.invoice_paid(account, invoice["subscription"])


def _call_off(account: Account, invoice: Object, reason: str | None) -> None:
    intent = account.get("payment_intent", invoice["payment_intent"] or "")
    if intent is not None and intent["status"] in payments.CANCELABLE - {"processing"}:
        payments.called_off(account, intent, reason)


def void(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}/void: its intent is canceled, the credit that it used comes back."""
    invoice = retrieve(account, {}, identifier)
    if invoice["status"] not in {"open", "uncollectible"}:
        raise invalid(
            f"You can only void open or uncollectible invoices; the status of this one is {invoice['status']}. A draft is deleted instead."
        )
    _call_off(account, invoice, "void_invoice")
    before = events.snapshot(invoice)
    used = account.notes.get(identifier, {}).pop("balance_used", 0)
    customer = account.get("customer", invoice["customer"])
    if used and customer is not None:
        credit(account, customer, -used, "unapplied_from_invoice", invoice=identifier)
        account.save("customer", customer)
    invoice.update(
        status="void",
        amount_remaining=0,
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], "voided_at": account.now},
    )
    account.save("invoice", invoice)
    events.emit(account, "invoice.updated", invoice, before)
    events.emit(account, "invoice.voided", invoice)
    return invoice


def mark_uncollectible(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}/mark_uncollectible."""
    invoice = retrieve(account, {}, identifier)
    if invoice["status"] != "open":
        raise invalid(f"You can only mark open invoices as uncollectible; the status of this one is {invoice['status']}.")
    before = events.snapshot(invoice)
    invoice.update(
        status="uncollectible",
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], "marked_uncollectible_at": account.now},
    )
    account.save("invoice", invoice)
    events.emit(account, "invoice.updated", invoice, before)
    events.emit(account, "invoice.marked_uncollectible", invoice)
    return invoice


def send(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}/send: a draft is finalized first."""
    invoice = retrieve(account, {}, identifier)
    if invoice["collection_method"] != "send_invoice":
        raise invalid("You can only manually send an invoice if its collection method is 'send_invoice'.")
    if invoice["status"] == "draft":
        finish(account, invoice)
    elif invoice["status"] in {"void", "uncollectible"}:
        raise invalid(f"An invoice with status {invoice['status']} can't be sent.")
    events.emit(account, "invoice.sent", invoice)
    return invoice


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}: drafts are open; of a final one a few things only."""
    invoice = retrieve(account, {}, identifier)
    if invoice["status"] != "draft":
        frozen = sorted(set(params) - EDITABLE_WHEN_FINAL)
        if frozen:
            raise invalid(
                f"Finalized invoices can't be updated in this way: {', '.join(frozen)} stand still.",
                param=frozen[0],
                code="invoice_not_editable",
            )
    collection = params.get("collection_method") or invoice["collection_method"]
    changed = bool(params.get("collection_method")) and params["collection_method"] != invoice["collection_method"]
    _check(account, params, collection, invoice["customer"], required=changed)
    before = events.snapshot(invoice)
    _apply(account, invoice, params)
    if invoice["status"] == "draft":
        refresh(account, invoice)
        if invoice["auto_advance"] and not before["auto_advance"]:
            account.clock.at(max(account.now, invoice["created"] + BY_ITSELF_AFTER), "invoice_finalizes", identifier)
    else:
        account.save("invoice", invoice)
        if invoice["status"] == "open" and invoice["auto_advance"] and not before["auto_advance"]:
            account.clock.at(account.now + HOUR, "invoice_collects", identifier)
    events.emit(account, "invoice.updated", invoice, before)
    return invoice


def delete(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/invoices/{invoice}: one-off drafts only; their items wait again."""
    invoice = retrieve(account, {}, identifier)
    if invoice["status"] != "draft":
        raise invalid("You can only delete draft invoices; a finalized one is voided.", code="invoice_not_editable")
    if invoice["subscription"]:
        raise invalid("You can't delete invoices created by subscriptions.")
    for each in account.where("invoiceitem", invoice=identifier):
        item = account.find("invoiceitem", each, "id")
        item["invoice"] = None
        account.save("invoiceitem", item)
    gone = account.remove("invoice", identifier)
    account.long_lines.pop(identifier, None)
    events.emit(account, "invoice.deleted", invoice)
    return gone


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/invoices/{invoice}."""
    return account.find("invoice", identifier, "invoice", status=404)


def lines(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/invoices/{invoice}/lines."""
    return of_objects(lines_of(account, retrieve(account, {}, identifier)), params, f"/v1/invoices/{identifier}/lines")


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/invoices."""
    return page(
        account,
        "invoice",
        params,
        "/v1/invoices",
        filters=("customer", "status", "subscription", "collection_method"),
        ranges=("due_date",),
    )


def searching(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/invoices/search."""
    return search(account, "invoice", params, "/v1/invoices/search")


ROUTES: dict[str, Handler] = {
    "GET /v1/invoices": listing,
    "POST /v1/invoices": create,
    "GET /v1/invoices/search": searching,
    "GET /v1/invoices/{invoice}": retrieve,
    "POST /v1/invoices/{invoice}": update,
    "DELETE /v1/invoices/{invoice}": delete,
    "GET /v1/invoices/{invoice}/lines": lines,
    "POST /v1/invoices/{invoice}/finalize": finalize,
    "POST /v1/invoices/{invoice}/pay": pay,
    "POST /v1/invoices/{invoice}/send": send,
    "POST /v1/invoices/{invoice}/void": void,
    "POST /v1/invoices/{invoice}/mark_uncollectible": mark_uncollectible,
}
