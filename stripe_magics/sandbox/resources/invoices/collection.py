"""From final to paid: the number, the customer's credit balance, the payment intent, attempts by hand and by
themselves, the ends of an invoice."""

from __future__ import annotations

from typing import Any

from stripe_magics import money
from stripe_magics.sandbox.api.errors import ApiError, declined, invalid
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import DAY, HOUR
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.billing_credits import credit_application
from stripe_magics.sandbox.resources.cash_balances import intent_funding
from stripe_magics.sandbox.resources.connect import connected_billing
from stripe_magics.sandbox.resources.customer_changes import changing
from stripe_magics.sandbox.resources.customer_subresources import credit
from stripe_magics.sandbox.resources.invoices.drafts import refresh, too_small, used_balance
from stripe_magics.sandbox.resources.payment_intents import intent_parameters, payment_attempts
from stripe_magics.sandbox.resources.payment_methods.payment_methods import use

RETRIES = (3 * DAY, 5 * DAY, 7 * DAY)
LETTER_PAPER = frozenset({"US", "CA", "MX"})  # countries whose invoices aren't on A4


def finish(account: Account, invoice: Object) -> None:
    """Make a draft final."""
    refresh(account, invoice)
    _check_final(invoice)
    credit_application.apply(account, invoice)
    before = events.snapshot(invoice)
    customer = account.find("customer", invoice["customer"], "customer")
    with changing(account, customer):
        _number(account, invoice, customer)
        _use_balance(account, invoice, customer)
        customer["currency"] = customer["currency"] or invoice["currency"]
    connected_billing.follow_amount(account, invoice)
    if invoice["amount_due"]:
        _demand(account, invoice)
    automatic = invoice["collection_method"] != "send_invoice" and invoice["auto_advance"]
    if invoice["amount_due"] and automatic:
        invoice["next_payment_attempt"] = account.now + HOUR
    account.save("invoice", invoice)
    events.emit(account, "invoice.updated", invoice, before)
    events.emit(account, "invoice.finalized", invoice)
    if invoice["status"] != "open":
        return
    if not invoice["amount_due"]:
        mark_paid(account, invoice, amount=0)
    elif invoice["collection_method"] == "send_invoice":
        account.clock.at(invoice["due_date"] or account.now, "invoice_overdue", invoice["id"])
    elif automatic:
        account.clock.at(account.now + HOUR, "invoice_collects", invoice["id"])


def finish_paid(account: Account, invoice: Object, intent: Object | None) -> None:
    """Make a draft final that was paid before it was made; the customer's balance has no part in it. `intent`
    paid it (None: nothing was due)."""
    before = events.snapshot(invoice)
    customer = account.find("customer", invoice["customer"], "customer")
    _number(account, invoice, customer)
    account.save("customer", customer)
    total = invoice["total"]
    invoice.update(
        starting_balance=customer["balance"], ending_balance=customer["balance"], amount_due=total,
        amount_remaining=total,
    )  # fmt: skip
    if intent is not None:
        invoice.update(payment_intent=intent["id"], charge=intent["latest_charge"])
        intent["invoice"] = invoice["id"]
        account.save("payment_intent", intent)
        charge = account.get("charge", intent["latest_charge"] or "")
        if charge is not None:
            charge["invoice"] = invoice["id"]
            account.save("charge", charge)
    account.save("invoice", invoice)
    events.emit(account, "invoice.updated", invoice, before)
    events.emit(account, "invoice.finalized", invoice)
    mark_paid(account, invoice, amount=total)


