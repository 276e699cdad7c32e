"""The history of subscriptions as MRR uses it: the lines of their invoices, and of the last 30 days what
happened to them.

An invoice's line says what an item costs from a day on, but a change that isn't billed yet, a pause, or a
subscription that stops to count has no line. Stripe keeps events for 30 days, each with the whole
subscription as it was from then on. So a subscription with an event is counted by its lines until the first
one, and by its events from there. The last of them must be the subscription as it is now; where it isn't,
events are missing, and its lines alone count. Older events (kept by `events watch`, or in a file) can be
given as `data={"events": ...}`.
Source: docs.stripe.com/api/events (30 days), docs.stripe.com/billing/subscriptions/webhooks (what they hold).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.errors import UsageFault
from stripe_magics.finance.aggregation import require_columns, text_column, to_str
from stripe_magics.finance.inputs import ReportInputs, ended_subscriptions
from stripe_magics.finance.mrr_history import LINES_ONLY, METHOD, subscription_steps
from stripe_magics.finance.mrr_now import subscription_mrr
from stripe_magics.finance.receivables import NEVER
from stripe_magics.finance.reporting_period import nanoseconds

_KEPT = ("customer", "currency", "status", "discount", "discounts", "pause_collection", "test_clock")


def history(x: ReportInputs, until: pd.Timestamp | None = None) -> pd.DataFrame:
    """The steps of every subscription: `subscription_steps` with the events that count until an instant
    (now, unless given)."""
    discounts = x.options.get("discounts", "forever")
    ended = ended_subscriptions(x.optional("subscriptions"))
    steps = subscription_steps(_without_clocks(x, x.lines()), discounts=discounts, ended=ended)
    events = x.subscription_events(x.clock if until is None else until)
    if events is None or events.empty:
        return steps
    known = states(events)
    known = known[(known["start"] <= x.clock.value) & text_column(known, "test_clock").eq("")]
    if known.empty:
        return steps
    facts = {"discounts": discounts, "coupons": x.coupons(), "prices": x.tiers(known)}
    known["mrr"] = known["id"].map(_by_id(known, facts)).fillna(0).astype(np.int64)
    doubtful = set(known.loc[known["cut"], "subscription"])
    subscriptions = x.optional("subscriptions")
    if subscriptions is not None:
        now = _by_id(subscriptions, facts)
        last = known.drop_duplicates("subscription", keep="last").set_index("subscription")["mrr"]
        doubtful |= {name for name, mrr in last.items() if now.get(str(name), 0) != mrr}
    if doubtful:
        x.note(
            f"Counted by their invoices alone ({len(doubtful):,}), because events are missing:"
            f" {', '.join(sorted(doubtful)[:5])}{' ...' if len(doubtful) > 5 else ''}."
        )
    return joined(steps, known[~known["subscription"].isin(doubtful)])


def _without_clocks(x: ReportInputs, lines: pd.DataFrame) -> pd.DataFrame:
    """Lines without those of test clocks: their subscriptions are in no list, so that MRR now hasn't them."""
    played = text_column(x["invoices"], "test_clock").ne("").to_numpy()
    if not played.any():
        return lines
    mine = played[lines["position"].to_numpy()]
    names = sorted(set(text_column(lines[mine], "subscription")) - {""})
    if names:
        more = " ..." if len(names) > 5 else ""
        x.note(f"Left out ({len(names):,}), because they run on test clocks: {', '.join(names[:5])}{more}.")
    kept: pd.DataFrame = lines[~mine]
    return kept


def _by_id(subscriptions: pd.DataFrame, facts: Mapping[str, Any]) -> dict[str, int]:
    """MRR by id, of subscriptions or of states of them."""
    made = subscription_mrr(subscriptions, **facts)
    return dict(zip(to_str(made["subscription"]), made["mrr"].tolist(), strict=True))


def method_of(x: ReportInputs) -> str:
    """How the history was found, in words."""
    return METHOD if len(x.data.get("events", ())) else LINES_ONLY


def states(events: pd.DataFrame) -> pd.DataFrame:
    """What each event says of its subscription, oldest first: id (of the event), subscription, start (int64
    instants), cut (whether it lacks items), and the columns that `subscription_mrr` reads."""
    require_columns(events, ("id", "created", "data_object"), report="MRR by events", object_type="event")
    rows: list[dict[str, Any]] = []
    times = nanoseconds(events["created"]).tolist()
    held = zip(to_str(events["id"]), times, events["data_object"], strict=True)
    for identity, start, cell in reversed(list(held)):  # lists have the newest first
        found = _object(cell, identity)
        if not isinstance(found, Mapping) or found.get("object") != "subscription":
            continue
        items = found.get("items") or {}
        facts = {name: found.get(name) for name in _KEPT}
        for name in ("customer", "test_clock"):
            if isinstance(expanded := facts[name], Mapping):
                facts[name] = expanded.get("id")
        rows.append(
            {
                "id": identity,
                "subscription": str(found.get("id")),
                "start": start,
                "cut": bool(items.get("has_more")),
                "items": items.get("data") or [],
                **facts,
            }
        )
    columns = ["id", "subscription", "start", "cut", "items", *_KEPT]
    return pd.DataFrame(rows, columns=columns).sort_values("start", kind="stable").reset_index(drop=True)


def _object(cell: object, event: str) -> Any:
    if not isinstance(cell, str):
        return cell
    try:
        return json.loads(cell)
    except ValueError:
        raise UsageFault(f"The event {event} can't be read: its data_object is not valid JSON.") from None


def joined(steps: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Steps until each subscription's first event, and its events' states (with their `mrr`) from there."""
    first = known.groupby("subscription")["start"].min()
    limit = first.reindex(steps["subscription"], fill_value=NEVER).to_numpy(dtype=np.int64)
    before = steps.assign(end=np.minimum(steps["end"].to_numpy(), limit))
    following = known.groupby("subscription")["start"].shift(-1, fill_value=NEVER)
    after = pd.DataFrame(
        {
            "currency": to_str(known["currency"]),
            "customer": to_str(known["customer"]),
            "subscription": to_str(known["subscription"]),
            "start": known["start"].to_numpy(dtype=np.int64),
            "end": following.to_numpy(dtype=np.int64),
            "mrr": known["mrr"].to_numpy(dtype=np.int64),
        }
    )
    every = pd.concat([before, after], ignore_index=True).astype(
        {"start": np.int64, "end": np.int64, "mrr": np.int64}
    )
    return every[(every["mrr"] > 0) & (every["end"] > every["start"])].reset_index(drop=True)
