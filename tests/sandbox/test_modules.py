"""Every documented module is served, with every one of its fields: accepted and given back, or refused as
Stripe refuses it."""

from __future__ import annotations

import re
from typing import Any

from each_row import each_row

from stripe_magics import catalogue
from stripe_magics.catalogue.field import Field, Role
from stripe_magics.sandbox.api import routes
from stripe_magics.sandbox.api.dispatcher import _find
from stripe_magics.sandbox.api.parameters import shape, value_of
from stripe_magics.sandbox.api.versions import NEWER, OLDER

routes.install()
MODULES = [each for each in catalogue.documented() if each.name != "api.call"]
REFUSED = {"never", "2018-11-08", "2023-08-16"}
"""Removed before the pinned version: the sandbox refuses them as unknown."""


def takes(names: dict[str, Any], param: str) -> bool:
    """Whether a bracket parameter is among what a path takes."""
    here: Any = ("object", names)
    for part in re.findall(r"[^\[\]]+", param):
        if here[0] == "array":
            here = here[1]
            if part.isdigit():
                continue
        if not isinstance(here, tuple) or here[0] != "object":
            return here in ("m", "r", "*")
        if part not in here[1]:
            return False
        here = here[1][part][0]
    return True


def params(field: Field) -> list[str]:
    return [f"{field.param}[0][{column.param}]" for column in field.columns] or [field.param]


@each_row("module", MODULES, ids=lambda module: module.name)
def test_every_field_is_known(module) -> None:
    node, _ = _find(module.path)
    assert node is not None, module.path
    assert module.method in node.routes, module.path
    names = node.routes[module.method].shape(OLDER)
    for field in module.fields:
        if field.param in {"client", "path"} or field.role is Role.LOCAL:
            continue
        for param in params(field):
            assert takes(names, param) is (field.since_removed not in REFUSED), param


def kind_of(names: dict[str, Any], param: str) -> Any:
    here: Any = ("object", names)
    for part in re.findall(r"[^\[\]]+", param):
        here = here[1] if here[0] == "array" else here
        if not part.isdigit():
            here = here[1][part][0]
    return here[1] if here[0] == "array" else here


@each_row("module", MODULES, ids=lambda module: module.name)
def test_every_choice_is_known(module) -> None:
    node, _ = _find(module.path)
    names = node.routes[module.method].shape(OLDER)
    for field in module.fields:
        for each, param in zip(field.columns or [field], params(field), strict=True):
            if each.choices and field.param not in {"client", "path"} and field.since_removed not in REFUSED:
                for choice in each.choices:
                    read = value_of(choice, kind_of(names, param), param)
                    assert str(read).lower() == choice.lower()


def test_the_table_has_what_is_served() -> None:
    served = {name for subject in routes.SUBJECTS for name in subject.ROUTES}
    own = {name for subject in routes.SUBJECTS for name in getattr(subject, "SHAPES", {})}
    for name in served - own:
        assert shape(name, OLDER) is not None or shape(name, NEWER) is not None, name


def test_there_are_forty_one() -> None:
    assert len(MODULES) == 40
    assert shape("GET /v1/nothing") is None


def flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """A nested answer as bracket names -> values."""
    if isinstance(value, dict):
        return {
            k: v
            for name, each in value.items()
            for k, v in flat(each, f"{prefix}[{name}]" if prefix else name).items()
        }
    if isinstance(value, list):
        return {k: v for place, each in enumerate(value) for k, v in flat(each, f"{prefix}[{place}]").items()}
    return {prefix: value}


def given_back(given: dict[str, Any], answer: dict[str, Any], *, but: set[str] = frozenset()) -> None:
    """Every value that was sent stands in the answer under its own name."""
    found = flat(answer)
    for name, value in given.items():
        if name in but:
            continue
        assert name in found, name
        assert found[name] == value, (name, found[name], value)


ADDRESS = {
    "line1": "1 Main St",
    "line2": "Flat 2",
    "postal_code": "10115",
    "city": "Berlin",
    "state": "BE",
    "country": "DE",
}


def address(prefix: str) -> dict[str, str]:
    return {f"{prefix}[{name}]": value for name, value in ADDRESS.items()}


