"""Payments with a connected account in them.

direct charge         made for a connected account (Stripe-Account); application_fee_amount goes to the
                      platform
destination charge    made by the platform with transfer_data[destination]: the whole, or
                      transfer_data[amount], is transferred on; application_fee_amount of it comes back
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid, missing
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.connect import application_fees
from stripe_magics.sandbox.resources.connect.transfer_objects import destination, reverse, send


def check(account: Account, params: dict[str, Any], subject: Object | None = None) -> None:
    """Refuse what can't be: an unknown account, a fee without one, a part that is larger than the whole.
    `subject` is the intent or charge so far."""
    so_far = subject or {}
    if account.platform is not None and not account.profile["charges_enabled"]:
        due = (
            ", ".join(account.profile["requirements"]["currently_due"][:3]) or "the capability card_payments"
        )
        raise invalid(
            f"Your account cannot currently make charges: it still has to give {due}. (In the sandbox, "
            f"POST /v1/test_helpers/accounts/{account.profile['id']}/onboard gives all that is required.)",
            code="account_invalid",
        )
    for_whom = params.get("on_behalf_of")
    if for_whom and (account.platform is not None or account.family.member(for_whom) is None):
        raise missing("account", for_whom, "on_behalf_of", status=400)
    given = params.get("transfer_data") or {}
    if given.get("destination"):
        destination(account, given["destination"], "transfer_data[destination]")
    elif given and not so_far.get("transfer_data"):
        raise invalid(
            "transfer_data needs a payment that was made for a connected account.", param="transfer_data"
        )
    to = given.get("destination") or (so_far.get("transfer_data") or {}).get("destination")
    fee = params.get("application_fee_amount")
    whole = params.get("amount") or so_far.get("amount") or 0
    part = given.get("amount")
    if part is not None and fee:
        raise invalid(
            "You can't give both application_fee_amount and transfer_data[amount].",
            param="transfer_data[amount]",
        )
    if part is not None and not 0 < part <= whole:
        raise invalid(
            f"transfer_data[amount] must be between 1 and the amount ({whole}).",
            param="transfer_data[amount]",
        )
    if fee is None:
        return
    if account.platform is None and not to:
        raise invalid(
            "Can only apply an application_fee_amount when the payment is for a connected account:"
            " transfer_data[destination] or Stripe-Account.",
            param="application_fee_amount",
        )
    if not 0 <= fee <= whole:
        raise invalid(
            f"The application fee ({fee}) must not be more than the amount ({whole}).",
            param="application_fee_amount",
        )


def describe(subject: Object, params: dict[str, Any]) -> None:
    """Keep on an intent or a charge what was given."""
    if "application_fee_amount" in params:
        subject["application_fee_amount"] = params["application_fee_amount"]
    if params.get("on_behalf_of") is not None:
        subject["on_behalf_of"] = params["on_behalf_of"] or None
    if params.get("transfer_data"):
        subject["transfer_data"] = {**(subject["transfer_data"] or {}), **params["transfer_data"]}


def fee_of(account: Account, charge: Object, captured: int) -> tuple[int, str]:
    """The application fee that a direct charge pays: amount, application."""
    if account.platform is None or not charge["application_fee_amount"]:
        return 0, ""
    return min(charge["application_fee_amount"], captured), application_fees.application(account)


def captured(account: Account, charge: Object, amount: int, entry: Object) -> None:
    """A charge was paid: the platform gets its fee, the destination its share."""
    available_on = entry["available_on"]
    fee, application = fee_of(account, charge, amount)
    if fee:
        kept = application_fees.collect(account, charge, fee, available_on=available_on, origin=None)
        charge.update(application_fee=kept["id"], application=application)
    to = (charge["transfer_data"] or {}).get("destination")
    connected = account.family.member(to) if to else None
    if connected is None:
        return
    charge["transfer_group"] = charge["transfer_group"] or f"group_{charge['payment_intent'] or charge['id']}"
    share = min(charge["transfer_data"].get("amount") or amount, amount)
    transfer = send(
        account, connected, share, charge["currency"], available_on=available_on, source=charge["id"],
        group=charge["transfer_group"],
        fee=min(charge["application_fee_amount"] or 0, share),
    )  # fmt: skip
    payment = connected.peek("charge", transfer["destination_payment"]) or {}
    charge.update(destination=to, transfer=transfer["id"], application_fee=payment.get("application_fee"))


def check_refund(charge: Object, params: dict[str, Any]) -> None:
    """Refuse a refund that asks for what the charge doesn't have."""
    if params.get("refund_application_fee") and not charge["application_fee"]:
        raise invalid("This charge has no application fee to refund.", param="refund_application_fee")
    if params.get("reverse_transfer") and not charge.get("transfer"):
        raise invalid("This charge has no transfer that could be reversed.", param="reverse_transfer")


def sent_back(account: Account, payment: Object, amount: int, params: dict[str, Any]) -> Object:
    """A connected account gives back what a transfer brought: the transfer is reversed by that."""
    platform = account.family.platform
    transfer = platform.find("transfer", payment["source_transfer"], "charge")
    reversal = reverse(platform, transfer, amount)
    refund = account.find("refund", reversal["destination_payment_refund"], "charge")
    refund.update(reason=params.get("reason"), metadata=merged_metadata({}, params.get("metadata")))
    return account.save("refund", refund)


def refunded(account: Account, charge: Object, refund: Object, params: dict[str, Any]) -> None:
    """A charge was refunded: its transfer is reversed and its application fee given back in proportion, if
    asked for."""
    amount, whole = refund["amount"], charge["amount_captured"]
    if params.get("reverse_transfer"):
        transfer = account.find("transfer", charge["transfer"], "charge")
        left = transfer["amount"] - transfer["amount_reversed"]
        part = min(left, (transfer["amount"] * amount * 2 + whole) // (2 * whole))
        if part:
            refund["transfer_reversal"] = reverse(account, transfer, part, source_refund=refund["id"])["id"]
    if params.get("refund_application_fee"):
        platform = account.family.platform
        fee = platform.find("application_fee", charge["application_fee"], "charge")
        part = application_fees.share(fee, amount, whole)
        if part:
            application_fees.refund_application_fee(platform, fee, part)
