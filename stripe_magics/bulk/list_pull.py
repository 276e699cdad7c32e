"""Several lists side by side, and one list over many connected accounts: a thread each, one limiter for all.

Threads only wait; the pages of all lists come in on one event loop. Stop ends all of them and gives back what
came.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics._call_run import frame_attrs
from stripe_magics.bulk.list_frame import joined, with_account
from stripe_magics.bulk.list_requests import describe, flat_names, list_request, resource, split_names
from stripe_magics.bulk.list_threads import MAX_ACCOUNTS, list_work, side_by_side
from stripe_magics.bulk.parquet_export import Saved, summary
from stripe_magics.errors import StripeMagicsError, UsageFault
from stripe_magics.frames.frame_info import facts_of, put_attrs, set_facts
from stripe_magics.progress import ProgressGroup, progress_bar
from stripe_magics.validation.object_ids import account_ids

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection

MAX_LISTS = 4  # lists at once


def pull(
    *names: str,
    to: str | Path = "",
    columns: str | Sequence[str] = (),
    limit: object = "all",
    accounts: object = None,
    engine: str = "",
    connection: Connection | None = None,
    quiet: bool = False,
    **values: Any,
) -> Any:
    """Whole lists, side by side: `pull("customers", "payment_intents")`.

    One name gives a DataFrame, several (`names`) a dict of them by name. `columns` are those to keep, `limit`
    the rows of each list ("all" unless given). With `to`, each is written as Parquet parts to
    `to/NAME` (resumable), and a frame says what was written. `accounts` (ids, or a frame or column of them)
    pulls one list over these connected accounts, with the account in the first column; `engine="dask"` then
    gives a dask DataFrame. Further keywords are the lists' own filters.
    Raises `UsageFault`, `InvalidValue` for a filter, or the `StripeError` of the first list that failed.
    """
    from stripe_magics.client.shared_connection import current

    names = tuple(flat_names(names))
    if not names:
        raise UsageFault("Which lists? pull customers payment_intents ...")
    connection = connection or current()
    chosen = split_names(columns)
    if engine not in {"", "dask"}:
        raise UsageFault(f"--engine {engine}: there is only dask (and without it, this process).")
    if engine == "dask" or accounts is not None:
        if len(names) > 1:
            raise UsageFault("Over accounts, one list at a time.")
        if engine == "dask":
            from stripe_magics.bulk.dask_frame import lazy_frame

            return lazy_frame(connection, names[0], account_ids(accounts), columns=chosen, **values)
        return over_accounts(
            connection,
            names[0],
            account_ids(accounts),
            to=to,
            columns=chosen,
            limit=limit,
            quiet=quiet,
            **values,
        )
    requests = {resource(name): list_request(connection, name, limit=limit, **values) for name in names}
    with progress_bar(", ".join(requests), quiet=quiet) as bar:
        together = ProgressGroup(bar, len(requests))
        work = {
            name: list_work(connection, each, Path(to) / name if to else "", chosen, together)
            for name, each in requests.items()
        }
        results = side_by_side(work, MAX_LISTS)
    if to:
        import pandas as pd

        summaries = [summary(saved, Path(to) / name) for name, saved in results.items()]
        frame = pd.concat(summaries, ignore_index=True)
        notes = [note for each in summaries for note in facts_of(each).get("notes", [])]
        return describe(frame, "pull", complete=bool(frame["complete"].all()), notes=notes)
    return results if len(names) > 1 else next(iter(results.values()))


def over_accounts(
    connection: Connection,
    name: str,
    accounts: Sequence[str],
    *,
    to: str | Path = "",
    columns: Sequence[str] = (),
    limit: object = "all",
    quiet: bool = False,
    **values: Any,
) -> pd.DataFrame:
    """One list over many accounts, `account` in the first column. An account that fails is named in the
    notes, the others are there.

    With `to`, each account's parts are written to `to/account=ID` as it comes and only what was written is
    returned.
    """
    import pandas as pd

    base = list_request(connection, name, limit=limit, **values)
    faults: dict[str, str] = {}

    def work(account: str, together: ProgressGroup) -> Callable[[Callable[[], bool]], Any]:
        headers = tuple(pair for pair in base.headers if pair[0].lower() != "stripe-account")
        request = replace(base, headers=(*headers, ("Stripe-Account", account)))
        pulled = list_work(
            connection,
            request,
            Path(to) / f"account={account}" if to else "",
            columns,
            together,
            typed=False,  # one type for each account would be no data set over all of them
        )

        def run(stop: Callable[[], bool]) -> pd.DataFrame | Saved | None:
            if stop():
                return None
            try:
                return pulled(stop)
            except StripeMagicsError as problem:
                faults[account] = problem.brief
                return None

        return run

    with progress_bar(f"{resource(name)} of {len(accounts)} accounts", quiet=quiet) as bar:
        together = ProgressGroup(bar, len(accounts))
        results = side_by_side({each: work(each, together) for each in accounts}, MAX_ACCOUNTS)
    missing = [each for each in accounts if results[each] is None]
    notes = [f"{account}: {problem}" for account, problem in faults.items()]
    if len(missing) > len(faults):
        notes.append(f"Stopped: {len(missing) - len(faults)} accounts were not read.")
    if to:
        frame = pd.concat(
            [summary(results[each], Path(to) / f"account={each}") for each in accounts if results[each]]
            or [pd.DataFrame()],
            ignore_index=True,
        )
    else:
        parts = [with_account(results[each], each) for each in accounts if results[each] is not None]
        frame = joined(parts, base.returns)
    whole = not missing and all(_is_complete(each) for each in results.values())
    put_attrs(frame, frame_attrs(connection, base, complete=whole))
    set_facts(frame, accounts=len(accounts), notes=notes)
    return frame


def _is_complete(result: object) -> bool:
    return bool(result["complete"] if isinstance(result, Saved) else facts_of(result)["complete"])
