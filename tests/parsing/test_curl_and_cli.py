# ruff: noqa: PD011 - no frames here
"""Lines as they stand in Stripe's documentation, pasted after `%stripe` or into a `%%stripe` cell: read,
bound and planned."""

from __future__ import annotations

import pytest
from each_row import each_row

from stripe_magics import pipeline
from stripe_magics.errors import KeyRefused, UsageFault
from stripe_magics.parsing import parse

KEY = "sk_test_" + "4eC39HqLyjWDarjtT1zdp7dc"

# line, HTTP method, path, some of the parameters that go out
LINES = [
    ("stripe customers create --email=jenny.rosen@example.com", "POST", "/v1/customers",
        {"email": "jenny.rosen@example.com"}),
    ('stripe customers create --name="Jenny Rosen" --email="jennyrosen@example.com"', "POST", "/v1/customers",
        {"name": "Jenny Rosen"}),
    ("stripe customers list --limit=3", "GET", "/v1/customers", {}),
    ("stripe customers retrieve cus_NffrFeUfNV2Hib", "GET", "/v1/customers/cus_NffrFeUfNV2Hib", {}),
    ('stripe customers update cus_NffrFeUfNV2Hib -d "metadata[order_id]"=6735', "POST",
        "/v1/customers/cus_NffrFeUfNV2Hib", {"metadata[order_id]": "6735"}),
    ("stripe customers delete cus_NffrFeUfNV2Hib", "DELETE", "/v1/customers/cus_NffrFeUfNV2Hib", {}),
    ("stripe customers search --query=\"name:'Jane Doe' AND metadata['foo']:'bar'\"", "GET",
        "/v1/customers/search", {}),
    ('stripe payment_intents create --amount=2000 --currency=usd -d "automatic_payment_methods[enabled]"=true',
     "POST", "/v1/payment_intents",
     {"amount": "2000", "currency": "usd", "automatic_payment_methods[enabled]": "true"}),
    ('stripe payment_intents create --amount=1099 --currency=usd -d "payment_method_types[0]"=card', "POST",
        "/v1/payment_intents", {"payment_method_types[0]": "card"}),
    ("stripe payment_intents create --amount=500 --currency=gbp --payment-method=pm_card_visa --confirm=true --off-session=true",
     "POST", "/v1/payment_intents", {"confirm": "true"}),
    ('stripe payment_intents confirm pi_3MtweELkdIwHu7ix0Dt0gF2H --payment-method=pm_card_visa --return-url="https://www.example.com"',
     "POST",
     "/v1/payment_intents/pi_3MtweELkdIwHu7ix0Dt0gF2H/confirm",
     {"payment_method": "pm_card_visa", "return_url": "https://www.example.com"}),
    ("stripe payment_intents capture pi_3MrPBM2eZvKYlo2C1TEMacFD --amount-to-capture=750", "POST",
        "/v1/payment_intents/pi_3MrPBM2eZvKYlo2C1TEMacFD/capture", {"amount_to_capture": "750"}),
    ("stripe payment_intents cancel pi_3MtwBwLkdIwHu7ix28a3tqPa", "POST",
        "/v1/payment_intents/pi_3MtwBwLkdIwHu7ix28a3tqPa/cancel", {}),
    ("stripe payment_intents list --limit=3", "GET", "/v1/payment_intents", {}),
    ('stripe payment_intents update pi_3MtwBwLkdIwHu7ix28a3tqPa -d "metadata[order_id]"=6735', "POST",
        "/v1/payment_intents/pi_3MtwBwLkdIwHu7ix28a3tqPa", {}),
    ("stripe payment_intents increment_authorization pi_3MtwBwLkdIwHu7ix28a3tqPa --amount=2099", "POST",
        "/v1/payment_intents/pi_3MtwBwLkdIwHu7ix28a3tqPa/increment_authorization", {"amount": "2099"}),
    ('stripe payment_methods create --type=card -d "card[number]"=4242424242424242 -d "card[exp_month]"=8 -d "card[exp_year]"=2030 -d "card[cvc]"=314',
     "POST", "/v1/payment_methods", {"type": "card", "card[exp_month]": "8"}),
    ("stripe payment_methods attach pm_1MqM05LkdIwHu7ixlDxxO6Mc --customer=cus_NbZ8Ki3f322LNn", "POST",
        "/v1/payment_methods/pm_1MqM05LkdIwHu7ixlDxxO6Mc/attach", {"customer": "cus_NbZ8Ki3f322LNn"}),
    ("stripe payment_methods detach pm_1MqLiJLkdIwHu7ixUEgbFdYF", "POST",
        "/v1/payment_methods/pm_1MqLiJLkdIwHu7ixUEgbFdYF/detach", {}),
    ("stripe payment_methods list --type=card --limit=3 --customer=cus_9s6XKzkNRiz8i3", "GET",
        "/v1/payment_methods", {"type": "card"}),
    ("stripe charges create --amount=1099 --currency=usd --source=tok_visa", "POST", "/v1/charges",
        {"amount": "1099", "source": "tok_visa"}),
    ("stripe charges capture ch_3MrVHGLkdIwHu7ix1mN3zEiP", "POST",
        "/v1/charges/ch_3MrVHGLkdIwHu7ix1mN3zEiP/capture", {}),
    ("stripe charges retrieve ch_3MmlLrLkdIwHu7ix0snN0B15 --expand=customer", "GET",
        "/v1/charges/ch_3MmlLrLkdIwHu7ix0snN0B15", {}),
    ("stripe refunds create --charge=ch_1NirD82eZvKYlo2CIvbtLWuY", "POST", "/v1/refunds",
        {"charge": "ch_1NirD82eZvKYlo2CIvbtLWuY"}),
    ("stripe refunds create --payment-intent=pi_Aabcxyz01aDfoo --amount=1000", "POST", "/v1/refunds",
        {"amount": "1000"}),
    ("stripe refunds cancel re_1Nispe2eZvKYlo2Cd31jOCgZ", "POST",
        "/v1/refunds/re_1Nispe2eZvKYlo2Cd31jOCgZ/cancel", {}),
    ('stripe disputes update du_1MtJUT2eZvKYlo2CNaw2HvEv -d "evidence[customer_name]"="Jane Austen" --submit=true',
     "POST", "/v1/disputes/du_1MtJUT2eZvKYlo2CNaw2HvEv",
     {"evidence[customer_name]": "Jane Austen", "submit": "true"}),
    ("stripe disputes close du_1MtJUT2eZvKYlo2CNaw2HvEv", "POST",
        "/v1/disputes/du_1MtJUT2eZvKYlo2CNaw2HvEv/close", {}),
    ('stripe products create --name="Gold Plan"', "POST", "/v1/products", {"name": "Gold Plan"}),
    ('stripe products create --name=T-shirt -d "default_price_data[unit_amount]"=2000 -d "default_price_data[currency]"=usd -d "expand[0]"=default_price',
     "POST", "/v1/products", {"default_price_data[unit_amount]": "2000"}),
    ('stripe prices create --currency=usd --unit-amount=1000 -d "recurring[interval]"=month -d "product_data[name]"="Gold Plan"',
     "POST", "/v1/prices", {"unit_amount": "1000", "recurring[interval]": "month"}),
    ("stripe prices list --limit=3 --active=true", "GET", "/v1/prices", {"active": "true"}),
    ("stripe coupons create --duration=repeating --duration-in-months=3 --percent-off=25.5", "POST",
        "/v1/coupons", {"percent_off": "25.5"}),
    ('stripe promotion_codes create -d "promotion[type]"=coupon -d "promotion[coupon]"=ZCUEnwyO --code=VIPCODE',
     "POST", "/v1/promotion_codes", {"code": "VIPCODE"}),
    ('stripe subscriptions create --customer=cus_Na6dX7aXxi11N4 -d "items[0][price]"=price_1MowQULkdIwHu7ixraBm864M',
     "POST", "/v1/subscriptions", {"items[0][price]": "price_1MowQULkdIwHu7ixraBm864M"}),
    ("stripe subscriptions cancel sub_1MlPf9LkdIwHu7ixB6VIYRyX", "DELETE",
        "/v1/subscriptions/sub_1MlPf9LkdIwHu7ixB6VIYRyX", {}),
    ("stripe subscriptions update sub_1MowQVLkdIwHu7ixeRlqHVzs --cancel-at-period-end=true", "POST",
        "/v1/subscriptions/sub_1MowQVLkdIwHu7ixeRlqHVzs", {"cancel_at_period_end": "true"}),
    ("stripe subscription_items create --subscription=sub_1Mr6rbLkdIwHu7ix4Xm9Ahtd --price=price_1Mr6rdLkdIwHu7ixwPmiybbR --quantity=2",
     "POST", "/v1/subscription_items", {"quantity": "2"}),
    ("stripe subscription_schedules release sub_sched_1Mr3YdLkdIwHu7ixjop3qtff", "POST",
        "/v1/subscription_schedules/sub_sched_1Mr3YdLkdIwHu7ixjop3qtff/release", {}),
    ("stripe invoices create --customer=cus_NeZwdNtLEOXuvB", "POST", "/v1/invoices",
        {"customer": "cus_NeZwdNtLEOXuvB"}),
    ("stripe invoices finalize_invoice in_1MtGmCLkdIwHu7ix6PgS6g8S", "POST",
        "/v1/invoices/in_1MtGmCLkdIwHu7ix6PgS6g8S/finalize", {}),
    ("stripe invoices pay in_1MtGmCLkdIwHu7ix6PgS6g8S", "POST",
        "/v1/invoices/in_1MtGmCLkdIwHu7ix6PgS6g8S/pay", {}),
    ("stripe invoices send_invoice in_1MtGmCLkdIwHu7ixJlO7kIUc", "POST",
        "/v1/invoices/in_1MtGmCLkdIwHu7ixJlO7kIUc/send", {}),
    ("stripe invoices void_invoice in_1MtGmCLkdIwHu7ix6PgS6g8S", "POST",
        "/v1/invoices/in_1MtGmCLkdIwHu7ix6PgS6g8S/void", {}),
    ("stripe invoices mark_uncollectible in_1MtGmCLkdIwHu7ix6PgS6g8S", "POST",
        "/v1/invoices/in_1MtGmCLkdIwHu7ix6PgS6g8S/mark_uncollectible", {}),
    ("stripe invoiceitems create --customer=cus_NeZei8imSbMVvi --price=price_1MtGUsLkdIwHu7ix1be5Ljaj",
        "POST", "/v1/invoiceitems", {"customer": "cus_NeZei8imSbMVvi"}),
    ("stripe credit_notes create --invoice=in_1MxvRkLkdIwHu7ixABNtI99m --amount=500", "POST",
        "/v1/credit_notes", {"amount": "500"}),
    ('stripe quotes create --customer=cus_NheGyY2EdQXIBW -d "line_items[0][price]"=price_1MwpNE -d "line_items[0][quantity]"=2',
     "POST", "/v1/quotes", {"line_items[0][quantity]": "2"}),
    ('stripe payment_links create -d "line_items[0][price]"=price_1MoC3TLkdIwHu7ixcIbKelAC -d "line_items[0][quantity]"=1',
     "POST", "/v1/payment_links", {"line_items[0][quantity]": "1"}),
    ("stripe payment_links list_line_items plink_1N4CWjLkdIwHu7ix2Y2F1kqb --limit=3", "GET",
        "/v1/payment_links/plink_1N4CWjLkdIwHu7ix2Y2F1kqb/line_items", {}),
    ('stripe checkout sessions create --success-url="https://example.com/success" -d "line_items[0][price]"=price_1MotwRLkdIwHu7ixYcPLm5uZ -d "line_items[0][quantity]"=2 --mode=payment',
     "POST", "/v1/checkout/sessions",
     {"mode": "payment", "success_url": "https://example.com/success", "line_items[0][quantity]": "2"}),
    ("stripe checkout sessions expire cs_test_a1Ae6ClgOkjygKwrf9B3L6ITtUuZW4Xx9FivL6DZYoYdsMzb", "POST",
        "/v1/checkout/sessions/cs_test_a1Ae6ClgOkjygKwrf9B3L6ITtUuZW4Xx9FivL6DZYoYdsMzb/expire", {}),
    ('stripe billing_portal sessions create --customer=cus_NciAYcXfLnqBoz --return-url="https://example.com/account"',
     "POST", "/v1/billing_portal/sessions", {"customer": "cus_NciAYcXfLnqBoz"}),
    ("stripe balance retrieve", "GET", "/v1/balance", {}),
    ("stripe balance_transactions list --limit=3", "GET", "/v1/balance_transactions", {}),
    ("stripe balance_transactions retrieve txn_1MiN3gLkdIwHu7ixxapQrznl", "GET",
        "/v1/balance_transactions/txn_1MiN3gLkdIwHu7ixxapQrznl", {}),
    ("stripe payouts create --amount=1100 --currency=usd", "POST", "/v1/payouts", {"amount": "1100"}),
    ("stripe payouts reverse po_1OaFDbEcg9tTZuTgNYmX0PKB", "POST",
        "/v1/payouts/po_1OaFDbEcg9tTZuTgNYmX0PKB/reverse", {}),
    ('stripe setup_intents create -d "payment_method_types[0]"=card', "POST", "/v1/setup_intents",
        {"payment_method_types[0]": "card"}),
    ("stripe transfers create --amount=400 --currency=usd --destination=acct_1MTfjCQ9PRzxEwkZ --transfer-group=ORDER_95",
     "POST", "/v1/transfers", {"transfer_group": "ORDER_95"}),
    ('stripe accounts create --country=US --email="jenny.rosen@example.com" -d "controller[fees][payer]"=application',
     "POST", "/v1/accounts", {"controller[fees][payer]": "application"}),
    ('stripe tax_rates create --display-name=VAT --description="VAT Germany" --percentage=16 --jurisdiction=DE --inclusive=false',
     "POST", "/v1/tax_rates", {"inclusive": "false"}),
    ('stripe tax calculations create --currency=usd -d "line_items[0][amount]"=1000 -d "line_items[0][reference]"=L1 -d "customer_details[address][country]"=US -d "customer_details[address_source]"=shipping',
     "POST", "/v1/tax/calculations", {"line_items[0][amount]": "1000"}),
    ('stripe webhook_endpoints create -d "enabled_events[0]"=charge.succeeded --url="https://example.com/my/webhook/endpoint"',
     "POST", "/v1/webhook_endpoints", {"url": "https://example.com/my/webhook/endpoint"}),
    ("stripe events list --limit=3", "GET", "/v1/events", {}),
    ("stripe events retrieve evt_1NG8Du2eZvKYlo2CUI79vXWy", "GET", "/v1/events/evt_1NG8Du2eZvKYlo2CUI79vXWy",
        {}),
    ("stripe test_helpers test_clocks create --frozen-time=1577836800", "POST",
        "/v1/test_helpers/test_clocks", {"frozen_time": "1577836800"}),
    ("stripe test_helpers test_clocks advance clock_1Mr3I22eZvKYlo2Ck0rgMqd7 --frozen-time=1675552261",
        "POST", "/v1/test_helpers/test_clocks/clock_1Mr3I22eZvKYlo2Ck0rgMqd7/advance",
        {"frozen_time": "1675552261"}),
    ('stripe issuing cardholders create --type=individual --name="Jenny Rosen" -d "billing[address][line1]"="1234 Main Street" -d "billing[address][city]"="San Francisco" -d "billing[address][country]"=US -d "billing[address][postal_code]"=94111',
     "POST", "/v1/issuing/cardholders", {"billing[address][postal_code]": "94111"}),
    ("stripe terminal readers list --limit=3", "GET", "/v1/terminal/readers", {}),
    ("stripe get /v1/charges/ch_123", "GET", "/v1/charges/ch_123", {}),
    ("stripe post /v1/payment_intents -d amount=2000 -d currency=usd", "POST", "/v1/payment_intents",
        {"amount": "2000", "currency": "usd"}),
    ("stripe delete /v1/customers/cus_9s6XKzkNRiz8i3", "DELETE", "/v1/customers/cus_9s6XKzkNRiz8i3", {}),
]  # fmt: skip


