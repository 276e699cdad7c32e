"""Stripe's protocol over the account: one HTTP request in, status, headers and body out. No sockets here, no
httpx.

key -> route -> form decoding -> validation -> idempotency -> handler -> expansion -> JSON
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.catalogue.generated import facts
from stripe_magics.sandbox.api import idempotency, legacy_usage, unsimulated, version_changes, versions
from stripe_magics.sandbox.api.errors import ApiError, invalid_before_execution, no_access
from stripe_magics.sandbox.api.expand import expand
from stripe_magics.sandbox.api.form_decoding import nest, pairs
from stripe_magics.sandbox.api.limits import check_amounts
from stripe_magics.sandbox.api.multipart import multipart_pairs
from stripe_magics.sandbox.api.pagination import Page
from stripe_magics.sandbox.api.parameters import grafted, has_shape, own_shape, shape, typed
from stripe_magics.sandbox.core.clock_of_request import clock_of
from stripe_magics.sandbox.core.store import Account, Object, decode, encode
from stripe_magics.sandbox.generic import engine


@dataclass(slots=True)
class Document:
    """A file as an answer."""

    content_type: str
    body: bytes


Handler = Callable[..., "Object | Page | Document"]
"""(account, parameters, *ids of the path) -> an object (stored or not), a page, or a file."""


@dataclass(slots=True)
class Response:
    """What goes back."""

    status: int
    headers: dict[str, str]
    body: bytes


Send = Callable[[Response], None]


@dataclass(slots=True)
class Route:
    """Where a method and a path lead: `name` is the path with its placeholders, as the validation table has
    it."""

    name: str
    handler: Handler
    own: dict[str, Any] | None = None  # what it takes, where the table doesn't have it
    by_shape: bool = False  # kept by its shape only: what it does isn't simulated
    lost: list[str] = field(default_factory=list)  # what was given and isn't kept, of a call by shape

    def shape(self, version: str) -> dict[str, Any] | None:
        """What it takes at a version; what came after the older one is served there too, what the newer one
        dropped isn't."""
        found = self.shape_at(version)
        return self.shape_at(versions.NEWER) if found is None and version == versions.OLDER else found

    def shape_at(self, version: str) -> dict[str, Any] | None:
        """What it takes by the table of that version; None where that version doesn't have it."""
        return shape(self.name, version) if self.own is None else own_shape(self.own)


@dataclass(slots=True)
class _Node:
    literal: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)


_ROOT = _Node()
_VERSION = re.compile(r"(\d{4}-\d{2}-\d{2}(\.[a-z]+)?(;.*)?)?")
_KEY = re.compile(r"(?:sk|rk)_test_\S+")


def route(name: str, handler: Handler, own: dict[str, Any] | None = None) -> None:
    """Serve "POST /v1/customers/{customer}" by a handler; `own` says what a path takes that the table doesn't
    have."""
    method, path = name.split(" ")
    if own is None and not any(has_shape(name, version) for version in versions.SERVED):
        raise KeyError(f"{name} is not in the validation table")
    node = _ROOT
    for part in path.strip("/").split("/"):
        if part.startswith("{"):
            node.any = node.any or _Node()
            node = node.any
        else:
            node = node.literal.setdefault(part, _Node())
    node.routes[method] = Route(name, handler, own)


def _find(path: str) -> tuple[_Node | None, list[str]]:
    node: _Node | None = _ROOT
    ids = []
    for part in path.strip("/").split("/"):
        if node is None:
            break
        following = node.literal.get(part)
        if following is None and node.any is not None:
            ids.append(unquote(part))
            following = node.any
        node = following
    return node, ids


def respond(
    account: Account, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes,
    send: Send | None = None,
) -> Response:  # fmt: skip
    """Carry out one request. `headers` has lower-case names. `send` gets the answer before the
    account has put away what was worked with: a caller need not wait for that. Raises only for defects of
    the sandbox itself."""
    try:
        answer = _answer(account, method, path, query, headers, body)
        if send is not None:
            send(answer)
        return answer
    finally:
        account.family.flush()


