"""Subcommands about the connection: connect, status, disconnect, live, and writes whose end isn't known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from stripe_magics.errors import UsageFault
from stripe_magics.magics.subcommands.subcommand import Context, ParsedFlags, number, whole

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection


def connect(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    if not given:
        return _connect_form(context)
    from stripe_magics.client import shared_connection, warm_up

    options = {
        key: value
        for key, value in given.items()
        if key in {"sandbox", "env", "profile", "name", "account", "api_version", "api_base", "zone"}
    }
    if given.get("empty"):
        if not given.get("sandbox"):
            raise UsageFault("--empty is for the sandbox: %stripe connect --sandbox --empty")
        options["demo"] = False
    if given.get("today"):
        if not given.get("sandbox"):
            raise UsageFault("--today is for the sandbox: %stripe connect --sandbox --today")
        options["today"] = True
    if "rate" in given:
        options["rate"] = number("rate", given["rate"])
    connection = shared_connection.connect(**options)
    context.history.note(
        "connect", f"sm.connect({', '.join(f'{key}={value!r}' for key, value in options.items())})"
    )
    state = _state(connection)
    warm_up.begin(connection, context.shell)
    return state


def _connect_form(context: Context) -> Any:
    """The connection form where there is a front end; a hidden prompt in a terminal."""
    if getattr(context.shell, "kernel", None) is not None:
        from stripe_magics.forms import connect_form

        return connect_form()
    from stripe_magics.client import shared_connection
    from stripe_magics.client.credentials import ask_for_key

    connection = shared_connection.connect(secret=ask_for_key().secret)
    return _state(connection)


def _state(connection: Connection) -> Any:
    from stripe_magics.magics.fact_list import State

    return State(connection.status(), connection.mode)


def status(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    return _state(current())


def current() -> Connection:
    """The shared connection."""
    from stripe_magics.client import shared_connection as connection

    return connection.current()


def disconnect(context: Context, positional: list[Any], given: ParsedFlags) -> None:
    from stripe_magics.client.shared_connection import close, shared

    had = shared()
    close()
    print("Disconnected; the key is forgotten." if had is not None else "There was no connection.")


def live(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    from stripe_magics.client import live_mode as live
    from stripe_magics.magics.prompt import make_prompt

    requested = str(positional[0]) if positional else "on"
    if requested not in {"on", "off", "allow"}:
        raise UsageFault(
            f"Unknown argument {requested!r}. Use: live on | off | allow N.",
            advice="%stripe live on | off | allow 100",
        )
    count = whole(positional[1], "allow") if requested == "allow" and len(positional) > 1 else None
    print(live.switch(current(), requested, ask=make_prompt(context.shell), count=count))
    return None


def pending(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    from stripe_magics.client.journal import recovery as pending

    frame = pending.frame(current())
    if frame.empty:
        print("No write has an unknown outcome.")
    return frame


def resume(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    from stripe_magics.client.journal import recovery as pending

    answer = pending.resume(current(), _operation(positional))
    for notice in answer.notices:
        print(notice)
    return _frame([answer.body], answer.request_id)


def reconcile(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    finding = current().reconcile(_operation(positional))
    print(finding)
    return _frame([json.dumps(each).encode() for each in finding.objects], "") if finding.objects else None


def _frame(pages: list[bytes], request_id: str) -> Any:
    import stripe_magics.accessor  # noqa: F401 - registers df.stripe
    from stripe_magics import frames

    connection = current()
    info = frames.FrameInfo(
        account=connection.account,
        mode=connection.mode,
        zone=str(connection.zone),
        livemode=connection.live,
        api_version=connection.api_version,
        units="minor",
    )
    how = frames.CallInfo(request_ids=[request_id] if request_id else ())
    return frames.build(pages, "any", attrs=info.attrs(how))


def _operation(positional: list[Any]) -> int:
    if not positional:
        raise UsageFault("Missing operation number. `%stripe pending` lists them.")
    try:
        return whole(positional[0], "operation number")
    except UsageFault:
        raise UsageFault(
            f"{positional[0]!r} is not an operation number. `%stripe pending` lists them."
        ) from None
