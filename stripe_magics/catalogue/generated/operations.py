"""Every other v1 operation of Stripe as a module, made on demand from generated facts.

`facts` holds what Stripe's published packages say: paths, parameters, types, by version. Here they become
Modules with Fields like those that are declared by hand, one at a time when it is asked for:

- a nested parameter is a field of its own: `billing_details[address][line1]` is
  `billing_details_address_line1`;
- the kind is read from the type and, where the type says too little, from the name (`currency`, `email`,
  `return_url`);
- what a call does to the account is judged by its action (`effects`);
- nothing about one operation stands here but in the tables.

`documented` is False: parameters that the facts don't know are passed on, for Stripe to judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.generated import facts
from stripe_magics.catalogue.generated.effects import effect
from stripe_magics.catalogue.generated.facts import REQUIRED, Entry, anonymous
from stripe_magics.catalogue.module import Effect, Module
from stripe_magics.catalogue.versions import PINNED_VERSION, known_versions

OBJECTS = {  # parameters that are ids: name -> the object they name
    each: each
    for each in [
        "charge",
        "coupon",
        "customer",
        "invoice",
        "mandate",
        "payment_intent",
        "payment_link",
        "payment_method",
        "payout",
        "plan",
        "price",
        "product",
        "promotion_code",
        "quote",
        "refund",
        "setup_intent",
        "shipping_rate",
        "subscription",
        "subscription_item",
        "tax_rate",
        "transfer",
    ]
} | {
    "default_payment_method": "payment_method",
    "test_clock": "test_helpers.test_clock",
    "latest_charge": "charge",
}
NAMED = (  # kinds that a text parameter's name tells
    (re.compile(r"(^|_)currency$"), Kind.CURRENCY),
    (re.compile(r"(^|_)country$"), Kind.COUNTRY),
    (re.compile(r"(^|_)email$"), Kind.EMAIL),
    (re.compile(r"^phone$"), Kind.PHONE),
    (re.compile(r"(^|_)(url|uri)$"), Kind.URL),
    (re.compile(r"^locale$"), Kind.LOCALE),
    (re.compile(r"(^|_)(description|explanation|footer|memo|message|note|comments?)$"), Kind.LONG_TEXT),
)
KINDS = {  # by code; the codes are explained in `facts`
    "i": Kind.INTEGER,
    "t": Kind.TIMESTAMP,
    "a": Kind.MINOR_AMOUNT,
    "b": Kind.BOOLEAN,
    "f": Kind.DECIMAL,
    "d": Kind.DECIMAL,
    "r": Kind.TIMESTAMP_FILTER,
    "R": Kind.INTEGER,
    "F": Kind.TEXT,
    "M": Kind.JSON,
}
BOUNDS = {"r": Kind.TIMESTAMP, "R": Kind.INTEGER}
PATH_NAMES = {"subscription_exposed_id": "subscription", "intent": "", "id": "id"}


REPLACED = {
    ("promotion_codes.create", "coupon"): "promotion[type]=coupon with promotion[coupon]",
    ("subscriptions.create", "coupon"): "discounts[0][coupon]",
    ("subscriptions.create", "promotion_code"): "discounts[0][promotion_code]",
    ("subscriptions.update", "coupon"): "discounts[0][coupon]",
    ("subscriptions.update", "promotion_code"): "discounts[0][promotion_code]",
    ("customers.create", "coupon"): "a discount of the subscription or invoice",
    ("customers.update", "coupon"): "a discount of the subscription or invoice",
    ("invoice_items.create", "price"): "pricing[price]",
    ("invoice_items.update", "price"): "pricing[price]",
    ("invoice_items.create", "unit_amount"): "unit_amount_decimal",
    ("invoice_items.update", "unit_amount"): "unit_amount_decimal",
}
"""What the newest version takes in place of a parameter that it no longer knows."""


def operation_names() -> list[str]:
    """The names of all generated operations, in alphabetical order; aliases are left out."""
    return list(facts.data().operations)


def endpoints() -> dict[str, tuple[str, str]]:
    """Name -> (HTTP method, path without the names of its ids): what shows that two modules are the same
    endpoint."""
    return {name: (row.method, anonymous(row.path)) for name, row in facts.data().operations.items()}


@cache
def operation(name: str, version: str = "") -> Module | None:
    """The operation of that name (or alias), e.g. "checkout.sessions.create", or None.

    It has the fields of all described versions: types, choices and what is required are those of `version`
    ("" is the pinned one, or the version that has the operation), and a field that this version doesn't know
    says so (`since`, `since_removed`).
    """
    known = facts.data()
    row = known.operations.get(known.aliases.get(name, name))
    if row is None:
        return None
    having = [each for each in known.versions if facts.shape(row, each) is not None]
    requested = version or PINNED_VERSION
    own = next((each for each in reversed(having) if each[:10] <= requested[:10]), having[0])
    path, ids = path_fields(row.path)
    fields = (*ids, *with_currencies(distinct(ids, _fields_of_all(row, own, having))))
    beside = known_versions(requested)
    if len(beside) > 1:  # between two: what both require
        needed = set(facts.required(row, requested))
        fields = tuple(
            each.replace(
                required=each.required and (each.param == "path" or each.param.partition("[")[0] in needed)
            )
            for each in fields
        )
    return Module(
        name=row.name,
        title=title(row.name),
        method=row.method,
        path=path,
        returns=row.returns,
        effect=effect(row.name, row.method),
        effects=(
            (("confirm", "true", Effect.IRREVERSIBLE),) if "confirm" in {each.name for each in fields} else ()
        ),
        fields=fields,
        aliases=row.aliases,
        documented=False,
        version=version or (own if len(having) < len(known.versions) and own not in beside else ""),
        files=any(code == "F" for _, code, _ in facts.shape(row, own) or ()),
    )


def _fields_of_all(row: facts.ApiOperation, own: str, having: list[str]) -> Iterator[Field]:
    """The fields of one version, then those that only another has."""
    known = {}
    for each in members(facts.shape(row, own) or [], needed=True):
        known[each.param] = each
        gone = [other for other in having if other > own and not facts.has_parameter(row, each.param, other)]
        if each.choices:
            others = {value for version in having for value in facts.choices(row, each.param, version)}
            each = each.replace(other_choices=tuple(sorted(others.difference(each.choices))))  # noqa: PLW2901
        yield _removed(row, each, gone[0]) if gone else each
    for other in having:
        for each in members(facts.shape(row, other) or [], needed=False):
            if each.param not in known:
                known[each.param] = each
                yield each.replace(since=other) if other > own else _removed(row, each, own)


def _removed(row: facts.ApiOperation, field: Field, version: str) -> Field:
    instead = REPLACED.get((row.name, field.param.partition("[")[0]), "")
    return field.replace(since_removed=version, replaced_by=instead)


def title(name: str) -> str:
    """`checkout.sessions.create` -> `Checkout sessions: Create`."""
    resource, _, action = name.rpartition(".")
    return f"{words(resource)}: {words(action)}"


def words(name: str) -> str:
    """A name as a label: `line1` -> `Line 1`, `unit_amount` -> `Unit amount`."""
    text = re.sub(r"(?<=[a-z])(?=\d+$)", " ", name.replace(".", " ").replace("_", " "))
    return text[:1].upper() + text[1:]


# --- fields


def path_fields(path: str) -> tuple[str, tuple[Field, ...]]:
    """The path with readable names for its ids, and their fields."""
    fields: list[Field] = []
    done = ""
    for part in path.split("/")[1:]:
        done = f"{done}/{part}"
        if part.startswith("{"):
            named = facts.data().objects.get(anonymous(done), "").removeprefix("list[").removesuffix("]")
            name = PATH_NAMES.get(part[1:-1], part[1:-1]) or named.rpartition(".")[2]
            done = done.removesuffix(part) + "{" + name + "}"
            fields.append(
                Field(
                    name=name,
                    label=words(name),
                    kind=Kind.OBJECT_ID,
                    param="path",
                    object=named,
                    required=True,
                )
            )
    return done, tuple(fields)


def members(entries: Iterable[Entry], outer: str = "", prefix: str = "", *, needed: bool) -> Iterator[Field]:
    """The fields of a structure. What is required inside an optional structure is Stripe's to ask for."""
    for name, code, flags in entries:
        param = f"{outer}[{name}]" if outer else name
        if not outer and name == "expand":  # an option of every call, not a field
            continue
        codes = code.split("|") if not code.startswith("l") else [code]
        plain = [each for each in codes if each[0] != "o"]
        common = {
            "name": f"{prefix}{name}",
            "label": words(name),
            "param": param,
            "required": bool(flags & REQUIRED) and needed,
        }
        if outer:
            group = outer.partition("[")[0]
            common |= {"group": words(group), "label": words(f"{prefix}{name}".removeprefix(f"{group}_"))}
        if plain:
            yield from simple(name, plain, common)
        for each in codes:
            if each[0] == "o":
                inside = needed and bool(flags & REQUIRED) and not plain
                yield from members(
                    facts.data().shapes[int(each[1:])], param, f"{prefix}{name}_", needed=inside
                )


