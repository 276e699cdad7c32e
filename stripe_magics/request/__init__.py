"""A request, before anything is sent.

- `HttpRequest` is what goes over the wire: method, path and parameters, in the order in which they go out.
- `Request` is one with the plan around it: what it does, how many rows its answer may have, which of them are
  kept, which calls are merged with it or follow.

`build` makes a `Request` from bound values, `encode` is Stripe's form encoding. Both are pure: a dry run
stops here and shows the `Request`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stripe_magics._characters import visible
from stripe_magics._form_encoding import Pairs, encode
from stripe_magics._html import output, tag
from stripe_magics._redaction import mask_param, mask_params, redact
from stripe_magics.catalogue.module import Effect
from stripe_magics.request.http_request import HttpRequest

if TYPE_CHECKING:
    from stripe_magics._options import Options
    from stripe_magics.validation import Bound

__all__ = ["CurrencyCheck", "HttpRequest", "Pairs", "Request", "RowFilter", "build", "encode"]

_EFFECTS = {
    Effect.READ: "reads only",
    Effect.CREATE: "creates an object",
    Effect.UPDATE: "changes an object",
    Effect.IRREVERSIBLE: "moves money or cannot be undone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """A test on each row of an answer, for a filter that Stripe doesn't take: bounds are half-open [low,
    high) in seconds."""

    key: str
    low: int | None = None
    high: int | None = None
    equals: str | None = None
    among: tuple[str, ...] = ()  # one of these texts

    def __str__(self) -> str:
        parts = [
            f">= {self.low}" if self.low is not None else "",
            f"< {self.high}" if self.high is not None else "",
        ]
        parts += [
            f"is {self.equals}" if self.equals is not None else "",
            f"is {' or '.join(self.among)}" if self.among else "",
        ]
        return f"{self.key} {' and '.join(filter(None, parts))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyCheck:
    """An amount whose text named its currency, in a call that sends none: the object at `path` must have it,
    or nothing is sent."""

    field: str
    currency: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Request(HttpRequest):
    """A call and the plan around it: what it does, and what is still to do with the answer."""

    module: str
    effect: Effect = Effect.READ
    returns: str = "any"  # the type of object that comes back
    lists: bool = False
    limit: int | None = 100  # total cap over all pages; None is all
    limit_given: bool = False
    list_of_one: bool = False
    # further lists whose rows are merged with this one's, newest first
    merged_requests: tuple[Request, ...] = ()
    row_filters: tuple[RowFilter, ...] = ()
    follow_ups: tuple[Request, ...] = ()  # calls that follow once this one went well
    is_main_response: bool = True  # False: this call's answer is not the module's answer (a later one's is)
    currency_checks: tuple[CurrencyCheck, ...] = ()  # looked up before the first byte of a write is sent
    scan_warning: str = ""  # a warning: rows are filtered here and nothing bounds the scan
    # Stripe's bracket name -> our field's name, for error messages
    param_fields: Mapping[str, str] | None = None
    # said to the user, nothing more: an amount below Stripe's usual minimum ...
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return visible(redact("\n".join(self.lines())))

    def _repr_html_(self) -> str:
        head, *rest = repr(self).splitlines()
        return output(tag("b", tag("code", head)), tag("pre", "\n".join(rest), style="margin:0"))

    def curl(self) -> str:
        """The same call (and those that go with it) for a terminal; the key stands in the variable
        STRIPE_API_KEY."""
        return redact("\n".join(each.curl_line() for each in (self, *self.merged_requests, *self.follow_ups)))

    def lines(self) -> Iterator[str]:
        """What `--dry-run` shows, line by line, with what is secret hidden."""
        yield f"{self.method} {self.path}"
        for name, value in mask_params((*self.query, *self.params)):
            yield f"  {name} = {value}"
        if self.json is not None:
            yield f"  {mask_param('', self.json)}"
        for name, path in (self.files or {}).items():
            yield f"  {name} = the file {path}"
        for name, value in self.headers:
            yield f"  {name}: {value}"
        if self.idempotency_key:
            yield f"  Idempotency-Key: {self.idempotency_key}"
        yield f"effect: {self.effect} ({_EFFECTS[self.effect]})"
        if self.lists:
            yield f"rows: {'all' if self.limit is None else f'{self.limit} at most'}, over all pages"
        for amount in self.currency_checks:
            yield f"looked up first: GET {amount.path}, whose currency must be {amount.currency}"
        for test in self.row_filters:
            yield f"kept here: rows whose {test}"
        if self.scan_warning:
            yield self.scan_warning
        yield from self.warnings
        for word, requests in (("merged with", self.merged_requests), ("then", self.follow_ups)):
            for each in requests:
                first, *rest = each.lines()
                yield f"{word}: {first}"
                yield from (
                    f"  {line}"
                    for line in rest
                    if line.startswith("  ") or (word == "then" and line.startswith("effect"))
                )


def build(bound: Bound, options: Options | None = None) -> Request:
    """The plan for a call whose values are right: endpoint, parameters, splits, calls that follow. Pure.

    `options` gives what all modules share: expand, limit, idempotency, stripe_account, stripe_version. Raises
    `InvalidValue` for these.
    """
    # the plan makes Requests, so it stands one step above this file
    from stripe_magics.request.builder import plan

    return plan(bound, options)
