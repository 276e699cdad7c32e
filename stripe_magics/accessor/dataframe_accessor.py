"""`df.stripe`: what a frame of Stripe objects can do beyond pandas. Each method is a function of the frame in
a file of its own.

Nothing is kept on the accessor; what it needs to know stands in `df.attrs["stripe"]` (`frames/frame_info.py`)
or in the columns.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from stripe_magics.accessor import (
    column_index,
    currencies,
    dashboard_links,
    file_exports,
    list_columns,
    object_joins,
    secret_values,
    spreadsheets,
    time_columns,
    units,
    wide_frames,
)
from stripe_magics.errors import ColumnNotFoundError, FrameError
from stripe_magics.frames.column_facts import column_names, currency_labels, money_columns, nearest_currency
from stripe_magics.frames.column_names import short_names
from stripe_magics.frames.frame_info import CallInfo, FrameInfo, call_of, has_facts, iter_facts

accessor_extensions: dict[str, Callable[..., Any]] = {}
"""What other packages add: name -> function of the frame. finance adds `plot`."""


@pd.api.extensions.register_dataframe_accessor("stripe")
class StripeAccessor:
    """What a frame of Stripe objects can do beyond pandas.

    | method | what it gives |
    |---|---|
    | `columns("card")` | which columns there are, how full they are, what they mean |
    | `to_major()`, `to_minor()`, `money("avg", currency="currency")` | money in whole units, in minor units |
    | `total("amount")`, `normalize(to="usd", rates=...)` | sums a currency each, or in one |
    | `local_day()`, `by_month("amount")` | days and months in the account's zone |
    | `explode("lines")`, `objects("data_object")`, `metadata("order")` | what is inside, as rows or columns |
    | `wide()`, `compact()` | all columns, or those that matter |
    | `join("customer", "refunds")` | columns of other objects, one row stays one row |
    | `reveal("url")` | what frames hide (client secrets, links that let anyone in), asked for by name |
    | `link()`, `call`, `facts` | the Dashboard's pages, how the call went, what the frame knows |
    | `to_csv`, `to_excel`, `to_json`, `to_sql`, `to_polars` | for other programs |
    | `to_parquet` | a file that `sm.read_parquet` reads back, as it does those of pandas' `df.to_parquet` |

    `df.stripe["card_brand"]` (or `df.stripe.card_brand`) reads a column by its name, a short name or Stripe's
    path: also `product` and `items`, which pandas has methods of. AttributeError on a frame that has nothing
    of Stripe's.

    Frames and columns that are given back are new ones. A column that isn't there raises
    `ColumnNotFoundError`, a frame that can't be used so `FrameError` with the reason, and what has to be
    fetched the `StripeError` of its request.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        if not has_facts(frame) and not {"id", "object"} <= set(frame.columns):
            names = {*map(str, frame.columns), *map(str, frame.index.names)}
            if not (names & column_names() or currency_labels(frame)):
                raise AttributeError(
                    "This frame has nothing of Stripe's: neither df.attrs['stripe'] nor a column of its"
                    " objects."
                )
        self._whole = frame

    @property
    def _frame(self) -> pd.DataFrame:
        """The frame. FrameError where a name doesn't say which column it is."""
        labels = self._whole.columns
        if not labels.is_unique:
            double = ", ".join(map(repr, labels[labels.duplicated()].unique()[:6]))
            raise FrameError(
                f"Several columns have the same name: {double}.",
                advice="Keep the first of each: df.loc[:, ~df.columns.duplicated()].",
            )
        return self._whole

    @property
    def facts(self) -> dict[str, Any]:
        """What the frame knows: object, account, mode, api_version, zone, units, complete ..., and how its
        call went."""
        return dict(iter_facts(self._whole))

    @property
    def call(self) -> CallInfo:
        """The call that the frame came from: module, params, request_ids, notes, rows. Empty where it isn't
        known any more."""
        return call_of(self._whole) or CallInfo()

    def __getitem__(self, name: str) -> pd.Series[Any]:
        """A column by its name, a short name or Stripe's path:
        `df.stripe["payment_method_details.card.brand"]`.

        A field that a newer version has elsewhere is found under its old name where that is exact
        (`current_period_end`).
        """
        return column_index.find(self._frame, name)

    def __getattr__(self, name: str) -> pd.Series[Any]:
        if name.startswith("_") or "_whole" not in self.__dict__:
            raise AttributeError(name)
        try:
            return self[name]
        except ColumnNotFoundError as problem:
            raise AttributeError(str(problem)) from None

    def __dir__(self) -> list[str]:
        names = [str(each) for each in self._whole.columns if str(each).isidentifier()]
        aliases = short_names(FrameInfo.of(self._whole).object)
        return [
            *super().__dir__(),
            *names,
            *(short for short, name in aliases.items() if name in self._whole.columns),
        ]

    def _ipython_key_completions_(self) -> list[str]:
        return [*map(str, self._whole.columns), *short_names(FrameInfo.of(self._whole).object)]

    def columns(self, words: str = "") -> pd.DataFrame:
        """The frame's columns, all or those that some words find: name, short name, Stripe's path, type,
        share filled, an example, what it is.

        >>> df = pd.DataFrame({"id": ["ch_1"], "object": ["charge"], "amount": [500], "currency": ["usd"]})
        >>> df.stripe.columns("money")["name"].tolist()
        ['amount']
        """
        return column_index.columns(self._frame, words)

    # Money --------------------------------------------------------------------------------------------------
    def amounts(self) -> list[Any]:
        """The names of the columns that hold money."""
        return list(money_columns(self._frame))

    def money(self, *columns: str, currency: str = "currency", units: str = "minor") -> pd.DataFrame:
        """A copy that knows that these columns are money: in the currency of a column, of an index level, or
        in one code; in `units`.

        >>> df = pd.DataFrame({"id": ["ch_1"], "object": ["charge"], "currency": ["usd"], "avg": [1250.0]})
        >>> df.stripe.money("avg").stripe.to_major()["avg"].tolist()
        [12.5]
        """
        return _declare(self._frame, columns, currency, units)

    def to_major(
        self, columns: Sequence[Any] | None = None, *, exact: bool = False, units: str | None = None
    ) -> pd.DataFrame:
        """A copy with amounts in major units: float64 rounded to the currency's decimals, or with `exact`
        Decimal (for export).

        Columns that are so already stay as they are. What can't be converted is named in a note below the
        frame. FrameError: for named columns that can't, where nothing at all can be converted, and where
        nothing is known to be money among numbers that a person made (a pivot over statuses, a melted
        column: name them). `units` says in which units the frame is, where pandas dropped that. Text amounts
        stay text, exactly. Columns that you added stay as they are, and a note names them (`money`).

        Amounts are compared with what Stripe sent for the same ids in this process: FrameError where they
        are a hundred times more or less than the frame says, since they were divided by hand or put there by
        `update` or `loc` from a frame in other units. Rows from a file can't be compared.

        >>> df = pd.DataFrame({"object": "charge", "amount": [1050, 500], "currency": ["usd", "jpy"]})
        >>> df.stripe.to_major().stripe.to_major()["amount"].tolist()
        [10.5, 500.0]
        """
        return _convert(self._frame, columns, "major", exact=exact, units=units)

    def to_minor(self, columns: Sequence[Any] | None = None, *, units: str | None = None) -> pd.DataFrame:
        """A copy with amounts in minor units (int64, Int64 where one is missing): of `columns`, or all.
        `units` as in `to_major`. FrameError if one has too many decimals."""
        return _convert(self._frame, columns, "minor", units=units)

    def currency_of(self, amount: str) -> Any:
        """The column (or index level) that holds an amount's currency, or its code. FrameError if there is
        none."""
        own = money_columns(self._frame)
        source = own[amount] if amount in own else nearest_currency(self._frame, amount)
        if source is None:
            raise FrameError(f"{amount} has no currency column; add one named 'currency'")
        return source.column or source.level or source.code

    def total(self, column: str = "amount", *, by: str | None = None) -> Any:
        """The sum of an amount. FrameError if the rows are in several currencies (`by="currency"` adds them
        up separately), if an amount has no currency, or if a merge repeated an object's row.

        >>> df = pd.DataFrame({"object": "charge", "amount": [1050, 500], "currency": ["usd", "jpy"]})
        >>> df.stripe.total("amount", by="currency").to_dict()
        {'jpy': 500, 'usd': 1050}
        """
        return currencies.total(self._frame, column, by)

    def normalize(self, to: str, rates: object, columns: Sequence[Any] | None = None) -> pd.DataFrame:
        """A copy with its money in one currency. `rates`: code -> what one unit of it is in `to` (a dict, a
        Series, or a frame with the columns currency and rate). Minor units stay whole numbers, rounded half
        to even. FrameError for a rate that is missing, doubled, or not above 0.

        >>> df = pd.DataFrame({"id": ["ch_1"], "object": "charge", "amount": [1000], "currency": ["eur"]})
        >>> df.stripe.normalize(to="usd", rates={"eur": 1.1})[["amount", "currency"]].values.tolist()
        [[1100, 'usd']]
        """
        return currencies.normalize(self._frame, to, rates, columns)

    # Time ---------------------------------------------------------------------------------------------------
    def local_day(self, column: str = "created", zone: str | None = None) -> pd.Series[Any]:
        """The day of a time in the account's zone (unless `zone` is given) as datetime64 at midnight, without
        a zone.

        A time that Stripe means as a day (`arrival_date`, `available_on`) is that day in every zone. Where
        the frame no longer knows its zone, it is the open connection's if that can only be the same account;
        otherwise FrameError.

        >>> created = pd.to_datetime(["2026-10-31 23:30"], utc=True)
        >>> df = pd.DataFrame({"id": ["ch_1"], "object": "charge", "created": created})
        >>> df.stripe.local_day(zone="Europe/Berlin").dt.strftime("%Y-%m-%d").tolist()
        ['2026-11-01']
        """
        return time_columns.local_day(self._frame, column, zone)

    def by_month(
        self, values: str = "amount", *, column: str = "created", zone: str | None = None
    ) -> pd.DataFrame:
        """Sums by month in the account's zone: month (a period), currency, the sum, count. Currencies are
        never added up.

        >>> created = pd.to_datetime(["2026-10-31"], utc=True)
        >>> df = pd.DataFrame({"object": ["charge"], "amount": 500, "currency": "usd", "created": created})
        >>> df.stripe.by_month(zone="UTC")[["currency", "amount"]].values.tolist()
        [['usd', 500]]
        """
        return time_columns.by_month(self._frame, values, column, zone)

    # Shapes -------------------------------------------------------------------------------------------------
    def explode(self, column: str, *, keep: Sequence[str] = ()) -> pd.DataFrame:
        """A list column as a frame of its own: one row an item, first the id of the object that holds it
        (`invoice_id`), what `keep` names (`keep=["number"]` gives `invoice_number`), and its currency where
        the items have none. Amounts that are kept are known to be money.

        Lists that Stripe cut after ten items are completed from the open connection; FrameError if that isn't
        the frame's account, or if the column has no lists. Amounts are in minor units, whatever the frame is
        in.
        """
        return list_columns.explode(self._frame, column, keep)

    def objects(self, column: str, kind: str = "", *, keep: Sequence[str] = ()) -> pd.DataFrame:
        """The objects in a column (an event's `data_object`) as a frame of their own type, with the id of the
        row (`event_id`)."""
        return list_columns.payload(self._frame, column, kind, keep)

    def metadata(self, *keys: str, column: str = "metadata") -> pd.DataFrame:
        """A copy with `metadata[key]` columns for these keys (all that occur, unless named)."""
        return list_columns.metadata(self._frame, keys, column)

    def compact(self) -> pd.DataFrame:
        """The columns that have a value in some row.

        >>> df = pd.DataFrame({"id": ["ch_1"], "object": ["charge"], "description": [None]})
        >>> list(df.stripe.compact())
        ['id', 'object']
        """
        return list_columns.compact(self._frame)

    def wide(
        self,
        *,
        index: str | list[str] | None = None,
        columns: str | list[str] | None = None,
        values: str | list[str] | None = None,
        aggfunc: object = "sum",
    ) -> pd.DataFrame:
        """A long frame with one column for each value of `columns` (the currency, unless said). Nothing is
        totalled over currencies.

        `index` is what the rows are: of a report the columns that are left, of objects it must be said
        (FrameError). Rows that have no value there are left out, and a note counts them.
        """
        return wide_frames.wide(self._frame, index, columns, values, aggfunc)

    def join(self, *names: str, mirror: str | Path | None = None) -> pd.DataFrame:
        """A copy with the columns of other objects, one row stays one row: those whose id a column holds
        (`customer`, `balance_transaction`, `invoice` ...), and sums of those that point at the row
        (`refunds`, `disputes`: `refunds_count`, `refunds_amount`).

        Fetched from the open connection, which must be the frame's account; with `mirror`, read from the
        folder that `%stripe sync FOLDER` keeps, without a request. Columns are named as those of an expanded
        object; amounts are in the frame's units. What a mirror doesn't have is counted in a note.

            >>> payments.stripe.join("customer", "balance_transaction", "refunds")  # doctest: +SKIP
            >>> payments.stripe.join("customer", "refunds", mirror="stripe-mirror")  # doctest: +SKIP
        """
        return object_joins.join(self._frame, names, mirror=mirror)

    def link(
        self, column: str = "id", *, live: bool | None = None, account: str | None = None
    ) -> pd.Series[Any]:
        """The page of each object in Stripe's Dashboard: of the row, or of the ids in `column`. Live or test
        by the row, the frame or the open connection; FrameError where none of them knows. A sandbox has no
        Dashboard: no links.
        """
        return dashboard_links.links(self._frame, column, live=live, account=account)

    def reveal(self, column: str) -> pd.Series[Any]:
        """The true values of a column that is shown as `(hidden)`: the link of a checkout session, a client
        secret. Up to 20 rows.

        They are fetched from the open connection, which must be the frame's account, and stand in the result
        alone. FrameError where Stripe doesn't give them a second time (a webhook's signing secret).

            >>> sessions.head(1).stripe.reveal("url")  # doctest: +SKIP
        """
        return secret_values.reveal(self._frame, column)

    # Files --------------------------------------------------------------------------------------------------
    def to_csv(self, path: object = None, **options: Any) -> str | None:
        """pandas' `to_csv` without the index, safe to open in a spreadsheet.

        A text that a spreadsheet would run as a formula gets an apostrophe in front; line ends become LF;
        dicts and lists are written as JSON.
        """
        return file_exports.to_csv(self._whole, path, options)

    def to_excel(
        self, path: object, *, sheet_name: str = "Stripe", zone: str | None = None, **options: Any
    ) -> None:
        """An Excel sheet: amounts in major units with their currency's decimals, times without zone in the
        account's zone, maps and lists as JSON, a frozen head, no formulas. Rows are written one after the
        other: a long frame needs no more memory than a short one.

        `path` is the name of an .xlsx file, an open file, or a `pd.ExcelWriter` of xlsxwriter (a sheet each).
        `columns` are those to write, `index=True` writes the index too; there are no further options.
        Raises `FrameError` for more than 1,048,575 rows; a text above 32,767 characters is cut, with a
        warning.
        """
        spreadsheets.to_excel(self._frame, path, sheet_name=sheet_name, zone=zone, **options)

    def to_parquet(self, path: Any, *, typed: bool = False) -> None:
        """A Parquet file (Feather by its ending) that `sm.read_parquet` reads back equal, with what the frame
        knows.

        Maps and lists are JSON text in it. With `typed=True` they have Parquet's own types (`map<string,
        string>`, `struct`, `list`), as in the folder of a finished `pull`, for readers without JSON:
        `pd.read_parquet(path, dtype_backend="pyarrow")` gives columns with `.list` and `.struct`, and DuckDB
        takes `lines[1].amount`. Such readers see null where an object didn't have a key that others have;
        `sm.read_parquet` gives the objects as they were. Columns that hold several types at one place stay
        JSON text (a warning names them).

            >>> df = pd.DataFrame({"id": ["in_1"], "object": ["invoice"], "metadata": [{}]})
            >>> df.stripe.to_parquet("/tmp/invoices.parquet", typed=True)  # doctest: +SKIP
        """
        file_exports.to_parquet(self._frame, path, typed=typed)

    def to_sql(self, name: str, connection: object, **options: Any) -> Any:
        """pandas' `to_sql` into the table `name` of a `connection`, without index; times are in UTC, dicts
        and lists JSON text. `options` are pandas' own, and so is what is raised."""
        return file_exports.to_sql(self._frame, name, connection, options)

    def to_json(self, path: Any = None, **options: Any) -> str | None:
        """pandas' `to_json`: one record a row, times as ISO 8601 in UTC. Without a `path` the text."""
        text: str | None = self._frame.to_json(path, **{"orient": "records", "date_format": "iso", **options})
        return text

    def to_polars(self) -> Any:
        """The frame as a `polars.DataFrame`; maps and lists are JSON text. FrameError without polars."""
        return file_exports.to_polars(self._frame)

    # Other packages' methods --------------------------------------------------------------------------
    def plot(self, *args: Any, **options: Any) -> Any:
        """The chart that suits the frame (a report's own, or a sum over time): a matplotlib figure."""
        if "plot" not in accessor_extensions:
            _ = sys.modules["stripe_magics"].report  # the lazy name loads the package that adds it
        return accessor_extensions["plot"](self._frame, *args, **options)

    def rows(self, column: str = "", *, row: int | None = None, **keys: Any) -> pd.DataFrame:
        """The rows behind a cell of a report: those of its column, and of its row (a position, or keys such
        as `currency="eur"`), with `counted`, what each counts for there. Raises `UsageFault` where a report
        has none."""
        if "rows" not in accessor_extensions:
            _ = sys.modules["stripe_magics"].report  # the lazy name loads the package that adds it
        made: pd.DataFrame = accessor_extensions["rows"](self._frame, column, row=row, **keys)
        return made


_convert, _declare = units.convert, units.declare  # `units` is a parameter's name there
