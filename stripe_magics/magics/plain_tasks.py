"""What people want to do, in their own words, and the line that does it: for the search of the start card.

`%stripe find` knows commands and fields by Stripe's words; "who owes us" has none of them.
"""

from __future__ import annotations

from stripe_magics.magics.catalogue_search import words_of

TASKS: tuple[tuple[str, str, str], ...] = (
    ("who owes us money, owed, outstanding, unpaid invoices, overdue, past due, debtors",
        "report ar_ageing --form", "Unpaid invoices by age"),
    ("who owes us money, owed, outstanding, unpaid invoices, open invoices",
        "invoices list --status open", "Open invoices"),
    ("give money back, return money, reimburse, pay back, refund a payment",
        "refunds create", "Give money back"),
    ("chargeback, disputes that need an answer, fraud claim, send evidence",
        "disputes list", "Disputes"),
    ("chargeback, send evidence, answer a dispute", "disputes update", "Send evidence for a dispute"),
    ("what needs doing today, to do, overview, dashboard, what happened", "today", "Today"),
    ("find a customer, look up a customer, who is", "customers search", "Find a customer"),
    ("send a bill, bill somebody, new invoice, charge a customer later", "invoices create", "New invoice"),
    ("get paid, take a payment, charge a card", "payment_intents create", "Take a payment"),
    ("failed payments, declined payments, who could not pay", "payment_intents search", "Search payments"),
    ("when do we get our money, payouts, bank transfers to us", "payouts list", "Payouts"),
    ("how much money do we have, balance, available funds", "balance retrieve", "Balance"),
    ("what does stripe cost, fees, charges by stripe", "report fee_items --form", "Every fee"),
    ("recurring revenue, monthly revenue, mrr, growth, churn", "report mrr --form", "Recurring revenue"),
    ("close the month, month end, bookkeeping, journal entries, accountant", "close --form", "Close a month"),
    ("end a subscription, stop a subscription, cancel a subscription", "subscriptions cancel",
        "Cancel a subscription"),
    ("stop a payment, void an authorization, release a hold", "payment_intents cancel", "Cancel a payment"),
    ("finish a payment, capture a hold, take held money", "payment_intents capture", "Capture a payment"),
    ("watch what happens, events as they come, notify me", "events watch", "Watch events"),
)  # fmt: skip
"""Words, the line, its title: the most usual first."""

_SMALL = frozenset(
    words_of("a an and are by do does how i is it me my of our that the to us want we what when which")
)


def tasks_for(text: str) -> list[tuple[str, str]]:
    """(line, title) of each task that has all of the words that say something; the small ones don't."""
    asked = set(words_of(text)) - _SMALL
    return [(line, title) for words, line, title in TASKS if asked and asked <= set(words_of(words))]
