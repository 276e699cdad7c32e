"""The generated operations: the shipped file against the published package, and the modules that are made of
it."""

from each_row import each_row

from stripe_magics.catalogue.field import Kind, Role
from stripe_magics.catalogue.generated import effects, facts, operations
from stripe_magics.catalogue.module import Effect
from stripe_magics.catalogue.versions import NEWEST_VERSION

READ, CREATE, UPDATE, IRREVERSIBLE = Effect.READ, Effect.CREATE, Effect.UPDATE, Effect.IRREVERSIBLE


def test_the_facts_hold_no_sentences():
    known = facts.data()
    texts = [text for choices in known.choices for text in choices]
    assert not [text for text in texts if " " in text and len(text.split()) > 3]
    assert all(" " not in name for shape in known.shapes for name, _, _ in shape)
    assert facts.DATA.stat().st_size < 100_000


def test_every_action_is_judged_by_name():
    """A new release brings new actions: each must be put into a table of `effects` by somebody who knows what
    it does."""
    known = facts.data().operations.values()
    assert not [each.name for each in known if not effects.is_judged(each.name, each.method)]
    assert not effects.is_judged("customers.teleport", "POST")
    assert not effects.is_judged("teleporters.create", "POST")
    assert effects.effect("customers.teleport", "POST") is IRREVERSIBLE
    actions = {each.name.rpartition(".")[2] for each in known}
    creations = {each.name.rpartition(".")[0] for each in known if each.name.endswith(".create")}
    tables = (effects.MOVES_MONEY, effects.DESTROYS, effects.REVERSIBLE)
    assert not set().union(*tables) - actions
    assert not (effects.CREATIONS_THAT_MOVE_MONEY | effects.OTHER_CREATIONS) - creations
    assert sum(map(len, tables)) == len(set().union(*tables))


def test_every_operation_makes_a_module():
    names = operations.operation_names()
    assert len(names) >= 550
    for name in names:
        module = operations.operation(name)
        assert module is not None
        assert module.name == name
        assert not module.documented
        assert module.version in {"", NEWEST_VERSION}
        assert module.path.startswith(("/v1/", "/v2/"))
        assert [each.name for each in module.path_fields] == [
            part[1:-1] for part in module.path.split("/") if part.startswith("{")
        ]
        assert module.lists == (module.method == "GET" and module.returns.startswith("list["))
        for field in module.fields:
            assert (
                field.kind in {Kind.CHOICE, Kind.MULTI_CHOICE, Kind.TIMESTAMP, Kind.TEXT} or not field.choices
            ), field
            assert field.kind not in {Kind.CHOICE, Kind.MULTI_CHOICE} or field.choices, field
            assert field.name.replace("_", "").isalnum(), field
            if field.currency:
                assert module.get(field.currency).kind is Kind.CURRENCY


