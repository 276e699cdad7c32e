"""Words of a pasted shell line, read as the shell would that it was written for: bash or zsh, PowerShell,
cmd.

- Quotes, backslashes and continued lines are taken as there (`\\$`, `\\[`; a backtick at the end of a line in
  PowerShell, `^` in cmd).
- A variable (`$NAME`, `${NAME}`, `%NAME%` in cmd) and a placeholder (`{{NAME}}`) stay references until
  somebody asks for the word's text:
  what stands for a key is dropped without being looked up.
- What only a shell can do (command substitution, `${NAME:-x}`, brace expansion) is refused with its name: it
  would be sent as it is.
- Pipes, redirections and `;` are kept apart from the words; `curl_and_cli` says what becomes of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

from stripe_magics.errors import UsageFault
from stripe_magics.parsing.lexer import Word, read_ansi_quoted


class Piece(NamedTuple):
    """A part of a word: how it stood (bare ".", quoted or escaped "x", in double quotes "d", a reference "$")
    and the variable's name."""

    text: str
    how: str
    name: str = ""


@dataclass(slots=True)
class ShellWord:
    """One word, its references still open."""

    pieces: list[Piece] = field(default_factory=list)

    @property
    def source(self) -> str:
        """The word with its references as they were written."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def literal(self) -> str:
        """What stands in the word itself, without its references."""
        return "".join(piece.text for piece in self.pieces if piece.how != "$")

    @property
    def is_flag(self) -> bool:
        """Whether it begins with a hyphen; a shell takes quotes away before anybody sees them."""
        return self.source.startswith("-") and len(self.source) > 1

    @property
    def reference(self) -> str:
        """The variable's name if the whole word is one reference, else ""."""
        return self.pieces[0].name if len(self.pieces) == 1 else ""

    def text(self, look_up: Callable[[str, str], str]) -> str:
        """The word's text, each reference replaced by what `look_up(name, source)` says."""
        return "".join(
            look_up(each.name, each.text) if each.how == "$" else each.text for each in self.pieces
        )

    def cut(self, start: int) -> ShellWord:
        """What comes after the first characters; they must not lie in a reference."""
        rest: list[Piece] = []
        for piece in self.pieces:
            if start >= len(piece.text):
                start -= len(piece.text)
                continue
            rest.append(piece if start == 0 else piece._replace(text=piece.text[start:]))
            start = 0
        return ShellWord(rest)

    def resolved(self, look_up: Callable[[str, str], str]) -> Word:
        """The same as a word of ours, in which nothing is looked up any more."""
        pieces = [
            (look_up(each.name, each.text), "x") if each.how == "$" else each[:2] for each in self.pieces
        ]
        mask = "".join(("." if how == "." else "x") * len(text) for text, how in pieces)
        return Word("".join(text for text, _ in pieces), mask)


@dataclass(slots=True)
class ShellCommand:
    """One command of a line: its words, its redirections, and the operator after it ("" at the end)."""

    words: list[ShellWord] = field(default_factory=list)
    redirections: list[tuple[str, ShellWord]] = field(default_factory=list)
    operator: str = ""


_OPERATORS = re.compile(r"&&|\|\||\|&|[|;&\n]")
_REDIRECTION = re.compile(r"(?:\d*|&)(?:>>|>\||>&|>|<<<|<<-?|<)")
_CONTINUED = {
    "bash": r"\\[ \t]*(?:\r?\n|\Z)",
    "powershell": r"`[ \t]*(?:\r?\n|\Z)",
    "cmd": r"\^[ \t]*(?:\r?\n|\Z)",
}
_ESCAPE = {"bash": "\\", "powershell": "`", "cmd": "^"}
_ESCAPED_IN_QUOTES = {"bash": '$`"\\', "powershell": '$`"', "cmd": ""}
_REFERENCE = re.compile(r"\$(?:env:)?([A-Za-z_]\w*)|\$\{(?:env:)?([A-Za-z_]\w*)\}")
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*\}\}")
_CAPITALS = re.compile(r"\{\{\s*([A-Z][A-Z0-9_]*)\s*\}\}")
_BRACES = re.compile(r"\{[^{}\s'\"]*(?:,|\.\.)[^{}\s'\"]*\}")
_SPECIAL = re.compile(r"\$(?:[0-9@*#?$!-]|\{[^}]*\}?|\()")


