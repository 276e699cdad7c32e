"""The keys of `df.attrs["stripe"]`, each declared once with the type of its value.

`frame_info.facts_of` reads them and `frame_info.set_facts` writes them, so that the type checker knows every
key. Those of `FrameInfo` and `CallInfo` are the facts of all frames; `ReportFrameFacts` are what a report
says besides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class ReportFrameFacts(TypedDict, total=False):
    """What a report says of itself beside its name, zone, period and notes."""

    title: str
    amounts: Sequence[str]  # its money columns
    fractions: Sequence[str]  # its columns of ratios
    kinds: Mapping[str, str]  # column -> money, count, ratio, days ...
    method: str
    discounts: str
    by: str
    at: str  # the moment that it is about
    home: str  # the firm's country
    sales: str
    source: str
    checked_against: str
    accounts: Any  # of a journal: account by role; of a pull over several accounts: how many
    stripe_account: Mapping[str, Sequence[int]]  # of a journal: what it does to the balance, by currency


class FrameFacts(ReportFrameFacts, total=False):
    """Everything that `df.attrs["stripe"]` may have."""

    # of every frame
    object: str
    account: str
    mode: str
    livemode: bool | None
    api_version: str
    zone: str
    units: str
    complete: bool | None
    money: Mapping[str, str]
    other_units: Sequence[str]
    expanded: Mapping[str, str]
    # of its call
    module: str
    params: Mapping[str, Any]
    request_ids: Sequence[str]
    notes: Sequence[str]
    limit_given: bool
    replayed: bool
    rows: int | None
    columns: Sequence[str]
    currency: str
    currencies: Mapping[str, str]
    table: bool
    names: bool
    identity: str
    origin: Any
    # of a report, by the one who ran it
    report: str
    period: str
    start: str
    end: str
    read_at: str
    used: Mapping[str, int]
    rows_read: Mapping[str, int]
    run: str
    of: str  # of the rows behind a cell: their report
