"""The tables of a line: options common to all modules, the short flags of Stripe's own tool, and what is answered otherwise here."""

from __future__ import annotations

from stripe_magics.catalogue.field import Kind

# option -> how it is written: "flag" stands alone, "text" takes a value, "list" may be repeated
OPTIONS = {
    "out": "text",
    "form": "flag",
    "dry_run": "flag",
    "yes": "flag",
    "again": "flag",
    "from": "object",
    "raw": "flag",
    "quiet": "flag",
    "expand": "list",
    "limit": "text",
    "columns": "list",
    "to": "text",
    "idempotency": "text",
    "stripe_account": "text",
    "stripe_version": "text",
    "help": "flag",
}
OTHER_SPELLINGS = {"idempotency_key": "idempotency", "dryrun": "dry_run", "confirm": "yes"}
SHORT = {  # of Stripe's own command line tool
    "d": "data",
    "e": "expand",
    "i": "idempotency",
    "l": "limit",
    "a": "starting_after",
    "b": "ending_before",
    "v": "stripe_version",
    "c": "yes",
    "s": "show_headers",
    "p": "project_name",
    "H": "header",
    "h": "help",
}
ELSEWHERE = {  # flags of that tool which this one answers otherwise: (takes a value, what is said)
    "live": (False, "--live was left out: the connection decides the mode (%stripe status)."),
    "show_headers": (False, "--show-headers was left out: request ids stand in df.attrs['stripe']."),
    "dark_style": (False, ""),
    "color": (True, ""),
    "log_level": (True, ""),
    "device_name": (True, ""),
    "config": (True, ""),
    "project_name": (
        True,
        "--project-name was left out: `%stripe connect --profile NAME` opens another profile.",
    ),
}
HANDLER_FLAGS = {  # flags of the room that serves a module in place of a request, by `Module.door`
    "events": {
        "minutes": "text",
        "interval": "text",
        "since": "text",
        "ephemeral": "flag",
        "status": "flag",
        "stop": "flag",
    }
}
VERBS = {"get": "GET", "post": "POST", "put": "PUT", "patch": "PATCH", "delete": "DELETE"}
WORDS_OF_TRUTH = {"true", "false", "yes", "no", "on", "off", "1", "0"}
LISTS = {Kind.TEXT_LIST, Kind.MULTI_CHOICE, Kind.ROWS, Kind.METADATA}
SHAPED = {  # what a body may give for a field of that kind without being taken for Stripe's nesting
    Kind.METADATA: (dict,),
    Kind.JSON: (dict, list),
    Kind.ROWS: (list, dict),
    Kind.TIMESTAMP_FILTER: (dict, list),
    Kind.TEXT_LIST: (list,),
    Kind.MULTI_CHOICE: (list,),
}
