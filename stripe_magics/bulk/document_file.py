"""`--to FILE` for what is a file and no list: the PDF of a quote, an invoice or a credit note, the content of
an uploaded file or of a report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics import _files
from stripe_magics.client.call_context import account_of
from stripe_magics.client.http.linked_file import read_linked_file
from stripe_magics.client.http.request_encoder import is_document
from stripe_magics.errors import FileError, UsageFault
from stripe_magics.frames.frame_info import CallInfo, FrameInfo

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection
    from stripe_magics.request import Request


LINKED = {"invoice": "invoice_pdf", "credit_note": "pdf"}
"""Objects that have a PDF behind a link: the field of the link."""
_ONE = re.compile(r"/v1/(?:invoices|credit_notes)/(?!search\b)[\w-]+")


def is_file(request: Request) -> bool:
    """Whether `--to` writes one file for a request: its answer is one, or has a link to one."""
    one = request.method == "GET" and not request.lists and not request.limit_given
    return is_document(request.method, request.path) or (one and _ONE.fullmatch(request.path) is not None)


def save_document(connection: Connection, request: Request, target: str) -> pd.DataFrame:
    """Read a file's content and write it, whole or not at all; a frame of one row: file, bytes.

    A file that is there is replaced; a folder is refused. Raises `FileError`, or what Stripe says.
    """
    import pandas as pd

    path = Path(target)
    if path.is_dir():
        raise FileError(
            f"{path} is a folder. Nothing was read.", advice="Give the name of a file: --to quote.pdf"
        )
    if not path.parent.is_dir():
        raise FileError(f"There is no folder {path.parent}. Nothing was read.", advice="Make it first.")
    answer = connection.send(request)
    content = answer.body if is_document(request.method, request.path) else _linked(connection, answer.data)
    _files.write_atomically(path, content)
    frame = pd.DataFrame({"file": [str(path)], "bytes": pd.array([len(content)], dtype="int64")})
    info = FrameInfo(
        object="document",
        account=account_of(connection, request.headers),
        mode=connection.mode,
        complete=True,
    )
    return info.put(frame, CallInfo(module=request.module))


def _linked(connection: Connection, answer: Mapping[str, Any]) -> bytes:
    """The PDF of an object. Raises `UsageFault` where it has none yet."""
    kind = str(answer.get("object") or "")
    link = answer.get(LINKED[kind]) if kind in LINKED else None
    if not link:
        state = f" (its status is {answer['status']})" if answer.get("status") else ""
        raise UsageFault(
            f"{answer.get('id') or 'This preview'} has no PDF{state}. Nothing was written.",
            advice="An invoice has one once it is finalized: %stripe invoices finalize.",
        )
    return read_linked_file(connection, str(link))
