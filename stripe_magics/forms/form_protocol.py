"""What the parts of a form ask of the form that they stand in: a Protocol, so that a part knows no widget but
its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Protocol

from stripe_magics.errors import Fault
from stripe_magics.forms.result_area import ResultArea
from stripe_magics.forms.state import FormState
from stripe_magics.forms.widget_registry import WidgetRegistry

if TYPE_CHECKING:
    from stripe_magics._command import Command
    from stripe_magics.catalogue.field import Field
    from stripe_magics.client.shared_connection import Connection
    from stripe_magics.forms.controls import Control


class UpdateView(Protocol):
    """An update's comparison, as the second step and the sending ask it."""

    @property
    def fetched(self) -> bool: ...

    def fetch(self) -> None: ...

    def forget(self) -> None: ...

    def about(self) -> list[str]: ...

    def after(self) -> str: ...


class AmountView(Protocol):
    """The object that the form's amount belongs to, as the sending asks it."""

    def update(self) -> None: ...

    def check_left(self, module: str) -> None: ...

    def confirmation_text(self) -> str: ...

    @property
    def parts(self) -> tuple[Any, ...]: ...


class SectionsView(Protocol):
    """The groups of the form, as its list of problems asks them."""

    def reveal(self, name: str) -> None: ...


class FieldDrawing(Protocol):
    """What draws into the form's fields (see field_marks.py)."""

    def show(self, fields: dict[str, Any]) -> None: ...


class FormView(Protocol):
    """The form: what it holds, which connection it uses, and how it shows what happened."""

    state: FormState
    tree: WidgetRegistry
    area: ResultArea
    cell_name: str  # of the cell that made the form

    @property
    def marks(self) -> FieldDrawing: ...

    @property
    def comparison(self) -> UpdateView: ...

    @property
    def amount(self) -> AmountView: ...

    @property
    def connection(self) -> Connection | None: ...

    @property
    def sections(self) -> SectionsView: ...

    @property
    def zone(self) -> tzinfo: ...

    def open_group(self, title: str) -> None: ...

    def close_group(self, title: str) -> None: ...

    def control(self, field: Field) -> Control: ...

    def jump(self, name: str) -> None: ...

    def guarded(self, action: Callable[[], Any]) -> Callable[[Any], None]: ...

    def show_message(self, html: str) -> None: ...

    def show_faults(self, faults: tuple[Fault, ...]) -> None: ...

    def show_note(self, name: str, reading: str = "") -> None: ...

    def put_control(self, name: str) -> None: ...

    def check(self, name: str) -> None: ...

    def refresh(self) -> None: ...

    def refresh_banner(self) -> None: ...

    def edit(self, name: str) -> object: ...

    def clear(self, name: str) -> object: ...

    def keep(self, name: str) -> object: ...


class ReadSender(Protocol):
    """Who makes the calls of a form, as a long read asks it."""

    form: FormView

    def call(self, command: Command, **more: Any) -> Any: ...

    def done(self, frame: object) -> None: ...

    def refresh(self) -> None: ...
