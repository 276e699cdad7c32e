"""The lines of a draft by themselves: added, changed, removed. Those that come from items change their
items."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.invoices import drafts, invoice_items, line_taxes
from stripe_magics.sandbox.resources.invoices.invoices import retrieve
from stripe_magics.sandbox.resources.invoices.lines import line_of, lines_of

_OF_ITEM = (
    "amount",
    "description",
    "discountable",
    "discounts",
    "metadata",
    "period",
    "price",
    "price_data",
    "quantity",
    "tax_rates",
)


def _draft(account: Account, identifier: str) -> Object:
    invoice = retrieve(account, {}, identifier)
    if invoice["status"] != "draft":
        raise invalid("Only the lines of a draft can be changed.", code="invoice_not_editable")
    return invoice


def _line(account: Account, invoice: Object, identifier: str, param: str) -> Object:
    for line in lines_of(account, invoice):
        if line["id"] == identifier:
            return line
    raise missing("invoice line item", identifier, param, status=404 if param == "line_item_id" else 400)


def _change(account: Account, invoice: Object, line: Object, given: dict[str, Any]) -> None:
    if line["type"] == "subscription":
        frozen = sorted(set(given) & {"amount", "price", "price_data", "quantity", "period"})
        if frozen:
            raise invalid(
                "The amount, period and price of a line that a subscription made can't be changed.",
                param=frozen[0],
            )
        for own in account.private_state[invoice["id"]]["lines"]:
            if own["id"] == line["id"]:
                if "metadata" in given:
                    own["metadata"] = merged_metadata(own["metadata"], given["metadata"])
                for name in ("description", "discountable"):
                    if given.get(name) is not None:
                        own[name] = given[name]
                if "tax_rates" in given:
                    own["tax_rates"] = [
                        events.snapshot(account.find("tax_rate", each, "tax_rates"))
                        for each in given["tax_rates"] or ()
                    ]
                if "discounts" in given:
                    raise invalid(
                        "The sandbox doesn't simulate discounts of lines that a subscription made.",
                        param="discounts",
                    )
        drafts.refresh(account, invoice)
        return
    invoice_items.update(account, given, line["invoice_item"])


def update_line(account: Account, params: dict[str, Any], identifier: str, line_id: str) -> Object:
    """POST /v1/invoices/{invoice}/lines/{line_item_id}."""
    invoice = _draft(account, identifier)
    if "tax_amounts" in params:
        line_taxes.give(account, line_id, params["tax_amounts"], "tax_amounts")
    _change(
        account,
        invoice,
        _line(account, invoice, line_id, "line_item_id"),
        {name: params[name] for name in _OF_ITEM if name in params},
    )
    return _line(account, _draft(account, identifier), line_id, "line_item_id")


def add_lines(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}/add_lines."""
    invoice = _draft(account, identifier)
    for place, each in enumerate(params["lines"]):
        if each.get("invoice_item"):
            item = account.find("invoiceitem", each["invoice_item"], f"lines[{place}][invoice_item]")
            if item["invoice"] is not None or item["customer"] != invoice["customer"]:
                raise invalid(
                    "The item isn't a pending one of this customer.", param=f"lines[{place}][invoice_item]"
                )
            item["invoice"] = identifier
            account.save("invoiceitem", item)
            _give_taxes(account, invoice, item, each, place)
            continue
        data = {name: each[name] for name in _OF_ITEM if each.get(name) is not None}
        if "amount" in data:
            data["currency"] = invoice["currency"]
        made = invoice_items.create(account, {**data, "customer": invoice["customer"], "invoice": identifier})
        _give_taxes(account, invoice, made, each, place)
    return _finished(account, identifier, params)


def _give_taxes(account: Account, invoice: Object, item: Object, given: dict[str, Any], place: int) -> None:
    if given.get("tax_amounts"):
        line = line_of(account, item, invoice["id"])["id"]
        line_taxes.give(account, line, given["tax_amounts"], f"lines[{place}][tax_amounts]")


def update_lines(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}/update_lines."""
    for place, each in enumerate(params["lines"]):
        invoice = _draft(account, identifier)
        line = _line(account, invoice, each["id"], f"lines[{place}][id]")
        if "tax_amounts" in each:
            line_taxes.give(account, line["id"], each["tax_amounts"], f"lines[{place}][tax_amounts]")
        _change(account, invoice, line, {name: each[name] for name in _OF_ITEM if name in each})
    return _finished(account, identifier, params)


def remove_lines(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}/remove_lines: deleted, or pending again."""
    for place, each in enumerate(params["lines"]):
        invoice = _draft(account, identifier)
        line = _line(account, invoice, each["id"], f"lines[{place}][id]")
        if line["type"] == "subscription":
            raise invalid("A line that a subscription made can't be removed.", param=f"lines[{place}][id]")
        if each["behavior"] == "delete":
            invoice_items.delete(account, {}, line["invoice_item"])
        else:
            item = account.find("invoiceitem", line["invoice_item"], "lines")
            item["invoice"] = None
            account.save("invoiceitem", item)
            before = events.snapshot(invoice)
            drafts.refresh(account, invoice)
            events.emit(account, "invoice.updated", invoice, before)
    return _finished(account, identifier, params)


def _finished(account: Account, identifier: str, params: dict[str, Any]) -> Object:
    invoice = _draft(account, identifier)
    before = events.snapshot(invoice)
    if "invoice_metadata" in params:
        invoice["metadata"] = merged_metadata(invoice["metadata"], params["invoice_metadata"])
    drafts.refresh(account, invoice)
    events.emit(account, "invoice.updated", invoice, before)
    return invoice


ROUTES: dict[str, Handler] = {
    "POST /v1/invoices/{invoice}/lines/{line_item_id}": update_line,
    "POST /v1/invoices/{invoice}/add_lines": add_lines,
    "POST /v1/invoices/{invoice}/update_lines": update_lines,
    "POST /v1/invoices/{invoice}/remove_lines": remove_lines,
}
