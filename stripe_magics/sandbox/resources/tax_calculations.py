"""Tax calculations: what tax is due on a sale, by the table of countries that automatic tax has; nothing is
booked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, missing_param, too_low
from stripe_magics.sandbox.api.pagination import Page, inline, of_objects
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import automatic_tax, tax_settings
from stripe_magics.sandbox.resources.invoices.totals import tax_on
from stripe_magics.sandbox.resources.payment_methods.method_creation import address as full_address
from stripe_magics.sandbox.resources.tax_codes import NONTAXABLE, SHIPPING

LASTS = 90 * DAY
_EXEMPT = {
    "customer_exempt": "customer_exempt",
    "reverse_charge": "reverse_charge",
    "exempt": "customer_exempt",
    "reverse": "reverse_charge",
}


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/tax/calculations."""
    currency = checked_currency(params["currency"])
    who = _customer_details(account, params)
    where = _Place(account, who, currency, override=who["taxability_override"])
    identifier = account.new_id("taxcalc")
    lines = [_line(account, where, each, place) for place, each in enumerate(params["line_items"])]
    references = [line["reference"] for line in lines]
    for place, reference in enumerate(references):
        if reference in references[:place]:
            raise invalid_before_execution(
                f"reference must be unique among the line items: '{reference}' stands twice.",
                param=f"line_items[{place}][reference]",
            )
    shipping = _shipping(account, where, params.get("shipping_cost"))
    taxed = [*lines, *([shipping] if shipping else [])]
    sums = {
        behavior: sum(each["amount_tax"] for each in taxed if each["tax_behavior"] == behavior)
        for behavior in ("exclusive", "inclusive")
    }
    account.link_lines[identifier] = lines
    ships_from = (params.get("ship_from_details") or {}).get("address")
    return account.add(
        "tax.calculation",
        {
            "id": identifier,
            "object": "tax.calculation",
            "amount_total": sum(each["amount"] for each in taxed) + sums["exclusive"],
            "currency": currency,
            "customer": params.get("customer"),
            "customer_details": who,
            "expires_at": account.now + LASTS,
            "livemode": False,
            "ship_from_details": {"address": full_address(ships_from)} if ships_from else None,
            "shipping_cost": shipping,
            "tax_amount_exclusive": sums["exclusive"],
            "tax_amount_inclusive": sums["inclusive"],
            "tax_breakdown": _summed(where, taxed),
            "tax_date": params.get("tax_date", account.now),
        },
    )


def _customer_details(account: Account, params: dict[str, Any]) -> Object:
    given = params.get("customer_details") or {}
    if params.get("customer") and (given.get("address") or given.get("tax_ids")):
        raise invalid(
            "You may only specify one of these parameters: customer, customer_details.",
            param="customer_details",
        )
    details: Object = {
        "address": given.get("address"), "address_source": given.get("address_source"),
        "ip_address": given.get("ip_address"),
        "tax_ids": list(given.get("tax_ids") or ()),
        "taxability_override": given.get("taxability_override") or "none",
    }  # fmt: skip
    if params.get("customer"):
        customer = account.find("customer", params["customer"], "customer")
        shipped = (customer["shipping"] or {}).get("address")
        numbers = [account.peek("tax_id", each) for each in account.where("tax_id", customer=customer["id"])]
        details.update(
            address=shipped or customer["address"], address_source="shipping" if shipped else "billing",
            tax_ids=[{"type": each["type"], "value": each["value"]} for each in numbers if each],
        )  # fmt: skip
        if not given.get("taxability_override"):
            details["taxability_override"] = _EXEMPT.get(customer["tax_exempt"], "none")
    elif not given:
        raise missing_param("customer_details")
    if details["address"] and not details["address_source"]:
        raise missing_param("customer_details[address_source]")
    if not automatic_tax.located(details["address"]):
        raise invalid(
            "The tax can't be found by this address: it needs a country and, in the US, a state or a postal"
            " code.",
            param="customer" if params.get("customer") else "customer_details[address]",
            code="customer_tax_location_invalid",
        )  # fmt: skip
    details["address"] = full_address(details["address"])
    return details


