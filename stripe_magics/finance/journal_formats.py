"""The journal as files that accounting programs import: DATEV, Xero, QuickBooks Online, and a plain CSV.

Formats that know no currency of a line get one file a currency. Field lists:
- DATEV: EXTF 700, category 21 (Buchungsstapel) version 13: developer.datev.de (DATEV format, Buchungsstapel).
- Xero: manual journal import: help.xero.com (ManualJournalsImport).
- QuickBooks Online: import of journal entries: quickbooks.intuit.com (import journal entries). The names of
  accounts and the customer of receivables must be in the books, account numbers switched off.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from stripe_magics import money
from stripe_magics._files import write_atomically
from stripe_magics.errors import UsageFault
from stripe_magics.finance.account_map import RECEIVABLES, STRIPE, AccountMap
from stripe_magics.finance.reporting_period import Period


def _pairs(first: str, second: str, count: int) -> list[str]:
    return [f"{word} {number}" for number in range(1, count + 1) for word in (first, second)]


DATEV_FIELDS = (
    "Umsatz (ohne Soll/Haben-Kz)", "Soll/Haben-Kennzeichen", "WKZ Umsatz", "Kurs", "Basis-Umsatz",
    "WKZ Basis-Umsatz", "Konto", "Gegenkonto (ohne BU-Schlüssel)", "BU-Schlüssel", "Belegdatum",
    "Belegfeld 1", "Belegfeld 2", "Skonto", "Buchungstext", "Postensperre", "Diverse Adressnummer",
    "Geschäftspartnerbank", "Sachverhalt", "Zinssperre", "Beleglink",
    *_pairs("Beleginfo - Art", "Beleginfo - Inhalt", 8), "KOST1 - Kostenstelle", "KOST2 - Kostenstelle",
    "Kost-Menge", "EU-Land u. UStID (Bestimmung)", "EU-Steuersatz (Bestimmung)", "Abw. Versteuerungsart",
    "Sachverhalt L+L", "Funktionsergänzung L+L", "BU 49 Hauptfunktionstyp", "BU 49 Hauptfunktionsnummer",
    "BU 49 Funktionsergänzung", *_pairs("Zusatzinformation - Art", "Zusatzinformation- Inhalt", 20), "Stück",
    "Gewicht", "Zahlweise", "Forderungsart", "Veranlagungsjahr", "Zugeordnete Fälligkeit", "Skontotyp",
    "Auftragsnummer", "Buchungstyp", "USt-Schlüssel (Anzahlungen)", "EU-Land (Anzahlungen)",
    "Sachverhalt L+L (Anzahlungen)", "EU-Steuersatz (Anzahlungen)", "Erlöskonto (Anzahlungen)", "Herkunft-Kz",
    "Buchungs GUID", "KOST-Datum", "SEPA-Mandatsreferenz", "Skontosperre", "Gesellschaftername",
    "Beteiligtennummer", "Identifikationsnummer", "Zeichnernummer", "Postensperre bis",
    "Bezeichnung SoBil-Sachverhalt", "Kennzeichen SoBil-Buchung", "Festschreibung", "Leistungsdatum",
    "Datum Zuord. Steuerperiode", "Fälligkeit", "Generalumkehr (GU)", "Steuersatz", "Land",
    "Abrechnungsreferenz", "BVV-Position", "EU-Land u. UStID (Ursprung)", "EU-Steuersatz (Ursprung)",
    "Abw. Skontokonto",
)  # fmt: skip
XERO_FIELDS = (
    "*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount",
    "TrackingName1", "TrackingOption1", "TrackingName2", "TrackingOption2",
)  # fmt: skip
QUICKBOOKS_FIELDS = (
    "*JournalNo", "*JournalDate", "*AccountName", "*Debits", "*Credits", "Description", "Name", "Currency",
    "Location", "Class",
)  # fmt: skip
CSV_FIELDS = (
    "entry",
    "date",
    "account",
    "account_name",
    "debit",
    "credit",
    "currency",
    "document",
    "memo",
    "category",
)
XERO_LINES = 300  # the most that one import takes
DATEV_LINES = 99_999
DATEV_PREFIX = "EXTF_"  # a file of another name isn't offered for import
CUSTOMER = "Stripe customers"  # QuickBooks wants a customer on each line of receivables
Rows = list[list[str]]


def _each(lines: pd.DataFrame) -> Any:
    """The lines, one after the other, with their columns as attributes."""
    return lines.itertuples(index=False)


def _table(fields: tuple[str, ...], rows: Rows) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(fields)
    writer.writerows(rows)
    return out.getvalue().encode()


def _major(minor: int, currency: str, most: int | None = None) -> str:
    amount = money.to_major(int(minor), currency)
    if most is not None:
        rounded = round(amount, most)
        if rounded != amount:
            raise UsageFault(
                f"{money.format_amount(int(minor), currency)} has more than {most} decimals; this format has"
                " no more."
            )
        return f"{rounded:.{most}f}"
    return f"{amount:f}"


def _safe(value: object) -> str:
    """Text that a spreadsheet shows and doesn't run."""
    text = str(value)
    return "'" + text if re.match(r"\s*[=+\-@\t\r]", text) else text


