"""From rows to answers that prove themselves: reports over frames. Knows pandas, not HTTP.

    import stripe_magics as sm
    sm.report("balance_summary", start="2026-01-01", end="2026-02-01", tz="Europe/Berlin")

Each report is also a plain function of frames in one of this room's files; `reports()` lists them all.
"""

from __future__ import annotations

from stripe_magics.finance.aggregation import MissingData
from stripe_magics.finance.balance import (
    balance_activity,
    balance_summary,
    daily_balance,
    ending_balance,
    fee_items,
    fees,
    volume,
)
from stripe_magics.finance.cash_projection import cash_forecast
from stripe_magics.finance.customers import cohorts, concentration, customer_value, ltv, ltv_of
from stripe_magics.finance.payments import dispute_rate, failed_payments, fx_effect, refund_rate
from stripe_magics.finance.payouts import payout_items, payout_reconciliation, payout_status
from stripe_magics.finance.plots import plot
from stripe_magics.finance.receivables import (
    ar_ageing,
    cei_of,
    collections,
    dso,
    dso_of,
    open_at,
    tax_collected,
    true_dso_of,
    weighted_days,
)
from stripe_magics.finance.recurring_revenue import (
    churn_rate_of,
    discounted,
    invoice_lines,
    monthly,
    monthly_revenue,
    movements,
    mrr,
    mrr_customers,
    mrr_rates,
    roll_forward,
    subscription_mrr,
)
from stripe_magics.finance.reports import REPORTS, report, reports
from stripe_magics.finance.revenue_recognition import revenue_schedule, spread

__all__ = [
    "REPORTS",
    "MissingData",
    "ar_ageing",
    "balance_activity",
    "balance_summary",
    "cash_forecast",
    "cei_of",
    "churn_rate_of",
    "cohorts",
    "collections",
    "concentration",
    "customer_value",
    "daily_balance",
    "discounted",
    "dispute_rate",
    "dso",
    "dso_of",
    "ending_balance",
    "failed_payments",
    "fee_items",
    "fees",
    "fx_effect",
    "invoice_lines",
    "ltv",
    "ltv_of",
    "monthly",
    "monthly_revenue",
    "movements",
    "mrr",
    "mrr_customers",
    "mrr_rates",
    "open_at",
    "payout_items",
    "payout_reconciliation",
    "payout_status",
    "plot",
    "refund_rate",
    "report",
    "reports",
    "revenue_schedule",
    "roll_forward",
    "spread",
    "subscription_mrr",
    "tax_collected",
    "true_dso_of",
    "volume",
    "weighted_days",
]