CUSTOMER = {
    "description": "A customer", "email": "jenny@example.com", "name": "Jenny Rosen", "phone": "+15551234",
    **address("address"), **address("shipping[address]"), "shipping[name]": "J. Rosen",
    "shipping[phone]": "+15559876", "metadata[plan]": "pro", "balance": -500, "invoice_prefix": "JENNY1",
    "invoice_settings[custom_fields][0][name]": "PO", "invoice_settings[custom_fields][0][value]": "42",
    "invoice_settings[footer]": "Thanks", "next_invoice_sequence": 7, "preferred_locales[0]": "de",
    "preferred_locales[1]": "en-GB", "tax_exempt": "reverse",
    "invoice_settings[rendering_options][amount_tax_display]": "include_inclusive_tax",
}  # fmt: skip


def test_customers_create(call) -> None:
    coupon = call("POST /v1/coupons", percent_off=10, duration="forever")["id"]
    more = {
        "payment_method": "pm_card_visa", "invoice_settings[default_payment_method]": "pm_card_visa",
        "coupon": coupon, "source": "tok_visa", "tax_id_data[0][type]": "eu_vat",
        "tax_id_data[0][value]": "DE123456789", "tax[ip_address]": "192.0.2.1",
        "cash_balance[settings][reconciliation_mode]": "manual",
    }  # fmt: skip
    made = call(
        "POST /v1/customers",
        {**CUSTOMER, **more, "expand[]": ["tax_ids", "cash_balance", "tax", "default_source"]},
    )
    given_back(CUSTOMER, made)
    assert made["discount"]["coupon"]["id"] == coupon
    assert made["default_source"]["object"] == "card"
    assert made["tax_ids"]["data"][0]["type"] == "eu_vat"
    assert made["tax"]["ip_address"] == "192.0.2.1"
    assert made["cash_balance"]["settings"]["reconciliation_mode"] == "manual"
    methods = call.every(f"/v1/customers/{made['id']}/payment_methods")
    assert [each["id"] for each in methods] == [made["invoice_settings"]["default_payment_method"]]
    assert call.refused("POST /v1/customers", test_clock="clock_1")["param"] == "test_clock"
    promo = call("POST /v1/promotion_codes", coupon=coupon, code="HELLO")["id"]
    assert call("POST /v1/customers", promotion_code=promo)["discount"]["promotion_code"] == promo


def test_customers_update(call) -> None:
    made = call("POST /v1/customers", source="tok_visa")
    path = f"POST /v1/customers/{made['id']}"
    changed = call(path, CUSTOMER)
    given_back(CUSTOMER, changed)
    second = call(f"{path}/sources", source="tok_mastercard")["id"]
    assert call(path, default_source=second)["default_source"] == second
    assert call(path, source="tok_amex")["default_source"] not in {second, made["default_source"]}
    attached = call("POST /v1/payment_methods/pm_card_visa/attach", customer=made["id"])["id"]
    assert (
        call(path, {"invoice_settings[default_payment_method]": attached})["invoice_settings"][
            "default_payment_method"
        ]
        == attached
    )
    assert (
        call(path, {"tax[ip_address]": "192.0.2.7", "expand[]": ["tax"]})["tax"]["ip_address"] == "192.0.2.7"
    )
    for params in (
        {"payment_method": attached},
        {"tax_id_data[0][type]": "eu_vat", "tax_id_data[0][value]": "DE123456789"},
    ):
        assert call.refused(path, params)["code"] == "parameter_unknown"
    cleared = call(
        path,
        {
            "address": "",
            "shipping": "",
            "metadata": "",
            "tax_exempt": "",
            "invoice_settings[custom_fields]": "",
            "email": "",
        },
    )
    assert (
        cleared["address"],
        cleared["shipping"],
        cleared["metadata"],
        cleared["tax_exempt"],
        cleared["email"],
    ) == (None, None, {}, "none", None)
    assert cleared["invoice_settings"]["custom_fields"] is None


