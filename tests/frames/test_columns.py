"""Columns and dtypes of frames: fixed for each object type, the same however the rows came."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from each_row import each_row
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import stripe_magics.accessor  # noqa: F401 - registers df.stripe
from stripe_magics import frames
from stripe_magics.errors import FrameError, StripeError, UnknownName
from stripe_magics.frames import assemble, decoder, parquet
from stripe_magics.frames.column_facts import cut_lists
from stripe_magics.frames.schema import facts
from stripe_magics.request import RowFilter


def page(*rows: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"object": "list", "data": rows, "has_more": False, "url": "/v1/x", **more}).encode()


def intent(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": f"pi_{number}", "object": "payment_intent", "amount": 1000 + number, "currency": "usd",
        "status": "succeeded", "created": 1_700_000_000 - number, "livemode": False,
        "metadata": {"order": str(number)}, "customer": "cus_1", "client_secret": f"pi_{number}_secret_abc",
        "shipping": None, "payment_method_types": ["card"], **more,
    }  # fmt: skip


def customer(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": f"cus_{number}",
        "object": "customer",
        "created": 1_700_000_000,
        "email": "a@example.com",
        "balance": 0,
        "metadata": {},
        **more,
    }


def same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    assert_frame_equal(left, right, check_exact=True)
    assert [str(each) for each in left.dtypes] == [str(each) for each in right.dtypes]


def test_an_empty_result_keeps_its_columns_and_dtypes() -> None:
    by_kind = {
        "int": "int64",
        "int?": "Int64",
        "bool": "boolean",
        "number": "float64",
        "time": "datetime64[us, UTC]",
    }
    wrong = []
    for kind in sorted(facts()):
        empty = frames.empty(kind)
        assert not len(empty)
        assert tuple(empty.columns) == frames.schema(kind).names
        for column in frames.schema(kind).columns:
            dtype = empty[column.name].dtype
            if column.kind in by_kind:
                right = str(dtype) == by_kind[column.kind]
            elif column.kind == "interval":
                right = list(dtype.categories) == ["day", "week", "month", "year"] and dtype.ordered
            elif column.kind in {"map", "list", "sublist"}:
                right = dtype.kind == "O"
            else:
                right = isinstance(dtype, pd.StringDtype)
            if not right:
                wrong.append((kind, column, dtype))
        if "id" in empty:
            assert empty.columns[0] == "id"
    assert not wrong


def test_one_payment_intent() -> None:
    df = frames.build(
        [json.dumps(intent(1, shipping={"name": "J", "address": {"city": "Ulm"}})).encode()],
        "payment_intent",
        attrs={"complete": True},
    )
    row = df.iloc[0]
    assert df.columns[0] == "id"
    assert df["amount"].dtype == np.dtype("int64")
    assert row["amount"] == 1001
    assert str(df["amount_received"].dtype) == "Int64"
    assert df["amount_received"].isna().all()
    assert row["created"] == pd.Timestamp(1_699_999_999, unit="s", tz="UTC")
    assert row["metadata"] == {"order": "1"}
    assert row["payment_method_types"] == ["card"]
    assert row["shipping_address_city"] == "Ulm"
    assert row["client_secret"] == "(hidden)"
    assert isinstance(df["status"].dtype, pd.StringDtype)  # an open list of choices is text
    assert df.attrs["stripe"] == {"object": "payment_intent", "complete": True}
    assert json.dumps(df.attrs)


def test_fields_named_like_a_payment_method_are_columns_where_no_type_names_one() -> None:
    assert {
        f"{method}_{field}"
        for method in ("amazon_pay", "apple_pay", "google_pay", "link", "paypal")
        for field in ("status", "status_details_error_message")
    } <= set(frames.schema("payment_method_domain").names)
    assert not any(name.startswith("klarna") for name in frames.schema("payment_method").names)


def test_a_new_choice_is_kept() -> None:
    df = frames.build([page(intent(1, status="brand_new", currency="xxx"))], "payment_intent")
    assert df.loc[0, "status"] == "brand_new"
    assert df.loc[0, "currency"] == "xxx"


def test_new_fields_come_last_by_name_and_of_their_dtype() -> None:
    rows = [
        intent(
            1,
            zeta="a",
            amount_new=5,
            flag_new=True,
            done_at=1_700_000_000,
            thing={"a": 1, "deep": {"b": "x"}},
            some_list=[1],
        ),
        intent(2, zeta=None, amount_new=None, ratio=0.5, thing=None, never_at=None),
    ]
    df = frames.build([page(*rows)], "payment_intent")
    fixed = len(frames.schema("payment_intent").columns)
    expected = {
        "amount_new": "Int64", "done_at": "datetime64[us, UTC]", "flag_new": "boolean",
        "never_at": "datetime64[us, UTC]", "ratio": "float64",
        "some_list": "object", "thing_a": "Int64", "thing_deep_b": str(df["id"].dtype),
        "zeta": str(df["id"].dtype),
    }  # fmt: skip
    assert {name: str(dtype) for name, dtype in df.dtypes.iloc[fixed:].items()} == expected
    assert list(df.columns[fixed:]) == sorted(expected)
    assert df.loc[0, "thing_deep_b"] == "x"
    assert df.loc[0, "some_list"] == [1]


def test_an_expanded_object_keeps_its_id_and_adds_columns() -> None:
    expanded = intent(
        1, customer=customer(7, address={"city": "Ulm", "country": "DE"}, shipping=None, deleted_thing=3)
    )
    df = frames.build([page(intent(2), expanded)], "payment_intent")
    assert df["customer"].tolist() == ["cus_1", "cus_7"]
    assert df.loc[1, "customer_email"] == "a@example.com"
    assert df.loc[1, "customer_address_city"] == "Ulm"
    assert str(df["customer_created"].dtype) == "datetime64[us, UTC]"
    assert df.loc[1, "customer_metadata"] == {}
    assert pd.isna(df.loc[0, "customer_email"])
    plain = frames.build([page(intent(2))], "payment_intent")
    assert "customer_email" not in plain


def test_a_deleted_object() -> None:
    df = frames.build([b'{"id": "cus_1", "object": "customer", "deleted": true}'], "customer")
    assert df.loc[0, "id"] == "cus_1"
    assert df.loc[0, "deleted"]
    assert pd.isna(df.loc[0, "created"])


def test_lists_inside_keep_their_rows_and_say_whether_there_are_more() -> None:
    lines = {
        "object": "list",
        "data": [{"id": "il_1", "object": "line_item", "amount": 5, "currency": "usd"}],
        "has_more": True,
        "url": "/x",
        "total_count": 12,
    }
    df = frames.build([json.dumps({"id": "in_1", "object": "invoice", "lines": lines}).encode()], "invoice")
    assert df.loc[0, "lines"] == lines["data"]
    assert df.loc[0, "lines_has_more"]
    with pytest.raises(FrameError, match="cut"):  # no open connection that could send the other eleven
        df.stripe.explode("lines")
    df["lines_has_more"] = False
    items = df.stripe.explode("lines")
    assert items.columns[0] == "invoice_id"
    assert items["amount"].tolist() == [5]


@each_row(
    ("version", "shape", "columns"),
    [
        (
            "before",
            {"subscription": "sub_1", "tax": 3, "charge": "ch_1"},
            {"subscription": "sub_1", "tax": 3, "charge": "ch_1"},
        ),
        (
            "since 2025-03-31",
            {
                "parent": {
                    "type": "subscription_details",
                    "subscription_details": {"subscription": "sub_1", "metadata": {}},
                },
                "total_taxes": [{"amount": 3}],
            },
            {
                "parent_subscription_details_subscription": "sub_1",
                "parent_type": "subscription_details",
                "total_taxes": [{"amount": 3}],
            },
        ),
    ],
)
def test_both_shapes_of_an_invoice(version: str, shape: dict[str, Any], columns: dict[str, Any]) -> None:
    df = frames.build(
        [page({"id": "in_1", "object": "invoice", "total": 5, "currency": "eur", **shape})], "invoice"
    )
    assert {name: df.loc[0, name] for name in columns} == columns


def test_the_balance_is_one_row_and_opens_by_currency() -> None:
    available = [
        {"amount": 5, "currency": "usd", "source_types": {"card": 5}},
        {"amount": 7, "currency": "eur"},
    ]
    df = frames.build(
        [
            json.dumps(
                {"object": "balance", "available": available, "pending": [], "livemode": False}
            ).encode()
        ],
        "any",
    )
    assert len(df) == 1
    opened = df.stripe.explode("available")
    assert opened["amount"].tolist() == [5, 7]
    assert opened["currency"].tolist() == ["usd", "eur"]


@each_row(
    ("body", "column"),
    [
        ({"object": "webhook_endpoint", "id": "we_1", "secret": "whsec_abcdef"}, "secret"),
        (
            {"object": "login_link", "created": 1, "url": "https://connect.stripe.com/express/secretpath"},
            "url",
        ),
        ({"object": "account_link", "created": 1, "url": "https://connect.stripe.com/secretpath"}, "url"),
        ({"object": "ephemeral_key", "id": "e", "secret": "ek_test_secretpath"}, "secret"),
        ({"object": "issuing.card", "id": "ic", "number": "4242secretpath", "cvc": "123"}, "number"),
        ({"object": "customer_session", "client_secret": "cuss_secret_secretpath"}, "client_secret"),
        (
            {
                "object": "event",
                "id": "evt",
                "data": {"object": {"object": "payment_intent", "client_secret": "x_secretpath"}},
            },
            "data_object",
        ),
        (
            {
                "object": "charge",
                "id": "ch",
                "payment_intent": {"id": "pi_1", "object": "payment_intent", "client_secret": "secretpath"},
            },
            "payment_intent",
        ),
    ],
)
def test_secrets_are_never_shown(body: dict[str, Any], column: str) -> None:
    df = frames.build([json.dumps(body).encode()], "any")
    assert column in df
    text = df.to_json(date_format="iso", default_handler=str) + df.to_csv() + df.to_html() + str(df.to_dict())
    assert "secretpath" not in text
    assert "whsec_" not in text
    assert "hidden" in text


def test_an_object_without_an_id_of_a_kind_that_is_not_known() -> None:
    df = frames.build([b'{"object": "new.thing", "amount_paid": 5, "when": {"created": 7}}'], "any")
    assert df["amount_paid"].tolist() == [5]
    assert "when_created" in df
    assert df.attrs["stripe"]["object"] == "new.thing"


def test_no_json_is_an_error() -> None:
    with pytest.raises(StripeError, match="not valid JSON"):
        frames.build([b"<html>proxy</html>"], "customer")


def test_columns_alone() -> None:
    pages = [page(intent(1, shipping={"name": "J", "address": {"city": "Ulm"}}, brandnew="x"), intent(2))]
    df = frames.build(pages, "payment_intent", columns=["amount", "shipping_address", "metadata[order]"])
    assert list(df.columns)[:2] == ["id", "amount"]
    assert "shipping_address_city" in df
    assert "shipping_name" not in df
    assert df["metadata[order]"].tolist() == ["1", "2"]
    assert "metadata" not in df
    assert frames.build(pages, "payment_intent", columns=["brandnew"])["brandnew"].tolist()[0] == "x"
    with pytest.raises(UnknownName, match="amount"):
        frames.build(pages, "payment_intent", columns=["amuont"])
    same(df[["id", "amount"]], frames.build(pages, "payment_intent")[["id", "amount"]])


def test_an_unknown_column_is_reported_with_the_first_page() -> None:
    builder = frames.Builder("payment_intent", columns=["amuont"])
    with pytest.raises(UnknownName, match="amount"):
        builder.add(page(intent(1)))
    later = frames.Builder("payment_intent", columns=["customer_email"])  # may be expanded on a later page
    later.add(page({**intent(1), "customer": None}))
    later.add(page({**intent(2), "customer": customer(2)}))
    assert later.frame()["customer_email"].notna().tolist() == [False, True]


def test_row_filters_test_rows_before_the_limit() -> None:
    pages = [page(*(intent(n) for n in range(10)))]
    kept = frames.build(
        pages,
        "payment_intent",
        row_filters=[RowFilter(key="created", low=1_700_000_000 - 5, high=1_700_000_000)],
        limit=3,
    )
    assert kept["id"].tolist() == ["pi_1", "pi_2", "pi_3"]
    assert list(kept.index) == [0, 1, 2]
    one, none = RowFilter(key="amount", equals="1003"), RowFilter(key="review", equals="x")
    assert len(frames.build(pages, "payment_intent", row_filters=[one])) == 1
    assert not len(frames.build(pages, "payment_intent", row_filters=[none]))


def test_newest_first_is_stable_within_a_second() -> None:
    old, new = [intent(5), intent(6)], [intent(1), {**intent(3), "created": 1_699_999_999}]
    df = frames.build([page(*old), page(*new)], "payment_intent", newest_first=True)
    assert df["id"].tolist() == ["pi_1", "pi_3", "pi_5", "pi_6"]


# However the rows come --------------------------------------------------------------------------------------
WORDS = st.sampled_from(["a", "b", "", "ü", "succeeded"])
VALUES = st.one_of(
    st.none(), WORDS, st.integers(-5, 2**40), st.booleans(), st.just(0.5), st.lists(WORDS, max_size=2)
)
OBJECTS = st.one_of(
    VALUES, st.dictionaries(st.sampled_from(["id", "object", "a", "created", "amount"]), VALUES, max_size=3)
)
ROWS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["pi_1", "pi_2"]),
        "object": st.just("payment_intent"),
        "amount": st.integers(0, 9),
    },
    optional={
        "customer": st.one_of(
            WORDS,
            st.none(),
            st.just(customer(9)),
            st.just({"id": "cus_2", "object": "customer", "deleted": True}),
        ),
        "shipping": st.one_of(
            st.none(),
            st.just("ship_1"),
            st.fixed_dictionaries(
                {"name": WORDS}, optional={"new": VALUES, "address": st.just({"city": "Ulm"})}
            ),
        ),
        "created": st.integers(1, 9),
        "metadata": st.dictionaries(WORDS, WORDS),
        "status": WORDS,
        "new": OBJECTS,
        "new_at": st.one_of(st.integers(0, 9), st.none()),
        "livemode": st.booleans(),
    },
)


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(ROWS, min_size=1, max_size=12),
    cut=st.lists(st.integers(0, 12), max_size=4),
    chunk=st.integers(1, 5),
)
def test_any_split_over_pages_and_chunks_gives_the_same_frame(
    rows: list[dict[str, Any]], cut: list[int], chunk: int
) -> None:
    decoder._plans.clear()  # what an example before this one taught
    whole = frames.build([page(*rows)], "payment_intent")
    decoder._plans.clear()
    bounds = [0, *sorted(min(each, len(rows)) for each in cut), len(rows)]
    builder = frames.Builder("payment_intent", chunk=chunk)
    for low, high in zip(bounds, bounds[1:], strict=False):
        builder.add(page(*rows[low:high]))
    same(whole, builder.frame())


def test_what_was_expanded_once_is_an_id_in_the_next_files() -> None:
    """A file's column of ids is text, whatever the calls before it expanded."""
    decoder._plans.clear()
    frames.build([page({**intent(1), "customer": customer(9)})], "payment_intent")
    builder = frames.Builder("payment_intent")
    builder.add(page({**intent(2), "customer": "cus_1"}, {**intent(3), "customer": None}))
    table = parquet.plain_table(builder.tables(), "payment_intent")
    assert table.column("customer").to_pylist() == ["cus_1", None]
    assert table.schema.field("customer").metadata is None


