"""The thread of a watch: a pass every so often, until the watch ends.

What can pass (Stripe is out of reach, a proxy's page, a locked file) is tried again, after twice the pause
each time. It ends when it is told to, when its time is over, when `end_reason` has one, or when Stripe itself
refuses the key. One object a thread: a watch that goes on makes another, so that a thread which is still at
its last handler keeps its own signal to end.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable

from stripe_magics.errors import AuthenticationFailed, PermissionDenied, StripeMagicsError
from stripe_magics.events.poller import Stopped
from stripe_magics.events.watch_status import WatchStatus

_MAX_WAIT = 300.0  # seconds between attempts while Stripe can't be reached
_MAX_DOUBLINGS = 6


class PollingThread:
    """Passes of one watch, from `start` until the end."""

    def __init__(
        self,
        name: str,
        status: WatchStatus,
        *,
        poll: Callable[[], object],
        interval: Callable[[], float],
        end_reason: Callable[[], str],
        on_end: Callable[[str], object],
    ) -> None:
        """`poll` makes a pass, `interval` says the seconds until the next, `end_reason` why there is to be
        none, or ""; `on_end` gets the last state when the thread ends by itself."""
        self.name, self.status = name, status
        self.poll, self.interval, self.end_reason, self.on_end = poll, interval, end_reason, on_end
        self.ending = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._minutes = self._deadline = 0.0

    def start(self, minutes: float) -> None:
        """Begin, for that long."""
        self._minutes, self._deadline = minutes, time.monotonic() + minutes * 60
        self._thread = threading.Thread(target=self._loop, name=f"stripe events {self.name}", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let it end, without waiting."""
        self.ending.set()
        self._wake.set()

    def wake(self) -> None:
        """Make the next pass now."""
        self._wake.set()

    def join(self, seconds: float) -> bool:
        """Wait for it, but no longer than that. Whether it is over."""
        if self._thread is None or self.is_current:
            return True
        self._thread.join(timeout=seconds)
        return not self._thread.is_alive()

    @property
    def started(self) -> bool:
        """Whether it was begun."""
        return self._thread is not None

    @property
    def running(self) -> bool:
        """Whether it is at work and wasn't told to end."""
        return self._thread is not None and self._thread.is_alive() and not self.ending.is_set()

    @property
    def is_current(self) -> bool:
        """Whether this call comes from it."""
        return self._thread is threading.current_thread()

    @property
    def minutes_left(self) -> float:
        """Minutes until its time is over."""
        return max(0.0, self._deadline - time.monotonic()) / 60 if self.running else 0.0

    def _loop(self) -> None:
        failures = 0
        end = ""
        try:
            while not end:
                wait = self.interval()
                self._wake.wait(min(_MAX_WAIT, wait * 2**failures) if failures else wait)
                self._wake.clear()
                end = self._end_reached()
                if not end and self.status.state != "paused":
                    failed, end = self._try_poll()
                    failures = min(failures + 1, _MAX_DOUBLINGS) if failed else 0
        except BaseException as error:  # whatever it is, it is said, and no thread is left spinning
            self.status.add_note(f"{type(error).__name__}: {error}")
            end = "ended by an error; start() goes on and misses nothing"
        if not self.ending.is_set():
            self.ending.set()
            self.on_end(end)

    def _end_reached(self) -> str:
        """Why it ends now, or ""."""
        if self.ending.is_set():
            return self.status.state
        if reason := self.end_reason():
            return reason
        if time.monotonic() >= self._deadline:
            return f"ended after {self._minutes:g} minutes; start() goes on and misses nothing"
        return ""

    def _try_poll(self) -> tuple[bool, str]:
        """One pass. Whether it failed, and why the watch ends with it, or ""."""
        trouble, words = "", "watching"
        try:
            self.poll()
        except Stopped:
            return False, self.status.state
        except (AuthenticationFailed, PermissionDenied) as error:
            trouble = error.message
            if _is_stripes_own(error):
                self.status.add_note(trouble)
                return True, "ended: Stripe refused the key (it may have expired, or lack Events: read)"
            words = "watching; something on the way to Stripe refused the read, trying again"
        except (StripeMagicsError, sqlite3.Error, OSError) as error:
            trouble = (
                error.message if isinstance(error, StripeMagicsError) else f"{type(error).__name__}: {error}"
            )
            words = "watching; Stripe couldn't be reached, trying again"
        self.status.add_note(trouble)
        if self.status.state.startswith("watching"):
            self.status.set_state(words)
        return bool(trouble), ""


def _is_stripes_own(error: AuthenticationFailed | PermissionDenied) -> bool:
    """Whether Stripe itself said no: a proxy's page has a status, but neither a request id nor an error of
    Stripe's."""
    details = error.details
    said = (details.request_id, details.code, details.type, details.stripe_message)
    return not details.status or any(said)
