"""The reports by name: a report is one entry in this table, with all that is known of it.

`make` is given the inputs (lists by name, period, options) and hands frames to a pure function of this
package; that function declares its columns. `period` says what a report does with one: see `Period use`
below. Options, formula and source are what `--help` shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from stripe_magics.errors import UsageFault
from stripe_magics.finance import (
    balance,
    cash_projection,
    customers,
    days_outstanding,
    exchange,
    fee_costs,
    mrr_history,
    mrr_now,
    payments,
    payouts,
    proofs,
    receivables,
    retention_cohorts,
    retention_rates,
    revenue_recognition,
    tax,
)
from stripe_magics.finance import mrr_bridge as bridge
from stripe_magics.finance.aggregation import int_column, to_str
from stripe_magics.finance.corrections import billed, corrections
from stripe_magics.finance.inputs import ReportInputs, ended_subscriptions
from stripe_magics.finance.invoice_lines import without_lines
from stripe_magics.finance.receivables import transitions
from stripe_magics.finance.reporting_period import Period, months_back

Use = Literal["needed", "all", "months", "at", "none"]
"""Period use: one is needed; all there is without one; the last twelve closed months; its end (else now);
refused."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a report: what it may be, what it is unless given, and what it means."""

    default: Any
    help: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A report: one line on what it says, how it is made, and by which function."""

    title: str
    make: Callable[[ReportInputs], pd.DataFrame]
    function: Callable[..., pd.DataFrame]
    period: Use = "needed"
    options: Mapping[str, Option] = field(default_factory=dict)
    formula: str = ""
    source: str = ""


SALES = Option("all", "which invoices are sales: all, or only those that are sent", receivables.SALES)
DISCOUNTED = Option("forever", "which coupons lower MRR", mrr_now.DISCOUNTS)
SPREAD = Option("ms", "how a line is spread over its period", revenue_recognition.METHODS)
BY_PAYOUT = Option("arrival", "the date that payouts count by", balance.BY)
BY_CREATED = Option("created", "the date that payouts count by", balance.BY)
RETENTION = Option("active", "active at that age, or without a gap until then", retention_cohorts.METHODS)
HOME = Option("", "the firm's country (two letters); the account's unless given")
RETURNS = "docs.stripe.com/tax/reports"


def default_span(x: ReportInputs, months: int = 12) -> Period:
    """The period, else the last closed months."""
    return x.period if x.period is not None else months_back(months, x.clock, x.zone)


def _bounds(x: ReportInputs) -> dict[str, Any]:
    assert x.period is not None
    return {"start": x.period.start, "end": x.period.end, "zone": x.zone}


def _maybe(x: ReportInputs) -> dict[str, Any]:
    return {"zone": x.zone} if x.period is None else _bounds(x)


def _summary(x: ReportInputs) -> pd.DataFrame:
    whole, by = bool(x.options["prove"]), x.options["by"]
    ledger, now = x.reading(whole=whole, first=x.first_of_arrivals() if by == "arrival" else None)
    if whole and now is None:
        raise UsageFault(
            "--prove holds the ledger against the balance as it is now, which a folder or data without a"
            " balance doesn't have.",
            advice="Leave out --prove, or run the report without --over.",
        )
    return balance.balance_summary(
        ledger, **_bounds(x), balance=now, by=by, payouts=x["payouts"] if by == "arrival" else None,
        whole=whole or now is None,
    )  # fmt: skip


def _daily(x: ReportInputs) -> pd.DataFrame:
    by = x.options["by"]
    ledger, now = x.reading(whole=False, first=x.first_of_arrivals() if by == "arrival" else None)
    paid = x["payouts"] if by == "arrival" else None
    made = balance.balance_summary(ledger, **_bounds(x), balance=now, by=by, payouts=paid, whole=now is None)
    opening = {str(code): int(start) for code, start in zip(made["currency"], made["start"], strict=True)}
    return balance.daily_balance(ledger, **_bounds(x), opening=opening, by=by, payouts=paid)


def _reconciliation(x: ReportInputs) -> pd.DataFrame:
    paid = x.payouts(x.options["by"])
    return payouts.payout_reconciliation(paid, x.items(paid))


def _ending(x: ReportInputs) -> pd.DataFrame:
    at = x.clock if x.period is None else x.period.end
    every = x["payouts"]
    gone = every[every["created"] < at]
    gone.attrs = every.attrs
    return balance.ending_balance(x["transactions"], x.items(gone), every, at, zone=x.zone)


def _ageing(x: ReportInputs) -> pd.DataFrame:
    at = x.clock if x.period is None else x.period
    return receivables.ar_ageing(x["invoices"], at, zone=x.zone, by=x.options["by"], sales=x.options["sales"])


def _tax(x: ReportInputs) -> pd.DataFrame:
    assert x.period is not None
    return tax.tax_collected(
        x["invoices"],
        x.period.start,
        x.period.end,
        zone=x.zone,
        credit_notes=x.maybe("credit_notes"),
        refunds=x.maybe("refunds"),
        charges=x.maybe("charges"),
        tax_rates=x.maybe("tax_rates"),
    )


def _tax_summary(x: ReportInputs) -> pd.DataFrame:
    assert x.period is not None
    return tax.tax_summary(_tax(x), x.period, home=str(x.options["home"] or x.home).upper())


def _value(x: ReportInputs) -> pd.DataFrame:
    return customers.customer_value(
        x["charges"],
        x["refunds"],
        x.inside("transactions"),
        x["disputes"],
        people=x.maybe("customers"),
        zone=x.zone,
    )


def steps_of(x: ReportInputs) -> pd.DataFrame:
    """The MRR of every subscription item as steps."""
    ended = ended_subscriptions(x.maybe("subscriptions"))
    return mrr_history.subscription_steps(
        x.lines(), discounts=x.options.get("discounts", "forever"), ended=ended
    )


def revenue_of(x: ReportInputs) -> pd.DataFrame:
    """Every customer's MRR by closed month, from the beginning."""
    revenue = mrr_history.whole_history(steps_of(x), default_span(x), x.clock)
    revenue.attrs = x["invoices"].attrs
    return revenue


