"""The events that Stripe reports, by group: a group is the part of a type before its first dot.

These are the types that a webhook endpoint of the version 2023-08-16 can ask for; later versions know more, and the watch takes any.
"""

from __future__ import annotations

_TYPES = """
account: application.authorized application.deauthorized external_account.created external_account.deleted
  external_account.updated updated
application_fee: created refund.updated refunded
balance: available
billing_portal: configuration.created configuration.updated session.created
capability: updated
cash_balance: funds_available
charge: captured dispute.closed dispute.created dispute.funds_reinstated dispute.funds_withdrawn dispute.updated expired
  failed pending refund.updated refunded succeeded updated
checkout: session.async_payment_failed session.async_payment_succeeded session.completed session.expired
coupon: created deleted updated
credit_note: created updated voided
customer: created deleted discount.created discount.deleted discount.updated source.created source.deleted source.expiring
  source.updated subscription.created subscription.deleted subscription.paused subscription.pending_update_applied
  subscription.pending_update_expired subscription.resumed subscription.trial_will_end subscription.updated tax_id.created
  tax_id.deleted tax_id.updated updated
customer_cash_balance_transaction: created
file: created
financial_connections: account.created account.deactivated account.disconnected account.reactivated
  account.refreshed_balance
identity: verification_session.canceled verification_session.created verification_session.processing
  verification_session.redacted verification_session.requires_input verification_session.verified
invoice: created deleted finalization_failed finalized marked_uncollectible paid payment_action_required payment_failed
  payment_succeeded sent upcoming updated voided
invoiceitem: created deleted
issuing_authorization: created request updated
issuing_card: created updated
issuing_cardholder: created updated
issuing_dispute: closed created funds_reinstated submitted updated
issuing_transaction: created updated
mandate: updated
order: created
payment_intent: amount_capturable_updated canceled created partially_funded payment_failed processing requires_action
  succeeded
payment_link: created updated
payment_method: attached automatically_updated detached updated
payout: canceled created failed paid reconciliation_completed updated
person: created deleted updated
plan: created deleted updated
price: created deleted updated
product: created deleted updated
promotion_code: created updated
quote: accepted canceled created finalized
radar: early_fraud_warning.created early_fraud_warning.updated
recipient: created deleted updated
refund: created updated
reporting: report_run.failed report_run.succeeded report_type.updated
review: closed opened
setup_intent: canceled created requires_action setup_failed succeeded
sigma: scheduled_query_run.created
sku: created deleted updated
source: canceled chargeable failed mandate_notification refund_attributes_required transaction.created transaction.updated
subscription_schedule: aborted canceled completed created expiring released updated
tax: settings.updated
tax_rate: created updated
terminal: reader.action_failed reader.action_succeeded
test_helpers: test_clock.advancing test_clock.created test_clock.deleted test_clock.internal_failure test_clock.ready
topup: canceled created failed reversed succeeded
transfer: created reversed updated
treasury: credit_reversal.created credit_reversal.posted debit_reversal.completed debit_reversal.created
  debit_reversal.initial_credit_granted financial_account.closed financial_account.created
  financial_account.features_status_updated inbound_transfer.canceled inbound_transfer.created inbound_transfer.failed
  inbound_transfer.succeeded outbound_payment.canceled outbound_payment.created
  outbound_payment.expected_arrival_date_updated outbound_payment.failed outbound_payment.posted outbound_payment.returned
  outbound_transfer.canceled outbound_transfer.created outbound_transfer.expected_arrival_date_updated
  outbound_transfer.failed outbound_transfer.posted outbound_transfer.returned received_credit.created
  received_credit.failed received_credit.succeeded received_debit.created
"""


def _groups(table: str) -> dict[str, tuple[str, ...]]:
    """Read the table: a group and a colon, then the rest of the name of each of its types."""
    groups: dict[str, tuple[str, ...]] = {}
    group = ""
    for word in table.split():
        if word.endswith(":"):
            group = word[:-1]
            groups[group] = ()
        else:
            groups[group] += (f"{group}.{word}",)
    return groups


EVENT_GROUPS: dict[str, tuple[str, ...]] = _groups(_TYPES)
EVENT_TYPES: tuple[str, ...] = tuple(name for names in EVENT_GROUPS.values() for name in names)
