"""The in-memory account: objects by type in order of creation, kept as the JSON that goes out.

- Each object is a `Row`: its JSON text, the few values that lists filter by, and, while somebody works with
  it, the dict. A cold row costs little more than its text; a list page is its texts joined.
- Handlers read and change dicts: `get` an object, change it, `save` it. `peek` reads one without keeping the
  dict. At the end of a request `flush` turns them back into text; what was changed and not saved is dropped,
  so that a refusal half way leaves no trace.
- What Stripe would never show (which outcome a test card brings) is in `private_state`.

Filling an account in bulk (a seeded demo), without handlers and events:

    account = Account(seed=..., now=...)
    account.clock.now = as_of
    # finished objects: id, created and every key that Stripe shows, in any order of creation;
    # encoded at once, about 10 microseconds each, and nothing is checked
    account.insert("customer", {...})
    account.insert("event", {...})
    # up to 10 lines inside; more go to account.long_lines[invoice_id]
    account.insert("invoice", {..., "lines": list_object})
    # a finished balance transaction, with the automatic payout that took it ("" if none yet);
    # pending ones become available by themselves when the clock reaches available_on
    account.ledger.insert({...}, payout="po_...")
    # only for methods that must go on declining: see test_cards.py
    account.private_state["pm_..."] = {"outcome": "card_declined"}
    # what is still to come; names in scheduler.py
    account.clock.at(moment, "payout_arrives", "po_...")
    # once at the end: sorts, books the totals, and puts the daily jobs on the calendar
    account.finish_bulk_load()
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import blake2b
from types import TracebackType
from typing import Any

import msgspec

from stripe_magics.catalogue.stripe_objects import prefix_owner
from stripe_magics.sandbox.api.errors import ApiError, missing
from stripe_magics.sandbox.core.clock import AS_OF, Calendar, Clock, Job
from stripe_magics.sandbox.core.family import Family, Mark
from stripe_magics.sandbox.core.id_series import IdSeries
from stripe_magics.sandbox.core.ledger import Ledger
from stripe_magics.sandbox.core.object_table import Row, Table
from stripe_magics.sandbox.core.undo import Remembering

Object = dict[str, Any]

FITS = 26
"""How many letters and digits a digest of twenty bytes holds."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGIT_PAIRS = [low + high for high in _DIGITS for low in _DIGITS]
"""Two digits at a time: the lower one first."""
_TEN_DIGITS = 62**10
encode = msgspec.json.encode
decode = msgspec.json.decode


def kind_of(identifier: str) -> str:
    """The type of object that an id names, by its prefix; "" if unknown."""
    return prefix_owner(identifier)


_Undo = tuple[str, Table, Row, bytes | None, tuple[Any, ...]]
"""What was done (added, saved, removed), to which row, and its text and filter values before."""


class _Trial:
    """See `Account.trial`. (Each write is one: a generator would cost it more than the trial does.)"""

    __slots__ = ("_family", "_identifier", "_keep")

    def __init__(self, family: Family[Account], identifier: str, *, keep: bool) -> None:
        self._family, self._identifier, self._keep = family, identifier, keep

    def __enter__(self) -> None:
        self._family.begin(self._identifier)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        stands = error is None or (isinstance(error, ApiError) and error.stands)
        self._family.end(keep=self._keep and stands)


