"""The reports by name, one entry each: what it says, the function that makes it, the period and options it
takes, its formula and source.

Nothing heavy is imported here, so that completion, help and forms can ask the table at once. An entry's two
functions get the module `report_makers` (f), which is loaded when a report is made: one says whose columns
the report has, the other hands that function what it needs of the inputs (x: lists by name, period, options).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stripe_magics.finance.report_options import (
    BY_CREATED,
    BY_MRR,
    BY_PAYOUT,
    BY_WHOM,
    DEFINITIONS,
    DISCOUNTED,
    HISTORY,
    HOME,
    MEMBERS,
    OF_MRR,
    PROVE,
    RETENTION,
    SALES_OPTION,
    SPREAD,
    PeriodUse,
    ReportOption,
)

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.finance.inputs import ReportInputs


@dataclass(frozen=True, slots=True)
class Report:
    """A report: one line on what it says, the function that it is made by, and what it takes."""

    title: str
    by: Callable[[Any], Callable[..., pd.DataFrame]]
    made: Callable[[Any, ReportInputs], pd.DataFrame]
    period: PeriodUse = "needed"
    options: Mapping[str, ReportOption] = field(default_factory=dict)
    formula: str = ""
    source: str = ""

    @property
    def function(self) -> Callable[..., pd.DataFrame]:
        """The function of frames that declares the report's columns."""
        return self.by(_makers())

    def make(self, inputs: ReportInputs) -> pd.DataFrame:
        """The report of these inputs."""
        return self.made(_makers(), inputs)


def _makers() -> Any:
    from stripe_magics.finance import report_makers

    return report_makers


RETURNS = "docs.stripe.com/tax/reports"
BALANCE = "docs.stripe.com/reports/balance"
ANALYTICS = "docs.stripe.com/billing/subscriptions/analytics"

