"""The connection widget: where the key comes from, which account and version, and a test of what it may do.

The key itself is never in the widget: it comes from its source when Connect is pressed, or through the key field, which sends it to the
kernel once and keeps nothing (keyfield.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as w

from stripe_magics.errors import PermissionDenied, StripeMagicsError
from stripe_magics.forms import html as cards
from stripe_magics.forms import saved_connections
from stripe_magics.forms.key_field import key_field
from stripe_magics.forms.widget_registry import CSS, WidgetRegistry, set_children

SOURCES: dict[str, tuple[str, str, str]] = {
    "sandbox": ("Sandbox: an embedded account, no key, no network", "", ""),
    "env": ("Environment variable", "Variable", "STRIPE_API_KEY"),
    "keyring": ("Keyring of this computer", "Keyring entry", "default"),
    "cli": ("Stripe CLI's login", "CLI profile", "default"),
    "paste": ("Paste a key once", "", ""),
}
"""Source -> (words, label of what it needs, its usual value)."""

NEW = "new connection"


class ConnectForm(w.VBox):
    """The widget. `connect`, `test`, `save` and `forget` are its buttons as methods."""

    def __init__(self, transport: Any = None) -> None:
        self.tree = WidgetRegistry()
        self._transport = transport
        make = self.tree.make
        saved = saved_connections.load()
        self._top = make(w.HTML, "full", value="")
        self.saved = make(
            w.Dropdown, "field", description="Saved connections", options=[NEW, *saved], value=NEW
        )
        self.name = make(
            w.Text,
            "field",
            description="Connection name",
            placeholder="e.g. Acme test",
            continuous_update=False,
        )
        words = [(each[0], key) for key, each in SOURCES.items()]
        self.source = make(w.Dropdown, "field", description="Key from", options=words, value=first_source())
        self.detail = make(w.Text, "field", description="Variable", continuous_update=False)
        self.api_version = make(
            w.Text,
            "field",
            description="Force different API version",
            placeholder="2025-02-24.acacia",
            continuous_update=False,
        )
        self.account = make(
            w.Text,
            "field",
            description="Connected account",
            placeholder="acct_..., empty: your own",
            continuous_update=False,
        )
        self.status = make(w.HTML, "full", value="")
        self._key: Any = None
        self._keep: Any = None
        self._buttons = {
            words: self._button(words, action, style)
            for words, action, style in (
                ("Connect", self.connect, "primary"),
                ("Test", self.test, ""),
                ("Save", self.save, ""),
                ("Forget", self.forget, ""),
                ("Disconnect", self.disconnect, ""),
            )
        }
        bar = make(w.HBox, "row", children=tuple(self._buttons.values()), _dom_classes=("sm-bar",))
        self._fields = make(w.VBox, "column", children=())
        self._show_source()
        children = (self._top, self._fields, bar, self.status)
        super().__init__(children=children, layout=self.tree.layout("root"), _dom_classes=("sm-form",))
        self.tree.adopt(self)
        self.source.observe(lambda _: self._show_source(), "value")
        self.saved.observe(lambda _: self._load(), "value")
        self.refresh()

    # -- the buttons --------------------------------------------------------------------------------------------------------------

    def connect(self) -> Any:
        """Connect as the form says, and show what it is connected to. Raises what went wrong."""
        source, detail = self.source.value, self.detail.value.strip()
        if source == "paste":
            self._tell(cards.card("ask", "Type the key into Secret key and press Use this key."))
            return None
        ways: dict[str, Callable[[], dict[str, Any]]] = {
            "sandbox": lambda: {"sandbox": True},
            "env": lambda: {"env": detail or "STRIPE_API_KEY"},
            "cli": lambda: {"profile": detail or "default"},
            "keyring": lambda: {"secret": _from_keyring(detail or "default")},
        }
        return self._open(**ways[source]())

    def test(self) -> Any:
        """Ask Stripe which account this is, and what a restricted key may not do."""
        from stripe_magics.client.shared_connection import current

        connection = current()
        missing = missing_permissions(connection)
        facts = connection.status()
        rows = [f"{name}: {value}" for name, value in facts.items() if value]
        if missing:
            rows.append(f"This key may not: {', '.join(missing)}. Edit it in the Dashboard under API keys.")
        self._tell(cards.card("wrong" if missing else "good", "Stripe answered.", rows))
        self.refresh()
        return facts

    def save(self) -> None:
        """Save the connection: its name and where the key comes from, never the key."""
        name = self.name.value.strip()
        if not name:
            self._tell(cards.card("wrong", "Give the connection a name first.", role="alert"))
            return
        source = self.source.value
        if source == "paste":
            self._tell(
                cards.card(
                    "wrong",
                    "A pasted key is not saved.",
                    ["Tick Keep in the keyring, or put it into an environment variable."],
                    role="alert",
                )
            )
            return
        saved_connections.save(
            saved_connections.Profile(
                name,
                source,
                self.detail.value.strip(),
                self.api_version.value.strip(),
                self.account.value.strip(),
            )
        )
        self._list(name)
        self._tell(cards.card("good", f"Saved {name}: name and source only, no key."))

    def forget(self) -> None:
        """Take the chosen saved connection away."""
        name = self.saved.value
        if name != NEW:
            saved_connections.forget(name)
            self._list(NEW)
            self._tell(cards.card("plain", f"Forgot {name}."))

    def disconnect(self) -> None:
        """Close the connection and forget its key."""
        from stripe_magics.client.shared_connection import close

        close()
        self._tell(cards.card("plain", "Not connected."))
        self.refresh()

    def close(self) -> None:
        """Close the form and everything in it."""
        if self.tree.closed:
            super().close()
        else:
            self.tree.close()

    # -- inside -------------------------------------------------------------------------------------------------------------------

    def _open(self, **how: Any) -> Any:
        from stripe_magics.client.shared_connection import connect

        if self._transport is not None:
            how["transport"] = self._transport
        connection = connect(
            name=self.name.value.strip(),
            account=self.account.value.strip(),
            api_version=self.api_version.value.strip(),
            **how,
        )
        self.refresh()
        self._tell(
            cards.card(
                "good",
                "Connected.",
                [f"{name}: {value}" for name, value in connection.status().items() if value],
            )
        )
        return connection

    def _typed(self, key: str) -> None:
        """A key came from the key field."""
        from stripe_magics.client.secret import Secret, classify

        def use(secret: Secret) -> None:
            self._open(secret=secret)
            if self._keep is not None and self._keep.value == "yes":
                from stripe_magics.client.credentials import store_in_keyring

                store_in_keyring(self.name.value.strip() or "default", secret)

        classify(key)  # what can't be a key is refused before anything else happens
        use(Secret(key))

    def _show_source(self) -> None:
        source = self.source.value
        _, label, usual = SOURCES[source]
        parts = (
            [self.saved, self.name, self.source] if len(self.saved.options) > 1 else [self.name, self.source]
        )
        if label:
            self.detail.description, self.detail.placeholder = label, usual
            parts.append(self.detail)
        if source == "paste":
            parts += [self._key_field(), self._keep]
        set_children(self._fields, (*parts, self.api_version, self.account))
        self._buttons["Connect"].disabled = source == "paste"

    def _key_field(self) -> Any:
        if self._key is None:
            self._key = key_field(self.tree, self._guarded_key)
            options = [("no, for this session only", "no"), ("yes", "yes")]
            self._keep = self.tree.make(
                w.Dropdown, "field", description="Keep in the keyring", options=options, value="no"
            )
        return self._key

    def _guarded_key(self, key: str) -> None:
        self._guarded(lambda: self._typed(key))(None)

    def _load(self) -> None:
        profile = saved_connections.load().get(self.saved.value)
        if profile is not None:
            self.name.value, self.api_version.value, self.account.value = (
                profile.name,
                profile.api_version,
                profile.account,
            )
            self.source.value = profile.source if profile.source in SOURCES else "env"
            self.detail.value = profile.detail

    def _list(self, chosen: str) -> None:
        self.saved.options = [NEW, *saved_connections.load()]
        self.saved.value = chosen
        self._show_source()

    def _button(self, words: str, action: Callable[[], Any], style: str) -> Any:
        button = self.tree.make(w.Button, "button", description=words, button_style=style)
        button.on_click(self._guarded(action))
        return button

    def _guarded(self, action: Callable[[], Any]) -> Callable[[Any], None]:
        def handler(_: Any) -> None:
            try:
                action()
            except StripeMagicsError as fault:
                self._tell(cards.error(fault))
            except Exception as fault:  # anything else is our own mistake: an exception in a callback would be seen by nobody
                self._tell(cards.card("wrong", "The form failed.", [type(fault).__name__], role="alert"))

        return handler

    def _tell(self, html: str) -> None:
        self.status.value = html

    def refresh(self) -> None:
        """Bring the strip to the connection as it is now."""
        from stripe_magics.client.shared_connection import shared

        lead = "<div class='sm-head'><h3>Connect to Stripe</h3></div>"
        words = "<p class='sm-lead'>All magics and forms of this notebook share the connection. A key is never saved in the notebook.</p>"
        text = CSS + cards.mode_banner(shared()) + lead + words
        if self._top.value != text:
            self._top.value = text

    def __repr__(self) -> str:
        return "%stripe connect"

    def _ipython_display_(self, **kwargs: Any) -> None:
        """Show the form; the text that stands for it is the line that opens it."""
        from IPython.display import display

        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        display({"text/plain": repr(self), "application/vnd.jupyter.widget-view+json": view}, raw=True)
        if hasattr(self, "_handle_displayed"):  # ipywidgets 7
            self._handle_displayed(**kwargs)


def first_source() -> str:
    """What the form offers first: an environment variable if there is one, else the sandbox."""
    import os

    return "env" if os.environ.get("STRIPE_API_KEY") else "sandbox"


def _from_keyring(name: str) -> Any:
    from stripe_magics.client.credentials import from_keyring
    from stripe_magics.errors import NotConnected

    found = from_keyring(name)
    if found is None:
        raise NotConnected(
            f"The keyring has no entry {name} of stripe_magics, or there is no keyring.",
            advice="Paste the key once and keep it there.",
        )
    return found[0]


def missing_permissions(connection: Any) -> list[str]:
    """What a restricted key may not read, by trying one row of each documented list; nothing is asked with a full key."""
    from stripe_magics import catalogue
    from stripe_magics.pipeline import call

    if not str(connection.key_hint).startswith("rk_"):
        return []
    missing = []
    for module in catalogue.documented():
        if (
            module.method == "GET"
            and module.lists
            and not any(each.required for each in module.fields)
            and not module.path.endswith("/search")
        ):
            try:
                call(module.name, limit=1, connection=connection)
            except PermissionDenied:
                missing.append(module.title)
    return missing
