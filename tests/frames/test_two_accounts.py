"""Frames of two accounts, modes, versions or zones that pandas puts together: none of them is taken for the
whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import stripe_magics as sm
import stripe_magics.accessor  # registers df.stripe
from stripe_magics import frames
from stripe_magics.client import shared_connection
from stripe_magics.client.secret import Secret
from stripe_magics.errors import FrameError
from stripe_magics.frames.frame_info import SEEN
from stripe_magics.sandbox import SandboxTransport

FACTS: dict[str, Any] = {
    "mode": "test", "livemode": False, "api_version": "2025-02-24.acacia", "zone": "Europe/Berlin",
    "units": "minor", "complete": True, "identity": "first",
}  # fmt: skip
OTHER: dict[str, dict[str, Any]] = {
    "two keys": {"identity": "second"},
    "a connected account": {"account": "acct_2"},
    "modes": {"mode": "live", "livemode": True},
    "versions": {"api_version": "2026-10-28.endive"},
    "zones": {"zone": "Asia/Tokyo"},
    "units": {"units": "major"},
}
TOGETHER: dict[str, Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]] = {
    "concat": lambda one, other: pd.concat([one, other], ignore_index=True),
    "keys": lambda one, other: pd.concat([one, other], keys=["us", "eu"]),
    "mapping": lambda one, other: pd.concat({"us": one, "eu": other}, names=["account"]),
    "three": lambda one, other: pd.concat([one, one, other]),
    "the other way": lambda one, other: pd.concat([other, one, one]),
    "a row": lambda one, other: pd.concat([one, other.head(1)]),
    "beside": lambda one, other: pd.concat([one, other.add_prefix("b_")], axis=1),
    "merge": lambda one, other: one.merge(other, on="id", suffixes=("", "_b")),
    "outer": lambda one, other: one.merge(other, how="outer", on=["id", "created", "amount"]),
    "join": lambda one, other: one.join(other.add_prefix("b_")),
}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection, and no frame made before."""
    monkeypatch.setattr(shared_connection, "_SHARED", None)
    for name, value in (("accounts", set()), ("identities", set()), ("major", False)):
        monkeypatch.setattr(SEEN, name, value)


def charges(letter: str = "", **facts: Any) -> pd.DataFrame:
    rows = [
        {
            "id": f"ch_{letter}{n}", "object": "charge", "created": 1_700_000_000, "amount": 500,
            "currency": "usd",
        }
        for n in range(2)
    ]  # fmt: skip
    body = json.dumps({"object": "list", "data": rows}).encode()
    made = frames.build([body], "charge", attrs={**FACTS, **facts})
    return made[["id", "object", "created", "amount", "currency"]]


@pytest.mark.parametrize("what", OTHER)
def test_the_next_verb_notices(what: str) -> None:
    one, other = charges(), charges(**OTHER[what])
    for how, put_together in TOGETHER.items():
        whole = put_together(one, other)
        assert not whole.attrs, how
        with pytest.raises(FrameError, match='zone="Europe/Berlin"'):
            whole.stripe.local_day("created")
        with pytest.raises(FrameError, match="no longer knows its account"):
            whole.stripe.link("id")


@pytest.mark.parametrize("facts", [{}, {"identity": ""}], ids=["two calls", "a file"])
def test_frames_of_one_account_stay_what_they_are(facts: dict[str, Any]) -> None:
    """Also where it isn't known which key read the one (a file)."""
    one, other = charges(), charges(**facts)
    for put_together in TOGETHER.values():
        whole = put_together(one, other)
        assert whole.attrs["stripe"]["zone"] == "Europe/Berlin"
        assert whole.stripe.local_day("created").notna().all()


def test_the_open_connection_is_not_taken_for_one_of_two_keys() -> None:
    """Both are in test mode with one zone, and neither account has a name; the key tells them apart."""
    read = []
    for letter in "ab":
        key = Secret(f"sk_test_51{letter * 60}")
        shared_connection.connect(secret=key, transport=SandboxTransport(demo=False, seed=letter))
        for _ in range(2):
            sm.call("charges.create", amount=500, currency="usd", source="tok_visa")
        read.append(sm.call("charges.list"))
    one, other = read
    assert dict(one.attrs["stripe"]) == dict(other.attrs["stripe"])
    both = pd.concat([one, other], keys=["a", "b"])
    for lost in (both, both.groupby("currency", as_index=False).agg(created=("created", "max"))):
        with pytest.raises(FrameError, match="no open connection is sure to be the same account"):
            lost.assign(id="x", object="charge").stripe.local_day("created")
    again = pd.concat([other, sm.call("charges.list", limit=10)])
    assert again.stripe.local_day("created").notna().all()
    sm.close()


