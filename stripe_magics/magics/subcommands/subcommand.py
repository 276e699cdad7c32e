"""What a word of ours is, and how its flags are read: by a table of its own, with a line's rules of
quoting."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from stripe_magics._command import Command
from stripe_magics._form_encoding import plain
from stripe_magics._text import closest_matches
from stripe_magics.errors import UnknownName, UsageFault
from stripe_magics.parsing.command_words import ended
from stripe_magics.parsing.lexer import Word
from stripe_magics.parsing.variables import resolve

if TYPE_CHECKING:
    from stripe_magics.client.journal.cell_origin import CellTracker
    from stripe_magics.client.shared_connection import Connection
    from stripe_magics.magics.history import History
    from stripe_magics.magics.seen_ids import Seen

ParsedFlags = dict[str, Any]


class Context(Protocol):
    """What a subcommand needs of the magic that runs it."""

    @property
    def shell(self) -> Any:
        """IPython's."""

    @property
    def cell(self) -> CellTracker:
        """The cell that runs."""

    @property
    def history(self) -> History:
        """The calls of this session."""

    @property
    def seen(self) -> Seen:
        """The ids of the shared connection, for completion."""

    def names(self) -> Mapping[str, Any]:
        """What `$name` may mean."""

    def check_table(self) -> None:
        """Refuse `--table` where itables isn't installed."""

    def run_form(self, command: Command, *, connection: Connection | None, **more: Any) -> Any:
        """A call that a form makes."""


@dataclass(frozen=True, slots=True)
class Subcommand:
    """A word (or two) of ours: what it runs, the flags it knows ("flag" stands alone, "text" takes a value,
    "list" repeats), and what it says."""

    words: tuple[str, ...]
    function: Callable[[Context, list[Any], ParsedFlags], Any]
    help: str
    flags: Mapping[str, str] = field(default_factory=dict)
    most: int = 0  # values without a flag
    usage: str = ""
    body: bool = False  # whether a cell's body means something to it
    page: Callable[[Subcommand, str], Any] | None = None  # the help of one of its values: a report's
    names_in_values: bool = False  # `{{name}}` in a value is the function's to read
    example: str = ""  # what help shows first: a line to copy
    now: Callable[[Context], Mapping[str, str]] | None = None  # by flag: what it is set to

    @property
    def name(self) -> str:
        """`sandbox advance`."""
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Invocation:
    """A subcommand as it was typed."""

    subcommand: Subcommand
    words: list[Word]

    def run(self, context: Context, line: str, cell: str | None) -> Any:
        """Read the flags and do it."""
        words, quiet = ended(self.words)
        if any(word.text in {"--help", "-h", "?"} for word in words):
            from stripe_magics.magics.help_pages import subcommand_page

            named = [word.text for word in words if not word.flag and word.text != "?"]
            if self.subcommand.page is not None and named:
                return self.subcommand.page(self.subcommand, named[0])
            now = self.subcommand.now(context) if self.subcommand.now is not None else {}
            return subcommand_page(self.subcommand, now)
        positional, given = flags(words, self.subcommand, context.names())
        if cell is not None and cell.strip():
            if not self.subcommand.body:
                name = self.subcommand.name
                raise UsageFault(f"{name} takes no body: write it as a line, %stripe {name}.")
            given["cell"] = cell
        answer = self.subcommand.function(context, positional, given)
        out = given.get("out")
        if out:
            from stripe_magics.magics.delivery import bound_line, check_name

            check_name(out)
            context.shell.user_ns[out] = answer
            print(bound_line(out, answer))
        if (out or quiet or given.get("quiet")) and not context.cell.assigns(line):
            return None
        return answer


def flags(
    words: list[Word], subcommand: Subcommand, namespace: Mapping[str, Any]
) -> tuple[list[Any], ParsedFlags]:
    """The values without a flag, and those with one, by the subcommand's own table."""
    known = {**subcommand.flags, "out": "text", "quiet": "flag"}
    positional: list[Any] = []
    given: ParsedFlags = {}
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if not word.flag:
            as_written = subcommand.names_in_values and not word.name
            positional.append(word.text if as_written else resolve(word, namespace))
            continue
        name, equals, _ = word.text.lstrip("-").partition("=")
        key = name.replace("-", "_")
        how = known.get(key)
        if how is None and subcommand.flags.get("**"):
            how = "text" if equals or (at < len(words) and not words[at].flag) else "flag"
        if how is None:
            raise UnknownName(
                "flag",
                f"--{name}",
                [f"--{each.replace('_', '-')}" for each in closest_matches(key, known)],
                advice=usage(subcommand),
            )
        if how == "flag":
            given[key] = True
            continue
        if equals:
            value = resolve(word.cut(word.text.index("=") + 1), namespace)
        elif at < len(words):
            value = resolve(words[at], namespace)
            at += 1
        else:
            raise UsageFault(f"--{name} needs a value.", advice=usage(subcommand))
        if how == "list":
            several = [value] if isinstance(value, str) else plain(value)
            if not isinstance(several, list):
                raise UsageFault(f"--{name} takes a text or a list of texts, not a {type(value).__name__}.")
            given.setdefault(key, []).extend(several)
        elif key in given:
            raise UsageFault(f"--{name} is given twice.")
        else:
            given[key] = value
    if len(positional) > subcommand.most:
        raise UsageFault(
            f"Unexpected argument {str(positional[subcommand.most])!r}.", advice=usage(subcommand)
        )
    return positional, given


def usage(subcommand: Subcommand) -> str:
    """How the word is written, in a line."""
    shown = [
        f"[--{name.replace('_', '-')}{'' if how == 'flag' else ' ...'}]"
        for name, how in subcommand.flags.items()
        if name != "**"
    ]
    return " ".join(
        ["Usage: %stripe", subcommand.name, *([subcommand.usage] if subcommand.usage else []), *shown]
    )


def whole(value: object, what: str) -> int:
    """A whole number, or a `UsageFault`."""
    if isinstance(value, int) or (isinstance(value, str) and re.fullmatch(r"[0-9]+", value)):
        return int(value)
    raise UsageFault(f"{value!r} is not a whole number: {what}.")


def number(name: str, value: Any) -> float:
    """A number, or a `UsageFault`."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UsageFault(f"--{name} must be a number; {value!r} was given.") from None
