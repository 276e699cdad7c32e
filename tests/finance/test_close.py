"""The month end over the demo firm and over small accounts: checklist, workbook, tax table, audit trail, and
what changed since."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from each_row import each_row
from workbook_formulas import formulas

import stripe_magics as sm
from stripe_magics.errors import CloseFailed, FileError, UsageFault
from stripe_magics.finance import audit_trail, workbook
from stripe_magics.finance.close_handover import PARTS
from stripe_magics.finance.inputs import ReportInputs
from stripe_magics.finance.proofs import PROOFS

MONTH = "2026-09"


@pytest.fixture(scope="module", autouse=True)
def demo() -> Iterator[None]:
    sm.connect(sandbox=True)
    yield
    sm.close()


@pytest.fixture(scope="module")
def closed(demo: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Path]:
    path = tmp_path_factory.mktemp("close") / "close.xlsx"
    return sm.close_month(MONTH, to=path, who="Jenny"), path


def test_the_demo_firm_s_month_has_no_failed_check_and_every_proof(closed: tuple[pd.DataFrame, Path]) -> None:
    made, _ = closed
    assert set(made["result"]) <= {"passed", "differs"}
    assert set(PROOFS) <= set(made["check"])
    assert {"The period is over", "Lists are complete", "Every category has an account"} <= set(made["check"])
    journal = made[made["check"].str.startswith("Journal's Stripe account")]
    assert list(journal["currency"]) == ["eur", "gbp", "usd"]
    assert (journal["residual"] == 0).all()
    differs = made[made["result"] == "differs"]
    assert differs["action"].str.contains("mrr_bridge").all()


def test_every_formula_equals_the_value_it_carries(closed: tuple[pd.DataFrame, Path]) -> None:
    _, path = closed
    found = formulas(path)
    assert len(found) > 60
    for where, formula, computed, stored in found:
        assert computed == pytest.approx(stored, abs=1e-9), (where, formula)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_reads_the_same_figures(closed: tuple[pd.DataFrame, Path], tmp_path: Path) -> None:
    _, path = closed
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [
        "soffice",
        profile,
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        tmp_path,
        path,
    ]
    subprocess.run([str(each) for each in command], check=True, capture_output=True, timeout=120)
    ours, theirs = (openpyxl.load_workbook(each, data_only=True) for each in (path, tmp_path / path.name))
    assert ours.sheetnames == theirs.sheetnames
    for where, _, _, stored in formulas(path):
        sheet, cell = where.split("!")
        assert theirs[sheet][cell].value == pytest.approx(stored, abs=1e-9), where


def test_the_workbook_says_what_it_is_and_can_be_printed(closed: tuple[pd.DataFrame, Path]) -> None:
    made, path = closed
    book = openpyxl.load_workbook(path)
    cover = {row[0].value: row[1].value for row in book["Cover"].iter_rows(min_row=1, max_row=30)}
    assert cover["Period"] == "1-30 Sep 2026, 30 days"
    assert cover["Mode"] == "sandbox"
    assert cover["Checks passed"] == int((made["result"] == "passed").sum())
    assert cover["By"] == "Jenny"
    assert [each.sheet for each in PARTS.values()] == book.sheetnames[2 : 2 + len(PARTS)]
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes is not None, sheet.title
        assert sheet.print_title_rows == "$4:$4", sheet.title
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
    heads = [cell.value for cell in book["MRR changes"][4]]
    assert heads.index("Customer name") == heads.index("Customer") + 1
    summary = sm.report("balance_summary", month=MONTH)
    shown = {row[0].value: row[4].value for row in book["Balance"].iter_rows(min_row=5, max_row=7)}
    assert shown == {
        code.upper(): end / 100 for code, end in zip(summary["currency"], summary["end"], strict=True)
    }


def test_number_formats_follow_the_currency_and_nothing_is_executed(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "currency": ["jpy", "kwd", "usd"],
            "customer_name": ["=HYPERLINK(1)", "@SUM(A1)", "Rosen Books"],
            "amount": [1234, 1234, 1234],
        }
    )
    frame.attrs["stripe"] = {"title": "T", "amounts": ["amount"], "kinds": {"amount": "money"}, "zone": "UTC"}
    path = tmp_path / "x.xlsx"
    with path.open("wb") as file:
        workbook.build(file, {"Title": "T"}, [workbook.Sheet("Rows", frame, ("amount",))])
    sheet = openpyxl.load_workbook(path)["Rows"]
    cells = [sheet.cell(row, 3) for row in (5, 6, 7)]
    assert [cell.value for cell in cells] == [1234, 1.234, 12.34]
    assert [cell.number_format.split(";")[0] for cell in cells] == ["#,##0", "#,##0.000", "#,##0.00"]
    for row in (5, 6):
        assert sheet.cell(row, 2).data_type == "s"
        assert sheet.cell(row, 2).quotePrefix
    assert sheet.cell(9, 1).value == "Total JPY"
    assert {computed for _, _, computed, _ in formulas(path)} == {1234, 1.234, 12.34}


def test_the_tax_table_is_written_beside_the_workbook(closed: tuple[pd.DataFrame, Path]) -> None:
    _, path = closed
    rows = pd.read_csv(path.with_name("close.tax.csv"))
    summary = sm.report("tax_summary", month=MONTH).stripe.to_major()
    assert rows.groupby("currency")["tax"].sum().round(2).to_dict() == {
        code.upper(): round(float(tax), 2) for code, tax in summary.groupby("currency")["tax"].sum().items()
    }
    assert set(rows["return"]) <= {"VAT return", "the country's own return"}


def test_the_audit_trail_names_account_version_rows_and_hashes(closed: tuple[pd.DataFrame, Path]) -> None:
    _, path = closed
    trail = json.loads(path.with_name("close.audit.json").read_text())
    assert trail["who"] == "Jenny"
    assert trail["api_version"] == sm.current().api_version
    assert trail["account"]["id"].startswith("acct_")
    assert {"transactions", "charges", "invoices"} <= set(trail["lists"])
    ledger = sm.call("balance.list_history", limit="all")
    assert trail["lists"]["transactions"]["rows"] == int(
        (ledger["created"] < pd.Timestamp("2026-10-01", tz="UTC")).sum()
    )
    assert len(trail["reports"]["balance_summary"]["sha256"]) == 64


def test_verifying_finds_nothing_until_something_changes(
    closed: tuple[pd.DataFrame, Path], tmp_path: Path
) -> None:
    _, path = closed
    for name in ("close.xlsx", "close.audit.json"):
        shutil.copy(path.with_name(name), tmp_path / name)
    mine = tmp_path / "close.xlsx"
    assert sm.verify_close(mine).empty
    mine.write_bytes(mine.read_bytes() + b" ")
    assert list(sm.verify_close(mine)["change"]) == ["file was changed after it was written"]
    trail_file = tmp_path / "close.audit.json"
    trail = json.loads(trail_file.read_text())
    hashes = trail["lists"]["charges"]["row_hashes"]
    first, second = list(hashes)[:2]
    hashes[first] = "0" * 16
    del hashes[second]
    trail["lists"]["charges"]["sha256"] = "0"
    trail_file.write_text(json.dumps(trail))
    found = sm.verify_close(trail_file)
    charges = found[found["of"] == "charges"].set_index("change")["examples"].to_dict()
    assert charges == {"rows added": second, "rows changed": first}


def test_a_trail_that_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="There is no audit trail"):
        sm.verify_close(tmp_path / "close.xlsx")
    (tmp_path / "close.audit.json").write_text("{}")
    with pytest.raises(FileError, match="not an audit trail"):
        sm.verify_close(tmp_path / "close.xlsx")


WHOLE: dict[str, Any] = {
    "account": {"id": "acct_1", "mode": "test"}, "accounts": "saas", "read_at": "2026-10-01T00:00:00+00:00",
    "period": {"start": "2026-09-01T00:00:00+00:00", "end": "2026-10-01T00:00:00+00:00", "zone": "UTC"},
    "workbook": {"file": "close.xlsx", "sha256": "0"},
    "lists": {"charges": {"rows": 1, "sha256": "0"}}, "reports": {"mrr": {"rows": 1, "sha256": "0"}},
}  # fmt: skip


@each_row(
    "part",
    [
        *({name: None} for name in WHOLE),
        {"period": {**WHOLE["period"], "start": "yesterday"}},
        {"period": {**WHOLE["period"], "end": "2026-08-01T00:00:00+00:00"}},
        {"lists": {"charges": 5}},
        {"reports": {"mrr": {"rows": "1", "sha256": "0"}}},
        {"workbook": {"file": "../close.xlsx", "sha256": "0"}},
        {"account": "acct_1"},
    ],
)
def test_whatever_a_trail_lacks_is_said(part: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "close.audit.json"
    file.write_text(json.dumps(WHOLE))
    audit_trail.read_trail(file)
    file.write_text(json.dumps({**WHOLE, **part}))
    with pytest.raises(FileError, match=r"not an audit trail of a month end: .*(missing|damaged|say|folder)"):
        audit_trail.read_trail(file)


@each_row(
    ("options", "says"),
    [
        ({"map": 5}, "map is int; it must be a file"),
        ({"map": ["saas"]}, "map is list"),
        ({"strict": "maybe"}, "--strict maybe isn't possible"),
        ({"fresh": "perhaps"}, "--fresh perhaps"),
    ],
)
def test_odd_values_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageFault, match=says):
        sm.close_month(MONTH, **options)


def test_closing_holds_what_it_read_and_nothing_that_it_worked_out(
    closed: tuple[pd.DataFrame, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is worked out of the lists is let go after each report, and Arrow's memory is the system's while a
    month is closed."""
    usual, pools, kept = pa.default_memory_pool().backend_name, set(), []
    real = ReportInputs.forget

    def forget(inputs: ReportInputs) -> None:
        pools.add(pa.default_memory_pool().backend_name)
        real(inputs)
        kept.extend(inputs.memo)

    monkeypatch.setattr(ReportInputs, "forget", forget)
    again = sm.close_month(MONTH)
    assert pools == {"system"}
    assert pa.default_memory_pool().backend_name == usual
    assert kept
    assert all(name.startswith("reading") for name in kept)
    pd.testing.assert_frame_equal(again, closed[0])


