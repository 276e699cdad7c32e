"""The second step of a form: when there is one, what it says, and what has to be typed in live mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stripe_magics.catalogue.field import Kind
from stripe_magics.catalogue.module import Effect
from stripe_magics.errors import StripeError, StripeMagicsError
from stripe_magics.forms import html
from stripe_magics.forms.form_protocol import FormView
from stripe_magics.forms.value_preview import in_words

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection


def live(form: FormView) -> bool:
    """Whether the form would send to a live account (or one whose mode isn't known)."""
    connection = form.connection
    return connection is not None and bool(connection.live)


def needs_confirmation(form: FormView) -> bool:
    """Whether there is a second step: for what cannot be undone, and for every write in live mode."""
    effect = form.state.effect()
    return effect is Effect.IRREVERSIBLE or (live(form) and effect is not Effect.READ)


def confirmation_phrase(form: FormView) -> str:
    """What has to be typed in live mode, "" if nothing.

    The account's name, until live writing is allowed; then, before what cannot be undone, the object's id or
    the amount.
    """
    state, connection = form.state, form.connection
    if connection is None or not live(form) or state.effect() is Effect.READ:
        return ""
    if not connection.guard.open:
        return _account(connection)
    if state.effect() is not Effect.IRREVERSIBLE:
        return ""
    values = state.values()
    ids = [str(values[each.name]) for each in state.module.path_fields if each.name in values]
    return (ids[-1] if ids else "") or str(values.get("amount") or "") or "live"


def _account(connection: Connection) -> str:
    try:
        account = connection.account_object()
    except StripeError:  # a restricted key that may not read the account
        return str(connection.key_hint[-4:])
    return str(connection.account_name(account) or account.get("id") or connection.key_hint[-4:])


def confirmation_html(form: FormView) -> str:
    """The second step in words: what, on which account, in which mode, with which values; of an update only
    what changes."""
    state, connection = form.state, form.connection
    mode = html.MODES.get(connection.mode if connection is not None else "", html.MODES["unknown"])[0]
    values = state.values()
    if form.comparison.fetched:
        rows = form.comparison.about()
    else:
        rows = [
            f"{field.title}: {in_words(field, raw, state)}"
            for field, raw in ((state.field(name), raw) for name, raw in values.items())
        ]
    account = connection.name or connection.account or connection.key_hint if connection is not None else ""
    typed = confirmation_phrase(form)
    last = [
        f"Account: {account}" if account else "",
        "This cannot be undone." if state.effect() is Effect.IRREVERSIBLE else "",
        f"Type {typed} to go on." if typed else "",
    ]
    return html.card(
        "ask",
        f"{state.module.title} [{mode}]: send it?",
        [*rows, *objects(form, values), *last],
        role="alertdialog",
    )


def objects(form: FormView, values: Mapping[str, Any]) -> list[str]:
    """What the named objects amount to: a refund's charge, the payment that is captured. Nothing of whom they
    belong to."""
    from stripe_magics.forms import object_search
    from stripe_magics.pipeline import call

    words = []
    for name, raw in values.items():
        field = form.state.field(name)
        lister = (
            object_search.lister_of(field.object) if field.kind is Kind.OBJECT_ID and field.object else None
        )
        if lister is None or form.connection is None:
            continue
        try:
            found: Any = call(
                "api.call", url=f"{lister.path}/{raw}", method="GET", raw=True, connection=form.connection
            )
        except StripeMagicsError:
            # Stripe will say so itself when the call is made; here it is only asked for company
            continue
        about = ", ".join(
            part for part in (object_search.amount(found), str(found.get("status") or "")) if part
        )
        words += [f"{raw}: {about}"] if about else []
    return words
