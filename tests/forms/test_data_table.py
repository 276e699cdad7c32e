"""What stands behind itables' script: which rows are deselected, and what an export holds."""

from __future__ import annotations

import json
import subprocess
from importlib.util import find_spec

import pytest

from stripe_magics.forms.static_files import static_text

driver = pytest.importorskip("playwright._impl._driver", reason="Node comes with the extra test")

FAKE = """
const stripData = (cell, options) =>
  options.escapeExcelFormula && /^[=@]/.test(cell) ? "'" + cell : String(cell).trim();
class Api {
  constructor(settings) { this.settings = settings; }
  rows({ selected }) {
    return { indexes: () => ({ toArray: () => (selected ? this.settings.selected : []) }) };
  }
}
const said = [];
const deselect = { name: "deselect", val() { said.push([...this[0]]); return this; } };
globalThis.window = {
  $: { fn: { dataTable: { Api, Buttons: { stripData } } } },
  __apiStruct: [{ name: "row", methodExt: [] }, { name: "rows", methodExt: [deselect] }],
};
"""
ASK = """
const strip = (cell, escape) => window.$.fn.dataTable.Buttons.stripData(cell, { escapeExcelFormula: escape });
for (const selected of [[], [7], [2, 9999]]) {
  deselect.val.call({ context: [{ selected }], 0: [...Array(10000).keys()], length: 1 });
}
console.log(JSON.stringify({ said, texts: CELLS.map((each) => [strip(each, true), strip(each, false)]) }));
"""
UNSAFE = (
    "=1+1",
    "@SUM(A1)",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "-2+3+cmd|' /C calc'!A0",
    "  =A1",
    "＝1",
    "- a note",
)
SAFE = ("-5.00 USD", "-1,234", "+49 30 1234567", "-12.5%", "-1.234,50 EUR", "Rosen = Books", "", "a@b.com")


def answers(cells: tuple[str, ...], set_up: str = FAKE) -> dict[str, list[list[object]]]:
    script = set_up + f"const CELLS = {json.dumps(cells)};\n" + static_text("data_table.js") + ASK
    run = [driver.compute_driver_executable()[0], "--input-type=module", "-"]
    done = subprocess.run(run, input=script, capture_output=True, text=True, timeout=120, check=False)
    assert not done.returncode, done.stderr
    return dict(json.loads(done.stdout))


def test_only_selected_rows_are_deselected() -> None:
    assert answers(())["said"] == [[], [7], [2, 9999]]


def test_a_formula_is_exported_as_a_text() -> None:
    for cell, (escaped, plain) in zip(UNSAFE, answers(UNSAFE)["texts"], strict=True):
        assert escaped == f"'{cell.strip()}"
        assert plain == cell.strip(), "a workbook's cells have types"
    for cell, pair in zip(SAFE, answers(SAFE)["texts"], strict=True):
        assert pair == [cell, cell]


def test_another_script_than_it_knows_is_left_alone() -> None:
    script = "globalThis.window = {};\n" + static_text("data_table.js")
    run = [driver.compute_driver_executable()[0], "--input-type=module", "-"]
    done = subprocess.run(run, input=script, capture_output=True, text=True, timeout=120, check=False)
    assert not done.returncode, done.stderr


@pytest.mark.skipif(find_spec("itables") is None, reason="the extra tables")
def test_the_installed_script_has_what_it_changes() -> None:
    from stripe_magics.forms.data_table import DataTable

    script = str(DataTable._esm)
    for name in ("window.__apiStruct=", "window.$=", ".stripData=function", '"rows().deselect()"'):
        assert name in script, name
    assert static_text("data_table.js") in script
    assert script.endswith(static_text("table_columns.js"))
    assert DataTable.adds_columns, "itables' script gave its face up"
    assert script.count("as default") == 0
    assert "const itablesWidget = " in script
