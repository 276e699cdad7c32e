"""What happens when a call is made again: one table, walked for every interface.

The table is in stripe_magics/client/journal/deduplication.py and in the README; both are read here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stripe_magics import errors, pipeline
from stripe_magics.client import shared_connection
from stripe_magics.client.journal import cell_origin, deduplication
from stripe_magics.sandbox.fault_injection import Fault

from .conftest import Cells

FORM = "import stripe_magics as sm\nform = sm.form({module!r}, {python})\nmade = form.submit(confirm=True)"
ROWS = "import pandas as pd\nrows = pd.DataFrame([dict({python})])\n"
INTERFACES: dict[str, str] = {
    "line": "made = %stripe {spaced} {flags}",
    "cell": "%%stripe {spaced} --out made\n{yaml}",
    "call": "import stripe_magics as sm\nmade = sm.call({module!r}, {python})",
    "form": FORM,
    "rows": ROWS + "made = %stripe {spaced} --from $rows",
    "rows in Python": ROWS + "import stripe_magics as sm\nmade = sm.call({module!r}, from_=rows)",
}
CREATE = ("customers.create", {"name": "Jenny", "email": "jenny@example.com"})
# carried out, and none of the three attempts is answered
NO_ANSWER = Fault("drop_after", match="POST", times=3)


def source(interface: str, module: str, values: dict[str, Any], *, again: bool = False) -> str:
    """A cell that makes the call by an interface."""
    if again:
        values = {**values, "again": True} if interface == "call" else values
    text = INTERFACES[interface].format(
        module=module,
        spaced=module.replace(".", " "),
        flags=" ".join(f"--{name} {value}" for name, value in values.items()),
        python=", ".join(f"{name}={value!r}" for name, value in values.items()),
        yaml="\n".join(f"{name}: {value}" for name, value in values.items()),
    )
    if again and interface in {"line", "rows"}:
        return text + " --again"
    if again and interface == "cell":
        return text.replace(" --out", " --again --out", 1)
    return text.replace("from_=rows", "from_=rows, again=True") if again else text


@pytest.fixture
def again(sandbox: Cells) -> Iterator[Callable[..., Any]]:
    """Runs the call's cell, and says what came of it: done, replayed, refused, unknown or failed, in one
    word."""

    def run(interface: str, call: tuple[str, dict[str, Any]] = CREATE, cell: str = "a", **more: Any) -> str:
        result = sandbox.run(source(interface, *call, **more), cell_id=cell)
        return ending(result.error_before_exec or result.error_in_exec, sandbox.shell.user_ns.get("made"))

    yield run
    shared_connection.close()


def ending(error: BaseException | None, made: Any) -> str:
    if isinstance(error, errors.RepeatRefused):
        return "refused"
    if isinstance(error, errors.OutcomeUnknown):
        return "unknown"
    if error is not None:
        return f"failed: {error}"
    if "result" in made.columns:  # rows
        row = made.iloc[0]
        if row["result"] == "not sent" and "already ran" in str(row["error"]):
            return "refused"
        return str(row["result"])
    return "replayed" if made.attrs["stripe"].get("replayed") else "done"


def customers() -> int:
    """How many there are."""
    from stripe_magics.client.pagination.paginator import pages
    from stripe_magics.request import Request

    listing = Request(module="customers.list", method="GET", path="/v1/customers", lists=True, limit=None)
    return sum(len(answer.rows) for answer in pages(shared_connection.current(), listing))


def lose_answers() -> None:
    shared_connection.current().sandbox.faults[:] = [Fault("drop_after", match="POST", times=3)]


def later(hours: float) -> None:
    """The journal's clock moves on."""
    journal = shared_connection.current().journal
    before = journal.now
    journal.now = lambda: before() + hours * 3600


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    from stripe_magics.client.http import retry

    monkeypatch.setattr(retry, "delay", lambda *_, **__: 0.0)


