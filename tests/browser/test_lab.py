"""Forms as people use them, in a real JupyterLab."""

from __future__ import annotations

import json
from typing import Any

import pytest
from browser.conftest import OPEN, settled
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

CANARY = "sk_test_51CanaryCanaryCanary0123456789abcdefXYZ"
COUNT = "print(len([e for e in sm.call('customers.list', limit='all')['email'] if e == 'twice@example.com']))"


def test_create_a_customer(notebook: Any) -> None:
    nb = notebook("sm.form('customers.create')")
    nb.enter("Name", "Jenny Browser")
    nb.enter("Email", "jenny@browser")
    nb.sees("is not an e-mail address")
    nb.enter("Email", "jenny.browser@example.com")
    nb.sees("%stripe customers create --email jenny.browser@example.com")
    nb.press("\u25b8 Address")
    nb.enter("City", "Berlin")
    nb.sees("Address - 1 set")
    nb.press("Create")
    nb.sees("Create a Customer: done. cus_")
    assert (
        nb.python("print(customers_create['address_city'][0], customers_create['name'][0])")
        == "Berlin Jenny Browser"
    )
    saved = nb.save()
    outputs = saved["cells"][1]["outputs"]
    assert [each["output_type"] for each in outputs] == ["display_data", "display_data"]
    assert outputs[0]["data"]["text/plain"] == "%stripe customers create --form"
    assert "jenny.browser@example.com" in outputs[1]["data"]["text/html"], (
        "the result is saved with the notebook"
    )
    assert "request" in outputs[1]["data"]["text/plain"], "and so is its receipt"


def test_a_declined_payment_is_corrected(notebook: Any) -> None:
    nb = notebook(
        "sm.form('payment_intents.create', amount='25.00usd', currency='usd', confirm=True,"
        " off_session=True, payment_method='pm_card_chargeDeclined')"
    )
    nb.sees("= 25.00 USD (2500)")
    nb.press("Create")
    nb.sees("send it?")
    nb.sees("This cannot be undone.")
    nb.press("Yes, create a Payment Intent")
    nb.sees("Card declined - no payment was taken.")
    nb.enter("Payment Method ID", "pm_card_visa")
    nb.press("Create")
    nb.press("Yes, create a Payment Intent")
    nb.sees("Create a Payment Intent: done.")
    assert (
        nb.python("print(payment_intents_create['status'][0], payment_intents_create['amount'][0])")
        == "succeeded 2500"
    )


def test_capture(notebook: Any) -> None:
    nb = notebook(
        "held = sm.call('payment_intents.create', amount=2000, currency='usd', confirm=True,"
        " off_session=True, payment_method='pm_card_visa', capture_method='manual')",
        "sm.form('payment_intents.capture', payment_intent=held['id'][0])",
    )
    nb.field("Amount to Capture").first.fill("15.00usd")
    button = nb.out.get_by_role("button", name="Capture", exact=True).first
    button.hover(position={"x": 8, "y": 3})
    top = button.bounding_box()["y"]
    nb.page.mouse.down()  # leaves the field: its note moves the button away under the pointer
    nb.sees("= 15.00 USD (1500)")
    assert button.bounding_box()["y"] > top + 3
    nb.page.mouse.up()
    nb.sees("20.00 USD, requires_capture")
    nb.press("Yes, capture a Payment Intent")
    nb.sees("Capture a Payment Intent: done.")
    assert nb.python("print(payment_intents_capture['amount_received'][0])") == "1500"


