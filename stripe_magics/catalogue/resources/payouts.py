"""Payouts: list, create, cancel, retrieve, update."""

from __future__ import annotations

from stripe_magics.catalogue import declare as f
from stripe_magics.catalogue import field_groups as g
from stripe_magics.catalogue.field import in_more_section
from stripe_magics.catalogue.module import Effect, Module

PAYOUT = f.path_id("payout", "Payout", "Payout ID (po_…).")
EXPAND = g.expand("destination, balance_transaction")

LIST = Module(
    name="payouts.list",
    title="List All Payouts",
    method="GET",
    path="/v1/payouts",
    returns="list[payout]",
    effect=Effect.READ,
    help=(
        "Payouts, newest first. Stripe's filter doesn't know in_transit: those are picked here out of all"
        " payouts listed."
    ),
    fields=(
        f.object_id(
            "destination",
            "Destination",
            "External account that was paid: ba_… (bank account) or card_… (debit card).",
            object="bank_account",
        ),
        g.limit("payouts", maximum=1000),
        *g.compared(
            "created",
            "Timestamp",
            operator="created_filter",
            operator_label="Created At",
            what="creation time",
        ),
        *g.compared(
            "arrival_date",
            "Timestamp",
            operator="arrival_date_filter",
            operator_label="Arrival Date",
            what="arrival day",
            utc_days=True,  # Stripe keeps the date at 00:00 UTC
        ),
        f.choice(
            "status",
            "Status",
            "Keep payouts in one state; in_transit is picked here, since Stripe's filter does not know it.",
            choices=("pending", "paid", "failed", "canceled"),
            local_choices=("in_transit",),
            row_key="status",
        ),
        *in_more_section(g.expand("data.destination, data.balance_transaction")),
    ),
)

CREATE = Module(
    name="payouts.create",
    title="Create a Payout",
    method="POST",
    path="/v1/payouts",
    returns="payout",
    effect=Effect.IRREVERSIBLE,
    help=(
        "Sends money to your bank account or debit card. Meant for accounts on manual payouts; fails when the"
        " chosen balance is short."
    ),
    fields=(
        f.minor_amount(
            "amount",
            "Amount",
            "Sum to pay out, whole number above 0 in minor units of the currency (JPY has none).",
            required=True,
            minimum=1,
            currency="currency",
            operation="payout",
        ),
        f.currency(
            "currency",
            "Currency",
            "Three-letter ISO code, sent in lower case, of the balance to draw on.",
            required=True,
        ),
        f.text("description", "Description", "Internal note shown with the payout in the Dashboard."),
        g.metadata("payout"),
        f.choice(
            "method",
            "Method",
            "standard takes days; instant takes minutes, costs a fee and needs an eligible debit card or bank"
            " account.",
            choices=("standard", "instant"),
            default="standard",
        ),
        f.choice(
            "source_type",
            "Source Type",
            "Which part of the balance to draw on, where funds are kept apart by payment type.",
            choices=("bank_account", "card", "fpx"),
        ),
        g.statement_descriptor(
            "Text on the receiving bank statement, 22 characters at most; US ACH keeps only the first 10."
        ),
        *in_more_section(
            f.object_id(
                "destination",
                "Destination",
                "External account to pay (ba_… or card_…); blank means the default one for the currency.",
                object="bank_account",
            ),
            EXPAND,
        ),
    ),
)

CANCEL = Module(
    name="payouts.cancel",
    title="Cancel a Payout",
    method="POST",
    path="/v1/payouts/{payout}/cancel",
    returns="payout",
    effect=Effect.IRREVERSIBLE,
    help=(
        "Stops a manual payout that is still pending; the money goes back to the available balance. Automatic"
        " payouts are refused."
    ),
    fields=(PAYOUT.replace(help="Pending manual payout to stop (po_…)."), *in_more_section(EXPAND)),
)

RETRIEVE = Module(
    name="payouts.retrieve",
    title="Retrieve a Payout",
    method="GET",
    path="/v1/payouts/{payout}",
    returns="payout",
    effect=Effect.READ,
    help="One payout by its ID.",
    fields=(PAYOUT, *in_more_section(EXPAND)),
)

UPDATE = Module(
    name="payouts.update",
    title="Update a Payout",
    method="POST",
    path="/v1/payouts/{payout}",
    returns="payout",
    effect=Effect.UPDATE,
    help="Metadata is the one thing that Stripe lets you change on a payout.",
    fields=(PAYOUT.replace(help="Payout to change (po_…)."), g.metadata("payout"), *in_more_section(EXPAND)),
)

MODULES = (LIST, CREATE, CANCEL, RETRIEVE, UPDATE)
