"""A connection's socket, read by lines and by length, written in one piece; nothing waits without a limit.

- The kernel limits each wait: Python's own timeout asks it beforehand (`poll`) at every call.
- A message that began has to end: one that trickles in holds its thread no longer than `LONGEST`.
- A body often follows its head at once, in a segment of its own: it is looked for a few times before the
  thread goes to sleep, since waking takes longer than that.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from contextlib import suppress

IDLE = 60.0
"""Seconds that a connection may be silent."""
LONGEST = 120.0
"""Seconds that a message may take once it began, either way."""
PIECE = 256 * 1024
LOOKS = 40
"""How often a body is looked for before the thread sleeps: about 30 microseconds in all."""
_DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)


def limit_waits(connection: socket.socket, seconds: float) -> None:
    """Have each wait for the other side end after that time."""
    if os.name == "nt":
        connection.settimeout(seconds)
        return
    connection.settimeout(None)
    limit = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


class SocketStream:
    """Raises TimeoutError when the other side is silent or slow, ConnectionError when it is gone."""

    __slots__ = ("_at", "_buffer", "_rest", "_socket", "_until")

    def __init__(self, connection: socket.socket, idle: float = IDLE) -> None:
        limit_waits(connection, idle)
        self._socket = connection
        self._buffer = b""
        self._at = 0  # what stands before has been read
        self._rest = memoryview(b"")  # of what is being written
        self._until = 0.0  # when the message at hand has to be there; 0 before it began

    def begin(self) -> None:
        """What is read from here on is another message."""
        self._until = 0.0

    def readline(self, limit: int) -> bytes:
        """A line with its end; without one if it is longer than the limit, or the other side has ended."""
        while True:
            end = self._buffer.find(b"\n", self._at, self._at + limit) + 1
            if end:
                break
            if len(self._buffer) - self._at >= limit or not self._more():
                end = min(len(self._buffer), self._at + limit)
                break
        line = self._buffer[self._at : end]
        self._at = end
        return line

    def read(self, length: int) -> bytes:
        """So many bytes; fewer if the other side has ended."""
        found = self._buffer[self._at : self._at + length]
        self._at += len(found)
        if len(found) == length:
            return found
        pieces = [found]
        left = length - len(found)
        while left and self._more(soon=True):
            pieces.append(self._buffer[:left])
            self._at = len(pieces[-1])
            left -= self._at
        return b"".join(pieces)

    def _more(self, *, soon: bool = False) -> bool:
        """Wait for another piece; False at the end. `soon`: it may be under way."""
        if self._until and time.monotonic() > self._until:
            raise TimeoutError
        piece = (self._look() if soon else None) or self._wait()
        if not self._until:
            self._until = time.monotonic() + LONGEST
        self._buffer = self._buffer[self._at :] + piece
        self._at = 0
        return bool(piece)

    def _wait(self) -> bytes:
        try:
            return self._socket.recv(PIECE)
        except BlockingIOError as error:  # how the kernel says that the time is over
            raise TimeoutError from error

    def _look(self) -> bytes | None:
        """What is there already, if anything."""
        for _ in range(LOOKS if _DONT_WAIT else 0):
            try:
                return self._socket.recv(PIECE, _DONT_WAIT)
            except BlockingIOError:
                continue
        return None

    def write(self, content: bytes) -> None:
        """Send all of it; what fits into the kernel's buffer leaves in one piece."""
        self.begin_to_write(content)
        self.finish()

    def begin_to_write(self, content: bytes) -> None:
        """Send what can be sent without waiting for the other side."""
        sent = 0
        if _DONT_WAIT:
            with suppress(BlockingIOError):
                sent = self._socket.send(content, _DONT_WAIT)
        self._rest = memoryview(content)[sent:]

    @property
    def unsent(self) -> bool:
        """Whether there is a rest that waits for the other side."""
        return bool(self._rest)

    def finish(self) -> None:
        """Send the rest."""
        if not self._rest:
            return
        until = time.monotonic() + LONGEST
        try:
            while self._rest:
                if time.monotonic() > until:
                    raise TimeoutError
                self._rest = self._rest[self._socket.send(self._rest) :]
        except BlockingIOError as error:
            raise TimeoutError from error
