"""Watches, for a line, a cell, a form and Python: one function each.

watch("invoice", "charge.failed")  polls and shows what comes    %stripe events watch --group invoice
run(command)                       with a URL: an endpoint       %stripe events watch --url https://...
status(), stop(), endpoints()

A receiver is in receiver_commands.py, handlers are in handler_commands.py. All of it hangs on the connection
(account_events.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stripe_magics import catalogue, pipeline
from stripe_magics._command import Command
from stripe_magics._json import JsonObject
from stripe_magics._options import Options
from stripe_magics.client import one_time_secrets
from stripe_magics.client.shared_connection import current, shared
from stripe_magics.errors import UsageFault
from stripe_magics.events import account_names, signing_secrets, webhook_endpoints
from stripe_magics.events.account_events import end_all, events_of, look_up_account
from stripe_magics.events.accounts_watch import AccountsWatch
from stripe_magics.events.alerts import ON_THE_PAGE, alert_names
from stripe_magics.events.event_watch import Watch
from stripe_magics.events.filters import EventFilter, event_filter
from stripe_magics.events.moments import moment
from stripe_magics.events.option_values import minutes_of, name_list, number_of
from stripe_magics.events.receiver_commands import LISTEN
from stripe_magics.events.watch_limits import FOREVER, INTERVAL, MINUTES, READ_BUDGET
from stripe_magics.validation.object_ids import account_ids

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.journal.journal import Origin
    from stripe_magics.client.shared_connection import Connection

_OWN = (
    "minutes",
    "interval",
    "since",
    "where",
    "alert",
    "notify",
    "accounts",
    "ephemeral",
    "status",
    "stop",
)  # flags of a line that are no fields
# common options that a watch takes
_WATCH_OPTIONS = frozenset({"stripe_account", "out", "quiet", "form", "yes", "dry_run"})
_FOREVER_INTERVAL = 300.0  # seconds: within what Stripe allows to be read in a month
_MONTH = 30 * 86400.0


def watch(  # noqa: PLR0913 - public: each is a keyword of its own
    *names: str,
    group: Iterable[str] | str = (),
    events: Iterable[str] | str = (),
    url: str = "",
    webhook_name: str = "",
    minutes: float | str | None = None,
    interval: float | str | None = None,
    since: object = None,
    where: str | Callable[[JsonObject], Any] | None = None,
    values: Mapping[str, Any] | None = None,
    ephemeral: bool = False,
    alert: Iterable[str] | str = (),
    notify: bool = False,
    accounts: object = None,
    stripe_account: str = "",
    sink: Callable[[pd.DataFrame], object] | None = None,
    connection: Connection | None = None,
    **fields: Any,
) -> Any:
    """Watch events: `watch("invoice", "charge.failed")`; nothing named is all of them. Shows a live table,
    and is a `Watch`.

    `names`, `group`, `events` choose groups (`invoice`), patterns (`charge.dispute.*`) and types
    (`invoice.paid`). It polls every `interval` seconds (15) for `minutes` (30; `"forever"`: until it is
    stopped, every 5 minutes). `since`: from when on, a date, Unix seconds, or `2h`, `3d` ago; without it,
    from where the list was read to. `where`: a condition on values, `"amount > 100000 and customer in vips"`,
    with `values` for what its names stand for. `alert`: what is done about new events without code, several
    of `sound`, `desktop`, `email`, `mailto:ADDRESS` and an https address of yours (alerts.py); `notify` is
    `sound` and `desktop`. `stripe_account`: a connected account; `accounts`: several, as ids or a frame of
    them, and `connect=True` all that the platform has: one watch, with the account in each row, each account
    read from where it was read to (`since` may be a dict by account). `sink`: gets what comes as a frame,
    batch by batch (in a line: `--to FOLDER`).
    With `url`, a webhook endpoint is made there instead and the answer is its frame (`webhook_name` names it,
    `ephemeral`: it goes with the kernel).
    Raises `UnknownName` for an event that there isn't, `UsageFault` for an option that can't be, and the
    `StripeError` of the first reading.
    """
    if url:
        _refuse_with_url(
            where=where,
            alert=alert,
            notify=notify or None,
            accounts=accounts,
            since=since,
            minutes=minutes,
            interval=interval,
            to=sink,
        )
        chosen = event_filter([*name_list(group), *names], name_list(events))
        given = {"events": list(chosen.all_types), "url": url, "webhook_name": webhook_name or None, **fields}
        plain = {name: value for name, value in given.items() if value is not None}
        options = Options(stripe_account=stripe_account)
        command = Command(module="events.watch", values=plain, options=options)
        return run(command, connection, ephemeral=ephemeral)
    _refuse_unknown(fields, {"connect", "api_version", "metadata"})
    connection = connection or current()
    choice = event_filter([*name_list(group), *names], name_list(events))
    name = webhook_name or "watch"
    lasting = MINUTES if minutes is None else minutes_of(minutes)
    choices: dict[str, Any] = {
        "name": name,
        "minutes": lasting,
        "where": where,
        "values": dict(values or {}),
        "sink": sink,
        "alert": [*alert_names(alert), *(ON_THE_PAGE if notify else ())],
    }
    choices["interval"] = _interval(interval, lasting)
    if fields.get("connect") or accounts is not None:
        if stripe_account:
            raise UsageFault(
                "--stripe-account is one account, --accounts and --connect are several. Nothing is watched."
            )
        return _watch_accounts(connection, accounts, choice, since, choices)
    account = events_of(connection, stripe_account)
    made = Watch(account, choice, since=moment(since, connection), **choices)
    look_up_account(connection)
    if fields.get("api_version"):
        made.notes.append(
            "API Version is of webhook endpoints; a watch that polls takes the connection's version."
        )
    _note_budget(made)
    account.end(name)
    made.start()
    account.watches[name] = made
    return made


def _watch_accounts(
    connection: Connection, accounts: object, choice: EventFilter, since: object, options: dict[str, Any]
) -> AccountsWatch:
    """One watch over connected accounts: those that are named, or all of the platform's."""
    account_names.learn(connection, accounts)
    ids = account_ids(accounts) if accounts is not None else account_names.connected(connection)
    if not ids:
        raise UsageFault("No account is connected to this one. Nothing is watched.")
    if len(ids) > account_names.MAX_ACCOUNTS:
        raise UsageFault(
            f"A watch reads up to {account_names.MAX_ACCOUNTS} accounts, each for itself; these are more."
            " Nothing is watched.",
            advice=(
                "A webhook endpoint takes the events of all: %stripe events watch --url https://... --connect"
            ),
        )
    look_up_account(connection)
    account_names.look_up(connection, ids)
    name = options["name"]
    moments = since if isinstance(since, Mapping) else dict.fromkeys(ids, since)
    if odd := [each for each in moments if each not in ids]:
        raise UsageFault(f"--since names {odd[0]}, which isn't watched. Nothing is watched.")
    watches = [
        Watch(events_of(connection, each), choice, since=moment(moments.get(each), connection), **options)
        for each in ids
    ]
    former = [
        each
        for each in _watches(connection)
        if each.name == name and (each.shows_accounts or each.account.account in ids)
    ]
    end_all(former)
    for each in former:
        each.account.watches.pop(name, None)
    made = AccountsWatch(events_of(connection), choice, watches, name=name)
    made.start()
    for each in watches:
        each.account.watches[name] = each
    return made