def dialect(text: str) -> str:
    """The shell that a text is written for, by how its lines are continued."""
    if re.search(r"\s`[ \t]*\r?\n", text):
        return "powershell"
    return "cmd" if re.search(r"\s\^[ \t]*\r?\n", text) else "bash"


def read_script(text: str) -> list[ShellCommand]:
    """The commands of a text, in order. Raises `UsageFault` for what can't be read or done here."""
    return _ShellReader(text, dialect(text)).read()


class _ShellReader:
    def __init__(self, text: str, shell: str) -> None:
        self.text, self.shell, self.at = text, shell, 0
        self.stages = [ShellCommand()]
        self.word: ShellWord | None = None
        self.redirection = ""
        # a here-document that begins on the next line: its end, quoted or not
        self.here: tuple[str, bool] | None = None

    def read(self) -> list[ShellCommand]:
        continued = re.compile(_CONTINUED[self.shell])
        while self.at < len(self.text):
            char = self.text[self.at]
            if (found := continued.match(self.text, self.at)) is not None:
                if len(found[0].strip()) < len(found[0].rstrip("\r\n")):
                    # blanks behind the mark: meant to go on
                    self._end_word()
                self.at = found.end()
            elif char == "\n":
                self._end_stage("\n")
                self.at += 1
                self._here_document()
            elif char.isspace():
                self._end_word()
                self.at += 1
            elif char == "#" and self.word is None:
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.word is None and (found := _REDIRECTION.match(self.text, self.at)) is not None:
                self._redirect(found)
            elif char in "<>":
                self._end_word()
            elif (found := _OPERATORS.match(self.text, self.at)) is not None and self._is_operator(found[0]):
                self._end_stage(found[0])
                self.at = found.end()
            else:
                self._character(char)
        self._end_word()
        if self.here is not None:
            raise UsageFault("The here-document (<<) has no end.")
        return [stage for stage in self.stages if stage.words]

    def _is_operator(self, text: str) -> bool:
        return self.shell != "cmd" or text != ";"

    def _character(self, char: str) -> None:
        if char == _ESCAPE[self.shell]:
            self._put(self.text[self.at + 1 : self.at + 2], "x")
            self.at += 2
        elif char == "'" and self.shell != "cmd":
            self._single()
        elif char == "$" and self.text[self.at + 1 : self.at + 2] == "'" and self.shell == "bash":
            text, self.at = read_ansi_quoted(self.text, self.at + 2)
            self._put(text, "x")
        elif char == '"' or self.text.startswith('$"', self.at):
            self.at += 1 if char == '"' else 2
            self.double_quoted()
        elif char == "`":
            self._refuse("`...` (command substitution)")
        else:
            self._reference_or(char, ".")

    def _put(self, text: str, how: str, name: str = "") -> None:
        if self.word is None:
            self.word = ShellWord()
        last = self.word.pieces[-1] if self.word.pieces else None
        if last is not None and last.how == how != "$":
            self.word.pieces[-1] = Piece(last.text + text, how)
        elif text or name:
            self.word.pieces.append(Piece(text, how, name))

    def _reference_or(self, char: str, how: str) -> None:
        """A reference that begins here, or the character itself."""
        for pattern in (_REFERENCE, _PLACEHOLDER):
            if pattern is _REFERENCE and self.shell == "cmd":
                continue
            if (found := pattern.match(self.text, self.at)) is not None:
                self._put(found[0], "$", next(group for group in found.groups() if group))
                self.at = found.end()
                return
        if (
            self.shell == "cmd"
            and (found := re.compile(r"%([A-Za-z_]\w*)%").match(self.text, self.at)) is not None
        ):
            self._put(found[0], "$", found[1])
            self.at = found.end()
            return
        if self.shell != "cmd" and (special := _SPECIAL.match(self.text, self.at)) is not None:
            self._refuse(special[0] + ("...)" if special[0] == "$(" else ""))
        if how == "." and self.shell == "bash" and (braces := _BRACES.match(self.text, self.at)) is not None:
            self._refuse(f"{braces[0]} (brace expansion)")
        self._put(char, how)
        self.at += 1

    def _single(self) -> None:
        close = self.text.find("'", self.at + 1)
        if close < 0:
            raise UsageFault(f"A quote is left open: {self.text[self.at : self.at + 20]} ...")
        inner = self.text[self.at + 1 : close]
        self.at = close + 1
        if self.shell == "powershell" and self.text.startswith("'", self.at):
            inner += "'"
        done = 0
        for found in _CAPITALS.finditer(inner):
            # a placeholder of the documentation, which nobody means to send
            self._put(inner[done : found.start()], "x")
            self._put(found[0], "$", found[1])
            done = found.end()
        self._put(inner[done:], "x")

    def double_quoted(self) -> None:
        self._put("", "d")
        start = self.at
        while self.at < len(self.text):
            char, following = self.text[self.at], self.text[self.at + 1 : self.at + 2]
            if (self.shell == "cmd" and char == "\\" and following in {'"', "\\"}) or (
                char == _ESCAPE[self.shell] and following and following in _ESCAPED_IN_QUOTES[self.shell]
            ):
                self._put(following, "x")
                self.at += 2
            elif self.shell == "bash" and char == "\\" and following == "\n":
                self.at += 2
            elif char == '"' and self.shell == "powershell" and following == '"':
                self._put('"', "x")
                self.at += 2
            elif char == '"':
                self.at += 1
                return
            elif char == "`" and self.shell == "bash":
                self._refuse("`...` (command substitution)")
            else:
                self._reference_or(char, "d")
        raise UsageFault(f"A quote is left open: {self.text[start - 1 : start + 19]} ...")

    def _redirect(self, found: re.Match[str]) -> None:
        self._end_word()
        self.redirection, self.at = found[0], found.end()

    def _end_word(self) -> None:
        word, self.word = self.word, None
        if word is None:
            return
        if not self.redirection:
            self.stages[-1].words.append(word)
            return
        operator, self.redirection = self.redirection, ""
        if operator.startswith("<<") and operator != "<<<":
            self.here = word.source, any(piece.how != "." for piece in word.pieces)
        else:
            self.stages[-1].redirections.append((operator, word))

    def _end_stage(self, operator: str) -> None:
        self._end_word()
        if self.redirection:
            raise UsageFault(f"{self.redirection} needs a file.")
        if self.stages[-1].words:
            self.stages[-1].operator = operator
            self.stages.append(ShellCommand())

    def _here_document(self) -> None:
        """Take the lines up to the end of a here-document as the input of the command before."""
        if self.here is None:
            return
        (end, quoted), self.here = self.here, None
        lines = self.text[self.at :].splitlines(keepends=True)
        for count, line in enumerate(lines):
            if line.strip() == end:
                body = "".join(lines[:count])
                self.at += len(body) + len(line)
                stage = next(each for each in reversed(self.stages) if each.words)
                stage.redirections.append(
                    ("<<", ShellWord([Piece(body, "x")]) if quoted else _here_words(body))
                )
                return
        raise UsageFault(f"The here-document has no line {end!r}, its end.")

    def _refuse(self, what: str) -> NoReturn:
        raise UsageFault(
            f"{what}: only a shell can do that, so nothing was sent.",
            advice="Put its value in its place, or into a variable of that name; a literal $ is written \\$.",
        )


def _here_words(body: str) -> ShellWord:
    """A here-document whose end isn't quoted: names in it are looked up."""
    reader = _ShellReader(body.replace('"', '\\"') + '"', "bash")
    reader.double_quoted()
    return reader.word or ShellWord()