def _mrr(x: ReportInputs) -> pd.DataFrame:
    return mrr_history.mrr(revenue_of(x), default_span(x), discounts=x.options["discounts"], now=x.clock)


def _rates(x: ReportInputs) -> pd.DataFrame:
    revenue = revenue_of(x)
    moved = mrr_history.mrr(revenue, default_span(x), discounts=x.options["discounts"], now=x.clock)
    return retention_rates.mrr_rates(moved, revenue, method=x.options["method"])


def _now(x: ReportInputs) -> pd.DataFrame:
    return mrr_now.subscription_mrr(
        x["subscriptions"], discounts=x.options["discounts"], coupons=x.coupons(), prices=x.tiers()
    )


def _ltv(x: ReportInputs) -> pd.DataFrame:
    revenue, span = revenue_of(x), default_span(x)
    moved = mrr_history.mrr(revenue, span, now=x.clock)
    return customers.ltv(
        moved, mrr_history.mrr_customers(revenue, span, now=x.clock), months=x.options["months"]
    )


def _cohorts(x: ReportInputs) -> pd.DataFrame:
    if x.options["by"] == "payments":
        bounds = {"zone": x.zone} if x.period is None else _bounds(x)
        made = retention_cohorts.cohorts(x["charges"], **bounds, method=x.options["method"], now=x.clock)
        made.attrs["stripe"]["title"] = "Customers still paying, by month of first payment"
        return made
    steps = steps_of(x)
    first = pd.Timestamp(int(steps["start"].min()), tz="UTC") if len(steps) else x.clock
    span = x.period if x.period is not None else Period(min(first, x.clock), x.clock, x.zone)
    revenue = mrr_history.whole_history(steps, span, x.clock)
    revenue.attrs = x["invoices"].attrs
    return retention_cohorts.cohorts_by_mrr(revenue, span, method=x.options["method"])


def recognition_of(
    x: ReportInputs,
) -> tuple[revenue_recognition.Recognition, pd.DataFrame, list[pd.DataFrame | None]]:
    """The lines with what corrects them, the invoices' own totals without tax, and the frames behind."""
    invoices = x["invoices"]
    more = [x.maybe(name) for name in ("credit_notes", "refunds", "charges")]
    taken = corrections(invoices, *more)
    keep = billed(invoices, x.zone)
    every = x.lines(void=True, amounts_only=True)
    lines = every[keep[every["position"].to_numpy()]].reset_index(drop=True)
    mine = without_lines(invoices)[keep]
    headers = pd.DataFrame(
        {
            "currency": to_str(mine["currency"]),
            "finalized": transitions(mine, "finalized_at"),
            "net": proofs.net_totals(mine),
        }
    )
    total = pd.Series(int_column(invoices, "total").to_numpy(), index=to_str(invoices["id"]).to_numpy())
    made = revenue_recognition.Recognition(lines, taken, total, method=x.options["method"], zone=x.zone)
    return made, headers, [invoices, *more]


def _schedule(x: ReportInputs) -> pd.DataFrame:
    made, _, sources = recognition_of(x)
    return revenue_recognition.revenue_schedule(made, sources, x.period)


def _deferred(x: ReportInputs) -> pd.DataFrame:
    made, headers, sources = recognition_of(x)
    return revenue_recognition.deferred_revenue(made, headers, default_span(x), sources, now=x.clock)


