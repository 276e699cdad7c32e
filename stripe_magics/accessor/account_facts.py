"""What a frame no longer knows of its account: asked of the open connection, if it can only be the same
account.

pandas drops a frame's facts when frames that differ are joined, and in named aggregations. Zone, mode and
account are then those of the open connection, provided that every frame of this process came from it;
otherwise they must be given. Nothing falls back to UTC or test mode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stripe_magics.errors import FrameError
from stripe_magics.frames.frame_info import SEEN, FrameInfo, may_be_of
from stripe_magics.frames.row_origins import foreign_origins

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection


def zone_of(frame: object, given: str | None = None) -> str:
    """The zone in which the frame's days are counted."""
    if given:
        return given
    info = FrameInfo.of(frame)
    if info.zone:
        zones = list(dict.fromkeys(each.zone for each in foreign_origins(frame)))
        if len(zones) > 1:
            raise FrameError(
                f"The frame has rows of several accounts, in different time zones ({', '.join(zones)}), and"
                " knows only the first's.",
                advice=f'Give the one to count in: zone="{zones[0]}".',
            )
        return info.zone
    return str(_connection(frame, info, "its time zone", 'zone="Europe/Berlin"').zone)


def mode_and_account(frame: object) -> tuple[str, str]:
    """The mode ("live", "test", "sandbox") and the account of the frame's objects."""
    info = FrameInfo.of(frame)
    origins = foreign_origins(frame)
    keys = {(each.mode, each.identity) for each in origins}
    # the test key and the live key of one account are two; each row says its mode
    if len({each.account for each in origins}) > 1 or len(keys) > len({each.mode for each in origins}):
        raise FrameError(
            "The frame has rows of several accounts, and it knows only the first's.",
            advice="Link each account's rows apart, or give it: account=, live=.",
        )
    if info.mode or info.livemode is not None:
        return info.mode or ("live" if info.livemode else "test"), info.account
    if "livemode" in getattr(frame, "columns", ()) and info.object:
        return "", info.account  # each row says it
    connection = _connection(frame, info, "its account", "account=, live=")
    return str(connection.mode), str(connection.account or "")


def same_connection(frame: Any, info: FrameInfo) -> Connection | None:
    """The open connection, if it is the frame's; else None."""
    from stripe_magics.client.shared_connection import shared

    connection = shared()
    if connection is None or not may_be_of(frame, connection) or foreign_origins(frame):
        return None
    own = (str(connection.account or ""), str(connection.mode), str(connection.zone))
    if info.mode:
        return connection if (info.account, info.mode) == own[:2] else None
    if SEEN.accounts - {own} or SEEN.identities - {connection.identity}:
        return None
    live = frame["livemode"].dropna() if "livemode" in getattr(frame, "columns", ()) else ()
    return connection if not len(live) or set(live) == {connection.live} else None


def _connection(frame: object, info: FrameInfo, what: str, give: str) -> Connection:
    connection = same_connection(frame, info)
    if connection is None:
        raise FrameError(
            f"The frame no longer knows {what} (pandas drops it when frames that differ are joined), "
            "and no open connection is sure to be the same account.",
            advice=f"Give it: {give}",
        )
    return connection
