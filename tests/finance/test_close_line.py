"""The month end by line and without a person: `%stripe close`, `%stripe journal`, and the notebook under
nbconvert and papermill."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import stripe_magics as sm
from stripe_magics.errors import CloseFailed, UsageFault
from stripe_magics.finance.reporting_period import calendar_period
from stripe_magics.finance.tax_handover import as_csv, tax_handover

NOTEBOOK = Path(__file__).parent.parent.parent / "notebooks" / "close.ipynb"


@pytest.fixture(scope="module")
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()  # another module's may know the extension as loaded
    ip = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    ip.run_line_magic("load_ext", "stripe_magics")
    ip.run_line_magic("stripe", "connect --sandbox --quiet")
    yield ip
    ip.run_line_magic("unload_ext", "stripe_magics")
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, line: str) -> Any:
    return shell.run_line_magic("stripe", line)


def test_close_shows_its_results_in_colours(shell: InteractiveShell, tmp_path: Path) -> None:
    made = run(shell, f"close --month 2026-09 --to {tmp_path}/close.xlsx")
    shown = shell.display_formatter.format(made)[0]
    assert "#d7f7c2" in shown["text/html"]
    assert "24,506.55 EUR" in shown["text/plain"]
    assert "54 passed" in shown["text/plain"]
    again = run(shell, f"close --verify {tmp_path}/close.xlsx")
    assert again.empty
    assert "nothing changed since" in shell.display_formatter.format(again)[0]["text/plain"]


def test_close_takes_the_last_month_unless_another_is_given(shell: InteractiveShell) -> None:
    assert run(shell, "close").attrs["stripe"]["period"] == "1-31 Oct 2026, 31 days"


def test_strict_is_an_error_with_what_to_do(shell: InteractiveShell) -> None:
    with pytest.raises(CloseFailed) as caught:
        run(shell, "close --month 2026-11 --strict")
    assert "The period is over" in caught.value.message
    assert "when it is over" in caught.value.advice


def test_verify_takes_no_period(shell: InteractiveShell) -> None:
    with pytest.raises(UsageFault, match="leave out --month"):
        run(shell, "close --verify x.xlsx --month 2026-09")


def test_journal_writes_for_a_program(shell: InteractiveShell, tmp_path: Path) -> None:
    made = run(shell, f"journal --month 2026-09 --for datev --to {tmp_path}/books.csv")
    written = {path.name for path in tmp_path.iterdir()}  # DATEV reads files of that beginning only
    assert written == {f"EXTF_books-{code}.csv" for code in ("eur", "gbp", "usd")}
    assert set(made.columns) >= {"date", "account", "debit", "credit", "currency", "document", "memo"}


def test_reverse_charge_is_listed_by_customer_and_the_rest_by_country() -> None:
    def sale(country: str, percent: float, tax: int, exempt: str = "none", **more: str) -> dict[str, Any]:
        own = {"customer_tax_id": "", "customer_name": "", "taxability": "", **more}
        return {
            "currency": "eur",
            "country": country,
            "percentage": percent,
            "exempt": exempt,
            "taxable": 1000,
            "tax": tax,
            **own,
        }

    rows = pd.DataFrame(
        [
            sale("DE", 19.0, 190), sale("DE", 19.0, 190), sale("AT", 20.0, 200), sale("US", 0.0, 0),
            sale("FR", 0.0, 0, "reverse", customer_tax_id="FR1", customer_name="=Alpha"),
            sale("FR", 0.0, 0, "reverse", customer_tax_id="FR2", customer_name="Beta"),
            sale("FR", 0.0, 0, "reverse", customer_name="Gamma"),
        ]
    )  # fmt: skip
    made = tax_handover(rows, calendar_period("2026-09", "month", "UTC"), home="DE")
    assert made[
        ["return", "country", "customer_tax_id", "documents", "taxable", "tax"]
    ].to_numpy().tolist() == [
        ["VAT return", "DE", "", 2, 2000, 380],
        ["OSS return", "AT", "", 1, 1000, 200],
        ["VAT return and sales list", "FR", "", 1, 1000, 0],
        ["VAT return and sales list", "FR", "FR1", 1, 1000, 0],
        ["VAT return and sales list", "FR", "FR2", 1, 1000, 0],
        ["VAT return (not taxable here)", "US", "", 1, 1000, 0],
    ]
    assert made["taxable"].sum() == rows["taxable"].sum()
    assert any("1 reverse-charge documents name no tax id" in note for note in made.attrs["stripe"]["notes"])
    text = as_csv(made)
    assert ",FR1,'=Alpha,1,10.00,0.00" in text


def unattended(tmp_path: Path, *command: str) -> subprocess.CompletedProcess[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("STRIPE")}
    env = {
        **clean,
        "STRIPE_MAGICS_STATE_DIR": str(tmp_path / "state"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=tmp_path, env=env, capture_output=True, timeout=300, check=False
    )


def test_papermill_closes_the_month_that_it_is_given(tmp_path: Path) -> None:
    done = unattended(
        tmp_path, "papermill", str(NOTEBOOK), "out.ipynb", "-p", "month", "2026-08", "-p", "books", "xero"
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert (tmp_path / "close-2026-08.xlsx").exists()
    assert (tmp_path / "close-2026-08.audit.json").exists()
    assert min(path.name for path in tmp_path.glob("journal-*")).startswith("journal-2026-08-eur")


def test_a_month_that_fails_is_an_exit_code_and_is_written_all_the_same(tmp_path: Path) -> None:
    done = unattended(tmp_path, "papermill", str(NOTEBOOK), "out.ipynb", "-p", "month", "2026-11")
    assert done.returncode == 1
    assert b"The period is over" in done.stderr
    assert (tmp_path / "close-2026-11.xlsx").exists()


def test_nbconvert_runs_it_too(tmp_path: Path) -> None:
    shutil.copy(NOTEBOOK, tmp_path / "close.ipynb")  # nbconvert runs a notebook in its own folder
    done = unattended(
        tmp_path, "nbconvert", "--to", "notebook", "--execute", "close.ipynb", "--output", "out.ipynb"
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert (tmp_path / "close-2026-09.xlsx").exists()


def test_the_python_names_are_public() -> None:
    assert {"close_month", "journal", "verify_close"} <= set(dir(sm))
