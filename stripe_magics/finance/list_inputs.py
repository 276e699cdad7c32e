"""The lists that a report reads, each once, cut to its period, whole, and from one reading.

Lists come from frames at hand (`data=`), from a folder (`over=`), or from the account. All three are cut to
the period alike. Lists inside objects that an answer doesn't hold whole (lines of invoices, items of
subscriptions) are fetched; where they can't be, the report says that it is partial.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from stripe_magics.errors import MissingData, NotFound, UsageFault
from stripe_magics.finance.aggregation import to_str
from stripe_magics.finance.balance import now_balance
from stripe_magics.finance.folders import ReportFolder
from stripe_magics.finance.invoice_line_items import cut_off
from stripe_magics.finance.reporting_period import Period
from stripe_magics.finance.row_checks import faults
from stripe_magics.frames.assemble import release_memory
from stripe_magics.frames.column_facts import cut_lists
from stripe_magics.frames.frame_info import call_of, facts_of, set_facts

Fetch = Callable[[str, Mapping[str, Any]], Any]
MAX_READINGS = 5
AT_HAND = ("balance", "items", "events")  # what can be given beside the lists


@dataclass(frozen=True, slots=True)
class ListSource:
    """A list: the module that fetches it, the type of its objects, and further values of the call."""

    module: str
    object_type: str
    values: Mapping[str, Any] = field(default_factory=dict)


LISTS: dict[str, ListSource] = {
    "transactions": ListSource("balance.list_history", "balance_transaction"),
    "payouts": ListSource("payouts.list", "payout"),
    "charges": ListSource("charges.list", "charge"),
    "refunds": ListSource("refunds.list", "refund"),
    "disputes": ListSource("disputes.list", "dispute"),
    "invoices": ListSource("invoices.search", "invoice"),
    "credit_notes": ListSource("credit_notes.list", "credit_note"),
    "subscriptions": ListSource("subscriptions.list", "subscription", {"status": "all"}),
    "customers": ListSource("customers.list", "customer"),
    "tax_rates": ListSource("tax_rates.list", "tax_rate"),
    "prices": ListSource("prices.list", "price", {"expand": ["data.tiers"]}),
    "coupons": ListSource("coupons.list", "coupon"),
}


@dataclass(slots=True)
class ListInputs:
    """Frames by name, fetched on first use; the period, the zone, the time by the account's clock, the
    report's options."""

    fetch: Fetch
    data: dict[str, pd.DataFrame]
    zone: str
    clock: pd.Timestamp
    period: Period | None = None
    options: dict[str, Any] = field(default_factory=dict)
    folder: ReportFolder | None = None
    home: str = ""
    own_account: bool = False  # whether what is fetched comes from the connection's own account
    whole: dict[str, pd.DataFrame] = field(default_factory=dict)  # the frames at hand, as they were given
    used: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    memo: dict[str, Any] = field(default_factory=dict)

    # Lists --------------------------------------------------------------------------------------------------
    def __getitem__(self, name: str) -> pd.DataFrame:
        """The whole list."""
        if name not in self.data:
            self.data[name] = self._read(name)
        frame = self.data[name]
        self.used[name] = len(frame)
        return frame

    def inside(self, name: str) -> pd.DataFrame:
        """The rows of a list that were created in the period; a list at hand is cut, one that isn't is
        fetched for the period only."""
        key = f"{name}_inside"
        if key not in self.data:
            if self.period is None:
                return self[name]
            if name in self.data or self.folder is not None:
                self.data[key] = self._cut(self[name])
            else:
                bounds = {"gte": int(self.period.start.timestamp()), "lt": _ceil(self.period.end)}
                self.data[key] = self._cut(self._call(name, created=bounds))
        self.used[name] = len(self.data[key])
        return self.data[key]

    def since(self, name: str, first: pd.Timestamp | None = None) -> pd.DataFrame:
        """The rows of a list from the period's start, or an instant before it, until now."""
        if self.period is None or name in self.data or self.folder is not None:
            return self[name]
        first = self.period.start if first is None else min(first, self.period.start)
        key = f"{name}_since" if first == self.period.start else f"{name}_since_{first.value}"
        if key not in self.data:
            self.data[key] = self._call(name, created={"gte": int(first.timestamp())})
        self.used[name] = len(self.data[key])
        return self.data[key]

    def optional(self, name: str) -> pd.DataFrame | None:
        """A list that may be missing: where the account or the folder doesn't have it, None and a note."""
        try:
            return self[name]
        except (MissingData, NotFound) as fault:
            self.note(f"Without {name.replace('_', ' ')}: {str(fault).splitlines()[0]}")
            return None

    def note(self, text: str) -> None:
        """Say something below the report."""
        if text not in self.notes:
            self.notes.append(text)

    def forget(self) -> None:
        """Drop what was worked out of the lists (lines of invoices, prices), to be worked out again if rows
        are asked for; the lists and the reading of the ledger stay."""
        self.memo = {name: kept for name, kept in self.memo.items() if name.startswith("reading")}
        release_memory()

    def _cut(self, frame: pd.DataFrame) -> pd.DataFrame:
        assert self.period is not None
        if frame.empty or "created" not in frame.columns:
            return frame
        if (lacking := frame["created"].isna()).any():
            raise MissingData(
                f"{int(lacking.sum()):,} rows have no time (created), so no period has them:"
                f" {', '.join(to_str(frame.loc[lacking, 'id']).head(5))}.",
                advice="Fetch the list again.",
            )
        out = frame[self.period.contains(frame["created"])]
        out.attrs = frame.attrs
        return out

    def _read(self, name: str) -> pd.DataFrame:
        source = LISTS[name]
        if self.folder is not None:
            frame = self.folder.read(source.object_type)
            if frame is None:
                raise MissingData(
                    f"{self.folder.place} has no {name.replace('_', ' ')}.",
                    advice=f"%stripe sync {self.folder.place} {name} adds them.",
                )
            return self._whole(name, self._checked(name, frame))
        return self._whole(name, self._call(name))

    def _call(self, name: str, **values: Any) -> pd.DataFrame:
        source = LISTS[name]
        frame: pd.DataFrame = self.fetch(source.module, {**source.values, **values, "limit": "all"})
        return self._checked(name, frame)

    def _checked(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame; rows of it that can't be counted right are named below the report. Raises `UsageFault`
        for a frame of another account than those before it."""
        self._of_one_account(name, frame)
        for each in faults(name, frame):
            self.note(each)
        return frame

    def _of_one_account(self, name: str, frame: pd.DataFrame) -> None:
        """Frames that don't say whose they are (of a query, of a file) pass."""
        about, call = facts_of(frame), call_of(frame)
        mode = about.get("mode")
        own = {
            "account": f"{about.get('account') or 'the own account'}, {mode}" if mode else "",
            "connection": call.identity if call is not None else "",
        }
        firsts: dict[str, tuple[str, str]] = self.memo.setdefault("reading of", {})
        for what, value in own.items():
            if not value:
                continue
            first, before = firsts.setdefault(what, (name, value))
            if before != value:
                of = f" ({before}; {value})" if what == "account" else ""
                raise UsageFault(
                    f"The report's lists are of two accounts: {first.replace('_', ' ')} and"
                    f" {name.replace('_', ' ')}{of}. Their sums would mean nothing.",
                    advice="Give all lists of one account in data, and connect to it: what data lacks is read"
                    " there.",
                )

    # Lists inside objects -----------------------------------------------------------------------------------
    def _whole(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        about = facts_of(frame)
        if about.get("complete") is False and has_all_rows(frame):  # only lists inside of its objects are cut
            frame = frame.copy(deep=False)
            set_facts(frame, complete=True)
        if name == "invoices":
            return self._completed(frame, "lines", "invoices.list_lines", "invoice", cut_off(frame))
        if name == "subscriptions" and "items_has_more" in frame.columns:
            more = frame["items_has_more"].astype("boolean").fillna(value=False).astype(bool)
            return self._completed(frame, "items", "subscription_items.list", "subscription", more)
        return frame

    def with_inner_lists(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        """A frame at hand, with the inner lists that it lacks."""
        return self._whole(name, self._checked(name, frame))

    def _completed(
        self, frame: pd.DataFrame, column: str, module: str, parent: str, more: pd.Series
    ) -> pd.DataFrame:
        """The frame with whole inner lists: those that the answer cut off are fetched."""
        if not more.any():
            return frame
        name = column if column in frame.columns else f"{column}_data"
        cut = frame.index[more.to_numpy()]
        if self.folder is not None:
            out = frame.copy()
            set_facts(out, complete=False)
            self.note(
                f"{len(cut):,} {parent}s in the folder hold only their first {column}: "
                + ", ".join(map(str, frame.loc[cut, "id"].head(5)))
                + (" ..." if len(cut) > 5 else "")
            )
            return out
        cells = frame[name].astype(object).copy()
        for index in cut:
            cells.at[index] = self.fetch(module, {parent: frame.at[index, "id"], "limit": "all", "raw": True})
        out = frame.copy()
        out[name], out[f"{column}_has_more"] = cells, False
        out.attrs = frame.attrs
        return out

    # What the account says ----------------------------------------------------------------------------------
    def balance(self) -> pd.DataFrame | None:
        """The balance as it is now; none over frames at hand or a folder, which are of another time."""
        if "balance" in self.data:
            return self.data["balance"]
        if self.folder is not None or "transactions" in self.data:
            return None
        frame: pd.DataFrame = self.fetch("balance.retrieve", {})
        return frame

    def reading(
        self, *, whole: bool, first: pd.Timestamp | None = None
    ) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """The ledger (from its beginning, or from the period's start or an earlier instant) and the balance,
        as one reading.

        The balance is read before and after. If it moved in between, the new head of the ledger is read too,
        until it stands still.
        """
        for kept in ("reading_whole", "reading" if first is None else f"reading_{first.value}"):
            if kept in self.memo and (kept == "reading_whole" or not whole):
                known: tuple[pd.DataFrame, pd.DataFrame | None] = self.memo[kept]
                return known
        if self.folder is not None or "transactions" in self.data or "balance" in self.data:
            return self["transactions"], self.balance()
        before: pd.DataFrame = self.fetch("balance.retrieve", {"_fresh": True})
        ledger = self["transactions"] if whole else self.since("transactions", first)
        for _ in range(MAX_READINGS):
            head = self._head(ledger)
            ledger = head
            after: pd.DataFrame = self.fetch("balance.retrieve", {"_fresh": True})
            if now_balance(before) == now_balance(after):
                break
            before = after
        else:
            self.note("The balance went on moving while it was read; run the report again.")
        self.used["transactions"] = len(ledger)
        if whole:
            self.data["transactions"] = ledger
        self.memo["reading_whole" if whole else kept] = (ledger, after)
        return ledger, after

    def _head(self, ledger: pd.DataFrame) -> pd.DataFrame:
        """The ledger with what was added to it since it was read."""
        newest = ledger["created"].max() if len(ledger) else None
        if newest is None or pd.isna(newest):
            first = self.period.start if self.period is not None else None
            values = {} if first is None else {"created": {"gte": int(first.timestamp())}}
        else:
            values = {"created": {"gte": int(newest.timestamp())}}
        head: pd.DataFrame = self.fetch(
            LISTS["transactions"].module, {**values, "limit": "all", "_fresh": True}
        )
        new = head[~head["id"].isin(ledger["id"])] if len(head) else head
        if new.empty:
            return ledger
        if ledger.empty:
            return head
        out = pd.concat([new, ledger], ignore_index=True)
        out.attrs = ledger.attrs
        return out


def has_all_rows(frame: pd.DataFrame) -> bool:
    """Whether a list's own rows are all there, whatever the lists inside of its objects lack."""
    about = facts_of(frame)
    if about.get("complete", True) is not False:
        return True
    stopped = any(str(note).startswith(("Stopped after", "Showing")) for note in about.get("notes") or ())
    return bool(cut_lists(frame)) and not stopped


def _ceil(stamp: pd.Timestamp) -> int:
    whole = int(stamp.timestamp())
    return whole + (stamp.value % 1_000_000_000 > 0)
