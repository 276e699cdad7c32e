"""Help: the fields of a module as a table, an example line, the overview."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from stripe_magics import catalogue
from stripe_magics._command import OPTIONS, Command
from stripe_magics._html import output, scrolling, table, tag
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.kinds import Shape, kind_facts, kind_name, shape_of
from stripe_magics.catalogue.module import Effect, Module
from stripe_magics.catalogue.stripe_objects import id_prefix
from stripe_magics.errors import StripeMagicsError

EFFECTS = {
    Effect.READ: "reads",
    Effect.CREATE: "creates",
    Effect.UPDATE: "changes",
    Effect.IRREVERSIBLE: "moves money, or cannot be undone",
}


class Page:
    """A page of help: a title, some lines, a table, an example. Text and HTML say the same."""

    def __init__(
        self,
        title: str,
        intro: Iterable[str],
        head: Iterable[str],
        rows: Iterable[Iterable[str]],
        example: str = "",
        outro: Iterable[str] = (),
        *,
        module: str = "",
    ) -> None:
        self.module = module  # whose form a button opens; "" where the page is of no module
        self.title, self.intro, self.head = title, [line for line in intro if line], list(head)
        self.rows, self.example, self.outro = [list(row) for row in rows], example, list(outro)

    @classmethod
    def of_verb(cls, verb: Any) -> Page:
        """The page of a word of ours."""
        flags = [
            ["--" + name.replace("_", "-"), {"flag": "", "text": "VALUE", "list": "VALUE, repeated"}[how]]
            for name, how in verb.flags.items()
            if name != "**"
        ]
        return cls(
            f"%stripe {verb.name} {verb.usage}".strip(),
            [verb.help],
            ["flag", "takes"] if flags else [],
            flags,
        )

    def __repr__(self) -> str:
        out = [self.title, *(f"  {line}" for line in self.intro), ""]
        if self.head:
            short = [
                [
                    cell if len(cell) <= 70 or at == len(row) - 1 else cell[:69] + "…"
                    for at, cell in enumerate(row)
                ]
                for row in self.rows
            ]
            widths = [max([len(name), *(len(row[at]) for row in short)]) for at, name in enumerate(self.head)]
            widths[-1] = 0
            out += [
                "  " + "  ".join(f"{cell:<{wide}}" for cell, wide in zip(row, widths, strict=True)).rstrip()
                for row in [self.head, *short]
            ]
            out.append("")
        out += [f"  {self.example}", ""] if self.example else []
        return "\n".join([*out, *(f"  {line}" for line in self.outro)]).rstrip()

    def _repr_html_(self) -> str:
        parts: list[object] = [tag("div", tag("b", self.title)), *(tag("div", line) for line in self.intro)]
        if self.example:
            parts.append(tag("pre", tag("code", self.example)))
        if self.head:
            rows = [[tag("td", tag("code", row[0]), style="text-align:left"), *row[1:]] for row in self.rows]
            parts.append(scrolling(table(self.head, rows), self.title))
        return output(*parts, *(tag("div", tag("small", line)) for line in self.outro))


def page(name: str) -> Page:
    """The fields of a module. Raises `UnknownName` with the nearest modules; a resource alone shows its
    actions."""
    from stripe_magics.parsing.command_names import longest

    words = re.split(r"[\s.]+", name.strip())
    resource = ".".join(words).replace("-", "_").lower()
    actions = catalogue.actions_by_resource().get(resource)
    if actions and not _is_module(resource):
        modules = [catalogue.find(f"{resource}.{action}") for action in actions]
        rows = [
            [f"{resource.replace('.', ' ')} {each.action}", each.title, f"{each.method} {each.path}"]
            for each in modules
        ]
        return Page(resource.replace(".", " "), [], ["module", "", "request"], rows)
    found, _ = longest(words)
    module = catalogue.find(found)
    rows = [
        _row(each)
        for each in sorted(module.fields, key=lambda each: (each.in_more_section, not each.required))
    ]
    intro = [
        f"%stripe {module.name.replace('.', ' ')}: {EFFECTS[module.effect]}. {module.method} {module.path}",
        module.help,
        f"Also: {', '.join(each.replace('.', ' ') for each in module.aliases)}" if module.aliases else "",
    ]
    outro = [_common_options()]
    if not module.documented:
        outro.insert(
            0, "Further parameters of Stripe's are passed on as they are (--name value, -d name=value)."
        )
    return Page(
        module.title,
        intro,
        ["field", "label", "value", "when", "what"],
        rows,
        example(module),
        outro,
        module=module.name,
    )


def _common_options() -> str:
    return "Common options: " + "; ".join(f"{each.usage} {each.help}" for each in OPTIONS.values())


def _is_module(name: str) -> bool:
    from stripe_magics.parsing.command_names import documented, generated

    return name in documented() or name in generated()


def _row(own: Field) -> list[str]:
    flag = own.name.upper() if own.role in {Role.PATH, Role.URL} else own.flag
    what = kind_facts(own.kind).help or kind_name(own.kind)
    if own.choices:
        shown = (
            own.choices if len(own.choices) <= 12 else (*own.choices[:10], f"... {len(own.choices)} in all")
        )
        what = f"{what}: {', '.join(shown)}"
    if own.columns:
        what = f"{what}: {', '.join(each.name for each in own.columns)}"
    if own.object:
        what = f"{what} of a {own.object.replace('_', ' ')}"
    when = "; ".join(f"{name} is {' or '.join(values)}" for name, values in own.when)
    notes = [own.help]
    if own.since:
        notes.append(f"From API version {own.since} on: a call with it goes out with that version")
    if own.since_removed:
        instead = f": {own.replaced_by}" if own.replaced_by else ""
        notes.append(
            f"Not taken {'here' if own.since_removed == 'never' else 'since ' + own.since_removed}{instead}"
        )
    return [
        flag,
        own.title + (" (required)" if own.required else ""),
        what,
        when,
        " ".join(note for note in notes if note),
    ]


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


def overview(verbs: Mapping[tuple[str, ...], Any]) -> Page:
    """What there is."""
    rows = [[f"%stripe {verb.name} {verb.usage}".strip(), verb.help] for verb in verbs.values()]
    calls = [
        [
            "%stripe RESOURCE ACTION [ID] [--field value ...]",
            "Call a module: customers list, payment_intents create, checkout sessions create ...",
        ],
        ["%%stripe RESOURCE ACTION", "The same as a cell, its fields below as YAML or JSON."],
        ["%stripe get|post|delete /v1/...", "Any endpoint."],
        ["%stripe RESOURCE ACTION --help", "The fields of a module."],
    ]
    outro = [_common_options()]
    return Page(
        "%stripe: a Stripe account in a notebook",
        [],
        ["line", "what it does"],
        [*calls, *rows],
        "%stripe connect --sandbox",
        outro,
    )
