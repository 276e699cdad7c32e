"""One handler for every operation that nothing else serves: it keeps objects of the right shape.

What an operation does follows from its method, its path and what it returns:

    GET    .../things               list, with cursors and the filters that are fields
    GET    .../things/{id}          retrieve
    GET    .../settings             the one object there, as it was left
    POST   .../things               create: what is given, in an object with the type's defaults
    POST   .../things/{id}          update; metadata merges
    POST   .../things/{id}/cancel   act: the status moves as `status_moves` says; an answer of
                                    another type is a new object
    DELETE .../things/{id}          delete
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from stripe_magics.catalogue.generated import facts
from stripe_magics.catalogue.generated.facts import ApiOperation, anonymous
from stripe_magics.catalogue.stripe_objects import prefix_owner
from stripe_magics.sandbox.api import pagination
from stripe_magics.sandbox.api.errors import invalid_before_execution, missing
from stripe_magics.sandbox.api.pagination import Page
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.object_table import Row
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.generic import object_shapes as shapes
from stripe_magics.sandbox.generic.status_moves import move

PAGING = frozenset({"limit", "starting_after", "ending_before", "expand", "created"})
_SAID = PAGING | {"metadata"}
_CARDS = {"card": "card", "src": "source"}  # of an operation that may answer with several types


class Call:
    """One call: its operation, the parts of its path, and the objects that the path names."""

    def __init__(
        self, account: Account, operation: ApiOperation, path: str, params: Object, version: str
    ) -> None:
        self.account, self.params, self.version, self.path = account, params, version, path
        self.method = operation.method
        self.many = operation.returns.startswith("list[")
        self.names = operation.path.strip("/").split("/")
        self.parts = [unquote(part) for part in path.strip("/").split("/")]
        self.places = [place for place, name in enumerate(self.names) if name.startswith("{")]
        self.kind = self._kind(operation.returns.removeprefix("list[").removesuffix("]"))

    def _kind(self, returns: str) -> str:
        if returns != "any":
            return returns
        identifier = self.parts[self.places[-1]] if self.places else ""
        return _CARDS.get(identifier.partition("_")[0], "bank_account")

    @property
    def ends_in_id(self) -> bool:
        return self.names[-1].startswith("{")

    def kind_at(self, place: int) -> str:
        """The type of object that the id at a place of the path names; "" where no operation reads it."""
        names = ["{}" if name.startswith("{") else name for name in self.names[: place + 1]]
        for start in (1, 2):  # test_helpers/issuing/cards/{} is issuing/cards/{}
            found = facts.data().objects.get("/v1/" + "/".join(names[start:]), "")
            if found:
                return found
        return self.kind if names[1:2] == ["test_helpers"] or place == self.places[-1] else ""

    def named(self, place: int) -> Object:
        """The object that the id at a place names, to work with. Raises a refusal where there is none."""
        kind, identifier = self.kind_at(place), self.parts[place]
        if kind == "any":
            kind = prefix_owner(identifier) or self.kind
        found = self.account.get(kind, identifier)
        if found is None:
            raise missing(
                kind.rpartition(".")[2].replace("_", " "), identifier, self.names[place].strip("{}")
            )
        return found

    def parents(self) -> list[tuple[str, str]]:
        """Field and id of the objects that the answer belongs to; they must be there."""
        found = []
        for place in self.places[:-1] if self.ends_in_id else self.places:
            kind = self.kind_at(place)
            if kind:
                self.named(place)
            fields = shapes.tree(self.kind)
            candidates = (
                self.names[place].strip("{}"),
                kind.rpartition(".")[2],
                _singular(self.names[place - 1]),
            )
            field = next((each for each in candidates if each in fields and each != "id"), "")
            found.append((field, self.parts[place]))
        return found


def _singular(word: str) -> str:
    return word.removesuffix("s")


def serve(
    account: Account, operation: ApiOperation, path: str, version: str, params: Object
) -> tuple[Object | Page, list[str]]:
    """Carry out an operation by shape: the answer, and the names of what was given and isn't kept, since its
    type shows no such field."""
    call = Call(account, operation, path, params, version)
    answer = _HANDLERS[call.method](call)
    if isinstance(answer, Page):
        return answer, []
    kind = str(answer.get("object", ""))
    said = {name: value for name, value in params.items() if name not in _SAID and value is not None}
    lost = shapes.homeless(said, shapes.tree(kind or call.kind)) if call.method == "POST" else []
    return shapes.shown(kind, answer, version), lost


def _get(call: Call) -> Object | Page:
    if call.many:
        return _list(call)
    if call.ends_in_id:
        call.parents()
        return call.named(call.places[-1]) if _addressed(call) else _only_one(call)
    if call.names[-1] == "find":
        return _find(call)
    call.parents()
    return _only_one(call)


def _addressed(call: Call) -> bool:
    """Whether the last id of the path is an id of the type's own (a capability's is a word)."""
    return "id" in shapes.tree(call.kind) and call.kind != "capability"


def _list(call: Call) -> Page:
    parents = call.parents()
    inside = _inside_parent(call)
    if inside is not None:
        inside = [shapes.shown(call.kind, each, call.version) for each in inside]
        return pagination.of_objects(inside, call.params, call.path)
    fields = shapes.tree(call.kind)
    tests = [_belongs(call, field, identifier) for field, identifier in parents]
    for name, value in call.params.items():
        if name in PAGING or value is None:
            continue
        if name not in fields and _needed(call, name):
            tests.append(lambda _: False)  # asks for what nothing that is kept here belongs to
            continue
        if name not in fields:
            raise invalid_before_execution(
                f"The sandbox keeps these objects by shape and can't filter them by {name}.", param=name
            )
        tests.append(_equals(name, value))
    page = pagination.page(call.account, call.kind, call.params, call.path, tests=tests)
    page.rows = [
        shapes.shown(call.kind, row.value, call.version) for row in page.rows if isinstance(row, Row)
    ]
    return page


def _needed(call: Call, name: str) -> bool:
    operation = facts.find_endpoint("GET", call.path)
    return operation is not None and name in facts.required(operation, call.version)


def _inside_parent(call: Call) -> list[Object] | None:
    """The items of a list that is a field of the object before it in the path (a calculation's line
    items)."""
    if not call.places:
        return None
    place = call.places[-1]
    kind, field = call.kind_at(place), call.names[-1]
    if not kind or shapes.tree(kind).get(field) != "sublist" or _made_there(call):
        return None
    held = call.named(place).get(field)
    return list(held["data"]) if isinstance(held, dict) else []


def _made_there(call: Call) -> bool:
    return ("POST", anonymous("/" + "/".join(call.names))) in facts.data().endpoints


def _belongs(call: Call, field: str, identifier: str) -> Callable[[Row], bool]:
    if field:
        return _equals(field, identifier)
    notes, home = call.account.private_state, call.path
    return lambda row: notes.get(row.id, {}).get("home") == home


def _equals(name: str, value: object) -> Callable[[Row], bool]:
    low, high = pagination.bounds(value) if isinstance(value, dict) else (None, None)

    def test(row: Row) -> bool:
        found = row.value.get(name)
        if isinstance(value, dict):
            return isinstance(found, int) and (low is None or found >= low) and (high is None or found < high)
        return bool((found.get("id") if isinstance(found, dict) else found) == value)

    return test


def _find(call: Call) -> Object:
    """The object that has these values."""
    fields = shapes.tree(call.kind)
    given = {name: value for name, value in call.params.items() if name in fields and name not in PAGING}
    for data in call.account.each(call.kind):
        if all(data.get(name) == value for name, value in given.items()):
            return data
    named = next(iter(given), "")
    raise missing(call.kind.rpartition(".")[2].replace("_", " "), str(given.get(named, "")), named)


def _only_one(call: Call) -> Object:
    """The one object of a path that has no id of its own: settings, a capability."""
    kept = call.account.private_state.get(call.path)
    if kept is not None:
        return dict(kept["object"])
    made = _new(call)
    if call.ends_in_id and "id" in made:
        made["id"] = call.parts[-1]
    return made


def _post(call: Call) -> Object:
    if call.ends_in_id and not _addressed(call):
        return _set_only_one(call)
    if call.ends_in_id:
        call.parents()
        return _changed(call, call.named(call.places[-1]))
    if call.names[-1] == "delete":
        found = _find(call)
        call.account.remove(call.kind, found["id"])
        return {**found, "deleted": True} if "deleted" in shapes.tree(call.kind) else found
    if call.places:
        place = call.places[-1]
        if call.kind_at(place) == call.kind:
            subject = call.named(place)
            move(subject, call.names[place + 1 :], shapes.tree(call.kind), call.account.now)
            return _changed(call, subject)
    return _set_only_one(call) if _is_only_one(call) else _created(call)


def _is_only_one(call: Call) -> bool:
    """Whether what is read at this path is one object, not a list."""
    same = facts.data().endpoints.get(("GET", anonymous("/" + "/".join(call.names))))
    return same is not None and not same.returns.startswith("list[")


def _set_only_one(call: Call) -> Object:
    call.parents()
    data = _only_one(call)
    _take(call, data)
    call.account.private_state[call.path] = {"object": data}
    return data


def _new(call: Call) -> Object:
    made = shapes.new(call.kind)
    fields = shapes.tree(call.kind)
    for field, identifier in call.parents():
        if field and fields[field] in {"ref", "text"}:
            made[field] = identifier
    if "created" in fields:
        made["created"] = call.account.now
    return made


def _created(call: Call) -> Object:
    account, fields = call.account, shapes.tree(call.kind)
    made = _new(call)
    if "id" in fields:
        made["id"] = account.new_id(shapes.prefix(call.kind))
    for name in ("client_secret", "secret"):
        if name in fields:
            made[name] = f"{made.get('id', shapes.prefix(call.kind))}_secret_{account.letters(call.path, 24)}"
    if fields.get("url") in {"text", "secret"} and "url" not in call.params:
        account.count += 1
        made["url"] = f"https://sandbox.invalid/{call.kind}/{account.letters(f'url{account.count}', 24)}"
    _take(call, made)
    for name, of in fields.items():
        if of == "sublist":
            _items(call, made, name)
    if "id" not in fields:
        return made
    if any(not field for field, _ in call.parents()):
        account.private_state[made["id"]] = {"home": call.path}
    return account.add(call.kind, made)


def _items(call: Call, made: Object, name: str) -> None:
    """A list inside the new object: the given items, each in its own shape."""
    home = "/" + "/".join(call.names)
    listed = facts.data().endpoints.get(("GET", f"{anonymous(home)}/{{}}/{name}"))
    kind = listed.returns.removeprefix("list[").removesuffix("]") if listed else ""
    given = call.params.get(name)
    items = []
    for each in given if isinstance(given, list) and kind else []:
        item = shapes.new(kind)
        if "id" in item:
            item["id"] = call.account.new_id(shapes.prefix(kind))
        shapes.give(item, each, shapes.tree(kind))
        items.append(item)
    made[name] = {
        "object": "list",
        "data": items,
        "has_more": False,
        "url": f"{call.path}/{made.get('id', '')}/{name}",
    }


def _changed(call: Call, subject: Object) -> Object:
    _take(call, subject)
    return call.account.save(call.kind, subject)


def _take(call: Call, data: Object) -> None:
    shapes.give(data, call.params, shapes.tree(call.kind))
    if "metadata" in call.params and "metadata" in shapes.tree(call.kind):
        data["metadata"] = merged_metadata(data.get("metadata"), call.params["metadata"])


def _delete(call: Call) -> Object:
    call.parents()
    found = call.named(call.places[-1])
    kind = str(found.get("object") or call.kind)
    return call.account.remove(kind, found["id"])


_HANDLERS: dict[str, Callable[[Call], Object | Page]] = {"GET": _get, "POST": _post, "DELETE": _delete}