SPOT = [
    ("customers.create", "POST", "/v1/customers", "customer", CREATE),
    ("customers.search", "GET", "/v1/customers/search", "list[customer]", READ),
    ("customers.delete", "DELETE", "/v1/customers/{customer}", "customer", IRREVERSIBLE),
    ("customers.list_payment_methods", "GET", "/v1/customers/{customer}/payment_methods",
        "list[payment_method]", READ),
    ("customer_balance_transactions.list", "GET", "/v1/customers/{customer}/balance_transactions",
     "list[customer_balance_transaction]", READ),
    ("checkout.sessions.create", "POST", "/v1/checkout/sessions", "checkout.session", CREATE),
    ("checkout.sessions.list_line_items", "GET", "/v1/checkout/sessions/{session}/line_items", "list[item]",
        READ),
    ("test_helpers.test_clocks.advance", "POST", "/v1/test_helpers/test_clocks/{test_clock}/advance",
        "test_helpers.test_clock", UPDATE),
    ("test_helpers.issuing.cards.deliver_card", "POST",
        "/v1/test_helpers/issuing/cards/{card}/shipping/deliver", "issuing.card", UPDATE),
    ("billing_portal.configurations.list", "GET", "/v1/billing_portal/configurations",
        "list[billing_portal.configuration]", READ),
    ("issuing.cards.create", "POST", "/v1/issuing/cards", "issuing.card", CREATE),
    ("issuing.authorizations.approve", "POST", "/v1/issuing/authorizations/{authorization}/approve",
        "issuing.authorization", IRREVERSIBLE),
    ("subscriptions.create", "POST", "/v1/subscriptions", "subscription", IRREVERSIBLE),
    ("subscriptions.cancel", "DELETE", "/v1/subscriptions/{subscription}", "subscription", IRREVERSIBLE),
    ("subscriptions.update", "POST", "/v1/subscriptions/{subscription}", "subscription", UPDATE),
    ("prices.create", "POST", "/v1/prices", "price", CREATE),
    ("products.search", "GET", "/v1/products/search", "list[product]", READ),
    ("charges.capture", "POST", "/v1/charges/{charge}/capture", "charge", IRREVERSIBLE),
    ("disputes.close", "POST", "/v1/disputes/{dispute}/close", "dispute", IRREVERSIBLE),
    ("disputes.update", "POST", "/v1/disputes/{dispute}", "dispute", UPDATE),
    ("invoices.send_invoice", "POST", "/v1/invoices/{invoice}/send", "invoice", IRREVERSIBLE),
    ("invoices.pay", "POST", "/v1/invoices/{invoice}/pay", "invoice", IRREVERSIBLE),
    ("setup_intents.confirm", "POST", "/v1/setup_intents/{setup_intent}/confirm", "setup_intent",
        IRREVERSIBLE),
    ("transfer_reversals.create", "POST", "/v1/transfers/{id}/reversals", "transfer_reversal", IRREVERSIBLE),
    ("treasury.outbound_payments.cancel", "POST", "/v1/treasury/outbound_payments/{id}/cancel",
        "treasury.outbound_payment", IRREVERSIBLE),
    ("terminal.readers.process_payment_intent", "POST",
        "/v1/terminal/readers/{reader}/process_payment_intent", "terminal.reader", IRREVERSIBLE),
    ("reporting.report_runs.create", "POST", "/v1/reporting/report_runs", "reporting.report_run", CREATE),
    ("radar.value_list_items.delete", "DELETE", "/v1/radar/value_list_items/{item}", "radar.value_list_item",
        IRREVERSIBLE),
    ("payment_methods.attach", "POST", "/v1/payment_methods/{payment_method}/attach", "payment_method",
        UPDATE),
    ("files.create", "POST", "/v1/files", "file", CREATE),
]  # fmt: skip


@each_row(("name", "method", "path", "returns", "effect"), SPOT, ids=[each[0] for each in SPOT])
def test_named_operations(name, method, path, returns, effect):
    module = operations.operation(name)
    assert (module.method, module.path, module.returns, module.effect) == (method, path, returns, effect)


def field(operation, name):
    return operations.operation(operation).get(name)


@each_row(
    ("operation", "name", "param", "kind"),
    [
        ("prices.create", "unit_amount", "unit_amount", Kind.MINOR_AMOUNT),
        ("prices.create", "currency", "currency", Kind.CURRENCY),
        ("prices.create", "recurring_interval", "recurring[interval]", Kind.CHOICE),
        ("prices.create", "unit_amount_decimal", "unit_amount_decimal", Kind.DECIMAL),
        ("prices.create", "active", "active", Kind.BOOLEAN),
        ("prices.create", "metadata", "metadata", Kind.METADATA),
        ("prices.create", "currency_options", "currency_options", Kind.JSON),
        (
            "payment_methods.create",
            "billing_details_address_line1",
            "billing_details[address][line1]",
            Kind.TEXT,
        ),
        (
            "payment_methods.create",
            "billing_details_address_country",
            "billing_details[address][country]",
            Kind.COUNTRY,
        ),
        ("payment_methods.create", "billing_details_email", "billing_details[email]", Kind.EMAIL),
        ("payment_methods.create", "billing_details_phone", "billing_details[phone]", Kind.PHONE),
        ("payment_methods.create", "card_token", "card[token]", Kind.TEXT),
        ("checkout.sessions.create", "success_url", "success_url", Kind.URL),
        ("checkout.sessions.create", "expires_at", "expires_at", Kind.TIMESTAMP),
        ("checkout.sessions.create", "line_items", "line_items", Kind.JSON),
        (
            "checkout.sessions.create",
            "allowed_payment_method_types",
            "allowed_payment_method_types",
            Kind.MULTI_CHOICE,
        ),
        ("checkout.sessions.create", "customer", "customer", Kind.OBJECT_ID),
        ("subscriptions.create", "trial_end", "trial_end", Kind.TIMESTAMP),
        ("subscriptions.create", "off_session", "off_session", Kind.BOOLEAN),
        ("subscriptions.list", "created", "created", Kind.TIMESTAMP_FILTER),
        ("subscriptions.list", "created_gte", "created[gte]", Kind.TIMESTAMP),
        ("topups.list", "amount_lt", "amount[lt]", Kind.INTEGER),
        ("products.create", "images", "images", Kind.TEXT_LIST),
        ("products.create", "description", "description", Kind.LONG_TEXT),
        ("setup_intents.confirm", "setup_intent", "path", Kind.OBJECT_ID),
        ("test_helpers.test_clocks.advance", "frozen_time", "frozen_time", Kind.TIMESTAMP),
        (
            "tax.registrations.create",
            "country_options_in_type",
            "country_options[in][type]",
            Kind.CHOICE,
        ),  # a reserved word
    ],
)
def test_kinds(operation, name, param, kind):
    found = field(operation, name)
    assert (found.param, found.kind) == (param, kind)
    assert operations.operation(operation).by_param(param) is (found if param != "path" else None)


