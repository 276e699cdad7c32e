"""Completion: what is offered where, in lines and in bodies; a function of the text, without a request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import IPython
import pandas as pd
import pytest
from each_row import each_row
from IPython.core.completer import provisionalcompleter

from stripe_magics import bulk
from stripe_magics.client import shared_connection as connections
from stripe_magics.magics.body_completion import parents
from stripe_magics.magics.completion import suggest
from stripe_magics.magics.file_completion import file_is_next
from stripe_magics.magics.seen_ids import Seen
from stripe_magics.magics.suggestion import CompletionContext, Suggestion
from stripe_magics.pipeline import call


@pytest.fixture
def place() -> CompletionContext:
    seen = Seen()
    customers = pd.DataFrame(
        {
            "id": ["cus_Ada123", "cus_Bob456"],
            "name": ["Ada", "Bob"],
            "email": ["ada@example.com", "bob@example.com"],
        }
    )
    customers.attrs["stripe"] = {"object": "customer"}
    seen.learn(customers)
    intents = pd.DataFrame(
        {
            "id": ["pi_Paid789"],
            "customer": ["cus_Cid789"],
            "amount": [5],
            "client_secret": ["pi_Paid789_secret_x"],
        }
    )
    intents.attrs["stripe"] = {"object": "payment_intent"}
    seen.learn(intents)
    return CompletionContext(
        seen, {"people": customers, "price": 2000, "_hidden": 1, "print": print, "names": ["a"]}
    )


def texts(text: str, place: CompletionContext) -> list[str]:
    found = suggest(text, place)
    assert found is not None
    piece, hits = found
    assert text.endswith(piece)
    return [hit.text for hit in hits]


@each_row(
    "start", ["%stripe ", "r = %stripe ", "x = 1\n%stripe ", "for a in b:\n    %stripe ", "d['k'] = %stripe "]
)
def test_first_words(place: CompletionContext, start: str) -> None:
    found = texts(start, place)
    assert {"customers", "payment_intents", "checkout", "connect", "status", "get", "report"} <= set(found)
    assert found.index("customers") < found.index("accounts")
    assert texts(start + "cust", place)[0] == "customers"
    assert texts(start + "payment-in", place)[0] == "payment_intents"


def test_actions_and_nested_resources(place: CompletionContext) -> None:
    assert texts("%stripe customers ", place)[:6] == [
        "search",
        "list",
        "create",
        "retrieve",
        "update",
        "delete",
    ]
    assert texts("%stripe customers cr", place)[0] == "create"
    assert "sessions" in texts("%stripe checkout ", place)
    assert "create" in texts("%stripe checkout sessions ", place)
    assert texts("%stripe test_helpers test_clocks ad", place) == ["advance"]
    assert "advance" in texts("%stripe sandbox ", place)
    assert "--sandbox" in texts("%stripe connect --s", place)
    assert "create" in texts("%stripe help customers ", place)
    assert texts("%stripe report balance_", place) == ["balance_activity", "balance_summary"]
    assert texts("%stripe report mrr --st", place) == ["--start"]
    assert texts("%stripe pull cust", place)[0] == "customers"
    assert "invoices" in texts("%stripe sync folder customers ", place)
    assert "customers" not in texts("%stripe sync folder customers ", place)
    assert texts("%stripe modules payment_int", place)[0] == "payment_intents"


def test_flags(place: CompletionContext) -> None:
    found = texts("%stripe payment_intents create --", place)
    assert found[:2] == ["--amount", "--currency"]
    assert {"--out", "--dry-run", "--shipping-line1"} <= set(found)
    assert "--amount" not in texts("%stripe payment_intents create --amount 5 --", place)
    assert texts("%stripe payment_intents create --ship", place)[0].startswith("--shipping")
    assert texts("%stripe payment_intents create --shipping_l", place)[:2] == [
        "--shipping-line1",
        "--shipping-line2",
    ]
    assert "--postal" not in texts("%stripe customers create --postal", place)
    assert "--address-postal-code" in texts("%stripe customers create --postal", place)
    assert "--mode" in texts("%stripe checkout sessions create --mo", place)


@each_row(
    ("text", "first"),
    [
        ("%stripe payment_intents create --currency ", "usd"),
        ("%stripe payment_intents create --currency=", "usd"),
        ("%stripe payment_intents create --currency=ch", "chf"),
        ("%stripe payment_intents create --shipping-country D", "DE"),
        ("%stripe payment_intents create --payment-method-types card,li", "link"),
        ("%stripe payment_intents create --capture-method ", "automatic"),
        ("%stripe payment_intents create --confirm=", "true"),
        ("%stripe payment_intents create --customer ", "cus_Cid789"),
        ("%stripe payment_intents create --customer=cus_A", "cus_Ada123"),
        ("%stripe customers retrieve cus_B", "cus_Bob456"),
        ("%stripe customers list --email ", "ada@example.com"),
        ("%stripe customers list --limit ", "all"),
        ("%stripe customers list --limit=", "all"),
        ("%stripe payment_intents create --shipping[address][country]=D", "DE"),
        ("%stripe events watch --events customer.cr", "customer.created"),
        ("%stripe customers update --from ", "people"),
        ("%stripe customers create -d ship", "shipping[address][line1]="),
        ("%stripe payment_intents create --customer $pe", "$people"),
        ("%stripe payment_intents create --customer $people.e", "$people.email"),
        ("%stripe get /v1/cust", "/v1/customers"),
        ("%stripe payment_intents capture pi_", "pi_Paid789"),
        ("%stripe customers list \\\n  --em", "--email"),
    ],
)
def test_values(place: CompletionContext, text: str, first: str) -> None:
    found = texts(text, place)
    assert first in found[:3], found[:10]


def test_a_word_that_is_no_flag_waits_for_no_value(place: CompletionContext) -> None:
    assert "usd" not in texts("%stripe payment_intents create currency ", place)
    assert "usd" not in texts("%stripe payment_intents create --currency=eur ", place)


def test_names_are_of_frames_and_values_only(place: CompletionContext) -> None:
    found = texts("%stripe customers create --name $", place)
    assert {"$people", "$people.email", "$price", "$names"} <= set(found)
    assert not [each for each in found if "hidden" in each or "print" in each]


def test_secrets_are_never_offered(place: CompletionContext) -> None:
    assert not [each for store in place.seen.ids.values() for each in store if "_secret" in each]


BODY = "%%stripe payment_intents create --out x\namount: 5\n"


@each_row(
    ("text", "expected"),
    [
        (BODY + "curr", "currency: "),
        (BODY + "currency: ", "usd"),
        (BODY + "shipping:\n  ", "address:"),
        (BODY + "shipping:\n  address:\n    li", "line1: "),
        (BODY + "shipping:\n  address:\n    country: D", "DE"),
        (BODY + "customer: ", "cus_Cid789"),
        (BODY + "payment_method_types:\n  - ca", "card"),
        (BODY + "payment_method_types: [card, li", "link"),
        (BODY + "customer: $peo", "$people"),
        ("%%stripe invoices create\ncustom_fields:\n  - na", "name: "),
        ("%%stripe invoices create\ncustom_fields:\n  - name: PO\n    va", "value: "),
        ("# a comment\n%%stripe customers create\nna", "name: "),
        ("%%stripe customers cr", "create"),
        ("%%stripe checkout sessions create\nmo", "mode: "),
        ('%%stripe invoices create\n{\n  "cust', "customer: "),
    ],
)
def test_bodies(place: CompletionContext, text: str, expected: str) -> None:
    assert expected in texts(text, place)[:12]


def test_given_keys_are_not_offered_again(place: CompletionContext) -> None:
    found = texts(BODY + "a", place)
    assert "amount: " not in found
    assert found


def test_parents() -> None:
    assert parents("shipping:\n  name: x\n  address:", 4) == ["shipping", "address"]
    assert parents("a: 1\nrows:\n  - name: x", 4) == ["rows"]
    assert parents("a: 1\nb: 2", 0) == []


@each_row(
    "text", ["", "x = 1", "%time x", "%%time\n%x", "stripe customers", "%stripes ", "print('%d' % stripe "]
)
def test_other_text_is_not_ours(place: CompletionContext, text: str) -> None:
    assert suggest(text, place) is None


@each_row(
    "text",
    [
        "%stripe customers create --name 'Jen",
        "%stripe nothing here --x ",
        '%stripe customers create "--na',
        "%%stripe nothing\nx: ",
    ],
)
def test_odd_text_never_fails(place: CompletionContext, text: str) -> None:
    found = suggest(text, place)
    assert found is None or text.endswith(found[0])


def test_every_prefix_of_real_lines_is_answered(place: CompletionContext) -> None:
    lines = [
        (
            "%stripe payment_intents create --amount 20.00usd --customer cus_Ada123 --shipping-country DE"
            " --payment-method-types card,link"
        ),
        "%stripe checkout sessions create --mode payment --line-items.0.price price_1",
        (
            "%%stripe invoices create\ncustomer: cus_Ada123\ncustom_fields:\n  - name: PO\n    value:"
            " 42\nshipping_details:\n  address:\n    line1: x\n"
        ),
    ]
    for line in lines:
        for end in range(8, len(line) + 1):
            found = suggest(line[:end], place)
            assert found is None or all(isinstance(hit, Suggestion) for hit in found[1])


def test_the_store_is_bounded() -> None:
    from stripe_magics.magics.seen_ids import MAX_REMEMBERED

    seen = Seen()
    for start in range(0, 1000, 100):
        frame = pd.DataFrame(
            {
                "id": [f"cus_{start + n:06}" for n in range(100)],
                "email": [f"{start + n}@example.com" for n in range(100)],
            }
        )
        frame.attrs["stripe"] = {"object": "customer"}
        seen.learn(frame)
    assert len(seen.ids["customer"]) == len(seen.emails) == MAX_REMEMBERED
    assert seen.of("customer")[0][0] == "cus_000900"


def test_no_request_is_made(shell: Any, place: CompletionContext, monkeypatch: pytest.MonkeyPatch) -> None:
    from stripe_magics.client import shared_connection

    monkeypatch.setattr(shared_connection.Connection, "send", lambda *_, **__: pytest.fail("a request"))
    shell.run_cell("%stripe connect --sandbox --empty --quiet")
    for text in ("%stripe customers retrieve ", "%stripe customers list --email ", "%stripe "):
        suggest(text, CompletionContext(place.seen, shell.user_ns))


def test_columns_paths_zones_variables_and_booleans(
    place: CompletionContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.namespace["people"]["segment"] = "a"
    columns = texts("%stripe customers list --columns ", place)
    assert {"id", "segment", "address_city", "phone"} <= set(columns)
    further = texts("%stripe subscriptions list --columns customer_", place)
    assert {"customer_name", "customer_email"} <= set(further), "what the same request can bring"
    assert "data.customer" in texts("%stripe payment_intents list --expand data.", place)
    assert "customer" in texts("%stripe payment_intents retrieve pi_Paid789 --expand cus", place)
    assert texts("%stripe invoices create --auto-advance ", place)[:2] == ["true", "false"]
    assert texts("%stripe report mrr --tz Europe/Berl", place) == ["Europe/Berlin"]
    monkeypatch.setenv("ACME_STRIPE_KEY", "sk_test_none")
    assert "ACME_STRIPE_KEY" in texts("%stripe connect --env ACME", place)
    assert "sk_test_none" not in str(texts("%stripe connect --env ", place)), "a name, never a value"


@each_row("text", ['sm.call("', "x = sm.form('customers.cr", 'y = sm.call("payment_intents.', 'sm.call(  "'])
def test_modules_inside_a_python_call(shell: Any, text: str) -> None:
    from stripe_magics.magics.completion import in_python

    found = in_python(text)
    assert found is not None
    assert all(hit.text.startswith(found[0]) for hit in found[1])
    assert found[1]
    with provisionalcompleter():
        offered = [each.text for each in shell.Completer.completions(text, len(text))]
    assert found[1][0].text in offered
    assert in_python('other("customers.') is None
    assert in_python('sm.call("customers.create", ') is None


def test_settings_and_their_values(place: CompletionContext) -> None:
    assert "--max-rows" in texts("%stripe config --", place)
    assert texts("%stripe config --table ", place) == ["true", "false"]
    assert "de_CH" in texts("%stripe config --locale ", place)
    assert texts("%stripe config --max-rows ", place) == []


def test_tables_and_columns_of_a_mirror(tmp_path: Path, place: CompletionContext) -> None:
    assert texts("%%stripe sql\nselect * from ", place) == [], "there is no mirror yet"
    connection = connections.connect(sandbox=True, demo=False)
    for module, values in (("customers", {"email": "jenny@example.com"}), ("products", {"name": "Book"})):
        call(f"{module}.create", connection=connection, **values)
    mirror = tmp_path / "mirror"
    bulk.sync(mirror, "customers", "products", connection=connection, quiet=True)

    def sql(query: str, head: str = "") -> list[str]:
        return texts(f"%%stripe sql{head}\n{query}", place)

    assert sql("select * from ") == ["customers", "products"]
    assert sql("select *\nfrom customers join pr") == ["products"]
    assert sql("select * from customers c, ") == ["customers", "products"]
    assert "email" in sql("select em")
    assert "active" in sql("select p.id from customers c join products p where p.")
    assert "email" not in sql("select p.id from customers c join products p where p.e")
    assert "email" in sql("select p.id from customers as c join products p where c.e")
    assert "email" not in sql("select * from products where e"), "only columns of what is read"
    assert sql("select * from customers where email = 'cust") == [], "inside a text"
    assert sql("select nowhere.") == []
    other = tmp_path / "other"
    assert sql("select * from ", f" --target {other}") == []
    assert sql("select * from ", f" --target {mirror}") == ["customers", "products"]
    connections.connect(sandbox=True, demo=False)
    assert sql("select * from ") == [], "another connection's mirror isn't offered"
    assert sql("select * from ", f" --target {mirror}") == ["customers", "products"]
    (mirror / "products" / "_manifest.json").write_text("{")
    assert sql("select * from ", f" --target {mirror}") == [], "damaged; the query says what is wrong"
    connections.close()


def test_reports_their_options_and_their_values(place: CompletionContext) -> None:
    assert texts("%stripe report ", place)[0] == "balance_activity", "names come first"
    assert texts("%stripe report mrr_r", place) == ["mrr_rates"]
    assert texts("%stripe report mrr_rates --", place)[:2] == ["--method", "--discounts"]
    assert "chartmogul" in texts("%stripe report mrr_rates --method ", place)
    assert texts("%stripe report mrr --over ", place) == [], "a folder of the person's own"
    assert texts("%stripe customers list --columns id,ema", place) == ["email"], "after the comma"


def completed(shell: Any, text: str) -> list[str]:
    """What a person is offered at the end of a cell, ours and everybody else's."""
    with provisionalcompleter():
        return [each.text for each in shell.Completer.completions(text, len(text))]


