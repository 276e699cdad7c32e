"""`series.stripe`: money and ids in a single column."""

from __future__ import annotations

from typing import Any

import pandas as pd

from stripe_magics.accessor import dashboard_links, units
from stripe_magics.accessor.account_facts import zone_of
from stripe_magics.accessor.amounts import codes
from stripe_magics.accessor.time_columns import day_of
from stripe_magics.catalogue.stripe_objects import owner
from stripe_magics.errors import FrameError
from stripe_magics.frames.column_facts import named_currency
from stripe_magics.frames.frame_info import FrameInfo
from stripe_magics.frames.pandas_columns import text_dtype
from stripe_magics.money import format_amount


@pd.api.extensions.register_series_accessor("stripe")
class StripeSeriesAccessor:
    """Methods of one column. Amounts are minor units unless the frame that they came from said otherwise."""

    def __init__(self, series: pd.Series[Any]) -> None:
        self._series = series

    def to_major(
        self, currency: str | pd.Series[Any] = "currency", *, units: str | None = None
    ) -> pd.Series[Any]:
        """The amounts in major units. `currency` is a code, a Series of codes, or an index level.

        >>> pd.Series([1050, 5], name="amount").stripe.to_major("usd").tolist()
        [10.5, 0.05]
        """
        frame = self._frame(currency)
        out: pd.Series[Any] = _units_convert(frame, "major", units)[self._name]
        out.name = self._series.name
        return out

    def format(self, currency: str | pd.Series[Any] = "currency") -> pd.Series[Any]:
        """The amounts as people read them.

        >>> pd.Series([123450]).stripe.format("usd").tolist()
        ['1,234.50 USD']
        """
        frame = self._frame(currency)
        own = codes(frame, self._source(frame))
        texts = [
            None if pd.isna(value) or code is None else format_amount(int(value), code)
            for value, code in zip(self._series, own, strict=True)
        ]
        return pd.Series(texts, index=self._series.index, name=self._series.name, dtype=text_dtype())

    @property
    def _name(self) -> str:
        return str(self._series.name or "amount")

    def _frame(self, currency: str | pd.Series[Any]) -> pd.DataFrame:
        frame = self._series.rename(self._name).to_frame()
        frame.attrs = dict(self._series.attrs)
        if isinstance(currency, pd.Series):
            frame["currency"] = currency
        elif currency not in frame.index.names:
            if named_currency(frame, currency) is None:
                raise FrameError(
                    "The currency isn't known.",
                    advice='Give a code or a Series of codes: .stripe.to_major("usd").',
                )
            frame["currency"] = currency.lower()
        name = "currency" if "currency" in frame.columns else str(currency)
        info = FrameInfo.of(frame)
        return info.replace(units=info.units or "minor", money={self._name: name}, amounts=[]).put(frame)

    def _source(self, frame: pd.DataFrame) -> Any:
        return units.money(frame)[0].source

    def local_day(self, zone: str | None = None) -> pd.Series[Any]:
        """The day of each time in the zone (the frame's or the connection's, unless given), as midnight
        without a zone."""
        return day_of(self._series, zone_of(self._series, zone))

    def link(self, *, live: bool | None = None) -> pd.Series[Any]:
        """The Dashboard's page of each id."""
        frame = self._series.rename("id").to_frame()
        frame.attrs = {**self._series.attrs}
        FrameInfo.of(frame).replace(object="").put(frame)
        return dashboard_links.links(frame, "id", live=live)

    def object_type(self) -> pd.Series[Any]:
        """The type of object that each id names.

        >>> pd.Series(["ch_1", "cus_2"]).stripe.object_type().tolist()
        ['charge', 'customer']
        """
        types = [
            owner(each) or None if isinstance(each, str) else None for each in self._series.astype(object)
        ]
        return pd.Series(types, index=self._series.index, name="object", dtype=text_dtype())


def _units_convert(frame: pd.DataFrame, target: str, given: str | None) -> pd.DataFrame:
    return units.convert(frame, None, target, units=given)
