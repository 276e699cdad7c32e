"""`%stripe find WORDS`: commands and fields in which all of the words occur, the best first.

- One index of words, built when something is first looked for; a word also finds those that begin with it.
- The trade's own words are understood (`SYNONYMS`): chargeback, VAT, coupon code, seat, dunning.
- A hit in a name counts more than one in a label, that more than one in the help; a documented command comes
  before a generated one.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from stripe_magics import catalogue
from stripe_magics.catalogue.field import Field
from stripe_magics.catalogue.module import Effect, Module
from stripe_magics.errors import UsageFault

if TYPE_CHECKING:
    import pandas as pd

MAX_WORDS, MAX_LETTERS, MAX_HITS, MAX_EXPANSIONS = 8, 60, 50, 60
NAME, LABEL, ABOUT, CONTEXT = 3.0, 2.0, 1.0, 0.4
SYNONYM = 0.8

SYNONYMS = {  # what people say -> what Stripe calls it; several words are one thing if all of them occur
    "ach": "us bank account", "authorization hold": "capture method", "bacs": "bacs debit",
    "bank transfer": "bank transfer, customer balance", "bill": "invoice", "buyer": "customer",
    "card on file": "off session, setup intent", "chargeback": "dispute", "client": "customer",
    "coupon code": "promotion code", "credit card": "card", "credit memo": "credit note", "deposit": "payout",
    "direct debit": "sepa debit, mandate", "discount code": "promotion code",
    "dunning": "past due, collection, overdue, invoice pay, uncollectible", "e-mail": "email",
    "estimate": "quote", "fee": "fee, balance transaction", "gst": "tax id, tax rate",
    "hold": "capture method", "iban": "sepa debit", "kyc": "verification session, account",
    "memo": "description, memo", "metered": "meter, usage", "mobile": "phone", "mrr": "subscription",
    "onboarding": "account link", "overdue": "due date, past due",
    "payment page": "checkout session, payment link", "plan": "price, plan", "pos": "terminal reader",
    "preauth": "capture method", "promo code": "promotion code", "quotation": "quote",
    "receipt": "receipt email, receipt", "reminder": "invoice send", "reversal": "refund, reversal",
    "saved card": "payment method", "sca": "three d secure", "3ds": "three d secure", "seat": "quantity",
    "seats": "quantity", "settlement": "payout, balance transaction", "sku": "product",
    "subscriber": "customer, subscription", "tip": "amount tip, tipping", "usage": "usage, meter",
    "vat": "tax id, tax rate, tax", "voucher": "coupon, promotion code", "webhook": "webhook endpoint",
    "withdraw": "payout", "withdrawal": "payout", "write off": "uncollectible", "zip": "postal code",
}  # fmt: skip


@dataclass(slots=True)
class WordIndex:
    """Words -> the entries in which they occur, with what a hit there is worth."""

    rows: list[tuple[Module, Field | None]] = field(default_factory=list)
    postings: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    vocabulary: list[str] = field(default_factory=list)

    def add(self, module: Module, own: Field | None, parts: Iterable[tuple[str, float]]) -> None:
        """Add a command or a field with its texts."""
        at = len(self.rows)
        self.rows.append((module, own))
        for text, worth in parts:
            for word in words_of(text):
                known = self.postings[word]
                known[at] = max(known.get(at, 0.0), worth)

    def look_up(self, word: str) -> dict[int, float]:
        """The entries with that word, or with one that begins with it (worth less)."""
        found = dict(self.postings.get(word, {}))
        if len(word) < 3:
            return found
        start = bisect_left(self.vocabulary, word)
        for longer in self.vocabulary[start : start + MAX_EXPANSIONS]:
            if not longer.startswith(word):
                break
            for at, worth in self.postings[longer].items():
                if found.get(at, 0.0) < 0.7 * worth:
                    found[at] = max(found.get(at, 0.0), 0.7 * worth)
        return found

    def look_up_phrase(self, phrase: str) -> dict[int, float]:
        """The entries with all words of a phrase, or of one of its synonyms."""
        found = self._all_of(words_of(phrase))
        for meant in SYNONYMS.get(phrase, "").split(","):
            for at, worth in self._all_of(words_of(meant)).items():
                found[at] = max(found.get(at, 0.0), SYNONYM * worth)
        return found

    def _all_of(self, words: list[str]) -> dict[int, float]:
        tables = [self.look_up(word) for word in words]
        if not tables:
            return {}
        first, *others = sorted(tables, key=len)
        return {
            at: min([worth, *(each[at] for each in others)])
            for at, worth in first.items()
            if all(at in each for each in others)
        }


@cache
def index() -> WordIndex:
    """The index of all commands and fields; made once."""
    found = WordIndex()
    for module in catalogue.everything():
        names = f"{module.name} {' '.join(module.aliases)}"
        found.add(module, None, [(names, NAME), (module.title, LABEL), (module.help, ABOUT)])
        for own in module.fields:
            texts = [(own.name, NAME), (own.label, LABEL), (own.group, ABOUT), (own.help, ABOUT)]
            texts += [(" ".join((*own.choices[:40], *(each.name for each in own.columns[:20]))), ABOUT)]
            found.add(module, own, [*texts, (f"{module.name} {module.title}", CONTEXT)])
    found.vocabulary = sorted(found.postings)
    return found


def words_of(text: str) -> list[str]:
    """The words of a text in the form in which they are compared."""
    return [_stem(word) for word in re.findall(r"[^\W_]+", text.lower())]


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def phrases_of(words: list[str]) -> Iterator[str]:
    """The words, those together that mean one thing: `coupon code`."""
    at = 0
    while at < len(words):
        size = next((count for count in (3, 2) if " ".join(words[at : at + count]) in SYNONYMS), 1)
        yield " ".join(words[at : at + size])
        at += max(1, min(size, len(words) - at))


def find(text: str) -> pd.DataFrame:
    """Commands and fields with the words: module, field, label, what, documented. One row a hit, 50 at most,
    the best first.

    Raises `UsageFault` for no words, or more than eight.
    """
    import pandas as pd

    from stripe_magics.frames.frame_info import add_note, set_facts

    if len(text) > MAX_WORDS * MAX_LETTERS:
        raise UsageFault(
            f"That is too much to look for ({len(text):,} characters); give up to {MAX_WORDS} words."
        )
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)?", text.lower())
    if not words:
        raise UsageFault("Which words? Example: %stripe find refund reason")
    if len(words) > MAX_WORDS:
        raise UsageFault(f"{len(words)} words are too many to look for; give up to {MAX_WORDS}.")
    known = index()
    hits = _ranked(known, [known.look_up_phrase(phrase) for phrase in phrases_of(words)])
    rows = [_row(*known.rows[at]) for at in hits[:MAX_HITS]]
    frame = pd.DataFrame(rows, columns=["module", "field", "label", "what", "documented"])
    set_facts(frame, object=f"{text!r} in commands and fields", complete=len(hits) <= MAX_HITS, amounts=[])
    if len(hits) > MAX_HITS:
        add_note(frame, f"The best {MAX_HITS} of {len(hits)}; more words narrow it.")
    return frame


def _ranked(known: WordIndex, tables: list[dict[int, float]]) -> list[int]:
    """The entries that all tables have, the best first. A field needs a word of its own, beside its
    command's."""
    first, *others = sorted(tables, key=len)
    scores: dict[int, float] = {}
    for at, worth in first.items():
        if all(at in each for each in others):
            all_worths = [worth, *(each[at] for each in others)]
            module, own = known.rows[at]
            if own is None or max(all_worths) > CONTEXT:
                scores[at] = sum(all_worths) + 0.5 * module.documented + 0.6 * (own is None)
    return sorted(scores, key=lambda at: (-scores[at], _ends_something(known.rows[at][0]), at))


def _ends_something(module: Module) -> bool:
    """Whether a command that only its name describes can't be undone: it is not the first to be offered.
    Documented ones stand in the catalogue's own order."""
    return not module.documented and module.effect == Effect.IRREVERSIBLE


def _row(module: Module, own: Field | None) -> list[Any]:
    if own is None:
        about = module.help or f"{module.method} {module.path}"
        return [module.name, "", module.title, about, module.documented]
    return [module.name, own.flag, own.title, own.help, module.documented]
