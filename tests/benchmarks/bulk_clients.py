"""The ways to pull a list that `bulk.py` compares; each runs in a process of its own (`bulk_process.py`).

A client gets its job (url, rate, rows, folder ...) and returns how many rows it has; that they are all there,
and none twice, it has checked. What it leaves as the job's `check` is looked at afterwards, unmeasured.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path += [str(Path(__file__).parents[1] / "bulk"), str(Path(__file__).parents[2])]

KEY = "sk_test_51BenchmarkBenchmarkBenchmarkBenchmark0001"
LISTS = ("payment_intents", "charges", "refunds", "invoices")
COLUMNS = ["id", "created", "amount", "currency", "status", "customer", "description", "receipt_email"]
WINDOWS, THREADS = 24, 10

Job = dict[str, Any]


def complete(frame: Any, rows: int) -> int:
    """The rows of a frame that must have all of a list, each once."""
    assert len(frame) == rows, f"{len(frame)} rows, not {rows}"
    assert frame["id"].is_unique
    return rows


# Ours -------------------------------------------------------------------------------------------------------
def connect(job: Job) -> None:
    """A connection at the job's rate, as `%stripe connect` leaves it: the account was asked for. `endpoint`
    is a lower limit of each list. What a call imports is there; when the last page came is written down."""
    from stripe_magics.client import shared_connection as connection
    from stripe_magics.client.pagination.page_fetcher import Fetcher
    from stripe_magics.client.rate_limiter import limiter_for
    from stripe_magics.client.secret import Secret
    from stripe_magics.pipeline import call

    made = connection.connect(secret=Secret(KEY), api_base=job["url"], rate=job["rate"])
    limiter_for(made).endpoint = job.get("endpoint") or job["rate"]
    made.account_object()
    job["connection"] = made
    call("payment_intents.list", limit="all", connection=made, dry_run=True)
    page = Fetcher.page

    def noted(self: Fetcher, body: bytes, request_id: str) -> Any:
        job["last page"] = time.perf_counter()
        return page(self, body, request_id)

    Fetcher.page = noted  # type: ignore[method-assign]


def ours(job: Job, **options: Any) -> int:
    from stripe_magics.pipeline import call

    frame = job["frame"] = call("payment_intents.list", limit="all", connection=job["connection"], **options)

    def check() -> None:
        assert frame["created"].is_monotonic_decreasing
        complete(frame, job["rows"])

    job["check"] = check
    return len(frame)


def sequential(job: Job) -> int:
    from stripe_magics.client.pagination import paginator

    paginator.windowed = lambda request: False
    return ours(job)


def parquet(job: Job) -> int:
    import pyarrow.parquet as pq

    from stripe_magics import bulk

    result = bulk.pull("payment_intents", to=job["folder"], connection=job["connection"], quiet=True)
    # reading isn't measured
    job["check"] = lambda: complete(pq.read_table(job["folder"], columns=["id"]).to_pandas(), job["rows"])
    return int(result["rows"].sum())


def lists(job: Job, *, at_once: bool) -> int:
    from stripe_magics import bulk

    connection = job["connection"]
    if at_once:
        frames = bulk.pull(*LISTS, connection=connection, quiet=True)
    else:
        frames = {name: bulk.pull(name, connection=connection, quiet=True) for name in LISTS}
    return sum(complete(frames[name], job["rows"]) for name in LISTS)


def accounts(job: Job) -> int:
    from stripe_magics import bulk

    frame = bulk.pull("payment_intents", accounts=job["accounts"], connection=job["connection"], quiet=True)
    for _, own in frame.groupby("account"):
        complete(own, job["rows"])
    assert frame["account"].nunique() == len(job["accounts"])
    return len(frame)


def mirror(job: Job) -> int:
    from stripe_magics import bulk

    result = bulk.sync(job["folder"], "payment_intents", connection=job["connection"], quiet=True)
    assert result["how"].tolist() == ["changes" if "changes" in job else "whole"]
    return int(result["rows"].sum())


def refresh(job: Job) -> int:
    from stripe_magics import bulk

    def check() -> None:
        query = (
            "select count(*), count(distinct id), count(*) filter (description = 'changed') from"
            " payment_intents"
        )
        counts = bulk.sql(query, target=job["folder"]).iloc[0].tolist()
        assert counts == [job["rows"], job["rows"], job["changes"]], counts

    job["check"] = check
    return mirror(job)


def before_refresh(job: Job) -> None:
    """A mirror that is whole, and then the objects change."""
    connect(job)
    mirror({name: value for name, value in job.items() if name != "changes"})
    os.kill(job["server"], signal.SIGUSR1)
    time.sleep(2)


def load_pages(job: Job) -> None:
    """The answers of the list server, in memory."""
    from list_server import ListServer

    server, query = ListServer(count=job["rows"]), {"limit": "100"}
    pages = job["pages"] = []
    while len(pages) * 100 < job["rows"]:
        pages.append(server.answer("/v1/payment_intents", query)[1])
        query["starting_after"] = server.ids[min(len(pages) * 100, job["rows"]) - 1]


def flatten(job: Job, **options: Any) -> int:
    from stripe_magics import frames

    return complete(frames.build(iter(job["pages"]), "payment_intent", **options), job["rows"])


# The others -------------------------------------------------------------------------------------------------
def normalized(rows: list[Any], job: Job) -> int:
    import pandas as pd

    frame = pd.json_normalize(rows)
    job["check"] = lambda: complete(frame, job["rows"])
    return len(frame)


def stripe_list(job: Job, **filters: Any) -> Iterator[Any]:
    import stripe

    client = stripe.StripeClient(KEY, base_addresses={"api": job["url"]})
    return client.v1.payment_intents.list({"limit": 100, **filters}).auto_paging_iter()


def official(job: Job) -> int:
    """As the package's users do it: the objects in a list, then a frame of them."""
    objects = list(stripe_list(job))
    return normalized([each.to_dict() for each in objects], job)