def _number(account: Account, invoice: Object, customer: Object) -> None:
    """The number, the pages and the moment of a final invoice."""
    before = invoice["number"]
    days = account.private_state.get(invoice["id"], {}).get("days")
    if days is not None:
        invoice["due_date"] = account.now + days * DAY
    token = account.letters(f"hosted{invoice['id']}", 40)
    invoice.update(
        number=invoice["number"] or f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}",
        status="open",
        hosted_invoice_url=f"https://invoice.stripe.com/i/{account.profile['id']}/test_{token}",
        invoice_pdf=f"https://pay.stripe.com/invoice/{account.profile['id']}/test_{token}/pdf",
        effective_at=invoice["effective_at"] or account.now,
        status_transitions={**invoice["status_transitions"], "finalized_at": account.now},
    )
    if ((invoice["rendering"] or {}).get("pdf") or {}).get("page_size") == "auto":
        country = (invoice["customer_address"] or {}).get("country") or invoice["account_country"]
        invoice["rendering"]["pdf"] = {"page_size": "letter" if country in LETTER_PAPER else "a4"}
    customer["next_invoice_sequence"] += before is None


def _check_final(invoice: Object) -> None:
    """Refuse what could not be charged."""
    connected_billing.check_final(invoice)
    most = money.maximum(invoice["currency"])
    if invoice["amount_due"] > most:
        raise invalid(
            "The invoice's amount due must be no more than"
            f" {money.format_amount(most, invoice['currency'])}.",
            code="amount_too_large",
        )


def _demand(account: Account, invoice: Object) -> None:
    """The payment intent of what is due."""
    intent = intent_parameters.new_intent(account, amount=invoice["amount_due"], currency=invoice["currency"])
    types = (invoice["payment_settings"] or {}).get("payment_method_types") or ["card"]
    intent.update(
        automatic_payment_methods=None, capture_method="automatic", customer=invoice["customer"],
        description=invoice["description"] or "Payment for Invoice",
        invoice=invoice["id"], payment_method_types=list(types),
        statement_descriptor=invoice["statement_descriptor"],
    )  # fmt: skip
    _take_options(invoice, intent)
    connected_billing.describe_intent(invoice, intent)
    account.add("payment_intent", intent)
    invoice["payment_intent"] = intent["id"]
    events.emit(account, "payment_intent.created", intent)


def _take_options(invoice: Object, intent: Object) -> None:
    """How a bank transfer is to come, where the invoice says it."""
    kind = intent_funding.TYPE
    given = ((invoice["payment_settings"] or {}).get("payment_method_options") or {}).get(kind)
    if given and kind in intent["payment_method_types"]:
        options = {"payment_method_options": {kind: given}}
        intent["payment_method_options"] = {kind: intent_funding.options(intent, options)}


def _use_balance(account: Account, invoice: Object, customer: Object) -> None:
    """The customer's credit lowers what is due, their debt raises it; a negative total, or one too small to
    charge, goes to the balance."""
    total, starting = invoice["total"], customer["balance"]
    used = used_balance(total, starting)
    due = total + used
    moved = -used
    if total < 0:
        due, moved = 0, total
    elif too_small(due, invoice["currency"]):
        moved += due
        due = 0
    invoice.update(starting_balance=starting, amount_due=due, amount_remaining=due)
    if moved:
        entry = credit(account, customer, moved, "applied_to_invoice", invoice=invoice["id"])
        account.private_state.setdefault(invoice["id"], {})["balance_used"] = entry["amount"]
    invoice["ending_balance"] = customer["balance"]


def finalize_by_itself(account: Account, invoice: Object) -> None:
    """An hour after it was made, a draft that advances by itself is finalized (and sent)."""
    if (
        invoice["status"] == "draft"
        and invoice["auto_advance"]
        and account.peek("customer", invoice["customer"])
    ):
        passed_on = invoice["application_fee_amount"] is not None or invoice["transfer_data"]
        if passed_on or invoice["amount_due"] > money.maximum(invoice["currency"]):
            refresh(account, invoice)
            try:
                _check_final(invoice)
            except ApiError as refusal:
                _could_not_finalize(account, invoice, refusal)
                return
        finish(account, invoice)
        if invoice["collection_method"] == "send_invoice":
            events.emit(account, "invoice.sent", invoice)


