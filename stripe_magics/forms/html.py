"""The pieces of HTML that forms show, as pure functions. Everything that comes from a user or from Stripe is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from stripe_magics.catalogue.field import Field
from stripe_magics.catalogue.generated import effects
from stripe_magics.catalogue.module import Effect, Module

MODES = {
    "sandbox": ("SANDBOX", "sm-sandbox", "the embedded account: nothing leaves this machine"),
    "test": ("TEST", "sm-test", "test data: no real money moves"),
    "live": ("LIVE", "sm-live", "real customers, real money"),
    "unknown": ("LIVE?", "sm-live", "the mode is unknown, so this is treated as live"),
    "": ("NOT CONNECTED", "sm-none", "run %stripe connect"),
}
"""What the strip on top says, by the connection's mode: badge, class, words."""


def mode_banner(connection: Any | None) -> str:
    """The strip on top of every form: mode, account and the tail of the key."""
    mode = connection.mode if connection is not None else ""
    badge, css, words = MODES.get(mode, MODES["unknown"])
    facts = [words]
    if connection is not None:
        facts = [each for each in (connection.name, connection.account, connection.key_hint, words) if each]
    return f"<div class='sm-strip {css}'><b>{badge}</b><span>{' · '.join(escape(str(each)) for each in facts)}</span></div>"


def head(module: Module) -> str:
    """Title, method and path, and what the module does."""
    lead = f"<p class='sm-lead'>{escape(module.help)}</p>" if module.help else ""
    path = f"{module.method} {module.path}" if module.path.startswith("/") else module.name
    return f"<div class='sm-head'><h3>{escape(module.title)}</h3><code>{escape(path)}</code></div>{lead}"


def note(field: Field, *, error: str = "", reading: str = "", condition: str = "", version: str = "") -> str:
    """What stands under a control: the error or the reading of what was entered, then the help."""
    bad = f"<span class='sm-bad'>{escape(error)}</span>" if error else ""
    fine = f"<span class='sm-ok'>{escape(reading)}</span>" if reading and not error else ""
    old = f"<span class='sm-old'>{escape(removal(field))}</span>" if gone(field, version) else ""
    words = " ".join(part for part in (condition, help_text(field)) if part)
    return f"<div class='sm-note' data-field='{escape(field.name)}'>{bad}{fine}{escape(words)}{old}</div>"


def help_text(field: Field) -> str:
    """The field's help, with what Stripe does without a value."""
    if field.default is None:
        return field.help
    default = (
        {True: "true", False: "false"}.get(field.default, field.default)
        if isinstance(field.default, bool)
        else field.default
    )
    return f"{field.help} Not set: {default}."


def gone(field: Field, version: str) -> bool:
    """Whether that API version no longer takes the field."""
    return field.since_removed[:4].isdigit() and version[:10] >= field.since_removed[:10]


def removal(field: Field) -> str:
    """Since when Stripe no longer takes the field, and what to use."""
    return f"Not in API versions from {field.since_removed} on" + (
        f"; use {field.replaced_by}." if field.replaced_by else "."
    )


def condition(field: Field, module: Module) -> str:
    """In words, when a field is needed: along with others of which one is, or under the condition that shows it."""
    for names in module.any_of:
        if field.name in names and not field.when:
            others = [other.label for name in names if (other := module.get(name)) is not None]
            return f"One of these is needed: {', '.join(others)}." if field.name == names[0] else ""
    if not (field.required and field.when):
        return ""
    parts = [
        f"{source.label} is {' or '.join(values)}"
        for name, values in field.when
        if (source := module.get(name)) is not None
    ]
    return f"Needed because {' and '.join(parts)}." if parts else ""


def line(text: str) -> str:
    """The magic line, with a button that copies it."""
    copy = "navigator.clipboard.writeText(this.parentElement.querySelector('pre').innerText);this.innerText='Copied'"
    return f'<div class="sm-line"><pre role="group" aria-label="The same as a magic">{escape(text)}</pre><button type="button" onclick="{copy}">Copy</button></div>'


def card(
    kind: str, headline: str, rows: Iterable[str] = (), *, role: str = "status", details: Iterable[str] = ()
) -> str:
    """A message: `kind` is good, wrong, ask or plain; `details` are folded away. All text is escaped."""
    rest = "".join(f"<br>{escape(each)}" for each in rows if each)
    folded = "<br>".join(escape(each) for each in details if each)
    more = f"<details><summary>Details</summary>{folded}</details>" if folded else ""
    return f"<div class='sm-card sm-{kind}' role='{role}'><b>{escape(headline)}</b>{rest}{more}</div>"


def error(fault: BaseException) -> str:
    """An error as a card: what happened first."""
    first, *rest = str(fault).splitlines() or [type(fault).__name__]
    return card("wrong", first, rest, role="alert")


def preview(request: Any, key: str = "") -> str:
    """The exact request: method, path, form-encoded body. The API key is never part of it."""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in request.params
    )
    headers = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in request.headers
    )
    if key:
        headers += f"<tr><td>Idempotency-Key</td><td>{escape(key)}</td></tr>"
    body = f"<table aria-label='Parameters'>{rows}</table>" if rows else "<br>No parameters."
    also = "".join(preview(each) for each in (*request.also, *request.then))
    top = f"<b>{escape(request.method)} {escape(request.path)}</b>"
    return f"<div class='sm-card' role='region' aria-label='Request'>{top}{f'<table>{headers}</table>' if headers else ''}{body}</div>{also}"


def receipt(facts: Sequence[tuple[str, str]]) -> str:
    """What was done, when, where: the line above a result that stays in the notebook."""
    words = " · ".join(
        f"{escape(name)} <code>{escape(value)}</code>" if name else escape(value)
        for name, value in facts
        if value
    )
    return f"<div style='font-size:12px;margin:4px 0;color:var(--jp-ui-font-color2,#667085)'>{words}</div>"


VERBS = {Effect.READ: "Run", Effect.CREATE: "Create", Effect.UPDATE: "Update"}
ACTIONS = {
    "create": "Create",
    "update": "Update",
    "delete": "Delete",
    "cancel": "Cancel it",
    "void": "Void",
    "finalize": "Finalize",
    "capture": "Capture",
    "confirm": "Confirm payment",
    "pay": "Pay",
    "send": "Send",
    "list": "List",
    "search": "Search",
    "retrieve": "Retrieve",
    "call": "Send request",
    "watch": "Start watching",
}


def verb(module: Module) -> str:
    """What the button says: the action in Stripe's own word where it is a plain verb."""
    return (
        ACTIONS.get(module.action) or VERBS.get(module.effect) or module.action.replace("_", " ").capitalize()
    )


def destroys(module: Module) -> bool:
    """Whether the button should look like what it does: takes something away for good."""
    names = (module.name, *(module.aliases if module.documented else ()))  # Stripe's own name among them
    return any(effects.destroys(each, module.method) for each in names)
