"""df.stripe."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from each_row import each_row

import stripe_magics.accessor  # noqa: F401 - registers df.stripe
from stripe_magics import frames
from stripe_magics.errors import FrameError
from stripe_magics.frames.frame_info import SEEN


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


@each_row("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", '=cmd|"/c calc"!A1'])
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


# What is known, lost, contradictory -------------------------------------------------------------------------
@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection, and no frame made before."""
    from stripe_magics.client import shared_connection

    monkeypatch.setattr(shared_connection, "_SHARED", None)
    monkeypatch.setattr(SEEN, "accounts", set())
    monkeypatch.setattr(SEEN, "major", False)


def lost(frame: pd.DataFrame) -> pd.DataFrame:
    """As pandas leaves a frame whose parts differ."""
    out = frame.copy()
    out.attrs = {}
    return out


def test_a_lost_zone_is_never_utc(alone: None) -> None:
    df = lost(charges({}, zone="Europe/Berlin", mode="test"))
    with pytest.raises(FrameError, match='zone="Europe/Berlin"'):
        df.stripe.local_day()
    assert df.stripe.local_day(zone="Asia/Tokyo").tolist() == [pd.Timestamp("2023-11-15")]


@pytest.mark.parametrize("mode", ["live", "test"])
def test_a_lost_mode_is_never_test(alone: None, mode: str) -> None:
    df = lost(charges({}, mode=mode)).drop(columns="livemode")
    with pytest.raises(FrameError, match="account"):
        df.stripe.link()
    assert ("/test/" in df.stripe.link(live=mode == "live")[0]) is (mode == "test")


def test_links_of_every_type_and_selection_are_of_the_frames_mode() -> None:
    from stripe_magics.catalogue.stripe_objects import OBJECTS

    for kind, each in OBJECTS.items():
        if each.page and each.prefixes and frames.schema(kind).names[0] == "id":
            body = json.dumps({"id": f"{each.prefixes[0]}_1", "object": kind}).encode()
            df = frames.build([body], kind, attrs={"mode": "live", "account": "acct_1", "livemode": True})
            right = f"https://dashboard.stripe.com/acct_1/{each.page}/{each.prefixes[0]}_1"
            assert df.drop(columns=["livemode"], errors="ignore").stripe.link().tolist() == [right], kind
            assert df[["id"]].stripe.link().tolist() == [right], kind
            assert lost(df[["id"]].assign(object=kind)).stripe.link(live=True, account="acct_1").tolist() == [
                right
            ], kind


def test_lost_units() -> None:
    df = charges({"amount": 1050, "currency": "usd"}, {"amount": 500, "currency": "usd"})
    assert lost(df).stripe.to_major()["amount"].tolist() == [10.5, 5.0]  # whole numbers are minor units
    major = lost(df.stripe.to_major())
    with pytest.raises(FrameError, match="minor units"):
        major.stripe.to_major()
    assert major.stripe.to_minor(units="major")["amount"].tolist() == [1050, 500]


def test_what_cannot_be_converted_is_named_and_the_rest_is_converted() -> None:
    df = charges({"amount": 1050, "currency": "usd", "application_fee_amount": 50})
    df.attrs["stripe"]["money"] = {"tip": "tip_currency"}
    df["tip"], df["tip_currency"] = 5, None
    out = df.stripe.to_major()
    assert out["amount"].tolist() == [10.5]
    assert out["tip"].tolist() == [5]
    assert "tip" in out.stripe.call.notes[0]
    assert out.stripe.to_minor()["tip"].tolist() == [5]
    with pytest.raises(FrameError, match="tip"):
        df.stripe.to_major(["tip"])


def test_only_named_columns() -> None:
    df = charges({"amount": 1050, "currency": "usd", "amount_refunded": 200})
    part = df.stripe.to_major(["amount"])
    assert part[["amount", "amount_refunded"]].to_numpy().tolist() == [[10.5, 200]]
    whole = part.stripe.to_major()
    assert whole[["amount", "amount_refunded"]].to_numpy().tolist() == [[10.5, 2.0]]
    assert whole.stripe.to_minor()[["amount", "amount_refunded"]].to_numpy().tolist() == [[1050, 200]]


def test_two_objects_in_one_frame_keep_their_currencies() -> None:
    """Right columns that met none of their name: `fee` is the balance transaction's, and `currency` is not
    its."""
    df = charges({"amount": 1000, "currency": "jpy", "balance_transaction": "txn_1"})
    entry = pd.DataFrame({"id": ["txn_1"], "fee": [59], "net": [1441], "currency": ["usd"]})
    both = df.merge(entry, left_on="balance_transaction", right_on="id", suffixes=("", "_bt"))
    assert both.stripe.to_major()[["amount", "fee"]].to_numpy().tolist() == [[1000, 0.59]]
    without = df.merge(
        entry.drop(columns="currency"), left_on="balance_transaction", right_on="id", suffixes=("", "_bt")
    )
    assert without.stripe.to_major()["fee"].tolist() == [59]  # its currency isn't here: named, not guessed
    assert "fee" in without.stripe.to_major().stripe.call.notes[0]


