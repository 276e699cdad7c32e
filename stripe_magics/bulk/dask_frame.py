"""`--engine dask`: a lazy dask DataFrame over many connected accounts. A partition is a batch of accounts, described by a value without a key.

The workers find the key themselves: in their own environment, key store or CLI profile, by the name that the connection was opened with.
The rate is split over the batches that can run at once.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stripe_magics.errors import NotConnected, UsageFault

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection


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
        raise UsageFault("--engine dask needs dask.", advice="pip install 'stripe_magics[dask]'") from None
    import stripe_magics.accessor  # noqa: F401 - registers df.stripe
    from stripe_magics import frames
    from stripe_magics.bulk.list_frame import with_account
    from stripe_magics.bulk.list_requests import list_request
    from stripe_magics.client.rate_limiter import ENDPOINT, limiter_for

    where = _source(connection)
    request = list_request(connection, name, **values)
    workers = _workers()
    count = max(1, min(len(accounts), batches or 2 * workers))
    limiter = limiter_for(connection)
    at_once = max(1, min(workers, count))
    rate = min(limiter.total, ENDPOINT if connection.rate is None else connection.rate) / at_once
    parts = [
        Batch(
            request.module, tuple(accounts[number::count]), tuple(sorted(values.items())), tuple(columns), api_base=connection.base,
            api_version=connection.api_version, rate=rate, **where,
        )
        for number in range(count)
    ]  # fmt: skip
    meta = with_account(frames.build((), request.returns, columns=columns), "")
    return dd.from_map(
        read, parts, meta=meta, enforce_metadata=False, label=f"stripe-{name.replace('.', '-')}"
    )


def read(batch: Batch) -> pd.DataFrame:
    """One partition, read on a worker with its own key. Fixed columns only, so that all partitions are alike."""
    import stripe_magics.accessor  # noqa: F401 - registers df.stripe
    from stripe_magics import frames
    from stripe_magics.bulk.list_frame import joined, read_frame, with_account
    from stripe_magics.bulk.list_requests import list_request

    connection = open_for(batch)
    try:
        pieces = []
        for account in batch.accounts:
            request = list_request(connection, batch.module, account=account, **dict(batch.values))
            pieces.append(with_account(read_frame(connection, request, columns=batch.columns), account))
        frame = joined(pieces, request.returns)
        fixed = with_account(frames.build((), request.returns, columns=batch.columns), "")
        return frame[[name for name in fixed.columns if name in frame]].astype(
            {
                name: dtype
                for name, dtype in fixed.dtypes.items()
                if name in frame and str(dtype) != "category"
            }
        )
    finally:
        connection.close()


def open_for(batch: Batch) -> Connection:
    """A connection of the worker's own; the one that its process may share is left alone."""
    from stripe_magics.client import credentials
    from stripe_magics.client.secret import classify
    from stripe_magics.client.sending import request_checks
    from stripe_magics.client.shared_connection import Connection

    secret, source = credentials.find(env=batch.env, profile=batch.profile, name=batch.name)
    mode = classify(secret.reveal()).mode
    return Connection(
        secret=secret, mode=mode, base=request_checks.check_base(batch.api_base, mode), source=source, name=batch.name,
        api_version=batch.api_version, rate=batch.rate,
    )  # fmt: skip


def _source(connection: Connection) -> dict[str, str]:
    """How a worker finds the same key, from where this connection has it."""
    kinds = {"environment variable ": "env", "keyring entry ": "name"}
    for words, key in kinds.items():
        if connection.source.startswith(words):
            return {key: connection.source.removeprefix(words)}
    raise NotConnected(
        f"Workers read the key from their own environment or keyring, and this one comes from {connection.source or 'elsewhere'}.",
        advice="Connect with %stripe connect --env NAME, with the variable set on the workers too.",
    )


def _workers() -> int:
    """The workers of the cluster in use; without one, the processors of this machine."""
    try:
        from distributed import get_client
    except ImportError:
        return os.cpu_count() or 1
    try:
        return len(get_client().scheduler_info(n_workers=-1)["workers"]) or 1
    except (ValueError, TypeError):  # no client here, or one of a version without n_workers
        return os.cpu_count() or 1
