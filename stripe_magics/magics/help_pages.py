"""Help: what stands on the page of a module, of a word of ours, and on the overview; an example that runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from stripe_magics import catalogue
from stripe_magics._command import Command
from stripe_magics._options import OPTIONS
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.kinds import Shape, kind_facts, kind_name, shape_of
from stripe_magics.catalogue.module import Effect, Module
from stripe_magics.catalogue.stripe_objects import id_prefix
from stripe_magics.errors import StripeMagicsError
from stripe_magics.forms.layout import sections
from stripe_magics.magics.help_page import SHORT, Cell, HelpPage, HelpSection, Listing

EFFECTS = {
    Effect.READ: "reads",
    Effect.CREATE: "creates",
    Effect.UPDATE: "changes",
    Effect.IRREVERSIBLE: "moves money, or cannot be undone",
}


def subcommand_page(subcommand: Any, now: Mapping[str, str] | None = None) -> HelpPage:
    """The page of a word of ours: what it does, an example, what its flags mean (and are, of settings)."""
    form = (
        subcommand.name
        if subcommand.name in OWN_FORMS
        else f"{subcommand.name} --form"
        if "form" in subcommand.flags
        else ""
    )
    usage = f"%stripe {subcommand.name} {subcommand.usage}".strip()
    flags = subcommand_flags(subcommand, "", now=now)
    return HelpPage(usage, [subcommand.help], [flags], subcommand.example, form=form)


def subcommand_flags(
    subcommand: Any, title: str, *, folded: bool = False, now: Mapping[str, str] | None = None
) -> HelpSection:
    """The flags of a word of ours, with what they mean and, of settings, what they are `now`."""
    from stripe_magics.magics.subcommands.flag_help import about

    rows = []
    for name in subcommand.flags:
        if name != "**":
            value, meaning = about(subcommand.name, name)
            values = (now[name],) if now else ()
            rows.append((f"--{name.replace('_', '-')} {value}".strip(), *values, meaning))
    head = ("flag", "now", "what it means") if now else ("flag", "what it means")
    return HelpSection(title, head, tuple(rows), folded=folded, names=True)


OWN_FORMS = frozenset({"connect", "today"})
"""Words that show something to press by themselves."""


def page(name: str) -> HelpPage:
    """The fields of a module. Raises `UnknownName` with the nearest modules; a resource alone shows its
    actions."""
    from stripe_magics.parsing.command_names import longest

    words = re.split(r"[\s.]+", name.strip())
    resource = ".".join(words).replace("-", "_").lower()
    actions = catalogue.actions_by_resource().get(resource)
    if actions and not _is_module(resource):
        modules = [catalogue.find(f"{resource}.{action}") for action in actions]
        rows = tuple(
            (f"{resource.replace('.', ' ')} {each.action}", f"{each.method} {each.path}", each.title)
            for each in modules
        )
        head = ("command", "request", "what it does")
        shown = resource.replace(".", " ")
        line = f"%stripe {rows[0][0]} --help" if rows else ""
        return HelpPage(shown, [], [HelpSection("", head, rows)], line)
    found, _ = longest(words)
    module = catalogue.find(found)
    intro = [
        f"%stripe {module.name.replace('.', ' ')}: {EFFECTS[module.effect]}. {module.method} {module.path}",
        module.help,
        f"Also: {', '.join(each.replace('.', ' ') for each in module.aliases)}" if module.aliases else "",
    ]
    if not module.documented:
        intro.append(
            "Further parameters of Stripe's are passed on as they are (--name value, -d name=value)."
        )
    parts = [*_field_sections(module), _common_options()]
    return HelpPage(module.title, intro, parts, example(module), module=module.name)


FIELDS = ("field", "takes", "what it is")


def _field_sections(module: Module) -> list[HelpSection]:
    """The fields, in the order and the groups of the form: what is required in front."""
    first, *groups = sections(module)
    alternatives = {name for names in module.any_of for name in names}
    needed = [each for each in first.fields if (each.required and not each.when) or each.name in alternatives]
    rest = [each for each in first.fields if each not in needed]
    title = "Required" if not alternatives else f"Required: {_one_of(module)}"
    parts = [
        HelpSection("Optional", FIELDS, _rows(rest, ""), names=True),
        *(HelpSection(each.title, FIELDS, _rows(each.fields, each.title)) for each in groups),
    ]
    if sum(len(each.text()) for each in parts) > SHORT:
        parts = [replace(each, folded=True) for each in parts]
    return [HelpSection(title, FIELDS, _rows(needed, "")), *parts]


def _one_of(module: Module) -> str:
    """Which of several fields one is needed of."""
    flags = [[own.flag for name in names if (own := module.get(name))] for names in module.any_of]
    return "; ".join(f"one of {', '.join(each)}" for each in flags)


def _common_options() -> HelpSection:
    rows = tuple((each.usage, each.help) for each in OPTIONS.values())
    return HelpSection("Options of every command", ("option", "what it does"), rows, folded=True)


def _is_module(name: str) -> bool:
    from stripe_magics.parsing.command_names import documented, generated

    return name in documented() or name in generated()


def _rows(fields: Iterable[Field], group: str) -> tuple[tuple[Cell, ...], ...]:
    return tuple(_row(each, group) for each in fields)


def _row(own: Field, group: str) -> tuple[Cell, ...]:
    """Flag, what it takes, what it is."""
    flag = own.name.upper() if own.role in {Role.PATH, Role.URL} else own.flag
    takes: Cell = kind_facts(own.kind).help or kind_name(own.kind)
    if own.choices:
        takes = Listing(str(takes), own.choices)
    if own.columns:
        takes = f"{takes}: {', '.join(each.name for each in own.columns)}"
    if own.object:
        takes = f"{takes} of a {own.object.replace('_', ' ')}"
    title = own.label if own.group == group else own.title
    notes = [title + (" (required)" if own.required else ""), *_conditions(own), own.help]
    if own.since:
        notes.append(f"From API version {own.since} on: a call with it goes out with that version")
    if own.since_removed:
        instead = f": {own.replaced_by}" if own.replaced_by else ""
        notes.append(
            f"Not taken {'here' if own.since_removed == 'never' else 'since ' + own.since_removed}{instead}"
        )
    return (flag, takes, " ".join(f"{note.rstrip('.')}." for note in notes if note))


def _conditions(own: Field) -> list[str]:
    """Under which values of other fields it applies."""
    return [f"Only if --{name.replace('_', '-')} is {' or '.join(values)}" for name, values in own.when]


# --- an example that runs


def example(module: Module) -> str:
    """A line that runs as it stands: what is required, one thing to change on an update. On the sandbox, with
    ids that exist there."""
    from stripe_magics.parsing import write_line

    values = {own.name: sample(own, module.action) for own in module.fields if own.required and not own.when}
    for names in module.any_of:
        own = module.get(names[0])
        if own is not None and not values.keys() & set(names):
            values[own.name] = sample(own, module.action)
            if own.currency and module.get(own.currency) is not None:
                values[own.currency] = "usd"
    amount = module.get("amount")
    if amount is not None and module.action == "create" and not module.any_of:
        values |= {"amount": "2000", **({amount.currency: "usd"} if module.get(amount.currency) else {})}
    if module.lists and module.get("limit") is not None:
        values["limit"] = "5"
    places = {each.name for each in module.path_fields}
    if not module.lists and not values.keys() - places and module.action in {"create", "update"}:
        own = next(
            (
                each
                for kind in (Kind.LONG_TEXT, Kind.TEXT, Kind.METADATA)
                for each in module.fields
                if _plain(each, kind)
            ),
            None,
        )
        if own is not None:
            values[own.name] = sample(own)
    return write_line(Command(module.name, values))


def _plain(own: Field, kind: Kind) -> bool:
    return own.kind is kind and own.role is Role.PARAM and not own.when and not own.since_removed


def sample(own: Field, action: str = "") -> Any:
    """A value that the field takes; an id of an object that the action can be done to, where there is one."""
    if own.default is not None:
        return str(own.default).lower() if isinstance(own.default, bool) else str(own.default)
    if own.role is Role.URL:
        return "/v1/events"
    if own.kind is Kind.OBJECT_ID:
        return an_id(own.object, action)
    if own.choices:
        choice = next((each for each in own.choices if each in {"card", "customer.created"}), own.choices[0])
        return [choice] if shape_of(own.kind) is Shape.LIST else choice
    if shape_of(own.kind) is Shape.PAIRS:
        return {"order_id": "6735"}
    if shape_of(own.kind) is Shape.ROWS:
        return [{each.name: sample(each) for each in own.columns if each.required or len(own.columns) == 1}]
    if shape_of(own.kind) is Shape.LIST:
        return [an_id(own.object)] if own.object else ["a"]
    return "Jenny Rosen" if own.name == "name" else kind_facts(own.kind).sample


STATES = {  # action -> the states in which an object can be acted upon
    "capture": {"requires_capture"},
    "confirm": {"requires_confirmation", "requires_action"},
    "cancel": {
        "requires_payment_method",
        "requires_capture",
        "requires_confirmation",
        "requires_action",
        "pending",
    },
    "void": {"open", "uncollectible"},
    "finalize": {"draft"},
    "update": {"draft"},  # a finalized invoice keeps most of what it says
    "delete": {"draft"},
    "create": {"succeeded"},
}


def an_id(kind: str, action: str = "") -> str:
    """An id of an object of that type: of the open sandbox, in a state that suits the action; or one that
    only looks like one."""
    import sys

    loaded = sys.modules.get("stripe_magics.client.shared_connection")
    connection = loaded.shared() if loaded is not None else None
    name = "invoice_items.list" if kind == "invoiceitem" else f"{kind}s.list"
    if connection is not None and connection.sandbox is not None and _is_module(name):
        from stripe_magics import pipeline as calls

        try:
            frame: Any = calls.call(Command(name), connection=connection)
        except StripeMagicsError:
            # a list that the sandbox hasn't, or that wants more than nothing: an example id then
            frame = None
        if frame is not None and len(frame):
            return str(_suiting(frame, kind, action)["id"].iloc[0])
    return f"{id_prefix(kind) or kind[:4] or 'id'}_123"


def _suiting(frame: Any, kind: str, action: str) -> Any:
    """The rows that the action can be done to, or all of them if there is none."""
    suits = (
        frame[frame["status"].isin(STATES.get(action, ()))].iloc[::-1] if "status" in frame else frame.head(0)
    )
    if kind == "payment_intent":
        suits = suits[suits["invoice"].isna()] if "invoice" in suits else suits
        suits = suits[suits["payment_method"].notna()] if action == "confirm" else suits
    if "refunded" in frame:
        suits = suits[~suits["refunded"].fillna(value=False).astype(bool)]
    if kind == "invoice" and action == "delete":  # a subscription's drafts cannot be deleted
        suits = suits[suits["subscription"].isna()] if "subscription" in suits else suits
    if kind == "payout" and action == "cancel":  # those that Stripe makes by itself can't be
        suits = suits[~suits["automatic"].fillna(value=False).astype(bool)] if "automatic" in suits else suits
    if kind == "customer":  # one that can be billed in the currency of the examples
        suits = frame[frame["currency"].astype("object") == "usd"]
    if kind == "invoiceitem":  # one that no invoice has taken up yet can be changed
        suits = frame[frame["invoice"].isna()]
    return suits if len(suits) else frame


# --- the overview


def overview(subcommands: Mapping[tuple[str, ...], Any]) -> HelpPage:
    """What there is."""
    calls = (
        (
            "%stripe RESOURCE ACTION [ID] [--field value ...]",
            "Call a module: customers list, payment_intents create, checkout sessions create ...",
        ),
        ("%%stripe RESOURCE ACTION", "The same as a cell, its fields below as YAML or JSON."),
        ("%stripe get|post|delete /v1/...", "Any endpoint."),
        ("%stripe RESOURCE ACTION --help", "The fields of a module."),
    )
    own = tuple(
        (f"%stripe {subcommand.name} {subcommand.usage}".strip(), subcommand.help)
        for subcommand in subcommands.values()
    )
    head = ("line", "what it does")
    parts = [HelpSection("Calls", head, calls), HelpSection("Beside calls", head, own), _common_options()]
    return HelpPage("%stripe: a Stripe account in a notebook", [], parts, "%stripe connect --sandbox")
