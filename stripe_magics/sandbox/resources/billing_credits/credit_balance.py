"""What is left of credit grants: each change is a transaction, and a grant's balance is their sum."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import missing_param
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object

GRANT, KIND = "billing.credit_grant", "billing.credit_balance_transaction"


def post(account: Account, grant: Object, amount: int, reason: str, line: tuple[str, str] | None) -> Object:
    """Change a grant's balance: a debit is negative. `line` is the invoice and its line that the credit was
    for."""
    money = {"monetary": {"currency": _money(grant)["currency"], "value": abs(amount)}, "type": "monetary"}
    named = line and {"invoice": line[0], "invoice_line_item": line[1]}
    credit = debit = None
    if amount > 0:
        credit = {
            "amount": money, "credits_application_invoice_voided": named, "type": reason,
        }  # fmt: skip
    else:
        debit = {"amount": money, "credits_applied": named, "type": reason}
    transaction = {
        "id": account.new_id("cbtxn_test"),
        "object": KIND,
        "created": account.now,
        "credit": credit,
        "credit_grant": grant["id"],
        "debit": debit,
        "effective_at": max(account.now, grant["effective_at"]),
        "livemode": False,
        "test_clock": None,
        "type": "credit" if credit else "debit",
    }
    account.add(KIND, transaction)
    events.emit(account, f"{KIND}.created", transaction)
    return transaction


def _money(grant: Object) -> Object:
    found: Object = grant["amount"]["monetary"]
    return found


def amount_of(transaction: Object) -> int:
    """What a transaction changed: negative for a debit."""
    part = transaction["credit"] or transaction["debit"]
    value = int(part["amount"]["monetary"]["value"])
    return value if transaction["credit"] else -value


def transactions_of(account: Account, grant: str) -> list[Object]:
    """The transactions of a grant, oldest first, to look at only."""
    found = (account.peek(KIND, each) for each in account.where(KIND, credit_grant=grant))
    return [each for each in found if each is not None]


def left_of(account: Account, grant: Object) -> int:
    """What is left of a grant, whether it can be used now or not."""
    return sum(amount_of(each) for each in transactions_of(account, grant["id"]))


def usable(account: Account, grant: Object) -> bool:
    """Whether a grant can be used now."""
    ended = grant["voided_at"] or (grant["expires_at"] or account.now + 1) <= account.now
    return not ended and bool(grant["effective_at"] <= account.now)


def grants_of(account: Account, customer: str) -> list[Object]:
    """A customer's grants, oldest first, to look at only."""
    found = (account.peek(GRANT, each) for each in account.where(GRANT, customer=customer))
    return [each for each in found if each is not None]


def covers(grant: Object, price: str) -> bool:
    """Whether a grant is for a price that is metered."""
    scope = grant["applicability_config"]["scope"]
    return bool(scope.get("price_type")) or any(each["id"] == price for each in scope["prices"])


def summary(account: Account, params: dict[str, Any]) -> Object:
    """GET /v1/billing/credit_balance_summary."""
    if not params.get("customer"):
        raise missing_param("customer")
    customer = account.find("customer", params["customer"], "customer")["id"]
    given = params["filter"]
    named = given["type"]
    if not given.get(named):
        raise missing_param(f"filter[{named}]")
    grants = grants_of(account, customer)
    if named == "credit_grant":
        one = account.find(GRANT, given["credit_grant"], "filter[credit_grant]", what="credit grant")["id"]
        grants = [each for each in grants if each["id"] == one]
    else:
        prices = [each["id"] for each in given["applicability_scope"].get("prices") or ()]
        if prices:
            grants = [each for each in grants if any(covers(each, price) for price in prices)]
    sums: dict[str, list[int]] = {}
    for each in grants:
        left = left_of(account, each)
        totals = sums.setdefault(_money(each)["currency"], [0, 0])
        totals[0] += left if usable(account, each) else 0
        totals[1] += left
    return {
        "object": "billing.credit_balance_summary",
        "balances": [
            {
                name: {"monetary": {"currency": currency, "value": total}, "type": "monetary"}
                for name, total in zip(("available_balance", "ledger_balance"), totals, strict=True)
            }
            for currency, totals in sums.items()
        ],
        "customer": customer,
        "livemode": False,
    }


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/billing/credit_balance_transactions."""
    if not params.get("customer"):
        raise missing_param("customer")
    account.find("customer", params["customer"], "customer")
    own = {each["id"] for each in grants_of(account, params["customer"])}
    if params.get("credit_grant"):
        account.find(GRANT, params["credit_grant"], "credit_grant", what="credit grant")
        own &= {params["credit_grant"]}
    return page(
        account, KIND, params, "/v1/billing/credit_balance_transactions",
        tests=[lambda row: row.value["credit_grant"] in own],
    )  # fmt: skip


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/billing/credit_balance_transactions/{id}."""
    return account.find(KIND, identifier, "id", what="credit balance transaction", status=404)


ROUTES: dict[str, Handler] = {
    "GET /v1/billing/credit_balance_summary": summary,
    "GET /v1/billing/credit_balance_transactions": listing,
    "GET /v1/billing/credit_balance_transactions/{id}": retrieve,
}
