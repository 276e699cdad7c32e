"""One call a row: all checked before the first, each at most once, errors in a column."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from stripe_magics import bulk
from stripe_magics._command import Command
from stripe_magics._options import Options
from stripe_magics.client.http import retry
from stripe_magics.client.journal.journal import Origin
from stripe_magics.errors import ConfirmationNeeded, InvalidValue, UnknownName, UsageFault
from stripe_magics.pipeline import call
from stripe_magics.sandbox.fault_injection import Fault


def people(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"name": [f"Bulk {n}" for n in range(count)], "email": [f"bulk{n}@example.com" for n in range(count)]}
    )


def found(sandbox: Any) -> int:
    df = call("customers.list", limit="all", connection=sandbox)
    return int(df["name"].fillna("").str.startswith("Bulk").sum())


def test_one_call_a_row_and_never_twice(sandbox: Any) -> None:
    df = people(30)
    out = bulk.write_rows("customers.create", df, connection=sandbox, quiet=True)
    assert out["result"].tolist() == ["done"] * 30
    assert out["result_id"].is_unique
    assert out["idempotency_key"].is_unique
    assert list(df.columns) == ["name", "email"]
    assert found(sandbox) == 30
    again = bulk.write_rows("customers.create", df, connection=sandbox, quiet=True)
    assert again["result"].tolist() == ["replayed"] * 30
    assert again["result_id"].tolist() == out["result_id"].tolist()
    assert found(sandbox) == 30
    more = bulk.write_rows("customers.create", people(33), connection=sandbox, quiet=True)
    assert more["result"].value_counts().to_dict() | {} == {
        "replayed": 30,
        "done": 3,
        "failed": 0,
        "unknown": 0,
        "not sent": 0,
    }
    assert found(sandbox) == 33


def test_equal_rows_are_each_made_once(sandbox: Any) -> None:
    df = pd.concat([people(1)] * 3, ignore_index=True)
    for _ in range(2):
        bulk.write_rows("customers.create", df, connection=sandbox, quiet=True)
    assert found(sandbox) == 3


def test_again_makes_them_once_more(sandbox: Any) -> None:
    df = people(2)
    bulk.write_rows("customers.create", df, connection=sandbox, quiet=True)
    bulk.write_rows("customers.create", df, connection=sandbox, quiet=True, again=True)
    assert found(sandbox) == 4


def test_another_cell_is_refused_as_a_line_is(sandbox: Any) -> None:
    df, count = people(1), found(sandbox)
    first, second = (
        bulk.write_rows("customers.create", df, connection=sandbox, quiet=True, origin=Origin(cell, "d", 1))
        for cell in ("a", "b")
    )
    assert first["result"].tolist() == ["done"]
    assert second["result"].tolist() == ["not sent"]
    assert second["result_id"].tolist() == first["result_id"].tolist()
    assert "already ran" in second["error"][0]
    assert "another cell" in second.attrs["stripe"]["notes"][1]
    assert found(sandbox) == count + 1


FAILURES = [
    Fault("status", status=401, times=None),
    Fault("status", status=429, times=None),
    Fault("status", status=500, times=None),
    Fault("garble", times=None),
    Fault("drop_before", times=None),
]


@pytest.mark.parametrize("fault", FAILURES, ids=lambda each: f"{each.kind}-{each.status}")
def test_a_row_that_is_done_is_done_whatever_the_answer_now(
    sandbox: Any, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "delay", lambda *_, **__: 0.0)
    df = people(2)
    first = bulk.write_rows("customers.create", df, connection=sandbox, quiet=True)
    sandbox.sandbox.faults[:] = [fault]
    more = pd.concat([df, people(3).iloc[2:]], ignore_index=True)
    out = bulk.write_rows("customers.create", more, connection=sandbox, quiet=True)
    assert out["result"].tolist()[:2] == ["replayed"] * 2
    assert out["result_id"].tolist()[:2] == first["result_id"].tolist()
    lost = fault.kind == "garble" or (fault.kind == "status" and fault.status == 500)
    assert out["result"].tolist()[2] == ("unknown" if lost else "failed")
    sandbox.sandbox.faults.clear()
    assert bulk.write_rows("customers.create", more, connection=sandbox, quiet=True)["result"].tolist() == [
        "replayed",
        "replayed",
        "replayed" if fault.kind == "garble" else "done",
    ]


def test_a_change_that_was_overtaken_is_made_afresh(sandbox: Any) -> None:
    identity = call("customers.list", limit=1, connection=sandbox)["id"][0]
    for name in ("A", "B", "A"):
        df = pd.DataFrame({"id": [identity], "name": [name]})
        out = bulk.write_rows("customers.update", df, connection=sandbox, quiet=True)
        assert out["result"].tolist() == ["done"]
        assert call("customers.retrieve", customer=identity, connection=sandbox)["name"][0] == name


def test_an_error_is_its_rows_result(sandbox: Any) -> None:
    customers = call("customers.list", limit=2, connection=sandbox)["id"].tolist()
    df = pd.DataFrame({"id": [customers[0], "cus_missing", customers[1]], "name": ["A", "B", "C"]})
    out = bulk.write_rows("customers.update", df, connection=sandbox, quiet=True)
    assert out["result"].tolist() == ["done", "failed", "done"]
    assert "No such customer" in out["error"][1]
    assert out.attrs["stripe"]["complete"] is False
    assert out["error"].isna().tolist() == [True, False, True]


def test_all_rows_are_checked_before_the_first_is_sent(sandbox: Any) -> None:
    df = people(5).assign(balance=[1, 2, "x", 4, "1.5"])
    with pytest.raises(InvalidValue, match="2 of 5 rows") as caught:
        bulk.write_rows("customers.create", df, connection=sandbox, quiet=True)
    assert {fault.field for fault in caught.value.faults} == {"balance"}
    assert "row 3" in str(caught.value)
    assert found(sandbox) == 0


def test_columns_that_are_no_fields_are_refused(sandbox: Any) -> None:
    with pytest.raises(UnknownName, match="email"):
        bulk.write_rows("customers.create", people(1).rename(columns={"email": "emial"}), connection=sandbox)
    with pytest.raises(UsageFault, match="only reads"):
        bulk.write_rows("customers.list", people(1), connection=sandbox)


def test_values_beside_the_frame(sandbox: Any) -> None:
    df = people(2).assign(unrelated=1)
    command = Command(
        module="customers.create",
        values={"name": df["name"], "description": "same"},
        params=[("metadata[batch]", "7")],
        options=Options(quiet=True),
    )
    out = bulk.write_rows(command, df, connection=sandbox)
    assert out["result"].tolist() == ["done", "done"]
    made = call("customers.list", limit=5, connection=sandbox).set_index("id").loc[out["result_id"]]
    assert made["description"].tolist() == ["same", "same"]
    assert made["name"].tolist() == ["Bulk 0", "Bulk 1"]
    assert made["metadata"].tolist() == [{"batch": "7"}] * 2


@pytest.mark.parametrize("blank", [None, float("nan"), pd.NA, pd.NaT, "", "  "], ids=repr)
def test_a_missing_cell_is_refused_by_field_and_row(sandbox: Any, blank: Any) -> None:
    """Left out in silence, the amount that a row lacks would make its partial refund a whole one."""
    df = people(2)
    df["email"] = pd.Series([df["email"][0], blank], dtype="object")
    with pytest.raises(InvalidValue, match=r"--email: row 2: the value is missing"):
        bulk.write_rows("customers.create", df, connection=sandbox, quiet=True)
    assert found(sandbox) == 0
    with pytest.raises(InvalidValue, match="row 2"):
        bulk.write_rows(
            "customers.create", people(2).assign(**{"metadata[n]": [1.0, None]}), connection=sandbox
        )
    with pytest.raises(InvalidValue, match="row 1"):
        bulk.write_rows(
            "customers.create", people(1).assign(description=[1.2345678901234568e18]), connection=sandbox
        )


@pytest.mark.parametrize("amounts", [[20.0, 30.0], [Decimal("20.00"), Decimal("30.00")], [2000.0, None]])
def test_amounts_in_fractions_are_refused_even_if_they_are_whole(sandbox: Any, amounts: list[Any]) -> None:
    df = pd.DataFrame({"amount": amounts, "currency": "usd"})
    with pytest.raises(InvalidValue, match="--amount"):
        bulk.write_rows("payment_intents.create", df, connection=sandbox, quiet=True)


def test_a_dry_run_shows_every_row(sandbox: Any) -> None:
    out = bulk.write_rows("customers.create", people(2), connection=sandbox, dry_run=True)
    assert out["request"][0].startswith("POST /v1/customers ")
    assert found(sandbox) == 0


def test_live_mode_asks_once_for_all(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "mode", "live")
    with pytest.raises(ConfirmationNeeded, match="no one is here to confirm"):
        bulk.write_rows("customers.create", people(3), connection=sandbox)
    asked: list[str] = []

    def no(prompt: str) -> str:
        asked.append(prompt)
        return "yes"

    with pytest.raises(ConfirmationNeeded, match="not confirmed"):
        bulk.write_rows("customers.create", people(3), connection=sandbox, ask=no)
    assert "type 3" in asked[0]


def test_stop_leaves_the_rest_and_the_same_again_goes_on(
    sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stripe_magics.bulk import batch_writes

    real, calls = batch_writes.wait, []

    def stopping(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **options)

    monkeypatch.setattr(batch_writes, "wait", stopping)
    out = bulk.write_rows("customers.create", people(40), connection=sandbox, quiet=True)
    assert set(out["result"]) == {"done", "not sent"}
    assert "go on" in " ".join(out.attrs["stripe"]["notes"])
    rest = bulk.write_rows("customers.create", people(40), connection=sandbox, quiet=True)
    assert set(rest["result"]) == {"done", "replayed"}
    assert found(sandbox) == 40
    calls[:] = [1]  # the next wait is stopped: only the first rows are reached
    last = bulk.write_rows("customers.create", people(40), connection=sandbox, quiet=True)
    assert set(last["result"]) == {"replayed"}, "what an earlier run sent isn't called `not sent`"
    assert last["result_id"].notna().all()


@pytest.mark.parametrize("seed", range(6))
def test_under_faults_no_row_is_carried_out_twice(seed: int, tmp_path: Any) -> None:
    import random

    from fault_server import OK, RATE, Fault, FaultServer, error

    from stripe_magics.client.http.retry import Policy
    from stripe_magics.client.journal.journal import Journal
    from stripe_magics.client.secret import Secret
    from stripe_magics.client.shared_connection import Connection

    chance = random.Random(seed)
    faults = [
        OK,
        OK,
        RATE,
        Fault("before", "reset"),
        Fault("after", "reset"),
        Fault("after", "close"),
        error(500, "api_error"),
        error(409, "x"),
    ]
    with FaultServer() as server:
        server.script = chance.choices(faults, k=60)
        quick = Policy(base_delay=0.005, max_delay=0.01, deadline=0.5, connect=0.5, operation=30.0)
        secret = Secret("sk_test_51CanaryCanaryCanaryCanaryCanaryCanaryCanary0001")
        connection = Connection(
            secret=secret,
            mode="test",
            base=server.url,
            policy=quick,
            journal=Journal(tmp_path / "j" if (tmp_path / "j").mkdir() is None else None),
            rate=1e6,
        )
        frame = people(25)
        for _ in range(6):
            out = bulk.write_rows("customers.create", frame, connection=connection, quiet=True)
            if out.attrs["stripe"]["complete"]:
                break
        assert out["result"].isin(["done", "replayed"]).all(), out[["result", "error"]].to_string()
        assert out["result_id"].is_unique
        made = [each for each in server.objects.values() if each["object"] == "customer"]
        assert len(made) == 25
        assert max(server.executions.values()) == 1
        connection.close()
