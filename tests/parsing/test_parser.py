# ruff: noqa: PD011 - no frames here
"""The grammar: words, flags, bodies, names, and both ways between text and commands."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from each_row import each_row
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from stripe_magics import catalogue
from stripe_magics._command import Command
from stripe_magics._form_encoding import UNSET
from stripe_magics._options import Options
from stripe_magics._redaction import KEY
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.errors import KeyRefused, UnknownName, UsageFault
from stripe_magics.parsing import parse, write_cell, write_line
from stripe_magics.parsing.lexer import quote, split

CANARY = "sk_test_" + "4eC39HqLyjWDarjtT1zdp7dc"


# --- words

SPLITS = [
    ("a b  c", ["a", "b", "c"]),
    ("", []),
    ("   ", []),
    ("a\tb\nc", ["a", "b", "c"]),
    ("'a b' c", ["a b", "c"]),
    ('"a b" c', ["a b", "c"]),
    ('--name="Jane Doe"', ["--name=Jane Doe"]),
    ("--name='Jane Doe'x", ["--name=Jane Doex"]),
    ('-d "metadata[order_id]"=6735', ["-d", "metadata[order_id]=6735"]),
    ('"Jenny\'s"', ["Jenny's"]),
    ("'say \"hi\"'", ['say "hi"']),
    (r"C:\new\table.csv", [r"C:\new\table.csv"]),
    (r'"C:\new\table"', [r"C:\new\table"]),
    (r"'C:\new\'", ["C:\\new\\"]),
    (r"\\server\share", [r"\server\share"]),
    (r"it\'s", ["it's"]),
    (r"a\"b", ['a"b']),
    (r'"a\"b"', ['a"b']),
    (r'"a\\b"', [r"a\b"]),
    (r"a\ b", ["a\\", "b"]),
    ('""', [""]),
    ("''", [""]),
    ("a '' b", ["a", "", "b"]),
    ("a # comment", ["a"]),
    ("a #comment with 'an open quote", ["a"]),
    ("a#b", ["a#b"]),
    ("'a # b'", ["a # b"]),
    ("# only", []),
    ("a \\\n  b", ["a", "b"]),
    ("a \\\r\n  b", ["a", "b"]),
    ("a \\", ["a"]),
    ("$'line\\nbreak\\t\\x41\\u00e9'", ["line\nbreak\tA\u00e9"]),
    ("$'it\\'s'", ["it's"]),
    ("Zürich 東京 🎉", ["Zürich", "東京", "🎉"]),
    ("a\u00a0b", ["a", "b"]),
    ("{a: b}", ["{a:", "b}"]),
]


@each_row(("text", "words"), SPLITS)
def test_split(text: str, words: list[str]) -> None:
    assert [word.text for word in split(text)] == words


@each_row("text", ["'open", 'say "', "Jenny's order", "$'open\\'", '"ends in \\"'])
def test_an_open_quote_is_named(text: str) -> None:
    with pytest.raises(UsageFault, match="left open"):
        split(text)


@given(st.text())
def test_quote_is_split_back(text: str) -> None:
    word = quote(text)
    assert [each.text for each in split(word)] == [text]
    assert "\n" not in word
    assert len(split(f"a {word} b")) == 3


# --- lines


def values(line: str, cell: str | None = None, **names: object) -> dict[str, object]:
    return parse(line, cell, names).values


def test_both_spellings_of_a_flag() -> None:
    same = [
        values("payment_intents create --shipping-line1 'a b'"),
        values("payment_intents create --shipping_line1 'a b'"),
        values("payment_intents create --shipping-line1='a b'"),
        values("payment-intents create --shipping_line1='a b'"),
        values("payment_intents.create --shipping_line1='a b'"),
    ]
    assert all(each == {"shipping_line1": "a b"} for each in same)


@each_row(
    ("line", "module", "expected"),
    [
        ("customers list --email a@b.com --limit 50", "customers.list", {"email": "a@b.com", "limit": "50"}),
        ("customers retrieve cus_1", "customers.retrieve", {"customer": "cus_1"}),
        ("customers retrieve --customer cus_1", "customers.retrieve", {"customer": "cus_1"}),
        ("payment_intents capture pi_1 --amount-to-capture 15", "payment_intents.capture",
            {"payment_intent": "pi_1", "amount_to_capture": "15"}),
        ("payment_intents capture --amount-to-capture 15 pi_1", "payment_intents.capture",
            {"payment_intent": "pi_1", "amount_to_capture": "15"}),
        ("invoices finalize_invoice in_1", "invoices.finalize", {"invoice": "in_1"}),
        ("invoices void_invoice in_1", "invoices.void", {"invoice": "in_1"}),
        ("invoiceitems create --customer cus_1", "invoice_items.create", {"customer": "cus_1"}),
        ("checkout sessions create --mode payment", "checkout.sessions.create", {"mode": "payment"}),
        ("test_helpers test_clocks advance clock_1 --frozen-time 5", "test_helpers.test_clocks.advance",
            {"test_clock": "clock_1", "frozen_time": "5"}),
        ("payment_intents create --confirm", "payment_intents.create", {"confirm": True}),
        ("payment_intents create --no-confirm", "payment_intents.create", {"confirm": False}),
        ("payment_intents create --confirm=true", "payment_intents.create", {"confirm": "true"}),
        ("payment_intents create --confirm false --amount 5", "payment_intents.create",
            {"confirm": "false", "amount": "5"}),
        ("payment_intents create --confirm --customer cus_1", "payment_intents.create",
            {"confirm": True, "customer": "cus_1"}),
        ("payment_intents create --payment-method-types card,link", "payment_intents.create",
            {"payment_method_types": ["card", "link"]}),
        ("payment_intents create --payment-method-types card --payment-method-types link",
            "payment_intents.create", {"payment_method_types": ["card", "link"]}),
        ("payment_intents create --metadata a=1 --metadata b=x=y", "payment_intents.create",
            {"metadata": {"a": "1", "b": "x=y"}}),
        ("invoices create --custom-fields 'name=PO, box,value=42'", "invoices.create",
            {"custom_fields": [{"name": "PO, box", "value": "42"}]}),
        ("invoices create --custom-fields '[{\"name\": \"PO\", \"value\": 42}]'", "invoices.create",
            {"custom_fields": [{"name": "PO", "value": "42"}]}),
        ("customers create --name ''", "customers.create", {"name": ""}),
        ("customers update cus_1 --balance -500", "customers.update",
            {"customer": "cus_1", "balance": "-500"}),
        ("customers create --description -- ", "customers.create", None),
    ],
)  # fmt: skip
def test_fields(line: str, module: str, expected: dict[str, object] | None) -> None:
    if expected is None:
        with pytest.raises(UsageFault, match="needs a value"):
            parse(line)
        return
    command = parse(line)
    assert (command.module, command.values, command.params) == (module, expected, [])


def test_the_short_flags_of_stripes_tool() -> None:
    command = parse(
        "customers list -l 3 -a cus_1 -e data.default_source -v 2024-06-20 -i key-1 -d email=a@b.com -c"
    )
    assert command.values == {"limit": "3", "expand": ["data.default_source"], "starting_after": "cus_1"}
    assert command.params == [("email", "a@b.com")]
    options = command.options
    assert (options.stripe_version, options.idempotency, options.yes) == ("2024-06-20", "key-1", True)
    assert parse("customers list -b cus_2").values == {"ending_before": "cus_2"}
    assert parse("customers list -l5").values == {"limit": "5"}


def test_common_options() -> None:
    options = parse(
        "customers delete cus_1 --dry-run --yes --again --quiet --raw --out gone --idempotency k"
        " --stripe-account acct_1 --help"
    ).options
    assert options == Options(
        out="gone",
        dry_run=True,
        yes=True,
        again=True,
        raw=True,
        quiet=True,
        idempotency="k",
        stripe_account="acct_1",
        help=True,
    )
    assert parse("customers delete cus_1 --form").options == Options(form=True)


def test_confirm_is_yes_where_the_module_has_no_such_field() -> None:
    assert parse("customers delete cus_1 --confirm").options.yes
    assert parse("payment_intents create --confirm").options.yes is False


def test_brackets_and_dots_are_stripes_parameters() -> None:
    line = (
        'payment_intents create --amount=2000 -d "metadata[order_id]"=6735 -d shipping[address][line1]="1'
        ' Main St"'
    )
    assert parse(line).params == [("metadata[order_id]", "6735"), ("shipping[address][line1]", "1 Main St")]
    assert values("payment_intents create --shipping.address.line1 x") == {"shipping_line1": "x"}
    assert parse("charges create --metadata.order-id 5").params == [("metadata[order-id]", "5")]
    assert values("charges create --shipping.address.line1=x") == {"shipping_address_line1": "x"}
    assert parse("checkout sessions create --line-items.0.price price_1").params == [
        ("line_items[0][price]", "price_1")
    ]


def test_semicolon_and_comment() -> None:
    assert parse("customers list;").options.quiet
    assert parse("customers list --email a@b.com ;").options.quiet
    assert not parse("customers create --description 'a;'").options.quiet
    assert values("customers list --email a@b.com   # the first one") == {"email": "a@b.com"}


@each_row(
    ("line", "url"),
    [
        ("get /v1/customers", "/v1/customers"),
        ("get /customers", "/v1/customers"),
        ("get customers", "/v1/customers"),
        ("post payment_intents/pi_1/confirm", "/v1/payment_intents/pi_1/confirm"),
        ("get ch_123", "/v1/charges/ch_123"),
        ("delete cus_123", "/v1/customers/cus_123"),
        ("post ii_123", "/v1/invoiceitems/ii_123"),
        ("get /v2/core/events", "/v2/core/events"),
    ],
)
def test_paths_as_stripes_own_tool_takes_them(line: str, url: str) -> None:
    made = parse(line)
    assert (made.module, made.values["url"]) == ("api.call", url)


@each_row("line", ["delete customers", "get CUSTOMERS", "delete nothing_1"])
def test_no_path_after_a_method(line: str) -> None:
    with pytest.raises(UnknownName):
        parse(line)


def test_the_body_of_an_api_call_has_its_fields() -> None:
    made = parse("api call", "url: /v1/customers\nmethod: GET\nquery_string:\n  - {key: limit, value: 2}\n")
    assert made.values == {
        "url": "/v1/customers",
        "method": "GET",
        "query_string": [{"key": "limit", "value": "2"}],
    }
    assert not made.params


def test_expressions_in_braces_are_refused() -> None:
    for text in ("{{pi.id[0]}}", '"for {{a + b}}"', "{{}}"):
        with pytest.raises(UsageFault, match="only variable names are allowed in braces"):
            parse(f"customers create --name {text}", None, {"pi": 1})
    assert parse("customers create --name '{{a + b}}'").values == {"name": "{{a + b}}"}
    for body in (
        'name: "for {{a + b}}"',
        "name: for {{a + b}}",
        "name: |\n  for {{a + b}}\n",
        '{"name": "for {{a + b}}"}',
    ):
        with pytest.raises(UsageFault, match="only variable names are allowed in braces"):
            parse("customers create", body, {"a": 1})
    assert parse("customers create", "name: 'for {{a + b}}'").values == {"name": "for {{a + b}}"}


def test_nearest_flags_begin_with_what_was_typed() -> None:
    with pytest.raises(UnknownName) as caught:
        parse("payment_intents capture pi_1 --amount 5")
    assert caught.value.nearest[0] == "--amount-to-capture"


def test_nearest_variables_are_values() -> None:
    with pytest.raises(UnknownName) as caught:
        parse("customers create --name $nope", None, {"open": open, "note": "x"})
    assert caught.value.nearest == ("$note",)


def test_make_an_api_call() -> None:
    command = parse("get /v1/events --limit 10")
    assert (command.module, command.values, command.options.limit) == (
        "api.call",
        {"method": "GET", "url": "/v1/events"},
        "10",
    )
    command = parse('post /v1/customers -d name=Jenny -H "X-Trace: a b" -H "Stripe-Account: acct_1"')
    assert command.values == {
        "method": "POST",
        "url": "/v1/customers",
        "headers": [{"key": "X-Trace", "value": "a b"}],
        "stripe_account": "acct_1",
    }
    assert command.params == [("name", "Jenny")]
    assert parse("get 'https://api.stripe.com/v1/events?type=a.b'").params == [("type", "a.b")]
    assert parse("delete /v1/customers/cus_1").values["method"] == "DELETE"
    assert (
        parse("post /v2/core/events", '{"amount": 100, "deep": {"yes": true}}').values["body"]
        == '{"amount": 100, "deep": {"yes": true}}'
    )
    assert parse("post /v1/customers", "name: Jenny\nshipping:\n  name: J\n").values["body"] == {
        "name": "Jenny",
        "shipping": {"name": "J"},
    }
    with pytest.raises(UsageFault, match=r"api\.stripe\.com"):
        parse("get https://evil.example/v1/events")


@each_row(
    ("line", "error", "says"),
    [
        ("custmers list", UnknownName, "customers"),
        ("customers creat", UnknownName, "customers create"),
        ("customers", UsageFault, "Which action. customers has: search, list, create"),
        ("", UsageFault, "Which command"),
        ("customers create --nmae x", UnknownName, "--name"),
        ("customers create --na x", UnknownName, "'--na'"),
        ("customers create --name a --name b", UsageFault, "given twice"),
        ("customers create --name", UsageFault, "needs a value"),
        ("customers create --name --email a@b.com", UsageFault, "needs a value"),
        (
            "customers retrieve cus_1 cus_2",
            UsageFault,
            (
                "Unexpected argument 'cus_2'. `customers retrieve` takes one positional argument: the"
                " customer ID"
            ),
        ),
        ("api call get /v1/customers", UsageFault, "takes one positional argument: the URL"),
        ("customers retrieve cus_1 --customer cus_2", UsageFault, "Unexpected argument|given twice"),
        ("customers list jenny", UsageFault, "takes no positional argument"),
        ("customers list email", UsageFault, "Did you mean --email"),
        ("customers create -d name", UsageFault, "parameter=value"),
        ("customers create -x 1", UnknownName, "-x"),
        ("customers create --metadata novalue", UsageFault, "--metadata takes key=value"),
        ("invoices create --custom-fields nonsense", UsageFault, "--custom-fields takes rows"),
        ("customers create --dry-run=maybe", UsageFault, "takes no value"),
        ("customers create --out a --out b", UsageFault, "given twice"),
        ("customers create --api-key x", UsageFault, "no key argument"),
        ("customers create --name 'open", UsageFault, "left open"),
    ],
)
def test_bad_lines_are_explained(line: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        parse(line)


def test_parameters_that_the_facts_know_are_passed_on_the_others_are_not() -> None:
    assert parse("payment_intents create --radar-options.session rse_1").params == [
        ("radar_options[session]", "rse_1")
    ]
    command = parse("payment_intents capture --final-capture pi_1")
    assert (command.values, command.params) == ({"payment_intent": "pi_1"}, [("final_capture", "true")])
    assert parse("charges create --something-new 1").params == [("something_new", "1")]
    with pytest.raises(UnknownName):
        parse("customers create --something-new 1")


# --- names of the notebook


class Box:
    content = "cus_7"


def test_names_pass_objects_and_texts() -> None:
    box, count = Box(), 20
    assert values("customers retrieve $box.content", box=box) == {"customer": "cus_7"}
    assert values("payment_intents create --amount $count", count=count)["amount"] is count
    assert values("customers create --name 'x{{count}}'", count=1) == {"name": "x{{count}}"}
    assert values('customers create --name "a {{count}} {{ box.content }}"', count=1, box=box) == {
        "name": "a 1 cus_7"
    }
    assert values("customers create --description $20") == {"description": "$20"}
    assert values("customers create --description '$count'", count=1) == {"description": "$count"}
    assert values("customers create --metadata $map", map={"a": 1}) == {"metadata": {"a": 1}}
    assert values("customers create --description {{price}}", price=Decimal("1.50")) == {
        "description": "1.50"
    }


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(UnknownName, match=r"\$customer"):
        parse("customers retrieve $custmer", None, {"customer": "cus_1"})
    with pytest.raises(UnknownName, match="variable"):
        parse("customers create --name 'x' --description \"{{nobody}}\"")
    with pytest.raises(UnknownName, match="attribute or column"):
        parse("customers retrieve $box.contents", None, {"box": Box()})
    with pytest.raises(UsageFault, match="only text or a number"):
        parse('customers create --name "{{things}}"', None, {"things": [1]})
    with pytest.raises(UsageFault, match="float"):
        parse('customers create --name "{{price}}"', None, {"price": 1.5})


def test_frames_give_columns() -> None:
    import pandas as pd

    frame = pd.DataFrame({"id": ["cus_1", "cus_2"], "full_name": ["A", "B"]})
    command = parse(
        "customers update --from people --customer $id --name $full_name", None, {"people": frame}
    )
    assert command.options.from_ is frame
    assert list(command.values["customer"]) == ["cus_1", "cus_2"]
    assert command.sources == {"customer": "id", "name": "full_name", "from_": "people"}
    tricky = frame.assign(people="x")
    command = parse(
        "customers update --customer $id -d metadata[who]=$people --from people", None, {"people": tricky}
    )
    assert command.options.from_ is tricky
    assert list(command.values["metadata[who]"]) == ["x", "x"]
    with pytest.raises(UsageFault, match="--name takes one value; a column of 2 was given"):
        parse("customers create --name $people.full_name", None, {"people": frame})
    one = frame.head(1).assign(amount=5)
    assert values("payment_intents create --customer $c.id --amount $c.amount", c=one) == {
        "customer": "cus_1",
        "amount": 5,
    }
    assert values("invoices create --default-tax-rates $people.id", people=frame) == {
        "default_tax_rates": ["cus_1", "cus_2"]
    }
    with pytest.raises(UsageFault, match="takes a DataFrame"):
        parse("customers update --from $x", None, {"x": 1})


# --- bodies


def test_flat_names_and_stripes_nesting_mean_the_same() -> None:
    flat = values(
        "customers create", "name: Jenny\nshipping_name: J\nshipping-line1: 1 Main St\nshipping_country: NO\n"
    )
    nested = values(
        "customers create",
        "name: Jenny\nshipping:\n  name: J\n  address:\n    line1: 1 Main St\n    country: NO\n",
    )
    json = values(
        "customers create",
        '{"name": "Jenny", "shipping": {"name": "J", "address": {"line1": "1 Main St", "country": "NO"}}}',
    )
    brackets = parse("customers create", 'name: Jenny\n"shipping[name]": J\n')
    assert (
        flat
        == nested
        == json
        == {"name": "Jenny", "shipping_name": "J", "shipping_line1": "1 Main St", "shipping_country": "NO"}
    )
    assert brackets.values == {"name": "Jenny", "shipping_name": "J"}


@each_row(
    "text",
    [
        "NO",
        "01234",
        "+4915112345678",
        "12:30:45",
        "yes",
        "1e3",
        "0x1F",
        "2024-01-01",
        "1_000",
        ".5",
        "true",
        "=",
        "1.10",
    ],
)
def test_yaml_never_types_a_value(text: str) -> None:
    assert values("customers create", f"description: {text}\n") == {"description": text}


def test_body_structures() -> None:
    command = parse(
        "invoices create",
        "customer: cus_1\ncustom_fields:\n  - name: PO\n    value: 42\n  - {name: B, value: '7'}\nmetadata:\n"
        "  a: 1\ndefault_tax_rates: [txr_1, txr_2]\ndescription: |\n  two\n  lines\nfooter: ''\n",
    )
    assert command.values == {
        "customer": "cus_1",
        "custom_fields": [{"name": "PO", "value": "42"}, {"name": "B", "value": "7"}],
        "metadata": {"a": "1"},
        "default_tax_rates": ["txr_1", "txr_2"],
        "description": "two\nlines\n",
        "footer": "",
    }
    assert (
        parse(
            "checkout sessions create", "line_items:\n  - price: price_1\n    quantity: 2\nmode: payment\n"
        ).module
        == "checkout.sessions.create"
    )


def test_flags_may_stand_below() -> None:
    assert values("payment_intents create", "  --amount 2000\n  --currency usd  # dollars\n") == {
        "amount": "2000",
        "currency": "usd",
    }


def test_names_in_bodies() -> None:
    assert values(
        "customers create",
        "name: {{who}}\nemail: $mail\ndescription: '$mail {{who}}'\n",
        who="J",
        mail="a@b.com",
    ) == {"name": "J", "email": "a@b.com", "description": "$mail {{who}}"}
    assert values("customers create", '{"name": "{{who}}", "metadata": {"a": "$n"}}', who="J", n=5) == {
        "name": "J",
        "metadata": {"a": 5},
    }
    assert values("customers create", 'name: "\\x24mail"\n', mail="x") == {"name": "$mail"}


@each_row(
    ("body", "says"),
    [
        ("name: &a x\n", "anchors"),
        ("name: *a\n", "anchors"),
        ("name: !!python/object:os.system x\n", "tags"),
        ("name: !x y\n", "tags"),
        ("a: &a [x]\nb: &b [*a, *a]\n", "anchors"),
        ("name: x\nname: y\n", "Body, line 2: 'name' is given twice"),
        ('{"name": "x", "name": "y"}', "twice"),
        ("nmae: x\n", "Did you mean name"),
        ("shiping:\n  name: x\n", "Did you mean shipping"),
        ("just words\n", "`field: value` lines"),
        ("name: a: b\n", "Body, line 1, column 8: a colon inside a value"),
        ("name: x\n\temail: y\n", "Body, line 2"),
        ("- name\n", "`field: value` lines"),
        ('{"name": }', "not valid JSON"),
        ("name: x\n---\nname: y\n", "one document"),
        ("? [a]\n: b\n", "a key must be text"),
        ("a: " + "[" * 40 + "]" * 40 + "\n", "nested"),
        ('{"a": ' + "[" * 40 + "]" * 40 + "}", "nested"),
        ("name: " + "x" * 1_000_001, "the maximum is"),
    ],
)
def test_bad_bodies_are_explained(body: str, says: str) -> None:
    with pytest.raises((UsageFault, UnknownName), match=says):
        parse("customers create", body)


def test_a_field_in_the_line_and_in_the_body() -> None:
    with pytest.raises(UsageFault, match="--name is given twice"):
        parse("customers create --name A", "name: B\n")


# --- keys


@each_row(
    "key",
    [
        CANARY,
        CANARY.replace("test", "live"),
        "rk_test_" + "a1" * 12,
        "whsec_" + "abcdefgh1234",
        "sk_org_" + "a" * 12,
    ],
)
@each_row("where", ["line", "body", "variable", "param", "json", "positional"])
def test_a_key_is_refused_wherever_it_stands(key: str, where: str) -> None:
    attempts = {
        "line": ("customers create --name {key}", None, {}),
        "body": ("customers create", "name: {key}", {}),
        "variable": ("customers create --name $k", None, {"k": key}),
        "param": ("customers create -d metadata[a]={key}", None, {}),
        "json": ("customers create", '{{"metadata": {{"a": "{key}"}}}}', {}),
        "positional": ("customers retrieve {key}", None, {}),
    }
    line, cell, names = attempts[where]
    with pytest.raises(KeyRefused) as refused:
        parse(line.format(key=key), cell and cell.format(key=key), names)
    assert key not in str(refused.value)


@each_row(
    "text",
    [
        "pm_card_visa",
        "tok_visa",
        "cus_sk_test_ab",
        "pi_3_secret_abc",
        "sk_test_...",
        "task_live_1",
        "ask_test",
    ],
)
def test_other_ids_are_no_keys(text: str) -> None:
    assert values(f"customers create --name {text}") == {"name": text}


# --- written and read again

texts = st.text(max_size=30) | st.sampled_from(
    [
        "$x",
        "{{x}}",
        "a b",
        "-x",
        "--name",
        "'",
        '"',
        "a;",
        "# no",
        "NO",
        "\n",
        "true",
        "[1]",
        "{}",
        "a,b",
        "?",
        "=",
        "\\",
    ]
)


def some(own: Field) -> st.SearchStrategy[object]:
    """Raw values as a line, a body or a form gives them for a field of that kind."""
    by_kind = {
        Kind.BOOLEAN: st.booleans() | texts.filter(bool),
        Kind.METADATA: st.dictionaries(texts, texts, max_size=3) | st.just(""),
        Kind.ROWS: st.lists(
            st.dictionaries(st.sampled_from([each.name for each in own.columns] or ["a"]), texts, min_size=1),
            max_size=3,
        ),
        Kind.TEXT_LIST: st.lists(texts, max_size=3) | st.just(""),
        Kind.MULTI_CHOICE: st.lists(texts, max_size=3),
    }
    if own.role is Role.URL:
        return st.from_regex(r"/v1/[a-z_/]{1,20}", fullmatch=True)
    if own.role is Role.METHOD:
        return st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"])
    return by_kind.get(own.kind, texts)


@st.composite
def commands(draw: st.DrawFn, name: str) -> Command:
    module = catalogue.find(name)
    chosen = draw(st.lists(st.sampled_from(module.fields), unique_by=lambda own: own.name, max_size=6))
    given_values = {own.name: draw(some(own)) for own in chosen}
    if module.name == "api.call":
        given_values.setdefault("url", "/v1/events")
        given_values.setdefault("method", "POST")
    params = draw(
        st.lists(st.tuples(st.from_regex(r"metadata\[[a-z ]{1,8}\]", fullmatch=True), texts), max_size=2)
    )
    options = Options(
        out=draw(st.sampled_from(["", "df"])),
        dry_run=draw(st.booleans()),
        quiet=draw(st.booleans()),
        idempotency=draw(texts.filter(lambda text: not text or bool(text.strip()))),
        columns=draw(st.lists(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), max_size=2)),
    )
    return Command(module.name, given_values, params, options)


def split_cell(text: str) -> tuple[str, str]:
    head, _, body = text.partition("\n")
    return head.removeprefix("%").removeprefix("%stripe").strip(), body


@each_row("name", [module.name for module in catalogue.documented()])
def test_a_line_and_a_cell_read_back_as_the_same_command(name: str) -> None:
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(commands(name))
    def check(command: Command) -> None:
        assume(not KEY.search(repr(command)))
        line = write_line(command)
        assert "\n" not in line
        assert parse(line.removeprefix("%stripe ")) == command
        cell = write_cell(command)
        head, body = split_cell(cell)
        assert parse(head, body) == command

    check()


def test_what_forms_give_is_written_as_text() -> None:
    command = Command(
        "payment_intents.create",
        {
            "amount": 2000,
            "currency": "usd",
            "confirm": True,
            "description": UNSET,
            "customer": None,
            "metadata": {"n": 1},
        },
    )
    assert (
        write_line(command)
        == '%stripe payment_intents create --amount 2000 --currency usd --confirm --description ""'
        " --metadata n=1"
    )
    command = Command(
        "invoices.create",
        {
            "customer": "cus_1",
            "due_date": dt.date(2027, 1, 31),
            "custom_fields": [{"name": "PO", "value": 42}],
        },
    )
    assert (
        write_cell(command)
        == "%%stripe invoices create\ncustomer: cus_1\ndue_date: 2027-01-31\ncustom_fields:\n  - name: PO\n  "
        "  value: 42\n"
    )


def test_a_line_for_make_an_api_call() -> None:
    assert write_line(parse("get /v1/events --limit 3")) == "%stripe get /v1/events --limit 3"


def test_a_frame_cannot_be_written() -> None:
    import pandas as pd

    with pytest.raises(UsageFault, match="DataFrame"):
        write_line(Command("customers.create", {"name": pd.DataFrame({"a": [1]})}))


def test_a_file_is_a_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text(
        "email,metadata[n]\na@example.com,007\nb@example.com,\n", encoding="utf-8"
    )
    for written in ("people.csv", "'people.csv'", f"'{tmp_path}/people.csv'", "PEOPLE"):
        command = parse(
            f"customers create --from {written}", None, {"PEOPLE": pd.DataFrame({"metadata[n]": ["007", ""]})}
        )
        assert command.options.from_["metadata[n]"].tolist() == ["007", ""]
    pd.DataFrame({"email": ["a@example.com"]}).to_parquet(tmp_path / "people.parquet")
    assert parse("customers create --from people.parquet").options.from_["email"].tolist() == [
        "a@example.com"
    ]
    (tmp_path / "bad.parquet").write_text("no table", encoding="utf-8")
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    for bad in ("nowhere.csv", "bad.parquet", "empty.csv"):
        with pytest.raises(UsageFault, match=f"{bad}"):
            parse(f"customers create --from {bad}")


def test_a_path_is_text_inside_text() -> None:
    from pathlib import PurePosixPath

    command = parse("customers list --to {{folder}}/parts", None, {"folder": PurePosixPath("/data/2026")})
    assert command.options.to == "/data/2026/parts"
