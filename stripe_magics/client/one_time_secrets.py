"""The signing secrets of webhook endpoints, which Stripe gives once: kept before anything else can go wrong.

The answer that makes an endpoint holds its secret; no later one does. `capture` therefore sees every such
answer first, whichever way the call was made (a line, a form, `resume` after a lost answer), and keeps the
secret in the system's keyring, or, where there is none, in a file that only the user can read. The sandbox's,
and those of endpoints that go with the kernel, stay in the connection's memory.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stripe_magics._files import write_atomically
from stripe_magics.client import credentials
from stripe_magics.client.journal.journal import state_dir
from stripe_magics.client.secret import Secret
from stripe_magics.errors import FileError, NotConnected, NotSent

if TYPE_CHECKING:
    from stripe_magics.request import HttpRequest

EPHEMERAL = ("metadata[stripe_magics]", "ephemeral")
"""The mark of an endpoint that is removed when the kernel shuts down."""

_PATH = "/v1/webhook_endpoints"
_HELD = "signing_secrets"


class _Owner(Protocol):
    mode: str
    extensions: dict[str, Any]


def endpoint_entry(endpoint: str) -> str:
    """The name under which an endpoint's secret is kept."""
    return f"webhook {endpoint}"


def capture(connection: _Owner, request: HttpRequest, body: bytes) -> str:
    """Keep the signing secret in an answer, if there is one. Gives a sentence that says where, or ""."""
    if request.method != "POST" or not request.path.startswith(_PATH) or b'"whsec_' not in body:
        return ""
    try:
        made = json.loads(body)
    except ValueError:
        return ""
    text, id = (made.get("secret"), made.get("id")) if isinstance(made, dict) else (None, None)
    if not isinstance(text, str) or not isinstance(id, str):
        return ""
    secret = Secret(text)
    where = store(connection, endpoint_entry(id), secret, lasting=EPHEMERAL not in request.params)
    return f"The signing secret {secret.hint} of {id} is kept in {where}."


def store(connection: _Owner, name: str, secret: Secret, *, lasting: bool = True) -> str:
    """Keep a secret; says in words where. `lasting=False`: only as long as this connection."""
    held(connection)[name] = secret
    if not lasting or connection.mode == "sandbox":
        return "this kernel's memory"
    try:
        credentials.store_in_keyring(name, secret)
    except NotConnected:
        pass  # no keyring on this machine: the file has to do
    else:
        return f"the system's keyring, entry {name!r}"
    try:
        path = _path()
        _write(path, {**_read(path), name: secret.reveal()})
    except (OSError, NotSent, FileError) as problem:
        return (
            f"this kernel's memory only, and gone with it ({problem.__class__.__name__}: the file can't be"
            " written)"
        )
    return f"{path}, which only you can read (there is no keyring on this machine)"


def known(connection: _Owner, name: str) -> Secret | None:
    """A secret that was kept under that name."""
    here = held(connection)
    if name not in here:
        found = credentials.from_keyring(name) if connection.mode != "sandbox" else None
        text = "" if found or connection.mode == "sandbox" else _read(_path()).get(name, "")
        if found is None and not text:
            return None
        here[name] = found.secret if found is not None else Secret(text)
    return here[name]


def forget(connection: _Owner, name: str) -> None:
    """Forget a secret, wherever it was kept."""
    held(connection).pop(name, None)
    if connection.mode == "sandbox":
        return
    path = _path()
    kept = _read(path)
    if kept.pop(name, None) is not None:
        _write(path, kept)
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return
    with contextlib.suppress(KeyringError, RuntimeError, OSError):  # it isn't there, or there is no keyring
        keyring.delete_password(credentials.SERVICE, name)


def held(connection: _Owner) -> dict[str, Secret]:
    """The secrets in the connection's memory, by name."""
    found: dict[str, Secret] = connection.extensions.setdefault(_HELD, {})
    return found


def _path() -> Path:
    return state_dir() / "signing_secrets.json"


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {str(name): str(text) for name, text in found.items()} if isinstance(found, dict) else {}


def _write(path: Path, kept: dict[str, str]) -> None:
    """Replace the file at once, never readable by others, not even while it is written."""
    write_atomically(path, json.dumps(kept), private=True)
