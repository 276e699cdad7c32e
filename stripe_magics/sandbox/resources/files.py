"""Files: uploaded (evidence for a dispute, a logo), listed, and read again."""

from __future__ import annotations

import base64
from typing import Any

from stripe_magics.sandbox.api.dispatcher import Document, Handler
from stripe_magics.sandbox.api.errors import ApiError, invalid_before_execution
from stripe_magics.sandbox.api.pagination import Page, inline, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object

TYPES = {
    "application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "text/csv": "csv",
    "application/json": "json", "text/plain": "txt",
}  # fmt: skip
_BY_NAME = {"jpeg": "jpg", **{name: name for name in TYPES.values()}}


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/files, as multipart/form-data."""
    given = params["file"]
    parts: list[Any] = (
        [given.get(part) for part in ("filename", "type", "data")] if isinstance(given, dict) else []
    )
    if not parts or not all(isinstance(part, str) for part in parts):
        raise _no_upload()
    filename, content_type, data = parts
    try:
        content = base64.b64decode(data, validate=True)
    except ValueError:
        raise _no_upload() from None
    name = filename.rpartition("/")[2]
    kind = TYPES.get(content_type) or _BY_NAME.get(name.rpartition(".")[2].lower())
    file = store_file(account, name, content_type, content, params["purpose"], kind=kind)
    events.emit(account, "file.created", file)
    return file


def store_file(
    account: Account, name: str, content_type: str, content: bytes, purpose: str, *, kind: str | None = None
) -> Object:
    """A new file with its content."""
    identifier = account.new_id("file")
    file: Object = {
        "id": identifier, "object": "file", "created": account.now, "expires_at": None, "filename": name,
        "links": inline([], f"/v1/file_links?file={identifier}"), "purpose": purpose, "size": len(content),
        "title": None, "type": kind or TYPES.get(content_type),
        "url": f"https://files.stripe.com/v1/files/{identifier}/contents",
    }  # fmt: skip
    account.link_lines[identifier] = [{"type": content_type, "data": base64.b64encode(content).decode()}]
    return account.add("file", file)


def _no_upload() -> ApiError:
    return invalid_before_execution(
        "Invalid file: send it as a part of multipart/form-data, with its filename.", param="file"
    )


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/files/{file}."""
    return account.find("file", identifier, "file", status=404)


def contents(account: Account, params: dict[str, Any], identifier: str) -> Document:
    """GET /v1/files/{file}/contents: what was uploaded."""
    retrieve(account, {}, identifier)
    kept = account.link_lines[identifier][0]
    return Document(kept["type"], base64.b64decode(kept["data"]))


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/files."""
    return page(account, "file", params, "/v1/files", filters=("purpose",))


# links


def create_link(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/file_links: an address at which anybody can read a file, until it expires."""
    file = account.find("file", params["file"], "file")
    _in_future(account, params.get("expires_at"))
    identifier = account.new_id("link")
    link: Object = {
        "id": identifier, "object": "file_link", "created": account.now, "expired": False,
        "expires_at": params.get("expires_at"),
        "file": file["id"], "livemode": False, "metadata": merged_metadata({}, params.get("metadata")),
        "url": f"https://files.stripe.com/links/{identifier}",
    }  # fmt: skip
    account.add("file_link", link)
    file["links"] = inline([link, *file["links"]["data"]], file["links"]["url"])
    account.save("file", file)
    return link


def _in_future(account: Account, moment: object) -> None:
    if isinstance(moment, int) and moment <= account.now:
        raise invalid_before_execution("expires_at must be in the future.", param="expires_at")


def retrieve_link(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/file_links/{link}."""
    link = account.find("file_link", identifier, "link", what="file link", status=404)
    if not link["expired"] and link["expires_at"] is not None and link["expires_at"] <= account.now:
        link["expired"] = True
        account.save("file_link", link)
    return link


def update_link(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/file_links/{link}: when it expires ("now" ends it), metadata."""
    link = retrieve_link(account, {}, identifier)
    if "expires_at" in params:
        if link["expired"]:
            raise invalid_before_execution("This link has expired already.", param="expires_at")
        until = account.now if params["expires_at"] == "now" else params["expires_at"]
        if until != account.now:
            _in_future(account, until)
        link.update(expires_at=until, expired=until == account.now)
    if "metadata" in params:
        link["metadata"] = merged_metadata(link["metadata"], params["metadata"])
    return account.save("file_link", link)


def list_links(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/file_links."""
    tests = []
    if params.get("expired") is not None:
        expired, now = bool(params["expired"]), account.now
        tests.append(
            lambda row: bool(row.value["expired"] or (row.value["expires_at"] or now + 1) <= now) is expired
        )
    return page(account, "file_link", params, "/v1/file_links", filters=("file",), tests=tests)


SHAPES: dict[str, dict[str, Any]] = {"GET /v1/files/{file}/contents": {}}
ROUTES: dict[str, Handler] = {
    "POST /v1/files": create,
    "GET /v1/files": listing,
    "GET /v1/files/{file}": retrieve,
    "GET /v1/files/{file}/contents": contents,
    "POST /v1/file_links": create_link,
    "GET /v1/file_links": list_links,
    "GET /v1/file_links/{link}": retrieve_link,
    "POST /v1/file_links/{link}": update_link,
}