def prepared(line: str, cell: str | None = None):
    request = pipeline.prepare(parse(line, cell))
    return request.method, request.path, dict(request.params)


def test_comments_and_prompts_above_are_passed_over() -> None:
    text = (
        "# Set your secret key.\n# See your keys here: https://dashboard.stripe.com/apikeys\n$ stripe"
        " customers list --limit=3\n"
    )
    assert parse("", text).values == {"limit": "3"}


def test_the_table_is_large_enough() -> None:
    assert len(LINES) >= 60
    assert len({line.split()[1] for line, *_ in LINES}) >= 20


@each_row(
    ("line", "method", "path", "params"), LINES, ids=[" ".join(line.split()[1:3]) for line, *_ in LINES]
)
@each_row("how", ["after the magic", "with its tool", "prompt in a cell", "broken lines"])
def test_pasted_lines_of_the_command_line_tool(
    line: str, method: str, path: str, params: dict[str, str], how: str
) -> None:
    found = {
        "after the magic": lambda: prepared(line.removeprefix("stripe ")),
        "with its tool": lambda: prepared(line),
        "prompt in a cell": lambda: prepared("", f"$ {line}\n"),
        "broken lines": lambda: prepared("", line.replace(" -", " \\\n  -")),
    }[how]()
    assert found[:2] == (method, path)
    assert {name: found[2].get(name) for name in params} == params


