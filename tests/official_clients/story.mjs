// The story of notebooks/sandbox.ipynb by the official Node package over HTTP: `node story.mjs FOLDER ADDRESS
// VERSION`. FOLDER is where the package is installed. What it prints is the same for every client and
// version: see story.py.
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, address, version] = process.argv.slice(2);
const Stripe = createRequire(join(folder, "package.json"))("stripe");
const where = new URL(address);
const options = { apiVersion: version, host: where.hostname, port: Number(where.port), protocol: "http",
  maxNetworkRetries: 0, telemetry: false };
const stripe = new Stripe("sk_test_story", options);
const newer = version >= "2025-03-31";
const DAY = 86400;

const raw = (path, params) => stripe.rawRequest("POST", path, params);
const wait = (days) => raw("/v1/test_helpers/clock/advance", { seconds: days * DAY });

async function card(customer, name) {
  const method = await stripe.paymentMethods.attach(name, { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: method.id } });
}

async function customer(name, method) {
  const made = await stripe.customers.create({ name, email: `${name.toLowerCase()}@example.com` });
  if (method) await card(made.id, method);
  return made.id;
}

const subscribe = (who, price, more = {}) => stripe.subscriptions.create(
  { customer: who, items: [{ price }], ...more });
const status = async (subscription) => (await stripe.subscriptions.retrieve(subscription.id)).status;

async function periodEnd(subscription) {
  const shown = await stripe.subscriptions.retrieve(subscription.id);
  return (newer ? shown.items.data[0] : shown).current_period_end;
}

async function paidBy(invoice) {
  const shown = await stripe.invoices.retrieve(invoice, newer ? { expand: ["payments"] } : {});
  return newer ? shown.payments.data[0].payment.payment_intent : shown.payment_intent;
}