def test_customers_read_and_delete(call) -> None:
    made = call("POST /v1/customers", email="a@b.co")["id"]
    params = {"email": "a@b.co", "created[gte]": 1, "limit": 5, "expand[]": ["data.default_source"]}
    assert [each["id"] for each in call("GET /v1/customers", params)["data"]] == [made]
    assert call("GET /v1/customers/search", query="email:'a@b.co'")["data"][0]["id"] == made
    assert call(f"GET /v1/customers/{made}")["id"] == made
    assert call(f"DELETE /v1/customers/{made}")["deleted"] is True
    assert call("GET /v1/customers", params)["data"] == []
    assert call(f"GET /v1/customers/{made}") == {"id": made, "object": "customer", "deleted": True}
    assert call.refused(f"POST /v1/customers/{made}", name="x")["status"] == 404
    assert call.refused(f"DELETE /v1/customers/{made}")["status"] == 404


BILLING = {
    **address("billing_details[address]"),
    "billing_details[email]": "j@example.com",
    "billing_details[name]": "J",
    "billing_details[phone]": "1",
}
SHIPPING = {
    **address("shipping[address]"), "shipping[name]": "J", "shipping[carrier]": "DHL", "shipping[phone]": "2",
    "shipping[tracking_number]": "T1",
}  # fmt: skip
INTENT = {
    "amount": 2000, "currency": "eur", "description": "Order 1", "receipt_email": "r@example.com", **SHIPPING,
    "statement_descriptor": "ORDER", "statement_descriptor_suffix": "ONE", "capture_method": "manual",
    "confirmation_method": "manual", "transfer_group": "g1", "setup_future_usage": "off_session",
    "metadata[order]": "1",
}  # fmt: skip


def test_payment_intents_create(call) -> None:
    customer = call("POST /v1/customers")["id"]
    data = {"payment_method_data[type]": "card", "payment_method_data[card][token]": "tok_visa"}
    data |= {f"payment_method_data[{name.replace('[', '][', 1)}": value for name, value in BILLING.items()}
    given = {**INTENT, "customer": customer, "payment_method_types[0]": "card"}
    made = call(
        "POST /v1/payment_intents", {**given, **data, "use_stripe_sdk": True, "expand[]": ["payment_method"]}
    )
    given_back(given, made)
    given_back(BILLING, made["payment_method"])
    for name in (
        "application_fee_amount",
        "on_behalf_of",
        "transfer_data[destination]",
        "transfer_data[amount]",
    ):
        params = {"amount": 500, "currency": "usd", name: 10 if "amount" in name else "acct_1"}
        assert call.refused("POST /v1/payment_intents", params)["param"].startswith(name.partition("[")[0])
    auto = {"automatic_payment_methods[enabled]": True, "automatic_payment_methods[allow_redirects]": "never"}
    now = {
        "confirm": True,
        "return_url": "https://example.com",
        "off_session": True,
        "payment_method": "pm_card_visa",
    }
    done = call("POST /v1/payment_intents", {"amount": 500, "currency": "usd", **auto, **now})
    assert done["automatic_payment_methods"] == {"allow_redirects": "never", "enabled": True}
    assert done["status"] == "succeeded"
    both = {"amount": 500, "currency": "usd", **auto, "payment_method_types[]": ["card"]}
    assert call.refused("POST /v1/payment_intents", both)["param"] == "automatic_payment_methods"
    assert (
        call.refused("POST /v1/payment_intents", amount=500, currency="usd", off_session=True)["param"]
        == "off_session"
    )
    assert (
        call.refused(
            "POST /v1/payment_intents", {"amount": 500, "currency": "usd", "payment_method_types[]": ["cash"]}
        )["status"]
        == 400
    )


