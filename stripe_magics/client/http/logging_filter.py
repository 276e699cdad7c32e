"""Logging that can't leak: our own line has the method, the path's template, the status, the request id and
the milliseconds, nothing else.

httpx logs whole URLs (a search has e-mail addresses in it) and httpcore logs headers. While a thread or task
of ours is in an exchange, what those two log is dropped; other users of httpx in the same kernel keep their
logs.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LOGGER = logging.getLogger("stripe_magics.client")
QUIET = (
    "httpx",
    "httpcore",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)

_PRIVATE: ContextVar[bool] = ContextVar("stripe_magics_private", default=False)


class _Drop(logging.Filter):
    """Drops what is logged inside an exchange of ours."""

    def filter(self, _record: logging.LogRecord) -> bool:
        return not _PRIVATE.get()


_DROP = _Drop()


def install() -> None:
    """Put the filter on the loggers of httpx and httpcore; once is enough, twice does no harm."""
    for name in QUIET:
        logging.getLogger(name).addFilter(_DROP)


def uninstall() -> None:
    """Take the filter away."""
    for name in QUIET:
        logging.getLogger(name).removeFilter(_DROP)


@contextmanager
def private() -> Iterator[None]:
    """Within this, httpx and httpcore log nothing."""
    token = _PRIVATE.set(True)
    try:
        yield
    finally:
        _PRIVATE.reset(token)


def keep_private() -> None:
    """The same for the rest of this task: asynchronous transports."""
    _PRIVATE.set(True)


_WORD = re.compile(r"[a-z][a-z_]{1,40}")


def template(path: str) -> str:
    """A path with whatever may be an id replaced: `/v1/customers/{id}/sources`."""
    version, *segments = path.partition("?")[0].strip("/").split("/")
    shown = [each if _WORD.fullmatch(each) and "_" not in each[:4] else "{id}" for each in segments]
    return "/".join(["", version, *shown])


def exchange(method: str, path: str, status: int | str, request_id: str, seconds: float) -> None:
    """The line of one attempt."""
    if LOGGER.isEnabledFor(logging.DEBUG):
        LOGGER.debug(
            "%s %s -> %s %s %.0f ms", method, template(path), status, request_id or "-", seconds * 1000
        )
