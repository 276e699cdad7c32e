"""The magics: `%stripe` and `%%stripe`.

`load` registers one magic, one completion matcher, one input transformer and the display of frames; `unload`
takes all of it back, closes the connection and forgets the key. Nothing heavy is imported here: what the
lines need is imported when they ask for it.
"""

from __future__ import annotations

from typing import Any

_LOADED: dict[int, Any] = {}  # id of a shell -> what was registered there


def load(ip: object) -> None:
    """Register everything with a shell. Quiet, and the same again if it is already loaded."""
    from stripe_magics.magics.registration import Registration

    if id(ip) not in _LOADED:
        _LOADED[id(ip)] = Registration(ip)


def unload(ip: object) -> None:
    """Take everything back from a shell, close its forms and the connection, and forget the key."""
    import sys

    registration = _LOADED.pop(id(ip), None)
    if registration is not None:
        registration.undo()
    connection = sys.modules.get("stripe_magics.client.shared_connection")
    if connection is not None:
        connection.close()
    forms = sys.modules.get("stripe_magics.forms")
    if forms is not None:
        forms.close_all()


def loaded(ip: object) -> Any:
    """What was registered with a shell, or None."""
    return _LOADED.get(id(ip))
