"""How what is bought in a checkout session can be sent, for how much, and the tax on that."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import inside, invalid, missing_param
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import automatic_tax, tax_settings
from stripe_magics.sandbox.resources.invoices.totals import tax_entries
from stripe_magics.sandbox.resources.tax_and_shipping_rates import build_shipping_rate

MAX_SHIPPING_OPTIONS = 5


def options_of(account: Account, given: list[dict[str, Any]], currency: str) -> list[Object]:
    """How things can be sent, and for how much."""
    if len(given) > MAX_SHIPPING_OPTIONS:
        raise invalid(
            f"At most {MAX_SHIPPING_OPTIONS} shipping options can be given.", param="shipping_options"
        )
    return [_option(account, each, place, currency) for place, each in enumerate(given)]


def _option(account: Account, given: dict[str, Any], place: int, currency: str) -> Object:
    where = f"shipping_options[{place}]"
    if bool(given.get("shipping_rate")) == bool(given.get("shipping_rate_data")):
        raise invalid(f"Give one of {where}[shipping_rate] and {where}[shipping_rate_data].", param=where)
    if given.get("shipping_rate"):
        param = f"{where}[shipping_rate]"
        rate = account.find("shipping_rate", given["shipping_rate"], param, what="shipping rate")
    else:
        with inside(f"{where}[shipping_rate_data]"):
            if not given["shipping_rate_data"].get("fixed_amount"):
                raise missing_param("fixed_amount")
            rate = account.add("shipping_rate", build_shipping_rate(account, given["shipping_rate_data"]))
    fixed = rate["fixed_amount"] or {}
    if not rate["active"] or str(fixed.get("currency")).lower() != currency:
        raise invalid(f"The shipping rate must be active, and in {currency}.", param=where)
    return {"shipping_amount": fixed["amount"], "shipping_rate": rate["id"]}


def choose(session: Object, rate: str | None) -> None:
    """What is sent how; the first option stands until the customer chooses. None: nothing is sent."""
    chosen = next((each for each in session["shipping_options"] if each["shipping_rate"] == rate), None)
    if rate and chosen is None:
        raise invalid("The session doesn't offer this shipping rate.", param="shipping_rate")
    amount = chosen["shipping_amount"] if chosen else 0
    session["shipping_cost"] = chosen and {
        "amount_subtotal": amount, "amount_tax": 0, "amount_total": amount, "shipping_rate": rate,
    }  # fmt: skip


def tax(account: Account, session: Object, address: Object | None, exempt: str) -> int:
    """What automatic tax adds to what sending costs, on top of the rate's amount."""
    cost = session["shipping_cost"]
    if cost is None:
        return 0
    cost.update(amount_tax=0, amount_total=cost["amount_subtotal"])
    if session["automatic_tax"]["status"] != "complete" or not address:
        return 0
    behavior = account.find("shipping_rate", cost["shipping_rate"], "shipping_rate")["tax_behavior"]
    inclusive = tax_settings.inclusive(account, behavior, session["currency"])
    rate = automatic_tax.rate_for(account, address, inclusive=inclusive)
    due = sum(each["amount"] for each in tax_entries(cost["amount_subtotal"], [rate] if rate else [], exempt))
    on_top = 0 if inclusive else due
    cost.update(amount_tax=due, amount_total=cost["amount_subtotal"] + on_top)
    return on_top
