"""What this process remembers beyond one connection, by name. Anything else that is remembered hangs on a
connection (`Connection.extensions`), so that two accounts never share a watch, a cache or a mirror."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import stripe_magics

PACKAGE = Path(stripe_magics.__file__).parent

KEPT = {
    "client.shared_connection._SHARED": "the connection itself that every interface shares",
    "client.journal.cell_origin._trackers": "by shell: which cell runs",
    "client.journal.journal._OF_PARENTS": "databases that a fork took over: they may not be closed",
    "magics._LOADED": "by shell: what was registered there",
    "forms._shown": "by cell: the forms that running it again closes; each has its own connection",
    "events.run_log._running": "by store and scope, which is an account's: claims of this process",
    "events.webhook_endpoints._open": "connections whose endpoints go when the kernel ends",
    "finance.runner._RUNS": "by the run that a frame names: what it was made of, on its own connection",
    "frames.frame_info.SEEN": "whether frames of several accounts exist here: a question about the process",
    "frames.row_origins._ORIGINS": "which account's rows a frame has: by each call's own account",
    "frames.decoder._plans": "shapes of object types; a column without values in an answer isn't shown",
    "progress._hidden": "whether this process writes into a file",
    "frames.json_cells._lock": "a lock, a new one in a forked process",
    "validation.field_resolution._INDICES": "facts of the catalogue",
    "sandbox.core.events._REACTIONS": "code: which function follows an event, filled while it is imported",
}
"""Name -> why it may be the process's."""

CHANGES = frozenset("add append clear discard extend insert pop popitem remove setdefault update".split())


def changed_names(tree: ast.Module) -> Iterator[str]:
    """Names of a module whose value, or what is in it, its functions change while it runs."""
    mine = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Global):
                yield from node.names
            places: list[ast.expr] = []
            if isinstance(node, ast.Assign | ast.Delete):
                places = [
                    each.value for each in node.targets if isinstance(each, ast.Subscript | ast.Attribute)
                ]
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in CHANGES
            ):
                places = [node.func.value]
            for place in places:
                name = _first_name(place)
                if name in mine and not _is_local(function, name):
                    yield name


def _first_name(place: ast.expr) -> str:
    """`SEEN` of `SEEN.accounts[0]`."""
    while isinstance(place, ast.Attribute | ast.Subscript):
        place = place.value
    return place.id if isinstance(place, ast.Name) else ""


def _is_local(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
        for node in ast.walk(function)
    ) and not any(isinstance(node, ast.Global) and name in node.names for node in ast.walk(function))


def test_what_the_process_remembers_is_named() -> None:
    found = {
        ".".join([*path.relative_to(PACKAGE).with_suffix("").parts, name]).replace(".__init__", "")
        for path in PACKAGE.rglob("*.py")
        for name in changed_names(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert sorted(found) == sorted(KEPT), "put it on the connection, or say above why it may be shared"


def test_the_search_finds_what_is_changed() -> None:
    tree = ast.parse(
        "A, B, C, D, E = {}, [], set(), 0, X()\nA = {}\nB = []\nC = set()\nD = 0\nE = X()\n"
        "def f(x):\n A[1] = 2\n B.append(1)\n E.a.add(1)\n"
        "def g():\n global D\n D = 1\n"
        "def h():\n C = {}\n C.pop(1)\n"
    )
    assert set(changed_names(tree)) == {"A", "B", "D", "E"}
