"""Who owes what, since when, and how fast they pay: reports over invoices, all of one population.

- Finalised invoices of both collection methods that were not void at the instant in question; one that was
  voided later was owed, and sold, until then. So ageing, DSO's receivables and the sum of what remained open
  are the same figure at the same instant, and a closed month doesn't change when one of its invoices is
  voided.
- An invoice's state at a past date is rebuilt from its status transitions: it is owed from its finalisation
  until it was paid, voided or written off (marked uncollectible). Age counts from the due date, or from
  finalisation where there is none; begun days count whole.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stripe_magics.errors import UsageFault
from stripe_magics.finance.aggregation import (
    group_sums,
    int_column,
    ratio,
    require_columns,
    result,
    text_column,
    to_int64,
    to_str,
    totals,
)
from stripe_magics.finance.columns import CURRENCY, declare, money, ratio_of, text
from stripe_magics.finance.report_options import SALES
from stripe_magics.finance.reporting_period import Ints, Moment, Period, end_of, nanoseconds

BUCKETS = {"not_due": 0, "1_30": 30, "31_60": 60, "61_90": 90, "91_120": 120, "over_120": np.inf}
DAY = 86_400_000_000_000
NONE = np.iinfo(np.int64).min
NEVER = np.iinfo(np.int64).max
_NEEDED = ("id", "customer", "currency", "status", "amount_due", "amount_remaining", "total")
_BUCKET_COLUMNS = [
    money(name, f"Overdue {name.replace('_', '-')} days." if name[0].isdigit() else meaning)
    for name, meaning in zip(
        BUCKETS, ("Not due yet.", "", "", "", "", "Overdue more than 120 days."), strict=True
    )
]


def transitions(invoices: pd.DataFrame, name: str) -> Ints:
    """When each invoice came into a state, as int64 instants; the smallest where it never did."""
    column_ = f"status_transitions_{name}"
    if column_ not in invoices.columns:
        return np.full(len(invoices), NONE, dtype=np.int64)
    return nanoseconds(invoices[column_])


def finalised(
    invoices: pd.DataFrame, report: str, *, sales: str = "all", credit_notes: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Finalised invoices with their moments as int64 nanoseconds (`finalized`, `due`, `ended`, `paid`,
    `voided`).

    Void ones are among them while it is known when they were voided: `voided` is that instant, later than all
    others where an invoice is not void. `living_at` takes out those that were void by an instant. `credits`
    are the instants and amounts of what `credit_notes` took off before an invoice was paid; missing for most.
    """
    if sales not in SALES:
        raise UsageFault(f"--sales {sales} isn't possible: {' or '.join(SALES)}.")
    require_columns(invoices, _NEEDED, report=report, object_type="invoice")
    finalized = transitions(invoices, "finalized_at")
    written_off = transitions(invoices, "marked_uncollectible_at")
    paid = transitions(invoices, "paid_at")
    status = to_str(invoices["status"])
    void = status.eq("void").to_numpy()
    voided = np.where(void, transitions(invoices, "voided_at"), NEVER)
    ended_at = np.stack([paid, written_off, np.where(void, voided, NONE)])
    due = (
        nanoseconds(invoices["due_date"])
        if "due_date" in invoices.columns
        else np.full(len(invoices), NONE, dtype=np.int64)
    )
    method = text_column(invoices, "collection_method")
    frame = pd.DataFrame(
        {
            "invoice": to_str(invoices["id"]).to_numpy(),
            "customer": to_str(invoices["customer"]).to_numpy(),
            "customer_name": text_column(invoices, "customer_name").to_numpy(),
            "customer_email": text_column(invoices, "customer_email").to_numpy(),
            "currency": to_str(invoices["currency"]).to_numpy(),
            "status": status.to_numpy(),
            "finalized": finalized,
            "due": np.where(due == NONE, finalized, due),
            "ended": np.where(ended_at == NONE, NEVER, ended_at).min(axis=0),
            "paid": paid,
            "written_off": written_off,
            "voided": voided,
            "amount_due": to_int64(invoices["amount_due"]).to_numpy(),
            "remaining": to_int64(invoices["amount_remaining"]).to_numpy(),
            "total": to_int64(invoices["total"]).to_numpy(),
            "starting_balance": int_column(invoices, "starting_balance").to_numpy(),
            "credits": to_str(invoices["id"]).map(_credits(credit_notes)).to_numpy(dtype=object),
        }
    )
    living = (finalized != NONE) & (voided != NONE) & status.ne("draft").to_numpy()
    if sales == "send_invoice":
        living &= method.isin(["send_invoice", ""]).to_numpy()
    out: pd.DataFrame = frame[living].reset_index(drop=True)
    return out


