"""What people do all day, from one cell on: nothing is typed into a second one."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
LOAD = "%load_ext stripe_magics"


def test_support_finds_a_customer_and_refunds_part(notebook: Any) -> None:
    nb = notebook(LOAD, "%stripe jenny.rosen@example.com")
    nb.sees("Jenny Rosen")
    nb.press("Refund the last payment")
    nb.sees("USD to Jenny Rosen")
    nb.enter("Amount", "9.99")
    nb.press("Create")
    nb.sees("9.99 USD of 169.00 USD")
    nb.press("Yes, create a Refund")
    nb.sees("Create a Refund: done.")
    assert nb.python("print(refunds_create['amount'][0], refunds_create['status'][0])") == "999 succeeded"


def test_finance_sorts_filters_and_selects(notebook: Any) -> None:
    nb = notebook(LOAD, "%stripe payment_intents list --limit 300 --table")
    table = nb.out.locator(".sm-table")
    first = table.locator("tbody tr").first
    first.wait_for()
    table.get_by_role("searchbox").first.fill("requires_capture")
    expect(table.get_by_text("filtered from 300 total entries")).to_be_visible()
    first.click()
    nb.press("Capture")
    nb.sees("Capture a Payment Intent")
    with nb.page.expect_download() as saved:
        table.get_by_role("button", name="CSV").click()
    lines = saved.value.path().read_text(encoding="utf-8-sig").split()
    assert lines[0].startswith('"id","amount","status"')
    assert "pi_demoCapture" in lines[1], "what is filtered is what is exported"
    table.get_by_role("searchbox").first.fill("")
    expect(table.get_by_text("Showing 1 to 10 of 300 entries")).to_be_visible()
    table.locator("thead th", has_text="amount").locator("button").first.click()
    cells = table.locator("tbody tr td:nth-child(2)")
    expect(cells.first).not_to_have_text("211.00 USD")
    amounts = [float(each.split()[0].replace(",", "")) for each in cells.all_inner_texts()]
    assert amounts == sorted(amounts)