def test_a_lost_entry_fails_the_closing() -> None:
    lists = {
        "transactions": sm.call("balance.list_history", limit="all"),
        "balance": sm.call("balance.retrieve"),
    }
    ledger = lists["transactions"]
    inside = ledger[
        ledger["created"].between("2026-09-05", "2026-09-20") & (ledger["reporting_category"] == "charge")
    ]
    lists["transactions"] = ledger.drop(index=inside.index[0])
    made = sm.close_month(MONTH, data=lists)
    failed = set(made[made["result"] == "failed"]["check"])
    assert {"start + activity + payouts = end", "Journal's Stripe account = the balance's change"} <= failed
    assert made[made["result"] == "failed"]["action"].str.len().min() > 0
    with pytest.raises(CloseFailed, match="failed checks .* 1-30 Sep 2026"):
        sm.close_month(MONTH, data=lists, strict=True)


def test_a_month_that_is_not_over_is_not_closed() -> None:
    made = sm.close_month("2026-11")
    assert made.set_index("check").loc["The period is over", "result"] == "failed"


def test_a_category_without_an_account_is_named() -> None:
    made = sm.close_month(MONTH, map={"stripe": "1", "fees": "2", "charge": "3"})
    row = made.set_index("check").loc["Every category has an account"]
    assert row["result"] == "failed"
    assert "fee, payout, refund" in row["action"]


def test_a_target_that_is_not_possible_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match=r"ends in \.xlsx"):
        sm.close_month(MONTH, to=tmp_path / "close.csv")
    with pytest.raises(FileError, match="There is no folder"):
        sm.close_month(MONTH, to=tmp_path / "nowhere" / "close.xlsx")


def test_hashes_leave_out_what_changes_by_itself() -> None:
    rows = pd.DataFrame(
        {"id": ["txn_1"], "object": ["balance_transaction"],
            "created": [pd.Timestamp("2026-09-01", tz="UTC")],
         "net": [5], "status": ["pending"]}
    )  # fmt: skip
    end = pd.Timestamp("2026-10-01", tz="UTC")
    was = audit_trail.list_trail(rows, end)
    assert audit_trail.list_trail(rows.assign(status="available"), end) == was
    assert audit_trail.list_trail(rows.assign(net=6), end)["sha256"] != was["sha256"]
    assert audit_trail.list_trail(rows, pd.Timestamp("2026-08-01", tz="UTC"))["rows"] == 0
