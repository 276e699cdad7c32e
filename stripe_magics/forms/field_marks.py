"""What screen readers are told of a form's fields: which note belongs to which control, and which control holds an error."""

from __future__ import annotations

import anywidget

from stripe_magics.forms.static_files import static_path


class FieldMarks(anywidget.AnyWidget):
    """Draws nothing and holds nothing; its script sets `aria-describedby` and `aria-invalid` inside the form that it stands in."""

    _esm = static_path("field_marks.js")
