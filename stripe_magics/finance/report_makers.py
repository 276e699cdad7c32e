"""How reports are made of their inputs, where that takes more than one call; and the functions that
`report_table` names.

`x` has the lists by name, the period and the options; pure functions of this package get frames and declare
the report's columns.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from stripe_magics.errors import UsageFault
from stripe_magics.finance import (
    balance,
    cash_projection,
    currency_exchange,
    customers,
    days_outstanding,
    fee_costs,
    mrr_bridge,
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
from stripe_magics.finance.aggregation import int_column, to_str
from stripe_magics.finance.corrections import billed, corrections
from stripe_magics.finance.inputs import ReportInputs
from stripe_magics.finance.invoice_line_items import without_lines
from stripe_magics.finance.receivables import transitions
from stripe_magics.finance.reporting_period import Period, months_back
from stripe_magics.finance.subscription_history import history, method_of
from stripe_magics.frames.frame_info import set_facts


def default_span(x: ReportInputs, months: int = 12) -> Period:
    """The period, else the last closed months."""
    return x.period if x.period is not None else months_back(months, x.clock, x.zone)


def bounds(x: ReportInputs) -> dict[str, Any]:
    """Where a period that must be given begins and ends, and its zone."""
    assert x.period is not None
    return {"start": x.period.start, "end": x.period.end, "zone": x.zone}


def bounds_if_any(x: ReportInputs) -> dict[str, Any]:
    """The same, of all there is without a period."""
    return {"zone": x.zone} if x.period is None else bounds(x)


def make_balance_summary(x: ReportInputs) -> pd.DataFrame:
    """The start worked out backwards from the balance, or, with --prove, from the whole ledger."""
    whole, by = bool(x.options["prove"]), x.options["by"]
    ledger, now = x.reading(whole=whole, first=x.first_of_arrivals() if by == "arrival" else None)
    if whole and now is None:
        raise UsageFault(
            "--prove holds the ledger against the balance as it is now, which a folder or data without a"
            " balance doesn't have.",
            advice="Leave out --prove, or run the report without --over.",
        )
    return balance.balance_summary(
        ledger, **bounds(x), balance=now, by=by, payouts=x["payouts"] if by == "arrival" else None,
        whole=whole or now is None,
    )  # fmt: skip


def make_daily_balance(x: ReportInputs) -> pd.DataFrame:
    """Day by day from the start that the summary of the same days has."""
    by = x.options["by"]
    ledger, now = x.reading(whole=False, first=x.first_of_arrivals() if by == "arrival" else None)
    paid = x["payouts"] if by == "arrival" else None
    made = balance.balance_summary(ledger, **bounds(x), balance=now, by=by, payouts=paid, whole=now is None)
    opening = {str(code): int(start) for code, start in zip(made["currency"], made["start"], strict=True)}
    return balance.daily_balance(ledger, **bounds(x), opening=opening, by=by, payouts=paid)


def make_payout_reconciliation(x: ReportInputs) -> pd.DataFrame:
    """The payouts of the period, each with its members."""
    paid = x.payouts(x.options["by"])
    return payouts.payout_reconciliation(paid, x.items(paid))


def make_ending_balance(x: ReportInputs) -> pd.DataFrame:
    """What was there at the end: all transactions without the members of payouts by then."""
    at = x.clock if x.period is None else x.period.end
    every = x["payouts"]
    gone = every[every["created"] < at]
    gone.attrs = every.attrs
    return balance.ending_balance(x["transactions"], x.items(gone), every, at, zone=x.zone)


def owed_by(x: ReportInputs) -> dict[str, Any]:
    """Whose invoices count, and what reduced them."""
    return {"sales": x.options["sales"], "credit_notes": x.credits_before_payment()}


def make_ar_ageing(x: ReportInputs) -> pd.DataFrame:
    """At the end of the period, else now."""
    at = x.clock if x.period is None else x.period
    return receivables.ar_ageing(x["invoices"], at, zone=x.zone, by=x.options["by"], **owed_by(x))


def make_tax_collected(x: ReportInputs) -> pd.DataFrame:
    """Tax of the period's documents, with what corrects them as far as it can be read."""
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


