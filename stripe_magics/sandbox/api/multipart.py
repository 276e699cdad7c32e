"""A multipart body (an upload) -> pairs, as a form gives them. A file becomes `file[filename]`, `file[type]`
and `file[data]` (base64)."""

from __future__ import annotations

import base64
from email.parser import BytesParser
from email.policy import HTTP

from stripe_magics.sandbox.api.errors import invalid_before_execution


def multipart_pairs(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """The pairs of a body with that Content-Type. Raises a refusal for one that can't be read."""
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + body
    )
    if not message.is_multipart():
        raise invalid_before_execution("Invalid request: the multipart body can't be read.")
    found: list[tuple[str, str]] = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            raise invalid_before_execution("Invalid request: a part of the body has no name.")
        filename = part.get_filename()
        if filename is None:
            found.append((name, content.decode("utf-8", "replace")))
        else:
            found += [
                (f"{name}[filename]", filename),
                (f"{name}[type]", part.get_content_type()),
                (f"{name}[data]", base64.b64encode(content).decode()),
            ]
    return found
