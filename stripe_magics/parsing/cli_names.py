"""Names of Stripe's command line tool that mean one operation or another by the ids that follow, or that no
operation here has.

`bank_accounts delete cus_... ba_...` is a customer's, `bank_accounts delete acct_... ba_...` a connected
account's; `tax_ids create` is the account's own, `tax_ids create cus_...` a customer's.
"""

from __future__ import annotations

from collections.abc import Sequence

SAME = {
    "accounts.capabilities": "capabilities.list",
    "customers.balance_transactions": "customer_balance_transactions.list",
    "customers.sources": "payment_sources.list",
    "sources.source_transactions": "sources.list_source_transactions",
    "subscription_items.usage_record_summaries": "subscription_items.list_usage_record_summaries",
    "usage_records.create": "subscription_items.create_usage_record",
    "usage_record_summaries.list": "subscription_items.list_usage_record_summaries",
    "line_items.list": "invoices.list_lines",
    "line_items.update": "invoice_line_items.update",
    "payment_intent_amount_details_line_items.list": "payment_intents.list_amount_details_line_items",
    "customers.fund_cash_balance": "test_helpers.customers.fund_cash_balance",
}
"""Name -> the name that it has here."""

_OF_SOMEBODY = {
    "bank_accounts": {"cus": "payment_sources", "acct": "external_accounts", "": "external_accounts"},
    "cards": {"cus": "payment_sources", "acct": "external_accounts", "": "external_accounts"},
    "tax_ids": {"cus": "customers.tax_ids"},
}
"""Resource -> the prefix of the id that follows -> the resource that is meant."""

WITHOUT_ID = {"accounts.retrieve": "accounts.retrieve_current"}
"""Operations that mean another one where no id follows."""

PATHS = {"events.resend": ("POST", "/v1/events/{}/retry"), "files.contents": ("GET", "/v1/files/{}/contents")}
"""Operations that are in no list of facts (Stripe does not publish them, or they give a file) -> method and
path."""


def meant(name: str, ids: Sequence[str]) -> str:
    """The name that is meant by a name and the words without a flag that follow it; the same name where
    nothing speaks against it."""
    if name in SAME:
        return SAME[name]
    if name in WITHOUT_ID and not ids:
        return WITHOUT_ID[name]
    resource, _, action = name.rpartition(".")
    owners = _OF_SOMEBODY.get(resource)
    if owners is None:
        return name
    if name == "bank_accounts.verify":
        return "payment_sources.verify"
    prefix = ids[0].partition("_")[0] if ids else ""
    owner = owners.get(prefix, owners.get(""))
    return f"{owner}.{action}" if owner else name
