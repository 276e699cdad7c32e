// The shop: it sells, subscribes, gives back, answers disputes, and learns from webhooks what was paid. It
// knows nothing of the sandbox.

export class Shop {
  constructor(stripe) {
    this.stripe = stripe;
    this.webhookSecret = '';
    this.paid = new Map(); // order -> payment intent
    this.members = new Map(); // customer -> status of the subscription
    this.handled = new Set();
  }

  // A page where the customer pays an order.
  sell(order, name, amount, quantity = 1) {
    return this.stripe.checkout.sessions.create(
      {
        mode: 'payment',
        line_items: [{ price_data: { currency: 'usd', unit_amount: amount, product_data: { name } },
          quantity }],
        client_reference_id: order,
        success_url: 'https://shop.example/thanks',
        payment_intent_data: { metadata: { order } },
      },
      { idempotencyKey: `order-${order}` },
    );
  }

  // A member, billed every month, with the card that is at hand.
  async subscribe(email, price) {
    const customer = await this.stripe.customers.create({ email });
    const method = await this.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id });
    await this.stripe.customers.update(customer.id, {
      invoice_settings: { default_payment_method: method.id },
    });
    return this.stripe.subscriptions.create({ customer: customer.id, items: [{ price }],
      expand: ['latest_invoice'] });
  }

  // All of an order's money back, or a part.
  refund(order, amount) {
    return this.stripe.refunds.create({ payment_intent: this.paid.get(order), reason: 'requested_by_customer',
      ...(amount ? { amount } : {}) });
  }

  // Answer a dispute.
  defend(dispute, evidence) {
    return this.stripe.disputes.update(dispute, { evidence: { uncategorized_text: evidence }, submit: true });
  }

  // Take an event in; one that was handled before changes nothing.
  webhook(payload, signature) {
    const event = this.stripe.webhooks.constructEvent(payload, signature, this.webhookSecret);
    if (this.handled.has(event.id)) return 'again';
    this.handled.add(event.id);
    const subject = event.data.object;
    if (event.type === 'checkout.session.completed') {
      this.paid.set(subject.client_reference_id, subject.payment_intent);
    }
    if (event.type.startsWith('customer.subscription.')) this.members.set(subject.customer, subject.status);
    return event.type;
  }
}