def test_payment_intents_confirm(call) -> None:
    intent = call(
        "POST /v1/payment_intents",
        {"amount": 2000, "currency": "eur", "payment_method_types[]": ["card", "bancontact", "sofort"]},
    )
    options = {
        "payment_method_options[bancontact][preferred_language]": "de",
        "payment_method_options[card][installments][enabled]": True,
        "payment_method_options[card][installments][plan][count]": 3,
        "payment_method_options[card][installments][plan][interval]": "month",
        "payment_method_options[card][installments][plan][type]": "fixed_count",
        "payment_method_options[card][network]": "visa",
        "payment_method_options[card][request_three_d_secure]": "any",
        "payment_method_options[sofort][preferred_language]": "it",
    }  # fmt: skip
    kept = {
        "receipt_email": "r@example.com",
        "setup_future_usage": "on_session",
        **SHIPPING,
        "capture_method": "manual",
        **options,
    }
    data = {
        "payment_method_data[type]": "card",
        "payment_method_data[card][token]": "tok_visa",
        "payment_method_data[metadata][a]": "b",
    }
    data |= {f"payment_method_data[{name.replace('[', '][', 1)}": value for name, value in BILLING.items()}
    once = {
        "off_session": True, "error_on_requires_action": True, "return_url": "https://example.com",
        "use_stripe_sdk": True,
        "mandate_data[customer_acceptance][type]": "online",
        "mandate_data[customer_acceptance][online][ip_address]": "192.0.2.1",
        "mandate_data[customer_acceptance][online][user_agent]": "UA",
        "mandate_data[customer_acceptance][accepted_at]": 1700000000,
    }  # fmt: skip
    done = call(
        f"POST /v1/payment_intents/{intent['id']}/confirm",
        {**kept, **data, **once, "expand[]": ["payment_method"]},
    )
    given_back(kept, done)
    given_back({**BILLING, "metadata[a]": "b"}, done["payment_method"])
    assert done["status"] == "requires_capture"
    mandate = call.transport.account.private_state[done["payment_method"]["id"]]["mandate"]
    assert call(f"GET /v1/mandates/{mandate}")["customer_acceptance"]["online"] == {
        "ip_address": "192.0.2.1",
        "user_agent": "UA",
    }
    other = call("POST /v1/payment_intents", amount=500, currency="eur")["id"]
    path = f"POST /v1/payment_intents/{other}/confirm"
    assert call.refused(path, payment_method="pm_card_visa", mandate="mandate_x")["param"] == "mandate"
    both = {
        "mandate": mandate,
        "mandate_data[customer_acceptance][type]": "offline",
        "payment_method": "pm_card_visa",
    }
    assert call.refused(path, both)["param"] == "mandate_data"
    with_types = {"payment_method": "pm_card_visa", "mandate": mandate, "payment_method_types[]": ["card"]}
    assert call(path, with_types)["payment_method_types"] == ["card"]


def test_payment_intents_update(call) -> None:
    customer = call("POST /v1/customers")["id"]
    intent = call("POST /v1/payment_intents", amount=500, currency="usd")
    path = f"POST /v1/payment_intents/{intent['id']}"
    given = {
        name: value for name, value in INTENT.items() if name not in {"capture_method", "confirmation_method"}
    }
    changed = call(
        path, {**given, "customer": customer, "payment_method": "pm_card_visa", "capture_method": "manual"}
    )
    given_back({**given, "customer": customer, "capture_method": "manual"}, changed)
    assert changed["status"] == "requires_confirmation"
    for name in (
        "off_session",
        "error_on_requires_action",
        "mandate",
        "return_url",
        "mandate_data[customer_acceptance][type]",
    ):
        assert call.refused(path, {name: "x"})["code"] == "parameter_unknown"
    for name in ("application_fee_amount", "transfer_data[amount]"):
        assert call.refused(path, {name: 10})["status"] == 400


def test_payment_intents_capture_cancel_and_reads(call) -> None:
    intent = call.intent(2000, capture_method="manual")
    kept = {"statement_descriptor": "HERE", "statement_descriptor_suffix": "NOW", "metadata[a]": "b"}
    for name in ("application_fee_amount", "transfer_data[amount]"):
        assert call.refused(f"POST /v1/payment_intents/{intent['id']}/capture", {name: 10})["status"] == 400
    done = call(
        f"POST /v1/payment_intents/{intent['id']}/capture",
        {**kept, "amount_to_capture": 1500, "expand[]": ["latest_charge"]},
    )
    given_back(kept, done)
    assert done["latest_charge"]["calculated_statement_descriptor"] is not None
    other = call("POST /v1/payment_intents", amount=500, currency="usd")["id"]
    gone = call(f"POST /v1/payment_intents/{other}/cancel", cancellation_reason="abandoned")
    assert gone["cancellation_reason"] == "abandoned"
    page = call(
        "GET /v1/payment_intents", {"created[gte]": 1, "limit": 1, "expand[]": ["data.latest_charge"]}
    )
    assert page["data"][0]["id"] == other
    assert (
        call("GET /v1/payment_intents", starting_after=other)["data"][0]["latest_charge"]
        == intent["latest_charge"]
    )
    assert call("GET /v1/payment_intents", ending_before=intent["id"])["data"][0]["id"] == other


