"""Lists, search, expansion. The numbers are those of the sandbox's specification."""

from __future__ import annotations

import pytest

from .conftest import DAY


@pytest.fixture
def customers(call, sandbox) -> list[dict]:
    """Fifteen customers, five a day on three days; oldest first."""
    made = []
    for place in range(15):
        made.append(
            call(
                "POST /v1/customers",
                {"email": f"{place % 3}@example.com", "name": f"Name {place}", "metadata[n]": str(place)},
            )
        )
        if place % 5 == 4:
            sandbox.advance(DAY)
    return made


def ids(objects) -> list[str]:
    return [each["id"] for each in objects]


def test_10_newest_first_ten_at_a_time(call, customers) -> None:
    page = call("GET /v1/customers")
    assert (page["object"], page["url"], page["has_more"]) == ("list", "/v1/customers", True)
    assert ids(page["data"]) == ids(customers[::-1][:10])
    rest = call("GET /v1/customers", starting_after=page["data"][-1]["id"])
    assert (ids(rest["data"]), rest["has_more"]) == (ids(customers[4::-1]), False)
    back = call("GET /v1/customers", ending_before=rest["data"][0]["id"], limit=3)
    assert (ids(back["data"]), back["has_more"]) == (ids(page["data"][7:]), True)
    assert call("GET /v1/customers", ending_before=page["data"][0]["id"])["data"] == []


def test_10_cursors_walk_every_row_once(call, customers) -> None:
    assert ids(call.every("/v1/customers")) == ids(customers[::-1])
    found, cursor = [], None
    while True:
        page = call("GET /v1/customers", limit=4, starting_after=cursor)
        found += ids(page["data"])
        if not page["has_more"]:
            break
        cursor = found[-1]
    assert found == ids(customers[::-1])


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten"])
def test_10_limits(call, limit) -> None:
    error = call.refused("GET /v1/customers", limit=limit)
    assert (error["status"], error["param"]) == (400, "limit")


def test_10_both_cursors_are_refused(call, customers) -> None:
    error = call.refused(
        "GET /v1/customers", starting_after=customers[0]["id"], ending_before=customers[1]["id"]
    )
    assert error["status"] == 400


def test_11_ranges(call, customers) -> None:
    first, last = customers[0]["created"], customers[-1]["created"]
    middle = customers[5]["created"]
    assert ids(call.every("/v1/customers", created=middle)) == ids(customers[9:4:-1])
    assert ids(call.every("/v1/customers", **{"created[gt]": first, "created[lt]": last})) == ids(
        customers[9:4:-1]
    )
    assert len(call.every("/v1/customers", **{"created[gte]": first, "created[lte]": last})) == 15
    assert call.every("/v1/customers", **{"created[gt]": last}) == []


def test_12_filters(call, sandbox) -> None:
    one, two = (call("POST /v1/customers", email=email)["id"] for email in ("a@x.com", "A@x.com"))
    assert ids(call.every("/v1/customers", email="a@x.com")) == [one]
    mine = call.intent(customer=one, method="pm_card_bypassPending")
    other = call.intent(customer=two, method="pm_card_bypassPending", currency="eur")
    assert ids(call.every("/v1/payment_intents", customer=one)) == [mine["id"]]
    refund = call("POST /v1/refunds", payment_intent=mine["id"], amount=100)
    assert ids(call.every("/v1/refunds", charge=mine["latest_charge"])) == [refund["id"]]
    assert ids(call.every("/v1/refunds", payment_intent=mine["id"])) == [refund["id"]]
    assert call.every("/v1/refunds", payment_intent=other["id"]) == []
    assert {each["type"] for each in call.every("/v1/balance_transactions", currency="usd")} == {
        "charge",
        "refund",
    }
    assert ids(call.every("/v1/balance_transactions", type="refund")) == [refund["balance_transaction"]]
    assert ids(call.every("/v1/balance_transactions", source=refund["id"])) == [refund["balance_transaction"]]
    payout = call("POST /v1/payouts", amount=500, currency="usd")
    assert ids(call.every("/v1/payouts", status="pending")) == [payout["id"]]
    assert call.every("/v1/payouts", status="paid") == []
    assert ids(call.every("/v1/payouts", destination=payout["destination"])) == [payout["id"]]
    assert ids(call.every("/v1/payouts", **{"arrival_date[gte]": payout["arrival_date"]})) == [payout["id"]]
    # a value that Stripe's filter doesn't know
    assert ids(call.every("/v1/payouts", status="in_transit")) == [payout["id"]]


