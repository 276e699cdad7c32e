"""Help: pages for every module, examples that run on the sandbox, the search, forms by `--form`."""

from __future__ import annotations

import pytest
from each_row import each_row

from stripe_magics import catalogue, errors
from stripe_magics.catalogue.module import Effect
from stripe_magics.magics.catalogue_search import find
from stripe_magics.magics.help_page import WIDTH, HelpPage, HelpSection
from stripe_magics.magics.help_pages import example, page, subcommand_page
from stripe_magics.parsing import parse

from .conftest import Cells

DOCUMENTED = [module.name for module in catalogue.documented()]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_example_runs_on_the_sandbox(name: str) -> None:
    """A write on an account as it opens: an example leans on no other."""
    from stripe_magics import pipeline
    from stripe_magics.client import shared_connection

    if catalogue.find(name).effect is not Effect.READ or shared_connection.shared() is None:
        shared_connection.connect(sandbox=True)
    if name == "payouts.cancel":  # the demo firm's payouts are Stripe's own, which can't be
        pipeline.call(parse("payouts create --amount 1.00usd"))
    command = parse(example(catalogue.find(name)).removeprefix("%stripe "))
    if catalogue.find(name).handler:
        assert pipeline.prepare(command).path == "/v1/webhook_endpoints"
    else:
        assert pipeline.call(command) is not None


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
    rows = [(part.title, row) for part in made.sections[:-1] for row in part.rows]
    assert len(rows) == len(module.fields)
    assert {row[0] for _, row in rows} == {
        own.name.upper() if own in module.path_fields else own.flag for own in module.fields
    }
    for own in module.fields:
        if own.required:  # a group's fields stand under its name, and aren't called by it once more
            assert any(
                f"{own.title if group != own.group else own.label} (required)" in str(row[-1])
                for group, row in rows
            )
    for flag in (str(row[0]) for _, row in rows):
        assert f"  {flag}" in text
        assert f"<code>{flag}</code>" in html
    assert "<script" not in html
    assert made.example in text
    assert all(
        len(line) <= WIDTH or line.count(" ") == 2 or made.example in line for line in text.split("\n")
    )


@each_row("name", [*DOCUMENTED, "checkout.sessions.create", "payment_method_configurations.update"])
def test_the_first_screen_says_it(name: str) -> None:
    """The example, what is required, and what else there is by name: in no more lines than a screen has."""
    made = page(name)
    lines = repr(made).split("\n")
    folded = [part for part in made.sections if part.folded]
    first = next(at for at, line in enumerate(lines) if line == f"{folded[0].title}:")
    assert first <= 40
    above = " ".join(" ".join(lines[:first]).split())
    assert made.example in "\n".join(lines[:first])
    assert all(part.count in above for part in folded)
    assert sum(len(part.rows) for part in made.sections if not part.folded) <= 9
    assert made._repr_html_().count("<summary>") >= len(folded)


def test_every_flag_of_our_own_words_is_explained() -> None:
    from stripe_magics.magics.subcommands import SUBCOMMANDS

    for subcommand in SUBCOMMANDS.values():
        made = subcommand_page(subcommand)
        rows = [row for part in made.sections for row in part.rows]
        assert len(rows) == len([flag for flag in subcommand.flags if flag != "**"])
        assert all(len(str(row[-1])) > 5 for row in rows), subcommand.name
        assert made.example or not subcommand.usage, subcommand.name


def test_long_choices_are_all_there_in_html_and_counted_in_text() -> None:
    from stripe_magics.catalogue.event_types import EVENT_TYPES

    made = page("events watch")
    html = made._repr_html_()
    assert all(each in html for each in EVENT_TYPES)
    assert f"{len(EVENT_TYPES) + 1} in all" in " ".join(repr(made).split()), "and * for every type"


@each_row(
    "line, title",
    [
        ("get --help", "Make an API Call"),
        ("post ?", "Make an API Call"),
        ("report balance_summary --help", "%stripe report balance_summary"),
        ("close --help", "%stripe close"),
    ],
)
def test_pages_of_other_lines(sandbox: Cells, line: str, title: str) -> None:
    assert repr(sandbox(f"%stripe {line}")).startswith(title)


def test_a_word_alone_finds_the_command_that_ends_with_it() -> None:
    with pytest.raises(errors.UnknownName, match="events watch"):
        page("watch")


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
        "report mrr --help",
        "close --help",
    ):
        sandbox(f"%stripe {line}")
    assert [each.line for each in links] == [
        "%stripe refunds create --form",
        "%stripe customers create --form",
        "%stripe report mrr --form",
        "%stripe close --form",
    ]
    assert type(links[2].open_form()).__name__ == "ReportForm"
    form = links[1].open_form()
    assert form.line == "%stripe customers create --name Jenny --metadata a=b"
    assert form.submit()["name"][0] == "Jenny"
    for each in links:
        each.close()


def test_backticks_are_code_on_a_page_and_stay_in_text() -> None:
    page = HelpPage(
        "Title",
        ["Say `%stripe <help>` & `a", "`two` and `three`"],
        [HelpSection("", ("flag", "what it is"), (("--x", "as `--y <z>`"), ("`--w`", "")))],
    )
    shown = page._repr_html_()
    assert "Say <code>%stripe &lt;help&gt;</code> &amp; `a" in shown
    assert "<code>two</code> and <code>three</code>" in shown
    assert "as <code>--y &lt;z&gt;</code>" in shown
    assert "`%stripe <help>`" in repr(page)
