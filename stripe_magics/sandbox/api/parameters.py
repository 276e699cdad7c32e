"""Nested text -> typed parameters, by what each path takes at the version of the call (the catalogue's
generated facts).

- a name that the path doesn't take, a required one left out, a number that is none, a choice that isn't
  offered: refused, with the parameter in brackets (`shipping[name]`);
- an empty text means "clear this": it becomes None where that is allowed;
- booleans and integers arrive as text and leave as such values.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.catalogue.generated.accepted import accepted, accepts
from stripe_magics.sandbox.api.errors import invalid_before_execution, missing_param
from stripe_magics.sandbox.api.limits import limited

Kind = Any
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{1,300})?")


_PLACE = re.compile(r"[0-9]{1,9}")


def has_shape(path: str, version: str) -> bool:
    """Whether a version has the path: what `shape` would answer, without making it."""
    method, _, where = _SAME_AS.get(path, path).partition(" ")
    return accepts(method, where, version)


@cache
def shape(path: str, version: str = PINNED_VERSION) -> dict[str, tuple[Kind, bool, bool]] | None:
    """Of "POST /v1/customers": name -> (kind, required, an empty text clears it); None for a path that the
    version doesn't have."""
    method, _, where = _SAME_AS.get(path, path).partition(" ")
    found = accepted(method, where, version)
    if found is None:
        return None
    named = _IN_THE_PATH.get(path, ())
    names = _names(
        _with_extras(path, {name: of for name, of in found.items() if name.rstrip("!?") not in named})
    )
    return limited(path, names)


def _with_extras(path: str, found: dict[str, Kind]) -> dict[str, Kind]:
    """What is taken beyond the published types, and what these leave open."""
    for resource, option in _BY_CURRENCY.items():
        if resource in path:
            found = _with_options(found, {"d": {"o": option}})
    if "/webhook_endpoints" in path:  # judged where endpoints are made
        return {name: _WEBHOOK.get(name.rstrip("!?"), of) for name, of in found.items()}
    if "/payment_intents" in path and "payment_method_data" in found:
        data = found["payment_method_data"]["o"]
        card = (accepted("POST", "/v1/payment_methods", PINNED_VERSION) or {})["card"]
        kinds = {"e": [*data["type!"]["e"], "card"]}
        return {**found, "payment_method_data": {"o": {**data, "type!": kinds, "card": card}}}
    return _with_older(path, found)


_BY_CURRENCY: dict[str, dict[str, Kind]] = {
    "/coupons": {"amount_off!": "i"}, "/promotion_codes": {"minimum_amount": "i"},
}  # fmt: skip
"""Resource -> what its `currency_options` say of each currency; prices check theirs by themselves."""


def _with_options(found: dict[str, Kind], option: Kind) -> dict[str, Kind]:
    result = {}
    for name, of in found.items():
        inner = isinstance(of, dict) and "o" in of
        result[name] = (
            option if name == "currency_options" else {"o": _with_options(of["o"], option)} if inner else of
        )
    return result


def _with_older(path: str, found: dict[str, Kind]) -> dict[str, Kind]:
    """What the older API took on subscriptions, and Stripe still does."""
    older = _OLDER.get(re.sub(r"\{\w+\}$", "", path))
    if older is None:
        return found
    result = {**older, **found}
    items = result.get("items")
    if items is not None:
        result["items"] = {"a": {"o": {"plan": "s", **items["a"]["o"]}}}
    return result


_OLDER_SUBSCRIPTION = {
    "coupon?": "s", "off_session": "b", "plan": "s", "promotion_code?": "s", "quantity": "i",
    "trial_from_plan": "b",
}  # fmt: skip
_OLDER: dict[str, dict[str, Kind]] = {
    "POST /v1/subscriptions": _OLDER_SUBSCRIPTION,
    "POST /v1/subscriptions/": _OLDER_SUBSCRIPTION,
    "POST /v1/subscription_items": {"plan": "s"},
    "POST /v1/subscription_items/": {"plan": "s"},
}
_SAME_AS = {  # paths that Stripe serves beside the published ones
    "GET /v1/balance/history": "GET /v1/balance_transactions",
    "GET /v1/charges/{charge}/refunds": "GET /v1/refunds",
    "GET /v1/charges/{charge}/refunds/{refund}": "GET /v1/refunds/{refund}",
    "POST /v1/charges/{charge}/refunds": "POST /v1/refunds",
    "POST /v1/charges/{charge}/refunds/{refund}": "POST /v1/refunds/{refund}",
    "GET /v1/customers/{customer}/discount": "GET /v1/customers/{customer}",
    "GET /v1/customers/{customer}/subscriptions": "GET /v1/subscriptions",
}
_IN_THE_PATH = {
    "GET /v1/charges/{charge}/refunds": ("charge", "payment_intent"),
    "POST /v1/charges/{charge}/refunds": ("charge", "payment_intent"),
    "GET /v1/customers/{customer}/subscriptions": ("customer",),
}
"""What those don't take, since their path says it."""
_WEBHOOK: dict[str, Kind] = {"enabled_events": {"a": "s"}, "api_version": "s"}


