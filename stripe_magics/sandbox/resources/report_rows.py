"""The rows of Stripe's financial reports, straight from the account's objects: amounts in major units, times
as text.

- What a transaction changes is felt when it is created; an automatic payout leaves the balance when it
  arrives (`effective_at`), not when it is made, and so does the report.
- Payouts and what comes back of them (`payout`, `payout_reversal`) stand in the payouts' reports; everything
  else is activity.
- An automatic payout's members are reconciled with it when it is effective; what no effective payout took is
  the ending balance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from stripe_magics import money
from stripe_magics.sandbox.core.store import Account, Object

PAYOUTS = frozenset({"payout", "payout_reversal"})
Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class ReportInterval:
    """What a report is about: [start, end) in Unix seconds, and filters."""

    start: int
    end: int
    zone: ZoneInfo
    currency: str = ""
    category: str = ""
    payout: str = ""


def major(minor: int, currency: str) -> str:
    """An amount in major units."""
    return str(money.to_major(minor, currency))


def moment(seconds: int | None, zone: ZoneInfo | None = None) -> str:
    """A time as text."""
    return (
        "" if seconds is None else datetime.fromtimestamp(seconds, zone or UTC).strftime("%Y-%m-%d %H:%M:%S")
    )


class ReportEntry:
    """One balance transaction and, read when asked for, what it belongs to."""

    def __init__(self, account: Account, data: Object) -> None:
        self.account, self.data = account, data
        self.category: str = data["reporting_category"]
        self.source: str = data["source"] or ""

    @cached_property
    def origin(self) -> Object:
        """The object that it comes from."""
        kinds = {
            "ch": "charge", "py": "charge", "re": "refund", "pyr": "refund", "du": "dispute", "dp": "dispute",
            "po": "payout", "tr": "transfer",
            "trr": "transfer_reversal", "tu": "topup", "fee": "application_fee", "fr": "fee_refund",
        }  # fmt: skip
        kind = kinds.get(self.source.partition("_")[0], "")
        return (self.account.peek(kind, self.source) if kind else None) or {}

    @cached_property
    def charge(self) -> Object:
        """The payment that it belongs to."""
        if self.origin.get("object") == "charge":
            return self.origin
        named = self.origin.get("charge")
        return (self.account.peek("charge", named) if isinstance(named, str) else None) or {}

    def _of_charge(self, kind: str) -> Object:
        named = self.charge.get(kind)
        return (self.account.peek(kind, named) if isinstance(named, str) else None) or {}

    @cached_property
    def customer(self) -> Object:
        return self._of_charge("customer")

    @cached_property
    def intent(self) -> Object:
        return self._of_charge("payment_intent")

    @cached_property
    def invoice(self) -> Object:
        return self._of_charge("invoice")

    @cached_property
    def transfer(self) -> Object:
        """The transfer that it belongs to."""
        if self.origin.get("object") == "transfer":
            return self.origin
        named = self.origin.get("transfer")
        return (self.account.peek("transfer", named) if isinstance(named, str) else None) or {}

    @cached_property
    def card(self) -> Object:
        found: Object = (self.charge.get("payment_method_details") or {}).get("card") or {}
        return found

    @cached_property
    def connected(self) -> str:
        """The connected account on the other side."""
        for holder, field in ((self.transfer, "destination"), (self.origin, "account")):
            named = holder.get(field)
            if isinstance(named, str) and named.startswith("acct_"):
                return named
        return ""

    @cached_property
    def payout(self) -> Object:
        """The automatic payout that took it."""
        named = self.account.ledger.paid_by.get(self.data["id"], "")
        return (self.account.peek("payout", named) if named else None) or {}

    @property
    def effective(self) -> int:
        """When the balance feels it."""
        if self.data["type"] == "payout" and self.origin.get("automatic"):
            return int(self.origin["arrival_date"])
        return int(self.data["created"])


def entries(account: Account, span: ReportInterval, test: Callable[[ReportEntry], bool]) -> list[ReportEntry]:
    """The transactions that a report takes, oldest first."""
    found = (ReportEntry(account, each) for each in account.each("balance_transaction"))
    return [
        each
        for each in found
        if span.currency in {"", each.data["currency"]}
        and span.category in {"", each.category}
        and test(each)
    ]


# which transactions


def activity(account: Account, span: ReportInterval) -> list[ReportEntry]:
    """What changed the balance in the period, but for payouts."""
    return entries(
        account, span, lambda each: each.category not in PAYOUTS and span.start <= each.effective < span.end
    )


def payouts(account: Account, span: ReportInterval) -> list[ReportEntry]:
    """Payouts effective in the period, and those that came back in it."""
    return entries(
        account, span, lambda each: each.category in PAYOUTS and span.start <= each.effective < span.end
    )


def reconciled(account: Account, span: ReportInterval) -> list[ReportEntry]:
    """The transactions in the automatic payouts that became effective in the period, or in one payout."""

    def test(each: ReportEntry) -> bool:
        payout = each.payout
        if not payout or each.source == payout["id"]:
            return False
        if span.payout:
            return bool(payout["id"] == span.payout)
        return bool(span.start <= payout["arrival_date"] < span.end)

    return entries(account, span, test)


def unpaid(account: Account, span: ReportInterval) -> list[ReportEntry]:
    """What no payout that is effective by the end took: it adds up to the ending balance."""

    def test(each: ReportEntry) -> bool:
        return each.effective < span.end and not (each.payout and each.payout["arrival_date"] < span.end)

    return entries(account, span, test)


# summaries


def by_category(found: Iterable[ReportEntry]) -> list[Cells]:
    """Count and sums by currency and reporting category."""
    sums: dict[tuple[str, str], list[int]] = {}
    for each in found:
        total = sums.setdefault((each.data["currency"], each.category), [0, 0, 0, 0])
        for place, amount in enumerate((1, each.data["amount"], each.data["fee"], each.data["net"])):
            total[place] += amount
    return [
        {
            "reporting_category": category,
            "currency": currency,
            "count": str(count),
            "gross": major(gross, currency),
            "fee": major(fee, currency),
            "net": major(net, currency),
        }
        for (currency, category), (count, gross, fee, net) in sorted(sums.items())
    ]


def balances(account: Account, span: ReportInterval) -> list[Cells]:
    """Starting balance, activity, payouts and ending balance of each currency."""
    sums: dict[str, list[int]] = {}
    for each in entries(account, span, lambda each: each.effective < span.end):
        total = sums.setdefault(each.data["currency"], [0, 0, 0])
        before = each.effective < span.start
        total[0 if before else 2 if each.category in PAYOUTS else 1] += each.data["net"]
    first, last = (moment(each, span.zone)[:10] for each in (span.start, span.end))
    rows = []
    for currency, (start, change, paid) in sorted(sums.items()):
        amounts = (
            ("starting_balance", f"Starting balance ({first})", start),
            ("activity", "Activity", change),
            ("payouts", "Less payouts", paid),
            ("ending_balance", f"Ending balance ({last})", start + change + paid),
        )
        rows += [
            {
                "category": category,
                "description": text,
                "net_amount": major(amount, currency),
                "currency": currency,
            }
            for category, text, amount in amounts
        ]
    return rows
