"""Lines that were copied from elsewhere: a line of Stripe's command line tool, or a `curl` request, over one
line or several.

Both come with or without a prompt (`$ `), and are read by the rules of the shell that they are written for
(`shell`). A key in them is dropped unused, with a note. Variables and placeholders are resolved from Python
or the environment, or refused by their name: nothing is sent as it stands. What only shows the answer (`|
jq`, `> file`) is left out, with a note; anything else that a shell would do is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stripe_magics import catalogue
from stripe_magics._redaction import KEY
from stripe_magics._text import closest_matches
from stripe_magics.catalogue.module import Module
from stripe_magics.errors import UnknownName, UsageFault
from stripe_magics.parsing import command_names
from stripe_magics.parsing.command_words import named
from stripe_magics.parsing.curl import CurlRequest, LookUp, is_literal_key, read_curl
from stripe_magics.parsing.flag_tables import HTTP_VERBS
from stripe_magics.parsing.lexer import Word, split
from stripe_magics.parsing.shell import ShellCommand, ShellWord, read_script
from stripe_magics.parsing.variables import plain_text, refuse_keys

_START = re.compile(
    r"\s*(?:#[^\n]*\n\s*)*(?:[$>%]\s+)?(?:(?:echo|printf|cat)\s[^\n]*?\|\s*)?(stripe|curl)(?:\.exe)?(?=\s|\Z)"
)
_TOOLS = {"curl", "curl.exe", "stripe", "stripe.exe"}
_PROMPTS = {"$", ">", "%"}
_SHOWS = {
    "jq",
    "grep",
    "egrep",
    "less",
    "more",
    "head",
    "tail",
    "cat",
    "tee",
    "json_pp",
    "python",
    "python3",
    "sort",
    "wc",
    "column",
    "fx",
    "bat",
}
_KEY_LEFT_OUT = "The pasted line's key was left out; the connection's own is used."
_KEY_DROPPED = (
    "The key in the pasted line was dropped and not used; the connection's own is. Roll it if it was real."
)


@dataclass(slots=True)
class Pasted:
    """A pasted call: its module, the words that are still to be read, and what a request says beside them."""

    module: Module
    words: list[Word] = field(default_factory=list)
    path_values: list[tuple[str, str]] = field(default_factory=list)
    params: list[tuple[str, str]] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    json: str = ""
    quiet: bool = False
    notes: list[str] = field(default_factory=list)


def starts(text: str | None) -> bool:
    """Whether a text is a pasted line."""
    return bool(text) and _START.match(text or "") is not None


def look(line: str, cell: str | None, namespace: Mapping[str, Any]) -> Pasted | None:
    """The pasted call of a line, or of a cell whose body is one; None if it is neither.

    Options on a cell's own line (`%%stripe --out x`) are kept.
    """
    if starts(line):
        text, before = line + ("\n" + cell if cell else ""), ""
    elif starts(cell) and (not line.strip() or line.lstrip().startswith("-")):
        text, before = cell or "", line
    else:
        return None
    refuse_keys(before)
    look_up = _resolver(namespace)
    stage, stdin, quiet, notes = _one_call(read_script(_without_prompts(text)), look_up)
    tool, rest = stage.words[0].source.removesuffix(".exe"), stage.words[1:]
    found = (
        _from_curl(read_curl(rest, look_up, stdin), look_up) if tool == "curl" else _from_cli(rest, namespace)
    )
    found.words += split(before)
    found.quiet = quiet
    found.notes = [*found.notes, *notes]
    return found


def _without_prompts(text: str) -> str:
    return re.sub(r"(?m)^\s*[$>%]\s+(?=(?:\w+\s[^\n]*\|\s*)?(?:stripe|curl)(?:\.exe)?\s)", "", text)


def _resolver(namespace: Mapping[str, Any]) -> LookUp:
    """What a variable or a placeholder of a pasted line stands for: a Python variable, or one of the
    environment."""

    def look_up(name: str, source: str) -> str:
        first = name.partition(".")[0]
        if first in namespace:
            text = plain_text(name, source, namespace)
        elif name in os.environ:
            text = os.environ[name]
        else:
            near = closest_matches(first, [each for each in namespace if not each.startswith("_")])
            raise UnknownName(
                "variable",
                source,
                near,
                advice=(
                    f"Assign it first ({first} = ...). A $ that is meant as text is written \\$ or goes into"
                    " single quotes."
                ),
            )
        if not text.strip():
            raise UsageFault(f"{source}: the value is missing (empty text). Nothing was sent.")
        refuse_keys(text)
        return text

    return look_up


def _one_call(
    stages: list[ShellCommand], look_up: LookUp
) -> tuple[ShellCommand, str | None, bool, list[str]]:
    """The one command that calls Stripe, what is piped to it, whether a semicolon ends it, and what was left
    out."""
    at = next((at for at, stage in enumerate(stages) if stage.words[0].source in _TOOLS), -1)
    if at < 0:
        raise UsageFault("The pasted text has no curl or stripe command.")
    stage = stages[at]
    stdin: str | None = None
    if at:
        if at > 1 or stages[0].operator != "|":
            _refuse_rest(stages[0].operator, stages[0])
        stdin = _output_of(stages[0], look_up)
    notes = []
    for operator, word in stage.redirections:
        if operator in {"<<", "<<-"}:
            stdin = word.text(look_up)
        elif operator == "<<<":
            stdin = word.text(look_up) + "\n"
        elif operator == "<":
            stdin = _file(word.text(look_up))
        else:
            notes.append(f"{operator} {word.source} was left out: the answer is a DataFrame.")
    previous = stage
    for later in stages[at + 1 :]:
        if previous.operator != "|" or later.words[0].source not in _SHOWS:
            _refuse_rest(previous.operator, later)
        notes.append(
            f"| {' '.join(word.source for word in later.words)} was left out: the answer is a DataFrame."
        )
        previous = later
    if previous.operator not in {"", ";", "\n"}:
        _refuse_rest(previous.operator, None)
    return stage, stdin, previous.operator == ";", notes


def _refuse_rest(operator: str, stage: ShellCommand | None) -> None:
    what = stage.words[0].source if stage is not None else ""
    shown = operator.replace("\n", "the next line:")
    raise UsageFault(
        f"Only one call can be made here, without {shown} {what}".rstrip() + ". Nothing was sent."
    )


def _output_of(stage: ShellCommand, look_up: LookUp) -> str:
    """What `echo`, `printf` and `cat` write."""
    tool, words = stage.words[0].source, [word.text(look_up) for word in stage.words[1:]]
    if stage.redirections:
        raise UsageFault(f"The redirection of {tool} can't be followed here. Nothing was sent.")
    if tool == "echo" and not any(word in {"-e", "-E"} for word in words[:1]):
        bare = words[:1] == ["-n"]
        return " ".join(words[bare:]) + ("" if bare else "\n")
    if tool == "printf" and len(words) == 1 and not re.search(r"[%\\]", words[0]):
        return words[0]
    if tool == "cat" and len(words) == 1 and not words[0].startswith("-"):
        return _file(words[0])
    raise UsageFault(f"{tool} {' '.join(words)} | ...: its output isn't known here. Nothing was sent.")


def _file(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as fault:
        why = getattr(fault, "strerror", "") or "it is not UTF-8 text"
        raise UsageFault(f"The file {name!r} can't be read: {why}. Nothing was sent.") from None


def _from_cli(words: list[ShellWord], namespace: Mapping[str, Any]) -> Pasted:
    """A line of the command line tool; a key in it is dropped."""
    look_up = _resolver(namespace)
    kept: list[Word] = []
    notes: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word.source == "--api-key":
            notes = [_key_note(words[at].literal if at < len(words) else "")]
            at += 1
        elif word.source.startswith("--api-key="):
            notes = [_key_note(word.cut(len("--api-key=")).literal)]
        elif word.reference and word.reference.partition(".")[0] in namespace:
            kept.append(Word.plain(f"${word.reference}"))  # the object itself, as anywhere else
        elif word.source.startswith("--from") and "$" in word.source:
            kept.append(Word.plain(word.source))
        else:
            kept.append(word.resolved(look_up))
            refuse_keys(kept[-1].text)
    module, rest, asks = named(kept)
    found = Pasted(module, rest, notes=notes)
    if asks:
        found.words.append(Word.plain("--help"))
    if module.name == "api.call" and kept[0].text in HTTP_VERBS:
        found.path_values.append(("method", HTTP_VERBS[kept[0].text]))
    return found


def _key_note(literal: str) -> str:
    """What is said of a key that isn't used: one that was in the line is seen in the notebook."""
    return _KEY_DROPPED if is_literal_key(literal) else _KEY_LEFT_OUT


