"""`--since` as people write it -> Unix seconds, counted from the connection's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stripe_magics import dates
from stripe_magics.errors import UsageFault

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection


def moment(value: object, connection: Connection) -> int | None:
    """Unix seconds of `2h` or `3d` ago, or of whatever dates.py reads; a day stands for its beginning. None
    for nothing. Raises `UsageFault`."""
    if value is None or value == "":
        return None
    sandbox = connection.sandbox
    now = float(sandbox.now) if sandbox is not None else float(connection.now())
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=connection.zone)
    try:
        return dates.since(value, connection.zone, datetime.fromtimestamp(now, UTC))
    except ValueError:
        raise UsageFault(
            f"Can't read {value!r} as a time. Examples: 2h, 3d, yesterday, 2024-05-01, 2024-05-01T12:00."
        ) from None
