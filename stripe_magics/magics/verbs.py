"""The words of `%stripe` that are no module of Stripe's: `connect`, `status`, `sandbox advance` ... One table, one function each.

A word's flags are read by the same rules of quoting as a call's. Each function gets the door (its shell, history and cell) and the flags,
and opens the room that it needs when it is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from stripe_magics.command import Command
from stripe_magics.errors import NotConnected, UnknownName, UsageFault
from stripe_magics.grammar.names import nearest, resolve
from stripe_magics.grammar.reading import ended
from stripe_magics.grammar.words import Word, split

Given = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verb:
    """A word (or two) of ours: what it runs, the flags it knows ("flag" stands alone, "text" takes a value, "list" repeats), and what it says."""

    words: tuple[str, ...]
    function: Callable[[Any, list[Any], Given], Any]
    help: str
    flags: Mapping[str, str] = field(default_factory=dict)
    most: int = 0  # values without a flag
    usage: str = ""
    body: bool = False  # whether a cell's body means something to it

    @property
    def name(self) -> str:
        """`sandbox advance`."""
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Use:
    """A verb as it was typed."""

    verb: Verb
    words: list[Word]

    def run(self, door: Any, line: str, cell: str | None) -> Any:
        """Read the flags and do it."""
        words, quiet = ended(self.words)
        if any(word.text in {"--help", "-h", "?"} for word in words):
            from stripe_magics.magics.pages import Page

            return Page.of_verb(self.verb)
        positional, given = flags(words, self.verb, door.shell.user_ns)
        if cell is not None and cell.strip():
            if not self.verb.body:
                raise UsageFault(f"{self.verb.name} takes no body: write it as a line, %stripe {self.verb.name}.")
            given["cell"] = cell
        answer = self.verb.function(door, positional, given)
        out = given.get("out")
        if out:
            from stripe_magics.magics.door import bound_line, check_name

            check_name(out, door.shell.user_ns)
            door.shell.user_ns[out] = answer
            print(bound_line(out, answer))
        if (out or quiet or given.get("quiet")) and not door.cell.assigns(line):
            return None
        return answer


def find(line: str) -> Use | None:
    """The verb that a line begins with, or None."""
    first = re.match(r"\s*([A-Za-z]+)", line)
    if first is None or first[1] not in _FIRST:
        return None
    words = split(line)
    for count in (2, 1):
        verb = VERBS.get(tuple(word.text.rstrip("?;") if at == count - 1 else word.text for at, word in enumerate(words[:count])))
        if verb is not None and len(words) >= count:
            tail = [Word.plain("--help")] if words[count - 1].text.endswith("?") else []
            tail += [Word.plain(";")] if words[count - 1].text.endswith(";") else []
            return Use(verb, words[count:] + tail)
    return None


def flags(words: list[Word], verb: Verb, namespace: Mapping[str, Any]) -> tuple[list[Any], Given]:
    """The values without a flag, and those with one, by the verb's own table."""
    known = {**verb.flags, "out": "text", "quiet": "flag"}
    positional: list[Any] = []
    given: Given = {}
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if not word.flag:
            positional.append(resolve(word, namespace))
            continue
        name, equals, _ = word.text.lstrip("-").partition("=")
        key = name.replace("-", "_")
        how = known.get(key)
        if how is None and verb.flags.get("**"):
            how = "text" if equals or (at < len(words) and not words[at].flag) else "flag"
        if how is None:
            raise UnknownName(
                "flag", f"--{name}", [f"--{each.replace('_', '-')}" for each in nearest(key, known)], advice=_usage(verb)
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
            raise UsageFault(f"--{name} needs a value.", advice=_usage(verb))
        if how == "list":
            given.setdefault(key, []).extend(value.split(",") if isinstance(value, str) else list(value))
        elif key in given:
            raise UsageFault(f"--{name} is given twice.")
        else:
            given[key] = value
    if len(positional) > verb.most:
        raise UsageFault(f"{str(positional[verb.most])!r} is one too many for {verb.name}.", advice=_usage(verb))
    return positional, given


def _usage(verb: Verb) -> str:
    shown = [f"[--{name.replace('_', '-')}{'' if how == 'flag' else ' ...'}]" for name, how in verb.flags.items() if name != "**"]
    return " ".join(["Usage: %stripe", verb.name, *([verb.usage] if verb.usage else []), *shown])


# --- the connection


def _connect(door: Any, positional: list[Any], given: Given) -> Any:
    if not given:
        return _connect_form(door)
    from stripe_magics.client.connection import connect

    options = {
        key: value
        for key, value in given.items()
        if key in {"sandbox", "env", "profile", "name", "account", "api_version", "api_base", "zone"}
    }
    if given.get("empty"):
        if not given.get("sandbox"):
            raise UsageFault("--empty is for the sandbox: %stripe connect --sandbox --empty")
        options["demo"] = False
    if "rate" in given:
        options["rate"] = _number("rate", given["rate"])
    connection = connect(**options)
    door.history.note("connect", f"sm.connect({', '.join(f'{key}={value!r}' for key, value in options.items())})")
    return _state(connection)


def _connect_form(door: Any) -> Any:
    """The connection form where there is a front end; a hidden prompt in a terminal."""
    if getattr(door.shell, "kernel", None) is not None:
        from stripe_magics.forms import connect_form

        return connect_form()
    from stripe_magics.client.connection import connect
    from stripe_magics.client.sources import ask_for_key

    connection = connect(secret=ask_for_key().secret)
    return _state(connection)


def _state(connection: Any) -> Any:
    from stripe_magics.magics.rendering import State

    return State(connection.status(), connection.mode)


def _status(door: Any, positional: list[Any], given: Given) -> Any:
    return _state(_current())


def _current() -> Any:
    from stripe_magics.client.connection import current

    return current()


def _disconnect(door: Any, positional: list[Any], given: Given) -> None:
    from stripe_magics.client.connection import close, shared

    had = shared()
    close()
    door.seen.forget()
    print("Disconnected; the key is forgotten." if had is not None else "There was no connection.")


def _live(door: Any, positional: list[Any], given: Given) -> Any:
    from stripe_magics.client import live
    from stripe_magics.magics.asking import asker

    wanted = str(positional[0]) if positional else "on"
    if wanted not in {"on", "off", "allow"}:
        raise UsageFault(f"live {wanted}: say on, off or allow N.", advice="%stripe live on | off | allow 100")
    count = _whole(positional[1], "allow") if wanted == "allow" and len(positional) > 1 else None
    print(live.switch(_current(), wanted, ask=asker(door.shell), count=count))
    return None


def _pending(door: Any, positional: list[Any], given: Given) -> Any:
    from stripe_magics.client import pending

    return pending.frame(_current())


def _resume(door: Any, positional: list[Any], given: Given) -> Any:
    from stripe_magics.client import pending

    answer = pending.resume(_current(), _operation(positional))
    for notice in answer.notices:
        print(notice)
    return _frame([answer.body], answer.request_id)


def _reconcile(door: Any, positional: list[Any], given: Given) -> Any:
    from stripe_magics.client import pending

    finding = pending.reconcile(_current(), _operation(positional))
    print(finding)
    return _frame([json.dumps(each).encode() for each in finding.objects], "") if finding.objects else None


def _frame(pages: list[bytes], request_id: str) -> Any:
    from stripe_magics import frames

    connection = _current()
    about = {
        "mode": connection.mode,
        "zone": str(connection.zone),
        "livemode": connection.live,
        "request_ids": [request_id] if request_id else [],
    }
    return frames.build(pages, "any", attrs=about)


def _operation(positional: list[Any]) -> int:
    if not positional:
        raise UsageFault("Which operation? `%stripe pending` shows their numbers.")
    return _whole(positional[0], "the operation")


def _whole(value: Any, what: str) -> int:
    if isinstance(value, int) or (isinstance(value, str) and re.fullmatch(r"[0-9]+", value)):
        return int(value)
    raise UsageFault(f"{what} must be a whole number; {value!r} was given.")


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UsageFault(f"--{name} must be a number; {value!r} was given.") from None


# --- the catalogue and this session


def _modules(door: Any, positional: list[Any], given: Given) -> Any:
    import stripe_magics

    frame = stripe_magics.modules()
    if positional:
        wanted = str(positional[0]).replace("-", "_").lower()
        frame = frame[frame["name"].str.startswith(wanted)].reset_index(drop=True)
    elif given.get("documented"):
        frame = frame[frame["documented"]].reset_index(drop=True)
    return frame


def _find(door: Any, positional: list[Any], given: Given) -> Any:
    from stripe_magics.magics.pages import find

    if not positional:
        raise UsageFault("Which words? %stripe find refund reason")
    return find(" ".join(str(each) for each in positional))


def _help(door: Any, positional: list[Any], given: Given) -> Any:
    from stripe_magics.magics.pages import Page, overview, page

    if not positional:
        return overview(VERBS)
    words = [str(each) for each in positional]
    verb = VERBS.get(tuple(words[:2])) or VERBS.get(tuple(words[:1]))
    return Page.of_verb(verb) if verb else page(" ".join(words))


def _history(door: Any, positional: list[Any], given: Given) -> Any:
    return door.history.frame()


def _script(door: Any, positional: list[Any], given: Given) -> Any:
    from stripe_magics.magics.rendering import Code

    text = door.history.script()
    if positional:
        from pathlib import Path

        target = Path(str(positional[0]))
        if target.exists() and not given.get("yes"):
            raise UsageFault(f"{target} exists.", advice="--yes replaces it.")
        target.write_text(text, encoding="utf-8")
        print(f"{target}: {len(text.splitlines())} lines")
        return None
    return Code(text)


def _config(door: Any, positional: list[Any], given: Given) -> Any:
    from stripe_magics.magics.rendering import Facts

    traits = door.traits(config=True)
    own = {name: trait for name, trait in traits.items() if name in type(door).class_own_traits()}
    for name, value in given.items():
        if name in {"out", "quiet"}:
            continue
        if name not in own:
            raise UnknownName("setting", name, nearest(name, own))
        default = getattr(door, name)
        setattr(
            door,
            name,
            (str(value).lower() in {"true", "yes", "on", "1"} or value is True)
            if isinstance(default, bool)
            else _whole(value, name),
        )
    return Facts("Settings", {name: f"{getattr(door, name)}   {trait.help}" for name, trait in sorted(own.items())})


# --- the sandbox


def _sandbox_transport() -> Any:
    transport = _current().sandbox
    if transport is None:
        raise NotConnected("This connection is no sandbox.", advice="%stripe connect --sandbox opens one.")
    return transport


_SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def _advance(door: Any, positional: list[Any], given: Given) -> Any:
    found = [re.fullmatch(r"([0-9]+)\s*([smhdw])", str(each)) for each in positional]
    if not found or None in found:
        raise UsageFault("How far? For example 3d, 12h or 2w: %stripe sandbox advance 3d")
    seconds = sum(int(each[1]) * _SPANS[each[2]] for each in found if each)
    transport = _sandbox_transport()
    transport.advance(seconds)
    door.history.note("sandbox advance", f"sm.current().sandbox.advance({seconds})")
    print(f"The sandbox's clock stands at {_clock(transport.now)}.")


def _clock(now: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(now, UTC).strftime("%A %Y-%m-%d %H:%M UTC")


def _reset(door: Any, positional: list[Any], given: Given) -> None:
    _sandbox_transport().reset()
    door.seen.forget()
    print("The sandbox is as it was when it was opened.")


def _save(door: Any, positional: list[Any], given: Given) -> None:
    from pathlib import Path

    path = Path(_file(positional, "save"))
    _sandbox_transport().save(path)
    print(f"{path}: the sandbox was saved.")


def _load(door: Any, positional: list[Any], given: Given) -> None:
    from pathlib import Path

    path = Path(_file(positional, "load"))
    if not path.exists():
        raise UsageFault(f"There is no file {path}.")
    _sandbox_transport().load(path)
    door.seen.forget()
    print(f"{path}: the sandbox was loaded.")


def _file(positional: list[Any], action: str) -> str:
    if not positional:
        raise UsageFault(f"Which file? %stripe sandbox {action} month.json")
    return str(positional[0])


# --- reports, pulls, events


def _report(door: Any, positional: list[Any], given: Given) -> Any:
    from stripe_magics import finance

    if not positional:
        return finance.reports()
    given = {key: value for key, value in given.items() if key not in _OURS}
    return finance.report(*[str(positional[0]), *positional[1:]], **given)


def _bulk(name: str) -> Callable[[Any, list[Any], Given], Any]:
    def verb(door: Any, positional: list[Any], given: Given) -> Any:
        pulls = import_module("stripe_magics.pulls")
        options = {key: value for key, value in given.items() if key not in {"out", "cell"}}
        return getattr(pulls, name)(*positional, **options)

    return verb


def _sql(door: Any, positional: list[Any], given: Given) -> Any:
    pulls = import_module("stripe_magics.pulls")
    text = given.get("cell") or " ".join(str(each) for each in positional)
    if not str(text).strip():
        raise UsageFault('Which query? %%stripe sql with the query below, or %stripe sql "select ..."')
    return pulls.sql(str(text), **{key: value for key, value in given.items() if key not in _OURS})


def _listen(door: Any, positional: list[Any], given: Given) -> Any:
    watch = import_module("stripe_magics.watch")  # the name on the package is the function
    return watch.listen(*positional, **{key: value for key, value in given.items() if key not in _OURS})


def _endpoints(door: Any, positional: list[Any], given: Given) -> Any:
    from stripe_magics.magics.asking import asker

    watch = import_module("stripe_magics.watch")
    return watch.endpoints(delete=given.get("delete", ""), yes=bool(given.get("yes")), ask=asker(door.shell))


def _watches(door: Any, positional: list[Any], given: Given) -> Any:
    return import_module("stripe_magics.watch").status()


def _stop(door: Any, positional: list[Any], given: Given) -> None:
    stopped = import_module("stripe_magics.watch").stop(str(positional[0]) if positional else "")
    print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def own_door(command: Command) -> Callable[[Any, Command], Any] | None:
    """What serves a call in place of a request: the watch room has Watch Events."""
    from stripe_magics import catalogue

    return _watch if catalogue.find(command.module).door == "watch" else None


def _watch(door: Any, command: Command) -> Any:
    from stripe_magics.magics.asking import asker

    watch = import_module("stripe_magics.watch")
    ephemeral = bool(command.values.pop("ephemeral", False))
    return watch.run(command, ephemeral=ephemeral, origin=door.cell.origin(), ask=asker(door.shell))


_OURS = {"out", "quiet", "cell"}
_CONNECT = {"sandbox": "flag", "empty": "flag", "env": "text", "profile": "text", "name": "text", "account": "text", "api_version": "text",
            "api_base": "text", "rate": "text", "zone": "text"}  # fmt: skip
_LISTEN = {"group": "list", "events": "list", "env": "text", "host": "list", "live": "flag", "minutes": "text", "stop": "flag"}
_ALL = [
    Verb(
        ("connect",),
        _connect,
        "Connect: the form; --sandbox for an account that needs no key; --env NAME for a key from the environment.",
        _CONNECT,
    ),
    Verb(("status",), _status, "Which account, which mode, which version of the API. Never the key."),
    Verb(("disconnect",), _disconnect, "Close the connection and forget its key."),
    Verb(
        ("modules",),
        _modules,
        "All modules as a DataFrame; `modules customers` those of one resource.",
        {"documented": "flag"},
        1,
        "[RESOURCE]",
    ),
    Verb(("find",), _find, "Modules and fields in which some words occur.", {}, 20, "WORDS"),
    Verb(("help",), _help, "This, or the fields of a module: %stripe help payment_intents create.", {}, 6, "[MODULE]"),
    Verb(("history",), _history, "What this kernel called, as a DataFrame."),
    Verb(("script",), _script, "The session as a Python script; into a file with a name.", {"yes": "flag"}, 1, "[FILE]"),
    Verb(("pending",), _pending, "Writes whose end is not known."),
    Verb(("resume",), _resume, "Ask Stripe again for such a write, with its own key: it cannot happen twice.", {}, 1, "N"),
    Verb(("reconcile",), _reconcile, "Look whether such a write happened.", {}, 1, "N"),
    Verb(("live",), _live, "Live mode: on (asks), off, or allow N for a loop of many writes.", {}, 2, "on|off|allow N"),
    Verb(("config",), _config, "Settings of the magics; `config --max-rows 100` changes one.", {"**": "text"}),
    Verb(("sandbox", "advance"), _advance, "Move the sandbox's clock: funds become available, payouts arrive.", {}, 4, "3d"),
    Verb(("sandbox", "reset"), _reset, "The sandbox as it was when it was opened."),
    Verb(("sandbox", "save"), _save, "Write the sandbox into a file.", {}, 1, "FILE"),
    Verb(("sandbox", "load"), _load, "Read the sandbox from a file.", {}, 1, "FILE"),
    Verb(("report",), _report, "Finance reports; without a name their list.", {"**": "text"}, 3, "[NAME [START END]]"),
    Verb(("pull",), _bulk("pull"), "Whole lists, side by side; --to FOLDER writes Parquet.", {"**": "text"}, 40, "RESOURCE ..."),
    Verb(
        ("sync",),
        _bulk("sync"),
        "Bring a folder with a copy of the lists up to date.",
        {"status": "flag", "**": "text"},
        40,
        "FOLDER RESOURCE ...",
    ),
    Verb(("sql",), _sql, "SQL over what was pulled.", {"**": "text"}, 50, "QUERY", body=True),
    Verb(
        ("events", "listen"), _listen, "Receive events on this machine, from Stripe's command line tool.", _LISTEN, 6, "[GROUP]"
    ),
    Verb(("listen",), _listen, "The same.", _LISTEN, 6, "[GROUP]"),
    Verb(("events", "status"), _watches, "The watches of this kernel; `events watch` starts one."),
    Verb(("events", "stop"), _stop, "Stop a watch, or all.", {}, 1, "[NAME]"),
    Verb(("events", "endpoints"), _endpoints, "The webhook endpoints of the account.", {"delete": "text", "yes": "flag"}),
]
VERBS: dict[tuple[str, ...], Verb] = {verb.words: verb for verb in _ALL}
_FIRST = {verb.words[0] for verb in _ALL}
