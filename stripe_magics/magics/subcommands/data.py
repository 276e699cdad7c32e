"""Words that open another room: reports, pulls, events."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from stripe_magics.command import Command
from stripe_magics.errors import UsageFault
from stripe_magics.magics.subcommands.subcommand import Given

_OURS = {"out", "quiet", "cell"}


def report(door: Any, positional: list[Any], given: Given) -> Any:
    from stripe_magics import finance

    if not positional:
        return finance.reports()
    given = {key: value for key, value in given.items() if key not in _OURS}
    return finance.report(*[str(positional[0]), *positional[1:]], **given)


def bulk(name: str) -> Callable[[Any, list[Any], Given], Any]:
    def verb(door: Any, positional: list[Any], given: Given) -> Any:
        pulls = import_module("stripe_magics.bulk")
        options = {key: value for key, value in given.items() if key not in {"out", "cell"}}
        return getattr(pulls, name)(*positional, **options)

    return verb


def sql(door: Any, positional: list[Any], given: Given) -> Any:
    pulls = import_module("stripe_magics.bulk")
    text = given.get("cell") or " ".join(str(each) for each in positional)
    if not str(text).strip():
        raise UsageFault('Which query? %%stripe sql with the query below, or %stripe sql "select ..."')
    return pulls.sql(str(text), **{key: value for key, value in given.items() if key not in _OURS})


def listen(door: Any, positional: list[Any], given: Given) -> Any:
    watch = import_module("stripe_magics.events")  # the name on the package is the function
    return watch.listen(*positional, **{key: value for key, value in given.items() if key not in _OURS})


def endpoints(door: Any, positional: list[Any], given: Given) -> Any:
    from stripe_magics.magics.prompt import asker

    watch = import_module("stripe_magics.events")
    return watch.endpoints(delete=given.get("delete", ""), yes=bool(given.get("yes")), ask=asker(door.shell))


def watches(door: Any, positional: list[Any], given: Given) -> Any:
    return import_module("stripe_magics.events").status()


def stop(door: Any, positional: list[Any], given: Given) -> None:
    stopped = import_module("stripe_magics.events").stop(str(positional[0]) if positional else "")
    print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def own_door(command: Command) -> Callable[[Any, Command], Any] | None:
    """What serves a call in place of a request: the watch room has Watch Events."""
    from stripe_magics import catalogue

    return _watch if catalogue.find(command.module).door == "events" else None


def _watch(door: Any, command: Command) -> Any:
    from stripe_magics.magics.prompt import asker

    watch = import_module("stripe_magics.events")
    ephemeral = bool(command.values.pop("ephemeral", False))
    return watch.run(command, ephemeral=ephemeral, origin=door.cell.origin(), ask=asker(door.shell))
