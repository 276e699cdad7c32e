"""What a checkout session comes to: its lines less a discount, with taxes and shipping.

Taxes are those of the lines' rates, or automatic ones by where the customer is: known from the start of a
customer with an address, else when the customer gives it. Until then `automatic_tax[status]` is
`requires_location_inputs` and the total has no tax.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid, too_low
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import automatic_tax, checkout_shipping, discounts, tax_settings
from stripe_magics.sandbox.resources.connect import parties
from stripe_magics.sandbox.resources.invoices.totals import compute_totals, tax_entries
from stripe_magics.sandbox.resources.price_objects import amount_of

MAX_QUANTITY, MAX_QUANTITIES = 99, 999_999
"""Of a line whose quantity the customer chooses: where nothing is said, and at most."""
UPDATES = ("address", "name", "shipping")
"""What of a customer the page may change (`customer_update`)."""


def check(account: Account, params: dict[str, Any], mode: str) -> None:
    """Refuse what can't be, before anything is made."""
    parties.check_all(account, params)
    automatic = (params.get("automatic_tax") or {}).get("enabled")
    for name, modes in (
        ("automatic_tax", ("payment", "subscription")),
        ("discounts", ("payment", "subscription")),
        ("shipping_options", ("payment",)),
    ):
        if mode not in modes and (automatic if name == "automatic_tax" else params.get(name)):
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    if params.get("customer_update") and not params.get("customer"):
        raise invalid("`customer_update` can only be used with `customer`.", param="customer_update")
    _check_discounts(account, params)
    for place, line in enumerate(params.get("line_items") or ()):
        _check_rates(account, line, f"line_items[{place}]", mode, automatic=bool(automatic))
    _check_location(account, params, automatic=bool(automatic))


def _check_rates(account: Account, line: Object, where: str, mode: str, *, automatic: bool) -> None:
    """One way of taxing a line, by rates that there are."""
    for name in ("tax_rates", "dynamic_tax_rates"):
        for at, rate in enumerate(line.get(name) or ()):
            if automatic:
                raise invalid(
                    f"You can't combine line_items[{name}] with automatic_tax[enabled]=true.",
                    param="automatic_tax",
                )
            account.find("tax_rate", rate, f"{where}[{name}][{at}]", what="tax rate")
    if line.get("dynamic_tax_rates") and (line.get("tax_rates") or mode == "setup"):
        raise invalid(
            "You may only specify one of these parameters: tax_rates, dynamic_tax_rates.",
            param=f"{where}[dynamic_tax_rates]",
        )


def _check_discounts(account: Account, params: dict[str, Any]) -> None:
    given = params.get("discounts") or ()
    if given and params.get("allow_promotion_codes") is not None:
        raise invalid(
            "You may only specify one of these parameters: allow_promotion_codes, discounts.",
            param="discounts",
        )
    if len(given) > 1:
        raise invalid("A Checkout Session takes one discount.", param="discounts")
    for each in given:
        discounts.redeemable(account, each, param=_param_of(each), customer=params.get("customer"))


def _param_of(discount: dict[str, Any]) -> str:
    named = [each for each in ("coupon", "promotion_code") if discount.get(each)]
    return f"discounts[0][{named[0]}]" if named else "discounts[0]"


def _check_location(account: Account, params: dict[str, Any], *, automatic: bool) -> None:
    """Of a customer that is there the address is taken, unless the page may change it."""
    customer = account.peek("customer", params.get("customer") or "")
    asks = "auto" in {(params.get("customer_update") or {}).get(each) for each in ("address", "shipping")}
    if automatic and customer and not asks and not automatic_tax.located(customer["address"]):
        raise invalid(
            "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid"
            " address to the Customer or set either `customer_update[address]` to 'auto' or"
            " `customer_update[shipping]` to 'auto' to save the address entered in Checkout to the Customer.",
            param="customer",
            code="customer_tax_location_invalid",
        )


def begin(account: Account, session: Object, params: dict[str, Any], lines: list[Object]) -> None:
    """Set what the amounts follow from, and what they are so far."""
    notes = account.private_state.setdefault(session["id"], {})
    rates = {
        line["id"]: list(given["tax_rates"])
        for line, given in zip(lines, params.get("line_items") or (), strict=True)
        if given.get("tax_rates")
    }
    notes.update({"rates": rates} if rates else {})
    dynamic = {
        line["id"]: list(given["dynamic_tax_rates"])
        for line, given in zip(lines, params.get("line_items") or (), strict=True)
        if given.get("dynamic_tax_rates")
    }
    notes.update({"dynamic_rates": dynamic} if dynamic else {})
    chosen = adjustable(params.get("line_items") or [])
    if any(chosen):
        notes["adjustable"] = {line["id"]: of for line, of in zip(lines, chosen, strict=True) if of}
    if params.get("customer_update"):
        notes["customer_update"] = dict(params["customer_update"])
    session["automatic_tax"] = {
        "enabled": bool((params.get("automatic_tax") or {}).get("enabled")),
        "liability": parties.liability(params.get("automatic_tax")),
        "status": None,
    }
    session["allow_promotion_codes"] = params.get("allow_promotion_codes")
    session["discounts"] = []
    for each in params.get("discounts") or ():
        use_discount(account, session, each, lines, _param_of(each))
    options = checkout_shipping.options_of(account, params.get("shipping_options") or [], session["currency"])
    session["shipping_options"] = options
    checkout_shipping.choose(session, options[0]["shipping_rate"] if options else None)
    customer = account.peek("customer", params.get("customer") or "") or {}
    compute(account, session, lines, customer.get("address"), customer)