def simple(name: str, codes: list[str], common: dict[str, Any]) -> Iterator[Field]:
    """The field of a parameter that is not (only) a structure; a range has further fields for its bounds."""
    chosen = tuple(value for code in codes if code[0] == "c" for value in facts.data().choices[int(code[1:])])
    code = codes[0] if len(codes) == 1 else ""
    if code == "i" and name == "limit" and common["param"] == name:
        yield Field(**common, kind=Kind.INTEGER, role=Role.LIMIT)
    elif code[:1] == "l":
        yield of_list(code[1:], common)
    elif code == "m":
        yield Field(**common, kind=Kind.METADATA if name == "metadata" else Kind.JSON)
    elif code == "s":
        yield Field(**common, **of_text(name))
    elif code[:1] == "c" or (not code and "b" in codes):  # "yes, no, or one of these" is a choice as well
        yield Field(**common, kind=Kind.CHOICE, choices=chosen if code else ("true", "false", *chosen))
    elif code in KINDS:
        yield Field(**common, kind=KINDS[code])
        if code in BOUNDS:
            for bound in ("gt", "gte", "lt", "lte"):
                changed = {
                    "name": f"{common['name']}_{bound}",
                    "param": f"{common['param']}[{bound}]",
                    "required": False,
                }
                yield Field(**common | changed | {"label": f"{common['label']} {bound}"}, kind=BOUNDS[code])
    else:  # an instant or a word such as "now": Stripe tells them apart
        instant = any(each == "t" for each in codes)
        yield Field(**common, kind=Kind.TIMESTAMP if instant else Kind.TEXT, choices=chosen)


