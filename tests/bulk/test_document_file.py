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


# The PDF behind an invoice's link ---------------------------------------------------------------------------
LINK = "https://pay.stripe.com/invoice/acct_1/test_TOKEN/pdf?s=ap"


def invoice(link: str | None, status: str = "open") -> httpx.Response:
    return httpx.Response(
        200,
        json={"object": "invoice", "id": "in_1", "status": status, "livemode": False, "invoice_pdf": link},
    )


def test_an_invoices_pdf_is_read_without_the_key_from_stripe(account: Any, tmp_path: Path) -> None:
    answers, seen = account
    target = tmp_path / "invoice.pdf"
    answers["/v1/invoices/in_1"] = invoice(LINK)
    moved = "https://invoicedata.stripe.com/there"
    answers["/invoice/acct_1/test_TOKEN/pdf"] = httpx.Response(302, headers={"location": moved})
    answers["/there"] = document(PDF, "application/pdf")
    made = sm.call("invoices.retrieve", invoice="in_1", to=str(target))
    assert target.read_bytes() == PDF
    assert made["bytes"].tolist() == [len(PDF)]
    of_link = [each for each in seen if each.url.host != "api.stripe.com"]
    assert [str(each.url) for each in of_link] == [LINK, moved]
    for each in of_link:
        assert not {"authorization", "stripe-account", "stripe-version"} & set(each.headers)
        assert "sk_test" not in str(each.headers.raw)


@pytest.mark.parametrize(
    ("link", "answer", "said"),
    [
        (None, None, "in_1 has no PDF"),
        ("https://evil.example/invoice/TOKEN/pdf", None, "doesn't lead to Stripe"),
        ("https://pay.stripe.com.evil.example/TOKEN", None, "doesn't lead to Stripe"),
        ("https://pay.stripe.com@evil.example/TOKEN", None, "doesn't lead to Stripe"),
        ("http://pay.stripe.com/TOKEN", None, "doesn't lead to Stripe"),
        ("https://[pay.stripe.com/TOKEN", None, "doesn't lead to Stripe"),
        (
            LINK,
            httpx.Response(302, headers={"location": "https://evil.example/TOKEN"}),
            "doesn't lead to Stripe",
        ),
        (LINK, httpx.Response(302, headers={"location": LINK}), "status 302"),
        (LINK, document(b"<html>sign in</html>", "text/html"), "not a file"),
        (LINK, document(b'{"ok": true}', "application/json"), "not a file"),
        (LINK, document(b"", "application/pdf", 404), "status 404"),
    ],
)
def test_a_link_that_leads_to_no_file_of_stripes_writes_nothing(
    account: Any, tmp_path: Path, link: str | None, answer: httpx.Response | None, said: str
) -> None:
    answers, seen = account
    target = tmp_path / "invoice.pdf"
    target.write_bytes(b"the one of before")
    answers["/v1/invoices/in_1"] = invoice(link)
    if answer is not None:
        answers["/invoice/acct_1/test_TOKEN/pdf"] = answer
    shared_connection.current().sleep = lambda _: None
    with pytest.raises(StripeMagicsError, match=said) as caught:
        sm.call("invoices.retrieve", invoice="in_1", to=str(target))
    assert "Nothing was written." in str(caught.value)
    assert "TOKEN" not in str(caught.value) + repr(caught.value)
    assert target.read_bytes() == b"the one of before"
    assert all(each.url.host.endswith("stripe.com") and "evil" not in each.url.host for each in seen)


def test_pdfs_of_the_sandboxs_invoices_and_credit_notes(tmp_path: Path) -> None:
    sm.connect(sandbox=True)
    try:
        paid = sm.call("invoices.list", status="paid", limit=1)["id"][0]
        note = sm.call("credit_notes.list", limit=1)["id"][0]
        for module, name, identifier in (
            ("invoices.retrieve", "invoice", paid),
            ("credit_notes.retrieve", "id", note),
        ):
            target = tmp_path / f"{name}.pdf"
            made = sm.call(module, **{name: identifier}, to=str(target))
            assert target.read_bytes().startswith(b"%PDF")
            assert made["bytes"].tolist() == [target.stat().st_size]
        by_path = tmp_path / "path.pdf"
        sm.call("api.call", url=f"/v1/invoices/{paid}", to=str(by_path))
        assert by_path.read_bytes() == (tmp_path / "invoice.pdf").read_bytes()
        with pytest.raises(UsageFault, match="name of a file"):
            sm.call("invoices.search", query='status:"paid"', to=str(tmp_path / "all.csv"))
        draft = sm.call("invoices.create", customer="cus_demoJennyRosen")["id"][0]
        with pytest.raises(UsageFault, match=f"{draft} has no PDF .its status is draft"):
            sm.call("invoices.retrieve", invoice=draft, to=str(tmp_path / "draft.pdf"))
        assert not (tmp_path / "draft.pdf").exists()
    finally:
        shared_connection.close()
