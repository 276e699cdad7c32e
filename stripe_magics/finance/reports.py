"""How each report is made: what `catalogue/reports.py` declares of it, and the function that serves it.

`make` is given the inputs (lists by name, period, options) and hands frames to a pure function of this
package; that function declares its columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stripe_magics.catalogue import reports as catalogue_reports
from stripe_magics.catalogue.reports import PeriodUse, ReportDeclaration, ReportOption
from stripe_magics.errors import UsageFault
from stripe_magics.finance import (
    balance,
    cash_projection,
    currency_exchange,
    customers,
    days_outstanding,
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
from stripe_magics.finance.inputs import ReportInputs
from stripe_magics.finance.invoice_lines import without_lines
from stripe_magics.finance.receivables import transitions
from stripe_magics.finance.reporting_period import Period, months_back
from stripe_magics.finance.subscription_history import history, method_of

Make = Callable[[ReportInputs], pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Report:
    """A report: what is declared of it, how it is made, and by which function."""

    declared: ReportDeclaration
    make: Make
    function: Callable[..., pd.DataFrame]

    @property
    def title(self) -> str:
        """One line on what it says."""
        return self.declared.title

    @property
    def period(self) -> PeriodUse:
        """What it does with a period."""
        return self.declared.period

    @property
    def options(self) -> Mapping[str, ReportOption]:
        """Its own options, by flag."""
        return self.declared.options

    @property
    def formula(self) -> str:
        """How its figures hang together."""
        return self.declared.formula

    @property
    def source(self) -> str:
        """Where its definition is published."""
        return self.declared.source


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
        credit_notes=x.optional("credit_notes"),
        refunds=x.optional("refunds"),
        charges=x.optional("charges"),
        tax_rates=x.optional("tax_rates"),
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
        people=x.optional("customers"),
        zone=x.zone,
    )


def revenue_of(x: ReportInputs) -> pd.DataFrame:
    """Every customer's MRR by closed month, from the beginning."""
    span = default_span(x)
    revenue = mrr_history.whole_history(history(x, span.end), span, x.clock)
    revenue.attrs = x["invoices"].attrs
    return revenue


def _mrr(x: ReportInputs) -> pd.DataFrame:
    revenue = revenue_of(x)
    return mrr_history.mrr(
        revenue, default_span(x), discounts=x.options["discounts"], now=x.clock, method=method_of(x)
    )


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
    steps = history(x)
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
    more = [x.optional(name) for name in ("credit_notes", "refunds", "charges")]
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
    return bridge.mrr_bridge(history(x), _now(x), x["subscriptions"], x.clock)


def _items(x: ReportInputs) -> pd.DataFrame:
    found = x.items(x.payouts(x.options["by"]))
    return payouts.given_items(found) if "items" in x.data else found


def _proofs(x: ReportInputs) -> pd.DataFrame:
    assert x.period is not None
    return proofs.proofs(x, x.period)


_MAKERS: dict[str, tuple[Make, Callable[..., pd.DataFrame]]] = {
    "balance_activity": (
        lambda x: balance.balance_activity(x.inside("transactions"), **_bounds(x)),
        balance.balance_activity,
    ),
    "balance_summary": (_summary, balance.balance_summary),
    "daily_balance": (_daily, balance.daily_balance),
    "payout_reconciliation": (_reconciliation, payouts.payout_reconciliation),
    "payout_items": (_items, payouts.payout_items),
    "payout_status": (_status, payouts.payout_status),
    "ending_balance": (_ending, balance.ending_balance),
    "fees": (lambda x: fee_costs.fees(x.inside("transactions"), **_maybe(x)), fee_costs.fees),
    "fee_items": (lambda x: fee_costs.fee_items(x.inside("transactions"), **_maybe(x)), fee_costs.fee_items),
    "volume": (lambda x: fee_costs.volume(x.inside("transactions"), **_maybe(x)), fee_costs.volume),
    "refund_rate": (
        lambda x: payments.refund_rate(x.inside("charges"), x.given_back(), **_bounds(x)),
        payments.refund_rate,
    ),
    "dispute_rate": (
        lambda x: payments.dispute_rate(x.inside("charges"), x["disputes"], **_bounds(x)),
        payments.dispute_rate,
    ),
    "failed_payments": (
        lambda x: payments.failed_payments(x["charges"], **_maybe(x)),
        payments.failed_payments,
    ),
    "fx_effect": (
        lambda x: currency_exchange.fx_effect(
            x["transactions"], **_maybe(x), refunds=x["refunds"], disputes=x["disputes"]
        ),
        currency_exchange.fx_effect,
    ),
    "ar_ageing": (_ageing, receivables.ar_ageing),
    "dso": (
        lambda x: days_outstanding.dso(x["invoices"], **_bounds(x), sales=x.options["sales"]),
        days_outstanding.dso,
    ),
    "collections": (
        lambda x: days_outstanding.collections(x["invoices"], **_bounds(x), sales=x.options["sales"]),
        days_outstanding.collections,
    ),
    "tax_collected": (_tax, tax.tax_collected),
    "tax_summary": (_tax_summary, tax.tax_summary),
    "customer_value": (_value, customers.customer_value),
    "concentration": (lambda x: customers.concentration(_value(x)), customers.concentration),
    "ltv": (_ltv, customers.ltv),
    "cohorts": (_cohorts, retention_cohorts.cohorts_by_mrr),
    "mrr": (_mrr, mrr_history.mrr),
    "mrr_movements": (
        lambda x: mrr_history.mrr_movements(revenue_of(x), default_span(x), now=x.clock),
        mrr_history.mrr_movements,
    ),
    "mrr_now": (_now, mrr_now.subscription_mrr),
    "mrr_bridge": (_bridge, bridge.mrr_bridge),
    "mrr_customers": (
        lambda x: mrr_history.mrr_customers(revenue_of(x), default_span(x), now=x.clock),
        mrr_history.mrr_customers,
    ),
    "mrr_rates": (_rates, retention_rates.mrr_rates),
    "revenue_schedule": (_schedule, revenue_recognition.revenue_schedule),
    "deferred_revenue": (_deferred, revenue_recognition.deferred_revenue),
    "cash_forecast": (_cash, cash_projection.cash_forecast),
    "proofs": (_proofs, proofs.proofs),
}
"""How each report is made, and the function whose columns it has."""

REPORTS: dict[str, Report] = {
    name: Report(declared, *_MAKERS[name]) for name, declared in catalogue_reports.REPORTS.items()
}
