"""What is known of Stripe's types of object: what their ids look like, where their lists and Dashboard pages
are, what search takes of them.

One table; everything else asks it. Where a list lives, and what it takes, comes from the generated facts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from stripe_magics.catalogue.generated import facts
from stripe_magics.catalogue.versions import PINNED_VERSION, VERSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """A type of object."""

    prefixes: tuple[str, ...] = ()  # of its ids, the usual one first
    also: tuple[str, ...] = ()  # prefixes of other types whose ids stand for one of these
    # an id with another type's prefix is refused; people don't choose these ids themselves
    checked: bool = False
    page: str = ""  # in the Dashboard
    search: tuple[str, ...] = ()  # texts that Stripe's search language takes of it


OBJECTS: dict[str, ObjectType] = {
    "account": ObjectType(prefixes=("acct",), checked=True, page="connect/accounts"),
    "application_fee": ObjectType(prefixes=("fee",)),
    "apps.secret": ObjectType(prefixes=("appsecret",)),
    "balance_transaction": ObjectType(prefixes=("txn",), checked=True),
    "bank_account": ObjectType(prefixes=("ba",), also=("card",), checked=True),
    "billing.alert": ObjectType(prefixes=("alrt",)),
    "billing.credit_balance_transaction": ObjectType(prefixes=("cbtxn_test",)),
    "billing.credit_grant": ObjectType(prefixes=("credgr",)),
    "billing.meter": ObjectType(prefixes=("mtr",)),
    "billing_portal.configuration": ObjectType(prefixes=("bpc",)),
    "billing_portal.session": ObjectType(prefixes=("bps",)),
    "card": ObjectType(prefixes=("card",)),
    "charge": ObjectType(prefixes=("ch", "py"), checked=True, page="payments"),
    "checkout.session": ObjectType(prefixes=("cs",), page="checkout/sessions"),
    "climate.order": ObjectType(prefixes=("climorder",)),
    "climate.product": ObjectType(prefixes=("climsku",)),
    "confirmation_token": ObjectType(prefixes=("ctoken",)),
    "coupon": ObjectType(page="coupons"),
    "credit_note": ObjectType(prefixes=("cn",), page="credit_notes"),
    "customer": ObjectType(
        prefixes=("cus", "gcus"), checked=True, page="customers", search=("name", "email")
    ),
    "customer_balance_transaction": ObjectType(prefixes=("cbtxn",)),
    "customer_cash_balance_transaction": ObjectType(prefixes=("ccsbtxn",)),
    "discount": ObjectType(prefixes=("di",), checked=True),
    "dispute": ObjectType(prefixes=("dp", "du"), checked=True, page="disputes"),
    "entitlements.active_entitlement": ObjectType(prefixes=("ent",)),
    "entitlements.feature": ObjectType(prefixes=("feat",)),
    "ephemeral_key": ObjectType(prefixes=("ephkey",)),
    "event": ObjectType(prefixes=("evt",), checked=True, page="events"),
    "fee_refund": ObjectType(prefixes=("fr",)),
    "file": ObjectType(prefixes=("file",)),
    "file_link": ObjectType(prefixes=("link",)),
    "financial_connections.account": ObjectType(prefixes=("fca",)),
    "financial_connections.session": ObjectType(prefixes=("fcsess",)),
    "financial_connections.transaction": ObjectType(prefixes=("fctxn",)),
    "forwarding.request": ObjectType(prefixes=("fwdreq",)),
    "identity.verification_report": ObjectType(prefixes=("vr",)),
    "identity.verification_session": ObjectType(prefixes=("vs",)),
    "invoice": ObjectType(prefixes=("in",), checked=True, page="invoices", search=("number",)),
    "invoice_rendering_template": ObjectType(prefixes=("inrtem",)),
    "invoiceitem": ObjectType(prefixes=("ii",), checked=True),
    "issuing.authorization": ObjectType(prefixes=("iauth",)),
    "issuing.card": ObjectType(prefixes=("ic",)),
    "issuing.cardholder": ObjectType(prefixes=("ich",)),
    "issuing.dispute": ObjectType(prefixes=("idp",)),
    "issuing.personalization_design": ObjectType(prefixes=("ics",)),
    "issuing.token": ObjectType(prefixes=("intok",)),
    "issuing.transaction": ObjectType(prefixes=("ipi",)),
    "mandate": ObjectType(prefixes=("mandate",), checked=True),
    "payment_intent": ObjectType(prefixes=("pi",), checked=True, page="payments"),
    "payment_link": ObjectType(prefixes=("plink",), checked=True, page="payment-links"),
    "payment_method": ObjectType(prefixes=("pm",), also=("card", "src", "ba"), checked=True),
    "payment_method_configuration": ObjectType(prefixes=("pmc",)),
    "payment_method_domain": ObjectType(prefixes=("pmd",)),
    "payout": ObjectType(prefixes=("po",), checked=True, page="payouts"),
    "person": ObjectType(prefixes=("person",)),
    "price": ObjectType(prefixes=("price",), page="prices"),
    "product": ObjectType(prefixes=("prod",), page="products", search=("name",)),
    "promotion_code": ObjectType(prefixes=("promo",), checked=True),
    "quote": ObjectType(prefixes=("qt",), page="quotes"),
    "radar.early_fraud_warning": ObjectType(prefixes=("issfr",)),
    "radar.value_list": ObjectType(prefixes=("rsl",)),
    "radar.value_list_item": ObjectType(prefixes=("rsli",)),
    "refund": ObjectType(prefixes=("re", "pyr"), checked=True, page="refunds"),
    "reporting.report_run": ObjectType(prefixes=("frr",)),
    "review": ObjectType(prefixes=("prv",), page="radar/reviews"),
    "scheduled_query_run": ObjectType(prefixes=("sqr",)),
    "setup_attempt": ObjectType(prefixes=("setatt",)),
    "setup_intent": ObjectType(prefixes=("seti",), checked=True, page="setup_intents"),
    "shipping_rate": ObjectType(prefixes=("shr",)),
    "source": ObjectType(prefixes=("src",), also=("tok", "card", "ba"), checked=True),
    "subscription": ObjectType(prefixes=("sub",), checked=True, page="subscriptions"),
    "subscription_item": ObjectType(prefixes=("si",)),
    "subscription_schedule": ObjectType(prefixes=("sub_sched",), page="subscription_schedules"),
    "tax.calculation": ObjectType(prefixes=("taxcalc",)),
    "tax.registration": ObjectType(prefixes=("taxreg",)),
    "tax_id": ObjectType(prefixes=("txi",)),
    "tax_rate": ObjectType(prefixes=("txr",), checked=True, page="tax-rates"),
    "terminal.configuration": ObjectType(prefixes=("tmc",)),
    "terminal.location": ObjectType(prefixes=("tml",)),
    "terminal.reader": ObjectType(prefixes=("tmr",)),
    "test_helpers.test_clock": ObjectType(prefixes=("clock",), checked=True),
    "token": ObjectType(prefixes=("tok",)),
    "topup": ObjectType(prefixes=("tu",), page="topups"),
    "transfer": ObjectType(prefixes=("tr",), checked=True, page="connect/transfers"),
    "transfer_reversal": ObjectType(prefixes=("trr",)),
    "treasury.credit_reversal": ObjectType(prefixes=("credrev",)),
    "treasury.debit_reversal": ObjectType(prefixes=("debrev",)),
    "treasury.financial_account": ObjectType(prefixes=("fa",)),
    "treasury.inbound_transfer": ObjectType(prefixes=("ibt",)),
    "treasury.outbound_payment": ObjectType(prefixes=("obp",)),
    "treasury.outbound_transfer": ObjectType(prefixes=("obt",)),
    "treasury.received_credit": ObjectType(prefixes=("rc",)),
    "treasury.received_debit": ObjectType(prefixes=("rd",)),
    "treasury.transaction": ObjectType(prefixes=("trxn",)),
    "treasury.transaction_entry": ObjectType(prefixes=("trxne",)),
    "webhook_endpoint": ObjectType(prefixes=("we",), checked=True, page="webhooks"),
}
COLUMNS: dict[str, tuple[str, ...]] = {  # that a person looks for first, in the Dashboard's order
    "account": ("id", "business_profile_name", "email", "country", "charges_enabled", "payouts_enabled",
        "created", "type"),
    "application_fee": ("id", "amount", "amount_refunded", "account", "charge", "created"),
    "balance_transaction": ("id", "type", "amount", "fee", "net", "description", "status", "created",
        "available_on", "source"),
    "billing_portal.configuration": ("id", "active", "is_default", "created"),
    "charge": ("id", "amount", "status", "description", "customer", "created",
               "payment_method_details_card_brand", "payment_method_details_card_last4",
               "failure_message", "amount_refunded", "payment_intent"),
    "checkout.session": ("id", "amount_total", "payment_status", "status", "customer_details_email",
        "created", "mode", "payment_intent", "subscription"),
    "coupon": ("id", "name", "percent_off", "amount_off", "duration", "duration_in_months", "times_redeemed",
        "redeem_by", "valid"),
    "credit_note": ("id", "total", "status", "number", "customer", "created", "reason", "invoice"),
    "credit_note_line_item": ("id", "amount", "description", "quantity", "unit_amount", "invoice_line_item"),
    "customer": ("id", "name", "email", "description", "created", "phone", "balance", "delinquent",
        "address_country"),
    "dispute": ("id", "amount", "status", "reason", "created", "evidence_details_due_by", "charge",
        "payment_intent"),
    "event": ("id", "type", "data_object", "created", "request_id", "pending_webhooks"),
    "file": ("id", "filename", "purpose", "size", "type", "created"),
    "invoice": ("id", "total", "status", "number", "customer_name", "customer_email", "created", "due_date",
        "amount_remaining", "subscription"),
    "invoiceitem": ("id", "amount", "description", "customer", "date", "quantity", "unit_amount",
        "price_product", "invoice"),
    "item": ("id", "amount_total", "description", "quantity", "price_unit_amount", "price_product"),
    "line_item": ("id", "amount", "description", "quantity", "unit_amount_excluding_tax", "period_start",
        "period_end", "price_product"),
    "mandate": ("id", "status", "type", "payment_method"),
    "payment_intent": ("id", "amount", "status", "description", "customer", "created",
        "last_payment_error_message", "amount_received", "latest_charge"),
    "payment_link": ("id", "active", "url", "livemode"),
    "payment_method": ("id", "type", "card_brand", "card_last4", "card_exp_month", "card_exp_year",
        "billing_details_name", "customer", "created"),
    "payout": ("id", "amount", "status", "description", "arrival_date", "created", "method", "type",
        "failure_message", "destination"),
    "plan": ("id", "amount", "active", "nickname", "product", "interval", "interval_count", "created"),
    "price": ("id", "unit_amount", "active", "nickname", "product", "recurring_interval",
        "recurring_interval_count", "lookup_key", "created", "type"),
    "product": ("id", "name", "active", "description", "default_price", "created", "updated"),
    "promotion_code": ("id", "code", "active", "coupon_name", "coupon", "times_redeemed", "max_redemptions",
        "expires_at", "created"),
    "quote": ("id", "amount_total", "status", "number", "customer", "created", "expires_at"),
    "refund": ("id", "amount", "status", "reason", "created", "charge", "payment_intent", "failure_reason"),
    "review": ("id", "open", "reason", "opened_reason", "charge", "payment_intent", "created"),
    "setup_intent": ("id", "status", "description", "customer", "created", "usage", "payment_method",
        "last_setup_error_message"),
    "subscription": ("id", "status", "customer", "description", "created", "current_period_end",
        "cancel_at_period_end", "canceled_at", "latest_invoice"),
    "subscription_item": ("id", "price_unit_amount", "quantity", "price_nickname", "price_product",
        "price_recurring_interval", "created"),
    "subscription_schedule": ("id", "status", "customer", "subscription", "created", "end_behavior"),
    "tax_id": ("id", "value", "type", "country", "verification_status", "created"),
    "tax_rate": ("id", "display_name", "percentage", "inclusive", "country", "state", "active", "created"),
    "topup": ("id", "amount", "status", "description", "created", "expected_availability_date",
        "failure_message"),
    "transfer": ("id", "amount", "destination", "description", "created", "amount_reversed", "reversed",
        "source_transaction"),
    "webhook_endpoint": ("id", "url", "status", "description", "created", "api_version", "enabled_events"),
}  # fmt: skip
_UNKNOWN = ObjectType()
_OWNERS: dict[str, str] = {prefix: kind for kind, each in OBJECTS.items() for prefix in each.prefixes}
_DEEP = {prefix: kind for prefix, kind in _OWNERS.items() if "_" in prefix}
_ID = re.compile(r"[a-z]+_\w+", re.ASCII)
_SAME_LISTS = {"/v1/balance/history": "/v1/balance_transactions"}  # an older path of the same list


def object_type(kind: str) -> ObjectType:
    """What is known of a type; nothing of one that isn't in the table."""
    return OBJECTS.get(kind, _UNKNOWN)


