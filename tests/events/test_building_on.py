"""What is built on a watch: loops, waiting, digests, a watch without an end, and a panel that takes any
number of rows."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from events.doubles import Stripe, event

import stripe_magics as sm
from stripe_magics import events
from stripe_magics.client.connection import Connection
from stripe_magics.errors import UsageFault
from stripe_magics.events.account_events import AccountEvents
from stripe_magics.events.event_store import Store
from stripe_magics.events.event_watch import Watch
from stripe_magics.events.filters import event_filter
from stripe_magics.events.live_view import MAX_ROWS, LiveViewModel

T = int(time.time()) - 1000


@pytest.fixture
def sandbox() -> Iterator[Connection]:
    connection = sm.connect(sandbox=True, demo=False)
    yield connection
    sm.close()


def test_a_loop_over_a_watch(sandbox: Connection) -> None:
    watch = sm.watch("customer")
    watch.interval = 0.02
    watch.resume()
    names = ["Ada", "Grace", "Emmy"]

    def make() -> None:
        for name in names:
            sandbox.send(_create(name))

    threading.Thread(target=make, daemon=True).start()
    came = []
    for each in watch:
        came.append(each["data"]["object"]["name"])
        if len(came) == 3:
            watch.stop()
    assert came == names


def _create(name: str) -> Any:
    from stripe_magics.pipeline import command, prepare

    return prepare(command("customers.create", name=name))


def test_a_loop_starts_with_what_since_asks_for(sandbox: Connection) -> None:
    sm.call("customers.create", name="Ada")
    watch = sm.watch("customer", since="1h")
    watch.stop()
    assert [each["data"]["object"]["name"] for each in watch] == ["Ada"]
    later = sm.watch("customer")
    later.stop()
    assert list(later) == [], "what was seen before is no news"


def test_waiting_for_the_next_event(sandbox: Connection) -> None:
    watch = sm.watch("customer")
    watch.interval = 0.02
    watch.resume()

    async def wait() -> list[str]:
        sm.call("customers.create", name="Ada")
        sm.call("customers.create", name="Grace")
        first = await watch.next("customer.created", timeout=60)
        second = await watch.next("customer.created", timeout=60)
        with pytest.raises(TimeoutError, match="customer.deleted"):
            await watch.next("customer.deleted", timeout=0.05)
        watch.stop()
        with pytest.raises(UsageFault, match="isn't running"):
            await watch.next("customer.created", timeout=60)
        return [each["data"]["object"]["name"] for each in (first, second)]

    assert asyncio.run(asyncio.wait_for(wait(), 60)) == ["Ada", "Grace"]


def test_a_digest(sandbox: Connection) -> None:
    watch = sm.watch("customer", "payment_intent.succeeded")
    customer = sm.call("customers.create", name="Ada")["id"].iloc[0]
    for amount in (2000, 3000):
        sm.call(
            "payment_intents.create",
            amount=amount,
            currency="usd",
            customer=customer,
            confirm=True,
            payment_method="pm_card_visa",
            payment_method_types=["card"],
        )
    watch.poll()
    frame = events.digest(since="1h").set_index("type")
    paid = frame.loc["payment_intent.succeeded"]
    assert (paid["events"], paid["amount"], paid["currency"], paid["customers"]) == (2, 5000, "usd", 1)
    assert str(frame["first"].dtype) == "datetime64[us, UTC]"


def test_a_watch_without_an_end_keeps_the_read_budget(sandbox: Connection) -> None:
    watch = sm.watch("customer", minutes="forever")
    assert watch.interval == 300
    assert "until it is stopped" in watch.status()["state"]
    busy = sm.watch("customer", minutes="forever", interval=15)
    assert "172,800 reads in 30 days" in busy.notes[0]


def test_a_condition_holds_for_frame_panel_and_loop(sandbox: Connection) -> None:
    vips = sm.call("customers.create", name="Ada")
    watch = sm.watch("customer", where="customer in vips", values={"vips": vips})
    for id in (vips["id"].iloc[0], sm.call("customers.create", name="Grace")["id"].iloc[0]):
        sm.call("customers.update", customer=id, email="x@example.com")
    watch.poll()
    assert set(watch.frame["object_id"]) == set(vips["id"])
    assert "where customer in vips" in watch.status()["events"]


def test_a_condition_in_a_line_takes_the_notebooks_names(sandbox: Connection) -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.run_line_magic("load_ext", "stripe_magics")
    try:
        shell.user_ns["vips"] = ["cus_1"]
        watch = shell.run_line_magic("stripe", "events watch --group customer --where 'customer in vips'")
        assert watch.where_text == "customer in vips"
        for verb in ("handlers", "failed", "history", "digest", "status"):
            assert shell.run_line_magic("stripe", f"events {verb}") is not None
    finally:
        shell.run_line_magic("unload_ext", "stripe_magics")


def test_a_gap_of_20000_goes_to_the_panel_in_small_messages() -> None:
    stripe = Stripe(event("evt_0", "invoice.created", T))
    stripe.clock = T + 1
    watch = Watch(AccountEvents(stripe, "", Store(None, "scope ", now=stripe.now)), event_filter())  # type: ignore[arg-type]
    watch.poll()
    sent: list[dict[str, Any]] = []
    model = LiveViewModel(watch)
    model.attach(sent.append)
    rows = [
        event(f"evt_{n:05}", "invoice.paid", T + 1, id=f"in_{n}", customer="cus_1", customer_name="A" * 200)
        for n in range(20_000)
    ]
    watch.store.add(rows, source="poll")
    watch.outlets.show_new()
    assert sum(len(each.get("rows", [])) for each in sent) == MAX_ROWS
    assert max(len(json.dumps(each)) for each in sent) <= 100_000
    sent.clear()
    model.on_message({"ready": True})
    assert max(len(json.dumps(each)) for each in sent) <= 100_000
    assert sent[0]["begin"]
    assert not any(each.get("begin") for each in sent[1:])


def test_the_panel_names_customer_amount_reason_and_deadline() -> None:
    from stripe_magics.events.event_rows import object_values, row

    dispute = event(
        "evt_1",
        "charge.dispute.created",
        T,
        object="dispute",
        amount=4900,
        currency="usd",
        reason="product_not_received",
        evidence_details={"due_by": 1_800_000_000},
    )
    shown = row(dispute)
    assert shown["amount"] == "49.00 USD"
    assert shown["details"] == "product not received; respond by 2027-01-15"
    invoice = event(
        "evt_2",
        "invoice.payment_failed",
        T,
        customer="cus_1",
        customer_name="Rosen Books",
        due_date=1_800_000_000,
    )
    assert row(invoice)["customer"] == "Rosen Books (cus_1)"
    assert row(invoice)["details"] == "due date 2027-01-15"
    values = dict(object_values({"amount": 4900, "currency": "usd", "created": 1_700_000_000, "empty": None}))
    assert values["amount"] == shown["amount"]
    assert values["created"] == "2023-11-14 22:13 UTC"
    assert "empty" not in values


def test_the_reset_of_the_sandbox_ends_watches_with_a_word(sandbox: Connection) -> None:
    """B90"""
    watch = sm.watch("customer")
    watch.interval = 0.02
    sandbox.sandbox.reset()
    watch.resume()
    end = time.monotonic() + 60
    while watch.running and time.monotonic() < end:
        time.sleep(0.02)
    assert watch.state == "ended: the sandbox was reset"


def test_a_receiver_with_a_port_and_path_of_its_own(
    sandbox: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    watch = sm.listen("customer", port=port, path="hooks/stripe")
    assert watch is not None
    assert f"http://127.0.0.1:{port}/hooks/stripe" in capsys.readouterr().out
    sm.call("customers.create", name="Ada")
    assert events.rehearse() == [200]
    assert "1 accepted" in watch.status()["receiver"]
    again = sm.listen("customer", port=port, path="hooks/stripe")
    assert again is not None, "the cell runs again"
    with pytest.raises(UsageFault, match="can't be opened"), socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        sm.listen("customer", port=taken.getsockname()[1])


def test_events_go_into_a_folder_of_parquet(sandbox: Connection, tmp_path: Any) -> None:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    folder = tmp_path / "events"
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.run_line_magic("load_ext", "stripe_magics")
    sm.call("customers.create", name="Before")
    try:
        watch = shell.run_line_magic("stripe", f"events watch --group customer --to {folder}")
        for name in ("Ada", "Grace"):
            sm.call("customers.create", name=name)
            watch.poll()
        with pytest.raises(UsageFault, match="--to has no effect on a webhook endpoint"):
            sm.call("events.watch", events=["invoice.paid"], url="https://example.com/x", to=str(folder))
        again = sm.call("events.watch", group=["customer"], to=str(folder))
        sm.call("customers.create", name="Emmy")
        again.poll()
    finally:
        shell.run_line_magic("unload_ext", "stripe_magics")
    frame = pd.read_parquet(folder, filters=None)
    names = [json.loads(each)["data"]["object"]["name"] for each in frame.sort_values("created")["payload"]]
    assert sorted(names) == ["Ada", "Before", "Emmy", "Grace"]
    manifest = json.loads((folder / "_manifest.json").read_text())
    assert (manifest["object"], manifest["rows"], len(manifest["files"])) == ("event", 4, 1)


def test_a_folder_that_cant_be_written_loses_nothing(sandbox: Connection) -> None:
    from stripe_magics.errors import FileError

    took: list[str] = []
    full = [True]

    def sink(frame: Any) -> None:
        if full[0]:
            raise FileError("The disk is full.")
        took.extend(frame["type"])

    watch = sm.watch("customer", sink=sink)
    sm.call("customers.create", name="Ada")
    watch.poll()
    assert "The disk is full." in watch.notes[-1]
    full[0] = False
    watch.poll()
    watch.poll()
    assert took == ["customer.created"]
