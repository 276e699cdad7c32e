"""Whether a line of ours goes on with the name of a file or a folder: what its flags and words declare that
they take. IPython's own completion of files stays there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stripe_magics._options import find_option
from stripe_magics.errors import StripeMagicsError
from stripe_magics.magics.command_completion import known, last_piece
from stripe_magics.magics.completion import line_of
from stripe_magics.parsing.lexer import split

if TYPE_CHECKING:
    from stripe_magics.magics.subcommands.subcommand import Subcommand


def file_is_next(text: str) -> bool:
    """Whether a cell's text, up to the cursor, ends where a file or a folder is named."""
    line = line_of(text)
    if line is None:
        return False
    piece = last_piece(line)
    try:
        words = [word.text for word in split(line[: len(line) - len(piece)])]
    except StripeMagicsError:
        return False  # inside a quote
    flag, equals, _ = piece.partition("=")
    if piece.startswith(("$", "-")) and not equals:
        return False
    if not (piece.startswith("--") and equals):
        flag = words[-1] if words and words[-1].startswith("--") and "=" not in words[-1] else ""
    name = flag[2:].replace("-", "_")
    module, _ = known(words)
    if module is not None:
        option = find_option(name) if name and module.get(name) is None else None
        return option is not None and _is_path(option.value)
    from stripe_magics.magics.subcommands import SUBCOMMANDS
    from stripe_magics.magics.subcommands.flag_help import about

    own = SUBCOMMANDS.get(tuple(words[:2])) or SUBCOMMANDS.get(tuple(words[:1]))
    if own is None:
        return False
    if name and own.flags.get(name) in {"text", "list"}:
        return _is_path(about(own.name, name)[0])
    return _is_path(_next_value(own, words[len(own.words) :]))


def _is_path(value: str) -> bool:
    """Whether what stands for a value in the help says that it is a file or a folder."""
    return "FILE" in value or "FOLDER" in value


def _next_value(own: Subcommand, words: Sequence[str]) -> str:
    """What stands in the help for the next value without a flag."""
    count = 0
    before = ""
    for word in words:
        takes = own.flags.get(before[2:].replace("-", "_")) if before.startswith("--") else None
        count += not word.startswith("--") and takes not in {"text", "list"}
        before = word if "=" not in word else ""
    usage = own.usage.split()
    return usage[count] if count < len(usage) else ""