def _credits(credit_notes: pd.DataFrame | None) -> dict[str, list[tuple[int, int]]]:
    """By invoice, when credit notes took how much off what was due: those issued before it was paid. What
    they took is in neither `amount_due` nor `amount_remaining` any more."""
    found: dict[str, list[tuple[int, int]]] = {}
    if credit_notes is None or credit_notes.empty or "invoice" not in credit_notes.columns:
        return found
    issued = credit_notes[text_column(credit_notes, "status").ne("void")]
    if "pre_payment_amount" in issued.columns:
        amount = to_int64(issued["pre_payment_amount"])
    else:
        amount = int_column(issued, "total", "amount").where(text_column(issued, "type").eq("pre_payment"), 0)
    rows = zip(to_str(issued["invoice"]), nanoseconds(issued["created"]).tolist(), amount, strict=True)
    for invoice, when, value in rows:
        if value:
            found.setdefault(invoice, []).append((when, int(value)))
    return found


def _credited_later(frame: pd.DataFrame, until: pd.Timestamp) -> pd.Series:
    """What credit notes took off each invoice since an instant: it was owed then."""
    out = np.zeros(len(frame), dtype=np.int64)
    for at in np.flatnonzero(frame["credits"].notna()):
        out[at] = sum(amount for when, amount in frame["credits"].iloc[at] if when >= until.value)
    return pd.Series(out, index=frame.index)


def living_at(frame: pd.DataFrame, until: pd.Timestamp) -> pd.DataFrame:
    """Of finalised invoices those that were not void yet at an instant: what was sold by then."""
    out: pd.DataFrame = frame[frame["voided"] >= until.value]
    return out


def owed_at(frame: pd.DataFrame, until: pd.Timestamp, age_date: pd.Timestamp) -> pd.DataFrame:
    """Of finalised invoices those owed at an instant: amount, days_overdue (begun days; 0 or less: not due
    yet), uncollectible.

    What is still open now is owed with what remains of it, and what was voided later was owed with what
    remained when it was; what was paid later was owed in full (partial payments before that instant are not
    known from the invoice alone). To all of it comes what credit notes took off since (`credits`).
    uncollectible is what was written off by then and neither paid nor voided; it is not owed any more.
    """
    begun = frame["finalized"] < until.value
    over = frame["voided"].where(frame["status"].ne("paid"), frame["paid"])
    written_off = (
        (frame["written_off"] != NONE)
        & (frame["written_off"] < until.value)
        & (over > frame["written_off"])
        & (over >= until.value)
    )
    mine = frame[begun & ((frame["ended"] >= until.value) | written_off)]
    lost = written_off[mine.index]
    left = mine["status"].isin(["open", "uncollectible"]) | (
        mine["status"].eq("void") & (mine["remaining"] > 0)
    )
    amount = mine["remaining"].where(left, mine["amount_due"]) + _credited_later(mine, until)
    out = pd.DataFrame(
        {
            **{
                name: mine[name]
                for name in ("invoice", "customer", "customer_name", "customer_email", "currency")
            },
            "amount": amount.where(~lost, 0),
            "days_overdue": np.ceil((age_date.value - mine["due"]) / DAY).astype(np.int64),
            "uncollectible": amount.where(lost, 0),
            "finalized": mine["finalized"],
        }
    )
    return out[(out["amount"] > 0) | (out["uncollectible"] > 0)].reset_index(drop=True)


