"""The functions that `stripe_magics.finance` gives, loaded when the first of them is asked for."""

from __future__ import annotations

from stripe_magics.errors import MissingData
from stripe_magics.finance.balance import balance_activity, balance_summary, daily_balance, ending_balance
from stripe_magics.finance.cash_projection import cash_forecast
from stripe_magics.finance.cell_rows import rows
from stripe_magics.finance.close import close_month, verify_close
from stripe_magics.finance.currency_exchange import fx_effect
from stripe_magics.finance.customers import concentration, customer_value, ltv, ltv_of
from stripe_magics.finance.days_outstanding import (
    cei_of,
    collections,
    dso,
    dso_of,
    true_dso_of,
    weighted_days,
)
from stripe_magics.finance.fee_costs import fee_items, fees, volume
from stripe_magics.finance.general_journal import journal
from stripe_magics.finance.invoice_line_items import invoice_lines
from stripe_magics.finance.mrr_history import (
    monthly_revenue,
    movements,
    mrr,
    mrr_customers,
    mrr_movements,
    roll_forward,
)
from stripe_magics.finance.mrr_now import discounted, monthly, subscription_mrr
from stripe_magics.finance.payments import dispute_rate, failed_payments, refund_rate
from stripe_magics.finance.payouts import payout_items, payout_reconciliation, payout_status
from stripe_magics.finance.plots import plot
from stripe_magics.finance.receivables import ar_ageing, open_at
from stripe_magics.finance.report_table import REPORTS
from stripe_magics.finance.retention_cohorts import cohorts
from stripe_magics.finance.retention_rates import churn_rate_of, mrr_rates
from stripe_magics.finance.revenue_recognition import recognition_schedule
from stripe_magics.finance.runner import describe_report, report, reports
from stripe_magics.finance.tax import tax_collected, tax_summary

__all__ = [
    "REPORTS",
    "MissingData",
    "ar_ageing",
    "balance_activity",
    "balance_summary",
    "cash_forecast",
    "cei_of",
    "churn_rate_of",
    "close_month",
    "cohorts",
    "collections",
    "concentration",
    "customer_value",
    "daily_balance",
    "describe_report",
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
    "journal",
    "ltv",
    "ltv_of",
    "monthly",
    "monthly_revenue",
    "movements",
    "mrr",
    "mrr_customers",
    "mrr_movements",
    "mrr_rates",
    "open_at",
    "payout_items",
    "payout_reconciliation",
    "payout_status",
    "plot",
    "recognition_schedule",
    "refund_rate",
    "report",
    "reports",
    "roll_forward",
    "rows",
    "subscription_mrr",
    "tax_collected",
    "tax_summary",
    "true_dso_of",
    "verify_close",
    "volume",
    "weighted_days",
]
