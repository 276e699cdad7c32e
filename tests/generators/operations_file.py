"""Makes `catalogue/generated/operations.json.gz`: every operation of Stripe's API as facts, at each of the
released versions.

- A release's service classes say which operations exist: they form a tree (`checkout` > `sessions` >
  `create`), and each of their methods holds the HTTP method, the path, the parameters' class and the type of
  the answer.
- Its resource classes know the same endpoints under the names that Stripe's command line tool uses: further
  names.
- The releases are joined by endpoint. A row names one shape of its parameters for each version: a number, -1
  for none, null where that version doesn't have the operation. The newest release's names count; older ones
  stay as further names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from generators.package import Package, calls, constant
from generators.parameter_types import ParameterTypes
from generators.releases import RELEASES

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
# keep their own name, though the resource above has methods for them (`customers.create_tax_id`)
NESTED = {"customers.tax_ids"}
ALSO = {  # resources with a second name in the command line tool
    "invoice_items": "invoiceitems",
    "billing.credit_balance_summary": "billing.credit_balance_summaries",
    "sigma.scheduled_query_runs": "scheduled_query_runs",
    "treasury.transaction_entries": "treasury.transaction_entrys",
}


@dataclass
class Operation:
    """One endpoint, with what each release says of it."""

    name: str
    path: str
    returns: str
    host: str
    aliases: list[str]
    shapes: dict[str, int] = field(default_factory=dict)  # release -> shape


def operations(package: Package, types: ParameterTypes) -> Iterator[tuple[str, Operation]]:
    """Every operation of a release: (HTTP method, operation)."""
    aliases = further_names(package)
    for service, module, class_name in package.services():
        for node in package.classes(module)[class_name].body:
            if not isinstance(node, ast.FunctionDef) or node.name.endswith("_async"):
                continue
            for method, path in calls(node):
                known_as = aliases.get((method, path), [])
                name = tool_name(service, node.name, known_as)
                second = [f"{ALSO[service]}.{node.name}"] if service in ALSO else []
                also = dict.fromkeys([f"{service}.{node.name}", *second, *known_as])
                returned = ast.unparse(node.returns).strip("'\"") if node.returns else "Any"
                yield (
                    method,
                    Operation(
                        name=name,
                        path=path,
                        returns=package.object_name(module, returned),
                        host="files" if re.search(r"base_address=['\"]files", ast.unparse(node)) else "",
                        aliases=[each for each in also if each != name],
                        shapes={package.release: shape_of(package, types, module, node)},
                    ),
                )


def shape_of(package: Package, types: ParameterTypes, module: str, function: ast.FunctionDef) -> int:
    """The shape of a function's parameters, or -1."""
    for argument in (*function.args.args, *function.args.posonlyargs):
        if argument.arg == "params" and argument.annotation is not None:
            named = re.search(r"(\w+\.)?\w+Params\w*", ast.unparse(argument.annotation))
            if named is None:
                return -1
            if named[0] in package.classes(module):
                return types.shape(package, module, named[0])
            return types.shape(package, *package.imported(module)[named[0]])
    return -1


def further_names(package: Package) -> dict[tuple[str, str], list[str]]:
    """(method, path) -> the names under which the resource classes know it:
    `customers.list_payment_methods`."""
    found: dict[tuple[str, str], list[str]] = {}
    for module in package.modules():
        for name, node in package.classes(module).items():
            if "." in name or not (resource := constant(node, "OBJECT_NAME")):
                continue
            helpers = [each for each in node.body if getattr(each, "name", "") == "TestHelpers"]
            holders = [(f"{resource}s", node), *((f"{resource}s.test_helpers", each) for each in helpers)]
            for prefix, holder in holders:
                for each in holder.body:  # type: ignore[attr-defined]
                    if isinstance(each, ast.FunctionDef):
                        action = re.sub(r"^modify(?=_|$)", "update", each.name.removeprefix("_cls_"))
                        for call in calls(each):
                            names = found.setdefault(call, [])
                            if f"{prefix}.{action}" not in names:
                                names.append(f"{prefix}.{action}")
    return found


def tool_name(service: str, action: str, known_as: list[str]) -> str:
    """The name in the command line tool: it knows most nested services as actions of the resource above
    them."""
    if service in RENAMED:
        return f"{RENAMED[service]}.{action}"
    above = service.rpartition(".")[0]
    if above and service not in NESTED:
        for each in known_as:
            if each.rpartition(".")[0] == above:
                return each
    return f"{service}.{action}"


def joined(packages: dict[str, Package], types: ParameterTypes) -> dict[tuple[str, ...], Operation]:
    """The operations of all releases by endpoint; the newest release's words count."""
    found: dict[tuple[str, ...], Operation] = {}
    for release in reversed(RELEASES):
        for method, each in operations(packages[release], types):
            endpoint: tuple[str, ...] = (method, re.sub(r"\{\w+\}", "{}", each.path))
            if release in found.get(endpoint, each).shapes and endpoint in found:
                # two services have it: `payment_sources.delete`, `sources.detach`
                endpoint = (method, each.path, each.name)
            known = found.setdefault(endpoint, each)
            if known is not each:
                known.shapes |= each.shapes
                known.aliases += [
                    name for name in (each.name, *each.aliases) if name not in (known.name, *known.aliases)
                ]
    return found


def facts(packages: dict[str, Package]) -> dict[str, Any]:
    """All facts as JSON-safe data. Aliases that are another operation's name, or several operations', are
    left out."""
    types = ParameterTypes()
    found = joined(packages, types)
    names = [each.name for each in found.values()]
    doubles = {name for name in names if names.count(name) > 1}
    if doubles:
        raise ValueError(f"two endpoints have one name: {sorted(doubles)}")
    claimed = [alias for each in found.values() for alias in each.aliases]
    rows = [
        [
            each.name,
            method,
            each.path,
            each.returns,
            [each.shapes.get(release) for release in RELEASES],
            [alias for alias in each.aliases if alias not in names and claimed.count(alias) == 1],
            each.host,
        ]
        for (method, *_), each in found.items()
    ]
    return {
        "versions": [package.api_version for package in packages.values()],
        "packages": list(packages),
        "choices": types.choices,
        "shapes": types.shapes,
        "operations": sorted(rows),
    }
