"""Write stripe_magics/frames/schemas.json: the fields of each Stripe object and their kinds, nothing else.

    python tests/frames/generate_schemas.py OPENAPI.json

Read from Stripe's published OpenAPI description (MIT licence); only names, types and choices are taken. A leaf is a kind (see
`stripe_magics/frames/schema.py`) or the list of an enum's values; "?" marks a number that may be null; an object is a mapping; "@" in it
says that its own id is the column of its name.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[2] / "stripe_magics" / "frames" / "schemas.json"
MASKED = {
    "client_secret": "secret",
    "webhook_endpoint.secret": "secret",
    "ephemeral_key.secret": "secret",
    "terminal.connection_token.secret": "secret",
    "apps.secret.payload": "secret",
    "login_link.url": "secret",
    "account_link.url": "secret",
    "billing_portal.session.url": "secret",
    "identity.verification_session.url": "secret",
    "issuing.card.number": "secret",
    "issuing.card.cvc": "secret",
}
KEPT_METHODS = {"card"}  # other payment methods' details become columns when an account has them


def main(path: str) -> None:
    document = json.loads(Path(path).read_text())
    schemas = document["components"]["schemas"]
    methods = set(schemas["payment_method"]["properties"]["type"]["enum"]) | {
        "ach_credit_transfer",
        "ach_debit",
        "sofort",
        "multibanco",
        "wechat",
        "bitcoin",
    }
    resources = {
        name: schema
        for name, schema in schemas.items()
        if "properties" in schema
        and schema["properties"].get("object", {}).get("enum")
        and not name.startswith("deleted_")
    }
    facts = {
        schema["properties"]["object"]["enum"][0]: Walk(schemas, methods, name).tree(schema, 0, (name,))
        for name, schema in sorted(resources.items())
    }
    OUT.write_text(json.dumps(facts, separators=(",", ":"), sort_keys=False) + "\n")
    print(f"{len(facts)} objects, {OUT.stat().st_size / 1024:.0f} KiB")


class Walk:
    """One object type's tree. A class only to carry the two look-ups and the root's name."""

    def __init__(self, schemas: dict[str, Any], methods: set[str], root: str) -> None:
        self.schemas, self.methods, self.root = schemas, methods, root

    def tree(self, schema: dict[str, Any], depth: int, seen: tuple[str, ...]) -> dict[str, Any]:
        required = set(schema.get("required", ()))
        out: dict[str, Any] = {}
        for name, prop in schema.get("properties", {}).items():
            if name == "object" and depth and prop.get("type") == "string":
                continue
            if name in self.methods and name not in KEPT_METHODS:
                continue
            if "next_action" in seen[-1] and "$ref" in json.dumps(prop) and name != "redirect_to_url":
                continue  # one of two dozen, by its type
            kind = self.kind(name, prop, depth, seen)
            if kind == "int" and (name not in required or prop.get("nullable") or depth):
                kind += "?"
            out[name] = kind
        return out

    def resource(self, option: dict[str, Any]) -> bool:
        properties = (
            self.schemas[option["$ref"].rpartition("/")[2]].get("properties", {}) if "$ref" in option else {}
        )
        return "id" in properties and "object" in properties

    def kind(self, name: str, prop: dict[str, Any], depth: int, seen: tuple[str, ...]) -> Any:
        masked = MASKED.get(name) or MASKED.get(f"{seen[-1]}.{name}")
        if masked:
            return masked
        if name == "payment_method_options":
            return "map"  # a choice of settings by method, rarely looked at
        options = [each for each in prop.get("anyOf", [prop]) if each.get("enum") != [""]]
        if len(options) > 1:
            if all(each.get("type") == "string" for each in options):
                return "text"
            if any(each.get("type") == "string" for each in options) or all(
                self.resource(each) for each in options
            ):
                return "ref"
        option = options[0]
        if "$ref" in option:
            target = option["$ref"].rpartition("/")[2]
            schema = self.schemas[target]
            resource = self.resource(option)
            if "properties" not in schema or target in seen or depth >= 4 or (resource and depth):
                return "map"  # a whole object deep inside another stays a dict
            inner = self.tree(schema, depth + 1, (*seen, target))
            if not inner:
                return "map"
            return (
                {"@": "id", **{key: value for key, value in inner.items() if key != "id"}}
                if resource
                else inner
            )
        kind = option.get("type")
        if kind == "object":
            if option.get("properties", {}).get("object", {}).get("enum") == ["list"]:
                return "sublist"
            if "properties" in option:
                return self.tree(option, depth + 1, (*seen, f"{seen[-1]}.{name}"))
            return "map"
        if kind == "array":
            return "list"
        if kind == "integer":
            return "time" if option.get("format") == "unix-time" or name == "created" else "int"
        if kind == "string" and name.endswith("currency"):
            return "currency"
        if kind == "string" and option.get("enum"):
            return option["enum"] if name != "object" else "text"
        return {"string": "text", "boolean": "bool", "number": "number"}.get(kind or "", "map")


if __name__ == "__main__":
    main(sys.argv[1])
