"""Names of modules and of Stripe's parameters, as they are typed: `checkout sessions create`, `/v1/events`,
`shipping.address.line1`."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import parse_qsl, unquote, urlsplit

from stripe_magics import catalogue
from stripe_magics._text import closest_matches
from stripe_magics.catalogue.field import Field, Role
from stripe_magics.catalogue.generated import facts
from stripe_magics.catalogue.module import Module
from stripe_magics.catalogue.stripe_objects import object_path
from stripe_magics.errors import UnknownName, UsageFault

HOSTS = ("https://api.stripe.com", "https://files.stripe.com")


@cache
def documented() -> dict[str, str]:
    """Names and aliases of the modules declared by hand -> their own name; the common case, without reading
    the generated facts."""
    return {alias: each.name for each in catalogue.documented() for alias in (*each.aliases, each.name)}


@cache
def generated() -> dict[str, str]:
    """Names and aliases of all other operations -> their own name."""
    from stripe_magics.catalogue.generated import operations

    return {**facts.data().aliases, **{name: name for name in operations.operation_names()}}


def canonical(name: str) -> str:
    """The module's own name for a name as people write it: `customer list`, `customers.get`. Unknown names
    come back as they are."""
    words = name.replace(".", " ").split()
    found = _known(words)
    return found[0] if found is not None and found[1] == len(words) else name


def _known(words: list[str]) -> tuple[str, int] | None:
    """The module that the first of the words name, and how many of them; None if they name none.

    The longest name wins; names as they are come before singular ones (`customer list`) and words of the
    trade (`customers get`).
    """
    for variants in (_as_written, _in_plural, _by_action, _in_plural_by_action):
        for table in (documented, generated):
            known = table()
            for count in range(len(words), 0, -1):
                for name in variants(words[:count]):
                    if name in known:
                        return known[name], count
    return None


ACTIONS = {"get": "retrieve", "show": "retrieve", "fetch": "retrieve", "find": "retrieve", "new": "create",
           "add": "create",
           "edit": "update", "modify": "update", "remove": "delete", "del": "delete", "ls": "list",
           "all": "list"}  # fmt: skip
"""What other tools call an action."""


def _as_written(words: list[str]) -> list[str]:
    return [".".join(words).replace("-", "_").lower()]


def _in_plural(words: list[str]) -> list[str]:
    """Each word but the last in the plural: `customer list`, `checkout session create`."""
    *resources, action = ".".join(words).replace("-", "_").lower().split(".")
    if not resources:
        return []
    last = {f"{resources[-1]}s", f"{resources[-1]}es", re.sub("y$", "ies", resources[-1])}
    return [".".join([*resources[:-1], each, action]) for each in sorted(last)]


def _by_action(words: list[str]) -> list[str]:
    *resources, action = ".".join(words).replace("-", "_").lower().split(".")
    return [".".join([*resources, ACTIONS[action]])] if action in ACTIONS and resources else []


def _in_plural_by_action(words: list[str]) -> list[str]:
    return [other for each in _by_action(words) for other in _in_plural(each.split("."))]


def longest(words: list[str]) -> tuple[str, int]:
    """The module that the first of the words name, and how many of them: the longest that there is.

    Raises `UnknownName` with the nearest modules, and with a resource's actions where the resource is known.
    """
    if not words:
        raise UsageFault(
            "Which command? For example `%stripe customers list`.", advice="`%stripe modules` lists them all."
        )
    found = _known(words)
    if found is not None:
        return found
    resources = catalogue.actions_by_resource()
    for count in range(len(words), 0, -1):
        resource = ".".join(words[:count]).replace("-", "_").lower()
        if resource in resources:
            actions = resources[resource]
            shown_actions = ", ".join(actions[:12]) + (" ..." if len(actions) > 12 else "")
            if count == len(words):
                raise UsageFault(f"Which action? {resource.replace('.', ' ')} has: {shown_actions}.")

            near = [
                f"`{resource.replace('.', ' ')} {each}`" for each in closest_matches(words[count], actions)
            ]
            raise UnknownName(
                "command",
                f"{resource.replace('.', ' ')} {words[count]}",
                near,
                advice=f"It has {shown_actions}.",
            )
    inner = sorted(
        {
            each.split(".")[1]
            for each in resources
            if each.startswith(words[0].replace("-", "_").lower() + ".")
        }
    )
    if inner and len(words) == 1:
        raise UsageFault(f"Which action? {words[0]} has: {', '.join(inner)}.")
    return catalogue.find(" ".join(words[:2])).name, min(2, len(words))  # raises, with the nearest names


def is_path(text: str, verb: str = "") -> bool:
    """Whether the word after `get`, `post` ... is a path, an address or an id at Stripe. `delete customers`
    is a module's name."""
    return (
        text.startswith(("/", "v1/", "v2/", "https://", "http://", "$", "{{"))
        or bool(of_id(text))
        or (verb != "delete" and re.fullmatch(r"[a-z_]+(/[\w/.-]*)?", text) is not None)
    )


