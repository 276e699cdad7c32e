"""The journal: balanced each day, equal to the balance's change, by a map of the user's, in each program's
own fields."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from each_row import each_row

import stripe_magics as sm
from stripe_magics.errors import FileError, UsageFault
from stripe_magics.finance import journal_formats
from stripe_magics.finance.account_map import CHARTS, chart, read_map
from stripe_magics.finance.journal_entries import journal_lines, postings, stripe_change, unbalanced
from stripe_magics.finance.reporting_period import calendar_period

MONTH = "2026-09"


@pytest.fixture(scope="module", autouse=True)
def demo() -> Iterator[None]:
    sm.connect(sandbox=True)
    yield
    sm.close()


def entry(
    at: str, amount: int, fee: int = 0, currency: str = "usd", category: str = "charge", **more: Any
) -> dict[str, Any]:
    return {
        "id": f"txn_{at}_{amount}_{category}", "object": "balance_transaction",
        "created": pd.Timestamp(at, tz="UTC"), "currency": currency, "amount": amount, "fee": fee,
        "net": amount - fee, "type": category, "reporting_category": category, **more,
    }  # fmt: skip


def booked(*entries: dict[str, Any], zone: str = "UTC", **options: Any) -> pd.DataFrame:
    span, accounts = calendar_period(MONTH, "month", zone), chart("saas")
    rows = pd.DataFrame(list(entries))
    return journal_lines(postings(rows, span, accounts, **options), accounts, span, [rows])


def sides(lines: pd.DataFrame) -> list[tuple[str, int, int]]:
    return list(zip(lines["account"], lines["debit"], lines["credit"], strict=True))


@each_row("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
@each_row("month", ["2026-03", "2026-09"])
def test_the_demo_firm_s_journal_is_what_the_balance_did(zone: str, month: str) -> None:
    lines = sm.journal(month, tz=zone)
    by_day = lines.groupby(["date", "currency"])[["debit", "credit"]].sum()
    assert (by_day["debit"] == by_day["credit"]).all()
    summary = sm.report("balance_summary", month=month, tz=zone)
    moved = {
        code: end - start for code, start, end in summary[["currency", "start", "end"]].to_numpy().tolist()
    }
    own = lines[lines["account"] == "1050"]
    assert (
        own.groupby("currency")["debit"].sum() - own.groupby("currency")["credit"].sum()
    ).to_dict() == moved


def test_gross_and_fee_are_postings_of_their_own_and_nothing_is_netted() -> None:
    lines = booked(entry("2026-09-01 10:00", 10000, 320), entry("2026-09-01 11:00", -4000, category="refund"))
    assert sides(lines) == [
        ("1050", 10000, 0), ("1100", 0, 10000), ("6100", 320, 0), ("1050", 0, 320), ("1100", 4000, 0),
        ("1050", 0, 4000),
    ]  # fmt: skip
    lines = booked(
        entry("2026-09-01 10:00", 500, category="other_adjustment"),
        entry("2026-09-01 11:00", -500, category="other_adjustment"),
    )
    assert len(lines) == 4


def test_a_fee_that_is_given_back_is_credited() -> None:
    lines = booked(entry("2026-09-01", -1000, -30, category="refund"))
    assert ("1050", 30, 0) in sides(lines)
    assert ("6100", 0, 30) in sides(lines)


def test_currencies_and_days_of_the_zone_are_apart() -> None:
    lines = booked(
        entry("2026-09-01 23:30", 100), entry("2026-09-02 10:00", 1000, currency="jpy"), zone="Europe/Berlin"
    )
    assert set(lines["entry"]) == {"ST-20260902-USD", "ST-20260902-JPY"}


def test_each_payout_is_booked_by_itself_and_detail_books_every_entry() -> None:
    paid = [entry("2026-09-03", -500, category="payout", source=f"po_{n}", id=f"txn_{n}") for n in (1, 2)]
    assert list(booked(*paid)["document"].unique()) == ["po_1", "po_2"]
    sold = [entry("2026-09-03", 100, id=f"txn_{n}") for n in (1, 2)]
    assert list(booked(*sold)["memo"].unique()) == ["Charge (2)"]
    assert list(booked(*sold, detail=True)["document"].unique()) == ["txn_1", "txn_2"]


def test_an_empty_month_is_an_empty_journal() -> None:
    assert booked(entry("2026-08-03", 100)).empty


def test_a_line_that_is_lost_is_noticed() -> None:
    lines = booked(entry("2026-09-01", 10000, 320))
    assert unbalanced(lines).empty
    assert len(unbalanced(lines.drop(index=1))) == 1
    assert stripe_change(lines, chart("saas")) == {"usd": 9680}


# The map of accounts ----------------------------------------------------------------------------------------
CATEGORIES = (  # docs.stripe.com/reports/reporting-categories
    "advance advance_funding anticipation_repayment charge charge_failure climate_order_purchase"
    " climate_order_refund connect_collection_transfer connect_reserved_funds contribution dispute"
    " dispute_reversal fee financing_paydown financing_paydown_reversal financing_payout"
    " financing_payout_reversal issuing_authorization_hold issuing_authorization_release issuing_dispute"
    " issuing_transaction network_cost other_adjustment partial_capture_reversal payout payout_reversal"
    " platform_earning platform_earning_refund refund refund_failure risk_reserved_funds tax topup"
    " topup_reversal transfer transfer_reversal"
)


@each_row("name", CHARTS)
def test_our_own_maps_have_an_account_for_every_category(name: str) -> None:
    assert chart(name).unmapped(CATEGORIES.split()) == []
    assert all(each.number.isdecimal() and each.name for each in chart(name).accounts.values())


def test_a_map_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "accounts.yaml"
    path.write_text(
        'extends: saas\nstripe: {account: "1360", name: Stripe, currencies: {usd: "1361"}}\n'
        'issuing_authorization_hold: "77"\nsettings: {consultant: 4711}\n'
    )
    made = read_map(path)
    assert made.accounts["stripe"].of("usd") == "1361"
    assert made.accounts["stripe"].of("eur") == "1360"
    assert made.find("issuing_transaction").number == "1070"
    assert made.find("issuing_authorization_hold").number == "77"
    lines = sm.journal(MONTH, map=path)
    assert {"1360", "1361"} <= set(lines["account"])
    change = lines.attrs["stripe"]["stripe_account"]
    assert all(booked == real for booked, real in change.values())


def test_a_number_of_a_map_stays_as_it_is_written(tmp_path: Path) -> None:
    """Not what YAML makes of it: octal 256, 1200, sixty-one minutes, false."""
    path = tmp_path / "accounts.yaml"
    path.write_text(
        "extends: saas\nstripe: 0400\nfees: 1_200\nrefund: 61:40\ncharge: {account: 1100, name: no}\n"
    )
    made = read_map(path).accounts
    assert [made[each].number for each in ("stripe", "fees", "refund", "charge")] == [
        "0400", "1_200", "61:40", "1100"
    ]  # fmt: skip
    assert made["charge"].name == "no"


def test_a_map_without_a_category_names_it(tmp_path: Path) -> None:
    path = tmp_path / "accounts.yaml"
    path.write_text('stripe: "1"\nfees: "2"\ncharge: "3"\n')
    with pytest.raises(
        UsageFault, match=r"has no account for: dispute, dispute_reversal, fee, payout, refund\."
    ):
        sm.journal(MONTH, map=path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("charge: 3", "no account for stripe and fees"),
        ("- 1", "not a map of accounts"),
        ("extends: foo", "extends 'foo' isn't possible"),
        ("extends: saas\ncharge: {name: x}", "charge has no account number"),
        ("a: [", "not valid YAML"),
        ("extends: saas\nstripe: 1\nstripe: 2", "'stripe' is given twice"),
        ("extends: saas\nstripe: ~", "stripe has no account number"),
    ],
)
def test_a_map_that_is_not_possible(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "accounts.yaml"
    path.write_text(text)
    with pytest.raises(UsageFault, match=says):
        read_map(path)


def test_a_map_that_is_not_there() -> None:
    with pytest.raises(FileError, match="There is no file nowhere.yaml"):
        sm.journal(MONTH, map="nowhere.yaml")


# The files --------------------------------------------------------------------------------------------------
def written(tmp_path: Path, format: str) -> list[Path]:
    sm.journal(MONTH, format=format, to=tmp_path / "books.csv")
    return sorted(tmp_path.glob("*.csv"))


def test_plain_csv_is_the_journal(tmp_path: Path) -> None:
    (path,) = written(tmp_path, "csv")
    rows = pd.read_csv(path)
    assert tuple(rows.columns) == journal_formats.CSV_FIELDS
    lines = sm.journal(MONTH)
    assert round(rows["debit"].sum() * 100) == int(lines["debit"].sum())


def test_datev_s_file_has_its_header_its_fields_and_the_journal_s_sums(tmp_path: Path) -> None:
    paths = written(tmp_path, "datev")
    assert [path.name for path in paths] == [f"EXTF_books-{code}.csv" for code in ("eur", "gbp", "usd")]
    lines = sm.journal(MONTH, map="skr03")
    for path in paths:
        code = path.stem[-3:]
        rows = list(csv.reader(io.StringIO(path.read_bytes().decode("cp1252")), delimiter=";"))
        header, fields, body = rows[0], rows[1], rows[2:]
        assert header[:5] == ["EXTF", "700", "21", "Buchungsstapel", "13"]
        assert len(header) == 31
        assert header[10:16] == ["1001", "1", "20260101", "4", "20260901", "20260930"]
        assert header[21] == code.upper()
        assert len(fields) == 125
        assert (fields[0], fields[6], fields[7], fields[9], fields[13], fields[113]) == (
            "Umsatz (ohne Soll/Haben-Kz)", "Konto", "Gegenkonto (ohne BU-Schlüssel)", "Belegdatum",
            "Buchungstext", "Festschreibung",
        )  # fmt: skip
        assert all(len(row) == 125 and row[1] == "S" for row in body)
        moved = 0
        for row in body:
            amount = int(row[0].replace(",", ""))
            moved += amount * ((row[6] == "1360") - (row[7] == "1360"))
            assert row[9].endswith("09")
            assert len(row[10]) <= 36
        assert moved == lines.attrs["stripe"]["stripe_account"][code][1]


SPEC = json.loads((Path(__file__).parent.parent / "specs" / "journal_formats.json").read_text())
CELL = re.compile(r'"(?:[^"]|"")*"|[^;"\r\n]*')


def raw_cells(line: str) -> list[str]:
    """The cells of a line of DATEV's as they stand there, with their quotes."""
    found, at = [], 0
    while at <= len(line):
        match = CELL.match(line, at)
        assert match is not None
        found.append(match[0])
        at = match.end() + 1
    return found


