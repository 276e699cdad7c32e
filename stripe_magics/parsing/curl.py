"""A curl command's words -> the request that curl would make of them: method, address, parameters, headers.

Only what changes the request matters. What concerns the connection (keys, proxies' retries, verbosity) is
left out, with a note where a person could miss it; what would make another request than Stripe's API takes
(HEAD, uploads by PUT, a second address) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_plus

from stripe_magics._options import find_option
from stripe_magics.errors import UsageFault
from stripe_magics.parsing.shell import Piece, ShellWord

VALUED = {  # curl's options with a value -> what it is; "" is left out
    "-u": "user", "--user": "user", "--oauth2-bearer": "user", "--netrc-file": "user", "-d": "data",
    "--data": "data", "--data-ascii": "data", "--data-raw": "raw", "--data-binary": "binary",
    "--data-urlencode": "encode", "--url-query": "query", "-F": "part", "--form": "part",
    "--form-string": "literal part", "-H": "header", "--header": "header", "-X": "method",
    "--request": "method", "--url": "url", "--json": "json", "-o": "output", "--output": "output", "-w": "",
    "--write-out": "", "-D": "", "--dump-header": "", "-m": "", "--max-time": "", "--connect-timeout": "",
    "--retry": "", "--retry-delay": "", "--retry-max-time": "", "-A": "", "--user-agent": "", "-e": "",
    "--referer": "", "--stderr": "", "--trace": "", "--trace-ascii": "", "--cacert": "", "--tls-max": "",
    "--limit-rate": "", "--max-redirs": "",
}  # fmt: skip
ALONE = {  # curl's options without a value
    "-G": "get", "--get": "get", "-I": "head", "--head": "head", "-n": "user", "--netrc": "user",
    "--netrc-optional": "user", "-O": "output", "--remote-name": "output",
    **dict.fromkeys(
        ("-s", "--silent", "-S", "--show-error", "-v", "--verbose", "-i", "--include", "-k", "--insecure",
            "-L", "--location", "-f",
         "--fail", "--fail-with-body", "-g", "--globoff", "-#", "--progress-bar", "--no-progress-meter", "-N",
         "--no-buffer", "-4", "--ipv4", "-6", "--ipv6", "-0", "--http1.0", "--http1.1", "--http2",
         "--compressed", "--tlsv1.2", "--tlsv1.3", "--basic", "-q", "--path-as-is", "--tcp-nodelay",
         "--retry-connrefused", "--retry-all-errors", "--post301", "--post302",
         "--no-keepalive"), ""),
}  # fmt: skip
DROPPED_HEADERS = {
    "content-type",
    "accept",
    "user-agent",
    "content-length",
    "host",
    "expect",
    "accept-encoding",
}

LookUp = Callable[[str, str], str]


@dataclass(slots=True)
class CurlRequest:
    """What curl would send."""

    url: str = ""
    method: str = ""
    in_url: bool = False  # -G: the data goes into the address
    query: list[tuple[str, str]] = field(default_factory=list)
    params: list[tuple[str, str]] = field(default_factory=list)
    json: str = ""
    has_data: bool = False
    is_multipart: bool = False
    headers: list[tuple[str, str]] = field(default_factory=list)
    drops_key: bool = False
    key_is_literal: bool = False  # it stood in the line itself, not as a variable's name or a placeholder
    notes: list[str] = field(default_factory=list)
    options: list[ShellWord] = field(default_factory=list)  # options of ours that stand among curl's

    @property
    def http_method(self) -> str:
        """The method that curl takes: -X, or by what there is to send."""
        return self.method or ("POST" if self.has_data and not self.in_url else "GET")


_STANDS_FOR_KEY = re.compile(
    r"(?:\$(?:env:)?\{?\w+\}?|%\w+%|\{\{.*\}\}|<.*>|\[.*\]|\{.*\}|\.{3,}|x{4,}|(?:your|my)[-_]?\w+|\w*api_?key\w*"
    r"|(?:[sr]k_(?:test|live)_)?(?:\.{3,}|x{4,}|\*{3,}|…))",
    re.IGNORECASE,
)
"""A variable (`$NAME`, `%NAME%`, `$env:NAME`), or what documentation writes in a key's place."""


def read_curl(words: list[ShellWord], look_up: LookUp, stdin: str | None) -> CurlRequest:
    """Read curl's words. `stdin` is what a pipe or a redirection gives it, None for nothing."""
    return _CurlReader(words, look_up, stdin).read()


