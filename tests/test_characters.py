"""What copying brings along is refused by name where letters count and left alone in free text; nothing that
is shown steers the screen."""

from __future__ import annotations

from typing import Any

import pytest
from each_row import each_row

import stripe_magics as sm
from stripe_magics import errors, pipeline
from stripe_magics.parsing import parse

INVISIBLE = ("\u200b", "\u2060", "\u00ad", "\u200d", "\ufeff", "\u202e", "\u2066", "\u00a0", "\u2009")


@pytest.fixture(autouse=True)
def sandbox() -> Any:
    yield sm.connect(sandbox=True, demo=False)
    sm.close()


def prepared(line: str) -> Any:
    return pipeline.prepare(parse(line, None, {}))


@each_row(
    ("line", "named"),
    [
        ("customers create --email <jenny@example.com>", "< and > round it"),
        ("customers create --email “jenny@example.com”", "“ and ” round it"),
        ("customers create --email ‘jenny@example.com’", "‘ and ’ round it"),
        ("customers create --email jenny@ex\u0430mple.com", "CYRILLIC SMALL LETTER A"),
        ("customers create --email mailto:jenny@example.com", "mailto:"),
        ("customers list --email <jenny@example.com>", "< and > round it"),
        ("customers create —email jenny@example.com", "U+2014 EM DASH"),
        ("customers create –email jenny@example.com", "U+2013 EN DASH"),
        ("customers create −−email jenny@example.com", "U+2212 MINUS SIGN"),
        ("customers retrieve cus_1 —expand sources", "U+2014 EM DASH"),
        ("customers create --name “Jenny Rosen”", "U+201D RIGHT DOUBLE QUOTATION MARK"),
        ("customers create --pre‑ferred x", "U+2011 NON-BREAKING HYPHEN"),
        ("customers retrieve „cus_1“", "„ and “ round it"),
        ("customers retrieve <cus_1>", "< and > round it"),
        ("customers retrieve \u0441us_1", "CYRILLIC SMALL LETTER ES"),
        ("coupons retrieve “SUMMER”", "“ and ” round it"),
        ("products retrieve «basic»", "« and » round it"),
    ],
)
def test_B83_what_stands_round_a_word_or_looks_like_it_is_named(line: str, named: str) -> None:
    with pytest.raises(errors.StripeMagicsError, match=named.replace("+", r"\+")) as refused:
        prepared(line)
    assert "Nothing was sent" in str(refused.value)


@pytest.mark.parametrize("char", INVISIBLE)
def test_B83_what_can_not_be_seen_is_named(char: str) -> None:
    """Inside of a word; what stands at its ends like a blank is a blank."""
    code = f"U\\+{ord(char):04X}"
    for call, values in {
        "customers.create": {"email": f"jen{char}ny@example.com"},
        "customers.retrieve": {"customer": f"cus_{char}1"},
        "coupons.retrieve": {"coupon": f"SUM{char}MER"},
        "coupons.create": {"id": f"SUM{char}MER", "percent_off": 10, "duration": "once"},
        "webhook_endpoints.create": {
            "url": f"https://exam{char}ple.com/hook",
            "enabled_events": ["charge.failed"],
        },
        "invoices.list": {"customer": f"cus_{char}1"},
    }.items():
        with pytest.raises(errors.InvalidValue, match=code):
            sm.call(call, **values, dry_run=True)
    if char.isspace():
        return
    for line in (
        f"customers create --na{char}me Jenny",
        f"customers create -d na{char}me=Jenny",
        f"cust{char}omers create --name Jenny",
        f"customers cre{char}ate --name Jenny",
    ):
        with pytest.raises(errors.StripeMagicsError, match=code):
            prepared(line)


@each_row(
    ("line", "params"),
    [
        ("customers create --name „Jenny“", (("name", "„Jenny“"),)),
        ("customers create --name 'Jenny \u200d — “Rosen”'", (("name", "Jenny \u200d — “Rosen”"),)),
        ("customers create --description 'Привет, Jenny'", (("description", "Привет, Jenny"),)),
        ("customers create -d metadata[ключ–1]=“x”", (("metadata[ключ–1]", "“x”"),)),
        ("customers create --email jürgen@müller.de", (("email", "jürgen@müller.de"),)),
        ("customers create --email почта@пример.рф", (("email", "почта@пример.рф"),)),
        ("customers create --email oneil@example.com\u00a0", (("email", "oneil@example.com"),)),
        ("coupons create --id SOMMER–20% --percent-off 20 --duration once",
         (("duration", "once"), ("id", "SOMMER–20%"), ("percent_off", "20"))),
    ],
)  # fmt: skip
def test_B83_free_text_and_other_scripts_are_left_alone(
    line: str, params: tuple[tuple[str, str], ...]
) -> None:
    assert prepared(line).params == params


STEERING = "\x1b[2J\x07\x9b31m\u202etxt.exe"


def test_B85_what_steers_a_terminal_is_made_visible() -> None:
    sm.call("customers.create", name=f"Jenny {STEERING}")
    frame = sm.call("customers.list")
    assert frame["name"][0] == f"Jenny {STEERING}"
    request = sm.call("customers.create", name=f"Jenny {STEERING}", dry_run=True)
    said = errors.InvalidRequest(STEERING, advice=STEERING, facts=[STEERING])
    said.add_facts(STEERING)
    for shown in (plain_text(frame), repr(request), str(said)):
        assert "\\x1b[2J" in shown
        assert "\\u202etxt" in shown
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown)
    assert str(errors.UsageFault("Zoë\n\tЖ 日本 👩\u200d🚀")) == "Zoë\n\tЖ 日本 👩\u200d🚀"


def plain_text(frame: Any) -> str:
    from stripe_magics.magics.dataframe_display import bundle

    shown = bundle(frame)
    assert shown is not None
    computed = bundle(frame[["name"]].assign(length=1))
    assert computed is not None
    assert "\x1b" not in computed["text/plain"]
    return shown["text/plain"]


def test_B84_what_a_notebook_shows_is_never_mathematics() -> None:
    from stripe_magics import events, forms
    from stripe_magics.forms.html import receipt
    from stripe_magics.magics.dataframe_display import bundle

    made = sm.call("customers.create", name="$x$ \\(y\\)")
    frame = bundle(made)
    assert frame is not None
    card = forms.object_card(made["id"][0])
    watch = events.watch("customer.*")
    outputs = {
        "frame": frame["text/html"],
        "dry run": sm.call("customers.create", name="$x$", dry_run=True)._repr_html_(),
        "error": errors.UsageFault("costs $5 or $6")._repr_html_(),
        "receipt": receipt([("", "$x$")]),
        "card": card._repr_html_(),
        "watch": watch._repr_html_(),
    }
    watch.stop()
    for name, shown in outputs.items():
        around = shown[shown.index("<div") :].partition(">")[0]
        assert {"tex2jax_ignore", "mathjax_ignore"} <= set(
            around.split("'" if "'" in around else '"')[1].split()
        ), name
    form = sm.form("customers.create", name="$x$")
    assert {"tex2jax_ignore", "mathjax_ignore"} <= set(form._dom_classes)
    form.close()
    card.close()
