"""WHAT Stripe offers: modules and their fields. Pure data; imports nothing else of the package but the errors."""

from __future__ import annotations

PINNED_VERSION = "2025-02-24.acacia"
"""The newest API version on which every documented field works."""