def test_an_update_is_edited_in_place(notebook: Any) -> None:
    """The fields show what Stripe has, which is in no saved state; what is altered is marked, and only that
    is sent."""
    nb = notebook("form = sm.form('customers.update', customer='cus_demoJennyRosen'); form")
    expect(nb.field("Email")).to_have_value("jenny.rosen@example.com")
    expect(nb.field("Name")).to_have_value("Jenny Rosen")
    nb.enter("Phone", "+49 30 1234567")
    nb.sees("1 change; everything else stays as it is.")
    expect(nb.out.locator(".sm-altered")).to_have_count(1)
    nb.press("Clear Description")
    nb.sees("2 changes; everything else stays as it is.")
    expect(nb.field("Description")).to_have_value("")
    nb.enter("Name", "Jenny")
    nb.sees("3 changes; everything else stays as it is.")
    nb.enter("Name", "Jenny Rosen")
    nb.sees("2 changes; everything else stays as it is.")
    expect(nb.field("Name")).to_have_value("Jenny Rosen")
    for empty in ("", "  "):
        nb.enter("Email", empty)
        nb.sees("3 changes; everything else stays as it is.")
        nb.press("Keep Email")
        nb.sees("2 changes; everything else stays as it is.")
    expect(nb.field("Email")).to_have_value("jenny.rosen@example.com")
    nb.sees("2 changes; everything else stays as it is.")
    nb.press("\u25b8 Address")
    expect(nb.field("Line 1")).to_have_value("2 Station Road")
    assert nb.python("print(form.preview().params)") == "(('description', ''), ('phone', '+49 30 1234567'))"
    nb.press("Update")
    nb.sees("Update a Customer: done. cus_demoJennyRosen")
    nb.sees("Nothing changes yet.")
    expect(nb.field("Phone")).to_have_value("+49 30 1234567")
    saved = nb.save()
    state = json.dumps(saved["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"])
    assert "Update a Customer" in state, "this Lab saves widget state"
    assert "2 Station Road" not in state, "what Stripe has of a person is not in the widget state"
    assert "jenny.rosen@example.com" not in state


def test_pick_a_customer_by_email(notebook: Any) -> None:
    nb = notebook("form = sm.form('invoices.create'); form")
    nb.enter("Customer ID *", "jenny.rosen@example.com")
    nb.out.get_by_role("button", name="Find", exact=True).first.click()
    choice = nb.out.get_by_label("Customer ID: choose one", exact=True)
    choice.wait_for()
    assert "Jenny Rosen" in choice.inner_text()
    choice.press("Enter")
    nb.sees("%stripe invoices create --customer cus_demoJennyRosen")
    assert nb.python("print(form.state.values())") == "{'customer': 'cus_demoJennyRosen'}"


def test_keyboard_only(notebook: Any) -> None:
    """Tab and keys alone create a customer; every control has a name in Chromium's accessibility tree."""
    nb = notebook("sm.form('customers.create')")
    keys = nb.page.keyboard
    nb.field("Description").focus()
    keys.press("Tab")
    keys.type("keys@example.com")
    keys.press("Tab")
    keys.type("Only Keys")
    tab_to(nb.page, "\u25b8 Address")
    keys.press("Enter")
    nb.field("City").wait_for()
    tab_to(nb.page, "City")
    keys.type("Bern")
    keys.press("Tab")
    nb.sees("Address - 1 set")
    tab_to(nb.page, "Create")
    keys.press("Space")
    nb.sees("Create a Customer: done.")
    assert (
        nb.python("print(customers_create['email'][0], customers_create['address_city'][0])")
        == "keys@example.com Bern"
    )
    for title in ("Shipping", "Invoice settings", "Further details", "More"):
        nb.out.get_by_role("button", name=f"\u25b8 {title}", exact=True).click()
        nb.out.get_by_role("button", name=f"\u25be {title}", exact=True).wait_for()
    choice = nb.out.locator(".sm-form select:not([multiple]):not([size])").first
    choice.focus()
    cells = nb.page.evaluate("() => window.__nb.content.widgets.length")
    keys.press("ArrowDown")  # JupyterLab's for the next cell, unless it is told otherwise
    assert choice.evaluate("(each) => each.selectedIndex") == 1
    choice.and_(nb.page.locator(":focus")).wait_for()
    nb.out.get_by_role("button", name="Preview request", exact=True).focus()
    keys.type("dd")  # JupyterLab's for the deletion of the cell
    assert nb.page.evaluate("() => window.__nb.content.widgets.length") == cells
    nodes = accessible(nb.page)
    controls = [(role, name) for role, name in nodes if role in {"textbox", "combobox", "listbox", "button"}]
    assert len(controls) > 30
    assert not [role for role, name in controls if not name.strip()], "a control without a name"


