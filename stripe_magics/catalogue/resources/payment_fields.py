"""Fields that several payment intent modules share: how it is paid, the payer's details, options by method,
the mandate."""

from __future__ import annotations

from typing import Any

from stripe_magics.catalogue import declare as f
from stripe_magics.catalogue import field_groups as g
from stripe_magics.catalogue.field import Field

NEW_METHOD_TYPES = f.words(
    """acss_debit affirm afterpay_clearpay alipay au_becs_debit bacs_debit bancontact blik boleto cashapp
    customer_balance eps fpx giropay grabpay ideal klarna konbini link oxxo p24 paynow paypal pix
    promptpay sepa_debit sofort us_bank_account wechat_pay zip"""
)

METHOD_TYPES = tuple(sorted([*NEW_METHOD_TYPES, "card", "card_present", "interac_present"]))

OFF_SESSION = ("true", "false", "one_off", "recurring")

EXISTING = {"payment_method_source": "existing"}
NEW = {"payment_method_source": "new"}

INTENT = f.path_id(
    "payment_intent",
    "Payment Intent ID",
    "Payment intent (pi_…); find it on the Payments page or through its customer.",
)
EXPAND = g.expand("latest_charge")

RECEIPT_EMAIL = f.email("receipt_email", "Receipt Email", "Address that gets the receipt of this payment.")
PAYMENT_METHOD_SOURCE = f.switch(
    "payment_method_source",
    "Payment Method",
    "existing: use a stored payment method by its ID; new: create one from the data below and attach it.",
    "existing",
    "new",
    group="Payment method",
)
PAYMENT_METHOD = f.object_id(
    "payment_method",
    "Payment Method ID",
    "Stored payment method (pm_…; an old card_… or src_… ID also works) to pay with.",
    object="payment_method",
    group="Payment method",
    when=EXISTING,
)
PAYMENT_METHOD_TYPE = f.choice(
    "payment_method_type",
    "Type",
    "Kind of the new payment method; cards are not in this list, since their numbers must be tokenised in the"
    " browser first.",
    param="payment_method_data[type]",
    group="Payment method",
    choices=NEW_METHOD_TYPES,
    required=True,
    when=NEW,
)
PAYMENT_METHOD_TYPES = f.multi_choice(
    "payment_method_types",
    "Payment Method Types",
    "Methods that this payment may use, replacing what the intent allows now.",
    choices=METHOD_TYPES,
    since_removed="2026-09-30.endive",
    replaced_by=(
        "allowed_payment_method_types (since 2026-07-29.dahlia; drops what does not fit instead of failing), "
        "excluded_payment_method_types, or leave it out for the Dashboard settings"
    ),
)
SETUP_FUTURE_USAGE = f.choice(
    "setup_future_usage",
    "Setup Future Usage",
    "Keep the payment method on the customer for later: on_session when the payer will be present,"
    " off_session when you will charge without them.",
    choices=("off_session", "on_session"),
)
STATEMENT_DESCRIPTOR = g.statement_descriptor(
    "Text on the bank statement of a non-card payment, up to 22 characters with at least one letter; for"
    " cards fill in the suffix instead."
)
STATEMENT_DESCRIPTOR_SUFFIX = f.text(
    "statement_descriptor_suffix",
    "Statement Descriptor Suffix",
    "Appended to your account prefix on card statements; prefix and suffix share 22 characters.",
    max_length=22,
)
CAPTURE_METHOD = f.choice(
    "capture_method",
    "Capture Method",
    "automatic takes the money on authorisation, automatic_async does so a moment later, manual only holds it"
    " until you capture.",
    choices=("automatic", "automatic_async", "manual"),
)
USE_STRIPE_SDK = f.boolean(
    "use_stripe_sdk",
    "Use Stripe SDK",
    "True when Stripe.js or the mobile SDK will handle what the payer must still do.",
)
APPLICATION_FEE_AMOUNT = g.application_fee_amount(
    "Your platform fee in minor units of the payment currency (cents); never more than the payment itself."
)


def amount(help: str, **parts: Any) -> Field:
    """A sum that is collected: at most eight digits in most currencies (`money.maximum`)."""
    return f.minor_amount(
        "amount", "Amount", help, minimum=1, maximum=99_999_999, currency="currency", **parts
    )


