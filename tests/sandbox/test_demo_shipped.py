"""The demo account that ships is the one that is generated, and behaves like it whatever is done to it; what
nobody looks at is never read."""

from __future__ import annotations

import gc
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from generators import demo_account

from stripe_magics.sandbox import SandboxTransport, demo_data, snapshot
from stripe_magics.sandbox.api.dispatcher import Response
from stripe_magics.sandbox.core import packed
from stripe_magics.sandbox.core.clock import AS_OF, DAY
from stripe_magics.sandbox.core.packed import PackedTable, pack_numbers, unpack_numbers
from stripe_magics.sandbox.core.store import Account
from stripe_magics.sandbox.demo_data import shipped

HEADERS = {"authorization": "Bearer sk_test_sandbox"}


def _ask(transport: SandboxTransport, what: str, **params: Any) -> Response:
    method, path = what.split(" ")
    text = urlencode(params)
    query, body = ("", text.encode()) if method == "POST" else (text, b"")
    return transport.answer(method, path, query, HEADERS, body)


def _everything(account: Account) -> dict[str, list[tuple[Any, ...]]]:
    return {
        f"{owner}/{kind}": [(row.id, row.created, row.seq, row.keys, row.text) for row in table.ordered()]
        for owner, each in (("", account), *account.family.connected.items())
        for kind, table in each.tables.items()
        if table.rows
    }


def _beside(account: Account) -> bytes:
    """All but the objects."""
    return snapshot.encode_state(account, objects=False)


@pytest.fixture(scope="module")
def made() -> Account:
    return demo_data.generated(shipped.SEED, shipped.MOMENT)


def test_what_ships_is_what_is_generated(made: Account) -> None:
    read, advice = shipped.account(), "python tests/generators/demo_account.py writes the file anew"
    found, expected = _everything(read), _everything(made)
    assert list(found) == list(expected), advice
    differ = [name for name, rows in expected.items() if found[name] != rows]
    assert not differ, f"{differ}: {advice}"
    assert _beside(read) == _beside(made), advice
    pairs = zip((read, *read.family.connected.values()), (made, *made.family.connected.values()), strict=True)
    for one, other in pairs:
        assert one.ledger.members == other.ledger.members, advice
        assert one.ledger.paid_by == other.ledger.paid_by


def test_the_file_is_small() -> None:
    assert shipped.FILE.stat().st_size < 1_700_000


# what isn't asked for isn't read


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sections that were read."""
    names: list[str] = []
    real = shipped.Archive.section

    def section(self: shipped.Archive, name: str) -> bytes:
        names.append(name)
        return real(self, name)

    monkeypatch.setattr(shipped.Archive, "section", section)
    return names


def test_a_list_reads_its_type_only(read: list[str]) -> None:
    transport = SandboxTransport()
    assert read == []
    assert _ask(transport, "GET /v1/customers", limit=10).status == 200
    assert read == ["state", "customer"]
    assert _ask(transport, "GET /v1/customers", limit=100).status == 200
    assert _ask(transport, "GET /v1/balance").status == 200
    assert read == ["state", "customer"]
    assert _ask(transport, "GET /v1/charges/search", query="status:'failed'").status == 200
    assert read == ["state", "customer", "charge"]


def test_a_write_reads_what_it_touches(read: list[str]) -> None:
    transport = SandboxTransport()
    assert _ask(transport, "POST /v1/customers/cus_demoJennyRosen", description="x").status == 200
    assert set(read) == {"state", "members", "customer", "event"}


def test_another_moment_is_generated(read: list[str]) -> None:
    other = SandboxTransport(as_of=AS_OF - 400 * DAY)
    newest = other.account.table("charge").ordered()[-1].created
    assert AS_OF - 410 * DAY < newest < AS_OF - 399 * DAY
    assert read == []


# it lives like the generated one

LIFE: list[tuple[str, dict[str, Any]]] = [
    ("GET /v1/invoices", {"limit": 7, "status": "open"}),
    (
        "GET /v1/charges",
        {"limit": 5, "customer": "cus_demoJennyRosen", "expand[]": "data.balance_transaction"},
    ),
    ("GET /v1/customers/search", {"query": "metadata['plan']:'team' AND created>1700000000", "limit": 4}),
    ("GET /v1/invoices/create_preview", {}),
    ("GET /v1/invoices/upcoming", {"subscription": "sub_demoJennyRosen"}),
    ("POST /v1/customers", {"email": "new@example.com", "payment_method": "pm_card_visa"}),
    ("POST /v1/customers/cus_demoJennyRosen", {"metadata[note]": "50 % off, \u201clater\u201d"}),
    ("POST /v1/payment_intents/pi_demoCapture/capture", {"amount_to_capture": 1}),
    ("POST /v1/refunds", {"payment_intent": "pi_demoLatest", "amount": 100}),
    ("POST /v1/refunds", {"payment_intent": "pi_demoLatest", "amount": 99999999}),
    ("POST /v1/subscriptions/sub_demoNorthwind", {"metadata[a]": "b"}),
    ("DELETE /v1/subscriptions/sub_demoJennyRosen", {}),
    ("DELETE /v1/customers/cus_demoJennyRosen", {}),
    ("GET /v1/customers/cus_demoJennyRosen", {}),
    ("POST /v1/invoices/in_demoDraft/finalize", {}),
    ("POST /v1/invoices/in_demoOverdue/void", {}),
    ("POST /v1/payouts", {"amount": 500, "currency": "usd"}),
    ("GET /v1/balance_transactions", {"payout": "po_demoFailed", "limit": 3}),
    ("GET /v1/balance", {}),
    ("GET /v1/events", {"limit": 20}),
]


def test_a_life_of_it_is_that_of_the_generated_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "KEPT_TEXTS", 3)  # texts are let go all the time
    one, other = SandboxTransport(), SandboxTransport(demo=False)
    other.account = demo_data.generated(shipped.SEED, shipped.MOMENT)
    for what, params in LIFE:
        answers = [_ask(each, what, **params) for each in (one, other)]
        assert answers[0].body == answers[1].body, what
        assert answers[0].status == answers[1].status
    for each in (one, other):
        each.advance(35 * DAY)
    assert _everything(one.account) == _everything(other.account)
    assert _beside(one.account) == _beside(other.account)
    assert one.account.ledger.members == other.account.ledger.members


def test_what_was_refused_leaves_a_packed_object_as_it_was() -> None:
    transport = SandboxTransport()
    account = transport.account
    before = _ask(transport, "GET /v1/customers/cus_demoNorthwind").body
    with account.trial():
        changed = account.get("customer", "cus_demoNorthwind")
        assert changed is not None
        account.save("customer", {**changed, "name": "Another"})
        account.save("invoice", {**account.peek("invoice", "in_demoDraft"), "status": "void"})
        account.remove("customer", "cus_demoJennyRosen")
    account.flush()
    assert _ask(transport, "GET /v1/customers/cus_demoNorthwind").body == before
    assert account.peek("invoice", "in_demoDraft")["status"] == "draft"
    assert account.where("invoice", status="void") == shipped.account().where("invoice", status="void")
    assert account.peek("customer", "cus_demoJennyRosen")["email"] == "jenny.rosen@example.com"


def test_a_saved_sandbox_of_it_is_whole(tmp_path: Any, made: Account) -> None:
    transport = SandboxTransport()
    transport.save(tmp_path / "demo.sandbox")
    assert _everything(snapshot.load(tmp_path / "demo.sandbox")) == _everything(made)


def test_a_sandbox_that_an_older_version_saved_is_read() -> None:
    """It says nothing of the ledger's sums: they are added up."""
    transport = SandboxTransport(demo=False)
    for method in ("pm_card_visa", "pm_card_bypassPending"):
        paid = {"amount": 700, "currency": "usd", "confirm": "true", "off_session": "true"}
        assert _ask(transport, "POST /v1/payment_intents", payment_method=method, **paid).status == 200
    transport.advance(DAY)
    made = transport.account
    older = msgspec.json.decode(snapshot.encode_state(made, objects=True))
    del older["totals"], older["open"]
    account = snapshot.decode_state(msgspec.json.encode(older))
    assert (account.ledger.totals, account.ledger.open) == (made.ledger.totals, made.ledger.open)
    assert (account.ledger.members, account.clock.jobs) == (made.ledger.members, made.clock.jobs)
    assert made.ledger.members
    assert made.ledger.totals["usd"][1] > 0