def _could_not_finalize(account: Account, invoice: Object, refusal: ApiError) -> None:
    """It stays a draft, and says why."""
    invoice["last_finalization_error"] = {
        "message": refusal.message, "param": refusal.param, "type": "invalid_request_error",
    }  # fmt: skip
    account.save("invoice", invoice)
    events.emit(account, "invoice.finalization_failed", invoice)


def overdue(account: Account, invoice: Object) -> None:
    """The due date has passed."""
    if invoice["status"] == "open":
        customer = account.get("customer", invoice["customer"])
        if customer is not None:
            set_delinquent(account, customer, delinquent=True)
        events.emit(account, "invoice.overdue", invoice)


def collect(account: Account, invoice: Object) -> None:
    """Try to take the money by itself; retries some days apart."""
    if (
        invoice["status"] != "open"
        or invoice["collection_method"] != "charge_automatically"
        or not invoice["auto_advance"]
    ):
        return
    done = invoice["attempt_count"]
    following = account.now + RETRIES[done] if done < len(RETRIES) else None
    try:
        attempt(account, invoice, {}, following=following, off_session=True)
    except ApiError:
        if invoice["next_payment_attempt"] is not None:
            account.clock.at(invoice["next_payment_attempt"], "invoice_collects", invoice["id"])


def attempt(
    account: Account,
    invoice: Object,
    params: dict[str, Any],
    *,
    following: int | None = None,
    off_session: bool = False,
) -> None:
    """One try to collect. A decline is raised, after the invoice noted it; `following` is when the next try
    comes by itself."""
    customer = account.find("customer", invoice["customer"], "customer")
    given = (
        params.get("payment_method")
        or params.get("source")
        or invoice["default_payment_method"]
        or invoice["default_source"]
    )
    given = given or customer["invoice_settings"]["default_payment_method"] or customer["default_source"]
    before = events.snapshot(invoice)
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    if off_session:
        invoice["next_payment_attempt"] = following
    account.save("invoice", invoice)
    if not given:
        _failed(account, invoice, customer, before)
        raise invalid(
            "There is no `default_payment_method` set on this Customer or Invoice. Set one before taking"
            " payment for this invoice."
        )
    intent = account.find("payment_intent", invoice["payment_intent"], "invoice")
    method = use(account, given)
    if method["customer"] not in {None, customer["id"]}:
        raise invalid("The payment method belongs to another customer.", param="payment_method")
    intent["payment_method"] = method["id"]
    intent["payment_method_types"] = list(dict.fromkeys([*intent["payment_method_types"], method["type"]]))
    intent["status"] = "requires_confirmation"
    notes = account.private_state.setdefault(invoice["id"], {})
    notes["attempting"] = before
    try:
        payment_attempts.proceed(
            account, intent, method, {"mandate": params.get("mandate")}, recurring=off_session
        )
    except ApiError:
        _failed(account, invoice, customer, before)
        raise
    finally:
        del notes["attempting"]
    if intent["status"] == "processing":
        invoice["next_payment_attempt"] = None
        account.save("invoice", invoice)
        events.emit(account, "invoice.updated", invoice, before)
    if intent["status"] == "requires_action":
        account.save("invoice", invoice)
        events.emit(account, "invoice.updated", invoice, before)
        events.emit(account, "invoice.payment_action_required", invoice)
        raise declined(
            "This payment requires additional user action before it can be completed: have the payer"
            " authenticate its payment intent.",
            code="invoice_payment_intent_requires_action",
            payment_intent=intent,
        )


def _failed(account: Account, invoice: Object, customer: Object, before: Object) -> None:
    """An attempt failed; `before` is the invoice as it was until then."""
    set_delinquent(account, customer, delinquent=True)
    account.save("invoice", invoice)
    events.emit(account, "invoice.updated", invoice, before)
    events.emit(account, "invoice.payment_failed", invoice)


