"""What is registered with one shell: the magic, and the hooks that belong to it."""

from __future__ import annotations

from typing import Any

from stripe_magics.client.journal.cell_origin import is_tracked, stop_tracking
from stripe_magics.magics import completion_warm_up, ipython_hooks
from stripe_magics.magics.magic import StripeMagics


class Registration:
    """All that is registered with one shell, and its undoing."""

    def __init__(self, ip: Any) -> None:
        self.ip = ip
        self.tracked_before = is_tracked(ip)  # by a call from Python
        self.magics = StripeMagics(ip)
        ip.register_magics(self.magics)
        self.undoing = [
            ipython_hooks.install_lines(ip),
            ipython_hooks.install_completion(ip, self.magics),
            ipython_hooks.install_display(ip, self.magics),
            ipython_hooks.install_form_links(ip, self.magics),
            ipython_hooks.install_key_watch(ip, self.magics),
            completion_warm_up.install(ip),
        ]

    def undo(self) -> None:
        """Leave the shell as it was."""
        ip, magics = self.ip, self.magics
        for undo in self.undoing:
            undo()
        if not self.tracked_before:
            stop_tracking(ip)
        for kind in ("line", "cell"):
            table = ip.magics_manager.magics[kind]
            if getattr(table.get("stripe"), "__self__", None) is magics:
                del table["stripe"]
        ip.magics_manager.registry.pop(type(magics).__name__, None)
        ip.configurables[:] = [each for each in ip.configurables if each is not magics]