def _cash(x: ReportInputs) -> pd.DataFrame:
    at = x.clock if x.period is None else x.period.end
    return cash_projection.cash_forecast(
        x["transactions"], x["invoices"], at=at, days=x.options["days"], balance=x.balance(), zone=x.zone
    )


def _status(x: ReportInputs) -> pd.DataFrame:
    return payouts.payout_status(x.payouts(x.options["by"]), x["transactions"], at=x.clock)


def _bridge(x: ReportInputs) -> pd.DataFrame:
    return bridge.mrr_bridge(steps_of(x), _now(x), x["subscriptions"], x.clock)


def _items(x: ReportInputs) -> pd.DataFrame:
    found = x.items(x.payouts(x.options["by"]))
    return payouts.given_items(found) if "items" in x.data else found


def _proofs(x: ReportInputs) -> pd.DataFrame:
    assert x.period is not None
    return proofs.proofs(x, x.period)


_MEMBERS = Option(
    "auto",
    "where the members of payouts come from: a request a payout, one report of Stripe's own, or whichever is"
    " fewer requests",
    ("auto", "requests", "report"),
)
_PROVE = Option(
    default=False,
    help="true reads the whole ledger and proves the start; it is worked out backwards otherwise",
    choices=("true", "false"),
)
_BALANCE = "docs.stripe.com/reports/balance"
_ANALYTICS = "docs.stripe.com/billing/subscriptions/analytics"