def _answer(
    account: Account, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Response:
    request_id = account.request_id()
    key = headers.get("idempotency-key", "") if method == "POST" else ""
    account.family.begin_request(request_id, key or None)
    answering = {
        "content-type": "application/json",
        "request-id": request_id,
        "stripe-version": PINNED_VERSION,
        "access-control-allow-methods": "GET, POST, DELETE, OPTIONS",
    }
    if key:
        answering["idempotency-key"] = key
        answering["original-request"] = request_id
    print_, version = "", versions.OLDER
    try:
        account = _authorise(headers, account)
        if account.platform is not None:
            answering["stripe-account"] = account.profile["id"]
        version = versions.served(headers.get("stripe-version", ""))
        answering["stripe-version"] = version
        found, ids, names = _routed(method, path, version)
        if found.by_shape:
            answering["sandbox-fidelity"] = "shape"
        given = pairs(query) if method != "POST" else pairs(query) + _form(headers, body)
        if key:
            print_ = idempotency.fingerprint(method, path, given)
            kept = idempotency.replay(account, key, print_)
            if kept is not None:
                answering["idempotent-replayed"] = "true"
                return Response(kept[0], answering, kept[1])
        params = typed(nest(given), names)
        check_amounts(params)
        # what is kept by its shape has that of its call
        shaped = versions.OLDER if found.by_shape else version
        if shaped == versions.NEWER:
            params = _former(found, given, params)
            legacy_usage.check(account, found.name, params)
        unsimulated.check(found.name, given)
        params = version_changes.with_former_defaults(found.name, headers.get("stripe-version", ""), params)
        if account.test_clocks:
            with account.on_clock(clock_of(account, params, ids)):
                answer = _carried_out(account, method, found, params, ids)
        else:
            answer = _carried_out(account, method, found, params, ids)
        if found.lost:
            answering["sandbox-not-kept"] = ", ".join(found.lost)
        if isinstance(answer, Document):
            return Response(200, {**answering, "content-type": answer.content_type}, answer.body)
        status, text = 200, written(account, answer, params.get("expand") or [], shaped)
    except ApiError as refusal:
        refused = refusal.body(f"https://dashboard.stripe.com/test/logs/{request_id}")
        if version == versions.NEWER and refusal.more:
            refused = decode(encode(refused))
            version_changes.upgrade(account, refused)
        status, text = refusal.status, encode(refused)
        if not refusal.checked:
            print_ = ""
    if key and print_:
        idempotency.save_response(account, key, print_, status, text)
    return Response(status, answering, text)


def _carried_out(
    account: Account, method: str, found: Route, params: dict[str, Any], ids: list[str]
) -> Object | Page | Document:
    if method == "GET":
        return found.handler(account, params, *ids)
    with account.trial(keep=True):
        return found.handler(account, params, *ids)


def _routed(method: str, path: str, version: str) -> tuple[Route, list[str], dict[str, Any]]:
    node, ids = _find(path)
    found = (node.routes.get(method) if node else None) or _by_shape(method, path, version)
    names = found.shape(version) if found else None
    if found is None or names is None:
        others = f" Methods served there: {', '.join(sorted(node.routes))}." if node and node.routes else ""
        if path.startswith("/v2/") and facts.find_endpoint(method, path) is not None:
            raise ApiError(
                f"The sandbox doesn't simulate the v2 API ({method}: {path}).", status=404, checked=False
            )
        raise ApiError(
            f"Unrecognized request URL ({method}: {path}). Check the path.{others}", status=404, checked=False
        )
    return found, [] if found.by_shape else ids, names


def _by_shape(method: str, path: str, version: str) -> Route | None:
    """The route of an operation that nothing simulates: its objects are kept by shape."""
    operation = facts.find_endpoint(method, path) if path.startswith("/v1/") else None
    if operation is None:
        return None
    name = f"{method} {operation.path}"

    def handler(account: Account, params: Object) -> Object | Page:
        answer, lost = engine.serve(account, operation, path, version, params)
        found.lost += lost
        return answer

    found = Route(name, handler, by_shape=True)
    return found


def simulates(method: str, path: str) -> bool:
    """Whether a handler of its own serves an operation (its path with or without its ids)."""
    node, _ = _find(path)
    return node is not None and method in node.routes


def _form(headers: Mapping[str, str], body: bytes) -> list[tuple[str, str]]:
    if not body:
        return []
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return multipart_pairs(headers["content-type"], body)
    if kind not in {"", "application/x-www-form-urlencoded"}:
        raise invalid_before_execution(
            "Invalid request (send parameters as application/x-www-form-urlencoded; the Content-Type is"
            f" {kind})."
        )
    try:
        return pairs(body.decode())
    except UnicodeDecodeError as error:
        raise invalid_before_execution("Invalid request: the body is not UTF-8.") from error


def _authorise(headers: Mapping[str, str], account: Account) -> Account:
    """The account that the request acts for. Raises a refusal without a valid key, or for an account that
    isn't connected."""
    given = headers.get("authorization", "")
    scheme, _, key = given.partition(" ")
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key.strip(), validate=True).decode().partition(":")[0]
        except ValueError:  # neither base64 nor UTF-8
            key = ""
    key = key.strip()
    if not key:
        raise ApiError(
            "You did not provide an API key. Send it as 'Authorization: Bearer sk_test_...'.",
            status=401,
            checked=False,
        )
    if not _KEY.fullmatch(key):
        live = " Live keys are never accepted here." if "_live_" in key else ""
        raise ApiError(
            f"Invalid API Key provided: the sandbox takes keys that begin with sk_test_ or rk_test_.{live}",
            status=401,
            checked=False,
        )
    if not _VERSION.fullmatch(headers.get("stripe-version", "")):
        raise invalid_before_execution(
            f"Invalid Stripe API version: {headers['stripe-version']}. It is a date, such as"
            f" {PINNED_VERSION}."
        )
    acting = headers.get("stripe-account", "") or headers.get("stripe-context", "")
    if not acting or acting == account.profile.get("id"):
        return account
    found = account.family.member(acting)
    if found is None:
        raise no_access(acting)
    return found


