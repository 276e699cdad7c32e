"""An object and its story: who, how much, in which state, what happened in which order, and what can be done
next.

`story_of(kind, id, get)` asks at most four times; `get(path)` gives Stripe's JSON.
"""

from __future__ import annotations

from collections.abc import Callable

from stripe_magics.forms.stories import billing_stories, payment_stories
from stripe_magics.forms.stories.story import Action, Entry, Get, Story, add_facts, money

__all__ = ["Action", "Entry", "Get", "Story", "story_of"]


def story_of(kind: str, id: str, get: Get) -> Story:
    """The story of an object of that type. Raises what `get` raises; a type without a story of its own shows
    its plain facts."""
    return READERS.get(kind, _plain_reader(kind))(id, get).sort()


def _plain_reader(kind: str) -> Callable[[str, Get], Story]:
    def read(id: str, get: Get) -> Story:
        from stripe_magics.catalogue import stripe_objects

        found = get(stripe_objects.object_path(kind, id))
        story = Story(
            kind,
            str(found.get("id", id)),
            str(found.get("name") or found.get("id") or id),
            str(found.get("status") or ""),
        )
        amount = money(found.get("amount", found.get("unit_amount")), found.get("currency"))
        add_facts(
            story, ("Amount", amount), ("Description", found.get("description")), ("Type", found.get("type"))
        )
        if found.get("created"):
            story.entries.append(Entry(int(found["created"]), "Created", "", story.id))
        return story

    return read


READERS: dict[str, Callable[[str, Get], Story]] = {
    "payment_intent": payment_stories.payment_intent,
    "charge": payment_stories.charge,
    "refund": payment_stories.refund,
    "dispute": payment_stories.dispute,
    "customer": billing_stories.customer,
    "invoice": billing_stories.invoice,
    "subscription": billing_stories.subscription,
    "payout": billing_stories.payout,
}
"""Type of object -> how its story is read."""