def plain(lines: pd.DataFrame, _accounts: AccountMap, _span: Period) -> dict[str, bytes]:
    """The lines as they are, amounts in major units."""
    rows = [
        [
            _safe(each.entry), f"{each.date:%Y-%m-%d}", _safe(each.account), _safe(each.account_name),
            _major(each.debit, each.currency), _major(each.credit, each.currency), each.currency.upper(),
            _safe(each.document), _safe(each.memo), _safe(each.category),
        ]
        for each in _each(lines)
    ]  # fmt: skip
    return {"": _table(CSV_FIELDS, rows)}


def quickbooks(lines: pd.DataFrame, accounts: AccountMap, _span: Period) -> dict[str, bytes]:
    """Journal entries for QuickBooks Online: accounts by name, dates as MM/DD/YYYY, debits or credits and
    never both, a customer on the lines of receivables."""
    rows = []
    customer = str(accounts.settings.get("customer") or CUSTOMER)
    owed = [each for kind in RECEIVABLES if (each := accounts.find(kind)) is not None]
    receivables = {each.of(code) for each in owed for code in set(lines["currency"])}
    for each in _each(lines):
        debit, credit = (
            _major(amount, each.currency, 2) if amount else "" for amount in (each.debit, each.credit)
        )
        name = each.account_name or each.account
        memo = f"{each.memo} {each.document}"
        cells = [
            each.entry,
            f"{each.date:%m/%d/%Y}",
            name,
            debit,
            credit,
            memo,
            customer if each.account in receivables else "",
            each.currency.upper(),
            "",
            "",
        ]
        rows.append([_safe(cell) for cell in cells])
    return {"": _table(QUICKBOOKS_FIELDS, rows)}


def xero(lines: pd.DataFrame, accounts: AccountMap, _span: Period) -> dict[str, bytes]:
    """Manual journals for Xero: one file a currency and 300 lines, debits above 0 and credits below, no tax
    rate unless set."""
    rate = str(accounts.settings.get("tax_rate") or "Tax Exempt")
    files: dict[str, bytes] = {}
    for code, mine in lines.groupby("currency", sort=True):
        chunks: list[Rows] = [[]]
        for entry, part in mine.groupby("entry", sort=False):
            rows = [
                [
                    _safe(entry), f"{each.date:%d/%m/%Y}", _safe(f"{each.memo} {each.document}"),
                    each.account, rate, _major(each.debit - each.credit, str(code), 2), "", "", "", "",
                ]
                for each in _each(part)
            ]  # fmt: skip
            if len(rows) > XERO_LINES:
                raise UsageFault(
                    f"{entry} has {len(rows):,} lines; Xero takes {XERO_LINES} an import.",
                    advice="Leave --detail out.",
                )
            if chunks[-1] and len(chunks[-1]) + len(rows) > XERO_LINES:
                chunks.append([])
            chunks[-1] += rows
        for number, rows in enumerate(chunks, 1):
            files[f"-{code}" + (f"-{number}" if len(chunks) > 1 else "")] = _table(XERO_FIELDS, rows)
    return files


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def datev(lines: pd.DataFrame, accounts: AccountMap, span: Period) -> dict[str, bytes]:
    """Buchungsstapel for DATEV, one file a currency: Windows-1252, amounts with a comma, one row a
    posting."""
    settings = _datev_settings(accounts.settings)
    bad = sorted({each for each in lines["account"] if not re.fullmatch(r"(?!0+$)[0-9]{1,9}", str(each))})
    if bad:
        raise UsageFault(
            f"DATEV's accounts are numbers of up to nine digits; these aren't: {', '.join(bad)}.",
            advice="Give --map skr03, skr04 or a file.",
        )
    _check_business_year(settings, span)
    files: dict[str, bytes] = {}
    for code, mine in lines.groupby("currency", sort=True):
        header = _datev_header(settings, str(code), span, accounts.accounts[STRIPE].of(str(code)))
        rows: list[str] = []
        debits, credits = mine.iloc[::2], mine.iloc[1::2]
        for left, right in zip(_each(debits), _each(credits), strict=True):
            own = {
                "Umsatz (ohne Soll/Haben-Kz)": _major(left.debit, str(code), 2).replace(".", ","),
                "Soll/Haben-Kennzeichen": _quoted("S"),
                "WKZ Umsatz": _quoted(str(code).upper()),
                "Konto": left.account,
                "Gegenkonto (ohne BU-Schlüssel)": right.account,
                "Belegdatum": f"{left.date:%d%m}",
                "Belegfeld 1": _quoted(re.sub(r"[^A-Za-z0-9$&%*+\-/]", "-", left.document)[:36]),
                "Buchungstext": _quoted(left.memo[:60]),
                "Festschreibung": "0",
            }
            rows.append(";".join(own.get(name, empty) for name, empty in _DATEV_EMPTY.items()))
        head = [";".join(header), ";".join(DATEV_FIELDS)]
        parts = [rows[at : at + DATEV_LINES] for at in range(0, len(rows), DATEV_LINES)]
        for number, part in enumerate(parts, 1):
            content = "\r\n".join([*head, *part]) + "\r\n"
            suffix = f"-{code}" + (f"-{number}" if len(parts) > 1 else "")
            files[suffix] = content.encode("cp1252", errors="replace")
    return files