def _from_curl(request: CurlRequest, look_up: LookUp) -> Pasted:
    """A curl request: the module that answers its path, or Make an API Call."""
    url = request.url
    dropped = request.drops_key or bool(KEY.search(url))
    if KEY.search(url):
        raise UsageFault(
            "There is a key in the address; it was not used. Give the path without it. Nothing was sent."
        )
    for name, value in (*request.params, *request.query, *request.headers):
        refuse_keys(name, value)
    path, query = command_names.path_and_query(url if "/" in url else "/" + url)
    method = request.http_method
    key_note = _KEY_DROPPED if request.key_is_literal else _KEY_LEFT_OUT
    notes = [*request.notes, *([key_note] if dropped else [])]
    params = [*query, *request.query, *request.params]
    if method == "GET" and request.params and not request.in_url:
        notes.append("The parameters go into the address: Stripe reads no body with GET.")
    at_path = command_names.at_path(method, path) if not request.json else None
    if at_path is not None and request.is_multipart <= at_path[0].files:
        found = Pasted(at_path[0], path_values=at_path[1], params=params)
    else:
        found = Pasted(
            catalogue.find("api.call"),
            path_values=[("url", path), ("method", method)],
            params=params,
            json=request.json,
        )
    if request.json and path.startswith("/v1/"):
        notes.append("The JSON is sent as form parameters, which /v1 takes.")
    found.words = [word.resolved(look_up) for word in request.options]
    found.headers, found.notes = request.headers, notes
    return found
