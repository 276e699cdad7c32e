"""Which fields of Stripe's objects are money, and in which field their currency stands. Declared; a name
outside these objects means nothing.

A key is money wherever a whole number of that key stands in one of Stripe's objects (or, of `DECIMALS`, a
text with up to twelve decimals of a minor unit), but for the paths in `NOT_MONEY`. The currency is the field
of the same object: `merchant_amount` goes with `merchant_currency`, everything else with `currency`; failing
that, the object around it, up to the object that has an id.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

KEYS = frozenset(
    [
        "amount",
        "amount_authorized",
        "amount_capturable",
        "amount_captured",
        "amount_charged",
        "amount_discount",
        "amount_discounts",
        "amount_due",
        "amount_eligible",
        "amount_excluding_tax",
        "amount_gte",
        "amount_off",
        "amount_overpaid",
        "amount_paid",
        "amount_received",
        "amount_refunded",
        "amount_remaining",
        "amount_requested",
        "amount_returned",
        "amount_reversed",
        "amount_shipping",
        "amount_subtotal",
        "amount_tax",
        "amount_tip",
        "amount_total",
        "application_fee",
        "application_fee_amount",
        "atm_fee",
        "balance",
        "cash",
        "cashback_amount",
        "discount_amount",
        "ending_balance",
        "fee",
        "fixed_amount",
        "flat_amount",
        "gross_amount",
        "inbound_pending",
        "interchange_fees",
        "interchange_fees_amount",
        "maximum",
        "maximum_amount",
        "merchant_amount",
        "minimum",
        "minimum_amount",
        "minimum_charge_amount",
        "net",
        "net_amount",
        "net_total",
        "net_total_amount",
        "network_fees",
        "network_fees_amount",
        "other_fees_amount",
        "out_of_band_amount",
        "outbound_pending",
        "overcapture_amount",
        "post_payment_credit_notes_amount",
        "pre_payment_credit_notes_amount",
        "preset",
        "presentment_amount",
        "smart_tip_threshold",
        "starting_balance",
        "subtotal",
        "subtotal_excluding_tax",
        "tax",
        "tax_amount",
        "tax_amount_exclusive",
        "tax_amount_inclusive",
        "taxable_amount",
        "tip",
        "total",
        "total_excluding_tax",
        "transaction_amount",
        "transaction_volume",
        "unit_amount",
        "value_amount",
    ]
)
DECIMALS = frozenset(
    {
        "unit_amount_decimal",
        "unit_amount_excluding_tax",
        "amount_decimal",
        "flat_amount_decimal",
        "unit_cost_decimal",
        "gross_amount_decimal",
        "local_amount_decimal",
        "national_amount_decimal",
        "tax_amount_decimal",
    }
)
"""Money as text, in minor units with decimals."""

NOT_MONEY = frozenset(
    {("balance_transaction", "exchange_rate"), ("terminal.reader", "action", "process_payment_intent", "tip")}
)


def is_money(object_type: str, path: Sequence[str], kind: str) -> bool:
    """Whether the field at this path of an object is money."""
    key = path[-1] if path else ""
    if (object_type, *path) in NOT_MONEY:
        return False
    return (kind in {"int", "int?"} and key in KEYS) or (kind in {"text", "decimal"} and key in DECIMALS)


def currency_keys(key: str) -> tuple[str, ...]:
    """The keys under which the currency of an amount may stand, the nearest first."""
    prefix = key.partition("amount")[0]
    return (f"{prefix}currency", "currency") if prefix and "amount" in key else ("currency",)


def currency_column(path: Sequence[str], names: Collection[str], *, floor: int = 0) -> str | None:
    """The column of an amount's currency among these names: beside it, else in the objects around it, down to
    `floor` parts of the path."""
    for size in range(len(path) - 1, floor - 1, -1):
        for key in currency_keys(path[-1]) if size == len(path) - 1 else ("currency",):
            name = "_".join([*path[:size], key])
            if name in names:
                return name
    return None


DAYS = frozenset(
    {
        ("balance_transaction", "available_on"),
        ("payout", "arrival_date"),
        ("topup", "expected_availability_date"),
    }
)
"""Times that are days: Stripe gives midnight UTC of the day, which is that day in every zone."""