def make_tax_summary(x: ReportInputs) -> pd.DataFrame:
    """The tax of the period's documents, summed for a firm at home in the account's country."""
    assert x.period is not None
    return tax.tax_summary(make_tax_collected(x), x.period, home=str(x.options["home"] or x.home).upper())


def make_customer_value(x: ReportInputs) -> pd.DataFrame:
    """What came in and went out, by customer."""
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


def make_mrr(x: ReportInputs) -> pd.DataFrame:
    """The movements of the period's months."""
    revenue = revenue_of(x)
    return mrr_history.mrr(
        revenue, default_span(x), discounts=x.options["discounts"], now=x.clock, method=method_of(x)
    )


def make_mrr_rates(x: ReportInputs) -> pd.DataFrame:
    """The rates of the movements of the period's months."""
    revenue = revenue_of(x)
    moved = mrr_history.mrr(revenue, default_span(x), discounts=x.options["discounts"], now=x.clock)
    return retention_rates.mrr_rates(moved, revenue, method=x.options["method"])


def make_mrr_now(x: ReportInputs) -> pd.DataFrame:
    """Of the subscriptions as they are now."""
    return mrr_now.subscription_mrr(
        x["subscriptions"], discounts=x.options["discounts"], coupons=x.coupons(), prices=x.tiers()
    )


def make_ltv(x: ReportInputs) -> pd.DataFrame:
    """Of the MRR and the customers of the period's months."""
    revenue, span = revenue_of(x), default_span(x)
    moved = mrr_history.mrr(revenue, span, now=x.clock)
    return customers.ltv(
        moved, mrr_history.mrr_customers(revenue, span, now=x.clock), months=x.options["months"]
    )


def make_cohorts(x: ReportInputs) -> pd.DataFrame:
    """By MRR from the first month that has any, or by payments."""
    if x.options["by"] == "payments":
        made = retention_cohorts.cohorts(
            x["charges"], **bounds_if_any(x), method=x.options["method"], now=x.clock
        )
        return set_facts(made, title="Customers still paying, by month of first payment")
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


def make_revenue_schedule(x: ReportInputs) -> pd.DataFrame:
    """The lines of invoices and their corrections, spread over the months."""
    made, _, sources = recognition_of(x)
    return revenue_recognition.revenue_schedule(made, sources, x.period)


def make_deferred_revenue(x: ReportInputs) -> pd.DataFrame:
    """The roll forward over the period's months."""
    made, headers, sources = recognition_of(x)
    return revenue_recognition.deferred_revenue(made, headers, default_span(x), sources, now=x.clock)


def make_cash_forecast(x: ReportInputs) -> pd.DataFrame:
    """From the end of the period, else from now on."""
    at = x.clock if x.period is None else x.period.end
    if at < x.clock:
        x.note(
            "Pending funds and the balance are those of now, not of that day: leave out the period for a"
            " forecast from now."
        )
    return cash_projection.cash_forecast(
        x["transactions"],
        x["invoices"],
        at=at,
        days=x.options["days"],
        balance=x.balance(),
        zone=x.zone,
        credit_notes=x.credits_before_payment(),
    )


def make_payout_status(x: ReportInputs) -> pd.DataFrame:
    """The payouts of the period, with the transactions that took them back."""
    return payouts.payout_status(x.payouts(x.options["by"]), x["transactions"], at=x.clock)


def make_mrr_bridge(x: ReportInputs) -> pd.DataFrame:
    """What lines and events say beside what subscriptions say."""
    return mrr_bridge.mrr_bridge(history(x), make_mrr_now(x), x["subscriptions"], x.clock)


def make_payout_items(x: ReportInputs) -> pd.DataFrame:
    """The members of the period's payouts."""
    found = x.items(x.payouts(x.options["by"]))
    return payouts.given_items(found) if "items" in x.data else found


def make_proofs(x: ReportInputs) -> pd.DataFrame:
    """Every proof over the period."""
    assert x.period is not None
    return proofs.proofs(x, x.period)
