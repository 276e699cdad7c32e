"""`python -m stripe_magics LINE` in processes of its own: output, files, exit codes, and nothing that belongs
to a notebook."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from fault_server import OK, Fault, FaultServer, error
from waiting import line, running

from stripe_magics import command_line
from stripe_magics._interrupts import held_back
from stripe_magics.command_line import CODES

KEY = "sk_test_" + "51Q2D7OpiUPOgsz4S0123456789"
DECLINED = (
    "payment_intents create --amount 5.00usd --payment-method pm_card_chargeDeclined"
    " --confirm --payment-method-types card"
)


@pytest.fixture
def state(tmp_path: Path) -> dict[str, str]:
    """The environment of a scheduled job: no terminal, a state folder of its own, the key in a variable."""
    return {**os.environ, "STRIPE_MAGICS_STATE_DIR": str(tmp_path / "state"), "JOB_KEY": KEY}


def run(state: dict[str, str], *words: str, stdin: str = "") -> Any:
    """One run, from outside of the checkout."""
    return subprocess.run(
        [sys.executable, "-m", "stripe_magics", *words],
        env=state,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=state["STRIPE_MAGICS_STATE_DIR"].rpartition("/")[0],
        check=False,
    )


def test_a_report_as_csv_on_standard_output_and_nothing_else(state: dict[str, str]) -> None:
    ended = run(state, "report balance_summary --month 2026-09", "--sandbox", "--csv")
    assert ended.returncode == 0, ended.stderr
    rows = list(csv.DictReader(io.StringIO(ended.stdout)))
    assert {row["currency"] for row in rows} == {"eur", "gbp", "usd"}
    for row in rows:
        assert int(row["start"]) + int(row["activity"]) + int(row["payouts"]) == int(row["end"])


def test_without_a_format_the_text_of_a_terminal(state: dict[str, str]) -> None:
    ended = run(state, "customers search --email jenny.rosen@example.com", "--sandbox")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("[SANDBOX] customers search")
    assert "cus_demoJennyRosen" in ended.stdout
    assert ended.stderr == ""


def test_files_are_written_whole(state: dict[str, str], tmp_path: Path) -> None:
    book, text = tmp_path / "lists.xlsx", tmp_path / "customers.json"
    assert run(state, "pull refunds payouts", "--sandbox", "--xlsx", str(book)).returncode == 0
    from openpyxl import load_workbook

    assert load_workbook(book).sheetnames == ["refunds", "payouts"]
    ended = run(state, "customers list --limit 3", "--sandbox", "--json", str(text))
    assert (ended.returncode, ended.stdout) == (0, "")
    rows = json.loads(text.read_text())
    assert len(rows) == 3
    assert all(row["id"].startswith("cus_") for row in rows)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


def test_a_cell_with_its_body_comes_from_standard_input(state: dict[str, str]) -> None:
    cell = "%%stripe customers create\nname: Ada Example\nmetadata:\n  plan: pro\n"
    ended = run(state, "-", "--sandbox", "--json", stdin=cell)
    assert ended.returncode == 0, ended.stderr
    (row,) = json.loads(ended.stdout)
    assert (row["name"], row["metadata"]) == ("Ada Example", {"plan": "pro"})


def test_what_a_subcommand_says_is_not_its_answer(state: dict[str, str]) -> None:
    ended = run(state, "sandbox advance 3d", "--sandbox")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr.startswith("The sandbox's clock is at ")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([DECLINED, "--sandbox"], 1, "CardDeclined: Card declined - no payment was taken."),
        (["customers create --email nobody", "--sandbox"], 1, "Nothing was sent."),
        (["customers list --api-key " + KEY, "--sandbox"], 1, "There is a key in this line."),
        (["status", "--env", "NO_SUCH_VARIABLE"], 1, "There is no environment variable NO_SUCH_VARIABLE."),
        (["status", "--env", "NO_SUCH_VARIABLE"], 1, "the Stripe CLI's login (--profile NAME)"),
        (["customer lst", "--sandbox"], 2, "Did you mean `customers list`"),
        (["customers list --emial x", "--sandbox"], 2, "--emial"),
        (["customers create --name $name", "--sandbox"], 2, "Unknown variable '$name'"),
        (["customers create --name $argv", "--sandbox"], 2, "Unknown variable '$argv'"),
        (["customers list"], 2, "Add --sandbox, --env NAME or --profile NAME."),
        (["help", "--rate", "5"], 2, "--rate goes with a connection"),
        (["customers create --form", "--sandbox"], 2, "needs a notebook"),
        (["customers list --out df", "--sandbox"], 2, "--out names a variable of a notebook"),
        (["listen", "--sandbox"], 2, "needs a notebook"),
        (["customers list --table", "--sandbox"], 2, "needs a notebook"),
        (["config --max-rows 5", "--sandbox"], 2, "A setting lasts as long as a session"),
        (["live on", "--sandbox"], 2, "--yes in a line answers for that line"),
        (["customers list", "--sandbox", "--account", ""], 2, "--account was given without a value"),
        (["customers list", "--sandbox", "--rate", "0"], 2, "--rate: it must be more than 0"),
        (["customers list", "--sandbox", "--rate", "nan"], 2, "--rate: it must be more than 0"),
        (["customers list", "--sandbox", "--rate", "abc"], 2, "--rate: it must be more than 0"),
        (["customers list", "--sandbox", "--zone", "Mars/Base"], 2, "'Mars/Base' is not a time zone"),
        (["customers list", "--sandbox", "--api-version", "newest"], 2, "is not an API version"),
        (["customers list", "--sandbox", "--api-base", "http://x"], 2, "--api-base goes with a key"),
        (["customers list", "--sandbox", "--zone", KEY], 2, "There is a key among the arguments"),
        (["--sandbox", "--csv", "customers list"], 2, "LINE (it comes first"),
        (["customers list", "--sandbox", "--locale", "de", "--csv"], 2, "CSV keeps values"),
        (["customers list", "--sandbox", "--locale", "zz"], 2, "is not a language"),
        (["customers list", "--api-key", KEY], 2, "There is a key among the arguments"),
        (["customers create\n%stripe customers create", "--sandbox"], 2, "more than one line of %stripe"),
        (["cus_nobody", "--sandbox"], 1, "No such customer"),
        (["cus_demoJennyRosen", "--sandbox", "--csv"], 2, "This line gives no table"),
        (["connect --sandbox"], 2, "The connection is given by flags"),
        (["customers list", "--sandbox", "--env", "JOB_KEY"], 2, "not allowed with"),
        (["customers create --name x", "--sandbox", "--csv", "no/such/folder.csv"], 2, "Nothing was sent."),
        (["customers list", "--sandbox", "--xlsx", "book.pdf"], 2, "the name of a workbook ends in .xlsx"),
        (["customers list", "--sandbox", "--csv", "rows.xlsx"], 2, "the name says XLSX"),
        (["customers list", "--sandbox", "--xlsx", "."], 2, "this is a folder"),
        (["pull refunds payouts --limit 5", "--sandbox", "--csv"], 2, "CSV holds one"),
        (["", "--sandbox"], 2, "Which line?"),
        ([], 2, "LINE"),
        (["customers list", "--sandbox", "--csv"], 4, "Showing the newest 100 rows; there are more"),
    ],
)  # fmt: skip
def test_how_it_ends(state: dict[str, str], words: list[str], code: int, said: str) -> None:
    ended = run(state, *words)
    assert ended.returncode == code, ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert KEY not in ended.stdout + ended.stderr


CLOSED = "Standard output is closed, so the answer would be lost. Nothing was sent."
FULL = "Standard output can't be written: No space left on device."


@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [
        ("{} 'customers list' --sandbox --csv >&-", 2, [CLOSED]),
        ("{} - --sandbox --csv <&-", 2, ["Standard input is closed, and - reads the line from it."]),
        ("printf 'customers list --name J\\374rgen' | {} - --sandbox", 2, ["isn't UTF-8 text (byte 24)"]),
        ("{} 'customers list' --sandbox --json rows.json >&- 2>&-; rc=$?; wc -l rows.json; exit $rc", 4, []),
        ("{} 'customers list' --sandbox --csv >/dev/full", 1, [FULL, "Nothing was changed", "run the same"]),
        ("{} 'customers create --name x' --sandbox --csv >/dev/full", 1,
         [FULL, "The call itself was made. What it gave: cus_", "Don't run the line again"]),
        ("{} 'customers create --name x --dry-run' --sandbox >/dev/full", 1,
         [FULL, "Nothing was changed", "run the same"]),
        ("{} 'customers list' --sandbox --csv | true; exit ${{PIPESTATUS[0]}}", 4, ["there are more"]),
    ],
)  # fmt: skip
def test_streams_as_schedulers_give_them(
    state: dict[str, str], shell: str, code: int, said: list[str]
) -> None:
    """Closed, full, cut off: said before anything is sent where that can be known; a write that was made is
    never offered to be made again."""
    ended = subprocess.run(
        ["bash", "-c", shell.format(f"{sys.executable} -m stripe_magics")],
        env=state,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(state["STRIPE_MAGICS_STATE_DIR"]).parent,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    for each in said:
        assert each in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


def test_a_name_is_the_same_in_a_locale_of_ascii(state: dict[str, str]) -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    job = subprocess.run(
        [sys.executable, "-m", "stripe_magics", "customers create --name Jürgen€中", "--sandbox", "--json"],
        env={**state, **ascii_only},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert job.returncode == 0, job.stderr
    assert json.loads(job.stdout.decode())[0]["name"] == "Jürgen€中"
    shown = run({**state, **ascii_only}, "customers create --name Jürgen", "--sandbox")
    assert shown.returncode == 0, shown.stderr
    assert "J\\xfcrgen" in shown.stdout, "a terminal that can't show it"


def test_cards_are_text_or_json(state: dict[str, str]) -> None:
    """Today's page, the card of an object, the status: what a notebook draws is written."""
    page = run(state, "today", "--sandbox")
    assert page.returncode == 0, page.stderr
    assert "Disputes that need an answer\n" in page.stdout
    status = json.loads(run(state, "status", "--sandbox", "--json").stdout)
    assert (status["mode"], status["version"]) == ("sandbox", "2025-02-24.acacia")
    card = run(state, "cus_demoJennyRosen", "--sandbox", "--json")
    assert card.returncode == 0, card.stderr
    story = json.loads(card.stdout)
    assert (story["title"], story["id"]) == ("Jenny Rosen", "cus_demoJennyRosen")
    assert ["E-mail", "jenny.rosen@example.com"] in story["facts"]