def _names(given: dict[str, Kind]) -> dict[str, tuple[Kind, bool, bool]]:
    return {
        name.rstrip("!?"): (_open(of), name.endswith("!"), name.endswith("?")) for name, of in given.items()
    }


def own_shape(given: dict[str, Kind]) -> dict[str, tuple[Kind, bool, bool]]:
    """A shape written by hand, in the table's notation."""
    return _names(given)


def _open(of: Kind) -> Kind:
    """The kind with the names of objects unfolded."""
    if isinstance(of, str):
        return of
    if "o" in of:
        return ("object", _names(of["o"]))
    if "a" in of:
        return ("array", _open(of["a"]))
    if "d" in of:
        return ("named", _open(of["d"]))
    if "e" in of:
        return ("choice", tuple(of["e"]))
    return ("one of", tuple(_open(each) for each in of["u"]))


def grafted(
    names: dict[str, tuple[Kind, bool, bool]],
    newer: dict[str, tuple[Kind, bool, bool]],
    paths: tuple[str, ...],
) -> dict[str, tuple[Kind, bool, bool]]:
    """A shape with some parameters (`phases[duration]`) that a newer one has."""
    for path in paths:
        names = _graft(names, newer, re.findall(r"\w+", path))
    return names


def _graft(names: dict[str, Any], newer: dict[str, Any], path: list[str]) -> dict[str, Any]:
    head, *rest = path
    if not rest:
        return {**names, head: newer[head]}
    return {**names, head: (_graft_kind(names[head][0], newer[head][0], rest), *names[head][1:])}


def _graft_kind(kind: Kind, newer: Kind, path: list[str]) -> Kind:
    """In a list, in each of its objects."""
    if kind[0] == "array":
        return ("array", _graft_kind(kind[1], newer[1], path), *kind[2:])
    return ("object", _graft(kind[1], newer[1], path))


class _Given(dict[str, Any]):
    """What was given. A parameter that a handler can't do without and the table has as optional is missed as
    a required one is."""

    prefix = ""

    def __missing__(self, name: str) -> Any:
        raise missing_param(_bracket(self.prefix, name))


def typed(
    given: dict[str, Any], names: dict[str, tuple[Kind, bool, bool]], prefix: str = ""
) -> dict[str, Any]:
    """The parameters with their types. Raises a refusal for the first fault, unknown names first."""
    unknown = [_bracket(prefix, name) for name in given if name not in names]
    if unknown:
        several = "s" if len(unknown) > 1 else ""
        raise invalid_before_execution(
            f"Received unknown parameter{several}: {', '.join(unknown)}",
            param=unknown[0],
            code="parameter_unknown",
        )
    result = _Given()
    result.prefix = prefix
    for name, (of, required, clears) in [each for each in names.items() if each[0] in given or each[1][1]]:
        where = _bracket(prefix, name)
        if name not in given:
            raise missing_param(where)
        value = given[name]
        if value == "" and (of != "m" or required):
            textual = isinstance(of, str) and of[0] == "s"
            if required or not (clears or textual or of[0] == "array"):
                raise invalid_before_execution(
                    f"You passed an empty string for '{where}'. An empty value would unset the parameter, but"
                    f" '{where}' can't be unset: leave it out or give it a value.",
                    param=where,
                    code="parameter_invalid_empty",
                )
            result[name] = None
            continue
        result[name] = value_of(value, of, where)
    return result


def value_of(value: Any, of: Kind, where: str) -> Any:
    """One value by its kind."""
    if isinstance(of, tuple):
        found = _COMPOUND[of[0]](value, of[1], where)
        if len(of) > 2 and len(found) > of[2]:
            raise invalid_before_execution(
                f"Invalid array: {where} takes at most {of[2]} elements; {len(found)} were given", param=where
            )
        return found
    if of == "m":
        return _map(value, where)
    if of == "*":
        if where.endswith("currency_options"):
            return _named(value, "*", where)
        return value
    if of == "r":
        return _range(value, where)
    if not isinstance(value, str):
        raise invalid_before_execution(
            f"Invalid {_WORDS[of[0]]}: {where} takes one value, not several", param=where
        )
    return _SCALAR[of[0]](value, of, where)


def _named(value: Any, of: Kind, where: str) -> dict[str, Any]:
    """Objects by names of the caller's own: currencies."""
    if not isinstance(value, dict):
        raise invalid_before_execution(
            f"Invalid object: {where} takes named objects, as in {where}[eur][...]=...", param=where
        )
    return {name: value_of(each, of, f"{where}[{name}]") for name, each in value.items()}


