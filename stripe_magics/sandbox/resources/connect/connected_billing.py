"""Invoices, subscriptions and what makes them (quotes, payment links, phases of a schedule) with a connected
account in them: what their payments pass on, and what the platform keeps.

invoice         application_fee_amount, transfer_data[amount]: minor units, of what is due
subscription    application_fee_percent, transfer_data[amount_percent]: of what is due on each of its
                invoices, after the customer's balance
quote, link     the former where nothing recurs, the latter where a line does
phase           as its subscription
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from stripe_magics.sandbox.api.errors import invalid, missing, too_low
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.connect import application_fees, parties
from stripe_magics.sandbox.resources.connect.transfer_objects import destination
from stripe_magics.sandbox.resources.pricing import round_half_up

_PLAIN = ("on_behalf_of", "application_fee_amount", "application_fee_percent")
_PARTS = {
    "invoice": ("amount",), "subscription": ("amount_percent",), "quote": ("amount", "amount_percent"),
    "payment_link": ("amount",), "phase": ("amount_percent",), "default_settings": ("amount_percent",),
}  # fmt: skip
"""Type of object -> what it says of the part that is passed on."""
_FEES = (("application_fee_amount", "amount"), ("application_fee_percent", "amount_percent"))
SETTINGS = ("application_fee_percent", "on_behalf_of", "transfer_data")
"""What a phase, or a quote that recurs, says of its subscription."""
OF_OFFERS = (*SETTINGS, "application_fee_amount")
"""What a quote or a payment link says."""


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
    for fee, part in _FEES:
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


def check_offer(
    account: Account, params: dict[str, Any], *, recurring: bool | None, subject: Object | None = None
) -> None:
    """Refuse what doesn't fit: amounts go with lines of which none recurs, shares of them with lines of which
    one does. `recurring` is None where there are no lines yet."""
    given = params.get("transfer_data") or {}
    said = {**params, "transfer_data[amount]": given.get("amount")}
    said["transfer_data[amount_percent]"] = given.get("amount_percent")
    for fee, part in _FEES:
        shares = part == "amount_percent"
        for name in (fee, f"transfer_data[{part}]"):
            if said.get(name) is not None and recurring is not None and recurring is not shares:
                which = (
                    "needs a line item with a recurring price"
                    if shares
                    else ("can't be given where a line item has a recurring price")
                )
                raise invalid(f"{name} {which}.", param=name)
    check(account, params, subject)


def _check_range(number: float | None, param: str, most: int | None) -> None:
    if number is not None and number < 0:
        raise too_low(0, param)
    if number is not None and most is not None and (number > most or round(number, 2) != number):
        raise invalid(f"{param} lies between 0 and {most}, with at most two decimal places.", param=param)


def describe(account: Account, subject: Object, params: dict[str, Any], kind: str = "") -> None:
    """Keep on an object what was given; `kind` says what it is where it doesn't say so itself."""
    kind = kind or subject["object"]
    for name in _PLAIN:
        if name in params:
            subject[name] = params[name]
    if "transfer_data" in params:
        given = params["transfer_data"]
        subject["transfer_data"] = given and {
            **{part: given.get(part) for part in _PARTS[kind]},
            "destination": given["destination"],
        }
    if kind == "invoice" and {"application_fee_amount", "transfer_data"} & set(params):
        account.private_state.get(subject["id"], {}).pop("shares", None)
    takes_fee = any(subject.get(fee) is not None for fee, _ in _FEES)
    if account.platform is not None and takes_fee and "application" in subject:
        subject["application"] = application_fees.application(account)


def settings_of(offer: Object, beneath: Object | None = None) -> dict[str, Any]:
    """What a subscription takes from a phase or a quote, `beneath` where that says nothing. What neither says
    is cleared."""
    found: dict[str, Any] = {}
    for name in SETTINGS:
        value = offer[name] if offer[name] is not None else (beneath or {}).get(name)
        found[name] = given_again(value) if name == "transfer_data" else value
    return found


def given_again(transfer_data: Object | None) -> Object | None:
    """A `transfer_data` as it would be given: without the parts that aren't said."""
    return transfer_data and {name: value for name, value in transfer_data.items() if value is not None}


def of_subscription(account: Account, invoice: Object, subscription: Object) -> None:
    """An invoice of a subscription goes to the same accounts, with the same shares."""
    passed_on = subscription["transfer_data"]
    invoice.update(
        application=subscription["application"],
        on_behalf_of=subscription["on_behalf_of"],
        transfer_data=passed_on and {"amount": None, "destination": passed_on["destination"]},
    )
    parties.present(account, invoice)
    fee, part = subscription["application_fee_percent"], (passed_on or {}).get("amount_percent")
    if fee is not None or part is not None:
        account.private_state.setdefault(invoice["id"], {})["shares"] = {"fee": fee, "part": part}


def follow_amount(account: Account, invoice: Object) -> None:
    """What is due on a draft has changed: shares of it follow, until an amount is given instead."""
    shares = account.private_state.get(invoice["id"], {}).get("shares")
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
    check_total(invoice, invoice["amount_due"])


def check_total(offer: Object, due: int) -> None:
    """Refuse a fee, or a part to pass on, that is larger than this amount."""
    for name, amount in (
        ("application_fee_amount", offer["application_fee_amount"]),
        ("transfer_data[amount]", (offer["transfer_data"] or {}).get("amount")),
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
