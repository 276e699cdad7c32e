"""How answers look: text and HTML, escaped, trimmed, with what was cut said below."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from stripe_magics._status_colours import STATES
from stripe_magics.magics.fact_list import Code, Facts
from stripe_magics.magics.frame_rendering import as_html
from stripe_magics.magics.frame_view import View
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
            {"id": "pi_1abcDEF", "created": pd.Timestamp("2026-03-01 23:30", tz="UTC"), "amount": 123450,
                "currency": "usd", "status": "succeeded", "customer": "cus_1abc"},
            {"id": "pi_2abcDEF", "created": pd.Timestamp("2026-03-02 08:00", tz="UTC"), "amount": 5000,
                "currency": "jpy", "status": "failed", "customer": None},
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
    assert "#b42318" in html
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


def built(rows: list[dict[str, Any]], kind: str = "charge", **how: Any) -> pd.DataFrame:
    """A frame as a call makes it: with all columns of its type."""
    import json

    from stripe_magics import frames

    body = json.dumps([{"object": kind, "created": 1_700_000_000, **row} for row in rows]).encode()
    info = frames.FrameInfo(mode="test", zone="UTC", units="minor", complete=True)
    return frames.build([body], kind, attrs=info.attrs(), **how)


def heads(html: str) -> list[str]:
    return re.findall(r"<th[^>]*>([^<]*)</th>", html.partition("</thead>")[0])


def test_the_columns_that_matter_come_first_in_the_dashboards_order(shell: Any) -> None:
    row = {
        "id": "ch_1a",
        "amount": 16680,
        "currency": "gbp",
        "status": "succeeded",
        "description": "Two chairs",
        "customer": "cus_1",
    }
    html = shown(shell, built([row]))["text/html"]
    assert heads(html)[:6] == ["id", "amount", "status", "description", "customer", "created"]
    assert "166.80 GBP" in html
    assert "currency" not in heads(html)  # amounts show it
    dispute = {
        "id": "dp_1a",
        "amount": 500,
        "currency": "usd",
        "status": "needs_response",
        "reason": "fraudulent",
        "evidence_details": {"due_by": 1_700_500_000},
    }
    html = shown(shell, built([dispute], "dispute"))["text/html"]
    assert {"reason", "amount", "status"} <= set(heads(html))
    assert "needs_response by 2023-11-20" in html


def test_an_empty_list_has_the_columns_that_matter(sandbox: Cells) -> None:
    from stripe_magics.catalogue.stripe_objects import first_columns

    view = View(sandbox("%stripe refunds list"))
    assert (
        view.columns == [each for each in first_columns("refund") if each in view.frame][: len(view.columns)]
    )
    assert len(view.columns) >= 4
    assert 'style="text-align:left">nothing found' in as_html(view)


def test_a_word_that_cannot_be_broken_is_as_wide_as_it_is(shell: Any) -> None:
    rows = [
        {"id": "cus_1", "name": "Ada", "email": "a@example.com", "description": "words " * 8, "phone": "1"}
        | {f"more_{number}": "x" for number in range(12)}
    ]
    made = frame(rows, object="customer", module="customers.list")
    short = View(made).columns
    assert {"name", "email", "description"} <= set(short)
    rows[0]["email"] = f"{'a' * 48}@example.com"
    rows[0]["name"] = "Ü" * 50
    rows[0]["description"] = "w" * 59
    assert len(View(frame(rows, object="customer", module="customers.list")).columns) < len(short)


def test_every_column_that_matters_exists() -> None:
    from stripe_magics.catalogue.stripe_objects import COLUMNS
    from stripe_magics.frames import schema
    from stripe_magics.frames.schema import known

    wrong = [
        (kind, name)
        for kind, names in COLUMNS.items()
        if known(kind)
        for name in names
        if name not in schema(kind).names
    ]
    assert not wrong


def test_what_a_person_adds_or_selects_is_shown(shell: Any) -> None:
    made = built(
        [
            {
                "id": "ch_1a",
                "amount": 5,
                "currency": "usd",
                "status": "succeeded",
                "description": "x",
                "customer": "cus_1",
            }
        ]
    )
    made["margin"] = 0.25
    assert "margin" in heads(shown(shell, made)["text/html"])
    assert heads(shown(shell, made[["id", "transfer_group", "amount"]])["text/html"]) == [
        "id",
        "transfer_group",
        "amount",
    ]


def test_money_is_money_whichever_columns_were_chosen(shell: Any) -> None:
    rows = [
        {"id": "ch_1", "amount": 16680, "currency": "gbp"},
        {"id": "ch_2", "amount": 500, "currency": "jpy"},
    ]
    html = shown(shell, built(rows, columns=["amount"]))["text/html"]
    assert "166.80 GBP" in html
    assert "500 JPY" in html
    assert "currency" not in built(rows, columns=["amount"]).columns
    assert "166.80 GBP" in shown(shell, built(rows[:1])[["id", "amount"]])["text/html"]
    assert (
        "amount (minor units)"
        in shown(
            shell,
            built(rows)[["id", "amount"]].drop(columns=[]).assign(x=1)[["id", "amount"]].pipe(without_call),
        )["text/html"]
    )


def without_call(made: pd.DataFrame) -> pd.DataFrame:
    made.attrs["stripe"].call = None
    return made


def test_what_was_computed_has_pandas_own_display_with_a_word_about_units(shell: Any) -> None:
    made = built(
        [
            {"id": "ch_1", "amount": 16680, "currency": "gbp", "status": "failed"},
            {"id": "ch_2", "amount": 500, "currency": "gbp", "status": "paid"},
        ]
    )
    for computed in (
        made.describe(),
        made.groupby("status")[["amount"]].sum(),
        made.groupby("status", as_index=False)[["amount"]].sum(),
        pd.concat([made, made]),
    ):
        bundle = shown(shell, computed)
        assert "GBP" not in bundle["text/html"] or "currency" in computed
        assert "16,680" not in bundle["text/html"]
        assert "In minor units: amount" in bundle["text/html"]
        assert bundle["text/plain"].startswith(repr(computed))
    counted = made.groupby("status", as_index=False)["id"].count()
    assert shown(shell, counted)["text/plain"] == repr(counted)


def test_pandas_options_are_obeyed(shell: Any) -> None:
    made = built([{"id": f"ch_{n}a", "amount": n, "currency": "usd"} for n in range(100)])
    with pd.option_context("display.max_rows", 8):
        assert "92 rows more" in shown(shell, made)["text/html"]
    with pd.option_context("display.max_columns", None):
        assert len(heads(shown(shell, made)["text/html"])) == made.shape[1]


def test_nothing_is_mathematics(shell: Any) -> None:
    made = built([{"id": "ch_1", "amount": 5, "currency": "usd", "description": "from $10 to $20"}])
    for value in (
        made,
        made.groupby("status")[["amount"]].sum(),
        Facts("$1 $2", {"a": "$3 $4"}),
        Code("$1 $2"),
    ):
        html = shown(shell, value)["text/html"] if isinstance(value, pd.DataFrame) else value._repr_html_()
        assert "tex2jax_ignore" in html
        assert "mathjax_ignore" in html
    assert "from $10 to $20" in shown(shell, made)["text/html"]


def test_a_balance_is_one_row_a_currency(shell: Any) -> None:
    body = {
        "available": [{"amount": 500, "currency": "usd"}, {"amount": 7, "currency": "jpy"}],
        "pending": [{"amount": 100, "currency": "usd"}],
    }
    plain = shown(shell, built([body], "balance"))["text/plain"]
    assert re.search(r"usd\s+5\.00 USD\s+1\.00 USD", plain)
    assert re.search(r"jpy\s+7 JPY\s+0 JPY", plain)


def test_states_read_in_any_light() -> None:
    """WCAG 2.2 AA: 4.5 : 1 for text, by its formula."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for word, pair in STATES.items():
        low, high = sorted(map(luminance, pair))
        assert (high + 0.05) / (low + 0.05) >= 4.5, word
    assert STATES["needs_response"] != STATES["succeeded"]
    assert STATES["requires_payment_method"] == STATES["draft"]


def test_a_report_names_itself_and_shows_every_column(shell: Any) -> None:
    from stripe_magics import frames

    made = pd.DataFrame(
        {
            "currency": ["usd"],
            **{f"part_{n}": [n * 100] for n in range(20)},
            "dso": [10.1234],
            "residual": [0],
        }
    )
    info = frames.FrameInfo(
        units="minor", mode="test", complete=True, amounts=["residual", *(f"part_{n}" for n in range(20))],
        more={"report": "dso", "title": "Days sales outstanding", "period": "1-30 Sep 2026",
            "kinds": {"dso": "days"}},
    )  # fmt: skip
    bundle = shown(shell, info.put(made))
    assert "Days sales outstanding · 1-30 Sep 2026" in bundle["text/html"]
    assert "residual" in heads(bundle["text/html"])
    assert "part_19" in bundle["text/plain"]
    assert ">10.1<" in bundle["text/html"]
