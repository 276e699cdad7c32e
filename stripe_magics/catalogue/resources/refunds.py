"""Refunds: list, create, retrieve, update."""

from __future__ import annotations

from stripe_magics.catalogue import declare as f
from stripe_magics.catalogue import field_groups as g
from stripe_magics.catalogue.field import in_more_section
from stripe_magics.catalogue.module import Effect, Module

REFUND = f.path_id("refund", "Refund", "Refund ID (re_… or pyr_…).")
EXPAND = g.expand("charge, payment_intent, balance_transaction")
_CASH = {"origin": "customer_balance"}

LIST = Module(
    name="refunds.list",
    title="List All Refunds",
    method="GET",
    path="/v1/refunds",
    returns="list[refund]",
    effect=Effect.READ,
    help="Refunds, newest first; without a filter every refund of the account.",
    fields=(
        f.object_id(
            "charge", "Charge", "Keep only refunds of one charge (ID ch_… or py_…).", object="charge"
        ),
        g.limit("refunds"),
        *in_more_section(
            f.object_id(
                "payment_intent",
                "Payment Intent ID",
                "Keep only refunds of one payment intent (pi_…).",
                object="payment_intent",
            ),
            g.window("created", "Created At", "Creation date"),
            g.expand("data.charge, data.balance_transaction"),
        ),
    ),
)

CREATE = Module(
    name="refunds.create",
    title="Create a Refund",
    method="POST",
    path="/v1/refunds",
    returns="refund",
    effect=Effect.IRREVERSIBLE,
    one_of=(("charge", "payment_intent", "origin"),),
    any_of=(("charge", "payment_intent", "origin"),),
    help=(
        "Gives money back at once: of a charge, of a payment intent, or unused bank-transfer money of a"
        " customer (Origin). Stripe refuses more than is still refundable."
    ),
    fields=(
        f.object_id(
            "charge",
            "Charge",
            "Charge to give back (ch_… or py_…). Leave it out only when a payment intent or a customer is"
            " named.",
            object="charge",
        ),
        f.minor_amount(
            "amount",
            "Amount",
            "Part to give back, whole number in minor units of the charge's currency (JPY has none); blank"
            " means all that is left.",
            minimum=1,
            currency="currency",
            currency_of=("charge", "payment_intent"),
            required_with=("origin",),
        ),
        f.choice(
            "reason",
            "Reason",
            "Why the money goes back; fraudulent also puts the card and e-mail on your block lists.",
            choices=("duplicate", "fraudulent", "requested_by_customer"),
        ),
        f.boolean(
            "refund_application_fee",
            "Refund Applicable Fee",
            "Also hand back the platform's application fee, in the same share as the refund. Only the"
            " platform that charged can do so.",
            group="Stripe Connect",
            connect_only=True,
        ),
        f.boolean(
            "reverse_transfer",
            "Reverse Transfer",
            "Also pull back, in the same share, what was transferred to the connected account for this"
            " charge.",
            group="Stripe Connect",
            connect_only=True,
        ),
        g.metadata("refund"),
        *in_more_section(
            f.object_id(
                "payment_intent",
                "Payment Intent ID",
                "Payment intent to give back (pi_…), in place of a charge.",
                object="payment_intent",
            ),
            f.email(
                "instructions_email",
                "Instructions Email",
                "Customer's address for the how-to-claim mail where the payment method cannot be refunded"
                " natively (Konbini, PromptPay …).",
            ),
            f.choice(
                "origin",
                "Origin",
                "Pay back unused bank-transfer money held for a customer rather than a payment.",
                choices=("customer_balance",),
            ),
            f.object_id(
                "customer",
                "Customer ID",
                "Customer whose unused cash balance is paid back; goes with origin, currency and amount.",
                object="customer",
                required=True,
                when=_CASH,
            ),
            f.currency(
                "currency",
                "Currency",
                "Three-letter ISO code, only for refunds out of a cash balance.",
                required=True,
                when=_CASH,
            ),
            EXPAND,
        ),
    ),
)

RETRIEVE = Module(
    name="refunds.retrieve",
    title="Retrieve a Refund",
    method="GET",
    path="/v1/refunds/{refund}",
    returns="refund",
    effect=Effect.READ,
    help="One refund by its ID.",
    fields=(REFUND, *in_more_section(EXPAND)),
)

UPDATE = Module(
    name="refunds.update",
    title="Update a Refund",
    method="POST",
    path="/v1/refunds/{refund}",
    returns="refund",
    effect=Effect.UPDATE,
    help="Metadata is all that Stripe lets you change on a refund.",
    fields=(
        REFUND.replace(help="Refund to change (re_… or pyr_…)."),
        g.metadata("refund"),
        *in_more_section(g.expand("charge, payment_intent")),
    ),
)

MODULES = (LIST, CREATE, RETRIEVE, UPDATE)
