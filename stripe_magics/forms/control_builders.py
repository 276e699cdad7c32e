"""Which control shows which kind of field: one table."""

from __future__ import annotations

from stripe_magics.catalogue.field import Kind
from stripe_magics.forms import controls, rows

BUILDERS: dict[Kind, controls.Builder] = {
    **controls.BUILDERS,
    Kind.METADATA: rows.key_values,
    Kind.ROWS: rows.rows,
}
