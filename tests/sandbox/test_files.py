"""Files that are uploaded, as clients send them."""

from __future__ import annotations

from pathlib import Path

import pytest

from stripe_magics.sandbox.server import serving

from .conftest import Talk

PDF = b"%PDF-1.4\r\n\x00\xff binary \r\n--not-a-boundary\r\n"


def test_an_upload_is_kept_and_read_again(call: Talk) -> None:
    answer = call.client.post(
        "/v1/files",
        data={"purpose": "dispute_evidence"},
        files={"file": ("receipt.pdf", PDF, "application/pdf")},
    )
    made = answer.json()
    assert answer.status_code == 200 and made["id"].startswith("file_")
    assert (made["filename"], made["size"], made["type"], made["purpose"]) == (
        "receipt.pdf",
        len(PDF),
        "pdf",
        "dispute_evidence",
    )
    assert call(f"GET /v1/files/{made['id']}") == made
    assert call.raw(f"GET /v1/files/{made['id']}/contents").content == PDF
    assert len(call("GET /v1/files", purpose="dispute_evidence")["data"]) == 1
    assert call("GET /v1/files", purpose="business_logo")["data"] == []
    assert call.types() == ["file.created"]
    link = call("POST /v1/file_links", file=made["id"])
    assert (link["object"], link["file"]) == ("file_link", made["id"])


def test_the_official_client_uploads(sandbox) -> None:
    stripe = pytest.importorskip("stripe")
    with serving(sandbox) as address:
        client = stripe.StripeClient("sk_test_a", base_addresses={"api": address, "files": address})
        with Path(__file__).open("rb") as file:
            made = client.v1.files.create({"purpose": "dispute_evidence", "file": file})
    assert made.size > 100 and made.filename.endswith("test_files.py")


def test_what_is_no_upload_is_refused(call: Talk) -> None:
    error = call.refused("POST /v1/files", purpose="dispute_evidence", file="text")
    assert (error["status"], error["param"]) == (400, "file")
    bad = {
        "purpose": "dispute_evidence",
        "file[filename]": "a",
        "file[type]": "text/plain",
        "file[data]": "?",
    }
    assert call.refused("POST /v1/files", bad)["param"] == "file"
    answer = call.client.post("/v1/files", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert answer.status_code == 400
