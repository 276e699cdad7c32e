"""What a `Kind` means in every part of the package: one entry a kind, one table.

- `shape` says what a value is made of, and with it how a line repeats it, how a body nests it and whether an
  empty one counts.
- `reader`, `control`, `preview` and `values` name what validation, a form, the line below its control and
  completion do with it; the functions of those names stand with them, and kinds that are treated alike name
  the same one.
- `help`, `sample` and `placeholder` are its words: on the help page, in an example that runs, in an empty
  control.

A new kind is a member of `Kind` with its entry here; it needs functions of its own only where no kind before
it was treated like that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stripe_magics.catalogue.field import Kind


class Shape(StrEnum):
    """What a value is made of."""

    ONE = "one"
    LIST = "list"
    PAIRS = "pairs"
    ROWS = "rows"
    RANGE = "range"
    JSON = "json"


REPEATED = frozenset({Shape.LIST, Shape.PAIRS, Shape.ROWS})
"""A flag of these may be given several times."""
NESTED = frozenset({Shape.PAIRS, Shape.ROWS, Shape.RANGE, Shape.JSON})
"""Parameters in brackets below theirs are parts of the value."""
COUNTS_EMPTY = frozenset({Shape.LIST, Shape.PAIRS, Shape.ROWS, Shape.JSON})
"""An empty value of these is a value: nothing in it."""
WRITTEN_AS: dict[Shape, tuple[type, ...]] = {
    Shape.LIST: (list,),
    Shape.PAIRS: (dict,),
    Shape.ROWS: (list, dict),
    Shape.RANGE: (dict, list),
    Shape.JSON: (dict, list),
}
"""What a body may give for a field of that shape without being taken for Stripe's nesting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFacts:
    """How values of one kind are read, shown, named and completed."""

    shape: Shape = Shape.ONE
    reader: str = "text"  # validation/readers.py
    control: str = "text"  # forms/control_builders.py
    preview: str = ""  # forms/value_preview.py: what the value means, below its control
    values: str = ""  # magics/completion.py: the values that complete it
    help: str = ""  # what its help page says that it takes; without, its name
    sample: str = "text"  # a value in an example that runs
    placeholder: str = ""
    number: bool = False
    keeps_blanks: bool = False  # blanks may be meant
    widgets: int = 2  # what its control costs a form


_TEXT = KindFacts(sample="A note", keeps_blanks=True)

KINDS: dict[Kind, KindFacts] = {
    Kind.TEXT: _TEXT,
    Kind.LONG_TEXT: KindFacts(control="long_text", help="text", sample="A note", keeps_blanks=True),
    Kind.EMAIL: KindFacts(
        reader="email", values="emails", sample="jenny@example.com", placeholder="name@example.com"
    ),
    Kind.PHONE: KindFacts(sample="+14155550123"),
    Kind.URL: KindFacts(reader="url", sample="https://example.com/thanks", placeholder="https://"),
    Kind.INTEGER: KindFacts(reader="integer", sample="1", placeholder="whole number", number=True),
    Kind.MINOR_AMOUNT: KindFacts(
        reader="minor_amount",
        preview="money",
        help="amount (2000 or 20.00usd)",
        sample="2000",
        placeholder="2500 or 25.00usd",
        number=True,
    ),
    Kind.BOOLEAN: KindFacts(
        reader="boolean", control="boolean", values="booleans", help="yes or no", sample="true"
    ),
    Kind.CHOICE: KindFacts(reader="choice", control="choice", help="one of"),
    Kind.MULTI_CHOICE: KindFacts(
        shape=Shape.LIST, reader="multi_choice", control="multi_choice", help="some of"
    ),
    Kind.TEXT_LIST: KindFacts(shape=Shape.LIST, reader="text_list", control="text_list", help="list"),
    Kind.OBJECT_ID: KindFacts(reader="object_id", control="object_id", help="id", widgets=4),
    Kind.CURRENCY: KindFacts(
        reader="currency",
        control="currency",
        preview="currency",
        values="currencies",
        sample="usd",
        placeholder="usd or US Dollar",
    ),
    Kind.COUNTRY: KindFacts(
        reader="country",
        control="country",
        preview="country",
        values="countries",
        sample="US",
        placeholder="Germany or DE",
    ),
    Kind.LOCALE: KindFacts(reader="locale", values="locales", sample="en", placeholder="en-GB"),
    Kind.TIMESTAMP: KindFacts(
        reader="timestamp",
        control="timestamp",
        preview="moment",
        help="date or time",
        sample="2027-01-31",
        placeholder="2026-01-31, in 7 days",
        widgets=4,
    ),
    Kind.TIMESTAMP_FILTER: KindFacts(
        shape=Shape.RANGE,
        reader="timestamp_filter",
        control="timestamp",
        preview="range",
        help="dates (after, before, on, between)",
        sample="2024-01-01",
        placeholder="after 2026-01-31, 2026-01-01..2026-01-31, last 7 days",
        widgets=3,
    ),
    Kind.METADATA: KindFacts(
        shape=Shape.PAIRS, reader="metadata", control="pairs", help="key=value, repeated", widgets=3
    ),
    Kind.ROWS: KindFacts(shape=Shape.ROWS, reader="rows", control="rows", help="rows", widgets=3),
    Kind.JSON: KindFacts(shape=Shape.JSON, reader="json", control="json", sample="{}"),
    Kind.DECIMAL: KindFacts(reader="decimal", sample="1", number=True),
}


def kind_facts(kind: Kind) -> KindFacts:
    """The entry of a kind."""
    return KINDS[kind]


def shape_of(kind: Kind) -> Shape:
    """What a value of that kind is made of."""
    return KINDS[kind].shape


def kind_name(kind: Kind) -> str:
    """The kind in a word or two, for completions and help pages."""
    return str(kind).replace("_", " ")