def test_a_frames_columns_stand_in_the_frames_own_memory() -> None:
    """What is put in order is not kept a second time in Arrow's usual pool, which doesn't give memory
    back."""
    builder = frames.Builder("payment_intent")
    for at in range(0, 5000, 100):
        builder.add(page(*({**intent(n), "created": 1_700_000_000 + n} for n in range(at, at + 100))))
    before = pa.default_memory_pool().bytes_allocated()
    df = builder.frame(newest_first=True)
    assert df["created"].is_monotonic_decreasing
    times = sum(df[name].nbytes for name in df.select_dtypes("datetimetz"))  # pandas' own copies
    size = int(df.memory_usage().sum())
    assert pa.default_memory_pool().bytes_allocated() - before < times + size / 10


def test_unused_memory_is_given_back_by_long_frames_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    given_back: list[int] = []
    monkeypatch.setattr(assemble, "_malloc_trim", lambda: given_back.append)
    frames.build([page(intent(1))], "payment_intent")
    assert given_back == []
    monkeypatch.setattr(assemble, "MANY_ROWS", 1)
    frames.build([page(intent(1))], "payment_intent")
    assert given_back


def test_chunks_that_are_merged_give_the_same_frame() -> None:
    words = ["succeeded", "canceled", "a new one", "processing"]
    rows = [
        {**intent(n), "status": words[n % 4], "currency": ("usd", "eur")[n // 11 % 2],
            "metadata": {"n": str(n)} if n % 3 else {}, "new": n if n > 15 else None}
        for n in range(45)
    ]  # fmt: skip
    builder = frames.Builder("payment_intent", chunk=1)
    for row in rows:
        builder.add(page(row))
    assert max(table.num_rows for table in builder._tables) == 10
    same(frames.build([page(*rows)], "payment_intent"), builder.frame())


def test_a_place_that_is_an_object_in_one_chunk_and_an_id_in_the_next_keeps_both() -> None:
    builder = frames.Builder("payment_intent", chunk=1)
    for shipping in ({"name": "early", "address": {"city": "Ulm"}}, "ship_1", {"name": "late"}):
        decoder._plans.clear()
        builder.add(page({**intent(1), "shipping": shipping}))
    df = builder.frame()
    assert [plain(each) for each in df["shipping_name"]] == ["early", None, "late"]
    assert [plain(each) for each in df["shipping_address_city"]] == ["Ulm", None, None]
    assert [plain(each) for each in df["shipping"]] == [None, "ship_1", None]


def plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return int(value.timestamp())
    if isinstance(value, (list, dict)):
        return value
    return None if pd.isna(value) else value.item() if isinstance(value, np.generic) else value


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(ROWS, min_size=1, max_size=6))
def test_nothing_is_lost_or_changed(rows: list[dict[str, Any]]) -> None:
    """Every scalar of every row is in the column of its path, compared with a walk that knows nothing of
    schemas."""
    df = frames.build([page(*rows)], "payment_intent")

    def walk(prefix: str, value: Any, row: pd.Series) -> None:
        if isinstance(value, dict) and not prefix.endswith("metadata"):
            for key, inner in value.items():
                if key == "object":
                    continue
                walk(prefix if key == "id" else f"{prefix}_{key}", inner, row)
        elif value is not None:
            assert plain(row[prefix]) == value, prefix

    for (_, row), expected in zip(df.iterrows(), rows, strict=True):
        for key, value in expected.items():
            walk(key, value, row)


