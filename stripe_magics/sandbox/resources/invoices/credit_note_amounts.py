"""What a credit note comes to: its lines, with the discount and the tax that stood on what they credit.
Nothing is stored here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from stripe_magics.sandbox.api.errors import invalid, missing, missing_param
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.invoices.lines import lines_of
from stripe_magics.sandbox.resources.invoices.totals import summed_credits, tax_on
from stripe_magics.sandbox.resources.price_objects import not_below
from stripe_magics.sandbox.resources.pricing import round_half_up, times


def made_lines(
    account: Account, invoice: Object, params: dict[str, Any], credited: dict[str, int]
) -> list[Object]:
    """The lines asked for; `credited` is what earlier notes credited of each invoice line."""
    if params.get("lines"):
        if params.get("amount") is not None:
            raise invalid("You may only specify one of these parameters: amount, lines.", param="lines")
        return [
            _line(account, invoice, each, f"lines[{place}]", credited)
            for place, each in enumerate(params["lines"])
        ]
    shipping = params.get("shipping_cost")
    if shipping:
        raise invalid("The sandbox doesn't simulate credit notes for shipping costs.", param="shipping_cost")
    if params.get("amount") is None:
        raise missing_param("amount")
    if params["amount"] < 1:
        raise not_below(1, "amount")
    return [_new(account, "custom_line_item", params["amount"], "Credit", 1, str(params["amount"]))]


def _line(
    account: Account, invoice: Object, given: dict[str, Any], where: str, credited: dict[str, int]
) -> Object:
    if given["type"] == "custom_line_item":
        unit = given.get("unit_amount_decimal")
        if given.get("unit_amount") is not None:
            unit = str(given["unit_amount"])
        if unit is None:
            raise missing_param(f"{where}[unit_amount]")
        quantity = given.get("quantity", 1)
        if quantity < 1:
            raise not_below(1, f"{where}[quantity]")
        amount = times(unit, quantity)
        line = _new(account, "custom_line_item", amount, given.get("description"), quantity, unit)
        rates = [
            account.find("tax_rate", each, f"{where}[tax_rates]") for each in given.get("tax_rates") or ()
        ]
        line["tax_rates"] = rates
        line["tax_amounts"] = [_tax(rate, tax, amount) for rate, tax in tax_on(amount, rates)]
        return line
    return _of_invoice_line(account, invoice, given, where, credited)


def _of_invoice_line(
    account: Account, invoice: Object, given: dict[str, Any], where: str, credited: dict[str, int]
) -> Object:
    identifier = given.get("invoice_line_item")
    if not identifier:
        raise missing_param(f"{where}[invoice_line_item]")
    source = next((each for each in lines_of(account, invoice) if each["id"] == identifier), None)
    if source is None:
        raise missing("invoice line item", identifier, f"{where}[invoice_line_item]", status=400)
    full, units = source["amount"], source["quantity"] or 1
    quantity = given.get("quantity")
    if given.get("amount") is not None and quantity is not None:
        raise invalid(
            "You may only specify one of these parameters: amount, quantity.", param=f"{where}[quantity]"
        )
    if quantity is not None and not 1 <= quantity <= units:
        raise invalid(f"The line has a quantity of {units}.", param=f"{where}[quantity]")
    amount = given.get("amount")
    if amount is None:
        amount = full if quantity is None else round_half_up(Decimal(full) * quantity / units)
    left = full - credited.get(identifier, 0)
    if not 0 < amount <= left:
        raise invalid(
            f"The amount to credit ({amount}) is greater than what is left of the line ({left}).",
            param=f"{where}[amount]" if given.get("amount") is not None else f"{where}[quantity]",
        )
    credited[identifier] = credited.get(identifier, 0) + amount

    def part(of: int) -> int:
        return round_half_up(Decimal(of) * amount / full)

    line = _new(
        account,
        "invoice_line_item",
        amount,
        source["description"],
        quantity or units,
        source["unit_amount_excluding_tax"],
    )
    line["invoice_line_item"] = identifier
    line["discount_amounts"] = [
        {"amount": part(each["amount"]), "discount": each["discount"]} for each in source["discount_amounts"]
    ]
    line["discount_amount"] = sum(each["amount"] for each in line["discount_amounts"])
    line["pretax_credit_amounts"] = [
        {**each, "amount": part(each["amount"])} for each in source["pretax_credit_amounts"]
    ]
    line["tax_rates"] = source["tax_rates"] or invoice["default_tax_rates"]
    line["tax_amounts"] = [
        {**each, "amount": part(each["amount"]), "taxable_amount": part(each["taxable_amount"])}
        for each in source["tax_amounts"]
    ]
    return line


def _tax(rate: Object, amount: int, taxable: int) -> Object:
    return {
        "amount": amount, "inclusive": rate["inclusive"], "tax_rate": rate["id"], "taxability_reason": None,
        "taxable_amount": taxable,
    }  # fmt: skip


def _new(
    account: Account, kind: str, amount: int, text: str | None, quantity: int, unit: str | None
) -> Object:
    whole = unit is not None and Decimal(unit) == Decimal(unit).to_integral_value()
    line: Object = {
        "id": account.new_id("cnli"), "object": "credit_note_line_item", "amount": amount,
        "amount_excluding_tax": amount, "description": text, "discount_amount": 0, "discount_amounts": [],
        "livemode": False, "pretax_credit_amounts": [], "quantity": quantity, "tax_amounts": [],
        "tax_rates": [], "type": kind,
        "unit_amount": int(Decimal(unit)) if unit is not None and whole else None,
        "unit_amount_decimal": unit, "unit_amount_excluding_tax": unit,
    }  # fmt: skip
    return line


def sums(lines: list[Object]) -> Object:
    """What the lines come to."""
    subtotal = sum(line["amount"] for line in lines)
    off = sum(line["discount_amount"] for line in lines)
    credited = [
        each for line in lines for each in line["pretax_credit_amounts"] if each["credit_balance_transaction"]
    ]
    discounts: dict[str, int] = {}
    taxes: dict[tuple[str, bool], Object] = {}
    for line in lines:
        for each in line["discount_amounts"]:
            discounts[each["discount"]] = discounts.get(each["discount"], 0) + each["amount"]
        for each in line["tax_amounts"]:
            known = taxes.setdefault(
                (each["tax_rate"], each["inclusive"]), {**each, "amount": 0, "taxable_amount": 0}
            )
            known["amount"] += each["amount"]
            known["taxable_amount"] += each["taxable_amount"]
    on_top = sum(each["amount"] for each in taxes.values() if not each["inclusive"])
    inside = sum(each["amount"] for each in taxes.values() if each["inclusive"])
    total = subtotal - off - sum(each["amount"] for each in credited) + on_top
    return {
        "amount": total, "discount_amount": off,
        "discount_amounts": [{"amount": amount, "discount": name} for name, amount in discounts.items()],
        "pretax_credit_amounts": summed_credits(lines),
        "subtotal": subtotal, "subtotal_excluding_tax": subtotal - inside,
        "tax_amounts": list(taxes.values()), "total": total,
        "total_excluding_tax": total - on_top - inside,
    }  # fmt: skip
