"""The options of reports: what each may be, what it is unless given, and what it means.

Light: completion, help and forms ask it without pandas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from stripe_magics.finance.mrr_methods import METHODS

PeriodUse = Literal["needed", "all", "months", "at", "none"]
"""What a report does with a period: one is needed; all there is without one; the last twelve closed months;
its end (else now); refused."""


@dataclass(frozen=True, slots=True)
class ReportOption:
    """An option of a report: what it may be, what it is unless given, and what it means."""

    default: Any
    help: str
    choices: tuple[str, ...] = ()


SALES = ("all", "send_invoice")
DISCOUNTS = ("forever", "all", "none")
SPREADS = ("ms", "day", "month")
PAYOUT_DATES = ("created", "arrival")
RETENTION_METHODS = ("active", "survival")

SALES_OPTION = ReportOption("all", "which invoices are sales: all, or only those that are sent", SALES)
DISCOUNTED = ReportOption("forever", "which coupons lower MRR", DISCOUNTS)
HISTORY = ReportOption(
    "events",
    "what says how subscriptions were: the lines of invoices alone, or of the last 30 days events too",
    ("events", "lines"),
)
OF_MRR = {"discounts": DISCOUNTED, "history": HISTORY}
SPREAD = ReportOption("ms", "how a line is spread over its period", SPREADS)
BY_PAYOUT = ReportOption("arrival", "the date that payouts count by", PAYOUT_DATES)
BY_CREATED = ReportOption("created", "the date that payouts count by", PAYOUT_DATES)
BY_WHOM = ReportOption("customer", "a row a customer or a row an invoice", ("customer", "invoice"))
BY_MRR = ReportOption("mrr", "by MRR, or by payments", ("mrr", "payments"))
RETENTION = ReportOption("active", "active at that age, or without a gap until then", RETENTION_METHODS)
DEFINITIONS = ReportOption("chartmogul", "whose definitions", tuple(METHODS))
HOME = ReportOption("", "the firm's country (two letters); the account's unless given")
MEMBERS = ReportOption(
    "auto",
    "where the members of payouts come from: a request a payout, one report of Stripe's own, or whichever is"
    " fewer requests",
    ("auto", "requests", "report"),
)
PROVE = ReportOption(
    default=False,
    help="true reads the whole ledger and proves the start; it is worked out backwards otherwise",
    choices=("true", "false"),
)
