"""Modules are found by name, alias and title, and a wrong name gets the nearest."""

from __future__ import annotations

import subprocess
import sys

import pytest
from each_row import each_row

from stripe_magics import catalogue
from stripe_magics.errors import UnknownName

ALIASES = {  # Stripe's own command line's names -> the module
    "invoiceitems.create": "invoice_items.create",
    "invoiceitems.list": "invoice_items.search",
    "invoiceitems.retrieve": "invoice_items.retrieve",
    "invoiceitems.update": "invoice_items.update",
    "invoiceitems.delete": "invoice_items.delete",
    "balance_transactions.list": "balance.list_history",
    "balance_transactions.retrieve": "balance.retrieve_transaction",
    "invoices.list": "invoices.search",
    "invoices.finalize_invoice": "invoices.finalize",
    "invoices.void_invoice": "invoices.void",
    "invoice_line_items.list": "invoices.list_lines",
    "payment_links.list_line_items": "payment_links.list_lines",
    "webhook_endpoints.create": "events.watch",
}


@each_row("alias, name", ALIASES.items())
def test_alias(alias: str, name: str) -> None:
    assert catalogue.find(alias).name == name
    assert catalogue.find(alias.replace(".", " ")).name == name
    assert catalogue.aliases()[alias] == name


@each_row(
    "written",
    [
        "customers.create",
        "customers create",
        "  Customers   CREATE ",
        "Create a Customer",
        "create a customer",
    ],
)
def test_ways_to_write_a_name(written: str) -> None:
    assert catalogue.find(written).name == "customers.create"


def test_hyphens_stand_for_underscores() -> None:
    assert catalogue.find("payment-intents confirm").name == "payment_intents.confirm"


@each_row(
    "wrong, meant",
    [
        ("customer create", "customers.create"),
        ("customers.creat", "customers.create"),
        ("invoice_items.serch", "invoice_items.search"),
        ("payment_intent confirm", "payment_intents.confirm"),
        ("invoices finalise", "invoices.finalize"),
    ],
)
def test_a_wrong_name_gets_the_nearest(wrong: str, meant: str) -> None:
    with pytest.raises(UnknownName, match=meant.replace(".", " ")) as caught:
        catalogue.find(wrong)
    assert caught.value.nearest[0] == f"`{meant.replace('.', ' ')}`"


def test_a_name_like_nothing_is_still_reported() -> None:
    with pytest.raises(UnknownName, match="Unknown command 'zzz'"):
        catalogue.find("zzz")


def test_every_name_is_found_and_there_is_only_one_of_each() -> None:
    names = catalogue.names()
    assert len(names) == len(set(names))
    assert names[: len(catalogue.documented())] == [module.name for module in catalogue.documented()]
    assert not set(names) & set(catalogue.aliases())
    for module in catalogue.documented():
        assert catalogue.find(module.name) is module
        assert catalogue.find(module.title) is module


def test_other_operations_are_reached_by_name() -> None:
    assert not catalogue.find("prices.create").documented
    assert len(catalogue.names()) > 500


def test_resources_for_completion() -> None:
    resources = catalogue.actions_by_resource()
    assert {"search", "list", "create", "retrieve", "update", "delete"} <= set(resources["customers"])
    assert {"finalize", "finalize_invoice", "list"} <= set(resources["invoices"])
    assert "sessions" in {name.rpartition(".")[2] for name in resources if name.startswith("checkout.")}


def test_a_look_up_reads_only_its_own_file() -> None:
    """`find` imports the resource's file and no other; and the package imports nothing heavy for it."""
    script = (
        "import sys, stripe_magics.catalogue as c; c.find('refunds.list');print(*[m for m in sys.modules if"
        " m.startswith('stripe_magics.catalogue.') or m in ('pandas', 'httpx', 'yaml')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True
    )
    loaded = set(done.stdout.split())
    assert "stripe_magics.catalogue.resources.refunds" in loaded
    assert not loaded & {
        "stripe_magics.catalogue.resources.customers",
        "stripe_magics.catalogue.generated.operations",
        "pandas",
        "httpx",
        "yaml",
    }
