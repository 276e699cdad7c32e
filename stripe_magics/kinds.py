"""How a value of each `Kind` is read: raw text, a cell's YAML or a Python value -> the typed value of its field.

- One reader a kind, in one table at the end; a reader raises ValueError with words that say what was given and what is wanted.
- Text never decides its own type: `NO` is a country in a country field and false in a boolean one.
- numpy and pandas values are taken as the plain values they hold; a missing one means that nothing was given.
- Empty text is `UNSET` (clear it at Stripe); whether a field may be cleared is for `binding` to say.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from stripe_magics import money, places, times
from stripe_magics.catalogue.fields import Field, Kind, Role
from stripe_magics.descriptors import descriptor
from stripe_magics.encoding import UNSET, encode, plain
from stripe_magics.errors import Fault, KeyRefused

PATH_ID = re.compile(r"[A-Za-z0-9][\w.\-~@:+ ]*", re.ASCII)
"""What an id in a path may look like: nothing that could lead to another path."""

_KEY = re.compile(
    r"\b(?:sk|rk|rkcs|pk|ek|oak)_(?:live|test|org)_[A-Za-z0-9*._-]{3,}|\b(?:sk|rk|pk)_[A-Za-z0-9]{24,}|\bwhsec_[A-Za-z0-9+/=*_-]{8,}"
)
_TRUE = {"true", "yes", "on", "1", "y", "t"}
_FALSE = {"false", "no", "off", "0", "n", "f"}
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s.,;<>]+")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_DESCRIPTORS = {"statement_descriptor": "whole", "statement_descriptor_suffix": "suffix", "statement_descriptor_prefix": "prefix"}
_IDS: dict[str, tuple[str, ...]] = {  # types of object with the prefixes of their ids; types whose ids people choose are left out
    "customer": ("cus", "gcus"),
    "payment_intent": ("pi",),
    "payment_method": ("pm", "card", "src", "ba"),
    "charge": ("ch", "py"),
    "refund": ("re", "pyr"),
    "payout": ("po",),
    "invoice": ("in",),
    "invoiceitem": ("ii",),
    "balance_transaction": ("txn",),
    "subscription": ("sub",),
    "promotion_code": ("promo",),
    "account": ("acct",),
    "tax_rate": ("txr",),
    "mandate": ("mandate",),
    "discount": ("di",),
    "payment_link": ("plink",),
    "bank_account": ("ba", "card"),
    "source": ("src", "tok", "card", "ba"),
    "test_helpers.test_clock": ("clock",),
    "event": ("evt",),
    "setup_intent": ("seti",),
    "dispute": ("dp", "du"),
    "transfer": ("tr",),
    "price": ("price",),
    "product": ("prod",),
    "webhook_endpoint": ("we",),
}
_FREE_IDS = {"price", "product", "coupon", "plan", "sku"}  # people (and imports) may choose these ids
_OWNERS: dict[str, str] = {prefix: kind for kind, prefixes in reversed(_IDS.items()) for prefix in prefixes}
_OWNERS |= {"card": "card", "tok": "token"}


@dataclass(frozen=True, slots=True)
class Context:
    """What a reader may need to know beside the value."""

    zone: tzinfo = UTC
    now: datetime | None = None
    currency: str | None = None  # of the call, where it has one
    operation: money.Operation = "charge"
    documented: bool = True  # declared by hand: its lists of choices are whole


class RowFaults(ValueError):
    """Faults inside a field of rows."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


class UnknownChoice(ValueError):
    """Not one of the choices; `near` says whether it looks like a slip."""

    near: bool = False


def read(field: Field, value: Any, context: Context) -> Any:
    """The typed value, None (nothing given) or UNSET. Raises ValueError. (Keys were looked for before: `refuse_keys`.)"""
    value = plain(value)
    if value is None or value is UNSET:
        return value
    if isinstance(value, str) and not value.strip() and (not value or field.kind not in _FREE_TEXT):
        return UNSET
    return _READERS[field.kind](field, value, context)


def refuse_keys(value: Any, field: Field | None = None) -> None:
    """Raise KeyRefused if there is a key in the text, or anywhere in nested values. The key is never repeated."""
    if isinstance(value, str):
        if "_" in value and _KEY.search(value):
            where = f"in {field.flag}" if field is not None else "in this call"
            raise KeyRefused(
                f"Something that looks like a Stripe key stands {where}. It was not used.",
                advice="Keys come from %stripe connect only. Delete it here, and roll the key in the Dashboard if others may have seen it.",
            )
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            refuse_keys(key, field)
            refuse_keys(inner, field)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            refuse_keys(inner, field)


