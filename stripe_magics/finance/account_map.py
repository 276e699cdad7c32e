"""Which account of the books each kind of ledger entry goes to: three maps of our own, or a YAML file of the
user's.

    stripe: {account: "1050", name: Stripe balance}  # the account that must equal Stripe's balance
    fees: {account: "6100", name: Payment fees}      # fees taken from entries
    charge: "1100"                                   # a reporting category; `issuing_*`: all that begin so
    payout: {account: "1010", currencies: {usd: "1011"}}

A file may begin with `extends: saas` (or skr03, skr04); without it, it stands alone, and categories that it
lacks are named.
Charges and refunds go to receivables: invoices and credit notes are booked by whoever writes them, and
payments clear them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stripe_magics.errors import FileError, UsageFault
from stripe_magics.parsing import yaml_body

STRIPE, FEES = "stripe", "fees"
_GROUPS = {  # the kinds of entries that belong together in any chart of accounts
    "receivables": "charge refund partial_capture_reversal charge_failure refund_failure",
    "disputes": "dispute dispute_reversal",
    "costs": "fees fee network_cost",
    "tax_on_costs": "tax",
    "bank": (
        "payout payout_reversal topup topup_reversal payout_minimum_balance_hold"
        " payout_minimum_balance_release"
    ),
    "partners": "transfer transfer_reversal connect_collection_transfer connect_reserved_funds",
    "earnings": "platform_earning platform_earning_refund",
    "reserve": "risk_reserved_funds reserve_* unreconciled_customer_funds",
    "financing": "advance advance_funding anticipation_repayment financing_*",
    "issuing": "issuing_*",
    "other": "contribution climate_order_purchase climate_order_refund other_adjustment",
    "stripe": "stripe",
}
RECEIVABLES = tuple(_GROUPS["receivables"].split())
_CHARTS = {
    "saas": {
        "stripe": ("1050", "Stripe balance"),
        "receivables": ("1100", "Accounts receivable"),
        "disputes": ("6150", "Losses from disputes"),
        "costs": ("6100", "Payment processing fees"),
        "tax_on_costs": ("6110", "Tax on Stripe's fees"),
        "bank": ("1010", "Bank"),
        "partners": ("2300", "Connected accounts"),
        "earnings": ("4200", "Platform earnings"),
        "reserve": ("1060", "Reserved by Stripe"),
        "financing": ("2500", "Stripe Capital"),
        "issuing": ("1070", "Stripe Issuing"),
        "other": ("6190", "Other Stripe adjustments"),
    },
    "skr03": {
        "stripe": ("1360", "Geldtransit Stripe"),
        "receivables": ("1400", "Forderungen aus Lieferungen und Leistungen"),
        "disputes": ("2400", "Forderungsverluste"),
        "costs": ("4970", "Nebenkosten des Geldverkehrs"),
        "tax_on_costs": ("1570", "Abziehbare Vorsteuer"),
        "bank": ("1200", "Bank"),
        "partners": ("1590", "Durchlaufende Posten"),
        "earnings": ("2700", "Sonstige Ertraege"),
        "reserve": ("1500", "Sonstige Vermoegensgegenstaende"),
        "financing": ("1700", "Sonstige Verbindlichkeiten"),
        "issuing": ("1590", "Durchlaufende Posten"),
        "other": ("4900", "Sonstige betriebliche Aufwendungen"),
    },
    "skr04": {
        "stripe": ("1460", "Geldtransit Stripe"),
        "receivables": ("1200", "Forderungen aus Lieferungen und Leistungen"),
        "disputes": ("6930", "Forderungsverluste"),
        "costs": ("6855", "Nebenkosten des Geldverkehrs"),
        "tax_on_costs": ("1400", "Abziehbare Vorsteuer"),
        "bank": ("1800", "Bank"),
        "partners": ("1370", "Durchlaufende Posten"),
        "earnings": ("4830", "Sonstige betriebliche Ertraege"),
        "reserve": ("1300", "Sonstige Vermoegensgegenstaende"),
        "financing": ("3500", "Sonstige Verbindlichkeiten"),
        "issuing": ("1370", "Durchlaufende Posten"),
        "other": ("6300", "Sonstige betriebliche Aufwendungen"),
    },
}
CHARTS = tuple(_CHARTS)
SETTINGS = ("consultant", "client", "year_begins", "account_length", "tax_rate", "customer")
"""What a map may say for files: four settings of DATEV, Xero's tax rate, QuickBooks' customer."""


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """An account of the books: its number, its name, and another number for some currencies."""

    number: str
    name: str = ""
    currencies: Mapping[str, str] = field(default_factory=dict)

    def of(self, currency: str) -> str:
        """Its number for a currency."""
        return self.currencies.get(currency, self.number)


@dataclass(frozen=True, slots=True)
class AccountMap:
    """Accounts by kind of entry, where they are from, and what a format's file says beside them (consultant
    and client of DATEV ...)."""

    accounts: Mapping[str, LedgerAccount]
    source: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def find(self, kind: str) -> LedgerAccount | None:
        """The account of a kind of entry, by its own line or by one that ends in `*`."""
        if kind in self.accounts:
            return self.accounts[kind]
        stars = [key for key in self.accounts if key.endswith("*") and kind.startswith(key[:-1])]
        return self.accounts[max(stars, key=len)] if stars else None

    def unmapped(self, kinds: Iterable[str]) -> list[str]:
        """The kinds of entries that have no account."""
        return sorted({kind for kind in kinds if self.find(kind) is None})


def chart(name: str) -> AccountMap:
    """One of our own maps: saas, skr03 or skr04."""
    numbers = _CHARTS[name]
    accounts = {
        kind: LedgerAccount(*numbers[group]) for group, kinds in _GROUPS.items() for kind in kinds.split()
    }
    return AccountMap(accounts, name)


def read_map(source: str | Path | Mapping[str, Any] | None, default: str = "saas") -> AccountMap:
    """The map of that name, of a YAML file, or of a dict. Raises `UsageFault` where it can't be read as
    one."""
    if source is None or source == "":
        return chart(default)
    if isinstance(source, str) and source in _CHARTS:
        return chart(source)
    if isinstance(source, Mapping):
        return _made(source, "the map given")
    if not isinstance(source, str | Path):
        raise UsageFault(
            f"map is {type(source).__name__}; it must be a file, a dict, or one of {', '.join(CHARTS)}."
        )
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileError(
            f"There is no file {path}, nor a map of that name.",
            advice=f"Maps of our own: {', '.join(CHARTS)}.",
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise FileError(f"{path} can't be read: {problem}.") from problem
    try:
        said = yaml_body.load(text, {})  # a number stays as it is written: 0400 is no octal number
    except UsageFault as problem:
        raise UsageFault(f"{path} is not valid YAML: {problem}") from None
    if not isinstance(said, Mapping):
        raise UsageFault(f"{path} is not a map of accounts.", advice='A line of it: charge: "1100"')
    return _made(said, str(path))


def _made(said: Mapping[str, Any], source: str) -> AccountMap:
    rest = {str(key): value for key, value in said.items()}
    base = rest.pop("extends", None)
    settings = rest.pop("settings", None) or {}
    if base is not None and base not in _CHARTS:
        raise UsageFault(f"{source}: extends {base!r} isn't possible: {', '.join(CHARTS)}.")
    if not isinstance(settings, Mapping):
        raise UsageFault(f"{source}: settings must be a map, such as {{consultant: 1001, client: 1}}.")
    unknown = sorted(map(str, set(settings) - set(SETTINGS)))
    if unknown:
        raise UsageFault(
            f"{source}: there is no setting {', '.join(unknown)}.", advice=f"Settings: {', '.join(SETTINGS)}."
        )
    accounts = dict(chart(base).accounts) if base is not None else {}
    for kind, value in rest.items():
        accounts[kind] = _account(kind, value, source)
    missing = [key for key in (STRIPE, FEES) if key not in accounts]
    if missing:
        raise UsageFault(
            f"{source} has no account for {' and '.join(missing)}.",
            advice='Add a line such as stripe: "1050", or begin with extends: saas.',
        )
    return AccountMap(accounts, source, dict(settings))


def _account(kind: str, value: object, source: str) -> LedgerAccount:
    if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
        return LedgerAccount(str(value).strip())
    if isinstance(value, Mapping) and str(value.get("account") or "").strip():
        own = value.get("currencies") or {}
        if isinstance(own, Mapping):
            return LedgerAccount(
                str(value["account"]).strip(),
                str(value.get("name") or ""),
                {str(code).lower(): str(number) for code, number in own.items()},
            )
    raise UsageFault(
        f"{source}: {kind} has no account number.",
        advice=f'Write {kind}: "1100", or {kind}: {{account: "1100"}}.',
    )
