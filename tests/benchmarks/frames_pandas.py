"""pandas on our frames beside the same columns typed by hand: `python tests/benchmarks/frames_pandas.py
[rows]`.

Each operation is timed on both, alternately; the figure is the median of each side and their ratio. Memory is
`memory_usage(deep=True)`.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import pandas as pd

import stripe_magics.accessor  # noqa: F401 - registers df.stripe
from stripe_magics import frames
from stripe_magics.frames.arrow_columns import text_dtype
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
    start = time.perf_counter()
    what()
    return (time.perf_counter() - start) * 1000


def main(count: int, rounds: int = 7) -> None:
    data = rows(count)
    whole = frames.build([json.dumps(data).encode()], "charge", attrs={"mode": "test", "units": "minor"})
    ours, theirs = whole[list(COLUMNS)], by_hand(data)
    print(f"{count:,} rows; pandas {pd.__version__}; {whole.shape[1]} columns in all")
    for name, operation in OPERATIONS.items():
        pairs = [(timed(lambda: operation(ours)), timed(lambda: operation(theirs))) for _ in range(rounds)]
        left, right = (statistics.median(each) for each in zip(*pairs, strict=True))
        print(f"{name:10} ours {left:8.2f} ms   by hand {right:8.2f} ms   {left / right:5.2f} x")
    for name, frame in (("filter, all columns", whole),):
        print(
            f"{name}:"
            f" {statistics.median(timed(lambda: OPERATIONS['filter'](frame)) for _ in range(3)):.0f} ms"
        )
    memory = [int(each.memory_usage(deep=True).sum()) for each in (ours, theirs)]
    print(
        f"memory     ours {memory[0] / 1e6:.1f} MB   by hand {memory[1] / 1e6:.1f} MB  "
        f" {memory[0] / memory[1]:.2f} x"
    )
    bundle(whole)
    print(f"display: {statistics.median(timed(lambda: bundle(whole)) for _ in range(5)):.0f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