CURLS = [
    ('curl https://api.stripe.com/v1/customers \\\n  -u {key}: \\\n  -d name="Jenny Rosen" \\\n  --data-urlencode email="jenny+a@example.com"',
     "customers.create",
     ("POST", "/v1/customers", {"name": "Jenny Rosen", "email": "jenny+a@example.com"})),
    ('curl https://api.stripe.com/v1/payment_intents \\\n  -u "{key}:" \\\n  -d amount=2000 \\\n  -d currency=usd \\\n  -d "automatic_payment_methods[enabled]"=true', "payment_intents.create",
     ("POST", "/v1/payment_intents", {"amount": "2000", "currency": "usd",
         "automatic_payment_methods[enabled]": "true"})),
    ('curl -G https://api.stripe.com/v1/customers -u "{key}:" -d limit=3', "customers.list",
        ("GET", "/v1/customers", {"limit": "3"})),
    ("curl https://api.stripe.com/v1/customers/cus_1 -u {key}:", "customers.retrieve",
        ("GET", "/v1/customers/cus_1", {})),
    ("curl -X DELETE https://api.stripe.com/v1/customers/cus_1 -u {key}:", "customers.delete",
        ("DELETE", "/v1/customers/cus_1", {})),
    ("curl https://api.stripe.com/v1/refunds -u {key}: -d 'charge=ch_1&amount=500'", "refunds.create",
        ("POST", "/v1/refunds", {"charge": "ch_1", "amount": "500"})),
    ('curl https://api.stripe.com/v1/checkout/sessions -H "Authorization: Bearer {key}" -d mode=payment --data-urlencode success_url="https://example.com/success" -d "line_items[0][price]"=price_1',
     "checkout.sessions.create",
     ("POST", "/v1/checkout/sessions", {"mode": "payment", "success_url": "https://example.com/success",
         "line_items[0][price]": "price_1"})),
    ("curl https://{key}:@api.stripe.com/v1/balance", "balance.retrieve", ("GET", "/v1/balance", {})),
    ("curl -X POST https://api.stripe.com/v1/invoices/in_1/finalize -u {key}:", "invoices.finalize",
        ("POST", "/v1/invoices/in_1/finalize", {})),
    ("curl 'https://api.stripe.com/v1/charges?limit=3&customer=cus_1' -u {key}:", "charges.list",
        ("GET", "/v1/charges", {"customer": "cus_1"})),
    ("curl https://api.stripe.com/v1/nothing/known -u {key}: -d a=b", "api.call",
        ("POST", "/v1/nothing/known", {"a": "b"})),
]  # fmt: skip


