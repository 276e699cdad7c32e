"""What a module is: one thing to do with a Stripe account, with its fields.

A module is mostly one endpoint. Where Stripe serves it otherwise, its declaration says so and nothing else
needs to know:

- `variants`: another endpoint that takes the call under a condition (one invoice by id, a search);
- `splits`: a field that Stripe doesn't take, served by listing for each of several values;
- `follow_ups`: fields that the endpoint doesn't take, handed to a second call after (or before) it;
- `search`: fields that become an expression of Stripe's search language.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from stripe_magics.catalogue.field import Conditions, Field, Role


class Effect(StrEnum):
    """What a call does to the account."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    IRREVERSIBLE = "irreversible"  # moves money, or cannot be undone


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Another endpoint that serves the module. The first variant that fits is taken."""

    path: str  # may name any field of role PATH
    when: Conditions = ()  # switches, after what was left out has been inferred
    given: tuple[str, ...] = ()  # it is taken if one of these fields has a value
    absent: tuple[str, ...] = ()  # it is taken only if none of these has
    excludes: tuple[str, ...] = ()  # fields that cannot be given along with it
    list_of_one: bool = False  # the answer is one object, shown as a list of one
    # fields tested here on their `row` of each row, since this endpoint doesn't take them
    local: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A field that stands for several values of a Stripe parameter: one list each, merged newest first.

    Where a variant tests the field here, a row passes if its `param` is one of the values.
    """

    field: str
    param: str
    values: tuple[tuple[str, tuple[str, ...]], ...]  # (("true", ("draft", "open")), ...)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """A second call, made after the first went well, for fields that the first one's endpoint doesn't take.

    It is made only if one of `fields` is given. `path` and the values of `send` may name any path field or
    held field of the module in braces. The fields are sent under their own `param`, unless the path names
    them; with `each`, one call for each row of the (one) field, the row's columns being its parameters.
    `is_main_response`: its answer is the module's answer. `first`: it is made before the module's own call,
    which then follows.
    """

    path: str
    fields: tuple[str, ...]
    method: str = "POST"
    send: tuple[tuple[str, str], ...] = ()
    each: bool = False
    is_main_response: bool = False
    first: bool = False
    effect: Effect = Effect.UPDATE


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchExpression:
    """How fields become the expression of Stripe's search language that is sent as `param`.

    `expression` names the field whose text is the expression itself; without it, each field of `equals` gives
    a clause `property:"value"` and each row of the field `rows` (its columns `field`, `key`, `operator`,
    `value`) one by its operator:
    is `p:"v"`, is_not `-p:"v"`, contains `p~"v"`, before `p<T`, after `p>T`, on and between two of these. The
    field `match` joins all of them: "all" by AND, "any" by OR, never both, so that `on` and `between` don't
    go with "any". metadata is `metadata["key"]`.
    """

    expression: str
    param: str = "query"
    equals: tuple[tuple[str, str], ...] = ()  # (field, Stripe's property)
    rows: str = ""
    match: str = ""
    operators: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (property, the operators that it takes)
    most: int = 10  # clauses
    contains: int = 3  # characters that `contains` wants at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One thing to do with a Stripe account: `%stripe resource action`."""

    name: str  # "customers.create"
    title: str  # "Create a Customer"
    method: str
    path: str  # "/v1/customers/{customer}"
    returns: str  # "customer", "list[customer]", "any"
    effect: Effect
    fields: tuple[Field, ...] = ()
    aliases: tuple[str, ...] = ()  # other names, Stripe's own CLI's: "invoiceitems.create"
    help: str = ""  # one or two sentences on what it does and needs
    # (field, value, effect): a value that changes what the call does
    effects: tuple[tuple[str, str, Effect], ...] = ()
    variants: tuple[Variant, ...] = ()
    splits: tuple[Split, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    search: SearchExpression | None = None
    one_of: tuple[tuple[str, ...], ...] = ()  # of each of these sets of fields at most one may be given
    any_of: tuple[tuple[str, ...], ...] = ()  # of each of these sets of fields at least one must be given
    handler: str = ""  # the package that serves it in place of a request: "events", for a watch without a URL
    documented: bool = True  # False: from generated facts; unknown parameters are passed on
    version: str = ""  # the API version of the facts, for generated operations; "" is the pinned one
    files: bool = False  # takes a multipart upload
    _by_name: dict[str, Field] = field(
        init=False, repr=False, compare=False, hash=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        """Keep an index of the fields; two of one name are a mistake in the declaration."""
        for each in self.fields:
            if each.name in self._by_name:
                raise ValueError(f"{self.name}: {each.name} is declared twice")
            self._by_name[each.name] = each

    def replace(self, **changes: Any) -> Module:
        """The same module with some parts changed."""
        return dataclasses.replace(self, **changes)

    @property
    def resource(self) -> str:
        """What comes before the action: `customers`, `checkout.sessions`."""
        return self.name.rpartition(".")[0]

    @property
    def action(self) -> str:
        """The last part of the name: `create`."""
        return self.name.rpartition(".")[2]

    @property
    def lists(self) -> bool:
        """Whether the answer is a list (or a search) of objects."""
        return self.returns.startswith("list[")

    @property
    def object(self) -> str:
        """The type of object that comes back; "any" where only the answer tells."""
        return self.returns.removeprefix("list[").removesuffix("]")

    @property
    def path_fields(self) -> tuple[Field, ...]:
        """The positional fields, in the order of the path."""
        return tuple(each for each in self.fields if each.role in {Role.PATH, Role.URL})

    def get(self, name: str) -> Field | None:
        """The field of that name (underscores or hyphens), or None."""
        return self._by_name.get(name.replace("-", "_"))

    def by_role(self, role: Role) -> Field | None:
        """The first field with that role, or None."""
        return next((each for each in self.fields if each.role is role), None)

    def by_param(self, param: str) -> Field | None:
        """The field that is sent under Stripe's bracket parameter, or None."""
        sent = (Role.PARAM, Role.SEARCH)
        return next((each for each in self.fields if each.role in sent and each.param == param), None)

    def held(self, name: str) -> FollowUp | None:
        """The follow-up that takes the field in place of the module's own call, or None."""
        return next((each for each in self.follow_ups if name in each.fields), None)

    def effect_of(self, values: Mapping[str, Any]) -> Effect:
        """What the call does with these values (raw or typed, by field name): `confirm` makes a payment
        intent's creation move money."""
        given = {name: value for name, value in values.items() if value is not None}
        for name, value, effect in self.effects:
            default = self._by_name[name].default
            if _text(given.get(name, default)) == value.lower():
                return effect
        follows = [each.effect for each in self.follow_ups if any(name in given for name in each.fields)]
        return Effect.IRREVERSIBLE if Effect.IRREVERSIBLE in follows else self.effect


def _text(value: object) -> str:
    return str(value).strip().lower()
