"""The encoding, and the plan of a call: endpoint, parameters, further calls, what is kept of the answer."""

# ruff: noqa: PD011 - `.values` of a Bound, not of a frame
from __future__ import annotations

import math
import re
import shlex
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pytest
from each_row import each_row
from form_decoder import decode
from hypothesis import given
from hypothesis import strategies as st

from stripe_magics import catalogue, pipeline
from stripe_magics._form_encoding import form
from stripe_magics._options import Options
from stripe_magics.catalogue.module import Effect
from stripe_magics.errors import InvalidValue, KeyRefused
from stripe_magics.request import Request, RowFilter, build, encode
from stripe_magics.validation import UNSET, bind


def plan(
    name: str,
    params: Any = (),
    /,
    options: Options | None = None,
    version: str = catalogue.PINNED_VERSION,
    **values: Any,
) -> Request:
    return build(bind(catalogue.find(name), values, params, api_version=version), options)


def refused(name: str, options: Options, /, **values: Any) -> str:
    with pytest.raises(InvalidValue) as caught:
        plan(name, options=options, **values)
    return str(caught.value)


# Amounts whose text names a currency that the call doesn't send


@each_row(
    ("name", "values", "looked_up"),
    [
        ("refunds.create", {"charge": "ch_1", "amount": "10.00eur"}, [("amount", "eur", "/v1/charges/ch_1")]),
        (
            "refunds.create",
            {"payment_intent": "pi_1", "amount": "10.00eur"},
            [("amount", "eur", "/v1/payment_intents/pi_1")],
        ),
        ("refunds.create", {"payment_intent": "pi_1", "amount": "1000"}, []),
        (
            "payment_intents.capture",
            {"payment_intent": "pi_1", "amount_to_capture": "5usd"},
            [("amount_to_capture", "usd", "/v1/payment_intents/pi_1")],
        ),
        (
            "invoice_items.update",
            {"invoice_item": "ii_1", "amount": "5usd"},
            [("amount", "usd", "/v1/invoiceitems/ii_1")],
        ),
        ("charges.capture", {"charge": "ch_1", "amount": "5usd"}, [("amount", "usd", "/v1/charges/ch_1")]),
        ("payment_intents.create", {"amount": "5usd"}, []),
        ("payouts.create", {"amount": "5usd"}, []),
    ],
)
def test_the_object_whose_currency_an_amount_has(
    name: str, values: dict[str, str], looked_up: list[tuple[str, str, str]]
) -> None:
    made = plan(name, **values)
    assert [(each.field, each.currency, each.path) for each in made.currency_checks] == looked_up
    assert all(
        f"GET {path}, whose currency must be {currency}" in repr(made) for _, currency, path in looked_up
    )


# Encoding


@each_row(
    ("params", "sent"),
    [
        pytest.param({"a": 1, "b": "foo"}, "a=1&b=foo", id="T75"),
        pytest.param({"b": 1, "a": 2}, "b=1&a=2", id="T75-order"),
        pytest.param({"a": {"b": {"c": 1}}}, "a[b][c]=1", id="T76-nested"),
        pytest.param({"a": [{"b": 1}, {"b": 2}]}, "a[0][b]=1&a[1][b]=2", id="T76-objects"),
        pytest.param({"a": [[1, 2], [3]]}, "a[0][0]=1&a[0][1]=2&a[1][0]=3", id="T76-lists"),
        pytest.param({"a": {"0": {"b": 1}}}, "a[0][b]=1", id="T76-numbered"),
        pytest.param({"a": []}, "a=", id="T79-list"),
        pytest.param({"a": {}}, "", id="T79-mapping"),
        pytest.param({"metadata": UNSET}, "metadata=", id="T79-unset"),
        pytest.param({"metadata": {"a": ""}}, "metadata[a]=", id="T79-key"),
        pytest.param({"a": None}, "", id="B47-none"),
        pytest.param(
            {"a": datetime(2013, 1, 1, tzinfo=timezone(timedelta(hours=1)))}, "a=1356994800", id="T80"
        ),
        pytest.param({"a": [datetime(2013, 1, 1, tzinfo=UTC)]}, "a[0]=1356998400", id="T80-list"),
        pytest.param({"a": datetime(1969, 12, 31, tzinfo=UTC)}, "a=-86400", id="T80-before-1970"),
        pytest.param({"created": {"gte": 5, "lt": 7}}, "created[gte]=5&created[lt]=7", id="T81-filter"),
        pytest.param(
            {"expand": ["customer", "invoice.subscription"]},
            "expand[0]=customer&expand[1]=invoice.subscription",
            id="T81-expand",
        ),
        pytest.param({"a": Decimal("10.50")}, "a=10.50", id="T82"),
        pytest.param({"a": Decimal("1E+3")}, "a=1000", id="T82-exponent"),
        pytest.param({"a": 1e-7}, "a=0.0000001", id="T82-small"),
        pytest.param({"a": 2**53 + 1}, "a=9007199254740993", id="T96"),
        ({"a": True, "b": [False]}, "a=true&b[0]=false"),
        ({"a": np.bool_(True), "b": np.int64(3), "c": np.array([1, 2])}, "a=true&b=3&c[0]=1&c[1]=2"),
        ({"a": pd.NA, "b": float("nan"), "c": pd.NaT}, ""),
        ({"a": pd.Series([1, 2]), "b": (3,)}, "a[0]=1&a[1]=2&b[0]=3"),
        ({"shipping[address][line1]": "x"}, "shipping[address][line1]=x"),
    ],
)
def test_encode(params: dict[str, Any], sent: str) -> None:
    assert "&".join(f"{name}={value}" for name, value in encode(params)) == sent


