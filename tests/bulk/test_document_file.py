"""`--to FILE`: the PDF of a quote and the content of a file, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

import stripe_magics as sm
from stripe_magics.client import shared_connection
from stripe_magics.client.secret import Secret
from stripe_magics.errors import FileError, InvalidValue, StripeMagicsError, UsageFault

PDF = b"%PDF-1.7\n\x00\xff\xfe binary"


@pytest.fixture
def account() -> Any:
    """A connection whose files are given by `answers` (path -> response); the requests are kept."""
    answers: dict[str, httpx.Response] = {}
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.url.path == "/v1/account":
            return httpx.Response(200, json={"object": "account", "id": "acct_1"})
        found = answers[request.url.path]
        return httpx.Response(found.status_code, content=found.content, headers=found.headers)

    shared_connection.connect(secret=Secret("sk_test_51" + "a" * 60), transport=httpx.MockTransport(answer))
    yield answers, seen
    shared_connection.close()


def document(content: bytes, kind: str, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=content, headers={"content-type": kind, "request-id": "req_1"})


def test_the_bytes_are_written_as_they_came(account: Any, tmp_path: Path) -> None:
    answers, seen = account
    target = tmp_path / "quote.pdf"
    for path, kind, content, call in (
        ("/v1/quotes/qt_1/pdf", "application/pdf", PDF, ("quotes.pdf", {"quote": "qt_1"})),
        ("/v1/files/file_1/contents", "image/png", PDF, ("get", {"url": "/v1/files/file_1/contents"})),
        (
            "/v1/files/file_2/contents",
            "text/csv; charset=utf-8",
            b"a,b\n1,2\n",
            ("get", {"url": "/v1/files/file_2/contents"}),
        ),
    ):
        answers[path] = document(content, kind)
        name, values = call
        made = sm.call(name if name != "get" else "api.call", to=str(target), **values)
        assert target.read_bytes() == content
        assert made["bytes"].tolist() == [len(content)]
        assert seen[-1].url.host == "files.stripe.com"


@pytest.mark.parametrize(
    "broken",
    [
        document(b"<html>login</html>", "text/html"),
        document(b"", "application/pdf"),
        document(b'{"error": {"message": "no"}}', "application/json", 404),
    ],
)
def test_what_is_no_file_is_not_written(account: Any, tmp_path: Path, broken: httpx.Response) -> None:
    account[0]["/v1/quotes/qt_1/pdf"] = broken
    target = tmp_path / "quote.pdf"
    target.write_bytes(b"the one of before")
    with pytest.raises(StripeMagicsError):
        sm.call("quotes.pdf", quote="qt_1", to=str(target))
    assert target.read_bytes() == b"the one of before"


def test_without_a_place_nothing_is_read(account: Any, tmp_path: Path) -> None:
    _, seen = account
    before = len(seen)
    with pytest.raises(UsageFault, match="--to FILE"):
        sm.call("quotes.pdf", quote="qt_1")
    for target in (tmp_path, tmp_path / "none" / "quote.pdf"):
        with pytest.raises(FileError, match="Nothing was read"):
            sm.call("quotes.pdf", quote="qt_1", to=str(target))
    with pytest.raises(InvalidValue, match="columns"):
        sm.call("quotes.pdf", quote="qt_1", to=str(tmp_path / "x.pdf"), columns=["id"])
    assert sm.call("quotes.pdf", quote="qt_1", to="x.pdf", dry_run=True).path == "/v1/quotes/qt_1/pdf"
    assert len(seen) == before


def test_a_line_reads_a_files_content_by_its_name(account: Any, tmp_path: Path) -> None:
    from stripe_magics.bulk import save_command
    from stripe_magics.parsing import parse

    account[0]["/v1/files/file_1/contents"] = document(PDF, "application/octet-stream")
    save_command(parse(f"files contents file_1 --to {tmp_path / 'x.bin'}"))
    assert (tmp_path / "x.bin").read_bytes() == PDF
