"""Write `operations.json.gz`: every v1 operation of Stripe as facts, read from the published `stripe` package.

Run `python -m stripe_magics.catalogue.generate` after that package was brought up to date.

- The package is only read, by `ast`; nothing of it is imported or run.
- Its service classes say which operations exist: they form a tree (`checkout` > `sessions` > `create`), and each of their methods
  holds the HTTP method, the path, the parameters' class and the type of the answer.
- Its parameter classes say names, types, choices, nesting and what is required. Their comments are looked at for one thing: whether
  an integer is an instant or an amount of money, which its type doesn't say. No sentence is kept.
- Its resource classes know the same endpoints under the names that Stripe's command line tool uses: further names.
- Structures that recur (an address) are stored once and named by number: see `encode` for the codes of types.
"""

from __future__ import annotations

import ast
import gzip
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("generated") / "operations.json.gz"
HTTP_METHODS = {"get", "post", "delete"}
RANGE = {"gt", "gte", "lt", "lte"}

# What the package names otherwise than Stripe's command line tool does, or than the documented modules do.
RENAMED = {
    "customers.cash_balance_transactions": "customer_cash_balance_transactions",
    "customers.balance_transactions": "customer_balance_transactions",
    "customers.cash_balance": "cash_balances",
    "customers.payment_sources": "payment_sources",
    "accounts.capabilities": "capabilities",
    "accounts.external_accounts": "external_accounts",
    "accounts.login_links": "login_links",
    "accounts.persons": "persons",
    "application_fees.refunds": "fee_refunds",
    "transfers.reversals": "transfer_reversals",
    "credit_notes.line_items": "credit_note_line_items",
    "invoices.line_items": "invoice_line_items",
    "products.features": "product_features",
    "billing.meters.event_summaries": "billing.meter_event_summaries",
}
NESTED = {
    "customers.tax_ids"
}  # keep their own name, though the resource above has methods for them (`customers.create_tax_id`)
ALSO = {  # resources with a second name in the command line tool
    "invoice_items": "invoiceitems",
    "billing.credit_balance_summary": "billing.credit_balance_summaries",
    "sigma.scheduled_query_runs": "scheduled_query_runs",
    "treasury.transaction_entries": "treasury.transaction_entrys",
}
INSTANT = re.compile(r"timestamp|unix epoch|\bepoch\b|point in time", re.IGNORECASE)
INSTANT_NAME = re.compile(r"(_at|_date|^date|^created|^timestamp|^frozen_time|^start|^end|^trial_end)$")
NO_INSTANT = re.compile(r"(_days|days_|_count|_percent|_duration|_hours|_offset)")
MONEY = re.compile(r"\bcents?\b|smallest currency unit|minor unit|currency's smallest", re.IGNORECASE)
MONEY_NAME = re.compile(
    r"(^|_)amount$|^amount_(off|to_|tip|gte)|^(application_fee|atm_fee|unit_cost|smart_tip_threshold)$"
)


# --- reading the package


@cache
def root() -> Path:
    """The folder of the installed `stripe` package."""
    spec = find_spec("stripe")
    if spec is None or spec.origin is None:
        raise RuntimeError("The stripe package is not installed: pip install stripe")
    return Path(spec.origin).parent


@cache
def tree(module: str) -> ast.Module:
    """The syntax tree of `stripe._customer_service`."""
    return ast.parse(root().joinpath(*module.split(".")[1:]).with_suffix(".py").read_text(encoding="utf-8"))


@cache
def classes(module: str) -> dict[str, ast.ClassDef]:
    """The classes of a module by name."""
    return {node.name: node for node in tree(module).body if isinstance(node, ast.ClassDef)}


@cache
def imported(module: str) -> dict[str, tuple[str, str]]:
    """Where each imported name of a module comes from: `Session` -> (`stripe.checkout._session`, `Session`)."""
    found = {}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("stripe"):
            found.update({alias.asname or alias.name: (node.module, alias.name) for alias in node.names})
    return found


def api_version() -> str:
    """The API version that the package speaks, e.g. "2026-10-28.endive"."""
    for node in ast.walk(tree("stripe._api_version")):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "CURRENT":
            return str(ast.literal_eval(node.value))
    raise RuntimeError("The stripe package doesn't say its API version")


def subservices(module: str) -> dict[str, tuple[str, str]]:
    """The services below a service: attribute -> (module, class)."""
    for node in tree(module).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_subservices":
            return {name: (where[0], where[1]) for name, where in ast.literal_eval(node.value).items()}
    return {}


def services(module: str = "stripe._v1_services", name: str = "") -> Iterator[tuple[str, str, str]]:
    """Every v1 service: (dotted name, module, class)."""
    for attribute, (below, class_name) in subservices(module).items():
        dotted = f"{name}.{attribute}".lstrip(".")
        yield dotted, below, class_name
        yield from services(below, dotted)


