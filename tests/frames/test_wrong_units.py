"""Amounts that surely aren't in the units that their frame says are refused: they are compared with what
Stripe sent for these rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest

import stripe_magics as sm
from stripe_magics.errors import FrameError
from stripe_magics.frames.frame_info import SEEN
from stripe_magics.magics.dataframe_display import bundle
from tests.each_row import each_row

ZONE = "America/New_York"


@pytest.fixture(scope="module")
def charges() -> Iterator[pd.DataFrame]:
    before = (set(SEEN.accounts), SEEN.major)
    SEEN.accounts = set()
    sm.connect(sandbox=True, zone=ZONE)
    yield sm.call("charges.list", limit=300)
    sm.close()
    SEEN.accounts, SEEN.major = before


def whole(df: pd.DataFrame) -> pd.DataFrame:
    """Rows of whole dollars: their digits don't say what they are."""
    return df[(df["amount"] % 100 == 0) & (df["currency"] == "usd")].copy()


def divided(df: pd.DataFrame) -> pd.DataFrame:
    df = whole(df)
    return df.assign(amount=df["amount"] // 100)


def divided_to_floats(df: pd.DataFrame) -> pd.DataFrame:
    df = whole(df)
    return df.assign(amount=df["amount"] / 100)


def updated(df: pd.DataFrame) -> pd.DataFrame:
    made = df.copy()
    made.update(whole(df).stripe.to_major()[["amount"]].astype("Int64"))
    return made


def set_by_loc(df: pd.DataFrame) -> pd.DataFrame:
    made, rows = df.copy(), whole(df).index
    made.loc[rows, "amount"] = df.stripe.to_major().loc[rows, "amount"].astype("int64")
    return made


def cents_among_dollars(df: pd.DataFrame) -> pd.DataFrame:
    made = df.stripe.to_major()
    made.loc[made.index[:9], "amount"] = df["amount"].head(9).astype("float64")
    return made


@each_row("mix", [divided, divided_to_floats, updated, set_by_loc, cents_among_dollars])
def test_amounts_a_hundred_times_off_are_refused(
    charges: pd.DataFrame, mix: Callable[..., pd.DataFrame]
) -> None:
    df = mix(charges)
    for verb in (
        df.stripe.to_major,
        df.stripe.to_minor,
        lambda: df.stripe.normalize("usd", rates={"eur": 1.1, "jpy": 0.01, "gbp": 1.3}),
        lambda: df.stripe.by_month("amount"),
    ):
        with pytest.raises(FrameError, match="where Stripe sent"):
            verb()
    if mix in {divided, divided_to_floats}:  # a sum of dollars is one of dollars
        assert df.stripe.total() == df["amount"].sum()
    else:
        with pytest.raises(FrameError, match="where Stripe sent"):
            df.stripe.total("amount", by="currency")
    units = "major" if mix is cents_among_dollars else "minor"
    assert len(df.stripe.to_major(units=units)) == len(df)  # who says what they are is believed
    shown = bundle(df.head(20))["text/plain"]
    assert "where Stripe sent" in shown


@each_row(
    "change",
    [
        lambda df: df.assign(amount=df["amount"] - df["amount_refunded"]),
        lambda df: df.assign(amount=df["amount"] * 2),
        lambda df: df.assign(amount=0),
        lambda df: df.sample(frac=1, random_state=1),
        lambda df: pd.concat([df, df]),
        lambda df: df.merge(df[["id", "status"]], on="id", how="left"),
        lambda df: df.stripe.normalize("gbp", rates={"eur": 0.01, "usd": 0.01}),
    ],
)
def test_amounts_that_a_person_made_are_theirs(charges: pd.DataFrame, change: Callable[..., Any]) -> None:
    df = change(charges)
    assert df.stripe.to_major().stripe.to_minor()["amount"].tolist() == df["amount"].tolist()


def test_what_is_joined_to_dollars_is_in_dollars(charges: pd.DataFrame) -> None:
    columns = ["amount", "balance_transaction_fee", "balance_transaction_net", "refunds_amount"]
    cents = charges.head(20).stripe.join("balance_transaction", "refunds")[columns]
    dollars = charges.head(20).stripe.to_major().stripe.join("balance_transaction", "refunds")
    assert dollars[columns].equals((cents / 100).astype("float64"))
    assert dollars.stripe.to_major()[columns].equals(dollars[columns])  # and known to be
    back = dollars.stripe.to_minor()[columns].astype("Int64")
    assert back.equals(cents.astype("Int64"))


def test_amounts_that_are_kept_beside_items_are_money_in_the_items_units(charges: pd.DataFrame) -> None:
    del charges  # the connection
    invoices = sm.call("invoices.list", limit=20)
    of_cents = invoices.stripe.explode("lines", keep=["total"])
    of_dollars = invoices.stripe.to_major().stripe.explode("lines", keep=["total"])
    assert of_dollars["invoice_total"].tolist() == of_cents["invoice_total"].tolist()
    totals = dict(zip(invoices["id"], invoices["total"] / 100, strict=True))
    made = of_cents.stripe.to_major()
    assert made["invoice_total"].tolist() == [totals[each] for each in made["invoice_id"]]


def test_columns_that_were_added_are_named_where_they_stay_as_they_are(charges: pd.DataFrame) -> None:
    df = charges.assign(net=charges["amount"] - charges["amount_refunded"])
    assert any(note.startswith("Left as they are: net.") for note in df.stripe.to_major().stripe.call.notes)
    declared = df.stripe.money("net").stripe.to_major()
    assert (declared["net"] == (declared["amount"] - declared["amount_refunded"]).round(2)).all()
    assert not any("Left as they are" in note for note in declared.stripe.call.notes)


def test_a_sum_counts_no_object_twice(charges: pd.DataFrame) -> None:
    double = pd.concat([charges, charges.head(3)])
    for verb in (lambda: double.stripe.total("amount", by="currency"), double.stripe.by_month):
        with pytest.raises(FrameError, match="3 rows repeat an object"):
            verb()
    once = double.drop_duplicates("id").stripe.total("amount", by="currency")
    assert once.equals(charges.stripe.total("amount", by="currency"))


def test_an_amount_without_its_currency_is_no_part_of_a_sum(charges: pd.DataFrame) -> None:
    df = charges.copy()
    df.loc[df.index[:3], "currency"] = None
    for verb in (
        df.stripe.total,
        lambda: df.stripe.total("amount", by="currency"),
        df.stripe.by_month,
        lambda: df.stripe.normalize("usd", rates={"eur": 1.1, "gbp": 1.3}),
    ):
        with pytest.raises(FrameError, match="3 rows have an amount in amount, but no currency"):
            verb()
    df = charges.assign(created=charges["created"].where(charges["amount"] > charges["amount"].min()))
    lost = int(df["created"].isna().sum())
    assert f"{lost:,} rows are left out: they have no created." in df.stripe.by_month().stripe.call.notes


@each_row(
    "rates, said",
    [
        ({"eur": 1.1, "gbp": float("nan")}, "The rate of gbp is nan"),
        ({"eur": 0, "gbp": 1.3}, "The rate of eur is 0"),
        ({"eur": -1.1, "gbp": 1.3}, "The rate of eur is -1.1"),
        ({"eur": "1,1", "gbp": 1.3}, "The rate of eur is '1,1'"),
        ({"eur": 1.1, "gbp": 1.3, "usd": 0.9}, "The rate of usd itself is 0.9"),
        ({"eur": 1.1}, "There is no rate for gbp"),
        (pd.DataFrame({"currency": ["eur", "eur"], "rate": [1.1, 1.2]}), "There are several rates for eur"),
    ],
)
def test_rates_that_cannot_be_right_are_refused(charges: pd.DataFrame, rates: Any, said: str) -> None:
    with pytest.raises(FrameError, match=said):
        charges.stripe.normalize("usd", rates=rates)


def test_what_was_added_up_over_currencies_says_so(charges: pd.DataFrame) -> None:
    added = bundle(charges.groupby("status")[["amount"]].sum())
    assert added is not None
    assert "The list is in several currencies (eur, gbp, usd)" in added["text/plain"]
    apart = bundle(charges.groupby(["status", "currency"])[["amount"]].sum())
    assert apart is not None
    assert "several currencies" not in apart["text/plain"]


def test_whole_dollars_without_what_a_frame_knew_are_not_taken_for_cents(charges: pd.DataFrame) -> None:
    SEEN.major = False  # another process converted them and wrote a file
    df = whole(charges)[["id", "object", "currency"]].assign(amount=whole(charges)["amount"] / 100)
    df.attrs.clear()
    with pytest.raises(FrameError, match="minor units .cents. or major units"):
        df.stripe.to_major()


def counts_as_ids(df: pd.DataFrame) -> pd.DataFrame:
    how = {"id": "count", "amount": "sum"}
    return df.pivot_table(index=["status", "currency"], values=list(how), aggfunc=how).reset_index()


def lists_as_ids(df: pd.DataFrame) -> pd.DataFrame:
    how = {"id": list, "amount": "sum"}
    return df.pivot_table(index=["status", "currency"], values=list(how), aggfunc=how).reset_index()


@each_row("added", [counts_as_ids, lists_as_ids, lambda df: counts_as_ids(df).assign(id=5)])
def test_an_aggregation_whose_ids_are_counts_or_lists_is_converted_and_shown(
    charges: pd.DataFrame, added: Callable[..., pd.DataFrame]
) -> None:
    df = added(charges)
    by_currency = charges.groupby("currency")["amount"].sum().to_dict()
    assert df.stripe.total("amount", by="currency").to_dict() == by_currency
    assert df.stripe.to_major()["amount"].tolist() == (df["amount"] / 100).tolist()
    bundle(df)  # however it is shown, it is


def test_a_wide_frame_with_counts_of_ids_is_added_up(charges: pd.DataFrame) -> None:
    how = {"id": "count", "amount": "sum"}
    df = charges.pivot_table(index="customer", columns="currency", values=list(how), aggfunc=how)
    assert df.stripe.total(("amount", "usd")) == whole_sum(charges, "usd")


def whole_sum(df: pd.DataFrame, currency: str) -> int:
    return int(df.loc[(df["currency"] == currency) & df["customer"].notna(), "amount"].sum())


@each_row(
    "rates", [{"eur": 1.1, "gbp": 1.3, "zwl": float("nan")}, pd.Series({"eur": 1.1, "gbp": 1.3, "xaf": None})]
)
def test_a_missing_rate_that_is_not_needed_is_no_fault(charges: pd.DataFrame, rates: Any) -> None:
    made = charges.stripe.normalize("usd", rates=rates)
    assert made["amount"].equals(charges.stripe.normalize("usd", rates={"eur": 1.1, "gbp": 1.3})["amount"])


def test_a_sum_counts_what_is_kept_of_a_holder_once(charges: pd.DataFrame) -> None:
    del charges  # the connection
    invoices = sm.call("invoices.list", limit=60)
    lines = invoices.stripe.explode("lines", keep=["total", "created"])
    assert not lines["invoice_id"].is_unique
    for verb in (
        lambda: lines.stripe.total("invoice_total", by="currency"),
        lambda: lines.stripe.by_month("invoice_total", column="invoice_created", zone=ZONE),
    ):
        with pytest.raises(FrameError, match="rows repeat the invoice_total"):
            verb()
    once = lines.drop_duplicates("invoice_id").stripe.total("invoice_total", by="currency")
    assert once.to_dict() == invoices.groupby("currency")["total"].sum().to_dict()
    assert lines.stripe.total("amount", by="currency").sum() == lines["amount"].sum()
    share = lines.assign(invoice_share=lines["amount"]).stripe.money("invoice_share")
    assert share.stripe.total("invoice_share", by="currency").sum() == lines["amount"].sum()


@each_row("column", ["created", "status_transitions_paid_at"])
def test_days_made_of_times_have_no_local_day(column: str) -> None:
    sm.connect(sandbox=True, zone=ZONE)
    df = sm.call("invoices.list", limit=40)
    days = df.assign(**{column: df[column].dt.floor("D")})
    if column != "created" and pd.__version__.startswith("2."):
        pytest.skip("before pandas 3 only `created` is remembered: a copy of each time costs memory")
    with pytest.raises(FrameError, match="no longer the times that Stripe sent"):
        days.stripe.local_day(column)
    with pytest.raises(FrameError, match="no longer the times"):
        days.stripe.by_month("total", column=column)
    as_they_are = days.stripe.local_day(column, zone="UTC").dropna()
    assert (as_they_are == df[column].dropna().dt.tz_localize(None).dt.normalize()).all()
    assert len(days.stripe.local_day(column, zone="Asia/Tokyo")) == len(days)  # the same day east of UTC
    sm.close()


def test_unknown_rows_that_were_all_made_at_midnight_are_told() -> None:
    rows = pd.DataFrame({"id": ["ch_1x", "ch_2x"], "amount": [100, 200], "currency": "usd"})
    rows["created"] = pd.to_datetime(["2026-03-01", "2026-03-02"], utc=True)
    with pytest.warns(UserWarning, match="All times of created are midnight in UTC") as warned:
        rows.stripe.local_day("created", zone=ZONE)
    assert [each.filename for each in warned] == [__file__]
    rows["created"] += pd.to_timedelta([0, 1], unit="h")
    assert rows.stripe.local_day("created", zone=ZONE).dt.day.tolist() == [28, 1]


def test_rows_that_lost_what_they_knew_are_compared_by_their_ids(charges: pd.DataFrame) -> None:
    lost = divided(charges)
    lost.attrs = {}
    amount = lost[["id", "amount", "currency"]]
    with pytest.raises(FrameError, match="where Stripe sent"):
        amount.stripe.to_major()
    assert amount.stripe.to_minor(units="major")["amount"].tolist() == whole(charges)["amount"].tolist()
    twice = pd.concat([amount, amount])
    with pytest.raises(FrameError, match="repeat an object"):
        twice.stripe.total("amount")


def test_whole_dollars_of_a_file_are_not_cents_because_of_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    sm.connect(sandbox=True)
    sm.call("charges.list", limit=2)  # something was read here, but not these rows
    monkeypatch.setattr(SEEN, "major", False)
    rows = pd.DataFrame({"id": ["ch_1x", "ch_2x"], "amount": [25.0, None], "currency": "usd"})
    with pytest.raises(FrameError, match="It is not known whether 'amount' is in minor units"):
        rows.stripe.to_major()
    assert rows.stripe.to_minor(units="major")["amount"].iloc[0] == 2500
    monkeypatch.setattr(SEEN, "frames", False)  # a process that only reads files
    with pytest.raises(FrameError, match="It is not known"):
        rows[["amount", "currency"]].stripe.to_major(["amount"])
    sm.close()
