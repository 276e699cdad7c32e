"""What connected accounts are called: each asked for once on a connection, when a watch over several of them
begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from stripe_magics.catalogue.module import Effect
from stripe_magics.errors import StripeMagicsError
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

MAX_ACCOUNTS = 100  # that one watch reads: each of them costs a read in every interval
_NAMES = "account_names"
_COLUMNS = ("account_name", "name", "business_profile_name", "business_profile.name", "company_name", "email")


def names_of(connection: Connection) -> dict[str, str]:
    """The names that are known on a connection, by id; `learn` and `look_up` put more there."""
    known: dict[str, str] = connection.extensions.setdefault(_NAMES, {})
    return known


def learn(connection: Connection, accounts: Any) -> None:
    """Take names from a frame of accounts, by whatever column has them."""
    columns = getattr(accounts, "columns", None)
    if columns is None:
        return
    ids = next((each for each in ("account", "id") if each in columns), None)
    for column in (each for each in _COLUMNS if each in columns and ids is not None):
        for id, name in zip(accounts[ids], accounts[column], strict=True):
            if isinstance(name, str) and name:
                names_of(connection).setdefault(str(id), name)


def look_up(connection: Connection, ids: Iterable[str]) -> None:
    """Ask for the names that aren't known. A platform that may not read an account shows its id."""
    for id in ids:
        if id not in names_of(connection):
            try:
                answer = connection.send(_request(f"/v1/accounts/{id}"))
            except StripeMagicsError:
                names_of(connection)[id] = ""
            else:
                names_of(connection)[id] = _name(connection, answer.data)


def connected(connection: Connection, most: int = MAX_ACCOUNTS) -> list[str]:
    """The ids of the accounts that are connected to the platform, newest first; their names are kept on the
    way."""
    from stripe_magics.client.pagination.paginator import pages

    request = _request("/v1/accounts", lists=True)
    ids: list[str] = []
    for answer in pages(connection, request):
        for each in answer.rows:
            names_of(connection)[str(each["id"])] = _name(connection, each)
            ids.append(str(each["id"]))
        if len(ids) > most:
            break
    return ids


def labelled(id: str, name: str) -> str:
    """`Rosen Books (acct_1...)`, or the id."""
    return f"{name} ({id})" if name and id else id or name


def _name(connection: Connection, account: Mapping[str, Any]) -> str:
    return connection.account_name(account) or str(account.get("email") or "")


def _request(path: str, *, lists: bool = False) -> Request:
    module, returns = ("accounts.list", "list[account]") if lists else ("accounts.retrieve", "account")
    return Request(
        module=module, method="GET", path=path, effect=Effect.READ, returns=returns, lists=lists, limit=None
    )
