"""Every other v1 operation of Stripe as a module, made on demand from generated facts.

`operations.json.gz` (see `generate.py`) holds what Stripe's published package says: paths, parameters, types. Here it becomes Modules
with Fields like those that are declared by hand, one at a time when it is asked for:

- a nested parameter is a field of its own: `billing_details[address][line1]` is `billing_details_address_line1`;
- the kind is read from the type and, where the type says too little, from the name (`currency`, `email`, `return_url`);
- what a call does to the account is read from its HTTP method and its action;
- nothing about one operation stands here but in the tables.

`documented` is False: parameters that the facts don't know are passed on, for Stripe to judge.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.module import Effect, Module

DATA = Path(__file__).with_name("operations.json.gz")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Actions that move money or cannot be undone, whatever they act on. Any DELETE is one of them as well.
IRREVERSIBLE = _names(
    "accept apply_customer_balance approve attach_payment cancel capture close collect_payment_method confirm confirm_payment_intent "
    "create_from_calculation create_reversal decline delete_where detach disconnect expire finalize finalize_invoice finalize_quote "
    "increment_authorization mark_uncollectible migrate pay process_payment_intent process_setup_intent redact refund refund_payment "
    "reject release remove_lines report_payment report_payment_attempt report_refund resume reverse send_invoice submit uninstall "
    "verify_microdeposits void_credit_note void_grant void_invoice"
)
# Creations that move money or charge somebody at once.
MOVES_MONEY = _names(
    "charges credit_notes fee_refunds payouts refunds subscriptions topups transfers transfer_reversals climate.orders "
    "treasury.credit_reversals treasury.debit_reversals treasury.inbound_transfers treasury.outbound_payments "
    "treasury.outbound_transfers customer_balance_transactions"
)
CREATES = re.compile(r"^(create|add_|report_payment$)")
OBJECTS = {  # parameters that are ids: name -> the object they name
    each: each
    for each in _names(
        "charge coupon customer invoice mandate payment_intent payment_link payment_method payout plan price product "
        "promotion_code quote refund setup_intent shipping_rate subscription subscription_item tax_rate transfer"
    )
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
KINDS = {  # by code; the codes are explained at `generate.Facts.encode`
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


@dataclass(frozen=True, slots=True)
class Data:
    """The file as read, with its indices."""

    version: str
    choices: list[list[str]]
    shapes: list[list[list[Any]]]
    rows: dict[str, list[Any]]  # name -> [name, method, path, returns, shape, aliases, host]
    aliases: dict[str, str]
    objects: dict[str, str]  # "/v1/transfers/{}" -> "transfer"


@cache
def data() -> Data:
    """Read the file, once."""
    facts = json.loads(gzip.decompress(DATA.read_bytes()))
    rows = {row[0]: row for row in facts["operations"]}
    return Data(
        version=facts["version"],
        choices=facts["choices"],
        shapes=facts["shapes"],
        rows=rows,
        aliases={alias: name for name, row in rows.items() for alias in row[5]},
        objects={
            anonymous(row[2]): row[3] for row in rows.values() if row[1] == "GET" and row[2].endswith("}")
        },
    )


def anonymous(path: str) -> str:
    """A path without the names of its ids, to compare paths by: `/v1/customers/{}`."""
    return re.sub(r"\{\w+\}", "{}", path)


def operation_names() -> list[str]:
    """The names of all generated operations, in alphabetical order; aliases are left out."""
    return list(data().rows)


def endpoints() -> dict[str, tuple[str, str]]:
    """Name -> (HTTP method, path without the names of its ids): what shows that two modules are the same endpoint."""
    return {name: (row[1], anonymous(row[2])) for name, row in data().rows.items()}


@cache
def operation(name: str) -> Module | None:
    """The operation of that name (or alias), e.g. "checkout.sessions.create", or None."""
    facts = data()
    row = facts.rows.get(facts.aliases.get(name, name))
    if row is None:
        return None
    own, method, path, returns, shape, aliases, _ = row
    path, ids = path_fields(path)
    entries = facts.shapes[shape] if shape >= 0 else []
    fields = (*ids, *with_currencies(distinct(ids, members(entries, needed=True))))
    return Module(
        name=own,
        title=title(own),
        method=method,
        path=path,
        returns=returns,
        effect=effect(own, method),
        effects=(("confirm", "true", Effect.IRREVERSIBLE),)
        if "confirm" in {each.name for each in fields}
        else (),
        fields=fields,
        aliases=tuple(aliases),
        documented=False,
        version=facts.version,
        files=any(code == "F" for _, code, _ in entries),
    )


def title(name: str) -> str:
    """`checkout.sessions.create` -> `Checkout sessions: Create`."""
    resource, _, action = name.rpartition(".")
    return f"{words(resource)}: {words(action)}"


def words(name: str) -> str:
    """A name as a label: `line1` -> `Line 1`, `unit_amount` -> `Unit amount`."""
    text = re.sub(r"(?<=[a-z])(?=\d+$)", " ", name.replace(".", " ").replace("_", " "))
    return text[:1].upper() + text[1:]


def effect(name: str, method: str) -> Effect:
    """What an operation does to the account. Test helpers act on test objects only: nothing of theirs is beyond repair."""
    resource, _, action = name.rpartition(".")
    if method == "GET":
        return Effect.READ
    creates = bool(CREATES.match(action))
    if not name.startswith("test_helpers.") and (
        method == "DELETE" or action in IRREVERSIBLE or (creates and resource in MOVES_MONEY)
    ):
        return Effect.IRREVERSIBLE
    return Effect.CREATE if creates else Effect.UPDATE


# --- fields


def path_fields(path: str) -> tuple[str, tuple[Field, ...]]:
    """The path with readable names for its ids, and their fields."""
    fields: list[Field] = []
    done = ""
    for part in path.split("/")[1:]:
        done = f"{done}/{part}"
        if part.startswith("{"):
            named = data().objects.get(anonymous(done), "").removeprefix("list[").removesuffix("]")
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


def members(
    entries: Iterable[list[Any]], outer: str = "", prefix: str = "", *, needed: bool
) -> Iterator[Field]:
    """The fields of a structure. What is required inside an optional structure is Stripe's to ask for."""
    for name, code, required in entries:
        param = f"{outer}[{name}]" if outer else name
        if not outer and name == "expand":  # an option of every call, not a field
            continue
        codes = code.split("|") if not code.startswith("l") else [code]
        plain = [each for each in codes if each[0] != "o"]
        common = {
            "name": f"{prefix}{name}",
            "label": words(name),
            "param": param,
            "required": bool(required) and needed,
        }
        if outer:
            group = outer.partition("[")[0]
            common |= {"group": words(group), "label": words(f"{prefix}{name}".removeprefix(f"{group}_"))}
        if plain:
            yield from simple(name, plain, common)
        for each in codes:
            if each[0] == "o":
                inside = needed and bool(required) and not plain
                yield from members(data().shapes[int(each[1:])], param, f"{prefix}{name}_", needed=inside)