def test_the_columns_are_those_of_the_version_that_answered() -> None:
    """Since 2025-03-31 a subscription's period stands in its items."""
    body = [page({"id": "sub_1", "object": "subscription", "status": "active"})]
    old = frames.build(body, "subscription", attrs={"api_version": "2025-02-24.acacia"})
    new = frames.build(body, "subscription", attrs={"api_version": "2026-10-28.endive"})
    assert "current_period_end" in old
    assert "current_period_end" not in new
    assert str(old["current_period_end"].dtype) == "datetime64[us, UTC]"
    items = {
        "object": "list",
        "has_more": False,
        "data": [{"id": f"si_{n}", "current_period_end": 1_700_000_000} for n in range(2)],
    }
    moved = frames.build(
        [page({"id": "sub_1", "object": "subscription", "items": items})],
        "subscription",
        attrs={"api_version": "2026-10-28.endive"},
    )
    assert moved.stripe.current_period_end.tolist() == [pd.Timestamp(1_700_000_000, unit="s", tz="UTC")]


def test_a_short_name_of_a_field_that_may_be_expanded() -> None:
    """`customer_email` is the expanded customer's where there is one, else the payment's own."""
    plain = {
        "id": "ch_1",
        "object": "charge",
        "billing_details": {"email": "b@example.com"},
        "customer": "cus_1",
    }
    assert frames.build([page(plain)], "charge").stripe.customer_email.tolist() == ["b@example.com"]
    assert frames.build([page(plain)], "charge", columns=["customer_email"])["customer_email"].tolist() == [
        "b@example.com"
    ]
    opened = [page({**plain, "customer": customer(1)})]
    assert frames.build(opened, "charge").stripe.customer_email.tolist() == ["a@example.com"]
    given = frames.build(opened, "charge", columns=["customer_email"], expand=["data.customer"])
    assert given["customer_email"].tolist() == ["a@example.com"]


