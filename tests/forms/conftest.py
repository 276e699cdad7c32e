"""Forms without a browser: every test ends with no widget left in the kernel."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from ipywidgets.widgets import widget as registry


def models() -> dict[str, Any]:
    """ipywidgets' own table of living widgets."""
    found = getattr(registry, "_instances", None)
    return dict(registry.Widget.widgets if found is None else found)


@pytest.fixture(autouse=True)
def no_model_left(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Closes what a test left open, with the connection; a form that leaves a widget behind fails."""
    from stripe_magics import forms
    from stripe_magics.client import shared_connection

    monkeypatch.setenv("STRIPE_MAGICS_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)
    gc.freeze()  # what is there before the test is no business of the collection at its end
    before = set(models())
    shared_connection.close()
    yield
    for _, shown in forms._shown.values():
        for form in shown:
            form.close()
    forms._shown.clear()
    shared_connection.close()
    gc.collect()
    gc.unfreeze()
    left = {key: each for key, each in models().items() if key not in before}
    assert not left, f"{len(left)} widgets left: {[type(each).__name__ for each in left.values()]}"


@pytest.fixture
def sandbox() -> Any:
    """A connection to the embedded account with its demo data."""
    from stripe_magics.client.shared_connection import connect

    return connect(sandbox=True)


@pytest.fixture
def empty_sandbox() -> Any:
    """A connection to an embedded account without data."""
    from stripe_magics.client.shared_connection import connect

    return connect(sandbox=True, demo=False)
