"""Every operation of the catalogue answers, in both versions: with an object of the right shape, a page, or
by the id that isn't there."""

from __future__ import annotations

from typing import Any

import httpx
from each_row import each_row

from stripe_magics.catalogue.generated import facts, objects
from stripe_magics.catalogue.generated.accepted import accepted
from stripe_magics.catalogue.versions import VERSIONS
from stripe_magics.sandbox import SandboxTransport
from stripe_magics.sandbox.api.dispatcher import simulates

OPERATIONS = [each for each in facts.data().operations.values() if each.path.startswith("/v1/")]
TEXTS = {
    "currency": "usd", "country": "US", "email": "a@example.com", "url": "https://example.com",
    "type": "card", "expand": "", "starting_balance": "0", "timezone": "Etc/UTC",
}  # fmt: skip


def value(of: Any, name: str) -> Any:
    """Something that a parameter of the kind takes."""
    if isinstance(of, dict):
        if "e" in of:
            return next(each for each in of["e"] if each)
        if "a" in of:
            return [value(of["a"], name)]
        if "u" in of:
            return value(of["u"][0], name)
        needed = {key: each for key, each in of["o"].items() if key.endswith("!")} or dict(
            [*of["o"].items()][:1]
        )
        return {key.rstrip("!?"): value(each, key.rstrip("!?")) for key, each in needed.items()}
    if of[0] in "inr":
        return "2000000000" if name.endswith(("_at", "_time", "_date")) else "1"
    return {"b": "true", "m": {"a": "b"}}.get(of[0]) or next(
        (text for key, text in TEXTS.items() if key in name), "x"
    )


def flat(given: Any, name: str = "") -> list[tuple[str, str]]:
    if isinstance(given, dict):
        return [pair for key, each in given.items() for pair in flat(each, f"{name}[{key}]" if name else key)]
    if isinstance(given, list):
        return [pair for place, each in enumerate(given) for pair in flat(each, f"{name}[{place}]")]
    return [(name, given)]


