"""Raw JSON pages -> values by column, through types that msgspec decodes into directly: no dict is built for
a known field.

A `Plan` holds those types for one object type: one class for each nested object, an expected type for each
leaf. A page that doesn't fit (a field the facts don't have, an object expanded in place of its id) is read
once as plain data, the plan learns from it, and the page is read again; the next pages fit. Whatever the plan
can't type is kept as its raw JSON and typed at the end, when all is known (`pandas_columns.py`), so that the
same rows give the same frame however they are spread over pages.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from stripe_magics.catalogue.versions import PINNED_VERSION
from stripe_magics.frames.schema import MAX_SPREAD_KEYS, Column, kind_by_name, masked, schema

_TYPES: Mapping[str, Any] = {
    **dict.fromkeys(("text", "ref", "decimal", "secret", "currency", "enum", "interval"), str | None),
    **dict.fromkeys(("int", "int?", "time"), int | None),
    "bool": bool | None,
    "number": float | None,
    "null": None,
}
RAW_KINDS = frozenset({"map", "list", "any"})


@dataclass(slots=True)
class Leaf:
    """One value of an object: the column it fills."""

    column: Column
    attr: str = ""
    learned: bool = False  # not in the facts: a column only if the account sends it
    raw: bool = False  # kept as JSON text
    start: int = 0  # inside an unknown object: how many keys of the path lead to it

    @property
    def unknown_path(self) -> tuple[str, ...]:
        """The unknown object that it stands in, and the keys in there; () for a field of no such object."""
        path = self.column.path
        return ("_".join(path[: self.start]), *path[self.start :]) if self.start else ()


@dataclass(slots=True)
class Node:
    """One object (or nested object) of the plan: leaves and nodes by key."""

    path: tuple[str, ...] = ()
    leaves: dict[str, Leaf] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    start: int = 0  # of an object that isn't in the facts: how many keys lead to the outermost such object
    kind: Any = None  # the class that msgspec decodes into
    empty: Any = None
    attrs: dict[str, str] = field(default_factory=dict)  # nodes' keys -> attributes

    def all_leaves(self) -> Iterator[Leaf]:
        """Every leaf of this object and those in it."""
        yield from self.leaves.values()
        for node in self.nodes.values():
            yield from node.all_leaves()

    def learned_nodes(self) -> Iterator[Node]:
        """Every object of it that the facts don't have."""
        for node in self.nodes.values():
            if node.start:
                yield node
            yield from node.learned_nodes()


class _Envelope(msgspec.Struct):
    """What every answer has: its type, and the rows of a list."""

    object: Any = None
    data: msgspec.Raw = msgspec.Raw(b"null")


LISTS = frozenset({"list", "search_result", None})
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_PLAIN = msgspec.json.Decoder()


def rows_of(page: bytes) -> list[msgspec.Raw]:
    """The objects of a page, undecoded: those of a list or a search, or the one object that the page is."""
    text = page.lstrip()
    if text[:1] == b"[":
        return _ROWS.decode(text)
    envelope = _ENVELOPE.decode(text)
    if envelope.object in LISTS and bytes(memoryview(envelope.data)[:1]) == b"[":
        return _ROWS.decode(envelope.data)
    return [msgspec.Raw(text)]


_ODD = re.compile(r'[\x00-\x1f"\\]')


def tame(raws: Sequence[msgspec.Raw]) -> list[msgspec.Raw]:
    """The same objects with keys that can be columns: a control character in one becomes visible. What is no
    object becomes one."""
    texts = [bytes(raw) for raw in raws]
    return [
        raw if text[:1] == b"{" and b"\\" not in text else _tame(raw)
        for raw, text in zip(raws, texts, strict=True)
    ]


def _tame(raw: msgspec.Raw) -> msgspec.Raw:
    value = _PLAIN.decode(raw)
    return msgspec.Raw(msgspec.json.encode(_visible(value if isinstance(value, dict) else {"value": value})))


def _visible(value: object) -> Any:
    if isinstance(value, dict):
        return {
            _ODD.sub(lambda found: f"<{ord(found[0]):02x}>", key): (
                inner if key == "metadata" else _visible(inner)
            )
            for key, inner in value.items()
        }
    return [_visible(each) for each in value] if isinstance(value, list) else value


