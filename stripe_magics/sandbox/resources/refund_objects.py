"""What a refund is made of."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object


def new_refund(account: Account, charge: Object, amount: int, params: dict[str, Any]) -> Object:
    """A refund of a charge; not stored yet."""
    debit = charge["id"].startswith("py_")
    card = charge["payment_method_details"]["type"] == "card"
    refund: Object = {
        "id": account.new_id("pyr" if debit else "re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": account.now,
        "currency": charge["currency"],
        "destination_details": (
            {
                "card": {
                    "reference_status": "pending",
                    "reference_type": "acquirer_reference_number",
                    "type": "refund",
                },
                "type": "card",
            }
            if card
            else {"type": charge["payment_method_details"]["type"]}
        ),
        "metadata": merged_metadata({}, params.get("metadata")),
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending",
        "transfer_reversal": None,
    }
    if params.get("instructions_email"):
        refund["instructions_email"] = params["instructions_email"]
    return refund
