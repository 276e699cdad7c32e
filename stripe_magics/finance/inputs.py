"""What a report is made of: the lists that it reads, each once, cut to its period, whole, and from one
reading.

Lists come from frames at hand (`data=`), from a folder (`over=`), or from the account. All three are cut to
the period alike. Lists inside objects that an answer doesn't hold whole (lines of invoices, items of
subscriptions) are fetched; where they can't be, the report says that it is partial.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from stripe_magics.errors import MissingData, NotFound, PermissionDenied, ReportUnavailable, StripeError
from stripe_magics.finance.aggregation import lists, text_column, to_str
from stripe_magics.finance.balance import now_balance
from stripe_magics.finance.folders import ListFolder
from stripe_magics.finance.invoice_line_items import (
    coupons_of,
    cut_off,
    filled_lists,
    invoice_lines,
    named_discounts,
    nested_lines,
    unknown_prices,
)
from stripe_magics.finance.nested_lists import NestedLists
from stripe_magics.finance.payments import without_reversals
from stripe_magics.finance.payouts import effective_at, payout_items, payouts_in, reconcilable
from stripe_magics.finance.reporting_period import Period, nanoseconds
from stripe_magics.finance.stripe_reports import payout_members
from stripe_magics.frames.column_facts import cut_lists
from stripe_magics.frames.frame_info import as_attrs

Fetch = Callable[[str, Mapping[str, Any]], Any]
MAX_READINGS = 5
EVENT_DAYS = 30  # as long as Stripe keeps events
AT_HAND = ("balance", "items", "events")  # what can be given beside the lists
# automatic ones: more than that are looked up in one of Stripe's own reports, not one by one
MANY_PAYOUTS = 200


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
class ReportInputs:
    """Frames by name, fetched on first use; the period, the zone, the time by the account's clock, the
    report's options."""

    fetch: Fetch
    data: dict[str, pd.DataFrame]
    zone: str
    clock: pd.Timestamp
    period: Period | None = None
    options: dict[str, Any] = field(default_factory=dict)
    folder: ListFolder | None = None
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
                self.data[key] = self._cut(self._call(LISTS[name], created=bounds))
        self.used[name] = len(self.data[key])
        return self.data[key]

    def since(self, name: str, first: pd.Timestamp | None = None) -> pd.DataFrame:
        """The rows of a list from the period's start, or an instant before it, until now."""
        if self.period is None or name in self.data or self.folder is not None:
            return self[name]
        first = self.period.start if first is None else min(first, self.period.start)
        key = f"{name}_since" if first == self.period.start else f"{name}_since_{first.value}"
        if key not in self.data:
            self.data[key] = self._call(LISTS[name], created={"gte": int(first.timestamp())})
        self.used[name] = len(self.data[key])
        return self.data[key]

    def optional(self, name: str) -> pd.DataFrame | None:
        """A list that may be missing: where the account or the folder doesn't have it, None and a note."""
        try:
            return self[name]
        except (MissingData, NotFound) as fault:
            self.note(f"Without {name.replace('_', ' ')}: {str(fault).splitlines()[0]}")
            return None

    def given_back(self) -> pd.DataFrame:
        """The refunds, without what was authorised and never captured: that stands in their list too, and
        only the ledger tells it apart."""
        refunds = self["refunds"]
        if self.period is None or not (refunds["created"] >= self.period.start).any():
            return refunds
        try:
            if "transactions" in self.data or self.folder is not None:
                entries = self.since("transactions")
            else:
                since = {"gte": int(self.period.start.timestamp())}
                entries = self._call(LISTS["transactions"], type="refund", created=since)
        except (MissingData, NotFound):
            self.note("Without the ledger, parts of payments that were never captured count as refunds.")
            return refunds
        return without_reversals(refunds, entries)

    def note(self, text: str) -> None:
        """Say something below the report."""
        if text not in self.notes:
            self.notes.append(text)

    def forget(self) -> None:
        """Drop what was worked out of the lists (lines of invoices, prices), to be worked out again if rows
        are asked for; the lists and the reading of the ledger stay."""
        self.memo = {name: kept for name, kept in self.memo.items() if name.startswith("reading")}

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
            return self._whole(name, frame)
        return self._whole(name, self._call(source))

    def _call(self, source: ListSource, **values: Any) -> pd.DataFrame:
        frame: pd.DataFrame = self.fetch(source.module, {**source.values, **values, "limit": "all"})
        return frame

    def subscription_events(self, until: pd.Timestamp) -> pd.DataFrame | None:
        """What happened to subscriptions in the days that Stripe keeps events, if it counts until an instant.

        None for `--history lines`, over a folder, and over frames at hand without `events`: those are of
        another time.
        """
        if self.options.get("history") == "lines":
            return None
        first = self.clock - pd.Timedelta(days=EVENT_DAYS)
        if "events" not in self.data:
            if self.folder is not None or {"invoices", "subscriptions"} & set(self.whole) or until <= first:
                return None
            asked = {"type": "customer.subscription.*", "created": {"gte": int(first.timestamp())}}
            try:
                self.data["events"] = self.fetch("events.list", {**asked, "limit": "all"})
            except (NotFound, PermissionDenied) as fault:
                self.note(f"Without events of subscriptions: {str(fault).splitlines()[0]}")
                return None
        self.used["events"] = len(self.data["events"])
        return self.data["events"]

    # Lists inside objects -----------------------------------------------------------------------------------
    def _whole(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        about = frame.attrs.get("stripe", {})
        if about.get("complete") is False and has_all_rows(frame):  # only lists inside of its objects are cut
            frame = frame.copy(deep=False)
            frame.attrs["stripe"] = as_attrs({**about, "complete": True})
        if name == "invoices":
            return self._completed(frame, "lines", "invoices.list_lines", "invoice", cut_off(frame))
        if name == "subscriptions" and "items_has_more" in frame.columns:
            more = frame["items_has_more"].astype("boolean").fillna(value=False).astype(bool)
            return self._completed(frame, "items", "subscription_items.list", "subscription", more)
        return frame

    def with_inner_lists(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        """A frame at hand, with the inner lists that it lacks."""
        return self._whole(name, frame)

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
            out.attrs["stripe"] = as_attrs({**frame.attrs.get("stripe", {}), "complete": False})
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

    # Payouts ------------------------------------------------------------------------------------------------
    def payouts(self, by: str = "arrival") -> pd.DataFrame:
        """The payouts that count in the period."""
        if self.period is None:
            return self["payouts"]
        frame = payouts_in(self["payouts"], self.period, by=by)
        self.used["payouts"] = len(frame)
        return frame

    def first_of_arrivals(self) -> pd.Timestamp | None:
        """When the earliest payout was made that arrives in the period or later; by arrival, the ledger
        counts from there."""
        assert self.period is not None
        every = self["payouts"]
        if every.empty:
            return None
        later = every[effective_at(every, self.period) >= self.period.local_start.normalize()]
        return None if later.empty else min(later["created"].min(), self.period.start)

    def items(self, payouts: pd.DataFrame) -> pd.DataFrame:
        """Balance transactions with the payout that settled them: `items` at hand, else one call a payout."""
        if "items" in self.data:
            return self.data["items"]
        if self.folder is not None:
            raise MissingData(
                f"{self.folder.place} doesn't say which payout settled a transaction.",
                advice=(
                    "Run this report without --over, or give data={'items': ...}: transactions with a"
                    " payout_id."
                ),
            )
        many = int(reconcilable(payouts).sum())
        how = str(self.options.get("members", "auto"))
        if how == "report" or (how == "auto" and self.own_account and many > MANY_PAYOUTS):
            return payout_items(payouts, self.members, self._members_by_report)
        return payout_items(payouts, self.members)

    def _members_by_report(self, automatic: pd.DataFrame) -> pd.DataFrame:
        """The members of many payouts, with their payout_id: by one of Stripe's own reports and one reading
        of the ledger."""
        try:
            named = payout_members(automatic)
        except (StripeError, ReportUnavailable) as fault:
            self.note(
                "Stripe's own report can't be had, so each payout was asked for by itself:"
                f" {str(fault).splitlines()[0]}"
            )
            named = {}
        if not named:
            return pd.DataFrame(columns=["id", "payout_id"])
        ledger = self.data.get("transactions")
        if ledger is None:
            first = min(when for _, when in named.values())
            ledger = self._call(LISTS["transactions"], created={"gte": first})
        own = dict(zip(text_column(ledger, "source"), to_str(ledger["id"]), strict=True))
        payout_of = {entry: payout for entry, (payout, _) in named.items()}
        payout_of |= {own[each]: each for each in to_str(automatic["id"]) if each in own}
        kept = ledger[ledger["id"].isin(payout_of)]
        out = kept.assign(payout_id=kept["id"].map(payout_of)).reset_index(drop=True)
        out.attrs = ledger.attrs
        return out

    def members(self, payout: str) -> pd.DataFrame:
        """The transactions of one automatic payout."""
        frame: pd.DataFrame = self.fetch("balance.list_history", {"payout": payout, "limit": "all"})
        return frame

    # Lines, prices, coupons ---------------------------------------------------------------------------------
    def lines(self, *, void: bool = False, amounts_only: bool = False) -> pd.DataFrame:
        """The lines of the invoices as a table; with `amounts_only` without what they say of subscriptions
        and prices."""
        shape = "line_amounts" if amounts_only and "nested_lines" not in self.memo else "lines"
        key = f"{shape}_{void}"
        if key not in self.memo:
            invoices, nested = self["invoices"], self.nested_lines(shape)
            prices = {} if shape == "line_amounts" else self.prices()
            coupons = {} if shape == "line_amounts" else self.coupons()
            lines = invoice_lines(invoices, coupons=coupons, prices=prices, void=void, nested=nested)
            lines.attrs = {"stripe": dict(invoices.attrs.get("stripe", {}))}
            self.memo[key] = lines
        table: pd.DataFrame = self.memo[key]
        return table

    def nested_lines(self, shape: str = "lines") -> NestedLists:
        """The lines of all invoices, as they were sent, typed."""
        key = f"nested_{shape}"
        if key not in self.memo:
            invoices = self["invoices"]
            apart = None
            if self.folder is not None and not {"lines", "lines_data"} & set(invoices.columns):
                apart = self.folder.lines(shape)
            self.memo[key] = nested_lines(invoices, shape) if apart is None else apart
        made: NestedLists = self.memo[key]
        return made

    def prices(self) -> dict[str, dict[str, Any]]:
        """Prices by id, if the invoices only name them."""
        if "prices" not in self.memo:
            needed = unknown_prices(self.nested_lines())
            self.memo["prices"] = self._by_id("prices") if needed else {}
        known: dict[str, dict[str, Any]] = self.memo["prices"]
        return known

    def tiers(self, states: pd.DataFrame | None = None) -> dict[str, dict[str, Any]]:
        """Prices by id with their tiers, if a subscription has a tiered price, or had one in an earlier
        state."""
        cells = (
            lists(self["subscriptions"]["items"], column="items") if "items" in self["subscriptions"] else []
        )
        if states is not None:
            cells = [*cells, *states["items"]]
        tiered = any(
            (item.get("price") or {}).get("billing_scheme") == "tiered" for cell in cells for item in cell
        )
        return self._by_id("prices") if tiered else {}

    def coupons(self) -> dict[str, dict[str, Any]]:
        """Coupons by the id of their discount, as far as discounts are spelt out; asked for where they are
        only named."""
        if "discounts" in self.memo:
            known: dict[str, dict[str, Any]] = self.memo["discounts"]
            return known
        frames = [self.data.get("invoices"), self.data.get("subscriptions")]
        found = coupons_of(*frames)
        named = _named_discounts(*frames)
        if "invoices" in self.data:
            named |= named_discounts(self.nested_lines())
        missing = named - set(found)
        if missing and self.folder is None:
            found |= self._expanded_discounts()
            missing -= set(found)
        if missing:
            self.note(
                f"{len(missing):,} discounts don't say whether they are forever; they count as if they end."
            )
        self.memo["discounts"] = found
        return found

    def _expanded_discounts(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        asked = [
            ("subscriptions", ["data.discounts", "data.items.data.discounts"]),
            ("invoices", ["data.discounts", "data.lines.data.discounts"]),
        ]
        for name, expand in asked:
            if name not in self.data:
                continue
            try:
                frame: pd.DataFrame = self.fetch(
                    LISTS[name].module, {**LISTS[name].values, "expand": expand, "limit": "all"}
                )
            except StripeError as fault:
                self.note(f"Discounts of {name} can't be looked up: {str(fault).splitlines()[0]}")
                continue
            named = _coupons_by_source(frame)
            if named:
                coupons = self._by_id("coupons")
                found |= {each: coupons[coupon] for each, coupon in named.items() if coupon in coupons}
            found |= coupons_of(frame)
        return found

    def _by_id(self, name: str) -> dict[str, dict[str, Any]]:
        frame = self.optional(name)
        if frame is None:
            return {}
        return {str(row["id"]): _nested(row) for row in frame.to_dict("records")}


def has_all_rows(frame: pd.DataFrame) -> bool:
    """Whether a list's own rows are all there, whatever the lists inside of its objects lack."""
    about = frame.attrs.get("stripe", {})
    if about.get("complete", True) is not False:
        return True
    stopped = any(str(note).startswith(("Stopped after", "Showing")) for note in about.get("notes") or ())
    return bool(cut_lists(frame)) and not stopped


def _nested(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A price's row as the object it is of: its recurring facts in a dict again."""
    known = {
        str(key): value for key, value in row.items() if isinstance(value, list | dict) or not pd.isna(value)
    }
    for inner in ("recurring", "transform_quantity"):
        parts = {key[len(inner) + 1 :]: value for key, value in known.items() if key.startswith(f"{inner}_")}
        if parts:
            known[inner] = parts
    return known


def _coupons_by_source(frame: pd.DataFrame) -> dict[str, str]:
    """The coupon id of discounts whose version keeps it under `source`."""
    found: dict[str, str] = {}
    for cell in frame["discounts"] if "discounts" in frame.columns else ():
        for each in cell if isinstance(cell, list) else ():
            source = each.get("source") if isinstance(each, Mapping) else None
            if isinstance(source, Mapping) and isinstance(source.get("coupon"), str):
                found[str(each.get("id"))] = source["coupon"]
    return found


def _named_discounts(*frames: pd.DataFrame | None) -> set[str]:
    """The discounts that invoices, or subscriptions and their items, have."""
    named: set[str] = set()
    for frame in frames:
        if frame is None:
            continue
        for cell in filled_lists(frame, "discounts"):
            named |= {each for each in cell if isinstance(each, str)}
        if "discount" in frame.columns and "discount_coupon" not in frame.columns:
            named |= set(text_column(frame, "discount").unique())
        if "items" in frame.columns:
            for cell in lists(frame["items"], column="items"):
                named |= {
                    each for item in cell for each in item.get("discounts") or () if isinstance(each, str)
                }
    return named - {""}


def ended_subscriptions(subscriptions: pd.DataFrame | None) -> dict[str, int]:
    """When each subscription that is over ended, as int64 instants."""
    if subscriptions is None or "ended_at" not in subscriptions.columns:
        return {}
    over = subscriptions[subscriptions["ended_at"].notna()]
    return dict(zip(to_str(over["id"]), nanoseconds(over["ended_at"]).tolist(), strict=True))


def _ceil(stamp: pd.Timestamp) -> int:
    whole = int(stamp.timestamp())
    return whole + (stamp.value % 1_000_000_000 > 0)
