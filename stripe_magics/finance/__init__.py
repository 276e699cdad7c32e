"""Reports over frames that prove themselves. Knows pandas, not HTTP.

    import stripe_magics as sm
    sm.report("balance_summary", month="2026-09", tz="Europe/Berlin")

Each report is also a plain function of frames in one of this package's files; `reports()` lists them all.

Importing the package loads nothing: which reports there are (`report_table`) can be asked without pandas. Its
functions, listed in `_exports`, are loaded when the first of them is asked for.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from stripe_magics._interrupts import held_back

if TYPE_CHECKING:
    from stripe_magics.finance._exports import *  # noqa: F403

_RENAMED = {"spread": "recognition_schedule"}


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        raise AttributeError(f"{__name__}.{name} is {_RENAMED[name]} now, with the same arguments")
    is_module = find_spec(f"{__name__}.{name}") is not None  # `from stripe_magics.finance import balance`
    if is_module or (name.startswith("_") and name != "__all__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with held_back():
        from stripe_magics.finance import _exports
    if name == "__all__":
        return _exports.__all__
    if name not in _exports.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_exports, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})
