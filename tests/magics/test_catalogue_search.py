"""`find`: the trade's own words lead to Stripe's, the best first, in no time for any input."""

from __future__ import annotations

import pytest
from each_row import each_row

from stripe_magics import errors
from stripe_magics.magics.catalogue_search import MAX_HITS, SYNONYMS, find


@each_row(
    ("words", "module"),
    [
        ("chargeback", "disputes."),
        ("VAT", "tax_ids."),
        ("coupon code", "promotion_codes."),
        ("seat", ".quantity"),
        ("receipt", "receipt_email"),
        ("dunning", "invoices."),
        ("credit memo", "credit_notes."),
        ("refund reason", "refunds.create.reason"),
        ("settlement", "payouts."),
        ("voucher", "coupons."),
        ("mobile", "phone"),
        ("checkout session", "checkout.sessions."),
        ("payment intents capture", "payment_intents.capture"),
    ],
)
def test_what_people_call_it(words: str, module: str) -> None:
    frame = find(words)
    hits = (frame["module"] + "." + frame["field"].str.removeprefix("--").str.replace("-", "_")).tolist()
    assert any(module in hit for hit in hits[:10]), hits[:10]


def test_the_best_comes_first() -> None:
    assert find("refund create")["module"].iloc[0] == "refunds.create"
    assert find("customers list")["module"].iloc[0] == "customers.list"
    assert find("invoice finalize")["module"].iloc[0] == "invoices.finalize"


def test_every_synonym_finds_something() -> None:
    assert not [word for word in SYNONYMS if find(word).empty]


@each_row(
    "text",
    [
        "a",
        "e",
        "create",
        "co pa in su ac tr cu re",
        "zzzzz",
        "account create update list",
        "id " * 8,
        "é ß ñ",
        "[](){}*+?",
    ],
)
def test_any_input_is_taken_or_refused(text: str) -> None:
    try:
        frame = find(text)
    except errors.UsageFault:
        frame = None
    assert frame is None or len(frame) <= MAX_HITS


@each_row(
    "text", ["", "  ", "_", "a " * 20_000, "x" * 10_000, "one two three four five six seven eight nine"]
)
def test_too_much_or_nothing_is_refused(text: str) -> None:
    with pytest.raises(errors.UsageFault, match=r"Which words|too m"):
        find(text)
