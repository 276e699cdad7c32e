"""The live view: a table that grows in place, with a filter, pause, and the object of an event as it is
today.

A panel without state: the kernel *sends* rows, the page draws them as text and asks again after a reload. So
nothing of an event is kept in a saved notebook's widget state, and nothing that Stripe's users typed can
become HTML. Rows go out in messages of a bounded size, however long a gap was. Where there are no widgets the
watch is shown as text. The page's part is in static/live_view.js.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from stripe_magics._json import JsonObject
from stripe_magics._redaction import hide
from stripe_magics.errors import StripeMagicsError
from stripe_magics.events.event_frame import ShownWatch
from stripe_magics.events.event_rows import COLUMNS, object_values, row

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

MAX_ROWS = 500  # that a page keeps while new ones come
PAGE_ROWS = 200  # that it begins with, and that "Older" brings
MAX_MESSAGE = 90_000  # bytes of rows in a message

Message = dict[str, Any]


class WatchedEvents(ShownWatch, Protocol):
    """What the view asks of a watch."""

    pages_open: int | None
    connection: Connection

    @property
    def listeners(self) -> list[Callable[[str, Any], None]]: ...
    @property
    def when_ended(self) -> dict[object, Callable[[], object]]: ...
    @property
    def state(self) -> str: ...
    @property
    def running(self) -> bool: ...
    def fetch(self, id: str) -> JsonObject: ...
    def poll(self) -> int: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def stop(self) -> None: ...


def show(watch: WatchedEvents) -> None:
    """Display the watch: the live view in a notebook, text in a terminal."""
    from IPython.display import display

    shell = sys.modules["IPython"].get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        print(repr(watch))
    else:
        display(panel(watch))


def panel(watch: WatchedEvents) -> Any:
    """The panel of a watch, whatever the front end."""
    from stripe_magics.events.live_widget import Panel

    return Panel(LiveViewModel(watch))


class LiveViewModel:
    """What one panel shows of a watch, and what it does with a person's clicks. Knows nothing of widgets:
    `send` is the panel's."""

    def __init__(self, watch: WatchedEvents) -> None:
        self.watch = watch
        self._send: Callable[[Message], object] = lambda _message: None
        self.open_pages = 0
        self.page = 0  # 0: the newest events, and what comes
        self.on_last_page_gone: Callable[[], object] = lambda: None

    def __repr__(self) -> str:
        return repr(self.watch)

    def attach(self, send: Callable[[Message], object]) -> None:
        """Begin to get what is new."""
        self._send = send
        if self.on_update not in self.watch.listeners:
            self.watch.listeners.append(self.on_update)

    def send(self, message: Message) -> None:
        """Send the page a message: no text in it holds a key, whoever typed it where."""
        self._send(hide(message))

    def detach(self) -> None:
        """Get no more."""
        if self.on_update in self.watch.listeners:
            self.watch.listeners.remove(self.on_update)

    def on_update(self, what: str, data: Any) -> None:
        """The watch has news: events, a note or another state."""
        if what == "events" and self.page == 0:
            self._send_rows(self._row(event) for event in data[-MAX_ROWS:])
        elif what == "note":
            self.send({"note": data, "status": self.status()})
        elif what == "alert":
            self.send({"alert": data})
        else:
            self.send({"status": self.status()})

    def _row(self, event: JsonObject) -> dict[str, str]:
        shown = row(event, self.watch.account_label if self.watch.shows_accounts else None)
        return {**shown, "created": str(event["created"])}  # the page sorts by it: a language's dates don't

    def _send_page(self, number: int, **further: Any) -> None:
        """The page of events with that number, 0 the newest."""
        self.page = number
        stored = self.watch.stored((number + 1) * PAGE_ROWS + 1)
        shown = stored[-(number + 1) * PAGE_ROWS :]
        shown = shown[: max(0, len(shown) - number * PAGE_ROWS)]
        names = [name for name in COLUMNS if name != "account" or self.watch.shows_accounts]
        place = {
            "number": number,
            "older": len(stored) > (number + 1) * PAGE_ROWS,
            "text": f"{number * PAGE_ROWS + 1:,}–{number * PAGE_ROWS + len(shown):,}" if shown else "",
        }
        rows = (self._row(each.event) for each in shown)
        self._send_rows(rows, begin=True, most=MAX_ROWS, columns=names, page=place, **further)

    def _send_rows(self, rows: Iterable[dict[str, str]], **first: Any) -> None:
        """Rows in messages of a bounded size; the first carries what else there is to say."""
        message: Message = {**first, "rows": [], "status": self.status()}
        for chunk in _chunks(rows):
            self.send({**message, "rows": chunk})
            message = {}
        if message:
            self.send(message)

    def status(self) -> dict[str, Any]:
        """The line above the table."""
        watch, status = self.watch, self.watch.status()
        parts = [
            status["events"],
            status["state"],
            *([f"every {status['every']}"] if "every" in status else []),
            f"last read {status['last_read']}",
            f"{status['reads']} reads",
        ]
        return {
            "mode": status["mode"].upper(),
            "account": status["account"],
            "live": watch.connection.live,
            "text": " · ".join(parts),
            "paused": watch.state == "paused",
            "ended": not watch.running,
        }

    def on_message(self, message: Message) -> None:
        """A person did something on the page, or the page came or went."""
        watch = self.watch
        if message.get("ready"):
            watch.pages_open = (watch.pages_open or 0) + 1
            self.open_pages += 1
            watch.when_ended.pop(self, None)
            self.attach(self._send)
            self._send_page(0, note=watch.notes[-1] if watch.notes else "")
        elif message.get("gone"):
            watch.pages_open = max(0, (watch.pages_open or 0) - 1)
            self.open_pages = max(0, self.open_pages - 1)
            if not self.open_pages:
                self.detach()
                if watch.running:
                    watch.when_ended[self] = self.on_last_page_gone
                else:  # its cell ran again, or was deleted: nothing is left to show
                    self.on_last_page_gone()
        elif message.get("pause"):
            (watch.resume if watch.state == "paused" else watch.pause)()
        elif message.get("stop"):
            watch.stop()
        elif message.get("poll"):
            self._try(watch.poll)
        elif isinstance(number := message.get("page"), int) and number >= 0:
            self._send_page(number)
        elif isinstance(message.get("blocked"), str):
            self.send({"note": message["blocked"]})
        elif isinstance(message.get("open"), str):
            self._try(lambda: self._open(message["open"]))

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except (StripeMagicsError, KeyError, ValueError) as error:
            words = str(error).splitlines() or [type(error).__name__]
            self.send({"note": words[0], "status": self.status()})
        except Exception as error:  # our own mistake: an exception in a callback would be seen by nobody
            self.send({"note": f"{type(error).__name__}: {error}", "status": self.status()})

    def _open(self, id: str) -> None:
        subject = self.watch.fetch(id)
        title = f"{subject.get('object', '')} {subject.get('id', '')} today"
        self.send({"object": {"title": title, "values": object_values(subject)}})


def _chunks(rows: Iterable[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    chunk: list[dict[str, str]] = []
    size = 0
    for each in rows:
        length = len(json.dumps(each))
        if chunk and size + length > MAX_MESSAGE:
            yield chunk
            chunk, size = [], 0
        chunk.append(each)
        size += length
    if chunk:
        yield chunk
