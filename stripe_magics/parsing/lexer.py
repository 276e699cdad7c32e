"""Words of a line: one rule of quoting, the same on every system.

- Whitespace separates words; an unquoted ` #` starts a comment that runs to the end of the line.
- '...' is taken as it stands, names in it too; "..." and bare text know two escapes, a backslash before a
  quote and before a backslash. Any other backslash is itself, so that a Windows path needs no care.
- $'...' is for what cannot be typed on a line: \\n, \\t, \\r, \\xHH, \\uHHHH, \\UHHHHHHHH.
- A backslash at the end of a line joins the next one to it.

A `Word` remembers of each of its characters how it stood: bare ("."), in double quotes ("d"), or protected by
single quotes or a backslash ("x"). Only bare text can be a flag or end a line; `$name` and `{{name}}` are
looked up wherever they were not protected.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from stripe_magics.errors import UsageFault

_SAFE = re.compile(r"[A-Za-z0-9_@%+:,./\[\]=^~-]+\Z")
_NAME = re.compile(r"\$([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\Z")
_ANSI = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_ANSI_LETTERS = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "v": "\v",
}
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its text, and how each character of it stood."""

    text: str
    mask: str

    def cut(self, start: int, end: int | None = None) -> Word:
        """A part of it."""
        return Word(self.text[start:end], self.mask[start:end])

    @property
    def flag(self) -> bool:
        """Whether it is written as a flag: a bare hyphen before a letter or another hyphen."""
        return self.mask[:1] == "." and re.match(r"--?[A-Za-z]|--$", self.text) is not None

    @property
    def name(self) -> str:
        """`df.id` if the word is `$df.id`, else ""."""
        found = _NAME.match(self.text)
        return found[1] if found and self.mask[0] != "x" else ""

    @classmethod
    def plain(cls, text: str) -> Word:
        """A bare word."""
        return cls(text, "." * len(text))


def split(text: str) -> list[Word]:
    """The words of a line (or several). Raises `UsageFault` for a quote that is left open."""
    words: list[Word] = []
    letters: list[str] = []
    mask: list[str] = []
    begun = False  # "" is a word too
    at, end = 0, len(text)

    def put(piece: str, how: str) -> None:
        letters.append(piece)
        mask.append(how * len(piece))

    def finish() -> None:
        nonlocal begun
        if begun:
            words.append(Word("".join(letters), "".join(mask)))
            letters.clear()
            mask.clear()
            begun = False

    while at < end:
        char = text[at]
        if char.isspace():
            finish()
            at += 1
        elif char == "#" and not begun:
            at = _line_end(text, at)
        elif char == "\\" and (joined := re.compile(r"\\[ \t]*(?:\r?\n|\Z)").match(text, at)):
            finish()
            at = joined.end()
        elif char == "\\" and text[at + 1 : at + 2] in {"'", '"', "\\"}:
            put(text[at + 1], "x")
            begun = True
            at += 2
        elif char == "'":
            close = _closing(text, at + 1, "'", escapes=False)
            put(text[at + 1 : close], "x")
            begun = True
            at = close + 1
        elif char == "$" and text[at + 1 : at + 2] == "'":
            inner, at = read_ansi_quoted(text, at + 2)
            put(inner, "x")
            begun = True
        elif char == '"':
            close = _closing(text, at + 1, '"', escapes=True)
            _double(text[at + 1 : close], put)
            begun = True
            at = close + 1
        else:
            put(char, ".")
            begun = True
            at += 1
    finish()
    return words


def read_ansi_quoted(text: str, at: int) -> tuple[str, int]:
    """The inside of `$'...'` from there on, its escapes read, and the place behind it."""
    close = _closing(text, at, "'", escapes=True)
    return _ANSI.sub(_ansi, text[at:close]), close + 1


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _closing(text: str, at: int, quote: str, *, escapes: bool) -> int:
    start = at
    while at < len(text):
        if text[at] == "\\" and escapes:
            at += 2
            continue
        if text[at] == quote:
            return at
        at += 1
    near = text[max(0, start - 1) : start + 20].splitlines()[0]
    raise UsageFault(
        f"A quote is left open: {near} ...",
        advice='Text with an apostrophe goes into double quotes: --description "Jenny\'s order".',
    )


def _double(inner: str, put: Callable[[str, str], None]) -> None:
    """The inside of double quotes: text in which names are looked up, but for the two escapes and a joined
    line."""
    for piece in re.split(r"(\\[\"'\\]|\\\r?\n)", inner):
        if re.fullmatch(r"\\[\"'\\]", piece):
            put(piece[1], "x")
        elif piece and not re.fullmatch(r"\\\r?\n", piece):
            put(piece, "d")


def _ansi(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        return chr(int(code, 16))
    return _ANSI_LETTERS.get(found[4], found[4])


def quote(text: str) -> str:
    """The word that `split` reads as this text, protected wherever a name could be seen in it."""
    if text and _SAFE.match(text) and not text.startswith(("-", "=", "~")):
        return text
    if _BREAKS.search(text):
        escaped = text.replace("\\", "\\\\").replace("'", "\\'")
        return "$'" + _BREAKS.sub(_escape, escaped) + "'"
    ends = text.endswith(("?", ";"))  # at the end of a line these would ask for help, or keep it quiet
    looked_up = "$" in text or "`" in text  # here, or by a shell that the line is pasted into
    if "'" not in text and "{{" not in text and (ends or looked_up or '"' in text or "\\" in text):
        return f"'{text}'"
    if ends or looked_up or "{{" in text:
        return "$'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escape(found: re.Match[str]) -> str:
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    code = ord(found[0])
    return short.get(found[0]) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
