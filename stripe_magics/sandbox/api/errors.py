"""What a refusal is: HTTP status and Stripe's error body. Handlers raise it; protocol.py writes it.

The type decides the status unless one is given: a bad request is 400, a card that was refused 402, an unknown
object 404.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

DOCS = "https://stripe.com/docs/error-codes/"


class ApiError(Exception):
    """An answer other than 200. `stands` says that what was done so far stays (a decline leaves a failed
    charge)."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
        more: dict[str, Any] | None = None,
        checked: bool = True,
        stands: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.more = more or {}
        self.stands = status == 402 if stands is None else stands  # whether what happened on the way stays
        # False: parameters didn't pass validation, so the answer isn't kept for the idempotency key
        self.checked = checked

    def body(self, log_url: str) -> dict[str, Any]:
        """The error body, with the keys that apply."""
        error: dict[str, Any] = {}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = DOCS + self.code.replace("_", "-")
        error.update(self.more)
        error["message"] = self.message
        if self.param:
            error["param"] = self.param
        error["request_log_url"] = log_url
        error["type"] = self.kind
        return {"error": error}


def invalid(message: str, *, param: str = "", code: str = "", status: int = 400, **more: Any) -> ApiError:
    """A request that Stripe would not carry out."""
    return ApiError(message, status=status, param=param, code=code, more=more)


def invalid_before_execution(message: str, *, param: str = "", code: str = "") -> ApiError:
    """A parameter that is not what the path takes; found before anything was tried."""
    return ApiError(message, param=param, code=code, checked=False)


def too_low(least: int, param: str) -> ApiError:
    """A number below what the parameter takes."""
    return invalid_before_execution(
        f"This value must be greater than or equal to {least}.", param=param, code="parameter_invalid_integer"
    )


def missing(what: str, identifier: str, param: str, *, status: int = 404) -> ApiError:
    """No object of that id: 404 for the object in the path, 400 for one named by a parameter."""
    return ApiError(f"No such {what}: '{identifier}'", status=status, code="resource_missing", param=param)


def missing_param(param: str) -> ApiError:
    """A required parameter was left out."""
    return invalid_before_execution(
        f"Missing required param: {param}.", param=param, code="parameter_missing"
    )


def declined(message: str, *, code: str, decline_code: str = "", param: str = "", **more: Any) -> ApiError:
    """A card was refused: 402. What happened on the way (a failed charge, the intent's error) stands."""
    if decline_code:
        more["decline_code"] = decline_code
    return ApiError(message, status=402, kind="card_error", code=code, param=param, more=more)


def no_access(account: str) -> ApiError:
    """The account isn't one that this key may act for."""
    return ApiError(
        f"The provided key does not have access to account '{account}' (or that account does not exist). "
        "Application access may have been revoked.",
        status=403,
        code="account_invalid",
        checked=False,
    )


@contextmanager
def inside(where: str) -> Iterator[None]:
    """Name the parameter of a refusal by the place that it was given in: `amount` is `lines[0][amount]`
    there."""
    try:
        yield
    except ApiError as refusal:
        if refusal.param:
            head, bracket, rest = refusal.param.partition("[")
            within = f"{where}[{head}]{bracket}{rest}"
            if refusal.code == "parameter_missing":
                refusal.message = refusal.message.replace(refusal.param, within)
            refusal.param = within
        raise
