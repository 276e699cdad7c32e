"""What analysts do with frames, as they would write it, each number worked out from Stripe's raw JSON without
pandas."""

from __future__ import annotations

import copy
import datetime as dt
import json
import pickle
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from frames.account_lists import AccountLists, opened_lists
from pandas.testing import assert_frame_equal

import stripe_magics as sm
from stripe_magics.accessor.object_reader import fetch
from stripe_magics.client import shared_connection
from stripe_magics.client.http.response import ApiResponse
from stripe_magics.errors import FrameError, UsageFault
from stripe_magics.frames.frame_info import SEEN, FrameInfo
from stripe_magics.money import exponent
from stripe_magics.request import Request

ZONE = "America/Los_Angeles"
PANDAS_3 = int(pd.__version__.partition(".")[0]) >= 3


@pytest.fixture(scope="module")
def stripe() -> Iterator[AccountLists]:
    with opened_lists(ZONE) as lists:
        yield lists


@pytest.fixture(autouse=True)
def _fresh_units() -> Iterator[None]:
    """Each analysis is a notebook of its own: what an earlier one converted doesn't count."""
    SEEN.major = False
    return None


def local(seconds: int, zone: str = ZONE) -> dt.date:
    return dt.datetime.fromtimestamp(seconds, ZoneInfo(zone)).date()


def sums(rows: Any, key: Any, value: Any) -> dict[Any, int]:
    out: dict[Any, int] = defaultdict(int)
    for row in rows:
        out[key(row)] += value(row)
    return dict(out)


def amount(row: dict[str, Any]) -> int:
    return int(row["amount"])


def days(found: pd.Series) -> dict[dt.date, int]:
    return {key.date(): int(value) for key, value in found.items()}


paid = lambda rows: [row for row in rows if row["status"] == "succeeded"]  # noqa: E731


# Sums and counts --------------------------------------------------------------------------------------------
def test_01_volume_by_currency(stripe: AccountLists) -> None:
    df = stripe.frame("charges")
    found = df[df["status"] == "succeeded"].groupby("currency")["amount"].sum()
    assert found.to_dict() == sums(
        paid(stripe.raw("charges")), lambda r: r["currency"], lambda r: r["amount"]
    )
    # no currencies that there aren't
    assert len(found) == len({row["currency"] for row in paid(stripe.raw("charges"))})


def test_02_payments_by_status(stripe: AccountLists) -> None:
    assert stripe.frame("payment_intents")["status"].value_counts().to_dict() == Counter(
        row["status"] for row in stripe.raw("payment_intents")
    )


def test_03_revenue_by_local_day(stripe: AccountLists) -> None:
    df = stripe.frame("charges").query("status == 'succeeded' and currency == 'usd'")
    found = df.groupby(df.stripe.local_day())["amount"].sum()
    rows = [row for row in paid(stripe.raw("charges")) if row["currency"] == "usd"]
    assert days(found) == sums(rows, lambda r: local(r["created"]), lambda r: r["amount"])


def test_04_revenue_by_local_day_of_two_calls_put_together(stripe: AccountLists) -> None:
    """October in two pulls is October: the zone survives pd.concat."""
    half = int(stripe.frame("charges")["created"].median().timestamp())
    df = stripe.frame("charges")
    stamp = pd.Timestamp(half, unit="s", tz="UTC")
    first, second = df[df["created"] < stamp], df[df["created"] >= stamp]
    other = sm.call("charges.list", limit="all")  # another call: other request ids
    both = pd.concat([first, other[other["created"] >= stamp]], ignore_index=True)
    assert both.attrs["stripe"]["zone"] == ZONE
    assert len(both) == len(first) + len(second)
    found = both.groupby([both.stripe.local_day(), "currency"])["amount"].sum()
    want = sums(stripe.raw("charges"), lambda r: (local(r["created"]), r["currency"]), lambda r: r["amount"])
    assert {(day.date(), currency): int(value) for (day, currency), value in found.items()} == want


def test_05_by_month_in_the_accounts_zone(stripe: AccountLists) -> None:
    found = stripe.frame("charges").stripe.by_month()
    want = sums(
        stripe.raw("charges"),
        lambda r: (local(r["created"]).strftime("%Y-%m"), r["currency"]),
        lambda r: r["amount"],
    )
    assert {(str(row.month), row.currency): row.amount for row in found.itertuples()} == want


def test_06_hour_of_day(stripe: AccountLists) -> None:
    df = stripe.frame("charges")
    found = df["created"].dt.tz_convert(ZONE).dt.hour.value_counts().to_dict()
    assert found == Counter(
        dt.datetime.fromtimestamp(row["created"], ZoneInfo(ZONE)).hour for row in stripe.raw("charges")
    )


def test_07_average_payment_in_dollars(stripe: AccountLists) -> None:
    df = stripe.frame("charges").query("currency == 'usd'")
    rows = [row["amount"] for row in stripe.raw("charges") if row["currency"] == "usd"]
    out = df.groupby("currency", as_index=False).agg(avg=("amount", "mean"), payments=("id", "count"))
    said = out.stripe.money("avg").stripe.to_major()
    assert said["avg"].iloc[0] == round(sum(rows) / len(rows) / 100, 2)
    assert said["payments"].iloc[0] == len(rows)  # a count is no money


def test_08_a_total_over_currencies_is_refused(stripe: AccountLists) -> None:
    df = stripe.frame("charges")
    with pytest.raises(FrameError, match="currencies"):
        df.stripe.total("amount")
    want = sums(stripe.raw("charges"), lambda r: r["currency"], lambda r: r["amount"])
    assert df.stripe.total("amount", by="currency").to_dict() == want
    assert df[df["currency"] == "eur"].stripe.total() == want["eur"]


def test_09_major_units_of_every_amount(stripe: AccountLists) -> None:
    df = stripe.frame("charges").stripe.to_major()
    want = [float(Decimal(row["amount"]).scaleb(-exponent(row["currency"]))) for row in stripe.raw("charges")]
    assert df["amount"].tolist() == want
    again = df.stripe.to_major()
    assert again["amount"].tolist() == want
    assert again.stripe.to_minor()["amount"].tolist() == [row["amount"] for row in stripe.raw("charges")]


