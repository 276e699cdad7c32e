"""Text -> Command: the words of a line and the body of a cell, read by the catalogue.

The module's name comes first; it decides what every following word means. A flag is looked up among the module's fields, then among
the options common to all, then among Stripe's own parameters; nothing is abbreviated. What a value may be is not judged here.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stripe_magics import catalogue
from stripe_magics.catalogue.fields import Field, Kind, Role
from stripe_magics.catalogue.module import Module
from stripe_magics.command import Command
from stripe_magics.errors import UnknownName, UsageFault
from stripe_magics.grammar import bodies, modules, pasted, values
from stripe_magics.grammar.names import nearest, refuse_keys, resolve
from stripe_magics.grammar.words import Word, split

# option -> how it is written: "flag" stands alone, "text" takes a value, "list" may be repeated
OPTIONS = {
    "out": "text",
    "form": "flag",
    "dry_run": "flag",
    "yes": "flag",
    "again": "flag",
    "from": "object",
    "raw": "flag",
    "quiet": "flag",
    "expand": "list",
    "limit": "text",
    "columns": "list",
    "to": "text",
    "idempotency": "text",
    "stripe_account": "text",
    "stripe_version": "text",
    "help": "flag",
}
OTHER_SPELLINGS = {"idempotency_key": "idempotency", "dryrun": "dry_run", "confirm": "yes"}
SHORT = {  # of Stripe's own command line tool
    "d": "data",
    "e": "expand",
    "i": "idempotency",
    "l": "limit",
    "a": "starting_after",
    "b": "ending_before",
    "v": "stripe_version",
    "c": "yes",
    "s": "show_headers",
    "p": "project_name",
    "H": "header",
    "h": "help",
}
ELSEWHERE = {  # flags of that tool which this one answers otherwise: (takes a value, what is said)
    "live": (False, "--live was left out: the connection decides the mode (%stripe status)."),
    "show_headers": (False, "--show-headers was left out: request ids stand in df.attrs['stripe']."),
    "dark_style": (False, ""),
    "color": (True, ""),
    "log_level": (True, ""),
    "device_name": (True, ""),
    "config": (True, ""),
    "project_name": (True, "--project-name was left out: `%stripe connect --profile NAME` opens another profile."),
}
DOORS = {  # flags of the room that serves a module in place of a request, by `Module.door`
    "watch": {"minutes": "text", "interval": "text", "since": "text", "ephemeral": "flag", "status": "flag", "stop": "flag"}
}
VERBS = {"get": "GET", "post": "POST", "put": "PUT", "patch": "PATCH", "delete": "DELETE"}
WORDS_OF_TRUTH = {"true", "false", "yes", "no", "on", "off", "1", "0"}
LISTS = {Kind.TEXT_LIST, Kind.MULTI_CHOICE, Kind.ROWS, Kind.METADATA}
SHAPED = {  # what a body may give for a field of that kind without being taken for Stripe's nesting
    Kind.METADATA: (dict,),
    Kind.JSON: (dict, list),
    Kind.ROWS: (list, dict),
    Kind.TIMESTAMP_FILTER: (dict, list),
    Kind.TEXT_LIST: (list,),
    Kind.MULTI_CHOICE: (list,),
}


def read(line: str, cell: str | None, namespace: Mapping[str, Any]) -> Command:
    """The command of a line and a cell; see `command.parse`."""
    found = pasted.look(line, cell)
    if found is not None:
        reader = Reader(found.module, namespace, notes=list(found.notes))
        reader.words(found.words)
        reader.take_curl(found)
        return reader.command()
    refuse_keys(line, cell)
    words, quiet = ended(split(line))
    module, rest, asks = named(words)
    reader = Reader(module, namespace)
    reader.options |= {"quiet": True} if quiet else {}
    reader.options |= {"help": True} if asks else {}
    if module.name == "api.call" and words and words[0].text in VERBS:
        reader.give("method", VERBS[words[0].text])
    flags_below = cell is not None and re.match(r"\s*--?[A-Za-z]", cell)
    reader.words([*rest, *split(cell or "")] if flags_below else rest)
    if cell is not None and cell.strip() and not flags_below:
        reader.body(cell)
    return reader.command()


def ended(words: list[Word]) -> tuple[list[Word], bool]:
    """The words without the semicolon that ends a quiet line."""
    if not words or words[-1].text[-1:] != ";" or words[-1].mask[-1] != ".":
        return words, False
    last = words[-1].cut(0, -1)
    return ([*words[:-1], last] if last.text else words[:-1]), True


def named(words: list[Word]) -> tuple[Module, list[Word], bool]:
    """The module that the first words name, the words after them, and whether a question mark asks for its help."""
    asks = False
    if words and words[-1].text.endswith("?") and words[-1].mask[-1] == "." and not any(word.flag for word in words):
        words, asks = [*words[:-1], words[-1].cut(0, -1)], True
        words = words if words[-1].text else words[:-1]
    if words and words[0].text in VERBS and (len(words) == 1 or modules.is_path(words[1].text)):
        return catalogue.find("api.call"), words[1:], asks
    names = []
    for word in words[:5]:
        if word.flag or not re.fullmatch(r"[A-Za-z][\w.-]*", word.text):
            break
        names.append(word.text)
    name, taken = modules.longest(names)
    return catalogue.find(name), words[taken:], asks


@dataclass(slots=True)
class Reader:
    """What was read so far of one call."""

    module: Module
    namespace: Mapping[str, Any]
    values: dict[str, Any] = field(default_factory=dict)
    params: list[tuple[str, Any]] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    by_row: bool = False  # `--from`: a column gives each row its value

    # --- a line

    def words(self, words: list[Word]) -> None:
        """Read flags and positional ids."""
        self._frame_first(words)
        at, positional = 0, []
        while at < len(words):
            word = words[at]
            at += 1
            if word.text == "--" and word.mask == "..":
                positional += words[at:]
                break
            if not word.flag:
                positional.append(word)
                continue
            name, given = self._split_flag(word)
            following = words[at] if at < len(words) else None
            at += self._flag(name, given, following)
        self._positional(positional)

    def _frame_first(self, words: list[Word]) -> None:
        """`--from df` makes the columns of df names for the other values of the line."""
        for at, word in enumerate(words):
            given = (
                word.cut(7)
                if word.text.startswith("--from=")
                else words[at + 1]
                if word.text == "--from" and at + 1 < len(words)
                else None
            )
            if given is not None and self.module.get("from") is None and word.flag:
                frame = resolve(_as_name(given), self.namespace)
                columns = getattr(frame, "columns", None)
                if columns is None:
                    raise UsageFault(f"--from wants a DataFrame; {given.text} is a {type(frame).__name__}.")
                self.by_row = True
                self.namespace = ChainMap({str(name): frame[name] for name in columns}, dict(self.namespace))

    def _split_flag(self, word: Word) -> tuple[str, Word | None]:
        """The flag's name and what stands after its equals sign. A bracket in the name may hold one (`--metadata[a]=b`)."""
        start = 2 if word.text.startswith("--") else 1
        at = word.text.find("=", start)
        name = word.text[start:] if at < 0 else word.text[start:at]
        if start == 1:
            if name not in SHORT and name[:1] in SHORT and at < 0:  # -d"x=y" written together
                return SHORT[name[0]], word.cut(2)
            if name[:1] in SHORT and len(name) > 1:
                return SHORT[name[0]], word.cut(2)
            if name not in SHORT:
                raise UnknownName("flag", f"-{name}", nearest(name, [each.flag for each in self.module.fields]))
            name = SHORT[name]
        return name, None if at < 0 else word.cut(at + 1)

    def _flag(self, name: str, given: Word | None, following: Word | None) -> int:
        """Take one flag; how many of the following words were its value (0 or 1)."""
        key = name.replace("-", "_")
        own = self.module.get(key) or (self.module.by_param(name) or self.module.by_param(key))
        if own is not None:
            return self._own(own, given, following)
        if (
            key.startswith("no_")
            and (switch := self.module.get(key[3:])) is not None
            and switch.kind is Kind.BOOLEAN
            and given is None
        ):
            self.give(switch.name, False)
            return 0
        option = OTHER_SPELLINGS.get(key, key)
        if option in OPTIONS:
            return self._option(option, name, given, following)
        here = DOORS.get(self.module.door, {}).get(key)
        if here is not None:
            value, used = (None, 0) if here == "flag" else self._value(f"--{name}", given, following)
            self.values[key] = True if value is None else resolve(value, self.namespace)
            return used
        if key in {"data", "header", "starting_after", "ending_before", "api_key"}:
            value, used = self._value(name, given, following)
            self._data(key, value)
            return used
        if key in ELSEWHERE:
            wants, note = ELSEWHERE[key]
            self.notes += [note] if note else []
            return int(wants and given is None and following is not None)
        return self._stripes(name, given, following)

    def _own(self, own: Field, given: Word | None, following: Word | None) -> int:
        """A flag of one of the module's fields."""
        if own.kind is Kind.BOOLEAN and given is None:
            taken = following is not None and (following.text.lower() in WORDS_OF_TRUTH or following.name != "")
            self.give(own.name, resolve(following, self.namespace) if taken and following is not None else True)
            return int(bool(taken))
        value, used = self._value(own.flag, given, following)
        self.give(own.name, values.read(own, resolve(value, self.namespace)))
        self._source(own.name, value)
        return used

    def _source(self, name: str, word: Word) -> None:
        """Remember the name by which an object was given."""
        if word.name:
            self.sources[name] = word.name

    def _option(self, option: str, name: str, given: Word | None, following: Word | None) -> int:
        """An option common to all modules."""
        how = OPTIONS[option]
        if how == "flag":
            if given is not None and given.text.lower() not in WORDS_OF_TRUTH:
                raise UsageFault(f"--{name} takes no value, {given.text!r} was given.")
            self.options[option] = given is None or given.text.lower() in {"true", "yes", "on", "1"}
            return 0
        value, used = self._value(f"--{name}", given, following)
        if how == "list":
            known = self.options.setdefault(option, [])
            found = resolve(value, self.namespace)
            known += [part.strip() for part in found.split(",") if part.strip()] if isinstance(found, str) else list(found)
            return used
        if option in self.options:
            raise UsageFault(f"--{name} is given twice.")
        value = _as_name(value) if how == "object" else value
        self.options[option] = resolve(value, self.namespace)
        self._source("from_" if option == "from" else option, value)
        return used

    def _stripes(self, name: str, given: Word | None, following: Word | None) -> int:
        """A flag that is neither: a parameter of Stripe's (`--shipping.address.line1`), or a mistake."""
        param = modules.bracketed(name)
        known = self.module.by_param(param)
        if known is not None:
            return self._own(known, given, following)
        if not modules.takes(self.module, param):
            flags = [each.flag for each in self.module.fields]
            flags += ["--" + each.replace("_", "-") for each in (*OPTIONS, *DOORS.get(self.module.door, ()))]
            raise UnknownName(
                "flag",
                f"--{name}",
                nearest(f"--{name}", flags),
                advice=f"`%stripe {modules.shown(self.module)} --help` shows its fields.",
            )
        fact = modules.known_params(self.module.name).get(param) if self.module.documented else None
        switch = fact is not None and fact.kind is Kind.BOOLEAN and following is not None and following.text not in WORDS_OF_TRUTH
        alone = given is None and (following is None or following.flag or switch)
        value, used = (Word.plain("true"), 0) if alone else self._value(f"--{name}", given, following)
        self.params.append((param, resolve(value, self.namespace)))
        return used

    @staticmethod
    def _value(flag: str, given: Word | None, following: Word | None) -> tuple[Word, int]:
        """The value of a flag that needs one, and how many words it took."""
        if given is not None:
            return given, 0
        if following is None or (following.flag and following.text.startswith("--")):
            name = flag if flag.startswith("--") else f"--{flag}"
            raise UsageFault(f"{name} needs a value.", advice=f'Empty text is written {name} "".')
        return following, 1

    def _data(self, key: str, word: Word) -> None:
        """`-d name=value`, `-H "Name: value"` and the two cursors."""
        if key == "api_key":
            raise UsageFault("There is no key argument anywhere: keys come from `%stripe connect`.")
        if key == "header":
            self.header(word)
            return
        if key != "data":
            self.params.append((key, resolve(word, self.namespace)))
            return
        name, equals, _ = word.text.partition("=")
        if not equals or not name:
            raise UsageFault(
                f"-d wants parameter=value, {word.text!r} was given.", advice='For example: -d "metadata[order_id]"=6735'
            )
        self.param(name, resolve(word.cut(len(name) + 1), self.namespace))

    def param(self, name: str, value: Any) -> None:
        """One of Stripe's parameters. Limit and expansion are ours: they are followed over all pages."""
        if name == "limit" and self.module.name != "api.call":
            self.give("limit", value) if self.module.get("limit") else self.options.setdefault("limit", value)
        elif re.fullmatch(r"expand(\[\d*\])?", name):
            own = self.module.get("expand")
            self.give("expand", [value]) if own else self.options.setdefault("expand", []).append(value)
        else:
            self.params.append((name, value))

    def header(self, word: Word) -> None:
        """A header: those that are options become them; the authorisation is never taken."""
        name, colon, _ = word.text.partition(":")
        start = len(name) + 1 + (len(word.text[len(name) + 1 :]) - len(word.text[len(name) + 1 :].lstrip()))
        if not colon:
            raise UsageFault(f"-H wants 'Name: value', {word.text!r} was given.")
        value = resolve(word.cut(start), self.namespace)
        option = {"stripe-account": "stripe_account", "stripe-version": "stripe_version", "idempotency-key": "idempotency"}.get(
            name.lower()
        )
        if name.lower() == "authorization":
            self.notes.append("The Authorization header was left out: the connection adds its own.")
        elif option and self.module.get(option):
            self.give(option, value)
        elif option:
            self.options[option] = value
        elif self.module.get("headers"):
            self.values.setdefault("headers", []).append({"key": name, "value": value})
        elif name.lower() not in {"content-type", "accept", "user-agent"}:
            raise UsageFault(f"{modules.shown(self.module)} takes no header {name}.", advice="`%stripe get|post ...` takes any.")

    def _positional(self, words: list[Word]) -> None:
        """Ids of the path, in its order."""
        places = [each for each in self.module.path_fields if each.name not in self.values]
        for word, place in zip(words, places, strict=False):
            self.give(place.name, resolve(word, self.namespace))
            self._source(place.name, word)
        if len(words) > len(places):
            extra, count = words[len(places)].text, len(self.module.path_fields)
            takes = ", ".join(f"{each.title} ({each.name})" for each in self.module.path_fields)
            what = (
                f"takes {count} value{'s' if count > 1 else ''} without a flag: {takes}"
                if count
                else "takes no value without a flag"
            )
            near = nearest(extra, [each.name for each in self.module.fields], 1)
            hint = (
                f"Did you mean --{near[0].replace('_', '-')}?"
                if near
                else "Text with spaces goes into quotes; a field is given as --name value."
            )
            raise UsageFault(f"{extra!r} is one too many: {modules.shown(self.module)} {what}.", advice=hint)

    # --- a cell

    def body(self, cell: str) -> None:
        """Read a body: flat names or Stripe's nesting, for one field or the other as it fits."""
        if self.module.name == "api.call":
            self._request_body(cell)
            return
        given = bodies.load(cell, self.namespace)
        if not isinstance(given, dict):
            raise UsageFault("The body must be `field: value` lines (YAML) or a JSON object.")
        for key, node in given.items():
            self._top(key, node)

    def _top(self, key: str, node: Any) -> None:
        name = key.replace("-", "_") if "[" not in key else key
        own = self.module.get(name) or self.module.by_param(name)
        if own is not None and fits(own, node):
            self.give(own.name, values.read(own, node))
            return
        if name in {"expand", "limit", "columns"} and own is None:
            self.options[name] = values.texts(node) if name != "limit" else node
            return
        param = modules.bracketed(key)
        roots = {each.param.partition("[")[0] for each in self.module.fields if each.role is Role.PARAM}
        if param.partition("[")[0] not in roots and not modules.takes(self.module, param):
            known = [each.name for each in self.module.fields] + sorted(roots)
            raise UnknownName(
                "field",
                key,
                nearest(name, dict.fromkeys(known)),
                advice=f"`%stripe {modules.shown(self.module)} --help` shows its fields.",
            )
        self._nested(param, node)

    def _nested(self, param: str, node: Any) -> None:
        own = self.module.by_param(param)
        if own is not None and fits(own, node):
            self.give(own.name, values.read(own, node))
        elif isinstance(node, dict):
            for key, each in node.items():
                self._nested(f"{param}[{key}]", each)
            if not node:
                self.params.append((param, ""))
        elif isinstance(node, list):
            for at, each in enumerate(node):
                self._nested(f"{param}[{at}]", each)
            if not node:
                self.params.append((param, ""))
        else:
            self.params.append((param, node))

    def _request_body(self, cell: str) -> None:
        """Make an API Call: the body is the request's own. JSON is kept as it is written, since v2 knows its types."""
        given = bodies.load(cell, self.namespace)
        if not isinstance(given, (dict, list)):
            raise UsageFault("The body must be `parameter: value` lines (YAML) or JSON.")
        if self.values.get("method", "GET") in {"GET", "DELETE"} and str(self.values.get("url", "/v1")).startswith(("/v1", "v1")):
            for key, node in given.items() if isinstance(given, dict) else ():
                self._nested(key, node)
            return
        written = cell.strip()
        self.give("body", written if written.startswith(("{", "[")) and "{{" not in written and "$" not in written else given)

    # --- both

    def give(self, name: str, value: Any) -> None:
        """Set a field's value; lists grow, anything else may be given once."""
        own = self.module.get(name)
        if hasattr(value, "iloc") and not hasattr(value, "columns") and not self.by_row:
            value = _of_column(own, value)
        old = self.values.get(name)
        if name in self.values and own is not None and own.kind in LISTS:
            if isinstance(old, list) and isinstance(value, list):
                self.values[name] = old + value
                return
            if isinstance(old, dict) and isinstance(value, dict) and not old.keys() & value.keys():
                self.values[name] = old | value
                return
        if name in self.values:
            raise UsageFault(f"{own.flag if own else name} is given twice.")
        self.values[name] = value

    def take_curl(self, found: pasted.Pasted) -> None:
        """What a pasted request says beside its words."""
        for name, value in found.path_values:
            self.give(name, value)
        for name, value in found.params:
            self.param(name, value)
        for header in found.headers:
            self.header(header)
        if found.json:
            self.give("body", found.json)

    def command(self) -> Command:
        """What was read."""
        from stripe_magics.command import Options

        self._clean_url()
        options = {"from_" if name == "from" else name: value for name, value in self.options.items()}
        refuse_keys(
            *_leaves(list(self.values.values())), *_leaves([value for _, value in self.params]), *_leaves(list(options.values()))
        )
        made = Command(self.module.name, self.values, self.params, Options(**options))
        made.notes, made.sources = self.notes, self.sources
        return made

    def _clean_url(self) -> None:
        """Make an API Call takes a path; its query becomes parameters, Stripe's own host is dropped."""
        if self.module.name != "api.call" or not isinstance(self.values.get("url"), str):
            return
        path, query = modules.path_and_query(self.values["url"])
        self.values["url"] = path
        for name, value in query:
            self.params.append((name, value))


def _as_name(word: Word) -> Word:
    """`--from df` and `--from $df` are the same."""
    return word if word.text.startswith("$") else Word("$" + word.text, "." + word.mask)


def _of_column(own: Field | None, column: Any) -> Any:
    """A column as a value: all of it for a list, its one item for anything else."""
    if own is not None and own.kind in LISTS:
        return list(column)
    if len(column) != 1:
        raise UsageFault(
            f"{own.flag if own else 'The value'} wants one value; a column of {len(column):,} was given.",
            advice="--from FRAME makes one call a row.",
        )
    value = column.iloc[0]
    return value.item() if hasattr(value, "item") else value


def fits(own: Field, node: Any) -> bool:
    """Whether a body's node is a value of that field, not Stripe's nesting below it."""
    return not isinstance(node, (dict, list)) or isinstance(node, SHAPED.get(own.kind, ()))


def _leaves(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return [leaf for each in node.values() for leaf in _leaves(each)]
    if isinstance(node, (list, tuple)):
        return [leaf for each in node for leaf in _leaves(each)]
    return [node] if isinstance(node, str) else []