# texts are kept for a while only


def test_few_texts_are_kept_and_changed_ones_for_good() -> None:
    account = shipped.account()
    rows = account.table("charge").rows
    account.save("charge", {**rows[0].value, "description": "changed"})
    account.flush()
    for row in rows:
        assert row.text
    assert sum(row.json is not None for row in rows) <= packed.KEPT_TEXTS + 1
    assert rows[0].value["description"] == "changed"


# the form itself

ODD = [
    {"id": "x_1", "name": "50 % \u2013 100%b", "list": [1, 2.5, -3e-05, None, True], "empty": {}, "none": []},
    {"id": "x_2", "name": '"a": 7, \\\n', "list": [1, 2.5, -3e-05, 0, False], "empty": {}, "none": []},
    {"id": "x_3", "name": "", "other": {"12": "34", "": 'x":1'}, "created": 12},
    {"id": "x_4" + "A" * 30, "name": "\u0001\u0002 \U0001f600", "other": {"12": "", "": "0"}, "created": 0},
    {"id": "x_5", "name": {"deep": [[[]], [{"a": [1]}]]}},
]  # fmt: skip


def test_any_objects_come_back_as_they_were() -> None:
    account = Account(seed="odd", now=77)
    for each in ODD:
        account.insert("customer", each)
    account.add("customer", {"id": "x_6", "email": None, "test_clock": "clock_1"})
    account.flush()
    table = account.table("customer")
    again = PackedTable("customer", lambda: demo_account.pack(table))
    expected = [(row.id, row.created, row.seq, row.keys, row.text) for row in table.ordered()]
    assert [(row.id, row.created, row.seq, row.keys, row.text) for row in again.ordered()] == expected
    assert set(again.by_id) == set(table.by_id)
    assert [row.id for row in again.having(table.keys.index("test_clock"), "clock_1")] == ["x_6"]


def test_numbers_come_back_as_they_were() -> None:
    for numbers in ([], [0], [5, 3, 7, 2**31 - 1, 0, 2**30], list(range(300))):
        assert list(unpack_numbers(pack_numbers(numbers))) == numbers


def test_an_account_that_is_let_go_is_collected() -> None:
    """Its rows and what they are made from name each other."""
    gc.collect()
    before = sum(isinstance(each, packed._Source) for each in gc.get_objects())
    account = shipped.account()
    for row in account.table("customer").rows[:10]:
        assert row.text
    assert sum(isinstance(each, packed._Source) for each in gc.get_objects()) > before
    del account, row
    gc.collect()
    assert sum(isinstance(each, packed._Source) for each in gc.get_objects()) == before
