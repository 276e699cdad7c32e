"""What Stripe sends, decoded."""

from __future__ import annotations

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
"""An object of Stripe's (an event, a customer, the body of an answer): its values are known by their names
alone."""