@each_row(("text", "module", "expected"), CURLS)
@each_row("where", ["line", "cell"])
def test_pasted_curl(text: str, module: str, expected: tuple[str, str, dict[str, str]], where: str) -> None:
    text = text.format(key=KEY)
    command = parse(text) if where == "line" else parse("--out x", text)
    assert command.module == module
    assert KEY not in repr(command)
    assert any("dropped and not used" in note for note in command.notes)
    assert command.options.out == ("x" if where == "cell" else "")
    request = pipeline.prepare(command)
    assert (request.method, request.path) == expected[:2]
    params = dict(request.params)
    if "limit" in expected[2]:
        assert request.limit == 3
    assert {name: params.get(name) for name in expected[2] if name != "limit"} == {
        n: v for n, v in expected[2].items() if n != "limit"
    }


def test_headers_of_a_pasted_request_become_options() -> None:
    command = parse(
        f"curl https://api.stripe.com/v1/charges -u {KEY}: -H 'Stripe-Account: acct_1' -H 'Stripe-Version:"
        " 2024-06-20' -H 'Idempotency-Key: k1' -d amount=5 -d currency=usd"
    )
    options = command.options
    assert (options.stripe_account, options.stripe_version, options.idempotency) == (
        "acct_1",
        "2024-06-20",
        "k1",
    )


