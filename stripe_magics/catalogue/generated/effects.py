"""What a generated operation does to the account: read from its HTTP method and its action, each action
judged by name.

A new action of a new release is in none of the tables, and a test fails until somebody has judged it. Test
helpers act on test objects only:
nothing of theirs is beyond repair. Every DELETE destroys.
"""

from __future__ import annotations

import re

from stripe_magics.catalogue.module import Effect


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


MOVES_MONEY = _names(
    "accept apply_customer_balance approve attach_payment capture collect_payment_method confirm"
    " confirm_microdeposits confirm_payment_intent create_reversal finalize_invoice finalize_quote"
    " increment_authorization migrate pay process_payment_intent process_setup_intent refund refund_payment"
    " report_payment report_payment_attempt report_payment_attempt_canceled report_payment_attempt_failed"
    " report_payment_attempt_guaranteed report_payment_attempt_informational report_refund resume reverse"
    " send_microdeposits verify_microdeposits"
)
DESTROYS = _names(
    "cancel close create_from_calculation decline delete_where detach disconnect expire mark_uncollectible"
    " redact reject release remove_lines send_invoice submit uninstall void_credit_note void_grant"
    " void_invoice"
)
REVERSIBLE = _names(
    "acknowledge activate add_lines archive attach cancel_action collect_inputs create_funding_instructions"
    " create_preview create_usage_record deactivate disable enable pause ping reactivate refresh"
    " refresh_fx_quote refresh_recipient_verification refresh_regulatory_receipt set_reader_display subscribe"
    " unarchive unreject unsubscribe update update_features update_lines validate verify"
)
CREATIONS_THAT_MOVE_MONEY = _names(
    "charges climate.orders credit_notes customer_balance_transactions fee_refunds forwarding.requests"
    " payouts refunds subscription_schedules subscriptions topups transfer_reversals transfers"
    " treasury.credit_reversals treasury.debit_reversals treasury.inbound_transfers"
    " treasury.outbound_payments treasury.outbound_transfers v2.money_management.inbound_transfers"
    " v2.money_management.outbound_payments v2.money_management.payout_intents"
)
OTHER_CREATIONS = _names(
    "account_links account_sessions accounts apple_pay_domains apps.installs apps.secrets billing.alerts"
    " billing.credit_grants billing.feedback_options billing.meter_event_adjustments billing.meter_events"
    " billing.meters billing_portal.configurations billing_portal.sessions checkout.sessions coupons"
    " customer_sessions customers customers.tax_ids entitlements.features ephemeral_keys external_accounts"
    " file_links files financial_connections.sessions identity.verification_sessions invoice_items invoices"
    " issuing.cardholders issuing.cards issuing.disputes issuing.personalization_designs login_links"
    " payment_intents payment_links payment_method_configurations payment_method_domains payment_methods"
    " payment_sources persons plans prices product_catalog.trial_offers product_features products"
    " promotion_codes quotes radar.payment_evaluations radar.value_list_items radar.value_lists"
    " reporting.report_runs setup_intents shipping_rates sources subscription_items tax.calculations"
    " tax.locations tax.registrations tax_ids tax_rates terminal.configurations terminal.connection_tokens"
    " terminal.locations terminal.onboarding_links terminal.readers three_d_secure.authentications tokens"
    " treasury.financial_accounts v2.billing.meter_event_adjustments v2.billing.meter_event_session"
    " v2.billing.meter_event_stream v2.billing.meter_events v2.commerce.product_catalog.imports"
    " v2.core.account_links v2.core.account_tokens v2.core.accounts v2.core.accounts.person_tokens"
    " v2.core.accounts.persons v2.core.event_destinations v2.core.vault.gb_bank_accounts"
    " v2.core.vault.us_bank_accounts v2.money_management.financial_addresses"
    " v2.money_management.outbound_setup_intents v2.money_management.recipient_verifications"
    " webhook_endpoints"
)
_CREATES = re.compile(r"^(create|add_|report_payment$)")
_TEST_ONLY = re.compile(r"(v2\.([a-z_]+\.)?)?test_helpers\.")


def effect(name: str, method: str) -> Effect:
    """What an operation does to the account; an action that nobody has judged counts as one that moves
    money."""
    resource, _, action = name.rpartition(".")
    if method == "GET":
        return Effect.READ
    reversible = Effect.CREATE if _CREATES.match(action) else Effect.UPDATE
    if _TEST_ONLY.match(name):
        return reversible
    if method == "DELETE" or action in DESTROYS or action in MOVES_MONEY:
        return Effect.IRREVERSIBLE
    if action == "create":
        return reversible if resource in OTHER_CREATIONS else Effect.IRREVERSIBLE
    return reversible if action in REVERSIBLE else Effect.IRREVERSIBLE


def destroys(name: str, method: str) -> bool:
    """Whether an operation takes something away, or changes it, for good."""
    return method == "DELETE" or (name.rpartition(".")[2] in DESTROYS and not _TEST_ONLY.match(name))


def is_judged(name: str, method: str) -> bool:
    """Whether somebody has judged the operation by name."""
    resource, _, action = name.rpartition(".")
    if method in {"GET", "DELETE"} or _TEST_ONLY.match(name):
        return True
    if action == "create":
        return resource in CREATIONS_THAT_MOVE_MONEY or resource in OTHER_CREATIONS
    return action in MOVES_MONEY or action in DESTROYS or action in REVERSIBLE
