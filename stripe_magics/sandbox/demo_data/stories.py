"""Customers of the demo firm whose last two months the engine plays: every status of a subscription, and what
happens around invoices.

Each story is a generator: it yields how many days before now its next step is, and the stories take their
steps in the order of time. The prices are those of the firm; what is new (metered calls, a plan in tiers, a
promotion code) begins with the story that needs it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from stripe_magics.sandbox.demo_data.firm import ASKS, FAILS, GOOD, Firm, plan_price
from stripe_magics.sandbox.demo_data.player import Player
from stripe_magics.sandbox.demo_data.records import DAY, HOUR
from stripe_magics.sandbox.demo_data.writer import Books

Story = Iterator[float]
BEGINS = 62
"""How many days before now the first of these stories may begin."""
SEATS_IN_TIERS = ((5, 1500), (20, 1200), ("inf", 900))
FREE_CALLS, CENTS_A_CALL = 1000, 2


def play(books: Books) -> None:
    """Play all stories up to the present and hand them over."""
    player = Player(books, books.now - BEGINS * DAY)
    firm = Firm(player)
    waiting: list[tuple[float, int, Story]] = []
    for number, story in enumerate(STORIES):
        steps = story(firm)
        heapq.heappush(waiting, (-next(steps), number, steps))
    while waiting:
        days, number, steps = heapq.heappop(waiting)
        player.until(books.now + int(days * DAY))
        following = next(steps, None)
        if following is not None:
            heapq.heappush(waiting, (-following, number, steps))
    player.hand_over()


# how subscriptions begin


def _a_trial_that_converted(firm: Firm) -> Story:
    yield 47
    firm.subscribe(firm.customer("Aldgate Analytics"), "team", trial_period_days=14)


def _trials_that_run(firm: Firm) -> Story:
    yield 12
    firm.subscribe(firm.customer("Birchwood Bikes"), trial_period_days=14)
    yield 5
    firm.subscribe(firm.customer("Cobalt Ceramics", None), "team", trial_period_days=14,
                   trial_settings={"end_behavior": {"missing_payment_method": "cancel"}})  # fmt: skip


def _a_trial_without_a_card(firm: Firm) -> Story:
    yield 19
    firm.subscribe(firm.customer("Dovetail Design", None), trial_period_days=7,
                   trial_settings={"end_behavior": {"missing_payment_method": "pause"}})  # fmt: skip


def _payers_who_did_not_finish(firm: Firm) -> Story:
    yield 6
    firm.subscribe(firm.customer("Elmtree Events", ASKS), payment_behavior="default_incomplete")
    yield 0.15
    firm.subscribe(firm.customer("Fernhill Foods", ASKS), "team")


def _a_payer_who_authenticated(firm: Firm) -> Story:
    yield 26
    made = firm.subscribe(firm.customer("Gladstone Games", ASKS), expand=["latest_invoice"])
    yield 25.9
    intent = made["latest_invoice"]["payment_intent"]
    firm.call(f"POST /v1/test_helpers/payment_intents/{intent}/authenticate", outcome="succeed")


def _one_that_begins_later(firm: Firm) -> Story:
    yield 3
    phase = {"items": [{"price": plan_price("starter"), "quantity": 1}], "iterations": 12}
    start = firm.call.account.now + 14 * DAY
    firm.call(
        "POST /v1/subscription_schedules",
        customer=firm.customer("Harbour Health"),
        start_date=start,
        phases=[phase],
    )


def _one_that_is_scheduled_to_grow(firm: Firm) -> Story:
    yield 40
    made = firm.subscribe(firm.customer("Ivy Imports"))
    yield 8
    planned = firm.call("POST /v1/subscription_schedules", from_subscription=made["id"])
    now = planned["phases"][0]
    kept = {
        "items": [{"price": plan_price("starter"), "quantity": 1}],
        "start_date": now["start_date"],
        "end_date": now["end_date"],
    }
    later = {"items": [{"price": plan_price("team"), "quantity": 1}], "iterations": 12}
    firm.call(f"POST /v1/subscription_schedules/{planned['id']}", phases=[kept, later])


# how they are paid


def _a_card_that_fails_now(firm: Firm) -> Story:
    yield 39
    who = firm.customer("Juniper Journals")
    firm.subscribe(who)
    yield 20
    firm.card(who, FAILS)


def _a_card_that_failed_for_good(firm: Firm) -> Story:
    yield 56
    who = firm.customer("Kestrel Kitchens")
    firm.subscribe(who)
    yield 40
    firm.card(who, FAILS)


def _one_left_unpaid(firm: Firm) -> Story:
    """Its last attempt came while the account was set to leave subscriptions unpaid."""
    yield 60
    who = firm.customer("Larkspur Labs")
    firm.subscribe(who, "team")
    yield 45
    firm.card(who, FAILS)
    yield 17
    firm.call("POST /v1/test_helpers/subscription_settings", after_last_attempt="unpaid")
    yield 14
    firm.call("POST /v1/test_helpers/subscription_settings", after_last_attempt="cancel")


def _one_whose_collection_is_paused(firm: Firm) -> Story:
    yield 44
    made = firm.subscribe(firm.customer("Meadow Mills"))
    yield 20
    resumes = firm.call.account.now + 60 * DAY
    firm.call(
        f"POST /v1/subscriptions/{made['id']}", pause_collection={"behavior": "void", "resumes_at": resumes}
    )


def _one_that_has_credit(firm: Firm) -> Story:
    yield 42
    who = firm.customer("Nettle Networks")
    firm.subscribe(who)
    yield 16
    firm.call(
        f"POST /v1/customers/{who}/balance_transactions", amount=-8000, currency="usd", description="Goodwill"
    )


# how they change, and end


def _an_upgrade(firm: Firm) -> Story:
    yield 33
    made = firm.subscribe(firm.customer("Orchard Optics"))
    yield 18
    firm.change(made, "team", proration_behavior="always_invoice")


def _a_downgrade(firm: Firm) -> Story:
    yield 20
    made = firm.subscribe(firm.customer("Poplar Press"), "team")
    yield 9
    firm.change(made, "starter")


def _more_seats_and_fewer(firm: Firm) -> Story:
    yield 50
    made = firm.subscribe(firm.customer("Quarry Quilts"), "seat", 3)
    yield 30
    firm.change(made, "seat", 8)
    yield 12
    firm.change(made, "seat", 5)


def _one_that_will_leave(firm: Firm) -> Story:
    yield 37
    made = firm.subscribe(firm.customer("Rowan Radio"))
    yield 4
    firm.call(f"POST /v1/subscriptions/{made['id']}", cancel_at_period_end=True,
              cancellation_details={"feedback": "too_expensive",
                  "comment": "We are a small team."})  # fmt: skip


def _one_that_left_at_once(firm: Firm) -> Story:
    yield 22
    made = firm.subscribe(firm.customer("Sorrel Studios"), "team")
    yield 11
    firm.call(f"DELETE /v1/subscriptions/{made['id']}", prorate=True, invoice_now=True)


# what is sold otherwise


def _metered_calls(firm: Firm) -> Story:
    yield 46
    meter = firm.call(
        "POST /v1/billing/meters",
        display_name="API calls",
        event_name="api_calls",
        default_aggregation={"formula": "sum"},
    )
    tiers = [{"up_to": FREE_CALLS, "unit_amount": 0}, {"up_to": "inf", "unit_amount": CENTS_A_CALL}]
    metered = firm.call(
        "POST /v1/prices", product_data={"name": "API calls"}, currency="usd", billing_scheme="tiered",
        tiers_mode="graduated", tiers=tiers,
        recurring={"interval": "month", "usage_type": "metered", "meter": meter["id"]},
        lookup_key="api_calls_usd", nickname="API calls, metered",
    )  # fmt: skip
    who = firm.customer("Tamarind Travel")
    firm.subscribe(who, items=[{"price": plan_price("starter")}, {"price": metered["id"]}])
    for days, calls in ((41, 900), (30, 1400), (12, 2600), (2, 700)):
        yield days
        payload = {"stripe_customer_id": who, "value": calls}
        firm.call("POST /v1/billing/meter_events", event_name="api_calls", payload=payload)


def _a_plan_in_tiers(firm: Firm) -> Story:
    yield 35
    tiers = [{"up_to": up_to, "unit_amount": amount} for up_to, amount in SEATS_IN_TIERS]
    tiered = firm.call(
        "POST /v1/prices", product="prod_demoSeat", currency="usd", billing_scheme="tiered",
        tiers_mode="graduated", tiers=tiers,
        recurring={"interval": "month"}, lookup_key="seat_usd_tiers", nickname="Additional seat, in tiers",
    )  # fmt: skip
    firm.subscribe(firm.customer("Umber Upholstery"), items=[{"price": tiered["id"], "quantity": 12}])


def _a_promotion_code(firm: Firm) -> Story:
    yield 30.4
    firm.call(
        "POST /v1/coupons",
        id="LAUNCH25",
        percent_off=25,
        duration="repeating",
        duration_in_months=6,
        name="25% off",
    )
    code = firm.call("POST /v1/promotion_codes", coupon="LAUNCH25", code="WELCOME2026", max_redemptions=100)
    firm.subscribe(firm.customer("Vale Ventures"), discounts=[{"promotion_code": code["id"]}])


def _tax_reversed_and_tax_paid(firm: Firm) -> Story:
    yield 28
    rates = ["txr_demoVatEur"]
    tax = {"tax_exempt": "reverse", "tax_id_data": [{"type": "eu_vat", "value": "DE123456789"}]}
    firm.subscribe(
        firm.customer("Weide Werkzeuge", "pm_card_de", country="DE", **tax),
        currency="eur",
        default_tax_rates=rates,
    )
    yield 27
    firm.subscribe(
        firm.customer("Xaver Xylophone", "pm_card_de", country="AT"), currency="eur", default_tax_rates=rates
    )


def _credit_notes(firm: Firm) -> Story:
    yield 24
    who = firm.customer("Yarrow Yachts")
    made = firm.subscribe(who, "team", expand=["latest_invoice"])
    line = firm.call(f"GET /v1/invoices/{made['latest_invoice']['id']}")["lines"]["data"][0]
    yield 15
    firm.call("POST /v1/credit_notes", invoice=made["latest_invoice"]["id"], reason="order_change",
              memo="A day without service",
              lines=[{"type": "invoice_line_item", "invoice_line_item": line["id"], "amount": 1500}],
              refund_amount=1500)  # fmt: skip
    firm.call(
        "POST /v1/invoiceitems", customer=who, amount=24000, currency="usd", description="Training session"
    )
    sent = firm.call(
        "POST /v1/invoices",
        customer=who,
        collection_method="send_invoice",
        days_until_due=30,
        pending_invoice_items_behavior="include",
    )
    firm.call(f"POST /v1/invoices/{sent['id']}/finalize")
    yield 10
    firm.call("POST /v1/credit_notes", invoice=sent["id"], amount=4000, reason="product_unsatisfactory")


def _quotes(firm: Firm) -> Story:
    yield 29
    lines = [{"price": plan_price("team"), "quantity": 1}, {"price": plan_price("seat"), "quantity": 4}]
    accepted = firm.call("POST /v1/quotes", customer=firm.customer("Zephyr Zinc"), line_items=lines)
    firm.call(f"POST /v1/quotes/{accepted['id']}/finalize")
    yield 26.5
    firm.call(f"POST /v1/quotes/{accepted['id']}/accept")
    yield 6
    waiting = firm.call("POST /v1/quotes", customer=firm.customer("Acorn Audio"), line_items=lines)
    firm.call(f"POST /v1/quotes/{waiting['id']}/finalize")
    firm.call(
        "POST /v1/quotes", customer=waiting["customer"], line_items=lines[:1], description="With fewer seats"
    )


def _checkout_and_setup(firm: Firm) -> Story:
    yield 23
    page = {
        "mode": "subscription",
        "success_url": "https://example.com/thanks",
        "line_items": [{"price": plan_price("starter"), "quantity": 1}],
    }
    bought = firm.call("POST /v1/checkout/sessions", customer=firm.customer("Bramble Books", None), **page)
    firm.call(
        f"POST /v1/test_helpers/checkout/sessions/{bought['id']}/complete",
        payment_method="pm_card_riskLevelElevated",
    )
    yield 2
    firm.call("POST /v1/checkout/sessions", customer=firm.customer("Cedar Cinema", None), **page)
    yield 1
    asks = {
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "usage": "off_session",
        "confirm": True,
    }
    for name, card in (("Daisy Dental", GOOD), ("Echo Estates", ASKS)):
        firm.call("POST /v1/setup_intents", customer=firm.customer(name, None), payment_method=card, **asks)
    yield HOUR / DAY
    firm.call("POST /v1/checkout/sessions", customer=firm.customer("Flint Films", None), **page)


# in the last hour, after all else: shops that sell through the firm, and a rehearsal


def _shops_that_sell_through_the_firm(firm: Firm) -> Story:
    yield 0.04
    shop = firm.connected("Harbour Coffee", type="express")
    firm.connected("Inlet Interiors", type="standard", open=False)
    yield 0.035
    firm.call(
        "POST /v1/payment_intents", shop, amount=8400, currency="usd", payment_method=GOOD, confirm=True,
        application_fee_amount=600, description="Espresso machine, monthly rent",
        automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
    )  # fmt: skip
    share = firm.call(
        "POST /v1/transfers", amount=5000, currency="usd", destination=shop, description="Referrals, October"
    )
    yield 0.03
    firm.call(f"POST /v1/transfers/{share['id']}/reversals", amount=1500, description="One referral twice")
    fee = firm.call("GET /v1/application_fees")["data"][0]
    firm.call(f"POST /v1/application_fees/{fee['id']}/refunds", amount=200)


def _a_renewal_rehearsed(firm: Firm) -> Story:
    yield 0.02
    clock = firm.call(
        "POST /v1/test_helpers/test_clocks", frozen_time=firm.call.account.now, name="A trial that ends"
    )
    who = firm.customer("Jetty Journal", test_clock=clock["id"])
    firm.subscribe(who, "team", trial_period_days=14)
    yield 0.01
    firm.call(
        f"POST /v1/test_helpers/test_clocks/{clock['id']}/advance",
        frozen_time=clock["frozen_time"] + 12 * DAY,
    )


STORIES = (
    _a_trial_that_converted, _trials_that_run, _a_trial_without_a_card, _payers_who_did_not_finish,
    _a_payer_who_authenticated, _one_that_begins_later, _one_that_is_scheduled_to_grow,
    _a_card_that_fails_now, _a_card_that_failed_for_good, _one_left_unpaid, _one_whose_collection_is_paused,
    _one_that_has_credit, _an_upgrade, _a_downgrade, _more_seats_and_fewer, _one_that_will_leave,
    _one_that_left_at_once, _metered_calls, _a_plan_in_tiers, _a_promotion_code, _tax_reversed_and_tax_paid,
    _credit_notes, _quotes, _checkout_and_setup, _shops_that_sell_through_the_firm, _a_renewal_rehearsed,
)  # fmt: skip
