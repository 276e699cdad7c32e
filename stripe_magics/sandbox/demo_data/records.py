"""What the demo firm's story is made of: its price list, and plain records of its customers, bills and sales.
No Stripe objects.

Money is minor units, moments are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

DAY, HOUR = 86400, 3600
MONTHS = 24
TAXED = {"eur": 20, "gbp": 20}

SEGMENTS = {"starter": "startup", "team": "smb", "business": "midmarket", "platform": "enterprise"}
"""Plan -> how the firm's sales people call who buys it."""
NAMES = {
    "starter": "Starter",
    "team": "Team",
    "business": "Business",
    "seat": "Additional seat",
    "platform": "Platform seat",
}
"""Plan -> name of its product."""
PLANS = ("starter", "team", "business", "seat", "platform")
PRICES = {  # monthly: before the rise, after it; a year costs ten months
    "usd": {"starter": (4900, 5500), "team": (14900, 16900), "business": (39900, 44900), "seat": (1200, 1400),
        "platform": (2900, 3300)},
    "eur": {"starter": (4500, 5000), "team": (13900, 15500), "business": (36900, 41500), "seat": (1100, 1300),
        "platform": (2700, 3100)},
    "gbp": {"starter": (3900, 4400), "team": (12500, 13900), "business": (32900, 36900), "seat": (1000, 1200),
        "platform": (2400, 2700)},
}  # fmt: skip
COUPONS = {  # id: (percent, duration, months)
    "PARTNER20": (20, "forever", 0),
    "WELCOME50": (50, "once", 0),
    "SPRING30": (30, "repeating", 3),
}
DECLINES = (  # (code, weight)
    ("insufficient_funds", 44), ("generic_decline", 18), ("expired_card", 13), ("do_not_honor", 9),
    ("card_velocity_exceeded", 5),
    ("processing_error", 4), ("incorrect_cvc", 3), ("lost_card", 2), ("stolen_card", 2),
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Client:
    """A customer of the firm."""

    number: int
    person: str
    company: str
    email: str
    currency: str
    country: str
    plan: str
    pays: str  # card, sepa, invoice (is sent an invoice and pays it within `terms` days)
    joined: int
    month: int  # the month in which it joined
    day: int  # when it is billed: seconds from the start of a month (its last day if the month is too short)
    channel: str = "organic"
    terms: int = 30
    seats: int = 0
    yearly: bool = False
    version: int = 0  # of the price that it pays: 0 before the rise, 1 after
    coupon: str = ""
    coupon_until: int = 0  # number of bills that it counts for
    bills: int = 0
    leaves: int = 0  # the month in which it is no longer billed
    reason: str = ""  # cancellation_requested, payment_failed
    ended: int = 0
    # (plan and seats that it had, days before the next bill), billed as proration
    change: tuple[str, int, int] | None = None
    last_created: int = 0  # when its last bill was made
    last_version: int = 0  # of the price of its last bill
    last_percent: int = 0  # discount on its last bill
    last_bill: int = 0

    def monthly(self, version: int) -> int:
        """What it pays a month, without discounts and tax."""
        prices = PRICES[self.currency]
        if self.plan == "platform":
            return prices["platform"][version] * self.seats
        return prices[self.plan][version] + prices["seat"][version] * self.seats

    def mrr(self) -> int:
        """Its monthly recurring revenue: a year's price over twelve, a discount for good taken off."""
        full = self.monthly(self.version)
        full = full * 10 // 12 if self.yearly else full
        return (
            full * (100 - COUPONS[self.coupon][0]) // 100
            if self.coupon and COUPONS[self.coupon][1] == "forever"
            else full
        )


@dataclass(slots=True, eq=False)
class Line:
    """A line of a bill. `price` is (plan, yearly, version), or "" for a single sale."""

    text: str
    amount: int
    quantity: int
    start: int
    end: int
    price: tuple[str, bool, int] | None = None
    proration: bool = False


@dataclass(slots=True, eq=False)
class Bill:
    """An invoice to be. `attempts` are (moment, decline code or ""), the last one of a paid bill being
    good."""

    client: Client
    created: int
    reason: str  # subscription_create, subscription_cycle, manual
    lines: list[Line]
    pays: str
    terms: int
    since: int = 0  # when the period began that is over
    percent: int = 0  # discount
    coupon: str = ""
    outcome: str = "paid"  # paid, open, draft, void, uncollectible
    attempts: list[tuple[int, str]] = field(default_factory=list)
    settled: int = 0  # when it was paid, voided or written off
    retry: int = 0  # the next attempt of an open one
    # moment, per cent of it, reason, whether the refund failed
    refund: tuple[int, int, str | None, bool] | None = None
    dispute: tuple[int, str, str] | None = None  # moment, reason, status

    @property
    def finalized(self) -> int:
        """An hour after it was made; sent ones at once."""
        return self.created + (HOUR if self.reason != "manual" else 60)

    @property
    def due(self) -> int:
        """When it is due; 0 where the card is charged."""
        return self.finalized + self.terms * DAY if self.pays == "invoice" else 0


@dataclass(slots=True)
class Sale:
    """A single payment without an invoice. `state` is the intent's; attempts as in a bill."""

    client: Client
    created: int
    amount: int
    text: str
    state: str
    attempts: list[tuple[int, str]] = field(default_factory=list)
    kind: str = ""  # link, duplicate, hold, partial (a hold of which a part was taken)
    settled: int = 0
    refund: tuple[int, int, str | None, bool] | None = None
    dispute: tuple[int, str, str] | None = None
    outcome: str = ""


@dataclass(slots=True)
class FirmRecords:
    """The whole story."""

    clients: list[Client]
    bills: list[Bill]
    sales: list[Sale]
    starts: list[int]  # of the months 1 to 26
    as_of: int

    def billed(self, client: Client, month: int) -> int:
        """When a customer is billed in a month."""
        days = (self.starts[month + 1] - self.starts[month]) // DAY if month + 1 < len(self.starts) else 28
        return self.starts[month] + min(client.day // DAY, days - 1) * DAY + client.day % DAY


def month_starts(as_of: int, months: int = MONTHS + 2) -> list[int]:
    """The starts of the 24 months before the current one, of the current one and of the next; a leading 0 so
    that month 1 is [1]."""
    now = datetime.fromtimestamp(as_of, UTC)
    first = now.year * 12 + now.month - 1 - MONTHS
    return [
        0,
        *(
            int(datetime((first + n) // 12, (first + n) % 12 + 1, 1, tzinfo=UTC).timestamp())
            for n in range(months)
        ),
    ]