def path_and_query(url: str) -> tuple[str, list[tuple[str, str]]]:
    """A path below Stripe's host, and its query. Any other host is refused."""
    if url.startswith(tuple(each.partition("://")[2] + "/" for each in HOSTS)):  # without a scheme
        url = "https://" + url
    if re.match(r"https?://", url):
        host = next((each for each in HOSTS if url.startswith(each + "/")), None)
        if host is None:
            raise UsageFault(
                f"Only addresses at https://api.stripe.com/ can be called, not at {urlsplit(url).netloc!r}."
                " Nothing was sent.",
                advice="Give the path: %stripe get /v1/events",
            )
        url = url[len(host) :]
    path, _, query = url.partition("?")
    path = of_id(path) or (path if path.startswith("/") else "/" + path)
    if not re.match(r"/v[0-9]", path):  # as Stripe's own tool takes it: /customers, customers
        path = "/v1" + path
    return path, parse_qsl(query, keep_blank_values=True)


def of_id(text: str) -> str:
    """The path of an object by its id alone, as Stripe's own tool takes it: `ch_123` is /v1/charges/ch_123.
    "" for anything else."""
    from stripe_magics.validation.object_ids import owner

    return object_path(owner(text), text)


def bracketed(name: str) -> str:
    """`shipping.address.line1` -> `shipping[address][line1]`. What is bracketed already stays; hyphens of
    names are underscores."""
    if "[" in name:
        root, bracket, inside = name.partition("[")
        return root.replace("-", "_") + bracket + inside
    first, *rest = name.split(".")
    first = first.replace("-", "_")
    if first != "metadata":
        rest = [part.replace("-", "_") for part in rest]
    return first + "".join(f"[{part}]" for part in rest)


def takes(module: Module, param: str) -> bool:
    """Whether Stripe may take the parameter there: generated operations pass anything on; the others what the
    facts know."""
    if not module.documented or module.name == "api.call":
        return True
    if "[" in param:
        return True  # nested: Stripe is the judge
    return any(each.partition("[")[0] == param for each in known_params(module.name))


@cache
def known_params(name: str) -> dict[str, Field]:
    """The parameters that Stripe's facts give a documented module's endpoint, beside its declared fields."""
    from stripe_magics.catalogue.generated import operations

    module = catalogue.find(name)
    endpoint = (module.method, facts.anonymous(module.path))
    known: dict[str, Field] = {}
    for other, where in operations.endpoints().items():
        made = operations.operation(other) if where == endpoint else None
        if made is not None:
            known |= {each.param: each for each in made.fields if each.role is Role.PARAM}
    return known


@cache
def by_endpoint() -> dict[tuple[str, str], list[str]]:
    """(method, path without names) -> the modules that are that endpoint, documented ones first."""
    from stripe_magics.catalogue.generated import operations

    found: dict[tuple[str, str], list[str]] = {}
    for each in catalogue.documented():
        found.setdefault((each.method, facts.anonymous(each.path)), []).append(each.name)
    for name, where in operations.endpoints().items():
        found.setdefault(where, []).append(name)
    return found


def at_path(method: str, path: str) -> tuple[Module, list[tuple[str, str]]] | None:
    """The module that answers a request's method and path, and the values of its ids; None if no module
    does."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    best: tuple[int, str] | None = None
    for (requested, template), names in by_endpoint().items():
        pieces = template.strip("/").split("/")
        if requested != method or len(pieces) != len(parts):
            continue
        if all(piece in {"{}", part} for piece, part in zip(pieces, parts, strict=True)):
            literal = sum(piece != "{}" for piece in pieces)
            best = max(best or (-1, ""), (literal, names[0]))
    if best is None:
        return None
    module = catalogue.find(best[1])
    pieces = module.path.strip("/").split("/")
    ids = [part for piece, part in zip(pieces, parts, strict=True) if piece.startswith("{")]
    return module, [(each.name, value) for each, value in zip(module.path_fields, ids, strict=False)]


def shown(module: Module) -> str:
    """The module's name as it is typed: `customers create`."""
    return module.name.replace(".", " ")
