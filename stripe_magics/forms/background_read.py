"""A long list, read beside the notebook's own work: with progress, and a Stop that is heard."""

from __future__ import annotations

import threading
import time

from stripe_magics.forms import html
from stripe_magics.forms.form_protocol import ReadSender

ROWS = 300  # from so many rows on a list is a long one
EVERY = 0.3  # seconds between two words on how far it is


class LongRead:
    """The one long list of a form that can be under way: a thread, since a callback that waits would keep
    Stop waiting too."""

    def __init__(self, sender: ReadSender) -> None:
        self.sender = sender
        self.worker: threading.Thread | None = None
        self._stop = threading.Event()
        self._said = 0.0

    @property
    def running(self) -> bool:
        return self.worker is not None

    def start(self) -> None:
        """Begin; the form shows the table when it is there."""
        self._stop.clear()
        self._said = time.monotonic()
        self.worker = threading.Thread(target=self._run, name="stripe_magics form", daemon=True)
        self.worker.start()

    def stop(self) -> None:
        """End after the page under way; the rows so far are kept."""
        self._stop.set()

    def _run(self) -> None:
        self.sender.form.guarded(self._read)(None)
        self.worker = None
        self.sender.refresh()

    def _read(self) -> None:
        form = self.sender.form
        try:
            frame = self.sender.call(form.state.command(), progress=self._progress)
        except KeyboardInterrupt:  # Stop was heard where there are no rows to keep
            form.show_message(html.card("plain", "Stopped."))
        else:
            self.sender.done(frame)

    def _progress(self, done: int, _total: int) -> None:
        if self._stop.is_set():
            raise KeyboardInterrupt
        if time.monotonic() - self._said > EVERY:
            self._said = time.monotonic()
            self.sender.form.show_message(html.card("plain", f"{done:,} rows so far ..."))
