"""What goes over the wire: the HTTP request without its key and its host. Who sends, counts and retries knows
nothing else of a request."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stripe_magics._form_encoding import Pairs, form
from stripe_magics._redaction import mask_param, mask_params

HOST = "https://api.stripe.com"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HttpRequest:
    """One call, as it is sent: pure data, without a key."""

    method: str
    path: str
    params: Pairs = ()  # as sent; in the URL for GET and DELETE, as the body for POST
    json: Any = None  # the body of a v2 call, in place of params
    query: Pairs = ()  # parameters that stand in the URL whatever the method (Make an API Call)
    # Stripe-Account, Stripe-Version and what Make an API Call adds; never an authorisation
    headers: Pairs = ()
    files: Mapping[str, str] | None = None  # multipart uploads: parameter -> path on this machine
    idempotency_key: str = ""  # the user's own

    @property
    def searches(self) -> bool:
        """Whether the list is paged by page/next_page, as searches are."""
        return self.path.endswith("/search")

    def curl_line(self) -> str:
        """This one call for a terminal, with what is secret hidden; the key stands in the variable
        STRIPE_API_KEY."""
        url = HOST + self.path
        parts = ["curl"]
        in_url = self.method in {"GET", "DELETE"}
        if in_url and (self.params or self.query):
            parts.append("-G")
        elif self.query:
            url += "?" + form(self.query)
        if self.method not in ({"GET"} if in_url else {"POST"}) or (
            not in_url and not self.params and self.json is None
        ):
            parts.append(f"-X {self.method}")
        parts += [shlex.quote(url), '-u "$STRIPE_API_KEY:"']
        for name, value in self.headers:
            parts.append(f"-H {shlex.quote(f'{name}: {value}')}")
        if self.idempotency_key:
            parts.append(f"-H {shlex.quote(f'Idempotency-Key: {self.idempotency_key}')}")
        if self.json is not None:
            import json

            parts.append(f"--json {shlex.quote(json.dumps(mask_param('', self.json), default=str))}")
        for name, value in mask_params((*(self.query if in_url else ()), *self.params)):
            parts.append(f"--data-urlencode {shlex.quote(f'{name}={value}')}")
        for name, path in (self.files or {}).items():
            parts.append(f"-F {shlex.quote(f'{name}=@{path}')}")
        return " ".join(parts)
