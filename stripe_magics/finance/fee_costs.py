"""What Stripe costs, one figure everywhere: the fees of entries, entries that are fees, and what no detail
explains.

Costs are negative, as they are in the balance: the sum of `fees` is what the ledger lost to fees. A row "not
itemised" stands for the part of an entry's fee that its `fee_details` don't explain.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import (
    group_sums,
    lists,
    ratio,
    require_columns,
    result,
    sums_by_currency,
    text_column,
    to_int64,
    to_str,
    totals,
)
from stripe_magics.finance.balance import COLUMN_OF, PAYOUTS, STAND_ALONE, TRANSFERS, amounts_of, ledger
from stripe_magics.finance.columns import CURRENCY, RESIDUAL, count, declare, money, ratio_of, text
from stripe_magics.finance.reporting_period import Moment, Period, period

NOT_ITEMISED, ALONE = "not itemised", "stand-alone"


def _span(start: Moment | None, end: Moment | None, zone: str) -> Period | None:
    return period(start, end, zone) if start is not None and end is not None else None


def _inside(transactions: pd.DataFrame, span: Period | None, report: str) -> pd.DataFrame:
    frame = ledger(transactions, report)
    rows = frame if span is None else frame[span.contains(frame["created"])]
    rows.attrs = transactions.attrs
    return rows


def _itemised(frame: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """The fees that details spell out, one a row, and of every entry the part of its fee that no detail
    explains."""
    require_columns(frame, ("fee_details",), report="fees", object_type="balance_transaction")
    has = frame["fee_details"].notna().to_numpy()
    spelt = frame[has]
    details = lists(spelt["fee_details"], column="fee_details")
    lengths = np.fromiter(map(len, details), dtype=np.int64, count=len(details))
    each = [detail for cell in details for detail in cell]
    itemised = pd.DataFrame(
        {
            "currency": np.repeat(to_str(spelt["currency"]).to_numpy(), lengths),
            "fee_type": [str(detail.get("type") or "") for detail in each],
            "description": [detail.get("description") or "" for detail in each],
            "amount": np.array([-int(detail["amount"]) for detail in each], dtype=np.int64),
            "bt_id": np.repeat(to_str(spelt["id"]).to_numpy(), lengths),
        }
    )
    explained = np.zeros(len(frame), dtype=np.int64)
    np.add.at(explained, np.repeat(np.nonzero(has)[0], lengths), -itemised["amount"].to_numpy())
    return itemised, to_int64(frame["fee"]).to_numpy() - explained


def _items(frame: pd.DataFrame) -> pd.DataFrame:
    itemised, rest = _itemised(frame)
    unexplained = frame[rest != 0]
    left = pd.DataFrame(
        {
            "currency": to_str(unexplained["currency"]).to_numpy(),
            "fee_type": NOT_ITEMISED,
            "description": to_str(unexplained["type"]).to_numpy(),
            "amount": -rest[rest != 0],
            "bt_id": to_str(unexplained["id"]).to_numpy(),
        }
    )
    alone = frame[frame["reporting_category"].isin(STAND_ALONE)]
    described = text_column(alone, "description")
    stand_alone = pd.DataFrame(
        {
            "currency": to_str(alone["currency"]).to_numpy(),
            "fee_type": ALONE,
            "description": described.where(described.ne(""), to_str(alone["type"])).to_numpy(),
            "amount": to_int64(alone["amount"]).to_numpy(),
            "bt_id": to_str(alone["id"]).to_numpy(),
        }
    )
    kept = [part for part in (itemised, left, stand_alone) if len(part)]
    return pd.concat(kept, ignore_index=True) if kept else itemised


def _by_type(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Fees summed by currency and kind, without a row for every entry; and the gross charges of each
    currency."""
    itemised, rest = _itemised(frame)
    table = group_sums(
        {"currency": frame["currency"], "category": frame["reporting_category"]},
        {"amount": to_int64(frame["amount"]), "rest": -rest, "open": (rest != 0).astype(np.int64)},
    )
    alone = (
        table[table["category"].isin(STAND_ALONE)]
        .groupby("currency", as_index=False)[["amount", "count"]]
        .sum()
    )
    left = table.groupby("currency", as_index=False)[["rest", "open"]].sum()
    left = left[left["open"] > 0].rename(columns={"rest": "amount", "open": "count"})
    parts = [
        group_sums(
            {"currency": itemised["currency"], "fee_type": itemised["fee_type"]},
            {"amount": itemised["amount"]},
        ),
        left.assign(fee_type=NOT_ITEMISED),
        alone.assign(fee_type=ALONE),
    ]
    columns = ["currency", "fee_type", "count", "amount"]
    kept = [part[columns] for part in parts if len(part)]
    out = pd.concat(kept, ignore_index=True) if kept else parts[0][columns]
    sold = table[table["category"] == "charge"]
    charges = {str(code): int(amount) for code, amount in zip(sold["currency"], sold["amount"], strict=True)}
    return out.sort_values(["currency", "fee_type"], kind="stable").reset_index(drop=True), charges


