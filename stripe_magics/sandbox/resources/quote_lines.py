"""The lines of a quote and its sums: what is paid at once, and what recurs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from stripe_magics.sandbox.api.errors import invalid, missing_param
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import automatic_tax, discounts, tax_settings
from stripe_magics.sandbox.resources.connect import parties
from stripe_magics.sandbox.resources.invoices.totals import compute_totals, tax_entries
from stripe_magics.sandbox.resources.price_objects import add_made_price, amount_of, check_price, named_price
from stripe_magics.sandbox.resources.subscriptions.items import check_quantity, check_together, metered


def lines_given(account: Account, given: list[dict[str, Any]], kept: Collection[Object] = ()) -> list[Object]:
    """The lines asked for; one of those `kept` is named by its id, and what isn't said of it stays."""
    found = []
    known = {line["id"]: line for line in kept}
    for place, asked in enumerate(given):
        where = f"line_items[{place}]"
        former = known.get(asked.get("id") or "")
        if asked.get("id") and former is None:
            raise invalid(
                f"No such line item: '{asked['id']}'", param=f"{where}[id]", code="resource_missing"
            )
        each = {**_said(former), **asked} if former else asked
        if each.get("price") and each.get("price_data"):
            raise invalid(
                "You may only specify one of these parameters: price, price_data.",
                param=f"{where}[price_data]",
            )
        if former and not (asked.get("price") or asked.get("price_data")):
            price = account.find("price", former["price"]["id"], f"{where}[price]")
        elif each.get("price"):
            price = named_price(account, each["price"], f"{where}[price]")
        elif each.get("price_data"):
            data = each["price_data"]
            if not data.get("product"):
                raise missing_param(f"{where}[price_data][product]")
            product = account.find("product", data["product"], f"{where}[price_data][product]")
            check_price(account, data)
            price = add_made_price(account, data, product["id"])
        else:
            raise missing_param(f"{where}[price]")
        check_quantity(price, asked.get("quantity"), where)
        discounts.check(account, each.get("discounts"), f"{where}[discounts]", None)
        quantity = None if metered(price) else each.get("quantity") or 1
        found.append(
            {
                "id": former["id"] if former else account.new_id("li"), "object": "item",
                "amount_discount": 0,
                "amount_subtotal": 0 if quantity is None else amount_of(account, price, quantity),
                "amount_tax": 0, "amount_total": 0,
                "currency": price["currency"],
                "description": (account.peek("product", price["product"]) or {}).get("name"),
                "price": events.snapshot(price), "quantity": quantity,
                "tax_rates": [account.find("tax_rate", rate,
                    f"{where}[tax_rates]") for rate in each.get("tax_rates") or ()],
                "discounts": each.get("discounts") or [],
            }
        )  # fmt: skip
    recurring = [line["price"] for line in found if line["price"]["recurring"]]
    if recurring:
        check_together(recurring, "line_items")
    if len({line["currency"] for line in found}) > 1:
        raise invalid("All prices of a quote must have one currency.", param="line_items")
    return found


def _said(line: Object) -> dict[str, Any]:
    """A line as it was given."""
    return {
        "quantity": line["quantity"], "tax_rates": [rate["id"] for rate in line["tax_rates"]],
        "discounts": line["discounts"],
    }  # fmt: skip


def compute(account: Account, quote: Object, lines: list[Object]) -> None:
    """Sums: what is paid at once, and what recurs."""
    account.link_lines[quote["id"]] = lines
    quote["currency"] = lines[0]["currency"] if lines else None
    given = account.private_state.get(quote["id"], {}).get("discounts", [])
    standing = _standing(account, quote, given, "quoted")
    own = {line["id"]: _standing(account, quote, line["discounts"], line["id"]) for line in lines}
    rates = [account.find("tax_rate", each, "default_tax_rates") for each in quote["default_tax_rates"]]
    working = [
        {
            "id": line["id"], "amount": line["amount_subtotal"], "discountable": True, "discounts": [],
            "price": line["price"], "quantity": line["quantity"], "tax_rates": line["tax_rates"],
        }
        for line in lines
    ]  # fmt: skip
    customer = account.peek("customer", quote["customer"] or "") or {}
    exempt, here = _place(account, quote, customer)

    def taxes_of(line: Object, rest: int) -> list[Object]:
        found = line["tax_rates"] or rates
        if here and not found:
            behavior = line["price"].get("tax_behavior")
            inclusive = tax_settings.inclusive(account, behavior, quote["currency"])
            rate = automatic_tax.rate_for(account, here, inclusive=inclusive)
            found = [rate] if rate else []
        return tax_entries(rest, found, exempt)

    sums = compute_totals(
        working, own, standing, taxes_of,
        eligible=discounts.Eligibility(account), currency=quote["currency"] or "usd",
    )  # fmt: skip
    for line, worked in zip(lines, working, strict=True):
        off = sum(each["amount"] for each in worked["discount_amounts"])
        tax = sum(each["amount"] for each in worked["tax_amounts"])
        outside = sum(each["amount"] for each in worked["tax_amounts"] if not each["inclusive"])
        line.update(amount_discount=off, amount_tax=tax, amount_total=line["amount_subtotal"] - off + outside)
    off = sum(line["amount_discount"] for line in lines)
    quote.update(
        amount_subtotal=sum(line["amount_subtotal"] for line in lines), amount_total=sums["total"],
        total_details={"amount_discount": off, "amount_shipping": 0, "amount_tax": sums["tax"] or 0},
    )  # fmt: skip
    recurring = [line for line in lines if line["price"]["recurring"]]
    quote["computed"] = {
        "recurring": {
            **_part(recurring), "interval": recurring[0]["price"]["recurring"]["interval"],
            "interval_count": recurring[0]["price"]["recurring"]["interval_count"],
        } if recurring else None,
        "upfront": _part(lines),
    }  # fmt: skip
    account.save("quote", quote)


def _standing(account: Account, quote: Object, given: list[Object], name: str) -> list[Object]:
    """Discounts as they count, before they are redeemed."""
    return [
        {
            "id": f"{name}_{place}",
            "coupon": discounts.redeemable(account, each, param="discounts", customer=quote["customer"])[0],
        }
        for place, each in enumerate(given)
    ]


def _place(account: Account, quote: Object, customer: Object) -> tuple[str, Object | None]:
    """Whether the customer is exempt, and the address whose automatic tax is due; None where none is."""
    exempt, automatic = customer.get("tax_exempt") or "none", quote["automatic_tax"]
    if not automatic["enabled"]:
        automatic["status"] = None
        return exempt, None
    address = customer.get("address")
    known = automatic_tax.located(address)
    automatic["status"] = "complete" if known else "requires_location_inputs"
    numbers = [account.peek("tax_id", each) for each in account.where("tax_id", customer=customer.get("id"))]
    liable = parties.liable(account, automatic)
    if exempt == "none" and automatic_tax.reverse_charged(liable, address, [e for e in numbers if e]):
        exempt = "reverse"
    return exempt, address if known else None


def _part(lines: list[Object]) -> Object:
    return {
        "amount_subtotal": sum(line["amount_subtotal"] for line in lines),
        "amount_total": sum(line["amount_total"] for line in lines),
        "total_details": {
            "amount_discount": sum(line["amount_discount"] for line in lines), "amount_shipping": 0,
            "amount_tax": sum(line["amount_tax"] for line in lines),
        },
    }  # fmt: skip


def shown_line(line: Object) -> Object:
    return {name: value for name, value in line.items() if name not in {"tax_rates", "discounts"}}
