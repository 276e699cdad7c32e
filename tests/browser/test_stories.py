"""What people do all day, from one cell on: nothing is typed into a second one."""

from __future__ import annotations

import json
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
    shade = first.locator("td span").evaluate("badge => getComputedStyle(badge).backgroundColor")
    assert shade == "rgb(252, 237, 185)", "the state is a badge, amber"
    first.press("Space")  # a row is reached and selected by keyboard
    nb.press("Capture")
    nb.sees("Capture a Payment Intent")
    with nb.page.expect_download() as saved:
        table.get_by_role("button", name="CSV").click()
    lines = saved.value.path().read_text(encoding="utf-8-sig").split()
    assert lines[0].startswith('"id","amount","status"')
    assert "pi_demoCapture" in lines[1], "what is filtered is what is exported"
    assert 'USD","requires_capture","Consulting"' in " ".join(lines), "a badge is exported as its text"
    table.get_by_role("searchbox").first.fill("background")
    expect(table.get_by_text("filtered from 300 total entries")).to_contain_text("0 to 0 of 0")
    table.get_by_role("searchbox").first.fill("")
    expect(table.get_by_text("Showing 1 to 10 of 300 entries")).to_be_visible()
    least = nb.python(
        "print(sm.call('payment_intents.list', limit=300)['amount'].nsmallest(10).div(100).round(2).tolist())"
    )
    table.locator("thead th", has_text="amount").locator("button").first.click()
    expect(table.locator("tbody tr td:nth-child(2)")).to_contain_text(
        [f"{each:,.2f}" for each in json.loads(least)], timeout=60_000
    )


def test_operations_finds_failed_payouts_and_disputes_and_opens_what_to_do(notebook: Any) -> None:
    nb = notebook(
        LOAD
        + "\nfailed = sm.call('payouts.list', status='paid', limit=1)['id'][0]"
        + "\nsm.call('api.call', url=f'/v1/test_helpers/payouts/{failed}/fail', method='POST')"
        + "\n%stripe today"
    )
    nb.sees("Payouts that failed in the last 30 days")
    nb.sees("The bank could not process this payout.")
    waiting = nb.field("What to do about")
    waiting.select_option(label_of(waiting, "could not process"))
    nb.press("Show card")
    nb.press("Pay out again")
    nb.sees("Create a Payout")
    amount = nb.python(
        "f = sm.call('payouts.retrieve', payout=failed); print(f['amount'][0], '--currency',"
        " f['currency'][0])"
    )
    nb.sees(f"%stripe payouts create --amount {amount}")
    waiting.select_option(label_of(waiting, "days left (needs response)"))
    nb.press("Send evidence")
    nb.sees("Disputes: Update")
    nb.enter("Uncategorized text", "It was delivered on 3 October.")
    nb.press("Refresh")
    expect(nb.out.locator(".sm-form")).to_have_count(0)


def label_of(choices: Any, words: str) -> str:
    """The option of a list that has the words in it."""
    option = choices.locator("option", has_text=words).first
    option.wait_for(state="attached")
    return str(option.text_content())


TWENTY_CUSTOMERS = """
%load_ext stripe_magics
ids = sm.call("customers.list", limit=20)["id"]
rows = [f"{id},{each}@example.com,Customer {each}" for each, id in enumerate(ids)]
rows[6], rows[15] = f"{ids[6]},no address,Customer 6", f"{ids[15]},15@example,Customer 15"
open("people.csv", "w").write("\\n".join(["customer,e-mail,name", *rows]))
%stripe customers update --from people.csv --form
"""


def test_twenty_customers_from_a_file_with_two_faults(notebook: Any, lab: Any) -> None:
    nb = notebook(TWENTY_CUSTOMERS)
    nb.sees("20 rows of people.csv, one call each.")
    nb.press("Send 20 rows")
    nb.sees("2 cells need correcting. Nothing was sent.")
    nb.enter("Row 7: e-mail", "6@example.com")
    nb.enter("Row 16: e-mail", "15@example.com")
    nb.press("Send 20 rows")
    nb.press("Yes, send 20 calls")
    nb.sees("20 done")
    nb.sees("The result of each row is in people-result.csv.")
    assert nb.python("print(sm.call('customers.retrieve', customer=ids[15])['email'][0])") == "15@example.com"
    result = (lab[1] / "people-result.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(result) == 21
    assert "6@example.com" in result[7]


MOODY = """
import httpx, stripe_magics as sm
from stripe_magics.sandbox import SandboxTransport
from stripe_magics.forms.connect_widget import ConnectForm
class Stripe(httpx.BaseTransport):
    "Stripe, which knows one key, at the end of a line that can be cut."
    def __init__(self):
        self.account, self.cut = SandboxTransport(demo=False), False
    def handle_request(self, request):
        if self.cut:
            raise httpx.ConnectError("[Errno -3] Temporary failure in name resolution", request=request)
        if "RightRightRight" not in request.headers["Authorization"]:
            error = {"type": "invalid_request_error", "message": "Invalid API Key provided"}
            return httpx.Response(401, json={"error": error})
        return self.account.handle_request(request)
stripe = Stripe()
ConnectForm(transport=stripe)
"""


def test_a_mistyped_key_a_lost_network_and_a_connection(notebook: Any) -> None:
    nb = notebook(MOODY, connect=False)
    nb.field("Key from").select_option("Paste a key once")
    key = nb.field("Secret key")
    key.fill("pk_test_51RightRightRightRightRight0123456789")
    nb.press("Connect")
    nb.sees("That is a publishable key")
    key.fill("sk_test_51WrongRightWrongRightRight0123456789")
    key.press("Enter")
    nb.sees("Stripe did not accept the key")
    nb.python("stripe.cut = True")
    key.fill("sk_test_51RightRightRightRightRight0123456789")
    key.press("Enter")
    nb.sees("no connection")
    nb.python("stripe.cut = False")
    key.fill(" sk_test_51RightRightRightRightRight0123456789 ")
    key.press("Enter")
    nb.sees("Connected.")
    assert nb.python("print(sm.current().mode, len(sm.call('customers.list')))") == "test 0"


CURL = r"""%%stripe --dry-run
curl https://api.stripe.com/v1/customers \
  -u "$STRIPE_KEY:" \
  -d name="Jenny Rosen" \
  --data-urlencode email=jenny.curl@example.com \
  -d "metadata[order]"=6735"""


def test_an_engineer_turns_a_curl_line_into_a_form(notebook: Any) -> None:
    nb = notebook(LOAD, CURL)
    nb.sees("POST /v1/customers")
    nb.sees("metadata[order] = 6735")
    nb.press("Open as a form")
    expect(nb.field("Email")).to_have_value("jenny.curl@example.com")
    nb.enter("Phone", "+49 30 1234567")
    nb.press("Create")
    nb.sees("Create a Customer: done. cus_")
    assert (
        nb.python(
            "print(sm.call('customers.list', email='jenny.curl@example.com')[['phone',"
            " 'name']].values.tolist())"
        )
        == "[['+49 30 1234567', 'Jenny Rosen']]"
    )