def _check_business_year(settings: Mapping[str, int], span: Period) -> None:
    """A file is of one business year: its postings have a day and a month, and the year is the header's."""
    month, day = divmod(settings["year_begins"], 100)
    first, last = span.local_start, span.local_end - pd.Timedelta(1, "us")
    years = {each.year - ((each.month, each.day) < (month, day)) for each in (first, last)}
    if len(years) > 1:
        raise UsageFault(
            f"DATEV's files are of one business year, and {span.words()} is in two (it begins on"
            f" {day:02}.{month:02}.).",
            advice="Write a file for each part: --month or --quarter.",
        )


def _is_text(field: str) -> bool:
    """Whether a field of DATEV's is text: it stands in quotes, also an empty one."""
    return field.startswith(("Beleginfo", "Zusatzinformation", "KOST1", "KOST2")) or field in _DATEV_TEXTS


_DATEV_TEXTS = frozenset(
    {
        "Soll/Haben-Kennzeichen", "WKZ Umsatz", "WKZ Basis-Umsatz", "BU-Schlüssel", "Belegfeld 1",
        "Belegfeld 2", "Buchungstext", "Diverse Adressnummer", "Beleglink", "EU-Land u. UStID (Bestimmung)",
        "Abw. Versteuerungsart", "Forderungsart", "Auftragsnummer", "Buchungstyp", "EU-Land (Anzahlungen)",
        "Herkunft-Kz", "Buchungs GUID", "SEPA-Mandatsreferenz", "Gesellschaftername",
        "Identifikationsnummer", "Zeichnernummer", "Bezeichnung SoBil-Sachverhalt", "Generalumkehr (GU)",
        "Land", "Abrechnungsreferenz", "EU-Land u. UStID (Ursprung)",
    }
)  # fmt: skip
_DATEV_EMPTY = {name: '""' if _is_text(name) else "" for name in DATEV_FIELDS}


def _datev_settings(given: Mapping[str, Any]) -> dict[str, int]:
    out = {"consultant": 1001, "client": 1, "year_begins": 101, "account_length": 0}
    limits = {"consultant": (1001, 9999999), "client": (1, 99999), "year_begins": (101, 1231)}
    limits["account_length"] = (4, 8) if "account_length" in given else (0, 8)
    for name, (low, high) in limits.items():
        value = str(given.get(name, out[name]))
        if not value.isdecimal() or not low <= int(value) <= high:
            raise UsageFault(f"settings: {name} {value} isn't possible: a whole number from {low} to {high}.")
        out[name] = int(value)
    return out


def _datev_header(settings: Mapping[str, int], code: str, span: Period, stripe: str) -> list[str]:
    first, last = span.local_start, span.local_end - pd.Timedelta(1, "us")
    month, day = divmod(settings["year_begins"], 100)
    begins = datetime(
        first.year if (first.month, first.day) >= (month, day) else first.year - 1,
        month,
        day,
        tzinfo=first.tzinfo,
    )
    length = settings["account_length"] or max(4, len(stripe))  # those of customers may be longer by one
    return [
        _quoted("EXTF"), "700", "21", _quoted("Buchungsstapel"), "13",
        f"{datetime.now().astimezone():%Y%m%d%H%M%S}000", "", _quoted("SM"), _quoted("stripe_magics"),
        _quoted(""), str(settings["consultant"]), str(settings["client"]), f"{begins:%Y%m%d}", str(length),
        f"{first:%Y%m%d}", f"{last:%Y%m%d}", _quoted(f"Stripe {first:%Y-%m}"), _quoted(""), "1", "0", "0",
        _quoted(code.upper()), "", _quoted(""), "", "", _quoted(""), "", "", _quoted(""), _quoted(""),
    ]  # fmt: skip


FORMATS: dict[str, Callable[[pd.DataFrame, AccountMap, Period], dict[str, bytes]]] = {
    "csv": plain,
    "datev": datev,
    "xero": xero,
    "quickbooks": quickbooks,
}


def write(
    lines: pd.DataFrame, accounts: AccountMap, span: Period, format: str, to: str | Path | None
) -> list[Path]:
    """Write the journal's files and say which. Without `to` they are named after the month, in the current
    folder."""
    stem = f"stripe-journal-{span.local_start:%Y-%m}"
    target = Path(to) if to is not None else Path(f"{stem}.csv")
    if target.is_dir():
        target = target / f"{stem}.csv"
    made = []
    if format == "datev" and not target.name.startswith(DATEV_PREFIX):
        target = target.with_name(DATEV_PREFIX + target.name)
    for suffix, content in FORMATS[format](lines, accounts, span).items():
        path = target.with_name(f"{target.stem}{suffix}{target.suffix or '.csv'}")
        write_atomically(path, content)
        made.append(path)
    return made
