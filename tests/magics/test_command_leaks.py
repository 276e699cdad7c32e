"""Every word of `%stripe` is run on a connection whose key, answers and parameters hold planted secrets, with
every logger at DEBUG.

Whatever is printed, shown, raised, logged or written is searched; so are the states of all widgets. A word
that is added to the table has to be added here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fault_server import Fault, FaultServer
from test_leaks import API_KEY, CARD, CLIENT_SECRET, OBJECT, everything, search, server

import stripe_magics as sm
from stripe_magics import errors
from stripe_magics.client import shared_connection
from stripe_magics.magics.subcommands import SUBCOMMANDS

from .conftest import Cells

__all__ = ["everything", "server"]  # fixtures

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "connect": ("--env STRIPE_API_KEY --api-base {base}", "--env NO_SUCH_KEY", f"--env {API_KEY}"),
    "modules": ("",),
    "find": (API_KEY, "card number"),
    "help": ("customers create", API_KEY),
    "history": ("", "--all"),
    "script": ("", "{folder}/script.py"),
    "pending": ("",),
    "resume": ("1", "99"),
    "reconcile": ("1",),
    "live": ("off", "on"),
    "config": ("", f"name {API_KEY}"),
    "sandbox advance": ("1d",),
    "sandbox save": ("{folder}/sandbox.json",),
    "sandbox load": ("{folder}/nothing.json",),
    "report": ("",),
    "close": ("--month nonsense",),
    "journal": ("--month nonsense",),
    "pull": ("payment_intents --to {folder}/pulled.parquet", "payment_intents"),
    "sync": ("payment_intents --to {folder}/mirror",),
    "sql": ("select 1",),
    "listen": ("--stop",),
    "events listen": ("--stop",),
    "events endpoints": ("", "--secret-of we_1"),
    "events replay": ("evt_1",),
    "events digest": ("",),
}
"""What follows each word; without an entry it is run alone."""

CALLS = (
    "payment_intents list",
    "payment_intents retrieve pi_1",
    f"payment_methods create --type card -d card[number]={CARD} -d card[cvc]=987",
    (
        f"payment_intents create --amount 2000 --currency usd -d payment_method_data[card][number]={CARD}"
        " --dry-run"
    ),
    f"payment_intents confirm pi_1 -d client_secret={CLIENT_SECRET}",
    f"customers create --description {API_KEY}",
    "payment_methods create --form --type card",
)
PLAIN = {
    "created": 1_700_000_000,
    "amount": 2000,
    "currency": "usd",
    "status": "succeeded",
    "livemode": False,
    "type": "charge",
}
MODES = ("Plain", "Verbose")


@pytest.mark.parametrize("mode", MODES)
def test_no_command_leaves_a_secret_anywhere(
    cells: Cells,
    server: FaultServer,
    everything: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    capsys: Any,
) -> None:
    from client.conftest import QUICK
    from forms.conftest import models

    monkeypatch.setenv("STRIPE_API_KEY", API_KEY)
    monkeypatch.chdir(everything)
    listed = {"object": "list", "url": "/v1/things", "has_more": False, "data": [{**OBJECT, **PLAIN}]}
    server.always = Fault("after", "answer", 200, (), listed)
    names = [" ".join(words) for words in SUBCOMMANDS]
    assert set(ARGUMENTS) <= set(names)
    lines = [f"{name} {more}" for name in names for more in ARGUMENTS.get(name, ("",))]
    lines = [each for each in lines if not each.startswith("disconnect")]
    sm.connect(api_base=server.url, policy=QUICK)
    cells(f"%xmode {mode}")
    shown: list[object] = []
    for line in (*CALLS, *lines, *CALLS, "disconnect"):
        if shared_connection.shared() is None or shared_connection.current().mode == "sandbox":
            sm.connect(api_base=server.url, policy=QUICK)
        result = cells.run("%stripe " + line.format(base=server.url, folder=everything))
        problem = result.error_before_exec or result.error_in_exec
        assert problem is None or isinstance(problem, (errors.StripeMagicsError, KeyboardInterrupt)), (
            f"{line}: {problem!r}"
        )
        typed = cells.shell.history_manager.input_hist_raw[-1]
        shown += [
            cells.stdout.replace(typed, ""),
            cells.stderr,
            problem and str(problem),
            problem and vars(problem),
        ]
        value = result.result
        shown += [repr(value), getattr(value, "attrs", ""), *(str(each.data) for each in cells.outputs)]
        if hasattr(value, "_repr_html_"):
            shown.append(value._repr_html_())
    shown += [each.get_state() for each in models().values()]
    cells("%xmode Plain")
    found = search(everything, *shown, *capsys.readouterr())
    assert not found, found[:10]
