"""The balance: what there is now, its history, one movement."""

from __future__ import annotations

from stripe_magics.catalogue import declare as f
from stripe_magics.catalogue import field_groups as g
from stripe_magics.catalogue.field import Role, in_more_section
from stripe_magics.catalogue.module import Effect, Module

TRANSACTION_TYPES = f.words(
    """adjustment advance advance_funding anticipation_repayment application_fee application_fee_refund
    charge climate_order_purchase climate_order_refund connect_collection_transfer contribution
    fee_credit_funding inbound_transfer inbound_transfer_reversal issuing_authorization_hold
    issuing_authorization_release issuing_dispute issuing_dispute_provisional_credit
    issuing_dispute_provisional_credit_reversal issuing_transaction obligation_outbound
    obligation_reversal_inbound payment payment_failure_refund payment_network_reserve_hold
    payment_network_reserve_release payment_refund payment_reversal payment_unreconciled payout
    payout_cancel payout_failure payout_minimum_balance_hold payout_minimum_balance_release refund
    refund_failure reserve_hold reserve_release reserve_transaction reserved_funds
    stripe_balance_payment_debit stripe_balance_payment_debit_reversal stripe_fee stripe_fx_fee tax_fee
    tax_fund topup topup_reversal transfer transfer_cancel transfer_failure transfer_refund"""
)

RETRIEVE = Module(
    name="balance.retrieve",
    title="Retrieve Balance",
    method="GET",
    path="/v1/balance",
    returns="balance",
    effect=Effect.READ,
    help="What is available and what is pending, an entry for each currency, in minor units.",
    fields=(
        *in_more_section(
            g.expand("instant_available.net_available").replace(
                help=(
                    "Parts that Stripe leaves out by default: instant_available.net_available, on recent"
                    " versions."
                )
            )
        ),
    ),
)

LIST_HISTORY = Module(
    name="balance.list_history",
    title="List All Balance History",
    method="GET",
    path="/v1/balance_transactions",
    returns="list[balance_transaction]",
    effect=Effect.READ,
    aliases=("balance_transactions.list",),
    help=(
        "Every movement of the balance, newest first. The day funds become usable is tested here on the rows"
        " listed, since Stripe's filter no longer takes it: bound the creation time as well."
    ),
    fields=(
        g.limit("balance transactions"),
        f.currency(
            "currency", "Currency", "Keep one settlement currency: three-letter ISO code, sent in lower case."
        ),
        f.object_id(
            "payout",
            "Payout",
            "Keep what one payout (po_…) settled; works for payouts that Stripe made automatically, not for"
            " manual ones.",
            object="payout",
        ),
        f.choice(
            "type",
            "Type",
            "Keep one kind of movement, e.g. charge, refund, payout or stripe_fee.",
            choices=TRANSACTION_TYPES,
        ),
        *g.compared(
            "created",
            "Created Timestamp",
            operator="created_filter",
            operator_label="Created At",
            what="creation time",
        ),
        *g.compared(
            "available_on",
            "Available Timestamp",
            operator="available_filter",
            operator_label="Available",
            what="day funds become usable",
            role=Role.LOCAL,
            utc_days=True,
            since_removed="2023-08-16",
            replaced_by="client-side filter on available_on of the rows listed by created",
        ),
        *in_more_section(
            f.text(
                "source",
                "Source",
                "Keep movements caused by one object: ID of a charge, refund, payout, transfer or dispute.",
            ),
            g.expand("data.source"),
        ),
    ),
)

RETRIEVE_TRANSACTION = Module(
    name="balance.retrieve_transaction",
    title="Retrieve a Balance Transaction",
    method="GET",
    path="/v1/balance_transactions/{balance_transaction}",
    returns="balance_transaction",
    effect=Effect.READ,
    aliases=("balance_transactions.retrieve",),
    help="One movement of the balance by its ID.",
    fields=(
        f.path_id("balance_transaction", "ID", "Balance transaction ID (txn_…)."),
        *in_more_section(g.expand("source")),
    ),
)

MODULES = (RETRIEVE, LIST_HISTORY, RETRIEVE_TRANSACTION)
