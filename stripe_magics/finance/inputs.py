"""What a report is made of: its lists, and what is looked up beside them (members of payouts, events, lines
of invoices, prices, coupons)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stripe_magics.errors import MissingData, NotFound, PermissionDenied, ReportUnavailable, StripeError
from stripe_magics.finance.aggregation import int_column, lists, text_column, to_str
from stripe_magics.finance.invoice_line_items import (
    coupons_of,
    filled_lists,
    invoice_lines,
    named_discounts,
    nested_lines,
    unknown_prices,
)
from stripe_magics.finance.list_inputs import LISTS, ListInputs
from stripe_magics.finance.nested_lists import NestedLists
from stripe_magics.finance.payments import without_reversals
from stripe_magics.finance.payouts import effective_at, payout_items, payouts_in, reconcilable
from stripe_magics.finance.reporting_period import nanoseconds
from stripe_magics.finance.stripe_reports import payout_members
from stripe_magics.frames.frame_facts import FrameFacts
from stripe_magics.frames.frame_info import facts_of, set_facts

EVENT_DAYS = 30  # as long as Stripe keeps events
# automatic ones: more than that are looked up in one of Stripe's own reports, not one by one
MANY_PAYOUTS = 200


@dataclass(slots=True)
class ReportInputs(ListInputs):
    """The lists of a report, and what is looked up beside them."""

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
                entries = self._call("transactions", type="refund", created=since)
        except (MissingData, NotFound):
            self.note("Without the ledger, parts of payments that were never captured count as refunds.")
            return refunds
        return without_reversals(refunds, entries)

    def credits_before_payment(self) -> pd.DataFrame | None:
        """The credit notes, if one reduced what was due of some invoice: it was owed in full until then. None
        where the report is about now."""
        if self.period is None or self.period.start >= self.clock:
            return None
        reduced = int_column(self["invoices"], "pre_payment_credit_notes_amount")
        return self.optional("credit_notes") if reduced.any() else None

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
            ledger = self._call("transactions", created={"gte": first})
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
            lines.attrs = {}
            facts: FrameFacts = {**facts_of(invoices)}  # without those of the call
            set_facts(lines, **facts)
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