def test_12_filters_of_invoices_and_items(call) -> None:
    one, two = (call("POST /v1/customers")["id"] for _ in range(2))
    waiting = call("POST /v1/invoiceitems", customer=one, amount=100, currency="usd")
    draft = call("POST /v1/invoices", customer=two, collection_method="send_invoice", days_until_due=5)
    placed = call("POST /v1/invoiceitems", customer=two, amount=100, currency="usd", invoice=draft["id"])
    auto = call("POST /v1/invoices", customer=one)
    assert ids(call.every("/v1/invoiceitems", pending=True)) == [waiting["id"]]
    assert ids(call.every("/v1/invoiceitems", pending=False)) == [placed["id"]]
    assert ids(call.every("/v1/invoiceitems", invoice=draft["id"])) == [placed["id"]]
    assert ids(call.every("/v1/invoiceitems", customer=one)) == [waiting["id"]]
    assert ids(call.every("/v1/invoices", customer=two, status="draft")) == [draft["id"]]
    assert ids(call.every("/v1/invoices", collection_method="charge_automatically")) == [auto["id"]]
    assert ids(call.every("/v1/invoices", **{"due_date[gt]": 1})) == [draft["id"]]
    assert call.every("/v1/invoices", status="open") == []


def test_12_filters_of_events(call) -> None:
    call.intent()
    assert {each["type"] for each in call.every("/v1/events", type="charge.*")} == {"charge.succeeded"}
    found = {
        each["type"]
        for each in call.every("/v1/events", **{"types[]": ["charge.succeeded", "payment_intent.created"]})
    }
    assert found == {"charge.succeeded", "payment_intent.created"}
    assert call.refused("GET /v1/events", {"type": "charge.*", "types[]": ["x"]})["param"] == "types"
    assert (
        call.refused("GET /v1/events", {"types[]": [f"a.{place}" for place in range(21)]})["param"] == "types"
    )


# search


def test_14_search(call, customers) -> None:
    page = call(
        "GET /v1/customers/search", query='email:"0@EXAMPLE.com"', limit=2, **{"expand[]": "total_count"}
    )
    assert (page["object"], page["url"], page["has_more"], page["total_count"]) == (
        "search_result",
        "/v1/customers/search",
        True,
        5,
    )
    more = call("GET /v1/customers/search", query='email:"0@EXAMPLE.com"', limit=3, page=page["next_page"])
    assert more["next_page"] is None
    assert ids(page["data"] + more["data"]) == ids(customers[12::-3])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('name:"name 3"', [3]),
        ("name:'Name 3'", [3]),
        ('name~"ame 1"', [14, 13, 12, 11, 10, 1]),
        ('metadata["n"]:"7"', [7]),
        ('metadata["n"]:"7" OR metadata["n"]:"9"', [9, 7]),
        ('email:"1@example.com" AND -metadata["n"]:"4" AND name~"Name 1"', [13, 10, 1]),
        ('email:"1@example.com" name~"Name 1"', [13, 10, 1]),
        ("phone:null AND name:'name 2'", [2]),
        ("-phone:null", []),
        ('metadata["missing"]:null name:"Name 2"', [2]),
        (r'name:"Name \"3\""', []),
    ],
)
def test_15_the_query_language(call, customers, query, expected) -> None:
    found = call("GET /v1/customers/search", query=query, limit=100)["data"]
    assert [int(each["metadata"]["n"]) for each in found] == expected


def test_15_numbers(call, customers) -> None:
    middle = customers[5]["created"]
    for query, count in (
        ("created>{}", 5),
        ("created>={}", 10),
        ("created<{}", 5),
        ("created<={}", 10),
        ("created:{}", 5),
        ("created:'{}'", 5),
    ):
        assert len(call("GET /v1/customers/search", query=query.format(middle), limit=100)["data"]) == count


@pytest.mark.parametrize(
    "query",
    [
        "jenny", "email:", 'email:"a" AND name:"b" OR phone:"c"', 'color:"red"', 'name~"ab"', 'name>"a"',
        '(name:"abc")', "metadata:'x'",
        'email["x"]:"y"', " OR ".join(f'name:"{place}"' for place in range(11)), 'created>"soon"',
        'name:"open',
    ],
)  # fmt: skip
def test_15_bad_queries(call, query) -> None:
    error = call.refused("GET /v1/customers/search", query=query)
    assert (error["status"], error["param"]) == (400, "query")