def _former(found: Route, given: list[tuple[str, str]], params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a call of the newer version as the older one has them; what only the newer one knows
    is refused."""
    names = found.shape_at(versions.OLDER)
    if names is None:
        return params
    names = grafted(names, found.shape_at(versions.NEWER) or {}, version_changes.added(found.name))
    former = version_changes.downgrade(found.name, given)
    try:
        return typed(nest(former), names)
    except ApiError as refusal:
        if refusal.code not in {"parameter_unknown", ""}:
            raise
        known = re.sub(r"\[\d*\]", "", refusal.param)
        raise unsimulated.refusal(refusal.param, known) from refusal


def written(account: Account, answer: Object | Page, paths: list[str], version: str) -> bytes:
    """An answer as JSON. What is stored and neither expanded nor of another version leaves as its stored
    text."""
    newer = version == versions.NEWER
    if isinstance(answer, Page):
        return _page(account, answer, paths, newer=newer)
    kind, identifier = answer.get("object", ""), answer.get("id", "")
    row = account.table(kind).by_id.get(identifier) if kind in account.tables else None
    text = row.text if row is not None and (row.data is answer or row.data is None) else encode(answer)
    if not paths and not newer:
        return text
    fresh = decode(text)
    if newer:
        version_changes.upgrade(account, fresh)
    return encode(expand(account, fresh, paths, upgraded=newer))


def _page(account: Account, page: Page, paths: list[str], *, newer: bool) -> bytes:
    texts = [encode(each) if isinstance(each, dict) else each.text for each in page.rows]
    deeper = [path for path in paths if path != "total_count"]
    if deeper or newer:
        holder: Object = {"object": "list", "data": [decode(text) for text in texts]}
        if newer:
            version_changes.upgrade(account, holder["data"])
        texts = [encode(each) for each in expand(account, holder, deeper, upgraded=newer)["data"]]
    head: Object = {"object": "search_result" if page.search else "list"}
    tail: Object = {"has_more": page.has_more}
    if page.search:
        tail["next_page"] = page.next_page
        if page.total is not None:
            tail["total_count"] = page.total
    tail["url"] = page.url
    return encode(head)[:-1] + b',"data":[' + b",".join(texts) + b"]," + encode(tail)[1:]
