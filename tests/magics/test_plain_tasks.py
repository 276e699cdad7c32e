"""The start card's search: people's own words, each line of which opens."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from ipywidgets import Widget
from traitlets.config import Config

import stripe_magics as sm
from stripe_magics import magics
from stripe_magics.magics.plain_tasks import TASKS, tasks_for


@pytest.fixture
def card() -> Any:
    sm.connect(sandbox=True)
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    magics.load(shell)
    try:
        made = shell.run_line_magic("stripe", "")
        yield made
        made.close()
    finally:
        magics.unload(shell)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("who owes us", "report ar_ageing --form"),
        ("Give money back", "refunds create"),
        ("chargeback", "disputes list"),
        ("I want to cancel a subscription", "subscriptions cancel"),
        ("what needs doing today", "today"),
        ("unpaid invoices", "report ar_ageing --form"),
    ],
)
def test_plain_words(card: Any, words: str, line: str) -> None:
    assert card.search(words)[0] == line


def test_nothing_is_offered_twice_and_stripes_words_still_work(card: Any) -> None:
    found = card.search("chargeback")
    assert len(found) == len(set(found))
    assert "disputes retrieve" in found
    assert card.search("xyzzy") == []
    assert tasks_for("the of us") == []


def test_every_task_opens(card: Any) -> None:
    for line in dict.fromkeys(line for _, line, _ in TASKS):
        shown = card.show_line(line)
        assert isinstance(shown, Widget) or hasattr(shown, "_repr_html_"), line
