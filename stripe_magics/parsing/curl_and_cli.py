"""Lines that were copied from elsewhere: a line of Stripe's command line tool, or a `curl` request, over one line or several.

Both come with or without a prompt (`$ `). A key in them is dropped unused, with a word about it; anything that doesn't ask Stripe
for something (a pipe, another host) is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from stripe_magics import catalogue
from stripe_magics.catalogue.module import Module
from stripe_magics.errors import UsageFault
from stripe_magics.parsing import command_names
from stripe_magics.parsing.lexer import Word, split
from stripe_magics.parsing.variables import KEY, refuse_keys

_START = re.compile(r"\s*(?:#[^\n]*\n\s*)*(?:[$>%]\s+)?(stripe|curl)(?=\s|\Z)")
_KEY_NOTE = (
    "The key in the pasted line was dropped and not used; the connection's own is. Roll it if it was real."
)
# curl's flags: those with a value that matters, those with one that doesn't, those without any
_WITH_VALUE = {
    "-u": "user", "--user": "user", "-d": "data", "--data": "data", "--data-raw": "data", "--data-ascii": "data", "--data-binary": "data",
    "--data-urlencode": "encode", "-F": "file", "--form": "file", "-H": "header", "--header": "header", "-X": "method", "--request": "method",
    "--url": "url", "--json": "json", "-o": "", "--output": "", "-m": "", "--max-time": "", "--retry": "", "-A": "", "--user-agent": "",
    "--connect-timeout": "", "--oauth2-bearer": "user", "-w": "",
}  # fmt: skip
_ALONE = {"-G": "get", "--get": "get", "-I": "", "-s": "", "-S": "", "-v": "", "-i": "", "-k": "", "-L": "", "-f": "", "--silent": "",
          "--show-error": "", "--verbose": "", "--include": "", "--fail": "", "--location": "", "--compressed": "", "-sS": "", "-g": "", "--globoff": ""}  # fmt: skip


@dataclass(slots=True)
class Pasted:
    """A pasted call: its module, the words that are still to be read, and what a request says beside them."""

    module: Module
    words: list[Word] = field(default_factory=list)
    path_values: list[tuple[str, str]] = field(default_factory=list)
    params: list[tuple[str, str]] = field(default_factory=list)
    headers: list[Word] = field(default_factory=list)
    json: str = ""
    notes: list[str] = field(default_factory=list)


def starts(text: str | None) -> bool:
    """Whether a text is a pasted line."""
    return bool(text) and _START.match(text or "") is not None


def look(line: str, cell: str | None) -> Pasted | None:
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
    words = split(text)
    while words and words[0].text in {"$", ">", "%"}:
        words = words[1:]
    tool, rest = words[0].text, words[1:]
    _refuse_shell(rest)
    found = _curl(rest) if tool == "curl" else _stripe(rest)
    found.words += split(before)
    return found


def _refuse_shell(words: list[Word]) -> None:
    for word in words:
        if word.text in {"|", ">", ">>", "&&", "||", "&"} and set(word.mask) == {"."}:
            raise UsageFault(f"Only the call itself can be run here, without the part from {word.text} on.")


def _stripe(words: list[Word]) -> Pasted:
    """A line of the command line tool; a key in it is dropped."""
    from stripe_magics.parsing.options import VERBS
    from stripe_magics.parsing.parser import named

    kept, notes, at = [], [], 0
    while at < len(words):
        word = words[at]
        if word.text == "--api-key":
            at += 1
            notes = [_KEY_NOTE]
        elif word.text.startswith("--api-key="):
            notes = [_KEY_NOTE]
        else:
            refuse_keys(word.text)
            kept.append(word)
        at += 1
    module, rest, asks = named(kept)
    found = Pasted(module, rest, notes=notes)
    if asks:
        found.words.append(Word.plain("--help"))
    if module.name == "api.call" and kept[0].text in VERBS:
        found.path_values.append(("method", VERBS[kept[0].text]))
    return found


def _curl(words: list[Word]) -> Pasted:
    """A curl request: the module that answers its path, or Make an API Call."""
    method, url, get = "", "", False
    data: list[tuple[str, str]] = []
    headers: list[Word] = []
    json_body, files, dropped = "", False, False
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        flag, given = word.text, None
        if not word.flag:
            if url:
                raise UsageFault(f"Only one address can be called; {url!r} and {word.text!r} stand there.")
            url = word.text
            continue
        if flag.startswith("--") and "=" in flag:
            flag, given = flag.split("=", 1)[0], word.cut(flag.index("=") + 1)
        elif flag not in _ALONE and not flag.startswith("--") and len(flag) > 2:
            flag, given = flag[:2], word.cut(2)
        if flag in _ALONE:
            get = get or _ALONE[flag] == "get"
            continue
        what = _WITH_VALUE.get(flag)
        if what is None:
            raise UsageFault(
                f"curl's {flag} is not taken here.",
                advice="Leave it out, or write the call as `%stripe get|post PATH -d ...`.",
            )
        if given is None:
            if at >= len(words):
                raise UsageFault(f"curl's {flag} needs a value.")
            given = words[at]
            at += 1
        if what == "user":
            dropped = True
        elif what == "header":
            if re.match(r"authorization\s*:", given.text, re.IGNORECASE):
                dropped = True
            elif "json" in given.text.lower() and given.text.lower().startswith("content-type"):
                json_body = json_body or "wanted"
            else:
                refuse_keys(given.text)
                headers.append(given)
        elif what == "method":
            method = given.text.upper()
        elif what == "url":
            url = given.text
        elif what == "json":
            json_body, data = "wanted", [("", given.text)]
        elif what == "file":
            files = True
            data.append(_pair(given.text))
        elif what == "data":
            data += (
                [("", given.text)]
                if given.text.lstrip()[:1] in {"{", "["}
                else [_pair(part, decode=True) for part in given.text.split("&")]
            )
        elif what == "encode":
            data.append(_pair(given.text))
    if not url:
        raise UsageFault("The pasted curl line has no address.")
    if KEY.search(url) or re.match(r"https?://[^/]*@", url):
        dropped, url = True, re.sub(r"(https?://)[^/]*@", r"\1", url)
    for name, value in data:
        refuse_keys(name, value)
    path, query = command_names.path_and_query(url if "/" in url else "/" + url)
    refuse_keys(path, *[value for _, value in query])
    method = method or ("GET" if get or not data else "POST")
    notes = [_KEY_NOTE] if dropped else []
    if json_body == "wanted" and data and not data[0][0]:
        found = Pasted(
            catalogue.find("api.call"),
            path_values=[("url", path), ("method", method)],
            params=query,
            json=data[0][1],
        )
    else:
        at_path = command_names.at_path(method, path)
        if at_path is not None and (files <= at_path[0].files):
            found = Pasted(at_path[0], path_values=at_path[1], params=[*query, *data])
        else:
            found = Pasted(
                catalogue.find("api.call"),
                path_values=[("url", path), ("method", method)],
                params=[*query, *data],
            )
    found.headers, found.notes = headers, notes
    return found


def _pair(text: str, *, decode: bool = False) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageFault(f"curl's data {text!r} is no name=value.")
    return (unquote_plus(name), unquote_plus(value)) if decode else (name, value)
