"""The line that says what a name now stands for."""

from __future__ import annotations

from typing import Any

import pandas as pd
from each_row import each_row

from stripe_magics.magics.delivery import bound_line


@each_row(
    "answer, line",
    [
        (pd.DataFrame({"id": ["cus_1"]}), "made: DataFrame, 1 row cus_1"),
        (pd.DataFrame({"id": [f"cus_{number}" for number in range(1200)]}), "made: DataFrame, 1,200 rows"),
        (pd.DataFrame({"amount": [5]}), "made: DataFrame, 1 row"),
        (pd.Series([1, 2]), "made: Series"),  # has a shape, and is no table
        ("text", "made: str"),
    ],
)
def test_what_a_name_stands_for(answer: Any, line: str) -> None:
    assert bound_line("made", answer) == line
