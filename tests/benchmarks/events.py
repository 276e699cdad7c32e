"""Watch Events at length: what takes too long for the tests.

python tests/benchmarks/events.py kills 10000   two kernels, a writing handler, kill -9: each write once
python tests/benchmarks/events.py receiver 600  50 signed events a second for so many seconds: none lost
python tests/benchmarks/events.py cells 1000    a watch cell run again and again: no growth
python tests/benchmarks/events.py gap 20000     a gap into panel and handlers: time, size of messages
"""

from __future__ import annotations

import gc
import json
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.events.disputes_server import KERNEL, DisputesServer
from tests.events.doubles import Stripe, event

ROOT = Path(__file__).parents[2]


def kills(count: int) -> None:
    """Two kernels, one of them killed every 3 to 9 seconds, until all events are handled."""
    server = DisputesServer(count)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    folder = Path(tempfile.mkdtemp())
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(folder), "STRIPE_MAGICS_STATE_DIR": str(folder),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = [sys.executable, "-c", KERNEL, server.base, "go"]
    began, killed, starts = time.monotonic(), 0, 0
    kernels: list[subprocess.Popen[bytes] | None] = [None, None]
    with (folder / "stderr").open("ab") as errors:
        while len(server.refunds) < count:
            for place, each in enumerate(kernels):
                if each is None or each.poll() is not None:
                    kernels[place] = subprocess.Popen(command, env=environment, stderr=errors, cwd=folder)
                    starts += 1
            until = time.monotonic() + random.uniform(3, 9)
            while time.monotonic() < until and len(server.refunds) < count:
                time.sleep(0.2)
            kernel = random.choice(kernels)
            if kernel is not None and kernel.poll() is None and len(server.refunds) < count:
                kernel.kill()
                kernel.wait()
                killed += 1
        for each in kernels:
            if each is not None:
                each.wait(300)
    bodies = len(set(server.refunds.values()))
    print(
        f"{count:,} events, {starts} starts of two kernels, {killed} killed, {time.monotonic() - began:.0f}"
        f" s: {len(server.refunds):,} keys, {bodies:,} distinct refunds, {len(server.attempts):,} POSTs,"
        f" {server.changed} keys with another body"
    )
    print((folder / "stderr").read_text()[-400:])
    assert len(server.refunds) == bodies == count
    assert server.changed == 0


def _watch(folder: Path, *events: dict[str, Any]) -> tuple[Stripe, Any, list[str]]:
    from stripe_magics.events.account_events import AccountEvents
    from stripe_magics.events.event_store import Store
    from stripe_magics.events.event_watch import Watch
    from stripe_magics.events.filters import event_filter

    stripe = Stripe(*events)
    stripe.clock = float(events[0]["created"] + 1)
    account: Any = AccountEvents(stripe, "", Store(folder / "events.sqlite", "scope", now=stripe.now))  # type: ignore[arg-type]
    handled: list[str] = []
    account.register("*", lambda each: handled.append(each["id"]), since=None, name="heard", condition=None)
    return stripe, Watch(account, event_filter()), handled


def receiver(seconds: int) -> None:
    """50 a second, each signed, kept before it is answered, handled afterwards."""
    from stripe_magics.client.secret import Secret
    from stripe_magics.events.receiver import Receiver
    from stripe_magics.events.webhook_delivery import post

    first = 1_700_000_000
    _, watch, handled = _watch(Path(tempfile.mkdtemp()), event("evt_0", "invoice.created", first))
    watch.poll()
    secret = Secret("whsec_" + "a" * 32)
    target = Receiver(watch.accept, watch.handle, secrets_=[secret]).start()
    began, sent, answered = time.monotonic(), 0, 0
    late = 0.0
    while time.monotonic() - began < seconds:
        answered += (
            post(target, event(f"evt_r{sent:06}", "invoice.paid", first + 2 + sent // 50), secret) == 200
        )
        sent += 1
        late = max(late, time.monotonic() - began - sent / 50)
        time.sleep(max(0.0, began + sent / 50 - time.monotonic()))
    until = time.monotonic() + 60
    while len(handled) < sent and time.monotonic() < until:
        time.sleep(0.1)
    target.stop()
    took = time.monotonic() - began
    print(
        f"{sent:,} sent in {took:.0f} s ({sent / took:.1f}/s), {answered:,} answered 200,"
        f" {len(set(handled)):,} handled, at most {late:.1f} s behind"
    )
    print(dict(target.counts))
    assert sent == answered == len(handled) == len(set(handled))


def cells(times: int) -> None:
    """Files, threads, hooks, listeners and memory after so many runs of one cell, panel included."""
    import stripe_magics as sm
    from stripe_magics import events
    from stripe_magics.events.live_view import panel

    connection = sm.connect(sandbox=True)

    def run() -> None:
        shown = panel(sm.watch("customer", since="1h"))
        sm.on("customer.created", print)
        shown.shown.on_message({"ready": True})
        shown.shown.on_message({"gone": True})

    def measure() -> dict[str, int]:
        import ipywidgets

        gc.collect()
        return {
            "files": len(list(Path("/proc/self/fd").iterdir())),
            "threads": threading.active_count(),
            "hooks": len(connection.before_close),
            "listeners": sum(
                len(each.listeners)
                for account in connection.extensions["events"].values()
                for each in account.watches.values()
            ),
            "widgets": (
                len(getattr(ipywidgets.widget, "_instances", {}) or {})
                if hasattr(ipywidgets, "widget")
                else 0
            ),
            "objects": len(gc.get_objects()),
            "kB": int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024,
        }

    for _ in range(50):
        run()
    before = measure()
    for _ in range(times):
        run()
    print("before", before)
    print("after ", measure(), "handlers", len(events.handlers()))
    sm.close()


def gap(count: int) -> None:
    """A gap of so many events: from the pass to the panel and the handlers."""
    from stripe_magics.events.live_view import LiveViewModel

    first = 1_700_000_000
    stripe, watch, handled = _watch(Path(tempfile.mkdtemp()), event("evt_0", "invoice.created", first))
    watch.poll()
    sent: list[int] = []
    view = LiveViewModel(watch)
    view.attach(lambda message: sent.append(len(json.dumps(message))))
    stripe.events += [
        event(
            f"evt_a{n:06}",
            "invoice.paid",
            first + 1 + n // 10,
            id=f"in_{n}",
            customer="cus_1",
            lines=[{"x": 1}] * 20,
        )
        for n in range(count)
    ]
    rows = sorted(stripe.events, key=lambda each: (each["created"], each["id"]), reverse=True)
    index = {each["id"]: place for place, each in enumerate(rows)}

    def send(request: Any, **_: Any) -> Any:
        said = dict(request.params)
        begin = index[said["starting_after"]] + 1 if "starting_after" in said else 0
        return stripe._answer({"data": rows[begin : begin + 100], "has_more": begin + 100 < len(rows)})

    stripe.send = send  # type: ignore[method-assign]
    began = time.perf_counter()
    watch.poll()
    print(
        f"{count:,} read, kept, shown and handled: {time.perf_counter() - began:.1f} s, {len(handled):,}"
        f" handled, messages <= {max(sent):,} bytes"
    )
    began = time.perf_counter()
    view.on_message({"ready": True})
    print(f"the panel begins in {1000 * (time.perf_counter() - began):.0f} ms")


if __name__ == "__main__":
    {"kills": kills, "receiver": receiver, "cells": cells, "gap": gap}[sys.argv[1]](int(sys.argv[2]))