REPORTS: dict[str, Report] = {
    "balance_activity": Report(
        "What moved the balance, by category",
        lambda x: balance.balance_activity(x.inside("transactions"), **_bounds(x)),
        balance.balance_activity, formula="net = gross - fee", source=_BALANCE,
    ),
    "balance_summary": Report(
        "Start + activity + payouts = end, against the balance",
        _summary, balance.balance_summary, options={"prove": _PROVE, "by": BY_CREATED},
        formula="residual = end - (start + activity + payouts)", source=_BALANCE,
    ),
    "daily_balance": Report(
        "Sales, refunds, fees, payouts and balance, day by day",
        _daily, balance.daily_balance, options={"by": BY_CREATED}, source=_BALANCE,
    ),
    "payout_reconciliation": Report(
        "What each payout settled, proved to the cent",
        _reconciliation, payouts.payout_reconciliation, "all", {"by": BY_PAYOUT, "members": _MEMBERS},
        "residual = amount - net of its transactions", "docs.stripe.com/reports/payout-reconciliation",
    ),
    "payout_items": Report(
        "The transactions in each payout", _items, payouts.payout_items, "all",
        {"by": BY_PAYOUT, "members": _MEMBERS},
    ),
    "payout_status": Report(
        "How each payout ended", _status, payouts.payout_status, "all", {"by": BY_PAYOUT},
    ),
    "ending_balance": Report(
        "The transactions that make up the balance at a date", _ending, balance.ending_balance, "at",
        {"members": _MEMBERS},
        source="docs.stripe.com/reports/payout-reconciliation (ending balance)",
    ),
    "fees": Report(
        "What Stripe cost, by kind of fee",
        lambda x: fee_costs.fees(x.inside("transactions"), **_maybe(x)), fee_costs.fees, "all",
        formula="effective_rate = cost / gross charges",
    ),
    "fee_items": Report(
        "Every fee, one a row", lambda x: fee_costs.fee_items(x.inside("transactions"), **_maybe(x)),
        fee_costs.fee_items, "all",
    ),
    "volume": Report(
        "From gross to net volume", lambda x: fee_costs.volume(x.inside("transactions"), **_maybe(x)),
        fee_costs.volume, "all",
        formula="net = gross + refunds + disputes + fees + transfers + other",
    ),
    "refund_rate": Report(
        "Refunds over payments, by activity and by cohort",
        lambda x: payments.refund_rate(x.inside("charges"), x.given_back(), **_bounds(x)),
        payments.refund_rate,
        formula="rate = refunds / payments",
    ),
    "dispute_rate": Report(
        "Disputes over payments, won, lost, open",
        lambda x: payments.dispute_rate(x.inside("charges"), x["disputes"], **_bounds(x)),
        payments.dispute_rate,
        formula="rate = disputes / payments", source="docs.stripe.com/disputes/measuring",
    ),
    "failed_payments": Report(
        "Declines by reason, and what was recovered",
        lambda x: payments.failed_payments(x["charges"], **_maybe(x)), payments.failed_payments, "all",
        source="docs.stripe.com/billing/revenue-recovery/recovery-analytics",
    ),
    "fx_effect": Report(
        "Exchange gains and losses on refunds and disputes",
        lambda x: exchange.fx_effect(x["transactions"], **_maybe(x), refunds=x["refunds"],
            disputes=x["disputes"]),
        exchange.fx_effect, "all", formula="gain = returned - returned x rate_in / rate_out",
    ),
    "ar_ageing": Report(
        "Who owes what, since when", _ageing, receivables.ar_ageing, "at",
        {"by": Option("customer", "a row a customer or a row an invoice", ("customer", "invoice")),
            "sales": SALES},
        source="docs.stripe.com/revenue-recognition/reports/accounts-receivable-aging",
    ),
    "dso": Report(
        "Days sales outstanding",
        lambda x: days_outstanding.dso(x["invoices"], **_bounds(x), sales=x.options["sales"]),
        days_outstanding.dso,
        options={"sales": SALES}, formula="dso = receivables / sales x days",
    ),
    "collections": Report(
        "Collection effectiveness and days to pay",
        lambda x: days_outstanding.collections(x["invoices"], **_bounds(x), sales=x.options["sales"]),
        days_outstanding.collections, options={"sales": SALES},
        formula="cei = (begin + sales - end_total) / (begin + sales - end_current) x 100",
    ),
    "tax_collected": Report("Tax by document and rate", _tax, tax.tax_collected, source=RETURNS),
    "tax_summary": Report(
        "Tax by country and rate, for VAT and OSS returns", _tax_summary, tax.tax_summary,
        options={"home": HOME}, source=RETURNS,
    ),
    "customer_value": Report(
        "What each customer brought in", _value, customers.customer_value, "all",
        formula="net = gross + refunds + disputes + fees",
    ),
    "concentration": Report(
        "How much depends on a few customers", lambda x: customers.concentration(_value(x)),
        customers.concentration, "all",
        formula="hhi = sum of (share x 100) squared",
    ),
    "ltv": Report(
        "Lifetime value: ARPU over churn", _ltv, customers.ltv, "months",
        {"months": Option(6, "over how many months churn is averaged")},
        "ltv = arpu / churn", "help.baremetrics.com (lifetime value)",
    ),
    "cohorts": Report(
        "Customers and their MRR, by month of first MRR", _cohorts, retention_cohorts.cohorts_by_mrr, "all",
        {"method": RETENTION, "by": Option("mrr", "by MRR, or by payments", ("mrr", "payments")),
            "discounts": DISCOUNTED},
        "retention = customers / size", f"{_ANALYTICS} (subscriber cohorts)",
    ),
    "mrr": Report(
        "MRR month by month, and what moved it", _mrr, mrr_history.mrr, "months", {"discounts": DISCOUNTED},
        "end = start + new + reactivation + expansion + contraction + churn", _ANALYTICS,
    ),
    "mrr_movements": Report(
        "Every change of every customer's MRR",
        lambda x: mrr_history.mrr_movements(revenue_of(x), default_span(x), now=x.clock),
        mrr_history.mrr_movements, "months",
        {"discounts": DISCOUNTED},
    ),
    "mrr_now": Report(
        "MRR as it is now, by subscription", _now, mrr_now.subscription_mrr, "none",
        {"discounts": DISCOUNTED},
        "week x 52 / 12, month, year / 12, day x 365 / 12", _ANALYTICS,
    ),
    "mrr_bridge": Report(
        "From MRR by history to MRR now, with reasons", _bridge, bridge.mrr_bridge, "none",
        {"discounts": DISCOUNTED},
    ),
    "mrr_customers": Report(
        "Customer counts month by month",
        lambda x: mrr_history.mrr_customers(revenue_of(x), default_span(x), now=x.clock),
        mrr_history.mrr_customers, "months",
    ),
    "mrr_rates": Report(
        "Churn, retention and quick ratio by month", _rates, retention_rates.mrr_rates, "months",
        {"method": Option("chartmogul", "whose definitions", tuple(retention_rates.METHODS)),
            "discounts": DISCOUNTED},
        "nrr = 1 - net_churn, grr = 1 - gross_churn", "the method's own: see retention_rates.METHODS",
    ),
    "revenue_schedule": Report(
        "Revenue by the month it is earned in", _schedule, revenue_recognition.revenue_schedule, "all",
        {"method": SPREAD},
        source="docs.stripe.com/revenue-recognition/methodology",
    ),
    "deferred_revenue": Report(
        "Deferred revenue, rolled forward by month", _deferred, revenue_recognition.deferred_revenue,
        "months",
        {"method": SPREAD}, "closing = opening + billed - recognised - credited - written_off",
        "docs.stripe.com/revenue-recognition/methodology",
    ),
    "cash_forecast": Report(
        "Cash of the next days: pending funds and expected invoices", _cash, cash_projection.cash_forecast,
        "at",
        {"days": Option(14, "how many days ahead")},
    ),
    "proofs": Report("What must agree: every proof over a period", _proofs, proofs.proofs,
        formula="residual = left - right"),
}  # fmt: skip
