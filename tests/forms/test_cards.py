"""Cards: an object by whatever people know of it, its story in order, what can be done next; today's page;
the start card."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from each_row import each_row

import stripe_magics as sm
from stripe_magics.client.connection import Connection
from stripe_magics.errors import NotFound
from stripe_magics.forms import html, object_card, start_card, today
from stripe_magics.forms.amount_source import payer
from stripe_magics.forms.card_widget import caller, card_html
from stripe_magics.forms.object_search import is_object
from stripe_magics.forms.stories import READERS, Entry, Story, story_of
from stripe_magics.sandbox import SandboxTransport


def paid(amount: int = 16900) -> str:
    made = sm.call(
        "payment_intents.create",
        amount=amount,
        currency="usd",
        customer="cus_demoJennyRosen",
        payment_method="pm_card_visa",
        confirm=True,
        return_url="https://example.com",
        again=True,
    )
    return str(made["id"].iloc[0])


@each_row(
    ("text", "named"),
    [
        ("cus_demoJennyRosen", True),
        ("pi_3MtwBwLkdIwHu7ix28a3tqPa", True),
        ("https://dashboard.stripe.com/test/payments/pi_3MtwBwLkdIwHu7ix28a3tqPa", True),
        ("jenny.rosen@example.com", True),
        ("023YNT1C-0024", True),
        ("customers", False),
        ("customers list", False),
        ("today", False),
        ("foo_bar", False),
        ("", False),
        ("@", False),
    ],
)
def test_a_line_that_names_an_object(text: str, named: bool) -> None:
    assert is_object(text) is named


def test_a_payment_tells_its_story_in_order(sandbox: Connection) -> None:
    payment = paid()
    sm.call("refunds.create", payment_intent=payment, amount="9.99usd", reason="requested_by_customer")
    card = object_card(payment)
    story = card.story
    assert story.title == "169.00 USD"
    assert story.status == "succeeded"
    assert dict(story.facts)["Customer"] == "Jenny Rosen (cus_demoJennyRosen)"
    assert dict(story.facts)["Refunded"] == "9.99 USD"
    texts = [each.text for each in story.entries]
    assert "9.99 USD refunded: requested by customer" in texts
    assert "169.00 USD paid with Visa 4242" in texts
    times = [each.time for each in story.entries]
    assert times == sorted(times, reverse=True)
    assert [each.label for each in story.actions] == ["Refund"]


def test_a_decline_says_why(sandbox: Connection) -> None:
    with pytest.raises(sm.CardDeclined) as declined:
        sm.call(
            "payment_intents.create",
            amount=2000,
            currency="usd",
            payment_method="pm_card_chargeDeclinedInsufficientFunds",
            confirm=True,
            return_url="https://example.com",
        )
    assert declined.value
    payment = str(sm.call("payment_intents.list", limit=1)["id"].iloc[0])
    story = object_card(payment).story
    assert any("declined" in each.text and "insufficient" in each.text for each in story.entries)
    assert [each.label for each in story.actions] == ["Cancel"]


@pytest.mark.parametrize("text", ["jenny.rosen@example.com", "cus_demoJennyRosen"])
def test_a_customer_by_mail_and_by_id(sandbox: Connection, text: str) -> None:
    story = object_card(text).story
    assert (story.kind, story.id, story.title) == ("customer", "cus_demoJennyRosen", "Jenny Rosen")
    assert {"Edit", "New invoice"} <= {each.label for each in story.actions}
    assert any(each.text.startswith("Invoice ") for each in story.entries)


def test_an_invoice_by_its_number(sandbox: Connection) -> None:
    invoices = sm.call("invoices.search", limit=20)
    number = str(invoices["number"].dropna().iloc[0])
    assert object_card(number).story.title.startswith(number)


def test_what_nothing_has_is_said(sandbox: Connection) -> None:
    with pytest.raises(NotFound, match="nobody@example.com"):
        object_card("nobody@example.com")


@pytest.mark.parametrize("kind", sorted(READERS))
def test_every_story_asks_at_most_four_times(sandbox: Connection, kind: str) -> None:
    from stripe_magics.forms.card_widget import caller

    module = {"payment_intent": "payment_intents", "invoice": "invoices"}.get(kind, f"{kind}s")
    name = "invoices.search" if kind == "invoice" else f"{module}.list"
    row = sm.call(name, limit=1)
    get, asked = caller(sandbox), []

    def counting(path: str) -> Any:
        asked.append(path)
        return get(path)

    # the newest has no story yet
    identity = str(row["id"].iloc[0]) if kind != "customer" else "cus_demoJennyRosen"
    story = story_of(kind, identity, counting)
    assert story.entries
    assert len(asked) <= 4


def test_the_card_opens_the_form_that_is_next(sandbox: Connection) -> None:
    payment = paid(5000)
    card = object_card(payment)
    form = card.open("Refund").fill(amount="20.00")
    assert form.submit(confirm=True)["amount"].tolist() == [2000]
    assert "20.00 USD refunded" in repr(object_card(payment))
    card.close()


def test_nothing_from_stripe_is_run_or_read_as_mathematics(sandbox: Connection) -> None:
    made = sm.call("customers.create", name="<img src=x onerror=alert(1)> $5 to $6")
    shown = object_card(str(made["id"].iloc[0]))._repr_html_()
    assert "<img" not in shown
    assert "mathjax_ignore" in shown


def payments_in_dollars(page: str) -> tuple[int, float]:
    """How many succeeded today, and over how much."""
    count, total = re.search(r"(\d+) payments? over (?:[^\n]*, )?([\d,.]+) USD \[succeeded\]", page).groups()
    return int(count), float(total.replace(",", ""))


def test_today_is_the_sandboxs_day(sandbox: Connection) -> None:
    before = repr(today())
    paid(2500)
    page = today()
    text = repr(page)
    assert page.day.startswith("Monday, 02 November 2026"), "the sandbox has a clock of its own"
    charged = sm.call("charges.list", created="2026-11-02").query(
        "status == 'succeeded' and currency == 'usd'"
    )
    total = int(charged["amount"].sum())
    assert f" over {(total - 2500) / 100:,.2f} USD [succeeded]" in before
    assert f"{len(charged)} payments over {total / 100:,.2f} USD [succeeded]" in text
    assert "available" in text
    assert "Invoices past due" in text
    assert [each.title for each in page.sections][0] == "Balance"


def test_a_dispute_says_on_its_last_day_until_when(
    sandbox: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = sm.call("disputes.list", limit=100).query("status == 'needs_response'")
    due = frame["evidence_details_due_by"].min().timestamp()

    def said(before: float) -> str:
        monkeypatch.setattr(sandbox, "stripe_time", lambda: due - before)
        return next(line for line in repr(today()).splitlines() if frame["id"].iloc[-1] in line)

    assert ", 2 days left [" in said(2.5 * 86400)
    assert ", 1 day left [" in said(86400 + 60)
    assert re.search(r", due tomorrow at \d\d:\d\d \[", said(86400 - 60))
    assert re.search(r", due today at \d\d:\d\d \[", said(60))
    assert ", overdue [" in said(-60)


def test_a_key_that_may_not_read_one_list_has_its_day_all_the_same() -> None:
    from stripe_magics.client.secret import Secret
    from stripe_magics.client.shared_connection import connect

    def answer(request: httpx.Request) -> httpx.Response:
        if "disputes" in request.url.path:
            error = {"type": "invalid_request_error", "message": "This key may not read disputes."}
            return httpx.Response(403, json={"error": error})
        if request.url.path == "/v1/balance":
            return httpx.Response(
                200,
                json={
                    "object": "balance",
                    "livemode": False,
                    "available": [{"amount": 5, "currency": "usd"}],
                },
            )
        if request.url.path == "/v1/account":
            return httpx.Response(200, json={"object": "account", "id": "acct_1"})
        return httpx.Response(200, json={"object": "list", "data": [], "has_more": True})

    connect(secret=Secret("sk_test_51" + "a" * 90), transport=httpx.MockTransport(answer))
    page = today()
    disputes = next(each for each in page.sections if "Disputes" in each.title)
    assert disputes.note.startswith("Could not be read")
    payments = next(each for each in page.sections if "Payments today" in each.title)
    assert "there are more" in payments.note


def test_the_start_card_searches_and_opens(sandbox: Connection) -> None:
    from stripe_magics.forms import module_form

    opened: list[str] = []

    def open_line(line: str) -> Any:
        opened.append(line)
        return module_form(line.replace(" ", "."))

    card = start_card(
        lambda words: [("refunds create", "Create a Refund")] if "back" in words else [], open_line
    )
    card.words.value = "give money back"
    assert [each.description for each in card.results.children] == ["Create a Refund  (refunds create)"]
    card.results.children[0].click()
    assert opened == ["refunds create"]
    assert card.slot.children[0] is card.opened
    card.words.value = "no such thing"
    assert "Nothing found" in card.status.value
    card.close()


def test_objects_that_lack_what_they_usually_have_are_shown_all_the_same() -> None:
    """An answer with fields missing or odd is a poorer page, never a Python error."""
    from stripe_magics.client.secret import Secret
    from stripe_magics.client.shared_connection import connect

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/account":
            return httpx.Response(200, json={"object": "account", "id": "acct_1"})
        if request.url.path == "/v1/balance":
            found = {"object": "balance", "available": [{"amount": 5}, {"currency": "usd"}], "pending": None}
            return httpx.Response(200, json=found)
        rows = [
            {"id": "x_1", "object": "thing", "status": "needs_response", "due_date": 5, "created": None},
            {"id": "x_2"},
        ]
        return httpx.Response(200, json={"object": "list", "data": rows, "has_more": False})

    connect(secret=Secret("sk_test_51" + "a" * 90), transport=httpx.MockTransport(answer))
    page = today()
    assert [each.title for each in page.sections][:2] == ["Balance", "Payments today"]
    assert page._repr_html_()


def test_a_journal_that_cant_be_used_costs_its_section_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    from stripe_magics.client.secret import Secret
    from stripe_magics.client.shared_connection import connect

    (tmp_path / "taken").write_text("a file where the folder should be")
    monkeypatch.setenv("STRIPE_MAGICS_STATE_DIR", str(tmp_path / "taken"))
    connect(secret=Secret("sk_test_51" + "a" * 90), transport=SandboxTransport(demo=False))
    last = today().sections[-1]
    assert last.title == "Writes with an unknown outcome"
    assert "the journal of writes can't be used" in last.note


def test_the_parts_of_a_card_open_their_own_card_and_what_can_be_done(sandbox: Connection) -> None:
    payment = paid()
    card = object_card("cus_demoJennyRosen")
    card.buttons()
    assert card.parts is not None
    assert card.parts.choose(payment) == ["Show card", "Refund"]
    form = card.parts.press("Refund")
    assert form.state.values()["payment_intent"] == payment
    below = card.parts.press("Show card")
    assert below.story.title == "169.00 USD"
    assert [each.label for each in below.story.actions] == ["Refund"]
    assert card.parts.choose("") == []
    assert card.form is None
    card.close()


def test_what_waits_today_opens_and_the_page_is_read_again(sandbox: Connection) -> None:
    failed = sm.call("payouts.list", status="paid", limit=1)["id"][0]
    page = today()
    assert failed not in [each.id for each in page.parts.parts]
    sm.call("api.call", url=f"/v1/test_helpers/payouts/{failed}/fail", method="POST")
    page.refresh()
    assert page.parts.choose(failed) == ["Show card"]
    card = page.parts.press("Show card")
    assert [each.label for each in card.story.actions] == ["Pay out again"]
    dispute = next(each for each in page.parts.parts if each.status == "needs_response")
    page.parts.choose(dispute.id)
    form = page.parts.press("Send evidence")
    assert "Uncategorized text" in [
        each.widget.description for each in form.controls.values() if hasattr(each.widget, "description")
    ]
    page.close()


def test_a_key_in_what_stripe_has_is_on_no_card(sandbox: Connection) -> None:
    key = "sk_live_" + "51Canary" * 6
    elsewhere = httpx.Client(
        transport=sandbox.sandbox, base_url="https://api.stripe.com", auth=("sk_test_somebody", "")
    )  # ours takes no key in a field
    made = elsewhere.post("/v1/customers", data={"name": f"Jenny {key}", "description": key}).json()["id"]
    elsewhere.post("/v1/invoices", data={"customer": made, "description": key})
    card = object_card(made)
    shown = [card._repr_html_(), repr(card), html.card("good", f"a {key}", [key, f"b {key}"], details=[key])]
    assert all("51Canary" not in each for each in shown)
    assert "Jenny (key hidden)" in card._repr_html_()


def test_a_name_that_turns_the_direction_of_writing_turns_no_amount(sandbox: Connection) -> None:
    made = sm.call("customers.create", name="Jenny \u202eneppU \u2067")["id"][0]
    card = object_card(made)
    assert "Jenny \\u202eneppU \\u2067" in card._repr_html_()
    assert payer({"customer": {"name": "A\u202eB"}}) == "A\\u202eB"
    assert payer({"customer": {"name": "\u0645\u0631\u062d\u0628\u0627"}}) == "\u0645\u0631\u062d\u0628\u0627"


def test_a_state_has_one_colour_everywhere() -> None:
    from stripe_magics._status_colours import STATES
    from stripe_magics.forms.card_widget import status_badge
    from stripe_magics.magics.status_badges import state

    for word, (back, front) in STATES.items():
        for shown in (status_badge(word), state(word)):
            assert f"background:{back};color:{front}" in shown


def test_a_button_is_red_for_what_is_judged_to_destroy() -> None:
    from stripe_magics import catalogue
    from stripe_magics.forms import html

    for name in (
        "subscriptions.cancel",
        "credit_notes.void_credit_note",
        "disputes.close",
        "coupons.delete",
        "invoices.void",
    ):
        assert html.destroys(catalogue.find(name)), name
    for name in ("customers.create", "refunds.create", "test_helpers.refunds.expire"):
        assert not html.destroys(catalogue.find(name)), name


def test_an_invoice_in_the_newer_shape_has_its_payments(sandbox: Connection) -> None:
    """Since 2025-03-31 an invoice names no payment intent: its payments are objects of their own."""
    identity = str(sm.call("invoices.list", status="paid", limit=1)["id"].iloc[0])
    get = caller(sandbox)

    def newer(path: str) -> Any:
        found = get(path)
        if path.startswith(f"/v1/invoices/{identity}"):
            found = {
                key: value for key, value in found.items() if key not in {"payment_intent", "charge", "paid"}
            }
        return found

    story = story_of("invoice", identity, newer)
    assert [each.id for each in story.entries if each.id.startswith("ch_")]
    assert story.entries == story_of("invoice", identity, get).entries


def test_a_column_is_no_value_of_a_form(sandbox: Connection) -> None:
    import pandas as pd

    for value in (pd.Series(["a", "b"]), pd.DataFrame({"a": [1]})):
        with pytest.raises(sm.InvalidValue, match=r"a (Series|DataFrame) is given; a form takes one value"):
            sm.form("customers.create", name=value)


def test_a_long_story_is_folded_but_for_what_waits() -> None:
    connection = sm.connect(sandbox=True)
    entries = [Entry(1_790_000_000 - n, f"Entry {n}", "succeeded", f"pi_{n}") for n in range(60)]
    entries[40] = Entry(entries[40].time, "Entry 40", "needs_response", "du_40")
    story = Story("customer", "cus_1", "Jenny", entries=entries)
    seen, folded = card_html(story, connection).split("<details>")
    assert folded.startswith("<summary>47 earlier</summary>")
    assert [each for each in range(60) if f">Entry {each}<" in seen] == [*range(12), 40]
    assert f">Entry {59}<" in folded
    assert "<details>" not in card_html(Story("customer", "cus_1", "Jenny", entries=entries[:14]), connection)


class Disputes(httpx.BaseTransport):
    """An account with many disputes; every third one needs an answer."""

    def __init__(self, count: int) -> None:
        self.sandbox, self.asked = SandboxTransport(demo=False), 0
        self.all = [
            {
                "id": f"du_{n:05}", "object": "dispute", "amount": 100, "currency": "usd",
                "reason": "general", "status": "won" if n % 3 else "needs_response",
                "created": 1_790_000_000 - n,
                "evidence_details": {"due_by": 4_000_000_000 - 86_400 * n},
            }
            for n in range(count)
        ]  # fmt: skip

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/v1/disputes":
            return self.sandbox.handle_request(request)
        self.asked += 1
        after = request.url.params.get("starting_after")
        begin = 1 + next(n for n, each in enumerate(self.all) if each["id"] == after) if after else 0
        page = self.all[begin : begin + int(request.url.params["limit"])]
        more = begin + len(page) < len(self.all)
        return httpx.Response(
            200, json={"object": "list", "data": page, "has_more": more, "url": "/v1/disputes"}
        )


@pytest.mark.parametrize(("count", "asked", "waiting"), [(20, 1, 7), (250, 3, 84), (5000, 5, 167)])
def test_many_disputes_are_counted_and_the_most_urgent_come_first(
    count: int, asked: int, waiting: int
) -> None:
    disputes = Disputes(count)
    from stripe_magics.client.secret import Secret
    from stripe_magics.client.shared_connection import connect

    connect(secret=Secret("sk_test_51" + "a" * 90), transport=disputes)
    page = today()
    section = next(each for each in page.sections if each.title == "Disputes that need an answer")
    lines = [each for each in section.lines if each.id]
    assert disputes.asked == asked
    assert lines[0].id == f"du_{3 * (waiting - 1):05}", "the one that is due first"
    assert len(lines) == min(waiting, 8)
    assert ("Only the newest 500 were read" in section.note) == (count == 5000)
    if waiting > 8:
        assert section.lines[0].text == f"{waiting} disputes over {waiting}.00 USD, the most urgent first:"
