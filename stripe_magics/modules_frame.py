"""All modules as a DataFrame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stripe_magics import catalogue

if TYPE_CHECKING:
    import pandas as pd


def modules_frame() -> pd.DataFrame:
    """All modules: name, title, method, path, effect, fields (their number), documented. One row a module."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "name": each.name,
                "title": each.title,
                "method": each.method,
                "path": each.path,
                "effect": each.effect.value,
                "fields": len(each.fields),
                "documented": each.documented,
            }
            for each in catalogue.everything()
        ]
    )
