"""`{{name}}` in a query: values beside it, never text that could end a quote."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from each_row import each_row

from stripe_magics.errors import UnknownName, UsageFault
from stripe_magics.parsing.sql_names import with_values

NAMES = {
    "email": "x' or '1'='1",
    "n": 3,
    "since": date(2026, 1, 1),
    "part": Decimal("0.5"),
    "ids": ["a", "b"],
    "people": pd.DataFrame({"id": ["cus_1", "cus_2"]}),
    "whole": np.int64(7),
    "none": None,
    "nothing": [],
    "gap": float("nan"),
    "thing": object(),
    "never": pd.NaT,
    "large": 2**127,
}
QUERIES: list[tuple[str, str, list[Any]]] = [
    ("select 1", "select 1", []),
    ("a = {{email}} and b < {{ n }}", "a = $1 and b < $2", [NAMES["email"], 3]),
    ("a = '{{email}}'", "a = 'x'' or ''1''=''1'", []),
    ('"{{n}}" = {{since}}', '"3" = $1', [NAMES["since"]]),
    ("a in {{ids}}", "a in ($1, $2)", ["a", "b"]),
    ("a in ( {{ids}} )", "a in ( $1, $2 )", ["a", "b"]),
    ("a in {{people.id}}", "a in ($1, $2)", ["cus_1", "cus_2"]),
    ("lower({{email}})", "lower($1)", [NAMES["email"]]),
    ("{{whole}} * {{part}}", "$1 * $2", [7, Decimal("0.5")]),
    ("1 -- {{missing}}\n+ 1 /* {{x[0]}} */", "1 -- {{missing}}\n+ 1 /* {{x[0]}} */", []),
    ("'it''s -- {{n}}' || {{n}}", "'it''s -- 3' || $1", [3]),
    ("select {'a': {'b': 1}}", "select {'a': {'b': 1}}", []),
    (r"E'\'' || {{n}} || 'y'", r"E'\'' || $1 || 'y'", [3]),
    ("$$ ' $$ || {{n}} || 'y'", "$$ ' $$ || $1 || 'y'", [3]),
    ("$t$ ' $$ $t$ || {{n}} || 'y'", "$t$ ' $$ $t$ || $1 || 'y'", [3]),
    (r"type'\' || {{n}} || 'y'", r"type'\' || $1 || 'y'", [3]),
    ("a = ? and b = $1 /* /* */", "a = ? and b = $1 /* /* */", []),
]
REFUSED = [
    ("a = {{missing}}", UnknownName, "missing"),
    ("a = {{people.idd}}", UnknownName, "idd"),
    ("a = {{none}}", UsageFault, "the value is missing"),
    ("a = {{gap}}", UsageFault, "the value is missing"),
    ("a in {{nothing}}", UsageFault, "is empty"),
    ("a = {{n + 1}}", UsageFault, "only variable names"),
    ("a = '{{ids[0]}}'", UsageFault, "only variable names"),
    ("a = {{thing}}", UsageFault, "a query takes text"),
    ("a = {{people}}", UsageFault, "a query takes text"),
    ("/* /* */ ' */ a = {{email}} or b = 'y'", UsageFault, "inside a comment"),
    ("a = E'{{email}}'", UsageFault, "outside of quotes"),
    ("a = $$ {{email}} $$", UsageFault, "outside of quotes"),
    ("a = $1 or b = {{n}}", UsageFault, "has no value"),
    ("a = ? or b = {{n}}", UsageFault, "has no value"),
    ("a = {{never}}", UsageFault, "the value is missing"),
    ("a = {{large}}", UsageFault, "larger than any number"),
]


@each_row(("query", "bound", "values"), QUERIES)
def test_values_go_beside_the_query(query: str, bound: str, values: list[Any]) -> None:
    assert with_values(query, NAMES) == (bound, values)


@each_row(("query", "kind", "why"), REFUSED)
def test_what_has_no_value_is_refused(query: str, kind: type[Exception], why: str) -> None:
    with pytest.raises(kind, match=why):
        with_values(query, NAMES)