class _Place:
    """Where somebody is, and what is due there."""

    def __init__(self, account: Account, who: Object, currency: str, *, override: str) -> None:
        self.address: Object = who["address"]
        # what counts where a line doesn't say it
        inside = tax_settings.inclusive(account, None, currency)
        self.behavior = "inclusive" if inside else "exclusive"
        self.code: str = tax_settings.settings(account)["defaults"]["tax_code"]
        self.rate = automatic_tax.collected_rate(account, self.address)
        reversed_ = automatic_tax.reverse_charged(account, self.address, who["tax_ids"])
        self.exempt = _EXEMPT.get(override) or ("reverse_charge" if reversed_ else "")

    def tax(self, amount: int, behavior: str, code: str) -> tuple[int, int, str]:
        """On an amount: the tax, what it is on, and why."""
        rate = {"percentage": self.rate.percent if self.rate else 0, "inclusive": behavior == "inclusive"}
        due = tax_on(amount, [rate])[0][1]
        reason = (
            "product_exempt" if code == NONTAXABLE else self.exempt if self.rate and self.exempt
            else "standard_rated" if self.rate else "not_collecting"
        )  # fmt: skip
        if reason != "standard_rated":
            return 0, 0, reason
        return due, amount - due if rate["inclusive"] else amount, reason

    def details(self) -> Object:
        """The rate as it is shown."""
        rate = self.rate
        return {
            "country": self.address["country"], "flat_amount": None,
            "percentage_decimal": _decimal(rate.percent if rate else 0),
            "rate_type": "percentage" if rate else None,
            "state": rate.state if rate else self.address["state"],
            "tax_type": rate.kind if rate else None,
        }  # fmt: skip

    def breakdown(self, amount: int, taxable: int, reason: str) -> list[Object]:
        """Of one line."""
        rate, country = self.rate, self.address["country"]
        state = rate.state if rate else None
        return [
            {
                "amount": amount,
                "jurisdiction": {"country": country, "display_name": state or country,
                    "level": "state" if state else "country", "state": state},
                "sourcing": "destination",
                "tax_rate_details": {
                    "display_name": rate.name, "percentage_decimal": _decimal(rate.percent),
                    "tax_type": rate.kind,
                } if rate and reason != "product_exempt" else None,
                "taxability_reason": reason,
                "taxable_amount": taxable,
            }
        ]  # fmt: skip


def _decimal(percent: float) -> str:
    return format(Decimal(str(percent)).normalize(), "f")


def _line(account: Account, where: _Place, given: dict[str, Any], place: int) -> Object:
    quantity = given.get("quantity", 1)
    if quantity < 1:
        raise too_low(1, f"line_items[{place}][quantity]")
    product = given.get("product")
    code = given.get("tax_code")
    if product:
        known = account.find("product", product, f"line_items[{place}][product]")
        code = code or known["tax_code"]
    behavior = given.get("tax_behavior") or where.behavior
    code = code or where.code
    tax, taxable, reason = where.tax(given["amount"], behavior, code)
    line = {
        "id": account.new_id("tax_li"), "object": "tax.calculation_line_item", "amount": given["amount"],
        "amount_tax": tax, "livemode": False, "product": product, "quantity": quantity,
        "reference": given.get("reference") or f"L{place + 1}", "tax_behavior": behavior,
        "tax_breakdown": where.breakdown(tax, taxable, reason), "tax_code": code,
    }  # fmt: skip
    return {**line, **{name: given[name] for name in ("metadata", "performance_location") if given.get(name)}}


def _shipping(account: Account, where: _Place, given: dict[str, Any] | None) -> Object | None:
    if not given:
        return None
    amount, rate = given.get("amount"), None
    behavior = given.get("tax_behavior") or where.behavior
    if given.get("shipping_rate"):
        if amount is not None:
            raise invalid(
                "You may only specify one of these parameters: amount, shipping_rate.",
                param="shipping_cost[amount]",
            )
        known = account.find(
            "shipping_rate", given["shipping_rate"], "shipping_cost[shipping_rate]", what="shipping rate"
        )
        rate, amount = known["id"], (known["fixed_amount"] or {}).get("amount", 0)
        if known["tax_behavior"] in {"exclusive", "inclusive"} and not given.get("tax_behavior"):
            behavior = known["tax_behavior"]
    if amount is None:
        raise missing_param("shipping_cost[amount]")
    if amount < 0:
        raise too_low(0, "shipping_cost[amount]")
    code = given.get("tax_code") or SHIPPING
    tax, taxable, reason = where.tax(amount, behavior, code)
    cost = {
        "amount": amount, "amount_tax": tax, "tax_behavior": behavior,
        "tax_breakdown": where.breakdown(tax, taxable, reason), "tax_code": code,
    }  # fmt: skip
    return {**cost, "shipping_rate": rate} if rate else cost


def _summed(where: _Place, taxed: list[Object]) -> list[Object]:
    sums: dict[tuple[bool, str], Object] = {}
    for each in taxed:
        (part,) = each["tax_breakdown"]
        key = (each["tax_behavior"] == "inclusive", part["taxability_reason"])
        total = sums.setdefault(
            key,
            {"amount": 0, "inclusive": key[0], "tax_rate_details": where.details(),
                "taxability_reason": key[1], "taxable_amount": 0},
        )  # fmt: skip
        total["amount"] += part["amount"]
        total["taxable_amount"] += part["taxable_amount"]
    return list(sums.values())


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/tax/calculations/{calculation}: for 90 days."""
    found = account.find("tax.calculation", identifier, "calculation", what="tax calculation", status=404)
    if found["expires_at"] <= account.now:
        raise invalid(f"The tax calculation {identifier} has expired.", param="calculation")
    return found


def list_lines(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/tax/calculations/{calculation}/line_items."""
    retrieve(account, {}, identifier)
    return of_objects(account.link_lines[identifier], params, f"/v1/tax/calculations/{identifier}/line_items")


def _lines(account: Account, of: Object) -> Object:
    return inline(account.link_lines[of["id"]], f"/v1/tax/calculations/{of['id']}/line_items", most=10)


ROUTES: dict[str, Handler] = {
    "POST /v1/tax/calculations": create,
    "GET /v1/tax/calculations/{calculation}": retrieve,
    "GET /v1/tax/calculations/{calculation}/line_items": list_lines,
}
INCLUDED = {("tax.calculation", "line_items"): _lines}
