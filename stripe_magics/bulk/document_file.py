"""`--to FILE` for what is a file and no list: the PDF of a quote, the content of an uploaded file or of a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stripe_magics import _files
from stripe_magics.client.call_context import account_of
from stripe_magics.errors import FileError
from stripe_magics.frames.frame_info import CallInfo, FrameInfo

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection
    from stripe_magics.request import Request


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
    _files.write_atomically(path, answer.body)
    frame = pd.DataFrame({"file": [str(path)], "bytes": pd.array([len(answer.body)], dtype="int64")})
    info = FrameInfo(
        object="document",
        account=account_of(connection, request.headers),
        mode=connection.mode,
        complete=True,
    )
    return info.put(frame, CallInfo(module=request.module))
