"""An amount that was named but is blank is refused by every interface: left out, a partial refund would
become a whole one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from stripe_magics import errors
from stripe_magics.client import shared_connection

from .conftest import Cells

BLANK: dict[str, Any] = {
    "None": None,
    "NaN": float("nan"),
    "NA": pd.NA,
    "masked": np.ma.masked,
    "empty text": "",
    "blanks": "  ",
    "no-break space": "\xa0",
    "empty list": [],
    "empty dict": {},
    "empty tuple": (),
    "empty array": np.array([]),
    "empty series": pd.Series([], dtype=float),
}
WAYS: dict[str, str] = {
    "line": "%stripe refunds create --payment-intent pi_1 --amount $v",
    "parameter": "%stripe refunds create --payment-intent pi_1 -d amount={{v}}",
    "call": "sm.call('refunds.create', payment_intent='pi_1', amount=v)",
    "form": "sm.form('refunds.create', payment_intent='pi_1', amount=v).submit(confirm=True)",
    "generated": "sm.call('transfers.create_reversal', id='tr_1', amount=v)",
    "fee": "sm.call('application_fees.refund', id='fee_1', amount=v)",
    "raw": (
        "sm.call('api.call', method='POST', url='/v1/refunds', body={'payment_intent': 'pi_1', 'amount': v})"
    ),
    "raw line": "%stripe post /v1/refunds -d payment_intent=pi_1 -d amount=$v",
}
ROWS = (
    "sm.call('refunds.create', from_=pd.DataFrame({'payment_intent': ['pi_1'], 'amount': pd.Series([v],"
    " dtype=object)}))"
)


@pytest.fixture
def posted(sandbox: Cells) -> list[str]:
    """The bodies of all writes that reach the sandbox."""
    transport = shared_connection.current().sandbox
    seen, real = [], transport.answer

    def answer(method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Any:
        if method == "POST":
            seen.append(body.decode())
        return real(method, path, query, headers, body)

    transport.answer = answer
    sandbox("import stripe_magics as sm, pandas as pd")
    return seen


@pytest.mark.parametrize("way", WAYS)
def test_a_blank_amount_is_refused(sandbox: Cells, posted: list[str], way: str) -> None:
    for name, value in BLANK.items():
        sandbox.shell.user_ns["v"] = value
        result = sandbox.run(WAYS[way])
        problem = result.error_before_exec or result.error_in_exec
        assert isinstance(problem, errors.StripeMagicsError), f"{name}: {problem!r}"
        assert posted == [], name
    shared_connection.close()


def test_a_blank_amount_in_a_row_is_refused(sandbox: Cells, posted: list[str]) -> None:
    for name, value in BLANK.items():
        sandbox.shell.user_ns["v"] = value
        result = sandbox.run(ROWS)
        problem = result.error_before_exec or result.error_in_exec
        assert isinstance(problem, errors.StripeMagicsError), f"{name}: {problem!r}"
        assert posted == [], name
    shared_connection.close()


UNASSIGNED = {
    "deleted": "def go(who):\n    del who\n    {line}\ngo('x')",
    "assigned later": "def go():\n    {line}\n    who = 'later'\ngo()",
    "of an except clause": (
        "def go():\n    try:\n        1 / 0\n    except ZeroDivisionError as who:\n        pass\n   "
        " {line}\ngo()"
    ),
}


@pytest.mark.parametrize("how", UNASSIGNED)
def test_a_function_s_unassigned_name_is_not_the_global_one(
    sandbox: Cells, posted: list[str], how: str
) -> None:
    code = "who = 'GLOBAL'\n" + UNASSIGNED[how].format(line="%stripe customers create --name $who")
    with pytest.raises(errors.UsageFault, match=r"\$who is a variable of go\(\) that has no value"):
        sandbox(code)
    assert posted == []
    shared_connection.close()


def test_a_decorated_function_that_has_returned_is_looked_through(sandbox: Cells, posted: list[str]) -> None:
    code = (
        "import functools\nwho = 'GLOBAL'\ndef plain(f):\n    @functools.wraps(f)\n    def w(*a):\n       "
        " return f(*a)\n    return w\n@plain\ndef outer(who):\n    def inner():\n        %stripe customers"
        " create --name $who\n    return inner\nouter('x')()"
    )
    with pytest.raises(errors.UsageFault, match="its value is gone"):
        sandbox(code)
    assert posted == []
    shared_connection.close()


def test_reconcile_in_the_sandbox_can_be_sure(sandbox: Cells) -> None:
    """Its answers have a Date, so that the time in which the call can have acted is known."""
    from stripe_magics.sandbox.fault_injection import Fault

    connection = shared_connection.current()
    connection.sandbox.faults[:] = [Fault("status", match="POST", status=502, times=3)]
    with pytest.raises(errors.OutcomeUnknown):
        sandbox("%stripe customers create --name Jenny")
    (operation,) = connection.pending()
    sandbox(f"%stripe reconcile {operation.number}")
    assert connection.journal.get(operation.number).state == "absent"
    shared_connection.close()
