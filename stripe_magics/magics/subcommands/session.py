"""Subcommands about the catalogue and this session: modules, find, help, history, script, config."""

from __future__ import annotations

from typing import Any

from stripe_magics._text import closest_matches
from stripe_magics.errors import UnknownName, UsageFault
from stripe_magics.magics import settings
from stripe_magics.magics.subcommands.subcommand import Context, ParsedFlags


def modules(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    from stripe_magics.modules_frame import modules_frame

    frame = modules_frame()
    if positional:
        requested = str(positional[0]).replace("-", "_").lower()
        frame = frame[frame["name"].str.startswith(requested)].reset_index(drop=True)
    elif given.get("documented"):
        frame = frame[frame["documented"]].reset_index(drop=True)
    if frame.empty:
        raise UnknownName(
            "resource",
            requested,
            closest_matches(requested, modules_frame()["name"]),
            advice="%stripe modules lists them.",
        )
    from stripe_magics.frames.frame_info import FrameInfo

    FrameInfo(object="modules", complete=True, amounts=()).put(frame)
    return frame


def find(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    from stripe_magics.magics import catalogue_search

    return catalogue_search.find(" ".join(str(each) for each in positional))


def today(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    from stripe_magics import forms

    return forms.today(run=context.run_form)


def history(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    return context.history.frame()


def script(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    from stripe_magics.magics.fact_list import Code

    text = context.history.script()
    if positional:
        from pathlib import Path

        target = Path(str(positional[0]))
        if target.exists() and not given.get("yes"):
            raise UsageFault(f"{target} exists.", advice="--yes replaces it.")
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as fault:
            raise UsageFault(f"{target} can't be written: {fault.strerror or fault}.") from None
        print(f"{target}: {len(text.splitlines())} lines")
        return None
    return Code(text)


def config(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    from stripe_magics.magics.fact_list import Facts

    read = {name: settings.read(name, value) for name, value in given.items() if name in settings.TRAITS}
    for name, value in read.items():
        setattr(context, name, value)
    now = settings.written(context)
    return Facts("Settings", {name: f"{now[name]}   {trait.help}" for name, trait in settings.TRAITS.items()})
