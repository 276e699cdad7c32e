"""`df.stripe`: what a frame of Stripe objects can do beyond pandas.

Nothing is kept on the accessor; what it needs to know stands in `df.attrs["stripe"]` or in the columns. Amounts are the whole-number
columns whose names say so (or those in `attrs["stripe"]["amounts"]`); their currency is the nearest `currency` column by name.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from stripe_magics.money import exponent

_MONEY = re.compile(
    r"(^|_)(amount|total|subtotal|net|fee|fees|tax|gross|balance|price|volume|revenue|refunded|minimum|maximum|preset)(_|$)|(^|_)(mrr|arr)$"
)
_NOT_MONEY = re.compile(r"(_count|_id|_days|_months|_month|_year|_rate|_percent|_has_more|sequence)$")
_RISKY = re.compile(r"^[\s]*[=+\-@\t\r]")
_PATHS = {
    "payment_intent": "payments", "charge": "payments", "customer": "customers", "invoice": "invoices", "subscription": "subscriptions",
    "product": "products", "price": "prices", "payout": "payouts", "dispute": "disputes", "refund": "refunds", "event": "events",
    "payment_link": "payment-links", "coupon": "coupons", "transfer": "connect/transfers", "topup": "topups", "account": "connect/accounts",
    "credit_note": "credit_notes", "quote": "quotes", "setup_intent": "setup_intents", "webhook_endpoint": "webhooks", "tax_rate": "tax-rates",
    "subscription_schedule": "subscription_schedules", "checkout.session": "checkout/sessions", "review": "radar/reviews",
}  # fmt: skip

accessor_extensions: dict[str, Callable[..., Any]] = {}
"""What other rooms add: name -> function of the frame. finance/ adds `plot`."""


@pd.api.extensions.register_dataframe_accessor("stripe")
class StripeAccessor:
    """See the module. Raises AttributeError on a frame that has nothing of Stripe's."""

    def __init__(self, frame: pd.DataFrame) -> None:
        if "stripe" not in frame.attrs and not {"id", "object"} <= set(frame.columns):
            raise AttributeError(
                "This frame has no Stripe objects: neither df.attrs['stripe'] nor the columns id and object."
            )
        self._frame = frame

    @property
    def facts(self) -> dict[str, Any]:
        """Where the frame comes from: object, module, params, api_version, account, livemode, zone, complete ..."""
        return dict(self._frame.attrs.get("stripe", {}))

    # Money -------------------------------------------------------------------------------------------------------------------

    def amounts(self) -> list[str]:
        """The columns that hold money in minor units."""
        said = self.facts.get("amounts")
        if said is not None:
            return [name for name in said if name in self._frame]
        return [
            name
            for name, dtype in self._frame.dtypes.items()
            if isinstance(name, str)
            and str(dtype).lower() == "int64"
            and _MONEY.search(name)
            and not _NOT_MONEY.search(name)
        ]

    def to_major(self, columns: Sequence[str] | None = None, *, exact: bool = False) -> pd.DataFrame:
        """A copy with amounts in major units: float64 rounded to the currency's decimals, or with `exact` Decimal (for export)."""
        frame = self._frame.copy()
        for name in self._named(columns):
            digits, values = self._exponents(name), self._frame[name]
            if exact:
                frame[name] = pd.Series(
                    [
                        None if pd.isna(v) else Decimal(int(v)).scaleb(-int(e))
                        for v, e in zip(values, digits, strict=True)
                    ],
                    index=frame.index,
                    dtype=object,
                )
            else:
                floats = values.astype("Float64").to_numpy("float64", na_value=np.nan)
                frame[name] = _rounded(floats / np.power(10.0, digits), digits)
        frame.attrs["stripe"] = {**self.facts, "units": "major", "amounts": self._named(columns)}
        return frame

    def to_minor(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A copy with amounts back in minor units (int64, Int64 where one is missing). ValueError if one has too many decimals."""
        frame = self._frame.copy()
        for name in self._named(columns):
            whole = [
                None if pd.isna(v) else _minor(v, int(e), name)
                for v, e in zip(self._frame[name], self._exponents(name), strict=True)
            ]
            frame[name] = pd.array(whole, dtype="Int64") if None in whole else np.array(whole, dtype="int64")
        frame.attrs["stripe"] = {**self.facts, "units": "minor"}
        return frame

    def _named(self, columns: Sequence[str] | None) -> list[str]:
        names = (
            self.amounts() if columns is None else [columns] if isinstance(columns, str) else list(columns)
        )
        missing = [name for name in names if name not in self._frame]
        if missing:
            raise KeyError(
                f"There is no column {missing[0]!r}; amounts here: {', '.join(self.amounts()) or 'none'}"
            )
        return names

    def currency_of(self, amount: str) -> str:
        """The column that holds an amount's currency: the nearest by name. KeyError if there is none."""
        parts = amount.split("_")
        for size in range(len(parts) - 1, -1, -1):
            name = "_".join([*parts[:size], "currency"])
            if name in self._frame:
                return name
        raise KeyError(f"{amount} has no currency column; add one named 'currency'")

    def _exponents(self, amount: str) -> Any:
        currency = self._frame[self.currency_of(amount)].astype(object)
        own = {code: exponent(code) for code in set(currency.dropna())}
        return currency.map(own).fillna(2).to_numpy("int64")

    # Shapes ------------------------------------------------------------------------------------------------------------------

    def explode(self, column: str) -> pd.DataFrame:
        """A list column as a frame of its own: one row an item, first the id of the object that holds it (`invoice_id`)."""
        from stripe_magics.frames import build

        if column not in self._frame:
            raise KeyError(f"There is no column {column!r}")
        lists = [value if isinstance(value, (list, tuple)) else [] for value in self._frame[column]]
        items = [item for each in lists for item in each]
        kind = str(self.facts.get("object") or "object").rpartition(".")[2]
        owners = (
            self._frame["id"]
            if "id" in self._frame
            else pd.Series(self._frame.index, index=self._frame.index)
        )
        repeated = owners.repeat([len(each) for each in lists]).reset_index(drop=True)
        if items and not isinstance(items[0], dict):
            out = pd.DataFrame({column: pd.Series(items)})
        else:
            out = build([json.dumps(items).encode()], "any")
        if f"{kind}_id" in out:
            out = out.drop(columns=f"{kind}_id")
        out.insert(0, f"{kind}_id", repeated)
        out.attrs["stripe"] = {
            **self.facts,
            "object": out.attrs.get("stripe", {}).get("object") or f"{kind}.{column}",
            "of": column,
        }
        return out

    def wide(
        self,
        *,
        index: str | list[str] | None = None,
        columns: str | list[str] | None = None,
        values: str | list[str] | None = None,
        aggfunc: Any = "sum",
    ) -> pd.DataFrame:
        """A long frame with one column for each value of `columns` (the currency, unless said). Nothing is totalled over currencies."""
        hint = self.facts.get("wide", {})
        columns = columns or hint.get("columns") or "currency"
        values = values or hint.get("values") or self.amounts()
        taken = {
            *([columns] if isinstance(columns, str) else columns),
            *([values] if isinstance(values, str) else values),
        }
        index = index or hint.get("index") or [name for name in self._frame if name not in taken]
        single = values[0] if isinstance(values, list) and len(values) == 1 else values
        return self._frame.pivot_table(
            index=index, columns=columns, values=single, aggfunc=aggfunc, observed=True, sort=False
        )

    def local_day(self, column: str = "created", zone: str | None = None) -> pd.Series[Any]:
        """The day of a time in the report's zone (`zone`, else the connection's, else UTC) as a zone-less datetime64 at midnight."""
        name = zone or self.facts.get("zone") or "UTC"
        local = self._frame[column].dt.tz_convert(ZoneInfo(str(name)))
        day: pd.Series[Any] = local.dt.tz_localize(None).dt.normalize()
        return day.rename("date")

    def metadata(self, *keys: str, column: str = "metadata") -> pd.DataFrame:
        """A copy with `metadata[key]` columns for these keys (all that occur, unless named)."""
        from stripe_magics.frames.arrow_columns import from_values
        from stripe_magics.frames.schema import Column

        maps = [value if isinstance(value, dict) else {} for value in self._frame[column]]
        frame = self._frame.copy()
        for key in keys or sorted({key for each in maps for key in each}):
            frame[f"{column}[{key}]"] = from_values(
                Column(key, (key,), "text"), [each.get(key) for each in maps], learned=False
            )
        return frame

    def link(self) -> pd.Series[Any]:
        """The page of each object in Stripe's dashboard."""
        account = str(self.facts.get("account") or "")
        base = "https://dashboard.stripe.com/" + (f"{account}/" if account.startswith("acct_") else "")
        live = (
            self._frame["livemode"].fillna(value=False)
            if "livemode" in self._frame
            else pd.Series(data=False, index=self._frame.index)
        )
        kinds = (
            self._frame["object"]
            if "object" in self._frame
            else pd.Series(self.facts.get("object", ""), index=self._frame.index)
        )
        links = [
            f"{base}{'' if is_live else 'test/'}{_PATHS[kind]}/{id_}"
            if kind in _PATHS
            else f"{base}{'' if is_live else 'test/'}search?query={id_}"
            for id_, kind, is_live in zip(self._frame["id"], kinds, live, strict=True)
        ]
        return pd.Series(links, index=self._frame.index, name="link", dtype=object)

    def to_csv(self, path: Any = None, **options: Any) -> str | None:
        """pandas' `to_csv` without the index, safe to open in a spreadsheet.

        A text that a spreadsheet would run as a formula gets an apostrophe in front; line ends become LF; dicts and lists are written as JSON.
        """
        frame = self._frame.copy()
        frame.columns = pd.Index([_harmless(str(name)) for name in frame.columns])
        for place, dtype in enumerate(self._frame.dtypes):
            if dtype.kind == "O":  # objects, texts and categories
                cells = [_harmless(value) for value in frame.iloc[:, place].astype(object)]
                frame.isetitem(place, np.array([*cells, None], dtype=object)[:-1])
        text: str | None = frame.to_csv(path, **{"index": False, **options})
        return text

    # Other rooms' verbs ------------------------------------------------------------------------------------------------------

    def plot(self, *args: Any, **options: Any) -> Any:
        """The chart that suits the frame (a report's own, or a sum over time)."""
        if "plot" not in accessor_extensions:
            _ = sys.modules["stripe_magics"].report  # the lazy name loads the package that adds it
        return accessor_extensions["plot"](self._frame, *args, **options)


def _rounded(values: Any, digits: Iterable[int]) -> Any:
    return np.array(
        [round(value, int(places)) for value, places in zip(values, digits, strict=True)], dtype="float64"
    )


def _minor(value: Any, digits: int, name: str) -> int:
    exact = Decimal(repr(value) if isinstance(value, float) else str(value)).scaleb(digits)
    if exact != exact.to_integral_value():
        raise ValueError(f"{name}: {value} has more than {digits} decimals")
    return int(exact)


def _harmless(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace(
        "\r", "\n"
    )  # a bare CR is written without quotes and would begin a new row
    return "'" + text if _RISKY.match(value) else text
