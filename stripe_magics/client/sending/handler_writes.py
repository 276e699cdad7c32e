"""The write of an event's handler that was made too long ago for Stripe to remember its key: its object is
read instead.

An event that is retried or replayed after 23 hours runs its handler again. What the handler made then is in
the journal; sending it again would make it twice, refusing it would leave the event failed for good. So the
handler gets the object as it is today, and nothing is made.
"""

from __future__ import annotations

from collections.abc import Callable

from stripe_magics.catalogue.module import Effect
from stripe_magics.catalogue.stripe_objects import object_path
from stripe_magics.client.http.response import ApiResponse
from stripe_magics.errors import RepeatRefused
from stripe_magics.request import Request


def read_earlier_result(
    refusal: RepeatRefused, request: Request, send: Callable[[Request], ApiResponse]
) -> ApiResponse | None:
    """The object that the refused write made before; None if the journal doesn't know it, or Stripe has no
    path for it."""
    id = str(getattr(refusal, "result", ""))
    path = object_path(request.returns, id) if id else ""
    if not path:
        return None
    headers = tuple(pair for pair in request.headers if pair[0].lower() != "idempotency-key")
    look = Request(
        module=request.module,
        method="GET",
        path=path,
        headers=headers,
        effect=Effect.READ,
        returns=request.returns,
    )
    answer = send(look)
    number = getattr(refusal, "operation", None)
    answer.replayed = True
    answer.operation = number
    answer.notices = (
        (
            f"For this event the handler made {id} before (operation {number}); this is the object as it is"
            " today. Nothing new was made."
        ),
        *answer.notices,
    )
    return answer
