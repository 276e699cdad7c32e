"""Bulk: whole lists as frames or Parquet, a mirror that stays up to date, SQL over it, and one call a row of
a frame.

pull("customers", "payment_intents")     frames, several lists side by side
pull("payment_intents", to="folder")     Parquet parts in constant memory; killed and run again, it goes on
pull("charges", accounts=df)             one list over many connected accounts; engine="dask" makes it lazy
sync("mirror", "customers", "invoices")  a folder of Parquet files that is brought up to date
sql("select ...")                        a query over the mirror
write_rows("customers.update", df)       one call a row, each at most once
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from stripe_magics import catalogue
from stripe_magics._command import Command
from stripe_magics._options import Options
from stripe_magics.bulk.batch_writes import write_rows
from stripe_magics.bulk.document_file import is_file, save_document
from stripe_magics.bulk.frame_append import FrameAppender
from stripe_magics.bulk.list_pull import pull
from stripe_magics.bulk.mirror import sync
from stripe_magics.bulk.parquet_export import save, summary
from stripe_magics.bulk.sql_query import sql
from stripe_magics.errors import Fault, InvalidValue
from stripe_magics.frames.column_names import expansions
from stripe_magics.pipeline import prepare

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FrameAppender", "pull", "save", "save_command", "sql", "summary", "sync", "write_rows"]


def _refuse_expanded(options: Options, object_type: str, module: str) -> None:
    """A file's columns are the list's own: another object's (`customer_name`) would have to be expanded in
    every row."""
    expanded = {each.removeprefix("data.") for each in options.expand}
    for name, reference in expansions(object_type, options.columns, options.expand).items():
        if reference not in expanded:
            raise InvalidValue(
                [
                    Fault(
                        "columns",
                        "Columns",
                        f"{name} is a column of the {reference}, and no file has it; take {reference}",
                    )
                ],
                module=module,
            )


def save_command(command: Command, *, progress: Callable[[int, int], object] | None = None) -> pd.DataFrame:
    """A list command with `--to FOLDER`, or a file's content with `--to FILE`: what was written, as a frame
    of one row. Raises `InvalidValue` for options that have no effect on it, `FileError`, a `StripeError`."""
    from dataclasses import replace

    from stripe_magics.bulk.list_requests import list_request
    from stripe_magics.client.shared_connection import current

    connection = current()
    request = prepare(command, connection=connection)
    if is_file(request):
        if command.options.columns:
            raise InvalidValue(
                [Fault("columns", "Columns", "has no effect beside --to: a file's content is not a table")],
                module=command.module,
            )
        return save_document(connection, request, command.options.to)
    _refuse_expanded(command.options, catalogue.find(command.module).object, command.module)
    request = list_request(connection, command)
    if not request.limit_given:
        request = replace(request, limit=None)
    saved = save(connection, request, command.options.to, columns=command.options.columns, progress=progress)
    return summary(saved, command.options.to)
