"""The connection widget: where the key comes from, which account and version, and a test of what it may do.

The key itself is never in the widget: it comes from its source when Connect is pressed, or through the key
field, which sends it to the kernel once and keeps nothing (key_field.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as w

from stripe_magics.errors import NotConnected, StripeMagicsError, UsageFault
from stripe_magics.forms import html as cards
from stripe_magics.forms import saved_connections
from stripe_magics.forms.connection_card import connected_card, missing_permissions
from stripe_magics.forms.field_marks import FieldMarks
from stripe_magics.forms.form_sections import CLOSED, OPENED
from stripe_magics.forms.key_field import key_field
from stripe_magics.forms.key_sources import SOURCES, first_source, keyring_secret
from stripe_magics.forms.widget_registry import CSS, ROOT_CLASSES, WidgetRegistry, set_children

NEW = "new connection"


class ConnectForm(w.VBox):
    """The widget. `connect`, `test`, `save` and `forget` are its buttons as methods."""

    def __init__(self, transport: object = None) -> None:
        self.tree = WidgetRegistry()
        self._transport = transport
        make = self.tree.make
        saved = saved_connections.load()
        self._top = make(w.HTML, "full", value="")
        self.saved = make(
            w.Dropdown, "field", description="Saved connections", options=[NEW, *saved], value=NEW
        )
        self.name = self._text("Connection name", "e.g. Acme test")
        words = [(each[0], key) for key, each in SOURCES.items()]
        self.source = make(w.Dropdown, "field", description="Key from", options=words, value=first_source())
        self.detail = self._text("Variable", "")
        self.api_version = self._text("Force different API version", "2025-02-24.acacia")
        self.account = self._text("Connected account", "acct_..., empty: your own")
        self.api_base = self._text("API base", "https://api.stripe.com")
        self.rate = self._text("Requests a second", "as Stripe allows")
        self.zone = self._text("Time zone", "UTC, or Europe/Berlin")
        self._more = make(w.Button, "group", description="", _dom_classes=("sm-group",))
        self._more_open = False
        self._armed: Callable[[], Any] | None = None  # what a yes would do: connecting with a live key
        self.status = make(w.HTML, "full", value="")
        self._key: Any = None
        self._keep: Any = None
        self._buttons = {
            words: self._button(words, action, style)
            for words, action, style in (
                ("Connect", self.connect, "primary"),
                ("Yes, connect to live", self.confirm, "danger"),
                ("Test", self.test, ""),
                ("Save", self.save, ""),
                ("Rename", self.rename, ""),
                ("Remove", self.remove, ""),
                ("Disconnect", self.disconnect, ""),
            )
        }
        self._bar = make(w.HBox, "row", children=(), _dom_classes=("sm-bar",))
        self._fields = make(w.VBox, "column", children=())
        self._show_source()
        children = (self._top, self._fields, self._bar, self.status, make(FieldMarks, "note"))
        super().__init__(children=children, layout=self.tree.layout("root"), _dom_classes=ROOT_CLASSES)
        self.tree.adopt(self)
        self.source.observe(lambda _: self._show_source(), "value")
        self.saved.observe(lambda _: self._load(), "value")
        self._more.on_click(lambda _: self._toggle_more())
        self.refresh()

    # -- the buttons -----------------------------------------------------------------------------------------
    def connect(self) -> Any:
        """Connect as the form says, and show what it is connected to. Raises what went wrong."""
        source, detail = self.source.value, self.detail.value.strip()
        if source == "paste":
            self._tell(cards.card("ask", "Type the key into Secret key and press Connect beside it."))
            return None
        ways: dict[str, Callable[[], dict[str, Any]]] = {
            "sandbox": lambda: {"sandbox": True},
            "env": lambda: {"env": detail or "STRIPE_API_KEY"},
            "cli": lambda: {"profile": detail or "default"},
            "keyring": lambda: {"secret": keyring_secret(detail or "default")},
        }
        return self._open(**ways[source]())

    def confirm(self) -> Any:
        """The yes to a live key."""
        armed, self._armed = self._armed, None
        self._show_buttons()
        return armed() if armed is not None else None

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
        name = self._own_name()
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
                self.api_base.value.strip(),
                self.rate.value.strip(),
                self.zone.value.strip(),
            )
        )
        self._list(name)
        self._tell(cards.card("good", f"Saved {name}: name and source only, no key."))

    def rename(self) -> None:
        """Give the chosen saved connection the name that stands in Connection name."""
        old, name = self.saved.value, self._own_name()
        if old != NEW and name and name != old:
            saved_connections.rename(old, name)
            self._list(name)
            self._tell(cards.card("plain", f"{old} is {name} now."))

    def remove(self) -> None:
        """Take the chosen saved connection away."""
        name = self.saved.value
        if name != NEW:
            saved_connections.forget(name)
            self._list(NEW)
            self._tell(cards.card("plain", f"Removed {name}."))

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

    # -- inside ----------------------------------------------------------------------------------------------
    def _open(self, *, confirmed: bool = False, **how: Any) -> Any:
        from IPython import get_ipython

        from stripe_magics.client import warm_up
        from stripe_magics.client.secret import classify
        from stripe_magics.client.shared_connection import connect

        if self._transport is not None:
            how["transport"] = self._transport
        if not how.get("sandbox"):
            from stripe_magics.client import credentials

            found = (
                how.get("secret")
                or credentials.find(env=how.get("env", ""), profile=how.get("profile", "")).secret
            )
            if classify(found.reveal()).mode == "live" and not confirmed:
                self._armed = lambda: self._open(confirmed=True, **how)
                self._show_buttons()
                words = ["Real customers, real money. Every write asks again before it is sent."]
                self._tell(
                    cards.card(
                        "ask",
                        f"{found.hint} is a live key. Connect to the live account?",
                        words,
                        role="alertdialog",
                    )
                )
                return None
        connection = connect(
            name=self.name.value.strip(),
            account=self.account.value.strip(),
            api_version=self.api_version.value.strip(),
            api_base=self.api_base.value.strip(),
            rate=self._rate(),
            zone=self.zone.value.strip(),
            **how,
        )
        if self.saved.value != NEW:
            saved_connections.touch(self.saved.value)
        self.refresh()
        self._tell(connected_card(connection))
        warm_up.begin(connection, get_ipython())
        return connection

    def _own_name(self) -> str:
        name = str(self.name.value).strip()
        if name == NEW:
            raise UsageFault(f"{NEW!r} stands for one that isn't saved yet. Choose another name.")
        return name

    def _rate(self) -> float | None:
        text = self.rate.value.strip()
        try:
            return float(text) if text else None
        except ValueError:
            raise NotConnected(f"{text!r} is not a number of requests a second (example: 25).") from None

    def _typed(self, key: str) -> None:
        """A key came from the key field."""
        from stripe_magics.client.secret import Secret, classify

        def use(secret: Secret) -> None:
            if self._open(secret=secret) is None:
                return
            if self._keep is not None and self._keep.value == "yes":
                from stripe_magics.client.credentials import store_in_keyring

                store_in_keyring(self.name.value.strip() or "default", secret)

        key = key.strip()
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
        mark = OPENED if self._more_open else CLOSED
        if self._more.description != f"{mark} More":
            self._more.description = f"{mark} More"
        extra = (
            (self.api_version, self.account, self.zone, self.rate, self.api_base) if self._more_open else ()
        )
        set_children(self._fields, (*parts, self._more, *extra))
        self._armed = None
        self._show_buttons()

    def _toggle_more(self) -> None:
        self._more_open = not self._more_open
        self._show_source()

    def _show_buttons(self) -> None:
        """The buttons that can act now: a key that is pasted has its own Connect beside it."""
        saved = self.saved.value != NEW
        shown = {
            "Connect": self.source.value != "paste" and self._armed is None,
            "Yes, connect to live": self._armed is not None,
            "Rename": saved,
            "Remove": saved,
        }
        set_children(
            self._bar, tuple(each for words, each in self._buttons.items() if shown.get(words, True))
        )

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
            self.api_base.value, self.rate.value, self.zone.value = (
                profile.api_base,
                profile.rate,
                profile.zone,
            )
            if any((profile.api_version, profile.account, profile.api_base, profile.rate, profile.zone)):
                self._more_open = True
            self._show_source()

    def _list(self, chosen: str) -> None:
        self.saved.options = [NEW, *saved_connections.load()]
        self.saved.value = chosen
        self._show_source()

    def _text(self, words: str, hint: str) -> Any:
        return self.tree.make(w.Text, "field", description=words, placeholder=hint, continuous_update=False)

    def _button(self, words: str, action: Callable[[], Any], style: str) -> Any:
        button = self.tree.make(w.Button, "button", description=words, button_style=style)
        button.on_click(self._guarded(action))
        return button

    def _guarded(self, action: Callable[[], Any]) -> Callable[[Any], None]:
        def handler(_: object) -> None:
            try:
                action()
            except StripeMagicsError as fault:
                self._tell(cards.error(fault))
            except Exception as fault:
                # anything else is our own mistake: an exception in a callback would be seen by nobody
                self._tell(cards.card("wrong", "The form failed.", [type(fault).__name__], role="alert"))

        return handler

    def _tell(self, html: str) -> None:
        self.status.value = html

    def refresh(self) -> None:
        """Bring the strip to the connection as it is now."""
        from stripe_magics.client.shared_connection import shared

        lead = (
            "All magics and forms of this notebook share the connection. A key is never saved in the"
            " notebook."
        )
        text = CSS + cards.mode_banner(shared()) + cards.title("Connect to Stripe", lead)
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
