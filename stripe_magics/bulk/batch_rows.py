"""The rows of a frame as calls: which field each column fills, a command and a request a row, and where each
call stands in the journal."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from stripe_magics._command import Command
from stripe_magics._form_encoding import Missing
from stripe_magics._options import Options
from stripe_magics._text import closest_matches
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.module import Effect, Module
from stripe_magics.client.journal.journal_entry import Origin, row_digest
from stripe_magics.errors import Fault, InvalidValue, UnknownName, UsageFault
from stripe_magics.pipeline import prepare
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection

RESULT = ("result", "result_id", "error", "request_id", "idempotency_key")
"""Columns of what comes of a call: those of an earlier run fill no field."""


@dataclass(slots=True)
class RowCall:
    """One row on its way."""

    position: int
    request: Request
    key: str  # the user's own; "" for one of ours
    origin: Origin
    result: str = "not sent"
    refused: bool = False  # the same call was made elsewhere
    id: str = ""
    error: str = ""
    request_id: str = ""


def row_commands(
    module: Module, requested: Command, frame: pd.DataFrame, options: Options
) -> Sequence[Command]:
    """One command a row."""
    own = {name: value for name, value in requested.values.items() if _is_column(value, frame)}
    same = {name: value for name, value in requested.values.items() if name not in own}
    columns: dict[str, Sequence[Any]] = {name: list(value) for name, value in own.items()}
    if not own:
        columns = {
            _field_of(module, str(name)): list(frame[name])
            for name in frame.columns
            if str(name) not in RESULT
        }
        twice = [name for name in columns if name in same]
        if twice:
            raise UsageFault(f"{twice[0]} is a column and a value too: leave one of them out.")
    fields = {name: module.get(name) or module.by_param(name) for name in columns}
    commands = []
    for position in range(len(frame)):
        values = {
            **same,
            **{name: _plain(column[position], fields[name]) for name, column in columns.items()},
        }
        params = [
            *requested.params,
            *((name, _text(values.pop(name))) for name in list(values) if "[" in name),
        ]
        commands.append(Command(module=module.name, values=values, params=params, options=options))
    return commands


def _is_column(value: Any, frame: pd.DataFrame) -> bool:
    """Whether a value is a column of (or as long as) the frame."""
    return hasattr(value, "iloc") and hasattr(value, "name") and len(value) == len(frame)


def _field_of(module: Module, column: str) -> str:
    """The field that a column fills: by its name, by Stripe's bracket parameter; `id` is the last id in the
    path."""
    if module.get(column) is not None:
        return column
    if "[" in column:
        return column
    if column == "id":
        path = [each for each in module.fields if each.role is Role.PATH]
        if path:
            return path[-1].name
    if module.by_param(column) is not None:
        return str(module.by_param(column).name)  # type: ignore[union-attr]

    names = [each.name for each in module.fields]
    raise UnknownName(
        f"field of {module.name} for the column",
        column,
        closest_matches(column, names, 3),
        advice=(
            "Take only the columns that are meant: --from $frame with df[['id', 'email']], or name them:"
            " --email $df.email"
        ),
    )


def _plain(value: Any, own: Field | None) -> Any:
    """A cell as Python has it: numpy's numbers are numbers, a whole float is a whole number. Money stays a
    float, and is refused.

    A blank cell is missing, and refused by its field's name: without its amount a partial refund would become
    a whole one.
    """
    if isinstance(value, str) and not value.strip():
        return Missing("a blank cell")
    scalar = hasattr(value, "item") and not hasattr(value, "tzinfo") and not getattr(value, "ndim", 0)
    value = value.item() if scalar else value
    if own is not None and own.kind is Kind.MINOR_AMOUNT:
        return value
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _text(value: object) -> Any:
    """A scalar under a bracket parameter as Stripe writes it; a missing or inexact number is left for
    `validation` to refuse."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(value) if abs(value) < 2**53 else value  # NaN is not less
    return str(value) if isinstance(value, int) else value


def row_requests(commands: Sequence[Command], connection: Connection) -> list[Request]:
    """All requests, or `InvalidValue` with the faults of all rows."""
    faults: list[Fault] = []
    requests: list[Request] = []
    bad = 0
    for number, each in enumerate(commands, start=1):
        try:
            requests.append(prepare(each, connection=connection))
        except InvalidValue as problem:
            bad += 1
            faults.extend(
                replace(fault, problem=f"row {number}: {fault.problem}") for fault in problem.faults
            )
    if faults:
        summary = f"Nothing was sent: {bad:,} of {len(commands):,} rows can't be sent."
        raise InvalidValue(faults, module=commands[0].module, summary=summary)
    return requests


def row_calls(requests: Sequence[Request], origin: Origin | None) -> list[RowCall]:
    """Each with its position: the same for the same row of the same cell, however often it is run and
    whatever stands around it.

    A create has a key made from its position, so that Stripe knows it even if this machine's journal is lost.
    A change has none: it is made afresh, since another one may have been made in between.
    """
    seen: dict[str, int] = {}
    rows = []
    for number, request in enumerate(requests):
        cell = (origin.cell or origin.digest) if origin else ""
        body = repr(
            (
                cell,
                request.module,
                request.method,
                request.path,
                request.params,
                request.json,
                request.headers,
            )
        )
        digest = hashlib.sha256(body.encode()).hexdigest()[:40]
        nth = seen[digest] = seen.get(digest, 0) + 1
        own = f"{request.idempotency_key}-{number}" if request.idempotency_key else ""
        rows.append(
            RowCall(
                number,
                replace(request, idempotency_key=""),
                own,
                Origin(
                    cell=origin.cell if origin else "",
                    digest=row_digest(digest),
                    ordinal=number + 1,
                    run=origin.run if origin else 0,
                    nth=nth,
                    key=f"row-{digest}-{nth}" if request.effect is not Effect.UPDATE else "",
                ),
            )
        )
    return rows
