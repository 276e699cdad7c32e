"""Revenue over the time it is earned in: each invoice line spread evenly over its period, and the
roll-forward of deferred revenue.

A line is posted in the month in which its invoice is finalised; what was earned before then is recognised in
that month, so that a closed month never changes. A credit note, refund, write-off or later void takes back
its share of the invoice in the month in which it happens: of what was recognised already, and of what is
still deferred. Source: docs.stripe.com/revenue-recognition/methodology and /examples.
"""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd

from stripe_magics.errors import UsageFault
from stripe_magics.finance.aggregation import result, to_int64
from stripe_magics.finance.columns import CURRENCY, RESIDUAL, column, declare, money, text
from stripe_magics.finance.corrections import WRITE_OFF
from stripe_magics.finance.mrr_history import MONTH_DAYS
from stripe_magics.finance.receivables import DAY, NEVER
from stripe_magics.finance.report_options import SPREADS
from stripe_magics.finance.reporting_period import (
    Ints,
    Period,
    edges,
    instants,
    month_ends,
    month_number,
    nanoseconds,
)

_STATE = ("billed", "recognised", "credited", "written_off", "deferred")
MONTH = column("month", "month", "The calendar month in the report's zone.")


def check_method(method: str) -> str:
    """The way of spreading, if it is one."""
    if method not in SPREADS:
        raise UsageFault(f"A revenue schedule is cut by {', '.join(SPREADS)}, not {method!r}.")
    return method


def _days(instant: Ints, zone: str) -> Ints:
    """The local day of instants, as a number."""
    stamps = pd.DatetimeIndex(instants(instant)).tz_convert(zone).tz_localize(None).normalize()
    made: Ints = stamps.to_numpy().astype("datetime64[D]").astype(np.int64)
    return made


def earned_until(start: Ints, end: Ints, until: int, *, method: str, zone: str) -> np.ndarray:
    """The part of each period that is over at an instant: by time, by local days, or evenly by the months it
    touches."""
    part: np.ndarray
    if method == "ms":
        part = (until - start) / np.maximum(end - start, 1)
    elif method == "day":
        first, last = _days(start, zone), _days(end, zone)
        now = _days(np.clip(np.full_like(start, until), start, end), zone)
        whole = last - first
        part = np.where(whole > 0, (now - first) / np.maximum(whole, 1), (until > start).astype(float))
    else:
        touched = month_number(end - 1, zone) - month_number(start, zone) + 1
        count = np.minimum(np.maximum(1, np.round((end - start) / DAY / MONTH_DAYS)), touched)
        part = (month_number(np.full_like(start, until - 1), zone) - month_number(start, zone) + 1) / count
    over: np.ndarray = np.minimum(np.maximum(part, 0.0), 1.0)
    return over


def _spans(lines: pd.DataFrame, posted: Ints) -> tuple[Ints, Ints]:
    """The period of each line; one that has none is earned the moment it is posted."""
    start, end = nanoseconds(lines["start"]), nanoseconds(lines["end"])
    known = (end > start) & lines["start"].notna().to_numpy() & lines["end"].notna().to_numpy()
    return np.where(known, start, posted), np.where(known, end, posted + 1)


def recognition_schedule(
    amount: int, start: pd.Timestamp, end: pd.Timestamp, *, method: str = "ms", zone: str = "UTC"
) -> dict[pd.Period, int]:
    """The revenue schedule of a line: its amount by month, in whole minor units that add up to it.

    "ms": by the exact time in each month; "day": by days, the day of the end not counting unless it has begun
    after midnight; "month": the same in every month that the period touches, a last partial month counting if
    an exact number of months doesn't end there.
    """
    check_method(method)
    months = Period(start, end, zone).boundaries("MS")
    a, b = np.array([start.value], dtype=np.int64), np.array([end.value], dtype=np.int64)
    over = [
        int(np.rint(earned_until(a, b, int(edge), method=method, zone=zone)[0] * amount))
        for edge in month_ends(months, zone)
    ]
    over[-1] = amount
    parts = np.diff(over, prepend=0)
    return {month: int(part) for month, part in zip(months.to_period("M"), parts, strict=True) if part}


