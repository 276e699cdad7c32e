"""Watch Events: live events in a notebook, by polling, by a receiver on this machine, or by a webhook endpoint.

`sm.watch("invoice")`, `sm.on("invoice.paid", handler)`, `sm.listen()`. What each file does stands at its top; door.py is where to begin.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from stripe_magics.events.api import endpoints, listen, off, on, purge, rehearse, run, status, stop, watch

__all__ = ["endpoints", "listen", "off", "on", "purge", "rehearse", "run", "status", "stop", "watch"]


class _Callable(ModuleType):
    """Importing this room puts the module itself at `stripe_magics.events`, where people look for the function: so it can be called."""

    def __call__(self, *names: str, **options: Any) -> Any:
        """See `watch`."""
        return watch(*names, **options)


sys.modules[__name__].__class__ = _Callable