class Walk:
    """Calls of one sandbox that make what they need on the way."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.ids: dict[str, str] = {}
        self.client = httpx.Client(
            transport=SandboxTransport(), base_url="https://api.stripe.com",
            headers={"Authorization": "Bearer sk_test_a", "Stripe-Version": version},
        )  # fmt: skip

    def send(self, operation: facts.ApiOperation, path: str) -> httpx.Response:
        names = accepted(operation.method, operation.path, self.version)
        if names is None:  # served by the older version, too
            names = accepted(operation.method, operation.path, VERSIONS[1]) or {}
        given = flat({name[:-1]: value(of, name[:-1]) for name, of in names.items() if name.endswith("!")})
        where = {"data": dict(given)} if operation.method == "POST" else {"params": dict(given)}
        return self.client.request(operation.method, path, **where)

    def path(self, operation: facts.ApiOperation) -> str:
        """The path with ids of objects that are there, as far as they can be made or found."""
        done: list[str] = []
        for part in operation.path.split("/"):
            done.append(self.one("/".join(done), operation) if part.startswith("{") else part)
        return "/".join(done)

    def one(self, home: str, operation: facts.ApiOperation) -> str:
        home = (
            home.replace("/test_helpers/", "/")
            if "test_clocks" not in home and "confirmation" not in home
            else home
        )
        if home not in self.ids:
            page = self.client.get(home)
            found = page.json()["data"] if page.status_code == 200 and "data" in page.json() else []
            if not found:
                maker = facts.find_endpoint("POST", home) or facts.find_endpoint(
                    "POST", home.replace("/v1/", "/v1/test_helpers/")
                )
                if maker is not None:
                    made = self.send(maker, maker.path if "{" not in maker.path else home)
                    found = [made.json()] if made.status_code == 200 and "id" in made.json() else []
            self.ids[home] = found[0]["id"] if found else "nothing_here"
        return self.ids[home]


def absent(operation: facts.ApiOperation, answer: httpx.Response) -> bool:
    """Whether it was refused since nothing makes such an object, or none has what is looked for."""
    missing = answer.status_code == 404 and answer.json()["error"].get("code") == "resource_missing"
    return missing and ("nothing_here" in answer.text or operation.name.endswith((".find", ".delete_where")))


def by_shape() -> list[facts.ApiOperation]:
    SandboxTransport(demo=False)
    return [each for each in OPERATIONS if not simulates(each.method, each.path)]


@each_row("version", VERSIONS)
def test_every_operation_answers(version: str) -> None:
    walked = Walk(version)
    served = [
        each
        for each in OPERATIONS
        if accepted(each.method, each.path, version) is not None
        or accepted(each.method, each.path, VERSIONS[1]) is not None
    ]
    assert len(served) > 540
    wrong = []
    for operation in sorted(
        served, key=lambda each: (each.method == "DELETE", -each.path.count("/"), each.name)
    ):
        answer = walked.send(operation, walked.path(operation))
        if answer.status_code == 200:
            continue
        error = answer.json()["error"]
        if "Unrecognized" in error["message"] or answer.status_code >= 500:
            wrong.append((operation.name, error["message"]))
        elif not simulates(operation.method, operation.path) and not absent(operation, answer):
            wrong.append((operation.name, answer.status_code, error["message"]))
    assert wrong == []


@each_row("version", VERSIONS)
def test_what_is_kept_by_shape_has_the_fields_of_its_version(version: str) -> None:
    walked, seen = Walk(version), 0
    for operation in by_shape():
        answer = walked.send(operation, walked.path(operation)) if operation.method != "DELETE" else None
        if answer is None or answer.status_code != 200:
            continue
        assert answer.headers["sandbox-fidelity"] == "shape", operation.name
        body = answer.json()
        for each in body["data"] if body.get("object") == "list" else [body]:
            tree = objects.facts(version).get(each.get("object"), {})
            beside = {"deleted", *({"plan", "quantity"} if each.get("object") == "subscription" else ())}
            assert set(tree) - {"@"} >= set(each) - beside, (operation.name, set(each) - set(tree))
            seen += 1
    assert seen > 100


def test_a_parameter_that_only_the_older_version_requires_is_missed_by_name() -> None:
    answer = Walk(VERSIONS[1]).client.post("/v1/invoiceitems", data={"amount": "100"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "parameter_missing")
    assert answer.json()["error"]["param"] == "customer"


def test_kept_by_shape_lives_a_whole_life() -> None:
    client = Walk(VERSIONS[0]).client

    def call(method: str, path: str, **given: str) -> dict[str, Any]:
        answer = client.request(method, path, **({"data": given} if method == "POST" else {"params": given}))
        return answer.json()

    holders = [
        call("POST", "/v1/issuing/cardholders",
             **{"name": name, "billing[address][line1]": "1 Main St", "billing[address][city]": "Ulm",
             "billing[address][country]": "DE", "billing[address][postal_code]": "89073",
             "metadata[team]": "red"})
        for name in "ABC"
    ]  # fmt: skip
    first = holders[0]
    assert (first["status"], first["billing"]["address"]["city"], first["livemode"]) == (
        "active",
        "Ulm",
        False,
    )
    page = call("GET", "/v1/issuing/cardholders", limit="2")
    assert ([each["name"] for each in page["data"]], page["has_more"]) == (["C", "B"], True)
    rest = call("GET", "/v1/issuing/cardholders", starting_after=page["data"][-1]["id"])
    assert [each["id"] for each in rest["data"]] == [first["id"]]
    changed = call(
        "POST", f"/v1/issuing/cardholders/{first['id']}", **{"status": "inactive", "metadata[size]": "9"}
    )
    assert (changed["status"], changed["metadata"]) == ("inactive", {"team": "red", "size": "9"})
    assert [each["name"] for each in call("GET", "/v1/issuing/cardholders", status="active")["data"]] == [
        "C",
        "B",
    ]
    card = call("POST", "/v1/issuing/cards", cardholder=first["id"], currency="eur", type="physical")
    shipped = call("POST", f"/v1/test_helpers/issuing/cards/{card['id']}/shipping/ship")
    assert shipped["shipping"]["status"] == "shipped"
    listed = call("POST", "/v1/radar/value_lists", alias="a", name="A")
    assert call("DELETE", f"/v1/radar/value_lists/{listed['id']}")["deleted"] is True
    assert call("GET", f"/v1/radar/value_lists/{listed['id']}")["error"]["code"] == "resource_missing"
    session = call("POST", "/v1/identity/verification_sessions", type="document")
    assert call("POST", f"/v1/identity/verification_sessions/{session['id']}/cancel")["status"] == "canceled"


def test_a_version_shows_its_own_fields() -> None:
    walks = [Walk(version) for version in VERSIONS]
    walks[1].client = httpx.Client(
        transport=walks[0].client._transport, base_url="https://api.stripe.com",
        headers={**walks[0].client.headers, "Stripe-Version": VERSIONS[1]},
    )  # fmt: skip
    made = walks[0].client.post("/v1/terminal/locations", data={
        "display_name": "A", "address[line1]": "1 Main St", "address[country]": "US", "address[city]": "X",
        "address[state]": "CA",
        "address[postal_code]": "94110"}).json()  # fmt: skip
    for walked in walks:
        seen = walked.client.get(f"/v1/terminal/locations/{made['id']}").json()
        assert set(seen) <= set(objects.facts(walked.version)["terminal.location"])


def test_v2_is_said_not_to_be_simulated() -> None:
    answer = Walk(VERSIONS[1]).client.get("/v2/core/accounts")
    assert answer.status_code == 404
    assert "doesn't simulate the v2 API" in answer.json()["error"]["message"]


def test_what_is_not_kept_is_said() -> None:
    """Nothing is taken and dropped in silence: an answer by shape names what its type has no field for."""
    client = Walk(VERSIONS[0]).client
    given = {"type": "document", "client_reference_id": "7", "return_url": "https://example.com"}
    made = client.post("/v1/identity/verification_sessions", data=given)
    assert (made.headers["sandbox-not-kept"], made.json()["client_reference_id"]) == ("return_url", "7")
    whole = client.post("/v1/radar/value_lists", data={"alias": "a", "name": "A", "metadata[k]": "v"})
    assert "sandbox-not-kept" not in whole.headers


def test_a_frame_says_what_is_kept_by_shape() -> None:
    import stripe_magics as sm

    sm.connect(sandbox=True, demo=False)
    made = sm.call("radar.value_lists.create", alias="blocked", name="Blocked")
    assert (
        "The sandbox keeps these objects but doesn't simulate what they do." in made.attrs["stripe"]["notes"]
    )
    opened = sm.call(
        "identity.verification_sessions.create", type="document", return_url="https://example.com"
    )
    assert any(each.endswith("It didn't keep: return_url.") for each in opened.attrs["stripe"]["notes"])
    listed = sm.call("radar.value_lists.list")
    assert list(listed["alias"]) == ["blocked"]
    assert any("doesn't simulate what they do" in each for each in listed.attrs["stripe"]["notes"])
    assert "notes" not in sm.call("customers.list").attrs["stripe"]
    sm.close()
