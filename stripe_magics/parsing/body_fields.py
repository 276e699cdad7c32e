"""The body of a cell, given to the fields: flat names or Stripe's nesting, for one field or the other as it
fits."""

from __future__ import annotations

from stripe_magics._text import closest_matches
from stripe_magics.catalogue.field import Field, Role
from stripe_magics.catalogue.kinds import WRITTEN_AS, shape_of
from stripe_magics.errors import UnknownName, UsageFault
from stripe_magics.parsing import command_names, structured_values, yaml_body
from stripe_magics.parsing.call_builder import CallBuilder


def read_body(call: CallBuilder, cell: str) -> None:
    """Read a body: flat names or Stripe's nesting, for one field or the other as it fits."""
    if call.module.name == "api.call":
        _request_body(call, cell)
        return
    given = yaml_body.load(cell, call.namespace)
    if not isinstance(given, dict):
        raise UsageFault("The body must be `field: value` lines (YAML) or a JSON object.")
    for key, node in given.items():
        _top(call, key, node)


def _top(call: CallBuilder, key: str, node: object) -> None:
    name = key.replace("-", "_") if "[" not in key else key
    own = call.module.get(name) or call.module.by_param(name)
    if own is not None and fits(own, node):
        call.give(own.name, structured_values.read(own, node))
        return
    if name in {"expand", "limit", "columns"} and own is None:
        call.options[name] = structured_values.texts(node) if name != "limit" else node
        return
    param = command_names.bracketed(key)
    roots = {each.param.partition("[")[0] for each in call.module.fields if each.role is Role.PARAM}
    if param.partition("[")[0] not in roots and not command_names.takes(call.module, param):
        known = [each.name for each in call.module.fields] + sorted(roots)
        raise UnknownName(
            "field",
            key,
            closest_matches(name, dict.fromkeys(known)),
            advice=f"`%stripe {command_names.shown(call.module)} --help` shows its fields.",
        )
    _nested(call, param, node)


def _nested(call: CallBuilder, param: str, node: object) -> None:
    own = call.module.by_param(param)
    if own is not None and fits(own, node):
        call.give(own.name, structured_values.read(own, node))
    elif isinstance(node, dict):
        for key, each in node.items():
            _nested(call, f"{param}[{key}]", each)
        if not node:
            call.params.append((param, ""))
    elif isinstance(node, list):
        for at, each in enumerate(node):
            _nested(call, f"{param}[{at}]", each)
        if not node:
            call.params.append((param, ""))
    else:
        call.params.append((param, node))


def _request_body(call: CallBuilder, cell: str) -> None:
    """Make an API Call: the body is the request's own. JSON is kept as it is written, since v2 knows its
    types."""
    given = yaml_body.load(cell, call.namespace)
    if not isinstance(given, (dict, list)):
        raise UsageFault("The body must be `parameter: value` lines (YAML) or JSON.")
    if "url" not in call.values and isinstance(given, dict) and "url" in given:
        # `%%stripe api call`: its fields, as of any module
        for key, node in given.items():
            _top(call, key, node)
        return
    if call.values.get("method", "GET") in {"GET", "DELETE"} and str(
        call.values.get("url", "/v1")
    ).startswith(("/v1", "v1")):
        for key, node in given.items() if isinstance(given, dict) else ():
            _nested(call, key, node)
        return
    written = cell.strip()
    call.give(
        "body",
        written if written.startswith(("{", "[")) and "{{" not in written and "$" not in written else given,
    )


def fits(own: Field, node: object) -> bool:
    """Whether a body's node is a value of that field, not Stripe's nesting below it."""
    return not isinstance(node, (dict, list)) or isinstance(node, WRITTEN_AS.get(shape_of(own.kind), ()))