def simple(name: str, codes: list[str], common: dict[str, Any]) -> Iterator[Field]:
    """The field of a parameter that is not (only) a structure; a range has further fields for its bounds."""
    chosen = tuple(value for code in codes if code[0] == "c" for value in data().choices[int(code[1:])])
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
    """A list: of choices, of texts, of flat structures (rows); anything deeper is JSON, its columns the parameters inside one item."""
    if code[0] == "c":
        return Field(**common, kind=Kind.MULTI_CHOICE, choices=tuple(data().choices[int(code[1:])]))
    if code[0] != "o":
        return Field(**common, kind=Kind.TEXT_LIST)
    entries = data().shapes[int(code[1:])]
    if any(part[0] in "olmMrRF" for _, each, _ in entries for part in each.split("|")):
        inside = with_currencies(distinct((), members(entries, needed=False)))
        return Field(**common, kind=Kind.JSON, columns=inside)
    columns = tuple(
        field
        for name, each, required in entries
        for field in simple(
            name,
            each.split("|"),
            {"name": name, "label": words(name), "param": name, "required": bool(required)},
        )
    )
    return Field(**common, kind=Kind.ROWS, columns=with_currencies(columns))


def distinct(before: Iterable[Field], fields: Iterable[Field]) -> Iterator[Field]:
    """Each field under a name of its own: where joining made two alike, the later one says its depth (`card__network`)."""
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
