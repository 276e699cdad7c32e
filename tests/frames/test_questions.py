"""Questions that people ask about Stripe data, as they would write them in pandas, DuckDB or polars; each
answer is worked out once more from Stripe's raw JSON without pandas."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from each_row import each_row
from frames.account_lists import AccountLists, opened_lists

ZONE = "America/New_York"


@pytest.fixture(scope="module")
def stripe() -> Iterator[AccountLists]:
    with opened_lists(ZONE) as lists:
        yield lists


def local(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, ZoneInfo(ZONE))


def month(row: dict[str, Any]) -> str:
    return local(row["created"]).strftime("%Y-%m")


def card(row: dict[str, Any]) -> dict[str, Any]:
    return (row.get("payment_method_details") or {}).get("card") or {}


def summed(pairs: Any) -> dict[Any, int]:
    out: dict[Any, int] = defaultdict(int)
    for key, value in pairs:
        out[key] += value
    return dict(out)


def shares(pairs: Any) -> dict[Any, float]:
    """Of the truths of each key, which share is true."""
    out: dict[Any, list[bool]] = defaultdict(list)
    for key, value in pairs:
        out[key].append(value)
    return {key: round(sum(each) / len(each), 6) for key, each in out.items()}


def paid(stripe: AccountLists) -> pd.DataFrame:
    return stripe.frame("charges")[stripe.frame("charges")["status"] == "succeeded"]


def paid_rows(stripe: AccountLists) -> list[dict[str, Any]]:
    return [row for row in stripe.raw("charges") if row["status"] == "succeeded"]


def dollars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["currency"] == "usd"]


def month_of(df: pd.DataFrame) -> pd.Series:
    return df.stripe.local_day().dt.strftime("%Y-%m").rename("month")


def rounded(values: pd.Series) -> dict[Any, float]:
    return values.astype("float64").round(6).to_dict()


# Each question: as an analyst writes it, and by plain Python ------------------------------------------------
def net_by_month(s: AccountLists) -> Any:
    df = s.frame("balance_transactions")
    return df.groupby([month_of(df), "currency"])["net"].sum().to_dict()


def net_by_month_plain(s: AccountLists) -> Any:
    return summed(((month(r), r["currency"]), r["net"]) for r in s.raw("balance_transactions"))


def fee_share(s: AccountLists) -> Any:
    df = s.frame("balance_transactions").query("type == 'charge'")
    sums = df.groupby("currency")[["fee", "amount"]].sum()
    return rounded(sums["fee"] / sums["amount"])


def fee_share_plain(s: AccountLists) -> Any:
    rows = [r for r in s.raw("balance_transactions") if r["type"] == "charge"]
    fees, amounts = (summed((r["currency"], r[key]) for r in rows) for key in ("fee", "amount"))
    return {key: round(fees[key] / amounts[key], 6) for key in amounts}


def refund_rate_by_brand(s: AccountLists) -> Any:
    df = paid(s).dropna(subset=["payment_method_details_card_brand"])
    return rounded(df.assign(back=df["amount_refunded"] > 0).groupby(df.stripe["card_brand"])["back"].mean())


def refund_rate_by_brand_plain(s: AccountLists) -> Any:
    return shares((card(r)["brand"], r["amount_refunded"] > 0) for r in paid_rows(s) if card(r))


def failures(s: AccountLists) -> Any:
    df = s.frame("charges").query("status == 'failed'")
    return df.groupby([df.stripe["decline_code"], df.stripe["card_country"]]).size().to_dict()


def failures_plain(s: AccountLists) -> Any:
    return Counter(
        ((r["outcome"] or {}).get("reason"), card(r).get("country"))
        for r in s.raw("charges")
        if r["status"] == "failed" and (r["outcome"] or {}).get("reason") and card(r).get("country")
    )


def ltv(s: AccountLists) -> Any:
    df = paid(s).query("currency == 'usd'")
    return (df["amount"] - df["amount_refunded"]).groupby(df["customer"]).sum().nlargest(10).tolist()


def ltv_plain(s: AccountLists) -> Any:
    found = summed(
        (r["customer"], r["amount"] - r["amount_refunded"]) for r in dollars(paid_rows(s)) if r["customer"]
    )
    return sorted(found.values(), reverse=True)[:10]


def new_and_returning(s: AccountLists) -> Any:
    df = paid(s).dropna(subset=["customer"]).sort_values(["created", "id"])
    df = df.assign(new=~df.duplicated("customer"))
    return df.groupby([month_of(df), "new"]).size().to_dict()


def new_and_returning_plain(s: AccountLists) -> Any:
    met: set[str] = set()
    out: Counter[Any] = Counter()
    for r in sorted(paid_rows(s), key=lambda r: (r["created"], r["id"])):
        if r["customer"]:
            out[month(r), r["customer"] not in met] += 1
            met.add(r["customer"])
    return out


def heat_map(s: AccountLists) -> Any:
    df = s.frame("charges")
    times = df["created"].dt.tz_convert(ZONE)
    return df.groupby([times.dt.day_of_week.rename("day"), times.dt.hour.rename("hour")]).size().to_dict()


def heat_map_plain(s: AccountLists) -> Any:
    return Counter((local(r["created"]).weekday(), local(r["created"]).hour) for r in s.raw("charges"))


def rolling_week(s: AccountLists) -> Any:
    df = paid(s).query("currency == 'usd'")
    daily = df.groupby(df.stripe.local_day())["amount"].sum().asfreq("D", fill_value=0)
    found = daily.rolling(7).sum().dropna()
    return {day.date(): int(value) for day, value in found.tail(60).items()}


def rolling_week_plain(s: AccountLists) -> Any:
    daily = summed((local(r["created"]).date(), r["amount"]) for r in dollars(paid_rows(s)))
    last = max(daily)
    ends = [last - dt.timedelta(days=n) for n in range(60)]
    return {end: sum(daily.get(end - dt.timedelta(days=n), 0) for n in range(7)) for end in ends}


def year_on_year(s: AccountLists) -> Any:
    df = paid(s).query("currency == 'usd'")
    monthly = df["amount"].groupby(df.stripe.local_day().dt.to_period("M")).sum()
    change = (monthly / monthly.shift(12) - 1).dropna()
    return {str(key): round(value, 6) for key, value in change.items()}


def year_on_year_plain(s: AccountLists) -> Any:
    sums = summed((month(r), r["amount"]) for r in dollars(paid_rows(s)))
    before = {key: f"{int(key[:4]) - 1}{key[4:]}" for key in sums}
    return {key: round(sums[key] / sums[old] - 1, 6) for key, old in before.items() if old in sums}


def pivot_with_margins(s: AccountLists) -> Any:
    df = s.frame("charges").query("currency == 'usd'")
    table = df.pivot_table(
        index="status",
        columns="payment_method_details_card_brand",
        values="amount",
        aggfunc="sum",
        margins=True,
    )
    return table["All"].dropna().astype(int).to_dict()


def pivot_with_margins_plain(s: AccountLists) -> Any:
    rows = [r for r in dollars(s.raw("charges")) if card(r)]
    sums = summed((r["status"], r["amount"]) for r in rows)
    return {**sums, "All": sum(sums.values())}


def percentiles(s: AccountLists) -> Any:
    return paid(s).query("currency == 'usd'")["amount"].quantile([0.5, 0.9]).tolist()


def percentiles_plain(s: AccountLists) -> Any:
    values = sorted(r["amount"] for r in dollars(paid_rows(s)))
    cuts = statistics.quantiles(values, n=10, method="inclusive")
    return pytest.approx([statistics.median(values), cuts[8]])


def days_to_pay(s: AccountLists) -> Any:
    df = s.frame("invoices").dropna(subset=["status_transitions_paid_at", "status_transitions_finalized_at"])
    days = df["status_transitions_paid_at"] - df["status_transitions_finalized_at"]
    return rounded((days.dt.total_seconds() / 86400).groupby(df["currency"]).mean())


def days_to_pay_plain(s: AccountLists) -> Any:
    found: dict[str, list[float]] = defaultdict(list)
    for r in s.raw("invoices"):
        steps = r["status_transitions"]
        if steps["paid_at"] and steps["finalized_at"]:
            found[r["currency"]].append((steps["paid_at"] - steps["finalized_at"]) / 86400)
    return {key: pytest.approx(statistics.fmean(each), abs=2e-6) for key, each in found.items()}


def payouts_by_month(s: AccountLists) -> Any:
    df = s.frame("payouts")
    months = df.stripe.local_day("arrival_date").dt.strftime("%Y-%m")
    return df.groupby([months, "currency"])["amount"].sum().to_dict()


def payouts_by_month_plain(s: AccountLists) -> Any:
    utc = dt.UTC
    return summed(
        ((dt.datetime.fromtimestamp(r["arrival_date"], utc).strftime("%Y-%m"), r["currency"]), r["amount"])
        for r in s.raw("payouts")
    )


def dispute_rate(s: AccountLists) -> Any:
    """By brand and month of the charge, not of the dispute."""
    df = paid(s).dropna(subset=["payment_method_details_card_brand"])
    found = df["disputed"].astype("float64").groupby([df.stripe["card_brand"], month_of(df)]).mean()
    return rounded(found[found > 0])


def dispute_rate_plain(s: AccountLists) -> Any:
    found = shares(((card(r)["brand"], month(r)), r["disputed"]) for r in paid_rows(s) if card(r))
    return {key: value for key, value in found.items() if value}


def retries(s: AccountLists) -> Any:
    """Of the intents whose first charge failed, how many were paid in the end."""
    df = s.frame("charges").dropna(subset=["payment_intent"]).sort_values(["created", "id"])
    each = df.groupby("payment_intent")["status"].agg(["first", lambda all_: (all_ == "succeeded").any()])
    failed = each[each["first"] == "failed"]
    return len(failed), int(failed.iloc[:, 1].sum())


def retries_plain(s: AccountLists) -> Any:
    by: dict[str, list[str]] = defaultdict(list)
    for r in sorted(s.raw("charges"), key=lambda r: (r["created"], r["id"])):
        if r["payment_intent"]:
            by[r["payment_intent"]].append(r["status"])
    failed = [each for each in by.values() if each[0] == "failed"]
    return len(failed), sum("succeeded" in each for each in failed)


def in_euros(s: AccountLists) -> Any:
    df = paid(s).stripe.normalize("eur", rates=pd.DataFrame({"currency": ["usd", "gbp"], "rate": [0.9, 1.2]}))
    return int(df.stripe.total())


def in_euros_plain(s: AccountLists) -> Any:
    rates = {"usd": 0.9, "gbp": 1.2, "eur": 1.0}
    return sum(round(r["amount"] * rates[r["currency"]]) for r in paid_rows(s))


def cohorts(s: AccountLists) -> Any:
    df = paid(s).dropna(subset=["customer"])
    months = df.stripe.local_day().dt.to_period("M")
    first = months.groupby(df["customer"]).transform("min")
    table = pd.crosstab(first.astype(str), (months - first).map(lambda each: each.n))
    return {key: int(value) for key, value in table.stack().items() if value}  # noqa: PD013


def cohorts_plain(s: AccountLists) -> Any:
    rows = [(r["customer"], month(r)) for r in paid_rows(s) if r["customer"]]
    first: dict[str, str] = {}
    for who, when in rows:
        first[who] = min(when, first.get(who, when))
    ages = [
        (first[who], (int(when[:4]) - int(first[who][:4])) * 12 + int(when[5:]) - int(first[who][5:]))
        for who, when in rows
    ]
    return Counter(ages)


def mrr_by_interval(s: AccountLists) -> Any:
    df = s.frame("prices").dropna(subset=["recurring_interval"])
    return {key: int(value) for key, value in df.groupby("recurring_interval", observed=True).size().items()}


def mrr_by_interval_plain(s: AccountLists) -> Any:
    return Counter(r["recurring"]["interval"] for r in s.raw("prices") if r["recurring"])


def top_countries(s: AccountLists) -> Any:
    return paid(s).stripe["card_country"].value_counts().to_dict()


def top_countries_plain(s: AccountLists) -> Any:
    return Counter(card(r)["country"] for r in paid_rows(s) if card(r).get("country"))


def collected_share(s: AccountLists) -> Any:
    df = s.frame("invoices").query("status in ['paid', 'open', 'uncollectible']")
    sums = df.groupby("currency")[["amount_paid", "amount_due"]].sum()
    return rounded(sums["amount_paid"] / sums["amount_due"])


def collected_share_plain(s: AccountLists) -> Any:
    rows = [r for r in s.raw("invoices") if r["status"] in {"paid", "open", "uncollectible"}]
    got, due = (summed((r["currency"], r[key]) for r in rows) for key in ("amount_paid", "amount_due"))
    return {key: round(got[key] / due[key], 6) for key in due}


QUESTIONS: dict[str, tuple[Callable[[AccountLists], Any], Callable[[AccountLists], Any]]] = {
    "net volume by month and currency": (net_by_month, net_by_month_plain),
    "fees as a share of the volume": (fee_share, fee_share_plain),
    "refund rate by card brand": (refund_rate_by_brand, refund_rate_by_brand_plain),
    "failed payments by decline code and country": (failures, failures_plain),
    "the ten best customers by what they brought": (ltv, ltv_plain),
    "new and returning customers by month": (new_and_returning, new_and_returning_plain),
    "a heat map of weekday and hour over changes of the clock": (heat_map, heat_map_plain),
    "seven days rolling": (rolling_week, rolling_week_plain),
    "this year's months against last year's": (year_on_year, year_on_year_plain),
    "a pivot with margins": (pivot_with_margins, pivot_with_margins_plain),
    "median and 90th percentile": (percentiles, percentiles_plain),
    "days from an invoice to its payment": (days_to_pay, days_to_pay_plain),
    "payouts by month of arrival": (payouts_by_month, payouts_by_month_plain),
    "dispute rate by brand and month of the charge": (dispute_rate, dispute_rate_plain),
    "retries that succeeded": (retries, retries_plain),
    "everything in euros": (in_euros, in_euros_plain),
    "a table of cohorts": (cohorts, cohorts_plain),
    "prices by interval": (mrr_by_interval, mrr_by_interval_plain),
    "countries of cards": (top_countries, top_countries_plain),
    "how much of what was due was collected": (collected_share, collected_share_plain),
}


@each_row("question", list(QUESTIONS))
def test_a_question_has_the_answer_of_plain_python(stripe: AccountLists, question: str) -> None:
    asked, plain = QUESTIONS[question]
    found, expected = asked(stripe), plain(stripe)
    assert found == expected
    assert found  # of something


def test_the_same_by_sql(stripe: AccountLists) -> None:
    duckdb = pytest.importorskip("duckdb", reason="the extra duckdb")
    charges = stripe.frame("charges")
    with duckdb.connect() as database:
        database.register("charges", charges)
        found = database.sql(
            "select currency, sum(amount) from charges where status = 'succeeded' group by currency"
        ).fetchall()
    assert dict(found) == summed((r["currency"], r["amount"]) for r in paid_rows(stripe))


def test_the_same_by_polars(stripe: AccountLists) -> None:
    polars = pytest.importorskip("polars", reason="in the extra test only")
    df = stripe.frame("charges").stripe.to_polars()
    found = (
        df.filter(polars.col("status") == "succeeded").group_by("currency").agg(polars.col("amount").sum())
    )
    assert dict(found.rows()) == summed((r["currency"], r["amount"]) for r in paid_rows(stripe))
