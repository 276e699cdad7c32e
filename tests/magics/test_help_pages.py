"""Help: pages for every module, examples that run on the sandbox, the search, forms by `--form`."""

from __future__ import annotations

from typing import Any

import pytest
from each_row import each_row

from stripe_magics import catalogue, errors
from stripe_magics.catalogue.module import Effect
from stripe_magics.magics.catalogue_search import find
from stripe_magics.magics.help_pages import example, page
from stripe_magics.parsing import parse

from .conftest import Cells

DOCUMENTED = [module.name for module in catalogue.documented()]


@pytest.fixture(scope="module")
def demo() -> Any:
    """The demo account, opened once for this module."""
    from stripe_magics.client import shared_connection

    made = shared_connection.connect(sandbox=True)
    yield made
    shared_connection.close()


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_example_runs_on_the_sandbox(demo: Any, name: str) -> None:
    from stripe_magics import pipeline
    from stripe_magics.client import shared_connection

    if shared_connection.shared() is not demo:
        shared_connection.share(demo)
    line = example(catalogue.find(name))
    command = parse(line.removeprefix("%stripe "))
    command.options.again = pipeline.prepare(command).effect is not Effect.READ
    if catalogue.find(name).handler:
        assert pipeline.prepare(command).path == "/v1/webhook_endpoints"
    else:
        assert pipeline.call(command, connection=demo) is not None


@each_row(
    "name",
    [
        *DOCUMENTED,
        "checkout.sessions.create",
        "subscriptions.create",
        "charges.list",
        "test_helpers.test_clocks.advance",
    ],
)
def test_every_field_is_on_its_page(name: str) -> None:
    module = catalogue.find(name)
    made = page(name)
    text, html = repr(made), made._repr_html_()
    assert len(made.rows) == len(module.fields)
    assert {row[0] for row in made.rows} == {
        own.name.upper() if own in module.path_fields else own.flag for own in module.fields
    }
    for own in module.fields:
        if own.required:
            assert f"{own.title} (required)" in text
    assert "<script" not in html
    assert made.example in text


def test_a_resource_shows_its_actions_and_an_unknown_one_its_neighbours() -> None:
    assert "customers create" in repr(page("customers"))
    assert "checkout sessions create" in repr(page("checkout sessions"))
    with pytest.raises(errors.UnknownName, match="customers"):
        page("custmers create")


def test_the_search_finds_by_all_words() -> None:
    found = find("statement descriptor")
    assert len(found)
    assert found["documented"].iloc[0]
    assert all("descriptor" in " ".join(map(str, row)).lower() for row in found.to_numpy().tolist())
    assert "subscriptions.cancel" in set(find("cancel subscription")["module"])


def test_form_and_its_values(sandbox: Cells) -> None:
    form = sandbox("%stripe customers create --name Jenny --form")
    assert "customers create" in repr(form)
    assert type(form).__name__ == "ModuleForm"


def test_help_and_a_dry_run_have_a_button_that_opens_the_form(
    sandbox: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stripe_magics.forms.link_widget import FormLink

    links: list[FormLink] = []

    def displayed(link: FormLink) -> None:
        links.append(link)

    monkeypatch.setattr(FormLink, "_ipython_display_", displayed)
    for line in (
        "refunds create --help",
        "customers create --name Jenny -d metadata[a]=b --dry-run",
        "customers --help",
    ):
        sandbox(f"%stripe {line}")
    assert [each.line for each in links] == [
        "%stripe refunds create --form",
        "%stripe customers create --form",
    ]
    form = links[1].open_form()
    assert form.line == "%stripe customers create --name Jenny --metadata a=b"
    assert form.submit()["name"][0] == "Jenny"
    for each in links:
        each.close()
