"""df.stripe."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

import stripe_magics.accessor  # noqa: F401 - registers df.stripe
from stripe_magics import frames


def charges(*rows: dict[str, Any], **attrs: Any) -> pd.DataFrame:
    body = {
        "object": "list",
        "data": [
            {"id": f"ch_{n}", "object": "charge", "created": 1_700_000_000, **row}
            for n, row in enumerate(rows)
        ],
    }
    return frames.build([json.dumps(body).encode()], "charge", attrs=attrs)


def test_a_frame_without_stripe_objects_has_no_accessor() -> None:
    assert not hasattr(pd.DataFrame({"a": [1]}), "stripe")
    assert hasattr(pd.DataFrame({"id": ["ch_1"], "object": ["charge"]}), "stripe")


def test_major_and_minor() -> None:
    df = charges(
        {"amount": 1234, "currency": "usd"},
        {"amount": 1234, "currency": "jpy"},
        {"amount": 1230, "currency": "bhd"},
    )
    major = df.stripe.to_major()
    assert major["amount"].tolist() == [12.34, 1234.0, 1.23]
    assert str(major["amount"].dtype) == "float64"
    assert df["amount"].tolist() == [1234, 1234, 1230]
    assert df.stripe.to_major(["amount"], exact=True)["amount"].tolist() == [
        Decimal("12.34"),
        Decimal(1234),
        Decimal("1.230"),
    ]
    back = major.stripe.to_minor()
    assert back["amount"].tolist() == [1234, 1234, 1230]
    assert str(back["amount"].dtype) == "int64"
    assert "amount_refunded" in df.stripe.amounts()
    assert back["application_fee_amount"].isna().all()
    assert "payment_method_details_card_exp_month" not in df.stripe.amounts()
    with pytest.raises(ValueError, match="decimals"):
        major.assign(amount=1.005).stripe.to_minor()
    with pytest.raises(KeyError, match="column 'amuont'"):
        df.stripe.to_major("amuont")


def test_the_nearest_currency() -> None:
    df = charges({"amount": 1, "currency": "usd"})
    df["fx_currency"] = "jpy"
    df["fx_amount"] = 5
    assert df.stripe.currency_of("fx_amount") == "fx_currency"
    assert df.stripe.currency_of("amount") == "currency"


def test_local_day() -> None:
    df = charges({"created": 1_704_067_199}, zone="Pacific/Auckland")  # 2023-12-31 23:59:59 UTC
    assert df.stripe.local_day().tolist() == [pd.Timestamp("2024-01-01")]
    assert df.stripe.local_day(zone="UTC").tolist() == [pd.Timestamp("2023-12-31")]
    assert df.stripe.local_day().dt.tz is None


def test_metadata() -> None:
    df = charges({"metadata": {"order": "1", "a b": "x"}}, {"metadata": {}})
    out = df.stripe.metadata()
    assert list(out.columns[-2:]) == ["metadata[a b]", "metadata[order]"]
    assert out.loc[0, "metadata[order]"] == "1"
    assert list(df.stripe.metadata("order").columns[-1:]) == ["metadata[order]"]


def test_links() -> None:
    df = charges({"livemode": True}, {"livemode": False})
    assert df.stripe.link().tolist() == [
        "https://dashboard.stripe.com/payments/ch_0",
        "https://dashboard.stripe.com/test/payments/ch_1",
    ]


def test_explode_keeps_the_owner() -> None:
    df = charges(
        {
            "refunds": {
                "object": "list",
                "data": [{"id": "re_1", "object": "refund", "amount": 5}],
                "has_more": False,
            }
        },
        {"refunds": None},
    )
    out = df.stripe.explode("refunds")
    assert out[["charge_id", "id", "amount"]].to_numpy().tolist() == [["ch_0", "re_1", 5]]
    assert out.attrs["stripe"]["object"] == "refund"
    empty = charges({}).stripe.explode("refunds")
    assert list(empty.columns)[0] == "charge_id"
    assert not len(empty)


def test_wide() -> None:
    long = pd.DataFrame({"month": ["a", "a", "b"], "currency": ["usd", "eur", "usd"], "net": [1, 2, 3]})
    long.attrs["stripe"] = {"object": "report"}
    assert long.stripe.wide().loc["a"].to_dict() == {"usd": 1, "eur": 2}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", '=cmd|"/c calc"!A1'])
def test_csv_runs_no_formula(text: str) -> None:
    df = charges({"description": text, "metadata": {text: text}, "amount": -5})
    df[text] = pd.Categorical([text])
    out = df.stripe.to_csv()
    back = pd.read_csv(io.StringIO(out))
    assert back.loc[0, "description"].startswith("'")
    assert back.loc[0, "amount"] == -5
    assert all(str(name)[0] not in "=+-@\t\r" for name in back.columns)
    assert json.loads(back.loc[0, "metadata"]) == {text: text}
    assert df.loc[0, "description"] == text


def test_plain_cells_are_written_as_they_are(tmp_path: Any) -> None:
    df = charges({"description": "A-1 = ok"})
    assert df.stripe.to_csv(tmp_path / "out.csv") is None
    assert "A-1 = ok" in (tmp_path / "out.csv").read_text()
    assert "'A-1" not in (tmp_path / "out.csv").read_text()
