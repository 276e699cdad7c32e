"""What stands behind the links of invoices and credit notes: whoever has the link gets the PDF, without a
key."""

from __future__ import annotations

import re

from stripe_magics import money
from stripe_magics.sandbox.api.dispatcher import Response
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.invoices.lines import lines_of
from stripe_magics.sandbox.resources.pdf_page import pdf_page

_LINK = re.compile(r"/(invoice|credit_notes)/(acct_\w+)/\w+/pdf")
_KINDS = {
    "invoice": ("invoice", "invoice_pdf", "Invoice"),
    "credit_notes": ("credit_note", "pdf", "Credit note"),
}
"""By the first word of the path: the type, the field with the link, the title."""


def linked_pdf(account: Account, method: str, path: str) -> Response | None:
    """The answer to a link's request; None for every other request."""
    found = _LINK.fullmatch(path)
    if found is None or method != "GET":
        return None
    kind, field, title = _KINDS[found[1]]
    for owner in account.family.accounts():
        if owner.profile["id"] == found[2]:
            for each in owner.each(kind):
                if (each.get(field) or "").endswith(path):
                    return Response(
                        200, {"content-type": "application/pdf"}, pdf_page(_rows(owner, each, title))
                    )
    return Response(404, {"content-type": "text/html"}, b"<html>Not found</html>")


def _rows(account: Account, shown: Object, title: str) -> list[str]:
    lines = lines_of(account, shown) if title == "Invoice" else shown["lines"]["data"]
    return [
        f"{title} {shown['number']}",
        *(
            f"{each['description']}: {money.format_amount(each['amount'], shown['currency'])}"
            for each in lines
        ),
        f"Total: {money.format_amount(shown['total'], shown['currency'])}",
    ]
