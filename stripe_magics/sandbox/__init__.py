"""The embedded account: a Stripe account in memory, behind an httpx transport."""

from __future__ import annotations

from stripe_magics.sandbox.fault_injection import Fault
from stripe_magics.sandbox.transport import SandboxTransport

__all__ = ["Fault", "SandboxTransport"]
