"""The reports by name: what each one needs, how it is fetched, and which function makes it.

`report("balance_summary", start="2026-01-01", end="2026-02-01")` fetches what the table below says, each list once, and hands the frames
to a pure function of this room. `data=` takes frames that are at hand (a mirror, an earlier pull); nothing is fetched for those.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stripe_magics._text import closest_matches
from stripe_magics.errors import UnknownName, UsageFault
from stripe_magics.finance import (
    balance,
    cash_projection,
    customers,
    payments,
    payouts,
    receivables,
    recurring_revenue,
    revenue_recognition,
)
from stripe_magics.finance.reporting_period import Moment, Period, moment, months_back, period

Fetch = Callable[[str, Mapping[str, Any]], pd.DataFrame]


@dataclass(slots=True)
class ReportInputs:
    """What a report is made of: frames by name, fetched on first use, and the period."""

    fetch: Fetch
    data: dict[str, pd.DataFrame]
    zone: str
    start: Moment | None = None
    end: Moment | None = None
    used: dict[str, int] | None = None

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self.data:
            module, values = LISTS[name]
            self.data[name] = self.fetch(module, values(self))
        frame = self.data[name]
        if self.used is not None:
            self.used[name] = len(frame)
        return frame

    def bounds(self) -> tuple[Moment, Moment]:
        """Start and end; a report over a period needs both."""
        if self.start is None or self.end is None:
            raise UsageFault(
                "This report is about a period: give --start and --end, e.g. --start 2026-01-01 --end 2026-02-01 (the end is not part of it)."
            )
        return self.start, self.end

    def span(self, months: int = 12) -> Period:
        """The period, or the last closed months before the newest data."""
        if self.start is not None and self.end is not None:
            return period(self.start, self.end, self.zone)
        return months_back(months, self.now(), self.zone)

    def now(self) -> pd.Timestamp:
        """The end if one is given, else this moment (by the sandbox's own clock there)."""
        return moment(self.end, self.zone) if self.end is not None else _clock()

    def members(self, payout: str) -> pd.DataFrame:
        """The transactions of one automatic payout."""
        return self.fetch("balance.list_history", {"payout": payout, "limit": "all"})


def _all(_: ReportInputs) -> dict[str, Any]:
    return {"limit": "all"}


def _inside(inputs: ReportInputs) -> dict[str, Any]:
    """Only what was created in the period, where there is one."""
    if inputs.start is None or inputs.end is None:
        return {"limit": "all"}
    span = period(inputs.start, inputs.end, inputs.zone)
    return {"created": {"gte": int(span.start.timestamp()), "lt": int(span.end.timestamp())}, "limit": "all"}


LISTS: dict[str, tuple[str, Callable[[ReportInputs], dict[str, Any]]]] = {
    "transactions": ("balance.list_history", _all),
    "transactions_inside": ("balance.list_history", _inside),
    "balance": ("balance.retrieve", lambda _: {}),
    "payouts": ("payouts.list", _inside),
    "all_payouts": ("payouts.list", _all),
    "charges": ("charges.list", _all),
    "charges_inside": ("charges.list", _inside),
    "refunds": ("refunds.list", _all),
    "disputes": ("disputes.list", _all),
    "invoices": ("invoices.search", _all),
    "subscriptions": ("subscriptions.list", lambda _: {"status": "all", "limit": "all"}),
}


@dataclass(frozen=True, slots=True)
class Report:
    """A report: one line on what it says, and how it is made."""

    title: str
    make: Callable[..., pd.DataFrame]


def _items(inputs: ReportInputs, name: str = "payouts") -> pd.DataFrame:
    items = name.replace("payouts", "items")
    if items not in inputs.data:
        inputs.data[items] = payouts.payout_items(inputs[name], inputs.members)
    return inputs.data[items]


def _ar(inputs: ReportInputs, **options: Any) -> pd.DataFrame:
    return receivables.ar_ageing(
        inputs["invoices"],
        inputs.end if inputs.end is not None else inputs.now(),
        zone=inputs.zone,
        **options,
    )


def _value(inputs: ReportInputs) -> pd.DataFrame:
    return customers.customer_value(
        inputs["charges"], inputs["refunds"], inputs["transactions"], inputs["disputes"], zone=inputs.zone
    )


def _ltv(inputs: ReportInputs, months: int = 6) -> pd.DataFrame:
    span = inputs.span()
    return customers.ltv(
        recurring_revenue.mrr(inputs["invoices"], span),
        recurring_revenue.mrr_customers(inputs["invoices"], span),
        months=int(months),
    )


REPORTS: dict[str, Report] = {
    "balance_activity": Report(
        "What moved the balance, by category",
        lambda x: balance.balance_activity(x["transactions_inside"], *x.bounds(), zone=x.zone),
    ),
    "balance_summary": Report(
        "Start + activity + payouts = end, proved against the balance",
        lambda x: balance.balance_summary(x["transactions"], *x.bounds(), balance=x["balance"], zone=x.zone),
    ),
    "daily_balance": Report(
        "Sales, refunds, fees, payouts and balance, day by day",
        lambda x: balance.daily_balance(x["transactions"], *x.bounds(), zone=x.zone),
    ),
    "payout_reconciliation": Report(
        "What each payout settled, proved to the cent",
        lambda x: payouts.payout_reconciliation(x["payouts"], _items(x)),
    ),
    "payout_items": Report("The transactions in each payout", _items),
    "ending_balance": Report(
        "The transactions that make up the balance at a date",
        lambda x: (
            balance.ending_balance(  # a payout of any day may have settled what is not in the balance any more
                x["transactions"], _items(x, "all_payouts"), x["all_payouts"], x.now(), zone=x.zone
            )
        ),
    ),
    "fees": Report("What Stripe cost, by kind of fee", lambda x: balance.fees(x["transactions_inside"])),
    "fee_items": Report("Every fee, one a row", lambda x: balance.fee_items(x["transactions_inside"])),
    "volume": Report(
        "From gross to net volume",
        lambda x: balance.volume(x["transactions_inside"], x.start, x.end, zone=x.zone),
    ),
    "refund_rate": Report(
        "Refunds over payments, by activity and by cohort",
        lambda x: payments.refund_rate(x["charges_inside"], x["refunds"], *x.bounds(), zone=x.zone),
    ),
    "dispute_rate": Report(
        "Disputes over payments, won, lost, open",
        lambda x: payments.dispute_rate(x["charges_inside"], x["disputes"], *x.bounds(), zone=x.zone),
    ),
    "failed_payments": Report(
        "Declines by reason, and what was recovered",
        lambda x: payments.failed_payments(x["charges"], x.start, x.end, zone=x.zone),
    ),
    "fx_effect": Report(
        "Exchange gains and losses on refunds and disputes", lambda x: payments.fx_effect(x["transactions"])
    ),
    "ar_ageing": Report("Who owes what, since when", _ar),
    "dso": Report(
        "Days sales outstanding",
        lambda x, sales="send_invoice": receivables.dso(x["invoices"], *x.bounds(), sales=sales, zone=x.zone),
    ),
    "collections": Report(
        "Collection effectiveness and days to pay",
        lambda x, sales="send_invoice": receivables.collections(
            x["invoices"], *x.bounds(), sales=sales, zone=x.zone
        ),
    ),
    "tax_collected": Report(
        "Tax by invoice and rate",
        lambda x: receivables.tax_collected(x["invoices"], *x.bounds(), zone=x.zone),
    ),
    "customer_value": Report("What each customer brought in", _value),
    "concentration": Report(
        "How much hangs on a few customers", lambda x: customers.concentration(_value(x))
    ),
    "ltv": Report("Lifetime value: ARPU over churn", _ltv),
    "cohorts": Report(
        "Customers still paying, by month of first payment",
        lambda x, method="active": customers.cohorts(
            x["charges"], x.start, x.end, zone=x.zone, method=method
        ),
    ),
    "mrr": Report(
        "MRR month by month, and what moved it",
        lambda x, discounts="all": recurring_revenue.mrr(x["invoices"], x.span(), discounts=discounts),
    ),
    "mrr_now": Report(
        "MRR as it is now, by subscription",
        lambda x, discounts="forever": recurring_revenue.subscription_mrr(
            x["subscriptions"], discounts=discounts
        ),
    ),
    "mrr_customers": Report(
        "Customer counts month by month", lambda x: recurring_revenue.mrr_customers(x["invoices"], x.span())
    ),
    "mrr_rates": Report(
        "Churn, retention and quick ratio by month",
        lambda x, method="chartmogul": recurring_revenue.mrr_rates(
            recurring_revenue.mrr(x["invoices"], x.span()), method=method
        ),
    ),
    "revenue_schedule": Report(
        "Revenue by the month it is earned in",
        lambda x, method="ms": revenue_recognition.revenue_schedule(
            x["invoices"], method=method, zone=x.zone
        ),
    ),
    "cash_forecast": Report(
        "Cash of the next days: pending funds and expected invoices",
        lambda x, days=14: cash_projection.cash_forecast(
            x["transactions"], x["invoices"], at=x.now(), days=int(days), balance=x["balance"], zone=x.zone
        ),
    ),
    "payout_status": Report(
        "How each payout ended", lambda x: payouts.payout_status(x["payouts"], x["transactions"])
    ),
}


def reports() -> pd.DataFrame:
    """The reports: name and what each one says. One row a report."""
    return pd.DataFrame([{"report": name, "says": each.title} for name, each in REPORTS.items()])


def report(
    name: str,
    start: Moment | None = None,
    end: Moment | None = None,
    *,
    tz: str | None = None,
    data: Mapping[str, pd.DataFrame] | None = None,
    fetch: Fetch | None = None,
    fresh: bool = False,
    **options: Any,
) -> pd.DataFrame:
    """A report by name, over [start, end) in the zone `tz` (the connection's zone unless given). `reports()` lists them.

    `data` gives frames that are at hand by list name (transactions, payouts, charges, invoices ...); all else is fetched once and kept for
    the next report: for ten minutes, until a write goes through this connection, or until `fresh=True`. Further options are the report's
    own (`method=`, `discounts=`, `days=` ...). attrs["stripe"]["used"] says how many rows of what went in.
    """
    name = name.replace("-", "_")
    if name not in REPORTS:
        raise UnknownName(
            "report", name, closest_matches(name, REPORTS, 3), advice="%stripe report lists them."
        )
    zone = tz or _zone()
    given = dict(data or {})
    for name_of, other in (
        ("transactions", "transactions_inside"),
        ("charges", "charges_inside"),
        ("payouts", "all_payouts"),
        ("items", "all_items"),
    ):
        if name_of in given:
            given.setdefault(other, given[name_of])
    if fresh:
        _CACHE.clear()
    inputs = ReportInputs(fetch or _fetch, given, zone, start, end, used={})
    try:
        out = REPORTS[name].make(inputs, **options)
    except TypeError as error:
        if "unexpected keyword" in str(error):
            raise UsageFault(
                f"{name} does not take {', '.join('--' + each.replace('_', '-') for each in options)}."
            ) from None
        raise
    out.attrs["stripe"]["used"] = inputs.used
    return out


def _clock() -> pd.Timestamp:
    from stripe_magics.client.shared_connection import shared

    connection = shared()
    if connection is None or connection.sandbox is None:
        return pd.Timestamp.now("UTC")
    return pd.Timestamp(connection.sandbox.now, unit="s", tz="UTC")


def _zone() -> str:
    from stripe_magics.client.shared_connection import shared

    connection = shared()
    return str(connection.zone) if connection is not None else "UTC"


KEPT_SECONDS = 600
_CACHE: dict[tuple[object, ...], tuple[float, pd.DataFrame]] = {}
_SHELF_LOCK = threading.Lock()  # the members of payouts are fetched side by side


def _fetch(module: str, values: Mapping[str, Any]) -> pd.DataFrame:
    """The list, or the one fetched a moment ago on this connection if nothing was written since."""
    from stripe_magics.client.shared_connection import current
    from stripe_magics.pipeline import call

    connection = current()
    clock = connection.sandbox.now if connection.sandbox is not None else None
    state = (id(connection), connection.writes, clock)
    requested = (*state, module, repr(sorted(values.items())))
    with _SHELF_LOCK:
        for key in [key for key in _CACHE if key[:3] != state]:
            del _CACHE[key]
        kept = _CACHE.get(requested)
    if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS:
        return kept[1]
    frame = call(module, **values)
    assert isinstance(frame, pd.DataFrame)
    if frame.attrs["stripe"]["complete"]:
        with _SHELF_LOCK:
            _CACHE[requested] = (time.monotonic(), frame)
    return frame
