"""Credits on invoices: when an invoice becomes final, what is left of its customer's grants pays for its
metered lines, after discounts and before taxes.

Grants are used in this order: priority, the one that expires sooner, promotional before paid, the one that
took effect earlier, the older one.
"""

from __future__ import annotations

from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.billing_credits import credit_balance, credit_grants
from stripe_magics.sandbox.resources.invoices import drafts
from stripe_magics.sandbox.resources.invoices.lines import lines_of

_NEVER = 1 << 40


def apply(account: Account, invoice: Object) -> None:
    """Use credits for an invoice that is about to be final."""
    if not account.table(credit_balance.GRANT).rows:
        return
    rests = {line["id"]: (line, _rest(line)) for line in lines_of(account, invoice) if _metered(line)}
    used: dict[str, list[tuple[str, int]]] = {}
    for grant in _in_order(account, invoice):
        left = credit_balance.left_of(account, grant)
        for name, (line, rest) in rests.items():
            part = min(left, rest)
            if part > 0 and credit_balance.covers(grant, line["price"]["id"]):
                where = invoice["id"], name
                made = credit_balance.post(account, grant, -part, "credits_applied", where)
                used.setdefault(name, []).append((made["id"], part))
                rests[name] = line, rest - part
                left -= part
    if used:
        account.private_state.setdefault(invoice["id"], {})["credits"] = used
        drafts.refresh(account, invoice)


def _rest(line: Object) -> int:
    return int(line["amount"] - sum(each["amount"] for each in line["discount_amounts"]))


def _metered(line: Object) -> bool:
    price = line["price"] or {}
    return line["type"] == "subscription" and bool((price.get("recurring") or {}).get("meter"))


def _in_order(account: Account, invoice: Object) -> list[Object]:
    found = [
        grant
        for grant in credit_balance.grants_of(account, invoice["customer"])
        if credit_balance.usable(account, grant)
        and grant["amount"]["monetary"]["currency"] == invoice["currency"]
    ]
    return sorted(
        found,
        key=lambda grant: (
            grant["priority"], grant["expires_at"] or _NEVER, grant["category"] != "promotional",
            grant["effective_at"],
        ),
    )  # fmt: skip


def voided(account: Account, invoice: Object) -> None:
    """What a void invoice used comes back to its grants; to one that has expired meanwhile, to expire."""
    for parts in account.private_state.get(invoice["id"], {}).get("credits", {}).values():
        for name, amount in parts:
            transaction = account.peek(credit_balance.KIND, name) or {}
            grant = account.find(credit_balance.GRANT, transaction["credit_grant"], "id")
            line = transaction["debit"]["credits_applied"]["invoice_line_item"]
            where = invoice["id"], line
            credit_balance.post(account, grant, amount, "credits_application_invoice_voided", where)
            credit_grants.expire_when_due(account, grant)


REACTIONS = {"invoice.voided": voided}