def test_16_other_searches(call) -> None:
    customer = call("POST /v1/customers")["id"]
    intent = call.intent(2500, customer=customer, **{"metadata[order]": "7"})
    assert ids(
        call("GET /v1/payment_intents/search", query=f'customer:"{customer}" amount>2000 status:"succeeded"')[
            "data"
        ]
    ) == [intent["id"]]
    call("POST /v1/invoiceitems", customer=customer, amount=100, currency="usd")
    invoice = call("POST /v1/invoices", customer=customer, pending_invoice_items_behavior="include")
    assert ids(call("GET /v1/invoices/search", query='status:"draft" AND total:100')["data"]) == [
        invoice["id"]
    ]
    assert ids(
        call("GET /v1/charges/search", query='payment_method_details.card.last4:"4242" refunded:"false"')[
            "data"
        ]
    ) == [intent["latest_charge"]]


# expand


def test_18_expand(call) -> None:
    customer = call("POST /v1/customers", name="Jenny")
    intent = call.intent(customer=customer["id"])
    full = call(
        f"GET /v1/payment_intents/{intent['id']}",
        {"expand[]": ["customer", "latest_charge.balance_transaction", "payment_method"]},
    )
    assert full["customer"]["name"] == "Jenny"
    assert full["latest_charge"]["balance_transaction"]["fee"] == 88
    assert full["payment_method"]["card"]["last4"] == "4242"
    assert call(f"GET /v1/payment_intents/{intent['id']}")["customer"] == customer["id"]
    page = call("GET /v1/payment_intents", {"expand[]": "data.latest_charge.balance_transaction"})
    assert page["data"][0]["latest_charge"]["balance_transaction"]["net"] == 1912
    entry = call("GET /v1/balance_transactions", {"expand[]": "data.source"})["data"][0]
    assert entry["source"]["object"] == "charge"
    deeper = call("GET /v1/balance_transactions", {"expand[]": "data.source.payment_intent.customer"})[
        "data"
    ][0]
    assert deeper["source"]["payment_intent"]["customer"]["id"] == customer["id"]
    found = call("GET /v1/customers/search", {"query": "name:'jenny'", "expand[]": "data.subscriptions"})[
        "data"
    ][0]
    assert found["subscriptions"]["object"] == "list"


def test_18_expand_on_a_create(call) -> None:
    customer = call("POST /v1/customers")["id"]
    made = call(
        "POST /v1/payment_intents",
        {"amount": 500, "currency": "usd", "customer": customer, "expand[]": "customer"},
    )
    assert made["customer"]["object"] == "customer"


@pytest.mark.parametrize(
    ("path", "expand"),
    [
        ("/v1/payment_intents", "data.latest_charge.balance_transaction.source.customer"),
        ("/v1/payment_intents", "customer"),
        ("/v1/payment_intents", "data.amount"),
        ("/v1/payment_intents", "data.nothing"),
        ("/v1/payment_intents", "data.metadata"),
        ("/v1/payment_intents", "data"),
        ("/v1/payment_intents", "data.status"),
    ],
)
def test_18_what_cannot_be_expanded(call, path, expand) -> None:
    call.intent()
    error = call.refused(f"GET {path}", {"expand[]": expand})
    assert (error["status"], error["param"]) == (400, "expand")


def test_18_left_out_lists_and_deleted_customers(call) -> None:
    customer = call(
        "POST /v1/customers",
        {"tax_id_data[0][type]": "eu_vat", "tax_id_data[0][value]": "DE123456789", "source": "tok_visa"},
    )
    assert "tax_ids" not in customer
    full = call(
        f"GET /v1/customers/{customer['id']}",
        {"expand[]": ["tax_ids", "sources", "default_source", "tax", "cash_balance"]},
    )
    assert full["tax_ids"]["data"][0]["value"] == "DE123456789"
    assert full["default_source"]["last4"] == "4242"
    assert full["cash_balance"]["settings"]["using_merchant_default"] is True
    intent = call.intent(customer=customer["id"])
    call(f"DELETE /v1/customers/{customer['id']}")
    gone = call(f"GET /v1/payment_intents/{intent['id']}", {"expand[]": "customer"})["customer"]
    assert gone == {"id": customer["id"], "object": "customer", "deleted": True}
    charge = call(f"GET /v1/charges/{intent['latest_charge']}", {"expand[]": "refunds"})
    assert charge["refunds"]["data"] == []
