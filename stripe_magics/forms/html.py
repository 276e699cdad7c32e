"""The pieces of HTML that forms show, as pure functions on `_html`, which escapes everything that comes from
a user or from Stripe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from stripe_magics._html import Markup, join, output, table, tag, text, with_code
from stripe_magics._redaction import redact
from stripe_magics.catalogue.field import Field
from stripe_magics.catalogue.generated import effects
from stripe_magics.catalogue.module import Effect, Module
from stripe_magics.errors import InvalidValue

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection
    from stripe_magics.request import Request

MODES = {
    "sandbox": ("SANDBOX", "sm-sandbox", "the embedded account: nothing leaves this machine"),
    "test": ("TEST", "sm-test", "test data: no real money moves"),
    "live": ("LIVE", "sm-live", "real customers, real money"),
    "unknown": ("LIVE?", "sm-live", "the mode is unknown, so this is treated as live"),
    "": ("NOT CONNECTED", "sm-none", "run %stripe connect"),
}
"""What the strip on top says, by the connection's mode: badge, class, words."""


def mode_banner(connection: Connection | None) -> Markup:
    """The strip on top of every form: mode, account and the tail of the key."""
    mode = connection.mode if connection is not None else ""
    badge, css, words = MODES.get(mode, MODES["unknown"])
    facts = [words]
    if connection is not None:
        facts = [each for each in (connection.name, connection.account, connection.key_hint, words) if each]
    return tag("div", tag("b", badge), tag("span", " · ".join(map(str, facts))), class_=f"sm-strip {css}")


def title(words: str, lead: str = "", *, code: str = "") -> Markup:
    """A form's heading, and what it is for."""
    heading = tag("div", tag("h3", words), tag("code", code) if code else "", class_="sm-head")
    return join([heading, explanation(lead) if lead else ""])


def explanation(words: str) -> Markup:
    """A sentence under a heading."""
    return tag("p", words, class_="sm-lead")


def remarks(notes: Iterable[object]) -> Markup:
    """Small print, a paragraph a note."""
    return join(tag("p", with_code(str(each)), class_="sm-notes") for each in notes)


def head(module: Module) -> Markup:
    """Title, method and path, and what the module does."""
    path = f"{module.method} {module.path}" if module.path.startswith("/") else module.name
    return title(module.title, module.help, code=path)


def note(
    field: Field, *, error: str = "", reading: str = "", condition: str = "", version: str = ""
) -> Markup:
    """What stands under a control: the error or the reading of what was entered, then the help."""
    bad = tag("span", error, class_="sm-bad") if error else ""
    fine = tag("span", reading, class_="sm-ok") if reading and not error else ""
    old = tag("span", removal(field), class_="sm-old") if gone(field, version) else ""
    words = " ".join(part for part in (condition, help_text(field)) if part)
    return tag("div", bad, fine, words, old, class_="sm-note", data_field=field.name)


def problem(name: str, words: str) -> Markup:
    """What stands under a control that has no help: what is wrong with its value."""
    return tag("div", tag("span", words, class_="sm-bad") if words else "", class_="sm-note", data_field=name)


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
    """In words, when a field is needed: along with others of which one is, or under the condition that shows
    it."""
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


SCROLLED = 600  # characters of a line that gets a box of its own


def line(words: str) -> Markup:
    """The magic line, with a button that copies it."""
    copy = (
        "navigator.clipboard.writeText(this.parentElement.querySelector('pre').innerText);"
        "this.innerText='Copied'"
    )
    scrolls = "0" if len(words) > SCROLLED else None  # the keyboard must reach what scrolls
    shown = tag("pre", words, role="group", aria_label="The same as a magic", tabindex=scrolls)
    return tag("div", shown, tag("button", "Copy", type="button", onclick=copy), class_="sm-line")


def card(
    kind: str, headline: str, rows: Iterable[str] = (), *, role: str = "status", details: Iterable[str] = ()
) -> Markup:
    """A message: `kind` is good, wrong, ask or plain; `details` are folded away. All text is escaped, and
    without keys: what a form shows is saved with its notebook."""
    headline = _without_keys(headline)
    rest = join(_new_line(with_code(_without_keys(each))) for each in rows if each)
    first, *others = [_without_keys(each) for each in details if each] or [""]
    folded = tag("details", tag("summary", "Details"), first, *map(_new_line, others)) if first else ""
    return tag("div", tag("b", with_code(headline)), rest, folded, class_=f"sm-card sm-{kind}", role=role)


def _without_keys(words: str) -> str:
    return words if isinstance(words, Markup) else redact(words)


def _new_line(words: object) -> Markup:
    return join([tag("br"), words])


def error(fault: BaseException, words: Callable[[str], str] = str) -> Markup:
    """An error as a card: what happened first. Values are named as the form labels them, not as flags, which
    `words` sees to."""
    if isinstance(fault, InvalidValue):
        faults = [f"{each.title}: {each.problem}" for each in fault.faults[: fault.MAX_SHOWN]]
        return card("wrong", words(faults[0]), [*map(words, faults[1:]), "Nothing was sent."], role="alert")
    first, *rest = str(fault).splitlines() or [type(fault).__name__]
    return card("wrong", words(first), map(words, rest), role="alert")


def own_mistake(fault: BaseException) -> str:
    """An error that a form didn't foresee: its type and words, without any key or secret, since what a form
    shows is saved."""
    return redact(f"{type(fault).__name__}: {fault}")


def preview(request: Request, key: str = "") -> Markup:
    """The exact request: method, path, form-encoded body. The API key is never part of it."""
    headers = [*request.headers, *([("Idempotency-Key", key)] if key else [])]
    body = (
        table([], request.params, by_sheet=True, aria_label="Parameters")
        if request.params
        else _new_line("No parameters.")
    )
    shown = tag(
        "div", tag("b", f"{request.method} {request.path}"),
        table([], headers, by_sheet=True) if headers else "", body,
        class_="sm-card", role="region", aria_label="Request",
    )  # fmt: skip
    return join([shown, *(preview(each) for each in (*request.merged_requests, *request.follow_ups))])


def receipt(facts: Sequence[tuple[str, str]]) -> Markup:
    """What was done, when, where: the line above a result that stays in the notebook."""
    parts = [
        join([f"{name} ", tag("code", value)]) if name else text(value) for name, value in facts if value
    ]
    words = join(piece for place, each in enumerate(parts) for piece in ((" · ", each) if place else (each,)))
    return output(words, style="font-size:12px;margin:4px 0;color:var(--jp-ui-font-color2,#667085)")


BUTTON_LABELS = {Effect.READ: "Run", Effect.CREATE: "Create", Effect.UPDATE: "Update"}
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


def button_label(module: Module) -> str:
    """What the button says: the action in Stripe's own word where it is a plain verb."""
    first = module.action.partition("_")[0]  # `list_history` lists
    return (
        ACTIONS.get(module.action)
        or (ACTIONS.get(first) if module.effect is Effect.READ else None)
        or BUTTON_LABELS.get(module.effect)
        or module.action.replace("_", " ").capitalize()
    )


def destroys(module: Module) -> bool:
    """Whether the button should look like what it does: takes something away for good."""
    names = (module.name, *(module.aliases if module.documented else ()))  # Stripe's own name among them
    return any(effects.destroys(each, module.method) for each in names)
