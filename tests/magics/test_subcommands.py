"""What the subcommands open: one call a row, Parquet, pulls, reports, watches, forms that are remembered."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stripe_magics import errors
from stripe_magics.client import shared_connection
from stripe_magics.magics.seen_ids import seen_on

from .conftest import Cells


def test_one_call_a_row(sandbox: Cells) -> None:
    sandbox(
        "import pandas as pd\npeople = pd.DataFrame({'name': ['A', 'B', 'C'], 'email': ['a@b.com', 'b@b.com',"
        " 'c@b.com']})"
    )
    made = sandbox("%stripe customers create --from people", cell_id="rows")
    assert list(made["result"]) == ["done"] * 3
    assert len(sandbox("%stripe customers list")) == 3
    again = sandbox("%stripe customers create --from people", cell_id="rows")
    assert list(again["result"]) == ["replayed"] * 3
    assert len(sandbox("%stripe customers list")) == 3
    sandbox("made = %stripe customers list")
    changed = sandbox("%stripe customers update --from made --customer $id --description $name")
    assert list(changed["result"]) == ["done"] * 3
    assert set(sandbox("%stripe customers list")["description"]) == {"A", "B", "C"}


def test_rows_are_previewed_and_refused_as_a_whole(sandbox: Cells) -> None:
    sandbox("import pandas as pd\nbad = pd.DataFrame({'name': ['A', 'B'], 'email': ['a@b.com', 'nobody']})")
    with pytest.raises(errors.InvalidValue, match="row 2"):
        sandbox("%stripe customers create --from bad")
    assert "request" in sandbox("good = bad[['name']]\n%stripe customers create --from good --dry-run")
    assert len(sandbox("%stripe customers list")) == 0


def test_the_script_names_what_was_given_only(sandbox: Cells) -> None:
    sandbox("%stripe customers list --limit 3")
    sandbox("%stripe customers list --limit 3 --names off")
    *_, plain, without = str(sandbox("%stripe script")).splitlines()
    assert plain == "sm.call('customers.list', limit='3')"
    assert without == "sm.call('customers.list', limit='3', names=False)"


def test_a_list_into_parquet(sandbox: Cells, tmp_path: Path) -> None:
    for name in "abc":
        sandbox(f"%stripe customers create --name {name}")
    sandbox(f"%stripe customers list --limit all --to {tmp_path / 'out'}")
    assert sorted(pd.read_parquet(tmp_path / "out")["name"]) == ["a", "b", "c"]


def test_pull_and_sync(sandbox: Cells, tmp_path: Path) -> None:
    for name in "ab":
        sandbox(f"%stripe customers create --name {name}")
    assert len(sandbox("%stripe pull customers")) == 2
    several = sandbox(
        "%stripe pull customers payment_intents --quiet\nr = %stripe pull customers payment_intents"
        " --quiet\nr"
    )
    assert set(several) == {"customers", "payment_intents"}
    assert len(sandbox(f"%stripe sync {tmp_path / 'mirror'} customers")) == 1


def test_reports(sandbox: Cells) -> None:
    sandbox("%stripe connect --sandbox --quiet")
    names = sandbox("%stripe report")
    assert "balance_summary" in set(names["report"])
    summary = sandbox("%stripe report balance_summary 2026-09-01 2026-09-30 --tz UTC --prove")
    assert summary["status"].tolist() == ["adds up"] * 3
    assert len(sandbox("%stripe report fees --month 2026-09"))
    page = repr(sandbox("%stripe report mrr-rates --help"))
    for said in (
        "Churn, retention",
        "ttm_nrr",
        "--method",
        "chartmogul",
        "nrr = 1 - net_churn",
        "twelve closed months",
    ):
        assert said in page
    with pytest.raises(errors.UnknownName, match="balance_summary"):
        sandbox("%stripe report balance_sumary")


def test_watching_events(sandbox: Cells) -> None:
    watch = sandbox("w = %stripe events watch --group customer --minutes 1 --interval 5\nw")
    assert type(watch).__name__ == "Watch"
    assert len(sandbox("%stripe events status")) == 1
    sandbox("%stripe events stop")
    assert "Stopped: watch" in sandbox.stdout
    with pytest.raises(errors.UnknownName, match="--minutes"):
        sandbox("%stripe events watch --group customer --minuts 1")


def test_a_webhook_endpoint(sandbox: Cells) -> None:
    made = sandbox("%stripe events watch --events customer.created --url https://example.com/hook")
    assert isinstance(made, pd.DataFrame)
    assert len(sandbox("%stripe events endpoints")) == 1
    request = sandbox(
        "%stripe events watch --events customer.created --url https://example.com/other --dry-run"
    )
    assert request.path == "/v1/webhook_endpoints"


def test_what_a_form_calls_is_remembered(sandbox: Cells) -> None:
    from stripe_magics.parsing import parse

    context = sandbox.shell.find_line_magic("stripe").__self__
    context.run_form(parse("customers create --name Formed"), connection=shared_connection.current())
    assert list(sandbox("%stripe history")["line"]) == ["customers create --name Formed"]
    assert context.seen.of("customer")[0][1] == "Formed"


def test_completion_knows_only_what_was_seen_on_the_open_connection(sandbox: Cells) -> None:
    sandbox("%stripe customers create --name Rosen --email rosen@example.com")
    context = sandbox.shell.find_line_magic("stripe").__self__
    first = shared_connection.current()
    assert context.seen.of("customer")[0][1] == "Rosen"
    shared_connection.connect(sandbox=True, demo=False)  # as the connection's form and scripts do
    assert not context.seen.ids
    assert not context.seen.emails, "an address of another account is never offered"
    sandbox("%stripe customers create --name Other")
    assert [label for _, label in context.seen.of("customer")] == ["Other"]
    assert [label for _, label in seen_on(first).of("customer")] == ["Rosen"]
    sandbox("%stripe disconnect")
    assert not context.seen.ids


def fault(cells: Cells, line: str, kind: type[Exception]) -> str:
    """The message with which a cell fails."""
    with pytest.raises(kind) as caught:
        cells(line)
    return str(caught.value)


def test_what_a_subcommand_has_no_flag_for_is_refused_by_name(sandbox: Cells, tmp_path: Path) -> None:
    """Also where the rest of the line goes to a function of Python's: never its TypeError."""
    refused = fault(sandbox, f"%stripe sync {tmp_path}/m customers --hole", errors.UnknownName)
    assert "Did you mean --whole?" in refused
    for line, flag in (
        ("sql select 1 --limit 3", "--limit"),
        (f"sync {tmp_path}/m customers --columns a", "--columns"),
        ("pull customers --foo 1", "foo"),
    ):
        assert flag in fault(sandbox, f"%stripe {line}", errors.StripeMagicsError)


