"""B86: what was opened or armed on account A through the magics never goes out with B's key."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import httpx
import pytest

from stripe_magics.client import shared_connection
from stripe_magics.client.secret import Secret
from stripe_magics.errors import ConfirmationNeeded, FrameError, InvalidValue, NotConnected
from stripe_magics.forms.submission_state import Stage
from stripe_magics.sandbox import SandboxTransport

from .conftest import Cells


class Account(httpx.BaseTransport):
    """An account that keeps every request with the key that it came with."""

    def __init__(self, letter: str) -> None:
        self.key = f"sk_test_51{letter * 60}"
        self.inside = SandboxTransport(demo=False, seed="the same")
        self.requests: list[tuple[str, str, str]] = []
        self.gate: threading.Event | None = None  # of a POST, while it is set
        self.reached = threading.Event()
        self.lost = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["authorization"].removeprefix("Bearer ")
        self.requests.append((request.method, request.url.path, key))
        if request.method == "POST" and self.gate is not None:
            self.reached.set()
            self.gate.wait(60)
            answer = self.inside.handle_request(request)
            if self.lost:
                raise httpx.ReadError("the answer was lost")
            return answer
        return self.inside.handle_request(request)

    def connect(self) -> Any:
        return shared_connection.connect(secret=Secret(self.key), transport=self)

    @property
    def writes(self) -> int:
        return sum(method != "GET" for method, *_ in self.requests)


@pytest.fixture
def a() -> Account:
    return Account("a")


@pytest.fixture
def b() -> Iterator[Account]:
    yield Account("b")
    shared_connection.close()


@pytest.fixture
def on_a(cells: Cells, a: Account) -> Cells:
    a.connect()
    return cells


@pytest.fixture(autouse=True)
def every_key_at_its_own_account(a: Account, b: Account) -> Iterator[None]:
    yield
    for each in (a, b):
        assert {key for *_, key in each.requests} <= {each.key}


def test_a_cards_form_that_was_armed_is_disarmed(on_a: Cells, a: Account, b: Account) -> None:
    """The form's connection is the card's: nothing changed for it but that its account was closed."""
    made = on_a("%stripe payment_intents create --amount 20.00usd")["id"][0]
    form = on_a(f"%stripe {made}").open("Cancel")
    form.sender.go.click()
    assert form.state.submission.stage is Stage.ARMED
    before = a.writes
    b.connect()
    with pytest.raises(ConfirmationNeeded, match="which was closed"):
        form.sender.confirm()
    assert form.state.submission.stage is Stage.IDLE
    assert (a.writes, b.writes) == (before, 0)


def test_a_form_of_a_card_that_nobody_pressed_is_refused(on_a: Cells, a: Account, b: Account) -> None:
    made = on_a("%stripe customers create --name Jenny")["id"][0]
    form = on_a(f"%stripe {made}").open("Edit")
    form.fill(name="Jane")
    before = a.writes
    b.connect()
    with pytest.raises(ConfirmationNeeded, match=r"which was closed; the connection is .*Nothing was sent"):
        form.submit(confirm=True)
    form.sender.go.click()
    assert "which was closed" in form.status.value
    assert (a.writes, b.writes) == (before, 0)


@pytest.mark.parametrize("armed", [False, True])
def test_a_lines_form_is_disarmed(on_a: Cells, a: Account, b: Account, armed: bool) -> None:
    form = on_a("%stripe payouts create --amount 10.00usd --form")
    if armed:
        form.sender.go.click()
        assert form.state.submission.stage is Stage.ARMED
    b.connect()
    with pytest.raises(ConfirmationNeeded, match="The connection changed"):
        form.sender.confirm() if armed else form.sender.press()
    assert (a.writes, b.writes) == (0, 0)
    assert form.state.submission.stage is Stage.IDLE


def test_the_bytes_leave_on_the_connection_that_was_checked(
    on_a: Cells, a: Account, b: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread connects elsewhere after the check and before the request is made."""
    from stripe_magics import pipeline

    form = on_a("%stripe customers create --name Jenny --form")
    real = pipeline.call

    def late(*args: Any, **more: Any) -> Any:
        b.connect()
        return real(*args, **more)

    monkeypatch.setattr(pipeline, "call", late)
    with pytest.raises(NotConnected):
        form.submit()
    assert (a.writes, b.writes) == (0, 0)


def test_a_rows_form_is_refused_on_another_connection(on_a: Cells, a: Account, b: Account) -> None:
    on_a("import pandas as pd\nrows = pd.DataFrame({'name': ['Ann', 'Bob']})")
    armed = on_a("%stripe customers create --from $rows --form")
    armed.send()
    fresh = on_a("%stripe customers create --from rows --form  # another")
    b.connect()
    for step in (armed.confirm, armed.send, fresh.send, fresh.confirm):
        try:
            step()
        except ConfirmationNeeded as refused:
            assert "which was closed" in str(refused)  # noqa: PT017 - a second confirm does nothing at all
        assert armed.wait(60) is None
        assert fresh.wait(60) is None
    next(each for each in fresh.bar.children if each.description.startswith("Send")).click()
    assert "which was closed" in fresh.status.value
    assert (a.writes, b.writes) == (0, 0)


