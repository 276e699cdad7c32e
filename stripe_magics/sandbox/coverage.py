"""What the sandbox does for each operation of the catalogue: simulate it, or keep its objects by shape."""

from __future__ import annotations

from typing import NamedTuple

from stripe_magics.catalogue.generated import facts
from stripe_magics.sandbox.api import routes
from stripe_magics.sandbox.api.dispatcher import simulates


class Coverage(NamedTuple):
    """One operation; `fidelity` is "simulated" or "by shape"."""

    operation: str
    method: str
    path: str
    fidelity: str


def operations() -> list[Coverage]:
    """All operations of the v1 API, in alphabetical order."""
    routes.install()
    return [
        Coverage(
            each.name,
            each.method,
            each.path,
            "simulated" if simulates(each.method, each.path) else "by shape",
        )
        for each in sorted(facts.data().operations.values(), key=lambda each: each.name)
        if each.path.startswith("/v1/")
    ]