def adjustable(given: list[dict[str, Any]], param: str = "line_items") -> list[Object | None]:
    """Between which quantities the customer may choose, of each line; None where they can't."""
    found: list[Object | None] = []
    for place, line in enumerate(given):
        allowed = line.get("adjustable_quantity") or {}
        if not allowed.get("enabled"):
            found.append(None)
            continue
        low, high = allowed.get("minimum", 0), allowed.get("maximum", MAX_QUANTITY)
        where = f"{param}[{place}][adjustable_quantity]"
        if low < 0:
            raise too_low(0, f"{where}[minimum]")
        if not low <= line["quantity"] <= high or not 0 < high <= MAX_QUANTITIES:
            raise invalid(
                f"The quantity has to lie between minimum and maximum; maximum is {MAX_QUANTITIES} at most.",
                param=f"{where}[maximum]",
            )
        found.append({"maximum": high, "minimum": low})
    return found


def choose_quantities(account: Account, session: Object, given: list[dict[str, Any]]) -> None:
    """The customer takes more or less of a line."""
    lines = {line["id"]: line for line in account.link_lines[session["id"]]}
    allowed = account.private_state.get(session["id"], {}).get("adjustable", {})
    for place, each in enumerate(given):
        limits = allowed.get(each["id"])
        if limits is None:
            raise invalid(
                "The session has no such line with an adjustable quantity.", param=f"line_items[{place}][id]"
            )
        if not max(1, limits["minimum"]) <= each["quantity"] <= limits["maximum"]:
            raise invalid(
                f"The quantity lies between {limits['minimum']} and {limits['maximum']}.",
                param=f"line_items[{place}][quantity]",
            )
        line = lines[each["id"]]
        line["quantity"] = each["quantity"]
        line["amount_subtotal"] = amount_of(account, line["price"], each["quantity"])


def use_discount(
    account: Account, session: Object, given: dict[str, Any], lines: list[Object], param: str
) -> None:
    """The discount that the session takes off; it is redeemed when the session is complete."""
    coupon, promotion = discounts.redeemable(account, given, param=param, customer=session["customer"])
    discounts.check_currency(account, coupon, session["currency"], param)
    named = {"promotion_code": promotion["id"] if promotion else None}
    amount = sum(line["amount_subtotal"] for line in lines)
    discounts.check_minimum(account, named, amount, session["currency"], param)
    session["discounts"] = [{"coupon": None if promotion else coupon["id"], **named}]


def given_discounts(session: Object) -> list[dict[str, str]]:
    """The session's discounts as they are given to a subscription."""
    return [{name: value for name, value in each.items() if value} for each in session["discounts"]]


def redeem(account: Account, session: Object, customer: str | None) -> None:
    """The discount is used, once the session is complete (a subscription redeems its own)."""
    named = {"customer": customer} if customer else {}
    made = [
        discounts.new(
            account, each, param="discounts", currency=session["currency"], checkout_session=session["id"],
            **named,
        )
        for each in given_discounts(session)
    ]  # fmt: skip
    if made:
        notes = account.private_state.setdefault(session["id"], {})
        notes["redeemed"] = [each["id"] for each in made]


def settle_rates(account: Account, session: Object, address: Object | None) -> None:
    """Of the rates that a line may have (`dynamic_tax_rates`), those of where the customer is count; the
    shipping address does before that of the customer. None do until it is known."""
    notes = account.private_state.get(session["id"], {})
    if "dynamic_rates" not in notes:
        return
    notes["rates"] = {
        **notes.get("rates", {}),
        **{
            line: [each for each in given if _holds(account.find("tax_rate", each, "tax_rates"), address)]
            for line, given in notes["dynamic_rates"].items()
        },
    }


def _holds(rate: Object, address: Object | None) -> bool:
    """Whether a rate is that of an address: of its country and, if it says one, of its state."""
    if not address or str(rate["country"]).upper() != str(address.get("country")).upper():
        return False
    return not rate["state"] or str(rate["state"]).upper() == str(address.get("state")).upper()


