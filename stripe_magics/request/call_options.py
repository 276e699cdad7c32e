"""The options of a call: its headers, its idempotency key; what only a write takes is refused on a read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stripe_magics._form_encoding import Pairs
from stripe_magics._options import Options
from stripe_magics.catalogue.field import Role
from stripe_magics.catalogue.module import Effect, Module
from stripe_magics.errors import Fault, InvalidValue
from stripe_magics.validation import urls_and_headers
from stripe_magics.validation.field_resolution import index_of


def call_headers(module: Module, values: Mapping[str, Any], options: Options) -> Pairs:
    """The headers that name the account, the context and the API version."""
    found: dict[str, str] = {}
    for role, name, option in (
        (Role.ACCOUNT, "Stripe-Account", options.stripe_account),
        (Role.VERSION, "Stripe-Version", options.stripe_version),
    ):
        declared = index_of(module).roles.get(role)
        value = str((values.get(declared.name) if declared else None) or option)
        if value:
            found[name] = _header(name.lower().replace("-", "_"), urls_and_headers.CHECKS[role], value)
    if options.stripe_context:
        found["Stripe-Context"] = _header("stripe_context", urls_and_headers.context, options.stripe_context)
    return tuple(found.items())


def refuse_on_reads(module: Module, values: Mapping[str, Any], options: Options) -> None:
    """What only a write takes: a read may be made as often as one likes."""
    if module.effect_of(values) is not Effect.READ:
        return
    own = index_of(module).roles.get(Role.IDEMPOTENCY_KEY)
    given = {"idempotency": options.idempotency, "again": options.again}
    if own is not None:
        given[own.name] = bool(values.get(own.name))
    faults = [
        Fault(
            name,
            name.replace("_", " ").capitalize(),
            f"has no effect: {module.name} only reads; leave it out",
        )
        for name, value in given.items()
        if value
    ]
    if faults:
        raise InvalidValue(faults, module=module.name)


def idempotency_key_of(module: Module, values: Mapping[str, Any], options: Options) -> str:
    """The key that is given, by the field or by the option; "" for none."""
    declared = index_of(module).roles.get(Role.IDEMPOTENCY_KEY)
    own = str((values.get(declared.name) if declared else None) or "")
    if own and options.idempotency and own != options.idempotency:
        raise invalid_option("idempotency_key", "two different idempotency keys are given; give one")
    key = own or options.idempotency
    return _header("idempotency", urls_and_headers.header_value, key) if key else ""


def _header(field: str, check: Callable[[str], object], value: str) -> str:
    try:
        return str(check(value))
    except ValueError as problem:
        raise invalid_option(field, str(problem)) from None


def invalid_option(field: str, problem: str) -> InvalidValue:
    """The error of one option."""
    return InvalidValue([Fault(field, field.replace("_", " ").capitalize(), problem)])