def test_10_in_one_currency(stripe: AccountLists) -> None:
    rates = {"eur": 1.1, "gbp": 1.25}
    df = (
        stripe.frame("charges")
        .query("currency in ['usd', 'eur', 'gbp']")
        .stripe.normalize(to="usd", rates=rates)
    )
    rows = [row for row in stripe.raw("charges") if row["currency"] in {"usd", "eur", "gbp"}]
    assert df["amount"].tolist() == [
        round(row["amount"] * {**rates, "usd": 1.0}[row["currency"]]) for row in rows
    ]
    assert set(df["currency"]) == {"usd"}
    with pytest.raises(FrameError, match="no rate"):
        stripe.frame("charges").stripe.normalize(to="usd", rates={})


def test_11_counts_named_like_money_stay_counts(stripe: AccountLists) -> None:
    df = stripe.frame("customers")
    df["total_orders"], df["price_tier"] = 5, 2
    assert not {"total_orders", "price_tier"} & set(df.stripe.amounts())
    assert set(df.stripe.to_major()["total_orders"]) == {5}
    prices = stripe.frame("prices")
    assert "transform_quantity_divide_by" not in prices.stripe.amounts()
    assert {"unit_amount", "unit_amount_decimal"} <= set(prices.stripe.amounts())


def test_12_unit_amounts_as_text_follow(stripe: AccountLists) -> None:
    df, raw = stripe.frame("prices"), stripe.raw("prices")
    major = df.stripe.to_major()
    want = [
        (
            None
            if row["unit_amount_decimal"] is None
            else Decimal(row["unit_amount_decimal"]).scaleb(-exponent(row["currency"]))
        )
        for row in raw
    ]
    assert [None if pd.isna(each) else Decimal(each) for each in major["unit_amount_decimal"]] == want
    whole = [row["unit_amount"] for row in raw]
    assert [None if pd.isna(each) else float(each) for each in major["unit_amount"]] == [
        None if each is None else each / 10 ** exponent(row["currency"])
        for each, row in zip(whole, raw, strict=True)
    ]
    assert None in whole  # of a price in tiers


def test_13_a_pivot_by_currency(stripe: AccountLists) -> None:
    df = stripe.frame("charges").query("status == 'succeeded'")
    df["month"] = df.stripe.local_day().dt.strftime("%Y-%m")
    wide = df.pivot_table(index="month", columns="currency", values="amount", aggfunc="sum").stripe.to_major()
    want = sums(
        paid(stripe.raw("charges")),
        lambda r: (local(r["created"]).strftime("%Y-%m"), r["currency"]),
        lambda r: r["amount"],
    )
    for (month, currency), value in want.items():
        assert wide.loc[month, currency] == round(value / 10 ** exponent(currency), 2)


def test_14_wide_twice_is_wide_once(stripe: AccountLists) -> None:
    out = stripe.frame("charges").stripe.by_month()
    wide = out.stripe.wide(index="month", values="amount")
    assert_frame_equal(wide.stripe.to_major().stripe.to_major(), wide.stripe.to_major())
    assert wide.stripe.to_major()["usd"].iloc[0] == wide["usd"].iloc[0] / 100


# Joins ------------------------------------------------------------------------------------------------------
def test_15_names_of_customers_by_merge(stripe: AccountLists) -> None:
    df = stripe.frame("charges").merge(
        stripe.frame("customers")[["id", "name"]],
        left_on="customer",
        right_on="id",
        how="left",
        suffixes=("", "_customer"),
    )
    names = {row["id"]: row["name"] for row in stripe.raw("customers")}
    want = sums(
        stripe.raw("charges"), lambda r: (names.get(r["customer"]), r["currency"]), lambda r: r["amount"]
    )
    found = df.groupby(["name", "currency"])["amount"].sum().to_dict()
    assert found == {key: value for key, value in want.items() if key[0] is not None}
    assert df.stripe.to_major()["amount"].iloc[0] == stripe.raw("charges")[0]["amount"] / 10 ** exponent(
        stripe.raw("charges")[0]["currency"]
    )


def test_16_fees_by_merge_with_a_suffix_have_their_own_currency(stripe: AccountLists) -> None:
    entries = stripe.frame("balance_transactions")[["id", "amount", "fee", "net", "currency"]]
    df = stripe.frame("charges").merge(
        entries, left_on="balance_transaction", right_on="id", how="left", suffixes=("", "_bt")
    )
    by_id = {row["id"]: row for row in stripe.raw("balance_transactions")}
    major = df.stripe.to_major()
    assert df.stripe.currency_of("amount_bt") == "currency_bt"
    for row, found in zip(stripe.raw("charges"), major["amount_bt"], strict=True):
        entry = by_id.get(row["balance_transaction"])
        if entry is None:
            assert pd.isna(found)
        else:
            assert found == round(entry["amount"] / 10 ** exponent(entry["currency"]), 2)


def test_17_fee_rate_of_expanded_charges(stripe: AccountLists) -> None:
    df = stripe.frame("charges", "data.balance_transaction")
    raw = [
        row["balance_transaction"]
        for row in stripe.raw("charges", "data.balance_transaction")
        if row["balance_transaction"]
    ]
    assert int(df["balance_transaction_fee"].sum()) == sum(row["fee"] for row in raw)
    assert str(df["balance_transaction_available_on"].dtype) == "datetime64[us, UTC]"
    assert "balance_transaction_available_on" not in df.stripe.amounts()
    assert df.stripe.currency_of("balance_transaction_net") == "balance_transaction_currency"


