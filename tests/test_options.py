"""Options: one table, from which a line, its completion, its help and Python's keywords are made; nothing
that was named is dropped."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import pytest
from each_row import each_row

from stripe_magics import _options
from stripe_magics._options import OPTIONS, Option, Options, find_option, read_options
from stripe_magics.errors import InvalidValue
from stripe_magics.magics import command_completion, help_pages
from stripe_magics.parsing import parse
from stripe_magics.pipeline import command

VALUES = {"text": "x", "list": "a,b", "limit": "5", "flag": "", "switch": "off"}


def test_every_option_is_taken_by_every_interface() -> None:
    problems = []
    page = " ".join(repr(help_pages.page("customers.delete")).split())
    from stripe_magics import catalogue

    flags = {hit.text for hit in command_completion.flags(catalogue.find("customers.delete"), [])}
    for option in OPTIONS.values():
        if option.takes == "frame":
            line, value = f"{option.flag} df", pd.DataFrame({"a": [1]})
        else:
            line = f"{option.flag} {VALUES[option.takes]}"
            value = True if option.takes == "flag" else VALUES[option.takes]
        read = parse(f"customers delete cus_1 {line}", namespace={"df": value}).options
        given = getattr(read, option.name)
        if given is not value if option.takes == "frame" else given == getattr(Options(), option.name):
            problems.append(f"{line} has no effect")
        keywords = command("customers.delete", customer="cus_1", **{option.name: value}).options
        if option.takes != "frame" and getattr(keywords, option.name) != getattr(read, option.name):
            problems.append(f"{option.name}= is not what {line} is")
        if option.usage not in page:
            problems.append(f"the help lacks {option.usage}")
        if option.flag not in flags:
            problems.append(f"completion lacks {option.flag}")
        if option.short and option.takes == "text":
            short = parse(f"customers delete cus_1 -{option.short} x").options
            if getattr(short, option.name) != "x":
                problems.append(f"-{option.short} is not {option.flag}")
    assert not problems
    assert len(OPTIONS) == len(fields(Options))


def test_an_option_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    from stripe_magics import catalogue

    monkeypatch.setitem(OPTIONS, "shout", Option("shout", "flag", "say it loudly"))
    monkeypatch.setitem(_options._SPELLINGS, "shout", "shout")
    assert "--shout say it loudly" in " ".join(repr(help_pages.page("customers.list")).split())
    assert "--shout" in {hit.text for hit in command_completion.flags(catalogue.find("customers.list"), [])}
    assert find_option("shout") is OPTIONS["shout"]


@each_row("value", [None, np.nan, pd.NA, pd.NaT, "", "  "], ids=repr)
def test_a_missing_option_is_refused_by_name(value: Any) -> None:
    for option in OPTIONS.values():
        with pytest.raises(InvalidValue, match=f"{option.flag}.*is missing"):
            command("customers.delete", **{option.name: value})


@each_row(
    ("given", "words"),
    [
        ({"dry_run": "perhaps"}, "neither true nor false"),
        ({"dry_run": []}, "neither true nor false"),
        ({"out": ["df"]}, "a list is given"),
        ({"out": True}, "a bool is given"),
        ({"expand": [1]}, "not text"),
        ({"expand": []}, "empty"),
        ({"columns": {"a": 1}}, "not text"),
        ({"limit": True}, "not a number of rows"),
        ({"limit": 2.5}, "not a number of rows"),
        ({"from_": "df"}, "a str is given"),
        ({"to": pd.DataFrame()}, "a DataFrame is given"),
    ],
)
def test_odd_values_are_refused_by_name(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        read_options(given)


def test_a_text_is_one_item_of_a_list() -> None:
    assert read_options({"expand": "data.customer"}).expand == ["data.customer"]
    assert read_options({"columns": "id, email"}).columns == ["id", "email"]
    assert read_options({"columns": pd.Series(["id"])}).columns == ["id"]
    assert read_options({"limit": np.int64(7)}).limit == 7


def test_python_takes_what_the_line_takes() -> None:
    for keywords, line in [
        ({"starting_after": "re_1"}, "refunds list --starting-after re_1"),
        ({"ending_before": "re_1"}, "refunds list -b re_1"),
        ({"expand": ["data.charge"]}, "refunds list -e data.charge"),
        ({"idempotency_key": "k"}, "refunds list --idempotency k"),
        ({"stripe_context": "acct_1"}, "refunds list --stripe-context acct_1"),
        ({"limit": "3"}, "refunds list -l 3"),
    ]:
        assert command("refunds.list", **keywords) == parse(line), line
    assert command("customer list", email="a@example.com").module == "customers.list"
    assert command("customers.get", customer="cus_1").module == "customers.retrieve"
