"""Customers by what they brought in: value, concentration, lifetime value.

Value comes out of the ledger: every entry of a charge, its refunds, disputes and fees, in the currency in
which it was settled, belongs to the charge's customer. So the customers' figures and the entries of no
customer add up to the ledger.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import (
    group_sums,
    ratio,
    require_columns,
    result,
    text_column,
    to_int64,
    to_str,
)
from stripe_magics.finance.balance import COLUMN_OF, PAYOUTS, ledger
from stripe_magics.finance.columns import CURRENCY, column, count, declare, money, ratio_of, text
from stripe_magics.finance.currency_exchange import charge_of
from stripe_magics.finance.payments import captured, living_refunds, paid
from stripe_magics.money import format_amount

_CHARGE = ("id", "created", "currency", "amount", "status", "customer")
NAME = text("customer_name", "Their name.")
EMAIL = text("customer_email", "Their e-mail address.")


def _months_between(first: pd.Series, last: pd.Series, zone: str) -> pd.Series:
    a, b = first.dt.tz_convert(zone), last.dt.tz_convert(zone)
    months: pd.Series = (b.dt.year - a.dt.year) * 12 + b.dt.month - a.dt.month + 1
    return months


def customer_entries(
    charges: pd.DataFrame,
    refunds: pd.DataFrame | None,
    transactions: pd.DataFrame,
    disputes: pd.DataFrame | None,
) -> pd.DataFrame:
    """The ledger's entries with the customer of each: currency, customer, created, column, amount, fee, net,
    sale (a charge's own entry).

    Entries of no charge (payouts, fees that are entries ...) have no customer (missing); charges without one
    an empty one.
    """
    frame = ledger(transactions, "customer_value")
    owner = dict(zip(to_str(charges["id"]), to_str(charges["customer"]), strict=True))
    kind = frame["reporting_category"].map(lambda each: COLUMN_OF.get(each, "other"))
    of_charge = kind.isin(["sales", "refunds", "disputes"])
    return pd.DataFrame(
        {
            "id": to_str(frame["id"]),
            "currency": to_str(frame["currency"]),
            "customer": charge_of(frame, refunds, disputes).map(owner).where(of_charge, None),
            "created": frame["created"],
            "column": kind,
            "amount": to_int64(frame["amount"]),
            "fee": -to_int64(frame["fee"]),
            "net": to_int64(frame["net"]),
            "sale": frame["reporting_category"].isin(["charge"]),
        }
    )


def _from_charges(
    charges: pd.DataFrame, refunds: pd.DataFrame | None, disputes: pd.DataFrame | None
) -> pd.DataFrame:
    """The same shape out of charges alone, in the currency of the payments, without fees."""
    sold = paid(charges)
    owner = dict(zip(to_str(charges["id"]), to_str(charges["customer"]), strict=True))
    parts = [(sold, to_str(sold["id"]), "sales", captured(sold))]
    if refunds is not None:
        living = living_refunds(refunds)
        parts.append((living, to_str(living["charge"]), "refunds", -to_int64(living["amount"])))
    if disputes is not None:
        lost = disputes[to_str(disputes["status"]).eq("lost")]
        parts.append((lost, to_str(lost["charge"]), "disputes", -to_int64(lost["amount"])))
    tables = [
        pd.DataFrame(
            {
                "currency": to_str(table["currency"]),
                "customer": link.map(owner),
                "created": table["created"],
                "column": kind,
                "amount": amount,
                "fee": 0,
                "net": amount,
                "sale": kind == "sales",
            }
        )
        for table, link, kind, amount in parts
        if len(table) or kind == "sales"
    ]
    return pd.concat(tables, ignore_index=True)


@declare(
    CURRENCY,
    text("customer", "The customer; empty for payments without one."),
    NAME,
    EMAIL,
    column("first", "time", "Their first payment."),
    column("last", "time", "Their last payment."),
    count("orders", "Their payments."),
    money("gross", "What they paid."),
    money("refunds", "What they got back (negative)."),
    money("disputes", "What disputes took (negative) and gave back."),
    money("fees", "Fees on all that (negative)."),
    money("net", "gross + refunds + disputes + fees: what is left, the net of these ledger entries."),
    count("months", "Calendar months from the first payment to the last."),
    money("avg", "net a month, rounded."),
)
def customer_value(
    charges: pd.DataFrame,
    refunds: pd.DataFrame | None = None,
    transactions: pd.DataFrame | None = None,
    disputes: pd.DataFrame | None = None,
    *,
    people: pd.DataFrame | None = None,
    zone: str = "UTC",
) -> pd.DataFrame:
    """What each customer brought in, in the currency of settlement; int64 minor units.

    Without `transactions` it is in the currency of the payments, without fees, and disputes count once lost.
    `people` (customers) gives names.
    """
    require_columns(charges, _CHARGE, report="customer_value", object_type="charge")
    rows = (
        _from_charges(charges, refunds, disputes)
        if transactions is None
        else customer_entries(charges, refunds, transactions, disputes)
    )
    known = rows[rows["customer"].notna() & (rows["column"].isin(["sales", "refunds", "disputes"]))]
    parts = {
        "gross": known["amount"].where(known["column"].eq("sales"), 0),
        "refunds": known["amount"].where(known["column"].eq("refunds"), 0),
        "disputes": known["amount"].where(known["column"].eq("disputes"), 0),
        "fees": known["fee"],
        "net": known["net"],
        "orders": known["sale"].astype(np.int64),
    }
    keys = {"currency": known["currency"], "customer": known["customer"]}
    out = group_sums(keys, parts).drop(columns="count").set_index(["currency", "customer"])
    times = known[known["sale"]].groupby(["currency", "customer"])["created"].agg(["min", "max"])
    out["first"], out["last"] = times["min"].reindex(out.index), times["max"].reindex(out.index)
    months = _months_between(out["first"], out["last"], zone) if len(out) else pd.Series(dtype=float)
    out["months"] = months.fillna(1).astype(np.int64)
    out["avg"] = (out["net"] / out["months"]).round().astype(np.int64)
    out = out.reset_index()
    name, email = _names(people)
    out["customer_name"] = out["customer"].map(lambda each: name.get(each, ""))
    out["customer_email"] = out["customer"].map(lambda each: email.get(each, ""))
    out = out.sort_values(["currency", "net", "customer"], ascending=[True, False, True], kind="stable")
    columns = ["currency", "customer", "customer_name", "customer_email", "first", "last", "orders"]
    columns += ["gross", "refunds", "disputes", "fees", "net", "months", "avg"]
    notes = [] if transactions is None else _ledger_bridge(rows, transactions)
    return result(
        out[columns], "customer_value", [charges, refunds, transactions, disputes], zone=zone, notes=notes
    )


def _ledger_bridge(rows: pd.DataFrame, transactions: pd.DataFrame) -> list[str]:
    """How the customers' net and the ledger's are connected, currency by currency."""
    frame = ledger(transactions)
    moved = ~frame["reporting_category"].isin(PAYOUTS)
    whole = to_int64(frame["net"])[moved].groupby(to_str(frame["currency"])[moved]).sum()
    mine = rows[rows["customer"].notna()].groupby("currency")["net"].sum().reindex(whole.index, fill_value=0)
    return [
        f"Ledger without payouts {format_amount(total, str(code))} = customers"
        f" {format_amount(part, str(code))} + entries of no payment {format_amount(total - part, str(code))}."
        for code, total, part in zip(whole.index, whole.astype(int), mine.astype(int), strict=True)
    ]


def _names(people: pd.DataFrame | None) -> tuple[dict[str, str], dict[str, str]]:
    if people is None:
        return {}, {}
    ids = to_str(people["id"])
    names, emails = text_column(people, "name"), text_column(people, "email")
    return dict(zip(ids, names, strict=True)), dict(zip(ids, emails, strict=True))


@declare(
    CURRENCY,
    count("rank", "1 is the largest of the currency."),
    text("customer", "The customer."),
    NAME,
    money("revenue", "What they brought in (net)."),
    ratio_of("share", "Their part of the currency's revenue."),
    ratio_of("cum_share", "The part of this and all larger ones."),
    column(
        "hhi",
        "number",
        "Sum of the squared percentage shares of the currency; 10,000: one customer is everything.",
    ),
)
def concentration(values: pd.DataFrame, *, amount: str = "net") -> pd.DataFrame:
    """How much depends on a few customers, from customer_value."""
    frame = require_columns(
        values, ("currency", "customer", amount), report="concentration", object_type="customer value"
    )
    named = frame[to_str(frame["customer"]).ne("") & (frame[amount] > 0)]
    name = dict(zip(named["customer"], text_column(named, "customer_name"), strict=True))
    out = group_sums(
        {"currency": named["currency"], "customer": named["customer"]}, {"revenue": to_int64(named[amount])}
    ).drop(columns="count")
    out = out.sort_values(["currency", "revenue", "customer"], ascending=[True, False, True], kind="stable")
    total = out.groupby("currency")["revenue"].transform("sum")
    out["share"] = ratio(out["revenue"], total)
    out["cum_share"] = out.groupby("currency")["share"].cumsum()
    out["hhi"] = ((out["share"] * 100) ** 2).groupby(out["currency"]).transform("sum")
    out["rank"] = (out.groupby("currency").cumcount() + 1).astype(np.int64)
    out["customer_name"] = out["customer"].map(lambda each: name.get(each, ""))
    columns = ["currency", "rank", "customer", "customer_name", "revenue", "share", "cum_share", "hhi"]
    return result(out[columns], "concentration", [values])


def ltv_of(arpu: float, churn_rate: float) -> float:
    """Lifetime value: revenue per customer and month over the monthly churn rate (a fraction)."""
    return arpu / churn_rate if churn_rate else float("inf")


@declare(
    CURRENCY,
    money("arpu", "MRR over customers at the end of the last month."),
    ratio_of("churn", "Customers lost a month, over those at the start; the mean of the months."),
    money("ltv", "arpu over churn; missing where nobody left."),
    text("method", "How it is worked out."),
)
def ltv(moves: pd.DataFrame, counted: pd.DataFrame, *, months: int = 6) -> pd.DataFrame:
    """Lifetime value from the MRR of the last `months` months, money in minor units.

    `moves` is mrr's frame, `counted` its customer counts (mrr_customers). Source: help.baremetrics.com
    (lifetime value).
    """
    rows = []
    for currency, table in counted.groupby("currency"):
        last = table.sort_values("month").tail(months)
        money_ = moves[moves["currency"] == currency].sort_values("month")["end"]
        customers, started = int(last["end"].iloc[-1]), float(last["start"].sum())
        churn = float(last["churned"].sum()) / started if started else float("nan")
        arpu = float(money_.iloc[-1]) / customers if customers and len(money_) else float("nan")
        value = ltv_of(arpu, churn)
        rows.append((str(currency), _whole(arpu), churn, _whole(value), f"ARPU / churn, {months}-month mean"))
    out = pd.DataFrame(rows, columns=["currency", "arpu", "churn", "ltv", "method"])
    for name in ("arpu", "ltv"):
        out[name] = out[name].astype("Int64" if out[name].isna().any() else np.int64)
    out["churn"] = out["churn"].astype(float)
    return result(out, "ltv", [moves, counted], method="baremetrics")


def _whole(value: float) -> int | None:
    return round(value) if np.isfinite(value) else None