def test_datev_s_files_hold_to_its_published_format(tmp_path: Path) -> None:
    rule = SPEC["datev"]
    names = [name for name, _ in rule["fields"]]
    assert list(journal_formats.DATEV_FIELDS) == names
    for path in written(tmp_path, "datev"):
        assert re.search(rule["file_name"], path.name)
        text = path.read_bytes().decode(rule["encoding"])
        assert text.endswith(rule["line_end"])
        header, heads, *lines = text.removesuffix(rule["line_end"]).split(rule["line_end"])
        for number, (cell, pattern) in enumerate(zip(raw_cells(header), rule["header"], strict=True), 1):
            assert re.search(pattern, cell), f"header, field {number}: {cell}"
        assert heads.split(rule["separator"]) == names
        assert 0 < len(lines) <= rule["most_lines"]
        for line in lines:
            cells = raw_cells(line)
            for number, (cell, (name, pattern)) in enumerate(zip(cells, rule["fields"], strict=True), 1):
                empty = '""' if '["' in pattern else ""  # a text has its quotes even if it says nothing
                if number in rule["required"] or cell != empty:
                    assert re.search(pattern, cell), f"{name}: {cell}"


@each_row("format", ["xero", "quickbooks"])
def test_other_files_hold_to_their_published_fields(format: str, tmp_path: Path) -> None:
    rule, folder = SPEC[format], tmp_path / format
    folder.mkdir()
    for path in written(folder, format):
        heads, *rows = list(csv.reader(io.StringIO(path.read_text(), newline="")))
        assert heads == [name for name, _ in rule["fields"]]
        assert 0 < len(rows) <= rule.get("most_lines", len(rows))
        for row in rows:
            for cell, (name, pattern) in zip(row, rule["fields"], strict=True):
                assert re.search(pattern, cell), f"{name}: {cell}"


