"""WCAG 2.2 AA by axe-core, in JupyterLab, light and dark: every form, and the tables, cards and messages that
people see.

axe takes everything for invisible whose `body` clips its overflow and has no height, as JupyterLab's has; the
test opens that up, and counts what was compared, so that a check that looks at nothing fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from browser.conftest import settled

pytestmark = pytest.mark.browser

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """async ([scope, levels, contrast]) => {
  const rules = {'color-contrast': {enabled: contrast}};
  const found = await axe.run({include: [[scope]]}, {runOnly: levels, rules});
  const described = each => each.nodes.map(n => `${each.id}: ${n.html.slice(0, 160)} (${n.failureSummary})`);
  const count = id => (found.passes.find(each => each.id === id) || {nodes: []}).nodes.length;
  const faults = found.violations.flatMap(described);
  return {faults, contrasts: count('color-contrast'), buttons: count('button-name')};
}"""
OUTPUT = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output"
THEME = """async (theme) => {
  await window.jupyterapp.commands.execute('apputils:change-theme', {theme});
  while (document.body.dataset.jpThemeName !== theme || document.querySelector('#jupyterlab-splash'))
    await new Promise(r => setTimeout(r, 20));
}"""
FORMS = """from IPython.display import display
names = [*sm.modules().query("documented")["name"], "subscriptions.create", "products.update",
         "prices.create", "coupons.create", "disputes.update", "checkout.sessions.create", "tax_rates.create"]
def show(names):
    for name in names:
        form = sm.form(name)
        for group in form.groups:
            form.open_group(group)
        display(form)
"""
CARDS = """
from IPython.display import display
def magic(*lines):
    for line in lines:
        shown = get_ipython().run_line_magic("stripe", line)
        if shown is not None:
            display(shown)
magic("cus_demoJennyRosen", "today", "status", "customers list --limit 5", "invoices list --limit 40",
      "disputes list", "payouts list", "payment_intents list --limit 20 --table",
      "report balance_summary --month 2026-09", "find chargeback", "modules",
      "config", "pending", "connect", "customers create --help", "events list --limit 3",
      "disputes list --table", "config --help", "history", "script",
      "customers list --email nobody@example.com", "balance retrieve")
"""
MESSAGES = """
magic("")
for kind in ("payment_intents", "charges", "invoices", "refunds", "payouts", "disputes", "subscriptions",
             "products"):
    magic(sm.call(f"{kind}.list", limit=1)["id"][0])
update = sm.form("customers.update", customer="cus_demoJennyRosen"); display(update)
update.fill(name="Jenny B.").clear("description")
faulty = sm.form("payment_intents.create", amount="25.00", currency="usd", payment_method="pm_1",
                 receipt_email="nobody"); display(faulty)
try: faulty.submit()
except sm.InvalidValue: pass
asked = sm.form("payment_intents.create", amount="25.00usd", currency="usd", confirm=True, off_session=True,
                payment_method="pm_card_visa")
display(asked); asked.sender.press()
looked = sm.form("customers.create", name="Jenny"); display(looked); looked.submit(); looked.preview()
from stripe_magics.forms.object_picker import open_picker
found = sm.form("invoices.create", customer="jenny.rosen@example.com"); display(found)
open_picker(found, found.controls["customer"])
import pandas as pd
frame = pd.DataFrame({"name": ["A", "B"], "email": ["a@example.com", "no address"]})
get_ipython().run_line_magic("stripe", "customers create --from $frame --form")
display(sm.watch("customer"), sm.report("volume", month="2026-09").stripe.plot())
"""


@pytest.fixture
def page(lab_page: Any) -> Iterator[Any]:
    """The page, so tall that all of it is on screen; as it was afterwards."""
    before = lab_page.viewport_size
    lab_page.set_viewport_size({"width": 1300, "height": 30_000})
    lab_page.evaluate(AXE)
    lab_page.evaluate("() => { document.body.style.overflow = 'visible' }")
    yield lab_page
    lab_page.evaluate("() => { document.body.style.overflow = '' }")
    settled(lab_page, THEME, "JupyterLab Light")
    lab_page.set_viewport_size(before)


def faults(page: Any, contrasts: int = 0, buttons: int = 0) -> list[str]:
    """What axe finds. At least so many buttons were looked at, and so many texts compared with what is behind
    them."""
    found = settled(page, RUN, [OUTPUT, LEVELS, bool(contrasts)])
    assert found["contrasts"] >= contrasts, found["contrasts"]
    assert found["buttons"] >= buttons, found["buttons"]
    return list(found["faults"])


def test_every_form(notebook: Any, page: Any) -> None:
    """All controls of all forms have names, roles and size. The colours are the same in each, so every sixth
    stands for their contrast."""
    nb = notebook(FORMS + "show(names[:24])", "show(names[24:]); print('all', 'forms', len(names))")
    nb.sees("all forms 48")
    page.wait_for_function(
        "() => document.querySelectorAll('.sm-form .sm-go').length === 48",
        timeout=150_000,  # all forms at once, beside another worker's browser
    )
    assert faults(page, buttons=300) == []
    page.evaluate(
        "() => document.querySelectorAll('.sm-form').forEach((e, i) => { if (i % 6) e.style.display ="
        " 'none' })"
    )
    assert faults(page, contrasts=250) == []
    settled(page, THEME, "JupyterLab Dark")
    assert faults(page, contrasts=250) == []


def mistake(form: Any, button: str) -> None:
    """A value that isn't possible in a report's form: a link beside the button leads to the field, which is
    marked and tied to the words."""
    zone = form.get_by_label("Time zone", exact=True)
    zone.fill("Mars/Base")
    form.get_by_role("button", name=button, exact=True).click()
    link = form.get_by_role("button", name="Time zone: ")
    link.wait_for()
    assert zone.get_attribute("aria-invalid") == "true"
    note = form.page.locator(f"#{zone.get_attribute('aria-describedby')}")
    assert "Mars/Base" in note.inner_text()
    assert "One value needs correcting" in form.get_by_role("alert").inner_text()
    link.press("Enter")
    zone.and_(form.page.locator(":focus")).wait_for()


def test_tables_cards_and_messages(notebook: Any, page: Any) -> None:
    forms = ["%stripe report mrr --form", "%stripe close --form"]
    wrong = "%stripe customers create --email nobody"
    nb = notebook("%load_ext stripe_magics", CARDS, MESSAGES, *forms, wrong)
    nb.sees("is not an e-mail address (example")
    nb.out.locator(".sm-table tbody tr").first.wait_for()
    nb.out.get_by_role("table", name="What changes").first.wait_for()
    report, close = (
        nb.out.locator(".sm-form", has_text=each).last for each in ("Choose what to", "Month end")
    )
    mistake(close, "Close the books")
    report.get_by_role("button", name="Show", exact=True).click()
    report.get_by_role("group", name="Result").locator("tbody tr").first.wait_for()
    mistake(report, "Show")
    page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert faults(page, contrasts=1000) == []
    settled(page, THEME, "JupyterLab Dark")
    assert faults(page, contrasts=1000) == []
