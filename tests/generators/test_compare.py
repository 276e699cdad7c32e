"""The report of what a new release of the `stripe` package changes."""

from __future__ import annotations

from generators.compare import report
from generators.releases import RELEASES


def test_what_changes_from_the_older_release_to_the_newer() -> None:
    old, new = RELEASES
    text = report(old, new)
    assert text.startswith(f"# stripe {new}: ")
    assert f"API version {RELEASES[old]} -> {RELEASES[new]}." in text
    assert "- POST /v1/webhook_endpoints" not in text
    assert "- webhook_endpoints.create: `enabled_events` changed: also apps.install.created" in text
    assert report(new, new).startswith(f"# stripe {new}: 0 new operations, 0 gone, 0 parameters changed")