@each_row(
    ("value", "message"),
    [
        pytest.param(datetime(2026, 1, 1), "no time zone", id="T80-naive"),
        pytest.param(date(2026, 1, 1), "whole day", id="T80-date"),
        pytest.param(math.inf, "not a number", id="T82-infinity"),
        pytest.param(Decimal("NaN"), "not a number", id="T82-nan"),
        pytest.param("\ud83d", "invalid Unicode character", id="T83-surrogate"),
        pytest.param({"a[b]": 1}, "square bracket", id="T85"),
        ({"b": None}, "is missing"),
        ([1, None], "can't hold missing values"),
        ([pd.NA], "can't hold missing values"),
        ({1, 2}, "a set can't be sent"),
        (b"x", "a bytes can't be sent"),
        (object(), "a object can't be sent"),
    ],
)
def test_encode_refuses(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode({"metadata": value})


@each_row("text", ["é", "🙂", "日本", "e\u0301", "+ & = # % @ : ;", "a\r\nb\tc\\d\"e'", "~", "", " "])
def test_percent_form(text: str) -> None:  # T83, T84
    body = form(encode({"name": text, "metadata": {"k": text}}))
    assert body.isascii()
    assert parse_qsl(body, keep_blank_values=True) == [("name", text), ("metadata[k]", text)]
    assert "%7E" not in body


def test_the_same_values_are_the_same_bytes() -> None:  # T88
    values = {"a": {"b": [1, 2, {"c": True}]}, "d": Decimal("1.10"), "e": ["x", "y"]}
    assert len({form(encode(values)) for _ in range(100)}) == 1


LEAVES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.integers(),
    st.booleans(),
    st.decimals(allow_nan=False, allow_infinity=False, places=3),
)
NAMES = st.text("abc_xyz", min_size=1, max_size=5)
NESTED = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES, inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, NESTED, max_size=5))
def test_round_trip(values: dict[str, Any]) -> None:
    assert decode(encode(values)) == {name: as_text(value) for name, value in values.items()}


def as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_text(inner) for inner in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


# The plan


def test_a_plain_create() -> None:
    request = plan(
        "customers.create",
        [("tax[validate_location]", "deferred")],
        name="Jenny",
        metadata={"a": "1"},
        preferred_locales="de, fr",
    )
    assert (request.method, request.path, request.effect, request.returns) == (
        "POST",
        "/v1/customers",
        Effect.CREATE,
        "customer",
    )
    assert request.params == (
        ("name", "Jenny"),
        ("metadata[a]", "1"),
        ("preferred_locales[0]", "de"),
        ("preferred_locales[1]", "fr"),
        ("tax[validate_location]", "deferred"),
    )
    assert request.param_fields is not None
    assert request.param_fields["shipping[address][line1]"] == "shipping_line1"
    assert not request.lists


