"""Every control that a form has, by the name that a kind's entry in `catalogue/kinds.py` gives."""

from __future__ import annotations

from stripe_magics.forms import controls, rows

BUILDERS: dict[str, controls.Builder] = {**controls.BUILDERS, "pairs": rows.key_values, "rows": rows.rows}
