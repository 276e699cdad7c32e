"""The choices of the documented modules are those of the version that goes out: the declared ones are the
least that is offered.

Dead ones, that no version knows any more, are declared as such: they are not offered, and refused by name.
"""

from __future__ import annotations

from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.generated import facts
from stripe_magics.catalogue.module import Module

_SAME_CHOICES = {"payment_method_types": "payment_method_data[type]"}  # a list of texts to Stripe's types
_CHOICES = {Kind.CHOICE, Kind.MULTI_CHOICE}


def with_choices(module: Module, version: str) -> Module:
    """A documented module with the choices of an API version."""
    return module.replace(fields=tuple(_field(module, each, version) for each in module.fields))


def _field(module: Module, field: Field, version: str) -> Field:
    held = module.held(field.name)
    path, method = (held.path, held.method) if held else (module.path, module.method)
    operation = facts.data().endpoints.get((method, facts.anonymous(path)))
    if operation is None or field.role is not Role.PARAM:
        return field
    if field.kind is Kind.ROWS:
        columns = (
            _offered(operation, each, f"{field.param}[0][{each.param}]", version) for each in field.columns
        )
        return field.replace(columns=tuple(columns))
    return _offered(operation, field, field.param, version)


def _offered(operation: facts.ApiOperation, field: Field, param: str, version: str) -> Field:
    if field.kind not in _CHOICES:
        return field
    known = facts.choices(operation, _SAME_CHOICES.get(param, param), version)
    added = [value for value in known if value not in field.choices and value not in field.local_choices]
    return field.replace(choices=(*field.choices, *added)) if added else field
