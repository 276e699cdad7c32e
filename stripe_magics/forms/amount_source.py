"""The object that a form's amount belongs to: the payment that is refunded, the authorization that is
captured.

Once its id is entered, it is asked for: its currency is the amount's, what is left of it is the most that can
be sent, and who paid stands in the question before money moves. What is known of people is shown in a panel
that keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from stripe_magics._characters import in_order
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.errors import StripeMagicsError
from stripe_magics.forms.object_search import lister_of
from stripe_magics.forms.state import FormState, blank
from stripe_magics.money import format_amount

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

EXPANDED = {"payment_intent": ("latest_charge", "customer"), "charge": ("customer",)}
"""What is asked for beside the object, so that the payer's name and card are in one answer."""


@dataclass(frozen=True, slots=True)
class AmountSource:
    """What is known of the object: `amount` is its whole, `left` what can still be sent; both in minor units,
    None if unknown."""

    id: str
    currency: str
    amount: int | None
    left: int | None
    payer: str

    def words(self, minor: int | None = None) -> str:
        """`9.99 USD of 169.00 USD to Jenny Rosen, Visa 4242`."""
        whole = format_amount(self.amount, self.currency) if self.amount is not None else ""
        sent = self.left if minor is None else minor
        part = format_amount(sent, self.currency) if sent is not None else ""
        sums = f"{part} of {whole}" if part and whole and part != whole else part or whole
        return f"{sums} to {self.payer}" if self.payer else sums


def amount_field(state: FormState) -> Field | None:
    """The module's amount whose currency another object has; None if it has none."""
    fields = state.module.fields
    return next(
        (each for each in fields if each.kind is Kind.MINOR_AMOUNT and each.currency_of), None
    ) or next(
        (
            each
            for each in fields
            if each.kind is Kind.MINOR_AMOUNT
            and not each.currency
            and each.role is Role.PARAM
            and state.module.path_fields
        ),
        None,
    )


def source_path(state: FormState) -> str:
    """The path of the object that the amount belongs to, "" as long as it isn't named."""
    from stripe_magics.forms.current_values import object_path

    amount = amount_field(state)
    if amount is None:
        return ""
    for name in amount.currency_of:
        raw = state.raw.get(name)
        field = state.module.get(name)
        if field is None or blank(raw) or name in state.errors:
            continue
        lister = lister_of(field.object)
        if lister is not None:
            return f"{lister.path}/{quote(str(raw).strip(), safe='')}"
    return "" if amount.currency_of else object_path(state.module, state.raw)


def fetch(path: str, connection: Connection) -> AmountSource | None:
    """Ask for the object. None where it isn't there or may not be read: the call itself then says so in
    Stripe's own words."""
    from stripe_magics.pipeline import call

    kind = "payment_intent" if "/payment_intents/" in path else "charge" if "/charges/" in path else ""
    query = "&".join(f"expand[]={each}" for each in EXPANDED.get(kind, ()))
    try:
        found: Any = call(
            "api.call",
            url=f"{path}?{query}" if query else path,
            method="GET",
            raw=True,
            connection=connection,
        )
    except StripeMagicsError:
        return None
    return of_object(found) if isinstance(found, Mapping) else None


def of_object(found: Mapping[str, Any]) -> AmountSource | None:
    """What an object's JSON says; None for one without a currency."""
    currency = str(found.get("currency") or "")
    if not currency:
        return None
    amount, left = AMOUNTS.get(str(found.get("object")), _plain)(found)
    return AmountSource(str(found.get("id", "")), currency, amount, left, payer(found))


def _charge(found: Mapping[str, Any]) -> tuple[int | None, int | None]:
    taken = found.get("amount_captured")
    return found.get("amount"), (
        taken - (found.get("amount_refunded") or 0) if isinstance(taken, int) else None
    )


def _payment_intent(found: Mapping[str, Any]) -> tuple[int | None, int | None]:
    capturable = found.get("amount_capturable")
    if capturable:
        return found.get("amount"), capturable
    charge = found.get("latest_charge")
    left = _charge(charge)[1] if isinstance(charge, Mapping) else None
    return found.get("amount_received") or found.get("amount"), left


def _plain(found: Mapping[str, Any]) -> tuple[int | None, int | None]:
    amount = found.get("amount")
    return (amount if isinstance(amount, int) else None), None


AMOUNTS: dict[str, Callable[[Mapping[str, Any]], tuple[int | None, int | None]]] = {
    "charge": _charge,
    "payment_intent": _payment_intent,
}
"""Object type -> (its whole amount, what is left of it)."""


def payer(found: Mapping[str, Any]) -> str:
    """Who paid and with what: `Jenny Rosen, Visa 4242`; "" if the object doesn't say."""
    charge = found.get("latest_charge") if isinstance(found.get("latest_charge"), Mapping) else found
    customer = found.get("customer")
    billing = charge.get("billing_details") or {} if isinstance(charge, Mapping) else {}
    name = (
        customer.get("name") or customer.get("email") if isinstance(customer, Mapping) else ""
    ) or billing.get("name")
    method = (charge.get("payment_method_details") or {}) if isinstance(charge, Mapping) else {}
    card = method.get("card") or {}
    paid_with = f"{str(card.get('brand') or '').capitalize()} {card.get('last4') or ''}".strip()
    return ", ".join(each for each in (in_order(str(name or "")), paid_with) if each)