def test_values_that_clear() -> None:
    request = plan(
        "customers.update", customer="cus_1", description="", metadata={"a": ""}, invoice_custom_fields=[]
    )
    assert set(request.params) == {
        ("description", ""),
        ("metadata[a]", ""),
        ("invoice_settings[custom_fields]", ""),
    }


def test_ids_are_quoted() -> None:
    assert plan("customers.retrieve", customer="a b:c@d").path == "/v1/customers/a%20b%3Ac%40d"


@each_row(
    ("limit", "page", "cap", "given"),
    [
        (None, "100", 100, False),
        ("5", "5", 5, True),
        (250, "100", 250, True),
        ("all", "100", None, True),
        (np.int64(7), "7", 7, True),
    ],
)
def test_limits(limit: Any, page: str, cap: int | None, given: bool) -> None:
    for request in (
        plan("customers.list", **({} if limit is None else {"limit": limit})),
        plan("customers.list", options=Options(limit=limit)),
    ):
        assert (dict(request.params)["limit"], request.limit, request.limit_given, request.lists) == (
            page,
            cap,
            given,
            True,
        )


def test_limits_refused() -> None:
    assert "1 or more, or all" in refused("customers.list", Options(limit="0"))
    assert "1 or more, or all" in refused("customers.list", Options(limit="ten"))
    assert "the maximum is 1000" in refused("payouts.list", Options(limit=1001))
    assert "gives no list" in refused("customers.create", Options(limit=5), name="J")


def test_expand() -> None:
    request = plan(
        "invoices.retrieve", options=Options(expand=["customer", "charge"]), invoice="in_1", expand="customer"
    )
    assert request.params == (("expand[0]", "customer"), ("expand[1]", "charge"))
    assert "write data.customer" in refused("invoices.search", Options(expand=["customer"]))
    assert "four levels" in refused("invoices.retrieve", Options(expand=["a.b.c.d.e"]), invoice="in_1")
    assert plan("invoices.search", expand="data.a.b.c.d").params
    one = plan("invoices.search", invoice="in_1", expand="data.customer")
    assert one.params == (("expand[0]", "customer"),)


def test_headers() -> None:
    options = Options(stripe_account="acct_1", stripe_version="2024-06-20", idempotency="order-7")
    request = plan("customers.create", options=options, name="J")
    assert request.headers == (("Stripe-Account", "acct_1"), ("Stripe-Version", "2024-06-20"))
    assert request.idempotency_key == "order-7"
    assert (
        plan("payment_intents.create", amount=100, currency="usd", idempotency_key="k").idempotency_key == "k"
    )
    assert "two different" in refused(
        "payment_intents.create", Options(idempotency="a"), amount=100, currency="usd", idempotency_key="b"
    )
    for bad in ("a\r\nX: y", " a", "é", "a" * 256):
        assert "header" in refused("customers.create", Options(stripe_account=bad), name="J")  # B45
        assert "header" in refused("customers.create", Options(idempotency=bad), name="J")
    assert "not an API version" in refused("customers.create", Options(stripe_version="latest"), name="J")
    with pytest.raises(KeyRefused):
        plan("customers.create", options=Options(stripe_account="sk_live_" + "abcdefgh"), name="J")


def test_effects() -> None:
    assert plan("payment_intents.create", amount=100, currency="usd").effect is Effect.CREATE
    assert (
        plan("payment_intents.create", amount=100, currency="usd", confirm="yes").effect
        is Effect.IRREVERSIBLE
    )
    assert plan("payment_intents.create", amount=100, currency="usd", confirm="no").effect is Effect.CREATE
    assert plan("customers.list").effect is Effect.READ


def test_renamed_parameters() -> None:
    call = {"customer": "cus_1", "price": "price_1"}
    assert ("price", "price_1") in plan("invoice_items.create", **call).params
    assert ("pricing[price]", "price_1") in plan(
        "invoice_items.create", version="2025-03-31.basil", **call
    ).params
    assert ("pricing[price]", "price_1") in plan(
        "invoice_items.create", options=Options(stripe_version="2025-03-31.basil"), **call
    ).params
    amount = {"customer": "cus_1", "unit_amount": "5", "currency": "usd"}
    assert ("unit_amount_decimal", "5") in plan(
        "invoice_items.create", version="2026-01-28.clover", **amount
    ).params


