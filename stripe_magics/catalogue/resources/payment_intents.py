"""Payment intents: list, create, retrieve, confirm, capture, update, cancel."""

from __future__ import annotations

from stripe_magics.catalogue import declare as f
from stripe_magics.catalogue import field_groups as g
from stripe_magics.catalogue.field import Field, Role, in_more_section
from stripe_magics.catalogue.module import Effect, FollowUp, Module
from stripe_magics.catalogue.resources import payment_fields as p

_AT_MOST = "1050 is $10.50, but 1050 is ¥1,050. At least about $0.50, at most 8 digits in most currencies."

LIST = Module(
    name="payment_intents.list",
    title="List Payment Intents",
    method="GET",
    path="/v1/payment_intents",
    returns="list[payment_intent]",
    effect=Effect.READ,
    help="Payment intents, newest first.",
    one_of=(g.BOTH_CURSORS,),
    fields=(
        f.object_id(
            "customer",
            "Customer ID",
            "Only payment intents of this customer (cus_…); can be looked up by e-mail. Empty: all.",
            object="customer",
        ),
        g.limit("payment intents"),
        *in_more_section(
            g.window("created", "Created", "Creation date"),
            *g.cursors("payment_intent", "payment intent"),
            g.expand("data.latest_charge"),
        ),
    ),
)

CREATE = Module(
    name="payment_intents.create",
    title="Create a Payment Intent",
    method="POST",
    path="/v1/payment_intents",
    returns="payment_intent",
    effect=Effect.CREATE,
    effects=(("confirm", "true", Effect.IRREVERSIBLE),),
    one_of=(("payment_method_types", "automatic_payment_methods_enabled"),),
    help=(
        "Prepares a payment. With confirm it takes the money in the same call, and then mostly wants a Return"
        " URL as well, unless the payer is absent (Off Session), Payment Method Types are given or Allow"
        " Redirects is never."
    ),
    fields=(
        p.amount(f"How much to collect, in minor units: {_AT_MOST}", required=True),
        f.currency(
            "currency", "Currency", "Three-letter ISO 4217 code in lower case, e.g. eur.", required=True
        ),
        f.long_text(
            "description",
            "Description",
            "Free note on the payment, shown in the Dashboard and on receipts; up to 1000 characters.",
            max_length=1000,
        ),
        p.RECEIPT_EMAIL.replace(
            help="Address that gets the receipt; in live mode it is sent whatever your e-mail settings say."
        ),
        f.boolean(
            "confirm",
            "Confirm this Payment Intent immediately",
            "True tries to take the payment in the same call; false only prepares it.",
            default=False,
        ),
        p.PAYMENT_METHOD_TYPES.replace(
            help="Methods that the payer may use; empty: the ones switched on in the Dashboard."
        ),
        f.object_id(
            "customer",
            "Customer ID",
            "Customer (cus_…) that pays; must own the payment method when that is attached to a customer.",
            object="customer",
        ),
        p.PAYMENT_METHOD_SOURCE,
        p.PAYMENT_METHOD.replace(restored=True),
        p.PAYMENT_METHOD_TYPE.replace(restored=True),
        *g.billing_details(when=p.NEW, restored=True),
        *g.shipping(parcel=True),
        p.STATEMENT_DESCRIPTOR,
        p.STATEMENT_DESCRIPTOR_SUFFIX,
        f.text(
            "idempotency_key",
            "Idempotency Key",
            "Sent as the Idempotency-Key header: repeating the call with the same key (e.g. the order number)"
            " within 24 hours makes no second payment.",
            param="client",
            role=Role.IDEMPOTENCY_KEY,
            group="Advanced",
            max_length=255,
        ),
        p.CAPTURE_METHOD.replace(group="Advanced"),
        f.choice(
            "confirmation_method",
            "Confirmation Method",
            "automatic confirms on its own once the payer has acted; manual waits for another confirm from"
            " the server.",
            group="Advanced",
            choices=("automatic", "manual"),
        ),
        p.USE_STRIPE_SDK.replace(
            help=(
                "True when Stripe.js or the mobile SDK will handle what the payer must still do after a"
                " server-side confirm."
            ),
            group="Advanced",
        ),
        f.text(
            "transfer_group",
            "Transfer Group",
            "Label that ties this payment to its transfers.",
            group="Stripe Connect",
            connect_only=True,
        ),
        p.APPLICATION_FEE_AMOUNT.replace(currency="currency"),
        f.object_id(
            "on_behalf_of",
            "On Behalf Of",
            "Connected account (acct_…) that the payment is made for: its country and statement text apply.",
            group="Stripe Connect",
            object="account",
            connect_only=True,
        ),
        g.transfer_destination(
            "Connected account (acct_…) that receives the money; needed when a transfer amount is given."
        ),
        g.transfer_amount(
            "Share in minor units that goes to the destination; empty: all of it.", currency="currency"
        ),
        g.metadata(),
        *in_more_section(
            f.boolean(
                "automatic_payment_methods_enabled",
                "Automatic Payment Methods",
                "True offers the methods that the Dashboard has switched on; do not combine with Payment"
                " Method Types.",
                param="automatic_payment_methods[enabled]",
            ),
            f.choice(
                "automatic_payment_methods_allow_redirects",
                "Allow Redirects",
                "never leaves out methods that send the payer to another page, so that no Return URL is"
                " needed.",
                param="automatic_payment_methods[allow_redirects]",
                choices=("always", "never"),
                when={"automatic_payment_methods_enabled": True},
            ),
            p.SETUP_FUTURE_USAGE,
            f.choice(
                "off_session",
                "Off Session",
                "With immediate confirmation: true when the payer is absent and a saved payment method is"
                " charged.",
                choices=p.OFF_SESSION,
                when={"confirm": True},
            ),
            f.url(
                "return_url",
                "Return URL",
                "With immediate confirmation: page where the payer lands after a redirect.",
                when={"confirm": True},
            ),
            p.EXPAND,
        ),
    ),
)

