"""The reports by name, as they are declared: what each says, the period and options it takes, its formula and
source.

How a report is made stands in `finance/reports.py`. What is here needs no pandas, so that completion, help
and forms can ask it at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from stripe_magics.catalogue.mrr_methods import METHODS

PeriodUse = Literal["needed", "all", "months", "at", "none"]
"""What a report does with a period: one is needed; all there is without one; the last twelve closed months;
its end (else now); refused."""


@dataclass(frozen=True, slots=True)
class ReportOption:
    """An option of a report: what it may be, what it is unless given, and what it means."""

    default: Any
    help: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportDeclaration:
    """What is known of a report without making it: one line on what it says, and what it takes."""

    title: str
    period: PeriodUse = "needed"
    options: Mapping[str, ReportOption] = field(default_factory=dict)
    formula: str = ""
    source: str = ""


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
RETURNS = "docs.stripe.com/tax/reports"
BALANCE = "docs.stripe.com/reports/balance"
ANALYTICS = "docs.stripe.com/billing/subscriptions/analytics"

REPORTS: dict[str, ReportDeclaration] = {
    "balance_activity": ReportDeclaration(
        "What moved the balance, by category", formula="net = gross - fee", source=BALANCE,
    ),
    "balance_summary": ReportDeclaration(
        "Start + activity + payouts = end, against the balance",
        options={"prove": PROVE, "by": BY_CREATED},
        formula="residual = end - (start + activity + payouts)", source=BALANCE,
    ),
    "daily_balance": ReportDeclaration(
        "Sales, refunds, fees, payouts and balance, day by day", options={"by": BY_CREATED},
        source=BALANCE,
    ),
    "payout_reconciliation": ReportDeclaration(
        "What each payout settled, proved to the cent", "all",
        options={"by": BY_PAYOUT, "members": MEMBERS},
        formula="residual = amount - net of its transactions",
        source="docs.stripe.com/reports/payout-reconciliation",
    ),
    "payout_items": ReportDeclaration(
        "The transactions in each payout", "all", options={"by": BY_PAYOUT, "members": MEMBERS},
    ),
    "payout_status": ReportDeclaration("How each payout ended", "all", options={"by": BY_PAYOUT}),
    "ending_balance": ReportDeclaration(
        "The transactions that make up the balance at a date", "at", options={"members": MEMBERS},
        source="docs.stripe.com/reports/payout-reconciliation (ending balance)",
    ),
    "fees": ReportDeclaration(
        "What Stripe cost, by kind of fee", "all", formula="effective_rate = cost / gross charges",
    ),
    "fee_items": ReportDeclaration("Every fee, one a row", "all"),
    "volume": ReportDeclaration(
        "From gross to net volume", "all",
        formula="net = gross + refunds + disputes + fees + transfers + other",
    ),
    "refund_rate": ReportDeclaration(
        "Refunds over payments, by activity and by cohort", formula="rate = refunds / payments",
    ),
    "dispute_rate": ReportDeclaration(
        "Disputes over payments, won, lost, open", formula="rate = disputes / payments",
        source="docs.stripe.com/disputes/measuring",
    ),
    "failed_payments": ReportDeclaration(
        "Declines by reason, and what was recovered", "all",
        source="docs.stripe.com/billing/revenue-recovery/recovery-analytics",
    ),
    "fx_effect": ReportDeclaration(
        "Exchange gains and losses on refunds and disputes", "all",
        formula="gain = returned - returned x rate_in / rate_out",
    ),
    "ar_ageing": ReportDeclaration(
        "Who owes what, since when", "at",
        options={"by": BY_WHOM, "sales": SALES_OPTION},
        source="docs.stripe.com/revenue-recognition/reports/accounts-receivable-aging",
    ),
    "dso": ReportDeclaration(
        "Days sales outstanding", options={"sales": SALES_OPTION}, formula="dso = receivables / sales x days",
    ),
    "collections": ReportDeclaration(
        "Collection effectiveness and days to pay", options={"sales": SALES_OPTION},
        formula="cei = (begin + sales - end_total) / (begin + sales - end_current) x 100",
    ),
    "tax_collected": ReportDeclaration("Tax by document and rate", source=RETURNS),
    "tax_summary": ReportDeclaration(
        "Tax by country and rate, for VAT and OSS returns", options={"home": HOME}, source=RETURNS,
    ),
    "customer_value": ReportDeclaration(
        "What each customer brought in", "all", formula="net = gross + refunds + disputes + fees",
    ),
    "concentration": ReportDeclaration(
        "How much depends on a few customers", "all", formula="hhi = sum of (share x 100) squared",
    ),
    "ltv": ReportDeclaration(
        "Lifetime value: ARPU over churn", "months",
        options={"months": ReportOption(6, "over how many months churn is averaged")},
        formula="ltv = arpu / churn", source="help.baremetrics.com (lifetime value)",
    ),
    "cohorts": ReportDeclaration(
        "Customers and their MRR, by month of first MRR", "all",
        options={"method": RETENTION, "by": BY_MRR, **OF_MRR},
        formula="retention = customers / size", source=f"{ANALYTICS} (subscriber cohorts)",
    ),
    "mrr": ReportDeclaration(
        "MRR month by month, and what moved it", "months", options=OF_MRR,
        formula="end = start + new + reactivation + expansion + contraction + churn", source=ANALYTICS,
    ),
    "mrr_movements": ReportDeclaration(
        "Every change of every customer's MRR", "months", options=OF_MRR,
    ),
    "mrr_now": ReportDeclaration(
        "MRR as it is now, by subscription", "none", options={"discounts": DISCOUNTED},
        formula="week x 52 / 12, month, year / 12, day x 365 / 12", source=ANALYTICS,
    ),
    "mrr_bridge": ReportDeclaration(
        "From MRR by history to MRR now, with reasons", "none", options=OF_MRR,
    ),
    "mrr_customers": ReportDeclaration(
        "Customer counts month by month", "months", options={"history": HISTORY}
    ),
    "mrr_rates": ReportDeclaration(
        "Churn, retention and quick ratio by month", "months",
        options={"method": DEFINITIONS, **OF_MRR},
        formula="nrr = 1 - net_churn, grr = 1 - gross_churn",
        source="the method's own: see catalogue/mrr_methods.py",
    ),
    "revenue_schedule": ReportDeclaration(
        "Revenue by the month it is earned in", "all", options={"method": SPREAD},
        source="docs.stripe.com/revenue-recognition/methodology",
    ),
    "deferred_revenue": ReportDeclaration(
        "Deferred revenue, rolled forward by month", "months", options={"method": SPREAD},
        formula="closing = opening + billed - recognised - credited - written_off",
        source="docs.stripe.com/revenue-recognition/methodology",
    ),
    "cash_forecast": ReportDeclaration(
        "Cash of the next days: pending funds and expected invoices", "at",
        options={"days": ReportOption(14, "how many days ahead")},
    ),
    "proofs": ReportDeclaration(
        "What must agree: every proof over a period", formula="residual = left - right",
    ),
}  # fmt: skip
