"""One logical call under way: what was sent of it so far, and what is known of its outcome."""

from __future__ import annotations

from dataclasses import dataclass

from stripe_magics.client.http.request_encoder import EncodedRequest
from stripe_magics.client.http.retry import Attempts
from stripe_magics.client.journal.journal_entry import Operation
from stripe_magics.client.sending.write_connection import WriteConnection
from stripe_magics.request import Request


@dataclass(slots=True)
class InFlightCall:
    """One logical call under way."""

    connection: WriteConnection
    request: Request
    encoded: EncodedRequest
    write: bool
    key: str = ""
    operation: Operation | None = None
    label: str = ""  # the handler that makes it, in words
    before: Operation | None = None  # its row as it was before this call continued it
    may_have_executed: bool = False  # an attempt may have been executed
    # an attempt was begun whose outcome has not been judged yet: Stop may come between any two lines
    attempt_in_progress: bool = False
    result_recorded: bool = False  # how it ended was judged, and is what the error says
    attempts: int = 0
    started: float = 0.0
    lost: str = ""  # why the first attempt that may have been executed has no answer
    retries: Attempts | None = None

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice is the same as sending it once."""
        return bool(self.key) or self.encoded.method in {"GET", "DELETE"} or not self.write
