"""`%stripe today`: what a person looks at first: the balance, today's payments, and what waits for somebody.

Six short lists at most. Each that was cut says so; each that may not be read (a restricted key) is left out
by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from stripe_magics import _locale
from stripe_magics._html import output, table, tag
from stripe_magics.errors import StripeError
from stripe_magics.forms import html
from stripe_magics.forms.card_widget import CARD_CSS, caller, id_cell, status_badge
from stripe_magics.forms.stories.story import card, day, money

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

Json = Mapping[str, Any]
PAGE, MAX_PAGES = 100, 5  # rows of a list that are read at once, and how often
SHOWN = 8  # lines of each list
RECENT = 30 * 86400  # how far back a failed payout is still news


@dataclass(frozen=True, slots=True)
class TodayLine:
    """One thing that waits: what, in which state, and its id for `%stripe ID`."""

    text: str
    status: str = ""
    id: str = ""


@dataclass(slots=True)
class TodaySection:
    """A heading, a sentence when there is nothing, and the lines."""

    title: str
    lines: list[TodayLine] = field(default_factory=list)
    nothing: str = ""
    note: str = ""


@dataclass(slots=True)
class Today:
    """The page. `sections` in the order in which they are shown."""

    day: str
    account: str
    sections: list[TodaySection]

    def __repr__(self) -> str:
        out = [f"{self.day}, {self.account}"]
        for each in self.sections:
            out.append(each.title)
            out += [
                f"  {line.text}{f' [{line.status}]' if line.status else ''}  {line.id}".rstrip()
                for line in each.lines
            ]
            out += [f"  {words}" for words in (each.nothing if not each.lines else "", each.note) if words]
        return "\n".join(out)

    def _repr_html_(self) -> str:
        parts = []
        for each in self.sections:
            rows = [(line.text, status_badge(line.status), id_cell(line.id)) for line in each.lines]
            words = " ".join(words for words in (each.nothing if not rows else "", each.note) if words)
            parts += [
                tag("h4", each.title),
                table([], rows, by_sheet=True, class_="sm-story sm-lines", aria_label=each.title)
                if rows
                else "",
                html.remarks([words] if words else []),
            ]
        heading = (tag("h3", self.day), tag("p", self.account, class_="sm-sub"))
        return CARD_CSS + output(*heading, *parts, class_="sm-object", role="group", aria_label="Today")


def today(connection: Connection | None = None) -> Today:
    """The account's day, by the clock of Stripe (the sandbox has its own). Raises what Stripe says of the
    balance."""
    from stripe_magics.client.shared_connection import current

    connection = connection or current()
    get = caller(connection)
    now = datetime.fromtimestamp(connection.stripe_time(), UTC).astimezone(connection.zone)
    midnight = int(datetime.combine(now.date(), time.min, now.tzinfo).timestamp())
    sections = [
        _guarded("Balance", lambda: _balance(get)),
        _guarded("Payments today", lambda: _payments(get, midnight)),
        _guarded("Disputes that need an answer", lambda: _disputes(get, now)),
        _guarded("Invoices past due", lambda: _past_due(get, int(now.timestamp()))),
        _guarded(
            "Payouts that failed in the last 30 days", lambda: _failed_payouts(get, int(now.timestamp()))
        ),
        _guarded("Writes with an unknown outcome", lambda: _pending(connection)),
    ]
    zone = "UTC" if connection.zone is UTC else str(connection.zone)
    name = (
        connection.name
        or connection.account
        or ("the sandbox" if connection.mode == "sandbox" else connection.key_hint)
    )
    return Today(
        f"{_locale.moment(now, '%A, %d %B %Y, %H:%M')} ({zone})",
        f"{name}, {connection.mode}" if connection.mode != "sandbox" else str(name),
        sections,
    )


def _guarded(title: str, read: Callable[[], TodaySection]) -> TodaySection:
    try:
        return read()
    except StripeError as fault:
        # a key that may not read one list, or a journal that can't be used, still has its day
        return TodaySection(title, note=f"Could not be read: {fault.brief}")


def _list(
    get: Callable[[str], Any], path: str, params: Mapping[str, Any], expand: Iterable[str] = ()
) -> tuple[list[Json], str]:
    rows: list[Json] = []
    more = True
    for _ in range(MAX_PAGES):
        pairs = [*params.items(), ("limit", PAGE), *(("expand[]", each) for each in expand)]
        after = [("starting_after", str(rows[-1].get("id")))] if rows else []
        answer = get(f"{path}?{urlencode([*pairs, *after])}")
        page = [each for each in answer.get("data", []) if isinstance(each, Mapping)]
        rows += page
        more = bool(answer.get("has_more"))
        if not more or not page:
            break
    return rows, f"Only the newest {len(rows)} were read; there are more." if more else ""


def _balance(get: Callable[[str], Any]) -> TodaySection:
    found = get("/v1/balance")
    pending = {each.get("currency"): each.get("amount") for each in found.get("pending") or []}
    lines = []
    for each in found.get("available") or []:
        currency = each.get("currency")
        waiting = money(pending.get(currency), currency)
        lines.append(
            TodayLine(f"{money(each.get('amount'), currency)} available, {waiting or 'nothing'} on its way")
        )
    return TodaySection("Balance", lines, "No balance yet.")


def _payments(get: Callable[[str], Any], midnight: int) -> TodaySection:
    rows, note = _list(get, "/v1/charges", {"created[gte]": midnight})
    totals: dict[tuple[str, str], list[int]] = {}
    for each in rows:
        totals.setdefault((str(each.get("status")), str(each.get("currency"))), []).append(
            int(each.get("amount") or 0)
        )
    lines = [
        TodayLine(
            f"{_locale.number(f'{len(amounts):,}')} {'payment' if len(amounts) == 1 else 'payments'} over"
            f" {money(sum(amounts), currency)}",
            status,
        )
        for (status, currency), amounts in sorted(totals.items(), reverse=True)
    ]
    return TodaySection("Payments today", lines, "None so far.", note)


def _deadline(due: int | None, now: datetime) -> str:
    """How long there is to answer, as it is said on the day itself too."""
    if not due:
        return ""
    moment = datetime.fromtimestamp(due, now.tzinfo)
    left = (moment - now).days
    if left < 0:
        return ", overdue"
    if left == 0:
        day = "today" if moment.date() == now.date() else "tomorrow"
        return f", due {day} at {moment:%H:%M}"
    return f", {left} {'day' if left == 1 else 'days'} left"


def _disputes(get: Callable[[str], Any], now: datetime) -> TodaySection:
    rows, note = _list(get, "/v1/disputes", {}, ["data.charge"])
    waiting = [each for each in rows if "needs_response" in str(each.get("status"))]
    waiting.sort(key=lambda each: _urgency(each, now))
    lines = []
    for each in waiting[:SHOWN]:
        days = _deadline((each.get("evidence_details") or {}).get("due_by"), now)
        charge = each.get("charge")
        paid = f" on {card(charge.get('payment_method_details'))}" if isinstance(charge, Mapping) else ""
        amount = money(each.get("amount"), each.get("currency"))
        lines.append(
            TodayLine(
                f"{amount}{paid}: {str(each.get('reason', '')).replace('_', ' ')}{days}",
                str(each.get("status", "")),
                str(each.get("id", "")),
            )
        )
    if len(waiting) > SHOWN:
        sums = _sums(waiting, "amount")
        lines.insert(
            0, TodayLine(f"{len(waiting)} disputes over {sums}, the most urgent first:", "needs_response")
        )
    more = "%stripe disputes list --limit all --table lists them all." if len(waiting) > SHOWN else ""
    title = "Disputes that need an answer"
    return TodaySection(title, lines, "None.", " ".join(each for each in (note, more) if each))


def _urgency(dispute: Json, now: datetime) -> tuple[int, float]:
    """What can still be answered first, by its deadline; then what has none, then what is overdue."""
    due = (dispute.get("evidence_details") or {}).get("due_by")
    if not due:
        return 1, 0
    return (0 if due >= now.timestamp() else 2), due


def _sums(rows: Iterable[Json], column: str) -> str:
    """`1.00 EUR, 2.00 USD`: the amounts of the rows by currency."""
    owed: dict[str, int] = {}
    for each in rows:
        currency = str(each.get("currency"))
        owed[currency] = owed.get(currency, 0) + int(each.get(column) or 0)
    return ", ".join(money(amount, currency) for currency, amount in sorted(owed.items()))


def _past_due(get: Callable[[str], Any], now: int) -> TodaySection:
    rows, note = _list(get, "/v1/invoices", {"status": "open"}, ["data.customer"])
    late = sorted(
        (each for each in rows if each.get("due_date") and each["due_date"] < now),
        key=lambda each: each["due_date"],
    )
    sums = _sums(late, "amount_remaining")
    lines = (
        [TodayLine(f"{len(late)} invoices over {sums}, the oldest first:", "past_due")]
        if len(late) > 1
        else []
    )
    lines += [
        TodayLine(
            f"{each.get('number')}: {money(each.get('amount_remaining'), each.get('currency'))} from"
            f" {_name(each)}, due {day(each['due_date'])}",
            "past_due",
            str(each.get("id", "")),
        )
        for each in late[:SHOWN]
    ]
    more = "%stripe report ar_ageing lists them all." if len(late) > SHOWN else ""
    return TodaySection("Invoices past due", lines, "None.", " ".join(each for each in (note, more) if each))


def _name(invoice: Json) -> str:
    customer = invoice.get("customer")
    known = customer if isinstance(customer, Mapping) else {}
    return str(known.get("name") or known.get("email") or invoice.get("customer_name") or customer)


def _failed_payouts(get: Callable[[str], Any], now: int) -> TodaySection:
    rows, note = _list(get, "/v1/payouts", {"status": "failed", "created[gte]": now - RECENT})
    lines = [
        TodayLine(
            f"{money(each.get('amount'), each.get('currency'))} on {day(each.get('created'))}:"
            f" {each.get('failure_message') or each.get('failure_code') or 'no reason given'}",
            "failed",
            str(each.get("id", "")),
        )
        for each in rows
    ]
    return TodaySection("Payouts that failed in the last 30 days", lines, "None.", note)


def _pending(connection: Connection) -> TodaySection:
    lines = [
        TodayLine(f"Operation {each.number}: {each.method} {each.path}", "unknown")
        for each in connection.pending()
    ]
    return TodaySection(
        "Writes with an unknown outcome", lines, "None.", "%stripe reconcile N checks one." if lines else ""
    )