class Plan:
    """The decoder of one object type, at one state of what was learned. Never changed once it is in use."""

    def __init__(
        self, object_type: str, root: Node, *, strict: bool = True, version: str = PINNED_VERSION
    ) -> None:
        self.object_type, self.root, self.strict, self.version = object_type, root, strict, version
        self._build(root)
        self.decoder = msgspec.json.Decoder(root.kind)
        rows = list[root.kind] | None  # type: ignore[name-defined]
        listed = msgspec.defstruct("Listed", [("object", Any, None), ("data", rows, None)], gc=False)
        self.listed = msgspec.json.Decoder(listed)
        self.leaves = tuple(root.all_leaves())

    def _build(self, node: Node) -> None:
        fields: list[tuple[str, Any, Any]] = []
        rename: dict[str, str] = {}
        for number, (key, leaf) in enumerate(node.leaves.items()):
            leaf.attr = f"l{number}"
            kind = msgspec.Raw if leaf.raw else _TYPES[leaf.column.kind]
            fields.append((leaf.attr, kind, msgspec.UNSET if leaf.learned else None))
            rename[leaf.attr] = key
        for number, (key, child) in enumerate(node.nodes.items()):
            self._build(child)
            node.attrs[key] = f"n{number}"
            fields.append((f"n{number}", child.kind | None, None))
            rename[f"n{number}"] = key
        if node.path and "object" not in node.leaves and not node.start:
            fields.append(("sink", str | None, None))  # the type of a nested object is no column
            rename["sink"] = "object"
        node.kind = msgspec.defstruct(
            "Row", fields, rename=rename, forbid_unknown_fields=self.strict, gc=False
        )
        node.empty = node.kind()

    def page(self, page: bytes) -> list[Any] | None:
        """The objects of a list's page, decoded in one go; None if the page is not a list or one of them
        doesn't fit."""
        try:
            answer: Any = self.listed.decode(page)
        except msgspec.ValidationError:
            return None
        rows: list[Any] | None = answer.data
        return rows if answer.object in LISTS else None

    def rows(self, raws: Sequence[msgspec.Raw]) -> list[Any]:
        """The objects, decoded. Raises msgspec.ValidationError if one doesn't fit."""
        return [self.decoder.decode(raw) for raw in raws]

    def learn(self, raws: Sequence[msgspec.Raw]) -> Plan:
        """A plan that fits these objects as well."""
        root = _copy(self.root)
        for raw in raws:
            _fit(root, _PLAIN.decode(raw), self.object_type, learn=self.strict)
        _keep_apart(root, self.object_type)
        return Plan(self.object_type, root, strict=self.strict, version=self.version)

    def only(self, names: Sequence[str]) -> Plan | None:
        """A plan that decodes these columns (and `id`) alone; None if one of them isn't known."""
        requested: set[str] = {"id"} if "id" in self.root.leaves else set()
        for name in names:
            base = name.partition("[")[0]
            found = {
                leaf.column.name
                for leaf in self.leaves
                if leaf.column.name == base or (leaf.column.name.startswith(base + "_") and not leaf.learned)
            }
            if not found:
                return None
            requested |= {base} if base in found else found
        return Plan(self.object_type, _prune(self.root, requested), strict=False, version=self.version)


_plans: dict[tuple[str, str], Plan] = {}
_lock = threading.Lock()


def plan_for(object_type: str, version: str = PINNED_VERSION) -> Plan:
    """The plan of an object type at an API version, with all that was learned so far."""
    key = (object_type, version)
    with _lock:
        if key not in _plans:
            _plans[key] = Plan(object_type, _tree(object_type, version), version=version)
        return _plans[key]


def remember_plan(plan: Plan) -> None:
    """Keep a plan that knows more for the next frames."""
    with _lock:
        if plan.strict:
            _plans[plan.object_type, plan.version] = plan


def _tree(object_type: str, version: str) -> Node:
    root = Node()
    columns = {each.path: each for each in schema(object_type, version).columns}
    sublists = {path for path, each in columns.items() if each.kind == "sublist"}
    for path, column in columns.items():
        if path[:-1] in sublists:
            continue  # `lines_has_more` is read with `lines`
        node = root
        for key in path[:-1]:
            node = node.nodes.setdefault(key, Node((*node.path, key)))
        node.leaves[path[-1]] = Leaf(column, raw=column.kind in RAW_KINDS or column.kind == "sublist")
    return root


def _copy(node: Node) -> Node:
    return Node(
        node.path,
        {key: replace(leaf) for key, leaf in node.leaves.items()},
        {key: _copy(each) for key, each in node.nodes.items()},
        start=node.start,
    )


def _prune(node: Node, requested: set[str]) -> Node:
    nodes = {key: _prune(each, requested) for key, each in node.nodes.items()}
    return Node(
        node.path,
        {key: replace(leaf) for key, leaf in node.leaves.items() if leaf.column.name in requested},
        {key: each for key, each in nodes.items() if each.leaves or each.nodes},
    )


