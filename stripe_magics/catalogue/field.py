"""What a field is: one value that a module takes, declared once.

The flag of a magic, its completion and help, the control of a form, the check of a value, its place in a
request and the name in an error message are all read from the one `Field`:

- `name` is what people type (`--shipping-line1`), `label` and `group` what a form shows, `help` says it in
  words;
- `kind` says how text becomes a value and which control a form shows;
- `param` is Stripe's form parameter (`shipping[address][line1]`), `path` for an id in the path, or `client`
  for a value that is used on this side; `role` then says what for;
- `when` names the fields and values under which this one is asked for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """How a value is read, checked and shown."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    INTEGER = "integer"
    MINOR_AMOUNT = "minor_amount"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    MULTI_CHOICE = "multi_choice"
    TEXT_LIST = "text_list"
    OBJECT_ID = "object_id"
    CURRENCY = "currency"
    COUNTRY = "country"
    LOCALE = "locale"
    TIMESTAMP = "timestamp"
    TIMESTAMP_FILTER = "timestamp_filter"
    METADATA = "metadata"
    ROWS = "rows"
    JSON = "json"
    DECIMAL = "decimal"  # generated operations only: a decimal kept as text


class Role(StrEnum):
    """What becomes of a field's value."""

    PARAM = "param"  # sent under `param`
    PATH = "path"  # stands in the path of the module, or of one of its variants
    LIMIT = "limit"  # the total cap over all pages
    OPERATOR = "operator"  # the comparison of the timestamp filter that names this field in `operator`
    # decides which other fields apply (their `when`), nothing else; left out, it follows from those that are
    # given
    SWITCH = "switch"
    EXPANDS = "expands"  # stands for values of another field (an event group for its types)
    SEARCH = (  # becomes (a part of) an expression of Stripe's search language, as `Module.search` says
        "search"
    )
    LOCAL = "local"  # never sent: tested here, on `row` of each row of the answer
    # never sent: narrows the look-up of the module's id in a form; `replaced_by` says why it goes no further
    LOOKUP = "lookup"
    SPLIT = "split"  # one list for each of several values of a Stripe parameter
    URL = "url"  # Make an API Call: the path and, below, the parts of the request
    METHOD = "method"
    HEADERS = "headers"
    QUERY = "query"
    BODY = "body"
    IDEMPOTENCY_KEY = "idempotency_key"  # the headers of that name
    ACCOUNT = "stripe_account"
    VERSION = "stripe_version"


Conditions = tuple[tuple[str, tuple[str, ...]], ...]
"""Field names with the values (as text; booleans "true"/"false") under which something holds; all of them
must."""


def conditions(when: Mapping[str, str | bool | tuple[str, ...] | list[str]]) -> Conditions:
    """Bring `{"confirm": True, "input_amount": ["unit_amount", "price"]}` into the frozen form of
    `Field.when`."""

    def texts(value: str | bool | tuple[str, ...] | list[str]) -> tuple[str, ...]:  # noqa: FBT001 - one value of the mapping
        if isinstance(value, bool):
            return ("true" if value else "false",)
        return (value,) if isinstance(value, str) else tuple(value)

    return tuple((name, texts(value)) for name, value in when.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value that a module takes. Immutable; see the module's docstring for what each part means."""

    name: str
    label: str
    kind: Kind
    param: str
    role: Role = Role.PARAM
    group: str = ""
    help: str = ""
    required: bool = False  # with `when`: required once shown
    object: str = ""  # OBJECT_ID, TEXT_LIST: the type of object that is named, e.g. "customer"
    choices: tuple[str, ...] = ()
    items: Kind | None = None  # TEXT_LIST: what each of its values is, if it isn't text
    columns: tuple[Field, ...] = ()  # ROWS
    when: Conditions = ()
    minimum: int | None = None  # of a number, or of rows
    maximum: int | None = None
    max_length: int | None = None
    pattern: str = ""
    default: str | int | bool | None = None  # what Stripe does without the value; shown, never sent
    in_more_section: bool = False  # stands in the form's last group, "More"
    # waits in a closed group of the form: it is for platforms with connected accounts
    connect_only: bool = False
    restored: bool = False
    since: str = ""  # the API version that takes it, if the pinned one doesn't
    since_removed: str = ""  # the API version that no longer takes it; "never": the endpoint never did
    replaced_by: str = ""
    operator: str = ""  # TIMESTAMP_FILTER: the field that holds its comparison
    utc_days: bool = False  # TIMESTAMP_FILTER: a bare date is a day in UTC whatever the connection's zone
    currency: str = ""  # MINOR_AMOUNT: the field that holds its currency, if the module has one
    # MINOR_AMOUNT: the fields that name the object whose currency it has, beside the id in the path
    currency_of: tuple[str, ...] = ()
    # MINOR_AMOUNT: "charge" or "payout"; some currencies have other minor units in payouts
    operation: str = "charge"
    # not required if one of these fields, or of Stripe's parameters by their first part, is given
    unless: tuple[str, ...] = ()
    when_params: tuple[str, ...] = ()  # `when` holds, too, if one of these parameters of Stripe's is given
    needs_one_of: tuple[str, ...] = ()  # given, one of these fields must be given as well
    other_choices: tuple[str, ...] = ()  # choices that only another described version has: sent as they stand
    dead_choices: tuple[str, ...] = ()  # choices of old that no described version knows: refused
    required_with: tuple[str, ...] = ()  # required as soon as one of these fields has a value
    either: tuple[str, ...] = ()  # ROWS: exactly one of these columns has a value in a row
    # the parameter that takes the same value (a number as text) from the version `since_removed` on
    renamed_to: str = ""
    # the key of a row that the value is tested on, for LOCAL and wherever a variant tests the field here
    row_key: str = ""
    # CHOICE: further values that Stripe's filter doesn't know; tested here on `row`
    local_choices: tuple[str, ...] = ()
    expands_into: str = ""  # EXPANDS: the field whose values it stands for
    expansion: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """A path parameter needs no role of its own; anything else kept on this side does."""
        if self.param == "path" and self.role is Role.PARAM:
            object.__setattr__(self, "role", Role.PATH)
        if self.param == "client" and self.role is Role.PARAM and not _is_column(self):
            raise ValueError(f"{self.name}: a field that the client uses must say its role")

    @property
    def flag(self) -> str:
        """The flag as shown: `--shipping-line1`."""
        return "--" + self.name.replace("_", "-")

    @property
    def title(self) -> str:
        """Group and label, as an error names the field: `Shipping > Line 1`."""
        return f"{self.group} > {self.label}" if self.group else self.label

    def replace(self, **changes: Any) -> Field:
        """The same field with some parts changed: how a recurring declaration is reused."""
        return dataclasses.replace(self, **changes)


def _is_column(column: Field) -> bool:
    """Columns of rows that the client uses (search conditions, headers) take their part from the rows' own
    role."""
    return column.name in {"key", "value", "field", "operator"}


def in_more_section(*fields: Field) -> Iterator[Field]:
    """The fields of a form's last group."""
    return (each.replace(in_more_section=True) for each in fields)
