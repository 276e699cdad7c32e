"""How answers look: text and HTML, escaped, trimmed, with what was cut said below."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from stripe_magics.magics.dataframe_display import View
from stripe_magics.magics.fact_list import Code, Facts
from stripe_magics.magics.status_badges import badge

from .conftest import Cells

EVIL = "<img src=x onerror=alert(1)>"


def frame(rows: list[dict[str, Any]], **about: Any) -> pd.DataFrame:
    made = pd.DataFrame(rows)
    made.attrs["stripe"] = {
        "object": "payment_intent",
        "module": "payment_intents.list",
        "mode": "test",
        "zone": "UTC",
        "complete": True,
        **about,
    }
    return made


def shown(shell: Any, value: Any) -> dict[str, str]:
    return shell.display_formatter.format(value)[0]


def test_amounts_times_states_and_links(shell: Any) -> None:
    made = frame(
        [
            {"id": "pi_1abcDEF", "created": pd.Timestamp("2026-03-01 23:30", tz="UTC"), "amount": 123450, "currency": "usd", "status": "succeeded", "customer": "cus_1abc"},
            {"id": "pi_2abcDEF", "created": pd.Timestamp("2026-03-02 08:00", tz="UTC"), "amount": 5000, "currency": "jpy", "status": "failed", "customer": None},
        ],
        zone="Europe/Zurich",
    )  # fmt: skip
    bundle = shown(shell, made)
    html = bundle["text/html"]
    for text in ("1,234.50 USD", "5,000 JPY", "2026-03-02 00:30", "2026-03-02 09:00", "TEST"):
        assert text in html
        assert text in bundle["text/plain"]
    assert '<a href="https://dashboard.stripe.com/test/payments/pi_1abcDEF"' in html
    assert '<a href="https://dashboard.stripe.com/test/customers/cus_1abc"' in html
    assert re.search(r"<span style=[^>]*>succeeded</span>", html)
    assert list(made["amount"]) == [123450, 5000]


def test_everything_is_escaped(shell: Any) -> None:
    made = frame(
        [
            {
                "id": f"pi_1{EVIL}",
                "name": EVIL,
                EVIL: EVIL,
                "metadata": {EVIL: EVIL},
                "lines": [{"a": EVIL}],
                "status": EVIL,
            }
        ],
        account=EVIL,
        notes=[EVIL],
    )
    html = shown(shell, made)["text/html"]
    assert "<img" not in html
    assert html.count("&lt;img") >= 5
    assert 'href="' not in html


def test_links_go_to_the_dashboard_only(shell: Any) -> None:
    for bad in ("javascript:alert(1)", 'x" onclick="y', "pi_1/../../evil", "https://evil.example"):
        assert "href" not in shown(shell, frame([{"id": bad}]))["text/html"]
    assert (
        "dashboard.stripe.com/acct_1/payments/pi_1abc"
        in shown(shell, frame([{"id": "pi_1abc"}], account="acct_1", mode="live"))["text/html"]
    )
    assert "href" not in shown(shell, frame([{"id": "pi_1abc"}], mode="sandbox"))["text/html"]


def test_live_is_red_and_said(shell: Any) -> None:
    html = shown(shell, frame([{"id": "pi_1"}], mode="live"))["text/html"]
    assert ">LIVE<" in html
    assert "#c0123c" in html
    assert "[LIVE]" in shown(shell, frame([{"id": "pi_1"}], mode="live"))["text/plain"]
    assert "SANDBOX" in badge("sandbox")


def test_wide_frames_are_trimmed_and_say_so(shell: Any) -> None:
    made = frame(
        [{"id": "pi_1", **{f"empty_{n}": None for n in range(20)}, **{f"column_{n}": n for n in range(20)}}]
    )
    html = shown(shell, made)["text/html"]
    assert "empty_3" not in html
    assert "column_10" in html
    assert "12 of 41 columns are shown" in html
    assert "column_15" not in html
    shell.run_cell("%stripe config --all-columns true")
    assert "column_15" in shown(shell, made)["text/html"]


def test_a_selection_is_shown_as_it_is(shell: Any) -> None:
    made = frame([{"id": "pi_1", **{f"empty_{n}": None for n in range(20)}}])[["id", "empty_1"]]
    assert "empty_1" in shown(shell, made)["text/html"]


def test_long_frames_show_both_ends(shell: Any) -> None:
    made = frame([{"id": f"pi_{n:04}x"} for n in range(500)])
    html = shown(shell, made)["text/html"]
    assert "pi_0000x" in html
    assert "pi_0499x" in html
    assert "pi_0250x" not in html
    assert "480 rows more" in html


def test_what_was_cut_is_said(sandbox: Cells) -> None:
    for name in "abc":
        sandbox(f"%stripe customers create --name {name}")
    made = sandbox("%stripe customers list --limit 2")
    bundle = shown(sandbox.shell, made)
    assert "there are more: --limit" in bundle["text/html"]
    assert "there are more: --limit" in bundle["text/plain"]
    assert "there are more" not in shown(sandbox.shell, sandbox("%stripe customers list"))["text/html"]


def test_an_empty_result_says_so(sandbox: Cells) -> None:
    bundle = shown(sandbox.shell, sandbox("%stripe customers list"))
    assert "nothing found" in bundle["text/html"]
    assert "nothing found" in bundle["text/plain"]


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame({"a": [1]}),
        pd.DataFrame({"a": [1], "b": [2]}).set_index(["a"]),
        pd.DataFrame({("x", "y"): [1]}),
    ],
)
def test_other_frames_look_as_always(shell: Any, value: pd.DataFrame) -> None:
    with_us = shown(shell, value)
    assert with_us["text/html"] == value._repr_html_()
    assert with_us["text/plain"] == repr(value)


def test_odd_frames_of_ours_fall_back(shell: Any) -> None:
    wide = frame([{"id": "pi_1", "currency": "usd", "amount": 5}]).pivot_table(
        index="id", columns=["currency"], values=["amount"]
    )
    wide.attrs["stripe"] = {"mode": "test"}
    with pd.option_context("display.html.use_mathjax", False):
        assert shown(shell, wide)["text/html"] == wide._repr_html_()
    indexed = frame([{"id": "pi_1", "amount": 5}, {"id": "pi_2", "amount": 6}]).iloc[[1]]
    assert "<th>1</th>" in shown(shell, indexed)["text/html"]


def test_text_cells(shell: Any) -> None:
    view = View(
        frame(
            [
                {
                    "id": "x",
                    "long": "y" * 200,
                    "flag": True,
                    "map": {"a": 1, "b": {"c": 2}},
                    "list": [1, 2],
                    "rows": [{"a": 1}],
                    "none": None,
                    "nan": float("nan"),
                    "text": "a\nb",
                }
            ]
        )
    )
    assert view.cells["long"][0].endswith("…")
    assert [view.cells[name][0] for name in ("flag", "map", "list", "rows", "none", "nan", "text")] == [
        "true",
        "a=1, b={...}",
        "1, 2",
        "1 item",
        "",
        "",
        "a b",
    ]


def test_facts_and_code_are_escaped() -> None:
    facts = Facts(EVIL, {EVIL: EVIL, "empty": ""}, mode="test")
    assert "<img" not in facts._repr_html_()
    assert "empty" not in repr(facts)
    assert "<img" not in Code(EVIL)._repr_html_()


def test_a_real_list_is_quick_to_show(sandbox: Cells) -> None:
    import time

    sandbox("%stripe connect --sandbox --quiet")
    made = sandbox("%stripe customers list")
    shown(sandbox.shell, made)
    start = time.perf_counter()
    shown(sandbox.shell, made)
    assert time.perf_counter() - start < 0.2