def calls(function: ast.AST) -> Iterator[tuple[str, str]]:
    """(method, path) of each request that a function makes."""
    for node in ast.walk(function):
        if not (isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[0], ast.Constant)):
            continue
        where = node.args[1]
        if (
            isinstance(where, ast.Call)
            and isinstance(where.func, ast.Attribute)
            and where.func.attr == "format"
        ):
            where = where.func.value
        if (
            node.args[0].value in HTTP_METHODS
            and isinstance(where, ast.Constant)
            and str(where.value).startswith("/v1/")
        ):
            yield str(node.args[0].value).upper(), str(where.value)


# --- types of answers and of parameters


def object_name(module: str, annotation: str) -> str:
    """What an annotation means in Stripe's words: `ListObject[Customer]` -> `list[customer]`."""
    if listed := re.fullmatch(r"(?:ListObject|SearchResultObject)\[(.+)\]", annotation):
        return f"list[{object_name(module, listed[1])}]"
    where, name = imported(module).get(annotation, ("", ""))
    for node in classes(where)[name].body if where else ():
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "OBJECT_NAME" and node.value:
            return str(ast.literal_eval(node.value))
    return "any"


class Facts:
    """Choices and structures, each stored once."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.choices: list[list[str]] = []
        self.shapes: list[list[list[Any]]] = []

    @staticmethod
    def number(of: list[Any], value: Any) -> int:
        """The number of a value in its list; it is added if it is new."""
        if value not in of:
            of.append(value)
        return of.index(value)

    def shape(self, module: str, name: str) -> int:
        """The number of a parameters' class as a list of [name, code, required]."""
        return self.number(
            self.shapes, [self.entry(module, *each) for each in sorted(members(module, name), key=order)]
        )

    def entry(self, module: str, name: str, annotation: ast.expr, comment: str) -> list[Any]:
        """One parameter as [name, code, required]."""
        required = True
        if isinstance(annotation, ast.Subscript) and getattr(annotation.value, "id", "") == "NotRequired":
            required, annotation = False, annotation.slice
        codes = self.encode(module, annotation)
        codes = [integer(name, comment) if code == "i" else code for code in codes]
        if "r" in codes:  # a range, or one instant
            codes = ["R" if MONEY_NAME.search(name) else "r"]
        return [name, "|".join(codes) or "s", int(required)]

    def encode(self, module: str, node: ast.expr) -> list[str]:
        """The codes of a type, one for each member of a union.

        s text, i integer, t instant, a amount in minor units, b boolean, f number, d decimal, r range of instants, R range of numbers, F file;
        c3 one of the choices number 3, o5 a structure of the shape number 5, l before a code a list of it, m text by text,
        M a mapping of anything else.
        """
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self.encode(module, ast.parse(node.value, mode="eval").body)
        if isinstance(node, ast.BinOp):
            return merged([*self.encode(module, node.left), *self.encode(module, node.right)])
        if isinstance(node, ast.Name):
            if node.id in SIMPLE:
                return SIMPLE[node.id]
            shape = self.shape(module, node.id)
            return ["r"] if {each[0] for each in self.shapes[shape]} == RANGE else [f"o{shape}"]
        if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
            raise TypeError(f"{module}: can't read the type {ast.unparse(node)}")
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if node.value.id == "Literal":  # an empty choice only says that the value may be cleared
            values = [str(ast.literal_eval(each)) for each in parts]
            return [f"c{self.number(self.choices, values)}"] if any(values) else []
        if node.value.id in {"Union", "Optional"}:
            return merged([code for each in parts for code in self.encode(module, each)])
        if node.value.id == "List":
            return ["l" + "|".join(self.encode(module, parts[0]))]
        if node.value.id == "Dict":
            return ["m" if ast.unparse(parts[1]) == "str" else "M"]
        return []  # UntypedStripeObject: the same mapping in the package's own clothes


SIMPLE = {"str": ["s"], "int": ["i"], "bool": ["b"], "float": ["f"], "Decimal": ["d"], "Any": ["F"]}


def merged(codes: list[str]) -> list[str]:
    """The members of a union, each once; beside choices, text only says that there may be more of them one day."""
    unique = list(dict.fromkeys(codes))
    return [code for code in unique if code != "s" or not any(other[0] == "c" for other in unique)]


def members(module: str, name: str) -> Iterator[tuple[str, ast.expr, str]]:
    """The parameters of a class: (name, annotation, comment). Reserved words stand in a base written as a call."""
    node = classes(module)[name]
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id.startswith("_"):
            for other in tree(module).body:
                if isinstance(other, ast.Assign) and getattr(other.targets[0], "id", "") == base.id:
                    table = other.value.args[1] if isinstance(other.value, ast.Call) else None
                    if isinstance(table, ast.Dict):
                        yield from (
                            (ast.literal_eval(key), value, "")
                            for key, value in zip(table.keys, table.values, strict=True)
                            if key
                        )
    for each, after in zip(node.body, [*node.body[1:], ast.Pass()], strict=True):
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            says = (
                after.value.value
                if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                else ""
            )
            yield each.target.id, each.annotation, str(says)


