"""Under faults a list is read whole or the pull says that it wasn't: no row is lost, none comes twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from bulk.faulty_list import attack


def test_no_row_is_lost_or_doubled_under_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More seeds: `python tests/benchmarks/bulk_faults.py MINUTES`."""
    seeds = [*range(23), 2052]  # the last one: new rows go while `ending_before` isn't obeyed
    ended = [attack(seed, tmp_path, monkeypatch) for seed in seeds]
    assert ended.count("read") >= 16, ended


def test_a_server_that_differs_from_stripes_costs_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of another size, rows once more, more announced than there is, odd orders and filters."""
    ended = [attack(seed, tmp_path, monkeypatch, odd=True) for seed in range(12)]
    assert set(ended) <= {"read", "NotSortedByCreated"}
    assert ended.count("read") >= 6, ended