def nearest(given: str, names: Iterable[str], count: int = 3) -> list[str]:
    """The names that look most like what was given."""
    known = {name.lower().replace("-", "_"): name for name in names}
    return [known[each] for each in difflib.get_close_matches(given.lower().replace("-", "_"), known, n=count, cutoff=0.6)]


# Plain text


def _text(field: Field, value: Any, context: Context) -> str:
    text = _as_text(value)
    if field.max_length is not None and len(text) > field.max_length:
        raise ValueError(f"{len(text)} characters are given; {field.max_length} at most are taken")
    if field.pattern and not re.search(field.pattern, text):
        raise ValueError(
            f"{_shown(text)} doesn't fit. {field.help}" if field.help else f"{_shown(text)} doesn't fit {field.pattern}"
        )
    part = _DESCRIPTORS.get(_last(field.param)) if field.kind is Kind.TEXT else None
    if part:
        return descriptor(text, "payout" if context.operation == "payout" else part)  # type: ignore[arg-type]
    return text


def _email(field: Field, value: Any, context: Context) -> str:
    text = _text(field, value, context).strip()
    if not _EMAIL.fullmatch(text):
        raise ValueError(f"{_shown(text)} is no e-mail address, such as jenny@example.com")
    return text


def _url(field: Field, value: Any, context: Context) -> str:
    text = _text(field, value, context).strip()
    if not _URL.fullmatch(text):
        hint = (
            f"write https://{text}"
            if re.fullmatch(r"[\w-]+(\.[\w-]+)+(/\S*)?", text)
            else "write it whole, e.g. https://example.com/back"
        )
        raise ValueError(f"{_shown(text)} is no web address; {hint}")
    return text


def _object_id(field: Field, value: Any, context: Context) -> str:
    if isinstance(value, Mapping) or (not isinstance(value, (str, int)) or isinstance(value, bool)):
        raise ValueError(f"a {type(value).__name__} is given; give the id itself, as text")
    text = str(value).strip()
    return check_id(text, field.object)


def check_id(text: str, kind: str) -> str:
    """An id, if it can name an object of that type. Raises ValueError."""
    if "/" in text or "?" in text:
        last = text.rstrip("/").split("?")[0].rpartition("/")[2]
        hint = f"; did you mean {last}?" if PATH_ID.fullmatch(last) and "_" in last else ""
        raise ValueError(f"{_shown(text)} is an address, not an id{hint}")
    if text in {".", ".."} or not PATH_ID.fullmatch(text):
        raise ValueError(f"{_shown(text)} is no id{_such_as(kind)}")
    prefix, underscore, _ = text.partition("_")
    owner = _OWNERS.get(prefix)
    if underscore and owner and kind in _IDS and kind not in _FREE_IDS and prefix not in _IDS[kind]:
        wanted = " or ".join(f"{each}_..." for each in _IDS[kind][:2])
        raise ValueError(f"{text!r} is the id of a {_words(owner)}; the id of a {_words(kind)} ({wanted}) is wanted")
    return text


def _currency(field: Field, value: Any, context: Context) -> str:
    return money.read_currency(_as_text(value))


def _country(field: Field, value: Any, context: Context) -> str:
    return places.country(_as_text(value))


def _locale(field: Field, value: Any, context: Context) -> str:
    return places.locale(_as_text(value))


# Numbers and switches


def _integer(field: Field, value: Any, context: Context) -> int | str:
    if field.role is Role.LIMIT and isinstance(value, str) and value.strip().lower() == "all":
        return "all"
    number = _whole(value, "a whole number")
    return _bounded(field, number)


def _minor_amount(field: Field, value: Any, context: Context) -> int | money.Amount:
    """Whole minor units; an Amount where the text named its currency."""
    if isinstance(value, str):
        amount = money.parse(value, context.currency, context.operation)
    elif isinstance(value, float):
        raise ValueError(f"{value!r} is a float, and money is never one; write whole minor units, or text such as '20.00usd'")
    elif isinstance(value, Decimal) and value != value.to_integral_value():
        money.parse(format(value, "f"), context.currency, context.operation)  # raises, saying what to write
        raise ValueError(f"{value} is no whole number of minor units")
    else:
        amount = money.Amount(money.check(_whole(value, "a whole number of minor units"), context.currency, context.operation))
    low, high = field.minimum, field.maximum
    if low is not None and amount.minor < low:
        raise ValueError(f"{_shown(value)} is too little; {low} (in minor units) is the least")
    if high is not None and amount.minor > high and high < 0:
        raise ValueError(f"{_shown(value)} is too much; {high} (in minor units) is the most")
    return amount if amount.currency else amount.minor