class Recognition:
    """Lines with their corrections: how much of each is recognised, credited and written off at an
    instant."""

    def __init__(
        self, lines: pd.DataFrame, taken: pd.DataFrame, totals: pd.Series, *, method: str, zone: str
    ) -> None:
        self.method, self.zone = check_method(method), zone
        self.lines = lines
        self.posted: Ints = lines["finalized"].to_numpy(dtype=np.int64)
        self.amount = (to_int64(lines["amount"]) - to_int64(lines["discount"])).to_numpy(dtype=np.int64)
        self.start, self.end = _spans(lines, self.posted)
        known = pd.Index(totals.index)
        whole = totals.to_numpy(dtype=float)
        at = known.get_indexer(pd.Index(taken["invoice"])) if len(taken) else np.array([], dtype=np.int64)
        mine = taken[at >= 0].assign(place=at[at >= 0])
        base = whole[mine["place"].to_numpy()]
        mine = mine.assign(share=np.where(base == 0, 0.0, mine["amount"] / np.where(base == 0, 1, base)))
        self.taken = mine.sort_values("posted", kind="stable")
        self.invoices = known
        self.place: Ints = lines["position"].to_numpy(dtype=np.int64)

    def shares(self, until: int) -> tuple[np.ndarray, np.ndarray]:
        """Of each line the part credited, and the part written off, before an instant; never more than the
        whole."""
        done = self.taken[self.taken["posted"] < until]
        credited, written = np.zeros(len(self.invoices) + 1), np.zeros(len(self.invoices) + 1)
        off = done["kind"].eq(WRITE_OFF).to_numpy()
        np.add.at(credited, done["place"].to_numpy()[~off], done["share"].to_numpy()[~off])
        np.add.at(written, done["place"].to_numpy()[off], done["share"].to_numpy()[off])
        credited = np.minimum(credited, 1.0)
        written = np.minimum(written, 1.0 - credited)
        return credited[self.place], written[self.place]

    def sums(self, bounds: Ints) -> tuple[list[str], dict[str, Ints]]:
        """The currencies, and what `at` says of all their lines together: billed, recognised ... by instant
        (rows) and currency (columns).

        Lines without corrections count whole from their end on; only those that are under way at an instant
        are worked out for it.
        """
        code, labels = pd.factorize(self.lines["currency"].to_numpy(dtype=object))
        order = np.argsort(labels.astype(str))
        code = np.argsort(order)[code]
        shape = (len(bounds), len(labels))
        out = {name: np.zeros(shape, dtype=np.int64) for name in _STATE}
        corrected = np.isin(self.place, self.taken["place"].to_numpy()) & (self.place >= 0)
        plain = ~corrected
        begun = np.maximum(self.start, self.posted + 1)
        over = np.maximum(self.end, self.posted + 1)
        for name, since in (("billed", self.posted + 1), ("recognised", over)):
            moved = np.zeros((len(bounds) + 1, len(labels)), dtype=np.int64)
            at = np.searchsorted(bounds, since[plain])
            np.add.at(moved, (at, code[plain]), self.amount[plain])
            out[name] += np.cumsum(moved[:-1], axis=0)
        some = self._part(corrected) if corrected.any() else None
        for row, until in enumerate(bounds.tolist()):
            under_way = np.flatnonzero(plain & (begun <= until) & (over > until))
            earned = earned_until(
                self.start[under_way], self.end[under_way], until, method=self.method, zone=self.zone
            )
            now = np.rint(self.amount[under_way] * earned).astype(np.int64)
            np.add.at(out["recognised"][row], code[under_way], now)
            if some is not None:
                state = some.at(until)
                for name in ("billed", "recognised", "credited", "written_off"):
                    np.add.at(out[name][row], code[corrected], state[name].to_numpy())
        out["deferred"] = out["billed"] - out["recognised"] - out["credited"] - out["written_off"]
        return [str(each) for each in labels[order]], out

    def _part(self, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Recognition:
        """The same for some of the lines."""
        made = copy.copy(self)
        for name in ("posted", "amount", "start", "end", "place"):
            setattr(made, name, getattr(self, name)[kept])
        return made

    def at(self, until: int) -> pd.DataFrame:
        """Billed, recognised, credited, written off and deferred of each line, before an instant; whole minor
        units."""
        begun = self.posted < until
        billed = np.where(begun, self.amount, 0)
        credited, written = self.shares(until)
        earned = earned_until(self.start, self.end, until, method=self.method, zone=self.zone)
        out_credited = np.where(begun, np.rint(self.amount * credited), 0).astype(np.int64)
        out_written = np.where(begun, np.rint(self.amount * written), 0).astype(np.int64)
        rest = billed - out_credited - out_written
        recognised = np.where(begun, np.rint(rest * earned), 0).astype(np.int64)
        return pd.DataFrame(
            {
                "billed": billed,
                "recognised": recognised,
                "credited": out_credited,
                "written_off": out_written,
                "deferred": rest - recognised,
            }
        )


@declare(
    CURRENCY,
    text("invoice", "The invoice."),
    text("line", "Its line."),
    MONTH,
    money(
        "recognised", "What is earned in that month; negative where a correction takes back what was earned."
    ),
    money("deferred", "What is left to earn after that month."),
)
def revenue_schedule(
    recognition: Recognition,
    sources: list[pd.DataFrame | None],
    span: Period | None = None,
    *,
    discounts: str = "all",
) -> pd.DataFrame:
    """Each line of finalised invoices by month; recognised adds up to the line less what was taken back.
    int64 minor units.

    A line without a period is earned when its invoice is finalised.
    """
    lines = recognition.lines
    last = int(recognition.end.max()) if len(lines) else 0
    corrected = recognition.taken["posted"]
    if len(corrected):
        last = max(last, int(corrected.max()) + 1)
    parts = []
    if len(lines):
        reach = Period(
            pd.Timestamp(int(recognition.posted.min()), tz="UTC"),
            pd.Timestamp(last, tz="UTC"),
            recognition.zone,
        )
        if span is not None:
            reach = Period(span.start, span.end, span.zone)
        starts = reach.boundaries("MS")
        before = recognition.at(int(edges(starts[:1], recognition.zone)[0]))["recognised"].to_numpy()
        for month, until in zip(starts.to_period("M"), month_ends(starts, recognition.zone), strict=True):
            state = recognition.at(int(until))
            moved = state["recognised"].to_numpy() - before
            mine = np.nonzero(moved)[0]
            before = state["recognised"].to_numpy()
            parts.append(
                lines.iloc[mine][["currency", "invoice", "line"]].assign(
                    month=pd.PeriodIndex([month] * len(mine), freq="M"),
                    recognised=moved[mine],
                    deferred=state["deferred"].to_numpy()[mine],
                )
            )
    kept = [part for part in parts if len(part)]
    columns = ["currency", "invoice", "line", "month", "recognised", "deferred"]
    out = pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=columns)
    out = out.astype({"recognised": np.int64, "deferred": np.int64})
    out = out.sort_values(["currency", "invoice", "line", "month"], kind="stable")
    return result(
        out, "revenue_schedule", sources, period=span, zone=recognition.zone, method=recognition.method,
        discounts=discounts,
    )  # fmt: skip


