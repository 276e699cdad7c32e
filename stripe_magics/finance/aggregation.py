"""What every report shares: checked input, integer sums by group, and results that say where they are from.

Amounts are int64 minor units, signed as in Stripe's ledger (what goes out is negative). Currency comes first
and is never summed over.
A result's `attrs["stripe"]` names the report, its zone and period, and whether the data under it were
complete.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Unpack, cast

import numpy as np
import pandas as pd

from stripe_magics.errors import MissingData
from stripe_magics.finance.reporting_period import Period
from stripe_magics.frames.frame_facts import FrameFacts, ReportFrameFacts
from stripe_magics.frames.frame_info import facts_of, set_facts
from stripe_magics.money import format_amount

FETCH = {
    "balance_transaction": "%stripe balance list_history --limit all",
    "payout": "%stripe payouts list --limit all",
    "charge": "%stripe charges list --limit all",
    "refund": "%stripe refunds list --limit all",
    "dispute": "%stripe disputes list --limit all",
    "invoice": "%stripe invoices list --limit all",
    "subscription": "%stripe subscriptions list --status all --limit all",
    "credit_note": "%stripe credit_notes list --limit all",
    "event": "%stripe events list --type customer.subscription.* --limit all",
}
PARTIAL = "Partial: a list under this report was cut short by a limit or a fault, so its sums are too small."


def require_columns(
    frame: pd.DataFrame, columns: Iterable[str], *, report: str, object_type: str
) -> pd.DataFrame:
    """The frame, if it has the columns; otherwise an error that says how to fetch them."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise MissingData(
            f"{report} needs the column{'s' if len(missing) > 1 else ''} {', '.join(missing)} of"
            f" {object_type}s.",
            advice=f"Fetch them with {FETCH.get(object_type, '%stripe ... list')}.",
        )
    return frame


def to_int64(values: pd.Series) -> pd.Series:
    """Minor units as int64; a missing amount counts 0."""
    if values.dtype == np.int64:
        return values
    try:
        return values.astype("Int64").fillna(0).astype(np.int64)
    except (TypeError, ValueError):
        raise MissingData(
            f"The column {values.name} holds something else than whole minor units.",
            advice="Give amounts in cents (1050), not as text or fractions.",
        ) from None


def to_str(values: pd.Series) -> pd.Series:
    """Text or category as plain text, missing as an empty string."""
    if isinstance(values.dtype, pd.StringDtype):
        return values.fillna("")
    return values.astype(object).where(values.notna(), "").astype(str)


