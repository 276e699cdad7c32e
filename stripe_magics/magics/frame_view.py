"""How the rows of one object type, or of a report, are shown: which rows and columns, and each cell's text.
`frame_rendering.py` makes HTML and text of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stripe_magics.catalogue.stripe_objects import first_columns
from stripe_magics.errors import FrameError
from stripe_magics.magics import cell_texts
from stripe_magics.magics.status_badges import DEADLINES, STATE_COLUMNS, with_deadline

if TYPE_CHECKING:
    import pandas as pd

MAX_WIDTH = 1080  # pixels of a table, by the figures below: a notebook's page on a screen of 1280
CHARACTER, PADDING, BADGE = 7.5, 16, 40
MAX_UNBROKEN = 30  # characters of a cell that is kept on one line
MAX_EXPORTED = 1000  # characters of a cell of an interactive table, which is what its export has
MAX_NAME = 40  # characters of a name beside an id
ENDS = 10  # rows from each end of a long frame
FIRST = ("result", "error")  # of calls made for the rows of a table
LAST = frozenset({"client_secret", "metadata", "livemode", "object", "lines", "items", "data"})
"""Columns that are left out first."""
_PANDAS = {"display.max_rows": 60, "display.max_columns": (0, 20), "display.max_colwidth": 50}
"""pandas' own options and their defaults: one that a person set is obeyed."""

NameLookup = Callable[..., tuple[dict[str, str], str]]
"""`(frame, info, columns, places)` -> names by id, and a sentence where they could not be read."""

ALL_COLUMNS_BY = "%stripe config --all-columns true"


