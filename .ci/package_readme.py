"""README as a package index shows it: what is relative in the repository is absolute there.

An index shows README without the files beside it, so each link and each picture needs the repository's
address. That stands once, as `Repository` of `[project.urls]` in pyproject.toml; the addresses lead to the
version's tag, so that an old version's page goes on showing what it had. Without an address README stays as
it is, and `.ci/wheel_contents.py --published`, which the workflow `release` runs, refuses to publish it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE = re.compile(r"\]\((?![a-z][a-z+.-]*:|#|//)(?:\./)?([^)\s]+)\)")
_PICTURE = re.compile(r"\.(?:png|gif|jpe?g|svg|webp)$")


class Readme(MetadataHookInterface):
    """`dynamic = ["readme"]`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Give the text to the metadata."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        address = metadata.get("urls", {}).get("Repository", "")
        if address:
            text = absolute(text, address, f"v{metadata['version']}")
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def absolute(text: str, address: str, tag: str) -> str:
    """Relative links and pictures of a Markdown text, in the repository at that tag."""

    def lead(found: re.Match[str]) -> str:
        kind = "raw" if _PICTURE.search(found[1]) else "blob"
        return f"]({address.rstrip('/')}/{kind}/{tag}/{found[1]})"

    return _RELATIVE.sub(lead, text)