class TestTheSameCell:
    @pytest.mark.parametrize("interface", INTERFACES)
    def test_a_create_that_is_done_is_not_made_again(self, again: Any, interface: str) -> None:
        assert again(interface) == "done"
        assert again(interface) == ("refused" if interface == "form" else "replayed")
        assert customers() == 1

    @pytest.mark.parametrize("interface", INTERFACES)
    def test_nor_a_day_later(self, again: Any, interface: str) -> None:
        again(interface)
        later(23.5)
        assert again(interface) == ("replayed" if interface.startswith("rows") else "refused")
        assert customers() == 1

    @pytest.mark.parametrize("interface", sorted(set(INTERFACES) - {"form"}))  # a form asks: see below
    def test_on_purpose_it_is(self, again: Any, interface: str) -> None:
        again(interface)
        assert again(interface, again=True) == "done"
        assert customers() == 2

    @pytest.mark.parametrize("interface", INTERFACES)
    def test_what_is_unresolved_goes_on_under_its_key(self, again: Any, interface: str) -> None:
        lose_answers()
        assert again(interface) == "unknown"
        assert again(interface) == ("unknown" if interface == "form" else "replayed")
        assert customers() == 1

    @pytest.mark.parametrize("interface", INTERFACES)
    def test_too_late_it_has_to_be_looked_for(self, again: Any, interface: str) -> None:
        lose_answers()
        again(interface)
        later(23.5)
        assert again(interface) == "unknown"
        assert customers() == 1

    @pytest.mark.parametrize("interface", INTERFACES)
    def test_what_stripe_refused_is_tried_afresh(self, again: Any, interface: str) -> None:
        transport = shared_connection.current().sandbox
        transport.faults[:] = [Fault("status", match="POST", status=402, code="card_declined")]
        assert again(interface).startswith("failed")
        assert again(interface) == "done"
        assert customers() == 1

    @pytest.mark.parametrize("interface", INTERFACES)
    def test_a_change_is_made_afresh(self, again: Any, interface: str, sandbox: Cells) -> None:
        again("line")
        identity = sandbox("made")["id"][0]
        change = ("customers.update", {"customer": identity, "name": "A"})
        other = ("customers.update", {"customer": identity, "name": "B"})
        for call, name in ((change, "A"), (other, "B"), (change, "A")):
            assert again(interface, call) == "done"
            assert sandbox(f"%stripe customers retrieve {identity}")["name"][0] == name


TRY_AGAIN = """
import stripe_magics as sm
from stripe_magics import errors, pipeline
ends = []
for _ in range(4):
    try:
        {call}
    except errors.StripeMagicsError as problem:
        ends.append(type(problem).__name__)
    else:
        ends.append("done")
        break
"""


class TestTryingAgainInALoop:
    """The careless way: whatever goes wrong, the loop makes the call once more."""

    @pytest.mark.parametrize(
        "call",
        [
            "get_ipython().run_line_magic('stripe', 'customers create --name same')",
            "sm.call('customers.create', name='same')",
        ],
    )
    def test_a_lost_answer_is_not_followed_by_a_second_create(self, sandbox: Cells, call: str) -> None:
        lose_answers()
        sandbox(TRY_AGAIN.format(call=call), cell_id="loop")
        assert sandbox("ends") == ["OutcomeUnknown"] * 4
        assert customers() == 1
        sandbox(TRY_AGAIN.format(call=call), cell_id="loop")  # the cell run again goes on under the key
        assert sandbox("ends") == ["done"]
        assert customers() == 1

    def test_rows_of_the_same_content_are_each_meant(self, sandbox: Cells) -> None:
        shared_connection.current().sandbox.faults[:] = [Fault("drop_after", match="POST", times=9)]
        code = (
            "import pandas as pd, stripe_magics as sm\n"
            "made = sm.call('customers.create', from_=pd.DataFrame({'name': ['same'] * 3}))\nmade"
        )
        first = sandbox(code, cell_id="rows")
        assert list(first["result"]) == ["unknown"] * 3
        again = sandbox(code, cell_id="rows")
        assert list(again["result"]) == ["replayed"] * 3
        assert customers() == 3


class TestAChangeThatWasOvertaken:
    @pytest.mark.parametrize("interface", INTERFACES)
    def test_is_made_afresh(self, again: Any, interface: str, sandbox: Cells) -> None:
        again("line")
        identity = sandbox("made")["id"][0]
        change = ("customers.update", {"customer": identity, "name": "A"})
        lose_answers()
        assert again(interface, change) == "unknown"
        assert again("line", ("customers.update", {"customer": identity, "name": "B"}), cell="b") == "done"
        assert again(interface, change) == "done"  # the saved answer of the first one would hide B
        assert sandbox(f"%stripe customers retrieve {identity}")["name"][0] == "A"


class TestClocks:
    def test_a_clock_that_was_set_back_does_not_make_an_old_key_young(self, again: Any) -> None:
        lose_answers()
        assert again("call") == "unknown"
        later(-30)
        shared_connection.current().stripe_clock._read = None  # Stripe's time isn't known either
        assert again("call") == "unknown"

    def test_stripe_s_clock_counts_as_well(self, again: Any, sandbox: Cells) -> None:
        lose_answers()
        assert again("call") == "unknown"
        sandbox("%stripe sandbox advance 2d")
        sandbox("%stripe customers list")  # brings the new time
        assert again("call") == "unknown"
        assert customers() == 1