@declare(
    CURRENCY,
    text(
        "fee_type",
        "The kind of fee; `stand-alone` for entries that are fees, `not itemised` for what no detail"
        " explains.",
    ),
    text("description", "Stripe's words for it."),
    money("amount", "The cost (negative)."),
    text("bt_id", "The balance transaction that it is on."),
)
def fee_items(
    transactions: pd.DataFrame, start: Moment | None = None, end: Moment | None = None, *, zone: str = "UTC"
) -> pd.DataFrame:
    """Every fee as a row. Over the whole frame, or the period if one is given."""
    span = _span(start, end, zone)
    rows = _items(_inside(transactions, span, "fee_items"))
    return result(rows, "fee_items", [transactions], period=span, zone=zone)


@declare(
    CURRENCY,
    text(
        "fee_type",
        "The kind of fee; `stand-alone` for entries that are fees, `not itemised` for what no detail"
        " explains.",
    ),
    count("count", "How many fees."),
    money("amount", "What they cost (negative)."),
    ratio_of("effective_rate", "The cost over the gross charges of the currency."),
)
def fees(
    transactions: pd.DataFrame, start: Moment | None = None, end: Moment | None = None, *, zone: str = "UTC"
) -> pd.DataFrame:
    """What Stripe cost, by kind of fee. The sum is the fees of the ledger: all entries' fees and the entries
    that are fees."""
    span = _span(start, end, zone)
    frame = _inside(transactions, span, "fees")
    out, charges = _by_type(frame)
    gross = out["currency"].map(lambda code: charges.get(code, 0)).astype(np.int64)
    out["effective_rate"] = ratio(-out["amount"], gross)
    notes = totals(out, "amount", "Cost in all")
    return result(out, "fees", [transactions], period=span, zone=zone, notes=notes)


@declare(
    CURRENCY,
    money("gross", "Charges and payments."),
    money("refunds", "Refunds (negative)."),
    money("disputes", "Disputed payments withdrawn (negative) and given back."),
    money("fees", "All fees (negative), those of payouts among them: the sum of the report `fees`."),
    money("transfers", "Transfers to connected accounts (negative)."),
    money("other", "Everything else but payouts."),
    money("net", "What all this left in the balance: the net of the ledger, with the fees of payouts."),
    RESIDUAL,
)
def volume(
    transactions: pd.DataFrame, start: Moment | None = None, end: Moment | None = None, *, zone: str = "UTC"
) -> pd.DataFrame:
    """From gross to net volume: the columns add up to net, which is summed from the ledger on its own."""
    span = _span(start, end, zone)
    frame = _inside(transactions, span, "volume")
    paid = frame["reporting_category"].isin(PAYOUTS).to_numpy()
    payout_fees = sums_by_currency(frame["currency"][paid], frame["fee"][paid])
    rows = frame[~paid]
    table = group_sums(
        {"currency": rows["currency"], "category": rows["reporting_category"]}, amounts_of(rows)
    )
    table["column"] = table["category"].map(
        lambda each: "transfers" if each in TRANSFERS else COLUMN_OF.get(each, "other")
    )
    currencies = sorted({*table["currency"], *(code for code, fee in payout_fees.items() if fee)})
    out = pd.DataFrame({"currency": pd.Series(currencies, dtype=object)})
    of_payouts = out["currency"].map(lambda code: payout_fees.get(code, 0)).astype(np.int64)

    def total(part: pd.DataFrame, amount: str) -> pd.Series:
        sums = sums_by_currency(part["currency"], part[amount])
        return out["currency"].map(lambda code: sums.get(code, 0)).astype(np.int64)

    for name, kind in {"gross": "sales", **{each: each for each in ("refunds", "disputes")}}.items():
        out[name] = total(table[table["column"] == kind], "gross")
    out["fees"] = total(table[table["column"] == "fees"], "gross") - total(table, "fee") - of_payouts
    for name in ("transfers", "other"):
        out[name] = total(table[table["column"] == name], "gross")
    out["net"] = total(table, "net") - of_payouts
    parts = ["gross", "refunds", "disputes", "fees", "transfers", "other"]
    out["residual"] = out["net"] - out[parts].sum(axis=1)
    return result(out, "volume", [transactions], period=span, zone=zone)
