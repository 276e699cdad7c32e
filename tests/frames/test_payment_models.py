"""`sm.model`: what bounds its rows is read as everywhere else, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from each_row import each_row

import stripe_magics as sm
from stripe_magics.errors import InvalidValue, UsageFault


@pytest.fixture(scope="module", autouse=True)
def sandbox() -> Iterator[None]:
    sm.connect(sandbox=True)
    yield
    sm.close()


@each_row(
    "bounds, same",
    [
        # a month given as an end is part of it
        ({"start": "2026-09-01", "end": "2026-09"}, "2026-09"),
        ({"start": pd.Period("2026-09"), "end": "2026-09-02"}, "between 2026-09-01 and 2026-09-02"),
        (
            {"start": pd.Timestamp("2026-09-01"), "end": pd.Timestamp("2026-09-02")},
            "between 2026-09-01 and 2026-09-02",
        ),
        ({"start": np.datetime64("2026-09-01"), "end": datetime(2026, 9, 1)}, "2026-09-01"),
        ({"start": 1788220800, "end": 1788307200}, "2026-09-01"),  # seconds, as Stripe counts
        ({"start": "yesterday", "end": "yesterday"}, "yesterday"),  # by the account's clock
    ],
)
def test_a_bound_is_a_date_as_everywhere(bounds: dict[str, Any], same: str) -> None:
    found = sm.model("payments", **bounds)
    assert len(found)
    assert found["id"].tolist() == sm.call("charges.list", limit="all", created=same)["id"].tolist()


def test_all_is_no_limit() -> None:
    bounds = {"start": "2026-09-01", "end": "2026-09-01"}
    assert len(sm.model("payments", **bounds, limit="all")) == len(sm.model("payments", **bounds))
    assert len(sm.model("payments", **bounds, limit="2")) == 2


@each_row(
    "given, kind, words",
    [
        ({"start": "some day"}, UsageFault, "'some day' is not a date"),
        ({"start": pd.NaT}, UsageFault, "missing"),
        ({"end": float("nan")}, UsageFault, "missing"),
        ({"start": "2026-10-01", "end": "2026-09-01"}, UsageFault, "ends .* before it starts"),
        ({"limit": "many"}, InvalidValue, "limit: 'many' is not a number of rows"),
        ({"limit": True}, InvalidValue, "limit: True is not a number of rows"),
    ],
)
def test_what_bounds_nothing_is_refused(given: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        sm.model("payments", **given)