class _CurlReader:
    def __init__(self, words: list[ShellWord], look_up: LookUp, stdin: str | None) -> None:
        self.words, self.look_up, self.stdin = words, look_up, stdin
        self.at = 0
        self.found = CurlRequest()
        self.body: list[str] = []  # pieces of the body, as curl joins them with &
        self.is_json = False

    def read(self) -> CurlRequest:
        options_end = False
        while self.at < len(self.words):
            word = self.words[self.at]
            self.at += 1
            if word.source == "--" and not options_end:
                options_end = True
            elif not word.is_flag or options_end:
                self._address(word)
            elif word.source.startswith("--"):
                self._long(word)
            else:
                self._cluster(word)
        self._finish()
        return self.found

    # Options

    def _long(self, word: ShellWord) -> None:
        name, equals, _ = word.source.partition("=")
        option = find_option(name[2:])
        ours = option is not None and (
            name not in VALUED or (name == "--form" and not equals and self._form_is_ours())
        )
        if ours and option is not None:
            self.found.options.append(word)
            if option.takes != "flag" and not equals:
                self.found.options.append(self._value(name))
            return
        if name in ALONE:
            self._alone(name)
            return
        if name not in VALUED:
            self._refuse(name)
        self._valued(name, word.cut(len(name) + 1) if equals else self._value(name))

    def _form_is_ours(self) -> bool:
        """Whether a bare `--form` asks for the form here: curl's own always has a part behind it."""
        return (
            self.at >= len(self.words) or self.words[self.at].is_flag or "=" not in self.words[self.at].source
        )

    def _cluster(self, word: ShellWord) -> None:
        """`-sSX POST`, `-XPOST`, `-da=b`: letters until one has a value."""
        text = word.source
        for place in range(1, len(text)):
            name = f"-{text[place]}"
            if name in ALONE:
                self._alone(name)
            elif name in VALUED:
                rest = word.cut(place + 1)
                self._valued(name, rest if rest.pieces else self._value(name))
                return
            else:
                self._refuse(name)

    def _value(self, name: str) -> ShellWord:
        if self.at >= len(self.words):
            raise UsageFault(f"curl's {name} needs a value.")
        self.at += 1
        return self.words[self.at - 1]

    @staticmethod
    def _refuse(name: str) -> None:
        raise UsageFault(
            f"curl's {name} can't be followed here, so nothing was sent.",
            advice="%stripe get|post PATH -d NAME=VALUE makes any call.",
        )

    def _alone(self, name: str) -> None:
        what = ALONE[name]
        if what == "get":
            self.found.in_url = True
        elif what == "head":
            raise UsageFault(
                f"curl's {name} asks for headers only (HEAD), which Stripe's API has no answer to. Nothing"
                " was sent."
            )
        elif what == "user":
            self._note_user(name)
        elif what == "output":
            self.found.notes.append(f"{name} was left out: the answer is a DataFrame.")

    def _note_user(self, name: str) -> None:
        self.found.notes.append(f"{name} was left out: the connection's own key is used.")

    def _valued(self, name: str, word: ShellWord) -> None:
        what = VALUED[name]
        if what == "user":
            self._drop_key(word)
        elif what == "output":
            self.found.notes.append(f"{name} was left out: the answer is a DataFrame.")
        elif what == "header":
            self._header(word)
        elif what == "method":
            self.found.method = word.text(self.look_up).upper()
        elif what == "url":
            self._address(word)
        elif what:
            self._data(what, name, word)

    def _drop_key(self, word: ShellWord, text: str | None = None) -> None:
        """A key is never looked up; that one stood there is noted, and whether it was the key itself."""
        self.found.drops_key = True
        if is_literal_key(word.literal if text is None else text):
            self.found.key_is_literal = True

    def _header(self, word: ShellWord) -> None:
        name, colon, _ = word.source.partition(":")
        if name.strip().lower() == "authorization":
            self._drop_key(word.cut(len(name) + 1))
            return
        text = word.text(self.look_up)
        name, colon, value = text.partition(":")
        if text.startswith("@") or not colon:
            raise UsageFault(f"curl's -H needs 'Name: value', {text!r} was given. Nothing was sent.")
        if name.strip().lower() == "content-type":
            self.is_json = self.is_json or "json" in value.lower()
        if name.strip().lower() not in DROPPED_HEADERS:
            self.found.headers.append((name.strip(), value.strip()))

    def _address(self, word: ShellWord) -> None:
        if self.found.url:
            raise UsageFault("Only one address can be called; two are given. Nothing was sent.")
        source = word.source
        if re.match(r"https?://[^/]*@", source):  # a key before the host is dropped unread
            at = source.index("@", 8) + 1
            self._drop_key(word, source[source.index("//") + 2 : at - 1])
            word = ShellWord([Piece("https://", "x"), *word.cut(at).pieces])
        url = word.text(self.look_up)
        if re.search(r"\{[^{}]*,[^{}]*\}", url):
            raise UsageFault(
                "curl would make several calls of {...} in an address; give one. Nothing was sent."
            )
        self.found.url = url.partition("#")[0]

    # Data

    def _data(self, what: str, name: str, word: ShellWord) -> None:
        text = word.text(self.look_up)
        self.found.has_data = True
        if what in {"part", "literal part"}:
            self._part(text, literal=what == "literal part")
        elif what in {"encode", "query"}:
            pair = self._encoded(text)
            (self.found.query if what == "query" else self.found.params).append(pair)
            self.found.has_data = (self.found.has_data and what != "query") or bool(
                self.body or self.found.params
            )
        else:
            if what != "raw" and text.startswith("@"):
                text = self._file(text[1:])
                text = text if what == "binary" else re.sub(r"[\r\n\0]", "", text)
            self.is_json = (
                self.is_json or what == "json" or (not self.body and text.lstrip()[:1] in {"{", "["})
            )
            if self.is_json and not (what == "json" or text.lstrip()[:1] in {"{", "["}):
                raise UsageFault(
                    f"curl's {name} with a JSON content type needs JSON, {text!r} was given. Nothing was"
                    " sent."
                )
            self.body.append(text)
            if not self.is_json:
                self.found.params += _pairs(text)

    def _encoded(self, text: str) -> tuple[str, str]:
        """`name=content`, `=content`, `name@file`, `@file` or `content`: curl encodes the content, not the
        name."""
        mark = "=" if "=" in text else "@"
        name, sign, content = text.partition(mark)
        if not sign:
            return text, ""
        if mark == "@":
            content = self._file(content)
        return (unquote_plus(name), content) if name else (content, "")

    def _part(self, text: str, *, literal: bool) -> None:
        """A part of a multipart form: `name=value`, `name=<file` (its text) or `file=@path` (the file
        itself)."""
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageFault(f"curl's -F needs name=value, {text!r} was given. Nothing was sent.")
        if not literal and value.startswith("@"):
            self.found.is_multipart = True
            value = _path_of(value[1:])
        elif not literal and value.startswith("<"):
            value = self._file(_path_of(value[1:]))
        elif not literal:
            self.found.is_multipart = True
            value = re.sub(r";\s*(?:type|filename|encoder|headers)=[^;]*", "", value).strip('"')
        self.found.params.append((name, value))

    def _file(self, name: str) -> str:
        """The text of a file that curl would read, or of what is piped to it."""
        if name == "-":
            if self.stdin is None:
                raise UsageFault(
                    "curl would read what is piped to it (@-), and nothing is. Nothing was sent."
                )
            return self.stdin
        try:
            return Path(name).read_text(encoding="utf-8")
        except (OSError, ValueError) as fault:
            why = getattr(fault, "strerror", "") or "it is not UTF-8 text"
            raise UsageFault(f"The file {name!r} can't be read: {why}. Nothing was sent.") from None

    def _finish(self) -> None:
        found = self.found
        if not found.url:
            raise UsageFault("The pasted curl line has no address.")
        if self.is_json and self.body:
            if found.params:
                raise UsageFault(
                    "curl would send JSON and parameters in one body; give one of them. Nothing was sent."
                )
            found.json = "".join(self.body)
        if found.in_url and found.json:
            raise UsageFault("curl's -G can't put JSON into an address. Nothing was sent.")


def is_literal_key(text: str) -> bool:
    """Whether what stands for a key is one, not the name of a variable in some shell, nor a placeholder."""
    text = re.sub(r"(?i)\b(?:bearer|basic)\b|[\s:'\"]", "", text)
    return bool(text) and not _STANDS_FOR_KEY.fullmatch(text)


def _pairs(text: str) -> list[tuple[str, str]]:
    """`a=b&c=d` as a server reads it."""
    pairs = []
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        if part and not (equals and name):
            raise UsageFault(f"curl's data {part!r} is not name=value. Nothing was sent.")
        if part:
            pairs.append((unquote_plus(name), unquote_plus(value)))
    return pairs


def _path_of(text: str) -> str:
    """`photo.png` of `photo.png;type=image/png;filename=x`."""
    if text.startswith('"'):
        return text[1:].partition('"')[0]
    return text.partition(";")[0]