def test_refunds(call) -> None:
    intent = call.intent(5000, method="pm_card_bypassPending")
    call.intent(5000, method="pm_card_bypassPending")
    given = {
        "charge": intent["latest_charge"],
        "amount": 500,
        "reason": "duplicate",
        "metadata[a]": "b",
        "instructions_email": "a@b.co",
    }
    made = call(
        "POST /v1/refunds",
        {**given, "refund_application_fee": False, "reverse_transfer": False, "expand[]": ["charge"]},
    )
    given_back(given, made, but={"charge"})
    assert made["charge"]["amount_refunded"] == 500
    assert (
        call.refused("POST /v1/refunds", payment_intent=intent["id"], refund_application_fee=True)["param"]
        == "refund_application_fee"
    )
    assert (
        call.refused("POST /v1/refunds", payment_intent=intent["id"], reverse_transfer=True)["param"]
        == "reverse_transfer"
    )
    customer = call("POST /v1/customers")["id"]
    cash = {"origin": "customer_balance", "customer": customer, "currency": "eur", "amount": 5}
    assert call.refused("POST /v1/refunds", cash)["code"] == "insufficient_funds"
    listed = call(
        "GET /v1/refunds",
        {
            "charge": intent["latest_charge"],
            "payment_intent": intent["id"],
            "created[lte]": 9999999999,
            "expand[]": ["data.charge"],
        },
    )
    assert listed["data"][0]["charge"]["id"] == intent["latest_charge"]
    assert (
        call(f"GET /v1/refunds/{made['id']}", {"expand[]": ["payment_intent", "balance_transaction"]})[
            "balance_transaction"
        ]["amount"]
        == -500
    )
    assert call(f"POST /v1/refunds/{made['id']}", {"metadata[a]": ""})["metadata"] == {}


def test_payouts_and_the_balance(call) -> None:
    call.intent(5000, method="pm_card_bypassPending")
    bank = call("GET /v1/account")["external_accounts"]["data"][0]
    given = {
        "amount": 1000, "currency": "usd", "description": "d", "metadata[a]": "b", "method": "standard",
        "source_type": "card", "statement_descriptor": "PAY ME", "destination": bank["id"],
    }  # fmt: skip
    made = call("POST /v1/payouts", given)
    given_back(given, made)
    page = call(
        "GET /v1/payouts",
        {
            "destination": bank["id"],
            "created[gt]": 1,
            "arrival_date[gt]": 1,
            "status": "pending",
            "expand[]": ["data.destination"],
        },
    )
    assert page["data"][0]["destination"]["last4"] == "6789"
    assert call(f"POST /v1/payouts/{made['id']}", {"metadata[b]": "c"})["metadata"] == {"a": "b", "b": "c"}
    assert (
        call(f"GET /v1/payouts/{made['id']}", {"expand[]": ["balance_transaction"]})["balance_transaction"][
            "net"
        ]
        == -1000
    )
    assert call(f"POST /v1/payouts/{made['id']}/cancel")["status"] == "canceled"
    assert call("GET /v1/balance")["object"] == "balance"
    given = {
        "currency": "USD",
        "type": "payout",
        "created[gte]": 1,
        "source": made["id"],
        "limit": 3,
        "expand[]": ["data.source"],
    }
    entry = call("GET /v1/balance_transactions", given)["data"][0]
    assert entry["source"]["id"] == made["id"]
    assert call(f"GET /v1/balance_transactions/{entry['id']}")["id"] == entry["id"]
    assert call("GET /v1/balance/history")["data"][-1]["type"] == "charge"


