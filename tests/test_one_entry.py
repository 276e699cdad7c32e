"""What is added in one place is seen everywhere: a kind of value, a secret field, a report with its
columns. (Options: test_options.py; object types: catalogue/test_stripe_objects.py.)"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from stripe_magics import catalogue
from stripe_magics.catalogue.field import Kind
from stripe_magics.catalogue.kinds import KINDS, KindFacts, Shape
from stripe_magics.forms import module_form
from stripe_magics.magics import completion, help_pages
from stripe_magics.magics.seen_ids import Seen
from stripe_magics.magics.suggestion import CompletionContext
from stripe_magics.parsing import parse
from stripe_magics.pipeline import prepare


def kind(name: str) -> Kind:
    """A member that the enumeration doesn't have."""
    made = str.__new__(Kind, name)
    made._name_, made._value_ = name.upper(), name
    return made


def test_every_kind_has_its_entry() -> None:
    assert set(KINDS) == set(Kind)


@pytest.fixture
def landing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds of its own for two fields of customers.create: a place, and a list of places."""
    one, many = kind("landing_place"), kind("landing_places")
    words = {"values": "countries", "help": "a place to land", "sample": "CH", "placeholder": "where to land"}
    monkeypatch.setitem(KINDS, one, KindFacts(reader="country", preview="country", **words))
    monkeypatch.setitem(
        KINDS, many, KindFacts(shape=Shape.LIST, reader="text_list", control="text_list", help="places")
    )
    module = catalogue.find("customers.create")
    kinds = {"description": one, "preferred_locales": many}
    fields = tuple(
        (
            each.replace(kind=kinds[each.name], required=each.name == "description")
            if each.name in kinds
            else each
        )
        for each in module.fields
    )
    assert {each.kind for each in fields} >= {one, many}
    changed = dataclasses.replace(module, fields=fields)
    declared = catalogue._declared
    monkeypatch.setattr(
        catalogue,
        "_declared",
        lambda file: tuple(changed if each.name == module.name else each for each in declared(file)),
    )


def test_a_kind_is_one_entry(landing: None) -> None:
    line = "customers create --description CH --preferred-locales a --preferred-locales b,c"
    params = dict(prepare(parse(line)).params)
    assert params["description"] == "CH", "the reader that the entry names"
    assert [value for name, value in params.items() if name.startswith("preferred_locales")] == [
        "a",
        "b",
        "c",
    ]
    cell = parse("customers create", "description: CH\npreferred_locales:\n  - a\n  - b")
    assert dict(prepare(cell).params)["preferred_locales[1]"] == "b"
    module = catalogue.find("customers.create")
    page = repr(help_pages.page(module.name))
    assert "a place to land" in page
    assert "places" in page
    assert "--description CH" in help_pages.example(module), "the sample stands in the example"
    place = CompletionContext(Seen(), {})
    found = completion.suggest("%stripe customers create --description ", place)
    assert found is not None
    assert "CH" in {hit.text for hit in found[1]}
    found = completion.suggest("%stripe customers create --desc", place)
    assert found is not None
    assert {hit.kind for hit in found[1]} == {"landing place"}
    form = module_form(module.name, {"description": "CH"})
    try:
        assert form.controls["description"].focus.placeholder == "where to land"
        assert "Switzerland (CH)" in str(form.controls["description"].note.value)
        assert "CH" in str(form.preview())
    finally:
        form.close()


SECRET = """
import sys
from pathlib import Path
import stripe_magics._redaction as redaction
redaction.SECRET_FIELDS = {**redaction.SECRET_FIELDS, "customer": frozenset({"phone"})}
import pandas as pd
import stripe_magics as sm
from stripe_magics.frames import build

sm.connect(sandbox=True, demo=False)
made = sm.call("customers.create", name="Jenny", phone="+15550100")
payment = sm.call("payment_intents.create", amount=100, currency="usd", customer=made["id"][0],
                  expand=["customer"])
folder = Path(sys.argv[1])
sm.pull("customers", to=folder / "pulled", quiet=True)
sm.sync(folder / "mirror", "customers", quiet=True)
shown = {
    "created": made, "listed": sm.call("customers.list"), "inside": payment,
    "event": sm.call("events.list"), "sql": sm.sql("select phone from customers"),
    "files": pd.read_parquet(folder / "pulled"),
    "json": pd.DataFrame([redaction.hide({"object": "customer", "phone": "+15550100"})]),
}
seen = [name for name, frame in shown.items() if "0100" in str(frame.to_dict())]
assert not seen, seen
assert made["phone"].tolist() == [redaction.HIDDEN]
assert made.stripe.reveal("phone").tolist() == ["+15550100"]
print("hidden everywhere")
"""


def test_a_secret_field_is_one_entry(tmp_path: Path) -> None:
    """In a process of its own: the table is read while modules are imported."""
    run = [sys.executable, "-c", SECRET, str(tmp_path)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "hidden everywhere", done.stderr


def test_a_report_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd

    import stripe_magics as sm
    from stripe_magics.finance.aggregation import result
    from stripe_magics.finance.columns import CURRENCY, count, declare, money
    from stripe_magics.finance.report_options import ReportOption
    from stripe_magics.finance.report_table import REPORTS, Report
    from stripe_magics.finance.runner import describe_report, reports
    from stripe_magics.magics.subcommands import data, find
    from stripe_magics.magics.subcommands.report_forms import FinanceReporter

    @declare(CURRENCY, money("beamed", "What went by beam."), count("trips", "How many trips."))
    def beams(times: int) -> pd.DataFrame:
        return result(
            pd.DataFrame({"currency": ["usd"], "beamed": [1234 * times], "trips": [times]}), "beams", []
        )

    entry = Report(
        "what went by beam",
        lambda _: beams,
        lambda _, x: beams(x.options["times"]),
        period="none",
        options={"times": ReportOption(2, "how often")},
    )
    monkeypatch.setitem(REPORTS, "beams", entry)
    sm.connect(sandbox=True, demo=False)
    try:
        made = sm.report("beams", times=3)
        assert made["beamed"].tolist() == [3702]
        assert made.attrs["stripe"]["kinds"] == {"currency": "text", "beamed": "money", "trips": "count"}
        assert made.stripe.to_major()["beamed"].tolist() == [37.02], "what is money is converted"
        assert "beams" in reports()["report"].tolist()
        about = describe_report("beams")
        assert {"beamed", "--times"} <= set(about["name"])
        found = completion.suggest("%stripe report bea", CompletionContext(Seen(), {}))
        assert found is not None
        assert [hit.text for hit in found[1]] == ["beams"]
        found = completion.suggest("%stripe report beams --ti", CompletionContext(Seen(), {}))
        assert found is not None
        assert [hit.text for hit in found[1]] == ["--times"]
        called = find("report")
        assert called is not None
        page = repr(data.report_page(called.subcommand, "beams"))
        assert "beams: what went by beam" in page
        assert "how often" in page
        forms = {each.name: each for each in FinanceReporter().reports()}
        assert [each.flag for each in forms["beams"].choices] == ["times"]
    finally:
        sm.close()