def sample(tree: Any, key: str = "") -> Any:
    """A value of each field of a type."""
    if isinstance(tree, dict):
        return {("id" if name == "@" else name): sample(inner, name) for name, inner in tree.items()}
    if isinstance(tree, list):
        return next(each for each in tree if each)
    return {"int": 5, "int?": 5, "time": 1_700_000_000, "bool": True, "number": 0.5, "map": {"a": "b"},
            "list": ["x"], "currency": "usd",
            "sublist": {"object": "list", "data": [], "has_more": False}}.get(tree, f"{key}_1")  # fmt: skip


def test_expanded_columns_have_the_dtypes_of_the_objects_own_list() -> None:
    """Over every property of every type that holds an id of a type that is known."""
    wrong, count = [], 0
    for kind, tree in facts().items():
        for field, known in tree.items():
            if known != "ref" or field not in facts() or "id" not in facts()[field]:
                continue
            inner = {**sample(facts()[field]), "object": field, "id": "x_1"}
            own = frames.build([json.dumps(inner).encode()], field).dtypes.astype(str)
            opened = frames.build([json.dumps({"id": "y_1", "object": kind, field: inner}).encode()], kind)
            names = {str(name): str(dtype) for name, dtype in opened.dtypes.items()}
            count += 1
            assert opened[field].tolist() == ["x_1"], (kind, field)
            for name, dtype in own.items():
                if name in {"id", "object"}:
                    continue
                found = names.get(f"{field}__{name}", names.get(f"{field}_{name}"))
                if found != dtype:
                    wrong.append((kind, field, name, dtype, found))
    assert count > 100
    assert not wrong[:10]