# Modules that take more than one endpoint


def test_customers_by_search() -> None:
    rows = [
        {"field": "created", "operator": "between", "value": "2026-01-01..2026-01-31"},
        {"field": "name", "operator": "is_not", "value": 'O"Neil\\'},
    ]
    request = plan("customers.search", email="jenny@example.com", filter=rows)
    assert request.path == "/v1/customers/search"
    assert request.searches
    assert (
        dict(request.params)["query"]
        == r'email:"jenny@example.com" AND created>=1767225600 AND created<1769904000 AND -name:"O\"Neil\\"'
    )
    either = plan(
        "customers.search",
        match="any",
        filter=[
            {"field": "metadata", "key": "a", "operator": "is", "value": "b"},
            {"field": "name", "operator": "contains", "value": "smi"},
        ],
    )
    assert dict(either.params)["query"] == 'metadata["a"]:"b" OR name~"smi"'
    assert plan("customers.search").path == "/v1/customers"
    assert dict(plan("customers.search", query="name~'x'").params)["query"] == "name~'x'"


@each_row(
    ("values", "message"),
    [
        (
            {"filter": [{"field": "created", "operator": "contains", "value": "x"}]},
            "created doesn't take contains",
        ),
        ({"filter": [{"field": "name", "operator": "contains", "value": "ab"}]}, "3 characters"),
        ({"filter": [{"field": "metadata", "operator": "is", "value": "ab"}]}, "needs its key"),
        (
            {"filter": [{"field": "created", "operator": "on", "value": "2026-01-01"}], "match": "any"},
            "can't be joined by any",
        ),
        ({"filter": [{"field": "name", "operator": "is", "value": "x"}] * 11}, "Stripe takes 10"),
        ({"query": "x", "email": "a@b.co"}, "can't be given along with --query"),
    ],
)
def test_searches_refused(values: dict[str, Any], message: str) -> None:
    assert message in refused("customers.search", Options(), **values)


def test_invoices_by_customer_and_by_id() -> None:
    request = plan("invoices.search", customer="cus_1", pending="yes", created="2026-01-01", limit=7)
    assert [dict(each.params)["status"] for each in (request, *request.merged_requests)] == ["draft", "open"]
    assert all(
        dict(each.params)["customer"] == "cus_1" and each.limit == 7
        for each in (request, *request.merged_requests)
    )
    settled = plan("invoices.search", pending="no")
    assert [dict(each.params)["status"] for each in (settled, *settled.merged_requests)] == [
        "paid",
        "uncollectible",
        "void",
    ]
    assert not plan("invoices.search").merged_requests
    one = plan("invoices.search", invoice="in_1", pending="yes", created="2026-01-01")
    assert (one.path, one.list_of_one, one.lists, one.params) == ("/v1/invoices/in_1", True, False, ())
    assert set(one.row_filters) == {
        RowFilter(key="status", among=("draft", "open")),
        RowFilter(key="created", low=1767225600, high=1767312000),
    }
    assert plan("invoices.search", query="total>1").path == "/v1/invoices/search"


def test_updates_of_a_customer() -> None:
    request = plan(
        "customers.update",
        customer="cus_1",
        name="J",
        payment_method="pm_1",
        tax_id_data=["type=eu_vat, value=DE1", "type=gb_vat, value=GB1"],
    )
    chain = [request, *request.follow_ups]
    assert [each.path for each in chain] == [
        "/v1/payment_methods/pm_1/attach",
        "/v1/customers/cus_1",
        "/v1/customers/cus_1/tax_ids",
        "/v1/customers/cus_1/tax_ids",
    ]
    assert [each.is_main_response for each in chain] == [False, True, False, False]
    assert chain[0].params == (("customer", "cus_1"),)
    assert chain[1].params == (("name", "J"),)
    assert chain[3].params == (("type", "gb_vat"), ("value", "GB1"))