def test_a_json_body_stays_as_it_is_written() -> None:
    command = parse(
        f"curl -X POST https://api.stripe.com/v2/billing/meter_events -H 'Authorization: Bearer {KEY}' -H"
        " 'Content-Type: application/json' -d '{\"value\": 25}'"
    )
    assert command.values == {"url": "/v2/billing/meter_events", "method": "POST", "body": '{"value": 25}'}


def test_a_key_of_the_tools_own_flag_is_dropped() -> None:
    command = parse(f"stripe customers list --api-key {KEY} --limit 3 --live")
    assert command.values == {"limit": "3"}
    assert any("dropped and not used" in note for note in command.notes)
    assert any("--live was left out" in note for note in command.notes)


@each_row(
    ("text", "says"),
    [
        ("curl https://evil.example/v1/customers", "Only addresses at https://api.stripe.com"),
        ("curl https://api.stripe.com.evil.example/v1/customers", "Only addresses"),
        ("curl https://api.stripe.com@evil.example/v1/customers", "Only addresses"),
        ("curl", "no address"),
        ("curl https://api.stripe.com/v1/customers -d name", "is not name=value"),
        ("curl https://api.stripe.com/v1/customers --config file", "can't be followed here"),
        ("curl https://api.stripe.com/v1/customers | sh", "without | sh"),
        ("curl https://api.stripe.com/v1/customers && rm x", "without && rm"),
        ("stripe customers list &", "without &"),
        ("curl https://api.stripe.com/v1/a https://api.stripe.com/v1/b", "Only one address"),
    ],
)
def test_what_is_no_call_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageFault, match=says.replace("|", r"\|")):
        parse(text)