def test_numbers_for_people_are_written_as_their_language_does(state: dict[str, str], tmp_path: Path) -> None:
    line = "report balance_summary --month 2026-09"
    shown = run(state, line, "--sandbox", "--locale", "de")
    assert shown.returncode == 0, shown.stderr
    assert "23.432,86 EUR" in shown.stdout
    book = tmp_path / "september.xlsx"
    assert (
        run(state, "payouts list --limit 3", "--sandbox", "--locale", "de", "--xlsx", str(book)).returncode
        == 0
    )
    from openpyxl import load_workbook

    formats = {cell.number_format for row in load_workbook(book).active.iter_rows() for cell in row}
    assert any(each.startswith("dd.mm.yyyy") for each in formats)


def test_an_empty_answer_says_so(state: dict[str, str]) -> None:
    ended = run(state, "pending", "--sandbox")
    assert (ended.returncode, ended.stdout) == (0, "No rows.\n")


def test_a_write_whose_terminal_is_closed_is_known_to_be_unknown(state: dict[str, str]) -> None:
    """SIGHUP stops as Ctrl-C does: what was on its way is named, with exit code 3."""
    where = ["--env", "JOB_KEY", "--api-base"]
    with FaultServer() as server:
        assert run(state, "status", *where, server.url).returncode == 0
        server.script = [*[OK] * len(server.seen), Fault("after", "stall", seconds=60)]
        command = [sys.executable, "-m", "stripe_magics", "customers create --name Ada", *where, server.url]
        with running(command, env=state, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as job:
            deadline = time.monotonic() + 60
            while not server.stalled and time.monotonic() < deadline:
                assert job.poll() is None
                time.sleep(0.02)
            job.send_signal(signal.SIGHUP)
            _, said = job.communicate(timeout=60)
        assert job.returncode == 3, said
        assert "It is unknown whether it was carried out." in said
        pending = run(state, "pending", *where, server.url, "--json")
    assert [row["module"] for row in json.loads(pending.stdout)] == ["customers.create"]


def test_a_stop_before_anything_was_sent_says_so(
    state: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def stop(_line: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stripe_magics.line_runner.LineRunner", stop)
    assert command_line.main(["modules"]) == command_line.INCOMPLETE
    assert capsys.readouterr().err == "Stopped. Nothing was changed at Stripe.\n"


@pytest.mark.parametrize("ignored", [False, True])
def test_termination_waits_for_an_import_as_a_stop_does(ignored: bool) -> None:
    """Half of an import can't be taken back. Where Ctrl-C is ignored (a job in the background), SIGTERM still
    is heard."""
    before = signal.getsignal(signal.SIGINT)
    if ignored:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    imported = False
    try:
        with pytest.raises(KeyboardInterrupt), command_line._stop_on_termination():
            if ignored:
                os.kill(os.getpid(), signal.SIGINT)
            with held_back():
                os.kill(os.getpid(), signal.SIGTERM)
                imported = True
        assert imported
        assert signal.getsignal(signal.SIGINT) is (signal.SIG_IGN if ignored else before)
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("place", ["code that is a string", "the end of the process"])
def test_a_stop_at_an_odd_moment_has_its_exit_code(state: dict[str, str], tmp_path: Path, place: str) -> None:
    """Python itself would end by the signal: after a stop in `exec`, and once handlers are its own again."""
    program = {
        "code that is a string": """
            from stripe_magics import line_runner
            line_runner.LineRunner = lambda line: exec("raise KeyboardInterrupt")
        """,
        "the end of the process": """
            import atexit, os, signal
            atexit.register(lambda: [os.kill(os.getpid(), each) for each in (signal.SIGTERM, signal.SIGHUP)])
        """,
    }[place]
    script = f"import runpy, sys\n{textwrap.dedent(program)}\nsys.argv[1:] = ['modules']\n"
    script += "runpy.run_module('stripe_magics', run_name='__main__')\n"
    (tmp_path / "odd.py").write_text(script)
    command = [sys.executable, "-m", "odd"]
    ended = subprocess.run(command, env=state, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert ended.returncode == {"code that is a string": 4, "the end of the process": 0}[place], ended.stderr


def test_a_pull_that_is_terminated_leaves_what_it_has(state: dict[str, str], tmp_path: Path) -> None:
    """SIGTERM, as a scheduler's time limit sends it: code 4, and the folder goes on where it was stopped."""
    line = "charges list --limit all --to folder"
    command = [sys.executable, "-m", "stripe_magics", line, "--sandbox", "--rate", "2"]
    with running(command, env=state, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as job:
        deadline = time.monotonic() + 60
        while not list((tmp_path / "folder").glob("*")) and time.monotonic() < deadline:
            assert job.poll() is None
            time.sleep(0.05)
        job.send_signal(signal.SIGTERM)
        _, said = job.communicate(timeout=60)
    assert job.returncode == 4, said
    assert "Traceback" not in said
    ended = run(state, line, "--sandbox")
    assert ended.returncode == 0, ended.stderr


def test_rows_of_a_table_end_as_the_worst_of_them(state: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("payment_method\npm_card_visa\npm_card_chargeDeclined\n")
    line = "payment_intents create --from rows.csv --amount 5.00usd --confirm --payment-method-types card"
    ended = run(state, line, "--sandbox", "--csv")
    assert [row["result"] for row in csv.DictReader(io.StringIO(ended.stdout))] == ["done", "failed"]
    assert ended.returncode == 1


def test_an_unknown_outcome_is_3_and_the_same_line_is_not_sent_again(state: dict[str, str]) -> None:
    line, where = "customers create --name Ada", ["--env", "JOB_KEY", "--api-base"]
    with FaultServer() as server:
        first = run(state, "status", *where, server.url)
        assert first.returncode == 0, first.stderr
        looks = len(server.seen)
        limited = error(429, "invalid_request_error", "rate_limit")
        server.script = [*[OK] * looks, Fault("after", "close"), *[limited] * 8]
        unknown = run(state, line, *where, server.url)
        assert unknown.returncode == 3, unknown.stderr
        sent = sum(seen.method == "POST" for seen in server.seen)
        server.script = []
        again = run(state, line, *where, server.url)
        assert again.returncode == 3  # it still is unknown
        assert "resume" in again.stderr
        assert sum(seen.method == "POST" for seen in server.seen) == sent
        resumed = run(state, "resume 1", *where, server.url, "--json")
        assert resumed.returncode == 0, resumed.stderr
        assert json.loads(resumed.stdout)[0]["id"].startswith("cus_")
    assert KEY not in first.stdout + unknown.stderr + again.stderr + resumed.stderr


def test_a_watch_goes_on_until_it_is_terminated(state: dict[str, str]) -> None:
    words = [sys.executable, "-m", "stripe_magics", "events watch --group invoice --minutes 5", "--sandbox"]
    with running(words, env=state, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as job:
        heard = [line(job.stderr)]
        while "Watching" not in heard[-1]:
            heard.append(line(job.stderr))
        assert job.poll() is None, heard
        job.send_signal(signal.SIGTERM)
        _, said = job.communicate(timeout=60)
    assert job.returncode == 0, said
    assert "The watch stopped." in said


def test_a_bar_is_drawn_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Whether the process's standard error is a terminal decides; the bar itself has its own tests."""
    from stripe_magics import progress

    seen: list[bool] = []
    run_line = command_line._run
    monkeypatch.setattr(command_line, "_run", lambda given: seen.append(progress._hidden) or run_line(given))
    for terminal in (True, False):
        monkeypatch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal)
        assert command_line.main(["modules customers"]) == 0
        assert not progress._hidden, "what calls `main` draws its bars again"
    assert seen == [False, True]


def test_the_exit_codes_are_in_the_help(state: dict[str, str]) -> None:
    shown = run(state, "--help").stdout
    for code, text in CODES.items():
        assert f"{code}  {text}" in shown