def test_which_lists_were_cut() -> None:
    lines = {"object": "list", "data": [], "has_more": True}
    rows = [
        {"id": "in_1", "object": "invoice", "lines": lines},
        {"id": "in_2", "object": "invoice", "lines": {**lines, "has_more": False}},
    ]
    assert cut_lists(frames.build([page(*rows)], "invoice")) == {"lines": 1}
    assert not cut_lists(frames.build([page(rows[1])], "invoice"))


def test_empty_text_costs_nothing_and_is_text_like_any_other() -> None:
    df = frames.build([page(*(intent(n) for n in range(200)))], "payment_intent")
    empty = df["receipt_email"]
    chosen = df[df["amount"] > 1100]["receipt_email"]
    assert chosen.isna().all()
    buffer = chosen.array._pa_array.chunk(0).buffers()[1].address
    assert buffer == empty.array._pa_array.chunk(0).buffers()[1].address  # a slice of the same memory
    written = df.copy()
    written.loc[3, "receipt_email"] = "a@example.com"
    assert written[written["amount"] == 1003]["receipt_email"].tolist() == ["a@example.com"]
    assert written.iloc[::-1]["receipt_email"].dropna().tolist() == ["a@example.com"]
    assert df["receipt_email"].isna().all()
    assert pd.concat([df, written])["receipt_email"].count() == 1
    assert df["receipt_email"].reindex([0, 500]).isna().tolist() == [True, True]


