"""How a package that is missing is installed, as it is typed where the person is: `%pip` installs for the
notebook's own kernel."""

from __future__ import annotations

import sys


def pip_install(what: str) -> str:
    """`%pip install duckdb` in a notebook or in IPython, `pip install duckdb` in a script."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return f"{'%' if shell is not None else ''}pip install {what}"
