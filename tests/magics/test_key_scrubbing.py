"""A key that was typed into a cell is not used, and is forgotten wherever IPython keeps cells."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stripe_magics import errors

from .conftest import Cells

CANARY = "sk_live_" + "51Canary" + "x" * 24


def everywhere(shell: Any) -> str:
    """All that the shell remembers of what was typed."""
    history = shell.history_manager
    history.writeout_cache()
    kept = [repr({name: value for name, value in shell.user_ns.items() if name.startswith(("_i", "In"))})]
    kept += [
        repr(history.input_hist_raw),
        repr(history.input_hist_parsed),
        repr(history.db_input_cache),
        repr([history._i, history._ii, history._iii]),
    ]
    if Path(str(history.hist_file)).exists():
        with closing(sqlite3.connect(history.hist_file)) as database:
            rows = database.execute("SELECT source, source_raw FROM history").fetchall()
        kept += [repr(rows), Path(str(history.hist_file)).read_bytes().decode("latin-1")]
    return "\n".join(kept)


@pytest.mark.parametrize(
    "text",
    [
        f"%stripe customers create --name {CANARY}",
        f"%stripe connect --env {CANARY}",
        f"%stripe connect {CANARY}",
        f"%%stripe customers create\nname: {CANARY}\n",
        f'%%stripe post /v1/customers\n{{"name": "{CANARY}"}}\n',
        f"k = '{CANARY}'\n%stripe customers create --name $k",
        f"x = 1\nr = %stripe customers list --email {CANARY}",
    ],
)
def test_it_is_refused_and_forgotten(sandbox: Cells, text: str) -> None:
    result = sandbox.run(text)
    assert isinstance(result.error_in_exec, errors.KeyRefused)
    assert CANARY not in str(result.error_in_exec)
    assert CANARY not in sandbox.stdout + sandbox.stderr
    assert CANARY not in everywhere(sandbox.shell)
    assert "(key removed)" in everywhere(sandbox.shell)
    sandbox.run("1 + 1")
    assert CANARY not in everywhere(sandbox.shell)
    assert len(sandbox("%stripe customers list")) == 0


def test_a_key_in_a_pasted_request_is_dropped_and_forgotten(sandbox: Cells) -> None:
    made = sandbox(
        f"%%stripe\ncurl https://api.stripe.com/v1/customers \\\n  -u {CANARY}: \\\n  -d name=Jenny\n"
    )
    assert made.loc[0, "name"] == "Jenny"
    assert "dropped and not used" in sandbox.stdout
    assert CANARY not in everywhere(sandbox.shell)


def test_the_history_of_calls_has_no_key(sandbox: Cells) -> None:
    sandbox(f"%stripe curl https://api.stripe.com/v1/customers -u {CANARY}:")
    assert CANARY not in repr(sandbox("%stripe history").to_dict())
    assert CANARY not in str(sandbox("%stripe script"))


def test_other_cells_keep_their_text(sandbox: Cells) -> None:
    sandbox("note = 'an ordinary cell'")
    sandbox.run(f"%stripe customers create --name {CANARY}")
    assert "an ordinary cell" in everywhere(sandbox.shell)


@pytest.mark.parametrize("call", ["sm.connect({!r})", "sm.connect(key={!r})", "sm.connect(env={!r})"])
def test_a_key_given_to_connect_in_python_is_refused_and_forgotten(shell: Any, call: str) -> None:
    key = "sk_test_" + "51Habcdefghijklmnopqrstuvwx"
    shell.run_cell("%load_ext stripe_magics")
    result = shell.run_cell("import stripe_magics as sm\n" + call.format(key), store_history=True)
    assert type(result.error_in_exec).__name__ == "KeyRefused"
    assert key not in str(result.error_in_exec)
    assert not [each for each in shell.user_ns["In"] if key in each]
    assert key not in shell.user_ns["_i"] + shell.history_manager.input_hist_raw[-1]