RETRIEVE = Module(
    name="payment_intents.retrieve",
    title="Retrieve a Payment Intent",
    method="GET",
    path="/v1/payment_intents/{payment_intent}",
    returns="payment_intent",
    effect=Effect.READ,
    help="One payment intent by its ID.",
    fields=(p.INTENT, *in_more_section(g.expand("latest_charge.balance_transaction"))),
)

CONFIRM = Module(
    name="payment_intents.confirm",
    title="Confirm a Payment Intent",
    method="POST",
    path="/v1/payment_intents/{payment_intent}/confirm",
    returns="payment_intent",
    effect=Effect.IRREVERSIBLE,
    help=(
        "Takes the money, or holds it where the intent is captured by hand. An answer of requires_action"
        " carries next_action: send the payer to next_action.redirect_to_url.url."
    ),
    fields=(
        p.INTENT,
        p.RECEIPT_EMAIL,
        p.PAYMENT_METHOD_SOURCE,
        p.PAYMENT_METHOD,
        p.SETUP_FUTURE_USAGE,
        p.PAYMENT_METHOD_TYPE,
        *g.billing_details(when=p.NEW),
        f.pairs(
            "payment_method_metadata",
            "Metadata",
            "Key-value pairs kept on the new payment method; to label the payment itself use Update"
            " (metadata) first.",
            param="payment_method_data[metadata]",
            group="Payment method",
            when=p.NEW,
        ),
        *g.shipping(parcel=True),
        p.PAYMENT_METHOD_TYPES,
        *p.options_by_method(installments="Instalments enabled"),
        *p.attempt(),
        *in_more_section(
            p.CAPTURE_METHOD.replace(
                help=(
                    "Change when the money is taken: at once (automatic, automatic_async) or by a later"
                    " capture (manual)."
                )
            ),
            f.json(
                "payment_method_details",
                "Type Details",
                "What the chosen type needs beside its billing details, merged into payment_method_data, "
                'e.g. {"sepa_debit": {"iban": "DE89…"}}.',
                param="payment_method_data",
                group="Payment method",
                when=p.NEW,
            ),
            p.USE_STRIPE_SDK,
            p.EXPAND,
        ),
    ),
)

