"""Money from a platform to a connected account and back: an entry on either side, which add up to nothing.

            platform                   connected account
transfer    transfer -amount           payment +amount, a charge py_ that it can look at
reversal    transfer_refund +amount    payment_refund -amount, a refund pyr_
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import ApiError, invalid, missing
from stripe_magics.sandbox.api.pagination import inline
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.charge_objects import new_charge
from stripe_magics.sandbox.resources.connect import application_fees
from stripe_magics.sandbox.resources.refund_objects import new_refund

_FROM_PLATFORM: Object = {
    "id": None, "type": "stripe_account", "stripe_account": {},
    "billing_details": {
        "address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
        "email": None, "name": None, "phone": None,
    },
}  # fmt: skip


def destination(account: Account, identifier: str, param: str) -> Account:
    """The connected account that money may be sent to. Refuses one that isn't there, or can't take it yet."""
    found = account.family.member(identifier) if account.platform is None else None
    if found is None:
        raise missing("destination", identifier, param, status=400)
    if found.profile["capabilities"].get("transfers") != "active":
        raise invalid(
            "Your destination account needs to have at least one of the following capabilities enabled:"
            f" transfers, crypto_transfers, legacy_payments. {identifier} has:"
            f" {', '.join(map(':'.join, found.profile['capabilities'].items())) or 'none'}.",
            param=param,
            code="insufficient_capabilities_for_transfer",
        )
    return found


def short_of_funds(account: Account, currency: str) -> ApiError:
    """The platform's balance doesn't cover it."""
    have = account.ledger.available(currency)
    return invalid(
        f"You have insufficient available funds in your Stripe account: {have} {currency} (minor units) are"
        " available, and pending funds don't count. Try adding funds directly to your available balance by"
        " creating Charges using the 4000000000000077 test card.",
        code="balance_insufficient",
    )


def send(  # noqa: PLR0913 - what a transfer says
    account: Account, to: Account, amount: int, currency: str, *, available_on: int,
    source: str | None = None, group: str | None = None,
    fee: int = 0, description: str | None = None, metadata: Any = None, source_type: str = "card",
) -> Object:  # fmt: skip
    """A transfer, with the payment that it becomes; `fee` of it goes back to the platform as an application
    fee."""
    identifier = account.new_id("tr")
    entry = account.ledger.post(
        "transfer", "transfer", currency=currency, amount=-amount, source=identifier,
        available_on=available_on, description=description,
    )  # fmt: skip
    payment = _payment(
        to, amount, currency, identifier, available_on=available_on, group=group, fee=fee, origin=source
    )
    transfer: Object = {
        "id": identifier, "object": "transfer", "amount": amount, "amount_reversed": 0,
        "balance_transaction": entry["id"], "created": account.now, "currency": currency,
        "description": description, "destination": to.profile["id"], "destination_payment": payment["id"],
        "livemode": False, "metadata": merged_metadata({}, metadata),
        "reversals": inline([], f"/v1/transfers/{identifier}/reversals"), "reversed": False,
        "source_transaction": source, "source_type": source_type, "transfer_group": group,
    }  # fmt: skip
    account.add("transfer", transfer)
    events.emit(account, "transfer.created", transfer)
    return transfer


def _payment(
    to: Account,
    amount: int,
    currency: str,
    transfer: str,
    *,
    available_on: int,
    group: str | None,
    fee: int,
    origin: str | None,
) -> Object:
    """What arrives at the connected account."""
    given = {"amount": amount, "currency": currency, "application_fee_amount": fee or None}
    payment = new_charge(to, given, _FROM_PLATFORM)
    payment.update(
        amount_captured=amount, captured=True, paid=True, payment_method=None, source_transfer=transfer,
        status="succeeded", transfer_group=group,
        statement_descriptor=None, calculated_statement_descriptor=None, receipt_url=None,
    )  # fmt: skip
    entry = to.ledger.post(
        "payment", "charge", currency=currency, amount=amount, source=payment["id"],
        available_on=available_on,
        application_fee=(fee, application_fees.application(to)),
    )  # fmt: skip
    payment["balance_transaction"] = entry["id"]
    if fee:
        kept = application_fees.collect(to, payment, fee, available_on=available_on, origin=origin)
        payment.update(application_fee=kept["id"], application=kept["application"])
    to.save("charge", payment)
    events.emit(to, "payment.created", payment)
    return payment


def reverse(
    account: Account, transfer: Object, amount: int, *, source_refund: str | None = None,
    refund_fee: bool = False,
    description: str | None = None, metadata: Any = None,
) -> Object:  # fmt: skip
    """Money comes back from the connected account, whose balance may become negative."""
    reversal: Object = {
        "id": account.new_id("trr"), "object": "transfer_reversal", "amount": amount,
        "balance_transaction": None, "created": account.now,
        "currency": transfer["currency"], "destination_payment_refund": None,
        "metadata": merged_metadata({}, metadata),
        "source_refund": source_refund, "transfer": transfer["id"],
    }  # fmt: skip
    entry = account.ledger.post(
        "transfer_refund", "transfer_reversal", currency=transfer["currency"], amount=amount,
        source=reversal["id"],
        description=description or f"REFUND FOR TRANSFER ({transfer['description'] or transfer['id']})",
    )  # fmt: skip
    reversal["balance_transaction"] = entry["id"]
    connected = account.family.member(transfer["destination"])
    payment = connected.get("charge", transfer["destination_payment"]) if connected is not None else None
    if connected is not None and payment is not None:
        reversal["destination_payment_refund"] = _refund_payment(connected, payment, amount, reversal["id"])
        if refund_fee and payment["application_fee"]:
            fee = account.find("application_fee", payment["application_fee"], "id")
            part = application_fees.share(fee, amount, transfer["amount"])
            if part:
                application_fees.refund_application_fee(account, fee, part)
    account.add("transfer_reversal", reversal)
    before = events.snapshot(transfer)
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] >= transfer["amount"]
    transfer["reversals"] = inline([reversal, *transfer["reversals"]["data"]], transfer["reversals"]["url"])
    account.save("transfer", transfer)
    events.emit(account, "transfer.reversed", transfer, before)
    return reversal


def _refund_payment(connected: Account, payment: Object, amount: int, reversal: str) -> str:
    refund = new_refund(connected, payment, amount, {})
    entry = connected.ledger.post(
        "payment_refund",
        "refund",
        currency=payment["currency"],
        amount=-amount,
        source=refund["id"],
        description="REFUND FOR PAYMENT",
    )
    refund.update(status="succeeded", balance_transaction=entry["id"], source_transfer_reversal=reversal)
    connected.add("refund", refund)
    before = events.snapshot(payment)
    payment["amount_refunded"] += amount
    payment["refunded"] = payment["amount_refunded"] >= payment["amount"]
    connected.save("charge", payment)
    events.emit(connected, "refund.created", refund)
    events.emit(connected, "charge.refunded", payment, before)
    return str(refund["id"])
