"""The local work of a mirror: a nightly sync of scattered changes, `sql` and `--verify` over many rows, made
synthetically.

Goals at 10 million rows: a sync with 5,000 changes all over the years under 30 s and 500 MB, a group-by under
2 s; verify of a million rows
under 3 s.   python tests/benchmarks/bulk_mirror.py [MILLIONS] [NIGHTS] [FOLDER]
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])  # in place of this folder, whose `bulk` is another one

import json  # noqa: E402

import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402
from bulk.list_server import intent  # noqa: E402

from stripe_magics import bulk  # noqa: E402
from stripe_magics.bulk.mirror_storage import ListFolder  # noqa: E402
from stripe_magics.frames import Builder, manifest  # noqa: E402
from stripe_magics.frames.parquet import plain_table  # noqa: E402

START, MONTHS, CHANGES = 1_600_000_000, 60, 5_000
MONTH = 2_629_800


def template(rows: int) -> pa.Table:
    """So many rows as the builder makes them."""
    builder = Builder("payment_intent")
    for at in range(0, rows, 100):
        page = {
            "object": "list",
            "data": [intent(number, START) for number in range(at, at + 100)],
            "has_more": True,
        }
        builder.add(json.dumps(page).encode())
    return plain_table(builder.tables(), "payment_intent")


def ids_of(numbers: Any) -> pa.Array:
    return pa.array([f"pi_{number:024}" for number in numbers.tolist()], pa.string())


def with_values(table: pa.Table, numbers: Any, created: Any, description: str) -> pa.Table:
    values = {
        "id": ids_of(numbers),
        "created": pa.array(created * 1_000_000, pa.timestamp("us", "UTC")),
        "amount": pa.array(numbers % 9_973 + 100, pa.int64()),
        "description": pa.array([description] * len(numbers), pa.string()),
    }
    for name, array in values.items():
        table = table.set_column(table.schema.get_field_index(name), name, array)
    return table


def created_of(numbers: Any, total: int) -> Any:
    """An object's time follows from its number, over all months."""
    return START + (numbers.astype("int64") * MONTHS * MONTH) // total


@contextmanager
def timed(what: str) -> Iterator[None]:
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    yield
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{what:44} {time.perf_counter() - began:7.2f} s  {cpu:7.2f} s CPU  peak"
        f" {after.ru_maxrss / 1024:6.0f} MB",
        flush=True,
    )


def main() -> None:
    total = int(float(sys.argv[1]) * 1_000_000) if len(sys.argv) > 1 else 1_000_000
    nights = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    folder = Path(tempfile.mkdtemp(dir=sys.argv[3] if len(sys.argv) > 3 else None))
    mirrored = ListFolder(folder / "payment_intents")
    mirrored.folder.mkdir()
    step = 100_000
    some = template(2_000).take(pa.array(np.arange(step) % 2_000))
    files = []
    with timed(f"{total:,} rows made and written"):
        for at in range(0, total, step):
            numbers = np.arange(at, min(total, at + step))[::-1]
            table = with_values(some.slice(0, len(numbers)), numbers, created_of(numbers, total), "as it was")
            month = time.strftime("%Y-%m", time.gmtime(int(created_of(numbers[-1:], total)[0])))
            files.append(manifest.write_file(mirrored.folder, table, manifest.unique_name(month)))
        mirrored._commit(files, "payment_intent", {"account": "x", "synced": START})
    print(f"{sum(each.size for each in files) / 1e6:,.0f} MB in {len(files)} files")
    chance = Random(1)
    few = some.slice(0, CHANGES)
    for night in range(nights):
        numbers = np.array(sorted(chance.sample(range(total), CHANGES)))
        changed = with_values(few, numbers, created_of(numbers, total), f"changed in night {night}")
        before = {each.name for each in mirrored.manifest.every_file}  # type: ignore[union-attr]
        with timed(f"night {night}: {CHANGES:,} changes all over"):
            rows = mirrored.merge(changed, (), mirrored.details)
        assert rows == total
        written = [each for each in mirrored.manifest.every_file if each.name not in before]  # type: ignore[union-attr]
        print(f"    {len(written)} files of {sum(each.size for each in written) / 1e6:.1f} MB were written")
    with timed("sql: group by month and currency"):
        frame = bulk.sql(
            "select date_trunc('month', created) as month, currency, count(*) as n, sum(amount) as amount"
            " from payment_intents group by 1, 2",
            target=folder,
        )
    assert frame["n"].sum() == total
    with timed("sql: one month by created"):
        bulk.sql(
            "select count(*) as n from payment_intents where created >= '2023-01-01' and created <"
            " '2023-02-01'",
            target=folder,
        )
    with timed("verify"):
        assert bulk.sync(folder, verify=True)["complete"].all()
    with timed("changes worked into the files"):
        mirrored.compact()
    assert mirrored.rows == total
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
