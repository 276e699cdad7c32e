"""The options common to all calls: `--limit`, `--out`, `--from` ... Adding one is one line of `Options`.

`OPTIONS` is the one table of them: the flags of a line, its completion, the help and Python's keywords are
read from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from stripe_magics._form_encoding import describe_missing, plain
from stripe_magics._text import read_boolean, shown
from stripe_magics.errors import Fault, InvalidValue


@dataclass(frozen=True, slots=True)
class Option:
    """An option common to all calls: how it is written and what it does."""

    name: str  # of the attribute: `dry_run`, `from_`
    # "flag" stands alone, "text" and "limit" take a value, "list" may be repeated, "frame" names a DataFrame,
    # "switch" takes on or off
    takes: str
    help: str
    value: str = ""  # what help shows for its value: NAME
    short: str = ""  # the letter that Stripe's own command line tool has for it
    spellings: tuple[str, ...] = ()  # other names of it

    @property
    def key(self) -> str:
        """As a line names it: `from`."""
        return self.name.rstrip("_")

    @property
    def flag(self) -> str:
        """`--dry-run`."""
        return "--" + self.key.replace("_", "-")

    @property
    def usage(self) -> str:
        """`--out NAME`."""
        return f"{self.flag} {self.value}".strip()


def _about(
    takes: str, help: str, value: str = "", *, short: str = "", spellings: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {"takes": takes, "help": help, "value": value, "short": short, "spellings": spellings}


@dataclass(slots=True)
class Options:
    """The options common to all modules."""

    out: str = field(
        default="", metadata=_about("text", "bind the answer to a name instead of showing it", "NAME")
    )
    form: bool = field(default=False, metadata=_about("flag", "the form, filled in with what the line says"))
    dry_run: bool = field(
        default=False, metadata=_about("flag", "show the request; send nothing", spellings=("dryrun",))
    )
    yes: bool = field(
        default=False,
        metadata=_about("flag", "answer yes to what would be asked", short="c", spellings=("confirm",)),
    )
    again: bool = field(default=False, metadata=_about("flag", "make the same write once more on purpose"))
    from_: Any = field(
        default=None, metadata=_about("frame", "one call a row, a result column a row", "FRAME|FILE")
    )
    raw: bool = field(default=False, metadata=_about("flag", "Stripe's JSON in place of a DataFrame"))
    quiet: bool = field(
        default=False, metadata=_about("flag", "show nothing; a semicolon at the end does the same")
    )
    expand: list[str] = field(
        default_factory=list, metadata=_about("list", "an object in place of its id", "PATH", short="e")
    )
    limit: Any = field(
        default=None,
        metadata=_about("limit", "the total over all pages (100 unless given)", "N|all", short="l"),
    )
    columns: list[str] = field(
        default_factory=list,
        metadata=_about("list", "only these columns; customer_name and the like too", "A,B"),
    )
    table: bool = field(
        default=False,
        metadata=_about("flag", "an interactive table: sort, filter, export, rows that open their forms"),
    )
    names: bool = field(
        default=True, metadata=_about("switch", "names beside ids in what is shown (on unless off)", "off")
    )
    to: str = field(
        default="",
        metadata=_about(
            "text",
            "a list as Parquet files in a folder; a PDF (quote, invoice, credit note) or a file's content as"
            " a file",
            "FOLDER|FILE",
        ),
    )
    idempotency: str = field(
        default="",
        metadata=_about(
            "text", "your own key for this write", "KEY", short="i", spellings=("idempotency_key",)
        ),
    )
    stripe_account: str = field(default="", metadata=_about("text", "act for a connected account", "ID"))
    stripe_context: str = field(
        default="", metadata=_about("text", "the account below an organisation", "ID")
    )
    stripe_version: str = field(
        default="", metadata=_about("text", "another version of the API, for this call", "V", short="v")
    )
    help: bool = field(default=False, metadata=_about("flag", "the fields of the command", short="h"))


OPTIONS: dict[str, Option] = {
    each.name.rstrip("_"): Option(each.name, **each.metadata) for each in fields(Options)
}
"""By the name on a line: `from`, `dry_run`."""

_SPELLINGS = {other: key for key, each in OPTIONS.items() for other in (key, each.name, *each.spellings)}


def find_option(name: str) -> Option | None:
    """The option of that name or other spelling: `from`, `from_`, `idempotency_key`, `dry-run`; None if there
    is none."""
    return OPTIONS.get(_SPELLINGS.get(name.replace("-", "_"), ""))


_WITHOUT_EFFECT = {
    "form": {
        "dry_run": "a form shows its request by the button Preview request",
        "to": "a form shows its answer; leave --form out to write files",
        "raw": "a form shows its answer as a table",
    },
    "to": {
        "from_": "--to is for lists, --from for calls that create or change",
        "raw": "files are written as Parquet",
        "table": "the rows go into files, and none is shown",
    },
    "from_": {
        "raw": "each row of the frame gets its result in a column",
        "columns": "the result has the columns of the frame",
        "table": "the result is the frame with a column more",
    },
    "raw": {"columns": "--raw gives Stripe's JSON as it is", "table": "--raw gives Stripe's JSON as it is"},
}
"""Option -> the options that would have no effect beside it, and why: they are refused."""


def read_options(given: Mapping[str, Any]) -> Options:
    """The options of a call, from text or Python values. Raises `InvalidValue` with every fault, by name."""
    found: dict[str, Any] = {}
    faults = []
    for name, value in given.items():
        option = find_option(name)
        if option is None:
            raise LookupError(f"there is no option {name}")
        try:
            found[option.name] = read_option(option, value)
        except ValueError as problem:
            faults.append(Fault(option.key, option.key.replace("_", " ").capitalize(), str(problem)))
    faults += [
        Fault(
            OPTIONS[other.rstrip("_")].key,
            OPTIONS[other.rstrip("_")].key.replace("_", " ").capitalize(),
            f"has no effect beside {OPTIONS[name.rstrip('_')].flag}: {why}",
        )
        for name, others in _WITHOUT_EFFECT.items()
        for other, why in others.items()
        if _is_given(found, name) and _is_given(found, other)
    ]
    if faults:
        raise InvalidValue(faults)
    return Options(**found)


def _is_given(options: Mapping[str, Any], name: str) -> bool:
    value = options.get(name)
    return value is not None and value is not False


def read_option(option: Option, value: object) -> Any:
    """One option's value. Raises ValueError: something that was named has an effect or is refused."""
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        if option.takes == "frame":
            return value
        raise ValueError("a DataFrame is given")
    known = plain(value)
    if known is None or (isinstance(known, str) and not known.strip()):
        how = "empty text" if isinstance(known, str) else describe_missing(value)
        raise ValueError(f"the value is missing ({how}); give one, or leave the option out")
    return _READERS[option.takes](known)


def _frame(value: object) -> Any:
    raise ValueError(f"a {type(value).__name__} is given; give a DataFrame")


def _flag(value: object) -> bool:
    found = read_boolean(str(value)) if isinstance(value, (str, int)) else None
    if found is None:
        raise ValueError(f"{shown(value)} is neither true nor false")
    return found


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(f"a {type(value).__name__} is given; give text")
    return str(value)


def _limit(value: object) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(f"{shown(value)} is not a number of rows; give 1 or more, or all")
    return value


def _list(value: object) -> list[str]:
    items = value if isinstance(value, list) else [value]
    texts = []
    for each in items:
        item = plain(each)
        if not isinstance(item, str):
            raise ValueError(f"{shown(item)} is not text; give a name, or a list of names")
        parts = [part.strip() for part in item.split(",")]
        if not all(parts):
            raise ValueError(f"{shown(item)} has an empty name")
        texts += parts
    if not texts:
        raise ValueError("the list is empty; give a name, or leave the option out")
    return texts


_READERS = {"flag": _flag, "switch": _flag, "text": _text, "limit": _limit, "list": _list, "frame": _frame}
