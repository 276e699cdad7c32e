"""`%%stripe sql` with names of the notebook in its query, and without DuckDB."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from stripe_magics.errors import UsageFault


def test_a_cell_and_a_line_ask_a_mirror(shell: Any, tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="the extra `duckdb` isn't installed")
    shell.run_line_magic("stripe", "connect --sandbox")
    shell.run_line_magic("stripe", f"sync {tmp_path / 'mirror'} customers --quiet")
    shell.user_ns.update(name="Jenny Rosen", evil="x' or '1'='1")
    query = "select id from customers where name = "
    shell.run_cell_magic("stripe", "sql --out found", query + "{{name}}")
    assert "cus_demoJennyRosen" in set(shell.user_ns["found"]["id"])
    shell.run_cell_magic("stripe", "sql --out found", query + "'{{evil}}' or name = {{evil}}")
    assert len(shell.user_ns["found"]) == 0
    assert len(shell.run_line_magic("stripe", f"sql \"{query}'{{{{name}}}}'\"")) >= 1
    assert len(shell.run_line_magic("stripe", f"sql \"{query}'{{{{evil}}}}'\"")) == 0
    escaped = r"select id from customers where E'\'' = 'x' or name = {{evil}} or name = 'y'"
    shell.run_cell_magic("stripe", "sql --out found", escaped)
    assert len(shell.user_ns["found"]) == 0
    with pytest.raises(UsageFault, match="following parameters: 1|Unexpected prepared parameter"):
        shell.run_cell_magic("stripe", "sql", "select ?")


def test_without_duckdb_it_says_how_this_kernel_gets_it(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    with pytest.raises(UsageFault, match=r"DuckDB, which isn't installed.\n%pip install duckdb"):
        shell.run_cell_magic("stripe", f"sql --target {tmp_path}", "select 1")
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    with pytest.raises(UsageFault, match=r"installed.\npip install duckdb"):
        shell.run_cell_magic("stripe", f"sql --target {tmp_path}", "select 1")