def test_explode_takes_what_there_is(tmp_path: Any) -> None:
    mixed = charges(
        {
            "refunds": {
                "object": "list",
                "has_more": False,
                "data": ["re_0", {"id": "re_1", "object": "refund", "amount": 5}],
            },
            "currency": "usd",
        }
    )
    out = mixed.stripe.explode("refunds", keep=["currency"])
    assert out["id"].tolist() == ["re_0", "re_1"]
    assert out["charge_currency"].tolist() == ["usd", "usd"]
    text = mixed.assign(refunds=[json.dumps(mixed["refunds"][0])])  # as a file that others wrote has it
    assert text.stripe.explode("refunds")["id"].tolist() == ["re_0", "re_1"]
    names = frames.build(
        [
            json.dumps(
                {"object": "payment_intent", "id": "pi_1", "payment_method_types": ["card", "link"]}
            ).encode()
        ],
        "payment_intent",
    )
    assert names.stripe.explode("payment_method_types")[
        ["payment_intent_id", "payment_method_types"]
    ].to_numpy().tolist() == [["pi_1", "card"], ["pi_1", "link"]]


def test_a_cut_list_is_fetched() -> None:
    import stripe_magics as sm
    from stripe_magics.client import shared_connection

    before = shared_connection._SHARED
    sm.connect(sandbox=True)
    try:
        df = sm.call("invoices.list", limit=1)
        whole = df.stripe.explode("lines")
        df.loc[0, "lines_has_more"] = True
        df["lines"] = [type(df["lines"][0])()]  # Stripe sent none of them
        assert df.stripe.explode("lines")["id"].tolist() == whole["id"].tolist()
        df.attrs["stripe"]["account"] = "acct_other"
        with pytest.raises(FrameError, match="cut"):
            df.stripe.explode("lines")
    finally:
        sm.close()
        shared_connection._SHARED = before


def test_docstrings_are_examples_that_run() -> None:
    import doctest

    from stripe_magics.accessor import dataframe_accessor, series_accessor

    for module in (dataframe_accessor, series_accessor):
        result = doctest.testmod(module, extraglobs={"pd": pd})
        assert result.attempted >= 3
        assert not result.failed


def test_columns_of_the_accessor_complete_and_are_described() -> None:
    df = charges({"amount": 5, "currency": "usd", "description": "x"})
    assert {"description", "explode", "card_brand"} <= {
        *dir(df.stripe),
        *df.stripe._ipython_key_completions_(),
    }
    about = df.stripe.columns("amount").set_index("name")
    assert about.loc["amount", "what"] == "money, in minor units of currency"
    assert about.loc["amount", "filled"] == 1.0
    assert df.stripe.columns("Customer")["name"].tolist()


def test_columns_of_one_name_are_refused_by_name() -> None:
    df = pd.DataFrame({"id": ["ch_1"], "object": ["charge"], "amount": [500], "currency": ["usd"]})
    double = pd.concat([df, df[["amount"]]], axis=1)
    for verb in (
        lambda: double.stripe.to_major("amount"),
        lambda: double.stripe.total("amount"),
        lambda: double.stripe.compact().shape,
        lambda: double.stripe.to_parquet("never.parquet"),
        lambda: double.stripe.to_excel("never.xlsx"),
        lambda: double.stripe.columns().shape,
        lambda: double.stripe.link("id"),
    ):
        with pytest.raises(FrameError, match="Several columns have the same name: 'amount'"):
            verb()
    assert double.stripe.to_csv().splitlines()[0] == "id,object,amount,currency,amount"
    assert double.stripe.facts == {}
    assert double.loc[:, ~double.columns.duplicated()].stripe.to_major()["amount"].tolist() == [5.0]


def test_columns_of_arrow_are_as_others() -> None:
    created = pd.to_datetime(["2026-10-31 23:30"], utc=True)
    df = pd.DataFrame(
        {"id": ["ch_1"], "object": ["charge"], "created": created, "amount": [1050], "currency": ["usd"]}
    ).convert_dtypes(dtype_backend="pyarrow")
    assert df.stripe.to_major()["amount"].tolist() == [10.5]
    assert df.stripe.to_major().stripe.to_minor()["amount"].tolist() == [1050]
    assert df.stripe.local_day(zone="Europe/Berlin").dt.strftime("%Y-%m-%d").tolist() == ["2026-11-01"]
    assert df.stripe.by_month(zone="Europe/Berlin")["month"].astype(str).tolist() == ["2026-11"]
    assert df.stripe.total("amount") == 1050