@pytest.mark.parametrize("lost", [False, True])
def test_rows_under_way_end_on_their_own_account(on_a: Cells, a: Account, b: Account, lost: bool) -> None:
    """What was on its way is known or unknown, the rest was not sent; none goes to the other account."""
    on_a("import pandas as pd\nrows = pd.DataFrame({'name': [f'Customer {n}' for n in range(30)]})")
    form = on_a("%stripe customers create --from $rows --form")
    form.send()
    a.gate, a.lost = threading.Event(), lost
    form.confirm()
    assert a.reached.wait(60)
    b.connect()
    a.gate.set()
    result = form.wait(60)
    assert b.writes == 0
    made = a.inside.account.table("customer").rows
    assert len(made) == a.writes
    done = result[result["result"].isin(["done", "replayed"])]
    assert len(done) + (result["result"] == "unknown").sum() == len(made)
    assert set(result["result"]) <= {"done", "unknown", "not sent"}


@pytest.mark.skipif(find_spec("itables") is None, reason="the extra tables")
def test_a_tables_actions_stay_with_its_account(on_a: Cells, a: Account, b: Account) -> None:
    customer = on_a("%stripe customers create --name Jenny")["id"][0]
    for _ in range(2):
        on_a(f"%stripe invoices create --customer {customer} --again")
    from stripe_magics import forms
    from stripe_magics.forms.table_widget import TableWidget

    frame = on_a("made = %stripe invoices list --table\nmade")
    shown = frame, on_a.shell.display_formatter.format(frame)
    assert shown
    table = next(
        each for _, opened in forms._shown.values() for each in opened if isinstance(each, TableWidget)
    )
    assert "Finalize 2 rows" in table.select([0, 1])
    rows = table.press("Finalize 2 rows")
    rows.send()
    before = a.writes
    b.connect()
    with pytest.raises(ConfirmationNeeded, match="which was closed"):
        rows.confirm()
    one = next(each for each in table.select([0]) if each != "Show card")
    opened = table.opened
    assert table.press(one) is opened, "no form of another account opens"
    assert "was closed" in table.status.value
    assert (a.writes, b.writes) == (before, 0)


@pytest.mark.skipif(find_spec("itables") is None, reason="the extra tables")
def test_a_frame_that_is_shown_later_stays_with_its_account(on_a: Cells, a: Account, b: Account) -> None:
    """Ids that people choose are the same in both accounts: the rows of one must not open forms of the
    other."""
    from stripe_magics import forms
    from stripe_magics.forms.table_widget import TableWidget

    on_a("%stripe coupons create --id SUMMER --percent-off 20 --duration once")
    on_a("made = %stripe coupons list --table")
    b.connect()
    on_a("%stripe coupons create --id SUMMER --percent-off 20 --duration once")
    before = len(b.requests)
    frame = on_a("made")
    assert on_a.shell.display_formatter.format(frame)
    table = next(
        each for _, opened in forms._shown.values() for each in opened if isinstance(each, TableWidget)
    )
    assert table.connection is None
    assert not [each for each in table.select([0]) if "Show" not in each]
    assert len(b.requests) == before
    a.connect()  # the same account again
    assert on_a.shell.display_formatter.format(frame)
    tables = [each for _, opened in forms._shown.values() for each in opened if isinstance(each, TableWidget)]
    assert tables[-1].connection is not None


def test_nothing_is_fetched_for_a_frame_of_another_account(on_a: Cells, b: Account) -> None:
    customer = on_a("%stripe customers create --name Jenny")["id"][0]
    on_a(f"%stripe invoices create --customer {customer}")
    on_a("%stripe customers create --name Jane")
    frame = on_a("made = %stripe invoices list\nmade")
    b.connect()
    before = len(b.requests)
    with pytest.raises(FrameError, match="isn't open"):
        frame.stripe.join("customer")
    assert on_a.shell.display_formatter.format(frame)  # with names beside ids, where they can be read
    assert len(b.requests) == before


def test_a_report_form_reads_the_account_that_it_shows(on_a: Cells, a: Account, b: Account) -> None:
    opened_before = on_a("%stripe report balance_summary --month 2026-09 --form")
    b.connect()
    before = len(b.requests)
    with pytest.raises(ConfirmationNeeded, match="which was closed"):
        opened_before.show()
    assert len(b.requests) == before


def test_a_report_form_of_no_connection_belongs_to_the_first_that_it_reads(
    cells: Cells, a: Account, b: Account
) -> None:
    form = cells("%stripe report fees --month 2026-09 --form")
    own = a.connect()
    form.show()
    assert form.connection is own
    b.connect()
    with pytest.raises(ConfirmationNeeded, match="which was closed"):
        form.show()


def test_a_report_goes_on_where_it_was_begun(
    on_a: Cells, a: Account, b: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread connects elsewhere between two lists: no list of the other account gets into the
    report."""
    from stripe_magics.finance import list_fetch

    real, fetched = list_fetch._fetch, []

    def late(connection: Any, module: str, values: Any) -> Any:
        fetched.append(module)
        if len(fetched) == 2:
            b.connect()
        return real(connection, module, values)

    monkeypatch.setattr(list_fetch, "_fetch", late)
    with pytest.raises(NotConnected, match="was closed"):
        on_a("%stripe report proofs --month 2026-09")
    assert [path for _, path, _ in b.requests] == ["/v1/account"]


def test_an_interactive_table_by_setting_leaves_raw_alone(sandbox: Cells) -> None:
    """A setting is nothing that a line named: what it has no effect on isn't refused."""
    sandbox("%config StripeMagics.table = True")
    assert sandbox("%stripe customers list --raw") == []
    assert sandbox("import stripe_magics as sm\nsm.call('customers.list', raw=True, table=False)") == []
    with pytest.raises(InvalidValue, match="has no effect beside --raw"):
        sandbox("%stripe customers list --raw --table")
