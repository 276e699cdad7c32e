"""The data files that ship are what the generators make of the released `stripe` packages."""

from __future__ import annotations

import gzip
import json
import os

import pytest
from generators import write
from generators.releases import RELEASES, NotFetchedError

from stripe_magics.catalogue.versions import VERSIONS


def test_the_shipped_files_are_what_the_generators_make() -> None:
    try:
        made = write.generate()
    except NotFetchedError as reason:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"THE FACTS WERE NOT COMPARED WITH THEIR SOURCE. {reason}")
    for path, data in made.items():
        text = path.read_bytes()
        shipped = json.loads(gzip.decompress(text) if path.suffix == ".gz" else text)
        assert shipped == json.loads(json.dumps(data)), (
            f"{path.name} differs: python tests/generators/write.py"
        )


def test_the_versions_are_those_of_the_releases() -> None:
    assert tuple(RELEASES.values()) == VERSIONS
    facts = json.loads(gzip.decompress(write.OPERATIONS.read_bytes()))
    assert facts["versions"] == list(VERSIONS)
    assert facts["packages"] == list(RELEASES)