def test_invoice_items(call) -> None:
    customer = call("POST /v1/customers")["id"]
    rate = call("POST /v1/tax_rates", display_name="VAT", percentage=19, inclusive=False)["id"]
    coupon = call("POST /v1/coupons", percent_off=10, duration="once")["id"]
    draft = call("POST /v1/invoices", customer=customer, currency="eur")["id"]
    given = {
        "customer": customer, "amount": 1000, "currency": "eur", "description": "Work",
        "period[start]": 1700000000, "period[end]": 1702000000,
        "metadata[a]": "b", "discountable": True, "invoice": draft,
    }  # fmt: skip
    more = {
        "tax_rates[0]": rate,
        "discounts[0][coupon]": coupon,
        "tax_behavior": "exclusive",
        "tax_code": "txcd_10000000",
        "expand[]": ["discounts"],
    }
    made = call("POST /v1/invoiceitems", {**given, **more})
    given_back(given, made)
    assert (
        made["tax_rates"][0]["id"],
        made["discounts"][0]["coupon"]["id"],
        made["price"]["tax_behavior"],
    ) == (rate, coupon, "exclusive")
    assert call(f"GET /v1/invoices/{draft}")["total"] == 900 + 171
    path = f"POST /v1/invoiceitems/{made['id']}"
    given = {
        "amount": 2000,
        "description": "More",
        "period[start]": 1,
        "period[end]": 2,
        "metadata[c]": "d",
        "discountable": False,
    }
    given_back(given, call(path, {**given, "tax_rates": "", "discounts": "", "tax_behavior": "inclusive"}))
    price = call("POST /v1/prices", {"product_data[name]": "P", "currency": "eur", "unit_amount": 5})["id"]
    assert call(path, price=price, quantity=4)["amount"] == 20
    assert call(path, unit_amount=7)["amount"] == 28
    assert call(path, quantity=2)["amount"] == 14
    assert (
        call(f"GET /v1/invoiceitems/{made['id']}", {"expand[]": ["customer"]})["customer"]["id"] == customer
    )
    listed = call(
        "GET /v1/invoiceitems",
        {"customer": customer, "invoice": draft, "pending": False, "created[gt]": 1, "limit": 2},
    )
    assert [each["id"] for each in listed["data"]] == [made["id"]]
    assert call(f"DELETE /v1/invoiceitems/{made['id']}") == {
        "id": made["id"],
        "object": "invoiceitem",
        "deleted": True,
    }


