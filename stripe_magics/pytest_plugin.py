"""The pytest fixture `stripe_sandbox`: a Stripe account of its own for each test, served over loopback HTTP.

    def test_checkout(stripe_sandbox):
        client = stripe.StripeClient(stripe_sandbox.key, base_addresses={"api": stripe_sandbox.url})
        client.v1.customers.create({"name": "Jenny"})
        stripe_sandbox.advance(86400)

The account is empty and its clock starts today. Nothing is imported before a test asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stripe_magics.sandbox import SandboxTransport


@dataclass(frozen=True, slots=True)
class StripeSandbox:
    """Where the account is served: base address and key, and the account itself."""

    url: str
    transport: SandboxTransport
    key: str = "sk_test_sandbox"

    def advance(self, seconds: int) -> int:
        """Let time pass. Returns the new moment in Unix seconds."""
        return self.transport.advance(seconds)

    def reset(self) -> None:
        """Back to an empty account."""
        self.transport.reset()


@pytest.fixture
def stripe_sandbox() -> Iterator[StripeSandbox]:
    """An empty Stripe account over loopback HTTP, for one test."""
    from stripe_magics.sandbox import SandboxTransport
    from stripe_magics.sandbox.server import serving

    transport = SandboxTransport(demo=False, today=True)
    with serving(transport) as url:
        yield StripeSandbox(url, transport)