def first_columns(kind: str) -> tuple[str, ...]:
    """The columns of a type that a person looks for first, in the Dashboard's order; none where no one has
    said which."""
    return COLUMNS.get(kind, ())


def id_prefix(kind: str) -> str:
    """How ids of that type usually begin; "" where it isn't known, or people choose them."""
    return next(iter(object_type(kind).prefixes), "")


def prefix_owner(text: str) -> str:
    """The type of object whose ids begin as the text does; "" for none that is known."""
    for prefix, kind in _DEEP.items():
        if text.startswith(f"{prefix}_"):
            return kind
    return _OWNERS.get(text.partition("_")[0], "") if "_" in text else ""


def owner(text: str) -> str:
    """The type of object that an id names, by its prefix: "charge" for ch_123. "" for what is no id, or one
    of an unknown type."""
    return prefix_owner(text) if _ID.fullmatch(text) else ""


# Lists


@cache
def _homes() -> dict[str, str]:
    """Type of object -> the path below which one of them is read by its id."""
    found: dict[str, str] = {}
    for path, kind in facts.data().objects.items():
        home = path.removesuffix("/{}")
        if "{}" not in home and home not in _SAME_LISTS:
            found.setdefault(kind, home)
    return found


def list_path(kind: str) -> str:
    """Where the objects of a type are listed or read one by one: `/v1/checkout/sessions`; "" if they have no
    such path."""
    return _homes().get(kind, "")


def object_path(kind: str, id: str) -> str:
    """The path of one object; "" if its type has none."""
    home = list_path(kind)
    return f"{home}/{quote(id, safe='')}" if home else ""


def _takes(path: str, param: str, version: str) -> bool:
    operation = facts.find_endpoint("GET", _SAME_LISTS.get(path, path))
    return operation is not None and facts.has_parameter(operation, param, version)


def takes_created(path: str, version: str = PINNED_VERSION) -> bool:
    """Whether the list at a path can be asked for a time, as v1 does it."""
    return path.startswith("/v1/") and _takes(path, "created", version)


def takes_limit(path: str) -> bool:
    """Whether the list at a path comes in pages; one that isn't known is asked for them."""
    return facts.find_endpoint("GET", path) is None or any(_takes(path, "limit", each) for each in VERSIONS)