def _note_budget(watch: Watch) -> None:
    if watch.minutes == FOREVER and _MONTH / watch.interval > READ_BUDGET:
        watch.notes.append(
            f"Every {watch.interval:g} s is {_MONTH / watch.interval:,.0f} reads in 30 days; Stripe allows"
            f" {READ_BUDGET:,} or 500 for each payment."
        )


def _interval(given: float | str | None, minutes: float) -> float:
    if given is None:
        return _FOREVER_INTERVAL if minutes == FOREVER else INTERVAL
    return number_of(given, "interval")


def _refuse_with_url(**given: Any) -> None:
    """What only a watch that polls does: Stripe posts an endpoint's events to the URL, and nobody looks at
    them here."""
    names = [
        f"--{name}"
        for name, value in given.items()
        if value is not None and not (isinstance(value, (str, list, tuple)) and not value)
    ]
    if names:
        raise UsageFault(
            f"{', '.join(names)} has no effect on a webhook endpoint: Stripe posts its events to the URL."
            " Nothing was sent."
        )


def run(
    command: Command,
    connection: Connection | None = None,
    *,
    ephemeral: bool = False,
    origin: Origin | None = None,
    ask: Callable[[str], str] | None = None,
    values: Mapping[str, Any] | None = None,
    sink: Callable[[pd.DataFrame], object] | None = None,
) -> Watch | AccountsWatch | pd.DataFrame | Any:
    """Serve a command of events.watch: with a URL a webhook endpoint, without one a watch that polls.

    Beside the module's fields its values may have `minutes`, `interval`, `since`, `where`, `ephemeral`, and,
    alone, `status` or `stop`.
    """
    given = command.values
    own = {name: given[name] for name in _OWN if given.get(name) is not None and given[name] is not False}
    if "stop" in own:
        stopped = stop(str(given.get("webhook_name") or ""))
        print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")
        return None
    if "status" in own:
        return status()
    connection = connection or current()
    fields = {name: value for name, value in given.items() if name not in _OWN and value is not None}
    sent = {_field(name): value for name, value in command.params}
    if command.options.dry_run or fields.get("url") or sent.get("url"):
        _refuse_with_url(**{name: value for name, value in own.items() if name != "ephemeral"}, to=sink)
        return _endpoint(command, fields, connection, origin, ask, ephemeral=ephemeral or "ephemeral" in own)
    _refuse_options(command, taken=_WATCH_OPTIONS | ({"to"} if sink is not None else set()))
    return watch(
        **{**sent, **fields, **own},
        values=values,
        sink=sink,
        stripe_account=command.options.stripe_account or "",
        connection=connection,
    )