def text_column(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column as plain text; empty where the frame has none."""
    return to_str(frame[name]) if name in frame.columns else pd.Series("", index=frame.index, dtype=object)


def int_column(frame: pd.DataFrame, name: str, fallback: str = "") -> pd.Series:
    """A column of amounts as int64; another one, or 0, where the frame has none."""
    if name in frame.columns:
        return to_int64(frame[name])
    return to_int64(frame[fallback]) if fallback else pd.Series(0, index=frame.index, dtype=np.int64)


def flags(frame: pd.DataFrame, name: str, *, default: bool) -> pd.Series:
    """A column of true and false; the default where it is missing."""
    if name not in frame.columns:
        return pd.Series(default, index=frame.index, dtype=bool)
    return frame[name].astype("boolean").fillna(default).astype(bool)


def lists(values: pd.Series, *, column: str) -> list[list[Any]]:
    """The cells of a list column. JSON text (a Parquet file read by something else) is opened; any other text
    is refused."""
    return [list_of(value, column=column) for value in values]


def list_of(value: object, *, column: str) -> list[Any]:
    """A cell of a list column as a list; see `lists`."""
    if isinstance(value, list):
        return value
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        data = value.get("data")
        return list(data) if isinstance(data, list) else []
    if isinstance(value, np.ndarray):
        return list(value)
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return []
    if isinstance(value, str | bytes):
        try:
            return list_of(json.loads(value), column=column)
        except ValueError:
            raise MissingData(
                f"The column {column} holds text where lists are needed ({str(value)[:40]!r}).",
                advice="Read the file with --over FOLDER, or fetch the list again.",
            ) from None
    raise MissingData(
        f"The column {column} holds {type(value).__name__} where lists are needed ({str(value)[:40]!r}).",
        advice="Fetch the list again.",
    )


def factorize(values: pd.Series) -> tuple[Any, pd.Index]:
    """Integer codes and labels of a column, quick for categories."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.codes.to_numpy().astype(np.int64), pd.Index(values.cat.categories.astype(object))
    made, labels = pd.factorize(values, use_na_sentinel=True)
    return made.astype(np.int64), pd.Index(labels.astype(object))


def group_sums(
    keys: Mapping[str, pd.Series], amounts: Mapping[str, pd.Series | np.ndarray[Any, Any]]
) -> pd.DataFrame:
    """Integer sums and a count by the keys, sorted by them. One pass over one int64 key; never through a
    float."""
    combined: Any = 0
    labels: list[tuple[str, pd.Index]] = []
    for name, values in keys.items():
        made, names = factorize(values)
        combined = combined * (len(names) + 1) + made + 1
        labels.append((name, names))
    frame = pd.DataFrame({name: np.asarray(values) for name, values in amounts.items()})
    if not isinstance(combined, np.ndarray):
        combined = np.zeros(len(frame), dtype=np.int64)
    grouped = frame.groupby(combined, sort=False)
    out = grouped.sum()
    out.insert(0, "count", grouped.size().astype(np.int64))
    rest = out.index.to_numpy(dtype=np.int64)
    columns: dict[str, Any] = {}
    for name, names in reversed(labels):
        rest, position = np.divmod(rest, len(names) + 1)
        columns[name] = np.append(names.to_numpy(dtype=object), "")[position - 1]
    for name in keys:
        out.insert(list(keys).index(name), name, columns[name])
    return out.sort_values(list(keys), kind="stable").reset_index(drop=True)


def sums_by_currency(currency: pd.Series, amounts: pd.Series) -> dict[str, int]:
    """The sum of some amounts by currency."""
    table = group_sums({"currency": currency}, {"amount": to_int64(amounts)})
    return {str(code): int(total) for code, total in zip(table["currency"], table["amount"], strict=True)}


def totals(frame: pd.DataFrame, column: str, what: str) -> list[str]:
    """A note with the total of a column in each currency; none for an empty frame."""
    sums = sums_by_currency(frame["currency"], frame[column]) if len(frame) else {}
    said = ", ".join(format_amount(amount, code) for code, amount in sums.items())
    return [f"{what}: {said}."] if said else []


def ratio(part: pd.Series, whole: pd.Series) -> pd.Series:
    """part / whole as float; missing where the whole is 0."""
    bottom = whole.astype(float)
    return (part.astype(float) / bottom.where(bottom != 0)).astype(float)


def result(
    frame: pd.DataFrame,
    report: str,
    sources: Sequence[pd.DataFrame | None],
    *,
    period: Period | None = None,
    zone: str = "UTC",
    notes: Sequence[str] = (),
    **facts: Unpack[ReportFrameFacts],
) -> pd.DataFrame:
    """The finished report: a RangeIndex, and attrs that name report, zone, period, definitions and
    completeness."""
    given = [facts_of(source) for source in sources if source is not None]
    complete = all(about.get("complete", True) is not False for about in given)
    out = frame.reset_index(drop=True)
    out.attrs = {}
    zone = period.zone if period is not None else zone
    set_facts(out, report=report, units="minor", zone=zone, complete=complete)
    set_facts(
        out, **cast("ReportFrameFacts", {key: value for key, value in facts.items() if value is not None})
    )
    set_facts(out, **_shared_facts(given))
    if period is not None:
        start, end = period.start.isoformat(), period.end.isoformat()
        set_facts(out, start=start, end=end, period=period.words())
    said = [*([] if complete else [PARTIAL]), *notes]
    return set_facts(out, notes=said) if said else out


def _shared_facts(given: Sequence[FrameFacts]) -> FrameFacts:
    """Whose the sources are, where all that say so say the same."""
    found: FrameFacts = {}
    if len(livemodes := {each.get("livemode") for each in given} - {None}) == 1:
        found["livemode"] = livemodes.pop()
    if len(modes := {each["mode"] for each in given if "mode" in each}) == 1:
        found["mode"] = modes.pop()
    if len(accounts := {each["account"] for each in given if "account" in each}) == 1:
        found["account"] = accounts.pop()
    return found
