"""Values that fields take, by kind: one that is right, and hypothesis strategies of what people might
enter."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from stripe_magics.catalogue.field import Field, Kind, Role

IDS = {
    "customer": "cus_NffrFeUfNV2Hib",
    "payment_intent": "pi_3MtwBwLkdIwHu7ix28a3tqPa",
    "payment_method": "pm_1MqLiJLkdIwHu7ixUEgbFdYF",
    "charge": "ch_3MmlLrLkdIwHu7ix0snN0B15",
    "refund": "re_1Nispe2eZvKYlo2Cd31jOCgZ",
    "payout": "po_1OaFDbEcg9tTZuTgNYmX0PKB",
    "invoice": "in_1MtHbELkdIwHu7ixl4OzzPMv",
    "account": "acct_1032D82eZvKYlo2C",
    "mandate": "mandate_1MvojA2eZvKYlo2CvqTABjZs",
    "source": "src_1N3lxdLkdIwHu7ixPHXy60wM",
    "test_helpers.test_clock": "clock_1Mr3I22eZvKYlo2Ck0rgMqd7",
}
PREFIXES = {
    "invoiceitem": "ii",
    "balance_transaction": "txn",
    "subscription": "sub",
    "promotion_code": "promo",
    "tax_rate": "txr",
    "discount": "di",
    "payment_link": "plink",
    "bank_account": "ba",
    "price": "price",
    "product": "prod",
    "coupon": "coupon",
    "invoice_line_item": "il",
    "line_item": "il",
}


def identity(kind: str) -> str:
    return IDS.get(kind) or f"{PREFIXES.get(kind, 'obj')}_1MtHbELkdIwHu7ix"


def sample(field: Field) -> Any:
    """A value of the form's own shape that the field takes."""
    if field.choices and field.kind is not Kind.MULTI_CHOICE:
        return field.choices[0]
    return {
        Kind.TEXT: _text(field),
        Kind.LONG_TEXT: "Two words",
        Kind.EMAIL: "jenny@example.com",
        Kind.PHONE: "+49 30 1234567",
        Kind.URL: "https://example.com/back",
        Kind.INTEGER: str(field.minimum or 1),
        Kind.MINOR_AMOUNT: str(max(field.minimum or 0, 2500)),
        Kind.BOOLEAN: "true",
        Kind.MULTI_CHOICE: list(field.choices[:1]),
        Kind.TEXT_LIST: (
            [identity(field.object)] if field.object else ["customer"] if field.name == "expand" else ["de"]
        ),
        Kind.OBJECT_ID: identity(field.object),
        Kind.CURRENCY: "usd",
        Kind.COUNTRY: "DE",
        Kind.LOCALE: "en-GB",
        Kind.TIMESTAMP: "2030-01-31",
        Kind.TIMESTAMP_FILTER: "2024-01-31",
        Kind.METADATA: {"order": "6735"},
        Kind.ROWS: [{column.name: sample(column) for column in field.columns if not column.when}],
        Kind.JSON: '{"a": 1}',
        Kind.DECIMAL: "1.5",
    }[field.kind]


def _text(field: Field) -> str:
    return {
        "url": "/v1/events",
        "api_version": "2025-02-24.acacia",
        "stripe_version": "2025-02-24.acacia",
        "invoice_prefix": "ACME",
    }.get(field.name, "Jenny"[: field.max_length or 9])


words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20
).filter(lambda text: text.strip() == text and text)


def entered(field: Field) -> st.SearchStrategy[Any]:
    """What somebody might enter into a control: mostly right, sometimes anything."""
    right = st.just(sample(field))
    if field.role is Role.URL:
        return right | st.just("/v1/customers/cus_1")
    if field.kind is Kind.OBJECT_ID:
        return right | st.text("abz_019", min_size=1, max_size=12)
    if field.kind in {Kind.TEXT, Kind.LONG_TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL}:
        return right | words
    if field.kind is Kind.MULTI_CHOICE and field.choices:
        return st.lists(st.sampled_from(field.choices), min_size=1, max_size=3, unique=True)
    if field.kind is Kind.CHOICE:
        return st.sampled_from(field.choices) if field.choices else right
    if field.kind is Kind.BOOLEAN:
        return st.sampled_from(["true", "false"])
    if field.kind is Kind.METADATA:
        return st.dictionaries(
            st.text("abc_ .0", min_size=1, max_size=6).map(str.strip).filter(bool),
            words,
            min_size=1,
            max_size=3,
        )
    if field.kind is Kind.ROWS:
        plain = [each for each in field.columns if not each.when]
        return st.lists(
            st.fixed_dictionaries({each.name: entered(each) for each in plain}), min_size=1, max_size=2
        )
    if field.kind in {Kind.INTEGER, Kind.MINOR_AMOUNT}:
        return st.integers(field.minimum or 0, min(field.maximum or 99999, 99999)).map(str)
    return right
