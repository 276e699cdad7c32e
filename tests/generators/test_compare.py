"""The report of what a new release of the `stripe` package changes."""

from __future__ import annotations

from generators.compare import Found, described
from generators.operations_file import Operation
from generators.parameter_types import ParameterTypes


def operation(name: str, release: str, shape: int) -> Operation:
    return Operation(name, "", "", "", [], {release: shape})


def test_new_gone_and_changed_are_named() -> None:
    types = ParameterTypes()
    types.choices = [["invoice.paid"], ["invoice.paid", "invoice_payment.paid"]]
    types.shapes = [[["events", "lc0", 1], ["old", "s", 0]], [["events", "lc1", 1], ["url", "s", 0]]]
    before: Found = {
        ("POST", "/v1/a"): operation("a.create", "1.0.0", 0),
        ("GET", "/v1/gone"): operation("gone.list", "1.0.0", -1),
        ("GET", "/v1/same"): operation("same.list", "1.0.0", 0),
    }
    after: Found = {
        ("POST", "/v1/a"): operation("a.create", "2.0.0", 1),
        ("GET", "/v1/new"): operation("new.list", "2.0.0", -1),
        ("GET", "/v1/same"): operation("same.list", "2.0.0", 0),
    }
    text = described(types, ("1.0.0", before), ("2.0.0", after), "API version x -> y.")
    assert text.startswith("# stripe 2.0.0: 1 new operations, 1 gone, 3 parameters changed\n")
    for line in (
        "- GET /v1/new (new.list)",
        "- GET /v1/gone (gone.list)",
        "- a.create: `url` is new",
        "- a.create: `old` is gone",
        "- a.create: `events` changed: also invoice_payment.paid",
    ):
        assert line in text.splitlines()
    assert "same.list" not in text