def test_sync_takes_its_folder_by_name_as_pull_does(sandbox: Cells, tmp_path: Path) -> None:
    sandbox("%stripe customers create --name A")
    frame = sandbox(f"%stripe sync customers --to {tmp_path}/mirror")
    assert list(frame["list"]) == ["customers"]
    assert list(sandbox(f"%stripe sync --target {tmp_path}/mirror --status")["rows"]) == [1]


def test_words_of_settings_numbers_and_paths(sandbox: Cells) -> None:
    assert "--max-rows" in fault(sandbox, "%stripe config --foo 3", errors.UnknownName)
    assert fault(sandbox, "%stripe reconcile x", errors.UsageFault).startswith(
        "'x' is not an operation number"
    )
    unknown = fault(sandbox, "%stripe get /v1/nothing", errors.NotFound)
    assert "another mode" not in unknown
    body = "%%stripe customers create\naddress:\n  citty: x"
    assert "?." not in fault(sandbox, body, errors.InvalidValue)
    assert "quotes" not in fault(sandbox, "%stripe custmers list", errors.UnknownName)


def test_values_go_by_name_in_python(sandbox: Cells) -> None:
    sandbox("import stripe_magics as sm")
    for line in ("sm.call('customers.update', 'cus_1', name='x')", "sm.call()"):
        assert "every value by its name" in fault(sandbox, line, errors.UsageFault)
    sandbox("%stripe pending")
    assert sandbox.stdout.startswith("No write has an unknown outcome.")