def official_lean(job: Job) -> int:
    """No object is kept."""
    return normalized([each.to_dict() for each in stripe_list(job)], job)


def official_threads(job: Job) -> int:
    """Equal windows of `created`, some at a time."""
    from list_server import START, TWO_YEARS

    bounds = [START + TWO_YEARS * place // WINDOWS for place in range(WINDOWS + 1)]

    def window(place: int) -> list[Any]:
        return list(stripe_list(job, created={"gte": bounds[place], "lte": bounds[place + 1] - 1}))

    with ThreadPoolExecutor(THREADS) as pool:
        objects = [each for part in pool.map(window, range(WINDOWS)) for each in part]
    return normalized([each.to_dict() for each in objects], job)


def plain_rows(client: Any, job: Job, account: str = "") -> list[Any]:
    """httpx and orjson, page after page."""
    import orjson

    rows: list[Any] = []
    params: dict[str, Any] = {"limit": 100}
    while True:
        answer = client.get(
            f"{job['url']}/v1/payment_intents",
            params=params,
            headers={"Stripe-Account": account} if account else {},
        )
        page = orjson.loads(answer.raise_for_status().content)
        rows += page["data"]
        if not page["has_more"]:
            return rows
        params["starting_after"] = rows[-1]["id"]


def plain(job: Job) -> int:
    import httpx

    with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}) as client:
        return normalized(plain_rows(client, job), job)


def hand_written(job: Job) -> int:
    """What a good programmer writes in an hour: asyncio, httpx and orjson, equal windows of `created`,
    requests paced at the known rate."""
    import asyncio

    rows = asyncio.run(_hand_written(job))
    return normalized(rows, job)


async def _hand_written(job: Job) -> list[Any]:
    import asyncio

    import httpx
    import orjson
    from list_server import START, TWO_YEARS

    count = max(1, min(400, job["rows"] // 400))
    bounds = [START + TWO_YEARS * place // count for place in range(count + 1)]
    rows: list[Any] = []
    due = 0.0
    places = asyncio.Semaphore(24)
    limits = httpx.Limits(max_connections=24, max_keepalive_connections=24)
    headers = {"Authorization": f"Bearer {KEY}"}

    async with httpx.AsyncClient(headers=headers, limits=limits, timeout=60) as client:

        async def page(params: dict[str, Any]) -> Any:
            nonlocal due
            now = asyncio.get_running_loop().time()
            due = max(due, now) + 1 / job["rate"]
            await asyncio.sleep(due - now)
            answer = await client.get(f"{job['url']}/v1/payment_intents", params=params)
            return orjson.loads(answer.raise_for_status().content)

        async def window(low: int, high: int) -> None:
            params: dict[str, Any] = {"limit": 100, "created[gte]": low, "created[lte]": high}
            async with places:
                while True:
                    found = await page(params)
                    rows.extend(found["data"])
                    if not found["has_more"]:
                        return
                    params["starting_after"] = found["data"][-1]["id"]

        windows = zip(bounds, [*(each - 1 for each in bounds[1:-1]), bounds[-1]], strict=False)
        await asyncio.gather(*(window(low, high) for low, high in windows))
    return rows


def official_dicts(job: Job) -> int:
    """The least that its users do: the objects as dicts in a list, no frame."""
    rows = [each.to_dict() for each in stripe_list(job)]

    def check() -> None:
        assert len({each["id"] for each in rows}) == job["rows"]

    job["check"] = check
    return len(rows)


def plain_accounts(job: Job) -> int:
    """One account after another."""
    import httpx
    import pandas as pd

    with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}) as client:
        parts = [
            pd.json_normalize(plain_rows(client, job, each)).assign(account=each) for each in job["accounts"]
        ]
    for part in parts:
        complete(part, job["rows"])
    return len(pd.concat(parts, ignore_index=True))


def plain_flatten(job: Job) -> int:
    return normalized([row for page in job["pages"] for row in json.loads(page)["data"]], job)


CLIENTS: dict[str, Callable[[Job], int]] = {
    "ours": ours,
    "columns": lambda job: ours(job, columns=COLUMNS),
    "sequential": sequential,
    "parquet": parquet,
    "official": official,
    "official-lean": official_lean,
    "official-10-threads": official_threads,
    "orjson": plain,
    "hand-written": hand_written,
    "official-dicts": official_dicts,
    "lists-at-once": lambda job: lists(job, at_once=True),
    "lists-one-by-one": lambda job: lists(job, at_once=False),
    "accounts": accounts,
    "accounts-loop": plain_accounts,
    "mirror": mirror,
    "refresh": refresh,
    "flatten": flatten,
    "flatten-columns": lambda job: flatten(job, columns=COLUMNS),
    "flatten-json": plain_flatten,
}

BEFORE: dict[str, Callable[[Job], None]] = {  # what must be there, and is not measured
    **dict.fromkeys(
        (
            "ours",
            "columns",
            "sequential",
            "parquet",
            "lists-at-once",
            "lists-one-by-one",
            "accounts",
            "mirror",
        ),
        connect,
    ),
    "refresh": before_refresh,
    "flatten": load_pages,
    "flatten-columns": load_pages,
    "flatten-json": load_pages,
}
