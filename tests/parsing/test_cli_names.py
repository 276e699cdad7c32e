"""Every v1 name of Stripe's command line tool reaches the method and path that it has there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from each_row import each_row

from stripe_magics import pipeline
from stripe_magics.parsing import command_words, lexer, parse

SPECS = Path(__file__).parents[1] / "specs"
NAMES = [
    tuple(line.split(": ", 1)) for line in (SPECS / "cli_names.txt").read_text().splitlines() if line.strip()
]
"""(`issuing cards test_helpers ship_card`, `POST /v1/test_helpers/issuing/cards/{}/shipping/ship`)."""


def reached(name: str) -> str:
    module, left, _ = command_words.named(lexer.split(name))
    assert not left, f"{name} is read as {module.name}, and {left[0].text!r} is left"
    return f"{module.method} {re.sub(r'{[^}]*}', '{}', module.path)}"


def test_the_table_is_whole() -> None:
    assert len(NAMES) == len({name for name, _ in NAMES}) == 572
    published = json.loads((SPECS / "answer_types.json").read_text())
    found = [operation for _, operation in NAMES if operation in published]
    assert len(found) > 400  # of the version of 2023; the others are newer


@each_row(("name", "operation"), [each for each in NAMES if each[0] != "invoices search"])
def test_a_name_reaches_its_operation(name: str, operation: str) -> None:
    assert reached(name) == operation
    assert reached(name.replace("_", "-")) == operation


def test_a_search_of_invoices_is_one() -> None:
    """Its module lists too, and searches where the search is given."""
    sent = pipeline.prepare(parse("invoices search --query 'total>100'", None, {}))
    assert f"{sent.method} {sent.path}" == dict(NAMES)["invoices search"]


@pytest.mark.parametrize(
    ("line", "operation"),
    [
        ("usage_records create si_1 -d quantity=1", "POST /v1/subscription_items/si_1/usage_records"),
        ("usage_record_summaries list si_1", "GET /v1/subscription_items/si_1/usage_record_summaries"),
        ("invoices upcoming --customer cus_1", "GET /v1/invoices/upcoming"),
        ("customers sources cus_1", "GET /v1/customers/cus_1/sources"),
        ("line_items list in_1", "GET /v1/invoices/in_1/lines"),
    ],
)
def test_older_names_too(line: str, operation: str) -> None:
    sent = pipeline.prepare(parse(line, None, {}))
    assert f"{sent.method} {sent.path}" == operation
