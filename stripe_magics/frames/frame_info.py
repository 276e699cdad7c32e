"""What a frame knows of itself: `df.attrs["stripe"]`, one dataclass in all packages.

- Equal over calls, so that it survives `pd.concat`, `merge` and a round trip through Parquet: the object,
  account, mode, version, zone, units, whether the rows are all there. pandas drops attrs as soon as two of
  them differ, so nothing of a single call stands among them.
- The rest belongs to the call (`CallInfo`: module, parameters, request ids, notes). It hangs on the attrs
  without being compared, is never written to a file or pickle, and is read as `df.stripe.call`;
  `attrs["stripe"]["notes"]` and the like still find it.
- `object` and `expanded` are carried but not compared: a merge of charges and customers keeps zone and units.
- Facts that say the same may still be of two accounts, since an account without a name of its own says
  nothing: frames of two connections that are known to be of different accounts are unequal, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Protocol, Unpack, cast

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.frames.frame_facts import FrameFacts


@dataclass(frozen=True, kw_only=True)
class CallInfo:
    """How one call went: what was asked for, under which request ids, and what there is to say of it."""

    module: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    request_ids: Sequence[str] = ()
    notes: Sequence[str] = ()
    limit_given: bool = False
    replayed: bool = False
    rows: int | None = None  # how many rows the call's own frame had
    columns: Sequence[str] = ()  # and which columns
    currency: str = ""  # the currency of all rows, if there is only one
    # by id, where it was read for the display alone
    currencies: Mapping[str, str] = field(default_factory=dict)
    table: bool = False  # whether it is shown as an interactive table
    names: bool = True  # whether names may be read to stand beside ids
    identity: str = ""  # of the connection that answered, in this process: `Connection.identity`
    origin: Any = field(default=None, compare=False, repr=False)  # of its rows, see `row_origins.py`


@dataclass(frozen=True, kw_only=True)
class FrameInfo:
    """The facts of a frame. A value that is not set is not known; `units` that are not set are minor."""

    object: str = ""
    account: str = ""
    mode: str = ""
    livemode: bool | None = None
    api_version: str = ""
    zone: str = ""
    units: str = ""  # "minor" or "major": of every money column but those in `other_units`
    complete: bool | None = None  # False: rows are missing (a limit, a stop, a fault, a filter)
    amounts: Sequence[str] | None = None  # a report's money columns; None: the object type says it
    # added by a person: column -> currency (column or code)
    money: Mapping[str, str] = field(default_factory=dict)
    other_units: Sequence[str] = ()  # money columns in the other units than `units`
    # field -> type of the objects that were expanded in it
    expanded: Mapping[str, str] = field(default_factory=dict)
    # what a report says besides: report, start, end, fractions ...
    more: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, source: Any) -> FrameInfo:
        """The facts of a frame, or of its `attrs["stripe"]`."""
        said = source if isinstance(source, Mapping) else getattr(source, "attrs", {}).get("stripe")
        if not isinstance(said, Mapping):
            return cls()
        known = {key: value for key, value in said.items() if key in _NAMES}
        rest = {key: value for key, value in said.items() if key not in _NAMES and key not in _OF_CALL}
        return cls(**known, more=rest)

    def attrs(self, call: CallInfo | None = None) -> FrameAttrs:
        """The value of `df.attrs["stripe"]`: what is known, JSON-safe, with the call beside it."""
        own = {name: getattr(self, name) for name in _NAMES}
        known = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in own.items()
            if value is not None and (name == "amounts" or value not in ("", (), {}, []))
        }
        return FrameAttrs({**known, **self.more}, call=call)

    def put(self, frame: pd.DataFrame, call: CallInfo | None = None) -> pd.DataFrame:
        """Write the facts into the frame; the call stays unless another is given."""
        frame.attrs["stripe"] = self.attrs(call or call_of(frame))
        return frame

    def replace(self, **changes: Any) -> FrameInfo:
        """The same with some facts changed."""
        return replace(self, **changes)


_NAMES = tuple(each.name for each in fields(FrameInfo) if each.name != "more")
_OF_CALL = tuple(each.name for each in fields(CallInfo))
_FOR_DISPLAY = frozenset({"columns", "currency", "currencies", "table", "names", "identity", "origin"})
_NOT_COMPARED = frozenset({"object", "expanded"})


class FrameAttrs(dict[str, Any]):
    """`df.attrs["stripe"]`: a dict of the facts that are compared and saved. The call's own facts are read
    through it, not in it."""

    __slots__ = ("call",)
    call: CallInfo | None

    def __init__(self, facts: Mapping[str, Any] = {}, *, call: CallInfo | None = None) -> None:
        super().__init__(facts)
        self.call = call

    def __missing__(self, key: str) -> Any:
        value = self._of_call(key)
        if value is None:
            raise KeyError(key)
        return value

    def _of_call(self, key: str) -> Any:
        value = getattr(self.call, key) if self.call is not None and key in _OF_CALL else None
        return list(value) if isinstance(value, tuple) and value else None if value in ((), {}, "") else value

    def get(self, key: str, default: object = None) -> Any:
        """As a dict's, over the call's facts too."""
        if key in self.keys():
            return self[key]
        value = self._of_call(key)
        return default if value is None else value

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or self._of_call(str(key)) is not None

    def __setitem__(self, key: str, value: object) -> None:
        if key in _OF_CALL:
            changes: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value}
            self.call = replace(self.call or CallInfo(), **changes)
        else:
            super().__setitem__(key, value)

    def setdefault(self, key: str, default: object = None) -> Any:
        """As a dict's; a list of the call's is a copy, so set it rather than change it."""
        if key not in self:
            self[key] = default
        return self[key]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrameAttrs):
            return _compared(self) == _compared(other) and not _of_two_accounts(self.call, other.call)
        return dict(self) == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __deepcopy__(self, memo: object) -> FrameAttrs:
        return FrameAttrs(self, call=self.call)  # pandas copies attrs with every operation

    def copy(self) -> FrameAttrs:
        """The same facts and the same call."""
        return FrameAttrs(self, call=self.call)

    __copy__ = copy

    def __reduce__(self) -> tuple[Any, ...]:
        return (FrameAttrs, (dict(self),))


def _compared(attrs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in attrs.items() if key not in _NOT_COMPARED}


def _of_two_accounts(call: CallInfo | None, other: CallInfo | None) -> bool:
    known = {each.identity for each in (call, other) if each is not None and each.identity}
    return len(known) > 1


def call_of(frame: pd.DataFrame) -> CallInfo | None:
    """The call that a frame came from, as long as it is known."""
    said = frame.attrs.get("stripe")
    return said.call if isinstance(said, FrameAttrs) else None


class IdentifiedConnection(Protocol):
    """What tells a frame whether a connection is of another account."""

    @property
    def identity(self) -> str: ...


def may_be_of(frame: Any, connection: IdentifiedConnection) -> bool:
    """Whether a frame may have come from the account of a connection: False only where it surely came from
    another one."""
    call = call_of(frame) if hasattr(frame, "attrs") else None
    return call is None or not call.identity or call.identity == connection.identity


def as_attrs(facts: Mapping[str, Any] | None) -> FrameAttrs:
    """Facts written as a plain dict (those of the call among them) as attrs."""
    if isinstance(facts, FrameAttrs):
        return facts
    made = FrameAttrs()
    for key, value in dict(facts or {}).items():
        made[key] = value
    return made


def facts_of(frame: object) -> FrameFacts:
    """What a frame says of itself (its call's facts are read through it); empty for one that says nothing."""
    said = getattr(frame, "attrs", {}).get("stripe")
    return cast("FrameFacts", said if isinstance(said, Mapping) else FrameAttrs())


def has_facts(frame: Any) -> bool:
    """Whether a frame says anything of itself, be it nothing but that it is Stripe's."""
    return "stripe" in frame.attrs


def put_attrs(frame: pd.DataFrame, attrs: FrameAttrs) -> pd.DataFrame:
    """Make these what the frame says of itself; gives the frame."""
    frame.attrs["stripe"] = attrs
    return frame


def put_origin(frame: pd.DataFrame, origin: object) -> None:
    """Remember where the rows of a frame come from, beside its call; see `row_origins.py`."""
    said = frame.attrs.get("stripe")
    if isinstance(said, FrameAttrs) and said.call is not None:
        said.call = replace(said.call, origin=origin)


def set_facts(frame: pd.DataFrame, **facts: Unpack[FrameFacts]) -> pd.DataFrame:
    """Add facts to what a frame says of itself, or change them; gives the frame. Other frames that have the
    same attrs (`out.attrs = frame.attrs` shares them) keep theirs."""
    made = as_attrs(frame.attrs.get("stripe")).copy()
    for key, value in facts.items():
        made[key] = value
    frame.attrs["stripe"] = made
    return frame


def add_note(frame: pd.DataFrame, *notes: str) -> None:
    """Say something more below the frame."""
    said = frame.attrs.setdefault("stripe", FrameAttrs())
    if not isinstance(said, FrameAttrs):
        said = frame.attrs["stripe"] = as_attrs(said)
    said["notes"] = list(dict.fromkeys([*(said.get("notes") or ()), *notes]))


# What this process has seen ---------------------------------------------------------------------------------
class _SeenFrames:
    """What frames were made here: where pandas dropped a frame's facts, this says whether they could have
    been others."""

    def __init__(self) -> None:
        self.accounts: set[tuple[str, str, str]] = set()
        self.identities: set[str] = set()  # of the connections that frames came from
        self.frames = False  # whether any frame of Stripe's was made or read
        self.major = False  # whether a frame in major units was ever made or read


SEEN = _SeenFrames()


def remember(info: FrameInfo, call: CallInfo | None = None) -> None:
    """Remember the account and zone of a frame that was made."""
    SEEN.frames = True
    if call is not None and call.identity:
        SEEN.identities.add(call.identity)
    if info.mode and info.zone:
        SEEN.accounts.add((info.account, info.mode, info.zone))
    if info.units == "major":
        SEEN.major = True


def iter_facts(frame: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    """The frame's facts, then those of its call, as `df.stripe.facts` has them."""
    said = frame.attrs.get("stripe") or {}
    yield from said.items()
    call = call_of(frame)
    if call is not None:
        for name in _OF_CALL:
            if name in _FOR_DISPLAY:
                continue
            value = FrameAttrs(call=call).get(name)
            if value is not None:
                yield name, value