def at_of(at: Moment | Period, zone: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The instant of a moment, and the midnight at which ages are counted then."""
    if isinstance(at, Period):
        return at.end, at.age_date
    until = end_of(at, zone)
    return until, Period(until - pd.Timedelta(days=2), until, zone).age_date


def open_at(
    invoices: pd.DataFrame, at: Moment | Period, *, zone: str = "UTC", sales: str = "all"
) -> pd.DataFrame:
    """Invoices owed at a moment, one a row: invoice, customer, name, e-mail, currency, amount, days_overdue.

    A bare date takes in the whole day and counts ages at its midnight.
    """
    owed = owed_at(finalised(invoices, "ar_ageing", sales=sales), *at_of(at, zone))
    return owed[owed["amount"] > 0].drop(columns=["uncollectible", "finalized"]).reset_index(drop=True)


@declare(
    CURRENCY,
    text("customer", "The customer (or the invoice, with --by invoice)."),
    text("customer_name", "Their name."),
    text("customer_email", "Their e-mail address."),
    *_BUCKET_COLUMNS,
    money("total", "All that is owed: the sum of the columns by age."),
    money("uncollectible", "Written off by then; not part of the total."),
    ratio_of("past_due_share", "What is overdue, over the total."),
)
def _ageing_by_customer(
    owed: pd.DataFrame, invoices: pd.DataFrame, zone: str, at: pd.Timestamp
) -> pd.DataFrame:
    return _ageing(owed, invoices, "customer", zone, at)


@declare(
    CURRENCY,
    text("invoice", "The invoice."),
    text("customer", "The customer."),
    text("customer_name", "Their name."),
    text("customer_email", "Their e-mail address."),
    *_BUCKET_COLUMNS,
    money("total", "What is owed."),
    money("uncollectible", "Written off by then; not part of the total."),
    ratio_of("past_due_share", "What is overdue, over the total."),
)
def _ageing_by_invoice(
    owed: pd.DataFrame, invoices: pd.DataFrame, zone: str, at: pd.Timestamp
) -> pd.DataFrame:
    return _ageing(owed, invoices, "invoice", zone, at)


def bucket_of(days_overdue: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """The column of the ageing in which each number of days counts."""
    limits = np.array([*BUCKETS.values()])
    place = np.searchsorted(limits, days_overdue.to_numpy(dtype=float), side="left")
    made: np.ndarray[tuple[int], np.dtype[np.object_]] = np.array([*BUCKETS], dtype=object)[place]
    return made


def _ageing(owed: pd.DataFrame, invoices: pd.DataFrame, by: str, zone: str, at: pd.Timestamp) -> pd.DataFrame:
    bucket = bucket_of(owed["days_overdue"])
    parts = {each: owed["amount"].where(bucket == each, 0) for each in BUCKETS}
    keys = {"currency": owed["currency"], by: owed[by]}
    out = group_sums(keys, {**parts, "total": owed["amount"], "uncollectible": owed["uncollectible"]})
    who = owed.drop_duplicates(["currency", by])[
        ["currency", by, *([] if by == "customer" else ["customer"]), "customer_name", "customer_email"]
    ]
    out = out.drop(columns="count").merge(who, on=["currency", by], how="left")
    out["past_due_share"] = ratio(out["total"] - out["not_due"], out["total"])
    out = out.sort_values(["currency", "total", by], ascending=[True, False, True], kind="stable")
    head = [name for name in who.columns if name in out.columns]
    columns = [*head, *BUCKETS, "total", "uncollectible", "past_due_share"]
    notes = totals(out, "total", "Owed in all")
    return result(out[columns], "ar_ageing", [invoices], zone=zone, at=at.isoformat(), notes=notes)


def ar_ageing(
    invoices: pd.DataFrame,
    at: Moment | Period,
    *,
    zone: str = "UTC",
    by: str = "customer",
    sales: str = "all",
    credit_notes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Open invoices by age at a moment; `by="invoice"` gives a row an invoice. Days are rounded up: 30.5 days
    is 31-60. `credit_notes` say what was owed before they reduced it. Raises `UsageFault` for another `by`,
    `MissingData` for frames that lack something.

    Source: docs.stripe.com/revenue-recognition/reports/accounts-receivable-aging.
    """
    until, age_date = at_of(at, zone)
    owed = owed_at(finalised(invoices, "ar_ageing", sales=sales, credit_notes=credit_notes), until, age_date)
    if by not in {"customer", "invoice"}:
        raise UsageFault(f"--by {by} isn't possible: customer or invoice.")
    make = _ageing_by_customer if by == "customer" else _ageing_by_invoice
    return make(owed, invoices, at.zone if isinstance(at, Period) else zone, until)


ar_ageing.columns = _ageing_by_customer.columns  # type: ignore[attr-defined]  # what --help shows


def days_to_pay(invoices: pd.DataFrame, *, sales: str = "all") -> pd.DataFrame:
    """Paid invoices with the days from finalisation to payment: invoice, customer, currency, amount, days,
    on_time."""
    frame = finalised(invoices, "collections", sales=sales)
    done = frame[(frame["paid"] != NONE) & frame["status"].eq("paid")]
    return pd.DataFrame(
        {
            "invoice": done["invoice"],
            "customer": done["customer"],
            "currency": done["currency"],
            "amount": done["amount_due"],
            "paid": done["paid"],
            "days": (done["paid"] - done["finalized"]) / DAY,
            "on_time": done["paid"] <= done["due"].where(done["due"] > done["finalized"], NEVER),
        }
    ).reset_index(drop=True)
