"""pandas on our frames beside the same columns typed by hand: `python tests/benchmarks/frames_pandas.py
[rows]`.

Each operation is timed on both, alternately, in processor time; the figure is the median of each side and
their ratio. Memory is `memory_usage(deep=True)`. All columns stand beside those that have values (what the
empty ones cost), and beside the same columns typed by hand in several ways (what they cost there).
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

import stripe_magics.accessor  # noqa: F401 - registers df.stripe
from stripe_magics import frames
from stripe_magics.frames.pandas_columns import text_dtype
from stripe_magics.magics.dataframe_display import bundle

COLUMNS = ("id", "created", "amount", "currency", "status", "customer", "livemode")


def rows(count: int) -> list[dict[str, object]]:
    return [
        {
            "id": f"ch_{n:024}", "object": "charge", "created": 1_700_000_000 - n * 60, "amount": n % 50_000,
            "currency": ("usd", "eur", "jpy")[n % 3], "status": ("succeeded", "failed")[n % 7 == 0],
            "customer": f"cus_{n % 5000:014}", "livemode": False, "metadata": {"order": str(n)},
        }
        for n in range(count)
    ]  # fmt: skip


def by_hand(data: list[dict[str, object]]) -> pd.DataFrame:
    out = pd.DataFrame({name: [row[name] for row in data] for name in COLUMNS})
    out["created"] = pd.to_datetime(out["created"], unit="s", utc=True).astype("datetime64[us, UTC]")
    texts = dict.fromkeys(("id", "currency", "status", "customer"), text_dtype())
    return out.astype({**texts, "livemode": "boolean"})


OPERATIONS: dict[str, Callable[[pd.DataFrame], object]] = {
    "groupby": lambda df: df.groupby(["currency", "status"])["amount"].sum(),
    "merge": lambda df: df.merge(df[["id", "amount"]].head(50_000), on="id"),
    "filter": lambda df: df[df["status"] == "succeeded"],
    "sort": lambda df: df.sort_values("amount"),
    "resample": lambda df: df.set_index("created").resample("D")["amount"].sum(),
    "head": lambda df: df.head(),
}


def timed(what: Callable[[], object]) -> float:
    """Milliseconds of processor time: of this thread and of Arrow's."""
    start = time.process_time()
    what()
    return (time.process_time() - start) * 1000


def empty_by_hand(whole: pd.DataFrame, compact: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The columns that have values, and the empty ones as a person may type them."""
    names = [name for name in whole if name not in compact]
    rows = len(whole)
    kinds = {name: object if whole[name].dtype == object else whole[name].dtype for name in names}
    codes = np.full(rows, -1, dtype="int8")
    forms = {
        "of the same types": {name: pd.Series([None] * rows, dtype=kind) for name, kind in kinds.items()},
        "of NaN": dict.fromkeys(names, float("nan")),
        "of None": pd.DataFrame(np.full((rows, len(names)), None), columns=names),
        "of no category": {name: pd.Categorical.from_codes(codes, categories=[]) for name in names},
    }
    whole_forms = {}
    for form, columns in forms.items():
        empty = columns if isinstance(columns, pd.DataFrame) else pd.DataFrame(columns, index=whole.index)
        whole_forms[form] = pd.concat([compact, empty], axis=1)
    return whole_forms


WHOLE = ("filter", "sort", "groupby", "merge", "head")


def compared(
    name: str,
    operation: Callable[[pd.DataFrame], object],
    one: pd.DataFrame,
    other: pd.DataFrame,
    rounds: int,
) -> str:
    """The medians of an operation on two frames, which are timed alternately, and their ratio."""
    pairs = [(timed(lambda: operation(one)), timed(lambda: operation(other))) for _ in range(rounds)]
    left, right = (statistics.median(each) for each in zip(*pairs, strict=True))
    return f"{name:22} {left:8.2f} ms   {right:8.2f} ms   {left / right:5.2f} x"


def memory(name: str, one: pd.DataFrame, other: pd.DataFrame) -> str:
    left, right = (int(each.memory_usage(deep=True).sum()) for each in (one, other))
    return f"{name:22} {left / 1e6:8.1f} MB   {right / 1e6:8.1f} MB   {left / right:5.2f} x"


def main(count: int, rounds: int = 15) -> None:
    data = rows(count)
    whole = frames.build([json.dumps(data).encode()], "charge", attrs={"mode": "test", "units": "minor"})
    ours, theirs, compact = whole[list(COLUMNS)], by_hand(data), whole.stripe.compact()
    print(f"{count:,} rows; pandas {pd.__version__}; {whole.shape[1]} columns in all")
    print("the same columns: ours, typed by hand")
    for name, operation in OPERATIONS.items():
        print(compared(name, operation, ours, theirs, rounds * 20 if name == "head" else rounds))
    print(memory("memory", ours, theirs))
    print(f"all {whole.shape[1]} columns, and the {compact.shape[1]} that have values (compact)")
    for name in WHOLE:
        operation = OPERATIONS[name]
        print(compared(name, operation, whole, compact, rounds * 20 if name == "head" else rounds))
    print(memory("memory", whole, compact))
    for form, other in empty_by_hand(whole, compact).items():
        print(f"all columns: ours, and typed by hand with empty ones {form}")
        for name in ("filter", "sort"):
            print(compared(name, OPERATIONS[name], whole, other, rounds // 3 or 1))
        print(memory("memory", whole, other))
    bundle(whole)
    print(f"display: {statistics.median(timed(lambda: bundle(whole)) for _ in range(5)):.0f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