def test_18_expanded_columns_have_the_dtypes_of_their_own_list(stripe: AccountLists) -> None:
    wrong = []
    for name, field, kind in (
        ("charges", "balance_transaction", "balance_transactions"), ("charges", "customer", "customers"),
        ("charges", "payment_intent", "payment_intents"),
        ("charges", "invoice", "invoices"), ("invoices", "subscription", "subscriptions"),
        ("invoices", "customer", "customers"), ("invoices", "charge", "charges"),
        ("subscriptions", "latest_invoice", "invoices"), ("subscriptions", "customer", "customers"),
        ("prices", "product", "products"),
        ("payment_intents", "latest_charge", "charges"), ("payment_intents", "customer", "customers"),
        ("refunds", "charge", "charges"),
        ("disputes", "charge", "charges"), ("balance_transactions", "source", ""),
    ):  # fmt: skip
        df = sm.call(f"{name}.list", limit=100, expand=[f"data.{field}"])
        assert df[field].dropna().map(type).eq(str).all()
        if not kind:
            continue
        own = stripe.frame(kind).dtypes.astype(str)
        for column, dtype in df.dtypes.astype(str).items():
            inner = (
                str(column).removeprefix(f"{field}__")
                if str(column).startswith(f"{field}__")
                else str(column).removeprefix(f"{field}_")
            )
            if (
                inner != column
                and inner in own
                and str(column) not in stripe.frame(name).columns
                and dtype != own[inner]
                and {dtype, own[inner]} != {"int64", "Int64"}
            ):
                wrong.append((name, column, dtype, own[inner]))
    assert not wrong


def test_19_an_expanded_customer_leaves_the_invoices_own_fields_alone(stripe: AccountLists) -> None:
    df = stripe.frame("invoices", "data.customer")
    raw = stripe.raw("invoices", "data.customer")
    assert df["customer_name"].where(df["customer_name"].notna(), None).tolist() == [
        row["customer_name"] for row in raw
    ]
    assert df["customer__name"].where(df["customer__name"].notna(), None).tolist() == [
        row["customer"]["name"] for row in raw
    ]


def test_20_join_customer_and_fee(stripe: AccountLists) -> None:
    df = stripe.frame("charges").head(150).stripe.join("customer", "balance_transaction")
    raw = stripe.raw("charges", "data.customer", "data.balance_transaction")[:150]
    assert len(df) == 150
    assert df["customer_email"].where(df["customer_email"].notna(), None).tolist() == [
        (row["customer"] or {}).get("email") for row in raw
    ]
    assert df["balance_transaction_fee"].sum() == sum(
        (row["balance_transaction"] or {}).get("fee", 0) for row in raw
    )
    assert df.stripe.currency_of("balance_transaction_fee") == "balance_transaction_currency"


def test_20b_objects_are_read_from_pages_as_long_as_that_is_cheaper() -> None:
    """Each page has to bring two objects at least; what is left is asked for one by one."""
    sent: list[tuple[str, dict[str, str]]] = []

    def answered(data: dict[str, Any]) -> ApiResponse:
        return ApiResponse(status=200, body=json.dumps(data).encode())

    class Listed:
        def send(self, request: Request) -> ApiResponse:
            params = dict(request.params)
            sent.append((request.path, params))
            if request.path != "/v1/customers":
                return answered({"id": request.path.removeprefix("/v1/customers/")})
            first = int(params.get("starting_after", "cus_-1").removeprefix("cus_")) + 1
            rows = [{"id": f"cus_{number}"} for number in range(first, first + int(params["limit"]))]
            return answered({"object": "list", "data": rows, "has_more": True})

    def read(*numbers: int) -> list[tuple[str, dict[str, str]]]:
        sent.clear()
        found = fetch(Listed(), "customer", [f"cus_{number}" for number in numbers])
        assert sorted(each["id"] for each in found) == sorted(f"cus_{number}" for number in numbers)
        return sent

    newest = ("/v1/customers", {"limit": "100"})
    second = ("/v1/customers", {"limit": "100", "starting_after": "cus_99"})
    assert read(1, 2) == [("/v1/customers/cus_1", {}), ("/v1/customers/cus_2", {})]
    assert read(1, 2, 3) == [newest]
    assert read(1, 2, 101, 102, 103) == [newest, second]
    assert read(1, 2, 101, 102) == [newest, ("/v1/customers/cus_101", {}), ("/v1/customers/cus_102", {})]
    alone = [(f"/v1/customers/cus_{number}", {}) for number in (250, 251, 252)]
    assert read(1, 2, 101, 250, 251, 252) == [newest, second, *alone]


def test_21_join_refunds_does_not_double(stripe: AccountLists) -> None:
    df = stripe.frame("charges").stripe.join("refunds")
    counted = [
        row for row in stripe.raw("refunds") if row["status"] in {"succeeded", "pending", "requires_action"}
    ]
    want = sums(counted, lambda r: r["charge"], lambda r: r["amount"])
    assert df["amount"].sum() == sum(row["amount"] for row in stripe.raw("charges"))
    assert dict(zip(df["id"], df["refunds_amount"], strict=True)) == {
        row["id"]: want.get(row["id"], 0) for row in stripe.raw("charges")
    }
    assert "refunds_amount" in df.stripe.amounts()
    assert "refunds_count" not in df.stripe.amounts()