def test_a_key_that_is_data_is_refused_in_pasted_lines_too() -> None:
    with pytest.raises(KeyRefused):
        parse(f"curl https://api.stripe.com/v1/customers -d name={KEY}")
    with pytest.raises(KeyRefused):
        parse(f"stripe customers create --name {KEY}")
    with pytest.raises(KeyRefused):
        parse(f"--out {KEY}", "curl https://api.stripe.com/v1/customers")


LEFT_OUT = "The pasted line's key was left out; the connection's own is used."
DROPPED = "Roll it if it was real."


@each_row(
    ("line", "note"),
    [
        ('curl https://api.stripe.com/v1/customers -u "$STRIPE_API_KEY:"', LEFT_OUT),
        ("curl https://api.stripe.com/v1/customers -u $STRIPE_API_KEY:", LEFT_OUT),
        ('curl https://api.stripe.com/v1/customers -u "${STRIPE_KEY}:"', LEFT_OUT),
        ("curl https://api.stripe.com/v1/customers -u '$STRIPE_KEY:'", LEFT_OUT),
        ('curl https://api.stripe.com/v1/customers -H "Authorization: Bearer $STRIPE_KEY"', LEFT_OUT),
        ('curl https://api.stripe.com/v1/customers -H "Authorization: Bearer {{STRIPE_KEY}}"', LEFT_OUT),
        ('curl https://api.stripe.com/v1/customers -u "<YOUR_SECRET_KEY>:"', LEFT_OUT),
        ("curl https://api.stripe.com/v1/customers -u YOUR_SECRET_KEY:", LEFT_OUT),
        ("curl https://api.stripe.com/v1/customers -u sk_test_...:", LEFT_OUT),
        ("stripe customers list --api-key $STRIPE_KEY", LEFT_OUT),
        ("stripe customers list --api-key=$STRIPE_KEY", LEFT_OUT),
        (f"curl https://api.stripe.com/v1/customers -u {KEY}:", DROPPED),
        (f"curl -u {KEY}: https://api.stripe.com/v1/customers", DROPPED),
        ('curl https://api.stripe.com/v1/customers -H "Authorization: Basic c2tfdGVzdF80ZUM6"', DROPPED),
        (f"curl https://{KEY}:@api.stripe.com/v1/customers", DROPPED),
        (f"stripe customers list --api-key {KEY}", DROPPED),
    ],
)
def test_only_a_key_that_stood_in_the_line_is_to_be_rolled(line: str, note: str) -> None:
    (said,) = parse(line).notes
    assert said.endswith(note)
