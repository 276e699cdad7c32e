"""Secrets are planted through every way in, everything is run with every logger at DEBUG, and every byte that
was written or sent is searched.

Nothing is silenced: the root logger and all others write into a file that is searched too.
"""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from each_row import each_row
from fault_server import Fault, FaultServer, error

import stripe_magics as sm
from stripe_magics import pipeline
from stripe_magics._redaction import KEY, SECRET_FIELDS, hide, is_secret_param, mask_param, redact
from stripe_magics.client import shared_connection
from stripe_magics.client.shared_connection import SANDBOX_KEY
from stripe_magics.errors import StripeMagicsError
from stripe_magics.magics.history import History

API_KEY = "sk_test_51PlantedPlantedPlantedPlantedPlanted0001"
CARD, CVC, BANK = "4242424242424242", "987", "000123456789"
CLIENT_SECRET = "pi_9Abcdefgh_secret_PlantedPlanted"
SIGNING = "whsec_PlantedPlantedPlanted0123456789"
LINK = "https://files.stripe.com/links/PlantedPlantedLink"
PLANTED = (
    API_KEY,
    API_KEY[-16:],
    CARD,
    BANK,
    CLIENT_SECRET.rpartition("_")[2],
    SIGNING[6:],
    "PlantedPlantedLink",
)
OBJECT = {
    "id": "obj_1",
    "object": "payment_intent",
    "client_secret": CLIENT_SECRET,
    "latest_charge": {
        "object": "charge",
        "id": "ch_1",
        "payment_method_details": {"card": {"number": CARD, "cvc": CVC}},
    },
    "bank": {"object": "bank_account", "account_number": BANK, "routing_number": "110000000"},
    "endpoint": {"object": "webhook_endpoint", "secret": SIGNING},
    "file": {"object": "file_link", "url": LINK},
}


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which all state and all logs end up; every logger at DEBUG."""
    monkeypatch.setenv("STRIPE_MAGICS_STATE_DIR", str(tmp_path / "state"))
    handler = logging.FileHandler(tmp_path / "all.log")
    root = logging.getLogger()
    before = root.level, {name: logging.getLogger(name).level for name in list(root.manager.loggerDict)}
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    for name in before[1]:
        logging.getLogger(name).setLevel(logging.NOTSET)
    yield tmp_path
    root.removeHandler(handler)
    root.setLevel(before[0])
    for name, level in before[1].items():
        logging.getLogger(name).setLevel(level)
    handler.close()
    shared_connection.close()


def search(folder: Path, *more: object) -> list[str]:
    """Where a planted secret is found: in a file, or in one of these objects."""
    found = [
        f"{planted} in {path.relative_to(folder)}"
        for path in folder.rglob("*")
        if path.is_file()
        for planted in PLANTED
        if planted.encode() in path.read_bytes()
    ]
    return found + [
        f"{planted} in {text[:80]}" for text in map(str, more) for planted in PLANTED if planted in text
    ]


CALLS: tuple[tuple[str, dict[str, Any], list[tuple[str, str]]], ...] = (
    ("payment_methods.create", {"type": "card"}, [("card[number]", CARD), ("card[cvc]", CVC)]),
    ("tokens.create", {}, [("bank_account[account_number]", BANK), ("bank_account[country]", "US")]),
    (
        "payment_intents.create",
        {"amount": 2000, "currency": "usd"},
        [("payment_method_data[card][number]", CARD)],
    ),
)
ANSWERS = (
    Fault("after", "answer", 200, (), OBJECT),
    error(
        402,
        "card_error",
        "card_declined",
        f"Declined {CARD} {CLIENT_SECRET} {API_KEY}",
        payment_intent=OBJECT,
    ),
    error(401, "invalid_request_error", None, f"Invalid API Key provided: {API_KEY}"),
    Fault("after", "reset"),
    Fault("before", "answer", 500, (), f"<html>{API_KEY} {LINK}"),
)


@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
def test_no_call_leaves_a_secret_anywhere(
    server: FaultServer, everything: Path, answer: Fault, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from client.conftest import QUICK

    monkeypatch.setenv("STRIPE_API_KEY", API_KEY)
    connection = sm.connect(api_base=server.url, policy=QUICK)
    history, shown = History(), []
    for module, values, params in CALLS:
        command = pipeline.command(module, **values)
        command.params.extend(params)
        server.always = answer
        problem: BaseException | None = None
        frame: Any = None
        try:
            frame = pipeline.call(command, connection=connection)
        except StripeMagicsError as fault:
            problem = fault
            shown += traceback.TracebackException.from_exception(fault, capture_locals=False).format()
            (everything / f"error-{module}.pickle").write_bytes(pickle.dumps(fault))
            shown += [str(fault), repr(fault), repr(vars(fault)), repr(fault.__dict__.get("details"))]
        line = f"{module.replace('.', ' ')} " + " ".join(f"-d {name}={value}" for name, value in params)
        history.add(command, line, 0.0, answer=frame, error=problem)
        request = pipeline.prepare(command)
        shown += [repr(request), request._repr_html_(), request.curl()]
        if frame is not None:
            (everything / f"frame-{module}.pickle").write_bytes(pickle.dumps(frame))
            frame.to_parquet(everything / f"frame-{module}.parquet")
            shown += [frame.to_html(), frame.to_csv(), frame.to_string(), str(frame.attrs)]
    shown += [
        history.script(),
        history.frame().to_csv(),
        repr(history.entries),
        repr(connection),
        str(connection.status()),
    ]
    logging.getLogger("stripe_magics").debug("done")
    said = capsys.readouterr()
    assert "POST" in (everything / "all.log").read_text()
    assert not search(everything, *shown, said.out, said.err)


def test_every_field_of_the_table_is_hidden_in_json() -> None:
    for kind, fields in SECRET_FIELDS.items():
        for name in fields:
            data = {
                "object": kind or "anything",
                "inner": [{name: "PlantedPlanted", "object": kind or "thing"}],
            }
            assert "Planted" not in str(hide(data)), (kind, name)


@each_row(
    "text",
    [
        API_KEY, f"x{API_KEY}", f"%20{API_KEY}", f"key={API_KEY}&a=1", f'"{API_KEY}"',
        API_KEY.replace("test", "live"), f"rk_live_{'a1' * 12}",
        f"rkcs_test_{'a1' * 12}", f"sk_org_live_{'a1' * 12}", f"pk_live_{'a1' * 12}", f"ek_test_{'a1' * 12}",
        SIGNING, CLIENT_SECRET, LINK, CARD,
        "4242 4242 4242 4242", "sk_test_****4242", "https://checkout.stripe.com/c/pay/cs_test_a1b2#fid",
        "https://verify.stripe.com/start/test_abc",
    ],
)  # fmt: skip
def test_B75_what_is_secret_is_hidden(text: str) -> None:
    shown = redact(f"before {text} after")
    assert text not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@each_row(
    "text",
    [
        "pk_customer_id", "sk_test_", "rk_test_...", "sk_test_...4f2a",
        "one starts with sk_test_, rk_test_, sk_live_ or rk_live_", SANDBOX_KEY, "whsec_...",
        "task_test_results", "desk_live_view", "cus_4242424242424242", "pi_3MtwBwLkdIwHu7ix28a3tqPa",
        "1700000000000", "amount 123456789012", "2026-01-02 03:04:05",
        "https://docs.stripe.com/payments/checkout", "risk_test_mode",
        "form-7c0d4242-4242-4242-8242-424242424242",
    ],
)  # fmt: skip
def test_B75_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


def test_B75_our_own_help_is_never_masked() -> None:
    from stripe_magics.magics.help_pages import overview, page
    from stripe_magics.magics.subcommands import SUBCOMMANDS

    texts = [
        repr(overview(SUBCOMMANDS)),
        *(repr(page(name)) for name in ("customers.create", "webhook_endpoints.create")),
    ]
    for text in texts:
        assert redact(text) == text


def test_numbers_are_shown_by_their_last_four_digits() -> None:
    assert mask_param("card[number]", CARD) == "\u2022\u2022\u2022\u2022 4242"
    assert mask_param("card[cvc]", CVC) == "\u2022\u2022\u2022"
    assert mask_param("number", "INV-1") == "INV-1"
    assert is_secret_param("payment_method_data[us_bank_account][account_number]")
    assert not is_secret_param("phone_number[")
    assert KEY.search(API_KEY)
