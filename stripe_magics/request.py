"""A request, before anything is sent: method, path and form parameters, in the order in which they go out.

`build` makes it from a module and bound values, `encode` is Stripe's form encoding. Both are pure: a dry run stops here and shows the
`Request`. It also says what is still to do with the answer: how many rows are wanted, which are kept, which calls follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stripe_magics.catalogue.module import Effect

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """A test on each row of an answer, for a filter that Stripe doesn't take: bounds are half-open [low, high) in seconds."""

    key: str
    low: int | None = None
    high: int | None = None
    equals: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent: pure data, without a key."""

    module: str
    method: str
    path: str
    params: Pairs = ()  # as sent; in the URL for GET and DELETE, as the body for POST
    json: Any = None  # the body of a v2 call, in place of params
    query: Pairs = ()  # parameters that stand in the URL whatever the method (Make an API Call)
    headers: Pairs = ()  # Stripe-Account, Stripe-Version and what Make an API Call adds; never an authorisation
    effect: Effect = Effect.READ
    returns: str = "any"  # the type of object that comes back
    lists: bool = False
    limit: int | None = 100  # total cap over all pages; None is all
    limit_given: bool = False
    list_of_one: bool = False
    also: tuple[Request, ...] = ()  # further lists whose rows are merged with this one's, newest first
    keep: tuple[Keep, ...] = ()
    then: tuple[Request, ...] = ()  # calls that follow once this one went well
    answers: bool = True  # False: this call's answer is not the module's answer (a later one's is)
    idempotency_key: str = ""  # the user's own
    unbounded: str = ""  # a warning: rows are filtered here and nothing bounds the scan
    files: Mapping[str, str] | None = None  # multipart uploads: parameter -> path on this machine
    param_fields: Mapping[str, str] | None = None  # Stripe's bracket name -> our field's name, for error messages

    @property
    def searches(self) -> bool:
        """Whether the list is paged by page/next_page, as searches are."""
        return self.path.endswith("/search")
