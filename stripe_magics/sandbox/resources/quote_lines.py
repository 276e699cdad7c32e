"""The lines of a quote and its sums: what is paid at once, and what recurs."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid, missing_param
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import discounts
from stripe_magics.sandbox.resources.invoices.totals import compute_totals, tax_entries
from stripe_magics.sandbox.resources.price_objects import (
    amount_of,
    build_price,
    check_price,
    named_price,
    not_below,
)
from stripe_magics.sandbox.resources.subscriptions.items import check_together


def lines_given(account: Account, given: list[dict[str, Any]]) -> list[Object]:
    found = []
    for place, each in enumerate(given):
        where = f"line_items[{place}]"
        if each.get("price") and each.get("price_data"):
            raise invalid(
                "You may only specify one of these parameters: price, price_data.",
                param=f"{where}[price_data]",
            )
        if each.get("price"):
            price = named_price(account, each["price"], f"{where}[price]")
        elif each.get("price_data"):
            data = each["price_data"]
            if not data.get("product"):
                raise missing_param(f"{where}[price_data][product]")
            product = account.find("product", data["product"], f"{where}[price_data][product]")
            check_price(account, data)
            price = account.add(
                "price",
                build_price(
                    account,
                    {**data, "currency": checked_currency(data["currency"])},
                    product["id"],
                    active=False,
                ),
            )
        else:
            raise missing_param(f"{where}[price]")
        quantity = each.get("quantity", 1)
        if quantity < 0:
            raise not_below(0, f"{where}[quantity]")
        found.append(
            {
                "id": account.new_id("li"), "object": "item", "amount_discount": 0,
                "amount_subtotal": amount_of(account, price, quantity), "amount_tax": 0, "amount_total": 0,
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


def compute(account: Account, quote: Object, lines: list[Object]) -> None:
    """Sums: what is paid at once, and what recurs."""
    account.link_lines[quote["id"]] = lines
    quote["currency"] = lines[0]["currency"] if lines else None
    given = account.private_state.get(quote["id"], {}).get("discounts", [])
    standing = [
        {
            "id": f"quoted{place}",
            "coupon": discounts.redeemable(account, each, param="discounts", customer=quote["customer"])[0],
        }
        for place, each in enumerate(given)
    ]
    rates = [account.find("tax_rate", each, "default_tax_rates") for each in quote["default_tax_rates"]]
    working = [
        {
            "id": line["id"], "amount": line["amount_subtotal"], "discountable": True, "discounts": [],
            "price": line["price"], "quantity": line["quantity"], "tax_rates": line["tax_rates"],
        }
        for line in lines
    ]  # fmt: skip
    exempt = (account.peek("customer", quote["customer"] or "") or {}).get("tax_exempt", "none")
    sums = compute_totals(
        working, {}, standing, lambda line, rest: tax_entries(rest, line["tax_rates"] or rates, exempt),
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