can_silence = pytest.mark.skipif(
    IPython.version_info < (8, 6), reason="a matcher can't silence the others, before IPython 8.6"
)


@can_silence
@each_row(
    "text",
    [
        "%stripe customers create --email ", "%stripe customers create --name a", "%stripe find a",
        "%stripe customers create --amo", "%%stripe customers create\nname: a", "%%stripe sql\nselect a",
        "df = %stripe customers list --limit 5 a", "%stripe unknown a", "%stripe config --quick",
    ],
)  # fmt: skip
def test_pythons_own_names_are_never_offered_in_a_line_of_ours(shell: Any, text: str) -> None:
    shell.user_ns["amount_of_mine"] = 1
    assert completed(shell, text) == []


def test_files_are_offered_where_a_file_is_next(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text("name\n")
    assert "people.csv" in completed(shell, "%stripe customers create --from peo")
    assert "people.csv" in completed(shell, "%stripe sandbox load peo")


@each_row(
    "text, is_next",
    [
        ("%stripe customers create --from ", True), ("%stripe customers create --from=", True),
        ("%stripe customers list --to peo", True), ("%stripe customers create --from $peo", False),
        ("%stripe customers create --name ", False), ("%stripe customers create --name=", False),
        ("%stripe sandbox load ", True), ("%stripe sandbox save peo", True), ("%stripe sandbox ", False),
        ("%stripe script ", True), ("%stripe script --yes peo", True), ("%stripe script a.py ", False),
        ("%stripe sync ", True), ("%stripe sync mirror ", False), ("%stripe sync --verify ", True),
        ("%stripe sync mirror --verify ", False), ("%stripe sync --export x.duckdb peo", True),
        ("%stripe sync mirror --export ", True), ("%stripe pull --to ", True), ("%stripe pull cus", False),
        ("%stripe report mrr --over ", True), ("%stripe report mrr --month ", False),
        ("%stripe close --verify ", True), ("%stripe close --map=", True), ("%stripe close --who ", False),
        ("%stripe journal --to ", True), ("%%stripe sql --target ", True), ("%stripe sql ", False),
        ("%stripe events endpoints --to ", True), ("%stripe events endpoints --delete ", False),
        ("%stripe close --to 'an open quote", False), ("x = 1", False),
        ("%%stripe customers create --from peo", True),
        ("%%stripe customers create --form\nname: --to ", False), ("%stripe \\\n customers list --to ", True),
    ],
)  # fmt: skip
def test_where_a_file_is_next_is_what_flags_and_words_declare(text: str, *, is_next: bool) -> None:
    assert file_is_next(text) is is_next


@can_silence
def test_files_are_not_offered_as_other_values(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text("name\n")
    assert completed(shell, "%stripe customers create --name peo") == []
