"""A month end beside the one before: where a workbook of the month before lies in the same folder, this one
begins at the instant and with the balance at which that one ended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from stripe_magics.errors import FileError
from stripe_magics.finance.audit_trail import read_trail
from stripe_magics.finance.close_checks import FAILED, PASSED, UNCHECKED, Closing

ENDING = "audit.json"
_NEAR = pd.Timedelta(days=2)  # two zones are at most 26 hours apart
_BEGINS = "The period begins where the one closed before ended"
_OPENS = "Balance at the start = the end of the month closed before"


def balances(closing: Closing) -> dict[str, int]:
    """The balance at the end of the period, by currency: what the next month end begins with."""
    made = closing.reports.get("balance_summary")
    if made is None:
        return {}
    return {str(code): int(end) for code, end in zip(made["currency"], made["end"], strict=True)}


def check_before(closing: Closing, folder: Path) -> None:
    """Add the checks against the month end before this one, if its audit trail lies in a folder."""
    found = _nearest(closing, folder)
    if found is None:
        return
    path, trail = found
    ended = pd.Timestamp(trail["period"]["end"])
    apart = closing.span.start - ended
    if abs(apart) > _NEAR:  # the month before wasn't closed here
        return
    if apart != pd.Timedelta(0):
        zone, own = trail["period"]["zone"], closing.span.zone
        what = "are in neither" if apart > pd.Timedelta(0) else "count in both"
        said = (
            f"{path.name} was closed in {zone} until {ended:%Y-%m-%d %H:%M} UTC, this one begins in {own} at"
            f" {closing.span.start:%Y-%m-%d %H:%M} UTC: {abs(apart) / pd.Timedelta(hours=1):g} hours {what}."
            f" Close both in one zone: --tz {zone}."
        )
        closing.check(_BEGINS, FAILED, said=said)
        return
    closing.check(_BEGINS, PASSED)
    made, before = closing.reports.get("balance_summary"), trail.get("balance")
    if made is None or not isinstance(before, Mapping):
        return
    said = f"What changed since: %stripe close --verify {path}."
    starts = {str(code): int(start) for code, start in zip(made["currency"], made["start"], strict=True)}
    for code in sorted({*starts, *before}):
        left, right = starts.get(code, 0), int(before.get(code, 0))
        closing.check(_OPENS, PASSED if left == right else FAILED, code, left, right, said=said)


def _nearest(closing: Closing, folder: Path) -> tuple[Path, Mapping[str, Any]] | None:
    """Of the periods of the same account that were closed into a folder and began before this one, that which
    ended nearest to its begin."""
    found: list[tuple[pd.Timedelta, Path, Mapping[str, Any]]] = []
    for path in sorted(folder.glob(f"*.{ENDING}")):
        try:
            trail = read_trail(path)
        except FileError as fault:
            closing.check(f"The audit trail {path.name}", UNCHECKED, said=fault.brief)
            continue
        same = all(trail["account"][name] == closing.account[name] for name in ("id", "mode"))
        if same and pd.Timestamp(trail["period"]["start"]) < closing.span.start - _NEAR:
            found.append((abs(closing.span.start - pd.Timestamp(trail["period"]["end"])), path, trail))
    return min(found, key=lambda each: each[:2])[1:] if found else None