def paid_by(account: Account, intent: Object) -> None:
    """An invoice's payment intent succeeded."""
    invoice = account.get("invoice", intent["invoice"]) if intent["invoice"] else None
    if invoice is None or invoice["status"] not in {"open", "uncollectible"}:
        return
    attempting = account.private_state.get(invoice["id"], {}).get("attempting")
    before = attempting or events.snapshot(invoice)
    invoice["charge"] = intent["latest_charge"]
    invoice["attempted"] = True
    count_payment(account, invoice, intent["amount_received"], before)


def count_payment(account: Account, invoice: Object, amount: int, before: Object | None = None) -> None:
    """Money came in for an invoice: all of what is due, or a part. `before` is the invoice as it was until
    then, where it was changed already."""
    before = before or events.snapshot(invoice)
    paid = invoice["amount_paid"] + amount
    if paid >= invoice["amount_due"]:
        cancel_payment(account, invoice, None)
        mark_paid(account, invoice, amount=paid, before=before)
        return
    invoice.update(amount_paid=paid, amount_remaining=invoice["amount_due"] - paid)
    account.save("invoice", invoice)
    events.emit(account, "invoice.updated", invoice, before)
    own = account.get("payment_intent", invoice["payment_intent"] or "")
    if own is None:
        return
    if own["status"] in {"requires_payment_method", "requires_confirmation"} or intent_funding.waits(own):
        own["amount"] = invoice["amount_remaining"]
        account.save("payment_intent", own)
        payment_attempts.fit_funding(account, own)


def failed_later(account: Account, intent: Object) -> None:
    """An invoice's payment failed on its own: a debit came back, or the payer didn't authenticate."""
    invoice = account.get("invoice", intent["invoice"]) if intent["invoice"] else None
    if (
        invoice is None
        or invoice["status"] != "open"
        or account.private_state.get(invoice["id"], {}).get("attempting")
    ):
        return
    customer = account.get("customer", invoice["customer"])
    if customer is None:
        return
    before = events.snapshot(invoice)
    done = invoice["attempt_count"]
    automatic = invoice["auto_advance"] and invoice["collection_method"] == "charge_automatically"
    if automatic and 0 < done <= len(RETRIES) and invoice["next_payment_attempt"] is None:
        following = account.now + RETRIES[done - 1]
        invoice["next_payment_attempt"] = following
        account.clock.at(following, "invoice_collects", invoice["id"])
    _failed(account, invoice, customer, before)


def mark_paid(account: Account, invoice: Object, *, amount: int, before: Object | None = None) -> None:
    """The invoice is paid. `before` is how it was until then, where it was changed already."""
    before = before or events.snapshot(invoice)
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
    in_good_standing(account, invoice["customer"])
    events.emit(account, "invoice.updated", invoice, before)
    events.emit(account, "invoice.paid", invoice)
    events.emit(account, "invoice.payment_succeeded", invoice)


def in_good_standing(account: Account, identifier: str) -> None:
    """An invoice of a customer was paid, or is not expected to be any more: they are no longer delinquent,
    whatever else they owe."""
    customer = account.get("customer", identifier)
    if customer is not None:
        set_delinquent(account, customer, delinquent=False)


def set_delinquent(account: Account, customer: Object, *, delinquent: bool) -> None:
    """Whether the customer's latest invoice was left unpaid; says so where it changes."""
    if customer["delinquent"] is delinquent:
        return
    before = events.snapshot(customer)
    customer["delinquent"] = delinquent
    account.save("customer", customer)
    events.emit(account, "customer.updated", customer, before)


def cancel_payment(account: Account, invoice: Object, reason: str | None) -> None:
    """The intent of an invoice that is no longer to be paid."""
    intent = account.get("payment_intent", invoice["payment_intent"] or "")
    if intent is not None and intent["status"] in payment_attempts.CANCELABLE - {"processing"}:
        payment_attempts.cancel_intent(account, intent, reason)


REACTIONS = {"payment_intent.succeeded": paid_by, "payment_intent.payment_failed": failed_later}