def tab_to(page: Any, name: str) -> None:
    """Press Tab until the control of that name has the focus."""
    script = (
        "() => { const a = document.activeElement; return (a.labels?.[0]?.innerText ||"
        " a.getAttribute('aria-label') || a.innerText || '').trim() }"
    )
    for _ in range(60):
        if page.evaluate(script) == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} cannot be reached by Tab")


def accessible(page: Any) -> list[tuple[str, str]]:
    """Role and name of what Chromium tells a screen reader of the form."""
    client = page.context.new_cdp_session(page)
    root = client.send(
        "Runtime.evaluate",
        {"expression": "document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden) .sm-form')"},
    )
    found = client.send("Accessibility.queryAXTree", {"objectId": root["result"]["objectId"]})
    client.detach()
    return [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in found["nodes"]
        if not node.get("ignored")
    ]


def test_a_double_click_creates_once(notebook: Any) -> None:
    nb = notebook("sm.form('customers.create', email='twice@example.com')")
    button = nb.out.get_by_role("button", name="Create", exact=True)
    button.dblclick()
    button.click()
    nb.sees("This was done already.")
    assert nb.python(COUNT) == "1"


def test_names_from_stripe_run_nothing(notebook: Any) -> None:
    """A customer called like a script is text wherever a form shows it."""
    evil = "<img src=x onerror=\\'window.__owned=1\\'>"
    nb = notebook(
        f"evil = '{evil}'; bad = sm.call('customers.create', name=evil, email='evil@example.com',"
        " description=evil)['id'][0]",
        "display(sm.form('customers.update', customer=bad)); display(sm.form('customers.create', name=evil))",
        "form = sm.form('invoices.create', customer='evil@example.com'); form",
    )
    expect(nb.field("Name").first).to_have_value("<img src=x onerror='window.__owned=1'>")
    nb.out.get_by_role("button", name="Find", exact=True).last.scroll_into_view_if_needed()
    nb.python(
        "from stripe_magics.forms.object_picker import open_picker; open_picker(form,"
        " form.controls['customer'])"
    )
    nb.out.get_by_label("Customer ID: choose one", exact=True).press("Enter")
    nb.press("Preview request")
    nb.out.get_by_role("button", name="Create", exact=True).first.click()
    nb.sees("Create a Customer: done.")
    assert nb.page.evaluate("() => window.__owned") is None


def test_a_reload_brings_the_form_back(notebook: Any, lab: Any) -> None:
    nb = notebook("sm.form('customers.update', customer='cus_demoJennyRosen')")
    nb.enter("Phone", "+1 555 0100")
    nb.sees("1 change; everything else stays as it is.")
    nb.save()
    nb.page.reload()
    nb.page.wait_for_function("()=>window.jupyterapp?.restored")
    settled(nb.page, "() => window.jupyterapp.restored.then(() => true)")
    settled(nb.page, OPEN, nb.name)
    nb.sees("1 change; everything else stays as it is.")
    expect(nb.field("Phone")).to_have_value("+1 555 0100")
    nb.press("Update")
    nb.sees("Update a Customer: done.")


def test_a_list_and_its_table(notebook: Any) -> None:
    nb = notebook("sm.form('customers.list')")
    nb.enter("Limit", "3")
    nb.press("List")
    nb.sees("List All Customers: done. 3 rows")
    nb.enter("Limit", "all")
    nb.press("List")
    nb.out.get_by_text("List All Customers: done.").filter(has_not_text="done. 3 rows").wait_for()
    assert int(nb.python("print(len(customers_list))")) > 3