def of_text(name: str) -> dict[str, Any]:
    """The kind of a text parameter, by its name."""
    if name in OBJECTS:
        return {"kind": Kind.OBJECT_ID, "object": OBJECTS[name]}
    return {"kind": next((kind for pattern, kind in NAMED if pattern.search(name)), Kind.TEXT)}


def of_list(code: str, common: dict[str, Any]) -> Field:
    """A list: of choices, of texts, of flat structures (rows); anything deeper is JSON, its columns the
    parameters inside one item."""
    if code[0] == "c":
        return Field(**common, kind=Kind.MULTI_CHOICE, choices=tuple(facts.data().choices[int(code[1:])]))
    if code[0] != "o":
        return Field(**common, kind=Kind.TEXT_LIST, items=KINDS.get(code))
    entries = facts.data().shapes[int(code[1:])]
    if any(part[0] in "olmMrRF" for _, each, _ in entries for part in each.split("|")):
        inside = with_currencies(distinct((), members(entries, needed=False)))
        return Field(**common, kind=Kind.JSON, columns=inside)
    columns = tuple(
        field
        for name, each, flags in entries
        for field in simple(
            name,
            each.split("|"),
            {"name": name, "label": words(name), "param": name, "required": bool(flags & REQUIRED)},
        )
    )
    return Field(**common, kind=Kind.ROWS, columns=with_currencies(columns))


def distinct(before: Iterable[Field], fields: Iterable[Field]) -> Iterator[Field]:
    """Each field under a name of its own: where joining made two alike, the later one says its depth
    (`card__network`)."""
    taken = {each.name for each in before}
    for each in fields:
        name = each.name
        if name in taken and "[" in each.param:
            name = each.param.replace("]", "").replace("[", "__")
        elif name in taken:
            name = f"{name}_param"
        if name in taken:
            continue  # a union of two structures that both have it
        taken.add(name)
        yield each if name == each.name else each.replace(name=name)


def with_currencies(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Amounts learn which field holds their currency: the nearest one, looking outwards."""
    fields = tuple(fields)
    by_param = {each.param: each.name for each in fields if each.kind is Kind.CURRENCY}

    def nearest(param: str) -> str:
        while param:
            param = param.rpartition("[")[0]
            if found := by_param.get(f"{param}[currency]" if param else "currency"):
                return found
        return ""

    return tuple(
        each.replace(currency=nearest(each.param)) if each.kind is Kind.MINOR_AMOUNT else each
        for each in fields
    )