def test_while_the_same_call_is_under_way_no_second_one_is_offered(again: Any) -> None:
    import threading

    transport = shared_connection.current().sandbox
    there, go = threading.Event(), threading.Event()
    real = transport.answer

    def slow(method: str, *rest: Any) -> Any:
        if method == "POST" and not there.is_set():
            there.set()
            go.wait(60)
        return real(method, *rest)

    transport.answer = slow
    import stripe_magics as sm

    work = threading.Thread(target=sm.call, args=("customers.create",), kwargs={**CREATE[1]})
    work.start()
    assert there.wait(60)
    try:
        with pytest.raises(errors.RepeatRefused) as refused:
            pipeline.call("customers.create", origin=cell_origin.Origin("b", "text", 1), **CREATE[1])
    finally:
        go.set()
        work.join(60)
    assert "--again" not in str(refused.value)
    assert "Wait until it has ended" in str(refused.value)
    assert customers() == 1


class TestAnotherCell:
    @pytest.mark.parametrize("first", INTERFACES)
    @pytest.mark.parametrize("second", INTERFACES)
    def test_a_create_that_is_done_is_refused(self, again: Any, first: str, second: str) -> None:
        assert again(first) == "done"
        assert again(second, cell="b") == "refused"
        assert customers() == 1

    @pytest.mark.parametrize("interface", INTERFACES)
    def test_what_is_unresolved_must_be_resolved_first(self, again: Any, interface: str) -> None:
        lose_answers()
        assert again("line") == "unknown"
        assert again(interface, cell="b") == "unknown"
        assert customers() == 1

    @pytest.mark.parametrize("interface", INTERFACES)
    def test_a_day_later_it_is_a_new_one(self, again: Any, interface: str) -> None:
        again("line")
        later(24.5)
        assert again(interface, cell="b") == "done"
        assert customers() == 2


class TestOutsideOfCells:
    def test_a_loop_makes_several(self, sandbox: Cells) -> None:
        code = "import stripe_magics as sm\nfor _ in range(3):\n    sm.call('customers.create', name='same')"
        for _ in range(2):
            sandbox(code, cell_id="loop")
            assert customers() == 3

    def test_threads_belong_to_the_cell_that_started_them(self, sandbox: Cells) -> None:
        code = textwrap.dedent("""
            import stripe_magics as sm, threading
            made = {"target": sm.call, "args": ("customers.create",), "kwargs": {"name": "same"}}
            each = [threading.Thread(**made) for _ in range(3)]
            [one.start() for one in each]; [one.join() for one in each]""")
        for _ in range(2):
            sandbox(code, cell_id="threads")
            assert customers() == 3

    def test_a_callback_between_cells_is_a_call_of_its_own(self, sandbox: Cells) -> None:
        sandbox(
            "import stripe_magics as sm\nclick = lambda: sm.call('customers.create', name='same')",
            cell_id="x",
        )
        for _ in range(2):
            sandbox.shell.user_ns["click"]()
        assert customers() == 2

    def test_a_thread_of_an_earlier_cell_is_not_the_present_ones(self, sandbox: Cells) -> None:
        sandbox(
            "import stripe_magics as sm, threading\ngo = threading.Event()\n"
            "def work():\n    go.wait(60)\n    sm.call('customers.create', name='same')\n"
            "late = threading.Thread(target=work); late.start()",
            cell_id="early",
        )
        sandbox("go.set(); late.join(60)", cell_id="present")
        rows = shared_connection.current().journal._open().execute("SELECT cell FROM operation").fetchall()
        assert rows == [("early",)]


def test_without_the_extension_python_calls_are_known_too(bare_shell: Any, tmp_path: Path) -> None:
    cells = Cells(bare_shell)
    cells("import stripe_magics as sm\nconnection = sm.connect(sandbox=True, demo=False)")
    for _ in range(2):
        cells("made = sm.call('customers.create', name='Jenny')", cell_id="python")
    assert cells("made.attrs['stripe']['replayed']") is True
    assert customers() == 1
    shared_connection.close()


def test_a_form_asks_before_it_makes_the_same_once_more(sandbox: Cells) -> None:
    code = "import stripe_magics as sm\nform = sm.form('customers.create', name='Jenny')"
    sandbox(f"{code}\nform.submit(confirm=True)", cell_id="f")
    form = sandbox(f"{code}\nform", cell_id="f")
    with pytest.raises(errors.RepeatRefused):
        form.submit(confirm=True)
    assert customers() == 1
    assert "Send it once more?" in form.status.value
    form.sender.confirm()
    assert customers() == 2


def test_the_table_is_the_same_wherever_it_is_read() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in (deduplication.__doc__ or "").splitlines() if line.startswith("|")]
    assert len(rows) == 9
    at = readme.index(rows[0])
    assert readme[at : at + len(rows)] == rows