def test_quickbooks_has_a_customer_on_receivables_alone(tmp_path: Path) -> None:
    made = sm.journal(MONTH, format="quickbooks", to=tmp_path / "books.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "books.csv").read_text())))
    assert {row["*AccountName"] for row in rows if row["Name"]} == {"Accounts receivable"}
    names = {row["Name"] for row in rows if row["*AccountName"] == "Accounts receivable"}
    assert names == {"Stripe customers"}
    assert "'Stripe customers' must be in the books" in " ".join(made.attrs["stripe"]["notes"])


def test_datev_s_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has so many lines, is of one business year, and knows the length of the ledger's accounts."""
    lines = booked(*(entry(f"2026-09-{day:02}", 100 + day) for day in range(1, 6)))
    span, accounts = calendar_period(MONTH, "month", "UTC"), chart("saas")
    monkeypatch.setattr(journal_formats, "DATEV_LINES", 2)
    files = journal_formats.datev(lines, accounts, span)
    assert [(name, content.count(b"\r\n") - 2) for name, content in files.items()] == [
        ("-usd-1", 2),
        ("-usd-2", 2),
        ("-usd-3", 1),
    ]
    debtor = read_map({"extends": "skr03", "charge": "10000", "settings": {"year_begins": 701}})
    posted = postings(pd.DataFrame([entry("2026-09-01", 100)]), span, debtor)
    mine = journal_lines(posted, debtor, span, [])
    (content,) = journal_formats.datev(mine, debtor, span).values()
    assert content.decode("cp1252").split(";")[12:14] == ["20260701", "4"]
    with pytest.raises(UsageFault, match=r"one business year, and .* is in two"):
        journal_formats.datev(mine, debtor, calendar_period("2026", "year", "UTC"))
    for number in ("0000", "1234567890", "A1"):
        with pytest.raises(UsageFault, match="numbers of up to nine digits"):
            journal_formats.datev(mine.assign(account=number), debtor, span)
    with pytest.raises(UsageFault, match="no setting consultnt"):
        read_map({"extends": "skr03", "settings": {"consultnt": 5}})
    long = read_map({"extends": "skr03", "settings": {"account_length": 9}})
    with pytest.raises(UsageFault, match="account_length 9"):
        journal_formats.datev(mine, long, span)


def test_xero_s_files_balance_and_hold_no_more_than_it_takes(tmp_path: Path) -> None:
    paths = written(tmp_path, "xero")
    for path in paths:
        rows = list(csv.DictReader(io.StringIO(path.read_text())))
        assert tuple(rows[0]) == journal_formats.XERO_FIELDS
        assert len(rows) <= 300
        for narration in {row["*Narration"] for row in rows}:
            assert (
                sum(round(float(row["*Amount"]) * 100) for row in rows if row["*Narration"] == narration) == 0
            )
        assert all(row["*Date"].endswith("/09/2026") for row in rows)


def test_quickbooks_file_has_debits_or_credits_and_accounts_by_name(tmp_path: Path) -> None:
    (path,) = written(tmp_path, "quickbooks")
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert tuple(rows[0]) == journal_formats.QUICKBOOKS_FIELDS
    assert all(bool(row["*Debits"]) != bool(row["*Credits"]) for row in rows)
    assert all(len(row["*JournalNo"]) <= 21 for row in rows)
    assert {"Stripe balance", "Accounts receivable", "Bank"} <= {row["*AccountName"] for row in rows}
    assert {row["*JournalDate"][:3] for row in rows} == {"09/"}


def test_formats_with_two_decimals_refuse_a_third() -> None:
    lines = booked(entry("2026-09-01", 1234, currency="kwd"))
    span = calendar_period(MONTH, "month", "UTC")
    with pytest.raises(UsageFault, match="more than 2 decimals"):
        journal_formats.datev(lines, chart("skr03"), span)
    assert b"1.234" in journal_formats.plain(lines, chart("saas"), span)[""]


def test_text_that_a_spreadsheet_would_run_is_defused() -> None:
    lines = booked(entry("2026-09-01", 100))
    lines["memo"] = "=cmd()"
    content = journal_formats.plain(lines, chart("saas"), calendar_period(MONTH, "month", "UTC"))[""]
    assert b",'=cmd()," in content


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageFault, match="csv, datev, xero, quickbooks"):
        sm.journal(MONTH, format="sap")