class Account:
    """One Stripe account in memory. Not safe for threads by itself: the transport holds a lock around each
    request."""

    def __init__(
        self, *, seed: str = "sandbox", now: int = AS_OF, platform: Account | None = None, me: str = ""
    ) -> None:
        """`platform` and `me` (its id) are given for a connected account."""
        self.seed = seed
        self._ids, self._request_ids = IdSeries(f"{seed}/object"), IdSeries(f"{seed}/request")
        if platform is None:
            self.family: Family[Account] = Family(self)
            self.own_clock = Clock(Calendar(now))
        else:
            self.family = platform.family
            self.own_clock = Clock(platform.own_clock.calendar, scope=f"{me}/")
            self.family.connected[me] = self
        self.clock = self.own_clock  # or the test clock that what is done now belongs to
        self.test_clocks: dict[str, Clock] = {}
        self._profile: Object | str = me or {}
        self.tables: dict[str, Table] = {}
        self.private_state: Remembering[dict[str, Any]] = Remembering()
        # customers and the like, as they are answered once gone
        self.deleted: Remembering[Object] = Remembering()
        # invoice -> all its lines, where there are more than ten
        self.long_lines: Remembering[list[Object]] = Remembering()
        # payment link, checkout session -> its items; file -> its content
        self.link_lines: Remembering[list[Object]] = Remembering()
        # idempotency key -> (fingerprint, status, body, when)
        self.replays: dict[str, tuple[str, int, bytes, int]] = {}
        self.count = 0
        self.requests = 0
        self.dirty_rows: list[Row] = []  # rows whose dicts were handed out since the last `flush`
        self._waiting: list[tuple[str, str, int, Object]] = []  # type, prefix, number of the id, object
        self._undo: list[_Undo] | None = None
        self.ledger = Ledger(self)

    @property
    def profile(self) -> Object:
        """The account object. A connected account's is one of its platform's objects: `save_profile` after a
        change."""
        if isinstance(self._profile, dict):
            return self._profile
        return self.family.platform.find("account", self._profile, "account")

    @profile.setter
    def profile(self, profile: Object) -> None:
        self._profile = profile

    def save_profile(self) -> None:
        """After a change of the account object."""
        if isinstance(self._profile, str):
            self.family.platform.save("account", self.profile)

    @property
    def platform(self) -> Account | None:
        """The platform, for a connected account; None for a platform."""
        return self.family.platform if isinstance(self._profile, str) else None

    @property
    def now(self) -> int:
        """The present moment, Unix seconds: that of the test clock, where what is done now belongs to one."""
        return self.clock.now

    @contextmanager
    def on_clock(self, name: str) -> Iterator[None]:
        """What is done meanwhile belongs to a test clock ("" is none)."""
        before, self.clock = self.clock, self.test_clocks.get(name, self.own_clock)
        try:
            yield
        finally:
            self.clock = before

    def add_test_clock(self, name: str, now: int) -> Clock:
        """A clock beside the account's own: what belongs to it happens when it is advanced."""
        clock = self.test_clocks[name] = Clock(Calendar(now), scope=self.own_clock.scope, name=name)
        return clock

    # ids

    def new_id(self, prefix: str, length: int = 24) -> str:
        """A fresh id, the same in every account that was treated the same way."""
        self.count += 1
        return f"{prefix}_{self._ids(self.count, length)}"

    def new_letters(self, length: int) -> str:
        """Fresh letters and digits, at most 24, for what is kept and never worked out anew."""
        self.count += 1
        return self._ids(self.count, length)

    def request_id(self) -> str:
        """A fresh request id; counted by itself, so that reading doesn't change the ids of what is made
        later."""
        self.requests += 1
        return f"req_{self._request_ids(self.requests, 14)}"

    def letters(self, of: str, length: int) -> str:
        """Letters and digits that follow from the account's seed and a text, the same in each release (saved
        accounts work some out anew)."""
        number = int.from_bytes(
            blake2b(f"{self.seed}/{of}".encode(), digest_size=20 if length <= FITS else 64).digest(), "big"
        )
        found = []
        for _ in range(0, length, 10):
            number, ten = divmod(number, _TEN_DIGITS)  # a number that fits into a machine word is quick
            for _ in range(5):
                ten, pair = divmod(ten, 3844)
                found.append(_DIGIT_PAIRS[pair])
        return "".join(found)[:length]

    # objects

    def table(self, kind: str) -> Table:
        """All objects of a type."""
        if self._waiting and kind == self._waiting[0][0]:
            self._insert_waiting()
        found = self.tables.get(kind)
        if found is None:
            found = self.tables[kind] = Table(kind)
        return found

    def insert_later(self, kind: str, prefix: str, data: Object) -> None:
        """Take in a finished object that nobody may ask for before the answer has left: it gets its id and
        its place now, and is written at the end of the request or when its table is asked for. All that wait
        are of one type."""
        self._waiting.append((kind, prefix, self.count + 1, data))
        self.count += 2

    def _insert_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for kind, prefix, number, data in waiting:
            table = self.table(kind)
            identifier = data["id"] = f"{prefix}_{self._ids(number)}"
            keys = tuple(map(data.get, table.keys))
            row = Row(identifier, data["created"], number + 1, keys, None, encode(data))
            table.add(row)
            if self._undo is not None:
                self._undo.append(("added", table, row, None, keys))

    def _row(self, kind: str, data: Object, warm: Object | None, text: bytes | None) -> Row:
        table = self.table(kind)
        self.count += 1
        keys = tuple(map(data.get, table.keys))
        created = data.get("created") or data.get("date") or self.now
        row = Row(data["id"], created, self.count, keys, warm, text)
        table.add(row)
        if self._undo is not None:
            self._undo.append(("added", table, row, None, keys))
        return row

    def add(self, kind: str, data: Object) -> Object:
        """Take in a new object that a handler made."""
        if self.clock.name and "test_clock" in data:
            data["test_clock"] = self.clock.name
        self.dirty_rows.append(self._row(kind, data, data, None))
        return data

    def insert(self, kind: str, data: Object) -> None:
        """Take in a finished object in bulk: it is kept as text from the start. See the module's
        docstring."""
        self._row(kind, data, None, encode(data))

    def get(self, kind: str, identifier: str) -> Object | None:
        """An object to work with: change it, then `save`."""
        row = self.table(kind).by_id.get(identifier)
        if row is None:
            return None
        if row.data is None:
            row.data = decode(row.text)
            self.dirty_rows.append(row)
        return row.data

    def peek(self, kind: str, identifier: str) -> Object | None:
        """An object to look at only."""
        row = self.table(kind).by_id.get(identifier)
        return None if row is None else row.value

    def find(self, kind: str, identifier: str, param: str, *, what: str = "", status: int = 400) -> Object:
        """An object that a parameter names, to work with; refuses an unknown one with that parameter."""
        found = self.get(kind, identifier)
        if found is None:
            raise missing(what or kind.replace("_", " "), identifier, param, status=status)
        return found

    def save(self, kind: str, data: Object) -> Object:
        """After a change: the text is made anew when next needed, and the filters follow."""
        table = self.table(kind)
        row = table.by_id[data["id"]]
        if row.data is None:
            self.dirty_rows.append(row)
        if self._undo is not None:
            before = row.json if row.data is not None else row.text
            self._undo.append(("saved", table, row, before, row.keys))
        row.data = data
        row.json = None
        table.rekey(row, tuple(map(data.get, table.keys)))
        return data

    def flush(self) -> None:
        """At the end of a request: what was worked with goes back to being text."""
        if self._waiting:
            self._insert_waiting()
        for row in self.dirty_rows:
            row.json = row.text
            row.data = None
        self.dirty_rows.clear()

    def remove(self, kind: str, identifier: str) -> Object:
        """Delete an object; the answer says so."""
        table = self.table(kind)
        if self._undo is not None:
            row = table.by_id[identifier]
            self._undo.append(("removed", table, row, row.json, row.keys))
        table.remove(identifier)
        return {"id": identifier, "object": kind, "deleted": True}

    def trial(self, *, keep: bool = False) -> AbstractContextManager[None, None]:
        """Work that may have to be undone: afterwards the account is as before, unless `keep` and nothing was
        refused.

        A decline (402) is no refusal in this sense: what happened on the way stands. Begin it before any
        object is fetched: dicts that were fetched earlier are no longer those of the account. Trials nest.
        """
        return _Trial(self.family, self._profile if isinstance(self._profile, str) else "", keep=keep)

    def mark(self) -> Mark:
        """How it is now, to go back to with `undo_to`."""
        self.flush()
        if self._undo is None:
            self._undo = []
        clocks = (
            {name: (each, each.calendar.mark()) for name, each in self.test_clocks.items()}
            if self.test_clocks
            else {}
        )
        beside = [each.begin() for each in self._beside()]
        return (
            len(self._undo), self._shared_calendar(), clocks, self.count, beside, self.ledger.mark(),
            dict(self.family.connected),
        )  # fmt: skip

    def _beside(self) -> tuple[Remembering[Any], ...]:
        """What is kept beside the objects."""
        return (self.private_state, self.deleted, self.long_lines, self.link_lines)

    def _shared_calendar(self) -> tuple[int, list[Job], int] | None:
        """That of all accounts of the platform, which remembers it for them."""
        return self.own_clock.calendar.mark() if isinstance(self._profile, dict) else None

    def undo_to(self, mark: Mark) -> None:
        """Be as at the mark."""
        self._waiting.clear()
        undo = self._undo or []
        self._take_back(undo[mark[0] :])
        del undo[mark[0] :]
        if mark[1] is not None:
            self.own_clock.calendar.restore(mark[1])
        self.test_clocks = {name: each for name, (each, _) in mark[2].items()}
        for each, calendar in mark[2].values():
            each.calendar.restore(calendar)
        self.count = mark[3]
        for kept, level in zip(self._beside(), mark[4], strict=True):
            kept.undo_to(level)
        self.ledger.restore(mark[5])
        if isinstance(self._profile, dict):
            self.family.connected = mark[6]

    def forget_undo(self) -> None:
        """No trial is open any more."""
        self._undo = None
        for each in self._beside():
            each.forget()

    def _take_back(self, undo: list[_Undo]) -> None:
        for what, table, row, text, keys in reversed(undo):
            if what == "added":
                if row.id in table.by_id:
                    table.remove(row.id)
            elif what == "removed":
                table.put_back(row)
            else:
                row.data, row.json = None, text
                table.rekey(row, keys)
        for row in self.dirty_rows:
            if row.json is not None:
                row.data = None
        self.dirty_rows.clear()

    def each(self, kind: str) -> Iterator[Object]:
        """All objects of a type, oldest first, to look at only."""
        return (row.value for row in self.table(kind).ordered())

    def where(self, kind: str, **equal: Any) -> list[str]:
        """Ids of the objects whose filter values equal these, oldest first."""
        table = self.table(kind)
        requested = [(table.keys.index(name), value) for name, value in equal.items()]
        rows = min((table.having(place, value) for place, value in requested), key=len)
        return [row.id for row in rows if all(row.keys[place] == value for place, value in requested)]

    def finish_bulk_load(self) -> None:
        """After filling in bulk: sort, book what the ledger holds, and put the daily jobs on the calendar."""
        for table in self.tables.values():
            table.ordered()
        self.ledger.rebuild()