def _endpoint(
    command: Command,
    fields: dict[str, Any],
    connection: Connection,
    origin: Origin | None,
    ask: Callable[[str], str] | None,
    *,
    ephemeral: bool,
) -> Any:
    """A webhook endpoint; patterns are written out, since Stripe knows types only."""
    fields = dict(fields)
    if fields.get("events"):
        fields["events"] = list(event_filter([], name_list(fields["events"])).all_types)
    plain = replace(command, values=fields)
    if command.options.dry_run:
        return pipeline.prepare(plain, connection=connection)
    made = webhook_endpoints.create(plain, connection, ephemeral=ephemeral, origin=origin, ask=ask)
    listening = events_of(connection).watches.get(LISTEN)
    secret = one_time_secrets.known(connection, one_time_secrets.endpoint_entry(made["id"].iloc[0]))
    if listening is not None and listening.receiver is not None and secret is not None:
        listening.receiver.secrets.append(secret)  # it may be our own receiver, behind a tunnel
    return made


def status(*, connection: Connection | None = None) -> pd.DataFrame:
    """The watches of the connection, one row each."""
    import pandas as pd

    names = (
        *("watch", "account", "mode", "events", "state", "last_read", "seen", "reads", "every"),
        *("receiver", "problems", "note"),
    )
    lines = [each.status() for each in _watches(connection or shared())]
    return pd.DataFrame(
        {name: pd.Series([line.get(name, "") for line in lines], dtype="str") for name in names}
    )


def stop(name: str = "", *, connection: Connection | None = None) -> list[str]:
    """Stop a watch, or all of the connection's, within a second. Returns the names of those that ran."""
    chosen = [each for each in _watches(connection or shared()) if name in {"", each.name}]
    running = [
        each.name for each in chosen if each.running or (each.receiver is not None and each.receiver.running)
    ]
    end_all(chosen)
    for each in chosen:
        each.account.watches.pop(each.name, None)
    return running


def purge(*, connection: Connection | None = None) -> int:
    """Forget the events of the account that are kept on this machine (for 30 days, else). Returns how many
    there were."""
    return events_of(connection or current()).store.purge(before=float("inf"))


def endpoints(
    *,
    delete: str = "",
    secret_of: str = "",
    to: str = "",
    yes: bool = False,
    ask: Callable[[str], str] | None = None,
    connection: Connection | None = None,
) -> Any:
    """The account's webhook endpoints, one row each: the columns of `webhook_endpoints.list`, and
    `secret_kept` (boolean), whether its signing secret is on this machine.

    `delete`: delete this one first, after asking (`yes=True` answers, `ask` is who is asked).
    `secret_of` with `to`: write that endpoint's signing secret into a file for a server to read
    (STRIPE_WEBHOOK_SECRET=...), never on screen.
    Raises `UsageFault` for one of these two alone, `ConfirmationNeeded`, `KeyRefused` where there is no
    secret, `NotConnected`, a `StripeError`.
    """
    connection = connection or current()
    if bool(secret_of) != bool(to):
        raise UsageFault("--secret-of ENDPOINT and --to FILE go together.")
    if secret_of:
        print(signing_secrets.write_to(connection, secret_of, to))
    if delete:
        webhook_endpoints.delete(connection, delete, yes=yes, ask=ask)
    return webhook_endpoints.listed(connection)


def _watches(connection: Connection | None) -> list[Watch]:
    accounts = connection.extensions.get("events", {}) if connection is not None else {}
    return [watch for account in accounts.values() for watch in account.watches.values()]


def _field(param: str) -> str:
    field = catalogue.find("events.watch").by_param(param.removesuffix("[]"))
    return field.name if field is not None else param


def _refuse_options(command: Command, *, taken: AbstractSet[str]) -> None:
    """Options common to all calls that a watch which polls has no use for."""
    options = command.options
    plain = Options()
    given = [
        each.name
        for each in dataclasses.fields(Options)
        if each.name not in taken and getattr(options, each.name) != getattr(plain, each.name)
    ]
    if given:
        names = ", ".join(f"--{name.rstrip('_').replace('_', '-')}" for name in given)
        raise UsageFault(f"{names} has no effect on a watch. Nothing is watched.")


def _refuse_unknown(fields: dict[str, Any], known: set[str]) -> None:
    unknown = set(fields) - known
    if unknown:
        raise UsageFault(f"A watch has no option {', '.join(sorted(unknown))}.")
