"""The recorded conversations of the real API, played at the sandbox: every judged step is the same, but for
what is named here with its reason."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"
TOOL, RECORDINGS = SHARED / "tools" / "replay", SHARED / "stripe" / "recordings" / "conversations.jsonl.gz"
SAME = 214
"""Steps that were the same when this was written; fewer are a step back."""
NOT_SAID = "the conversation never shows how it was made, and the player makes it without"
EXCEPTIONS = (
    (r"(nickname|coupon\.name): given there, null here", f"names of prices and coupons: {NOT_SAID}"),
    (r"No such (price|customer|charge|destination|ID)\b",
        f"an object from before the conversation: {NOT_SAID}"),
    (r"POST /v1/subscriptions error\.param: None there, 'items\[0\]\[price\]' here",
        "the same: the price is missed before the method is"),
    (r"GET /v1/invoice_payments data: 1 there, 0 here",
        "the answer that made the payment was left out of the recording"),
    (r"POST /v1/billing_portal/sessions configuration: given there, null here",
        "the recorded account's own setting"),
)  # fmt: skip


@pytest.mark.skipif(
    not TOOL.exists(),
    reason="THE RECORDINGS ARE NOT HERE: none was played; test_recorded_answers holds what they taught",
)
def test_91_the_recordings_are_the_same() -> None:
    line = [
        sys.executable,
        str(TOOL),
        str(RECORDINGS),
        "--transport",
        "stripe_magics.sandbox:SandboxTransport",
    ]
    played = subprocess.run(
        line, capture_output=True, text=True, timeout=120, check=False
    ).stdout.splitlines()
    counts = re.match(r"(\d+) of (\d+) judged steps are the same; (\d+) differ, (\d+) refused", played[-1])
    assert counts, played[-1]
    differ = [each.strip() for each in played[:-1] if re.match(r"\s*\d+ (GET|POST|DELETE) ", each)]
    assert differ
    unknown = [each for each in differ if not any(re.search(pattern, each) for pattern, _ in EXCEPTIONS)]
    assert not unknown, "\n".join(unknown)
    assert int(counts[1]) >= SAME
    assert counts[4] == "0"