def test_updates_of_a_payment_intent() -> None:
    request = plan(
        "payment_intents.update",
        payment_intent="pi_1",
        description="x",
        mandate="mandate_1",
        off_session="yes",
    )
    (confirm,) = request.follow_ups
    assert (request.path, request.params, request.is_main_response) == (
        "/v1/payment_intents/pi_1",
        (("description", "x"),),
        False,
    )
    assert (confirm.path, confirm.is_main_response, confirm.effect) == (
        "/v1/payment_intents/pi_1/confirm",
        True,
        Effect.IRREVERSIBLE,
    )
    assert set(confirm.params) == {("off_session", "true"), ("mandate", "mandate_1")}
    assert request.effect is Effect.IRREVERSIBLE  # so that it asks before the first step
    alone = plan(
        "payment_intents.update", options=Options(idempotency="k"), payment_intent="pi_1", off_session="yes"
    )
    assert (alone.path, alone.follow_ups, alone.idempotency_key) == (
        "/v1/payment_intents/pi_1/confirm",
        (),
        "k",
    )
    both = plan(
        "payment_intents.update",
        options=Options(idempotency="k"),
        payment_intent="pi_1",
        description="x",
        off_session="yes",
    )
    # a key belongs to one call
    assert [each.idempotency_key for each in (both, *both.follow_ups)] == ["k", ""]


def test_json_beside_fields() -> None:
    call: dict[str, Any] = {"payment_intent": "pi_1", "payment_method_type": "sepa_debit"}
    request = plan("payment_intents.confirm", payment_method_details={"sepa_debit": {"iban": "DE89"}}, **call)
    assert {
        ("payment_method_data[type]", "sepa_debit"),
        ("payment_method_data[sepa_debit][iban]", "DE89"),
    } <= set(request.params)
    nested = plan(
        "payment_intents.confirm",
        payment_intent="pi_1",
        payment_method_data={"type": "sepa_debit", "sepa_debit": {"iban": "DE89"}},
    )
    assert set(nested.params) == set(request.params)
    assert "is given twice" in refused(
        "payment_intents.confirm", Options(), payment_method_details={"type": "ideal"}, **call
    )


def test_filters_that_stripe_does_not_take() -> None:
    request = plan("balance.list_history", available_filter="after", available_on="2026-01-01", limit=5)
    assert request.row_filters == (RowFilter(key="available_on", low=1767312000),)
    assert dict(request.params) == {"limit": "100"}
    assert "nothing bounds the scan" in request.scan_warning
    assert not plan("balance.list_history", available_on="2026-01-01", created="last 30 days").scan_warning
    transit = plan("payouts.list", status="in_transit")
    assert transit.row_filters == (RowFilter(key="status", equals="in_transit"),)
    assert "status" not in dict(transit.params)
    assert dict(plan("payouts.list", status="paid").params)["status"] == "paid"


# Make an API Call


def test_any_call() -> None:
    read = plan(
        "api.call", [("type", "charge.failed")], url="/v1/events?limit=3", query_string={"expand[]": "data"}
    )
    assert (read.method, read.path, read.effect) == ("GET", "/v1/events", Effect.READ)
    assert read.params == (("limit", "3"), ("expand[]", "data"), ("type", "charge.failed"))
    assert dict(plan("api.call", options=Options(limit=7), url="/v1/events").params) == {"limit": "7"}
    write = plan(
        "api.call",
        [("name", "J")],
        url="/v1/customers",
        method="POST",
        query_string=[{"key": "a", "value": "b"}],
        body='{"metadata": {"a": 1}}',
    )
    assert (write.effect, write.query, write.params) == (
        Effect.IRREVERSIBLE,
        (("a", "b"),),
        (("metadata[a]", "1"), ("name", "J")),
    )
    delete = plan("api.call", url="/v1/customers/cus_1", method="DELETE")
    assert (delete.effect, delete.params) == (Effect.IRREVERSIBLE, ())
    second = plan(
        "api.call", url="/v2/core/event_destinations", method="POST", body='{"name": "x", "on": true}'
    )
    assert (second.json, second.params) == ({"name": "x", "on": True}, ())
    assert plan("api.call", url="/v2/x", method="POST", body='{"rate": 12.50}').json == {"rate": 12.5}
    assert "more digits" in refused(
        "api.call", Options(), url="/v2/x", method="POST", body='{"rate": 0.1234567890123456789}'
    )
    assert "is a list" in refused("api.call", Options(), url="/v1/x", method="POST", body="[1]")
    headed = plan(
        "api.call", url="/v1/events", stripe_account="acct_1", headers={"X-Note": "a", "Idempotency-Key": "k"}
    )
    assert (headed.headers, headed.idempotency_key) == ((("Stripe-Account", "acct_1"), ("X-Note", "a")), "k")