def _bracket(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _text(value: str, of: str, where: str) -> str:
    longest = int(of[1:] or 5000)
    if len(value) > longest:
        raise invalid_before_execution(
            f"Invalid string: {value[:20]}...; must be at most {longest} characters", param=where
        )
    return value


def _integer(value: str, _of: str, where: str) -> int:
    if not _INTEGER.fullmatch(value):
        raise invalid_before_execution(
            f"Invalid integer: {value}", param=where, code="parameter_invalid_integer"
        )
    return int(value)


def _number(value: str, _of: str, where: str) -> int | float:
    if not _NUMBER.fullmatch(value):
        raise invalid_before_execution(f"Invalid decimal: {value}", param=where)
    number = float(value)
    return int(number) if number.is_integer() else number


_BOOLEANS = {"true": True, "false": False, "True": True, "False": False}
"""As texts; older releases of the official Python package write them as Python does where a call reads."""


def _boolean(value: str, _of: str, where: str) -> bool:
    if value not in _BOOLEANS:
        raise invalid_before_execution(f"Invalid boolean: {value}", param=where)
    return _BOOLEANS[value]


def _choice(value: Any, of: tuple[str, ...], where: str) -> str:
    if not isinstance(value, str) or value not in of:
        shown = ", ".join(of[:-1]) + (" or " if len(of) > 1 else "") + of[-1]
        raise invalid_before_execution(f"Invalid {where}: must be one of {shown}", param=where)
    return value


def _array(value: Any, of: Kind, where: str) -> list[Any]:
    if isinstance(value, dict) and all(map(_PLACE.fullmatch, value)):
        value = in_order(value)
    if not isinstance(value, list):
        raise invalid_before_execution(
            f"Invalid array: {where} takes a list, as in {where}[]=...", param=where
        )
    return [value_of(each, of, f"{where}[{place}]") for place, each in enumerate(value) if each != ""]


def in_order(given: dict[str, Any]) -> list[Any]:
    """What stands at numbered places."""
    return [given[key] for key in sorted(given, key=int)]


def _object(value: Any, of: dict[str, tuple[Kind, bool, bool]], where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid_before_execution(
            f"Invalid object: {where} takes named values, as in {where}[name]=...", param=where
        )
    return typed(value, of, where)


def _one_of(value: Any, of: tuple[Kind, ...], where: str) -> Any:
    structured = not isinstance(value, str)
    fitting = [
        each for each in of if (isinstance(each, tuple) and each[0] in {"object", "array"}) == structured
    ]
    if not fitting:
        raise invalid_before_execution(f"Invalid {where}", param=where)
    for each in fitting[:-1]:
        if isinstance(each, tuple) and each[0] == "choice" and value not in each[1]:
            continue
        if each == "i" and not _INTEGER.fullmatch(value):
            continue
        if each == "b" and value not in _BOOLEANS:
            continue
        return value_of(value, each, where)
    return value_of(value, fitting[-1], where)


def _range(value: Any, where: str) -> int | dict[str, int]:
    if isinstance(value, dict):
        unknown = [name for name in value if name not in {"gt", "gte", "lt", "lte"}]
        if unknown or not value:
            name = _bracket(where, (unknown or [""])[0])
            raise invalid_before_execution(
                f"Received unknown parameter: {name}", param=name, code="parameter_unknown"
            )
        return {name: _integer(str(each), "i", _bracket(where, name)) for name, each in value.items()}
    return _integer(str(value), "i", where)


def _map(value: Any, where: str) -> dict[str, str] | None:
    """Metadata: at most 50 names of 40 characters without brackets, values of 500; None clears all."""
    if value == "":
        return None
    if not isinstance(value, dict):
        raise invalid_before_execution(
            f"Invalid hash: {where} takes named values, as in {where}[name]=...", param=where
        )
    for name, each in value.items():
        if not isinstance(each, str):
            raise invalid_before_execution(f"Invalid {where}: values are texts", param=_bracket(where, name))
        if len(name) > 40:
            raise invalid_before_execution(
                f"Metadata names take at most 40 characters: '{name}' has {len(name)}", param=where
            )
        if len(each) > 500:
            raise invalid_before_execution(
                f"Metadata values take at most 500 characters: that of '{name}' has {len(each)}", param=where
            )
    if sum(1 for each in value.values() if each) > 50:
        raise invalid_before_execution(
            f"Metadata takes at most 50 names; {len(value)} were given", param=where
        )
    return value


_WORDS = {"s": "string", "i": "integer", "n": "decimal", "b": "boolean"}
_SCALAR = {"s": _text, "i": _integer, "n": _number, "b": _boolean}
_COMPOUND: dict[str, Any] = {
    "object": _object,
    "array": _array,
    "choice": _choice,
    "one of": _one_of,
    "named": _named,
}
