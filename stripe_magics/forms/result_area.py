"""Where a form's result goes: an output of its own under the form, and a variable.

An output that was displayed when the cell ran can be updated from a callback later, and what is in it is
saved with the notebook; nothing else that a callback shows is. So the area is displayed along with the form.
Until there is a result it holds a sentence for whoever opens the saved notebook, where JupyterLab says "model
not found" in the form's place; beside a form that is drawn it isn't seen.
"""

from __future__ import annotations

import keyword
import os
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stripe_magics._html import output, tag
from stripe_magics.catalogue.module import Module
from stripe_magics.forms import html

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection


AGAIN = "A form was open here. Forms aren't saved with a notebook: run the cell again to open it."


class ResultArea:
    """The output under one form."""

    def __init__(self) -> None:
        self.handle: Any = None
        self._again = f"sm-again-{uuid.uuid4().hex[:8]}"

    @property
    def style(self) -> str:
        """What a form that is drawn hides the sentence with."""
        return f"<style>.{self._again}{{display:none}}</style>"

    def open(self) -> None:
        """Display the area. Without IPython there is none, and results are returned only."""
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is not None and not in_voila():
            sentence = output(tag("small", AGAIN), class_=self._again)
            self.handle = display({"text/plain": "", "text/html": sentence}, raw=True, display_id=True)

    def show(self, frame: object, facts: list[tuple[str, str]]) -> None:
        """Show a result with its receipt above, in place of the last one."""
        if self.handle is not None:
            words = " · ".join(f"{name} {value}".strip() for name, value in facts if value)
            plain = rendered(frame).get("text/plain", "")
            self.handle.update(
                {"text/plain": f"{words}\n{plain}", "text/html": as_html(frame, facts)}, raw=True
            )


def as_html(frame: object, facts: list[tuple[str, str]]) -> str:
    """The receipt with the table below it."""
    return html.receipt(facts) + rendered(frame).get("text/html", "")


def rendered(frame: object) -> dict[str, str]:
    """The frame as this notebook shows frames, by MIME type: what the magics have registered for answers
    holds here too."""
    from IPython import get_ipython

    shell = get_ipython()
    formatter = getattr(shell, "display_formatter", None)
    if formatter is None:
        return {"text/plain": repr(frame)}
    data, _ = formatter.format(frame, include={"text/html", "text/plain"})
    return {kind: str(text) for kind, text in data.items()}


def in_voila() -> bool:
    """Whether the page is Voila's: it doesn't show outputs that are updated later, so the form itself has to
    show its result."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila")


def variable(module: Module, requested: str = "") -> str:
    """The name under which a result is kept: the one asked for, else `customers_create`."""
    name = requested or module.name.replace(".", "_")
    return name if name.isidentifier() and not keyword.iskeyword(name) else "result"


def bind(name: str, frame: object) -> bool:
    """Put the result into the notebook's namespace; False outside IPython."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        return False
    shell.user_ns[name] = frame
    return True


def receipt(
    module: Module, frame: object, connection: Connection | None, *, saved_as: str = "", key: str = ""
) -> list[tuple[str, str]]:
    """The facts of a receipt: what, when, in which mode, Stripe's request id, the tails of keys; never an API
    key."""
    about = getattr(frame, "attrs", {}).get("stripe", {})
    ids = about.get("request_ids") or []
    rows = f"{len(frame):,} row{'' if len(frame) == 1 else 's'}" if hasattr(frame, "__len__") else ""
    return [
        ("", module.title),
        ("", rows),
        ("", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"),
        ("", html.MODES.get(connection.mode if connection is not None else "", html.MODES["unknown"])[0]),
        ("request", str(ids[-1]) if ids else ""),
        ("API key", str(connection.key_hint) if connection is not None else ""),
        ("idempotency", f"...{key[-8:]}" if key else ""),
        ("", "a replay: nothing was made twice" if about.get("replayed") else ""),
        ("", "" if about.get("complete", True) else "not complete: there are more rows"),
        ("saved as", saved_as),
    ]


def headline(title: str, frame: Any) -> str:
    """What was done, in a line: `Create a Customer: done. cus_123`."""
    rows = len(frame) if hasattr(frame, "__len__") else 0
    ids = list(frame["id"]) if rows == 1 and "id" in getattr(frame, "columns", ()) else []
    return f"{title}: done. {ids[0] if ids else f'{rows:,} rows'}"