def test_rows_have_their_columns():
    found = field("invoice_items.update", "discounts")
    assert found.kind is Kind.ROWS
    assert [column.param for column in found.columns] == ["coupon", "discount", "promotion_code"]


def test_required_stands_first_and_only_where_it_always_holds():
    prices = operations.operation("prices.create")
    assert prices.fields[0].name == "currency"
    assert prices.get("currency").required
    # needed inside `recurring`, which itself may be left out
    assert not prices.get("recurring_interval").required
    assert operations.operation("subscriptions.cancel").fields[0].required


def test_amounts_know_their_currency():
    assert field("prices.create", "unit_amount").currency == "currency"
    assert field("invoice_items.update", "price_data_unit_amount").currency == "price_data_currency"


def test_ids_know_their_object():
    assert field("transfer_reversals.list", "id").object == "transfer"
    assert field("subscriptions.retrieve", "subscription").object == "subscription"
    assert field("subscriptions.create", "default_payment_method").object == "payment_method"


def test_lists_have_a_limit_of_their_own_kind():
    assert operations.operation("prices.list").by_role(Role.LIMIT).name == "limit"
    assert operations.operation("prices.list").get("expand") is None  # an option of every call


@each_row(
    ("alias", "name"),
    [
        ("customers.balance_transactions.list", "customer_balance_transactions.list"),
        ("customers.payment_methods.list", "customers.list_payment_methods"),
        ("customers.create_tax_id", "customers.tax_ids.create"),
        ("invoiceitems.create", "invoice_items.create"),
        ("invoices.line_items.update", "invoice_line_items.update"),
        ("issuing.cards.test_helpers.deliver_card", "test_helpers.issuing.cards.deliver_card"),
        ("accounts.list_persons", "persons.list"),
        ("scheduled_query_runs.list", "sigma.scheduled_query_runs.list"),
    ],
)
def test_other_names(alias, name):
    assert operations.operation(alias).name == name


def test_names_are_unambiguous():
    names = operations.operation_names()
    aliases = [alias for name in names for alias in operations.operation(name).aliases]
    assert len(set(names)) == len(names)
    assert len(set(aliases)) == len(aliases)
    assert not set(aliases) & set(names)
    assert operations.operation("customers.teleport") is None


def test_confirming_makes_a_creation_irreversible():
    assert operations.operation("payment_intents.create").effects == (("confirm", "true", IRREVERSIBLE),)


def test_uploads_are_flagged():
    assert [name for name in operations.operation_names() if operations.operation(name).files] == [
        "files.create"
    ]


def test_every_documented_module_is_among_the_facts():
    """But for Make an API Call, which is any endpoint."""
    from stripe_magics import catalogue

    known = set(operations.endpoints().values())
    unknown = [
        each.name for each in catalogue.documented() if (each.method, facts.anonymous(each.path)) not in known
    ]
    assert unknown == ["api.call"]