def _boolean(field: Field, value: Any, context: Context) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, (str, int)) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(f"{_shown(value)} is neither true nor false; write one of them (yes, no, on, off, 1, 0 will do)")


def _decimal(field: Field, value: Any, context: Context) -> str:
    text = format(value, "f") if isinstance(value, Decimal) and value.is_finite() else str(value).strip()
    if isinstance(value, float):
        text = format(Decimal(repr(value)), "f")
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text):
        raise ValueError(f"{_shown(value)} is no decimal number, such as 12.5")
    return text


def _whole(value: Any, wanted: str) -> int:
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is no number; {wanted} is wanted")
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,30}", value.strip()):
        return int(value)
    if isinstance(value, (float, Decimal)) and math.isfinite(value) and value == int(value) and abs(int(value)) < 2**53:
        return int(value)
    raise ValueError(f"{_shown(value)} is not {wanted}; digits only")


def _bounded(field: Field, number: int) -> int:
    if field.minimum is not None and number < field.minimum:
        raise ValueError(f"{number} is too small; {field.minimum} is the least")
    if field.maximum is not None and number > field.maximum:
        raise ValueError(f"{number} is too large; {field.maximum} is the most")
    return number


# Choices and lists


def _choice(field: Field, value: Any, context: Context) -> str:
    text = _as_text(value).strip()
    known = (*field.choices, *field.local_choices)
    if text in known or not known:
        return text
    folded = text.lower().replace("-", "_").replace(" ", "_")
    if folded in known:
        return folded
    near = nearest(text, known)
    if not context.documented and not near:
        return text
    fault = UnknownChoice(f"{_shown(text)} is none of the choices; " + _choices_hint(near, known))
    fault.near = bool(near)
    raise fault


def _choices_hint(near: list[str], known: tuple[str, ...]) -> str:
    if near:
        return f"did you mean {' or '.join(near)}?"
    return (
        f"write one of {', '.join(known)}"
        if len(known) <= 12
        else f"write one of {', '.join(known[:8])} ... (--help lists all {len(known)})"
    )


def _multi_choice(field: Field, value: Any, context: Context) -> list[str]:
    return _distinct(_choice(field, each, context) for each in _items(value, split=True))


def _text_list(field: Field, value: Any, context: Context) -> list[str]:
    items = _items(value, split=isinstance(value, str) or bool(field.object) or field.name == "expand")
    if field.object:
        items = [check_id(_as_text(each).strip(), field.object) for each in items]
    texts = [_as_text(each) for each in items]
    if field.maximum is not None and len(texts) > field.maximum:
        raise ValueError(f"{len(texts)} are given; {field.maximum} at most are taken")
    return _distinct(texts)


def _items(value: Any, *, split: bool) -> list[Any]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _json_text(value)
    if isinstance(value, (set, frozenset)):
        raise ValueError("a set has no order; give a list")
    if not isinstance(value, list) and (isinstance(value, (str, int, Decimal)) and not isinstance(value, bool)):
        value = [value]
    if not isinstance(value, list):
        raise ValueError(f"{_shown(value)} is no list; repeat the flag, separate values by commas, or give a list")
    items: list[Any] = []
    for each in value:
        item = plain(each)
        if item is None:
            raise ValueError("the list holds a missing value; leave it out")
        items.extend(
            [part.strip() for part in re.split(r"[,\n]", item) if part.strip()] if split and isinstance(item, str) else [item]
        )
    return items


def _distinct(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))


# Time


def _timestamp(field: Field, value: Any, context: Context) -> int | str:
    if isinstance(value, str) and value in field.choices:  # a word that Stripe takes in place of a moment
        return value
    return times.moment(value, context.zone, context.now)


def _timestamp_filter(field: Field, value: Any, context: Context, operator: str = "") -> times.Range:
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        value = _json_text(value)
    return times.between(value, context.zone, operator=operator, days=UTC if field.utc_days else None, now=context.now)


# Mappings, rows, JSON


