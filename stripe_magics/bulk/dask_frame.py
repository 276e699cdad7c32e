"""`--engine dask`: a lazy dask DataFrame over many connected accounts. A partition is a batch of accounts,
described by a value without a key.

The workers find the key themselves: in their own environment, key store or CLI profile, by the name that the
connection was opened with.
The rate is split over the batches that can run at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stripe_magics import frames
from stripe_magics._install import pip_install
from stripe_magics.bulk.list_frame import joined, read_frame, with_account
from stripe_magics.bulk.list_requests import list_request
from stripe_magics.bulk.list_threads import MAX_ACCOUNTS, side_by_side
from stripe_magics.client.rate_limiter import ENDPOINT_RATE, limiter_for
from stripe_magics.client.sending import request_checks
from stripe_magics.errors import NotConnected, StripeMagicsError, UsageFault

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection


OTHER_FIELDS = "other_fields"  # the column of what the facts don't know


@dataclass(frozen=True, slots=True)
class Batch:
    """What a worker must know to read a partition; picklable, and nothing secret in it."""

    module: str
    accounts: tuple[str, ...]
    values: tuple[tuple[str, Any], ...] = ()
    columns: tuple[str, ...] = ()
    env: str = ""
    profile: str = ""
    name: str = ""
    api_base: str = ""
    api_version: str = ""
    rate: float | None = None


def lazy_frame(
    connection: Connection,
    name: str,
    accounts: Sequence[str],
    *,
    columns: Sequence[str] = (),
    batches: int | None = None,
    **values: Any,
) -> Any:
    """A dask DataFrame of one list over these accounts; nothing is read before it is computed."""
    try:
        import dask.dataframe as dd
    except ImportError:
        raise UsageFault("--engine dask needs dask.", advice=pip_install("dask distributed")) from None
    where = _source(connection)
    request = list_request(connection, name, **values)
    threads = _threads()
    count = max(1, min(len(accounts), batches or 2 * threads))
    limiter = limiter_for(connection)
    at_once = max(1, min(threads, count))  # batches that can run at once
    rate = min(limiter.total, ENDPOINT_RATE if connection.rate is None else connection.rate) / at_once
    parts = [
        Batch(
            request.module, tuple(accounts[number::count]), tuple(sorted(values.items())), tuple(columns),
            api_base=connection.base, api_version=connection.api_version, rate=rate, **where,
        )
        for number in range(count)
    ]  # fmt: skip
    meta = empty_partition(request.returns, columns)
    return dd.from_map(
        read, parts, meta=meta, enforce_metadata=False, label=f"stripe-{name.replace('.', '-')}"
    )


def read(batch: Batch) -> pd.DataFrame:
    """One partition, read on a worker with its own key, its accounts side by side.

    All partitions have the same columns: the fixed ones, and one with whatever else the accounts sent, as
    JSON text.
    """
    connection = open_for(batch)
    try:
        limiter_for(connection)  # one for all threads
        requests = {
            account: list_request(connection, batch.module, account=account, **dict(batch.values))
            for account in batch.accounts
        }

        def work(account: str) -> Callable[[Callable[[], bool]], pd.DataFrame]:
            def run(stop: Callable[[], bool]) -> pd.DataFrame:
                try:
                    frame = read_frame(connection, requests[account], columns=batch.columns, stop=stop)
                except StripeMagicsError as problem:
                    problem.add_facts(f"Account {account}.")
                    raise
                return with_account(frame, account)

            return run

        results = side_by_side({account: work(account) for account in batch.accounts}, MAX_ACCOUNTS)
        request = requests[batch.accounts[0]]
        return partition_of(joined(list(results.values()), request.returns), request.returns, batch.columns)
    finally:
        connection.close()


def partition_of(frame: pd.DataFrame, object_type: str, columns: Sequence[str]) -> pd.DataFrame:
    """A frame in the columns and dtypes that every partition has."""
    import pandas as pd

    fixed = empty_partition(object_type, columns)
    names = [name for name in fixed.columns if name != OTHER_FIELDS]
    data: dict[str, Any] = {}
    for name in names:
        dtype = fixed[name].dtype
        data[name] = frame[name].astype(dtype) if name in frame else pd.Series(index=frame.index, dtype=dtype)
    others = [name for name in frame.columns if name not in data]
    data[OTHER_FIELDS] = pd.Series(
        _as_json(frame, others), index=frame.index, dtype=fixed[OTHER_FIELDS].dtype
    )
    return pd.DataFrame(data)


def empty_partition(object_type: str, columns: Sequence[str]) -> pd.DataFrame:
    """No rows, in the columns and dtypes of a partition."""
    import pandas as pd

    import stripe_magics.accessor  # noqa: F401 - registers df.stripe

    frame = with_account(frames.build((), object_type, columns=columns), "")
    return frame.assign(**{OTHER_FIELDS: pd.Series(index=frame.index, dtype=frame["account"].dtype)})


def _as_json(frame: pd.DataFrame, names: Sequence[str]) -> list[str | None]:
    import msgspec

    if not names:
        return [None] * len(frame)
    there = frame[list(names)].notna().to_numpy()
    columns = [frame[name].tolist() for name in names]
    return [
        (
            msgspec.json.encode(
                {
                    name: column[row]
                    for name, column, known in zip(names, columns, there[row], strict=True)
                    if known
                },
                enc_hook=_plain,
            ).decode()
            if there[row].any()
            else None
        )
        for row in range(len(frame))
    ]


def _plain(value: object) -> Any:
    """A cell as JSON has it: its mapping or list, or its text."""
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)


def open_for(batch: Batch) -> Connection:
    """A connection of the worker's own; the one that its process may share is left alone."""
    from stripe_magics.client import credentials
    from stripe_magics.client.secret import classify
    from stripe_magics.client.shared_connection import Connection

    secret, source = credentials.find(env=batch.env, profile=batch.profile, name=batch.name)
    mode = classify(secret.reveal()).mode
    return Connection(
        secret=secret, mode=mode, base=request_checks.check_base(batch.api_base, mode), source=source,
        name=batch.name, api_version=batch.api_version, rate=batch.rate,
    )  # fmt: skip


def _source(connection: Connection) -> dict[str, str]:
    """How a worker finds the same key, from where this connection has it."""
    kinds = {"environment variable ": "env", "keyring entry ": "name"}
    for words, key in kinds.items():
        if connection.source.startswith(words):
            return {key: connection.source.removeprefix(words)}
    raise NotConnected(
        "Workers read the key from their own environment or keyring, and this one comes from"
        f" {connection.source or 'elsewhere'}.",
        advice="Connect with %stripe connect --env NAME, with the variable set on the workers too.",
    )


def _threads() -> int:
    """The threads of the cluster in use, each of which can read a batch; without one, the processors of this
    machine."""
    try:
        from distributed import get_client
    except ImportError:
        return os.cpu_count() or 1
    try:
        workers = get_client().scheduler_info(n_workers=-1)["workers"]
    except (ValueError, TypeError):  # no client here, or one of a version without n_workers
        return os.cpu_count() or 1
    return sum(int(each.get("nthreads", 1)) for each in workers.values()) or 1