def test_invoices(call, sandbox) -> None:
    customer = call("POST /v1/customers", name="A", **{"address[country]": "DE"})["id"]
    method = call("POST /v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]
    rate = call("POST /v1/tax_rates", display_name="VAT", percentage=19, inclusive=False)["id"]
    coupon = call("POST /v1/coupons", percent_off=10, duration="once")["id"]
    call("POST /v1/invoiceitems", customer=customer, amount=1000, currency="eur")
    given = {
        "customer": customer, "auto_advance": True, "collection_method": "send_invoice",
        "due_date": sandbox.now + 1000, "description": "Hello", "metadata[a]": "b",
        "custom_fields[0][name]": "PO", "custom_fields[0][value]": "42", "default_payment_method": method,
        "footer": "Bye", "statement_descriptor": "INV", "currency": "eur", "automatic_tax[enabled]": True,
        "payment_settings[payment_method_types][0]": "card", "effective_at": 1700000000,
        "rendering[amount_tax_display]": "exclude_tax",
    }  # fmt: skip
    more = {
        "default_tax_rates[0]": rate,
        "discounts[0][coupon]": coupon,
        "pending_invoice_items_behavior": "include",
        "expand[]": ["customer"],
    }
    made = call("POST /v1/invoices", {**given, **more})
    given_back(given, made, but={"customer"})
    assert (made["customer"]["name"], made["default_tax_rates"][0]["id"], made["total"]) == (
        "A",
        rate,
        900 + 171,
    )
    for params in (
        {"application_fee_amount": 10},
        {"transfer_data[destination]": "acct_1"},
        {"transfer_data[amount]": 5, "transfer_data[destination]": "acct_1"},
    ):
        assert call.refused("POST /v1/invoices", {"customer": customer, **params})["status"] == 400
        assert call.refused(f"POST /v1/invoices/{made['id']}", params)["status"] == 400
    path = f"POST /v1/invoices/{made['id']}"
    given = {
        "auto_advance": False, "days_until_due": 9, "description": "Changed", "metadata[c]": "d",
        "custom_fields[0][name]": "X", "custom_fields[0][value]": "Y", "default_payment_method": method,
        "footer": "F", "statement_descriptor": "NEW", "automatic_tax[enabled]": False,
        "payment_settings[payment_method_types][0]": "sepa_debit", "effective_at": 1700000001,
    }  # fmt: skip
    changed = call(path, {**given, "default_tax_rates": "", "discounts": ""})
    given_back(given, changed, but={"days_until_due"})
    assert (changed["due_date"], changed["total"]) == (sandbox.now + 9 * 86400, 1000)
    assert call(path, collection_method="charge_automatically")["due_date"] is None
    assert call.refused(path, subscription="sub_1")["code"] == "parameter_unknown"
    assert call(path, {"custom_fields": ""})["custom_fields"] is None
    params = {
        "customer": customer,
        "status": "draft",
        "collection_method": "charge_automatically",
        "created[gt]": 1,
        "expand[]": ["data.customer"],
    }
    assert [each["id"] for each in call("GET /v1/invoices", params)["data"]] == [made["id"]]
    assert (
        call(f"GET /v1/invoices/{made['id']}/lines", {"limit": 5, "expand[]": ["data.invoice_item"]})["data"][
            0
        ]["invoice_item"]["amount"]
        == 1000
    )
    final = call(f"{path}/finalize", auto_advance=False, **{"expand[]": ["payment_intent"]})
    assert (final["status"], final["payment_intent"]["amount"]) == ("open", 1000)
    assert call(f"{path}/void")["status"] == "void"
    gone = call("POST /v1/invoices", customer=customer)["id"]
    assert call(f"DELETE /v1/invoices/{gone}")["deleted"] is True


def test_payment_link_lines(call) -> None:
    product = call("POST /v1/products", name="T-shirt")["id"]
    prices = [
        call("POST /v1/prices", product=product, currency="usd", unit_amount=amount)["id"]
        for amount in (1000, 250)
    ]
    lines = {
        "line_items[0][price]": prices[0],
        "line_items[0][quantity]": 2,
        "line_items[1][price]": prices[1],
        "line_items[1][quantity]": 1,
    }
    link = call("POST /v1/payment_links", {**lines, "metadata[a]": "b", "expand[]": ["line_items"]})
    assert link["url"].startswith("https://buy.stripe.com/")
    assert link["line_items"]["data"][0]["amount_total"] == 2000
    page = call(
        f"GET /v1/payment_links/{link['id']}/line_items", {"limit": 1, "expand[]": ["data.price.product"]}
    )
    line = page["data"][0]
    assert (
        line["object"],
        line["id"][:3],
        line["amount_subtotal"],
        line["amount_total"],
        line["quantity"],
    ) == ("item", "li_", 2000, 2000, 2)
    assert (line["description"], line["currency"], line["price"]["product"]["name"], page["has_more"]) == (
        "T-shirt",
        "usd",
        "T-shirt",
        True,
    )
    rest = call(f"GET /v1/payment_links/{link['id']}/line_items", starting_after=line["id"])
    assert [each["amount_total"] for each in rest["data"]] == [250]
    assert call.refused("GET /v1/payment_links/plink_x/line_items")["status"] == 404
    assert call("GET /v1/payment_links")["data"][0]["id"] == link["id"]
    assert "payment_link.created" in call.types()


def test_events_watch(call) -> None:
    given = {
        "description": "Watch", "enabled_events[0]": "customer.created", "enabled_events[1]": "invoice.paid",
        "api_version": "2025-02-24.acacia", "url": "https://example.com/hook", "metadata[a]": "b",
    }  # fmt: skip
    given_back(given, call("POST /v1/webhook_endpoints", {**given, "connect": False}))


def test_every_documented_event_type_can_be_watched(call) -> None:
    module = next(each for each in MODULES if each.name == "events.watch")
    types = module.get("events").choices
    made = call("POST /v1/webhook_endpoints", {"url": "https://example.com", "enabled_events[]": list(types)})
    assert len(made["enabled_events"]) == len(types) > 200
