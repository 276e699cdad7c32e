"""Tax as it is handed over: for each return (VAT at home, One Stop Shop, sales list for reverse charge) a row
a country and rate.

A sales list asks for the customer and their tax id beside the country, so reverse-charge rows are one a
customer. Sales outside of any return are listed too, so that the table adds up to all sales of the period.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stripe_magics.accessor.file_exports import harmless
from stripe_magics.finance.aggregation import group_sums, result, to_str
from stripe_magics.finance.columns import CURRENCY, count, declare, money, text
from stripe_magics.finance.reporting_period import Period
from stripe_magics.finance.tax import COUNTRY, PERCENT, TREATMENT, treatment
from stripe_magics.frames.frame_info import add_note
from stripe_magics.money import to_major

RETURNS = {
    "domestic": "VAT return",
    "oss": "OSS return",
    "reverse charge": "VAT return and sales list",
    "exempt": "VAT return (exempt)",
    "outside the EU": "VAT return (not taxable here)",
    "abroad": "the country's own return",
}


@declare(
    text("return", "The return that the row belongs into."),
    TREATMENT,
    CURRENCY,
    COUNTRY,
    PERCENT,
    text(
        "customer_tax_id",
        "Of reverse-charge sales: the customer's tax id; missing ones are named in the notes.",
    ),
    text("customer_name", "Of reverse-charge sales: the customer."),
    count("documents", "Invoices, credit notes, refunds and write-offs in it."),
    money("taxable", "What the tax is on."),
    money("tax", "The tax; less what was taken back."),
)
def tax_handover(rows: pd.DataFrame, span: Period, *, home: str = "") -> pd.DataFrame:
    """The rows of tax_collected by return, country and rate.

    `home` is the firm's country (two letters). Sources: docs.stripe.com/tax/reports; for the One Stop Shop,
    the return of Council Directive 2006/112/EC, article 369g (country of consumption, rate, taxable amount,
    tax).
    """
    how = treatment(rows, home) if len(rows) else pd.Series(dtype=object)
    reverse = how.eq("reverse charge")
    percent = rows["percentage"].map(lambda each: "" if np.isnan(each) else repr(float(each)))
    keys = {
        "treatment": how,
        "currency": to_str(rows["currency"]),
        "country": to_str(rows["country"]),
        "percentage": percent.astype(object),
        "customer_tax_id": to_str(rows["customer_tax_id"]).where(reverse, ""),
        "customer_name": to_str(rows["customer_name"]).where(reverse, ""),
    }
    out = group_sums(keys, {name: rows[name] for name in ("taxable", "tax")}).rename(
        columns={"count": "documents"}
    )
    out.insert(0, "return", out["treatment"].map(RETURNS))
    out["percentage"] = pd.to_numeric(out["percentage"], errors="coerce").astype(float)
    order = {name: place for place, name in enumerate(RETURNS)}
    out = out.iloc[np.argsort(out["treatment"].map(order).to_numpy(dtype=np.int64), kind="stable")]
    made = result(out, "tax_handover", [rows], period=span, home=home)
    without = int((reverse & to_str(rows["customer_tax_id"]).eq("")).sum())
    if without:
        add_note(
            made,
            f"{without:,} reverse-charge documents name no tax id of the customer; a sales list needs it.",
        )
    unknown = int(rows["percentage"].isna().sum())
    if unknown:
        add_note(made, f"The rate of {unknown:,} taxed documents isn't known.")
    return made


def as_csv(table: pd.DataFrame) -> str:
    """The table in major units, for the program that files the return."""
    out = table.copy()
    for name in ("taxable", "tax"):
        pairs = zip(table[name], table["currency"], strict=True)
        out[name] = [f"{to_major(int(minor), code):f}" for minor, code in pairs]
    out["currency"] = out["currency"].str.upper()
    for name in ("customer_tax_id", "customer_name", "country"):
        out[name] = out[name].map(harmless)
    text: str = out.to_csv(index=False, lineterminator="\r\n")
    return text
