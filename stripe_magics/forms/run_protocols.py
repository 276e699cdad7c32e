"""Who makes the calls of a form: what the magics give to a form, so that its calls are remembered like
those of a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from stripe_magics._command import Command
    from stripe_magics.client.shared_connection import Connection


class RunCommand(Protocol):
    """Makes one call on the form's connection; gives its answer. `more` is what `pipeline.call` takes."""

    def __call__(self, command: Command, *, connection: Connection | None, **more: Any) -> Any: ...


class RunRows(Protocol):
    """Makes one call a row of a frame; gives the frame with a result column a row.

    The connection is the one on which the form was opened. A dry run gives a column `request` and raises the
    faults of all rows; a progress that raises KeyboardInterrupt stops after the rows under way.
    """

    def __call__(
        self,
        frame: Any,
        /,
        *,
        connection: Connection,
        dry_run: bool = False,
        yes: bool = False,
        progress: Callable[[int, int], object] | None = None,
    ) -> Any: ...


RunTableRows = Callable[[str, Any, Mapping[str, Any]], Any]
"""`(module, rows, more)` -> the frame with a result column a row: the calls of the rows chosen in a table."""
