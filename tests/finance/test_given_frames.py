"""Frames that are given to reports as `data`, after pandas or a file dropped what they knew: their units are
proved by what Stripe sent, refused, or said."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd
import pytest
from each_row import each_row

import stripe_magics as sm
from stripe_magics.errors import FrameError
from stripe_magics.frames.frame_info import SEEN

PERIOD = {"month": "2026-09"}


@pytest.fixture(scope="module")
def ledger() -> Iterator[pd.DataFrame]:
    sm.connect(sandbox=True)
    every = sm.call("balance.list_history", limit="all")
    yield every[(every[["amount", "fee", "net"]] % 100 == 0).all(axis=1)]
    sm.close()


def lost(frame: pd.DataFrame) -> pd.DataFrame:
    out = frame.copy()
    out.attrs = {}
    return out


def whole_dollars(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{name: frame[name] // 100 for name in ("amount", "fee", "net")})


def of_another_process(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows, as if they had never been read here."""
    return lost(frame).assign(id="x" + frame["id"].astype(str))


def as_floats(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(dict.fromkeys(("amount", "fee", "net"), "float64"))


@each_row("change", [whole_dollars, lambda each: lost(whole_dollars(each)),
    lambda each: lost(as_floats(whole_dollars(each)))])  # fmt: skip
def test_dollars_that_were_read_as_cents_are_refused(
    ledger: pd.DataFrame, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    with pytest.raises(FrameError, match=r"data\['transactions'\]: .*where Stripe sent") as raised:
        sm.report("balance_activity", **PERIOD, data={"transactions": change(ledger)})
    assert 'df.stripe.to_minor(units="major")' in str(raised.value)
    cents = sm.report("balance_activity", **PERIOD, data={"transactions": ledger})
    mended = change(ledger).stripe.to_minor(units="major")
    assert sm.report("balance_activity", **PERIOD, data={"transactions": mended}).equals(cents)


def test_cents_that_only_lost_their_attrs_are_counted(ledger: pd.DataFrame) -> None:
    cents = sm.report("balance_activity", **PERIOD, data={"transactions": ledger})
    made = sm.report("balance_activity", **PERIOD, data={"transactions": as_floats(lost(ledger))})
    assert made.equals(cents)
    assert not any("their units" in note for note in made.attrs["stripe"]["notes"])


def test_floats_that_nothing_is_known_of_are_refused_with_both_readings(ledger: pd.DataFrame) -> None:
    given = as_floats(whole_dollars(of_another_process(ledger)))
    first = given["amount"].iloc[0]
    with pytest.raises(FrameError, match="cents or dollars") as raised:
        sm.report("balance_activity", **PERIOD, data={"transactions": given})
    code = given["currency"].iloc[0].upper()
    assert f"{first:g} is {first / 100:,.2f} {code} or {first:,.2f} {code}" in str(raised.value)
    for units, factor in (("minor", 1), ("major", 100)):
        known = given.stripe.to_minor(units=units)
        made = sm.report("balance_activity", **PERIOD, data={"transactions": known})
        inside = known[known["created"].dt.strftime("%Y-%m") == "2026-09"]
        moved = inside[~inside["type"].str.startswith("payout")]
        assert made["net"].sum() == moved["net"].sum()
        assert known["net"].sum() == given["net"].sum() * factor


def test_whole_numbers_that_nothing_is_known_of_are_cents_and_the_report_says_so(
    ledger: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = of_another_process(ledger)
    monkeypatch.setattr(SEEN, "major", False)
    made = sm.report("balance_activity", **PERIOD, data={"transactions": given})
    (note,) = [each for each in made.attrs["stripe"]["notes"] if "don't say their units" in each]
    assert 'If they are dollars: df.stripe.to_minor(units="major").' in note
    monkeypatch.setattr(SEEN, "major", True)  # dollars are about in this process: these may be some
    with pytest.raises(FrameError, match="cents or dollars"):
        sm.report("balance_activity", **PERIOD, data={"transactions": given})
    yen = given.assign(currency="jpy")  # the same in both readings
    monkeypatch.setattr(SEEN, "major", False)
    said = sm.report("balance_activity", **PERIOD, data={"transactions": yen}).attrs["stripe"]["notes"]
    assert not any("their units" in note for note in said)