class View:
    """How one frame is shown: which rows and columns, and each cell's text."""

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        max_rows: int = 60,
        max_columns: int = 12,
        all_columns: bool = False,
        all_rows: bool = False,
        names: NameLookup | None = None,
        all_columns_by: str = ALL_COLUMNS_BY,
        head_controls: float = 0,
    ) -> None:
        """`head_controls`: pixels beside each column's head, of an interactive table, whose names and ids
        stand in one line."""
        from stripe_magics.frames.column_facts import meanings, money_columns
        from stripe_magics.frames.frame_info import FrameInfo, call_of, iter_facts

        self.all_columns_by = all_columns_by
        self.about: dict[str, Any] = dict(iter_facts(frame))
        self.info, self.call = FrameInfo.of(frame), call_of(frame)
        if self.info.object == "balance":
            frame = _balance_rows(frame)
            self.info = FrameInfo.of(frame)
            self.call = None
        self.frame = frame
        said = (
            {True: "live", False: "test"}.get(self.info.livemode, "")
            if self.info.livemode is not None
            else ""
        )
        self.mode = self.info.mode or said  # "" where nothing says it: then there is no badge
        bare = frame.copy(deep=False)  # pandas copies attrs with every column that is taken out
        bare.attrs = {}
        limits = _Limits(max_rows, max_columns)
        self.cut = not all_rows and limits.rows is not None and len(frame) > limits.rows
        self._head_controls, self._in_a_line = head_controls, head_controls > 0
        self._longest = MAX_EXPORTED if self._in_a_line else cell_texts.MAX_CELL
        ends = min(ENDS, (limits.rows or 0) // 2 or 1)
        self.places = (
            [*range(ends), *range(len(frame) - ends, len(frame))] if self.cut else list(range(len(frame)))
        )
        self.gap = ends if self.cut else -1
        self.bare = bare.iloc[self.places] if self.cut else bare
        self.indexed = not (type(frame.index).__name__ == "RangeIndex" and list(frame.index[:1]) in ([], [0]))
        self.meanings, self.sources = meanings(frame, self.info), money_columns(frame, self.info)
        self.money: dict[Any, list[str]] = {}
        self.major: set[Any] = set()  # money columns whose values are in major units
        self.without_currency: set[Any] = set()
        self.unknown_units: list[str] = []  # why amounts are shown as plain numbers
        chosen = (
            list(frame.columns)
            if all_columns or limits.columns is None
            else self._chosen(bare, limits.columns)
        )
        self.cells = {name: self._texts(name) for name in chosen}
        self.beside: dict[Any, list[str]] = {}  # by column: the names that stand beside its ids
        self.name_problem = ""
        every = all_columns or limits.columns is None
        self.columns = chosen if every else self._fitting_page(chosen)
        if names is not None and self._add_names(names) and not every:
            self.columns = self._fitting_page(self.columns)
        self.right = {name for name in self.columns if bare[name].dtype.kind in "iuf" or name in self.money}

    def _add_names(self, names: NameLookup) -> bool:
        """Names beside the ids that are shown; False if there are none."""
        columns = {
            name: self.cells[name]
            for name in self.columns
            if name != "id" and f"{name}_name" not in self.columns
        }
        found, self.name_problem = names(self.frame, self.info, columns, self.places)
        for name, ids in columns.items():
            words = [found.get(each, "") for each in ids]
            if any(words):
                self.beside[name] = [
                    each if len(each) <= MAX_NAME else each[: MAX_NAME - 1] + "…" for each in words
                ]
        return bool(self.beside)

    def add(self, name: object) -> None:
        """Make the cells of a column that was left out. Nothing is read for it: its ids have no names."""
        if name not in self.cells:
            self.cells[name] = self._texts(name)

    def shown(self, name: object) -> list[str]:
        """One column's cells as text, an id with its name: `Rosen Books (cus_123)`."""
        if name not in self.beside:
            return self.cells[name]
        pairs = zip(self.cells[name], self.beside[name], strict=True)
        return [f"{word} ({each})" if word else each for each, word in pairs]

    def wraps(self, name: object) -> bool:
        """Whether a column's texts may break between their words: long ones, and ids with their names."""
        return name in self.beside or any(len(each) > MAX_UNBROKEN for each in self.cells[name])

    def _lengths(self, name: object) -> list[int]:
        """How wide a column's cells are on a page, in characters: a long text breaks between its words, a
        name stands unbroken above its id, or, in an interactive table, breaks before it."""
        beside = self.beside.get(name)
        if beside is not None and self._in_a_line:
            return [len(each) + 2 for each in self.cells[name]]
        if beside is not None:
            pairs = zip(self.cells[name], beside, strict=True)
            return [max(len(each), len(word)) for each, word in pairs]
        if self._in_a_line:  # whatever is longer breaks
            return [min(len(each), MAX_UNBROKEN) for each in self.cells[name]]
        return [
            len(each) if len(each) <= MAX_UNBROKEN else max(MAX_UNBROKEN, *map(len, each.split()))
            for each in self.cells[name]
        ]

    # Which columns ------------------------------------------------------------------------------------------
    def _chosen(self, bare: pd.DataFrame, most: int) -> list[Any]:
        names = list(bare.columns)
        given = set(self.call.columns) if self.call is not None else set()
        added = [name for name in names if given and name not in given]
        selected = bool(given) and not given <= set(names)
        if "report" in self.about or len(names) <= most or (selected and len(names) <= max(most, 20)):
            return names
        head = bare.head(200)
        own = set(names)
        chosen = [
            name
            for name in (*FIRST, *first_columns(self.info.object))
            if name in own and (_says_something(head[name]) or not len(head))
        ]
        if len(chosen) < 4:
            filled = [name for name in names if name not in LAST and _says_something(head[name])]
            chosen = list(dict.fromkeys([*chosen, *filled]))
        chosen = (chosen or names)[:most]
        return [*chosen, *(name for name in added if name not in chosen)]

    def _fitting_page(self, chosen: list[Any]) -> list[Any]:
        """The columns that fit the page; those that a person added or selected stay. The currency isn't
        repeated beside amounts that show it."""
        given = set(self.call.columns) if self.call is not None else set()
        if "report" in self.about or not given <= set(self.frame.columns):
            return chosen  # a report's, or a person's selection
        if not given and len(chosen) == len(self.frame.columns):
            return chosen  # made by hand
        if sum(self._width(name) for name in chosen) <= MAX_WIDTH and len(chosen) == len(self.frame.columns):
            return chosen
        shown = [name for name in self._in_order(chosen) if not (name == "currency" and self.money)]
        left: float = MAX_WIDTH
        out: list[Any] = []
        for name in shown:
            left -= self._width(name)
            if left >= 0 or len(out) < 3 or (given and name not in given):
                out.append(name)
        return out

    def _in_order(self, chosen: list[Any]) -> list[Any]:
        """The columns that matter before the others, where something must be left out."""
        first = [name for name in (*FIRST, *first_columns(self.info.object)) if name in chosen]
        return list(dict.fromkeys([*first, *chosen]))

    def _width(self, name: object) -> float:
        """A column's width on a page, in pixels."""
        head = len(self.head(name)) * CHARACTER + self._head_controls
        cells = max(self._lengths(name), default=0) * CHARACTER + (BADGE if name in STATE_COLUMNS else 0)
        return max(head, cells) + PADDING

    def head(self, name: object) -> str:
        """A column's head; an amount that can't be shown with its currency says so."""
        return f"{name} (minor units)" if name in self.without_currency else str(name)

    # Cells --------------------------------------------------------------------------------------------------
    def _texts(self, name: object) -> list[str]:
        """One column's cells as text."""
        values = self.bare[name]
        kind = str(values.dtype)
        meaning = self.meanings.get(name)
        if kind.startswith("datetime64"):
            return cell_texts.times(values, self.info.zone or "UTC", days=meaning is not None and meaning.day)
        if name in self.sources:
            return self._money(name, values)
        if values.dtype.kind == "f":
            return self._numbers(name, values)
        texts = cell_texts.texts(values, self._longest)
        if name in STATE_COLUMNS:
            return self._with_deadlines(texts)
        return texts

    def _numbers(self, name: object, values: Any) -> list[str]:
        import pandas as pd

        form = pd.get_option("display.float_format")
        if form is not None:
            return ["" if cell_texts.is_missing(each) else str(form(each)) for each in values]
        kind = str((self.about.get("kinds") or {}).get(name, ""))
        return cell_texts.numbers(values, percent=name in self.about.get("fractions", ()), kind=kind)

    def _money(self, name: object, values: object) -> list[str]:
        from stripe_magics.accessor.amount_checks import refuse_wrong_units
        from stripe_magics.accessor.amounts import MoneyColumn, codes, units_of

        source = self.sources[name]
        try:
            units = units_of(self.frame[name], name, self.info)
            column = MoneyColumn(name, source, units)
            refuse_wrong_units(self.frame, [column], self.info, rows=self.places if self.cut else None)
        except FrameError as problem:
            self.unknown_units.append(str(problem).partition("\n")[0])
            return cell_texts.texts(values, self._longest)
        currencies = codes(self.bare, source) if source is not None else self._currencies_of_call(name)
        if currencies is None:
            if units == "minor":
                self.without_currency.add(name)
            return cell_texts.texts(values, self._longest)
        if units == "major":
            self.major.add(name)
        self.money[name] = cell_texts.money(values, list(currencies), units)
        return self.money[name]

    def _currencies_of_call(self, name: object) -> Any:
        """The currencies of a selection that left their column out, as the call remembers them."""
        meaning = self.meanings.get(name)
        if (
            self.call is None
            or meaning is None
            or meaning.object != self.info.object
            or len(meaning.path) > 1
        ):
            return None
        if self.call.currency:
            return [self.call.currency] * len(self.bare)
        known = self.call.currencies
        return [known.get(each) for each in self.bare["id"]] if known and "id" in self.bare.columns else None

    def _with_deadlines(self, texts: list[str]) -> list[str]:
        name = DEADLINES.get(self.info.object, "")
        if name not in self.bare.columns:
            return texts
        days = cell_texts.times(self.bare[name], self.info.zone or "UTC", day_only=True)
        return [with_deadline(word, day) for word, day in zip(texts, days, strict=True)]

    # The whole ----------------------------------------------------------------------------------------------
    def title(self) -> str:
        """What is shown, in a line: `customers list · 100 rows`."""
        if self.about.get("title"):  # a report names itself
            period = self.about.get("period")
            named = [str(self.about["title"]), period if isinstance(period, str) else "", self.info.account]
            return " · ".join(part for part in named if part)
        what = (
            str(self.about.get("module") or self.about.get("object") or "")
            .replace(".", " ")
            .replace("_", " ")
        )
        rows = f"{cell_texts.count(len(self.frame))} row{'' if len(self.frame) == 1 else 's'}"
        return " · ".join(part for part in (what, rows, self.info.account) if part)

    def notes(self, shown: int | None = None) -> list[str]:
        """What stands below the table: rows and columns that are not shown, and what the call had to say."""
        shown = len(self.columns) if shown is None else shown
        said = [str(each) for each in self.about.get("notes") or []]
        if not said and self.about.get("complete") is False:
            said.append("This list is not complete; there are more rows: --limit all.")
        said += self.unknown_units
        if self.name_problem:
            said.append(self.name_problem)
        if len(self.frame) and shown < len(self.frame.columns):
            said.append(
                f"{shown} of {len(self.frame.columns)} columns are shown; the DataFrame has all"
                f" ({self.all_columns_by})."
            )
        if any(len(each) == MAX_EXPORTED for name in self.columns for each in self.cells[name]):
            said.append(f"Texts are cut after {MAX_EXPORTED:,} characters, in exports too.")
        if (
            any(self.money.values())
            and any(self.money.get(name) for name in self.columns)
            and (self.info.units or "minor") == "minor"
        ):
            said.append("Amounts are shown in major units (dollars); the values are minor units (cents).")
        return said


class _Limits:
    """How much is shown: what the magics are set to, unless pandas' own options were."""

    def __init__(self, rows: int, columns: int) -> None:
        import pandas as pd

        own_rows, own_columns = pd.get_option("display.max_rows"), pd.get_option("display.max_columns")
        self.rows: int | None = rows if own_rows == _PANDAS["display.max_rows"] else own_rows
        self.columns: int | None = columns if own_columns in (0, 20) else own_columns


def _balance_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """A balance as one row a currency: what is available, pending ..."""
    import pandas as pd

    from stripe_magics.frames.frame_info import FrameInfo

    amounts: dict[str, dict[str, int]] = {}
    for name in frame.columns:
        for cell in frame[name].head(1):
            if (
                isinstance(cell, list)
                and cell
                and all(isinstance(each, dict) and {"amount", "currency"} <= each.keys() for each in cell)
            ):
                amounts[str(name)] = {str(each["currency"]): int(each["amount"]) for each in cell}
    if not amounts:
        return frame
    currencies = sorted({code for each in amounts.values() for code in each})
    made = pd.DataFrame(
        {
            "currency": currencies,
            **{name: [each.get(code, 0) for code in currencies] for name, each in amounts.items()},
        }
    )
    return FrameInfo.of(frame).replace(amounts=list(amounts)).put(made)


def _says_something(values: Any) -> bool:
    from stripe_magics.accessor.list_columns import has_values

    return has_values(values)