async function play() {
  const found = {};
  const suite = (await stripe.products.create({ name: "Suite" })).id;
  const every = { product: suite, currency: "usd", recurring: { interval: "month" } };
  const small = (await stripe.prices.create({ ...every, unit_amount: 3000 })).id;
  const large = (await stripe.prices.create({ ...every, unit_amount: 9000 })).id;
  const meter = await stripe.billing.meters.create({ display_name: "Calls", event_name: "calls",
    default_aggregation: { formula: "sum" } });
  const calls = await stripe.prices.create({
    product: suite, currency: "usd", billing_scheme: "tiered", tiers_mode: "graduated",
    recurring: { interval: "month", usage_type: "metered", meter: meter.id },
    tiers: [{ up_to: 100, unit_amount: 0 }, { up_to: "inf", unit_amount: 5 }],
  });
  const ada = await customer("Ada", "pm_card_visa");
  const ben = await customer("Ben", "pm_card_visa");
  const clara = await customer("Clara");
  const dana = await customer("Dana", "pm_card_mastercard");
  const trial = await subscribe(ada, small, { trial_period_days: 7 });
  await stripe.subscriptionItems.create({ subscription: trial.id, price: calls.id });
  const lapsed = await subscribe(clara, small, { trial_period_days: 7,
    trial_settings: { end_behavior: { missing_payment_method: "cancel" } } });
  await wait(8);
  found["trials"] = [await status(trial), await status(lapsed)];
  const bens = await subscribe(ben, large);
  const danas = await subscribe(dana, small);
  found["renews in days"] = Math.round(((await periodEnd(danas)) - danas.created) / DAY);
  await wait(10);
  const item = (await stripe.subscriptionItems.list({ subscription: danas.id })).data[0].id;
  const change = { items: [{ id: item, price: large }], proration_behavior: "always_invoice" };
  const preview = newer || stripe.invoices.createPreview
    ? await stripe.invoices.createPreview({ subscription: danas.id, subscription_details: change })
    : null;
  const upgraded = await stripe.subscriptions.update(danas.id, change);
  const billed = await stripe.invoices.retrieve(upgraded.latest_invoice);
  found["upgrade"] = [preview.total === billed.total, billed.total, billed.status];
  found["upgrade was paid"] = (await stripe.paymentIntents.retrieve(await paidBy(billed.id))).status;
  const bensItem = (await stripe.subscriptionItems.list({ subscription: bens.id })).data[0].id;
  await stripe.subscriptions.update(bens.id, { items: [{ id: bensItem, price: small }] });
  const pending = await stripe.invoiceItems.list({ customer: ben, pending: true });
  found["downgrade"] = pending.data.map((each) => each.amount).sort((one, other) => one - other);
  for (const value of ["120", "300"]) {
    await stripe.billing.meterEvents.create({ event_name: "calls",
      payload: { stripe_customer_id: ada, value } });
  }
  const erin = await customer("Erin", "pm_card_visa");
  const quote = await stripe.quotes.create({ customer: erin, line_items: [{ price: large, quantity: 3 }] });
  await stripe.quotes.finalizeQuote(quote.id);
  const accepted = await stripe.quotes.accept(quote.id);
  found["quote"] = [accepted.status, accepted.amount_total, Boolean(accepted.subscription)];
  await card(dana, "pm_card_chargeCustomerFail");
  await wait(21);
  const late = await status(danas);
  await wait(16);
  const gone = await stripe.subscriptions.retrieve(danas.id);
  found["dunning"] = [late, gone.status, gone.cancellation_details.reason];
  const bills = await stripe.invoices.list({ customer: ada });
  found["used"] = bills.data.filter((each) => each.billing_reason === "subscription_cycle")
    .map((each) => each.total);
  const ofBen = (await stripe.invoices.list({ customer: ben, status: "paid" })).data.at(-1);
  const note = await stripe.creditNotes.create({ invoice: ofBen.id, amount: 500, credit_amount: 500 });
  found["credit note"] = [note.status, note.amount, (await stripe.customers.retrieve(ben)).balance];
  await stripe.paymentIntents.create({
    amount: 21000, currency: "usd", customer: ben, payment_method: "pm_card_createDispute", confirm: true,
    return_url: "https://example.com",
  });
  const dispute = (await stripe.disputes.list()).data[0];
  found["dispute"] = (await raw(`/v1/test_helpers/disputes/${dispute.id}/decide`,
    { outcome: "lost" })).status;
  await wait(5);
  let ledger = 0;
  for await (const entry of stripe.balanceTransactions.list({ limit: 100 })) ledger += entry.net;
  const balance = await stripe.balance.retrieve();
  found["payouts"] = (await stripe.payouts.list({ limit: 100 })).data.length > 0;
  found["ledger"] = ledger;
  found["left"] = [...balance.available, ...balance.pending].reduce((sum, each) => sum + each.amount, 0);
  const running = (await stripe.subscriptions.list({ limit: 100 })).data.flatMap((each) => each.items.data);
  found["monthly"] = running.filter((each) => each.price.unit_amount)
    .reduce((sum, each) => sum + each.price.unit_amount * each.quantity, 0);
  return found;
}

async function errors() {
  const buy = { amount: 2000, currency: "usd", confirm: true, off_session: true };
  const once = { idempotencyKey: `once-${version}` };
  await stripe.customers.create({ name: "First" }, once);
  const wrong = new Stripe("pk_wrong", options);
  const trials = {
    declined: () => stripe.paymentIntents.create({ ...buy,
      payment_method: "pm_card_chargeDeclinedInsufficientFunds" }),
    expired: () => stripe.paymentIntents.create({ ...buy,
      payment_method: "pm_card_chargeDeclinedExpiredCard" }),
    "unknown id": () => stripe.customers.retrieve("cus_missing"),
    "unknown parameter": () => stripe.customers.create({ colour: "red" }),
    "absent parameter": () => stripe.paymentIntents.create({ currency: "usd" }),
    "too small": () => stripe.paymentIntents.create({ amount: 1, currency: "usd" }),
    "key used twice": () => stripe.customers.create({ name: "Second" }, once),
    "wrong key": () => wrong.customers.list(),
    "another account": () => stripe.customers.list({}, { stripeAccount: "acct_missing" }),
    "too many": () => stripe.products.list(),
    "a defect": () => stripe.coupons.list(),
  };
  const found = {};
  for (const [name, trial] of Object.entries(trials)) {
    found[name] = await trial().then(() => "no error", (error) => `${error.type} ${error.code ?? ""}`.trim());
  }
  return found;
}

console.log(JSON.stringify({ story: await play(), errors: await errors() }));