def _fit(node: Node, value: Any, object_type: str, *, learn: bool) -> None:
    """Let the node take this object: new keys become leaves or nodes; a leaf of another type than expected is
    kept as raw JSON."""
    for key, inner in value.items():
        leaf = node.leaves.get(key)
        if key in node.nodes:
            child = node.nodes[key]
            if isinstance(inner, dict) and (not child.start or _has_plain_fields(key, inner)):
                _fit(child, inner, object_type, learn=learn)
            if inner is not None and (not isinstance(inner, dict) or (child.start and _is_map(child, inner))):
                _collapse(node, key, object_type)
        elif leaf is not None and leaf.column.kind != "null":
            if not leaf.raw and inner is not None and not _suits(leaf.column.kind, inner):
                leaf.raw = True
        elif inner is None and leaf is not None:
            continue
        elif learn and not (node.path and not node.start and key == "object" and isinstance(inner, str)):
            node.leaves.pop(key, None)
            _learn(node, key, inner, object_type)


def _learn(node: Node, key: str, inner: object, object_type: str) -> None:
    """A key that the node doesn't have, or had only nulls under until now."""
    path = (*node.path, key)
    if isinstance(inner, dict) and _has_plain_fields(key, inner):
        child = Node(path, start=node.start or len(path))
        _fit(child, inner, object_type, learn=True)
        if not _is_map(child, inner):
            node.nodes[key] = child
            return
    if inner is None:
        kind = "null"
    elif isinstance(inner, str) and masked(object_type, key):
        kind = "secret"
    else:
        kind = kind_by_name(key, type(inner))
    name = _column_name(object_type, node.path if node.start and key == "id" else path)
    node.leaves[key] = Leaf(Column(name, path, kind), learned=True, raw=kind not in _TYPES, start=node.start)


def _has_plain_fields(key: str, value: dict[str, Any]) -> bool:
    """Whether an unknown object's fields are columns of their own by what it holds: it is no object of
    Stripe's types, and no metadata."""
    return "object" not in value and not key.endswith("metadata") and isinstance(value.get("id", ""), str)


def _is_map(node: Node, value: dict[str, Any]) -> bool:
    """Whether an unknown object is one column: its keys are ever new ones, or it isn't what it was before."""
    keys = {*node.leaves, *node.nodes} - {"id"}
    return len(keys) > MAX_SPREAD_KEYS or not _has_plain_fields(node.path[-1], value)


def _collapse(node: Node, key: str, object_type: str) -> None:
    """Where an object was expected something else came (an id): the whole place is kept as raw JSON."""
    path = (*node.path, key)
    name = _column_name(object_type, path) if node.nodes[key].start else "_".join(path)
    del node.nodes[key]
    node.leaves[key] = Leaf(Column(name, path, "any"), raw=True, learned=True, start=node.start)


def _keep_apart(root: Node, object_type: str) -> None:
    """Unknown objects whose fields would have the name of another column are kept as JSON: `a.b` beside
    `a_b`."""
    names = Counter(leaf.column.name for leaf in root.all_leaves())
    for key, node in list(root.nodes.items()):
        if any(
            names[leaf.column.name] > 1
            for each in ([node] if node.start else node.learned_nodes())
            for leaf in each.all_leaves()
        ):
            _collapse_learned(root, key, object_type)


def _collapse_learned(node: Node, key: str, object_type: str) -> None:
    """Keep the outermost unknown objects at this place as JSON."""
    child = node.nodes[key]
    if child.start:
        _collapse(node, key, object_type)
        return
    for inner in list(child.nodes):
        _collapse_learned(child, inner, object_type)


def _column_name(object_type: str, path: tuple[str, ...]) -> str:
    """The column of a field that the facts don't have: never one in which another field stands."""
    name = "_".join(path)
    taken = next(
        (each for each in schema(object_type).columns if each.name == name and each.path != path), None
    )
    return name if taken is None or len(path) < 2 else f"{path[0]}__{'_'.join(path[1:])}"


_SUITS: Mapping[str, Any] = {"int": int, "int?": int, "time": int, "bool": bool, "number": (int, float)}


def _suits(kind: str, value: object) -> bool:
    if isinstance(value, bool):
        return kind == "bool"
    return isinstance(value, _SUITS.get(kind, str))


def object_type_of(pages: Sequence[bytes]) -> str:
    """The type of the first object, "" if there is none or it doesn't say."""
    for page in pages:
        for raw in rows_of(page):
            found = _ENVELOPE.decode(raw).object
            return found if isinstance(found, str) else ""
    return ""
