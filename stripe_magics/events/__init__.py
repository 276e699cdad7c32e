"""Watch Events: live events in a notebook, by polling, by a receiver on this machine, or by a webhook endpoint.

`sm.watch("invoice")`, `sm.on("invoice.paid", handler)`, `sm.listen()`. What each file does stands at its top; api.py is where to begin.
"""

from __future__ import annotations

from stripe_magics.events.api import endpoints, listen, off, on, purge, rehearse, run, status, stop, watch

__all__ = ["endpoints", "listen", "off", "on", "purge", "rehearse", "run", "status", "stop", "watch"]
