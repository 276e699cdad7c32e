// The shop's own test suite, in both versions of the API: checkout, subscription, webhook, refund, dispute.
// STRIPE_SANDBOX is the address of `python -m stripe_magics.sandbox --empty`.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, beforeEach, describe, test } from 'node:test';
import Stripe from 'stripe';
import { Shop } from './shop.js';

const address = new URL(process.env.STRIPE_SANDBOX);
const DAY = 86400;

async function sandbox(path, form = {}) {
  const answer = await fetch(new URL(path, address), { method: 'POST', body: new URLSearchParams(form) });
  assert.equal(answer.status, 200, await answer.text());
}

for (const apiVersion of ['2025-02-24.acacia', '2026-10-28.endive']) {
  describe(apiVersion, () => {
    const stripe = new Stripe('sk_test_shop', { apiVersion, host: address.hostname, port: address.port,
      protocol: 'http', telemetry: false });
    let shop, heard, waiting;

    const hook = createServer((request, response) => {
      const pieces = [];
      request.on('data', (piece) => pieces.push(piece));
      request.on('end', () => {
        let outcome;
        try {
          outcome = shop.webhook(Buffer.concat(pieces), request.headers['stripe-signature']);
        } catch (fault) {
          outcome = fault instanceof Stripe.errors.StripeSignatureVerificationError ? 'forged'
            : `failed: ${fault}`;
        }
        response.writeHead(outcome === 'forged' ? 400 : 200).end();
        heard.push(outcome);
        waiting?.();
      });
    });

    async function hears(kind) {
      while (!heard.includes(kind)) await new Promise((resolve) => { waiting = resolve; });
    }

    // The customer fills in the checkout page.
    const pays = (session) => stripe.rawRequest('POST',
      `/v1/test_helpers/checkout/sessions/${session}/complete`);

    beforeEach(async () => {
      await sandbox('/_sandbox/reset');
      shop = new Shop(stripe);
      heard = [];
      if (!hook.listening) await new Promise((resolve) => hook.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${hook.address().port}/hook`;
      shop.webhookSecret = (await stripe.webhookEndpoints.create({ url, enabled_events: ['*'] })).secret;
    });
    after(() => {
      hook.close();
      hook.closeAllConnections();
    });

    test('an order is paid at the checkout', async () => {
      const session = await shop.sell('A1', 'Tea', 1250, 2);
      assert.deepEqual([session.status, session.amount_total, session.payment_status],
        ['open', 2500, 'unpaid']);
      assert.equal((await shop.sell('A1', 'Tea', 1250, 2)).id, session.id); // pressed twice
      await pays(session.id);
      await hears('checkout.session.completed');
      const intent = await stripe.paymentIntents.retrieve(shop.paid.get('A1'));
      assert.deepEqual([intent.status, intent.amount_received, intent.metadata.order],
        ['succeeded', 2500, 'A1']);
      assert.equal((await stripe.balance.retrieve()).pending[0].amount, 2500 - 73 - 30);
    });

    test('a member is billed every month', async () => {
      const price = await stripe.prices.create({ currency: 'usd', unit_amount: 900,
        recurring: { interval: 'month' }, product_data: { name: 'Club' } });
      const member = await shop.subscribe('jenny@example.com', price.id);
      assert.deepEqual([member.status, member.latest_invoice.status, member.latest_invoice.amount_paid],
        ['active', 'paid', 900]);
      await sandbox('/_sandbox/advance', { seconds: 32 * DAY });
      const invoices = await stripe.invoices.list({ subscription: member.id });
      assert.deepEqual(invoices.data.map((each) => each.billing_reason),
        ['subscription_cycle', 'subscription_create']);
      await stripe.subscriptions.cancel(member.id);
      await hears('customer.subscription.deleted');
      assert.equal(shop.members.get(member.customer), 'canceled');
    });

    test('a forged webhook is refused', async () => {
      shop.webhookSecret = 'whsec_of_somebody_else';
      const session = await shop.sell('A2', 'Tea', 1250);
      await pays(session.id);
      await hears('forged');
      assert.equal(shop.paid.size, 0);
    });

    test('an order is given back', async () => {
      const session = await shop.sell('A3', 'Tea', 4000);
      await pays(session.id);
      await hears('checkout.session.completed');
      assert.equal((await shop.refund('A3', 1500)).status, 'succeeded');
      assert.equal((await shop.refund('A3')).amount, 2500);
      await assert.rejects(shop.refund('A3'), { code: 'charge_already_refunded',
        type: 'StripeInvalidRequestError' });
    });

    test('a dispute is answered', async () => {
      const intent = await stripe.paymentIntents.create({
        amount: 4000, currency: 'usd', payment_method: 'pm_card_createDispute', confirm: true,
        off_session: true,
      });
      const [dispute] = (await stripe.disputes.list({ payment_intent: intent.id })).data;
      assert.equal(dispute.status, 'needs_response');
      await shop.defend(dispute.id, 'winning_evidence');
      await sandbox('/_sandbox/advance', { seconds: 90 * DAY });
      assert.equal((await stripe.disputes.retrieve(dispute.id)).status, 'won');
    });

    test('a declined card says why', async () => {
      const given = { amount: 900, currency: 'usd', payment_method: 'pm_card_visa_chargeDeclined',
        confirm: true, off_session: true };
      await assert.rejects(stripe.paymentIntents.create(given),
        { type: 'StripeCardError', code: 'card_declined', decline_code: 'generic_decline' });
    });

    test('every page of a list is walked', async () => {
      for (let number = 0; number < 25; number += 1) await stripe.customers.create({ name: `C${number}` });
      const names = [];
      for await (const each of stripe.customers.list({ limit: 10 })) names.push(each.name);
      assert.equal(names.length, 25);
    });
  });
}
