"""Watch Events: live events in a notebook, by polling, by a receiver on this machine, or by a webhook
endpoint.

`sm.watch("invoice")`, `sm.on("invoice.paid", handler)`, `sm.listen()`. api.py, receiver_commands.py and
handler_commands.py are where to begin.
"""

from __future__ import annotations

from stripe_magics.events.api import endpoints, purge, run, status, stop, watch
from stripe_magics.events.handler_commands import digest, failed, handlers, history, off, on, replay, retry
from stripe_magics.events.receiver_commands import listen, rehearse

__all__ = [
    "digest",
    "endpoints",
    "failed",
    "handlers",
    "history",
    "listen",
    "off",
    "on",
    "purge",
    "rehearse",
    "replay",
    "retry",
    "run",
    "status",
    "stop",
    "watch",
]