def test_a_key_is_kept_nowhere(notebook: Any, lab: Any) -> None:
    """Typed into the key field with a busy kernel and widget state saved: no file has it."""
    _, root = lab
    nb = notebook(
        "import stripe_magics as sm\nfrom stripe_magics.sandbox import SandboxTransport\nfrom"
        " stripe_magics.forms.connect_widget import ConnectForm\nform ="
        " ConnectForm(transport=SandboxTransport()); form",
        connect=False,
    )
    nb.out.get_by_label("Key from", exact=True).select_option("Paste a key once")
    nb.page.evaluate(HEAR)
    nb.out.get_by_label("Secret key", exact=True).fill("pk_test_51CanaryCanaryCanary0123456789abcdefXYZ")
    nb.press("Connect")
    nb.sees("That is a publishable key")
    nb.page.evaluate(
        "() => { window.__nb.sessionContext.session.kernel.requestExecute({code: 'import time;"
        " time.sleep(1.5)'}) }"
    )
    nb.out.get_by_label("Secret key", exact=True).fill(CANARY)
    nb.press("Connect")
    assert nb.out.get_by_label("Secret key", exact=True).input_value() == ""
    nb.save()  # while the kernel is busy
    assert "Canary" not in nb.file.read_text()
    nb.sees("Connected.")
    nb.sees("sk_test_...fXYZ")
    saved = nb.save()
    settled(nb.page, "() => window.__nb.context.createCheckpoint()")
    assert "Secret key" in json.dumps(saved["metadata"]["widgets"]), "this Lab saves widget state"
    assert nb.page.evaluate("() => window.__heard.length") > 5
    assert not [each for each in nb.page.evaluate("() => window.__heard") if "Canary" in each], (
        "echoed to other tabs"
    )
    assert nb.python("print(form.source.value, sm.current().key_hint)") == "paste sk_test_...fXYZ"
    exported(nb.file)
    leaks = [path for path in root.rglob("*") if path.is_file() and b"CanaryCanary" in path.read_bytes()]
    assert not leaks


HEAR = """() => {
  window.__heard = [];
  window.__nb.sessionContext.session.kernel.anyMessage.connect((_, each) => {
    if (each.direction === 'recv') window.__heard.push(JSON.stringify(each.msg));
  });
}"""


def exported(file: Any) -> None:
    """The notebook as an HTML page, beside it."""
    from nbconvert import HTMLExporter

    body, _ = HTMLExporter(embed_images=False).from_filename(str(file))
    file.with_suffix(".html").write_text(body)


def test_running_a_cell_again_leaves_no_models(notebook: Any) -> None:
    """The form that a cell showed before is closed when the cell runs again; two forms of one run stay
    both."""
    nb = notebook(
        "for name in ('One', 'Two'): display(sm.form('customers.create', name=name))",
        "sm.form('customers.create')",
    )
    count = "from ipywidgets.widgets import widget; print(len(widget._instances))"
    expect(nb.out.locator(".sm-form")).to_have_count(3)
    first = int(nb.python(count))
    nb.run_all()
    expect(nb.out.locator(".sm-form")).to_have_count(3)
    assert int(nb.python(count)) == first


def test_a_form_whose_kernel_was_restarted_says_so_and_cannot_be_pressed(notebook: Any) -> None:
    nb = notebook("sm.form('customers.create', name='Jenny')", "display(sm.form('refunds.create'))")
    expect(nb.out.locator(".sm-form")).to_have_count(2)
    expect(nb.out.locator(".sm-lifeless")).to_have_count(0)
    settled(nb.page, "() => window.__nb.sessionContext.session.kernel.restart()")
    expect(nb.out.locator(".sm-lifeless")).to_have_count(2)
    first = nb.out.locator(".sm-form").first
    expect(first.get_by_role("alert").first).to_contain_text(
        "nothing can be sent from it. Run its cell again"
    )
    expect(first.get_by_role("button", name="Create", exact=True)).to_be_disabled()
    expect(first.get_by_label("Name", exact=True).first).to_be_disabled()
    expect(first.get_by_role("button", name="Copy", exact=True)).to_be_enabled()
    nb.run_all()
    expect(nb.out.locator(".sm-lifeless")).to_have_count(0)
    expect(nb.out.get_by_role("button", name="Create", exact=True).first).to_be_enabled()