def test_rows_that_were_filled_in_link_to_their_own_mode() -> None:
    """`combine_first` keeps the first frame's facts: each row says its mode itself."""
    one = charges().assign(livemode=pd.array([False, None], dtype="boolean"), customer="cus_1")
    other = charges(mode="live", livemode=True).assign(livemode=pd.array([True, True], dtype="boolean"))
    mixed = one.combine_first(other)
    for column in ("id", "customer"):
        assert ["/test/" in each for each in mixed.stripe.link(column)] == [True, False], column


# Operations that keep the first frame's facts --------------------------------------------------------------
def _assigned(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    one = one.copy()
    one.loc[len(one)] = other.iloc[0]
    return one


def _updated(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    one = one.copy()
    one.update(other)
    return one


FILLED_IN: dict[str, Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]] = {
    "combine_first": lambda one, other: one.combine_first(other.set_index(other.index + 10)),
    "combine_first by id": lambda one, other: (
        one.set_index("id").combine_first(other.set_index("id")).reset_index()
    ),
    "update": _updated,
    "loc": _assigned,
}


@pytest.mark.parametrize("how", FILLED_IN)
def test_rows_that_were_filled_in_from_another_account_are_noticed(how: str) -> None:
    """pandas keeps the first frame's facts there, and asks nobody."""
    put_together = FILLED_IN[how]
    one = charges("a")
    for other, zone_is_known in ((charges("b", zone="Asia/Tokyo", identity="second"), False),
                                 (charges("c", account="acct_2", identity="first"), True)):  # fmt: skip
        whole = put_together(one, other)
        assert whole.attrs["stripe"]["zone"] == "Europe/Berlin"  # which it isn't for all rows, or is
        if zone_is_known:
            assert whole.stripe.local_day("created").notna().all()
        else:
            with pytest.raises(FrameError, match="different time zones .Europe/Berlin, Asia/Tokyo"):
                whole.stripe.local_day("created")
        assert whole.stripe.local_day("created", zone="UTC").notna().all()
        with pytest.raises(FrameError, match="rows of several accounts"):
            whole.stripe.link("id")
        part = whole[whole["id"].isin(one["id"])]
        assert part.stripe.local_day("created").notna().all()
        assert part.stripe.link("id").notna().all()


@pytest.mark.parametrize("how", FILLED_IN)
def test_rows_that_were_filled_in_from_the_same_account_are_its_own(how: str) -> None:
    one, other = charges("a"), charges("b")
    elsewhere = charges("c", zone="Asia/Tokyo", identity="second")
    whole = FILLED_IN[how](one, other)
    assert whole.stripe.local_day("created").notna().all()
    assert whole.stripe.link("id").notna().all()
    assert len(elsewhere) == 2  # is there, and has nothing to do with it


DIVIDED: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "by hand": lambda df: df.assign(amount=df["amount"] / 100),
    "update": lambda df: _updated(df.astype({"amount": "float64"}), df.stripe.to_major()),
    "combine_first": lambda df: df.assign(amount=float("nan")).combine_first(df.stripe.to_major()),
    "where": lambda df: df.assign(amount=df["amount"].where(df.index > 0, df["amount"] / 100)),
}


@pytest.mark.parametrize("how", DIVIDED)
def test_amounts_with_fractions_are_not_converted_again(how: str) -> None:
    """An amount of Stripe's is a whole number of minor units."""
    df = charges().assign(amount=[1250, 1999])
    divided = DIVIDED[how](df)
    assert divided.attrs["stripe"]["units"] == "minor"
    for verb in (
        divided.stripe.to_major,
        lambda: divided.stripe.normalize(to="eur", rates={"usd": 0.9}),
        divided.stripe.by_month,
    ):
        with pytest.raises(FrameError, match=r"amount has fractions .*can't be in minor units"):
            verb()
    if how in {"by hand", "update", "combine_first"}:
        assert divided.stripe.to_minor(units="major")["amount"].tolist() == [1250, 1999]
        assert divided.stripe.to_major(units="major")["amount"].tolist() == [12.5, 19.99]
    assert divided.stripe.total("amount") == divided["amount"].sum()


def test_what_may_have_fractions_is_converted() -> None:
    df = charges().assign(amount=[1001, 1002])
    mean = df.groupby("currency", as_index=False)["amount"].mean()
    assert mean.stripe.to_major()["amount"].tolist() == [10.02]
    said = df.assign(avg=[10.4, 11.6]).stripe.money("avg")
    assert said.stripe.to_major()["avg"].tolist() == [0.1, 0.12]
    outer = df.merge(pd.DataFrame({"id": ["ch_x"], "note": "x"}), how="outer", on="id")
    outer.attrs = df.attrs
    assert outer.stripe.to_major()["amount"].dropna().tolist() == [10.01, 10.02]