def test_generated_operations() -> None:
    request = plan(
        "checkout.sessions.create",
        mode="payment",
        line_items=[{"price": "price_1", "quantity": 2}],
        success_url="https://example.com",
    )
    assert (request.method, request.path) == ("POST", "/v1/checkout/sessions")
    assert {
        ("mode", "payment"),
        ("line_items[0][price]", "price_1"),
        ("line_items[0][quantity]", "2"),
    } <= set(request.params)
    assert dict(plan("subscriptions.list", options=Options(limit=3)).params)["limit"] == "3"


# What a person sees


def test_shown() -> None:
    request = plan(
        "payment_intents.create",
        options=Options(idempotency="order-7"),
        amount="0.20usd",
        description="<b>5 & 6</b>",
        confirm="yes",
    )
    text = repr(request)
    assert text.splitlines()[0] == "POST /v1/payment_intents"
    assert "  amount = 20" in text
    assert "effect: irreversible" in text
    assert "below Stripe's usual minimum" in text
    html = request._repr_html_()
    assert "&lt;b&gt;5 &amp; 6&lt;/b&gt;" in html
    assert "<b>5" not in html
    assert "then: POST /v1/payment_intents/pi_1/confirm" in repr(
        plan("payment_intents.update", payment_intent="pi_1", description="x", off_session=True)
    )
    assert "merged with: GET /v1/invoices" in repr(plan("invoices.search", pending=True))


def test_curl() -> None:
    command = plan(
        "customers.create", options=Options(stripe_account="acct_1"), name="O'Neil & Co", metadata={"a": "b"}
    ).curl()
    words = shlex.split(command)
    assert words[:2] == ["curl", "https://api.stripe.com/v1/customers"]
    assert words[words.index("-u") + 1] == "$STRIPE_API_KEY:"
    assert "name=O'Neil & Co" in words
    assert "Stripe-Account: acct_1" in words
    assert '-u "$STRIPE_API_KEY:"' in command
    assert shlex.split(plan("customers.list").curl())[:2] == ["curl", "-G"]
    assert "-X DELETE" in plan("customers.delete", customer="cus_1").curl()
    assert "-X POST" in plan("payment_intents.capture", payment_intent="pi_1").curl()
    assert not re.search("sk_|rk_", command)


def test_nothing_heavy_is_loaded() -> None:
    code = (
        "import sys; from stripe_magics import catalogue; from stripe_magics.validation import bind; from"
        " stripe_magics.request import build; build(bind(catalogue.find('customers.create'), {'name': 'J',"
        " 'balance': '5.00usd'})); print(sorted({'pandas', 'numpy', 'httpx', 'IPython', 'ipywidgets',"
        " 'pyarrow'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@each_row("name", ["customers.list", "payment_intents.list", "charges.list", "refunds.list"])
def test_one_page_begins_at_one_row(name: str) -> None:
    """Both cursors are refused before anything is sent, in a dry run too."""
    command = pipeline.command(name)
    command.params += [("starting_after", "xx_1"), ("ending_before", "xx_2")]
    with pytest.raises(InvalidValue, match="ending.before.*starting.after|starting.after.*ending.before"):
        pipeline.prepare(command)


@each_row("name", ["charges.list", "payment_intents.list"])
def test_a_second_is_sent_as_stripe_spells_it(name: str) -> None:
    command = pipeline.command(name)
    command.params.append(("created", "1700000000"))
    assert ("created", "1700000000") in pipeline.prepare(command).params


@each_row(
    ("name", "ids"), [("capabilities.list", {"account": "acct_1"}), ("reporting.report_types.list", {})]
)
def test_lists_that_take_no_limit_get_none(name: str, ids: dict[str, str]) -> None:
    assert pipeline.prepare(pipeline.command(name, **ids)).params == ()