def compute(
    account: Account, session: Object, lines: list[Object], address: Object | None, customer: Object
) -> None:
    """The sums of a session and of its lines, with the tax that is due at an address (None: not known)."""
    settle_rates(account, session, address)
    rates = account.private_state.get(session["id"], {}).get("rates", {})
    work = [
        {
            "id": line["id"], "amount": line["amount_subtotal"], "discountable": True, "price": line["price"],
            "quantity": line["quantity"], "tax_rates": [
                events.snapshot(account.find("tax_rate", each, "tax_rates"))
                for each in rates.get(line["id"], ())
            ],
        }
        for line in lines
    ]  # fmt: skip
    automatic, exempt = session["automatic_tax"], customer.get("tax_exempt") or "none"
    located = automatic_tax.located(address)
    if automatic["enabled"]:
        automatic["status"] = "complete" if located else "requires_location_inputs"
        numbers = [account.peek("tax_id", each) for each in account.where("tax_id", customer=customer["id"])
            ] if customer.get("id") else []  # fmt: skip
        liable = parties.liable(account, automatic)
        if exempt == "none" and automatic_tax.reverse_charged(liable, address, [e for e in numbers if e]):
            exempt = "reverse"

    def taxes_of(line: Object, rest: int) -> list[Object]:
        found = line["tax_rates"]
        if automatic["status"] == "complete" and address:
            behavior = line["price"].get("tax_behavior")
            inclusive = tax_settings.inclusive(account, behavior, session["currency"])
            rate = automatic_tax.rate_for(account, address, inclusive=inclusive)
            found = [rate] if rate else []
        return tax_entries(rest, found, exempt)

    shipping_tax = checkout_shipping.tax(account, session, address, exempt)
    shipping = session["shipping_cost"] or {"amount_subtotal": 0, "amount_tax": 0}
    sums = compute_totals(
        work, {}, _shown_discounts(account, session), taxes_of, eligible=discounts.Eligibility(account),
        currency=session["currency"] or "usd", shipping=shipping["amount_subtotal"] + shipping_tax,
    )  # fmt: skip
    for line, done in zip(lines, work, strict=True):
        off = sum(each["amount"] for each in done["discount_amounts"])
        on_top = sum(each["amount"] for each in done["tax_amounts"] if not each["inclusive"])
        tax = sum(each["amount"] for each in done["tax_amounts"])
        line.update(amount_discount=off, amount_tax=tax, amount_total=line["amount_subtotal"] - off + on_top)
    if not lines:
        return
    notes = account.private_state.setdefault(session["id"], {})
    notes["breakdown"] = {
        "discounts": [each["amount"] for each in sums["total_discount_amounts"]],
        "taxes": sums["total_tax_amounts"],
    }
    session.update(
        amount_subtotal=sums["subtotal"], amount_total=sums["total"],
        payment_status="unpaid" if sums["total"] else "no_payment_required",
        total_details={
            "amount_discount": sum(each["amount"] for each in sums["total_discount_amounts"]),
            "amount_shipping": shipping["amount_subtotal"],
            "amount_tax": (sums["tax"] or 0) + shipping["amount_tax"],
        },
    )  # fmt: skip


def breakdown(account: Account, of: Object) -> Object:
    """What each discount and each tax rate of a session came to (`total_details.breakdown`)."""
    kept = account.private_state.get(of["id"], {})
    redeemed = [account.peek("discount", each) for each in kept.get("redeemed", ())]
    shown = redeemed or _shown_discounts(account, of)
    found = kept.get("breakdown") or {"discounts": [], "taxes": []}
    return {
        "discounts": [
            {"amount": amount, "discount": each}
            for amount, each in zip(found["discounts"], shown, strict=False)
        ],
        "taxes": [
            {
                "amount": each["amount"], "rate": account.peek("tax_rate", each["tax_rate"]),
                "taxability_reason": each["taxability_reason"], "taxable_amount": each["taxable_amount"],
            }
            for each in found["taxes"]
        ],
    }  # fmt: skip


def _shown_discounts(account: Account, session: Object) -> list[Object]:
    """As they count, before they are redeemed."""
    found = []
    for each in session["discounts"]:
        promotion = account.peek("promotion_code", each["promotion_code"] or "")
        coupon = account.peek("coupon", promotion["coupon"]["id"] if promotion else each["coupon"])
        found.append(
            {
                "id": f"di_{session['id'][8:32]}", "object": "discount", "checkout_session": session["id"],
                "coupon": coupon, "customer": session["customer"], "end": None, "invoice": None,
                "invoice_item": None, "promotion_code": each["promotion_code"], "start": session["created"],
                "subscription": None, "subscription_item": None,
            }
        )  # fmt: skip
    return found


INCLUDED = {("checkout.session", "total_details.breakdown"): breakdown}
