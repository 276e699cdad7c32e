"""What the flags of `%stripe`'s own words mean: what they take, and one line each. Asked by help and by
completion."""

from __future__ import annotations

from stripe_magics.magics import settings

Meaning = tuple[str, str]
"""What stands for the value in the help ("" for a flag that stands alone), and the explanation."""

_FLAGS: dict[str, Meaning] = {
    "sandbox": ("", "the embedded account: no key, no network"),
    "empty": ("", "with --sandbox: an account with nothing in it"),
    "today": ("", "with --sandbox: the demo ends today, and its clock runs"),
    "profile": ("NAME", "the test key of this profile of Stripe's command line tool"),
    "name": ("NAME", "the key that was saved under this name in the keyring"),
    "account": ("acct_...", "act for this connected account"),
    "api_version": ("VERSION", "another version of the API than 2025-02-24.acacia"),
    "api_base": ("URL", "another address than https://api.stripe.com"),
    "rate": ("N", "at most so many requests a second"),
    "zone": ("ZONE", "the time zone in which dates are read and shown: Europe/Berlin"),
    "documented": ("", "only the 41 modules that are described in full"),
    "yes": ("", "answer yes to what would be asked"),
    "month": ("MONTH", 'a calendar month: 2026-09, "last month"'),
    "quarter": ("QUARTER", "a calendar quarter: 2026-Q3"),
    "year": ("YEAR", "a calendar year: 2026"),
    "period": ("WORDS", 'any of these, by one name: "last quarter", 2026-09'),
    "start": ("DATE", "from this day on (00:00 in --tz)"),
    "end": ("DATE", "to this day; a date is part of the period"),
    "tz": ("ZONE", "the zone that cuts days and months (the account's unless given)"),
    "over": ("FOLDER", "read a folder of %stripe sync or pull --to in place of Stripe"),
    "fresh": ("", "read everything again; what was read stays ten minutes otherwise"),
    "form": ("", "the form, filled in with what the line says"),
    "table": ("", "an interactive table: sort, filter, search, export"),
    "compare": ("", "each amount of the period before, and the change"),
    "currency": ("CODE", "only the rows of one currency"),
    "check": ("stripe", "run Stripe's own report for the period and show the differences"),
    "map": ("FILE", "a file that maps categories to accounts; saas, skr03 and skr04 are built in"),
    "to": ("FILE", "write it to this file"),
    "who": ("NAME", 'who closes, for the audit trail; "me" is your login'),
    "strict": ("", "a failed check fails the cell, once everything is written"),
    "verify": ("FILE", "read a workbook again and say what changed since"),
    "columns": ("A,B", "only these columns"),
    "limit": ("N|all", "at most so many rows of each list (all unless given)"),
    "accounts": ("$FRAME", "one list over these connected accounts"),
    "engine": ("dask", "a dask DataFrame, read account by account when it is used"),
    "target": ("FOLDER", "the mirror to ask; the one that this connection named last unless given"),
    "for": ("PROGRAM", "the files of that program: csv, datev, xero or quickbooks"),
    "detail": ("", "book each transaction on its own"),
    "group": ("NAME", "a family of events: charge, invoice ...; may be repeated"),
    "events": ("TYPE", "a type of event: charge.refunded; may be repeated"),
    "host": ("NAME", "a tunnel's name that may be in the Host header; may be repeated"),
    "port": ("N", "a fixed port in place of a random one"),
    "path": ("PATH", "a fixed path in place of a random one"),
    "live": ("", "take live events, and only those, on a live connection"),
    "connect": ("", "the events of connected accounts, with the account in each row"),
    "alert": ("HOW", "sound, desktop, email, mailto:ADDRESS or an https address; may be repeated"),
    "notify": ("", "sound and a desktop notification about new events"),
    "minutes": ("N", "for how long"),
    "stop": ("", "stop listening"),
    "delete": ("ID", "delete this endpoint first"),
    "secret_of": ("ID", "with --to: write the signing secret of this endpoint into a file, never on screen"),
    "handler": ("NAME", "only this handler"),
    "since": ("WHEN", "from then on: 2h, 3d, 2026-09-01"),
    "state": ("STATE", "only runs in this state: failed, done ..."),
    "stripe_account": ("acct_...", "act for a connected account"),
}

_OF_A_WORD: dict[tuple[str, str], Meaning] = {
    ("connect", "env"): ("VARIABLE", "take the key from this environment variable"),
    ("listen", "env"): ("VARIABLE", "the environment variable with the signing secret"),
    ("close", "to"): ("FILE.xlsx", "write the workbook, with the return and the audit trail beside it"),
    ("pull", "to"): ("FOLDER", "write the lists as Parquet files into this folder"),
    ("journal", "to"): ("FILE", "write the program's files to this name"),
    ("sync", "verify"): ("", "read every byte of every file and name what isn't as it was written"),
    ("sync", "status"): ("", "only look: what there is, and from when"),
    ("sync", "whole"): ("", "read all lists again from the beginning"),
    ("sync", "repair"): ("", "read again what is missing or damaged"),
    ("sync", "compact"): ("", "work changes into the files, all with the same columns (for pandas, Spark)"),
    ("sync", "export"): ("FILE.duckdb", "write it as one DuckDB file afterwards"),
    ("events endpoints", "to"): ("FILE", "the file for --secret-of"),
}
"""Where a flag means something of its own in one word."""


def about(subcommand: str, flag: str) -> Meaning:
    """What a flag of a word means. Raises KeyError for one that is described nowhere."""
    if subcommand == "config":
        return settings.meaning(flag)
    own = "listen" if subcommand == "events listen" else subcommand
    return _OF_A_WORD.get((own, flag)) or _FLAGS[flag]
