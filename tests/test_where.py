"""Places that notebooks run in, where no test of its own opens them: rules for plain outputs, a home that
can't be written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import stripe_magics as sm

LINES = (
    "customers list --limit 3",
    "charges list --limit 3 --expand data.customer",
    "report balance_summary --month 2026-09",
    "report payout_reconciliation --month 2026-09",
    "status",
    "help",
    "modules",
    "customers create --help",
    "cus_demoJennyRosen",
    "customers create --name Ada --dry-run",
    "events status",
    "events digest",
    "pending",
)
_HANDLER = re.compile(r"<[^>]*\son\w+\s*=", re.IGNORECASE)


@pytest.fixture(scope="module")
def shell() -> Iterator[InteractiveShell]:
    made = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    made.run_line_magic("load_ext", "stripe_magics")
    sm.connect(sandbox=True)
    yield made
    made.run_line_magic("unload_ext", "stripe_magics")
    sm.close()


@pytest.mark.parametrize("line", LINES)
def test_plain_outputs_run_nothing(shell: InteractiveShell, line: str) -> None:
    """VS Code, GitHub and mail programs show HTML without scripts; what needs one would be dead there, or not
    shown at all."""
    with capture_output():
        answer = shell.run_line_magic("stripe", line)
    if isinstance(answer, pd.DataFrame):
        computed = answer.rename_axis("row")  # no longer the objects themselves: pandas' own table
        pages = [shell.display_formatter.format(each)[0]["text/html"] for each in (answer, computed)]
    else:
        pages = [answer._repr_html_()]
    for html in pages:
        assert "<" in html
        assert "<script" not in html.lower()
        assert "<iframe" not in html.lower()
        assert "javascript:" not in html.lower()
        assert _HANDLER.search(html) is None


def test_a_home_that_cant_be_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    """JupyterHub with a read-only home: the sandbox works, reads and writes; nothing is left anywhere
    else."""
    code = (
        "import stripe_magics as sm; sm.connect(sandbox=True); print(sm.call('customers.create',"
        " name='Ada')['name'].iloc[0]); sm.close()"
    )
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/proc/none"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "Ada"


TERMINAL = """
import getpass
def typed(prompt):
    print("hidden prompt:", prompt)
    raise EOFError
getpass.getpass = typed
%load_ext stripe_magics
%stripe connect
%stripe connect --sandbox
df = %stripe customers list --limit 2
df
print(df["id"].str.startswith("cus_").all())
%stripe customers create --form
%stripe close --form
%stripe cus_demoJennyRosen
"""


def test_ipython_in_a_terminal(tmp_path: Path) -> None:
    """Tables and cards are text, a form says that it needs a notebook, and a key is asked for by getpass."""
    ended = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"],
        env={**os.environ, "IPYTHONDIR": str(tmp_path), "STRIPE_MAGICS_STATE_DIR": str(tmp_path / "state")},
        input=TERMINAL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = ended.stdout
    assert "hidden prompt: Stripe key: " in said, said + ended.stderr
    assert "There is nobody to type a key." in said
    assert "[SANDBOX] customers list · 2 rows" in said
    assert "True" in said
    assert said.count("--form opens a form, which needs a notebook. Nothing was sent.") == 2
    assert "Jenny Rosen [customer] cus_demoJennyRosen" in said