REPORTS: dict[str, Report] = {
    "balance_activity": Report(
        "What moved the balance, by category",
        lambda f: f.balance.balance_activity,
        lambda f, x: f.balance.balance_activity(x.inside("transactions"), **f.bounds(x)),
        formula="net = gross - fee", source=BALANCE,
    ),
    "balance_summary": Report(
        "Start + activity + payouts = end, against the balance",
        lambda f: f.balance.balance_summary,
        lambda f, x: f.make_balance_summary(x),
        options={"prove": PROVE, "by": BY_CREATED},
        formula="residual = end - (start + activity + payouts)", source=BALANCE,
    ),
    "daily_balance": Report(
        "Sales, refunds, fees, payouts and balance, day by day",
        lambda f: f.balance.daily_balance,
        lambda f, x: f.make_daily_balance(x),
        options={"by": BY_CREATED}, source=BALANCE,
    ),
    "payout_reconciliation": Report(
        "What each payout settled, proved to the cent",
        lambda f: f.payouts.payout_reconciliation,
        lambda f, x: f.make_payout_reconciliation(x),
        period="all", options={"by": BY_PAYOUT, "members": MEMBERS},
        formula="residual = amount - net of its transactions",
        source="docs.stripe.com/reports/payout-reconciliation",
    ),
    "payout_items": Report(
        "The transactions in each payout",
        lambda f: f.payouts.payout_items,
        lambda f, x: f.make_payout_items(x),
        period="all", options={"by": BY_PAYOUT, "members": MEMBERS},
    ),
    "payout_status": Report(
        "How each payout ended",
        lambda f: f.payouts.payout_status,
        lambda f, x: f.make_payout_status(x),
        period="all", options={"by": BY_PAYOUT},
    ),
    "ending_balance": Report(
        "The transactions that make up the balance at a date",
        lambda f: f.balance.ending_balance,
        lambda f, x: f.make_ending_balance(x),
        period="at", options={"members": MEMBERS},
        source="docs.stripe.com/reports/payout-reconciliation (ending balance)",
    ),
    "fees": Report(
        "What Stripe cost, by kind of fee",
        lambda f: f.fee_costs.fees,
        lambda f, x: f.fee_costs.fees(x.inside("transactions"), **f.bounds_if_any(x)),
        period="all", formula="effective_rate = cost / gross charges",
    ),
    "fee_items": Report(
        "Every fee, one a row",
        lambda f: f.fee_costs.fee_items,
        lambda f, x: f.fee_costs.fee_items(x.inside("transactions"), **f.bounds_if_any(x)),
        period="all",
    ),
    "volume": Report(
        "From gross to net volume",
        lambda f: f.fee_costs.volume,
        lambda f, x: f.fee_costs.volume(x.inside("transactions"), **f.bounds_if_any(x)),
        period="all", formula="net = gross + refunds + disputes + fees + transfers + other",
    ),
    "refund_rate": Report(
        "Refunds over payments, by activity and by cohort",
        lambda f: f.payments.refund_rate,
        lambda f, x: f.payments.refund_rate(x.inside("charges"), x.given_back(), **f.bounds(x)),
        formula="rate = refunds / payments",
    ),
    "dispute_rate": Report(
        "Disputes over payments, won, lost, open",
        lambda f: f.payments.dispute_rate,
        lambda f, x: f.payments.dispute_rate(x.inside("charges"), x["disputes"], **f.bounds(x)),
        formula="rate = disputes / payments", source="docs.stripe.com/disputes/measuring",
    ),
    "failed_payments": Report(
        "Declines by reason, and what was recovered",
        lambda f: f.payments.failed_payments,
        lambda f, x: f.payments.failed_payments(x["charges"], **f.bounds_if_any(x)),
        period="all", source="docs.stripe.com/billing/revenue-recovery/recovery-analytics",
    ),
    "fx_effect": Report(
        "Exchange gains and losses on refunds and disputes",
        lambda f: f.currency_exchange.fx_effect,
        lambda f, x: f.currency_exchange.fx_effect(
            x["transactions"], **f.bounds_if_any(x), refunds=x["refunds"], disputes=x["disputes"]
        ),
        period="all", formula="gain = returned - returned x rate_in / rate_out",
    ),
    "ar_ageing": Report(
        "Who owes what, since when",
        lambda f: f.receivables.ar_ageing,
        lambda f, x: f.make_ar_ageing(x),
        period="at", options={"by": BY_WHOM, "sales": SALES_OPTION},
        source="docs.stripe.com/revenue-recognition/reports/accounts-receivable-aging",
    ),
    "dso": Report(
        "Days sales outstanding",
        lambda f: f.days_outstanding.dso,
        lambda f, x: f.days_outstanding.dso(x["invoices"], **f.bounds(x), **f.owed_by(x)),
        options={"sales": SALES_OPTION}, formula="dso = receivables / sales x days",
    ),
    "collections": Report(
        "Collection effectiveness and days to pay",
        lambda f: f.days_outstanding.collections,
        lambda f, x: f.days_outstanding.collections(x["invoices"], **f.bounds(x), **f.owed_by(x)),
        options={"sales": SALES_OPTION},
        formula="cei = (begin + sales - end_total) / (begin + sales - end_current) x 100",
    ),
    "tax_collected": Report(
        "Tax by document and rate",
        lambda f: f.tax.tax_collected,
        lambda f, x: f.make_tax_collected(x),
        source=RETURNS,
    ),
    "tax_summary": Report(
        "Tax by country and rate, for VAT and OSS returns",
        lambda f: f.tax.tax_summary,
        lambda f, x: f.make_tax_summary(x),
        options={"home": HOME}, source=RETURNS,
    ),
    "customer_value": Report(
        "What each customer brought in",
        lambda f: f.customers.customer_value,
        lambda f, x: f.make_customer_value(x),
        period="all", formula="net = gross + refunds + disputes + fees",
    ),
    "concentration": Report(
        "How much depends on a few customers",
        lambda f: f.customers.concentration,
        lambda f, x: f.customers.concentration(f.make_customer_value(x)),
        period="all", formula="hhi = sum of (share x 100) squared",
    ),
    "ltv": Report(
        "Lifetime value: ARPU over churn",
        lambda f: f.customers.ltv,
        lambda f, x: f.make_ltv(x),
        period="months", options={"months": ReportOption(6, "over how many months churn is averaged")},
        formula="ltv = arpu / churn", source="help.baremetrics.com (lifetime value)",
    ),
    "cohorts": Report(
        "Customers and their MRR, by month of first MRR",
        lambda f: f.retention_cohorts.cohorts_by_mrr,
        lambda f, x: f.make_cohorts(x),
        period="all", options={"method": RETENTION, "by": BY_MRR, **OF_MRR},
        formula="retention = customers / size", source=f"{ANALYTICS} (subscriber cohorts)",
    ),
    "mrr": Report(
        "MRR month by month, and what moved it",
        lambda f: f.mrr_history.mrr,
        lambda f, x: f.make_mrr(x),
        period="months", options=OF_MRR,
        formula="end = start + new + reactivation + expansion + contraction + churn", source=ANALYTICS,
    ),
    "mrr_movements": Report(
        "Every change of every customer's MRR",
        lambda f: f.mrr_history.mrr_movements,
        lambda f, x: f.mrr_history.mrr_movements(f.revenue_of(x), f.default_span(x), now=x.clock),
        period="months", options=OF_MRR,
    ),
    "mrr_now": Report(
        "MRR as it is now, by subscription",
        lambda f: f.mrr_now.subscription_mrr,
        lambda f, x: f.make_mrr_now(x),
        period="none", options={"discounts": DISCOUNTED},
        formula="week x 52 / 12, month, year / 12, day x 365 / 12", source=ANALYTICS,
    ),
    "mrr_bridge": Report(
        "From MRR by history to MRR now, with reasons",
        lambda f: f.mrr_bridge.mrr_bridge,
        lambda f, x: f.make_mrr_bridge(x),
        period="none", options=OF_MRR,
    ),
    "mrr_customers": Report(
        "Customer counts month by month",
        lambda f: f.mrr_history.mrr_customers,
        lambda f, x: f.mrr_history.mrr_customers(f.revenue_of(x), f.default_span(x), now=x.clock),
        period="months", options={"history": HISTORY},
    ),
    "mrr_rates": Report(
        "Churn, retention and quick ratio by month",
        lambda f: f.retention_rates.mrr_rates,
        lambda f, x: f.make_mrr_rates(x),
        period="months", options={"method": DEFINITIONS, **OF_MRR},
        formula="nrr = 1 - net_churn, grr = 1 - gross_churn",
        source="the method's own: see finance/mrr_methods.py",
    ),
    "revenue_schedule": Report(
        "Revenue by the month it is earned in",
        lambda f: f.revenue_recognition.revenue_schedule,
        lambda f, x: f.make_revenue_schedule(x),
        period="all", options={"method": SPREAD},
        source="docs.stripe.com/revenue-recognition/methodology",
    ),
    "deferred_revenue": Report(
        "Deferred revenue, rolled forward by month",
        lambda f: f.revenue_recognition.deferred_revenue,
        lambda f, x: f.make_deferred_revenue(x),
        period="months", options={"method": SPREAD},
        formula="closing = opening + billed - recognised - credited - written_off",
        source="docs.stripe.com/revenue-recognition/methodology",
    ),
    "cash_forecast": Report(
        "Cash of the next days: pending funds and expected invoices",
        lambda f: f.cash_projection.cash_forecast,
        lambda f, x: f.make_cash_forecast(x),
        period="at", options={"days": ReportOption(14, "how many days ahead")},
    ),
    "proofs": Report(
        "What must agree: every proof over a period",
        lambda f: f.proofs.proofs,
        lambda f, x: f.make_proofs(x),
        formula="residual = left - right",
    ),
}  # fmt: skip
