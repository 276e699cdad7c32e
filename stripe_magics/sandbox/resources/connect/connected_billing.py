"""Invoices and subscriptions with a connected account in them: what their payments pass on, and what the
platform keeps.

invoice         application_fee_amount, transfer_data[amount]: minor units, of what is due
subscription    application_fee_percent, transfer_data[amount_percent]: of what is due on each of its
                invoices, after the customer's balance
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from stripe_magics.sandbox.api.errors import invalid, missing, too_low
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.connect import application_fees
from stripe_magics.sandbox.resources.connect.transfer_objects import destination
from stripe_magics.sandbox.resources.pricing import round_half_up

_PLAIN = ("on_behalf_of", "application_fee_amount", "application_fee_percent")


def check(account: Account, params: dict[str, Any], subject: Object | None = None) -> None:
    """Refuse what can't be; changes nothing. `subject` is the invoice or the subscription so far."""
    so_far = subject or {}
    for_whom = params.get("on_behalf_of")
    if for_whom and (account.platform is not None or account.family.member(for_whom) is None):
        raise missing("account", for_whom, "on_behalf_of", status=400)
    given = params.get("transfer_data") or {}
    if given:
        destination(account, given["destination"], "transfer_data[destination]")
    passed_on = params["transfer_data"] if "transfer_data" in params else so_far.get("transfer_data")
    for fee, part in (("application_fee_amount", "amount"), ("application_fee_percent", "amount_percent")):
        amount, share = params.get(fee), given.get(part)
        most = 100 if part == "amount_percent" else None
        _check_range(amount, fee, most)
        _check_range(share, f"transfer_data[{part}]", most)
        kept = amount if fee in params else so_far.get(fee)
        if kept is not None and (passed_on or {}).get(part) is not None:
            raise invalid(
                f"You can't give both {fee} and transfer_data[{part}].", param=f"transfer_data[{part}]"
            )
        if (amount is not None or kept) and account.platform is None and not passed_on:
            raise invalid(
                f"Can only apply an {fee} where the payment is for a connected account:"
                " transfer_data[destination] or Stripe-Account.",
                param=fee if amount is not None else "transfer_data",
            )


def _check_range(number: float | None, param: str, most: int | None) -> None:
    if number is not None and number < 0:
        raise too_low(0, param)
    if number is not None and most is not None and (number > most or round(number, 2) != number):
        raise invalid(f"{param} lies between 0 and {most}, with at most two decimal places.", param=param)


def describe(account: Account, subject: Object, params: dict[str, Any]) -> None:
    """Keep on an invoice or a subscription what was given."""
    for name in _PLAIN:
        if name in params:
            subject[name] = params[name]
    if "transfer_data" in params:
        given, part = (
            params["transfer_data"],
            "amount" if subject["object"] == "invoice" else "amount_percent",
        )
        subject["transfer_data"] = given and {part: given.get(part), "destination": given["destination"]}
    if subject["object"] == "invoice" and {"application_fee_amount", "transfer_data"} & set(params):
        account.notes.get(subject["id"], {}).pop("shares", None)
    fee = subject.get("application_fee_amount", subject.get("application_fee_percent"))
    if account.platform is not None and fee is not None:
        subject["application"] = application_fees.application(account)


def of_subscription(account: Account, invoice: Object, subscription: Object) -> None:
    """An invoice of a subscription goes to the same accounts, with the same shares."""
    passed_on = subscription["transfer_data"]
    invoice.update(
        application=subscription["application"],
        on_behalf_of=subscription["on_behalf_of"],
        transfer_data=passed_on and {"amount": None, "destination": passed_on["destination"]},
    )
    fee, part = subscription["application_fee_percent"], (passed_on or {}).get("amount_percent")
    if fee is not None or part is not None:
        account.notes.setdefault(invoice["id"], {})["shares"] = {"fee": fee, "part": part}


def follow_amount(account: Account, invoice: Object) -> None:
    """What is due on a draft has changed: shares of it follow, until an amount is given instead."""
    shares = account.notes.get(invoice["id"], {}).get("shares")
    if not shares:
        return
    if shares["fee"] is not None:
        invoice["application_fee_amount"] = _share(invoice["amount_due"], shares["fee"])
    if shares["part"] is not None:
        invoice["transfer_data"] = {
            **invoice["transfer_data"],
            "amount": _share(invoice["amount_due"], shares["part"]),
        }


def _share(amount: int, percent: float) -> int:
    return round_half_up(Decimal(amount) * Decimal(str(percent)) / 100)


def check_final(invoice: Object) -> None:
    """Refuse a fee, or a part to pass on, that is larger than what is due."""
    due = invoice["amount_due"]
    for name, amount in (
        ("application_fee_amount", invoice["application_fee_amount"]),
        ("transfer_data[amount]", (invoice["transfer_data"] or {}).get("amount")),
    ):
        if due and amount is not None and amount > due:
            raise invalid(f"{name} ({amount}) is more than what is due ({due}).", param=name)


def describe_intent(invoice: Object, intent: Object) -> None:
    """The payment of an invoice passes on what the invoice says."""
    intent.update({name: invoice[name] for name in ("application_fee_amount", "on_behalf_of")})
    passed_on = invoice["transfer_data"]
    if passed_on:
        whole = passed_on["amount"] is None
        intent["transfer_data"] = {"destination": passed_on["destination"]} if whole else dict(passed_on)