def order(member: tuple[str, ast.expr, str]) -> tuple[bool, str]:
    """What is required comes first, then by name."""
    return ast.unparse(member[1]).startswith("NotRequired"), member[0]


def integer(name: str, comment: str) -> str:
    """Whether an integer is an instant (t), money (a) or a number (i)."""
    if not NO_INSTANT.search(name) and (INSTANT_NAME.search(name) or INSTANT.search(comment)):
        return "t"
    return "a" if MONEY_NAME.search(name) or MONEY.search(comment) else "i"


# --- operations and their names


def further_names() -> dict[tuple[str, str], list[str]]:
    """(method, path) -> the names under which the resource classes know it: `customers.list_payment_methods`."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in sorted(root().rglob("*.py")):
        relative = path.relative_to(root())
        if relative.parts[0] in {"v2", "params"} or "OBJECT_NAME" not in path.read_text(encoding="utf-8"):
            continue
        module = ".".join(["stripe", *relative.with_suffix("").parts])
        for node in classes(module).values():
            resource = next(
                (ast.literal_eval(each.value) + "s" for each in node.body
                 if isinstance(each, ast.AnnAssign) and getattr(each.target, "id", "") == "OBJECT_NAME" and each.value), ""
            )  # fmt: skip
            helpers = [
                each for each in node.body if isinstance(each, ast.ClassDef) and each.name == "TestHelpers"
            ]
            for prefix, holder in [
                (resource, node),
                *((f"{resource}.test_helpers", each) for each in helpers),
            ]:
                for each in holder.body:
                    if not isinstance(each, ast.FunctionDef) or not resource:
                        continue
                    action = re.sub(r"^modify(?=_|$)", "update", each.name.removeprefix("_cls_"))
                    for call in calls(each):
                        names = found.setdefault(call, [])
                        if f"{prefix}.{action}" not in names:
                            names.append(f"{prefix}.{action}")
    return found


def tool_name(service: str, action: str, known_as: list[str]) -> str:
    """The name in the command line tool: it knows most nested services as actions of the resource above them."""
    if service in RENAMED:
        return f"{RENAMED[service]}.{action}"
    above = service.rpartition(".")[0]
    if above and service not in NESTED:
        for each in known_as:
            if each.rpartition(".")[0] == above:
                return each
    return f"{service}.{action}"


def operations(facts: Facts) -> Iterator[list[Any]]:
    """Every operation: [name, method, path, returns, shape of its parameters or -1, aliases, host]."""
    aliases = further_names()
    for service, module, class_name in services():
        for node in classes(module)[class_name].body:
            if not isinstance(node, ast.FunctionDef) or node.name.endswith("_async"):
                continue
            for method, path in calls(node):
                shape = -1
                for argument in (*node.args.args, *node.args.posonlyargs):
                    if argument.arg == "params" and argument.annotation is not None:
                        requested = re.search(r"\w+Params\w*", ast.unparse(argument.annotation))
                        where, name = imported(module)[requested[0]] if requested else ("", "")
                        shape = facts.shape(where, name) if where else -1
                known_as = aliases.get((method, path), [])
                name = tool_name(service, node.name, known_as)
                also = [
                    f"{service}.{node.name}",
                    *([f"{ALSO[service]}.{node.name}"] if service in ALSO else []),
                    *known_as,
                ]
                returned = ast.unparse(node.returns).strip("'\"") if node.returns else "Any"
                host = "files" if "base_address='files'" in ast.unparse(node) else ""
                yield [
                    name,
                    method,
                    path,
                    object_name(module, returned),
                    shape,
                    [a for a in dict.fromkeys(also) if a != name],
                    host,
                ]


def generate() -> dict[str, Any]:
    """All facts as JSON-safe data. Aliases that are another operation's name, or several operations', are left out."""
    facts = Facts()
    rows = sorted(operations(facts))
    names = {row[0] for row in rows}
    claimed = [alias for row in rows for alias in row[5]]
    for row in rows:
        row[5] = [alias for alias in row[5] if alias not in names and claimed.count(alias) == 1]
    return {
        "version": api_version(),
        "package": version("stripe"),
        "choices": facts.choices,
        "shapes": facts.shapes,
        "operations": rows,
    }


def main() -> None:
    """Write the data file."""
    facts = generate()
    text = json.dumps(facts, separators=(",", ":")).encode()
    TARGET.write_bytes(gzip.compress(text, 9, mtime=0))
    print(f"{TARGET.name}: {len(facts['operations'])} operations, {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
