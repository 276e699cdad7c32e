"""The demo firm's single sales, payments without an invoice, as Stripe objects."""

from __future__ import annotations

from stripe_magics.sandbox.core.store import Object
from stripe_magics.sandbox.demo_data.records import DAY, Sale
from stripe_magics.sandbox.demo_data.refunds_and_disputes import given_back
from stripe_magics.sandbox.demo_data.static_objects import link_name
from stripe_magics.sandbox.demo_data.writer import Books, Person
from stripe_magics.sandbox.resources import charges


def write(books: Books, person: Person, sale: Sale, *, known: str = "") -> None:
    """A payment without an invoice."""
    link = {"payment_link": f"plink_demo{link_name(sale.client.currency)}"} if sale.kind == "link" else {}
    manual = sale.kind in {"hold", "partial"} or sale.state == "requires_capture"
    intent = books.intent(
        person, sale.created, sale.amount, sale.text, known=known, metadata=link,
        capture_method="manual" if manual else "automatic_async",
        status=sale.state, payment_method=None if sale.state in {"requires_payment_method",
            "canceled"} else person.method,
    )  # fmt: skip
    books.event(
        "payment_intent.created",
        sale.created,
        {**intent, "status": "requires_payment_method", "payment_method": None},
    )
    for moment, code in sale.attempts:
        charge = None
        if sale.state != "requires_action":
            part = sale.amount * 3 // 4 if sale.kind == "partial" else None
            taken = 0 if code or sale.state in {"requires_capture", "processing"} else sale.settled or moment
            charge = books.charge(person, intent, moment, settled=taken, code=code, captured=part)
        if code:
            books.event(
                "payment_intent.payment_failed", moment, {**intent, "status": "requires_payment_method"}
            )
            continue
        intent["last_payment_error"] = None
        _reached(books, intent, sale, charge, moment)
        if charge is not None:
            given_back(books, charge, sale)
            books.account.insert("charge", charge)
    if sale.state == "canceled":
        intent.update(
            canceled_at=sale.settled,
            cancellation_reason=("abandoned", "requested_by_customer", "duplicate")[sale.amount // 500 % 3],
        )
        books.event("payment_intent.canceled", sale.settled, intent)
    books.account.insert("payment_intent", intent)


def _reached(books: Books, intent: Object, sale: Sale, charge: Object | None, moment: int) -> None:
    """How far a single payment got."""
    if sale.state == "requires_action" or charge is None:
        intent["next_action"] = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"source": intent["id"], "type": "three_d_secure_redirect"},
        }
        books.event("payment_intent.requires_action", moment, intent)
    elif sale.state == "requires_capture":
        intent["amount_capturable"] = sale.amount
        charge.update(status="succeeded", paid=True)
        books.account.clock.at(moment + charges.HOLD, "hold_expires", intent["id"])
        books.event("charge.succeeded", moment, charge)
        books.event("payment_intent.amount_capturable_updated", moment, intent)
    elif sale.state == "processing":
        books.account.clock.at(max(books.now, moment + 4 * DAY), "debit_settles", intent["id"])
        books.event("payment_intent.processing", moment, intent)
    else:
        intent["amount_received"] = charge["amount_captured"]
        books.event(
            "charge.succeeded" if not sale.kind.startswith(("hold", "partial")) else "charge.captured",
            sale.settled or moment,
            charge,
        )
        books.event("payment_intent.succeeded", sale.settled or moment, intent)