@declare(
    CURRENCY,
    MONTH,
    money("opening", "Deferred revenue when the month starts."),
    money("billed", "Invoices finalised in the month, without tax: by the totals of the invoices."),
    money("recognised", "Revenue of the month, less what corrections of the month take back."),
    money("credited", "Credit notes, refunds without one, and voids of earlier months."),
    money("written_off", "Invoices marked uncollectible."),
    money("closing", "Deferred revenue when the month ends: by the lines that are not earned yet."),
    RESIDUAL,
)
def deferred_revenue(
    recognition: Recognition, headers: pd.DataFrame, span: Period, sources: list[pd.DataFrame | None],
    *, now: pd.Timestamp | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The roll-forward of deferred revenue at month ends: opening + billed - recognised - credited -
    written_off = closing.

    `headers` are the invoices' own totals without tax (currency, finalized, net): billed is from them and
    closing from the lines, so that a residual of 0 proves that no line is missing.
    """
    starts = span.boundaries("MS")
    ends = month_ends(starts, span.zone)
    over = ends <= (NEVER if now is None else now.value)
    starts, ends = starts[over], ends[over]
    names = ["recognised", "credited", "written_off"]
    bounds = np.array([*edges(starts[:1], span.zone), *ends], dtype=np.int64)
    known, sums = recognition.sums(bounds)
    posted, net = headers["finalized"].to_numpy(dtype=np.int64), headers["net"].to_numpy(dtype=np.int64)
    code, labels = pd.factorize(headers["currency"].to_numpy(dtype=object))
    currencies = sorted({*known, *map(str, labels)})
    billed = np.zeros((len(bounds) + 1, len(currencies)), dtype=np.int64)
    column_of = np.array([currencies.index(str(each)) for each in labels], dtype=np.int64)
    np.add.at(billed, (np.searchsorted(bounds, posted, side="right"), column_of[code]), net)
    rows = []
    for place, each in enumerate(currencies):
        mine = (
            {name: values[:, known.index(each)] for name, values in sums.items()}
            if each in known
            else {name: np.zeros(len(bounds), dtype=np.int64) for name in sums}
        )
        rows.append(
            pd.DataFrame(
                {
                    "currency": each,
                    "month": starts.to_period("M"),
                    "opening": mine["deferred"][:-1],
                    "billed": billed[1:-1, place],
                    **{name: np.diff(mine[name]) for name in names},
                    "closing": mine["deferred"][1:],
                }
            )
        )
    columns = ["currency", "month", "opening", "billed", *names, "closing"]
    out = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)
    amounts = columns[2:]
    out = out.astype(dict.fromkeys(amounts, np.int64))
    out["residual"] = out["closing"] - (
        out["opening"] + out["billed"] - out["recognised"] - out["credited"] - out["written_off"]
    )
    out = out.sort_values(["currency", "month"], kind="stable")
    left = [str(each) for each in span.boundaries("MS")[~over].to_period("M")]
    notes = [f"Left out, because not over: {', '.join(left)}."] if left else []
    return result(out, "deferred_revenue", sources, period=span, method=recognition.method, notes=notes)
