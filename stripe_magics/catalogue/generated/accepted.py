"""What an endpoint accepts at an API version, for the one who plays Stripe: names, types, choices, what is
required, what can be cleared.

`accepted("POST", "/v1/customers", version)` is a mapping of names to kinds. A name ends in "!" where it is
required and in "?" where an empty text clears it. A kind is one of: "s" text ("s22": at most 22 characters),
"i" integer, "n" number, "b" boolean, "m" map of texts, "r" range, "*" anything, {"e": [...]} choice, {"a":
kind} array, {"o": {name: kind}} object, {"u": [kind, ...]} one of several.

The types don't say how long a text may be: the lengths that people meet stand in `MAX_LENGTHS`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from stripe_magics.catalogue.generated import facts
from stripe_magics.catalogue.generated.facts import CLEARS, REQUIRED
from stripe_magics.catalogue.versions import known_versions

MAX_LENGTHS = {  # by the resource and the parameter, then by the parameter alone
    ("customers", "name"): 256,
    ("customers", "phone"): 20,
    ("customers", "email"): 512,
    ("coupons", "name"): 40,
    ("payment_intents", "description"): 1000,
    ("invoices", "description"): 1500,
    ("balance_transactions", "description"): 350,
    ("charges", "description"): 40000,
    ("subscriptions", "description"): 500,
    ("promotion_codes", "code"): 500,
    ("tax_rates", "display_name"): 50,
    ("tax_rates", "jurisdiction"): 50,
    ("tax_rates", "state"): 2,
    ("shipping_rates", "display_name"): 100,
    ("prices", "lookup_key"): 200,
    ("", "statement_descriptor"): 22,
    ("", "statement_descriptor_kana"): 22,
    ("", "statement_descriptor_kanji"): 22,
    ("", "statement_descriptor_suffix"): 22,
    ("", "statement_descriptor_suffix_kana"): 22,
    ("", "statement_descriptor_suffix_kanji"): 17,
    ("", "statement_descriptor_prefix"): 10,
    ("", "statement_descriptor_prefix_kana"): 10,
    ("", "statement_descriptor_prefix_kanji"): 10,
    ("", "custom_fields[name]"): 40,
    ("", "custom_fields[value]"): 140,
    ("", "unit_label"): 12,
    ("", "client_reference_id"): 200,
    ("", "custom_message"): 500,
}

_LEAVES = {"s": "s", "i": "i", "t": "i", "a": "i", "b": "b", "f": "n", "d": "s", "r": "r", "R": "r", "m": "m",
    "M": "*", "F": "*"}  # fmt: skip

Kind = Any


def accepts(method: str, path: str, version: str) -> bool:
    """Whether a version has the endpoint: `accepted` gives a mapping, not None."""
    operation = facts.data().endpoints.get((method, facts.anonymous(path)))
    return operation is not None and facts.shape(operation, known_versions(version)[0]) is not None


@cache
def accepted(method: str, path: str, version: str) -> dict[str, Kind] | None:
    """What an endpoint (its path with or without the names of ids) accepts; None where the version doesn't
    have it.

    A version that lies between two that are described counts as the older one.
    """
    operation = facts.data().endpoints.get((method, facts.anonymous(path)))
    entries = facts.shape(operation, known_versions(version)[0]) if operation else None
    if operation is None or entries is None:
        return None
    return _names(entries, next(each for each in reversed(operation.path.split("/")) if "{" not in each), "")


def _names(entries: list[facts.Entry], resource: str, outer: str) -> dict[str, Kind]:
    return {
        name + ("!" if flags & REQUIRED else "?" if flags & CLEARS else ""): _kind(
            code, resource, outer, name
        )
        for name, code, flags in entries
    }


def _kind(code: str, resource: str, outer: str, name: str) -> Kind:
    if code[0] == "l":
        return {"a": _kind(code[1:], resource, outer, name)}
    kinds = [_one(each, resource, outer, name) for each in code.split("|")]
    objects = [each for each in kinds if isinstance(each, dict) and "o" in each]
    if len(objects) > 1:  # several shapes of one object: every name, required where all of them require it
        kinds = [
            *(each for each in kinds if each not in objects),
            {"o": _merged([each["o"] for each in objects])},
        ]
    return kinds[0] if len(kinds) == 1 else {"u": kinds}


def _one(code: str, resource: str, outer: str, name: str) -> Kind:
    if code[0] == "c":
        return {"e": facts.data().choices[int(code[1:])]}
    if code[0] == "o":
        return {"o": _names(facts.data().shapes[int(code[1:])], resource, name)}
    if code == "s":
        named = ((resource if not outer else "", name), ("", name), ("", f"{outer}[{name}]"))
        longest = next((MAX_LENGTHS[each] for each in named if each in MAX_LENGTHS), None)
        return f"s{longest}" if longest else "s"
    return _LEAVES[code]


def _merged(shapes: list[dict[str, Kind]]) -> dict[str, Kind]:
    result: dict[str, Kind] = {}
    for shape in shapes:
        for name, of in shape.items():
            always = all(name in other for other in shapes)
            known = next((each for each in result if each.rstrip("!?") == name.rstrip("!?")), None)
            if known is None:
                result[name if always or not name.endswith("!") else name[:-1]] = of
            elif isinstance(of, dict) and "e" in of and "e" in result[known]:
                result[known] = {"e": list(dict.fromkeys((*result[known]["e"], *of["e"])))}
    return result