def test_columns_without_values_cost_nothing_and_are_like_any_others() -> None:
    """Of every dtype: choosing rows is a slice of the same memory, and what is written into one column is in
    no other."""
    df = frames.build([page(*(intent(n) for n in range(200)))], "payment_intent")
    empty = [name for name in df if df[name].isna().all() and str(df[name].dtype) != "category"]
    kinds = {str(df[name].dtype): name for name in [*empty, "receipt_email"]}
    assert {"object", "Int64", "boolean"} <= set(kinds)
    values = {"object": "a", "Int64": 7, "boolean": True}
    for kind, name in kinds.items():
        if kind not in {*values, str(df["receipt_email"].dtype)}:
            continue
        value = values.get(kind, "a@example.com")
        others = [each for each in empty if each != name]
        chosen = df[df["amount"] > 1100][name]
        assert _memory(chosen.array) == _memory(df[name].array), kind
        assert df[name].reindex([0, 500]).isna().tolist() == [True, True]
        for write in (_by_loc, _by_iloc, _by_mask, _by_fillna):
            written = write(df.copy(), name, value)
            assert written.loc[3, name] == value
            assert written[written["amount"] == 1003][name].tolist() == [value]
            assert written.iloc[::-1][name].dropna().iloc[-1] == value
            assert written.sort_values("amount", ascending=False)[name].notna().sum() == written[name].count()
            assert written[others].isna().all(axis=None), (kind, write.__name__)
            assert df[empty].isna().all(axis=None), (kind, write.__name__)
            both = pd.concat([df, written], ignore_index=True)
            assert both[name].count() == written[name].count()
            assert both[both[name].notna()][name].iloc[0] == value
            assert pickle.loads(pickle.dumps(written))[name].count() == written[name].count()  # noqa: S301
        again = pickle.loads(pickle.dumps(df))  # noqa: S301 - our own
        pd.testing.assert_frame_equal(again, df)
        view = df[[name]].head(3)
        view[name] = value
        assert df[empty].isna().all(axis=None)


def _memory(array: Any) -> int:
    inner = getattr(array, "_pa_array", None)
    if inner is not None:
        return int(inner.chunk(0).buffers()[1].address)
    return int(array._data.__array_interface__["data"][0])


def _by_loc(df: pd.DataFrame, name: str, value: Any) -> pd.DataFrame:
    df.loc[3, name] = value
    return df


def _by_iloc(df: pd.DataFrame, name: str, value: Any) -> pd.DataFrame:
    df.iloc[3, df.columns.get_loc(name)] = value
    return df


def _by_mask(df: pd.DataFrame, name: str, value: Any) -> pd.DataFrame:
    df[name] = df[name].mask(df.index == 3, value)
    return df


def _by_fillna(df: pd.DataFrame, name: str, value: Any) -> pd.DataFrame:
    df[name] = df[name].fillna(value)
    return df