def test_21b_join_over_a_mirror_is_the_same_and_asks_for_nothing(
    stripe: AccountLists, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("customer", "balance_transaction", "refunds", "disputes")
    lists = ("customers", "balance_transactions", "refunds", "disputes")
    sm.sync(tmp_path / "mirror", *lists, quiet=True)
    charges = stripe.frame("charges")
    want = charges.stripe.join(*names)
    current = shared_connection.current()
    monkeypatch.setattr(current, "send", lambda *args, **options: pytest.fail("a request"))
    found = charges.stripe.join(*names, mirror=tmp_path / "mirror")
    assert_frame_equal(found[want.columns.tolist()], want)
    assert found.stripe.currency_of("balance_transaction_fee") == "balance_transaction_currency"
    with pytest.raises(FrameError, match="has no list of invoice objects"):
        charges.stripe.join("invoice", mirror=tmp_path / "mirror")
    with pytest.raises(FrameError, match="is not a mirror"):
        charges.stripe.join("customer", mirror=tmp_path)
    changed = charges.assign(customer="cus_unknown")
    out = changed.stripe.join("customer", mirror=tmp_path / "mirror")
    assert out["customer_email"].isna().all()
    assert out.stripe.call.notes == ("1 of 1 customer objects aren't in the mirror.",)
    other = FrameInfo.of(charges).replace(account="acct_1OtherOtherOther").put(charges.copy())
    with pytest.raises(FrameError, match="another account"):
        other.stripe.join("customer", mirror=tmp_path / "mirror")


def test_22_refund_rate_by_month(stripe: AccountLists) -> None:
    df = stripe.frame("charges").query("status == 'succeeded'")
    month = df.stripe.local_day().dt.strftime("%Y-%m")
    found = (df["amount_refunded"] > 0).groupby(month).mean()
    rows = paid(stripe.raw("charges"))
    total, refunded = Counter(), Counter()
    for row in rows:
        key = local(row["created"]).strftime("%Y-%m")
        total[key] += 1
        refunded[key] += row["amount_refunded"] > 0
    assert found.to_dict() == pytest.approx({key: refunded[key] / total[key] for key in total})


def test_23_the_payments_model(stripe: AccountLists) -> None:
    df = sm.model("payments")
    raw = stripe.raw("charges", "data.balance_transaction", "data.customer", "data.invoice")
    assert df["id"].tolist() == [row["id"] for row in raw]
    assert df["net"].sum() == sum(
        row["balance_transaction"]["net"] for row in raw if row["balance_transaction"]
    )
    assert df["card_brand"].value_counts().to_dict() == Counter(
        row["payment_method_details"]["card"]["brand"]
        for row in raw
        if (row["payment_method_details"] or {}).get("card")
    )
    assert df["invoice_number"].notna().sum() == sum(
        bool(row["invoice"] and row["invoice"]["number"]) for row in raw
    )
    assert df.stripe.currency_of("net") == "settlement_currency"
    assert df.attrs["stripe"]["complete"]
    plans = [
        {
            line["price"]["nickname"] or line["price"]["id"]
            for line in ((row["invoice"] or {}).get("lines") or {"data": []})["data"]
            if line["type"] == "subscription" and line["price"]
        }
        for row in raw
    ]
    assert [set(plan.split("; ")) if isinstance(plan, str) else set() for plan in df["plan"]] == plans
    assert any(plans)


def test_24_the_revenue_model(stripe: AccountLists) -> None:
    df = sm.model("revenue")
    want = sums(
        stripe.raw("balance_transactions"),
        lambda r: (local(r["created"]), r["currency"], r["reporting_category"]),
        lambda r: r["net"],
    )
    assert {(row.day.date(), row.currency, row.category): row.net for row in df.itertuples()} == want


def test_25_the_subscriptions_model(stripe: AccountLists) -> None:
    df = sm.model("subscriptions")
    raw = sm.call("subscriptions.list", limit="all", status="all", raw=True)
    items = [(row["id"], item) for row in raw for item in row["items"]["data"]]
    assert df["item"].tolist() == [item["id"] for _, item in items]
    month = {"day": 365 / 12, "week": 52 / 12, "month": 1, "year": 1 / 12}
    want = [
        (
            None
            if item["price"]["unit_amount"] is None  # in tiers: what it costs depends on the quantity
            else round(
                item["price"]["unit_amount"]
                * item["quantity"]
                * month[item["price"]["recurring"]["interval"]]
                / item["price"]["recurring"]["interval_count"]
            )
        )
        for _, item in items
    ]
    assert [None if pd.isna(each) else each for each in df["monthly_amount"]] == want


# Lists inside -----------------------------------------------------------------------------------------------
def test_26_fees_by_type(stripe: AccountLists) -> None:
    lines = stripe.frame("balance_transactions").stripe.explode("fee_details")
    want = sums(
        (part for row in stripe.raw("balance_transactions") for part in row["fee_details"]),
        lambda r: (r["type"], r["currency"]),
        lambda r: r["amount"],
    )
    assert lines.groupby(["type", "currency"])["amount"].sum().to_dict() == want
    assert lines.stripe.to_major()["amount"].iloc[0] == lines["amount"].iloc[0] / 10 ** exponent(
        lines["currency"].iloc[0]
    )


def test_27_lines_of_invoices_are_whole(stripe: AccountLists) -> None:
    df = stripe.frame("invoices")
    lines = df.stripe.explode("lines", keep=["number"])
    whole = sum(
        (
            len(
                sm.call("get", path=f"/v1/invoices/{row['id']}/lines", query={"limit": 100}, raw=True)["data"]
            )
            if row["lines"]["has_more"]
            else len(row["lines"]["data"])
        )
        for row in stripe.raw("invoices")
    )
    assert len(lines) == whole
    assert list(lines.columns[:2]) == ["invoice_id", "invoice_number"]
    numbers = {row["id"]: row["number"] for row in stripe.raw("invoices")}
    for id_, number in zip(lines["invoice_id"], lines["invoice_number"], strict=True):
        assert numbers[id_] == (None if pd.isna(number) else number)


def test_28_lines_of_a_converted_frame_are_in_minor_units(stripe: AccountLists) -> None:
    lines = stripe.frame("invoices").head(50).stripe.to_major().stripe.explode("lines")
    raw = [line for row in stripe.raw("invoices")[:50] for line in row["lines"]["data"]]
    assert lines["amount"].head(min(10, len(raw))).tolist() == [line["amount"] for line in raw[:10]]
    assert lines.stripe.to_major()["amount"].iloc[0] == raw[0]["amount"] / 10 ** exponent(raw[0]["currency"])


def test_29_no_items_have_the_columns_of_items(stripe: AccountLists) -> None:
    none = stripe.frame("invoices").head(0).stripe.explode("lines")
    some = stripe.frame("invoices").head(5).stripe.explode("lines")
    assert {"amount", "currency", "description"} <= set(none.columns)
    assert set(none.columns) <= set(some.columns)
    assert not len(none)
    with pytest.raises(FrameError, match="no lists"):
        stripe.frame("invoices").stripe.explode("total")
    with pytest.raises(UsageFault, match="lines"):
        stripe.frame("invoices").stripe.explode("line")


def test_30_products_sold(stripe: AccountLists) -> None:
    items = stripe.frame("subscriptions").stripe.explode("items")
    raw = [item for row in stripe.raw("subscriptions") for item in row["items"]["data"]]
    assert items.groupby("price_product")["quantity"].sum().to_dict() == sums(
        raw,
        lambda r: r["price"]["product"],
        lambda r: r.get("quantity", 0),  # metered items have none
    )


def test_31_payloads_of_events(stripe: AccountLists) -> None:
    events = sm.call("events.list", limit=500)
    raw = sm.call("events.list", limit=500, raw=True)
    paid_intents = events[events["type"] == "payment_intent.succeeded"].stripe.objects(
        "data_object", keep=["type"]
    )
    rows = [row["data"]["object"] for row in raw if row["type"] == "payment_intent.succeeded"]
    assert len(rows) > 0
    assert paid_intents["amount"].tolist() == [row["amount"] for row in rows]
    assert paid_intents["created"].dtype == stripe.frame("payment_intents")["created"].dtype
    assert paid_intents["event_id"].is_unique


# Days, ageing, cohorts --------------------------------------------------------------------------------------
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati"])
def test_32_days_of_payouts_in_every_zone(stripe: AccountLists, zone: str) -> None:
    found = stripe.frame("payouts").stripe.local_day("arrival_date", zone=zone)
    assert [each.date() for each in found] == [
        local(row["arrival_date"], "UTC") for row in stripe.raw("payouts")
    ]
    entries = stripe.frame("balance_transactions", "data.source").head(50)
    assert [each.date() for each in entries.stripe.local_day("available_on", zone=zone)] == [
        local(row["available_on"], "UTC") for row in stripe.raw("balance_transactions")[:50]
    ]


def test_33_open_invoices_by_age(stripe: AccountLists) -> None:
    df = stripe.frame("invoices").query("status == 'open'")
    at = stripe.frame("invoices")["created"].max()
    late = df[df["due_date"] < at]
    raw = [
        row
        for row in stripe.raw("invoices")
        if row["status"] == "open" and row["due_date"] and row["due_date"] < int(at.timestamp())
    ]
    assert late["amount_remaining"].sum() == sum(row["amount_remaining"] for row in raw)
    assert ((at - late["due_date"]).dt.days // 30).value_counts().to_dict() == Counter(
        (int(at.timestamp()) - row["due_date"]) // 86400 // 30 for row in raw
    )


def test_34_cohorts_by_first_payment(stripe: AccountLists) -> None:
    df = stripe.frame("charges").query("status == 'succeeded'").dropna(subset=["customer"])
    df["month"] = df.stripe.local_day().dt.strftime("%Y-%m")
    df["cohort"] = df.groupby("customer")["month"].transform("min")
    found = df.groupby(["cohort", "month"])["customer"].nunique().to_dict()
    first: dict[str, str] = {}
    for row in paid(stripe.raw("charges")):
        if row["customer"]:
            month = local(row["created"]).strftime("%Y-%m")
            first[row["customer"]] = min(month, first.get(row["customer"], month))
    pairs = {
        (first[row["customer"]], local(row["created"]).strftime("%Y-%m"), row["customer"])
        for row in paid(stripe.raw("charges"))
        if row["customer"]
    }
    assert found == Counter(pair[:2] for pair in pairs)


def test_35_resample_by_week(stripe: AccountLists) -> None:
    df = stripe.frame("charges").query("currency == 'usd' and status == 'succeeded'")
    found = df.set_index("created").resample("W")["amount"].sum()
    rows = [row for row in paid(stripe.raw("charges")) if row["currency"] == "usd"]

    def sunday(row: dict[str, Any]) -> dt.date:
        day = local(row["created"], "UTC")
        return day + dt.timedelta(days=6 - day.weekday())

    assert {day: value for day, value in days(found).items() if value} == sums(
        rows, sunday, lambda r: r["amount"]
    )


def test_36_intervals_are_ordered(stripe: AccountLists) -> None:
    df = stripe.frame("prices").dropna(subset=["recurring_interval"])
    assert (df["recurring_interval"] < "year").sum() == sum(
        row["recurring"]["interval"] != "year" for row in stripe.raw("prices") if row["recurring"]
    )
    assert (
        df["recurring_interval"].dtype
        == stripe.frame("subscriptions").stripe.explode("items")["price_recurring_interval"].dtype
    )


# Open lists, hashing, filters -------------------------------------------------------------------------------
def test_37_text_columns_behave_as_text(stripe: AccountLists) -> None:
    df = stripe.frame("charges")
    assert (df["currency"].str.upper() + "/" + df["status"]).iloc[
        0
    ] == f"{stripe.raw('charges')[0]['currency'].upper()}/{stripe.raw('charges')[0]['status']}"
    assert df["failure_code"].fillna("none").value_counts()["none"] == sum(
        row["failure_code"] is None for row in stripe.raw("charges")
    )
    assert df["status"].replace({"succeeded": "paid"}).eq("paid").sum() == len(paid(stripe.raw("charges")))
    assert (df["currency"] == stripe.frame("payouts")["currency"].iloc[0]).any() in {True, False}


def test_38_merge_asof_with_rates(stripe: AccountLists) -> None:
    df = stripe.frame("charges").sort_values("created")
    rates = pd.DataFrame(
        {
            "day": pd.to_datetime(["2000-01-01", "2026-10-15"], utc=True).astype("datetime64[us, UTC]"),
            "currency": pd.Series(["eur", "eur"], dtype=df["currency"].dtype),
            "rate": [1.0, 2.0],
        }
    )
    out = pd.merge_asof(df, rates, left_on="created", right_on="day", by="currency")
    turn = int(pd.Timestamp("2026-10-15", tz="UTC").timestamp())
    assert (out["rate"] == 2.0).sum() == sum(
        row["currency"] == "eur" and row["created"] >= turn for row in stripe.raw("charges")
    )


def test_39_duplicates_and_uniques_work_on_every_list(stripe: AccountLists) -> None:
    for name in (
        "charges",
        "customers",
        "invoices",
        "subscriptions",
        "prices",
        "products",
        "payment_intents",
        "payouts",
        "refunds",
        "disputes",
        "coupons",
        "payment_methods",
        "balance_transactions",
    ):
        df = sm.call(f"{name}.list", limit=100)
        twice = pd.concat([df, df], ignore_index=True)
        assert len(twice.drop_duplicates()) == len(df), name
        assert twice.nunique()["id"] == len(df), name


def test_40_by_metadata(stripe: AccountLists) -> None:
    df = stripe.frame("payment_intents")
    key = next(key for row in stripe.raw("payment_intents") for key in row["metadata"])
    found = df.stripe.metadata(key).groupby(f"metadata[{key}]")["amount"].sum().to_dict()
    assert found == sums(
        (row for row in stripe.raw("payment_intents") if key in row["metadata"]),
        lambda r: r["metadata"][key],
        lambda r: r["amount"],
    )
    assert df.groupby("metadata")["amount"].sum().sum() == sum(
        row["amount"] for row in stripe.raw("payment_intents")
    )


def test_41_cells_are_nobodys_else(stripe: AccountLists) -> None:
    df = stripe.frame("payment_intents")
    with pytest.raises(TypeError, match="copy"):
        df.loc[0, "metadata"]["x"] = "y"
    mine = dict(df.loc[0, "metadata"])
    mine["x"] = "y"
    assert df.loc[0, "metadata"] == stripe.raw("payment_intents")[0]["metadata"]


def test_42_columns_named_like_methods(stripe: AccountLists) -> None:
    assert stripe.frame("prices").stripe.product.tolist() == [row["product"] for row in stripe.raw("prices")]
    assert [len(each) for each in stripe.frame("subscriptions").stripe["items"]] == [
        len(row["items"]["data"]) for row in stripe.raw("subscriptions")
    ]


def test_43_short_names(stripe: AccountLists) -> None:
    df = stripe.frame("charges")
    want = Counter(
        row["payment_method_details"]["card"]["brand"]
        for row in stripe.raw("charges")
        if (row["payment_method_details"] or {}).get("card")
    )
    assert df.stripe.card_brand.value_counts().to_dict() == want
    assert df.stripe["payment_method_details.card.brand"].value_counts().to_dict() == want
    few = sm.call("charges.list", limit="all", columns=["card_brand", "amount"])
    assert few["card_brand"].value_counts().to_dict() == want
    assert "payment_method_details_card_brand" in df.stripe.columns("card brand")["name"].tolist()
    with pytest.raises(UsageFault, match="amount"):
        df.stripe.columns("amuont")


def test_44_compact(stripe: AccountLists) -> None:
    df = stripe.frame("charges").stripe.compact()
    assert 10 < df.shape[1] < stripe.frame("charges").shape[1]
    assert {"id", "amount", "currency", "status", "created", "customer"} <= set(df.columns)
    assert "application" not in df.columns


# What a frame knows -----------------------------------------------------------------------------------------
def test_45_attrs_of_two_calls_are_equal(stripe: AccountLists) -> None:
    first, second = sm.call("charges.list", limit=10), sm.call("charges.list", limit=20)
    assert first.attrs == second.attrs
    assert first.stripe.call.request_ids != second.stripe.call.request_ids
    assert first.stripe.call.module == "charges.list"
    both = pd.concat([first, second])
    assert both.stripe.facts["zone"] == ZONE
    assert both.attrs["stripe"]["complete"] is False


def test_46_named_aggregation_asks_the_connection(stripe: AccountLists) -> None:
    df = stripe.frame("charges")
    out = df.groupby("currency", as_index=False).agg(last=("created", "max"), amount=("amount", "sum"))
    found = out.set_index("currency")["last"].stripe.local_day()
    want: dict[str, int] = {}
    for row in stripe.raw("charges"):
        want[row["currency"]] = max(want.get(row["currency"], 0), row["created"])
    assert {key: value.date() for key, value in found.items()} == {
        key: local(value) for key, value in want.items()
    }


def test_47_major_and_minor_together_are_noticed(stripe: AccountLists) -> None:
    df = stripe.frame("charges")
    mixed = pd.concat([df.stripe.to_major(), df], ignore_index=True)
    with pytest.raises(FrameError, match="minor units"):
        mixed.stripe.to_major()
    assert mixed.stripe.to_major(units="major")["amount"].iloc[0] == df.stripe.to_major()["amount"].iloc[0]


def test_48_floats_after_a_left_join_are_still_cents(stripe: AccountLists) -> None:
    refunds = stripe.frame("refunds")[["id", "charge", "amount", "currency"]]
    df = stripe.frame("charges").merge(
        refunds, left_on="id", right_on="charge", how="left", suffixes=("", "_re")
    )
    assert df["amount_re"].dtype == "float64"
    refund = next(row for row in stripe.raw("refunds") if row["charge"])
    assert df.stripe.to_major().set_index("id_re").loc[refund["id"], "amount_re"] == refund[
        "amount"
    ] / 10 ** exponent(refund["currency"])


def test_49_describe_and_groupby_look_like_pandas(stripe: AccountLists) -> None:
    df = stripe.frame("charges")
    assert df.describe()["amount"]["mean"] == pytest.approx(
        sum(row["amount"] for row in stripe.raw("charges")) / len(df)
    )
    assert df.groupby("status")["id"].count().to_dict() == Counter(
        row["status"] for row in stripe.raw("charges")
    )


def test_50_links(stripe: AccountLists) -> None:
    assert stripe.frame("charges").stripe.link().isna().all()  # a sandbox has no Dashboard
    df = stripe.frame("charges").drop(columns="livemode")
    df.attrs["stripe"]["mode"] = "live"
    assert (
        df.stripe.link().iloc[0] == f"https://dashboard.stripe.com/payments/{stripe.raw('charges')[0]['id']}"
    )
    assert (
        df[["id", "customer"]]
        .stripe.link("customer")
        .dropna()
        .iloc[0]
        .startswith("https://dashboard.stripe.com/customers/cus_")
    )


# There and back ---------------------------------------------------------------------------------------------
LISTS = (
    "charges",
    "customers",
    "invoices",
    "subscriptions",
    "prices",
    "products",
    "payment_intents",
    "payouts",
    "refunds",
    "disputes",
    "balance_transactions",
    "events",
    "coupons",
)


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_51_files_come_back_equal(stripe: AccountLists, tmp_path: Any, ending: str) -> None:
    for name in LISTS:
        df = sm.call(f"{name}.list", limit=100)
        df.stripe.to_parquet(tmp_path / f"{name}.{ending}")
        back = sm.read_parquet(tmp_path / f"{name}.{ending}")
        assert_frame_equal(df, back)
        assert back.attrs == df.attrs
        assert back.attrs["stripe"]["zone"] == ZONE


def test_52_pandas_own_parquet_comes_back(stripe: AccountLists, tmp_path: Any) -> None:
    df = stripe.frame("invoices")[["id", "created", "total", "metadata", "discounts"]]
    df["metadata"] = [{} if n else {"order": "1"} for n in range(len(df))]
    df.to_parquet(tmp_path / "p.parquet")
    back = sm.read_parquet(tmp_path / "p.parquet")
    assert back["metadata"].tolist() == df["metadata"].tolist()
    assert back["discounts"].tolist() == [row["discounts"] for row in stripe.raw("invoices")]
    assert back.attrs["stripe"]["object"] == "invoice"
    entries = stripe.frame("balance_transactions").head(300)  # their fees have nulls of Stripe's own
    assert any(value is None for fees in entries["fee_details"] for fee in fees for value in fee.values())
    entries.to_parquet(tmp_path / "q.parquet")
    assert_frame_equal(sm.read_parquet(tmp_path / "q.parquet"), entries)


def test_53_excel(stripe: AccountLists, tmp_path: Any) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra excel")
    assert openpyxl
    df = stripe.frame("charges").head(20)
    df.stripe.to_excel(tmp_path / "charges.xlsx")
    back = pd.read_excel(tmp_path / "charges.xlsx")
    raw = stripe.raw("charges")[:20]
    assert back["amount"].tolist() == [row["amount"] / 10 ** exponent(row["currency"]) for row in raw]
    assert [each.to_pydatetime() for each in back["created"]] == [
        dt.datetime.fromtimestamp(row["created"], ZoneInfo(ZONE)).replace(tzinfo=None) for row in raw
    ]


def test_54_sql_and_json(stripe: AccountLists) -> None:
    for name in LISTS:
        df = sm.call(f"{name}.list", limit=20)
        with closing(sqlite3.connect(":memory:")) as db:
            df.stripe.to_sql("list", db)
            assert pd.read_sql("select id from list", db)["id"].tolist() == df["id"].tolist()
        assert len(pd.read_json(__import__("io").StringIO(df.stripe.to_json()))) == len(df)


def test_55_duckdb_takes_frames(stripe: AccountLists) -> None:
    duckdb = pytest.importorskip("duckdb", reason="the extra duckdb")
    charges = stripe.frame("charges")  # noqa: F841 - DuckDB finds it by name
    found = dict(duckdb.sql("select currency, sum(amount)::bigint from charges group by 1").fetchall())
    assert found == sums(stripe.raw("charges"), lambda r: r["currency"], lambda r: r["amount"])


def test_56_lists_that_stripe_cut_are_said(stripe: AccountLists) -> None:
    cut = [row for row in stripe.raw("invoices") if row["lines"]["has_more"]]
    df = stripe.frame("invoices")
    assert df.attrs["stripe"]["complete"] is (not cut)
    assert any("lines of" in note for note in df.stripe.call.notes) is bool(cut)


def test_57_what_a_pivot_made_is_converted_by_name_and_never_left_in_silence(stripe: AccountLists) -> None:
    df, raw = stripe.frame("charges"), stripe.raw("charges")
    pivot = df.pivot_table(index="currency", columns="status", values="amount", aggfunc="sum", fill_value=0)
    nested = df.groupby("currency").agg({"amount": ["sum", "mean"]})
    melted = df.melt(id_vars=["id", "currency"], value_vars=["amount", "amount_refunded"])
    totals = df.groupby(["currency", "status"]).agg(total=("amount", "sum"), n=("id", "size"))
    for made in (pivot, nested, melted, totals, df.set_index("id")[["amount"]].head(3).T):
        for convert in (made.stripe.to_major, lambda made=made: made.stripe.normalize(to="usd", rates={})):
            with pytest.raises(
                FrameError, match=r"(?s)No column here is known to be money.*Name those that are"
            ):
                convert()
    paid = sums([row for row in raw if row["status"] == "succeeded"], lambda r: r["currency"], amount)
    want = {code: value / 10 ** exponent(code) for code, value in paid.items()}
    assert pivot.stripe.to_major(["succeeded"])["succeeded"].to_dict() == want
    whole = sums(raw, lambda r: r["currency"], amount)
    major = nested.stripe.to_major([("amount", "sum")])
    assert major["amount", "sum"].to_dict() == {c: v / 10 ** exponent(c) for c, v in whole.items()}
    first = melted.stripe.to_major(["value"])["value"].iloc[0]
    assert first == raw[0]["amount"] / 10 ** exponent(raw[0]["currency"])
    for name in ("events", "prices", "customers", "products"):  # Stripe's own columns: nothing is missing
        assert len(stripe.frame(name).head(5).stripe.to_major()) == 5


@pytest.mark.parametrize("suffixes", [("", "_refund"), ("_x", "_y")])
def test_58_amounts_of_a_merge_go_with_their_own_suffix(
    stripe: AccountLists, suffixes: tuple[str, str]
) -> None:
    """Of refunds only two columns are taken, neither id nor type: both amounts are dollars, or both cents."""
    refunds = stripe.frame("refunds")[["charge", "amount", "currency"]]
    df = stripe.frame("charges").merge(refunds, left_on="id", right_on="charge", suffixes=suffixes)
    left, right = (f"amount{suffix}" for suffix in suffixes)
    major = df.stripe.to_major()
    of_charge = {row["id"]: row["amount"] / 10 ** exponent(row["currency"]) for row in stripe.raw("charges")}
    assert major[left].tolist() == [of_charge[key] for key in df["id"]]
    want = sorted(row["amount"] / 10 ** exponent(row["currency"]) for row in stripe.raw("refunds"))
    assert sorted(major[right]) == want


def test_59_local_days_over_both_changes_of_the_clock(stripe: AccountLists) -> None:
    """In spring a day has 23 hours, in autumn 25: resampled by local day, grouped by `local_day`, by hand."""
    df, raw = stripe.frame("charges"), stripe.raw("charges")
    at = df.set_index(df["created"].dt.tz_convert(ZONE)).sort_index()
    by_clock = at["amount"].resample("D").sum()
    by_day = df.groupby(df.stripe.local_day("created"))["amount"].sum()
    by_hand = sums(raw, lambda r: local(r["created"]), amount)
    offsets = {each.utcoffset() for each in at.index}
    assert len(offsets) == 2
    assert {day.date(): int(value) for day, value in by_clock.items() if value} == by_hand
    assert {day.date(): int(value) for day, value in by_day.items()} == by_hand


def test_60_cohorts(stripe: AccountLists) -> None:
    df = stripe.frame("charges").query("status == 'succeeded'")
    df = df.assign(month=df.stripe.local_day("created").dt.to_period("M"))
    df = df.join(df.groupby("customer")["month"].min().rename("cohort"), on="customer")
    df = df.assign(age=(df["month"] - df["cohort"]).map(lambda each: each.n, na_action="ignore"))
    table = df.pivot_table(index="cohort", columns="age", values="customer", aggfunc="nunique")
    months: dict[str, set[int]] = {}
    for row in stripe.raw("charges"):
        if row["status"] == "succeeded" and row["customer"]:
            day = local(row["created"])
            months.setdefault(row["customer"], set()).add(day.year * 12 + day.month - 1)
    want: dict[tuple[int, int], int] = {}
    for met in months.values():
        for month in met:
            place = (min(met), month - min(met))
            want[place] = want.get(place, 0) + 1
    found = {
        (period.year * 12 + period.month - 1, int(age)): int(count)
        for period, row in table.iterrows()
        for age, count in row.dropna().items()
    }
    assert found == want


def test_61_copies_pickles_and_pipes_stay_what_they_are(stripe: AccountLists) -> None:
    df = stripe.frame("charges")
    for other in (copy.copy(df), copy.deepcopy(df), pickle.loads(pickle.dumps(df)), df.pipe(lambda x: x)):
        assert_frame_equal(other, df)
        assert other.attrs == df.attrs
        assert other.stripe.local_day("created").equals(df.stripe.local_day("created"))
    made = df.eval("kept = amount_captured - amount_refunded")
    want = [row["amount_captured"] - row["amount_refunded"] for row in stripe.raw("charges")]
    assert made["kept"].tolist() == want
    keyed = pd.concat({"a": df.head(5), "b": df.tail(5)}, names=["part"])
    assert keyed.stripe.to_major()["amount"].tolist() == [
        row["amount"] / 10 ** exponent(row["currency"])
        for row in [*stripe.raw("charges")[:5], *stripe.raw("charges")[-5:]]
    ]


def test_62_lines_of_lists_from_three_sides(stripe: AccountLists) -> None:
    """Lines exploded, with their invoice and its customer: revenue by price and country."""
    lines = stripe.frame("invoices").stripe.explode("lines", keep=["customer", "status"])
    customers = stripe.frame("customers")[["id", "address_country"]].rename(
        columns={"id": "invoice_customer"}
    )
    df = lines.merge(customers, on="invoice_customer", how="left")
    assert len(df) == len(lines)
    found = df[df["invoice_status"] == "paid"].groupby("currency")["amount"].sum().to_dict()
    want: dict[str, int] = {}
    for row in stripe.raw("invoices"):
        if row["status"] == "paid":
            for line in row["lines"]["data"]:
                want[line["currency"]] = want.get(line["currency"], 0) + line["amount"]
    cut = [row for row in stripe.raw("invoices") if row["lines"]["has_more"]]
    assert cut or found == want


def test_63_what_cannot_be_done_at_all_is_never_a_frame_as_it_was(stripe: AccountLists) -> None:
    df = stripe.frame("charges")
    for part in (df[["amount"]], df.drop(columns="currency"), df.filter(like="amount"), df.describe()):
        with pytest.raises(FrameError, match="amount can't be converted: no column has its currency"):
            part.stripe.to_major()
    given = df[["amount"]].head(2).stripe.money("amount", currency="usd").stripe.to_major()
    assert given["amount"].tolist() == [row["amount"] / 100 for row in stripe.raw("charges")[:2]]
    with pytest.raises(FrameError, match="what the rows of the wide frame are"):
        df.stripe.wide()
    wide = df.stripe.wide(index="customer", values="amount")
    guests = [row for row in stripe.raw("charges") if not row["customer"]]
    assert any(f"{len(guests):,} rows are left out" in note for note in wide.stripe.call.notes) is bool(
        guests
    )
    of_customers = [row for row in stripe.raw("charges") if row["customer"]]
    want = sums(of_customers, lambda r: (r["customer"], r["currency"]), amount)
    assert {
        (key, code): int(value) for code, column in wide.items() for key, value in column.dropna().items()
    } == want