def options_by_method(*, installments: str = "Enabled") -> tuple[Field, ...]:
    """`payment_method_options`: what only one kind of payment method knows."""
    options = "payment_method_options"
    card: dict[str, Any] = {"group": "Payment method options / Card"}
    plan_fields = ("installments_plan_count", "installments_plan_interval", "installments_plan_type")

    def plan(make: Any, part: str, label: str, help: str, **parts: Any) -> Field:
        name = f"installments_plan_{part}"
        made: Field = make(
            name,
            label,
            help,
            param=f"{options}[card][installments][plan][{part}]",
            when={"installments_enabled": True},
            required_with=tuple(other for other in plan_fields if other != name),
            restored=True,
            **card,
            **parts,
        )
        return made

    return (
        f.choice(
            "bancontact_preferred_language",
            "Preferred Languages",
            "Language of the Bancontact pages that the payer is sent to.",
            param=f"{options}[bancontact][preferred_language]",
            group="Payment method options / Bancontact",
            choices=("de", "en", "fr", "nl"),
        ),
        f.boolean(
            "installments_enabled",
            installments,
            "Mexican accounts: true offers instalment plans for a card payment of this intent.",
            param=f"{options}[card][installments][enabled]",
            **card,
        ),
        plan(
            f.integer,
            "count",
            "Installment Count",
            "Number of monthly instalments that the payer agreed to; fill in all three plan fields or none.",
            minimum=1,
        ),
        plan(
            f.choice,
            "interval",
            "Installment Interval",
            "Time between instalments; Stripe knows month only.",
            choices=("month",),
        ),
        plan(
            f.choice,
            "type",
            "Installment Type",
            "Kind of instalment plan; fixed_count is the only one.",
            choices=("fixed_count",),
        ),
        f.choice(
            "card_network",
            "Network",
            "Card network to try first on a co-badged card (amex is American Express).",
            param=f"{options}[card][network]",
            choices=(
                *("amex", "cartes_bancaires", "diners", "discover", "eftpos_au", "interac"),
                *("jcb", "mastercard", "unionpay", "unknown", "visa"),
            ),
            **card,
        ),
        f.choice(
            "request_three_d_secure",
            "Request 3D Secure",
            "automatic leaves it to Stripe to ask for 3D Secure where rules or risk call for it; any asks"
            " whenever the card can do it.",
            param=f"{options}[card][request_three_d_secure]",
            choices=("automatic", "any"),
            **card,
        ),
        f.choice(
            "sofort_preferred_language",
            "Preferred Language",
            "Language of the SOFORT pages that the payer is sent to.",
            param=f"{options}[sofort][preferred_language]",
            group="Payment method options / SOFORT",
            choices=("de", "en", "es", "fr", "it", "nl", "pl"),
        ),
    )


def attempt() -> tuple[Field, ...]:
    """What belongs to an attempt to take the money: the payer's absence, their mandate, the way back."""
    data, consent = "mandate_data[customer_acceptance]", {"group": "Mandate data"}
    new = {"mandate_source": "new"}
    online = {**new, "mandate_type": "online"}
    return (
        f.choice(
            "off_session",
            "Off Session",
            "True when the payer is absent and cannot authenticate, e.g. a later charge of a saved card.",
            choices=OFF_SESSION,
        ),
        f.boolean(
            "error_on_requires_action",
            "Error On Requires Act-On",
            "True makes the attempt fail at once when the payer would first have to act (3D Secure,"
            " redirect).",
        ),
        f.switch(
            "mandate_source",
            "Mandate",
            "existing: name a mandate on file; new: record the consent below.",
            "existing",
            "new",
            group="Mandate",
        ),
        f.object_id(
            "mandate",
            "Mandate ID",
            "Mandate (mandate_…) that covers this one payment; works with your secret key only.",
            object="mandate",
            group="Mandate",
            when={"mandate_source": "existing"},
        ),
        f.choice(
            "mandate_type",
            "Type",
            "How consent was given: online on a web page or in an app, offline on paper or by phone.",
            param=f"{data}[type]",
            choices=("offline", "online"),
            required=True,
            when=new,
            **consent,
        ),
        f.text(
            "mandate_ip_address",
            "IP Address",
            "IPv4 or IPv6 address of the payer at the moment of consent.",
            param=f"{data}[online][ip_address]",
            required=True,
            when=online,
            **consent,
        ),
        f.long_text(
            "mandate_user_agent",
            "User Agent",
            "Browser identification string of the payer at the moment of consent.",
            param=f"{data}[online][user_agent]",
            required=True,
            when=online,
            **consent,
        ),
        f.timestamp(
            "mandate_accepted_at",
            "Accepted At",
            "Moment of consent.",
            param=f"{data}[accepted_at]",
            when=new,
            **consent,
        ),
        f.url(
            "return_url",
            "Return URL",
            "Where the payer lands after a redirect or a 3D Secure page; an app link (myapp://…) also works.",
        ),
    )