CAPTURE = Module(
    name="payment_intents.capture",
    title="Capture a Payment Intent",
    method="POST",
    path="/v1/payment_intents/{payment_intent}/capture",
    returns="payment_intent",
    effect=Effect.IRREVERSIBLE,
    help="Takes what is held (status requires_capture), once; a hold lapses after 7 days by default.",
    fields=(
        p.INTENT,
        f.minor_amount(
            "amount_to_capture",
            "Amount to Capture",
            "How much of the hold to take, in minor units; empty: all of it. What is left over is released to"
            " the payer.",
            minimum=1,
            maximum=99_999_999,
        ),
        p.STATEMENT_DESCRIPTOR,
        p.STATEMENT_DESCRIPTOR_SUFFIX,
        p.APPLICATION_FEE_AMOUNT,
        g.transfer_amount(
            "Share in minor units that goes to the connected account set at creation; empty: all of it."
        ),
        *in_more_section(g.metadata(), p.EXPAND),
    ),
)


def _for_confirm(field: Field) -> Field:
    """A field that Update shows and Confirm takes."""
    if field.role is Role.SWITCH:
        return field
    since = "2018-11-08" if field.name == "return_url" else "never"
    help = f"{field.help.removesuffix('.')} (handed to Confirm, which then takes the money)."
    return field.replace(
        help=help, since_removed=since, replaced_by=f"payment_intents.confirm: {field.param}"
    )


_HELD = tuple(_for_confirm(field) for field in p.attempt())

UPDATE = Module(
    name="payment_intents.update",
    title="Update a Payment Intent",
    method="POST",
    path="/v1/payment_intents/{payment_intent}",
    returns="payment_intent",
    effect=Effect.UPDATE,
    follow_ups=(
        FollowUp(
            path="/v1/payment_intents/{payment_intent}/confirm",
            fields=tuple(field.name for field in _HELD if field.role is not Role.SWITCH),
            is_main_response=True,
            effect=Effect.IRREVERSIBLE,
        ),
    ),
    help=(
        "Changes an intent that is not yet paid. Off Session, Error On Requires Act-On, the mandate and"
        " Return URL belong to Confirm: if one is given, the intent is confirmed after the update, and that"
        " takes the money."
    ),
    fields=(
        p.INTENT,
        p.amount(f"New amount in minor units: {_AT_MOST}"),
        p.RECEIPT_EMAIL,
        p.PAYMENT_METHOD_SOURCE,
        p.PAYMENT_METHOD,
        p.SETUP_FUTURE_USAGE,
        p.PAYMENT_METHOD_TYPE,
        *g.billing_details(when=p.NEW),
        g.metadata(),
        *g.shipping(parcel=True),
        p.PAYMENT_METHOD_TYPES,
        *p.options_by_method(),
        *_HELD,
        *in_more_section(
            f.object_id(
                "customer",
                "Customer ID",
                "Customer (cus_…) to tie the payment to; can be set once.",
                object="customer",
            ),
            f.long_text(
                "description",
                "Description",
                "Free note on the payment; up to 1000 characters.",
                max_length=1000,
            ),
            f.currency(
                "currency",
                "Currency",
                "New three-letter ISO 4217 code, lower case; the amount is then read in its minor units.",
            ),
            p.STATEMENT_DESCRIPTOR,
            p.STATEMENT_DESCRIPTOR_SUFFIX,
            p.EXPAND,
        ),
    ),
)

CANCEL = Module(
    name="payment_intents.cancel",
    title="Cancel a Payment Intent",
    method="POST",
    path="/v1/payment_intents/{payment_intent}/cancel",
    returns="payment_intent",
    effect=Effect.IRREVERSIBLE,
    help=(
        "Calls a payment off for good, before it is paid; a hold is released in full. The intent of a"
        " Checkout Session is ended by checkout.sessions expire instead."
    ),
    fields=(
        p.INTENT.replace(label="Payment Intent"),
        *in_more_section(
            f.choice(
                "cancellation_reason",
                "Cancellation Reason",
                "Why it is called off; kept on the intent for your reports.",
                choices=("abandoned", "duplicate", "fraudulent", "requested_by_customer"),
            ),
            p.EXPAND,
        ),
    ),
)

MODULES = (LIST, CREATE, RETRIEVE, CONFIRM, CAPTURE, UPDATE, CANCEL)