def _metadata(field: Field, value: Any, context: Context) -> dict[str, str]:
    pairs = _pairs(value)
    if len(pairs) > 50:
        raise ValueError(f"{len(pairs)} keys are given; Stripe keeps 50")
    result: dict[str, str] = {}
    for key, given in pairs:
        raw = "" if given is UNSET else plain(given)
        if raw is None:
            continue
        if not isinstance(key, str) or not key:
            raise ValueError(f"the key {key!r} is no text")
        if "[" in key or "]" in key:
            raise ValueError(f"the key {key!r} has a square bracket, which Stripe doesn't take in keys")
        if len(key) > 40:
            raise ValueError(f"the key {key!r} has {len(key)} characters; 40 are the most")
        if not isinstance(raw, str):
            raise ValueError(f"the value of {key!r} is a {type(raw).__name__}; metadata holds text: write {str(raw)!r}")
        if len(raw) > 500:
            raise ValueError(f"the value of {key!r} has {len(raw)} characters; 500 are the most")
        if key in result:
            raise ValueError(f"the key {key!r} is given twice")
        result[key] = raw
    return result


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    """A mapping, JSON text, `key=value` text, or a list of these."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, str):
        if value.lstrip().startswith("{"):
            found = _json_text(value)
            return list(found.items())
        pairs = []
        for line in filter(None, (line.strip() for line in value.splitlines())):
            key, sign, text = line.partition("=")
            if not sign:
                raise ValueError(f"{_shown(line)} has no value; write key=value")
            pairs.append((key.strip(), text.strip()))
        return pairs
    if isinstance(value, list):
        return [pair for each in value for pair in (_pairs(each) if not isinstance(each, (list, tuple)) else [tuple(each)])]
    raise ValueError(f"a {type(value).__name__} is given; key-value pairs are wanted: key=value, or a mapping")


def _rows(field: Field, value: Any, context: Context) -> list[dict[str, Any]]:
    raw_rows = _raw_rows(field, value)
    columns = {column.name: column for column in field.columns}
    faults: list[Fault] = []
    rows = [_row(field, columns, raw, number, context, faults) for number, raw in enumerate(raw_rows, start=1)]
    if field.maximum is not None and len(rows) > field.maximum:
        raise ValueError(f"{len(rows)} rows are given; {field.maximum} at most are taken")
    if faults:
        raise RowFaults(faults)
    return rows


def _row(
    field: Field, columns: Mapping[str, Field], raw: Any, number: int, context: Context, faults: list[Fault]
) -> dict[str, Any]:
    row: dict[str, Any] = {}

    def fault(problem: str, column: str = "") -> None:
        faults.append(Fault(field.name, field.title, problem, row=number, column=column))

    for name, given in raw.items():
        column = columns.get(str(name).replace("-", "_"))
        if column is None:
            near = nearest(str(name), columns)
            if near or field.role is not Role.PARAM:
                fault(
                    f"there is no column {str(name)!r}; "
                    + (f"did you mean {' or '.join(near)}?" if near else f"the columns are {', '.join(columns)}")
                )
            else:  # Stripe may know more than we do
                row[str(name)] = plain(given)
            continue
        try:
            read_value = read(column, given, context)
        except RowFaults:
            raise
        except ValueError as problem:
            fault(str(problem), column.label)
            row[column.name] = None
            continue
        if read_value is UNSET and column.required:
            fault("is empty", column.label)
        elif read_value is not None:
            row[column.name] = "" if read_value is UNSET else read_value
    _settle_amounts(columns, row)
    for column in columns.values():
        if column.name not in row and column.required and _holds(column, row):
            fault("is missing", column.label)
    if field.either and len(given := [name for name in field.either if row.get(name)]) != 1:
        fault(f"wants one of {' or '.join(field.either)}" + (", not both" if given else ""))
    elif not row and not faults:
        fault("is empty; leave it out, or fill in " + " or ".join(columns))
    return row


def _settle_amounts(columns: Mapping[str, Field], row: dict[str, Any]) -> None:
    """`20.00usd` in a row: minor units, and the currency into its own column if that was left out."""
    for name, value in [*row.items()]:
        if isinstance(value, money.Amount):
            row[name] = value.minor
            if (holder := columns[name].currency) in columns:
                row.setdefault(holder, value.currency)


def _holds(column: Field, row: Mapping[str, Any]) -> bool:
    return all(str(row.get(name)) in values for name, values in column.when)


def _raw_rows(field: Field, value: Any) -> list[Mapping[Any, Any]]:
    """A list of mappings from what people give: those, JSON text, `name=PO, value=42`, and key-value pairs where these are the columns."""
    if isinstance(value, str):
        value = _json_text(value) if value.lstrip().startswith(("[", "{")) else value.splitlines()
    names = {column.name for column in field.columns}
    if isinstance(value, Mapping):
        if names >= {"key", "value"} and not (set(map(str, value)) & names):
            return [{"key": key, "value": inner} for key, inner in value.items()]
        value = [value]
    if not isinstance(value, list):
        raise ValueError(
            f"a {type(value).__name__} is given; rows are wanted: a list of mappings with {', '.join(sorted(names))}"
        )
    rows: list[Mapping[Any, Any]] = []
    for each in value:
        if isinstance(each, Mapping):
            rows.append(each)
        elif isinstance(each, (list, tuple)) and len(each) == len(field.columns):
            rows.append({column.name: inner for column, inner in zip(field.columns, each, strict=True)})
        elif isinstance(each, str):
            rows.extend(_text_row(each, field))
        else:
            raise ValueError(
                f"{_shown(each)} is no row; a mapping with {', '.join(column.name for column in field.columns)} is wanted"
            )
    return rows


def _text_row(text: str, field: Field) -> list[Mapping[str, Any]]:
    if text.lstrip().startswith(("{", "[")):
        found = _json_text(text)
        return _raw_rows(field, found)
    names = [column.name for column in field.columns]
    if names == ["key", "value"] and not re.match(r"\s*key\s*=", text):
        key, sign, value = text.partition(":" if field.role is Role.HEADERS and ":" in text else "=")
        if sign:
            return [{"key": key.strip(), "value": value.strip()}]
    parts = [part.partition("=") for part in re.split(rf",\s*(?=(?:{'|'.join(map(re.escape, names))})\s*=)", text)]
    if not all(sign for _, sign, _ in parts):
        raise ValueError(f"{_shown(text)} is no row; write {', '.join(f'{name}=...' for name in names)}")
    return [{key.strip(): value.strip() for key, _, value in parts}]


def _json(field: Field, value: Any, context: Context) -> Any:
    found = _json_text(value) if isinstance(value, str) else value
    if not isinstance(found, (Mapping, list)):
        raise ValueError(f'{_shown(value)} is no JSON object, such as {{"key": "value"}}')
    encode({"value": found})  # raises for what can't be sent
    return found


def _json_text(text: str) -> Any:
    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} can't be sent")

    try:
        return json.loads(text, parse_float=Decimal, parse_constant=refuse)
    except json.JSONDecodeError as fault:
        raise ValueError(f"the JSON can't be read: {fault.msg} at line {fault.lineno}, column {fault.colno}") from None


# Words


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        value.encode("utf-8", "strict") if value.isascii() else _whole_characters(value)
        return value
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, float, date)):
        raise ValueError(f"a {type(value).__name__} is given; text is wanted")
    if isinstance(value, float):
        value = int(value) if value.is_integer() else Decimal(repr(value))
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _whole_characters(value: str) -> None:
    if any("\ud800" <= each <= "\udfff" for each in value):
        raise ValueError("the text holds half of a character (a lone surrogate); type it anew")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _last(param: str) -> str:
    return param.removesuffix("]").rpartition("[")[2]


def _words(kind: str) -> str:
    return kind.rpartition(".")[2].replace("_", " ")


def _such_as(kind: str) -> str:
    return f", such as {_IDS[kind][0]}_..." if kind in _IDS else ""


_FREE_TEXT = {Kind.TEXT, Kind.LONG_TEXT}
_READERS: dict[Kind, Callable[[Field, Any, Context], Any]] = {
    Kind.TEXT: _text,
    Kind.LONG_TEXT: _text,
    Kind.EMAIL: _email,
    Kind.PHONE: _text,
    Kind.URL: _url,
    Kind.INTEGER: _integer,
    Kind.MINOR_AMOUNT: _minor_amount,
    Kind.BOOLEAN: _boolean,
    Kind.CHOICE: _choice,
    Kind.MULTI_CHOICE: _multi_choice,
    Kind.TEXT_LIST: _text_list,
    Kind.OBJECT_ID: _object_id,
    Kind.CURRENCY: _currency,
    Kind.COUNTRY: _country,
    Kind.LOCALE: _locale,
    Kind.TIMESTAMP: _timestamp,
    Kind.TIMESTAMP_FILTER: _timestamp_filter,
    Kind.METADATA: _metadata,
    Kind.ROWS: _rows,
    Kind.JSON: _json,
    Kind.DECIMAL: _decimal,
}


def read_filter(field: Field, value: Any, operator: str, context: Context) -> Any:
    """A timestamp filter beside the operator that stands in a field of its own."""
    value = plain(value)
    if isinstance(value, str) and not value.strip():
        return UNSET
    return value if value is None or value is UNSET else _timestamp_filter(field, value, context, operator)
