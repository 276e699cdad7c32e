"""Every option of the table on every kind of line: it has an effect, or it is refused by its name."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

import stripe_magics as sm
from stripe_magics._options import OPTIONS
from stripe_magics.client import shared_connection
from stripe_magics.client.secret import Secret
from stripe_magics.errors import InvalidValue, StripeMagicsError
from stripe_magics.sandbox import SandboxTransport

from .conftest import Cells

LINES = {
    "list": "customers list --email jenny@example.com",
    "retrieve": "customers retrieve {customer}",
    "create": "customers create --name Jenny{n}",
    "update": "customers update {customer} --name Jenny{n}",
    "delete": "coupons delete SPRING",
    "raw read": "get /v1/customers",
    "raw write": "post /v1/customers -d name=Jenny{n}",
    "rows": "customers create --from $rows",
    "files": "customers list --to {folder}/out",
    "form": "customers create --name Jenny{n} --form",
}
SAMPLES = {
    "out": "--out bound",
    "expand": "--expand default_source",
    "limit": "--limit 1",
    "columns": "--columns id,email",
    "names": "--names off",
    "to": "--to {folder}/other",
    "from": "--from $rows",
    "idempotency": "--idempotency my-key",
    "stripe_account": "--stripe-account acct_1MZrjBLkdIwHu7ix",
    "stripe_context": "--stripe-context acct_1MZrjBLkdIwHu7ix",
    "stripe_version": "--stripe-version 2024-06-20",
}
MOOT = {
    ("yes", None),  # answers what would be asked; nothing is asked outside of live mode
    # nothing was made before
    ("again", "create"), ("again", "update"), ("again", "delete"), ("again", "raw write"), ("again", "rows"),
    ("names", None),  # says how a table is shown: noted with the table; nothing is shown here
    ("idempotency", "form"), ("again", "form"), ("yes", "form"), ("columns", "form"), ("expand", "form"),
    ("table", "form"),
    # of the call that the form makes: its line shows them
    ("stripe_account", "form"), ("stripe_context", "form"),
    ("quiet", None),  # what is shown; looked at by itself
}  # fmt: skip

NUMBERS = itertools.count(1000)


class Recorder(httpx.BaseTransport):
    """A sandbox that keeps what it was sent. Connected accounts are its own."""

    def __init__(self) -> None:
        self.inside = SandboxTransport(demo=False)
        self.sent: list[tuple[Any, ...]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        kept = {"stripe-account", "stripe-context", "stripe-version", "idempotency-key"}
        headers = {name: value for name, value in request.headers.items() if name in kept}
        if not headers.get("idempotency-key", "my-key").startswith("my-key"):
            headers.pop("idempotency-key")  # made by chance
        self.sent.append(
            (
                request.method,
                str(request.url),
                re.sub(rb"(?i)jenny\d+", b"Jenny", request.read()),
                tuple(sorted(headers.items())),
            )
        )
        plain = {name: value for name, value in request.headers.items() if not name.startswith("stripe-")}
        return self.inside.handle_request(
            httpx.Request(request.method, request.url, headers=plain, content=request.content)
        )


@pytest.fixture
def recorder(cells: Cells) -> Iterator[Recorder]:
    made = Recorder()
    shared_connection.connect(secret=Secret("sk_test_51" + "a" * 60), transport=made)
    yield made
    shared_connection.close()


def outcome(cells: Cells, recorder: Recorder, line: str) -> Any:
    """What came of a line, in a form to compare; the error where it was refused."""
    cells.run("%stripe coupons delete SPRING --again --quiet")
    cells("%stripe coupons create --id SPRING --percent-off 10 --duration once --again --quiet")
    number = next(NUMBERS)  # a call of its own each time
    cells(f"import pandas as pd\nrows = pd.DataFrame({{'email': ['jenny{number}@example.com']}})")
    recorder.sent.clear()
    cells.shell.user_ns.pop("bound", None)
    result = cells.run(f"%stripe {line}".replace("{n}", str(number)))
    fault = result.error_in_exec
    if fault is not None:
        return fault
    value = cells.shell.user_ns.get("bound", result.result)
    shape: Any = type(value).__name__
    if isinstance(value, pd.DataFrame):
        about = value.attrs["stripe"]
        call = {key: about.get(key) for key in ("table", "names", "limit_given", "notes")}
        if "folder" in value:
            call["files"] = list(pd.read_parquet(value["folder"][0]).columns)
        shape = (shape, tuple(value.columns), len(value), str(call))
    elif shape == "ModuleForm":
        shape = (shape, re.sub(r"form-\S+|Jenny\d+", "", value.line))
        value.close()
    sent = tuple(each for each in recorder.sent if each[1].rpartition("/")[2] != "account")
    return shape, "bound" in cells.shell.user_ns, sent


def test_every_option_of_every_line_has_an_effect_or_is_refused(
    cells: Cells, recorder: Recorder, tmp_path: Path
) -> None:
    customer = cells("%stripe customers create --name Jenny --email jenny@example.com --quiet\n_ = 1")
    customer = cells("%stripe customers list")["id"][0]
    without = []
    for kind, line in LINES.items():
        pieces = {"customer": customer, "n": "{n}", "folder": tmp_path / f"{kind}-plain".replace(" ", "-")}
        plain = outcome(cells, recorder, line.format(**pieces))
        assert not isinstance(plain, BaseException), (line, plain)
        for name in OPTIONS:
            if name in {"help", "table"} or f"--{name}" in line or {(name, None), (name, kind)} & MOOT:
                continue
            pieces["folder"] = tmp_path / f"{kind}-{name}".replace(" ", "-")
            option = SAMPLES.get(name, f"--{name.replace('_', '-')}").format(**pieces)
            found = outcome(cells, recorder, f"{line.format(**pieces)} {option}")
            if isinstance(found, StripeMagicsError):
                words = name.replace("_", " ")
                if not re.search(words.replace(" ", "[-_ ]"), str(found), re.IGNORECASE):
                    without.append(f"{kind}: {option}: {found}")
            elif isinstance(found, BaseException):
                raise found
            elif found == plain:
                without.append(f"{kind}: {option}")
    assert not without, "\n".join(without)


@pytest.mark.parametrize(
    "line", ["customers list --again", "customers list --idempotency k", "get /v1/customers --again"]
)
def test_what_only_a_write_takes_is_refused_on_a_read(sandbox: Cells, line: str) -> None:
    with pytest.raises(StripeMagicsError, match="only reads"):
        sandbox(f"%stripe {line}")


def test_a_column_that_there_isnt_is_noted_after_a_write(sandbox: Cells) -> None:
    """What was carried out doesn't end in an error."""
    made = sandbox("%stripe customers create --name Jenny --columns name,nonsense")
    assert made["name"].tolist() == ["Jenny"]
    assert any("nonsense" in each for each in made.attrs["stripe"]["notes"])
    assert list(sandbox("%stripe customers create --name Jane --columns name --again")) == ["id", "name"]
    with pytest.raises(StripeMagicsError, match="nonsense"):
        sandbox(f"%stripe customers retrieve {made['id'][0]} --columns nonsense")


@pytest.mark.parametrize(("option", "instead"), [("form", "sm.form"), ("out", "name"), ("help", "NAME?")])
def test_what_means_something_on_a_line_alone_is_refused_in_python(
    sandbox: Cells, option: str, instead: str
) -> None:
    """A payout that was to be looked at in a form first must not go out."""
    value = {"out": "made"}.get(option, True)
    with pytest.raises(InvalidValue, match=re.escape(instead)):
        sm.call("customers.create", name="Jenny", **{option: value})
    assert sm.call("customers.list").empty
    made = sm.call("customers.create", name="Jenny", **{option: False} if option != "out" else {})
    assert len(made) == 1


def test_a_key_in_the_calls_own_field_is_refused_on_a_read(sandbox: Cells) -> None:
    with pytest.raises(InvalidValue, match="only reads"):
        sm.call("api.call", url="/v1/customers", method="GET", idempotency_key="k")
    assert len(sm.call("api.call", url="/v1/customers", method="POST", idempotency_key="k")) == 1
